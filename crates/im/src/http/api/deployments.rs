//! Deployments, as pipelines and people tell of them: how it went may be told later, under the same id.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use im_engine::connector;
use im_engine::services::Services;
use im_pagerduty::config::nearest;
use im_store::deployments::{self, Commit, DeploymentRow, Status};
use im_store::{StoreError, Tx};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::audit::Note;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::{Body, Params};
use crate::http::openapi::WrongValue;
use crate::organisation::AHEAD_MAX;
use crate::organisation::annotations::NO_DEPLOYMENT;

/// Ids, names and versions go into tables.
const TEXT_CHARS_MAX: usize = 200;
/// More commits are not a change but a move.
const COMMITS_MAX: usize = 1_000;
/// What to do where a service is missing.
const NAME_SERVICE: &str = "name it by PagerDuty's id, or by its name there or here";
/// Deployments in one answer unless asked otherwise.
const LIMIT_DEFAULT: u32 = 50;
/// Deployments in one answer at most.
const LIMIT_MAX: u32 = 1_000;

/// A deployment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deployment {
    /// Its id.
    id: String,
    /// The service that it changed: PagerDuty's id, or our name where it has none.
    service: String,
    /// What people call that service, where it is known and not the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<String>,
    /// Where.
    environment: Option<String>,
    /// The version brought out.
    version: Option<String>,
    /// When it began.
    started_at: Timestamp,
    /// When it was over; null while it is under way.
    finished_at: Option<Timestamp>,
    /// `success`, `failure`, `in_progress` or `cancelled`.
    status: &'static str,
    /// Whether it repaired an earlier one, unplanned.
    unplanned_fix: bool,
    /// What is in it.
    commits: Vec<Change>,
    /// What may be wrong with it: nobody knows its service.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// A commit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Its hash.
    sha: String,
    /// When it was made.
    time: Timestamp,
}

/// What is told of a deployment. Under an id that is known, what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Report {
    /// Its id; made here if there is none.
    id: Option<String>,
    /// The service, by PagerDuty's id, or by its name there or here. A new one needs it.
    service: Option<String>,
    /// Where; an empty one is none.
    environment: Option<String>,
    /// The version brought out.
    version: Option<String>,
    /// When it began; now, or when it was over, unless given.
    started_at: Option<Timestamp>,
    /// When it was over; now unless given, except while it is under way.
    finished_at: Option<Timestamp>,
    /// `success` (unless given), `failure`, `in_progress` or `cancelled`.
    status: Option<String>,
    /// Whether it repairs an earlier one, unplanned.
    unplanned_fix: Option<bool>,
    /// What is in it.
    commits: Option<Vec<Change>>,
}

impl Report {
    /// The id, if one is given.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl From<DeploymentRow> for Deployment {
    fn from(row: DeploymentRow) -> Self {
        let commits = row.commits.into_iter();
        Self {
            id: row.id,
            service: row.service,
            service_name: None,
            environment: row.environment,
            version: row.version,
            started_at: row.started_at,
            finished_at: row.finished_at,
            status: row.status.as_str(),
            unplanned_fix: row.unplanned_fix,
            commits: commits
                .map(|Commit { sha, time }| Change { sha, time })
                .collect(),
            hint: None,
        }
    }
}

impl Deployment {
    /// With what people call its service.
    fn named(mut self, services: &Services) -> Self {
        let name = services.name(&self.service);
        self.service_name = name.filter(|name| *name != self.service).map(str::to_owned);
        self
    }
}

/// List the deployments, newest first
#[utoipa::path(
    get, path = "/api/v1/deployments", tag = "metrics", operation_id = "list_deployments",
    params(
        ("service" = Option<String>, Query, description = "Only this service"),
        ("limit" = Option<u32>, Query, description = "At most so many: 50 by default, at most 1,000"),
    ),
    responses((status = 200, body = [Deployment], description = "Deployments")),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Vec<Deployment>>, ApiError> {
    let params = params.only(&["service", "limit"])?;
    let limit = match params.one("limit") {
        None => LIMIT_DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=LIMIT_MAX).contains(limit))
            .ok_or_else(|| {
                let detail = format!("`limit={text}`: use a number from 1 to {LIMIT_MAX}");
                ApiError::bad_request(detail)
            })?,
    };
    let asked = params.one("service");
    let service = asked.map(str::to_owned);
    let read = app.db.read(move |tx| {
        let services = Services::read(tx)?;
        let service = service.map(|service| services.id(&service)).transpose()?;
        let rows = deployments::newest(tx, service.as_deref(), limit)?;
        Ok::<_, ApiError>((rows, services))
    });
    let (rows, services) = read.await?;
    if let Some(service) = asked.filter(|_| rows.is_empty()) {
        app.figures.known(&app.db).await?.services_called(service)?;
    }
    let named = |row| Deployment::from(row).named(&services);
    Ok(Json(rows.into_iter().map(named).collect()))
}

