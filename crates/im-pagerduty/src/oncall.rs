//! Who is on call, level by level: PagerDuty's rows made into who has it now, who is next, and
//! where nobody is.
//!
//! PagerDuty lists a row for each person, level and schedule, repeats rows from page to page, and
//! tells the real ends of a shift. Here shifts of one person that follow one another are one
//! turn, whichever schedules they come from.
//!
//! Nothing is computed of layers, rotations or overrides: PagerDuty has applied them.

use im_core::Named;
use jiff::Timestamp;

use crate::answer::{Oncall, Policy, User};

/// One level of a policy and who stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// From 1.
    pub level: usize,
    /// Minutes after the trigger until this level is told; `None` for one with nobody on it now,
    /// which PagerDuty passes over.
    pub after_minutes: Option<i64>,
    /// Minutes until the next level.
    pub delay_minutes: Option<i64>,
    /// Whether one of those on call is told, by turns, and not all of them.
    pub round_robin: bool,
    /// Users and schedules that stand on it.
    pub targets: Vec<Named>,
    /// Who has it now.
    pub now: Vec<Turn>,
    /// Who begins next.
    pub next: Vec<Turn>,
    /// The first time with nobody.
    pub gap: Option<Uncovered>,
}

/// Somebody's time on call without an interruption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub user: User,
    /// By which schedule; `None` for a user who stands on the level directly.
    pub schedule: Option<Named>,
    /// Since when; `None` for a direct target.
    pub from: Option<Timestamp>,
    /// Until when; `None` if that lies beyond what was looked at, or never comes.
    pub until: Option<Timestamp>,
}

/// A time with nobody on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncovered {
    /// From here on …
    pub from: Timestamp,
    /// … until here; `None` if nobody comes in what was looked at.
    pub until: Option<Timestamp>,
}

/// The levels of a policy at `now`, out of its rows up to `horizon`.
pub fn watches(policy: &Policy, rows: &[Oncall], horizon: Timestamp, now: Timestamp) -> Vec<Watch> {
    let mut after = 0;
    let levels = policy.levels.iter().zip(1..);
    let mut watches = Vec::new();
    for (level, number) in levels {
        let is_here = |row: &&Oncall| {
            row.level == i64::try_from(number).ok()
                && row
                    .policy
                    .as_ref()
                    .is_none_or(|named| named.id == policy.id)
        };
        let turns = turns(rows.iter().filter(is_here), horizon);
        let current = current(&turns, now);
        let after_minutes = (!current.is_empty()).then_some(after);
        if after_minutes.is_some() {
            after += level.delay_minutes.unwrap_or_default();
        }
        watches.push(Watch {
            level: number,
            after_minutes,
            delay_minutes: level.delay_minutes,
            round_robin: level.round_robin,
            targets: level.targets.clone(),
            now: current,
            next: next(&turns, now),
            gap: uncovered(&turns, horizon, now),
        });
    }
    watches
}

/// The turns of each person, one after the other.
pub fn turns<'a>(rows: impl Iterator<Item = &'a Oncall>, horizon: Timestamp) -> Vec<Turn> {
    let mut rows: Vec<&Oncall> = rows.collect();
    rows.sort_by_key(|row| (&row.user.id, row.start, row.end.is_none(), row.end));
    let mut turns: Vec<Turn> = Vec::new();
    for row in rows {
        if let Some(last) = turns.last_mut().filter(|last| joins(last, row)) {
            // `None` is the latest end of all.
            last.until = last.until.zip(row.end).map(|(one, other)| one.max(other));
            // It may go on where nobody looked.
            last.until = last.until.filter(|until| *until < horizon);
        } else {
            turns.push(Turn {
                user: row.user.clone(),
                schedule: row.schedule.clone(),
                from: row.start,
                until: row.end,
            });
        }
    }
    turns.sort_by(|a, b| (a.from, &a.user.name).cmp(&(b.from, &b.user.name)));
    turns
}

/// Whether a shift belongs to the turn before it. The same row twice does.
fn joins(turn: &Turn, row: &Oncall) -> bool {
    let follows = row
        .start
        .is_none_or(|start| turn.until.is_none_or(|until| start <= until));
    turn.user.id == row.user.id && follows
}

/// The turns that `now` is in.
pub fn current(turns: &[Turn], now: Timestamp) -> Vec<Turn> {
    let has_it = |turn: &&Turn| {
        turn.from.is_none_or(|from| from <= now) && turn.until.is_none_or(|until| now < until)
    };
    turns.iter().filter(has_it).cloned().collect()
}

/// The turns that begin first after `now`.
pub fn next(turns: &[Turn], now: Timestamp) -> Vec<Turn> {
    let later = || turns.iter().filter(|turn| turn.from > Some(now));
    let first = later().filter_map(|turn| turn.from).min();
    later().filter(|turn| turn.from == first).cloned().collect()
}

/// The first time from `now` on that no turn covers.
fn uncovered(turns: &[Turn], horizon: Timestamp, now: Timestamp) -> Option<Uncovered> {
    let mut covered = now;
    // They are in the order in which they begin.
    for turn in turns {
        if turn.from.is_some_and(|from| from > covered) {
            break;
        }
        covered = covered.max(turn.until?);
    }
    let until = turns
        .iter()
        .filter_map(|turn| turn.from)
        .filter(|from| *from > covered)
        .min();
    (covered < horizon).then_some(Uncovered {
        from: covered,
        until,
    })
}
