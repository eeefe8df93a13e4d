//! The webhook of a connector, made and tried at a PagerDuty that answers and delivers.

use serde_json::json;

use super::there::{There, lines};

const BASIC: [&str; 3] = [
    "incident.triggered",
    "incident.acknowledged",
    "incident.resolved",
];

#[tokio::test]
async fn a_webhook_is_made_once_and_tells() {
    let there = There::start().await;
    let made = there.enable().await;
    assert!(lines(&made)[0].ends_with("is made, and its secret is stored"));
    let again = there.enable().await;
    let kept = lines(&again);
    assert!(
        kept.len() == 1 && kept[0].ends_with("is there already"),
        "{kept:?}"
    );
    let tried = there.webhook(json!({"action": "test"})).await;
    assert_eq!(lines(&tried), ["ok: Test webhook received (pagey.ping)"]);
    assert_eq!(there.receivers().len(), 1);
}

#[tokio::test]
async fn a_secret_that_does_not_fit_is_named_and_enable_makes_another() {
    let there = There::start().await;
    there.enable().await.is(200);
    let bogus = json!({"action": "manual", "secret": "bogus"});
    there.webhook(bogus).await.is(200);
    let tried = there.webhook(json!({"action": "test"})).await;
    let cause = "a webhook arrived, and its signature does not fit the secret that is stored here";
    assert_eq!(
        lines(&tried),
        [format!(
            "failed: Test webhook received (pagey.ping) ({cause})"
        )]
    );
    let tested = there.test().await;
    let expected = format!("failed: Webhook endpoint configured ({cause})");
    assert!(lines(&tested).contains(&expected), "{}", tested.body);
    assert_eq!(there.status().await["webhook"]["state"], "bad_signatures");

    let enabled = there.enable().await;
    let said = lines(&enabled);
    assert!(said[0].contains("Removed webhook subscription"), "{said:?}");
    assert!(
        said[1].ends_with("is made, and its secret is stored"),
        "{said:?}"
    );
    // Old failures are not about the new secret.
    assert_eq!(there.status().await["webhook"]["state"], "enabled");
    let tried = there.webhook(json!({"action": "test"})).await;
    assert_eq!(tried.is(200)["ok"], true, "{}", tried.body);
    assert_eq!(there.receivers().len(), 1);
}

#[tokio::test]
async fn a_secret_given_by_hand_is_not_believed_before_a_delivery_fits() {
    let there = There::start().await;
    there.enable().await.is(200);
    let bogus = json!({"action": "manual", "secret": "bogus"});
    there.webhook(bogus).await.is(200);
    let said = lines(&there.enable().await);
    assert!(
        said[0].ends_with("whose secret no delivery has proved"),
        "{said:?}"
    );

    // A good secret stays, once something was signed with it.
    there.webhook(json!({"action": "disable"})).await.is(200);
    let secret = there.by_hand(&BASIC);
    let given = json!({"action": "manual", "secret": secret});
    there.webhook(given).await.is(200);
    let tried = there.webhook(json!({"action": "test"})).await;
    assert_eq!(tried.is(200)["ok"], true, "{}", tried.body);
}

#[tokio::test]
async fn a_new_public_address_leaves_no_subscription_to_the_old_one() {
    let there = There::start().await;
    there.enable().await.is(200);
    let url = json!({"public_url": "http://im.example.com"});
    there.server.patch("/api/v1/settings", url).await.is(200);
    let said = lines(&there.enable().await);
    assert!(
        said[0].ends_with("which delivered to another address"),
        "{said:?}"
    );
    assert_eq!(
        there.receivers(),
        ["http://im.example.com/connectors/prod/webhook"]
    );
}

#[tokio::test]
async fn another_programs_subscription_is_left_alone() {
    let there = There::start().await;
    there.by_hand(&BASIC);
    let url = json!({"public_url": "http://im.example.com"});
    there.server.patch("/api/v1/settings", url).await.is(200);
    there.enable().await.is(200);
    assert_eq!(there.receivers().len(), 2);
}

#[tokio::test]
async fn events_that_a_webhook_leaves_out_are_said_everywhere() {
    let there = There::start().await;
    let secret = there.by_hand(&BASIC);
    let given = json!({"action": "manual", "secret": secret});
    let said = lines(&there.webhook(given).await);
    let left =
        "the webhook leaves out 21 of 24 events, incident.action_invocation.created among them";
    let expected = format!("skipped: Webhook tells of every event: {left}");
    assert!(said.contains(&expected), "{said:?}");
    let tested = there.test().await;
    assert!(lines(&tested).contains(&expected), "{}", tested.body);
    assert_eq!(there.status().await["status_reason"], left);
    let doctor = there.server.get("/api/v1/doctor").await;
    let expected = format!("skipped: prod: Webhook tells of every event: {left}");
    assert!(lines(&doctor).contains(&expected), "{}", doctor.body);

    // One without the basic events does not do its work.
    there.webhook(json!({"action": "disable"})).await.is(200);
    assert_eq!(
        there.status().await["status_reason"],
        serde_json::Value::Null
    );
    let secret = there.by_hand(&["incident.triggered", "incident.acknowledged"]);
    let given = json!({"action": "manual", "secret": secret});
    let said = lines(&there.webhook(given).await);
    let expected = "failed: Webhook tells of every event (the webhook leaves out 22 of 24 events, incident.resolved among them)";
    assert!(said.contains(&expected.to_owned()), "{said:?}");
    let enabled = there.enable().await;
    assert_eq!(enabled.is(200)["ok"], true);
    assert_eq!(there.status().await["webhook"].get("missing_events"), None);
}
