//! Row I-129: what changes about a connector is in its timeline, and is told to one webhook.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::post;
use im::watch::{self, Watch};
use im_core::{Actor, Fact, Kind as What, Source};
use im_engine::record::record;
use im_store::connectors::{self, State};
use im_store::{Tx, directory, incidents, repair, tallies};
use jiff::{SignedDuration, Timestamp};
use pd_sim::KeyKind;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::there::There;

const TIMELINE: &str = "/api/v1/connectors/prod/timeline";

/// Somebody who takes events, or answers otherwise for a while.
pub(crate) struct Receiver {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Value>>>,
    refusal: Arc<Mutex<Option<StatusCode>>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let got: Arc<Mutex<Vec<Value>>> = Arc::default();
        let refusal: Arc<Mutex<Option<StatusCode>>> = Arc::default();
        let (keep, answers) = (Arc::clone(&got), Arc::clone(&refusal));
        let take = async move |headers: HeaderMap, body: Bytes| {
            assert_eq!(headers["content-type"], "application/json");
            if let Some(status) = *answers.lock().unwrap() {
                return (status, [(header::LOCATION, "/elsewhere")]).into_response();
            }
            let body = serde_json::from_slice(&body).unwrap();
            keep.lock().unwrap().push(body);
            StatusCode::NO_CONTENT.into_response()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hear", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/hear", post(take))
            .route("/elsewhere", post(async || StatusCode::OK));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, got, refusal }
    }

    pub(crate) fn got(&self) -> Vec<Value> {
        self.got.lock().unwrap().clone()
    }

    fn refuse(&self, status: Option<StatusCode>) {
        *self.refusal.lock().unwrap() = status;
    }
}

/// A server that watches a connector.
struct Watched {
    there: There,
    watch: Watch,
}

impl Watched {
    /// One that works, has a webhook, and was compared just now.
    async fn start() -> Self {
        let there = There::start().await;
        there.enable().await.is(200);
        let watch = Watch::new(Arc::clone(&there.server.app));
        let watched = Self { there, watch };
        watched.set(State::Active, None).await;
        watched
    }

    async fn notifying(receiver: &Receiver) -> Self {
        let watched = Self::start().await;
        let url = json!({"notify_url": receiver.url});
        let set = watched.there.server.patch("/api/v1/settings", url).await;
        let shown = format!("{}/********", receiver.url.trim_end_matches("/hear"));
        assert_eq!(
            set.is(200)["notify_url"],
            shown,
            "the path may be the right"
        );
        watched
    }

    /// The connector is in this state, was heard of and compared now.
    async fn set(&self, state: State, why: Option<&'static str>) {
        let now = self.there.server.clock.now();
        self.write(move |tx| {
            connectors::heard(tx, "prod", now)?;
            connectors::synced(tx, "prod", now)?;
            connectors::set_state(tx, "prod", state, why, Timestamp::UNIX_EPOCH)
        })
        .await;
    }

    /// A comparison ends now that found what webhooks should have told.
    async fn compare_and_find(&self, repaired: i64) {
        let now = self.there.server.clock.now();
        self.write(move |tx| {
            connectors::synced(tx, "prod", now)?;
            let run = repair::start(tx, "prod", "interval", "{}", now)?;
            let found = repair::Found {
                repaired,
                ..repair::Found::default()
            };
            repair::count(tx, run, found)?;
            repair::finish(tx, run, None, now)
        })
        .await;
    }

    async fn write(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<(), im_store::StoreError> + Send + 'static,
    ) {
        self.there.server.write(work).await;
    }

    /// A minute later.
    async fn look(&mut self) {
        self.there.server.pass(60);
        self.watch.look().await.unwrap();
        watch::tell(&self.there.server.app).await.unwrap();
    }

    async fn looks(&mut self, times: u32) {
        for _ in 0..times {
            self.look().await;
        }
    }

    /// The timeline, the newest first, as `kind: text (telling)`.
    async fn timeline(&self) -> Vec<String> {
        let answer = self.there.server.get(TIMELINE).await;
        let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let all = answer.is(200).as_array().unwrap().iter();
        let line = |one: &Value| {
            let [kind, text, telling] = ["kind", "text", "telling"].map(|key| word(one, key));
            format!("{kind}: {text} ({telling})")
        };
        all.map(line).collect()
    }
}

const REVOKED: &str = "connector prod is unhealthy (was healthy): Authentication: the API key is wrong or revoked (HTTP 401)";

