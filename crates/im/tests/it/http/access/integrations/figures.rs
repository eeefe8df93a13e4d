//! What makes figures right: who users are, the default filter, and the list of both.

use im_store::accounts::Role;
use im_store::people::{self, UserRow};
use serde_json::{Value, json};

use super::connected;
use crate::http::Server;
use crate::http::access::acts::{followed, line, problem};

/// Three users of PagerDuty's, of whom one has the address of a person.
async fn add_users(server: &Server) {
    server
        .write(|tx| {
            for (id, name, email) in [
                ("PU1", "Ann Lee", "ann@example.com"),
                ("PU2", "Bob", "bob@example.com"),
                ("PU3", "Robot", "robot@example.com"),
            ] {
                let user = UserRow {
                    id: id.to_owned(),
                    email: email.to_owned(),
                    name: Some(name.to_owned()),
                };
                people::put(tx, "prod", &user)?;
            }
            Ok(())
        })
        .await;
    server
        .in_process("POST", "/api/v1/people", &json!({"id": "bob@example.com"}))
        .await;
}

/// Each user of PagerDuty's with state and person.
async fn links(server: &Server) -> Vec<String> {
    let all = server
        .in_process("GET", "/api/v1/users", &Value::Null)
        .await;
    let one = |user: &Value| {
        let [id, state] = ["id", "state"].map(|field| user[field].as_str().unwrap().to_owned());
        format!("{id} {state} {}", user["person"])
    };
    all.as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn m032_users_are_linked_confirmed_and_ignored() {
    let there = connected().await;
    let server = &there.server;
    add_users(server).await;
    let mut browser = server.signed_in(Role::Admin).await;
    let users = "/integrations/users";
    let page = browser.get(users).await.is(200).body;
    assert!(
        page.contains("3 of 3 are nobody here yet") && page.contains("Confirm all suggestions (1)"),
        "{page}"
    );
    let found = browser
        .get("/integrations/users?q=ROBOT")
        .await
        .is(200)
        .body;
    assert!(found.contains("PU3") && !found.contains("PU1"), "{found}");
    let bob = [("user", "PU2"), ("person", "bob@example.com")];
    let page = browser
        .post(users, "/integrations/users/confirm", &bob)
        .await;
    assert_eq!(line(&followed(&mut browser, page).await), "Confirmed 1.");
    let ann = [
        ("user", "PU1"),
        ("act", "link"),
        ("person", "Ann@Example.com"),
        ("name", "Ann Lee"),
    ];
    let page = browser.post(users, users, &ann).await;
    assert_eq!(
        line(&followed(&mut browser, page).await),
        "PU1 is ann@example.com. Pages of the past moved to them."
    );
    let page = browser
        .post(users, users, &[("user", "PU3"), ("act", "ignore")])
        .await;
    followed(&mut browser, page).await;
    assert_eq!(
        links(server).await,
        [
            "PU1 linked \"ann@example.com\"",
            "PU2 linked \"bob@example.com\"",
            "PU3 ignored null"
        ]
    );
    let page = browser.get(users).await.body;
    assert!(page.contains("Every user is settled"), "{page}");
    let wrong = browser
        .post(
            users,
            users,
            &[("user", "PU1"), ("act", "link"), ("person", "ann")],
        )
        .await
        .is(422);
    assert!(
        problem(&wrong.body).contains("`ann`")
            || problem(&wrong.body).contains("ann is not an e-mail address"),
        "{}",
        wrong.body
    );
    let page = browser
        .post(users, users, &[("user", "PU1"), ("act", "forget")])
        .await;
    followed(&mut browser, page).await;
    assert!(
        links(server).await[0].starts_with("PU1 suggested"),
        "{:?}",
        links(server).await
    );
}

#[tokio::test]
async fn the_suggestions_that_a_page_shows_are_confirmed_and_no_others() {
    let there = connected().await;
    let server = &there.server;
    add_users(server).await;
    let mut browser = server.signed_in(Role::Admin).await;
    let users = "/integrations/users";
    let page = browser.get(users).await.is(200).body;
    let found = browser.get("/integrations/users?q=robot").await.body;
    assert!(!found.contains("Confirm"), "{found}");
    let confirm = "/integrations/users/confirm";
    let stale = [
        ("user", "PU2"),
        ("person", "another@example.com"),
        ("user", "PU3"),
        ("person", "robot@example.com"),
    ];
    let said = browser.post(users, confirm, &stale).await;
    assert_eq!(
        line(&followed(&mut browser, said).await),
        "Confirmed 0. Left as they are, because they were changed meanwhile: 2."
    );
    let said = browser.post(users, confirm, &[]).await;
    assert_eq!(line(&followed(&mut browser, said).await), "Confirmed 0.");
    assert!(links(server).await[1].starts_with("PU2 suggested"));
    let (_, shown) = page.split_once("/integrations/users/confirm").unwrap();
    let pair = "name=\"user\" value=\"PU2\"><input type=\"hidden\" name=\"person\" value=\"bob@example.com\"";
    assert!(shown.contains(pair), "{shown}");
}

#[tokio::test]
async fn m034_m035_figures_are_of_the_default_filter_until_a_page_says_otherwise() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let filter = "/integrations/filter";
    let plain = browser.get("/metric/mttr").await.is(200).body;
    assert!(!plain.contains("chip set"), "{plain}");
    let page = browser
        .post(filter, filter, &[("by", "urgency"), ("urgency", "high")])
        .await;
    let said = followed(&mut browser, page).await;
    assert_eq!(
        line(&said),
        "Figures are of incidents with high urgency from now on, unless a page says otherwise."
    );
    let page = browser.get("/metric/mttr").await.is(200).body;
    assert!(page.contains("Urgency <b>high</b>"), "{page}");
    // What takes it away does.
    let without = "href=\"/metric/mttr?filter=given\"";
    assert!(page.contains(without), "{page}");
    let page = browser.get("/metric/mttr?filter=given").await.is(200).body;
    assert!(!page.contains("chip set"), "{page}");
    let page = browser.get("/metric/mttr?urgency=low").await.is(200).body;
    assert!(
        page.contains("Urgency <b>low</b>") && !page.contains("<b>high</b>"),
        "{page}"
    );
}

