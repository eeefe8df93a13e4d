//! Signing in and out, and choosing a password.
//!
//! Invariants
//! - A session begins with a secret of its own, whatever the browser had before.
//! - An address that nobody has is answered like a wrong password, after the same work.
//! - An attempt counts as failed before its password is compared, so attempts at the same time do
//!   not slip through. One that was never compared does not count.
//! - A session ends after [`IDLE`] without use and [`LASTS`] after it began.

use axum::http::StatusCode;
use im_pagerduty::Secret;
use im_store::accounts::{self, AccountRow, Role};
use im_store::links::{self, LinkRow, Purpose};
use im_store::sessions::{self, SessionRow, Used};
use im_store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};

use super::{Access, Whence, hash, new_secret, passwords, people};
use crate::http::error::ApiError;

/// A session that is not used for so long ends.
pub const IDLE: SignedDuration = SignedDuration::from_hours(24);
/// A session ends after this, however much it is used.
pub const LASTS: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A session is young for so long.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// How exactly it is known when a session was used.
const SEEN_GRAIN: SignedDuration = SignedDuration::from_mins(1);
/// Attempts that failed count for so long.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Failed attempts to sign in as somebody; after them nobody can for a while.
const BY_WHO_MAX: u32 = 5;
/// Failed attempts from one address, where many people may sit.
const BY_ADDRESS_MAX: u32 = 20;
/// Attempts are forgotten after this.
const ATTEMPTS_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// What a browser calls itself is cut here.
const AGENT_CHARS_MAX: usize = 200;

/// A browser that somebody signs in with.
#[derive(Clone)]
pub struct Browser {
    /// Where it is.
    pub from: Whence,
    /// What it calls itself.
    pub agent: String,
    /// The secret that it had before, which ends.
    pub before: Option<String>,
}

/// Why nobody is signed in.
#[derive(Debug)]
pub enum Refusal {
    /// The address and the password do not go together.
    Wrong,
    /// Too many attempts failed: not before this.
    Locked(Timestamp),
    /// Anything else.
    Other(ApiError),
}

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// Since when a session must have been used.
pub fn used(now: Timestamp) -> Used {
    Used {
        since: now - IDLE,
        now,
    }
}

/// The session of a secret and whose it is, if both still may be.
pub fn session(
    tx: &mut Tx<'_>,
    secret: &str,
    now: Timestamp,
) -> Result<Option<(SessionRow, AccountRow)>, StoreError> {
    let Some(session) = sessions::find(tx, &hash(secret), used(now))? else {
        return Ok(None);
    };
    let account = accounts::find(tx, &session.email)?;
    let account = account.filter(|account| account.disabled_at.is_none());
    Ok(account.map(|account| (session, account)))
}

/// Whether it is to be noted that a session is used.
pub fn is_news(session: &SessionRow, now: Timestamp) -> bool {
    now.duration_since(session.seen_at) >= SEEN_GRAIN
}

/// Signs somebody in, and answers with the secret of the session.
pub async fn sign_in(
    access: &Access,
    email: &str,
    password: Secret,
    browser: Browser,
) -> Result<String, Refusal> {
    let account = check(access, email, password, &browser.from).await?;
    begin(access, account, browser, |_, _| Ok(())).await
}

/// Changes the password of somebody who knows the old one. Every session ends, and a new one begins.
pub async fn change_password(
    access: &Access,
    email: &str,
    (old, new): (Secret, Secret),
    browser: Browser,
) -> Result<String, Refusal> {
    let account = check(access, email, old, &browser.from).await?;
    set_password(access, account, new, browser).await
}

async fn set_password(
    access: &Access,
    account: AccountRow,
    new: Secret,
    browser: Browser,
) -> Result<String, Refusal> {
    let hash = access.passwords.hash(new).await?;
    begin(access, account, browser, move |tx, account| {
        accounts::set_password(tx, &account.email, Some(&hash))?;
        account.password = Some(hash);
        sessions::end_of(tx, &account.email)?;
        Ok(())
    })
    .await
}

