//! Charts as SVG, made here (ADR 0013): they need no script, can be printed, and say in words what
//! they draw.
//!
//! Invariants
//! - All buckets are as wide as each other, so a place is a share of the width and the drawing fits any
//!   screen. Only the paths are stretched; text, points and bars are not.
//! - The scale begins at zero.
//! - Nothing is drawn through an empty bucket. What the range cuts is hatched, what is not over is
//!   dashed; both are hollow, and the label below says it in words.
//! - Each bucket is a link to what is behind it, and carries its figures as text.

use im_metrics::Zone;
use maud::{Markup, html};

use super::scale::Scale;
use super::slots::{Slot, State};
use super::words::{Unit, place};

/// Above the highest line.
const TOP: f64 = 22.0;
/// From the highest line to zero.
const HEIGHT: f64 = 220.0;
const ZERO: f64 = TOP + HEIGHT;
/// The strip of counts below lines.
const STRIP: f64 = 46.0;
const STRIP_HEIGHT: f64 = 20.0;
/// Labels below.
const LABELS: f64 = 40.0;
/// The stretched coordinates of paths.
const WIDTH: f64 = 1_000.0;
/// Labels of ends do not come closer.
const LINE_HEIGHT: f64 = 17.0;
/// A longer name does not fit beside a chart.
const NAME_CHARS_MAX: usize = 18;
/// With more points than this each is too small to be drawn.
const POINTS_MAX: usize = 70;
/// With more bars than this nothing is written above them.
const NUMBERS_MAX: usize = 16;

/// A line through the buckets.
pub(super) struct Line {
    pub(super) name: String,
    /// Its class: `main`, `before`, or `c1` to `c5`.
    pub(super) class: &'static str,
    pub(super) values: Vec<Option<f64>>,
}

/// Bars that stand on each other.
pub(super) struct Stack {
    pub(super) name: String,
    /// Its class: `c1` to `c5`, or `rest`.
    pub(super) class: &'static str,
    pub(super) values: Vec<f64>,
}

/// What is drawn.
pub(super) enum Drawing {
    Lines {
        lines: Vec<Line>,
        /// From the median to the 90th percentile.
        band: Vec<Option<(f64, f64)>>,
        /// How many things each bucket is of.
        counts: Vec<u64>,
    },
    Bars {
        stacks: Vec<Stack>,
    },
}

/// A chart.
pub(super) struct Chart<'a> {
    /// What it shows, for those who listen.
    pub(super) title: String,
    pub(super) unit: Unit,
    pub(super) slots: &'a [Slot],
    pub(super) drawing: Drawing,
    /// Levels that are published, lowest values first.
    pub(super) zones: Vec<Zone>,
    /// The organisation's own target.
    pub(super) target: Option<Target>,
}

/// What is good enough, in what the chart counts.
pub(super) struct Target {
    /// In words.
    pub(super) said: String,
    pub(super) from: f64,
    /// `None`: there is no too much.
    pub(super) to: Option<f64>,
}

