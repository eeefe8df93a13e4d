//! What is behind a figure: the incidents, pages or deployments, oldest first.

use std::collections::BTreeMap;

use im_core::IncidentNumber;
use im_metrics::{Behind, Thing, Worth};
use im_store::deployments::DeploymentRow;
use im_store::incidents::IncidentRow;
use im_store::{StoreError, Tx, deployments, incidents};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::about::About;
use super::asked::{Asked, Wrong};
use super::bar::{self, Buckets};
use super::part::{OF_PART, ORDER, Part};
use super::words;
use crate::figures::Known;
use crate::web::parts::{self, icon};

/// Rows of a page.
const ROWS: usize = 100;
/// Failures of a deployment that are told with their titles and reasons; of the others there are links.
const FAILURES_TOLD: usize = 10;

/// The things behind a metric, as far as the engine tells them.
pub(super) struct Found {
    /// Those of the page.
    items: Vec<Behind>,
    /// How many there are.
    total: usize,
    /// Links as text: filters, zone and range.
    head: Markup,
    zone: TimeZone,
}

impl Found {
    pub(super) fn ask(
        asked: &Asked,
        part: &Part,
        known: &Known,
        now: Timestamp,
    ) -> Result<Self, Wrong> {
        let zone = &known.engine.settings().zone;
        let today = im_metrics::local_date(now, zone);
        let wrong = |error| Wrong::new(&error, &asked.address);
        let all = part.of(&asked.query, known, now).map_err(wrong)?;
        let total = all.len();
        let items = all.into_iter().skip(part.page * ROWS).take(ROWS);
        let mut items: Vec<Behind> = items.collect();
        let blamed = known.engine.blame(&asked.query, &mut items, now);
        blamed.map_err(wrong)?;
        let to = asked.query.to.unwrap_or(today);
        let from = asked.query.from;
        let from = from.unwrap_or_else(|| to.checked_sub(jiff::Span::new().days(41)).unwrap_or(to));
        let plain = asked.address.only(|name, _| !OF_PART.contains(&name));
        let head = html! {
            div.filters {
                (bar::range_menu(&asked.address.without("page"), (from, to), today, Buckets::None))
                (bar::chips(&plain, known))
                @for (names, words) in part.said() {
                    @let without = asked.address.without("page").only(|name, _| !names.contains(&name));
                    span.chip.set {
                        @if !names.contains(&ORDER) { "Only " } b { (words) }
                        a href=(without.link()) aria-label={ "Take away " (words) } { (icon("cross")) }
                    }
                }
            }
            (asked.not_known(asked.address.path()))
        };
        Ok(Self {
            items,
            total,
            head,
            zone: zone.clone(),
        })
    }
}

/// What the database says of the things on a page.
pub(super) struct Rows {
    incidents: BTreeMap<i64, IncidentRow>,
    deployments: BTreeMap<String, DeploymentRow>,
}

impl Rows {
    /// Reads all that a page shows with one statement for each kind.
    pub(super) fn read(
        tx: &mut Tx<'_>,
        numbers: &[IncidentNumber],
        ids: &[String],
    ) -> Result<Self, StoreError> {
        let incidents = incidents::of_numbers(tx, numbers)?;
        let deployments = deployments::of_ids(tx, ids)?;
        Ok(Self {
            incidents: incidents
                .into_iter()
                .map(|row| (row.number.get(), row))
                .collect(),
            deployments: deployments
                .into_iter()
                .map(|row| (row.id.clone(), row))
                .collect(),
        })
    }
}

impl Found {
    /// The incidents and deployments that a page shows; a part of an incident is shown as its whole.
    pub(super) fn named(&self) -> (Vec<IncidentNumber>, Vec<String>) {
        let mut numbers = Vec::new();
        let mut ids = Vec::new();
        for item in &self.items {
            match &item.what {
                Thing::Incident(number) => numbers.extend(said(*number)),
                Thing::Deployment(id) => ids.push(id.clone()),
            }
            let failures = item.failures.iter().take(FAILURES_TOLD);
            numbers.extend(failures.filter_map(|link| said(link.incident)));
        }
        numbers.sort_unstable();
        numbers.dedup();
        ids.sort_unstable();
        ids.dedup();
        (numbers, ids)
    }

