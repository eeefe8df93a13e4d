//! The lines of a timeline, where several reports could make one.

use im_core::{Line, Story, fold};

use crate::given::{clock, facts, story};

fn texts(story: &Story) -> Vec<String> {
    let line = |line: &Line| format!("{} {}", clock(line.at), line.text());
    story.lines.iter().map(line).collect()
}

fn last(text: &str) -> Line {
    story(text).lines.pop().unwrap()
}

#[test]
fn what_is_said_of_pagerdutys_incident_at_its_first_instant_is_told() {
    let told = story(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:00 command severity_changed by Ann | SEV-1
        09:05 command service_changed by Ann | api
    ",
    );
    assert_eq!(
        texts(&told),
        [
            "09:00 Triggered: db down",
            "09:00 Severity set to SEV-1 by Ann",
            "09:05 Moved to service api by Ann"
        ]
    );
}

#[test]
fn a_reopen_that_the_log_leaves_out_is_about_nobody_and_says_nothing() {
    let told = story(
        "
        09:00 log triggered by service web | db down
        09:05 log resolved by Bob
        09:10 log delegated by Cleo to Ann | Database | why
    ",
    );
    let reopened = told.lines.get(2).unwrap();
    assert_eq!(reopened.text(), "Reopened by Cleo");
    assert!(reopened.people.is_empty());
    assert_eq!((&reopened.value, &reopened.detail), (&None, &None));
}

#[test]
fn a_note_is_told_whole_whoever_cut_it() {
    let whole = "word ".repeat(80).trim().to_owned();
    let (cut, _) = whole.split_at(210);
    let told = |log: &str, webhook: &str| {
        last(&format!(
            "09:00 webhook triggered | db down\n09:01 log noted by Ann | {log}\n09:01 webhook noted by Ann | {webhook}"
        ))
    };
    assert_eq!(told(&whole, cut).note(), Some(whole.as_str()));
    assert_eq!(told(cut, &whole).note(), Some(whole.as_str()));
    // The log is the authority on everything else.
    let same = told("looking | PN1", "looking | PN2");
    assert_eq!(same.detail.as_deref(), Some("PN1"));
}

#[test]
fn the_log_of_a_delegation_names_no_policy_but_its_webhook_does() {
    let text = "
        09:00 webhook triggered | db down
        09:05 log delegated by Bob to Ann
        09:05 webhook delegated by Bob to Ann | Database
    ";
    assert_eq!(
        last(text).text(),
        "Moved to policy Database, assigned to Ann by Bob"
    );
    // What the log says, it says.
    let mut told = facts(text);
    let log = told.get_mut(1).unwrap();
    log.detail = Some("by the log".to_owned());
    let line = fold(&told, None).unwrap().lines.pop().unwrap();
    assert_eq!(
        (line.value, line.detail.as_deref()),
        (None, Some("by the log"))
    );
}

#[test]
fn an_escalation_leaves_whoever_had_it_last() {
    let escalated = "
        09:00 webhook triggered showing status=triggered | db down
        09:05 webhook assigned by Bob to Ann
        09:06 webhook assigned by Bob
        09:10 webhook escalated to Cleo
    ";
    assert_eq!(last(escalated).text(), "Escalated from Ann to Cleo");
    let shown = "
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:05 webhook acknowledged by Ann showing status=acknowledged;assignees=
        09:10 webhook escalated to Cleo showing status=triggered;assignees=Cleo
    ";
    assert_eq!(last(shown).text(), "Escalated from Ann to Cleo");
}

#[test]
fn a_title_that_stays_is_no_rename_and_ours_is_told_once() {
    let told = story(
        "
        09:00 webhook triggered showing status=triggered;title=db_down | db down
        09:01 read seen showing title=db_down;read=09:01
        09:05 command#x titled by Ann | disk full
        09:05:01 answer titled for x showing title=disk_full | disk full
        09:06 read seen showing title=disk_full;read=09:06
    ",
    );
    assert_eq!(
        texts(&told),
        [
            "09:00 Triggered: db down",
            "09:05:01 Renamed to “disk full” by Ann"
        ]
    );
}

#[test]
fn two_reports_are_of_one_act_up_to_two_seconds_apart() {
    let acts = |log: &str, webhook: &str| {
        story(&format!(
            "
            09:00 webhook triggered | db down
            {log} log noted by Ann | looking
            {webhook} webhook noted by Ann | looking
            {log} log acknowledged by Ann
        "
        ))
        .lines
        .iter()
        .filter(|line| line.note().is_some())
        .count()
    };
    for (log, webhook, count) in [
        ("09:01:02", "09:01:00", 1),
        ("09:01:00", "09:01:02", 1),
        ("09:01:02.001", "09:01:00", 2),
        ("09:01:00", "09:01:02.001", 2),
    ] {
        assert_eq!(acts(log, webhook), count, "{log} {webhook}");
    }
}
