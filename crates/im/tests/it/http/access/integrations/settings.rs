//! The settings of a connector as forms, and unlinking it.

use im_store::accounts::Role;
use serde_json::{Value, json};

use super::{connected, connector};
use crate::http::access::acts::{followed, line, problem};
use crate::http::access::{Browser, Page};

const SETTINGS: &str = "/connectors/prod/settings";

/// Sends a form of the settings.
async fn set(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Page {
    browser.post(SETTINGS, SETTINGS, fields).await
}

/// The value of an attribute of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// What a browser sends of a form in which nothing was touched.
fn as_shown(page: &str, what: &str) -> Vec<(String, String)> {
    let begin = format!("name=\"what\" value=\"{what}\"");
    let (_, form) = page.split_once(&begin).expect("it has this form");
    let (form, _) = form.split_once("</form>").unwrap();
    let mut fields = vec![("what".to_owned(), what.to_owned())];
    let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    let mut select = None;
    for tag in form.split('<').filter_map(|tag| tag.split('>').next()) {
        let name = attribute(tag, "name");
        let value = attribute(tag, "value").unwrap_or_default();
        let is_choice = ["checkbox", "radio"]
            .map(Some)
            .contains(&attribute(tag, "type"));
        match (tag.split(' ').next(), name, select) {
            (Some("input"), Some(name), _) if !is_choice || tag.contains(" checked") => {
                add(name, value);
            }
            (Some("select"), Some(name), _) => select = Some((name, None)),
            (Some("option"), _, Some((of, None))) => select = Some((of, Some(value))),
            (Some("option"), _, Some((of, _))) if tag.contains(" selected") => {
                select = Some((of, Some(value)));
            }
            (Some("/select"), _, Some((of, chosen))) => {
                add(of, chosen.unwrap_or_default());
                select = None;
            }
            _ => {}
        }
    }
    fields
}

/// The same with other values.
fn with<'f>(
    shown: &'f [(String, String)],
    changed: &[(&'f str, &'f str)],
) -> Vec<(&'f str, &'f str)> {
    let shown = shown.iter().map(|(name, value)| (&**name, &**value));
    let left = shown.filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    left.chain(changed.iter().copied()).collect()
}

#[tokio::test]
async fn an_older_page_takes_nothing_back_that_another_admin_set() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let account = &there.stand_in.account;
    let service = |at: usize| account.services[at].0.as_str();
    let (first, second, third) = (service(0), service(1), service(2));
    let policies = there.pagerduty("GET", "/escalation_policies", &Value::Null);
    let policy = policies["escalation_policies"][0]["id"].as_str().unwrap();
    let begun = [
        ("what", "services"),
        ("scope", "chosen"),
        ("synced", first),
        ("synced", second),
    ];
    set(&mut browser, &begun).await.is(303);
    let page = browser.get(SETTINGS).await.is(200).body;
    let before = connector(&there, "prod").await;

    // A form that was not touched changes nothing.
    for what in [
        "connection",
        "services",
        "urgencies",
        "priorities",
        "ownership",
    ] {
        let shown = as_shown(&page, what);
        let answer = set(&mut browser, &with(&shown, &[])).await;
        let body = followed(&mut browser, answer).await;
        assert_eq!(line(&body), "Nothing was changed on this form.", "{what}");
    }
    assert_eq!(connector(&there, "prod").await, before);

    // Two admins send the same page, each with another change.
    let connection = as_shown(&page, "connection");
    let ownership = as_shown(&page, "ownership");
    let services = as_shown(&page, "services");
    for form in [
        with(&connection, &[("sync_interval", "10m")]),
        with(&connection, &[("policy", policy)]),
        with(&ownership, &[("owner.title", "external")]),
        with(&ownership, &[("priority.title", "7")]),
        with(&ownership, &[("strategy", "manual-review")]),
        // One ticks the third, the other takes the second away.
        with(
            &services,
            &[("synced", first), ("synced", second), ("synced", third)],
        ),
        with(&services, &[("synced", first)]),
    ] {
        set(&mut browser, &form).await.is(303);
    }
    let now = connector(&there, "prod").await;
    assert_eq!(now["sync_interval"], "10m");
    let custom = &now["custom"];
    assert_eq!(custom["escalation_policy_id"], policy);
    assert_eq!(
        custom["field_ownership"]["title"],
        json!({"owner": "external", "priority": 7})
    );
    assert_eq!(custom["conflict_strategy"], "manual-review");
    assert_eq!(custom["synced_services"], json!([first, third]));
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
    // What to do is told by the fields that there are.
    assert!(
        problem(&bad_key).contains("Address of the API")
            && !problem(&bad_key).contains("im connector"),
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

/// The fields of a form with another value in one of them.
fn typed<'f>(
    fields: &'f [(String, String)],
    name: &str,
    value: &'f str,
) -> Vec<(&'f str, &'f str)> {
    let typed = |(known, now): &'f (String, String)| {
        (known.as_str(), if known == name { value } else { now })
    };
    fields.iter().map(typed).collect()
}

