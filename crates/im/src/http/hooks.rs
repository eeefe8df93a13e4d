//! PagerDuty's door: `POST /connectors/{name}/webhook`, and `POST /events` for all connectors.
//!
//! At the common door a header says which connector is meant. Anybody can write a header, so it only
//! chooses whose secrets the signature must fit.
//!
//! The answer decides whether PagerDuty ever sends the event again (`docs/http-status.md`, ADR
//! 0005), so each one is chosen with that in mind.
//!
//! Invariants
//! - 2xx is said only after the body is stored.
//! - The signature is checked over the bytes as they came, before anything is parsed.
//! - What is signed is stored, even if nobody understands it.

mod limit;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

use im_core::{ConnectorName, ENVIRONMENT_HEADER};
use im_engine::connector::{self, Connector};
use im_engine::{inbox, request_sync, subscription};
use im_pagerduty::{Secret, read_envelope, verify};
use im_store::connectors::ConnectorRow;
use im_store::inbox::Arrival;
use im_store::{StoreError, Tx, connectors, tallies};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::api::settings::{identity_header, trusted_proxy_hops};
use super::error::ApiError;
use super::input;
use super::openapi::DoorErrors;
use crate::access::{forwarded, sender};
use crate::run::chain;
use limit::Bucket;

/// PagerDuty waits five seconds for an answer; this leaves it one.
const STORE_WAIT: Duration = Duration::from_secs(4);
/// How often a delivery looks at its connector: somebody would have to change it each time.
const LOOKS_MAX: usize = 3;
/// PagerDuty sends nothing larger; what nobody signed may not fill the disk.
const UNSIGNED_BYTES_MAX: usize = 256 * 1024;
/// What is longer is no name of an environment.
const ENVIRONMENT_CHARS_MAX: usize = 200;
/// A wrong signature asks for a repair at most so often, or anybody could make us ask for ever.
const ALARM_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How long wrong signatures are remembered in a connector's state.
const BAD_REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// The count of deliveries with a wrong signature.
const BAD_SIGNATURES: &str = "bad_signatures";

/// The routes of this module.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(webhook))
        .routes(routes!(events))
        .route("/api/v1/webhooks/{name}", post(webhook))
}

/// What is kept in memory for each door.
pub struct Doors {
    doors: Mutex<HashMap<String, Door>>,
    per_minute: i64,
}

impl Default for Doors {
    fn default() -> Self {
        Self::taking(limit::PER_MINUTE)
    }
}

#[derive(Default)]
struct Door {
    bucket: Bucket,
    known: Option<Arc<Known>>,
    alarmed_at: Option<Timestamp>,
}

/// A connector as it was when the door last looked. It may have changed since, so nothing is
/// refused on its word alone, and nothing is stored unless the row is still the same.
struct Known {
    connector: Connector,
    secrets: Vec<Secret>,
}

impl Doors {
    /// Doors that take so many webhooks a minute each, and a fifth of that at once.
    pub fn taking(per_minute: i64) -> Self {
        Self {
            doors: Mutex::default(),
            per_minute,
        }
    }

    /// Connectors are few and only known ones get here, so the map stays small.
    fn with<T>(&self, name: &str, use_door: impl FnOnce(&mut Door) -> T) -> T {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        use_door(doors.entry(name.to_owned()).or_default())
    }

    fn known(&self, name: &ConnectorName) -> Option<Arc<Known>> {
        let doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        doors.get(name.as_str())?.known.clone()
    }
}

/// How a delivery ended, for metrics and for the answer.
enum Ended {
    Stored { is_new: bool, verified: bool },
    Probe,
}

/// Take a webhook of PagerDuty's
#[utoipa::path(
    post, path = "/connectors/{name}/webhook", tag = "webhooks", operation_id = "receive_webhook",
    params(("name" = String, Path, description = "Which connector")),
    request_body(content = Object, description = "A webhook of the third generation, exactly as it was signed"),
    responses(
        (status = 202, body = Receipt, description = "Stored; it is digested later"),
        (status = 200, body = Receipt, description = "The unsigned test `{\"test\":\"ping\"}`, ignored"),
        DoorErrors,
    ),
)]
async fn webhook(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    enter(&app, &name, request).await
}

