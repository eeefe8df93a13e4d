//! How users are reached: contact methods and notification rules.

use serde_json::{Value, json};

use crate::http::Request;
use crate::refs::seconds;
use crate::state::{Means, NotificationRule, User, World};

const ALL: [Means; 4] = [Means::Email, Means::Phone, Means::Sms, Means::Push];

/// The id of a contact method: made from the user's, as nothing else names it.
fn contact_id(user: &User, means: Means) -> String {
    let letter = match means {
        Means::Push => 'H',
        Means::Email => 'E',
        Means::Sms => 'S',
        Means::Phone => 'T',
    };
    format!("{}{letter}", user.id)
}

const fn kind(means: Means) -> &'static str {
    match means {
        Means::Push => "push_notification_contact_method",
        Means::Email => "email_contact_method",
        Means::Sms => "sms_contact_method",
        Means::Phone => "phone_contact_method",
    }
}

const fn label(means: Means) -> &'static str {
    if matches!(means, Means::Email) {
        "Default"
    } else {
        "Mobile"
    }
}

fn contact_ref(world: &World, user: &User, means: Means) -> Value {
    let id = contact_id(user, means);
    json!({
        "id": id,
        "type": format!("{}_reference", kind(means)),
        "summary": label(means),
        "self": format!("{}/users/{}/contact_methods/{id}", world.options.base_url, user.id),
        "html_url": null,
    })
}

/// What a file said, when it says it in full.
fn given<'a>(user: &'a User, name: &str, mark: &str) -> Option<&'a Vec<Value>> {
    let list = user.given.get(name)?.as_array()?;
    list.iter()
        .any(|one| one.get(mark).is_some())
        .then_some(list)
}

/// The reference to something that a file said.
fn reference(one: &Value) -> Value {
    let part = |name: &str| one.get(name).cloned().unwrap_or_default();
    let kind = part("type");
    let kind = kind.as_str().unwrap_or_default();
    let kind = kind.strip_suffix("_reference").unwrap_or(kind);
    json!({
        "id": part("id"),
        "type": format!("{kind}_reference"),
        "summary": part("summary"),
        "self": part("self"),
        "html_url": part("html_url"),
    })
}

/// Contact methods as references.
pub(super) fn contact_refs(world: &World, user: &User) -> Vec<Value> {
    if let Some(list) = user.given.get("contact_methods").and_then(Value::as_array) {
        return list.iter().map(reference).collect();
    }
    ALL.map(|means| contact_ref(world, user, means)).to_vec()
}

/// Contact methods in full.
pub(super) fn contact_methods(world: &World, user: &User) -> Vec<Value> {
    if let Some(list) = given(user, "contact_methods", "address") {
        return list.clone();
    }
    let full = |means: Means| {
        let mut value = contact_ref(world, user, means);
        let own = match means {
            Means::Email => {
                json!({"address": user.email, "send_short_email": false, "send_html_email": true})
            }
            Means::Phone | Means::Sms => {
                json!({"address": user.phone, "country_code": 49, "enabled": true, "blacklisted": false})
            }
            Means::Push => json!({
                "address": format!("{:0>64}", user.phone),
                "device_type": "ios",
                "sounds": [{"type": "alert_high_urgency", "file": "default"}],
                "blacklisted": false,
                "created_at": seconds(since(world)),
            }),
        };
        if let (Some(object), Value::Object(own)) = (value.as_object_mut(), own) {
            object.insert("type".to_owned(), kind(means).into());
            object.insert("label".to_owned(), label(means).into());
            object.extend(own);
        }
        value
    };
    ALL.map(full).to_vec()
}

fn since(world: &World) -> jiff::Timestamp {
    world
        .services
        .iter()
        .map(|service| service.created_at)
        .min()
        .unwrap_or(world.now)
}

fn rule_ref(world: &World, user: &User, rule: &NotificationRule) -> Value {
    json!({
        "id": rule.id,
        "type": "assignment_notification_rule_reference",
        "summary": format!("{} minutes: channel {}", rule.delay_min, contact_id(user, rule.means)),
        "self": format!("{}/users/{}/notification_rules/{}", world.options.base_url, user.id, rule.id),
        "html_url": null,
    })
}

/// Notification rules as references.
pub(super) fn rule_refs(world: &World, user: &User) -> Vec<Value> {
    if let Some(list) = user
        .given
        .get("notification_rules")
        .and_then(Value::as_array)
    {
        return list.iter().map(reference).collect();
    }
    user.rules
        .iter()
        .map(|rule| rule_ref(world, user, rule))
        .collect()
}

/// Notification rules in full; without `urgency` those for high urgency.
pub(super) fn notification_rules(world: &World, request: &Request, user: &User) -> Vec<Value> {
    let urgency = request.query("urgency").unwrap_or("high");
    if let Some(list) = given(user, "notification_rules", "urgency") {
        let fits = |one: &&Value| urgency == "all" || one.get("urgency") == Some(&urgency.into());
        return list.iter().filter(fits).cloned().collect();
    }
    let rules = user
        .rules
        .iter()
        .filter(|rule| urgency == "all" || urgency == rule.urgency);
    rules
        .map(|rule| {
            let mut value = rule_ref(world, user, rule);
            if let Some(object) = value.as_object_mut() {
                object.insert("type".to_owned(), "assignment_notification_rule".into());
                object.insert("start_delay_in_minutes".to_owned(), rule.delay_min.into());
                object.insert("created_at".to_owned(), seconds(since(world)).into());
                object.insert(
                    "contact_method".to_owned(),
                    contact_ref(world, user, rule.means),
                );
                object.insert("urgency".to_owned(), rule.urgency.into());
            }
            value
        })
        .collect()
}
