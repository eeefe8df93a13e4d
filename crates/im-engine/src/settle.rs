//! What was answered becomes facts; what was not is tried again, or parked for a person.

use im_core::{Effect, Fact, PeerStatus, retry};
use im_pagerduty::{
    Answer, Call, IncidentRead, Limits, Note, Outcome, Refusal, User, WaitReason, Why, note_mark,
};
use im_store::connectors::{self, ConnectorRow, State};
use im_store::outbox::{self as rows, OutboxRow};
use im_store::people::{self, UserRow};
use im_store::{StoreError, Tx, incidents, repair, tallies};
use jiff::{SignedDuration, Timestamp};

use crate::connector::{self, Connector};
use crate::plan::{Planned, Ticket};
use crate::read::{self, Applied};
use crate::record::{self, record};
use crate::{answered, backfill, batch, early, figures, inbox, outbox, reconcile, skew};

/// A call that was answered, or not.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The call.
    pub planned: Planned,
    /// What became of it.
    pub outcome: Outcome,
    /// What the answer said about our allowance.
    pub limits: Limits,
}

/// How long a connector whose key is refused is left alone.
pub(crate) const AUTH_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// With so few calls left in PagerDuty's window, we wait for the next.
const SPARE_MAX: u32 = 20;
/// A row that was refused as a repeat so often is not understood: a person must look.
const CONFUSED_AFTER: u32 = 8;

/// Records what became of a call.
pub fn settle(tx: &mut Tx<'_>, settled: &Settled, now: Timestamp) -> Result<(), StoreError> {
    let Some(connector) = connector::load(tx, &settled.planned.connector)? else {
        return Ok(());
    };
    account(tx, &connector, settled, now)?;
    match &settled.planned.ticket {
        Ticket::Send(row) | Ticket::Check(row) => match rows::find(tx, *row)? {
            Some(row) => settle_row(tx, &connector, &row, settled, now),
            None => Ok(()),
        },
        Ticket::SendTogether(rows) => batch::settle(tx, &connector, rows, settled, now),
        Ticket::Run(run) => reconcile::settle(tx, &connector, *run, settled, now),
        Ticket::Backfill => backfill::settle(tx, &connector, settled, now),
        Ticket::Wanted => settle_wanted(tx, &connector, settled, now),
    }
}

/// Keeps the connector's state and counts.
fn account(
    tx: &mut Tx<'_>,
    connector: &Connector,
    settled: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = connector.name();
    tallies::add(tx, name, "calls", 1, now)?;
    skew::note(tx, name, &settled.limits, settled.planned.at, now)?;
    figures::allowance(tx, name, &settled.limits, now)?;
    let row = &connector.row;
    let set = |tx: &mut Tx<'_>, state: State, reason: Option<&str>, until: Timestamp| {
        set_state(tx, connector, state, reason, until)
    };
    match &settled.outcome {
        // Any server says that it does not have something.
        Outcome::Gone => set(
            tx,
            row.state,
            row.state_reason.as_deref(),
            spent(&settled.limits, now),
        ),
        Outcome::Done(_) => {
            // A read proves nothing about a key that may not write.
            let proves = row.state != State::Limited || settled.planned.call.is_write();
            // It proves that the key is good, and nothing about a limit that another call met.
            let blocked = Some(row.blocked_until).filter(|_| row.state != State::AuthFailed);
            let until = spent(&settled.limits, now).max(blocked.unwrap_or_default());
            if let Some(reason) = unreached(row) {
                rows::hurry(tx, name, reason, now)?;
            }
            match (proves, &row.state_reason) {
                (true, _) => set(tx, State::Active, None, until),
                (false, reason) => set(tx, row.state, reason.as_deref(), until),
            }
        }
        Outcome::Wait { after_ms, why } => account_wait(tx, connector, *after_ms, *why, now),
        Outcome::Unclear(what) => {
            tallies::add(tx, name, "errors", 1, now)?;
            if settled.planned.call.is_write() {
                return Ok(());
            }
            let why = format!("{what}: is `base_url` right?");
            set(tx, State::Failing, Some(&why), row.blocked_until)
        }
        Outcome::Refused(refusal) => {
            tallies::add(tx, name, "errors", 1, now)?;
            match refusal.why {
                Why::BadKey => set(
                    tx,
                    State::AuthFailed,
                    Some(&refusal.to_string()),
                    now + AUTH_PAUSE,
                ),
                Why::ReadOnly | Why::Forbidden if settled.planned.call.is_write() => set(
                    tx,
                    State::Limited,
                    Some(&refusal.to_string()),
                    Timestamp::UNIX_EPOCH,
                ),
                _ => Ok(()),
            }
        }
    }
}

