//! How long it took: `mttr`, `mtta`, `sla_compliance`, `reopen_rate`. Every value is worked out by hand.

use im_metrics::input::History;

use crate::given::{ask, at, incident, march, query, table};

/// Acknowledged after 5 minutes and over after 10; open again after 30 for 10 more, by Bob.
const TWICE: &str = "
    03-02 09:00 trigger
    03-02 09:05 ack UANN
    03-02 09:10 resolve UANN
    03-02 09:30 reopen
    03-02 09:40 resolve UBOB";

fn plain(number: i64, minutes: i64) -> History {
    let end = 60 * 9 + minutes;
    let story = format!(
        "03-02 09:00 trigger
         03-02 {:02}:{:02} resolve UANN",
        end / 60,
        end % 60
    );
    incident(number, &story)
}

#[test]
fn s33_a_reopened_incident_has_three_recoveries() {
    let world = march(&[incident(1, TWICE)]);
    table(
        &world,
        "mttr",
        &[
            ("", "n=1 mean=2400 median=2400 p90=2400 min=2400 max=2400"),
            (
                "recovery=last",
                "n=1 mean=2400 median=2400 p90=2400 min=2400 max=2400",
            ),
            (
                "recovery=first",
                "n=1 mean=600 median=600 p90=600 min=600 max=600",
            ),
            (
                "view=multitudes",
                "n=1 mean=600 median=600 p90=600 min=600 max=600",
            ),
            (
                "view=multitudes recovery=last",
                "n=1 mean=2400 median=2400 p90=2400 min=2400 max=2400",
            ),
            (
                "recovery=open_time",
                "n=1 mean=1200 median=1200 p90=1200 min=1200 max=1200",
            ),
        ],
    );
}

#[test]
fn s93_what_is_open_is_no_recovery_and_is_counted() {
    let open = incident(2, "03-02 09:00 trigger");
    let again = incident(
        3,
        "03-02 09:00 trigger
         03-02 09:10 resolve UANN
         03-02 09:20 reopen",
    );
    let world = march(&[plain(1, 10), open, again]);
    table(
        &world,
        "mttr",
        &[("", "n=1 mean=600 median=600 p90=600 min=600 max=600")],
    );
    assert_eq!(world.leaves_out("mttr", ""), "test=0 merged=0 open=2");
    // As of 09:15 the third was over.
    table(
        &world,
        "mttr",
        &[(
            "as_of_time=2026-03-02T09:15:00Z",
            "n=2 mean=600 median=600 p90=600 min=600 max=600",
        )],
    );
}

#[test]
fn s93_the_oldest_of_what_is_open_is_told() {
    let again = incident(
        2,
        "03-01 09:00 trigger
         03-02 09:10 resolve UANN
         03-03 09:20 reopen",
    );
    let world = march(&[plain(1, 10), incident(3, "03-02 09:00 trigger"), again]);
    let oldest = |params: &str| {
        let answer = world.ask("open_incidents", params);
        let total = answer.series.first().unwrap().total;
        let oldest = total.oldest.map(|oldest| (oldest.incident, oldest.since));
        (total.figure.count(), oldest)
    };
    assert_eq!(
        oldest("from=2026-03-01 to=2026-03-31"),
        (2, Some((2, at("2026-03-01 09:00"))))
    );
    // Between its resolve and its reopening it was not open.
    assert_eq!(
        oldest("from=2026-03-01 to=2026-03-02"),
        (1, Some((3, at("2026-03-02 09:00"))))
    );
    assert_eq!(oldest("from=2026-02-01 to=2026-02-28"), (0, None));
}

#[test]
fn s40_an_acknowledgement_with_the_trigger_is_kept_and_marked() {
    let own = incident(1, "03-02 09:00 trigger\n03-02 09:00 ack UANN");
    let other = incident(2, "03-02 09:00 trigger\n03-02 09:05 ack UANN");
    let world = march(&[own, other]);
    let asked = query("mtta", "from=2026-03-01 to=2026-03-31");
    let items = world.engine().items(&asked, world.now).unwrap();
    let marks = items.iter().map(|item| (&item.what, item.self_assigned));
    let marks: Vec<_> = marks.collect();
    let number = im_metrics::Thing::Incident;
    assert_eq!(marks, [(&number(1), true), (&number(2), false)]);
    table(
        &world,
        "mtta",
        &[("", "n=2 mean=150 median=150 p90=270 min=0 max=300")],
    );
    // It paged nobody, and began an incident all the same.
    table(&world, "pages", &[("source=notifications", "0"), ("", "2")]);
}

#[test]
fn s37_a_way_of_resolving_can_be_asked_for_alone() {
    let timer = incident(2, "03-02 09:00 trigger\n03-02 13:00 resolve timer");
    let world = march(&[plain(1, 10), timer]);
    let only = |kind: &str, seconds: u32| {
        let figures = format!(
            "n=1 mean={seconds} median={seconds} p90={seconds} min={seconds} max={seconds}"
        );
        (format!("resolver_kind={kind}"), figures)
    };
    for (params, want) in [only("human", 600), only("timer", 14_400)] {
        table(&world, "mttr", &[(&params, &want)]);
    }
    let refused = ask("mttr", "resolver_kind=robot").unwrap_err().to_string();
    assert!(
        refused.ends_with("use merge, human, timer, integration, api or none"),
        "{refused}"
    );
}

