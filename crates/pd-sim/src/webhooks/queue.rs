//! What one subscription is owed, in the order in which it happened.
//!
//! Invariants
//! - Ordered webhooks of one resource go out one at a time, oldest first; the oldest one being
//!   retried holds back the others (docs/sim.md).
//! - A webhook leaves the queue when it was accepted, refused for good, or is 48 hours old.
//!
//! PagerDuty does not publish its retry intervals. Ours are [`RETRY_FIRST`], doubling up to
//! [`RETRY_MAX`].

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{DeliveryResult, Event, WebhookFaults};
use crate::ids::Ids;

/// Above this, a webhook is dropped before it is queued.
pub(super) const BODY_BYTES_MAX: usize = 256 * 1024;
/// Above this, a webhook waits for none and none waits for it.
const ORDERED_BYTES_MAX: usize = 55 * 1024;
/// Age at which a webhook that nobody took is dropped.
const HORIZON: SignedDuration = SignedDuration::from_hours(48);
/// The first wait after a failure.
const RETRY_FIRST: SignedDuration = SignedDuration::from_secs(5);
/// The longest wait between two attempts.
const RETRY_MAX: SignedDuration = SignedDuration::from_hours(1);
/// The fault `reorder_percent` holds a webhook back for 2 s to this, so that others overtake.
const HOLD_BACK_S_MAX: u64 = 10;
/// The fault `duplicate_percent` repeats a webhook at most this long after its success.
const DUPLICATE_AFTER_S_MAX: u64 = 30;

/// What a result means for a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    Accepted,
    Retry,
    Drop,
}

/// By the status of the answer (docs/sim.md). A redirect is not documented; we take it for a refusal.
pub(super) fn judge(result: DeliveryResult) -> Judgement {
    match result {
        DeliveryResult::Status(200..=299) => Judgement::Accepted,
        DeliveryResult::Status(429 | 500..=599) => Judgement::Retry,
        DeliveryResult::TimedOut | DeliveryResult::Unreachable => Judgement::Retry,
        DeliveryResult::Status(_) | DeliveryResult::TlsError => Judgement::Drop,
    }
}

/// What became of the attempt of a webhook that is still queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    Accepted,
    WillRetry,
    Dropped,
}

