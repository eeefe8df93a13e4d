//! How users are reached: contact methods and notification rules, as REST shows them.

use serde_json::{Value, json};

use super::render::with_given;
use crate::http::{Request, Response, not_found};
use crate::refs::seconds;
use crate::rest::Answer;
use crate::state::{ContactMethod, NotificationRule, User, World};

/// What is below a user.
pub(super) fn route(world: &World, request: &Request, user: &User, path: &[&str]) -> Answer {
    let answer = match path {
        ["contact_methods"] => json!({"contact_methods": contact_methods(world, user)}),
        ["contact_methods", id] => {
            let found = user.contacts.iter().find(|one| one.id == *id);
            let found = found.ok_or_else(not_found)?;
            json!({"contact_method": contact_method(world, user, found)})
        }
        ["notification_rules"] => {
            json!({"notification_rules": notification_rules(world, request, user)})
        }
        ["notification_rules", id] => {
            let found = user.rules.iter().find(|one| one.id == *id);
            let found = found.ok_or_else(not_found)?;
            json!({"notification_rule": notification_rule(world, request, user, found)})
        }
        _ => return Err(not_found()),
    };
    Ok(Response::json(200, &answer))
}

fn contact_ref(world: &World, user: &User, contact: &ContactMethod) -> Value {
    json!({
        "id": contact.id,
        "type": format!("{}_reference", contact.kind),
        "summary": contact.label,
        "self": format!("{}/users/{}/contact_methods/{}", world.options.base_url, user.id, contact.id),
        "html_url": null,
    })
}

/// A contact method in full.
pub(crate) fn contact_method(world: &World, user: &User, contact: &ContactMethod) -> Value {
    let mut value = contact_ref(world, user, contact);
    if let Some(object) = value.as_object_mut() {
        object.insert("type".to_owned(), contact.kind.clone().into());
        object.insert("label".to_owned(), contact.label.clone().into());
        object.insert("address".to_owned(), contact.address.clone().into());
    }
    with_given(value, &contact.given)
}

/// Contact methods as references.
pub(super) fn contact_refs(world: &World, user: &User) -> Vec<Value> {
    let contacts = user.contacts.iter();
    contacts.map(|one| contact_ref(world, user, one)).collect()
}

/// Contact methods in full.
pub(super) fn contact_methods(world: &World, user: &User) -> Vec<Value> {
    let contacts = user.contacts.iter();
    contacts
        .map(|one| contact_method(world, user, one))
        .collect()
}

fn rule_ref(world: &World, user: &User, rule: &NotificationRule) -> Value {
    json!({
        "id": rule.id,
        "type": "assignment_notification_rule_reference",
        "summary": format!("{} minutes: channel {}", rule.delay_min, rule.contact),
        "self": format!("{}/users/{}/notification_rules/{}", world.options.base_url, user.id, rule.id),
        "html_url": null,
    })
}

/// A notification rule in full, its contact method too where `include[]` asks for it.
pub(crate) fn notification_rule(
    world: &World,
    request: &Request,
    user: &User,
    rule: &NotificationRule,
) -> Value {
    let whole = request.includes("contact_methods");
    let contact = user.contacts.iter().find(|one| one.id == rule.contact);
    let contact = contact.map(|one| {
        if whole {
            contact_method(world, user, one)
        } else {
            contact_ref(world, user, one)
        }
    });
    let mut value = rule_ref(world, user, rule);
    if let Some(object) = value.as_object_mut() {
        object.insert("type".to_owned(), "assignment_notification_rule".into());
        object.insert("start_delay_in_minutes".to_owned(), rule.delay_min.into());
        object.insert("created_at".to_owned(), seconds(rule.created_at).into());
        object.insert("contact_method".to_owned(), contact.into());
        object.insert("urgency".to_owned(), rule.urgency.into());
    }
    with_given(value, &rule.given)
}

/// Notification rules as references.
pub(super) fn rule_refs(world: &World, user: &User) -> Vec<Value> {
    let rules = user.rules.iter();
    rules.map(|rule| rule_ref(world, user, rule)).collect()
}

/// Notification rules in full; without `urgency` those for high urgency.
pub(super) fn notification_rules(world: &World, request: &Request, user: &User) -> Vec<Value> {
    let urgency = request.query("urgency").unwrap_or("high");
    let rules = user.rules.iter();
    let rules = rules.filter(|rule| urgency == "all" || urgency == rule.urgency);
    rules
        .map(|rule| notification_rule(world, request, user, rule))
        .collect()
}
