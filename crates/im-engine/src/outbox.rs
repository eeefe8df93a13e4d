//! From what is owed to the call that pays it.
//!
//! What is sent is read off the story at this moment. A row that waited, was tried before, or
//! could wake people for nothing (an acknowledge reopens what was resolved meanwhile) looks at
//! PagerDuty first: S29, S60, S62.

use im_core::{Direction, Effect, Fact, Kind, Mapping, Peer, PeerStatus, Source, Story};
use im_pagerduty::{Call, Change, IncidentKey, NewPriority, note_text, title};
use im_store::outbox::{self, OutboxRow};
use im_store::{StoreError, Tx, facts, incidents, people};
use jiff::{SignedDuration, Timestamp};

use crate::connector::Connector;
use crate::described::About;
use crate::plan::Ticket;
use crate::{fields, record};

/// What is older than this when it is about to be sent was true under other circumstances.
pub(crate) const FRESH: SignedDuration = SignedDuration::from_secs(30);
/// A look at the other side counts this long.
pub(crate) const CHECKED: SignedDuration = SignedDuration::from_secs(10);
/// What waited longer than this is not sent without a person's word (S75).
const EXPIRY: SignedDuration = SignedDuration::from_hours(24);

/// The call for a claimed row; `None` if it turned out to be needless or impossible, in which
/// case the row is settled here.
pub(crate) fn call(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    now: Timestamp,
) -> Result<Option<(Ticket, Call)>, StoreError> {
    if now.duration_since(row.since) > EXPIRY && row.checked_at.is_none() && row.attempt <= 1 {
        outbox::park(
            tx,
            row.id,
            "it waited for more than a day; retry sends it, discard gives it up",
        )?;
        return Ok(None);
    }
    let Some(story) = record::story(tx, row.incident, Some(connector))? else {
        outbox::delete(tx, row.id)?;
        return Ok(None);
    };
    let checked = row
        .checked_at
        .is_some_and(|at| now.duration_since(at) <= CHECKED);
    let (ticket, call) = if checked || !wants_check(connector, row, now) {
        (Ticket::Send(row.id), send(tx, connector, row, &story)?)
    } else {
        (Ticket::Check(row.id), check(tx, row, &story)?)
    };
    match call {
        Ok(call) => {
            if matches!(ticket, Ticket::Send(_)) {
                outbox::begun(tx, row.id)?;
            }
            Ok(Some((ticket, call)))
        }
        Err(why) => {
            outbox::park(tx, row.id, &why)?;
            Ok(None)
        }
    }
}

fn wants_check(connector: &Connector, row: &OutboxRow, now: Timestamp) -> bool {
    let risky = matches!(
        row.effect,
        Effect::Status(PeerStatus::Acknowledged | PeerStatus::Triggered)
    );
    let mapping = &connector.mapping;
    let may_yield =
        mapping.direction == Direction::Bidirectional && mapping.ownership.may_yield(&row.effect);
    risky
        || may_yield
        || row.attempt > 1
        || (row.effect != Effect::Create && now.duration_since(row.since) > FRESH)
}

/// Why a row cannot be sent: words for a person.
type Impossible = String;

/// The look at the other side that tells whether the row is paid already.
fn check(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    story: &Story,
) -> Result<Result<Call, Impossible>, StoreError> {
    let id = story.peer.as_ref().map(|peer| peer.id.clone());
    Ok(match (&row.effect, id) {
        (Effect::Create, _) => key(tx, row)?.map(|key| Call::FindByKey { key }),
        (Effect::Note(_) | Effect::Say(_), Some(id)) => Ok(Call::ReadNotes { id }),
        (_, Some(id)) => Ok(Call::ReadIncident { id }),
        (_, None) => Err("PagerDuty has no incident for it yet".to_owned()),
    })
}