/// Take a webhook of PagerDuty's for the connector that a header names
#[utoipa::path(
    post, path = "/events", tag = "webhooks", operation_id = "receive_event",
    request_body(content = Object, description = "A webhook of the third generation, exactly as it was signed"),
    responses(
        (status = 202, body = Receipt, description = "Stored; it is digested later"),
        (status = 200, body = Receipt, description = "The unsigned test `{\"test\":\"ping\"}`, ignored"),
        DoorErrors,
    ),
)]
async fn events(State(app): State<Arc<App>>, request: Request) -> Response {
    let header = app.db.read(|tx| Ok::<_, ApiError>(identity_header(tx)?));
    let header = match tokio::time::timeout(STORE_WAIT, header).await {
        Ok(Ok(header)) => header,
        Ok(Err(error)) => return error.into_response(),
        Err(_late) => return late().1.into_response(),
    };
    let named = request.headers().get(&header);
    let named = named.and_then(|value| value.to_str().ok()).map(str::trim);
    let Some(name) = named.map(str::to_owned) else {
        let detail = format!("the header `{header}` does not say which connector is meant");
        return ApiError::bad_request(detail)
            .hint("add it to the webhook in PagerDuty as a custom header, with the connector's name as its value")
            .into_response();
    };
    enter(&app, &name, request).await
}

async fn enter(app: &Arc<App>, name: &str, request: Request) -> Response {
    let known: Result<ConnectorName, _> = name.parse();
    let Ok(known) = known else {
        return ApiError::no_connector(name).into_response();
    };
    match deliver(app, &known, request).await {
        Ok(ended) => {
            let word = word(&ended);
            app.metrics.delivered(known.as_str(), word);
            tracing::debug!(
                connector = known.as_str(),
                result = word,
                "PagerDuty delivered a webhook: {word}"
            );
            if matches!(ended, Ended::Stored { .. }) {
                app.signals.nudge();
            }
            answer(&ended)
        }
        Err((result, error)) => {
            if let Some(result) = result {
                tracing::debug!(
                    connector = known.as_str(),
                    result,
                    "a webhook was refused: {}",
                    error.detail()
                );
                app.metrics.delivered(known.as_str(), result);
            }
            error.into_response()
        }
    }
}

fn word(ended: &Ended) -> &'static str {
    match ended {
        Ended::Probe => "probe",
        Ended::Stored { is_new: false, .. } => "duplicate",
        Ended::Stored { verified: true, .. } => "accepted",
        Ended::Stored {
            verified: false, ..
        } => "unverified",
    }
}

/// What became of a webhook.
#[derive(Serialize, ToSchema)]
struct Receipt {
    /// In words.
    status: &'static str,
}

fn answer(ended: &Ended) -> Response {
    let (code, status) = match ended {
        Ended::Probe => (StatusCode::OK, "reachable, unsigned test ignored"),
        Ended::Stored { is_new: true, .. } => (StatusCode::ACCEPTED, "accepted"),
        Ended::Stored { is_new: false, .. } => (StatusCode::ACCEPTED, "known already"),
    };
    (code, Json(Receipt { status })).into_response()
}

/// An error with its word for metrics; none for what is not about a connector of ours.
type Refused = (Option<&'static str>, ApiError);

async fn deliver(app: &App, name: &ConnectorName, mut request: Request) -> Result<Ended, Refused> {
    let now = app.clock.now();
    let headers = std::mem::take(request.headers_mut());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| peer.ip());
    let mut looked = match app.doors.known(name) {
        Some(known)
            if may_come(app, &known.connector, peer, &headers)
                .await
                .is_ok() =>
        {
            Some(known)
        }
        _ => None,
    };
    if looked.is_none() {
        may_come(app, &look(app, name).await?.connector, peer, &headers).await?;
    }
    let per_minute = app.doors.per_minute;
    let fits = app
        .doors
        .with(name.as_str(), |door| door.bucket.take(per_minute, now));
    if !fits {
        return Err((
            Some("rate_limited"),
            ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                format!("more than {per_minute} webhooks a minute"),
            )
            .hint("send it again later, as PagerDuty does"),
        ));
    }
    let body = input::bytes(request, &())
        .await
        .map_err(|error| (Some("too_large"), error))?;
    if text(&headers, "x-pagerduty-signature").is_none() && is_probe(&body) {
        return Ok(Ended::Probe);
    }
    for _ in 0..LOOKS_MAX {
        let is_fresh = looked.is_none();
        let known = match looked.take() {
            Some(known) => known,
            None => look(app, name).await?,
        };
        match judge(&known, &headers, &body) {
            Ok(verified) => {
                let arrival = arrival(name, &headers, &body, verified);
                if let Some(is_new) = store(app, known, arrival, now).await? {
                    return Ok(Ended::Stored { is_new, verified });
                }
            }
            Err(why) if is_fresh => return Err(refuse(app, &known, &headers, why, now).await),
            Err(_) => {}
        }
    }
    Err(late())
}

