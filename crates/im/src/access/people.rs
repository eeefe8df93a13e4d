//! Accounts: inviting people, giving roles, disabling, links for passwords.
//!
//! Invariants
//! - Nobody gives more than they have, and an admin changes nothing about admins and owners: whoever
//!   can reset an owner's password is one.
//! - There is always an owner who can sign in, once there was one.

use axum::http::StatusCode;
use im_store::accounts::{self, AccountRow, Role};
use im_store::audit::Kind;
use im_store::links::{self, LinkRow, Purpose};
use im_store::{StoreError, Tx, sessions};
use jiff::{SignedDuration, Timestamp};

use super::{Who, hash};
use crate::http::error::ApiError;
use crate::organisation::is_email;

/// How long an invitation can be used.
const INVITATION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a link for another password, or for the first owner, can be used.
const RESET: SignedDuration = SignedDuration::from_hours(24);
/// A name goes into tables and log lines.
const NAME_CHARS_MAX: usize = 100;
/// Longer than any address is.
pub const EMAIL_CHARS_MAX: usize = 254;

/// Where passwords are chosen.
pub const SET_PASSWORD: &str = "/set-password";

/// Somebody who is to sign in.
#[derive(Debug, Clone)]
pub struct New {
    /// Where they are written to.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may see how single people respond.
    pub personal_load: bool,
}

/// A link that somebody is to be given.
#[derive(Clone)]
pub struct Link {
    secret: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Link {
    /// Its address below that of the server.
    pub fn path(&self) -> String {
        format!("{SET_PASSWORD}?link={}", self.secret)
    }
}

/// An address in the form in which it is stored.
pub fn address(given: &str) -> String {
    given.trim().to_lowercase()
}

/// The role of a word.
pub fn role(word: &str) -> Result<Role, ApiError> {
    Role::parse(word).ok_or_else(|| {
        let detail = format!("there is no role `{word}`");
        ApiError::wrong_value("role", detail).hint("there are viewer, responder, admin and owner")
    })
}

/// A name that can be shown.
pub fn name(given: &str) -> Result<String, ApiError> {
    let name = given.trim();
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let detail = format!("a name has at most {NAME_CHARS_MAX} characters, in one line");
        return Err(ApiError::wrong_value("name", detail).hint("write a shorter one"));
    }
    Ok(name.to_owned())
}

/// The account of an address.
pub fn find(tx: &mut Tx<'_>, email: &str) -> Result<AccountRow, ApiError> {
    accounts::find(tx, &address(email))?.ok_or_else(|| {
        ApiError::not_found(format!("there is no account of `{email}`"))
            .hint("`im user list` shows the accounts")
    })
}

/// Makes an account, with a link to choose its password.
pub fn invite(
    tx: &mut Tx<'_>,
    who: &Who,
    new: &New,
    secret: &str,
    now: Timestamp,
) -> Result<(AccountRow, Link), ApiError> {
    let email = checked(&new.email)?;
    if !accounts::any(tx)? && new.role != Role::Owner {
        let detail = "the first account is that of an owner, who gives the roles of the others";
        return Err(ApiError::wrong_value("role", detail)
            .hint(format!("`im user add {email} --role owner`")));
    }
    may_give(who, new.role, new.personal_load)?;
    let name = name(&new.name)?;
    if !accounts::insert(tx, &email, &name, new.role, new.personal_load, now)? {
        let detail = format!("there is an account of {email} already");
        return Err(ApiError::conflict("email_taken", detail)
            .hint(format!("`im user reset {email}` makes a new link for it")));
    }
    links::end_first(tx)?;
    let account = find(tx, &email)?;
    let link = link(tx, Purpose::Invitation, Some(&email), secret, now)?;
    Ok((account, link))
}

/// Changes what an account may do; what is `None` stays.
pub fn set_role(
    tx: &mut Tx<'_>,
    who: &Who,
    email: &str,
    (role, personal_load): (Option<Role>, Option<bool>),
) -> Result<AccountRow, ApiError> {
    let account = find(tx, email)?;
    let role = role.unwrap_or(account.role);
    let personal_load = personal_load.unwrap_or(account.personal_load);
    may_change(who, &account)?;
    may_give(who, role, personal_load && !account.personal_load)?;
    if role != Role::Owner {
        must_leave_an_owner(tx, &account)?;
    }
    if role > account.role {
        // A link that somebody made for the lesser role must not lead to the greater one.
        links::end_of(tx, &account.email)?;
        sessions::end_of(tx, &account.email)?;
    }
    accounts::set_role(tx, &account.email, role, personal_load)?;
    find(tx, email)
}

/// Ends what an account may do, its sessions and its links.
pub fn disable(
    tx: &mut Tx<'_>,
    who: &Who,
    email: &str,
    now: Timestamp,
) -> Result<AccountRow, ApiError> {
    let account = find(tx, email)?;
    may_change(who, &account)?;
    must_leave_an_owner(tx, &account)?;
    if account.disabled_at.is_none() {
        accounts::set_disabled(tx, &account.email, Some(now))?;
    }
    links::end_of(tx, &account.email)?;
    sessions::end_of(tx, &account.email)?;
    find(tx, email)
}

