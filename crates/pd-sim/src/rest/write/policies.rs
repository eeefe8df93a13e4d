//! Escalation policies. Open incidents keep the policy as it was when they met it.

use serde_json::{Value, json};

use super::Asked;
use crate::http::{Request, Response, invalid, not_found};
use crate::rest::Answer;
use crate::rest::directory::policy_value;
use crate::shelf::Shelf;
use crate::state::{EscalationRule, Given, Policy, Target, World};

const RULES_MAX: usize = 20;
const TARGETS_MAX: usize = 50;
/// The shortest wait, and that with several targets.
const DELAY_MIN: (i64, i64) = (1, 3);
const STRATEGIES: [&str; 2] = ["round_robin", "assign_to_everyone"];

pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("POST", []) => create(world, request),
        ("PUT", [id]) => update(world, request, id),
        ("DELETE", [id]) => delete(world, id),
        _ => Err(not_found()),
    }
}

fn create(world: &mut World, request: &Request) -> Answer {
    let asked = Asked::of(request, "escalation_policy")?;
    let policy = Policy {
        id: world.ids.object('P'),
        name: String::new(),
        description: None,
        num_loops: 0,
        rules: Vec::new(),
        team: None,
        given: Given::new(),
    };
    put(world, request, policy, asked, 201)
}

fn update(world: &mut World, request: &Request, id: &str) -> Answer {
    let policy = world.policies.get(id).ok_or_else(not_found)?.clone();
    let asked = Asked::of(request, "escalation_policy")?;
    put(world, request, policy, asked, 200)
}

fn put(
    world: &mut World,
    request: &Request,
    mut policy: Policy,
    mut asked: Asked,
    status: u16,
) -> Answer {
    let new = status == 201;
    let others = world.policies.iter().filter(|other| other.id != policy.id);
    let others = others.map(|other| other.name.as_str());
    if let Some(name) = asked.name(others, 255, new) {
        policy.name = name;
    }
    if asked.names("description") {
        policy.description = asked.text("description", 1_024);
    }
    if let Some(loops) = asked.number("num_loops", (0, 9)) {
        policy.num_loops = u32::try_from(loops).unwrap_or(0);
    }
    let handoff = asked.word(
        "on_call_handoff_notifications",
        &["if_has_services", "always"],
    );
    policy
        .given
        .extend(handoff.map(|word| ("on_call_handoff_notifications".to_owned(), word.into())));
    if let Some(teams) = asked.named("teams") {
        policy.team = team(world, &mut asked, &teams);
    }
    if let Some(rules) = asked.named("escalation_rules") {
        policy.rules = rules_of(world, &mut asked, &rules, &policy.rules);
    } else if new {
        asked.wrong("Escalation rules can't be blank");
    }
    asked.check()?;
    let id = policy.id.clone();
    world.policies.put(policy);
    let value = policy_value(world, request, &id);
    Ok(Response::json(status, &json!({"escalation_policy": value})))
}

fn team(world: &World, asked: &mut Asked, teams: &Value) -> Option<String> {
    let teams = teams.as_array().map(Vec::as_slice).unwrap_or_default();
    if teams.len() > 1 {
        asked.wrong("Teams can be one at most");
    }
    let id = teams.first()?.get("id").and_then(Value::as_str);
    let found = id.filter(|id| world.teams.get(id).is_some());
    if found.is_none() {
        asked.wrong("Team not found");
    }
    found.map(str::to_owned)
}

fn rules_of(
    world: &mut World,
    asked: &mut Asked,
    rules: &Value,
    known: &[EscalationRule],
) -> Vec<EscalationRule> {
    let rules = rules.as_array().map(Vec::as_slice).unwrap_or_default();
    if rules.is_empty() {
        asked.wrong("Escalation rules can't be blank");
    } else if rules.len() > RULES_MAX {
        asked.wrong(format!("Escalation rules can be {RULES_MAX} at most"));
    }
    let read = rules.iter().map(|rule| {
        let id = rule.get("id").and_then(Value::as_str);
        let id = id.filter(|id| known.iter().any(|one| one.id == *id));
        let targets = targets(world, asked, rule);
        let least = if targets.len() > 1 {
            DELAY_MIN.1
        } else {
            DELAY_MIN.0
        };
        let delay = rule.get("escalation_delay_in_minutes");
        let delay = delay.and_then(|delay| delay.as_i64().or_else(|| delay.as_str()?.parse().ok()));
        if delay.is_none_or(|delay| delay < least) {
            asked.wrong(format!(
                "Escalation delay in minutes must be at least {least}"
            ));
        }
        EscalationRule {
            id: id.map_or_else(|| world.ids.object('P'), str::to_owned),
            delay_min: delay.unwrap_or(least),
            targets,
            strategy: strategy(asked, rule.get("escalation_rule_assignment_strategy")),
        }
    });
    read.collect()
}

fn targets(world: &World, asked: &mut Asked, rule: &Value) -> Vec<Target> {
    let listed = rule.get("targets").and_then(Value::as_array);
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    if listed.is_empty() {
        asked.wrong("Targets can't be blank");
    } else if listed.len() > TARGETS_MAX {
        asked.wrong(format!("Targets can be {TARGETS_MAX} at most"));
    }
    let mut targets = Vec::new();
    for target in listed {
        let part = |name: &str| target.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, kind) = (part("id"), part("type"));
        let schedule = world.schedules.get(id).is_some()
            || world.shelves.of(Shelf::SchedulesV3).get(id).is_some();
        if kind.starts_with("schedule") && schedule {
            targets.push(Target::Schedule(id.to_owned()));
        } else if kind.starts_with("user") && world.users.get(id).is_some() {
            targets.push(Target::User(id.to_owned()));
        } else {
            asked.wrong(format!("Target {id} of type {kind} not found"));
        }
    }
    targets
}

/// A word or an object with it; shown as the object, and only where it was asked for.
fn strategy(asked: &mut Asked, value: Option<&Value>) -> Value {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Value::Null;
    };
    let word = value.as_str().or_else(|| value.get("type")?.as_str());
    let word = word.unwrap_or_default();
    if !STRATEGIES.contains(&word) {
        let words = STRATEGIES.join(", ");
        asked.wrong(format!(
            "Escalation rule assignment strategy must be one of {words}"
        ));
    }
    json!({"type": word})
}

fn delete(world: &mut World, id: &str) -> Answer {
    let name = world.policies.get(id).ok_or_else(not_found)?.name.clone();
    if let Some(service) = world.services.iter().find(|service| service.policy == id) {
        let reason = format!(
            "The escalation policy is used by the service {}",
            service.name
        );
        return Err(invalid(&reason));
    }
    world.forget(id, name);
    world.policies.remove(id);
    Ok(Response::empty(204))
}
