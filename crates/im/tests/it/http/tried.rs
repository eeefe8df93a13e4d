//! Trying a connector at a PagerDuty that answers.

use serde_json::json;

use super::there::{There, lines};

#[tokio::test]
async fn a_test_says_what_the_key_allows() {
    let there = There::start().await;
    let said = lines(&there.test().await);
    assert_eq!(
        said[..5],
        [
            "ok: Connected to PagerDuty API",
            "ok: API key belongs to the account",
            "ok: API key may read incidents",
            "ok: API key may change incidents",
            "ok: API key may manage webhooks",
        ]
    );
    let part = json!({"api_key": there.stand_in.account.user_key});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let owner = format!(
        "ok: API key belongs to {}",
        there.stand_in.account.users[0].1
    );
    let said = lines(&there.test().await);
    assert_eq!(said[1], owner);

    let part = json!({"api_key": there.stand_in.account.read_only_key});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let tested = there.test().await;
    assert_eq!(tested.is(200)["ok"], false);
    let said = lines(&tested);
    assert_eq!(said[2], "ok: API key may read incidents");
    assert!(
        said[3].starts_with("failed: API key may change incidents ("),
        "{said:?}"
    );
    assert!(
        said[4].starts_with("skipped: API key may manage webhooks: no ("),
        "{said:?}"
    );
}

#[tokio::test]
async fn an_unknown_service_is_mended_where_it_is_written() {
    let there = There::start().await;
    let part = json!({"custom": {"service_mappings": {"bad": "PNOTHERE"}}});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let next = |answer: &super::Answer| {
        let lines = answer.is(200)["lines"].as_array().unwrap();
        let failed = lines.iter().find(|line| line["state"] == "failed").unwrap();
        failed["next"].as_str().unwrap().to_owned()
    };
    let said = next(&there.test().await);
    assert!(
        said.starts_with("`im connector config prod --set custom.service_mappings.bad=ID`"),
        "{said}"
    );
    let part = json!({"custom": {"service_id": "PNOTHERE", "service_mappings": null}});
    there
        .server
        .patch("/api/v1/connectors/prod", part)
        .await
        .is(200);
    let said = next(&there.test().await);
    assert!(
        said.starts_with("`im connector config prod --service-id ID`"),
        "{said}"
    );
}
