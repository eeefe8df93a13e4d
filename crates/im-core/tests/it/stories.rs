//! Hard scenarios of order, repetition and the life cycle, told as timelines. Where a function's
//! name begins with an id, it is the scenario's.

use im_core::Status;
use insta::assert_snapshot;

use crate::given::{at, clock, story, tell};

#[test]
fn s19_a_resolve_that_arrives_after_the_reopen_does_not_win() {
    assert_snapshot!(tell("
        09:00 webhook triggered by service web | db down
        09:05 webhook reopened by Bob
        09:06 webhook acknowledged by Bob
        09:03 webhook resolved by Ann showing status=resolved;version=09:03
    "), @r"
    09:00 Triggered by web: db down
    09:03 Resolved by Ann
    09:05 Reopened by Bob
    09:06 Acknowledged by Bob
    = acknowledged, acknowledged 09:06, with Bob, PagerDuty acknowledged
    ");
}

#[test]
fn s20_a_read_begun_before_a_webhook_does_not_undo_it() {
    let told = story(
        "
        09:00 webhook triggered showing title=db_down;assignees=Ann | db down
        09:10:00.600 webhook assigned by Ann to Bob showing title=db_down;assignees=Bob
        09:10:00 read seen showing title=db_down;assignees=Ann;read=09:10:00.300
    ",
    );
    assert_eq!(told.assignees.first().unwrap().label(), "Bob");
    let told = story(
        "
        09:00 webhook triggered showing title=db_down;assignees=Ann | db down
        09:10:00.600 webhook assigned by Ann to Bob showing title=db_down;assignees=Bob
        09:10:00 read seen showing title=db_is_down;assignees=Cleo;read=09:10:00.900
    ",
    );
    assert_eq!(told.assignees.first().unwrap().label(), "Cleo");
    assert_eq!(told.title, "db is down");
}

#[test]
fn s31_a_read_counts_by_pagerdutys_clock_where_its_answer_told_it() {
    // Our clock is a minute behind: the read was made after all that happened in that second.
    let told = story(
        "
        09:10:00.600 webhook triggered showing title=db_down | db down
        09:10:00 read seen showing title=db_is_down;read=09:09:02;answered=09:10:02
    ",
    );
    assert_eq!(told.title, "db is down");
    // It is a minute ahead: the read was made at the beginning of the second.
    let told = story(
        "
        09:10:01.600 webhook triggered showing title=db_down | db down
        09:10:01 read seen showing title=db_is_down;read=09:11:01;answered=09:10:00
    ",
    );
    assert_eq!(told.title, "db down");
}

#[test]
fn s21_a_bulk_resolve_and_its_merge_have_one_order() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:00 log assigned by service web to Ann
        09:05 log#b resolved by Bob
        09:05 log#a acknowledged by Bob
        09:05 log#c noted by Bob | all of these
    "), @r"
    09:00 Triggered by web: db down
    09:00 Assigned to Ann by web
    09:05 Acknowledged by Bob
    09:05 Resolved by Bob
    09:05 Note by Bob: all of these
    = resolved, acknowledged 09:05, over 09:05 by Bob, with Ann
    ");
}

#[test]
fn s21_what_needs_an_open_incident_goes_after_the_reopen_of_its_second() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:05 log resolved by Bob
        09:10 log assigned by service web to Ann
        09:10 log acknowledged by Ann
        09:10 log reopened by Bob
        09:20 log reopened by Bob
        09:20 log resolved by Bob
        09:20 log noted by Bob | and back
    "), @r"
    09:00 Triggered by web: db down
    09:05 Resolved by Bob
    09:10 Reopened by Bob
    09:10 Assigned to Ann by web
    09:10 Acknowledged by Ann
    09:20 Resolved by Bob
    09:20 Reopened by Bob
    09:20 Note by Bob: and back
    = open, acknowledged 09:10, with Ann
    ");
}

