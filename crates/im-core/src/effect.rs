//! What the other side still has to hear of.
//!
//! Nothing is replayed: an effect is the difference between what is true here and what
//! PagerDuty shows, and it exists only while a command that PagerDuty has not answered asks for
//! it. So an intent that was overtaken disappears by itself. What the settings kept here asks
//! again as soon as they let it through: notes alone do not, for they are of their time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::custom_fields::said;
use crate::{
    Actor, Direction, Kind, Mapping, PeerStatus, Pending, SeveritySource, Story, fields_to_set,
};

/// A change owed to PagerDuty's incident. What exactly is sent is read off the story when the
/// call is made, so the newest intent wins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Make the twin.
    Create,
    /// Bring its state to this.
    Status(PeerStatus),
    /// Post the text of this command.
    Note(String),
    /// Leave a word where a resolve does not cross (`auto_resolve` is off).
    Say(String),
    /// Rename it.
    Title,
    /// Set the urgency, and the priority where one is mapped, that go with the severity.
    Urgency,
    /// Give it to the same people.
    Assign,
    /// Move it to the same service.
    Service,
    /// Set its custom fields.
    Fields,
}

impl Effect {
    /// What it is called in lists and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Status(PeerStatus::Triggered) => "reopen",
            Self::Status(PeerStatus::Acknowledged) => "acknowledge",
            Self::Status(PeerStatus::Resolved) => "resolve",
            Self::Note(_) | Self::Say(_) => "note",
            Self::Title => "rename",
            Self::Urgency => "urgency",
            Self::Assign => "assign",
            Self::Service => "move",
            Self::Fields => "fields",
        }
    }
}

/// An effect and the commands that it carries to the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// What to change.
    pub effect: Effect,
    /// The commands behind it, oldest first.
    pub commands: Vec<String>,
    /// Who asked last.
    pub actor: Actor,
    /// When it was first asked for.
    pub since: Timestamp,
}

/// What is owed for a story, and which commands need nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Debts {
    /// In the order in which they must be paid.
    pub owed: Vec<Owed>,
    /// Commands whose goal is reached without a call.
    pub moot: Vec<String>,
    /// Commands that the settings keep here.
    pub kept: Vec<String>,
}

/// Compares what is true here with what PagerDuty shows.
pub fn owed(story: &Story, mapping: &Mapping) -> Debts {
    let mut debts = Debts::default();
    let exists = story.peer.is_some();
    let pending = || story.pending.iter().map(|pending| pending.command.clone());
    let there = story.peer.as_ref().and_then(|peer| peer.service.as_ref());
    let is_left_out = there.is_some_and(|service| !mapping.is_synced(&service.id));
    if mapping.direction == Direction::Inbound || is_left_out {
        debts.kept = pending().collect();
        return debts;
    }
    if !exists && !is_to_be_made(story) {
        debts.moot = pending().collect();
        return debts;
    }
    let mut born = Bundle::default();
    let mut status = Bundle::default();
    let [mut title, mut urgency, mut assign, mut service, mut fields] = <[Bundle; 5]>::default();
    let fresh = story.pending.iter().map(|pending| (pending, true));
    let again = story.kept.iter().filter(|kept| still_says(kept, story));
    let again = again.map(|kept| (kept, false));
    for (pending, is_new) in again.chain(fresh) {
        let kind = pending.kind;
        let is_held = is_held(pending, mapping);
        let pending = (pending, is_new);
        if kind == Kind::Triggered || (!exists && kind == Kind::Reopened) {
            born.add(pending);
        } else if kind.is_step() {
            status.add(pending);
        } else if kind == Kind::Assigned {
            assign.add(pending);
        } else if is_held {
            fields.add(pending);
        } else if kind == Kind::Noted && is_new {
            debts.note(pending.0, mapping);
        } else if exists && kind == Kind::Titled {
            title.add(pending);
        } else if exists && kind == Kind::SeverityChanged {
            urgency.add(pending);
        } else if exists && kind == Kind::ServiceChanged {
            service.add(pending);
        } else if is_part_of_create(kind) {
            born.add(pending);
        } else if is_new {
            debts.moot.push(pending.0.command.clone());
        }
    }
    let title_differs = story
        .peer
        .as_ref()
        .is_none_or(|peer| peer.title.as_ref() != Some(&story.title));
    debts.settle(born, Effect::Create, !exists);
    debts.settle_status(status, story, mapping);
    debts.settle(title, Effect::Title, title_differs);
    debts.settle(urgency, Effect::Urgency, severity_differs(story, mapping));
    let assign_differs = assignees_differ(story, debts.reopens());
    debts.settle(assign, Effect::Assign, assign_differs);
    debts.settle(service, Effect::Service, service_differs(story, mapping));
    let fields_differ = !fields_to_set(story, mapping).is_empty();
    debts.settle(fields, Effect::Fields, fields_differ);
    let reopened_at = debts.reopened_at(story);
    debts
        .owed
        .sort_by(|a, b| order(a, reopened_at).cmp(&order(b, reopened_at)));
    debts
}