    /// The page without its head and navigation.
    pub(super) fn body(&self, asked: &Asked, part: &Part, rows: &Rows, known: &Known) -> Markup {
        let about = asked.about;
        let whole = asked
            .address
            .to(about.address())
            .only(|name, _| !OF_PART.contains(&name));
        let first = part.page * ROWS;
        let page = |page: usize| asked.address.with("page", page.to_string()).link();
        html! {
            nav.crumbs aria-label="Breadcrumb" {
                a href=(whole.link()) { (about.title) } " / " span aria-current="page" { "what is behind it" }
            }
            @let is_left_out = part.left_out.is_some();
            h1 { @if is_left_out { "Left out of " } @else { "Behind " } (about.title.to_lowercase()) span.number { (self.total) } }
            (self.head)
            @if self.items.is_empty() && self.total > 0 {
                div.panel.message {
                    h2 { "There is no such page" }
                    p { "There are " (self.total) ", on " (self.total.div_ceil(ROWS)) @if self.total > ROWS { " pages of " (ROWS) } @else { " page" } "." }
                    p.choices { a.button href=(asked.address.without("page").link()) { "To the first page" } }
                }
            } @else if self.items.is_empty() {
                div.panel.message {
                    h2 { "Nothing is behind this" }
                    p { "In this range and with these filters nothing counts for this metric." }
                    p.choices { a.button href=(whole.link()) { "Back to " (about.title.to_lowercase()) } }
                }
            } @else {
                div.panel.scroll {
                    table.data.items {
                        thead {
                            tr {
                                th.at scope="col" { "When" }
                                th.name scope="col" { (parts::capital(if self.is_of_deployments() { "deployment" } else { "incident" })) }
                                @if !is_left_out { th.num scope="col" { "Adds" } }
                            }
                        }
                        tbody { @for item in &self.items { (self.row(item, (about, is_left_out), rows, known)) } }
                    }
                }
                @if self.total > ROWS {
                    p.older {
                        (first + 1) " to " (first + self.items.len()) " of " (self.total)
                        @if part.page > 0 { " " a href=(page(part.page - 1)) rel="prev" { "Earlier" } }
                        @if first + ROWS < self.total { " " a href=(page(part.page + 1)) rel="next" { "Later" } }
                    }
                }
            }
        }
    }

    fn is_of_deployments(&self) -> bool {
        self.items
            .iter()
            .all(|item| matches!(item.what, Thing::Deployment(_)))
    }

    fn row(
        &self,
        item: &Behind,
        (about, is_left_out): (&About, bool),
        rows: &Rows,
        known: &Known,
    ) -> Markup {
        let local = item.at.to_zoned(self.zone.clone());
        html! {
            tr {
                td.at { time datetime=(item.at) { (local.strftime("%a %-d %b %Y %H:%M")) } }
                th.name scope="row" {
                    @match &item.what {
                        Thing::Incident(number) => (incident(*number, rows)),
                        Thing::Deployment(id) => (deployment(id, rows, known)),
                    }
                    @if let Some(user) = item.user.as_ref().filter(|_| about.is_personal()) { p.meta { (known.name(user)) } }
                    @let (told, others) = item.failures.split_at(item.failures.len().min(FAILURES_TOLD));
                    @for link in told {
                        p.meta { "failed: " (incident_link(link.incident, rows)) span.sep { "·" } (link.reason) }
                    }
                    @if !others.is_empty() {
                        p.meta { "and " (others.len()) " more:" @for link in others { " " (incident_link(link.incident, rows)) } }
                    }
                }
                @if !is_left_out { td.num { (adds(&item.worth, &self.zone)) } }
            }
        }
    }
}

/// The number that people know an incident by.
fn said(number: i64) -> Option<IncidentNumber> {
    IncidentNumber::new(number).map(IncidentNumber::said)
}

fn incident(number: i64, rows: &Rows) -> Markup {
    let row = said(number).and_then(|number| rows.incidents.get(&number.get()));
    html! {
        (incident_link(number, rows))
        @if let Some(row) = row {
            p.meta {
                (row.number)
                @if let Some(service) = &row.service { span.sep { "·" } (service) }
                @if let Some((severity, _)) = row.severity { span.sep { "·" } (severity) }
            }
        }
    }
}

fn incident_link(number: i64, rows: &Rows) -> Markup {
    let Some(number) = said(number) else {
        return html! {};
    };
    let title = rows
        .incidents
        .get(&number.get())
        .map(|row| row.title.as_str());
    html! { a href={ "/incidents/" (number) } { @match title { Some(title) => (title), None => (number) } } }
}

fn deployment(id: &str, rows: &Rows, known: &Known) -> Markup {
    let row = rows.deployments.get(id);
    html! {
        span.title { (row.and_then(|row| row.version.as_deref()).unwrap_or(id)) }
        @if let Some(row) = row {
            p.meta {
                (known.name(&row.service))
                @if let Some(environment) = &row.environment { span.sep { "·" } (environment) }
                @if row.version.is_some() { span.sep { "·" } (id) }
            }
        }
    }
}

/// What an item adds to the figure, in words.
fn adds(worth: &Worth, zone: &TimeZone) -> String {
    match worth {
        Worth::One => "1".to_owned(),
        Worth::Seconds(seconds) => words::length(*seconds),
        Worth::Hour(hour) => {
            let local = hour.to_zoned(zone.clone());
            format!("the hour from {}", local.strftime("%H:%M"))
        }
        Worth::Part(true) => "a failure".to_owned(),
        Worth::Part(false) => "none failed".to_owned(),
        Worth::Verdicts { ack, resolve } => {
            format!("ack {}, resolve {}", ack.as_str(), resolve.as_str())
        }
        Worth::Page { answered_after, .. } => {
            answered_after.map_or_else(|| "not acknowledged".to_owned(), words::length)
        }
    }
}
