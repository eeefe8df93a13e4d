//! Both sides changed the same field before either heard of the other: whose value counts.
//!
//! A conflict is seen when a report is recorded: PagerDuty shows another value than it did, and a change of ours to that field is still
//! owed. The settings of that moment say what becomes of it (ADR 0014), so a later change of the settings takes nothing back.
//!
//! A state is never held for a review: `fold` merges the steps of both sides, and a conflict only tells what came of it.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Direction, Effect, Fact, Kind, Mapping, PeerStatus, Pending, Person, Source, Story, Traits,
};

/// A field that both sides have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// What people call the incident.
    Title,
    /// More about it.
    Description,
    /// How bad it is here; the urgency there.
    Severity,
    /// Its state.
    Status,
    /// Who has it.
    AssignedTo,
    /// What it affects.
    Service,
    /// By which policy PagerDuty pages for it.
    EscalationPolicy,
}

impl Field {
    /// Every one, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Title,
        Self::Description,
        Self::Severity,
        Self::Status,
        Self::AssignedTo,
        Self::Service,
        Self::EscalationPolicy,
    ];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Severity => "severity",
            Self::Status => "status",
            Self::AssignedTo => "assigned_to",
            Self::Service => "service",
            Self::EscalationPolicy => "escalation_policy",
        }
    }

    /// The field of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }

    /// Why its owner cannot be another one, where it cannot.
    pub fn fixed(self) -> Option<&'static str> {
        match self {
            Self::Title | Self::AssignedTo | Self::Service => None,
            Self::Description => Some("PagerDuty's text is written once, with the incident"),
            Self::Severity => {
                Some("the newer counts of a severity given here and a mapped priority set there")
            }
            Self::Status => Some(
                "a resolve beats an acknowledgement beats a trigger, unless it is reopened later",
            ),
            Self::EscalationPolicy => Some("`im` names a policy once, with the incident"),
        }
    }

    /// The effect that brings our value of it to PagerDuty, where a conflict can hold that up.
    pub fn of(effect: &Effect) -> Option<Self> {
        match effect {
            Effect::Title => Some(Self::Title),
            Effect::Assign => Some(Self::AssignedTo),
            Effect::Service => Some(Self::Service),
            Effect::Create
            | Effect::Status(_)
            | Effect::Note(_)
            | Effect::Say(_)
            | Effect::Urgency
            | Effect::Fields => None,
        }
    }

    /// Whether a command of this kind sets it.
    pub fn is_set_by(self, kind: Kind) -> bool {
        match self {
            Self::Title => kind == Kind::Titled,
            Self::AssignedTo => kind == Kind::Assigned,
            Self::Service => kind == Kind::ServiceChanged,
            Self::Status => kind.is_step(),
            Self::Description | Self::Severity | Self::EscalationPolicy => false,
        }
    }
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Here.
    Platform,
    /// At PagerDuty.
    External,
}

impl Side {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::External => "external",
        }
    }

    /// The side of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Platform, Self::External]
            .into_iter()
            .find(|side| side.as_str() == word)
    }
}

/// Which side a field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The side.
    pub side: Side,
    /// How much the owner's value weighs; the other side's weighs nothing, so at zero neither outranks the other.
    pub priority: u8,
}

/// How a conflict is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// By the owner of the field; where neither side outranks the other, the later change counts.
    #[default]
    OwnershipPriority,
    /// The later change counts.
    LastWriteWins,
    /// A person decides.
    ManualReview,
}

impl Strategy {
    /// Every one.
    pub const ALL: [Self; 3] = [
        Self::OwnershipPriority,
        Self::LastWriteWins,
        Self::ManualReview,
    ];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnershipPriority => "ownership-priority",
            Self::LastWriteWins => "last-write-wins",
            Self::ManualReview => "manual-review",
        }
    }

    /// The strategy of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// Whose value of which field counts where both sides changed it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Ownership {
    /// How that is decided.
    pub strategy: Strategy,
    /// Owners that differ from the documented ones.
    pub owners: Vec<(Field, Owner)>,
}

