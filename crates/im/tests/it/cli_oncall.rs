//! Who is on call, as somebody asks who is about to call them: row I-091 and case G06.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli_stories::Story;

/// What a command says, with the stand-in's ids as they are: they come from a fixed seed.
fn said(story: &Story, line: &str) -> String {
    format!("$ im {line}\n{}", story.im(line).all())
}

fn policy(name: &str, rules: &Value) -> Value {
    json!({"escalation_policy": {
        "type": "escalation_policy", "name": name, "num_loops": 0, "escalation_rules": rules,
    }})
}

/// A policy that stands on one target, and then on the first user.
fn add_policy(story: &Story, name: &str, id: &str, kind: &str) -> String {
    let last = &story.stand_in.account.users[0].0;
    let rules = json!([
        {"escalation_delay_in_minutes": 15, "targets": [{"id": id, "type": kind}]},
        {"escalation_delay_in_minutes": 30, "targets": [{"id": last, "type": "user_reference"}]},
    ]);
    let made = story.changed_there("POST", "/escalation_policies", &policy(name, &rules));
    made["escalation_policy"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn i091_a_service_is_told_with_who_has_it_who_is_next_and_each_step() {
    let story = Story::connected(&json!({}));
    assert_snapshot!(said(&story, "oncall --service db"));
    // A service of no table goes to the default service.
    assert_snapshot!(said(&story, "oncall --service unheard"));
}

#[test]
fn i091_turns_of_a_schedule_and_who_stands_in_are_told_in_the_readers_zone() {
    let story = Story::connected(&json!({}));
    let line = "oncall --policy 'Billing by turns'";
    assert_snapshot!(said(&story, line));
    // Dmitri stands in from 05:00 UTC on.
    let kolkata = story.run().zone("Asia/Kolkata").im(line).all();
    assert!(kolkata.contains(" +05:30)"), "{kolkata}");
    assert!(!kolkata.contains("+00:00"), "{kolkata}");
}

#[test]
fn i091_a_person_is_told_what_they_are_on_call_for() {
    let story = Story::connected(&json!({}));
    assert_snapshot!(said(
        &story,
        "oncall --user yuki.tanvir@lighthouse-works.example"
    ));
    assert_snapshot!(said(&story, "oncall --user 'Dmitri Adeyemi'"));
}

#[test]
fn i091_shifts_of_the_newer_schedules_are_told_too() {
    let story = Story::connected(&json!({}));
    let users: Vec<String> = (1..3)
        .map(|at| story.stand_in.account.users[at].0.clone())
        .collect();
    let schedule = json!({"schedule": {"name": "Follow the sun", "time_zone": "Etc/UTC"}});
    let made = story.changed_there("POST", "/v3/schedules", &schedule);
    let id = made["schedule"]["id"].as_str().unwrap();
    let made = story.changed_there("POST", &format!("/v3/schedules/{id}/rotations"), &json!({}));
    let rotation = made["rotation"]["id"].as_str().unwrap();
    let members: Vec<Value> = users
        .iter()
        .map(|user| json!({"type": "user_member", "user_id": user}))
        .collect();
    let zoned =
        |time: &str| json!({"date_time": format!("2026-11-20T{time}:00Z"), "time_zone": "Etc/UTC"});
    let event = json!({"event": {"name": "Days", "start_time": zoned("09:30"), "end_time": zoned("17:00"),
        "effective_since": "2026-11-20T09:20:00Z", "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
        "assignment_strategy": {"type": "rotating_member_assignment_strategy", "shifts_per_member": 1, "members": members}}});
    let events = format!("/v3/schedules/{id}/rotations/{rotation}/events");
    story.changed_there("POST", &events, &event);
    let policy = add_policy(&story, "By shifts", id, "schedule_v3_reference");
    // Before the first shift nobody has it, which is a finding.
    assert_snapshot!(said(&story, &format!("oncall --policy {policy}")));
    story.pass(20 * 60);
    assert_snapshot!(said(&story, &format!("oncall --policy {policy}")));
}

#[test]
fn g06_nobody_on_call_is_a_finding() {
    let story = Story::connected(&json!({}));
    let user = &story.stand_in.account.users[1].0;
    let nights = json!({"schedule": {"type": "schedule", "name": "Nights", "time_zone": "Etc/UTC",
        "schedule_layers": [{"name": "Nights", "start": "2026-11-01T00:00:00Z",
            "rotation_virtual_start": "2026-11-01T00:00:00Z", "rotation_turn_length_seconds": 604_800,
            "users": [{"user": {"id": user, "type": "user_reference"}}],
            "restrictions": [{"type": "daily_restriction", "start_time_of_day": "20:00:00", "duration_seconds": 36_000}]}]}});
    let made = story.changed_there("POST", "/schedules", &nights);
    let id = made["schedule"]["id"].as_str().unwrap();
    let policy = add_policy(&story, "Nights only", id, "schedule_reference");
    assert_snapshot!(said(&story, &format!("oncall --policy {policy}")));
}

#[test]
fn g06_what_cannot_be_asked_says_what_can() {
    let story = Story::connected(&json!({}));
    assert_snapshot!(said(&story, "oncall --policy nonsense"));
    assert_snapshot!(said(&story, "oncall --user nobody@example.com"));
    let none = Story::new();
    assert_snapshot!(said(&none, "oncall --service db"));
    story.add_other(&json!({"custom": {"service_mappings": {"db": null, "web": "PAAAAAA"}}}));
    assert_snapshot!(said(&story, "oncall --policy 'Shop first line'"));
    story.done("oncall --policy 'Shop first line' --connector other");
    story.done("oncall --service db");
}

#[test]
fn i091_a_service_goes_by_pagerdutys_name_too_and_is_not_taken_for_the_default() {
    let story = Story::connected(&json!({}));
    let of = |name: &str| story.im(&format!("oncall --service {name}")).all();
    // The one that is `db` here, by its name there.
    assert_eq!(of("database"), of("db"));
    // One that nothing here is mapped to: its own policy, and no word of the default service.
    let search = of("Search");
    assert!(search.contains("carla.nowak@"), "{search}");
    assert!(!search.contains("is in no table"), "{search}");
    assert!(of("unheard").contains("is in no table"));
}
