//! The API's objects, as far as the command line shows them.
//!
//! Reading is tolerant: what a newer server adds is ignored here and kept under `--json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::plain;

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Actor {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

/// A text of PagerDuty's that people see on one line.
fn line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from).map(|text| plain::line(&text))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) number: i64,
    #[serde(deserialize_with = "line")]
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) severity_source: Option<String>,
    pub(crate) status: String,
    pub(crate) service: Option<String>,
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) assignees: Vec<Named>,
    pub(crate) origin: String,
    pub(crate) declared_by: Option<Actor>,
    pub(crate) created_at: Timestamp,
    pub(crate) acknowledged_at: Option<Timestamp>,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) unowned_since: Option<Timestamp>,
    #[serde(default)]
    pub(crate) major: bool,
    #[serde(default)]
    pub(crate) helpers: Vec<Helper>,
    pub(crate) mobilised_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) hidden: bool,
    pub(crate) mitigated_at: Option<Timestamp>,
    pub(crate) mitigated_by: Option<String>,
    pub(crate) resolved_at: Option<Timestamp>,
    pub(crate) resolved_by: Option<String>,
    pub(crate) duplicate_of: Option<String>,
    #[serde(default)]
    pub(crate) merged_into: Vec<String>,
    pub(crate) pagerduty: Option<Twin>,
    /// Where it is about several services.
    #[serde(default)]
    pub(crate) parts: Vec<Part>,
    /// Where anything is said of it.
    pub(crate) annotations: Option<Annotations>,
}

/// What people say of an incident.
#[derive(Debug, Deserialize)]
pub(crate) struct Annotations {
    pub(crate) environment: Option<String>,
    pub(crate) deployment: Option<String>,
    pub(crate) caused_by: Option<String>,
    pub(crate) not_change_related: Option<bool>,
    pub(crate) cause: Option<String>,
    pub(crate) impact_start: Option<Timestamp>,
    pub(crate) impact_end: Option<Timestamp>,
}

/// A service of an incident of several.
#[derive(Debug, Deserialize)]
pub(crate) struct Part {
    pub(crate) service: String,
    pub(crate) status: String,
    pub(crate) pagerduty: Option<Twin>,
}

/// The incident as PagerDuty has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Twin {
    /// Nothing if it was removed.
    pub(crate) connector: Option<String>,
    pub(crate) direction: Option<String>,
    pub(crate) number: Option<i64>,
    pub(crate) url: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) urgency: Option<String>,
    pub(crate) priority: Option<Priority>,
    pub(crate) service: Option<Named>,
    pub(crate) escalation_policy: Option<Named>,
    #[serde(default)]
    pub(crate) teams: Vec<Named>,
    pub(crate) in_sync: bool,
    #[serde(default)]
    pub(crate) pending: Vec<Pending>,
    /// Conflicts that wait for a review.
    #[serde(default)]
    pub(crate) conflicts: Vec<i64>,
}

impl Twin {
    /// Whether PagerDuty has refused something of it.
    pub(crate) fn is_parked(&self) -> bool {
        self.pending.iter().any(Pending::is_parked)
    }
}

/// A priority is a name, or an object with one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Priority {
    Name(String),
    Named { name: String },
}

impl Priority {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Named { name } => name,
        }
    }
}

/// A change that PagerDuty has not taken yet.
#[derive(Debug, Deserialize)]
pub(crate) struct Pending {
    pub(crate) id: i64,
    pub(crate) incident: Option<String>,
    pub(crate) what: String,
    pub(crate) state: String,
    pub(crate) since: Timestamp,
    #[serde(default)]
    pub(crate) attempts: u32,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) reason: Option<String>,
}

impl Pending {
    pub(crate) fn is_parked(&self) -> bool {
        self.state == "parked"
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) incident: Option<Incident>,
    pub(crate) here: Here,
    pub(crate) there: There,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Here {
    pub(crate) text: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct There {
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) text: String,
}

/// A line of a timeline.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) sources: Vec<String>,
    pub(crate) note: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Connector {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) status_reason: Option<String>,
    pub(crate) direction: String,
    pub(crate) last_sync: Option<Timestamp>,
    #[serde(default)]
    pub(crate) synced_24h: u64,
    #[serde(default)]
    pub(crate) sync_errors: u64,
    #[serde(default)]
    pub(crate) repaired_24h: u64,
    pub(crate) webhook: Webhook,
    pub(crate) mode: Option<String>,
    pub(crate) api_key: Option<String>,
    #[serde(default)]
    pub(crate) pending: u64,
    #[serde(default)]
    pub(crate) parked: u64,
    #[serde(default)]
    pub(crate) conflicts: u64,
    pub(crate) gap: Option<String>,
    pub(crate) clock_ahead_s: Option<i64>,
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    #[serde(default)]
    pub(crate) checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) state: String,
    pub(crate) url: Option<String>,
    pub(crate) last_delivery: Option<Timestamp>,
    pub(crate) last_error: Option<WebhookError>,
    #[serde(default)]
    pub(crate) events: Vec<String>,
    #[serde(default)]
    pub(crate) missing_events: Vec<String>,
    pub(crate) changed: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Helper {
    pub(crate) name: String,
    pub(crate) answer: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WebhookError {
    pub(crate) at: Timestamp,
    pub(crate) what: String,
}

/// The answer of something that looks at several things: a test, a doctor, a webhook change.
#[derive(Debug, Deserialize)]
pub(crate) struct Checks {
    pub(crate) ok: bool,
    pub(crate) url: Option<String>,
    #[serde(default)]
    pub(crate) lines: Vec<Check>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Check {
    pub(crate) state: String,
    pub(crate) text: String,
    pub(crate) cause: Option<String>,
    pub(crate) next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Synced {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) failed: u64,
    #[serde(default)]
    pub(crate) repaired: u64,
    #[serde(default)]
    pub(crate) complete: bool,
    #[serde(default)]
    pub(crate) messages: Vec<String>,
    #[serde(default)]
    pub(crate) mended: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Token {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    #[serde(alias = "token")]
    pub(crate) secret: Option<String>,
}
