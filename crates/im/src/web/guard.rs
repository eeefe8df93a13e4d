//! Who may look, and who may send a form.
//!
//! While there is no account, the pages are for the machine that `im` runs on, if the server listens
//! there alone. From the first account on, whoever is signed in may look, from wherever they come.
//!
//! A page of another site can make a browser send requests here, under a name of its own that leads
//! here (DNS rebinding): the browser then has no cookie of ours, and the name is none that we go by.
//! What it posts under our own name is told by `Origin` and `Sec-Fetch-Site`, and does not know the
//! word that each form of ours has.
//!
//! Invariants
//! - A form is taken from a page of this server alone, with the word of the browser that was shown it.
//! - A route without a rule is shown to nobody.

use std::net::{IpAddr, SocketAddr};

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Form, FromRequest as _, FromRequestParts, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use im_core::Actor;
use im_store::accounts::{self, AccountRow, Role};
use im_store::sessions::{self, SessionRow};
use im_store::{StoreError, Tx};
use jiff::tz::TimeZone;
use maud::html;
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::layout::Trouble;
use super::{Moment, WebState, failed, parts, sign_in};
use crate::access::audit::SentToSignIn;
use crate::access::rules::{self, Need, Rule};
use crate::access::sign_in::Browser;
use crate::access::{self, Whence, Who, new_secret};
use crate::http::api::settings::{stored_public_url, time_zone};
use crate::http::error::ApiError;

const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

const PROXIES_SAY: [HeaderName; 5] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// The cookie; over TLS its name keeps others of the same domain from setting it.
const COOKIE: &str = "im";
const COOKIE_OVER_TLS: &str = "__Host-im";
/// A secret in hexadecimal digits.
const SECRET_CHARS: usize = 64;
/// A form with a text as long as a field takes, in whichever script; a letter takes up to 9 bytes on the way.
const FORM_BYTES_MAX: usize = 256 * 1024;
/// Characters that a field for a text takes.
pub(super) const TEXT_CHARS_MAX: usize = 20_000;
/// How long a form may take.
const FORM_WITHIN: std::time::Duration = std::time::Duration::from_secs(30);
/// The field with the word of a form.
pub(super) const WORD: &str = "word";

/// The field that tells a form that makes something from every other one that was shown.
pub(super) const ONCE: &str = "once";

/// What is known of the browser that asks.
#[derive(Clone)]
pub(super) struct Visit {
    /// Who is signed in; on the pages of who is not, nobody.
    pub(super) who: Option<Who>,
    /// The word of its forms.
    pub(super) word: String,
    /// The browser.
    pub(super) browser: Browser,
    /// The hash of its session.
    pub(super) session: Option<String>,
    /// Whether anybody has an account.
    pub(super) has_accounts: bool,
    /// The address of this server, as the browser knows it.
    pub(super) base: String,
    over_tls: bool,
    /// Whether it was not asked by its own address, under which alone the cookie is sure to be kept.
    pub(super) is_elsewhere: bool,
}

/// What was typed into a form.
#[derive(Clone)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Those of no form.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// What a form begins with.
    pub(super) fn of(fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter();
        Self(
            fields
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// A field, without what stands around it; empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field, if it is not as the form was shown: that is in a field `was_…`.
    pub(super) fn changed(&self, name: &str) -> Option<String> {
        let now = self.get(name);
        (now != self.get(&format!("was_{name}"))).then(|| now.to_owned())
    }

    /// What was chosen of several.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// What tells this form, as it was filled in, from every other: the same is one that was sent twice, by
    /// two presses or by going back. What was changed before it is sent again is another.
    pub(super) fn digest(&self) -> Option<String> {
        let is_once = !self.get(ONCE).is_empty();
        let pairs = serde_json::to_string(&self.0).ok();
        pairs.filter(|_| is_once).map(|pairs| access::hash(&pairs))
    }

    /// A field as it was typed.
    pub(super) fn raw(&self, name: &str) -> &str {
        let field = self.0.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value)
    }
}

macro_rules! from_extensions {
    ($($kind:ty),*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $kind {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
                // Absent only on a route that forgot the check.
                parts.extensions.get::<Self>().cloned().ok_or_else(ApiError::internal)
            }
        }
    )*};
}

