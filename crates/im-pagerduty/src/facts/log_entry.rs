//! Log entries as facts.

use im_core::{Fact, Kind, Person, Source, Urgency};
use jiff::{SignedDuration, Timestamp};

use super::event::{custom_field, each_field};
use super::{About, CustomField, Heard, Resolver, said};
use crate::wire::incident::without_number;
use crate::wire::log_entry::{Channel, LogEntry};
use crate::wire::{Ref, actor, all_named, people};

/// What a log entry tells; nothing without an id and a time, for then it cannot be counted once.
pub(crate) fn log_entry_heard(entry: &LogEntry) -> Option<Heard> {
    let id = entry.id.as_deref()?;
    let at = (*entry.created_at)?;
    let word = entry.kind.clone().unwrap_or_default();
    let kind = match kind(&word) {
        // One without a name cannot be told from another of the same second.
        Kind::Responder if people(&entry.assignees).is_empty() => Kind::Other,
        kind => kind,
    };
    let agent = actor(entry.agent.as_ref());
    let fact = Fact::new(Source::LogEntry, id, kind, agent, at);
    let channel = entry.channel.as_ref();
    Some(Heard {
        incident_id: entry
            .incident
            .as_ref()
            .and_then(|incident| incident.id.clone()),
        incident_key: channel
            .filter(|_| kind == Kind::Triggered)
            .and_then(sender_key),
        facts: match kind {
            Kind::FieldsChanged => match changed_fields(channel) {
                // It says neither which field nor what: the webhook does.
                changed if changed.is_empty() => Vec::new(),
                changed => each_field(&fact, changed),
            },
            _ => vec![filled(fact, entry, &word)],
        },
        about: About {
            word,
            summary: said(entry.summary.as_ref()),
            channel: channel.and_then(|channel| channel.kind.clone()),
            notification: channel
                .and_then(|channel| channel.notification.as_ref())
                .and_then(|notification| notification.kind.clone()),
            note: said(entry.note.as_ref()),
            service: entry.service.as_ref().and_then(Ref::named),
            teams: all_named(&entry.teams),
            trimmed: false,
            fields: Vec::new(),
        },
    })
}

/// The kind of a log entry's type, with or without its suffix.
fn kind(word: &str) -> Kind {
    match word.strip_suffix("_log_entry").unwrap_or(word) {
        "trigger" => Kind::Triggered,
        // The published schema has the long word, the wire has the short one.
        "acknowledge" | "acknowledgement" => Kind::Acknowledged,
        "unacknowledge" => Kind::Unacknowledged,
        "resolve" => Kind::Resolved,
        "reopen" => Kind::Reopened,
        "assign" | "reassign" => Kind::Assigned,
        "escalate" => Kind::Escalated,
        "delegate" => Kind::Delegated,
        "exhaust_escalation_path" => Kind::Exhausted,
        "responder_request" => Kind::Responder,
        "notify" => Kind::Notified,
        "annotate" => Kind::Noted,
        "snooze" => Kind::Snoozed,
        "urgency_change" => Kind::UrgencyChanged,
        "priority_change" => Kind::PriorityChanged,
        "field_value_change" | "custom_field_value_change" => Kind::FieldsChanged,
        "status_update" => Kind::StatusUpdated,
        _ => Kind::Other,
    }
}

fn filled(mut fact: Fact, entry: &LogEntry, word: &str) -> Fact {
    let channel = entry.channel.as_ref();
    match fact.kind {
        Kind::Triggered => {
            fact.value = title(entry);
            let service = entry
                .service
                .as_ref()
                .and_then(|service| service.id.as_deref());
            let key = channel.and_then(sender_key);
            fact = fact.beginning_with(service, key.as_deref());
        }
        Kind::Resolved => {
            let how = channel.and_then(|channel| channel.kind.as_deref());
            let resolver = Resolver::of(false, &fact.actor, how);
            fact.value = Some(resolver.as_str().to_owned());
            fact.detail = said(entry.note.as_ref());
        }
        Kind::Assigned => fact.people = people(&entry.assignees),
        Kind::Escalated => {
            fact.people = people(&entry.assignees);
            fact.detail = entry.escalation_level.map(|level| level.to_string());
        }
        Kind::Delegated => {
            fact.people = people(&entry.assignees);
            let policy = entry.escalation_policy.as_ref();
            fact.value = policy.and_then(Ref::label);
            fact.detail = policy.and_then(|policy| policy.id.clone());
        }
        Kind::Notified => {
            fact.people = notified(entry).into_iter().collect();
            fact.value = Some(message_channel(channel).to_owned());
            fact.detail = channel
                .and_then(|channel| channel.notification.as_ref())
                .and_then(|notification| said(notification.status.as_ref()));
        }
        Kind::Noted => fact.value = channel.and_then(|channel| said(channel.summary.as_ref())),
        Kind::Snoozed => fact.value = snoozed_until(entry, fact.at).map(|end| end.to_string()),
        Kind::UrgencyChanged => {
            fact.value = urgency(entry).map(|urgency| urgency.as_str().to_owned());
        }
        Kind::PriorityChanged => (fact.value, fact.detail) = priorities(entry),
        Kind::StatusUpdated => {
            fact.value = channel.and_then(|channel| {
                said(channel.message.as_ref()).or_else(|| said(channel.summary.as_ref()))
            });
        }
        Kind::Responder => {
            fact.people = people(&entry.assignees);
            fact.value = Some("pending".to_owned());
            fact.detail = channel.and_then(|channel| said(channel.summary.as_ref()));
        }
        Kind::Other => fact.value = Some(word.to_owned()),
        _ => {}
    }
    fact
}

