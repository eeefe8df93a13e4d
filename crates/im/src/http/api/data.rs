//! The data document: what PagerDuty does not hold, out and in as one (`docs/data.md`).
//!
//! An import is one transaction: with a mistake in it nothing of it is kept. What it does not name
//! stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, Request, State};
use im_core::IncidentNumber;
use im_engine::services::Services;
use im_engine::set_here;
use im_store::annotations;
use im_store::{StoreError, Tx, arrangements, connectors, incidents};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::deployments::{self, Deployment, Report};
use super::organisation::named::{self, Directory, store_known};
use super::organisation::{link_to_person, store};
use super::settings;
use crate::access::Who;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::bytes_up_to;
use crate::http::openapi::WrongValue;
use crate::organisation::annotations::Annotations;
use crate::organisation::document::{self, At, Document, ERRORS_MAX, Mistake, Noted};
use crate::organisation::{FailureRule, Hours, Person, Target, Team, Thing, User};

/// Some 50,000 deployments with their commits.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// Hints of an import; more are not read.
const HINTS_MAX: usize = 10;
/// Deployments that are read at once.
const BATCH: u32 = 1_000;

/// The routes of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(export, import))
        .layer(DefaultBodyLimit::max(BYTES_MAX))
}

/// What PagerDuty does not hold. A section that is left out says nothing.
#[derive(Debug, Serialize, ToSchema)]
struct Data {
    /// The version of the format: 1.
    version: u32,
    /// The organisation's zone.
    time_zone: String,
    /// People.
    people: Vec<Person>,
    /// Which person each user of PagerDuty's is.
    users: Vec<User>,
    /// Teams beside PagerDuty's.
    teams: Vec<Team>,
    /// Working hours.
    hours: Vec<Hours>,
    /// Rules by which incidents are no failures.
    failure_rules: Vec<FailureRule>,
    /// Targets.
    targets: Vec<Target>,
    /// Deployments.
    deployments: Vec<Deployment>,
    /// What is said of incidents.
    incidents: Vec<Noted>,
}

/// How much was taken.
#[derive(Debug, Default, Serialize, ToSchema)]
struct Imported {
    people: usize,
    users: usize,
    teams: usize,
    hours: usize,
    failure_rules: usize,
    targets: usize,
    deployments: usize,
    incidents: usize,
    /// What has to be known of it: whom hours and teams name who is linked to no user yet. Each is said once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
}

/// Export what PagerDuty does not hold
#[utoipa::path(
    get, path = "/api/v1/data", tag = "metrics", operation_id = "export_data",
    responses((status = 200, body = Data, description = "All of it, as an import takes it")),
)]
async fn export(State(app): State<Arc<App>>) -> Result<Json<Data>, ApiError> {
    Ok(Json(app.db.read(all).await?))
}

fn all(tx: &mut Tx<'_>) -> Result<Data, StoreError> {
    fn things<T: Thing>(tx: &mut Tx<'_>) -> Result<Vec<T>, StoreError> {
        arrangements::all(tx, T::SORT)
    }
    let mut deployments = Vec::new();
    let mut last = 0;
    while let Some((rows, next)) = im_store::deployments::after(tx, last, BATCH)? {
        deployments.extend(rows.into_iter().map(Deployment::from));
        last = next;
    }
    Ok(Data {
        version: document::VERSION,
        time_zone: settings::stored_zone(tx)?,
        people: things(tx)?,
        users: things(tx)?,
        teams: things(tx)?,
        hours: things(tx)?,
        failure_rules: things(tx)?,
        targets: things(tx)?,
        deployments,
        incidents: noted(tx)?,
    })
}

/// What is said and set of each incident.
fn noted(tx: &mut Tx<'_>) -> Result<Vec<Noted>, StoreError> {
    let mut all: BTreeMap<IncidentNumber, Noted> = BTreeMap::new();
    for rows in annotations::all(tx)?.chunk_by(|a, b| a.incident == b.incident) {
        let said = Annotations::of(rows);
        if let Some(last) = rows.last().filter(|_| !said.is_empty()) {
            all.insert(last.incident, Noted::of(&said, rows));
        }
    }
    for (incident, set) in set_here::all(tx)? {
        let noted = all.remove(&incident).unwrap_or_default();
        all.insert(incident, noted.with(set));
    }
    let text = |text: String| text.try_into().ok();
    let mut named = Vec::new();
    for (incident, noted) in all {
        let row = incidents::find(tx, incident)?.filter(|row| !row.deleted);
        named.extend(row.map(|row| match row.pd_id {
            Some(id) => Noted {
                pagerduty: text(id),
                ..noted
            },
            None => Noted {
                incident: text(incident.to_string()),
                ..noted
            },
        }));
    }
    Ok(named)
}

/// Import what PagerDuty does not hold: all of it, or nothing where there is a mistake
#[utoipa::path(
    put, path = "/api/v1/data", tag = "metrics", operation_id = "import_data", request_body = Data,
    responses((status = 200, body = Imported, description = "How much was taken; what is not named stays"), WrongValue),
)]
async fn import(
    State(app): State<Arc<App>>,
    who: Who,
    request: Request,
) -> Result<Json<Imported>, ApiError> {
    let body = bytes_up_to(BYTES_MAX, request, &app).await?;
    let text = std::str::from_utf8(&body)
        .map_err(|_not_text| ApiError::bad_request("the body is no UTF-8 text"))?;
    let read = document::read(text, |report: &Report| report.id().map(str::to_owned));
    let document = read.map_err(|mistakes| refused(&mistakes))?;
    let now = app.clock.now();
    let of_incidents = named::of_incidents(&app).await?;
    let taken = app
        .db
        .write(move |tx| take(tx, document, of_incidents, &who, now))
        .await?;
    app.signals.nudge();
    Ok(Json(taken))
}

