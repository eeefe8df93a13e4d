//! Sentences of the definitions that no other file is about, one small case each: what holds as of an instant, what is
//! left out first, whose teams count, which instant puts an item into its bucket, hours, links and targets.

use im_metrics::input::{Deployment, FailureRule, History, ManualLink, Membership};
use im_metrics::{Figure, Verdict};

use crate::given::{Hours, Who, World, at, deployment, incident, march, query, table};

fn member(id: &str, team: &str) -> Who {
    Who {
        id: id.to_owned(),
        memberships: vec![Membership {
            team: team.to_owned(),
            from: None,
            to: None,
        }],
        ..Who::default()
    }
}

/// The figures of one duration.
fn one(seconds: u32) -> String {
    format!("n=1 mean={seconds} median={seconds} p90={seconds} min={seconds} max={seconds}")
}

const PLAIN: &str = "
    03-02 09:00 trigger
    03-02 09:10 ack UANN
    03-02 10:00 resolve UANN";

/// Begun on Monday; over on Friday, open again on the Monday after, over on the Wednesday after that.
const LONG: &str = "
    03-02 09:00 trigger
    03-02 09:05 escalate UBOB
    03-06 09:00 resolve UANN
    03-09 09:00 reopen
    03-10 09:00 escalate UBOB
    03-18 09:00 resolve UBOB";

const WEEKS: &str = "bucket=week from=2026-03-02 to=2026-03-22";

// Section 1: facts, and what an instant decides.

#[test]
fn as_of_an_instant_fields_settings_and_values_at_trigger_are_todays() {
    let mut history = incident(1, PLAIN);
    history.current.urgency = Some("low".to_owned());
    history.current.service = Some("SWEB".to_owned());
    history.severity = Some("SEV-1".to_owned());
    history.environment = Some("production".to_owned());
    let mut world = march(&[history]);
    world.people = vec![member("UANN", "TA")];
    // Hours that are entered today hold for the page, too.
    world.people[0].hours = vec![Hours {
        from: jiff::civil::date(2026, 3, 1),
        zone: Some("UTC"),
        week: vec![(jiff::civil::Weekday::Monday, "00:00", "09:00")],
    }];
    let then = "as_of_time=2026-03-02T09:30:00Z";
    for (metric, params, want) in [
        ("pages", "group_by=urgency as_of=current", "low: 1"),
        ("pages", "group_by=urgency", "high: 1"),
        ("pages", "group_by=service as_of=current", "SWEB: 1"),
        ("pages", "severity=SEV-1 environment=production", "1"),
        ("page_disruptions", "when=out_of_hours", "1"),
        ("page_disruptions", "group_by=team", "TA: 1"),
        (
            "sla_compliance",
            "group_by=severity",
            "SEV-1: ack 1/0/0 resolve 0/0/1",
        ),
    ] {
        table(&world, metric, &[(&format!("{params} {then}"), want)]);
    }
}

#[test]
fn a_deployment_that_finishes_later_is_unfinished() {
    let mut history = incident(1, "03-03 09:00 trigger\n03-03 10:00 resolve UANN");
    history.link = Some(ManualLink::Deployment("d2".to_owned()));
    let mut world = march(&[history]);
    let commits = vec![at("2026-03-01 09:00")];
    let of = |id: &str, finished: &str| Deployment {
        unplanned_fix: true,
        commits: commits.clone(),
        ..deployment(id, "SDB", finished)
    };
    world.deployments = vec![of("d1", "03-02 09:00"), of("d2", "03-03 09:00")];
    for (metric, before, after) in [
        (
            "deployment_frequency",
            "1, 0.03225806451612903 a day",
            "2, 0.06451612903225806 a day",
        ),
        ("deployment_rework_rate", "1/1 = 1", "2/2 = 1"),
        ("change_failure_rate", "0/1 = 0", "1/2 = 0.5"),
    ] {
        table(
            &world,
            metric,
            &[
                ("as_of_time=2026-03-03T08:59:59.999999Z", before),
                ("as_of_time=2026-03-03T09:00:00Z", after),
            ],
        );
    }
    table(
        &world,
        "change_lead_time",
        &[("as_of_time=2026-03-03T08:59:59Z", &one(86_400))],
    );
}

