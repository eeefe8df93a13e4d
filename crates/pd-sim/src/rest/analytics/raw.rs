//! One row an incident.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{Asked, Facts};
use crate::http::{Response, invalid};
use crate::refs::seconds;
use crate::rest::Answer;
use crate::rest::types::BASE;
use crate::state::World;

const LIMIT_DEFAULT: u64 = 100;
const LIMIT_MAX: u64 = 1_000;

/// Here instants carry their zone.
pub(super) fn one(world: &World, facts: &Facts) -> Response {
    let data = row(world, facts, &seconds);
    Response::json(200, &json!({"time_zone": "Etc/UTC", "data": data}))
}

pub(super) fn list(world: &World, asked: &Asked, facts: Vec<Facts>) -> Answer {
    let mut rows = Vec::new();
    for facts in facts {
        if asked.wants(world, &facts)? {
            rows.push(facts);
        }
    }
    match asked.text("order_by").unwrap_or("created_at") {
        "created_at" => rows.sort_by_key(|facts| facts.created_at),
        "seconds_to_resolve" => rows.sort_by_key(|facts| facts.seconds_to(facts.resolved_at)),
        _ => {
            return Err(invalid(
                "order_by must be one of created_at, seconds_to_resolve",
            ));
        }
    }
    match asked.text("order").unwrap_or("desc") {
        "asc" => {}
        "desc" => rows.reverse(),
        _ => return Err(invalid("order must be one of asc, desc")),
    }
    let limit = asked.body.get("limit").filter(|limit| !limit.is_null());
    let limit = limit.map_or(Some(LIMIT_DEFAULT), Value::as_u64);
    let limit = limit.filter(|limit| *limit <= LIMIT_MAX);
    let limit = limit.ok_or_else(|| invalid("limit must be a number from 0 to 1000"))?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let place = |name: &str| {
        let cursor = asked.text(name)?;
        rows.iter()
            .position(|facts| cursor_of(world, facts) == cursor)
    };
    let (from, to) = match (place("starting_after"), place("ending_before")) {
        (Some(after), _) => (
            after + 1,
            rows.len().min(after.saturating_add(1).saturating_add(size)),
        ),
        (None, Some(before)) => (before.saturating_sub(size), before),
        (None, None) => (0, rows.len().min(size)),
    };
    let page = rows.get(from..to).unwrap_or_default();
    let shown = |at: Timestamp| local(at, &asked.zone);
    let data: Vec<Value> = page.iter().map(|facts| row(world, facts, &shown)).collect();
    let mut answer = asked.repeated("created_at");
    let more = if asked.text("ending_before").is_some() {
        from > 0
    } else {
        to < rows.len()
    };
    let fields = [
        ("data", json!(data)),
        (
            "first",
            json!(page.first().map(|facts| cursor_of(world, facts))),
        ),
        (
            "last",
            json!(page.last().map(|facts| cursor_of(world, facts))),
        ),
        ("limit", json!(limit)),
        ("more", json!(more)),
    ];
    answer.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Ok(Response::json(200, &Value::Object(answer)))
}

fn cursor_of(world: &World, facts: &Facts) -> String {
    let id = &world.incident(facts.at).id;
    STANDARD.encode(json!({"id": id}).to_string())
}

/// Lists show instants without their zone.
pub(super) fn local(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string()
}

pub(super) fn responses(world: &World, facts: &Facts) -> Response {
    let incident = world.incident(facts.at);
    let assigned = facts.assignees.iter().map(|user| {
        let answered = facts.engaged.iter().find(|(engaged, _)| engaged == user);
        (
            user,
            "assigned",
            facts.created_at,
            answered.map(|(_, at)| *at),
            "joined",
        )
    });
    let added = incident.responders.iter().map(|one| {
        let answered = (one.state.name() != "pending").then_some(one.updated_at);
        (
            &one.user,
            "added_responder",
            one.requested_at,
            answered,
            one.state.name(),
        )
    });
    let rows = assigned
        .chain(added)
        .map(|(user, kind, asked, answered, state)| {
            json!({
                "responder_id": user,
                "responder_name": world.user_ref(user).name(),
                "responder_type": kind,
                "response_status": if answered.is_some() { state } else { "pending" },
                "requested_at": seconds(asked),
                "responded_at": answered.map(seconds),
                "time_to_respond_seconds": answered.map(|at| at.duration_since(asked).as_secs()),
            })
        });
    let rows: Vec<Value> = rows.collect();
    let answer = json!({
        "incident_id": incident.id,
        "responses": rows,
        "limit": LIMIT_MAX,
        "order": "desc",
        "order_by": "requested_at",
        "time_zone": "Etc/UTC",
    });
    Response::json(200, &answer)
}

