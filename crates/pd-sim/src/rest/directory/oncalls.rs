//! Who is on call, by policy and level, and the turns of schedules.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{policy_value, user_value, wanted};
use crate::http::{Request, Response};
use crate::refs::seconds;
use crate::rest::Answer;
use crate::rest::paging::{Page, instant};
use crate::schedule::Shift;
use crate::shelf::Shelf;
use crate::shifts::shifts;
use crate::state::{Target, World};

struct OnCall<'a> {
    policy: &'a str,
    level: usize,
    schedule: Option<&'a str>,
    user: String,
    turn: Option<(Timestamp, Timestamp)>,
}

/// The furthest that one may ask ahead.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24 * 90);

pub(super) fn list(world: &World, request: &Request) -> Answer {
    let since = instant(request, "since")?.unwrap_or(world.now);
    let until = instant(request, "until")?.unwrap_or(since);
    if until < since || until > world.now + AHEAD_MAX {
        return Err(Response::error(400, 2004, "Invalid since/until", &[]));
    }
    let mut rows = Vec::new();
    for policy in world.policies.iter() {
        for (index, rule) in policy.rules.iter().enumerate() {
            for target in &rule.targets {
                add(
                    world,
                    &mut rows,
                    (&policy.id, index + 1),
                    target,
                    (since, until),
                );
            }
        }
    }
    rows.retain(|row| {
        wanted(request, "user_ids[]", Some(&row.user))
            && wanted(request, "escalation_policy_ids[]", Some(row.policy))
            && wanted(
                request,
                "schedule_ids[]",
                Some(row.schedule.unwrap_or("null")),
            )
    });
    Ok(Page::of(request)?.answer("oncalls", &rows, |row| render(world, request, row)))
}

fn add<'a>(
    world: &World,
    rows: &mut Vec<OnCall<'a>>,
    (policy, level): (&'a str, usize),
    target: &'a Target,
    (since, until): (Timestamp, Timestamp),
) {
    match target {
        Target::User(id) => rows.push(OnCall {
            policy,
            level,
            schedule: None,
            user: id.clone(),
            turn: None,
        }),
        Target::Schedule(id) => {
            for shift in world.shifts_around(id, since, until) {
                rows.push(OnCall {
                    policy,
                    level,
                    schedule: Some(id),
                    user: shift.user,
                    turn: Some((shift.start, shift.end)),
                });
            }
        }
    }
}

fn render(world: &World, request: &Request, row: &OnCall<'_>) -> Value {
    let policy = if request.includes("escalation_policies") {
        policy_value(world, request, row.policy)
    } else {
        world.policy_ref(row.policy).value()
    };
    let user = if request.includes("users") {
        user_value(world, request, &row.user)
    } else {
        world.user_ref(&row.user).value()
    };
    json!({
        "escalation_policy": policy,
        "escalation_level": row.level,
        "schedule": row.schedule.map(|id| world.schedule_ref(id)),
        "user": user,
        "start": row.turn.map(|(start, _)| seconds(start)),
        "end": row.turn.map(|(_, end)| seconds(end)),
    })
}

impl World {
    /// The shifts of a schedule of either kind that overlap a window, with their real ends.
    pub(crate) fn shifts_around(&self, id: &str, since: Timestamp, until: Timestamp) -> Vec<Shift> {
        if let Some(schedule) = self.schedules.get(id) {
            return schedule.shifts_around(since, until);
        }
        let kept = self.shelves.of(Shelf::SchedulesV3).get(id);
        // A window of one instant has the shifts of that instant.
        let until = until.max(since + SignedDuration::from_nanos(1));
        kept.map_or_else(Vec::new, |kept| shifts(&kept.fields, since, until))
    }

    /// Whose turn it is now; by shifts that can be several.
    pub(crate) fn on_call_of_schedule(&self, id: &str) -> Vec<String> {
        if let Some(schedule) = self.schedules.get(id) {
            let shift = schedule.on_call_at(self.now);
            return shift.map(|shift| shift.user).into_iter().collect();
        }
        let shifts = self.shifts_around(id, self.now, self.now);
        shifts.into_iter().map(|shift| shift.user).collect()
    }
}
