//! Signing in to PagerDuty in place of a key, with the stand-in's own OAuth.

use std::future::Future as _;
use std::sync::Arc;
use std::task::{Context, Waker};

use im_pagerduty::{Call, Outcome};
use im_store::accounts::Role;
use im_store::connectors;
use pd_sim::{OAuthApp, OAuthKind, Request};
use serde_json::{Value, json};

use super::Browser;
use super::acts::{followed, line, problem};
use crate::http::there::There;

const CONNECT: &str = "/integrations/connect";
const BEGIN: &str = "/integrations/connect/oauth";

/// An app of the organisation at PagerDuty that may be given `scopes`, for a server at `url`.
pub(crate) fn app(url: &str, scopes: &[&str]) -> OAuthApp {
    OAuthApp {
        kind: OAuthKind::Scoped,
        client_id: "our-app".to_owned(),
        client_secret: Some("our-secret".to_owned()),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        redirect_uri: format!("{url}/integrations/oauth"),
        account: "us.lighthouse-works".to_owned(),
    }
}

/// A server with people, and an app at PagerDuty that may be given `scopes`.
async fn apart(scopes: &[&str]) -> There {
    let there = There::apart(|_| {}).await;
    there.server.add_people().await;
    let app = app(&there.url, scopes);
    there.stand_in.with(|sim| sim.register_app(app));
    there
}

/// All that is asked for.
pub(crate) const ALL: [&str; 15] = [
    "abilities.read",
    "custom_fields.read",
    "escalation_policies.read",
    "incident_types.read",
    "incident_workflows.read",
    "incidents.read",
    "incidents.write",
    "oncalls.read",
    "priorities.read",
    "schedules.read",
    "services.read",
    "teams.read",
    "users.read",
    "webhook_subscriptions.read",
    "webhook_subscriptions.write",
];

/// Begins; the address that the page leads to.
async fn begin(there: &There, browser: &mut Browser<'_>) -> String {
    let app = [
        ("name", "main"),
        ("client_id", "our-app"),
        ("client_secret", "our-secret"),
        ("kind", "scoped"),
        ("other_url", &*there.stand_in.base_url),
    ];
    let page = browser
        .post("/integrations/connect?by=oauth", BEGIN, &app)
        .await;
    way(&followed(browser, page).await)
}

/// Where a page leads to PagerDuty.
fn way(page: &str) -> String {
    assert!(!page.contains("our-secret"), "{page}");
    let (before, _) = page
        .split_once("rel=\"noreferrer\">Continue to PagerDuty")
        .expect("it leads there");
    let (_, address) = before.rsplit_once("href=\"").unwrap();
    address.trim_end_matches(['"', ' ']).replace("&amp;", "&")
}

