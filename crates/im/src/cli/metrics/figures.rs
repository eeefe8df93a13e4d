//! Figures as people read them: by bucket, or by group with a line of the buckets beside it.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{Cell, CellAlignment};
use im_metrics::{Metric, parameters_of};
use serde_json::Value;

use super::{Answer, Bucket, Figure, Series};
use crate::cli::context::Context;
use crate::cli::table::{self, Column};
use crate::cli::time;
use crate::csv;

/// What a column of figures is called, and what makes its text.
type Shown = (&'static str, fn(&Figure) -> String);

pub(super) fn say(answer: &Answer, cx: &mut Context) {
    cx.ui.say(format_args!(
        "{}, {} to {} ({})",
        answer.metric, answer.from, answer.to, answer.time_zone
    ));
    let parameters = answer.parameters.iter().map(|used| {
        let value = used.value_name.as_ref().unwrap_or(&used.value);
        format!("{}={value}", used.name)
    });
    let clock = answer.clock.iter().map(|clock| format!("clock={clock}"));
    let mut used: Vec<String> = clock.chain(parameters).collect();
    // A service of ours and the one of PagerDuty's that it is mapped to may have one name.
    used.dedup();
    if !used.is_empty() {
        let width = cx.ui.width;
        cx.ui
            .say(table::hanging("Counted by ", &used.join(", "), width));
    }
    let Some(first) = answer.series.first() else {
        cx.ui.note("Nothing in this range.");
        say_nothing_yet(answer, cx);
        return;
    };
    let mut shown = columns(&first.total, answer);
    let judged = |figure: &Figure| figure.contains_key("on_target");
    let mut figures = answer.series.iter().flat_map(|series| &series.values);
    if figures.any(judged) {
        shown.push(("Target", on_target));
    }
    let width = cx.ui.table_width();
    let text = if answer.group_by.is_empty() {
        by_bucket(answer, first, &shown, width)
    } else {
        by_group(answer, &shown, width)
    };
    cx.ui.say("");
    cx.ui.say(text);
    if answer.group_by.is_empty() {
        say_before(answer, first, cx);
    }
    say_left_out(answer, cx);
    say_notes(answer, cx);
    if let Some(since) = answer.incomplete_since {
        cx.ui.warn(format_args!(
            "data may be incomplete since {}: webhooks are missing, and what they would have told is not read yet",
            time::full(since, &time::named(&answer.time_zone).0)
        ));
    }
}

/// Why there is nothing at all, and what brings it.
fn say_nothing_yet(answer: &Answer, cx: &mut Context) {
    if let Some(hint) = &answer.hint {
        cx.ui.hint(hint);
    }
}

/// What has to be known of the figures.
fn say_notes(answer: &Answer, cx: &mut Context) {
    let mut notes = Vec::new();
    let totals = || answer.series.iter().map(|series| &series.total);
    if let [whole] = &*answer.series
        && let Some(Value::Object(oldest)) = whole.total.get("oldest")
    {
        let text = |name: &str| oldest.get(name).and_then(Value::as_str).unwrap_or_default();
        let since = text("since").parse();
        let since = since.map_or_else(|_odd| String::new(), |since| time::ago(since, cx.now));
        notes.push(format!(
            "The oldest is {}, triggered {since}.",
            text("incident")
        ));
    }
    if answer.in_several_groups > 0 {
        let count = answer.in_several_groups;
        let are = if count == 1 { "is" } else { "are" };
        notes.push(format!(
            "{count} {are} in more than one line: the lines add up to more than there is."
        ));
    }
    let rebuilt = totals().filter_map(|total| total.get("reconstructed")?.as_u64());
    let rebuilt: u64 = rebuilt.sum();
    if rebuilt > 0 {
        // What is in several lines is in the sum more than once.
        let some = if answer.in_several_groups > 0 {
            "Some".to_owned()
        } else {
            rebuilt.to_string()
        };
        // Not every metric can leave it out.
        let metric = Metric::parse(&answer.metric);
        let may_leave_out = metric.is_some_and(|metric| parameters_of(metric).contains(&"history"));
        let way = if may_leave_out {
            " (--history live leaves it out)"
        } else {
            ""
        };
        notes.push(format!(
            "{some} of what is counted was rebuilt from PagerDuty's log{way}."
        ));
    }
    if let Some(target) = &answer.target {
        notes.push(format!("Target: {}.", target.said(&answer.metric)));
    }
    let width = cx.ui.width;
    for (place, note) in notes.iter().enumerate() {
        if place == 0 {
            cx.ui.say("");
        }
        cx.ui.say(table::flow("", note, width));
    }
    say_nothing_yet(answer, cx);
}

impl super::Target {
    fn said(&self, metric: &str) -> String {
        let is_share = metric.ends_with("_rate") || metric == "sla_compliance";
        let is_time =
            metric.starts_with("mtt") || metric.ends_with("_time") || metric == "time_to_restore";
        let value = |value: f64| match (is_share, is_time) {
            (true, _) => format!("{:.1} %", value * 100.0),
            (_, true) => short(value),
            _ if metric == "page_disruptions" => format!("{value} a week for each person"),
            _ => format!("{value}"),
        };
        let parts = [("at most", self.at_most), ("at least", self.at_least)];
        let parts = parts.into_iter();
        let parts = parts.filter_map(|(word, bound)| Some(format!("{word} {}", value(bound?))));
        parts.collect::<Vec<_>>().join(", ")
    }
}

fn on_target(figure: &Figure) -> String {
    let said = match figure.get("on_target").and_then(Value::as_bool) {
        Some(true) => "met",
        Some(false) => "missed",
        None => "-",
    };
    said.to_owned()
}

/// One line a bucket, and the whole range below.
fn by_bucket(answer: &Answer, series: &Series, shown: &[Shown], width: u16) -> String {
    let name = match answer.bucket.as_str() {
        "day" => "Day",
        "month" => "Month",
        "quarter" => "Quarter",
        "all" => "Range",
        _ => "Week",
    };
    let mut columns = vec![Column::Whole(name)];
    columns.extend(shown.iter().map(|(name, _)| column(name)));
    columns.push(Column::Optional("Trend", TREND_RANK));
    let trend = trend(&series.values, Middle::of(answer));
    let mut rows: Vec<Vec<Cell>> = answer
        .buckets
        .iter()
        .zip(&series.values)
        .zip(trend.chars())
        .map(|((bucket, figure), bar)| row(&label(bucket), figure, shown, &bar.to_string()))
        .collect();
    if answer.buckets.len() > 1 {
        rows.push(row("all", &series.total, shown, ""));
    }
    table::fit(&mut columns, &mut rows, width);
    table::rows(&columns, rows, width)
}

fn label(bucket: &Bucket) -> String {
    let mark = match (bucket.incomplete, bucket.immature, bucket.partial) {
        (true, _, _) => " so far",
        (false, Some(true), _) => " not final",
        (false, _, true) => " in part",
        (false, _, false) => "",
    };
    format!("{}{mark}", bucket.start)
}

/// One line a group, with its buckets as a line of bars.
fn by_group(answer: &Answer, shown: &[Shown], width: u16) -> String {
    let mut columns: Vec<Column> = answer
        .group_by
        .iter()
        .map(|by| Column::Rest(title(by)))
        .collect();
    columns.extend(shown.iter().map(|(name, _)| column(name)));
    columns.extend(answer.previous.as_ref().map(|_| Column::Whole("Before")));
    let has_level = answer
        .series
        .iter()
        .any(|series| level(&series.total).is_some());
    let levels = answer.benchmark.as_ref().filter(|_| has_level);
    columns.extend(levels.map(|_| Column::Optional("Level", LEVEL_RANK)));
    columns.push(Column::Optional("Trend", TREND_RANK));
    let mut rows: Vec<Vec<Cell>> = answer
        .series
        .iter()
        .map(|series| {
            let names = series.group.iter().map(|group| Cell::new(&group.name));
            let figures = shown.iter().map(|(_, text)| number(text(&series.total)));
            let before = answer.previous.as_ref().map(|previous| {
                let keys = |series: &Series| -> Vec<Option<String>> {
                    series.group.iter().map(|group| group.key.clone()).collect()
                };
                let mut then = previous.series.iter();
                let then = then.find(|then| keys(then) == keys(series));
                number(then.map_or_else(
                    || "-".to_owned(),
                    |then| headline(&then.total, Middle::of(answer)),
                ))
            });
            let trend = Cell::new(trend(&series.values, Middle::of(answer)));
            let level = levels.map(|_| Cell::new(level(&series.total).unwrap_or("-")));
            let figures = names.chain(figures).chain(before);
            figures.chain(level).chain([trend]).collect()
        })
        .collect();
    let left_out = table::fit(&mut columns, &mut rows, width);
    let text = table::rows(&columns, rows, width);
    match levels.filter(|_| !left_out.contains(&"Level")) {
        Some(benchmark) => format!("{text}\n\nBy the levels of {}.", benchmark.year),
        None => text,
    }
}

/// What goes first where the line is too short: levels, the trend, and then the ends of a sample.
const LEVEL_RANK: u8 = 0;
const TREND_RANK: u8 = 1;

fn column(name: &'static str) -> Column {
    match name {
        "Min" => Column::Optional(name, 2),
        "Max" => Column::Optional(name, 3),
        _ => Column::Whole(name),
    }
}

/// The published level that a figure meets.
fn level(figure: &Figure) -> Option<&str> {
    figure.get("level").and_then(Value::as_str)
}

fn title(by: &str) -> &'static str {
    match by {
        "service" => "Service",
        "team" => "Team",
        "escalation_policy" => "Policy",
        "urgency" => "Urgency",
        "priority" => "Priority",
        "environment" => "Environment",
        "severity" => "Severity",
        "resolver_kind" => "Resolved by",
        "user" => "Person",
        _ => "Group",
    }
}

