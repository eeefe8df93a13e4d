//! Tokens of connectors whose people signed in (OAuth): renewed before they end and where PagerDuty does not take
//! them.
//!
//! Invariants
//! - A refresh token works once. So renewals of a connector take turns, and one that has begun is brought to its end
//!   and stored, whoever waits for it: callers that give up, commands that end.
//! - What is stored is looked at before and after: another process may have been faster.
//! - New tokens are stored before they are used, as far as the database takes them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use im_pagerduty::{Outcome, Refusal, Transport, WaitReason, Why};
use im_store::connectors::{self, ConnectorRow};
use im_store::{Db, StoreError};
use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use tokio_util::task::TaskTracker;

use super::calls::{Calls, Made, plain_outcome};
use super::{Caller, Place, SETTLE_TRIES, STORE_WAIT_MAX, STORE_WAIT_MIN, chain};
use crate::adapters::pagerduty::PagerDuty;
use crate::credential::{Credential, Given, OAuthApp, Tokens};
use crate::secret::{SecretError, Vault};

/// Why there are no tokens.
pub(crate) enum NoTokens {
    /// PagerDuty said no.
    Refused {
        /// The HTTP status.
        status: u16,
        /// In its words.
        why: String,
    },
    /// It said nothing that can be used.
    Silent(WaitReason),
}

/// What to call PagerDuty with, or the outcome of every call without it.
type Usable = Result<Result<Credential, Outcome>, SecretError>;

/// Who renews tokens.
pub(super) struct SignIns {
    pagerduty: Arc<PagerDuty>,
    calls: Arc<Calls>,
    db: Db,
    vault: Arc<Vault>,
    /// Whose turn it is, by connector.
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    under_way: TaskTracker,
}

/// Tokens that cannot be used as they are.
struct Wanted {
    connector: String,
    sealed_key: String,
    made_at: Option<Timestamp>,
    tokens: Box<Tokens>,
    /// PagerDuty did not take them; else they are about to end.
    are_refused: bool,
    now: Timestamp,
}

impl Caller {
    /// Asks PagerDuty for the tokens of a connector by a form.
    pub(crate) async fn tokens(
        &self,
        connector: &str,
        app: &OAuthApp,
        form: String,
    ) -> Result<Given, NoTokens> {
        self.sign_ins.ask(connector, app, form).await
    }

    /// Until no renewal of tokens is under way.
    pub async fn rest(&self) {
        self.sign_ins.under_way.close();
        self.sign_ins.under_way.wait().await;
    }

    /// What to call PagerDuty with now, or the outcome of every call without it. `is_refused`: PagerDuty did not
    /// take what is here.
    pub(super) async fn current(
        &self,
        place: &Place<'_>,
        credential: Credential,
        is_refused: bool,
        now: Timestamp,
    ) -> Usable {
        let tokens = match credential {
            Credential::Tokens(tokens) if is_refused || tokens.are_ending(now) => tokens,
            usable => return Ok(Ok(usable)),
        };
        let wanted = Wanted {
            connector: place.connector.to_owned(),
            sealed_key: place.sealed_key.to_owned(),
            made_at: place.made_at,
            tokens,
            are_refused: is_refused,
            now,
        };
        let sign_ins = Arc::clone(&self.sign_ins);
        let under_way = &self.sign_ins.under_way;
        let renewed = under_way.spawn(async move { sign_ins.renewed(wanted).await });
        renewed.await.unwrap_or_else(|error| {
            tracing::error!("tokens were not renewed by a mistake of ours: {error}");
            Ok(Err(silent(WaitReason::Server)))
        })
    }
}

impl SignIns {
    pub(super) fn new(
        (pagerduty, calls): (Arc<PagerDuty>, Arc<Calls>),
        db: Db,
        vault: Arc<Vault>,
    ) -> Self {
        Self {
            pagerduty,
            calls,
            db,
            vault,
            turns: Mutex::default(),
            under_way: TaskTracker::new(),
        }
    }

