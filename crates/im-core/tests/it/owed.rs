//! What PagerDuty has to hear of each field, and when nothing is owed.

use im_core::{Direction, FieldChoice, Mapping, ServiceChoice, fields_to_set, fold};

use crate::given::{both_ways, facts, tell_with};

/// Two names for one of PagerDuty's services, and one for another.
fn services() -> Mapping {
    let row = |(name, id): (&str, &str)| ServiceChoice {
        name: name.to_owned(),
        id: id.to_owned(),
    };
    Mapping {
        services: [("web", "PWEB"), ("api", "PWEB"), ("db", "PDB")]
            .map(row)
            .to_vec(),
        ..both_ways()
    }
}

/// What is owed and what is moot, in one line.
fn debts(text: &str, mapping: &Mapping) -> String {
    let told = tell_with(text, mapping);
    let after = told.lines().skip_while(|line| !line.starts_with("= "));
    after.skip(1).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_field_is_owed_if_pagerduty_shows_another_value_and_needs_nothing_if_it_shows_this_one() {
    let there = "09:00 webhook triggered showing status=triggered;title=db_down;urgency=high;service=web;assignees=Ann,Bob | db down";
    for (change, expect) in [
        ("titled by Ann | disk full", "owed: rename (x)"),
        ("titled by Ann | db down", "moot: x"),
        ("severity_changed by Ann | SEV-4", "owed: urgency (x)"),
        ("severity_changed by Ann | SEV-1", "moot: x"),
        ("service_changed by Ann | db", "owed: move (x)"),
        ("service_changed by Ann | api", "moot: x"),
        ("assigned by Ann to Cleo", "owed: assign (x)"),
        ("assigned by Ann to Ann", "owed: assign (x)"),
        ("assigned by Ann to Ann,Cleo", "owed: assign (x)"),
        ("assigned by Ann to Bob,Ann", "moot: x"),
        // PagerDuty cannot change a description.
        ("described by Ann | the disk of db1", "moot: x"),
    ] {
        let text = format!("{there}\n09:05 command#x {change}");
        assert_eq!(debts(&text, &services()), expect, "{change}");
    }
}

#[test]
fn nobody_is_given_what_is_over_or_deleted() {
    let given = "
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:05 command#x assigned by Ann to Bob
    ";
    for over in [
        "09:06 webhook resolved by Bob",
        "09:06 command resolved by Ann",
        "09:06 command deleted by Ann",
    ] {
        let owed = debts(&format!("{given}{over}"), &both_ways());
        assert!(!owed.contains("assign"), "{over}: {owed}");
        assert!(owed.contains('x'), "{over}: {owed}");
    }
}

#[test]
fn what_was_asked_before_a_deletion_does_not_end_what_was_opened_again() {
    let opened_again = "
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:05 command#x acknowledged by Ann
        09:06 command#d deleted by Ann
        09:07 answer resolved for d showing status=resolved
        09:08 webhook reopened by Bob showing status=triggered
    ";
    assert_eq!(debts(opened_again, &both_ways()), "moot: x");
}

#[test]
fn people_wait_for_the_call_that_opens_it_again() {
    // PagerDuty refuses to give what is resolved to anybody. What its people do changes nothing here.
    let sending = Mapping::new(Direction::Outbound, "PWEB");
    let over = "
        09:00 webhook triggered showing status=triggered;assignees=Ann | db down
        09:05 command#x assigned by Ann to Bob
        09:07 look resolved by Ann
    ";
    assert_eq!(debts(over, &sending), "moot: x");
    let reopened = "
        09:08 command#s resolved by Ann
        09:09 command#r reopened by Ann
    ";
    let owed = debts(&format!("{over}{reopened}"), &sending);
    assert_eq!(owed, "owed: reopen (s, r); owed: assign (x)");
}

#[test]
fn what_a_twin_is_made_with_needs_no_call_of_its_own() {
    let declared = "
        09:00 command#t triggered by Ann | db down
        09:00 command#s severity_changed by Ann | SEV-1
        09:00 command#v service_changed by Ann | db
        09:00 command#d described by Ann | the disk of db1
        09:01 command#x titled by Ann | disk full
    ";
    assert_eq!(debts(declared, &services()), "owed: create (t, d, s, v, x)");
    // It may wait for the settings; a note of that time does not.
    let kept = "
        09:00 command#t triggered by Ann | db down
        09:01 command#n noted by Ann | looking
        09:02 answer settled for t | kept
        09:02 answer settled for n | kept
    ";
    assert_eq!(debts(kept, &both_ways()), "owed: create (t)");
    let receiving = Mapping::new(Direction::Inbound, "PWEB");
    assert_eq!(debts(kept, &receiving), "");
}

#[test]
fn a_resolve_that_crosses_neither_as_a_state_nor_as_a_note_is_kept() {
    let silent = Mapping {
        auto_resolve: false,
        sync_notes: false,
        ..both_ways()
    };
    let resolved = "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#r resolved by Ann
    ";
    assert_eq!(debts(resolved, &silent), "kept: r");
    let there_too = format!("{resolved}\n09:04 webhook resolved by Bob");
    assert_eq!(debts(&there_too, &silent), "moot: r");
    let talking = Mapping {
        auto_resolve: false,
        ..both_ways()
    };
    assert_eq!(debts(&there_too, &talking), "moot: r");
}

#[test]
fn a_service_keeps_the_name_that_people_said_while_it_stands_for_pagerdutys() {
    let mapping = services();
    let named = |text: &str| fold(&facts(text), Some(&mapping)).unwrap().service;
    let there = "09:00 webhook triggered showing status=triggered;service=web | db down";
    assert_eq!(named(there).as_deref(), Some("web"));
    let said = format!(
        "{there}
        09:05 command#v service_changed by Ann | api
        09:05 answer settled for v | carried
        09:06 command noted by Ann | looking
        09:07 webhook service_changed by Bob | frontend showing service=web
    "
    );
    assert_eq!(named(&said).as_deref(), Some("api"));
    let moved = format!("{said}\n09:10 read seen showing service=db;read=09:10");
    assert_eq!(named(&moved).as_deref(), Some("db"));
    let elsewhere = format!("{said}\n09:10 read seen showing service=mail;read=09:10");
    assert_eq!(named(&elsewhere).as_deref(), Some("mail"));
}

/// PagerDuty has a custom field for the zone, and none for the rack.
fn zoned() -> Mapping {
    Mapping {
        fields: vec![FieldChoice {
            name: "zone".to_owned(),
            theirs: "Zone".to_owned(),
        }],
        ..both_ways()
    }
}

#[test]
fn a_field_of_peoples_own_is_owed_where_pagerduty_has_one_for_it_and_shows_another_value() {
    let there = "
        09:00 webhook triggered showing status=triggered | db down
        09:01 webhook fields_changed by Bob | 3 | Zone
    ";
    for (set, expect) in [
        (
            "09:05 command#x fields_changed by Ann | 4 | zone",
            "owed: fields (x)",
        ),
        (
            "09:05 command#x fields_changed by Ann | 3 | zone",
            "moot: x",
        ),
        (
            "09:05 command#x fields_changed by Ann | 4 | rack",
            "moot: x",
        ),
    ] {
        assert_eq!(debts(&format!("{there}{set}"), &zoned()), expect, "{set}");
    }
}

#[test]
fn a_field_that_nobody_asks_for_any_more_stays_as_it_is_there() {
    let mut mapping = zoned();
    mapping.fields.push(FieldChoice {
        name: "floor".to_owned(),
        theirs: "Floor".to_owned(),
    });
    let given_up = "
        09:00 webhook triggered showing status=triggered | db down
        09:01 webhook fields_changed by Bob | 3 | Zone
        09:05 command#x fields_changed by Ann | 4 | zone
        09:06 answer settled for x | discarded
    ";
    let to_set = |text: &str| {
        let story = fold(&facts(text), Some(&mapping)).unwrap();
        fields_to_set(&story, &mapping)
    };
    assert_eq!(to_set(given_up), []);
    let another = format!("{given_up}09:07 command#y fields_changed by Ann | 2 | floor");
    let floor = ("Floor".to_owned(), Some("2".to_owned()));
    assert_eq!(to_set(&another), [floor]);
}

#[test]
fn the_newer_word_for_a_field_counts_and_what_was_only_looked_at_says_nothing() {
    let says = |text: &str| {
        let story = fold(&facts(text), Some(&zoned())).unwrap();
        let fields = story.fields.into_iter();
        fields
            .map(|field| format!("{}={}", field.name, field.value))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let born = "09:00 webhook triggered showing status=triggered | db down";
    let looked = format!("{born}\n09:01 look#l fields_changed by Bob | 3 | Zone");
    assert_eq!(says(&looked), "");
    // Ours was given first, and PagerDuty has not heard of it.
    let both = format!(
        "{born}
        09:01 command#x fields_changed by Ann | 4 | zone
        09:02 webhook fields_changed by Bob | 3 | Zone"
    );
    assert_eq!(says(&both), "zone=3");
    let all = format!("{both}\n09:03 command#y fields_changed by Ann | 5 | rack");
    assert_eq!(says(&all), "rack=5 zone=3");
}

#[test]
fn a_field_that_crossed_since_it_was_kept_is_not_asked_for_again() {
    // What PagerDuty's people do changes nothing here, and nobody asked for the field after that.
    let sending = Mapping {
        direction: Direction::Outbound,
        ..zoned()
    };
    let kept = "
        09:00 command#t triggered by Ann | db down
        09:00:01 answer triggered for t
        09:00:01 look seen showing status=triggered;title=db_down
        09:05 command#x fields_changed by Ann | 3 | zone
        09:05 answer settled for x | kept
    ";
    assert_eq!(debts(kept, &sending), "owed: fields (x)");
    let crossed = format!(
        "{kept}
        09:06 command#y fields_changed by Ann | 3 | zone
        09:06:01 answer fields_changed for y | 3 | Zone
        09:10 look fields_changed by Bob | 4 | Zone
    "
    );
    assert_eq!(debts(&crossed, &sending), "");
}

#[test]
fn debts_are_paid_in_the_order_in_which_they_were_asked_for_and_the_twin_is_made_first() {
    let there = "
        09:00 webhook triggered showing status=triggered;title=db_down;assignees=Bob | db down
        09:05 command#x titled by Ann | disk full
        09:06 command#a acknowledged by Ann
        09:07 command#n noted by Ann | it was the disk
        09:08 command#g assigned by Ann to Cleo
    ";
    assert_eq!(
        debts(there, &both_ways()),
        "owed: rename (x); owed: acknowledge (a); owed: note (n); owed: assign (g)"
    );
    let declared = "
        09:00 command#t triggered by Ann | db down
        09:00 command#n noted by Ann | looking
        09:00 command#a acknowledged by Ann
    ";
    assert_eq!(
        debts(declared, &both_ways()),
        "owed: create (t); owed: acknowledge (a); owed: note (n)"
    );
}

#[test]
fn only_people_wait_for_the_call_that_opens_it_again() {
    let sending = Mapping::new(Direction::Outbound, "PWEB");
    let reopened = "
        09:00 webhook triggered showing status=triggered;title=db_down;assignees=Ann | db down
        09:05 command#x titled by Ann | disk full
        09:06 command#g assigned by Ann to Bob
        09:07 look resolved by Ann
        09:08 command#s resolved by Ann
        09:09 command#r reopened by Ann
    ";
    assert_eq!(
        debts(reopened, &sending),
        "owed: rename (x); owed: reopen (s, r); owed: assign (g)"
    );
}

#[test]
fn a_note_stays_here_where_notes_do_not_cross() {
    let noted = "
        09:00 webhook triggered showing status=triggered | db down
        09:05 command#n noted by Ann | looking
    ";
    assert_eq!(debts(noted, &both_ways()), "owed: note (n)");
    let silent = Mapping {
        sync_notes: false,
        ..both_ways()
    };
    assert_eq!(debts(noted, &silent), "kept: n");
}

/// A priority for each severity; the second and the third share one.
fn priorities() -> Mapping {
    Mapping {
        priority_ids: ["PP1", "PP2", "PP2", "PP4"].map(|id| Some(id.to_owned())),
        ..both_ways()
    }
}

/// How bad it is here, and how we know.
fn severity(text: &str) -> String {
    let (severity, source) = fold(&facts(text), Some(&priorities()))
        .unwrap()
        .severity
        .unwrap();
    format!("{severity} {source:?}")
}

#[test]
fn the_later_of_a_severity_said_here_and_a_priority_given_there_counts() {
    let born =
        "09:00 webhook triggered showing status=triggered;urgency=high;priority=P4 | db down";
    assert_eq!(severity(born), "SEV-4 Priority");
    let said = "
        09:10 command#s severity_changed by Ann | SEV-1
        09:10:01 answer priority_changed for s showing status=triggered;urgency=high;priority=P1 | P1
    ";
    let given = |at: &str, priority: &str| {
        format!(
            "{born}{said}
            {at} webhook noted by Bob showing status=triggered;urgency=high;priority={priority} | hm"
        )
    };
    assert_eq!(severity(&given("09:05", "P2")), "SEV-1 Explicit");
    assert_eq!(severity(&given("09:20", "P2")), "SEV-2 Priority");
    assert_eq!(severity(&given("09:20", "P1")), "SEV-1 Explicit");
    // Nothing is owed for what was read off a priority.
    assert_eq!(debts(&given("09:20", "P2"), &priorities()), "");
}

#[test]
fn a_severity_that_shares_its_priority_stays_as_it_was_said() {
    assert_eq!(
        severity(
            "
            09:00 webhook triggered showing status=triggered;urgency=low;priority=P4 | db down
            09:10 command#s severity_changed by Ann | SEV-3
            09:10:01 answer priority_changed for s showing status=triggered;urgency=low;priority=P4 | P4
            09:20 webhook noted by Bob showing status=triggered;urgency=low;priority=P2 | hm
        "
        ),
        "SEV-3 Explicit"
    );
}

#[test]
fn a_severity_stands_against_a_priority_that_its_own_answer_shows_first() {
    // PagerDuty does not tell which of the two came first within that second.
    assert_eq!(
        severity(
            "
            09:00 webhook triggered showing status=triggered;urgency=high;priority=P4 | db down
            09:10 command#s severity_changed by Ann | SEV-3
            09:10:01 answer urgency_changed for s showing status=triggered;urgency=low;priority=P1 | low
        "
        ),
        "SEV-3 Explicit"
    );
}

#[test]
fn a_declared_severity_is_as_old_as_its_twin_whichever_clock_is_ahead() {
    // Ours says 09:00 when PagerDuty's says 08:59:00.
    assert_eq!(
        severity(
            "
            09:00 command#t triggered by Ann | db down
            09:00 command#s severity_changed by Ann | SEV-4
            08:59 answer triggered for t showing status=triggered;urgency=low;priority=P4
            09:00:01 answer settled for s | carried
            08:59:30 webhook noted by Bob showing status=triggered;urgency=low;priority=P1 | it is bad
        "
        ),
        "SEV-1 Priority"
    );
}