/// Why PagerDuty could not be reached until now: what waits for that alone need not wait longer.
fn unreached(row: &ConnectorRow) -> Option<&str> {
    let reasons = [WaitReason::Unreachable, WaitReason::Tls, WaitReason::Dns];
    row.state_reason
        .as_deref()
        .filter(|_| row.state == State::Failing)
        .filter(|reason| reasons.iter().any(|why| why.to_string() == *reason))
}

fn set_state(
    tx: &mut Tx<'_>,
    connector: &Connector,
    state: State,
    reason: Option<&str>,
    until: Timestamp,
) -> Result<(), StoreError> {
    let row = &connector.row;
    let is_so = row.state == state && row.state_reason.as_deref() == reason;
    if is_so && row.blocked_until >= until {
        return Ok(());
    }
    connectors::set_state(tx, connector.name(), state, reason, until)
}

/// A call that has to wait says something of the connector, unless only its incident is busy.
fn account_wait(
    tx: &mut Tx<'_>,
    connector: &Connector,
    after_ms: Option<u64>,
    why: WaitReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = &connector.row;
    let errors = i64::from(why != WaitReason::RateLimited);
    tallies::add(tx, connector.name(), "errors", errors, now)?;
    match why {
        WaitReason::RateLimited => {
            let wait = after_ms.unwrap_or_else(|| retry::wait_ms(2, tx.random_u64()));
            let until = now + millis(wait.saturating_add(tx.random_u64() % 250));
            set_state(tx, connector, row.state, row.state_reason.as_deref(), until)
        }
        WaitReason::Locked => Ok(()),
        WaitReason::Server | WaitReason::Unreachable | WaitReason::Tls | WaitReason::Dns => {
            let reason = why.to_string();
            set_state(
                tx,
                connector,
                State::Failing,
                Some(&reason),
                row.blocked_until,
            )
        }
    }
}

/// Until when nothing is to be sent, where an answer says that the allowance is used up (S83).
/// The last few are left to the calls that are under way.
fn spent(limits: &Limits, now: Timestamp) -> Timestamp {
    let spare = limits
        .limit
        .map_or(SPARE_MAX, |limit| SPARE_MAX.min(limit / 10));
    match (limits.remaining, limits.reset_s) {
        (Some(remaining), Some(reset)) if remaining <= spare => {
            now + SignedDuration::from_secs(i64::from(reset))
        }
        _ => Timestamp::UNIX_EPOCH,
    }
}

/// How long to leave alone what could not be done now: as long as PagerDuty says, else longer each time.
pub(crate) fn pause(tx: &mut Tx<'_>, outcome: &Outcome, attempt: u32) -> SignedDuration {
    let asked = match outcome {
        Outcome::Wait { after_ms, .. } => *after_ms,
        _ => None,
    };
    millis(asked.unwrap_or_else(|| retry::wait_ms(attempt, tx.random_u64())))
}

fn millis(wait: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(wait).unwrap_or(i64::MAX / 4))
}

/// What became of the call for a row.
pub(crate) fn settle_row(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    settled: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    match &settled.outcome {
        Outcome::Done(answer) => done(tx, connector, row, settled, answer, now),
        Outcome::Wait { why, .. } => {
            let again = now + pause(tx, &settled.outcome, row.attempt);
            // Nothing was done, so an earlier look stays as good as it was.
            rows::postpone(tx, row.id, again, Some(&why.to_string()), row.checked_at)
        }
        Outcome::Unclear(what) => {
            let again = now + pause(tx, &settled.outcome, row.attempt);
            rows::postpone(tx, row.id, again, Some(what), None)
        }
        Outcome::Gone => park(
            tx,
            connector,
            row,
            "PagerDuty has no such incident, or this key cannot see it",
            now,
        ),
        Outcome::Refused(refusal) => refused(tx, connector, row, settled, refusal, now),
    }
}

