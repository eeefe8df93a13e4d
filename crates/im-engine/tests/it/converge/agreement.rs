//! What is true of both sides at the end of a script.

use std::collections::HashSet;

use im_core::{
    Direction, Fact, GONE, IncidentNumber, Kind, Line, Mapping, Source, Status, Story, fold,
};
use im_engine::connector;
use im_pagerduty::Call;
use im_store::incidents::IncidentRow;
use im_store::{facts, inbox};
use jiff::{SignedDuration, Timestamp};
use pd_sim::IncidentView;

use super::{Script, first_line};
use crate::world::{CONNECTOR, World};

/// Two sides date one act alike if they differ by no more (`docs/metrics.md`).
const SAME_TIME_S: i64 = 2;
/// A repair has read the log up to here.
const SYNCED_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// Types of log entries, and what we call what they tell.
const FIGURES: [(&str, &[Kind]); 6] = [
    ("notify", &[Kind::Notified]),
    ("escalate", &[Kind::Escalated]),
    ("unacknowledge", &[Kind::Unacknowledged]),
    ("acknowledge", &[Kind::Acknowledged, Kind::Mitigated]),
    (
        "resolve",
        &[
            Kind::Resolved,
            Kind::Canceled,
            Kind::Duplicate,
            Kind::Deleted,
            Kind::Closed,
        ],
    ),
    ("reopen", &[Kind::Reopened]),
];

impl Script {
    /// The first thing that the two sides do not agree on.
    pub(super) fn disagreement(&mut self) -> Option<String> {
        if let Some(row) = self.world.outbox().first() {
            return Some(format!("still owed: {row:?}"));
        }
        let rows = self.world.everything();
        rows.iter().find_map(|row| self.incident(row))
    }

    fn with_story(&mut self, number: IncidentNumber, what: &str) -> String {
        let timeline = self.world.timeline(number);
        let facts = known(&mut self.world, number);
        let facts: String = facts.iter().map(told).collect();
        format!(
            "{number}: {what}
{timeline}{facts}"
        )
    }

    fn incident(&mut self, row: &IncidentRow) -> Option<String> {
        let story = self.world.story(row.number);
        let found = match self.direction {
            Direction::Bidirectional | Direction::Inbound if row.parts > 0 => {
                self.as_its_parts(row, &story)
            }
            Direction::Outbound => self.as_we_said(row.number, &story),
            Direction::Bidirectional => self.as_there(row, &story),
            // What people did here stays here.
            Direction::Inbound if self.allowed.contains_key(&row.number) => None,
            Direction::Inbound | Direction::None => self.as_there(row, &story),
        };
        found.map(|what| self.with_story(row.number, &what))
    }

    /// What is about several services stands as their incidents do.
    fn as_its_parts(&mut self, row: &IncidentRow, story: &Story) -> Option<String> {
        let parts = self.parts(row);
        let twins = parts.iter().filter(|part| part.peer.is_some());
        // A page that was not made and will not be does not count, unless there is no other.
        let none = twins.clone().next().is_none();
        let mut counted = parts.iter().filter(|part| none || part.peer.is_some());
        let is_open = counted.any(|part| part.status.is_open());
        if story.status.is_open() != is_open {
            return Some(format!(
                "it is {}, and a part is open: {is_open}",
                story.status
            ));
        }
        let mut shown = twins.filter_map(|part| self.world.sim.incident(&part.peer.as_ref()?.id));
        let is_taken = shown.any(|there| there.status == "acknowledged");
        if is_taken && story.status == Status::Open {
            return Some("somebody there has taken a part of it".to_owned());
        }
        if story.deleted || !self.any_ends_all {
            return None;
        }
        let left = parts
            .iter()
            .find(|part| parts.iter().any(|other| was_left_open(part, other)))?;
        let twin = left.peer.as_ref().map(|peer| &peer.id);
        Some(format!("{twin:?} is open, and another was resolved since"))
    }

    fn parts(&mut self, row: &IncidentRow) -> Vec<Story> {
        let numbers = (1..).take(usize::try_from(row.parts).unwrap());
        let numbers = numbers.map(|index| row.number.part(index));
        numbers.map(|part| self.world.story(part)).collect()
    }

