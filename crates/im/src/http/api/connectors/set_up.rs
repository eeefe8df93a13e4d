//! What somebody who sets a connector up chooses from, by a key that is not stored.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use im_engine::connector::{self, Connector};
use im_pagerduty::{Answer, Call, User};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::ask::{ask, no_answer, trouble};
use super::lists::{self, UserView};
use super::probe::{self, Owner, Tried};
use crate::http::App;
use crate::http::api::types::Named;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::{NoAnswer, WrongValue};

/// What stands in the log in place of a connector's name.
const UNSAVED: &str = "(new)";

/// A key that is not stored. It is in no log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// The API key.
    pub(crate) api_key: String,
    /// Where PagerDuty's API is, unless the account is of its US region.
    pub(crate) base_url: Option<String>,
    /// Of a user who is looked for.
    pub(crate) email: Option<String>,
}

/// What PagerDuty says of a key, and what can be chosen with it.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// `account`, `user`, or `untold` where PagerDuty does not let the key ask.
    pub(crate) kind: &'static str,
    /// Whose key it is.
    pub(crate) owner: Option<UserView>,
    /// The base role of that user: `Manager`, `Global Admin` ...
    pub(crate) role: Option<String>,
    /// Whether it may change incidents.
    pub(crate) may_write: bool,
    /// The services; none where it may not list them.
    pub(crate) services: Vec<Named>,
    /// The escalation policies; none where it may not list them.
    pub(crate) policies: Vec<Named>,
}

/// Say what an API key is and may do, and what can be chosen with it; nothing is stored
#[utoipa::path(
    post, path = "/api/v1/key-probe", tag = "connectors", operation_id = "probe_key", request_body = Given,
    responses((status = 200, body = KeyView, description = "The key, services and policies"), WrongValue, NoAnswer),
)]
pub(crate) async fn probe(
    State(app): State<Arc<App>>,
    Body(given): Body<Given>,
) -> Result<Json<KeyView>, ApiError> {
    let connector = draft(&app, &given)?;
    let owner = match probe::must_do(&app, &connector, true).await? {
        Tried::Taken(owner, _) => owner,
        Tried::Silent(why, next) => return Err(no_answer(why, next)),
    };
    let written = probe::write(&app, &connector).await?;
    if probe::is_silent(&written) {
        let (why, next) = trouble(&connector, &written);
        return Err(no_answer(why, next));
    }
    let (kind, user) = match owner {
        Owner::Account => ("account", None),
        Owner::User(user) => ("user", Some(user)),
        Owner::Untold => ("untold", None),
    };
    Ok(Json(KeyView {
        kind,
        role: user.as_ref().and_then(probe::base_role).map(str::to_owned),
        owner: user.map(UserView::of),
        may_write: probe::lacks_right(&written).is_none(),
        // Whoever may not list them knows their ids.
        services: lists::all_services(&app, &connector)
            .await
            .unwrap_or_default(),
        policies: lists::all_policies(&app, &connector)
            .await
            .unwrap_or_default(),
    }))
}

/// Find PagerDuty's users of an e-mail address by a key that is not stored
#[utoipa::path(
    post, path = "/api/v1/key-probe/users", tag = "connectors", operation_id = "probe_users", request_body = Given,
    responses((status = 200, body = [UserView], description = "The users of that address: one, or none"), WrongValue, NoAnswer),
)]
pub(crate) async fn users(
    State(app): State<Arc<App>>,
    Body(given): Body<Given>,
) -> Result<Json<Vec<UserView>>, ApiError> {
    let connector = draft(&app, &given)?;
    let email = given.email.unwrap_or_default();
    let call = Call::FindUser {
        email: email.clone(),
    };
    let Answer::Users(page) = ask(&app, &connector, &call).await? else {
        return Err(ApiError::internal());
    };
    let found = page
        .items
        .into_iter()
        .filter(|user| has_address(user, &email));
    Ok(Json(found.map(UserView::of).collect()))
}

/// PagerDuty's search is loose.
pub(super) fn has_address(user: &User, email: &str) -> bool {
    let known = user.email.as_deref();
    known.is_some_and(|known| known.eq_ignore_ascii_case(email))
}

fn draft(app: &App, given: &Given) -> Result<Connector, ApiError> {
    let mut config = json!({
        "api_key": given.api_key.trim(),
        "sync_direction": "none",
        "custom": {"service_id": "P0", "from_email": "nobody@example.com"},
    });
    if let (Some(fields), Some(url)) = (config.as_object_mut(), &given.base_url) {
        fields.insert("base_url".to_owned(), url.as_str().into());
    }
    let parted = connector::part(&config.to_string())?;
    let api_key = app.vault.seal(&parted.config.api_key)?;
    Ok(probe::unsaved(UNSAVED, &parted, api_key, app.clock.now()))
}
