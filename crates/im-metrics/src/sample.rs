//! The statistics of samples of durations, exact.
//!
//! A sample is put in order at its median and its p90 only. A whole, which is made of such samples, copies little:
//! its median lies near theirs, so that only values near those are put in order once more.

use std::ops::Range;

use crate::cells::Durations;
use crate::num;

/// A whole this small is put in order as it is.
const FEW: usize = 256;

/// So many durations add up to less than an `i64` holds: each is less than the instants that `jiff` knows are
/// apart, which is less than 2^60 microseconds.
const FIT: usize = 8;

/// The tenths of a sample that are below its median and its p90.
const TENTHS: [usize; 2] = [5, 9];

/// What is known of the microseconds of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    n: usize,
    sum: i128,
    min: i64,
    max: i64,
    /// The median and the p90.
    at: [Point; 2],
}

/// A value of a sample between two that follow each other in its order.
#[derive(Debug, Clone, Copy, Default)]
struct Point {
    /// The place of the lower one.
    place: usize,
    /// Tenths of the way to the upper one.
    past: usize,
    low: i64,
    high: i64,
}

impl Point {
    /// Of which only the place is known, in a sample of so many.
    fn of(n: usize, tenths: usize) -> Self {
        let tenths = n.saturating_sub(1) * tenths;
        Self {
            place: tenths / 10,
            past: tenths % 10,
            ..Self::default()
        }
    }

    /// Finds the values among those from a place of the sample on.
    fn select(&mut self, from: usize, values: &mut [i64]) {
        let (_, low, above) = values.select_nth_unstable(self.place - from);
        self.low = *low;
        self.high = match self.past {
            0 => self.low,
            _ => above.iter().min().copied().unwrap_or(self.low),
        };
    }

    fn seconds(self) -> f64 {
        let past = num::float(i128::try_from(self.past).unwrap_or(0)) / 10.0;
        let step = num::float(i128::from(self.high) - i128::from(self.low)) * past;
        (num::float(i128::from(self.low)) + step) / 1e6
    }
}

impl Sample {
    /// That of values, which are put in order at its median and its p90.
    pub(crate) fn of(values: &mut [i64]) -> Self {
        let sums = values.chunks(FIT).map(|some| some.iter().sum::<i64>());
        let sum = sums.map(i128::from).sum();
        let n = values.len();
        let mut at = TENTHS.map(|tenths| Point::of(n, tenths));
        if n > 0 {
            // Nothing behind the median is below it, so that the p90 is found there.
            let mut from = 0;
            for point in &mut at {
                let rest = values.get_mut(from..).unwrap_or_default();
                point.select(from, rest);
                from = point.place;
            }
        }
        // Nor is anything below the median greater, or anything behind the p90 less.
        let [median, p90] = at;
        let least = values.iter().take(median.place + 1).min();
        let most = values.iter().skip(p90.place).max();
        let min = least.copied().unwrap_or(i64::MAX);
        let max = most.copied().unwrap_or(i64::MIN);
        Self {
            n,
            sum,
            min,
            max,
            at,
        }
    }

    /// That of all values of samples, each beside its values as [`Sample::of`] left them.
    pub(crate) fn of_all(parts: &[(Self, &[i64])]) -> Self {
        if let [(alone, _)] = parts {
            return *alone;
        }
        let n = parts.iter().map(|(part, _)| part.n).sum();
        let mut whole = Self {
            n,
            sum: parts.iter().map(|(part, _)| part.sum).sum(),
            min: parts.iter().map(|(part, _)| part.min).min().unwrap_or(0),
            max: parts.iter().map(|(part, _)| part.max).max().unwrap_or(0),
            at: TENTHS.map(|tenths| Point::of(n, tenths)),
        };
        let is_found = n > FEW && (0..TENTHS.len()).all(|which| whole.find(which, parts));
        if !is_found {
            let mut values = Vec::with_capacity(n);
            for (_, of) in parts {
                values.extend_from_slice(of);
            }
            return Self::of(&mut values);
        }
        whole
    }

