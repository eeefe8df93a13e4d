//! The sentences of the source documents that a reader of figures can check by hand.

use im_metrics::input::{History, Membership};

use crate::given::{Who, World, deployment, incident, march, table};

/// Acknowledged after 5 minutes, resolved after 20; opened again and resolved an hour later.
fn reopened(number: i64, day: &str) -> History {
    let story = format!(
        "{day} 09:00 trigger
         {day} 09:05 ack UANN
         {day} 09:20 resolve UANN
         {day} 10:00 reopen
         {day} 10:20 resolve UANN"
    );
    incident(number, &story)
}

fn plain(number: i64, day: &str, minutes: i64) -> History {
    let story = format!(
        "{day} 09:00 trigger
         {day} 09:05 ack UANN
         {day} 09:{minutes:02} resolve UANN"
    );
    incident(number, &story)
}

#[test]
fn m_001_mttr_is_the_mean_to_the_first_resolve_per_week() {
    // Two in the week of 2 March (20 and 40 minutes to the first resolve), one in the next.
    let world = march(&[
        reopened(1, "03-02"),
        plain(2, "03-04", 40),
        plain(3, "03-10", 10),
    ]);
    let week = "view=multitudes from=2026-03-02 to=2026-03-15 bucket=week";
    table(
        &world,
        "mttr",
        &[(
            week,
            "03-02: n=2 mean=1800 median=1800 p90=2280 min=1200 max=2400
             03-09: n=1 mean=600 median=600 p90=600 min=600 max=600",
        )],
    );
}

#[test]
fn m_002_an_incident_that_nobody_acknowledged_changes_no_mtta() {
    let mut world = march(&[plain(1, "03-02", 40)]);
    let figure = "n=1 mean=300 median=300 p90=300 min=300 max=300";
    table(&world, "mtta", &[("", figure)]);
    world.histories.push(incident(
        2,
        "03-02 09:00 trigger\n03-03 09:00 resolve timer",
    ));
    table(&world, "mtta", &[("", figure)]);
    assert_eq!(
        world.leaves_out("mtta", ""),
        "test=0 merged=0 unacknowledged=1 of these open=0"
    );
}

#[test]
fn m_003_pages_by_service_add_up_to_the_whole() {
    let on = |number, service: &str| {
        let mut history = plain(number, "03-02", 10);
        history.at_trigger.service = Some(service.to_owned());
        history
    };
    let world = march(&[on(1, "SDB"), on(2, "SWEB"), on(3, "SDB")]);
    table(
        &world,
        "pages",
        &[("", "3"), ("group_by=service", "SDB: 2\nSWEB: 1")],
    );
}

#[test]
fn m_004_a_delegated_incident_is_counted_once_by_the_policy_at_trigger() {
    let mut moved = incident(1, "03-02 09:00 trigger\n03-02 09:10 delegate UBOB");
    moved.current.policy = Some("EOTHER".to_owned());
    let world = march(&[moved]);
    table(
        &world,
        "pages",
        &[
            ("group_by=escalation_policy", "EOPS: 1"),
            ("group_by=escalation_policy as_of=current", "EOTHER: 1"),
        ],
    );
}

/// Ann acknowledges three incidents, Bob one; Ann is in two teams.
fn team_of_two() -> World {
    let by = |number, user: &str| {
        incident(
            number,
            &format!("03-02 0{number}:00 trigger\n03-02 0{number}:05 ack {user}"),
        )
    };
    let mut world = march(&[by(1, "UANN"), by(2, "UBOB"), by(3, "UANN"), by(4, "UANN")]);
    let person = |id: &str, teams: &[&str]| Who {
        id: id.to_owned(),
        memberships: teams
            .iter()
            .map(|team| Membership {
                team: (*team).to_owned(),
                from: None,
                to: None,
            })
            .collect(),
        ..Who::default()
    };
    world.people = vec![person("UANN", &["TB", "TC"]), person("UBOB", &["TA"])];
    world
}

#[test]
fn m_005_people_and_teams_are_ranked_by_load() {
    let world = team_of_two();
    table(
        &world,
        "page_disruptions",
        &[
            ("group_by=user sort=value", "UANN: 3\nUBOB: 1"),
            ("group_by=team sort=value", "TB: 3\nTC: 3\nTA: 1"),
            ("group_by=team", "TA: 1\nTB: 3\nTC: 3"),
        ],
    );
}

#[test]
fn m_006_two_who_acknowledge_one_incident_are_one_page_each() {
    let both = incident(
        1,
        "03-02 09:00 trigger\n03-02 09:05 ack UANN\n03-02 09:06 ack UBOB",
    );
    let twice = incident(
        2,
        "03-02 12:00 trigger\n03-02 12:05 ack UANN\n03-02 12:15 ack UANN",
    );
    table(
        &march(&[both, twice]),
        "page_disruptions",
        &[
            ("group_by=user", "UANN: 3\nUBOB: 1"),
            ("group_by=user collapse_minutes=10", "UANN: 2\nUBOB: 1"),
        ],
    );
}

