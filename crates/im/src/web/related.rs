//! The deployment that figures see behind an incident, with how that is known, and the word of a person about it.
//!
//! Invariants
//! - What follows from times alone is called likely, until a person confirms it or says otherwise.
//! - A person's word is what `im annotate --caused-by` says, with the same trail.

use std::collections::BTreeMap;

use im_core::IncidentNumber;
use im_engine::services::Services;
use im_metrics::Method;
use im_store::StoreError;
use im_store::annotations::Field;
use im_store::deployments::{self, DeploymentRow};
use jiff::Timestamp;
use maud::{Markup, html};

use super::load::{Detail, Shell};
use super::times::Now;
use super::{WebState, parts, times};
use crate::organisation::annotations::{Annotations, NO_DEPLOYMENT};

/// What may be behind an incident.
pub(super) struct Related {
    links: Vec<Link>,
}

/// One deployment, or a person's word that there is none.
struct Link {
    method: Method,
    /// How it is known, in the words of the API.
    reason: String,
    /// The deployment, the name of its service, and how long after it the incident began.
    deployment: Option<(DeploymentRow, String, Option<String>)>,
}

/// Reads what is behind an incident, of one of several services what is behind any of them; nothing while the
/// figures of a start are being read.
pub(super) async fn read(state: &WebState, detail: &Detail) -> Result<Related, StoreError> {
    let parts = detail.parts.iter().map(|(_, part)| &part.row);
    let all = std::iter::once(&detail.row).chain(parts);
    let begun: BTreeMap<IncidentNumber, Timestamp> =
        all.map(|row| (row.number, row.created_at)).collect();
    let now = state.clock.now();
    let mut found: Vec<(Option<String>, im_metrics::Link, Timestamp)> = Vec::new();
    if let Some(known) = state.figures.known_soon(&state.db).await? {
        for (number, at) in &begun {
            let link = known.engine.link(number.get(), now);
            if let Some((id, link)) = link.filter(|(id, _)| found.iter().all(|(of, ..)| of != id)) {
                found.push((id, link, *at));
            }
        }
    }
    if found.is_empty() {
        return Ok(Related { links: Vec::new() });
    }
    let links = state.db.read(move |tx| {
        let services = Services::read(tx)?;
        let mut links = Vec::new();
        for (id, link, begun) in found {
            let row = match &id {
                Some(id) => deployments::find(tx, id)?,
                None => None,
            };
            links.push(Link {
                method: link.method,
                reason: link.reason,
                deployment: row.map(|row| {
                    let service = services.name(&row.service).unwrap_or(&row.service);
                    let ended = row.finished_at.filter(|ended| *ended <= begun);
                    let lag = ended.map(|ended| times::running(ended, begun));
                    (row.clone(), service.to_owned(), lag)
                }),
            });
        }
        Ok::<_, StoreError>(links)
    });
    Ok(Related {
        links: links.await?,
    })
}

impl Related {
    /// A line for each, with what can be said of it.
    pub(super) fn show(&self, shell: &Shell, detail: &Detail, now: Now) -> Markup {
        html! {
            @if !self.links.is_empty() {
                ul.related aria-label="What may be behind it" {
                    @for link in &self.links {
                        li {
                            (parts::icon("link"))
                            p { (link.words()) }
                            p.small { (link.known(detail, now)) }
                            @if shell.visit.may_act() { div.choices { (link.word(shell, detail)) } }
                        }
                    }
                }
            }
        }
    }
}

impl Link {
    fn words(&self) -> Markup {
        let Some((row, service, lag)) = &self.deployment else {
            return html! { "No deployment is behind it" };
        };
        let head = match self.method {
            Method::SameServiceTime => "Likely related: deployment",
            Method::Explicit => "Related: deployment",
            Method::Manual | Method::None => "Caused by deployment",
        };
        html! {
            (head) " " b { (row.version.as_ref().unwrap_or(&row.id)) } " to " b { (service) }
            @if let Some(environment) = &row.environment { " (" (environment) ")" }
            @if let Some(lag) = lag { ", finished " (lag) " before the trigger" }
        }
    }

    /// How it is known.
    fn known(&self, detail: &Detail, now: Now) -> Markup {
        match self.method {
            Method::SameServiceTime => html! { "Same service, by time: nobody has said so" },
            Method::Explicit => {
                html! { "The incident's field \u{201c}deployment\u{201d} names it" }
            }
            Method::Manual | Method::None => {
                let mut said = detail.said.iter().rev();
                let said = said.find(|row| row.field == Field::CausedBy);
                html! {
                    @if let Some(row) = said {
                        "Said by " (row.actor.label().unwrap_or("somebody at the server's machine")) ", " (times::exact(row.at, now))
                    } @else { (parts::capital(&self.reason)) }
                }
            }
        }
    }

    /// What a person can say of it.
    fn word(&self, shell: &Shell, detail: &Detail) -> Markup {
        let now = Annotations::of(&detail.said).caused_by.unwrap_or_default();
        let action = format!("/incidents/{}/annotate", detail.row.number);
        let say = |label: &str, value: &str, reason: String| {
            parts::form(
                &action,
                &shell.visit,
                &html! {
                    input type="hidden" name="was_caused_by" value=(now);
                    input type="hidden" name="caused_by" value=(value);
                    input type="hidden" name="reason" value=(reason);
                    button.button type="submit" { (label) }
                },
            )
        };
        match (&self.deployment, self.method) {
            (_, Method::Manual) | (None, _) => {
                html! { (say("Take it back", "", "taken back".to_owned())) }
            }
            (Some((row, ..)), _) => html! {
                (say("Confirm", &row.id, format!("confirmed: {}", self.reason)))
                (say("Not related", NO_DEPLOYMENT, format!("deployment {} is not related", row.id)))
            },
        }
    }
}
