//! Facts in, a new row and new debts out: the one path by which an incident changes.
//!
//! Invariants
//! - The row of an incident is always the fold of its facts, written in the same transaction; of
//!   one that has parts, it is what the facts of all of them add up to ([`parts`]).
//! - After each change the outbox holds exactly what [`im_core::owed`] says, except for rows
//!   under a lease: what is on its way is left alone and looked at again when it is settled.
//! - What the settings make of a report is decided when it is recorded, and stays: a fold does not
//!   ask for the direction of today.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use im_core::{
    Actor, Direction, Effect, Fact, IncidentNumber, Kind, Mapping, Named, Owed, Pending, Source,
    Story, fold, owed, peer_of,
};
use im_store::outbox::{self, OutboxRow};
use im_store::{StoreError, Tx, facts, incidents};
use jiff::Timestamp;

use crate::connector::{self, Connector};
use crate::{conflicts, gone, parts};

/// What recording did.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// How many facts were new.
    pub added: usize,
    /// The story now; `None` only for an incident without facts.
    pub story: Option<Story>,
}

/// Settling a debt makes a fact, which may settle another: a chain never has more links than this.
const ROUNDS_MAX: usize = 4;

/// Stores what is new among `reports` (each with its raw source) and brings everything that
/// follows up to date.
pub fn record(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: Option<&Connector>,
    reports: &[(Fact, Option<String>)],
    now: Timestamp,
) -> Result<Recorded, StoreError> {
    let notes_cross = connector.is_none_or(|connector| connector.mapping.sync_notes);
    let mut reports: Vec<_> = reports.to_vec();
    if !notes_cross {
        reports.retain(|(fact, _)| !is_their_note(fact));
        for (fact, _) in &mut reports {
            // What was said about a resolve is a note, too.
            fact.detail
                .take_if(|_| fact.kind == Kind::Resolved && fact.value.as_deref() != Some("merge"));
        }
    }
    if let Some(connector) = connector
        && is_aside(tx, connector, incident, shown_on(&reports))?
    {
        reports = reports.iter().flat_map(aside).collect();
    }
    let is_part = incident.whole().is_some();
    let before = if is_part || conflicts::may_be(tx, incident, connector, &reports)? {
        story_alone(tx, incident, connector)?
    } else {
        None
    };
    let added = facts::append(tx, incident, &reports, now)?;
    if let (Some(connector), Some(before), 1..) = (connector, &before, added) {
        conflicts::note(tx, connector, incident, before, &reports, now)?;
    }
    let story = if added == 0 {
        None
    } else {
        refold(tx, incident, connector, now)?
    };
    if let (Some(connector), Some(after)) = (connector, &story) {
        parts::end_others(tx, connector, incident, (before.as_ref(), after), now)?;
    }
    Ok(Recorded { added, story })
}

/// Whether somebody wrote it at PagerDuty. What carries our mark is our own.
fn is_their_note(fact: &Fact) -> bool {
    let ours = matches!(fact.source, Source::Command | Source::Answer) || fact.answers.is_some();
    fact.kind == Kind::Noted && !ours
}

/// Whether what PagerDuty shows of an incident is to change nothing here.
pub(crate) fn is_aside(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    shown_on: Option<&Named>,
) -> Result<bool, StoreError> {
    if is_left_out(tx, &connector.mapping, incident, shown_on)? {
        return Ok(true);
    }
    if connector.mapping.direction != Direction::Outbound {
        return Ok(false);
    }
    // With a key of ours it was born here. One that was born there has no other truth.
    Ok(incidents::find(tx, incident)?.is_some_and(|row| row.pd_key.is_some()))
}

/// The service that the newest report shows the incident on.
fn shown_on(reports: &[(Fact, Option<String>)]) -> Option<&Named> {
    let shown = reports
        .iter()
        .filter_map(|(fact, _)| fact.snapshot.as_ref());
    let newest = shown.max_by_key(|shown| shown.version)?;
    newest.service.as_ref()
}

/// Whether an incident is on a service that is not chosen to be synced.
fn is_left_out(
    tx: &mut Tx<'_>,
    mapping: &Mapping,
    incident: IncidentNumber,
    shown_on: Option<&Named>,
) -> Result<bool, StoreError> {
    if mapping.synced.is_none() {
        return Ok(false);
    }
    if let Some(service) = shown_on {
        return Ok(!mapping.is_synced(&service.id));
    }
    let held = peer_of(&facts::of_incident(tx, incident)?).and_then(|peer| peer.service);
    Ok(held.is_some_and(|service| !mapping.is_synced(&service.id)))
}

