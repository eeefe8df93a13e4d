//! What stands beside the list: the clock, the faults, and how to reach the account.

use maud::{Markup, html};
use serde_json::Value;

use super::seen::Seen;
use super::{at, parts};

/// The clock in the bar.
pub(super) fn hands(seen: &Seen) -> Markup {
    html! { span.sync #hands data-live { span.dot.green[seen.factor > 0.0] {} (parts::clock(seen.now)) (pace(seen)) } }
}

fn pace(seen: &Seen) -> Markup {
    html! {
        @if seen.factor <= 0.0 { span.amber { "stands still" } }
        @else if (seen.factor - 1.0).abs() > f64::EPSILON { span.amber { (seen.factor) " times as fast" } }
    }
}

/// Pushing the clock and changing its pace.
pub(super) fn clock(seen: &Seen) -> Markup {
    let paces = [
        ("mode", "manual", "Stop"),
        ("mode", "real", "Real"),
        ("factor", "60", "60×"),
    ];
    html! {
        section.side aria-labelledby="clock" {
            h2 #clock { "Clock" }
            div.panel.pad {
                form.chips method="post" action=(at("clock")) {
                    input type="hidden" name="back" value=(seen.start());
                    span.small { "Push by" }
                    @for by in ["1 min", "10 min", "1 h", "1 d"] {
                        button.button type="submit" name="advance" value=(by) { (by) }
                    }
                }
                form.chips method="post" action=(at("clock")) {
                    input type="hidden" name="back" value=(seen.start());
                    span.small { "Pace" }
                    @for (name, value, word) in paces {
                        button.button type="submit" name=(name) value=(value) { (word) }
                    }
                }
            }
        }
    }
}

/// What goes wrong, in words.
fn active(seen: &Seen) -> Vec<String> {
    let faults = &seen.faults;
    let number = |name: &str| faults.get(name).and_then(Value::as_u64).unwrap_or(0);
    let is_on = |name: &str| faults.get(name) == Some(&Value::Bool(true));
    let mut active = Vec::new();
    let until = faults.get("outage_until").and_then(Value::as_str);
    let until = until
        .map(|until| format!(" until {until}"))
        .unwrap_or_default();
    match faults.get("outage").and_then(Value::as_str) {
        Some("unavailable") => active.push(format!("Every request answers 503{until}")),
        Some("unreachable") => active.push(format!("Every connection is cut{until}")),
        Some(_) | None => {}
    }
    for (name, words) in CHANCES {
        let percent = number(name);
        if percent > 0 {
            active.push(format!("{percent} %: {words}"));
        }
    }
    for (name, words) in SWITCHES {
        if is_on(name) {
            active.push(words.to_owned());
        }
    }
    if number("late_log_entries") > 0 {
        active.push(format!(
            "Log entries are late by {} s",
            number("late_log_entries")
        ));
    }
    for next in faults
        .get("next")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = |name: &str| next.get(name).and_then(Value::as_str).unwrap_or_default();
        let left = next.get("left").and_then(Value::as_u64).unwrap_or(0);
        let target = [text("method"), text("path")].join(" ");
        let target = Some(target.trim()).filter(|target| !target.is_empty());
        active.push(format!(
            "Next {left} {}: {}",
            target.unwrap_or("of any kind"),
            text("fault")
        ));
    }
    active
}

const CHANCES: [(&str, &str); 9] = [
    ("lose_answer", "the answer is lost, the work is done"),
    ("server_error", "500"),
    ("bad_gateway", "502 with HTML"),
    ("rate_limited", "429"),
    ("locked", "400, a write holds the incident"),
    ("unreachable", "the connection is cut"),
    ("webhook_duplicate", "a webhook comes twice"),
    ("webhook_reorder", "a webhook is overtaken"),
    ("webhook_delay", "a webhook is late"),
];
const SWITCHES: [(&str, &str); 3] = [
    ("webhook_wrong_secret", "Webhooks have a wrong signature"),
    ("webhook_lost", "Webhooks vanish"),
    ("odd_answers", "Answers have unknown fields and nulls"),
];

/// What goes wrong now, and the switches.
pub(super) fn faults(seen: &Seen) -> Markup {
    let active = active(seen);
    html! {
        section.side aria-labelledby="faults" {
            h2 #faults { "Faults" }
            div.panel {
                div.pad #active data-live {
                    @if active.is_empty() {
                        p.headline { span.tone.green { (parts::icon("check")) } "Nothing goes wrong" }
                    } @else {
                        @for fault in active { p.fault { span.tone.amber { (parts::icon("warn")) } (fault) } }
                        form method="post" action=(at("faults/clear")) {
                            input type="hidden" name="back" value=(seen.start());
                            button.button type="submit" { "End all faults" }
                        }
                    }
                }
                (next_fault(seen))
                (switches(seen))
            }
        }
    }
}

