//! The page of a metric: what it says, how it went, where and when it is, how it is computed.

use im_metrics::{
    Answer, BadQuery, Benchmark, BucketSize, Dimension, Figure, LeftOut, Measure, Metric,
    PageSource, Reason, Value, Weekly, When, Zone,
};
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

use super::address::Address;
use super::asked::{Asked, Wrong};
use super::chart::{self, Chart, Drawing, Line, Stack};
use super::groups::{self, Group};
use super::heat::{self, Heat, View};
use super::insight::{Aim, Moved};
use super::marks;
use super::part::{FAILED, LEFT_OUT, ORDER, why};
use super::slots::{self, Slot, State};
use super::spark::Kind;
use super::words::{self, Unit, float, size, value};
use super::{bar, definition, insight, who};
use crate::figures::Known;
use crate::organisation::Target;
use crate::web::integrations::users::ADDRESS as USERS;
use crate::web::parts::{self, icon};
use crate::web::times::{self, Now};

/// More buckets are not told apart.
const DRAWN_MAX: usize = 400;

/// What the engine answered.
struct Seen<'a> {
    asked: &'a Asked,
    answer: Answer,
    /// The same by group: the one asked for, else by service; of a load by person.
    by: Dimension,
    grouped: Answer,
    /// The same out of hours, where all hours are asked for.
    out_of_hours: Option<Answer>,
    /// When it is, by service.
    weekly: Vec<Weekly>,
    slots: Vec<Slot>,
    /// What moved the figure most.
    moved: Option<Moved>,
    /// That webhooks are missing, if they are.
    incomplete: Markup,
    /// The organisation's own target.
    target: Option<Target>,
    /// Whether each figure is what it is of.
    is_of_target: bool,
    /// How the whole stands to it.
    aim: Option<Aim>,
    /// Whether nothing is connected.
    is_alone: bool,
}

impl<'a> Seen<'a> {
    fn ask(asked: &'a Asked, known: &Known, now: Timestamp) -> Result<Self, BadQuery> {
        let engine = &known.engine;
        let query = &asked.query;
        let is_personal = asked.about.is_personal();
        let by = match query.group_by {
            Some(by) => by,
            None if is_personal => Dimension::User,
            None => Dimension::Service,
        };
        let whole = asked.asking(|query| {
            query.group_by = None;
            if is_personal {
                // A load is of each person; together they are the pages of all.
                query.metric = Metric::Pages;
                query.source = PageSource::Notifications;
            }
        });
        let (answer, grouped) = if is_personal {
            let grouped = asked.asking(|query| query.group_by = None);
            (engine.answer(&whole, now)?, engine.answer(&grouped, now)?)
        } else {
            engine.answer_and_parts(&whole, by, now)?
        };
        let by_service = (by == Dimension::Service).then_some(&grouped);
        let is_split = query.metric == Metric::PageDisruptions
            && query.when == When::All
            && query.measure == Measure::Pages;
        let out_of_hours = is_split.then(|| {
            engine.answer(
                &asked.asking(|query| {
                    query.group_by = None;
                    query.when = When::OutOfHours;
                }),
                now,
            )
        });
        let mut slots = slots::slots(asked.about, &answer, query.bucket, &asked.items());
        marks::note(&mut slots, asked, &answer, known, now)?;
        Ok(Self {
            weekly: engine.weekly(&asked.asking(|query| query.group_by = None), now)?,
            slots,
            moved: Moved::of((&whole, &answer), by_service, known, now)?,
            out_of_hours: out_of_hours.transpose()?,
            incomplete: incomplete(known, answer.range.1, now),
            target: known.target(query),
            is_of_target: known.is_of_target(query),
            is_alone: known.is_alone(),
            aim: total(&answer).and_then(|total| Aim::of(&whole, total, known)),
            asked,
            answer,
            by,
            grouped,
        })
    }

    fn values(&self) -> &[Value] {
        values(&self.answer)
    }

    fn total(&self) -> Option<&Figure> {
        total(&self.answer)
    }

