//! Switching faults on and off.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use pd_sim::{Fault, Outage, Sim};
use serde_json::{Value, json};

use super::asked::Asked;
use super::{Did, done, done_with, reply};
use crate::http::error::ApiError;
use crate::sim::StandIn;

/// What `POST /_sim/faults` takes.
const NAMES: [&str; 17] = [
    "outage",
    "outage_for",
    "lose_answer",
    "rate_limited",
    "server_error",
    "bad_gateway",
    "locked",
    "unreachable",
    "silence",
    "odd_answers",
    "late_log_entries",
    "webhook_duplicate",
    "webhook_reorder",
    "webhook_delay",
    "webhook_delay_max",
    "webhook_wrong_secret",
    "webhook_lost",
];

const OUTAGES: [(&str, Option<Outage>); 3] = [
    ("none", None),
    ("unavailable", Some(Outage::Unavailable)),
    ("unreachable", Some(Outage::Unreachable)),
];
/// What can happen to the next request; `server_error` takes a status as well.
const FAULTS: [(&str, Fault); 8] = [
    ("lose_answer", Fault::LoseAnswer),
    ("rate_limited", Fault::RateLimited { with_headers: true }),
    (
        "rate_limited_bare",
        Fault::RateLimited {
            with_headers: false,
        },
    ),
    ("server_error", Fault::ServerError(500)),
    ("bad_gateway", Fault::BadGateway),
    ("locked", Fault::Locked),
    ("text_error", Fault::TextError),
    ("unreachable", Fault::Unreachable),
];
const OUTAGE_DEFAULT: Duration = Duration::from_mins(1);
const LENGTH_MAX: Duration = Duration::from_hours(72);
const COUNT_MAX: u32 = 1_000_000;

pub(super) async fn show(State(stand_in): State<Arc<StandIn>>) -> Response {
    let silence = stand_in.silence();
    let shown = stand_in.with(|sim| shown(sim, silence));
    axum::Json(shown).into_response()
}

/// All faults as they are.
pub(in crate::sim) fn shown(sim: &mut Sim, silence: Duration) -> Value {
    let faults = sim.faults();
    let outage = OUTAGES.iter().find(|(_, outage)| *outage == faults.outage);
    let next: Vec<Value> = faults
        .scripted()
        .map(|one| {
            json!({"fault": name(one.fault), "method": one.method, "path": one.path_part, "left": one.left})
        })
        .collect();
    let (chances, webhooks) = (faults.chances, faults.webhooks.clone());
    json!({
        "outage": outage.map(|(name, _)| name),
        "outage_until": faults.outage_until.map(|until| until.to_string()),
        "lose_answer": chances.lose_answer,
        "rate_limited": chances.rate_limited,
        "server_error": chances.server_error,
        "bad_gateway": chances.bad_gateway,
        "locked": chances.locked,
        "unreachable": chances.unreachable,
        "silence": silence.as_secs_f64(),
        "odd_answers": faults.odd_answers,
        "late_log_entries": faults.late_log_entries_s,
        "webhook_duplicate": webhooks.duplicate_percent,
        "webhook_reorder": webhooks.reorder_percent,
        "webhook_delay": webhooks.delay_percent,
        "webhook_delay_max": webhooks.delay_max_s,
        "webhook_wrong_secret": webhooks.wrong_secret,
        "webhook_lost": webhooks.lost,
        "next": next,
    })
}

fn name(fault: Fault) -> String {
    if let Fault::ServerError(status) = fault {
        return format!("server_error {status}");
    }
    let found = FAULTS.iter().find(|(_, known)| *known == fault);
    found
        .map(|(name, _)| (*name).to_owned())
        .unwrap_or_default()
}

pub(super) async fn set(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = change(&stand_in, &asked);
    reply(&asked, did)
}

