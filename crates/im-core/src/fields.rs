//! What people and PagerDuty said of an incident: its fields, apart from its state.

use crate::acts::Act;
use crate::{
    Kind, Mapping, Peer, PeerStatus, Person, Severity, SeveritySource, Snapshot, Source, Story,
};

/// Sets the fields of `story`. `peer` and `snapshots` are what PagerDuty was heard to show; what was
/// only looked at does not change what we say.
pub(crate) fn fields(
    story: &mut Story,
    acts: &[Act<'_>],
    taker: Option<Person>,
    (peer, snapshots): (Option<&Peer>, &[&Snapshot]),
    mapping: Option<&Mapping>,
) {
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
    story.severity = severity(acts, peer, mapping);
    story.service = service(acts, peer, mapping, unsent(Kind::ServiceChanged));
    story.assignees = assignees(acts, taker, snapshots);
}

fn severity(
    acts: &[Act<'_>],
    peer: Option<&Peer>,
    mapping: Option<&Mapping>,
) -> Option<(Severity, SeveritySource)> {
    let explicit = acts
        .iter()
        .rev()
        .find(|act| act.fact.kind == Kind::SeverityChanged)
        .and_then(|act| act.fact.value.as_deref()?.parse().ok())
        .map(|severity| (severity, SeveritySource::Explicit));
    explicit.or_else(|| {
        let peer = peer?;
        let priority = peer
            .priority
            .as_ref()
            .and_then(|priority| priority.name.as_deref());
        mapping?.severity(priority, peer.urgency)
    })
}

fn service(
    acts: &[Act<'_>],
    peer: Option<&Peer>,
    mapping: Option<&Mapping>,
    unsent: Option<String>,
) -> Option<String> {
    let said = || {
        acts.iter()
            .rev()
            .find(|act| act.fact.kind == Kind::ServiceChanged && act.fact.source == Source::Command)
            .and_then(|act| act.fact.value.clone())
    };
    let there = peer.and_then(|peer| peer.service.as_ref());
    unsent.or_else(|| match there {
        // Several names may share a PagerDuty service: keep the one that people said.
        Some(there) => said()
            .filter(|name| mapping.is_none_or(|mapping| mapping.service_id(Some(name)) == there.id))
            .or_else(|| {
                mapping
                    .and_then(|mapping| mapping.service_name(&there.id))
                    .map(str::to_owned)
            })
            .or_else(|| there.name.clone())
            .or_else(|| Some(there.id.clone())),
        None => said(),
    })
}

/// Who has it: the last assignment, or what PagerDuty showed since, or else whoever took it.
/// PagerDuty empties its list on resolve, which unassigns nobody. An assignment that was given up
/// before PagerDuty heard of it is none.
fn assignees(acts: &[Act<'_>], taker: Option<Person>, snapshots: &[&Snapshot]) -> Vec<Person> {
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
