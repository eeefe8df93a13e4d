//! Repair: what webhooks did not tell is read.
//!
//! PagerDuty cannot be asked "what changed since". So a run reads the account's log from where
//! it is known (with an overlap, since entries appear late), then the open incidents, then every
//! incident that we hold for open and that was not among them. It works alone, without any
//! webhook, and it works after any gap.
//!
//! Invariants
//! - One run at a time for a connector, one step at a time, each under a lease (S26).
//! - Oldest first; the cursor moves only after what it covers is stored (S25).
//! - A list that PagerDuty cuts at 10,000 rows is split by time, and what cannot be split is
//!   said (S76).

mod log;
mod open;

use im_core::{IncidentNumber, Peer, PeerStatus, Story};
use im_pagerduty::{Answer, Call, IncidentRead, Listing, Outcome, Subscription, Walk, Why};
use im_store::connectors::{ConnectorRow, State};
use im_store::repair::{self, Found, RunRow};
use im_store::{Cause, StoreError, Tx, connectors, incidents};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::connector::Connector;
use crate::directory::{self, List};
use crate::read::{self, Applied};
use crate::settle::{self, Settled, remember_users};
use crate::{services, subscription};

/// The first run looks back so far for changes; open incidents come whatever their age.
const FIRST_LOOK: SignedDuration = SignedDuration::from_hours(24);
/// Entries may appear late, and clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// A clock of ours that is behind must not cut off the newest entries.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// Where comparisons are rarer than this, the webhook subscription is looked at between them:
/// anybody may change it at PagerDuty, and nothing tells us.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Why a run is made that looks at the subscription and at nothing else.
const LOOK: &str = "look";
/// While a run waits for incidents to be read, it looks again after this time.
const WAIT: SignedDuration = SignedDuration::from_millis(500);
/// Why a run is made that a person asked for: everything is compared.
const ASKED: &str = "asked";

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// From where the log is to be read.
    since: Timestamp,
    /// When the run began: the log is known up to here once it is read.
    cursor: Timestamp,
    /// How far the log is read.
    walk: Option<Walk>,
    /// What comes next.
    phase: Phase,
    /// What cannot be complete.
    incomplete: Vec<String>,
    /// Whether anything could be read at all.
    #[serde(default)]
    has_read: bool,
    /// Whether only the subscription is looked at, unless that says that webhooks are missing.
    #[serde(default)]
    is_look: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// Is our webhook subscription switched on?
    Subscription,
    /// It was off: switch it on before anything else is missed.
    Enable,
    Users {
        offset: u32,
    },
    /// The other lists of people and things.
    Directory {
        list: List,
        offset: u32,
    },
    Log,
    Open {
        offset: u32,
    },
    /// Incidents that we hold for open and that were not listed.
    Unseen,
    /// Until every single incident that was asked for is read.
    Wait,
}

/// Asks for a run now: because of a person, a gap or a doubt.
pub fn request_sync(
    tx: &mut Tx<'_>,
    connector: &str,
    cause: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if cause == ASKED {
        directory::read_anew(tx, connector)?;
    }
    connectors::hurry_sync(tx, connector, now, cause)
}

