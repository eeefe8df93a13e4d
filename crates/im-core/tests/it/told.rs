//! Reports of one act, and of acts in one second: what people are told of them, and when.

use im_core::{Urgency, peer_of};
use insta::assert_snapshot;

use crate::given::{at, clock, facts, story, tell};

#[test]
fn the_log_names_a_trigger_by_the_title_of_today_and_the_webhook_by_that_of_then() {
    assert_snapshot!(tell("
        09:00:00.400 webhook triggered by service web showing status=triggered | db down
        09:00 log triggered by service web | disk full
    "), @r"
    09:00 Triggered by web: db down
    = open, PagerDuty triggered
    ");
}

#[test]
fn an_answer_to_a_command_that_is_not_here_tells_what_happened_there() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:01 answer acknowledged by Ann for lost showing status=acknowledged
    "), @r"
    09:00 Triggered: db down
    09:01 Acknowledged by Ann
    = acknowledged, acknowledged 09:01, with Ann, PagerDuty acknowledged
    ");
    // What was settled without a call changed nothing there.
    for settled in ["lost", "a"] {
        let told = story(&format!(
            "
            09:02 command#a acknowledged by Ann
            09:03 answer settled for {settled} | overtaken
            09:05 read seen showing status=triggered;read=09:05
        "
        ));
        let peer = told.peer.unwrap();
        assert_eq!(peer.status_at, Some(at("09:05")), "for {settled}");
    }
}

#[test]
fn what_a_read_shows_of_an_act_that_was_undone_since_is_no_second_line() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:01:00 webhook acknowledged by Ann
        09:01:00.500 webhook unacknowledged by Ann
        09:01:01 read acknowledged showing status=acknowledged;read=09:01:01
    "), @r"
    09:00 Triggered: db down
    09:01 Acknowledged by Ann
    09:01:00.5 Acknowledgement withdrawn by Ann
    = acknowledged, acknowledged 09:01, with Ann, PagerDuty acknowledged
    ");
}

#[test]
fn a_look_that_missed_a_resolve_and_its_reopen_is_no_withdrawal() {
    let looked = "
        09:00 webhook triggered showing status=triggered | db down
        09:01 webhook acknowledged by Ann
        09:05 read unacknowledged by Bob
    ";
    let told = tell(looked);
    assert!(
        told.contains("09:05 Acknowledgement withdrawn by Bob"),
        "{told}"
    );
    let logged = format!(
        "{looked}
        09:04 log resolved by Ann
        09:05 log reopened by Bob"
    );
    let told = tell(&logged);
    assert!(!told.contains("withdrawn"), "{told}");
    assert!(told.contains("09:05 Reopened by Bob"), "{told}");
    assert!(told.contains("= open"), "{told}");
}

#[test]
fn a_declaration_that_waited_here_began_when_it_was_made() {
    let began = |command: &str, answer: &str| {
        story(&format!(
            "
            09:00 command#d {command}
            09:00:30 {answer}
        "
        ))
        .lines
        .first()
        .map(|line| clock(line.at))
    };
    let sent = |at: &str| {
        let answer = format!("answer triggered for d | db down | 2026-03-10T09:00:{at}Z");
        began("triggered by Ann | db down", &answer).unwrap()
    };
    assert_eq!(sent("20"), "09:00");
    assert_eq!(sent("10.001"), "09:00");
    // It took a while at PagerDuty: then it began there.
    assert_eq!(sent("10"), "09:00:30");
    assert_eq!(sent("00"), "09:00:30");
    let late = "2026-03-10T09:00:20Z";
    for (command, answer) in [
        (
            "triggered by Ann | db down",
            "answer triggered for d | db down".to_owned(),
        ),
        (
            "triggered by Ann | db down",
            format!("log triggered for d | db down | {late}"),
        ),
        (
            "acknowledged by Ann",
            format!("answer acknowledged for d | x | {late}"),
        ),
    ] {
        assert_eq!(began(command, &answer).unwrap(), "09:00:30", "{answer}");
    }
}

#[test]
fn what_was_said_about_a_resolve_is_not_told_twice_and_dates_the_last_change() {
    let told = story(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#r resolved by Ann
        09:05:01 answer resolved by Bot for r
        09:05:02 answer noted by Bot for r | all good
        09:05:03.500 webhook noted by Bot | all good
    ",
    );
    let lines: Vec<String> = told.lines.iter().map(im_core::Line::text).collect();
    assert_eq!(lines, ["Triggered: db down", "Resolved by Ann"]);
    assert_eq!(told.updated_at, at("09:05:03.5"));
}

