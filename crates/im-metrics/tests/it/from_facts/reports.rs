//! What PagerDuty reports of a life: its log to the second, its webhooks to the millisecond.

use im_core::{Actor, ActorKind, Fact, Kind, Person, Snapshot, Source};
use im_metrics::input::{Event, ResolverKind, What};
use jiff::{SignedDuration, Timestamp};

use super::lives::{Act, PER_SECOND, Step};
use crate::random::{Dice, rank};

/// What is nearer than this could be taken for one act if the log did not tell of both.
const NEAR: SignedDuration = SignedDuration::from_secs(3);

pub(super) struct Teller<'a> {
    dice: &'a mut Dice,
    facts: Vec<Fact>,
    log: Vec<Fact>,
    /// What happened, with the times that are known, and the report that dates it.
    pub(super) events: Vec<(Event, String)>,
    /// The steps with their seconds, and whether a webhook told them.
    steps: Vec<(Timestamp, bool)>,
}

/// What was told of a life.
pub(super) struct Told {
    /// In any order.
    pub(super) reports: Vec<Fact>,
    /// The whole log, and the last look.
    pub(super) log: Vec<Fact>,
    pub(super) events: Vec<(Event, String)>,
    /// Whether webhooks told each step of every second that had more than one.
    pub(super) has_order: bool,
}

/// What happened in the order in which it counts, which within an instant is not that in which it happened
/// (`docs/metrics.md`, "Order").
pub(super) fn in_order(mut events: Vec<(Event, String)>) -> Vec<Event> {
    events.sort_by_key(|(event, report)| (event.at, rank(&event.what), report.clone()));
    let mut events: Vec<Event> = events.into_iter().map(|(event, _)| event).collect();
    let mut ordered: Vec<Event> = Vec::new();
    while let Some(first) = events.first() {
        let mut turns = ordered.iter().rev().filter_map(|event| match event.what {
            What::Resolved(..) => Some(false),
            What::Reopened => Some(true),
            _ => None,
        });
        let is_open = turns.next().unwrap_or(true);
        let waits = !is_open && (1..5).contains(&rank(&first.what));
        let reopens = |event: &Event| event.at == first.at && event.what == What::Reopened;
        let reopen = events.iter().position(reopens).filter(|_| waits);
        ordered.push(events.remove(reopen.unwrap_or(0)));
    }
    ordered
}

impl<'a> Teller<'a> {
    pub(super) fn new(dice: &'a mut Dice) -> Self {
        Self {
            dice,
            facts: Vec::new(),
            log: Vec::new(),
            events: Vec::new(),
            steps: Vec::new(),
        }
    }

    pub(super) fn done(mut self) -> Told {
        self.dice.0.shuffle(&mut self.facts);
        let alone = |at| self.steps.iter().filter(|(other, _)| *other == at).count() == 1;
        Told {
            has_order: self.steps.iter().all(|(at, told)| *told || alone(*at)),
            reports: self.facts,
            log: self.log,
            events: self.events,
        }
    }

    /// Tells of the trigger: by a webhook where it is live, and by the log, which is read sooner or later.
    pub(super) fn trigger(&mut self, at: Timestamp, title: &str, look: &Snapshot, is_live: bool) {
        let fact = |source: Source, id: &str, at: Timestamp| {
            Fact::new(source, id, Kind::Triggered, Actor::NOBODY, at).with_value(title)
        };
        if is_live {
            let webhook = fact(Source::Webhook, "hook-00", self.within(at, 0));
            self.facts.push(webhook.showing(look.clone()));
        }
        let service = look.service.as_ref().map(|service| service.id.as_str());
        let log = fact(Source::LogEntry, "log-00", at).beginning_with(service, None);
        self.facts.push(log.clone());
        self.log.push(log);
        let what = What::Triggered;
        self.events.push((Event { at, what }, "log-00".to_owned()));
        self.steps.push((at, is_live));
    }

    /// Tells how it looks in the end.
    pub(super) fn look(&mut self, at: Timestamp, shown: Snapshot) {
        let read = Fact::new(Source::Read, "read", Kind::Seen, Actor::NOBODY, at);
        let read = read.showing(shown);
        self.facts.push(read.clone());
        self.log.push(read);
    }

    /// An instant of a second; what comes later in it is told to be later.
    fn within(&mut self, at: Timestamp, place: i64) -> Timestamp {
        let part = 1_000 / PER_SECOND;
        at + SignedDuration::from_millis(part * place + self.dice.0.i64(0..part))
    }

