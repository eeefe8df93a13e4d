//! Contact methods and notification rules of one user.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Asked;
use crate::http::{Request, Response, not_found};
use crate::rest::Answer;
use crate::rest::directory::{contact_method, notification_rule};
use crate::state::{ContactMethod, Given, Means, NotificationRule, User, World};

const KINDS: [&str; 5] = [
    Means::Email.contact_kind(),
    Means::Phone.contact_kind(),
    Means::Sms.contact_kind(),
    Means::Push.contact_kind(),
    "whatsapp_contact_method",
];
/// Contact methods of one user.
const METHODS_MAX: usize = 10;
/// Changes of the contact methods of one user within a day.
const CHANGES_MAX: usize = 10;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What is kept of a contact method beside label and address.
const KEPT: [&str; 5] = [
    "send_short_email",
    "send_html_email",
    "country_code",
    "device_type",
    "sounds",
];

/// What a contact method of this kind has when nobody says otherwise.
pub(super) fn usual(kind: &str, asked: &Given) -> Given {
    let usual = match kind {
        "email_contact_method" => json!({"send_short_email": false, "send_html_email": true}),
        "push_notification_contact_method" => {
            json!({"device_type": "ios", "sounds": [], "blacklisted": false})
        }
        _ => json!({"country_code": 1, "enabled": true, "blacklisted": false}),
    };
    let mut usual = usual.as_object().cloned().unwrap_or_default();
    usual.extend(asked.clone());
    usual
}

pub(super) fn methods(world: &mut World, request: &Request, user: &str, path: &[&str]) -> Answer {
    let user = world.users.get(user).ok_or_else(not_found)?.clone();
    match (request.method.as_str(), path) {
        ("POST", []) => create(world, request, user),
        ("PUT", [id]) => update(world, request, user, id),
        ("DELETE", [id]) => delete(world, user, id),
        _ => Err(not_found()),
    }
}

/// Counts a change, where limits are on; the eleventh within a day is refused.
fn count(world: &mut World, user: &str) -> Answer<()> {
    if world.options.limits.is_none() {
        return Ok(());
    }
    let (now, changes) = (world.now, &mut world.contact_changes);
    changes.retain(|(_, at)| now.duration_since(*at) < DAY);
    if changes.iter().filter(|(of, _)| of == user).count() >= CHANGES_MAX {
        return Err(Response::error(
            400,
            2017,
            "Too Many Contact Method Actions",
            &[],
        ));
    }
    changes.push((user.to_owned(), now));
    Ok(())
}

fn create(world: &mut World, request: &Request, mut user: User) -> Answer {
    let mut asked = Asked::of(request, "contact_method")?;
    let kind = asked.word("type", &KINDS);
    if !asked.names("type") {
        asked.wrong("Type can't be blank");
    }
    let mut contact = ContactMethod {
        id: world.ids.object('P'),
        kind: kind.unwrap_or_default(),
        label: String::new(),
        address: None,
        given: Given::new(),
    };
    change(&user, &mut contact, asked, true)?;
    if user.contacts.len() >= METHODS_MAX {
        return Err(Response::error(400, 2019, "Product Limit Reached", &[]));
    }
    count(world, &user.id)?;
    contact.given = usual(&contact.kind, &contact.given);
    user.contacts.push(contact.clone());
    Ok(shown(world, user, &contact, 201))
}

fn update(world: &mut World, request: &Request, mut user: User, id: &str) -> Answer {
    let old = user.contacts.iter().find(|one| one.id == id);
    let mut contact = old.ok_or_else(not_found)?.clone();
    change(
        &user,
        &mut contact,
        Asked::of(request, "contact_method")?,
        false,
    )?;
    count(world, &user.id)?;
    for one in user.contacts.iter_mut().filter(|one| one.id == id) {
        *one = contact.clone();
    }
    Ok(shown(world, user, &contact, 200))
}

fn shown(world: &mut World, user: User, contact: &ContactMethod, status: u16) -> Response {
    let value = contact_method(world, &user, contact);
    world.users.put(user);
    Response::json(status, &json!({"contact_method": value}))
}

