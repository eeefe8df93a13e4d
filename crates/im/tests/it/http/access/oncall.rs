//! The page of who is on call: what PagerDuty says, its age, and why it does not say it.

use im_store::accounts::Role;
use im_store::connectors;
use im_store::directory::{self, About, DirectoryRow, Kind};
use jiff::Timestamp;
use serde_json::Value;

use crate::http::Server;
use crate::http::there::There;

/// A service and the policy that it pages by, as they are in the account.
async fn known(there: &There) -> (String, String) {
    let account = &there.stand_in.account;
    let service = account.services[0].0.clone();
    let found = there.pagerduty("GET", &format!("/services/{service}"), &Value::Null);
    let policy = &found["service"]["escalation_policy"];
    let policy = policy["id"].as_str().unwrap().to_owned();
    let found = there.pagerduty(
        "GET",
        &format!("/escalation_policies/{policy}"),
        &Value::Null,
    );
    let name = found["escalation_policy"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let row = move |kind, id: &str, name: &str, about| DirectoryRow {
        connector: "prod".to_owned(),
        kind,
        id: id.to_owned(),
        since: Timestamp::UNIX_EPOCH,
        until: None,
        name: Some(name.to_owned()),
        about,
        state: None,
    };
    let of = About {
        policy: Some(policy.clone()),
        ..About::default()
    };
    let rows = [
        row(Kind::Policy, &policy, &name, About::default()),
        row(Kind::Service, &service, "Shop front", of),
    ];
    there
        .server
        .write(move |tx| {
            for row in &rows {
                directory::begin(tx, row, 1)?;
            }
            Ok(())
        })
        .await;
    (policy, name)
}

/// From now on PagerDuty is where nobody answers.
async fn leave(server: &Server) {
    server
        .write(|tx| {
            let row = connectors::find(tx, "prod")?.unwrap();
            let mut config: Value = serde_json::from_str(&row.config).unwrap();
            config["base_url"] = "http://127.0.0.1:9".into();
            connectors::configure(tx, "prod", &config.to_string(), &row.api_key, row.state)
        })
        .await;
}

#[tokio::test]
async fn each_policy_is_told_with_its_people_and_stays_with_its_age_while_pagerduty_is_away() {
    let there = There::start().await;
    there.server.add_people().await;
    let (policy, name) = known(&there).await;
    let mut browser = there.server.signed_in(Role::Viewer).await;
    let page = browser.get("/on-call").await.is(200).body;
    assert!(
        page.contains(&name) && page.contains("Pages for Shop front"),
        "{page}"
    );
    let asked = format!("/api/v1/oncall?policy={policy}&connector=prod");
    let answer = there.server.in_process("GET", &asked, &Value::Null).await;
    let levels = answer["policies"][0]["levels"].as_array().unwrap();
    let turns = levels
        .iter()
        .flat_map(|level| level["current"].as_array().unwrap());
    let people: Vec<&str> = turns
        .map(|turn| turn["user"]["name"].as_str().unwrap())
        .collect();
    assert!(!people.is_empty());
    for person in &people {
        assert!(page.contains(person), "{person}: {page}");
    }
    leave(&there.server).await;
    let page = browser.get("/on-call").await.is(200).body;
    assert!(
        !page.contains("This is what PagerDuty said"),
        "within the minute: {page}"
    );
    there.server.pass(120);
    let page = browser.get("/on-call").await.is(200).body;
    assert!(
        page.contains("This is what PagerDuty said 2 min ago"),
        "{page}"
    );
    assert!(
        page.contains("role=\"alert\"") && page.contains(people[0]),
        "{page}"
    );
    let page = browser.get("/on-call?service=Shop").await.is(504).body;
    assert!(
        page.contains("PagerDuty did not say who is on call"),
        "{page}"
    );
    assert!(
        page.contains("value=\"Shop\""),
        "what was asked stays: {page}"
    );
}

#[tokio::test]
async fn without_a_connector_or_policies_the_page_says_what_to_do() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Viewer).await;
    let page = browser.get("/on-call").await.is(200).body;
    assert!(page.contains("PagerDuty is not connected"), "{page}");
    let there = There::start().await;
    there.server.add_people().await;
    let mut browser = there.server.signed_in(Role::Viewer).await;
    let page = browser.get("/on-call").await.is(200).body;
    assert!(page.contains("No escalation policy is known yet"), "{page}");
    let user = there.stand_in.account.users[0].1.clone();
    let path = format!("/on-call?user={}", user.replace(' ', "%20"));
    let page = browser.get(&path).await.is(200).body;
    assert!(
        page.contains(&format!("<h2 id=\"duties\">{user}</h2>")),
        "{page}"
    );
    browser.get("/on-call?service=a&user=b").await.is(400);
    browser.get("/on-call?colour=red").await.is(400);
}
