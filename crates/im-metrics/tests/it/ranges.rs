//! Ranges, buckets, comparison, refusals, and how the engine is fed.

use im_metrics::input::{Event, History, ResolverKind, Settings, What};
use im_metrics::{Engine, Figure};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::given::{World, ask, at, incident, march, query, table};

fn on(number: i64, trigger: &str) -> History {
    incident(number, &format!("{trigger} trigger"))
}

/// Label, first and last date, days, partial, incomplete.
fn buckets(world: &World, params: &str) -> Vec<String> {
    let answer = world.ask("pages", params);
    let shown = answer.buckets.iter().map(|bucket| {
        let mark = |yes, word: &'static str| if yes { word } else { "" };
        format!(
            "{} {}..{} {}{}{}",
            bucket.label,
            bucket.first.strftime("%m-%d"),
            bucket.last.strftime("%m-%d"),
            bucket.days,
            mark(bucket.partial, " partial"),
            mark(bucket.incomplete, " incomplete"),
        )
    });
    shown.collect()
}

#[test]
fn the_default_is_42_days_up_to_today_in_weeks() {
    // 23:30 UTC is the first of April in Berlin.
    let mut world = march(&[]);
    world.now = at("2026-03-31 23:30");
    let answer = world.ask("pages", "");
    assert_eq!(
        answer.range,
        (
            jiff::civil::date(2026, 2, 19),
            jiff::civil::date(2026, 4, 1)
        )
    );
    assert_eq!(
        buckets(&world, ""),
        [
            "2026-02-16 02-19..02-22 4 partial",
            "2026-02-23 02-23..03-01 7",
            "2026-03-02 03-02..03-08 7",
            "2026-03-09 03-09..03-15 7",
            "2026-03-16 03-16..03-22 7",
            "2026-03-23 03-23..03-29 7",
            "2026-03-30 03-30..04-01 3 partial incomplete",
        ]
    );
    // With an end alone, the start is 41 days before it.
    let answer = world.ask("pages", "to=2026-02-19");
    assert_eq!(answer.range.0, jiff::civil::date(2026, 1, 9));
}

#[test]
fn months_quarters_and_all() {
    let world = march(&[]);
    assert_eq!(
        buckets(&world, "bucket=month from=2026-02-10 to=2026-04-30"),
        [
            "2026-02-01 02-10..02-28 19 partial",
            "2026-03-01 03-01..03-31 31 incomplete",
            "2026-04-01 04-01..04-30 30",
        ]
    );
    assert_eq!(
        buckets(&world, "bucket=quarter from=2025-12-31 to=2026-03-31"),
        [
            "2025-10-01 12-31..12-31 1 partial",
            "2026-01-01 01-01..03-31 90 incomplete"
        ]
    );
    assert_eq!(
        buckets(&world, "bucket=all from=2026-02-10 to=2026-02-11"),
        ["2026-02-10 02-10..02-11 2"]
    );
}

#[test]
fn s102_buckets_are_cut_at_local_midnight_through_daylight_saving() {
    // Berlin: 29 March begins at 23:00 UTC and ends at 22:00 UTC.
    let world = march(&[
        on(1, "03-28 22:59:59.999999"),
        on(2, "03-28 23:00"),
        on(3, "03-29 21:59:59.999999"),
        on(4, "03-29 22:00"),
    ]);
    table(
        &world,
        "pages",
        &[(
            "bucket=day from=2026-03-28 to=2026-03-30",
            "03-28: 1\n03-29: 2\n03-30: 1",
        )],
    );
    // Havana has no midnight on 8 March 2026: the date begins at 01:00, 05:00 UTC.
    let mut havana = march(&[on(1, "03-08 04:59"), on(2, "03-08 05:00")]);
    havana.zone = "America/Havana";
    table(
        &havana,
        "pages",
        &[(
            "bucket=day from=2026-03-07 to=2026-03-08",
            "03-07: 1\n03-08: 1",
        )],
    );
}

#[test]
fn mw_09_empty_buckets_are_all_there() {
    let world = march(&[
        on(1, "03-02 09:00"),
        on(2, "03-16 09:00"),
        on(3, "03-16 10:00"),
    ]);
    let weeks = "bucket=week from=2026-03-02 to=2026-03-22";
    table(
        &world,
        "incident_frequency",
        &[(
            weeks,
            "03-02: 1, 0.14285714285714285 a day
             03-09: 0, 0 a day
             03-16: 2, 0.2857142857142857 a day",
        )],
    );
    table(
        &world,
        "mttr",
        &[(weeks, "03-02: n=0\n03-09: n=0\n03-16: n=0")],
    );
}

