//! How a connector is as far as what is stored tells, for the watch of a server: PagerDuty is not
//! asked, since comparisons ask it anyway.
//!
//! What has a kind of its own is in no other, so that one change is one event.

use im_core::Direction;
use im_engine::connector::Connector;
use im_engine::events::Standing;
use im_engine::{silence, subscription, unowned};
use im_store::connector_events::Kind;
use im_store::connectors::State as RowState;
use im_store::{StoreError, Tx};
use jiff::Timestamp;

use super::super::events;
use super::stored::{self, Known};
use super::{API, HealthLine, HealthView, KEY, WEBHOOK, judge};
use crate::http::hooks;

/// How a connector is; nothing while it is paused, or before anything is known of it.
pub(crate) fn standings(
    tx: &mut Tx<'_>,
    connector: &Connector,
    now: Timestamp,
) -> Result<Vec<Standing>, StoreError> {
    let is_new = connector.row.state == RowState::Untested;
    if is_new || connector.mapping.direction == Direction::None {
        return Ok(Vec::new());
    }
    let known = Known::read(tx, connector, now)?;
    let mut found = vec![
        health(tx, connector, &known, now)?,
        webhook(tx, connector)?,
        quiet(tx, connector, now)?,
        usage(&known),
    ];
    found.extend(unowned::standings(tx, connector)?);
    Ok(found)
}

fn health(
    tx: &mut Tx<'_>,
    connector: &Connector,
    known: &Known,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let mut lines = vec![reach(connector)];
    let hears = connector.mapping.direction.receives() && connector.config.enable_webhook;
    let bad_signatures = hooks::bad_signatures_since_good(tx, &connector.row, now)?;
    if hears && bad_signatures > 0 {
        let text = format!("{bad_signatures} deliveries with a wrong signature");
        let next = format!(
            "`im connector webhook {} --enable` makes it anew",
            connector.name()
        );
        lines.push(HealthLine::failed(WEBHOOK, text).next(next));
    }
    // Where PagerDuty does not answer, comparisons are late for that reason.
    if connector.row.state != RowState::Failing {
        lines.push(stored::sync(connector, known));
    }
    // The share of failed calls tells of a whole day: what is mended would stay ill until tomorrow.
    lines.extend(stored::warnings(connector, known));
    let HealthView { health, lines, .. } = judge(lines);
    let bad = || lines.iter().filter(|line| line.is_bad());
    Ok(Standing {
        kind: Kind::Health,
        subject: String::new(),
        word: health,
        good: "healthy",
        reasons: bad()
            .map(|line| format!("{}: {}", line.name, line.text))
            .collect(),
        next: bad().find_map(|line| line.next.clone()),
    })
}

/// What the last calls say of PagerDuty and of the key.
fn reach(connector: &Connector) -> HealthLine {
    let (name, row) = (connector.name(), &connector.row);
    let why = row.state_reason.clone();
    match row.state {
        RowState::AuthFailed => {
            let why = why.unwrap_or_else(|| "PagerDuty refuses it".to_owned());
            HealthLine::failed(KEY, why)
                .next(format!("`im connector update {name}` takes another key"))
        }
        RowState::Failing => {
            let why = why.unwrap_or_else(|| "PagerDuty does not answer".to_owned());
            HealthLine::failed(API, why)
                .next(format!("`im connector test {name}` looks for the cause"))
        }
        RowState::Untested | RowState::Active | RowState::Limited => stored::key(connector),
    }
}

fn webhook(tx: &mut Tx<'_>, connector: &Connector) -> Result<Standing, StoreError> {
    let missing = subscription::missing(tx, connector.name())?;
    let wrong = subscription::wrong(tx, connector.name())?;
    let wrong = wrong.or_else(|| events::told(&missing));
    let next = format!("`im connector webhook {} --enable`", connector.name());
    let words = (subscription::AS_MADE, "changed");
    Ok(standing(Kind::Webhook, words, wrong, next))
}

fn quiet(tx: &mut Tx<'_>, connector: &Connector, now: Timestamp) -> Result<Standing, StoreError> {
    let why = silence::unusual(tx, connector, now)?;
    let next = format!(
        "`im connector doctor {}` looks where webhooks get lost; `Send Test Event` on the webhook's page in PagerDuty tries the way",
        connector.name()
    );
    Ok(standing(Kind::Silence, ("heard", "silent"), why, next))
}

fn usage(known: &Known) -> Standing {
    let line = stored::usage(&known.figures);
    let next = line.as_ref().and_then(|line| line.next.clone());
    let why = line.map(|line| line.text);
    let words = ("usual", "unusual");
    standing(Kind::Usage, words, why, next.unwrap_or_default())
}

/// The first word while nothing is wrong, else the second.
fn standing(
    kind: Kind,
    (good, bad): (&'static str, &'static str),
    wrong: Option<String>,
    next: String,
) -> Standing {
    Standing {
        kind,
        subject: String::new(),
        word: if wrong.is_some() { bad } else { good },
        good,
        next: wrong.is_some().then_some(next),
        reasons: wrong.into_iter().collect(),
    }
}