/// Why a delivery is not taken.
#[derive(Clone, Copy)]
enum NotTaken {
    TooLarge,
    NoSignature,
    WrongSignature,
}

/// Whether it is to be stored, and whether its signature was checked.
fn judge(known: &Known, headers: &HeaderMap, body: &Bytes) -> Result<bool, NotTaken> {
    if known.secrets.is_empty() {
        return if body.len() > UNSIGNED_BYTES_MAX {
            Err(NotTaken::TooLarge)
        } else {
            Ok(false)
        };
    }
    let signature = text(headers, "x-pagerduty-signature")
        .filter(|signature| !signature.trim().is_empty())
        .ok_or(NotTaken::NoSignature)?;
    let secrets: Vec<&str> = known.secrets.iter().map(Secret::expose).collect();
    if verify(signature, body, &secrets) {
        Ok(true)
    } else {
        Err(NotTaken::WrongSignature)
    }
}

async fn refuse(
    app: &App,
    known: &Known,
    headers: &HeaderMap,
    why: NotTaken,
    now: Timestamp,
) -> Refused {
    match why {
        NotTaken::TooLarge => (
            Some("too_large"),
            ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "PagerDuty sends nothing as large as this",
            )
            .hint("at most 256 KiB, as long as the connector has no signing secret"),
        ),
        NotTaken::NoSignature => no_signature(app, &known.connector, now).await,
        NotTaken::WrongSignature => wrong_signature(app, &known.connector, headers, now).await,
    }
}

