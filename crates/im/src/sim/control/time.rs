//! Turning the clock.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::asked::Asked;
use super::{Did, done_with, reply};
use crate::http::error::ApiError;
use crate::sim::{FACTOR_MAX, StandIn, deliver};

/// A jump of more would skip what a test wants to see.
const JUMP_MAX: SignedDuration = SignedDuration::from_hours(24 * 400);

pub(super) async fn show(State(stand_in): State<Arc<StandIn>>) -> Response {
    axum::Json(shown(&stand_in)).into_response()
}

fn shown(stand_in: &StandIn) -> Value {
    let factor = stand_in.clock.factor();
    let mode = if factor > 0.0 { "running" } else { "manual" };
    json!({"now": stand_in.clock.now().to_string(), "mode": mode, "factor": factor})
}

pub(super) async fn set(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = turn(&stand_in, &asked).await;
    reply(&asked, did)
}

async fn turn(stand_in: &Arc<StandIn>, asked: &Asked) -> Did {
    asked.only(&["mode", "factor", "advance", "at"])?;
    let mode = asked.word("mode", &[("real", 1.0), ("manual", 0.0)])?;
    let factor = asked.number("factor", 0.001..=FACTOR_MAX)?;
    let at = target(stand_in, asked)?;
    if mode.is_some() && factor.is_some() {
        return Err(ApiError::bad_request(
            "`mode` and `factor` exclude each other",
        ));
    }
    if mode.is_none() && factor.is_none() && at.is_none() {
        return Err(ApiError::bad_request(
            "name one of mode, factor, advance, at",
        ));
    }
    if let Some(factor) = mode.or(factor) {
        stand_in.clock.set_factor(factor);
    }
    if let Some(at) = at {
        go(stand_in, at).await;
    }
    stand_in.changed.notify_one();
    done_with(format!("it is {}", stand_in.clock.now()), shown(stand_in))
}

fn target(stand_in: &StandIn, asked: &Asked) -> Result<Option<Timestamp>, ApiError> {
    let now = stand_in.clock.now();
    let target = match (asked.length("advance")?, asked.instant("at")?) {
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request(
                "`advance` and `at` exclude each other",
            ));
        }
        (None, None) => return Ok(None),
        (None, Some(at)) => at,
        (Some(by), None) => SignedDuration::try_from(by)
            .ok()
            .and_then(|by| now.checked_add(by).ok())
            .unwrap_or(Timestamp::MAX),
    };
    if target < now {
        let why = format!("it is {now} already, and time does not go back");
        return Err(ApiError::conflict("past", why));
    }
    if target.duration_since(now) > JUMP_MAX {
        return Err(ApiError::bad_request(
            "the clock jumps at most 400 days at once",
        ));
    }
    Ok(Some(target))
}

/// Goes from one thing that is due to the next; each webhook is answered before time goes on.
async fn go(stand_in: &Arc<StandIn>, to: Timestamp) {
    loop {
        deliver::settle(stand_in).await;
        let next = stand_in.lock().wake_at();
        let Some(next) = next.filter(|next| *next < to) else {
            break;
        };
        // `false`: the hands went by themselves meanwhile, which is as good.
        let _passed = stand_in.clock.push_to(next);
    }
    let _passed = stand_in.clock.push_to(to);
    deliver::settle(stand_in).await;
}
