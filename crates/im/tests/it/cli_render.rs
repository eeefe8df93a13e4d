//! What people read, 80 columns wide and without colour.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli::{Fake, on};
use crate::cli_examples::{
    connector, connector_with, incident, incident_with, outcome, troubled_incident,
};

#[track_caller]
fn said(call: &str, answer: &Value, line: &str) -> String {
    let said = on(&Fake::default().on(call, 200, answer)).im(line);
    for line in said.out.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
        assert_eq!(line, line.trim_end(), "spaces at the end");
    }
    said.all()
}

#[test]
fn a_change_says_what_happened_here_and_there() {
    let call = "POST /api/v1/incidents/INC-42/acknowledge";
    let done = outcome(
        "Acknowledged INC-42",
        "done",
        "PagerDuty #4102: acknowledged",
    );
    assert_snapshot!("ack_done", said(call, &done, "ack INC-42"));
    let queued = outcome("Acknowledged INC-42", "queued", "PagerDuty: queued");
    assert_snapshot!("ack_queued", said(call, &queued, "ack INC-42"));
    let parked = outcome(
        "Acknowledged INC-42",
        "parked",
        "PagerDuty refused: there is no user ann@example.com; add the user there, or act as another with --as",
    );
    assert_snapshot!("ack_parked", said(call, &parked, "ack INC-42"));
    let alone = outcome("INC-42 was acknowledged already", "none", "");
    assert_snapshot!("ack_alone", said(call, &alone, "ack INC-42"));
}

#[test]
fn declaring_says_where_pagerduty_has_it() {
    let answer = outcome("Declared INC-42", "done", "PagerDuty #4102: triggered");
    let line = "declare --sev SEV-2 --title x";
    assert_snapshot!("declare", said("POST /api/v1/incidents", &answer, line));
}

#[test]
fn show_prints_the_incident_and_its_twin() {
    let call = "GET /api/v1/incidents/INC-42";
    assert_snapshot!("show", said(call, &incident(), "show INC-42"));
    assert_snapshot!(
        "show_troubled",
        said(call, &troubled_incident(), "show INC-42")
    );
    let alone = incident_with(
        &json!({"pagerduty": null, "severity": null, "service": null,
        "assignees": [], "status": "duplicate", "duplicate_of": "INC-7", "description": ""}),
    );
    assert_snapshot!("show_alone", said(call, &alone, "show INC-42"));
    let unborn = incident_with(
        &json!({"pagerduty": {"connector": "prod-pagerduty", "direction": "bidirectional", "id": null,
        "number": null, "url": null, "status": null, "urgency": null, "priority": null, "service": null,
        "escalation_policy": null, "teams": [], "in_sync": false, "pending": [
            {"id": 1, "what": "create", "state": "waiting", "since": "2026-11-20T09:14:05Z", "attempts": 0,
             "next_at": "2026-11-20T09:18:30Z", "reason": null}]}}),
    );
    assert_snapshot!("show_unborn", said(call, &unborn, "show INC-42"));
    let mut removed = incident();
    removed["pagerduty"]["connector"] = Value::Null;
    removed["pagerduty"]["direction"] = Value::Null;
    removed["pagerduty"]["in_sync"] = json!(false);
    let shown = said(call, &removed, "show INC-42");
    assert!(
        shown.contains("PagerDuty #4102, no connector any more"),
        "{shown}"
    );
    assert!(shown.contains("no, its connector was removed"), "{shown}");
}

#[test]
fn the_timeline_tells_where_each_line_was_seen() {
    let call = "GET /api/v1/incidents/INC-42/timeline";
    let line = |at: &str, text: &str, sources: Value, note: Value| json!({"at": at, "kind": "x", "text": text, "actor": {}, "sources": sources, "note": note});
    let today = json!([
        line(
            "2026-11-20T09:14:05Z",
            "Ann Lee declared SEV-2: Database performance issue",
            json!(["im"]),
            Value::Null
        ),
        line(
            "2026-11-20T09:14:07Z",
            "PagerDuty incident #4102 was made",
            json!(["pagerduty"]),
            Value::Null
        ),
        line(
            "2026-11-20T09:16:00Z",
            "Ann Lee acknowledged",
            json!(["im", "pagerduty"]),
            json!(
                "Investigating database locks. The slow query log shows the same statement a thousand times.\nNext look at 09:30."
            )
        ),
        line(
            "2026-11-20T09:17:00Z",
            "The escalation policy \"Database on-call\" assigned Bob Stone in place of Ann Lee after 30 minutes",
            json!(["pagerduty"]),
            Value::Null
        ),
    ]);
    assert_snapshot!("timeline", said(call, &today, "timeline INC-42"));
    let mut older = today;
    older[0]["at"] = json!("2026-11-19T23:59:59Z");
    assert_snapshot!("timeline_older", said(call, &older, "timeline INC-42"));
}

