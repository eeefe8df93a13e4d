//! From what the core knows of an incident to what the engine is fed.
//!
//! Which reports are of one act, and what an act implies, is `im_core::fold`'s business: its lines are
//! the counted facts. What is added here is what only metrics ask for: how the incident looked when it
//! was triggered, and which of our own states PagerDuty would call by another name.
//!
//! An incident of several services is counted by its parts: each is an incident at PagerDuty.

use im_core::{
    ActorKind, Fact, IncidentNumber, Kind, Line, Named, SeveritySource, Snapshot, Source, Story,
};
use jiff::Timestamp;

use crate::input::{Event, History, ResolverKind, Values, What};

/// The history of an incident; `None` for what is none: one that was deleted here, or the whole of
/// parts.
pub fn history(number: IncidentNumber, facts: &[Fact], story: &Story) -> Option<History> {
    if story.deleted || !story.spans.is_empty() {
        return None;
    }
    let first = first_look(facts);
    let lines = story.counted();
    let peer = story.peer.as_ref();
    let id = |named: Option<&Named>| named.map(|named| named.id.clone());
    let current = Values {
        service: id(peer.and_then(|peer| peer.service.as_ref())).or_else(|| story.service.clone()),
        policy: id(peer.and_then(|peer| peer.policy.as_ref())),
        urgency: peer
            .and_then(|peer| peer.urgency)
            .map(|urgency| urgency.as_str().to_owned()),
        priority: id(peer.and_then(|peer| peer.priority.as_ref())),
    };
    let teams = first.and_then(|look| look.teams.as_ref());
    let teams = teams.or(peer.map(|peer| &peer.teams)).into_iter().flatten();
    let history = History {
        number: number.get(),
        title: story.title.clone(),
        origin: if story.born_here { "im" } else { "pagerduty" }.to_owned(),
        severity: severity(story),
        environment: said(story, &["environment"]).or_else(|| named_environment(facts)),
        at_trigger: at_trigger(first, &current, &lines, facts),
        policy_untold: first.and_then(|look| look.policy.as_ref()).is_none()
            && lines.iter().any(|line| line.kind == Kind::Delegated),
        current,
        teams: teams.map(|team| team.id.clone()).collect(),
        merged: peer.is_some_and(|peer| peer.merged_into.is_some()),
        deployment: said(story, &["deployment"]),
        link: None,
        not_change_related: false,
        key: key(facts),
        cause: cause_among(story, &lines).map(|(cause, _)| cause),
        rebuilt: is_rebuilt(facts),
        events: events(story.created_at, &lines),
    };
    Some(history)
}

/// Whether neither a person's command nor a webhook told of the trigger: it is known from what was read
/// afterwards.
fn is_rebuilt(facts: &[Fact]) -> bool {
    let told = |fact: &Fact| match fact.source {
        Source::Command | Source::Answer | Source::Webhook => fact.kind == Kind::Triggered,
        Source::LogEntry | Source::Read | Source::Look => false,
    };
    !facts.iter().any(told)
}

/// The fields that name a cause.
const CAUSES: [&str; 3] = ["root_cause", "root cause", "cause"];

/// What a field of the incident's own says, under the first of some names, in any case.
fn said(story: &Story, names: &[&str]) -> Option<String> {
    let of_name = |name: &&str| {
        let mut fields = story.fields.iter();
        let field = fields.find(|field| field.name.eq_ignore_ascii_case(name))?;
        let value = field.value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    names.iter().find_map(of_name)
}

/// The environment that a webhook's header named.
fn named_environment(facts: &[Fact]) -> Option<String> {
    facts
        .iter()
        .find_map(Fact::named_environment)
        .map(str::to_owned)
}

/// The severity, where nobody gave one by the name of PagerDuty's priority: what has no severity of ours is
/// not counted as one that was guessed.
fn severity(story: &Story) -> Option<String> {
    let priority = story.peer.as_ref().and_then(|peer| peer.priority.as_ref());
    let name = priority.and_then(|priority| priority.name.clone());
    match (story.severity, name) {
        (Some((_, SeveritySource::Inferred)) | None, Some(name)) => Some(name),
        (severity, _) => severity.map(|(severity, _)| severity.as_str().to_owned()),
    }
}

/// The key by which its sender says that it is the same matter: that of its trigger in the log, else the one that
/// PagerDuty shows of the incident.
fn key(facts: &[Fact]) -> Option<String> {
    let triggers = facts.iter().filter(|fact| fact.kind == Kind::Triggered);
    let mut logged: Vec<&Fact> = triggers
        .filter(|fact| fact.source == Source::LogEntry)
        .collect();
    logged.sort_by_key(|fact| fact.at);
    let logged = logged.into_iter().find_map(|fact| fact.beginning().1);
    let logged = logged.map(str::to_owned);
    let looks = facts.iter().filter_map(|fact| fact.snapshot.as_ref());
    let mut shown = looks.filter_map(|look| look.incident_key.clone());
    logged.or_else(|| shown.find(|key| !key.is_empty()))
}

/// How a note that names a cause begins, in any case.
const CAUSE: &str = "root cause:";

/// Where a cause is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CauseSource {
    /// A field of the incident's own.
    Field,
    /// A note.
    Note,
}

