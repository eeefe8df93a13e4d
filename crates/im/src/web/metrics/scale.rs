//! The vertical scale of a chart: from zero to the first round step above the highest value.

use super::words::Unit;

/// An axis has at most this many steps.
const STEPS_MAX: f64 = 5.0;

/// Round steps of a time, in seconds.
const TIMES: [f64; 23] = [
    1.0,
    5.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1_800.0,
    3_600.0,
    7_200.0,
    10_800.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    432_000.0,
    864_000.0,
    1_728_000.0,
    4_320_000.0,
    8_640_000.0,
    31_536_000.0,
];

/// A scale of so many pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    step: f64,
    most: f64,
    height: f64,
}

impl Scale {
    /// A scale on which `most` fits.
    pub(super) fn new(unit: Unit, most: f64, height: f64) -> Self {
        let step = step(unit, most);
        let steps = (most / step).ceil().max(1.0);
        Self {
            step,
            most: steps * step,
            height,
        }
    }

    /// How high a value stands above zero, in pixels.
    pub(super) fn above(&self, value: f64) -> f64 {
        (value / self.most * self.height).clamp(0.0, self.height)
    }

    /// The values that are marked.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        let mut tick = 0.0;
        std::iter::from_fn(move || {
            let now = tick;
            tick += self.step;
            (now < self.most + self.step / 2.0).then_some(now)
        })
    }
}

fn step(unit: Unit, most: f64) -> f64 {
    let fits = |step: &f64| most <= step * STEPS_MAX;
    match unit {
        Unit::Seconds => TIMES.into_iter().find(fits).unwrap_or(most / STEPS_MAX),
        Unit::Count => decimal(1.0, most),
        Unit::PerDay => decimal(0.01, most),
        Unit::Share => decimal(0.001, most),
    }
}

/// The first of 1, 2, 5, 10, 20 … times `least` with which few steps reach `most`.
fn decimal(least: f64, most: f64) -> f64 {
    let mut power = least;
    loop {
        let found = [1.0, 2.0, 5.0].map(|digit| digit * power);
        if let Some(step) = found.into_iter().find(|step| most <= step * STEPS_MAX) {
            return step;
        }
        power *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(unit: Unit, most: f64) -> Vec<String> {
        let scale = Scale::new(unit, most, 100.0);
        scale.ticks().map(|tick| unit.tick(tick)).collect()
    }

    #[test]
    fn ticks_are_round_begin_at_zero_and_reach_the_highest_value() {
        assert_eq!(
            ticks(Unit::Seconds, 15_700.0),
            ["0", "1 h", "2 h", "3 h", "4 h", "5 h"]
        );
        assert_eq!(
            ticks(Unit::Seconds, 250.0),
            ["0", "1 min", "2 min", "3 min", "4 min", "5 min"]
        );
        assert_eq!(ticks(Unit::Count, 40.0), ["0", "10", "20", "30", "40"]);
        assert_eq!(ticks(Unit::Count, 0.0), ["0", "1"]);
        assert_eq!(ticks(Unit::Share, 0.118), ["0 %", "5 %", "10 %", "15 %"]);
    }

    #[test]
    fn a_value_stands_where_the_scale_says() {
        let scale = Scale::new(Unit::Count, 38.0, 200.0);
        assert!((scale.above(20.0) - 100.0).abs() < 1e-9);
        assert!((scale.above(0.0)).abs() < 1e-9);
    }
}
