//! The log as `im logs` shows it: rows I-110 … I-114 and M-030.

use std::path::PathBuf;

use im::journal::Journal;
use serde_json::{Value, json};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

use super::there::There;
use super::{NEAR, Server, request};
use crate::cli;

/// A directory of this test alone.
pub(super) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What this thread says from now on is kept in `folder`.
pub(super) fn keep(folder: &std::path::Path) -> DefaultGuard {
    let subscriber = tracing_subscriber::registry().with(Journal::open(folder));
    tracing::subscriber::set_default(subscriber)
}

/// The lines that are asked for, as `level component text`.
async fn lines(server: &Server, query: &str) -> Vec<String> {
    let found = server.get(&format!("/api/v1/logs?{query}")).await;
    let lines = found.is(200)["lines"].as_array().unwrap().clone();
    let word = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let line = |line: &Value| {
        ["level", "component", "text"]
            .map(|key| word(line, key))
            .join(" ")
    };
    lines.iter().map(line).collect()
}

#[tokio::test]
async fn i110_m030_each_call_and_each_delivery_is_in_the_log_without_key_or_address() {
    let folder = folder("logs-calls");
    let there = There::changed(|app| app.logs = Some(folder.clone())).await;
    let _kept = keep(&folder);
    there.test().await.is(200);
    let calls = lines(&there.server, "component=api").await;
    assert!(
        calls.contains(&"debug api GET /users/me: 400 after 0 ms".to_owned()),
        "{calls:#?}"
    );
    let service = &there.stand_in.account.services[0].0;
    assert!(calls.contains(&format!(
        "debug api GET /services/{service}: 200 after 0 ms"
    )));
    // Addresses stand in queries.
    assert!(
        calls.contains(&"debug api GET /users: 200 after 0 ms".to_owned()),
        "{calls:#?}"
    );
    let before = calls.len();
    let forged = json!({"event": {"id": "1"}});
    there.enable().await.is(200);
    let mut forged = request(NEAR, "POST", "/connectors/prod/webhook", &forged);
    let wrong = format!("v1={}", "ab".repeat(32)).parse().unwrap();
    forged.headers_mut().insert("x-pagerduty-signature", wrong);
    there.server.send(forged).await;
    let told = lines(&there.server, "component=webhook&filter=pagerduty").await;
    assert!(
        told.iter()
            .any(|line| line.starts_with("error webhook a webhook has no good signature")),
        "{told:#?}"
    );
    assert!(
        told.contains(&"debug webhook a webhook was refused: the signature is wrong".to_owned()),
        "{told:#?}"
    );
    assert!(
        told.iter().all(|line| line.contains(" webhook ")),
        "{told:#?}"
    );
    assert!(lines(&there.server, "component=api").await.len() > before);
    let file = std::fs::read_to_string(folder.join("im.log")).unwrap();
    let email = &there.stand_in.account.users[0].2;
    for hidden in [&there.stand_in.account.api_key, email, "Authorization"] {
        assert!(!file.contains(hidden), "{hidden}: {file}");
    }
}

/// What PagerDuty says of the requests that it answered, and what we say of our calls.
async fn both_sides(server: &Server) -> (Vec<String>, Vec<String>) {
    let calls = lines(server, "component=api&limit=5000").await;
    let ours = calls.iter().filter_map(|line| {
        let call = line.strip_prefix("debug api ")?;
        Some(call.split_once(": ")?.0.to_owned())
    });
    let answered = lines(server, "component=server&limit=5000").await;
    let theirs = answered.iter().filter_map(|line| {
        let request = line.strip_prefix("debug server ")?;
        let (method, path) = request.split_once(' ')?;
        let is_request = path.starts_with('/') && method.chars().all(|c| c.is_ascii_uppercase());
        is_request.then(|| request.to_owned())
    });
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
    ours.sort();
    theirs.sort();
    (ours, theirs)
}

