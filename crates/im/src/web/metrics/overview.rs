//! The last six weeks at a glance: what burns now, one sentence, eight figures, what changed most.

use std::collections::BTreeSet;

use im_core::IncidentNumber;
use im_metrics::{Answer, BadQuery, BucketSize, Dimension, Figure, Measure, Metric, Reason, Thing};
use im_store::incidents::IncidentRow;
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

use super::about::About;
use super::address::Address;
use super::asked::{self, Asked, Wrong};
use super::bar::Buckets;
use super::groups::{self, Group};
use super::insight::{Aim, Moved};
use super::part::{FAILED, LEFT_OUT, why};
use super::slots::{self, Slot, State};
use super::spark::spark;
use super::words::{self, Change, size};
use super::{OVERVIEW, SETTLED, bar, insight, page, with_default};
use crate::figures::Known;
use crate::http::api::default_filter::Filter;
use crate::web::due::{self, Targets};
use crate::web::integrations::ADDRESS as CARDS;
use crate::web::integrations::filter::ADDRESS as FILTER;
use crate::web::load::Burning;
use crate::web::parts;

/// Rows of what burns now.
const BURNING_MAX: usize = 3;
/// Rows of what changed.
const CHANGED_MAX: usize = 8;
/// A change of so much is worth a sentence.
const CLEAR: f64 = 0.05;

/// What people ask for here.
const WHAT: &str = "the overview";
/// What all figures can be asked by.
const PARAMS: [&str; 8] = [
    "from",
    "to",
    "bucket",
    "service",
    "team",
    "environment",
    "compare",
    SETTLED.0,
];

/// What a tile is of, and what its page is asked besides.
type Of = (Metric, Option<(&'static str, &'static str)>);

/// The figures, in their order: of incidents, of changes, of what pages cost people.
const TILES: [Of; 8] = [
    (Metric::Mttr, None),
    (Metric::Mtta, None),
    (Metric::IncidentFrequency, None),
    (Metric::Pages, None),
    (Metric::ChangeFailureRate, None),
    (Metric::DeploymentFrequency, None),
    (Metric::PageDisruptions, Some(("when", "out_of_hours"))),
    (Metric::PageDisruptions, Some(("measure", "hours"))),
];

/// A figure with its time before.
pub(super) struct Tile {
    pub(super) asked: Asked,
    answer: Answer,
    /// The same by service.
    pub(super) by_service: Answer,
    slots: Vec<Slot>,
    pub(super) change: Change,
    /// What moved it most.
    moved: Option<Moved>,
    /// How it stands to its target.
    aim: Option<Aim>,
}

impl Tile {
    fn ask(
        (metric, besides): Of,
        (address, filter): (&Address, Option<&Filter>),
        known: &Known,
        now: Timestamp,
    ) -> Result<Self, Wrong> {
        let Some(about) = About::of(metric.as_str()) else {
            return Err(Wrong::no_page(metric.as_str()));
        };
        let mut asked = Asked::read(about, with_default(address.clone(), filter, about), false)?;
        if let Some((name, value)) = besides {
            asked = Asked::read(
                about,
                asked.address.to(about.address()).and(name, value),
                false,
            )?;
        }
        asked.address = asked.address.to(about.address());
        let asked = asked.meant(known);
        let wrong = |error: BadQuery| Wrong::new(&error, address);
        let answers = known
            .engine
            .answer_and_parts(&asked.query, Dimension::Service, now);
        let (answer, by_service) = answers.map_err(wrong)?;
        let about = asked.about;
        let slots = slots::slots(about, &answer, asked.query.bucket, &asked.items());
        let none = Figure::Count { n: 0 };
        let figure = answer
            .series
            .first()
            .map_or(&none, |series| &series.total.figure);
        let then = answer
            .previous
            .as_deref()
            .and_then(|previous| previous.series.first());
        let change = words::change(about, figure, then.map(|series| &series.total.figure));
        let moved = Moved::of((&asked.query, &answer), Some(&by_service), known, now);
        let moved = moved.map_err(wrong)?;
        let aim = (size(figure) > 0).then(|| Aim::of(&asked.query, figure, known));
        Ok(Self {
            aim: aim.flatten(),
            asked,
            answer,
            by_service,
            slots,
            change,
            moved,
        })
    }

