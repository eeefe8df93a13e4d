//! Facts, taken out of here: which there are, and whom they name.

use axum::Extension;
use im::http::auth::InProcess;
use serde_json::{Value, json};

use super::{FAR, NEAR, Server, request};
use crate::cli::{Said, on_router};

async fn im(server: &Server, line: &'static str) -> Said {
    let router = server.router.clone().layer(Extension(InProcess));
    let said = tokio::task::spawn_blocking(move || on_router(router).im(line));
    said.await.unwrap()
}

/// Two incidents, the second a day later; Ann takes the first and says why.
async fn two_days() -> Server {
    let server = Server::start();
    let declare = async |title: &str, service: &str| {
        let new = json!({"title": title, "severity": "sev2", "service": service});
        server.post("/api/v1/incidents", new).await.is(201);
    };
    declare("db down, \"again\"", "db").await;
    server.pass(60);
    let path = "/api/v1/incidents/1/acknowledge";
    let mut ack = request(NEAR, "POST", path, &json!({"note": "on it,\nnow"}));
    let ann = "ann@example.com".parse().unwrap();
    ack.headers_mut().insert("im-as", ann);
    server.send(ack).await.is(200);
    server.pass(86_400);
    declare("web slow", "web").await;
    server
}

async fn kinds(server: &Server, asked: &str) -> Vec<String> {
    let answer = server.get(&format!("/api/v1/facts?{asked}")).await;
    let facts = answer.is(200).as_array().unwrap().iter();
    let said = |fact: &Value| {
        let text = |name: &str| fact[name].as_str().unwrap().to_owned();
        format!("{} {}", text("incident"), text("kind"))
    };
    facts.map(said).collect()
}

#[tokio::test]
async fn facts_are_exported_by_range_and_incident_with_documented_columns() {
    let server = two_days().await;
    let all = kinds(&server, "").await;
    assert_eq!(
        all.iter().filter(|kind| *kind == "INC-1 triggered").count(),
        1
    );
    assert!(all.contains(&"INC-1 acknowledged".to_owned()), "{all:?}");
    assert!(all.contains(&"INC-2 triggered".to_owned()), "{all:?}");
    let of = |number: &str| -> Vec<String> {
        let own = all.iter().filter(|kind| kind.starts_with(number));
        own.cloned().collect()
    };
    let (first, second) = (of("INC-1 "), of("INC-2 "));
    assert_eq!([first.clone(), second.clone()].concat(), all);
    assert_eq!(kinds(&server, "incident=INC-1").await, first);
    assert_eq!(kinds(&server, "to=2026-11-20").await, first);
    assert_eq!(kinds(&server, "from=2026-11-21").await, second);
    assert_eq!(kinds(&server, "service=web").await, second);
    assert_eq!(kinds(&server, "title=AGAIN&severity=SEV-2").await, first);
    assert_eq!(kinds(&server, "service=web&incident=1").await, [""; 0]);
    assert_eq!(kinds(&server, "from=2027-01-01").await, [""; 0]);
    // What was had before need not be asked for again.
    let answer = server.get("/api/v1/facts?incident=INC-1").await;
    let last = answer.body.as_array().unwrap().last().unwrap();
    let path = format!("after={}", last["seq"]);
    assert_eq!(kinds(&server, &path).await, second);
    for wrong in [
        "from=x",
        "from=2026-11-21&to=2026-11-20",
        "format=xml",
        "after=x",
        "after=-1",
        "user=U",
        "service=wob",
    ] {
        server.get(&format!("/api/v1/facts?{wrong}")).await.is(400);
    }
    // A deleted incident is in no export.
    server.delete("/api/v1/incidents/INC-2").await.is(200);
    assert_eq!(kinds(&server, "").await, first);
    let csv = im(&server, "data facts --incident INC-1").await;
    assert_eq!(csv.code, 0, "{}", csv.err);
    insta::assert_snapshot!("facts_csv", csv.out);
    let json = im(&server, "data facts --incident INC-1 --json").await;
    let read: Value = serde_json::from_str(&json.out).unwrap();
    insta::assert_snapshot!("facts_json", super::pretty(&read[0]));
    // Each column is documented.
    let documented = include_str!("../../../../../docs/data.md");
    for column in csv.out.lines().next().unwrap().split(',') {
        assert!(documented.contains(&format!("| `{column}` |")), "{column}");
    }
}