from_extensions!(Visit, Fields);

impl Visit {
    /// Whether who looks may act on incidents.
    pub(super) fn may_act(&self) -> bool {
        self.who
            .as_ref()
            .is_some_and(|who| who.role >= Role::Responder)
    }

    /// What makes the browser keep a session.
    pub(super) fn cookie(&self, secret: &str) -> (HeaderName, String) {
        let seconds = access::sign_in::LASTS.as_secs();
        self.set_cookie(secret, &format!("; Max-Age={seconds}"))
    }

    /// What makes the browser forget it.
    pub(super) fn no_cookie(&self) -> (HeaderName, String) {
        self.set_cookie("", "; Max-Age=0")
    }

    fn set_cookie(&self, secret: &str, lasts: &str) -> (HeaderName, String) {
        let (name, secure) = if self.over_tls {
            (COOKIE_OVER_TLS, "; Secure")
        } else {
            (COOKIE, "")
        };
        let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}{lasts}");
        (header::SET_COOKIE, cookie)
    }
}

/// What the database knows of a request.
struct Known {
    has_accounts: bool,
    public: Option<Url>,
    zone: TimeZone,
    session: Option<(SessionRow, AccountRow)>,
    /// What the browser has for a secret, whether or not it is one of a session.
    secret: Option<String>,
}