#[test]
fn the_total_is_of_the_whole_range() {
    let world = march(&[
        incident(1, "03-02 09:00 trigger\n03-02 09:10 resolve UANN"),
        incident(2, "03-16 09:00 trigger\n03-16 09:30 resolve UANN"),
    ]);
    let answer = world.ask("mttr", "from=2026-03-02 to=2026-03-22");
    let im_metrics::Figure::Durations(total) = answer.series[0].total.figure else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (total.n, total.mean, total.max),
        (2, Some(1_200.0), Some(1_800.0))
    );
}

#[test]
fn the_comparison_is_the_same_query_over_as_many_dates_before() {
    let world = march(&[
        on(1, "03-01 09:00"),
        on(2, "03-02 09:00"),
        on(3, "03-09 09:00"),
    ]);
    let answer = world.ask(
        "pages",
        "from=2026-03-08 to=2026-03-14 compare=previous service=SDB",
    );
    let previous = answer.previous.unwrap();
    assert_eq!(
        previous.range,
        (jiff::civil::date(2026, 3, 1), jiff::civil::date(2026, 3, 7))
    );
    assert_eq!(
        previous.series[0].total.figure,
        im_metrics::Figure::Count { n: 2 }
    );
    assert_eq!(previous.buckets.len(), 2);
    assert!(world.ask("pages", "").previous.is_none());
}

#[test]
fn open_at_the_end_of_each_bucket_or_now() {
    let story = "
        03-02 09:00 trigger
        03-03 23:00 resolve UANN
        03-05 09:00 reopen";
    // 3 March ends in Berlin at 23:00 UTC: it was open just before.
    let mut world = march(&[incident(1, story)]);
    world.now = at("2026-03-05 10:00");
    let days = "bucket=day from=2026-03-01 to=2026-03-06";
    table(
        &world,
        "open_incidents",
        &[
            (
                days,
                "03-01: 0\n03-02: 1\n03-03: 1\n03-04: 0\n03-05: 1\n03-06: 1",
            ),
            (
                &format!("{days} as_of_time=2026-03-05T08:59:59Z"),
                "03-01: 0\n03-02: 1\n03-03: 1\n03-04: 0\n03-05: 0\n03-06: 0",
            ),
            (
                &format!("{days} group_by=service"),
                "SDB 03-01: 0\nSDB 03-02: 1\nSDB 03-03: 1\nSDB 03-04: 0\nSDB 03-05: 1\nSDB 03-06: 1",
            ),
        ],
    );
}

#[test]
fn nothing_after_as_of_time_exists() {
    let world = march(&[on(1, "03-02 09:00"), on(2, "03-02 10:00")]);
    table(
        &world,
        "pages",
        &[
            ("as_of_time=2026-03-02T10:00:00Z", "2"),
            ("as_of_time=2026-03-02T09:59:59.999999Z", "1"),
        ],
    );
    // Its local date is today.
    let answer = world.ask("pages", "as_of_time=2026-03-02T23:30:00Z");
    assert_eq!(answer.range.1, jiff::civil::date(2026, 3, 3));
}

