//! A [`Call`] as an HTTP request, without the key.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use im_core::{PeerStatus, Urgency};

use crate::call::{Call, Change, IncidentKey, NewPriority, PAGE_SIZE, SubscriptionFilter};
use crate::field::FieldInput;

/// The version is fixed here: without it an old key gets an old version's field names.
const ACCEPT: &str = "application/vnd.pagerduty+json;version=2";

/// The incident type that all others inherit from.
const BASE_TYPE: &str = "incident_default";

/// The HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes.
    Post,
    /// Changes.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One request, complete but for host and `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Path and query, percent-encoded, starting with a slash.
    pub path_and_query: String,
    /// All headers but `Authorization`.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body of a write.
    pub body: Option<Vec<u8>>,
}

impl HttpRequest {
    /// The whole address below an API's base, which may end in a slash and may have a path.
    pub fn url(&self, base_url: &str) -> String {
        format!("{}{}", base_url.trim_end_matches('/'), self.path_and_query)
    }
}

/// The value of the `Authorization` header for an API key.
pub fn authorization(key: &str) -> String {
    format!("Token token={key}")
}

/// The same for a token of somebody who signed in.
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The request that carries a call.
pub fn request(call: &Call) -> HttpRequest {
    match call {
        Call::CreateIncident { from, .. } => write(Method::Post, path(&["incidents"]))
            .on_behalf_of(from)
            .with(&created(call)),
        Call::UpdateIncident { id, change, from } => write(Method::Put, path(&["incidents", id]))
            .on_behalf_of(from)
            .with(&changed(change)),
        Call::ResolveIncidents { ids, from } => write(Method::Put, path(&["incidents"]))
            .on_behalf_of(from)
            .with(&resolved(ids)),
        Call::AddNote { id, text, from } => write(Method::Post, path(&["incidents", id, "notes"]))
            .on_behalf_of(from)
            .with(&json!({"note": {"content": text}})),
        Call::SetFields { id, values } => {
            let target = path(&["incidents", id, "custom_fields", "values"]);
            write(Method::Put, target).with(&fields(values))
        }
        Call::ListFields => get(path(&["incidents", "types", BASE_TYPE, "custom_fields"])
            .with("include[]", "field_options")),
        Call::ReadIncident { id } => get(path(&["incidents", id])),
        Call::ReadNotes { id } => get(path(&["incidents", id, "notes"])),
        Call::FindByKey { key } => get(by_key(key)),
        Call::ListOpenIncidents { offset } => get(open_incidents(*offset)),
        Call::ListIncidents {
            since,
            until,
            offset,
        } => get(incidents(*since, *until, *offset)),
        Call::ListLogEntries {
            since,
            until,
            offset,
        } => get(log_entries(&["log_entries"])
            .window(*since, *until)
            .page(*offset)
            .total(*offset)),
        Call::IncidentLogEntries { id, offset } => {
            get(log_entries(&["incidents", id, "log_entries"]).page(*offset))
        }
        Call::ListServices { offset } => get(path(&["services"])
            .with("sort_by", "name:asc")
            .page(*offset)),
        Call::ReadService { id } => get(path(&["services", id])),
        Call::ListUsers { offset } => get(path(&["users"]).page(*offset)),
        Call::FindUser { email } => get(path(&["users"]).with("query", email).page(0)),
        Call::ReadMe => get(path(&["users", "me"])),
        Call::ListPolicies { offset } => get(path(&["escalation_policies"])
            .with("sort_by", "name:asc")
            .page(*offset)),
        Call::ReadPolicy { id } => get(path(&["escalation_policies", id])
            .with("include[]", "escalation_rule_assignment_strategies")),
        Call::ListTeams { offset } => get(path(&["teams"]).page(*offset)),
        Call::ListSchedules { offset } => get(path(&["schedules"]).page(*offset)),
        Call::ListShiftSchedules { offset } => get(path(&["v3", "schedules"]).page(*offset)),
        Call::ListPriorities { offset } => get(path(&["priorities"]).page(*offset)),
        Call::ListAbilities => get(path(&["abilities"])),
        Call::ListOncalls { .. } => get(oncalls(call)),
        Call::ListSubscriptions { offset } => get(webhooks().page(*offset)),
        Call::CreateSubscription { .. } => write(Method::Post, webhooks()).with(&subscribed(call)),
        Call::ReadSubscription { id } => get(webhook(id)),
        Call::UpdateSubscription { id, events, filter } => {
            write(Method::Put, webhook(id)).with(&wanted(events, filter))
        }
        Call::EnableSubscription { id } => write(Method::Post, subscription(id, "enable")),
        Call::DeleteSubscription { id } => write(Method::Delete, webhook(id)),
        Call::PingSubscription { id } => write(Method::Post, subscription(id, "ping")),
    }
}

