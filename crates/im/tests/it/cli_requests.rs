//! Which requests a command makes.

use serde_json::{Value, json};

use crate::cli::{Fake, Run, on, without_api};
use crate::cli_examples::{connector, incident_with, outcome};

/// Runs `line` on an API that answers its one call with `answer`, and compares what was asked.
#[track_caller]
fn check_answered(prepare: fn(Run) -> Run, line: &str, expect: &str, answer: &Value) {
    let path = expect.split(' ').nth(1).unwrap();
    let call = format!(
        "{} {}",
        expect.split(' ').next().unwrap(),
        path.split('?').next().unwrap()
    );
    let fake = Fake::default().on(&call, 200, answer);
    let said = prepare(on(&fake)).im(line);
    assert_eq!(
        said.err.lines().find(|line| line.starts_with("error")),
        None
    );
    assert_eq!(said.code, 0);
    assert_eq!(fake.seen(), [expect]);
}

#[track_caller]
fn check(line: &str, expect: &str) {
    check_answered(|run| run, line, expect, &outcome("Done", "none", ""));
}

#[track_caller]
fn check_connector(line: &str, expect: &str) {
    check_answered(|run| run, line, expect, &connector());
}

#[test]
fn a_change_is_one_request() {
    check(
        "declare --sev sev2 --title 'Database performance issue' --service db --connector prod-pagerduty",
        r#"POST /api/v1/incidents?wait=5s {"connector":"prod-pagerduty","service":"db","severity":"SEV-2","title":"Database performance issue"}"#,
    );
    check(
        "ack INC-42",
        "POST /api/v1/incidents/INC-42/acknowledge?wait=5s {}",
    );
    check(
        "ack --incident INC-42 --note 'Investigating database locks'",
        r#"POST /api/v1/incidents/INC-42/acknowledge?wait=5s {"note":"Investigating database locks"}"#,
    );
    check(
        "resolve 42 --wait 0s",
        "POST /api/v1/incidents/INC-42/resolve?wait=0s {}",
    );
    check(
        "close inc-42",
        "POST /api/v1/incidents/INC-42/close?wait=5s {}",
    );
    check(
        "reopen INC-42",
        "POST /api/v1/incidents/INC-42/reopen?wait=5s {}",
    );
    check(
        "mitigate INC-42",
        "POST /api/v1/incidents/INC-42/mitigate?wait=5s {}",
    );
    check(
        "cancel INC-42 --wait 1m",
        "POST /api/v1/incidents/INC-42/cancel?wait=1m {}",
    );
    check(
        "duplicate INC-42 --of 7",
        r#"POST /api/v1/incidents/INC-42/duplicate?wait=5s {"of":"INC-7"}"#,
    );
    check(
        "edit INC-42 --sev SEV-1 --title T",
        r#"PATCH /api/v1/incidents/INC-42?wait=5s {"severity":"SEV-1","title":"T"}"#,
    );
    check(
        "delete INC-42 --yes",
        "DELETE /api/v1/incidents/INC-42?wait=5s",
    );
}

#[test]
fn notes_and_people_follow_the_incident_or_its_flag() {
    let noted = r#"POST /api/v1/incidents/INC-42/notes?wait=5s {"text":"the disk is full"}"#;
    check("note INC-42 'the disk is full'", noted);
    check("note INC-42 the disk is full", noted);
    check("note --incident INC-42 the disk is full", noted);
    check_answered(
        |run| run.stdin("the disk is full\n"),
        "note INC-42 -",
        noted,
        &outcome("Done", "none", ""),
    );
    let assigned =
        r#"POST /api/v1/incidents/INC-42/assign?wait=5s {"to":["ann@example.com","PBOB001"]}"#;
    check("assign INC-42 ann@example.com PBOB001", assigned);
    check("assign ann@example.com PBOB001 --incident 42", assigned);
}

