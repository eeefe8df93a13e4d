//! `/webhook_subscriptions` (docs/sim.md).
//!
//! `PUT` takes `description`, `events`, `filter`, `active` and `oauth_client_id`; other fields
//! are ignored, `delivery_method` among them. The wording of 400s is ours where none is known.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Webhooks;
use super::queue::Queue;
use super::subscription::{EVENT_TYPES, Filter, Show, Subscription};
use crate::http::{Request, Response, invalid, not_found};
use crate::ids::Ids;

/// Subscriptions per account, per service and per team (docs/sim.md).
const PER_SCOPE_MAX: usize = 10;
/// Rows of a page when none are asked for.
const PAGE_DEFAULT: usize = 25;
/// More rows are silently cut to this.
const PAGE_MAX: usize = 100;
/// `offset + limit` may not pass this.
const WINDOW_MAX: usize = 10_000;

impl Webhooks {
    /// Answers a request; `path` is what follows `webhook_subscriptions`.
    pub(crate) fn rest(
        &mut self,
        request: &Request,
        path: &[&str],
        ids: &mut Ids,
        now: Timestamp,
    ) -> Response {
        let answer = match (request.method.as_str(), path) {
            ("GET", []) => self.list(request, now),
            ("POST", []) => self.create(request, ids, now),
            (_, ["oauth_clients", rest @ ..]) => self.clients_rest(request, rest, ids, now),
            (_, [id, ..]) if self.find(id).is_none() => Err(not_found()),
            ("GET", [id]) => self.shown(id, now),
            ("PUT", [id]) => self.update(id, request, now),
            ("DELETE", [id]) => {
                self.subscriptions
                    .retain(|subscription| subscription.id != **id);
                Ok(Response::empty(204))
            }
            ("POST", [id, "enable"]) => self.enable(id, now),
            ("POST", [id, "ping"]) => {
                self.ping(id, ids, now);
                Ok(Response::empty(202))
            }
            _ => Err(not_found()),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    /// What a subscription listens to, as its `filter` shows it.
    pub(crate) fn filter_of(&self, id: &str) -> Option<Value> {
        self.find(id)
            .map(|subscription| subscription.filter.object())
    }

    fn list(&self, request: &Request, now: Timestamp) -> Result<Response, Response> {
        let filter = match (request.query("filter_type"), request.query("filter_id")) {
            (None, _) => None,
            (Some("account"), _) => Some(Filter::Account),
            (Some("service"), Some(id)) => Some(Filter::Service(id.to_owned())),
            (Some("team"), Some(id)) => Some(Filter::Team(id.to_owned())),
            (Some("service" | "team"), None) => {
                return Err(invalid("filter_id is required for this filter_type"));
            }
            (Some(_), _) => {
                return Err(invalid("filter_type must be one of account, service, team"));
            }
        };
        let limit = number(request, "limit")?
            .unwrap_or(PAGE_DEFAULT)
            .clamp(1, PAGE_MAX);
        let offset = number(request, "offset")?.unwrap_or(0);
        if offset.saturating_add(limit) > WINDOW_MAX {
            return Err(invalid(&format!(
                "Offset must be less than or equal to {}.",
                WINDOW_MAX - limit
            )));
        }
        let found = || {
            let wanted =
                |one: &&Subscription| filter.as_ref().is_none_or(|filter| one.filter == *filter);
            self.subscriptions.iter().filter(wanted)
        };
        let total = found().count();
        let page: Vec<Value> = found()
            .skip(offset)
            .take(limit)
            .map(|subscription| self.object(subscription, Show::WithoutSecret, now).into())
            .collect();
        Ok(Response::json(
            200,
            &json!({
                "webhook_subscriptions": page,
                "limit": limit,
                "offset": offset,
                "total": (request.query("total") == Some("true")).then_some(total),
                "more": total > offset + limit,
            }),
        ))
    }

    fn create(
        &mut self,
        request: &Request,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Result<Response, Response> {
        let fields = body(request)?;
        if text(&fields, "type") != Some("webhook_subscription") {
            return Err(invalid("Type must be webhook_subscription"));
        }
        let method = fields.get("delivery_method").and_then(Value::as_object);
        let method = method.ok_or_else(|| invalid("Delivery method is required"))?;
        if text(method, "type") != Some("http_delivery_method") {
            return Err(invalid("Delivery method type must be http_delivery_method"));
        }
        let oauth_client = self.oauth_client(&fields)?.flatten();
        let subscription = Subscription {
            id: ids.object('P'),
            method_id: ids.object('P'),
            url: receiver_url(text(method, "url"))?,
            secrets: vec![ids.secret()],
            custom_headers: custom_headers(method.get("custom_headers"))?,
            description: description(fields.get("description"))?,
            events: events(fields.get("events"))?,
            filter: filter(fields.get("filter"))?,
            active: active(fields.get("active"))?.unwrap_or(true),
            oauth_client,
            disabled_until: None,
            drops_in_a_row: 0,
            dropped: 0,
            queue: Queue::default(),
        };
        self.leave_room(&subscription.filter, None)?;
        let object = self.object(&subscription, Show::WithSecret, now);
        self.subscriptions.push(subscription);
        Ok(Response::json(
            201,
            &json!({"webhook_subscription": object}),
        ))
    }

    fn update(
        &mut self,
        id: &str,
        request: &Request,
        now: Timestamp,
    ) -> Result<Response, Response> {
        let fields = body(request)?;
        let new_client = self.oauth_client(&fields)?;
        let new_description = fields
            .get("description")
            .map(|value| description(Some(value)))
            .transpose()?;
        let new_events = fields
            .get("events")
            .map(|value| events(Some(value)))
            .transpose()?;
        let new_filter = fields
            .get("filter")
            .map(|value| filter(Some(value)))
            .transpose()?;
        let new_active = active(fields.get("active"))?;
        if let Some(new_filter) = &new_filter {
            self.leave_room(new_filter, Some(id))?;
        }
        let subscription = self.find_mut(id).ok_or_else(not_found)?;
        if let Some(description) = new_description {
            subscription.description = description;
        }
        if let Some(events) = new_events {
            subscription.events = events;
        }
        if let Some(filter) = new_filter {
            subscription.filter = filter;
        }
        subscription.active = new_active.unwrap_or(subscription.active);
        if let Some(client) = new_client {
            subscription.oauth_client = client;
        }
        self.shown(id, now)
    }

    fn enable(&mut self, id: &str, now: Timestamp) -> Result<Response, Response> {
        let subscription = self.find_mut(id).ok_or_else(not_found)?;
        subscription.enable();
        let mut object = subscription.object(Show::WithoutSecret, None, now);
        // This one answer is documented without the field.
        object.remove("oauth_client");
        Ok(Response::json(
            200,
            &json!({"webhook_subscription": object}),
        ))
    }

    fn object(&self, of: &Subscription, show: Show, now: Timestamp) -> Map<String, Value> {
        let client = of.oauth_client.as_deref().and_then(|id| self.client(id));
        of.object(show, client, now)
    }

    /// The client that a request names; `None`: it says nothing of one.
    #[expect(clippy::option_option, reason = "nothing said, or null, or a client")]
    fn oauth_client(
        &self,
        fields: &Map<String, Value>,
    ) -> Result<Option<Option<String>>, Response> {
        match fields.get("oauth_client_id") {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(id) => {
                let known = id.as_str().filter(|id| self.client(id).is_some());
                let known = known.ok_or_else(|| invalid("Oauth client not found"))?;
                Ok(Some(Some(known.to_owned())))
            }
        }
    }

    fn shown(&self, id: &str, now: Timestamp) -> Result<Response, Response> {
        let subscription = self.find(id).ok_or_else(not_found)?;
        let object = self.object(subscription, Show::WithoutSecret, now);
        Ok(Response::json(
            200,
            &json!({"webhook_subscription": object}),
        ))
    }

    /// Refuses an eleventh subscription of one scope; `moving` does not count against itself.
    fn leave_room(&self, scope: &Filter, moving: Option<&str>) -> Result<(), Response> {
        let others = self
            .subscriptions
            .iter()
            .filter(|one| one.filter == *scope && Some(one.id.as_str()) != moving);
        if others.count() < PER_SCOPE_MAX {
            return Ok(());
        }
        let reason =
            "Failed to create webhook. Webhook subscription limit exceeded for the selected scope.";
        Err(Response::error(
            400,
            2019,
            "Product Limit Reached",
            &[reason],
        ))
    }
}

/// The object inside the envelope.
fn body(request: &Request) -> Result<Map<String, Value>, Response> {
    match request
        .json()
        .as_mut()
        .and_then(|body| body.get_mut("webhook_subscription"))
        .map(Value::take)
    {
        Some(Value::Object(fields)) => Ok(fields),
        _ => Err(invalid("params must be a Hash")),
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

fn number(request: &Request, name: &str) -> Result<Option<usize>, Response> {
    let Some(value) = request.query(name) else {
        return Ok(None);
    };
    let parsed = value.parse().ok();
    parsed
        .map(Some)
        .ok_or_else(|| invalid(&format!("{name} must be a number")))
}

pub(super) fn receiver_url(url: Option<&str>) -> Result<String, Response> {
    let refusal = || invalid("Url must be a valid http or https URL");
    let url = url.ok_or_else(refusal)?;
    let (scheme, rest) = url.split_once("://").ok_or_else(refusal)?;
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let clean = !url.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    if known && clean && !host.is_empty() && !host.starts_with(':') {
        Ok(url.to_owned())
    } else {
        Err(refusal())
    }
}

fn custom_headers(value: Option<&Value>) -> Result<Vec<(String, String)>, Response> {
    let refusal = || invalid("Custom headers must be a list of name and value");
    let rows = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(value) => value.as_array().ok_or_else(refusal)?,
    };
    let pair = |row: &Value| {
        let name = row
            .get("name")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())?;
        let value = row.get("value").and_then(Value::as_str)?;
        Some((name.to_owned(), value.to_owned()))
    };
    rows.iter()
        .map(|row| pair(row).ok_or_else(refusal))
        .collect()
}

fn description(value: Option<&Value>) -> Result<Option<String>, Response> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(invalid("Description must be a string")),
    }
}

fn events(value: Option<&Value>) -> Result<Vec<String>, Response> {
    let rows = value
        .and_then(Value::as_array)
        .filter(|rows| !rows.is_empty());
    let rows = rows.ok_or_else(|| invalid("Events must name at least one event"))?;
    let mut events: Vec<String> = Vec::with_capacity(rows.len());
    for row in rows {
        let name = row.as_str().unwrap_or_default();
        if !EVENT_TYPES.contains(&name) {
            return Err(invalid(&format!("Events contains an unknown event: {row}")));
        }
        if events.iter().any(|event| event == name) {
            return Err(invalid(&format!("Events must be unique: {name}")));
        }
        events.push(name.to_owned());
    }
    Ok(events)
}

fn filter(value: Option<&Value>) -> Result<Filter, Response> {
    let field = |name: &str| {
        value
            .and_then(|value| value.get(name))
            .and_then(Value::as_str)
    };
    match (field("type"), field("id")) {
        (Some("account_reference"), _) => Ok(Filter::Account),
        (Some("service_reference"), Some(id)) => Ok(Filter::Service(id.to_owned())),
        (Some("team_reference"), Some(id)) => Ok(Filter::Team(id.to_owned())),
        (Some("service_reference" | "team_reference"), None) => {
            Err(invalid("Filter id is required"))
        }
        _ => Err(invalid(
            "Filter type must be one of account_reference, service_reference, team_reference",
        )),
    }
}

fn active(value: Option<&Value>) -> Result<Option<bool>, Response> {
    match value {
        None => Ok(None),
        Some(Value::Bool(active)) => Ok(Some(*active)),
        Some(_) => Err(invalid("Active must be true or false")),
    }
}
