//! PagerDuty's people and things over the API, and what metrics make of them: MW-02, MW-03, MW-04, M-008, M-011.

use axum::Extension;
use im::http::auth::InProcess;
use im_core::{Actor, Fact, Kind as What, Person, Source};
use im_engine::record::record;
use im_store::directory::{self, About, DirectoryRow, Kind};
use im_store::people::{self, UserRow};
use im_store::{StoreError, Tx, incidents};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Server, config, unbroken};
use crate::cli::on_router;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn row(kind: Kind, id: &str, name: &str, since: &str, about: About) -> DirectoryRow {
    DirectoryRow {
        connector: "prod".to_owned(),
        kind,
        id: id.to_owned(),
        since: at(since),
        until: None,
        name: Some(name.to_owned()),
        about,
        state: None,
    }
}

fn in_team(team: &str, zone: &str) -> About {
    About {
        teams: vec![team.to_owned()],
        time_zone: Some(zone.to_owned()),
        ..About::default()
    }
}

fn ranked(rank: u32) -> About {
    About {
        rank: Some(rank),
        ..About::default()
    }
}

/// What is known from the first of November on.
fn known() -> Vec<DirectoryRow> {
    let first = "2026-11-01T00:00:00Z";
    vec![
        row(Kind::Team, "T1", "Shop", first, About::default()),
        row(
            Kind::Team,
            "T2",
            "Platform",
            first,
            About {
                parent: Some("T1".to_owned()),
                ..About::default()
            },
        ),
        row(
            Kind::Policy,
            "E1",
            "Shop first",
            first,
            About {
                teams: vec!["T1".to_owned()],
                ..About::default()
            },
        ),
        row(
            Kind::User,
            "U1",
            "Ann",
            first,
            in_team("T1", "Europe/Berlin"),
        ),
        row(
            Kind::User,
            "U2",
            "Bo",
            first,
            in_team("T1", "Eastern Time (US & Canada)"),
        ),
        DirectoryRow {
            state: Some("critical".to_owned()),
            ..row(
                Kind::Service,
                "S1",
                "Checkout",
                first,
                About {
                    teams: vec!["T1".to_owned()],
                    policy: Some("E1".to_owned()),
                    auto_resolve_timeout_s: Some(14_400),
                    ..About::default()
                },
            )
        },
        row(Kind::Priority, "P2", "A lesser one", first, ranked(2)),
        row(Kind::Priority, "P1", "The worst", first, ranked(1)),
    ]
}

/// Ann moved from Berlin and the shop to Auckland and the platform on the 18th; Bo has left.
fn fill(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let moved = "2026-11-18T12:00:00Z";
    let rows = known();
    for row in rows {
        directory::begin(tx, &row, 1)?;
    }
    directory::end(tx, "prod", Kind::User, "U1", at(moved))?;
    let ann = row(
        Kind::User,
        "U1",
        "Ann",
        moved,
        in_team("T2", "Pacific/Auckland"),
    );
    directory::begin(tx, &ann, 2)?;
    directory::end(tx, "prod", Kind::User, "U2", at("2026-11-10T12:00:00Z"))?;
    let email = UserRow {
        id: "U1".to_owned(),
        email: "ann@example.com".to_owned(),
        name: None,
    };
    people::put(tx, "prod", &email)
}

async fn filled() -> Server {
    let server = Server::with_connector(config()).await;
    server.write(fill).await;
    server
}

fn names(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn mw02_mw03_mw04_what_pagerduty_has_is_listed_with_names() {
    let server = filled().await;
    let list = async |what: &str| {
        server
            .get(&format!("/api/v1/directory/{what}"))
            .await
            .is(200)
            .clone()
    };
    let services = list("services").await;
    let want = json!({"items": [{"connector": "prod", "id": "S1", "name": "Checkout", "since": "2026-11-01T00:00:00Z",
        "until": null, "status": "critical", "escalation_policy": {"id": "E1", "name": "Shop first"},
        "auto_resolve_timeout_s": 14_400, "teams": [{"id": "T1", "name": "Shop"}]}],
        "connectors": [{"name": "prod", "read_at": null, "notices": []}]});
    assert_eq!(services, want);
    let users = list("users").await;
    assert_eq!(names(&users), ["Ann"], "who has left is not listed");
    assert_eq!(users["items"][0]["email"], "ann@example.com");
    assert_eq!(
        users["items"][0]["teams"],
        json!([{"id": "T2", "name": "Platform"}])
    );
    assert_eq!(names(&list("users?deleted=true").await), ["Ann", "Bo"]);
    let teams = list("teams").await;
    assert_eq!(names(&teams), ["Platform", "Shop"]);
    assert_eq!(
        teams["items"][0]["members"],
        json!([{"id": "U1", "name": "Ann"}])
    );
    assert_eq!(
        teams["items"][0]["parent"],
        json!({"id": "T1", "name": "Shop"})
    );
    assert_eq!(teams["items"][1]["members"], json!([]));
    assert_eq!(
        names(&list("priorities").await),
        ["The worst", "A lesser one"],
        "the most severe first"
    );
    assert_eq!(names(&list("escalation-policies").await), ["Shop first"]);
    assert_eq!(names(&list("schedules").await), Vec::<&str>::new());
    let history = list("users/U1").await;
    let stretches: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["teams"][0]["name"], &one["until"]))
        .collect();
    assert_eq!(
        stretches,
        [
            (&json!("Shop"), &json!("2026-11-18T12:00:00Z")),
            (&json!("Platform"), &Value::Null)
        ]
    );
    for (path, status) in [
        ("directory/colours", 404),
        ("directory/users/U9", 404),
        ("directory/users?connector=nope", 404),
        ("directory/users?deleted=perhaps", 400),
        ("directory/users?colour=red", 400),
    ] {
        server.get(&format!("/api/v1/{path}")).await.is(status);
    }
    assert_eq!(names(&list("users?connector=prod").await), ["Ann"]);
}