/// The state after a resolve and a reopen of one second, of which a webhook told one.
#[test]
fn s21_of_a_resolve_and_a_reopen_of_one_second_the_state_before_tells_which_came_first() {
    let cases = [
        ("reopened", "resolved", Status::Open),
        ("resolved", "reopened", Status::Open),
    ];
    for (told, logged, state) in cases {
        let open = format!(
            "
            09:00 webhook triggered by service web | db down
            09:05:00.600 webhook {told} by Bob
            09:05:00 log {logged} by Ann
        "
        );
        assert_eq!(story(&open).status, state, "{told} was told");
        let over = open.replace(
            "09:05:00.600",
            "09:03 webhook resolved by Ann
            09:05:00.600",
        );
        assert_eq!(story(&over).status, Status::Resolved, "{told} was told");
    }
    // Once webhooks told both, they say it themselves.
    assert_eq!(
        story(
            "
            09:00 webhook triggered by service web | db down
            09:05:00.600 webhook reopened by Bob
            09:05:00.300 webhook resolved by Ann
            09:05:00 log resolved by Ann
        "
        )
        .status,
        Status::Open
    );
}

#[test]
fn s23_what_was_missed_began_when_pagerduty_says() {
    assert_snapshot!(tell("
        09:30 webhook noted by Bob | looking
        09:31 read acknowledged showing status=acknowledged;created=09:00;title=db_down;urgency=low
    "), @r"
    09:30 Note by Bob: looking
    09:31 Acknowledged
    = acknowledged, acknowledged 09:31, SEV-3 Inferred, PagerDuty acknowledged
    ");
    let told = story("09:31 read seen showing created=09:00;title=db_down");
    assert_eq!(
        (told.created_at, told.title.as_str()),
        (at("09:00"), "db down")
    );
}

#[test]
fn s28_log_entries_of_known_webhooks_add_nothing() {
    let webhooks = "
        09:00:00.100 webhook triggered | db down
        09:01:00.900 webhook acknowledged by Ann
        09:02:00.500 webhook escalated to Bob
        09:03:00.700 webhook resolved by Bob
    ";
    let log = "
        09:00 log triggered by service web | db down
        09:01 log acknowledged by Ann
        09:02:01 log escalated by service web to Bob
        09:03 log resolved by Bob
    ";
    assert_snapshot!(tell(&format!("{webhooks}{log}")), @r"
    09:00 Triggered by web: db down
    09:01 Acknowledged by Ann
    09:02:01 Escalated to Bob by web
    09:03 Resolved by Bob
    = resolved, acknowledged 09:01, over 09:03 by Bob, with Bob
    ");
    assert_eq!(tell(&format!("{webhooks}{log}")), tell(log));
}

#[test]
fn s28_two_acts_of_one_second_stay_two() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:01 log#1 acknowledged by Ann
        09:01 log#2 acknowledged by Ann
        09:02 webhook#1 acknowledged by Bob
        09:02:01 webhook#2 acknowledged by Bob
        09:02:01 webhook#3 acknowledged by Cleo
    "), @r"
    09:00 Triggered by web: db down
    09:01 Acknowledged by Ann
    09:01 Acknowledged by Ann
    09:02 Acknowledged by Bob
    09:02:01 Acknowledged by Bob
    09:02:01 Acknowledged by Cleo
    = acknowledged, acknowledged 09:01, with Ann
    ");
}

#[test]
fn s31_a_clock_that_is_90_s_behind_loses_no_command() {
    // Ours says 09:00:30 when PagerDuty's says 09:02:00.
    let seen = "
        09:00 webhook triggered showing status=triggered | db down
        09:02 webhook resolved by Bob
    ";
    let given = story(seen).command_at(at("09:00:31"));
    assert_eq!(
        given.to_string(),
        "2026-03-10T09:02:00.000001Z",
        "after what the person saw"
    );
    assert_snapshot!(tell(&format!("{seen}\n 09:02:00.000001 command#re reopened by Ann")), @r"
    09:00 Triggered: db down
    09:02 Resolved by Bob
    09:02:00.000001 Reopened by Ann
    = open, PagerDuty resolved
    owed: reopen (re)
    ");
    // Far ahead is not skew but a wrong instant: it moves nothing.
    assert_eq!(story(seen).command_at(at("08:50")), at("08:50"));
    assert_eq!(story(seen).command_at(at("09:30")), at("09:30"));
}

#[test]
fn s31_a_close_stays_behind_the_resolve_that_pagerduty_dates_later() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05:00 command#r resolved by Ann
        09:06:30 answer resolved for r
        09:05:02 command#c closed by Ann
        09:05:03 answer settled for c | carried
    "), @r"
    09:00 Triggered: db down
    09:06:30 Resolved by Ann
    09:06:30 Closed by Ann
    = closed, over 09:06:30 by Ann, PagerDuty resolved
    ");
    // And with PagerDuty's clock behind ours.
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05:00 command#r resolved by Ann
        09:05:00 command#c closed by Ann
        09:05:01 answer settled for r | carried
        09:03:31 answer resolved for c
    "), @r"
    09:00 Triggered: db down
    09:03:31 Resolved by Ann
    09:03:31 Closed by Ann
    = closed, over 09:03:31 by Ann, PagerDuty resolved
    ");
}

#[test]
fn s32_an_acknowledgement_that_timed_out_is_over_and_the_first_one_counts() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:01 log acknowledged by Ann
        09:31 log unacknowledged by service web
        09:31:00.200 webhook unacknowledged
        09:40 log acknowledged by Bob
    "), @r"
    09:00 Triggered by web: db down
    09:01 Acknowledged by Ann
    09:31 Acknowledgement timed out
    09:40 Acknowledged by Bob
    = acknowledged, acknowledged 09:01, with Bob
    ");
}

#[test]
fn s32_a_time_out_does_not_undo_what_pagerduty_has_not_heard_of() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:01 webhook acknowledged by Bob
        09:30 command#a acknowledged by Ann
        09:31 webhook unacknowledged
    "), @r"
    09:00 Triggered: db down
    09:01 Acknowledged by Bob
    09:30 Acknowledged by Ann
    09:31 Acknowledgement timed out
    = acknowledged, acknowledged 09:01, with Bob, PagerDuty triggered
    owed: acknowledge (a)
    ");
}