    fn is_in_hours(&self) -> bool {
        self.asked.query.measure == Measure::Hours
    }

    pub(super) fn title(&self) -> &'static str {
        match self.asked.query.metric {
            Metric::PageDisruptions if self.is_in_hours() => "Disturbed hours",
            Metric::PageDisruptions => "Out-of-hours pages",
            _ => self.asked.about.title,
        }
    }

    pub(super) fn figure(&self) -> Option<&Figure> {
        self.answer
            .series
            .first()
            .map(|series| &series.total.figure)
    }

    pub(super) fn before(&self) -> Option<&Figure> {
        let previous = self.answer.previous.as_deref()?;
        let figure = &previous.series.first()?.total.figure;
        (size(figure) > 0).then_some(figure)
    }

    fn draw(&self) -> Markup {
        let figure = self.figure();
        let said = figure
            .filter(|figure| size(figure) > 0)
            .and_then(words::say);
        let states: Vec<State> = self.slots.iter().map(|slot| slot.state).collect();
        let values = self
            .answer
            .series
            .first()
            .map_or(&[][..], |series| &series.values);
        let items = self.asked.items();
        let earlier = page::earlier(&items, &self.answer);
        let numbers = groups::numbers(values);
        let most = numbers.iter().flatten().copied().fold(0.0, f64::max);
        html! {
            article.tile {
                h2 { a.title href=(self.asked.address.link()) { (self.title()) } }
                p.figure {
                    @match &said {
                        Some(said) => b { a href=(items.link()) { (said) } },
                        None => span.nobody { "none" },
                    }
                    @if said.is_some() && self.asked.query.compare {
                        " " span class=(self.change.tone) { (self.change.words) }
                        @if let (Some(was), Some(earlier)) = (self.before().and_then(words::say), &earlier) { span.was { " was " a href=(earlier.link()) { (was) } } }
                    }
                }
                @if let Some(aim) = &self.aim { p.small { (aim.mark()) } }
                div.course {
                    @if let Some(figure) = figure { (spark(groups::kind(figure), &numbers, &states, most, 40.0)) }
                    p.ends-of {
                        @if let (Some(first), Some(last)) = (self.slots.first(), self.slots.last()) {
                            span { (first.label) } span { (last.label) }
                        }
                    }
                }
                p.small { (self.caption(&items)) }
                @if said.is_some() && self.asked.query.compare { p.small.next { (insight::next(&self.asked, &self.change, self.moved.as_ref(), self.aim.as_ref())) } }
            }
        }
    }

    /// What the number is of; what is left out opens.
    fn caption(&self, items: &Address) -> Markup {
        let n = self.figure().map_or(0, size);
        let (words, left_out): (String, &[Reason]) = match (self.figure(), self.asked.query.metric)
        {
            (Some(Figure::Durations(_)), Metric::Mttr) => {
                (format!("mean of {n} resolved"), &[Reason::Open])
            }
            (Some(Figure::Durations(_)), _) => (
                format!("mean of {n} acknowledged"),
                &[Reason::Waiting, Reason::Unanswered],
            ),
            (
                Some(Figure::Ratio {
                    numerator,
                    denominator,
                    ..
                }),
                _,
            ) => (format!("{numerator} of {denominator} deployments"), &[]),
            (Some(Figure::Rate { n, .. }), metric) => {
                let (from, to) = self.answer.range;
                let days = words::days(from, to);
                let of = if metric == Metric::IncidentFrequency {
                    "triggered"
                } else {
                    "successful"
                };
                (format!("{n} {of} in {days} days"), &[])
            }
            (_, Metric::PageDisruptions) if self.is_in_hours() => {
                ("with a page, all people together".to_owned(), &[])
            }
            (_, Metric::PageDisruptions) => ("acknowledged outside working hours".to_owned(), &[]),
            _ => ("incidents triggered".to_owned(), &[Reason::Test]),
        };
        let count = |reason: &Reason| Some((*reason, self.answer.left_out.of(*reason)?));
        let counts: Vec<(Reason, u64)> = left_out
            .iter()
            .filter_map(count)
            .filter(|(_, count)| *count > 0)
            .collect();
        html! {
            (words)
            @for (reason, count) in counts {
                ", " a href=(items.with(LEFT_OUT, reason.as_str()).link()) {
                    (count)
                    // There is little room.
                    @match reason {
                        Reason::Waiting => " not yet",
                        Reason::Unanswered => " never",
                        _ => { " " (why(reason, count)) " left out" },
                    }
                }
            }
        }
    }
}