/// Whether PagerDuty is to have a twin of an incident that has none.
///
/// One that ended before PagerDuty heard of it is not sent: nobody is paged for the past. One
/// that is opened again is. One that was never to be sent stays here whatever is done to it.
fn is_to_be_made(story: &Story) -> bool {
    let begins = |pending: &Pending| matches!(pending.kind, Kind::Triggered | Kind::Reopened);
    let mut asked = story.pending.iter().chain(&story.kept);
    story.born_here && !story.deleted && story.status.is_open() && asked.any(begins)
}

/// The twin comes first; then everything in the order in which it was asked for. PagerDuty gives what
/// is over to nobody, so people wait for the call that opens it again.
fn order(owed: &Owed, reopened_at: Option<Timestamp>) -> (bool, Timestamp, u8, &[String]) {
    // A state and its note are asked for at once: the state goes first.
    let rank = match owed.effect {
        Effect::Create | Effect::Status(_) => 0,
        Effect::Title | Effect::Urgency | Effect::Assign | Effect::Service | Effect::Fields => 1,
        Effect::Note(_) | Effect::Say(_) => 2,
    };
    let since = match reopened_at {
        Some(at) if owed.effect == Effect::Assign => owed.since.max(at),
        _ => owed.since,
    };
    (owed.effect != Effect::Create, since, rank, &owed.commands)
}

/// Whether what was kept here is still what the incident says: PagerDuty may have been given another
/// priority, or another value of the field, since.
fn still_says(kept: &Pending, story: &Story) -> bool {
    match (kept.kind, &kept.detail) {
        (Kind::SeverityChanged, _) => is_explicit(story),
        (Kind::FieldsChanged, Some(name)) => said(&story.fields, name) == kept.value.as_deref(),
        _ => true,
    }
}

fn is_explicit(story: &Story) -> bool {
    matches!(story.severity, Some((_, SeveritySource::Explicit)))
}

/// Whether it is about a field that PagerDuty has a custom field for.
fn is_held(pending: &Pending, mapping: &Mapping) -> bool {
    let name = pending.detail.as_deref();
    let name = name.filter(|_| pending.kind == Kind::FieldsChanged);
    name.is_some_and(|name| mapping.field_there(name).is_some())
}

/// What a new twin is made with. For a twin that exists these need nothing more: a description, in
/// which the fields stand that PagerDuty does not hold, cannot be changed there.
fn is_part_of_create(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Titled
            | Kind::SeverityChanged
            | Kind::ServiceChanged
            | Kind::Described
            | Kind::FieldsChanged
    )
}

/// Whether PagerDuty shows another urgency or priority than goes with the severity that people here gave.
fn severity_differs(story: &Story, mapping: &Mapping) -> bool {
    let Some((severity, SeveritySource::Explicit)) = story.severity else {
        return false;
    };
    let peer = story.peer.as_ref();
    let urgency = peer.and_then(|peer| peer.urgency);
    let priority = peer.and_then(|peer| peer.priority.as_ref());
    let priority = priority.map(|priority| priority.id.as_str());
    urgency != Some(mapping.urgency(severity)) || mapping.priority_differs(severity, priority)
}

fn assignees_differ(story: &Story, reopens: bool) -> bool {
    let Some(peer) = &story.peer else { return true };
    // Whether people known here by e-mail are PagerDuty's users shows when the call is made.
    story.status.is_open()
        && (peer.status != PeerStatus::Resolved || reopens)
        && !story.deleted
        && (story.assignees.len() != peer.assignees.len()
            || !story
                .assignees
                .iter()
                .all(|person| peer.assignees.iter().any(|have| have.id == person.id)))
}

