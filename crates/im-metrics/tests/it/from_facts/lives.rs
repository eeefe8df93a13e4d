//! Lives as PagerDuty lets them be, and how they look at the trigger and in the end.

use im_core::{Fact, Named, Snapshot, Urgency};
use im_metrics::input::{Event, History, ResolverKind, Values, What};
use jiff::{SignedDuration, Timestamp};

use super::reports::Teller;
use crate::random::Dice;

const USERS: [&str; 3] = ["UANN", "UBOB", "UCAT"];

/// Something that happened, at a whole second.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) act: Act,
    /// Whether nothing but this tells that the incident was opened again.
    pub(super) implies_reopen: bool,
    /// Its place among those of its second: 0 or 1.
    pub(super) place: i64,
}

#[derive(Debug, Clone)]
pub(super) enum Act {
    /// What figures count.
    Counted(What),
    /// Its urgency became this.
    Urgency(String),
    /// Its priority became another.
    Priority {
        from: Option<String>,
        to: Option<String>,
    },
}

/// A life with the fields of a made-up history, and the reports of it.
pub(super) fn life(dice: &mut Dice, plain: &History) -> (History, Vec<Fact>) {
    let begin = Timestamp::from_second(plain.events[0].at.as_second()).unwrap();
    let mut course = Course::new(begin, &plain.at_trigger);
    for _ in 0..dice.0.usize(..12) {
        course.go_on(dice);
    }
    if dice.one_in(4) && plain.at_trigger.service.is_some() {
        course.now.service = Some("SAPI".to_owned());
    }
    let Course {
        steps,
        now: current,
        is_delegated,
        ..
    } = course;
    let is_live = dice.0.bool();
    let mut teller = Teller::new(dice);
    let then = look(&plain.at_trigger, plain, begin);
    teller.trigger(begin, &plain.title, &then, is_live);
    teller.tell(&steps);
    // A merge is the last resolve, and no timer's.
    let resolves = teller.events.iter().rev();
    let mut resolves = resolves.filter(|event| matches!(event.what, What::Resolved(..)));
    let is_timer = |event: &Event| matches!(event.what, What::Resolved(_, ResolverKind::Timer));
    let merged = plain.merged && !resolves.next().is_some_and(is_timer);
    let last = steps.last().map_or(begin, |step| step.at) + SignedDuration::from_secs(1);
    let mut end = look(&current, plain, last);
    end.merged_into = merged.then(|| "PTARGET".to_owned());
    teller.look(last, end);
    let (facts, events) = teller.done();
    let at_trigger = Values {
        // From which policy one was delegated is told by a webhook of its trigger alone.
        policy: plain
            .at_trigger
            .policy
            .clone()
            .filter(|_| is_live || !is_delegated),
        ..plain.at_trigger.clone()
    };
    let life = History {
        origin: "pagerduty".to_owned(),
        policy_untold: is_delegated && at_trigger.policy.is_none(),
        at_trigger,
        current,
        key: None,
        cause: None,
        rebuilt: !is_live,
        merged,
        events,
        ..plain.clone()
    };
    (life, facts)
}

/// A life on its way.
struct Course {
    at: Timestamp,
    steps: Vec<Step>,
    /// What happened last, and how much in its second.
    last: (u8, i64),
    is_open: bool,
    is_taken: bool,
    is_delegated: bool,
    now: Values,
}

impl Course {
    fn new(begin: Timestamp, then: &Values) -> Self {
        Self {
            at: begin,
            steps: Vec::new(),
            last: (0, 1),
            is_open: true,
            is_taken: false,
            is_delegated: false,
            now: then.clone(),
        }
    }

    /// Lets the next thing happen: often long after the last one, seldom within two seconds of it, and in the same
    /// second only where the order of one instant is the order in which they happened.
    fn go_on(&mut self, dice: &mut Dice) {
        let act = if self.is_open {
            self.while_open(dice)
        } else {
            while_over(dice)
        };
        let implies_reopen = !self.is_open && !matches!(act, Act::Counted(What::Reopened));
        let rank = rank(&act);
        let gap = if dice.one_in(4) {
            dice.0.i64(0..=3)
        } else {
            dice.0.i64(5..40_000)
        };
        let is_in_order = self.last.1 == 1 && self.last.0 <= rank && !implies_reopen;
        let gap = if is_in_order { gap } else { gap.max(1) };
        let place = i64::from(gap == 0);
        self.at += SignedDuration::from_secs(gap);
        self.last = (rank, if implies_reopen { 2 } else { place + 1 });
        self.note(&act);
        self.steps.push(Step {
            at: self.at,
            act,
            implies_reopen,
            place,
        });
    }

