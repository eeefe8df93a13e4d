//! Incident workflows, their triggers and runs (docs/sim.md).
//!
//! A run begins and ends at once, and is told by webhooks alone. Triggers are kept: only people and
//! REST start a workflow here.

use serde_json::{Value, json};

use super::cursor::Cursor;
use super::kept::Kind;
use super::paging::Page;
use super::{Answer, find};
use crate::asked::Asked;
use crate::auth::Caller;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::shelf::{Kept, Shelf};
use crate::state::{Actor, Given, World};

const WORKFLOWS: Kind = Kind {
    shelf: Shelf::Workflows,
    one: "incident_workflow",
    many: "incident_workflows",
    path: "incident_workflows",
    name: "name",
};
const TRIGGERS: Kind = Kind {
    shelf: Shelf::Triggers,
    one: "workflow_trigger",
    many: "triggers",
    path: "incident_workflows/triggers",
    name: "summary",
};
const TRIGGER_TYPES: [&str; 3] = ["manual", "conditional", "incident_type"];

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    path: &[&str],
) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => {
            let rows = WORKFLOWS.rows(world, request, |_| true);
            let page = Page::of(request)?;
            Ok(page.answer("incident_workflows", &rows, |one| {
                value(world, request, one)
            }))
        }
        ("POST", []) => put(world, request, None),
        // No action is published.
        ("GET", ["actions"]) => Ok(Cursor::of(request)?.answer("actions", &[(); 0])),
        (_, ["triggers", rest @ ..]) => triggers(world, request, rest),
        ("GET", [id]) => shown(world, request, id, 200),
        ("PUT", [id]) => put(world, request, Some(id)),
        ("DELETE", [id]) => {
            let answer = WORKFLOWS.remove(world, id)?;
            super::kept::clear(world, Shelf::Triggers, |one| one.text("workflow") == *id);
            Ok(answer)
        }
        ("POST", [id, "instances"]) => start(world, caller, request, id),
        _ => Err(not_found()),
    }
}

fn put(world: &mut World, request: &Request, id: Option<&str>) -> Answer {
    let mut fields = match id {
        Some(id) => WORKFLOWS.find(world, id)?.fields.clone(),
        None => Given::from_iter([
            ("description".to_owned(), Value::Null),
            ("team".to_owned(), Value::Null),
            ("steps".to_owned(), json!([])),
            ("is_enabled".to_owned(), true.into()),
            ("created_at".to_owned(), seconds(world.now).into()),
        ]),
    };
    let mut asked = Asked::of(request, "incident_workflow")?;
    asked.filled("name", 255, id.is_none());
    asked.text("description", 1_024);
    let team = asked.reference("team");
    if team.is_some_and(|id| world.teams.get(&id).is_none()) {
        asked.wrong("Team not found");
    }
    if asked.raw("steps").is_some_and(|steps| !steps.is_array()) {
        asked.wrong("Steps must be a list");
    }
    asked.check()?;
    asked.keep(
        &["name", "description", "team", "steps", "is_enabled"],
        &mut fields,
    );
    let made = id.map_or_else(|| world.ids.object('P'), str::to_owned);
    WORKFLOWS.put(world, &made, fields);
    shown(world, request, &made, if id.is_none() { 201 } else { 200 })
}

/// Steps only where `include[]` asks for them.
fn value(world: &World, request: &Request, one: &Kept) -> Value {
    let mut value = WORKFLOWS.value(world, one);
    let page = format!(
        "{}/flex-workflows/workflows/{}",
        world.options.web_url, one.id
    );
    let team = one
        .fields
        .get("team")
        .and_then(|team| team.get("id")?.as_str());
    let team = team.and_then(|id| world.teams.get(id));
    if let Some(fields) = value.as_object_mut() {
        fields.insert("html_url".to_owned(), page.into());
        if !request.includes("steps") {
            fields.remove("steps");
        }
        if let Some(team) = team.filter(|_| request.includes("team")) {
            fields.insert("team".to_owned(), super::directory::team_value(world, team));
        }
    }
    value
}

