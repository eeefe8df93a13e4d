//! What single people are paged for: shown on pages to those alone who have the right.

use im_store::accounts::Role;
use serde_json::json;

use crate::http::Server;

use super::Browser;

/// Gives the owner the right.
async fn allowed(browser: &mut Browser<'_>) {
    let fields = [("role", "owner"), ("personal_load", "true")];
    let path = "/people/owner@example.com/role";
    browser.post("/people", path, &fields).await.is(303);
}

#[tokio::test]
async fn m_005_weeks_over_target_are_on_the_findings_of_who_may_see_them() {
    let server = Server::start();
    let target = json!({"name": "page_disruptions", "at_most": 0.5});
    server.post("/api/v1/targets", target).await.is(200);
    let new = json!({"title": "Disk full", "severity": "sev2", "service": "db"});
    server.post("/api/v1/incidents", new).await.is(201);
    let taken = "/api/v1/incidents/1/acknowledge";
    server.pass(60);
    server.post_as("priya@example.com", taken).await.is(200);
    server.add_people().await;
    let mut browser = server.signed_in(Role::Owner).await;
    let shown = browser.get("/findings").await.is(200).body;
    assert!(shown.contains("Where time goes"));
    assert!(
        !shown.contains("More than") && !shown.contains("priya"),
        "{shown}"
    );
    for path in [
        "/metric/page_disruptions?group_by=user",
        "/metric/page_disruptions?user=priya@example.com",
        "/metric/oncall_load/items",
        "/metric/oncall_load/figures.csv",
    ] {
        let refused = browser.get(path).await.is(403).body;
        assert!(
            refused.contains("is shown to those alone who may see it"),
            "{refused}"
        );
        assert!(!refused.contains("priya@example.com</"), "{path}");
    }
    for path in [
        "/metric/page_disruptions",
        "/metric/page_disruptions?choose=filter",
        "/metric/page_disruptions/items",
    ] {
        let shown = browser.get(path).await.is(200).body;
        assert!(!shown.contains("priya"), "{path}");
    }
    allowed(&mut browser).await;
    let disruptions = browser.get("/metric/page_disruptions").await.is(200).body;
    assert!(disruptions.contains("Shown by name") && disruptions.contains("priya"));
    let shown = browser.get("/findings").await.is(200).body;
    assert!(shown.contains("More than 0.5 pages in a week"), "{shown}");
    let (_, rest) = shown
        .split_once("href=\"/metric/page_disruptions/items?")
        .unwrap();
    let link = rest.split('"').next().unwrap().replace("&amp;", "&");
    assert!(link.contains("user=priya%40example.com"), "{link}");
    let behind = browser
        .get(&format!("/metric/page_disruptions/items?{link}"))
        .await
        .is(200);
    assert!(
        behind.body.contains("/incidents/INC-1\""),
        "{}",
        behind.body
    );
}

#[tokio::test]
async fn m_010_the_load_of_each_person_is_a_page_of_who_may_see_it() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Owner).await;
    let refused = browser.get("/metric/oncall_load").await.is(403).body;
    assert!(refused.contains("ask an owner for the right"), "{refused}");
    let entry = "<a href=\"/metric/oncall_load\"";
    assert!(!browser.get("/overview").await.body.contains(entry));
    allowed(&mut browser).await;
    assert!(browser.get("/overview").await.body.contains(entry));
    let empty = browser.get("/metric/oncall_load").await.is(200).body;
    assert!(
        empty.contains("Nothing to measure in these six weeks."),
        "{empty}"
    );
    let grouped = browser
        .get("/metric/oncall_load?group_by=team")
        .await
        .is(400);
    assert!(
        grouped.body.contains("filter by service, team or urgency"),
        "{}",
        grouped.body
    );
}

#[tokio::test]
async fn facts_name_people_to_who_may_see_what_single_people_are_paged_for() {
    let server = Server::start();
    let new = json!({"title": "Disk full", "severity": "sev2", "service": "db"});
    server.post("/api/v1/incidents", new).await.is(201);
    let taken = "/api/v1/incidents/1/acknowledge";
    server.post_as("priya@example.com", taken).await.is(200);
    server.add_people().await;
    let mut browser = server.signed_in(Role::Owner).await;
    let facts = "/incidents/INC-1/facts";
    let shown = browser.get(facts).await.is(200).body;
    assert!(!shown.contains("priya"), "{shown}");
    assert!(
        shown.contains("for those who may see personal load"),
        "{shown}"
    );
    allowed(&mut browser).await;
    let shown = browser.get(facts).await.is(200).body;
    assert!(shown.contains("priya@example.com"), "{shown}");
    assert!(
        !shown.contains("for those who may see personal load"),
        "{shown}"
    );
}