#[test]
fn m_008_who_moved_to_another_team_keeps_the_first_one_in_the_past() {
    let story = |day: u32| {
        format!(
            "03-{day:02} 20:00 trigger
             03-{day:02} 20:10 ack UANN
             03-{day:02} 21:00 resolve UANN"
        )
    };
    // Known first in TA, which so holds for all time before; in TB from the 20th on.
    let mut world = march(&[
        incident(1, &story(2)),
        incident(2, &story(19)),
        incident(3, &story(20)),
    ]);
    let stay = |team: &str, from, to| Membership {
        team: team.to_owned(),
        from,
        to,
    };
    let day = |day| Some(jiff::civil::date(2026, 3, day));
    world.people = vec![Who {
        id: "UANN".to_owned(),
        memberships: vec![stay("TA", None, day(19)), stay("TB", day(20), None)],
        ..Who::default()
    }];
    let two = |seconds| one(seconds).replace("n=1", "n=2");
    for (metric, params, old, new) in [
        ("mttr", "", two(3_600), one(3_600)),
        ("mtta", "", two(600), one(600)),
        ("page_disruptions", "", "2".to_owned(), "1".to_owned()),
        (
            "pages",
            "source=acknowledgements",
            "2".to_owned(),
            "1".to_owned(),
        ),
    ] {
        let all = format!("TA: {old}\nTB: {new}");
        let by_team = format!("group_by=team {params}");
        let filtered = format!("team=TB {params}");
        table(&world, metric, &[(&by_team, &all), (&filtered, &new)]);
    }
    // Without dates it holds for all time.
    world.people[0].memberships = vec![stay("TB", None, None)];
    table(&world, "page_disruptions", &[("group_by=team", "TB: 3")]);
}

// Section 2: what is left out, and under which reason.

#[test]
fn each_incident_is_left_out_under_the_first_reason_that_holds() {
    let mut merged_test = incident(1, PLAIN);
    merged_test.title = "[test] page".to_owned();
    merged_test.merged = true;
    let mut open_test = incident(2, "03-02 09:00 trigger");
    open_test.title = "[test] page".to_owned();
    // Merged, never acknowledged, no failure, without a target.
    let mut merged = incident(3, "03-02 09:00 trigger\n03-02 09:10 resolve none");
    merged.merged = true;
    merged.not_change_related = true;
    // Open and no failure; over and no failure, behind which there is no deployment.
    let mut open = incident(4, "03-02 09:00 trigger");
    open.not_change_related = true;
    let mut unlinked = incident(5, PLAIN);
    unlinked.not_change_related = true;
    let world = march(&[merged_test, open_test, merged, open, unlinked]);
    for (metric, want) in [
        ("mttr", "test=2 merged=1 open=1"),
        ("mtta", "test=2 merged=1 unacknowledged=1 of these open=1"),
        ("time_to_restore", "test=2 merged=1 open=1 not_failure=1"),
        (
            "failed_deployment_recovery_time",
            "test=2 merged=1 open=1 not_failure=1 unlinked=0 negative=0",
        ),
        (
            "change_failure_rate",
            "test=2 merged=1 not_failure=2 unlinked=0",
        ),
        ("sla_compliance", "test=2 merged=1 no_target=2"),
    ] {
        assert_eq!(world.leaves_out(metric, ""), want, "{metric}");
    }
}

#[test]
fn a_filter_by_user_leaves_nothing_out() {
    let mut test = incident(1, PLAIN);
    test.title = "[test] page".to_owned();
    let world = march(&[test]);
    for metric in ["page_disruptions", "oncall_load"] {
        for user in ["UANN", "UBOB", "null"] {
            let left_out = world.leaves_out(metric, &format!("user={user}"));
            assert_eq!(left_out, "test=1 merged=0", "{metric} {user}");
        }
    }
}