/// Record a deployment, or how it went
#[utoipa::path(
    post, path = "/api/v1/deployments", tag = "metrics", operation_id = "record_deployment", request_body = Report,
    responses(
        (status = 200, body = Deployment, description = "It was known; as it is now"),
        (status = 201, body = Deployment, description = "It is new"),
        WrongValue,
    ),
)]
pub(super) async fn record(
    State(app): State<Arc<App>>,
    Body(report): Body<Report>,
) -> Result<(StatusCode, Extension<Note>, Json<Deployment>), ApiError> {
    let now = app.clock.now();
    let take = app.db.write(move |tx| {
        let services = Services::read(tx)?;
        Ok::<_, ApiError>((take(tx, &report, &services, now)?, services))
    });
    let ((is_new, row), services) = take.await?;
    app.signals.nudge();
    let code = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let hint = unknown_service(&app, &row.service, &services).await?;
    let note = Note::thing(row.id.clone());
    let deployment = Deployment::from(row).named(&services);
    Ok((code, note, Json(Deployment { hint, ..deployment })))
}

/// What to say of a service that no connector and no incident knows; it may be a slip.
async fn unknown_service(
    app: &App,
    service: &str,
    services: &Services,
) -> Result<Option<String>, ApiError> {
    let read = app.db.read(|tx| {
        let connectors = connector::all(tx)?.into_iter();
        let usual = connectors.map(|one| one.mapping.default_service);
        Ok::<_, StoreError>(usual.collect::<Vec<_>>())
    });
    let usual = read.await?;
    let figures = app.figures.known(&app.db).await?;
    let seen = figures.services.iter();
    let seen = seen.flat_map(|id| [id.as_str(), figures.name(id)]);
    let usual = usual.iter().map(String::as_str);
    let known: Vec<&str> = services.words().chain(usual).chain(seen).collect();
    if known.contains(&service) {
        return Ok(None);
    }
    let unknown = format!("no connector and no incident knows the service `{service}`");
    Ok(Some(match nearest(service, &known) {
        Some(near) => format!("{unknown}: did you mean `{near}`?"),
        None => format!("{unknown}: it matches incidents of that name until a service has it"),
    }))
}

/// Takes what is told of a deployment; says whether it is new.
pub(super) fn take(
    tx: &mut Tx<'_>,
    report: &Report,
    services: &Services,
    now: Timestamp,
) -> Result<(bool, DeploymentRow), ApiError> {
    check(report)?;
    let commits = report.commits.as_deref().map(commits).transpose()?;
    let status = report.status.as_deref().map(status).transpose()?;
    let service = report.service.as_deref().map(|name| services.id(name));
    store(tx, report, (service.transpose()?, status, commits), now)
}

fn check(report: &Report) -> Result<(), ApiError> {
    let texts = [
        ("id", &report.id),
        ("service", &report.service),
        ("version", &report.version),
    ];
    for (name, text) in texts {
        if !text.as_deref().is_none_or(fits) {
            let detail = format!("`{name}` has 1 to {TEXT_CHARS_MAX} characters");
            let hint = match name {
                "service" => NAME_SERVICE.to_owned(),
                _ => format!("leave `{name}` out where there is none"),
            };
            return Err(ApiError::wrong_value(name, detail).hint(hint));
        }
    }
    if environment(report).is_some_and(|text| !fits(text)) {
        let detail = format!("`environment` has at most {TEXT_CHARS_MAX} characters");
        return Err(ApiError::wrong_value("environment", detail)
            .hint("use the short name that incidents have, e.g. production"));
    }
    if report.id.as_deref() == Some(NO_DEPLOYMENT) {
        let detail = format!(
            "`id` cannot be `{NO_DEPLOYMENT}`: that says that no deployment caused an incident"
        );
        return Err(ApiError::wrong_value("id", detail).hint("give it another id"));
    }
    Ok(())
}

/// Whether a text says something and goes into a table.
fn fits(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS_MAX
}

/// The environment as incidents are matched with it; an empty one is none.
fn environment(report: &Report) -> Option<&str> {
    let given = report.environment.as_deref().map(str::trim);
    given.filter(|text| !text.is_empty())
}

