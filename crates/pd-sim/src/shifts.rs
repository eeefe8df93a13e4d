//! Who is on call by shifts: rotations of events that come again, single shifts, and who stands in
//! (docs/sim.md).
//!
//! Invariants
//! - Several people can be on call at once; nobody at all is said by an empty member.
//! - A stand-in takes the part of a shift that it covers, and leaves the rest.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::schedule::recurrence::Recurrence;
use crate::schedule::{Shift, zone};
use crate::state::Given;

/// One person's, or nobody's, time and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    /// `None`: nobody, on purpose.
    pub(crate) user: Option<String>,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) source: Value,
}

/// An event of a rotation, ready to be expanded.
pub(crate) struct Event {
    first: Timestamp,
    length: SignedDuration,
    zone: TimeZone,
    since: Timestamp,
    until: Option<Timestamp>,
    rule: Option<Recurrence>,
    every_member: bool,
    shifts_per_member: usize,
    members: Vec<Option<String>>,
}

/// The user of a member; the outer `None`: it is neither a user nor empty.
pub(crate) fn member(value: &Value) -> Option<Option<String>> {
    match value.get("type").and_then(Value::as_str)? {
        "user_member" => Some(Some(value.get("user_id")?.as_str()?.to_owned())),
        "empty_member" => Some(None),
        _ => None,
    }
}

/// As REST shows a member.
pub(crate) fn member_value(user: Option<&str>) -> Value {
    match user {
        Some(user) => json!({"type": "user_member", "user_id": user}),
        None => json!({"type": "empty_member"}),
    }
}

/// An instant of a field.
pub(crate) fn instant(value: &Value, name: &str) -> Option<Timestamp> {
    value.get(name)?.as_str()?.parse().ok()
}

