//! Whether a connector is healthy: PagerDuty is asked now, and each line says what was seen.
//!
//! Without API, key or service nothing travels: unhealthy. Everything else that is wrong costs
//! time or certainty: degraded. Quiet is not broken: a webhook that has been quiet for an hour is
//! tried with a test event, unless the connector sends nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::Direction;
use im_engine::connector::{self, Connector};
use im_engine::figures::{self, Figures};
use im_engine::key::{self, Key};
use im_engine::{skew, subscription};
use im_pagerduty::{Answer, Call, Outcome, Subscription, Why};
use im_store::connectors::State as RowState;
use im_store::outbox;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{outcome, trouble};
use super::config::masked_key;
use super::view::length;
use super::{find, test};
use crate::http::api::types::Check;
use crate::http::error::ApiError;
use crate::http::{App, certificate, hooks};

/// A webhook that was heard of in this time needs no trial.
const QUIET: SignedDuration = SignedDuration::from_hours(1);
/// So many of 100 calls may fail before somebody should look.
const ERRORS_PERCENT_MAX: i64 = 10;
/// Keys are best changed each quarter.
const KEY_DAYS_MAX: i64 = 90;
/// Fewer calls a day than this are never unusual.
const CALLS_MIN: i64 = 500;
/// More than so many times the usual is unusual.
const CALLS_TIMES: i64 = 3;
/// People who compare two timelines wonder about clocks that differ by more.
const CLOCK_OFF_S: u64 = 5;

/// How healthy a connector is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct HealthView {
    /// `healthy`, `degraded` or `unhealthy`.
    health: &'static str,
    /// The first thing that is wrong.
    reason: Option<String>,
    /// What was looked at.
    lines: Vec<HealthLine>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct HealthLine {
    /// What: `API Connectivity`, `Webhook` …
    name: &'static str,
    /// `ok`, `warning`, `failed` or `skipped`.
    state: &'static str,
    /// How it is.
    text: String,
    /// What to do.
    next: Option<String>,
}

impl HealthLine {
    fn new(name: &'static str, state: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            state,
            text: text.into(),
            next: None,
        }
    }

    fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, "ok", text)
    }

    fn failed(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, "failed", text)
    }

    fn warning(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, "warning", text)
    }

    fn skipped(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, "skipped", text)
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    fn is_bad(&self) -> bool {
        matches!(self.state, "failed" | "warning")
    }

    fn of(name: &'static str, check: Check, good: impl Into<String>) -> Self {
        match check.state {
            "ok" => Self::ok(name, good),
            "failed" => Self {
                next: check.next,
                ..Self::failed(name, check.cause.unwrap_or(check.text))
            },
            _ => Self::skipped(name, check.text),
        }
    }
}

const API: &str = "API Connectivity";
const KEY: &str = "Authentication";
const SERVICE: &str = "Service Access";
const WEBHOOK: &str = "Webhook";
const SYNC: &str = "Sync Status";
const ERRORS: &str = "Error Rate";
/// Without these nothing travels.
const VITAL: [&str; 3] = [API, KEY, SERVICE];

/// Say how healthy a connector is; PagerDuty is asked now
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/health", tag = "connectors", operation_id = "show_connector_health",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = HealthView, description = "What was looked at, and how it is")),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<HealthView>, ApiError> {
    let connector = find(&app, &name).await?;
    if connector.mapping.direction == Direction::None {
        let line = HealthLine::warning(SYNC, "Paused: nothing travels, and what is owed waits")
            .next(format!(
                "`im connector config {name} --direction bidirectional` resumes it"
            ));
        return Ok(Json(judge(vec![line])));
    }
    let mut lines = if connector.has_key() {
        reach(&app, &connector).await?
    } else {
        vec![HealthLine::skipped(
            KEY,
            "Discarded: the key was forgotten on purpose",
        )]
    };
    if !connector.has_key() {
        lines.push(webhook(&app, &connector).await?);
    } else if lines.iter().any(|line| line.state == "failed") {
        lines.push(HealthLine::skipped(SERVICE, "not looked at"));
        lines.push(HealthLine::skipped(WEBHOOK, "not looked at"));
    } else {
        lines.push(services(&app, &connector).await?);
        lines.push(webhook(&app, &connector).await?);
    }
    // What was just done counts too.
    let connector = find(&app, &name).await?;
    let known = Known::read(&app, &connector).await?;
    lines.push(sync(&connector, &known));
    lines.push(errors(&connector, &known.figures));
    lines.extend(warnings(&connector, &known));
    if connector.hears() {
        lines.extend(certificate_line(&app).await?);
    }
    Ok(Json(judge(lines)))
}

