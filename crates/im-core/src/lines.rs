//! The lines of a timeline.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::acts::Act;
use crate::fold::{Moment, Played, in_order};
use crate::{Actor, Fact, Kind, Line, Person, Seen, Snapshot, Source, Story};

/// What happened, oldest first; `order` is the order in which the acts were played, and then come the
/// looks at PagerDuty and the titles that they showed.
pub(crate) fn lines(
    acts: &[Act<'_>],
    played: &Played,
    order: &[usize],
    (snapshots, titles): (&[&Snapshot], &[(&Snapshot, &str)]),
) -> Vec<Line> {
    let birth = acts
        .iter()
        .find(|act| act.fact.kind == Kind::Triggered && act.fact.source == Source::Command)
        .map(|act| act.fact.at);
    let mut lines: Vec<(Line, Option<usize>)> = Vec::new();
    for (place, index) in order.iter().copied().enumerate() {
        let Some(act) = acts.get(index) else { continue };
        let command = act.fact.source == Source::Command;
        if played.implied.contains(&index) && act.fact.kind != Kind::Reopened {
            let reopened = Line {
                kind: Kind::Reopened,
                people: Vec::new(),
                value: None,
                detail: None,
                command: None,
                ..line(act)
            };
            lines.push((reopened, None));
        }
        // What a person here did is told even if it was so already.
        let repeated = played.repeats.contains(&index) && !command;
        let untold = act.silent || act.told_better || repeated;
        if !untold && act.fact.kind != Kind::Seen && !part_of_birth(act, birth) {
            let told = Line {
                from: held_before(acts, order, place, snapshots),
                ..line(act)
            };
            lines.push((told, act.given));
        }
        lines.extend(linked(act, snapshots).map(|line| (line, act.given)));
    }
    lines.extend(renames(acts, titles).into_iter().map(|line| (line, None)));
    // The twin's birth comes before all else of its second.
    lines.sort_by_key(|(line, _)| {
        let is_later = (line.kind != Kind::Triggered, line.kind != Kind::Linked);
        (line.at, is_later)
    });
    keep_given(&mut lines);
    lines.into_iter().map(|(line, _)| line).collect()
}

impl Story {
    /// The lines as figures count them: at one instant by the rule alone (`docs/metrics.md`, "Order"), whatever
    /// webhooks tell of the order within it, so that who read nothing but PagerDuty's log counts the same.
    pub fn counted(&self) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by_key(|line| (line.at, line.kind.rank(), &line.report));
        let mut counted = (true, Vec::with_capacity(lines.len()));
        let is_open = |counted: &(bool, Vec<_>)| counted.0;
        in_order(&lines, &mut counted, is_open, |counted, _, line| {
            let ends = line.kind() == Kind::Resolved;
            counted.0 = !ends && (counted.0 || line.kind == Kind::Reopened);
            counted.1.push(*line);
        });
        counted.1
    }
}

impl Moment for &Line {
    fn at(&self) -> Timestamp {
        self.at
    }

    fn kind(&self) -> Kind {
        if matches!(self.kind, Kind::Canceled | Kind::Duplicate) {
            Kind::Resolved
        } else {
            self.kind
        }
    }
}

/// At one instant our commands stand in the order in which they were given.
fn keep_given(lines: &mut [(Line, Option<usize>)]) {
    for instant in lines.chunk_by_mut(|a, b| a.0.at == b.0.at) {
        let places: Vec<usize> = instant
            .iter()
            .enumerate()
            .filter_map(|(place, (_, given))| given.map(|_| place))
            .collect();
        let mut ours: Vec<_> = places
            .iter()
            .filter_map(|at| instant.get(*at).cloned())
            .collect();
        ours.sort_by_key(|(_, given)| *given);
        for (place, line) in places.into_iter().zip(ours) {
            if let Some(slot) = instant.get_mut(place) {
                *slot = line;
            }
        }
    }
}

fn line(act: &Act<'_>) -> Line {
    let (value, detail) = said(act.fact, act.also);
    Line {
        at: act.shown_at,
        kind: act.fact.kind,
        actor: act.fact.actor.clone(),
        people: act.fact.people.clone(),
        from: Vec::new(),
        value,
        detail,
        seen: act.seen,
        command: (act.fact.source == Source::Command).then(|| act.fact.source_id.clone()),
        report: act.report.to_owned(),
        service: None,
    }
}

