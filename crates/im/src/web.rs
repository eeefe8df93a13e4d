//! The pages: what burns now, what happened to one incident, the figures, the connections to PagerDuty,
//! and who may sign in. Live. People act on incidents and connectors there, too.
//!
//! Invariants
//! - Nobody looks without the right to it ([`guard`]).
//! - A page is whole without script. The script only fetches the same page again when
//!   something changed, and puts what is new in its place.
//! - Nothing from outside is on a page: the content security policy allows our own files alone.
//!
//! A page that changes something has a rule (`access::rules`), a form made by [`parts::form`], which
//! [`guard`] checks before the handler runs, and a handler that takes `Who` and [`guard::Fields`].
//!
//! What is done to an incident or a connector is done by `http::api`, as the API does it.
//!
//! Absent: JSON (that is the API's business), and what may be done in which state.

mod account;
mod acts;
mod address;
mod assets;
mod audit;
mod calls;
mod connector;
mod consequences;
mod declare;
mod due;
mod facts;
pub(crate) mod guard;
mod help;
mod incident;
mod integrations;
mod keys;
mod layout;
mod list;
mod live;
mod load;
mod log;
pub(crate) mod metrics;
mod oncall;
mod paged_next;
mod pagerduty;
mod parts;
mod people;
mod related;
mod said;
mod seen_before;
mod settings;
mod severities;
mod shared;
mod sign_in;
mod status;
mod timeline;
mod times;
mod tokens;
mod views;

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, extract::Request};
use im_store::{StoreError, Tx};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::Markup;
use tokio::sync::watch;

use crate::access::Who;
use crate::http::App;
use crate::http::error::ApiError;
use acts::Acted;
use guard::Visit;
use integrations::Drafts;
use list::{Asked, Listed};
use oncall::Heard;
use said::Said;
use shared::Shared;
use times::Now;

/// What a browser may load: our own files, and small pictures that are part of a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the pages work with: what the API does, and what only they need.
#[derive(Clone)]
pub struct WebState {
    app: Arc<App>,
    /// A number that differs after each change of the incidents: that of the last fact.
    changes: watch::Receiver<i64>,
    /// What forms did lately.
    said: Arc<Said>,
    /// What PagerDuty said of who is on call.
    heard: Arc<Heard>,
    /// Keys that were tried and are not stored.
    drafts: Arc<Drafts>,
    /// Pages of figures that several wait for.
    figured: Arc<Shared<Markup>>,
    /// Lists that several wait for.
    listed: Arc<Shared<Arc<Listed>>>,
    /// The organisation's zone, as it was when somebody was admitted last: before each page that tells times.
    zone: Arc<Mutex<TimeZone>>,
}

impl Deref for WebState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl WebState {
    /// The pages of a server that is told of its changes by `changes`.
    pub fn new(app: Arc<App>, changes: watch::Receiver<i64>) -> Self {
        Self {
            app,
            changes,
            said: Arc::default(),
            heard: Arc::default(),
            drafts: Arc::default(),
            figured: Arc::default(),
            listed: Arc::default(),
            zone: Arc::new(Mutex::new(TimeZone::UTC)),
        }
    }

    /// Has pages tell their times in `zone` from now on.
    fn speak_of(&self, zone: &TimeZone) {
        let mut spoken = self.zone.lock().unwrap_or_else(PoisonError::into_inner);
        if *spoken != *zone {
            *spoken = zone.clone();
        }
    }

    /// The moment that a page is made in.
    fn moment(&self) -> Moment {
        let zone = self.zone.lock().unwrap_or_else(PoisonError::into_inner);
        Moment {
            now: Now::new(self.clock.now(), &zone),
            version: *self.changes.borrow(),
        }
    }
}

/// When a page was made.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: Now,
    /// Taken before the data is read, so that a change in between is told to the browser.
    version: i64,
}