/// What an event lacks: the field and the reason.
pub(crate) type Wrong = (&'static str, String);

impl Event {
    pub(crate) fn read(value: &Value) -> Result<Self, Wrong> {
        let (first, zone) = zoned(value, "start_time")?;
        let (end, _) = zoned(value, "end_time")?;
        if end <= first {
            return Err(("end_time", "must be after start_time".to_owned()));
        }
        let since = instant(value, "effective_since");
        let since = since.ok_or_else(|| ("effective_since", "must be an instant".to_owned()))?;
        let lines = list(value, "recurrence");
        let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
        let rule = match lines.as_slice() {
            [] => None,
            lines => Some(Recurrence::read(lines, &zone).map_err(|reason| ("recurrence", reason))?),
        };
        let strategy = value.get("assignment_strategy").unwrap_or(&Value::Null);
        let wrong = |reason: &str| ("assignment_strategy", reason.to_owned());
        let every_member = match strategy.get("type").and_then(Value::as_str) {
            Some("rotating_member_assignment_strategy") => false,
            Some("every_member_assignment_strategy") => true,
            _ => return Err(wrong("must rotate members or take every member")),
        };
        let members = list(strategy, "members")
            .iter()
            .map(member)
            .collect::<Option<Vec<_>>>();
        let members = members.filter(|members| (1..=20).contains(&members.len()));
        let turns = strategy
            .get("shifts_per_member")
            .and_then(Value::as_u64)
            .unwrap_or(1);
        Ok(Self {
            first,
            length: end.duration_since(first),
            zone,
            since,
            until: instant(value, "effective_until"),
            rule,
            every_member,
            shifts_per_member: usize::try_from(turns).unwrap_or(1).max(1),
            members: members.ok_or_else(|| wrong("must have 1 to 20 members"))?,
        })
    }

    /// Starts and ends with the number of each, that overlap the window.
    pub(crate) fn times(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Vec<(usize, Timestamp, Timestamp)> {
        let starts = match &self.rule {
            Some(rule) => rule.starts(self.zone.to_datetime(self.first), &self.zone, until),
            None => vec![(0, self.first)],
        };
        let effective =
            |at: Timestamp| at >= self.since && self.until.is_none_or(|until| at < until);
        let times = starts.into_iter().filter_map(|(number, start)| {
            let end = start.checked_add(self.length).ok()?;
            (effective(start) && start < until && since < end).then_some((number, start, end))
        });
        times.collect()
    }

    fn assignments(
        &self,
        rotation: &str,
        since: Timestamp,
        until: Timestamp,
        into: &mut Vec<Assignment>,
    ) {
        let source = json!({"type": "schedule_rotation", "rotation_id": rotation});
        for (number, start, end) in self.times(since, until) {
            let turn = (number / self.shifts_per_member) % self.members.len();
            for (at, user) in self.members.iter().enumerate() {
                if self.every_member || at == turn {
                    let (user, source) = (user.clone(), source.clone());
                    into.push(Assignment {
                        user,
                        start,
                        end,
                        source,
                    });
                }
            }
        }
    }

    pub(crate) const fn since(&self) -> Timestamp {
        self.since
    }

    pub(crate) const fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

fn zoned(value: &Value, name: &'static str) -> Result<(Timestamp, TimeZone), Wrong> {
    let part = |part: &str| {
        value
            .get(name)
            .and_then(|one| one.get(part))
            .and_then(Value::as_str)
    };
    let zone = part("time_zone").and_then(zone);
    let zone = zone.ok_or_else(|| (name, "must have a known time_zone".to_owned()))?;
    let text = part("date_time").unwrap_or_default();
    let local = || {
        zone.to_timestamp(text.parse::<jiff::civil::DateTime>().ok()?)
            .ok()
    };
    let at = text.parse::<Timestamp>().ok().or_else(local);
    let at = at.ok_or_else(|| (name, "must have a date_time".to_owned()))?;
    Ok((at, zone))
}

/// A list of a value; none is an empty one.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = value.get(name).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn rows<'a>(schedule: &'a Given, name: &str) -> &'a [Value] {
    let list = schedule.get(name).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Everybody's time that overlaps the window, with its real ends, the earliest first.
pub(crate) fn assignments(schedule: &Given, since: Timestamp, until: Timestamp) -> Vec<Assignment> {
    let mut all = Vec::new();
    for rotation in rows(schedule, "rotations") {
        for event in list(rotation, "events") {
            if let Ok(event) = Event::read(event) {
                event.assignments(text(rotation, "id"), since, until, &mut all);
            }
        }
    }
    for shift in rows(schedule, "custom_shifts") {
        let (Some(start), Some(end)) = (instant(shift, "start_time"), instant(shift, "end_time"))
        else {
            continue;
        };
        if start < until && since < end {
            let who = list(shift, "assignments")
                .iter()
                .filter_map(|one| member(one.get("member")?));
            let source = json!({"type": "custom_shift", "shift_id": text(shift, "id")});
            all.extend(who.map(|user| Assignment {
                user,
                start,
                end,
                source: source.clone(),
            }));
        }
    }
    for over in rows(schedule, "overrides") {
        all = all
            .into_iter()
            .flat_map(|one| stand_in(one, over))
            .collect();
    }
    all.retain(|one| one.start < until && since < one.end);
    all.sort_by(|a, b| (a.start, &a.user).cmp(&(b.start, &b.user)));
    all
}

/// What becomes of a shift when somebody stands in.
fn stand_in(one: Assignment, over: &Value) -> Vec<Assignment> {
    let same =
        |name: &str, of: &str| over.get(name).is_some() && over.get(name) == one.source.get(of);
    let (Some(start), Some(end)) = (instant(over, "start_time"), instant(over, "end_time")) else {
        return vec![one];
    };
    let theirs = over.get("overridden_member").and_then(member) == Some(one.user.clone());
    let covers = same("rotation_id", "rotation_id") || same("custom_shift_id", "shift_id");
    if !theirs || !covers || start >= one.end || end <= one.start {
        return vec![one];
    }
    let mut parts = Vec::new();
    let mut part = |from: Timestamp, to: Timestamp| {
        if from < to {
            parts.push(Assignment {
                start: from,
                end: to,
                ..one.clone()
            });
        }
    };
    part(one.start, start);
    part(end, one.end);
    let mut source = one.source.clone();
    if let Some(fields) = source.as_object_mut() {
        let kind = format!("{}_override", text(&one.source, "type"));
        fields.insert("type".to_owned(), kind.into());
        fields.insert("override_id".to_owned(), text(over, "id").into());
    }
    parts.push(Assignment {
        user: over.get("overriding_member").and_then(member).flatten(),
        start: start.max(one.start),
        end: end.min(one.end),
        source,
    });
    parts
}

/// Who is on call, as other schedules tell it: empty shifts are nobody's.
pub(crate) fn shifts(schedule: &Given, since: Timestamp, until: Timestamp) -> Vec<Shift> {
    let all = assignments(schedule, since, until).into_iter();
    let shifts = all.filter_map(|one| {
        let (start, end) = (one.start, one.end);
        Some(Shift {
            user: one.user?,
            start,
            end,
        })
    });
    shifts.collect()
}
