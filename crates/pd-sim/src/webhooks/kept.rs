//! Subscriptions in a file of ours: with secret and header values, without what waits.

use serde_json::{Value, json};

use super::Webhooks;
use super::queue::Queue;
use super::subscription::{Filter, Subscription};

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
            })
        };
        self.subscriptions.iter().map(kept).collect()
    }

    /// Takes one back; says what is missing.
    pub(crate) fn restore(&mut self, row: &Value) -> Result<(), String> {
        let text = |pointer: &str| {
            let found = row.pointer(pointer).and_then(Value::as_str);
            found.map(str::to_owned)
        };
        let need = |pointer: &str| text(pointer).ok_or_else(|| format!("{pointer} is missing"));
        let texts = |name: &str| {
            let list = row
                .get(name)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let texts = list.filter_map(Value::as_str).map(str::to_owned);
            texts.collect::<Vec<String>>()
        };
        let filter = match need("/filter/type")?.as_str() {
            "account" => Filter::Account,
            "service" => Filter::Service(need("/filter/id")?),
            "team" => Filter::Team(need("/filter/id")?),
            other => return Err(format!("{other} is no filter")),
        };
        let headers = row.get("custom_headers").cloned().unwrap_or(json!([]));
        let disabled_until = text("/disabled_until").and_then(|text| text.parse().ok());
        self.subscriptions.push(Subscription {
            id: need("/id")?,
            method_id: need("/delivery_method_id")?,
            url: need("/url")?,
            secrets: texts("secrets"),
            custom_headers: serde_json::from_value(headers)
                .map_err(|error| format!("custom_headers: {error}"))?,
            description: text("/description"),
            events: texts("events"),
            filter,
            active: row.get("active").and_then(Value::as_bool).unwrap_or(true),
            disabled_until,
            oauth_client: text("/oauth_client"),
            drops_in_a_row: 0,
            dropped: 0,
            queue: Queue::default(),
        });
        Ok(())
    }
}