#[tokio::test]
async fn m030_every_request_that_the_key_makes_is_listed() {
    let folder = folder("logs-all");
    let _kept = keep(&folder);
    let there = There::changed(|app| app.logs = Some(folder.clone())).await;
    let _working = there.server.work();
    there.enable().await.is(200);
    there.test().await.is(200);
    let server = &there.server;
    server
        .post("/api/v1/connectors/prod/sync", json!({}))
        .await
        .is(200);
    server.get("/api/v1/connectors/prod/health").await.is(200);
    let declared = json!({"title": "Disk full", "severity": "SEV-2"});
    server
        .post("/api/v1/incidents?wait=5s", declared)
        .await
        .is(201);
    let account = &there.stand_in.account;
    let probe = json!({"api_key": account.user_key, "base_url": there.stand_in.base_url});
    server.post("/api/v1/key-probe", probe).await.is(200);
    // A call may be under way at the moment of the look.
    let mut seen = both_sides(server).await;
    for _ in 0..100 {
        if seen.0 == seen.1 {
            break;
        }
        seen = both_sides(server).await;
    }
    let (ours, theirs) = seen;
    assert!(theirs.len() > 30, "{theirs:?}");
    assert_eq!(ours, theirs);
    let file = std::fs::read_to_string(folder.join("im.log")).unwrap();
    for hidden in [&account.api_key, &account.user_key] {
        assert!(!file.contains(hidden), "{hidden}: {file}");
    }
}

#[tokio::test]
async fn mw21_a_connector_that_only_receives_sends_reads_alone() {
    let folder = folder("logs-reads");
    let _kept = keep(&folder);
    let there = There::changed(|app| app.logs = Some(folder.clone())).await;
    let _working = there.server.work();
    there.enable().await.is(200);
    let inbound = json!({"sync_direction": "inbound"});
    let server = &there.server;
    server
        .patch("/api/v1/connectors/prod", inbound)
        .await
        .is(200);
    let writes = |all: &[String]| {
        let written = all.iter().filter(|line| !line.starts_with("GET "));
        written.count()
    };
    let (_, before) = both_sides(server).await;
    // PagerDuty gives up on the webhook, and it is quiet for hours.
    let now = there.stand_in.clock.now();
    there.stand_in.with(|sim| {
        let id = sim.subscriptions()[0].id.clone();
        assert!(sim.disable_subscription(&id, now));
    });
    server.pass(4 * 3600);
    there.test().await.is(200);
    server.get("/api/v1/connectors/prod/health").await.is(200);
    server.get("/api/v1/connectors/prod/doctor").await.is(200);
    let synced = server.post("/api/v1/connectors/prod/sync", json!({})).await;
    let said = synced.is(200)["messages"].to_string();
    assert!(
        said.contains("`im connector webhook prod --enable` switches it on"),
        "{said}"
    );
    let (_, after) = both_sides(server).await;
    assert!(after.len() > before.len() + 10, "{after:?}");
    assert_eq!(writes(&after), writes(&before), "{after:?}");
    // Awake again, it is still not asked for a test event.
    there.stand_in.with(|sim| {
        let id = sim.subscriptions()[0].id.clone();
        assert!(sim.enable_subscription(&id));
    });
    there.test().await.is(200);
    server.get("/api/v1/connectors/prod/health").await.is(200);
    let (_, after) = both_sides(server).await;
    assert_eq!(writes(&after), writes(&before), "{after:?}");
}

#[tokio::test]
async fn i112_i113_i114_a_connectors_settings_put_requests_and_answers_into_the_log_at_once() {
    let folder = folder("logs-settings");
    let there = There::changed(|app| app.logs = Some(folder.clone())).await;
    let _kept = keep(&folder);
    let services = async || {
        let path = "/api/v1/connectors/prod/services";
        there.server.get(path).await.is(200);
        let all = lines(&there.server, "component=api").await;
        all.into_iter()
            .rev()
            .find(|line| line.contains("GET /services:"))
            .unwrap()
    };
    assert_eq!(services().await, "debug api GET /services: 200 after 0 ms");
    for switch in ["debug", "log_requests"] {
        let change = async |on: bool| {
            let part = json!({switch: on});
            there
                .server
                .patch("/api/v1/connectors/prod", part)
                .await
                .is(200);
        };
        change(true).await;
        assert_eq!(
            services().await,
            "info api GET /services: 200 after 0 ms",
            "{switch}"
        );
        change(false).await;
        assert_eq!(
            services().await,
            "debug api GET /services: 200 after 0 ms",
            "{switch}"
        );
    }
    let answered = "GET /users answered ";
    assert!(lines(&there.server, "filter=answered").await.is_empty());
    let part = json!({"log_responses": true});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    there
        .server
        .get("/api/v1/connectors/prod/users")
        .await
        .is(200);
    let bodies = lines(&there.server, "filter=answered").await;
    let body = bodies.iter().find(|line| line.contains(answered)).unwrap();
    let [_, name, email] = [0, 1, 2].map(|at| match at {
        1 => there.stand_in.account.users[0].1.clone(),
        2 => there.stand_in.account.users[0].2.clone(),
        _ => String::new(),
    });
    assert!(
        body.contains(&name) && !body.contains(&email) && body.contains("[hidden]"),
        "{body}"
    );
    let shown = there.server.get("/api/v1/connectors/prod/config").await;
    assert_eq!(shown.is(200)["log_responses"], true);
}