#[test]
fn pagerduty_never_saw_what_was_not_sent() {
    let told = story(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#a acknowledged by Ann
        12:00 answer settled for a | expired
    ",
    );
    let seen: Vec<(bool, bool)> = told
        .lines
        .iter()
        .map(|line| (line.seen.here, line.seen.peer))
        .collect();
    assert_eq!(seen, [(false, true), (true, false), (true, false)]);
}

/// A resolve and then a reopen, each answered by PagerDuty, dated there as given.
fn there_and_back(resolved: &str, reopened: &str) -> String {
    tell(&format!(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05:00.100 command#1 resolved by Ann
        09:05:00.200 command#2 reopened by Ann
        {resolved} answer resolved for 1
        {reopened} answer reopened for 2
    "
    ))
    .lines()
    .last()
    .unwrap()
    .to_owned()
}

#[test]
fn two_steps_that_pagerduty_dates_alike_happened_as_they_were_given() {
    let open = "= open, PagerDuty triggered";
    assert_eq!(there_and_back("09:05:01", "09:05:01"), open);
    assert_eq!(there_and_back("09:05:01.300", "09:05:01.300"), open);
    // The first is told by the millisecond and the second by the second.
    assert_eq!(there_and_back("09:05:01.300", "09:05:01"), open);
    // And so with three.
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:04 webhook resolved by Bob
        09:05:00.100 command#3 reopened by Ann
        09:05:00.200 command#2 resolved by Ann
        09:05:00.300 command#1 reopened by Ann
        09:05:01 answer reopened for 3
        09:05:01 answer resolved for 2
        09:05:01 answer reopened for 1
    "), @r"
    09:00 Triggered: db down
    09:04 Resolved by Bob
    09:05:01 Reopened by Ann
    09:05:01 Resolved by Ann
    09:05:01 Reopened by Ann
    = open, PagerDuty triggered
    ");
}

#[test]
fn pagerdutys_own_order_counts_where_it_tells_one() {
    for (resolved, reopened) in [("09:05:02", "09:05:01"), ("09:05:01.800", "09:05:01.300")] {
        let told = there_and_back(resolved, reopened);
        assert!(
            told.starts_with("= resolved"),
            "{resolved} {reopened}: {told}"
        );
    }
}

#[test]
fn our_act_is_told_after_what_was_seen_only_within_one_whole_second() {
    let acknowledged = |seen: &str, there: &str| {
        let told = story(&format!(
            "
            09:00:09{seen} webhook triggered showing status=triggered | db down
            09:00:09.800 command#a acknowledged by Ann
            09:00:09{there} answer acknowledged for a
        "
        ));
        clock(told.acknowledged_at.unwrap())
    };
    assert_eq!(acknowledged(".416", ""), "09:00:09.416001");
    assert_eq!(acknowledged("", ""), "09:00:09");
    assert_eq!(acknowledged(".416", ".300"), "09:00:09.3");
}

#[test]
fn an_end_by_a_merge_names_the_other_incident_and_nothing_else_is_told_of_it() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:02 webhook resolved by Bob showing status=resolved
        09:03 webhook reopened by Bob showing status=triggered
        09:04 webhook resolved by Ann showing status=resolved;merged=PINC2
        09:05 webhook noted by Ann showing status=resolved;merged=PINC2 | it was the same
        09:06 command resolved by Cleo
    "), @r"
    09:00 Triggered: db down
    09:02 Resolved by Bob
    09:03 Reopened by Bob
    09:04 Merged into PagerDuty incident PINC2
    09:05 Note by Ann: it was the same
    09:06 Resolved by Cleo
    = resolved, over 09:04 by Ann, PagerDuty resolved
    moot: command-5
    ");
}