    fn unit(&self) -> Unit {
        match self.total() {
            // What is drawn of a rate is what it counts.
            Some(Figure::Rate { .. }) | None => Unit::Count,
            Some(figure) => Unit::of(figure),
        }
    }
}

pub(super) fn values(answer: &Answer) -> &[Value] {
    answer
        .series
        .first()
        .map_or(&[][..], |series| &series.values)
}

fn total(answer: &Answer) -> Option<&Figure> {
    answer.series.first().map(|series| &series.total.figure)
}

/// The page without its head and navigation.
pub(super) fn body(
    asked: &Asked,
    choosing: bool,
    known: &Known,
    now: Timestamp,
) -> Result<Markup, Wrong> {
    let wrong = |error: BadQuery| Wrong::new(&error, &asked.address);
    let view = View::read(&asked.address)?;
    let seen = Seen::ask(asked, known, now).map_err(wrong)?;
    let settings = known.engine.settings();
    let today = im_metrics::local_date(now, &settings.zone);
    let groups = groups::groups(asked, &seen.grouped, seen.by, known);
    let heat = Heat::of(&seen.weekly);
    let states: Vec<State> = seen.slots.iter().map(|slot| slot.state).collect();
    let n = seen.total().map_or(0, size);
    let values = if choosing {
        let dimensions: Vec<Dimension> =
            bar::offered(asked.query.metric, asked.query.source).collect();
        Some(offered(asked, &dimensions, known, now).map_err(wrong)?)
    } else {
        None
    };
    let who = who::section(asked, (seen.by, seen.answer.range.1), known, now).map_err(wrong)?;
    Ok(html! {
        p.crumbs { (asked.about.area.name()) }
        (head(asked))
        (bar::bar(asked, seen.answer.range, today, known))
        @if let Some(values) = &values { (bar::form(&asked.address, asked.query.metric, values)) }
        (asked.not_known(asked.address.path()))
        (insight::sentence(asked, &seen.answer, (&groups, seen.by), (&heat, seen.moved.as_ref()), (seen.aim.as_ref(), seen.is_alone)))
        @if n > 0 {
            section.panel.shown aria-label=(asked.about.title) {
                (figures(&seen))
                (drawn(&seen, &groups))
                (foot(&seen))
            }
            (groups::table(asked, &groups, seen.by, (&states, of_weeks(&seen))))
            (in_two(known, seen.by))
            (who)
            (heat::section(asked, (&heat, &seen.weekly), view, known))
        } @else { (empty(&seen)) }
        (definition::section(asked.about))
    })
}

/// Somebody may be two rows of what stands above.
fn in_two(known: &Known, by: Dimension) -> Markup {
    html! {
        @if let Some(two) = known.in_two(by) {
            p.reason { (parts::capital(&two.text)) ". " a href=(USERS) { "Link users" } }
        }
    }
}

/// The title, and what can be done with the page.
fn head(asked: &Asked) -> Markup {
    let export = |kind: &str| {
        asked
            .address
            .to(format!("{}/{kind}", asked.about.address()))
            .link()
    };
    html! {
        div.top {
            h1 { (asked.about.title) }
            details.menu name="menu" {
                summary.button { (icon("save")) "Export" (icon("down")) }
                div.pop.right {
                    ul {
                        li { a href=(export("figures.csv")) { "Figures as CSV" } }
                        li { a href=(export("figures.json")) { "Figures as JSON" } }
                        li { a href=(asked.items().link()) { "What is behind them" } }
                        li hidden { button.quietly type="button" data-picture=(asked.query.metric.as_str()) { "Chart as PNG" } }
                    }
                }
            }
            a.button href="#computed" { "How is this computed?" }
        }
    }
}