#[tokio::test]
async fn a_form_that_was_refused_and_is_sent_again_takes_back_nothing() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let page = browser.get(SETTINGS).await.is(200).body;
    let shown = as_shown(&page, "connection");
    // Somebody else changes the direction meanwhile.
    let other = json!({"sync_direction": "inbound"});
    let path = "/api/v1/connectors/prod";
    there.server.in_process("PATCH", path, &other).await;
    let wrong = typed(&shown, "sync_interval", "soon");
    let refused = set(&mut browser, &wrong).await.is(422).body;
    let shown = as_shown(&refused, "connection");
    let right = typed(&shown, "sync_interval", "15m");
    set(&mut browser, &right).await.is(303);
    let config = connector(&there, "prod").await;
    assert_eq!(
        (&config["sync_direction"], &config["sync_interval"]),
        (&json!("inbound"), &json!("15m"))
    );
}

#[tokio::test]
async fn the_settings_say_what_severities_are_and_what_each_is_at_pagerduty() {
    let there = connected().await;
    let mut admin = there.server.signed_in(Role::Admin).await;
    let line = json!({"severity": "SEV-1", "priority": "P1"});
    let path = "/api/v1/connectors/prod/priority-mappings";
    let table = there.server.in_process("POST", path, &line).await;
    let id = table[0]["priority"].as_str().expect("it has an id");
    let page = admin.get("/settings").await.is(200).body;
    let (_, section) = page.split_once("id=\"severities\"").expect("it is there");
    let section = section.split("</section>").next().unwrap();
    for said in [
        "Critical system impact",
        "Informational only",
        &format!("high urgency, priority {id}"),
        "low urgency, no priority",
        "href=\"/connectors/prod/settings#priorities\"",
    ] {
        assert!(section.contains(said), "{said}: {section}");
    }
    let settings = admin.get("/connectors/prod/settings").await.is(200).body;
    assert!(
        settings.contains("id=\"priorities\""),
        "the link leads there"
    );
}

#[tokio::test]
async fn the_urgency_of_a_severity_is_chosen_on_the_page_and_the_answer_stands_at_its_form() {
    let there = connected().await;
    let mut browser = there.server.signed_in(Role::Admin).await;
    let page = browser.get(SETTINGS).await.is(200).body;
    assert!(
        page.contains(&format!("action=\"{SETTINGS}#urgencies\"")),
        "{page}"
    );
    let shown = as_shown(&page, "urgencies");
    let done = set(&mut browser, &with(&shown, &[("SEV-3", "high")])).await;
    let to = done.is(303).to().to_owned();
    assert!(to.ends_with("#urgencies"), "{to}");
    let page = browser.get(&to).await.is(200).body;
    let (_, section) = page.split_once("id=\"urgencies\"").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    assert!(
        section.contains("Changed, and what is here follows."),
        "{section}"
    );
    let config = connector(&there, "prod").await;
    assert_eq!(config["custom"]["urgency_mapping"]["SEV-3"], "high");
    let wrong = with(&shown, &[("SEV-4", "loud")]);
    let refused = set(&mut browser, &wrong).await.is(422).body;
    let (_, section) = refused.split_once("id=\"urgencies\"").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    assert!(section.contains("use high or low"), "{section}");
}
