//! Webhooks as PagerDuty sends them, each about something else.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::wire;

/// The secret that they are signed with.
pub(crate) const SECRET: &str = "HLsim0secret0Zx9Qv7Lk2Nf5Tb8Wm1Rc4Yp6Gd3Hs0Ju7Ea2Io5Un8Bq1Vw4X+/";

/// What happens to an incident, in this order.
const LIFE: [&str; 3] = [
    include_str!("../../../im-pagerduty/tests/fixtures/webhooks/incident.triggered.json"),
    include_str!("../../../im-pagerduty/tests/fixtures/webhooks/incident.acknowledged.json"),
    include_str!("../../../im-pagerduty/tests/fixtures/webhooks/incident.resolved.json"),
];

/// Events of one sender. The seed keeps apart what different senders mean.
pub(crate) struct Events {
    samples: [Value; 3],
    rng: fastrand::Rng,
    seed: u64,
}

impl Events {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            samples: LIFE.map(|text| serde_json::from_str(text).unwrap()),
            rng: fastrand::Rng::with_seed(seed),
            seed,
        }
    }

    /// The title of an incident.
    pub(crate) fn title(&self, incident: usize) -> String {
        format!("Checkout error rate above 5% ({}-{incident})", self.seed)
    }

    /// The body of one event; `step` is 0 for the trigger, then 1 and 2.
    pub(crate) fn body(&mut self, incident: usize, step: usize) -> String {
        let id = format!("{:016X}{:016X}", self.rng.u64(..), self.rng.u64(..));
        let pd_id = format!("Q{}{incident:010}", self.seed);
        let title = self.title(incident);
        let sample = self.samples.get_mut(step).unwrap();
        let event = &mut sample["event"];
        event["id"] = json!(id.get(..26));
        let at = im::clock::now();
        event["occurred_at"] = json!(at.to_string());
        let data = &mut event["data"];
        data["id"] = json!(pd_id);
        data["incident_key"] = json!(format!("key-{pd_id}"));
        data["number"] = json!(incident + 1);
        data["title"] = json!(title);
        data["created_at"] = json!(at.to_string());
        sample.to_string()
    }

    /// `count` bodies: first all triggers, then what follows.
    pub(crate) fn bodies(&mut self, count: usize) -> Vec<String> {
        let incidents = count.div_ceil(LIFE.len());
        (0..count)
            .map(|nth| self.body(nth % incidents, nth / incidents))
            .collect()
    }
}

/// A signed delivery at the door of the connector `prod`.
pub(crate) fn delivery(body: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let headers = format!("x-pagerduty-signature: v1={signature}\r\n");
    wire::post("/connectors/prod/webhook", &headers, body)
}
