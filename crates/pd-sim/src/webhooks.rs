//! Webhook subscriptions: who is told what, and how often we try (docs/sim.md).
//!
//! An event is published once and queued for each subscription that wants it. The caller asks
//! what is [`due`](Webhooks::due), does the talking, and reports what came of each attempt.
//!
//! Invariants
//! - Each attempt that was handed out waits for exactly one report; until it comes, the webhook
//!   holds back the younger ones of its resource.
//! - Three webhooks dropped in a row disable a subscription for a day and empty its queue.
//!   Reports on discarded webhooks are ignored.
//! - A secret leaves only in the answer that creates it.
//!
//! Our own choices, where nothing is published: the retry intervals, redirects count as
//! refusals, a body above the size limit does not count as a drop, a webhook's 48 hours run
//! from its event.
//!
//! Nothing here measures the five seconds of an attempt; the caller says
//! [`TimedOut`](DeliveryResult::TimedOut). The service or team that a filter names is looked up
//! by the caller too.

mod clients;
mod history;
mod kept;
mod queue;
mod rest;
mod signing;
mod subscription;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use crate::ids::Ids;
use clients::{Client, Outcome, Test};
pub use history::AttemptView;
use history::{Attempt, History};
use queue::{BODY_BYTES_MAX, Settled, Step, Webhook};
use subscription::Subscription;

/// One attempt to deliver one webhook, or a request for the token that one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Names the attempt when its result is reported.
    pub id: u64,
    /// Where to `POST`, without credentials.
    pub url: String,
    /// Headers, signature included; `Host` and `Content-Length` are the sender's.
    pub headers: Vec<(String, String)>,
    /// The signed body.
    pub body: Vec<u8>,
    /// It asks for a token, and the body of the answer matters:
    /// [`Sim::delivered_with`](crate::Sim::delivered_with).
    pub asks_token: bool,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The receiver answered with this status.
    Status(u16),
    /// No answer within five seconds.
    TimedOut,
    /// No connection, no address, or an expired certificate.
    Unreachable,
    /// The certificate was refused for another reason.
    TlsError,
}

/// How webhooks misbehave. The default is not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookFaults {
    /// Chance that a delivered webhook comes again, with the same `X-Webhook-Id`.
    pub duplicate_percent: u8,
    /// Chance that a webhook is held back a few seconds, so that other incidents overtake it.
    pub reorder_percent: u8,
    /// Chance of a delay.
    pub delay_percent: u8,
    /// The longest delay.
    pub delay_max_s: u32,
    /// Sign with a secret that nobody has.
    pub wrong_secret: bool,
    /// Whatever is due vanishes without a trace.
    pub lost: bool,
}

/// Something to tell subscribers.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_field_names,
    reason = "`event_type` is PagerDuty's word"
)]
pub(crate) struct Event {
    /// As in the body.
    pub(crate) id: String,
    /// E.g. `incident.triggered`.
    pub(crate) event_type: String,
    /// The incident or service: webhooks about the same one stay in order.
    pub(crate) resource_id: String,
    /// What a service filter looks at.
    pub(crate) service_id: Option<String>,
    /// What a team filter looks at.
    pub(crate) team_ids: Vec<String>,
    /// The whole body, as it will be signed.
    pub(crate) body: Vec<u8>,
}

/// A subscription as a test looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionView {
    /// `P…`.
    pub id: String,
    /// Where its webhooks go.
    pub url: String,
    /// `false`: nothing is produced for it.
    pub active: bool,
    /// The end of a disablement; it may have passed.
    pub disabled_until: Option<Timestamp>,
    /// The ids of the events that wait or are under way, oldest first.
    pub queued: Vec<String>,
    /// Webhooks given up for good, those that a disablement discarded not counted.
    pub dropped: u64,
    /// What it says of itself.
    pub description: Option<String>,
    /// The events it wants.
    pub events: Vec<String>,
    /// `account`, or a kind and an id.
    pub filter: String,
    /// How many secrets sign: two during a rotation.
    pub secrets: usize,
    /// When it is tried next; `None` while nothing waits, or only reports are awaited.
    pub next_at: Option<Timestamp>,
}

