//! What people ask for: load, decide, record.

use im_core::{
    Actor, ActorKind, Command, Decided, Fact, IncidentNumber, Kind, NewField, Rejection, Source,
    StatusModel, Story, decide, set_fields,
};
use im_store::{StoreError, Tx, incidents, outbox, people, settings};
use jiff::{SignedDuration, Timestamp};

use crate::connector::{self, Connector};
use crate::named::{self, Named};
use crate::parts::{self, Declared, Planned};
use crate::record::{self, record};
use crate::whose;

/// Why a command did not happen. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such incident.
    #[error("there is no incident {0}")]
    NoIncident(IncidentNumber),
    /// There is no such connector.
    #[error("there is no connector `{0}`")]
    NoConnector(String),
    /// Several connectors could tell PagerDuty, and paging by the wrong one wakes strangers.
    #[error("cannot tell which connector is meant: {}", .0.join(", "))]
    WhichConnector(Vec<String>),
    /// The connector does not send.
    #[error("connector `{0}` only receives: its direction is inbound")]
    OnlyReceives(String),
    /// The service is PagerDuty's, and its incidents do not travel.
    #[error(
        "service `{service}` of PagerDuty is not among those that connector `{connector}` syncs"
    )]
    NotSynced {
        /// PagerDuty's name of it.
        service: String,
        /// Of which connector.
        connector: String,
    },
    /// The state does not allow it.
    #[error("cannot {verb} {incident}: {source}")]
    Rejected {
        /// What was asked.
        verb: &'static str,
        /// Of which incident.
        incident: IncidentNumber,
        /// Why not.
        source: Rejection,
    },
    /// It cannot be declared.
    #[error("cannot declare an incident: {0}")]
    Undeclarable(Rejection),
    /// The row is not a dead letter, or is gone.
    #[error("there is no dead letter {0}")]
    NoDeadLetter(i64),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The incident.
    pub incident: IncidentNumber,
    /// Whether anything changed; if not, it was so already.
    pub changed: bool,
}

/// The setting that holds the status model.
pub const STATUS_MODEL: &str = "status_model";

/// The status model of this installation.
pub fn status_model(tx: &mut Tx<'_>) -> Result<StatusModel, StoreError> {
    let word = settings::get(tx, STATUS_MODEL)?;
    Ok(word
        .and_then(|word| StatusModel::parse(&word))
        .unwrap_or_default())
}

