//! What people read when something is wrong, and what the shell sees.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli::{Fake, on, without_api};
use crate::cli_examples::{connector, connector_with, incident, outcome, problem};

#[test]
fn the_api_says_why_and_the_exit_code_follows_its_status() {
    let call = "POST /api/v1/incidents/INC-42/acknowledge";
    for (status, code) in [
        (400, 2),
        (401, 6),
        (403, 6),
        (404, 3),
        (409, 4),
        (422, 2),
        (502, 5),
        (504, 5),
        (503, 7),
        (500, 7),
    ] {
        let fake = Fake::default().on(call, status, &problem(status, "why", "what next"));
        let said = on(&fake).im("ack INC-42");
        assert_eq!(said.code, code, "{status}");
        assert_eq!(said.err, "error: why\nhint: what next\n");
        assert_eq!(said.out, "");
    }
}

#[test]
fn json_is_one_document_also_when_it_fails() {
    let call = "POST /api/v1/incidents/INC-42/acknowledge";
    let refused = problem(409, "why", "what next");
    let said = on(&Fake::default().on(call, 409, &refused)).im("ack INC-42 --json");
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), refused);
    assert_eq!(said.code, 4);
    let said = on(&Fake::default()).im("note INC-42 '' --json");
    let own: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(own["detail"], "the note has no text");
}

#[test]
fn json_is_one_document_also_when_the_line_cannot_be_read() {
    let fake = Fake::default();
    let mut all = String::new();
    for line in [
        "declare --sev SEV-9 --title x",
        "declare --title x",
        "ack foo",
        "list --limit 0",
        "list --stats open",
        "acknowlege 1",
    ] {
        let said = on(&fake).im(&format!("{line} --json"));
        assert_eq!(said.code, 2, "{line}");
        assert!(said.err.starts_with("error: "), "{line}: {}", said.err);
        let document: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(document["code"], "usage");
        writeln!(
            all,
            "{line}\n  {}\n  {}",
            document["detail"], document["hint"]
        )
        .unwrap();
        // What comes after -- is no flag.
        assert_eq!(on(&fake).im(&format!("{line} -- --json")).out, "", "{line}");
    }
    assert_eq!(fake.seen(), Vec::<String>::new());
    assert_snapshot!("usage_documents", all);
    let help = on(&fake).im("list --help --json");
    assert!(help.out.starts_with("List incidents"), "{}", help.out);
}

/// Commands, the call that each makes, and an answer to it.
fn answered() -> Vec<(&'static str, &'static str, Value)> {
    let changed = || outcome("Done", "queued", "PagerDuty: queued");
    let checks = || json!({"ok": true, "url": null, "lines": []});
    vec![
        (
            "ack INC-42",
            "POST /api/v1/incidents/INC-42/acknowledge",
            changed(),
        ),
        (
            "declare --sev 1 --title x",
            "POST /api/v1/incidents",
            changed(),
        ),
        ("show INC-42", "GET /api/v1/incidents/INC-42", incident()),
        ("list", "GET /api/v1/incidents", json!([incident()])),
        (
            "timeline INC-42",
            "GET /api/v1/incidents/INC-42/timeline",
            json!([]),
        ),
        ("connector list", "GET /api/v1/connectors", json!([])),
        (
            "connector status prod",
            "GET /api/v1/connectors/prod",
            connector(),
        ),
        (
            "connector config prod",
            "GET /api/v1/connectors/prod/config",
            json!({}),
        ),
        (
            "connector config prod --service-id P1",
            "PATCH /api/v1/connectors/prod",
            connector(),
        ),
        (
            "connector test prod",
            "POST /api/v1/connectors/prod/test",
            checks(),
        ),
        (
            "connector webhook prod --enable",
            "POST /api/v1/connectors/prod/webhook",
            checks(),
        ),
        (
            "connector webhook prod --manual",
            "POST /api/v1/connectors/prod/webhook",
            checks(),
        ),
        (
            "connector outbox list prod",
            "GET /api/v1/connectors/prod/outbox",
            json!([]),
        ),
        ("token list", "GET /api/v1/tokens", json!([])),
        ("config show", "GET /api/v1/settings", json!({})),
        ("doctor", "GET /api/v1/doctor", checks()),
    ]
}

#[test]
fn json_prints_the_apis_own_object_and_nothing_else() {
    for (line, call, answer) in answered() {
        let said = on(&Fake::default().on(call, 200, &answer)).im(&format!("{line} --json"));
        assert_eq!(
            serde_json::from_str::<Value>(&said.out).unwrap(),
            answer,
            "{line}"
        );
        assert_eq!(said.err, "", "{line}");
    }
    for (line, call) in [
        ("token revoke ci", "DELETE /api/v1/tokens/ci"),
        ("connector remove ci --yes", "DELETE /api/v1/connectors/ci"),
    ] {
        let said = on(&Fake::default().on(call, 204, &Value::Null)).im(&format!("{line} --json"));
        assert!(serde_json::from_str::<Value>(&said.out).is_ok(), "{line}");
    }
}