/// A report of what is to change nothing here: it says what PagerDuty shows, and what became of
/// our own calls.
fn aside((fact, raw): &(Fact, Option<String>)) -> Vec<(Fact, Option<String>)> {
    let mut fact = fact.clone();
    match fact.source {
        Source::Command => vec![(fact, raw.clone())],
        Source::Answer => {
            let shown = fact.snapshot.take().map(|snapshot| {
                let id = format!("seen:{}", fact.source_id);
                let at = snapshot.version;
                let seen = Fact::new(Source::Look, id, Kind::Seen, Actor::NOBODY, at);
                (seen.showing(snapshot), None)
            });
            [(fact, raw.clone())].into_iter().chain(shown).collect()
        }
        Source::LogEntry | Source::Webhook | Source::Read | Source::Look => {
            fact.source = Source::Look;
            vec![(fact, raw.clone())]
        }
    }
}

/// Folds again and brings row and outbox up to date; the whole follows its part.
pub fn refold(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: Option<&Connector>,
    now: Timestamp,
) -> Result<Option<Story>, StoreError> {
    let story = refold_alone(tx, incident, connector, now)?;
    if let Some(whole) = incident.whole() {
        refold_alone(tx, whole, None, now)?;
    }
    Ok(story)
}

/// The same for the incident alone, where its whole is seen to by the caller.
pub(crate) fn refold_alone(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: Option<&Connector>,
    now: Timestamp,
) -> Result<Option<Story>, StoreError> {
    let mapping = mapping(tx, incident, connector)?;
    let mapping = mapping.as_deref();
    let mut story = None;
    for _ in 0..ROUNDS_MAX {
        let mut known = facts::of_incident(tx, incident)?;
        if let Some(connector) = connector
            && gone::report(tx, incident, connector, &known, now)?
        {
            known = facts::of_incident(tx, incident)?;
        }
        let Some(folded) = fold(&known, mapping) else {
            return Ok(None);
        };
        let settled = match connector {
            Some(connector) => settle_debts(tx, incident, connector, &folded, now)?,
            None => Vec::new(),
        };
        story = Some(folded);
        if facts::append(tx, incident, &settled, now)? == 0 {
            break;
        }
    }
    let story = match story {
        Some(story) => Some(with_parts(tx, incident, story)?),
        None => None,
    };
    if let Some(story) = &story {
        let hidden = if story.spans.is_empty() {
            mapping.is_some_and(|mapping| mapping.hides(story))
        } else {
            parts::are_hidden(tx, incident, story)?
        };
        incidents::update(tx, incident, story, hidden)?;
    }
    Ok(story)
}

/// The story with what the parts add to it, where it has any.
fn with_parts(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    story: Story,
) -> Result<Story, StoreError> {
    if story.spans.is_empty() {
        Ok(story)
    } else {
        parts::gathered(tx, incident, story)
    }
}

/// Folds again as if nobody held `row`: its look at the other side is done, so it may turn out
/// to be needless.
pub(crate) fn refold_releasing(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    connector: &Connector,
    now: Timestamp,
) -> Result<(), StoreError> {
    outbox::mark_checked(tx, row.id, now)?;
    refold(tx, row.incident, Some(connector), now).map(|_| ())
}

/// The story of an incident, of all its parts where it has any.
pub fn story(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: Option<&Connector>,
) -> Result<Option<Story>, StoreError> {
    match story_alone(tx, incident, connector)? {
        Some(story) => with_parts(tx, incident, story).map(Some),
        None => Ok(None),
    }
}

/// What was told of an incident.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its facts.
    pub facts: Arc<Vec<Fact>>,
    /// What they add up to.
    pub story: Story,
    /// Whether it is on a service that is not chosen to be synced.
    pub hidden: bool,
}

/// The tables by which incidents are read, each read once for all incidents of its connector.
#[derive(Debug, Default)]
pub struct Mappings(BTreeMap<String, Option<Mapping>>);

