//! Who is on call: for each escalation policy of PagerDuty's, or for one service, policy or person.
//!
//! PagerDuty is asked when the page is, by the API's own function. What it said of a policy is kept for a
//! minute, and for when it does not answer: then it is shown with its age and the reason.
//!
//! Absent: anything stored.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::join_all;
use im_store::directory::{self, DirectoryRow, Kind};
use im_store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::address::Address;
use super::guard::Visit;
use super::layout::{Live, Page, Trouble};
use super::load::{self, Shell};
use super::times::Now;
use super::{Moment, Pairs, WebState, connector, failed, help, integrations, layout, parts, times};
use crate::http::api::connectors::oncall::{
    DutyView, GapView, LevelView, OncallView, PolicyView, TurnView, answer,
};
use crate::http::error::ApiError;
use crate::http::input::Params;

/// Where it is.
pub(super) const ADDRESS: &str = "/on-call";
/// Policies of a page: each costs PagerDuty two requests.
const POLICIES: usize = 10;
/// So long an answer is taken for what is so now.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// Answers that are kept.
const KEPT_MAX: usize = 500;

/// What PagerDuty said last of each policy, by connector and id, and when it was asked.
#[derive(Default)]
pub(super) struct Heard(Mutex<HashMap<(String, String), (Timestamp, OncallView)>>);

impl Heard {
    pub(super) fn find(&self, of: &(String, String)) -> Option<(Timestamp, OncallView)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(of).cloned()
    }

    /// What was said so lately that it is taken for what is so now.
    pub(super) fn fresh(&self, of: &(String, String), now: Timestamp) -> Option<OncallView> {
        let (at, view) = self.find(of)?;
        (!is_old(at, now)).then_some(view)
    }

    fn keep(&self, of: (String, String), at: Timestamp, view: OncallView) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(of, (at, view));
    }
}

/// A policy that is known here.
struct Known {
    connector: String,
    id: String,
    name: String,
    /// The names of the services that page by it.
    services: Vec<String>,
}

/// What is known of who is on call for a policy.
struct Told {
    known: Known,
    /// When PagerDuty said it, and what.
    said: Option<(Timestamp, OncallView)>,
    /// Why it does not say it now.
    error: Option<ApiError>,
}

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    let address = Address::new(ADDRESS, pairs);
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state
        .db
        .read(move |tx| Ok::<_, StoreError>((load::shell(tx, &looking)?, policies(tx)?)));
    let (shell, known) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let names: Vec<(String, String)> = offered(&known);
    let head = Page {
        title: "On call",
        entry: ADDRESS,
        live: Live::Still,
    };
    let top = html! {
        h1 { "On call" }
        @if !shell.health.is_empty() { (asking(&address, &shell, &names)) }
    };
    let of_one = address.only(|name, _| name != "page");
    let (status, said) = if of_one.pairs().next().is_some() {
        one(&state, &of_one, moment).await
    } else if let Some(nothing) = nothing(&shell, &known) {
        (StatusCode::OK, nothing)
    } else {
        let shown = Shown::new(&address, known);
        let shape = shown.shape();
        let told = async move { shown.told(&state, moment.now).await };
        let body = html! { (top) (layout::in_two(&shape)) };
        return layout::send_in_two(layout::page(&head, &shell, moment, &body), told);
    };
    let body = html! { (top) (said) };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}

/// The policies that there are now, by name, with their services.
fn policies(tx: &mut Tx<'_>) -> Result<Vec<Known>, StoreError> {
    let now = |rows: Vec<DirectoryRow>| rows.into_iter().filter(|row| row.until.is_none());
    let mut services: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in now(directory::of_kind(tx, Kind::Service)?) {
        if let Some(policy) = row.about.policy {
            let of = services.entry((row.connector, policy)).or_default();
            of.push(row.name.unwrap_or(row.id));
        }
    }
    let mut found: Vec<Known> = now(directory::of_kind(tx, Kind::Policy)?)
        .map(|row| Known {
            services: services
                .remove(&(row.connector.clone(), row.id.clone()))
                .unwrap_or_default(),
            name: row.name.unwrap_or_else(|| row.id.clone()),
            connector: row.connector,
            id: row.id,
        })
        .collect();
    found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    for known in &mut found {
        known.services.sort();
    }
    Ok(found)
}

