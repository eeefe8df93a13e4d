//! The start page: incidents to act on, webhooks, and beside them clock, faults and keys.

use maud::{Markup, html};
use pd_sim::IncidentView;

use super::seen::Seen;
use super::{at, panels, parts, webhooks};

pub(super) fn body(seen: &Seen) -> Markup {
    html! {
        div.columns {
            div {
                div.head { h1 { "Incidents" } (acting(seen)) }
                @if seen.account.services.is_empty() { (no_services()) } @else { (trigger(seen)) }
                section #incidents data-live aria-label="Incidents" { (incidents(seen)) }
                (webhooks::section(seen))
            }
            aside {
                (panels::clock(seen))
                (panels::faults(seen))
                (panels::reach(seen))
            }
        }
    }
}

/// An account in files can be without services: then nothing can be triggered.
fn no_services() -> Markup {
    html! {
        div.panel.message {
            h2 { "No services" }
            p {
                "Each incident belongs to one. " code { "POST /services" } " makes one, as in PagerDuty; "
                code { "im sim" } " without " code { "--data" } " has an invented account with six."
            }
        }
    }
}

/// Whose hands press the buttons.
fn acting(seen: &Seen) -> Markup {
    if seen.account.users.is_empty() {
        return html! { span.small { "Nobody to act as" } };
    }
    html! {
        form.acting method="get" action="/" {
            label for="as" { "Act as" }
            select #as name="as" data-submit { (parts::users(seen, Some(&seen.acting.0))) }
            button.button type="submit" { "Use" }
        }
    }
}

fn trigger(seen: &Seen) -> Markup {
    html! {
        form.panel.trigger method="post" action=(at("trigger")) data-once {
            input type="hidden" name="back" value=(seen.start());
            div.field.wide {
                label for="title" { "Title" }
                input #title name="title" required maxlength="255" placeholder="Checkout is slow" autocomplete="off";
            }
            div.field {
                label for="service" { "Service" }
                select #service name="service" { (parts::services(seen, None)) }
            }
            div.field {
                label for="by" { "By" }
                select #by name="user" {
                    option value="" { "Monitoring" }
                    option value=(seen.acting.0) { (seen.acting.1) }
                }
            }
            button.button.primary type="submit" { "Trigger incident" }
        }
    }
}

fn incidents(seen: &Seen) -> Markup {
    html! {
        @if seen.incidents.is_empty() {
            div.panel.message {
                h2 { "No incidents yet" }
                @match panels::event_example(seen) {
                    Some(example) => {
                        p { "They come from the form above, from the Events API, or over REST:" }
                        pre.command { (example) }
                    }
                    None => p { "They come from people, from the Events API, or over REST." }
                }
            }
        } @else {
            ul.panel.rows { @for incident in &seen.incidents { (row(seen, incident)) } }
            @if seen.all > seen.incidents.len() {
                p.older.small {
                    "All that are open and the newest that ended, at most " (super::seen::INCIDENTS_MAX) " of " (seen.all)
                    ". Over HTTP: " code { "GET /_sim/incidents?limit=1000" }
                }
            }
        }
    }
}

fn row(seen: &Seen, incident: &IncidentView) -> Markup {
    html! {
        li.incident {
            div.r-status { (parts::status(incident.status)) }
            div.r-title {
                a.title href=(seen.page_of(&incident.id)) { (incident.title) }
                p.meta {
                    "#" (incident.number)
                    span.sep { "·" } (seen.service(&incident.service))
                    @if let Some(priority) = &incident.priority { span.sep { "·" } (seen.priority(priority)) }
                    @if incident.urgency == "low" { span.sep { "·" } "low urgency" }
                    @if incident.alerts.1 > 0 { span.sep { "·" } (alerts(incident.alerts)) }
                    @if !incident.notes.is_empty() { span.sep { "·" } (count(incident.notes.len(), "note")) }
                }
            }
            div.r-who { (parts::people(seen, &incident.assignees)) }
            div.r-time { (parts::time(incident.created_at, seen.now)) }
            (buttons(seen, incident, &seen.start()))
        }
    }
}

fn alerts((open, all): (usize, usize)) -> String {
    if open == 0 || open == all {
        count(all, "alert")
    } else {
        format!("{open} of {}", count(all, "alert"))
    }
}

/// `1 note`, `2 notes`.
pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// What one can do at once: acknowledge, resolve, reopen.
pub(super) fn buttons(seen: &Seen, incident: &IncidentView, back: &str) -> Markup {
    let acts: &[(&str, &str)] = match incident.status {
        "triggered" => &[("acknowledge", "Acknowledge"), ("resolve", "Resolve")],
        "acknowledged" => &[("unacknowledge", "Give back"), ("resolve", "Resolve")],
        _resolved => &[("reopen", "Reopen")],
    };
    let address = |act: &str| at(&format!("incidents/{}/{act}", incident.id));
    html! {
        form.r-acts method="post" action=(address("note")) {
            input type="hidden" name="user" value=(seen.acting.0);
            input type="hidden" name="back" value=(back);
            @for (act, word) in acts {
                button.button type="submit" formaction=(address(act)) {
                    (word) span.hidden { " #" (incident.number) " as " (seen.acting.1) }
                }
            }
        }
    }
}
