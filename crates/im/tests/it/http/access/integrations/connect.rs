//! The guided way: a key is tried, a connector is made, the past is imported.

use im_store::accounts::{self, Role};
use im_store::directory::{self, About, DirectoryRow, Kind};
use serde_json::{Value, json};

use super::{apart, connected, connector};
use crate::http::access::Browser;
use crate::http::access::acts::{followed, line, problem};
use crate::http::there::There;

const CONNECT: &str = "/integrations/connect";

/// The form of step 1.
fn key<'a>(there: &'a There, api_key: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("name", "main"),
        ("region", "us"),
        ("other_url", &there.stand_in.base_url),
        ("api_key", api_key),
    ]
}

#[tokio::test]
async fn m018_m024_the_first_run_leads_to_the_connection_which_says_first_what_the_key_is_for() {
    let there = apart().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let list = browser.get("/").await.is(200).body;
    assert!(list.contains("href=\"/integrations/connect\""), "{list}");
    let oncall = browser.get("/on-call").await.is(200).body;
    assert!(
        oncall.contains("href=\"/integrations/connect\""),
        "{oncall}"
    );
    let mut viewer = there.server.signed_in(Role::Viewer).await;
    for path in ["/", "/on-call"] {
        let page = viewer.get(path).await.is(200).body;
        assert!(!page.contains("/integrations/connect"), "{path}: {page}");
    }
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
    // The next step names what the form has.
    assert!(
        refused.contains("choose Europe under \u{201c}Region of the account\u{201d}"),
        "{refused}"
    );
    assert!(!refused.contains("base_url"), "{refused}");
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
    let asked = browser.get(CONNECT).await.is(200).body;
    assert!(
        asked.contains("<select name=\"service\" required><option value=\"\">Choose one</option>"),
        "nobody's service is chosen for them: {asked}"
    );
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
    // Where PagerDuty reaches the server is written on a page, too.
    assert!(setup.contains("href=\"/settings\""), "{setup}");
    assert!(!setup.contains("im config set"), "{setup}");
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

#[tokio::test]
async fn m015_a_page_names_the_role_that_who_is_no_admin_there_lacks() {
    let there = connected().await;
    let account = &there.stand_in.account;
    let limited = json!({"user": {"type": "user", "role": "limited_user"}});
    there.pagerduty("PUT", &format!("/users/{}", account.users[0].0), &limited);
    let part = json!({"api_key": account.user_key});
    there
        .server
        .in_process("PATCH", "/api/v1/connectors/prod", &part)
        .await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let (setup, act) = ("/connectors/prod/setup", "/connectors/prod/webhook/act");
    let make = [
        ("action", "enable"),
        ("back", "setup"),
        ("insecure", "true"),
    ];
    let refused = browser.post(setup, act, &make).await;
    let said = problem(&refused.body);
    for named in [
        "base role Manager",
        "Global Admin",
        &format!(
            "this key's user is {} (base role Responder)",
            account.users[0].1
        ),
    ] {
        assert!(said.contains(named), "{named}: {said}");
    }
    assert!(there.receivers().is_empty());
}

/// The link that a page shows, without the address of the server.
fn link(page: &str) -> String {
    let (_, rest) = page
        .split_once("<pre class=\"link\">")
        .expect("it has a link");
    let (_, path) = rest.split_once("/give-key").unwrap();
    format!("/give-key{}", path.split('<').next().unwrap())
}

#[tokio::test]
async fn m016_a_key_is_given_once_by_a_link_that_shows_nothing_and_waits_for_who_asked() {
    let there = apart().await;
    let mut admin = there.server.signed_in(Role::Admin).await;
    let asked = [
        ("name", "acme-eu"),
        ("other_url", &*there.stand_in.base_url),
    ];
    let make = "/integrations/connect/hand-over";
    let page = admin.post(CONNECT, make, &asked).await.is(200).body;
    let path = link(&page);
    let secret = path.split_once('=').unwrap().1.to_owned();
    // Whoever has the link has no account.
    let mut other = Browser::new(&there.server);
    let page = other.get(&path).await.is(200).body;
    assert!(page.contains("What the key is used for"), "{page}");
    assert!(page.contains(&there.stand_in.base_url), "where it goes");
    assert!(
        !page.contains("/integrations") && !page.contains("acme-eu"),
        "{page}"
    );
    let wrong = [("link", &*secret), ("api_key", "u+nobodys-key-0123456")];
    let refused = other.post(&path, "/give-key", &wrong).await.is(422).body;
    assert!(
        problem(&refused).contains("does not take this API key"),
        "{refused}"
    );
    assert!(!refused.contains("nobodys-key"), "{refused}");
    let api_key = there.stand_in.account.api_key.clone();
    let right = [("link", &*secret), ("api_key", &*api_key)];
    let thanks = other.post(&path, "/give-key", &right).await.is(200).body;
    assert!(thanks.contains("PagerDuty takes the key") && !thanks.contains(&api_key));
    let act = "nobody : gave an API key by a link [acme-eu] 200";
    assert_eq!(there.server.last_act().await, act);
    other.get(&path).await.is(410);
    other.get(CONNECT).await.is(303);
    // It waits for who asked, and for nobody else.
    let page = there.server.signed_in(Role::Owner).await.get(CONNECT).await;
    assert!(page.is(200).body.contains("name=\"api_key\""));
    let page = admin.get(CONNECT).await.is(200).body;
    assert!(
        page.contains("Choose how it is used") && !page.contains(&api_key),
        "{page}"
    );
}

#[tokio::test]
async fn m016_a_key_of_somebody_else_goes_to_pagerduty_alone_while_who_asked_may_connect() {
    let there = apart().await;
    let mut admin = there.server.signed_in(Role::Admin).await;
    let make = "/integrations/connect/hand-over";
    for other_url in [
        "https://evil.example.com",
        "https://api.pagerduty.com.evil.example",
    ] {
        let asked = [("name", "main"), ("other_url", other_url)];
        let page = admin.post(CONNECT, make, &asked).await.is(422).body;
        assert!(page.contains("own addresses alone"), "{page}");
    }
    let asked = [("name", "main"), ("region", "eu")];
    let path = link(&admin.post(CONNECT, make, &asked).await.is(200).body);
    let mut other = Browser::new(&there.server);
    let page = other.get(&path).await.is(200).body;
    assert!(page.contains("https://api.eu.pagerduty.com"), "{page}");
    let set = |role: Role| {
        there
            .server
            .write(move |tx| accounts::set_role(tx, "admin@example.com", role, false))
    };
    set(Role::Responder).await;
    other.get(&path).await.is(410);
    set(Role::Admin).await;
    other.get(&path).await.is(200);
    let disable = "/api/v1/accounts/admin@example.com/disable";
    there.server.in_process("POST", disable, &Value::Null).await;
    other.get(&path).await.is(410);
    let secret = path.split_once('=').unwrap().1;
    let fields = [("link", secret), ("api_key", "u+nobodys-key-0123456")];
    other.post("/sign-in", "/give-key", &fields).await.is(410);
}

#[tokio::test]
async fn m016_a_link_for_a_key_is_over_after_a_day_and_when_there_is_a_newer_one() {
    let there = apart().await;
    let mut admin = there.server.signed_in(Role::Admin).await;
    let make = "/integrations/connect/hand-over";
    let asked = [("name", "main"), ("region", "eu")];
    let first = link(&admin.post(CONNECT, make, &asked).await.is(200).body);
    let second = link(&admin.post(CONNECT, make, &asked).await.is(200).body);
    let mut other = Browser::new(&there.server);
    other.get(&first).await.is(410);
    other.get(&second).await.is(200);
    other.get("/give-key?link=").await.is(410);
    there.server.pass(24 * 3600);
    other.get(&second).await.is(410);
    let mut viewer = there.server.signed_in(Role::Responder).await;
    let page = viewer.get("/account").await.word();
    let form = viewer.form(make, &[("word", &*page), ("name", "main")]);
    viewer.send(form).await.is(403);
}

#[tokio::test]
async fn m017_mw32_whoever_is_stuck_finds_whom_to_ask_and_what_to_send() {
    let there = apart().await;
    let mut stranger = Browser::new(&there.server);
    let page = stranger.get("/sign-in").await.is(200).body;
    assert!(page.contains("href=\"/help\""), "{page}");
    let page = stranger.get("/help").await.is(200).body;
    assert!(page.contains("im config set contact"), "{page}");
    let mut admin = there.server.signed_in(Role::Admin).await;
    let told = [("was_contact", ""), ("contact", "help@example.com")];
    admin.post("/settings", "/settings", &told).await.is(303);
    let page = stranger.get("/help").await.is(200).body;
    assert!(page.contains("href=\"mailto:help@example.com\""), "{page}");
    let odd = [("contact", "javascript:alert(1)")];
    let refused = admin.post("/settings", "/settings", &odd).await.is(422);
    assert!(
        problem(&refused.body).contains("contact cannot be javascript:alert(1)"),
        "{}",
        problem(&refused.body)
    );
    for contact in ["https://chat.example.com/im", "<script>"] {
        let told = [("contact", contact)];
        admin.post("/settings", "/settings", &told).await.is(303);
        let page = stranger.get("/help").await.is(200).body;
        assert!(!page.contains("<script>"), "{page}");
        let is_link = page.contains("href=\"https://chat.example.com/im\"");
        assert_eq!(is_link, contact.starts_with("https://"), "{page}");
    }
    let page = admin.get(CONNECT).await.is(200).body;
    assert!(page.contains("href=\"/help\""), "{page}");
    let refused = admin.get("/settings/targets").await.status;
    assert_eq!(refused, 405);
    let mut viewer = there.server.signed_in(Role::Viewer).await;
    let page = viewer.get("/settings").await.is(403).body;
    assert!(
        page.contains("href=\"/help\"") && page.contains("403 role: "),
        "{page}"
    );
}

#[tokio::test]
async fn mw36_a_card_says_whose_account_it_is_once_something_of_it_was_read() {
    let there = connected().await;
    let mut admin = there.server.signed_in(Role::Admin).await;
    let cards = admin.get("/integrations").await.is(200).body;
    assert!(!cards.contains("acme"), "nothing is known yet");
    let row = DirectoryRow {
        connector: "prod".to_owned(),
        kind: Kind::Policy,
        id: "PACME01".to_owned(),
        since: there.server.clock.now(),
        until: None,
        name: Some("Default".to_owned()),
        about: About {
            html_url: Some("https://acme.pagerduty.com/escalation_policies/PACME01".to_owned()),
            ..About::default()
        },
        state: None,
    };
    there
        .server
        .write(move |tx| directory::begin(tx, &row, 1))
        .await;
    let cards = admin.get("/integrations").await.is(200).body;
    assert!(
        cards.contains("<span class=\"small\">acme, http://127.0.0.1"),
        "{cards}"
    );
}

/// A connector to the stand-in as the API takes it.
fn wanted(there: &There, name: &str, api_key: &str, services: Option<&[&str]>) -> Value {
    let account = &there.stand_in.account;
    let mut custom = json!({"service_id": account.services[0].0, "from_email": account.users[0].2});
    if let Some(services) = services {
        custom["synced_services"] = json!(services);
    }
    json!({"name": name, "type": "pagerduty", "config": {
        "api_key": api_key, "base_url": there.stand_in.base_url, "sync_direction": "inbound", "custom": custom,
    }})
}

/// Adds it; the answer.
async fn add(there: &There, new: Value) -> Value {
    let path = "/api/v1/connectors";
    there.server.in_process("POST", path, &new).await
}

#[tokio::test]
async fn an_account_that_is_connected_is_not_connected_again_by_another_key() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let other_key = there.stand_in.account.read_only_key.clone();
    // Where the key is given, before anything is chosen.
    let form = key(&there, &other_key);
    let page = browser.post(CONNECT, CONNECT, &form).await.is(409).body;
    let said = problem(&page);
    assert!(
        said.contains("connected already, as prod") && said.contains("under Integrations"),
        "{said}"
    );
    assert!(page.contains("name=\"api_key\"") && !page.contains(&other_key));
    // Over the API, by that key and by the same.
    for api_key in [&other_key, &there.stand_in.account.api_key] {
        let new = wanted(&there, "second", api_key, None);
        let refused = add(&there, new).await;
        assert_eq!(refused["code"], "account_connected");
        let hint = refused["hint"].as_str().unwrap();
        assert!(hint.contains("`im connector update prod`"), "{hint}");
    }
    let all = there
        .server
        .in_process("GET", "/api/v1/connectors", &Value::Null)
        .await;
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    // Its own connection takes another key of it.
    let part = json!({"api_key": other_key, "sync_direction": "inbound"});
    let path = "/api/v1/connectors/prod";
    let changed = there.server.in_process("PATCH", path, &part).await;
    assert_eq!(changed["direction"], "inbound", "{changed}");
}

