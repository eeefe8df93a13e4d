//! A read of PagerDuty's incident becomes facts, where it shows what nobody had reported.
//!
//! A read may be older than what webhooks told meanwhile, so it counts only from its own version
//! on (S20); and it repeats what we know most of the time, so only differences are stored (S27).

use std::cmp::Ordering;
use std::sync::Arc;

use im_core::{
    Actor, ActorKind, Fact, IncidentNumber, Kind, Mapping, Named, Peer, PeerStatus, Snapshot,
    Source, peer_of,
};
use im_pagerduty::IncidentRead;
use im_store::{StoreError, Tx, facts, incidents};
use jiff::{SignedDuration, Timestamp};

/// Something is missed only if a webhook had time to tell it.
pub(crate) const LATE: SignedDuration = SignedDuration::from_secs(60);

use crate::connector::Connector;
use crate::record::{self, Recorded, record};
use crate::{reconcile, whose};

/// What a read changed, and whether a webhook should have told it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) applied: Applied,
    pub(crate) missed: bool,
}

/// What a read changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// The incident was not here.
    Created,
    /// It was, and differed.
    Updated,
    /// It was, and agreed.
    Unchanged,
}

/// Applies a read to the incident that it is about, known or new.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    connector: &Connector,
    read: &IncidentRead,
    now: Timestamp,
) -> Result<Found, StoreError> {
    let known = find(tx, connector, read)?;
    let shown = &read.snapshot;
    let key = shown.incident_key.as_deref();
    let (incident, created) = match known {
        Some(incident) => (incident, false),
        None if is_left_out(connector, shown)
            || whose::is_anothers(tx, connector, &shown.id, key, shown.service.as_ref())? =>
        {
            return Ok(Found {
                applied: Applied::Unchanged,
                missed: false,
            });
        }
        None => (
            incidents::insert(tx, Some(connector.name()), |_| None, now)?,
            true,
        ),
    };
    let news = unknown(tx, connector, incident, read)?;
    let late = |fact: &Fact| now.duration_since(fact.at) > LATE;
    let missed = news.iter().any(|fact| has_webhook(fact.kind) && late(fact));
    let recorded = store(tx, connector, incident, news, now)?;
    let applied = match (created, recorded.added) {
        (true, _) => Applied::Created,
        (false, 0) => Applied::Unchanged,
        (false, _) => Applied::Updated,
    };
    Ok(Found { applied, missed })
}

/// Whether an incident that is not here is on a service that is not chosen to be synced.
pub(crate) fn is_left_out(connector: &Connector, shown: &Snapshot) -> bool {
    let service = shown.service.as_ref();
    service.is_some_and(|service| !connector.mapping.is_synced(&service.id))
}

/// Kinds that PagerDuty has a webhook for. It has none for a title, an urgency, or a page.
pub(crate) fn has_webhook(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Triggered
            | Kind::Acknowledged
            | Kind::Unacknowledged
            | Kind::Resolved
            | Kind::Reopened
            | Kind::Escalated
            | Kind::Delegated
            | Kind::Noted
            | Kind::PriorityChanged
            | Kind::StatusUpdated
    )
}

/// The incident whose twin was read.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    connector: &Connector,
    read: &IncidentRead,
) -> Result<Option<IncidentNumber>, StoreError> {
    let by_twin = incidents::by_twin(tx, connector.name(), &read.snapshot.id)?;
    match (by_twin, read.snapshot.incident_key.as_deref()) {
        (None, Some(key)) => by_key(tx, connector, key, read.snapshot.service.as_ref()),
        (found, _) => Ok(found),
    }
}

/// Our incident that was to be made with `key`. If it has its twin already, or if this one is on
/// another service, somebody else used our key (S63).
pub(crate) fn by_key(
    tx: &mut Tx<'_>,
    connector: &Connector,
    key: &str,
    service: Option<&Named>,
) -> Result<Option<IncidentNumber>, StoreError> {
    let Some(incident) = incidents::by_key(tx, connector.name(), key)? else {
        return Ok(None);
    };
    let has_twin = incidents::find(tx, incident)?.is_some_and(|row| row.pd_id.is_some());
    let is_ours = !has_twin && is_where_it_was_made(tx, &connector.mapping, incident, service)?;
    Ok(Some(incident).filter(|_| is_ours))
}

/// Whether what PagerDuty shows under the key of `incident` is on a service for which its create
/// may have been sent: elsewhere, somebody else used our key (S63).
pub(crate) fn is_where_it_was_made(
    tx: &mut Tx<'_>,
    mapping: &Mapping,
    incident: IncidentNumber,
    service: Option<&Named>,
) -> Result<bool, StoreError> {
    let Some(service) = service else {
        return Ok(true);
    };
    let services = named_services(tx, mapping, incident)?;
    Ok(services.contains(&service.id))
}

