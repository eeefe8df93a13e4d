//! Who was called, when, and how often: pages, `page_disruptions`, `oncall_load`, escalations.

use im_metrics::input::{History, Membership};
use jiff::civil::{Weekday, date};

use crate::given::{Hours, Who, World, incident, march, table};

fn acks(number: i64, times: &[(&str, &str)]) -> History {
    let lines = times
        .iter()
        .map(|(at, who)| format!("03-02 {at} ack {who}\n"));
    incident(
        number,
        &format!("03-02 07:00 trigger\n{}", lines.collect::<String>()),
    )
}

fn team(team: &str) -> Membership {
    Membership {
        team: team.to_owned(),
        from: None,
        to: None,
    }
}

#[test]
fn s98_one_page_per_incident_person_and_episode() {
    let story = "
        03-02 09:00 trigger
        03-02 09:00 notify UANN push
        03-02 09:01 notify UANN phone
        03-02 09:01 notify UBOB email
        03-02 09:02 notify - push
        03-02 09:03 notify UCAT odd";
    table(
        &march(&[incident(1, story)]),
        "pages",
        &[
            ("source=incidents", "1"),
            ("source=notifications", "2"),
            ("source=notifications group_by=user", "UANN: 1\nUCAT: 1"),
            (
                "source=notifications include_email=true group_by=user",
                "UANN: 1\nUBOB: 1\nUCAT: 1",
            ),
        ],
    );
}

#[test]
fn s43_s45_each_assignment_to_a_person_starts_an_episode() {
    let story = "
        03-02 09:00 trigger
        03-02 09:00 notify UANN push
        03-02 09:10 escalate UBOB
        03-02 09:10 notify UBOB push
        03-02 09:11 notify UANN push
        03-02 09:20 assign UANN,UCAT
        03-02 09:21 notify UANN push
        03-02 09:22 notify UBOB push
        03-02 09:30 delegate UBOB
        03-02 09:31 notify UBOB push
        03-02 09:40 ack UBOB
        03-02 10:10 unack
        03-02 10:10 notify UBOB push
        03-02 10:20 resolve UBOB
        03-02 10:30 reopen
        03-02 10:31 notify UANN push
        03-02 10:32 notify UBOB push";
    // Ann: at first, when it was given to her, when it was open again. Bob: on the escalation (10:10 is
    // the start of that episode), the delegation, after the time-out, when it was open again.
    let world = march(&[incident(1, story)]);
    table(
        &world,
        "pages",
        &[("source=notifications group_by=user", "UANN: 3\nUBOB: 4")],
    );
    table(
        &world,
        "escalations",
        &[("", "1"), ("as_of_time=2026-03-02T09:09:59Z", "0")],
    );
}

#[test]
fn an_early_e_mail_moves_a_page_only_where_e_mail_counts() {
    let story = "
        03-02 22:59 trigger
        03-02 22:59 notify UANN email
        03-02 23:01 notify UANN phone";
    // 22:59 UTC is 2 March in Berlin, and 23:01 is 3 March.
    let days = "from=2026-03-02 to=2026-03-03 bucket=day source=notifications";
    table(
        &march(&[incident(1, story)]),
        "pages",
        &[
            (days, "03-02: 0\n03-03: 1"),
            (&format!("{days} include_email=true"), "03-02: 1\n03-03: 0"),
        ],
    );
}

#[test]
fn s44_each_acknowledgement_by_a_person_is_a_page() {
    let world = march(&[acks(
        1,
        &[
            ("08:00", "UANN"),
            ("08:10", "UBOB"),
            ("08:15", "UANN"),
            ("08:25", "UANN"),
            ("08:30", "-"),
        ],
    )]);
    table(
        &world,
        "pages",
        &[
            ("source=acknowledgements", "4"),
            ("source=acknowledgements group_by=user", "UANN: 3\nUBOB: 1"),
            ("source=acknowledgements collapse_minutes=0", "4"),
            // 08:15 is within 15 minutes of the last one counted, 08:25 is not.
            (
                "source=acknowledgements collapse_minutes=15 group_by=user",
                "UANN: 2\nUBOB: 1",
            ),
            (
                "source=acknowledgements collapse_minutes=14 group_by=user",
                "UANN: 2\nUBOB: 1",
            ),
            (
                "source=acknowledgements collapse_minutes=25 group_by=user",
                "UANN: 1\nUBOB: 1",
            ),
            ("source=acknowledgements user=UBOB", "1"),
        ],
    );
    table(&world, "page_disruptions", &[("", "4")]);
}