fn judge(lines: Vec<HealthLine>) -> HealthView {
    let is_dead = lines
        .iter()
        .any(|line| line.state == "failed" && VITAL.contains(&line.name));
    let worst = lines.iter().find(|line| line.state == "failed");
    let worst = worst.or_else(|| lines.iter().find(|line| line.is_bad()));
    HealthView {
        health: match (is_dead, worst) {
            (true, _) => "unhealthy",
            (false, Some(_)) => "degraded",
            (false, None) => "healthy",
        },
        reason: worst.map(|line| format!("{}: {}", line.name, line.text)),
        lines,
    }
}

/// Whether PagerDuty answers, and takes the key.
async fn reach(app: &App, connector: &Connector) -> Result<Vec<HealthLine>, ApiError> {
    let began = app.clock.now();
    let mut found = outcome(app, connector, &Call::ReadMe).await?;
    let took = app.clock.now().duration_since(began).as_millis();
    if matches!(&found, Outcome::Refused(refusal) if refusal.why != Why::BadKey) {
        // Keys of the account have no owner: ask something that they may ask.
        found = outcome(app, connector, &Call::ListAbilities).await?;
    }
    let connected = HealthLine::ok(API, format!("Connected ({took}ms response time)"));
    Ok(match &found {
        Outcome::Done(_) => vec![connected, key(connector)],
        Outcome::Refused(refusal) if refusal.why == Why::BadKey => {
            let text = format!("The API key is wrong or revoked (HTTP {})", refusal.status);
            let curl = format!(
                "`curl -H \"Authorization: Token token={}\" -H \"Accept: application/vnd.pagerduty+json;version=2\" {}/users` tells with the whole key; `im connector update {}` takes another one",
                masked_key(app, connector),
                connector.config.base_url,
                connector.name()
            );
            vec![connected, HealthLine::failed(KEY, text).next(curl)]
        }
        Outcome::Refused(_) => vec![connected, key(connector)],
        other => {
            let (cause, next) = trouble(connector, other);
            vec![
                HealthLine::failed(API, cause).next(next),
                HealthLine::skipped(KEY, "not looked at"),
            ]
        }
    })
}

fn key(connector: &Connector) -> HealthLine {
    let name = connector.name();
    if connector.row.state == RowState::Limited && connector.mapping.direction.sends() {
        return HealthLine::warning(KEY, "Valid API key, which may read and not write").next(
            format!("make a key with write access and `im connector update {name}`"),
        );
    }
    HealthLine::ok(KEY, "Valid API key")
}

/// The default service and each that is mapped.
async fn services(app: &App, connector: &Connector) -> Result<HealthLine, ApiError> {
    let checks = test::services(app, connector).await?;
    if let Some(bad) = checks.iter().find(|check| check.state == "failed") {
        return Ok(HealthLine::of(SERVICE, bad.clone(), ""));
    }
    if let Some((check, next)) = checks
        .iter()
        .find_map(|check| Some((check, check.next.clone()?)))
    {
        return Ok(HealthLine::warning(
            SERVICE,
            format!("{}, but {next}", check.text),
        ));
    }
    let ids = checks.iter().filter_map(|check| {
        let id = check.text.strip_prefix("Service ")?;
        id.strip_suffix(" accessible")
    });
    let ids: Vec<&str> = ids.collect();
    Ok(HealthLine::ok(
        SERVICE,
        format!("{} accessible", ids.join(", ")),
    ))
}

