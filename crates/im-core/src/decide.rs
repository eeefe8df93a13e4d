//! Decides what a command would make happen; changes nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    Command, CustomField, IncidentNumber, Kind, NewField, Person, Status, StatusModel, Story,
};

/// One fact to be recorded, without id, time and actor: the caller adds those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What happens.
    pub kind: Kind,
    /// See [`Kind`].
    pub value: Option<String>,
    /// See [`Kind`].
    pub detail: Option<String>,
    /// Whom it is about.
    pub people: Vec<Person>,
}

impl Decided {
    fn bare(kind: Kind) -> Self {
        Self {
            kind,
            value: None,
            detail: None,
            people: Vec::new(),
        }
    }

    fn value(kind: Kind, value: impl Into<String>) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::bare(kind)
        }
    }
}

/// Why a command was refused, in words for the person who gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It is over, and only an open incident can do this.
    #[error("it was resolved at {}{}", at.strftime("%H:%M"), by(.who.as_deref()))]
    AlreadyResolved {
        /// When.
        at: Timestamp,
        /// By whom, where known.
        who: Option<String>,
    },
    /// The state does not allow it.
    #[error("it is {}", called(*status))]
    Wrong {
        /// The state as people see it.
        status: Status,
    },
    /// Only an incident that nobody has taken can be canceled.
    #[error("it is {}, and only an open incident can be a false alarm", called(*status))]
    NotOpenAnyMore {
        /// The state as people see it.
        status: Status,
    },
    /// It is open already.
    #[error("it is still open")]
    StillOpen,
    /// In the lifecycle model mitigation follows acknowledgement.
    #[error("nobody has acknowledged it yet")]
    NotAcknowledged,
    /// It is not a duplicate of itself.
    #[error("an incident is not a duplicate of itself")]
    OfItself,
    /// There is nothing to be the duplicate of.
    #[error("there is no incident {of}")]
    NoSuchTarget {
        /// The one that was named.
        of: IncidentNumber,
    },
    /// It was deleted.
    #[error("it was deleted")]
    Deleted,
    /// A title is needed.
    #[error("the title is empty")]
    EmptyTitle,
    /// A title has a limit.
    #[error("the title has {length} characters, and PagerDuty takes at most {TITLE_MAX}")]
    TitleTooLong {
        /// How long it is.
        length: usize,
    },
    /// So many services have a limit.
    #[error("it names {count} services, and one incident spans at most {SERVICES_MAX}")]
    TooManyServices {
        /// How many were named.
        count: usize,
    },
    /// Each of its services has a PagerDuty incident, which is where it is.
    #[error("it spans several services, each with an incident of its own at PagerDuty")]
    SpansServices,
    /// It has a PagerDuty incident, which is on one service.
    #[error("it is about one service, and its incident at PagerDuty is on that")]
    OneService,
    /// A note says something.
    #[error("the note is empty")]
    EmptyNote,
    /// Nothing was named.
    #[error("nothing to change was named")]
    NothingNamed,
    /// A field's name has limits.
    #[error(
        "`{name}` cannot be the name of a field: write 1 to {FIELD_NAME_MAX} letters, digits, `_`, `-` or `.`"
    )]
    FieldName {
        /// As given.
        name: String,
    },
    /// So has what it says.
    #[error("the field `{name}` has {length} characters, and PagerDuty takes at most {FIELD_MAX}")]
    FieldTooLong {
        /// Which.
        name: String,
        /// How long it is.
        length: usize,
    },
    /// So many fields have a limit.
    #[error("it would have {count} fields, and an incident has at most {FIELDS_MAX}")]
    TooManyFields {
        /// How many.
        count: usize,
    },
}

/// PagerDuty's limit for a summary (`docs/pagerduty/rest.md`).
pub const TITLE_MAX: usize = 1024;

/// The most services that one incident spans: each pages people of its own.
pub const SERVICES_MAX: usize = 20;

/// PagerDuty's limit for the name of a custom field (`docs/pagerduty/rest.md`).
pub const FIELD_NAME_MAX: usize = 50;

/// PagerDuty's limit for what a custom field says.
pub const FIELD_MAX: usize = 200;

/// The most fields of one incident: people read them.
pub const FIELDS_MAX: usize = 30;

fn called(status: Status) -> &'static str {
    match status {
        Status::Duplicate => "a duplicate",
        Status::Open
        | Status::Acknowledged
        | Status::Mitigated
        | Status::Resolved
        | Status::Closed
        | Status::Canceled => status.as_str(),
    }
}

fn by(who: Option<&str>) -> String {
    who.map(|name| format!(" by {name}")).unwrap_or_default()
}

