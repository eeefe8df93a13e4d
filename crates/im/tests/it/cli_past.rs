//! The past of an account and its people at a terminal: M-043, M-044, MW-02, MW-03, MW-04, MW-06.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli_stories::Story;

/// Three incidents that were over two days before anybody connected.
fn with_past() -> Story {
    let story = Story::new();
    let (service, user) = {
        let account = &story.stand_in.account;
        (account.services[2].0.clone(), account.users[1].0.clone())
    };
    for number in 1..=3 {
        let title = format!("Long ago {number}");
        let twin = story.there(|sim, now| sim.trigger(&service, &title, now).unwrap());
        story.pass(600);
        story.there(|sim, now| sim.acknowledge(&user, &twin, now).unwrap());
        story.pass(600);
        story.there(|sim, now| sim.resolve(&user, &twin, now).unwrap());
    }
    story.pass(2 * 24 * 3600);
    story
}

#[test]
fn m043_m044_mw06_a_new_connector_shows_the_past_without_being_asked() {
    let story = with_past();
    story.add("prod", &json!({}));
    let read = story.done("connector backfill prod");
    assert_eq!(
        read,
        "Past of prod since 2026-05-26: 3 created, 0 updated, 0 unchanged, 0 failed\n"
    );
    let state = story.done("connector backfill prod --status --json");
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(
        (&state["state"], &state["percent"]),
        (&json!("finished"), &json!(100))
    );
    let figures = story.done("metrics mttr --bucket all --json");
    let figures: Value = serde_json::from_str(&figures).unwrap();
    let total = &figures["series"][0]["total"];
    assert_eq!((&total["n"], &total["mean"]), (&json!(3), &json!(1200.0)));
    let acknowledged = story.done("metrics mtta --bucket all --json");
    let acknowledged: Value = serde_json::from_str(&acknowledged).unwrap();
    assert_eq!(
        acknowledged["series"][0]["total"]["mean"], 600.0,
        "the log told it"
    );
    // Nothing of it is work.
    let outbox = story.done("connector outbox list prod --json");
    assert_eq!(outbox.trim(), "[]");
    let again = story.done("connector backfill prod --since 30d");
    assert!(
        again.ends_with("0 created, 0 updated, 3 unchanged, 0 failed\n"),
        "{again}"
    );
    let figures = story.done("metrics mttr --bucket all --json");
    let figures: Value = serde_json::from_str(&figures).unwrap();
    assert_eq!(figures["series"][0]["total"]["n"], 3);
}

