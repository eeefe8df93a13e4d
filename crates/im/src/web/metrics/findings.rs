//! What in the incidents of a range is worth a look: what recurs, why, where time goes, what became worse.
//!
//! What is found and by which rule is what the API says (`http::api::findings`); each finding leads to the
//! incidents behind it.

use im_metrics::{BadQuery, Dimension, Metric, PageSource, RECURS_WITHIN_DAYS};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::about::About;
use super::address::Address;
use super::asked::{Asked, Wrong};
use super::bar::{self, Buckets};
use super::part::{CAUSE, RECURS_WITH};
use super::words::{self, Unit, float, place};
use super::{SETTLED, insight, page, with_default};
use crate::figures::Known;
use crate::http::api::default_filter::Filter;
use crate::http::api::findings::{self as api, Change, Findings};
use crate::http::api::metrics::{FILTERS, Group};
use crate::web::integrations::ADDRESS as CARDS;
use crate::web::parts;

/// Rows of a table; the command line has them all.
const ROWS_MAX: usize = 50;
/// Incidents that a row names itself, where no page lists them.
const NAMED_MAX: usize = 20;

/// Reads the question of an address.
pub(super) fn read(
    address: Address,
    filter: Option<&Filter>,
    sees_people: bool,
) -> Result<Asked, Wrong> {
    let allowed = [&api::OWN[..], &FILTERS[..], &[SETTLED.0]].concat();
    if let Some((name, _)) = address.pairs().find(|(name, _)| !allowed.contains(name)) {
        let error = BadQuery::Parameter {
            metric: "the page of findings".to_owned(),
            name: name.to_owned(),
            allowed: allowed.join(", "),
        };
        return Err(Wrong::new(&error, &address));
    }
    let question = address.without(SETTLED.0);
    if let Err(error) = im_metrics::parse(api::METRIC.as_str(), question.pairs()) {
        return Err(Wrong::new(&api::of_findings(error), &address));
    }
    let Some(about) = About::of(api::METRIC.as_str()) else {
        return Err(Wrong::no_page(api::METRIC.as_str()));
    };
    Asked::read(about, with_default(address, filter, about), sees_people)
}

/// What the engine found, for who asked.
struct Seen<'a> {
    asked: &'a Asked,
    found: Findings,
    zone: &'a TimeZone,
    today: Date,
    /// Whether nothing is connected.
    is_alone: bool,
}

/// What the page is asked for.
pub(super) fn find(asked: &Asked, known: &Known, now: Timestamp) -> Result<Findings, Wrong> {
    let found = Findings::find(&asked.query, asked.sees_people, known, now);
    found.map_err(|error| Wrong::new(&api::of_findings(error), &asked.address))
}

/// The page without its head and navigation.
pub(super) fn body(
    found: Findings,
    (asked, choosing): (&Asked, bool),
    known: &Known,
    now: Timestamp,
) -> Result<Markup, Wrong> {
    let wrong = |error: BadQuery| Wrong::new(&api::of_findings(error), &asked.address);
    let zone = &known.engine.settings().zone;
    let seen = Seen {
        asked,
        found,
        zone,
        today: im_metrics::local_date(now, zone),
        is_alone: known.is_alone(),
    };
    let (from, to) = seen.range();
    let values = if choosing {
        let by: Vec<Dimension> = bar::offered(api::METRIC, PageSource::Incidents).collect();
        Some(page::offered(asked, &by, known, now).map_err(wrong)?)
    } else {
        None
    };
    Ok(html! {
        p.crumbs { (asked.about.area.name()) }
        div.top { h1 { "Findings" } }
        div.filters {
            (bar::range_menu(&asked.address, (from, to), seen.today, Buckets::None))
            (bar::chips(&asked.address, known))
            a.chip.add data-hotkey="f" href=(asked.address.and("choose", "filter").link()) { (parts::icon("plus")) "Filter" }
        }
        @if let Some(values) = &values { (bar::form(&asked.address, api::METRIC, values)) }
        (asked.not_known(asked.address.path()))
        (insight::say(&seen.sentence()))
        (page::incomplete(known, to, now))
        @if seen.found.incidents == 0 { (seen.empty()) } @else {
            (seen.recurring())
            (seen.causes())
            (seen.bottlenecks())
            (seen.changes())
            (seen.over_target())
        }
        p.small.note-of { "Each by the rule that docs/metrics.md states under “Findings”. The same, with every incident: " code { "im findings --json" } }
    })
}

