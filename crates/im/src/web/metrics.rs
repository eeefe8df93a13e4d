//! The pages of figures: an overview, a page for each metric, and what is behind them.
//!
//! Invariants
//! - Every view has an address: its parameters are those of the API, and its figures are the API's.
//! - A page asks the engine once for each figure that it shows; who asks for the same page at once waits for one answer ([`super::shared`]).
//! - Nothing here is about single people, unless who looks has the right `personal_load`.
//!
//! Absent: computing anything. That is `im_metrics`' business.

pub(super) mod about;
mod asked;
mod bar;
mod chart;
mod definition;
mod findings;
mod groups;
mod heat;
mod insight;
mod items;
mod marks;
mod overview;
mod page;
mod part;
mod report;
mod scale;
mod slots;
mod spark;
mod who;
mod words;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use im_metrics::{Dimension, PageSource};
use im_store::StoreError;
use im_store::tokens::Scope;
use jiff::Timestamp;
use maud::Markup;
use tokio::sync::OwnedMutexGuard;

use super::address;
use super::guard::Visit;
use super::integrations::may_change;
use super::layout::{self, Live, Page};
use super::load::{self, Shell};
use super::{Moment, Pairs, WebState, failed, reading};
use crate::cli::csv_of;
use crate::figures::Known;
use crate::http::api::default_filter::{Filter, chosen};
use crate::http::api::metrics::types;
use crate::http::error::ApiError;
use about::About;
use address::Address;
use asked::{Asked, Wrong};
use items::{Found, Rows};
use part::{OF_PART, Part};
pub(crate) use report::Report;

/// Where the overview is.
pub(super) const OVERVIEW: &str = "/overview";

/// Where the findings are.
pub(super) const FINDINGS: &str = "/findings";

/// What opens the form of filters.
const CHOOSE: &str = "choose";

/// The routes of the figures.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route(OVERVIEW, get(overview))
        .route("/overview/report.csv", get(report_as_csv))
        .route("/overview/report.json", get(report_as_json))
        .route(FINDINGS, get(findings))
        .route("/metric/{name}", get(metric))
        .route("/metric/{name}/items", get(listed))
        .route("/metric/{name}/figures.csv", get(as_csv))
        .route("/metric/{name}/figures.json", get(as_json))
}

/// Why a page is not the one that was asked for.
enum Not {
    /// The question cannot be answered.
    Asked(Wrong),
    /// The database does not answer.
    Read(StoreError),
}

impl From<Wrong> for Not {
    fn from(wrong: Wrong) -> Self {
        Self::Asked(wrong)
    }
}

impl From<StoreError> for Not {
    fn from(error: StoreError) -> Self {
        Self::Read(error)
    }
}

async fn overview(State(state): State<WebState>, visit: Visit, Query(pairs): Pairs) -> Response {
    let moment = state.moment();
    let address = Address::new(OVERVIEW, pairs);
    let made = async {
        let (address, choosing) = choosing(&address);
        let shell = state.db.read(reading(&visit, load::shell)).await?;
        let forms = (choosing, may_change(&visit));
        let key = format!("{} {forms:?}", address.link());
        let body = state.figured.make(key, async {
            let open = state.db.read(load::burning).await?;
            let filter = state.db.read(chosen).await?;
            let body = ask(&state, state.moment(), move |known, now| {
                overview::body((&address, filter.as_ref()), forms, &open, known, now)
            });
            Ok::<_, Not>(body.await??)
        });
        Ok((shell, body.await?))
    };
    respond(&state, ("Overview", OVERVIEW), moment, (&visit, made.await)).await
}

async fn report_as_csv(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    match report(&state, pairs).await {
        Ok(report) => file("text/csv; charset=utf-8", "report.csv", report.as_csv()),
        Err(not) => refuse(&state, &visit, state.moment(), not).await,
    }
}

async fn report_as_json(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    match report(&state, pairs).await {
        Ok(report) => {
            let text = serde_json::to_string(&report).expect("a report has text for keys");
            file("application/json", "report.json", text)
        }
        Err(not) => refuse(&state, &visit, state.moment(), not).await,
    }
}

/// What the overview of an address shows, for a file.
async fn report(state: &WebState, pairs: Vec<(String, String)>) -> Result<Report, Not> {
    let filter = state.db.read(chosen).await?;
    let address = Address::new(OVERVIEW, pairs);
    let report = ask(state, state.moment(), move |known, now| {
        Report::ask((&address, filter.as_ref()), known, now)
    });
    Ok(report.await??)
}

