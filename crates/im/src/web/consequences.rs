//! What comes of declaring an incident: whom a service pages, and what a severity means.
//!
//! PagerDuty is asked who is on call once the form is sent, so that nobody waits for it to declare. What is not certain
//! is not said: nothing of services that page by another policy for some severities, by a rule, or by two connectors.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use im_core::Severity;
use im_engine::connector::Connector;
use im_engine::named;
use im_store::directory::{self, Kind};
use im_store::{StoreError, Tx};
use maud::{Markup, html};

use super::due::{self, Targets};
use super::times::Now;
use super::{WebState, declare, layout, oncall, times};
use crate::http::api::connectors::oncall::OncallView;

/// Policies that are asked about: each costs PagerDuty two requests.
const POLICIES_MAX: usize = 10;

/// A connector, and PagerDuty's id of a policy.
type Policy = (String, String);

/// What is known here of what comes of a declaration.
pub(super) struct Consequences {
    /// The policy by which each service pages, by the name that is chosen.
    policies: BTreeMap<String, Policy>,
    /// What each severity means.
    severities: Vec<(Severity, String)>,
}

/// The same, with what PagerDuty said lately.
pub(super) struct Told {
    /// Whom services page first.
    pub(super) paged: BTreeMap<String, Markup>,
    severities: Vec<(Severity, String)>,
}

/// The policies of services of which PagerDuty said nothing lately.
pub(super) struct Unheard(BTreeMap<String, Policy>);

impl Consequences {
    pub(super) fn read(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        let sending = declare::sending(tx)?;
        Ok(Self {
            policies: policies(tx, &sending)?,
            severities: of_severities(&sending, &due::targets(tx)?),
        })
    }

    /// With whom services page first, and of which PagerDuty has to be asked.
    pub(super) fn heard(mut self, state: &WebState, now: Now) -> (Told, Unheard) {
        let told = Told {
            paged: paged(state, &self.policies, now),
            severities: self.severities,
        };
        let is_unheard = |of: &Policy| state.heard.fresh(of, now.at).is_none();
        self.policies.retain(|_, of| is_unheard(of));
        (told, Unheard(self.policies))
    }
}

impl Unheard {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whom services page first, as PagerDuty says now; nothing of what it does not say.
    pub(super) async fn asked(mut self, state: &WebState, now: Now) -> Markup {
        let each: BTreeSet<Policy> = self.0.values().cloned().collect();
        let each: BTreeSet<Policy> = each.into_iter().take(POLICIES_MAX).collect();
        let asked = each.iter().cloned();
        join_all(asked.map(|of| oncall::listen(state, of, now.at))).await;
        self.0.retain(|_, of| each.contains(of));
        let paged = paged(state, &self.0, now);
        html! {
            @if paged.is_empty() { p.small { "PagerDuty does not say who is on call." } } @else {
                h2.h3 { "On call now" }
                ul.small { @for (name, who) in &paged { li { b { (name) } " " (who) } } }
            }
        }
    }
}

/// The place of what PagerDuty says.
pub(super) fn place() -> Markup {
    let shape = html! { p.small role="status" { "Asking PagerDuty who is on call" } };
    html! { div.panel.pad.whom { (layout::in_two(&shape)) } }
}

impl Told {
    /// A line for each severity; the style shows that of the one that is chosen.
    pub(super) fn lines(&self) -> Markup {
        let known = self
            .severities
            .iter()
            .filter(|(_, means)| !means.is_empty());
        html! {
            ul.means.small {
                @for (severity, means) in known { li data-severity=(severity) { (severity) " " (means) } }
            }
        }
    }
}

/// The policy by which each service pages.
fn policies(
    tx: &mut Tx<'_>,
    sending: &[Connector],
) -> Result<BTreeMap<String, Policy>, StoreError> {
    let rows = directory::of_kind(tx, Kind::Service)?;
    let mut found: BTreeMap<String, Option<Policy>> = BTreeMap::new();
    for connector in sending {
        let (mapping, custom) = (&connector.mapping, &connector.config.custom);
        let of_here = |row: &&directory::DirectoryRow| {
            row.connector == connector.name() && row.until.is_none()
        };
        let listed = named::listed(tx, connector)?;
        for name in named::offered(tx, connector)? {
            let own = named::find(&listed, &name).map(|own| own.id.as_str());
            let id = mapping.service_id(Some(&name), own);
            let row = rows.iter().filter(of_here).find(|row| row.id == id);
            let there = row.and_then(|row| row.about.policy.as_deref());
            let by = |severity| {
                custom
                    .policy_for(Some(&name), Some(severity), false)
                    .or(there)
            };
            let all: BTreeSet<Option<&str>> = Severity::ALL.map(by).into();
            let only = all.first().copied().flatten();
            let is_certain = all.len() == 1 && mapping.rules.is_empty();
            let policy = only.filter(|_| is_certain).map(str::to_owned);
            let policy = policy.map(|policy| (connector.name().to_owned(), policy));
            // Of two connectors nobody can say by which it goes.
            let known = found.entry(name).or_insert(policy.clone());
            known.take_if(|known| Some(&*known) != policy.as_ref());
        }
    }
    let certain = found.into_iter();
    Ok(certain.filter_map(|(name, of)| Some((name, of?))).collect())
}

/// Whom each service pages first, as PagerDuty said last; nothing where it said nothing lately.
fn paged(
    state: &WebState,
    policies: &BTreeMap<String, Policy>,
    now: Now,
) -> BTreeMap<String, Markup> {
    let said = policies.iter().filter_map(|(name, of)| {
        let view = state.heard.fresh(of, now.at)?;
        Some((name.clone(), first(&view, now)?))
    });
    said.collect()
}

/// Who stands on the first level.
fn first(view: &OncallView, now: Now) -> Option<Markup> {
    let level = view.policies.first()?.levels.first()?;
    let mut turns = level.current.iter().peekable();
    Some(html! {
        @if turns.peek().is_none() { "nobody is on call on its first level" } @else {
            "pages " @if level.round_robin && level.current.len() > 1 { "one of " }
            @for (place, turn) in turns.enumerate() {
                @if place > 0 { ", " }
                (turn.user.name)
                @if let Some(until) = turn.until { " until " (times::exact(until, now)) }
            }
        }
    })
}

/// What each severity means: the urgency, where connectors agree on it, and its target.
fn of_severities(sending: &[Connector], targets: &Targets) -> Vec<(Severity, String)> {
    let told = |severity: Severity| {
        let urgencies: BTreeSet<&str> = sending
            .iter()
            .map(|connector| connector.mapping.urgency(severity).as_str())
            .collect();
        let urgency = match urgencies.first() {
            Some(only) if urgencies.len() == 1 => Some(format!("pages with {only} urgency")),
            _ => None,
        };
        let target = targets.get(severity.as_str()).map(|target| {
            let (ack, resolve) = (times::say(target.ack_s), times::say(target.resolve_s));
            format!("acknowledge in {ack}, resolve in {resolve}")
        });
        let parts: Vec<String> = urgency.into_iter().chain(target).collect();
        (severity, parts.join(": "))
    };
    Severity::ALL.into_iter().map(told).collect()
}
