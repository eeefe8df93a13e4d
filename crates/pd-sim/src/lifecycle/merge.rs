//! Merging incidents: the sources end, the target keeps their alerts.

use serde_json::{Map, json};

use crate::state::{Actor, World};

impl World {
    /// Merges `sources` into `target`.
    pub(crate) fn merge(&mut self, target: usize, sources: &[usize], actor: &Actor) {
        for source in sources {
            self.merge_one(target, *source, actor);
        }
        self.touch(target);
    }

    fn merge_one(&mut self, target: usize, source: usize, actor: &Actor) {
        let alerts = std::mem::take(&mut self.incident_mut(source).alerts);
        self.incident_mut(source).merged_into = Some(target);
        if self.incident(source).is_open() {
            self.resolve(source, None, actor);
        } else {
            self.touch(source);
        }
        let source_ref = self.incident_ref(source).value();
        let channel = json!({"type": actor.channel, "source_incidents": [source_ref]});
        let number = self.incident(source).number;
        let summary = format!(
            "Incident #{number} merged by {}.",
            self.agent_name(&actor.agent)
        );
        self.record_with(target, "merge", summary, actor, channel, Map::new());
        for alert in &alerts {
            self.by_key
                .entry(alert.key.clone())
                .or_default()
                .push(target);
        }
        self.incident_mut(target).alerts.extend(alerts);
        self.index_keys(target);
    }
}