/// The change failure rate of each service, by id.
fn failure_rates(story: &Story) -> Vec<(String, u64, u64)> {
    let text = story.done("metrics change_failure_rate --group-by service --bucket all --json");
    let answer: Value = serde_json::from_str(&text).unwrap();
    let rate = |series: &Value| {
        let (total, id) = (&series["total"], &series["group"][0]["key"]);
        let count = |name: &str| total[name].as_u64().unwrap();
        let id = id.as_str().unwrap().to_owned();
        (id, count("numerator"), count("denominator"))
    };
    answer["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(rate)
        .collect()
}

#[test]
fn mw40_a_deployment_told_before_its_service_was_known_is_its_own_once_it_is() {
    let story = Story::new();
    let (id, name, _) = story.stand_in.account.services[1].clone();
    let user = story.stand_in.account.users[1].0.clone();
    let record = format!("deployment record --service '{}'", name.to_uppercase());
    let said = story.im(&format!("{record} --id d1"));
    assert!(
        said.err.contains("no connector and no incident knows"),
        "{}",
        said.all()
    );
    let twin = story.there(|sim, now| sim.trigger(&id, "Carts are empty", now).unwrap());
    story.pass(600);
    story.there(|sim, now| sim.resolve(&user, &twin, now).unwrap());
    story.pass(2 * 24 * 3600);
    assert_eq!(failure_rates(&story), [(name.to_uppercase(), 0, 1)]);
    story.add("prod", &json!({}));
    story.done("connector backfill prod");
    story.done("connector sync prod");
    assert_eq!(failure_rates(&story), [(id.clone(), 1, 1)]);
    // One that is told by now goes to the same service, which may change its name.
    story.done(&format!("{record} --id d2"));
    let renamed = json!({"service": {"name": "Baskets"}});
    story.changed_there("PUT", &format!("/services/{id}"), &renamed);
    story.done("connector sync prod");
    assert_eq!(failure_rates(&story), [(id, 1, 2)]);
}

#[test]
fn mw40_a_deployment_gets_the_service_that_takes_its_name_and_none_that_is_a_guess() {
    let story = Story::new();
    let services = story.stand_in.account.services.clone();
    let record = |service: &str| story.done(&format!("deployment record --service {service}"));
    record("mine");
    record("carts");
    record("db");
    story.done("declare --sev SEV-2 --title Slow --service mine");
    story.add("prod", &json!({}));
    story.done("connector sync prod");
    let db = services[2].0.clone();
    let of = |story: &Story| -> Vec<String> {
        let rates = failure_rates(story).into_iter();
        rates.map(|(id, ..)| id).collect()
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let want = sorted(vec!["carts".to_owned(), "mine".to_owned(), db.clone()]);
    assert_eq!(
        sorted(of(&story)),
        want,
        "what is mapped here is known at once"
    );
    let named = |id: &str, name: &str| {
        let body = json!({"service": {"name": name}});
        story.changed_there("PUT", &format!("/services/{id}"), &body);
        story.done("connector sync prod");
    };
    // An incident of ours is on a service of that name, and goes on having its deployment.
    named(&services[0].0, "Mine");
    assert_eq!(sorted(of(&story)), want);
    named(&services[1].0, "Carts");
    let want = vec!["mine".to_owned(), db, services[1].0.clone()];
    assert_eq!(sorted(of(&story)), sorted(want));
}

#[test]
fn m044_it_is_stopped_and_gone_on_with_and_what_is_no_past_is_refused() {
    let story = with_past();
    story.add("prod", &json!({"sync_direction": "none"}));
    let said = story.im("connector backfill prod");
    assert_eq!(said.code, 4, "{}", said.all());
    assert!(
        said.err
            .contains("takes nothing from PagerDuty: it is paused"),
        "{}",
        said.err
    );
    let said = story.im("connector backfill prod --status");
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(
        said.err.contains("`im connector backfill prod` reads it"),
        "{}",
        said.err
    );
    let said = story.im("connector backfill prod --since tomorrow --stop");
    assert_eq!(said.code, 2);
    story.done("connector config prod --direction inbound");
    let read = story.done("connector backfill prod --share 10");
    assert!(
        read.ends_with("3 created, 0 updated, 0 unchanged, 0 failed\n"),
        "{read}"
    );
}

#[test]
fn mw02_mw03_mw04_people_and_things_are_listed_with_what_they_were() {
    let story = Story::connected(&json!({}));
    story.done("connector sync prod");
    let mut all = String::new();
    for kind in [
        "services",
        "teams",
        "users",
        "escalation-policies",
        "schedules",
        "priorities",
    ] {
        let said = story.run().width(80).im(&format!("directory {kind}"));
        assert_eq!(said.code, 0, "{}", said.all());
        writeln!(all, "$ im directory {kind}\n{}", said.out).unwrap();
    }
    assert_snapshot!(all);
    let (service, user) = {
        let account = &story.stand_in.account;
        (account.services[0].0.clone(), account.users[0].0.clone())
    };
    let body = json!({"service": {"type": "service", "name": "Renamed"}});
    story.changed_there("PUT", &format!("/services/{service}"), &body);
    let body = json!({"user": {"type": "user", "time_zone": "Pacific/Auckland"}});
    story.changed_there("PUT", &format!("/users/{user}"), &body);
    story.pass(3600);
    story.done("connector sync prod");
    let mut told = story.done(&format!("directory services {service}"));
    told += &story.done(&format!("directory users {user}"));
    assert_snapshot!(told);
    let said = story.im("directory users PNOBODY");
    assert_eq!(said.code, 3, "{}", said.all());
}

/// PagerDuty's answers of today tell neither what an incident was when it began nor that it changed.
#[test]
fn what_was_read_later_counts_by_what_it_was_when_it_began() {
    let story = Story::new();
    let (begun, moved, own, other, priorities) = {
        let account = &story.stand_in.account;
        (
            account.services[0].0.clone(),
            account.services[1].0.clone(),
            account.policies[0].0.clone(),
            account.policies[1].0.clone(),
            [
                account.priorities[0].0.clone(),
                account.priorities[1].0.clone(),
            ],
        )
    };
    let twin = story.there(|sim, now| sim.trigger(&begun, "Moved about", now).unwrap());
    story.pass(60);
    let change = |fields: Value| {
        let mut incident = json!({"type": "incident_reference"});
        incident
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        story.changed_there(
            "PUT",
            &format!("/incidents/{twin}"),
            &json!({"incident": incident}),
        );
        story.pass(60);
    };
    let of = |kind: &str, id: &str| json!({"type": format!("{kind}_reference"), "id": id});
    change(json!({"urgency": "low"}));
    change(json!({"priority": of("priority", &priorities[1])}));
    change(json!({"priority": of("priority", &priorities[0])}));
    change(json!({"escalation_policy": of("escalation_policy", &other)}));
    change(json!({"service": of("service", &moved)}));
    story.pass(2 * 24 * 3600);
    story.add("prod", &json!({}));
    story.done("connector backfill prod");
    story.done("connector sync prod");
    let keys = |group: &str, as_of: &str| {
        let said = story.done(&format!(
            "metrics incident_frequency --bucket all --group-by {group} --as-of {as_of} --json"
        ));
        let said: Value = serde_json::from_str(&said).unwrap();
        let series = said["series"].as_array().unwrap();
        let keys = series
            .iter()
            .map(|series| series["group"][0]["key"].clone());
        keys.collect::<Vec<_>>()
    };
    for (group, then, now) in [
        ("urgency", json!("high"), json!("low")),
        ("priority", Value::Null, json!(priorities[0])),
        ("escalation_policy", json!(own), json!(other)),
        ("service", json!(begun), json!(moved)),
    ] {
        assert_eq!(keys(group, "trigger"), [then], "{group} when it began");
        assert_eq!(keys(group, "current"), [now], "{group} today");
    }
}
