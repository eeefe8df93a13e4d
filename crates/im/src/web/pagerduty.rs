//! How things stand with PagerDuty, in words: of the whole, and of one incident.

use im_core::{Direction, Effect, PeerStatus, StatusModel};
use im_engine::connector::Connector;
use im_store::conflicts::ConflictRow;
use im_store::connectors::State;
use im_store::outbox::OutboxRow;
use jiff::Timestamp;
use maud::{Markup, html};

use super::load::Detail;
use super::times::Now;
use super::{connector, integrations, parts, times};

/// How one connector is doing.
pub(super) struct Health {
    name: String,
    state: State,
    paused: bool,
    waiting: i64,
    undecided: i64,
    /// Since when webhooks have been missing.
    deaf_since: Option<Timestamp>,
    /// Where webhooks tell nothing: when both sides were last compared.
    compared: Option<Option<Timestamp>>,
}

/// How sure it is that what PagerDuty was last known to say is what it says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sure {
    /// Webhooks tell what changes.
    Live,
    /// Both sides are compared now and then, the last time then.
    Compared(Option<Timestamp>),
    /// PagerDuty is not heard now, or does not answer.
    Deaf,
    /// It takes nothing from here and tells nothing: its key or sign-in is refused.
    Refused,
}

impl Health {
    /// Whose.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Of a connector with so many changes that wait, and so many that need a person.
    pub(super) fn new(connector: &Connector, waiting: i64, undecided: i64) -> Self {
        let open_gap = connector.row.gap.filter(|gap| gap.to.is_none());
        let has_webhook =
            connector.config.enable_webhook && !connector.row.webhook_secrets.is_empty();
        Self {
            name: connector.name().to_owned(),
            state: connector.row.state,
            paused: connector.mapping.direction == Direction::None,
            waiting,
            undecided,
            deaf_since: open_gap.map(|gap| gap.from),
            compared: (connector.mapping.direction.receives() && !has_webhook)
                .then_some(connector.row.last_sync_at),
        }
    }

    fn sure(&self) -> Sure {
        match (self.state, self.compared) {
            (State::AuthFailed, _) => Sure::Refused,
            (State::Failing, _) => Sure::Deaf,
            _ if self.deaf_since.is_some() => Sure::Deaf,
            (State::Untested | State::Limited | State::Active, Some(at)) => Sure::Compared(at),
            (State::Untested | State::Limited | State::Active, None) => Sure::Live,
        }
    }

    /// What a person has to look at, if anything.
    pub(super) fn trouble(&self, now: Now) -> Option<String> {
        let verdict = self.verdict(now);
        let is_bad = matches!(verdict.tone, "red" | "amber");
        is_bad.then(|| format!("PagerDuty{}", verdict.words))
    }

    /// What to say of it, worst first.
    fn verdict(&self, now: Now) -> Verdict {
        let deaf = self.deaf_since.map(|since| times::ago(since, now));
        match (self.state, self.undecided, deaf) {
            _ if self.paused => Verdict::new(1, "grey", " paused"),
            (State::AuthFailed, _, _) => Verdict::new(7, "red", " refuses the key or sign-in"),
            (State::Failing, _, _) => Verdict::new(6, "red", " does not answer"),
            (_, 1.., _) => {
                let need = if self.undecided == 1 { "needs" } else { "need" };
                let words = format!(": {} {need} a decision", changes(self.undecided));
                Verdict::new(5, "amber", words)
            }
            (_, _, Some(since)) => {
                Verdict::new(4, "amber", format!(": webhooks stopped, last {since}"))
            }
            (State::Limited, _, _) => Verdict::new(3, "amber", " read only"),
            (State::Untested, _, _) => Verdict::new(2, "grey", " not reached yet"),
            (State::Active, _, _) if self.waiting > 0 => {
                Verdict::new(1, "grey", format!(": {} to send", changes(self.waiting)))
            }
            (State::Active, _, _) => match self.compared {
                Some(Some(at)) => {
                    Verdict::new(0, "green", format!(" compared {}", times::ago(at, now)))
                }
                Some(None) => Verdict::new(0, "grey", " not compared yet"),
                None => Verdict::new(0, "green", " in sync"),
            },
        }
    }
}