impl Ownership {
    /// The documented owner of a field.
    pub fn documented(field: Field) -> Owner {
        let (side, priority) = match field {
            Field::Title | Field::Description => (Side::Platform, 10),
            Field::Severity | Field::Status | Field::Service => (Side::Platform, 5),
            Field::AssignedTo | Field::EscalationPolicy => (Side::External, 5),
        };
        Owner { side, priority }
    }

    /// The owner of a field.
    pub fn of(&self, field: Field) -> Owner {
        let own = self.owners.iter().find(|(known, _)| *known == field);
        own.map_or_else(|| Self::documented(field), |(_, owner)| *owner)
    }

    /// The side that counts whichever change is later; `None` where that decides, or a person.
    fn outranks(&self, field: Field) -> Option<Side> {
        let owner = self.of(field);
        let ranks = self.strategy == Strategy::OwnershipPriority && owner.priority > 0;
        ranks.then_some(owner.side)
    }

    /// Whether a change of ours may have to give way, so that PagerDuty is looked at before it is sent.
    pub fn may_yield(&self, effect: &Effect) -> bool {
        Field::of(effect).is_some_and(|field| self.outranks(field) != Some(Side::Platform))
    }
}

/// A field that both sides changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Which.
    pub field: Field,
    /// What PagerDuty showed before.
    pub base: String,
    /// What was asked for here, when last, and by whom.
    pub ours: String,
    /// When.
    pub ours_at: Timestamp,
    /// By whom, by name, where known.
    pub ours_by: Option<String>,
    /// What PagerDuty shows now.
    pub theirs: String,
    /// Since when, as far as PagerDuty tells.
    pub theirs_at: Timestamp,
    /// How it is decided.
    pub strategy: Strategy,
    /// Whose value counts, and why; `None` where a person has to say.
    pub verdict: Option<(Side, String)>,
}

impl Conflict {
    /// Whether PagerDuty's value counts because it came later, and one of ours came after it since.
    pub fn is_outrun(&self, asked_at: Timestamp) -> bool {
        let verdict = self.verdict.as_ref();
        verdict.is_some_and(|(_, why)| why == LATER_THERE) && is_later(asked_at, self.theirs_at)
    }
}

/// Whether anything was asked for here that PagerDuty has not answered, so that there may be conflicts.
pub fn is_anything_asked(facts: &[Fact]) -> bool {
    let answered: HashSet<&str> = facts
        .iter()
        .filter_map(|fact| fact.answers.as_deref())
        .collect();
    let is_asked =
        |fact: &Fact| fact.source == Source::Command && !answered.contains(fact.source_id.as_str());
    facts.iter().any(is_asked)
}

/// The conflicts that `news` brought: `before` is the story without them, `after` and `facts` are with them.
pub fn conflicts(
    (before, after): (&Story, &Story),
    (facts, news): (&[Fact], &[Fact]),
    mapping: &Mapping,
) -> Vec<Conflict> {
    if mapping.direction != Direction::Bidirectional {
        return Vec::new();
    }
    let is_asked = |fact: &&Fact| {
        let mut asked = before.pending.iter();
        fact.source == Source::Command && asked.any(|pending| pending.command == fact.source_id)
    };
    let answers = news.iter().filter(|fact| fact.source == Source::Answer);
    let ours: Vec<&Fact> = facts.iter().filter(is_asked).chain(answers).collect();
    let fields = [Field::Title, Field::AssignedTo, Field::Service];
    let held = fields
        .into_iter()
        .filter_map(|field| conflict(field, before, after, &ours, mapping));
    held.chain(states(before, after, &ours)).collect()
}

/// What a conflict is about, as far as a side shows it: what is compared, and what people read.
type Shown = (String, String);