/// The next call of the run under way; starts one when it is due.
pub(crate) fn step(
    tx: &mut Tx<'_>,
    connector: &Connector,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Option<(i64, Call)>, StoreError> {
    if repair::next_due(tx, connector.name())?.is_some_and(|at| at > now) {
        return Ok(None);
    }
    let run = match repair::unfinished(tx, connector.name())? {
        Some(run) => run,
        None if connector.row.next_sync_at <= now => start(tx, connector, now)?,
        None => return Ok(None),
    };
    let Some(run) = repair::claim(tx, run.id, lease_until, now)? else {
        return Ok(None);
    };
    let mut progress = progress(&run)?;
    // Steps that need no call are taken at once.
    loop {
        if let Some(call) = call(connector, &mut progress) {
            repair::keep(tx, run.id, &json(&progress))?;
            return Ok(Some((run.id, call)));
        }
        match progress.phase {
            Phase::Subscription | Phase::Enable => {
                progress.phase = lists(tx, connector.name(), &progress, now)?;
            }
            Phase::Users { .. } | Phase::Directory { .. } => progress.phase = Phase::Log,
            Phase::Log => progress.phase = Phase::Open { offset: 0 },
            Phase::Open { .. } => progress.phase = Phase::Unseen,
            Phase::Unseen => {
                open::want_unseen(tx, connector, run.id, now)?;
                progress.phase = Phase::Wait;
            }
            Phase::Wait if repair::wanted_of_run(tx, connector.name(), run.id)? > 0 => {
                repair::advance(tx, run.id, &json(&progress), now + WAIT)?;
                return Ok(None);
            }
            Phase::Wait if progress.is_look => {
                finish_look(tx, run.id, &progress, now)?;
                return Ok(None);
            }
            // What did not fit into one step comes in the next.
            Phase::Wait if open::want_unseen(tx, connector, run.id, now)? => {}
            Phase::Wait => {
                finish(tx, connector, &run, &progress, now)?;
                return Ok(None);
            }
        }
    }
}

fn start(tx: &mut Tx<'_>, connector: &Connector, now: Timestamp) -> Result<RunRow, StoreError> {
    let since = match connector.row.log_cursor {
        Some(cursor) => cursor - OVERLAP,
        None => now - FIRST_LOOK,
    };
    let since = connector
        .row
        .gap
        .filter(|gap| gap.to.is_none())
        .map_or(since, |gap| since.min(gap.from - OVERLAP));
    let progress = Progress {
        since,
        cursor: now,
        walk: None,
        phase: Phase::Subscription,
        incomplete: Vec::new(),
        has_read: false,
        is_look: connector.row.sync_cause == LOOK,
    };
    let id = repair::start(
        tx,
        connector.name(),
        &connector.row.sync_cause,
        &json(&progress),
        now,
    )?;
    let (next, why) = next_run(connector, progress.is_look, now);
    connectors::schedule_sync(tx, connector.name(), next, why)?;
    repair::find(tx, id)?.ok_or(StoreError::Stale)
}

/// When the next run is due, and whether it only looks at the subscription.
fn next_run(connector: &Connector, is_look: bool, now: Timestamp) -> (Timestamp, &'static str) {
    let interval = connector.config.sync_interval;
    let whole = match connector.row.last_sync_at {
        _ if !is_look => now + interval,
        Some(compared) => compared + interval,
        // What was never compared is not put off by looks.
        None => now,
    };
    let look = now + LOOK_EVERY;
    let has_webhook = connector.mapping.direction.receives() && connector.hears();
    if has_webhook && look < whole {
        (look, LOOK)
    } else {
        (whole.max(now), "interval")
    }
}

/// The call of the current phase; `None` where the phase has none to make.
fn call(connector: &Connector, progress: &mut Progress) -> Option<Call> {
    let receives = connector.mapping.direction.receives();
    let held = || {
        connector
            .row
            .subscription
            .clone()
            .filter(|_| receives && connector.config.enable_webhook)
    };
    match progress.phase {
        Phase::Subscription => held().map(|id| Call::ReadSubscription { id }),
        Phase::Enable => held().map(|id| Call::EnableSubscription { id }),
        Phase::Users { offset } => Some(List::Users.call(offset)),
        Phase::Directory { list, offset } => Some(list.call(offset)),
        Phase::Log if receives => {
            let (since, until) = (progress.since, progress.cursor + AHEAD);
            progress
                .walk
                .get_or_insert_with(|| Walk::new(Listing::LogEntries, since, until))
                .call()
        }
        Phase::Open { offset } if receives => Some(Call::ListOpenIncidents { offset }),
        Phase::Log | Phase::Open { .. } | Phase::Unseen | Phase::Wait => None,
    }
}

/// What became of a step.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: i64,
    settled: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(row) = repair::find(tx, run)?.filter(|row| row.finished_at.is_none()) else {
        return Ok(());
    };
    let mut progress = progress(&row)?;
    // An answer that comes after its lease is about a step that somebody else has done (S26).
    if call(connector, &mut progress).as_ref() != Some(&settled.planned.call) {
        return Ok(());
    }
    match &settled.outcome {
        Outcome::Done(answer) => {
            progress.has_read = true;
            let at = settled.planned.at;
            advance(tx, connector, &row, &mut progress, (answer, at), now)?;
        }
        Outcome::Wait { .. } | Outcome::Unclear(_) => {
            let again = now + settle::pause(tx, &settled.outcome, row.attempt);
            return repair::postpone(tx, run, again);
        }
        Outcome::Refused(refusal)
            if refusal.why == Why::WindowTooLarge && progress.phase == Phase::Log =>
        {
            log::too_large(&mut progress);
        }
        Outcome::Gone | Outcome::Refused(_) => {
            if let Outcome::Refused(refusal) = &settled.outcome
                && refusal.why == Why::BadKey
            {
                repair::finish(tx, run, Some(&refusal.to_string()), now)?;
                return Ok(());
            }
            skip(tx, connector, &row, &mut progress, &settled.outcome, now)?;
        }
    }
    repair::advance(tx, run, &json(&progress), pace(settled, now))
}

