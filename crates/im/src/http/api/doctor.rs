//! `GET /api/v1/doctor`: whether what is stored makes sense.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use im_core::{Direction, IncidentNumber};
use im_engine::connector::{self, Connector};
use im_engine::record;
use im_engine::{skew, subscription};
use im_store::calls::{self, CallEntry};
use im_store::connectors::State as RowState;
use im_store::incidents::{self, Filter, Hidden, IncidentRow};
use im_store::{StoreError, Tx, facts, inbox, outbox};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::connectors::{events, key};
use super::settings::{stored_public_url, time_zone};
use super::types::{Check, Checks};
use crate::http::error::ApiError;
use crate::http::{App, certificate};

/// Incidents that one transaction folds.
const BATCH: u32 = 500;

/// Check the database, the stored state and each connector
#[utoipa::path(
    get, path = "/api/v1/doctor", tag = "server",
    responses((status = 200, body = Checks, description = "What was looked at, and how it is")),
)]
pub(super) async fn doctor(State(app): State<Arc<App>>) -> Result<Json<Checks>, ApiError> {
    let mut lines = quickly(&app).await?;
    // After the database and its schema.
    lines.insert(2.min(lines.len()), stored_state(&app).await?);
    Ok(Json(Checks::of(lines)))
}

/// The checks that look at no incident.
pub(crate) async fn quickly(app: &Arc<App>) -> Result<Vec<Check>, ApiError> {
    let (facts, waiting, certificate) = app
        .db
        .read(|tx| {
            let counts = (facts::last(tx)?, inbox::waiting(tx)?);
            Ok::<_, ApiError>((counts.0, counts.1, certificate::known(tx)?))
        })
        .await?;
    let mut lines = vec![
        Check::ok(format!("Database answers ({facts} facts)")),
        Check::ok("Schema fits this program"),
    ];
    if waiting > 0 {
        lines.push(
            Check::ok(format!("{waiting} webhooks wait to be digested"))
                .next("`im serve` digests them"),
        );
    }
    lines.extend(certificate.map(|seen| match seen.trouble(app.clock.now()) {
        Some((cause, next)) => Check::failed(seen.text(), cause, next),
        None => Check::ok(seen.text()),
    }));
    lines.extend(connector_lines(app).await?);
    Ok(lines)
}

/// Whether each row is what its facts add up to.
async fn stored_state(app: &App) -> Result<Check, ApiError> {
    let (mut looked, mut wrong) = (0_usize, Vec::new());
    let mut before = None;
    loop {
        let (count, last, found) = app
            .db
            .read(move |tx| Ok::<_, ApiError>(batch(tx, before)?))
            .await?;
        looked += count;
        wrong.extend(found);
        match last {
            Some(last) => before = Some(last),
            None => break,
        }
    }
    let text = format!("Stored state agrees with its facts ({looked} incidents)");
    if wrong.is_empty() {
        return Ok(Check::ok(text));
    }
    let named: Vec<String> = wrong.iter().take(10).map(ToString::to_string).collect();
    Ok(Check::failed(
        text,
        format!("{} differ: {}", wrong.len(), named.join(", ")),
        "any change of such an incident mends it; please report how it came about",
    ))
}

type Batch = (usize, Option<IncidentNumber>, Vec<IncidentNumber>);

