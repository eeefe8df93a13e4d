//! Buckets partition the range, and groups what is in it: counts add up to the total, on random worlds.

use std::collections::BTreeMap;

use im_metrics::{
    Answer, Behind, BucketSize, Dimension, Engine, Figure, Hourly, Measure, Metric, Query,
};

use crate::random::questions;

#[test]
fn counts_of_buckets_and_of_groups_add_up_to_the_total() {
    let (mut buckets, mut groups) = (0, 0);
    questions(200, |(world, engine), query, place| {
        let Ok(answer) = engine.answer(&query, world.now) else {
            return;
        };
        if are_counts(&query) && query.metric != Metric::OpenIncidents {
            buckets_add_up(&answer, place);
            buckets += answer.buckets.len();
        }
        if let Some(by) = query.group_by.filter(|_| are_counts(&query)) {
            let whole = Query {
                group_by: None,
                ..query.clone()
            };
            let whole = engine.answer(&whole, world.now).unwrap();
            groups_add_up(&answer, &whole, by, place);
            groups += answer.series.len();
        }
    });
    assert!(buckets > 2_000 && groups > 200, "{buckets} {groups}");
}

#[test]
fn hours_of_the_week_add_up_to_what_is_behind_a_figure() {
    let mut services = 0;
    questions(100, |(world, engine), query, place| {
        let Ok(items) = engine.items(&query, world.now) else {
            return;
        };
        let weekly = engine.weekly(&query, world.now).unwrap();
        let hours = weekly.iter().flat_map(|one| one.hours.iter().flatten());
        assert_eq!(hours.sum::<u64>(), count(items.len()), "{place}");
        if !Dimension::filters_of(query.metric, query.source).contains(&Dimension::Service) {
            return;
        }
        for one in weekly {
            let mut of_it = query.clone();
            of_it.filters.retain(|(by, _)| *by != Dimension::Service);
            let filter = (Dimension::Service, vec![one.service.clone()]);
            of_it.filters.push(filter);
            let items = engine.items(&of_it, world.now).unwrap();
            assert_eq!(one.hours, hourly(engine, &items), "{place} {one:?}");
            services += 1;
        }
    });
    assert!(services > 500, "{services}");
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap()
}

/// When items are, on the clock of the organisation.
fn hourly(engine: &Engine, items: &[Behind]) -> Hourly {
    let mut hourly = Hourly::default();
    for item in items {
        let local = item.at.to_zoned(engine.settings().zone.clone());
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap();
        hourly[day][usize::try_from(local.hour()).unwrap()] += 1;
    }
    hourly
}

#[test]
fn an_answer_and_its_parts_of_one_scan_are_as_those_that_are_asked_alone() {
    let (mut asked, mut moved) = (0, 0);
    questions(100, |(world, engine), mut query, place| {
        let groups = Dimension::groups_of(query.metric, query.source);
        let by = query.group_by.unwrap_or(Dimension::Service);
        if !groups.contains(&by) {
            return;
        }
        (query.group_by, query.compare) = (None, true);
        let grouped = Query {
            group_by: Some(by),
            ..query.clone()
        };
        let both = engine.answer_and_parts(&query, by, world.now);
        let parts = engine.answer(&grouped, world.now);
        let Ok((whole, by_it)) = both else {
            assert!(parts.is_err(), "{place}");
            return;
        };
        let alone = engine.answer(&query, world.now).unwrap();
        assert_eq!((&whole, &by_it), (&alone, &parts.unwrap()), "{place}");
        asked += 1;
        if by == Dimension::Service && query.metric != Metric::OncallLoad {
            let told = engine.mover_of(&query, &whole, Some(&by_it), world.now);
            let alone = engine.mover_of(&query, &whole, None, world.now);
            assert_eq!(told, alone, "{place}");
            moved += usize::from(told.unwrap().is_some());
        }
    });
    assert!(asked > 500 && moved > 100, "{asked} {moved}");
}

#[test]
fn parts_add_up_to_the_change_and_the_largest_is_named() {
    let (mut added, mut named) = (0, 0);
    questions(200, |(world, engine), mut query, place| {
        let groups = Dimension::groups_of(query.metric, query.source);
        let by = Dimension::Service;
        if !groups.contains(&by) || query.metric == Metric::OncallLoad || !are_counts(&query) {
            return;
        }
        (query.group_by, query.compare, query.bucket) = (None, true, BucketSize::All);
        let Ok((whole, parts)) = engine.answer_and_parts(&query, by, world.now) else {
            return;
        };
        let Some(then) = whole.previous.as_deref() else {
            return;
        };
        let totals = [&whole, then].map(|answer| answer.series[0].total.figure);
        let Some((change, parts)) = parts_of_change(&totals, &parts) else {
            return;
        };
        let sum: f64 = parts.values().sum();
        let nearly = |one: f64, other: f64| (one - other).abs() <= 1e-9 * (1.0 + other.abs());
        assert!(nearly(sum, change), "{place}: {sum} {change} {parts:?}");
        added += 1;
        let mover = engine.mover_of(&query, &whole, None, world.now).unwrap();
        let Some((mover, told)) = mover.and_then(|mover| Some((mover.key, mover.change?))) else {
            return;
        };
        let part = parts[&Some(mover)];
        assert!(nearly(told, part), "{place}: {told} {part} {parts:?}");
        let most = parts.iter().filter(|(key, _)| key.is_some());
        let most = most.map(|(_, part)| part * change.signum());
        let most = most.fold(0.0, f64::max);
        assert!(nearly(part.abs(), most), "{place}: {part} {parts:?}");
        named += 1;
    });
    assert!(added > 500 && named > 300, "{added} {named}");
}

