//! The default filter: which incidents figures on pages are of, unless the address of a page says so itself.
//!
//! An organisation goes by urgency or by priority, not by both. The value counts that an incident had when it
//! was triggered; `as_of=current` in an address asks by today's. The API knows no default: it answers what it is asked.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_core::Urgency;
use im_store::directory::{self, Kind};
use im_store::{StoreError, Tx, settings};
use maud::{Markup, html};

use super::ADDRESS as CARDS;
use crate::http::error::ApiError;
use crate::web::guard::{Fields, Visit};
use crate::web::layout::{Live, Page};
use crate::web::load;
use crate::web::parts;
use crate::web::said::Told;
use crate::web::{WebState, failed, layout, to};

/// Where it is.
pub(in crate::web) const ADDRESS: &str = "/integrations/filter";
/// The setting that holds it, as JSON.
const SETTING: &str = "default_filter";
/// What a filter calls incidents that have no priority.
const NONE: &str = "null";
/// An account has a handful of priorities.
const VALUES_MAX: usize = 20;

/// Which incidents figures are of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::web) enum Filter {
    /// All.
    All,
    /// Those of an urgency.
    Urgency(Urgent),
    /// Those of any of these priorities, each with its id and name.
    Priority(Vec<(String, String)>),
}

/// An urgency as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::web) enum Urgent {
    High,
    Low,
}

impl Urgent {
    fn as_str(self) -> &'static str {
        match self {
            Self::High => Urgency::High.as_str(),
            Self::Low => Urgency::Low.as_str(),
        }
    }
}

impl Filter {
    /// The parameters that it is.
    pub(in crate::web) fn params(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::All => Vec::new(),
            Self::Urgency(urgency) => vec![("urgency", urgency.as_str())],
            Self::Priority(priorities) => {
                let ids = priorities.iter();
                ids.map(|(id, _)| ("priority", id.as_str())).collect()
            }
        }
    }

    /// What it lets through, in words.
    pub(in crate::web) fn words(&self) -> String {
        match self {
            Self::All => "all incidents".to_owned(),
            Self::Urgency(urgency) => format!("incidents with {} urgency", urgency.as_str()),
            Self::Priority(priorities) => {
                let names: Vec<&str> = priorities.iter().map(|(_, name)| name.as_str()).collect();
                format!("incidents with priority {}", names.join(", "))
            }
        }
    }
}

/// The one that was chosen.
pub(in crate::web) fn chosen(tx: &mut Tx<'_>) -> Result<Option<Filter>, StoreError> {
    let stored = settings::get(tx, SETTING)?;
    Ok(stored.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The priorities that there are, the most severe first, by name.
fn priorities(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let mut current = BTreeMap::new();
    // Oldest first, so the last row is how it is now.
    for row in directory::of_kind(tx, Kind::Priority)? {
        current.insert(row.id.clone(), row);
    }
    let mut rows: Vec<_> = current
        .into_values()
        .filter(|row| row.until.is_none())
        .collect();
    rows.sort_by_key(|row| (row.about.rank, row.id.clone()));
    let named = rows.into_iter().map(|row| {
        let name = row.name.unwrap_or_else(|| row.id.clone());
        (row.id, name)
    });
    Ok(named
        .chain([(NONE.to_owned(), "none".to_owned())])
        .collect())
}

pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Response {
    page(&state, &visit, None).await
}

pub(super) async fn set(State(state): State<WebState>, visit: Visit, fields: Fields) -> Response {
    let asked = fields.clone();
    let put = state.db.write(move |tx| {
        let filter = read(&asked, &priorities(tx)?)?;
        let text = serde_json::to_string(&filter).map_err(|_never| ApiError::internal())?;
        settings::put(tx, SETTING, &text)?;
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