#[test]
fn change_failure_rate_leaves_out_by_the_incidents_own_service_and_environment() {
    // Of SDB in production, and blamed on a deployment of SWEB in staging.
    let mut history = incident(1, PLAIN);
    history.environment = Some("production".to_owned());
    history.link = Some(ManualLink::Deployment("d1".to_owned()));
    let mut marked = incident(2, PLAIN);
    marked.environment = Some("production".to_owned());
    marked.not_change_related = true;
    let mut world = march(&[history, marked]);
    world.deployments = vec![Deployment {
        environment: Some("staging".to_owned()),
        ..deployment("d1", "SWEB", "03-02 08:00")
    }];
    for (filter, figure, not_failure) in [
        ("service=SWEB environment=staging", "1/1 = 1", 0),
        ("service=SDB environment=production", "0/0 = -", 1),
        ("service=SDB", "0/0 = -", 1),
        ("environment=staging", "1/1 = 1", 0),
    ] {
        table(&world, "change_failure_rate", &[(filter, figure)]);
        let want = format!("test=0 merged=0 not_failure={not_failure} unlinked=0");
        let left_out = world.leaves_out("change_failure_rate", filter);
        assert_eq!(left_out, want, "{filter}");
    }
}

// Section 3: whose teams count.

#[test]
fn a_recovery_counts_for_the_teams_that_its_metric_says() {
    let mut history = incident(
        1,
        "03-02 09:00 trigger
         03-02 09:10 ack UCAT
         03-02 09:20 resolve UANN
         03-02 09:30 reopen
         03-02 10:00 resolve UBOB",
    );
    history.teams = vec!["TINCIDENT".to_owned()];
    history.severity = Some("SEV-1".to_owned());
    history.link = Some(ManualLink::Deployment("d1".to_owned()));
    let mut world = march(&[history]);
    world.people = vec![
        member("UANN", "TA"),
        member("UBOB", "TB"),
        member("UCAT", "TC"),
    ];
    world.deployments = vec![deployment("d1", "SDB", "03-02 08:00")];
    world.teams_of_service = [("SDB".to_owned(), vec!["TSERVICE".to_owned()])].into();
    let row = |team: &str, figure: &str| format!("{team}: {figure}");
    let checks = [
        ("mttr", "", row("TB", &one(3_600))),
        ("mttr", "recovery=first", row("TA", &one(1_200))),
        ("mttr", "recovery=open_time", row("TB", &one(3_000))),
        ("mttr", "team=TB", row("TB", &one(3_600))),
        ("mttr", "team=TA", String::new()),
        ("mttr", "team=TA recovery=first", row("TA", &one(1_200))),
        ("mttr", "team=TINCIDENT", String::new()),
        ("mtta", "", row("TC", &one(600))),
        ("time_to_restore", "", row("TINCIDENT", &one(3_600))),
        ("time_to_restore", "team=TB", String::new()),
        (
            "failed_deployment_recovery_time",
            "",
            row("TINCIDENT", &one(7_200)),
        ),
        (
            "failed_deployment_recovery_time",
            "team=TSERVICE",
            String::new(),
        ),
        (
            "sla_compliance",
            "",
            row("TINCIDENT", "ack 1/0/0 resolve 1/0/0"),
        ),
        ("reopen_rate", "", row("TINCIDENT", "1/1 = 1")),
        (
            "change_failure_rate",
            "mode=impact",
            "TINCIDENT: 1/0 = -\nTSERVICE: 0/1 = 0".to_owned(),
        ),
        ("change_failure_rate", "", row("TSERVICE", "1/1 = 1")),
    ];
    for (metric, params, want) in checks {
        let params = format!("group_by=team {params}");
        table(&world, metric, &[(&params, &want)]);
    }
    // Ungrouped, a filter uses the same attribution.
    table(
        &world,
        "mttr",
        &[("team=TB", &one(3_600)), ("team=TA", "n=0")],
    );
}

#[test]
fn what_nobody_resolved_is_of_no_team() {
    let mut timer = incident(1, "03-02 09:00 trigger\n03-02 10:00 resolve timer");
    timer.teams = vec!["TINCIDENT".to_owned()];
    table(
        &march(&[timer]),
        "mttr",
        &[
            ("group_by=team", &format!("none: {}", one(3_600))),
            ("team=null", &one(3_600)),
            ("team=TINCIDENT", "n=0"),
        ],
    );
}

// Section 4: which instant puts an item into its bucket.

