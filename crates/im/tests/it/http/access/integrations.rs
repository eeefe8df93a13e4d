//! PagerDuty connected, looked after and unlinked on the pages, with the stand-in.

use im_core::{Conflict, Field, IncidentNumber, Strategy};
use im_store::accounts::Role;
use im_store::inbox::{self, Arrival};
use im_store::people::{self, UserRow};
use im_store::{conflicts, outbox};
use serde_json::{Value, json};

use super::acts::{followed, line, problem};
use super::{Browser, Page};
use crate::http::Server;
use crate::http::there::There;

const CONNECT: &str = "/integrations/connect";
const SETTINGS: &str = "/connectors/prod/settings";

/// A server with people, and no connector.
async fn apart() -> There {
    let there = There::apart(|_| {}).await;
    there.server.add_people().await;
    there
}

/// The same with the connector `prod`.
async fn connected() -> There {
    let there = There::start().await;
    there.server.add_people().await;
    there
}

/// The form of step 1.
fn key<'a>(there: &'a There, api_key: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("name", "main"),
        ("region", "us"),
        ("other_url", &there.stand_in.base_url),
        ("api_key", api_key),
    ]
}

async fn connector(there: &There, name: &str) -> Value {
    let path = format!("/api/v1/connectors/{name}/config");
    there.server.in_process("GET", &path, &Value::Null).await
}

