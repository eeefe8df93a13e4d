//! Who may come in by OpenID Connect (ADR 0023).
//!
//! Invariants
//! - Whoever was here before is known by the provider's own name for them; only who was not is known by an address, and
//!   then by a verified one.
//! - Nobody becomes more than a responder by it.

use axum::http::StatusCode;
use im_store::accounts::{self, AccountRow, Identity, Role};
use im_store::{StoreError, Tx, links};
use jiff::Timestamp;

use super::setting::Setting;
use crate::access::people::{self, EMAIL_CHARS_MAX};
use crate::http::error::ApiError;
use crate::organisation::is_email;

/// What the provider says of somebody who signed in there, once it is sure that it does.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// What it calls the person, for ever.
    pub(super) subject: String,
    /// The address, if it is verified.
    pub(super) email: Option<String>,
    /// What the person is called.
    pub(super) name: String,
}

/// The account of somebody, and the role that it began with if it was made now.
pub(super) fn admit(
    tx: &mut Tx<'_>,
    setting: &Setting,
    person: &Person,
    now: Timestamp,
) -> Result<(AccountRow, Option<Role>), ApiError> {
    let identity = Identity {
        issuer: setting.issuer.clone(),
        subject: person.subject.clone(),
    };
    if let Some(account) = accounts::find_identity(tx, &identity)? {
        return may(account).map(|account| (account, None));
    }
    let email = usable(person.email.as_deref(), &setting.host())?;
    if let Some(account) = accounts::find(tx, &email)? {
        let account = may(account)?;
        let known = account.identity.as_ref();
        if known.is_some_and(|known| known.issuer == identity.issuer) {
            return Err(another(&email, &setting.host()));
        }
        remember(tx, &email, &identity)?;
        return Ok((account, None));
    }
    let role = setting.role_of(&email).ok_or_else(|| unknown(&email))?;
    let name = people::name(&person.name).unwrap_or_default();
    accounts::insert(tx, &email, &name, role, false, now)?;
    remember(tx, &email, &identity)?;
    Ok((people::find(tx, &email)?, Some(role)))
}

/// From now on this one alone counts. An invitation that is still open would be another way in.
fn remember(tx: &mut Tx<'_>, email: &str, identity: &Identity) -> Result<(), StoreError> {
    accounts::set_identity(tx, email, Some(identity))?;
    links::end_of(tx, email)
}

fn refused(code: &'static str, detail: String) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, code, detail)
}

fn may(account: AccountRow) -> Result<AccountRow, ApiError> {
    if account.disabled_at.is_none() {
        return Ok(account);
    }
    let detail = format!("the account of {} is disabled", account.email);
    Err(refused("disabled", detail).hint("ask an admin, who can enable it on the page People"))
}

/// An address that can be that of an account. Letters of other scripts can look like those of somebody else.
fn usable(email: Option<&str>, host: &str) -> Result<String, ApiError> {
    let email = email.ok_or_else(|| {
        let detail = format!("{host} names no verified e-mail address of yours");
        refused("unverified", detail)
            .hint("verify your address there, then sign in again; or sign in with a password")
    })?;
    let address = people::address(email);
    if email.is_ascii() && is_email(&address) && address.len() <= EMAIL_CHARS_MAX {
        return Ok(address);
    }
    let detail = format!("the e-mail address that {host} names cannot be that of an account");
    Err(refused("unverified", detail).hint("ask an admin for an invitation by another address"))
}

fn another(email: &str, host: &str) -> ApiError {
    let detail = format!("somebody else at {host} signs in as {email}");
    refused("another_person", detail).hint(format!(
        "if both are you, ask an admin for `im user reset {email}`, which forgets who that was"
    ))
}

fn unknown(email: &str) -> ApiError {
    refused("unknown", format!("there is no account of {email}"))
        .hint("ask an admin for an invitation, on the page People or by `im user add`")
}