/// Half of the allowance is for people: below that, repair waits for the next window (S84).
fn pace(settled: &Settled, now: Timestamp) -> Timestamp {
    match (
        settled.limits.limit,
        settled.limits.remaining,
        settled.limits.reset_s,
    ) {
        (Some(limit), Some(remaining), Some(reset)) if remaining < limit / 2 => {
            now + SignedDuration::from_secs(i64::from(reset))
        }
        _ => now,
    }
}

/// A step that this key or plan does not allow: the run goes on without it and says so.
fn skip(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: &RunRow,
    progress: &mut Progress,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = connector.name();
    if let Phase::Directory { list, .. } = progress.phase {
        // Incidents can do without, so the run is none the less complete.
        directory::refused(tx, name, list, (run.id, run.started_at), outcome)?;
        progress.phase = list_after(tx, name, list, now)?;
        return Ok(());
    }
    let why = match outcome {
        Outcome::Refused(refusal) => refusal.to_string(),
        _ => "PagerDuty does not have it (HTTP 404): is `base_url` right?".to_owned(),
    };
    let (what, next) = match progress.phase {
        Phase::Subscription | Phase::Enable => {
            if matches!(outcome, Outcome::Gone) {
                connectors::open_gap(tx, connector.name(), known_until(&connector.row))?;
                progress.is_look = false;
                subscription::is_gone(tx, connector.name())?;
                connectors::set_webhook(
                    tx,
                    connector.name(),
                    None,
                    &connector.row.webhook_secrets,
                )?;
            } else if progress.phase == Phase::Enable {
                subscription::is_given_up(tx, name)?;
            }
            ("the webhook subscription", lists(tx, name, progress, now)?)
        }
        Phase::Users { .. } => {
            directory::refused(tx, name, List::Users, (run.id, run.started_at), outcome)?;
            ("the users", list_after(tx, name, List::Users, now)?)
        }
        Phase::Log => ("the log", Phase::Open { offset: 0 }),
        Phase::Open { .. } => ("the open incidents", Phase::Unseen),
        Phase::Directory { .. } | Phase::Unseen | Phase::Wait => ("single incidents", Phase::Wait),
    };
    tracing::warn!(
        connector = connector.name(),
        "repair could not read {what}: {why}"
    );
    progress.incomplete.push(format!("{what}: {why}"));
    progress.phase = next;
    Ok(())
}