/// The figures.
pub(super) fn tiles(
    (address, filter): (&Address, Option<&Filter>),
    known: &Known,
    now: Timestamp,
) -> Result<Vec<Tile>, Wrong> {
    if let Some((name, _)) = address.pairs().find(|(name, _)| !PARAMS.contains(name)) {
        let error = BadQuery::Parameter {
            metric: WHAT.to_owned(),
            name: name.to_owned(),
            allowed: PARAMS.join(", "),
        };
        return Err(Wrong::new(&error, address));
    }
    let [(first, _), ..] = TILES;
    if let Err(error) = asked::parse(first, address) {
        return Err(Wrong::new(&error.asked_of(WHAT), address));
    }
    let tiles = TILES.into_iter();
    tiles
        .map(|metric| Tile::ask(metric, (address, filter), known, now))
        .collect()
}

/// The page without its head and navigation.
pub(super) fn body(
    (address, filter): (&Address, Option<&Filter>),
    (choosing, may_change): (bool, bool),
    open: &Burning,
    known: &Known,
    now: Timestamp,
) -> Result<Markup, Wrong> {
    let tiles = tiles((address, filter), known, now)?;
    let Some(recovery) = tiles.first() else {
        return Ok(html! {});
    };
    let asked = &recovery.asked;
    let changed = groups::groups(asked, &recovery.by_service, Dimension::Service, known);
    let only = open_of(asked, known, now);
    let only = only.map_err(|error| Wrong::new(&error, address))?;
    let settings = known.engine.settings();
    let today = im_metrics::local_date(now, &settings.zone);
    let states: Vec<State> = recovery.slots.iter().map(|slot| slot.state).collect();
    let form = if choosing {
        Some(form(address, asked, known, now)?)
    } else {
        None
    };
    Ok(html! {
        div.top {
            h1 { "Overview" }
            details.menu name="menu" {
                summary.button { (parts::icon("save")) "Report" (parts::icon("down")) }
                div.pop.right {
                    ul {
                        li { a href=(address.to(format!("{OVERVIEW}/report.csv")).link()) { "Report as CSV" } }
                        li { a href=(address.to(format!("{OVERVIEW}/report.json")).link()) { "Report as JSON" } }
                    }
                    p.small { "Printed, the page is the report on paper or as PDF." }
                }
            }
        }
        div.filters {
            (bar::range_menu(address, recovery.answer.range, today, Buckets::Some))
            (bar::chips(address, known))
            a.chip.add href=(address.and("choose", "filter").link()) { (parts::icon("plus")) "Team or service" }
        }
        (printed(address, recovery.answer.range, known))
        (of_filter(address, filter, may_change))
        (asked.not_known(address.path()))
        @if let Some(form) = &form { (form) }
        (burning((open, only.as_ref()), &settings.targets, now))
        (sentence(&tiles))
        div.tiles { @for tile in &tiles { (tile.draw()) } }
        (note(&recovery.slots))
        (page::incomplete(known, recovery.answer.range.1, now))
        (most_changed((asked, of_changes(&tiles)), changed, &states, known))
    })
}

/// What paper has to say that a page shows by what can be chosen: the dates, and what was filtered by.
fn printed(address: &Address, (from, to): (Date, Date), known: &Known) -> Markup {
    let zone = &known.engine.settings().zone;
    let chosen = address.pairs();
    let chosen = chosen.filter_map(|(name, value)| {
        let by = Dimension::parse(name)?;
        let name = bar::key_name(by, Some(value), known);
        Some(format!("; {} {name}", bar::name(by)))
    });
    html! {
        p.printed {
            (from) " to " (to) ", days of " (zone.iana_name().unwrap_or("UTC"))
            @for one in chosen { (one) }
        }
    }
}

