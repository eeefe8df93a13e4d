//! The image of the figures: a start that reads it tells what one tells that reads all facts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use im::clock::Clock;
use im::figures::Figures;
use im_metrics::{Answer, Metric, parse};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::figures::{live, with_incidents};
use super::{Server, config};

const NAME: &str = "figures.image";

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("image-{name}"));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What a server does with the figures from its start to its end.
async fn run(server: &Server, figures: &Figures) {
    let (_facts, news) = watch::channel(0);
    let stop = CancellationToken::new();
    stop.cancel();
    figures.follow(server.app.db.clone(), news, stop).await;
}

/// All metrics as figures tell them.
async fn told(server: &Server, figures: &Figures) -> Vec<Answer> {
    let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
    let known = figures.known(&server.app.db).await.unwrap();
    let metrics = Metric::ALL.iter();
    let answers = metrics.map(|metric| {
        let query = parse(metric.as_str(), []).unwrap();
        known.engine.answer(&query, now).unwrap()
    });
    answers.collect()
}

/// By a start that may use an image, and by one that reads the facts.
async fn told_twice(server: &Server, dir: &Path) -> (Vec<Answer>, Vec<Answer>) {
    let by_image = told(server, &Figures::in_dir(dir)).await;
    (by_image, told(server, &Figures::default()).await)
}

/// The facts become others behind everybody's back: who still tells the old ones has them from an image.
async fn resolve_later(server: &Server) {
    let changed = "-- test.later
        UPDATE fact SET at = at + 60000000 WHERE kind = 'resolved'";
    server
        .write(move |tx| tx.execute(changed, &[]).map(|_| ()))
        .await;
}

#[tokio::test]
async fn a_start_by_an_image_tells_what_facts_tell() {
    let dir = folder("starts");
    let server = with_incidents().await;
    run(&server, &Figures::in_dir(&dir)).await;
    let first = std::fs::read(dir.join(NAME)).unwrap();
    let (by_image, by_facts) = told_twice(&server, &dir).await;
    assert_eq!(by_image, by_facts);
    // What came since is read, be it a fact, an annotation, a deployment or a setting.
    let path = |step: &str| format!("/api/v1/incidents/INC-2{step}");
    server.post(&path("/resolve"), Value::Null).await.is(200);
    let new = json!({"title": "disk full", "severity": "sev1", "service": "db"});
    server.post("/api/v1/incidents", new).await.is(201);
    let said = json!({"environment": "staging"});
    server.patch(&path("/annotations"), said).await.is(200);
    let deployment = json!({"id": "d1", "service": "db", "status": "success",
        "started_at": "2026-11-20T09:00:00Z", "finished_at": "2026-11-20T09:10:00Z"});
    server.post("/api/v1/deployments", deployment).await.is(201);
    let (by_image, by_facts) = told_twice(&server, &dir).await;
    assert_eq!(by_image, by_facts);
    // A server that ends writes what is new, and one that learnt nothing writes nothing.
    run(&server, &Figures::in_dir(&dir)).await;
    let second = std::fs::read(dir.join(NAME)).unwrap();
    assert_ne!(first, second);
    resolve_later(&server).await;
    run(&server, &Figures::in_dir(&dir)).await;
    assert_eq!(std::fs::read(dir.join(NAME)).unwrap(), second);
    let (by_image, by_facts) = told_twice(&server, &dir).await;
    assert_ne!(by_image, by_facts, "the image was used");
}

#[tokio::test]
async fn an_image_that_is_damaged_or_of_another_database_is_not_used() {
    let dir = folder("damaged");
    let server = with_incidents().await;
    run(&server, &Figures::in_dir(&dir)).await;
    let file = dir.join(NAME);
    let whole = std::fs::read(&file).unwrap();
    resolve_later(&server).await;
    for damaged in [
        Vec::new(),
        b"{}".to_vec(),
        whole[..whole.len() - 1].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        [&whole[..], b"x"].concat(),
        {
            // A time in the middle of the facts, so that it makes sense but is wrong.
            let mut other = whole.clone();
            let place = other.len() - 60;
            other[place] ^= 1;
            other
        },
    ] {
        std::fs::write(&file, &damaged).unwrap();
        let (by_image, by_facts) = told_twice(&server, &dir).await;
        assert_eq!(by_image, by_facts, "{} bytes", damaged.len());
    }
    std::fs::write(&file, &whole).unwrap();
    let (by_image, by_facts) = told_twice(&server, &dir).await;
    assert_ne!(by_image, by_facts, "the whole one is used");
    // As many facts of a database that lived at another time.
    let other = Server::start();
    other.pass(7);
    live(&other).await;
    resolve_later(&other).await;
    let (by_image, by_facts) = told_twice(&other, &dir).await;
    assert_eq!(by_image, by_facts);
}

#[tokio::test]
async fn what_is_erased_goes_with_the_image() {
    let dir = folder("erased");
    let figures = Arc::new(Figures::in_dir(&dir));
    let used = Arc::clone(&figures);
    let clock = Clock::manual("2026-11-20T09:14:05Z".parse().unwrap());
    let server = Server::changed(clock, true, |app| app.figures = used);
    let new = json!({"name": "prod", "type": "pagerduty", "config": config()});
    server.post("/api/v1/connectors", new).await.is(201);
    for title in ["database away", "web slow"] {
        let new = json!({"title": title, "severity": "sev2"});
        server.post("/api/v1/incidents", new).await.is(201);
    }
    run(&server, &figures).await;
    let file = dir.join(NAME);
    let tells = |title: &[u8]| {
        let kept = std::fs::read(&file).unwrap_or_default();
        kept.windows(title.len()).any(|some| some == title)
    };
    assert!(tells(b"database away"));
    let purged = server.delete("/api/v1/connectors/prod?purge=true").await;
    purged.is(200);
    assert!(!file.exists());
    let new = json!({"title": "Still here", "severity": "sev2"});
    server.post("/api/v1/incidents", new).await.is(201);
    run(&server, &figures).await;
    assert!(tells(b"still here") && !tells(b"database away"));
}