#[test]
fn m_045_what_was_rebuilt_is_counted_and_can_be_left_out() {
    let mut old = plain(1, 20);
    old.rebuilt = true;
    let world = march(&[old, plain(2, 10)]);
    let rebuilt = |params: &str| {
        let answer = world.ask("mttr", &format!("from=2026-03-01 to=2026-03-31 {params}"));
        (
            answer.series[0].total.figure.count(),
            answer.series[0].total.rebuilt,
        )
    };
    assert_eq!(rebuilt(""), (2, 1));
    assert_eq!(rebuilt("history=live"), (1, 0));
    assert_eq!(
        world.leaves_out("mttr", "history=live"),
        "test=0 merged=0 open=0 rebuilt=1"
    );
}

#[test]
fn s103_statistics_interpolate_between_neighbours() {
    // Minutes 10, 20, 30, 100: the median is at place 1.5, the p90 at 2.7.
    let world = march(&[plain(1, 100), plain(2, 20), plain(3, 10), plain(4, 30)]);
    let want = "n=4 mean=2400 median=1500 p90=4740 min=600 max=6000";
    table(&world, "mttr", &[("", want)]);
    table(&march(&[]), "mttr", &[("", "n=0")]);
}

#[test]
fn s94_microseconds_are_kept() {
    let story = "
        03-02 09:00:00.000001 trigger
        03-02 09:00:00.000004 resolve UANN";
    let want = "n=1 mean=0.000003 median=0.000003 p90=0.000003 min=0.000003 max=0.000003";
    table(&march(&[incident(1, story)]), "mttr", &[("", want)]);
}

#[test]
fn a_recovery_is_in_the_bucket_of_its_trigger_or_of_its_resolve() {
    // It is 1 April in Berlin when it is over.
    let story = "
        03-31 09:00 trigger
        03-31 22:30 resolve UANN";
    let mut world = march(&[incident(1, story)]);
    world.now = crate::given::at("2026-04-10 00:00");
    let one = "n=1 mean=48600 median=48600 p90=48600 min=48600 max=48600";
    table(
        &world,
        "mttr",
        &[
            ("", one),
            ("bucket_by=resolved", "n=0"),
            ("bucket_by=resolved from=2026-04-01 to=2026-04-01", one),
            ("view=middleware from=2026-04-01 to=2026-04-01", one),
            ("view=datadog from=2026-04-01 to=2026-04-01", "n=0"),
        ],
    );
}

#[test]
fn s37_the_resolver_kind_is_that_of_the_resolve_used() {
    let timer = incident(
        1,
        "03-02 09:00 trigger
         03-02 10:00 resolve timer
         03-02 10:30 reopen
         03-02 11:00 resolve UBOB",
    );
    let world = march(&[timer, plain(2, 20)]);
    table(
        &world,
        "mttr",
        &[
            (
                "group_by=resolver_kind",
                "human: n=2 mean=4200 median=4200 p90=6600 min=1200 max=7200",
            ),
            (
                "group_by=resolver_kind recovery=first",
                "human: n=1 mean=1200 median=1200 p90=1200 min=1200 max=1200
                 timer: n=1 mean=3600 median=3600 p90=3600 min=3600 max=3600",
            ),
        ],
    );
}

#[test]
fn s34_a_merge_source_is_no_recovery_until_it_is_open_again() {
    let mut source = plain(1, 10);
    source.merged = true;
    let mut again = incident(2, TWICE);
    again.merged = true;
    let mut reopened = incident(
        3,
        "03-02 09:00 trigger
         03-02 09:10 resolve none
         03-02 09:20 reopen",
    );
    reopened.merged = true;
    let world = march(&[source, again, reopened]);
    for metric in [
        "mttr",
        "mtta",
        "reopen_rate",
        "sla_compliance",
        "incident_frequency",
    ] {
        let out = world.leaves_out(metric, "");
        assert!(out.starts_with("test=0 merged=2"), "{metric}: {out}");
    }
    table(
        &world,
        "incident_frequency",
        &[("", "1, 0.03225806451612903 a day")],
    );
    // They were pages, and open.
    table(&world, "pages", &[("", "3")]);
    table(
        &world,
        "open_incidents",
        &[
            ("to=2026-03-02", "1"),
            ("as_of_time=2026-03-02T09:09:59Z", "3"),
        ],
    );
    for metric in [
        "pages",
        "page_disruptions",
        "open_incidents",
        "escalations",
        "oncall_load",
    ] {
        assert_eq!(world.leaves_out(metric, ""), "test=0 merged=0", "{metric}");
    }
}