/// Lets a request through with its [`Visit`], or refuses it.
pub(super) async fn check(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let rule = rules::of(request.method(), request.extensions());
    let Some(rule) = rule else {
        tracing::error!("{} has no rule, so nobody may see it", request.uri().path());
        return ApiError::internal().into_response();
    };
    if rule.need == Need::Nothing {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match admit(&state, rule, &parts, body).await {
        Ok(admitted) => admitted.run(parts, next).await,
        Err(refused) => refused,
    }
}

/// A request that may go on.
struct Admitted {
    visit: Visit,
    fields: Option<Fields>,
    /// A secret that the browser is to have, so that it can send a form.
    fresh: Option<String>,
}

impl Admitted {
    async fn run(self, mut parts: Parts, next: Next) -> Response {
        let who = self.visit.who.clone();
        let fresh = self.fresh.map(|secret| self.visit.set_cookie(&secret, ""));
        if let Some(who) = &who {
            parts.extensions.insert(who.clone());
        }
        if let Some(fields) = self.fields {
            parts.extensions.insert(fields);
        }
        parts.extensions.insert(self.visit);
        let mut response = next.run(Request::from_parts(parts, Body::empty())).await;
        if let Some(who) = who {
            response.extensions_mut().insert(who);
        }
        let has_cookie = response.headers().contains_key(header::SET_COOKIE);
        if let Some((name, cookie)) = fresh.filter(|_| !has_cookie)
            && let Ok(cookie) = HeaderValue::from_str(&cookie)
        {
            response.headers_mut().insert(name, cookie);
        }
        response
    }
}

async fn admit(
    state: &WebState,
    rule: &'static Rule,
    parts: &Parts,
    body: Body,
) -> Result<Admitted, Response> {
    // What is held back must not act by a right that ended meanwhile.
    let read = if rule.is_read() {
        None
    } else {
        fields(parts, body).await
    };
    let now = state.access.clock.now();
    let cookies = Cookies::of(&parts.headers);
    let known = state.db.read(move |tx| known(tx, cookies, now)).await;
    let known = known.map_err(|error| failed(&error, state.moment()))?;
    state.speak_of(&known.zone);
    let host = host(parts);
    let is_open = !known.has_accounts && state.access.trusts_loopback;
    if let Some(error) = misplaced(parts, host.as_deref(), &known, is_open) {
        return Err(turned_away(&error, parts, state.moment()));
    }
    let who = match &known.session {
        Some((_, account)) => Some(Who::account(account)),
        None => is_open.then(|| Who::local(Actor::NOBODY, None)),
    };
    let (secret, fresh) = if let Some(secret) = &known.secret {
        (secret.clone(), None)
    } else {
        let secret = new_secret().map_err(IntoResponse::into_response)?;
        (secret.clone(), Some(secret))
    };
    let over_tls = known
        .public
        .as_ref()
        .is_some_and(|url| url.scheme() == "https");
    let visit = Visit {
        who,
        word: word(&secret),
        browser: browser(parts, known.secret.clone()),
        session: known
            .session
            .as_ref()
            .map(|(session, _)| session.hash.clone()),
        has_accounts: known.has_accounts,
        base: base(host.as_deref(), known.public.as_ref(), parts),
        is_elsewhere: over_tls && known.public.as_ref().and_then(Url::host_str) != host.as_deref(),
        over_tls,
    };
    let public = known.public.as_ref();
    let fields = admit_form(state, rule, &visit, (parts, public), read);
    let fields = fields.map_err(|refused| *refused)?;
    if let Need::Role(role) = rule.need {
        let Some(who) = &visit.who else {
            return Err(sent_to_sign_in(state, parts));
        };
        if let Err(error) = who.must_be(role) {
            let mut refused = super::refused(&error, state.moment());
            refused.extensions_mut().insert(who.clone());
            return Err(refused);
        }
    }
    note_use(state, &known, parts);
    Ok(Admitted {
        visit,
        fields,
        fresh,
    })
}

fn sent_to_sign_in(state: &WebState, parts: &Parts) -> Response {
    let mut sent = sign_in::first(parts, state.moment());
    let had_cookie = has_cookie(&parts.headers);
    sent.extensions_mut().insert(SentToSignIn { had_cookie });
    sent
}

fn known(tx: &mut Tx<'_>, cookies: Cookies, now: jiff::Timestamp) -> Result<Known, StoreError> {
    let public = stored_public_url(tx)?.and_then(|url| Url::parse(&url).ok());
    let over_tls = public.as_ref().is_some_and(|url| url.scheme() == "https");
    let secret = if over_tls {
        cookies.over_tls
    } else {
        cookies.plain
    };
    let session = match &secret {
        Some(secret) => access::sign_in::session(tx, secret, now)?,
        None => None,
    };
    Ok(Known {
        has_accounts: accounts::any(tx)?,
        public,
        zone: time_zone(tx)?,
        session,
        secret,
    })
}

/// The form that was read, if a page of ours sent it.
fn admit_form(
    state: &WebState,
    rule: &Rule,
    visit: &Visit,
    (parts, public): (&Parts, Option<&Url>),
    read: Option<Fields>,
) -> Result<Option<Fields>, Box<Response>> {
    if rule.is_read() {
        return Ok(None);
    }
    let refuse = |why: &str| {
        let error = ApiError::new(StatusCode::FORBIDDEN, "foreign_form", why)
            .hint("open the page again, and send it from there; nothing was changed");
        let mut refused = super::refused(&error, state.moment());
        if let Some(who) = &visit.who {
            refused.extensions_mut().insert(who.clone());
        }
        Box::new(refused)
    };
    if !is_same_origin(parts, public) {
        return Err(refuse("this form was sent by a page of another site"));
    }
    if let Some(bytes) = too_long(parts) {
        return Err(Box::new(super::refused(
            &form_too_long(bytes),
            state.moment(),
        )));
    }
    let fields = read.ok_or_else(|| refuse("this form cannot be read"))?;
    let given = fields.get(WORD).as_bytes();
    if !bool::from(given.ct_eq(visit.word.as_bytes())) {
        return Err(refuse("this form is old, or was sent by another page"));
    }
    Ok(Some(fields))
}

/// How long a form says that it is, if that is more than is taken: nobody who writes much is an attacker.
fn too_long(parts: &Parts) -> Option<usize> {
    let length = parts.headers.get(header::CONTENT_LENGTH)?;
    let bytes = length.to_str().ok()?.parse::<usize>().ok()?;
    (bytes > FORM_BYTES_MAX).then_some(bytes)
}

fn form_too_long(bytes: usize) -> ApiError {
    let detail = format!(
        "this form has {} kB, and at most {} kB are taken; nothing was done",
        bytes.div_ceil(1024),
        FORM_BYTES_MAX / 1024
    );
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "form_too_long", detail).hint(
        "go back, where what was written still stands, and make it shorter; a long text goes into several notes",
    )
}