#[test]
fn a_failed_check_is_exit_code_one() {
    let failed = json!({"ok": false, "lines": [{"state": "failed", "text": "x", "cause": null, "next": null}]});
    for (line, call) in [
        ("connector test prod", "POST /api/v1/connectors/prod/test"),
        (
            "connector webhook prod --test",
            "POST /api/v1/connectors/prod/webhook",
        ),
        ("doctor", "GET /api/v1/doctor"),
    ] {
        assert_eq!(
            on(&Fake::default().on(call, 200, &failed)).im(line).code,
            1,
            "{line}"
        );
    }
}

#[test]
fn wrong_values_are_refused_before_anything_is_asked() {
    let fake = Fake::default();
    let mut all = String::new();
    for line in [
        "ack",
        "ack INC-42 --incident INC-43",
        "ack PINC1",
        "declare --sev SEV-9 --title x",
        "declare --title x",
        "edit INC-42",
        "list --status broken",
        "list --limit 5000",
        "ack INC-42 --wait 5",
        "ack INC-42 --wait 2m",
        "note INC-42",
        "note somebody should look",
        "assign INC-42",
        "connector add pagerduty Prod --config {}",
        "connector add pagerduty prod --config [1]",
        "connector add pagerduty prod --config {",
        "connector add pagerduty prod --config @/does/not/exist",
        "connector add jira prod",
        "connector webhook prod --enable --disable",
        "connector webhook prod --disable --insecure",
        "connector webhook prod --insecure",
        "connector webhook prod --scope service:PDAT001",
        "connector webhook prod --secret -",
        "connector config prod --direction sideways",
        "connector config prod --set custom.x",
        "config set colour blue",
        "nonsense",
    ] {
        let said = on(&fake).im(line);
        assert_eq!(said.code, 2, "{line}");
        assert_eq!(said.out, "", "{line}");
        writeln!(all, "$ im {line}\n{}", said.err).unwrap();
    }
    assert!(fake.seen().is_empty());
    assert_snapshot!("wrong_values", all);
}

#[test]
fn a_usage_line_does_not_ask_for_what_the_environment_says() {
    let wrong = without_api().im("declare --title x --server http://localhost:1");
    let usage = "Usage: im declare [OPTIONS] --sev <SEVERITY> --title <TITLE>\n";
    assert!(wrong.err.contains(usage), "{}", wrong.err);
}

#[test]
fn questions_need_somebody_to_answer() {
    let fake = Fake::default();
    let mut all = String::new();
    for line in [
        "connector add pagerduty prod",
        "connector update prod",
        "connector remove prod",
        "delete INC-42",
    ] {
        let said = on(&fake).im(line);
        assert_eq!(said.code, 2, "{line}");
        writeln!(all, "$ im {line}\n{}", said.err).unwrap();
    }
    assert_snapshot!("no_terminal", all);
    let declined = on(&fake).answering(&["n"]).im("delete INC-42");
    assert_snapshot!("declined", declined.all());
    let gone = on(&fake)
        .answering(&["key"])
        .im("connector add pagerduty prod");
    assert_snapshot!("gone", gone.all());
    assert!(fake.seen().is_empty());
}

#[test]
fn warnings_do_not_mix_with_results() {
    let added = connector_with(&json!({"direction": "outbound",
        "warnings": ["with direction outbound, what happens at PagerDuty changes nothing here"]}));
    let fake = Fake::default().on("POST /api/v1/connectors", 201, &added);
    assert_snapshot!(
        "added_with_warning",
        on(&fake)
            .im("connector add pagerduty prod-pagerduty --config {}")
            .all()
    );
    let fake = Fake::default().on("PATCH /api/v1/connectors/prod", 200, &connector());
    assert_snapshot!(
        "updated_with_warning",
        on(&fake).im("connector update prod --api-key u+key").all()
    );
    let quiet = on(&fake).im("connector config prod --service-id P1 -q");
    assert_eq!(
        (quiet.out.as_str(), quiet.err.as_str()),
        ("Updated prod\n", "")
    );
}

#[test]
fn an_api_that_is_not_im_is_named() {
    let mut all = String::new();
    let fake = Fake::default().on("GET /api/v1/doctor", 404, &json!("<html>"));
    all.push_str(&on(&fake).im("doctor").all());
    let fake = Fake::default().on("GET /api/v1/doctor", 200, &json!({"fine": true}));
    all.push_str(&on(&fake).im("doctor").all());
    all.push_str(&without_api().im("doctor --server ftp://example.com").all());
    all.push_str(&without_api().im("doctor --server example").all());
    assert_snapshot!("foreign", all);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // A port that was free a moment ago; nobody listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let server = format!("http://127.0.0.1:{port}");
    let said = without_api().im(&format!("list --server {server}"));
    assert_eq!(said.code, 7);
    assert_snapshot!("unreachable", said.err.replace(&server, "SERVER"));
}

#[test]
fn without_a_home_the_data_directory_must_be_named() {
    let said = without_api().im("list");
    assert_snapshot!("no_home", said.all());
}
