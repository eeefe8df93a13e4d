//! The questions, for the engine and in SQL.

use im_metrics::{Answer, Figure, Value};
use serde::Deserialize;

/// A question in both languages.
pub(crate) struct Asked {
    pub(crate) name: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) params: &'static [(&'static str, &'static str)],
    /// Gives `key, bucket, n, value`.
    pub(crate) sql: &'static str,
    /// Which statistic is compared.
    stat: Stat,
}

#[derive(Clone, Copy)]
enum Stat {
    Mean,
    P90,
    Count,
    Ratio,
    /// The mean of the whole range.
    TotalMean,
    /// The count of the whole range.
    TotalCount,
}

/// A figure that is not empty: of which group, in which bucket.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Row {
    pub(crate) key: String,
    /// Its first date; empty for a total.
    pub(crate) bucket: String,
    pub(crate) n: u64,
    pub(crate) value: f64,
}

impl Asked {
    /// The figures of an answer that are not empty, in order.
    pub(crate) fn rows(&self, answer: &Answer) -> Vec<Row> {
        let mut rows = Vec::new();
        for series in &answer.series {
            let key = series.keys.first().cloned().flatten().unwrap_or_default();
            let row = |bucket: String, (n, value): (u64, f64)| Row {
                key: key.clone(),
                bucket,
                n,
                value,
            };
            if matches!(self.stat, Stat::TotalMean | Stat::TotalCount) {
                rows.extend(
                    self.told(&series.total)
                        .map(|told| row(String::new(), told)),
                );
                continue;
            }
            for (value, bucket) in series.values.iter().zip(&answer.buckets) {
                let told = self.told(value);
                rows.extend(told.map(|told| row(bucket.label.to_string(), told)));
            }
        }
        rows.sort_by(|a, b| (&a.key, &a.bucket).cmp(&(&b.key, &b.bucket)));
        rows
    }

    fn told(&self, value: &Value) -> Option<(u64, f64)> {
        match (self.stat, value.figure) {
            (Stat::Mean | Stat::TotalMean, Figure::Durations(told)) => Some((told.n, told.mean?)),
            (Stat::P90, Figure::Durations(told)) => Some((told.n, told.p90?)),
            (Stat::Count | Stat::TotalCount, Figure::Count { n } | Figure::Rate { n, .. }) => {
                (n > 0).then_some((n, 0.0))
            }
            (
                Stat::Ratio,
                Figure::Ratio {
                    denominator, ratio, ..
                },
            ) => Some((denominator, ratio?)),
            _ => None,
        }
    }
}

const YEAR: (&str, &str) = ("from", "2025-11-03");
const END: (&str, &str) = ("to", "2026-11-01");
const WEEK: (&str, &str) = ("bucket", "week");
const MONTH: (&str, &str) = ("bucket", "month");
const WHOLE: (&str, &str) = ("bucket", "all");
const BY_SERVICE: (&str, &str) = ("group_by", "service");

