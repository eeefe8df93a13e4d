//! Findings: what in the incidents of a range is worth a look.
//!
//! What is found and by which rule is `im_metrics`' business (`docs/metrics.md`). Here ids get their
//! names, and each finding its sentence.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use im_core::IncidentNumber;
use im_metrics::{BadQuery, Metric, Query};
use im_store::tokens::Scope;
use im_store::{StoreError, Tx, incidents};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::metrics::asked::{Dates, Filters};
use super::metrics::{FILTERS, Group, compute, length, of_what, said};
use crate::access::Who;
use crate::figures::Known;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Params;

/// The metric whose questions choose the incidents that are looked at.
pub(crate) const METRIC: Metric = Metric::IncidentFrequency;

/// What findings take beside the filters.
pub(crate) const OWN: [&str; 3] = ["from", "to", "as_of_time"];

/// Titles that one statement reads.
const TITLES: usize = 500;

/// The routes of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(findings))
}

/// Incidents, oldest first. There may be many, and a page names few: what they are called is said where it is written.
#[derive(Debug)]
pub(crate) struct Incidents(Vec<i64>);

impl Incidents {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The last one, as a whole.
    fn newest(&self) -> Option<IncidentNumber> {
        let newest = self.0.last().copied();
        newest
            .and_then(IncidentNumber::new)
            .map(IncidentNumber::said)
    }

    /// What people call each.
    pub(crate) fn said(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|number| said(*number))
    }
}

impl Serialize for Incidents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.said())
    }
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Findings {
    /// The first local date.
    pub(crate) from: String,
    /// The last local date.
    pub(crate) to: String,
    /// The zone of these dates.
    pub(crate) time_zone: String,
    /// Incidents of the range, without tests and merge sources.
    pub(crate) incidents: u64,
    /// Matters that came at least twice on one service within 30 days, the most frequent first.
    pub(crate) recurring: Vec<Recurring>,
    /// Where time goes, by service; the slowest first.
    pub(crate) bottlenecks: Vec<Bottleneck>,
    /// Triggers by weekday (from Monday) and hour (0 to 23), on the organisation's clock.
    pub(crate) heat_map: Vec<Vec<usize>>,
    /// The incidents behind each hour of the heat map that has any.
    pub(crate) hours: Vec<Heat>,
    /// Figures that became worse than over as many dates before, the worst first.
    pub(crate) worst_changes: Vec<Change>,
    /// Pages of a person in a week that are still good: the target of `page_disruptions`, else 7.
    pub(crate) pages_target: f64,
    /// Weeks in which a person had more, the most first; null for who may not see what single people are paged for.
    pub(crate) over_target: Option<Vec<Overloaded>>,
    /// How often each cause was named, the most frequent first. Nothing is guessed.
    pub(crate) causes: Vec<Named>,
    /// Why there is nothing to find yet, and what brings it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<&'static str>,
}

/// A matter that came again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Recurring {
    /// The title without numbers, ids and hosts.
    pub(crate) title: String,
    /// The title of the last one, as it is.
    pub(crate) newest_title: String,
    pub(crate) service: Group,
    pub(crate) count: usize,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
    /// The incidents, oldest first.
    #[schema(value_type = Vec<String>, example = json!(["INC-4", "INC-9"]))]
    pub(crate) incidents: Incidents,
}

/// Where the time of a service's incidents goes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bottleneck {
    pub(crate) service: Group,
    pub(crate) incidents: usize,
    /// Mean seconds from the trigger to the first acknowledgement.
    pub(crate) to_acknowledge: Option<f64>,
    /// Mean seconds from there to the last resolve.
    pub(crate) to_resolve: Option<f64>,
    /// `acknowledge` or `resolve`.
    pub(crate) longest: Option<&'static str>,
    pub(crate) escalations: u64,
    /// Assignments and delegations after the first.
    pub(crate) reassignments: u64,
    /// Seconds in which incidents were open and nobody had acknowledged them.
    pub(crate) unowned: f64,
    /// The share of that in the time that they were open.
    pub(crate) unowned_share: Option<f64>,
    /// Seconds in which incidents were open and somebody had acknowledged them.
    pub(crate) engaged: f64,
    /// Those of them in which they were put off: without them, `engaged` is the time of work.
    pub(crate) snoozed: f64,
    /// The incidents, oldest first.
    #[schema(value_type = Vec<String>, example = json!(["INC-4", "INC-9"]))]
    pub(crate) behind: Incidents,
}