/// The services to choose from, with their policies' connectors.
fn offered(known: &[Known]) -> Vec<(String, String)> {
    let each = known.iter().flat_map(|policy| {
        let services = policy.services.iter();
        services.map(|name| (name.clone(), policy.connector.clone()))
    });
    let mut all: Vec<(String, String)> = each.collect();
    all.sort();
    all.dedup();
    all
}

/// A form for one service, policy or person.
fn asking(address: &Address, shell: &Shell, services: &[(String, String)]) -> Markup {
    let fields = [
        ("service", "A service"),
        ("policy", "An escalation policy"),
        ("user", "A person"),
    ];
    let (kind, value) = fields
        .iter()
        .find_map(|(name, _)| Some((*name, address.get(name)?)))
        .unwrap_or(("service", ""));
    html! {
        form.ask method="get" action=(ADDRESS) {
            label { "Who is on call for"
                input type="search" name=(kind) value=(value) list="services" placeholder="a service, by its name" autocomplete="off" data-hotkey="/";
                datalist #services { @for (name, _) in services { option value=(name); } }
            }
            @if shell.health.len() > 1 {
                label { "Connector"
                    select name="connector" {
                        option value="" { "the one that has it" }
                        @for health in &shell.health { option value=(health.name()) selected[address.get("connector") == Some(health.name())] { (health.name()) } }
                    }
                }
            }
            button.button type="submit" { "Ask PagerDuty" }
            @if !value.is_empty() { a.button href=(ADDRESS) { "All policies" } }
        }
    }
}

/// What PagerDuty says of one service, policy or person.
async fn one(state: &WebState, address: &Address, moment: Moment) -> (StatusCode, Markup) {
    match answer(state, &Params::of(address.pairs())).await {
        Ok(view) => (StatusCode::OK, told_of_one(&view, moment.now)),
        Err(error) => {
            let trouble = Trouble {
                title: "PagerDuty did not say who is on call",
                error: &error,
                more: html! { p { "Nothing is changed by that." } },
                choices: html! { a.button href=(address.link()) { "Ask again" } a.button href=(ADDRESS) { "All policies" } (help::link()) },
            };
            (error.status, trouble.panel(false, moment))
        }
    }
}

fn told_of_one(view: &OncallView, now: Now) -> Markup {
    html! {
        @if let Some(service) = &view.service {
            p.reason {
                (service.name)
                @if service.is_default { " is in no table of connector " (view.connector) ": its incidents go to the default service " (service.pagerduty.name) "." }
                @else if service.name != service.pagerduty.name { " is PagerDuty's service " (service.pagerduty.name) "." }
                @else { " is a service of PagerDuty's." }
            }
        }
        @if let Some(user) = &view.user { (duties(&user.name, view, now)) }
        @else if view.policies.is_empty() { div.panel.quiet { p { "No escalation policy pages anybody for it." } } }
        @for policy in &view.policies { (panel(policy, &[], (view.looked_until, now), &html! {})) }
        p.small { "As PagerDuty says now, up to " (times::exact(view.looked_until, now)) "." }
    }
}

fn duties(name: &str, view: &OncallView, now: Now) -> Markup {
    let place = |duty: &DutyView| html! { (duty.policy.name) ", level " (duty.level) };
    html! {
        section aria-labelledby="duties" {
            h2 #duties { (name) }
            @if view.duties.is_empty() { div.panel.quiet { p { "Is on call for nothing up to " (times::exact(view.looked_until, now)) "." } } }
            @else {
                div.panel { table.data.items.oncall {
                    thead { tr { th.name scope="col" { "For" } th scope="col" { "Now" } th scope="col" { "Next" } } }
                    tbody {
                        @for duty in &view.duties {
                            tr {
                                th.name scope="row" { (place(duty)) }
                                td data-name="now" { @match &duty.current { Some(turn) => (until(turn, now)), None => "not now" } }
                                td data-name="next" { @match &duty.next { Some(turn) => (since(turn, now)), None => "nothing planned" } }
                            }
                        }
                    }
                } }
            }
        }
    }
}