/// What is refused, and what the refusal says.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "mttx",
        "",
        "`mttx` is not a metric: use mttr, mtta, pages, page_disruptions, incident_frequency, deployment_frequency, change_failure_rate, time_to_restore, failed_deployment_recovery_time, change_lead_time, deployment_rework_rate, sla_compliance, oncall_load, reopen_rate, open_incidents or escalations",
    ),
    (
        "mttr",
        "group_by=colour",
        "`group_by` cannot be `colour` for mttr: use none, service, escalation_policy, team, urgency, priority, severity, environment or resolver_kind",
    ),
    (
        "mtta",
        "group_by=resolver_kind",
        "`group_by` cannot be `resolver_kind` for mtta: use none, service, escalation_policy, team, urgency, priority, severity or environment",
    ),
    (
        "mttr",
        "group_by=user",
        "mttr is never shown per person: group or filter by service, escalation_policy, team, urgency, priority, severity, environment or resolver_kind; only oncall_load tells how people respond",
    ),
    (
        "mtta",
        "user=UANN",
        "mtta is never shown per person: group or filter by service, escalation_policy, team, urgency, priority, severity or environment; only oncall_load tells how people respond",
    ),
    (
        "pages",
        "user=UANN",
        "pages with source=incidents has no parameter `user`: use service, team, environment, escalation_policy, urgency, priority, severity, origin or title",
    ),
    (
        "page_disruptions",
        "source=incidents",
        "`source` cannot be `incidents` for page_disruptions: use acknowledgements or notifications",
    ),
    (
        "pages",
        "include_email=true",
        "`include_email` cannot be `true` for pages: use source=notifications with it",
    ),
    (
        "pages",
        "source=notifications collapse_minutes=5",
        "`collapse_minutes` cannot be `5` for pages: use source=acknowledgements with it",
    ),
    (
        "failed_deployment_recovery_time",
        "recovery=open_time",
        "`recovery` cannot be `open_time` for failed_deployment_recovery_time: use last or first",
    ),
    (
        "deployment_frequency",
        "urgency=high",
        "deployment_frequency has no parameter `urgency`: use from, to, bucket, group_by, as_of, as_of_time, compare, sort, view, benchmark, service, team or environment",
    ),
    (
        "mttr",
        "urgency=medium",
        "`urgency` cannot be `medium` for mttr: use high, low or null",
    ),
    (
        "mttr",
        "bucket=year",
        "`bucket` cannot be `year` for mttr: use day, week, month, quarter or all",
    ),
    (
        "mttr",
        "view=grafana",
        "`view` cannot be `grafana` for mttr: use multitudes, middleware or datadog",
    ),
    (
        "mttr",
        "from=2026-3-1",
        "`from` cannot be `2026-3-1` for mttr: use a date such as 2026-11-30",
    ),
    (
        "mttr",
        "as_of_time=yesterday",
        "`as_of_time` cannot be `yesterday` for mttr: use an instant such as 2026-11-30T09:00:00Z",
    ),
    (
        "mttr",
        "bucket=day bucket=week",
        "`bucket` was given twice: once is enough",
    ),
    (
        "mttr",
        "from=2026-03-02 to=2026-03-01",
        "the range ends on 2026-03-01, before it starts on 2026-03-02: give `from` a date up to 2026-03-01",
    ),
    (
        "change_failure_rate",
        "max_lag=soon",
        "`max_lag` cannot be `soon` for change_failure_rate: use a length such as 24h, 90m or 2d, or none",
    ),
    (
        "change_failure_rate",
        "benchmark=2020",
        "`benchmark` cannot be `2020` for change_failure_rate: use 2019, 2021, 2022, 2023, 2024 or none",
    ),
    (
        "mttr",
        "benchmark=2024",
        "mttr has no parameter `benchmark`: use from, to, bucket, group_by, as_of, as_of_time, compare, sort, view, history, recovery, bucket_by, service, team, environment, escalation_policy, urgency, priority, severity, resolver_kind, origin or title",
    ),
    (
        "oncall_load",
        "group_by=severity",
        "`group_by` cannot be `severity` for oncall_load: use none, service, team or urgency",
    ),
];

#[test]
fn questions_that_make_no_sense_are_refused_with_what_does() {
    for (metric, params, want) in REFUSED {
        let refused = ask(metric, params).unwrap_err();
        assert_eq!(refused.to_string(), *want);
    }
}

#[test]
fn ranges_that_no_answer_can_hold_are_refused() {
    let engine = march(&[]).engine();
    let long = query("mttr", "from=1990-01-01 to=2026-03-01 bucket=day");
    assert_eq!(
        engine
            .answer(&long, at("2026-03-01 00:00"))
            .unwrap_err()
            .to_string(),
        "a range from 1990-01-01 to 2026-03-01 has more than 3660 buckets of a day: use a longer `bucket` or a shorter range"
    );
    let first = query(
        "pages",
        "from=0000-01-01 to=2026-03-01 bucket=all compare=previous",
    );
    let refused = engine.answer(&first, at("2026-03-01 00:00")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "there is no time before 0000-01-01 to compare as many dates with: give a later `from`, or leave `compare` out"
    );
    // A start alone may lie after today.
    let future = query("mttr", "from=2026-05-01");
    let refused = engine.answer(&future, at("2026-03-01 00:00")).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("the range ends on 2026-03-01, before"),
        "{refused}"
    );
}

#[test]
fn a_history_that_grows_takes_the_place_of_what_was_known() {
    let world = march(&[]);
    let mut engine = Engine::new(world.settings());
    let asked = query("mttr", "from=2026-03-01 to=2026-03-31 bucket=all");
    let n = |engine: &Engine| match engine.answer(&asked, world.now).unwrap().series[0]
        .total
        .figure
    {
        im_metrics::Figure::Durations(found) => (found.n, found.mean),
        other => panic!("{other:?}"),
    };
    let whole = incident(
        7,
        "03-02 09:00 trigger\n03-02 09:05 ack UANN\n03-02 09:10 resolve UANN",
    );
    for known in 1..=3 {
        let mut part = whole.clone();
        part.events.truncate(known);
        engine.put(&part);
        engine.put(&part);
        assert_eq!(engine.len(), 1);
    }
    assert_eq!(n(&engine), (1, Some(600.0)));
    engine.put(&incident(
        8,
        "03-02 09:00 trigger\n03-02 09:20 resolve UANN",
    ));
    engine.remove(7);
    assert_eq!((engine.len(), n(&engine)), (1, (1, Some(1_200.0))));
    engine.remove(7);
    // Without a trigger it is no incident.
    engine.put(&incident(8, "03-02 09:20 resolve UANN"));
    assert!(engine.is_empty());
}