impl Mappings {
    /// Those of a connector. The end of a connector takes nothing back, so they are what it had where it
    /// was removed.
    fn of(&mut self, tx: &mut Tx<'_>, connector: &str) -> Result<Option<&Mapping>, StoreError> {
        if !self.0.contains_key(connector) {
            let mapping = connector::mapping(tx, connector)?;
            self.0.insert(connector.to_owned(), mapping);
        }
        Ok(self.0.get(connector).and_then(Option::as_ref))
    }
}

/// What was told of an incident itself, without what was of its parts; `None` where there
/// is nothing.
pub fn told(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    mappings: &mut Mappings,
) -> Result<Option<Told>, StoreError> {
    let facts = facts::of_incident(tx, incident)?;
    told_by(tx, incident, facts, mappings)
}

/// The same by the facts that were recorded up to a number.
pub fn told_up_to(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    seq: i64,
) -> Result<Option<Told>, StoreError> {
    let facts = facts::of_incident(tx, incident)?;
    let known = facts::count_up_to(tx, incident, seq)?;
    let facts = facts.iter().take(known).cloned().collect();
    told_by(tx, incident, Arc::new(facts), &mut Mappings::default())
}

/// What was told of each incident whose number is in a range, in the order of the numbers.
pub fn told_in(
    tx: &mut Tx<'_>,
    range: Range<i64>,
) -> Result<Vec<(IncidentNumber, Option<Told>)>, StoreError> {
    let mut mappings = Mappings::default();
    let mut facts = facts::in_range(tx, range.clone())?;
    let mut all = Vec::new();
    for (incident, connector) in incidents::connectors_in(tx, range)? {
        let mapping = match &connector {
            Some(name) => mappings.of(tx, name)?,
            None => None,
        };
        let facts = Arc::new(facts.remove(&incident).unwrap_or_default());
        all.push((incident, add_up(facts, mapping)));
    }
    Ok(all)
}

fn told_by(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    facts: Arc<Vec<Fact>>,
    mappings: &mut Mappings,
) -> Result<Option<Told>, StoreError> {
    let mapping = match incidents::find(tx, incident)?.and_then(|row| row.connector) {
        Some(name) => mappings.of(tx, &name)?,
        None => None,
    };
    Ok(add_up(facts, mapping))
}

fn add_up(facts: Arc<Vec<Fact>>, mapping: Option<&Mapping>) -> Option<Told> {
    let story = fold(&facts, mapping)?;
    let hidden = mapping.is_some_and(|mapping| mapping.hides(&story));
    Some(Told {
        facts,
        story,
        hidden,
    })
}

/// What its own facts tell, without those of its parts.
pub(crate) fn story_alone(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: Option<&Connector>,
) -> Result<Option<Story>, StoreError> {
    let known = facts::of_incident(tx, incident)?;
    let mapping = mapping(tx, incident, connector)?;
    Ok(fold(&known, mapping.as_deref()))
}

/// The tables by which an incident is read. The end of a connector takes nothing back, so they
/// are what it had where it was removed.
fn mapping<'a>(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: Option<&'a Connector>,
) -> Result<Option<Cow<'a, Mapping>>, StoreError> {
    if let Some(connector) = connector {
        return Ok(Some(Cow::Borrowed(&connector.mapping)));
    }
    match incidents::find(tx, incident)?.and_then(|row| row.connector) {
        Some(name) => Ok(connector::mapping(tx, &name)?.map(Cow::Owned)),
        None => Ok(None),
    }
}