#[test]
fn s33_resolved_reopened_and_resolved_again() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:05 log resolved by Ann
        09:06 log resolved by Bob
        09:10 log reopened by Bob
        09:10 log assigned by service web to Cleo
        09:20 log resolved by Cleo
    "), @r"
    09:00 Triggered by web: db down
    09:05 Resolved by Ann
    09:10 Reopened by Bob
    09:10 Assigned to Cleo by web
    09:20 Resolved by Cleo
    = resolved, over 09:20 by Cleo, with Cleo
    ");
    let reopened = story(
        "
        09:00 log triggered | db down
        09:05 log resolved by Ann
        09:10 log acknowledged by Bob
    ",
    );
    assert_eq!(reopened.resolved_at, None);
}

#[test]
fn s33_only_the_log_implies_a_reopen() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:05 log resolved by Ann
        09:10 log assigned by Bob to Cleo
        09:11 log acknowledged by Cleo
    "), @r"
    09:00 Triggered by web: db down
    09:05 Resolved by Ann
    09:10 Reopened by Bob
    09:10 Assigned to Cleo by Bob
    09:11 Acknowledged by Cleo
    = acknowledged, acknowledged 09:11, with Cleo
    ");
    assert_snapshot!(tell("
        09:00 webhook triggered by service web | db down
        09:05 webhook resolved by Ann
        09:10 webhook assigned by Bob to Cleo
        09:11 webhook acknowledged by Cleo
    "), @r"
    09:00 Triggered by web: db down
    09:05 Resolved by Ann
    09:10 Assigned to Cleo by Bob
    09:11 Acknowledged by Cleo
    = resolved, over 09:05 by Ann, with Cleo
    ");
}

#[test]
fn s34_a_merge_ends_its_source() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05 webhook resolved by Ann showing status=resolved;merged=PINC9 | merge | PINC9
        09:05 log resolved by Ann | merge | PINC9
    "), @r"
    09:00 Triggered: db down
    09:05 Merged into PagerDuty incident PINC9
    = resolved, over 09:05 by Ann, PagerDuty resolved
    ");
}

#[test]
fn s36_a_snooze_is_an_acknowledgement_that_ends() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:05 log acknowledged by Ann
        09:05 log snoozed by Ann | 13:05
        13:05 log unacknowledged by service web
    "), @r"
    09:00 Triggered by web: db down
    09:05 Acknowledged by Ann
    09:05 Snoozed until 13:05 by Ann
    13:05 Acknowledgement timed out
    = open, acknowledged 09:05, with Ann
    ");
}

#[test]
fn s38_a_resolve_is_no_acknowledgement() {
    let told = story(
        "
        09:00 log triggered by service web | db down
        09:05 log resolved by Ann
    ",
    );
    assert_eq!(told.acknowledged_at, None);
    assert_eq!(told.resolved_by.as_deref(), Some("Ann"));
}