/// An hour of the week in which incidents were triggered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Heat {
    /// 0 for Monday.
    pub(crate) weekday: usize,
    /// 0 to 23.
    pub(crate) hour: usize,
    /// Oldest first.
    #[schema(value_type = Vec<String>, example = json!(["INC-4", "INC-9"]))]
    pub(crate) behind: Incidents,
}

/// A figure that became worse.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Change {
    pub(crate) metric: &'static str,
    /// `service` or `team`.
    pub(crate) by: &'static str,
    #[serde(flatten)]
    pub(crate) what: Group,
    pub(crate) before: f64,
    pub(crate) now: f64,
    /// How many times more it is; null where it was 0 before.
    pub(crate) times: Option<f64>,
    /// All of it in words.
    #[schema(example = "mttr of service Checkout: 20m 00s before, 45m 10s now")]
    pub(crate) text: String,
    /// The incidents behind the figure now, oldest first.
    #[schema(value_type = Vec<String>, example = json!(["INC-4", "INC-9"]))]
    pub(crate) behind: Incidents,
}

/// A week with too many pages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overloaded {
    pub(crate) user: Group,
    /// The Monday.
    pub(crate) week: String,
    pub(crate) pages: u64,
    /// The incidents of these pages, oldest first.
    #[schema(value_type = Vec<String>, example = json!(["INC-4", "INC-9"]))]
    pub(crate) behind: Incidents,
}

/// How often a cause was named.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Named {
    /// Null where none was named.
    pub(crate) cause: Option<String>,
    pub(crate) incidents: usize,
    /// The incidents, oldest first.
    #[schema(value_type = Vec<String>, example = json!(["INC-4", "INC-9"]))]
    pub(crate) behind: Incidents,
}

/// Find what is worth a look: what recurs, where time goes, what became worse
#[utoipa::path(
    get, path = "/api/v1/findings", tag = "metrics", operation_id = "find",
    params(
        Dates, Filters,
        ("as_of_time" = Option<String>, Query, description = "Facts after this instant do not exist; now by default"),
    ),
    responses((status = 200, body = Findings, description = "What was found, each by a rule that docs/metrics.md states")),
)]
async fn findings(
    State(app): State<Arc<App>>,
    who: Who,
    params: Params,
) -> Result<Json<Findings>, ApiError> {
    let sees_people = who.may(Scope::PersonalLoad);
    let params = params.only(&[&OWN[..], &FILTERS[..]].concat())?;
    let query = im_metrics::parse(METRIC.as_str(), params.pairs());
    let query = query.map_err(of_findings)?;
    let found = compute(&app, move |known, now| {
        let query = known.meant(&query)?;
        Ok(Findings::find(&query, sees_people, known, now)?)
    });
    let found = found.await?;
    Ok(Json(app.db.read(move |tx| found.titled(tx)).await?))
}

/// The parameters are those of a metric, which whoever asks for findings did not name.
pub(crate) fn of_findings(error: BadQuery) -> BadQuery {
    error.asked_of("findings")
}

impl Findings {
    /// What is found in the incidents of a question that is asked by ids.
    pub(crate) fn find(
        query: &Query,
        sees_people: bool,
        known: &Known,
        now: Timestamp,
    ) -> Result<Self, BadQuery> {
        let pages_max = known.organisation.pages_max();
        let found = known.engine.findings(query, pages_max, now)?;
        Ok(Self::new(&found, (pages_max, sees_people), known))
    }