impl Chart<'_> {
    fn most(&self) -> f64 {
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        match &self.drawing {
            Drawing::Lines { lines, band, .. } => {
                let values = lines
                    .iter()
                    .flat_map(|line| line.values.iter().flatten().copied());
                let highs = band.iter().flatten().map(|(_, high)| *high);
                most(&mut values.chain(highs))
            }
            Drawing::Bars { stacks } => {
                let total = |index: usize| {
                    let values = stacks.iter().filter_map(|stack| stack.values.get(index));
                    values.sum::<f64>()
                };
                most(&mut (0..self.slots.len()).map(total))
            }
        }
    }

    fn height(&self) -> f64 {
        match self.drawing {
            Drawing::Lines { .. } => ZERO + STRIP + LABELS,
            Drawing::Bars { .. } => ZERO + LABELS,
        }
    }

    /// The drawing, the links over it, and the labels beside it.
    pub(super) fn draw(&self) -> Markup {
        let target = self.target.as_ref();
        let bound = target.map_or(0.0, |target| target.to.unwrap_or(target.from));
        let scale = Scale::new(self.unit, self.most().max(bound), HEIGHT);
        let height = self.height();
        let at = |tick: f64| px(ZERO - scale.above(tick));
        html! {
            div.chart role="group" aria-label=(self.title) {
                svg.axis aria-hidden="true" width="52" height=(height) {
                    @for tick in scale.ticks() {
                        text x="46" y=(at(tick)) dy="4" text-anchor="end" { (self.unit.tick(tick)) }
                    }
                    @if let Drawing::Lines { .. } = self.drawing {
                        text x="46" y=(px(ZERO + STRIP - 4.0)) text-anchor="end" { "n" }
                    }
                }
                div.plot {
                    svg.draw aria-hidden="true" width="100%" height=(height) {
                        (hatch())
                        (self.zones(&scale))
                        @if let Some(target) = target { (target.draw(&scale)) }
                        @for tick in scale.ticks() {
                            line.grid.zero[tick == 0.0] x1="0" x2="100%" y1=(at(tick)) y2=(at(tick)) {}
                        }
                        @match &self.drawing {
                            Drawing::Lines { lines, band, counts } => {
                                (self.lines(&scale, lines, band))
                                (self.strip(counts))
                            },
                            Drawing::Bars { stacks } => (self.bars(&scale, stacks)),
                        }
                        @if let Some(target) = target { (target.label(&scale)) }
                        (self.labels(height))
                        (self.marks())
                    }
                    (self.links())
                }
                (self.ends(&scale, height))
            }
        }
    }

    /// Levels behind what is drawn, as far as the scale goes, each with its word.
    fn zones(&self, scale: &Scale) -> Markup {
        let at = |value: f64| ZERO - scale.above(value);
        html! {
            @for zone in &self.zones {
                @let (low, high) = (at(zone.from), zone.to.map_or(TOP, at));
                @if low - high >= 1.0 {
                    rect.zone x="0" width="100%" y=(px(high)) height=(px(low - high)) {}
                    @if low - high >= LINE_HEIGHT { text.zone-name x="6" y=(px(high + 13.0)) { (zone.level) } }
                }
            }
        }
    }

    /// A diamond above each bucket in which something else happened, and above what stands over the highest bar.
    fn marks(&self) -> Markup {
        html! {
            @for (index, _) in self.slots.iter().enumerate().filter(|(_, slot)| slot.marks.iter().any(|mark| mark.drawn)) {
                svg.marked x=(percent(self.middle(index) * 100.0)) y="-8" width="1" height="12" overflow="visible" {
                    path d="M0 1L5 6L0 11L-5 6Z" {}
                }
            }
        }
    }

    fn middle(&self, index: usize) -> f64 {
        (place(index) + 0.5) / place(self.slots.len().max(1))
    }

    fn lines(&self, scale: &Scale, lines: &[Line], band: &[Option<(f64, f64)>]) -> Markup {
        let at = |value: f64| ZERO - scale.above(value);
        let width = 100.0 / place(self.slots.len().max(1));
        let edge = |pick: fn(&(f64, f64)) -> f64| -> Vec<Option<f64>> {
            let values = band
                .iter()
                .map(|pair| pair.as_ref().map(|pair| at(pick(pair))));
            values.collect()
        };
        let (low, high) = (edge(|pair| pair.0), edge(|pair| pair.1));
        let points: Vec<(&Line, Vec<Option<f64>>)> = lines
            .iter()
            .map(|line| {
                (
                    line,
                    line.values.iter().map(|value| value.map(at)).collect(),
                )
            })
            .collect();
        html! {
            @for (index, _) in self.slots.iter().enumerate().filter(|(_, slot)| slot.state == State::Partial) {
                rect.cut x=(percent(place(index) * width)) width=(percent(width)) y=(px(TOP)) height=(px(HEIGHT)) {}
            }
            svg viewBox={ "0 0 " (WIDTH) " " (px(ZERO)) } preserveAspectRatio="none" width="100%" height=(px(ZERO)) {
                path.band d=(self.area(&low, &high)) {}
                @for values in [&low, &high] {
                    path.edge d=(self.path(values, false)) {}
                    path.edge.open d=(self.path(values, true)) {}
                }
                @for (line, values) in &points {
                    path class={ "line " (line.class) } d=(self.path(values, false)) {}
                    path class={ "line open " (line.class) } d=(self.path(values, true)) {}
                }
            }
            @if self.slots.len() <= POINTS_MAX {
                @for (line, values) in points.iter().filter(|(line, _)| line.class != "before") {
                    @for ((index, slot), y) in self.slots.iter().enumerate().zip(values) {
                        @if let Some(y) = y {
                            circle class={ "point " (line.class) @if slot.state.is_hollow() { " hollow" } }
                                cx=(percent(self.middle(index) * 100.0)) cy=(px(*y)) r="4" {}
                        }
                    }
                }
            }
        }
    }

    /// The parts of a line between neighbours that both have a value; those that end in a bucket that is
    /// not over, or the others.
    fn path(&self, values: &[Option<f64>], open: bool) -> String {
        let mut parts = Vec::new();
        let mut last = None;
        for ((index, slot), value) in self.slots.iter().enumerate().zip(values) {
            let here = value.map(|y| (self.middle(index) * WIDTH, y));
            if let (Some((x0, y0)), Some((x, y))) = (last, here)
                && (slot.state == State::Open) == open
            {
                parts.push(format!("M{} {}L{} {}", px(x0), px(y0), px(x), px(y)));
            }
            last = here;
        }
        parts.concat()
    }

    fn area(&self, low: &[Option<f64>], high: &[Option<f64>]) -> String {
        let mut parts = Vec::new();
        let mut last = None;
        for (index, pair) in low.iter().zip(high).enumerate() {
            let here = match pair {
                (Some(low), Some(high)) => Some((self.middle(index) * WIDTH, *low, *high)),
                _ => None,
            };
            if let (Some((x0, low0, high0)), Some((x, low, high))) = (last, here) {
                let corners = [(x0, low0), (x0, high0), (x, high), (x, low)];
                let corners = corners.map(|(x, y)| format!("{} {}", px(x), px(y)));
                parts.push(format!("M{}Z", corners.join("L")));
            }
            last = here;
        }
        parts.concat()
    }

    /// How many things each bucket is of.
    fn strip(&self, counts: &[u64]) -> Markup {
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let width = 100.0 / place(self.slots.len().max(1));
        let base = ZERO + STRIP;
        let high =
            |count: u64| super::words::float(count) / super::words::float(most) * STRIP_HEIGHT;
        html! {
            line.grid.zero x1="0" x2="100%" y1=(px(base)) y2=(px(base)) {}
            @for ((index, slot), count) in self.slots.iter().enumerate().zip(counts).filter(|(_, count)| **count > 0) {
                rect class={ "count " (slot.state.class()) } x=(percent((place(index) + 0.25) * width)) width=(percent(width / 2.0))
                    y=(px(base - high(*count))) height=(px(high(*count))) {}
                @if self.slots.len() <= NUMBERS_MAX {
                    text x=(percent(self.middle(index) * 100.0)) y=(px(base - high(*count) - 3.0)) text-anchor="middle" { (count) }
                }
            }
        }
    }

    fn bars(&self, scale: &Scale, stacks: &[Stack]) -> Markup {
        let width = 100.0 / place(self.slots.len().max(1));
        let few = self.slots.len() <= NUMBERS_MAX;
        html! {
            @for (index, slot) in self.slots.iter().enumerate() {
                @let bars = piled(scale, stacks, index);
                @let total: f64 = bars.iter().map(|bar| bar.value).sum();
                @for bar in &bars {
                    rect class={ "bar " (bar.class) " " (slot.state.class()) } x=(percent((place(index) + 0.2) * width))
                        width=(percent(width * 0.6)) y=(px(bar.y)) height=(px(bar.height)) {}
                    @if few && bars.len() > 1 && bar.height > 17.0 {
                        text class={ "inside " (bar.class) " " (slot.state.class()) } x=(percent(self.middle(index) * 100.0))
                            y=(px(bar.y + bar.height / 2.0)) dy="4" text-anchor="middle" { (Unit::Count.say(bar.value)) }
                    }
                }
                @if few && total > 0.0 {
                    text.total x=(percent(self.middle(index) * 100.0)) y=(px(ZERO - scale.above(total) - 6.0)) text-anchor="middle" {
                        (self.unit.tick(total))
                    }
                }
            }
        }
    }

    fn labels(&self, height: f64) -> Markup {
        let count = self.slots.len();
        let every = count.div_ceil(7).max(1);
        // The last one is always said.
        let shown = |index: usize| (count - 1 - index).is_multiple_of(every);
        let narrow = |index: usize| (count - 1 - index).is_multiple_of(every * 2);
        html! {
            @for (index, slot) in self.slots.iter().enumerate().filter(|(index, _)| shown(*index)) {
                text.label.wide[!narrow(index)] x=(percent(self.middle(index) * 100.0)) y=(px(height - 22.0)) text-anchor="middle" {
                    (slot.label)
                }
                @if !slot.note.is_empty() {
                    text.label.wide[!narrow(index)] x=(percent(self.middle(index) * 100.0)) y=(px(height - 7.0)) text-anchor="middle" {
                        (slot.note)
                    }
                }
            }
        }
    }

    /// A link over each bucket that has anything, with its figures; over the others the figures alone.
    fn links(&self) -> Markup {
        let half = self.slots.len() / 2;
        html! {
            div.hits {
                @for (index, slot) in self.slots.iter().enumerate() {
                    @let tip = html! {
                        span class={ "tip" @if index >= half { " left" } } aria-hidden="true" {
                            strong { (slot.title) }
                            @for (name, value) in &slot.rows { span { (name) } b { (value) } }
                            @for mark in &slot.marks { em { (mark.said) } }
                            @if let Some(act) = &slot.act { em { (act) } }
                        }
                    };
                    @match &slot.href {
                        Some(href) => a.hit href=(href) aria-label=(slot.spoken()) { (tip) },
                        // Nothing to open, but to read: only with a role may it have a name.
                        None => span.hit role="img" tabindex="0" aria-label=(slot.spoken()) { (tip) },
                    }
                }
            }
        }
    }

    /// What lines and bars are called, where they end.
    fn ends(&self, scale: &Scale, height: f64) -> Markup {
        let last = self.slots.len().saturating_sub(1);
        let mut ends: Vec<(f64, &str, String)> = Vec::new();
        match &self.drawing {
            Drawing::Lines { lines, band, .. } => {
                for line in lines {
                    if let Some(Some(value)) = line.values.get(last) {
                        let name = match line.class {
                            "main" => format!("{} {}", line.name, self.unit.say(*value)),
                            _ => brief(&line.name),
                        };
                        ends.push((ZERO - scale.above(*value), line.class, name));
                    }
                }
                if let Some(Some((low, high))) = band.get(last) {
                    ends.push((
                        ZERO - scale.above(*low),
                        "middle",
                        format!("median {}", self.unit.say(*low)),
                    ));
                    ends.push((
                        ZERO - scale.above(*high),
                        "middle",
                        format!("p90 {}", self.unit.say(*high)),
                    ));
                }
            }
            Drawing::Bars { stacks } if stacks.len() > 1 => {
                let bars = piled(scale, stacks, last);
                for bar in bars {
                    let name = stacks.iter().find(|stack| stack.class == bar.class);
                    let name = name.map_or("", |stack| stack.name.as_str());
                    let text = format!("{} {}", brief(name), Unit::Count.say(bar.value));
                    ends.push((bar.y + bar.height / 2.0, bar.class, text));
                }
            }
            Drawing::Bars { .. } => {}
        }
        html! {
            svg.ends.none[ends.is_empty()] aria-hidden="true" width="132" height=(height) {
                @for (y, class, text) in apart(ends) {
                    text class=(class) x="6" y=(px(y)) dy="4" { (text) }
                }
            }
        }
    }
}

