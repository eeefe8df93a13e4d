//! What an organisation settles, by command line and API, and what becomes of it in figures.

use std::path::PathBuf;

use axum::Extension;
use im::http::auth::InProcess;
use im_store::directory::{self, About, DirectoryRow, Kind};
use im_store::people::{self, UserRow};
use serde_json::{Value, json};

use super::{FAR, NEAR, Server, config, request, unbroken};
use crate::cli::{Said, on_router};

/// Runs the command line on the server's own API.
pub(super) async fn im(server: &Server, line: &str) -> Said {
    let router = server.router.clone().layer(Extension(InProcess));
    let line = line.to_owned();
    tokio::task::spawn_blocking(move || on_router(router).im(&line))
        .await
        .unwrap()
}

pub(super) async fn done(server: &Server, line: &str) -> String {
    let said = im(server, line).await;
    assert_eq!(said.code, 0, "{line}: {}", said.err);
    for line in said.out.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
    said.out + &said.err
}

/// Does something in somebody's name.
pub(super) async fn as_person(server: &Server, person: &str, path: &str) {
    let mut request = request(NEAR, "POST", path, &Value::Null);
    let headers = request.headers_mut();
    headers.insert("im-as", person.parse().unwrap());
    server.send(request).await.is(200);
}

/// An incident on `db` at Friday, 09:14 UTC, which Ann acknowledges and resolves.
pub(super) async fn with_incident() -> Server {
    with_incident_on(Server::start()).await
}

/// An incident on `db`, which Ann acknowledges.
pub(super) async fn acknowledged_by_ann(server: &Server) {
    let new = json!({"title": "db down", "severity": "sev2", "service": "db"});
    server.post("/api/v1/incidents", new).await.is(201);
    as_person(server, "ann@example.com", "/api/v1/incidents/1/acknowledge").await;
}

async fn with_incident_on(server: Server) -> Server {
    acknowledged_by_ann(&server).await;
    server.pass(1_800);
    as_person(&server, "ann@example.com", "/api/v1/incidents/1/resolve").await;
    server.pass(60);
    server
}

/// The whole figure of a metric today.
async fn total(server: &Server, asked: &str) -> Value {
    let join = if asked.contains('?') { '&' } else { '?' };
    let path = format!("/api/v1/metrics/{asked}{join}from=2026-11-20&to=2026-11-20&bucket=all");
    let answer = server.get(&path).await;
    answer.is(200)["series"][0]["total"].clone()
}

pub(super) async fn groups(server: &Server, asked: &str) -> Vec<(String, i64)> {
    let path = format!("/api/v1/metrics/{asked}&from=2026-11-20&to=2026-11-20&bucket=all");
    let answer = server.get(&path).await;
    let series = answer.is(200)["series"].as_array().unwrap().iter();
    let group = |one: &Value| {
        let name = one["group"][0]["name"].as_str().unwrap().to_owned();
        (name, one["total"]["n"].as_i64().unwrap())
    };
    series.map(group).collect()
}

#[tokio::test]
async fn m_010_m_011_hours_that_are_set_move_pages_of_the_past() {
    let server = with_incident().await;
    let out = "page_disruptions?when=out_of_hours";
    assert_eq!(total(&server, out).await["n"], 0);
    let none = done(&server, "hours list").await;
    assert!(none.contains("Monday to Friday"), "{none}");
    done(
        &server,
        "hours set organisation --from 2026-01-01 --week mon-sun=18:00-08:00",
    )
    .await;
    assert_eq!(total(&server, out).await["n"], 1);
    // Friday, 22:14 in Auckland, is nobody's time of work there.
    let auckland = "hours set person:ann@example.com --from 2026-11-01 --zone Pacific/Auckland --week tue-sat=10:00-19:00";
    done(&server, auckland).await;
    assert_eq!(total(&server, out).await["n"], 1);
    done(&server, "hours set person:ann@example.com --from 2026-11-20 --zone UTC --week fri=09:00-12:00,13:00-17:00").await;
    assert_eq!(total(&server, out).await["n"], 0);
    insta::assert_snapshot!(done(&server, "hours list").await);
    done(
        &server,
        "hours remove person:ann@example.com --from 2026-11-20",
    )
    .await;
    assert_eq!(total(&server, out).await["n"], 1);
    done(
        &server,
        "hours remove person:ann@example.com --from 2026-11-01",
    )
    .await;
    done(&server, "team set ops --member ann@example.com").await;
    done(
        &server,
        "hours set team:ops --from 2026-11-01 --week mon-fri=09:00-10:00",
    )
    .await;
    assert_eq!(total(&server, out).await["n"], 0);
    let gone = im(&server, "hours remove team:ops --from 2026-12-01").await;
    assert_eq!((gone.code, gone.out.as_str()), (3, ""));
}

