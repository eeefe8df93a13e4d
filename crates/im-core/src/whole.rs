//! An incident of several services: what its parts add up to.
//!
//! Each service has a part, which is an incident of its own with its own facts and its own twin at
//! PagerDuty (ADR 0009). The whole has the facts of what people did here, and no twin; its state is
//! read off its parts. So it depends on the set of all their facts alone, as any story does.
//!
//! Absent: the rule by which one part's end is the end of all. That is an act, and recorded as one.

use jiff::Timestamp;

use crate::acts::Act;
use crate::{Done, Kind, Line, Pending, Person, Source, Span, Status, Story};

/// A part: the service that it is for, and its story.
pub type Part = (String, Story);

/// Sets the services that have parts of their own, and what they are called together.
pub(crate) fn spans(story: &mut Story, acts: &[Act<'_>]) {
    let spanned = acts
        .iter()
        .map(|act| act.fact)
        .filter(|fact| fact.kind == Kind::Spanned && fact.source == Source::Command);
    let span = |fact: &crate::Fact| {
        Some(Span {
            service: fact.value.clone()?,
            part: fact.detail.as_deref()?.parse().ok()?,
        })
    };
    story.spans = spanned.filter_map(span).collect();
    // One act may give several, so only their numbers tell an order.
    story
        .spans
        .sort_by(|a, b| (a.part, &a.service).cmp(&(b.part, &b.service)));
    if !story.spans.is_empty() {
        let names: Vec<&str> = story.spans.iter().map(|span| &*span.service).collect();
        story.service = Some(names.join(", "));
    }
}

/// What an incident and its parts add up to. `whole` is the story of what was done to all of them.
pub fn gather(whole: Story, parts: &[Part]) -> Story {
    let mut story = whole;
    let all: Vec<&Story> = parts.iter().map(|(_, part)| part).collect();
    let counted = counted(&all);
    let Some(status) = status(&counted) else {
        return story;
    };
    let ended = (!status.is_open()).then(|| last_ended(&counted)).flatten();
    story.status = status;
    story.created_at = earliest(all.iter().map(|part| Some(part.created_at)))
        .map_or(story.created_at, |at| at.min(story.created_at));
    story.acknowledged_at = earliest(all.iter().map(|part| part.acknowledged_at));
    story.acknowledgement = first(all.iter().map(|part| part.acknowledgement.as_ref()))
        .filter(|_| status != Status::Open);
    let mitigations = counted.iter().filter_map(|part| part.mitigation.clone());
    story.mitigation = mitigations
        .max_by_key(|done| done.at)
        .filter(|_| !matches!(status, Status::Open | Status::Acknowledged));
    story.resolved_at = ended.and_then(|part| part.resolved_at);
    story.resolved_by = ended.and_then(|part| part.resolved_by.clone());
    story.duplicate_of = ended.and_then(|part| part.duplicate_of);
    story.assignees = assignees(&counted);
    let changes = all.iter().map(|part| part.updated_at);
    story.updated_at = changes.fold(story.updated_at, Timestamp::max);
    story.pending = together(all.iter().map(|part| part.pending.as_slice()));
    story.kept = together(all.iter().map(|part| part.kept.as_slice()));
    tell(&mut story, parts);
    story
}

/// Since when an incident is open, if it is.
pub fn open_since(story: &Story) -> Option<Timestamp> {
    let mut lines = story.lines.iter().rev();
    let opened = lines.find(|line| matches!(line.kind, Kind::Triggered | Kind::Reopened));
    let since = opened.map_or(story.created_at, |line| line.at);
    story.status.is_open().then_some(since)
}

/// The parts that say how the whole stands. One whose page was given up before PagerDuty had it
/// will never be resolved there, so it must not hold the whole open.
fn counted<'a>(parts: &[&'a Story]) -> Vec<&'a Story> {
    let may_be_there = |part: &&&Story| {
        let mut asked = part.pending.iter().chain(&part.kept);
        let begins = |asked: &Pending| matches!(asked.kind, Kind::Triggered | Kind::Reopened);
        part.peer.is_some() || asked.any(begins)
    };
    let counted: Vec<&Story> = parts.iter().filter(may_be_there).copied().collect();
    if counted.is_empty() {
        parts.to_vec()
    } else {
        counted
    }
}

fn status(parts: &[&Story]) -> Option<Status> {
    if parts.is_empty() {
        return None;
    }
    let mut open = parts.iter().filter(|part| part.status.is_open()).peekable();
    if open.peek().is_none() {
        return last_ended(parts).map(|part| part.status);
    }
    // Whoever took one of them took it, also if that one is over by now.
    let is_taken = parts.iter().any(|part| part.acknowledgement.is_some());
    Some(if open.all(|part| part.status == Status::Mitigated) {
        Status::Mitigated
    } else if is_taken {
        Status::Acknowledged
    } else {
        Status::Open
    })
}

/// The part that ended last says what the end is called.
fn last_ended<'a>(parts: &[&'a Story]) -> Option<&'a Story> {
    let over = parts.iter().filter(|part| !part.status.is_open());
    over.max_by_key(|part| (part.resolved_at, part.status))
        .copied()
}

fn earliest(times: impl Iterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    times.flatten().min()
}

fn first<'a>(done: impl Iterator<Item = Option<&'a Done>>) -> Option<Done> {
    done.flatten().min_by_key(|done| done.at).cloned()
}

/// Whoever has one of those that are open, or had one where all are over.
fn assignees(parts: &[&Story]) -> Vec<Person> {
    let is_open = parts.iter().any(|part| part.status.is_open());
    let mut people: Vec<Person> = Vec::new();
    for part in parts.iter().filter(|part| part.status.is_open() == is_open) {
        for person in &part.assignees {
            if !people.iter().any(|known| known.id == person.id) {
                people.push(person.clone());
            }
        }
    }
    people
}

/// Each command once, oldest first.
fn together<'a>(lists: impl Iterator<Item = &'a [Pending]>) -> Vec<Pending> {
    let mut all: Vec<Pending> = Vec::new();
    for asked in lists.flatten() {
        if !all.iter().any(|known| known.command == asked.command) {
            all.push(asked.clone());
        }
    }
    all.sort_by(|a, b| (a.at, &a.command).cmp(&(b.at, &b.command)));
    all
}

/// The timeline: what was done to all is told once, and for the rest which service it is about.
fn tell(story: &mut Story, parts: &[Part]) {
    for line in &mut story.lines {
        let same: Vec<&Line> = parts
            .iter()
            .flat_map(|(_, part)| &part.lines)
            .filter(|told| told.command.is_some() && told.command == line.command)
            .collect();
        if let Some(at) = same.iter().map(|told| told.at).min() {
            line.at = at;
            line.seen.peer = same.iter().all(|told| told.seen.peer);
        }
    }
    let commands: Vec<String> = story
        .lines
        .iter()
        .filter_map(|line| line.command.clone())
        .collect();
    for (service, part) in parts {
        let is_new = |line: &&Line| {
            let command = line.command.as_ref();
            command.is_none_or(|command| !commands.contains(command))
        };
        story
            .lines
            .extend(part.lines.iter().filter(is_new).map(|line| Line {
                service: Some(service.clone()),
                ..line.clone()
            }));
    }
    story.lines.sort_by_key(|line| line.at);
}