/// Whether a connector's state is that PagerDuty refuses its key or sign-in, which another one ends.
pub(super) fn is_refused(status: &str) -> bool {
    status == State::AuthFailed.as_str()
}

struct Verdict {
    weight: u8,
    tone: &'static str,
    words: String,
}

impl Verdict {
    fn new(weight: u8, tone: &'static str, words: impl Into<String>) -> Self {
        let words = words.into();
        Self {
            weight,
            tone,
            words,
        }
    }
}

fn changes(count: i64) -> String {
    let noun = if count == 1 { "change" } else { "changes" };
    format!("{count} {noun}")
}

/// The state of the connector that needs most care, for the head of each page.
pub(super) fn summary(health: &[Health], now: Now) -> Markup {
    let worst = health
        .iter()
        .map(|health| (health, health.verdict(now)))
        .max_by_key(|(_, verdict)| verdict.weight);
    let Some((of, verdict)) = worst else {
        let words = dot("grey", "PagerDuty", " not connected");
        return html! { a.sync href=(integrations::ADDRESS) { (words) } };
    };
    let who = if health.len() > 1 && verdict.weight > 0 {
        &of.name
    } else {
        "PagerDuty"
    };
    let words = dot(verdict.tone, who, &verdict.words);
    html! { a.sync href=(connector::address(&of.name)) { (words) } }
}

/// The state of one connector.
pub(super) fn verdict(health: &[Health], name: &str, now: Now) -> Markup {
    let found = health.iter().find(|health| health.name == name);
    let verdict = found.map(|health| health.verdict(now));
    html! {
        @if let Some(verdict) = verdict {
            p.sync { (dot(verdict.tone, "PagerDuty", &verdict.words)) }
        }
    }
}

fn dot(tone: &str, who: &str, words: &str) -> Markup {
    html! {
        span class={ "dot " (tone) } aria-hidden="true" {}
        span { (who) (words) }
    }
}

/// In which state an incident is there, and whether that is what we say too.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing {
    /// Nothing of it is there, and nothing will be.
    Apart,
    /// Its connector was removed: nothing travels any more.
    Unlinked,
    /// It is to be made there.
    Coming,
    /// Something is owed.
    Waiting,
    /// PagerDuty refused a change: a person has to decide.
    Parked,
    /// Both sides changed a field, and a person decides which value counts.
    Held,
    /// Both say the same.
    Agreed,
    /// They do but for the service: PagerDuty has it on the default one, because nothing knows ours.
    Elsewhere,
    /// They do not, and nothing is owed.
    Differing(PeerStatus),
}

/// How an incident stands.
pub(super) fn standing(detail: &Detail) -> Standing {
    if let Some(worst) = of_parts(detail) {
        return worst;
    }
    if detail.unlinked {
        return Standing::Unlinked;
    }
    let owed = &detail.owed;
    if owed.iter().any(|row| row.parked) {
        return Standing::Parked;
    }
    if !detail.held.is_empty() {
        return Standing::Held;
    }
    match (&detail.story.peer, owed.first()) {
        (None, Some(_)) => Standing::Coming,
        (Some(_), Some(_)) => Standing::Waiting,
        (None, None) => Standing::Apart,
        (Some(peer), None) if peer.status != detail.story.status.at_peer() => {
            Standing::Differing(peer.status)
        }
        (Some(_), None) if detail.elsewhere.is_some() => Standing::Elsewhere,
        (Some(_), None) => Standing::Agreed,
    }
}

/// Of several services, the standing that needs most care.
fn of_parts(detail: &Detail) -> Option<Standing> {
    let parts = detail.parts.iter().map(|(_, part)| standing(part));
    parts.max_by_key(|standing| match standing {
        Standing::Agreed => 0,
        Standing::Apart => 1,
        Standing::Waiting => 2,
        Standing::Coming => 3,
        Standing::Unlinked => 4,
        Standing::Elsewhere => 5,
        Standing::Differing(_) => 6,
        Standing::Held => 7,
        Standing::Parked => 8,
    })
}