fn webhooks() -> Target {
    path(&["webhook_subscriptions"])
}

fn webhook(id: &str) -> Target {
    path(&["webhook_subscriptions", id])
}

/// What is done to a webhook subscription.
fn subscription(id: &str, act: &str) -> Target {
    path(&["webhook_subscriptions", id, act])
}

fn fields(values: &[(String, FieldInput)]) -> Value {
    let rows = values.iter().map(|(name, value)| {
        let value = match value {
            FieldInput::Nothing => Value::Null,
            FieldInput::Flag(flag) => Value::Bool(*flag),
            FieldInput::Number(digits) => serde_json::from_str(digits).unwrap_or(Value::Null),
            FieldInput::Text(text) => Value::from(text.as_str()),
            FieldInput::List(all) => json!(all),
        };
        json!({"name": name, "value": value})
    });
    json!({"custom_fields": rows.collect::<Vec<_>>()})
}

fn get(target: Target) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        path_and_query: target.0,
        headers: vec![("Accept", ACCEPT.to_owned())],
        body: None,
    }
}

fn write(method: Method, target: Target) -> HttpRequest {
    HttpRequest {
        method,
        path_and_query: target.0,
        headers: vec![
            ("Accept", ACCEPT.to_owned()),
            // PagerDuty refuses writes without it, even those that have no body.
            ("Content-Type", "application/json".to_owned()),
        ],
        body: None,
    }
}

impl HttpRequest {
    /// Names the person on whose behalf an incident is changed.
    fn on_behalf_of(mut self, email: &str) -> Self {
        // A line break would end the header; an address has none.
        let email = email.chars().filter(|c| !c.is_control()).collect();
        self.headers.push(("From", email));
        self
    }

    fn with(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into_bytes());
        self
    }
}

/// Path and query while they are put together.
struct Target(String);

fn path(segments: &[&str]) -> Target {
    let mut target = String::new();
    for segment in segments {
        target.push('/');
        encode(segment, &mut target);
    }
    Target(target)
}

impl Target {
    fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        encode(name, &mut self.0);
        self.0.push('=');
        encode(value, &mut self.0);
        self
    }

    fn page(self, offset: u32) -> Self {
        self.with("limit", &PAGE_SIZE.to_string())
            .with("offset", &offset.to_string())
    }

    /// Counting is work for PagerDuty, so only the first page asks for it.
    fn total(self, offset: u32) -> Self {
        if offset == 0 {
            self.with("total", "true")
        } else {
            self
        }
    }

    fn window(self, since: Timestamp, until: Timestamp) -> Self {
        self.with("since", &second_before(since))
            .with("until", &second_after(until))
    }

    fn open_statuses(self) -> Self {
        self.with("statuses[]", "triggered")
            .with("statuses[]", "acknowledged")
    }
}

/// Instants go to the second, outwards, so that a window never loses its edges.
fn second_before(at: Timestamp) -> String {
    let second = Timestamp::from_second(at.as_second()).unwrap_or(at);
    if second > at {
        // Before 1970 `as_second` rounds upwards.
        return at.to_string();
    }
    second.to_string()
}

fn second_after(at: Timestamp) -> String {
    if at.subsec_nanosecond() == 0 {
        return at.to_string();
    }
    let next = at.as_second().saturating_add(1);
    Timestamp::from_second(next).unwrap_or(at).to_string()
}

fn by_key(key: &IncidentKey) -> Target {
    path(&["incidents"])
        .with("incident_key", key.as_str())
        // It tells on which service an incident began that was moved since.
        .with("include[]", "first_trigger_log_entries")
        .with("date_range", "all")
        .with("sort_by", "created_at:asc")
        .with("time_zone", "UTC")
        .page(0)
}

fn open_incidents(offset: u32) -> Target {
    path(&["incidents"])
        .with("date_range", "all")
        .open_statuses()
        .with("sort_by", "created_at:asc")
        .with("time_zone", "UTC")
        .page(offset)
}

fn incidents(since: Timestamp, until: Timestamp, offset: u32) -> Target {
    path(&["incidents"])
        .window(since, until)
        .open_statuses()
        .with("statuses[]", "resolved")
        .with("sort_by", "created_at:asc")
        .with("time_zone", "UTC")
        .page(offset)
        .total(offset)
}

