//! What the source document prints, line by line, with live values: rows I-025 … I-031, I-057, I-060, I-075, I-077,
//! I-091, I-098 … I-104 and I-116 … I-121. Its account is the stand-in's.

use std::fmt::Write as _;

use im_store::{StoreError, Tx, tallies};
use insta::assert_snapshot;
use serde_json::json;

use crate::cli_stories::Story;
use crate::company::{KEY, PAGERDUTY_URL, company};

const NAME: &str = "prod-pagerduty";

/// A server with a connector as the document configures it; as many incidents were over before.
fn documented(past: usize) -> Story {
    let story = Story::of(company);
    for number in 1..=past {
        story.there(|sim, now| {
            let title = format!("Slow query {number}");
            let twin = sim.trigger("PDAT001", &title, now).unwrap();
            sim.resolve("PUJOHN1", &twin, now).unwrap();
        });
        story.pass(60);
    }
    story.done(&format!("config set public_url {}", story.url));
    let config = json!({
        "base_url": story.stand_in.base_url,
        "api_key": KEY,
        "sync_direction": "bidirectional",
        "sync_interval": "5m",
        "enable_webhook": true,
        "custom": {
            "service_id": "PXXXXXX",
            "from_email": "ops@company.com",
            "escalation_policy_id": "PXXXXXX",
        },
    });
    story.done(&format!(
        "connector add pagerduty {NAME} --config '{config}'"
    ));
    story.done(&format!("connector backfill {NAME}"));
    // What the first comparison wants to read waits for a moment.
    for _ in 0..6 {
        story.pass(10);
        story.rest();
    }
    story
}

/// What each line says, with the document's host for ours.
fn told(story: &Story, lines: &[&str]) -> String {
    let mut all = String::new();
    for line in lines {
        let run = story.run();
        story.rest();
        let said = run.at(story.app.clock.now()).im(line);
        write!(all, "$ im {line}\n{}", said.all()).unwrap();
    }
    all.replace(&story.url, "https://your-domain.com")
        .replace(&story.stand_in.base_url, PAGERDUTY_URL)
        .replace(" --insecure", "")
}

fn store(story: &Story, work: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static) {
    story.there.block_on(story.app.db.write(work)).unwrap();
}

/// The document has one line for the API; of its rights each has one here. Its "Webhook URL" is a comment there.
#[test]
fn i025_i026_i027_i028_i029_i030_i031_i075_the_webhook_is_made_and_the_test_finds_all() {
    let story = documented(0);
    assert_snapshot!(told(
        &story,
        &[
            "connector webhook prod-pagerduty --enable --insecure",
            "connector webhook prod-pagerduty --test",
            "connector test prod-pagerduty",
        ]
    ));
}

#[test]
fn i057_i060_i077_i091_list_status_mappings_and_who_is_on_call() {
    let story = documented(45);
    let table =
        json!({"api": "PAPI001", "database": "PDAT001", "web": "PWEB001", "default": "PGEN001"});
    story.done(&format!(
        "connector config {NAME} --escalation-policy none --set 'custom.service_mappings={table}'"
    ));
    story.done("connector webhook prod-pagerduty --enable --insecure");
    story.rest();
    story.done("connector sync prod-pagerduty");
    story.rest();
    story.pass(2 * 60);
    assert_snapshot!(told(
        &story,
        &[
            "connector list",
            "connector status prod-pagerduty",
            "connector list-mappings prod-pagerduty",
            "oncall --service api",
        ]
    ));
}

/// The clock stands, so the answer takes no time; the document's took 45 ms.
#[test]
fn i098_i099_i100_i101_i102_i103_i104_health_in_seven_lines_and_by_its_exit_code() {
    let story = documented(0);
    story.done("connector webhook prod-pagerduty --enable --insecure");
    story.done("connector webhook prod-pagerduty --test");
    story.rest();
    story.pass(90);
    story.done("connector sync prod-pagerduty");
    story.rest();
    story.pass(28);
    let line = "connector health prod-pagerduty";
    let mut all = told(&story, &[line]);
    let found = story.changed_there("GET", "/webhook_subscriptions", &json!(null));
    let id = found["webhook_subscriptions"][0]["id"].as_str().unwrap();
    let off = json!({"webhook_subscription": {"type": "webhook_subscription", "active": false}});
    story.changed_there("PUT", &format!("/webhook_subscriptions/{id}"), &off);
    all += &told(&story, &[line]);
    story.there(|sim, _| sim.revoke_key(KEY));
    all += &told(&story, &[line]);
    assert_snapshot!(all);
}

#[test]
fn i116_i117_i118_i119_i120_i121_the_figures_of_the_document_in_its_six_lines() {
    let story = documented(156);
    story.pass(60);
    story.rest();
    let now = story.app.clock.now();
    store(&story, move |tx| {
        let day = now - jiff::SignedDuration::from_hours(24);
        for (what, wanted) in [
            ("calls", 1_247),
            ("errors", 7),
            ("webhooks", 89),
            ("took_ms", 60 * 1_200),
            ("took_le_2000", 60),
        ] {
            let counted = tallies::since(tx, NAME, what, day)?;
            tallies::add(tx, NAME, what, wanted - counted, now)?;
        }
        tallies::peak(tx, NAME, "allowance_permille", 230, now)
    });
    assert_snapshot!(told(&story, &["metrics connector prod-pagerduty"]));
}