/// The category of its cause that the incident itself names: its field counts before its notes.
pub fn named_cause(story: &Story) -> Option<(String, CauseSource)> {
    cause_among(story, &story.counted())
}

fn cause_among(story: &Story, lines: &[&Line]) -> Option<(String, CauseSource)> {
    let by_field = said(story, &CAUSES).map(|cause| (cause, CauseSource::Field));
    by_field.or_else(|| cause(lines).map(|cause| (cause, CauseSource::Note)))
}

/// The cause that the newest note names, if any does.
fn cause(lines: &[&Line]) -> Option<String> {
    let mut notes = lines.iter().rev().filter(|line| line.kind == Kind::Noted);
    notes.find_map(|line| {
        let text = line.value.as_deref()?.trim_start();
        let (head, rest) = text.split_at_checked(CAUSE.len())?;
        let first = rest.lines().next()?.trim();
        (head.eq_ignore_ascii_case(CAUSE) && !first.is_empty()).then(|| first.to_owned())
    })
}

/// What the incident looked like when it was triggered, if that was shown.
fn first_look(facts: &[Fact]) -> Option<&Snapshot> {
    let born = facts.iter().filter(|fact| fact.kind == Kind::Triggered);
    let looks = born.filter_map(|fact| fact.snapshot.as_ref());
    looks.min_by_key(|look| look.version)
}

/// The values at trigger: as shown then, else worked back from today's and from what changed.
fn at_trigger(
    first: Option<&Snapshot>,
    current: &Values,
    lines: &[&Line],
    facts: &[Fact],
) -> Values {
    let count = |kind: Kind| lines.iter().filter(|line| line.kind == kind).count();
    let shown = |named: Option<&Named>| named.map(|named| named.id.clone());
    let urgency = first.and_then(|look| look.urgency);
    let is_flipped = !count(Kind::UrgencyChanged).is_multiple_of(2);
    let priority = first.and_then(|look| look.priority.as_ref());
    Values {
        service: shown(first.and_then(|look| look.service.as_ref()))
            .or_else(|| began_on(facts))
            .or_else(|| current.service.clone()),
        // The policy that it was delegated from is not told: `History::policy_untold`.
        policy: shown(first.and_then(|look| look.policy.as_ref())).or_else(|| {
            current
                .policy
                .clone()
                .filter(|_| count(Kind::Delegated) == 0)
        }),
        urgency: match (urgency, current.urgency.as_deref()) {
            (Some(urgency), _) => Some(urgency.as_str().to_owned()),
            (None, Some("high")) if is_flipped => Some("low".to_owned()),
            (None, Some("low")) if is_flipped => Some("high".to_owned()),
            (None, urgency) => urgency.map(str::to_owned),
        },
        priority: match priority {
            Some(priority) => shown(priority.as_ref()),
            None => first_priority(current.priority.clone(), lines, facts),
        },
    }
}

/// The priority before the first change of it. The log does not tell the order of several in one second: then it is
/// what was left more often than it was set, and where nothing was, today's.
fn first_priority(today: Option<String>, lines: &[&Line], facts: &[Fact]) -> Option<String> {
    let id = |told: Option<&String>| told.map(|told| priority_id(told, facts));
    let changes = lines
        .iter()
        .filter(|line| line.kind == Kind::PriorityChanged);
    let changes: Vec<_> = changes
        .map(|line| (line.at, id(line.detail.as_ref()), id(line.value.as_ref())))
        .collect();
    let Some((first, before, _)) = changes.first() else {
        return today;
    };
    let left = |value: &&Option<String>| {
        let left = changes.iter().filter(|(_, from, _)| from == *value);
        let set = changes.iter().filter(|(_, _, to)| to == *value);
        left.count() > set.count()
    };
    let at_first = changes.iter().take_while(|(at, _, _)| at == first);
    let mut at_first = at_first.map(|(_, from, _)| from);
    let found = at_first.clone().find(left);
    let found = found.or_else(|| at_first.find(|from| **from == today));
    found.unwrap_or(before).clone()
}