#[test]
fn recoveries_of_failures_are_in_the_bucket_of_the_resolve_used() {
    let mut history = incident(1, LONG);
    history.link = Some(ManualLink::Deployment("d1".to_owned()));
    let mut world = march(&[history]);
    world.deployments = vec![deployment("d1", "SDB", "03-02 08:00")];
    let (day, hour) = (86_400, 3_600);
    let last = |seconds| format!("03-02: n=0\n03-09: n=0\n03-16: {}", one(seconds));
    let first = |seconds| format!("03-02: {}\n03-09: n=0\n03-16: n=0", one(seconds));
    for (metric, recovery, want) in [
        ("time_to_restore", "last", last(16 * day)),
        ("time_to_restore", "first", first(4 * day)),
        ("time_to_restore", "open_time", last(13 * day)),
        (
            "failed_deployment_recovery_time",
            "last",
            last(16 * day + hour),
        ),
        (
            "failed_deployment_recovery_time",
            "first",
            first(4 * day + hour),
        ),
    ] {
        let params = format!("{WEEKS} recovery={recovery}");
        table(&world, metric, &[(&params, &want)]);
    }
    // The time while it was open, in the week of its last resolve; in that of its trigger unless it is asked otherwise.
    table(
        &world,
        "mttr",
        &[
            (
                &format!("{WEEKS} recovery=open_time bucket_by=resolved"),
                &last(13 * day),
            ),
            (
                &format!("{WEEKS} recovery=first bucket_by=resolved"),
                &first(4 * day),
            ),
            (&format!("{WEEKS} recovery=open_time"), &first(13 * day)),
        ],
    );
}

#[test]
fn escalations_are_in_the_bucket_of_each() {
    table(
        &march(&[incident(1, LONG)]),
        "escalations",
        &[(WEEKS, "03-02: 1\n03-09: 1\n03-16: 0")],
    );
}

#[test]
fn deployments_are_in_the_bucket_of_their_finish() {
    let mut world = march(&[]);
    world.deployments = vec![Deployment {
        started_at: at("2026-03-06 09:00"),
        commits: vec![at("2026-03-03 09:00")],
        ..deployment("d1", "SDB", "03-10 09:00")
    }];
    for (metric, [none, some]) in [
        (
            "deployment_frequency",
            ["0, 0 a day", "1, 0.14285714285714285 a day"],
        ),
        ("change_lead_time", ["n=0", &one(7 * 86_400)]),
        ("deployment_rework_rate", ["0/0 = -", "0/1 = 0"]),
        ("change_failure_rate", ["0/0 = -", "0/1 = 0"]),
    ] {
        let want = format!("03-02: {none}\n03-09: {some}\n03-16: {none}");
        table(&world, metric, &[(WEEKS, &want)]);
    }
}

#[test]
fn the_headline_of_a_restore_is_the_median() {
    // 30 minutes twice, and 30 hours: the mean is above 10 hours.
    let over = |number, service: &str, day: u32, clock: &str| {
        let story = format!("03-02 09:00 trigger\n03-{day:02} {clock} resolve UANN");
        let mut history = incident(number, &story);
        history.at_trigger.service = Some(service.to_owned());
        history
    };
    let world = march(&[
        over(1, "SDB", 2, "09:30"),
        over(2, "SDB", 2, "09:30"),
        over(3, "SDB", 3, "15:00"),
        over(4, "SWEB", 2, "14:00"),
    ]);
    let asked = |metric: &str, more: &str| {
        let params = format!("from=2026-03-01 to=2026-03-31 group_by=service {more}");
        let answer = world.ask(metric, &params);
        let series = answer.series.iter();
        let told = series.map(|one| (one.keys[0].clone().unwrap(), one.total.level));
        told.collect::<Vec<_>>()
    };
    assert_eq!(
        asked("time_to_restore", "sort=value benchmark=2023"),
        [
            ("SWEB".to_owned(), Some("high")),
            ("SDB".to_owned(), Some("elite"))
        ]
    );
    // Of mttr it is the mean.
    let by_mean: Vec<_> = asked("mttr", "sort=value");
    assert_eq!(by_mean[0].0, "SDB");
}

// Section 6: hours, and what paging costs.