fn advance(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: &RunRow,
    progress: &mut Progress,
    (answer, at): (&Answer, Timestamp),
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = connector.name();
    progress.phase = match (progress.phase, answer) {
        (Phase::Subscription, Answer::Subscription(subscription)) => {
            checked(tx, connector, progress, subscription, now)?
        }
        (Phase::Enable, _) => {
            subscription::is_on_again(tx, name, now)?;
            lists(tx, name, progress, now)?
        }
        (Phase::Users { offset }, Answer::Users(page)) => {
            remember_users(tx, name, &page.items)?;
            let place = (List::Users, offset);
            let next = directory::page(tx, name, place, (run.id, run.started_at), answer, at)?;
            match next {
                Some(offset) => Phase::Users { offset },
                None => list_after(tx, name, List::Users, now)?,
            }
        }
        (Phase::Directory { list, offset }, answer) => {
            let place = (list, offset);
            let next = directory::page(tx, name, place, (run.id, run.started_at), answer, at)?;
            match next {
                Some(offset) => Phase::Directory { list, offset },
                None => list_after(tx, name, list, now)?,
            }
        }
        (Phase::Log, Answer::LogEntries(page)) => {
            log::page(tx, connector, run, &page.items, now)?;
            log::next(tx, connector, progress, page)?
        }
        (Phase::Open { .. }, Answer::Incidents(page)) => {
            open::page(tx, connector, run, &page.items, now)?;
            open::next(progress, page)
        }
        (_, _) => {
            progress
                .incomplete
                .push("an answer made no sense".to_owned());
            Phase::Wait
        }
    };
    Ok(())
}

/// Until when nothing of a connector was missed: its webhook was heard, or a comparison was made.
fn known_until(row: &ConnectorRow) -> Timestamp {
    let known = row.last_heard_at.max(row.last_sync_at);
    known.unwrap_or(row.created_at)
}

/// Whether PagerDuty still sends; if it gave up on us, what it discarded is never sent again
/// (S02), so the log is read from where it was known last.
fn checked(
    tx: &mut Tx<'_>,
    connector: &Connector,
    progress: &mut Progress,
    told: &Subscription,
    now: Timestamp,
) -> Result<Phase, StoreError> {
    let (name, sends) = (connector.name(), connector.mapping.direction.sends());
    let known = subscription::wrong(tx, name)?.unwrap_or_default();
    let off = subscription::look(tx, name, told, sends)?;
    if told.temporarily_disabled || !told.active {
        let from = known_until(&connector.row);
        connectors::open_gap(tx, name, from)?;
        progress.since = progress.since.min(from - OVERLAP);
        // A look that finds what was off before need not hurry: comparisons come as ever.
        progress.is_look &= subscription::is_off(Some(&known));
    }
    progress.incomplete.extend(off);
    if told.temporarily_disabled && sends {
        Ok(Phase::Enable)
    } else {
        lists(tx, name, progress, now)
    }
}

/// The lists of people and things, unless they were read lately; a look reads none. The users are
/// tried each time where they could not be read.
fn lists(
    tx: &mut Tx<'_>,
    connector: &str,
    progress: &Progress,
    now: Timestamp,
) -> Result<Phase, StoreError> {
    if progress.is_look {
        return Ok(Phase::Wait);
    }
    let known = directory::is_fresh(tx, connector, now)? && !directory::lacks_users(tx, connector)?;
    Ok(if known {
        Phase::Log
    } else {
        Phase::Users { offset: 0 }
    })
}

/// What comes after a list of people and things.
fn list_after(
    tx: &mut Tx<'_>,
    connector: &str,
    list: List,
    now: Timestamp,
) -> Result<Phase, StoreError> {
    match list.next() {
        Some(list) if !directory::is_fresh(tx, connector, now)? => {
            Ok(Phase::Directory { list, offset: 0 })
        }
        Some(_) => Ok(Phase::Log),
        None => {
            directory::is_read(tx, connector, now)?;
            Ok(Phase::Log)
        }
    }
}

/// Whether PagerDuty's incident is over, and nobody has looked at it since.
pub(crate) fn ended_unseen(story: &Story) -> bool {
    story.peer.as_ref().is_some_and(seen_before_its_end)
}

/// The same of what PagerDuty shows.
pub(crate) fn seen_before_its_end(peer: &Peer) -> bool {
    peer.status == PeerStatus::Resolved
        && peer
            .status_at
            .is_some_and(|at| peer.version.as_second() < at.as_second())
}