/// Begins an incident; a connector that sends will tell PagerDuty.
pub fn declare(
    tx: &mut Tx<'_>,
    command: &Command,
    connector: Option<&str>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Asked, CommandError> {
    declare_with(tx, command, &[], connector, actor, now)
}

/// The same with fields of people's own.
pub fn declare_with(
    tx: &mut Tx<'_>,
    command: &Command,
    fields: &[NewField],
    connector: Option<&str>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Asked, CommandError> {
    let model = status_model(tx)?;
    let mut command = command.clone();
    let there = named::settle_new(tx, connector, &mut command)?;
    let mut decided = decide(None, &command, model).map_err(CommandError::Undeclarable)?;
    there.keep(&mut decided);
    if !fields.is_empty() {
        decided.extend(set_fields(&[], fields).map_err(CommandError::Undeclarable)?);
    }
    let named = |kind: Kind| {
        let of_kind = decided.iter().filter(move |one| one.kind == kind);
        of_kind.filter_map(|one| one.value.as_deref())
    };
    let mut planned = Vec::new();
    let declared = Declared::of(&decided);
    for service in named(Kind::Spanned) {
        let connector = choose(tx, connector, Some(service))?;
        let named = (service, there.id(service));
        Planned::sort_in(&mut planned, named, connector, &declared);
    }
    if !planned.is_empty() {
        return Ok(parts::declare(tx, &decided, &planned, actor, now)?);
    }
    let service = named(Kind::ServiceChanged).next();
    let connector = choose(tx, connector, service)?;
    let installation = whose::installation(tx)?;
    let key = |number: IncidentNumber| {
        let connector = connector.as_ref()?;
        Some(whose::key(
            &installation,
            number,
            &connector.mapping,
            (service, service.and_then(|name| there.id(name))),
        ))
    };
    let incident = incidents::insert(tx, connector.as_ref().map(Connector::name), key, now)?;
    let reports = reports(tx, &decided, actor, now);
    record(tx, incident, connector.as_ref(), &reports, now)?;
    Ok(Asked {
        incident,
        changed: true,
    })
}

pub(crate) fn choose(
    tx: &mut Tx<'_>,
    named: Option<&str>,
    service: Option<&str>,
) -> Result<Option<Connector>, CommandError> {
    let Some(name) = named else {
        return connector::for_service(tx, service)?.map_err(CommandError::WhichConnector);
    };
    let connector =
        connector::load(tx, name)?.ok_or_else(|| CommandError::NoConnector(name.to_owned()))?;
    if connector.mapping.direction == im_core::Direction::Inbound {
        return Err(CommandError::OnlyReceives(name.to_owned()));
    }
    Ok(Some(connector))
}

/// Does something to an incident, and writes `note` down with it.
pub fn act(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    command: &Command,
    note: Option<&str>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Asked, CommandError> {
    let row = incidents::find(tx, incident)?.ok_or(CommandError::NoIncident(incident))?;
    let connector = match &row.connector {
        Some(name) => connector::load(tx, name)?,
        None => None,
    };
    let story = record::story(tx, incident, connector.as_ref())?;
    let model = status_model(tx)?;
    let mut command = command.clone();
    let there = named::settle_edit(tx, connector.as_ref(), &mut command)?;
    let command = &command;
    let rejected = |source| CommandError::Rejected {
        verb: verb(command),
        incident,
        source,
    };
    check_target(tx, incident, command)
        .map_err(|error| error.map_or_else(CommandError::Store, rejected))?;
    let mut decided = decide(story.as_ref(), command, model).map_err(rejected)?;
    there.keep(&mut decided);
    if let Some(story) = story.as_ref().filter(|story| !story.spans.is_empty()) {
        if matches!(command, Command::AddServices { .. }) {
            return add_services(tx, (incident, story), (&decided, &there), actor, now);
        }
        let asked = (command, note, model);
        return parts::act(tx, (incident, story), asked, decided, actor, now);
    }
    let changed = !decided.is_empty();
    decided.extend(signed_word(
        tx,
        connector.as_ref(),
        (command, note),
        changed,
        actor,
    )?);
    // Whoever gave the command saw what PagerDuty told, although its clock may be ahead (S31).
    let at = story.as_ref().map_or(now, |story| story.command_at(now));
    let reports = reports(tx, &decided, actor, at);
    record(tx, incident, connector.as_ref(), &reports, now)?;
    Ok(Asked { incident, changed })
}

/// An incident of several services is about others, too: each leaves by the connector that has it.
fn add_services(
    tx: &mut Tx<'_>,
    (incident, story): (IncidentNumber, &Story),
    (decided, there): (&[Decided], &Named),
    actor: &Actor,
    now: Timestamp,
) -> Result<Asked, CommandError> {
    let mut planned = parts::planned(tx, incident, story)?;
    let declared = Declared::as_it_is(story);
    for service in decided.iter().filter_map(|one| one.value.as_deref()) {
        let connector = choose(tx, None, Some(service))?;
        let named = (service, there.id(service));
        Planned::sort_in(&mut planned, named, connector, &declared);
    }
    Ok(parts::add(
        tx,
        (incident, story),
        decided,
        &planned,
        actor,
        now,
    )?)
}

/// The other incident of a duplicate must be one, and another one.
fn check_target(
    tx: &mut Tx<'_>,
    incident: IncidentNumber,
    command: &Command,
) -> Result<(), Result<Rejection, StoreError>> {
    let Command::MarkDuplicate { of } = command else {
        return Ok(());
    };
    if *of == incident {
        return Err(Ok(Rejection::OfItself));
    }
    match incidents::find(tx, *of) {
        Ok(Some(row)) if !row.deleted => Ok(()),
        Ok(_) => Err(Ok(Rejection::NoSuchTarget { of: *of })),
        Err(error) => Err(Err(error)),
    }
}

/// Whether PagerDuty will show the connector's own person for what `actor` did: it does not know
/// the address. The word about a resolve that does not cross names the person anyway.
fn goes_by_another_name(
    tx: &mut Tx<'_>,
    connector: Option<&Connector>,
    command: &Command,
    actor: &Actor,
) -> Result<bool, StoreError> {
    let Some(connector) = connector.filter(|connector| {
        let mapping = &connector.mapping;
        mapping.direction.sends() && (mapping.auto_resolve || *command != Command::Resolve)
    }) else {
        return Ok(false);
    };
    match (actor.kind, actor.id.as_deref()) {
        (ActorKind::User, Some(email)) => {
            Ok(people::by_email(tx, connector.name(), email)?.is_none())
        }
        (_, _) => Ok(false),
    }
}

/// The note that goes with a step in PagerDuty's incident.
pub(crate) fn signed_word(
    tx: &mut Tx<'_>,
    connector: Option<&Connector>,
    (command, note): (&Command, Option<&str>),
    changed: bool,
    actor: &Actor,
) -> Result<Option<Decided>, StoreError> {
    let is_signed = !goes_by_another_name(tx, connector, command, actor)?;
    Ok(word(command, note, changed, is_signed))
}

/// The note that goes with a step: the person's, and ours for steps that PagerDuty has no word for
/// or would show as somebody else's.
fn word(command: &Command, note: Option<&str>, changed: bool, is_signed: bool) -> Option<Decided> {
    let unsigned = |word: &str| (!is_signed).then(|| word.to_owned());
    let step = match command {
        Command::Cancel => Some("Canceled as a false alarm".to_owned()),
        Command::MarkDuplicate { of } => Some(format!("Marked as a duplicate of {of}")),
        Command::Close => Some("Closed".to_owned()),
        Command::Delete => Some("Deleted in im".to_owned()),
        Command::Acknowledge => unsigned("Acknowledged"),
        Command::Mitigate => unsigned("Mitigated"),
        Command::Resolve => unsigned("Resolved"),
        Command::Reopen => unsigned("Reopened"),
        Command::Declare { .. }
        | Command::Note { .. }
        | Command::Assign { .. }
        | Command::Edit { .. }
        | Command::AddServices { .. }
        | Command::SetFields { .. } => None,
    };
    let note = note.map(str::trim).filter(|note| !note.is_empty());
    let text = match (step.filter(|_| changed), note) {
        (Some(step), Some(note)) => format!("{step}: {note}"),
        (Some(step), None) => step,
        (None, Some(note)) => note.to_owned(),
        (None, None) => return None,
    };
    Some(Decided {
        kind: Kind::Noted,
        value: Some(text),
        detail: None,
        people: Vec::new(),
    })
}

/// What was decided, as facts with ids of their own.
pub(crate) fn reports(
    tx: &mut Tx<'_>,
    decided: &[Decided],
    actor: &Actor,
    now: Timestamp,
) -> Vec<(Fact, Option<String>)> {
    decided
        .iter()
        .map(|decided| {
            let id = tx.new_id(now).simple().to_string();
            let fact = Fact::new(Source::Command, id, decided.kind, actor.clone(), now);
            let fact = Fact {
                value: decided.value.clone(),
                detail: decided.detail.clone(),
                people: decided.people.clone(),
                ..fact
            };
            (fact, None)
        })
        .collect()
}

fn verb(command: &Command) -> &'static str {
    match command {
        Command::Declare { .. } => "declare",
        Command::Acknowledge => "acknowledge",
        Command::Mitigate => "mitigate",
        Command::Resolve => "resolve",
        Command::Close => "close",
        Command::Reopen => "reopen",
        Command::Cancel => "cancel",
        Command::MarkDuplicate { .. } => "mark as a duplicate",
        Command::Delete => "delete",
        Command::Note { .. } => "add a note to",
        Command::Assign { .. } => "assign",
        Command::Edit { .. } => "edit",
        Command::AddServices { .. } => "add services to",
        Command::SetFields { .. } => "set fields of",
    }
}

/// Sends a dead letter again.
pub fn retry(
    tx: &mut Tx<'_>,
    connector: &str,
    id: i64,
    now: Timestamp,
) -> Result<(), CommandError> {
    dead_letter(tx, connector, id)?;
    outbox::retry(tx, id, now)?;
    Ok(())
}

/// So many dead letters get another chance by a change of the settings.
const RETRY_MAX: u32 = 1_000;
/// What is older waits for a person's word, whatever the settings say (S75).
const RETRY_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Gives what PagerDuty refused another chance: the settings are others now.
pub fn retry_refused(tx: &mut Tx<'_>, connector: &str, now: Timestamp) -> Result<(), StoreError> {
    for row in outbox::of_connector(tx, connector, RETRY_MAX)? {
        if row.parked && now.duration_since(row.since) < RETRY_AGE_MAX {
            outbox::retry(tx, row.id, now)?;
        }
    }
    Ok(())
}

/// Gives a dead letter up: what was done here stays, PagerDuty does not hear of it.
pub fn discard(
    tx: &mut Tx<'_>,
    connector: &str,
    id: i64,
    now: Timestamp,
) -> Result<(), CommandError> {
    let row = dead_letter(tx, connector, id)?;
    outbox::delete(tx, id)?;
    let connector = connector::load(tx, connector)?;
    let settled: Vec<_> = row
        .commands
        .iter()
        .map(|command| (record::settled(command, "discarded", now), None))
        .collect();
    record(tx, row.incident, connector.as_ref(), &settled, now)?;
    Ok(())
}

fn dead_letter(
    tx: &mut Tx<'_>,
    connector: &str,
    id: i64,
) -> Result<outbox::OutboxRow, CommandError> {
    outbox::find(tx, id)?
        .filter(|row| row.parked && row.connector == connector)
        .ok_or(CommandError::NoDeadLetter(id))
}
