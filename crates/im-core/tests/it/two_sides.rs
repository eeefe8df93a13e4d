//! Hard scenarios between the two sides, told as timelines. Where a function's name begins with an
//! id, it is the scenario's.

use im_core::{Direction, Mapping, PeerStatus, Status};
use insta::assert_snapshot;

use crate::given::{at, both_ways, facts, story, tell, tell_with};

#[test]
fn s55_the_echo_of_our_own_call_is_not_a_second_act() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:01:00.100 command#a acknowledged by Ann
        09:01 answer acknowledged by Bot for a showing status=acknowledged
        09:01:00.412 webhook acknowledged by Bot showing status=acknowledged
        09:01 log acknowledged by Bot
    "), @r"
    09:00 Triggered: db down
    09:01 Acknowledged by Ann
    = acknowledged, acknowledged 09:01, with Ann, PagerDuty acknowledged
    ");
}

#[test]
fn s56_a_person_in_the_same_second_is_not_our_echo() {
    for answer in ["acknowledged", "acknowledged by Bot"] {
        let told = story(&format!(
            "
            09:00 webhook triggered showing status=triggered | db down
            09:01:00.100 command#a acknowledged by Ann
            09:01 answer {answer} for a
            09:01:00.412 webhook acknowledged by Bot
            09:01:01.900 webhook acknowledged by Bob
            09:05 webhook resolved by Bot
        "
        ));
        let who: Vec<String> = told.lines.iter().map(im_core::Line::text).collect();
        assert_eq!(
            who,
            [
                "Triggered: db down",
                "Acknowledged by Ann",
                "Acknowledged by Bob",
                "Resolved by Bot"
            ]
        );
    }
}