/// How far an attempt has come; with an OAuth client it has several parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Idle,
    /// A token is to be asked for, or asked for.
    Token {
        /// The receiver has refused the one before.
        again: bool,
    },
    /// The webhook itself is to go, or gone.
    Going {
        /// With a second token.
        again: bool,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Webhook {
    /// The same on each attempt.
    pub(super) id: String,
    pub(super) event: Arc<Event>,
    ordered: bool,
    pub(super) born: Timestamp,
    pub(super) due_at: Timestamp,
    pub(super) attempts: u32,
    /// The attempt whose result is awaited.
    in_flight: Option<u64>,
    pub(super) step: Step,
    /// Whether chance has already decided on holding it back.
    fate_known: bool,
    /// How long after its success it comes again.
    again_after_s: Option<u64>,
}

impl Webhook {
    pub(super) fn new(id: String, event: Arc<Event>, now: Timestamp) -> Self {
        Self {
            id,
            ordered: event.body.len() <= ORDERED_BYTES_MAX,
            event,
            born: now,
            due_at: now,
            attempts: 0,
            in_flight: None,
            step: Step::Idle,
            fate_known: false,
            again_after_s: None,
        }
    }

    fn expires_at(&self) -> Timestamp {
        later(self.born, HORIZON)
    }

    /// Lets chance hold it back and repeat it, once in its life.
    fn meet_fate(&mut self, faults: &WebhookFaults, ids: &mut Ids, now: Timestamp) {
        if self.fate_known {
            return;
        }
        self.fate_known = true;
        if ids.chance(faults.duplicate_percent) {
            self.again_after_s = Some(ids.below(DUPLICATE_AFTER_S_MAX + 1));
        }
        let mut wait_s = 0;
        if ids.chance(faults.reorder_percent) {
            wait_s += 2 + ids.below(HOLD_BACK_S_MAX - 1);
        }
        if faults.delay_max_s > 0 && ids.chance(faults.delay_percent) {
            wait_s += 1 + ids.below(u64::from(faults.delay_max_s));
        }
        self.due_at = later_s(now, wait_s);
    }

    /// The copy that the fault `duplicate_percent` sends after a success: same id, waits for none.
    fn repetition(&self, now: Timestamp) -> Option<Self> {
        let after_s = self.again_after_s?;
        let mut copy = Self::new(self.id.clone(), Arc::clone(&self.event), now);
        copy.ordered = false;
        copy.due_at = later_s(now, after_s);
        copy.fate_known = true;
        Some(copy)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    webhooks: VecDeque<Webhook>,
}

impl Queue {
    pub(super) fn push(&mut self, webhook: Webhook) {
        self.webhooks.push_back(webhook);
    }

    /// What waits or is under way, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.iter()
    }

    pub(super) fn clear(&mut self) {
        self.webhooks.clear();
    }

    /// The ids of the events that wait or are under way.
    pub(super) fn event_ids(&self) -> Vec<String> {
        self.webhooks
            .iter()
            .map(|webhook| webhook.event.id.clone())
            .collect()
    }

    /// Forgets what would go out now, as if the network had swallowed it.
    pub(super) fn lose_due(&mut self, now: Timestamp) {
        self.webhooks
            .retain(|webhook| webhook.in_flight.is_some() || now < webhook.due_at);
    }

    /// Removes webhooks past the horizon and says how many they were.
    pub(super) fn expire(&mut self, now: Timestamp) -> u32 {
        let before = self.webhooks.len();
        self.webhooks
            .retain(|webhook| webhook.in_flight.is_some() || now < webhook.expires_at());
        u32::try_from(before - self.webhooks.len()).unwrap_or(u32::MAX)
    }

    /// Takes what may go out now; `next_attempt` numbers the attempts.
    pub(super) fn start_due(
        &mut self,
        next_attempt: &mut u64,
        faults: &WebhookFaults,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Vec<(u64, &mut Webhook)> {
        let mut started = Vec::new();
        for webhook in unblocked(self.webhooks.iter_mut()) {
            if webhook.in_flight.is_some() || now < webhook.due_at {
                continue;
            }
            webhook.meet_fate(faults, ids, now);
            if now < webhook.due_at {
                continue;
            }
            webhook.in_flight = Some(*next_attempt);
            if webhook.step == Step::Idle {
                webhook.attempts += 1;
            }
            started.push((*next_attempt, webhook));
            *next_attempt += 1;
        }
        started
    }

    /// How far the attempt has come whose result this is.
    pub(super) fn step(&self, attempt: u64) -> Option<Step> {
        let mut webhooks = self.webhooks.iter();
        let found = webhooks.find(|webhook| webhook.in_flight == Some(attempt));
        found.map(|webhook| webhook.step)
    }

    /// Goes on with an attempt at once.
    pub(super) fn go_on(&mut self, attempt: u64, step: Step, now: Timestamp) {
        let mut webhooks = self.webhooks.iter_mut();
        if let Some(webhook) = webhooks.find(|webhook| webhook.in_flight == Some(attempt)) {
            webhook.in_flight = None;
            webhook.step = step;
            webhook.due_at = now;
        }
    }

    /// Records a result. `None`: the webhook was discarded meanwhile.
    pub(super) fn settle(
        &mut self,
        attempt: u64,
        result: DeliveryResult,
        now: Timestamp,
    ) -> Option<Settled> {
        let at = self
            .webhooks
            .iter()
            .position(|webhook| webhook.in_flight == Some(attempt))?;
        let webhook = self.webhooks.get_mut(at)?;
        webhook.in_flight = None;
        webhook.step = Step::Idle;
        let mut judgement = judge(result);
        if judgement == Judgement::Retry && now >= webhook.expires_at() {
            judgement = Judgement::Drop;
        }
        match judgement {
            Judgement::Accepted => {
                let repetition = webhook.repetition(now);
                self.webhooks.remove(at);
                self.webhooks.extend(repetition);
                Some(Settled::Accepted)
            }
            Judgement::Retry => {
                let retry_at = later(now, retry_wait(webhook.attempts));
                webhook.due_at = retry_at.min(webhook.expires_at());
                Some(Settled::WillRetry)
            }
            Judgement::Drop => {
                self.webhooks.remove(at);
                Some(Settled::Dropped)
            }
        }
    }

    /// When there is something to send or to give up.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let ready = unblocked(self.webhooks.iter()).filter(|webhook| webhook.in_flight.is_none());
        ready
            .map(|webhook| webhook.due_at.min(webhook.expires_at()))
            .min()
    }
}

/// The webhooks that no older one of the same resource holds back.
fn unblocked<W: std::borrow::Borrow<Webhook>>(
    webhooks: impl Iterator<Item = W>,
) -> impl Iterator<Item = W> {
    let mut taken = BTreeSet::new();
    webhooks.filter(move |webhook| {
        let webhook = webhook.borrow();
        !webhook.ordered || taken.insert(webhook.event.resource_id.clone())
    })
}

/// The wait after this many attempts: 5 s, 10 s, 20 s … 1 h.
fn retry_wait(attempts: u32) -> SignedDuration {
    let factor = 1_i32
        .checked_shl(attempts.saturating_sub(1))
        .filter(|factor| *factor > 0);
    let wait = factor.and_then(|factor| RETRY_FIRST.checked_mul(factor));
    wait.map_or(RETRY_MAX, |wait| wait.min(RETRY_MAX))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn later_s(at: Timestamp, by_s: u64) -> Timestamp {
    later(
        at,
        SignedDuration::from_secs(i64::try_from(by_s).unwrap_or(i64::MAX)),
    )
}