#[tokio::test]
async fn i129_a_revoked_key_is_told_once_and_the_new_one_once() {
    let receiver = Receiver::start().await;
    let mut watched = Watched::notifying(&receiver).await;
    watched.looks(3).await;
    assert!(
        receiver.got().is_empty(),
        "all is well, and that is no news"
    );
    let key = watched.there.stand_in.account.api_key.clone();
    watched.there.stand_in.with(|sim| sim.revoke_key(&key));
    watched.there.test().await.is(200);
    watched.look().await;
    assert!(receiver.got().is_empty(), "one look is not enough");
    watched.looks(4).await;
    let got = receiver.got();
    assert_eq!(got.len(), 1, "{got:?}");
    let mut told = got[0].clone();
    assert_eq!(told["at"].take(), "2026-11-20T09:19:05.12Z");
    assert_eq!(
        told,
        json!({
            "text": format!("{REVOKED}. Next: `im connector update prod` takes another key"),
            "id": 1,
            "at": null,
            "connector": "prod",
            "kind": "health",
            "subject": null,
            "from": "healthy",
            "to": "unhealthy",
            "reasons": ["Authentication: the API key is wrong or revoked (HTTP 401)"],
            "next": "`im connector update prod` takes another key",
        })
    );
    watched
        .there
        .stand_in
        .with(|sim| sim.accept_key(&key, KeyKind::Account));
    watched.there.test().await.is(200);
    watched.looks(4).await;
    let got = receiver.got();
    assert_eq!(got.len(), 2, "{got:?}");
    assert_eq!(got[1]["text"], "connector prod is healthy (was unhealthy)");
    assert_eq!(
        watched.timeline().await,
        [
            "health: connector prod is healthy (was unhealthy) (told)".to_owned(),
            format!("health: {REVOKED} (told)"),
        ]
    );
    // Whoever looks after a restart says nothing twice.
    watched.set(State::Active, None).await;
    watched.watch = Watch::new(Arc::clone(&watched.there.server.app));
    watched.looks(3).await;
    assert_eq!(receiver.got().len(), 2);
}

#[tokio::test]
async fn i129_what_is_over_a_minute_later_is_no_news() {
    let mut watched = Watched::start().await;
    for _ in 0..5 {
        watched
            .set(State::Failing, Some("PagerDuty did not answer"))
            .await;
        watched.look().await;
        watched.set(State::Active, None).await;
        watched.look().await;
    }
    assert_eq!(watched.timeline().await, [""; 0]);
    watched.set(State::Limited, None).await;
    watched.looks(2).await;
    assert_eq!(
        watched.timeline().await,
        [
            "health: connector prod is degraded (was healthy): Authentication: Valid API key, which may read and not write (kept)"
        ]
    );
}

#[tokio::test]
async fn i129_a_receiver_that_is_ill_is_tried_again_and_at_last_given_up() {
    let receiver = Receiver::start().await;
    let mut watched = Watched::notifying(&receiver).await;
    // What was allowed is this address, and not where it leads.
    receiver.refuse(Some(StatusCode::TEMPORARY_REDIRECT));
    watched.set(State::Limited, None).await;
    watched.looks(2).await;
    let shown = watched.there.server.get(TIMELINE).await;
    assert_eq!(shown.is(200)[0]["telling"], "waiting");
    assert_eq!(shown.body[0]["failure"], "it answered with HTTP 307");
    watched.looks(2).await;
    receiver.refuse(None);
    watched.look().await;
    assert!(receiver.got().is_empty(), "it waits longer each time");
    watched.look().await;
    assert_eq!(receiver.got().len(), 1);
    receiver.refuse(Some(StatusCode::SERVICE_UNAVAILABLE));
    for _ in 0..75 {
        watched.set(State::Active, None).await;
        watched.look().await;
    }
    let told = watched.timeline().await;
    assert_eq!(
        told[0],
        "notify: connector prod: an event could not be told: connector prod is healthy (was degraded): it answered with HTTP 503 (kept)"
    );
    assert_eq!(
        told[1],
        "health: connector prod is healthy (was degraded) (given_up)"
    );
    assert_eq!(told.len(), 3, "{told:#?}");
}

#[tokio::test]
async fn i129_events_are_told_in_order_and_another_address_gets_no_old_ones() {
    let receiver = Receiver::start().await;
    let mut watched = Watched::notifying(&receiver).await;
    receiver.refuse(Some(StatusCode::SERVICE_UNAVAILABLE));
    watched.set(State::Limited, None).await;
    watched.looks(3).await;
    watched.set(State::Active, None).await;
    watched.looks(2).await;
    let waiting = watched.timeline().await;
    assert!(
        waiting.len() == 2 && waiting.iter().all(|line| line.ends_with("(waiting)")),
        "{waiting:#?}"
    );
    receiver.refuse(None);
    watched.looks(8).await;
    let words = |receiver: &Receiver| -> Vec<Value> {
        let got = receiver.got();
        got.iter().map(|told| told["to"].clone()).collect()
    };
    assert_eq!(words(&receiver), ["degraded", "healthy"], "the older first");
    // What waits when the address changes was for the old one.
    receiver.refuse(Some(StatusCode::SERVICE_UNAVAILABLE));
    watched.set(State::Limited, None).await;
    watched.looks(2).await;
    let other = Receiver::start().await;
    let url = json!({"notify_url": other.url});
    watched
        .there
        .server
        .patch("/api/v1/settings", url)
        .await
        .is(200);
    watched.looks(8).await;
    assert!(other.got().is_empty());
    watched.set(State::Active, None).await;
    watched.looks(2).await;
    assert_eq!(words(&other), ["healthy"]);
    assert_eq!(words(&receiver), ["degraded", "healthy"]);
}