/// Subscriptions and what is owed to them.
#[derive(Debug, Clone)]
pub(crate) struct Webhooks {
    subscriptions: Vec<Subscription>,
    clients: Vec<Client>,
    tests: Vec<Test>,
    next_attempt: u64,
    history: History,
}

impl Webhooks {
    /// No subscriptions. None of their fields names a host of ours.
    pub(crate) fn new(_base_url: &str) -> Self {
        Self {
            subscriptions: Vec::new(),
            clients: Vec::new(),
            tests: Vec::new(),
            next_attempt: 1,
            history: History::default(),
        }
    }

    /// Queues the event for each subscription that wants it now.
    pub(crate) fn publish(&mut self, event: Event, ids: &mut Ids, now: Timestamp) {
        if event.body.len() > BODY_BYTES_MAX {
            return;
        }
        let event = Arc::new(event);
        for to in &mut self.subscriptions {
            if to.listens(now) && to.wants(&event) {
                to.queue
                    .push(Webhook::new(ids.uuid(), Arc::clone(&event), now));
            }
        }
    }

    /// The attempts to make now. Ask again after reporting their results.
    pub(crate) fn due(
        &mut self,
        faults: &WebhookFaults,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for to in &mut self.subscriptions {
            if faults.lost {
                to.queue.lose_due(now);
            }
            let expired = to.queue.expire(now);
            to.count_drops(expired, now);
            let mut queue = std::mem::take(&mut to.queue);
            let client = to.oauth_client.as_ref();
            let client = client.and_then(|id| self.clients.iter().find(|one| one.id == *id));
            for (id, webhook) in queue.start_due(&mut self.next_attempt, faults, ids, now) {
                let token = client.and_then(|client| client.valid_token(now));
                webhook.step = match (webhook.step, client, token) {
                    (Step::Idle, Some(_), None) => Step::Token { again: false },
                    (Step::Idle, ..) => Step::Going { again: false },
                    // The client is gone meanwhile.
                    (Step::Token { again }, None, _) => Step::Going { again },
                    (begun, ..) => begun,
                };
                if let (Step::Token { .. }, Some(client)) = (webhook.step, client) {
                    deliveries.push(client.credentials.ask(id));
                    continue;
                }
                let (url, _) = signing::split_userinfo(&to.url);
                let mut headers =
                    signing::headers(to, &webhook.id, &webhook.event.body, faults.wrong_secret);
                if let Some(token) = token {
                    headers.retain(|(name, _)| name != "Authorization");
                    headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
                }
                self.history.left(Attempt {
                    id,
                    webhook: webhook.id.clone(),
                    number: webhook.attempts,
                    event: Arc::clone(&webhook.event),
                    subscription: to.id.clone(),
                    at: now,
                    result: None,
                });
                deliveries.push(Delivery {
                    id,
                    url,
                    headers,
                    body: webhook.event.body.clone(),
                    asks_token: false,
                });
            }
            to.queue = queue;
        }
        deliveries
    }

    /// Records what came of an attempt; the body matters where a token was asked for.
    pub(crate) fn delivered(
        &mut self,
        id: u64,
        result: DeliveryResult,
        body: &[u8],
        now: Timestamp,
    ) {
        self.history.came_back(id, result, now);
        if let Some(test) = self.tests.iter_mut().find(|test| test.id == id) {
            test.outcome = Some(Outcome::of(result, body, now));
            return;
        }
        for to in &mut self.subscriptions {
            let Some(step) = to.queue.step(id) else {
                continue;
            };
            let client = to.oauth_client.as_ref();
            let client = client.and_then(|id| self.clients.iter_mut().find(|one| one.id == *id));
            let mut result = result;
            match (step, client) {
                (Step::Token { again }, Some(client)) => {
                    if client.take(Outcome::of(result, body, now)) {
                        to.queue.go_on(id, Step::Going { again }, now);
                        return;
                    }
                    // No token, no delivery: a temporary error.
                    result = DeliveryResult::Unreachable;
                }
                (Step::Token { .. }, None) => result = DeliveryResult::Unreachable,
                (Step::Going { again: false }, Some(client))
                    if result == DeliveryResult::Status(401) =>
                {
                    client.token = None;
                    to.queue.go_on(id, Step::Token { again: true }, now);
                    return;
                }
                _ => {}
            }
            match to.queue.settle(id, result, now) {
                None => continue,
                Some(Settled::WillRetry) => {}
                Some(Settled::Accepted) => to.drops_in_a_row = 0,
                Some(Settled::Dropped) => to.count_drops(1, now),
            }
            return;
        }
    }