fn row(world: &World, facts: &Facts, shown: &dyn Fn(Timestamp) -> String) -> Value {
    let incident = world.incident(facts.at);
    let names = |ids: &[String]| -> Vec<Value> {
        ids.iter()
            .map(|id| json!(world.user_ref(id).name()))
            .collect()
    };
    let team = world.team_of_policy(&incident.policy);
    let rank = incident.priority.as_deref();
    let rank = rank.and_then(|id| world.priorities.iter().position(|one| one.id == id));
    let priority = rank.and_then(|rank| world.priorities.iter().nth(rank));
    let order = rank.map(|rank| (world.priorities.iter().count() - rank) * 10);
    let joined: Vec<String> = facts.engaged.iter().map(|(user, _)| user.clone()).collect();
    let mut row = json!({
        "id": incident.id,
        "incident_number": incident.number,
        "description": incident.title,
        "status": facts.status,
        "urgency": incident.urgency(),
        "major": facts.major,
        "auto_resolved": facts.auto_resolved,
        "created_at": shown(facts.created_at),
        "resolved_at": facts.resolved_at.map(shown),
        "updated_at": shown(facts.updated_at),
        "service_id": incident.service,
        "service_name": world.service_ref(&incident.service).name(),
        "team_id": team.map(|team| &team.id),
        "team_name": team.map(|team| &team.name),
        "escalation_policy_id": incident.policy,
        "escalation_policy_name": world.policy_ref(&incident.policy).name(),
        "priority_id": priority.map(|one| &one.id),
        "priority_name": priority.map(|one| &one.name),
        "priority_order": order,
        "incident_type_id": BASE,
        "incident_type_name": incident.kind,
        "acknowledged_user_ids": facts.acknowledgers,
        "acknowledged_user_names": names(&facts.acknowledgers),
        "acknowledgement_count": facts.acknowledgements,
        "active_user_count": joined.len(),
        "assigned_user_ids": facts.assignees,
        "assigned_user_names": names(&facts.assignees),
        "assignment_count": facts.assignments,
        "joined_user_ids": joined,
        "joined_user_names": names(&joined),
        "resolved_by_user_id": facts.resolved_by,
        "resolved_by_user_name": facts.resolved_by.as_ref().map(|id| world.user_ref(id).name().map(str::to_owned)),
    });
    if let Some(fields) = row.as_object_mut() {
        fields.extend(numbers(facts));
    }
    row
}

fn numbers(facts: &Facts) -> Map<String, Value> {
    let [business, off, sleep] = facts.interruptions;
    let fields = [
        ("business_hour_interruptions", json!(business)),
        ("off_hour_interruptions", json!(off)),
        ("sleep_hour_interruptions", json!(sleep)),
        ("total_interruptions", json!(business + off + sleep)),
        ("total_notifications", json!(facts.notifications)),
        ("engaged_seconds", json!(facts.engaged_s())),
        ("engaged_user_count", json!(facts.engaged.len())),
        ("escalation_count", json!(facts.escalations())),
        ("manual_escalation_count", json!(facts.manual_escalations)),
        ("timeout_escalation_count", json!(facts.timeout_escalations)),
        ("reassignment_count", json!(facts.reassignments)),
        (
            "seconds_to_first_ack",
            json!(facts.seconds_to(facts.first_ack)),
        ),
        ("seconds_to_engage", json!(facts.seconds_to_engage())),
        ("seconds_to_mobilize", json!(facts.seconds_to_mobilize())),
        (
            "seconds_to_resolve",
            json!(facts.seconds_to(facts.resolved_at)),
        ),
        ("snoozed_seconds", json!(facts.snoozed_s)),
        ("user_defined_effort_seconds", Value::Null),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    fields.into_iter().collect()
}
