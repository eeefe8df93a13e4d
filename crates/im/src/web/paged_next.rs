//! Who is paged next of an incident that nobody has taken, and when.
//!
//! The level that has it, and since when, is known from facts; the policy and who stands on its levels from PagerDuty
//! (`oncall`), which is asked after the page is sent. What is not certain is not said: nothing of what was given to a
//! person, which does not escalate, nor of low urgency, nor after the last level.

use futures_util::future::join_all;
use im_core::{ActorKind, Kind, Line, PeerStatus, Status, Story, Urgency};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::load::Detail;
use super::times::Now;
use super::{WebState, layout, oncall, times};
use crate::http::api::connectors::oncall::{LevelView, OncallView, PolicyView, TurnView};
use crate::http::error::ApiError;

/// An incident that goes on to another level unless somebody takes it.
pub(super) struct Waiting {
    /// The connector and PagerDuty's id of the policy.
    of: (String, String),
    /// Of an incident of several services: for which of them.
    service: Option<String>,
    /// The level that has it, where PagerDuty's log says so.
    level: Option<usize>,
    /// Who got it last by an escalation, by PagerDuty's ids.
    people: Vec<String>,
    /// How often it was escalated since its policy began.
    escalations: usize,
    /// Since when that level has it.
    since: Timestamp,
}

/// Who gets an incident as it is made gets it so soon.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);

/// What PagerDuty said of a policy, and when.
type Said = Option<(Timestamp, OncallView)>;

/// Whose next level is to be told: the incident itself, or those of its services.
pub(super) fn waiting(detail: &Detail) -> Vec<Waiting> {
    let own = Waiting::of(detail, None);
    let parts = detail.parts.iter();
    let parts = parts.filter_map(|(service, part)| Waiting::of(part, Some(service)));
    own.into_iter().chain(parts).collect()
}

impl Waiting {
    fn of(detail: &Detail, service: Option<&String>) -> Option<Self> {
        let (story, connector) = (&detail.story, detail.row.connector.clone()?);
        let peer = story.peer.as_ref()?;
        let is_waiting = story.status == Status::Open
            && peer.status == PeerStatus::Triggered
            && peer.urgency != Some(Urgency::Low);
        if !is_waiting || !detail.hears || story.unowned_since().is_some() {
            return None;
        }
        Self::standing(
            story,
            (connector, peer.policy.as_ref()?.id.clone()),
            service,
        )
    }

    /// By what happened since its policy began.
    fn standing(story: &Story, of: (String, String), service: Option<&String>) -> Option<Self> {
        let mut escalations: Vec<&Line> = Vec::new();
        let (mut since, mut given, mut begun) = (None, None, None);
        for line in story.lines.iter().rev() {
            match line.kind {
                Kind::Escalated => escalations.push(line),
                Kind::Triggered | Kind::Reopened | Kind::Delegated => begun = Some(line.at),
                // The level that had it has it again.
                Kind::Unacknowledged => {}
                Kind::Assigned if escalations.is_empty() && is_by_hand(line) => {
                    given = given.or(Some(line.at));
                    continue;
                }
                _ => continue,
            }
            since = since.or(Some(line.at));
            if begun.is_some() {
                break;
            }
        }
        let begun = begun?;
        // Who makes an incident is told as who assigned it to the first level.
        if given.is_some_and(|at| at > begun + AT_ONCE) {
            return None;
        }
        let last = escalations.first();
        let people = last.iter().flat_map(|line| &line.people);
        Some(Self {
            of,
            service: service.cloned(),
            level: last.and_then(|line| line.detail.as_deref()?.parse().ok()),
            people: people.map(|person| person.id.clone()).collect(),
            escalations: escalations.len(),
            since: since?,
        })
    }