/// Brings the outbox to what is owed; returns the facts that say which commands need nothing.
fn settle_debts(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    connector: &Connector,
    story: &Story,
    now: Timestamp,
) -> Result<Vec<(Fact, Option<String>)>, StoreError> {
    if connector.mapping.direction == Direction::None {
        // Paused: nothing leaves and nothing is given up.
        return Ok(Vec::new());
    }
    let debts = owed(story, &connector.mapping);
    let rows = outbox::of_incident(tx, incident)?;
    let (leased, free): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| may_be_there(row, now));
    let on_its_way = |command: &String| leased.iter().any(|row| row.commands.contains(command));
    let open = conflicts::settle(tx, incident, story, &leased, now)?;
    let mut kept = Vec::new();
    let mut last = 0;
    for debt in &debts.owed {
        if debt.commands.iter().all(on_its_way) || open.holds(&debt.effect) {
            continue;
        }
        let row = free.iter().find(|row| same_slot(&row.effect, &debt.effect));
        // Rows leave in the order of their ids: one that must leave after another takes a new one.
        match row.filter(|row| row.parked || row.id > last) {
            Some(row) => {
                renew(tx, row, debt, now)?;
                kept.push(row.id);
                last = last.max(row.id);
            }
            None => last = outbox::insert(tx, connector.name(), incident, debt, now)?,
        }
    }
    let dropped: Vec<&OutboxRow> = free.iter().filter(|row| !kept.contains(&row.id)).collect();
    for row in &dropped {
        outbox::delete(tx, row.id)?;
    }
    // A twin that may have been made meanwhile must hear of what was done since; and what is shown
    // is open while a call that changes it is on its way: whoever reopens while a resolve is, asks
    // for more than what is shown (S22).
    let may_be_born = leased.iter().any(|row| row.effect == Effect::Create);
    let waits = |command: &String| {
        let asked = story.pending.iter();
        let mut asked = asked.filter(|pending| pending.command == *command);
        asked.any(|pending| leased.iter().any(|row| changes(&row.effect, pending.kind)))
    };
    let is_done = |command: &&String| !may_be_born && !on_its_way(command) && !waits(command);
    let moot = debts.moot.iter().filter(is_done);
    let moot = moot.map(|command| (command, why_moot(command, story, &dropped)));
    let kept = debts.kept.iter().filter(is_done);
    Ok(open
        .overtaken
        .iter()
        .map(|command| (command, "overtaken"))
        .chain(moot)
        .chain(kept.map(|command| (command, "kept")))
        .map(|(command, how)| (settled(command, how, now), None))
        .collect())
}

/// Whether the call for an effect changes what a command of this kind is about.
fn changes(effect: &Effect, kind: Kind) -> bool {
    match effect {
        Effect::Status(_) => kind.is_step(),
        Effect::Title => kind == Kind::Titled,
        Effect::Urgency => kind == Kind::SeverityChanged,
        Effect::Assign => kind == Kind::Assigned,
        Effect::Service => kind == Kind::ServiceChanged,
        Effect::Fields => kind == Kind::FieldsChanged,
        Effect::Create | Effect::Note(_) | Effect::Say(_) => false,
    }
}

/// Why a command needs no call. What a call would have carried together is told once.
fn why_moot(command: &String, story: &Story, dropped: &[&OutboxRow]) -> &'static str {
    let begins = |pending: &&Pending| matches!(pending.kind, Kind::Triggered | Kind::Reopened);
    if story.peer.is_none() {
        let first = story.pending.iter().find(begins);
        let is_first = first.is_some_and(|first| first.command == *command);
        return if is_first { "ended" } else { "carried" };
    }
    let last = |row: &&OutboxRow| row.commands.last() == Some(command);
    if dropped.iter().any(last) {
        "overtaken"
    } else {
        "carried"
    }
}

/// Whether PagerDuty may have the row's change without our knowing: somebody is sending it, or
/// its last attempt ended without an answer. The look at PagerDuty that follows will tell.
pub(crate) fn may_be_there(row: &OutboxRow, now: Timestamp) -> bool {
    let leased = row.lease_until.is_some_and(|until| until > now);
    leased || (row.attempt > 0 && row.checked_at.is_none() && !row.parked)
}

/// The newest intent takes the place of an unsent one; a dead letter gets another chance by it.
fn renew(tx: &mut Tx<'_>, row: &OutboxRow, debt: &Owed, now: Timestamp) -> Result<(), StoreError> {
    if row.effect == debt.effect && row.commands == debt.commands {
        return Ok(());
    }
    outbox::replace(tx, row.id, debt)?;
    if row.parked {
        outbox::retry(tx, row.id, now)?;
    }
    Ok(())
}

/// Whether one of the two makes the other needless.
fn same_slot(row: &Effect, debt: &Effect) -> bool {
    match (row, debt) {
        (Effect::Status(_) | Effect::Say(_), Effect::Status(_) | Effect::Say(_)) => true,
        (row, debt) => row == debt,
    }
}

/// The fact that a command needs no call any more.
pub(crate) fn settled(command: &str, how: &str, now: Timestamp) -> Fact {
    // What was kept here may be given up later: those are two answers.
    let answer = match how {
        "kept" => "kept",
        _ => "settled",
    };
    Fact::new(
        Source::Answer,
        format!("{answer}:{command}"),
        Kind::Settled,
        Actor::NOBODY,
        now,
    )
    .with_value(how)
    .answering(command)
}