#[tokio::test]
async fn i129_what_is_refused_for_good_holds_nothing_up() {
    let receiver = Receiver::start().await;
    let mut watched = Watched::notifying(&receiver).await;
    receiver.refuse(Some(StatusCode::BAD_REQUEST));
    watched.set(State::Limited, None).await;
    watched.looks(2).await;
    let told = watched.timeline().await;
    assert!(
        told[0].starts_with("notify: connector prod: an event could not be told"),
        "{told:#?}"
    );
    receiver.refuse(None);
    watched.set(State::Active, None).await;
    watched.looks(2).await;
    assert_eq!(receiver.got().len(), 1, "the next one is told");
}

#[tokio::test]
async fn what_changed_is_kept_for_eight_weeks_and_the_last_word_for_ever() {
    let mut watched = Watched::start().await;
    for state in [State::Limited, State::Active, State::Limited] {
        watched.set(state, None).await;
        watched.looks(2).await;
    }
    assert_eq!(watched.timeline().await.len(), 3);
    let app = Arc::clone(&watched.there.server.app);
    watched.there.server.pass(55 * 24 * 3600);
    watch::forget_old(&app).await.unwrap();
    assert_eq!(watched.timeline().await.len(), 3);
    watched.there.server.pass(2 * 24 * 3600);
    watch::forget_old(&app).await.unwrap();
    let left = watched.timeline().await;
    assert!(
        left.len() == 1 && left[0].starts_with("health: connector prod is degraded"),
        "{left:#?}"
    );
    watched.set(State::Limited, None).await;
    watched.looks(3).await;
    assert_eq!(watched.timeline().await, left, "it is not said again");
}

#[tokio::test]
async fn i129_a_silence_is_told_only_if_there_was_something_to_tell() {
    let mut watched = Watched::start().await;
    let compared = |watched: &Watched| watched.there.server.clock.now();
    for _ in 0..20 {
        watched.look().await;
        let now = compared(&watched);
        watched
            .write(move |tx| connectors::synced(tx, "prod", now))
            .await;
    }
    assert_eq!(watched.timeline().await, [""; 0], "quiet is not broken");
    watched.compare_and_find(3).await;
    watched.looks(3).await;
    assert_eq!(
        watched.timeline().await,
        [
            "silence: the webhook of connector prod is silent (was heard): comparisons found 3 changes that no webhook told (kept)"
        ]
    );
    watched.set(State::Active, None).await;
    watched.looks(2).await;
    assert_eq!(
        watched.timeline().await[0],
        "silence: the webhook of connector prod is heard (was silent) (kept)"
    );
}

#[tokio::test]
async fn i129_a_webhook_for_a_part_of_the_account_is_not_silent_about_the_rest() {
    let mut watched = Watched::start().await;
    let service = watched.there.stand_in.account.services[0].0.clone();
    let narrow =
        json!({"action": "enable", "insecure": true, "scope": format!("service:{service}")});
    let path = "/api/v1/connectors/prod/webhook";
    watched.there.server.post(path, narrow).await.is(200);
    watched.set(State::Active, None).await;
    watched.looks(20).await;
    watched.compare_and_find(3).await;
    watched.looks(3).await;
    let told = watched.timeline().await;
    assert!(
        !told.iter().any(|line| line.starts_with("silence: ")),
        "{told:#?}"
    );
}

