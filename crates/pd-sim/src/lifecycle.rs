//! How incidents change: each step in one place, with its log entry and its webhook event.
//!
//! REST, the Events API, people and timers all come through here, so that a change looks the
//! same in the trail whoever made it. A caller checks first that the step makes sense;
//! nothing here refuses except [`World::trigger`].

mod alerts;
mod assign;
mod fields;
mod merge;
mod notify;
mod record;
mod responders;
mod snooze;
mod status;
mod trigger;
mod urgency;

pub(crate) use alerts::high_severity;
pub(crate) use trigger::{NewAlert, NewIncident, Refusal};

use serde_json::json;

use crate::state::{Actor, Agent, World};
use crate::timers::Timer;

impl Actor {
    /// A person, by way of `channel`.
    pub(crate) fn person(user: &str, channel: &'static str) -> Self {
        let client = Some(json!({"name": "PagerDuty"}));
        Self {
            agent: Agent::User(user.to_owned()),
            channel,
            client,
        }
    }

    /// Something that happened by itself.
    pub(crate) fn automatic(service: &str, channel: &'static str) -> Self {
        Self {
            agent: Agent::Automatic(service.to_owned()),
            channel,
            client: None,
        }
    }
}

impl World {
    /// Lets a timer happen.
    pub(crate) fn fire(&mut self, at: usize, timer: Timer) {
        let service = self.incident(at).service.clone();
        let timeout = Actor::automatic(&service, "timeout");
        match timer {
            Timer::AcknowledgementEnds => self.unacknowledge(at, &timeout),
            Timer::SnoozeEnds => {
                self.restart_auto_resolve(at);
                self.unacknowledge(at, &timeout);
            }
            Timer::AutoResolve => self.resolve(at, None, &timeout),
            Timer::Escalate => self.escalate_by_timeout(at, &timeout),
            Timer::Notify { user, means } => self.notify(at, &user, means),
        }
    }
}
