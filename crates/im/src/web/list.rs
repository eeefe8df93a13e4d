//! The list: what is open, worst first, then what ended last; or what was asked for, newest first.

mod asked;
mod bar;

use std::collections::BTreeMap;
use std::sync::Arc;

use im_core::IncidentNumber;
use im_store::incidents::IncidentRow;
use jiff::Timestamp;
use maud::{Markup, html};

pub(super) use asked::Asked;
use asked::Mark;

use super::acts::{CHOSEN, Shown};
use super::layout::{Live, Page};
use super::load::{COUNTED_MAX, Found, Rows, Shell};
use super::times::Now;
use super::views::Saved;
use super::{Moment, declare, due, integrations, layout, parts, times};

/// Where the list sends what is done to several.
const ACKNOWLEDGE: &str = "/chosen/acknowledge";
const RESOLVE: &str = "/chosen/resolve";

/// The list of incidents.
pub(super) struct List {
    pub(super) shell: Shell,
    pub(super) listed: Arc<Listed>,
    /// The views that were saved.
    pub(super) views: Vec<Saved>,
}

/// What is on a list: the same for all who ask so and may do the same.
pub(super) struct Listed {
    found: Found,
    /// The cells of each row, with the mark by which a page says that it has them.
    cells: BTreeMap<IncidentNumber, (Mark, Markup)>,
}

impl Listed {
    /// Draws what was found, for who can choose of it what is open, or for who cannot.
    pub(super) fn draw(
        found: Found,
        may_act: bool,
        is_chosen: impl Fn(IncidentNumber) -> bool,
        now: Now,
    ) -> Self {
        let rows = match &found.rows {
            Rows::Usual { open, over, .. } => open.iter().chain(over),
            Rows::Found { rows, .. } => rows.iter().chain(&[]),
            Rows::Refused => [].iter().chain(&[]),
        };
        let cells = rows.map(|row| {
            let pick = may_act && row.status.is_open();
            let cells = cells(&found, row, pick.then(|| is_chosen(row.number)), now);
            (row.number, (Mark::of(row.version, &cells.0), cells))
        });
        Self {
            cells: cells.collect(),
            found,
        }
    }
}

/// The page.
pub(super) fn page(list: &List, asked: &Asked, shown: &Shown, moment: Moment) -> Markup {
    let now = moment.now;
    let visit = &list.shell.visit;
    let body = html! {
        div.top {
            h1 { "Incidents" }
            @if visit.may_act() { a.button.primary href=(declare::ADDRESS) { (parts::icon("plus")) "Declare incident" } }
        }
        (shown.answer())
        @match &list.listed.found.rows {
            Rows::Usual { open, over, .. } if open.is_empty() && over.is_empty() && !asked.chooses => {
                (nothing_yet(list.shell.health.is_empty(), integrations::may_change(visit)))
            }
            rows => {
                (bar::bar(list, asked))
                @match rows {
                    Rows::Usual { open, over, more } => (usual(list, (open, over, *more), asked, now)),
                    Rows::Found { rows, total, more } => (found(list, (rows, *total, *more), asked)),
                    Rows::Refused => (bar::refused(asked, moment)),
                }
            }
        }
    };
    let title = match list.shell.open {
        0 => "Incidents".to_owned(),
        open => format!("{open} open"),
    };
    let head = Page {
        title: &title,
        entry: "/",
        live: if shown.is_refused() {
            Live::Still
        } else {
            Live::List
        },
    };
    layout::page(&head, &list.shell, moment, &body)
}

/// What is open, and what was over lately.
fn usual(
    list: &List,
    (open, over, more): (&[IncidentRow], &[IncidentRow], bool),
    asked: &Asked,
    now: Now,
) -> Markup {
    html! {
        section aria-labelledby="open" {
            h2 #open { "Open" span.number { (list.shell.open) } }
            @if open.is_empty() { (nothing_open(over, now)) }
            @else { (chosen(list, open, asked)) }
        }
        @if !over.is_empty() {
            section aria-labelledby="over" {
                h2 #over { "Recently resolved" span.number { (over.len()) } }
                (table(list, over, asked, false))
            }
        }
        @if more {
            p.older { "The newest " (open.len() + over.len()) " are here. " a href=(bar::everything().link()) { "All incidents, newest first" } }
        }
    }
}

/// What was asked for, a page of it.
fn found(list: &List, (rows, total, more): (&[IncidentRow], i64, bool), asked: &Asked) -> Markup {
    let newest = asked.address.without("before");
    let is_later = asked.address.get("before").is_some();
    let oldest = rows.last().filter(|_| more);
    html! {
        section aria-labelledby="found" {
            h2 #found { "Newest first" span.number { (count(total)) } }
            @if rows.is_empty() {
                div.panel.quiet {
                    p {
                        @if is_later { "There is nothing older." } @else { "No incident fits." }
                        " " a href="/" { "What is open, and what was over lately" }
                    }
                }
            } @else { (chosen(list, rows, asked)) }
            p.choices {
                @if is_later { a.button href=(newest.link()) { "Newest" } }
                @if let Some(row) = oldest {
                    a.button href=(newest.with("before", row.number.to_string()).link()) { "Older" }
                }
            }
        }
    }
}

/// How many there are, as far as they are counted.
fn count(total: i64) -> String {
    let most = i64::from(COUNTED_MAX);
    if total > most {
        format!("more than {most}")
    } else {
        total.to_string()
    }
}

