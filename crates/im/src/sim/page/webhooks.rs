//! Who is told by webhooks, and what came of it.

use std::collections::BTreeSet;

use maud::{Markup, html};
use pd_sim::{AttemptView, DeliveryResult, SubscriptionView};

use super::seen::Seen;
use super::{at, parts, start};

/// Webhooks in the list.
const SHOWN_MAX: usize = 30;

pub(super) fn section(seen: &Seen) -> Markup {
    html! {
        section aria-labelledby="webhooks" {
            h2 #webhooks { "Webhooks" }
            div #subscriptions data-live { (subscriptions(seen)) }
            div #deliveries data-live { (deliveries(seen, None)) }
        }
    }
}

fn subscriptions(seen: &Seen) -> Markup {
    html! {
        @if seen.subscriptions.is_empty() {
            div.panel.quiet {
                "Nobody has subscribed. " code { "POST /webhook_subscriptions" } " makes a subscription, as in PagerDuty."
            }
        } @else {
            ul.panel.rows { @for one in &seen.subscriptions { (subscription(seen, one)) } }
        }
    }
}

fn subscription(seen: &Seen, one: &SubscriptionView) -> Markup {
    let disabled = one.disabled_until.filter(|until| seen.now < *until);
    let address = |act: &str| at(&format!("subscriptions/{}/{act}", one.id));
    html! {
        li.subscription {
            div.r-status {
                @match (one.active, disabled) {
                    (false, _) => (parts::pill("grey", "Inactive")),
                    (true, Some(_)) => (parts::pill("red", "Disabled")),
                    (true, None) => (parts::pill("green", "Active")),
                }
            }
            div.r-title {
                p.title-like { (one.url) }
                p.meta {
                    (one.id) span.sep { "·" } (one.filter) span.sep { "·" } (start::count(one.events.len(), "event type"))
                    @if let Some(until) = disabled { span.sep { "·" } "until " (parts::time(until, seen.now)) }
                    @if !one.queued.is_empty() { span.sep { "·" } (one.queued.len()) " waiting" }
                    @if let Some(next) = one.next_at { span.sep { "·" } "next attempt " (parts::time(next, seen.now)) }
                    @if one.dropped > 0 { span.sep { "·" } span.red { (one.dropped) " dropped" } }
                    @if one.secrets > 1 { span.sep { "·" } span.amber { "two secrets sign" } }
                }
            }
            form.r-acts method="post" action=(address("enable")) {
                input type="hidden" name="back" value=(seen.start());
                @if disabled.is_some() {
                    button.button type="submit" formaction=(address("enable")) { "Enable" }
                } @else {
                    button.button type="submit" formaction=(address("disable")) { "Disable" }
                }
                @if one.secrets > 1 {
                    button.button type="submit" formaction=(address("finish_rotation")) { "Drop old secret" }
                } @else {
                    button.button type="submit" formaction=(address("rotate")) { "Add second secret" }
                }
            }
        }
    }
}

/// The newest webhooks, of one incident or of all.
pub(super) fn deliveries(seen: &Seen, incident: Option<&str>) -> Markup {
    let mut webhooks = BTreeSet::new();
    let newest: Vec<&AttemptView> = seen
        .attempts
        .iter()
        .filter(|one| incident.is_none_or(|id| one.resource == id))
        .filter(|one| webhooks.insert(&one.webhook))
        .take(SHOWN_MAX)
        .collect();
    html! {
        @if newest.is_empty() {
            @if !seen.subscriptions.is_empty() { p.small.older { "Nothing was sent yet." } }
        } @else {
            h3.sub { "Deliveries" }
            ul.panel.rows { @for attempt in newest { (delivery(seen, attempt)) } }
        }
    }
}

fn delivery(seen: &Seen, attempt: &AttemptView) -> Markup {
    let of = seen
        .subscriptions
        .iter()
        .find(|one| one.id == attempt.subscription);
    let waits = of.is_some_and(|of| of.queued.contains(&attempt.event));
    let (tone, word) = outcome(attempt, waits);
    let about = seen.incidents.iter().find(|one| one.id == attempt.resource);
    html! {
        li.delivery {
            div.r-status { (parts::pill(tone, &word)) }
            div.r-title {
                p.title-like { (attempt.event_type) }
                p.meta {
                    @if let Some(incident) = about {
                        a href=(seen.page_of(&incident.id)) { "#" (incident.number) } span.sep { "·" }
                    }
                    (start::count(usize::try_from(attempt.number).unwrap_or(usize::MAX), "attempt"))
                    @if let Some(of) = of { span.sep { "·" } "to " (of.url) }
                }
            }
            div.r-time { (parts::time(attempt.at, seen.now)) }
        }
    }
}

/// A colour and a word for what came of it.
fn outcome(attempt: &AttemptView, waits: bool) -> (&'static str, String) {
    let Some((result, _)) = attempt.result else {
        return ("grey", "Under way".to_owned());
    };
    let what = match result {
        DeliveryResult::Status(status @ 200..=299) => {
            return ("green", format!("Accepted {status}"));
        }
        DeliveryResult::Status(status) => status.to_string(),
        DeliveryResult::TimedOut => "time-out".to_owned(),
        DeliveryResult::Unreachable => "unreachable".to_owned(),
        DeliveryResult::TlsError => "TLS error".to_owned(),
    };
    if waits {
        ("amber", format!("Retrying, {what}"))
    } else {
        ("red", format!("Dropped, {what}"))
    }
}
