//! What happened, against what is counted once it went through reports.
//!
//! Here lives are made up first: acts of which each happened once. Each act is then reported as PagerDuty
//! does it: by its log to the second, by a webhook within that second, by both, twice, in any order. The
//! engine gets what `im_core::fold` and `im_metrics::history` make of the reports; the second implementation
//! gets the lives themselves. So what merges reports, orders them and reads an incident out of them is
//! checked by something that shares none of it.

use im_core::{Actor, Fact, IncidentNumber, Kind, Named, Person, Snapshot, Source, Urgency, fold};
use im_metrics::input::{Event, History, ResolverKind, Values, What};
use im_metrics::{Engine, Metric, history};
use jiff::{SignedDuration, Timestamp};

use crate::given::World;
use crate::oracle::Oracle;
use crate::random::{Dice, params, world};
use crate::same_as_oracle::compare;

const USERS: [&str; 3] = ["UANN", "UBOB", "UCAT"];

#[test]
fn what_is_counted_is_what_happened_however_it_was_reported() {
    play(150);
}

#[test]
#[ignore = "minutes: 50,000 histories; `cargo xtask truth`"]
fn what_is_counted_is_what_happened_in_fifty_thousand_histories() {
    play(5_000);
}

fn play(worlds: u64) {
    for seed in 0..worlds {
        let mut dice = Dice::seeded(seed);
        let mut world = world(&mut dice);
        let lives: Vec<(History, Vec<Fact>)> = world
            .histories
            .iter()
            .map(|plain| life(&mut dice, plain))
            .collect();
        world.histories = lives.iter().map(|(life, _)| life.clone()).collect();
        let engine = told(&world, &lives, seed);
        for metric in Metric::ALL {
            let params = params(&mut dice, *metric);
            let pairs = params.iter().map(|(name, value)| (&**name, &**value));
            let Ok(query) = im_metrics::parse(metric.as_str(), pairs) else {
                continue;
            };
            let Ok(answer) = engine.answer(&query, world.now) else {
                continue;
            };
            let place = format!("seed {seed}: {} {params:?}", metric.as_str());
            compare(&answer, &Oracle::new(&world, &query), &place);
        }
    }
}

/// An engine that was told of the lives by reports.
fn told(world: &World, lives: &[(History, Vec<Fact>)], seed: u64) -> Engine {
    let mut engine = Engine::new(world.settings());
    for (life, reports) in lives {
        let number = IncidentNumber::new(life.number).unwrap();
        let story = fold(reports, None).unwrap();
        let mut read = history(number, reports, &story).unwrap();
        assert_eq!(read.events, life.events, "seed {seed}: {reports:#?}");
        // What people say of an incident is no report.
        read.link.clone_from(&life.link);
        read.not_change_related = life.not_change_related;
        read.deployment.clone_from(&life.deployment);
        read.environment.clone_from(&life.environment);
        read.severity.clone_from(&life.severity);
        assert_eq!(&read, life, "seed {seed}");
        engine.put(&read);
    }
    engine.put_deployments(&world.deployments);
    engine
}

/// A life with the fields of a made-up history, and the reports of it.
fn life(dice: &mut Dice, plain: &History) -> (History, Vec<Fact>) {
    let begin = plain.events[0].at;
    let begin = Timestamp::from_second(begin.as_second()).unwrap();
    let mut teller = Teller {
        dice,
        facts: Vec::new(),
        events: Vec::new(),
    };
    let values = Values {
        service: plain.at_trigger.service.clone(),
        policy: plain.at_trigger.policy.clone(),
        urgency: plain.at_trigger.urgency.clone(),
        priority: plain.at_trigger.priority.clone(),
    };
    let look = look(&values, plain, begin);
    let is_live = teller.trigger(begin, &plain.title, &look);
    teller.live(begin, is_live);
    let last = teller.events.last().unwrap().at;
    let read = Fact::new(Source::Read, "read", Kind::Seen, Actor::NOBODY, last);
    let mut end = look;
    end.version = last;
    // A merge is the last resolve, and no timer's.
    let resolves = teller.events.iter().rev();
    let mut resolves = resolves.filter(|event| matches!(event.what, What::Resolved(..)));
    let is_timer = |event: &Event| matches!(event.what, What::Resolved(_, ResolverKind::Timer));
    let merged = plain.merged && !resolves.next().is_some_and(is_timer);
    end.merged_into = merged.then(|| "PTARGET".to_owned());
    teller.facts.push(read.showing(end));
    let Teller {
        dice,
        mut facts,
        events,
    } = teller;
    dice.0.shuffle(&mut facts);
    let delegated = events
        .iter()
        .any(|event| matches!(event.what, What::Delegated(_)));
    let life = History {
        origin: "pagerduty".to_owned(),
        at_trigger: values.clone(),
        current: values,
        key: None,
        cause: None,
        rebuilt: !is_live,
        policy_untold: delegated && plain.at_trigger.policy.is_none(),
        merged,
        events,
        ..plain.clone()
    };
    (life, facts)
}