#[tokio::test]
async fn mw_02_the_timeouts_of_a_service_are_said() {
    let server = filled().await;
    for (line, words) in [
        ("directory services", "- / 4h"),
        ("directory services S1", "resolves itself after 4h"),
    ] {
        let router = server.router.clone().layer(Extension(InProcess));
        let said = tokio::task::spawn_blocking(move || on_router(router).im(line));
        let said = said.await.unwrap();
        assert!(
            unbroken(&said.out).contains(words),
            "{line}: {}",
            said.all()
        );
    }
}

/// Ann acknowledges an incident at 07:30 UTC, which is out of hours in Auckland and in Berlin is not.
fn acknowledged(tx: &mut Tx<'_>, day: &str) -> Result<(), StoreError> {
    let began = at(&format!("2026-11-{day}T07:20:00Z"));
    let number = incidents::insert(tx, Some("prod"), |_| None, began)?;
    let fact = |what: What, actor: Actor, minutes: i64| {
        let at = began + jiff::SignedDuration::from_mins(minutes);
        (
            Fact::new(Source::LogEntry, format!("{what:?}"), what, actor, at),
            None,
        )
    };
    let ann = || Actor::user("U1", "Ann");
    let person = Person {
        id: "U1".to_owned(),
        name: None,
    };
    let mut assigned = fact(What::Assigned, Actor::NOBODY, 0);
    assigned.0.people = vec![person];
    let facts = [
        fact(What::Triggered, Actor::NOBODY, 0),
        assigned,
        fact(What::Acknowledged, ann(), 10),
        fact(What::Resolved, ann(), 30),
    ];
    record(tx, number, None, &facts, began).map(drop)
}

#[tokio::test]
async fn m008_m011_a_page_counts_for_the_team_and_the_zone_that_a_person_had_on_its_day() {
    let server = filled().await;
    // A Tuesday before the move and a Thursday after it.
    for day in ["17", "19"] {
        server.write(move |tx| acknowledged(tx, day)).await;
    }
    let figure = async |params: &str| {
        let path = format!(
            "/api/v1/metrics/page_disruptions?from=2026-11-16&to=2026-11-20&bucket=all{params}"
        );
        server.get(&path).await.is(200)["series"].clone()
    };
    let by_team = figure("&group_by=team").await;
    let mut rows: Vec<_> = by_team
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["group"][0]["name"].clone(), one["total"]["n"].clone()))
        .collect();
    rows.sort_by_key(|(name, _)| name.to_string());
    assert_eq!(
        rows,
        [(json!("Platform"), json!(1)), (json!("Shop"), json!(1))]
    );
    let out_of_hours = figure("&when=out_of_hours").await;
    assert_eq!(
        out_of_hours[0]["total"]["n"], 1,
        "08:30 in Berlin is at work, 20:30 in Auckland is not"
    );
    // A name is the newest that PagerDuty's lists tell.
    server
        .write(|tx| {
            let renamed = "2026-11-20T08:00:00Z";
            directory::end(tx, "prod", Kind::Team, "T1", at(renamed))?;
            directory::begin(
                tx,
                &row(Kind::Team, "T1", "Web shop", renamed, About::default()),
                3,
            )
        })
        .await;
    let by_team = figure("&group_by=team").await.to_string();
    assert!(
        by_team.contains("Web shop") && !by_team.contains("\"Shop\""),
        "{by_team}"
    );
}

#[tokio::test]
async fn a_service_that_was_renamed_is_one_in_a_list_by_each_of_its_names_and_its_id() {
    let server = Server::with_connector(config()).await;
    let search =
        |name: &str, since: &str| row(Kind::Service, "PH8LDZL", name, since, About::default());
    let before = DirectoryRow {
        until: Some(at("2026-11-20T09:00:00Z")),
        ..search("Search", "2026-11-01T00:00:00Z")
    };
    let after = search("Search & Find", "2026-11-20T09:00:00Z");
    let other = row(
        Kind::Service,
        "POTHER1",
        "Checkout",
        "2026-11-01T00:00:00Z",
        About::default(),
    );
    let rows = [before, after, other];
    server
        .write(move |tx| {
            for row in &rows {
                directory::begin(tx, row, 1)?;
            }
            Ok(())
        })
        .await;
    for service in ["Search", "Search & Find", "Checkout"] {
        let new = json!({"title": service, "severity": "SEV-3", "service": service});
        let made = server.post("/api/v1/incidents", new).await;
        assert!(made.status < 300, "{}", made.body);
    }
    let titles = async |service: &str| {
        let path = format!("/api/v1/incidents?service={service}");
        let found = server.get(&path).await.is(200).clone();
        let one = |row: &Value| row["title"].as_str().unwrap().to_owned();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(one)
            .collect::<Vec<_>>()
    };
    for name in ["Search", "Search%20%26%20Find", "PH8LDZL", "search"] {
        assert_eq!(titles(name).await, ["Search & Find", "Search"], "{name}");
    }
    assert_eq!(titles("Checkout").await, ["Checkout"]);
    assert!(titles("nope").await.is_empty());
}
