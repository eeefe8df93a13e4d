//! Integrations of a service: there is no list and no way to delete one.

use serde_json::{Value, json};

use super::Asked;
use crate::http::{Request, Response, not_found};
use crate::rest::Answer;
use crate::rest::directory::integration_value;
use crate::state::{Given, Integration, World};

/// What every type of integration ends in.
const KIND: &str = "_inbound_integration";
const EMAIL: &str = "generic_email_inbound_integration";
/// What is kept and shown as it came.
const KEPT: [&str; 6] = [
    "vendor",
    "email_incident_creation",
    "email_filter_mode",
    "email_filters",
    "email_parsers",
    "email_parsing_fallback",
];

pub(super) fn route(world: &mut World, request: &Request, service: &str, path: &[&str]) -> Answer {
    world.services.get(service).ok_or_else(not_found)?;
    match (request.method.as_str(), path) {
        ("POST", []) => create(world, request, service),
        ("PUT", [id]) => update(world, request, service, id),
        _ => Err(not_found()),
    }
}

fn create(world: &mut World, request: &Request, service: &str) -> Answer {
    let mut asked = Asked::of(request, "integration")?;
    let kind = asked.filled("type", 255, true).unwrap_or_default();
    let kind = kind.strip_suffix("_reference").unwrap_or(&kind).to_owned();
    if !kind.is_empty() && !kind.ends_with(KIND) {
        asked.wrong(format!("Type {kind} is no type of integration"));
    }
    let integration = Integration {
        id: world.ids.object('P'),
        name: named_after(&kind),
        key: world.ids.key32(),
        kind,
        service: service.to_owned(),
        created_at: world.now,
        given: Given::new(),
    };
    put(world, integration, asked, 201)
}

/// `events_api_v2_inbound_integration` without a name is called `Events api v2`.
fn named_after(kind: &str) -> String {
    let words = kind.strip_suffix(KIND).unwrap_or(kind).replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn update(world: &mut World, request: &Request, service: &str, id: &str) -> Answer {
    let found = world.integrations.get(id);
    let found = found.filter(|one| one.service == service);
    let integration = found.ok_or_else(not_found)?.clone();
    put(world, integration, Asked::of(request, "integration")?, 200)
}

fn put(world: &mut World, mut integration: Integration, mut asked: Asked, status: u16) -> Answer {
    if let Some(name) = asked
        .text("name", 255)
        .filter(|name| !name.trim().is_empty())
    {
        integration.name = name;
    }
    asked.keep(&KEPT, &mut integration.given);
    if integration.kind == EMAIL {
        let address = asked.text("integration_email", 255);
        let taken = |one: &Integration| {
            one.id != integration.id
                && one.given.get("integration_email") == Some(&address.clone().into())
        };
        if address.is_some() && world.integrations.iter().any(taken) {
            asked.wrong("Integration email has already been taken");
        }
        if let Some(address) =
            address.or_else(|| (status == 201).then(|| mailbox(world, &integration)))
        {
            integration
                .given
                .insert("integration_email".to_owned(), Value::String(address));
        }
    }
    asked.check()?;
    let value = integration_value(world, &integration);
    world.integrations.put(integration);
    Ok(Response::json(status, &json!({"integration": value})))
}

/// An address that nobody chose.
fn mailbox(world: &World, integration: &Integration) -> String {
    let host = world
        .options
        .web_url
        .split("://")
        .last()
        .unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    format!("{}@{host}", integration.id.to_lowercase())
}