#[tokio::test]
async fn an_account_is_connected_twice_where_each_connection_has_services_of_its_own() {
    let there = apart().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let account = &there.stand_in.account;
    let (one, two) = (&*account.services[0].0, &*account.services[1].0);
    let first = wanted(&there, "prod", &account.api_key, Some(&[one]));
    assert_eq!(add(&there, first).await["name"], "prod");
    for services in [None, Some(&[one, two][..])] {
        let new = wanted(&there, "second", &account.api_key, services);
        assert_eq!(add(&there, new).await["code"], "account_connected");
    }
    // On the page that is told once services were chosen.
    browser
        .post(CONNECT, CONNECT, &key(&there, &account.api_key))
        .await
        .is(303);
    let chosen = |service| {
        [
            ("service", service),
            ("from_email", &*account.users[0].2),
            ("direction", "inbound"),
            ("scope", "chosen"),
            ("synced", service),
        ]
    };
    let act = "/integrations/connect/add";
    let page = browser.post(CONNECT, act, &chosen(one)).await.is(409).body;
    assert!(problem(&page).contains("connected already, as prod"));
    browser.post(CONNECT, act, &chosen(two)).await.is(303);
}

#[tokio::test]
async fn another_connection_is_given_a_free_name_and_a_taken_one_is_told_in_the_form() {
    let there = apart().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let first = browser.get(CONNECT).await.is(200).body;
    assert!(
        first.contains("name=\"name\" value=\"pagerduty\""),
        "{first}"
    );
    let new = wanted(&there, "pagerduty", &there.stand_in.account.api_key, None);
    assert_eq!(add(&there, new).await["name"], "pagerduty");
    for way in [CONNECT, "/integrations/connect?by=oauth"] {
        let page = browser.get(way).await.is(200).body;
        assert!(
            page.contains("name=\"name\" value=\"pagerduty-2\""),
            "{page}"
        );
    }
    let asked = [("handed", "yes"), ("name", "pagerduty"), ("region", "eu")];
    let make = "/integrations/connect/hand-over";
    let page = browser.post(CONNECT, make, &asked).await.is(409).body;
    let said = problem(&page);
    assert!(
        said.contains("connector pagerduty already") && said.contains("Choose another name"),
        "{said}"
    );
    assert!(
        page.contains("<details class=\"handed\" open>")
            && page.contains("name=\"name\" value=\"pagerduty\"")
            && page.contains("<option value=\"eu\" selected>"),
        "{page}"
    );
}