fn arrival(name: &ConnectorName, headers: &HeaderMap, body: &Bytes, verified: bool) -> Arrival {
    Arrival {
        connector: name.clone(),
        event_id: event_id(body),
        delivery_id: text(headers, "x-webhook-id").map(str::to_owned),
        verified,
        environment: environment(headers).filter(|_| verified),
        body: String::from_utf8(body.to_vec())
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// The environment that the webhook's own header names.
fn environment(headers: &HeaderMap) -> Option<String> {
    let named = headers.get(ENVIRONMENT_HEADER)?.as_bytes();
    let named = std::str::from_utf8(named).ok()?.trim();
    let is_name = !named.is_empty() && named.chars().count() <= ENVIRONMENT_CHARS_MAX;
    is_name.then(|| named.to_owned())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// PagerDuty takes it for final, and switches the subscription off after three of them.
fn gone(name: &ConnectorName) -> ApiError {
    ApiError::new(
        StatusCode::GONE,
        "removed",
        format!("connector `{name}` was removed"),
    )
    .hint("delete the webhook in PagerDuty: Integrations, Generic Webhooks (v3)")
}

/// Looks at the connector as it is now, and remembers it.
async fn look(app: &App, name: &ConnectorName) -> Result<Arc<Known>, Refused> {
    let given = name.clone();
    let looked = app.db.read(move |tx| {
        let found = connector::load(tx, given.as_str())?;
        let was_removed = found.is_none() && connector::was_removed(tx, given.as_str())?;
        Ok::<_, ApiError>((found, was_removed))
    });
    let (found, was_removed) = match tokio::time::timeout(STORE_WAIT, looked).await {
        Ok(found) => found.map_err(|error| (Some("store_failed"), error))?,
        Err(_late) => return Err(late()),
    };
    if was_removed {
        return Err((None, gone(name)));
    }
    let connector = found.ok_or_else(|| (None, ApiError::no_connector(name.as_str())))?;
    if !connector.config.enable_webhook {
        return Err((None, switched_off(name)));
    }
    let secrets = connector.row.webhook_secrets.iter();
    let secrets = secrets
        .map(|sealed| app.vault.open(sealed))
        .collect::<Result<_, _>>()
        .map_err(|error| (Some("no_key"), error.into()))?;
    let known = Arc::new(Known { connector, secrets });
    app.doors
        .with(name.as_str(), |door| door.known = Some(Arc::clone(&known)));
    Ok(known)
}

fn switched_off(name: &ConnectorName) -> ApiError {
    let name = name.as_str();
    ApiError::new(
        StatusCode::NOT_FOUND,
        "webhook_off",
        format!("the connector {name} takes no webhooks"),
    )
    .hint(format!(
        "`im connector config {name} --set enable_webhook=true` lets them in"
    ))
}

fn late() -> Refused {
    tracing::error!("the database is too slow for webhooks; PagerDuty will send them again");
    (
        Some("store_failed"),
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the database did not answer in time",
        ),
    )
}

/// The networks that the connector names; none means all.
async fn may_come(
    app: &App,
    connector: &Connector,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
) -> Result<(), Refused> {
    let allowed = &connector.config.allow_ips;
    let Some(peer) = peer.filter(|_| !allowed.is_empty()) else {
        return Ok(());
    };
    let hops = app.db.read(trusted_proxy_hops).await;
    let hops = hops.map_err(|error| (Some("store_failed"), error.into()))?;
    let sender = sender(peer, &forwarded(headers), hops).map(|sender| sender.to_canonical());
    let fits = sender.is_some_and(|sender| {
        allowed.iter().any(|network| {
            network.parse::<IpAddr>().is_ok_and(|ip| ip == sender)
                || network
                    .parse::<ipnet::IpNet>()
                    .is_ok_and(|network| network.contains(&sender))
        })
    });
    if fits {
        return Ok(());
    }
    let from = sender.map_or_else(|| "an unreadable address".to_owned(), |ip| ip.to_string());
    tracing::warn!(
        connector = connector.name(),
        "a webhook from {from} was refused: not in allow_ips"
    );
    Err((
        Some("forbidden_network"),
        ApiError::new(
            StatusCode::FORBIDDEN,
            "forbidden_network",
            format!("webhooks are not taken from {from}"),
        )
        .hint("allow_ips of the connector names the networks; behind a proxy, `im config set trusted_proxy_hops 1`"),
    ))
}

/// Exactly the object of the documented curl test, however it is spaced.
fn is_probe(body: &Bytes) -> bool {
    const PROBE_BYTES_MAX: usize = 256;
    body.len() <= PROBE_BYTES_MAX
        && serde_json::from_slice::<Value>(body).is_ok_and(|body| body == json!({"test": "ping"}))
}

/// The id that is signed; a hash of the body where it has none.
fn event_id(body: &Bytes) -> String {
    match read_envelope(body) {
        Ok(envelope) if !envelope.event_id.is_empty() => envelope.event_id.into_owned(),
        _ => format!("sha256:{}", hex::encode(Sha256::digest(body))),
    }
}

/// Stores a delivery, and says whether it is new. `None`: the connector is not what was known
/// of it, so nothing is stored.
async fn store(
    app: &App,
    known: Arc<Known>,
    arrival: Arrival,
    now: Timestamp,
) -> Result<Option<bool>, Refused> {
    let stored = app.db.write(move |tx| {
        let row = &known.connector.row;
        if connectors::is_still(tx, &row.name, &row.config, &row.webhook_secrets)? {
            inbox::receive(tx, arrival, now).map(Some)
        } else {
            Ok(None)
        }
    });
    match tokio::time::timeout(STORE_WAIT, stored).await {
        Ok(Ok(stored)) => Ok(stored),
        Ok(Err(error)) => {
            // Whatever it is: 503 makes PagerDuty send it again.
            tracing::error!("a webhook could not be stored: {}", chain(&error));
            Err((
                Some("store_failed"),
                ApiError::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "the webhook could not be stored; send it again",
                ),
            ))
        }
        Err(_late) => Err(late()),
    }
}

async fn no_signature(app: &App, connector: &Connector, now: Timestamp) -> Refused {
    alarm(app, connector, now).await;
    (
        Some("no_signature"),
        ApiError::new(
            StatusCode::FORBIDDEN,
            "no_signature",
            "the webhook is not signed",
        )
        .hint("PagerDuty signs with `X-PagerDuty-Signature`; a trial without one is exactly {\"test\": \"ping\"}"),
    )
}

/// 403 loses the event for good. So it is said only to somebody who is surely not PagerDuty with
/// a secret that we have mixed up (ADR 0005).
async fn wrong_signature(
    app: &App,
    connector: &Connector,
    headers: &HeaderMap,
    now: Timestamp,
) -> Refused {
    alarm(app, connector, now).await;
    let row = &connector.row;
    let may_be_ours = match &row.subscription {
        Some(ours) => text(headers, "x-webhook-subscription") == Some(ours.as_str()),
        None => never_verified(app, row).await,
    };
    let (status, detail) = if may_be_ours {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the signature does not fit the secret that is stored here; send it again later",
        )
    } else {
        (StatusCode::FORBIDDEN, "the signature is wrong")
    };
    let hint = format!(
        "`im connector webhook {} --enable` agrees with PagerDuty on a new secret",
        connector.name()
    );
    (
        Some("wrong_signature"),
        ApiError::new(status, "wrong_signature", detail).hint(hint),
    )
}

