//! What people and machines do about an incident, in order.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::about;
use super::troubles::Trouble;

/// Auto-resolve comes after four hours: nobody repairs for longer.
const REPAIR_MAX: SignedDuration = SignedDuration::from_mins(200);

/// One act. Whoever has the incident then does it, unless it says otherwise.
#[derive(Clone, Copy)]
pub(in super::super) enum Act {
    /// Acknowledges it.
    Take,
    /// Acknowledges it although others have it: a person, in the account's order.
    TakeAs(usize),
    Note(&'static str),
    /// Gives it to a person.
    Pass(usize),
    /// Moves it to the second level.
    Escalate,
    /// Gives it to the policy of this place in the account's order.
    Delegate(usize),
    /// Asks a person to help, who does.
    Ask(usize),
    /// Gives it another priority.
    Priority(usize),
    /// Puts it off for so many seconds.
    Snooze(i64),
    /// Merges it into the incident of this place in the plan.
    MergeInto(usize),
    Resolve,
    /// Monitoring says that it is over.
    Calm,
    Reopen,
}

/// How fast people are, usually.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// To the first answer.
    pub(super) answer_s: i64,
    /// From there to the end.
    pub(super) repair_s: i64,
}

type Acts = Vec<(Timestamp, Act)>;

/// What happens after it began at `at`.
pub(super) fn of(rng: &mut Rng, trouble: &Trouble, pace: Pace, at: Timestamp) -> Acts {
    if trouble.severity == "critical" {
        urgent(rng, trouble, pace, at)
    } else {
        patient(rng, trouble, pace, at)
    }
}

fn minutes(rng: &mut Rng, from: i64, to: i64) -> SignedDuration {
    SignedDuration::from_secs(rng.i64(60 * from..60 * to))
}

/// People are called.
fn urgent(rng: &mut Rng, trouble: &Trouble, pace: Pace, at: Timestamp) -> Acts {
    match rng.u8(0..100) {
        // Over before anybody has looked.
        0..8 => return vec![(at + minutes(rng, 2, 6), Act::Calm)],
        // Whoever was called repairs it and forgets to say so first.
        8..11 => return vec![(at + about(rng, pace.repair_s), Act::Resolve)],
        _ => {}
    }
    let taken = at + about(rng, pace.answer_s);
    let mut acts = vec![(taken, Act::Take)];
    let over = taken + about(rng, pace.repair_s).min(REPAIR_MAX);
    let length = over.duration_since(taken).as_secs();
    let part = |hundredths: i64| taken + SignedDuration::from_secs(length * hundredths / 100);
    if rng.u8(0..100) < 65 {
        acts.push((part(30), Act::Note(trouble.seen)));
    }
    detour(rng, &mut acts, part(45), part(60));
    match rng.u8(0..100) {
        0..12 => acts.push((over, Act::Calm)),
        12..17 => {
            acts.push((over, Act::Resolve));
            let again = over + minutes(rng, 6, 30);
            let taken = again + minutes(rng, 1, 4);
            let over = taken + minutes(rng, 8, 25);
            acts.extend([
                (again, Act::Reopen),
                (taken, Act::Take),
                (over, Act::Resolve),
            ]);
        }
        _ => acts.push((over, Act::Resolve)),
    }
    if rng.u8(0..100) < 62 {
        let last = acts.last().map_or(over, |(last, _)| *last);
        acts.push((last + minutes(rng, 1, 40), Act::Note(trouble.cause)));
    }
    acts
}

/// At times others come in.
fn detour(rng: &mut Rng, acts: &mut Acts, when: Timestamp, then: Timestamp) {
    let someone = rng.usize(0..6);
    match rng.u8(0..100) {
        0..9 => acts.extend([(when, Act::Pass(someone)), (then, Act::Take)]),
        9..14 => acts.extend([(when, Act::Escalate), (then, Act::Take)]),
        14..17 => acts.extend([(when, Act::Delegate(someone % 3)), (then, Act::Take)]),
        17..27 => acts.push((when, Act::Ask(someone))),
        27..34 => acts.push((when, Act::Priority(someone % 3))),
        34..40 => acts.push((when, Act::TakeAs(someone))),
        _ => {}
    }
}

/// Nobody is called for it but by mail.
fn patient(rng: &mut Rng, trouble: &Trouble, pace: Pace, at: Timestamp) -> Acts {
    // Where everybody is busy, more is left to end by itself, after four hours.
    let left = if pace.answer_s > 300 { 55 } else { 43 };
    match rng.u8(0..100) {
        0..40 => vec![(at + minutes(rng, 5, 50), Act::Calm)],
        course if course < left => Vec::new(),
        course => {
            let taken = at + about(rng, 2 * pace.answer_s);
            let mut acts = vec![(taken, Act::Take)];
            let mut over = taken + about(rng, pace.repair_s * 2 / 3) + minutes(rng, 3, 9);
            if course < 65 {
                acts.push((taken + minutes(rng, 1, 3), Act::Snooze(3_600)));
                over += SignedDuration::from_mins(20);
            }
            acts.extend([(over, Act::Note(trouble.seen)), (over, Act::Resolve)]);
            if rng.bool() {
                acts.push((over + minutes(rng, 1, 20), Act::Note(trouble.cause)));
            }
            acts
        }
    }
}
