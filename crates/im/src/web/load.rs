//! What a page shows, read in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use im_core::{IncidentNumber, Status, StatusModel, Story};
use im_engine::{commands, connector, directory, merges, named, parts, record, unowned};
use im_metrics::input::Target;
use im_store::annotations::AnnotationRow;
use im_store::conflicts::{self, ConflictRow};
use im_store::directory as things;
use im_store::incidents::{self, Filter, IncidentRow};
use im_store::outbox::{self, OutboxRow};
use im_store::{StoreError, Tx};

use super::due::{self, Targets};
use super::guard::Visit;
use super::list::Asked;
use super::pagerduty::Health;
use crate::http::api::incidents::annotations::history;
use crate::http::api::settings::hides_emails;
use crate::http::api::types::hide_emails;

/// Rows on the usual list. More would not be read; the pages of all incidents have them.
pub(super) const ROWS_MAX: usize = 200;
/// What was over lately fills the usual list up to so many.
const FILLED_TO: usize = 100;
/// Rows on a page of what was asked for.
const PAGE_ROWS: u32 = 100;
/// Incidents that are counted: nobody reads more, and counting takes as long as there are.
pub(super) const COUNTED_MAX: u32 = 1_000;
/// Services to choose from, and incidents that are looked through for people.
const CHOICES_MAX: u32 = 500;

const OPEN: [Status; 3] = [Status::Open, Status::Acknowledged, Status::Mitigated];
const OVER: [Status; 4] = [
    Status::Resolved,
    Status::Closed,
    Status::Canceled,
    Status::Duplicate,
];

/// What every page shows at its head.
pub(super) struct Shell {
    /// How many incidents are open.
    pub(super) open: i64,
    /// How the connectors are doing.
    pub(super) health: Vec<Health>,
    /// Which words people see.
    pub(super) model: StatusModel,
    /// Who looks.
    pub(super) visit: Visit,
}

/// The incidents of a list.
pub(super) struct Found {
    pub(super) rows: Rows,
    /// Those of them that nobody has and nobody is left to page for.
    pub(super) unowned: BTreeSet<IncidentNumber>,
    /// Which words people see.
    pub(super) model: StatusModel,
    /// What they are to be done by.
    pub(super) targets: Targets,
    /// What can be chosen, where somebody is choosing.
    pub(super) choices: Option<Choices>,
}

/// What a list has in it.
pub(super) enum Rows {
    /// What is open, and what was over lately.
    Usual {
        /// Worst first, then newest.
        open: Vec<IncidentRow>,
        /// The newest of the others, the last that ended first.
        over: Vec<IncidentRow>,
        /// Whether there are more than are here.
        more: bool,
    },
    /// What was asked for, newest first.
    Found {
        rows: Vec<IncidentRow>,
        /// How many there are on all pages, or one more than are counted.
        total: i64,
        /// Whether there are older ones.
        more: bool,
    },
    /// Nothing: it cannot be asked so.
    Refused,
}

/// Values that there are.
pub(super) struct Choices {
    pub(super) services: Vec<String>,
    /// The names of people who had incidents lately.
    pub(super) people: BTreeSet<String>,
}

/// One incident.
pub(super) struct Detail {
    pub(super) row: IncidentRow,
    /// Whether its connector was removed.
    pub(super) unlinked: bool,
    /// Its service, where PagerDuty has it on another because no table, rule or name of PagerDuty's knows it.
    pub(super) elsewhere: Option<String>,
    pub(super) story: Story,
    /// Whether what happens at PagerDuty is heard of here.
    pub(super) hears: bool,
    /// Whether it is a major incident.
    pub(super) major: bool,
    /// The target of its severity.
    pub(super) target: Option<Target>,
    /// What PagerDuty still has to hear of it.
    pub(super) owed: Vec<OutboxRow>,
    /// Fields that both sides changed and that wait for a person.
    pub(super) held: Vec<ConflictRow>,
    /// What people said of it beside its facts, oldest first.
    pub(super) said: Vec<AnnotationRow>,
    /// What it was merged into, one into the next, as far as that is here.
    pub(super) merged_into: Vec<IncidentNumber>,
    /// Its parts by the services that they are for, where it is about several.
    pub(super) parts: Vec<(String, Self)>,
}