    fn turn(&self, connector: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(connector.to_owned()).or_default())
    }

    async fn renewed(&self, wanted: Wanted) -> Usable {
        let turn = self.turn(&wanted.connector);
        let can_be_used = !wanted.are_refused && wanted.tokens.are_valid(wanted.now);
        let _mine = match turn.try_lock() {
            Ok(mine) => mine,
            // Somebody renews them, and they last until that is done.
            Err(_) if can_be_used => return Ok(Ok(Credential::Tokens(wanted.tokens))),
            Err(_) => turn.lock().await,
        };
        let stored = match self.stored(&wanted.connector).await {
            Ok(Some(row)) => row,
            // It is only tried, and was given just now.
            Ok(None) => return Ok(Ok(Credential::Tokens(wanted.tokens))),
            Err(error) => {
                tracing::error!("tokens cannot be renewed: {}", chain(&error));
                return Ok(Err(silent(WaitReason::Server)));
            }
        };
        let is_draft = wanted.made_at.is_some_and(|at| at != stored.created_at);
        if is_draft && stored.api_key != wanted.sealed_key {
            return Ok(Ok(Credential::Tokens(wanted.tokens)));
        }
        let tokens = match Credential::read(self.vault.open(&stored.api_key)?) {
            Credential::Tokens(tokens) => tokens,
            key @ Credential::Key(_) => return Ok(Ok(key)),
        };
        if !tokens.are_ending(wanted.now) && !tokens.give_the_same(&wanted.tokens) {
            return Ok(Ok(Credential::Tokens(tokens)));
        }
        match self.ask(&stored.name, &tokens.app, tokens.renewal()).await {
            Ok(given) => {
                let kind = tokens.kind.clone();
                let renewed = Tokens::of(tokens.app.clone(), kind, &given, wanted.now);
                self.store(&stored, &renewed).await?;
                Ok(Ok(Credential::Tokens(Box::new(renewed))))
            }
            Err(NoTokens::Silent(_)) if can_be_used => Ok(Ok(Credential::Tokens(tokens))),
            Err(NoTokens::Silent(why)) => Ok(Err(silent(why))),
            // Another process may have spent the refresh token, and stored what it got.
            Err(NoTokens::Refused { status, why }) => match self.stored(&stored.name).await {
                Ok(Some(row)) if row.api_key != stored.api_key => {
                    Ok(Ok(Credential::read(self.vault.open(&row.api_key)?)))
                }
                _ => Ok(Err(signed_out(status, &why))),
            },
        }
    }

    async fn stored(&self, connector: &str) -> Result<Option<ConnectorRow>, StoreError> {
        let name = connector.to_owned();
        self.db.read(move |tx| connectors::find(tx, &name)).await
    }

    /// Stores new tokens in place of those of `row`.
    async fn store(&self, row: &ConnectorRow, renewed: &Tokens) -> Result<(), SecretError> {
        let connector = row.name.as_str();
        let after = self.vault.seal(&renewed.text())?;
        let mut wait = STORE_WAIT_MIN;
        for _ in 0..SETTLE_TRIES {
            let (name, before, after) = (row.name.clone(), row.api_key.clone(), after.clone());
            let put = self
                .db
                .write(move |tx| connectors::renew_key(tx, &name, &before, &after));
            match put.await {
                Ok(true) => {
                    tracing::debug!(connector, "tokens were renewed");
                    return Ok(());
                }
                Ok(false) => {
                    tracing::debug!(connector, "somebody gave another key meanwhile");
                    return Ok(());
                }
                Err::<_, StoreError>(error) => tracing::warn!(
                    connector,
                    "renewed tokens could not be stored: {}",
                    chain(&error)
                ),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(STORE_WAIT_MAX);
        }
        tracing::error!(
            connector,
            "renewed tokens were not stored, so somebody has to sign in again"
        );
        Ok(())
    }

    async fn ask(&self, connector: &str, app: &OAuthApp, form: String) -> Result<Given, NoTokens> {
        let url = Url::parse(&app.token_url).ok();
        let begun = self.calls.begin(Made {
            connector,
            why: im_store::calls::Why::SignIn,
            method: "POST",
            path: url.as_ref().map_or("", Url::path),
            key: app.label(),
        });
        let reply = self.pagerduty.tokens(&app.token_url, form).await;
        let status = reply.as_ref().ok().map(|reply| reply.status);
        begun.keep(status, plain_outcome(status));
        let reply = reply.map_err(|failure| {
            NoTokens::Silent(match failure {
                Transport::NotSent | Transport::MaybeSent => WaitReason::Unreachable,
                Transport::Tls => WaitReason::Tls,
                Transport::Dns => WaitReason::Dns,
            })
        })?;
        match (reply.status, said(&reply.body)) {
            (200..=299, _) => serde_json::from_slice(&reply.body)
                .map_err(|_unreadable| NoTokens::Silent(WaitReason::Server)),
            (429, _) => Err(NoTokens::Silent(WaitReason::RateLimited)),
            // A proxy's refusal gives no such reason.
            (status @ (400 | 401), Some(why)) => Err(NoTokens::Refused { status, why }),
            _ => Err(NoTokens::Silent(WaitReason::Server)),
        }
    }
}

fn silent(why: WaitReason) -> Outcome {
    Outcome::Wait {
        after_ms: None,
        why,
    }
}

/// Nobody is signed in any more.
fn signed_out(status: u16, why: &str) -> Outcome {
    Outcome::Refused(Refusal {
        status,
        code: None,
        message: format!(
            "the sign-in has ended ({why}): sign in again in the connector's settings"
        ),
        errors: Vec::new(),
        why: Why::BadKey,
        required_scopes: Vec::new(),
        token_scopes: Vec::new(),
        request_id: None,
    })
}

/// Why there are no tokens, in PagerDuty's words.
fn said(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        error: String,
        error_description: Option<String>,
    }
    let said: Said = serde_json::from_slice(body).ok()?;
    Some(said.error_description.unwrap_or(said.error))
}