/// Why no policy can be shown, and what to do.
fn nothing(shell: &Shell, known: &[Known]) -> Option<Markup> {
    if shell.health.is_empty() {
        return Some(html! {
            div.panel.message {
                h2 { "PagerDuty is not connected" }
                p { "Who is on call is read from PagerDuty." @if !integrations::may_change(&shell.visit) { " An admin connects it." } }
                @if integrations::may_change(&shell.visit) {
                    p.choices { a.button.primary href=(integrations::CONNECT) { "Connect PagerDuty" } }
                }
            }
        });
    }
    known.is_empty().then(|| html! {
        div.panel.message {
            h2 { "No escalation policy is known yet" }
            p { "PagerDuty's policies are read each hour, if the API key may read them. Above, one service or person can be asked for at once. To read them now, compare both sides on the page of a connection:" }
            p.choices { @for health in &shell.health { a.button href=(connector::address(health.name())) { (health.name()) } } }
        }
    })
}

/// The policies of a page of them.
struct Shown {
    policies: Vec<Known>,
    page: usize,
    total: usize,
}

impl Shown {
    /// There is one policy at least.
    fn new(address: &Address, known: Vec<Known>) -> Self {
        let total = known.len();
        let page = address.get("page").and_then(|page| page.parse().ok());
        let page: usize = page.unwrap_or(0).min(total.saturating_sub(1) / POLICIES);
        let policies = known.into_iter().skip(page * POLICIES).take(POLICIES);
        Self {
            policies: policies.collect(),
            page,
            total,
        }
    }

    /// Their places, while PagerDuty is asked.
    fn shape(&self) -> Markup {
        html! {
            p.small role="status" { "Asking PagerDuty who is on call" }
            @for known in &self.policies {
                section.duty {
                    h2 { (known.name) }
                    @if !known.services.is_empty() { p.small { "Pages for " (known.services.join(", ")) } }
                    div.panel.pad aria-hidden="true" { div.piece {} div.piece.short {} }
                }
            }
        }
    }

    /// What PagerDuty says of each.
    async fn told(self, state: &WebState, now: Now) -> Markup {
        let Self {
            policies,
            page,
            total,
        } = self;
        let told = join_all(policies.into_iter().map(|known| told(state, known, now))).await;
        let pages = Address::new(ADDRESS, Vec::new());
        html! {
            @for told in &told { (told_of_all(told, now)) }
            p.choices {
                @if page > 0 { a.button href=(pages.with("page", (page - 1).to_string()).link()) { "Previous" } }
                @if (page + 1) * POLICIES < total { a.button href=(pages.with("page", (page + 1).to_string()).link()) { "Next" } }
            }
            p.small {
                "Policies " (page * POLICIES + 1) "–" ((page * POLICIES) + told.len()) " of " (total)
                ", as PagerDuty says within the last minute."
            }
        }
    }
}

async fn told(state: &WebState, known: Known, now: Now) -> Told {
    let of = (known.connector.clone(), known.id.clone());
    let (said, error) = listen(state, of, now.at).await;
    Told { known, said, error }
}

/// Whether an answer is too old for what is so now.
pub(super) fn is_old(heard: Timestamp, now: Timestamp) -> bool {
    heard <= now - FRESH
}

/// What PagerDuty says of a policy, by connector and id: when it said so last, and why it does not now.
pub(super) async fn listen(
    state: &WebState,
    of: (String, String),
    now: Timestamp,
) -> (Option<(Timestamp, OncallView)>, Option<ApiError>) {
    let before = state.heard.find(&of);
    if before.as_ref().is_some_and(|(at, _)| !is_old(*at, now)) {
        return (before, None);
    }
    let params = [("policy", of.1.as_str()), ("connector", &of.0)];
    match answer(state, &Params::of(params.into_iter())).await {
        Ok(view) => {
            state.heard.keep(of, now, view.clone());
            (Some((now, view)), None)
        }
        Err(error) => (before, Some(error)),
    }
}