fn done(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    settled: &Settled,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let call = &settled.planned.call;
    match (&settled.planned.ticket, answer) {
        (Ticket::Check(_), Answer::Incidents(found)) => {
            for read in &found.items {
                let service = read.began_on.as_ref().or(read.snapshot.service.as_ref());
                if read::is_where_it_was_made(tx, &connector.mapping, row.incident, service)? {
                    paid_by(tx, connector, row, (read, call), now)?;
                    // It was found rather than made: others may have done something to it since.
                    let twin = &read.snapshot.id;
                    if incidents::by_twin(tx, connector.name(), twin)? == Some(row.incident) {
                        read::apply_to(tx, connector, row.incident, read, now)?;
                    }
                    return Ok(());
                }
            }
            record::refold_releasing(tx, row, connector, now)
        }
        (Ticket::Check(_), Answer::Incident(read)) if was_ours(tx, connector, row, read)? => {
            paid_by(tx, connector, row, (read, call), now)
        }
        (Ticket::Check(_), Answer::Incident(read)) => {
            read::apply_to(tx, connector, row.incident, read, now)?;
            // Still owed? Then it may go now.
            record::refold_releasing(tx, row, connector, now)
        }
        (Ticket::Check(_), Answer::Notes(notes)) => {
            let marks: Vec<String> = match &row.effect {
                Effect::Say(_) => vec![outbox::say_mark(row)],
                _ => row
                    .commands
                    .iter()
                    .map(|command| outbox::mark(command).to_owned())
                    .collect(),
            };
            let ours = |note: &&Note| {
                note_mark(&note.content).is_some_and(|mark| marks.iter().any(|m| m == mark))
            };
            match notes.items.iter().find(ours) {
                Some(note) => paid(tx, connector, row, &answered::by_note(row, note, now), now),
                None => record::refold_releasing(tx, row, connector, now),
            }
        }
        (Ticket::Send(_), Answer::Incident(read)) => sent(tx, connector, row, (read, call), now),
        (Ticket::Send(_), Answer::Fields(shown)) => {
            // Of its own clock PagerDuty tells the second, in the head of the answer.
            let at = settled.limits.date.unwrap_or(now);
            let answers = answered::by_fields(tx, connector, row, (call, shown), at)?;
            paid(tx, connector, row, &answers, now)
        }
        (Ticket::Send(_), Answer::Note(note)) => {
            paid(tx, connector, row, &answered::by_note(row, note, now), now)
        }
        _ => rows::postpone(
            tx,
            row.id,
            now + millis(retry::RETRY_WAIT_MS_MIN),
            Some("the answer makes no sense"),
            None,
        ),
    }
}

/// PagerDuty did what the row asks for by `call`, and shows the incident as it is now.
pub(crate) fn sent(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    (read, call): (&IncidentRead, &Call),
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::info!(incident.id = %row.incident, outbox.attempt = row.attempt, "PagerDuty has it: {}", row.effect.name());
    paid_by(tx, connector, row, (read, call), now)
}

/// Whether a look at the incident shows what an earlier attempt, whose answer was lost, did.
/// The same state brought about by somebody else is not ours.
fn was_ours(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    read: &IncidentRead,
) -> Result<bool, StoreError> {
    let (Effect::Status(status), true) = (&row.effect, row.attempt > 1) else {
        return Ok(false);
    };
    if read.snapshot.status != Some(*status) {
        return Ok(false);
    }
    let actor = match status {
        PeerStatus::Acknowledged => read
            .acknowledgements
            .iter()
            .max_by_key(|ack| ack.at)
            .map(|ack| &ack.by),
        PeerStatus::Triggered | PeerStatus::Resolved => read.last_status_change_by.as_ref(),
    };
    let sender = outbox::sender_id(tx, connector, row)?;
    Ok(sender.is_some() && actor.and_then(|actor| actor.id.clone()) == sender)
}

fn paid_by(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    (read, call): (&IncidentRead, &Call),
    now: Timestamp,
) -> Result<(), StoreError> {
    let holder = incidents::by_twin(tx, connector.name(), &read.snapshot.id)?;
    if let Some(other) = holder.filter(|other| *other != row.incident) {
        let why = format!("PagerDuty's incident for it is here as {other} already");
        return park(tx, connector, row, &why, now);
    }
    let mut answers = answered::by_incident(tx, row, (read, call))?;
    if row.effect == Effect::Create {
        // Severity, service and title went with it: whoever changed them since was later.
        let rest = row.commands.iter().skip(1);
        answers.extend(rest.map(|command| record::settled(command, "carried", now)));
    }
    answers.extend(no_longer_kept(tx, connector, row, &answers, now)?);
    paid(tx, connector, row, &answers, now)?;
    if row.effect == Effect::Create {
        early::look_soon(tx, connector, &read.snapshot.id, now)?;
    }
    Ok(())
}

/// What the settings kept here before went with the row: nothing of it is left to ask for.
fn no_longer_kept(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    answers: &[Fact],
    now: Timestamp,
) -> Result<Vec<Fact>, StoreError> {
    let story = record::story(tx, row.incident, Some(connector))?;
    let answered = |command: &String| {
        answers
            .iter()
            .any(|answer| answer.answers.as_ref() == Some(command))
    };
    let kept = story.into_iter().flat_map(|story| story.kept);
    Ok(kept
        .filter(|kept| row.commands.contains(&kept.command) && !answered(&kept.command))
        .map(|kept| record::settled(&kept.command, "carried", now))
        .collect())
}