/// The change of a figure, and what each group brought of it: of a mean its weight times what it is away from
/// the whole of before, now less then.
fn parts_of_change(
    [now, then]: &[Figure; 2],
    parts: &Answer,
) -> Option<(f64, BTreeMap<Option<String>, f64>)> {
    let (mean, base) = (weighed(now)?, weighed(then)?);
    let mut of = BTreeMap::new();
    let before = &parts.previous.as_deref().unwrap().series;
    let all = [(1.0, &parts.series, mean), (-1.0, before, base)];
    for (sign, series, (_, weight)) in all {
        for one in series {
            let part = weighed(&one.total.figure);
            let part = part.map_or(0.0, |(value, own)| match weight {
                Some(weight) => own.unwrap() / weight * (value - base.0),
                None => value,
            });
            *of.entry(one.keys[0].clone()).or_default() += sign * part;
        }
    }
    Some((mean.0 - base.0, of))
}

/// A number, or a mean or share and over how much; `None` where there is nothing to divide by.
fn weighed(figure: &Figure) -> Option<(f64, Option<f64>)> {
    let float = |n: u64| f64::from(u32::try_from(n).unwrap());
    match *figure {
        Figure::Durations(durations) => Some((durations.mean?, Some(float(durations.n)))),
        Figure::Count { n } | Figure::Load { n, .. } => Some((float(n), None)),
        Figure::Rate { per_day, .. } => Some((per_day, None)),
        Figure::Ratio {
            ratio, denominator, ..
        } => Some((ratio?, Some(float(denominator)))),
        Figure::Compliance { resolve, .. } => {
            let judged = float(resolve.met + resolve.breached);
            Some((resolve.compliance?, Some(judged)))
        }
    }
}

/// Whether the figures are counts of things that are in one bucket each: an hour may be in two.
fn are_counts(query: &Query) -> bool {
    !(query.metric == Metric::PageDisruptions && query.measure == Measure::Hours)
}

/// Every count in a figure.
fn counts(figure: &Figure) -> Vec<u64> {
    match figure {
        Figure::Durations(durations) => vec![durations.n],
        Figure::Count { n } | Figure::Rate { n, .. } => vec![*n],
        Figure::Ratio {
            numerator,
            denominator,
            ..
        } => vec![*numerator, *denominator],
        Figure::Compliance { n, ack, resolve } => [ack, resolve]
            .into_iter()
            .flat_map(|judged| [judged.met, judged.breached, judged.pending])
            .chain([*n])
            .collect(),
        Figure::Load {
            n, escalated_away, ..
        } => vec![*n, *escalated_away],
    }
}

fn sum<'a>(figures: impl Iterator<Item = &'a Figure>) -> Vec<u64> {
    let mut sum = Vec::new();
    for counts in figures.map(counts) {
        sum.resize(counts.len(), 0);
        for (sum, count) in sum.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    sum
}

fn buckets_add_up(answer: &Answer, place: &str) {
    for series in &answer.series {
        let all = sum(series.values.iter().map(|value| &value.figure));
        assert_eq!(
            all,
            counts(&series.total.figure),
            "{place} {:?}",
            series.keys
        );
        let rebuilt: u64 = series.values.iter().map(|value| value.rebuilt).sum();
        assert_eq!(rebuilt, series.total.rebuilt, "{place} {:?}", series.keys);
    }
}

/// By team something may be in several groups, and is then counted as such; by anything else in one. `oncall_load` has a
/// series for each person also where nothing more is grouped by.
fn groups_add_up(answer: &Answer, whole: &Answer, by: Dimension, place: &str) {
    for bucket in 0..answer.buckets.len() {
        let of = |answer: &Answer| {
            sum(answer
                .series
                .iter()
                .map(|series| &series.values[bucket].figure))
        };
        let (groups, whole) = (of(answer), of(whole));
        if by == Dimension::Team {
            assert!(
                groups
                    .iter()
                    .zip(&whole)
                    .all(|(groups, whole)| groups >= whole),
                "{place}: {groups:?} {whole:?}"
            );
            if answer.in_several_groups > 0 {
                continue;
            }
        }
        if groups.is_empty() {
            assert!(whole.iter().all(|count| *count == 0), "{place} {bucket}");
        } else {
            assert_eq!(groups, whole, "{place} {bucket}");
        }
    }
}
