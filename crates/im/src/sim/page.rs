//! The pages of the stand-in: what is in it, what it sent, what goes wrong; and forms by which a
//! person acts as a user of PagerDuty, turns the clock and switches faults.
//!
//! Invariants
//! - Only this machine may look, as with the pages of the server.
//! - A page is whole without script: its forms are those of the control API, which sends a browser
//!   back. The script sends them without leaving the page and renews what is marked as live.
//!
//! Absent: any state. What a page shows is read from the account each time.

mod incident;
mod panels;
mod parts;
mod seen;
mod start;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::{StandIn, control};
use crate::http::error::ApiError;
use crate::web::guard;
use seen::Seen;

/// What a browser may load and where forms may go: nothing but us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The look of all pages of the project, and what only these need.
const CSS: &str = concat!(
    include_str!("../web/assets/app.css"),
    include_str!("page/sim.css")
);
const SCRIPT: &str = include_str!("page/sim.js");

/// The mark in the browser's tab.
const TAB_ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
    %3Crect width='32' height='32' rx='8' fill='%2347505E'/%3E\
    %3Cpath d='M9 24V8h8a5 5 0 0 1 0 10h-4v6z' fill='%23fff'/%3E%3C/svg%3E";

/// The pages and what they need, for loopback only.
pub(super) fn routes() -> Router<Arc<StandIn>> {
    Router::new()
        .route("/", get(start))
        .route(
            "/_sim/assets/sim.css",
            get(async || asset("text/css; charset=utf-8", CSS)),
        )
        .route(
            "/_sim/assets/sim.js",
            get(async || asset("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route("/_sim/view/incidents/{id}", get(one_incident))
        .route_layer(middleware::from_fn(guard::refuse_strangers))
        .route_layer(middleware::from_fn(add_headers))
}

fn asset(kind: &'static str, body: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body).into_response()
}

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: [(HeaderName, &'static str); 3] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Who is acting.
#[derive(Deserialize)]
struct As {
    #[serde(rename = "as", default)]
    user: String,
}

async fn start(State(stand_in): State<Arc<StandIn>>, Query(acting): Query<As>) -> Response {
    let seen = Seen::of(&stand_in, &acting.user);
    let title = match seen.open {
        0 => "Stand-in for PagerDuty".to_owned(),
        open => format!("{open} open · Stand-in for PagerDuty"),
    };
    document(&title, &seen, &start::body(&seen)).into_response()
}

async fn one_incident(
    State(stand_in): State<Arc<StandIn>>,
    Path(id): Path<String>,
    Query(acting): Query<As>,
) -> Response {
    let seen = Seen::of(&stand_in, &acting.user);
    let found = stand_in.with(|sim| {
        let incident = sim.incident(&id)?;
        Some((sim.log_entries_of(&incident.id), incident))
    });
    let Some((trail, incident)) = found else {
        let what = html! {
            p { "Nothing here has the id or number " code { (id) } "." }
            p { a href="/" { "All incidents" } }
        };
        let body = message("There is no such incident", &what);
        return (StatusCode::NOT_FOUND, document("Not here", &seen, &body)).into_response();
    };
    let title = format!("#{} {}", incident.number, incident.title);
    document(&title, &seen, &incident::body(&seen, &incident, &trail)).into_response()
}

/// A form's wish that was not granted, for a browser without script.
pub(super) fn refused(refused: &ApiError, back: &str) -> Response {
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            (head("Not done"))
            body {
                div.page { main #main {
                    (message("That was not done", &html! {
                        p { (parts::capital(refused.detail())) "." }
                        p { a href=(back) { "Back" } }
                    }))
                } }
            }
        }
    };
    (refused.status, body).into_response()
}

fn message(title: &str, what: &Markup) -> Markup {
    html! { div.panel.message { h1 { (title) } (what) } }
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            link rel="icon" href=(TAB_ICON);
            link rel="stylesheet" href="/_sim/assets/sim.css";
            script type="module" src="/_sim/assets/sim.js" {}
        }
    }
}

fn document(title: &str, seen: &Seen, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body.sim {
                a.skip href="#main" { "Skip to content" }
                (parts::shapes())
                header.bar {
                    a.brand href=(seen.start()) aria-label="PD, stand-in for PagerDuty, start page" { "PD" }
                    nav aria-label="Pages" {
                        a href=(seen.start()) { "Stand-in for PagerDuty" }
                        span.count.red[seen.open > 0] #open-count data-live {
                            @if seen.open > 0 { (seen.open) " open" } @else { "none open" }
                        }
                    }
                    (panels::hands(seen))
                }
                div.page { main #main tabindex="-1" { (body) } }
                p #said role="status" {}
            }
        }
    }
}

/// Where a form of the control API goes.
fn at(path: &str) -> String {
    format!("{}/{path}", control::PREFIX)
}
