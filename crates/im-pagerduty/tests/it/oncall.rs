//! Who is on call, out of the rows that PagerDuty lists.

use im_core::Named;
use im_pagerduty::oncall::{Turn, turns, watches};
use im_pagerduty::{Level, Oncall, Policy, User};
use jiff::Timestamp;

fn at(hour: &str) -> Timestamp {
    format!("2026-03-10T{hour}:00Z").parse().unwrap()
}

fn named(id: &str) -> Named {
    Named {
        id: id.to_owned(),
        name: Some(id.to_lowercase()),
    }
}

fn user(id: &str) -> User {
    User {
        id: id.to_owned(),
        name: Some(id.to_owned()),
        email: None,
        time_zone: None,
        role: None,
        html_url: None,
        teams: Vec::new(),
    }
}

/// A row by a schedule, or for ever where there are no hours.
fn row(level: i64, who: &str, hours: Option<(&str, &str)>) -> Oncall {
    Oncall {
        policy: Some(named("PPOL001")),
        level: Some(level),
        schedule: hours.map(|_| named("PSCHED1")),
        user: user(who),
        start: hours.map(|(start, _)| at(start)),
        end: hours.map(|(_, end)| at(end)),
    }
}

fn policy(delays: &[i64]) -> Policy {
    let level = |delay: &i64| Level {
        delay_minutes: Some(*delay),
        targets: vec![named("PSCHED1")],
        round_robin: false,
    };
    Policy {
        id: "PPOL001".to_owned(),
        name: None,
        html_url: None,
        loops: Some(0),
        levels: delays.iter().map(level).collect(),
        services: Vec::new(),
        teams: Vec::new(),
    }
}

fn said(turns: &[Turn]) -> Vec<String> {
    let hour =
        |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.strftime("%H:%M").to_string());
    let one = |turn: &Turn| format!("{} {}..{}", turn.user.id, hour(turn.from), hour(turn.until));
    turns.iter().map(one).collect()
}

#[test]
fn i091_shifts_of_one_person_that_follow_one_another_are_one_turn() {
    let rows = [
        row(1, "ANN", Some(("06:00", "09:00"))),
        row(1, "BOB", Some(("12:00", "15:00"))),
        row(1, "ANN", Some(("09:00", "12:00"))),
        // The next page begins with the last row of the one before.
        row(1, "BOB", Some(("12:00", "15:00"))),
        row(1, "ANN", Some(("15:00", "18:00"))),
    ];
    let merged = turns(rows.iter(), at("23:00"));
    assert_eq!(
        said(&merged),
        ["ANN 06:00..12:00", "BOB 12:00..15:00", "ANN 15:00..18:00"]
    );
    let found = watches(&policy(&[10]), &rows, at("23:00"), at("08:00"));
    assert_eq!(said(&found[0].now), ["ANN 06:00..12:00"]);
    assert_eq!(said(&found[0].next), ["BOB 12:00..15:00"]);
    let gap = found[0].gap.unwrap();
    assert_eq!((gap.from, gap.until), (at("18:00"), None));
}

#[test]
fn i091_a_turn_that_may_go_on_where_nobody_looked_has_no_end() {
    let rows = [
        row(1, "ANN", Some(("06:00", "12:00"))),
        row(1, "ANN", Some(("12:00", "18:00"))),
    ];
    let found = watches(&policy(&[10]), &rows, at("18:00"), at("08:00"));
    assert_eq!(said(&found[0].now), ["ANN 06:00..-"]);
    assert!(found[0].gap.is_none(), "what was not looked at is no gap");
    // The end of a single shift is known, wherever it is.
    let one = turns(rows[1..].iter(), at("14:00"));
    assert_eq!(said(&one), ["ANN 12:00..18:00"]);
}

#[test]
fn g06_a_user_who_is_a_target_is_on_call_always_and_needs_no_schedule() {
    let rows = [row(1, "ANN", None), row(1, "BOB", Some(("06:00", "09:00")))];
    let found = watches(&policy(&[10]), &rows, at("23:00"), at("08:00"));
    assert_eq!(said(&found[0].now), ["ANN -..-", "BOB 06:00..09:00"]);
    assert!(found[0].next.is_empty() && found[0].gap.is_none());
}

#[test]
fn g06_a_level_with_nobody_is_a_gap_and_costs_no_time() {
    let rows = [
        row(1, "ANN", Some(("12:00", "18:00"))),
        row(2, "BOB", None),
        row(3, "CID", None),
    ];
    let found = watches(&policy(&[10, 15, 20]), &rows, at("23:00"), at("08:00"));
    let after: Vec<Option<i64>> = found.iter().map(|watch| watch.after_minutes).collect();
    assert_eq!(after, [None, Some(0), Some(15)]);
    let gap = found[0].gap.unwrap();
    assert_eq!((gap.from, gap.until), (at("08:00"), Some(at("12:00"))));
    assert_eq!(said(&found[0].next), ["ANN 12:00..18:00"]);
}

#[test]
fn g06_a_policy_without_anybody_is_read_all_the_same() {
    let found = watches(&policy(&[10, 15]), &[], at("23:00"), at("08:00"));
    assert_eq!(found.len(), 2);
    for watch in found {
        assert!(watch.now.is_empty() && watch.next.is_empty());
        assert_eq!(watch.after_minutes, None);
        let gap = watch.gap.unwrap();
        assert_eq!((gap.from, gap.until), (at("08:00"), None));
    }
}