fn batch(tx: &mut Tx<'_>, before: Option<IncidentNumber>) -> Result<Batch, StoreError> {
    let connectors = connector::all(tx)?;
    let mut attaching = Vec::new();
    for connector in &connectors {
        if connector::is_attaching(tx, connector.name())? {
            attaching.push(connector.name());
        }
    }
    let filter = Filter {
        before,
        hidden: Hidden::Too,
        limit: BATCH,
        ..Filter::default()
    };
    let rows = incidents::list(tx, &filter)?;
    let mut wrong = Vec::new();
    let follows = |row: &&IncidentRow| {
        row.connector
            .as_deref()
            .is_none_or(|name| !attaching.contains(&name))
    };
    for row in rows.iter().filter(follows) {
        let connector = connectors
            .iter()
            .find(|connector| Some(connector.name()) == row.connector.as_deref());
        let agrees = record::story(tx, row.number, connector)?.is_some_and(|story| {
            // Of one with parts it is told by those.
            let hides = connector.is_some_and(|connector| connector.mapping.hides(&story));
            story.status == row.status
                && (row.parts > 0 || connector.is_none() || hides == row.hidden)
                && story.title == row.title
                && story.severity == row.severity
                && story.service == row.service
                && story.deleted == row.deleted
                && story.peer.as_ref().map(|peer| peer.id.as_str()) == row.pd_id.as_deref()
        });
        if !agrees {
            wrong.push(row.number);
        }
    }
    Ok((rows.len(), rows.last().map(|row| row.number), wrong))
}

/// Calls that are looked at for the last answer.
const CALLS: u32 = 100;

/// Whether PagerDuty answered, whatever it said.
fn is_answered(call: &CallEntry) -> bool {
    call.status.is_some_and(|status| status < 500)
}

/// What is stored about a connector, apart from its row.
struct Known {
    /// The newest calls, the last first.
    calls: Vec<CallEntry>,
    pending: i64,
    parked: i64,
    missing_events: Vec<&'static str>,
    wrong_subscription: Option<String>,
    clock_ahead_s: Option<i64>,
    is_attaching: bool,
}

impl Known {
    fn read(tx: &mut Tx<'_>, name: &str) -> Result<Self, StoreError> {
        let (pending, parked) = outbox::counts(tx, name)?;
        let newest = calls::Asked {
            connector: Some(name.to_owned()),
            since: Timestamp::UNIX_EPOCH,
            failed: false,
            before: i64::MAX,
            limit: CALLS,
        };
        let calls = calls::newest(tx, &newest)?.into_iter();
        Ok(Self {
            calls: calls.map(|row| row.entry).collect(),
            pending,
            parked,
            missing_events: subscription::missing(tx, name)?,
            wrong_subscription: subscription::wrong(tx, name)?,
            clock_ahead_s: skew::ahead_s(tx, name)?,
            is_attaching: connector::is_attaching(tx, name)?,
        })
    }
}

async fn connector_lines(app: &Arc<App>) -> Result<Vec<Check>, ApiError> {
    app.caller.write_calls().await?;
    let (connectors, public_url, zone) = app
        .db
        .read(|tx| {
            let mut connectors = Vec::new();
            for connector in connector::all(tx)? {
                let known = Known::read(tx, connector.name())?;
                connectors.push((connector, known));
            }
            Ok::<_, ApiError>((connectors, stored_public_url(tx)?, time_zone(tx)?))
        })
        .await?;
    if connectors.is_empty() {
        return Ok(vec![
            Check::skipped("Connectors: none").next("`im connector add pagerduty NAME` adds one"),
        ]);
    }
    let has_url = public_url.is_some();
    let lines = connectors.iter();
    Ok(lines
        .flat_map(|(connector, known)| lines_of(app, (connector, known), has_url, &zone))
        .collect())
}

