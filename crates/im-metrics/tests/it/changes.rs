//! Deployments and the failures behind them: `change_failure_rate`, `time_to_restore`,
//! `failed_deployment_recovery_time`, `deployment_frequency`, `change_lead_time`, `deployment_rework_rate`.

use im_metrics::input::{Deployment, DeploymentStatus, FailureRule, History, ManualLink, Values};
use im_metrics::{Dimension, Method, Thing};

use crate::given::{Group, World, at, deployment, incident, march, query, table};

fn failure(number: i64, trigger: &str, minutes: i64) -> History {
    let mut history = incident(number, &format!("{trigger} trigger"));
    let end = history.events[0].at + jiff::SignedDuration::from_mins(minutes);
    history.events.push(im_metrics::input::Event {
        at: end,
        what: im_metrics::input::What::Resolved(None, im_metrics::input::ResolverKind::Timer),
    });
    history
}

fn changes(deployments: &[Deployment], histories: &[History]) -> World {
    let mut world = march(histories);
    world.deployments = deployments.to_vec();
    world
}

/// The deployments with a failure, and how each was found.
fn blamed(world: &World, params: &str) -> Vec<(String, Method)> {
    let params = format!("{params} from=2026-03-01 to=2026-03-31 bucket=all");
    let asked = query("change_failure_rate", &params);
    let items = world.behind(&asked);
    let links = items.iter().flat_map(|item| {
        let Thing::Deployment(id) = &item.what else {
            panic!("{item:?}")
        };
        item.failures.iter().map(|link| (id.clone(), link.method))
    });
    links.collect()
}

#[test]
fn s104_an_incident_is_blamed_on_the_newest_deployment_before_it() {
    let deployments = [
        deployment("d1", "SDB", "03-02 09:00"),
        deployment("d2", "SDB", "03-02 12:00"),
    ];
    let world = changes(&deployments, &[failure(1, "03-02 10:00", 60)]);
    table(&world, "change_failure_rate", &[("", "1/2 = 0.5")]);
    assert_eq!(
        blamed(&world, ""),
        [("d1".to_owned(), Method::SameServiceTime)]
    );
    // Five incidents of one deployment are one failed deployment.
    let five: Vec<History> = (1..=5)
        .map(|number| failure(number, "03-02 10:00", 60))
        .collect();
    let world = changes(&deployments, &five);
    table(
        &world,
        "change_failure_rate",
        &[
            ("", "1/2 = 0.5"),
            ("mode=impact", "5/2 = 2.5"),
            ("view=datadog", "5/2 = 2.5"),
        ],
    );
}

#[test]
fn dd_37_without_deployments_there_is_no_rate() {
    let world = changes(&[], &[failure(1, "03-02 10:00", 60)]);
    table(
        &world,
        "change_failure_rate",
        &[("", "0/0 = -"), ("mode=impact", "1/0 = -")],
    );
    let ten: Vec<Deployment> = (0..10)
        .map(|number| deployment(&format!("d{number}"), "SDB", "03-02 09:00"))
        .collect();
    let two = [failure(1, "03-02 10:00", 60), failure(2, "03-03 10:00", 60)];
    let world = changes(&ten, &two);
    table(
        &world,
        "change_failure_rate",
        &[("view=datadog service=SDB", "2/10 = 0.2")],
    );
}

#[test]
fn a_failure_may_come_as_late_as_the_query_allows() {
    let world = changes(
        &[deployment("d1", "SDB", "03-02 09:00")],
        &[failure(1, "03-03 09:00", 60)],
    );
    table(
        &world,
        "change_failure_rate",
        &[
            ("", "1/1 = 1"),
            ("max_lag=24h", "1/1 = 1"),
            ("max_lag=1439m", "0/1 = 0"),
            ("max_lag=none", "1/1 = 1"),
            // It is not cut by the range.
            ("to=2026-03-02", "1/1 = 1"),
            ("view=middleware max_lag=1h", "0/1 = 0"),
        ],
    );
    assert_eq!(
        world.leaves_out("change_failure_rate", "max_lag=1h"),
        "test=0 merged=0 not_failure=0 unlinked=1"
    );
    assert_eq!(
        world.leaves_out("change_failure_rate", "mode=impact"),
        "test=0 merged=0 not_failure=0"
    );
    let late = changes(
        &[deployment("d1", "SDB", "03-02 09:00")],
        &[failure(1, "03-20 09:00", 60)],
    );
    table(
        &late,
        "change_failure_rate",
        &[("", "0/1 = 0"), ("view=middleware", "1/1 = 1")],
    );
}