impl Target {
    /// What is good enough, behind what is drawn, with its edge.
    fn draw(&self, scale: &Scale) -> Markup {
        let at = |value: f64| ZERO - scale.above(value);
        let (low, high) = (at(self.from), self.to.map_or(TOP, at));
        html! {
            g.target {
                rect x="0" width="100%" y=(px(high)) height=(px(low - high)) {}
                line x1="0" x2="100%" y1=(px(self.to.map_or(low, at))) y2=(px(self.to.map_or(low, at))) {}
            }
        }
    }

    /// Its words, over what is drawn.
    fn label(&self, scale: &Scale) -> Markup {
        let y = ZERO - scale.above(self.to.unwrap_or(self.from)) - 4.0;
        html! { text.target-name x="100%" dx="-6" y=(px(y)) text-anchor="end" { (self.said) } }
    }
}

/// A bar, placed.
struct Bar<'a> {
    class: &'a str,
    value: f64,
    y: f64,
    height: f64,
}

/// The bars of a bucket, lowest first.
fn piled<'a>(scale: &Scale, stacks: &'a [Stack], index: usize) -> Vec<Bar<'a>> {
    let mut below = 0.0;
    let mut bars = Vec::new();
    for stack in stacks {
        let value = stack.values.get(index).copied().unwrap_or(0.0);
        if value <= 0.0 {
            continue;
        }
        let (low, high) = (scale.above(below), scale.above(below + value));
        let gap = if below > 0.0 { 2.0 } else { 0.0 };
        bars.push(Bar {
            class: stack.class,
            value,
            y: ZERO - high,
            height: (high - low - gap).max(1.0),
        });
        below += value;
    }
    bars
}

/// A name that fits beside a chart.
fn brief(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let start: String = name.chars().take(NAME_CHARS_MAX - 1).collect();
    format!("{start}…")
}

/// Labels, moved so that none covers another.
fn apart(mut ends: Vec<(f64, &str, String)>) -> Vec<(f64, &str, String)> {
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut floor = f64::MIN;
    for (y, _, _) in &mut ends {
        *y = y.max(floor);
        floor = *y + LINE_HEIGHT;
    }
    let mut ceiling = ZERO;
    for (y, _, _) in ends.iter_mut().rev() {
        *y = y.min(ceiling);
        ceiling = *y - LINE_HEIGHT;
    }
    ends
}

/// What a part of a bucket is filled with.
pub(super) fn hatch() -> Markup {
    html! {
        defs {
            pattern #hatch width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                line.hatch x1="0" y1="0" x2="0" y2="6" {}
            }
        }
    }
}

/// Pixels as they are written.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn percent(value: f64) -> String {
    let text = format!("{value:.3}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
