//! Users, services and policies as REST shows them.

use serde_json::{Value, json};

use super::contacts;
use crate::http::Request;
use crate::refs::seconds;
use crate::state::{Given, Integration, Service, Status, Target, Team, World};

/// What a file said stands where we only have a usual value.
pub(crate) fn with_given(own: Value, given: &Given) -> Value {
    let mut own = own;
    if let Some(fields) = own.as_object_mut() {
        let given = given
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        fields.extend(given);
    }
    own
}

/// Includes reach one step: what is included shows references itself.
fn plain() -> Request {
    Request::new("GET", "/")
}

/// A team by reference, or in full where `include[]` asks for it.
fn team_of(world: &World, request: &Request, team: &Team) -> Value {
    if request.includes("teams") {
        super::others::team(world, team)
    } else {
        world.team_ref(&team.id).value()
    }
}

/// The team of a policy, in a list.
fn teams_of(world: &World, request: &Request, policy: &str) -> Vec<Value> {
    let team = world.team_of_policy(policy).into_iter();
    team.map(|team| team_of(world, request, team)).collect()
}

/// A user in full; null when nobody has this id.
pub(crate) fn user_value(world: &World, request: &Request, id: &str) -> Value {
    let Some(user) = world.users.get(id) else {
        return Value::Null;
    };
    let teams = world
        .teams
        .iter()
        .filter(|team| team.members.iter().any(|(member, _)| member == id));
    let teams: Vec<Value> = teams.map(|team| team_of(world, request, team)).collect();
    let contacts = if request.includes("contact_methods") {
        contacts::contact_methods(world, user)
    } else {
        contacts::contact_refs(world, user)
    };
    let rules = if request.includes("notification_rules") {
        contacts::notification_rules(world, request, user)
    } else {
        contacts::rule_refs(world, user)
    };
    let own = json!({
        "id": user.id,
        "type": "user",
        "summary": user.name,
        "self": format!("{}/users/{}", world.options.base_url, user.id),
        "html_url": format!("{}/users/{}", world.options.web_url, user.id),
        "name": user.name,
        "email": user.email,
        "time_zone": user.time_zone,
        "color": "teal",
        "avatar_url": "https://pd-static-assets.pagerduty.com/users/blank-avatar.png",
        "billed": true,
        "role": user.role,
        "description": null,
        "invitation_sent": false,
        "job_title": user.job_title,
        "created_via_sso": false,
        "teams": teams,
        "contact_methods": contacts,
        "notification_rules": rules,
        "coordinated_incidents": [],
    });
    with_given(own, &user.given)
}

/// A service in full; null when there is none of this id.
pub(crate) fn service_value(world: &World, request: &Request, id: &str) -> Value {
    let Some(service) = world.services.get(id) else {
        return Value::Null;
    };
    let policy = if request.includes("escalation_policies") {
        policy_value(world, request, &service.policy)
    } else {
        world.policy_ref(&service.policy).value()
    };
    let own = world
        .integrations
        .iter()
        .filter(|integration| integration.service == id);
    let integrations: Vec<Value> = own
        .map(|integration| {
            if request.includes("integrations") {
                integration_value(world, integration)
            } else {
                integration_ref(world, integration)
            }
        })
        .collect();
    let own = json!({
        "id": service.id,
        "type": "service",
        "summary": service.name,
        "self": format!("{}/services/{}", world.options.base_url, service.id),
        "html_url": format!("{}/service-directory/{}", world.options.web_url, service.id),
        "name": service.name,
        "description": service.description,
        "created_at": seconds(service.created_at),
        "updated_at": seconds(service.updated_at),
        "status": service_status(world, service),
        "auto_resolve_timeout": service.auto_resolve_timeout_s,
        "acknowledgement_timeout": service.acknowledgement_timeout_s,
        "teams": teams_of(world, request, &service.policy),
        "alert_creation": "create_alerts_and_incidents",
        "addons": [],
        "scheduled_actions": [],
        "support_hours": null,
        "last_incident_timestamp": service.last_incident_at.map(seconds),
        "escalation_policy": policy,
        "incident_urgency_rule": {"type": "constant", "urgency": service.urgency},
        "alert_grouping_parameters": {"type": null, "config": null},
        "alert_grouping": null,
        "alert_grouping_timeout": null,
        "integrations": integrations,
        "response_play": null,
    });
    with_given(own, &service.given)
}