/// Every service for which a create of `incident` may have been sent: people may have named
/// another one since.
fn named_services(
    tx: &mut Tx<'_>,
    mapping: &Mapping,
    incident: IncidentNumber,
) -> Result<Vec<String>, StoreError> {
    let known = facts::of_incident(tx, incident)?;
    let named = known
        .iter()
        .filter(|fact| fact.source == Source::Command && fact.kind == Kind::ServiceChanged)
        .map(|fact| (fact.value.as_deref(), fact.detail.as_deref()));
    let services = named.chain([(None, None)]);
    let by_name = services.map(|(name, own)| mapping.service_id(name, own));
    let by_rule = mapping.rules.iter().map(|rule| rule.id.as_str());
    Ok(by_name.chain(by_rule).map(str::to_owned).collect())
}

/// Applies a read to `incident`.
pub(crate) fn apply_to(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    read: &IncidentRead,
    now: Timestamp,
) -> Result<Recorded, StoreError> {
    let news = unknown(tx, connector, incident, read)?;
    store(tx, connector, incident, news, now)
}

fn store(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    news: Vec<Fact>,
    now: Timestamp,
) -> Result<Recorded, StoreError> {
    let reports: Vec<_> = news.into_iter().map(|fact| (fact, None)).collect();
    record(tx, incident, Some(connector), &reports, now)
}

/// What the read shows and nobody has told us.
fn unknown(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    read: &IncidentRead,
) -> Result<Vec<Fact>, StoreError> {
    let mut known = facts::of_incident(tx, incident)?;
    let is_look = |fact: &Fact| fact.source == Source::Look;
    let shown_on = read.snapshot.service.as_ref();
    if known.iter().any(is_look) && !record::is_aside(tx, connector, incident, shown_on)? {
        // What was only looked at is news to us.
        Arc::make_mut(&mut known).retain(|fact| !is_look(fact));
    }
    let peer = peer_of(&known);
    // Whether a part was merged or is over decides about others, so the look itself is news.
    let is_news =
        incident.whole().is_some() && peer.as_ref().is_some_and(reconcile::seen_before_its_end);
    Ok(news(peer.as_ref(), (!known.is_empty(), is_news), read))
}

/// What the read shows that the facts do not.
fn news(peer: Option<&Peer>, (known, is_news): (bool, bool), read: &IncidentRead) -> Vec<Fact> {
    let snapshot = &read.snapshot;
    let mut facts = Vec::new();
    if !known {
        let at = snapshot.created_at.unwrap_or(snapshot.version);
        let title = snapshot.title.clone().unwrap_or_default();
        facts.push(fact(read, "created", Kind::Triggered, Actor::NOBODY, at).with_value(title));
    }
    let before = peer.map_or(PeerStatus::Triggered, |peer| peer.status);
    let since = peer.and_then(|peer| peer.status_at);
    if let Some(status) = snapshot.status
        && status != before
        && is_newer(read, since)
    {
        facts.extend(steps(before, status, read, since));
    }
    if peer.is_none_or(|peer| is_news || differs(peer, snapshot)) {
        facts.push(
            fact(read, "seen", Kind::Seen, Actor::NOBODY, snapshot.version)
                .showing(snapshot.clone()),
        );
    }
    facts
}

/// A status counts only if it is younger than the last step that we know. Within the second of that
/// step, which is all that a read tells, it is if the read was begun after the step: one that was begun
/// at that very instant may have been answered before it.
fn is_newer(read: &IncidentRead, since: Option<Timestamp>) -> bool {
    let second = changed_at(read).as_second();
    since.is_none_or(|since| match second.cmp(&since.as_second()) {
        Ordering::Less => false,
        Ordering::Equal => is_begun_after(&read.snapshot, since),
        Ordering::Greater => true,
    })
}

/// Whether a read was begun after an instant of PagerDuty's clock, as far as that can be told: while
/// PagerDuty was in that second only if our clock was in it, too. The next comparison will tell.
fn is_begun_after(shown: &Snapshot, instant: Timestamp) -> bool {
    let second = |at: Timestamp| at.as_second();
    let is_certain = match (shown.read_at, shown.answered_at) {
        (Some(read_at), Some(there)) if second(there) == second(instant) => {
            second(read_at) == second(there)
        }
        _ => true,
    };
    is_certain && shown.shown_at() > instant
}

fn changed_at(read: &IncidentRead) -> Timestamp {
    let resolved = read
        .resolved_at
        .filter(|_| read.snapshot.status == Some(PeerStatus::Resolved));
    resolved
        .or(read.last_status_change_at)
        .unwrap_or(read.snapshot.version)
}