    pub(super) fn tell(&mut self, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            let others = steps.iter().enumerate();
            let mut others = others.filter(|(other, _)| *other != number);
            let is_near = others.any(|(_, other)| other.at.duration_since(step.at).abs() <= NEAR);
            self.tell_one(number + 1, step, is_near);
        }
    }

    fn tell_one(&mut self, number: usize, step: &Step, is_near: bool) {
        // Of messages and of what a person changed no webhook tells.
        let by_log_alone = matches!(
            step.act,
            Act::Counted(What::Notified { .. } | What::Snoozed(_)) | Act::Urgency(_)
        );
        // How it was resolved without a person, what a priority was before, and that it was opened again, only the log tells.
        let told_by_log = step.implies_reopen
            || match &step.act {
                Act::Priority { .. } => true,
                Act::Counted(What::Resolved(None, kind)) => *kind != ResolverKind::None,
                Act::Counted(_) | Act::Urgency(_) => false,
            };
        let has_log = by_log_alone || told_by_log || is_near || !self.dice.one_in(5);
        let has_hook = !by_log_alone && (!has_log || self.dice.0.bool());
        let heard_at = self.within(step.at, step.place);
        if has_hook {
            let hook = webhook(&format!("hook-{number:02}"), heard_at, &step.act);
            // A delivery may come twice.
            let copies = 1 + self.dice.0.usize(..2);
            self.facts.extend(vec![hook; copies]);
        }
        // PagerDuty's ids tell no order.
        let id = format!("log-{:02}-{number:02}", self.dice.0.u32(..100));
        let entry = entry(&id, step.at, &step.act);
        self.facts.extend(has_log.then(|| entry.clone()));
        self.log.push(entry);
        if is_step(&step.act) {
            self.steps.push((step.at, has_hook));
        }
        let (at, report) = if has_log {
            (step.at, id)
        } else {
            (heard_at, format!("hook-{number:02}"))
        };
        if step.implies_reopen {
            let what = What::Reopened;
            self.events.push((Event { at, what }, report.clone()));
        }
        if let Act::Counted(what) = &step.act {
            let what = match what {
                // A webhook names them in an order of its own.
                What::Assigned(to) if !has_log => What::Assigned(reversed(to)),
                What::Escalated(to) if !has_log => What::Escalated(reversed(to)),
                What::Delegated(to) if !has_log => What::Delegated(reversed(to)),
                what => what.clone(),
            };
            self.events.push((Event { at, what }, report));
        }
    }
}

/// Whether it moves an incident from state to state.
fn is_step(act: &Act) -> bool {
    let Act::Counted(what) = act else {
        return false;
    };
    matches!(
        what,
        What::Acknowledged(_) | What::Unacknowledged | What::Resolved(..) | What::Reopened
    )
}

fn reversed(to: &[String]) -> Vec<String> {
    to.iter().rev().cloned().collect()
}

fn user(id: &str) -> Actor {
    Actor::user(id, id)
}

fn party(kind: ActorKind, id: &str) -> Actor {
    Actor {
        kind,
        id: Some(id.to_owned()),
        name: None,
    }
}

fn people(ids: &[String]) -> Vec<Person> {
    let ids = ids.iter().cloned();
    ids.map(|id| Person { id, name: None }).collect()
}

/// An entry of the log: what nobody did has the service for its agent.
fn entry(id: &str, at: Timestamp, act: &Act) -> Fact {
    let service = party(ActorKind::Service, "SDB");
    let plain = |kind: Kind, actor: Actor| Fact::new(Source::LogEntry, id, kind, actor, at);
    let what = match act {
        Act::Counted(what) => what,
        Act::Urgency(to) => return plain(Kind::UrgencyChanged, service).with_value(to),
        Act::Priority { from, to } => {
            let mut change = plain(Kind::PriorityChanged, user("UANN"));
            (change.value, change.detail) = (to.clone(), from.clone());
            return change;
        }
    };
    match what {
        What::Acknowledged(Some(by)) => plain(Kind::Acknowledged, user(by)),
        What::Acknowledged(None) => plain(Kind::Acknowledged, party(ActorKind::Api, "APP")),
        What::Unacknowledged => plain(Kind::Unacknowledged, service),
        What::Resolved(by, kind) => {
            let agent = match (by, kind) {
                (Some(by), _) => user(by),
                (None, ResolverKind::Api) => party(ActorKind::Api, "APP"),
                (None, ResolverKind::Integration) => party(ActorKind::Integration, "INT"),
                (None, ResolverKind::None) => Actor::NOBODY,
                (None, _) => service,
            };
            plain(Kind::Resolved, agent).with_value(kind.as_str())
        }
        What::Reopened => plain(Kind::Reopened, user("UANN")),
        What::Assigned(to) => plain(Kind::Assigned, user("UANN")).about(people(to)),
        What::Escalated(to) => plain(Kind::Escalated, service).about(people(to)),
        What::Delegated(to) => plain(Kind::Delegated, user("UANN")).about(people(to)),
        What::Notified { user, email } => {
            let to: Vec<String> = user.iter().cloned().collect();
            let channel = if *email { "email" } else { "push" };
            let message = plain(Kind::Notified, Actor::NOBODY);
            message.about(people(&to)).with_value(channel)
        }
        What::Snoozed(seconds) => {
            let until = at + SignedDuration::from_secs(i64::from(*seconds));
            plain(Kind::Snoozed, user("UANN")).with_value(until.to_string())
        }
        What::Triggered => panic!("told apart"),
    }
}

/// A webhook: it has no agent where no person acted, and names people in an order of its own.
fn webhook(id: &str, at: Timestamp, act: &Act) -> Fact {
    let mut told = entry(id, at, act);
    told.source = Source::Webhook;
    told.people.reverse();
    if told.actor.kind != ActorKind::User {
        told.actor = Actor::NOBODY;
        // Nor does it say how it was resolved.
        told.value = told.value.filter(|_| told.kind != Kind::Resolved);
    }
    if told.kind == Kind::PriorityChanged {
        told.detail = None;
    }
    told
}
