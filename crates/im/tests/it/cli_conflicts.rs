//! Fields that both sides changed, as people see and decide them.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::json;

use crate::cli_stories::Story;

/// Runs each line; returns what each said, with another name for the stand-in's address.
fn told(story: &Story, lines: &[&str]) -> String {
    let mut all = String::new();
    for line in lines {
        let said = story.im(line);
        write!(all, "$ im {line}\n{}", said.all()).unwrap();
    }
    all.replace(&story.stand_in.base_url, "https://stand-in.example")
}

/// An incident that both sides renamed.
fn renamed_twice(story: &Story) {
    story.done("declare --sev SEV-2 --title Slow --service web");
    let user = story.stand_in.account.users[2].0.clone();
    let twin = story.there(|sim, _| {
        let newest = sim.incidents().max_by_key(|one| one.number).unwrap();
        newest.id.clone()
    });
    // No comparison is under way that could hear of it.
    story.pass(60);
    story.done("connector sync prod");
    story.there(|sim, now| sim.rename(&user, &twin, "Slow payments", now).unwrap());
    story.pass(60);
}

fn title_there(story: &Story) -> String {
    story.there(|sim, _| {
        let newest = sim.incidents().max_by_key(|one| one.number).unwrap();
        newest.title.clone()
    })
}

#[test]
fn a_conflict_waits_for_a_review_is_shown_and_decided() {
    let story = Story::connected(&json!({"custom": {"conflict_strategy": "manual-review"}}));
    renamed_twice(&story);
    assert_snapshot!(told(
        &story,
        &[
            "edit INC-1 --title 'Slow checkout'",
            "connector status prod",
            "show INC-1",
            "connector conflicts list prod",
            "connector conflicts list prod --status resolved",
            "connector conflicts list prod --incident INC-9",
            "connector conflicts show prod 1",
            "connector conflicts show prod 9",
            "connector conflicts resolve prod 1 --keep platform",
            "connector conflicts resolve prod 1 --keep external",
            "integration conflicts list prod",
            "integration conflicts show prod 1",
            "show INC-1",
        ]
    ));
    assert_eq!(title_there(&story), "Slow checkout");
}

#[test]
fn a_field_gets_another_owner_and_the_documented_one_back() {
    let story = Story::connected(&json!({}));
    assert_snapshot!(told(
        &story,
        &[
            "connector ownership list prod",
            "connector ownership set prod title --owner external",
            "integration field-ownership set prod assigned_to --priority 0",
            "connector ownership set prod status --owner external",
            "connector ownership set prod title --priority 101",
            "connector ownership set prod colour --owner external",
            "integration field-ownership list prod",
            "integration field-ownership delete prod assigned_to",
            "connector config prod --conflict-strategy last-write-wins",
            "connector config prod --set custom.conflict_strategy=dice",
            "integration sync-status prod",
        ]
    ));
    story.done("connector config prod --conflict-strategy ownership-priority");
    renamed_twice(&story);
    let said = story.im("edit INC-1 --title 'Slow checkout'").all();
    assert!(said.contains("PagerDuty had moved on"), "{said}");
    assert_eq!(title_there(&story), "Slow payments", "PagerDuty owns it");
    let shown = story.done("connector conflicts show prod 1");
    assert!(
        shown.contains("resolved, external counts: external owns title"),
        "{shown}"
    );
}