fn next_fault(seen: &Seen) -> Markup {
    let faults = [
        ("lose_answer", "Lose the answer"),
        ("server_error", "500"),
        ("bad_gateway", "502 with HTML"),
        ("rate_limited", "429 with headers"),
        ("rate_limited_bare", "429 without headers"),
        ("locked", "400, locked"),
        ("text_error", "400, error as text"),
        ("unreachable", "Cut the connection"),
    ];
    html! {
        details {
            summary { "For the next request" }
            form.fields method="post" action=(at("faults/next")) {
                input type="hidden" name="back" value=(seen.start());
                label for="fault" { "What" }
                select #fault name="fault" { @for (name, word) in faults { option value=(name) { (word) } } }
                label for="method" { "Method" }
                select #method name="method" { option value="" { "Any" } @for m in ["GET", "POST", "PUT", "DELETE"] { option { (m) } } }
                label for="path" { "Path has" }
                input #path name="path" placeholder="/incidents" autocomplete="off";
                label for="count" { "How often" }
                input #count name="count" type="number" min="1" max="1000" value="1";
                button.button type="submit" { "Wait for it" }
            }
        }
    }
}

fn switches(seen: &Seen) -> Markup {
    let number = |name: &str| seen.faults.get(name).and_then(Value::as_u64).unwrap_or(0);
    let outage = seen
        .faults
        .get("outage")
        .and_then(Value::as_str)
        .unwrap_or("none");
    let outages = [
        ("none", "No"),
        ("unavailable", "503 for everything"),
        ("unreachable", "Connections are cut"),
    ];
    html! {
        details {
            summary { "All the time" }
            form.fields method="post" action=(at("faults")) {
                input type="hidden" name="back" value=(seen.start());
                label for="outage" { "Outage" }
                select #outage name="outage" { @for (name, word) in outages { option value=(name) selected[name == outage] { (word) } } }
                @for (name, words) in CHANCES {
                    label for=(name) { (parts::capital(words)) }
                    span.percent { input id=(name) name=(name) type="number" min="0" max="100" value=(number(name)); " %" }
                }
                label for="webhook_delay_max" { "At most so late" }
                span.percent { input #webhook_delay_max name="webhook_delay_max" type="number" min="0" max="259200" value=(number("webhook_delay_max")); " s" }
                label for="late_log_entries" { "Log entries late by" }
                span.percent { input #late_log_entries name="late_log_entries" type="number" min="0" max="259200" value=(number("late_log_entries")); " s" }
                @for (name, words) in SWITCHES {
                    label for=(name) { (words) }
                    select id=(name) name=(name) {
                        option value="off" { "No" }
                        option value="on" selected[seen.faults.get(name) == Some(&Value::Bool(true))] { "Yes" }
                    }
                }
                button.button type="submit" { "Set faults" }
            }
        }
    }
}

/// Address, key and the rest that a caller needs.
pub(super) fn reach(seen: &Seen) -> Markup {
    let service = seen.account.services.first();
    let key = service.map(|(_, _, key)| key).filter(|key| !key.is_empty());
    html! {
        section.side aria-labelledby="reach" {
            h2 #reach { "Reach it" }
            dl.facts.panel.pad {
                dt { "Base URL" } dd { code { (seen.base_url) } }
                dt { "API key" } dd { code { (seen.api_key) } }
                @if let Some((_, _, email)) = seen.account.users.first() { dt { "From" } dd { (email) } }
                @if let Some((id, name, _)) = service { dt { "Service" } dd { (name) " " code { (id) } } }
                @if let Some(key) = key { dt { "Events key" } dd { code { (key) } } }
                dt { "All of it" } dd { a href=(at("account")) { "ids, keys, OAuth" } }
            }
        }
    }
}

/// An event that makes an incident; `None`: no service has a key for events.
pub(super) fn event_example(seen: &Seen) -> Option<String> {
    let keys = seen.account.services.iter().map(|(_, _, key)| key);
    let key = keys.into_iter().find(|key| !key.is_empty())?;
    Some(format!(
        "curl -s {}/v2/enqueue -d '{{\"routing_key\":\"{key}\",\"event_action\":\"trigger\",\
         \"payload\":{{\"summary\":\"Disk full\",\"source\":\"db-1\",\"severity\":\"critical\"}}}}'",
        seen.base_url,
    ))
}
