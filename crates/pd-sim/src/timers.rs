//! What will happen by itself, sorted by instant.
//!
//! Each timer is also noted on its incident, which is how `pending_actions` is rendered and
//! how a change of status takes timers away. Both sides change together, here only.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::state::{Means, World};

/// What happens when its time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The acknowledgement runs out.
    AcknowledgementEnds,
    /// The snooze runs out.
    SnoozeEnds,
    /// The incident resolves by itself.
    AutoResolve,
    /// The next level is told.
    Escalate,
    /// One notification.
    Notify {
        /// To whom.
        user: String,
        /// By what means.
        means: Means,
    },
}

/// All timers of the account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    due: BTreeMap<(Timestamp, u64), (usize, Timer)>,
    made: u64,
}

impl Timers {
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }
}

impl World {
    /// Sets a timer for `seconds` from now.
    pub(crate) fn set_timer(&mut self, incident: usize, timer: Timer, seconds: i64) {
        self.set_timer_at(
            incident,
            timer,
            self.now + SignedDuration::from_secs(seconds),
        );
    }

    /// Sets a timer for an instant.
    pub(crate) fn set_timer_at(&mut self, incident: usize, timer: Timer, at: Timestamp) {
        self.timers.made += 1;
        let key = (at, self.timers.made);
        self.timers.due.insert(key, (incident, timer.clone()));
        self.incident_mut(incident).timers.push((key, timer));
    }

    /// Takes away the timers of an incident that `which` names.
    pub(crate) fn drop_timers(&mut self, incident: usize, which: impl Fn(&Timer) -> bool) {
        let mut dropped = Vec::new();
        self.incident_mut(incident).timers.retain(|(key, timer)| {
            let drop = which(timer);
            if drop {
                dropped.push(*key);
            }
            !drop
        });
        for key in dropped {
            self.timers.due.remove(&key);
        }
    }

    /// Moves the clock to `now`; everything due on the way happens at its own instant, in order.
    pub(crate) fn run_until(&mut self, now: Timestamp) {
        while let Some(first) = self.timers.due.first_entry() {
            if first.key().0 > now {
                break;
            }
            let (key, (incident, timer)) = first.remove_entry();
            self.incident_mut(incident)
                .timers
                .retain(|(other, _)| *other != key);
            self.now = self.now.max(key.0);
            self.fire(incident, timer);
        }
        self.now = self.now.max(now);
    }
}
