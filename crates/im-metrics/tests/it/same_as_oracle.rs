//! The engine and the second implementation agree on random worlds.

use im_metrics::{Answer, Durations, Engine, Figure, Judged, Metric, Reason, Value};
use jiff::civil::Date;

use crate::given::World;
use crate::oracle::{Marks, Oracle};
use crate::random::questions;

/// Histories in a world.
const HISTORIES: u64 = 10;

#[test]
fn the_engine_agrees_with_the_second_implementation() {
    play(300);
}

#[test]
#[ignore = "minutes: 50,000 histories; `cargo xtask truth`"]
fn the_engine_agrees_with_the_second_implementation_on_fifty_thousand_histories() {
    play(50_000 / HISTORIES);
}

fn play(worlds: u64) {
    let mut asked = 0;
    questions(worlds, |(world, engine), query, place| {
        let Ok(answer) = engine.answer(&query, world.now) else {
            return;
        };
        let shared = engine.answer_in(&query, world.now, 3);
        assert_eq!(shared.as_ref(), Ok(&answer), "by threads: {place}");
        let mut oracle = Oracle::new(world, &query);
        compare(&answer, &oracle, place);
        if let Some(previous) = &answer.previous {
            oracle = oracle.before();
            compare(previous, &oracle, &format!("{place}, before"));
        }
        items_add_up(engine, world, &answer, &query, place);
        asked += 1;
    });
    assert!(
        asked > worlds * 8,
        "too many questions were refused: {asked}"
    );
}

pub(crate) fn compare(answer: &Answer, oracle: &Oracle<'_>, place: &str) {
    assert_eq!(answer.range, oracle.dates, "{place}");
    let buckets = oracle.buckets();
    let labels: Vec<Date> = answer.buckets.iter().map(|bucket| bucket.label).collect();
    assert_eq!(
        labels,
        buckets.iter().map(|(label, _)| *label).collect::<Vec<_>>(),
        "{place}"
    );
    let mut groups: Vec<_> = answer
        .series
        .iter()
        .map(|series| series.keys.clone())
        .collect();
    if oracle.query.sort == im_metrics::Sort::Value {
        let series = answer.series.iter();
        let values = series.map(|series| series.total.figure.headline(oracle.query.metric));
        let values: Vec<f64> = values.map(|value| value.unwrap_or(f64::MIN)).collect();
        assert!(values.is_sorted_by(|a, b| a >= b), "{place}");
        groups.sort_by_key(|keys| order(keys));
    }
    let mut want: Vec<_> = oracle.groups().into_iter().collect();
    if answer.grouped_by.is_empty() {
        want = vec![Vec::new()];
    }
    want.sort_by_key(|keys| order(keys));
    assert_eq!(groups, want, "{place}");
    for series in &answer.series {
        let all = buckets.iter().flat_map(|(_, dates)| dates.clone());
        let all: Vec<Date> = all.collect();
        let of_buckets = series.values.iter().zip(&buckets);
        let of_buckets =
            of_buckets.map(|(value, (label, dates))| (value, label.to_string(), dates));
        for (have, when, dates) in of_buckets.chain([(&series.total, "in all".to_owned(), &all)]) {
            let want = oracle.value(&series.keys, dates);
            let place = format!("{place} {:?} {when}", series.keys);
            same(&have.figure, &want.figure, &place);
            let beside = |value: &Value| (value.level, value.rebuilt, value.oldest);
            assert_eq!(beside(have), beside(&want), "{place}: {:?}", have.figure);
        }
    }
    for (number, (label, dates)) in buckets.iter().enumerate() {
        let bucket = &answer.buckets[number];
        let have = Marks {
            dates: (bucket.first, bucket.last),
            days: bucket.days,
            partial: bucket.partial,
            incomplete: bucket.incomplete,
            immature: answer.immature[number],
        };
        assert_eq!(have, oracle.marks(dates), "{place} {label}");
    }
    assert_eq!(
        answer.in_several_groups,
        oracle.in_several_groups(),
        "{place}"
    );
    assert_eq!(answer.left_out, oracle.left_out(), "{place}");
}

fn order(keys: &[Option<String>]) -> Vec<(bool, Option<String>)> {
    let keys = keys.iter();
    keys.map(|key| (key.is_none(), key.clone())).collect()
}

/// What is left out for each reason, and what is behind an ungrouped figure, is as much as the answer says.
fn items_add_up(
    engine: &Engine,
    world: &World,
    answer: &Answer,
    query: &im_metrics::Query,
    place: &str,
) {
    for reason in Reason::ALL {
        let listed = engine.left_out(query, *reason, world.now).unwrap();
        let count = u64::try_from(listed.len()).unwrap();
        let told = answer.left_out.of(*reason).unwrap_or_default();
        assert_eq!(count, told, "{place}: {reason:?}");
        assert!(listed.is_sorted_by_key(|one| one.at), "{place}: {reason:?}");
    }
    let items = engine.items(query, world.now).unwrap();
    let is_hours =
        query.metric == Metric::PageDisruptions && query.measure == im_metrics::Measure::Hours;
    if !answer.grouped_by.is_empty() || is_hours {
        return;
    }
    for (number, value) in answer.series[0].values.iter().enumerate() {
        let behind = items.iter().filter(|item| item.bucket == number);
        let n = u64::try_from(behind.clone().count()).unwrap();
        let parts = behind.filter(|item| item.worth == im_metrics::Worth::Part(true));
        let parts = u64::try_from(parts.count()).unwrap();
        match value.figure {
            Figure::Durations(Durations { n: want, .. })
            | Figure::Count { n: want }
            | Figure::Rate { n: want, .. }
            | Figure::Compliance { n: want, .. }
            | Figure::Load { n: want, .. } => assert_eq!(n, want, "{place}"),
            Figure::Ratio { numerator, .. } => assert_eq!(parts, numerator, "{place}"),
        }
    }
}

/// Within a microsecond, or 1e-9 of the value.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6_f64.max(1e-9 * b.abs())
}

fn same(have: &Figure, want: &Figure, place: &str) {
    let some = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => close(a, b),
        (a, b) => a == b,
    };
    let (left, right) = (parts(have), parts(want));
    let agree = left.len() == right.len()
        && std::mem::discriminant(have) == std::mem::discriminant(want)
        && left
            .into_iter()
            .zip(right)
            .all(|(left, right)| some(left, right));
    assert!(agree, "{place}\n have {have:?}\n want {want:?}");
}

/// Every number in a figure.
fn parts(figure: &Figure) -> Vec<Option<f64>> {
    let count = |n: u64| Some(f64::from(u32::try_from(n).unwrap()));
    let judged = |judged: &Judged| {
        let Judged {
            met,
            breached,
            pending,
            compliance,
        } = *judged;
        [count(met), count(breached), count(pending), compliance]
    };
    match figure {
        Figure::Durations(d) => vec![count(d.n), d.mean, d.median, d.p90, d.min, d.max],
        Figure::Count { n } => vec![count(*n)],
        Figure::Rate { n, per_day } => vec![count(*n), Some(*per_day)],
        Figure::Ratio {
            numerator,
            denominator,
            ratio,
        } => vec![count(*numerator), count(*denominator), *ratio],
        Figure::Compliance { n, ack, resolve } => {
            [vec![count(*n)], judged(ack).into(), judged(resolve).into()].concat()
        }
        Figure::Load {
            n,
            acknowledged,
            mtta,
            out_of_hours,
            escalated_away,
        } => vec![
            count(*n),
            *acknowledged,
            *mtta,
            *out_of_hours,
            count(*escalated_away),
        ],
    }
}
