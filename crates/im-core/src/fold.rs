//! Facts in, what is true now out.
//!
//! Three passes. [`acts`] reduces reports to acts: a webhook that a log entry confirms, or the
//! echo of our own call, is not a second act. The *peer pass* plays what PagerDuty knows, in
//! PagerDuty's order, and gives its state; it also finds where a log entry after a resolve
//! implies a reopen. The *story pass* plays everything, our unanswered commands included; once
//! nothing of ours is unanswered or was given up, the story follows PagerDuty's state.
//!
//! Fields (title, urgency, service …) come from the newest [`Snapshot`] rather than from
//! events, because PagerDuty reports no event for most of them.
//!
//! Which clock: an answered command is ordered by PagerDuty's instant, so that two clocks never
//! mix in one comparison; it is *shown* at that instant too unless the answer came long after
//! the act (`acts.rs`), when the person's own time is the truth (ADR 0004).
//!
//! Which way changes travel decides what is recorded, and as what (`Source::Look`, `kept`). Here
//! it is not asked for: a change of settings must not undo the past. Of a mapping `fold` reads
//! only the tables that translate services and severities.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::acts::{Act, acts, lane};
use crate::custom_fields::fields_there;
use crate::fields::{Shown, fields};
use crate::gone;
use crate::lines::lines;
use crate::titles::{priorities, priority_since, titles, urgencies};
use crate::{
    Actor, ActorKind, Done, Fact, Kind, Line, Mapping, Peer, PeerStatus, Pending, Person, Snapshot,
    Source, Status, Story, Urgency, whole,
};

/// What the facts of one incident add up to; `None` where there are none.
///
/// `mapping` is the connector's, for an incident that has one.
pub fn fold(facts: &[Fact], mapping: Option<&Mapping>) -> Option<Story> {
    let mut facts = unique(facts);
    gone::without_others(&mut facts, |facts| snapshots(facts, |_| true));
    let known = acts(&facts);
    let since = |fact: &Fact, shown: &Snapshot| known.since(fact, shown);
    let snapshots = by_age(&facts, |fact| known.is_news(fact), since);
    let acts = &known.all;
    let played = peer_pass(acts, |_| true);
    let is_heard = |source| source != Source::Look;
    let heard = Heard {
        played: peer_pass(acts, |act| is_heard(act.fact.source)),
        snapshots: by_age(
            &facts,
            |fact| is_heard(fact.source) && known.is_news(fact),
            since,
        ),
        anything: facts.iter().any(|fact| fact.source.is_heard())
            || facts.iter().all(|fact| is_heard(fact.source)),
    };
    let mut story = begin(acts, &snapshots, &played)?;
    story.peer = peer(&facts, &snapshots, &played).map(|peer| Peer {
        fields: fields_there(acts, mapping),
        ..peer
    });
    let told = peer(&facts, &heard.snapshots, &heard.played);
    let is_told = told.is_some() && heard.played.status == played.status;
    let course = story_pass(&mut story, acts, &heard, is_told);
    if is_told && follows(&story, acts, acts.len()) {
        follow(&mut story, acts, &heard.played);
    }
    story.pending = acts
        .iter()
        .filter(|act| act.is_pending())
        .map(pending)
        .collect();
    story.kept = kept(acts);
    let shown = Shown {
        peer: told.as_ref(),
        snapshots: &heard.snapshots,
        priority: priority_since(&facts, &heard.snapshots),
    };
    fields(&mut story, acts, course.taker, &shown, mapping);
    whole::spans(&mut story, acts);
    let titles = titles(&facts, &snapshots);
    story.lines = lines(acts, &played, &course.order, (&snapshots, &titles));
    tell_merge(&mut story);
    end_as_shown(&mut story);
    Some(story)
}

/// What PagerDuty shows of one incident, as far as the facts tell: the story's own
/// [`peer`](Story::peer), without the story.
pub fn peer_of(facts: &[Fact]) -> Option<Peer> {
    let mut facts = unique(facts);
    gone::without_others(&mut facts, |facts| snapshots(facts, |_| true));
    let known = acts(&facts);
    let since = |fact: &Fact, shown: &Snapshot| known.since(fact, shown);
    let snapshots = by_age(&facts, |fact| known.is_news(fact), since);
    peer(&facts, &snapshots, &peer_pass(&known.all, |_| true))
}

