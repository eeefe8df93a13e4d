//! Findings and insights on hand-made histories.

use im_metrics::input::{History, Values};
use im_metrics::{Change, Dimension, Findings, Insight, Metric, Overloaded, Recurring, Stage};
use jiff::civil::date;

use crate::given::{World, at, incident, march, query};

const MARCH: &str = "from=2026-03-01 to=2026-03-31";

fn on(service: &str, number: i64, title: &str, story: &str) -> History {
    let mut history = incident(number, story);
    title.clone_into(&mut history.title);
    history.at_trigger = Values {
        service: Some(service.to_owned()),
        urgency: Some("high".to_owned()),
        ..Values::default()
    };
    history
}

fn find(world: &World, pages_max: f64) -> Findings {
    let asked = query("incident_frequency", MARCH);
    world
        .engine()
        .findings(&asked, pages_max, world.now)
        .unwrap()
}

fn explain(world: &World, metric: &str, params: &str) -> Vec<Insight> {
    let asked = query(metric, &format!("from=2026-03-15 to=2026-03-28 {params}"));
    world.engine().insights(&asked, world.now).unwrap()
}

#[test]
fn mw_19_a_matter_recurs_on_one_service_within_thirty_days() {
    let world = march(&[
        on("SDB", 1, "disk full on db-1", "03-01 08:00 trigger"),
        on("SDB", 2, "Disk full on db-7", "03-10 08:00 trigger"),
        on("SWEB", 3, "disk full on db-1", "03-11 08:00 trigger"),
        on("SDB", 4, "disk full on db-9 [test]", "03-12 08:00 trigger"),
        on("SDB", 5, "disk full on db-9", "03-30 07:00 trigger"),
        on("SDB", 6, "cpu", "03-30 08:00 trigger"),
    ]);
    let found = find(&world, 7.0);
    let want = Recurring {
        service: Some("SDB".to_owned()),
        title: "disk full on".to_owned(),
        incidents: vec![1, 2, 5],
        first: at("2026-03-01 08:00"),
        last: at("2026-03-30 07:00"),
    };
    assert_eq!((found.incidents, found.recurring), (5, vec![want]));
    // More than 30 days apart they are two matters.
    let mut far = march(&[
        on("SDB", 1, "disk full", "03-01 08:00 trigger"),
        on("SDB", 2, "disk full", "03-30 08:00 trigger"),
    ]);
    assert_eq!(find(&far, 7.0).recurring.len(), 1);
    far.histories[0].events[0].at = at("2026-02-01 08:00");
    let asked = query("incident_frequency", "from=2026-02-01 to=2026-03-31");
    let found = far.engine().findings(&asked, 7.0, far.now).unwrap();
    assert_eq!(found.recurring, []);
}

#[test]
fn s51_a_key_that_comes_again_after_the_end_is_the_same_matter() {
    let mut world = march(&[
        on(
            "SDB",
            1,
            "first words",
            "03-02 08:00 trigger\n03-02 09:00 resolve UANN",
        ),
        on("SDB", 2, "other words", "03-03 08:00 trigger"),
        on("SDB", 3, "third words", "03-04 08:00 trigger"),
        on("SDB", 4, "third words", "03-05 08:00 trigger"),
    ]);
    for (history, key) in world.histories.iter_mut().zip(["k", "k", "k", ""]) {
        history.key = Some(key.to_owned()).filter(|key| !key.is_empty());
    }
    let found = find(&world, 7.0).recurring;
    let matters: Vec<_> = found.iter().map(|one| one.incidents.clone()).collect();
    // The last has the title of the third, which has the key of the others.
    assert_eq!(matters, [vec![1, 2, 3, 4]]);
    let engine = world.engine();
    let from = |number| engine.recurs_from(number);
    assert_eq!([1, 2, 3, 4].map(from), [None, Some(1), Some(2), Some(3)]);
    assert_eq!(engine.seen_before(3), [2, 1], "the newest first");
    assert_eq!(engine.seen_before(9), [], "of none that is known");
}