/// Which incidents the default filter lets through, where it does.
fn of_filter(address: &Address, filter: Option<&Filter>, may_change: bool) -> Markup {
    let filter = filter.filter(|filter| !filter.params().is_empty());
    let is_left = address.get(SETTLED.0).is_none();
    html! {
        @if let Some(filter) = filter.filter(|_| is_left) {
            p.small.of-filter {
                "Of " (filter.words()) ", as the "
                @if may_change { a href=(FILTER) { "default filter" } } @else { "default filter" }
                " says. "
                a href=(address.and(SETTLED.0, SETTLED.1).link()) { "Show all incidents" }
            }
        }
    }
}

/// What is open of the team, the service or the environment that is asked for; nothing where all are.
fn open_of(
    asked: &Asked,
    known: &Known,
    now: Timestamp,
) -> Result<Option<BTreeSet<IncidentNumber>>, BadQuery> {
    let query = asked.asking(|query| {
        let place = [Dimension::Team, Dimension::Service, Dimension::Environment];
        query.filters.retain(|(by, _)| place.contains(by));
        (query.metric, query.bucket, query.compare) =
            (Metric::OpenIncidents, BucketSize::All, false);
        (query.from, query.to) = (None, None);
    });
    if query.filters.is_empty() {
        return Ok(None);
    }
    let open = known.engine.items(&query, now)?.into_iter();
    let numbers = open.filter_map(|item| match item.what {
        Thing::Incident(number) => Some(IncidentNumber::new(number)?.said()),
        Thing::Deployment(_) => None,
    });
    Ok(Some(numbers.collect()))
}

/// What burns now, worst first, and how long is left.
fn burning(
    (open, only): (&Burning, Option<&BTreeSet<IncidentNumber>>),
    targets: &Targets,
    now: Timestamp,
) -> Markup {
    let is_asked = |row: &&IncidentRow| only.is_none_or(|only| only.contains(&row.number));
    let rows: Vec<&IncidentRow> = open.rows.iter().filter(is_asked).collect();
    let count = only.map_or_else(
        || usize::try_from(open.count).unwrap_or(usize::MAX),
        BTreeSet::len,
    );
    let more = count.saturating_sub(rows.len().min(BURNING_MAX));
    html! {
        section.panel.burning aria-label="What burns now" {
            @if rows.is_empty() {
                p.quiet {
                    span.tone.green { (parts::icon("check")) }
                    @if only.is_some() { "Nothing of it is open." } @else { "Nothing is open." }
                }
            } @else {
                ul {
                    @for row in rows.iter().take(BURNING_MAX) {
                        li {
                            (parts::severity(row.severity.map(|(severity, _)| severity)))
                            span.what { a.title href={ "/incidents/" (row.number) } { (row.title) } span.small { " " (row.number) } }
                            @if open.unowned.contains(&row.number) { (parts::unowned()) }
                            @else { (parts::status(open.model.shown(row.status))) }
                            (parts::people(&row.assignees, row.status))
                            span.due {
                                @match due::next(row, targets, now) { Some(due) => (due), None => span.nobody { "no target" } }
                            }
                        }
                    }
                }
            }
            p.rest {
                @if more > 0 { span { (more) " more open" } }
                a href="/" { "All incidents" }
            }
        }
    }
}