impl Seen<'_> {
    /// The range, as the answer says it.
    fn range(&self) -> (Date, Date) {
        let date = |text: &str| text.parse().unwrap_or(self.today);
        (date(&self.found.from), date(&self.found.to))
    }

    /// Where the incidents of a value are listed.
    fn incidents(&self, name: &str, value: &str) -> String {
        self.asked.items().with(name, value).link()
    }

    /// Where the incidents of a service are listed.
    fn of_service(&self, service: &Group) -> String {
        self.incidents("service", service.key.as_deref().unwrap_or("null"))
    }

    /// The day of an instant.
    fn day(&self, at: Timestamp) -> Markup {
        let date = at.to_zoned(self.zone.clone()).date();
        html! { time datetime=(at) { (words::date(date, self.today)) } }
    }

    /// What is most worth a look, and the link to it.
    fn sentence(&self) -> Markup {
        let (from, to) = self.range();
        let this = words::this(from, to);
        if self.found.incidents == 0 {
            return html! { strong { "Nothing to look at in " (this) "." } @if self.is_alone { " Findings come from incidents: " a href=(CARDS) { "Connect PagerDuty" } ", or declare one." }
            @else if let Some(hint) = self.found.hint { " " (parts::commands(&parts::capital(hint))) "." } };
        }
        let Some(first) = self.found.recurring.first() else {
            let slowest = self.found.bottlenecks.first();
            return html! {
                strong { "Nothing recurs in " (this) "." }
                @if let Some(slowest) = slowest {
                    " Begin with what takes longest: " a href=(self.of_service(&slowest.service)) { "the incidents of " (slowest.service.name) } "."
                }
            };
        };
        let again: usize = self.found.recurring.iter().map(|one| one.count).sum();
        html! {
            strong { (again) " of " (incidents(self.found.incidents)) " in " (this) " were of matters that came again." }
            " Mend first what comes most often: “" (first.newest_title) "” of " (first.service.name) ", " (first.count) " times. "
            @if let Some(number) = first.incidents.said().next() {
                a href=(self.incidents(RECURS_WITH, &number)) { "Open those " (first.count) " incidents" }
            }
        }
    }

    fn recurring(&self) -> Markup {
        let all = &self.found.recurring;
        let note = format!(
            "the same title but for numbers and hosts, or the same key, on one service, the newest title shown; at most {RECURS_WITHIN_DAYS} days apart; most frequent first"
        );
        let rows = html! {
            @for one in all.iter().take(ROWS_MAX) {
                tr {
                    th.name scope="row" {
                        @match one.incidents.said().next() {
                            Some(number) => a.title href=(self.incidents(RECURS_WITH, &number)) { (one.newest_title) },
                            None => (one.newest_title),
                        }
                    }
                    td data-name="Service" { (one.service.name) }
                    td.num data-name="Times" { (one.count) }
                    td.num data-name="First" { (self.day(one.first_at)) }
                    td.num data-name="Last" { (self.day(one.last_at)) }
                }
            }
        };
        let heads = ["Service", "Times", "First", "Last"];
        section(
            ("recurring", "Recurring", &note),
            "What",
            &heads,
            &rows,
            all.len(),
        )
    }

    fn causes(&self) -> Markup {
        let all = &self.found.causes;
        let whole = float(self.found.incidents).max(1.0);
        let is_none_named = all.iter().all(|one| one.cause.is_none());
        let note = if is_none_named {
            "none was named; on the page of an incident, “What people say of it” has a field for it"
        } else {
            "as people named them, or a field or a note of the incident; nothing is guessed"
        };
        let rows = html! {
            @for one in all.iter().take(ROWS_MAX) {
                @let share = place(one.incidents) / whole * 100.0;
                @let value = one.cause.as_deref().unwrap_or("null");
                tr {
                    th.name scope="row" {
                        a.title href=(self.incidents(CAUSE, value)) { (parts::capital(one.cause.as_deref().unwrap_or("not named"))) }
                    }
                    td.num data-name="Incidents" { (one.incidents) }
                    td.share data-name="Share" { (words::percent(share)) meter min="0" max="100" value=(format!("{share:.1}")) {} }
                }
            }
        };
        let heads = ["Incidents", "Share"];
        section(
            ("causes", "Causes", note),
            "Cause",
            &heads,
            &rows,
            all.len(),
        )
    }

    fn bottlenecks(&self) -> Markup {
        let all = &self.found.bottlenecks;
        let length =
            |seconds: Option<f64>| seconds.map_or_else(|| "none".to_owned(), words::length);
        let rows = html! {
            @for one in all.iter().take(ROWS_MAX) {
                tr {
                    th.name scope="row" { a.title href=(self.of_service(&one.service)) { (one.service.name) } }
                    td.num data-name="Incidents" { (one.incidents) }
                    td.num data-name="To acknowledge" { (length(one.to_acknowledge)) }
                    td.num data-name="To resolve" { (length(one.to_resolve)) }
                    td data-name="Longest" { (one.longest.map_or("none", |stage| match stage { "acknowledge" => "until acknowledged", _ => "until resolved" })) }
                    td.num data-name="Unowned" {
                        (words::length(one.unowned))
                        @if let Some(share) = one.unowned_share { span.small { " " (words::percent(share * 100.0)) } }
                    }
                    td.num data-name="Escalated" { (one.escalations) }
                    td.num data-name="Reassigned" { (one.reassignments) }
                }
            }
        };
        let note = "mean times; unowned is open and acknowledged by nobody; slowest first";
        let heads = [
            "Incidents",
            "To acknowledge",
            "To resolve",
            "Longest",
            "Unowned",
            "Escalated",
            "Reassigned",
        ];
        section(
            ("time", "Where time goes", note),
            "Service",
            &heads,
            &rows,
            all.len(),
        )
    }

    fn changes(&self) -> Markup {
        let all = &self.found.worst_changes;
        let (from, to) = self.range();
        let note = format!(
            "than in the {} before, of at least three in both; worst first",
            words::span(from, to)
        );
        let rows = html! {
            @for one in all.iter().take(ROWS_MAX) {
                tr {
                    th.name scope="row" { (self.changed(one)) }
                    td data-name="Of" { (parts::capital(one.by)) " " (one.what.name) }
                    td.num data-name="Before" { (value(one, one.before)) }
                    td.num data-name="Now" { (value(one, one.now)) }
                    td.num data-name="Times" { @match one.times { Some(times) => (format!("{times:.1}")), None => "none before" } }
                }
            }
        };
        let heads = ["Of", "Before", "Now", "Times"];
        section(
            ("worse", "Worse than before", &note),
            "Figure",
            &heads,
            &rows,
            all.len(),
        )
    }

    /// The figure that became worse: the page of it, or the incidents behind it.
    fn changed(&self, change: &Change) -> Markup {
        let key = change.what.key.as_deref().unwrap_or("null");
        if let Some(about) = About::of(change.metric) {
            let page = self.asked.address.to(about.address());
            return html! { a.title href=(page.with(change.by, key).link()) { (about.title) } };
        }
        html! {
            (parts::capital(&change.metric.replace('_', " ")))
            p.meta {
                @for number in change.behind.said().take(NAMED_MAX) { a href={ "/incidents/" (number) } { (number) } " " }
                @if change.behind.len() > NAMED_MAX { "and " (change.behind.len() - NAMED_MAX) " more" }
            }
        }
    }

    /// The weeks of people with too many pages, for who may see them.
    fn over_target(&self) -> Markup {
        let Some(all) = &self.found.over_target else {
            return html! {};
        };
        let title = format!("More than {} pages in a week", self.found.pages_target);
        let rows = html! {
            @for one in all.iter().take(ROWS_MAX) {
                tr {
                    th.name scope="row" { a.title href=(self.of_week(one)) { (one.user.name) } }
                    td data-name="Week of" { (one.week) }
                    td.num data-name="Pages" { (one.pages) }
                    td.num data-name="Incidents" { (one.behind.len()) }
                }
            }
        };
        let note = "shown because you may see what single people are paged for; most first";
        let heads = ["Week of", "Pages", "Incidents"];
        section(("over", &title, note), "Person", &heads, &rows, all.len())
    }

    /// Where the pages of a person in a week are listed.
    fn of_week(&self, one: &api::Overloaded) -> String {
        let (from, to) = self.range();
        let monday: Date = one.week.parse().unwrap_or(from);
        let sunday = monday.checked_add(jiff::Span::new().days(6)).unwrap_or(to);
        let items = format!("/metric/{}/items", Metric::PageDisruptions.as_str());
        let week = self.asked.address.to(items);
        let week = week.with("from", monday.max(from).to_string());
        let week = week.with("to", sunday.min(to).to_string());
        week.with("user", one.user.key.as_deref().unwrap_or("null"))
            .link()
    }

    fn empty(&self) -> Markup {
        html! {
            div.panel.message {
                h2 { "No incidents in this range" }
                p { "What recurs, why, where time goes and what became worse is found in incidents; there are none here." }
                p.choices {
                    @if self.asked.address.pairs().next().is_some() {
                        a.button href=(self.asked.address.path()) { "Show the last six weeks" }
                    }
                    @if self.is_alone { a.button.primary href=(CARDS) { "Connect PagerDuty" } }
                    @else { a.button href="/" { "All incidents" } }
                }
            }
        }
    }
}

