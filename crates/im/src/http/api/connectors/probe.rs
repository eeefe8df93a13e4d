//! What an API key is and may do: asked before it is stored, by a test, and for whoever sets a
//! connector up.
//!
//! Invariants
//! - A right to write is asked for by changing what is not there: nothing changes.
//! - A connector that sends nothing is asked by reads alone.
//! - A key that PagerDuty says no to is not stored. One that it says nothing to is, and its
//!   connector stays untested: PagerDuty may be ill, and this machine not connected yet.

use std::sync::Arc;

use im_engine::connector::{Connector, Parted};
use im_pagerduty::{Answer, Call, Change, Outcome, Refusal, User, Why};
use im_store::connectors::{ConnectorRow, State as RowState};
use jiff::Timestamp;

use super::ask::{outcome, trouble, wrong_key_next};
use crate::http::App;
use crate::http::api::types::Check;
use crate::http::error::ApiError;

/// An id that no incident has: changing it changes nothing, and tells whether we may.
const NO_INCIDENT: &str = "QWRITETESTOFIM";
/// An id that no webhook subscription has: switching it on changes nothing, and tells the same.
const NO_SUBSCRIPTION: &str = "PWRITETESTOFIM";

/// What is asked of a key before it is stored.
pub(super) const READS: &str = "API key may read incidents";
/// The same, where changes are sent.
pub(super) const WRITES: &str = "API key may change incidents";

/// Whose key it is.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    /// The whole account's.
    Account,
    /// A person's.
    User(User),
    /// PagerDuty takes it and does not let it ask.
    Untold,
}

impl Owner {
    /// Whose it is, for people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Account => "API key belongs to the account".to_owned(),
            Self::User(user) => format!("API key belongs to {}", name(user)),
            Self::Untold => "API key is taken; it may not ask whose it is".to_owned(),
        }
    }

    /// What makes a right of this key's missing.
    pub(super) fn lacks(&self) -> String {
        match self {
            Self::User(user) => match base_role(user) {
                Some(role) => format!("this key's user is {} (base role {role})", name(user)),
                None => format!("this key's user is {}", name(user)),
            },
            Self::Account => "this key of the account is read-only".to_owned(),
            Self::Untold => "this key's role is not told".to_owned(),
        }
    }
}

fn name(user: &User) -> &str {
    user.name.as_deref().unwrap_or(&user.id)
}

/// A base role by the name that PagerDuty's pages give it.
pub(super) fn base_role(user: &User) -> Option<&str> {
    Some(match user.role.as_deref()? {
        "owner" => "Account Owner",
        "admin" => "Global Admin",
        "user" => "Manager",
        "limited_user" => "Responder",
        "observer" => "Observer",
        "restricted_access" => "Restricted Access",
        "read_only_user" => "Full Stakeholder",
        "read_only_limited_user" => "Limited Stakeholder",
        other => other,
    })
}

/// Whose key it is, or what became of the question.
pub(super) async fn owner(
    app: &App,
    connector: &Connector,
) -> Result<Result<Owner, Outcome>, ApiError> {
    let found = match outcome(app, connector, &Call::ReadMe).await? {
        // Keys of the account have no owner: ask something that they may ask.
        Outcome::Refused(refusal) if refusal.why != Why::BadKey => {
            outcome(app, connector, &Call::ListAbilities).await?
        }
        found => found,
    };
    Ok(match found {
        Outcome::Done(Answer::User(me)) => Ok(Owner::User(me)),
        Outcome::Done(_) => Ok(Owner::Account),
        Outcome::Refused(refusal) if refusal.why != Why::BadKey => Ok(Owner::Untold),
        other => Err(other),
    })
}

/// Whether the key may change incidents.
pub(super) async fn write(app: &App, connector: &Connector) -> Result<Outcome, ApiError> {
    let call = Call::UpdateIncident {
        id: NO_INCIDENT.to_owned(),
        change: Change {
            title: Some("never seen".to_owned()),
            ..Change::default()
        },
        from: connector.config.custom.from_email.clone(),
    };
    outcome(app, connector, &call).await
}

/// Whether the key may make and remove webhooks.
pub(super) async fn manage_webhooks(app: &App, connector: &Connector) -> Result<Outcome, ApiError> {
    let id = NO_SUBSCRIPTION.to_owned();
    outcome(app, connector, &Call::EnableSubscription { id }).await
}

/// The refusal that means a missing right; whatever else is wrong, the key was let through.
pub(super) fn lacks_right(outcome: &Outcome) -> Option<&Refusal> {
    match outcome {
        Outcome::Refused(refusal) if matches!(refusal.why, Why::ReadOnly | Why::Forbidden) => {
            Some(refusal)
        }
        _ => None,
    }
}