/// The steps from one status to the other, at PagerDuty's own instants.
fn steps(
    before: PeerStatus,
    after: PeerStatus,
    read: &IncidentRead,
    since: Option<Timestamp>,
) -> Vec<Fact> {
    // A read tells seconds: within the second of the last known step it is the later one.
    let after_last = |at: Timestamp| match since {
        Some(since) if at.as_second() == since.as_second() => {
            at.max(since + SignedDuration::from_millis(1))
        }
        _ => at,
    };
    let at = after_last(changed_at(read));
    let by = read.last_status_change_by.clone().unwrap_or(Actor::NOBODY);
    let reopened = || fact(read, "reopened", Kind::Reopened, by.clone(), at);
    let acknowledged = || {
        read.acknowledgements
            .iter()
            .map(|ack| {
                fact(
                    read,
                    "acknowledged",
                    Kind::Acknowledged,
                    ack.by.clone(),
                    after_last(ack.at),
                )
            })
            .collect::<Vec<_>>()
    };
    match (before, after) {
        (PeerStatus::Triggered, PeerStatus::Acknowledged) => acknowledged(),
        (PeerStatus::Resolved, PeerStatus::Acknowledged) => {
            [vec![reopened()], acknowledged()].concat()
        }
        (PeerStatus::Resolved, PeerStatus::Triggered) => vec![reopened()],
        (PeerStatus::Acknowledged, PeerStatus::Triggered) => {
            vec![fact(read, "unacknowledged", Kind::Unacknowledged, by, at)]
        }
        (_, PeerStatus::Resolved) => vec![resolved(read, by, at)],
        (PeerStatus::Triggered, PeerStatus::Triggered)
        | (PeerStatus::Acknowledged, PeerStatus::Acknowledged) => Vec::new(),
    }
}

fn resolved(read: &IncidentRead, by: Actor, at: Timestamp) -> Fact {
    let target = read.snapshot.merged_into.clone();
    let how = match (&target, by.kind) {
        (Some(_), _) => "merge",
        (None, ActorKind::User) => "human",
        (None, ActorKind::Service | ActorKind::Integration) => "integration",
        (None, ActorKind::Api) => "api",
        (None, ActorKind::None) => "none",
    };
    let fact = fact(read, "resolved", Kind::Resolved, by, at).with_value(how);
    Fact {
        detail: target,
        ..fact
    }
}

fn fact(read: &IncidentRead, what: &str, kind: Kind, actor: Actor, at: Timestamp) -> Fact {
    let snapshot = &read.snapshot;
    let tie = snapshot.read_at.map_or(0, Timestamp::as_microsecond);
    let id = match kind {
        Kind::Seen => format!(
            "{what}:{}:{}:{tie}",
            snapshot.id,
            snapshot.version.as_second()
        ),
        Kind::Triggered => format!("{what}:{}", snapshot.id),
        _ => format!(
            "{what}:{}:{}:{}",
            snapshot.id,
            at.as_microsecond(),
            actor.id.as_deref().unwrap_or("-")
        ),
    };
    Fact::new(Source::Read, id, kind, actor, at)
}

/// Whether a look at the incident shows other fields than we hold.
fn differs(peer: &Peer, snapshot: &Snapshot) -> bool {
    if snapshot.version.as_second() < peer.version.as_second() {
        return false;
    }
    let open = snapshot.status != Some(PeerStatus::Resolved);
    let priority = |named: &Option<im_core::Named>| named.as_ref().map(|named| named.id.clone());
    changed(snapshot.title.as_ref(), peer.title.as_ref())
        || changed(snapshot.urgency.as_ref(), peer.urgency.as_ref())
        || changed(snapshot.number.as_ref(), peer.number.as_ref())
        || changed(snapshot.html_url.as_ref(), peer.html_url.as_ref())
        || changed(
            snapshot.service.as_ref().map(|s| &s.id),
            peer.service.as_ref().map(|s| &s.id),
        )
        || changed(
            snapshot.policy.as_ref().map(|p| &p.id),
            peer.policy.as_ref().map(|p| &p.id),
        )
        || snapshot
            .priority
            .as_ref()
            .is_some_and(|shown| priority(shown) != priority(&peer.priority))
        || snapshot.merged_into != peer.merged_into
        || (open
            && snapshot
                .assignees
                .as_ref()
                .is_some_and(|shown| !same_people(shown, &peer.assignees)))
}

fn changed<T: PartialEq + ?Sized>(shown: Option<&T>, held: Option<&T>) -> bool {
    shown.is_some() && shown != held
}

fn same_people(a: &[im_core::Person], b: &[im_core::Person]) -> bool {
    a.len() == b.len()
        && a.iter()
            .all(|person| b.iter().any(|other| other.id == person.id))
}
