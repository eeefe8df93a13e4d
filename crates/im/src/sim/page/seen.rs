//! What one page is made from: read once, so that nothing on it contradicts the rest.

use jiff::Timestamp;
use pd_sim::{Account, AttemptView, IncidentView, SubscriptionView};
use serde_json::Value;

use crate::sim::{StandIn, control};

/// Incidents on the start page.
pub(super) const INCIDENTS_MAX: usize = 40;
/// Attempts that are looked through for the newest webhooks.
const ATTEMPTS_MAX: usize = 200;

/// The account at one moment.
pub(super) struct Seen {
    pub(super) base_url: String,
    pub(super) api_key: String,
    pub(super) now: Timestamp,
    pub(super) factor: f64,
    pub(super) account: Account,
    /// Id and name of who acts.
    pub(super) acting: (String, String),
    pub(super) incidents: Vec<IncidentView>,
    pub(super) all: usize,
    pub(super) open: usize,
    pub(super) subscriptions: Vec<SubscriptionView>,
    pub(super) attempts: Vec<AttemptView>,
    pub(super) faults: Value,
}

impl Seen {
    pub(super) fn of(stand_in: &StandIn, acting: &str) -> Self {
        let (now, factor) = (stand_in.clock.now(), stand_in.clock.factor());
        stand_in.with(|sim| {
            let account = sim.account();
            let users = &account.users;
            let named = users.iter().find(|(id, ..)| id == acting).or(users.first());
            let acting = named.map(|(id, name, _)| (id.clone(), name.clone()));
            let (all, open) = sim.incident_counts();
            // What is open comes first; what ended last fills the list.
            let mut incidents: Vec<IncidentView> =
                sim.open_incidents().take(INCIDENTS_MAX).collect();
            let left = INCIDENTS_MAX - incidents.len();
            let ended = sim
                .newest_incidents()
                .filter(|one| one.status == "resolved");
            incidents.extend(ended.take(left));
            Self {
                base_url: stand_in.base_url.clone(),
                api_key: stand_in.account.api_key.clone(),
                now,
                factor,
                acting: acting.unwrap_or_default(),
                incidents,
                all,
                open,
                subscriptions: sim.subscriptions(),
                attempts: sim.attempts().take(ATTEMPTS_MAX).collect(),
                faults: control::shown_faults(sim, stand_in.silence()),
                account,
            }
        })
    }

    /// The start page, with the same person acting.
    pub(super) fn start(&self) -> String {
        format!("/?as={}", self.acting.0)
    }

    /// The page of an incident, with the same person acting.
    pub(super) fn page_of(&self, incident: &str) -> String {
        format!(
            "{}?as={}",
            super::at(&format!("view/incidents/{incident}")),
            self.acting.0
        )
    }

    pub(super) fn person<'a>(&'a self, id: &'a str) -> &'a str {
        let found = self.account.users.iter().find(|(known, ..)| known == id);
        found.map_or(id, |(_, name, _)| name)
    }

    pub(super) fn service<'a>(&'a self, id: &'a str) -> &'a str {
        let found = self.account.services.iter().find(|(known, ..)| known == id);
        found.map_or(id, |(_, name, _)| name)
    }

    pub(super) fn policy<'a>(&'a self, id: &'a str) -> &'a str {
        name_in(&self.account.policies, id)
    }

    pub(super) fn priority<'a>(&'a self, id: &'a str) -> &'a str {
        name_in(&self.account.priorities, id)
    }
}

fn name_in<'a>(rows: &'a [(String, String)], id: &'a str) -> &'a str {
    let found = rows.iter().find(|(known, _)| known == id);
    found.map_or(id, |(_, name)| name)
}