#[test]
fn the_list_fits_eighty_columns() {
    let call = "GET /api/v1/incidents";
    let long = "Checkout answers 500 for every third order since the deployment of this morning";
    let list = json!([
        troubled_incident(),
        incident_with(
            &json!({"id": "INC-10041", "number": 10041, "title": long, "status": "acknowledged",
            "assignees": [{"id": "P1", "name": "Bartholomew Featherstone"}, {"id": "P2", "name": "Bob"}],
            "service": "payments-gateway"})
        ),
        incident_with(
            &json!({"id": "INC-7", "title": "数据库无法连接,所有服务都受到影响,请立即处理", "status": "open", "severity": null,
            "service": null, "assignees": [], "pagerduty": null, "created_at": "2026-09-01T00:00:00Z"})
        ),
    ]);
    assert_snapshot!("list", said(call, &list, "list"));
    assert_snapshot!("list_empty", said(call, &json!([]), "list"));
    assert_snapshot!(
        "list_limited",
        said(call, &json!([incident()]), "list --limit 1")
    );
    let wide = on(&Fake::default().on(call, 200, &list))
        .width(200)
        .im("list");
    assert!(wide.out.contains(long));
    for width in [60, 40] {
        let narrow = on(&Fake::default().on(call, 200, &list))
            .width(width)
            .im("list");
        assert_snapshot!(format!("list_{width}"), narrow.all());
    }
    let piped = on(&Fake::default().on(call, 200, &list)).piped().im("list");
    for whole in [long, "payments-gateway", "Bartholomew Featherstone +1"] {
        assert!(piped.out.contains(whole), "{}", piped.out);
    }
}

#[test]
fn connector_list_has_the_five_columns() {
    let call = "GET /api/v1/connectors";
    let list = json!([
        connector(),
        connector_with(
            &json!({"name": "staging-pagerduty-of-the-other-team", "status": "auth_failed",
            "direction": "outbound", "last_sync": null})
        ),
    ]);
    assert_snapshot!("connector_list", said(call, &list, "connector list"));
    assert_snapshot!(
        "connector_list_empty",
        said(call, &json!([]), "connector list")
    );
}

#[test]
fn connector_status_has_the_seven_fields_and_troubles_below() {
    let call = "GET /api/v1/connectors/prod-pagerduty";
    let line = "connector status prod-pagerduty";
    assert_snapshot!("connector_status", said(call, &connector(), line));
    let troubled = connector_with(
        &json!({"status": "auth_failed", "status_reason": "the key was revoked",
        "last_sync": null, "sync_errors": 12, "repaired_24h": 3, "mode": "repair only",
        "webhook": {"state": "disabled", "url": null, "last_delivery": null},
        "pending": 4, "parked": 1, "gap": "deliveries from 08:00 to 08:40 were lost; repaired by comparing"}),
    );
    assert_snapshot!("connector_status_troubled", said(call, &troubled, line));
}

#[test]
fn connector_test_has_a_line_for_each_check() {
    let call = "POST /api/v1/connectors/prod-pagerduty/test";
    let check = |state: &str, text: &str| json!({"state": state, "text": text, "cause": null, "next": null});
    let good = json!({"ok": true, "lines": [
        check("ok", "Connected to PagerDuty API"), check("ok", "Service PXXXXXX accessible"),
        check("ok", "User ops@company.com valid"), check("skipped", "Escalation policy (none is set)"),
        check("ok", "Webhook endpoint configured")]});
    assert_snapshot!(
        "connector_test",
        said(call, &good, "connector test prod-pagerduty")
    );
    let bad = json!({"ok": false, "lines": [check("ok", "Connected to PagerDuty API"),
        {"state": "failed", "text": "Service PXXXXXX accessible", "cause": "PagerDuty knows no service PXXXXXX",
         "next": "`im connector config prod-pagerduty --service-id ID` with one of: PAPI001 (API Service), PDAT001 (Database Service)"}]});
    assert_snapshot!(
        "connector_test_bad",
        said(call, &bad, "connector test prod-pagerduty")
    );
    assert_snapshot!("doctor", said("GET /api/v1/doctor", &bad, "doctor"));
}

