//! What changed about a connector that people should hear of: kept in its timeline, said in the
//! log, and told to the webhook of the settings.
//!
//! Invariants
//! - What was said last is the last event, so a change is said once, whoever looks how often.
//! - How something is when it is first looked at is no change unless it is bad.
//! - The webhook is told at least once and in order, one event after the other; it tells repetitions
//!   apart by the event's number. Another address hears nothing that is older than it.

use im_store::connector_events::{self as rows, Change, EventRow, Kind, Telling};
use im_store::{StoreError, Tx, settings};
use jiff::{SignedDuration, Timestamp};

/// The setting that holds the address of the webhook.
pub const NOTIFY_URL: &str = "notify_url";

/// How long telling may take before an event is taken up again.
const LEASE: SignedDuration = SignedDuration::from_mins(1);
/// The first wait after a failure, doubled each time …
const WAIT: SignedDuration = SignedDuration::from_secs(30);
/// … until the event is so old: then it is given up. The next ones wait for it.
const TELL_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Waits are doubled so often at most.
const DOUBLED_MAX: u32 = 3;

/// How something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What is looked at.
    pub kind: Kind,
    /// The incident that is looked at, `INC-7`; empty for the connector itself.
    pub subject: String,
    /// How it is.
    pub word: &'static str,
    /// How it is while nothing is wrong.
    pub good: &'static str,
    /// Why it is so.
    pub reasons: Vec<String>,
    /// What to do.
    pub next: Option<String>,
}

/// Whether that is another word than was said last.
pub fn is_news(tx: &mut Tx<'_>, connector: &str, standing: &Standing) -> Result<bool, StoreError> {
    Ok(said(tx, connector, standing)? != standing.word)
}

fn said(tx: &mut Tx<'_>, connector: &str, standing: &Standing) -> Result<String, StoreError> {
    let said = rows::last_word(tx, connector, standing.kind, &standing.subject)?;
    Ok(said.unwrap_or_else(|| standing.good.to_owned()))
}

/// Keeps that something was bad and that we put it right, between two looks of whoever says how it is: that stays as
/// it was said last.
pub fn put_right(
    tx: &mut Tx<'_>,
    connector: &str,
    standing: &Standing,
    was: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let to = said(tx, connector, standing)?;
    keep(tx, connector, standing, (was.to_owned(), to), now)
}

/// Keeps a change and says it in the log; what was said already is none.
pub fn note(
    tx: &mut Tx<'_>,
    connector: &str,
    standing: &Standing,
    now: Timestamp,
) -> Result<(), StoreError> {
    let from = said(tx, connector, standing)?;
    if from == standing.word {
        return Ok(());
    }
    let change = (from, standing.word.to_owned());
    keep(tx, connector, standing, change, now)
}

fn keep(
    tx: &mut Tx<'_>,
    connector: &str,
    standing: &Standing,
    (from, to): (String, String),
    now: Timestamp,
) -> Result<(), StoreError> {
    let change = Change {
        kind: standing.kind,
        subject: standing.subject.clone(),
        from,
        to,
        reasons: standing.reasons.clone(),
        next: standing.next.clone(),
    };
    let telling = match notify_url(tx)? {
        Some(_) => Telling::Waiting,
        None => Telling::Kept,
    };
    rows::insert(tx, connector, &change, telling, now)?;
    let (kind, text) = (change.kind.as_str(), text(connector, &change));
    if standing.word == standing.good {
        tracing::info!(connector, event.kind = kind, "{text}");
    } else {
        let next = standing.next.as_deref().unwrap_or_default();
        tracing::warn!(connector, event.kind = kind, next, "{text}");
    }
    Ok(())
}

/// A change for people, in one line.
pub fn text(connector: &str, change: &Change) -> String {
    let Change {
        kind,
        subject,
        from,
        to,
        ..
    } = change;
    let what = match kind {
        Kind::Health => format!("connector {connector} is {to} (was {from})"),
        Kind::Webhook => format!("the webhook of connector {connector} is {to} (was {from})"),
        Kind::Silence => format!("the webhook of connector {connector} is {to} (was {from})"),
        Kind::Usage => {
            format!("connector {connector}: its use of the API is {to} (was {from})")
        }
        Kind::Unowned => format!("{subject} is {to} (was {from})"),
        Kind::Notify => format!("connector {connector}: an event {to}"),
    };
    match change.reasons.as_slice() {
        [] => what,
        reasons => format!("{what}: {}", reasons.join("; ")),
    }
}

/// Where events are told; `None`: nowhere.
pub fn notify_url(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    Ok(settings::get(tx, NOTIFY_URL)?.filter(|url| !url.is_empty()))
}

/// Has events told at `url` from now on; an empty one: nowhere.
pub fn notify_at(tx: &mut Tx<'_>, url: &str) -> Result<(), StoreError> {
    if notify_url(tx)?.unwrap_or_default() != url {
        rows::keep_waiting(tx)?;
    }
    settings::put(tx, NOTIFY_URL, url)
}

/// Takes what is to be told next, and says where.
pub fn claim_next(
    tx: &mut Tx<'_>,
    now: Timestamp,
) -> Result<Option<(String, EventRow)>, StoreError> {
    let Some(url) = notify_url(tx)? else {
        return Ok(None);
    };
    let row = rows::claim_next(tx, now + LEASE, now)?;
    Ok(row.map(|row| (url, row)))
}

/// Why the webhook did not take an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untaken {
    /// In words.
    pub why: String,
    /// Whether it would say the same again.
    pub is_final: bool,
}

/// Records what the webhook said to an event.
pub fn settle(
    tx: &mut Tx<'_>,
    row: &EventRow,
    answer: &Result<(), Untaken>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Err(Untaken { why, is_final }) = answer else {
        rows::settle(tx, row, Telling::Told, now, None)?;
        return Ok(());
    };
    if !is_final && now.duration_since(row.at) < TELL_FOR {
        let wait = WAIT * (1 << row.attempt.saturating_sub(1).min(DOUBLED_MAX));
        rows::settle(tx, row, Telling::Waiting, now + wait, Some(why))?;
        return Ok(());
    }
    if !rows::settle(tx, row, Telling::GivenUp, now, Some(why))? {
        return Ok(());
    }
    let lost = Change {
        kind: Kind::Notify,
        subject: String::new(),
        from: row.change.to.clone(),
        to: "could not be told".to_owned(),
        reasons: vec![format!("{}: {why}", text(&row.connector, &row.change))],
        next: Some("does the webhook of `notify_url` take a POST with JSON?".to_owned()),
    };
    tracing::warn!(connector = row.connector, "{}", text(&row.connector, &lost));
    rows::insert(tx, &row.connector, &lost, Telling::Kept, now)
}
