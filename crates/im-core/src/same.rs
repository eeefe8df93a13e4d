//! When two reports are of one act.
//!
//! The rule is `docs/metrics.md`, "Facts": same kind, actor and object, times within two
//! seconds. A log entry is the authority; a webhook or a read that matches one is a second look
//! at the same act. Two log entries are always two acts, and so are two webhooks, unless one
//! log entry matches both. An answer to a call of ours has one log entry and one webhook, so
//! what a person did in the same second beside it is not taken for its echo ([`Pairs`]).

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::{Fact, Kind, Source};

/// How far apart two sources may date one act.
const TOLERANCE_MS: i64 = 2_000;

/// Reports that others may be a second look at, ready to be searched.
pub(crate) struct Authorities<'a> {
    by_kind_and_time: Vec<&'a Fact>,
}

impl<'a> Authorities<'a> {
    pub(crate) fn new(facts: impl Iterator<Item = &'a Fact>) -> Self {
        let mut by_kind_and_time: Vec<&Fact> = facts.collect();
        by_kind_and_time
            .sort_by(|a, b| (a.kind, a.at, &a.source_id).cmp(&(b.kind, b.at, &b.source_id)));
        Self { by_kind_and_time }
    }

    /// The authority that reports the same act as `fact`: the nearest in time.
    pub(crate) fn find(&self, fact: &Fact) -> Option<&'a Fact> {
        self.matching(fact).min_by_key(|have| apart(have, fact))
    }

    fn matching<'b>(&'b self, fact: &'b Fact) -> impl Iterator<Item = &'a Fact> + 'b {
        let from = self.by_kind_and_time.partition_point(|have| {
            have.kind < fact.kind
                || (have.kind == fact.kind && millis(have.at) < millis(fact.at) - TOLERANCE_MS)
        });
        self.by_kind_and_time
            .iter()
            .skip(from)
            .take_while(|have| {
                have.kind == fact.kind && millis(have.at) <= millis(fact.at) + TOLERANCE_MS
            })
            .copied()
            .filter(|have| same_actor(have, fact) && same_object(have, fact))
    }
}

/// Each answer, or entry of the log, with the one report that is its echo: the nearest in time that is left, and of
/// its second if there is one. Commands that one call carried have one answer each, and one echo between them.
pub(crate) struct Pairs<'a> {
    call_of: HashMap<Id<'a>, Id<'a>>,
    echo_of: HashMap<Id<'a>, &'a Fact>,
    echoes: HashSet<Id<'a>>,
}

type Id<'a> = (Source, &'a str);

fn id(fact: &Fact) -> Id<'_> {
    (fact.source, &fact.source_id)
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(answers: &Authorities<'a>, reports: &Authorities<'a>) -> Self {
        let mut calls: Vec<&Fact> = Vec::new();
        let mut call_of = HashMap::new();
        for answer in answers.by_kind_and_time.iter().copied() {
            let one_call = |call: &&&Fact| {
                // Each note is a call of its own, and each entry of the log an act.
                call.kind == answer.kind
                    && call.kind != Kind::Noted
                    && call.answers.is_some()
                    && call.at == answer.at
                    && same_object(call, answer)
            };
            let call = calls.last().filter(one_call).copied();
            call_of.insert(id(answer), id(call.unwrap_or(answer)));
            calls.extend(call.is_none().then_some(answer));
        }
        // The log dates by the second what a webhook dates within it.
        let away = |a: &Fact, b: &Fact| (a.at.as_second() != b.at.as_second(), apart(a, b));
        let mut candidates: Vec<((bool, i64), &Fact, &Fact)> = Vec::new();
        for answer in calls {
            let matching = reports.matching(answer);
            candidates.extend(matching.map(|report| (away(report, answer), answer, report)));
        }
        candidates.sort_by(|a, b| (a.0, id(a.1), id(a.2)).cmp(&(b.0, id(b.1), id(b.2))));
        let mut pairs = Self {
            call_of,
            echo_of: HashMap::new(),
            echoes: HashSet::new(),
        };
        for (_, answer, report) in candidates {
            if !pairs.echo_of.contains_key(&id(answer)) && pairs.echoes.insert(id(report)) {
                pairs.echo_of.insert(id(answer), report);
            }
        }
        pairs
    }

    /// The echo of an answer.
    pub(crate) fn of(&self, answer: &Fact) -> Option<&'a Fact> {
        let call = self.call_of.get(&id(answer))?;
        self.echo_of.get(call).copied()
    }

    /// Whether a report is the echo of an answer.
    pub(crate) fn has(&self, report: &Fact) -> bool {
        self.echoes.contains(&id(report))
    }
}

fn apart(a: &Fact, b: &Fact) -> i64 {
    (a.at.as_microsecond() - b.at.as_microsecond()).abs()
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn same_actor(a: &Fact, b: &Fact) -> bool {
    // A read shows that something happened, and not always who did it; nor does each answer.
    let unnamed = |fact: &Fact| {
        matches!(fact.source, Source::Read | Source::Look)
            || (fact.source == Source::Answer && fact.actor.id.is_none())
    };
    unnamed(a) || unnamed(b) || a.actor.agrees_with(&b.actor)
}

fn same_object(a: &Fact, b: &Fact) -> bool {
    match a.kind {
        Kind::Assigned | Kind::Escalated | Kind::Delegated => same_people(a, b),
        Kind::FieldsChanged => a.detail == b.detail && a.value == b.value,
        Kind::Noted => same_text(a.value.as_deref(), b.value.as_deref()),
        Kind::PriorityChanged | Kind::UrgencyChanged => {
            a.value.is_none() || b.value.is_none() || a.value == b.value
        }
        Kind::Notified | Kind::Responder => same_people(a, b) && a.value == b.value,
        Kind::Other | Kind::StatusUpdated | Kind::Snoozed => a.value == b.value,
        Kind::Triggered
        | Kind::Acknowledged
        | Kind::Unacknowledged
        | Kind::Mitigated
        | Kind::Resolved
        | Kind::Reopened
        | Kind::Closed
        | Kind::Canceled
        | Kind::Duplicate
        | Kind::Deleted
        | Kind::Exhausted
        | Kind::Titled
        | Kind::Described
        | Kind::SeverityChanged
        | Kind::ServiceChanged
        | Kind::Spanned
        | Kind::Linked
        | Kind::Settled
        | Kind::Seen => true,
    }
}

fn same_people(a: &Fact, b: &Fact) -> bool {
    a.people.len() == b.people.len()
        && a.people
            .iter()
            .all(|person| b.people.iter().any(|other| other.id == person.id))
}

/// PagerDuty may cut a note in a webhook (`trimmed`): then one text begins the other.
fn same_text(a: Option<&str>, b: Option<&str>) -> bool {
    let (a, b) = (a.unwrap_or_default().trim(), b.unwrap_or_default().trim());
    let cut = |text: &str| text.chars().count() >= TRIMMED_MIN;
    a == b || (cut(a) && b.starts_with(a)) || (cut(b) && a.starts_with(b))
}

/// Shorter texts are never the trimmed form of a longer one.
const TRIMMED_MIN: usize = 200;