/// The service that the first trigger entry of PagerDuty's log names.
fn began_on(facts: &[Fact]) -> Option<String> {
    let entries = facts
        .iter()
        .filter(|fact| fact.kind == Kind::Triggered && fact.source == Source::LogEntry);
    entries
        .min_by_key(|entry| (entry.at, &entry.source_id))?
        .beginning()
        .0
        .map(str::to_owned)
}

/// PagerDuty's id of the priority with this name, where any look showed it; an id stays one.
fn priority_id(name: &str, facts: &[Fact]) -> String {
    let looks = facts.iter().filter_map(|fact| fact.snapshot.as_ref());
    let mut shown = looks.filter_map(|look| look.priority.as_ref()?.as_ref());
    let found = shown.find(|priority| priority.name.as_deref() == Some(name));
    found.map_or_else(|| name.to_owned(), |priority| priority.id.clone())
}

/// The lines that metrics count, from the trigger on.
fn events(created_at: Timestamp, lines: &[&Line]) -> Vec<Event> {
    let mut events = vec![Event {
        at: created_at,
        what: What::Triggered,
    }];
    let mut is_taken = false;
    for line in lines {
        let Some(what) = what(line, is_taken) else {
            continue;
        };
        match what {
            What::Acknowledged(_) => is_taken = true,
            What::Unacknowledged | What::Resolved(..) | What::Reopened => is_taken = false,
            What::Triggered
            | What::Assigned(_)
            | What::Escalated(_)
            | What::Delegated(_)
            | What::Snoozed(_)
            | What::Notified { .. } => {}
        }
        events.push(Event {
            at: line.at.max(created_at),
            what,
        });
    }
    events
}

fn what(line: &Line, is_taken: bool) -> Option<What> {
    let people = || line.people.iter().map(|person| person.id.clone()).collect();
    let actor = &line.actor;
    let person = || {
        let is_person = actor.kind == ActorKind::User;
        actor.id.clone().filter(|_| is_person)
    };
    Some(match line.kind {
        Kind::Acknowledged => What::Acknowledged(person()),
        // PagerDuty calls it an acknowledgement, unless it has one.
        Kind::Mitigated if !is_taken => What::Acknowledged(person()),
        Kind::Unacknowledged => What::Unacknowledged,
        // PagerDuty calls them a resolve; after one they are no second one.
        Kind::Resolved | Kind::Canceled | Kind::Duplicate => {
            What::Resolved(person(), resolver(line))
        }
        Kind::Reopened => What::Reopened,
        Kind::Snoozed => What::Snoozed(snoozed_for(line)?),
        Kind::Assigned => What::Assigned(people()),
        Kind::Escalated => What::Escalated(people()),
        Kind::Delegated => What::Delegated(people()),
        Kind::Notified => What::Notified {
            user: line.people.first().map(|person| person.id.clone()),
            email: line.value.as_deref() == Some("email"),
        },
        Kind::Triggered
        | Kind::Mitigated
        | Kind::Closed
        | Kind::Deleted
        | Kind::Exhausted
        | Kind::Noted
        | Kind::Titled
        | Kind::Described
        | Kind::SeverityChanged
        | Kind::UrgencyChanged
        | Kind::PriorityChanged
        | Kind::ServiceChanged
        | Kind::Spanned
        | Kind::FieldsChanged
        | Kind::StatusUpdated
        | Kind::Responder
        | Kind::Linked
        | Kind::Settled
        | Kind::Seen
        | Kind::Other => return None,
    })
}

/// The length of a snooze in seconds, where its end is told.
fn snoozed_for(line: &Line) -> Option<u32> {
    let until: jiff::Timestamp = line.value.as_deref()?.parse().ok()?;
    until.duration_since(line.at).as_secs().try_into().ok()
}

/// How it was resolved, a merge apart: that is a matter of the incident. A person is a person,
/// whatever was done; else what PagerDuty's log told; else what kind of party it was.
fn resolver(line: &Line) -> ResolverKind {
    let told = line
        .value
        .as_deref()
        .filter(|_| line.kind == Kind::Resolved);
    match (line.actor.kind, told) {
        (ActorKind::User, _) => ResolverKind::Human,
        (_, Some("timer")) => ResolverKind::Timer,
        (ActorKind::Service | ActorKind::Integration, _) => ResolverKind::Integration,
        (ActorKind::Api, _) | (_, Some("api")) => ResolverKind::Api,
        (ActorKind::None, _) => ResolverKind::None,
    }
}