fn conflict(
    field: Field,
    before: &Story,
    after: &Story,
    own: &[&Fact],
    mapping: &Mapping,
) -> Option<Conflict> {
    let last = asked(field, before)?;
    // What PagerDuty has by now is settled.
    asked(field, after)?;
    let base = shown(field, before)?;
    let theirs = shown(field, after)?;
    let ours = wanted(field, before, mapping);
    let is_ours = || is_ours(field, &theirs.0, own, &before.traits(), mapping);
    if base.0 == theirs.0 || ours.0 == theirs.0 || is_ours() {
        return None;
    }
    // The version that an answer to our own call shows is the time of that call.
    let shown_at = after.peer.as_ref()?.version;
    let by_us = own.iter().any(|fact| {
        let shown = fact
            .snapshot
            .as_ref()
            .filter(|_| fact.source == Source::Answer);
        shown.is_some_and(|shown| shown.version == shown_at)
    });
    let theirs_at = if by_us {
        before.peer.as_ref()?.version
    } else {
        shown_at
    };
    let ours_at = last.at;
    let ownership = &mapping.ownership;
    let verdict = match (ownership.strategy, ownership.outranks(field)) {
        (Strategy::ManualReview, _) => None,
        (_, Some(side)) => Some((side, format!("{} owns {}", side.as_str(), field.as_str()))),
        (_, None) if !is_later(ours_at, theirs_at) => {
            Some((Side::External, LATER_THERE.to_owned()))
        }
        (_, None) => Some((Side::Platform, LATER_HERE.to_owned())),
    };
    Some(Conflict {
        field,
        base: base.1,
        ours: ours.1,
        ours_at,
        ours_by: last.actor.label().map(str::to_owned),
        theirs: theirs.1,
        theirs_at,
        strategy: ownership.strategy,
        verdict,
    })
}

/// Whether a change here came after one at PagerDuty, which tells whole seconds: of the same one, PagerDuty's is
/// taken for the later.
fn is_later(ours: Timestamp, theirs: Timestamp) -> bool {
    ours.as_second() > theirs.as_second()
}

const LATER_THERE: &str = "the change at PagerDuty was later";
/// Why our value counts where the later change does.
pub const LATER_HERE: &str = "the change here was later";

/// Both sides went on to different states: what the merge of their steps made of it.
fn states(before: &Story, after: &Story, own: &[&Fact]) -> Option<Conflict> {
    let last = asked(Field::Status, before)?;
    let (was, is) = (before.peer.as_ref()?, after.peer.as_ref()?);
    let (ours, theirs) = (before.status.at_peer(), is.status);
    let is_ours = own.iter().any(|fact| leads_to(fact.kind) == Some(theirs));
    if was.status == theirs || ours == theirs || ours == was.status || is_ours {
        return None;
    }
    let now = after.status.at_peer();
    let word = |status: PeerStatus| match status {
        PeerStatus::Triggered => "a trigger",
        PeerStatus::Acknowledged => "an acknowledgement",
        PeerStatus::Resolved => "a resolve",
    };
    let (side, stronger, weaker) = if now == theirs {
        (Side::External, theirs, ours)
    } else {
        (Side::Platform, ours, theirs)
    };
    let why = match stronger {
        PeerStatus::Triggered => "it was opened again later".to_owned(),
        PeerStatus::Acknowledged | PeerStatus::Resolved => {
            format!("{} beats {}", word(stronger), word(weaker))
        }
    };
    Some(Conflict {
        field: Field::Status,
        base: was.status.as_str().to_owned(),
        ours: ours.as_str().to_owned(),
        ours_at: last.at,
        ours_by: last.actor.label().map(str::to_owned),
        theirs: theirs.as_str().to_owned(),
        theirs_at: is.status_at.unwrap_or(is.version),
        strategy: Strategy::OwnershipPriority,
        verdict: Some((side, why)),
    })
}