fn told_of_all(told: &Told, now: Now) -> Markup {
    let why = html! {
        @if let Some(error) = &told.error {
            (parts::problem(error))
            @if let Some((at, _)) = &told.said {
                p.reason.tone.amber { "This is what PagerDuty said " (times::ago(*at, now)) ", at " (times::exact(*at, now)) "." }
            }
        }
    };
    let said = told.said.as_ref();
    let policy = said.and_then(|(_, view)| Some((view.policies.first()?, view.looked_until)));
    if let Some((policy, until)) = policy {
        return panel(policy, &told.known.services, (until, now), &why);
    }
    html! {
        section.duty {
            h2 { (told.known.name) }
            div.panel.pad { (why) }
        }
    }
}

/// One policy and its levels.
fn panel(
    policy: &PolicyView,
    services: &[String],
    (horizon, now): (Timestamp, Now),
    why: &Markup,
) -> Markup {
    html! {
        section.duty aria-labelledby={ "policy-" (policy.id) } {
            h2 id={ "policy-" (policy.id) } { (policy.name) }
            @if let Some(which) = &policy.applies_to { p.small { (parts::capital(which)) } }
            @if !services.is_empty() { p.small { "Pages for " (services.join(", ")) } }
            (why)
            @if policy.levels.iter().all(|level| level.current.is_empty()) {
                p.reason.tone.red { (parts::icon("warn")) " Nobody is on call on any level." }
            } @else if policy.levels.first().is_some_and(|level| level.current.is_empty()) {
                p.reason.tone.amber { (parts::icon("warn")) " Nobody is on call on the first level." }
            }
            div.panel {
                table.data.items.oncall {
                    thead { tr {
                        th.name scope="col" { "Level" } th scope="col" { "Now" } th scope="col" { "Next" } th scope="col" { "Gap" }
                    } }
                    tbody { @for level in &policy.levels { (row(level, horizon, now)) } }
                }
            }
            p.small {
                @match policy.repeats {
                    ..=0 => "After the last level nobody else is paged.",
                    1 => "After the last level it begins again, once.",
                    times => { "After the last level it begins again, " (times) " times." },
                }
            }
        }
    }
}

fn row(level: &LevelView, horizon: Timestamp, now: Now) -> Markup {
    html! {
        tr {
            th.name scope="row" {
                (level.level)
                span.meta {
                    @match level.after_minutes {
                        Some(0) => "at once",
                        Some(minutes) => { "after " (minutes) " min" },
                        None => "passed over",
                    }
                    @if level.round_robin { ", by turns" }
                }
            }
            td data-name="now" {
                @if level.current.is_empty() { span.tone.red { "Nobody" } }
                @for turn in &level.current { div { (parts::person(&turn.user.name)) span.meta { (until(turn, now)) } } }
            }
            td data-name="next" {
                @if level.next.is_empty() {
                    span.nobody {
                        @if !level.current.is_empty() && level.current.iter().all(|turn| turn.schedule.is_none()) { "No change: on the level directly" }
                        @else { "Nobody else before " (times::exact(horizon, now)) }
                    }
                }
                @for turn in &level.next { div { (parts::person(&turn.user.name)) span.meta { (since(turn, now)) } } }
            }
            td data-name="gap" {
                @match &level.gap { Some(gap) => (gap_of(gap, now)), None => span.nobody { "None" } }
            }
        }
    }
}

fn until(turn: &TurnView, now: Now) -> Markup {
    html! {
        @if let Some(schedule) = &turn.schedule { (schedule.name) ", " }
        @match (turn.until, &turn.schedule) {
            (Some(at), _) => { "until " (times::exact(at, now)) },
            (None, None) => "always",
            (None, Some(_)) => "with no end in sight",
        }
    }
}

fn since(turn: &TurnView, now: Now) -> Markup {
    html! {
        @match turn.from { Some(at) => { "from " (times::exact(at, now)) }, None => "now" }
        @if let Some(at) = turn.until { " until " (times::exact(at, now)) }
    }
}

fn gap_of(gap: &GapView, now: Now) -> Markup {
    html! {
        span.tone.amber {
            (parts::icon("warn")) " Nobody "
            @if gap.from <= now.at { "now" } @else { "from " (times::exact(gap.from, now)) }
            @match gap.until { Some(at) => { " until " (times::exact(at, now)) }, None => ", and nobody is planned" }
        }
    }
}