/// The numbers of the whole range; each opens what is behind it.
fn figures(seen: &Seen<'_>) -> Markup {
    let Some(total) = seen.total() else {
        return html! {};
    };
    let about = seen.asked.about;
    let then = seen.answer.previous.as_deref().and_then(self::total);
    let (from, to) = seen.answer.range;
    let span = words::span(from, to);
    let change = words::change(about, total, then);
    let level = seen
        .answer
        .series
        .first()
        .and_then(|series| series.total.level);
    let items = seen.asked.items();
    let earlier = earlier(&items, &seen.answer);
    let longest = items.with(ORDER, "longest");
    let count = |name: &str, n: u64| {
        let before = then.map(size).zip(earlier.as_ref());
        number(&parts::capital(name), Some(n.to_string()), (&items, before))
    };
    html! {
        dl.numbers {
            div.first {
                dt { (about.headline) ", " (span) }
                dd { a href=(items.link()) { (words::say(total).unwrap_or_else(|| "none".to_owned())) } }
                @if seen.asked.query.compare {
                    dd.small {
                        span class=(change.tone) { (change.words) }
                        @if let (Some(was), Some(earlier)) = (then.filter(|then| size(then) > 0).and_then(words::say), &earlier) {
                            ", was " a href=(earlier.link()) { (was) }
                        }
                    }
                }
                @if let Some(aim) = &seen.aim { dd.small { (aim.mark()) } }
            }
            @match total {
                Figure::Durations(durations) => {
                    (number("Median", durations.median.map(words::length), (&longest, None)))
                    (number("p90", durations.p90.map(words::length), (&longest, None)))
                    (count(about.of.1, durations.n))
                },
                Figure::Ratio { numerator, denominator, .. } => {
                    (number("Failed", Some(numerator.to_string()), (&items.with(FAILED, "yes"), None)))
                    (count("Deployments", *denominator))
                },
                Figure::Rate { n, .. } => (count(about.of.1, *n)),
                Figure::Count { .. } if about.is_personal() => (load(seen, &items)),
                Figure::Count { n } => (disruption(seen, *n, &items)),
                Figure::Compliance { .. } | Figure::Load { .. } => {},
            }
            @if let (Some(level), Some(benchmark)) = (level, &seen.answer.benchmark) {
                div { dt { "Level by DORA " (benchmark.year) } dd { (parts::capital(level)) } }
            }
        }
    }
}

/// What was behind the figures of the time before.
pub(super) fn earlier(items: &Address, answer: &Answer) -> Option<Address> {
    let (from, to) = answer.previous.as_deref()?.range;
    Some(
        items
            .with("from", from.to_string())
            .with("to", to.to_string()),
    )
}

/// A number with what opens it, and how many there were before.
fn number(
    name: &str,
    value: Option<String>,
    (items, before): (&Address, Option<(u64, &Address)>),
) -> Markup {
    html! {
        div {
            dt { (name) }
            dd { @match value { Some(value) => a href=(items.link()) { (value) }, None => "none" } }
            @if let Some((before, earlier)) = before { dd.small { a href=(earlier.link()) { (before) " before" } } }
        }
    }
}

/// How much of it is outside working hours.
fn disruption(seen: &Seen<'_>, n: u64, items: &Address) -> Markup {
    let Some(outside) = seen.out_of_hours.as_ref() else {
        return html! {};
    };
    let out = total(outside).map_or(0, size);
    let then = outside.previous.as_deref().and_then(total).map(size);
    let share = (n > 0).then(|| words::percent(float(out) / float(n) * 100.0));
    let items = items.with("when", When::OutOfHours.as_str());
    let earlier = earlier(&items, outside);
    html! {
        (number("Out of hours", Some(out.to_string()), (&items, then.zip(earlier.as_ref()))))
        (number("Share out of hours", share, (&items, None)))
    }
}

/// What paging costs people, taken together.
fn load(seen: &Seen<'_>, items: &Address) -> Markup {
    let (mut pages, mut out, mut taken, mut away) = (0.0, 0.0, 0.0, 0);
    for series in &seen.grouped.series {
        if let Figure::Load {
            n,
            acknowledged,
            out_of_hours,
            escalated_away,
            ..
        } = series.total.figure
        {
            pages += float(n);
            out += float(n) * out_of_hours.unwrap_or_default();
            taken += float(n) * acknowledged.unwrap_or_default();
            away += escalated_away;
        }
    }
    let share = |part: f64| (pages > 0.0).then(|| words::percent(part / pages * 100.0));
    let people = seen.grouped.series.len().to_string();
    html! {
        (number("People paged", Some(people), (items, None)))
        (number("Out of hours", share(out), (items, None)))
        (number("Acknowledged by who was paged", share(taken), (items, None)))
        (number("Escalated away", Some(away.to_string()), (items, None)))
    }
}

