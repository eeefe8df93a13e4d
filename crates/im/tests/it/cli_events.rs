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

fn subscription(story: &Story) -> String {
    let found = story.changed_there("GET", "/webhook_subscriptions", &Value::Null);
    let id = &found["webhook_subscriptions"][0]["id"];
    format!("/webhook_subscriptions/{}", id.as_str().unwrap())
}

#[test]
fn m039_i129_an_edit_of_the_webhook_is_told_once_and_so_is_its_repair() {
    let story = Story::connected(&json!({}));
    story.done("config set public_url http://im.example.com");
    story.done("connector webhook prod --enable --insecure");
    story.im("connector sync prod");
    let mut watch = Watch::new(Arc::clone(&story.app));
    looks(&story, &mut watch, 3);
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