#[test]
fn only_a_successful_deployment_of_the_service_and_environment_is_found_by_time() {
    let place = |id: &str, environment: Option<&str>| Deployment {
        environment: environment.map(str::to_owned),
        ..deployment(id, "SDB", "03-02 09:00")
    };
    let check = |deployment: Deployment, environment: Option<&str>, want: bool| {
        let mut history = failure(1, "03-02 10:00", 60);
        history.environment = environment.map(str::to_owned);
        let found = !blamed(&changes(std::slice::from_ref(&deployment), &[history]), "").is_empty();
        assert_eq!(found, want, "{deployment:?} {environment:?}");
    };
    check(place("d1", Some("Production")), Some("production"), true);
    check(place("d1", Some("staging")), Some("production"), false);
    check(place("d1", None), Some("production"), true);
    check(place("d1", Some("")), Some("production"), true);
    check(place("d1", Some("staging")), None, true);
    check(place("d1", Some("staging")), Some(""), true);
    let other = deployment("d1", "SWEB", "03-02 09:00");
    check(other, None, false);
    let later = deployment("d1", "SDB", "03-02 10:00:00.000001");
    check(later, None, false);
    let same = deployment("d1", "SDB", "03-02 10:00");
    check(same, None, true);
    for status in [
        DeploymentStatus::Failure,
        DeploymentStatus::Cancelled,
        DeploymentStatus::InProgress,
    ] {
        let failed = Deployment {
            status,
            ..deployment("d1", "SDB", "03-02 09:00")
        };
        check(failed, None, false);
    }
}

#[test]
fn ties_take_the_greater_id() {
    let three = ["d10", "d9", "d2"].map(|id| deployment(id, "SDB", "03-02 09:00"));
    let world = changes(&three, &[failure(1, "03-02 10:00", 60)]);
    assert_eq!(
        blamed(&world, ""),
        [("d9".to_owned(), Method::SameServiceTime)]
    );
    let versions = three.map(|one| Deployment {
        version: Some("v7".to_owned()),
        ..one
    });
    let mut history = failure(1, "03-02 10:00", 60);
    history.deployment = Some("v7".to_owned());
    let world = changes(&versions, &[history]);
    assert_eq!(blamed(&world, ""), [("d9".to_owned(), Method::Explicit)]);
}

#[test]
fn a_person_is_believed_before_a_field_and_a_field_before_the_time() {
    let old = Deployment {
        version: Some("v1".to_owned()),
        ..deployment("d1", "SDB", "03-02 07:00")
    };
    let other = Deployment {
        version: Some("v1".to_owned()),
        ..deployment("d0", "SWEB", "03-02 09:30")
    };
    let new = deployment("d2", "SDB", "03-02 09:00");
    let deployments = [old, other, new];
    let check = |field: Option<&str>, link: Option<ManualLink>, want: &[(&str, Method)]| {
        let mut history = failure(1, "03-02 10:00", 60);
        history.deployment = field.map(str::to_owned);
        history.link = link;
        let world = changes(&deployments, &[history]);
        let found = blamed(&world, "");
        let found: Vec<(&str, Method)> = found.iter().map(|(id, how)| (&**id, *how)).collect();
        assert_eq!(found, want);
    };
    check(None, None, &[("d2", Method::SameServiceTime)]);
    // A version counts on the incident's own service only, an id everywhere.
    check(Some("v1"), None, &[("d1", Method::Explicit)]);
    check(Some("d0"), None, &[("d0", Method::Explicit)]);
    check(Some("v9"), None, &[("d2", Method::SameServiceTime)]);
    let to = |id: &str| Some(ManualLink::Deployment(id.to_owned()));
    check(Some("v1"), to("d0"), &[("d0", Method::Manual)]);
    check(Some("v1"), Some(ManualLink::Nothing), &[]);
}

