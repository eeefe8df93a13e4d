//! Who asks the API.
//!
//! A caller in this process is the local administrator. So is a caller over loopback, if this
//! server listens on loopback only and nothing hints at a proxy or a foreign page in between. Any
//! other caller needs a token, and each needs the role of the route (`access::rules`).
//!
//! Invariants
//! - A browser page of another site cannot act here: its `Origin` is not this host, and a name
//!   that was bent to point here is not a loopback name.
//! - Cookies are not looked at, so there is nothing that a browser could send by itself.
//! - Only hashes of tokens are stored.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use im_core::{Actor, ActorKind};
use im_store::accounts::{self, AccountRow};
use im_store::{StoreError, Tx, connectors, people, tokens};
use jiff::{SignedDuration, Timestamp};

use super::App;
use super::error::ApiError;
use super::input;
use crate::access::rules::{self, Need};
use crate::access::{Access, Who, hash};
use crate::organisation::is_email;

/// Whose act it is.
const ACTS_AS: &str = "im-as";
/// What a proxy adds; whoever comes through one is not on this machine.
const PROXY_MARKS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
/// How exactly it is known when a token was last used.
const USED_GRAIN: SignedDuration = SignedDuration::from_mins(1);

/// Marks a request that did not come over a network.
#[derive(Debug, Clone, Copy)]
pub struct InProcess;

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Absent only on a route that forgot the check.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(ApiError::internal)
    }
}

/// Lets a request through, with [`Who`] attached, or refuses it.
pub async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let rule = rules::of(request.method(), request.extensions());
    let Some(Need::Role(needed)) = rule.map(|rule| rule.need) else {
        tracing::error!("{} has no role, so nobody may ask it", request.uri().path());
        return ApiError::internal().into_response();
    };
    // A body cannot be shared between threads, so it is not held while we ask the database.
    let (mut parts, body) = request.into_parts();
    let body = match input::whole(body).await {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    let who = match who(&app.access, &parts).await {
        Ok(who) => who,
        Err(error) => return error.into_response(),
    };
    let mut response = match who.must_be(needed) {
        Ok(()) => {
            parts.extensions.insert(who.clone());
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    };
    response.extensions_mut().insert(who);
    response
}

async fn who(access: &Access, parts: &Parts) -> Result<Who, ApiError> {
    let acts_as = acts_as(&parts.headers)?.map(str::to_owned);
    let now = access.clock.now();
    if let Some(token) = bearer(&parts.headers)? {
        let hash = hash(token);
        let (token, who) = access
            .db
            .read(move |tx| {
                let token = tokens::by_hash(tx, &hash)?.ok_or_else(bad_token)?;
                let who = speaking(tx, &token, acts_as.as_deref())?;
                Ok::<_, ApiError>((token, who))
            })
            .await?;
        note_use(access, &token, now);
        return Ok(who);
    }
    is_local(access, parts).await?;
    let actor = match acts_as.clone() {
        None => administrator(),
        Some(email) => access
            .db
            .read(move |tx| known_person(tx, &email))
            .await
            .map_err(|error: StoreError| ApiError::from(error))?,
    };
    Ok(Who::local(actor, acts_as))
}

/// Who speaks by a token.
fn speaking(
    tx: &mut Tx<'_>,
    token: &tokens::TokenRow,
    acts_as: Option<&str>,
) -> Result<Who, ApiError> {
    let person = speaker(token, acts_as)?;
    let actor = match person {
        Some(email) => known_person(tx, email)?,
        None => machine(&token.name),
    };
    let account = account_of(tx, token)?;
    let for_other = person.filter(|person| Some(*person) != token.email.as_deref());
    let acts_as = for_other.map(str::to_owned);
    Ok(Who::token(token, account.as_ref(), actor, acts_as))
}

/// The account of the person that a token is for. One that is disabled ends the token, too.
fn account_of(tx: &mut Tx<'_>, token: &tokens::TokenRow) -> Result<Option<AccountRow>, ApiError> {
    let Some(email) = &token.email else {
        return Ok(None);
    };
    let account = accounts::find(tx, &email.to_lowercase())?;
    if account
        .as_ref()
        .is_some_and(|account| account.disabled_at.is_some())
    {
        let detail = format!(
            "the token `{}` is of {email}, whose account is disabled",
            token.name
        );
        return Err(
            ApiError::new(StatusCode::UNAUTHORIZED, "account_disabled", detail).hint(format!(
                "`im user enable {email}` on the server's machine enables it"
            )),
        );
    }
    Ok(account)
}

/// Whether the caller sits at this machine. Once somebody has an account, this process alone is trusted: a proxy
/// that sends no mark looks like a caller from here.
async fn is_local(access: &Access, parts: &Parts) -> Result<(), ApiError> {
    if parts.extensions.get::<InProcess>().is_some() {
        return Ok(());
    }
    if access.db.read(accounts::any).await? {
        return Err(no_token());
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let is_near = peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback());
    let headers = &parts.headers;
    let through_proxy = PROXY_MARKS.iter().any(|mark| headers.contains_key(*mark));
    if !access.trusts_loopback || !is_near || through_proxy {
        return Err(no_token());
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| {
            parts
                .uri
                .authority()
                .map(axum::http::uri::Authority::as_str)
        })
        .unwrap_or_default();
    if !is_loopback_name(host) {
        return Err(no_token());
    }
    let origin = headers.get(header::ORIGIN);
    let is_foreign = origin.is_some_and(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        origin.split_once("://").map(|(_, authority)| authority) != Some(host)
    });
    if is_foreign {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "a page of another site may not act here",
        )
        .hint("ask from a program, or from a page of this server"));
    }
    Ok(())
}