#[test]
fn s39_s71_what_pagerduty_empties_on_resolve_is_kept() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:01 webhook acknowledged by Ann showing status=acknowledged;assignees=Ann
        09:05 webhook resolved by Ann showing status=resolved;assignees=
        09:06 read seen showing status=resolved;assignees=;read=09:06
    "), @r"
    09:00 Triggered: db down
    09:01 Acknowledged by Ann
    09:05 Resolved by Ann
    = resolved, acknowledged 09:01, over 09:05 by Ann, with Ann, PagerDuty resolved
    ");
}

#[test]
fn s37_a_timer_is_not_the_service_that_the_log_names_for_it() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        13:00 log resolved by service web | timer
    "), @r"
    09:00 Triggered by web: db down
    13:00 Resolved by PagerDuty's timer
    = resolved, over 13:00 by PagerDuty's timer
    ");
}

#[test]
fn s46_two_who_are_asked_at_once_are_two_and_named() {
    let webhooks = "
        09:00:00.100 webhook triggered | db down
        09:01:00.200 webhook responder by Ann to Bob | pending | Please join
        09:01:00.300 webhook responder by Ann to Cid | pending | Please join
        09:02:00.100 webhook responder by Bob to Bob | joined
    ";
    let log = "
        09:01 log responder by Ann to Bob | pending | Please join
        09:01 log responder by Ann to Cid | pending | Please join
    ";
    assert_snapshot!(tell(&format!("{webhooks}{log}")), @r"
    09:00:00.1 Triggered: db down
    09:01 Responder Bob: pending
    09:01 Responder Cid: pending
    09:02:00.1 Responder Bob: joined
    = open
    ");
}

#[test]
fn s71_who_takes_it_after_a_reopen_has_it() {
    let told = |more: &str| {
        let told = story(&format!(
            "
            09:00 webhook triggered | db down
            09:01 webhook acknowledged by Ann
            09:01:10 webhook acknowledged by Bob
            09:05 webhook resolved by Ann
            09:10 webhook reopened by Bob
            {more}
        "
        ));
        told.assignees.first().unwrap().label().to_owned()
    };
    assert_eq!(told(""), "Ann", "a resolve unassigns nobody");
    assert_eq!(told("09:11 webhook acknowledged by Bob"), "Bob");
    assert_eq!(told("09:10 webhook assigned by Bob to Cleo"), "Cleo");
}

#[test]
fn an_escalation_names_whom_it_left_where_that_is_known() {
    assert_snapshot!(tell("
        09:00:00.100 webhook triggered showing assignees=Ann | db down
        09:30:00.200 webhook escalated to Tomas showing assignees=Tomas
        10:00 log escalated by service web to Tomas
        10:30 log escalated by Bob to Ann,Bob
    "), @r"
    09:00:00.1 Triggered: db down
    09:30:00.2 Escalated from Ann to Tomas
    10:00 Escalated to Tomas by web
    10:30 Escalated from Tomas to Ann, Bob by Bob
    = open, with Ann+Bob, PagerDuty triggered
    ");
    let unknown = tell("09:30 log escalated by service web to Tomas");
    assert!(unknown.contains("Escalated to Tomas by web"), "{unknown}");
}

#[test]
fn who_took_it_is_told_as_long_as_it_holds() {
    let told = |text: &str| {
        let story = story(&format!(
            "09:00 log triggered by service web | db down\n{text}"
        ));
        let told = |done: Option<im_core::Done>| {
            done.map(|done| format!("{} by {}", clock(done.at), done.by.unwrap_or_default()))
        };
        (told(story.acknowledgement), told(story.mitigation))
    };
    let by = |who: &str| Some(who.to_owned());
    let taken = "09:01 log acknowledged by Ann\n 09:02 log acknowledged by Bob\n 09:03 command#m mitigated by Cleo\n 09:03 answer settled for m | carried";
    assert_eq!(told(taken), (by("09:01 by Ann"), by("09:03 by Cleo")));
    let over = format!("{taken}\n 09:05 log resolved by Bob");
    assert_eq!(told(&over), (by("09:01 by Ann"), by("09:03 by Cleo")));
    let reopened = format!("{over}\n 09:10 log reopened by Bob");
    assert_eq!(told(&reopened), (None, None));
    let again = format!("{reopened}\n 09:11 log acknowledged by Cleo");
    assert_eq!(told(&again), (by("09:11 by Cleo"), None));
    let released = format!("{taken}\n 09:05 log unacknowledged by Bob");
    assert_eq!(told(&released), (None, None));
}