#[test]
fn mw_20_s32_s49_the_longest_stage_and_the_time_without_an_owner_are_told() {
    let story = "
        03-02 08:00 trigger
        03-02 08:00 assign UANN
        03-02 08:10 ack UANN
        03-02 08:20 unack
        03-02 08:30 escalate UBOB
        03-02 08:40 ack UBOB
        03-02 08:50 assign UCAT
        03-02 09:10 resolve UCAT";
    let world = march(&[
        on("SDB", 1, "a", story),
        on(
            "SWEB",
            2,
            "b",
            "03-02 08:00 trigger\n03-02 08:30 ack UANN\n03-02 08:40 resolve UANN",
        ),
        on("SWEB", 3, "c", "03-30 08:00 trigger"),
    ]);
    let found = find(&world, 7.0).bottlenecks;
    let [db, web] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(db.service.as_deref(), Some("SDB"));
    assert_eq!(
        (db.to_acknowledge, db.to_resolve),
        (Some(600.0), Some(3_600.0))
    );
    assert_eq!(db.longest, Some(Stage::Resolve));
    assert_eq!((db.escalations, db.reassignments), (1, 1));
    assert_eq!(
        (db.unowned, db.unowned_share),
        (1_800.0, Some(1_800.0 / 4_200.0))
    );
    assert_eq!(
        (web.to_acknowledge, web.to_resolve),
        (Some(1_800.0), Some(600.0))
    );
    assert_eq!(web.longest, Some(Stage::Acknowledge));
    // What is open is without an owner until now.
    let open = world
        .now
        .duration_since(at("2026-03-30 08:00"))
        .as_secs_f64();
    assert_eq!(Some(web.unowned), Some(1_800.0 + open));
}

#[test]
fn mw_15_triggers_are_in_the_heat_map_on_the_organisations_clock() {
    let mut world = march(&[
        on("SDB", 1, "a", "03-02 23:30 trigger"),
        on("SDB", 2, "b", "03-09 22:59 trigger"),
    ]);
    world.zone = "Europe/Berlin";
    let heat = find(&world, 7.0).heat;
    let hot: Vec<(usize, usize, &[i64])> = (0..7)
        .flat_map(|day| (0..24).map(move |hour| (day, hour)))
        .filter(|(day, hour)| !heat[*day][*hour].is_empty())
        .map(|(day, hour)| (day, hour, &heat[day][hour][..]))
        .collect();
    assert_eq!(hot, [(0, 23, &[2][..]), (1, 0, &[1][..])]);
}

/// Three incidents that took so long, from a day of March on.
fn three(first: i64, service: &str, day: i8, minutes: i8) -> Vec<History> {
    (0..3)
        .map(|more| {
            let day = day + i8::try_from(more).unwrap();
            let story = format!(
                "03-{day:02} 08:00 trigger\n03-{day:02} 08:00 ack UANN\n03-{day:02} 08:{minutes:02} resolve UANN"
            );
            on(service, first + more, &format!("{service} {more} {minutes}"), &story)
        })
        .collect()
}

/// In the second half of March the database is slower, the web as it was.
fn slower() -> World {
    let all = [
        three(1, "SDB", 2, 10),
        three(4, "SWEB", 2, 20),
        three(7, "SDB", 16, 40),
        three(10, "SWEB", 16, 20),
    ];
    march(&all.concat())
}

#[test]
fn mw_16_what_became_worse_is_ranked_by_how_much() {
    let world = slower();
    let asked = query("incident_frequency", "from=2026-03-15 to=2026-03-28");
    let found = world.engine().findings(&asked, 7.0, world.now).unwrap();
    let want = [Change {
        metric: Metric::Mttr,
        of: Dimension::Service,
        key: Some("SDB".to_owned()),
        before: 600.0,
        now: 2_400.0,
        times: Some(4.0),
        incidents: vec![7, 8, 9],
    }];
    assert_eq!(found.changes, want);
}

