//! Tokens of connectors whose people signed in (OAuth): renewed before they end and where PagerDuty does not take
//! them.
//!
//! Invariants
//! - A refresh token works once, so renewals take turns, and what is stored is looked at first: another
//!   process may have been faster.
//! - New tokens are stored before they are used.

use im_pagerduty::{Outcome, Refusal, Transport, WaitReason, Why};
use im_store::connectors;
use jiff::Timestamp;
use serde::Deserialize;

use super::{Caller, Place, chain};
use crate::credential::{Credential, Given, OAuthApp, Tokens};
use crate::secret::SecretError;

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

impl Caller {
    /// Asks PagerDuty for tokens by a form.
    pub(crate) async fn tokens(&self, app: &OAuthApp, form: String) -> Result<Given, NoTokens> {
        let reply = self.pagerduty.tokens(&app.token_url, form).await;
        let reply = reply.map_err(|failure| {
            NoTokens::Silent(match failure {
                Transport::NotSent | Transport::MaybeSent => WaitReason::Unreachable,
                Transport::Tls => WaitReason::Tls,
                Transport::Dns => WaitReason::Dns,
            })
        })?;
        match reply.status {
            200..=299 => serde_json::from_slice(&reply.body)
                .map_err(|_unreadable| NoTokens::Silent(WaitReason::Server)),
            429 => Err(NoTokens::Silent(WaitReason::RateLimited)),
            400..=499 => Err(NoTokens::Refused {
                status: reply.status,
                why: said(&reply.body),
            }),
            _ => Err(NoTokens::Silent(WaitReason::Server)),
        }
    }

    /// What to call PagerDuty with now, or the outcome of every call without it. `is_refused`: PagerDuty did not
    /// take what is here.
    pub(super) async fn current(
        &self,
        place: &Place<'_>,
        credential: Credential,
        is_refused: bool,
        now: Timestamp,
    ) -> Result<Result<Credential, Outcome>, SecretError> {
        match &credential {
            Credential::Key(_) => return Ok(Ok(credential)),
            Credential::Tokens(tokens) if !is_refused && !tokens.are_ending(now) => {
                return Ok(Ok(credential));
            }
            Credential::Tokens(_) => {}
        }
        let _turn = self.renewing.lock().await;
        let name = place.connector.to_owned();
        let stored = self.db.read(move |tx| connectors::find(tx, &name)).await;
        let stored = match stored {
            Ok(Some(row)) => row.api_key,
            // One that is only tried was given just now.
            Ok(None) => return Ok(Ok(credential)),
            Err(error) => {
                tracing::error!("tokens cannot be renewed: {}", chain(&error));
                return Ok(Err(silent(WaitReason::Server)));
            }
        };
        let is_other = stored != place.sealed_key;
        let Credential::Tokens(tokens) = Credential::read(self.vault.open(&stored)?) else {
            return Ok(Ok(Credential::read(self.vault.open(&stored)?)));
        };
        if is_other && !tokens.are_ending(now) {
            return Ok(Ok(Credential::Tokens(tokens)));
        }
        let renewed = self.renew(place.connector, &stored, &tokens, now).await?;
        Ok(match renewed {
            Ok(renewed) => Ok(Credential::Tokens(Box::new(renewed))),
            Err(NoTokens::Silent(_)) if !is_refused && tokens.are_valid(now) => {
                Ok(Credential::Tokens(tokens))
            }
            Err(NoTokens::Silent(why)) => Err(silent(why)),
            Err(NoTokens::Refused { status, why }) => Err(signed_out(status, &why)),
        })
    }

    async fn renew(
        &self,
        connector: &str,
        stored: &str,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Result<Result<Tokens, NoTokens>, SecretError> {
        let given = match self.tokens(&tokens.app, tokens.renewal()).await {
            Ok(given) => given,
            Err(untaken) => return Ok(Err(untaken)),
        };
        let renewed = Tokens::of(tokens.app.clone(), tokens.kind.clone(), &given, now);
        let (name, before) = (connector.to_owned(), stored.to_owned());
        let after = self.vault.seal(&renewed.text())?;
        let put = self
            .db
            .write(move |tx| connectors::renew_key(tx, &name, &before, &after));
        match put.await {
            Ok(_) => tracing::debug!(connector, "tokens were renewed"),
            Err(error) => tracing::error!(
                connector,
                "renewed tokens could not be stored, so somebody has to sign in again: {}",
                chain(&error)
            ),
        }
        Ok(Ok(renewed))
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
fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Said {
        error: String,
        error_description: Option<String>,
    }
    match serde_json::from_slice::<Said>(body) {
        Ok(said) => said.error_description.unwrap_or(said.error),
        Err(_) => "without a reason".to_owned(),
    }
}