    /// How many notes and resolves of a part are due to the end of another.
    fn by_the_rule(&mut self, part: IncidentNumber) -> usize {
        let Some(whole) = part.whole() else { return 0 };
        let of_all = known(&mut self.world, whole);
        let is_own = |fact: &&Fact| {
            let mut all = of_all.iter().map(|of_all| &of_all.source_id);
            matches!(fact.kind, Kind::Resolved | Kind::Noted)
                && fact.source == Source::Command
                && !all.any(|command| *command == fact.source_id)
        };
        known(&mut self.world, part).iter().filter(is_own).count()
    }

    /// No part is ended more often than PagerDuty ended others.
    fn ended_by_nothing(&mut self, row: &IncidentRow) -> Option<String> {
        let ended = self.by_the_rule(row.number).div_ceil(2);
        let whole = row.number.whole()?;
        let of_whole = |other: &&IncidentRow| other.number.whole() == Some(whole);
        let all = self.world.everything();
        let others = all
            .iter()
            .filter(of_whole)
            .filter(|other| other.number != row.number);
        let twins: Vec<&str> = others.filter_map(|other| other.pd_id.as_deref()).collect();
        let log = self.world.sim.log_entries();
        let resolves = log
            .filter(|entry| entry.kind == "resolve" && twins.contains(&entry.incident.as_str()))
            .count();
        (ended > resolves || (ended > 0 && !self.any_ends_all))
            .then(|| format!("{} was ended {ended} times by {resolves}", row.number))
    }

    /// Where nothing comes from there, only what was said here counts.
    fn as_we_said(&mut self, incident: IncidentNumber, story: &Story) -> Option<String> {
        let mut ours = known(&mut self.world, incident);
        ours.retain(|fact| fact.source == Source::Command);
        let said = fold(&ours, None)?;
        let of = |story: &Story| {
            (
                story.status,
                story.title.clone(),
                story.severity,
                story.service.clone(),
            )
        };
        let (here, said) = (of(story), of(&said));
        (here != said).then(|| format!("here {here:?}, and we said {said:?}"))
    }

    fn as_there(&mut self, row: &IncidentRow, story: &Story) -> Option<String> {
        let Some(peer) = &story.peer else {
            let never = story.born_here && (!story.status.is_open() || story.deleted);
            return (!never).then(|| "it has no twin".to_owned());
        };
        if !story.pending.is_empty() {
            return Some(format!("never settled: {:?}", story.pending));
        }
        let there = self.world.sim.incident(&peer.id)?;
        let mapping = mapping(&mut self.world);
        let status = if story.deleted {
            // Nothing brings back what was deleted here.
            there.status
        } else {
            story.status.at_peer().as_str()
        };
        differ("status", status, there.status)
            .or_else(|| differ("title", story.title.as_str(), there.title.as_str()))
            .or_else(|| {
                differ(
                    "service",
                    mapping.service_id(story.service.as_deref(), None),
                    &there.service,
                )
            })
            .or_else(|| self.urgency(story, &there, &mapping))
            .or_else(|| assignees(story, &there))
            .or_else(|| notes(story, &there))
            .or_else(|| peers(story, &there))
            .or_else(|| self.acknowledgements(row, story, &there))
            .or_else(|| self.figures(story, &there))
    }