#[tokio::test]
async fn s50_a_service_under_maintenance_is_quiet_and_nobody_is_alarmed() {
    let mut watched = Watched::start().await;
    let service = watched.there.stand_in.account.services[0].0.clone();
    // A webhook made by hand: no comparison can look at its subscription.
    let now = watched.there.server.clock.now();
    let id = service.clone();
    watched
        .write(move |tx| {
            let secrets = connectors::find(tx, "prod")?.unwrap().webhook_secrets;
            connectors::set_webhook(tx, "prod", None, &secrets)?;
            let row = directory::DirectoryRow {
                connector: "prod".to_owned(),
                kind: directory::Kind::Service,
                id: id.clone(),
                since: now,
                until: None,
                name: None,
                about: directory::About::default(),
                state: Some("maintenance".to_owned()),
            };
            directory::begin(tx, &row, 1)
        })
        .await;
    let compare = async |watched: &Watched| {
        let now = watched.there.server.clock.now();
        watched
            .write(move |tx| connectors::synced(tx, "prod", now))
            .await;
    };
    watched.there.server.pass(3 * 24 * 3600);
    compare(&watched).await;
    watched.looks(3).await;
    assert_eq!(watched.timeline().await, [""; 0]);
    // Its window is over, and still nothing comes.
    watched
        .write(move |tx| {
            directory::see(
                tx,
                "prod",
                directory::Kind::Service,
                &service,
                2,
                Some("active"),
            )
        })
        .await;
    watched.looks(2).await;
    let told = watched.timeline().await;
    assert!(
        told[0].starts_with("silence: the webhook of connector prod is silent"),
        "{told:?}"
    );
}

#[tokio::test]
async fn s49_an_incident_that_nobody_has_is_shown_as_unowned_and_told_once() {
    let mut watched = Watched::start().await;
    let began = watched.there.server.clock.now();
    let fact = move |what: What, minutes: i64| {
        let at = began + SignedDuration::from_mins(minutes);
        let fact = Fact::new(
            Source::LogEntry,
            format!("{what:?}"),
            what,
            Actor::user("PANN", "Ann"),
            at,
        );
        [(fact, None)]
    };
    watched
        .write(move |tx| {
            let number = incidents::insert(tx, Some("prod"), |_| None, began)?;
            for (what, minutes) in [(What::Triggered, 0), (What::Exhausted, 60)] {
                record(tx, number, None, &fact(what, minutes), began)?;
            }
            Ok(())
        })
        .await;
    let shown = watched.there.server.get("/api/v1/incidents/INC-1").await;
    assert_eq!(shown.is(200)["unowned_since"], "2026-11-20T10:14:05.12Z");
    let listed = watched.there.server.get("/api/v1/incidents").await;
    assert_eq!(
        listed.is(200)[0]["unowned_since"],
        shown.body["unowned_since"]
    );
    watched.looks(4).await;
    let told = watched.timeline().await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].starts_with(
            "unowned: INC-1 is unowned (was owned): nobody is left to page since 2026-11-20 10:14 UTC"
        ),
        "{told:#?}"
    );
    watched
        .write(move |tx| {
            let number = "INC-1".parse().unwrap();
            record(tx, number, None, &fact(What::Acknowledged, 70), began).map(drop)
        })
        .await;
    let shown = watched.there.server.get("/api/v1/incidents/INC-1").await;
    assert_eq!(shown.is(200)["unowned_since"], Value::Null);
    watched.looks(4).await;
    assert_eq!(
        watched.timeline().await[0],
        "unowned: INC-1 is owned (was unowned) (kept)"
    );
    assert_eq!(watched.timeline().await.len(), 2);
}

#[tokio::test]
async fn i129_unusual_use_of_the_api_is_told() {
    let mut watched = Watched::start().await;
    watched.there.server.pass(9 * 24 * 3600);
    watched.set(State::Active, None).await;
    let now = watched.there.server.clock.now();
    watched
        .write(move |tx| {
            for day in 1..8 {
                let at = now - SignedDuration::from_hours(24 * day + 1);
                tallies::add(tx, "prod", "calls", 300, at)?;
            }
            tallies::add(tx, "prod", "calls", 2_000, now)
        })
        .await;
    watched.looks(3).await;
    assert_eq!(
        watched.timeline().await,
        [
            "usage: connector prod: its use of the API is unusual (was usual): 2000 calls in 24h, 300 a day in the week before (kept)"
        ]
    );
}

#[tokio::test]
async fn i129_events_go_to_an_encrypted_address_or_to_this_machine() {
    let there = There::start().await;
    let set = async |url: &str| {
        let url = json!({"notify_url": url});
        there.server.patch("/api/v1/settings", url).await
    };
    for url in [
        "https://hooks.example.com/x?y=1",
        "http://127.0.0.1:9000/hear",
        "http://[::1]/x",
        "http://localhost/x",
        "",
    ] {
        set(url).await.is(200);
    }
    for url in [
        "http://hooks.example.com/x",
        "http://localhost.example.com/x",
        // As it is shown.
        "https://hooks.example.com/********",
        "ftp://x",
        "nonsense",
        "https://user:secret@example.com/",
    ] {
        let refused = set(url).await;
        let detail = refused.is(422)["detail"].as_str().unwrap();
        assert!(
            detail.contains("notify_url") && !detail.contains("secret"),
            "{detail}"
        );
    }
    let shown = there.server.get("/api/v1/settings").await;
    assert_eq!(shown.is(200)["notify_url"], Value::Null);
}
