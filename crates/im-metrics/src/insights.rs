//! Insights: what a figure is, how it stands to the time before, and what moved it most.
//!
//! What moved it is the part (a service; where figures are of services, an urgency) whose share of the
//! figure changed most in the direction in which the figure changed. Words and names are the caller's.

use jiff::Timestamp;

use crate::answer::{Answer, Series};
use crate::calendar::BucketSize;
use crate::calendar::before;
use crate::cells::Figure;
use crate::engine::Engine;
use crate::findings::like;
use crate::num;
use crate::params::BadQuery;
use crate::plan::Plan;
use crate::query::{Dimension, Metric, Query};

/// One figure explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Insight {
    /// The keys of its group, as in an answer.
    pub keys: Vec<Option<String>>,
    /// The figure of the whole range.
    pub figure: Figure,
    /// The figure of as many dates before.
    pub before: Option<Figure>,
    /// The part that moved it most.
    pub mover: Option<Mover>,
}

/// A part of a figure that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Mover {
    /// A part of what kind.
    pub by: Dimension,
    /// Which.
    pub key: String,
    /// The change of the figure that it brought.
    pub change: f64,
}

impl Metric {
    /// Whether more of it is better: of frequencies of deployments and of targets met.
    pub fn is_better_if_more(self) -> bool {
        matches!(self, Self::DeploymentFrequency | Self::SlaCompliance)
    }
}

impl Engine {
    /// Explains each series of a question, buckets left aside.
    pub fn insights(&self, query: &Query, now: Timestamp) -> Result<Vec<Insight>, BadQuery> {
        let query = Query {
            bucket: BucketSize::All,
            compare: true,
            ..query.clone()
        };
        let range = Plan::new(self, &query, now)?.range;
        let answer = self.answer(&query, now)?;
        let earlier = answer.previous.as_deref();
        let mut insights = Vec::new();
        for series in &answer.series {
            let same = earlier.and_then(|earlier| find(&earlier.series, &series.keys));
            let then = same.map(|same| same.total.figure);
            let mover = match then {
                Some(then) => self.mover(&query, range, (series, &then), now)?,
                None => None,
            };
            insights.push(Insight {
                keys: series.keys.clone(),
                figure: series.total.figure,
                before: then,
                mover,
            });
        }
        Ok(insights)
    }

    /// The part that moved an answer's figure most; the answer is not grouped, and compared with the
    /// time before. Where the caller has the same by service already, that is not asked again.
    pub fn mover_of(
        &self,
        query: &Query,
        answer: &Answer,
        by_service: Option<&Answer>,
        now: Timestamp,
    ) -> Result<Option<Mover>, BadQuery> {
        let earlier = answer.previous.as_deref();
        let earlier = earlier.and_then(|earlier| earlier.series.first());
        let Some((series, then)) = answer.series.first().zip(earlier) else {
            return Ok(None);
        };
        let then = &then.total.figure;
        let parts =
            by_service.and_then(|now| Some((&*now.series, &*now.previous.as_deref()?.series)));
        match parts {
            Some(parts) => Ok(moved(
                query.metric,
                Dimension::Service,
                (series, then),
                parts,
            )),
            None => self.mover(query, answer.range, (series, then), now),
        }
    }

    /// The part that moved a figure most.
    fn mover(
        &self,
        query: &Query,
        range: (jiff::civil::Date, jiff::civil::Date),
        (series, then): (&Series, &Figure),
        now: Timestamp,
    ) -> Result<Option<Mover>, BadQuery> {
        let metric = query.metric;
        let by = match query.group_by {
            Some(Dimension::Service) => Dimension::Urgency,
            _ => Dimension::Service,
        };
        let is_known = |figure: &Figure| figure.headline(metric).is_some();
        let are_known = is_known(&series.total.figure) && is_known(then);
        if !are_known || !Dimension::groups_of(metric, query.source).contains(&by) {
            return Ok(None);
        }
        let Some(parts) = self.parts(query, series, (by, range), now)? else {
            return Ok(None);
        };
        let earlier = before(range).map(|range| self.parts(query, series, (by, range), now));
        let earlier = earlier.transpose()?.flatten().unwrap_or_default();
        Ok(moved(metric, by, (series, then), (&parts, &earlier)))
    }