/// Sends a form of the settings.
async fn set(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Page {
    browser.post(SETTINGS, SETTINGS, fields).await
}

#[tokio::test]
async fn m018_m024_the_first_run_leads_to_the_connection_which_says_first_what_the_key_is_for() {
    let there = apart().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let list = browser.get("/").await.is(200).body;
    assert!(list.contains("href=\"/integrations/connect\""), "{list}");
    let cards = browser.get("/integrations").await.is(200).body;
    assert!(
        cards.contains("Not connected") && cards.contains("Connect PagerDuty"),
        "{cards}"
    );
    let page = browser.get(CONNECT).await.is(200).body;
    let (before, _) = page
        .split_once("name=\"api_key\"")
        .expect("it asks for a key");
    for said in [
        "What the key is used for",
        "Create New API Key",
        "im incident platform",
    ] {
        assert!(before.contains(said), "{said} before the key: {page}");
    }
}

#[tokio::test]
async fn m023_a_key_is_tried_and_in_no_page_and_what_was_typed_stays() {
    let there = apart().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let refused = browser
        .post(CONNECT, CONNECT, &key(&there, "u+nobodys-key-0123456"))
        .await
        .is(422)
        .body;
    assert!(
        problem(&refused).contains("does not take this API key"),
        "{refused}"
    );
    assert!(problem(&refused).contains("nothing was stored"));
    assert!(!refused.contains("nobodys-key"));
    assert!(
        refused.contains(&format!("value=\"{}\"", there.stand_in.base_url))
            && refused.contains("value=\"main\"")
    );
    let api_key = there.stand_in.account.api_key.clone();
    browser
        .post(CONNECT, CONNECT, &key(&there, &api_key))
        .await
        .is(303);
    assert_eq!(
        there.server.last_act().await,
        "account admin@example.com: tried an API key [main] 303"
    );
    let page = browser.get(CONNECT).await.is(200).body;
    assert!(
        page.contains("Choose how it is used") && page.contains("may read and write"),
        "{page}"
    );
    for (id, name) in there
        .stand_in
        .account
        .services
        .iter()
        .map(|one| (&one.0, &one.1))
    {
        assert!(
            page.contains(&format!("<option value=\"{id}\">{name}")),
            "{name}: {page}"
        );
    }
    assert!(!page.contains(&api_key), "the key is in the page");
    let all = there
        .server
        .in_process("GET", "/api/v1/connectors", &Value::Null)
        .await;
    assert_eq!(all, json!([]), "nothing is stored yet");
    // It is that browser's alone, and it can be given up.
    let mut other = there.server.signed_in(Role::Owner).await;
    assert!(other.get(CONNECT).await.body.contains("name=\"api_key\""));
    browser
        .post(CONNECT, "/integrations/connect/again", &[])
        .await
        .is(303);
    assert!(browser.get(CONNECT).await.body.contains("name=\"api_key\""));
}

#[tokio::test]
async fn m023_a_draft_is_forgotten_after_an_hour() {
    let there = apart().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let api_key = there.stand_in.account.api_key.clone();
    browser
        .post(CONNECT, CONNECT, &key(&there, &api_key))
        .await
        .is(303);
    there.server.pass(3599);
    assert!(browser.get(CONNECT).await.body.contains("Use another key"));
    there.server.pass(1);
    assert!(browser.get(CONNECT).await.body.contains("name=\"api_key\""));
    let late = browser
        .post(CONNECT, "/integrations/connect/add", &[("service", "P1")])
        .await
        .is(409);
    assert!(
        problem(&late.body).contains("not known here any more"),
        "{}",
        late.body
    );
}

#[tokio::test]
async fn m020_a_connector_is_made_by_two_forms_and_the_set_up_goes_on_where_it_is_open() {
    let there = apart().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let account = &there.stand_in.account;
    browser
        .post(CONNECT, CONNECT, &key(&there, &account.api_key))
        .await
        .is(303);
    let (service, email) = (account.services[1].0.clone(), account.users[0].2.clone());
    let add = "/integrations/connect/add";
    let chosen = [
        ("service", &*service),
        ("from_email", "nobody@example.com"),
        ("direction", "bidirectional"),
        ("since", "42d"),
        ("scope", "chosen"),
        ("synced", &*service),
    ];
    let refused = browser.post(CONNECT, add, &chosen).await.is(422).body;
    assert_eq!(
        problem(&refused),
        "PagerDuty has no user with the address nobody@example.com. Write the address of a user there; nothing was stored."
    );
    assert!(
        refused.contains(&format!("<option value=\"{service}\" selected>")),
        "{refused}"
    );
    assert!(refused.contains("value=\"nobody@example.com\""));
    let mut right = chosen;
    right[1].1 = &email;
    let page = browser.post(CONNECT, add, &right).await;
    assert_eq!(
        there.server.last_act().await,
        "account admin@example.com: added a connector [main] 303"
    );
    let setup = followed(&mut browser, page).await;
    assert!(line(&setup).starts_with("Connected main."), "{setup}");
    let config = connector(&there, "main").await;
    assert_eq!(config["custom"]["service_id"], *service);
    assert_eq!(config["custom"]["synced_services"], json!([service]));
    assert_eq!(config["sync_direction"], "bidirectional");
    // Somebody else, later: the card leads to what is open.
    let mut other = there.server.signed_in(Role::Owner).await;
    let cards = other.get("/integrations").await.is(200).body;
    assert!(
        cards.contains("Continue set-up") && cards.contains("/connectors/main/setup"),
        "{cards}"
    );
    let setup = other.get("/connectors/main/setup").await.is(200).body;
    assert!(
        setup.contains("<progress")
            && setup.contains("Stop the import")
            && setup.contains("data-again"),
        "{setup}"
    );
    assert!(!setup.contains(&account.api_key));
}

#[tokio::test]
async fn m015_a_key_that_only_reads_is_offered_to_receive_alone() {
    let there = apart().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let reads = there.stand_in.account.read_only_key.clone();
    browser
        .post(CONNECT, CONNECT, &key(&there, &reads))
        .await
        .is(303);
    let page = browser.get(CONNECT).await.is(200).body;
    assert!(
        page.contains("read-only") && page.contains("nothing can be sent"),
        "{page}"
    );
    assert!(!page.contains("value=\"bidirectional\""), "{page}");
}

#[tokio::test]
async fn the_import_is_stopped_and_goes_on() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let setup = "/connectors/prod/setup";
    let page = browser
        .post(setup, "/connectors/prod/import/stop", &[])
        .await;
    let body = followed(&mut browser, page).await;
    assert!(
        body.contains(", stopped") && body.contains("Go on with the import"),
        "{body}"
    );
    assert!(!body.contains("data-again"), "nothing moves");
    let page = browser.post(setup, "/connectors/prod/import", &[]).await;
    let body = followed(&mut browser, page).await;
    assert!(
        body.contains("Stop the import") && body.contains("data-again"),
        "{body}"
    );
    let now = there.server.clock.now();
    there
        .server
        .write(move |tx| im_store::backfill::finish(tx, "prod", None, now))
        .await;
    let body = browser.get(setup).await.is(200).body;
    assert!(
        body.contains("is here: ") && !body.contains("<progress"),
        "{body}"
    );
}