#[test]
fn a_version_finds_a_deployment_of_any_status_that_was_finished_by_then() {
    let failed = Deployment {
        version: Some("v1".to_owned()),
        status: DeploymentStatus::Failure,
        ..deployment("d1", "SDB", "03-02 09:00")
    };
    let mut history = failure(1, "03-02 10:00", 60);
    history.deployment = Some("v1".to_owned());
    let world = changes(
        &[failed.clone(), deployment("d2", "SDB", "03-02 08:00")],
        &[history.clone()],
    );
    // It is blamed, and no successful deployment.
    table(&world, "change_failure_rate", &[("", "0/1 = 0")]);
    assert_eq!(
        world.leaves_out("change_failure_rate", ""),
        "test=0 merged=0 not_failure=0 unlinked=0"
    );
    // Its recovery counts all the same: 11:00 − 09:00.
    let want = "n=1 mean=7200 median=7200 p90=7200 min=7200 max=7200";
    table(&world, "failed_deployment_recovery_time", &[("", want)]);
}

#[test]
fn what_is_no_failure_is_counted() {
    let deployments = [deployment("d1", "SDB", "03-02 09:00")];
    let mut marked = failure(1, "03-02 10:00", 60);
    marked.not_change_related = true;
    let short = failure(2, "03-02 10:00", 4);
    let exact = failure(3, "03-02 10:00", 5);
    let open = incident(4, "03-02 10:00 trigger");
    let mut world = changes(&deployments, &[marked, short, exact, open]);
    world.rules = vec![FailureRule {
        shorter_than_s: Some(300),
        urgency: Some("high".to_owned()),
        ..FailureRule::default()
    }];
    // The one of five minutes and the open one are failures.
    table(&world, "change_failure_rate", &[("mode=impact", "2/1 = 2")]);
    assert_eq!(
        world.leaves_out("change_failure_rate", ""),
        "test=0 merged=0 not_failure=2 unlinked=0"
    );
    table(
        &world,
        "time_to_restore",
        &[("", "n=1 mean=300 median=300 p90=300 min=300 max=300")],
    );
    assert_eq!(
        world.leaves_out("time_to_restore", ""),
        "test=0 merged=0 open=1 not_failure=2"
    );
    // All conditions of a rule must match.
    world.rules[0].urgency = Some("low".to_owned());
    table(&world, "change_failure_rate", &[("mode=impact", "3/1 = 3")]);
    // Any rule suffices.
    for rule in [
        FailureRule {
            origin: Some("pagerduty".to_owned()),
            ..FailureRule::default()
        },
        FailureRule {
            service: Some("SDB".to_owned()),
            ..FailureRule::default()
        },
    ] {
        let mut world = world.clone();
        world.rules.push(rule);
        table(&world, "change_failure_rate", &[("mode=impact", "0/1 = 0")]);
    }
}

#[test]
fn dd_38_the_median_restore_of_three() {
    let three = [(1, 60), (2, 120), (3, 540)]
        .map(|(number, minutes)| failure(number, "03-02 10:00", minutes));
    let mut histories = three.to_vec();
    histories.push(incident(4, "03-02 10:00 trigger"));
    let world = march(&histories);
    let want = "n=3 mean=14400 median=7200 p90=27360 min=3600 max=32400";
    table(&world, "time_to_restore", &[("", want)]);
    assert_eq!(
        world.leaves_out("time_to_restore", ""),
        "test=0 merged=0 open=1 not_failure=0"
    );
    let answer = world.ask(
        "time_to_restore",
        "from=2026-03-01 to=2026-03-31 bucket=all benchmark=2023",
    );
    assert_eq!(answer.series[0].total.level, Some("high"));
}

#[test]
fn recovery_runs_from_the_finish_and_is_never_negative() {
    // Linked by hand: the incident began before the deployment, and one was over before it.
    let link = |history: History| History {
        link: Some(ManualLink::Deployment("d1".to_owned())),
        ..history
    };
    let early = link(failure(1, "03-02 08:00", 30));
    let at_once = link(failure(2, "03-02 08:00", 60));
    let later = link(failure(3, "03-02 10:00", 60));
    let unlinked = failure(4, "03-20 10:00", 60);
    let world = changes(
        &[deployment("d1", "SDB", "03-02 09:00")],
        &[early, at_once, later, unlinked],
    );
    let want = "n=2 mean=3600 median=3600 p90=6480 min=0 max=7200";
    table(&world, "failed_deployment_recovery_time", &[("", want)]);
    assert_eq!(
        world.leaves_out("failed_deployment_recovery_time", ""),
        "test=0 merged=0 open=0 not_failure=0 unlinked=1 negative=1"
    );
    // At 08:45 the deployment had no finish.
    assert_eq!(
        world.leaves_out(
            "failed_deployment_recovery_time",
            "as_of_time=2026-03-02T08:45:00Z"
        ),
        "test=0 merged=0 open=1 not_failure=0 unlinked=1 negative=0"
    );
}