async fn fields(parts: &Parts, body: Body) -> Option<Fields> {
    let bytes = tokio::time::timeout(FORM_WITHIN, to_bytes(body, FORM_BYTES_MAX));
    let bytes = bytes.await.ok()?.ok()?;
    let mut request = Request::new(Body::from(bytes));
    *request.method_mut() = Method::POST;
    let kind = parts.headers.get(header::CONTENT_TYPE)?;
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, kind.clone());
    let Form(fields) = Form::from_request(request, &()).await.ok()?;
    Some(Fields(fields))
}

/// Whether a page of this server sent it; a browser that says neither is not one of today.
fn is_same_origin(parts: &Parts, public: Option<&Url>) -> bool {
    let text = |name: &HeaderName| {
        parts
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap_or(""))
    };
    let site = text(&FETCH_SITE);
    let origin = text(&header::ORIGIN);
    let is_own = origin.is_none_or(|origin| {
        public.is_some_and(|url| url.origin().ascii_serialization() == origin)
            || is_origin_of_host(origin, parts, public)
    });
    let is_said = site.is_some() || origin.is_some();
    is_said && site.is_none_or(|site| site == "same-origin") && is_own
}

/// Whether it is the address that was asked. Of the public address there is one origin alone.
fn is_origin_of_host(origin: &str, parts: &Parts, public: Option<&Url>) -> bool {
    let (Some(authority), Some((scheme, named))) = (authority(parts), origin.split_once("://"))
    else {
        return false;
    };
    let is_public = public.is_some_and(|url| url.host_str() == Some(authority.host()));
    !is_public
        && matches!(scheme, "http" | "https")
        && named.eq_ignore_ascii_case(authority.as_str())
}

/// The word of the forms that a browser is shown: whoever does not have its secret cannot make it.
fn word(secret: &str) -> String {
    hex::encode(Sha256::digest(format!("form {secret}")))
}

/// Whether no person asked, but a page that renews itself.
pub(super) fn is_by_itself(headers: &HeaderMap) -> bool {
    headers.get(FETCH_DEST).is_some_and(|kind| kind == "empty")
}

/// A page that renews itself is no use of a session: only what a person opens is.
fn note_use(state: &WebState, known: &Known, parts: &Parts) {
    let by_itself = is_by_itself(&parts.headers);
    let now = state.access.clock.now();
    if let Some((session, _)) = &known.session
        && !by_itself
        && access::sign_in::is_news(session, now)
    {
        let hash = session.hash.clone();
        // Nobody waits for it, and a lost note of a use harms nobody.
        drop(state.db.write(move |tx| sessions::seen(tx, &hash, now)));
    }
}

fn browser(parts: &Parts, before: Option<String>) -> Browser {
    let agent = parts.headers.get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    Browser {
        from: Whence::of(parts),
        agent: agent.unwrap_or_default().to_owned(),
        before,
    }
}

/// The two cookies of which one counts.
struct Cookies {
    plain: Option<String>,
    over_tls: Option<String>,
}

impl Cookies {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            plain: cookie(headers, COOKIE),
            over_tls: cookie(headers, COOKIE_OVER_TLS),
        }
    }
}

/// Whether the browser has a cookie of our names, whatever is in it.
fn has_cookie(headers: &HeaderMap) -> bool {
    let mut names = [COOKIE, COOKIE_OVER_TLS].into_iter();
    names.any(|name| values(headers, name).next().is_some())
}

/// What the cookies of a name have in them.
fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let cookies = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    cookies.filter_map(move |cookie| {
        let (known, value) = cookie.trim().split_once('=')?;
        (known == name).then_some(value)
    })
}

/// A cookie that looks like one of ours.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = values(headers, name).next()?;
    let is_secret = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    let fits = value.len() == SECRET_CHARS && value.bytes().all(is_secret);
    fits.then(|| value.to_owned())
}

/// Answers with 403 unless the request comes from this machine and means it.
pub(crate) async fn refuse_strangers(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match stranger(&parts, host(&parts).as_deref()) {
        None => next.run(Request::from_parts(parts, body)).await,
        Some(reason) => text(&refusal(reason).hint(OPEN_THERE)),
    }
}

