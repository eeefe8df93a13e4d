//! Saved views of the list: names for addresses. They are kept for each account and, while nobody has
//! one, for the machine.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use im_store::audit::Kind;
use im_store::{StoreError, Tx, settings};
use serde::{Deserialize, Serialize};

use super::acts::{self, Acted};
use super::guard::{Fields, Visit};
use super::list::Asked;
use super::{WebState, to};
use crate::access::Who;
use crate::access::audit::Note;
use crate::http::error::ApiError;

/// More are not looked through in a menu.
const VIEWS_MAX: usize = 50;
const NAME_CHARS_MAX: usize = 60;

/// A view with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) name: String,
    /// Its address on this server.
    pub(super) address: String,
}

/// The setting that has the views of somebody.
fn setting(who: Option<&Who>) -> String {
    match who.filter(|who| who.kind == Kind::Account) {
        Some(who) => format!("views of {}", who.name),
        None => "views".to_owned(),
    }
}

fn stored(tx: &mut Tx<'_>, setting: &str) -> Result<Vec<Saved>, StoreError> {
    let stored = settings::get(tx, setting)?;
    let views = stored.and_then(|text| serde_json::from_str(&text).ok());
    Ok(views.unwrap_or_default())
}

/// The views of whoever looks, by name.
pub(super) fn of(tx: &mut Tx<'_>, visit: &Visit) -> Result<Vec<Saved>, StoreError> {
    stored(tx, &setting(visit.who.as_ref()))
}

/// Keeps the view that a form was sent from, in place of one of the same name.
pub(super) async fn save(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let asked = Asked::back(&fields, &who);
    let (name, setting) = (fields.get("name").to_owned(), setting(Some(&who)));
    let saved = Saved {
        name: name.clone(),
        address: asked.address.without("before").link(),
    };
    let done = async {
        let chars = name.chars().count();
        if chars == 0 || chars > NAME_CHARS_MAX {
            let detail = format!("the name of a view has 1 to {NAME_CHARS_MAX} characters");
            return Err(ApiError::wrong_value("name", detail).hint("say what it shows"));
        }
        asked.asking.clone()?;
        let kept = state.db.write(move |tx| {
            let mut views = stored(tx, &setting)?;
            views.retain(|view| view.name != saved.name);
            views.push(saved.clone());
            views.sort_by_key(|view| view.name.to_lowercase());
            if views.len() > VIEWS_MAX {
                let detail = format!("{VIEWS_MAX} views are saved already");
                return Err(ApiError::conflict("too_many", detail).hint("remove one first"));
            }
            let text = serde_json::to_string(&views).map_err(|_never| ApiError::internal())?;
            Ok(settings::put(tx, &setting, &text)?)
        });
        kept.await
    };
    match done.await {
        Ok(()) => (Note::thing(name), to(&asked.address.link())).into_response(),
        Err(error) => {
            let acted = Acted::refused(None, fields, error);
            acts::list(&state, &visit, asked, acted).await
        }
    }
}

/// Forgets a view.
pub(super) async fn remove(State(state): State<WebState>, who: Who, fields: Fields) -> Response {
    let (name, setting) = (fields.get("name").to_owned(), setting(Some(&who)));
    let asked = Asked::back(&fields, &who);
    let gone = name.clone();
    let done = state.db.write(move |tx| {
        let mut views = stored(tx, &setting)?;
        views.retain(|view| view.name != gone);
        let text = serde_json::to_string(&views).map_err(|_never| ApiError::internal())?;
        Ok::<_, ApiError>(settings::put(tx, &setting, &text)?)
    });
    match done.await {
        Ok(()) => (Note::thing(name), to(&asked.address.link())).into_response(),
        Err(error) => super::refused(&error, state.moment()),
    }
}