    /// The same with the titles that the newest of each matter have: figures know titles in lower case alone.
    pub(crate) fn titled(mut self, tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        let newest = self.recurring.iter().map(|one| one.incidents.newest());
        let newest: Vec<IncidentNumber> = newest.flatten().collect();
        let mut titles = BTreeMap::new();
        for some in newest.chunks(TITLES) {
            let rows = incidents::of_numbers(tx, some)?.into_iter();
            titles.extend(rows.map(|row| (row.number, row.title)));
        }
        for one in &mut self.recurring {
            let newest = one.incidents.newest();
            if let Some(title) = newest.and_then(|number| titles.remove(&number)) {
                one.newest_title = title;
            }
        }
        Ok(self)
    }

    fn new(
        found: &im_metrics::Findings,
        (pages_target, sees_people): (f64, bool),
        known: &Known,
    ) -> Self {
        let (from, to) = found.range;
        let zone = &known.engine.settings().zone;
        let name = |key: &Option<String>| Group::new(key.as_deref(), known);
        let recurring = found.recurring.iter().map(|one| Recurring {
            title: one.title.clone(),
            newest_title: one.title.clone(),
            service: name(&one.service),
            count: one.incidents.len(),
            first_at: one.first,
            last_at: one.last,
            incidents: Incidents(one.incidents.clone()),
        });
        let bottlenecks = found.bottlenecks.iter().map(|one| Bottleneck {
            service: name(&one.service),
            incidents: one.incidents.len(),
            to_acknowledge: one.to_acknowledge,
            to_resolve: one.to_resolve,
            longest: one.longest.map(im_metrics::Stage::as_str),
            escalations: one.escalations,
            reassignments: one.reassignments,
            unowned: one.unowned,
            unowned_share: one.unowned_share,
            engaged: one.engaged,
            snoozed: one.snoozed,
            behind: Incidents(one.incidents.clone()),
        });
        let over_target = found.overloaded.iter().map(|one| Overloaded {
            user: Group::new(Some(&one.user), known),
            week: one.week.to_string(),
            pages: one.pages,
            behind: Incidents(one.incidents.clone()),
        });
        let causes = found.causes.iter().map(|one| Named {
            cause: one.cause.clone(),
            incidents: one.incidents.len(),
            behind: Incidents(one.incidents.clone()),
        });
        let day = |(weekday, hours): (usize, &[Vec<i64>; 24])| -> Vec<Heat> {
            let hours = hours
                .iter()
                .enumerate()
                .filter(|(_, incidents)| !incidents.is_empty());
            let hours = hours.map(|(hour, incidents)| Heat {
                weekday,
                hour,
                behind: Incidents(incidents.clone()),
            });
            hours.collect()
        };
        let counts = |day: &[Vec<i64>; 24]| day.iter().map(Vec::len).collect();
        Self {
            from: from.to_string(),
            to: to.to_string(),
            time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            incidents: found.incidents,
            recurring: recurring.collect(),
            bottlenecks: bottlenecks.collect(),
            heat_map: found.heat.iter().map(counts).collect(),
            hours: found.heat.iter().enumerate().flat_map(day).collect(),
            hint: known.nothing_yet(),
            worst_changes: found
                .changes
                .iter()
                .map(|one| Change::new(one, known))
                .collect(),
            pages_target,
            over_target: sees_people.then(|| over_target.collect()),
            causes: causes.collect(),
        }
    }
}

impl Change {
    fn new(change: &im_metrics::Change, known: &Known) -> Self {
        let is_time = matches!(change.metric, Metric::Mttr | Metric::Mtta);
        let is_rate = change.metric == Metric::IncidentFrequency;
        let value = |value: f64| match (is_time, is_rate) {
            (true, _) => length(value),
            (false, true) => format!("{value:.2} a day"),
            (false, false) => format!("{:.1} %", value * 100.0),
        };
        let what = of_what(change.of, change.key.as_deref(), known);
        Self {
            metric: change.metric.as_str(),
            by: change.of.as_str(),
            what: Group::new(change.key.as_deref(), known),
            before: change.before,
            now: change.now,
            behind: Incidents(change.incidents.clone()),
            times: change.times,
            text: format!(
                "{} of {what}: {} before, {} now",
                change.metric.as_str(),
                value(change.before),
                value(change.now)
            ),
        }
    }
}