#[test]
fn g11_test_incidents_are_in_no_metric_and_are_counted() {
    let mut test = incident(1, TWICE);
    test.title = "A [TEST] page".to_owned();
    test.severity = Some("SEV-1".to_owned());
    test.events
        .extend(crate::given::events("03-02 09:45 escalate UANN"));
    let world = march(&[test]);
    for metric in im_metrics::Metric::ALL {
        let shown = world.shows(metric.as_str(), "");
        let empty = [
            "",
            "0",
            "n=0",
            "0, 0 a day",
            "0/0 = -",
            "ack 0/0/0 resolve 0/0/0",
        ];
        assert!(
            empty.contains(&shown.as_str()),
            "{}: {shown}",
            metric.as_str()
        );
        let test = if metric.is_of_deployments() {
            "test=0"
        } else {
            "test=1"
        };
        assert!(
            world.leaves_out(metric.as_str(), "").starts_with(test),
            "{}",
            metric.as_str()
        );
    }
}

#[test]
fn s32_the_first_acknowledge_counts_whoever_gave_it() {
    let timed_out = incident(
        1,
        "03-02 09:00 trigger
         03-02 09:05 ack UANN
         03-02 09:35 unack
         03-02 09:40 ack UBOB",
    );
    let by_program = incident(
        2,
        "03-02 09:00 trigger
         03-02 09:15 ack -",
    );
    // S40: assigned to oneself while it was made.
    let own = incident(
        3,
        "03-02 09:00 trigger
         03-02 09:00 ack UANN",
    );
    let world = march(&[timed_out, by_program, own]);
    table(
        &world,
        "mtta",
        &[("", "n=3 mean=400 median=300 p90=780 min=0 max=900")],
    );
}

#[test]
fn s38_a_resolve_is_no_acknowledge_and_is_counted() {
    let world = march(&[plain(1, 10), incident(2, TWICE)]);
    table(
        &world,
        "mtta",
        &[("", "n=1 mean=300 median=300 p90=300 min=300 max=300")],
    );
    assert_eq!(
        world.leaves_out("mtta", ""),
        "test=0 merged=0 unacknowledged=1 of these open=0"
    );
}

#[test]
fn reopen_rate_is_a_share_of_those_resolved() {
    let open = incident(3, "03-02 09:00 trigger");
    let world = march(&[plain(1, 10), incident(2, TWICE), open]);
    table(
        &world,
        "reopen_rate",
        &[
            ("", "1/2 = 0.5"),
            ("as_of_time=2026-03-02T09:20:00Z", "0/2 = 0"),
            ("from=2026-03-03", "0/0 = -"),
        ],
    );
}

#[test]
fn targets_are_met_at_the_limit_and_pending_until_then() {
    // SEV-1: 15 minutes and 1 hour.
    let sev = |number, story: &str| History {
        severity: Some("SEV-1".to_owned()),
        ..incident(number, story)
    };
    let at_the_limit = "
        03-02 09:00 trigger
        03-02 09:15 ack UANN
        03-02 10:00 resolve UANN";
    let late = "
        03-02 09:00 trigger
        03-02 09:15:00.000001 ack UANN
        03-02 10:00:00.000001 resolve UANN";
    let stopped_by_resolve = "
        03-02 09:00 trigger
        03-02 09:14 resolve timer
        03-02 09:20 ack UANN";
    let reopened = "
        03-02 09:00 trigger
        03-02 09:05 ack UANN
        03-02 09:10 resolve UANN
        03-02 12:00 reopen";
    let check = |story: &str, params: &str, want: &str| {
        table(
            &march(&[sev(1, story)]),
            "sla_compliance",
            &[(params, want)],
        );
    };
    check(at_the_limit, "", "ack 1/0/0 resolve 1/0/0");
    check(late, "", "ack 0/1/0 resolve 0/1/0");
    check(stopped_by_resolve, "", "ack 1/0/0 resolve 1/0/0");
    check(
        reopened,
        "as_of_time=2026-03-02T11:00:00Z",
        "ack 1/0/0 resolve 1/0/0",
    );
    // An incident open now is judged by now.
    check(reopened, "", "ack 1/0/0 resolve 0/1/0");
    let open = "03-02 09:00 trigger";
    check(
        open,
        "as_of_time=2026-03-02T09:15:00Z",
        "ack 0/0/1 resolve 0/0/1",
    );
    check(
        open,
        "as_of_time=2026-03-02T09:15:01Z",
        "ack 0/1/0 resolve 0/0/1",
    );
    check(open, "", "ack 0/1/0 resolve 0/1/0");
}

#[test]
fn what_has_no_target_is_counted() {
    let with = |number, severity: Option<&str>| History {
        severity: severity.map(str::to_owned),
        ..plain(number, 10)
    };
    let world = march(&[with(1, None), with(2, Some("odd")), with(3, Some("SEV-4"))]);
    table(&world, "sla_compliance", &[("", "ack 1/0/0 resolve 1/0/0")]);
    assert_eq!(
        world.leaves_out("sla_compliance", ""),
        "test=0 merged=0 no_target=2"
    );
}