    /// What metrics are computed from is what PagerDuty's log tells, as if nothing had gone wrong:
    /// who was paged, each escalation and time-out, and each step of others.
    fn figures(&self, story: &Story, there: &IncidentView) -> Option<String> {
        if story.deleted {
            // It is in no figure, and PagerDuty goes on with it alone.
            return None;
        }
        // Of a page the next repair tells, and PagerDuty may page for hours.
        let is_told = |at: Timestamp| self.world.now.duration_since(at) > SYNCED_WITHIN;
        let log = self.world.sim.log_entries_of(&there.id);
        let is_ours = |at: Timestamp| {
            let mut writes = self.world.sim.writes().iter();
            writes.any(|write| write.at == at && write.incident.as_ref() == Some(&there.id))
        };
        FIGURES.iter().find_map(|(name, kinds)| {
            let logged = log.iter().filter(|entry| entry.kind == *name);
            let lines: Vec<&Line> = story
                .lines
                .iter()
                .filter(|line| line.seen.peer && kinds.contains(&line.kind))
                .collect();
            let mut unmatched: Vec<Timestamp> = logged.map(|entry| entry.at).collect();
            for line in lines.iter().filter(|line| !line.seen.here) {
                let near =
                    |at: &Timestamp| (line.at.as_second() - at.as_second()).abs() <= SAME_TIME_S;
                match unmatched.iter().position(near) {
                    Some(place) => unmatched.remove(place),
                    None => return Some(format!("{name} at {}, and PagerDuty has none", line.at)),
                };
            }
            // What reached PagerDuty late keeps its own time here.
            let ours = lines.iter().filter(|line| line.seen.here).count();
            unmatched.retain(|at| !is_ours(*at) && (*name != "notify" || is_told(*at)));
            (unmatched.len() > ours)
                .then(|| format!("{name} at {unmatched:?} in PagerDuty, and not here"))
        })
    }

    /// PagerDuty has no event for a new urgency, so who was last is not always known: the
    /// urgency follows the severity where nobody changed it there.
    fn urgency(&self, story: &Story, there: &IncidentView, mapping: &Mapping) -> Option<String> {
        let (severity, source) = story.severity?;
        let ours = source == im_core::SeveritySource::Explicit;
        if !ours || self.urgency_there.contains(&there.id) || there.status == "resolved" {
            return None;
        }
        differ("urgency", mapping.urgency(severity).as_str(), there.urgency)
    }

    /// Each acknowledgement of PagerDuty's log is a line here, at the same time.
    fn acknowledgements(
        &self,
        _row: &IncidentRow,
        story: &Story,
        there: &IncidentView,
    ) -> Option<String> {
        let log = self.world.sim.log_entries();
        let first = log
            .filter(|entry| entry.incident == there.id && entry.kind == "acknowledge")
            .map(|entry| entry.at)
            .min();
        let known = |line: &&Line| line.kind == Kind::Acknowledged && line.seen.peer;
        let here = story.lines.iter().find(known);
        match (here, first) {
            (None, None) => None,
            // What reached PagerDuty late keeps its own time (ADR 0004).
            (Some(line), Some(_)) if line.seen.here => None,
            (Some(line), Some(at))
                if (line.at.as_second() - at.as_second()).abs() <= SAME_TIME_S =>
            {
                None
            }
            (here, there) => Some(format!(
                "first acknowledged here {:?}, there {there:?}",
                here.map(|line| line.at)
            )),
        }
    }

    /// What must hold however long it takes.
    pub(super) fn lasting(&mut self) -> Option<String> {
        let rows = self.world.everything();
        self.lost()
            .or_else(|| self.events_twice())
            .or_else(|| self.told_twice())
            .or_else(|| self.twice(&rows))
            .or_else(|| rows.iter().find_map(|row| self.too_many_writes(row)))
            .or_else(|| rows.iter().find_map(|row| self.ended_by_nothing(row)))
            .or_else(|| rows.iter().find_map(|row| self.world.unfaithful_row(row)))
            .or_else(|| self.uncounted(&rows))
    }

    /// Every webhook that we took was understood.
    fn lost(&mut self) -> Option<String> {
        for event in self.world.way.taken.clone() {
            let state = self.world.write(|tx| inbox::state(tx, CONNECTOR, &event));
            if !matches!(state.as_deref(), Some("done" | "ignored")) {
                return Some(format!("we took {event}, and it is {state:?}"));
            }
        }
        None
    }

    /// However often an event is delivered, it is one event.
    fn events_twice(&mut self) -> Option<String> {
        let stored = self.world.write(|tx| inbox::counts(tx, CONNECTOR));
        let stored: i64 = stored.iter().map(|(_, count)| count).sum();
        let way = &self.world.way;
        let may_be: HashSet<&String> = way.taken.iter().chain(&way.unclear).collect();
        let most = i64::try_from(may_be.len()).unwrap();
        (stored > most).then(|| format!("{stored} events are stored, and {most} arrived"))
    }