#[test]
fn a_description_comes_from_the_line_a_file_or_standard_input() {
    let expect = r#"PATCH /api/v1/incidents/INC-42?wait=5s {"description":"one\ntwo"}"#;
    check_answered(
        |run| run.stdin("one\ntwo\n"),
        "edit INC-42 --description -",
        expect,
        &outcome("Done", "none", ""),
    );
    let file = std::env::temp_dir().join(format!("im-cli-{}", std::process::id()));
    std::fs::write(&file, "one\ntwo\n").unwrap();
    check(
        &format!("edit INC-42 --description @{}", file.display()),
        expect,
    );
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn who_acts_is_said_in_a_header() {
    check(
        "--as ann@example.com ack INC-42",
        "POST /api/v1/incidents/INC-42/acknowledge?wait=5s im-as=ann@example.com {}",
    );
    check(
        "ack INC-42 --as ann@example.com",
        "POST /api/v1/incidents/INC-42/acknowledge?wait=5s im-as=ann@example.com {}",
    );
}

#[test]
fn a_server_is_asked_over_the_network_with_the_token() {
    let fake = Fake::default().on(
        "POST /api/v1/incidents/INC-42/acknowledge",
        200,
        &outcome("Acknowledged INC-42", "none", ""),
    );
    let server = fake.listen();
    let line = format!("ack INC-42 --note ok --server {server} --token t0ken --as ann@example.com");
    let said = without_api().im(&line);
    assert_eq!(said.all(), "Acknowledged INC-42\n");
    assert_eq!(
        fake.seen(),
        [
            r#"POST /api/v1/incidents/INC-42/acknowledge?wait=5s authorization=Bearer t0ken im-as=ann@example.com {"note":"ok"}"#
        ]
    );
}

#[test]
fn a_list_is_filtered_by_the_server() {
    check_answered(
        |run| run,
        "list --status open --status mitigated --sev 1 --service db --search 'a & b' --limit 7",
        "GET /api/v1/incidents?status=open&status=mitigated&severity=SEV-1&service=db&q=a+%26+b&limit=7",
        &json!([]),
    );
}

#[test]
fn the_whole_list_comes_in_pages_and_is_one_document() {
    let call = "GET /api/v1/incidents";
    let numbered =
        |number: u32| incident_with(&json!({"id": format!("INC-{number}"), "number": number}));
    let first: Vec<Value> = (2..=1001).rev().map(numbered).collect();
    let fake = Fake::default()
        .on(call, 200, &json!(first))
        .on(call, 200, &json!([numbered(1)]));
    let said = on(&fake).im("list --all --json");
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document.as_array().unwrap().len(), 1001);
    assert_eq!(
        fake.seen(),
        [
            "GET /api/v1/incidents?limit=1000",
            "GET /api/v1/incidents?before=2&limit=1000"
        ]
    );
}

