//! Insights: what a figure is, how it stands to the time before, and what moved it most.
//!
//! What moved it is the part (a service; where figures are of services, an urgency) that brought most of
//! the change, in its direction. Of counts a part brings its own difference. Of means and shares it brings
//! its weight in the whole times what it is away from the whole's figure before, now less then: so parts
//! add up to the change, and more or fewer items of what is as the rest move nothing. Words and names are
//! the caller's.

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
    /// The change of the figure that it brought; `None` where the figure is a median, which has no parts:
    /// then it is the one that moved the mean most.
    pub change: Option<f64>,
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
            let then = match same {
                Some(same) => Some(same.total.figure),
                None => earlier.and_then(|_| nothing_of(&series.total.figure)),
            };
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

/// Of the parts of a figure, now and before, the one that brought most of its change.
fn moved(
    metric: Metric,
    by: Dimension,
    (series, then): (&Series, &Figure),
    (parts, earlier): (&[Series], &[Series]),
) -> Option<Mover> {
    let figure = &series.total.figure;
    let is_more = figure.headline(metric)? - then.headline(metric)?;
    let (whole, whole_then) = (Sum::of(figure), Sum::of(then));
    let base = whole_then.mean();
    // Parts of a mean say nothing of a median that went the other way.
    let is_same_way = |change: f64| change * is_more > 0.0;
    if !is_same_way(whole.mean() - base) {
        return None;
    }
    let mut best: Option<(String, f64)> = None;
    for keys in parts.iter().chain(earlier).map(|part| &part.keys) {
        let Some(key) = keys.last().cloned().flatten() else {
            continue;
        };
        let away = |parts: &[Series], whole: &Sum| {
            let part = find(parts, keys);
            part.map_or(0.0, |part| Sum::of(&part.total.figure).away(base, whole))
        };
        let change = away(parts, &whole) - away(earlier, &whole_then);
        let is_most = best
            .as_ref()
            .is_none_or(|(_, most)| change.abs() > most.abs());
        if is_same_way(change) && is_most {
            best = Some((key, change));
        }
    }
    let is_median = matches!(figure, Figure::Durations(_)) && metric.is_dora();
    best.map(|(key, change)| Mover {
        by,
        key,
        change: (!is_median).then_some(change),
    })
}

fn find<'a>(series: &'a [Series], keys: &[Option<String>]) -> Option<&'a Series> {
    series.iter().find(|one| one.keys == keys)
}

/// The figure of a group that had nothing: of counts and rates 0, of others there is none.
fn nothing_of(figure: &Figure) -> Option<Figure> {
    match figure {
        Figure::Count { .. } => Some(Figure::Count { n: 0 }),
        Figure::Rate { .. } => Some(Figure::Rate { n: 0, per_day: 0.0 }),
        Figure::Load { .. } => Some(Figure::Load {
            n: 0,
            acknowledged: None,
            mtta: None,
            out_of_hours: None,
            escalated_away: 0,
        }),
        Figure::Durations(_) | Figure::Ratio { .. } | Figure::Compliance { .. } => None,
    }
}

/// What a figure is made of.
enum Sum {
    /// A number that parts add up to.
    Number(f64),
    /// A sum over what it is the mean of.
    Mean { sum: f64, of: f64 },
}

impl Sum {
    fn of(figure: &Figure) -> Self {
        let float = |n: u64| num::float(n.into());
        match *figure {
            Figure::Rate { per_day, .. } => Self::Number(per_day),
            Figure::Count { n } | Figure::Load { n, .. } => Self::Number(float(n)),
            Figure::Durations(durations) => Self::Mean {
                sum: durations.mean.unwrap_or(0.0) * float(durations.n),
                of: float(durations.n),
            },
            Figure::Ratio {
                numerator,
                denominator,
                ..
            } => Self::Mean {
                sum: float(numerator),
                of: float(denominator),
            },
            Figure::Compliance { resolve, .. } => Self::Mean {
                sum: float(resolve.met),
                of: float(resolve.met + resolve.breached),
            },
        }
    }

    /// The number, or the mean.
    fn mean(&self) -> f64 {
        match *self {
            Self::Number(number) => number,
            Self::Mean { sum, of } => sum / of,
        }
    }

    /// The number; of a mean how far this part takes that of the whole from `base`.
    fn away(&self, base: f64, whole: &Self) -> f64 {
        match (self, whole) {
            (Self::Mean { sum, of }, Self::Mean { of: whole, .. }) => (sum - base * of) / whole,
            (Self::Number(number), _) => *number,
            (Self::Mean { .. }, Self::Number(_)) => 0.0,
        }
    }
}