    /// No note is told twice, at any time: each has its own text.
    pub(super) fn told_twice(&mut self) -> Option<String> {
        self.world.everything().into_iter().find_map(|row| {
            let notes = self.world.notes(row.number);
            let mut told = HashSet::new();
            let mut numbered = notes.iter().filter_map(|note| numbered(note));
            let twice = numbered.find(|number| !told.insert(*number))?;
            let twice = format!("note {twice} is told twice");
            Some(self.with_story(row.number, &twice))
        })
    }

    /// One incident here has at most one there.
    fn twice(&mut self, rows: &[IncidentRow]) -> Option<String> {
        let writes = self.world.sim.writes().iter();
        let made = writes
            .filter(|write| write.method == "POST" && write.path == "/incidents")
            .filter(|write| write.status < 300)
            .count();
        let declared = rows.iter().filter(|row| row.pd_key.is_some()).count();
        if made > declared {
            return Some(format!("{made} incidents were made for {declared}"));
        }
        rows.iter().find_map(|row| {
            let key = row.pd_key.as_deref()?;
            let all = self.world.sim.incidents();
            let made: Vec<IncidentView> = all
                .filter(|there| there.key.as_deref() == Some(key))
                .collect();
            let what = format!("was made {} times: {made:?}", made.len());
            (made.len() > 1).then(|| self.with_story(row.number, &what))
        })
    }

    /// Nothing is written but what people asked for. A field whose answer was never heard of may
    /// be set again, if somebody there changed it meanwhile; a page or a note may not.
    fn too_many_writes(&mut self, row: &IncidentRow) -> Option<String> {
        let twin = row.pd_id.as_deref()?;
        let writes = self.world.sim.writes().iter();
        let granted: Vec<String> = writes
            .filter(|write| write.incident.as_deref() == Some(twin) && write.status < 300)
            .map(|write| format!("{} {} {}\n", write.at, write.method, write.path))
            .collect();
        let unheard = self.world.unheard.iter().filter(|call| match call {
            Call::UpdateIncident { id, .. } => id == twin,
            Call::ResolveIncidents { ids, .. } => ids.iter().any(|id| id == twin),
            _ => false,
        });
        let asked = self.allowed.get(&row.number).copied();
        let allowed = asked.unwrap_or_default() + unheard.count();
        let allowed = allowed + self.by_the_rule(row.number);
        (granted.len() > allowed).then(|| {
            let count = granted.len();
            let what = format!("{count} writes for {allowed}\n{}", granted.concat());
            self.with_story(row.number, &what)
        })
    }

    fn uncounted(&self, rows: &[IncidentRow]) -> Option<String> {
        let twins = self.world.sim.incidents().count();
        let linked = rows.iter().filter(|row| row.pd_id.is_some()).count();
        let born_here = rows
            .iter()
            .filter(|row| row.pd_key.is_some() && row.pd_id.is_some())
            .count();
        let written = self.world.writes();
        match self.direction {
            Direction::Bidirectional if twins != linked => {
                Some(format!("{twins} incidents there, {linked} here"))
            }
            Direction::Outbound if linked != born_here => {
                Some(format!("{linked} have a twin, {born_here} were made here"))
            }
            Direction::Inbound if written > 0 => Some(format!("{written} writes")),
            _ => None,
        }
    }
}

/// Whether a part is open although PagerDuty ended another after it was opened last.
fn was_left_open(part: &Story, other: &Story) -> bool {
    let last = |story: &Story, kinds: &[Kind]| {
        let mut lines = story.lines.iter().rev();
        lines.find(|line| kinds.contains(&line.kind)).cloned()
    };
    let opened = last(part, &[Kind::Triggered, Kind::Reopened]);
    let Some(end) = last(other, &[Kind::Resolved]) else {
        return false;
    };
    let is_end = end.command.is_none() && !matches!(end.value.as_deref(), Some("merge" | GONE));
    let before = |line: Line| line.at.as_second() + SAME_TIME_S < end.at.as_second();
    part.status.is_open() && !other.status.is_open() && is_end && opened.is_some_and(before)
}

