//! Who is on call when: turns of layers, restrictions, overrides, and what is left of them when one
//! lies on the other (docs/sim.md).
//!
//! Invariants
//! - Turns of whole days change hands at the same time of day, whatever the clocks do.
//! - An override lies on all layers, a later layer on an earlier one, the last override on top.
//! - A gap has no shift.

mod rails;
pub(crate) mod recurrence;

use std::sync::LazyLock;

use jiff::civil::Time;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Span, Timestamp};

use crate::state::{Layer, Override, Restriction, Schedule};

/// Built in, so that the machine's own data makes no difference.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const DAY_S: i64 = 86_400;
/// A shorter turn would be no shift; it also bounds the work for a long window.
pub(crate) const TURN_S_MIN: i64 = 3_600;
/// How far around an instant its shift is looked for, beside the length of a turn.
const AROUND: SignedDuration = SignedDuration::from_hours(24 * 8);

/// A zone by its IANA name, or by the name that Rails has for it.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    let name = rails::iana(name).unwrap_or(name);
    ZONES.get(name).ok()
}

/// One person's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) user: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Schedule {
    /// The zone its turns follow; a name that nobody knows counts as UTC.
    pub(crate) fn zone(&self) -> TimeZone {
        zone(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// Everybody in a layer that has not ended, in order.
    pub(crate) fn users(&self, now: Timestamp) -> Vec<&str> {
        let mut users: Vec<&str> = Vec::new();
        let current = self
            .layers
            .iter()
            .filter(|layer| layer.end.is_none_or(|end| now < end));
        for user in current.flat_map(|layer| &layer.users) {
            if !users.contains(&user.as_str()) {
                users.push(user);
            }
        }
        users
    }

    /// What is left when all layers and overrides lie on each other.
    pub(crate) fn final_shifts(&self, since: Timestamp, until: Timestamp) -> Vec<Shift> {
        let zone = self.zone();
        let mut shifts = Vec::new();
        for layer in &self.layers {
            shifts = lay_on(shifts, layer_shifts(layer, &zone, since, until));
        }
        lay_on(shifts, self.override_shifts(since, until))
    }

    /// The overrides alone.
    pub(crate) fn override_shifts(&self, since: Timestamp, until: Timestamp) -> Vec<Shift> {
        let mut shifts = Vec::new();
        for one in &self.overrides {
            shifts = lay_on(shifts, one.shift().cut(since, until).into_iter().collect());
        }
        shifts
    }

    /// Whose shift it is, from when to when.
    pub(crate) fn on_call_at(&self, at: Timestamp) -> Option<Shift> {
        self.shifts_around(at, at)
            .into_iter()
            .find(|shift| shift.holds(at))
    }

    /// The shifts that meet a window, with their real ends.
    pub(crate) fn shifts_around(&self, since: Timestamp, until: Timestamp) -> Vec<Shift> {
        let longest = self.layers.iter().map(|layer| layer.turn_s).max();
        let wide = AROUND + SignedDuration::from_secs(longest.unwrap_or(0) * 2);
        let from = since.saturating_sub(wide).unwrap_or(Timestamp::MIN);
        let to = until.saturating_add(wide).unwrap_or(Timestamp::MAX);
        let mut shifts = self.final_shifts(from, to);
        shifts.retain(|shift| shift.start <= until && since < shift.end);
        shifts
    }
}

impl Override {
    fn shift(&self) -> Shift {
        Shift {
            user: self.user.clone(),
            start: self.start,
            end: self.end,
        }
    }
}

impl Shift {
    fn holds(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The part within a window.
    fn cut(&self, since: Timestamp, until: Timestamp) -> Option<Self> {
        let (start, end) = (self.start.max(since), self.end.min(until));
        (start < end).then(|| Self {
            user: self.user.clone(),
            start,
            end,
        })
    }
}

/// The turns of one layer within a window.
pub(crate) fn layer_shifts(
    layer: &Layer,
    zone: &TimeZone,
    since: Timestamp,
    until: Timestamp,
) -> Vec<Shift> {
    let since = since.max(layer.start);
    let until = layer.end.map_or(until, |end| until.min(end));
    let Ok(count) = i64::try_from(layer.users.len()) else {
        return Vec::new();
    };
    if since >= until || count == 0 {
        return Vec::new();
    }
    let turn_s = layer.turn_s.max(TURN_S_MIN);
    // One turn early, as a change of clocks may move the boundary.
    let mut turn = (since.as_second() - layer.virtual_start.as_second()).div_euclid(turn_s) - 1;
    let mut shifts = Vec::new();
    let mut start = turn_start(layer, zone, turn);
    while start < until {
        let end = turn_start(layer, zone, turn + 1);
        let index = usize::try_from(turn.rem_euclid(count)).unwrap_or(0);
        let user = layer.users.get(index).cloned().unwrap_or_default();
        let whole = Shift { user, start, end };
        for part in restricted(&whole, &layer.restrictions, zone) {
            shifts.extend(part.cut(since, until));
        }
        (turn, start) = (turn + 1, end);
    }
    shifts
}

fn turn_start(layer: &Layer, zone: &TimeZone, turn: i64) -> Timestamp {
    let turn_s = layer.turn_s.max(TURN_S_MIN);
    let plain = || {
        let passed = SignedDuration::from_secs(turn.saturating_mul(turn_s));
        layer
            .virtual_start
            .saturating_add(passed)
            .unwrap_or(Timestamp::MAX)
    };
    if turn_s % DAY_S != 0 {
        return plain();
    }
    let first = zone.to_datetime(layer.virtual_start);
    let days = Span::new().try_days(turn * (turn_s / DAY_S));
    let then = days.and_then(|days| first.checked_add(days));
    let then = then.and_then(|then| zone.to_timestamp(then));
    then.unwrap_or_else(|_out_of_range| plain())
}

/// The parts of a turn that restrictions leave; without any, all of it.
fn restricted(shift: &Shift, restrictions: &[Restriction], zone: &TimeZone) -> Vec<Shift> {
    if restrictions.is_empty() {
        return vec![shift.clone()];
    }
    let mut parts = Vec::new();
    let mut day = zone.to_datetime(shift.start).date();
    let last = zone.to_datetime(shift.end).date();
    // A window that began up to a week before may reach into the turn.
    day = day.saturating_sub(Span::new().days(7));
    while day <= last {
        for one in restrictions {
            let weekday = day.weekday().to_monday_one_offset();
            if one.weekday.is_some_and(|wanted| wanted != weekday) {
                continue;
            }
            let Ok(start) = zone.to_timestamp(day.to_datetime(one.start)) else {
                continue;
            };
            let length = SignedDuration::from_secs(one.duration_s);
            let end = start.saturating_add(length).unwrap_or(Timestamp::MAX);
            parts.extend(shift.cut(start, end));
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    lay_on(Vec::new(), parts)
}

/// `upper` hides what is below it.
fn lay_on(lower: Vec<Shift>, upper: Vec<Shift>) -> Vec<Shift> {
    let mut shifts = lower;
    for top in upper {
        let below = std::mem::take(&mut shifts);
        for shift in below {
            shifts.extend(shift.cut(Timestamp::MIN, top.start));
            shifts.extend(shift.cut(top.end, Timestamp::MAX));
        }
        shifts.push(top);
    }
    shifts.sort_by_key(|shift| shift.start);
    shifts
}

/// `08:00:00` as restrictions write it.
pub(crate) fn time_of_day(text: &str) -> Option<Time> {
    text.parse().ok()
}

/// How much of a window the shifts cover, in percent with one decimal.
pub(crate) fn coverage(shifts: &[Shift], since: Timestamp, until: Timestamp) -> f64 {
    let length = until.duration_since(since).as_secs_f64();
    let covered: f64 = shifts
        .iter()
        .map(|shift| shift.end.duration_since(shift.start).as_secs_f64())
        .sum();
    if length > 0.0 {
        (covered / length * 1_000.0).round() / 10.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Shift, layer_shifts, time_of_day, zone};
    use crate::state::{Layer, Override, Restriction, Schedule};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn layer(users: &[&str], turn_s: i64, restrictions: Vec<Restriction>) -> Layer {
        Layer {
            id: "PL".to_owned(),
            name: "Layer 1".to_owned(),
            start: at("2026-03-02T08:00:00Z"),
            end: None,
            virtual_start: at("2026-03-02T08:00:00Z"),
            turn_s,
            users: users.iter().map(|user| (*user).to_owned()).collect(),
            restrictions,
        }
    }

    fn told(shifts: &[Shift]) -> Vec<String> {
        let told = shifts
            .iter()
            .map(|one| format!("{} {} {}", one.user, one.start, one.end));
        told.collect()
    }

    #[test]
    fn turns_of_days_change_hands_at_the_same_time_of_day() {
        let layer = layer(&["A", "B"], 7 * 86_400, Vec::new());
        let zone = zone("Europe/Berlin").unwrap();
        let shifts = layer_shifts(
            &layer,
            &zone,
            at("2026-03-20T00:00:00Z"),
            at("2026-04-01T00:00:00Z"),
        );
        assert_eq!(
            told(&shifts),
            [
                "A 2026-03-20T00:00:00Z 2026-03-23T08:00:00Z",
                "B 2026-03-23T08:00:00Z 2026-03-30T07:00:00Z", // the clocks went forward
                "A 2026-03-30T07:00:00Z 2026-04-01T00:00:00Z",
            ]
        );
    }

    #[test]
    fn restrictions_leave_gaps() {
        let nights = Restriction {
            weekday: None,
            start: time_of_day("20:00:00").unwrap(),
            duration_s: 43_200,
        };
        let weekend = Restriction {
            weekday: Some(6),
            start: time_of_day("00:00:00").unwrap(),
            duration_s: 2 * 86_400,
        };
        let utc = zone("UTC").unwrap();
        let shown = |restriction| {
            let layer = layer(&["A"], 86_400, vec![restriction]);
            told(&layer_shifts(
                &layer,
                &utc,
                at("2026-03-06T12:00:00Z"),
                at("2026-03-08T12:00:00Z"),
            ))
        };
        assert_eq!(
            shown(nights).first().unwrap(),
            "A 2026-03-06T20:00:00Z 2026-03-07T08:00:00Z"
        );
        assert_eq!(
            shown(weekend).first().unwrap(),
            "A 2026-03-07T00:00:00Z 2026-03-07T08:00:00Z"
        );
    }

    #[test]
    fn an_override_lies_on_the_upper_layer_and_that_on_the_lower() {
        let night = Restriction {
            weekday: None,
            start: time_of_day("20:00:00").unwrap(),
            duration_s: 36_000,
        };
        let mut schedule = Schedule {
            id: "PS".to_owned(),
            name: "Payments".to_owned(),
            time_zone: "UTC".to_owned(),
            description: None,
            layers: vec![
                layer(&["A"], 7 * 86_400, Vec::new()),
                layer(&["B"], 7 * 86_400, vec![night]),
            ],
            overrides: Vec::new(),
            given: serde_json::Map::new(),
        };
        let over = |user: &str, start, end| Override {
            id: user.to_owned(),
            user: user.to_owned(),
            start: at(start),
            end: at(end),
        };
        schedule
            .overrides
            .push(over("C", "2026-03-10T19:00:00Z", "2026-03-10T22:00:00Z"));
        let shifts = schedule.final_shifts(at("2026-03-10T12:00:00Z"), at("2026-03-11T12:00:00Z"));
        assert_eq!(
            told(&shifts),
            [
                "A 2026-03-10T12:00:00Z 2026-03-10T19:00:00Z",
                "C 2026-03-10T19:00:00Z 2026-03-10T22:00:00Z",
                "B 2026-03-10T22:00:00Z 2026-03-11T06:00:00Z",
                "A 2026-03-11T06:00:00Z 2026-03-11T12:00:00Z",
            ]
        );
        let now = schedule.on_call_at(at("2026-03-10T23:00:00Z")).unwrap();
        assert_eq!(
            told(&[now]),
            ["B 2026-03-10T22:00:00Z 2026-03-11T06:00:00Z"]
        );
    }
}
