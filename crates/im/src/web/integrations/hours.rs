//! The working hours of the organisation, from a date on. Those of teams and people are for `im hours`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_store::{StoreError, Tx, arrangements};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::ADDRESS as CARDS;
use crate::http::api::organisation;
use crate::http::api::settings::time_zone;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::organisation::{Hours, Thing as _, Whose};
use crate::web::guard::{Fields, Visit};
use crate::web::layout::{Live, Page};
use crate::web::load;
use crate::web::parts;
use crate::web::said::Told;
use crate::web::{WebState, failed, layout, to};

/// Where it is.
pub(super) const ADDRESS: &str = "/integrations/hours";
/// The days, and whether they are usually worked on.
const DAYS: [(&str, bool); 7] = [
    ("monday", true),
    ("tuesday", true),
    ("wednesday", true),
    ("thursday", true),
    ("friday", true),
    ("saturday", false),
    ("sunday", false),
];
/// What figures go by until hours are set.
const USUAL: &str = "08:00-18:00";

pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Response {
    page(&state, &visit, None).await
}

pub(super) async fn set(State(state): State<WebState>, visit: Visit, fields: Fields) -> Response {
    let done = async {
        let hours: Hours = serde_json::from_value(wanted(&fields)).map_err(|error| {
            ApiError::wrong_value("hours", error.to_string())
                .hint("write parts of a day like 08:00-12:00, with commas between them; an empty day is free")
        })?;
        let app = State(Arc::clone(&state.app));
        organisation::put_hours(app, Body(hours)).await
    };
    match done.await {
        Ok((Extension(note), _)) => {
            let told = Told::of("Working hours are set, and figures follow.");
            let address = state.said.keep(CARDS, told);
            (Extension(note), to(address.as_deref().unwrap_or(CARDS))).into_response()
        }
        Err(error) => page(&state, &visit, Some((fields, error))).await,
    }
}

/// What a form says.
fn wanted(fields: &Fields) -> Value {
    let days = DAYS.into_iter().map(|(day, _)| {
        let parts = fields.get(day).split(',').map(str::trim);
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        (day.to_owned(), json!(parts))
    });
    let week: Map<String, Value> = days.collect();
    let zone = Some(fields.get("zone")).filter(|zone| !zone.is_empty());
    json!({
        "of": "organisation",
        "effective_from": fields.get("from"),
        "zone": zone,
        "week": week,
    })
}

async fn page(state: &WebState, visit: &Visit, refused: Option<(Fields, ApiError)>) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let hours: Vec<Hours> = arrangements::all(tx, Hours::SORT)?;
        Ok::<_, StoreError>((load::shell(tx, &looking)?, hours, time_zone(tx)?))
    });
    let (shell, mut hours, zone) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    hours.retain(|hours| hours.of == Whose::Organisation);
    hours.sort_by_key(|hours| hours.effective_from);
    let (fields, error) = refused.unzip();
    let status = error.as_ref().map_or(StatusCode::OK, |error| error.status);
    let last = hours
        .last()
        .and_then(|hours| serde_json::to_value(hours).ok());
    let first = moment.now.to_zoned(zone).date().first_of_year();
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(CARDS) { "Integrations" } " / " span aria-current="page" { "Working hours" } }
        h1 { "Working hours" }
        @if let Some(error) = &error { div.answer { (parts::problem(error)) } }
        p.lead { "By these, pages count as within or outside working hours. Teams and people may have their own: " code { "im hours set" } "." }
        div.panel.pad.entry {
            (parts::form(ADDRESS, visit, &form(last.as_ref(), &first.to_string(), fields.as_ref())))
        }
        @if !hours.is_empty() {
            section aria-labelledby="versions" {
                h2 #versions { "Set so far" }
                ul.panel.pad { @for version in &hours { li { "From " (version.effective_from) @if let Some(zone) = &version.zone { ", " (zone.as_str()) } } } }
            }
        }
    };
    let head = Page {
        title: "Working hours",
        entry: CARDS,
        live: Live::Still,
    };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}

fn form(last: Option<&Value>, first: &str, fields: Option<&Fields>) -> Markup {
    let stored = |day: &str, is_worked: bool| match last {
        None if is_worked => USUAL.to_owned(),
        None => String::new(),
        Some(last) => {
            let parts = last.get("week").and_then(|week| week.get(day)?.as_array());
            let parts = parts.into_iter().flatten().filter_map(Value::as_str);
            parts.collect::<Vec<_>>().join(", ")
        }
    };
    let typed =
        |name: &str, stored: String| fields.map_or(stored, |fields| fields.raw(name).to_owned());
    let zone = last
        .and_then(|last| last["zone"].as_str())
        .unwrap_or_default()
        .to_owned();
    html! {
        @for (day, is_worked) in DAYS {
            label { (parts::capital(day)) input type="text" name=(day) value=(typed(day, stored(day, is_worked))) placeholder="free" autocomplete="off"; }
        }
        label { "Time zone"
            input type="text" name="zone" value=(typed("zone", zone)) placeholder="each person's own" autocomplete="off";
            span.small { "A name like Europe/Berlin; empty: the zone that each person has at PagerDuty." }
        }
        label { "They hold from" input type="date" name="from" value=(typed("from", first.to_owned())) required; }
        p.small { "08:00-12:00, 13:00-17:00 is a day with a break; 22:00-06:00 ends on the next day." }
        p.choices { button.button.primary type="submit" { "Set working hours" } }
    }
}