/// Why a request does not come from this machine. Without a peer it was made in this process.
fn stranger(parts: &Parts, host: Option<&str>) -> Option<&'static str> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical());
    if peer.is_some_and(|peer| !peer.is_loopback()) {
        return Some("it came from another machine");
    }
    if PROXIES_SAY
        .iter()
        .any(|name| parts.headers.contains_key(name))
    {
        return Some("it came through a proxy or a tunnel");
    }
    match host {
        Some(host) if HOSTS.contains(&host) => None,
        None if peer.is_none() => None,
        Some(_) | None => Some("it was addressed to another name than localhost"),
    }
}

/// Whether we go by this name: nobody can make an address lead elsewhere, nor `localhost`, nor the
/// public address, which its owner set.
fn is_ours(host: Option<&str>, public: Option<&Url>) -> bool {
    let Some(host) = host else { return false };
    let bare = host.trim_matches(['[', ']']);
    HOSTS.contains(&host)
        || bare.parse::<IpAddr>().is_ok()
        || public.and_then(Url::host_str) == Some(host)
}

/// The host asked for, without its port and in lower case.
fn host(parts: &Parts) -> Option<String> {
    Some(authority(parts)?.host().to_ascii_lowercase())
}

fn authority(parts: &Parts) -> Option<Authority> {
    header_host(&parts.headers).or_else(|| parts.uri.authority().cloned())
}

fn header_host(headers: &HeaderMap) -> Option<Authority> {
    let text = headers.get(header::HOST)?.to_str().ok()?;
    // A host that cannot be read must not pass for one that is absent.
    Some(text.parse().unwrap_or(Authority::from_static("unreadable")))
}

/// Where a link leads that is sent to somebody.
fn base(host: Option<&str>, public: Option<&Url>, parts: &Parts) -> String {
    match (public, host.and_then(|_| authority(parts))) {
        (Some(url), _) => url.as_str().trim_end_matches('/').to_owned(),
        (None, Some(authority)) => format!("http://{authority}"),
        (None, None) => String::new(),
    }
}

/// Where the pages are while nobody has an account.
const OPEN_THERE: &str = "open http://localhost with im's port on that machine, or reach it by `ssh -L`; from elsewhere use the command line or the API with a token";

/// Why nothing here is for who asks from there, or by that name.
fn misplaced(parts: &Parts, host: Option<&str>, known: &Known, is_open: bool) -> Option<ApiError> {
    if !is_open {
        return (!is_ours(host, known.public.as_ref())).then(|| misdirected(host));
    }
    let reason = stranger(parts, host)?;
    Some(refusal(reason).hint(format!(
        "{OPEN_THERE}. `im user add EMAIL --role owner` there lets people sign in, from elsewhere, too"
    )))
}

fn refusal(reason: &str) -> ApiError {
    let detail = format!(
        "these pages are for the machine that im runs on, and this request was refused: {reason}"
    );
    ApiError::new(StatusCode::FORBIDDEN, "not_this_machine", detail)
}

fn misdirected(host: Option<&str>) -> ApiError {
    let named = host.unwrap_or("no name");
    let detail = format!(
        "this server does not go by the name `{named}`, so it shows its pages to nobody who asks for that"
    );
    ApiError::new(StatusCode::MISDIRECTED_REQUEST, "wrong_name", detail).hint(
        "`im config set public_url https://NAME` tells it its name; an IP address and localhost always work",
    )
}

/// Says why nothing is shown: no page here would be.
fn turned_away(error: &ApiError, parts: &Parts, moment: Moment) -> Response {
    if !super::asks_for_page(&parts.headers) {
        return text(error);
    }
    let trouble = Trouble {
        title: "Nothing is shown here",
        error,
        more: html! {},
        choices: html! {},
    };
    (error.status, trouble.page(moment)).into_response()
}

/// The same for programs and for terminals.
fn text(error: &ApiError) -> Response {
    let next = error.next().unwrap_or_default();
    let text = format!(
        "{}.\n{}.\n{}\n",
        parts::capital(error.detail()),
        parts::capital(&next),
        error.code()
    );
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    (error.status, [(header::CONTENT_TYPE, plain)], text).into_response()
}