/// The clearest change for the worse and for the better, in words.
fn sentence(tiles: &[Tile]) -> Markup {
    let worse = |tile: &&Tile| tile.change.worse.unwrap_or_default();
    let loss = tiles
        .iter()
        .max_by(|a, b| worse(a).total_cmp(&worse(b)))
        .filter(|tile| worse(tile) >= CLEAR);
    let gain = tiles
        .iter()
        .min_by(|a, b| worse(a).total_cmp(&worse(b)))
        .filter(|tile| worse(tile) <= -CLEAR);
    let total = tiles.first();
    let (from, to) = total.map_or_else(Default::default, |tile| tile.answer.range);
    let before = format!("than in the {} before", words::span(from, to));
    let n: u64 = tiles
        .iter()
        .filter_map(Tile::figure)
        .map(size)
        .max()
        .unwrap_or_default();
    let words = match (gain, loss) {
        _ if n == 0 => html! {
            strong { "Nothing to measure in " (words::this(from, to)) "." }
            " Figures appear as soon as incidents are declared here or read from PagerDuty: "
            a href=(CARDS) { "Integrations" }
        },
        (Some(gain), Some(loss)) => html! {
            strong { (clause(gain)) " " (before) ", but " (lower(&clause(loss))) "." } (told(loss)) (told(gain))
        },
        (Some(gain), None) => html! { strong { (clause(gain)) " " (before) "." } (told(gain)) },
        (None, Some(loss)) => html! { strong { (clause(loss)) " " (before) "." } (told(loss)) },
        (None, None) if tiles.iter().all(|tile| tile.change.worse.is_none()) => html! {
            strong { "Too few to tell a change." } " A comparison needs at least five of each, now and in the "
            (words::span(from, to)) " before."
        },
        (None, None) => {
            html! { strong { "Little has changed against the " (words::span(from, to)) " before." } }
        }
    };
    insight::say(&html! { (words) (aims(tiles)) })
}

/// Which targets are missed, where there are any.
fn aims(tiles: &[Tile]) -> Markup {
    let aimed = tiles
        .iter()
        .filter_map(|tile| Some((tile, tile.aim.as_ref()?)));
    let missed: Vec<&Tile> = aimed
        .clone()
        .filter(|(_, aim)| !aim.is_met)
        .map(|(tile, _)| tile)
        .collect();
    html! {
        @if aimed.count() == 0 {}
        @else if missed.is_empty() { " Every target is met." }
        @else {
            " Off target: "
            @for (index, tile) in missed.iter().enumerate() {
                @if index > 0 { ", " }
                a href=(tile.asked.address.link()) { (tile.title()) }
            }
            "."
        }
    }
}

/// `Recovery is 27 % quicker`, `There are 18 % more out-of-hours pages`.
fn clause(tile: &Tile) -> String {
    let change = &tile.change.words;
    match tile.figure() {
        Some(Figure::Rate { .. }) => format!("There are {change} {}", tile.asked.about.of.1),
        Some(Figure::Count { .. }) => {
            format!("There are {change} {}", tile.title().to_lowercase())
        }
        _ => format!("{} is {change}", tile.asked.about.subject),
    }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_lowercase);
    first.chain(chars).collect()
}

/// The two numbers of a comparison, and the page that shows them.
fn told(tile: &Tile) -> Markup {
    let (Some(now), Some(then)) = (tile.figure(), tile.before()) else {
        return html! {};
    };
    html! {
        " " a href=(tile.asked.address.link()) { (tile.title()) } ": "
        (words::say(now).unwrap_or_default()) ", was " (words::say(then).unwrap_or_default()) "."
    }
}

/// What the shapes of the small charts mean.
fn note(slots: &[Slot]) -> Markup {
    let partial = slots.iter().find(|slot| slot.state == State::Partial);
    let open = slots.iter().find(|slot| slot.state == State::Open);
    html! {
        @if partial.is_some() || open.is_some() {
            p.small.note-of {
                @if let Some(slot) = partial { "Hatched or hollow: of the bucket of " (slot.label) " only a part is in range " (slot.note) ". " }
                @if let Some(slot) = open { "Dashed: that of " (slot.label) " is not over." }
            }
        }
    }
}

/// The figure that blames failures on deployments.
fn of_changes(tiles: &[Tile]) -> Option<&Tile> {
    let mut tiles = tiles.iter();
    tiles.find(|tile| tile.asked.query.metric == Metric::ChangeFailureRate)
}

