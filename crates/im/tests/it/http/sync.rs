//! What somebody is told who asks for a comparison. The runs are made up, so no loop runs here.

use im_store::repair::{self, Found};
use im_store::{StoreError, Tx, connectors};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Server, config};

const PATH: &str = "/api/v1/connectors/prod/sync";

/// A run that has found something and goes on.
fn begin(tx: &mut Tx<'_>, created: i64, unchanged: i64, now: Timestamp) -> Result<i64, StoreError> {
    let run = repair::start(tx, "prod", "first", "{}", now)?;
    repair::claim(tx, run, now, now)?;
    let found = Found {
        created,
        unchanged,
        ..Found::default()
    };
    repair::count(tx, run, found)?;
    Ok(run)
}

#[tokio::test]
async fn silence_is_an_error_and_much_to_read_is_none() {
    let server = Server::with_connector(config()).await;
    let path = format!("{PATH}?wait=0s");
    let silent = server.post(&path, Value::Null).await;
    assert_eq!(silent.is(504)["code"], "pagerduty");
    let now = server.clock.now();
    server.write(move |tx| begin(tx, 7, 0, now).map(drop)).await;
    let busy = server.post(&path, Value::Null).await;
    assert_eq!(busy.is(200)["complete"], false);
    assert_eq!(busy.body["created"], 7);
    // The same step again: it was not answered the first time.
    server
        .write(move |tx| repair::claim(tx, 1, now, now).map(drop))
        .await;
    let silent = server.post(&path, Value::Null).await;
    let detail = silent.is(504)["detail"].as_str().unwrap();
    assert_eq!(detail, "PagerDuty has not answered within 0 s");
    assert!(
        silent.body["hint"]
            .as_str()
            .unwrap()
            .contains("im connector test prod")
    );
    for wrong in ["wait=1d", "wait=2m", "colour=red"] {
        server
            .post(&format!("{PATH}?{wrong}"), Value::Null)
            .await
            .is(400);
    }
}

/// Somebody asks; then what is under way ends, and a run for her comes and ends.
async fn ask(server: &Server, under_way: Option<i64>) -> Value {
    let now = server.clock.now();
    server
        .write(move |tx| {
            let later = "2026-11-20T12:00:00Z".parse().unwrap();
            connectors::schedule_sync(tx, "prod", later, "interval")
        })
        .await;
    let runs = async {
        loop {
            let row = server.app.db.read(|tx| connectors::find(tx, "prod"));
            if row.await.unwrap().unwrap().sync_cause == "asked" {
                break;
            }
            tokio::task::yield_now().await;
        }
        server
            .write(move |tx| {
                if let Some(run) = under_way {
                    repair::finish(tx, run, None, now)?;
                }
                let run = begin(tx, 1, 10, now)?;
                repair::finish(tx, run, None, now)
            })
            .await;
    };
    let (answer, ()) = tokio::join!(server.post(PATH, json!({})), runs);
    answer.is(200).clone()
}

#[tokio::test]
async fn what_the_first_comparison_finds_is_told_to_who_asked_meanwhile() {
    let server = Server::with_connector(config()).await;
    let now = server.clock.now();
    server
        .write(move |tx| begin(tx, 34, 0, now).map(drop))
        .await;
    server.pass(1);
    let synced = ask(&server, Some(1)).await;
    assert_eq!(
        synced,
        json!({"created": 35, "updated": 0, "unchanged": 0, "failed": 0, "repaired": 0, "complete": true, "mended": [],
            "messages": ["another comparison was under way; what it found is counted"]})
    );
}

#[tokio::test]
async fn what_was_found_just_before_is_said() {
    let server = Server::with_connector(config()).await;
    let now = server.clock.now();
    server
        .write(move |tx| {
            let run = begin(tx, 34, 0, now)?;
            repair::finish(tx, run, None, now)
        })
        .await;
    server.pass(5);
    let synced = ask(&server, None).await;
    assert_eq!(
        (&synced["created"], &synced["unchanged"]),
        (&json!(1), &json!(10))
    );
    assert_eq!(
        synced["messages"],
        json!(["another comparison ended just before: it created 34, updated 0, failed 0"])
    );
    // An hour later it is old news.
    server.pass(3_600);
    assert_eq!(ask(&server, None).await["messages"], json!([]));
}
