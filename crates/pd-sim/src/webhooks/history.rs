//! What was sent to whom, for people who look: the newest attempts, each with its result.
//!
//! Nothing that happens depends on this; old attempts are forgotten.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use super::{DeliveryResult, Event};

/// Attempts that are remembered.
const ATTEMPTS_MAX: usize = 2_000;

/// One attempt to deliver one webhook, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptView {
    /// Names the attempt.
    pub id: u64,
    /// `X-Webhook-Id`: the same on each attempt of one webhook.
    pub webhook: String,
    /// Which attempt of this webhook it is; the first is 1.
    pub number: u32,
    /// The event's id.
    pub event: String,
    /// E.g. `incident.triggered`.
    pub event_type: String,
    /// The incident or service it is about.
    pub resource: String,
    /// The subscription's id.
    pub subscription: String,
    /// When it left.
    pub at: Timestamp,
    /// What came of it and when; nothing yet while it is under way.
    pub result: Option<(DeliveryResult, Timestamp)>,
}

#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) id: u64,
    pub(super) webhook: String,
    pub(super) number: u32,
    pub(super) event: Arc<Event>,
    pub(super) subscription: String,
    pub(super) at: Timestamp,
    pub(super) result: Option<(DeliveryResult, Timestamp)>,
}

/// The newest attempts in the order of their ids.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    attempts: VecDeque<Attempt>,
}

impl History {
    pub(super) fn left(&mut self, attempt: Attempt) {
        if self.attempts.len() == ATTEMPTS_MAX {
            self.attempts.pop_front();
        }
        self.attempts.push_back(attempt);
    }

    pub(super) fn came_back(&mut self, id: u64, result: DeliveryResult, now: Timestamp) {
        // Ids ascend, but several subscriptions number their attempts in one go.
        let found = self.attempts.iter_mut().rev().find(|one| one.id == id);
        if let Some(attempt) = found {
            attempt.result = Some((result, now));
        }
    }

    /// Newest first.
    pub(super) fn view(&self) -> impl Iterator<Item = AttemptView> + '_ {
        self.attempts.iter().rev().map(|one| AttemptView {
            id: one.id,
            webhook: one.webhook.clone(),
            number: one.number,
            event: one.event.id.clone(),
            event_type: one.event.event_type.clone(),
            resource: one.event.resource_id.clone(),
            subscription: one.subscription.clone(),
            at: one.at,
            result: one.result,
        })
    }
}