#[tokio::test]
async fn i110_lines_are_chosen_by_component_text_time_and_number() {
    let folder = folder("logs-chosen");
    let journal = Journal::open(&folder);
    let fields = |connector: &str| json!({"connector": connector}).as_object().unwrap().clone();
    journal.write("info", "sync", "compared".to_owned(), fields("prod"));
    journal.write("warn", "webhook", "late".to_owned(), fields("other"));
    journal.write(
        "info",
        "server",
        "listening".to_owned(),
        serde_json::Map::new(),
    );
    // Another process goes on with the numbers.
    Journal::open(&folder).write(
        "info",
        "sync",
        "compared again".to_owned(),
        fields("PROD-2"),
    );
    // A line that was cut by a full disk.
    let mut text = std::fs::read_to_string(folder.join("im.log")).unwrap();
    text.push_str("{\"seq\":5,\"at\":\"2026");
    std::fs::write(folder.join("im.log"), text).unwrap();
    let clock = im::clock::Clock::manual("2026-11-20T09:14:05Z".parse().unwrap());
    let server = Server::changed(clock, true, |app| app.logs = Some(folder));
    assert_eq!(
        lines(&server, "").await,
        [
            "info sync compared",
            "warn webhook late",
            "info server listening",
            "info sync compared again"
        ]
    );
    assert_eq!(
        lines(&server, "filter=prod").await,
        ["info sync compared", "info sync compared again"]
    );
    assert_eq!(
        lines(&server, "filter=PagerDuty").await.len(),
        3,
        "the server's own line is about nothing of it"
    );
    assert_eq!(
        lines(&server, "component=webhook").await,
        ["warn webhook late"]
    );
    assert_eq!(
        lines(&server, "after=3").await,
        ["info sync compared again"]
    );
    assert_eq!(
        lines(&server, "limit=1").await,
        ["info sync compared again"]
    );
    assert!(
        lines(&server, "since=2999-01-01T00:00:00Z")
            .await
            .is_empty()
    );
    for wrong in ["component=x", "limit=x", "since=x", "after=x", "colour=red"] {
        server.get(&format!("/api/v1/logs?{wrong}")).await.is(400);
    }
    let none = Server::start().get("/api/v1/logs").await;
    assert_eq!(none.is(200)["kept"], false);
}

#[test]
fn i110_the_log_is_shown_a_line_each() {
    let logs = json!({"kept": true, "lines": [
        {"seq": 1, "at": "2026-11-20T09:16:30Z", "level": "warn", "component": "webhook", "text": "late", "fields": {"connector": "prod"}},
        {"seq": 2, "at": "2026-11-20T09:16:31Z", "level": "debug", "component": "api", "text": "GET /users: 200 after 45 ms",
            "fields": {"connector": "prod", "http.status": 200}}]});
    let fake = cli::Fake::default().on("GET /api/v1/logs", 200, &logs);
    let said = cli::on(&fake).im("logs --component webhook --filter pagerduty --since 2h");
    insta::assert_snapshot!(said.all());
    assert_eq!(
        fake.seen(),
        [
            "GET /api/v1/logs?limit=200&component=webhook&filter=pagerduty&since=2026-11-20T07%3A18%3A30Z"
        ]
    );
    let wrong = cli::on(&fake).im("logs --since yesterday");
    assert_eq!(wrong.code, 2, "{}", wrong.all());
    let none = cli::Fake::default().on(
        "GET /api/v1/logs",
        200,
        &json!({"kept": false, "lines": []}),
    );
    assert!(
        cli::on(&none)
            .im("logs")
            .err
            .contains("No log is kept here")
    );
}