/// `localhost`, `127.0.0.1:8080`, `[::1]:8080`.
fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token.map(Some).ok_or_else(bad_token)
}

fn acts_as(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(ACTS_AS) else {
        return Ok(None);
    };
    let email = value.to_str().unwrap_or_default().trim();
    if is_email(email) {
        Ok(Some(email))
    } else {
        Err(
            ApiError::bad_request(format!("IM-As: `{email}` is not an e-mail address"))
                .hint("write IM-As: ann@example.com (`--as ann@example.com`)"),
        )
    }
}

/// The person for whom a token speaks now.
fn speaker<'a>(
    token: &'a tokens::TokenRow,
    acts_as: Option<&'a str>,
) -> Result<Option<&'a str>, ApiError> {
    match (token.email.as_deref(), acts_as) {
        (Some(own), Some(other)) if !own.eq_ignore_ascii_case(other) => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "not_your_name",
            format!("token `{}` speaks for {own}, not for {other}", token.name),
        )
        .hint("a token without a person of its own may act as anybody")),
        (own, acts_as) => Ok(acts_as.or(own)),
    }
}

fn known_person(tx: &mut Tx<'_>, email: &str) -> Result<Actor, StoreError> {
    for connector in connectors::all(tx)? {
        if let Some(user) = people::by_email(tx, &connector.name, email)? {
            return Ok(Actor {
                kind: ActorKind::User,
                id: Some(email.to_lowercase()),
                name: user.name,
            });
        }
    }
    Ok(Actor {
        kind: ActorKind::User,
        id: Some(email.to_lowercase()),
        name: None,
    })
}

fn administrator() -> Actor {
    Actor {
        kind: ActorKind::User,
        id: None,
        name: Some("the administrator".to_owned()),
    }
}

/// A program that acts in its own name.
fn machine(token: &str) -> Actor {
    Actor {
        kind: ActorKind::Api,
        id: None,
        name: Some(token.to_owned()),
    }
}

fn note_use(access: &Access, token: &tokens::TokenRow, now: Timestamp) {
    let is_known = token
        .used_at
        .is_some_and(|at| now.duration_since(at) < USED_GRAIN);
    if !is_known {
        let name = token.name.clone();
        // Nobody waits for it, and a lost note of a use harms nobody.
        drop(access.db.write(move |tx| tokens::used(tx, &name, now)));
    }
}

fn no_token() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "no_token", "this needs a token").hint(
        "`im token create NAME` on the server's machine makes one; send it as `Authorization: Bearer …` (IM_TOKEN)",
    )
}

fn bad_token() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "bad_token",
        "this token is not known here",
    )
    .hint("`im token list` on the server's machine shows the tokens; `im token create NAME` makes one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_near() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "127.0.0.1.evil.example",
        ] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }
}