#[test]
fn what_was_reopened_and_resolved_within_a_second_is_over() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:05 log resolved by Ann
        09:20 log resolved by Bob
        09:20 log reopened by Bob
    "), @r"
    09:00 Triggered by web: db down
    09:05 Resolved by Ann
    09:20 Reopened by Bob
    09:20 Resolved by Bob
    = resolved, over 09:20 by Bob
    ");
    let twice = tell(
        "
        09:00 log triggered by service web | db down
        09:05 log resolved by Ann
        09:20 log resolved by Bob
        09:20 log resolved by Cleo
        09:20 log reopened by Bob
        09:20 log reopened by Cleo
    ",
    );
    assert!(twice.ends_with("= resolved, over 09:20 by Cleo"), "{twice}");
}

/// The log dates PagerDuty's reopen before our resolve, which reached its goal without a call.
const REOPENED_SINCE: &str = "
    09:00 webhook triggered by service web showing status=triggered | db down
    09:05:00 log resolved by Bob
    09:05:00 log reopened by Bob
    09:05:00.500 command#r resolved by Ann
    09:05:02 answer settled for r | overtaken
";

#[test]
fn what_was_asked_for_after_a_reopen_is_played_on_an_open_incident() {
    for more in [
        "",
        "09:07 webhook noted by Bob | mine",
        "09:07 command#n noted by Ann | ours",
    ] {
        let told = tell(&format!(
            "{REOPENED_SINCE} 09:06 command#a acknowledged by Ann\n{more}"
        ));
        let now = "= acknowledged, acknowledged 09:06, with Ann, PagerDuty triggered";
        assert!(told.contains(now), "{more}: {told}");
    }
}

#[test]
fn pagerdutys_state_counts_whatever_else_is_on_its_way() {
    for more in ["", "09:06 command#x titled by Ann | disk full"] {
        let told = tell(&format!("{REOPENED_SINCE}{more}"));
        assert!(
            told.contains("= open, PagerDuty triggered"),
            "{more}: {told}"
        );
    }
}

#[test]
fn an_acknowledgement_of_what_is_over_gives_it_to_nobody() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:05 webhook resolved by Bob
        09:05:30 webhook acknowledged by Cleo
    "), @r"
    09:00 Triggered: db down
    09:05 Resolved by Bob
    09:05:30 Acknowledged by Cleo
    = resolved, over 09:05 by Bob, PagerDuty resolved
    ");
}

#[test]
fn who_declared_it_is_not_who_acts_on_it() {
    let there = story(
        "
        09:00 webhook triggered by service web showing status=triggered | db down
        09:01 command acknowledged by Ann
    ",
    );
    assert!(!there.born_here);
    assert_eq!(there.declared_by.label(), Some("web"));
    let here = story(
        "
        09:00 command#t triggered by Ann | db down
        09:00:01 answer triggered by Bot for t showing status=triggered
        09:01 webhook acknowledged by Bob
    ",
    );
    assert!(here.born_here);
    assert_eq!(here.declared_by.label(), Some("Ann"));
}

#[test]
fn it_changed_when_anything_was_told_of_it_but_not_when_its_service_went_long_after() {
    let over = "
        09:00 webhook triggered showing status=triggered;service=web | db down
        09:05 webhook resolved by Ann
        09:06 webhook resolved by Bob
    ";
    assert_eq!(story(over).updated_at, at("09:06"));
    let gone = format!("{over}\n12:00 webhook resolved | gone | PWEB");
    assert_eq!(story(&gone).updated_at, at("09:06"));
    let open = "
        09:00 webhook triggered showing status=triggered;service=web | db down
        12:00 webhook resolved | gone | PWEB
    ";
    assert_eq!(story(open).updated_at, at("12:00"));
}

#[test]
fn what_ended_here_stays_ended_whatever_the_settings_kept() {
    let told = tell(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#r resolved by Ann
        09:05 answer settled for r | kept
        10:00 webhook acknowledged by Bob
    ",
    );
    assert!(told.contains("= resolved, over 09:05 by Ann"), "{told}");
}

#[test]
fn who_resolved_it_there_ended_it_here() {
    let told = tell(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 webhook resolved by Bob
        09:05:00.500 command#o reopened by Ann
        09:05:02 answer settled for o | overtaken
        09:06 webhook noted by Cleo | done
    ",
    );
    assert!(told.contains("= resolved, over 09:05 by Bob"), "{told}");
}

/// What is true after `more` of an incident that is open there.
fn now(more: &str) -> String {
    let told = tell(&format!(
        "09:00 webhook triggered showing status=triggered | db down\n{more}"
    ));
    let now = told.lines().find_map(|line| line.strip_prefix("= "));
    now.unwrap().to_owned()
}

