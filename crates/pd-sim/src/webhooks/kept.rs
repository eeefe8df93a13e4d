//! Subscriptions and OAuth clients in a file of ours: with secrets, header values, tokens and the
//! webhooks that wait. What was under way is due again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::clients::{Client, Credentials};
use super::queue::{Queue, Webhook};
use super::subscription::{Filter, Subscription};
use super::{Event, Webhooks};
use crate::kept::{need, need_instant, rows, text, texts};

impl Webhooks {
    /// All subscriptions as they are kept.
    pub(crate) fn kept(&self) -> Vec<Value> {
        let kept = |one: &Subscription| {
            let (filter, id) = match &one.filter {
                Filter::Account => ("account", None),
                Filter::Service(id) => ("service", Some(id)),
                Filter::Team(id) => ("team", Some(id)),
            };
            json!({
                "id": one.id,
                "delivery_method_id": one.method_id,
                "url": one.url,
                "secrets": one.secrets,
                "custom_headers": one.custom_headers,
                "description": one.description,
                "events": one.events,
                "filter": {"type": filter, "id": id},
                "active": one.active,
                "oauth_client": one.oauth_client,
                "disabled_until": one.disabled_until,
                "drops_in_a_row": one.drops_in_a_row,
                "dropped": one.dropped,
                "queue": one.queue.iter().map(waiting).collect::<Vec<_>>(),
            })
        };
        self.subscriptions.iter().map(kept).collect()
    }

    /// Takes one back; says what is missing.
    pub(crate) fn restore(&mut self, row: &Value) -> Result<(), String> {
        let number = |pointer: &str| row.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        let mut queue = Queue::default();
        for row in rows(row, "queue") {
            queue.push(waits(row).map_err(|reason| format!("queue: {reason}"))?);
        }
        let of = row.get("filter").unwrap_or(&Value::Null);
        let filter = match need(of, "type")?.as_str() {
            "account" => Filter::Account,
            "service" => Filter::Service(need(of, "id")?),
            "team" => Filter::Team(need(of, "id")?),
            other => return Err(format!("{other} is no filter")),
        };
        let headers = row.get("custom_headers").cloned().unwrap_or(json!([]));
        let disabled_until = text(row, "disabled_until").and_then(|text| text.parse().ok());
        self.subscriptions.push(Subscription {
            id: need(row, "id")?,
            method_id: need(row, "delivery_method_id")?,
            url: need(row, "url")?,
            secrets: texts(row, "secrets"),
            custom_headers: serde_json::from_value(headers)
                .map_err(|error| format!("custom_headers: {error}"))?,
            description: text(row, "description"),
            events: texts(row, "events"),
            filter,
            active: row.get("active").and_then(Value::as_bool).unwrap_or(true),
            disabled_until,
            oauth_client: text(row, "oauth_client"),
            drops_in_a_row: u32::try_from(number("/drops_in_a_row")).unwrap_or(0),
            dropped: number("/dropped"),
            queue,
        });
        Ok(())
    }

    /// All OAuth clients as they are kept.
    pub(crate) fn kept_clients(&self) -> Vec<Value> {
        let kept = |one: &Client| {
            json!({
                "id": one.id,
                "name": one.name,
                "client_id": one.credentials.client_id,
                "client_secret": one.credentials.client_secret,
                "token_url": one.credentials.token_url,
                "scope": one.credentials.scope,
                "active": one.active,
                "token": one.token.as_ref().map(|(token, _)| token),
                "token_ends": one.token.as_ref().map(|(_, ends)| ends),
            })
        };
        self.clients.iter().map(kept).collect()
    }

    /// Takes an OAuth client back; says what is missing.
    pub(crate) fn restore_client(&mut self, row: &Value) -> Result<(), String> {
        let ends = text(row, "token_ends").and_then(|text| text.parse().ok());
        self.clients.push(Client {
            id: need(row, "id")?,
            name: need(row, "name")?,
            credentials: Credentials {
                client_id: need(row, "client_id")?,
                client_secret: need(row, "client_secret")?,
                token_url: need(row, "token_url")?,
                scope: text(row, "scope"),
            },
            active: row.get("active").and_then(Value::as_bool).unwrap_or(true),
            token: text(row, "token").zip(ends),
        });
        Ok(())
    }
}

fn waiting(one: &Webhook) -> Value {
    let event = &one.event;
    json!({
        "id": one.id,
        "born": one.born,
        "due_at": one.due_at,
        "attempts": one.attempts,
        "event_id": event.id,
        "event_type": event.event_type,
        "resource_id": event.resource_id,
        "service_id": event.service_id,
        "team_ids": event.team_ids,
        "body": String::from_utf8_lossy(&event.body),
    })
}

fn waits(row: &Value) -> Result<Webhook, String> {
    let event = Event {
        id: need(row, "event_id")?,
        event_type: need(row, "event_type")?,
        resource_id: need(row, "resource_id")?,
        service_id: text(row, "service_id"),
        team_ids: texts(row, "team_ids"),
        body: need(row, "body")?.into_bytes(),
    };
    let mut webhook = Webhook::new(
        need(row, "id")?,
        Arc::new(event),
        need_instant(row, "born")?,
    );
    webhook.due_at = need_instant(row, "due_at")?;
    let attempts = row.get("attempts").and_then(Value::as_u64).unwrap_or(0);
    webhook.attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    Ok(webhook)
}