/// The same for the API, which has no default filter.
pub(crate) fn report_of(
    params: Vec<(String, String)>,
    known: &Known,
    now: Timestamp,
) -> Result<Report, ApiError> {
    let address = Address::new(OVERVIEW, params);
    Report::ask((&address, None), known, now).map_err(|wrong| wrong.error())
}

/// A file to be kept.
fn file(media: &'static str, name: &str, text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    // The name is one of ours.
    if let Ok(file) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, file);
    }
    response
}

async fn metric(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    Query(pairs): Pairs,
) -> Response {
    let moment = state.moment();
    let about = About::of(&name);
    let made = async {
        let about = about.ok_or_else(|| Wrong::no_page(&name))?;
        let filter = state.db.read(chosen).await?;
        let address = with_default(Address::new(about.address(), pairs), filter.as_ref(), about);
        let (address, choosing) = choosing(&address);
        let sees_people = sees_people(&visit);
        let key = format!("{} {choosing} {sees_people}", address.link());
        let asked = Asked::read(about, address, sees_people)?;
        let shell = state.db.read(reading(&visit, load::shell)).await?;
        let body = state.figured.make(key, async {
            let body = ask(&state, state.moment(), move |known, now| {
                page::body(&asked.meant(known), choosing, known, now)
            });
            Ok::<_, Not>(body.await??)
        });
        Ok((shell, body.await?))
    };
    let title = about.map_or("No such page", |about| about.title);
    let entry = about.map_or_else(String::new, About::address);
    respond(&state, (title, &entry), moment, (&visit, made.await)).await
}

async fn findings(State(state): State<WebState>, visit: Visit, Query(pairs): Pairs) -> Response {
    let moment = state.moment();
    let made = async {
        let filter = state.db.read(chosen).await?;
        let (address, choosing) = choosing(&Address::new(FINDINGS, pairs));
        let asked = findings::read(address, filter.as_ref(), sees_people(&visit))?;
        let known = state.figures.known(&state.db).await?;
        let (found, known, asked) = blocking(move || {
            let asked = asked.meant(&known);
            (findings::find(&asked, &known, moment.now.at), known, asked)
        })
        .await;
        let (found, looking) = (found?, visit.clone());
        let read = state
            .db
            .read(move |tx| Ok::<_, StoreError>((load::shell(tx, &looking)?, found.titled(tx)?)));
        let (shell, found) = read.await?;
        let body = move || findings::body(found, (&asked, choosing), &known, moment.now.at);
        Ok((shell, blocking(body).await?))
    };
    respond(&state, ("Findings", FINDINGS), moment, (&visit, made.await)).await
}

async fn listed(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    Query(pairs): Pairs,
) -> Response {
    let moment = state.moment();
    let about = About::of(&name);
    let made = async {
        let about = about.ok_or_else(|| Wrong::no_page(&name))?;
        let filter = state.db.read(chosen).await?;
        let address = Address::new(format!("{}/items", about.address()), pairs);
        let address = with_default(address, filter.as_ref(), about);
        let part = Part::read(&address)?;
        let question = address.only(|name, _| !OF_PART.contains(&name));
        let mut asked = Asked::read(about, question, sees_people(&visit))?;
        asked.address = address;
        let known = state.figures.known(&state.db).await?;
        let (found, known, asked, part) = blocking(move || {
            let asked = asked.meant(&known);
            let found = Found::ask(&asked, &part, &known, moment.now.at);
            (found, known, asked, part)
        })
        .await;
        let found = found?;
        let (numbers, ids) = found.named();
        let looking = visit.clone();
        let read = state.db.read(move |tx| {
            Ok::<_, StoreError>((load::shell(tx, &looking)?, Rows::read(tx, &numbers, &ids)?))
        });
        let (shell, rows) = read.await?;
        Ok((shell, found.body(&asked, &part, &rows, &known)))
    };
    let title = about.map_or("No such page", |about| about.title);
    respond(&state, (title, ""), moment, (&visit, made.await)).await
}

async fn as_csv(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    Query(pairs): Pairs,
) -> Response {
    exported(&state, &visit, &name, (pairs, "csv")).await
}