/// Whether webhooks come, or would.
async fn webhook(app: &App, connector: &Connector) -> Result<HealthLine, ApiError> {
    let name = connector.name();
    let every = length(connector.config.sync_interval);
    if !connector.mapping.direction.receives() || !connector.config.enable_webhook {
        return Ok(HealthLine::skipped(WEBHOOK, "Not used by this connector"));
    }
    let row = &connector.row;
    if row.subscription.is_none() && row.webhook_secrets.is_empty() {
        let text = format!("None, so changes arrive every {every}");
        return Ok(HealthLine::skipped(WEBHOOK, text).next(format!(
            "`im connector webhook {name} --enable` makes it immediate"
        )));
    }
    let now = app.clock.now();
    let again = format!("`im connector webhook {name} --enable` makes it anew");
    let seen = Seen::read(app, connector, now).await?;
    if seen.bad_signatures > 0 {
        let text = format!("{} deliveries with a wrong signature", seen.bad_signatures);
        return Ok(HealthLine::failed(WEBHOOK, text).next(again));
    }
    let Some(id) = row.subscription.clone().filter(|_| connector.has_key()) else {
        return Ok(heard(connector, now));
    };
    match outcome(app, connector, &Call::ReadSubscription { id }).await? {
        Outcome::Done(Answer::Subscription(found)) => {
            subscribed(app, connector, &found, &seen, now).await
        }
        Outcome::Gone => Ok(HealthLine::failed(
            WEBHOOK,
            "The subscription was deleted in PagerDuty",
        )
        .next(again)),
        // A key that may not look at subscriptions: what comes still tells.
        _ => Ok(heard(connector, now)),
    }
}

async fn subscribed(
    app: &App,
    connector: &Connector,
    found: &Subscription,
    seen: &Seen,
    now: Timestamp,
) -> Result<HealthLine, ApiError> {
    let again = format!(
        "`im connector webhook {} --enable` switches it on",
        connector.name()
    );
    if let Some(asleep) = test::asleep(found) {
        return Ok(HealthLine::failed(WEBHOOK, asleep).next(again));
    }
    if let Some(wrong) = &seen.wrong {
        return Ok(HealthLine::failed(WEBHOOK, wrong).next(again));
    }
    let last = connector.row.last_heard_at;
    // Where nothing is sent, no test event is asked for either.
    let is_lively = last.is_some_and(|at| now.duration_since(at) < QUIET);
    if is_lively || !connector.mapping.direction.sends() {
        return Ok(heard(connector, now));
    }
    let said = last.map_or_else(|| "never".to_owned(), |at| ago(at, now));
    let check = test::ping(app, connector, found.id.clone(), WEBHOOK).await?;
    let good = format!("Receiving events (a test event arrived; last before: {said})");
    Ok(HealthLine::of(WEBHOOK, check, good))
}

/// By what came alone.
fn heard(connector: &Connector, now: Timestamp) -> HealthLine {
    match connector.row.last_heard_at {
        Some(at) => HealthLine::ok(
            WEBHOOK,
            format!("Receiving events (last: {})", ago(at, now)),
        ),
        None => HealthLine::warning(WEBHOOK, "No verified webhook has come yet")
            .next("use `Send Test Event` on the webhook's page in PagerDuty"),
    }
}

/// What is known of the webhook without asking.
struct Seen {
    bad_signatures: i64,
    wrong: Option<String>,
}

impl Seen {
    async fn read(app: &App, connector: &Connector, now: Timestamp) -> Result<Self, ApiError> {
        let row = connector.row.clone();
        app.db
            .read(move |tx| {
                Ok::<_, ApiError>(Self {
                    bad_signatures: hooks::bad_signatures_since_good(tx, &row, now)?,
                    wrong: subscription::wrong(tx, &row.name)?,
                })
            })
            .await
    }
}

/// What is stored.
struct Known {
    now: Timestamp,
    figures: Figures,
    pending: i64,
    parked: i64,
    clock_ahead_s: Option<i64>,
    key_since: Timestamp,
    key: Key,
}

impl Known {
    async fn read(app: &App, connector: &Connector) -> Result<Self, ApiError> {
        let (row, now) = (connector.row.clone(), app.clock.now());
        let connector = connector.clone();
        app.db
            .read(move |tx| {
                let (pending, parked) = outbox::counts(tx, &row.name)?;
                let key = key::state(tx, &connector, now)?;
                Ok::<_, ApiError>(Self {
                    now,
                    figures: figures::of(tx, &row.name, row.created_at, now)?,
                    pending,
                    parked,
                    clock_ahead_s: skew::ahead_s(tx, &row.name)?,
                    key_since: connector::key_since(tx, &row)?,
                    key,
                })
            })
            .await
    }
}

