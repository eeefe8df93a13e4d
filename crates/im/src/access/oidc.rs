//! Signing in by OpenID Connect: with a code, PKCE (S256), a state and a nonce (ADR 0023).
//!
//! Invariants
//! - What comes back counts only in the browser that was sent, once, within [`LASTS`].
//! - What a provider says of a person is believed if it is signed by its keys, says that it is this provider's, was
//!   made for this server and this sign-in, and has not expired.
//! - Its tokens are used for nothing else, and kept nowhere.
//!
//! Absent: pages, and what a session is (`super::sign_in`).

mod person;
pub mod setting;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::http::StatusCode;
use im_store::accounts::{self, Identity, Role};
use im_store::sessions;
use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm as Alg, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType, CoreUserInfoClaims,
};
use openidconnect::{
    AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse as _, TokenUrl,
    UserInfoError, UserInfoUrl,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::sign_in::{self, Browser, Refusal};
use super::{Whence, new_secret};
use crate::http::App;
use crate::http::error::ApiError;
use crate::run::{Caller, Silent, chain};
use person::Person;
use setting::Setting;

/// Where a provider sends people back to, below the address of this server.
pub const BACK: &str = "/sign-in/oidc/back";
/// How long somebody may be at the provider.
const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// People who are at the provider at the same time; after them, who left first has to begin again.
const AWAY_MAX: usize = 1000;
/// The same from one network, so that nobody there pushes out all others.
const AWAY_OF_NETWORK_MAX: usize = 100;
/// The same from one browser: each tab is another sign-in.
const AWAY_OF_BROWSER_MAX: usize = 10;
/// How long what is known of a provider is used to send people there. Who comes back is judged by what it says then.
const KNOWN: SignedDuration = SignedDuration::from_mins(5);
/// How long a provider that did not answer is left alone.
const LEFT_ALONE: SignedDuration = SignedDuration::from_secs(5);
/// Signatures by which a provider's own keys can be told; none that a shared secret makes.
const ALGS: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];

/// What Google says besides what the standard names.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Hosted {
    /// The domain whose organisation has the account.
    hd: Option<String>,
}

impl AdditionalClaims for Hosted {}

type Claims = IdTokenClaims<Hosted, CoreGenderClaim>;
type Tokens = StandardTokenResponse<
    IdTokenFields<
        Hosted,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        Alg,
    >,
    CoreTokenType,
>;
type Client = openidconnect::Client<
    Hosted,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Who is at the provider, and what is known of it.
#[derive(Default)]
pub struct Oidc {
    away: Mutex<VecDeque<Away>>,
    known: tokio::sync::Mutex<Option<Known>>,
}

/// Somebody who was sent to the provider, and has not come back.
struct Away {
    /// The word of the browser's forms.
    browser: String,
    network: String,
    state: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    redirect_uri: String,
    /// By which provider and as whom of it.
    issuer: String,
    client_id: String,
    /// Where the person wanted to go.
    to: String,
    at: Timestamp,
}

struct Known {
    issuer: String,
    at: Timestamp,
    met: Result<CoreProviderMetadata, ApiError>,
}

impl Oidc {
    fn wait(&self, away: Away) {
        let mut all = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut of_browser, mut of_network) = (0, 0);
        all.retain(|known| {
            let (same_browser, same_network) =
                (known.browser == away.browser, known.network == away.network);
            of_browser += usize::from(same_browser);
            of_network += usize::from(same_network);
            (!same_browser || of_browser < AWAY_OF_BROWSER_MAX)
                && (!same_network || of_network < AWAY_OF_NETWORK_MAX)
        });
        all.truncate(AWAY_MAX - 1);
        all.push_front(away);
    }

    /// Who comes back with `state`; nobody comes back twice.
    fn back(&self, browser: &str, state: &str, now: Timestamp) -> Option<Away> {
        let mut all = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|away| now.duration_since(away.at) < LASTS);
        let at = all.iter().position(|away| {
            away.browser == browser && bool::from(away.state.as_bytes().ct_eq(state.as_bytes()))
        })?;
        all.remove(at)
    }
}

