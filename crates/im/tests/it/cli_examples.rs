//! Objects of the API as `docs/api.md` describes them.

use serde_json::{Value, json};

pub(crate) fn incident() -> Value {
    json!({"id": "INC-42", "number": 42, "title": "Database performance issue",
        "description": "Queries of the order page take more than ten seconds since the deployment of 08:50, and the replicas lag.\nRoll-back is prepared.",
        "severity": "SEV-2", "severity_source": "explicit", "status": "mitigated", "service": "db",
        "assignees": [{"id": "PANN001", "name": "Ann Lee"}], "origin": "here",
        "declared_by": {"kind": "user", "id": "ann@example.com", "name": "Ann Lee"},
        "created_at": "2026-11-20T09:14:05.120000Z", "acknowledged_at": "2026-11-20T09:16:00Z",
        "resolved_at": null, "updated_at": "2026-11-20T09:16:00Z", "duplicate_of": null,
        "pagerduty": {"connector": "prod-pagerduty", "direction": "bidirectional", "id": "Q0ABC", "number": 4102,
            "url": "https://acme.pagerduty.com/incidents/Q0ABC", "status": "acknowledged",
            "urgency": "high", "priority": null,
            "service": {"id": "PDAT001", "name": "Database Service"},
            "escalation_policy": {"id": "PPOL001", "name": "Database on-call"},
            "teams": [{"id": "PTEA001", "name": "Storage"}], "in_sync": true, "pending": []}})
}

/// As `incident`, with some fields replaced.
pub(crate) fn incident_with(changes: &Value) -> Value {
    merged(incident(), changes)
}

/// Born at PagerDuty, severity guessed, two changes that PagerDuty does not have.
pub(crate) fn troubled_incident() -> Value {
    let mut twin = incident()["pagerduty"].clone();
    twin["in_sync"] = json!(false);
    twin["priority"] = json!({"id": "PPRI001", "name": "P1"});
    twin["pending"] = json!([
        {"id": 17, "what": "resolve", "state": "waiting", "since": "2026-11-20T09:17:00Z", "attempts": 2,
            "next_at": "2026-11-20T09:19:00Z", "reason": "PagerDuty did not answer"},
        {"id": 18, "what": "assign", "state": "parked", "since": "2026-11-20T09:17:30Z", "attempts": 1,
            "next_at": null, "reason": "PagerDuty has no user bob@example.com; add the user there or assign somebody else"}
    ]);
    incident_with(
        &json!({"origin": "pagerduty", "declared_by": {"kind": "service", "id": "PSVC", "name": "Datadog"},
            "severity_source": "inferred", "status": "resolved", "resolved_at": "2026-11-20T09:17:00Z",
            "created_at": "2026-11-19T23:14:05Z", "assignees": [], "description": null, "pagerduty": twin}),
    )
}

pub(crate) fn outcome(here: &str, state: &str, there: &str) -> Value {
    json!({"incident": incident(), "here": {"changed": true, "text": here},
        "there": {"state": state, "text": there}})
}

pub(crate) fn connector() -> Value {
    json!({"name": "prod-pagerduty", "type": "pagerduty", "status": "active", "status_reason": null,
        "direction": "bidirectional", "sync_interval": "5m", "last_sync": "2026-11-20T09:16:20Z",
        "synced_24h": 45, "sync_errors": 0, "repaired_24h": 0,
        "webhook": {"state": "enabled", "url": "https://im.example.com/connectors/prod-pagerduty/webhook",
            "last_delivery": "2026-11-20T09:18:00Z"},
        "mode": "live and repair", "pending": 0, "parked": 0, "gap": null})
}

pub(crate) fn connector_with(changes: &Value) -> Value {
    merged(connector(), changes)
}

pub(crate) fn problem(status: u16, detail: &str, hint: &str) -> Value {
    json!({"type": "about:blank", "title": "Problem", "status": status, "detail": detail,
        "hint": hint, "code": "some_code"})
}

fn merged(mut object: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}
