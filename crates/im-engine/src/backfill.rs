//! The past of an account: its incidents with everything that happened to them, once.
//!
//! First the incidents that were created in the range, then the log of the whole account, in windows
//! that PagerDuty answers whole; last, one by one, the incidents that the log tells of and no list
//! did. What is read becomes facts on the path of everything else, so reading again what is known
//! changes nothing.
//!
//! Invariants
//! - How far it is is stored in the transaction that stores what was read: cut off anywhere, it goes
//!   on without a gap.
//! - It takes a share of PagerDuty's allowance and no more, whoever takes the rest.
//! - One call at a time, and people's calls come first.
//! - What PagerDuty does not show is said, never passed over.

mod budget;
mod progress;

use im_pagerduty::{Answer, Call, Heard, IncidentRead, Listing, Outcome, WaitReason, Walk, Why};
use im_store::backfill::{self as rows, BackfillRow};
use im_store::repair::Found;
use im_store::{StoreError, Tx, incidents};
use jiff::{SignedDuration, Timestamp};

use crate::connector::Connector;
use crate::read::{self, Applied};
use crate::settle::{self, AUTH_PAUSE, Settled};
use crate::{inbox, log_page, whose};

pub use budget::SHARE_DEFAULT;
pub use progress::{Phase, State, seen};
use progress::{Progress, read as progress_of};

/// How far back it goes unless somebody says otherwise.
pub const LOOK_BACK: SignedDuration = SignedDuration::from_hours(180 * 24);
/// A step that failed so often is perhaps too much at once for PagerDuty.
const STRUGGLES: u32 = 3;

/// Begins to read what happened from `since` on, in place of an earlier reading; `share` is in
/// hundredths of PagerDuty's allowance. `false` if the connector's direction takes nothing from
/// PagerDuty.
pub fn start(
    tx: &mut Tx<'_>,
    connector: &Connector,
    since: Timestamp,
    share: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !connector.mapping.direction.receives() {
        return Ok(false);
    }
    let progress = Progress::new(share);
    rows::start(tx, connector.name(), (since, now), &progress.json(), now)?;
    Ok(true)
}

/// Begins to read the past of a connector that takes something from PagerDuty, unless it was begun
/// before.
pub fn start_first(
    tx: &mut Tx<'_>,
    connector: &Connector,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if rows::find(tx, connector.name())?.is_some() {
        return Ok(false);
    }
    start(tx, connector, now - LOOK_BACK, SHARE_DEFAULT, now)
}

/// Nobody wants the past of this connector: it counts as read.
pub fn leave_out(tx: &mut Tx<'_>, connector: &str, now: Timestamp) -> Result<(), StoreError> {
    let progress = Progress::new(SHARE_DEFAULT);
    rows::start(tx, connector, (now, now), &progress.json(), now)?;
    rows::finish(tx, connector, None, now)
}

