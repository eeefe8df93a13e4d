//! What each metric may be grouped and filtered by: the whole table of the definitions, written out, against the parser.

use crate::given::ask;

const RECOVERIES: &[&str] = &["mttr", "time_to_restore", "failed_deployment_recovery_time"];
const INCIDENTS: &[&str] = &[
    "mtta",
    "incident_frequency",
    "sla_compliance",
    "reopen_rate",
    "open_incidents",
    "escalations",
    "pages",
];
const PAGES: &[&str] = &["pages", "page_disruptions"];
const CHANGES: &[&str] = &[
    "deployment_frequency",
    "change_lead_time",
    "deployment_rework_rate",
];

/// A row: its metrics, what is asked with it, what it may be grouped by beside `none`, and what it may be filtered by.
struct Row {
    metrics: &'static [&'static str],
    with: &'static str,
    groups: &'static str,
    filters: &'static str,
}

const OF_INCIDENTS: &str = "service escalation_policy team urgency priority severity environment";
const OF_PEOPLE: &str = "service escalation_policy team urgency priority severity environment user";
const FILTERS: &str =
    "service team environment escalation_policy urgency priority severity origin title";
const FILTERS_OF_PEOPLE: &str =
    "service team environment escalation_policy urgency priority severity origin title user";

const TABLE: &[Row] = &[
    Row {
        metrics: RECOVERIES,
        with: "",
        groups: "service escalation_policy team urgency priority severity environment resolver_kind",
        // By `resolver_kind` beside what was specified: ADR 0028.
        filters: "service team environment escalation_policy urgency priority severity origin title resolver_kind",
    },
    Row {
        metrics: INCIDENTS,
        with: "",
        groups: OF_INCIDENTS,
        filters: FILTERS,
    },
    Row {
        metrics: &["pages"],
        with: "source=incidents",
        groups: OF_INCIDENTS,
        filters: FILTERS,
    },
    Row {
        metrics: PAGES,
        with: "source=acknowledgements",
        groups: OF_PEOPLE,
        filters: FILTERS_OF_PEOPLE,
    },
    Row {
        metrics: PAGES,
        with: "source=notifications",
        groups: OF_PEOPLE,
        filters: FILTERS_OF_PEOPLE,
    },
    // By acknowledgements unless it is asked otherwise.
    Row {
        metrics: &["page_disruptions"],
        with: "",
        groups: OF_PEOPLE,
        filters: FILTERS_OF_PEOPLE,
    },
    Row {
        metrics: &["change_failure_rate"],
        with: "",
        groups: "service team environment",
        filters: FILTERS,
    },
    Row {
        metrics: CHANGES,
        with: "",
        groups: "service team environment",
        filters: "service team environment",
    },
    Row {
        metrics: &["oncall_load"],
        with: "",
        groups: "service team urgency",
        filters: FILTERS_OF_PEOPLE,
    },
];

/// Everything that is a grouping or a filter of some metric, with a value that it can have.
const ALL: [(&str, &str); 11] = [
    ("service", "SDB"),
    ("escalation_policy", "EOPS"),
    ("team", "TA"),
    ("urgency", "high"),
    ("priority", "PR1"),
    ("severity", "SEV-1"),
    ("environment", "production"),
    ("resolver_kind", "human"),
    ("origin", "pagerduty"),
    ("title", "db"),
    ("user", "UANN"),
];

/// Those whose response times are never shown per person.
const NEVER_PER_PERSON: [&str; 4] = [
    "mttr",
    "mtta",
    "time_to_restore",
    "failed_deployment_recovery_time",
];

#[test]
fn every_cell_of_the_table_is_allowed_or_refused_as_written() {
    let mut asked = 0;
    for row in TABLE {
        for metric in row.metrics {
            for (name, value) in ALL {
                let group = format!("{} group_by={name}", row.with);
                check(metric, &group, name, row.groups);
                let filter = format!("{} {name}={value}", row.with);
                check(metric, &filter, name, row.filters);
                if row.filters.split(' ').any(|allowed| allowed == name) {
                    let two = format!("{filter} {name}=null group_by=none");
                    let closed = ["resolver_kind", "origin"].contains(&name);
                    assert!(closed || ask(metric, &two).is_ok(), "{metric} {two}");
                }
                asked += 2;
            }
        }
    }
    // Each metric has a row; pages have three, and disruptions too.
    let of = |metric: &im_metrics::Metric| {
        let mut rows = TABLE.iter();
        rows.any(|row| row.metrics.contains(&metric.as_str()))
    };
    assert!(im_metrics::Metric::ALL.iter().all(of));
    assert_eq!(asked, 22 * 21);
}

/// A refusal names everything that is allowed instead.
#[track_caller]
fn check(metric: &str, params: &str, name: &str, allowed: &str) {
    let mut words = allowed.split(' ');
    match ask(metric, params) {
        Ok(_) => assert!(
            words.any(|word| word == name),
            "{metric} {params}: let through"
        ),
        Err(refused) => {
            let refused = refused.to_string();
            assert!(
                words.clone().all(|word| word != name),
                "{metric} {params}: {refused}"
            );
            let per_person = refused.contains("is never shown per person");
            let is_per_person = name == "user" && NEVER_PER_PERSON.contains(&metric);
            assert_eq!(per_person, is_per_person, "{metric} {params}: {refused}");
            let (_, told) = refused.split_once(": ").unwrap();
            let told: Vec<&str> = told
                .split([' ', ',', ';'])
                .filter(|word| !word.is_empty())
                .collect();
            // Of what is never shown per person the groupings are told, which are filters too.
            let closed = |word: &str| is_per_person && ["origin", "title"].contains(&word);
            assert!(
                words.all(|word| closed(word) || told.contains(&word)),
                "{metric} {params}: {refused}"
            );
        }
    }
}

#[test]
fn disruptions_by_incidents_are_refused_whatever_they_are_grouped_by() {
    for (name, value) in ALL {
        for more in [format!("group_by={name}"), format!("{name}={value}")] {
            let asked = ask("page_disruptions", &format!("source=incidents {more}"));
            assert!(asked.is_err(), "{more}");
        }
    }
}
