//! People and access: who may do what here, how they sign in, and what is kept of what they do.
//!
//! The API asks for tokens (`http::auth`), the pages for sessions (`web::guard`). Both look up the
//! same [`rules`], and what both let happen is kept in one place, [`audit`].
//!
//! Invariants
//! - Only hashes of passwords and of secrets are stored.
//! - While there is no account, the pages are for this machine alone; from the first one on, everybody
//!   signs in, at this machine, too (ADR 0018).
//!
//! Absent: HTML, and what is done with a right.

pub mod audit;
pub mod oidc;
pub mod passwords;
pub mod people;
pub mod rules;
pub mod sign_in;

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use im_core::{Actor, ActorKind};
use im_store::accounts::{AccountRow, Role};
use im_store::audit::Kind;
use im_store::tokens::Scope;
use im_store::{Db, StoreError, Tx};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::http::api::settings::trusted_proxy_hops;
use crate::http::error::ApiError;
use crate::secret;
use audit::Flood;
use oidc::Oidc;
use passwords::Passwords;

/// A secret that nobody guesses.
const SECRET_BYTES: usize = 32;

/// What decides who may do what.
pub struct Access {
    /// The accounts, sessions and tokens.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Whether the server listens on loopback only, so that a caller on this machine needs no token.
    pub trusts_loopback: bool,
    /// What hashes passwords.
    pub passwords: Passwords,
    /// Who is signing in by OpenID Connect.
    pub oidc: Oidc,
    /// What nobody who is known tried to do.
    flood: Flood,
    /// What nobody who is known asked to see.
    knocks: Flood,
    /// What known callers asked to see and may not.
    curious: Flood,
    /// Lines of the log about what is worth no row.
    scans: Flood,
}

impl Access {
    /// The access to a database.
    pub fn new(db: Db, clock: Clock, trusts_loopback: bool) -> Self {
        Self {
            db,
            clock,
            trusts_loopback,
            passwords: Passwords::default(),
            oidc: Oidc::default(),
            flood: Flood::default(),
            knocks: Flood::default(),
            scans: Flood::default(),
            curious: Flood::default(),
        }
    }
}

/// Who asks, once that is settled.
#[derive(Debug, Clone)]
pub struct Who {
    /// The one whose act it is.
    pub actor: Actor,
    /// What it may do.
    pub role: Role,
    /// How it is known.
    pub kind: Kind,
    /// By which name: an e-mail address, the name of a token.
    pub name: String,
    /// For whom a token acts.
    pub acts_as: Option<String>,
    /// Whether it may see how single people respond.
    personal_load: bool,
    /// The person who it is, who may see what they were paged for themselves.
    pub own: Option<String>,
}

impl Who {
    /// Whoever sits at the machine of the server: it may do everything.
    pub fn local(actor: Actor, acts_as: Option<String>) -> Self {
        Self {
            actor,
            role: Role::Owner,
            kind: Kind::Local,
            name: String::new(),
            acts_as,
            personal_load: true,
            own: None,
        }
    }

    /// A token, which may do what it may and what the person whom it is for may, too.
    pub fn token(
        token: &im_store::tokens::TokenRow,
        person: Option<&AccountRow>,
        actor: Actor,
        acts_as: Option<String>,
    ) -> Self {
        Self {
            actor,
            role: person.map_or(token.role, |person| person.role.min(token.role)),
            kind: Kind::Token,
            name: token.name.clone(),
            acts_as,
            personal_load: token.scopes.contains(&Scope::PersonalLoad)
                && person.is_none_or(|person| person.personal_load),
            own: token.email.clone(),
        }
    }

    /// A person who signed in.
    pub fn account(account: &AccountRow) -> Self {
        Self {
            actor: Actor {
                kind: ActorKind::User,
                id: Some(account.email.clone()),
                name: (!account.name.is_empty()).then(|| account.name.clone()),
            },
            role: account.role,
            kind: Kind::Account,
            name: account.email.clone(),
            acts_as: None,
            personal_load: account.personal_load,
            own: Some(account.email.clone()),
        }
    }

    /// Whether it may do what only some may.
    pub fn may(&self, scope: Scope) -> bool {
        match scope {
            Scope::PersonalLoad => self.personal_load,
        }
    }

    /// Who it is, for people.
    pub fn label(&self) -> &str {
        let name = self.actor.name.as_deref().or(self.actor.id.as_deref());
        name.unwrap_or(&self.name)
    }

    /// Refuses who has less than `role`.
    pub fn must_be(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        let (needed, has) = (role.as_str(), self.role.as_str());
        let subject = match self.kind {
            Kind::Token => format!("the token `{}` has", self.name),
            Kind::Account | Kind::Local | Kind::Nobody => "you have".to_owned(),
        };
        let detail = format!("this needs the role {needed}, and {subject} the role {has}");
        let hint = match self.kind {
            Kind::Token => format!("`im token create NAME --role {needed}` makes a token that may"),
            Kind::Account | Kind::Local | Kind::Nobody => {
                "an owner gives roles, on the page People or by `im user role`".to_owned()
            }
        };
        Err(ApiError::new(StatusCode::FORBIDDEN, "role", detail).hint(hint))
    }
}

/// A new secret, as text.
pub fn new_secret() -> Result<String, ApiError> {
    let bytes = secret::random::<SECRET_BYTES>().map_err(|_no_randomness| ApiError::internal())?;
    Ok(hex::encode(bytes))
}

/// What of a secret is stored.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// Where a request comes from, as far as our own proxies can be believed; empty: not over a network.
pub fn address(tx: &mut Tx<'_>, whence: &Whence) -> Result<String, StoreError> {
    let Some(peer) = whence.peer else {
        return Ok(String::new());
    };
    let hops = trusted_proxy_hops(tx)?;
    let sender = sender(peer, &whence.forwarded, hops).unwrap_or(peer);
    Ok(sender.to_canonical().to_string())
}

/// What a request says of whence it comes.
#[derive(Debug, Clone)]
pub struct Whence {
    peer: Option<IpAddr>,
    forwarded: Vec<String>,
}

impl Whence {
    /// What these say.
    pub fn of(parts: &Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Self {
            peer: peer.map(|ConnectInfo(peer)| peer.ip()),
            forwarded: forwarded(&parts.headers),
        }
    }
}

/// The addresses that proxies say they had requests from, the nearest last.
pub fn forwarded(headers: &HeaderMap) -> Vec<String> {
    let lists = headers.get_all("x-forwarded-for").iter();
    lists
        // What is no text is no address; what our own proxies added behind it is read all the same.
        .map(|list| String::from_utf8_lossy(list.as_bytes()))
        .flat_map(|list| {
            let entries = list.split(',').map(|entry| entry.trim().to_owned());
            entries.collect::<Vec<_>>()
        })
        .collect()
}

/// Who sent it. Each proxy adds the address of its own peer at the end of `X-Forwarded-For`, so
/// only as many of the last entries are to be believed as there are proxies of ours. What came
/// past them is judged by its own address.
pub fn sender(peer: IpAddr, forwarded: &[String], hops: usize) -> Option<IpAddr> {
    let Some(at) = forwarded.len().checked_sub(hops).filter(|_| hops > 0) else {
        return Some(peer);
    };
    let entry = forwarded.get(at)?;
    let bare = entry.trim_matches(['[', ']']);
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

/// Forgets what is kept for a time and is older than that.
pub fn forget(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    sign_in::forget(tx, now)?;
    audit::forget(tx, now)
}