/// The next call, if one is due.
pub(crate) fn step(
    tx: &mut Tx<'_>,
    connector: &Connector,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Option<Call>, StoreError> {
    let name = connector.name();
    let Some(row) = rows::claim(tx, name, lease_until, now)? else {
        return Ok(None);
    };
    let mut progress = progress_of(&row)?;
    if let Some(until) = progress.budget.take(now) {
        rows::advance(tx, name, &progress.json(), until)?;
        return Ok(None);
    }
    // Steps that need no call are taken at once.
    loop {
        if let Some(call) = call(tx, &row, &mut progress)? {
            rows::keep(tx, name, &progress.json())?;
            return Ok(Some(call));
        }
        let Some(phase) = progress.phase.next() else {
            finish(tx, &row, &progress, now)?;
            return Ok(None);
        };
        progress.phase = phase;
    }
}

/// When there is something to do.
pub(crate) fn next_due(
    tx: &mut Tx<'_>,
    connector: &Connector,
) -> Result<Option<Timestamp>, StoreError> {
    if connector.mapping.direction.receives() {
        rows::next_due(tx, connector.name())
    } else {
        Ok(None)
    }
}

/// The call of the current phase; `None` where it has none to make.
fn call(
    tx: &mut Tx<'_>,
    row: &BackfillRow,
    progress: &mut Progress,
) -> Result<Option<Call>, StoreError> {
    let (since, until) = (row.since, row.until);
    let walk = |walk: &mut Option<Walk>, listing| {
        walk.get_or_insert_with(|| Walk::new(listing, since, until))
            .call()
    };
    Ok(match progress.phase {
        Phase::Count => Some(Call::ListLogEntries {
            since,
            until,
            offset: 0,
        }),
        Phase::Incidents => walk(&mut progress.incidents, Listing::Incidents),
        Phase::Log => walk(&mut progress.log, Listing::History),
        Phase::Single { log_offset } => {
            let (next, count) = rows::wanted(tx, &row.connector)?;
            progress.singles = u64::try_from(count).unwrap_or_default();
            next.map(|id| match log_offset {
                None => Call::ReadIncident { id },
                Some(offset) => Call::IncidentLogEntries { id, offset },
            })
        }
    })
}

/// What became of a step.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    connector: &Connector,
    settled: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = connector.name();
    let going_on = |row: &BackfillRow| row.finished_at.is_none();
    let Some(row) = rows::find(tx, name)?.filter(going_on) else {
        return Ok(());
    };
    let mut progress = progress_of(&row)?;
    // An answer that comes after its lease is about a step that somebody else has done.
    if call(tx, &row, &mut progress)?.as_ref() != Some(&settled.planned.call) {
        return Ok(());
    }
    progress.requests += 1;
    progress.budget.spent(&settled.limits, now);
    match &settled.outcome {
        Outcome::Done(answer) => took(tx, connector, &mut progress, answer, now)?,
        Outcome::Wait { .. } | Outcome::Unclear(_) => {
            return wait(tx, &row, &mut progress, settled, now);
        }
        Outcome::Refused(refusal) if refusal.why == Why::BadKey => {
            return rows::postpone(tx, name, now + AUTH_PAUSE);
        }
        Outcome::Refused(refusal) if refusal.why == Why::WindowTooLarge => {
            if !progress.split() {
                refused(tx, &row, &mut progress, &settled.outcome)?;
            }
        }
        Outcome::Gone | Outcome::Refused(_) => {
            refused(tx, &row, &mut progress, &settled.outcome)?;
        }
    }
    progress.mark(now);
    let due_at = progress.budget.free_at(now).unwrap_or(now);
    rows::advance(tx, name, &progress.json(), due_at)
}

/// PagerDuty could not do it now. A window that it struggles with is perhaps too much.
fn wait(
    tx: &mut Tx<'_>,
    row: &BackfillRow,
    progress: &mut Progress,
    settled: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let struggles = match &settled.outcome {
        Outcome::Wait { why, .. } => *why == WaitReason::Server,
        _ => true,
    };
    if struggles && row.attempt >= STRUGGLES && progress.halve() {
        return rows::advance(tx, &row.connector, &progress.json(), now);
    }
    rows::keep(tx, &row.connector, &progress.json())?;
    let again = now + settle::pause(tx, &settled.outcome, row.attempt);
    rows::postpone(tx, &row.connector, again)
}

/// This key or plan does not give it, or it is not there: the rest goes on, and this is said.
fn refused(
    tx: &mut Tx<'_>,
    row: &BackfillRow,
    progress: &mut Progress,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    let why = match outcome {
        Outcome::Refused(refusal) => refusal.to_string(),
        _ => "PagerDuty does not have it (HTTP 404)".to_owned(),
    };
    match progress.phase {
        // Nobody knows then how much there is to do.
        Phase::Count => progress.phase = Phase::Incidents,
        Phase::Incidents => {
            progress.incomplete.push(format!("the incidents: {why}"));
            progress.phase = Phase::Log;
        }
        Phase::Log => {
            progress.incomplete.push(format!("the log: {why}"));
            progress.phase = Phase::Single { log_offset: None };
        }
        Phase::Single { .. } => {
            let found = Found {
                failed: 1,
                ..Found::default()
            };
            rows::count(tx, &row.connector, found)?;
            next_single(tx, &row.connector, progress)?;
        }
    }
    Ok(())
}

