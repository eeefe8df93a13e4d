//! The identity host: authorisation codes, tokens, refreshes (docs/sim.md).
//!
//! Invariants
//! - Unknown scope names are not refused: the token simply lacks them.
//! - A code works once and for 30 seconds; a refresh token works once.
//! - Anything that names a client is checked against that client: secret, redirect, PKCE.
//!
//! The words of refusals follow RFC 6749; PagerDuty does not publish its own. ID tokens carry the
//! claims that a client reads, signed with a key that `identity` publishes.
//! [`OAuth::authorize`] is the moment a person has agreed.

mod consent;
pub(crate) mod form;
pub(crate) mod identity;
mod kept;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::http::{Request, Response};
use crate::ids::Ids;
use form::Form;
use identity::{Said, id_token};

/// How long an authorisation code may be exchanged.
const CODE_LIVES: SignedDuration = SignedDuration::from_secs(30);

/// The two kinds of OAuth app (docs/sim.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthKind {
    /// Acts for users with `read` or `write`; PKCE is optional when there is a secret.
    Classic,
    /// Fine-grained scopes, app tokens too; PKCE is required.
    Scoped,
}

/// A registered app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthApp {
    /// Which rules it follows.
    pub kind: OAuthKind,
    /// Names it in requests.
    pub client_id: String,
    /// `None`: a public client, which needs PKCE.
    pub client_secret: Option<String>,
    /// What it may be given. Other scopes are left out without a word.
    pub scopes: Vec<String>,
    /// The one redirect it registered.
    pub redirect_uri: String,
    /// `<us|eu>.<subdomain>` of the account.
    pub account: String,
}

/// What a person agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The app that asked.
    pub client_id: String,
    /// The redirect it gave.
    pub redirect_uri: String,
    /// The scopes it asked for, separated by blanks.
    pub scope: String,
    /// Base64url of the SHA-256 of the verifier, when PKCE is used.
    pub code_challenge: Option<String>,
    /// Who agreed.
    pub user_id: String,
}

/// What a bearer token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Scope names as given.
    pub(crate) scopes: Vec<String>,
    /// `None`: the token is the app's own.
    pub(crate) user_id: Option<String>,
}

#[derive(Debug, Clone)]
struct Code {
    text: String,
    consent: Consent,
    expires_at: Timestamp,
}

#[derive(Debug, Clone)]
struct Token {
    access: String,
    expires_at: Timestamp,
    grant: Grant,
}

#[derive(Debug, Clone)]
struct Refresh {
    token: String,
    client_id: String,
    expires_at: Timestamp,
    grant: Grant,
}

/// Apps and the tokens they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct OAuth {
    apps: Vec<OAuthApp>,
    codes: Vec<Code>,
    tokens: Vec<Token>,
    refreshes: Vec<Refresh>,
}

impl OAuth {
    /// Knows an app from now on; an app of the same id is replaced.
    pub(crate) fn register(&mut self, app: OAuthApp) {
        self.apps.retain(|known| known.client_id != app.client_id);
        self.apps.push(app);
    }

    /// All apps, in the order of their registration.
    pub(crate) fn apps(&self) -> &[OAuthApp] {
        &self.apps
    }