fn sync(connector: &Connector, known: &Known) -> HealthLine {
    let name = connector.name();
    let waits = match known.pending {
        0 => String::new(),
        1 => "; 1 change waits".to_owned(),
        count => format!("; {count} changes wait"),
    };
    if connector.row.state == RowState::Failing {
        let why = connector
            .row
            .state_reason
            .as_deref()
            .unwrap_or("PagerDuty does not answer");
        return HealthLine::failed(SYNC, format!("{why}{waits}"))
            .next(format!("`im connector test {name}` looks for the cause"));
    }
    if known.parked > 0 {
        let text = format!("PagerDuty refused {} changes{waits}", known.parked);
        return HealthLine::warning(SYNC, text).next(format!(
            "`im connector outbox list {name}` says which and why"
        ));
    }
    if !connector.has_key() {
        return HealthLine::ok(SYNC, "Live only, no repair");
    }
    let Some(last) = connector.row.last_sync_at else {
        return HealthLine::failed(SYNC, format!("Never compared with PagerDuty{waits}")).next(
            format!("`im connector sync {name}` compares now; `im serve` does it by itself"),
        );
    };
    let said = ago(last, known.now);
    let late = connector.config.sync_interval * 2 + SignedDuration::from_mins(1);
    if known.now.duration_since(last) > late {
        let every = length(connector.config.sync_interval);
        return HealthLine::failed(
            SYNC,
            format!("Behind (last sync: {said}, every {every}){waits}"),
        )
        .next("does `im serve` run?");
    }
    HealthLine::ok(SYNC, format!("Up to date (last sync: {said}){waits}"))
}

fn errors(connector: &Connector, figures: &Figures) -> HealthLine {
    let Figures { calls, errors, .. } = *figures;
    let percent = if calls > 0 {
        (errors * 100 + calls / 2) / calls
    } else {
        0
    };
    let plural = if errors == 1 { "" } else { "s" };
    let text = format!("{percent}% ({errors} error{plural} in 24h)");
    if percent < ERRORS_PERCENT_MAX {
        return HealthLine::ok(ERRORS, text);
    }
    let name = connector.name();
    HealthLine::warning(ERRORS, text).next(format!(
        "`im connector status {name}` and `im logs --component api` say what failed"
    ))
}

/// A certificate that keeps webhooks away, or soon will.
async fn certificate_line(app: &App) -> Result<Option<HealthLine>, ApiError> {
    const NAME: &str = "Certificate";
    let line = match certificate::look(app).await? {
        None => None,
        Some(Ok(seen)) => seen.trouble(app.clock.now()).map(|(cause, next)| {
            HealthLine::warning(NAME, format!("{}, but {cause}", seen.text())).next(next)
        }),
        Some(Err(why)) => Some(HealthLine::warning(NAME, format!("Cannot be seen: {why}"))),
    };
    Ok(line)
}

/// What is worth a line only when it is so.
fn warnings(connector: &Connector, known: &Known) -> Vec<HealthLine> {
    let name = connector.name();
    let mut lines = Vec::new();
    let days = known.now.duration_since(known.key_since).as_hours() / 24;
    if known.key == Key::SafeToRevoke {
        let text = "Safe to revoke now: webhooks alone keep this connector up to date";
        lines.push(
            HealthLine::ok("API Key", text)
                .next(format!("`im connector forget-key {name}` forgets it here")),
        );
    }
    if connector.has_key() && days > KEY_DAYS_MAX {
        lines.push(
            HealthLine::warning("API Key", format!("It is {days} days old")).next(format!(
                "make another one each quarter: `im connector update {name}`"
            )),
        );
    }
    let calls = known.figures.calls;
    if let Some(usual) = known.figures.usual_calls
        && calls > CALLS_MIN
        && calls > usual * CALLS_TIMES
    {
        lines.push(
            HealthLine::warning(
                "API Usage",
                format!("{calls} calls in 24h, {usual} a day in the week before"),
            )
            .next(
                "`im logs --component api` shows them; a key that others use too is worth a look",
            ),
        );
    }
    if let Some(ahead) = known
        .clock_ahead_s
        .filter(|ahead| ahead.unsigned_abs() >= CLOCK_OFF_S)
    {
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let text = format!("{} s {side} PagerDuty's", ahead.unsigned_abs());
        lines.push(
            HealthLine::warning("Clock", text)
                .next("let this machine take its time from a time server (NTP)"),
        );
    }
    lines
}

/// `2m ago`.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}
