//! Signing in to PagerDuty in place of an API key: OAuth with a code and PKCE (S256), by an app that somebody
//! registered there.
//!
//! Invariants
//! - What comes back counts only in the browser that was sent, once, within [`LASTS`].
//! - Tokens wait like a key that was tried (ADR 0020): nothing is stored before a form says so.
//! - Less than was asked for is no sign-in: an API key is asked for in its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use im_pagerduty::Secret;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use reqwest::Url;
use sha2::{Digest as _, Sha256};

use super::draft::{Draft, Lacking, Pending};
use super::{CONNECT, connect};
use crate::access::audit::Note;
use crate::access::new_secret;
use crate::credential::{Credential, OAuthApp, Tokens, base_url};
use crate::http::api::connectors::{ask, find, set_up};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::run::NoTokens;
use crate::web::guard::{Fields, Visit};
use crate::web::parts;
use crate::web::{Pairs, WebState, to};

/// How long somebody may be at PagerDuty.
pub(super) const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// Where PagerDuty signs people in, in each region.
const IDENTITY: &str = "https://identity.pagerduty.com";
/// Where it sends them back.
const CALLBACK: &str = "/integrations/oauth";
/// What a scoped app is asked for, with what it is for.
const SCOPES: [(&str, &str); 15] = [
    ("abilities.read", "what the account's plan gives"),
    ("custom_fields.read", "custom fields"),
    ("escalation_policies.read", "escalation policies"),
    ("incident_types.read", "types of incidents"),
    (
        "incident_workflows.read",
        "what the webhook tells of workflows",
    ),
    ("incidents.read", "incidents and their history"),
    ("incidents.write", "what is done here is sent"),
    ("oncalls.read", "who is on call"),
    ("priorities.read", "priorities"),
    ("schedules.read", "schedules"),
    ("services.read", "services"),
    ("teams.read", "teams"),
    ("users.read", "people"),
    (
        "webhook_subscriptions.read",
        "whether the webhook is as it was made",
    ),
    ("webhook_subscriptions.write", "making one webhook"),
];
/// What a classic app is asked for.
const CLASSIC: [(&str, &str); 1] = [("write", "reading and writing everything that you may")];

/// The scopes of a kind of app.
fn scopes(kind: &str) -> &'static [(&'static str, &'static str)] {
    if kind == "classic" { &CLASSIC } else { &SCOPES }
}

/// Prepares a sign-in for a new connection.
pub(super) async fn begin(State(state): State<WebState>, visit: Visit, fields: Fields) -> Response {
    let begun = async {
        let name = connect::free_name(&state, &fields).await?;
        let client_id = fields.get("client_id");
        if client_id.is_empty() {
            return Err(ApiError::wrong_value("client_id", "no client id was given")
                .hint("PagerDuty shows it where the app is registered"));
        }
        let identity = match fields.get("other_url").trim_end_matches('/') {
            "" => IDENTITY,
            other => other,
        };
        let app = OAuthApp {
            client_id: client_id.to_owned(),
            client_secret: fields.get("client_secret").to_owned(),
            token_url: format!("{identity}/oauth/token"),
        };
        pending(&state, &visit, (&name, false), fields.get("kind"), app)
    };
    match begun.await {
        Ok(pending) => {
            let note = Note::thing(pending.name.clone());
            state.drafts.wait(&visit.word, pending);
            (note, to(CONNECT)).into_response()
        }
        Err(error) => connect::page(&state, &visit, (Some("oauth"), Some((fields, error)))).await,
    }
}

/// Prepares another sign-in by the app of a connection that is there.
pub(super) async fn again(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let begun = async {
        let connector = find(&state, &name).await?;
        let stored = Credential::read(state.vault.open(&connector.row.api_key)?);
        let Credential::Tokens(tokens) = stored else {
            return Err(ApiError::conflict(
                "no_sign_in",
                format!("connector `{name}` has an API key"),
            )
            .hint("another key is given in its settings"));
        };
        let kind = tokens.kind.clone();
        pending(&state, &visit, (&name, true), &kind, tokens.app)
    };
    match begun.await {
        Ok(pending) => {
            state.drafts.wait(&visit.word, pending);
            to(CONNECT)
        }
        Err(error) => super::super::refused(&error, state.moment()),
    }
}

