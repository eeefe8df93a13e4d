//! What a command says about PagerDuty is what was owed to it and what it answered.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::json;

use crate::cli_stories::Story;

const DECLARE: &str = "declare --sev SEV-2 --title 'Checkout is slow' --service db";

/// Declares, then runs each line; returns what each said.
fn told(story: &Story, lines: &[&str]) -> String {
    let mut all = String::new();
    for line in lines {
        let said = story.im(line);
        write!(all, "$ im {line}\n{}", said.all()).unwrap();
    }
    all.replace(&story.stand_in.base_url, "http://pagerduty")
}

#[test]
fn each_act_says_what_pagerduty_answered() {
    let story = Story::connected(&json!({}));
    assert_snapshot!(told(
        &story,
        &[
            DECLARE,
            "ack 1 --note 'Looking'",
            "ack 1",
            "note 1 'The replicas lag'",
            "edit 1 --sev SEV-4 --title 'Checkout is slower'",
            "edit 1 --sev SEV-3",
            "edit 1 --description 'More about it'",
            "edit 1 --service unheard",
            "edit 1 --service db",
            "resolve 1 --note 'Fixed'",
            "reopen 1",
            "close 1",
            "reopen 1",
            "delete 1 --yes",
        ]
    ));
}

#[test]
fn what_a_switch_keeps_here_is_not_told_as_done_there() {
    let story = Story::connected(&json!({"custom": {"sync_notes": false, "auto_resolve": false}}));
    assert_snapshot!(told(
        &story,
        &[
            DECLARE,
            "note 1 'Kept here'",
            "ack 1 --note 'Kept here, too'",
            "resolve 1",
        ]
    ));
    assert_eq!(
        story.newest_there(),
        Some(("acknowledged".to_owned(), Vec::new()))
    );
    story.done("connector config prod --set custom.sync_notes=true");
    assert_snapshot!(told(&story, &[DECLARE, "resolve 2"]));
    let (status, notes) = story.newest_there().unwrap();
    assert_eq!(status, "triggered");
    assert!(notes[0].contains("not resolved in PagerDuty"), "{notes:?}");
}

