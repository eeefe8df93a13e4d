//! What people change in PagerDuty's settings during a script, and put right again.

use im_pagerduty::EVENTS;
use im_store::connectors;
use pd_sim::KeyKind;
use serde_json::json;

use super::Script;
use crate::world::CONNECTOR;

impl Script {
    /// What a key that may only read refuses waits for a person (`stories/two_way.rs`): that is not
    /// among these.
    pub(super) fn key_fault(&mut self) -> String {
        let key = self.world.account.api_key.clone();
        self.world.sim.revoke_key(&key);
        "our API key is revoked".to_owned()
    }

    /// Somebody makes a new signing secret, and we do not know it yet.
    pub(super) fn secret_fault(&mut self) -> String {
        let Some(subscription) = self.subscription() else {
            return "there is no secret to change".to_owned();
        };
        let secret = self.world.sim.new_secret();
        let is_announced = self.world.rng.bool();
        if is_announced {
            self.world.sim.add_second_secret(&subscription, &secret);
        } else {
            self.world.sim.set_secret(&subscription, &secret);
        }
        self.new_secret = Some(secret);
        let how = if is_announced { "beside" } else { "instead of" };
        format!("a new secret signs {how} the old one")
    }

    pub(super) fn subscription_fault(&mut self) -> String {
        let Some(subscription) = self.subscription() else {
            return "there is no subscription to change".to_owned();
        };
        let path = format!("/webhook_subscriptions/{subscription}");
        let (what, reply) = match self.world.rng.u8(0..3) {
            0 => (
                "our subscription is deleted",
                self.world.ask("DELETE", &path, Vec::new()),
            ),
            1 => (
                "our subscription is switched off",
                self.put(&path, &json!({"active": false})),
            ),
            _ => (
                "our subscription is for resolves alone",
                self.put(&path, &json!({"events": ["incident.resolved"]})),
            ),
        };
        self.is_subscription_changed = true;
        format!("{what} -> {}", reply.status)
    }

    /// Somebody gives us a good key and the secret, and mends the subscription.
    pub(super) fn settings_are_right(&mut self) {
        let key = self.world.account.api_key.clone();
        self.world.sim.accept_key(&key, KeyKind::Account);
        let subscription = self.subscription();
        if let (Some(secret), Some(subscription)) = (self.new_secret.take(), &subscription) {
            self.world.secrets = vec![secret];
            self.world.sim.drop_old_secret(subscription);
        }
        if !std::mem::take(&mut self.is_subscription_changed) {
            return;
        }
        let Some(subscription) = subscription else {
            let (id, secret) = self.world.subscribe("account_reference", None);
            self.world.secrets = vec![secret];
            let sealed = ["sealed".to_owned()];
            return self
                .world
                .write(|tx| connectors::set_webhook(tx, CONNECTOR, Some(&id), &sealed));
        };
        let path = format!("/webhook_subscriptions/{subscription}");
        let reply = self.put(&path, &json!({"active": true, "events": EVENTS}));
        assert_eq!(reply.status, 200, "the subscription is mended");
    }

    fn put(&mut self, path: &str, fields: &serde_json::Value) -> im_pagerduty::Reply {
        let body = json!({"webhook_subscription": fields}).to_string();
        self.world.ask("PUT", path, body.into_bytes())
    }

    fn subscription(&self) -> Option<String> {
        let mut subscriptions = self.world.sim.subscriptions().into_iter();
        subscriptions.next().map(|row| row.id)
    }
}