/// What a dashboard asks for.
pub(crate) const QUESTIONS: [Asked; 12] = [
    Asked {
        name: "MTTR by service, weeks of a year",
        metric: "mttr",
        params: &[YEAR, END, WEEK, BY_SERVICE],
        sql: "SELECT service, date_trunc('week', began), count(*), avg(resolve_us) / 1e6
                FROM incident WHERE NOT merged AND NOT test AND resolve_us IS NOT NULL GROUP BY 1, 2",
        stat: Stat::Mean,
    },
    Asked {
        name: "MTTA by escalation policy, weeks of a year",
        metric: "mtta",
        params: &[YEAR, END, WEEK, ("group_by", "escalation_policy")],
        sql: "SELECT policy, date_trunc('week', began), count(*), avg(ack_us) / 1e6
                FROM incident WHERE NOT merged AND NOT test AND ack_us IS NOT NULL GROUP BY 1, 2",
        stat: Stat::Mean,
    },
    Asked {
        name: "p90 of MTTR by service, months",
        metric: "mttr",
        params: &[YEAR, END, MONTH, BY_SERVICE],
        sql: "SELECT service, date_trunc('month', began), count(*), quantile_cont(resolve_us, 0.9) / 1e6
                FROM incident WHERE NOT merged AND NOT test AND resolve_us IS NOT NULL GROUP BY 1, 2",
        stat: Stat::P90,
    },
    Asked {
        name: "p90 of MTTA by urgency, weeks",
        metric: "mtta",
        params: &[YEAR, END, WEEK, ("group_by", "urgency")],
        sql: "SELECT urgency, date_trunc('week', began), count(*), quantile_cont(ack_us, 0.9) / 1e6
                FROM incident WHERE NOT merged AND NOT test AND ack_us IS NOT NULL GROUP BY 1, 2",
        stat: Stat::P90,
    },
    Asked {
        name: "pages by service, weeks",
        metric: "pages",
        params: &[YEAR, END, WEEK, BY_SERVICE, ("source", "notifications")],
        sql: "SELECT service, date_trunc('week', began), count(*), 0.0
                FROM page WHERE NOT test GROUP BY 1, 2",
        stat: Stat::Count,
    },
    Asked {
        name: "disrupted hours out of hours by person, weeks",
        metric: "page_disruptions",
        params: &[
            YEAR,
            END,
            WEEK,
            ("group_by", "user"),
            ("source", "notifications"),
            ("measure", "hours"),
            ("when", "out_of_hours"),
        ],
        sql: "SELECT person, date_trunc('week', began), count(DISTINCT hour), 0.0
                FROM page WHERE NOT test AND out_of_hours GROUP BY 1, 2",
        stat: Stat::Count,
    },
    Asked {
        name: "disrupted hours out of hours of the organisation, weeks",
        metric: "page_disruptions",
        params: &[
            YEAR,
            END,
            WEEK,
            ("source", "notifications"),
            ("measure", "hours"),
            ("when", "out_of_hours"),
        ],
        sql: "SELECT '', date_trunc('week', began), count(DISTINCT (person, hour)), 0.0
                FROM page WHERE NOT test AND out_of_hours GROUP BY 1, 2",
        stat: Stat::Count,
    },
    Asked {
        name: "attributed change failure rate by service, months",
        metric: "change_failure_rate",
        params: &[YEAR, END, MONTH, BY_SERVICE],
        sql: "WITH blamed AS (
                SELECT DISTINCT d.id FROM incident i ASOF JOIN (SELECT * FROM deployment WHERE success) d
                    ON i.service = d.service AND i.began >= d.began
                 WHERE NOT i.merged AND NOT i.test AND i.began - d.began <= INTERVAL 24 HOUR)
              SELECT service, date_trunc('month', began), count(*), count(blamed.id) / count(*)
                FROM deployment LEFT JOIN blamed USING (id)
               WHERE success AND began >= DATE '2025-11-03' GROUP BY 1, 2",
        stat: Stat::Ratio,
    },
    Asked {
        name: "MTTR of three services, high urgency, P1, weeks",
        metric: "mttr",
        params: &[
            YEAR,
            END,
            WEEK,
            ("service", "PSVC03"),
            ("service", "PSVC07"),
            ("service", "PSVC11"),
            ("urgency", "high"),
            ("priority", "PPRI1"),
        ],
        sql: "SELECT '', date_trunc('week', began), count(*), avg(resolve_us) / 1e6
                FROM incident WHERE NOT merged AND NOT test AND resolve_us IS NOT NULL
                 AND service IN ('PSVC03', 'PSVC07', 'PSVC11') AND urgency = 'high' AND priority = 'PPRI1'
               GROUP BY 1, 2",
        stat: Stat::Mean,
    },
    Asked {
        name: "incidents of two policies with a word in the title, weeks",
        metric: "incident_frequency",
        params: &[
            YEAR,
            END,
            WEEK,
            ("escalation_policy", "PPOL02"),
            ("escalation_policy", "PPOL05"),
            ("title", "disk"),
        ],
        sql: "SELECT '', date_trunc('week', began), count(*), 0.0
                FROM incident WHERE NOT merged AND NOT test
                 AND policy IN ('PPOL02', 'PPOL05') AND contains(lower(title), 'disk')
               GROUP BY 1, 2",
        stat: Stat::Count,
    },
    Asked {
        name: "MTTR of the last 42 days",
        metric: "mttr",
        params: &[("from", "2026-09-21"), END, WHOLE],
        sql: "SELECT '', NULL, count(*), avg(resolve_us) / 1e6
                FROM incident WHERE NOT merged AND NOT test AND resolve_us IS NOT NULL
                 AND began >= TIMESTAMP '2026-09-21'",
        stat: Stat::TotalMean,
    },
    Asked {
        name: "pages of the last 42 days",
        metric: "pages",
        params: &[("from", "2026-09-21"), END, WHOLE, ("source", "notifications")],
        sql: "SELECT '', NULL, count(*), 0.0
                FROM page WHERE NOT test AND began >= TIMESTAMP '2026-09-21'",
        stat: Stat::TotalCount,
    },
];
