//! Accounts: people who sign in on the pages, and what they may do.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use im_store::Tx;
use im_store::accounts::{self, AccountRow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::settings::{served_at, stored_public_url};
use crate::access::audit::Note;
use crate::access::people::{self, Link, New};
use crate::access::{Who, new_secret};
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::{Conflict, WrongValue};

/// An account.
#[derive(Debug, Serialize, ToSchema)]
struct Account {
    /// Its address.
    email: String,
    /// What the person is called; empty if nobody said.
    name: String,
    /// `viewer`, `responder`, `admin` or `owner`.
    role: &'static str,
    /// Whether the person may see how single people respond.
    personal_load: bool,
    /// `active`, `invited` (nobody has signed in yet) or `disabled`.
    state: &'static str,
    /// When it was made.
    created_at: Timestamp,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            state: state(&row),
            email: row.email,
            name: row.name,
            role: row.role.as_str(),
            personal_load: row.personal_load,
            created_at: row.created_at,
        }
    }
}

/// How an account is.
pub(crate) fn state(row: &AccountRow) -> &'static str {
    if row.disabled_at.is_some() {
        "disabled"
    } else if row.password.is_some() || row.identity.is_some() {
        "active"
    } else {
        "invited"
    }
}

/// An account and a link with which its person chooses a password.
#[derive(Debug, Serialize, ToSchema)]
struct Invited {
    /// The account.
    account: Account,
    /// Its address below that of the server: in this answer, and never again.
    link: String,
    /// The whole address, if the server knows its own (`public_url`).
    url: Option<String>,
    /// The whole address for the server's own machine, if a server has run on this data.
    local_url: Option<String>,
    /// When the link ends.
    link_expires_at: Timestamp,
    /// Whether it is the first account: from now on everybody signs in, and the API needs a token.
    is_first: bool,
}

impl Invited {
    fn new(
        account: AccountRow,
        link: &Link,
        (public, local): (Option<String>, Option<String>),
        is_first: bool,
    ) -> Self {
        let path = link.path();
        let below = |base: String| format!("{base}{path}");
        Self {
            is_first,
            account: account.into(),
            url: public.map(below),
            local_url: local.map(below),
            link: path,
            link_expires_at: link.expires_at,
        }
    }
}

/// Somebody who is to sign in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// The address.
    email: String,
    /// What the person is called.
    #[serde(default)]
    name: String,
    /// `viewer`, `responder`, `admin` or `owner`; the first account is an owner's.
    role: String,
    /// Whether the person may see how single people respond.
    #[serde(default)]
    personal_load: bool,
}

/// What an account may do from now on; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rights {
    /// `viewer`, `responder`, `admin` or `owner`.
    role: Option<String>,
    /// Whether the person may see how single people respond.
    personal_load: Option<bool>,
}

/// The routes of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, invite))
        .routes(routes!(set_role))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(reset))
}

/// List the accounts, oldest first
#[utoipa::path(
    get, path = "/api/v1/accounts", tag = "access", operation_id = "list_accounts",
    responses((status = 200, body = [Account], description = "The accounts")),
)]
async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<Account>>, ApiError> {
    let rows = app
        .db
        .read(|tx| Ok::<_, ApiError>(accounts::all(tx)?))
        .await?;
    Ok(Json(rows.into_iter().map(Account::from).collect()))
}

/// Make an account, and a link with which its person chooses a password
#[utoipa::path(
    post, path = "/api/v1/accounts", tag = "access", operation_id = "invite", request_body = NewAccount,
    responses((status = 201, body = Invited, description = "The account and the link"), Conflict, WrongValue),
)]
async fn invite(
    State(app): State<Arc<App>>,
    who: Who,
    Body(new): Body<NewAccount>,
) -> Result<(StatusCode, Extension<Note>, Json<Invited>), ApiError> {
    let new = New {
        role: people::role(&new.role)?,
        email: new.email,
        name: new.name,
        personal_load: new.personal_load,
    };
    let made = linked(&app, move |tx, secret, now| {
        people::invite(tx, &who, &new, secret, now)
    });
    let made = made.await?;
    let note = Note::thing(made.account.email.clone());
    Ok((StatusCode::CREATED, note, Json(made)))
}

/// Change what an account may do
#[utoipa::path(
    post, path = "/api/v1/accounts/{email}/role", tag = "access", operation_id = "set_role", request_body = Rights,
    params(("email" = String, Path, description = "Whose")),
    responses((status = 200, body = Account, description = "The account now"), Conflict, WrongValue),
)]
async fn set_role(
    State(app): State<Arc<App>>,
    who: Who,
    Path(email): Path<String>,
    Body(rights): Body<Rights>,
) -> Result<Json<Account>, ApiError> {
    let role = rights.role.as_deref().map(people::role).transpose()?;
    change(&app, move |tx, _| {
        people::set_role(tx, &who, &email, (role, rights.personal_load))
    })
    .await
}

/// Disable an account: its sessions end, and tokens of its person are refused
#[utoipa::path(
    post, path = "/api/v1/accounts/{email}/disable", tag = "access", operation_id = "disable_account",
    params(("email" = String, Path, description = "Whose")),
    responses((status = 200, body = Account, description = "The account now"), Conflict),
)]
async fn disable(
    State(app): State<Arc<App>>,
    who: Who,
    Path(email): Path<String>,
) -> Result<Json<Account>, ApiError> {
    change(&app, move |tx, now| people::disable(tx, &who, &email, now)).await
}

/// Enable an account again
#[utoipa::path(
    post, path = "/api/v1/accounts/{email}/enable", tag = "access", operation_id = "enable_account",
    params(("email" = String, Path, description = "Whose")),
    responses((status = 200, body = Account, description = "The account now")),
)]
async fn enable(
    State(app): State<Arc<App>>,
    who: Who,
    Path(email): Path<String>,
) -> Result<Json<Account>, ApiError> {
    change(&app, move |tx, _| people::enable(tx, &who, &email)).await
}

/// Make the password of an account worthless and its sessions end, and make a link for a new one
#[utoipa::path(
    post, path = "/api/v1/accounts/{email}/reset", tag = "access", operation_id = "reset_password",
    params(("email" = String, Path, description = "Whose")),
    responses((status = 200, body = Invited, description = "The account and the link"), Conflict),
)]
async fn reset(
    State(app): State<Arc<App>>,
    who: Who,
    Path(email): Path<String>,
) -> Result<Json<Invited>, ApiError> {
    let made = linked(&app, move |tx, secret, now| {
        people::reset(tx, &who, &email, secret, now)
    });
    Ok(Json(made.await?))
}

/// Makes a link for an account.
async fn linked(
    app: &App,
    make: impl FnOnce(&mut Tx<'_>, &str, Timestamp) -> Result<(AccountRow, Link), ApiError>
    + Send
    + 'static,
) -> Result<Invited, ApiError> {
    let (secret, now) = (new_secret()?, app.clock.now());
    let done = app.db.write(move |tx| {
        let is_first = !accounts::any(tx)?;
        let (account, link) = make(tx, &secret, now)?;
        let bases = (stored_public_url(tx)?, served_at(tx)?);
        Ok::<_, ApiError>(Invited::new(account, &link, bases, is_first))
    });
    done.await
}

async fn change(
    app: &App,
    change: impl FnOnce(&mut Tx<'_>, Timestamp) -> Result<AccountRow, ApiError> + Send + 'static,
) -> Result<Json<Account>, ApiError> {
    let now = app.clock.now();
    let account = app.db.write(move |tx| change(tx, now)).await?;
    Ok(Json(account.into()))
}
