//! PagerDuty's door: which delivery gets which answer, and what is left behind by it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use hmac::{Hmac, KeyInit as _, Mac as _};
use im_pagerduty::Secret;
use im_store::StoreError;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::Notify;

use super::{Answer, FAR, Server, config, request};

const SECRET: &str = "HLsim0secret0Zx9Qv7Lk2Nf5Tb8Wm1Rc4Yp6Gd3Hs0Ju7Ea2Io5Un8Bq1Vw4X+/";
const OTHER: &str = "HLsim1secret1Ab8Cd7Ef6Gh5Ij4Kl3Mn2Op1Qr0St9Uv8Wx7Yz6Aa5Bb4Cc3D+/";

fn signed(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn event(id: &str) -> String {
    json!({"event": {
        "id": id, "event_type": "pagey.ping", "resource_type": "pagey",
        "occurred_at": "2026-11-20T09:14:00Z", "agent": null, "client": null,
        "data": {"message": "Hello", "type": "ping"},
    }})
    .to_string()
}

async fn server() -> Server {
    let mut config = config();
    config["webhook_secret"] = json!(SECRET);
    Server::with_connector(config).await
}

fn delivery(body: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let body = Value::String(body.to_owned());
    let mut request = request(FAR, "POST", "/connectors/prod/webhook", &body);
    for (name, value) in headers {
        let name: axum::http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

async fn deliver(server: &Server, body: &str, signature: Option<&str>) -> Answer {
    let headers: Vec<(&str, &str)> = signature
        .map(|signature| ("x-pagerduty-signature", signature))
        .into_iter()
        .collect();
    server.send(delivery(body, &headers)).await
}

async fn stored(server: &Server) -> i64 {
    let counts = server
        .app
        .db
        .read(|tx| im_store::inbox::counts(tx, "prod"))
        .await
        .unwrap();
    counts.iter().map(|(_, count)| count).sum()
}

#[tokio::test]
async fn s10_s18_what_is_signed_is_stored_whatever_it_says() {
    let server = server().await;
    let bodies = [
        event("01HLEVT0000000000000000001"),
        json!({"event": {"id": "E2", "event_type": "incident.never_heard_of"}}).to_string(),
        json!({"something": "else"}).to_string(),
        "not json at all".to_owned(),
        r#"{"event": {"id": "E5", "id": "E6", "n": 1e999}}"#.to_owned(),
        "[".repeat(10_000),
    ];
    for (number, body) in bodies.iter().enumerate() {
        let answer = deliver(&server, body, Some(&signed(SECRET, body))).await;
        assert_eq!(answer.is(202)["status"], "accepted", "body {number}");
    }
    assert_eq!(stored(&server).await, 6);
}

/// PagerDuty waits five seconds. What was stored after that is known when it comes again.
#[tokio::test]
async fn s03_a_database_that_hangs_is_answered_in_time_and_the_retry_changes_nothing() {
    let server = server().await;
    let (first, second) = (event("E1"), event("E2"));
    deliver(&server, &first, Some(&signed(SECRET, &first)))
        .await
        .is(202);
    let (release, held) = std::sync::mpsc::sync_channel::<()>(0);
    let (db, begun) = (server.app.db.clone(), Arc::new(Notify::new()));
    let has_begun = Arc::clone(&begun);
    let hangs = tokio::spawn(async move {
        db.write(move |_| {
            has_begun.notify_one();
            held.recv().expect("the test lets it go");
            Ok::<_, StoreError>(())
        })
        .await
    });
    begun.notified().await;
    let signature = signed(SECRET, &second);
    let before = tokio::time::Instant::now();
    tokio::time::pause();
    let answer = deliver(&server, &second, Some(&signature)).await;
    tokio::time::resume();
    assert_eq!(answer.is(503)["code"], "unavailable");
    let waited = tokio::time::Instant::now().duration_since(before);
    assert!(waited.as_millis() < 4_900, "{waited:?}");
    release.send(()).unwrap();
    hangs.await.unwrap().unwrap();
    deliver(&server, &second, Some(&signature)).await.is(202);
    assert_eq!(stored(&server).await, 2);
}

/// Nothing but storing is between a delivery and its answer.
#[tokio::test]
async fn s03_the_answer_does_not_wait_for_the_event_to_be_understood() {
    let server = server().await;
    let body = json!({"event": {
        "id": "E1", "event_type": "incident.triggered", "resource_type": "incident",
        "occurred_at": "2026-11-20T09:14:00Z", "agent": null, "client": null,
        "data": {
            "id": "QBORN1", "type": "incident", "title": "Born there", "status": "triggered",
            "created_at": "2026-11-20T09:14:00Z",
            "service": {"id": "PDAT001", "type": "service_reference", "summary": "Database"},
        },
    }})
    .to_string();
    deliver(&server, &body, Some(&signed(SECRET, &body)))
        .await
        .is(202);
    let listed = server.get("/api/v1/incidents").await;
    assert_eq!(listed.is(200), &json!([]));
    digest(&server).await;
    let listed = server.get("/api/v1/incidents").await;
    assert_eq!(listed.is(200)[0]["title"], "Born there");
}

/// A trigger of an incident, which is stored and understood.
async fn triggered(server: &Server, (event, twin): (&str, &str), environment: Option<&str>) {
    let body = json!({"event": {
        "id": event, "event_type": "incident.triggered", "resource_type": "incident",
        "occurred_at": "2026-11-20T09:14:00Z", "agent": null, "client": null,
        "data": {
            "id": twin, "type": "incident", "title": twin, "status": "triggered",
            "created_at": "2026-11-20T09:14:00Z",
            "service": {"id": "PDAT001", "type": "service_reference", "summary": "Database"},
        },
    }})
    .to_string();
    let signature = signed(SECRET, &body);
    let mut headers = vec![("x-pagerduty-signature", signature.as_str())];
    headers.extend(environment.map(|environment| ("dd_env", environment)));
    server.send(delivery(&body, &headers)).await.is(202);
    digest(server).await;
}

/// How many incidents there are in each environment.
async fn in_environments(server: &Server) -> Value {
    let path = "/api/v1/metrics/incident_frequency?group_by=environment&bucket=all";
    let answer = server.get(path).await;
    let series = answer.is(200)["series"].as_array().unwrap().iter();
    let counted = series.map(|one| json!([one["group"][0]["key"], one["total"]["n"]]));
    counted.collect()
}

#[tokio::test]
async fn dd_21_incidents_are_in_the_environment_that_the_header_of_their_webhook_names() {
    let server = server().await;
    triggered(&server, ("E1", "QPROD1"), Some(" Prod ")).await;
    triggered(&server, ("E2", "QNONE1"), None).await;
    triggered(&server, ("E3", "QNONE2"), Some("")).await;
    triggered(&server, ("E4", "QNONE3"), Some(&"x".repeat(201))).await;
    assert_eq!(
        in_environments(&server).await,
        json!([["prod", 1], [null, 3]])
    );
    let path = "/api/v1/metrics/incident_frequency?environment=PROD&bucket=all";
    let answer = server.get(path).await;
    assert_eq!(answer.is(200)["series"][0]["total"]["n"], 1);
    // Another webhook tells of the same event, and of an incident that has one: the first counts.
    triggered(&server, ("E2", "QNONE1"), Some("staging")).await;
    triggered(&server, ("E5", "QPROD1"), Some("staging")).await;
    let counted = json!([["prod", 1], ["staging", 1], [null, 2]]);
    assert_eq!(in_environments(&server).await, counted);
    let of_first = server.get("/api/v1/incidents/1/timeline").await;
    assert!(
        of_first.is(200).to_string().contains("dd_env: Prod"),
        "{}",
        of_first.body
    );
    // What somebody says goes before it, and once it is taken back the header counts again.
    let path = "/api/v1/incidents/1/annotations";
    let said = json!({"environment": "canary"});
    server.patch(path, said).await.is(200);
    let counted = json!([["canary", 1], ["staging", 1], [null, 2]]);
    assert_eq!(in_environments(&server).await, counted);
    server
        .patch(path, json!({"environment": null}))
        .await
        .is(200);
    let counted = json!([["prod", 1], ["staging", 1], [null, 2]]);
    assert_eq!(in_environments(&server).await, counted);
}

#[tokio::test]
async fn s04_s05_a_delivery_that_comes_twice_is_stored_once() {
    let server = server().await;
    let body = event("E1");
    let signature = signed(SECRET, &body);
    deliver(&server, &body, Some(&signature)).await.is(202);
    // The header's id is not signed, so it does not count.
    let headers = [
        ("x-pagerduty-signature", signature.as_str()),
        ("x-webhook-id", "another"),
    ];
    let again = server.send(delivery(&body, &headers)).await;
    assert_eq!(again.is(202)["status"], "known already");
    assert_eq!(stored(&server).await, 1);
}

#[tokio::test]
async fn s06_one_good_signature_among_several_is_enough() {
    let server = server().await;
    let (ours, none) = (
        |body: &str| signed(SECRET, body),
        format!("v1={}", "0".repeat(64)),
    );
    // As in a rotation: theirs first or last, with blanks or without, and versions that we do
    // not know among them.
    for (number, header) in [
        |ours: &str, none: &str| format!("{ours},{none}"),
        |ours: &str, none: &str| format!("{none},{ours}"),
        |ours: &str, none: &str| format!(" {none} , v2=x,\t{ours} "),
    ]
    .into_iter()
    .enumerate()
    {
        let body = event(&format!("E{number}"));
        let header = header(&ours(&body), &none);
        deliver(&server, &body, Some(&header)).await.is(202);
    }
    assert_eq!(stored(&server).await, 3);
    // Neither of two that are both wrong counts.
    let body = event("E4");
    let both = format!("{none},{}", signed(OTHER, &body));
    assert_eq!(deliver(&server, &body, Some(&both)).await.status, 503);
    assert_eq!(stored(&server).await, 3);
}

/// Stored as it came, whatever a JSON library would have made of it.
#[tokio::test]
async fn s07_the_bytes_that_came_are_verified_and_kept() {
    let server = server().await;
    let bodies = [
        // Blanks, line breaks and an order of keys that no library writes.
        "{ \"zone\" : \"x\",\r\n\t\"event\":{\"occurred_at\":\"2026-11-20T09:14:00Z\" ,\"event_type\":\"pagey.ping\",\"id\":\"E1\"} }\n".to_owned(),
        // Not ASCII, written out and escaped.
        event("E2").replace("Hello", "Größe \u{1F525} \u{200B}\\u00fc\\/"),
        // A number that does not survive being read.
        event("E3").replace("\"Hello\"", "1.10000000000000000000001"),
    ];
    for body in &bodies {
        deliver(&server, body, Some(&signed(SECRET, body)))
            .await
            .is(202);
        // A proxy that writes the same document anew breaks the signature.
        let rewritten = serde_json::from_str::<Value>(body).unwrap().to_string();
        assert_ne!(&rewritten, body);
        let answer = deliver(&server, &rewritten, Some(&signed(SECRET, body))).await;
        assert_eq!(answer.is(503)["code"], "wrong_signature");
    }
    let late = "2027-01-01T00:00:00Z".parse().unwrap();
    let rows = server
        .app
        .db
        .read(move |tx| im_store::inbox::due(tx, 10, late))
        .await
        .unwrap();
    let kept: Vec<String> = rows.into_iter().map(|row| row.body).collect();
    assert_eq!(kept, bodies);
}

#[tokio::test]
async fn s10_what_is_not_signed_well_is_refused_counted_and_looked_into() {
    let server = server().await;
    let body = event("E1");
    // A good delivery first: now the secret is known to be right.
    deliver(&server, &body, Some(&signed(SECRET, &body)))
        .await
        .is(202);
    digest(&server).await;
    server
        .write(|tx| {
            let later = "2026-11-20T12:00:00Z".parse().unwrap();
            im_store::connectors::schedule_sync(tx, "prod", later, "interval")
        })
        .await;
    let changed = body.replace("Hello", "Hullo");
    let cases = [
        (None, "no_signature"),
        (Some(signed(OTHER, &body)), "wrong_signature"),
        (Some(signed(SECRET, &changed)), "wrong_signature"),
        (Some("v1=".to_owned()), "wrong_signature"),
        (Some("nonsense".to_owned()), "wrong_signature"),
    ];
    server.pass(60);
    for (signature, code) in cases {
        let answer = deliver(&server, &body, signature.as_deref()).await;
        assert_eq!(answer.is(403)["code"], code);
    }
    assert_eq!(stored(&server).await, 1);
    let connector = server.get("/api/v1/connectors/prod").await;
    assert_eq!(connector.is(200)["webhook"]["state"], "bad_signatures");
    let reason = connector.body["status_reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("wrong signatures: 5;"), "{reason}");
    assert_eq!(sync_cause(&server).await, "bad signature");
}

/// Whatever else a sender shows: only a signature is one.
#[tokio::test]
async fn s08_a_key_in_another_header_is_no_signature() {
    let server = server().await;
    let token = json!({"name": "ci", "email": "ann@example.com"});
    let token = server.post("/api/v1/tokens", token).await;
    let token = token.is(201)["secret"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let body = event("E1");
    for (name, value) in [
        ("authorization", bearer.as_str()),
        ("authorization", "Token token=u+abcdefghijklmnopqrst"),
        ("x-api-key", "u+abcdefghijklmnopqrst"),
        ("x-api-key", token.as_str()),
    ] {
        let answer = server.send(delivery(&body, &[(name, value)])).await;
        assert_eq!(answer.is(403)["code"], "no_signature", "{name}");
        // Nor does it make up for a wrong one.
        let wrong = signed(OTHER, &body);
        let headers = [(name, value), ("x-pagerduty-signature", wrong.as_str())];
        let answer = server.send(delivery(&body, &headers)).await;
        assert_eq!(answer.status, 503, "{name}: {}", answer.body);
    }
    assert_eq!(stored(&server).await, 0);
}

/// What the run loop does with what was stored.
async fn digest(server: &Server) {
    let now = server.clock.now();
    server
        .write(move |tx| im_engine::inbox::digest(tx, 100, now).map(|_| ()))
        .await;
}

async fn sync_cause(server: &Server) -> String {
    let row = server
        .app
        .db
        .read(|tx| im_store::connectors::find(tx, "prod"))
        .await
        .unwrap();
    row.unwrap().sync_cause
}

#[tokio::test]
async fn a_mix_up_of_our_own_secret_loses_nothing() {
    let server = server().await;
    let body = event("E1");
    let foreign = signed(OTHER, &body);
    // Made by hand, and no delivery has ever fitted: the secret may have been mistyped.
    let answer = deliver(&server, &body, Some(&foreign)).await;
    assert_eq!(answer.is(503)["code"], "wrong_signature");
    assert!(answer.headers.contains_key("retry-after"));

    // Ours by its id: whatever has fitted before, PagerDuty shall send it again.
    server
        .write(|tx| {
            let row = im_store::connectors::find(tx, "prod")?.unwrap();
            im_store::connectors::set_webhook(tx, "prod", Some("PSUB1"), &row.webhook_secrets)
        })
        .await;
    for (subscription, status) in [("PSUB1", 503), ("PSUB2", 403)] {
        let headers = [
            ("x-pagerduty-signature", foreign.as_str()),
            ("x-webhook-subscription", subscription),
        ];
        server.send(delivery(&body, &headers)).await.is(status);
    }
    assert_eq!(stored(&server).await, 0);
}

#[tokio::test]
async fn s09_without_a_secret_a_delivery_is_a_hint() {
    let server = Server::with_connector(config()).await;
    let body = event("E1");
    deliver(&server, &body, Some(&signed(OTHER, &body)))
        .await
        .is(202);
    let verified = server
        .app
        .db
        .read(|tx| im_store::inbox::due(tx, 1, "2027-01-01T00:00:00Z".parse().unwrap()))
        .await
        .unwrap()[0]
        .verified;
    assert!(!verified);
    let large = format!("{body}{}", " ".repeat(300 * 1024));
    deliver(&server, &large, None).await.is(413);
}

#[tokio::test]
async fn s15_the_documented_probe_is_answered_and_changes_nothing() {
    let server = server().await;
    for body in [r#"{"test":"ping"}"#, "{ \"test\" :\n\"ping\" }"] {
        let answer = deliver(&server, body, None).await;
        assert_eq!(answer.is(200)["status"], "reachable, unsigned test ignored");
    }
    for body in [r#"{"test":"ping","x":1}"#, r#"{"test":"pong"}"#, "ping"] {
        deliver(&server, body, None).await.is(403);
    }
    assert_eq!(stored(&server).await, 0);
}

#[tokio::test]
async fn a_flood_is_told_to_come_later() {
    let server = server().await;
    for number in 0..120 {
        let body = event(&format!("E{number}"));
        deliver(&server, &body, Some(&signed(SECRET, &body)))
            .await
            .is(202);
    }
    let body = event("late");
    let signature = signed(SECRET, &body);
    let answer = deliver(&server, &body, Some(&signature)).await;
    assert_eq!(answer.is(429)["code"], "rate_limited");
    server.pass(1);
    deliver(&server, &body, Some(&signature)).await.is(202);
}

#[tokio::test]
async fn s13_sizes_up_to_a_mebibyte_are_taken() {
    let server = server().await;
    for kib in [54, 56, 255, 257] {
        let body = format!("{}{}", event(&format!("E{kib}")), " ".repeat(kib * 1024));
        deliver(&server, &body, Some(&signed(SECRET, &body)))
            .await
            .is(202);
    }
    let body = " ".repeat(1024 * 1024 + 1);
    deliver(&server, &body, Some(&signed(SECRET, &body)))
        .await
        .is(413);
}

#[tokio::test]
async fn a_door_that_is_not_there_says_so() {
    let server = server().await;
    let body = json!(event("E1"));
    for path in [
        "/connectors/nope/webhook",
        "/connectors/No%20pe/webhook",
        "/api/v1/webhooks/nope",
    ] {
        server.send(request(FAR, "POST", path, &body)).await.is(404);
    }
    let alias = request(
        FAR,
        "POST",
        "/api/v1/webhooks/prod",
        &json!({"test": "ping"}),
    );
    server.send(alias).await.is(200);
    let off = json!({"enable_webhook": false});
    server.patch("/api/v1/connectors/prod", off).await.is(200);
    deliver(&server, "{}", None).await.is(404);
}

#[tokio::test]
async fn only_allowed_networks_come_in() {
    let mut config = config();
    config["webhook_secret"] = json!(SECRET);
    config["allow_ips"] = json!(["203.0.113.0/24", "198.51.100.1"]);
    let server = Server::with_connector(config).await;
    let body = event("E1");
    for (peer, status) in [
        ("203.0.113.7:1", 202),
        ("[::ffff:203.0.113.8]:1", 202),
        ("198.51.100.1:1", 202),
        ("198.51.100.2:1", 403),
    ] {
        let mut request = request(peer, "POST", "/connectors/prod/webhook", &json!(body));
        let signature = signed(SECRET, &body).parse().unwrap();
        request
            .headers_mut()
            .insert("x-pagerduty-signature", signature);
        server.send(request).await.is(status);
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_opened_makes_pagerduty_try_again() {
    let server = server().await;
    server
        .write(|tx| im_store::connectors::set_webhook(tx, "prod", None, &["x1:AAAA".to_owned()]))
        .await;
    let body = event("E1");
    let answer = deliver(&server, &body, Some(&signed(SECRET, &body))).await;
    assert_eq!(answer.is(503)["code"], "no_key");
}

#[tokio::test]
async fn a_change_of_the_connector_counts_from_the_next_delivery_on() {
    let server = server().await;
    let (first, second, third) = (event("E1"), event("E2"), event("E3"));
    deliver(&server, &first, Some(&signed(SECRET, &first)))
        .await
        .is(202);

    // Another process may have made it: this one was not told.
    let sealed = server.app.vault.seal(&Secret::new(OTHER)).unwrap();
    server
        .write(move |tx| {
            im_store::connectors::set_webhook(tx, "prod", None, std::slice::from_ref(&sealed))
        })
        .await;
    let old = signed(SECRET, &second);
    deliver(&server, &second, Some(&old)).await.is(503);
    assert_eq!(stored(&server).await, 1);
    deliver(&server, &second, Some(&signed(OTHER, &second)))
        .await
        .is(202);

    server
        .write(|tx| im_store::connectors::delete(tx, "prod").map(drop))
        .await;
    deliver(&server, &third, Some(&signed(OTHER, &third)))
        .await
        .is(404);
}

#[tokio::test]
async fn behind_a_proxy_the_address_that_it_saw_counts() {
    let mut config = config();
    config["webhook_secret"] = json!(SECRET);
    config["allow_ips"] = json!(["203.0.113.0/24", "2001:db8::/32"]);
    let server = Server::with_connector(config).await;
    let body = event("E1");
    let signature = signed(SECRET, &body);
    // How many proxies are trusted, what the last of them passes on, and the answer.
    let cases = [
        (0, Some("203.0.113.7"), 403),
        (1, Some("203.0.113.7"), 202),
        (1, Some("203.0.113.7:4711"), 202),
        (1, Some("[2001:db8::7]"), 202),
        // Whoever sends may write anything in front.
        (1, Some("203.0.113.7, 198.51.100.2"), 403),
        (1, Some("nonsense"), 403),
        (2, Some("203.0.113.7, 198.51.100.2"), 202),
        // It came past a proxy.
        (2, Some("203.0.113.7"), 403),
        (1, None, 403),
    ];
    for (hops, forwarded, status) in cases {
        let part = json!({"trusted_proxy_hops": hops});
        server.patch("/api/v1/settings", part).await.is(200);
        let mut request = request(
            "10.0.0.1:1",
            "POST",
            "/connectors/prod/webhook",
            &json!(body),
        );
        let headers = request.headers_mut();
        headers.insert("x-pagerduty-signature", signature.parse().unwrap());
        if let Some(forwarded) = forwarded {
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        }
        let answer = server.send(request).await;
        assert_eq!(
            answer.status, status,
            "{hops} {forwarded:?}: {}",
            answer.body
        );
    }
    // The command line sends text.
    let part = json!({"trusted_proxy_hops": "1"});
    let settings = server.patch("/api/v1/settings", part).await;
    assert_eq!(settings.is(200)["trusted_proxy_hops"], 1);
    for wrong in [json!(-1), json!(10), json!("many"), json!(true)] {
        let part = json!({"trusted_proxy_hops": wrong});
        let answer = server.patch("/api/v1/settings", part).await;
        assert_eq!(answer.is(422)["code"], "trusted_proxy_hops");
    }
}

#[tokio::test]
async fn m041_m042_two_accounts_post_to_one_address_and_a_header_alone_opens_nothing() {
    let server = server().await;
    let mut second = config();
    second["webhook_secret"] = json!(OTHER);
    let new = json!({"name": "second", "type": "pagerduty", "config": second});
    server.post("/api/v1/connectors", new).await.is(201);
    let post = async |header: Option<(&str, &str)>, secret: &str, id: &str| {
        let body = event(id);
        let mut request = request(FAR, "POST", "/events", &Value::String(body.clone()));
        let signature = signed(secret, &body);
        let all = [("x-pagerduty-signature", signature.as_str())];
        for (name, value) in all.into_iter().chain(header) {
            let name: axum::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        server.send(request).await
    };
    let stored = async |connector: &'static str| {
        let counts = server
            .app
            .db
            .read(move |tx| im_store::inbox::counts(tx, connector));
        let counts = counts.await.unwrap();
        counts.iter().map(|(_, count)| count).sum::<i64>()
    };
    post(Some(("multitudesId", "prod")), SECRET, "E1")
        .await
        .is(202);
    post(Some(("MULTITUDESID", "second")), OTHER, "E2")
        .await
        .is(202);
    assert_eq!((stored("prod").await, stored("second").await), (1, 1));
    // Whoever writes the header of another organisation does not have its secret.
    let forged = post(Some(("multitudesId", "second")), SECRET, "E3").await;
    assert!(matches!(forged.status, 403 | 503), "{}", forged.status);
    assert_eq!((stored("prod").await, stored("second").await), (1, 1));
    post(Some(("multitudesId", "nobody")), SECRET, "E4")
        .await
        .is(404);
    let unnamed = post(None, SECRET, "E5").await;
    let said = unnamed.is(400)["detail"].to_string();
    assert!(
        said.contains("`multitudesId` does not say which connector"),
        "{said}"
    );
    let part = json!({"identity_header": "X-Our-Team"});
    server.patch("/api/v1/settings", part).await.is(200);
    post(Some(("multitudesId", "prod")), SECRET, "E6")
        .await
        .is(400);
    post(Some(("x-our-team", "prod")), SECRET, "E7")
        .await
        .is(202);
    for wrong in ["", "two words", "x-pagerduty-signature"] {
        let part = json!({"identity_header": wrong});
        let answer = server.patch("/api/v1/settings", part).await;
        assert_eq!(answer.is(422)["code"], "identity_header");
    }
}