/// Lets an account do again what it may.
pub fn enable(tx: &mut Tx<'_>, who: &Who, email: &str) -> Result<AccountRow, ApiError> {
    let account = find(tx, email)?;
    may_change(who, &account)?;
    accounts::set_disabled(tx, &account.email, None)?;
    find(tx, email)
}

/// Makes the password of an account worthless, forgets who signs in by OpenID Connect, ends its sessions, and makes a link for a new one.
pub fn reset(
    tx: &mut Tx<'_>,
    who: &Who,
    email: &str,
    secret: &str,
    now: Timestamp,
) -> Result<(AccountRow, Link), ApiError> {
    let account = find(tx, email)?;
    may_change(who, &account)?;
    if account.disabled_at.is_some() {
        let detail = format!("the account of {} is disabled", account.email);
        return Err(ApiError::conflict("disabled", detail)
            .hint(format!("`im user enable {}` first", account.email)));
    }
    if who.kind != Kind::Local {
        must_leave_an_owner(tx, &account)?;
    }
    accounts::set_password(tx, &account.email, None)?;
    sessions::end_of(tx, &account.email)?;
    sessions::succeeded(tx, &hash(&account.email))?;
    accounts::set_identity(tx, &account.email, None)?;
    let link = link(tx, Purpose::Reset, Some(&account.email), secret, now)?;
    Ok((find(tx, email)?, link))
}

/// A link for the first owner, unless there is an account.
pub fn first_owner(
    tx: &mut Tx<'_>,
    secret: &str,
    now: Timestamp,
) -> Result<Option<Link>, StoreError> {
    if accounts::any(tx)? {
        return Ok(None);
    }
    link(tx, Purpose::FirstOwner, None, secret, now).map(Some)
}

/// Makes the account of the first owner.
pub fn make_first(
    tx: &mut Tx<'_>,
    (email, given): (&str, &str),
    now: Timestamp,
) -> Result<AccountRow, ApiError> {
    if accounts::any(tx)? {
        let detail = "there is an account already, so this is not the first owner";
        return Err(ApiError::conflict("not_first", detail).hint("ask an owner for an invitation"));
    }
    let (email, name) = (checked(email)?, name(given)?);
    accounts::insert(tx, &email, &name, Role::Owner, true, now)?;
    find(tx, &email)
}

fn checked(given: &str) -> Result<String, ApiError> {
    let email = address(given);
    if is_email(&email) && email.len() <= EMAIL_CHARS_MAX {
        return Ok(email);
    }
    let detail = format!("`{}` is not an e-mail address", given.trim());
    Err(ApiError::wrong_value("email", detail).hint("write it like ann@example.com"))
}

fn link(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    email: Option<&str>,
    secret: &str,
    now: Timestamp,
) -> Result<Link, StoreError> {
    let lasts = match purpose {
        Purpose::Invitation => INVITATION,
        Purpose::FirstOwner | Purpose::Reset => RESET,
    };
    let row = LinkRow {
        purpose,
        email: email.map(str::to_owned),
        expires_at: now + lasts,
    };
    links::insert(tx, &hash(secret), &row, now)?;
    Ok(Link {
        secret: secret.to_owned(),
        expires_at: row.expires_at,
    })
}

/// Nobody but an owner gives a role that is not below their own, or the right to see single people.
pub fn may_give(who: &Who, role: Role, personal_load: bool) -> Result<(), ApiError> {
    if who.role == Role::Owner || (role < who.role && !personal_load) {
        return Ok(());
    }
    let given = if personal_load {
        "the right to see how single people respond".to_owned()
    } else {
        format!("the role {}", role.as_str())
    };
    Err(refused(&format!("only an owner can give {given}")))
}

fn may_change(who: &Who, account: &AccountRow) -> Result<(), ApiError> {
    if who.role == Role::Owner || account.role < who.role {
        return Ok(());
    }
    let (email, role) = (&account.email, account.role.as_str());
    Err(refused(&format!(
        "only an owner can change the account of {email}, who is {role}"
    )))
}

fn refused(detail: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "role", detail)
        .hint("ask an owner; `im user list` shows who that is")
}

/// Refuses to take the last owner who can sign in.
fn must_leave_an_owner(tx: &mut Tx<'_>, account: &AccountRow) -> Result<(), ApiError> {
    // One who was reset and has no password yet is the last one all the same.
    let is_owner = account.role == Role::Owner && account.disabled_at.is_none();
    if is_owner && accounts::other_owners(tx, &account.email)? == 0 {
        let detail = format!("the last owner who can sign in is {}", account.email);
        return Err(ApiError::conflict("last_owner", detail)
            .hint("make somebody else an owner first, and wait until they have a password"));
    }
    Ok(())
}
