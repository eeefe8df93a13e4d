//! The image of the figures: a start that reads it tells what one tells that reads all facts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;

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

/// Asks, and gives up at the nth wait.
async fn given_up(server: &Server, figures: &Figures, nth: usize) -> bool {
    let mut asking = std::pin::pin!(figures.known(&server.app.db));
    let mut waits = 0;
    std::future::poll_fn(move |context| {
        if let Poll::Ready(known) = asking.as_mut().poll(context) {
            drop(known.unwrap());
            return Poll::Ready(false);
        }
        waits += 1;
        if waits > nth {
            return Poll::Ready(true);
        }
        Poll::Pending
    })
    .await
}

#[tokio::test]
async fn whoever_gives_up_takes_nothing_from_who_asks_next() {
    let server = with_incidents().await;
    let deployment = |id: &str| {
        json!({"id": id, "service": "db", "status": "success",
            "started_at": "2026-11-20T09:00:00Z", "finished_at": "2026-11-20T09:10:00Z"})
    };
    let mut nth = 0;
    let mut gave_up = true;
    while gave_up {
        let figures = Figures::default();
        gave_up = given_up(&server, &figures, nth).await;
        // What comes in between is as new to who asks next as what was there.
        let said = json!({"environment": format!("place-{nth}")});
        let path = format!("/api/v1/incidents/INC-{}/annotations", 1 + nth % 3);
        server.patch(&path, said).await.is(200);
        let new = deployment(&format!("d{nth}"));
        server.post("/api/v1/deployments", new).await.is(201);
        given_up(&server, &figures, nth).await;
        let by_facts = told(&server, &Figures::default()).await;
        assert_eq!(told(&server, &figures).await, by_facts, "wait {nth}");
        nth += 1;
    }
    assert!(nth > 1, "{nth} waits");
}

#[tokio::test]
async fn an_image_is_of_the_tables_by_which_incidents_were_read() {
    let dir = folder("tables");
    let server = Server::with_connector(config()).await;
    live(&server).await;
    run(&server, &Figures::in_dir(&dir)).await;
    resolve_later(&server).await;
    let (by_image, by_facts) = told_twice(&server, &dir).await;
    assert_ne!(by_image, by_facts, "the image is used");
    let other = json!({"custom": {"severity_from_urgency": {"high": "SEV-1", "low": "SEV-4"}}});
    server.patch("/api/v1/connectors/prod", other).await.is(200);
    let (by_image, by_facts) = told_twice(&server, &dir).await;
    assert_eq!(by_image, by_facts);
    // The tables of a connector that was removed are kept with its incidents.
    run(&server, &Figures::in_dir(&dir)).await;
    let mode = std::fs::metadata(dir.join(NAME)).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    server.delete("/api/v1/connectors/prod").await.is(200);
    let (by_image, by_facts) = told_twice(&server, &dir).await;
    assert_eq!(by_image, by_facts);
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