/// Somebody who wants to sign in.
pub struct Begin {
    /// The word of the browser's forms.
    pub word: String,
    /// Where the browser is.
    pub from: Whence,
    /// The address of this server.
    pub base: String,
    /// Where the person wants to go.
    pub to: String,
}

/// What is set, and from which network somebody comes, unless that is locked.
async fn asked(app: &App, from: &Whence) -> Result<(Setting, String), Refusal> {
    let (now, from) = (app.clock.now(), from.clone());
    let asked = app.db.read(move |tx| {
        let (Some(setting), true) = (setting::read(tx)?, accounts::any(tx)?) else {
            let detail = "nobody signs in by OpenID Connect here";
            return Err(Refusal::Other(ApiError::not_found(detail).hint(
                "sign in with a password; an owner can set it up, see docs/access.md",
            )));
        };
        let network = sign_in::network(&super::address(tx, &from)?);
        match sign_in::locked_network(tx, &counted_as(&network), now)? {
            Some(until) => Err(Refusal::Locked(until)),
            None => Ok((setting, network)),
        }
    });
    asked.await
}

/// As what the codes of a network are counted: passwords from there go on working when these are too many.
fn counted_as(network: &str) -> String {
    format!("oidc {network}")
}

/// The address of the provider that somebody is to be sent to.
pub async fn begin(app: &App, begin: Begin) -> Result<Url, Refusal> {
    let (setting, network) = asked(app, &begin.from).await?;
    let metadata = known(app, &setting).await?;
    let (state, nonce, verifier) = (new_secret()?, new_secret()?, new_secret()?);
    let redirect_uri = format!("{}{BACK}", begin.base);
    let verifier = PkceCodeVerifier::new(verifier);
    let away = Away {
        browser: begin.word,
        network,
        state: state.clone(),
        nonce: Nonce::new(nonce.clone()),
        verifier,
        redirect_uri,
        issuer: setting.issuer.clone(),
        client_id: setting.client_id.clone(),
        to: begin.to,
        at: app.clock.now(),
    };
    let client = client(app, &setting, metadata, &away.redirect_uri)?;
    let (url, _, _) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || CsrfToken::new(state),
            || Nonce::new(nonce),
        )
        .add_scopes(["email", "profile"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&away.verifier))
        .url();
    app.access.oidc.wait(away);
    Ok(url)
}

/// What a provider says in the address that it sends somebody back to.
#[derive(Debug, Default)]
pub struct Answer {
    /// Which sign-in it answers.
    pub state: String,
    /// What tokens are asked for with.
    pub code: String,
    /// Why there is no code.
    pub error: Option<String>,
}

/// Somebody who is signed in.
pub struct Came {
    /// Who.
    pub email: String,
    /// The secret of the session.
    pub secret: String,
    /// The role of an account that was made now.
    pub made: Option<Role>,
}

/// Signs in who comes back, and says where they wanted to go.
pub async fn come_back(
    app: &App,
    word: &str,
    browser: Browser,
    answer: Answer,
) -> (String, Result<Came, Refusal>) {
    let (setting, network) = match asked(app, &browser.from).await {
        Ok(asked) => asked,
        Err(refusal) => return ("/".to_owned(), Err(refusal)),
    };
    let away = app
        .access
        .oidc
        .back(word, &answer.state, app.clock.now())
        // The owner changed it meanwhile: a code must not travel to another provider.
        .filter(|away| away.issuer == setting.issuer && away.client_id == setting.client_id);
    let Some(away) = away else {
        let detail = "this is no answer to a sign-in that was begun in this browser, or it was used already, or it took more than ten minutes";
        let refused = ApiError::new(StatusCode::BAD_REQUEST, "state", detail)
            .hint("begin again on this page");
        // Any web page can send a browser here with a state of its own, so this counts for nothing.
        return ("/".to_owned(), Err(refused.into()));
    };
    let to = away.to.clone();
    let person = match told(app, &setting, away, answer).await {
        Ok(person) => person,
        Err(Untold::Guessed(error)) => return (to, Err(failed(app, network, error).await)),
        Err(Untold::Other(error)) => return (to, Err(error.into())),
    };
    (to, enter(app, setting, person, browser).await)
}