#[test]
fn m_013_an_insight_names_what_moved_a_figure_most() {
    let world = slower();
    let found = explain(&world, "mttr", "");
    let [whole] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(whole.figure.headline(Metric::Mttr), Some(1_800.0));
    assert_eq!(whole.before.unwrap().headline(Metric::Mttr), Some(900.0));
    let mover = whole.mover.as_ref().unwrap();
    assert_eq!((mover.by, mover.key.as_str()), (Dimension::Service, "SDB"));
    // Half of the incidents took 30 minutes more.
    assert_eq!(mover.change, Some(900.0));
    let found = explain(&world, "mttr", "group_by=service");
    let movers: Vec<_> = found
        .iter()
        .map(|one| {
            (
                one.keys[0].as_deref(),
                one.mover.as_ref().map(|mover| mover.by),
            )
        })
        .collect();
    assert_eq!(
        movers,
        [
            (Some("SDB"), Some(Dimension::Urgency)),
            (Some("SWEB"), None)
        ]
    );
    // Nothing happened before.
    let found = explain(&world, "escalations", "");
    assert_eq!(found[0].mover, None);
}

/// SEV-1 incidents of a day that were over in time, and those that were late.
fn judged(world: &mut World, service: &str, day: &str, (met, late): (usize, usize)) {
    for hours in [vec!["09"; met], vec!["19"; late]].concat() {
        let number = i64::try_from(world.histories.len()).unwrap() + 1;
        let story = format!("{day} 08:30 trigger\n{day} {hours}:00 resolve UANN");
        let mut history = on(service, number, "x", &story);
        history.severity = Some("SEV-1".to_owned());
        world.histories.push(history);
    }
}

#[test]
fn a_part_that_improved_but_shrank_did_not_make_the_whole_worse() {
    let mut world = march(&[]);
    let services = [
        ("SNOTIFY", (21, 1), (11, 0)),
        ("SDB", (14, 0), (15, 2)),
        ("SWEB", (8, 0), (20, 0)),
    ];
    for (service, before, now) in services {
        judged(&mut world, service, "03-02", before);
        judged(&mut world, service, "03-16", now);
    }
    let found = explain(&world, "sla_compliance", "");
    let [whole] = &found[..] else {
        panic!("{found:?}")
    };
    let headline = whole.figure.headline(Metric::SlaCompliance);
    assert_eq!(headline, Some(46.0 / 48.0));
    let mover = whole.mover.as_ref().unwrap();
    assert_eq!(mover.key, "SDB");
    // The share of its items times what it is away from the whole of before, now less then.
    let before = 43.0 / 44.0;
    let want = 17.0 / 48.0 * (15.0 / 17.0 - before) - 14.0 / 44.0 * (1.0 - before);
    let change = mover.change.unwrap();
    assert!((change - want).abs() < 1e-12, "{change} {want}");
}

#[test]
fn who_moved_a_median_is_named_without_an_amount() {
    let found = explain(&slower(), "time_to_restore", "");
    let mover = found[0].mover.as_ref().unwrap();
    assert_eq!((mover.key.as_str(), mover.change), ("SDB", None));
}

#[test]
fn a_group_that_had_nothing_before_was_at_0_of_what_is_counted() {
    let world = march(&[
        on("SDB", 1, "x", "03-02 08:00 trigger"),
        on(
            "SDB",
            2,
            "x",
            "03-16 08:00 trigger\n03-16 08:10 resolve UANN",
        ),
        on(
            "SWEB",
            3,
            "x",
            "03-16 08:00 trigger\n03-16 08:10 resolve UANN",
        ),
    ]);
    let before = |metric: &str| -> Vec<_> {
        let of = Metric::parse(metric).unwrap();
        let found = explain(&world, metric, "group_by=service");
        let told = found.iter().map(|one| {
            let before = one.before.map(|before| before.headline(of));
            (one.keys[0].clone().unwrap(), before.flatten())
        });
        told.collect()
    };
    let want = |of_db, of_web| [("SDB".to_owned(), of_db), ("SWEB".to_owned(), of_web)];
    assert_eq!(before("pages"), want(Some(1.0), Some(0.0)));
    let per_day = Some(1.0 / 14.0);
    assert_eq!(before("incident_frequency"), want(per_day, Some(0.0)));
    assert_eq!(
        before("mttr"),
        want(None, None),
        "a mean of nothing is none"
    );
    let found = explain(&world, "pages", "group_by=service");
    let mover = found[1].mover.as_ref().unwrap();
    assert_eq!((mover.by, mover.change), (Dimension::Urgency, Some(1.0)));
}