fn told(fact: &Fact) -> String {
    let actor = fact.actor.id.as_deref().unwrap_or("-");
    let shown = fact
        .snapshot
        .as_ref()
        .map(|shown| (shown.version.to_string(), shown.status));
    format!(
        "{} {} {} {:?} by {actor} {:?} {} for {:?} {shown:?}\n",
        fact.at.strftime("%d %H:%M:%S%.3f"),
        fact.source.as_str(),
        fact.kind.as_str(),
        fact.value,
        fact.people
            .iter()
            .map(|person| &person.id)
            .collect::<Vec<_>>(),
        fact.source_id,
        fact.answers,
    )
}

fn known(world: &mut World, incident: IncidentNumber) -> Vec<Fact> {
    world.write(|tx| facts::of_incident(tx, incident)).to_vec()
}

fn mapping(world: &mut World) -> Mapping {
    let connector = world.write(|tx| connector::load(tx, CONNECTOR));
    connector.unwrap().mapping
}

fn differ(what: &str, here: &str, there: &str) -> Option<String> {
    (here != there).then(|| format!("{what} here {here:?}, there {there:?}"))
}

fn assignees(story: &Story, there: &IncidentView) -> Option<String> {
    if !matches!(
        story.status,
        Status::Open | Status::Acknowledged | Status::Mitigated
    ) || story.deleted
    {
        return None;
    }
    let mut here: Vec<&str> = story
        .assignees
        .iter()
        .map(|person| person.id.as_str())
        .collect();
    let mut theirs: Vec<&str> = there.assignees.iter().map(String::as_str).collect();
    here.sort_unstable();
    theirs.sort_unstable();
    (here != theirs).then(|| format!("assigned here to {here:?}, there to {theirs:?}"))
}

/// Each note of PagerDuty's is here and the other way round, except what was written about an
/// incident that was over before PagerDuty heard of it.
fn notes(story: &Story, there: &IncidentView) -> Option<String> {
    let linked = story.lines.iter().find(|line| line.kind == Kind::Linked);
    let crossed = |line: &&Line| {
        // What was said within that second may have been said before.
        line.seen.peer || linked.is_none_or(|linked| line.at.as_second() > linked.at.as_second())
    };
    let noted = story.lines.iter().filter(|line| line.kind == Kind::Noted);
    let mut here: Vec<&str> = noted
        .filter(crossed)
        .filter_map(Line::note)
        .map(first_line)
        .collect();
    let mut theirs: Vec<&str> = there.notes.iter().map(|note| first_line(note)).collect();
    here.sort_unstable();
    theirs.sort_unstable();
    (here != theirs).then(|| format!("notes here {here:?}, there {theirs:?}"))
}

/// The part of a note by which a script tells it from others: `note 7 of here`.
fn numbered(note: &str) -> Option<&str> {
    let (_, from) = first_line(note).split_once("note ")?;
    Some(from)
}

/// What we say that PagerDuty shows is what it shows.
fn peers(story: &Story, there: &IncidentView) -> Option<String> {
    let peer = story.peer.as_ref()?;
    let id = |named: &Option<im_core::Named>| named.as_ref().map(|named| named.id.clone());
    let urgency = peer
        .urgency
        .map(im_core::Urgency::as_str)
        .unwrap_or_default();
    differ("PagerDuty's status", peer.status.as_str(), there.status)
        .or_else(|| differ("PagerDuty's urgency", urgency, there.urgency))
        .or_else(|| {
            differ(
                "PagerDuty's policy",
                &id(&peer.policy).unwrap_or_default(),
                &there.policy,
            )
        })
        .or_else(|| {
            let (here, there) = (id(&peer.priority), there.priority.clone());
            (here != there).then(|| format!("priority here {here:?}, there {there:?}"))
        })
}
