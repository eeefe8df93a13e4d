//! Incidents over the API, without a connector and with one that cannot be reached.

use serde_json::{Value, json};

use super::{Server, config, pretty};

async fn declared(server: &Server) -> Value {
    let new = json!({"title": "Database performance issue", "severity": "sev2", "service": "db"});
    let answer = server.post("/api/v1/incidents", new).await;
    answer.is(201).clone()
}

#[tokio::test]
async fn an_incident_has_the_documented_shape() {
    let server = Server::with_connector(config()).await;
    let outcome = declared(&server).await;
    insta::assert_snapshot!(pretty(&outcome));
    server.pass(60);
    let note = json!({"note": "on it"});
    let acted = server
        .post("/api/v1/incidents/INC-1/acknowledge", note)
        .await;
    assert_eq!(acted.is(200)["here"]["text"], "Acknowledged INC-1");
    let timeline = server.get("/api/v1/incidents/1/timeline").await;
    insta::assert_snapshot!(pretty(timeline.is(200)));
}

#[tokio::test]
async fn steps_without_a_connector_are_done_here_and_told_nobody() {
    let server = Server::start();
    let outcome = declared(&server).await;
    let nobody = "PagerDuty: nobody is paged, there is no connector; `im connector add pagerduty NAME` adds one";
    assert_eq!(outcome["there"], json!({"state": "none", "text": nobody}));
    assert_eq!(outcome["incident"]["pagerduty"], Value::Null);
    let steps = [
        ("acknowledge", "Acknowledged INC-1", true, "mitigated"),
        (
            "acknowledge",
            "INC-1 was acknowledged already",
            false,
            "mitigated",
        ),
        ("resolve", "Resolved INC-1", true, "resolved"),
        ("reopen", "Reopened INC-1", true, "open"),
        ("cancel", "Canceled INC-1", true, "canceled"),
    ];
    for (step, text, changed, status) in steps {
        server.pass(60);
        let answer = server
            .post(&format!("/api/v1/incidents/1/{step}"), Value::Null)
            .await;
        let body = answer.is(200);
        assert_eq!(body["here"], json!({"changed": changed, "text": text}));
        assert_eq!(body["there"], json!({"state": "none", "text": ""}));
        assert_eq!(body["incident"]["status"], status, "{step}");
    }
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_a_conflict_with_a_next_step() {
    let server = Server::start();
    declared(&server).await;
    server
        .post("/api/v1/incidents/1/resolve", Value::Null)
        .await
        .is(200);
    let answer = server
        .post("/api/v1/incidents/1/acknowledge", Value::Null)
        .await;
    let body = answer.is(409);
    assert_eq!(body["code"], "already_resolved");
    assert_eq!(
        body["detail"],
        "cannot acknowledge INC-1: it was resolved at 09:14 by the administrator"
    );
    assert_eq!(body["hint"], "`im reopen INC-1` opens it again");
    let cancel = server.post("/api/v1/incidents/1/cancel", Value::Null).await;
    assert_eq!(
        cancel.is(409)["hint"],
        "it is over already; `im reopen INC-1` opens it again"
    );
    server
        .post("/api/v1/incidents/1/close", Value::Null)
        .await
        .is(200);
    let closed = server
        .post("/api/v1/incidents/1/acknowledge", Value::Null)
        .await;
    assert_eq!(closed.is(409)["hint"], "`im reopen INC-1` opens it again");
    let wrong = [
        (json!({"title": " ", "severity": "SEV-1"}), "empty_title"),
        (
            json!({"title": "x".repeat(1025), "severity": "SEV-1"}),
            "title_too_long",
        ),
        (json!({"title": "x", "severity": "SEV-9"}), "severity"),
    ];
    for (body, code) in wrong {
        let answer = server.post("/api/v1/incidents", body).await;
        assert_eq!(answer.is(422)["code"], code);
    }
    let empty = server
        .post("/api/v1/incidents/1/notes", json!({"text": " "}))
        .await;
    assert_eq!(empty.is(422)["code"], "empty_note");
}

#[tokio::test]
async fn a_deleted_incident_is_gone_for_readers() {
    let server = Server::start();
    declared(&server).await;
    server.delete("/api/v1/incidents/1").await.is(200);
    assert_eq!(
        server.get("/api/v1/incidents/1").await.is(404)["code"],
        "deleted"
    );
    assert_eq!(server.get("/api/v1/incidents").await.is(200), &json!([]));
}

#[tokio::test]
async fn lists_are_filtered_by_the_words_that_people_see() {
    let server = Server::start();
    for title in ["alpha", "beta", "gamma"] {
        let new = json!({"title": title, "severity": "SEV-3"});
        server.post("/api/v1/incidents", new).await.is(201);
    }
    server
        .post("/api/v1/incidents/1/acknowledge", Value::Null)
        .await
        .is(200);
    server
        .post("/api/v1/incidents/2/resolve", Value::Null)
        .await
        .is(200);
    let cases = [
        ("", "INC-3 INC-2 INC-1"),
        ("?limit=1", "INC-3"),
        ("?before=3", "INC-2 INC-1"),
        ("?status=active", "INC-3 INC-1"),
        ("?status=mitigated", "INC-1"),
        ("?status=open&status=resolved", "INC-3 INC-2"),
        ("?q=ALP", "INC-1"),
        ("?severity=SEV-1", ""),
    ];
    for (query, expected) in cases {
        let answer = server.get(&format!("/api/v1/incidents{query}")).await;
        let ids: Vec<&str> = answer
            .is(200)
            .as_array()
            .unwrap()
            .iter()
            .map(|incident| incident["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn the_status_model_changes_the_words_and_not_the_facts() {
    let server = Server::start();
    declared(&server).await;
    server
        .post("/api/v1/incidents/1/acknowledge", Value::Null)
        .await
        .is(200);
    let lifecycle = json!({"status_model": "lifecycle"});
    server.patch("/api/v1/settings", lifecycle).await.is(200);
    let incident = server.get("/api/v1/incidents/1").await;
    assert_eq!(incident.is(200)["status"], "acknowledged");
}

#[tokio::test]
async fn the_doctor_finds_a_row_that_is_not_what_its_facts_say() {
    let server = Server::start();
    declared(&server).await;
    let well = server.get("/api/v1/doctor").await;
    assert_eq!(well.is(200)["ok"], true);
    server
        .write(|tx| {
            let number = im_core::IncidentNumber::new(1).unwrap();
            let mut story = im_engine::record::story(tx, number, None)?.unwrap();
            story.title = "something else".to_owned();
            im_store::incidents::update(tx, number, &story, false)
        })
        .await;
    let ill = server.get("/api/v1/doctor").await;
    assert_eq!(ill.is(200)["ok"], false);
    assert!(
        ill.body.to_string().contains("1 differ: INC-1"),
        "{}",
        ill.body
    );
}

#[tokio::test]
async fn the_doctor_does_not_say_that_pagerduty_answers_to_a_lost_key() {
    let server = Server::with_connector(config()).await;
    server
        .write(|tx| {
            use im_store::connectors::{State, configure, find};
            let row = find(tx, "prod")?.unwrap();
            configure(tx, "prod", &row.config, "x1:AAAA", State::Active)
        })
        .await;
    let doctor = server.get("/api/v1/doctor").await;
    let lines = doctor.is(200)["lines"].as_array().unwrap();
    let about: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| {
            (
                line["state"].as_str().unwrap(),
                line["text"].as_str().unwrap(),
            )
        })
        .filter(|(_, text)| text.starts_with("prod: "))
        .collect();
    assert_eq!(
        about,
        [
            ("failed", "prod: stored secrets can be opened"),
            ("skipped", "prod: PagerDuty is not asked without the key"),
        ]
    );
}