#[test]
fn an_act_of_a_linked_incident_whose_connector_does_not_send_is_told_as_kept_here() {
    let story = Story::connected(&json!({}));
    let mut all = told(&story, &[DECLARE]);
    story.done("connector config prod --direction inbound");
    all += &told(&story, &["note 1 'Kept here'", "ack 1", DECLARE]);
    story.done("connector config prod --direction none");
    all += &told(
        &story,
        &[
            "note 1 'Kept here'",
            DECLARE,
            "show 3",
            "list",
            "connector outbox list prod",
        ],
    );
    story.done("connector remove prod --yes");
    all += &told(
        &story,
        &[
            "note 1 'Kept here'",
            "resolve 3",
            "show 3",
            "show 1",
            "list",
            DECLARE,
        ],
    );
    assert_snapshot!(all);
    let (_, notes) = story.newest_there().unwrap();
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn a_declaration_that_pages_nobody_says_so() {
    let story = Story::new();
    assert_snapshot!(told(&story, &[DECLARE, "ack 1"]));
}

/// Both sides with a connector whose key somebody revoked since.
fn with_revoked_key() -> Story {
    let story = Story::connected(&json!({}));
    let key = &story.stand_in.account.api_key;
    story.there(|sim, _| sim.revoke_key(key));
    story
}

#[test]
fn a_refused_key_is_named_where_a_declaration_waits_for_it() {
    let story = with_revoked_key();
    assert_snapshot!(told(&story, &[DECLARE, "list"]));
    // Whether the repair or the declaration meets the refusal first, and is counted, is chance.
    let outbox = told(&story, &["connector outbox list prod"]);
    assert!(
        outbox.contains("Authentication failed (HTTP 401,"),
        "{outbox}"
    );
    let status = told(&story, &["connector status prod"]);
    assert!(status.contains("Status: Auth failed: "), "{status}");
    assert!(
        status.contains("hint: `im connector update prod`"),
        "{status}"
    );
    let key = &story.stand_in.account.user_key;
    story.done(&format!("connector update prod --api-key {key}"));
}

#[test]
fn what_was_over_before_pagerduty_heard_of_it_is_told_as_that() {
    let story = with_revoked_key();
    // The key is known to be wrong by now: nothing that follows is tried.
    assert_ne!(story.im("connector sync prod").code, 0);
    story.done(DECLARE);
    assert_snapshot!(told(
        &story,
        &[
            DECLARE,
            "connector outbox list prod",
            "resolve 2",
            "show 2",
            "list"
        ]
    ));
}

#[test]
fn what_only_goes_out_is_not_told_as_known() {
    let story = Story::connected(&json!({"sync_direction": "outbound"}));
    let mut all = told(&story, &[DECLARE]);
    story
        .there(|sim, now| {
            let id = sim.incidents().next().unwrap().id;
            let user = story.stand_in.account.users[3].0.clone();
            sim.resolve(&user, &id, now)
        })
        .unwrap();
    story.done("connector sync prod");
    all += &told(&story, &["show 1", "ack 1", "ack 1"]);
    assert_snapshot!(all);
}

#[test]
fn of_several_connectors_the_one_that_is_meant_is_used_and_named() {
    let story = Story::connected(&json!({"sync_direction": "outbound"}));
    story.add_other(&json!({"sync_direction": "outbound",
        "custom": {"service_mappings": {"db": null, "web": "PAAAAAA"}}}));
    assert_snapshot!(told(
        &story,
        &[
            "declare --sev SEV-3 --title 'Nobody knows whose'",
            "declare --sev SEV-3 --title 'Nobody knows whose' --service unheard",
            DECLARE,
            "declare --sev SEV-3 --title 'Theirs' --connector other",
        ]
    ));
    // What only receives could not tell anybody.
    story.done("connector config other --direction inbound");
    let said = story.done("declare --sev SEV-3 --title 'Ours'");
    assert!(said.contains(" via prod. "), "{said}");
}

/// A person at PagerDuty changes the only webhook subscription, or takes it away.
fn change_webhook(story: &Story, method: &str, change: &serde_json::Value) {
    let key = format!("Token token={}", story.stand_in.account.api_key);
    story.there(|sim, now| {
        let path = format!("/webhook_subscriptions/{}", sim.subscriptions()[0].id);
        let request = pd_sim::Request::new(method, &path)
            .with_header("Authorization", &key)
            .with_header("Content-Type", "application/json")
            .with_json(&json!({"webhook_subscription": change}));
        let answer = sim.handle(&request, now).response;
        assert!(answer.status < 300, "{answer:?}");
    });
}

/// The same words on one line.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn g09_a_webhook_that_was_changed_in_pagerduty_is_said_and_made_anew() {
    let story = Story::connected(&json!({}));
    let status = |story: &Story| {
        story.im("connector sync prod");
        unwrapped(&story.done("connector status prod"))
    };
    story.done("config set public_url http://im.example.com");
    story.done("connector webhook prod --enable --insecure");
    let good = status(&story);
    assert!(!good.contains("Mode: "), "{good}");
    let service = story.stand_in.account.services[0].0.clone();
    let filter = json!({"filter": {"type": "service_reference", "id": service}});
    for (method, change, said) in [
        (
            "PUT",
            filter,
            format!("it listens to service {service}, not to the account"),
        ),
        (
            "PUT",
            json!({"active": false}),
            "the webhook subscription is switched off in PagerDuty".to_owned(),
        ),
        (
            "DELETE",
            serde_json::Value::Null,
            "the webhook subscription was deleted in PagerDuty".to_owned(),
        ),
    ] {
        change_webhook(&story, method, &change);
        let bad = status(&story);
        assert!(bad.contains(&said), "{bad}");
        assert_eq!(
            bad.contains("Mode: repair only"),
            !said.contains("listens to"),
            "{bad}"
        );
        let shown = unwrapped(&story.done("connector webhook prod"));
        assert!(
            shown.contains("Changed: ") && shown.contains(&said),
            "{shown}"
        );
        let doctor = unwrapped(&story.im("doctor").all());
        assert!(doctor.contains(&said), "{doctor}");
        let next = "`im connector webhook prod --enable` makes it anew";
        assert!(doctor.contains(next), "{doctor}");
        story.done("connector webhook prod --enable --insecure");
        let mended = status(&story);
        assert!(!mended.contains("in PagerDuty"), "{mended}");
        assert!(!mended.contains("Mode: "), "{mended}");
        assert_eq!(story.there(|sim, _| sim.subscription_count()), 1);
    }
}

#[test]
fn g10_a_revoked_key_leaves_live_only_and_what_is_lost_is_said() {
    let story = Story::connected(&json!({}));
    story.done("config set public_url http://im.example.com");
    story.done("connector webhook prod --enable --insecure");
    let key = &story.stand_in.account.api_key;
    story.there(|sim, _| sim.revoke_key(key));
    assert_ne!(story.im("connector sync prod").code, 0);
    let status = unwrapped(&story.done("connector status prod"));
    assert!(status.contains("Mode: live only, no repair"), "{status}");
    let lost = "Repair: none without a key that PagerDuty takes next: what webhooks miss is not \
                found, a subscription that is switched off stays off, whom PagerDuty paged is not \
                known, changes made here wait";
    let doctor = story.im("connector doctor prod");
    assert_eq!(doctor.code, 1);
    let (doctor, general) = (
        unwrapped(&doctor.all()),
        unwrapped(&story.im("doctor").all()),
    );
    assert!(doctor.contains(lost), "{doctor}");
    assert!(general.contains(lost), "{general}");
    // Without a webhook nothing arrives at all.
    story.done("connector config prod --set enable_webhook=false");
    let status = unwrapped(&story.done("connector status prod"));
    assert!(status.contains("Mode: nothing arrives"), "{status}");
    let other = &story.stand_in.account.user_key;
    story.done(&format!("connector update prod --api-key {other}"));
    let doctor = unwrapped(&story.im("doctor").all());
    assert!(!doctor.contains("Repair: none"), "{doctor}");
}

