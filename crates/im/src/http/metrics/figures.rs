//! The main figures as gauges: of the last 42 days, today included, over everything.
//!
//! A statistic of nothing has no sample: 0 would be a figure.

use im_metrics::{BadQuery, Engine, Figure, Metric, parse};
use jiff::Timestamp;

/// A gauge, and what it shows.
#[derive(Debug, Clone)]
pub struct FigureGauge {
    /// Its name without prefix.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// A label and its value where there are several samples, and the number.
    pub samples: Vec<(Option<(&'static str, &'static str)>, f64)>,
}

/// A gauge's name and help, its metric, and the parameters beside the defaults.
type Asked = (
    &'static str,
    &'static str,
    Metric,
    Option<(&'static str, &'static str)>,
);

const ASKED: [Asked; 13] = [
    (
        "mttr_seconds",
        "Time to the last resolve",
        Metric::Mttr,
        None,
    ),
    (
        "mtta_seconds",
        "Time to the first acknowledgement",
        Metric::Mtta,
        None,
    ),
    (
        "time_to_restore_seconds",
        "Time to the last resolve of failures",
        Metric::TimeToRestore,
        None,
    ),
    (
        "change_lead_time_seconds",
        "Time from a commit to its deployment",
        Metric::ChangeLeadTime,
        None,
    ),
    (
        "incidents_per_day",
        "Incidents triggered a day",
        Metric::IncidentFrequency,
        None,
    ),
    (
        "deployments_per_day",
        "Successful deployments a day",
        Metric::DeploymentFrequency,
        None,
    ),
    (
        "change_failure_ratio",
        "Deployments with a failure over all",
        Metric::ChangeFailureRate,
        None,
    ),
    (
        "reopen_ratio",
        "Resolved incidents that were opened again over all",
        Metric::ReopenRate,
        None,
    ),
    (
        "sla_compliance_ratio",
        "Incidents in time over all that are done or late",
        Metric::SlaCompliance,
        None,
    ),
    ("pages", "Pages, one for each incident", Metric::Pages, None),
    (
        "page_disruptions",
        "Pages that people acknowledged",
        Metric::PageDisruptions,
        None,
    ),
    (
        "page_disruptions_out_of_hours",
        "Pages that people acknowledged outside their working hours",
        Metric::PageDisruptions,
        Some(("when", "out_of_hours")),
    ),
    ("escalations", "Escalations", Metric::Escalations, None),
];

/// The figures of the usual range.
pub fn gauges(engine: &Engine, now: Timestamp) -> Result<Vec<FigureGauge>, BadQuery> {
    let gauge = |(name, help, metric, more): Asked| {
        let is_of_nothing = if metric.is_of_deployments() {
            !engine.has_deployments()
        } else {
            engine.is_empty()
        };
        if is_of_nothing {
            let samples = Vec::new();
            return Ok(FigureGauge {
                name,
                help,
                samples,
            });
        }
        let params = [("bucket", "all")].into_iter().chain(more);
        let answer = engine.answer(&parse(metric.as_str(), params)?, now)?;
        let whole = answer.series.first().map(|series| series.total.figure);
        Ok(FigureGauge {
            name,
            help,
            samples: whole.map_or_else(Vec::new, |figure| samples(metric, &figure)),
        })
    };
    ASKED.into_iter().map(gauge).collect()
}

fn samples(metric: Metric, figure: &Figure) -> Vec<(Option<(&'static str, &'static str)>, f64)> {
    let several = match figure {
        Figure::Durations(durations) => vec![
            (("statistic", "mean"), durations.mean),
            (("statistic", "median"), durations.median),
            (("statistic", "p90"), durations.p90),
        ],
        Figure::Compliance { ack, resolve, .. } => vec![
            (("of", "acknowledgement"), ack.compliance),
            (("of", "resolve"), resolve.compliance),
        ],
        Figure::Count { .. } | Figure::Rate { .. } | Figure::Ratio { .. } | Figure::Load { .. } => {
            let headline = figure.headline(metric);
            return headline.map(|value| (None, value)).into_iter().collect();
        }
    };
    let several = several.into_iter();
    several
        .filter_map(|(label, value)| Some((Some(label), value?)))
        .collect()
}