/// PagerDuty without what was only looked at.
struct Heard<'a> {
    played: Played,
    snapshots: Vec<&'a Snapshot>,
    /// Whether anything ever came from there, or could have.
    anything: bool,
}

/// No log entry says that an incident ended by a merge: its resolve reason does, and only of its
/// last resolve (`docs/metrics.md`, "Actors and resolvers").
fn tell_merge(story: &mut Story) {
    let Some(target) = story
        .peer
        .as_ref()
        .and_then(|peer| peer.merged_into.clone())
    else {
        return;
    };
    let mut ends = story.lines.iter_mut().rev();
    if let Some(end) = ends.find(|line| line.kind == Kind::Resolved && line.seen.peer) {
        end.value = Some("merge".to_owned());
        end.detail = Some(target);
    }
}

/// Of several changes of a field at one instant, the one to what PagerDuty shows now is the last.
fn end_as_shown(story: &mut Story) {
    let Some(peer) = &story.peer else { return };
    let is_shown = |line: &Line| {
        let value = line.value.as_deref();
        match (line.kind, &peer.priority) {
            (Kind::UrgencyChanged, _) => value == peer.urgency.map(Urgency::as_str),
            (_, Some(now)) => value == now.name.as_deref().or(Some(&now.id)),
            (_, None) => value.is_none(),
        }
    };
    for kind in [Kind::PriorityChanged, Kind::UrgencyChanged] {
        let lines = &mut story.lines;
        let changed = |line: &&Line| line.kind == kind;
        let Some(at) = lines.iter().rfind(changed).map(|line| line.at) else {
            continue;
        };
        let same = |line: &Line| line.kind == kind && line.at == at;
        let last = lines.iter().rposition(same).unwrap_or_default();
        let shown = lines.iter().rposition(|line| same(line) && is_shown(line));
        if let Some(changes) = shown.and_then(|shown| lines.get_mut(shown..=last)) {
            changes.rotate_left(1);
        }
    }
}

/// The same set whatever the order and the repetitions.
fn unique(facts: &[Fact]) -> Vec<&Fact> {
    let mut unique: Vec<&Fact> = facts.iter().collect();
    unique.sort_by(|a, b| (a.source, &a.source_id).cmp(&(b.source, &b.source_id)));
    unique.dedup_by(|a, b| (a.source, &a.source_id) == (b.source, &b.source_id));
    unique
}

/// What PagerDuty went through, as far as facts tell.
pub(crate) struct Played {
    status: PeerStatus,
    /// When it came to that.
    since: Option<Timestamp>,
    /// Its state after each act, and since when.
    after: Vec<There>,
    /// Acts that show that it must have been reopened just before them.
    pub(crate) implied: HashSet<usize>,
    /// A resolve of what was resolved, a reopen of what was open, a read that showed nothing
    /// new: no acts.
    pub(crate) repeats: HashSet<usize>,
}

type There = (PeerStatus, Option<Timestamp>);

/// Plays what PagerDuty knows, as far as it `counts`.
fn peer_pass(acts: &[Act<'_>], counts: impl Fn(&Act<'_>) -> bool) -> Played {
    let mut played = Played {
        status: PeerStatus::Triggered,
        since: None,
        after: vec![(PeerStatus::Triggered, None); acts.len()],
        implied: HashSet::new(),
        repeats: HashSet::new(),
    };
    let is_open = |played: &Played| played.status != PeerStatus::Resolved;
    in_order(acts, &mut played, is_open, |played, index, act| {
        if let Some(kind) = act.at_peer.filter(|_| counts(act)) {
            peer_step(played, index, act, kind);
        }
        if let Some(after) = played.after.get_mut(index) {
            *after = (played.status, played.since);
        }
    });
    played
}