    fn while_open(&self, dice: &mut Dice) -> Act {
        let what = match dice.0.u32(..16) {
            0 | 1 => What::Acknowledged(Some(one(dice))),
            2 => What::Acknowledged(None),
            3 if self.is_taken => What::Unacknowledged,
            4 | 5 => What::Resolved(Some(one(dice)), ResolverKind::Human),
            6 | 7 => What::Resolved(None, ResolverKind::ALL[dice.0.usize(2..6)]),
            8 => What::Assigned(some(dice)),
            9 => What::Escalated(some(dice)),
            10 => What::Delegated(some(dice)),
            11 => What::Snoozed(dice.0.u32(1..100_000)),
            12 => return self.another_urgency(),
            13 => return self.another_priority(dice),
            14 => What::Notified {
                user: None,
                email: false,
            },
            _ => What::Notified {
                user: Some(one(dice)),
                email: dice.0.bool(),
            },
        };
        Act::Counted(what)
    }

    fn another_urgency(&self) -> Act {
        match self.now.urgency.as_deref() {
            Some("high") => Act::Urgency("low".to_owned()),
            Some(_) => Act::Urgency("high".to_owned()),
            // Nobody ever told it.
            None => Act::Counted(What::Acknowledged(None)),
        }
    }

    fn another_priority(&self, dice: &mut Dice) -> Act {
        let all = [None, Some("PR1"), Some("PR2")];
        let from = self.now.priority.clone();
        let others = all.into_iter().filter(|to| *to != from.as_deref());
        let others: Vec<_> = others.collect();
        let to = others[dice.0.usize(..others.len())].map(str::to_owned);
        Act::Priority { from, to }
    }

    fn note(&mut self, act: &Act) {
        match act {
            Act::Urgency(to) => self.now.urgency = Some(to.clone()),
            Act::Priority { to, .. } => self.now.priority.clone_from(to),
            Act::Counted(what) => {
                self.is_open = !matches!(what, What::Resolved(..));
                match what {
                    What::Acknowledged(_) => self.is_taken = true,
                    What::Unacknowledged | What::Resolved(..) | What::Reopened => {
                        self.is_taken = false;
                    }
                    What::Delegated(_) => {
                        self.is_delegated = true;
                        self.now.policy = Some("E2".to_owned());
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Reopened, or something that happens only to what is open.
fn while_over(dice: &mut Dice) -> Act {
    Act::Counted(match dice.0.u32(..8) {
        0 => What::Acknowledged(Some(one(dice))),
        1 => What::Unacknowledged,
        2 => What::Assigned(some(dice)),
        3 => What::Escalated(some(dice)),
        4 => What::Delegated(some(dice)),
        _ => What::Reopened,
    })
}

fn one(dice: &mut Dice) -> String {
    USERS[dice.0.usize(..USERS.len())].to_owned()
}

/// At least one of them.
fn some(dice: &mut Dice) -> Vec<String> {
    match dice.some_of(&USERS) {
        none if none.is_empty() => vec![one(dice)],
        some => some,
    }
}

/// The place of an act among those of one instant.
fn rank(act: &Act) -> u8 {
    match act {
        Act::Counted(What::Triggered) => 0,
        Act::Counted(What::Assigned(_) | What::Escalated(_) | What::Delegated(_)) => 1,
        Act::Counted(What::Acknowledged(_)) => 2,
        Act::Counted(What::Unacknowledged) => 3,
        Act::Counted(What::Resolved(..)) => 4,
        Act::Counted(What::Reopened) => 5,
        Act::Counted(What::Snoozed(_) | What::Notified { .. })
        | Act::Urgency(_)
        | Act::Priority { .. } => 6,
    }
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