/// What `command` would make happen to the incident of `story` (`None`: to a new one).
///
/// An empty answer is agreement: what is asked is so already, as when two people press at once.
pub fn decide(
    story: Option<&Story>,
    command: &Command,
    model: StatusModel,
) -> Result<Vec<Decided>, Rejection> {
    let Some(story) = story else {
        return declare(command);
    };
    if story.deleted {
        return Err(Rejection::Deleted);
    }
    match command {
        Command::Declare { .. } => Err(Rejection::StillOpen),
        Command::Note { text } if text.trim().is_empty() => Err(Rejection::EmptyNote),
        Command::Note { text } => Ok(vec![Decided::value(Kind::Noted, text.trim())]),
        Command::Assign { to } if story.status.is_open() => assign(story, to),
        Command::Assign { .. } => Err(over(story, model)),
        Command::Edit {
            title,
            description,
            severity,
            service,
        } => {
            let severity = severity.map(crate::Severity::as_str);
            edit(
                story,
                title.as_deref(),
                description.as_deref(),
                severity,
                service.as_deref(),
            )
        }
        Command::AddServices { services } if story.status.is_open() => {
            add_services(story, services)
        }
        Command::AddServices { .. } => Err(over(story, model)),
        Command::SetFields { fields } => set_fields(&story.fields, fields),
        Command::MarkDuplicate { of } => duplicate(story, *of),
        Command::Acknowledge
        | Command::Mitigate
        | Command::Resolve
        | Command::Close
        | Command::Reopen
        | Command::Cancel
        | Command::Delete => step(story, command, model),
    }
}

/// A step from state to state.
fn step(story: &Story, command: &Command, model: StatusModel) -> Result<Vec<Decided>, Rejection> {
    use Status as S;
    let one = |kind| Ok(vec![Decided::bare(kind)]);
    let agreed = Ok(Vec::new());
    let refuse = || Err(over(story, model));
    let open = story.status.is_open();
    match (command, story.status) {
        (Command::Acknowledge, S::Open) => one(Kind::Acknowledged),
        (Command::Acknowledge, S::Acknowledged | S::Mitigated) => agreed,
        (Command::Mitigate, status) => mitigate(status, story, model),
        (Command::Resolve, _) if open => one(Kind::Resolved),
        (Command::Resolve, S::Resolved) => agreed,
        (Command::Close, _) if open => Ok(vec![
            Decided::bare(Kind::Resolved),
            Decided::bare(Kind::Closed),
        ]),
        (Command::Close, S::Resolved) => one(Kind::Closed),
        (Command::Close, S::Closed) => agreed,
        (Command::Reopen, _) if open => Err(Rejection::StillOpen),
        (Command::Reopen, _) => one(Kind::Reopened),
        (Command::Cancel, S::Open) => one(Kind::Canceled),
        (Command::Cancel, S::Canceled) => agreed,
        (Command::Cancel, status) => Err(Rejection::NotOpenAnyMore {
            status: model.shown(status),
        }),
        (Command::Delete, _) => one(Kind::Deleted),
        (_, _) => refuse(),
    }
}

fn duplicate(story: &Story, of: IncidentNumber) -> Result<Vec<Decided>, Rejection> {
    match (story.status, story.duplicate_of) {
        (Status::Duplicate, Some(already)) if already == of => Ok(Vec::new()),
        (Status::Duplicate, _) => Err(Rejection::Wrong {
            status: Status::Duplicate,
        }),
        _ => Ok(vec![Decided::value(Kind::Duplicate, of.to_string())]),
    }
}

fn over(story: &Story, model: StatusModel) -> Rejection {
    match (story.status, story.resolved_at) {
        (Status::Resolved, Some(at)) => Rejection::AlreadyResolved {
            at,
            who: story.resolved_by.clone(),
        },
        (status, _) => Rejection::Wrong {
            status: model.shown(status),
        },
    }
}

fn mitigate(status: Status, story: &Story, model: StatusModel) -> Result<Vec<Decided>, Rejection> {
    match (model, status) {
        // In the documented model the word `mitigated` *is* the acknowledgement.
        (StatusModel::Documented, Status::Open) => Ok(vec![Decided::bare(Kind::Acknowledged)]),
        (StatusModel::Lifecycle, Status::Open) => Err(Rejection::NotAcknowledged),
        (StatusModel::Lifecycle, Status::Acknowledged) => Ok(vec![Decided::bare(Kind::Mitigated)]),
        (StatusModel::Documented, Status::Acknowledged) | (_, Status::Mitigated) => Ok(Vec::new()),
        (_, Status::Resolved | Status::Closed | Status::Canceled | Status::Duplicate) => {
            Err(over(story, model))
        }
    }
}

/// Whether nobody sees the character: it steers a terminal, or turns the direction in which text is read.
pub fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A title in one line, without what steers.
fn clean_title(title: &str) -> Result<String, Rejection> {
    let is_kept = |c: &char| c.is_whitespace() || !steers(*c);
    let plain: String = title.chars().filter(is_kept).collect();
    let clean = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = clean.chars().count();
    match length {
        0 => Err(Rejection::EmptyTitle),
        1..=TITLE_MAX => Ok(clean),
        _ => Err(Rejection::TitleTooLong { length }),
    }
}