/// Whether a session may give its owner a first password: who signs in by a provider alone is locked out when that is
/// away, and nobody can let in the only owner. It must be young, so that a browser that was left open does not.
pub fn may_begin_password(session: &SessionRow, account: &AccountRow, now: Timestamp) -> bool {
    account.role == Role::Owner
        && account.password.is_none()
        && now.duration_since(session.made_at) < FRESH
}

/// Gives an owner who has none a password. Every session ends, and a new one begins.
pub async fn first_password(
    access: &Access,
    session: &str,
    new: Secret,
    browser: Browser,
) -> Result<String, Refusal> {
    let (now, session) = (access.clock.now(), session.to_owned());
    let asked = access.db.read(move |tx| {
        let session = sessions::find(tx, &session, used(now))?.ok_or(Refusal::Wrong)?;
        let account = accounts::find(tx, &session.email)?.ok_or(Refusal::Wrong)?;
        if may_begin_password(&session, &account, now) {
            return Ok::<_, Refusal>(account);
        }
        let detail = "only an owner who has no password, and signed in within the last ten minutes, chooses a first one here";
        Err(ApiError::new(StatusCode::FORBIDDEN, "first_password", detail)
            .hint("an owner signs in again; an admin gives others a link, on the page People")
            .into())
    });
    let account = asked.await?;
    set_password(access, account, new, browser).await
}

/// The account that an address and a password belong to.
async fn check(
    access: &Access,
    email: &str,
    password: Secret,
    from: &Whence,
) -> Result<AccountRow, Refusal> {
    let (now, from, email) = (access.clock.now(), from.clone(), people::address(email));
    let who = hash(&email);
    let asked = access.db.write(move |tx| {
        let network = network(&super::address(tx, &from)?);
        if let Some(until) = locked(tx, &who, &network, now)? {
            return Err(Refusal::Locked(until));
        }
        let attempt = sessions::attempt(tx, &who, &network, now)?;
        Ok((attempt, accounts::find(tx, &email)?))
    });
    let (attempt, account) = asked.await?;
    let account = account.filter(|account| account.disabled_at.is_none());
    let known = account
        .as_ref()
        .and_then(|account| account.password.clone());
    let is_right = match access.passwords.is_right(password, known).await {
        Ok(is_right) => is_right,
        // Nothing was compared, so nothing was guessed.
        Err(busy) => {
            let back = access.db.write(move |tx| sessions::take_back(tx, attempt));
            back.await?;
            return Err(busy.into());
        }
    };
    account.filter(|_| is_right).ok_or(Refusal::Wrong)
}

/// Begins a session for an account that is still as it was when its password was compared.
async fn begin(
    access: &Access,
    account: AccountRow,
    browser: Browser,
    change: impl FnOnce(&mut Tx<'_>, &mut AccountRow) -> Result<(), StoreError> + Send + 'static,
) -> Result<String, Refusal> {
    let (now, secret) = (access.clock.now(), new_secret()?);
    let made = secret.clone();
    let begun = access.db.write(move |tx| {
        let mut current = accounts::find(tx, &account.email)?.ok_or(Refusal::Wrong)?;
        if current.password != account.password || current.disabled_at.is_some() {
            return Err(Refusal::Wrong);
        }
        change(tx, &mut current)?;
        sessions::succeeded(tx, &hash(&account.email))?;
        insert(tx, &current.email, &made, &browser, now)?;
        Ok(())
    });
    begun.await?;
    Ok(secret)
}

/// Begins a session; the one that the browser had ends.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    email: &str,
    secret: &str,
    browser: &Browser,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(before) = &browser.before {
        sessions::end(tx, &hash(before))?;
    }
    let row = SessionRow {
        hash: hash(secret),
        email: email.to_owned(),
        made_at: now,
        expires_at: now + LASTS,
        address: super::address(tx, &browser.from)?,
        agent: browser.agent.chars().take(AGENT_CHARS_MAX).collect(),
        seen_at: now,
    };
    sessions::insert(tx, &row)
}

