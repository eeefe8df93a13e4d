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