    /// Gives the code that the redirect carries. `None`: the request would have been refused,
    /// for its client, its redirect or its lack of PKCE.
    pub(crate) fn authorize(
        &mut self,
        consent: Consent,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Option<String> {
        let app = self.app(&consent.client_id)?;
        let needs_pkce = app.kind == OAuthKind::Scoped || app.client_secret.is_none();
        if app.redirect_uri != consent.redirect_uri
            || (needs_pkce && consent.code_challenge.is_none())
        {
            return None;
        }
        let code = ids.key32();
        self.codes.push(Code {
            text: code.clone(),
            consent,
            expires_at: later(now, CODE_LIVES),
        });
        Some(code)
    }

    /// Answers `POST /oauth/token`.
    pub(crate) fn token(
        &mut self,
        request: &Request,
        base_url: &str,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Response {
        self.codes.retain(|code| now < code.expires_at);
        self.tokens.retain(|token| now < token.expires_at);
        self.refreshes.retain(|refresh| now < refresh.expires_at);
        let form = Form::parse(&request.body);
        let answer = match form.get("grant_type") {
            Some("client_credentials") => self.client_credentials(&form, ids, now),
            Some("authorization_code") => self.authorization_code(&form, base_url, ids, now),
            Some("refresh_token") => self.refresh(&form, ids, now),
            Some(_) => Err(Refusal::UnsupportedGrantType),
            None => Err(Refusal::InvalidRequest("grant_type is missing")),
        };
        match answer {
            Ok(body) => Response::json(200, &body),
            Err(refusal) => refusal.answer(),
        }
    }

    /// What this token allows; `None` answers 401.
    pub(crate) fn bearer(&self, token: &str, now: Timestamp) -> Option<Grant> {
        let found = self
            .tokens
            .iter()
            .find(|known| known.access == token && now < known.expires_at)?;
        Some(found.grant.clone())
    }

    /// Revokes every access and refresh token.
    pub(crate) fn revoke_all(&mut self) {
        self.tokens.clear();
        self.refreshes.clear();
    }

    /// Revokes what acts for this user.
    pub(crate) fn revoke_user(&mut self, user: &str) {
        let others = |grant: &Grant| grant.user_id.as_deref() != Some(user);
        self.tokens.retain(|token| others(&token.grant));
        self.refreshes.retain(|refresh| others(&refresh.grant));
    }

    fn client_credentials(
        &mut self,
        form: &Form,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let app = self.authenticated(form)?;
        if app.kind != OAuthKind::Scoped || app.client_secret.is_none() {
            return Err(Refusal::UnauthorizedClient);
        }
        let account = format!("as_account-{}", app.account);
        let asked = form.get("scope").unwrap_or_default();
        if !asked.split_whitespace().any(|scope| scope == account) {
            return Err(Refusal::InvalidScope);
        }
        let given = asked
            .split_whitespace()
            .filter(|scope| *scope == account || app.may_have(scope));
        let scopes: Vec<String> = given.map(str::to_owned).collect();
        let scope = scopes.join(" ");
        let (access, expires_in) = self.issue(
            OAuthKind::Scoped,
            Grant {
                scopes,
                user_id: None,
            },
            ids,
            now,
        );
        Ok(
            json!({"access_token": access, "scope": scope, "token_type": "bearer", "expires_in": expires_in}),
        )
    }

    fn authorization_code(
        &mut self,
        form: &Form,
        base_url: &str,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let app = self.authenticated(form)?.clone();
        let wanted = form
            .get("code")
            .ok_or(Refusal::InvalidRequest("code is missing"))?;
        let at = self
            .codes
            .iter()
            .position(|code| code.text == wanted)
            .ok_or(Refusal::InvalidGrant)?;
        // Spent even when what follows fails: a code is good for one try.
        let consent = self.codes.remove(at).consent;
        let verified = match &consent.code_challenge {
            None => true,
            Some(challenge) => form
                .get("code_verifier")
                .is_some_and(|verifier| answers(verifier, challenge)),
        };
        let same_redirect = form.get("redirect_uri") == Some(consent.redirect_uri.as_str());
        if consent.client_id != app.client_id || !same_redirect || !verified {
            return Err(Refusal::InvalidGrant);
        }
        let given = consent
            .scope
            .split_whitespace()
            .filter(|scope| app.may_have(scope));
        let mut scopes = vec!["openid".to_owned()];
        scopes.extend(given.filter(|scope| *scope != "openid").map(str::to_owned));
        let user_id = consent.user_id;
        let grant = Grant {
            scopes,
            user_id: Some(user_id.clone()),
        };
        let mut body = self.user_tokens(&app, grant, ids, now);
        let said = Said {
            app: &app,
            user_id: &user_id,
            access_token: body
                .get("access_token")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            base_url,
        };
        let id_token = id_token(&said, ids, now);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("client_info".to_owned(), json!("prefix_legacy_app"));
            fields.insert("id_token".to_owned(), json!(id_token));
        }
        Ok(body)
    }

    fn refresh(&mut self, form: &Form, ids: &mut Ids, now: Timestamp) -> Result<Value, Refusal> {
        let app = self.authenticated(form)?.clone();
        let wanted = form
            .get("refresh_token")
            .ok_or(Refusal::InvalidRequest("refresh_token is missing"))?;
        let is_it =
            |refresh: &Refresh| refresh.token == wanted && refresh.client_id == app.client_id;
        let at = self
            .refreshes
            .iter()
            .position(is_it)
            .ok_or(Refusal::InvalidGrant)?;
        let grant = self.refreshes.remove(at).grant;
        Ok(self.user_tokens(&app, grant, ids, now))
    }

    /// An access token and the refresh token that replaces the one before.
    fn user_tokens(
        &mut self,
        app: &OAuthApp,
        grant: Grant,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Value {
        let scope = grant.scopes.join(" ");
        let (access, expires_in) = self.issue(app.kind, grant.clone(), ids, now);
        let token = format!("pdus+_1XHLSIM_{}", ids.uuid());
        let client_id = app.client_id.clone();
        let expires_at = later(now, app.kind.refresh_lives());
        self.refreshes.push(Refresh {
            token: token.clone(),
            client_id,
            expires_at,
            grant,
        });
        json!({
            "token_type": "bearer",
            "access_token": access,
            "refresh_token": token,
            "scope": scope,
            "expires_in": expires_in,
        })
    }

    fn issue(
        &mut self,
        kind: OAuthKind,
        grant: Grant,
        ids: &mut Ids,
        now: Timestamp,
    ) -> (String, i64) {
        let access = format!("pdus+_0XHLSIM_{}", ids.uuid());
        let lives = kind.access_lives();
        self.tokens.push(Token {
            access: access.clone(),
            expires_at: later(now, lives),
            grant,
        });
        (access, lives.as_secs())
    }

    fn app(&self, client_id: &str) -> Option<&OAuthApp> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    /// The app that the form names, when its secret is right.
    fn authenticated(&self, form: &Form) -> Result<&OAuthApp, Refusal> {
        let app = form
            .get("client_id")
            .and_then(|id| self.app(id))
            .ok_or(Refusal::InvalidClient)?;
        match (&app.client_secret, form.get("client_secret")) {
            (None, _) => Ok(app),
            (Some(expected), Some(given)) if expected == given => Ok(app),
            (Some(_), _) => Err(Refusal::InvalidClient),
        }
    }
}

impl OAuthApp {
    fn may_have(&self, scope: &str) -> bool {
        scope == "openid" || self.scopes.iter().any(|known| known == scope)
    }
}

impl OAuthKind {
    /// The text says 30 days for classic tokens and the example 10; clients must trust
    /// `expires_in`, so the shorter one is the better test.
    fn access_lives(self) -> SignedDuration {
        match self {
            Self::Classic => SignedDuration::from_hours(10 * 24),
            Self::Scoped => SignedDuration::from_hours(24),
        }
    }

    fn refresh_lives(self) -> SignedDuration {
        match self {
            Self::Classic => SignedDuration::from_hours(210 * 24),
            Self::Scoped => SignedDuration::from_hours(30 * 24),
        }
    }
}

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    InvalidClient,
    InvalidGrant,
    InvalidRequest(&'static str),
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
}

impl Refusal {
    fn answer(self) -> Response {
        let (status, error, description) = match self {
            Self::InvalidClient => (
                401,
                "invalid_client",
                "the client is unknown or its secret is wrong",
            ),
            Self::InvalidGrant => (
                400,
                "invalid_grant",
                "the code or refresh token is not valid, or not any more",
            ),
            Self::InvalidRequest(what) => (400, "invalid_request", what),
            Self::InvalidScope => (
                400,
                "invalid_scope",
                "as_account-<region>.<subdomain> of the account is required",
            ),
            Self::UnauthorizedClient => (
                400,
                "unauthorized_client",
                "this client has no tokens of its own",
            ),
            Self::UnsupportedGrantType => {
                (400, "unsupported_grant_type", "the grant type is unknown")
            }
        };
        Response::json(
            status,
            &json!({"error": error, "error_description": description}),
        )
    }
}

/// PKCE with `S256`, the only method.
fn answers(verifier: &str, challenge: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