fn service_differs(story: &Story, mapping: &Mapping) -> bool {
    let shown = story.peer.as_ref().and_then(|peer| peer.service.as_ref());
    let wanted = mapping.service_for(&story.traits());
    shown.is_none_or(|service| service.id != wanted)
}

/// Commands that one call carries together.
#[derive(Default)]
struct Bundle {
    commands: Vec<String>,
    actor: Actor,
    since: Option<Timestamp>,
    reopens: bool,
    deletes: bool,
    /// Whether they were kept here before, and nobody asked for anything since.
    again: bool,
}

impl Bundle {
    fn add(&mut self, (asked, is_new): (&Pending, bool)) {
        self.reopens |= asked.kind == Kind::Reopened;
        self.deletes |= asked.kind == Kind::Deleted;
        // Who asks now counts, and where nobody does, who asked last.
        if self.again && is_new {
            self.commands.clear();
            self.since = None;
        }
        self.again = !is_new;
        self.commands.push(asked.command.clone());
        self.actor = asked.actor.clone();
        self.since = self.since.filter(|_| is_new).or(Some(asked.at));
    }

    /// The commands that wait for a word of what becomes of them.
    fn waiting(self) -> Vec<String> {
        if self.again {
            Vec::new()
        } else {
            self.commands
        }
    }
}

impl Debts {
    /// Whether what is over there is to be opened again.
    fn reopens(&self) -> bool {
        self.opening().is_some()
    }

    /// Since when what is over there is to be opened again.
    fn reopened_at(&self, story: &Story) -> Option<Timestamp> {
        let is_over = story.peer.as_ref()?.status == PeerStatus::Resolved;
        self.opening()
            .filter(|_| is_over)
            .map(|opening| opening.since)
    }

    fn opening(&self) -> Option<&Owed> {
        let opens =
            |owed: &&Owed| matches!(owed.effect, Effect::Status(to) if to != PeerStatus::Resolved);
        self.owed.iter().find(opens)
    }

    fn note(&mut self, pending: &Pending, mapping: &Mapping) {
        if mapping.sync_notes {
            self.owed.push(Owed {
                effect: Effect::Note(pending.command.clone()),
                commands: vec![pending.command.clone()],
                actor: pending.actor.clone(),
                since: pending.at,
            });
        } else {
            self.kept.push(pending.command.clone());
        }
    }

    fn settle(&mut self, bundle: Bundle, effect: Effect, differs: bool) {
        let Some(since) = bundle.since else { return };
        if differs {
            self.owed.push(Owed {
                effect,
                commands: bundle.commands,
                actor: bundle.actor,
                since,
            });
        } else {
            self.moot.extend(bundle.waiting());
        }
    }

    fn settle_status(&mut self, bundle: Bundle, story: &Story, mapping: &Mapping) {
        let wanted = if story.deleted {
            PeerStatus::Resolved
        } else {
            story.status.at_peer()
        };
        let shown = story
            .peer
            .as_ref()
            .map_or(PeerStatus::Triggered, |peer| peer.status);
        let stays = wanted == PeerStatus::Resolved && !mapping.auto_resolve && !story.deleted;
        if stays && (bundle.again || (wanted != shown && !mapping.sync_notes)) {
            self.kept.extend(bundle.waiting());
        } else if stays && mapping.sync_notes {
            let who = bundle.actor.label().unwrap_or("somebody").to_owned();
            let say = Effect::Say(format!(
                "{} in im by {who}; not resolved in PagerDuty (auto_resolve is off)",
                story.status
            ));
            self.settle(bundle, say, wanted != shown);
        } else if (shown == PeerStatus::Resolved && !bundle.reopens)
            || (story.deleted && !bundle.deletes)
        {
            // Somebody there was faster, and only a reopening may undo that (S60); or opened again
            // what was deleted here, which nothing that was asked before the deletion may undo.
            self.moot.extend(bundle.waiting());
        } else {
            self.settle(bundle, Effect::Status(wanted), wanted != shown);
        }
    }
}