fn service_status(world: &World, service: &Service) -> &'static str {
    let mut open = service
        .open
        .iter()
        .map(|at| world.incident(*at).status)
        .peekable();
    if service.disabled {
        "disabled"
    } else if world.windows.iter().any(|window| {
        window.start <= world.now && world.now < window.end && window.services.contains(&service.id)
    }) {
        "maintenance"
    } else if open.peek().is_none() {
        "active"
    } else if open.any(|status| status == Status::Triggered) {
        "critical"
    } else {
        "warning"
    }
}

/// An integration by reference.
pub(crate) fn integration_ref(world: &World, integration: &Integration) -> Value {
    let path = format!(
        "services/{}/integrations/{}",
        integration.service, integration.id
    );
    json!({
        "id": integration.id,
        "type": format!("{}_reference", integration.kind),
        "summary": integration.name,
        "self": format!("{}/{path}", world.options.base_url),
        "html_url": format!("{}/{path}", world.options.web_url),
    })
}

/// An integration in full, its key included.
pub(crate) fn integration_value(world: &World, integration: &Integration) -> Value {
    let path = format!(
        "services/{}/integrations/{}",
        integration.service, integration.id
    );
    let own = json!({
        "id": integration.id,
        "type": integration.kind,
        "summary": integration.name,
        "self": format!("{}/{path}", world.options.base_url),
        "html_url": format!("{}/{path}", world.options.web_url),
        "name": integration.name,
        "service": world.service_ref(&integration.service),
        "created_at": seconds(integration.created_at),
        "vendor": null,
        "integration_key": integration.key,
    });
    with_given(own, &integration.given)
}

/// A policy in full; null when there is none of this id.
pub(crate) fn policy_value(world: &World, request: &Request, id: &str) -> Value {
    let Some(policy) = world.policies.get(id) else {
        return Value::Null;
    };
    let rules: Vec<Value> = policy.rules.iter().map(|rule| {
        let whole = request.includes("targets");
        let targets: Vec<Value> = rule.targets.iter().map(|target| match target {
            Target::User(id) if whole => user_value(world, &plain(), id),
            Target::User(id) => world.user_ref(id).value(),
            Target::Schedule(id) => world.schedule_ref(id).value(),
        }).collect();
        let mut shown =
            json!({"id": rule.id, "escalation_delay_in_minutes": rule.delay_min, "targets": targets});
        if let (false, Some(fields)) = (rule.strategy.is_null(), shown.as_object_mut()) {
            fields.insert("escalation_rule_assignment_strategy".to_owned(), rule.strategy.clone());
        }
        shown
    }).collect();
    let services = world.services.iter().filter(|service| service.policy == id);
    let services: Vec<Value> = services
        .map(|service| {
            if request.includes("services") {
                service_value(world, &plain(), &service.id)
            } else {
                world.service_ref(&service.id).value()
            }
        })
        .collect();
    let own = json!({
        "id": policy.id,
        "type": "escalation_policy",
        "summary": policy.name,
        "self": format!("{}/escalation_policies/{}", world.options.base_url, policy.id),
        "html_url": format!("{}/escalation_policies/{}", world.options.web_url, policy.id),
        "name": policy.name,
        "description": policy.description,
        "num_loops": policy.num_loops,
        "on_call_handoff_notifications": "if_has_services",
        "escalation_rules": rules,
        "services": services,
        "teams": teams_of(world, request, id),
        "privilege": null,
    });
    with_given(own, &policy.given)
}

/// The custom field values of an incident, unset ones as null.
pub(crate) fn field_values(world: &World, at: usize) -> Value {
    let incident = world.incident(at);
    let fields = world.fields_of(at).into_iter();
    let values = fields.map(|field| {
        let set = incident.fields.iter().find(|(id, _)| *id == field.id);
        json!({
            "id": field.id,
            "type": "field_value",
            "name": field.name,
            "display_name": field.display_name,
            "description": field.given.get("description"),
            "data_type": field.data_type,
            "field_type": field.field_type,
            "value": set.map(|(_, value)| value),
        })
    });
    values.collect()
}
