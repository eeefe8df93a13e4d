//! The list: what is open, worst first, then what ended last.

use im_store::incidents::IncidentRow;
use jiff::Timestamp;
use maud::{Markup, html};

use super::acts::{CHOSEN, Shown};
use super::layout::{Live, Page};
use super::load::{List, ROWS_MAX};
use super::{Moment, declare, integrations, layout, parts, times};

/// Where the list sends what is done to several.
const ACKNOWLEDGE: &str = "/chosen/acknowledge";
const RESOLVE: &str = "/chosen/resolve";

/// The page.
pub(super) fn page(list: &List, shown: &Shown, moment: Moment) -> Markup {
    let now = moment.now;
    let visit = &list.shell.visit;
    let body = html! {
        div.top {
            h1 { "Incidents" }
            @if visit.may_act() { a.button.primary href=(declare::ADDRESS) { (parts::icon("plus")) "Declare incident" } }
        }
        (shown.answer())
        @if list.open.is_empty() && list.over.is_empty() {
            (nothing_yet(list.shell.health.is_empty()))
        } @else {
            section aria-labelledby="open" {
                h2 #open { "Open" span.number { (list.shell.open) } }
                @if list.open.is_empty() { (nothing_open(&list.over, now)) }
                @else if visit.may_act() {
                    (parts::form(ACKNOWLEDGE, visit, &html! { (table(list, &list.open, Some(shown), now)) }))
                } @else { (table(list, &list.open, None, now)) }
            }
            @if !list.over.is_empty() {
                section aria-labelledby="over" {
                    h2 #over { "Recently resolved" span.number { (list.over.len()) } }
                    (table(list, &list.over, None, now))
                }
            }
            @if list.more {
                p.older { "The newest " (ROWS_MAX) " are here. Older: " code { "im list --all" } }
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

fn nothing_yet(is_alone: bool) -> Markup {
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
            @if is_alone { p.choices { a.button.primary href=(integrations::CONNECT) { "Connect PagerDuty" } } }
        }
    }
}

fn nothing_open(over: &[IncidentRow], now: Timestamp) -> Markup {
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
fn table(list: &List, rows: &[IncidentRow], choosing: Option<&Shown>, now: Timestamp) -> Markup {
    html! {
        div.panel.choosing[choosing.is_some()] {
            @if choosing.is_some() {
                div.chosen role="group" aria-label="With those that are ticked" {
                    span { "Those that are ticked:" }
                    button.button type="submit" { "Acknowledge" }
                    button.button type="submit" formaction=(RESOLVE) { "Resolve" }
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
                    @for row in rows { (incident(list, row, choosing, now)) }
                }
            }
        }
    }
}

fn incident(list: &List, row: &IncidentRow, choosing: Option<&Shown>, now: Timestamp) -> Markup {
    let (is_unowned, model) = (list.unowned.contains(&row.number), list.shell.model);
    html! {
        tr role="row" data-key=(row.number) data-row=(row.version) {
            td.c-sev role="cell" {
                @if let Some(shown) = choosing {
                    label.pick {
                        input type="checkbox" name=(CHOSEN) value=(row.number) checked[shown.is_chosen(row.number)];
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
            td.c-progress role="cell" { (progress(row)) }
            td.c-time role="cell" { (times::exact(row.created_at, now)) span.small { (times::ago(row.created_at, now)) } }
        }
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
