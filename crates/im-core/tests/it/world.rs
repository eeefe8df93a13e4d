//! A small PagerDuty and the simplest engine that could work with it: lives at random.
//!
//! It knows three things that matter to a fold: PagerDuty tells an act by an answer (in seconds),
//! a webhook (in milliseconds) and the log (in seconds); all but the answer come late or not at
//! all; and our clock is not PagerDuty's.

use im_core::{
    Actor, Command, Decided, Effect, Fact, Kind, PeerStatus, Person, Source, StatusModel, Story,
    decide, fold, owed,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;

use crate::given::{at, blank_snapshot, both_ways, people, user};

/// What may happen next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Here(Command),
    There(Kind, &'static str),
    Pay,
    Deliver(usize),
    Lose(usize),
    ReadLog,
    Wait(i64),
}

/// How far PagerDuty's clock is ahead of ours, and a life.
pub(crate) fn steps() -> impl Strategy<Value = (i64, Vec<Step>)> {
    let here = select(vec![
        Command::Acknowledge,
        Command::Mitigate,
        Command::Resolve,
        Command::Close,
        Command::Reopen,
        Command::Cancel,
        Command::MarkDuplicate {
            of: "INC-2".parse().unwrap(),
        },
        Command::Delete,
        Command::Note {
            text: "looking".to_owned(),
        },
        Command::Assign { to: people("cleo") },
    ]);
    let there = select(vec![
        Kind::Acknowledged,
        Kind::Acknowledged,
        Kind::Unacknowledged,
        Kind::Resolved,
        Kind::Reopened,
        Kind::Assigned,
        Kind::Noted,
    ]);
    let step = prop_oneof![
        3 => here.prop_map(Step::Here),
        3 => (there, select(vec!["ann", "bob", ""])).prop_map(|(kind, who)| Step::There(kind, who)),
        3 => Just(Step::Pay),
        3 => (0_usize..4).prop_map(Step::Deliver),
        1 => (0_usize..4).prop_map(Step::Lose),
        1 => Just(Step::ReadLog),
        2 => select(vec![150_i64, 900, 5_000, 400_000]).prop_map(Step::Wait),
    ];
    (
        select(vec![0_i64, 0, 400, 90_000, -90_000]),
        proptest::collection::vec(step, 1..30),
    )
}

pub(crate) struct World {
    pub(crate) facts: Vec<Fact>,
    now: Timestamp,
    ahead: SignedDuration,
    there: Option<There>,
    on_their_way: Vec<Fact>,
    log: Vec<Fact>,
    serial: usize,
    /// Whether PagerDuty's answers say who acted. One that does not may be taken for the echo of
    /// what somebody else did, until its own is there.
    pub(crate) answers_name_us: bool,
}

/// PagerDuty's incident.
struct There {
    status: PeerStatus,
    changed_at: Timestamp,
    assignees: Vec<Person>,
    ackers: Vec<&'static str>,
}

const BOT: &str = "bot";

impl World {
    pub(crate) fn new(ahead_ms: i64) -> Self {
        Self {
            facts: Vec::new(),
            now: at("09:00"),
            ahead: SignedDuration::from_millis(ahead_ms),
            there: None,
            on_their_way: Vec::new(),
            log: Vec::new(),
            serial: 0,
            answers_name_us: false,
        }
    }

    pub(crate) fn story(&self) -> Story {
        fold(&self.facts, Some(&both_ways())).unwrap_or_else(|| panic!("nothing happened"))
    }

    pub(crate) fn peer_status(&self) -> PeerStatus {
        self.there.as_ref().unwrap().status
    }

    pub(crate) fn play(&mut self, step: Step) {
        self.now += SignedDuration::from_millis(40);
        match step {
            Step::Here(command) => self.here(&command),
            Step::There(kind, who) => self.there(kind, who),
            Step::Pay => self.pay(),
            Step::Deliver(index) if index < self.on_their_way.len() => {
                let fact = self.on_their_way.remove(index);
                self.facts.push(fact);
            }
            Step::Lose(index) if index < self.on_their_way.len() => {
                self.on_their_way.remove(index);
            }
            Step::ReadLog => self.facts.extend(self.log.clone()),
            Step::Wait(ms) => self.now += SignedDuration::from_millis(ms),
            Step::Deliver(_) | Step::Lose(_) => {}
        }
        if self.facts.is_empty() {
            self.there(Kind::Triggered, "");
            self.facts.extend(self.on_their_way.pop());
        }
        self.settle_moot();
    }

    /// Everything arrives, and everything owed is paid.
    pub(crate) fn settle(&mut self) {
        for _ in 0..60 {
            self.facts.append(&mut self.on_their_way);
            self.settle_moot();
            if owed(&self.story(), &both_ways()).owed.is_empty() {
                return;
            }
            self.now += SignedDuration::from_millis(1_500);
            self.pay();
        }
        panic!("the two sides never come to rest: {:#?}", self.facts);
    }

    fn next_id(&mut self) -> String {
        self.serial += 1;
        format!("{:04}", self.serial)
    }

    fn here(&mut self, command: &Command) {
        let declare = Command::Declare {
            title: "db down".to_owned(),
            severity: im_core::Severity::Sev1,
            description: None,
            services: Vec::new(),
        };
        let story = fold(&self.facts, Some(&both_ways()));
        let command = if story.is_none() { &declare } else { command };
        let decided = decide(story.as_ref(), command, StatusModel::Lifecycle).unwrap_or_default();
        let when = story.map_or(self.now, |story| story.command_at(self.now));
        for Decided {
            kind,
            value,
            detail,
            people,
        } in decided
        {
            let id = self.next_id();
            let fact = Fact::new(
                Source::Command,
                id,
                kind,
                Actor::user("ann@example.com", "Ann"),
                when,
            );
            self.facts.push(Fact {
                value,
                detail,
                people,
                ..fact
            });
        }
    }

    /// Somebody does something at PagerDuty, if it can be done.
    fn there(&mut self, kind: Kind, who: &'static str) {
        if self.there.is_none() && kind == Kind::Triggered {
            self.make(who);
            return;
        }
        let Some(there) = &self.there else { return };
        let open = there.status != PeerStatus::Resolved;
        let allowed = match kind {
            Kind::Acknowledged => open && !who.is_empty() && !there.ackers.contains(&who),
            Kind::Unacknowledged => there.status == PeerStatus::Acknowledged,
            Kind::Resolved => open,
            Kind::Reopened => !open,
            Kind::Assigned => open && there.assignees != people("bob"),
            _ => true,
        };
        if allowed {
            self.happen(kind, who, &people("bob"), "seen");
        }
    }

    fn make(&mut self, who: &'static str) {
        self.there = Some(There {
            status: PeerStatus::Triggered,
            changed_at: self.now + self.ahead,
            assignees: people("ann"),
            ackers: Vec::new(),
        });
        self.happen(Kind::Triggered, who, &[], "db down");
    }

    /// It is so at PagerDuty from now on; a webhook is sent and the log has it.
    fn happen(&mut self, kind: Kind, who: &'static str, to: &[Person], text: &str) {
        // Nobody does the same twice within seconds, and two people do not turn one incident
        // over twice within one: reports of such acts cannot be told apart.
        let again = |entry: &&Fact| {
            entry.kind == kind
                && (entry.people.is_empty() || entry.people == to)
                && entry
                    .actor
                    .name
                    .as_deref()
                    .filter(|name| *name != "web")
                    .unwrap_or_default()
                    == who
        };
        let same = self
            .log
            .iter()
            .rfind(again)
            .map(|entry| entry.at + SignedDuration::from_secs(3));
        let changed = self.there.as_ref().map(|there| second(there.changed_at));
        let not_before = same.max(changed).filter(|_| kind != Kind::Triggered);
        if let Some(not_before) = not_before.filter(|at| second(self.now + self.ahead) <= *at) {
            self.now = not_before + SignedDuration::from_millis(1_010) - self.ahead;
        }
        let when = self.now + self.ahead;
        let there = self.there.as_mut().unwrap();
        let before = there.status;
        match kind {
            Kind::Acknowledged => {
                there.status = PeerStatus::Acknowledged;
                there.ackers.push(who);
            }
            Kind::Resolved => {
                there.status = PeerStatus::Resolved;
                there.assignees.clear();
            }
            Kind::Unacknowledged => there.status = PeerStatus::Triggered,
            Kind::Reopened => {
                there.status = PeerStatus::Triggered;
                there.assignees = people("ann");
            }
            Kind::Assigned => there.assignees = to.to_vec(),
            _ => {}
        }
        if there.status != PeerStatus::Acknowledged {
            there.ackers.clear();
        }
        if there.status != before {
            there.changed_at = when;
        }
        let id = self.next_id();
        let mut fact = Fact::new(Source::Webhook, id, kind, user(who), when);
        if who.is_empty() {
            fact.actor = Actor::NOBODY;
        }
        if kind == Kind::Assigned {
            fact.people = to.to_vec();
        }
        if matches!(kind, Kind::Noted | Kind::Triggered) {
            fact.value = Some(text.to_owned());
        }
        let log_id = self.next_id();
        let mut entry = Fact {
            source: Source::LogEntry,
            source_id: log_id,
            at: second(when),
            ..fact.clone()
        };
        if who.is_empty() {
            entry.actor = user("service web");
        }
        self.log.push(entry);
        self.on_their_way.push(fact.showing(self.shown(when)));
    }

    fn shown(&self, version: Timestamp) -> im_core::Snapshot {
        let there = self.there.as_ref().unwrap();
        im_core::Snapshot {
            status: Some(there.status),
            title: Some("db down".to_owned()),
            urgency: Some(im_core::Urgency::High),
            assignees: Some(there.assignees.clone()),
            ..blank_snapshot(version)
        }
    }

    fn settle_moot(&mut self) {
        let Some(story) = fold(&self.facts, Some(&both_ways())) else {
            return;
        };
        for command in owed(&story, &both_ways()).moot {
            self.settled(&command);
        }
    }

    fn settled(&mut self, command: &str) {
        let fact = Fact::new(
            Source::Answer,
            format!("settled:{command}"),
            Kind::Settled,
            Actor::NOBODY,
            self.now,
        );
        self.facts
            .push(fact.with_value("carried").answering(command));
    }

    /// Looks at PagerDuty, and pays the first debt if what it shows is what was thought.
    fn pay(&mut self) {
        let Some(story) = fold(&self.facts, Some(&both_ways())) else {
            return;
        };
        let debts = owed(&story, &both_ways());
        let Some(debt) = debts.owed.first() else {
            return;
        };
        if self.look(&story) {
            return;
        }
        let kind_of = |command: &String| {
            story
                .pending
                .iter()
                .find(|pending| pending.command == *command)
                .unwrap()
                .kind
        };
        let status = self.there.as_ref().map(|there| there.status);
        let mut done = Vec::new();
        match &debt.effect {
            Effect::Create => {
                self.make(BOT);
                done.push(Kind::Triggered);
            }
            Effect::Status(PeerStatus::Resolved) => done.push(Kind::Resolved),
            Effect::Status(wanted) => {
                if status == Some(PeerStatus::Resolved) {
                    done.push(Kind::Reopened);
                } else if *wanted == PeerStatus::Triggered {
                    done.push(Kind::Unacknowledged);
                }
                if *wanted == PeerStatus::Acknowledged {
                    done.push(Kind::Acknowledged);
                }
            }
            Effect::Note(_) | Effect::Say(_) => done.push(Kind::Noted),
            Effect::Assign => done.push(Kind::Assigned),
            Effect::Title | Effect::Urgency | Effect::Service | Effect::Fields => {
                panic!("nobody asked for {debt:?}")
            }
        }
        for kind in done.iter().copied().filter(|kind| *kind != Kind::Triggered) {
            self.happen(kind, BOT, &story.assignees, "looking");
        }
        let last = debt.commands.last().cloned();
        for command in debt.commands.clone() {
            let kind = if done.contains(&kind_of(&command)) {
                kind_of(&command)
            } else {
                *done.last().unwrap()
            };
            if self.serial.is_multiple_of(2)
                || Some(&command) == last.as_ref()
                || debt.effect == Effect::Create
            {
                self.answer(&command, kind, &story.assignees);
            } else {
                self.settled(&command);
            }
        }
    }

    fn answer(&mut self, command: &str, kind: Kind, to: &[Person]) {
        let when = second(self.now + self.ahead);
        let id = self.next_id();
        let mut snapshot = self.shown(when);
        snapshot.read_at = Some(self.now);
        let actor = if self.answers_name_us {
            user(BOT)
        } else {
            Actor::NOBODY
        };
        let mut fact = Fact::new(Source::Answer, id, kind, actor, when)
            .answering(command)
            .showing(snapshot);
        if kind == Kind::Assigned {
            fact.people = to.to_vec();
        }
        if kind == Kind::Noted {
            fact.value = Some("looking".to_owned());
        }
        self.facts.push(fact);
    }

    /// Re-reads before a call; tells whether there was news.
    fn look(&mut self, story: &Story) -> bool {
        use PeerStatus as P;
        let (Some(there), Some(peer)) = (&self.there, &story.peer) else {
            return false;
        };
        let news = match (peer.status, there.status) {
            (P::Resolved, P::Triggered) => vec![Kind::Reopened],
            (P::Resolved, P::Acknowledged) => vec![Kind::Reopened, Kind::Acknowledged],
            (P::Triggered, P::Acknowledged) => vec![Kind::Acknowledged],
            (P::Acknowledged, P::Triggered) => vec![Kind::Unacknowledged],
            (P::Triggered | P::Acknowledged, P::Resolved) => vec![Kind::Resolved],
            (P::Triggered, P::Triggered)
            | (P::Acknowledged, P::Acknowledged)
            | (P::Resolved, P::Resolved) => vec![],
        };
        let known = peer.status_at.unwrap_or(peer.version) + SignedDuration::from_millis(1);
        let when = second(there.changed_at).max(known);
        for kind in &news {
            let id = self.next_id();
            let mut snapshot = self.shown(when);
            snapshot.read_at = Some(self.now);
            self.facts
                .push(Fact::new(Source::Read, id, *kind, Actor::NOBODY, when).showing(snapshot));
        }
        !news.is_empty()
    }
}

fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap()
}