fn shown(world: &World, request: &Request, id: &str, status: u16) -> Answer {
    let one = WORKFLOWS.find(world, id)?;
    // One workflow alone shows its steps.
    let request = request.clone().with_query("include[]", "steps");
    let value = value(world, &request, one);
    Ok(Response::json(status, &json!({"incident_workflow": value})))
}

fn start(world: &mut World, caller: &Caller, request: &Request, id: &str) -> Answer {
    let workflow = WORKFLOWS.find(world, id)?.clone();
    let body = request.json().unwrap_or_default();
    let asked = body.get("incident_workflow_instance");
    let asked = asked.ok_or_else(|| invalid("Incident workflow instance is missing."))?;
    let incident = asked.pointer("/incident/id").and_then(Value::as_str);
    let at = find(world, caller, incident.unwrap_or_default())?;
    let run = asked.get("id").and_then(Value::as_str).map(str::to_owned);
    let run = run.unwrap_or_else(|| world.ids.object('P'));
    let actor = match world.requester(caller, request) {
        Ok(user) => Actor::person(&user, "api"),
        Err(_) => Actor::automatic(&world.incident(at).service, "api"),
    };
    let mut about = WORKFLOWS.reference(world, &workflow);
    if let Some(fields) = about.as_object_mut() {
        let page = format!(
            "{}/incident-workflows/workflows/{id}",
            world.options.web_url
        );
        fields.insert("html_url".to_owned(), page.into());
    }
    let manual = |one: &&Kept| one.text("workflow") == id && one.text("trigger_type") == "manual";
    let trigger = world.shelves.of(Shelf::Triggers).iter().find(manual);
    let trigger = trigger.map(|one| TRIGGERS.reference(world, one));
    let data = json!({
        "id": run,
        "type": "incident_workflow_instance",
        "summary": workflow.text("name"),
        "incident_workflow": about,
        "workflow_trigger": trigger,
        "incident": world.incident_event_ref(at, true),
        "service": world.service_ref(&world.incident(at).service),
    });
    world.publish_data(at, "incident.workflow.started", &actor, &data);
    world.publish_data(at, "incident.workflow.completed", &actor, &data);
    let made = json!({
        "id": run,
        "type": "incident_workflow_instance",
        "incident": world.incident_ref(at),
    });
    Ok(Response::json(
        201,
        &json!({"incident_workflow_instance": made}),
    ))
}

fn triggers(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => list_triggers(world, request),
        ("POST", []) => put_trigger(world, request, None),
        ("GET", [id]) => shown_trigger(world, id, 200),
        ("PUT", [id]) => put_trigger(world, request, Some(id)),
        ("DELETE", [id]) => TRIGGERS.remove(world, id),
        (method @ ("POST" | "DELETE"), [id, "services", rest @ ..]) => {
            let mut fields = TRIGGERS.find(world, id)?.fields.clone();
            let body = request.json().unwrap_or_default();
            let named = body.pointer("/service/id").and_then(Value::as_str);
            let service = match (method, rest) {
                ("POST", []) => named.ok_or_else(|| invalid("Service is missing."))?,
                ("DELETE", [service]) => *service,
                _ => return Err(not_found()),
            };
            world.services.get(service).ok_or_else(not_found)?;
            let mut services = services_of(&fields);
            services.retain(|one| one != service);
            if method == "POST" {
                services.push(service.to_owned());
            }
            fields.insert("services".to_owned(), json!(services));
            TRIGGERS.put(world, id, fields);
            if method == "DELETE" {
                return Ok(Response::empty(204));
            }
            shown_trigger(world, id, 201)
        }
        _ => Err(not_found()),
    }
}

fn services_of(fields: &Given) -> Vec<String> {
    let list = fields.get("services").and_then(Value::as_array);
    let ids = list.into_iter().flatten().filter_map(Value::as_str);
    ids.map(str::to_owned).collect()
}

