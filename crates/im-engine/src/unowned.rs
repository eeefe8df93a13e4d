//! Incidents that nobody has: their escalation policy is at its end, and nobody has taken them since (S49).

use std::collections::BTreeSet;

use im_core::IncidentNumber;
use im_store::connector_events::{self, Kind};
use im_store::incidents::IncidentRow;
use im_store::{StoreError, Tx, incidents};

use crate::connector::Connector;
use crate::events::Standing;
use crate::record;

/// How an incident is that nobody has …
const UNOWNED: &str = "unowned";
/// … and any other.
const OWNED: &str = "owned";
/// More are not looked through: a list of them helps nobody.
const EXHAUSTED_MAX: u32 = 1_000;

/// The incidents of a connector that nobody has, and those of which that was said last.
pub fn standings(tx: &mut Tx<'_>, connector: &Connector) -> Result<Vec<Standing>, StoreError> {
    let name = connector.name();
    let said = connector_events::subjects(tx, name, Kind::Unowned, UNOWNED)?;
    let said = said.iter().filter_map(|subject| subject.parse().ok());
    let mut numbers: BTreeSet<IncidentNumber> = said.collect();
    for number in incidents::open_exhausted(tx, name)? {
        // A part is told of with its whole.
        numbers.insert(number.whole().unwrap_or(number));
    }
    let mut found = Vec::new();
    for number in numbers {
        found.extend(standing(tx, number, connector)?);
    }
    Ok(found)
}

/// Every incident that nobody has, of the newest whose escalation policies came to their ends.
pub fn all(tx: &mut Tx<'_>) -> Result<BTreeSet<IncidentNumber>, StoreError> {
    let exhausted = incidents::exhausted(tx, EXHAUSTED_MAX)?;
    without_owner(tx, exhausted)
}

/// Those of some incidents that nobody has; a part is told of with its whole.
pub fn among(
    tx: &mut Tx<'_>,
    rows: &[IncidentRow],
) -> Result<BTreeSet<IncidentNumber>, StoreError> {
    let mut asked = Vec::new();
    for row in rows.iter().filter(|row| row.status.is_open()) {
        asked.push(row.number);
        let parts = 1..=u8::try_from(row.parts).unwrap_or(u8::MAX);
        asked.extend(parts.map(|part| row.number.part(part)));
    }
    let exhausted = incidents::exhausted_of(tx, &asked)?;
    without_owner(tx, exhausted)
}

fn without_owner(
    tx: &mut Tx<'_>,
    exhausted: Vec<IncidentNumber>,
) -> Result<BTreeSet<IncidentNumber>, StoreError> {
    let mut found = BTreeSet::new();
    for number in exhausted {
        let number = number.whole().unwrap_or(number);
        let story = record::story(tx, number, None)?;
        if story.is_some_and(|story| story.unowned_since().is_some()) {
            found.insert(number);
        }
    }
    Ok(found)
}

fn standing(
    tx: &mut Tx<'_>,
    number: IncidentNumber,
    connector: &Connector,
) -> Result<Option<Standing>, StoreError> {
    let Some(story) = record::story(tx, number, Some(connector))? else {
        return Ok(None);
    };
    let standing = |word, reasons, next| Standing {
        kind: Kind::Unowned,
        subject: number.to_string(),
        word,
        good: OWNED,
        reasons,
        next,
    };
    Ok(Some(match story.unowned_since() {
        Some(since) => {
            let why = format!(
                "nobody is left to page since {} and nobody has acknowledged {}",
                since.strftime("%Y-%m-%d %H:%M UTC"),
                story.title
            );
            let next = format!("`im ack {number}` takes it; `im assign {number}` pages somebody");
            standing(UNOWNED, vec![why], Some(next))
        }
        None => standing(OWNED, Vec::new(), None),
    }))
}
