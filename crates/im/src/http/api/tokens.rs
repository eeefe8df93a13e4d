//! Tokens: who may use the API from elsewhere.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use im_store::accounts::Role;
use im_store::tokens::{self, Scope, TokenRow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::audit::Note;
use crate::access::{Who, hash, people};
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::{Conflict, WrongValue};
use crate::organisation::is_email;
use crate::secret;

/// By this a scanner for lost secrets can tell one of ours.
const PREFIX: &str = "imt_";
const SECRET_BYTES: usize = 32;
/// A name goes into tables and log lines.
const NAME_CHARS_MAX: usize = 100;

/// A token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// What it is for.
    pub(crate) name: String,
    /// The person who acts with it.
    pub(crate) email: Option<String>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it was last used, to the minute.
    pub(crate) last_used_at: Option<Timestamp>,
    /// What it may do: `viewer`, `responder`, `admin` or `owner`.
    pub(crate) role: &'static str,
    /// What it may see beside what its role may: `personal_load`.
    pub(crate) scopes: Vec<&'static str>,
    /// The token itself: in the answer that makes it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        Self {
            name: row.name,
            email: row.email,
            created_at: row.created_at,
            last_used_at: row.used_at,
            role: row.role.as_str(),
            scopes: row.scopes.into_iter().map(Scope::as_str).collect(),
            secret: None,
        }
    }
}

/// List the tokens, oldest first
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "server", operation_id = "list_tokens",
    responses((status = 200, body = [Token], description = "The tokens, without their secrets")),
)]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<Token>>, ApiError> {
    let rows = app
        .db
        .read(|tx| Ok::<_, ApiError>(tokens::all(tx)?))
        .await?;
    Ok(Json(rows.into_iter().map(Token::from).collect()))
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for.
    pub(crate) name: String,
    /// The person who acts with it.
    pub(crate) email: Option<String>,
    /// What it may do: `viewer`, `responder` (unless given), `admin` or `owner`; not more than you may.
    pub(crate) role: Option<String>,
    /// What it may see beside what its role may: `personal_load` sees how single people respond.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
}

/// Make a token
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "server", operation_id = "create_token", request_body = NewToken,
    responses((status = 201, body = Token, description = "The token and its secret"), Conflict, WrongValue),
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Extension<Note>, Json<Token>), ApiError> {
    let token = make(&app, new, &who).await?;
    let note = Note::thing(token.name.clone());
    Ok((StatusCode::CREATED, note, Json(token)))
}

/// Makes a token; its secret is in what is returned, and nowhere else.
pub(crate) async fn make(app: &App, new: NewToken, who: &Who) -> Result<Token, ApiError> {
    let name = new.name.trim().to_owned();
    let is_clean = !name.contains(|c: char| c == '/' || c.is_control());
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || !is_clean {
        return Err(ApiError::wrong_value(
            "name",
            format!(
                "a token's name has 1 to {NAME_CHARS_MAX} characters, and no slash or line break"
            ),
        )
        .hint("name what it is for, e.g. ci"));
    }
    if let Some(email) = new.email.as_deref().filter(|email| !is_email(email)) {
        return Err(
            ApiError::wrong_value("email", format!("`{email}` is not an e-mail address"))
                .hint("write one like ann@example.com, or leave it out for a program"),
        );
    }
    let role = match &new.role {
        Some(word) => people::role(word)?,
        None => Role::Responder.min(who.role),
    };
    let scopes = scopes(&new.scopes)?;
    may_make(who, role, &scopes)?;
    may_be_for(who, new.email.as_deref())?;
    let secret = format!("{PREFIX}{}", hex::encode(secret::random::<SECRET_BYTES>()?));
    let now = app.clock.now();
    let token = Token {
        name: name.clone(),
        email: new.email.clone(),
        created_at: now,
        last_used_at: None,
        role: role.as_str(),
        scopes: scopes.iter().map(|scope| scope.as_str()).collect(),
        secret: Some(secret.clone()),
    };
    let hash = hash(&secret);
    let is_new = app
        .db
        .write({
            let name = name.clone();
            move |tx| {
                let email = new.email.as_deref();
                Ok::<_, ApiError>(tokens::insert(
                    tx,
                    &name,
                    &hash,
                    email,
                    (role, &scopes),
                    now,
                )?)
            }
        })
        .await?;
    if !is_new {
        return Err(
            ApiError::conflict("name_taken", format!("there is a token `{name}` already"))
                .hint(format!("`im token revoke {name}` ends it")),
        );
    }
    Ok(token)
}

/// Nobody makes a token that may do more than they may.
fn may_make(who: &Who, role: Role, scopes: &[Scope]) -> Result<(), ApiError> {
    who.must_be(role)?;
    match scopes.iter().find(|scope| !who.may(**scope)) {
        None => Ok(()),
        Some(scope) => {
            let word = scope.as_str();
            let detail = format!("you do not have `{word}`, so you cannot give it to a token");
            Err(
                ApiError::new(StatusCode::FORBIDDEN, "role", detail).hint(format!(
                    "`im token create NAME --scope {word}` on the server's own machine makes one"
                )),
            )
        }
    }
}

/// Whoever has a token for a person sees that person's load.
fn may_be_for(who: &Who, email: Option<&str>) -> Result<(), ApiError> {
    let is_own = |email: &str| {
        let own = who.own.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(email))
    };
    match email {
        Some(email) if !is_own(email) && !who.may(Scope::PersonalLoad) => {
            let detail =
                format!("a token for `{email}` sees how that person responds, and you may not");
            Err(ApiError::new(StatusCode::FORBIDDEN, "role", detail)
                .hint("leave the address out, or ask somebody with the right `personal_load`"))
        }
        _ => Ok(()),
    }
}

fn scopes(words: &[String]) -> Result<Vec<Scope>, ApiError> {
    let mut scopes = Vec::new();
    for word in words {
        let scope = Scope::parse(word).ok_or_else(|| {
            let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            let detail = format!("there is no scope `{word}`");
            ApiError::wrong_value("scopes", detail).hint(format!("there is {}", known.join(", ")))
        })?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

/// Make a token worthless
#[utoipa::path(
    delete, path = "/api/v1/tokens/{name}", tag = "server", operation_id = "revoke_token",
    params(("name" = String, Path, description = "Which")),
    responses(
        (status = 204, description = "It is worthless now"),
    ),
)]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    end(&app, name, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a token worthless.
pub(crate) async fn end(app: &App, name: String, who: &Who) -> Result<(), ApiError> {
    let who = who.clone();
    let given = name.clone();
    let was_there = app
        .db
        .write(move |tx| {
            let known = tokens::all(tx)?;
            if let Some(token) = known.iter().find(|token| token.name == given) {
                who.must_be(token.role)?;
            }
            Ok::<_, ApiError>(tokens::delete(tx, &given)?)
        })
        .await?;
    if was_there {
        Ok(())
    } else {
        Err(ApiError::not_found(format!("there is no token `{name}`"))
            .hint("`im token list` shows the tokens"))
    }
}