fn row(label: &str, figure: &Figure, shown: &[Shown], bar: &str) -> Vec<Cell> {
    let figures = shown.iter().map(|(_, text)| number(text(figure)));
    let ends = [Cell::new(label), Cell::new(bar)];
    let [label, bar] = ends;
    [label].into_iter().chain(figures).chain([bar]).collect()
}

fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// The columns that a figure of this shape has.
fn columns(figure: &Figure, answer: &Answer) -> Vec<Shown> {
    let has = |field: &str| figure.contains_key(field);
    if has("median") {
        return vec![
            ("N", |figure| count(figure, "n")),
            ("Mean", |figure| length(figure, "mean")),
            ("Median", |figure| length(figure, "median")),
            ("P90", |figure| length(figure, "p90")),
            ("Min", |figure| length(figure, "min")),
            ("Max", |figure| length(figure, "max")),
        ];
    }
    if has("per_day") {
        return vec![
            ("N", |figure| count(figure, "n")),
            ("A day", |figure| decimal(figure, "per_day")),
        ];
    }
    let mut used = answer.parameters.iter();
    if used.any(|used| used.name == "mode" && used.value == "impact") {
        // Failures are no part of the deployments here: there may be more of them.
        return vec![
            ("Deployments", |figure| count(figure, "denominator")),
            ("Failures", |figure| count(figure, "numerator")),
            ("Rate", |figure| share(figure, "ratio")),
        ];
    }
    if has("numerator") {
        return vec![
            ("N", |figure| count(figure, "denominator")),
            ("Of them", |figure| count(figure, "numerator")),
            ("Share", |figure| share(figure, "ratio")),
        ];
    }
    if has("resolve") {
        return vec![
            ("N", |figure| count(figure, "n")),
            ("Ack met", |figure| judged(figure, "ack")),
            ("Pending", |figure| count(&of(figure, "ack"), "pending")),
            ("Resolve met", |figure| judged(figure, "resolve")),
            ("Pending", |figure| count(&of(figure, "resolve"), "pending")),
        ];
    }
    if has("escalated_away") {
        return vec![
            ("Pages", |figure| count(figure, "n")),
            ("Acked", |figure| share(figure, "acknowledged")),
            ("After", |figure| length(figure, "mtta")),
            ("Out of hours", |figure| share(figure, "out_of_hours")),
            ("Escalated", |figure| count(figure, "escalated_away")),
        ];
    }
    vec![("N", |figure| count(figure, "n"))]
}