#[test]
fn a_mitigation_of_what_nobody_has_counts_while_it_is_asked_for_or_was_granted() {
    let mitigated = "
        09:01 webhook acknowledged by Ann
        09:02 webhook unacknowledged by Ann
        09:03 command#m mitigated by Ann
    ";
    assert!(now(mitigated).starts_with("mitigated"));
    let granted = now(&format!("{mitigated} 09:03:01 answer acknowledged for m"));
    assert!(granted.starts_with("mitigated"), "{granted}");
    let given_up = now(&format!(
        "{mitigated} 09:03:01 answer settled for m | overtaken"
    ));
    assert!(given_up.starts_with("open"), "{given_up}");
}

#[test]
fn what_is_over_is_called_by_the_last_word_that_may_follow_the_one_before() {
    for (first, then, expect) in [
        ("resolved", "closed", "closed"),
        ("resolved", "canceled", "canceled"),
        ("canceled", "closed", "canceled"),
        ("duplicate", "canceled", "duplicate"),
    ] {
        let over = format!(
            "
            09:05 command {first} by Ann | INC-2
            09:06 command {then} by Ann
            09:09 webhook resolved by Bob
        "
        );
        let now = now(&over);
        assert!(now.starts_with(expect), "{first}, {then}: {now}");
    }
    let closed = "
        09:05 command resolved by Ann
        09:06 command closed by Ann
        09:07 command canceled by Bob
    ";
    assert!(now(closed).starts_with("closed"));
}

#[test]
fn what_was_kept_here_asks_again_after_other_matters_crossed() {
    let told = tell(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#a acknowledged by Ann
        09:05 answer settled for a | kept
        09:10 command#n noted by Ann | looking
        09:10:01 answer noted for n | looking
    ",
    );
    assert!(told.ends_with("owed: acknowledge (a)"), "{told}");
    let kept = |more: &str| -> Vec<String> {
        let text = format!(
            "
            09:00 webhook triggered showing status=triggered | db down
            09:05 command#a acknowledged by Ann
            09:05 answer settled for a | kept
            {more}
        "
        );
        story(&text)
            .kept
            .into_iter()
            .map(|kept| kept.command)
            .collect()
    };
    assert_eq!(kept("09:10 command#r resolved by Ann"), ["a"]);
    let again = "09:10 command#r resolved by Ann\n09:10 answer settled for r | kept";
    assert_eq!(kept(again), ["a", "r"]);
    let heard = "09:10 command#r resolved by Ann\n09:10 answer resolved for r";
    assert!(kept(heard).is_empty());
}

#[test]
fn only_the_service_that_it_was_on_ends_it_by_going() {
    let moved = "
        09:00 webhook triggered showing status=triggered;service=web | db down
        10:00 webhook service_changed by Bob showing service=db
    ";
    for (gone, status) in [
        ("12:00 webhook resolved | gone | PDB", "resolved"),
        ("12:00 webhook resolved | gone | PWEB", "open"),
        ("09:30 webhook resolved | gone | PWEB", "resolved"),
        ("09:30 webhook resolved | gone | PDB", "open"),
        // Before it began, on the service that was shown first.
        ("08:00 webhook resolved | gone | PWEB", "open"),
        // What is resolved otherwise is over, whatever its detail names.
        ("12:00 webhook resolved | timer | PWEB", "resolved"),
        ("12:00 webhook noted | gone | PWEB", "open"),
    ] {
        let told = tell(&format!("{moved}{gone}"));
        let now = told.lines().find_map(|line| line.strip_prefix("= "));
        assert!(now.unwrap().starts_with(status), "{gone}: {told}");
    }
}