/// The key by which the sender says that it is the same matter.
fn sender_key(channel: &Channel) -> Option<String> {
    said(channel.incident_key.as_ref()).or_else(|| said(channel.dedup_key.as_ref()))
}

/// The title at that time: an event's description, else the incident's summary of today.
fn title(entry: &LogEntry) -> Option<String> {
    let details = entry.event_details.as_ref();
    let channel = entry.channel.as_ref();
    let incident = entry.incident.as_ref();
    details
        .and_then(|details| said(details.description.as_ref()))
        .or_else(|| channel.and_then(|channel| said(channel.subject.as_ref())))
        .or_else(|| channel.and_then(|channel| said(channel.description.as_ref())))
        .or_else(|| incident?.summary.as_deref().map(without_number))
}

fn notified(entry: &LogEntry) -> Option<Person> {
    let channel = entry.channel.as_ref();
    entry.user.as_ref().and_then(Ref::person).or_else(|| {
        let notification = channel?.notification.as_ref()?;
        notification.user.as_ref()?.person()
    })
}

/// One word for the many spellings: `ios_push_notification` and `push` are both `push`.
fn message_channel(channel: Option<&Channel>) -> &'static str {
    let told = channel.and_then(|channel| {
        let notification = channel.notification.as_ref();
        let kind = notification.and_then(|notification| notification.kind.as_deref());
        kind.or(channel.kind.as_deref())
    });
    let told = told.unwrap_or_default().to_ascii_lowercase();
    ["push", "phone", "sms", "email", "whatsapp", "slack"]
        .into_iter()
        .find(|word| told.contains(word))
        .unwrap_or("unknown")
}

fn snoozed_until(entry: &LogEntry, at: Timestamp) -> Option<Timestamp> {
    let seconds = entry.channel.as_ref().and_then(|channel| *channel.duration);
    let by_length = seconds
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| at.checked_add(SignedDuration::from_secs(seconds)).ok());
    by_length.or_else(|| {
        let mut actions = entry.changed_actions.iter();
        actions
            .find(|action| action.kind.as_deref() == Some("unacknowledge"))
            .and_then(|action| *action.at)
    })
}

/// The new urgency. No field for it is documented, so the sentence is the last resort.
fn urgency(entry: &LogEntry) -> Option<Urgency> {
    let channel = entry.channel.as_ref();
    let told = channel.and_then(|channel| {
        let new = channel.new_urgency.as_deref().and_then(Urgency::parse);
        new.or_else(|| Urgency::parse(channel.urgency.as_deref()?))
    });
    told.or_else(|| {
        let mut actions = entry.changed_actions.iter();
        let change = actions.find(|action| action.kind.as_deref() == Some("urgency_change"))?;
        Urgency::parse(change.to.as_deref()?)
    })
    .or_else(|| urgency_in(entry.summary.as_deref()?))
}

/// The urgency in `Urgency changed to high by Ann.` or `… from high to low`.
fn urgency_in(sentence: &str) -> Option<Urgency> {
    let lower = sentence.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.find(|word| *word == "to")?;
    Urgency::parse(words.next()?)
}

/// What the changed fields say now.
fn changed_fields(channel: Option<&Channel>) -> Vec<CustomField> {
    let changeset = channel.and_then(|channel| channel.changeset.as_ref());
    let fields = changeset.map(|changeset| changeset.customer_fields.iter());
    let fields = fields.into_iter().flatten();
    fields.filter_map(custom_field).collect()
}

/// The new priority's name, and the old one's id or name.
fn priorities(entry: &LogEntry) -> (Option<String>, Option<String>) {
    let channel = entry.channel.as_ref();
    let new = channel.and_then(|channel| channel.new_priority.as_ref()?.label());
    let old = channel.and_then(|channel| channel.old_priority.as_ref());
    let old = old.and_then(|old| old.id.clone().or_else(|| old.label()));
    if new.is_some() || old.is_some() {
        return (new, old);
    }
    // `Priority changed from "P2" to "P1".`
    let sentence = entry.summary.as_deref().unwrap_or_default();
    let mut quoted = sentence.split('"').skip(1).step_by(2).map(str::to_owned);
    match (quoted.next(), quoted.next()) {
        (Some(old), Some(new)) => (Some(new), Some(old)),
        (Some(one), None) => (Some(one), None),
        (None, _) => (None, None),
    }
}