#[test]
fn s57_a_note_comes_back_once_by_answer_or_by_mark() {
    let born = "09:00 webhook triggered showing status=triggered | db down\n09:01 command#n noted by Ann | looking";
    let expect = tell(&format!(
        "{born}\n09:01:01 answer noted for n | looking | PN1"
    ));
    assert_snapshot!(expect, @r"
    09:00 Triggered: db down
    09:01:01 Note by Ann: looking
    = open, PagerDuty triggered
    ");
    for echo in [
        "09:01:01 answer noted for n | looking | PN1\n09:01:00.900 webhook noted by Bot | looking | PN1",
        "09:01:01.200 webhook noted by Bot for n | looking | PN1",
        "09:01:01 log noted by Bot for n | looking | PN1",
        "09:01:01 answer noted for n | looking | PN1\n09:01:01 webhook noted by Bot for n | looking | PN1\n09:01:01 log noted by Bot | looking",
    ] {
        let told = story(&format!("{born}\n{echo}"));
        assert_eq!(told.lines.len(), 2, "{echo}: {:#?}", told.lines);
        assert!(told.pending.is_empty(), "{echo}");
    }
}

#[test]
fn s57_a_trimmed_note_is_the_same_note() {
    let long = "word ".repeat(80);
    let (cut, _) = long.split_at(210);
    let told = story(&format!(
        "09:00 webhook triggered | db down\n09:01 log noted by Ann | {long}\n09:01 webhook noted by Ann | {cut}"
    ));
    assert_eq!(told.lines.len(), 2);
}

#[test]
fn s58_resolve_beats_acknowledge_whichever_side_it_comes_from() {
    let born = "09:00 webhook triggered showing status=triggered | db down";
    assert_snapshot!(tell(&format!("{born}
        09:01:00.200 command#r resolved by Ann
        09:01:00.500 webhook acknowledged by Bob
    ")), @r"
    09:00 Triggered: db down
    09:01:00.2 Resolved by Ann
    09:01:00.5 Acknowledged by Bob
    = resolved, over 09:01:00.2 by Ann, with Bob, PagerDuty acknowledged
    owed: resolve (r)
    ");
    assert_snapshot!(tell(&format!("{born}
        09:01:00.500 command#a acknowledged by Ann
        09:01:00.200 webhook resolved by Bob
    ")), @r"
    09:00 Triggered: db down
    09:01:00.2 Resolved by Bob
    09:01:00.5 Acknowledged by Ann
    = resolved, over 09:01:00.2 by Bob, PagerDuty resolved
    moot: a
    ");
}

#[test]
fn s58_a_later_reopen_beats_a_resolve() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:01:00 command#r resolved by Ann
        09:01:01 webhook resolved by Bob
        09:01:05 webhook reopened by Bob
    "), @r"
    09:00 Triggered: db down
    09:01 Resolved by Ann
    09:01:01 Resolved by Bob
    09:01:05 Reopened by Bob
    = open, PagerDuty triggered
    moot: r
    ");
}

#[test]
fn s59_a_resolve_of_what_pagerduty_resolved_reached_its_goal() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05:00 command#r resolved by Ann
        09:04:59 webhook resolved by Bob
        09:05:02 answer settled for r | overtaken
    "), @r"
    09:00 Triggered: db down
    09:04:59 Resolved by Bob
    09:05 Resolved by Ann
    09:05:02 Not sent to PagerDuty: PagerDuty had moved on
    = resolved, over 09:04:59 by Bob, PagerDuty resolved
    ");
}

#[test]
fn s60_an_acknowledgement_that_comes_after_the_resolve_is_moot() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05:02 command#a acknowledged by Ann
        09:05:00 webhook resolved by Bob
    "), @r"
    09:00 Triggered: db down
    09:05 Resolved by Bob
    09:05:02 Acknowledged by Ann
    = resolved, over 09:05 by Bob, PagerDuty resolved
    moot: a
    ");
}

#[test]
fn s69_what_goes_out_and_comes_back_changes_no_severity() {
    assert_snapshot!(tell("
        09:00 command#t triggered by Ann | db down
        09:00 command#s severity_changed by Ann | SEV-1
        09:00:01 answer triggered for t showing status=triggered;urgency=high;title=db_down
        09:00:01 answer settled for s | carried
        09:00:01.200 webhook triggered by Bot showing status=triggered;urgency=high;title=db_down | db down
        09:10 read seen showing status=triggered;urgency=low;title=db_down;read=09:10
    "), @r"
    09:00:01.2 Declared by Ann: db down
    09:00:01.2 PagerDuty incident created (#7)
    = open, SEV-1 Explicit, PagerDuty triggered
    ");
}

#[test]
fn s70_an_echo_never_lowers_what_is_closed_canceled_or_a_duplicate() {
    for (step, expect) in [
        ("closed", "closed"),
        ("canceled", "canceled"),
        ("duplicate", "duplicate of INC-2"),
    ] {
        let before = if step == "closed" {
            "09:05 command#r resolved by Ann"
        } else {
            ""
        };
        let told = tell(&format!(
            "
            09:00 webhook triggered showing status=triggered | db down
            {before}
            09:05 command#x {step} by Ann | INC-2
            09:05:01 answer resolved for x showing status=resolved
            09:05:01.300 webhook resolved by Bot showing status=resolved
            09:05:01 log resolved by Bot
        "
        ));
        let now = told
            .lines()
            .find(|line| line.starts_with('='))
            .unwrap()
            .to_owned();
        assert!(
            now.starts_with(&format!("= {}", expect.replace(" of", ", of"))),
            "{told}"
        );
    }
}

#[test]
fn a_resolved_incident_that_becomes_a_duplicate_was_over_when_it_was_resolved() {
    let told = story(
        "
        09:00 command triggered by Ann | db down
        09:05 command resolved by Ann
        09:30 command duplicate by Bob | INC-2
    ",
    );
    assert_eq!(
        (told.resolved_at, told.resolved_by.as_deref()),
        (Some(at("09:05")), Some("Ann"))
    );
}

#[test]
fn a_reopen_here_of_what_pagerduty_never_resolved_leaves_it_with_whoever_has_it() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#r resolved by Ann
        09:06 webhook acknowledged by Bob
        09:07 command#o reopened by Ann
    "), @r"
    09:00 Triggered: db down
    09:05 Resolved by Ann
    09:06 Acknowledged by Bob
    09:07 Reopened by Ann
    = acknowledged, acknowledged 09:06, with Bob, PagerDuty acknowledged
    moot: r, o
    ");
}

#[test]
fn what_ended_before_pagerduty_heard_of_it_pages_nobody_and_a_reopen_makes_it_known() {
    let ended = "
        09:00 command#t triggered by Ann | db down
        09:01 command#r resolved by Ann
    ";
    assert_snapshot!(tell(ended), @r"
    09:00 Declared by Ann: db down
    09:01 Resolved by Ann
    = resolved, over 09:01 by Ann
    moot: t, r
    ");
    assert_snapshot!(tell(&format!("{ended}
        09:01 answer settled for t | carried
        09:01 answer settled for r | carried
        09:05 command#o reopened by Ann
        09:06 command#a acknowledged by Ann
    ")), @r"
    09:00 Declared by Ann: db down
    09:01 Resolved by Ann
    09:05 Reopened by Ann
    09:06 Acknowledged by Ann
    = acknowledged, acknowledged 09:06, with Ann
    owed: create (o)
    owed: acknowledge (a)
    ");
    assert_snapshot!(tell(&format!("{ended}
        09:01 answer settled for t | carried
        09:01 answer settled for r | carried
        09:05 command#n noted by Ann | it was the disk
        09:06 command#x titled by Ann | disk full
    ")), @r"
    09:00 Declared by Ann: db down
    09:01 Resolved by Ann
    09:05 Note by Ann: it was the disk
    09:06 Renamed to “disk full” by Ann
    = resolved, over 09:01 by Ann
    moot: n, x
    ");
}

#[test]
fn s29_an_answer_within_minutes_dates_the_act_and_a_late_one_does_not() {
    let told = |answered: &str| {
        story(&format!(
            "
            09:00 webhook triggered showing status=triggered | db down
            09:05 command#a acknowledged by Ann
            {answered} answer acknowledged for a
        "
        ))
        .acknowledged_at
    };
    assert_eq!(told("09:05:02"), Some(at("09:05:02")));
    assert_eq!(told("11:00"), Some(at("09:05")), "PagerDuty was away");
}

#[test]
fn s29_commands_that_one_call_carries_keep_their_order() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:00:30 webhook resolved by Bob
        09:05 command#o reopened by Ann
        09:06 command#a acknowledged by Ann
        09:20 answer acknowledged for o showing status=acknowledged
        09:20 answer acknowledged for a showing status=acknowledged
        09:20:00.300 webhook reopened by Bot
        09:20:00.310 webhook acknowledged by Bot
    "), @r"
    09:00 Triggered: db down
    09:00:30 Resolved by Bob
    09:05 Reopened by Ann
    09:06 Acknowledged by Ann
    09:20:00.3 Reopened by Bot
    = acknowledged, acknowledged 09:06, with Ann, PagerDuty acknowledged
    ");
}

#[test]
fn what_was_given_up_stays_here_and_pagerduty_keeps_its_own() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#a acknowledged by Ann
        12:00 answer settled for a | expired
    "), @r"
    09:00 Triggered: db down
    09:05 Acknowledged by Ann
    12:00 Not sent to PagerDuty: it was too old when PagerDuty came back
    = acknowledged, acknowledged 09:05, with Ann, PagerDuty triggered
    ");
}

#[test]
fn a_resolve_stays_here_where_it_does_not_cross() {
    let mapping = Mapping {
        auto_resolve: false,
        ..both_ways()
    };
    let resolved = "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#r resolved by Ann
    ";
    assert_snapshot!(tell_with(resolved, &mapping), @r"
    09:00 Triggered: db down
    09:05 Resolved by Ann
    = resolved, over 09:05 by Ann, PagerDuty triggered
    owed: note (r)
    ");
    assert_snapshot!(tell_with(&format!("{resolved}\n09:05:01 answer noted for r | said"), &mapping), @r"
    09:00 Triggered: db down
    09:05:01 Resolved by Ann
    = resolved, over 09:05:01 by Ann, PagerDuty triggered
    ");
    // Later resolves cross: nothing is undone here, and this one goes.
    assert_snapshot!(tell(&format!("{resolved}\n09:05:01 answer noted for r | said")), @r"
    09:00 Triggered: db down
    09:05:01 Resolved by Ann
    = resolved, over 09:05:01 by Ann, PagerDuty triggered
    owed: resolve (r)
    ");
}

#[test]
fn what_was_heard_stays_whatever_the_direction_is_now() {
    let declared = "
        09:00 command#t triggered by Ann | db down
        09:00:01 answer triggered for t
        09:00:01 look seen showing status=triggered;title=db_down
    ";
    let heard = "
        09:10 read seen showing status=resolved;title=disk_full;read=09:10
        09:10 read resolved by Bob
    ";
    let told = |text: &str, direction| {
        let story = im_core::fold(&facts(text), Some(&Mapping::new(direction, "PWEB"))).unwrap();
        let peer = story.peer.unwrap();
        (story.status, story.title, peer.status, peer.title.unwrap())
    };
    for direction in [
        Direction::Bidirectional,
        Direction::Inbound,
        Direction::None,
        Direction::Outbound,
    ] {
        let all = format!("{declared}{heard}");
        assert_eq!(
            told(&all, direction),
            (
                Status::Resolved,
                "disk full".to_owned(),
                PeerStatus::Resolved,
                "disk full".to_owned()
            )
        );
        // The same, seen while nothing was to come from there.
        let all = format!("{declared}{}", heard.replace("read ", "look "));
        assert_eq!(
            told(&all, direction),
            (
                Status::Open,
                "db down".to_owned(),
                PeerStatus::Resolved,
                "disk full".to_owned()
            )
        );
    }
}

#[test]
fn what_the_settings_kept_here_is_not_undone_and_is_owed_when_it_may_cross() {
    let receiving = Mapping::new(Direction::Inbound, "PWEB");
    let kept = "
        09:00 webhook triggered showing status=triggered;assignees=Bob | db down
        09:05 command#a acknowledged by Ann
        09:05 command#n noted by Ann | looking
    ";
    assert_snapshot!(tell_with(kept, &receiving), @r"
    09:00 Triggered: db down
    09:05 Acknowledged by Ann
    09:05 Note by Ann: looking
    = acknowledged, acknowledged 09:05, with Bob, PagerDuty triggered
    kept: a, n
    ");
    let settled = format!(
        "{kept}
        09:05 answer settled for a | kept
        09:05 answer settled for n | kept
    "
    );
    assert_snapshot!(tell_with(&settled, &receiving), @r"
    09:00 Triggered: db down
    09:05 Acknowledged by Ann
    09:05 Note by Ann: looking
    = acknowledged, acknowledged 09:05, with Bob, PagerDuty triggered
    ");
    assert_snapshot!(tell(&settled), @r"
    09:00 Triggered: db down
    09:05 Acknowledged by Ann
    09:05 Note by Ann: looking
    = acknowledged, acknowledged 09:05, with Bob, PagerDuty triggered
    owed: acknowledge (a)
    ");
    // Whoever acts now asks for it: what was kept before goes without saying.
    assert_snapshot!(tell(&format!("{settled}\n 12:00 command#r resolved by Cleo")), @r"
    09:00 Triggered: db down
    09:05 Acknowledged by Ann
    09:05 Note by Ann: looking
    12:00 Resolved by Cleo
    = resolved, acknowledged 09:05, over 12:00 by Cleo, with Bob, PagerDuty triggered
    owed: resolve (r)
    ");
    // What PagerDuty does afterwards counts.
    assert_snapshot!(tell(&format!("{settled}
        10:00 webhook acknowledged by Bob
        10:30 webhook unacknowledged by Bob
    ")), @r"
    09:00 Triggered: db down
    09:05 Acknowledged by Ann
    09:05 Note by Ann: looking
    10:00 Acknowledged by Bob
    10:30 Acknowledgement withdrawn by Bob
    = open, acknowledged 09:05, with Bob, PagerDuty triggered
    ");
}

#[test]
fn a_rename_here_stands_until_pagerduty_shows_a_newer_one() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered;title=db_down | db down
        09:05 command#x titled by Ann | disk full
    "), @r"
    09:00 Triggered: db down
    09:05 Renamed to “disk full” by Ann
    = open, PagerDuty triggered
    owed: rename (x)
    ");
    let answered = "
        09:00 webhook triggered showing status=triggered;title=db_down | db down
        09:05 command#x titled by Ann | disk full
        09:05:01 answer titled for x showing status=triggered;title=disk_full | disk full
    ";
    assert_eq!(story(answered).title, "disk full");
    assert_snapshot!(tell(&format!("{answered}\n09:10 read seen showing title=disk_of_db1_full;read=09:10")), @r"
    09:00 Triggered: db down
    09:05:01 Renamed to “disk full” by Ann
    09:10 Renamed to “disk of db1 full”
    = open, PagerDuty triggered
    ");
}

#[test]
fn a_rename_here_stands_against_a_webhook_of_the_same_second_that_does_not_know_it() {
    // Somebody resolved it while our call was on its way; REST tells seconds, webhooks more.
    let crossed = "
        09:00 webhook triggered showing status=triggered;title=db_down | db down
        09:05 command#x titled by Ann | disk full
        09:05:00.178 webhook resolved by Bob showing status=resolved;title=db_down
        09:05 answer titled for x showing status=resolved;title=disk_full;read=09:05:00.010 | disk full
    ";
    assert_eq!(story(crossed).title, "disk full");
    assert_snapshot!(tell(crossed), @r"
    09:00 Triggered: db down
    09:05 Renamed to “disk full” by Ann
    09:05:00.178 Resolved by Bob
    = resolved, over 09:05:00.178 by Bob, PagerDuty resolved
    ");
    // A title that nobody had before is somebody's.
    let renamed = story("
        09:00 webhook triggered showing status=triggered;title=db_down | db down
        09:05 command#x titled by Ann | disk full
        09:05 answer titled for x showing status=triggered;title=disk_full;read=09:05:00.010 | disk full
        09:05:00.900 webhook resolved by Bob showing status=resolved;title=all_well
    ");
    assert_eq!(renamed.title, "all well");
    // Ours was no rename: both were somebody's, and the later one stands.
    let twice = story("
        09:00 webhook triggered showing status=triggered;title=db_down | db down
        09:05 command#a acknowledged by Ann
        09:05 answer acknowledged for a showing status=acknowledged;title=disk_full;read=09:05:00.010
        09:05:00.900 webhook noted by Bob showing status=acknowledged;title=db_down | it was not the disk
    ");
    assert_eq!(twice.title, "db down");
}

#[test]
fn s31_what_we_write_second_is_newer_than_the_news_of_what_we_wrote_first() {
    // Both calls were answered within one second, and our clock is a minute behind.
    let told = story(
        "
        09:00 webhook triggered showing title=db_down | db down
        09:08 command#a resolved by Ann
        09:08:30 command#b titled by Ann | db was down
        09:10 webhook#c resolved by Bot showing status=resolved;title=db_down;version=09:10:00.400
        09:10 answer#9 resolved by Bot for a showing status=resolved;title=db_down;read=09:09:00.100;answered=09:10
        09:10 answer#10 titled for b showing status=resolved;title=db_was_down;read=09:09:00.300;answered=09:10
    ",
    );
    assert_eq!(told.title, "db was down");
}

#[test]
fn whom_it_was_given_to_is_owed_after_the_reopen_that_goes_first() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:05 webhook resolved by Ann showing status=resolved;assignees=
        09:10 command#r reopened by Bob
        09:11 command#s assigned by Bob to Cleo
    "), @r"
    09:00 Triggered: db down
    09:05 Resolved by Ann
    09:10 Reopened by Bob
    09:11 Assigned to Cleo by Bob
    = open, with Cleo, PagerDuty resolved
    owed: reopen (r)
    owed: assign (s)
    ");
}

#[test]
fn an_assignment_that_was_given_up_gives_it_to_nobody() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:10 command#s assigned by Bob to Cleo
        09:11 command#r resolved by Bob
        09:11 answer settled for s | overtaken
        09:12 command#o reopened by Bob
        09:12 answer settled for r | overtaken
        09:12 answer settled for o | carried
    "), @r"
    09:00 Triggered: db down
    09:10 Assigned to Cleo by Bob
    09:11 Resolved by Bob
    09:11 Not sent to PagerDuty: PagerDuty had moved on
    09:12 Reopened by Bob
    09:12 Not sent to PagerDuty: PagerDuty had moved on
    = open, with Ann, PagerDuty triggered
    ");
}

#[test]
fn the_last_assignment_given_is_the_one_that_shows() {
    let told = story(
        "
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:05:00.000 command#1 assigned by Ann to Bob
        09:05:00.100 command#2 assigned by Ann to Cleo
        09:05:01 answer assigned for 1 to Bob showing status=triggered;assignees=Bob
    ",
    );
    assert_eq!(told.assignees.first().unwrap().label(), "Cleo");
    assert_eq!(told.pending.len(), 1);
}

#[test]
fn while_ours_is_on_its_way_those_have_it_whom_we_gave_it_to() {
    // Whose assignment counts in the end is decided when PagerDuty's is heard of.
    let both = "
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:05 command#g assigned by Ann to Cleo
        09:06 webhook assigned by Bob to Bob showing status=triggered;assignees=Bob
    ";
    let told = tell(both);
    assert!(told.contains("with Cleo"), "{told}");
    assert!(told.ends_with("owed: assign (g)"), "{told}");
    // One that was given up since is none.
    let given_up = "
        09:07 command#h assigned by Ann to Dora
        12:00 answer settled for h | discarded
    ";
    let told = tell(&format!("{both}{given_up}"));
    assert!(told.contains("with Cleo"), "{told}");
}

#[test]
fn an_older_assignment_whose_answer_was_lost_is_not_sent_after_a_newer_one() {
    // The first may be at PagerDuty; whichever is, the second went there after it.
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:05 command#1 assigned by Ann to Bob
        09:05 webhook assigned by Ann to Bob showing status=triggered;assignees=Bob
        09:06 command#2 assigned by Ann to Cleo
        09:07 answer assigned for 2 to Cleo showing status=triggered;assignees=Cleo
    "), @r"
    09:00 Triggered: db down
    09:05 Assigned to Bob by Ann
    09:05 Assigned to Bob by Ann
    09:07 Assigned to Cleo by Ann
    = open, with Cleo, PagerDuty triggered
    moot: 1
    ");
}

#[test]
fn s74_what_was_deleted_is_resolved_there_and_late_reports_do_not_raise_it() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:04 command#g assigned by Ann to Bob
        09:05 command#d deleted by Ann
        09:05:30 webhook acknowledged by Bob
    "), @r"
    09:00 Triggered: db down
    09:04 Assigned to Bob by Ann
    09:05 Deleted here by Ann
    09:05:30 Acknowledged by Bob
    = acknowledged, deleted, acknowledged 09:05:30, with Bob, PagerDuty acknowledged
    owed: resolve (d)
    moot: g
    ");
}

#[test]
fn our_commands_are_told_in_the_order_in_which_they_were_given() {
    // PagerDuty tells the creation by the millisecond and answers the rest by the second.
    assert_snapshot!(tell("
        09:00:09.300 command#a triggered by Ann | db down
        09:00:09.500 command#b acknowledged by Ann
        09:00:09.500 command#c noted by Ann | on it
        09:00:09 answer triggered for a showing status=triggered
        09:00:09.416 webhook triggered
        09:00:09 answer acknowledged for b showing status=acknowledged
        09:00:09 answer noted for c | on it
    "), @r"
    09:00:09.416 Declared by Ann: db down
    09:00:09.416 PagerDuty incident created (#7)
    09:00:09.416 Acknowledged by Ann
    09:00:09.416 Note by Ann: on it
    = acknowledged, acknowledged 09:00:09.416, with Ann, PagerDuty acknowledged
    ");
    // The word of the close reaches PagerDuty after the reopening.
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05:20.100 command#a resolved by Ann
        09:05:20.100 command#b closed by Ann
        09:05:20.100 command#c noted by Ann | Closed
        09:05:20.600 command#d reopened by Ann
        09:05:20 answer resolved for a showing status=resolved
        09:05:20.250 webhook resolved
        09:05:20 answer reopened for d showing status=triggered
        09:05:21 answer noted for c | Closed
    "), @r"
    09:00 Triggered: db down
    09:05:20.25 Resolved by Ann
    09:05:20.25 Closed by Ann
    09:05:20.25 Note by Ann: Closed
    09:05:20.25 Reopened by Ann
    = open, PagerDuty triggered
    moot: b
    ");
    // What was seen comes first.
    assert_snapshot!(tell("
        09:00:09.416 webhook triggered showing status=triggered | db down
        09:00:09.800 command#a acknowledged by Ann
        09:00:09 answer acknowledged for a showing status=acknowledged
    "), @r"
    09:00:09.416 Triggered: db down
    09:00:09.416001 Acknowledged by Ann
    = acknowledged, acknowledged 09:00:09.416001, with Ann, PagerDuty acknowledged
    ");
}