#[test]
fn a_resolve_in_the_second_of_an_acknowledgement_ends_what_that_gave_away() {
    // The webhook of the first call dates it by the millisecond, the answer of the second by the second.
    let told = tell("
        11:28 webhook triggered by service web showing status=triggered;assignees=Ines | db down
        11:28:59.124 command#a acknowledged by Yuki
        11:28:59 answer acknowledged by Yuki for a showing status=acknowledged;assignees=Yuki;read=11:28:59.175;answered=11:28:59
        11:28:59 answer assigned to Yuki for a
        11:28:59.208 webhook assigned by Yuki to Yuki showing status=triggered;assignees=Yuki
        11:28:59.499 command#r resolved by Bram
        11:28:59 answer resolved by Bram for r showing status=resolved;assignees=;read=11:28:59.585;answered=11:28:59
    ");
    assert!(!told.contains("Reopened"), "{told}");
    assert!(told.contains("= resolved"), "{told}");
}

#[test]
fn what_our_call_did_is_newer_than_what_somebody_did_before_it_in_that_second() {
    let others = "
        11:29:49 webhook triggered by service web showing status=triggered;assignees=Bob | db down
        11:29:52.922 command#a acknowledged by Cleo
        11:29:53.583 webhook acknowledged by Ines showing status=acknowledged;assignees=Bob
    ";
    let answer = "
        11:29:53 answer acknowledged by Cleo for a showing status=acknowledged;assignees=Cleo;read=11:29:52.965;answered=11:29:53
        11:29:53 answer assigned to Cleo for a
    ";
    let heard = "
        11:29:53.650 webhook assigned by Cleo to Cleo showing status=acknowledged;assignees=Cleo
    ";
    let told = tell(&format!("{others}{answer}{heard}"));
    assert!(told.contains("with Cleo"), "{told}");
    // The next call of that second is no older, though nobody has told of it yet and our clock is slow.
    let next = "
        11:29:51.800 command#b assigned by Ines to Dora
        11:29:53 answer assigned to Dora for b showing status=acknowledged;assignees=Dora;read=11:29:51.810;answered=11:29:53
    ";
    let slow = answer.replace("read=11:29:52.965", "read=11:29:51.700");
    let others = others.replace("11:29:52.922 command", "11:29:51.690 command");
    let told = tell(&format!("{others}{slow}{heard}{next}"));
    assert!(told.contains("with Dora"), "{told}");
}

#[test]
fn the_steps_of_a_second_are_played_as_their_webhooks_tell_if_they_tell_of_all() {
    let heard = "
        11:58:04 webhook triggered by service web showing status=triggered;assignees=Ines | db down
        11:58:05.317 webhook resolved by Carla showing status=resolved;assignees=
        11:58:05.620 webhook reopened by Bram showing status=triggered;assignees=Ines
        11:58:05.944 webhook acknowledged by Ines showing status=acknowledged;assignees=Ines
    ";
    let logged = "
        11:58:05 log resolved by Carla
        11:58:05 log reopened by Bram
        11:58:05 log assigned by Bram to Ines
        11:58:05 log acknowledged by Ines
    ";
    let whole = tell(&format!("{heard}{logged}"));
    assert!(whole.contains("= acknowledged"), "{whole}");
    assert!(
        whole.contains("11:58:05 Acknowledged by Ines"),
        "the log's time: {whole}"
    );
    // Of a second that is half known nothing is known.
    let half = heard.replace(
        "11:58:05.620 webhook reopened by Bram",
        "11:58:04.5 webhook noted by Bram",
    );
    let told = tell(&format!("{half}{logged}"));
    assert!(told.contains("= open"), "{told}");
}

#[test]
fn our_acknowledgement_in_the_second_of_a_resolve_reopens_it() {
    let told = tell("
        12:03:16.260 webhook triggered by service web showing status=triggered;assignees=Ines | db down
        12:03:18.845 command#a acknowledged by Ines
        12:03:19.512 webhook resolved by Yuki showing status=resolved;assignees=
        12:03:19 answer acknowledged by Ines for a showing status=acknowledged;assignees=Ines;read=12:03:19.140;answered=12:03:19
        12:03:19 answer assigned to Ines for a
        12:03:19.752 webhook reopened by Ines showing status=triggered;assignees=Ines
        12:03:19.752 webhook acknowledged by Ines showing status=acknowledged;assignees=Ines
        12:03:19 log acknowledged by Ines
        12:03:19 log assigned by Ines to Ines
        12:03:19 log reopened by Ines
        12:03:19 log resolved by Yuki
    ");
    assert!(told.contains("= acknowledged"), "{told}");
    assert!(told.contains("PagerDuty acknowledged"), "{told}");
}

#[test]
fn a_resolve_in_the_second_of_an_assignment_ends_it() {
    let told = tell("
        12:47:09 webhook triggered by service web showing status=triggered;assignees=Ines | db down
        12:47:13.603 command#a assigned by Ines to Bram
        12:47:13.636 webhook assigned by Ines to Bram showing status=triggered;assignees=Bram
        12:47:13 answer assigned to Bram for a showing status=triggered;assignees=Bram;read=12:47:13.617;answered=12:47:13
        12:47:13.786 command#r resolved by Carla
        12:47:13 answer resolved by Carla for r showing status=resolved;assignees=;read=12:47:13.799;answered=12:47:13
    ");
    assert!(told.contains("= resolved"), "{told}");
    assert!(!told.contains("Reopened"), "{told}");
}

#[test]
fn an_urgency_of_ours_is_not_undone_by_a_webhook_of_its_second_that_shows_the_one_before() {
    let given = "
        08:00 webhook triggered by service web showing status=triggered;urgency=high | db down
        08:00:39.083 command#s severity_changed by Bram | SEV-3
        08:00:39.083 webhook resolved by Ines showing status=resolved;urgency=high
        08:00:39 answer urgency_changed for s showing status=resolved;urgency=low;read=07:59:52;answered=08:00:39 | low
    ";
    assert_eq!(story(given).peer.unwrap().urgency, Some(Urgency::Low));
    let later = given.replace("08:00:39.083 webhook", "08:00:40.083 webhook");
    assert_eq!(story(&later).peer.unwrap().urgency, Some(Urgency::High));
}

#[test]
fn what_a_read_shows_of_an_end_neither_dates_nor_names_it_where_the_log_does() {
    let told = tell(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05:00 read resolved showing status=resolved;read=09:05:00
        09:05:01 log resolved by Bob
    ",
    );
    assert!(told.contains("= resolved, over 09:05:01 by Bob"), "{told}");
}

#[test]
fn a_look_that_is_dated_before_the_resolve_that_it_missed_is_no_withdrawal() {
    assert_snapshot!(tell("
        09:00 webhook triggered showing status=triggered | db down
        09:01 webhook acknowledged by Ann
        09:05:00 read unacknowledged by Bob
        09:05:01 log resolved by Ann
        09:05:02 log reopened by Bob
    "), @r"
    09:00 Triggered: db down
    09:01 Acknowledged by Ann
    09:05:01 Resolved by Ann
    09:05:02 Reopened by Bob
    = open, acknowledged 09:01, with Ann, PagerDuty triggered
    ");
}

#[test]
fn our_acknowledgement_in_the_second_of_a_release_comes_after_it_if_webhooks_say_so() {
    let released = "
        09:00 webhook triggered showing status=triggered | db down
        09:01 webhook acknowledged by Bob
        09:05 log unacknowledged by Bob
        09:05:00.200 webhook unacknowledged by Bob
        09:05:00.100 command#a acknowledged by Ann
        09:05 answer acknowledged by Bot for a
        09:05 log acknowledged by Bot
    ";
    let told = tell(&format!(
        "{released} 09:05:00.600 webhook acknowledged by Bot"
    ));
    assert!(told.contains("= acknowledged"), "{told}");
    assert!(told.contains("with Ann"), "{told}");
    // Where one of them is not told by a webhook, the order of equal instants counts.
    let told = tell(released);
    assert!(told.contains("= open"), "{told}");
}

#[test]
fn a_reopening_is_told_of_whoever_opened_it_and_not_of_the_service_that_then_paged() {
    assert_snapshot!(tell("
        09:00 log triggered by service web | db down
        09:01 log resolved by Ann
        09:05:00.200 webhook reopened by Bob
        09:05:00.600 webhook acknowledged by Ines
        09:05 log reopened by Bob
        09:05 log assigned by service web to Ines
        09:05 log acknowledged by Ines
    "), @r"
    09:00 Triggered by web: db down
    09:01 Resolved by Ann
    09:05 Reopened by Bob
    09:05 Assigned to Ines by web
    09:05 Acknowledged by Ines
    = acknowledged, acknowledged 09:05, with Ines
    ");
}

#[test]
fn of_what_pagerduty_did_in_one_second_the_last_that_was_given_counts() {
    // One call carried both, and its answer dates both alike.
    let said = story(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#9 severity_changed by Ann | SEV-1
        09:06 command#10 severity_changed by Ann | SEV-4
        09:07 answer urgency_changed for 9 | low
        09:07 answer urgency_changed for 10 | low
    ",
    );
    let (severity, _) = said.severity.unwrap();
    assert_eq!(severity.to_string(), "SEV-4");
    let opened_and_taken = tell(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#1 resolved by Ann
        09:06 command#2 reopened by Ann
        09:07 command#3 acknowledged by Ann
        09:08 answer resolved for 1
        09:08 answer reopened for 2
        09:08 answer acknowledged for 3
    ",
    );
    assert!(
        opened_and_taken.contains("= acknowledged"),
        "{opened_and_taken}"
    );
}

#[test]
fn somebodys_reopening_comes_after_our_resolve_of_its_instant_whatever_we_did_before() {
    // What the acknowledgement gave away is told by the millisecond, so the resolve is not before that.
    let told = tell(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:04 webhook resolved by Bob
        09:05:00.100 command#1 reopened by Ann
        09:05:00.200 command#2 acknowledged by Ann
        09:05:00.300 command#3 resolved by Ann
        09:05 answer reopened by Bot for 1
        09:05 answer acknowledged by Bot for 2
        09:05 answer assigned by Bot to Ann for 2
        09:05 answer resolved by Bot for 3
        09:05:00.400 webhook assigned by Bot to Ann
        09:05:00.400 webhook reopened by Bob
    ",
    );
    assert!(told.contains("= open, "), "{told}");
}

#[test]
fn a_priority_of_ours_is_not_undone_by_the_one_before_whether_its_own_webhook_came_or_not() {
    let given = "
        09:00 webhook triggered showing status=triggered;priority=P3 | db down
        09:05 command#s severity_changed by Ann | SEV-1
        09:05 answer priority_changed by Bot for s showing status=triggered;priority=P1;read=09:05;answered=09:05 | P1
        09:05:00.500 webhook acknowledged by Bob showing status=acknowledged;priority=P3
    ";
    let shown = |text: &str| {
        let priority = story(text).peer.unwrap().priority;
        priority.and_then(|priority| priority.name)
    };
    assert_eq!(shown(given).as_deref(), Some("P1"));
    let heard =
        "09:05:00.400 webhook priority_changed by Bot showing status=triggered;priority=P1 | P1";
    assert_eq!(shown(&format!("{given}{heard}")).as_deref(), Some("P1"));
}

#[test]
fn what_pagerduty_was_only_seen_to_do_does_not_take_it_from_whoever_has_it_there() {
    // While nothing was to come from there, a look; what was heard before and after still counts.
    let told = tell(
        "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#r resolved by Ann
        09:06 webhook acknowledged by Bob
        09:06:30 look seen showing status=acknowledged;read=09:06:30
        09:07 command#o reopened by Ann
    ",
    );
    assert!(told.contains("= acknowledged"), "{told}");
}

#[test]
fn a_mitigation_of_what_nobody_has_is_none_once_it_was_given_up_or_kept() {
    for given_up in ["expired", "discarded", "kept"] {
        let now = now(&format!(
            "
            09:01 webhook acknowledged by Ann
            09:02 webhook unacknowledged by Ann
            09:03 command#m mitigated by Ann
            12:00 answer settled for m | {given_up}
        "
        ));
        assert!(now.starts_with("open"), "{given_up}: {now}");
    }
}

#[test]
fn what_was_kept_here_stays_asked_for_while_others_act() {
    let kept = |done: &str| -> Vec<String> {
        let text = format!(
            "
            09:00 webhook triggered showing status=triggered | db down
            09:05 command#a acknowledged by Ann
            09:05 answer settled for a | kept
            09:05 command#z fields_changed by Ann | 3 | zone
            09:05 answer settled for z | kept
            {done}
        "
        );
        let kept = story(&text).kept.into_iter();
        kept.map(|kept| kept.command).collect()
    };
    assert_eq!(kept(""), ["a", "z"]);
    assert_eq!(kept("09:10 look acknowledged by Bob"), ["a", "z"]);
    assert_eq!(kept("09:10 webhook acknowledged by Bob"), ["a", "z"]);
    let other = "09:10 command#y fields_changed by Ann | 7 | rack\n09:10 answer fields_changed for y | 7 | Rack";
    assert_eq!(kept(other), ["a", "z"]);
    let same = "09:10 command#y fields_changed by Ann | 4 | zone\n09:10 answer fields_changed for y | 4 | Zone";
    assert_eq!(kept(same), ["a"]);
}

#[test]
fn what_pagerduty_shows_is_known_without_the_story() {
    let told = "
        09:00 webhook triggered showing status=triggered;title=db_down;service=web | db down
        09:05 webhook resolved by Bob showing status=resolved;title=disk_full;service=db
    ";
    let shown = peer_of(&facts(told)).unwrap();
    assert_eq!(shown.title.as_deref(), Some("disk full"));
    assert_eq!(Some(shown), story(told).peer);
    assert_eq!(peer_of(&facts("09:00 command triggered | db down")), None);
}

/// Acknowledged and given back in one second, and two people paged again.
#[test]
fn s32_who_is_paged_again_is_told_after_the_withdrawal_of_its_second() {
    let logged = "
        09:00 log triggered by service web | db down
        09:00 log notified to Ann | push
        09:00:04 log acknowledged by Ann
        09:00:04 log unacknowledged by Ann
        09:00:04 log notified to Ann | push
        09:00:04 log notified to Bob | phone
    ";
    let heard = "
        09:00:00.200 webhook triggered by service web showing status=triggered | db down
        09:00:04.300 webhook acknowledged by Ann
        09:00:04.700 webhook unacknowledged by Ann
    ";
    let told = tell(&format!("{heard}{logged}"));
    assert_snapshot!(told, @r"
    09:00 Triggered by web: db down
    09:00 Ann paged by push message
    09:00:04 Acknowledged by Ann
    09:00:04 Acknowledgement withdrawn by Ann
    09:00:04 Ann paged by push message
    09:00:04 Bob paged by phone call
    = open, acknowledged 09:00:04, with Ann, PagerDuty triggered
    ");
    // Acknowledged again, it is told so.
    let again = "
        09:00:04.900 webhook acknowledged by Ann
        09:00:04 log acknowledged by Ann
    ";
    let told = tell(&format!("{heard}{logged}{again}"));
    assert_snapshot!(told, @r"
    09:00 Triggered by web: db down
    09:00 Ann paged by push message
    09:00:04 Acknowledged by Ann
    09:00:04 Acknowledgement withdrawn by Ann
    09:00:04 Acknowledged by Ann
    09:00:04 Ann paged by push message
    09:00:04 Bob paged by phone call
    = acknowledged, acknowledged 09:00:04, with Ann, PagerDuty acknowledged
    ");
}

#[test]
fn who_is_paged_by_a_trigger_is_told_after_the_escalation_of_its_second() {
    assert_snapshot!(tell("
        09:00:00.200 webhook triggered by service web showing status=triggered | db down
        09:00:00.400 webhook escalated to Bob
        09:00:00.800 webhook acknowledged by Ann
        09:00 log triggered by service web | db down
        09:00 log notified to Ann | push
        09:00 log escalated by service web to Bob
        09:00 log acknowledged by Ann
        09:00 log notified to Bob | push
    "), @r"
    09:00 Triggered by web: db down
    09:00 Escalated to Bob by web
    09:00 Acknowledged by Ann
    09:00 Ann paged by push message
    09:00 Bob paged by push message
    = acknowledged, acknowledged 09:00, with Bob, PagerDuty acknowledged
    ");
}

#[test]
fn s21_of_two_changes_of_a_priority_in_one_second_what_pagerduty_shows_is_told_last() {
    // PagerDuty's ids tell no order.
    let logged = "
        09:00 log triggered by service web | db down
        09:05 log#1 priority_changed by Ann | P1 | P2
        09:05 log#2 priority_changed by Ann | P2 | P3
    ";
    let heard = "
        09:05:00.200 webhook priority_changed by Ann showing status=triggered;priority=P2 | P2
        09:05:00.600 webhook priority_changed by Ann showing status=triggered;priority=P1 | P1
    ";
    let read = "09:06 read seen showing status=triggered;priority=P1;read=09:06";
    for shown in [heard, read] {
        let told = tell(&format!("{logged}{shown}"));
        let lines = told.lines().filter(|line| line.contains("Priority set"));
        assert_eq!(
            lines.collect::<Vec<_>>(),
            [
                "09:05 Priority set to P2 by Ann",
                "09:05 Priority set to P1 by Ann"
            ],
            "{shown}"
        );
    }
}