#[test]
fn a_bucket_is_immature_as_long_as_failures_may_come() {
    let mut world = changes(&[], &[]);
    // Noon of Tuesday in Berlin: Monday's end is 12 hours ago, Sunday's 36.
    world.now = at("2026-03-31 10:00");
    let days = "from=2026-03-29 to=2026-03-31 bucket=day";
    let immature = |params: &str| {
        world
            .ask("change_failure_rate", &format!("{days} {params}"))
            .immature
    };
    assert_eq!(immature(""), [false, true, true]);
    assert_eq!(immature("max_lag=36h"), [false, true, true]);
    assert_eq!(immature("max_lag=2161m"), [true, true, true]);
    assert_eq!(immature("max_lag=none"), [true, true, true]);
    assert_eq!(immature("mode=impact"), [false, false, false]);
    assert_eq!(world.ask("mttr", days).immature, [false, false, false]);
}

#[test]
fn groups_and_places_are_the_deployments_own() {
    let place = |id: &str, service: &str, environment: &str| Deployment {
        environment: Some(environment.to_owned()),
        ..deployment(id, service, "03-02 09:00")
    };
    let deployments = [
        place("d1", "SDB", "Production"),
        place("d2", "SDB", "staging"),
        place("d3", "SWEB", ""),
    ];
    let mut low = failure(1, "03-02 10:00", 60);
    low.at_trigger.urgency = Some("low".to_owned());
    low.environment = Some("PRODUCTION".to_owned());
    // Of another service, and linked to a deployment of SDB.
    let mut foreign = failure(2, "03-02 10:00", 60);
    foreign.at_trigger = Values::default();
    foreign.link = Some(ManualLink::Deployment("d2".to_owned()));
    let mut world = changes(&deployments, &[low, foreign]);
    world.teams_of_service = [("SDB".to_owned(), vec!["TA".to_owned(), "TB".to_owned()])].into();
    table(
        &world,
        "change_failure_rate",
        &[
            ("group_by=service", "SDB: 2/2 = 1\nSWEB: 0/1 = 0"),
            (
                "group_by=environment",
                "production: 1/1 = 1\nstaging: 1/1 = 1\nnone: 0/1 = 0",
            ),
            ("group_by=team", "TA: 2/2 = 1\nTB: 2/2 = 1\nnone: 0/1 = 0"),
            ("group_by=team team=TB", "TB: 2/2 = 1"),
            ("service=SDB environment=Staging", "1/1 = 1"),
            // An incident's filter selects failures, never deployments.
            ("urgency=low", "1/3 = 0.3333333333333333"),
            (
                "urgency=low group_by=environment",
                "production: 1/1 = 1\nstaging: 0/1 = 0\nnone: 0/1 = 0",
            ),
            // In mode impact a failure has its own place.
            (
                "mode=impact group_by=service",
                "SDB: 1/2 = 0.5\nSWEB: 0/1 = 0\nnone: 1/0 = -",
            ),
            (
                "mode=impact group_by=team",
                "TA: 0/2 = 0\nTB: 0/2 = 0\nnone: 2/1 = 2",
            ),
        ],
    );
}