fn key(tx: &mut Tx<'_>, row: &OutboxRow) -> Result<Result<IncidentKey, Impossible>, StoreError> {
    let key = incidents::find(tx, row.incident)?.and_then(|incident| incident.pd_key);
    Ok(key
        .and_then(IncidentKey::new)
        .ok_or_else(|| "the incident has no key for PagerDuty".to_owned()))
}

fn send(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    story: &Story,
) -> Result<Result<Call, Impossible>, StoreError> {
    let sender = sender(tx, connector, row)?;
    let Some(peer) = &story.peer else {
        return match row.effect {
            Effect::Create => create(tx, connector, row, story, sender),
            Effect::Status(_)
            | Effect::Note(_)
            | Effect::Say(_)
            | Effect::Title
            | Effect::Urgency
            | Effect::Assign
            | Effect::Service
            | Effect::Fields => Ok(Err("PagerDuty has no incident for it yet".to_owned())),
        };
    };
    let id = peer.id.clone();
    let from = sender.email.clone();
    let change = match &row.effect {
        Effect::Create => return create(tx, connector, row, story, sender),
        Effect::Note(command) => return note(tx, row, command, id, &sender),
        Effect::Say(text) => {
            let text = note_text(text, None, row.incident.said(), &say_mark(row));
            return Ok(Ok(Call::AddNote { id, text, from }));
        }
        Effect::Status(status) => Change {
            status: Some(*status),
            assignee_ids: taker(*status, peer, &sender),
            ..Change::default()
        },
        Effect::Title => Change {
            title: Some(title(&story.title)),
            ..Change::default()
        },
        Effect::Fields => return Ok(fields::call(connector, story, id)),
        Effect::Urgency => severity_change(&connector.mapping, story, peer),
        Effect::Assign => {
            let ids = story
                .assignees
                .iter()
                .map(|person| person.id.clone())
                .collect();
            Change {
                assignee_ids: ids,
                ..Change::default()
            }
        }
        Effect::Service => {
            let service = connector.mapping.service_for(&story.traits()).to_owned();
            Change {
                service_id: Some(service),
                ..Change::default()
            }
        }
    };
    Ok(Ok(Call::UpdateIncident { id, change, from }))
}

/// What goes with the severity and is not there yet. An urgency that is set again may page anew.
fn severity_change(mapping: &Mapping, story: &Story, peer: &Peer) -> Change {
    let Some((severity, _)) = story.severity else {
        return Change::default();
    };
    let urgency = mapping.urgency(severity);
    let shown = peer.priority.as_ref().map(|priority| &*priority.id);
    let priority = mapping.priority_id(severity);
    let priority = priority.map_or(NewPriority::Clear, |id| NewPriority::Set(id.to_owned()));
    Change {
        urgency: Some(urgency).filter(|urgency| peer.urgency != Some(*urgency)),
        priority: Some(priority).filter(|_| mapping.priority_differs(severity, shown)),
        ..Change::default()
    }
}

/// In whose name a call is made.
struct Sender {
    email: String,
    /// PagerDuty's id of the person, if it is the one who acted.
    own_id: Option<String>,
    /// The name to write down where PagerDuty will show somebody else's.
    signed: Option<String>,
}

/// The person who acted, if PagerDuty knows the address; else the connector's own person.
fn sender(tx: &mut Tx<'_>, connector: &Connector, row: &OutboxRow) -> Result<Sender, StoreError> {
    let user = match row.actor.id.as_deref().filter(|_| !row.plain_from) {
        Some(email) => people::by_email(tx, connector.name(), email)?,
        None => None,
    };
    Ok(match user {
        Some(user) => Sender {
            email: user.email,
            own_id: Some(user.id),
            signed: None,
        },
        None => Sender {
            email: connector.config.custom.from_email.clone(),
            own_id: None,
            signed: row.actor.label().map(str::to_owned),
        },
    })
}