fn lines_of(
    app: &App,
    (connector, known): (&Connector, &Known),
    has_url: bool,
    zone: &TimeZone,
) -> Vec<Check> {
    let name = connector.name();
    let secrets = key_line(app, connector);
    let state = if secrets.state == "ok" {
        state_line(connector, known, zone)
    } else {
        Check::skipped(format!("{name}: PagerDuty is not asked without the key"))
    };
    let mut lines = vec![secrets, state];
    let named = |line: Check| Check {
        text: format!("{name}: {}", line.text),
        ..line
    };
    lines.extend(key::lost(connector).map(named));
    lines.extend(events::line(connector, &known.missing_events).map(named));
    if let Some(wrong) = &known.wrong_subscription {
        lines.push(Check::failed(
            format!("{name}: Webhook subscription is as it was made"),
            wrong,
            format!("`im connector webhook {name} --enable` makes it anew"),
        ));
    }
    if known.parked > 0 {
        lines.push(Check::failed(
            format!("{name}: PagerDuty took every change"),
            format!("it refused {}", known.parked),
            format!("`im connector outbox list {name}` says which and why"),
        ));
    }
    if known.is_attaching {
        lines.push(
            Check::skipped(format!(
                "{name}: not all incidents follow its new settings yet"
            ))
            .next("`im serve` sees to it; ask again in a minute"),
        );
    }
    lines.extend(
        known
            .clock_ahead_s
            .and_then(|ahead_s| clock_line(name, ahead_s)),
    );
    let hears = connector.mapping.direction.receives() && connector.row.subscription.is_some();
    if hears && !has_url {
        lines.push(Check::failed(
            format!("{name}: address for webhooks"),
            "public_url is not set although a webhook is enabled",
            "`im config set public_url https://…`",
        ));
    }
    lines
}

/// People who compare two timelines wonder about clocks that differ by more.
const CLOCK_OFF_S: u64 = 5;

fn clock_line(name: &str, ahead_s: i64) -> Option<Check> {
    let off = ahead_s.unsigned_abs();
    let side = if ahead_s > 0 { "ahead of" } else { "behind" };
    (off >= CLOCK_OFF_S).then(|| {
        Check::failed(
            format!("{name}: the clock here agrees with PagerDuty's"),
            format!("it is {off} s {side} PagerDuty's"),
            "let this machine take its time from a time server (NTP)",
        )
    })
}

fn key_line(app: &App, connector: &Connector) -> Check {
    let name = connector.name();
    let text = format!("{name}: stored secrets can be opened");
    let row = &connector.row;
    let sealed = std::iter::once(&row.api_key).chain(&row.webhook_secrets);
    // A key that was given up is empty.
    for secret in sealed.filter(|secret| !secret.is_empty()) {
        if let Err(error) = app.vault.open(secret) {
            return Check::failed(text, error.to_string(), error.next());
        }
    }
    Check::ok(text)
}

/// How the newest calls went. Nothing is asked now, so it is said of when it tells.
fn state_line(connector: &Connector, known: &Known, zone: &TimeZone) -> Check {
    let name = connector.name();
    let row = &connector.row;
    let minute = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z");
    let answered = known.calls.iter().find(|call| is_answered(call));
    let last = match answered {
        Some(call) => format!("last answered at {}", minute(call.at)),
        None => "answered when it was last asked".to_owned(),
    };
    let waits = match known.pending {
        0 => String::new(),
        1 => " (1 change waits)".to_owned(),
        more => format!(" ({more} changes wait)"),
    };
    let why = || {
        row.state_reason
            .clone()
            .unwrap_or_else(|| row.state.as_str().to_owned())
    };
    let next = format!("`im connector test {name}` looks for the cause");
    let failed = |what: &str, cause: String| {
        Check::failed(format!("{name}: PagerDuty {what}{waits}"), cause, &*next)
    };
    match (connector.mapping.direction, row.state) {
        (Direction::None, _) => Check::skipped(format!("{name}: paused")),
        (_, RowState::Active) => match known.calls.first().filter(|call| !is_answered(call)) {
            Some(call) => {
                let how = call.status.map_or_else(
                    || "there was no answer".to_owned(),
                    |status| format!("it answered HTTP {status}"),
                );
                let before = answered.map_or_else(String::new, |_| format!("; it {last}"));
                failed("answers", format!("at {} {how}{before}", minute(call.at)))
            }
            None => Check::ok(format!("{name}: PagerDuty {last}{waits}")),
        },
        (_, RowState::Untested) => Check::skipped(format!("{name}: not tried yet")).next(next),
        (_, RowState::AuthFailed) => failed("takes the key", why()),
        (_, RowState::Limited | RowState::Failing) => failed("does what it is asked for", why()),
    }
}
