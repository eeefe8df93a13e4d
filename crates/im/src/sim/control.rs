//! What people and scripts do with the stand-in without an API key: look, act, turn faults and
//! the clock. `docs/sim.md` is the reference of these addresses.
//!
//! Invariants
//! - A request names what it wants in the query, in a form or in a JSON object, all alike.
//! - An answer is one JSON document with `said`; a browser that sent a form goes back to its page.
//! - Nothing happens when a name or a value is wrong: the answer says which, and what is known.
//! - A page of another site cannot act here: a browser names the origin of what it posts.
//!
//! Nothing here decides about incidents; that is `pd-sim`'s business.

mod acts;
mod asked;
mod faults;
mod look;
mod settings;
mod time;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{delete, get, post};
use serde_json::{Value, json};

use super::{StandIn, page};
use crate::http::error::ApiError;
use asked::Asked;

pub(super) use faults::shown as shown_faults;

/// Where all of this is.
pub(crate) const PREFIX: &str = "/_sim";

/// The routes of this module.
pub(super) fn routes() -> Router<Arc<StandIn>> {
    Router::new()
        .route("/_sim", get(look::start))
        .route("/_sim/account", get(look::account))
        .route("/_sim/incidents", get(look::incidents))
        .route("/_sim/deliveries", get(look::deliveries))
        .route("/_sim/subscriptions", get(look::subscriptions))
        .route("/_sim/notifications", get(look::notifications))
        .route("/_sim/writes", get(look::writes))
        .route("/_sim/incidents/{id}", get(look::incident))
        .route("/_sim/incidents/{id}/{act}", post(acts::act))
        .route("/_sim/trigger", post(acts::trigger))
        .route("/_sim/clock", get(time::show).post(time::set))
        .route("/_sim/faults", get(faults::show).post(faults::set))
        .route("/_sim/faults/next", post(faults::next))
        .route("/_sim/faults/clear", post(faults::clear))
        .route("/_sim/outage", post(faults::outage))
        .route(
            "/_sim/options",
            get(settings::options).post(settings::set_options),
        )
        .route("/_sim/keys", get(settings::keys).post(settings::add_key))
        .route("/_sim/keys/{key}", delete(settings::revoke_key))
        .route(
            "/_sim/subscriptions/{id}/{act}",
            post(settings::subscription),
        )
        .route("/_sim/oauth/apps", post(settings::add_app))
        .route("/_sim/oauth/revoke", post(settings::revoke_tokens))
        .route("/_sim/save", post(settings::save))
        .route("/_sim/{*rest}", get(nothing).post(nothing).delete(nothing))
        .route_layer(middleware::from_fn(refuse_other_sites))
}

async fn nothing() -> ApiError {
    ApiError::not_found("the control API has nothing at this address")
        .hint("GET /_sim lists its addresses")
}

/// Browsers name the origin of what they post. Only pages of this machine may post here.
async fn refuse_other_sites(request: Request, next: Next) -> Response {
    if is_foreign(request.headers()) {
        let why = "a page of another site sent this";
        return ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", why).into_response();
    }
    next.run(request).await
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let named = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    named.is_none() || named != text(header::HOST)
}

/// Something was done, in words, with what there is to show of it.
struct Done {
    said: String,
    shown: Value,
}

/// What was done, or why not.
type Did = Result<Done, ApiError>;

fn done(said: impl Into<String>) -> Did {
    done_with(said, json!({}))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the last line of what can be refused"
)]
fn done_with(said: impl Into<String>, shown: Value) -> Did {
    let said = said.into();
    Ok(Done { said, shown })
}

/// Answers a program with JSON, and sends a browser back to where it was.
fn reply(asked: &Asked, did: Did) -> Response {
    match (did, asked.back()) {
        (Ok(_), Some(back)) => Redirect::to(back).into_response(),
        (Ok(Done { said, mut shown }), None) => {
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("said".to_owned(), said.into());
            }
            axum::Json(shown).into_response()
        }
        (Err(refused), Some(back)) => page::refused(&refused, back),
        (Err(refused), None) => refused.into_response(),
    }
}