/// How sure it is how an incident stands; live where nobody tells.
pub(super) fn sure(health: &[Health], detail: &Detail) -> Sure {
    let name = detail.row.connector.as_deref();
    let found = health.iter().find(|health| Some(health.name()) == name);
    found.map_or(Sure::Live, Health::sure)
}

/// The standing in few words.
pub(super) fn brief(standing: Standing, sure: Sure) -> &'static str {
    match (standing, sure) {
        (Standing::Coming | Standing::Waiting, Sure::Refused) => return "not sent",
        (Standing::Agreed, Sure::Compared(_)) => return "agreed when compared",
        (Standing::Agreed, Sure::Deaf | Sure::Refused) => return "agreed when last heard",
        _ => {}
    }
    match standing {
        Standing::Apart => "not in PagerDuty",
        Standing::Unlinked => "no connector any more",
        Standing::Coming => "on its way",
        Standing::Waiting => "being told",
        Standing::Parked | Standing::Held => "needs a decision",
        Standing::Agreed => "in sync",
        Standing::Elsewhere => "on another service",
        Standing::Differing(_) => "differs",
    }
}

/// The panel beside the timeline.
pub(super) fn panel(detail: &Detail, health: &[Health], model: StatusModel, now: Now) -> Markup {
    html! {
        section.side aria-labelledby="pagerduty" {
            h2.h3 #pagerduty { "PagerDuty" }
            @if detail.parts.is_empty() {
                div.panel.pad { (there(detail, health, model, now)) }
            }
            @for (service, part) in &detail.parts {
                div.panel.pad {
                    h3.service { (service) }
                    (there(part, health, model, now))
                }
            }
        }
    }
}

fn there(detail: &Detail, health: &[Health], model: StatusModel, now: Now) -> Markup {
    let standing = standing(detail);
    let sure = sure(health, detail);
    let (icon, tone, words) = headline(standing, sure);
    html! {
        p.headline { span class={ "tone " (tone) } { (parts::icon(icon)) } (words) }
        (remark(standing, detail, model))
        (doubt(standing, sure, detail, now))
        (twin(detail))
        @for row in &detail.owed { (debt(row, now)) }
        @for row in &detail.held { (conflict(row, now)) }
    }
}

/// What stands in the way of both sides, and why they may differ by now.
fn doubt(standing: Standing, sure: Sure, detail: &Detail, now: Now) -> Markup {
    let of = detail.row.connector.as_deref().unwrap_or_default();
    let is_owed = matches!(standing, Standing::Coming | Standing::Waiting);
    let settings = connector::settings_address(of);
    html! {
        @match sure {
            Sure::Refused if is_owed || matches!(standing, Standing::Agreed) => p.small {
                @if matches!(standing, Standing::Coming) { "Nobody was paged. " }
                "PagerDuty refuses the key or sign-in: nothing is sent and nothing is heard until "
                a href=(settings) { "another one is given" } "."
            },
            Sure::Deaf if matches!(standing, Standing::Agreed) => p.small { "PagerDuty is not heard now; it may have changed there." },
            Sure::Compared(Some(at)) if matches!(standing, Standing::Agreed) => p.small {
                "Compared " (times::ago(at, now)) "; without a webhook a change there is known after the next comparison."
            },
            Sure::Live | Sure::Compared(_) | Sure::Deaf | Sure::Refused => {},
        }
    }
}

fn headline(standing: Standing, sure: Sure) -> (&'static str, &'static str, &'static str) {
    match (standing, sure) {
        (Standing::Coming | Standing::Waiting, Sure::Refused) => {
            return ("warn", "amber", "Not sent to PagerDuty");
        }
        (Standing::Agreed, Sure::Compared(_)) => {
            return ("check", "grey", "Both sides agreed when compared");
        }
        (Standing::Agreed, Sure::Deaf | Sure::Refused) => {
            return ("dash", "grey", "Both sides agreed when last heard");
        }
        _ => {}
    }
    match standing {
        Standing::Apart => ("dash", "grey", "Not in PagerDuty"),
        Standing::Unlinked => ("dash", "grey", "No connector any more"),
        Standing::Coming => ("sync", "grey", "On its way to PagerDuty"),
        Standing::Waiting => ("sync", "grey", "PagerDuty is being told"),
        Standing::Parked => ("warn", "amber", "A change needs a decision"),
        Standing::Held => ("warn", "amber", "Both sides changed it"),
        Standing::Agreed => ("check", "green", "Both sides agree"),
        Standing::Elsewhere => ("warn", "amber", "On another service there"),
        Standing::Differing(_) => ("warn", "amber", "The sides differ"),
    }
}

