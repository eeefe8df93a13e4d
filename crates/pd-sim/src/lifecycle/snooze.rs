//! Putting an acknowledged incident aside for a while.

use serde_json::{Map, json};

use crate::refs::seconds;
use crate::state::{Actor, World};
use crate::timers::Timer;

impl World {
    /// Puts the incident aside; at the end it is triggered again.
    pub(crate) fn snooze(&mut self, at: usize, duration_s: i64, actor: &Actor) {
        self.drop_timers(at, |_| true);
        self.set_timer(at, Timer::SnoozeEnds, duration_s);
        self.touch(at);
        let ends = self
            .incident(at)
            .timers
            .first()
            .map_or(self.now, |((ends, _), _)| *ends);
        let summary = format!(
            "Snoozed for {} by {}.",
            length(duration_s),
            self.agent_name(&actor.agent)
        );
        let channel = json!({"type": actor.channel, "duration": duration_s});
        let mut extra = Map::new();
        extra.insert(
            "changed_actions".to_owned(),
            json!([{"type": "unacknowledge", "at": seconds(ends)}]),
        );
        self.record_with(at, "snooze", summary, actor, channel, extra);
    }

    /// Ends a running snooze without waking anybody; the other clocks start again.
    pub(crate) fn end_snooze(&mut self, at: usize) -> bool {
        let snoozed = self
            .incident(at)
            .timers
            .iter()
            .any(|(_, timer)| *timer == Timer::SnoozeEnds);
        if snoozed {
            self.drop_timers(at, |timer| *timer == Timer::SnoozeEnds);
            self.restart_auto_resolve(at);
            self.set_acknowledgement_timer(at);
        }
        snoozed
    }
}

fn length(duration_s: i64) -> String {
    let (count, unit) = match duration_s {
        s if s >= 3600 && s % 3600 == 0 => (s / 3600, "hour"),
        s if s >= 60 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    if count == 1 {
        format!("1 {unit}")
    } else {
        format!("{count} {unit}s")
    }
}
