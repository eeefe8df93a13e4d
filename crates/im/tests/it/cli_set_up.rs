//! Setting a connector up by questions, while PagerDuty says what can be chosen.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli_stories::Story;

/// A text of this story as an answer, which a person knows by heart.
fn known(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// Without what each run has of its own.
fn tidied(story: &Story, text: &str) -> String {
    let account = &story.stand_in.account;
    let email = &account.users[1].2;
    text.replace(account.api_key.split_at(16).1, "WXYZ")
        .replace(account.read_only_key.split_at(16).1, "WXYZ")
        .replace(email, "bram@example.com")
        .replace(&story.stand_in.base_url, "http://pagerduty")
}

#[test]
fn m015_m027_what_is_answered_is_looked_up_and_the_rest_is_chosen_from_lists() {
    let story = Story::new();
    let account = &story.stand_in.account;
    let base_url = known(&story.stand_in.base_url);
    let said = story
        .run()
        .answering(&[
            "y_NxrWrongWrongWrong",
            base_url,
            known(&format!("  {} ", account.api_key)),
            base_url,
            "Database",
            "nobody@example.com",
            known(&account.users[1].2),
            "Platform first line",
            "bidirectional",
        ])
        .im("connector add pagerduty prod");
    assert_snapshot!(tidied(&story, &said.all()));
    assert!(!said.all().contains(&account.api_key));
    let config = story.done("connector config prod --json");
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["custom"]["service_id"], account.services[2].0);
    assert_eq!(config["custom"]["from_email"], account.users[1].2);
    assert_eq!(
        config["custom"]["escalation_policy_id"],
        account.policies[1].0
    );
    assert_eq!(config["sync_direction"], "bidirectional");
    assert!(story.done("connector test prod").contains("accessible"));
}

#[test]
fn m026_with_a_read_only_key_there_is_no_choice_of_direction() {
    let story = Story::new();
    let account = &story.stand_in.account;
    let said = story
        .run()
        .answering(&[
            known(&account.read_only_key),
            known(&story.stand_in.base_url),
            "Search",
            known(&account.users[1].2),
            "The service's own",
        ])
        .im("connector add pagerduty prod --since none");
    assert_snapshot!(tidied(&story, &said.all()));
    let config = story.done("connector config prod --json");
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["custom"]["escalation_policy_id"], json!(null));
    assert_eq!(config["sync_direction"], "inbound");
}

#[test]
fn m015_the_owner_of_a_key_is_told_with_the_base_role_and_offered_to_act_with() {
    let story = Story::new();
    let account = &story.stand_in.account;
    let said = story
        .run()
        .answering(&[
            known(&account.user_key),
            known(&story.stand_in.base_url),
            "Search",
            "",
            "The service's own",
            "outbound",
        ])
        .im("connector add pagerduty prod");
    assert_eq!(said.code, 0, "{}", said.all());
    let owner = format!(
        "A key of {} (base role Manager): it may read and write",
        account.users[0].1
    );
    assert!(said.err.contains(&owner), "{}", said.err);
    let config = story.done("connector config prod --json");
    assert!(config.contains(&account.users[0].2), "{config}");
}