/// The person agrees, or does not; the path that PagerDuty sends the browser to.
fn at_pagerduty(there: &There, address: &str, more: &str) -> String {
    let url = reqwest::Url::parse(&format!("{address}{more}")).unwrap();
    let request = Request {
        method: "GET".to_owned(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let now = there.stand_in.clock.now();
    let response = there
        .stand_in
        .with(|sim| sim.handle(&request, now))
        .response;
    assert_eq!(
        response.status,
        302,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    let mut headers = response.headers.iter();
    let to = headers.find(|(name, _)| name == "Location").unwrap();
    to.1.strip_prefix(&there.url).unwrap().to_owned()
}

/// Signs in and makes the connector.
async fn connect(there: &There, browser: &mut Browser<'_>) {
    let address = begin(there, browser).await;
    let back = at_pagerduty(there, &address, "");
    browser.get(&back).await.is(303);
    let account = &there.stand_in.account;
    let chosen = [
        ("service", &*account.services[0].0),
        ("from_email", &*account.users[0].2),
        ("direction", "bidirectional"),
        ("scope", "all"),
    ];
    let page = browser
        .post(CONNECT, "/integrations/connect/add", &chosen)
        .await;
    let setup = followed(browser, page).await;
    assert!(line(&setup).starts_with("Connected main."), "{setup}");
}

/// The key as it is stored.
async fn stored(there: &There) -> String {
    let found = there.server.app.db.read(|tx| connectors::find(tx, "main"));
    found.await.unwrap().unwrap().api_key
}

/// How the connector is, after it was compared.
async fn compared(there: &There) -> Value {
    let work = there.server.work();
    let sync = "/api/v1/connectors/main/sync?wait=20s";
    there.server.in_process("POST", sync, &json!({})).await;
    drop(work);
    there
        .server
        .in_process("GET", "/api/v1/connectors/main", &Value::Null)
        .await
}

#[tokio::test]
async fn m021_m022_mw37_who_agrees_comes_back_to_the_next_step_and_the_connector_works() {
    let there = apart(&ALL).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let address = begin(&there, &mut browser).await;
    for part in [
        "code_challenge_method=S256",
        "response_type=code",
        "state=",
        "incidents.write",
    ] {
        assert!(address.contains(part), "{part}: {address}");
    }
    let back = at_pagerduty(&there, &address, "");
    browser.get(&back).await.is(303);
    let page = browser.get(CONNECT).await.is(200).body;
    let name = &there.stand_in.account.users[0].1;
    assert!(
        page.contains(&format!("Signed in as {name}")) && page.contains("Choose how it is used"),
        "{page}"
    );
    assert!(!page.contains("pdus+"), "a token is in the page");
    let none = there
        .server
        .in_process("GET", "/api/v1/connectors", &Value::Null)
        .await;
    assert_eq!(none, json!([]), "nothing is stored yet");
    connect(&there, &mut browser).await;
    let status = compared(&there).await;
    assert_eq!(status["status"], "active", "{status}");
    let config = there
        .server
        .in_process("GET", "/api/v1/connectors/main/config", &Value::Null)
        .await;
    assert_eq!(config["api_key"], "signed in by OAuth app our-app");
    assert_eq!(config["base_url"], *there.stand_in.base_url);
    assert!(!stored(&there).await.contains("pdus"), "tokens are sealed");
    let setup = browser.get("/connectors/main/setup").await.is(200).body;
    assert!(setup.contains("Manage integration"), "{setup}");
}

#[tokio::test]
async fn who_signs_in_to_an_account_that_is_connected_is_told_so() {
    let there = apart(&ALL).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let account = &there.stand_in.account;
    let new = json!({"name": "by-key", "type": "pagerduty", "config": {
        "api_key": account.api_key, "base_url": there.stand_in.base_url, "sync_direction": "inbound",
        "custom": {"service_id": account.services[0].0, "from_email": account.users[0].2},
    }});
    let path = "/api/v1/connectors";
    let added = there.server.in_process("POST", path, &new).await;
    assert_eq!(added["name"], "by-key", "{added}");
    let address = begin(&there, &mut browser).await;
    let back = at_pagerduty(&there, &address, "");
    let page = browser.get(&back).await.is(409).body;
    let said = problem(&page);
    assert!(said.contains("connected already, as by-key"), "{said}");
    let page = browser.get(CONNECT).await.is(200).body;
    assert!(!page.contains("name=\"direction\""), "{page}");
}

#[tokio::test]
async fn mw33_a_foreign_or_used_answer_is_refused() {
    let there = apart(&ALL).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let address = begin(&there, &mut browser).await;
    let back = at_pagerduty(&there, &address, "");
    let refused = |page: &str| {
        problem(page).contains("no answer to a sign-in that was begun in this browser")
    };
    // Of another browser, with another word, and too late.
    let mut other = there.server.signed_in(Role::Owner).await;
    assert!(refused(&other.get(&back).await.is(422).body));
    let forged = browser
        .get("/integrations/oauth?code=abc&state=abc")
        .await
        .is(422);
    assert!(refused(&forged.body), "{}", forged.body);
    assert_eq!(
        there.server.last_act().await,
        "account admin@example.com: came back from signing in to PagerDuty [] 422"
    );
    browser.get(&back).await.is(303);
    assert!(
        refused(&browser.get(&back).await.is(422).body),
        "it works once"
    );
    let rows = there.server.audited().await;
    let of = |status: u16| {
        rows.iter()
            .filter(|row| row.entry.act.starts_with("came back") && row.entry.status == status)
            .count()
    };
    assert_eq!((of(303), of(422)), (1, 3), "each is kept, done or not");
    let address = begin(&there, &mut browser).await;
    let back = at_pagerduty(&there, &address, "");
    there.server.pass(600);
    assert!(
        refused(&browser.get(&back).await.is(422).body),
        "it works for ten minutes"
    );
}

#[tokio::test]
async fn m022_who_says_no_or_gives_less_is_told_so_and_nothing_is_stored() {
    let there = apart(&ALL[1..]).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let address = begin(&there, &mut browser).await;
    let back = at_pagerduty(&there, &address, "&deny=1");
    let denied = browser.get(&back).await.is(422).body;
    assert!(
        problem(&denied).contains("did not sign you in: The resource owner denied the request"),
        "{denied}"
    );
    assert!(
        denied.contains("name=\"client_id\""),
        "one can begin again: {denied}"
    );
    let address = begin(&there, &mut browser).await;
    let back = at_pagerduty(&there, &address, "");
    assert_eq!(browser.get(&back).await.is(303).to(), CONNECT);
    assert_eq!(
        there.server.last_act().await,
        "account admin@example.com: came back from signing in to PagerDuty [main] 422"
    );
    let page = browser.get(CONNECT).await.is(200).body;
    assert!(
        problem(&page).contains("abilities.read is missing") && page.contains("name=\"api_key\""),
        "{page}"
    );
    let none = there
        .server
        .in_process("GET", "/api/v1/connectors", &Value::Null)
        .await;
    assert_eq!(none, json!([]), "nothing is stored");
    let wrong = [("name", "main"), ("client_id", " ")];
    let empty = browser.post(CONNECT, BEGIN, &wrong).await.is(422).body;
    assert!(problem(&empty).contains("No client id"), "{empty}");
}

#[tokio::test]
async fn m023_who_may_make_no_webhook_is_asked_for_a_key_and_goes_on_with_what_is_known() {
    let less: Vec<&str> = ALL
        .into_iter()
        .filter(|scope| *scope != "webhook_subscriptions.write")
        .collect();
    let there = apart(&less).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let address = begin(&there, &mut browser).await;
    let back = at_pagerduty(&there, &address, "");
    assert_eq!(browser.get(&back).await.is(303).to(), CONNECT);
    // It can be left and come back to.
    for _ in 0..2 {
        let page = browser.get(CONNECT).await.is(200).body;
        let missing = "webhook_subscriptions.write is missing";
        assert!(problem(&page).contains(missing), "{page}");
        for known in [
            "name=\"api_key\"".to_owned(),
            "name=\"name\" value=\"main\"".to_owned(),
            format!("name=\"other_url\" value=\"{}\"", there.stand_in.base_url),
        ] {
            assert!(page.contains(&known), "{known}: {page}");
        }
    }
    let key = [
        ("api_key", &*there.stand_in.account.api_key),
        ("name", "main"),
        ("other_url", &*there.stand_in.base_url),
    ];
    let page = browser.post(CONNECT, CONNECT, &key).await;
    let page = followed(&mut browser, page).await;
    assert!(page.contains("Choose how it is used"), "{page}");
    assert!(!page.contains("is missing"), "{page}");
}

#[tokio::test]
async fn mw33_a_forged_answer_without_a_session_is_refused_and_kept() {
    let there = apart(&ALL).await;
    let mut stranger = Browser::new(&there.server);
    let forged = "/integrations/oauth?code=abc&state=abc";
    assert!(
        stranger
            .get(forged)
            .await
            .is(303)
            .to()
            .starts_with("/sign-in")
    );
    assert_eq!(
        there.server.last_act().await,
        "nobody : came back from signing in to PagerDuty [] 401"
    );
}

#[tokio::test]
async fn tokens_are_renewed_before_they_end_and_where_they_are_not_taken() {
    let there = apart(&ALL).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    connect(&there, &mut browser).await;
    let first = stored(&there).await;
    assert_eq!(compared(&there).await["status"], "active");
    assert_eq!(stored(&there).await, first, "nothing to renew");
    // They last for a day.
    there.server.pass(24 * 3600 - 120);
    assert_eq!(compared(&there).await["status"], "active");
    let second = stored(&there).await;
    assert_ne!(second, first, "renewed two minutes before the end");
    there.server.pass(25 * 3600);
    assert_eq!(compared(&there).await["status"], "active");
    assert_ne!(stored(&there).await, second);
}

#[tokio::test]
async fn mw36_a_sign_in_that_has_ended_needs_attention_until_somebody_signs_in_again() {
    let there = apart(&ALL).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    connect(&there, &mut browser).await;
    there.stand_in.with(pd_sim::Sim::revoke_tokens);
    let status = compared(&there).await;
    assert_eq!(status["status"], "auth_failed", "{status}");
    let reason = status["status_reason"].as_str().unwrap();
    assert!(
        reason.contains("the sign-in has ended") && reason.contains("sign in again"),
        "{reason}"
    );
    // A day later browsers have to sign in, too.
    let cards = browser.get("/integrations").await.is(200).body;
    assert!(
        cards.contains("Needs attention") && cards.contains("sign-in has ended"),
        "{cards}"
    );
    let settings = "/connectors/main/settings";
    let page = browser
        .post(settings, "/connectors/main/sign-in", &[])
        .await;
    let address = way(&followed(&mut browser, page).await);
    let back = at_pagerduty(&there, &address, "");
    browser.get(&back).await.is(303);
    let page = browser
        .post(CONNECT, "/integrations/connect/renew", &[])
        .await;
    let body = followed(&mut browser, page).await;
    assert_eq!(line(&body), "Signed in again.");
    assert_eq!(
        there.server.last_act().await,
        "account admin@example.com: signed a connector in again [main] 303"
    );
    assert_eq!(compared(&there).await["status"], "active");
}

/// The connector as a process has read it.
async fn read(there: &There) -> im_engine::connector::Connector {
    let found = there
        .server
        .app
        .db
        .read(|tx| im_engine::connector::load(tx, "main"));
    let found: Result<_, im_store::StoreError> = found.await;
    found.unwrap().unwrap()
}

/// A process that works on the same database.
fn process(there: &There) -> im::run::Caller {
    let app = &there.server.app;
    im::run::Caller::new(
        app.db.clone(),
        Arc::clone(&app.vault),
        Arc::default(),
        app.clock.clone(),
    )
}

#[tokio::test]
async fn two_processes_that_renew_at_once_both_go_on() {
    let there = apart(&ALL).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    connect(&there, &mut browser).await;
    there.server.pass(25 * 3600);
    let connector = read(&there).await;
    let (one, other) = (process(&there), process(&there));
    let now = there.server.app.clock.now();
    let call = Call::ListAbilities;
    let (first, second) = tokio::join!(
        one.ask(&connector, &call, now),
        other.ask(&connector, &call, now)
    );
    for answer in [first, second] {
        let (outcome, _) = answer.unwrap();
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
    // What is stored goes on as well.
    assert_eq!(compared(&there).await["status"], "active");
}

#[tokio::test]
async fn a_renewal_is_brought_to_its_end_though_nobody_waits_for_it() {
    let there = apart(&ALL).await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    connect(&there, &mut browser).await;
    let before = stored(&there).await;
    there.server.pass(25 * 3600);
    let connector = read(&there).await;
    let process = process(&there);
    let now = there.server.app.clock.now();
    {
        let call = Call::ListAbilities;
        let asking = std::pin::pin!(process.ask(&connector, &call, now));
        // It has begun, and whoever asked goes away.
        let mut nobody = Context::from_waker(Waker::noop());
        assert!(asking.poll(&mut nobody).is_pending());
    }
    process.rest().await;
    assert_ne!(stored(&there).await, before);
    assert_eq!(compared(&there).await["status"], "active");
}