/// What an act set or said. The log is the authority on times; the webhook of the same act may
/// tell more: the log names a trigger by the title of today, has no policy in a delegation, and
/// either of them may cut a note.
fn said(fact: &Fact, also: Option<&Fact>) -> (Option<String>, Option<String>) {
    let told = (fact.value.clone(), fact.detail.clone());
    let Some(also) = also else { return told };
    let more = || (also.value.clone(), also.detail.clone());
    let longer = |also: &str, fact: &str| also.len() > fact.len() && also.starts_with(fact);
    match (fact.kind, &fact.value, &also.value) {
        (Kind::Triggered, _, Some(_)) => more(),
        (Kind::Noted, Some(have), Some(also)) if longer(also, have) => more(),
        (_, None, Some(_)) if fact.detail.is_none() => more(),
        _ => told,
    }
}

/// For the escalation at `place`: who had it before, unless nobody told or it is the same people.
fn held_before(
    acts: &[Act<'_>],
    order: &[usize],
    place: usize,
    snapshots: &[&Snapshot],
) -> Vec<Person> {
    let played = |place: usize| order.get(place).and_then(|index| acts.get(*index));
    let Some(act) = played(place).filter(|act| act.fact.kind == Kind::Escalated) else {
        return Vec::new();
    };
    let given = (0..place).filter_map(played).filter_map(|act| {
        let gives = matches!(
            act.fact.kind,
            Kind::Assigned | Kind::Escalated | Kind::Delegated
        );
        (gives && !act.fact.people.is_empty()).then_some((act.at, &act.fact.people))
    });
    let shown = snapshots
        .iter()
        .filter_map(|shown| Some((shown.shown_at(), shown.assignees.as_ref()?)))
        .filter(|(at, people)| *at < act.at && !people.is_empty());
    let before = shown.chain(given).max_by_key(|(at, _)| *at);
    let same = |people: &[Person]| {
        let got = &act.fact.people;
        people.len() == got.len()
            && people
                .iter()
                .all(|person| got.iter().any(|other| other.id == person.id))
    };
    before
        .map(|(_, people)| people.clone())
        .filter(|people| !same(people))
        .unwrap_or_default()
}

/// Severity, service, description and fields of a declaration are said in one breath with it.
fn part_of_birth(act: &Act<'_>, birth: Option<Timestamp>) -> bool {
    act.fact.source == Source::Command
        && Some(act.fact.at) == birth
        && matches!(
            act.fact.kind,
            Kind::SeverityChanged
                | Kind::ServiceChanged
                | Kind::Spanned
                | Kind::Described
                | Kind::FieldsChanged
        )
}

/// The birth of the twin.
fn linked(act: &Act<'_>, snapshots: &[&Snapshot]) -> Option<Line> {
    if act.fact.source != Source::Command || act.at_peer != Some(Kind::Triggered) {
        return None;
    }
    let snapshot = snapshots.first()?;
    // PagerDuty's log tells seconds of what it did then.
    let second = Timestamp::from_second(act.at.as_second()).unwrap_or(act.at);
    Some(Line {
        at: second.max(act.shown_at),
        kind: Kind::Linked,
        actor: Actor::NOBODY,
        people: Vec::new(),
        from: Vec::new(),
        value: snapshot.number.map(|number| number.to_string()),
        detail: Some(snapshot.id.clone()),
        seen: Seen {
            here: true,
            peer: true,
        },
        command: None,
        report: act.report.to_owned(),
        service: None,
    })
}

/// PagerDuty has no event for a new title: it shows in the next look.
fn renames(acts: &[Act<'_>], titles: &[(&Snapshot, &str)]) -> Vec<Line> {
    let ours: HashSet<&str> = acts
        .iter()
        .filter(|act| act.fact.source == Source::Command && act.fact.kind == Kind::Titled)
        .filter_map(|act| act.fact.value.as_deref())
        .collect();
    titles
        .windows(2)
        .filter_map(|pair| match pair {
            [(_, before), (snapshot, after)] if before != after && !ours.contains(after) => {
                Some(Line {
                    at: snapshot.version,
                    kind: Kind::Titled,
                    actor: Actor::NOBODY,
                    people: Vec::new(),
                    from: Vec::new(),
                    value: Some((*after).to_owned()),
                    detail: None,
                    seen: Seen {
                        here: false,
                        peer: true,
                    },
                    command: None,
                    report: String::new(),
                    service: None,
                })
            }
            _ => None,
        })
        .collect()
}
