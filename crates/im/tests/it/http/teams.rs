//! Teams beside PagerDuty's: by which names their services are given, and which ids they may have.

use serde_json::json;

use super::organisation::{Written, im, with_directory};
use super::{config, unbroken};

#[tokio::test]
async fn mw_40_a_team_has_the_services_that_incidents_carry_by_whichever_name_they_were_given() {
    let server = with_directory().await;
    let mut custom = config();
    custom["custom"]["service_mappings"] = json!({"web": "PCHECK1"});
    server
        .patch("/api/v1/connectors/prod", custom)
        .await
        .is(200);
    for given in [
        json!(["web"]),
        json!(["Web"]),
        json!(["Checkout Web"]),
        json!(["web", "PCHECK1", "web"]),
    ] {
        let made = server
            .post("/api/v1/teams", json!({"id": "shop", "services": given}))
            .await;
        assert_eq!(made.is(200)["services"], json!(["PCHECK1"]), "{given}");
        let stored = server.get("/api/v1/teams").await;
        assert_eq!(stored.is(200)[0]["services"], json!(["PCHECK1"]), "{given}");
    }
    let document = r#"{"version": 1, "teams": [{"id": "ops", "services": ["web", "web"]}]}"#;
    let file = Written::new("named.json", document);
    let said = im(&server, &format!("data import {}", file.0.display())).await;
    assert_eq!(said.code, 0, "{}", said.all());
    let stored = server.get("/api/v1/teams").await;
    assert_eq!(stored.is(200)[0]["services"], json!(["PCHECK1"]));
}

#[tokio::test]
async fn mw_40_a_name_that_two_services_have_is_refused_and_both_are_named() {
    let server = with_directory().await;
    let mut custom = config();
    custom["custom"]["service_mappings"] = json!({"db": "PCHECK1"});
    server
        .patch("/api/v1/connectors/prod", custom.clone())
        .await
        .is(200);
    custom["custom"]["service_mappings"] = json!({"db": "PDATA01"});
    let second = json!({"name": "second", "type": "pagerduty", "config": custom});
    server.post("/api/v1/connectors", second).await.is(201);
    let want = "more than one service is `db`: PCHECK1, PDATA01";
    for (path, body) in [
        ("/api/v1/teams", json!({"id": "ops", "services": ["db"]})),
        ("/api/v1/deployments", json!({"service": "db"})),
    ] {
        let refused = server.post(path, body).await;
        assert_eq!(refused.is(422)["detail"], want, "{path}");
    }
}

#[tokio::test]
async fn mw_40_a_team_of_ones_own_takes_no_name_from_a_team_of_pagerdutys() {
    let server = with_directory().await;
    let said = im(&server, "team set PTEAM01 --name Fake").await;
    assert_eq!(said.code, 2, "{}", said.all());
    let told = unbroken(&said.err);
    assert!(
        told.contains("`PTEAM01` is PagerDuty's team Platform"),
        "{told}"
    );
    let next = "`im team set ID --pagerduty-team PTEAM01`";
    assert!(told.contains(next), "{told}");
    let document = r#"{"version": 1, "teams": [{"id": "PTEAM01", "name": "Fake"}]}"#;
    let file = Written::new("taken.json", document);
    let said = im(&server, &format!("data import {}", file.0.display())).await;
    let told = unbroken(&said.err);
    assert!(
        told.contains("line 1: `PTEAM01` is PagerDuty's team Platform"),
        "{told}"
    );
    assert_eq!(*server.get("/api/v1/teams").await.is(200), json!([]));
}

#[tokio::test]
async fn a_team_has_an_id_that_questions_can_name() {
    let server = with_directory().await;
    for id in ["null", "None", "bad id!", "a\u{7}b", "x/y"] {
        let refused = server.post("/api/v1/teams", json!({"id": id})).await;
        assert_eq!(refused.is(422)["code"], "id", "{id}");
    }
    for id in ["ops", "site-reliability_2.eu", "Älteste"] {
        server
            .post("/api/v1/teams", json!({"id": id}))
            .await
            .is(200);
    }
}