fn declare(command: &Command) -> Result<Vec<Decided>, Rejection> {
    let Command::Declare {
        title,
        severity,
        description,
        services,
    } = command
    else {
        return Err(Rejection::Deleted);
    };
    let services = named(services)?;
    let mut facts = vec![
        Decided::value(Kind::Triggered, clean_title(title)?),
        Decided::value(Kind::SeverityChanged, severity.as_str()),
    ];
    let kind = match services.len() {
        0 | 1 => Kind::ServiceChanged,
        _ => Kind::Spanned,
    };
    facts.extend(services.into_iter().map(|name| Decided::value(kind, name)));
    facts.extend(
        description
            .as_ref()
            .map(|text| Decided::value(Kind::Described, text)),
    );
    Ok(facts)
}

/// The services of a declaration, each once, in the order in which they were named.
fn named(services: &[String]) -> Result<Vec<&str>, Rejection> {
    let mut named: Vec<&str> = Vec::new();
    for service in services.iter().map(|name| name.trim()) {
        if !service.is_empty() && !named.contains(&service) {
            named.push(service);
        }
    }
    match named.len() {
        0..=SERVICES_MAX => Ok(named),
        count => Err(Rejection::TooManyServices { count }),
    }
}

fn add_services(story: &Story, services: &[String]) -> Result<Vec<Decided>, Rejection> {
    let mut named = named(services)?;
    if named.is_empty() {
        return Err(Rejection::NothingNamed);
    }
    if story.spans.is_empty() {
        return Err(Rejection::OneService);
    }
    named.retain(|name| !story.spans.iter().any(|span| span.service == *name));
    match story.spans.len() + named.len() {
        0..=SERVICES_MAX => Ok(named
            .into_iter()
            .map(|name| Decided::value(Kind::Spanned, name))
            .collect()),
        count => Err(Rejection::TooManyServices { count }),
    }
}

fn assign(story: &Story, to: &[Person]) -> Result<Vec<Decided>, Rejection> {
    if to.is_empty() {
        return Err(Rejection::NothingNamed);
    }
    let same = story.assignees.len() == to.len()
        && to
            .iter()
            .all(|person| story.assignees.iter().any(|have| have.id == person.id));
    let assigned = Decided {
        people: to.to_vec(),
        ..Decided::bare(Kind::Assigned)
    };
    Ok(if same { Vec::new() } else { vec![assigned] })
}

/// What setting fields would make happen, where `known` is what they say now. An empty value takes a
/// field away.
pub fn set_fields(known: &[CustomField], fields: &[NewField]) -> Result<Vec<Decided>, Rejection> {
    if fields.is_empty() {
        return Err(Rejection::NothingNamed);
    }
    let mut decided: Vec<Decided> = Vec::new();
    let mut names: BTreeSet<&str> = known.iter().map(|field| field.name.as_str()).collect();
    for (name, value) in fields {
        let value = clean_field(name, value.as_deref())?;
        let have = known.iter().find(|field| field.name == *name);
        decided.retain(|earlier| earlier.detail.as_ref() != Some(name));
        if value.is_some() {
            names.insert(name);
        } else {
            names.remove(name.as_str());
        }
        if have.map(|field| &field.value) != value.as_ref() {
            decided.push(Decided {
                value,
                detail: Some(name.clone()),
                ..Decided::bare(Kind::FieldsChanged)
            });
        }
    }
    match names.len() {
        count if count > FIELDS_MAX && count > known.len() => {
            Err(Rejection::TooManyFields { count })
        }
        _ => Ok(decided),
    }
}

/// What a field is to say: one line, or nothing.
fn clean_field(name: &str, value: Option<&str>) -> Result<Option<String>, Rejection> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > FIELD_NAME_MAX || !name.chars().all(fits) {
        let name = name.to_owned();
        return Err(Rejection::FieldName { name });
    }
    let words = value.unwrap_or_default().split_whitespace();
    let clean = words.collect::<Vec<_>>().join(" ");
    match clean.chars().count() {
        0 => Ok(None),
        1..=FIELD_MAX => Ok(Some(clean)),
        length => Err(Rejection::FieldTooLong {
            name: name.to_owned(),
            length,
        }),
    }
}

fn edit(
    story: &Story,
    title: Option<&str>,
    description: Option<&str>,
    severity: Option<&str>,
    service: Option<&str>,
) -> Result<Vec<Decided>, Rejection> {
    let title = title.map(clean_title).transpose()?;
    if title.is_none() && description.is_none() && severity.is_none() && service.is_none() {
        return Err(Rejection::NothingNamed);
    }
    if service.is_some() && !story.spans.is_empty() {
        return Err(Rejection::SpansServices);
    }
    let explicit = story
        .severity
        .filter(|(_, source)| *source == crate::SeveritySource::Explicit);
    let wanted = [
        (Kind::Titled, title.as_deref(), Some(story.title.as_str())),
        (Kind::Described, description, story.description.as_deref()),
        (
            Kind::SeverityChanged,
            severity,
            explicit.map(|(severity, _)| severity.as_str()),
        ),
        (Kind::ServiceChanged, service, story.service.as_deref()),
    ];
    Ok(wanted
        .into_iter()
        .filter_map(|(kind, new, old)| {
            new.filter(|_| new != old)
                .map(|new| Decided::value(kind, new))
        })
        .collect())
}