/// The state in which a step leaves PagerDuty's incident.
fn leads_to(kind: Kind) -> Option<PeerStatus> {
    let states = [
        (
            PeerStatus::Triggered,
            [Kind::Triggered, Kind::Unacknowledged, Kind::Reopened].as_slice(),
        ),
        (
            PeerStatus::Acknowledged,
            &[Kind::Acknowledged, Kind::Mitigated],
        ),
        (
            PeerStatus::Resolved,
            &[
                Kind::Resolved,
                Kind::Closed,
                Kind::Canceled,
                Kind::Duplicate,
                Kind::Deleted,
            ],
        ),
    ];
    let mut states = states.into_iter();
    let state = states.find(|(_, steps)| steps.contains(&kind));
    state.map(|(status, _)| status)
}

/// The last command for a field that PagerDuty has not answered.
fn asked(field: Field, story: &Story) -> Option<&Pending> {
    let mut asked = story.pending.iter().rev();
    asked.find(|pending| field.is_set_by(pending.kind))
}

/// What PagerDuty shows of a field. Whom it gave what is over to, it does not say.
fn shown(field: Field, story: &Story) -> Option<Shown> {
    let peer = story.peer.as_ref()?;
    match field {
        Field::Title => peer.title.clone().map(|title| (title.clone(), title)),
        Field::AssignedTo if peer.status != PeerStatus::Resolved => Some(holders(&peer.assignees)),
        Field::Service => {
            let service = peer.service.as_ref()?;
            let name = service.name.as_ref().unwrap_or(&service.id);
            Some((service.id.clone(), name.clone()))
        }
        Field::AssignedTo
        | Field::Description
        | Field::Severity
        | Field::Status
        | Field::EscalationPolicy => None,
    }
}

/// What we ask for.
fn wanted(field: Field, story: &Story, mapping: &Mapping) -> Shown {
    match field {
        Field::AssignedTo => holders(&story.assignees),
        Field::Service => {
            let id = mapping.service_for(&story.traits()).to_owned();
            (id, asked_for(field, story))
        }
        Field::Title
        | Field::Description
        | Field::Severity
        | Field::Status
        | Field::EscalationPolicy => (story.title.clone(), asked_for(field, story)),
    }
}

/// What we ask for, as people read it.
pub fn asked_for(field: Field, story: &Story) -> String {
    match field {
        Field::AssignedTo => holders(&story.assignees).1,
        Field::Service => {
            let service = story.service.clone();
            service.unwrap_or_else(|| "the connector's own service".to_owned())
        }
        Field::Title
        | Field::Description
        | Field::Severity
        | Field::Status
        | Field::EscalationPolicy => story.title.clone(),
    }
}

/// Whether PagerDuty shows a value of a field, as people read it.
pub fn is_shown(field: Field, said: &str, story: &Story) -> bool {
    shown(field, story).is_some_and(|(_, shown)| shown == said)
}

fn holders(people: &[Person]) -> Shown {
    let mut ids: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    ids.sort_unstable();
    let names = people
        .iter()
        .map(|person| person.name.as_deref().unwrap_or(&person.id));
    let names: Vec<&str> = names.collect();
    let said = if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(", ")
    };
    (ids.join(","), said)
}

/// Whether a value is one that our own commands ask for: PagerDuty shows it because of them.
fn is_ours(
    field: Field,
    value: &str,
    own: &[&Fact],
    traits: &Traits<'_>,
    mapping: &Mapping,
) -> bool {
    let mut set = own.iter().filter(|fact| field.is_set_by(fact.kind));
    set.any(|fact| match field {
        Field::AssignedTo => holders(&fact.people).0 == value,
        Field::Service => {
            let of_fact = Traits {
                service: fact.value.as_deref(),
                service_id: fact.detail.as_deref(),
                ..*traits
            };
            mapping.service_for(&of_fact) == value
        }
        Field::Title
        | Field::Description
        | Field::Severity
        | Field::Status
        | Field::EscalationPolicy => fact.value.as_deref() == Some(value),
    })
}