/// The commits, each once: lead time counts a commit of a deployment once.
fn commits(told: &[Change]) -> Result<Vec<Commit>, ApiError> {
    let refused = |detail: String| ApiError::wrong_value("commits", detail);
    if told.len() > COMMITS_MAX {
        let detail = format!("{} commits are more than {COMMITS_MAX}", told.len());
        return Err(refused(detail)
            .hint("tell the newest; what is older says little about this deployment"));
    }
    let mut commits: Vec<Commit> = Vec::with_capacity(told.len());
    let mut times: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for Change { sha, time } in told {
        let sha = sha.trim();
        if !fits(sha) {
            let detail = format!("the `sha` of a commit has 1 to {TEXT_CHARS_MAX} characters");
            return Err(refused(detail).hint("give the hash by which the commit goes"));
        }
        match times.insert(sha, *time) {
            None => commits.push(Commit {
                sha: sha.to_owned(),
                time: *time,
            }),
            Some(other) if other == *time => {}
            Some(other) => {
                let detail =
                    format!("commit `{sha}` is there twice, made at {other} and at {time}");
                return Err(
                    refused(detail).hint("tell each commit once, with the time it was made")
                );
            }
        }
    }
    Ok(commits)
}

fn status(word: &str) -> Result<Status, ApiError> {
    Status::parse(word).ok_or_else(|| {
        ApiError::wrong_value("status", format!("`status` cannot be `{word}`"))
            .hint("use success, failure, in_progress or cancelled")
    })
}

/// Stores what was told over what was known; says whether nothing was.
fn store(
    tx: &mut Tx<'_>,
    report: &Report,
    (service, status, commits): (Option<String>, Option<Status>, Option<Vec<Commit>>),
    now: Timestamp,
) -> Result<(bool, DeploymentRow), ApiError> {
    let known = match &report.id {
        Some(id) => deployments::find(tx, id)?,
        None => None,
    };
    let is_new = known.is_none();
    let service = match (service, &known) {
        (Some(service), _) => service,
        (None, Some(known)) => known.service.clone(),
        (None, None) => {
            return Err(
                ApiError::wrong_value("service", "a deployment is of a `service`")
                    .hint(NAME_SERVICE),
            );
        }
    };
    let status = status.or(known.as_ref().map(|known| known.status));
    let status = status.unwrap_or(Status::Success);
    let told = report
        .finished_at
        .or(known.as_ref().and_then(|known| known.finished_at));
    let finished_at = (status != Status::InProgress).then(|| told.unwrap_or(now));
    let began = report
        .started_at
        .or(known.as_ref().map(|known| known.started_at));
    let started_at = began.unwrap_or_else(|| finished_at.unwrap_or(now).min(now));
    if status == Status::InProgress && report.finished_at.is_some() {
        let detail = "a deployment that is in progress is not over";
        return Err(ApiError::wrong_value("finished_at", detail)
            .hint("leave `finished_at` away, or say by `status` how it ended"));
    }
    if finished_at.is_some_and(|finished| finished > now + AHEAD_MAX) {
        let detail = format!("it cannot be over at a time to come: it is {now:.0} here");
        return Err(ApiError::wrong_value("finished_at", detail)
            .hint("tell it once it is over, or as `in_progress` until then"));
    }
    if finished_at.is_some_and(|finished| finished < started_at) {
        let detail = "it cannot be over before it began";
        return Err(ApiError::wrong_value("finished_at", detail)
            .hint(format!("give a `finished_at` from {started_at} on")));
    }
    let new = || DeploymentRow {
        id: String::new(),
        service: String::new(),
        environment: None,
        version: None,
        started_at,
        finished_at,
        status,
        unplanned_fix: false,
        commits: Vec::new(),
    };
    let mut row = known.clone().unwrap_or_else(new);
    row.id = match &report.id {
        Some(id) => id.clone(),
        None => format!("dep_{}", tx.new_id(now).simple()),
    };
    row.service = service;
    (row.started_at, row.finished_at, row.status) = (started_at, finished_at, status);
    row.environment = environment(report).map(str::to_owned).or(row.environment);
    row.version = report.version.clone().or(row.version);
    row.unplanned_fix = report.unplanned_fix.unwrap_or(row.unplanned_fix);
    if let Some(commits) = commits {
        row.commits = commits;
    }
    if known.as_ref() != Some(&row) {
        deployments::put(tx, &row)?;
    }
    Ok((is_new, row))
}