fn log_entries(segments: &[&str]) -> Target {
    path(segments)
        .with("include[]", "channels")
        .with("time_zone", "UTC")
}

fn oncalls(call: &Call) -> Target {
    let mut target = path(&["oncalls"]);
    let Call::ListOncalls {
        policy_ids,
        user_ids,
        since,
        until,
        earliest,
        offset,
    } = call
    else {
        return target;
    };
    for id in policy_ids {
        target = target.with("escalation_policy_ids[]", id);
    }
    for id in user_ids {
        target = target.with("user_ids[]", id);
    }
    if let Some(since) = since {
        target = target.with("since", &second_before(*since));
    }
    if let Some(until) = until {
        target = target.with("until", &second_after(*until));
    }
    if *earliest {
        target = target.with("earliest", "true");
    }
    target
        .with("include[]", "users")
        .with("time_zone", "UTC")
        .page(*offset)
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push_str(&hex::encode_upper([byte]));
        }
    }
}

fn reference(id: &str, kind: &str) -> Value {
    json!({"id": id, "type": kind})
}

fn created(call: &Call) -> Value {
    let Call::CreateIncident {
        key,
        title,
        service_id,
        urgency,
        priority_id,
        policy_id,
        body,
        ..
    } = call
    else {
        return Value::Null;
    };
    let mut incident = Map::new();
    let mut set = |name: &str, value: Value| {
        incident.insert(name.to_owned(), value);
    };
    set("type", json!("incident"));
    set("title", json!(title));
    set("service", reference(service_id, "service_reference"));
    set("incident_key", json!(key.as_str()));
    if let Some(urgency) = urgency {
        set("urgency", json!(urgency.as_str()));
    }
    if let Some(id) = priority_id {
        set("priority", reference(id, "priority_reference"));
    }
    if let Some(id) = policy_id {
        set(
            "escalation_policy",
            reference(id, "escalation_policy_reference"),
        );
    }
    if let Some(text) = body {
        // A text, although the published schema says object.
        set("body", json!({"type": "incident_body", "details": text}));
    }
    json!({"incident": incident})
}

fn changed(change: &Change) -> Value {
    let mut incident = Map::new();
    let mut set = |name: &str, value: Value| {
        incident.insert(name.to_owned(), value);
    };
    set("type", json!("incident_reference"));
    if let Some(status) = change.status {
        set("status", json!(status.as_str()));
    }
    if let Some(text) = &change.resolution
        && change.status == Some(PeerStatus::Resolved)
    {
        set("resolution", json!(text));
    }
    if let Some(title) = &change.title {
        set("title", json!(title));
    }
    if let Some(urgency) = change.urgency.map(Urgency::as_str) {
        set("urgency", json!(urgency));
    }
    match &change.priority {
        None => {}
        Some(NewPriority::Clear) => set("priority", Value::Null),
        Some(NewPriority::Set(id)) => set("priority", reference(id, "priority_reference")),
    }
    if let Some(id) = &change.service_id {
        set("service", reference(id, "service_reference"));
    }
    if !change.assignee_ids.is_empty() {
        let rows = change.assignee_ids.iter();
        let rows = rows.map(|id| json!({"assignee": reference(id, "user_reference")}));
        set("assignments", rows.collect());
    }
    if let Some(id) = &change.policy_id {
        set(
            "escalation_policy",
            reference(id, "escalation_policy_reference"),
        );
    }
    json!({"incident": incident})
}

fn resolved(ids: &[String]) -> Value {
    let status = PeerStatus::Resolved.as_str();
    let one = |id| json!({"id": id, "type": "incident_reference", "status": status});
    json!({"incidents": ids.iter().map(one).collect::<Value>()})
}

fn subscribed(call: &Call) -> Value {
    let Call::CreateSubscription {
        url,
        description,
        events,
        filter,
    } = call
    else {
        return Value::Null;
    };
    let filter = filter_object(filter);
    json!({"webhook_subscription": {
        "type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": url},
        "description": description,
        "events": events,
        "filter": filter,
    }})
}

fn wanted(events: &[String], filter: &SubscriptionFilter) -> Value {
    json!({"webhook_subscription": {
        "type": "webhook_subscription",
        "events": events,
        "filter": filter_object(filter),
        "active": true,
    }})
}

fn filter_object(filter: &SubscriptionFilter) -> Value {
    match filter {
        SubscriptionFilter::Account => json!({"type": "account_reference"}),
        SubscriptionFilter::Service(id) => reference(id, "service_reference"),
        SubscriptionFilter::Team(id) => reference(id, "team_reference"),
    }
}
