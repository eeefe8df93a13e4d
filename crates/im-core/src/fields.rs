//! What people and PagerDuty said of an incident: its fields, apart from its state.

use jiff::Timestamp;

use crate::acts::Act;
use crate::custom_fields::fields_here;
use crate::{
    Fact, Kind, Mapping, Named, Peer, PeerStatus, Person, Severity, SeveritySource, Snapshot,
    Source, Story,
};

/// What PagerDuty was heard to show; what was only looked at does not change what we say.
pub(crate) struct Shown<'a> {
    /// The newest of each field.
    pub(crate) peer: Option<&'a Peer>,
    /// Everything, oldest first.
    pub(crate) snapshots: &'a [&'a Snapshot],
    /// The priority, and since when it is that.
    pub(crate) priority: Option<(Timestamp, &'a Named)>,
}

/// Sets the fields of `story`.
pub(crate) fn fields(
    story: &mut Story,
    acts: &[Act<'_>],
    taker: Option<Person>,
    shown: &Shown<'_>,
    mapping: Option<&Mapping>,
) {
    let peer = shown.peer;
    let latest = |kind: Kind| {
        acts.iter()
            .rev()
            .find(|act| act.fact.kind == kind && !act.silent)
    };
    let said = |kind: Kind| latest(kind).and_then(|act| act.fact.value.clone());
    // While our own change is on its way it is what we say; afterwards PagerDuty's title is.
    let unsent = |kind: Kind| {
        acts.iter()
            .rev()
            .find(|act| act.fact.kind == kind && act.fact.source == Source::Command)
            .filter(|act| act.is_pending())
            .and_then(|act| act.fact.value.clone())
    };
    let birth = acts
        .iter()
        .find(|act| act.fact.kind == Kind::Triggered)
        .and_then(|act| act.fact.value.clone());
    story.title = unsent(Kind::Titled)
        .or_else(|| peer.and_then(|peer| peer.title.clone()))
        .or_else(|| said(Kind::Titled))
        .or(birth)
        .unwrap_or_else(|| "(no title)".to_owned());
    story.description = said(Kind::Described);
    story.severity = severity(acts, shown, mapping);
    story.service = service(acts, peer, mapping, unsent(Kind::ServiceChanged));
    story.service_id = said_service(acts)
        .filter(|fact| fact.value == story.service)
        .and_then(|fact| fact.detail.clone());
    story.fields = fields_here(acts, mapping);
    story.assignees = assignees(acts, taker, shown.snapshots);
}

/// What a person said, unless somebody gave the twin another mapped priority since; else what
/// PagerDuty's fields suggest.
fn severity(
    acts: &[Act<'_>],
    shown: &Shown<'_>,
    mapping: Option<&Mapping>,
) -> Option<(Severity, SeveritySource)> {
    let explicit = acts
        .iter()
        .rev()
        .find(|act| act.fact.kind == Kind::SeverityChanged)
        .and_then(|act| Some((act, act.fact.value.as_deref()?.parse().ok()?)));
    let Some((act, said)) = explicit else {
        let peer = shown.peer?;
        return mapping?.severity(peer.priority.as_ref(), peer.urgency);
    };
    let said_at = acts
        .iter()
        .find(|birth| birth.fact.kind == Kind::Triggered && birth.fact.at == act.fact.at)
        .map_or(act.at, |birth| birth.at.min(act.at));
    let there = shown.priority.and_then(|(since, priority)| {
        let mapping = mapping?;
        // Several severities may share a priority: keep the one that people said.
        let is_news = since > said_at && mapping.priority_id(said) != Some(priority.id.as_str());
        let severity = mapping.severity_of_priority(&priority.id)?;
        is_news.then_some((severity, SeveritySource::Priority))
    });
    there.or(Some((said, SeveritySource::Explicit)))
}

fn service(
    acts: &[Act<'_>],
    peer: Option<&Peer>,
    mapping: Option<&Mapping>,
    unsent: Option<String>,
) -> Option<String> {
    let there = peer.and_then(|peer| peer.service.as_ref());
    unsent.or_else(|| match there {
        // Several names may share a PagerDuty service: keep the one that people said.
        Some(there) => said_service(acts)
            .filter(|said| {
                let (name, own) = (said.value.as_deref(), said.detail.as_deref());
                mapping.is_none_or(|mapping| mapping.may_be_on(name, own, &there.id))
            })
            .and_then(|said| said.value.clone())
            .or_else(|| {
                mapping
                    .and_then(|mapping| mapping.service_name(&there.id))
                    .map(str::to_owned)
            })
            .or_else(|| there.name.clone())
            .or_else(|| Some(there.id.clone())),
        None => said_service(acts).and_then(|said| said.value.clone()),
    })
}

/// What people said last of the service.
fn said_service<'a>(acts: &[Act<'a>]) -> Option<&'a Fact> {
    let is_it = |act: &&Act<'_>| {
        act.fact.kind == Kind::ServiceChanged && act.fact.source == Source::Command
    };
    acts.iter().rev().find(is_it).map(|act| act.fact)
}

/// Who has it: the last assignment, or what PagerDuty showed since, or else whoever took it.
/// PagerDuty empties its list on resolve, which unassigns nobody. An assignment that was given up
/// before PagerDuty heard of it is none.
/// While the last of our own is on its way it is what we say; where both sides assign, whose counts is decided when
/// that is heard (ADR 0014).
fn assignees(acts: &[Act<'_>], taker: Option<Person>, snapshots: &[&Snapshot]) -> Vec<Person> {
    let is_ours = |act: &&Act<'_>| {
        act.fact.kind == Kind::Assigned && act.fact.source == Source::Command && !act.is_given_up()
    };
    let last = acts.iter().rev().find(is_ours);
    if let Some(act) = last.filter(|act| act.is_pending()) {
        return act.fact.people.clone();
    }
    let given_up = |act: &Act<'_>| act.is_given_up() && !snapshots.is_empty();
    let given = acts.iter().rev().find(|act| {
        matches!(
            act.fact.kind,
            Kind::Assigned | Kind::Escalated | Kind::Delegated
        ) && !act.fact.people.is_empty()
            && act.fact.source != Source::Look
            && !given_up(act)
    });
    let shown = snapshots.iter().rev().find(|snapshot| {
        snapshot.status != Some(PeerStatus::Resolved)
            && snapshot
                .assignees
                .as_ref()
                .is_some_and(|people| !people.is_empty())
    });
    let newer = |snapshot: &Snapshot, act: &Act<'_>| {
        !act.is_pending() && snapshot.version.as_second() >= act.at.as_second()
    };
    match (given, shown) {
        (Some(act), Some(snapshot)) if newer(snapshot, act) => {
            snapshot.assignees.clone().unwrap_or_default()
        }
        (Some(act), _) => act.fact.people.clone(),
        (None, Some(snapshot)) => snapshot.assignees.clone().unwrap_or_default(),
        (None, None) => taker.into_iter().collect(),
    }
}
