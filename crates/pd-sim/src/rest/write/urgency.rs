//! How urgent the incidents of a service are: always the same, by severity, or by support hours.

use serde_json::{Value, json};

use super::Asked;
use crate::http::Response;
use crate::rest::Answer;
use crate::rest::directory::missing_ability;
use crate::schedule::{time_of_day, zone};
use crate::state::{Service, World};

const URGENCIES: [&str; 3] = ["high", "low", "severity_based"];

/// Takes over the rule, the hours and what happens at their ends; they must fit each other.
pub(super) fn change(world: &World, service: &mut Service, asked: &mut Asked) -> Answer<()> {
    if let Some(rule) = asked.named("incident_urgency_rule") {
        service.given.remove("incident_urgency_rule");
        match text(&rule, "/type") {
            "constant" if URGENCIES.contains(&text(&rule, "/urgency")) => {
                needs(world, text(&rule, "/urgency") != "high", "urgencies")?;
                text(&rule, "/urgency").clone_into(&mut service.urgency);
            }
            "use_support_hours" if both_known(&rule) => {
                needs(world, true, "service_support_hours")?;
                text(&rule, "/during_support_hours/urgency").clone_into(&mut service.urgency);
                service
                    .given
                    .insert("incident_urgency_rule".to_owned(), rule);
            }
            _ => asked.wrong("Incident urgency rule is invalid"),
        }
    }
    if let Some(hours) = asked.named("support_hours") {
        needs(world, !hours.is_null(), "service_support_hours")?;
        if !hours.is_null() && !are_hours(&hours) {
            asked.wrong("Support hours are invalid");
        }
        service.given.insert("support_hours".to_owned(), hours);
    }
    if let Some(actions) = asked.named("scheduled_actions") {
        let actions = if actions.is_null() {
            json!([])
        } else {
            actions
        };
        if !actions
            .as_array()
            .is_some_and(|list| list.iter().all(is_action))
        {
            asked.wrong("Scheduled actions are invalid");
        }
        service
            .given
            .insert("scheduled_actions".to_owned(), actions);
    }
    let has = |name: &str| {
        let value = service.given.get(name);
        value.is_some_and(|value| !value.is_null() && *value != json!([]))
    };
    if has("incident_urgency_rule") != has("support_hours") {
        asked.wrong("Support hours and an urgency rule that uses them need each other");
    }
    if has("scheduled_actions") && !has("support_hours") {
        asked.wrong("Scheduled actions need support hours");
    }
    Ok(())
}

fn needs(world: &World, asked: bool, ability: &str) -> Result<(), Response> {
    if asked && !world.has_ability(ability) {
        return Err(missing_ability(ability));
    }
    Ok(())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

fn both_known(rule: &Value) -> bool {
    [
        "/during_support_hours/urgency",
        "/outside_support_hours/urgency",
    ]
    .iter()
    .all(|part| URGENCIES.contains(&text(rule, part)))
}

fn are_hours(hours: &Value) -> bool {
    let days = hours.get("days_of_week").and_then(Value::as_array);
    let day = |day: &Value| day.as_i64().is_some_and(|day| (1..=7).contains(&day));
    let days = days.is_some_and(|days| !days.is_empty() && days.iter().all(day));
    days && text(hours, "/type") == "fixed_time_per_day"
        && zone(text(hours, "/time_zone")).is_some()
        && time_of_day(text(hours, "/start_time")).is_some()
        && time_of_day(text(hours, "/end_time")).is_some()
}

fn is_action(action: &Value) -> bool {
    let at = text(action, "/at/name");
    text(action, "/type") == "urgency_change"
        && matches!(at, "support_hours_start" | "support_hours_end")
        && matches!(text(action, "/to_urgency"), "high" | "low")
}