    /// Finds a point of the whole among the values near the same point of its parts, if it is there.
    fn find(&mut self, which: usize, parts: &[(Self, &[i64])]) -> bool {
        let Some(point) = self.at.get_mut(which) else {
            return false;
        };
        let lows = parts.iter().filter(|(part, _)| part.n > 0);
        let lows = lows.filter_map(|(part, _)| Some(part.at.get(which)?.low));
        let mut lows: Vec<i64> = lows.collect();
        lows.sort_unstable();
        // Some of the parts may be far off.
        let few = lows.len() / 8;
        let (Some(least), Some(most)) = (lows.get(few), lows.get(lows.len() - 1 - few)) else {
            return false;
        };
        let (least, most) = (*least, *most);
        let (mut below, mut near) = (0, Vec::new());
        for (part, values) in parts {
            for (places, (first, last)) in part.stretches() {
                if last <= least {
                    // What is as small as the least may count as below it: it is in order there.
                    below += places.len();
                } else if first <= most {
                    for value in values.get(places).unwrap_or_default() {
                        below += usize::from(*value < least);
                        if least <= *value && *value <= most {
                            near.push(*value);
                        }
                    }
                }
            }
        }
        let needed = point.place + usize::from(point.past > 0);
        let is_near = below <= point.place && needed < below + near.len();
        if is_near {
            point.select(below, &mut near);
        }
        is_near
    }

    /// The stretches of its values that its points part, each with the least and the most that a value there is.
    fn stretches(&self) -> impl Iterator<Item = (Range<usize>, (i64, i64))> {
        let [median, p90] = self.at;
        let parts = [
            (0..median.place, (self.min, median.low)),
            (median.place..p90.place, (median.low, p90.low)),
            (p90.place..self.n, (p90.low, self.max)),
        ];
        parts.into_iter()
    }

    pub(crate) fn durations(&self) -> Durations {
        if self.n == 0 {
            return Durations::default();
        }
        let count = i128::try_from(self.n).unwrap_or(i128::MAX);
        let [median, p90] = self.at;
        Durations {
            n: u64::try_from(self.n).unwrap_or(u64::MAX),
            mean: Some(num::float(self.sum) / num::float(count) / 1e6),
            median: Some(median.seconds()),
            p90: Some(p90.seconds()),
            min: Some(num::seconds(self.min)),
            max: Some(num::seconds(self.max)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statistics of values by sorting them.
    fn sorted(values: &[i64]) -> Durations {
        let mut values = values.to_vec();
        values.sort_unstable();
        let at = |tenths: usize| {
            let tenths = (values.len() - 1) * tenths;
            let (low, past) = (values[tenths / 10], tenths % 10);
            let high = values[(tenths / 10 + 1).min(values.len() - 1)];
            let point = Point {
                place: 0,
                past,
                low,
                high,
            };
            Some(point.seconds())
        };
        let sum: i128 = values.iter().copied().map(i128::from).sum();
        let n = i128::try_from(values.len()).unwrap();
        Durations {
            n: u64::try_from(values.len()).unwrap(),
            mean: Some(num::float(sum) / num::float(n) / 1e6),
            median: at(5),
            p90: at(9),
            min: values.first().map(|least| num::seconds(*least)),
            max: values.last().map(|most| num::seconds(*most)),
        }
    }

    /// Parts that are alike, that drift, that repeat few values, and that have nothing in common.
    #[test]
    fn a_whole_is_what_sorting_all_its_parts_gives() {
        let mut rng = fastrand::Rng::with_seed(7);
        for round in 0..2_000 {
            let count = rng.usize(0..12);
            let parts: Vec<Vec<i64>> = (0..count)
                .map(|nth| {
                    let n = [0, 1, 2, 9, 300, 2_000][rng.usize(0..6)];
                    let apart = i64::try_from(nth).unwrap() * [0, 40, 100_000][round % 3];
                    let spread = [3, 1_000, 1 << 40][rng.usize(0..3)];
                    (0..n).map(|_| apart + rng.i64(-5..spread)).collect()
                })
                .collect();
            let all = parts.concat();
            let mut ordered = parts.clone();
            let sampled: Vec<(Sample, &[i64])> = ordered
                .iter_mut()
                .map(|values| (Sample::of(values), &**values))
                .collect();
            for ((sample, _), values) in sampled.iter().zip(&parts) {
                if !values.is_empty() {
                    assert_eq!(sample.durations(), sorted(values), "round {round}");
                }
            }
            let whole = Sample::of_all(&sampled).durations();
            if all.is_empty() {
                assert_eq!(whole, Durations::default());
            } else {
                assert_eq!(whole, sorted(&all), "round {round}");
            }
        }
    }
}
