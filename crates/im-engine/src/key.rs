//! A connector without its API key: webhooks alone keep one that only receives live.
//!
//! Invariants
//! - A key is given up by a person's word, and only where nothing needs it: nothing is sent, the past and what was missed
//!   are read, and webhooks come and can be checked.
//! - Without a key PagerDuty is not called: nothing is sent, and nothing that webhooks missed is found.

use im_core::Direction;
use im_store::connectors::{self, State};
use im_store::{StoreError, Tx, backfill, repair};
use jiff::Timestamp;

use crate::connector::{self, Connector};
use crate::subscription;

/// What becomes of a connector without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Something needs it: what, and what would change that.
    Needed {
        /// What.
        why: &'static str,
        /// What would change that; `None`: time does.
        next: Option<String>,
    },
    /// It can be revoked at PagerDuty and forgotten here.
    SafeToRevoke,
    /// It was.
    Discarded,
}

impl Key {
    /// The word shown.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Needed { .. } => "needed",
            Self::SafeToRevoke => "safe_to_revoke",
            Self::Discarded => "discarded",
        }
    }
}

/// Whether a connector needs its key.
pub fn state(tx: &mut Tx<'_>, connector: &Connector, now: Timestamp) -> Result<Key, StoreError> {
    let (name, row) = (connector.name(), &connector.row);
    if !connector.has_key() {
        return Ok(Key::Discarded);
    }
    let needed = |why, next: Option<&str>| {
        let next = next.map(|rest| format!("`im connector {rest}`"));
        Ok(Key::Needed { why, next })
    };
    if connector.mapping.direction != Direction::Inbound {
        let inbound = format!("config {name} --direction inbound");
        return needed("changes made here are sent with it", Some(&inbound));
    }
    if !connector.config.enable_webhook || row.webhook_secrets.is_empty() {
        let enable = format!("webhook {name} --enable");
        return needed("no webhook tells what happens at PagerDuty", Some(&enable));
    }
    if row.last_heard_at.is_none() || row.gap.is_some_and(|gap| gap.to.is_none()) {
        let test = format!("webhook {name} --test");
        return needed(
            "no webhook has come yet, or none comes any more",
            Some(&test),
        );
    }
    if subscription::wrong(tx, name)?.is_some() {
        let enable = format!("webhook {name} --enable");
        return needed("the webhook is not as it was made", Some(&enable));
    }
    // With a key that was revoked before it was forgotten nothing more is read anyway.
    let is_good = row.state != State::AuthFailed;
    // A past whose reading a person stopped is not waited for.
    if is_good && backfill::next_due(tx, name)?.is_some() {
        let stop = format!("backfill {name} --stop");
        return needed("the past is still being read", Some(&stop));
    }
    let is_reading = is_good
        && (row.next_sync_at <= now
            || repair::unfinished(tx, name)?.is_some()
            || repair::wanted_next_due(tx, name)?.is_some());
    if row.last_sync_at.is_none() || is_reading || connector::is_attaching(tx, name)? {
        return needed("what happened before is still being read", None);
    }
    Ok(Key::SafeToRevoke)
}

/// Forgets the key, unless something needs it; what that is comes back.
pub fn discard(tx: &mut Tx<'_>, connector: &Connector, now: Timestamp) -> Result<Key, StoreError> {
    let state = state(tx, connector, now)?;
    if state == Key::SafeToRevoke {
        connectors::discard_key(tx, connector.name())?;
        connector::note_new_key(tx, connector.name(), now)?;
    }
    Ok(state)
}