fn peer_step(played: &mut Played, index: usize, act: &Act<'_>, kind: Kind) {
    use PeerStatus as P;
    let before = played.status;
    if before == P::Resolved && act.may_imply() && kind.needs_open() {
        played.implied.insert(index);
        played.status = P::Triggered;
    }
    played.status = match (kind, played.status) {
        (Kind::Acknowledged, P::Triggered) => P::Acknowledged,
        (Kind::Unacknowledged, P::Acknowledged) | (Kind::Reopened, P::Resolved) => P::Triggered,
        (Kind::Resolved, _) => P::Resolved,
        (_, status) => status,
    };
    if played.status != before || played.since.is_none() {
        played.since = Some(act.at);
    } else if matches!(kind, Kind::Resolved | Kind::Reopened)
        || matches!(act.fact.source, Source::Read | Source::Look)
    {
        played.repeats.insert(index);
    }
}

/// What happened at an instant.
pub(crate) trait Moment {
    fn at(&self) -> Timestamp;
    /// What it is at PagerDuty.
    fn kind(&self) -> Kind;
}

impl Moment for Act<'_> {
    fn at(&self) -> Timestamp {
        self.at
    }

    fn kind(&self) -> Kind {
        self.at_peer.unwrap_or(self.fact.kind)
    }
}

/// Plays what is sorted. Within one instant, what only an open incident allows goes after a
/// reopen of that instant if the incident is not open (`docs/metrics.md`, "State machine").
pub(crate) fn in_order<M: Moment, S>(
    all: &[M],
    state: &mut S,
    is_open: impl Fn(&S) -> bool,
    mut play: impl FnMut(&mut S, usize, &M),
) {
    let mut start = 0;
    for instant in all.chunk_by(|a, b| a.at() == b.at()) {
        let mut left: Vec<(usize, &M)> = instant.iter().enumerate().collect();
        let mut reopens = left.clone();
        reopens.retain(|(_, act)| act.kind() == Kind::Reopened);
        left.reverse();
        reopens.reverse();
        while let Some((index, act)) = left.pop() {
            let waits = act.kind() == Kind::Resolved || act.kind().needs_open();
            if waits
                && !is_open(state)
                && let Some((first, reopen)) = reopens.pop()
            {
                left.push((index, act));
                left.retain(|(index, _)| *index != first);
                play(state, start + first, reopen);
                continue;
            }
            reopens.retain(|(reopen, _)| *reopen != index);
            play(state, start + index, act);
        }
        start += instant.len();
    }
}

/// Every snapshot of the facts that count, oldest truth first.
fn snapshots<'a>(facts: &[&'a Fact], counts: impl Fn(&Fact) -> bool) -> Vec<&'a Snapshot> {
    by_age(facts, counts, |_, shown| shown.shown_at())
}

/// The snapshots, each of which shows how it looked since then.
fn by_age<'a>(
    facts: &[&'a Fact],
    counts: impl Fn(&Fact) -> bool,
    since: impl Fn(&Fact, &Snapshot) -> Timestamp,
) -> Vec<&'a Snapshot> {
    let shown = facts.iter().filter(|fact| counts(fact));
    let shown = shown.filter_map(|fact| Some((*fact, fact.snapshot.as_ref()?)));
    let mut seen: Vec<_> = shown
        .map(|(fact, shown)| ((since(fact, shown), shown.read_at, &fact.source_id), shown))
        .collect();
    seen.sort_by_key(|(age, _)| *age);
    seen.into_iter().map(|(_, shown)| shown).collect()
}

/// The newest value of each field.
fn peer(facts: &[&Fact], snapshots: &[&Snapshot], played: &Played) -> Option<Peer> {
    let newest = snapshots.last()?;
    let mut peer = Peer {
        id: newest.id.clone(),
        number: None,
        html_url: None,
        status: played.status,
        status_at: played.since,
        version: newest.version,
        title: titles(facts, snapshots)
            .last()
            .map(|(_, title)| (*title).to_owned()),
        urgency: urgencies(facts, snapshots)
            .last()
            .map(|(_, urgency)| *urgency),
        priority: priorities(facts, snapshots)
            .last()
            .and_then(|(_, priority)| (*priority).cloned()),
        service: None,
        policy: None,
        assignees: Vec::new(),
        teams: Vec::new(),
        merged_into: None,
        fields: Vec::new(),
    };
    for snapshot in snapshots {
        set(&mut peer.number, snapshot.number.as_ref());
        set(&mut peer.html_url, snapshot.html_url.as_ref());
        set(&mut peer.service, snapshot.service.as_ref());
        set(&mut peer.policy, snapshot.policy.as_ref());
        if let Some(teams) = &snapshot.teams {
            peer.teams.clone_from(teams);
        }
        if let Some(assignees) = &snapshot.assignees {
            peer.assignees.clone_from(assignees);
        }
        peer.merged_into.clone_from(&snapshot.merged_into);
    }
    Some(peer)
}