#[test]
fn behind_a_reopen_rate_that_rose_are_those_that_were_reopened() {
    let over = |day: i8| format!("03-{day:02} 08:00 trigger\n03-{day:02} 08:10 resolve UANN");
    let again = |day: i8| format!("{}\n03-{day:02} 08:20 reopen UANN", over(day));
    let world = march(&[
        on("SDB", 1, "a", &over(2)),
        on("SDB", 2, "b", &over(3)),
        on("SDB", 3, "c", &over(4)),
        on("SDB", 4, "d", &again(16)),
        on("SDB", 5, "e", &over(17)),
        on("SDB", 6, "f", &again(18)),
    ]);
    let asked = query("incident_frequency", "from=2026-03-15 to=2026-03-28");
    let found = world.engine().findings(&asked, 7.0, world.now).unwrap();
    let mut changes = found.changes.iter();
    let rate = changes.find(|change| change.metric == Metric::ReopenRate);
    assert_eq!(rate.unwrap().incidents, [4, 6]);
}

#[test]
fn m_005_weeks_with_more_pages_than_the_target_are_told() {
    // The first is taken last; the week after, Bob has two and Ann one.
    let pages = [
        (1, "UANN", "03-09", "03-13"),
        (2, "UANN", "03-10", "03-10"),
        (3, "UANN", "03-11", "03-11"),
        (4, "UANN", "03-12", "03-12"),
        (5, "UBOB", "03-16", "03-16"),
        (6, "UANN", "03-17", "03-17"),
        (7, "UBOB", "03-18", "03-18"),
    ];
    let pages = pages.map(|(number, user, trigger, ack)| {
        let story = format!("{trigger} 08:00 trigger\n{ack} 08:00 ack {user}");
        on("SDB", number, "x", &story)
    });
    let world = march(&pages);
    assert_eq!(find(&world, 4.0).overloaded, []);
    let want = Overloaded {
        user: "UANN".to_owned(),
        week: date(2026, 3, 9),
        pages: 4,
        incidents: vec![1, 2, 3, 4],
    };
    assert_eq!(find(&world, 3.0).overloaded, std::slice::from_ref(&want));
    let of_bob = Overloaded {
        user: "UBOB".to_owned(),
        week: date(2026, 3, 16),
        pages: 2,
        incidents: vec![5, 7],
    };
    assert_eq!(find(&world, 1.0).overloaded, [want, of_bob]);
}

#[test]
fn s35_of_a_chain_of_merges_the_last_target_alone_is_counted() {
    let merged = |number: i64, at: &str| {
        let mut history = incident(
            number,
            &format!("03-02 08:00 trigger\n03-02 {at} resolve UANN"),
        );
        history.merged = true;
        history
    };
    let target = incident(3, "03-02 08:00 trigger\n03-02 09:00 resolve UANN");
    let world = march(&[merged(1, "08:05"), merged(2, "08:10"), target]);
    let mttr = world.ask("mttr", &format!("{MARCH} bucket=all"));
    assert_eq!(
        mttr.series[0].total.figure.headline(Metric::Mttr),
        Some(3_600.0)
    );
    assert_eq!(
        (mttr.series[0].total.figure.count(), mttr.left_out.merged),
        (1, 2)
    );
    assert_eq!(find(&world, 7.0).incidents, 1);
}

#[test]
fn s42_priority_and_urgency_are_grouped_and_filtered_apart() {
    let mut histories = vec![
        on("SDB", 1, "a", "03-02 08:00 trigger"),
        on("SDB", 2, "b", "03-02 08:00 trigger"),
    ];
    histories[0].at_trigger.priority = Some("PR1".to_owned());
    histories[1].at_trigger.urgency = Some("low".to_owned());
    let world = march(&histories);
    let counts = |params: &str| {
        let answer = world.ask(
            "incident_frequency",
            &format!("{MARCH} bucket=all {params}"),
        );
        let series = answer.series.into_iter();
        let count = |one: im_metrics::Series| (one.keys[0].clone(), one.total.figure.count());
        series.map(count).collect::<Vec<_>>()
    };
    let some = |key: &str| Some(key.to_owned());
    assert_eq!(counts("group_by=priority"), [(some("PR1"), 1), (None, 1)]);
    assert_eq!(
        counts("group_by=urgency"),
        [(some("high"), 1), (some("low"), 1)]
    );
    assert_eq!(counts("group_by=urgency priority=null"), [(some("low"), 1)]);
}