/// Reads the head of a page.
pub(super) fn shell(tx: &mut Tx<'_>, visit: &Visit) -> Result<Shell, StoreError> {
    let mut health = Vec::new();
    for connector in connector::all(tx)? {
        let (waiting, parked) = outbox::counts(tx, connector.name())?;
        let undecided = parked + conflicts::count_pending(tx, connector.name())?;
        health.push(Health::new(&connector, waiting, undecided));
    }
    Ok(Shell {
        open: incidents::count_open(tx)?,
        health,
        model: commands::status_model(tx)?,
        visit: visit.clone(),
    })
}

/// The incidents that burn now.
pub(super) struct Burning {
    /// How many there are.
    pub(super) count: i64,
    /// Worst first, then newest.
    pub(super) rows: Vec<IncidentRow>,
    /// Those of them that nobody has and nobody is left to page for.
    pub(super) unowned: BTreeSet<IncidentNumber>,
    /// Which words people see.
    pub(super) model: StatusModel,
}

/// Reads what burns now.
pub(super) fn burning(tx: &mut Tx<'_>) -> Result<Burning, StoreError> {
    let (mut rows, _) = newest(tx, &OPEN, ROWS_MAX)?;
    worst_first(&mut rows);
    Ok(Burning {
        count: incidents::count_open(tx)?,
        unowned: unowned::among(tx, &rows)?,
        rows,
        model: commands::status_model(tx)?,
    })
}

fn worst_first(rows: &mut [IncidentRow]) {
    rows.sort_by_key(|row| {
        row.severity
            .map_or((true, None), |(severity, _)| (false, Some(severity)))
    });
}

/// Reads the incidents of a list, which are the same whoever asks so.
pub(super) fn found(tx: &mut Tx<'_>, asked: &Asked) -> Result<Found, StoreError> {
    let model = commands::status_model(tx)?;
    let rows = match &asked.asking {
        Ok(None) => usual(tx)?,
        Ok(Some(asking)) => {
            let filter = asking.clone().limited(PAGE_ROWS + 1).filter(tx, model)?;
            let total = incidents::count(tx, &filter, COUNTED_MAX + 1)?;
            let (rows, more) = listed(tx, &filter)?;
            Rows::Found { rows, total, more }
        }
        Err(_) => Rows::Refused,
    };
    let shown = match &rows {
        Rows::Usual { open, .. } => open.as_slice(),
        Rows::Found { rows, .. } => rows,
        Rows::Refused => &[],
    };
    Ok(Found {
        unowned: unowned::among(tx, shown)?,
        targets: due::targets(tx)?,
        choices: asked.chooses.then(|| choices(tx)).transpose()?,
        model,
        rows,
    })
}

fn usual(tx: &mut Tx<'_>) -> Result<Rows, StoreError> {
    let (mut open, more_open) = newest(tx, &OPEN, ROWS_MAX)?;
    let (mut over, more_over) = newest(tx, &OVER, FILLED_TO.saturating_sub(open.len()))?;
    worst_first(&mut open);
    over.sort_by_key(|row| std::cmp::Reverse(row.resolved_at.unwrap_or(row.updated_at)));
    Ok(Rows::Usual {
        open,
        over,
        more: more_open || more_over,
    })
}

fn choices(tx: &mut Tx<'_>) -> Result<Choices, StoreError> {
    let lately = Filter {
        limit: CHOICES_MAX,
        ..Filter::default()
    };
    let rows = incidents::list(tx, &lately)?;
    let people = rows.iter().flat_map(|row| &row.assignees);
    let mut services = incidents::services(tx, CHOICES_MAX)?;
    services.sort();
    Ok(Choices {
        services,
        people: people.map(|person| person.label().to_owned()).collect(),
    })
}