#[test]
fn g08_a_wrong_routing_key_is_told_in_pagerdutys_words() {
    let story = Story::connected(&json!({}));
    story.done("config set public_url http://im.example.com");
    story.done("connector webhook prod --enable --insecure");
    let key = "0123456789abcdef0123456789abcdef";
    let line = format!("connector test prod --routing-key {key} --wait 1s");
    assert_snapshot!(story.im(&line).all(), @r"
    ✗ PagerDuty took the event (which proves nothing yet)
      cause: PagerDuty refused it: HTTP 400 Invalid routing key
      next:  compare it with Services → the service → Integrations in PagerDuty
    - skipped: Its webhook tells of an incident: not tried
    - skipped: Resolved again by an event, and its webhook tells so: not tried
    --- exit code 1
    ");
}

/// PagerDuty's numbers and addresses are given in the order in which calls happen to arrive.
fn without_numbers(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('#') {
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        masked.push_str(before);
        masked.push_str(if rest.len() < after.len() { "#N" } else { "#" });
    }
    masked.push_str(rest);
    let words = masked.split_inclusive(char::is_whitespace);
    words
        .map(|word| match word.split_once("/_sim/incidents/") {
            Some((before, id)) => {
                let space = id.trim_start_matches(|c: char| !c.is_whitespace());
                format!("{before}/_sim/incidents/Q{space}")
            }
            None => word.to_owned(),
        })
        .collect()
}

#[test]
fn s67_each_service_is_told_for_itself_and_what_is_refused_is_sent_again() {
    let story = Story::new();
    let web = story.stand_in.account.services[1].0.clone();
    let services = json!({"web": web, "payments": "PNOPE01"});
    story.add("prod", &json!({"custom": {"service_mappings": services}}));
    let declared = told(
        &story,
        &[
            "declare --sev SEV-1 --title 'Checkout is down' --service db,payments --service web",
            "show 1",
            "list",
            "ack 1",
            "edit 1 --service db",
        ],
    );
    assert_snapshot!(without_numbers(&declared));
    assert_eq!(story.there(|sim, _| sim.incidents().count()), 2);
    let outbox = story.done("connector outbox list prod --json");
    let outbox: serde_json::Value = serde_json::from_str(&outbox).unwrap();
    assert_eq!(outbox[0]["incident"], "INC-1.2");
    // New settings are reason enough to send it again.
    story.done("connector config prod --set custom.service_mappings.payments=null");
    let after = told(
        &story,
        &[
            "note 1 'All have it'",
            "resolve 1",
            "list --service payments",
        ],
    );
    assert_snapshot!(without_numbers(&after));
    let there = |status: &str| {
        let count =
            |sim: &mut pd_sim::Sim| sim.incidents().filter(|row| row.status == status).count();
        story.there(|sim, _| count(sim))
    };
    assert_eq!((there("resolved"), there("triggered")), (3, 0));
}

#[test]
fn s67_the_api_tells_each_pagerduty_incident_of_several_services() {
    let story = Story::connected(&json!({}));
    story.done("declare --sev SEV-1 --title 'Checkout is down' --service db,other --wait 30s");
    let shown = story.done("show 1 --json");
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert!(shown["pagerduty"].is_null(), "{shown}");
    let parts = shown["parts"].as_array().unwrap();
    let names: Vec<&str> = parts
        .iter()
        .filter_map(|part| part["service"].as_str())
        .collect();
    assert_eq!(names, ["db", "other"]);
    for (index, part) in parts.iter().enumerate() {
        assert_eq!(part["id"], format!("INC-1.{}", index + 1));
        assert_eq!(part["status"], "open");
        let twin = &part["pagerduty"];
        assert_eq!(
            (&twin["status"], &twin["in_sync"]),
            (&json!("triggered"), &json!(true))
        );
        assert!(twin["number"].is_i64() && twin["url"].is_string(), "{twin}");
    }
    let listed = story.done("list --json");
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0], shown);
    let lines = story.done("timeline 1 --json");
    let lines: serde_json::Value = serde_json::from_str(&lines).unwrap();
    let about: Vec<&serde_json::Value> = lines
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["kind"] == "linked")
        .map(|line| &line["service"])
        .collect();
    assert_eq!(about, ["db", "other"]);
    // A part has no page, no row and no name of its own for people.
    for part in ["INC-1.1", "1099511627777"] {
        assert_ne!(story.im(&format!("show {part}")).code, 0, "{part}");
    }
    let doctor = story.done("doctor");
    assert!(
        doctor.contains("agrees with its facts (1 incidents)"),
        "{doctor}"
    );
    let config = story.done("connector config prod");
    assert!(
        config.contains("resolve_rule") && config.contains("all"),
        "{config}"
    );
    story.done("connector config prod --resolve-rule any");
    let config = story.done("connector config prod --json");
    assert!(config.contains(r#""resolve_rule":"any""#), "{config}");
}