/// Stores what was answered.
fn took(
    tx: &mut Tx<'_>,
    connector: &Connector,
    progress: &mut Progress,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    match (progress.phase, answer) {
        (Phase::Count, Answer::LogEntries(page)) => {
            progress.entries = page.total;
            progress.phase = Phase::Incidents;
        }
        (Phase::Incidents, Answer::Incidents(page)) => {
            for read in &page.items {
                apply(tx, connector, read, now)?;
            }
            if let Some(walk) = &mut progress.incidents {
                progress.created = progress.created.or(page.total);
                walk.took(page, |read| read.snapshot.created_at);
            }
        }
        (Phase::Log, Answer::LogEntries(page)) => {
            entries(tx, connector, &page.items, now)?;
            if let Some(walk) = &mut progress.log {
                walk.took(page, Heard::at);
            }
        }
        (Phase::Single { .. }, Answer::Incident(read)) => {
            apply(tx, connector, read, now)?;
            progress.phase = Phase::Single {
                log_offset: Some(0),
            };
        }
        (Phase::Single { .. }, Answer::LogEntries(page)) => {
            entries(tx, connector, &page.items, now)?;
            match page.next_offset {
                Some(offset) => {
                    progress.phase = Phase::Single {
                        log_offset: Some(offset),
                    };
                }
                None => next_single(tx, connector.name(), progress)?,
            }
        }
        (phase, _) => {
            let what = phase.words();
            progress
                .incomplete
                .push(format!("an answer about {what} made no sense"));
            if let Some(next) = phase.next() {
                progress.phase = next;
            }
        }
    }
    Ok(())
}

/// The incident that was read by itself is done.
fn next_single(
    tx: &mut Tx<'_>,
    connector: &str,
    progress: &mut Progress,
) -> Result<(), StoreError> {
    let (id, _) = rows::wanted(tx, connector)?;
    if let Some(id) = id {
        rows::want_no_more(tx, connector, &id)?;
    }
    progress.phase = Phase::Single { log_offset: None };
    progress.singles_read += 1;
    Ok(())
}

fn apply(
    tx: &mut Tx<'_>,
    connector: &Connector,
    read: &IncidentRead,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut found = Found::default();
    match read::apply(tx, connector, read, now)?.applied {
        Applied::Created => found.created = 1,
        Applied::Updated => found.updated = 1,
        Applied::Unchanged => found.unchanged = 1,
    }
    rows::count(tx, connector.name(), found)
}

/// Stores what a page of a log tells, for each incident at once.
fn entries(
    tx: &mut Tx<'_>,
    connector: &Connector,
    page: &[Heard],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (pd_id, said) in log_page::by_incident(page) {
        let Some(incident) = incidents::by_twin(tx, connector.name(), pd_id)? else {
            let key = said.iter().find_map(|heard| heard.incident_key.as_deref());
            let is_ours = !log_page::is_left_out(connector, &said)
                && !whose::is_anothers(tx, connector, pd_id, key, None)?;
            if is_ours {
                rows::want(tx, connector.name(), pd_id)?;
            }
            continue;
        };
        let news = log_page::news(tx, incident, said)?;
        if !news.is_empty() {
            inbox::apply_together(tx, connector, incident, &news, now)?;
        }
    }
    Ok(())
}

fn finish(
    tx: &mut Tx<'_>,
    row: &BackfillRow,
    progress: &Progress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let cut = |what: &'static str, walk: &Option<Walk>| {
        let gaps = walk.as_ref().map_or(&[][..], Walk::gaps).to_vec();
        gaps.into_iter().map(move |gap| {
            format!(
                "{what} from {} to {} are more than PagerDuty shows",
                gap.since, gap.until
            )
        })
    };
    let incomplete: Vec<String> = progress
        .incomplete
        .iter()
        .cloned()
        .chain(cut("incidents", &progress.incidents))
        .chain(cut("log entries", &progress.log))
        .collect();
    let message = (!incomplete.is_empty()).then(|| incomplete.join("; "));
    rows::keep(tx, &row.connector, &progress.json())?;
    rows::finish(tx, &row.connector, message.as_deref(), now)?;
    tracing::info!(
        connector = row.connector,
        requests = progress.requests,
        "the past is read, from {} on",
        row.since
    );
    Ok(())
}