/// Every mistake with its line.
fn refused(mistakes: &[Mistake]) -> ApiError {
    let shown = mistakes.iter().take(ERRORS_MAX);
    let mut lines: Vec<String> = shown
        .map(|Mistake { line, reason }| format!("line {line}: {reason}"))
        .collect();
    if let Some(more) = mistakes
        .len()
        .checked_sub(ERRORS_MAX)
        .filter(|more| *more > 0)
    {
        lines.push(format!("and {more} more"));
    }
    ApiError::wrong_value("bad_data", lines.join("\n"))
        .hint("nothing was changed; docs/data.md lists what each thing may have")
}

/// The first of the hints, and how many more there are.
fn shown(hints: BTreeSet<String>) -> Vec<String> {
    let more = hints.len().saturating_sub(HINTS_MAX);
    let mut shown: Vec<String> = hints.into_iter().take(HINTS_MAX).collect();
    if more > 0 {
        shown.push(format!("and {more} more like these"));
    }
    shown
}

/// Stores everything, or says what is wrong with it.
fn take(
    tx: &mut Tx<'_>,
    document: Document<Report>,
    of_incidents: BTreeSet<String>,
    who: &Who,
    now: Timestamp,
) -> Result<Imported, ApiError> {
    let mut mistakes = Vec::new();
    let mut taken = Imported::default();
    if let Some(zone) = &document.time_zone {
        settings::put_zone(tx, zone.as_str())?;
    }
    taken.people = each(document.people, &mut mistakes, |one| store(tx, &one))?;
    let mut hints = BTreeSet::new();
    let known = Directory::read(tx, of_incidents.clone())?;
    taken.users = each(document.users, &mut mistakes, |one| {
        hints.extend(link_to_person(tx, one, &known)?.1);
        Ok(())
    })?;
    // With the links of the document.
    let mut known = Directory::read(tx, of_incidents)?;
    taken.teams = each(document.teams, &mut mistakes, |one| {
        // Hours of a team that is wrong are not wrong for that.
        known.learn(&one);
        hints.extend(store_known(tx, one, &known)?.1);
        Ok(())
    })?;
    taken.hours = each(document.hours, &mut mistakes, |one| {
        hints.extend(store_known(tx, one, &known)?.1);
        Ok(())
    })?;
    taken.failure_rules = each(document.failure_rules, &mut mistakes, |one| {
        hints.extend(store_known(tx, one, &known)?.1);
        Ok(())
    })?;
    taken.targets = each(document.targets, &mut mistakes, |one| store(tx, &one))?;
    let services = Services::read(tx)?;
    taken.deployments = each(document.deployments, &mut mistakes, |one| {
        deployments::take(tx, &one, &services, now).map(drop)
    })?;
    taken.incidents = each(document.incidents, &mut mistakes, |one| {
        note(tx, one, who, now)
    })?;
    taken.hints = shown(hints);
    if mistakes.is_empty() {
        Ok(taken)
    } else {
        Err(refused(&mistakes))
    }
}

/// Takes things one by one; what is refused for itself is a mistake of its line.
fn each<T>(
    things: Vec<At<T>>,
    mistakes: &mut Vec<Mistake>,
    mut take: impl FnMut(T) -> Result<(), ApiError>,
) -> Result<usize, ApiError> {
    let count = things.len();
    for At { line, thing } in things {
        match take(thing) {
            Ok(()) => {}
            Err(error) if error.status.is_client_error() => mistakes.push(Mistake {
                line,
                reason: error.detail().to_owned(),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Says of an incident what is noted of it, and sets it here.
fn note(tx: &mut Tx<'_>, noted: Noted, who: &Who, now: Timestamp) -> Result<(), ApiError> {
    let incident = find(tx, &noted)?;
    let set = noted
        .set()
        .map_err(|error| ApiError::wrong_value("severity", error.to_string()))?;
    set_here::set(tx, incident, &set, &who.actor, now)?;
    let changes = noted.changes();
    let changes = changes.map_err(|why| ApiError::wrong_value("reasons", why))?;
    let applied = changes.apply(tx, incident, &who.actor, now)?;
    applied.map_err(|(field, detail, _)| ApiError::wrong_value(field, detail))
}

fn find(tx: &mut Tx<'_>, noted: &Noted) -> Result<IncidentNumber, ApiError> {
    let missing = |detail: String| ApiError::wrong_value("incident", detail);
    match (&noted.pagerduty, &noted.incident) {
        (Some(id), None) => {
            for connector in connectors::all(tx)? {
                if let Some(number) = incidents::by_twin(tx, &connector.name, id.as_str())? {
                    return Ok(number.said());
                }
            }
            Err(missing(format!(
                "there is no incident of PagerDuty's `{id}`"
            )))
        }
        (None, Some(number)) => {
            let number: IncidentNumber = number.as_str().parse()?;
            let row = incidents::find(tx, number)?.filter(|row| !row.deleted);
            let row = row.ok_or_else(|| missing(format!("there is no incident {number}")))?;
            Ok(row.number)
        }
        (Some(_), Some(_)) | (None, None) => Err(missing(
            "an incident is named by `pagerduty` or by `incident`".to_owned(),
        )),
    }
}
