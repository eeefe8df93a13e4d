//! One incident: how it is, what can be done with it, and its trail.

use maud::{Markup, html};
use pd_sim::{IncidentView, LogEntryView};

use super::seen::Seen;
use super::{at, parts, start, webhooks};

pub(super) fn body(seen: &Seen, incident: &IncidentView, trail: &[LogEntryView]) -> Markup {
    html! {
        p.crumbs { a href=(seen.start()) { "Incidents" } " / #" (incident.number) }
        div #head data-live { (head(seen, incident)) }
        div.columns {
            div {
                section #trail data-live aria-label="Trail" { (timeline(seen, trail)) }
                section #deliveries data-live aria-label="Webhooks" {
                    (webhooks::deliveries(seen, Some(&incident.id)))
                }
            }
            aside {
                section.side aria-labelledby="acts" {
                    h2 #acts { "As " (seen.acting.1) }
                    (acting(seen, incident))
                    (acts(seen, incident))
                }
            }
        }
    }
}

fn head(seen: &Seen, incident: &IncidentView) -> Markup {
    html! {
        h1 { (incident.title) }
        div.state {
            (parts::status(incident.status))
            span { (seen.service(&incident.service)) }
            span { (incident.urgency) " urgency" }
            @if let Some(priority) = &incident.priority { span { (seen.priority(priority)) } }
            (start::buttons(seen, incident, &seen.page_of(&incident.id)))
        }
        dl.figures {
            div { dt { "Assigned" } dd { (parts::people(seen, &incident.assignees)) } }
            div { dt { "Acknowledged by" } dd { (parts::people(seen, &incident.acknowledgers)) } }
            div { dt { "Escalation policy" } dd { (seen.policy(&incident.policy)) } }
            div {
                dt { "By itself" }
                @if let Some((what, at)) = incident.pending.first() { dd { (parts::capital(what)) " " (parts::time(*at, seen.now)) } }
                @else { dd { "Nothing" } }
            }
        }
        @if !incident.notes.is_empty() {
            section.notes aria-label="Notes" {
                h2 { "Notes" span.number { (incident.notes.len()) } }
                @for note in incident.notes.iter().rev() { p.note { (note) } }
            }
        }
        @if !incident.responders.is_empty() {
            p.older {
                "Asked to help: "
                @for (at, (user, state)) in incident.responders.iter().enumerate() {
                    @if at > 0 { ", " } (seen.person(user)) " (" (state) ")"
                }
            }
        }
    }
}

fn timeline(seen: &Seen, trail: &[LogEntryView]) -> Markup {
    html! {
        h2 { "Log entries" span.number { (trail.len()) } }
        ol.timeline {
            @for entry in trail.iter().rev() {
                @let (tone, shape) = marker(entry.kind);
                li {
                    span.at { (parts::time(entry.at, seen.now)) }
                    span class={ "marker " (tone) } { (parts::icon(shape)) }
                    div.what { p.sentence { (entry.summary) } p.meta { (entry.kind) "_log_entry" } }
                }
            }
        }
    }
}

fn marker(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "trigger" | "reopen" | "unacknowledge" => ("red", "warn"),
        "acknowledge" => ("amber", "acknowledged"),
        "resolve" => ("green", "check"),
        "notify" => ("", "bell"),
        "annotate" | "status_update" => ("", "note"),
        "assign" | "delegate" | "responder_request" | "responder_reply" => ("", "person"),
        "escalate" | "urgency_change" | "priority_change" => ("", "level"),
        "snooze" => ("", "clock"),
        "merge" => ("", "link"),
        _ => ("", "dash"),
    }
}

/// Whose hands press the buttons.
fn acting(seen: &Seen, incident: &IncidentView) -> Markup {
    html! {
        form.acting method="get" action=(at(&format!("view/incidents/{}", incident.id))) {
            label.hidden for="as" { "Act as" }
            select #as name="as" data-submit { (parts::users(seen, Some(&seen.acting.0))) }
            button.button type="submit" { "Use" }
        }
    }
}

/// A form for one act.
fn act(seen: &Seen, incident: &IncidentView, name: &str, word: &str, fields: &Markup) -> Markup {
    html! {
        form.act method="post" action=(at(&format!("incidents/{}/{name}", incident.id))) data-once {
            input type="hidden" name="user" value=(seen.acting.0);
            input type="hidden" name="back" value=(seen.page_of(&incident.id));
            (fields)
            button.button type="submit" { (word) }
        }
    }
}

fn acts(seen: &Seen, incident: &IncidentView) -> Markup {
    let form = |name, word, fields| act(seen, incident, name, word, &fields);
    let account = &seen.account;
    html! {
        div.panel.pad.acts {
            (form("note", "Add note", html! { textarea name="text" required rows="2" aria-label="Note" placeholder="What you found" {} }))
            (form("reassign", "Reassign", html! { select name="to" aria-label="To whom" { (parts::users(seen, None)) } }))
            (form("snooze", "Snooze", html! { select name="for" aria-label="For how long" { @for l in ["5 min", "1 h", "4 h", "24 h"] { option { (l) } } } }))
            (form("priority", "Set priority", html! {
                select name="priority" aria-label="Priority" { option value="none" { "None" } (parts::options(&account.priorities, incident.priority.as_deref())) }
            }))
            (form("urgency", "Set urgency", html! { select name="urgency" aria-label="Urgency" { option { "high" } option selected[incident.urgency == "high"] { "low" } } }))
            details {
                summary { "More" }
                (form("escalate", "Escalate", html! { input name="level" type="number" min="1" max="20" value="2" aria-label="Level"; }))
                (form("delegate", "Delegate", html! { select name="policy" aria-label="Escalation policy" { (parts::options(&account.policies, Some(&incident.policy))) } }))
                (form("move", "Move", html! { select name="service" aria-label="Service" { (parts::services(seen, Some(&incident.service))) } }))
                (form("rename", "Rename", html! { input name="title" required aria-label="Title" value=(incident.title); }))
                (form("merge", "Merge in", html! { input name="source" required aria-label="Number of the incident to merge" placeholder="#102"; }))
                (form("status_update", "Post update", html! { input name="text" required aria-label="Status update" placeholder="We are on it"; }))
                (form("request_help", "Ask for help", html! { select name="from" aria-label="Whom" { (parts::users(seen, None)) (parts::options(&account.policies, None)) } }))
                (form("reply", "Answer", html! { select name="answer" aria-label="Answer to the request for help" { option value="accept" { "Accept" } option value="decline" { "Decline" } } }))
            }
        }
    }
}
