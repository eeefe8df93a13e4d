//! What a test may look at without a request.

use jiff::Timestamp;

use crate::Sim;
use crate::state::{Agent, Entry, Page, World, Write};
use crate::webhooks::{AttemptView, SubscriptionView};

/// The state of one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentView {
    /// PagerDuty's id.
    pub id: String,
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// `triggered`, `acknowledged` or `resolved`.
    pub status: &'static str,
    /// `high` or `low`.
    pub urgency: &'static str,
    /// The key that REST shows.
    pub key: Option<String>,
    /// The service's id.
    pub service: String,
    /// The escalation policy's id.
    pub policy: String,
    /// The priority's id.
    pub priority: Option<String>,
    /// Ids of the people who have it.
    pub assignees: Vec<String>,
    /// Ids of the people who acknowledged it, while it is acknowledged.
    pub acknowledgers: Vec<String>,
    /// Texts of the notes, oldest first.
    pub notes: Vec<String>,
    /// Open alerts and all alerts.
    pub alerts: (usize, usize),
    /// Ids of the people who were asked to help, and what became of it.
    pub responders: Vec<(String, &'static str)>,
    /// What will happen by itself next, and when.
    pub pending: Vec<(&'static str, Timestamp)>,
    /// When it started.
    pub created_at: Timestamp,
    /// When a field last changed.
    pub updated_at: Timestamp,
    /// When it was resolved, while it is.
    pub resolved_at: Option<Timestamp>,
}

/// One line of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntryView {
    /// PagerDuty's id.
    pub id: String,
    /// The type without `_log_entry`.
    pub kind: &'static str,
    /// When.
    pub at: Timestamp,
    /// The incident's id.
    pub incident: String,
    /// The acting user's id; none for machines and time-outs.
    pub user: Option<String>,
    /// The English text.
    pub summary: String,
}

impl Sim {
    /// How many requests it was asked, those that it refused included.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// All incidents, oldest first.
    pub fn incidents(&self) -> impl Iterator<Item = IncidentView> + '_ {
        (0..self.world.incidents.len()).map(|at| incident_view(&self.world, at))
    }

    /// How many incidents there are, and how many of them are open.
    pub fn incident_counts(&self) -> (usize, usize) {
        (self.world.incidents.len(), self.world.open.len())
    }

    /// The newest incidents, newest first.
    pub fn newest_incidents(&self) -> impl Iterator<Item = IncidentView> + '_ {
        let all = 0..self.world.incidents.len();
        all.rev().map(|at| incident_view(&self.world, at))
    }

    /// The open incidents, newest first.
    pub fn open_incidents(&self) -> impl Iterator<Item = IncidentView> + '_ {
        let open = self.world.open.iter().rev();
        open.map(|at| incident_view(&self.world, *at))
    }

    /// The trail of one incident, oldest first.
    pub fn log_entries_of(&self, incident: &str) -> Vec<LogEntryView> {
        let Some(at) = self.world.find(incident) else {
            return Vec::new();
        };
        let log = self.world.incident(at).log.iter();
        log.filter_map(|index| self.world.log.get(*index))
            .map(|entry| log_entry_view(&self.world, entry))
            .collect()
    }

    /// All webhook subscriptions.
    pub fn subscriptions(&self) -> Vec<SubscriptionView> {
        self.world.webhooks.subscriptions()
    }

    /// How many webhook subscriptions there are.
    pub fn subscription_count(&self) -> usize {
        self.world.webhooks.subscription_count()
    }

    /// The newest attempts to deliver webhooks, newest first.
    pub fn attempts(&self) -> impl Iterator<Item = AttemptView> + '_ {
        self.world.webhooks.attempts()
    }

    /// Replaces the secret of a subscription; `false` when there is no such subscription.
    pub fn set_secret(&mut self, subscription: &str, secret: &str) -> bool {
        self.world.webhooks.set_secret(subscription, secret)
    }

    /// Signs with one more secret; `false` when there is no such subscription.
    pub fn add_second_secret(&mut self, subscription: &str, secret: &str) -> bool {
        self.world.webhooks.add_second_secret(subscription, secret)
    }

    /// Ends a rotation: only the newest secret signs; `false` when there is no such subscription.
    pub fn drop_old_secret(&mut self, subscription: &str) -> bool {
        self.world.webhooks.drop_old_secret(subscription)
    }

    /// Makes up a secret as PagerDuty would.
    pub fn new_secret(&mut self) -> String {
        self.world.ids.secret()
    }

    /// Switches a subscription on again; `false` when there is no such subscription.
    pub fn enable_subscription(&mut self, subscription: &str) -> bool {
        self.world.webhooks.enable_now(subscription)
    }

    /// Disables a subscription as three lost webhooks would.
    pub fn disable_subscription(&mut self, subscription: &str, now: Timestamp) -> bool {
        self.world.webhooks.disable_now(subscription, now)
    }

    /// One incident by id or number.
    pub fn incident(&self, id: &str) -> Option<IncidentView> {
        self.world.find(id).map(|at| incident_view(&self.world, at))
    }

    /// All notifications sent, oldest first.
    pub fn pages(&self) -> &[Page] {
        &self.world.pages
    }

    /// All writes over REST whose credentials were good, oldest first.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The whole trail, oldest first.
    pub fn log_entries(&self) -> impl Iterator<Item = LogEntryView> + '_ {
        self.world
            .log
            .iter()
            .map(|entry| log_entry_view(&self.world, entry))
    }
}

fn incident_view(world: &World, at: usize) -> IncidentView {
    let incident = world.incident(at);
    IncidentView {
        id: incident.id.clone(),
        number: incident.number,
        title: incident.title.clone(),
        status: incident.status.name(),
        urgency: incident.urgency(),
        key: incident.key.clone(),
        service: incident.service.clone(),
        policy: incident.policy.clone(),
        priority: incident.priority.clone(),
        assignees: incident
            .assignments
            .iter()
            .map(|(user, _)| user.clone())
            .collect(),
        acknowledgers: incident
            .acknowledgements
            .iter()
            .map(|(user, _)| user.clone())
            .collect(),
        notes: incident
            .notes
            .iter()
            .map(|note| note.content.clone())
            .collect(),
        alerts: (
            incident
                .alerts
                .iter()
                .filter(|alert| !alert.resolved)
                .count(),
            incident.alerts.len(),
        ),
        responders: incident
            .responders
            .iter()
            .map(|one| (one.user.clone(), one.state.name()))
            .collect(),
        pending: world.pending(at),
        created_at: incident.created_at,
        updated_at: incident.updated_at,
        resolved_at: incident.resolved_at,
    }
}

fn log_entry_view(world: &World, entry: &Entry) -> LogEntryView {
    LogEntryView {
        id: entry.id.clone(),
        kind: entry.kind,
        at: entry.at,
        incident: world.incident(entry.incident).id.clone(),
        user: match &entry.agent {
            Agent::User(id) => Some(id.clone()),
            Agent::Service(_) | Agent::Automatic(_) => None,
        },
        summary: entry.summary.clone(),
    }
}
