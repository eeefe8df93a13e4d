//! What changes about a connector, as its timeline tells it.

use std::sync::Arc;

use im::watch::Watch;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli_stories::Story;

/// A server looks, so often.
fn looks(story: &Story, watch: &mut Watch, times: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for _ in 0..times {
        story.pass(60);
        runtime.block_on(watch.look()).unwrap();
    }
}

/// A connector with a webhook, and a server that has looked at it.
fn watched() -> (Story, Watch) {
    let story = Story::connected(&json!({}));
    story.done("config set public_url http://im.example.com");
    story.done("connector webhook prod --enable --insecure");
    story.im("connector sync prod");
    let mut watch = Watch::new(Arc::clone(&story.app));
    looks(&story, &mut watch, 3);
    (story, watch)
}

fn subscription(story: &Story) -> String {
    let found = story.changed_there("GET", "/webhook_subscriptions", &Value::Null);
    let id = &found["webhook_subscriptions"][0]["id"];
    format!("/webhook_subscriptions/{}", id.as_str().unwrap())
}

#[test]
fn s02_a_webhook_that_was_given_up_and_is_switched_on_again_is_told_where_it_was_asked_for_and_kept()
 {
    let (story, mut watch) = watched();
    story.there(|sim, now| {
        let id = sim.subscriptions()[0].id.clone();
        assert!(sim.disable_subscription(&id, now));
    });
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let on_again = "the webhook subscription, which PagerDuty had given up, was switched on again";
    let said = words(&story.im("connector sync prod").all());
    assert!(said.contains(on_again), "{said}");
    looks(&story, &mut watch, 5);
    let said = words(&story.im("connector sync prod").all());
    assert!(!said.contains("switched on again"), "{said}");
    let kept = words(&story.done("connector timeline prod"));
    let line = "the webhook of connector prod is unchanged (was given up by PagerDuty): it was switched on again";
    assert_eq!(kept.matches(line).count(), 1, "{kept}");
    assert_eq!(kept.matches("the webhook of").count(), 1, "{kept}");
}

#[test]
fn m039_i129_an_edit_of_the_webhook_is_told_once_and_so_is_its_repair() {
    let (story, mut watch) = watched();
    let said = story.im("connector timeline prod").all();
    assert!(said.contains("Nothing has changed about it"), "{said}");
    let less = json!({"webhook_subscription": {"events": ["incident.triggered"]}});
    story.changed_there("PUT", &subscription(&story), &less);
    story.im("connector sync prod");
    looks(&story, &mut watch, 5);
    story.done("connector webhook prod --enable --insecure");
    story.im("connector sync prod");
    looks(&story, &mut watch, 5);
    assert_snapshot!(story.done("connector timeline prod"));
}