/// Changes what is named and leaves the rest; nothing changes when a value is wrong.
fn change(stand_in: &StandIn, asked: &Asked) -> Did {
    asked.only(&NAMES)?;
    let percent = |name| asked.number(name, 0..=100_u8);
    let outage = asked.word("outage", &OUTAGES)?;
    let outage_for = length(asked, "outage_for")?;
    let silence = length(asked, "silence")?;
    let late = length(asked, "late_log_entries")?;
    let delay_max = length(asked, "webhook_delay_max")?;
    if outage_for.is_some() && outage.flatten().is_none() {
        return Err(ApiError::bad_request("`outage_for` needs an `outage`"));
    }
    let now = stand_in.clock.now();
    let shown = stand_in.with(|sim| {
        // A copy, so that a wrong value further down leaves everything as it was.
        let mut faults = sim.faults().clone();
        if let Some(outage) = outage {
            faults.outage = outage;
            faults.outage_until = outage_for.map(|length| now + signed(length));
        }
        let chances = &mut faults.chances;
        put(&mut chances.lose_answer, percent("lose_answer")?);
        put(&mut chances.rate_limited, percent("rate_limited")?);
        put(&mut chances.server_error, percent("server_error")?);
        put(&mut chances.bad_gateway, percent("bad_gateway")?);
        put(&mut chances.locked, percent("locked")?);
        put(&mut chances.unreachable, percent("unreachable")?);
        put(&mut faults.odd_answers, asked.flag("odd_answers")?);
        put(
            &mut faults.late_log_entries_s,
            late.map(|length| signed(length).as_secs()),
        );
        let webhooks = &mut faults.webhooks;
        put(
            &mut webhooks.duplicate_percent,
            percent("webhook_duplicate")?,
        );
        put(&mut webhooks.reorder_percent, percent("webhook_reorder")?);
        put(&mut webhooks.delay_percent, percent("webhook_delay")?);
        let delay_max = delay_max.map(|length| u32::try_from(length.as_secs()).unwrap_or(u32::MAX));
        put(&mut webhooks.delay_max_s, delay_max);
        put(
            &mut webhooks.wrong_secret,
            asked.flag("webhook_wrong_secret")?,
        );
        put(&mut webhooks.lost, asked.flag("webhook_lost")?);
        *sim.faults() = faults;
        if let Some(silence) = silence {
            stand_in.set_silence(silence);
        }
        Ok::<_, ApiError>(self::shown(sim, stand_in.silence()))
    })?;
    done_with("faults changed", shown)
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn length(asked: &Asked, name: &str) -> Result<Option<Duration>, ApiError> {
    let length = asked.length(name)?;
    if length.is_some_and(|length| length > LENGTH_MAX) {
        return Err(ApiError::bad_request(format!(
            "`{name}` must be at most 72 hours"
        )));
    }
    Ok(length)
}

fn signed(length: Duration) -> SignedDuration {
    SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX)
}

pub(super) async fn next(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = script(&stand_in, &asked);
    reply(&asked, did)
}

/// A fault for the next requests that fit.
fn script(stand_in: &StandIn, asked: &Asked) -> Did {
    asked.only(&["fault", "status", "method", "path", "count"])?;
    let fault = asked.word("fault", &FAULTS)?;
    let fault = fault.ok_or_else(|| ApiError::bad_request("`fault` is missing"))?;
    let status = asked.number("status", 500..=599_u16)?;
    let fault = match (fault, status) {
        (Fault::ServerError(_), Some(status)) => Fault::ServerError(status),
        (_, Some(_)) => {
            return Err(ApiError::bad_request(
                "`status` is for `fault=server_error`",
            ));
        }
        (fault, None) => fault,
    };
    let method = asked.text("method")?.unwrap_or_default().to_uppercase();
    let path = asked.text("path")?.unwrap_or_default();
    let count = asked.number("count", 1..=COUNT_MAX)?.unwrap_or(1);
    let shown = stand_in.with(|sim| {
        sim.faults().next_n_matching(count, &method, &path, fault);
        shown(sim, stand_in.silence())
    });
    done_with(
        format!("{} for the next {count} that fit", name(fault)),
        shown,
    )
}

pub(super) async fn clear(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = asked.only(&[]).and_then(|()| {
        stand_in.with(|sim| sim.faults().clear());
        done("no faults")
    });
    reply(&asked, did)
}

pub(super) async fn outage(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = take_away(&stand_in, &asked);
    reply(&asked, did)
}

/// Everything is away for a while.
fn take_away(stand_in: &StandIn, asked: &Asked) -> Did {
    asked.only(&["seconds", "kind"])?;
    let length = length(asked, "seconds")?.unwrap_or(OUTAGE_DEFAULT);
    let kind = asked.word("kind", &OUTAGES)?;
    let outage = kind.unwrap_or(Some(Outage::Unavailable));
    let until = stand_in.clock.now() + signed(length);
    stand_in.with(|sim| {
        sim.faults().outage = outage;
        sim.faults().outage_until = Some(until);
    });
    let seconds = length.as_secs();
    done(match outage {
        None => "the API is back".to_owned(),
        Some(Outage::Unavailable) => {
            format!("every API request is answered with 503 for {seconds} s")
        }
        Some(Outage::Unreachable) => format!("every connection is cut for {seconds} s"),
    })
}