/// The outputs of the document that described them first, with its figures.
#[test]
fn i098_i116_health_and_figures_have_the_documented_lines() {
    let line =
        |name: &str, text: &str| json!({"name": name, "state": "ok", "text": text, "next": null});
    let healthy = json!({"health": "healthy", "reason": null, "lines": [
        line("API Connectivity", "Connected (45ms response time)"),
        line("Authentication", "Valid API key"),
        line("Service Access", "PXXXXXX accessible"),
        line("Webhook", "Receiving events (last: 2m ago)"),
        line("Sync Status", "Up to date (last sync: 30s ago)"),
        line("Error Rate", "0% (0 errors in 24h)")]});
    let call = "GET /api/v1/connectors/prod-pagerduty/health";
    let command = "connector health prod-pagerduty";
    assert_snapshot!("connector_health", said(call, &healthy, command));
    for (word, code) in [("healthy", 0), ("degraded", 1), ("unhealthy", 2)] {
        let mut found = healthy.clone();
        found["health"] = json!(word);
        let fake = Fake::default().on(call, 200, &found);
        assert_eq!(on(&fake).im(command).code, code);
    }
    let bad = json!({"health": "unhealthy", "reason": "Service Access: PagerDuty has no service PX that this key can see", "lines": [
        line("API Connectivity", "Connected (45ms response time)"),
        {"name": "Service Access", "state": "failed", "text": "PagerDuty has no service PX that this key can see",
            "next": "`im connector config prod-pagerduty --service-id ID`, one of: PAAAAA1 (Checkout), PAAAAA2 (Search), PAAAAA3 (Payments)"},
        {"name": "Webhook", "state": "skipped", "text": "not looked at", "next": null},
        {"name": "Error Rate", "state": "warning", "text": "25% (1 error in 24h)", "next": "`im logs --component api`"}]});
    assert_snapshot!("connector_health_bad", said(call, &bad, command));
    let figures = json!({"connector": "prod-pagerduty", "incidents": 156, "success_percent_24h": 99.4, "sync_mean_ms_24h": 1200,
        "sync_p95_ms_24h": 2000, "api_calls_24h": 1247, "api_errors_24h": 7, "api_calls_usual": 1200, "rate_limit_percent": 23, "webhooks_24h": 89});
    let call = "GET /api/v1/connectors/prod-pagerduty/metrics";
    assert_snapshot!(
        "metrics_connector",
        said(call, &figures, "metrics connector prod-pagerduty")
    );
    let fresh = json!({"connector": "prod-pagerduty", "incidents": 0, "success_percent_24h": null, "sync_mean_ms_24h": null,
        "sync_p95_ms_24h": null, "api_calls_24h": 0, "api_errors_24h": 0, "api_calls_usual": null, "rate_limit_percent": 0, "webhooks_24h": 0});
    assert_snapshot!(
        "metrics_connector_fresh",
        said(call, &fresh, "metrics connector prod-pagerduty")
    );
}

#[test]
fn i130_deliveries_are_listed_and_shown() {
    let one = json!({"id": 8, "received_at": "2026-11-20T09:16:30Z", "event": "incident.triggered", "occurred_at": "2026-11-20T09:16:29Z",
        "incident": "Q1ABCDEF", "verified": true, "copies": 2, "outcome": "done", "event_id": "01EVENT", "delivery_id": null});
    let odd = json!({"id": 7, "received_at": "2026-11-20T08:16:30Z", "event": null, "occurred_at": null, "incident": null,
        "verified": false, "copies": 1, "outcome": "unreadable", "event_id": "hash", "delivery_id": null});
    let call = "GET /api/v1/connectors/prod-pagerduty/deliveries";
    let found = json!({"deliveries": [one, odd], "refused_24h": 3});
    assert_snapshot!(
        "deliveries",
        said(call, &found, "connector deliveries list prod-pagerduty")
    );
    let none = json!({"deliveries": [], "refused_24h": 0});
    assert_snapshot!(
        "deliveries_none",
        said(call, &none, "connector deliveries list prod-pagerduty")
    );
    let mut whole = found["deliveries"][0].clone();
    whole["body"] = json!({"event": {"id": "01EVENT", "event_type": "incident.triggered"}});
    assert_snapshot!(
        "delivery",
        said(
            &format!("{call}/8"),
            &whole,
            "connector deliveries show prod-pagerduty 8"
        )
    );
    let call = format!("POST {}/8/replay", call.trim_start_matches("GET "));
    assert_snapshot!(
        "delivery_replay",
        said(
            &call,
            &whole,
            "connector deliveries replay prod-pagerduty 8"
        )
    );
}