fn change(user: &User, contact: &mut ContactMethod, mut asked: Asked, new: bool) -> Answer<()> {
    if let Some(label) = asked.filled("label", 255, new) {
        contact.label = label;
    }
    if let Some(address) = asked.filled("address", 255, new) {
        contact.address = Some(address);
    }
    let email = contact.kind == Means::Email.contact_kind();
    let address = contact.address.as_deref().unwrap_or_default();
    if !address.is_empty() && email && !address.contains('@') {
        asked.wrong("Address is invalid");
    }
    asked.keep(&KEPT, &mut contact.given);
    let code = asked.number("country_code", (1, 1_999));
    contact
        .given
        .extend(code.map(|code| ("country_code".to_owned(), code.into())));
    let same = |one: &&ContactMethod| {
        one.id != contact.id && one.kind == contact.kind && one.address == contact.address
    };
    if user.contacts.iter().any(|one| same(&one)) {
        // In these words, as clients look for them.
        asked.wrong("User Contact method must be unique");
    }
    asked.check()
}

/// Whatever tells by it goes as well.
fn delete(world: &mut World, mut user: User, id: &str) -> Answer {
    let before = user.contacts.len();
    user.contacts.retain(|one| one.id != id);
    if user.contacts.len() == before {
        return Err(not_found());
    }
    count(world, &user.id)?;
    user.rules.retain(|rule| rule.contact != id);
    world.users.put(user);
    Ok(Response::empty(204))
}

pub(super) fn rules(world: &mut World, request: &Request, user: &str, path: &[&str]) -> Answer {
    let mut user = world.users.get(user).ok_or_else(not_found)?.clone();
    match (request.method.as_str(), path) {
        ("POST", []) => {
            let rule = NotificationRule {
                id: world.ids.object('P'),
                delay_min: 0,
                contact: String::new(),
                urgency: "high",
                created_at: world.now,
                given: Given::new(),
            };
            put_rule(world, request, user, rule, 201)
        }
        ("PUT", [id]) => {
            let old = user.rules.iter().find(|one| one.id == *id);
            let old = old.ok_or_else(not_found)?.clone();
            put_rule(world, request, user, old, 200)
        }
        ("DELETE", [id]) => {
            let before = user.rules.len();
            user.rules.retain(|one| one.id != *id);
            if user.rules.len() == before {
                return Err(not_found());
            }
            world.users.put(user);
            Ok(Response::empty(204))
        }
        _ => Err(not_found()),
    }
}

fn put_rule(
    world: &mut World,
    request: &Request,
    mut user: User,
    mut rule: NotificationRule,
    status: u16,
) -> Answer {
    let mut asked = Asked::of(request, "notification_rule")?;
    let new = status == 201;
    if let Some(delay) = asked.number("start_delay_in_minutes", (0, 10_080)) {
        rule.delay_min = delay;
    } else if new && !asked.names("start_delay_in_minutes") {
        asked.wrong("Start delay in minutes can't be blank");
    }
    match asked.word("urgency", &["high", "low"]).as_deref() {
        Some("low") => rule.urgency = "low",
        Some(_) => rule.urgency = "high",
        None if new && !asked.names("urgency") => asked.wrong("Urgency can't be blank"),
        None => {}
    }
    match asked.reference("contact_method") {
        Some(id) if user.contacts.iter().any(|one| one.id == id) => rule.contact = id,
        Some(_) => asked.wrong("Contact method not found"),
        None if new => asked.wrong("Contact method can't be blank"),
        None => {}
    }
    let same = |one: &NotificationRule| {
        let told = |of: &NotificationRule| (of.delay_min, of.contact.clone(), of.urgency);
        one.id != rule.id && told(one) == told(&rule)
    };
    if user.rules.iter().any(same) {
        // In these words, as clients look for them.
        asked.wrong("Channel Start delay must be unique for a given contact method");
    }
    asked.check()?;
    match user.rules.iter_mut().find(|one| one.id == rule.id) {
        Some(old) => *old = rule.clone(),
        None => user.rules.push(rule.clone()),
    }
    let value: Value = notification_rule(world, request, &user, &rule);
    world.users.put(user);
    Ok(Response::json(status, &json!({"notification_rule": value})))
}
