//! What a webhook subscription should tell of.

/// What we listen to: all of it that says something about an incident or its service.
pub const EVENTS: [&str; 26] = [
    "incident.acknowledged",
    "incident.action_invocation.created",
    "incident.action_invocation.terminated",
    "incident.action_invocation.updated",
    "incident.annotated",
    "incident.conference_bridge.updated",
    "incident.custom_field_values.updated",
    "incident.delegated",
    "incident.escalated",
    "incident.incident_type.changed",
    "incident.priority_updated",
    "incident.reassigned",
    "incident.reopened",
    "incident.resolved",
    "incident.responder.added",
    "incident.responder.replied",
    "incident.role.assigned",
    "incident.service_updated",
    "incident.status_update_published",
    "incident.triggered",
    "incident.unacknowledged",
    "incident.workflow.completed",
    "incident.workflow.started",
    "service.created",
    "service.deleted",
    "service.updated",
];

/// What a subscription leaves out. None where PagerDuty showed no events at all.
pub fn missing_events(subscribed: &[String]) -> Vec<&'static str> {
    if subscribed.is_empty() {
        return Vec::new();
    }
    let is_missing = |event: &&str| !subscribed.iter().any(|known| known == event);
    EVENTS.into_iter().filter(is_missing).collect()
}