    /// The level that has it; `None` where that is not certain.
    fn present<'a>(&self, staffed: &[&'a LevelView]) -> Option<&'a LevelView> {
        if let Some(nth) = self.level {
            return staffed.iter().find(|level| level.level == nth).copied();
        }
        let has_them = |level: &&&LevelView| {
            let there = on_duty(level, self.since);
            let is_there = |id: &String| there.iter().any(|turn| turn.user.id == *id);
            self.people.iter().all(is_there)
        };
        // Each escalation goes one level on, and after the last the first comes again.
        let nth = self.escalations.checked_rem(staffed.len())?;
        let in_turn = staffed.get(nth).filter(has_them);
        let mut others = staffed.iter().filter(has_them);
        let only = others.next().filter(|_| others.next().is_none());
        in_turn.or(only).copied()
    }

    /// The next level of its policy, and when that is told; `None` where that is not certain.
    fn next<'a>(
        &self,
        policy: &'a PolicyView,
        now: Timestamp,
    ) -> Option<(&'a LevelView, Timestamp)> {
        let staffed = |at: Timestamp| {
            let levels = policy.levels.iter();
            levels.filter(move |level| !on_duty(level, at).is_empty())
        };
        let then: Vec<&LevelView> = staffed(self.since).collect();
        let present = self.present(&then)?;
        let delay = SignedDuration::from_mins(present.delay_minutes?);
        let at = self.since.checked_add(delay).ok()?;
        let later = staffed(at).find(|level| level.level > present.level);
        let rounds = i64::try_from(self.escalations.checked_div(then.len())?).ok()?;
        let again = || staffed(at).next().filter(|_| rounds < policy.repeats);
        let next = later.or_else(again)?;
        (at > now).then_some((next, at))
    }

    fn line(&self, said: &Said, now: Now) -> Option<Markup> {
        let (heard, view) = said.as_ref()?;
        let policy = view.policies.first()?;
        let (level, at) = self.next(policy, now.at)?;
        let turns = on_duty(level, at);
        let mut people: Vec<&str> = turns.iter().map(|turn| turn.user.name.as_str()).collect();
        people.dedup();
        Some(html! {
            p {
                @if level.round_robin && people.len() > 1 { "One of " }
                strong { (people.join(", ")) } ", level " (level.level)
                @if let Some(service) = &self.service { " of " (service) }
            }
            p.small {
                "In " (times::running(now.at, at)) ", at " (times::exact(at, now)) ", unless somebody acknowledges before"
                @if oncall::is_old(*heard, now.at) { ". As PagerDuty said " (times::ago(*heard, now)) }
            }
        })
    }
}

/// Whether somebody gave it to a person, in place of its policy.
fn is_by_hand(line: &Line) -> bool {
    line.command.is_some() || matches!(line.actor.kind, ActorKind::User | ActorKind::Api)
}

/// Who stands on a level at an instant.
fn on_duty(level: &LevelView, at: Timestamp) -> Vec<&TurnView> {
    let turns = level.current.iter().chain(&level.next);
    let there = turns.filter(|turn| {
        turn.from.is_none_or(|from| from <= at) && turn.until.is_none_or(|until| at < until)
    });
    there.collect()
}

/// Whether PagerDuty need not be asked.
pub(super) fn is_known(state: &WebState, waiting: &[Waiting], now: Now) -> bool {
    let mut waiting = waiting.iter();
    waiting.all(|one| state.heard.fresh(&one.of, now.at).is_some())
}

/// What is known without asking.
pub(super) fn heard(state: &WebState, waiting: &[Waiting], now: Now) -> Markup {
    let lines = waiting
        .iter()
        .filter_map(|one| one.line(&state.heard.find(&one.of), now));
    let lines: Vec<Markup> = lines.collect();
    html! { @if !lines.is_empty() { div.soon { (panel(&lines)) } } }
}

/// The place of what PagerDuty says.
pub(super) fn place() -> Markup {
    let shape = html! {
        div.side {
            p.h3 { "Paged next" }
            div.panel.pad { p.small role="status" { "Asking PagerDuty" } div.piece aria-hidden="true" {} }
        }
    };
    html! { div.soon { (layout::in_two(&shape)) } }
}

/// What PagerDuty says.
pub(super) async fn asked(state: &WebState, waiting: &[Waiting], now: Now) -> Markup {
    let asked = waiting.iter().map(async |one| {
        let (said, error) = oncall::listen(state, one.of.clone(), now.at).await;
        one.line(&said, now)
            .unwrap_or_else(|| unknown(error.as_ref()))
    });
    panel(&join_all(asked).await)
}

/// In place of what is not certain.
fn unknown(error: Option<&ApiError>) -> Markup {
    html! {
        @match error {
            Some(error) => p.small { "PagerDuty did not say it: " (error.detail()) "." },
            None => p.small { "Nobody else that its policy tells of." },
        }
    }
}

fn panel(lines: &[Markup]) -> Markup {
    html! {
        section.side aria-labelledby="next" {
            h2.h3 #next { "Paged next" }
            div.panel.pad { @for line in lines { (line) } }
        }
    }
}