#[test]
fn a_first_resolve_by_a_person_stands_in_where_nobody_acknowledged() {
    let by = |who: &str| {
        incident(
            1,
            &format!(
                "03-02 09:00 trigger
                 03-02 09:10 resolve {who}
                 03-02 09:20 reopen
                 03-02 09:30 resolve UBOB"
            ),
        )
    };
    let check = |history: History, want: &str| {
        table(
            &march(&[history]),
            "pages",
            &[("source=acknowledgements group_by=user", want)],
        );
    };
    check(by("UANN"), "UANN: 1");
    check(by("timer"), "");
    // The first resolve was no merge: it is not the last one.
    let mut merged = by("UANN");
    merged.merged = true;
    check(merged, "UANN: 1");
    let mut merged = by("UANN");
    merged.merged = true;
    merged.events.truncate(2);
    check(merged, "");
    let mut program = by("UANN");
    program
        .events
        .extend(crate::given::events("03-02 09:40 ack -"));
    check(program, "");
}

#[test]
fn m_007_three_pages_in_two_hours_are_two_disrupted_hours() {
    let pages = [
        ("17:30", "UANN"),
        ("18:15", "UANN"),
        ("18:25", "UANN"),
        ("18:40", "UBOB"),
    ];
    let world = march(&[acks(1, &pages)]);
    table(
        &world,
        "page_disruptions",
        &[
            ("measure=hours user=UANN", "2"),
            ("measure=hours group_by=user", "UANN: 2\nUBOB: 1"),
            ("measure=hours", "3"),
            ("measure=hours distinct=true", "2"),
            ("measure=pages", "4"),
        ],
    );
}

#[test]
fn s101_hours_are_those_of_the_wall_clock_and_the_repeated_hour_is_two() {
    // Summer time ends in Berlin on 25 October, 01:00 UTC; Kolkata is half an hour off.
    let story = "
        10-25 00:00 trigger
        10-25 00:10 ack UANN
        10-25 00:50 ack UANN
        10-25 01:10 ack UANN
        10-25 00:10 ack UKOL
        10-25 00:40 ack UKOL";
    let mut world = march(&[incident(1, story)]);
    world.now = crate::given::at("2026-10-31 00:00");
    world.people = vec![Who {
        id: "UKOL".to_owned(),
        zone: Some("Asia/Kolkata"),
        ..Who::default()
    }];
    let range = "from=2026-10-25 to=2026-10-25";
    table(
        &world,
        "page_disruptions",
        &[(
            &format!("{range} measure=hours group_by=user"),
            "UANN: 2\nUKOL: 2",
        )],
    );
}

#[test]
fn s101_beside_an_hour_that_the_clock_leaves_out() {
    // Berlin goes from 02:00 to 03:00 on 29 March, 01:00 UTC: 01:59, 03:00, 03:14 and 03:15.
    let pages = [
        ("00:59", "0"),
        ("01:00", "1"),
        ("01:14", "1"),
        ("01:15", "0"),
    ];
    let acks = pages.map(|(clock, _)| format!("03-29 {clock} ack UANN\n"));
    let all = format!("03-29 00:00 trigger\n{}", acks.concat());
    let world_of = |story: &str| {
        let mut world = march(&[incident(1, story)]);
        world.people = vec![Who {
            id: "UANN".to_owned(),
            hours: vec![Hours {
                from: date(2026, 3, 29),
                zone: Some("Europe/Berlin"),
                week: vec![(Weekday::Sunday, "02:15", "03:15")],
            }],
            ..Who::default()
        }];
        world
    };
    let world = world_of(&all);
    table(
        &world,
        "page_disruptions",
        &[
            ("measure=hours", "2"),
            ("when=working_hours", "2"),
            ("when=out_of_hours", "2"),
        ],
    );
    for (clock, want) in pages {
        let world = world_of(&format!("03-29 00:00 trigger\n03-29 {clock} ack UANN"));
        table(&world, "page_disruptions", &[("when=working_hours", want)]);
    }
    // Lord Howe leaves out half an hour on 4 October: 01:50, then 02:40 and 02:59, then 03:01.
    let story = "
        10-03 15:00 trigger
        10-03 15:20 ack ULORD
        10-03 15:40 ack ULORD
        10-03 15:59 ack ULORD
        10-03 16:01 ack ULORD";
    let mut world = march(&[incident(1, story)]);
    world.now = crate::given::at("2026-10-31 00:00");
    world.people = vec![Who {
        id: "ULORD".to_owned(),
        zone: Some("Australia/Lord_Howe"),
        ..Who::default()
    }];
    let days = "from=2026-10-01 to=2026-10-31";
    let hours = format!("{days} measure=hours");
    table(&world, "page_disruptions", &[(days, "4"), (&hours, "3")]);
}