/// The link of a secret, if it can still be used.
pub fn link(tx: &mut Tx<'_>, secret: &str, now: Timestamp) -> Result<Option<LinkRow>, StoreError> {
    let Some(link) = links::find(tx, &hash(secret), now)? else {
        return Ok(None);
    };
    let is_void = match &link.email {
        Some(email) => {
            accounts::find(tx, email)?.is_none_or(|account| account.disabled_at.is_some())
        }
        None => accounts::any(tx)?,
    };
    Ok(Some(link).filter(|_| !is_void))
}

/// A password for whoever has a link.
#[derive(Clone)]
pub struct Chosen {
    /// The secret of the link.
    pub link: String,
    /// The password.
    pub password: Secret,
    /// The address and the name of the first owner; of nobody else.
    pub first: (String, String),
}

/// Uses a link up, and answers with whose password it was and the secret of a session.
pub async fn choose(
    access: &Access,
    chosen: Chosen,
    browser: Browser,
) -> Result<(String, String), Refusal> {
    let now = access.clock.now();
    let secret = chosen.link.clone();
    let link = access.db.read(move |tx| link(tx, &secret, now)).await?;
    // Hashing is work, so a link is looked up first.
    let link = link.ok_or_else(gone)?;
    let email = link
        .email
        .clone()
        .unwrap_or(people::address(&chosen.first.0));
    if let Some(fault) = passwords::fault(chosen.password.expose(), &email) {
        return Err(passwords::refuse(fault).into());
    }
    let password = access.passwords.hash(chosen.password).await?;
    let session = new_secret()?;
    let made = session.clone();
    let done = access.db.write(move |tx| {
        let (secret, now) = (&chosen.link, now);
        if !links::take(tx, &hash(secret), now)? {
            return Err(gone());
        }
        let account = match (link.purpose, &link.email) {
            (Purpose::FirstOwner, _) | (_, None) => {
                let (email, name) = &chosen.first;
                people::make_first(tx, (email, name), now)?
            }
            (Purpose::Invitation | Purpose::Reset, Some(email)) => people::find(tx, email)?,
        };
        if account.disabled_at.is_some() {
            return Err(gone());
        }
        accounts::set_password(tx, &account.email, Some(&password))?;
        sessions::end_of(tx, &account.email)?;
        sessions::succeeded(tx, &hash(&account.email))?;
        insert(tx, &account.email, &made, &browser, now)?;
        Ok::<_, ApiError>(account.email)
    });
    Ok((done.await?, session))
}

fn gone() -> ApiError {
    let detail = "this link was used, replaced by a newer one, or is over";
    ApiError::new(StatusCode::GONE, "link_over", detail).hint(
        "ask whoever gave it for another, or run `im user reset EMAIL` on the server's machine",
    )
}

/// Until when nobody may try, if too many attempts failed.
fn locked(
    tx: &mut Tx<'_>,
    who: &str,
    network: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let by_who = sessions::tried_by_who(tx, who, now - WINDOW, BY_WHO_MAX)?;
    Ok(until(&by_who, BY_WHO_MAX).max(locked_network(tx, network, now)?))
}

/// The same for a network, whoever tries there.
pub(super) fn locked_network(
    tx: &mut Tx<'_>,
    network: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let tried = sessions::tried_by_address(tx, network, now - WINDOW, BY_ADDRESS_MAX)?;
    Ok(until(&tried, BY_ADDRESS_MAX))
}

/// When the oldest of those that are too many has grown old.
fn until(tried: &[Timestamp], most: u32) -> Option<Timestamp> {
    let is_full = u32::try_from(tried.len()).is_ok_and(|tried| tried >= most);
    tried.last().filter(|_| is_full).map(|at| *at + WINDOW)
}

/// What one person can have: an address, or with IPv6 the network that a provider gives.
pub(super) fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(std::net::IpAddr::V4(_)) | Err(_) => address.to_owned(),
    }
}

/// Forgets what is over.
pub(super) fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    sessions::forget(tx, used(now), now - ATTEMPTS_KEPT)?;
    links::forget(tx, now)
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn whoever_has_a_network_of_the_newer_kind_counts_once() {
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(network(""), "");
    }
}
