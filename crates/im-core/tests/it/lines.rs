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

#[test]
fn an_act_that_the_log_tells_as_another_is_another() {
    let count = |kind: &str, log: &str, webhook: &str| {
        story(&format!(
            "
            09:00 webhook triggered | db down
            09:01 log {kind} {log}
            09:01:00.500 webhook {kind} {webhook}
        "
        ))
        .lines
        .len()
            - 1
    };
    for (kind, log, webhook, acts) in [
        ("acknowledged", "by Ann", "by Ann", 1),
        ("acknowledged", "by Ann", "by Bob", 2),
        ("assigned", "by Ann to Bob", "by Ann to Bob", 1),
        ("assigned", "by Ann to Bob,Cleo", "by Ann to Cleo,Bob", 1),
        ("assigned", "by Ann to Bob", "by Ann to Cleo", 2),
        ("assigned", "by Ann to Bob", "by Ann to Bob,Cleo", 2),
        ("assigned", "by Ann to Bob,Cleo", "by Ann to Bob", 2),
        ("priority_changed", "by Ann | P1", "by Ann | P1", 1),
        ("priority_changed", "by Ann | P1", "by Ann", 1),
        ("priority_changed", "by Ann", "by Ann | P1", 1),
        ("priority_changed", "by Ann | P1", "by Ann | P2", 2),
        ("notified", "to Ann | push", "to Ann | push", 1),
        ("notified", "to Ann | push", "to Ann | sms", 2),
        ("notified", "to Ann | push", "to Bob | push", 2),
        ("snoozed", "by Ann | 10:00", "by Ann | 10:00", 1),
        ("snoozed", "by Ann | 10:00", "by Ann | 11:00", 2),
        (
            "fields_changed",
            "by Ann | 3 | zone",
            "by Ann | 3 | zone",
            1,
        ),
        (
            "fields_changed",
            "by Ann | 3 | zone",
            "by Ann | 4 | zone",
            2,
        ),
        (
            "fields_changed",
            "by Ann | 3 | zone",
            "by Ann | 3 | rack",
            2,
        ),
        ("noted", "by Ann | on it", "by Ann | on it", 1),
        ("noted", "by Ann | on it", "by Ann | on", 2),
        ("noted", "by Ann | on", "by Ann | on it", 2),
    ] {
        assert_eq!(
            count(kind, log, webhook),
            acts,
            "{kind} {log}, {kind} {webhook}"
        );
    }
}

#[test]
fn of_two_like_acts_the_nearest_is_the_echo_of_ours() {
    let told = story(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:01:01 command#a acknowledged by Ann
        09:01:02 answer acknowledged by Bot for a
        09:01:00.500 webhook#1 acknowledged by Bot
        09:01:02.100 webhook#2 acknowledged by Bot
    ",
    );
    assert_eq!(
        texts(&told),
        [
            "09:00 Triggered: db down",
            "09:01:00.5 Acknowledged by Bot",
            "09:01:02.1 Acknowledged by Ann"
        ]
    );
    // Somebody else is nobody's echo.
    let told = story(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:01 command#a acknowledged by Ann
        09:01 answer acknowledged by Bot for a
        09:01:00.300 webhook acknowledged by Bob
    ",
    );
    assert_eq!(told.lines.len(), 3);
}

#[test]
fn how_it_ended_is_said_and_what_was_said_of_the_end_is_its_note() {
    let end = |what: &str| {
        let line = last(&format!(
            "09:00 webhook triggered showing status=triggered;service=web | db down\n09:05 webhook resolved by Bob | {what}"
        ));
        (line.text(), line.note().map(str::to_owned))
    };
    assert_eq!(
        end(" | all good"),
        ("Resolved by Bob".to_owned(), Some("all good".to_owned()))
    );
    assert_eq!(
        end("timer").0,
        "Resolved by PagerDuty's timer",
        "the log names the service"
    );
    assert_eq!(
        end("gone | PWEB"),
        ("Ended: its PagerDuty service is gone".to_owned(), None)
    );
    assert_eq!(
        end("merge | PINC2"),
        ("Merged into PagerDuty incident PINC2".to_owned(), None)
    );
}

#[test]
fn each_word_of_pagerdutys_has_a_sentence() {
    for (what, sentence) in [
        ("priority_changed by Ann | P1", "Priority set to P1 by Ann"),
        ("priority_changed by Ann", "Priority set to none by Ann"),
        (
            "other by Ann | incident.odd",
            "PagerDuty reported incident.odd by Ann",
        ),
        (
            "other by Ann | incident.odd | twice",
            "PagerDuty reported incident.odd: twice by Ann",
        ),
        (
            "delegated by Bob to Ann",
            "Moved to another policy, assigned to Ann by Bob",
        ),
        (
            "delegated by Bob to Ann | Database",
            "Moved to policy Database, assigned to Ann by Bob",
        ),
        ("escalated to Ann", "Escalated to Ann"),
        ("escalated to Ann |  | 2", "Escalated to Ann (level 2)"),
        ("notified to Ann | push", "Ann paged by push message"),
        ("notified to Ann | phone", "Ann paged by phone call"),
        ("notified to Ann | sms", "Ann paged by text message"),
        ("notified to Ann | email", "Ann paged by e-mail"),
        ("notified to Ann", "Ann paged by an unknown channel"),
        ("notified to Ann | pager", "Ann paged by pager"),
        (
            "settled | ended",
            "Not sent to PagerDuty: it was over before PagerDuty heard of it",
        ),
        (
            "settled | discarded",
            "Not sent to PagerDuty: discarded by a person",
        ),
        ("settled | as told", "Not sent to PagerDuty: as told"),
        (
            "fields_changed by Ann | 3 | zone",
            "Field zone set to 3 by Ann",
        ),
        ("fields_changed by Ann", "Custom fields changed by Ann"),
        ("unacknowledged by service web", "Acknowledgement timed out"),
        ("unacknowledged by Ann", "Acknowledgement withdrawn by Ann"),
    ] {
        let line = last(&format!(
            "09:00 webhook triggered | db down\n09:05 webhook {what}"
        ));
        assert_eq!(line.text(), sentence, "{what}");
    }
}

#[test]
fn a_field_that_was_taken_away_is_told_as_that() {
    let mut told = facts(
        "
        09:00 webhook triggered | db down
        09:05 command fields_changed by Ann | 3 | zone
    ",
    );
    told.last_mut().unwrap().value = None;
    let line = fold(&told, None).unwrap().lines.pop().unwrap();
    assert_eq!(line.text(), "Field zone taken away by Ann");
}

#[test]
fn a_title_that_goes_back_to_the_declared_one_is_a_rename() {
    let told = story(
        "
        09:00 command#t triggered by Ann | db down
        09:00:01 answer triggered for t showing status=triggered;title=db_down
        09:05 read seen showing title=disk_full;read=09:05
        09:10 read seen showing title=db_down;read=09:10
    ",
    );
    assert_eq!(
        texts(&told).split_off(2),
        ["09:05 Renamed to “disk full”", "09:10 Renamed to “db down”"]
    );
}

#[test]
fn what_a_command_opened_again_is_not_told_as_the_command() {
    let told = story(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 webhook resolved by Bob
        09:05:01 command#a acknowledged by Ann
        09:05:02 answer acknowledged for a
    ",
    );
    let told: Vec<(String, Option<String>)> = told
        .lines
        .iter()
        .skip(2)
        .map(|line| (line.text(), line.command.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("Reopened by Ann".to_owned(), None),
            ("Acknowledged by Ann".to_owned(), Some("a".to_owned())),
        ]
    );
}