fn pending(
    state: &WebState,
    visit: &Visit,
    (name, renews): (&str, bool),
    kind: &str,
    app: OAuthApp,
) -> Result<Pending, ApiError> {
    let wrong = |why: &str| {
        ApiError::wrong_value("base_url", format!("the address of the sign-in {why}"))
            .hint("leave it out, unless it is a stand-in's: http://127.0.0.1:8081")
    };
    let (word, verifier) = (new_secret()?, new_secret()?);
    let redirect_uri = callback(visit);
    let authorize = app.token_url.replace("/oauth/token", "/oauth/authorize");
    let mut url =
        Url::parse(&authorize).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(wrong("begins with neither https:// nor http://"));
    }
    let wanted: Vec<&str> = scopes(kind).iter().map(|(scope, _)| *scope).collect();
    url.query_pairs_mut().extend_pairs([
        ("client_id", &*app.client_id),
        ("redirect_uri", &redirect_uri),
        ("response_type", "code"),
        ("scope", &format!("openid {}", wanted.join(" "))),
        ("state", &word),
        ("code_challenge", &challenge(&verifier)),
        ("code_challenge_method", "S256"),
    ]);
    Ok(Pending {
        name: name.to_owned(),
        renews,
        kind: kind.to_owned(),
        app,
        url: url.to_string(),
        redirect_uri,
        word,
        verifier: Secret::new(verifier),
        at: state.clock.now(),
    })
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Where PagerDuty sends people back to.
fn callback(visit: &Visit) -> String {
    format!("{}{CALLBACK}", visit.base)
}

/// PagerDuty sent somebody back.
pub(super) async fn come_back(
    State(state): State<WebState>,
    visit: Visit,
    pairs: Pairs,
) -> Response {
    match signed_in(&state, &visit, &pairs).await {
        Ok(Came::Enough(draft)) => {
            let note = Note::thing(draft.name.clone());
            state.drafts.keep(&visit.word, *draft);
            (note, to(CONNECT)).into_response()
        }
        Ok(Came::Lacking(lacking)) => {
            let note = Note::not_done(lacking.name.clone(), lacking.error.status);
            state.drafts.ask_for_key(&visit.word, lacking);
            (note, to(CONNECT)).into_response()
        }
        Err(error) => {
            connect::page(
                &state,
                &visit,
                (Some("oauth"), Some((Fields::none(), error))),
            )
            .await
        }
    }
}

/// With what somebody came back.
enum Came {
    Enough(Box<Draft>),
    Lacking(Lacking),
}

async fn signed_in(state: &WebState, visit: &Visit, pairs: &Pairs) -> Result<Came, ApiError> {
    let now = state.clock.now();
    let said = |name: &str| {
        let mut named = pairs.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    };
    let pending = state
        .drafts
        .back(&visit.word, said("state").unwrap_or_default(), now);
    let Some(pending) = pending else {
        return Err(ApiError::wrong_value(
            "state",
            "this is no answer to a sign-in that was begun in this browser, or it was used already",
        )
        .hint("begin the sign-in again; nothing was stored"));
    };
    if let Some(error) = said("error") {
        let why = said("error_description").unwrap_or(error);
        return Err(ApiError::wrong_value(
            "denied",
            format!("PagerDuty did not sign you in: {why}"),
        )
        .hint("begin again, or use an API key; nothing was stored"));
    }
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", said("code").unwrap_or_default()),
        ("redirect_uri", &pending.redirect_uri),
        ("code_verifier", pending.verifier.expose()),
    ];
    let given = state
        .caller
        .tokens(&pending.name, &pending.app, pending.app.form(&fields))
        .await;
    let given = given.map_err(|untaken| no_tokens(&untaken))?;
    let base_url = given.id_token.as_deref().and_then(base_url);
    let base_url = base_url.ok_or_else(|| {
        ApiError::wrong_value("id_token", "PagerDuty did not say which account it was")
            .hint("sign in again; nothing was stored")
    })?;
    if let Some(error) = lacks(&pending, &given.scope) {
        return key_in_place(pending, base_url, error, now);
    }
    let api_key = Tokens::of(pending.app, pending.kind, &given, now).text();
    let asked = set_up::Given {
        api_key: api_key.expose().to_owned(),
        base_url: Some(base_url.clone()),
        email: None,
    };
    let Json(key) = set_up::probe(State(Arc::clone(&state.app)), Body(asked)).await?;
    let draft = Draft {
        name: pending.name,
        renews: pending.renews,
        is_signed_in: true,
        base_url,
        api_key,
        key: Arc::new(key),
        at: now,
    };
    if !draft.renews {
        connect::must_be_new(state, &draft).await?;
    }
    Ok(Came::Enough(Box::new(draft)))
}