/// The pages and what they need.
pub fn routes(state: WebState) -> Router {
    let check = middleware::from_fn_with_state(state.clone(), guard::check);
    Router::new()
        .route("/", get(incidents))
        .route("/views", post(views::save))
        .route("/views/remove", post(views::remove))
        .route("/chosen/acknowledge", post(acts::chosen))
        .route("/chosen/resolve", post(acts::chosen))
        .route("/declare", get(declare::show).post(declare::declare))
        .route("/incidents/{id}", get(one_incident))
        .route("/incidents/{id}/facts", get(facts::show))
        .route("/incidents/{id}/acknowledge", post(acts::act))
        .route("/incidents/{id}/resolve", post(acts::act))
        .route("/incidents/{id}/reopen", post(acts::act))
        .route("/incidents/{id}/close", post(acts::act))
        .route("/incidents/{id}/cancel", post(acts::act))
        .route("/incidents/{id}/note", post(acts::act))
        .route("/incidents/{id}/severity", post(acts::act))
        .route("/incidents/{id}/assign", post(acts::act))
        .route("/incidents/{id}/mitigate", post(acts::act))
        .route("/incidents/{id}/edit", post(acts::act))
        .route("/incidents/{id}/fields", post(acts::act))
        .route("/incidents/{id}/duplicate", post(acts::act))
        .route("/incidents/{id}/annotate", post(acts::act))
        .route("/incidents/{id}/delete", post(acts::act))
        .route("/on-call", get(oncall::show))
        .merge(integrations::routes())
        .merge(metrics::routes())
        .route("/live", get(live::ticks))
        .route("/help", get(help::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-in/oidc", get(sign_in::leave))
        .route("/sign-in/oidc/back", get(sign_in::come_back))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/set-password", get(sign_in::link).post(sign_in::choose))
        .route("/account", get(account::show))
        .route("/account/password", post(account::change_password))
        .route(
            "/account/sign-out-everywhere",
            post(account::sign_out_everywhere),
        )
        .route("/people", get(people::show).post(people::invite))
        .route("/people/{email}/role", post(people::set_role))
        .route("/people/{email}/disable", post(people::disable))
        .route("/people/{email}/enable", post(people::enable))
        .route("/people/{email}/reset", post(people::reset))
        .route("/audit", get(audit::show))
        .route("/audit/calls", get(calls::show))
        .route("/status", get(status::show))
        .route("/settings", get(settings::show).post(settings::change))
        .route("/settings/sign-in", post(settings::change_sign_in))
        .route("/settings/targets", post(settings::put_target))
        .route("/settings/targets/remove", post(settings::remove_target))
        .route("/settings/hours", post(settings::put_hours))
        .route("/settings/hours/remove", post(settings::remove_hours))
        .route("/settings/failure-rules", post(settings::put_rule))
        .route(
            "/settings/failure-rules/remove",
            post(settings::remove_rule),
        )
        .route("/tokens", get(tokens::show).post(tokens::make))
        .route("/tokens/revoke", post(tokens::revoke))
        .route(assets::CSS_PATH, get(assets::css))
        .route(assets::SCRIPT_PATH, get(assets::script))
        .route(assets::CHART_PATH, get(assets::chart))
        .route(assets::KEYS_PATH, get(assets::keys))
        .route(assets::AIDS_PATH, get(assets::aids))
        .route(assets::FONT_PATH, get(assets::font))
        .route_layer(check)
        .route_layer(middleware::from_fn(add_headers))
        .with_state(state)
}

/// Reads something for whoever looks.
fn reading<T, F>(
    visit: &Visit,
    read: F,
) -> impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + use<T, F>
where
    F: FnOnce(&mut Tx<'_>, &Visit) -> Result<T, StoreError>,
{
    let visit = visit.clone();
    move |tx| read(tx, &visit)
}

async fn add_headers(request: Request, next: Next) -> Response {
    with_headers(next.run(request).await)
}

/// Whether a page is asked for, as browsers do; others read text.
pub(crate) fn asks_for_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).map(HeaderValue::as_bytes);
    accepted.is_some_and(|kinds| kinds.starts_with(b"text/html"))
}

/// What a browser is shown at an address that nothing has.
pub(crate) fn nothing_here(now: Timestamp) -> Response {
    let now = Now::new(now, &TimeZone::UTC);
    let moment = Moment { now, version: 0 };
    with_headers((StatusCode::NOT_FOUND, layout::nothing_here(moment)).into_response())
}

fn with_headers(mut response: Response) -> Response {
    let headers: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With less, a browser would say `Origin: null` of our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What stands behind the question mark.
type Pairs = Query<Vec<(String, String)>>;

async fn incidents(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    headers: HeaderMap,
    pairs: Pairs,
) -> Response {
    let acted = Acted::told(&state, &pairs);
    let Query(pairs) = pairs;
    let asked = Asked::read(pairs, &who).again(&headers);
    acts::list(&state, &visit, asked, acted).await
}

async fn one_incident(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<String>,
    pairs: Pairs,
    headers: HeaderMap,
) -> Response {
    // A page that renews itself goes by what was said before.
    let acted = Acted::told(&state, &pairs).asking(!guard::is_by_itself(&headers));
    acts::one(&state, &visit, &id, acted).await
}

/// The page for a database that does not answer.
fn failed(error: &StoreError, moment: Moment) -> Response {
    let again = matches!(
        error,
        StoreError::Busy(_) | StoreError::Overloaded | StoreError::Unavailable(_)
    );
    tracing::error!(error = %chain(error), "cannot read a page from the database");
    let (status, code, next) = if again {
        let next = "it mostly passes within seconds: try again";
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable", next)
    } else {
        let next = "trying again will hardly help: a person has to look";
        (StatusCode::INTERNAL_SERVER_ERROR, "internal", next)
    };
    let error = ApiError::new(status, code, chain(error)).hint(next);
    let page: Markup = layout::unread(&error, again, moment);
    let retry = again.then_some([(header::RETRY_AFTER, layout::RETRY_SECONDS)]);
    match retry {
        Some(retry) => (status, retry, page).into_response(),
        None => (status, page).into_response(),
    }
}

/// The page that says why something was not done.
fn refused(error: &ApiError, moment: Moment) -> Response {
    let page = layout::refused(error, moment);
    (error.status, page).into_response()
}

/// To another page, by `GET`.
fn to(path: &str) -> Response {
    axum::response::Redirect::to(path).into_response()
}

/// An error and what is behind it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