#[tokio::test]
async fn m049_the_webhook_is_made_on_the_page_and_what_is_refused_says_why() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let (setup, act) = ("/connectors/prod/setup", "/connectors/prod/webhook/act");
    let make = [("action", "enable"), ("back", "setup")];
    let refused = browser.post(setup, act, &make).await.is(422).body;
    assert!(problem(&refused).contains("is not encrypted"), "{refused}");
    assert!(there.receivers().is_empty());
    let page = browser
        .post(setup, act, &[make[0], make[1], ("insecure", "true")])
        .await;
    let body = followed(&mut browser, page).await;
    assert!(
        line(&body).contains("is made, and its secret is stored"),
        "{body}"
    );
    assert_eq!(there.receivers().len(), 1);
    assert!(
        body.contains("PagerDuty tells each change at once"),
        "{body}"
    );
    let page = browser.get("/connectors/prod").await.is(200).body;
    assert!(page.contains("Send a test event"), "{page}");
}

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
    let page = browser
        .post(users, "/integrations/users/confirm", &[])
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
async fn each_form_of_the_settings_changes_its_part_alone() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let account = &there.stand_in.account;
    let first = account.services[0].0.clone();
    let page = set(
        &mut browser,
        &[
            ("what", "connection"),
            ("sync_direction", "inbound"),
            ("sync_interval", "10m"),
        ],
    )
    .await;
    let body = followed(&mut browser, page).await;
    assert!(line(&body).starts_with("Changed"), "{body}");
    let config = connector(&there, "prod").await;
    assert_eq!(
        (&config["sync_direction"], &config["sync_interval"]),
        (&json!("inbound"), &json!("10m"))
    );
    assert_eq!(
        config["custom"]["service_id"], *first,
        "what was left empty stays"
    );
    let refused = set(
        &mut browser,
        &[("what", "connection"), ("sync_interval", "soon")],
    )
    .await
    .is(422)
    .body;
    assert!(refused.contains("value=\"soon\""), "{refused}");
    let bad_key = set(
        &mut browser,
        &[("what", "connection"), ("api_key", "u+nobodys-key-0123456")],
    )
    .await
    .is(422)
    .body;
    assert!(
        problem(&bad_key).contains("does not take") && !bad_key.contains("nobodys-key"),
        "{bad_key}"
    );
}

#[tokio::test]
async fn what_goes_with_what_is_set_by_forms_and_taken_back() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let account = &there.stand_in.account;
    let (first, second) = (account.services[0].0.clone(), account.services[1].0.clone());
    set(
        &mut browser,
        &[
            ("what", "services"),
            ("scope", "chosen"),
            ("synced", &first),
            ("synced", &second),
        ],
    )
    .await
    .is(303);
    set(
        &mut browser,
        &[
            ("what", "service"),
            ("ours", "checkout"),
            ("theirs", &second),
        ],
    )
    .await
    .is(303);
    let policy = there.pagerduty("GET", "/escalation_policies", &Value::Null)["escalation_policies"][0]["id"].as_str().unwrap().to_owned();
    set(
        &mut browser,
        &[
            ("what", "policy"),
            ("severity", "SEV-1"),
            ("theirs", &policy),
        ],
    )
    .await
    .is(303);
    let owners = [
        ("what", "ownership"),
        ("strategy", "manual-review"),
        ("owner.title", "external"),
        ("priority.title", "7"),
    ];
    set(&mut browser, &owners).await.is(303);
    let custom = connector(&there, "prod").await["custom"].clone();
    assert_eq!(custom["synced_services"], json!([first, second]));
    assert_eq!(custom["service_mappings"], json!({"checkout": second}));
    assert_eq!(custom["escalation_mappings"], json!({"SEV-1": policy}));
    assert_eq!(custom["conflict_strategy"], "manual-review");
    assert_eq!(
        custom["field_ownership"]["title"],
        json!({"owner": "external", "priority": 7})
    );
    set(&mut browser, &[("what", "services"), ("scope", "all")])
        .await
        .is(303);
    set(&mut browser, &[("what", "service"), ("ours", "checkout")])
        .await
        .is(303);
    let custom = connector(&there, "prod").await["custom"].clone();
    assert_eq!(
        (&custom["synced_services"], &custom["service_mappings"]),
        (&Value::Null, &json!({}))
    );
    assert_eq!(
        there.server.last_act().await,
        "account admin@example.com: changed a connector [prod] 303"
    );
}