#[tokio::test]
async fn hours_that_make_no_sense_are_refused_by_name() {
    let server = Server::start();
    let rows = [
        (
            json!({"of": "me", "effective_from": "2026-01-01", "week": {}}),
            "`me` has no working hours",
        ),
        (
            json!({"of": "organisation", "effective_from": "2026-11-31", "week": {}}),
            "effective_from: `2026-11-31` is no date",
        ),
        (
            json!({"of": "organisation", "effective_from": "12/01/2026", "week": {}}),
            "effective_from: `12/01/2026` is no date",
        ),
        (
            json!({"of": "organisation", "effective_from": "2026-01-01", "week": {"monday": ["08:00-08:00"]}}),
            "from 08:00 to 08:00 are empty",
        ),
        (
            json!({"of": "organisation", "effective_from": "2026-01-01", "week": {"monday": ["8-18"]}}),
            "`8` is not a time of day",
        ),
        (
            json!({"of": "organisation", "effective_from": "2026-01-01", "zone": "Mars/Olympus", "week": {}}),
            "there is no time zone `Mars/Olympus`",
        ),
        (
            json!({"of": "organisation", "effective_from": "2026-01-01", "week": {"someday": []}}),
            "someday",
        ),
    ];
    for (body, why) in rows {
        let answer = server.post("/api/v1/hours", body).await;
        let detail = answer.is(400)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(why), "{detail}");
    }
    assert_eq!(*server.get("/api/v1/hours").await.is(200), json!([]));
}

/// What PagerDuty is known to have: Ann, who is nobody here yet, a service and a team.
pub(super) async fn with_directory() -> Server {
    let server = Server::with_connector(config()).await;
    let since = server.clock.now();
    let known = [
        (Kind::Service, "PCHECK1", "Checkout Web"),
        (Kind::Team, "PTEAM01", "Platform"),
        (Kind::Priority, "PPRIO01", "P1"),
    ];
    server
        .write(move |tx| {
            for (kind, id, name) in known {
                let row = DirectoryRow {
                    connector: "prod".to_owned(),
                    kind,
                    id: id.to_owned(),
                    since,
                    until: None,
                    name: Some(name.to_owned()),
                    about: About::default(),
                    state: None,
                };
                directory::begin(tx, &row, 1)?;
            }
            let ann = UserRow {
                id: "PUANN01".to_owned(),
                email: "ann@example.com".to_owned(),
                name: Some("Ann Lee".to_owned()),
            };
            people::put(tx, "prod", &ann)
        })
        .await;
    server
}

#[tokio::test]
async fn m_011_hours_and_teams_of_nobody_are_refused_with_what_is_near() {
    let server = with_directory().await;
    let hours = "--from 2026-01-01 --week mon-fri=09:00-17:00";
    let rows = [
        (
            format!("hours set person:nobody@nowhere.example {hours}"),
            "there is no person `nobody@nowhere.example`",
        ),
        (
            format!("hours set person:anne@example.com {hours}"),
            "did you mean `ann@example.com`?",
        ),
        (
            format!("hours set person:PUANN02 {hours}"),
            "there is no user `PUANN02`",
        ),
        (
            format!("hours set team:none {hours}"),
            "there is no team `none`",
        ),
        (
            format!("hours set team:Platfrom {hours}"),
            "did you mean `PTEAM01`?",
        ),
        (
            "team set ops --member x@y".to_owned(),
            "there is no person `x@y`",
        ),
        (
            "team set ops --service 'Checkout Wbe'".to_owned(),
            "did you mean `PCHECK1`?",
        ),
        (
            "team set ops --pagerduty-team PTEAM02".to_owned(),
            "did you mean `PTEAM01`?",
        ),
    ];
    for (line, why) in rows {
        let said = im(&server, &line).await;
        assert_eq!(said.code, 2, "{line}: {}", said.all());
        let told = unbroken(&said.err);
        assert!(told.contains(why), "{line}: {told}");
        assert!(told.contains("hint: `im "), "{line}: {told}");
    }
    assert_eq!(*server.get("/api/v1/hours").await.is(200), json!([]));
    assert_eq!(*server.get("/api/v1/teams").await.is(200), json!([]));
    let text = r#"{"version": 1,
 "teams": [{"id": "ops", "members": [{"person": "eve@example.com"}]},
  {"id": "web", "services": ["PCHECK9"]}],
 "hours": [{"of": "team:none", "effective_from": "2026-01-01", "week": {}},
  {"of": "team:ops", "effective_from": "2026-01-01", "week": {}}]}"#;
    let file = Written::new("unknown.json", text);
    let said = im(&server, &format!("data import {}", file.0.display())).await;
    assert_eq!(said.code, 2);
    let told = unbroken(&said.err);
    for why in [
        "line 2: there is no person `eve@example.com`",
        "line 3: there is no service `PCHECK9`: did you mean `PCHECK1`?",
        "line 4: there is no team `none`",
    ] {
        assert!(told.contains(why), "{told}");
    }
    assert!(
        !told.contains("line 5"),
        "the team of line 2 is there: {told}"
    );
}