#[test]
fn s101_who_has_no_zone_or_one_that_nobody_knows_has_the_organisations() {
    // 17:30 in Berlin, 01:30 of the next day in Tokyo.
    let mut world = march(&[acks(1, &[("16:30", "UANN")])]);
    let in_hours = [("when=working_hours", "1")];
    let out_of_hours = [("when=working_hours", "0")];
    // PagerDuty told nothing of her at all.
    table(&world, "page_disruptions", &in_hours);
    world.people = vec![Who {
        id: "UANN".to_owned(),
        zone: Some("Asia/Tokyo"),
        ..Who::default()
    }];
    table(&world, "page_disruptions", &out_of_hours);
    world.people[0].zone = None;
    table(&world, "page_disruptions", &in_hours);
    // Since the first of March her zone is one that nobody knows.
    world.people[0].zone = Some("Asia/Tokyo");
    world.people[0].moves = vec![(date(2026, 3, 1), None)];
    table(&world, "page_disruptions", &in_hours);
}

#[test]
fn g01_who_is_gone_keeps_their_pages_and_teams_of_the_past() {
    let mut world = march(&[
        acks(1, &[("08:00", "UANN"), ("08:10", "UBOB")]),
        incident(2, "03-20 08:00 trigger\n03-20 08:00 notify UANN push"),
    ]);
    let until = |last| Membership {
        to: last,
        ..team("TA")
    };
    let ann = |last| Who {
        id: "UANN".to_owned(),
        zone: Some("America/New_York"),
        memberships: vec![until(last)],
        ..Who::default()
    };
    let rows = [
        ("source=acknowledgements group_by=user", "UANN: 1\nUBOB: 1"),
        ("source=acknowledgements user=UANN", "1"),
        ("source=notifications group_by=user", "UANN: 1"),
        ("source=acknowledgements group_by=team", "TA: 1\nnone: 1"),
    ];
    world.people = vec![ann(None)];
    table(&world, "pages", &rows);
    // Deleted on the 10th: in no team since, and still herself.
    world.people = vec![ann(Some(date(2026, 3, 9)))];
    table(&world, "pages", &rows);
    table(
        &world,
        "oncall_load",
        &[("", "UANN: 1 pages, acknowledged 0 after -, out 1, away 0")],
    );
    // PagerDuty lists her no longer, and nothing was known of her before.
    world.people.clear();
    table(&world, "pages", &rows[..3]);
}

#[test]
fn s100_a_page_is_in_hours_or_out_and_an_hour_may_be_both() {
    // Monday, in Berlin: 07:59:59 and 18:00 are out, 08:00 and 17:59 are in.
    let pages = [
        ("06:59:59", "UANN"),
        ("07:00", "UANN"),
        ("16:59", "UANN"),
        ("17:00", "UANN"),
    ];
    let mut history = acks(1, &pages);
    history.events[0].at = crate::given::at("2026-03-02 06:00");
    // Saturday.
    let weekend = incident(2, "03-07 10:00 trigger\n03-07 10:00 ack UANN");
    // The person starts at 07:30 on Tuesdays of a week of her own.
    let both = incident(
        3,
        "03-10 06:00 trigger\n03-10 06:10 ack UBOB\n03-10 06:40 ack UBOB",
    );
    let mut world = march(&[history, weekend, both]);
    world.people = vec![Who {
        id: "UBOB".to_owned(),
        hours: vec![Hours {
            from: date(2026, 3, 1),
            zone: Some("Europe/Berlin"),
            week: vec![(Weekday::Tuesday, "07:30", "24:00")],
        }],
        ..Who::default()
    }];
    table(
        &world,
        "page_disruptions",
        &[
            ("", "7"),
            ("when=working_hours group_by=user", "UANN: 2\nUBOB: 1"),
            ("when=out_of_hours group_by=user", "UANN: 3\nUBOB: 1"),
            ("measure=hours user=UBOB", "1"),
            ("measure=hours user=UBOB when=working_hours", "1"),
            ("measure=hours user=UBOB when=out_of_hours", "1"),
        ],
    );
}

