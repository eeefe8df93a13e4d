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

/// Google calls an address verified that somebody had once, whoever has its domain now. It knows only those of its own
/// mail and those of an organisation whose domain it names (claim `hd`).
const GOOGLE: &str = "https://accounts.google.com";
/// The domains of Google's own mail.
const GOOGLES: [&str; 2] = ["gmail.com", "googlemail.com"];

/// What OpenID Connect allows a provider to call somebody.
const SUBJECT_BYTES_MAX: usize = 255;

/// What the provider says of somebody who signed in there, once it is sure that it does.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// What it calls the person, for ever.
    pub(super) subject: String,
    /// The address, if it is verified.
    pub(super) email: Option<String>,
    /// The domain of the organisation that has the person's account at Google.
    pub(super) hosted: Option<String>,
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
    let subject = &person.subject;
    if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX || subject.contains('\0') {
        let host = setting.host();
        let detail = format!("what {host} calls you is no name: it must have 1 to 255 bytes");
        return Err(refused("subject", detail)
            .hint("an owner asks whoever runs the provider what the claim `sub` is"));
    }
    let identity = Identity {
        issuer: setting.issuer.clone(),
        subject: person.subject.clone(),
    };
    if let Some(account) = accounts::find_identity(tx, &identity)? {
        return may(account).map(|account| (account, None));
    }
    let email = usable(person, setting)?;
    if let Some(account) = accounts::find(tx, &email)? {
        return first_time(tx, account, &identity, &setting.host()).map(|account| (account, None));
    }
    let role = setting.role_of(&email).ok_or_else(|| unknown(&email))?;
    let name = people::name(&person.name).unwrap_or_default();
    accounts::insert(tx, &email, &name, role, false, now)?;
    let account = people::find(tx, &email)?;
    let account = first_time(tx, account, &identity, &setting.host())?;
    Ok((account, Some(role)))
}

/// Lets in somebody whom only the address names, if nobody has signed in as them before.
fn first_time(
    tx: &mut Tx<'_>,
    account: AccountRow,
    identity: &Identity,
    host: &str,
) -> Result<AccountRow, ApiError> {
    let account = may(account)?;
    match &account.identity {
        None => remember(tx, &account.email, identity)?,
        Some(known) if known == identity => {}
        Some(known) => return Err(another(&account.email, known, identity, host)),
    }
    Ok(account)
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
fn usable(person: &Person, setting: &Setting) -> Result<String, ApiError> {
    let host = setting.host();
    let email = person.email.as_deref().ok_or_else(|| {
        let detail = format!("{host} names no verified e-mail address of yours");
        refused("unverified", detail)
            .hint("verify your address there, then sign in again; or sign in with a password")
    })?;
    let address = people::address(email);
    if !email.is_ascii() || !is_email(&address) || address.len() > EMAIL_CHARS_MAX {
        let detail = format!("the e-mail address that {host} names cannot be that of an account");
        return Err(
            refused("unverified", detail).hint("ask an admin for an invitation by another address")
        );
    }
    if setting.issuer == GOOGLE && !is_googles(&address, person.hosted.as_deref()) {
        let detail = format!("Google does not say that {address} is of an organisation of its own");
        return Err(refused("unverified", detail).hint(
            "sign in with an account of Google Workspace of that domain, or with a password",
        ));
    }
    Ok(address)
}

/// Whether Google knows whose an address is today.
fn is_googles(address: &str, hosted: Option<&str>) -> bool {
    address.rsplit_once('@').is_some_and(|(_, domain)| {
        GOOGLES.contains(&domain)
            || hosted.is_some_and(|hosted| hosted.eq_ignore_ascii_case(domain))
    })
}

fn another(email: &str, known: &Identity, identity: &Identity, host: &str) -> ApiError {
    let detail = if known.issuer == identity.issuer {
        format!("somebody else at {host} signs in as {email}")
    } else {
        format!("{email} signs in by another provider, {}", known.issuer)
    };
    refused("another_person", detail).hint(format!(
        "if both are you, ask an admin for `im user reset {email}`, which forgets who that was"
    ))
}

fn unknown(email: &str) -> ApiError {
    refused("unknown", format!("there is no account of {email}"))
        .hint("ask an admin for an invitation, on the page People or by `im user add`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_vouches_for_its_own_mail_and_for_organisations_whose_domain_it_names() {
        let setting = |issuer: &str| Setting {
            issuer: issuer.to_owned(),
            client_id: "im".to_owned(),
            client_secret: None,
            domains: Vec::new(),
        };
        let is_usable = |issuer: &str, email: &str, hosted: Option<&str>| {
            let person = Person {
                subject: "24400320".to_owned(),
                email: Some(email.to_owned()),
                hosted: hosted.map(str::to_owned),
                name: String::new(),
            };
            usable(&person, &setting(issuer)).is_ok()
        };
        for (email, hosted) in [
            ("ann@example.com", Some("example.com")),
            ("ann@Example.com", Some("EXAMPLE.com")),
            ("ann@gmail.com", None),
            ("ann@googlemail.com", None),
        ] {
            assert!(is_usable(GOOGLE, email, hosted), "{email} {hosted:?}");
        }
        for (email, hosted) in [
            ("ann@example.com", None),
            ("ann@example.com", Some("evil.example")),
            ("ann@example.com", Some("ample.com")),
            ("ann@notgmail.com", None),
        ] {
            assert!(!is_usable(GOOGLE, email, hosted), "{email} {hosted:?}");
        }
        assert!(is_usable(
            "https://login.example.com",
            "ann@example.com",
            None
        ));
    }
}