/// Begins a session for somebody whom a provider vouches for.
async fn enter(
    app: &App,
    setting: Setting,
    person: Person,
    browser: Browser,
) -> Result<Came, Refusal> {
    let (now, secret) = (app.clock.now(), new_secret()?);
    let session = secret.clone();
    let entered = app.db.write(move |tx| {
        let (account, made) = person::admit(tx, &setting, &person, now)?;
        sign_in::insert(tx, &account.email, &session, &browser, now)?;
        Ok::<_, ApiError>((account.email, made))
    });
    let (email, made) = entered.await?;
    Ok(Came {
        email,
        secret,
        made,
    })
}

/// Counts a code that the provider never gave, for the network that it came from.
async fn failed(app: &App, network: String, error: ApiError) -> Refusal {
    let now = app.clock.now();
    let counted = app
        .db
        .write(move |tx| sessions::attempt(tx, "", &counted_as(&network), now));
    match counted.await {
        Ok(_attempt) => error.into(),
        Err(store) => store.into(),
    }
}

/// Why it is not known who somebody is.
enum Untold {
    /// The provider never gave this code to this sign-in.
    Guessed(ApiError),
    Other(ApiError),
}

impl From<ApiError> for Untold {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

/// Asks the provider who somebody is.
async fn told(app: &App, setting: &Setting, away: Away, answer: Answer) -> Result<Person, Untold> {
    let host = setting.host();
    if let Some(error) = answer.error {
        let denied = error == "access_denied";
        let why = if denied {
            "it was declined there"
        } else {
            &error
        };
        let detail = format!("{host} did not sign you in: {why}");
        let hint = if denied {
            "begin again, or sign in with a password"
        } else {
            "begin again; if it says so again, an owner checks how this server is registered there"
        };
        return Err(ApiError::new(StatusCode::FORBIDDEN, "denied", detail)
            .hint(hint)
            .into());
    }
    let metadata = discover(app, setting).await?;
    let client = client(app, setting, metadata, &away.redirect_uri)?;
    let http = http(&app.caller);
    let exchange = client
        .exchange_code(AuthorizationCode::new(answer.code))
        .map_err(|error| silent(&host, &error.to_string()))?
        .set_pkce_verifier(away.verifier);
    let tokens = exchange.request_async(&http).await.map_err(|error| {
        let RequestTokenError::ServerResponse(said) = error else {
            return Untold::Other(silent(&host, &chain(&error)));
        };
        let detail = format!("{host} gave no tokens: {}", said.error().as_ref());
        let refused = ApiError::new(StatusCode::FORBIDDEN, "no_tokens", detail).hint(
            "begin again; if it says so again, an owner checks client id and secret with `im config set`",
        );
        if *said.error() == CoreErrorResponseType::InvalidGrant {
            return Untold::Guessed(refused);
        }
        Untold::Other(refused)
    })?;
    let now = app.clock.now();
    let claims =
        verified(&client, &tokens, &away.nonce, now).map_err(|why| unbelievable(&host, &why))?;
    let is_named = claims.email().is_some() && claims.email_verified() == Some(true);
    if is_named || client.user_info_url().is_none() || is_known(app, setting, &claims).await? {
        return Ok(person(&claims, None));
    }
    let more = told_more(&client, &tokens, &claims, &host, app).await?;
    Ok(person(&claims, Some(&more)))
}

/// Whether somebody was here before, whose address does not matter any more.
async fn is_known(app: &App, setting: &Setting, claims: &Claims) -> Result<bool, ApiError> {
    let identity = Identity {
        issuer: setting.issuer.clone(),
        subject: claims.subject().to_string(),
    };
    let known = app
        .db
        .read(move |tx| accounts::find_identity(tx, &identity));
    Ok(known.await?.is_some())
}

fn person(claims: &Claims, more: Option<&CoreUserInfoClaims>) -> Person {
    let (email, is_verified) = match more {
        None => (claims.email(), claims.email_verified()),
        Some(more) => (more.email(), more.email_verified()),
    };
    let name = claims
        .name()
        .or_else(|| more.and_then(CoreUserInfoClaims::name));
    let name = name.and_then(|name| name.get(None));
    Person {
        subject: claims.subject().to_string(),
        email: email
            .filter(|_| is_verified == Some(true))
            .map(|email| email.to_string()),
        hosted: claims.additional_claims().hd.clone(),
        name: name.map(|name| name.to_string()).unwrap_or_default(),
    }
}

/// What an ID token says, if it can be believed; else why not.
fn verified(
    client: &Client,
    tokens: &Tokens,
    nonce: &Nonce,
    now: Timestamp,
) -> Result<Claims, String> {
    let token = tokens.id_token().ok_or("it says nothing of you")?;
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGS)
        .set_time_fn(move || SystemTime::from(now).into());
    let claims = token
        .claims(&verifier, nonce)
        .map_err(|error| match error {
            ClaimsVerificationError::Expired(_) => "it has expired".to_owned(),
            ClaimsVerificationError::InvalidAudience(_) => "it was made for others".to_owned(),
            ClaimsVerificationError::InvalidIssuer(_) => "another issuer made it".to_owned(),
            ClaimsVerificationError::InvalidNonce(_) => "it answers another sign-in".to_owned(),
            ClaimsVerificationError::SignatureVerification(_) => {
                "its signature is not one of the issuer's keys".to_owned()
            }
            other => other.to_string(),
        })?;
    let party = claims.authorized_party();
    if party.is_some_and(|party| party != client.client_id()) {
        return Err("it was made for others".to_owned());
    }
    Ok(claims.clone())
}