fn drawn(seen: &Seen<'_>, groups: &[Group<'_>]) -> Markup {
    if seen.slots.len() > DRAWN_MAX {
        let longer = seen.asked.address.with("bucket", "month").link();
        return html! {
            p.pad { (seen.slots.len()) " buckets are too many to draw. " a href=(longer) { "Show months" } }
        };
    }
    let is_grouped = seen.asked.query.group_by.is_some() || seen.asked.about.is_personal();
    let (drawing, note) = if is_grouped {
        groups::drawing(groups, seen.by, seen.values())
    } else {
        (plain(seen), None)
    };
    let names = legend(&drawing);
    let chart = Chart {
        title: format!("{}, chart", seen.asked.about.title),
        unit: seen.unit(),
        slots: &seen.slots,
        drawing,
        zones: zones(seen),
        target: target(seen),
    };
    html! {
        (chart.draw())
        (keys(&seen.slots, &names, &[note, of_a_person(seen)], seen.answer.benchmark.as_ref().filter(|_| !chart.zones.is_empty())))
    }
}

/// The levels in what the chart counts. Of a rate it counts things of a bucket, which has as many days as
/// the next one only if it is a day or a week.
fn zones(seen: &Seen<'_>) -> Vec<Zone> {
    let Some(benchmark) = &seen.answer.benchmark else {
        return Vec::new();
    };
    let days = match (seen.total(), seen.asked.query.bucket) {
        (Some(Figure::Ratio { .. }), _) | (Some(Figure::Rate { .. }), BucketSize::Day) => 1.0,
        (Some(Figure::Rate { .. }), BucketSize::Week) => 7.0,
        _ => return Vec::new(),
    };
    let zones = benchmark.zones.iter().map(|zone| Zone {
        level: zone.level,
        from: zone.from * days,
        to: zone.to.map(|to| to * days),
    });
    zones.collect()
}

/// The organisation's own target in what the chart counts: where groups are drawn, lines alone are what it is of.
fn target(seen: &Seen<'_>) -> Option<chart::Target> {
    let target = seen.target.as_ref().filter(|_| seen.is_of_target)?;
    let is_stacked = seen.asked.query.group_by.is_some();
    let (times, say) = match (seen.total()?, seen.asked.query.bucket) {
        (Figure::Durations(_) | Figure::Ratio { .. }, _) => (1.0, seen.unit()),
        (Figure::Rate { .. }, BucketSize::Day) if !is_stacked => (1.0, Unit::PerDay),
        (Figure::Rate { .. }, BucketSize::Week) if !is_stacked => (7.0, Unit::PerDay),
        (Figure::Count { .. }, _) if !is_stacked => (1.0, Unit::Count),
        _ => return None,
    };
    let (word, bound) = target.bound();
    Some(chart::Target {
        said: format!("target: {word} {}", say.say(bound)),
        from: target.at_least.unwrap_or_default() * times,
        to: target.at_most.map(|most| most * times),
    })
}

/// The target of each week of the groups, if it is one of people in weeks.
fn of_weeks<'a>(seen: &'a Seen<'_>) -> Option<&'a Target> {
    let is_of_people =
        seen.asked.query.metric == Metric::PageDisruptions && seen.by == Dimension::User;
    seen.target
        .as_ref()
        .filter(|_| is_of_people && seen.is_of_target)
}

/// The target of a week of a person, where the chart is of more.
fn of_a_person(seen: &Seen<'_>) -> Option<String> {
    let is_of_people = seen.asked.query.metric == Metric::PageDisruptions;
    let is_drawn = target(seen).is_some();
    let target = seen.target.as_ref().filter(|_| is_of_people && !is_drawn)?;
    let most = target.at_most?;
    Some(format!("target: at most {most} a week for each person"))
}

/// What is drawn where nothing is grouped.
fn plain(seen: &Seen<'_>) -> Drawing {
    let is_line = seen
        .total()
        .is_some_and(|total| groups::kind(total) == Kind::Line);
    if is_line { lines(seen) } else { bars(seen) }
}