/// Asks for a key where a sign-in may too little. A connection that is there takes one in its settings.
fn key_in_place(
    pending: Pending,
    base_url: String,
    error: ApiError,
    now: Timestamp,
) -> Result<Came, ApiError> {
    if pending.renews {
        return Err(error.hint(
            "add it to the app at PagerDuty, then sign in again; or give an API key in the settings of the connection",
        ));
    }
    let error = error.hint(
        "an API key may do all of it: give one here; or add it to the app at PagerDuty, and sign in again",
    );
    Ok(Came::Lacking(Lacking {
        name: pending.name,
        base_url,
        error,
        at: now,
    }))
}

/// What of the scopes that were asked for is not there.
fn lacks(pending: &Pending, given: &str) -> Option<ApiError> {
    let has: BTreeSet<&str> = given.split_whitespace().collect();
    let wanted = scopes(&pending.kind).iter().map(|(scope, _)| *scope);
    let missing: Vec<&str> = wanted.filter(|scope| !has.contains(scope)).collect();
    let is = if missing.len() == 1 { "is" } else { "are" };
    let detail = format!(
        "PagerDuty gave less than was asked for: {} {is} missing",
        missing.join(", ")
    );
    (!missing.is_empty()).then(|| ApiError::wrong_value("scope", detail))
}

fn no_tokens(untaken: &NoTokens) -> ApiError {
    match untaken {
        NoTokens::Refused { why, .. } => {
            ApiError::wrong_value("no_tokens", format!("PagerDuty gave no tokens: {why}")).hint(
                "are client id and secret those of the app? Then sign in again; nothing was stored",
            )
        }
        NoTokens::Silent(why) => ask::no_answer(
            format!("PagerDuty gave no tokens: {why}"),
            "sign in again in a minute; nothing was stored".to_owned(),
        ),
    }
}

/// What is asked for, and the way there. A link, not a form: where a form leads is for this server to say.
pub(super) fn way(visit: &Visit, pending: &Pending) -> Markup {
    html! {
        p { "PagerDuty asks whether " strong { (pending.app.client_id) } " may do this for " (pending.name) ":" }
        ul.plain {
            @for (scope, what) in scopes(&pending.kind) { li { (parts::capital(what)) " " span.small { (scope) } } }
        }
        p.small { "If you say no, nothing is stored. If you agree, the tokens are stored encrypted once you have chosen how they are used." }
        div.choices {
            a.button.primary href=(pending.url) rel="noreferrer" { "Continue to PagerDuty" }
            (parts::form(&format!("{CONNECT}/again"), visit, &html! { button.button type="submit" { "Begin again" } }))
        }
    }
}

/// The form of an app, with what was typed.
pub(super) fn form<'a>(
    visit: &Visit,
    free: &'a str,
    typed: impl Fn(&'a str, &'a str) -> &'a str,
) -> Markup {
    let kind = typed("kind", "scoped");
    html! {
        div.quote {
            p { strong { "What the sign-in is used for: " }
                "reading incidents, people and services of the account; sending what is done here, in your name where nobody else's is known; and making one webhook." }
            p { "The tokens are stored encrypted and renewed by themselves. Without an app at PagerDuty, use an API key." }
        }
        h3 { "In PagerDuty" }
        ol.ways {
            li { "Integrations, then App Registration, New App, with OAuth 2.0 as Scoped OAuth" }
            li { "Redirect URL: " (parts::copied(None, "Copy redirect URL", callback(visit))) }
            li { "The permissions " (parts::copied(Some("link"), "Copy permissions", SCOPES.map(|(scope, _)| scope).join(" "))) }
            li { "Register the app, and copy its client id and secret" }
        }
        (parts::form(&format!("{CONNECT}/oauth"), visit, &html! {
            label { "Client id" input type="text" name="client_id" value=(typed("client_id", "")) required autocomplete="off"; }
            (parts::secret(&html! { label { "Client secret" input type="password" name="client_secret" autocomplete="off" spellcheck="false"; } }))
            label { "Kind of the app"
                select name="kind" {
                    option value="scoped" selected[kind == "scoped"] { "Scoped OAuth" }
                    option value="classic" selected[kind == "classic"] { "Classic User OAuth" }
                }
            }
            label { "Name of the connection" input type="text" name="name" value=(typed("name", free)) required autocomplete="off"; }
            details open[!typed("other_url", "").is_empty()] {
                summary { "Another address of the sign-in" }
                label { "Only for a stand-in of PagerDuty's" input type="url" name="other_url" value=(typed("other_url", "")) placeholder="http://127.0.0.1:8081" autocomplete="off"; }
            }
            p.choices {
                button.button.primary type="submit" { "Sign in to PagerDuty" }
                a.button href=(super::ADDRESS) { "Finish later" }
            }
        }))
    }
}