/// Applies a read and counts what it did for `run` (0: for nobody).
pub(crate) fn counted(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: i64,
    read: &IncidentRead,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    let read::Found { applied, missed } = read::apply(tx, connector, read, now)?;
    let mut found = Found::default();
    match applied {
        Applied::Created => found.created = 1,
        Applied::Updated => found.updated = 1,
        Applied::Unchanged => found.unchanged = 1,
    }
    let differs = applied != Applied::Unchanged && missed;
    if differs && connector.hears() && connector.row.last_sync_at.is_some() {
        found.repaired = 1;
        connectors::add_repaired(tx, connector.name(), 1)?;
    }
    if run > 0 {
        repair::count(tx, run, found)?;
    }
    Ok(applied)
}

/// An incident that a run asked for cannot be read.
pub(crate) fn count_failed(tx: &mut Tx<'_>, run: i64) -> Result<(), StoreError> {
    if run <= 0 {
        return Ok(());
    }
    repair::count(
        tx,
        run,
        Found {
            failed: 1,
            ..Found::default()
        },
    )
}

/// A look compares nothing, so nothing is up to date by it.
fn finish_look(
    tx: &mut Tx<'_>,
    run: i64,
    progress: &Progress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let message = progress.incomplete.join("; ");
    let message = (!message.is_empty()).then_some(message.as_str());
    repair::finish(tx, run, message, now)
}

fn finish(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: &RunRow,
    progress: &Progress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let gaps = progress.walk.as_ref().map_or(&[][..], Walk::gaps);
    let cut = gaps.iter().map(|gap| {
        format!(
            "log entries from {} to {} could not all be read",
            gap.since, gap.until
        )
    });
    let incomplete: Vec<String> = progress.incomplete.iter().cloned().chain(cut).collect();
    let message = (!incomplete.is_empty()).then(|| incomplete.join("; "));
    let name = connector.name();
    if let Some(why) = message.as_deref().filter(|_| !progress.has_read) {
        // Whatever answers there, it is not PagerDuty, or nothing of it is for this key.
        let until = connector.row.blocked_until;
        connectors::set_state(tx, name, State::Failing, Some(why), until)?;
        return repair::finish(tx, run.id, Some(why), now);
    }
    connectors::close_gap(tx, name, now)?;
    connectors::synced(tx, name, now)?;
    services::adopt_deployments(tx)?;
    repair::finish(tx, run.id, message.as_deref(), now)?;
    if let Some(found) = repair::find(tx, run.id)?
        .map(|run| run.found)
        .filter(|found| found.repaired > 0)
    {
        tracing::warn!(
            connector = name,
            repaired = found.repaired,
            "repair found what webhooks did not tell"
        );
    }
    Ok(())
}

/// When a connector's repair has something to do.
pub(crate) fn next_due(
    tx: &mut Tx<'_>,
    connector: &Connector,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    if let Some(running) = repair::next_due(tx, connector.name())? {
        return Ok(Some(running));
    }
    if connector.row.next_sync_at > now {
        return Ok(Some(connector.row.next_sync_at));
    }
    // Read anew: a run that needed no call has begun and ended since the connector was read.
    let row = connectors::find(tx, connector.name())?;
    Ok(row.map(|row| row.next_sync_at))
}

/// Reads one of our incidents again, and its log. `false` if PagerDuty does not have it.
pub fn request_reread(
    tx: &mut Tx<'_>,
    connector: &str,
    incident: IncidentNumber,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let twin = incidents::find(tx, incident)?.and_then(|row| row.pd_id);
    if let Some(id) = &twin {
        repair::want(tx, connector, id, 0, true, now)?;
    }
    Ok(twin.is_some())
}

fn progress(run: &RunRow) -> Result<Progress, StoreError> {
    serde_json::from_str(&run.progress).map_err(|error| StoreError::Corrupt {
        place: format!("the progress of sync run {}", run.id),
        source: Cause::new(error),
    })
}

fn json(progress: &Progress) -> String {
    serde_json::to_string(progress).expect("our own types have text keys and cannot fail")
}
