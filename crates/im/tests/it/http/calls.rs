//! Every call to PagerDuty is kept: with which key, why, and what came of it.

use im_store::calls::{self, Asked, CallEntry, Why};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::there::{There, lines};
use super::{NEAR, request};

async fn listed(there: &There, query: &str) -> Vec<Value> {
    let answer = there.server.get(&format!("/api/v1/calls{query}")).await;
    answer.is(200).as_array().unwrap().clone()
}

fn text<'v>(call: &'v Value, name: &str) -> &'v str {
    call[name].as_str().unwrap_or_default()
}

#[tokio::test]
async fn each_call_is_kept_with_the_end_of_its_key_and_what_it_was_for_and_no_address_of_anybody() {
    let there = There::start().await;
    let work = there.server.work();
    let new = json!({"title": "Disk full", "severity": "SEV-2"});
    there
        .server
        .post("/api/v1/incidents?wait=20s", new)
        .await
        .is(201);
    there
        .server
        .post("/api/v1/connectors/prod/sync?wait=20s", Value::Null)
        .await
        .is(200);
    drop(work);
    let all = listed(&there, "?limit=1000").await;
    let key = &there.stand_in.account.api_key;
    let (_, end) = key.split_at(key.len() - 4);
    let end = format!("********{end}");
    for call in &all {
        assert_eq!(text(call, "connector"), "prod", "{call}");
        assert_eq!(text(call, "key"), end, "{call}");
        assert!(
            text(call, "path").starts_with('/') && !text(call, "path").contains('?'),
            "{call}"
        );
        assert!(
            call["ms"].is_i64() && !text(call, "at").is_empty(),
            "{call}"
        );
    }
    let is = |method: &str, path: &str, why: &str| {
        all.iter().any(|call| {
            (text(call, "method"), text(call, "path"), text(call, "why")) == (method, path, why)
        })
    };
    assert!(is("POST", "/incidents", "change"), "{all:?}");
    assert!(is("GET", "/log_entries", "compare"), "{all:?}");
    assert!(
        is("GET", "/users/me", "asked"),
        "the key was tried: {all:?}"
    );
    let said = json!(all).to_string();
    let email = &there.stand_in.account.users[0].2;
    assert!(
        !said.contains(key.as_str()) && !said.contains(email.as_str()),
        "{said}"
    );
    // What did nothing is found by it.
    let away = json!({"api_key": "u+nobodyhasthiskey000", "base_url": "http://127.0.0.1:1"});
    there.server.post("/api/v1/key-probe", away).await;
    let failed = listed(&there, "?failed=true").await;
    assert!(!failed.is_empty(), "one was not answered");
    for call in failed {
        assert_ne!(text(&call, "outcome"), "done", "{call}");
    }
    let page = request(NEAR, "GET", "/audit/calls?connector=prod", &Value::Null);
    let page = there.server.send_unseen(page).await.body.to_string();
    assert!(page.contains("/incidents") && page.contains(&end), "{page}");
}

#[tokio::test]
async fn a_connector_that_never_called_is_told_from_one_that_never_was() {
    let there = There::start().await;
    let ask = async |query: &str| there.server.get(&format!("/api/v1/calls?{query}")).await;
    assert_eq!(*ask("connector=prod&before=1").await.is(200), json!([]));
    let unknown = ask("connector=other").await;
    assert_eq!(unknown.is(404)["detail"], "there is no connector `other`");
    let odd = ask("failed=perhaps").await;
    assert_eq!(odd.is(400)["detail"], "`failed` cannot be `perhaps`");
}

#[tokio::test]
async fn a_call_that_nobody_answers_or_that_is_refused_is_kept_too() {
    let there = There::start().await;
    let probe = json!({"api_key": "u+nobodyhasthiskey000", "base_url": there.stand_in.base_url});
    there.server.post("/api/v1/key-probe", probe).await.is(422);
    let probe = json!({"api_key": "u+nobodyhasthiskey000", "base_url": "http://127.0.0.1:1"});
    there.server.post("/api/v1/key-probe", probe).await;
    let failed = listed(&there, "?failed=true").await;
    let [away, refused, ..] = failed.as_slice() else {
        panic!("{failed:?}");
    };
    assert_eq!(
        (&away["status"], text(away, "key")),
        (&Value::Null, "********y000")
    );
    assert_eq!(refused["status"], 401, "{refused}");
}

#[tokio::test]
async fn the_doctor_says_when_pagerduty_last_answered_and_that_it_does_not_now() {
    let there = There::start().await;
    // What was called by now is stored.
    there.server.app.caller.close().await;
    let call = |status: Option<u16>| CallEntry {
        at: there.server.clock.now(),
        connector: "prod".to_owned(),
        why: Why::Compare,
        method: "GET".to_owned(),
        path: "/incidents".to_owned(),
        key: "********0000".to_owned(),
        status,
        outcome: "done".to_owned(),
        ms: 1,
    };
    let keep = async |call: CallEntry| {
        there
            .server
            .write(move |tx| calls::insert(tx, std::slice::from_ref(&call)))
            .await;
    };
    let said = async || {
        let lines = lines(&there.server.get("/api/v1/doctor").await);
        let line = lines.iter().find(|line| line.contains("answered"));
        line.cloned().unwrap_or_else(|| format!("{lines:?}"))
    };
    keep(call(Some(404))).await;
    assert_eq!(
        said().await,
        "ok: prod: PagerDuty last answered at 2026-11-20 09:14 UTC"
    );
    there.server.pass(600);
    keep(call(Some(503))).await;
    let now = said().await;
    assert!(
        now.starts_with("failed: prod: PagerDuty answers (at 2026-11-20 09:24 UTC it answered HTTP 503; it last answered at 2026-11-20 09:14 UTC"),
        "{now}"
    );
    keep(call(None)).await;
    assert!(said().await.contains("there was no answer"));
}

#[tokio::test]
async fn what_was_called_is_stored_when_the_server_ends_and_what_is_too_old_goes() {
    let there = There::start().await;
    let old = [CallEntry {
        at: there.server.clock.now() - SignedDuration::from_hours(24 * 90 + 1),
        connector: "prod".to_owned(),
        why: Why::Asked,
        method: "GET".to_owned(),
        path: "/of-long-ago".to_owned(),
        key: "********0000".to_owned(),
        status: Some(200),
        outcome: "done".to_owned(),
        ms: 1,
    }];
    there.server.write(move |tx| calls::insert(tx, &old)).await;
    let asked = Asked {
        connector: Some("prod".to_owned()),
        since: Timestamp::UNIX_EPOCH,
        failed: false,
        before: i64::MAX,
        limit: 1000,
    };
    there.server.app.caller.close().await;
    let stored = there
        .server
        .app
        .db
        .read(move |tx| calls::newest(tx, &asked));
    let stored = stored.await.unwrap();
    assert!(!stored.is_empty(), "adding a connector tries its key");
    let mut paths = stored.iter().map(|call| call.entry.path.as_str());
    assert!(
        paths.all(|path| path != "/of-long-ago"),
        "commands forget, too"
    );
}