/// A connector that is not stored: its key can be tried as if it were.
pub(super) fn unsaved(name: &str, parted: &Parted, api_key: String, now: Timestamp) -> Connector {
    let row = ConnectorRow {
        name: name.to_owned(),
        created_at: now,
        config: parted.stored.clone(),
        api_key,
        webhook_secrets: Vec::new(),
        subscription: None,
        state: RowState::Untested,
        state_reason: None,
        blocked_until: Timestamp::UNIX_EPOCH,
        log_cursor: None,
        next_sync_at: now,
        sync_cause: String::new(),
        last_sync_at: None,
        last_heard_at: None,
        gap: None,
    };
    Connector {
        row,
        mapping: parted.config.mapping(),
        config: Arc::new(parted.config.clone()),
        fields: Vec::new(),
    }
}

/// What PagerDuty said to a key that is to be stored.
pub(super) enum Tried {
    /// It takes it: whose it is, and what it may do.
    Taken(Owner, Vec<Check>),
    /// Nothing: why, and what to do.
    Silent(String, String),
}

/// Tries a key that is to be stored, and refuses one that cannot do what the connector is for.
pub(super) async fn must_do(
    app: &App,
    connector: &Connector,
    is_new: bool,
) -> Result<Tried, ApiError> {
    let owner = match owner(app, connector).await? {
        Ok(owner) => owner,
        Err(Outcome::Refused(refusal)) => return Err(bad_key(connector, &refusal, is_new)),
        Err(Outcome::Gone) => return Err(no_api(connector)),
        Err(other) => return Ok(silent(connector, &other)),
    };
    let mut lines = vec![Check::ok(owner.words())];
    match outcome(app, connector, &Call::ListOpenIncidents { offset: 0 }).await? {
        Outcome::Done(_) => lines.push(Check::ok(READS)),
        Outcome::Refused(refusal) => {
            let text = format!(
                "this key may not list incidents: PagerDuty refused ({refusal}); nothing was stored"
            );
            return Err(ApiError::wrong_value("key_cannot_read", text).hint(format!(
                "use a key that may read incidents; {}",
                owner.lacks()
            )));
        }
        Outcome::Gone => return Err(no_api(connector)),
        other => return Ok(silent(connector, &other)),
    }
    if connector.mapping.direction.sends() {
        let written = must_write(app, connector, is_new).await?;
        if is_silent(&written) {
            return Ok(silent(connector, &written));
        }
        lines.push(Check::ok(WRITES));
    }
    Ok(Tried::Taken(owner, lines))
}

/// Refuses a key that may only read.
pub(super) async fn must_write(
    app: &App,
    connector: &Connector,
    is_new: bool,
) -> Result<Outcome, ApiError> {
    let written = write(app, connector).await?;
    match lacks_right(&written) {
        None => Ok(written),
        Some(refusal) => {
            let owner = owner(app, connector).await?.unwrap_or(Owner::Untold);
            Err(read_only(connector, &owner, refusal, is_new))
        }
    }
}

/// Whether PagerDuty said nothing that tells what the key may do.
pub(super) fn is_silent(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Wait { .. } | Outcome::Unclear(_))
}

fn silent(connector: &Connector, outcome: &Outcome) -> Tried {
    let (why, next) = trouble(connector, outcome);
    Tried::Silent(why, next)
}

fn bad_key(connector: &Connector, refusal: &Refusal, is_new: bool) -> ApiError {
    let text = format!("PagerDuty does not take this API key: {refusal}; nothing was stored");
    let error = ApiError::wrong_value("bad_key", text);
    if !is_new {
        return error.hint(wrong_key_next(connector));
    }
    let other = if connector.config.base_url.contains("api.eu.pagerduty.com") {
        "US region? Then base_url is https://api.pagerduty.com"
    } else {
        "EU region? Then base_url is https://api.eu.pagerduty.com"
    };
    error.hint(format!(
        "is it a key of the {other}; else make one in PagerDuty: Integrations, API Access Keys"
    ))
}

fn no_api(connector: &Connector) -> ApiError {
    let base_url = &connector.config.base_url;
    let text = format!("there is no PagerDuty API at {base_url}; nothing was stored");
    ApiError::wrong_value("base_url", text).hint(
        "base_url is https://api.pagerduty.com, or https://api.eu.pagerduty.com for EU accounts",
    )
}

fn read_only(connector: &Connector, owner: &Owner, refusal: &Refusal, is_new: bool) -> ApiError {
    let direction = connector.mapping.direction.as_str();
    let text = format!(
        "this key is read-only, and direction {direction} sends changes: PagerDuty refused ({refusal}); nothing was stored"
    );
    let make = match owner {
        Owner::User(_) => format!(
            "use a key of somebody with the base role Responder or more ({})",
            owner.lacks()
        ),
        Owner::Account | Owner::Untold => "make a key without `Read-only API Key`".to_owned(),
    };
    let inbound = if is_new {
        "to receive only, set \"sync_direction\": \"inbound\"".to_owned()
    } else {
        format!(
            "to receive only: `im connector config {} --direction inbound`, then the key",
            connector.name()
        )
    };
    ApiError::wrong_value("read_only_key", text).hint(format!("{make}; {inbound}"))
}