#[tokio::test]
async fn m034_m035_a_default_filter_is_where_it_means_something_and_of_priorities_as_well() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let filter = "/integrations/filter";
    let high = [("by", "urgency"), ("urgency", "high")];
    browser.post(filter, filter, &high).await.is(303);
    // Deployments have no urgency.
    let page = browser
        .get("/metric/deployment_frequency")
        .await
        .is(200)
        .body;
    assert!(!page.contains("chip set"), "{page}");
    let page = browser.get("/metric/mttr/figures.json").await.is(200).body;
    let figures: Value = serde_json::from_str(&page).unwrap();
    assert!(figures.to_string().contains("\"urgency\""), "{figures}");
    let overview = browser.get("/overview").await.is(200).body;
    assert!(
        overview.contains("Of incidents with high urgency, as the")
            && overview.contains("/metric/mttr?urgency=high"),
        "{overview}"
    );
    let all = browser.get("/overview?filter=given").await.is(200).body;
    assert!(!all.contains("urgency=high"), "{all}");
    let none = browser
        .post(filter, filter, &[("by", "priority")])
        .await
        .is(422);
    assert!(
        problem(&none.body).contains("No priority was chosen"),
        "{}",
        none.body
    );
    let typed = [("by", "nothing"), ("urgency", "low"), ("priority", "null")];
    let kept = browser.post(filter, filter, &typed).await.is(422).body;
    assert!(
        kept.contains("value=\"low\" selected"),
        "what was typed stays: {kept}"
    );
    // Who may not change it is not led to where it is changed.
    let mut viewer = there.server.signed_in(Role::Viewer).await;
    let overview = viewer.get("/overview").await.is(200).body;
    assert!(
        overview.contains("Of incidents with high urgency, as the default filter says"),
        "{overview}"
    );
    let page = browser
        .post(filter, filter, &[("by", "priority"), ("priority", "null")])
        .await;
    followed(&mut browser, page).await;
    let page = browser.get("/metric/mttr").await.is(200).body;
    assert!(page.contains("Priority <b>no priority</b>"), "{page}");
}

#[tokio::test]
async fn m031_what_makes_figures_right_is_listed_until_it_is_done_or_put_away() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let cards = browser.get("/integrations").await.is(200).body;
    assert!(cards.contains("0 of 3 done"), "{cards}");
    assert!(cards.contains("href=\"/settings#hours\""), "{cards}");
    let hours = [
        ("of", "organisation"),
        ("effective_from", "2026-01-01"),
        ("zone", "Europe/Berlin"),
        ("week", "mon-fri=08:00-12:00,13:00-17:00"),
    ];
    browser.post("/settings", "/settings/hours", &hours).await;
    let cards = browser.get("/integrations").await.is(200).body;
    assert!(cards.contains("1 of 3 done"), "{cards}");
    let page = browser
        .post("/integrations", "/integrations/checklist", &[])
        .await;
    let cards = followed(&mut browser, page).await;
    assert!(!cards.contains("of 3 done"), "{cards}");
}

#[tokio::test]
async fn the_default_filter_is_read_and_set_as_a_setting_too() {
    let there = connected().await;
    let work = there.server.work();
    let sync = "/api/v1/connectors/prod/sync?wait=20s";
    there.server.in_process("POST", sync, &json!({})).await;
    drop(work);
    let settings = async |body: &Value| {
        let method = if body.is_null() { "GET" } else { "PATCH" };
        there
            .server
            .in_process(method, "/api/v1/settings", body)
            .await
    };
    assert_eq!(settings(&Value::Null).await["default_filter"], Value::Null);
    for filter in ["urgency=low", "all", "priority=P1,none"] {
        let now = settings(&json!({"default_filter": filter})).await;
        assert_eq!(now["default_filter"], filter);
    }
    let mut browser = there.server.signed_in(Role::Admin).await;
    let page = browser.get("/overview").await.is(200).body;
    assert!(page.contains("incidents with priority P1, none"), "{page}");
    for wrong in ["priority=P77", "urgency=medium", "some"] {
        let refused = settings(&json!({"default_filter": wrong})).await;
        assert_eq!(refused["code"], "default_filter", "{refused}");
    }
    let now = settings(&json!({"default_filter": ""})).await;
    assert_eq!(now["default_filter"], Value::Null);
    let page = browser.get("/overview").await.is(200).body;
    assert!(!page.contains("incidents with priority"), "{page}");
}