fn of(figure: &Figure, part: &str) -> Figure {
    let part = figure.get(part).and_then(Value::as_object);
    part.cloned().unwrap_or_default()
}

fn count(figure: &Figure, field: &str) -> String {
    let count = figure.get(field).and_then(Value::as_u64);
    count.map_or_else(|| "-".to_owned(), |count| count.to_string())
}

fn read(figure: &Figure, field: &str) -> Option<f64> {
    figure.get(field).and_then(Value::as_f64)
}

fn decimal(figure: &Figure, field: &str) -> String {
    read(figure, field).map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

fn share(figure: &Figure, field: &str) -> String {
    let share = read(figure, field);
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn judged(figure: &Figure, part: &str) -> String {
    share(&of(figure, part), "compliance")
}

fn length(figure: &Figure, field: &str) -> String {
    read(figure, field).map_or_else(|| "-".to_owned(), short)
}

/// `42s`, `3m 05s`, `2h 10m`, `3d 04h`.
pub(in crate::cli) fn short(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    if seconds < 10.0 && seconds.fract() != 0.0 {
        return format!("{sign}{seconds:.1}s");
    }
    let units = [
        (86_400.0, "d", 3_600.0, "h"),
        (3_600.0, "h", 60.0, "m"),
        (60.0, "m", 1.0, "s"),
    ];
    for (unit, name, part, part_name) in units {
        // What rounds up to a unit is said in that unit.
        let parts = (seconds / part).round();
        let per_unit = unit / part;
        if parts >= per_unit {
            let whole = (parts / per_unit).floor();
            let rest = parts - whole * per_unit;
            return format!("{sign}{whole}{name} {rest:02}{part_name}");
        }
    }
    format!("{sign}{seconds:.0}s")
}

/// Which statistic stands for a sample.
#[derive(Clone, Copy)]
enum Middle {
    Mean,
    /// Of DORA's times.
    Median,
}

impl Middle {
    fn of(answer: &Answer) -> Self {
        let mut metrics = Metric::ALL.iter();
        let known = metrics.find(|metric| metric.as_str() == answer.metric);
        if known.is_some_and(|metric| metric.is_dora()) {
            Self::Median
        } else {
            Self::Mean
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Median => "median",
        }
    }
}

/// What a figure is compared by.
fn main_value(figure: &Figure, middle: Middle) -> Option<f64> {
    let resolve = of(figure, "resolve");
    let fields = [middle.field(), "per_day", "ratio", "n"];
    if !resolve.is_empty() {
        return read(&resolve, "compliance");
    }
    let field = fields.into_iter().find(|field| figure.contains_key(*field));
    read(figure, field?)
}

fn headline(figure: &Figure, middle: Middle) -> String {
    let has = |field: &str| figure.contains_key(field);
    match main_value(figure, middle) {
        None => "-".to_owned(),
        Some(value) if has("mean") => short(value),
        Some(value) if has("ratio") || has("resolve") => format!("{:.1} %", value * 100.0),
        Some(value) if has("per_day") => format!("{value:.2}"),
        Some(value) => format!("{value}"),
    }
}

/// How many, and what stands for them.
pub(super) fn in_short(figure: &Figure, answer: &Answer) -> [String; 2] {
    let shown = columns(figure, answer);
    let n = shown.first().map_or_else(String::new, |(_, n)| n(figure));
    [n, headline(figure, Middle::of(answer))]
}

/// A bar for each bucket, as high as its value is of the highest.
fn trend(values: &[Figure], middle: Middle) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let all: Vec<Option<f64>> = values
        .iter()
        .map(|value| main_value(value, middle))
        .collect();
    let most = all
        .iter()
        .flatten()
        .fold(0.0, |most: f64, value| most.max(*value));
    let bar = |value: &Option<f64>| {
        let Some(value) = value else { return ' ' };
        let steps = (1..8_u8).filter(|step| *value > most * f64::from(*step) / 8.0);
        BARS.get(steps.count()).copied().unwrap_or('█')
    };
    all.iter().map(bar).collect()
}

fn say_before(answer: &Answer, now: &Series, cx: &mut Context) {
    let Some(previous) = &answer.previous else {
        return;
    };
    let middle = Middle::of(answer);
    let then = previous.series.first().map(|series| &series.total);
    let (now, then) = (
        main_value(&now.total, middle),
        then.map(|total| (main_value(total, middle), headline(total, middle))),
    );
    let (then, shown) = then.unwrap_or((None, "-".to_owned()));
    let change = match (now, then) {
        (Some(now), Some(then)) if then != 0.0 => {
            format!(", now {:+.0} %", (now - then) / then * 100.0)
        }
        _ => String::new(),
    };
    cx.ui.say("");
    cx.ui.say(format_args!(
        "Before, {} to {}: {shown}{change}",
        previous.from, previous.to
    ));
}

fn say_left_out(answer: &Answer, cx: &mut Context) {
    let mut left_out = Vec::new();
    for (name, count) in &answer.left_out {
        let what = match name.as_str() {
            "test" if *count == 1 => "test",
            "test" => "tests",
            "merged" => "merged into others",
            "open" => "still open",
            "unacknowledged" => "never acknowledged",
            "no_target" => "without a target",
            "not_failure" => "no failures",
            "unlinked" => "without a deployment",
            "negative" => "over before their deployment",
            "reconstructed" => "rebuilt from PagerDuty's log",
            other => other,
        };
        let open = answer.left_out.get("unacknowledged_open");
        let open = match open.and_then(Value::as_u64) {
            Some(0) if name == "unacknowledged" => ", all of them over".to_owned(),
            Some(open) if name == "unacknowledged" => format!(", {open} of them still open"),
            Some(_) if name == "unacknowledged_open" => continue,
            Some(_) | None => String::new(),
        };
        if let Some(count) = count.as_u64().filter(|count| *count > 0) {
            left_out.push(format!("{count} {what}{open}"));
        }
    }
    if !left_out.is_empty() {
        cx.ui.say("");
        let said = format!("{}.", left_out.join(", "));
        cx.ui.say(table::hanging("Left out: ", &said, cx.ui.width));
    }
    let whole = answer.series.first().filter(|_| answer.group_by.is_empty());
    let level = whole.and_then(|whole| level(&whole.total));
    if let Some((benchmark, level)) = answer.benchmark.as_ref().zip(level) {
        let year = benchmark.year;
        cx.ui.say(format_args!("By the levels of {year}: {level}."));
    }
}

/// The order in which CSV has the fields; one that is not here comes after them.
const FIELDS: [&str; 26] = [
    "n",
    "mean",
    "median",
    "p90",
    "min",
    "max",
    "per_day",
    "numerator",
    "denominator",
    "ratio",
    "acknowledged",
    "mtta",
    "out_of_hours",
    "escalated_away",
    "ack_met",
    "ack_breached",
    "ack_pending",
    "ack_compliance",
    "resolve_met",
    "resolve_breached",
    "resolve_pending",
    "resolve_compliance",
    "level",
    "benchmark",
    "on_target",
    "reconstructed",
];

/// One line for each bucket of each group, under a header: a column for each field that any figure has. With what it
/// is compared with, the first column says of which period a line is.
pub(super) fn as_csv(answer: &Answer) -> String {
    let may_be_immature = |bucket: &Bucket| bucket.immature.is_some();
    let mut head = vec!["start", "from", "to", "partial", "incomplete"];
    head.extend(
        answer
            .buckets
            .iter()
            .any(may_be_immature)
            .then_some("immature"),
    );
    let groups = answer.group_by.iter();
    let groups: Vec<[String; 2]> = groups
        .map(|by| [by.clone(), format!("{by}_name")])
        .collect();
    head.extend(groups.as_flattened().iter().map(String::as_str));
    let mut lines = lines_of(answer);
    if let Some(previous) = &answer.previous {
        head.insert(0, "period");
        let mut before = lines_of(previous);
        let periods = [("current", &mut lines), ("previous", &mut before)];
        for (period, lines) in periods {
            for (line, _) in lines {
                line.insert(0, period.to_owned());
            }
        }
        lines.extend(before);
    }
    let place = |name: &str| {
        let known = FIELDS.iter().position(|known| *known == name);
        known.unwrap_or(FIELDS.len())
    };
    let fields = lines.iter().flat_map(|(_, figure)| figure.keys());
    let fields: BTreeSet<(usize, &str)> = fields.map(|name| (place(name), &**name)).collect();
    let cells = |figure: &BTreeMap<String, String>| -> Vec<String> {
        let cells = fields.iter().map(|(_, name)| figure.get(*name));
        cells
            .map(|cell| cell.cloned().unwrap_or_default())
            .collect()
    };
    let names = fields.iter().map(|(_, name)| *name);
    let head = head.into_iter().chain(names).map(str::to_owned).collect();
    let lines = lines
        .iter()
        .map(|(line, figure)| [line.clone(), cells(figure)].concat());
    std::iter::once(head).chain(lines).map(csv::line).collect()
}

/// What comes before the fields of a figure, and these by name.
type Line = (Vec<String>, BTreeMap<String, String>);

fn lines_of(answer: &Answer) -> Vec<Line> {
    let mut lines = Vec::new();
    for series in &answer.series {
        for (bucket, figure) in answer.buckets.iter().zip(&series.values) {
            let mut line = vec![bucket.start.clone(), bucket.from.clone(), bucket.to.clone()];
            let marks = [
                Some(bucket.partial),
                Some(bucket.incomplete),
                bucket.immature,
            ];
            line.extend(marks.into_iter().flatten().map(|is_so| is_so.to_string()));
            let groups = series.group.iter();
            line.extend(
                groups
                    .flat_map(|group| [group.key.clone().unwrap_or_default(), group.name.clone()]),
            );
            let mut fields = flat(figure);
            match &answer.benchmark {
                Some(used) => fields.insert("benchmark".to_owned(), used.year.to_string()),
                None => fields.remove("level"),
            };
            lines.push((line, fields));
        }
    }
    lines
}

/// The fields of a figure, those of its parts under both names; nothing for null.
fn flat(figure: &Figure) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (name, value) in figure {
        if name == "oldest" {
            continue;
        }
        match value {
            Value::Object(part) => {
                let inner = flat(part).into_iter();
                fields.extend(inner.map(|(inner, value)| (format!("{name}_{inner}"), value)));
            }
            Value::Null => {
                fields.insert(name.clone(), String::new());
            }
            Value::String(text) => {
                fields.insert(name.clone(), text.clone());
            }
            value => {
                fields.insert(name.clone(), value.to_string());
            }
        }
    }
    fields
}