#[tokio::test]
async fn an_export_of_many_facts_is_whole() {
    let server = Server::start();
    let fact = |number: usize| {
        let at = server.clock.now();
        let id = format!("fact-{number}");
        let noted = im_core::Kind::Noted;
        let nobody = im_core::Actor::NOBODY;
        let fact = im_core::Fact::new(im_core::Source::Webhook, id, noted, nobody, at);
        (fact, None)
    };
    let facts: Vec<_> = (0..5_000).map(fact).collect();
    let now = server.clock.now();
    let new = json!({"title": "db down", "severity": "sev2"});
    server.post("/api/v1/incidents", new).await.is(201);
    let number = im_core::IncidentNumber::new(1).unwrap();
    server
        .write(move |tx| im_store::facts::append(tx, number, &facts, now).map(drop))
        .await;
    let new = json!({"title": "web slow", "severity": "sev2"});
    server.post("/api/v1/incidents", new).await.is(201);
    let all = kinds(&server, "").await;
    assert_eq!(
        all.iter().filter(|kind| *kind == "INC-1 noted").count(),
        5_000
    );
    // Stretches with nothing in them are passed over.
    let last = kinds(&server, "incident=INC-2").await;
    assert_eq!(last[0], "INC-2 triggered");
}

#[tokio::test]
async fn the_trigger_of_a_log_tells_its_service_and_its_key_apart() {
    let server = two_days().await;
    let (at, number) = (server.clock.now(), im_core::IncidentNumber::new(1).unwrap());
    let fact = |id: &str, service, key| {
        let (log, kind) = (im_core::Source::LogEntry, im_core::Kind::Triggered);
        let fact = im_core::Fact::new(log, id, kind, im_core::Actor::NOBODY, at);
        (fact.beginning_with(service, key), None)
    };
    let facts = [
        fact("R1", Some("PDAT001"), Some("disk db-1")),
        fact("R2", Some("PDAT001"), None),
        fact("R3", None, Some("disk")),
    ];
    server
        .write(move |tx| im_store::facts::append(tx, number, &facts, at).map(drop))
        .await;
    let all = server.get("/api/v1/facts?incident=1").await;
    let all = all.is(200).as_array().unwrap().clone();
    let told = all.iter().filter(|fact| fact["source"] == "log_entry");
    let told: Vec<_> = told
        .map(|fact| json!([fact["service"], fact["detail"]]))
        .collect();
    let want = json!([["PDAT001", "disk db-1"], ["PDAT001", null], [null, "disk"]]);
    assert_eq!(json!(told), want);
}

#[tokio::test]
async fn an_export_names_single_people_for_those_who_may_see_them_and_hides_addresses() {
    let server = two_days().await;
    // What a read shows has an id that ends on whom it shows.
    let (at, number) = (server.clock.now(), im_core::IncidentNumber::new(1).unwrap());
    let ines = im_core::Actor {
        kind: im_core::ActorKind::User,
        id: Some("PINES01".to_owned()),
        name: Some("Ines Halloran".to_owned()),
    };
    let (read, kind) = (im_core::Source::Read, im_core::Kind::Resolved);
    let shown = im_core::Fact::new(read, "resolved:Q1:17:PINES01", kind, ines, at);
    server
        .write(move |tx| {
            im_store::facts::append(tx, number, &[(shown.clone(), None)], at).map(drop)
        })
        .await;
    let made = server.post("/api/v1/tokens", json!({"name": "ci"})).await;
    let token = made.is(201)["secret"].as_str().unwrap().to_owned();
    let text = async |token: Option<&str>| {
        let mut ask = request(
            if token.is_some() { FAR } else { NEAR },
            "GET",
            "/api/v1/facts",
            &Value::Null,
        );
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            ask.headers_mut().insert("authorization", value);
        }
        server.send(ask).await.is(200).to_string()
    };
    assert!(text(None).await.contains("ann@example.com"));
    assert!(text(None).await.contains("resolved:Q1:17:PINES01"));
    let unnamed = text(Some(&token)).await;
    for name in ["ann@example.com", "PINES01", "Halloran"] {
        assert!(!unnamed.contains(name), "{name}");
    }
    assert!(unnamed.contains("resolved:Q1:17:-"), "{unnamed}");
    assert!(!text(None).await.contains(&token));
    let hide = json!({"hide_emails": true});
    server.patch("/api/v1/settings", hide).await.is(200);
    assert!(!text(None).await.contains("ann@example.com"));
}