#[test]
fn m_011_the_newest_version_of_working_hours_supplies_them_all() {
    // Saturday, 7 March, 02:30 UTC is 15:30 in Auckland.
    let page = incident(1, "03-07 02:30 trigger\n03-07 02:30 ack UANN");
    let week = |days: &[Weekday]| days.iter().map(|day| (*day, "10:00", "19:00")).collect();
    let hours = |from, days: &[Weekday]| Hours {
        from,
        zone: Some("Pacific/Auckland"),
        week: week(days),
    };
    let to_saturday = hours(date(2026, 3, 7), &[Weekday::Tuesday, Weekday::Saturday]);
    let check = |versions: Vec<Hours>, want: &str| {
        let mut world = march(std::slice::from_ref(&page));
        world.people = vec![Who {
            id: "UANN".to_owned(),
            hours: versions,
            ..Who::default()
        }];
        table(&world, "page_disruptions", &[("when=working_hours", want)]);
    };
    check(vec![], "0");
    check(vec![to_saturday.clone()], "1");
    // It begins at midnight in its own zone, 6 March 11:00 UTC.
    check(vec![hours(date(2026, 3, 8), &[Weekday::Saturday])], "0");
    check(vec![to_saturday.clone(), hours(date(2026, 3, 6), &[])], "1");
    check(vec![to_saturday, hours(date(2026, 3, 7), &[])], "0");
}

#[test]
fn an_interval_over_midnight_belongs_to_the_day_on_which_it_starts() {
    // Friday 22:00 to Saturday 06:00, in Berlin.
    let at = |at: &str| {
        let mut world = march(&[incident(1, &format!("{at} trigger\n{at} ack UANN"))]);
        world.people = vec![Who {
            id: "UANN".to_owned(),
            hours: vec![Hours {
                from: date(2026, 1, 1),
                zone: Some("Europe/Berlin"),
                week: vec![
                    (Weekday::Friday, "22:00", "06:00"),
                    (Weekday::Sunday, "23:00", "24:00"),
                ],
            }],
            ..Who::default()
        }];
        world.shows("page_disruptions", "when=working_hours")
    };
    let rows = [
        ("03-06 20:59", "0"),
        ("03-06 21:00", "1"),
        ("03-07 04:59", "1"),
        ("03-07 05:00", "0"),
        ("03-06 04:00", "0"),
        ("03-08 22:59", "1"),
        ("03-08 23:00", "0"),
    ];
    for (time, want) in rows {
        assert_eq!(at(time), want, "{time}");
    }
}

#[test]
fn working_hours_that_say_nothing_are_refused() {
    let week = |start, end| im_metrics::Week::default().with(Weekday::Monday, start, end);
    let error = |start, end| week(start, end).unwrap_err().to_string();
    assert_eq!(
        error("08:00", "08:00"),
        "working hours from 08:00 to 08:00 are empty: for a whole day write 00:00 to 24:00"
    );
    for (start, end) in [
        ("8:00", "18:00"),
        ("24:00", "06:00"),
        ("08:00", "24:01"),
        ("08:60", "09:00"),
        ("", "09:00"),
    ] {
        assert!(
            error(start, end).contains("is not a time of day"),
            "{start} {end}"
        );
    }
    assert!(week("00:00", "24:00").is_ok());
}

#[test]
fn m_008_pages_by_people_belong_to_the_persons_teams_then() {
    let mut world = march(&[
        acks(
            1,
            &[("08:00", "UANN"), ("08:10", "UBOB"), ("08:20", "UCAT")],
        ),
        incident(2, "03-20 08:00 trigger\n03-20 08:00 ack UBOB"),
    ]);
    world.histories[0].teams = vec!["TINCIDENT".to_owned()];
    let who = |id: &str, memberships: Vec<Membership>| Who {
        id: id.to_owned(),
        memberships,
        ..Who::default()
    };
    let until = |last| Membership {
        to: Some(last),
        ..team("TA")
    };
    world.people = vec![
        who("UANN", vec![team("TA"), team("TB")]),
        who("UBOB", vec![until(date(2026, 3, 19))]),
    ];
    table(
        &world,
        "pages",
        &[
            (
                "source=acknowledgements group_by=team",
                "TA: 2\nTB: 1\nnone: 2",
            ),
            ("source=acknowledgements", "4"),
            ("source=acknowledgements team=TA", "2"),
            ("source=acknowledgements team=TA group_by=team", "TA: 2"),
            ("source=acknowledgements team=null", "2"),
            // By incidents it is the incident's.
            ("group_by=team", "TINCIDENT: 1\nnone: 1"),
        ],
    );
    // What is left out is told by the incident's own teams.
    world.histories[0].title = "[test]".to_owned();
    assert_eq!(
        world.leaves_out("pages", "source=acknowledgements team=TINCIDENT"),
        "test=1 merged=0"
    );
    assert_eq!(
        world.leaves_out("pages", "source=acknowledgements team=TA user=UANN"),
        "test=0 merged=0"
    );
}