/// `1 incident`, `7 incidents`.
fn incidents(n: u64) -> String {
    let noun = if n == 1 { "incident" } else { "incidents" };
    format!("{n} {noun}")
}

/// A number of a figure that became worse.
fn value(change: &Change, value: f64) -> String {
    match Metric::parse(change.metric) {
        Some(Metric::Mttr | Metric::Mtta) => Unit::Seconds.say(value),
        Some(Metric::IncidentFrequency) => Unit::PerDay.say(value),
        _ => Unit::Share.say(value),
    }
}

/// A table with what stands in it; nothing found is said.
fn section(
    (id, title, note): (&str, &str, &str),
    first: &str,
    heads: &[&str],
    rows: &Markup,
    count: usize,
) -> Markup {
    const TEXT: [&str; 4] = ["Service", "Longest", "Of", "Week of"];
    html! {
        section.found aria-labelledby=(id) {
            h2 id=(id) { (title) span.number { (note) } }
            @if count == 0 { p.small { "None." } } @else {
                div.panel.scroll {
                    table.data {
                        thead {
                            tr {
                                th.name scope="col" { (first) }
                                @for head in heads {
                                    th.num[!TEXT.contains(head) && *head != "Share"] scope="col" { (head) }
                                }
                            }
                        }
                        tbody { (rows) }
                    }
                }
            }
            @if count > ROWS_MAX { p.older { "The first " (ROWS_MAX) " of " (count) " are here." } }
        }
    }
}