#[tokio::test]
async fn rules_for_failures_that_name_what_nobody_knows_are_refused_with_what_is_near() {
    let server = with_directory().await;
    let rows = [
        (
            "--service 'Checkout Wbe'",
            "there is no service `Checkout Wbe`: did you mean `PCHECK1`?",
            "hint: `im directory services`",
        ),
        (
            "--priority P1 --urgency low",
            "there is no priority `P1`: did you mean `PPRIO01`?",
            "hint: `im directory priorities`",
        ),
    ];
    for (rule, why, next) in rows {
        let said = im(&server, &format!("failure-rule set odd {rule}")).await;
        assert_eq!(said.code, 2, "{rule}: {}", said.all());
        let told = unbroken(&said.err);
        assert!(told.contains(why) && told.contains(next), "{rule}: {told}");
    }
    let text = r#"{"version": 1, "failure_rules": [
  {"id": "fits", "service": "PCHECK1", "priority": "PPRIO01"},
  {"id": "odd", "service": "PCHECK9"},
  {"id": "odder", "service": "PCHECK1", "priority": "sev1"}]}"#;
    let file = Written::new("rules.json", text);
    let said = im(&server, &format!("data import {}", file.0.display())).await;
    let told = unbroken(&said.err);
    assert_eq!(said.code, 2, "{told}");
    for why in [
        "line 3: there is no service `PCHECK9`: did you mean `PCHECK1`?",
        "line 4: there is no priority `sev1`",
    ] {
        assert!(told.contains(why), "{told}");
    }
    assert!(!told.contains("line 2"), "{told}");
    let path = "/api/v1/failure-rules";
    assert_eq!(*server.get(path).await.is(200), json!([]));
    let known = "failure-rule set checkout --service PCHECK1 --priority PPRIO01";
    assert!(!done(&server, known).await.contains("hint"));
}

#[tokio::test]
async fn rules_for_failures_may_come_before_anything_of_pagerdutys_and_stay() {
    let server = Server::start();
    let rule = "failure-rule set checkout --service PCHECK1 --priority PPRIO01";
    let said = unbroken(&done(&server, rule).await);
    for what in ["service `PCHECK1`", "priority `PPRIO01`"] {
        let hint = format!("nobody can say whether there is a {what}");
        assert!(said.contains(&hint), "{said}");
    }
    // What incidents name is known, also where PagerDuty's lists lack it.
    let server = with_incident_on(with_directory().await).await;
    let on = server.get("/api/v1/incidents/1").await.is(200)["service"].clone();
    let rule = json!({"id": "db", "service": on});
    let path = "/api/v1/failure-rules";
    assert_eq!(server.post(path, rule).await.is(200).get("hint"), None);
}

#[tokio::test]
async fn m_011_whose_hours_count_for_nobody_yet_is_told_with_the_next_step() {
    let server = with_directory().await;
    let set = "hours set person:Ann@example.com --from 2026-01-01 --week mon-fri=09:00-17:00";
    let said = unbroken(&done(&server, set).await);
    assert!(
        said.contains(
            "`im person add ann@example.com`, then `im person link PUANN01 ann@example.com`"
        ),
        "{said}"
    );
    done(&server, "person add ann@example.com").await;
    // What is stored already is not asked about again.
    assert!(!done(&server, set).await.contains("hint"));
    let said = unbroken(&done(&server, "team set ops --member ann@example.com").await);
    assert!(
        said.contains("`im person link PUANN01 ann@example.com` does that"),
        "{said}"
    );
    done(&server, "person link PUANN01 ann@example.com").await;
    let linked = done(
        &server,
        "team set ops --member ann@example.com --service PCHECK1",
    )
    .await;
    assert!(!linked.contains("hint"), "{linked}");
    let by_id = done(&server, &set.replace("Ann@example.com", "PUANN01")).await;
    assert!(!by_id.contains("hint"), "{by_id}");
    let nobody = done(&server, "person users --state suggested").await;
    assert!(nobody.contains("No user is suggested."), "{nobody}");
}