/// Counts; those of people in and outside their working hours.
fn bars(seen: &Seen<'_>) -> Drawing {
    let all = counts(seen.values());
    let stack = |name: &str, class, values| Stack {
        name: name.to_owned(),
        class,
        values,
    };
    let stacks = if let Some(outside) = &seen.out_of_hours {
        let out = counts(values(outside));
        let inside = all.iter().zip(&out).map(|(all, out)| all - out).collect();
        vec![
            stack("out of hours", "c2", out),
            stack("working hours", "rest", inside),
        ]
    } else {
        let is_out = seen.asked.query.when == When::OutOfHours;
        let class = if is_out { "c2" } else { "c1" };
        vec![stack(seen.asked.about.title, class, all)]
    };
    Drawing::Bars { stacks }
}

fn counts(values: &[Value]) -> Vec<f64> {
    let counts = values.iter().map(|value| float(size(&value.figure)));
    counts.collect()
}

/// The mean with its band, or the rate, over that of the time before.
fn lines(seen: &Seen<'_>) -> Drawing {
    let values = seen.values();
    let band = values.iter().map(|value| match value.figure {
        Figure::Durations(durations) => durations.median.zip(durations.p90),
        Figure::Count { .. }
        | Figure::Rate { .. }
        | Figure::Ratio { .. }
        | Figure::Compliance { .. }
        | Figure::Load { .. } => None,
    });
    let (from, to) = seen.answer.range;
    let before = slots::before(&seen.answer).map(|before| Line {
        name: format!("{} before", words::span(from, to)),
        class: "before",
        values: before.iter().map(|then| value(&then.figure)).collect(),
    });
    let name = if seen.unit() == Unit::Seconds {
        "mean"
    } else {
        "rate"
    };
    let main = Line {
        name: name.to_owned(),
        class: "main",
        values: groups::numbers(values),
    };
    Drawing::Lines {
        lines: before.into_iter().chain([main]).collect(),
        band: band.collect(),
        counts: values.iter().map(|value| size(&value.figure)).collect(),
    }
}

/// Each line and bar with its name.
fn legend(drawing: &Drawing) -> Vec<(String, &'static str)> {
    match drawing {
        Drawing::Lines { lines, band, .. } => {
            let names = lines.iter().map(|line| (line.name.clone(), line.class));
            let has_band = band.iter().any(Option::is_some);
            names
                .chain(has_band.then(|| ("median to p90".to_owned(), "band")))
                .collect()
        }
        Drawing::Bars { stacks } if stacks.len() > 1 => stacks
            .iter()
            .map(|stack| (stack.name.clone(), stack.class))
            .collect(),
        Drawing::Bars { .. } => Vec::new(),
    }
}