/// The debt is paid: the answer is stored and the row goes, in one commit.
fn paid(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    answers: &[Fact],
    now: Timestamp,
) -> Result<(), StoreError> {
    rows::delete(tx, row.id)?;
    tallies::add(tx, connector.name(), "sent", 1, now)?;
    figures::took(tx, connector.name(), row.since, now)?;
    let reports: Vec<_> = answers.iter().cloned().map(|fact| (fact, None)).collect();
    record(tx, row.incident, Some(connector), &reports, now)?;
    Ok(())
}

fn refused(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    settled: &Settled,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let words = refusal.to_string();
    let soon = now + millis(retry::wait_ms(row.attempt, tx.random_u64()) / 4);
    match refusal.why {
        // Somebody was first, or it was our own lost call: look, then decide.
        Why::AlreadyInState | Why::DuplicateKey if row.attempt < CONFUSED_AFTER => {
            rows::postpone(tx, row.id, soon, Some(&words), None)
        }
        Why::BadKey => rows::postpone(tx, row.id, now + AUTH_PAUSE, Some(&words), None),
        Why::UnknownFrom | Why::Forbidden
            if !row.plain_from && sent_as_another(connector, &settled.planned.call) =>
        {
            rows::send_plain(tx, row.id, now)
        }
        _ => park(tx, connector, row, &words, now),
    }
}

/// Whether the call went in the name of the person who acted rather than the connector's own.
fn sent_as_another(connector: &Connector, call: &Call) -> bool {
    let (Call::CreateIncident { from, .. }
    | Call::UpdateIncident { from, .. }
    | Call::ResolveIncidents { from, .. }
    | Call::AddNote { from, .. }) = call
    else {
        return false;
    };
    !from.eq_ignore_ascii_case(&connector.config.custom.from_email)
}

fn park(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::error!(
        connector = connector.name(),
        incident.id = %row.incident,
        "PagerDuty refused `{}` for {}: {why}",
        row.effect.name(),
        row.incident
    );
    rows::park(tx, row.id, why)?;
    // A conflict may have waited for what becomes of the call.
    record::refold(tx, row.incident, Some(connector), now).map(|_| ())
}

fn settle_wanted(
    tx: &mut Tx<'_>,
    connector: &Connector,
    settled: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Call::ReadIncident { id } | Call::IncidentLogEntries { id, .. }) = &settled.planned.call
    else {
        return Ok(());
    };
    let name = connector.name();
    let Some(wanted) = repair::wanted(tx, name, id)? else {
        return Ok(());
    };
    match &settled.outcome {
        Outcome::Done(Answer::Incident(read)) => {
            let applied = reconcile::counted(tx, connector, wanted.run, read, now)?;
            if wanted.with_log || applied == Applied::Created {
                repair::want_log(tx, name, id, 0, now)
            } else {
                repair::want_no_more(tx, name, id)
            }
        }
        Outcome::Done(Answer::LogEntries(page)) => {
            let incident = incidents::by_twin(tx, name, id)?;
            if let Some(incident) = incident {
                let heard: Vec<_> = page.items.iter().collect();
                inbox::apply_together(tx, connector, incident, &heard, now)?;
            }
            let story = match incident {
                Some(incident) => record::story(tx, incident, Some(connector))?,
                None => None,
            };
            match page.next_offset {
                Some(offset) => repair::want_log(tx, name, id, offset, now),
                // The log does not say how it looked in the end.
                None if story.is_some_and(|story| reconcile::ended_unseen(&story)) => {
                    repair::want_no_more(tx, name, id)?;
                    repair::want(tx, name, id, 0, false, now)
                }
                None => early::looked(tx, &wanted, now),
            }
        }
        Outcome::Wait { .. } | Outcome::Unclear(_) if early::is_look(&wanted) => {
            repair::want_no_more(tx, name, id)
        }
        Outcome::Wait { .. } | Outcome::Unclear(_) => {
            let again = now + pause(tx, &settled.outcome, wanted.attempt);
            repair::want_later(tx, name, id, again)
        }
        Outcome::Refused(refusal) if refusal.why == Why::BadKey => {
            repair::want_later(tx, name, id, now + AUTH_PAUSE)
        }
        Outcome::Gone | Outcome::Refused(_) | Outcome::Done(_) => {
            tracing::warn!(
                connector = name,
                pagerduty.incident = id,
                "an incident cannot be read: {:?}",
                settled.outcome
            );
            reconcile::count_failed(tx, wanted.run)?;
            repair::want_no_more(tx, name, id)
        }
    }
}

/// Remembers users as they were read.
pub(crate) fn remember_users(
    tx: &mut Tx<'_>,
    connector: &str,
    users: &[User],
) -> Result<(), StoreError> {
    for user in users {
        if let Some(email) = &user.email {
            let row = UserRow {
                id: user.id.clone(),
                email: email.clone(),
                name: user.name.clone(),
            };
            people::put(tx, connector, &row)?;
        }
    }
    Ok(())
}