/// A table of incidents of which some may be chosen.
fn chosen(list: &List, rows: &[IncidentRow], asked: &Asked) -> Markup {
    let visit = &list.shell.visit;
    if !visit.may_act() || !rows.iter().any(|row| row.status.is_open()) {
        return table(list, rows, asked, false);
    }
    let body = html! {
        (asked.returning())
        (table(list, rows, asked, true))
    };
    parts::form(ACKNOWLEDGE, visit, &body)
}

fn nothing_yet(is_alone: bool, may_connect: bool) -> Markup {
    html! {
        div.panel.message {
            h2 { "No incidents yet" }
            p {
                "Every incident that you declare appears here at once, and every one of PagerDuty's within seconds. "
                @if is_alone { "None was declared, and PagerDuty is not connected." }
                @else { "None was declared, and PagerDuty has none open." }
            }
            p { "To declare one:" }
            pre.command { "im declare --sev SEV-3 --title \"Checkout is slow\"" }
            @if is_alone && may_connect { p.choices { a.button.primary href=(integrations::CONNECT) { "Connect PagerDuty" } } }
        }
    }
}

fn nothing_open(over: &[IncidentRow], now: Now) -> Markup {
    html! {
        div.panel.quiet {
            p {
                span.tone.green { (parts::icon("check")) }
                "Nothing is open."
                @if let Some(last) = over.first() {
                    " The last one ended " (times::ago(last.resolved_at.unwrap_or(last.updated_at), now)) "."
                }
            }
        }
    }
}

/// Roles are named because the narrow layout shows rows as grids, and browsers then forget that
/// they are rows.
fn table(list: &List, rows: &[IncidentRow], asked: &Asked, choosing: bool) -> Markup {
    html! {
        div.panel.choosing[choosing] {
            @if choosing {
                div.chosen role="group" aria-label="With those that are ticked" {
                    // The style shows one of the two: only a script can count.
                    span.plainly { "Those that are ticked:" }
                    span.how-many role="status" {}
                    button.button type="submit" data-hotkey="a" { "Acknowledge" }
                    button.button type="submit" formaction=(RESOLVE) data-hotkey="r" { "Resolve" }
                    button.quietly type="button" data-clear { "Clear " kbd { "Esc" } }
                }
            }
            table role="table" {
                thead role="rowgroup" {
                    tr role="row" {
                        @for head in ["Severity", "Incident", "Status", "Assigned", "Progress", "Opened"] {
                            th scope="col" role="columnheader" { (head) }
                        }
                    }
                }
                tbody role="rowgroup" {
                    @for row in rows { (incident(list, row, asked)) }
                }
            }
        }
    }
}

/// A row with its cells, or, for a page that has just these already, its place alone.
fn incident(list: &List, row: &IncidentRow, asked: &Asked) -> Markup {
    html! {
        @if let Some((mark, cells)) = list.listed.cells.get(&row.number) {
            @if asked.has.contains(mark) { tr data-key=(row.number) data-same {} }
            @else { tr role="row" data-key=(row.number) data-row=(row.version) data-mark=(mark) { (cells) } }
        }
    }
}

/// The cells of a row; `chosen` says of one that can be chosen whether it is.
fn cells(found: &Found, row: &IncidentRow, chosen: Option<bool>, now: Now) -> Markup {
    let (is_unowned, model) = (found.unowned.contains(&row.number), found.model);
    html! {
        td.c-sev role="cell" {
            @if let Some(is_chosen) = chosen {
                label.pick {
                    input type="checkbox" name=(CHOSEN) value=(row.number) checked[is_chosen];
                    span.hidden { "Choose " (row.number) }
                }
            }
            (parts::severity(row.severity.map(|(severity, _)| severity)))
        }
        td.c-title role="cell" {
            a.title href={ "/incidents/" (row.number) } { (row.title) }
            p.meta { (row.number) (there(row)) @if let Some(service) = &row.service { span.sep { "·" } (service) } }
        }
        td.c-status role="cell" {
            @if is_unowned { (parts::unowned()) } @else { (parts::status(model.shown(row.status))) }
        }
        td.c-who role="cell" { (parts::people(&row.assignees, row.status)) }
        td.c-progress role="cell" {
            (progress(row))
            @let due = if row.status.is_open() { due::next(row, &found.targets, now.at) } else { due::kept(row, &found.targets) };
            @if let Some(due) = due { span.due { (due) } }
        }
        td.c-time role="cell" { (times::exact(row.created_at, now)) span.small { (times::ago(row.created_at, now)) } }
    }
}

/// Its twin.
fn there(row: &IncidentRow) -> Markup {
    html! {
        span.sep { "·" }
        @match (row.pd_number, &row.pd_id, &row.connector) {
            (Some(number), _, _) => { (parts::peer_mark()) " #" (number) },
            (None, Some(_), _) => { (parts::peer_mark()) " linked" },
            (None, None, Some(_)) => "not in PagerDuty yet",
            (None, None, None) if row.parts > 0 => { (row.parts) " services" },
            (None, None, None) => "not in PagerDuty",
        }
    }
}

/// How long it took, or what has not happened yet.
fn progress(row: &IncidentRow) -> Markup {
    let took = |at: Timestamp| times::duration(row.created_at, at);
    html! {
        @match (row.status.is_open(), row.resolved_at, row.acknowledged_at) {
            (false, Some(ended), _) => { "Over in " (took(ended)) },
            (false, None, _) => span.nobody { "Ended" },
            (true, _, Some(taken)) => { "Acknowledged in " (took(taken)) },
            (true, _, None) => span.nobody { "Not acknowledged" },
        }
    }
}
