//! The form of the default filter (`http::api::default_filter`).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_store::{StoreError, Tx, settings};
use maud::{Markup, html};

use super::ADDRESS as CARDS;
use crate::http::api::default_filter::{Filter, SETTING, Urgent, VALUES_MAX, chosen, priorities};
use crate::http::error::ApiError;
use crate::web::guard::{Fields, Visit};
use crate::web::layout::{Live, Page};
use crate::web::load;
use crate::web::parts;
use crate::web::said::Told;
use crate::web::{WebState, failed, layout, to};

/// Where it is.
pub(in crate::web) const ADDRESS: &str = "/integrations/filter";
pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Response {
    page(&state, &visit, None).await
}

pub(super) async fn set(State(state): State<WebState>, visit: Visit, fields: Fields) -> Response {
    let asked = fields.clone();
    let put = state.db.write(move |tx| {
        let filter = read(&asked, &priorities(tx)?)?;
        settings::put(tx, SETTING, &filter.stored()?)?;
        Ok::<_, ApiError>(filter)
    });
    match put.await {
        Ok(filter) => {
            let told = Told::of(format!(
                "Figures are of {} from now on, unless a page says otherwise.",
                filter.words()
            ));
            let address = state.said.keep(CARDS, told);
            to(address.as_deref().unwrap_or(CARDS))
        }
        Err(error) => page(&state, &visit, Some((fields, error))).await,
    }
}

/// What a form chose.
fn read(fields: &Fields, known: &[(String, String)]) -> Result<Filter, ApiError> {
    match fields.get("by") {
        "all" => Ok(Filter::All),
        "urgency" => match fields.get("urgency") {
            "low" => Ok(Filter::Urgency(Urgent::Low)),
            _ => Ok(Filter::Urgency(Urgent::High)),
        },
        "priority" => {
            let is_chosen =
                |(id, _): &&(String, String)| fields.all("priority").any(|one| one == id);
            let chosen: Vec<_> = known
                .iter()
                .filter(is_chosen)
                .take(VALUES_MAX)
                .cloned()
                .collect();
            if chosen.is_empty() {
                let detail = "no priority was chosen";
                return Err(ApiError::wrong_value("priority", detail)
                    .hint("tick those that figures are to be of"));
            }
            Ok(Filter::Priority(chosen))
        }
        _ => Err(ApiError::wrong_value("by", "nothing was chosen")
            .hint("choose all, urgency or priority")),
    }
}

async fn page(state: &WebState, visit: &Visit, refused: Option<(Fields, ApiError)>) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        Ok::<_, StoreError>((load::shell(tx, &looking)?, chosen(tx)?, priorities(tx)?))
    });
    let (shell, now, known) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let (fields, error) = refused.unzip();
    let status = error.as_ref().map_or(StatusCode::OK, |error| error.status);
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(CARDS) { "Integrations" } " / " span aria-current="page" { "Default filter" } }
        h1 { "Default filter" }
        @if let Some(error) = &error { div.answer { (parts::problem(error)) } }
        p.lead { "Which incidents the figures of all pages are of. Each page shows it as a filter that can be taken away." }
        div.panel.pad.entry { (parts::form(ADDRESS, visit, &form(now.as_ref(), &known, fields.as_ref()))) }
    };
    let head = Page {
        title: "Default filter",
        entry: CARDS,
        live: Live::Still,
    };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}

fn form(now: Option<&Filter>, known: &[(String, String)], fields: Option<&Fields>) -> Markup {
    let by = match (fields, now) {
        (Some(fields), _) => fields.get("by"),
        (None, Some(Filter::Priority(_))) => "priority",
        (None, Some(Filter::All)) => "all",
        (None, Some(Filter::Urgency(_)) | None) => "urgency",
    };
    let is_low = match (fields, now) {
        (Some(fields), _) => fields.get("urgency") == "low",
        (None, now) => matches!(now, Some(Filter::Urgency(Urgent::Low))),
    };
    let is_ticked = |id: &str| match (fields, now) {
        (Some(fields), _) => fields.all("priority").any(|one| one == id),
        (None, Some(Filter::Priority(chosen))) => chosen.iter().any(|(known, _)| known == id),
        (None, _) => false,
    };
    html! {
        label.tick { input type="radio" name="by" value="urgency" checked[by == "urgency"]; "By urgency" }
        label { "Urgency"
            select name="urgency" {
                option value="high" selected[!is_low] { "high" }
                option value="low" selected[is_low] { "low" }
            }
        }
        label.tick { input type="radio" name="by" value="priority" checked[by == "priority"]; "By priority" }
        @if known.len() > 1 {
            div.ticks {
                @for (id, name) in known {
                    label.tick { input type="checkbox" name="priority" value=(id) checked[is_ticked(id)]; (name) }
                }
            }
        } @else {
            p.small { "No priorities of PagerDuty's are known here: the account has none, or they were not read yet." }
        }
        label.tick { input type="radio" name="by" value="all" checked[by == "all"]; "All incidents" }
        p.small { "The value counts that an incident had when it was triggered." }
        p.choices { button.button.primary type="submit" { "Set filter" } }
    }
}