#[test]
fn ten_thousand_changes_of_one_incident_leave_one() {
    let world = march(&[]);
    let mut engine = Engine::new(world.settings());
    let whole = incident(
        7,
        "03-02 09:00 trigger\n03-02 09:05 ack UANN\n03-02 09:10 resolve UANN",
    );
    for _ in 0..10_000 {
        engine.put(&whole);
    }
    let asked = query(
        "pages",
        "source=acknowledgements from=2026-03-01 to=2026-03-31",
    );
    let answer = engine.answer(&asked, world.now).unwrap();
    assert_eq!(
        answer.series[0].total.figure,
        im_metrics::Figure::Count { n: 1 }
    );
}

#[test]
fn new_working_hours_recompute_the_past() {
    let page = incident(1, "03-02 09:00 trigger\n03-02 09:00 ack UANN");
    let mut world = march(&[page]);
    let mut engine = world.engine();
    let asked = query(
        "page_disruptions",
        "when=out_of_hours from=2026-03-01 to=2026-03-31",
    );
    let count = |engine: &Engine| {
        engine.answer(&asked, world.now).unwrap().series[0]
            .total
            .figure
    };
    assert_eq!(count(&engine), im_metrics::Figure::Count { n: 0 });
    world.people = vec![crate::given::Who {
        id: "UANN".to_owned(),
        zone: Some("America/Los_Angeles"),
        ..crate::given::Who::default()
    }];
    engine.set(world.settings());
    assert_eq!(count(&engine), im_metrics::Figure::Count { n: 1 });
}

/// More incidents than are kept together, out of order, some of them gone or changed since: a range of one day is answered
/// without a look at most of them, and misses none.
#[test]
fn each_day_of_many_incidents_has_what_was_in_it() {
    const HOUR: i64 = 3_600;
    let midnight = at("2026-03-01 00:00").as_second();
    let started = |number: i64| midnight + (number * 7 % 720) * HOUR + number % 60;
    // Every third is open, the others go on for up to nine days; some were a day longer at first.
    let ended = |number: i64, more: i64| {
        (number % 3 > 0).then_some(started(number) + (number % 9 + more) * 24 * HOUR + 1)
    };
    let history = |number: i64, more: i64| {
        let event = |at: i64, what| Event {
            at: Timestamp::from_second(at).unwrap(),
            what,
        };
        let mut one = incident(number, "03-01 00:00 trigger");
        one.events = vec![event(started(number), What::Triggered)];
        let resolved = |at| event(at, What::Resolved(None, ResolverKind::Api));
        one.events.extend(ended(number, more).map(resolved));
        one
    };
    let mut engine = Engine::new(Settings::new(TimeZone::UTC));
    for number in (1..=5_000).rev() {
        engine.put(&history(number, number % 2));
    }
    let is_gone = |number: &i64| number % 11 == 0;
    for number in 1..=5_000 {
        if is_gone(&number) {
            engine.remove(number);
        } else if number % 2 == 1 {
            engine.put(&history(number, 0));
        }
    }
    let left: Vec<i64> = (1..=5_000).filter(|number| !is_gone(number)).collect();
    let now = at("2026-03-31 00:00");
    for day in 1..=30 {
        let (from, to) = (midnight + (day - 1) * 24 * HOUR, midnight + day * 24 * HOUR);
        let within = |at: i64| from <= at && at < to;
        let count = |metric: &str, more: &str| {
            let params = format!("from=2026-03-{day:02} to=2026-03-{day:02} bucket=all {more}");
            let answer = engine.answer(&query(metric, params.trim()), now).unwrap();
            match answer.series[0].total.figure {
                Figure::Rate { n, .. } | Figure::Count { n } => n,
                Figure::Durations(durations) => durations.n,
                other => panic!("{other:?}"),
            }
        };
        let number_of = |holds: &dyn Fn(i64) -> bool| {
            u64::try_from(left.iter().filter(|number| holds(**number)).count()).unwrap()
        };
        let began = number_of(&|number| within(started(number)));
        assert_eq!(count("incident_frequency", ""), began, "{day}");
        let over = number_of(&|number| ended(number, 0).is_some_and(within));
        assert_eq!(count("mttr", "bucket_by=resolved"), over, "{day}");
        let open =
            number_of(&|number| started(number) < to && ended(number, 0).is_none_or(|at| at >= to));
        assert_eq!(count("open_incidents", ""), open, "{day}");
    }
}