/// What the provider says of somebody when it is asked: some name the address there alone.
async fn told_more(
    client: &Client,
    tokens: &Tokens,
    claims: &Claims,
    host: &str,
    app: &App,
) -> Result<CoreUserInfoClaims, ApiError> {
    let http = http(&app.caller);
    let subject = claims.subject().clone();
    let asking = client
        .user_info(tokens.access_token().clone(), Some(subject))
        .map_err(|error| silent(host, &error.to_string()))?;
    let told = asking.request_async(&http).await;
    told.map_err(|error| match error {
        UserInfoError::ClaimsVerification(_) => unbelievable(host, "it says it of somebody else"),
        other => silent(host, &chain(&other)),
    })
}

fn client(
    app: &App,
    setting: &Setting,
    metadata: CoreProviderMetadata,
    redirect_uri: &str,
) -> Result<Client, ApiError> {
    let secret = setting.client_secret.as_deref();
    let secret = secret.map(|sealed| app.vault.open(sealed)).transpose()?;
    let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
    let ways = metadata.token_endpoint_auth_methods_supported();
    let takes_basic = ways.is_none_or(|ways| {
        ways.contains(&CoreClientAuthMethod::ClientSecretBasic)
            || !ways.contains(&CoreClientAuthMethod::ClientSecretPost)
    });
    let auth_type = if takes_basic {
        AuthType::BasicAuth
    } else {
        AuthType::RequestBody
    };
    let redirect_uri = RedirectUrl::new(redirect_uri.to_owned()).map_err(|_no_address| {
        let detail = "this server does not know its own address";
        ApiError::conflict("no_address", detail)
            .hint("an owner sets it: `im config set public_url https://im.example.com`")
    })?;
    let client_id = ClientId::new(setting.client_id.clone());
    Ok(Client::from_provider_metadata(metadata, client_id, secret)
        .set_auth_type(auth_type)
        .set_redirect_uri(redirect_uri))
}

/// What was heard of a provider lately.
async fn known(app: &App, setting: &Setting) -> Result<CoreProviderMetadata, ApiError> {
    // Whoever comes while it is asked waits for the same answer.
    let mut known = app.access.oidc.known.lock().await;
    let now = app.clock.now();
    if let Some(known) = known.as_ref() {
        let lasts = if known.met.is_ok() { KNOWN } else { LEFT_ALONE };
        if known.issuer == setting.issuer && now.duration_since(known.at) < lasts {
            return known.met.clone();
        }
    }
    let met = discover(app, setting).await;
    *known = Some(Known {
        issuer: setting.issuer.clone(),
        // Those who waited meanwhile must not ask again, one after the other.
        at: app.clock.now(),
        met: met.clone(),
    });
    met
}

/// What a provider says of itself, and its keys.
async fn discover(app: &App, setting: &Setting) -> Result<CoreProviderMetadata, ApiError> {
    meet(&app.caller, &setting.issuer)
        .await
        .map_err(|why| silent(&setting.host(), &why))
}