#[test]
fn dd_43_deployments_and_their_commits() {
    let commits = |times: &[&str]| {
        times
            .iter()
            .map(|time| at(&format!("2026-{time}")))
            .collect()
    };
    let first = Deployment {
        commits: commits(&["03-01 09:00", "03-02 08:00", "03-02 10:00"]),
        ..deployment("d1", "SDB", "03-02 09:00")
    };
    let fix = Deployment {
        unplanned_fix: true,
        ..deployment("d2", "SDB", "03-09 09:00")
    };
    let failed = Deployment {
        status: DeploymentStatus::Failure,
        commits: commits(&["03-01 09:00"]),
        ..deployment("d3", "SDB", "03-09 09:00")
    };
    let later = deployment("d4", "SDB", "04-02 09:00");
    let world = changes(&[first, fix, failed, later], &[]);
    table(
        &world,
        "deployment_frequency",
        &[
            ("", "2, 0.06451612903225806 a day"),
            (
                "bucket=week from=2026-03-02 to=2026-03-15",
                "03-02: 1, 0.14285714285714285 a day\n03-09: 1, 0.14285714285714285 a day",
            ),
            ("service=SWEB", "0, 0 a day"),
        ],
    );
    // A commit made after its deployment stays: −1 h.
    let want = "n=3 mean=28800 median=3600 p90=69840 min=-3600 max=86400";
    table(
        &world,
        "change_lead_time",
        &[("", want), ("from=2026-03-03", "n=0")],
    );
    table(
        &world,
        "deployment_rework_rate",
        &[("", "1/2 = 0.5"), ("from=2026-03-10", "0/0 = -")],
    );
    assert_eq!(
        world.leaves_out("deployment_frequency", ""),
        "test=0 merged=0"
    );
}

#[test]
fn published_levels_are_used_as_published() {
    let ten: Vec<Deployment> = (0..20)
        .map(|number| deployment(&format!("d{number:02}"), "SDB", "03-02 09:00"))
        .collect();
    let failures = |count: usize| {
        let one = |number: usize| {
            let mut history = failure(i64::try_from(number).unwrap(), "03-02 10:00", 60);
            history.link = Some(ManualLink::Deployment(format!("d{number:02}")));
            history
        };
        changes(&ten, &(0..count).map(one).collect::<Vec<_>>())
    };
    let level = |count: usize, year: &str| {
        let params = format!("from=2026-03-01 to=2026-03-31 benchmark={year}");
        let answer = failures(count).ask("change_failure_rate", &params);
        let monotone = answer.benchmark.map(|benchmark| benchmark.monotone);
        (answer.series[0].total.level, monotone)
    };
    // 5 %, 10 %, 15 %, 20 %, 25 %, 35 %.
    assert_eq!(level(1, "2024"), (Some("elite"), Some(false)));
    assert_eq!(level(2, "2024"), (Some("high"), Some(false)));
    assert_eq!(level(4, "2024"), (Some("high"), Some(false)));
    assert_eq!(level(5, "2024"), (Some("low"), Some(false)));
    assert_eq!(level(3, "2023"), (Some("medium"), Some(true)));
    assert_eq!(level(3, "2019"), (Some("elite"), Some(true)));
    assert_eq!(level(7, "2022"), (Some("low"), Some(true)));
    assert_eq!(level(1, "none"), (None, None));
    let answer = changes(&ten, &[]).ask("deployment_rework_rate", "");
    assert_eq!(
        (answer.series[0].total.level, answer.benchmark.unwrap().year),
        (None, 2024)
    );
    // A deployment a month is "between once a month and once a week": 1/30 is met by 1 in 30 days.
    let one = [deployment("d1", "SDB", "03-02 09:00")];
    let of = |params: &str| {
        changes(&one, &[])
            .ask("deployment_frequency", params)
            .series[0]
            .total
            .level
    };
    assert_eq!(
        of("from=2026-03-01 to=2026-03-30 benchmark=2024"),
        Some("medium")
    );
    assert_eq!(
        of("from=2026-03-01 to=2026-03-31 benchmark=2024"),
        Some("low")
    );
    assert_eq!(
        of("from=2026-03-02 to=2026-03-02 benchmark=2024"),
        Some("high")
    );
}

#[test]
fn what_deployments_and_teams_name_may_be_asked_for_before_incidents_have_it() {
    let mut world = changes(
        &[Deployment {
            environment: Some("Canary".to_owned()),
            ..deployment("d1", "SNEW", "03-02 09:00")
        }],
        &[failure(1, "03-02 10:00", 5)],
    );
    world.teams = vec![Group {
        id: "ops".to_owned(),
        services: vec!["SOWN".to_owned()],
        ..Group::default()
    }];
    let engine = world.engine();
    for (by, known) in [
        (Dimension::Service, "SNEW"),
        (Dimension::Service, "SOWN"),
        (Dimension::Environment, "canary"),
    ] {
        assert!(engine.has(by, known), "{known}");
        assert!(engine.values(by).contains(known), "{known}");
        assert!(!engine.of_incidents(by).contains(known), "{known}");
    }
    assert!(!engine.has(Dimension::Service, "SNONE"));
}