/// At most `limit` incidents, newest first, and whether there are more.
fn newest(
    tx: &mut Tx<'_>,
    statuses: &[Status],
    limit: usize,
) -> Result<(Vec<IncidentRow>, bool), StoreError> {
    let filter = Filter {
        statuses: statuses.to_vec(),
        limit: u32::try_from(limit + 1).unwrap_or(u32::MAX),
        ..Filter::default()
    };
    listed(tx, &filter)
}

/// Those that fit but the last of `limit`, and whether that one is there, too.
fn listed(tx: &mut Tx<'_>, filter: &Filter) -> Result<(Vec<IncidentRow>, bool), StoreError> {
    let limit = usize::try_from(filter.limit.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut rows = incidents::list(tx, filter)?;
    let linked = connector::all(tx)?;
    for row in &mut rows {
        // A connector that was removed will not make a twin any more.
        row.connector
            .take_if(|name| !linked.iter().any(|connector| connector.name() == name));
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok((rows, more))
}

/// Reads one incident; a deleted one is not there.
pub(super) fn detail(
    tx: &mut Tx<'_>,
    number: IncidentNumber,
) -> Result<Option<Detail>, StoreError> {
    let Some(row) = incidents::find(tx, number)?.filter(|row| !row.deleted) else {
        return Ok(None);
    };
    let connector = match &row.connector {
        Some(name) => connector::load(tx, name)?,
        None => None,
    };
    let Some(mut story) = record::story(tx, number, connector.as_ref())? else {
        return Ok(None);
    };
    if hides_emails(tx)? {
        hide_emails(&mut story);
    }
    let mut found = Vec::new();
    for (part, service) in parts::of(number, &story) {
        found.extend(detail(tx, part)?.map(|part| (service, part)));
    }
    let mut held = conflicts::pending_of(tx, number)?;
    held.retain(|row| row.conflict.verdict.is_none());
    let highest = match &row.connector {
        Some(name) => directory::highest_priorities(tx, name)?,
        None => Vec::new(),
    };
    Ok(Some(Detail {
        major: story.is_major(&highest) || found.iter().any(|(_, part)| part.major),
        parts: found,
        held,
        unlinked: row.connector.is_some() && connector.is_none(),
        hears: connector
            .as_ref()
            .is_some_and(|connector| connector.mapping.direction.receives()),
        elsewhere: connector
            .filter(|connector| !named::is_on_its_own(connector, &story))
            .and(story.service.clone()),
        owed: outbox::of_incident(tx, number)?,
        said: history(tx, number)?,
        merged_into: merges::merged_into(tx, number)?,
        target: due::of(&row, &due::targets(tx)?).copied(),
        row,
        story,
    }))
}

/// The users of PagerDuty's whom an incident can be given to, by id, with their names.
pub(super) fn people(
    tx: &mut Tx<'_>,
    detail: &Detail,
) -> Result<Vec<(String, String)>, StoreError> {
    let parts = detail.parts.iter().map(|(_, part)| part);
    let mut linked = std::iter::once(detail)
        .chain(parts)
        .filter(|one| !one.unlinked);
    let Some(connector) = linked.find_map(|one| one.row.connector.as_ref()) else {
        return Ok(Vec::new());
    };
    let mut latest = BTreeMap::new();
    // Oldest first, so the last row of a user is how they are now.
    for row in things::of_kind(tx, things::Kind::User)? {
        if row.connector == *connector {
            latest.insert(row.id.clone(), row);
        }
    }
    let now = latest.into_values().filter(|row| row.until.is_none());
    let mut people: Vec<(String, String)> = now
        .map(|row| (row.id.clone(), row.name.unwrap_or(row.id)))
        .collect();
    people.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    Ok(people)
}