fn list_triggers(world: &World, request: &Request) -> Answer {
    if request.query("incident_id").is_some() && request.query("service_id").is_some() {
        return Err(invalid("incident_id and service_id exclude each other."));
    }
    let incident = match request.query("incident_id") {
        Some(id) => Some(world.find(id).ok_or_else(not_found)?),
        None => None,
    };
    let service = incident.map(|at| world.incident(at).service.as_str());
    let service = service.or_else(|| request.query("service_id"));
    let same = |one: &Kept, name: &str, field: &str| {
        request
            .query(name)
            .is_none_or(|wanted| wanted == one.text(field))
    };
    let all = world.shelves.of(Shelf::Triggers).iter();
    let rows = all.filter(|one| {
        let everywhere = one.fields.get("is_subscribed_to_all_services") == Some(&true.into());
        same(one, "workflow_id", "workflow")
            && same(one, "trigger_type", "trigger_type")
            && service
                .is_none_or(|id| everywhere || services_of(&one.fields).iter().any(|one| one == id))
    });
    let rows: Vec<Value> = rows.map(|one| trigger_value(world, one)).collect();
    Ok(Cursor::of(request)?.answer("triggers", &rows))
}

fn put_trigger(world: &mut World, request: &Request, id: Option<&str>) -> Answer {
    let mut fields = match id {
        Some(id) => TRIGGERS.find(world, id)?.fields.clone(),
        None => Given::from_iter([
            ("services".to_owned(), json!([])),
            ("condition".to_owned(), Value::Null),
            ("is_subscribed_to_all_services".to_owned(), false.into()),
        ]),
    };
    let mut asked = Asked::of(request, "trigger")?;
    if asked.word("trigger_type", &TRIGGER_TYPES).is_none()
        && id.is_none()
        && !asked.names("trigger_type")
    {
        asked.wrong("Trigger type is required");
    }
    if id.is_none() || asked.names("workflow") {
        let workflow = asked
            .reference("workflow")
            .filter(|id| WORKFLOWS.find(world, id).is_ok());
        if workflow.is_none() {
            asked.wrong("Workflow not found");
        }
        fields.insert("workflow".to_owned(), workflow.into());
    }
    if let Some(list) = asked.raw("services").and_then(Value::as_array) {
        let ids: Vec<String> = list
            .iter()
            .filter_map(|one| Some(one.get("id")?.as_str()?.to_owned()))
            .collect();
        if ids.iter().any(|id| world.services.get(id).is_none()) {
            asked.wrong("Service not found");
        }
        fields.insert("services".to_owned(), json!(ids));
    }
    asked.check()?;
    asked.keep(
        &["trigger_type", "condition", "is_subscribed_to_all_services"],
        &mut fields,
    );
    let kind = fields
        .get("trigger_type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let summary = format!(
        "{}{} start",
        kind.get(..1).unwrap_or_default().to_uppercase(),
        kind.get(1..).unwrap_or_default()
    );
    fields.insert("summary".to_owned(), summary.into());
    let made = id.map_or_else(|| world.ids.uuid(), str::to_owned);
    TRIGGERS.put(world, &made, fields);
    shown_trigger(world, &made, if id.is_none() { 201 } else { 200 })
}

fn trigger_value(world: &World, one: &Kept) -> Value {
    let mut value = TRIGGERS.value(world, one);
    let workflow = WORKFLOWS.find(world, one.text("workflow")).ok();
    let workflow = workflow.map(|one| WORKFLOWS.reference(world, one));
    let services = services_of(&one.fields);
    let services: Vec<Value> = services
        .iter()
        .map(|id| world.service_ref(id).value())
        .collect();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("workflow".to_owned(), workflow.into());
        fields.insert("services".to_owned(), services.into());
    }
    value
}

fn shown_trigger(world: &World, id: &str, status: u16) -> Answer {
    let value = trigger_value(world, TRIGGERS.find(world, id)?);
    Ok(Response::json(status, &json!({"trigger": value})))
}
