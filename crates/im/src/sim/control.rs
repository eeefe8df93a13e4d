//! What people see and do in the stand-in without an API key: plain text, one line per act.
//!
//! `GET /_sim` lists the incidents. `POST /_sim/incidents/{id or number}/{act}` is a person in
//! PagerDuty's pages, `POST /_sim/trigger` a monitoring system, `POST /_sim/outage?seconds=60`
//! bad luck.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use pd_sim::{IncidentView, Outage, Sim};

use super::StandIn;
use crate::http::input::Params;

/// Where all of this is.
pub(crate) const PREFIX: &str = "/_sim";

/// Incidents in the list.
const SHOWN_MAX: usize = 30;
const OUTAGE_S_DEFAULT: u64 = 60;
const OUTAGE_S_MAX: u64 = 3_600;

/// The routes of this module.
pub(super) fn routes() -> Router<Arc<StandIn>> {
    Router::new()
        .route("/_sim", get(list))
        .route("/_sim/account", get(account))
        .route("/_sim/incidents/{id}", get(show))
        .route("/_sim/incidents/{id}/{act}", post(act))
        .route("/_sim/trigger", post(trigger))
        .route("/_sim/outage", post(outage))
}

fn text(status: StatusCode, text: impl Into<String>) -> Response {
    let mut text = text.into();
    text.push('\n');
    (status, text).into_response()
}

async fn list(State(stand_in): State<Arc<StandIn>>) -> Response {
    let account = &stand_in.account;
    let lines = stand_in.with(|sim| {
        let all: Vec<IncidentView> = sim.incidents().collect();
        let newest = all.iter().rev().take(SHOWN_MAX);
        let lines: Vec<String> = newest.map(|incident| line(account, incident)).collect();
        lines.join("\n")
    });
    text(
        StatusCode::OK,
        format!("A stand-in for PagerDuty. Newest incidents:\n\n{lines}"),
    )
}

fn line(account: &pd_sim::Account, incident: &IncidentView) -> String {
    let people: Vec<&str> = incident
        .assignees
        .iter()
        .map(|id| person(account, id))
        .collect();
    format!(
        "#{:<5} {:<12} {:<4} {}  [{}] {}",
        incident.number,
        incident.status,
        incident.urgency,
        incident.title,
        service(account, &incident.service),
        people.join(", "),
    )
}

fn person<'a>(account: &'a pd_sim::Account, id: &'a str) -> &'a str {
    let found = account.users.iter().find(|(known, ..)| known == id);
    found.map_or(id, |(_, name, _)| name)
}

fn service<'a>(account: &'a pd_sim::Account, id: &'a str) -> &'a str {
    let found = account.services.iter().find(|(known, ..)| known == id);
    found.map_or(id, |(_, name, _)| name)
}

async fn account(State(stand_in): State<Arc<StandIn>>) -> Response {
    axum::Json(super::document(&stand_in)).into_response()
}

async fn show(State(stand_in): State<Arc<StandIn>>, Path(id): Path<String>) -> Response {
    let account = &stand_in.account;
    let shown = stand_in.with(|sim| {
        let incident = sim.incident(&id)?;
        let mut shown = vec![line(account, &incident)];
        let entries = sim
            .log_entries()
            .filter(|entry| entry.incident == incident.id);
        shown.extend(
            entries.map(|entry| format!("  {}  {}", entry.at.strftime("%H:%M:%S"), entry.summary)),
        );
        let notes = incident.notes.iter();
        shown.extend(notes.map(|note| format!("  note: {}", note.replace('\n', "\n        "))));
        Some(shown.join("\n"))
    });
    match shown {
        Some(shown) => text(StatusCode::OK, shown),
        None => text(StatusCode::NOT_FOUND, format!("there is no incident {id}")),
    }
}

async fn act(
    State(stand_in): State<Arc<StandIn>>,
    Path((id, act)): Path<(String, String)>,
    params: Params,
) -> Response {
    let account = &stand_in.account;
    let named = params.one("user").unwrap_or_default();
    let user = account
        .users
        .iter()
        .find(|(id, name, email)| {
            [id, name, email]
                .iter()
                .any(|known| known.as_str() == named)
        })
        .or(account.users.first());
    let Some((user, name, _)) = user else {
        return text(StatusCode::CONFLICT, "nobody is there");
    };
    let now = stand_in.clock.now();
    let said = params.one("text").unwrap_or("Looking into it").to_owned();
    let done = stand_in.with(|sim: &mut Sim| {
        let found = sim
            .incident(&id)
            .ok_or_else(|| format!("there is no incident {id}"))?;
        match act.as_str() {
            "acknowledge" => sim.acknowledge(user, &found.id, now)?,
            "resolve" => sim.resolve(user, &found.id, now)?,
            "reopen" => sim.reopen(user, &found.id, now)?,
            "note" => sim.note(user, &found.id, &said, now)?,
            other => {
                return Err(format!(
                    "nobody can `{other}`: use acknowledge, resolve, reopen or note"
                ));
            }
        }
        Ok(found.number)
    });
    match done {
        Ok(number) => text(StatusCode::OK, format!("{name}: {act} #{number}")),
        Err(why) => text(StatusCode::CONFLICT, why),
    }
}

async fn trigger(State(stand_in): State<Arc<StandIn>>, params: Params) -> Response {
    let account = &stand_in.account;
    let named = params.one("service").unwrap_or_default();
    let service = account
        .services
        .iter()
        .find(|(id, name, _)| id == named || name == named)
        .or(account.services.first())
        .map(|(id, ..)| id.clone())
        .unwrap_or_default();
    let title = params
        .one("title")
        .unwrap_or("Error rate above 5 %")
        .to_owned();
    let now = stand_in.clock.now();
    let number = stand_in.with(|sim| {
        let id = sim.trigger(&service, &title, now)?;
        sim.incident(&id).map(|incident| incident.number)
    });
    match number {
        Some(number) => text(StatusCode::OK, format!("triggered #{number}: {title}")),
        None => text(StatusCode::CONFLICT, "nothing was triggered"),
    }
}

async fn outage(State(stand_in): State<Arc<StandIn>>, params: Params) -> Response {
    let asked = params.one("seconds").and_then(|text| text.parse().ok());
    let seconds = asked.unwrap_or(OUTAGE_S_DEFAULT).min(OUTAGE_S_MAX);
    let until = Duration::from_secs(seconds);
    stand_in.with(|sim| sim.faults().outage = Some(Outage::Unavailable));
    let again = Arc::clone(&stand_in);
    tokio::spawn(async move {
        tokio::time::sleep(until).await;
        again.with(|sim| sim.faults().outage = None);
    });
    text(
        StatusCode::OK,
        format!("every API request is answered with 503 for {seconds} s"),
    )
}