    /// The figures of the parts of one series.
    fn parts(
        &self,
        query: &Query,
        series: &Series,
        (by, range): (Dimension, (jiff::civil::Date, jiff::civil::Date)),
        now: Timestamp,
    ) -> Result<Option<Vec<Series>>, BadQuery> {
        let mut filters = query.filters.clone();
        let user = (query.metric == Metric::OncallLoad).then_some(Dimension::User);
        let grouped: Vec<Dimension> = user.into_iter().chain(query.group_by).collect();
        let allowed = Dimension::filters_of(query.metric, query.source);
        for (dimension, key) in grouped.iter().zip(&series.keys) {
            if !allowed.contains(dimension) {
                return Ok(None);
            }
            filters.retain(|(by, _)| by != dimension);
            filters.push((*dimension, vec![key.clone()]));
        }
        let plain = like(query.metric, query, range, "all", by.as_str())?;
        let asked = Query {
            from: plain.from,
            to: plain.to,
            group_by: plain.group_by,
            filters,
            bucket: BucketSize::All,
            compare: false,
            ..query.clone()
        };
        Ok(Some(self.answer(&asked, now)?.series))
    }
}

/// Of the parts of a figure, now and before, the one whose share changed most as the figure did.
fn moved(
    metric: Metric,
    by: Dimension,
    (series, then): (&Series, &Figure),
    (parts, earlier): (&[Series], &[Series]),
) -> Option<Mover> {
    let figure = &series.total.figure;
    let (is, was) = (figure.headline(metric)?, then.headline(metric)?);
    let mut best: Option<Mover> = None;
    let keys = parts.iter().chain(earlier).map(|part| &part.keys);
    for keys in keys {
        let Some(key) = keys.last().cloned().flatten() else {
            continue;
        };
        let share = |parts: &[Series], whole: &Figure| {
            find(parts, keys).map_or(0.0, |part| share(&part.total.figure, whole))
        };
        let change = share(parts, figure) - share(earlier, then);
        let is_same_way = (change > 0.0 && is > was) || (change < 0.0 && is < was);
        let is_more = best
            .as_ref()
            .is_none_or(|best| change.abs() > best.change.abs());
        if is_same_way && is_more {
            best = Some(Mover { by, key, change });
        }
    }
    best
}

fn find<'a>(series: &'a [Series], keys: &[Option<String>]) -> Option<&'a Series> {
    series.iter().find(|one| one.keys == keys)
}

/// What a part contributes to the figure of the whole.
fn share(part: &Figure, whole: &Figure) -> f64 {
    let over = |part: f64, whole: u64| match whole {
        0 => 0.0,
        whole => part / num::float(whole.into()),
    };
    let count = |n: u64| num::float(n.into());
    match (*part, *whole) {
        (Figure::Durations(part), Figure::Durations(whole)) => {
            over(part.mean.unwrap_or(0.0) * count(part.n), whole.n)
        }
        (Figure::Ratio { numerator, .. }, Figure::Ratio { denominator, .. }) => {
            over(count(numerator), denominator)
        }
        (Figure::Compliance { resolve: part, .. }, Figure::Compliance { resolve: whole, .. }) => {
            over(count(part.met), whole.met + whole.breached)
        }
        (Figure::Rate { per_day, .. }, _) => per_day,
        (Figure::Count { n } | Figure::Load { n, .. }, _) => count(n),
        (Figure::Durations(_) | Figure::Ratio { .. } | Figure::Compliance { .. }, _) => 0.0,
    }
}