/// A wrong signature is an attack or a mix-up of ours: a person must look, and what we may miss
/// meanwhile is read.
async fn alarm(app: &App, connector: &Connector, now: Timestamp) {
    let name = connector.name().to_owned();
    let is_first = app.doors.with(&name, |door| {
        let is_first = door
            .alarmed_at
            .is_none_or(|at| now.duration_since(at) >= ALARM_EVERY);
        if is_first {
            door.alarmed_at = Some(now);
        }
        is_first
    });
    if is_first {
        tracing::error!(
            connector = name,
            "a webhook has no good signature: somebody else's, or the secret here is not PagerDuty's; `im connector webhook {name} --enable` agrees on a new one"
        );
    }
    let counted = app
        .db
        .write(move |tx| {
            tallies::add(tx, &name, BAD_SIGNATURES, 1, now)?;
            if is_first {
                request_sync(tx, &name, "bad signature", now)?;
            }
            Ok::<_, StoreError>(())
        })
        .await;
    if let Err(error) = counted {
        tracing::error!("a bad signature could not be counted: {}", chain(&error));
    }
    app.signals.nudge();
}

/// Notes that a connector has another signing secret from now on.
pub fn note_new_secret(tx: &mut Tx<'_>, connector: &str, now: Timestamp) -> Result<(), StoreError> {
    // Counts are kept by the minute: what failed earlier in this one is not about the new secret.
    let earlier = tallies::since(tx, connector, BAD_SIGNATURES, now)?;
    tallies::add(tx, connector, BAD_SIGNATURES, -earlier, now)?;
    subscription::note_secret(tx, connector, now)
}

/// Whether no delivery has been signed with the secret that is stored now.
async fn never_verified(app: &App, row: &ConnectorRow) -> bool {
    let row = row.clone();
    let heard = row.last_heard_at;
    let since = app
        .db
        .read(move |tx| subscription::secret_since(tx, &row))
        .await;
    since.map_or(true, |since| heard.is_none_or(|heard| heard < since))
}

/// Deliveries that were refused since `since` because nobody could check who sent them.
pub fn refused_since(
    tx: &mut Tx<'_>,
    connector: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    tallies::since(tx, connector, BAD_SIGNATURES, since)
}

/// When the last delivery with a wrong signature came, to the minute, as far as that is remembered.
pub fn last_bad_signature(
    tx: &mut Tx<'_>,
    connector: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    tallies::latest(tx, connector, BAD_SIGNATURES, now - BAD_REMEMBERED)
}

/// Deliveries with a wrong signature since the last good one, or since the secret was changed.
pub fn bad_signatures_since_good(
    tx: &mut Tx<'_>,
    row: &ConnectorRow,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let since = subscription::secret_since(tx, row)?
        .max(row.last_heard_at.unwrap_or(Timestamp::UNIX_EPOCH))
        .max(now - BAD_REMEMBERED);
    tallies::since(tx, &row.name, BAD_SIGNATURES, since)
}