/// What the shapes of the chart mean; only those that are on it.
fn keys(
    slots: &[Slot],
    names: &[(String, &'static str)],
    notes: &[Option<String>; 2],
    benchmark: Option<&Benchmark>,
) -> Markup {
    let has = |state: State| slots.iter().any(|slot| slot.state == state);
    let marked = marks::drawn(slots);
    html! {
        p.keys {
            @for (name, class) in names { span.key { span class={ "swatch " (class) } {} (name) } }
            @if has(State::Open) { span.key { span.swatch.open {} "dashed: not over" } }
            @if has(State::Partial) { span.key { span.swatch.partial {} "hatched: only a part is in range" } }
            @if has(State::Immature) { span.key { span.swatch.hollow {} "hollow: failures may still come" } }
            @if !marked.is_empty() { span.key { span.swatch.diamond {} (marked.join(" or ")) } }
            @if let Some(benchmark) = benchmark {
                span.key { span.swatch.zones {} "levels as DORA published them in " (benchmark.year) @if !benchmark.monotone { ", some bounds weaker than the next" } }
            }
            @for note in notes.iter().flatten() { span { (note) } }
        }
    }
}

/// The same as a table, and what is not in it.
fn foot(seen: &Seen<'_>) -> Markup {
    let names: Vec<&String> = seen
        .slots
        .iter()
        .map(|slot| &slot.rows)
        .max_by_key(|rows| rows.len())
        .map_or_else(Vec::new, |rows| rows.iter().map(|(name, _)| name).collect());
    html! {
        div.foot {
            @if seen.slots.len() <= DRAWN_MAX {
                details.as-table #table {
                    summary data-hotkey="t" { "Table" }
                    div.scroll {
                        table.data.plain {
                            thead { tr { th.name scope="col" { (parts::capital(seen.asked.query.bucket.as_str())) } @for name in &names { th.num scope="col" { (name) } } } }
                            tbody {
                                @for slot in &seen.slots {
                                    tr {
                                        th.name scope="row" {
                                            @match &slot.href {
                                                Some(href) => a href=(href) { (slot.title) },
                                                None => (slot.title),
                                            }
                                            @if !slot.note.is_empty() { span.small { " " (slot.note) } }
                                            @for mark in &slot.marks { span.small { " " (mark.said) } }
                                        }
                                        @for (index, _) in names.iter().enumerate() { td.num { @if let Some((_, said)) = slot.rows.get(index) { (said) } } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            (seen.incomplete)
            p.left-out { (left_out(&seen.answer.left_out, &seen.asked.items())) }
        }
    }
}

/// That webhooks are missing, if they are.
pub(super) fn incomplete(known: &Known, until: Date, now: Timestamp) -> Markup {
    html! {
        @if let Some(since) = known.incomplete_since(until) {
            @let now = Now::new(now, &known.engine.settings().zone);
            p.incomplete { "Data may be incomplete since " (times::exact(since, now)) ": webhooks are missing." }
        }
    }
}

/// What the figures leave out; each number opens it.
pub(super) fn left_out(left_out: &LeftOut, items: &Address) -> Markup {
    let said: Vec<(Reason, u64)> = Reason::ALL
        .iter()
        // Its two kinds are told apart: of one somebody can still be quick.
        .filter(|reason| **reason != Reason::Unacknowledged)
        .filter_map(|reason| Some((*reason, left_out.of(*reason)?)))
        .filter(|(_, count)| *count > 0)
        .collect();
    html! {
        "Left out: "
        @if said.is_empty() { "nothing" }
        @for (index, (reason, count)) in said.into_iter().enumerate() {
            @if index > 0 { ", " }
            a href=(items.with(LEFT_OUT, reason.as_str()).link()) { (count) " " (why(reason, count)) }
        }
    }
}

/// In place of a chart that would be empty.
fn empty(seen: &Seen<'_>) -> Markup {
    html! {
        div.panel.message {
            h2 { "Nothing in this range" }
            (seen.incomplete)
            p { (left_out(&seen.answer.left_out, &seen.asked.items())) "." }
            p.choices {
                @if seen.asked.address.pairs().next().is_some() {
                    a.button href=(seen.asked.about.address()) { "Show the last six weeks" }
                }
                a.button href="/" { "All incidents" }
            }
        }
    }
}

/// What there is in the range to filter by, whatever is filtered now.
pub(super) fn offered(
    asked: &Asked,
    dimensions: &[Dimension],
    known: &Known,
    now: Timestamp,
) -> Result<bar::Values, BadQuery> {
    let mut values = Vec::new();
    for dimension in dimensions.iter().copied() {
        let query = asked.asking(|query| {
            query.group_by = Some(dimension);
            query.bucket = im_metrics::BucketSize::All;
            query.filters.clear();
            query.compare = false;
        });
        let answer = known.engine.answer(&query, now)?;
        let keys = answer.series.iter().filter_map(|series| series.keys.last());
        let mut keys: Vec<(String, String)> = keys
            .map(|key| {
                let value = key.as_deref().map_or("null", |key| known.shown(key));
                (
                    value.to_owned(),
                    bar::key_name(dimension, key.as_deref(), known),
                )
            })
            .collect();
        keys.sort_by_key(|(_, name)| name.to_lowercase());
        // Where nothing has a value there is nothing to choose.
        if keys.iter().any(|(value, _)| value != "null") {
            values.push((dimension, keys));
        }
    }
    Ok(values)
}