async fn as_json(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    Query(pairs): Pairs,
) -> Response {
    exported(&state, &visit, &name, (pairs, "json")).await
}

/// The figures of a page as a file: what the API answers to the same question.
async fn exported(
    state: &WebState,
    visit: &Visit,
    name: &str,
    (pairs, kind): (Vec<(String, String)>, &'static str),
) -> Response {
    let moment = state.moment();
    let made = async {
        let about = About::of(name).ok_or_else(|| Wrong::no_page(name))?;
        let filter = state.db.read(chosen).await?;
        let address = with_default(Address::new(about.address(), pairs), filter.as_ref(), about);
        let asked = Asked::read(about, address, sees_people(visit))?;
        let document = ask(state, moment, move |known, now| {
            let wrong = |error| Wrong::new(&error, &asked.address);
            // A file has no place to say what nobody knows.
            let query = known.meant(&asked.query).map_err(wrong)?;
            let answer = known.engine.answer(&query, now).map_err(wrong)?;
            let answer = types::Answer::new(&answer, &query, known);
            Ok::<_, Wrong>(serde_json::to_value(answer).expect("an answer has text for keys"))
        });
        Ok::<_, Not>(document.await??)
    };
    let document = match made.await {
        Ok(document) => document,
        Err(not) => return refuse(state, visit, moment, not).await,
    };
    let name = format!("{name}.{kind}");
    if kind == "csv" {
        let csv = csv_of(document).expect("an answer is read by whoever wrote it");
        file("text/csv; charset=utf-8", &name, csv)
    } else {
        file("application/json", &name, document.to_string())
    }
}

/// Whether who looks may see how single people respond.
pub(super) fn sees_people(visit: &Visit) -> bool {
    let who = visit.who.as_ref();
    who.is_some_and(|who| who.may(Scope::PersonalLoad))
}

/// The parameter of an address that has the default filter in it already, or is to be without.
const SETTLED: (&str, &str) = ("filter", "given");

/// An address with the default filter, unless it says itself which incidents it is of.
fn with_default(address: Address, filter: Option<&Filter>, about: &'static About) -> Address {
    let says = |name: &str| ["urgency", "priority", SETTLED.0].contains(&name);
    if address.pairs().any(|(name, _)| says(name)) {
        return address;
    }
    let params = filter.map(Filter::params).unwrap_or_default();
    let filters = Dimension::filters_of(about.metric, PageSource::Incidents);
    let can = |(name, _): &(&str, &str)| {
        Dimension::parse(name).is_some_and(|dimension| filters.contains(&dimension))
    };
    if params.is_empty() || !params.iter().all(can) {
        return address;
    }
    let settled = params
        .into_iter()
        .fold(address, |address, (name, value)| address.and(name, value));
    settled.and(SETTLED.0, SETTLED.1)
}

/// An address without what only opens a form, and whether it is open.
fn choosing(address: &Address) -> (Address, bool) {
    let is_open = address.get(CHOOSE).is_some();
    (address.without(CHOOSE), is_open)
}

/// Asks the engine where a scan of many incidents keeps nobody waiting.
async fn ask<T: Send + 'static>(
    state: &WebState,
    moment: Moment,
    ask: impl FnOnce(&Known, Timestamp) -> T + Send + 'static,
) -> Result<T, StoreError> {
    let known: OwnedMutexGuard<Known> = state.figures.known(&state.db).await?;
    Ok(blocking(move || ask(&known, moment.now.at)).await)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // A mistake of ours is answered where all are.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn respond(
    state: &WebState,
    (title, entry): (&str, &str),
    moment: Moment,
    (visit, made): (&Visit, Result<(Shell, Markup), Not>),
) -> Response {
    match made {
        Ok((shell, body)) => {
            let head = Page {
                title,
                entry,
                live: Live::Figures,
            };
            layout::page(&head, &shell, moment, &body).into_response()
        }
        Err(not) => refuse(state, visit, moment, not).await,
    }
}

async fn refuse(state: &WebState, visit: &Visit, moment: Moment, not: Not) -> Response {
    match not {
        Not::Read(error) => failed(&error, moment),
        Not::Asked(wrong) => match state.db.read(reading(visit, load::shell)).await {
            Ok(shell) => wrong.page(&shell, moment),
            Err(error) => failed(&error, moment),
        },
    }
}
