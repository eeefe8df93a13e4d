//! What a person does to a connector on its page. Each is done by the handler of the API, and leads back to
//! the page with a line about it; what is refused comes back on the page with the reason.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::{address, respond};
use crate::access::Who;
use crate::http::api::connectors::conflicts::{self, Word};
use crate::http::api::connectors::sync::{self, Synced};
use crate::http::api::connectors::webhook::{self, Request};
use crate::http::api::connectors::{deliveries, outbox};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::web::guard::{Fields, Visit};
use crate::web::integrations::{setup_address, setup_page};
use crate::web::said::Told;
use crate::web::{WebState, parts, to};

/// How long a page waits for a comparison; what takes longer goes on.
const COMPARE_WAIT: Duration = Duration::from_secs(10);
/// The field that says where a form was.
const BACK: &str = "back";

/// Leads back with what was done, or shows the page with what was not.
pub(super) async fn after(
    state: &WebState,
    visit: &Visit,
    (name, back): (&str, &str),
    done: Result<Told, ApiError>,
) -> Response {
    let is_setup = back == "setup";
    match done {
        Ok(told) => {
            let page = if is_setup {
                setup_address(name)
            } else {
                address(name)
            };
            let address = state.said.keep(&page, told);
            to(address.as_deref().unwrap_or(&page))
        }
        Err(error) if is_setup => setup_page(state, visit, name, (None, Some(error))).await,
        Err(error) => respond(state, visit, name, (None, Some(error))).await,
    }
}

/// Makes, repairs or tries the webhook.
pub(in crate::web) async fn webhook(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    fields: Fields,
) -> Response {
    let request = Request {
        action: fields.get("action").to_owned(),
        scope: None,
        insecure: fields.get("insecure") == "true",
        secret: None,
    };
    let app = State(Arc::clone(&state.app));
    let done = webhook::webhook(app, Path(name.clone()), Body(request)).await;
    let told = done.map(|Json(checks)| Told::checks(&checks.lines));
    after(&state, &visit, (&name, fields.get(BACK)), told).await
}

/// Compares both sides now and repairs what differs.
pub(in crate::web) async fn compare(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let found = sync::compare(&state, &name, None, COMPARE_WAIT).await;
    let told = found.map(|found| Told::of(words(&found)));
    after(&state, &visit, (&name, ""), told).await
}

fn words(found: &Synced) -> String {
    let failed = match found.failed {
        0 => String::new(),
        more => format!(", {more} could not be read"),
    };
    let repaired = match found.repaired {
        0 => String::new(),
        more => format!(" A webhook should have told of {more}."),
    };
    let messages = found.mended.iter().chain(&found.messages);
    let messages: Vec<String> = messages
        .map(|message| format!(" {}.", parts::capital(message)))
        .collect();
    let messages = messages.concat();
    format!(
        "Compared: {} new, {} changed, {} the same{failed}.{repaired}{messages}",
        found.created, found.updated, found.unchanged
    )
}

type OfConnector = Path<(String, String)>;

/// Sends a refused change again.
pub(in crate::web) async fn retry(
    State(state): State<WebState>,
    visit: Visit,
    Path((name, id)): OfConnector,
) -> Response {
    let app = State(Arc::clone(&state.app));
    let done = outbox::retry(app, Path((name.clone(), id))).await;
    let told =
        done.map(|_| Told::of("It is sent again; its line is gone once PagerDuty has taken it."));
    after(&state, &visit, (&name, ""), told).await
}

/// Gives a refused change up.
pub(in crate::web) async fn discard(
    State(state): State<WebState>,
    visit: Visit,
    Path((name, id)): OfConnector,
) -> Response {
    let app = State(Arc::clone(&state.app));
    let done = outbox::discard(app, Path((name.clone(), id))).await;
    let told = done.map(|_| {
        Told::of("The change was given up. What was done here stays, and PagerDuty is not told.")
    });
    after(&state, &visit, (&name, ""), told).await
}

/// Takes a delivery once more.
pub(in crate::web) async fn replay(
    State(state): State<WebState>,
    visit: Visit,
    Path((name, id)): OfConnector,
) -> Response {
    let app = State(Arc::clone(&state.app));
    let done = deliveries::replay(app, Path((name.clone(), id.clone()))).await;
    let told = done.map(|_| {
        Told::of(format!(
            "Delivery {id} is taken once more; what is known already changes nothing."
        ))
    });
    after(&state, &visit, (&name, ""), told).await
}

/// Says whose value of a field counts.
pub(in crate::web) async fn settle(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    Path((name, id)): OfConnector,
    fields: Fields,
) -> Response {
    let app = State(Arc::clone(&state.app));
    let keep = fields.get("keep").to_owned();
    let words = if keep == "platform" {
        "The value here counts, and PagerDuty is told."
    } else {
        "PagerDuty's value counts."
    };
    let done = conflicts::resolve(app, Path((name.clone(), id)), who, Body(Word { keep })).await;
    after(&state, &visit, (&name, ""), done.map(|_| Told::of(words))).await
}

/// The form that makes the webhook at an address.
pub(in crate::web) fn make_webhook(visit: &Visit, name: &str, url: &str, back: &str) -> Markup {
    webhook_form(
        visit,
        (name, back),
        ("enable", "Make the webhook"),
        url.starts_with("http://"),
    )
}

/// A form that does something to the webhook.
pub(in crate::web) fn webhook_form(
    visit: &Visit,
    (name, back): (&str, &str),
    (action, words): (&str, &str),
    asks_for_plain: bool,
) -> Markup {
    parts::form(
        &format!("{}/webhook/act", address(name)),
        visit,
        &html! {
            input type="hidden" name="action" value=(action);
            input type="hidden" name=(BACK) value=(back);
            @if asks_for_plain {
                label.tick { input type="checkbox" name="insecure" value="true"; "The address is not encrypted: this is a trial on one machine" }
            }
            button.button type="submit" { (words) }
        },
    )
}

/// A form that is a button.
pub(super) fn button(visit: &Visit, action: &str, words: &str) -> Markup {
    parts::form(
        action,
        visit,
        &html! { button.button type="submit" { (words) } },
    )
}