/// PagerDuty's id of the person in whose name a row is sent, where it is known.
pub(crate) fn sender_id(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
) -> Result<Option<String>, StoreError> {
    let sender = sender(tx, connector, row)?;
    let user = people::by_email(tx, connector.name(), &sender.email)?;
    Ok(user.map(|user| user.id))
}

/// The same of the person who acted, where the row is sent in that person's name.
pub(crate) fn own_id(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
) -> Result<Option<String>, StoreError> {
    Ok(sender(tx, connector, row)?.own_id)
}

/// Whoever acknowledges has it: PagerDuty is told so, unless it says so already.
fn taker(status: PeerStatus, peer: &Peer, sender: &Sender) -> Vec<String> {
    let taken = status == PeerStatus::Acknowledged;
    let new = |id: &&String| !peer.assignees.iter().any(|person| person.id == **id);
    sender
        .own_id
        .iter()
        .filter(|_| taken)
        .filter(new)
        .cloned()
        .collect()
}

fn create(
    tx: &mut Tx<'_>,
    connector: &Connector,
    row: &OutboxRow,
    story: &Story,
    sender: Sender,
) -> Result<Result<Call, Impossible>, StoreError> {
    let urgency = story
        .severity
        .map(|(severity, _)| connector.mapping.urgency(severity));
    let about = About {
        incident: row.incident.said(),
        story,
        spanned: spanned(tx, row)?,
        fields: fields::told(story, &connector.mapping),
    };
    let template = connector
        .config
        .custom
        .template_for(story.service.as_deref());
    let service = connector.mapping.service_for(&story.traits());
    // Each of several services pages by the policy that is its own.
    let is_own = row.incident.whole().is_some() && service != connector.mapping.default_service;
    let custom = &connector.config.custom;
    let severity = story.severity.map(|(severity, _)| severity);
    let policy = custom.policy_for(story.service.as_deref(), severity, is_own);
    let priority = severity.and_then(|severity| connector.mapping.priority_id(severity));
    Ok(key(tx, row)?.map(|key| Call::CreateIncident {
        key,
        title: title(&story.title),
        service_id: service.to_owned(),
        urgency,
        priority_id: priority.map(str::to_owned),
        policy_id: policy.map(str::to_owned),
        body: Some(about.text(template)),
        from: sender.email,
    }))
}

/// For a part: every service of its incident.
fn spanned(tx: &mut Tx<'_>, row: &OutboxRow) -> Result<Option<String>, StoreError> {
    let whole = match row.incident.whole() {
        Some(whole) => incidents::find(tx, whole)?,
        None => None,
    };
    Ok(whole.and_then(|whole| whole.service))
}

fn note(
    tx: &mut Tx<'_>,
    row: &OutboxRow,
    command: &str,
    id: String,
    sender: &Sender,
) -> Result<Result<Call, Impossible>, StoreError> {
    let known = facts::of_incident(tx, row.incident)?;
    let text = known
        .iter()
        .find(|fact| is_note(fact, command))
        .and_then(|fact| fact.value.clone());
    Ok(text
        .ok_or_else(|| "the note is not there any more".to_owned())
        .map(|text| Call::AddNote {
            id,
            text: note_text(
                &text,
                sender.signed.as_deref(),
                row.incident.said(),
                mark(command),
            ),
            from: sender.email.clone(),
        }))
}

fn is_note(fact: &Fact, command: &str) -> bool {
    fact.source == Source::Command && fact.source_id == command && fact.kind == Kind::Noted
}

/// How many characters of a command's id mark its note: enough to tell one incident's apart.
const MARK_CHARS: usize = 8;

/// The mark by which the note of a command is known again.
pub(crate) fn mark(command: &str) -> &str {
    let from = command.len().saturating_sub(MARK_CHARS);
    command.get(from..).unwrap_or(command)
}

/// The mark of a word that belongs to a whole row.
pub(crate) fn say_mark(row: &OutboxRow) -> String {
    row.commands
        .last()
        .map_or_else(|| row.id.to_string(), |command| mark(command).to_owned())
}