#[test]
fn an_hour_counts_in_each_cell_and_once_in_the_whole() {
    // 22:45 and 23:15 UTC lie in one hour in Kolkata, and on two dates in Berlin.
    let on = |number, service: &str, clock: &str| {
        let mut history = incident(
            number,
            &format!("03-02 {clock} trigger\n03-02 {clock} ack UKOL"),
        );
        history.at_trigger.service = Some(service.to_owned());
        history
    };
    let mut world = march(&[on(1, "SDB", "22:45"), on(2, "SWEB", "23:15")]);
    world.people = vec![Who {
        zone: Some("Asia/Kolkata"),
        ..member("UKOL", "TA")
    }];
    let days = "bucket=day from=2026-03-02 to=2026-03-03 measure=hours";
    table(
        &world,
        "page_disruptions",
        &[
            (days, "03-02: 1\n03-03: 1"),
            ("measure=hours", "1"),
            ("measure=hours group_by=service", "SDB: 1\nSWEB: 1"),
        ],
    );
    let answer = world.ask("page_disruptions", days);
    assert_eq!(answer.series[0].total.figure, Figure::Count { n: 1 });
}

#[test]
fn hours_of_a_team_are_the_sum_over_its_people() {
    let story = "
        03-02 09:00 trigger
        03-02 09:05 ack UANN
        03-02 09:10 ack UANN
        03-02 09:15 ack UBOB";
    let mut world = march(&[incident(1, story)]);
    world.people = vec![member("UANN", "TA"), member("UBOB", "TA")];
    table(
        &world,
        "page_disruptions",
        &[
            ("measure=hours group_by=team", "TA: 2"),
            ("measure=hours group_by=team distinct=true", "TA: 1"),
        ],
    );
}

#[test]
fn of_a_bucket_without_pages_there_is_no_share() {
    let story = "
        03-02 09:00 trigger
        03-02 09:00 notify UANN push
        03-02 09:05 ack UANN";
    let days = "bucket=day from=2026-03-02 to=2026-03-03";
    table(
        &march(&[incident(1, story)]),
        "oncall_load",
        &[(
            days,
            "UANN 03-02: 1 pages, acknowledged 1 after 300, out 0, away 0
             UANN 03-03: 0 pages, acknowledged - after -, out -, away 0",
        )],
    );
}

// Section 7: failures and their deployments.

#[test]
fn a_version_that_was_finished_after_the_trigger_is_not_what_caused_it() {
    let of = |id: &str, finished: &str| Deployment {
        version: Some("v7".to_owned()),
        ..deployment(id, "SDB", finished)
    };
    let mut history = incident(1, PLAIN);
    history.deployment = Some("v7".to_owned());
    let linked = |deployments: Vec<Deployment>| {
        let mut world = march(std::slice::from_ref(&history));
        world.deployments = deployments;
        let link = world.engine().link(1, world.now);
        link.and_then(|(id, _)| id)
    };
    let early = of("early", "03-02 08:00");
    let at_once = of("at-once", "03-02 09:00");
    let late = of("late", "03-02 09:00:00.000001");
    assert_eq!(linked(vec![late.clone()]), None);
    assert_eq!(linked(vec![early.clone(), late]).as_deref(), Some("early"));
    assert_eq!(linked(vec![early, at_once]).as_deref(), Some("at-once"));
}

#[test]
fn a_rule_by_priority_excludes_by_the_priority_at_the_trigger() {
    let of = |number, priority: Option<&str>| {
        let mut history = incident(number, PLAIN);
        history.at_trigger.priority = priority.map(str::to_owned);
        history.current.priority = Some("PR5".to_owned());
        history
    };
    let mut world = march(&[of(1, Some("PR1")), of(2, Some("PR5")), of(3, None)]);
    let restored = |world: &World| {
        world.ask("time_to_restore", "").series[0]
            .total
            .figure
            .count()
    };
    assert_eq!(restored(&world), 3);
    world.rules = vec![FailureRule {
        priority: Some("PR5".to_owned()),
        ..FailureRule::default()
    }];
    assert_eq!(restored(&world), 2);
    assert_eq!(
        world.leaves_out("time_to_restore", "priority=PR5"),
        "test=0 merged=0 open=0 not_failure=1"
    );
}