    /// When `due` has something to do next; `None` while only reports are awaited.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.subscriptions
            .iter()
            .filter_map(|to| to.queue.wake_at())
            .min()
    }

    /// How many subscriptions there are.
    pub(crate) fn subscription_count(&self) -> usize {
        self.subscriptions.len()
    }

    /// All subscriptions, oldest first.
    pub(crate) fn subscriptions(&self) -> Vec<SubscriptionView> {
        let view = |of: &Subscription| SubscriptionView {
            id: of.id.clone(),
            url: of.url.clone(),
            active: of.active,
            disabled_until: of.disabled_until,
            queued: of.queue.event_ids(),
            dropped: of.dropped,
            description: of.description.clone(),
            events: of.events.clone(),
            filter: of.filter.to_string(),
            secrets: of.secrets.len(),
            next_at: of.queue.wake_at(),
        };
        self.subscriptions.iter().map(view).collect()
    }

    /// The newest attempts, newest first.
    pub(crate) fn attempts(&self) -> impl Iterator<Item = AttemptView> + '_ {
        self.history.view()
    }

    /// Gives a subscription one known secret. `false`: there is no such subscription.
    pub(crate) fn set_secret(&mut self, subscription: &str, secret: &str) -> bool {
        let Some(found) = self.find_mut(subscription) else {
            return false;
        };
        found.secrets = vec![secret.to_owned()];
        true
    }

    /// Starts a rotation: from now on each webhook carries one signature per secret.
    pub(crate) fn add_second_secret(&mut self, subscription: &str, secret: &str) -> bool {
        let Some(found) = self.find_mut(subscription) else {
            return false;
        };
        found.secrets.truncate(1);
        found.secrets.insert(0, secret.to_owned());
        true
    }

    /// Ends a rotation: only the newest secret signs from now on.
    pub(crate) fn drop_old_secret(&mut self, subscription: &str) -> bool {
        let Some(found) = self.find_mut(subscription) else {
            return false;
        };
        found.secrets.truncate(1);
        true
    }

    /// Disables a subscription as if three webhooks had been dropped.
    pub(crate) fn disable_now(&mut self, subscription: &str, now: Timestamp) -> bool {
        let Some(found) = self.find_mut(subscription) else {
            return false;
        };
        found.disable(now);
        true
    }

    /// Enables a subscription again.
    pub(crate) fn enable_now(&mut self, subscription: &str) -> bool {
        let Some(found) = self.find_mut(subscription) else {
            return false;
        };
        found.enable();
        true
    }

    fn find(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.id == id)
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.subscriptions
            .iter_mut()
            .find(|subscription| subscription.id == id)
    }

    /// Queues the test event for one subscription.
    fn ping(&mut self, subscription: &str, ids: &mut Ids, now: Timestamp) {
        let Some(to) = self.find_mut(subscription).filter(|to| to.listens(now)) else {
            return;
        };
        let id = ids.event(now);
        let body = json!({"event": {
            "id": id,
            "event_type": "pagey.ping",
            "resource_type": "pagey",
            "occurred_at": format!("{now:.3}"),
            "agent": null,
            "client": null,
            "data": {"message": "Hello from your friend Pagey!", "type": "ping"},
        }});
        let event = Event {
            // A ping is about nothing, so it waits for nothing: its own id is its resource.
            resource_id: id.clone(),
            id,
            event_type: "pagey.ping".to_owned(),
            service_id: None,
            team_ids: Vec::new(),
            body: body.to_string().into_bytes(),
        };
        to.queue
            .push(Webhook::new(ids.uuid(), Arc::new(event), now));
    }
}