#[test]
fn connector_sync_counts() {
    let call = "POST /api/v1/connectors/prod-pagerduty/sync";
    let line = "connector sync prod-pagerduty";
    let good = json!({"created": 1, "updated": 2, "unchanged": 40, "failed": 0, "repaired": 0, "complete": true, "messages": []});
    assert_snapshot!("connector_sync", said(call, &good, line));
    let bad = json!({"created": 0, "updated": 2, "unchanged": 40, "failed": 1, "repaired": 3, "complete": false,
        "messages": ["INC-7: PagerDuty has merged it into another incident"]});
    assert_snapshot!("connector_sync_bad", said(call, &bad, line));
    let part = json!({"created": 0, "updated": 2, "unchanged": 40, "failed": 0, "repaired": 0, "complete": false, "messages": []});
    assert_snapshot!("connector_sync_part", said(call, &part, line));
}

#[test]
fn the_rest_of_connector() {
    let config = json!({"api_key": "****xxxx", "base_url": "https://api.pagerduty.com", "enable_webhook": true,
        "custom": {"service_id": "PXXXXXX", "escalation_policy_id": null, "service_mappings": {"db": "PDAT001"}}});
    let name = "prod-pagerduty";
    assert_snapshot!(
        "connector_config",
        said(
            "GET /api/v1/connectors/prod-pagerduty/config",
            &config,
            &format!("connector config {name}")
        )
    );
    let pending = |id: i64, state: &str, reason: Value| {
        json!({"id": id, "incident": "INC-42", "what": "resolve", "state": state,
        "since": "2026-11-20T09:17:00Z", "attempts": 2, "next_at": null, "reason": reason})
    };
    let outbox = json!([
        pending(17, "waiting", json!("PagerDuty did not answer")),
        pending(
            18,
            "parked",
            json!("PagerDuty has no user bob@example.com; add the user there")
        )
    ]);
    let call = "GET /api/v1/connectors/prod-pagerduty/outbox";
    assert_snapshot!(
        "outbox",
        said(call, &outbox, "connector outbox list prod-pagerduty")
    );
    let fake = Fake::default().on(call, 200, &json!([])).on(
        "GET /api/v1/connectors/prod-pagerduty",
        200,
        &connector(),
    );
    let empty = on(&fake).im("connector outbox list prod-pagerduty");
    assert_snapshot!("outbox_empty", empty.all());
    assert_snapshot!(
        "outbox_retry",
        said(
            "POST /api/v1/connectors/prod-pagerduty/outbox/18/retry",
            &pending(18, "waiting", Value::Null),
            "connector outbox retry prod-pagerduty 18"
        )
    );
    assert_snapshot!(
        "outbox_discard",
        said(
            "POST /api/v1/connectors/prod-pagerduty/outbox/18/discard",
            &pending(18, "parked", Value::Null),
            "connector outbox discard prod-pagerduty 18"
        )
    );
}