/// What the provider at an address says of itself, and its keys; else why it cannot be used.
pub async fn meet(caller: &Arc<Caller>, issuer: &str) -> Result<CoreProviderMetadata, String> {
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|error| error.to_string())?;
    let http = http(caller);
    let met = CoreProviderMetadata::discover_async(issuer, &http).await;
    let met = met.map_err(|error| match error {
        DiscoveryError::Request(silent) => silent.to_string(),
        DiscoveryError::Response(status, _, _) => {
            format!("it answers with HTTP {} there", status.as_u16())
        }
        DiscoveryError::Validation(why) => why,
        other => chain(&other),
    })?;
    match plain(&met) {
        None => Ok(met),
        Some(address) => Err(format!(
            "it names {address}, where what it says would not travel encrypted"
        )),
    }
}

/// An address of a provider that is not encrypted, unless the provider is on this machine.
fn plain(met: &CoreProviderMetadata) -> Option<&Url> {
    if setting::is_near(met.issuer()) {
        return None;
    }
    let named = [
        Some(met.authorization_endpoint().url()),
        met.token_endpoint().map(TokenUrl::url),
        Some(met.jwks_uri().url()),
        met.userinfo_endpoint().map(UserInfoUrl::url),
    ];
    named
        .into_iter()
        .flatten()
        .find(|address| address.scheme() != "https")
}

type Asking = std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, Silent>> + Send>>;

/// Our own HTTP client, as the library asks for one.
fn http(caller: &Arc<Caller>) -> impl Fn(HttpRequest) -> Asking + Send + Sync + use<> {
    let caller = Arc::clone(caller);
    move |request| {
        let caller = Arc::clone(&caller);
        Box::pin(async move { caller.provider(request).await })
    }
}

fn silent(host: &str, why: &str) -> ApiError {
    tracing::warn!("nobody can sign in by {host}: {why}");
    let detail = format!("{host} does not answer as a provider of OpenID Connect does: {why}");
    ApiError::new(StatusCode::BAD_GATEWAY, "no_answer", detail)
        .hint("try again in a minute, or sign in with a password")
}

fn unbelievable(host: &str, why: &str) -> ApiError {
    let detail = format!("what {host} says of you cannot be believed: {why}");
    ApiError::new(StatusCode::FORBIDDEN, "id_token", detail).hint(
        "begin again; if it says so again, an owner checks issuer and client id with `im config show`, and the clocks here and there",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_address_that_a_provider_elsewhere_names_is_encrypted() {
        let read = |issuer: &str, plain: &str| {
            let address = |name: &str| {
                let scheme = if name == plain { "http" } else { "https" };
                format!("{scheme}://login.example.com/{name}")
            };
            let met = json!({
                "issuer": issuer,
                "authorization_endpoint": address("authorize"),
                "token_endpoint": address("token"),
                "jwks_uri": address("jwks"),
                "userinfo_endpoint": address("userinfo"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            });
            let met: CoreProviderMetadata = serde_json::from_value(met).unwrap();
            super::plain(&met).map(ToString::to_string)
        };
        let issuer = "https://login.example.com";
        assert_eq!(read(issuer, "none"), None);
        for name in ["authorize", "token", "jwks", "userinfo"] {
            let address = format!("http://login.example.com/{name}");
            assert_eq!(read(issuer, name), Some(address));
            assert_eq!(read("http://127.0.0.1:9000", name), None);
        }
    }

    #[test]
    fn whose_organisation_an_account_of_google_is_of_is_read() {
        let mut said = json!({
            "iss": "https://accounts.google.com", "aud": ["im"], "sub": "24400320", "iat": 0, "exp": 300,
            "email": "ann@example.com", "email_verified": true, "hd": "example.com",
        });
        let read = |said: &serde_json::Value| {
            let claims: Claims = serde_json::from_value(said.clone()).unwrap();
            person(&claims, None).hosted
        };
        assert_eq!(read(&said).as_deref(), Some("example.com"));
        said.as_object_mut().unwrap().remove("hd");
        assert_eq!(read(&said), None);
    }
}