#[tokio::test]
async fn while_pagerduty_is_silent_the_settings_are_shown_and_say_so() {
    let there = connected().await;
    there
        .server
        .write(|tx| {
            let row = im_store::connectors::find(tx, "prod")?.unwrap();
            let mut config: Value = serde_json::from_str(&row.config).unwrap();
            config["base_url"] = "http://127.0.0.1:1".into();
            im_store::connectors::configure(
                tx,
                "prod",
                &config.to_string(),
                &row.api_key,
                row.state,
            )
        })
        .await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let page = browser.get(SETTINGS).await.is(200).body;
    assert!(page.contains("PagerDuty cannot be asked now"), "{page}");
    let service = &there.stand_in.account.services[0].0;
    assert!(
        page.contains(&format!("name=\"service_id\" value=\"{service}\"")),
        "{page}"
    );
}

/// Two changes that were refused, a field that both sides changed, and a delivery.
async fn add_trouble(server: &Server) {
    for title in ["One", "Two"] {
        let new = json!({"title": title, "severity": "SEV-2"});
        server.in_process("POST", "/api/v1/incidents", &new).await;
    }
    server
        .write(|tx| {
            for row in outbox::of_connector(tx, "prod", 10)? {
                outbox::park(tx, row.id, "PagerDuty answered 404")?;
            }
            let body = r#"{"event": {"id": "01E", "event_type": "pagey.ping", "resource_type": "pagey",
                "occurred_at": "2026-11-20T09:14:00Z", "data": {"type": "ping", "message": "hi"}}}"#;
            let arrival = Arrival {
                connector: "prod".parse().unwrap(),
                event_id: "01E".to_owned(),
                delivery_id: None,
                verified: true,
                body: body.to_owned(),
            };
            let now = "2026-11-20T09:14:01Z".parse().unwrap();
            inbox::receive(tx, arrival, now)?;
            let found = Conflict {
                field: Field::Title,
                base: "Slow".to_owned(),
                ours: "Slow <here>".to_owned(),
                ours_at: now,
                ours_by: None,
                theirs: "Slow there".to_owned(),
                theirs_at: now,
                strategy: Strategy::ManualReview,
                verdict: None,
            };
            let of = ("prod", IncidentNumber::new(1).unwrap());
            conflicts::put(tx, of, &found, "c1", conflicts::State::Pending, now)
        })
        .await;
}

#[tokio::test]
async fn i130_a_viewer_sees_what_waits_and_changes_nothing() {
    let there = connected().await;
    let server = &there.server;
    add_trouble(server).await;
    let address = "/connectors/prod";
    let mut viewer = server.signed_in(Role::Viewer).await;
    let page = viewer.get(address).await.is(200).body;
    assert!(
        !page.contains("action=\"/connectors/prod"),
        "a viewer has no form: {page}"
    );
    viewer
        .post(address, "/connectors/prod/outbox/1/discard", &[])
        .await
        .is(403);
}