#[tokio::test]
async fn m_009_a_token_sees_single_people_only_with_the_scope_for_it() {
    let server = Server::start();
    let ask = async |token: &str| {
        let mut request = request(FAR, "GET", "/api/v1/metrics/oncall_load", &Value::Null);
        let value = format!("Bearer {}", token.trim()).parse().unwrap();
        request.headers_mut().insert("authorization", value);
        server.send(request).await
    };
    let secret = |said: Said| said.out;
    let plain = secret(im(&server, "token create plain").await);
    let lead = secret(im(&server, "token create lead --scope personal_load").await);
    let refused = ask(&plain).await;
    let detail = refused.is(403)["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("scope `personal_load`"), "{detail}");
    ask(&lead).await.is(200);
    let odd = im(&server, "token create odd --scope everything").await;
    assert_eq!(odd.code, 2);
    assert!(
        odd.err.contains("there is no scope `everything`"),
        "{}",
        odd.err
    );
    let listed = done(&server, "token list").await;
    assert!(listed.contains("personal_load"), "{listed}");
    let tokens = server.get("/api/v1/tokens").await;
    let scopes = |place: usize| &tokens.body[place]["scopes"];
    assert_eq!(tokens.is(200)[0]["name"], "lead");
    assert_eq!(*scopes(0), json!(["personal_load"]));
    assert_eq!(*scopes(1), json!([]));
}

#[tokio::test]
async fn m_032_users_are_suggested_confirmed_changed_and_ignored() {
    let server = Server::with_connector(config()).await;
    let user = |id: &str, email: &str, name: &str| UserRow {
        id: id.to_owned(),
        email: email.to_owned(),
        name: Some(name.to_owned()),
    };
    let users = [
        user("PU1", "ann@example.com", "A. Lee"),
        user("PU2", "bob@old.example", "Bob Ray"),
        user("PU3", "robot@example.com", "Robot"),
        user("PU4", "kim.a@example.com", "Kim"),
    ];
    server
        .write(move |tx| {
            for user in &users {
                people::put(tx, "prod", user)?;
            }
            Ok(())
        })
        .await;
    done(&server, "person add Ann@example.com --name 'Ann Lee'").await;
    done(&server, "person add bob@example.com --name 'bob ray'").await;
    // Two of one name suggest nobody.
    done(&server, "person add kim1@example.com --name Kim").await;
    done(&server, "person add kim2@example.com --name Kim").await;
    insta::assert_snapshot!("users_suggested", done(&server, "person users").await);
    done(&server, "person link PU1").await;
    done(&server, "person link PU2 ann@example.com").await;
    done(&server, "person link PU2 bob@example.com").await;
    done(&server, "person ignore PU3").await;
    insta::assert_snapshot!("users_linked", done(&server, "person users").await);
    let left = done(&server, "person users --state unknown --state suggested").await;
    assert!(left.contains("PU4") && !left.contains("PU1"), "{left}");
    let nobody = im(&server, "person link PU4").await;
    assert_eq!(nobody.code, 3);
    let unknown = im(&server, "person link PU4 eve@example.com").await;
    assert_eq!(unknown.code, 2);
    assert!(
        unknown
            .err
            .contains("`im person add eve@example.com` adds one")
    );
    let linked = im(&server, "person remove bob@example.com").await;
    assert_eq!(linked.code, 4);
    done(&server, "person unlink PU2").await;
    done(&server, "person remove bob@example.com").await;
    let again = im(&server, "person unlink PU2").await;
    assert_eq!(again.code, 3);
}

#[tokio::test]
async fn m_033_g05_pages_of_the_past_move_with_the_link() {
    let server = with_incident().await;
    let asked = "pages?source=acknowledgements&group_by=user";
    assert_eq!(
        groups(&server, asked).await,
        [("ann@example.com".to_owned(), 1)]
    );
    done(&server, "person add lee@example.com --name 'Ann Lee'").await;
    done(&server, "person add eve@example.com").await;
    done(&server, "person link ann@example.com lee@example.com").await;
    assert_eq!(groups(&server, asked).await, [("Ann Lee".to_owned(), 1)]);
    // The person's team and hours are the user's then.
    done(
        &server,
        "team set ops --name Operations --member lee@example.com",
    )
    .await;
    let by_team = "mtta?group_by=team";
    assert_eq!(
        groups(&server, by_team).await,
        [("Operations".to_owned(), 1)]
    );
    done(&server, "person link ann@example.com eve@example.com").await;
    assert_eq!(
        groups(&server, asked).await,
        [("eve@example.com".to_owned(), 1)]
    );
    assert_eq!(groups(&server, by_team).await, [("none".to_owned(), 1)]);
}

#[tokio::test]
async fn mw_40_a_team_of_ours_has_services_and_members_by_date() {
    let server = with_incident().await;
    let asked = "incident_frequency?group_by=team";
    assert_eq!(groups(&server, asked).await, [("none".to_owned(), 1)]);
    done(&server, "person add bob@example.com").await;
    done(&server, "team set ops --service db --pagerduty-team PT1 --member ann@example.com=2026-11-21.. --member bob@example.com=..2026-11-19").await;
    assert_eq!(groups(&server, asked).await, [("ops".to_owned(), 1)]);
    // Ann is in it from tomorrow on.
    let of_people = "pages?source=acknowledgements&group_by=team";
    assert_eq!(groups(&server, of_people).await, [("none".to_owned(), 1)]);
    insta::assert_snapshot!(done(&server, "team list").await);
    let odd = im(&server, "team set ops --pagerduty-team ops").await;
    assert_eq!(odd.code, 2);
    let odd = im(
        &server,
        "team set ops --member ann@example.com=2026-11-21..2026-11-01",
    )
    .await;
    assert_eq!(odd.code, 2);
    done(&server, "team remove ops").await;
    assert_eq!(groups(&server, asked).await, [("none".to_owned(), 1)]);
    assert_eq!(im(&server, "team remove ops").await.code, 3);
}

#[tokio::test]
async fn s104_a_person_decides_what_caused_an_incident_and_why() {
    let server = Server::start();
    for id in ["d1", "d2"] {
        done(
            &server,
            &format!("deployment record --service db --id {id}"),
        )
        .await;
        server.pass(60);
    }
    let server = with_incident_on(server).await;
    let blamed = async || {
        let items = server
            .get("/api/v1/metrics/change_failure_rate/items")
            .await;
        let items = items.is(200)["items"].as_array().unwrap().clone();
        let blamed = items.iter().filter(|item| item["counts"] == true);
        let blamed: Vec<String> = blamed
            .map(|item| item["deployment"].as_str().unwrap().to_owned())
            .collect();
        blamed.join(" ")
    };
    assert_eq!(blamed().await, "d2");
    let behind = done(&server, "annotate INC-1").await;
    assert!(
        behind.contains("d2: the newest successful deployment"),
        "{behind}"
    );
    // An override says why.
    assert_eq!(im(&server, "annotate INC-1 --caused-by d1").await.code, 2);
    let path = "/api/v1/incidents/1/annotations";
    let silent = server.patch(path, json!({"caused_by": "d1"})).await;
    assert_eq!(silent.is(422)["code"], "reason");
    done(
        &server,
        "annotate INC-1 --caused-by d1 --reason 'the migration of d1'",
    )
    .await;
    assert_eq!(blamed().await, "d1");
    done(
        &server,
        "annotate INC-1 --caused-by none --reason 'a cable was cut'",
    )
    .await;
    assert_eq!(blamed().await, "");
    let said = server.get(path).await;
    assert_eq!(said.is(200)["behind"]["deployment"], Value::Null);
    assert_eq!(said.body["history"].as_array().unwrap().len(), 2);
    assert_eq!(said.body["history"][0]["reason"], "the migration of d1");
    let unknown = im(&server, "annotate INC-1 --caused-by d9 --reason x").await;
    assert!(
        unknown.err.contains("there is no deployment `d9`"),
        "{}",
        unknown.err
    );
    // What the incident itself names comes after the person, and before the time.
    done(&server, "annotate INC-1 --clear caused_by --deployment d1").await;
    assert_eq!(blamed().await, "d1");
    done(
        &server,
        "annotate INC-1 --not-change-related --reason 'a cable was cut'",
    )
    .await;
    assert_eq!(blamed().await, "");
    assert_eq!(total(&server, "change_failure_rate").await["numerator"], 0);
}

#[tokio::test]
async fn an_incident_gets_the_environment_that_deployments_are_matched_by() {
    let server = Server::start();
    done(
        &server,
        "deployment record --service db --id staging --environment Staging",
    )
    .await;
    let server = with_incident_on(server).await;
    assert_eq!(total(&server, "change_failure_rate").await["numerator"], 1);
    done(&server, "annotate INC-1 --environment production").await;
    assert_eq!(total(&server, "change_failure_rate").await["numerator"], 0);
    done(&server, "annotate INC-1 --environment STAGING").await;
    assert_eq!(total(&server, "change_failure_rate").await["numerator"], 1);
    assert_eq!(total(&server, "mttr?environment=staging").await["n"], 1);
}

#[tokio::test]
async fn a_rule_excludes_incidents_from_the_failures() {
    let server = with_incident().await;
    let restored = async || total(&server, "time_to_restore").await["n"].clone();
    assert_eq!(restored().await, 1);
    done(
        &server,
        "failure-rule set short --shorter-than 30m --reason 'nobody noticed'",
    )
    .await;
    assert_eq!(restored().await, 1);
    done(
        &server,
        "failure-rule set short --shorter-than 31m --origin im --reason 'nobody noticed'",
    )
    .await;
    assert_eq!(restored().await, 0);
    let left_out = server.get("/api/v1/metrics/time_to_restore").await;
    assert_eq!(left_out.is(200)["left_out"]["not_failure"], 1);
    insta::assert_snapshot!(done(&server, "failure-rule list").await);
    for wrong in ["--reason x", "--shorter-than soon", "--shorter-than 0"] {
        let said = im(&server, &format!("failure-rule set odd {wrong}")).await;
        assert_eq!(said.code, 2, "{wrong}");
    }
    done(&server, "failure-rule remove short").await;
    assert_eq!(restored().await, 1);
}

#[tokio::test]
async fn targets_of_our_own_judge_incidents_and_figures() {
    let server = with_incident().await;
    let met = async || total(&server, "sla_compliance").await["resolve"]["met"].clone();
    assert_eq!(met().await, 1);
    done(&server, "target set sev2 --ack 10m --resolve 20m").await;
    assert_eq!(met().await, 0);
    assert_eq!(total(&server, "mttr").await.get("on_target"), None);
    done(&server, "target set mttr --at-most 30m").await;
    assert_eq!(total(&server, "mttr").await["on_target"], true);
    done(&server, "target set mttr --at-most 1799.5").await;
    assert_eq!(total(&server, "mttr").await["on_target"], false);
    let answer = server.get("/api/v1/metrics/mttr").await;
    assert_eq!(
        answer.is(200)["target"],
        json!({"name": "mttr", "at_most": 1799.5})
    );
    insta::assert_snapshot!(done(&server, "target list").await);
    for wrong in [
        "SEV-1 --at-most 3",
        "mttr --ack 1m --resolve 2m",
        "oncall_load --at-most 1",
        "mttr --at-most -1",
        "mttr --at-most soon",
        "mttr --at-most inf",
        "change_failure_rate --at-most 5",
    ] {
        let said = im(&server, &format!("target set {wrong}")).await;
        assert_eq!(said.code, 2, "{wrong}");
    }
    done(&server, "target set change_failure_rate --at-most 15%").await;
    let listed = done(&server, "target list").await;
    assert!(listed.contains("at most 0.15"), "{listed}");
    done(&server, "target remove SEV-2").await;
    assert_eq!(met().await, 1);
}

#[tokio::test]
async fn a_deployment_of_a_service_that_nobody_knows_is_recorded_with_a_hint() {
    let mut config = config();
    config["custom"]["service_mappings"] = json!({"checkout": "PCHECK1"});
    let server = Server::with_connector(config).await;
    let words = |said: &Said| said.err.split_whitespace().collect::<Vec<_>>().join(" ");
    let slip = im(&server, "deployment record --service chekout").await;
    assert_eq!(slip.code, 0);
    assert!(
        words(&slip).ends_with("did you mean `checkout`?"),
        "{}",
        slip.err
    );
    let odd = im(&server, "deployment record --service warehouse").await;
    assert!(
        words(&odd).ends_with("it matches incidents of that name until a service has it"),
        "{}",
        odd.err
    );
    let known = im(&server, "deployment record --service checkout").await;
    assert_eq!((known.code, known.err.as_str()), (0, ""));
    let listed = server.get("/api/v1/deployments").await;
    assert_eq!(listed.is(200).as_array().unwrap().len(), 3);
    let none = im(&server, "deployment record --service checkout --id none").await;
    assert_eq!(none.code, 2);
}

#[tokio::test]
async fn s96_the_impact_is_entered_with_a_trail_and_metrics_keep_pagerdutys_clock() {
    let server = with_incident().await;
    let before = total(&server, "mttr").await;
    done(
        &server,
        "annotate INC-1 --impact-start 2026-11-20T08:40:00Z --reason 'first errors in the log'",
    )
    .await;
    server.pass(60);
    done(
        &server,
        "annotate INC-1 --impact-end 2026-11-20T09:30:00Z --as ann@example.com",
    )
    .await;
    let wrong = im(&server, "annotate INC-1 --impact-end 2026-11-20T08:00:00Z").await;
    assert!(
        wrong
            .err
            .contains("cannot end at 2026-11-20 08:00:00 UTC before it starts at"),
        "{}",
        wrong.err
    );
    let zone = json!({"time_zone": "America/New_York"});
    server.patch("/api/v1/settings", zone).await.is(200);
    let wrong = im(&server, "annotate INC-1 --impact-end 2026-11-20T08:00:00Z").await;
    assert!(
        wrong.err.contains("cannot end at 2026-11-20 03:00:00 EST"),
        "{}",
        wrong.err
    );
    let zone = json!({"time_zone": "UTC"});
    server.patch("/api/v1/settings", zone).await.is(200);
    server.pass(60);
    done(
        &server,
        "annotate INC-1 --impact-start 2026-11-20T08:45:00Z",
    )
    .await;
    let shown = server.get("/api/v1/incidents/1").await;
    let want =
        json!({"impact_start": "2026-11-20T08:45:00Z", "impact_end": "2026-11-20T09:30:00Z"});
    assert_eq!(shown.is(200)["annotations"], want);
    assert_eq!(total(&server, "mttr").await, before);
    let told = done(&server, "annotate INC-1").await;
    insta::assert_snapshot!("impact_trail", told);
    let shown = done(&server, "show INC-1").await;
    assert!(shown.contains("Impact:"), "{shown}");
    done(
        &server,
        "annotate INC-1 --clear impact_start --clear impact_end",
    )
    .await;
    let shown = server.get("/api/v1/incidents/1").await;
    assert_eq!(shown.is(200).get("annotations"), None);
    let nothing = server
        .patch("/api/v1/incidents/1/annotations", json!({}))
        .await;
    assert_eq!(nothing.is(422)["code"], "nothing_named");
    server.get("/api/v1/incidents/9/annotations").await.is(404);
}

/// Everything that the document can hold.
async fn settled() -> Server {
    let server = Server::start();
    for line in [
        "config set time_zone Europe/Berlin",
        "person add ann@example.com --name 'Ann Lee'",
        "person link PUANN01 ann@example.com",
        "person ignore PUBOT01",
        "team set ops --name Operations --member ann@example.com=2026-01-01.. --service db --pagerduty-team PT1",
        "hours set organisation --from 2026-01-01 --week mon-fri=09:00-17:30",
        "hours set team:ops --from 2026-02-01 --zone Asia/Kolkata --week sun-tue=22:00-06:00",
        "failure-rule set short --shorter-than 1m --urgency low --reason 'nobody noticed'",
        "target set SEV-1 --ack 5m --resolve 30m",
        "target set change_failure_rate --at-most 0.15",
        "deployment record --service db --id d1 --version v1 --commit abc@2026-11-19T08:00:00Z",
        "deployment record --service db --id d2 --status in_progress --environment production",
    ] {
        done(&server, line).await;
    }
    let server = with_incident_on(server).await;
    let said = "annotate INC-1 --environment production --cause 'full disk' --caused-by d1 --reason 'seen in the graphs' --impact-start 2026-11-20T08:40:00Z";
    done(&server, said).await;
    done(
        &server,
        "edit INC-1 --sev SEV-4 --field environment=staging",
    )
    .await;
    server
}

/// A file for as long as the test lives.
pub(super) struct Written(pub(super) PathBuf);

impl Written {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("im-data-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[tokio::test]
async fn what_is_exported_is_imported_elsewhere_as_it_was() {
    let first = settled().await;
    let text = im(&first, "data export").await.out;
    insta::assert_snapshot!("exported", text);
    let file = Written::new("round.json", &text);
    let line = format!("data import {}", file.0.display());
    let second = with_incident().await;
    let said = done(&second, &line).await;
    let words: Vec<&str> = said.split_whitespace().collect();
    let want = "Imported: deployments 2, failure rules 1, hours 2, incidents 1, people 1, targets 2, teams 1, users 2 \
        hint: nothing of PagerDuty's is known yet, so nobody can say whether there is a team of PagerDuty's `PT1` \
        hint: nothing of PagerDuty's is known yet, so nobody can say whether there is a user `PUANN01` \
        hint: nothing of PagerDuty's is known yet, so nobody can say whether there is a user `PUBOT01`";
    assert_eq!(words.join(" "), want);
    assert_eq!(im(&second, "data export").await.out, text);
    for asked in [
        "change_failure_rate",
        "sla_compliance",
        "page_disruptions?when=out_of_hours",
    ] {
        assert_eq!(
            total(&second, asked).await,
            total(&first, asked).await,
            "{asked}"
        );
    }
    // A zone keeps the name by which it was written, also one that Rails has for another.
    for zone in ["UTC", "Singapore"] {
        done(&second, &format!("config set time_zone {zone}")).await;
        let text = im(&second, "data export").await.out;
        assert!(
            text.contains(&format!("\"time_zone\": \"{zone}\"")),
            "{text}"
        );
        let file = Written::new("zone.json", &text);
        done(&second, &format!("data import {}", file.0.display())).await;
        assert_eq!(im(&second, "data export").await.out, text);
    }
    // Twice is once.
    let shown = second.get("/api/v1/incidents/1").await.is(200).clone();
    let set = json!([shown["severity"], shown["fields"]]);
    assert_eq!(set, json!(["SEV-4", {"environment": "staging"}]));
    let told = async || {
        let timeline = second.get("/api/v1/incidents/1/timeline").await;
        timeline.is(200).to_string()
    };
    let before = told().await;
    assert!(before.contains("Severity set to SEV-4"), "{before}");
    done(&second, &line).await;
    assert_eq!(told().await, before);
    assert_eq!(im(&second, "data export").await.out, text);
    let trail = second.get("/api/v1/incidents/1/annotations").await;
    assert_eq!(trail.is(200)["history"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn each_value_keeps_the_reason_that_it_was_said_for() {
    let first = with_incident().await;
    let said = "annotate INC-1 --impact-start 2026-11-20T08:40:00Z --cause 'full disk' --reason r";
    done(&first, said).await;
    done(&first, "annotate INC-1 --environment production").await;
    done(&first, "deployment record --service db --id d1").await;
    done(&first, "annotate INC-1 --caused-by d1 --reason a").await;
    let text = im(&first, "data export").await.out;
    let second = with_incident().await;
    let taken = async |text: &str| {
        let file = Written::new("reasons.json", text);
        im(&second, &format!("data import {}", file.0.display())).await
    };
    let odd = text.replace("\"caused_by\": \"a\"", "\"colour\": \"a\"");
    let refused = taken(&odd).await;
    assert!(refused.err.contains("`colour`"), "{}", refused.all());
    assert_eq!(taken(&text).await.code, 0);
    let why = async || {
        let trail = second.get("/api/v1/incidents/1/annotations").await;
        let all = trail.is(200)["history"].as_array().unwrap().clone();
        let one = |row: &Value| (row["field"].to_string(), row["reason"].clone());
        all.iter()
            .map(one)
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let found = why().await;
    for (field, reason) in [
        ("cause", json!("r")),
        ("impact_start", json!("r")),
        ("caused_by", json!("a")),
        ("environment", Value::Null),
    ] {
        assert_eq!(found[&json!(field).to_string()], reason, "{field}");
    }
    assert_eq!(im(&second, "data export").await.out, text);
    // A document of before had one reason for all.
    let old = r#"{"version": 1, "incidents": [{"incident": "INC-1", "cause": "a cable", "environment": "staging", "reason": "seen"}]}"#;
    assert_eq!(taken(old).await.code, 0);
    let found = why().await;
    assert_eq!(found["\"cause\""], "seen");
    assert_eq!(found["\"environment\""], "seen");
}

#[tokio::test]
async fn an_impact_of_a_time_to_come_is_refused() {
    let server = with_incident().await;
    for field in ["impact_start", "impact_end"] {
        let body = json!({field: "2036-11-16T09:50:00Z"});
        let refused = server.patch("/api/v1/incidents/1/annotations", body).await;
        assert_eq!(refused.is(422)["code"], field);
    }
    let document = r#"{"version": 1, "incidents": [{"incident": "INC-1", "impact_end": "2036-11-16T09:50:00Z"}]}"#;
    let file = Written::new("to-come.json", document);
    let refused = im(&server, &format!("data import {}", file.0.display())).await;
    assert!(refused.err.contains("line 1"), "{}", refused.all());
    // Clocks differ a little.
    let soon = server.clock.now() + jiff::SignedDuration::from_mins(4);
    let body = json!({"impact_start": soon});
    server
        .patch("/api/v1/incidents/1/annotations", body)
        .await
        .is(200);
}

#[tokio::test]
async fn a_link_of_a_user_whom_nobody_knows_is_refused() {
    let server = with_directory().await;
    done(&server, "person add boss@example.com").await;
    for line in [
        "person link PZZZZ1 boss@example.com",
        "person ignore PUANN02",
    ] {
        let refused = im(&server, line).await;
        assert_eq!(refused.code, 2, "{line}: {}", refused.all());
        assert!(refused.err.contains("there is no user"), "{}", refused.err);
    }
    let document = r#"{"version": 1, "users": [{"user": "PUANN01", "person": "boss@example.com"}, {"user": "PZZZZ1", "ignored": true}]}"#;
    let file = Written::new("links.json", document);
    let refused = im(&server, &format!("data import {}", file.0.display())).await;
    assert!(
        refused.err.contains("line 1: there is no user `PZZZZ1`"),
        "{}",
        refused.all()
    );
    done(&server, "person link PUANN01 boss@example.com").await;
}

#[tokio::test]
async fn no_working_hours_are_set_by_the_word_by_which_they_are_listed() {
    let server = Server::start();
    let set = async |week: &str| {
        let line = format!("hours set organisation --from 2026-01-01 {week}");
        done(&server, &line).await;
        done(&server, "hours list").await
    };
    for none in ["--week none", "--week mon-sun=none"] {
        assert!(
            set("--week mon=08:00-12:00")
                .await
                .contains("Mon 08:00-12:00")
        );
        assert!(set(none).await.contains("none"), "{none}");
    }
    let listed = set("--week mon-wed=08:00-12:00 --week tue=none").await;
    assert!(
        listed.contains("Mon 08:00-12:00; Wed 08:00-12:00"),
        "{listed}"
    );
}

#[tokio::test]
async fn a_severity_and_fields_that_are_none_are_refused_and_nothing_is_set() {
    let server = with_incident().await;
    let text = r#"{"version": 1, "incidents": [
  {"incident": "INC-1", "severity": "SEV-3", "fields": {"environment": "staging"}},
  {"pagerduty": "QNONE", "severity": "SEV-1"},
  {"incident": "INC-2", "fields": {"a b": "x"}},
  {"incident": "INC-3", "severity": "SEV-9"}]}"#;
    for _ in 0..2 {
        let new = json!({"title": "disk full", "severity": "sev2"});
        server.post("/api/v1/incidents", new).await.is(201);
    }
    let file = Written::new("unset.json", text);
    let said = im(&server, &format!("data import {}", file.0.display())).await;
    assert_eq!(said.code, 2);
    for want in [
        "line 3: there is no incident of PagerDuty's `QNONE`",
        "line 4: ",
        "line 5: `SEV-9` is not a severity: use SEV-1, SEV-2, SEV-3 or SEV-4",
    ] {
        assert!(said.err.contains(want), "{want}: {}", said.err);
    }
    let shown = server.get("/api/v1/incidents/1").await;
    assert_eq!(shown.is(200)["severity"], "SEV-2");
    assert_eq!(shown.is(200)["fields"], json!({}));
}

#[tokio::test]
async fn who_is_linked_to_no_user_is_told_once_where_a_document_names_them() {
    let server = with_directory().await;
    let document = json!({"version": 1, "people": [{"id": "ann@example.com"}],
        "teams": [{"id": "ops", "name": "Ops", "members": [{"person": "ann@example.com"}], "services": [], "pagerduty_teams": []}],
        "hours": [{"of": "person:ann@example.com", "effective_from": "2026-01-01", "week": {"monday": ["09:00-17:00"]}}]});
    let file = Written::new("unlinked.json", &document.to_string());
    let line = format!("data import {}", file.0.display());
    let said = im(&server, &line).await;
    let hint = "hint: user PUANN01 of PagerDuty's is not linked to `ann@example.com` yet, so this counts for nobody: `im person link PUANN01 ann@example.com` does that";
    let words: Vec<&str> = said.err.split_whitespace().collect();
    assert_eq!((said.code, words.join(" ")), (0, hint.to_owned()));
    // What is stored already is not said again, and who is linked counts.
    assert_eq!(im(&server, &line).await.err, "");
    done(&server, "person link PUANN01 ann@example.com").await;
    done(&server, "team remove ops").await;
    assert_eq!(im(&server, &line).await.err, "");
}

#[tokio::test]
async fn a_document_with_mistakes_changes_nothing_and_each_has_its_line() {
    let server = with_incident().await;
    let text = r#"{"version": 1,
 "time_zone": "Asia/Tokyo",
 "people": [{"id": "ann@example.com"}],
 "users": [
  {"user": "PU1", "person": "ann@example.com"},
  {"user": "PU2", "person": "eve@example.com"}],
 "deployments": [
  {"id": "d1", "service": "db", "status": "success",
   "started_at": "2026-11-20T09:00:00Z", "finished_at": "2026-11-20T08:00:00Z"}],
 "incidents": [
  {"incident": "INC-1", "caused_by": "d7", "reason": "x"},
  {"incident": "INC-9", "cause": "x"},
  {"pagerduty": "QNONE", "cause": "x"}]}"#;
    let file = Written::new("wrong.json", text);
    let said = im(&server, &format!("data import {}", file.0.display())).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!("import_mistakes", said.err);
    let wrong = Written::new(
        "syntax.json",
        "{\"version\": 1,\n \"teams\": [{\"id\": \"ops\",\n  \"members\": [{\"person\": \"\"}]}]}",
    );
    let said = im(&server, &format!("data import {}", wrong.0.display())).await;
    assert!(
        said.err.contains("line 3: an empty text says nothing"),
        "{}",
        said.err
    );
    let list = Written::new("list.json", "[]");
    let said = im(&server, &format!("data import {}", list.0.display())).await;
    let want = "line 1: a data document is a JSON object, such as {\"version\": 1}";
    assert!(
        said.err.contains(want) && said.err.contains("docs/data.md"),
        "{}",
        said.err
    );
    let settings = server.get("/api/v1/settings").await;
    assert_eq!(settings.is(200)["time_zone"], "UTC");
    assert_eq!(*server.get("/api/v1/people").await.is(200), json!([]));
    assert_eq!(*server.get("/api/v1/deployments").await.is(200), json!([]));
    let trail = server.get("/api/v1/incidents/1/annotations").await;
    assert_eq!(trail.is(200)["history"], json!([]));
}