#[test]
fn m_008_who_is_in_two_teams_counts_in_each_and_the_overlap_is_told() {
    let world = team_of_two();
    table(
        &world,
        "page_disruptions",
        &[("", "4"), ("group_by=team", "TA: 1\nTB: 3\nTC: 3")],
    );
    let several = |params: &str| {
        let answer = world.ask("page_disruptions", &format!("from=2026-03-01 {params}"));
        answer.in_several_groups
    };
    assert_eq!(several("group_by=team"), 3);
    // With one team asked for, nothing is counted twice.
    assert_eq!(several("group_by=team team=TB"), 0);
    assert_eq!(several("group_by=user") + several(""), 0);
}

#[test]
fn mw_07_of_two_deployments_the_one_before_the_incident_failed() {
    let mut world = march(&[incident(1, "03-02 10:00 trigger\n03-02 10:30 resolve UANN")]);
    world.deployments = vec![
        deployment("nine", "SDB", "03-02 09:00"),
        deployment("noon", "SDB", "03-02 12:00"),
    ];
    table(&world, "change_failure_rate", &[("", "1/2 = 0.5")]);
    let asked = crate::given::query("change_failure_rate", "from=2026-03-01 to=2026-03-31");
    let items = world.behind(&asked);
    let blamed = items.iter().filter(|item| !item.failures.is_empty());
    let blamed: Vec<_> = blamed.map(|item| item.what.clone()).collect();
    assert_eq!(blamed, [im_metrics::Thing::Deployment("nine".to_owned())]);
}

#[test]
fn mw_08_mttr_of_what_was_resolved_in_the_period_as_middleware_counts() {
    // Triggered in February, resolved in March: it is of March.
    let long = incident(1, "02-28 22:00 trigger\n03-01 10:00 resolve UANN");
    let after = incident(2, "03-31 09:00 trigger\n03-31 09:30:07 resolve UANN");
    let open = incident(3, "03-02 09:00 trigger");
    table(
        &march(&[long, after, open]),
        "mttr",
        &[
            (
                "view=middleware",
                // 12 hours, and 30 minutes and 7 seconds.
                "n=2 mean=22503.5 median=22503.5 p90=39060.7 min=1807 max=43200",
            ),
            ("", "n=1 mean=1807 median=1807 p90=1807 min=1807 max=1807"),
        ],
    );
}

#[test]
fn mw_10_acknowledgement_open_reopened_escalated_and_after_hours_are_available() {
    let night = incident(
        1,
        "03-02 02:00 trigger
         03-02 02:10 escalate UBOB
         03-02 02:20 ack UBOB
         03-02 02:30 resolve UBOB
         03-02 02:40 reopen",
    );
    let world = march(&[night]);
    for (metric, params, want) in [
        (
            "mtta",
            "",
            "n=1 mean=1200 median=1200 p90=1200 min=1200 max=1200",
        ),
        ("open_incidents", "", "1"),
        ("reopen_rate", "", "1/1 = 1"),
        ("escalations", "", "1"),
        ("page_disruptions", "when=out_of_hours", "1"),
        ("page_disruptions", "when=working_hours", "0"),
    ] {
        table(&world, metric, &[(params, want)]);
    }
}

#[test]
fn mw_24_without_incidents_there_is_no_figure_and_no_zero() {
    let world = march(&[]);
    for metric in ["mttr", "mtta", "time_to_restore"] {
        table(&world, metric, &[("", "n=0")]);
    }
    for metric in ["change_failure_rate", "reopen_rate"] {
        table(&world, metric, &[("", "0/0 = -")]);
    }
}

#[test]
fn mw_25_what_nobody_has_is_counted_under_none() {
    let timer = incident(1, "03-02 09:00 trigger\n03-02 10:00 resolve timer");
    let world = march(&[timer, plain(2, "03-02", 10)]);
    table(
        &world,
        "mttr",
        &[(
            "group_by=team",
            "none: n=2 mean=2100 median=2100 p90=3300 min=600 max=3600",
        )],
    );
    // Nobody was disturbed by it, and nobody is made up.
    table(&world, "page_disruptions", &[("group_by=user", "UANN: 1")]);
}

#[test]
fn mw_26_policies_filter_and_null_is_none_of_them() {
    let mut none = plain(2, "03-02", 10);
    none.at_trigger.policy = None;
    let world = march(&[plain(1, "03-02", 10), none]);
    table(
        &world,
        "incident_frequency",
        &[
            (
                "escalation_policy=EOPS bucket=day from=2026-03-02 to=2026-03-02",
                "1, 1 a day",
            ),
            (
                "escalation_policy=null bucket=day from=2026-03-02 to=2026-03-02",
                "1, 1 a day",
            ),
            ("bucket=day from=2026-03-02 to=2026-03-02", "2, 2 a day"),
        ],
    );
}

#[test]
fn m_043_the_last_six_weeks_are_42_days_with_partial_weeks_marked() {
    let world = march(&[plain(1, "02-18", 10), plain(2, "03-31", 10)]);
    // 31 March is a Tuesday: 42 days back lies a Wednesday.
    let answer = world.ask("mttr", "");
    let days: i64 = answer.buckets.iter().map(|bucket| bucket.days).sum();
    assert_eq!(days, 42);
    let whole = answer.buckets.iter().filter(|bucket| !bucket.partial);
    assert_eq!((answer.buckets.len(), whole.count()), (7, 5));
    assert_eq!(answer.series[0].total.figure.count(), 2);
    assert_eq!(
        world.ask("mttr", "from=2026-03-01").series[0]
            .total
            .figure
            .count(),
        1
    );
}
