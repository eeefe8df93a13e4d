//! Taking a connection away: what goes, what stays, and the choice to erase what it brought.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_engine::connector;
use im_store::{StoreError, Tx, incidents, outbox};
use maud::{Markup, html};

use super::{address, unlink_address};
use crate::http::api::connectors::remove;
use crate::http::error::ApiError;
use crate::web::guard::{Fields, Visit};
use crate::web::integrations;
use crate::web::layout::{Live, Page};
use crate::web::load;
use crate::web::parts;
use crate::web::said::Told;
use crate::web::{WebState, failed, layout, to};

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    page(&state, &visit, &name, None).await
}

/// Removes the connector, if its name was typed.
pub(in crate::web) async fn unlink(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
    fields: Fields,
) -> Response {
    let done = async {
        if fields.get("name") != name {
            let detail = format!("`{}` is not the name of the connection", fields.get("name"));
            return Err(ApiError::wrong_value("name", detail)
                .hint(format!("type `{name}` to unlink it; nothing was changed")));
        }
        let purge = match fields.get("data") {
            "keep" => false,
            "purge" => true,
            _ => {
                return Err(ApiError::wrong_value(
                    "data",
                    "it was not said what becomes of the incidents here",
                )
                .hint("choose to keep or to erase them; nothing was changed"));
            }
        };
        remove::take_away(&state, &name, purge).await
    };
    match done.await {
        Ok(checks) => {
            let mut told = Told::checks(&checks.lines);
            told.head = told.head.map(|head| format!("Unlinked {name}. {head}"));
            let address = state.said.keep(integrations::ADDRESS, told);
            to(address.as_deref().unwrap_or(integrations::ADDRESS))
        }
        Err(error) => page(&state, &visit, &name, Some((fields, error))).await,
    }
}

async fn page(
    state: &WebState,
    visit: &Visit,
    name: &str,
    refused: Option<(Fields, ApiError)>,
) -> Response {
    let (moment, looking, of) = (state.moment(), visit.clone(), name.to_owned());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let shell = load::shell(tx, &looking)?;
        if connector::load(tx, &of)?.is_none() {
            return Ok((shell, None));
        }
        let (pending, parked) = outbox::counts(tx, &of)?;
        Ok::<_, StoreError>((shell, Some((incidents::linked(tx, &of)?, pending + parked))))
    });
    let (shell, counts) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let Some(counts) = counts else {
        let page = layout::no_connector(&shell, name, moment);
        return (StatusCode::NOT_FOUND, page).into_response();
    };
    let (fields, error) = refused.unzip();
    let status = error.as_ref().map_or(StatusCode::OK, |error| error.status);
    let title = format!("Unlink {name}");
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href=(integrations::ADDRESS) { "Integrations" } " / " a href=(address(name)) { (name) } " / " span aria-current="page" { "Unlink" }
        }
        h1 { (title) }
        @if let Some(error) = &error { div.answer { (parts::problem(error)) } }
        div.panel.pad.entry.wide { (parts::form(&unlink_address(name), visit, &form(name, counts, fields.as_ref()))) }
    };
    let head = Page {
        title: &title,
        entry: &address(name),
        live: Live::Still,
    };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}

fn form(name: &str, (incidents, waiting): (i64, i64), fields: Option<&Fields>) -> Markup {
    let is_purge = fields.is_some_and(|fields| fields.get("data") == "purge");
    html! {
        ul.plain {
            li { "Neither side hears of the other any more; nothing at PagerDuty is changed or resolved." }
            li { "The webhook that was made is removed at PagerDuty, and key or sign-in and signing secrets are destroyed here." }
            @if waiting > 0 { li { strong { "Changes that PagerDuty has not taken: " (waiting) ". They are not sent." } } }
        }
        fieldset {
            legend { "The incidents that it has here: " (incidents) }
            label.tick { input type="radio" name="data" value="keep" required checked[!is_purge]; "Keep them, with their history and figures" }
            label.tick { input type="radio" name="data" value="purge" checked[is_purge]; "Erase them here, with all their history and all deliveries, for good" }
        }
        label { "Type " (name) " to confirm" input type="text" name="name" required autocomplete="off" spellcheck="false"; }
        p.choices {
            button.button.danger type="submit" { "Unlink " (name) }
            a.button href=(address(name)) { "Leave it connected" }
        }
    }
}