// Section 8: targets.

/// Seconds to the acknowledgement and to the resolve, from the definitions.
const TARGETS: [(&str, i64, i64); 4] = [
    ("SEV-1", 900, 3_600),
    ("SEV-2", 1_800, 14_400),
    ("SEV-3", 7_200, 86_400),
    ("SEV-4", 28_800, 259_200),
];

/// How an incident of a severity stands that was taken and over after so many microseconds.
fn verdicts(severity: &str, ack: i64, resolve: i64) -> (Verdict, Verdict) {
    let mut history = incident(1, PLAIN);
    history.severity = Some(severity.to_owned());
    let begin = history.events[0].at;
    let after = |micros| begin + jiff::SignedDuration::from_micros(micros);
    history.events[1].at = after(ack);
    history.events[2].at = after(resolve);
    let world = march(&[history]);
    let asked = query("sla_compliance", "from=2026-03-01 to=2026-03-31");
    let items = world.engine().items(&asked, world.now).unwrap();
    match items[0].worth {
        im_metrics::Worth::Verdicts { ack, resolve } => (ack, resolve),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_targets_of_each_severity_unless_others_are_set() {
    use Verdict::{Breached, Met};
    for (severity, ack_s, resolve_s) in TARGETS {
        let (ack, resolve) = (ack_s * 1_000_000, resolve_s * 1_000_000);
        assert_eq!(verdicts(severity, ack, resolve), (Met, Met), "{severity}");
        let late = verdicts(severity, ack + 1, resolve);
        assert_eq!(late, (Breached, Met), "{severity}");
        let late = verdicts(severity, ack, resolve + 1);
        assert_eq!(late, (Met, Breached), "{severity}");
    }
}

#[test]
fn compliance_is_met_over_judged_and_what_is_pending_stands_apart() {
    let sev = |number, story: &str| History {
        severity: Some("SEV-1".to_owned()),
        ..incident(number, story)
    };
    // At 09:30 three are judged by their acknowledgement, one of them late; the fourth, of 09:20, is pending. One is over.
    let world = march(&[
        sev(
            1,
            "03-02 09:00 trigger\n03-02 09:05 ack UANN\n03-02 09:25 resolve UANN",
        ),
        sev(2, "03-02 09:00 trigger\n03-02 09:15 ack UANN"),
        sev(3, "03-02 09:00 trigger\n03-02 09:16 ack UANN"),
        sev(4, "03-02 09:20 trigger"),
    ]);
    let of = |then: &str| {
        let params = format!("from=2026-03-01 to=2026-03-31 as_of_time=2026-03-02T{then}Z");
        let answer = world.ask("sla_compliance", &params);
        match answer.series[0].total.figure {
            Figure::Compliance { n, ack, resolve } => {
                let told = |judged: im_metrics::Judged| (judged.pending, judged.compliance);
                (n, told(ack), told(resolve))
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of("09:30:00"), (4, (1, Some(2.0 / 3.0)), (3, Some(1.0))));
    // At 09:10 nobody is late, and one had acknowledged.
    assert_eq!(of("09:10:00"), (3, (2, Some(1.0)), (3, None)));
}

#[test]
fn another_severity_has_its_own_target() {
    let mut history = incident(
        1,
        "03-02 09:00 trigger
         03-02 09:20 ack UANN
         03-02 11:00 resolve UANN",
    );
    history.severity = Some("SEV-1".to_owned());
    let mut world = march(&[history]);
    let mut engine = world.engine();
    let asked = query("sla_compliance", "from=2026-03-01 to=2026-03-31 bucket=all");
    let judged = |engine: &im_metrics::Engine| {
        let answer = engine.answer(&asked, at("2026-03-31 18:00")).unwrap();
        match answer.series[0].total.figure {
            Figure::Compliance { ack, resolve, .. } => (ack.met, resolve.met),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(judged(&engine), (0, 0));
    for (severity, want) in [("SEV-2", (1, 1)), ("SEV-1", (0, 0)), ("SEV-4", (1, 1))] {
        world.histories[0].severity = Some(severity.to_owned());
        engine.put(&world.histories[0]);
        assert_eq!(judged(&engine), want, "{severity}");
    }
}