/// What is blamed for what happens to a service: the deployments that failed, as the figure of all services told them.
fn reason(changes: Option<&Tile>, service: Option<&str>) -> Markup {
    let blamed = changes.zip(service).and_then(|(tile, service)| {
        let mut services = tile.by_service.series.iter();
        let is_it = |key: &Option<String>| key.as_deref() == Some(service);
        let found = services.find(|series| series.keys.first().is_some_and(is_it))?;
        match found.total.figure {
            Figure::Ratio {
                numerator,
                denominator,
                ..
            } if numerator > 0 => {
                let items = tile.asked.items().with("service", service);
                Some((items.with(FAILED, "yes"), numerator, denominator))
            }
            _ => None,
        }
    });
    html! {
        @match blamed {
            Some((items, failed, all)) => a href=(items.link()) { (failed) " of " (all) " deployments failed" },
            None => span.nobody { "–" },
        }
    }
}

/// The teams that are responsible for a service.
fn teams(service: Option<&str>, known: &Known) -> String {
    let settings = known.engine.settings();
    let Some(service) = service else {
        return String::new();
    };
    let theirs = settings.teams_of_service.get(service);
    let own = settings.teams.iter();
    let own = own.filter(|team| team.services.iter().any(|one| one == service));
    let ids = theirs.into_iter().flatten().chain(own.map(|team| &team.id));
    let names: Vec<&str> = ids.map(|id| known.name(id)).collect();
    names.join(", ")
}

/// The services by how much worse their recovery became.
fn most_changed(
    (asked, changes): (&Asked, Option<&Tile>),
    mut groups: Vec<Group<'_>>,
    states: &[State],
    known: &Known,
) -> Markup {
    if groups.is_empty() {
        return html! {};
    }
    groups.sort_by(|a, b| {
        b.change.rank().total_cmp(&a.change.rank()).then_with(|| {
            b.share
                .unwrap_or_default()
                .total_cmp(&a.share.unwrap_or_default())
        })
    });
    let most = groups
        .iter()
        .flat_map(|group| groups::numbers(&group.series.values))
        .flatten()
        .fold(0.0, f64::max);
    html! {
        section aria-labelledby="changed" {
            h2 #changed { "What changed most" span.number { "services by worst change in time to recovery" } }
            div.panel.scroll {
                table.data {
                    thead {
                        tr {
                            th.name scope="col" { "Service" }
                            th.num scope="col" { "Incidents" }
                            th.num scope="col" { "Recovery" }
                            th.num scope="col" { "Change" }
                            th.course scope="col" { "Course" }
                            th.share scope="col" { "Share of time" }
                            th scope="col" { "Most likely reason" }
                        }
                    }
                    tbody {
                        @for group in groups.iter().take(CHANGED_MAX) {
                            @let figure = &group.series.total.figure;
                            tr {
                                th.name scope="row" {
                                    a.title href=(asked.address.with("service", group.key.unwrap_or("null")).link()) { (group.name) }
                                    @let teams = teams(group.key, known);
                                    @if !teams.is_empty() { p.meta { (teams) } }
                                }
                                td.num data-name="Incidents" { a href=(asked.items().with("service", group.key.unwrap_or("null")).link()) { (size(figure)) } }
                                td.num data-name="Recovery" { (words::say(figure).unwrap_or_default()) }
                                td.num data-name="Change" { span class=(group.change.tone) { (group.change.words) } }
                                td.course { (spark(groups::kind(figure), &groups::numbers(&group.series.values), states, most, 26.0)) }
                                td.share data-name="Share of time" {
                                    @if let Some(share) = group.share {
                                        (words::percent(share * 100.0))
                                        meter min="0" max="100" value=(format!("{:.1}", share * 100.0)) {}
                                    }
                                }
                                td data-name="Most likely reason" { (reason(changes, group.key)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The form that chooses a team or a service.
fn form(address: &Address, asked: &Asked, known: &Known, now: Timestamp) -> Result<Markup, Wrong> {
    let dimensions = [Dimension::Team, Dimension::Service];
    let values = page::offered(asked, &dimensions, known, now);
    let values = values.map_err(|error| Wrong::new(&error, address))?;
    Ok(bar::form(address, Metric::DeploymentFrequency, &values))
}