#[test]
fn g05_a_user_who_was_linked_is_the_person() {
    let mut world = march(&[acks(1, &[("08:00", "ann@example.com"), ("08:10", "UANN")])]);
    world.people = vec![Who {
        id: "UANN".to_owned(),
        memberships: vec![team("TA")],
        ..Who::default()
    }];
    let asked = "source=acknowledgements group_by=user";
    table(&world, "pages", &[(asked, "UANN: 1\nann@example.com: 1")]);
    let link = ("ann@example.com".to_owned(), "UANN".to_owned());
    world.same_person.extend([link]);
    table(
        &world,
        "pages",
        &[
            (asked, "UANN: 2"),
            ("source=acknowledgements group_by=team", "TA: 2"),
            ("source=acknowledgements collapse_minutes=30", "1"),
        ],
    );
}

#[test]
fn what_paging_costs_each_person() {
    let story = "
        03-02 02:00 trigger
        03-02 02:00 notify UANN push
        03-02 02:10 escalate UBOB
        03-02 02:10 notify UBOB push
        03-02 02:20 ack UBOB
        03-02 02:30 ack UANN
        03-02 09:00 assign UANN
        03-02 09:00 notify UANN push
        03-02 09:05 ack UBOB
        03-02 09:10 escalate UCAT
        03-02 09:20 assign UANN
        03-02 09:30 ack UANN";
    // Ann's page at 02:00: nobody had it before the escalation; she took it at 02:30, before her next
    // episode. The one at 09:00 was taken by Bob before the escalation, and by her only after her next
    // episode had begun. 02:00 UTC is 03:00 in Berlin.
    let mut world = march(&[incident(1, story)]);
    table(
        &world,
        "oncall_load",
        &[
            (
                "",
                "UANN: 2 pages, acknowledged 0.5 after 1800, out 0.5, away 1
                 UBOB: 1 pages, acknowledged 1 after 600, out 1, away 0",
            ),
            (
                "user=UBOB group_by=urgency",
                "UBOB high: 1 pages, acknowledged 1 after 600, out 1, away 0",
            ),
        ],
    );
    // Nothing came of it until 02:15.
    table(
        &world,
        "oncall_load",
        &[(
            "as_of_time=2026-03-02T02:15:00Z",
            "UANN: 1 pages, acknowledged 0 after -, out 1, away 1
             UBOB: 1 pages, acknowledged 0 after -, out 1, away 0",
        )],
    );
    world.histories.clear();
    table(&world, "oncall_load", &[("", "")]);
}

#[test]
fn s41_s47_groups_read_the_trigger_unless_today_is_asked_for() {
    let mut history = acks(1, &[("08:00", "UANN")]);
    history.current.urgency = Some("low".to_owned());
    history.current.service = Some("SWEB".to_owned());
    history.at_trigger.priority = None;
    history.current.priority = Some("PR1".to_owned());
    let world: World = march(&[history]);
    table(
        &world,
        "pages",
        &[
            ("group_by=urgency", "high: 1"),
            ("group_by=urgency as_of=current", "low: 1"),
            ("group_by=priority", "none: 1"),
            ("group_by=priority as_of=current", "PR1: 1"),
            ("urgency=high", "1"),
            ("urgency=high as_of=current", "0"),
            ("priority=null", "1"),
            ("service=SWEB as_of=current", "1"),
            ("service=SWEB service=SDB", "1"),
            ("service=SWEB urgency=high", "0"),
            ("title=DB+DOWN", "1"),
            ("title=down+db", "0"),
        ],
    );
}

#[test]
fn s97_what_is_no_page_to_somebody_can_be_filtered_away() {
    let mut request = incident(1, "03-02 09:00 trigger\n03-02 09:01 notify UANN email");
    request.at_trigger.urgency = Some("low".to_owned());
    request.title = "Work request 7".to_owned();
    let silent = incident(2, "03-02 09:00 trigger");
    let real = incident(3, "03-02 09:00 trigger\n03-02 09:01 notify UANN push");
    let world = march(&[request, silent, real]);
    table(
        &world,
        "pages",
        &[
            ("", "3"),
            ("urgency=high", "2"),
            ("title=work+request", "1"),
            ("source=notifications", "1"),
        ],
    );
}

#[test]
fn s99_who_slept_through_was_paged_all_the_same() {
    let story = "
        03-02 02:00 trigger
        03-02 02:00 notify UANN push
        03-02 02:30 escalate UBOB
        03-02 02:30 notify UBOB push
        03-02 02:31 ack UBOB";
    table(
        &march(&[incident(1, story)]),
        "page_disruptions",
        &[
            ("group_by=user", "UBOB: 1"),
            ("group_by=user source=notifications", "UANN: 1\nUBOB: 1"),
        ],
    );
}