#[test]
fn a_connector_is_added_from_json_verbatim() {
    let expect = r#"POST /api/v1/connectors {"config":{"api_key":"k","custom":{"service_id":"P1"},"unknown":1},"name":"prod","type":"pagerduty"}"#;
    let config = r#"{"api_key": "k", "custom": {"service_id": "P1"}, "unknown": 1}"#;
    check_connector(
        &format!("connector add pagerduty prod --config '{config}'"),
        expect,
    );
    check_answered(
        |run| run.stdin(r#"{"api_key": "k", "custom": {"service_id": "P1"}, "unknown": 1}"#),
        "connector add pagerduty prod --config -",
        expect,
        &connector(),
    );
}

/// Adds a connector by answers where PagerDuty cannot be asked; what was asked of the API.
#[track_caller]
fn check_added(answers: &[&'static str], expect: &str) {
    let silent = json!({"status": 504, "detail": "PagerDuty cannot be reached"});
    let fake = Fake::default()
        .on("POST /api/v1/key-probe", 504, &silent)
        .on("POST /api/v1/connectors", 201, &connector());
    let said = on(&fake)
        .answering(answers)
        .im("connector add pagerduty prod");
    assert_eq!(said.code, 0, "{}", said.all());
    assert!(
        said.err.contains("PagerDuty cannot be asked now"),
        "{}",
        said.err
    );
    assert_eq!(fake.seen().last().map(String::as_str), Some(expect));
}

#[test]
fn a_connector_is_added_by_six_answers() {
    check_added(
        &[
            "key",
            "",
            "PXXXXXX",
            "ops@company.com",
            "PPOL001",
            "bidirectional",
        ],
        r#"POST /api/v1/connectors {"config":{"api_key":"key","base_url":"https://api.pagerduty.com","custom":{"escalation_policy_id":"PPOL001","from_email":"ops@company.com","service_id":"PXXXXXX"},"sync_direction":"bidirectional"},"name":"prod","type":"pagerduty"}"#,
    );
    // What cannot be right is asked again: key, address, id, e-mail, direction.
    check_added(
        &[
            "",
            "key",
            "ftp://x",
            "https://api.eu.pagerduty.com",
            "",
            "P-1",
            "PXXXXXX",
            "ops",
            "ops@company.com",
            "",
            "sideways",
            "",
            "none",
        ],
        r#"POST /api/v1/connectors {"config":{"api_key":"key","base_url":"https://api.eu.pagerduty.com","custom":{"from_email":"ops@company.com","service_id":"PXXXXXX"},"sync_direction":"none"},"name":"prod","type":"pagerduty"}"#,
    );
}

#[test]
fn a_connector_is_changed_in_parts() {
    check_connector(
        "connector config prod --service-id P1 --escalation-policy none --direction outbound --sync-interval 2m",
        r#"PATCH /api/v1/connectors/prod {"custom":{"escalation_policy_id":null,"service_id":"P1"},"sync_direction":"outbound","sync_interval":"2m"}"#,
    );
    check_connector(
        "connector config prod --set custom.service_mappings.db=PDAT001 --set custom.auto_resolve=false",
        r#"PATCH /api/v1/connectors/prod {"custom":{"auto_resolve":false,"service_mappings":{"db":"PDAT001"}}}"#,
    );
    let updated = r#"PATCH /api/v1/connectors/prod {"api_key":"new"}"#;
    check_connector("connector update prod --api-key new", updated);
    check_answered(
        |run| run.stdin("new\n"),
        "connector update prod --api-key -",
        updated,
        &connector(),
    );
    check_answered(
        |run| run.answering(&["new"]),
        "connector update prod",
        updated,
        &connector(),
    );
    check_answered(
        |run| run.env(|name| (name == "IM_API_KEY").then(|| "new".to_owned())),
        "connector update prod",
        updated,
        &connector(),
    );
}

#[test]
fn the_rest_of_connector_and_server() {
    let checks = json!({"ok": true, "url": null, "lines": []});
    let webhook = |flags: &str, body: &str| {
        check_answered(
            |run| run,
            &format!("connector webhook prod {flags}"),
            &format!("POST /api/v1/connectors/prod/webhook {body}"),
            &checks,
        );
    };
    webhook("--enable", r#"{"action":"enable"}"#);
    webhook("--repair", r#"{"action":"repair","insecure":false}"#);
    webhook(
        "--repair --insecure",
        r#"{"action":"repair","insecure":true}"#,
    );
    webhook(
        "--enable --scope team:PTEAM01",
        r#"{"action":"enable","scope":"team:PTEAM01"}"#,
    );
    webhook(
        "--enable --insecure",
        r#"{"action":"enable","insecure":true}"#,
    );
    webhook("--disable", r#"{"action":"disable"}"#);
    webhook("--test", r#"{"action":"test"}"#);
    webhook("--manual --secret s", r#"{"action":"manual","secret":"s"}"#);
    webhook("--manual", r#"{"action":"manual"}"#);
    check_answered(
        |run| run,
        "connector sync prod --incident 42",
        r#"POST /api/v1/connectors/prod/sync {"incident":"INC-42"}"#,
        &json!({"created": 0, "updated": 1, "unchanged": 0, "failed": 0, "repaired": 0, "complete": true, "messages": []}),
    );
    check_answered(
        |run| run.answering(&["y"]),
        "connector remove prod",
        "DELETE /api/v1/connectors/prod",
        &Value::Null,
    );
    check_answered(
        |run| run,
        "connector remove prod --purge --yes",
        "DELETE /api/v1/connectors/prod?purge=true",
        &Value::Null,
    );
    check_answered(
        |run| run,
        "config set public_url https://im.example.com",
        r#"PATCH /api/v1/settings {"public_url":"https://im.example.com"}"#,
        &json!({}),
    );
    check_answered(
        |run| run,
        "token create ci --email ci@example.com",
        r#"POST /api/v1/tokens {"email":"ci@example.com","name":"ci"}"#,
        &json!({"name": "ci", "secret": "x", "role": "responder"}),
    );
}

#[test]
fn people_and_tokens_with_roles() {
    check_answered(
        |run| run,
        "token create ci --role viewer --scope personal_load",
        r#"POST /api/v1/tokens {"name":"ci","role":"viewer","scopes":["personal_load"]}"#,
        &json!({"name": "ci", "secret": "x", "role": "viewer"}),
    );
    let account = json!({"email": "a@b.example", "name": "", "role": "viewer", "state": "active",
        "personal_load": false, "created_at": "2026-11-20T09:00:00Z"});
    for (line, request) in [
        (
            "user role a@b.example --personal-load off",
            r#"role {"personal_load":false}"#,
        ),
        ("user disable a@b.example", "disable {}"),
        ("user enable a@b.example", "enable {}"),
    ] {
        let request = format!("POST /api/v1/accounts/a@b.example/{request}");
        check_answered(|run| run, line, &request, &account);
    }
    check_answered(
        |run| run,
        "audit --who ci --since 2026-11-20T09:00:00Z --limit 5",
        "GET /api/v1/audit?who=ci&limit=5&since=2026-11-20T09%3A00%3A00Z",
        &json!([]),
    );
}
