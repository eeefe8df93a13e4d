//! Lives as PagerDuty lets them be, and how they look at the trigger and in the end.

use im_core::{Fact, Named, Snapshot, Status, Urgency};
use im_metrics::input::{History, ResolverKind, Values, What};
use jiff::{SignedDuration, Timestamp};

use super::reports::{Teller, in_order};
use crate::random::Dice;

/// What may happen in one second.
pub(super) const PER_SECOND: i64 = 8;

const USERS: [&str; 3] = ["UANN", "UBOB", "UCAT"];

/// Something that happened, at a whole second.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) act: Act,
    /// Whether nothing but this tells that the incident was opened again.
    pub(super) implies_reopen: bool,
    /// Its place among those of its second, from 0.
    pub(super) place: i64,
}

/// A life and what was reported of it.
pub(super) struct Lived {
    pub(super) history: History,
    pub(super) reports: Vec<Fact>,
    /// What its whole log tells, and how it looks in the end.
    pub(super) log: Vec<Fact>,
    /// Its state in the end, where the reports tell the order of all steps.
    pub(super) state: Option<Status>,
    /// What its priority became last, if it changed.
    pub(super) priority: Option<Option<String>>,
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
pub(super) fn life(dice: &mut Dice, plain: &History) -> Lived {
    let begin = Timestamp::from_second(plain.events[0].at.as_second()).unwrap();
    let mut course = Course::new(begin, &plain.at_trigger);
    for _ in 0..dice.0.usize(..12) {
        course.go_on(dice);
    }
    if dice.one_in(4) && plain.at_trigger.service.is_some() {
        course.now.service = Some("SAPI".to_owned());
    }
    let state = course.state();
    let changes = course.steps.iter().rev();
    let priority = changes.into_iter().find_map(|step| match &step.act {
        Act::Priority { to, .. } => Some(to.clone()),
        Act::Counted(_) | Act::Urgency(_) => None,
    });
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
    // A merge is the last resolve of those that count, and no timer's.
    let counted = in_order(teller.events.clone());
    let mut resolves = counted.iter().rev().filter_map(|event| match event.what {
        What::Resolved(_, by) => Some(by),
        _ => None,
    });
    let merged = plain.merged && resolves.next() != Some(ResolverKind::Timer);
    let last = steps.last().map_or(begin, |step| step.at) + SignedDuration::from_secs(1);
    let mut end = look(&current, plain, last);
    end.merged_into = merged.then(|| "PTARGET".to_owned());
    teller.look(last, end);
    let told = teller.done();
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
        events: in_order(told.events),
        ..plain.clone()
    };
    Lived {
        history: life,
        reports: told.reports,
        log: told.log,
        state: told.has_order.then_some(state),
        priority,
    }
}

/// A life on its way.
struct Course {
    at: Timestamp,
    steps: Vec<Step>,
    /// How much happened in this second.
    in_second: i64,
    /// When something else last told that it was opened again.
    implied_at: Option<Timestamp>,
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
            in_second: 1,
            implied_at: None,
            is_open: true,
            is_taken: false,
            is_delegated: false,
            now: then.clone(),
        }
    }

    fn state(&self) -> Status {
        match (self.is_open, self.is_taken) {
            (false, _) => Status::Resolved,
            (true, true) => Status::Acknowledged,
            (true, false) => Status::Open,
        }
    }

    /// Lets the next thing happen: in the same second, soon or long after the last one. The log does not tell within a
    /// second what was opened again by nothing but what happened to it then.
    fn go_on(&mut self, dice: &mut Dice) {
        let act = if self.is_open {
            self.while_open(dice)
        } else {
            while_over(dice)
        };
        let implies_reopen = !self.is_open && !matches!(act, Act::Counted(What::Reopened));
        let gap = match dice.0.u32(..8) {
            0..3 => 0,
            3 => dice.0.i64(1..=3),
            _ => dice.0.i64(5..40_000),
        };
        let turns = matches!(act, Act::Counted(What::Resolved(..) | What::Reopened));
        let is_apart = implies_reopen
            || (turns && self.implied_at == Some(self.at))
            || self.in_second == PER_SECOND;
        let gap = if is_apart { gap.max(1) } else { gap };
        if gap > 0 {
            self.in_second = 0;
        }
        self.at += SignedDuration::from_secs(gap);
        if implies_reopen {
            self.implied_at = Some(self.at);
        }
        self.note(&act);
        self.steps.push(Step {
            at: self.at,
            act,
            implies_reopen,
            place: self.in_second,
        });
        self.in_second += 1;
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