fn set<T: Clone>(field: &mut Option<T>, newer: Option<&T>) {
    if let Some(newer) = newer {
        *field = Some(newer.clone());
    }
}

/// The story before anything but its beginning happened.
fn begin(acts: &[Act<'_>], snapshots: &[&Snapshot], played: &Played) -> Option<Story> {
    let first = acts.first()?;
    let trigger = acts.iter().find(|act| act.fact.kind == Kind::Triggered);
    let declared = acts
        .iter()
        .find(|act| act.fact.kind == Kind::Triggered && act.fact.source == Source::Command);
    // What was missed began when PagerDuty says it did, not when we first heard of it.
    let told = snapshots
        .iter()
        .filter_map(|snapshot| snapshot.created_at)
        .min();
    let created_at = trigger
        .map(|act| act.shown_at)
        .or(told)
        .unwrap_or(first.shown_at);
    let birth = declared.or(trigger);
    Some(Story {
        status: Status::Open,
        title: String::new(),
        description: None,
        severity: None,
        service: None,
        service_id: None,
        spans: Vec::new(),
        fields: Vec::new(),
        assignees: Vec::new(),
        declared_by: birth.map_or(Actor::NOBODY, |act| act.fact.actor.clone()),
        born_here: declared.is_some(),
        created_at,
        acknowledged_at: None,
        acknowledgement: None,
        mitigation: None,
        resolved_at: None,
        resolved_by: None,
        updated_at: acts
            .iter()
            .enumerate()
            // A service may be deleted long after its incident was over.
            .filter(|(index, act)| !(played.repeats.contains(index) && gone::is_gone(act.fact)))
            .map(|(_, act)| act.shown_at.max(act.at))
            .max()
            .unwrap_or(created_at),
        duplicate_of: None,
        deleted: false,
        peer: None,
        pending: Vec::new(),
        kept: Vec::new(),
        lines: Vec::new(),
    })
}

/// How the story went.
#[derive(Default)]
struct Course {
    /// The acts in the order in which they were played.
    order: Vec<usize>,
    /// Who took it first since it was last open.
    taker: Option<Person>,
    taken: bool,
    /// An acknowledgement was given here that PagerDuty has not heard of.
    holds: bool,
}

/// Plays everything: the state here. Where PagerDuty's state `is_told`, the story follows it before
/// what was asked for here since then: people who asked saw that state.
fn story_pass(story: &mut Story, acts: &[Act<'_>], heard: &Heard<'_>, is_told: bool) -> Course {
    let mut asked = asked_since(acts).filter(|_| is_told);
    let mut state = (story, Course::default());
    let is_open = |state: &(&mut Story, Course)| state.0.status.is_open();
    in_order(acts, &mut state, is_open, |(story, course), index, act| {
        if let Some(first) = asked.take_if(|first| *first <= index)
            && follows(story, acts, first)
        {
            follow(story, acts, &heard.played);
        }
        if act.fact.source == Source::Look {
            course.order.push(index);
            return;
        }
        let there = heard.played.after.get(index).copied();
        let there = there.filter(|_| heard.anything);
        let there = there.unwrap_or((PeerStatus::Triggered, None));
        if heard.played.implied.contains(&index) && !story.status.is_open() {
            reopen(story, (PeerStatus::Triggered, None));
        }
        course.order.push(index);
        course.note_taker(act, story.status.is_open(), there.0);
        // A time-out there cannot undo an acknowledgement that PagerDuty never got.
        let held = course.holds
            && act.fact.kind == Kind::Unacknowledged
            && act.fact.actor.kind != ActorKind::User;
        if !act.silent && !held {
            play(story, act, there);
        }
        let kind = act.fact.kind;
        course.holds = (course.holds || (kind == Kind::Acknowledged && act.is_pending()))
            && !matches!(kind, Kind::Resolved | Kind::Reopened);
    });
    state.1
}

impl Course {
    /// Whoever takes it first has it, until someone takes it anew after it was open again.
    fn note_taker(&mut self, act: &Act<'_>, open: bool, there: PeerStatus) {
        let (kind, actor) = (act.fact.kind, &act.fact.actor);
        if matches!(kind, Kind::Unacknowledged | Kind::Reopened) {
            self.taken = false;
        }
        let took = open || (act.at_peer.is_some() && there == PeerStatus::Acknowledged);
        if kind == Kind::Acknowledged && actor.kind == ActorKind::User && took && !self.taken {
            self.taken = true;
            self.taker = actor.id.clone().map(|id| Person {
                id,
                name: actor.name.clone(),
            });
        }
    }
}

/// The first step asked for here that PagerDuty is still to hear of, unless PagerDuty moved on after
/// it.
fn asked_since(acts: &[Act<'_>]) -> Option<usize> {
    let is_step = |act: &Act<'_>| act.fact.kind.is_step();
    let first = acts
        .iter()
        .position(|act| is_step(act) && act.is_pending())?;
    let mut later = acts.iter().skip(first);
    (!later.any(|act| is_step(act) && act.at_peer.is_some())).then_some(first)
}

/// Whether PagerDuty's state is ours after the first `count` acts: nothing that was done here is
/// still to be heard, was given up, or was kept here by the settings.
///
/// Time alone does not tell it. A command that PagerDuty had fulfilled before it was sent has no
/// instant there, and the log dates by the second: the reopen that came after our resolve may
/// stand before it later.
fn follows(story: &Story, acts: &[Act<'_>], count: usize) -> bool {
    let steps = || {
        acts.iter()
            .enumerate()
            .take(count)
            .filter(|(_, act)| act.fact.source == Source::Command && act.fact.kind.is_step())
    };
    let given_up = |step: &Act<'_>| {
        acts.iter().any(|act| {
            act.fact.answers.as_deref() == Some(step.fact.source_id.as_str())
                && matches!(act.fact.value.as_deref(), Some("expired" | "discarded"))
                && act.fact.kind == Kind::Settled
        })
    };
    // What ended here stays ended; anything less gives way to what PagerDuty does later.
    let went_on = |index: usize| {
        let mut later = acts.iter().skip(index);
        let moves = |act: &Act<'_>| act.fact.source.is_heard() && act.fact.kind.is_step();
        story.status.is_open() && later.any(moves)
    };
    let stands =
        |(index, step): (usize, &Act<'_>)| given_up(step) || (step.is_kept() && !went_on(index));
    !story.deleted
        && steps().all(|(_, step)| !step.is_pending())
        && !steps().next_back().is_some_and(stands)
}

/// Brings the state to what PagerDuty was heard to be in, if it is another.
fn follow(story: &mut Story, acts: &[Act<'_>], heard: &Played) {
    let there = heard.status;
    if story.status.at_peer() == there {
        return;
    }
    let resolve = acts
        .iter()
        .rev()
        .find(|act| act.at_peer == Some(Kind::Resolved) && act.fact.source != Source::Look);
    match (there, resolve) {
        (PeerStatus::Resolved, Some(act)) => end(story, act, Status::Resolved),
        _ => reopen(story, (heard.status, heard.since)),
    }
}

/// Plays one act here; `there` is what PagerDuty's state is after it.
fn play(story: &mut Story, act: &Act<'_>, there: There) {
    use Status as S;
    let status = story.status;
    match (act.fact.kind, status) {
        (Kind::Acknowledged, _) if status.is_open() => {
            if status == S::Open {
                story.status = S::Acknowledged;
            }
            story.acknowledged_at.get_or_insert(act.shown_at);
            story.acknowledgement.get_or_insert_with(|| done(act));
        }
        (Kind::Unacknowledged, S::Acknowledged | S::Mitigated) => nobody_has_it(story),
        (Kind::Mitigated, S::Acknowledged) => mitigate(story, act),
        // Its acknowledgement was withdrawn before; only PagerDuty's consent makes up for that.
        (Kind::Mitigated, S::Open) if act.is_pending() || act.at_peer.is_some() => {
            mitigate(story, act);
        }
        (Kind::Resolved, _) if status.is_open() => end(story, act, S::Resolved),
        // Given while it was open, it stands even if PagerDuty's resolve turns out to be older.
        (Kind::Canceled, _) if status.is_open() || status == S::Resolved => {
            end(story, act, S::Canceled);
        }
        (Kind::Closed, S::Resolved) => story.status = S::Closed,
        (Kind::Duplicate, _) => {
            let of = act.fact.value.as_deref();
            story.duplicate_of = of.and_then(|number| number.parse().ok());
            end(story, act, S::Duplicate);
        }
        (Kind::Deleted, _) => story.deleted = true,
        (Kind::Reopened, _) if !status.is_open() => reopen(story, there),
        _ => {}
    }
}

fn done(act: &Act<'_>) -> Done {
    Done {
        at: act.shown_at,
        by: act.fact.actor.label().map(str::to_owned),
    }
}

fn mitigate(story: &mut Story, act: &Act<'_>) {
    story.status = Status::Mitigated;
    story.mitigation = Some(done(act));
}

fn nobody_has_it(story: &mut Story) {
    story.status = Status::Open;
    story.acknowledgement = None;
    story.mitigation = None;
}

fn end(story: &mut Story, act: &Act<'_>, status: Status) {
    // What was over stays over since then, whatever it is called now.
    if story.status.is_open() {
        story.resolved_at = Some(act.shown_at);
        // The log names the service for what a timer did.
        let is_timer =
            act.fact.kind == Kind::Resolved && act.fact.value.as_deref() == Some("timer");
        let by = if is_timer {
            Some("PagerDuty's timer")
        } else {
            act.fact.actor.label()
        };
        story.resolved_by = by.map(str::to_owned);
    }
    story.status = status;
}

/// Opens it again. Where PagerDuty never heard that it was over, whoever had it there has it.
fn reopen(story: &mut Story, there: There) {
    story.resolved_at = None;
    story.resolved_by = None;
    story.duplicate_of = None;
    nobody_has_it(story);
    set_open(story, there);
}

/// Sets the open state that goes with PagerDuty's.
fn set_open(story: &mut Story, there: There) {
    match there {
        (PeerStatus::Acknowledged, since) => {
            story.acknowledged_at = story.acknowledged_at.or(since);
            story.status = Status::Acknowledged;
            let taken = since.map(|at| Done { at, by: None });
            story.acknowledgement = story.acknowledgement.take().or(taken);
        }
        (PeerStatus::Triggered | PeerStatus::Resolved, _) => nobody_has_it(story),
    }
}

/// What was kept here and is still the last word on its matter.
fn kept(acts: &[Act<'_>]) -> Vec<Pending> {
    let ours = |act: &&Act<'_>| act.fact.source == Source::Command && !act.silent;
    let replaced = |index: usize, kept: &Act<'_>| {
        let mut later = acts.iter().skip(index).filter(ours);
        later.any(|act| {
            let same_field =
                kept.fact.kind != Kind::FieldsChanged || act.fact.detail == kept.fact.detail;
            let same = lane(act.fact.kind) == lane(kept.fact.kind) && same_field;
            same && !act.is_kept() && !act.is_pending()
        })
    };
    let all = acts.iter().enumerate();
    all.filter(|(index, act)| act.is_kept() && !replaced(*index, act))
        .map(|(_, act)| pending(act))
        .collect()
}

fn pending(act: &Act<'_>) -> Pending {
    Pending {
        command: act.fact.source_id.clone(),
        kind: act.fact.kind,
        value: act.fact.value.clone(),
        detail: act.fact.detail.clone(),
        actor: act.fact.actor.clone(),
        at: act.fact.at,
    }
}