fn remark(standing: Standing, detail: &Detail, model: StatusModel) -> Markup {
    match standing {
        Standing::Apart => {
            html! { p.small { "No connector has to do with it, so nobody was paged." } }
        }
        Standing::Unlinked => {
            let name = detail.row.connector.as_deref().unwrap_or_default();
            html! {
                p.small { "Connector " (name) " was removed: neither side hears of the other. Added again under its name, it goes on from here." }
            }
        }
        Standing::Differing(there) => {
            let here = parts::status_word(model.shown(detail.story.status)).to_lowercase();
            html! {
                p.small { "PagerDuty says " (there) ", im says " (here) ". The connector's direction lets that be." }
            }
        }
        Standing::Elsewhere => {
            let ours = detail.elsewhere.as_deref().unwrap_or_default();
            html! {
                p.small { "No mapping has a service \u{201c}" (ours) "\u{201d}, and none of PagerDuty's is called so, so it went to the default service. \u{201c}Edit\u{201d} moves it." }
            }
        }
        Standing::Coming
        | Standing::Waiting
        | Standing::Parked
        | Standing::Held
        | Standing::Agreed => html! {},
    }
}

fn twin(detail: &Detail) -> Markup {
    let Some(peer) = &detail.story.peer else {
        return html! {};
    };
    let service = peer.service.as_ref();
    let service = service.map(|named| named.name.as_deref().unwrap_or(&named.id));
    html! {
        p.twin {
            (parts::peer_link(peer)) " " (service.unwrap_or_default())
            span.small {
                (parts::capital(peer.status.as_str()))
                @if !peer.assignees.is_empty() { ", " (parts::names(&peer.assignees)) }
            }
        }
    }
}

/// Where what waits for a person is shown and decided.
fn waiting(name: &str) -> String {
    format!("{}#waiting", connector::address(name))
}

fn debt(row: &OutboxRow, now: Now) -> Markup {
    let since = times::ago(row.since, now);
    html! {
        div.debt {
            p {
                strong { (parts::capital(effect(&row.effect))) }
                @if row.parked { " did not arrive" } @else { " waits to be sent" }
            }
            p.small {
                "Asked for " (since)
                @if row.attempt > 0 { ", tried " (tries(row.attempt)) }
                @if let Some(reason) = &row.reason { ". " (parts::capital(reason)) }
            }
            @if row.parked {
                p.small { a href=(waiting(&row.connector)) { "See what can be done" } }
            }
        }
    }
}

fn conflict(row: &ConflictRow, now: Now) -> Markup {
    html! {
        div.debt {
            p { strong { (parts::capital(row.conflict.field.as_str())) } " waits for a review" }
            p.small { "Found " (times::ago(row.found_at, now)) ". " a href=(waiting(&row.connector)) { "See both values" } }
        }
    }
}

/// A change, in words.
pub(super) fn effect(effect: &Effect) -> &'static str {
    match effect {
        Effect::Create => "the new incident",
        Effect::Status(PeerStatus::Triggered) => "the reopening",
        Effect::Status(PeerStatus::Acknowledged) => "the acknowledgement",
        Effect::Status(PeerStatus::Resolved) => "the resolution",
        Effect::Note(_) | Effect::Say(_) => "a note",
        Effect::Title => "the new title",
        Effect::Urgency => "the new urgency",
        Effect::Assign => "the assignment",
        Effect::Service => "the new service",
        Effect::Fields => "its fields",
    }
}

fn tries(attempt: u32) -> String {
    match attempt {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