#[test]
fn webhooks_are_set_up_by_the_api_or_by_hand() {
    let call = "POST /api/v1/connectors/prod-pagerduty/webhook";
    let url = "https://im.example.com/connectors/prod-pagerduty/webhook";
    let check = |text: &str| json!({"state": "ok", "text": text, "cause": null, "next": null});
    let enabled =
        json!({"ok": true, "url": url, "lines": [check("Subscription made at PagerDuty")]});
    assert_snapshot!(
        "webhook_enable",
        said(call, &enabled, "connector webhook prod-pagerduty --enable")
    );
    let steps = json!({"ok": true, "url": url, "lines": [
        check("In PagerDuty, open Integrations, then Generic Webhooks (v3)"), check("Add the URL below"),
        check("Select incident.triggered, incident.acknowledged and incident.resolved")]});
    assert_snapshot!(
        "webhook_manual",
        said(call, &steps, "connector webhook prod-pagerduty --manual")
    );
    let kept = json!({"ok": true, "url": url, "lines": [check("Secret kept")]});
    let fake = Fake::default().on(call, 200, &steps).on(call, 200, &kept);
    let asked = on(&fake)
        .answering(&["s3cret"])
        .im("connector webhook prod-pagerduty --manual");
    assert_snapshot!("webhook_manual_asked", asked.all());
    assert_eq!(
        fake.seen(),
        [
            format!(r#"{call} {{"action":"manual"}}"#),
            format!(r#"{call} {{"action":"manual","secret":"s3cret"}}"#)
        ]
    );
}

#[test]
fn people_and_what_was_done() {
    let account = |email: &str, name: &str, role: &str, state: &str| {
        json!({"email": email, "name": name, "role": role, "state": state,
            "personal_load": role == "owner", "created_at": "2026-11-20T09:00:00Z"})
    };
    let ann = account("ann@example.com", "Ann Lee", "owner", "active");
    let bob = account("bob@example.com", "", "viewer", "invited");
    let call = "POST /api/v1/accounts";
    let made = json!({"account": bob, "link": "/set-password?link=5ec7e7", "url": null,
        "link_expires_at": "2026-11-27T09:00:00Z", "is_first": false});
    assert_snapshot!("user_add", said(call, &made, "user add bob@example.com"));
    let elsewhere = on(&Fake::default().on(call, 200, &made))
        .im("user add bob@example.com --role admin --quiet");
    assert_eq!(
        elsewhere.out,
        "http://localhost:8080/set-password?link=5ec7e7\n"
    );
    let all = json!([ann, bob]);
    assert_snapshot!("user_list", said("GET /api/v1/accounts", &all, "user list"));
    let none = json!([]);
    assert_snapshot!(
        "user_list_empty",
        said("GET /api/v1/accounts", &none, "user list")
    );
    let call = "POST /api/v1/accounts/ann@example.com/role";
    let line = "user role ann@example.com owner --personal-load on";
    assert_snapshot!("user_role", said(call, &ann, line));
    let row = |kind: &str, who: &str, acts_as: Option<&str>, status: u16| {
        json!({"id": 1, "at": "2026-11-20T09:00:00Z", "kind": kind, "who": who, "acts_as": acts_as,
            "address": if kind == "local" { "" } else { "192.0.2.7" },
            "act": "resolved an incident", "thing": "INC-7", "status": status})
    };
    let rows = json!([
        row("account", "ann@example.com", None, 303),
        row("token", "ci", Some("bob@example.com"), 403),
        row("local", "", None, 404),
        row("nobody", "eve@example.com", None, 429),
        row("nobody", "", None, 503),
    ]);
    let call = "GET /api/v1/audit";
    let fake = Fake::default().on(call, 200, &rows).on(call, 200, &none);
    assert_snapshot!("audit", on(&fake).im("audit").all());
    assert_snapshot!("audit_empty", on(&fake).im("audit --since 2h").all());
}

#[test]
fn tokens_and_settings() {
    let created = json!({"name": "ci", "email": "ci@example.com", "role": "responder", "secret": "im_0123456789abcdef"});
    assert_snapshot!(
        "token_create",
        said("POST /api/v1/tokens", &created, "token create ci")
    );
    let list = json!([{"name": "ci", "email": "ci@example.com", "created_at": "2026-11-01T09:00:00Z", "last_used_at": "2026-11-20T09:00:00Z", "role": "admin"},
        {"name": "backup", "email": null, "created_at": "2026-11-20T09:00:00Z", "last_used_at": null, "role": "viewer"}]);
    assert_snapshot!(
        "token_list",
        said("GET /api/v1/tokens", &list, "token list")
    );
    assert_snapshot!(
        "token_revoke",
        said("DELETE /api/v1/tokens/ci", &Value::Null, "token revoke ci")
    );
    let settings = json!({"status_model": "documented", "public_url": null});
    assert_snapshot!(
        "config_show",
        said("GET /api/v1/settings", &settings, "config show")
    );
}