#[tokio::test]
async fn i130_a_responder_settles_what_waits_and_an_admin_replays() {
    let there = connected().await;
    let server = &there.server;
    add_trouble(server).await;
    let address = "/connectors/prod";
    let mut browser = server.signed_in(Role::Responder).await;
    let page = browser.get(address).await.is(200).body;
    assert!(
        page.contains("Slow &lt;here&gt;")
            && page.contains("Slow there")
            && page.contains("Keep PagerDuty's"),
        "{page}"
    );
    assert!(
        !page.contains("/replay"),
        "a delivery has a body, and is for admins"
    );
    let acts: Vec<&str> = page
        .split("action=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let act = |word: &str, nth: usize| {
        acts.iter()
            .filter(|act| act.ends_with(word))
            .nth(nth)
            .unwrap()
            .to_owned()
            .to_owned()
    };
    let page = browser.post(address, &act("/retry", 0), &[]).await;
    assert!(line(&followed(&mut browser, page).await).starts_with("It is sent again"));
    let page = browser.post(address, &act("/discard", 1), &[]).await;
    assert!(line(&followed(&mut browser, page).await).starts_with("The change was given up"));
    let twice = browser
        .post(address, &act("/discard", 1), &[])
        .await
        .is(404);
    assert!(
        problem(&twice.body).contains("there is no")
            || problem(&twice.body).contains("There is no"),
        "{}",
        twice.body
    );
    browser
        .post(address, "/connectors/prod/deliveries/1/replay", &[])
        .await
        .is(403);
    let settle = browser
        .post(
            address,
            "/connectors/prod/conflicts/1",
            &[("keep", "external")],
        )
        .await;
    assert_eq!(
        line(&followed(&mut browser, settle).await),
        "PagerDuty's value counts."
    );
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: decided a conflict [prod 1] 303"
    );
    let mut admin = server.signed_in(Role::Admin).await;
    let page = admin
        .post(address, "/connectors/prod/deliveries/1/replay", &[])
        .await;
    assert!(line(&followed(&mut admin, page).await).starts_with("Delivery 1 is taken once more"));
}

#[tokio::test]
async fn both_sides_are_compared_when_somebody_asks() {
    let there = connected().await;
    let work = there.server.work();
    let mut browser = there.server.signed_in(Role::Responder).await;
    let page = browser
        .post("/connectors/prod", "/connectors/prod/compare", &[])
        .await;
    let body = followed(&mut browser, page).await;
    assert!(line(&body).starts_with("Compared: "), "{body}");
    drop(work);
}

#[tokio::test]
async fn mw41_a_connection_is_unlinked_by_its_name_with_what_is_here_kept_or_erased() {
    let there = connected().await;
    let server = &there.server;
    let new = json!({"title": "One", "severity": "SEV-2"});
    server.in_process("POST", "/api/v1/incidents", &new).await;
    let mut browser = server.signed_in(Role::Admin).await;
    let address = "/connectors/prod/unlink";
    let cards = browser.get("/integrations").await.is(200).body;
    assert!(cards.contains(address), "{cards}");
    let page = browser.get(address).await.is(200).body;
    assert!(page.contains("They are not sent"), "{page}");
    let wrong = browser
        .post(address, address, &[("data", "purge"), ("name", "pord")])
        .await
        .is(422)
        .body;
    assert!(problem(&wrong).contains("nothing was changed"), "{wrong}");
    assert!(wrong.contains("value=\"purge\" checked"), "{wrong}");
    browser
        .post(address, address, &[("name", "prod")])
        .await
        .is(422);
    let page = browser
        .post(address, address, &[("data", "keep"), ("name", "prod")])
        .await;
    let cards = followed(&mut browser, page).await;
    assert!(
        line(&cards).starts_with("Unlinked prod.") && cards.contains("Not connected"),
        "{cards}"
    );
    assert!(
        browser
            .get("/incidents/INC-1")
            .await
            .is(200)
            .body
            .contains("One"),
        "it is kept"
    );
    browser.get(address).await.is(404);
    browser.get("/connectors/prod/setup").await.is(404);
}