fn look(values: &Values, plain: &History, version: Timestamp) -> Snapshot {
    let named = |id: &String| Named {
        id: id.clone(),
        name: None,
    };
    Snapshot {
        version,
        read_at: None,
        answered_at: None,
        id: format!("P{}", plain.number),
        number: Some(plain.number),
        html_url: None,
        incident_key: None,
        created_at: Some(version),
        status: None,
        title: Some(plain.title.clone()),
        urgency: values.urgency.as_deref().and_then(Urgency::parse),
        priority: Some(values.priority.as_ref().map(named)),
        service: values.service.as_ref().map(named),
        policy: values.policy.as_ref().map(named),
        assignees: None,
        teams: Some(plain.teams.iter().map(named).collect()),
        merged_into: None,
    }
}

struct Teller<'a> {
    dice: &'a mut Dice,
    facts: Vec<Fact>,
    events: Vec<Event>,
}

impl Teller<'_> {
    /// Tells of the trigger; says whether a webhook did.
    fn trigger(&mut self, at: Timestamp, title: &str, look: &Snapshot) -> bool {
        let fact = |source: Source, id: &str, at: Timestamp| {
            Fact::new(source, id, Kind::Triggered, Actor::NOBODY, at).with_value(title)
        };
        let is_live = self.dice.0.bool();
        if is_live {
            let webhook = fact(Source::Webhook, "hook-0", self.within(at));
            self.facts.push(webhook.showing(look.clone()));
        }
        // The log is read sooner or later, and tells when it was.
        self.facts.push(fact(Source::LogEntry, "log-0", at));
        self.events.push(Event {
            at,
            what: What::Triggered,
        });
        is_live
    }

    /// An instant of the same second.
    fn within(&mut self, at: Timestamp) -> Timestamp {
        at + SignedDuration::from_millis(self.dice.0.i64(0..1_000))
    }

    /// What may happen to an incident, as PagerDuty lets it happen. From which policy one was delegated is
    /// told by a webhook of its trigger alone.
    fn live(&mut self, begin: Timestamp, is_live: bool) {
        let (mut at, mut is_open, mut is_taken) = (begin, true, false);
        for step in 1..=self.dice.0.usize(..12) {
            at += SignedDuration::from_secs(self.dice.0.i64(5..40_000));
            let user = USERS[self.dice.0.usize(..USERS.len())];
            let what = match (self.dice.0.u32(..10), is_open) {
                (0 | 1, true) => What::Acknowledged(Some(user.to_owned())),
                (2, true) if is_taken => What::Unacknowledged,
                (3, true) => What::Resolved(Some(user.to_owned()), ResolverKind::Human),
                (4, true) => What::Resolved(None, ResolverKind::Timer),
                (5, true) => What::Assigned(vec![user.to_owned()]),
                (6, true) => What::Escalated(vec![user.to_owned()]),
                (7, true) if is_live => What::Delegated(vec![user.to_owned()]),
                (_, true) => What::Notified {
                    user: Some(user.to_owned()),
                    email: self.dice.0.bool(),
                },
                (_, false) => What::Reopened,
            };
            match what {
                What::Acknowledged(_) => is_taken = true,
                What::Unacknowledged => is_taken = false,
                What::Resolved(..) => (is_open, is_taken) = (false, false),
                What::Reopened => is_open = true,
                _ => {}
            }
            self.tell(step, at, &what);
        }
    }

    fn tell(&mut self, step: usize, at: Timestamp, what: &What) {
        let by_log = report(Source::LogEntry, &format!("log-{step}"), at, what);
        // Of messages no webhook tells, and what no log told has the webhook's time.
        let has_log = matches!(what, What::Notified { .. }) || self.dice.0.u32(..5) > 0;
        let within = self.within(at);
        let by_hook = report(Source::Webhook, &format!("hook-{step}"), within, what);
        let has_hook = !has_log || self.dice.0.bool();
        if has_hook && !matches!(what, What::Notified { .. }) {
            // A delivery may come twice.
            let copies = 1 + self.dice.0.usize(..2);
            self.facts.extend(vec![by_hook; copies]);
        }
        if has_log {
            self.facts.push(by_log);
        }
        self.events.push(Event {
            at: if has_log { at } else { within },
            what: what.clone(),
        });
    }
}

fn report(source: Source, id: &str, at: Timestamp, what: &What) -> Fact {
    let person = |id: &String| Person {
        id: id.clone(),
        name: None,
    };
    let user = |id: &Option<String>| {
        let id = id.as_deref();
        id.map_or(Actor::NOBODY, |id| Actor::user(id, id))
    };
    let plain = |kind: Kind, actor: Actor| Fact::new(source, id, kind, actor, at);
    let given = |kind: Kind, to: &[String]| {
        let people = to.iter().map(person).collect();
        plain(kind, Actor::NOBODY).about(people)
    };
    match what {
        What::Acknowledged(by) => plain(Kind::Acknowledged, user(by)),
        What::Unacknowledged => plain(Kind::Unacknowledged, Actor::NOBODY),
        What::Resolved(by, kind) => plain(Kind::Resolved, user(by)).with_value(kind.as_str()),
        What::Reopened => plain(Kind::Reopened, user(&Some("UANN".to_owned()))),
        What::Assigned(to) => given(Kind::Assigned, to),
        What::Escalated(to) => given(Kind::Escalated, to),
        What::Delegated(to) => given(Kind::Delegated, to),
        What::Notified { user, email } => {
            let channel = if *email { "email" } else { "push" };
            let to: Vec<String> = user.iter().cloned().collect();
            given(Kind::Notified, &to).with_value(channel)
        }
        What::Triggered | What::Snoozed(_) => panic!("{what:?} is not told here"),
    }
}
