//! One subscription: what it wants, who may see its secret, and when it is switched off.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Event;
use super::clients::Client;
use super::queue::Queue;

/// Consecutive dropped webhooks that switch a subscription off (docs/sim.md).
pub(super) const DROPS_TO_DISABLE: u32 = 3;
/// How long it stays off.
pub(super) const DISABLED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// What reads show instead of a custom header's value.
const REDACTED: &str = "-- redacted --";

/// Every event that can be subscribed to (docs/sim.md). `pagey.ping` cannot.
pub(super) const EVENT_TYPES: [&str; 30] = [
    "incident.acknowledged",
    "incident.action_invocation.created",
    "incident.action_invocation.terminated",
    "incident.action_invocation.updated",
    "incident.annotated",
    "incident.conference_bridge.updated",
    "incident.custom_field_values.updated",
    "incident.delegated",
    "incident.escalated",
    "incident.incident_type.changed",
    "incident.priority_updated",
    "incident.reassigned",
    "incident.reopened",
    "incident.resolved",
    "incident.responder.added",
    "incident.responder.replied",
    "incident.role.assigned",
    "incident.service_updated",
    "incident.status_update_published",
    "incident.task.completed",
    "incident.task.created",
    "incident.task.updated",
    "incident.triggered",
    "incident.unacknowledged",
    "incident.workflow.completed",
    "incident.workflow.started",
    "service.created",
    "service.custom_field_values.updated",
    "service.deleted",
    "service.updated",
];

/// The part of the account that a subscription listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    Account,
    Service(String),
    Team(String),
}

impl Filter {
    pub(super) fn matches(&self, event: &Event) -> bool {
        match self {
            Self::Account => true,
            Self::Service(id) => event.service_id.as_ref() == Some(id),
            Self::Team(id) => event.team_ids.contains(id),
        }
    }

    pub(super) fn object(&self) -> Value {
        match self {
            Self::Account => json!({"type": "account_reference"}),
            Self::Service(id) => json!({"type": "service_reference", "id": id}),
            Self::Team(id) => json!({"type": "team_reference", "id": id}),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("account"),
            Self::Service(id) => write!(f, "service {id}"),
            Self::Team(id) => write!(f, "team {id}"),
        }
    }
}

/// Which of the two views of a subscription to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// The answer to its creation, the only one with the secret.
    WithSecret,
    /// Every later read.
    WithoutSecret,
}

#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) method_id: String,
    pub(super) url: String,
    /// Newest first. More than one only during a rotation.
    pub(super) secrets: Vec<String>,
    pub(super) custom_headers: Vec<(String, String)>,
    pub(super) description: Option<String>,
    pub(super) events: Vec<String>,
    pub(super) filter: Filter,
    pub(super) active: bool,
    /// Whose token its webhooks carry.
    pub(super) oauth_client: Option<String>,
    pub(super) disabled_until: Option<Timestamp>,
    /// Webhooks dropped since the last success.
    pub(super) drops_in_a_row: u32,
    /// Webhooks dropped ever, those discarded by a disablement not counted.
    pub(super) dropped: u64,
    pub(super) queue: Queue,
}

impl Subscription {
    pub(super) fn wants(&self, event: &Event) -> bool {
        self.events.contains(&event.event_type) && self.filter.matches(event)
    }

    /// Whether anything may be queued for it.
    pub(super) fn listens(&self, now: Timestamp) -> bool {
        self.active && !self.disabled(now)
    }

    pub(super) fn disabled(&self, now: Timestamp) -> bool {
        self.disabled_until.is_some_and(|until| now < until)
    }

    /// Switches it off for a day and discards what it is owed.
    pub(super) fn disable(&mut self, now: Timestamp) {
        self.disabled_until = Some(now.saturating_add(DISABLED_FOR).unwrap_or(Timestamp::MAX));
        self.drops_in_a_row = 0;
        self.queue.clear();
    }

    pub(super) fn enable(&mut self) {
        self.disabled_until = None;
        self.drops_in_a_row = 0;
    }

    /// Counts dropped webhooks; the third in a row disables.
    pub(super) fn count_drops(&mut self, drops: u32, now: Timestamp) {
        self.dropped += u64::from(drops);
        self.drops_in_a_row += drops;
        if self.drops_in_a_row >= DROPS_TO_DISABLE {
            self.disable(now);
        }
    }

    /// The object as REST shows it.
    pub(super) fn object(
        &self,
        show: Show,
        client: Option<&Client>,
        now: Timestamp,
    ) -> Map<String, Value> {
        let headers: Vec<Value> = self
            .custom_headers
            .iter()
            .map(|(name, _)| json!({"name": name, "value": REDACTED}))
            .collect();
        let secret = self.secrets.first().filter(|_| show == Show::WithSecret);
        let fields = [
            ("id", json!(self.id)),
            ("type", json!("webhook_subscription")),
            ("active", json!(self.active)),
            (
                "delivery_method",
                json!({
                    "id": self.method_id,
                    "type": "http_delivery_method",
                    "url": self.url,
                    "secret": secret,
                    "temporarily_disabled": self.disabled(now),
                    "custom_headers": headers,
                }),
            ),
            ("description", json!(self.description)),
            ("events", json!(self.events)),
            ("filter", self.filter.object()),
            ("oauth_client", json!(client.map(Client::reference))),
        ];
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}
