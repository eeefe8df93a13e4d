//! Signing in and out, and choosing a password by a link.

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use im_pagerduty::Secret;
use im_store::audit::Kind;
use im_store::links::{LinkRow, Purpose};
use im_store::sessions;
use jiff::Timestamp;
use maud::{Markup, html};

use super::address::Address;
use super::guard::{Fields, Visit};
use super::times::Now;
use super::{Moment, Pairs, WebState, failed, help, layout, parts, refused, times, to};
use crate::access::audit::Note;
use crate::access::oidc;
use crate::access::people::{EMAIL_CHARS_MAX, SET_PASSWORD, address};
use crate::access::sign_in::{self, Chosen, Refusal};
use crate::http::error::ApiError;
use crate::organisation::is_email;

const SIGN_IN: &str = "/sign-in";
/// Where somebody wanted to go.
const TO: &str = "to";
/// No page of ours has a longer address.
const TO_BYTES_MAX: usize = 2000;

fn get(pairs: &[(String, String)], name: &str) -> String {
    let pair = pairs.iter().find(|(known, _)| known == name);
    pair.map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Sends whoever has to sign in first there; who sent a form is told that it did nothing.
pub(super) fn first(parts: &Parts, moment: Moment) -> Response {
    let is_page = parts.method.is_safe() && parts.uri.path() != "/live";
    if !is_page {
        let error = ApiError::new(StatusCode::UNAUTHORIZED, "sign_in", "nobody is signed in")
            .hint("sign in, and do it again; nothing was changed");
        return refused(&error, moment);
    }
    let wanted = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if wanted == "/" {
        return to(SIGN_IN);
    }
    let sign_in = Address::new(SIGN_IN, Vec::new());
    to(&sign_in.with(TO, wanted).link())
}

/// The address if it is one of this server's, else the first page.
fn local(wanted: &str) -> &str {
    let is_plain = wanted.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
    let is_local = wanted.starts_with('/') && !wanted.starts_with("//");
    let is_page = !wanted.starts_with(SIGN_IN);
    if is_plain && is_local && is_page && wanted.len() <= TO_BYTES_MAX {
        wanted
    } else {
        "/"
    }
}

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    let wanted = get(&pairs, TO);
    if visit.who.is_some() {
        return to(local(&wanted));
    }
    let form = SignIn::of("", local(&wanted));
    sign_in_page(&state, &visit, StatusCode::OK, form).await
}

/// What a form to sign in has in it.
struct SignIn<'a> {
    email: &'a str,
    wanted: &'a str,
    problem: Option<Markup>,
}

impl<'a> SignIn<'a> {
    fn of(email: &'a str, wanted: &'a str) -> Self {
        Self {
            email,
            wanted,
            problem: None,
        }
    }

    fn refused(mut self, problem: Markup) -> Self {
        self.problem = Some(problem);
        self
    }
}

async fn sign_in_page(
    state: &WebState,
    visit: &Visit,
    status: StatusCode,
    form: SignIn<'_>,
) -> Response {
    let provider = if visit.has_accounts {
        state.db.read(oidc::setting::read).await
    } else {
        Ok(None)
    };
    match provider {
        Ok(provider) => {
            let host = provider.map(|provider| provider.host());
            (status, sign_in_form(visit, &form, host.as_deref())).into_response()
        }
        Err(error) => failed(&error, state.moment()),
    }
}

fn sign_in_form(visit: &Visit, form: &SignIn<'_>, provider: Option<&str>) -> Markup {
    let SignIn {
        email,
        wanted,
        problem,
    } = form;
    let fields = html! {
        input type="hidden" name=(TO) value=(wanted);
        label { "E-mail address" input type="email" name="email" value=(email) required autocomplete="username" autofocus[email.is_empty()]; }
        label { "Password" input type="password" name="password" required autocomplete="current-password" autofocus[!email.is_empty()]; }
        @if let Some(problem) = problem { (problem) }
        p.choices { button.button.primary type="submit" { "Sign in" } }
    };
    let body = html! {
        div.panel.message.entry {
            h1 { "Sign in to im" }
            @if visit.is_elsewhere {
                p { "This server's own address is " a href=(visit.base) { (visit.base) } ". Sign in there: without TLS a browser may not keep the session." }
            }
            @if visit.has_accounts {
                @if let Some(host) = provider {
                    p.choices { a.button.wide href=(way(visit, wanted)) rel="nofollow" { "Sign in with " (host) } }
                    p.small.or { "or with a password" }
                }
                (parts::form(SIGN_IN, visit, &fields))
                p.small { "No password yet, or forgotten? An admin gives you a link, on the page People or by " code { "im user reset" } ". " a href=(help::ADDRESS) { "Get help" } }
            } @else {
                p { "Nobody has an account yet. The log of the server has a link for the first owner; it says so each time it starts." }
                p { "Or make one on the server's machine:" }
                pre.command { "im user add you@example.com --role owner" }
                @if let Some(problem) = problem { (problem) }
            }
        }
    };
    layout::plain("Sign in", &body)
}

pub(super) async fn sign_in(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let (email, wanted) = (fields.get("email"), local(fields.get(TO)));
    let password = Secret::new(fields.raw("password"));
    let done = sign_in::sign_in(&state.access, email, password, visit.browser.clone()).await;
    let (status, problem) = match done {
        Ok(secret) => {
            let note = by(Kind::Account, email);
            return (note, [visit.cookie(&secret)], to(wanted)).into_response();
        }
        Err(refusal) => say(&refusal, state.moment()),
    };
    // What is no address may be a password in the wrong field.
    let is_shown = is_email(email) && email.len() <= EMAIL_CHARS_MAX;
    let shown = if is_shown { email } else { "" };
    let form = SignIn::of(shown, wanted).refused(problem);
    let page = sign_in_page(&state, &visit, status, form).await;
    (by(Kind::Nobody, shown), page).into_response()
}

/// Where a browser is sent to the provider from: this server's own address, to which the provider sends it back. A
/// link, not a form: where a form leads is for this server to say.
fn way(visit: &Visit, wanted: &str) -> String {
    let page = Address::new(format!("{}/sign-in/oidc", visit.base), Vec::new());
    match wanted {
        "/" => page.link(),
        wanted => page.with(TO, wanted).link(),
    }
}

/// Sends somebody to the provider.
pub(super) async fn leave(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    let wanted = get(&pairs, TO);
    let wanted = local(&wanted);
    let begin = oidc::Begin {
        word: visit.word.clone(),
        from: visit.browser.from.clone(),
        base: visit.base.clone(),
        to: wanted.to_owned(),
    };
    match oidc::begin(&state, begin).await {
        Ok(url) => to(url.as_str()),
        Err(refusal) => turned_away(&state, &visit, wanted, &refusal).await,
    }
}

/// The provider sent somebody back.
pub(super) async fn come_back(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    let answer = oidc::Answer {
        state: get(&pairs, "state"),
        code: get(&pairs, "code"),
        error: Some(get(&pairs, "error")).filter(|error| !error.is_empty()),
    };
    let browser = visit.browser.clone();
    let (wanted, came) = oidc::come_back(&state, &visit.word, browser, answer).await;
    match came {
        Ok(came) => {
            let made = came
                .made
                .map(|role| format!("new account: {}", role.as_str()));
            let note = Extension(Note {
                thing: made,
                who: Some((Kind::Account, came.email)),
                outcome: None,
            });
            (note, [visit.cookie(&came.secret)], to(&wanted)).into_response()
        }
        Err(refusal) => turned_away(&state, &visit, &wanted, &refusal).await,
    }
}

/// Nobody is signed in by the provider; the audit log says why, too.
async fn turned_away(state: &WebState, visit: &Visit, wanted: &str, refusal: &Refusal) -> Response {
    let (status, problem) = say(refusal, state.moment());
    let why = match refusal {
        Refusal::Wrong => None,
        Refusal::Locked(_) => Some("too many attempts failed".to_owned()),
        Refusal::Other(error) => Some(error.detail().to_owned()),
    };
    let note = Extension(Note {
        thing: why,
        who: Some((Kind::Nobody, String::new())),
        outcome: None,
    });
    let form = SignIn::of("", wanted).refused(problem);
    (note, sign_in_page(state, visit, status, form).await).into_response()
}

/// Who it was, for the audit log.
fn by(kind: Kind, email: &str) -> Extension<Note> {
    Extension(Note {
        who: Some((kind, address(email))),
        ..Note::default()
    })
}

/// Why nobody is signed in, in words.
pub(super) fn say(refusal: &Refusal, moment: Moment) -> (StatusCode, Markup) {
    match refusal {
        Refusal::Wrong => {
            let detail = "this e-mail address and this password do not go together";
            let error = ApiError::new(StatusCode::UNAUTHORIZED, "wrong_password", detail)
                .hint("check both; after five attempts nobody can sign in with this address for 15 minutes");
            (error.status, parts::problem(&error))
        }
        Refusal::Locked(until) => (StatusCode::TOO_MANY_REQUESTS, locked(*until, moment.now)),
        Refusal::Other(error) => (error.status, parts::problem(error)),
    }
}

fn locked(until: Timestamp, now: Now) -> Markup {
    html! {
        p.problem role="alert" {
            (parts::icon("warn"))
            span {
                "Too many attempts failed. Try again from " (times::exact(until, now)) " " (now.zone()) " on, in "
                (times::duration(now.at, until)) ". Whoever is signed in stays so."
            }
        }
        (parts::along(&ApiError::new(StatusCode::TOO_MANY_REQUESTS, "locked", "too many attempts failed")))
    }
}

pub(super) async fn sign_out(State(state): State<WebState>, visit: Visit) -> Response {
    if let Some(session) = visit.session.clone() {
        let ended = state.db.write(move |tx| sessions::end(tx, &session)).await;
        if let Err(error) = ended {
            return failed(&error, state.moment());
        }
    }
    ([visit.no_cookie()], to(SIGN_IN)).into_response()
}

pub(super) async fn link(
    State(state): State<WebState>,
    visit: Visit,
    Query(pairs): Pairs,
) -> Response {
    link_page(&state, &visit, &Typed::of_link(get(&pairs, "link")), None).await
}

/// What was typed into the form of a link.
struct Typed {
    link: String,
    email: String,
    name: String,
}

impl Typed {
    fn of_link(link: String) -> Self {
        Self {
            link,
            email: String::new(),
            name: String::new(),
        }
    }
}

async fn link_page(
    state: &WebState,
    visit: &Visit,
    typed: &Typed,
    error: Option<&ApiError>,
) -> Response {
    let (secret, now) = (typed.link.clone(), state.clock.now());
    let found = state
        .db
        .read(move |tx| sign_in::link(tx, &secret, now))
        .await;
    match found {
        Err(error) => failed(&error, state.moment()),
        Ok(None) => (StatusCode::GONE, over(visit, state.moment())).into_response(),
        Ok(Some(link)) => {
            let status = error.map_or(StatusCode::OK, |error| error.status);
            let page = choose_page(visit, typed, &link, error);
            (status, page).into_response()
        }
    }
}

fn over(visit: &Visit, moment: Moment) -> Markup {
    let detail = "it was used, replaced by a newer one, or is too old";
    let error = ApiError::new(StatusCode::GONE, "link_over", detail)
        .hint("if you chose a password with it, sign in");
    let more = html! {
        p { "Otherwise ask whoever gave it to you for another. On the server's machine:" }
        pre.command { @if visit.has_accounts { "im user reset you@example.com" } @else { "im user add you@example.com --role owner" } }
    };
    let choices = html! { a.button href=(SIGN_IN) { "Sign in" } };
    layout::over(&error, more, &choices, moment)
}

fn choose_page(visit: &Visit, typed: &Typed, link: &LinkRow, error: Option<&ApiError>) -> Markup {
    let title = match link.purpose {
        Purpose::FirstOwner => "Become the first owner",
        Purpose::Invitation => "Welcome to im",
        Purpose::Reset => "Choose a new password",
    };
    let fields = html! {
        input type="hidden" name="link" value=(typed.link);
        @if let Some(email) = &link.email {
            label { "E-mail address" input type="email" name="known" value=(email) readonly autocomplete="username"; }
        } @else {
            label { "E-mail address" input type="email" name="email" value=(typed.email) required autocomplete="username" autofocus; }
            label { "Name" input type="text" name="name" value=(typed.name) autocomplete="name"; }
        }
        (new_password())
        @if let Some(error) = error { (parts::problem(error)) }
        p.choices { button.button.primary type="submit" { "Choose this password" } }
    };
    let body = html! {
        div.panel.message.entry {
            h1 { (title) }
            @if link.email.is_none() { p { "You give the others their roles. The link works once." } }
            (parts::form(SET_PASSWORD, visit, &fields))
        }
    };
    layout::plain(title, &body)
}

/// The fields of a password that is new, which is typed twice.
pub(super) fn new_password() -> Markup {
    html! {
        label {
            "New password"
            input type="password" name="new" required minlength="12" autocomplete="new-password" aria-describedby="rule";
        }
        p.small #rule { "At least 12 characters: a phrase of several words, or what a password manager makes." }
        label { "The same again" input type="password" name="again" required autocomplete="new-password"; }
    }
}

/// The new password, if it was typed twice.
pub(super) fn typed_twice(fields: &Fields) -> Result<Secret, ApiError> {
    if fields.raw("new") == fields.raw("again") {
        Ok(Secret::new(fields.raw("new")))
    } else {
        let detail = "the two new passwords are not the same";
        Err(ApiError::wrong_value("again", detail).hint("type the same in both fields"))
    }
}

pub(super) async fn choose(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let typed = Typed {
        link: fields.get("link").to_owned(),
        email: fields.get("email").to_owned(),
        name: fields.get("name").to_owned(),
    };
    let done = match typed_twice(&fields) {
        Ok(password) => {
            let chosen = Chosen {
                link: typed.link.clone(),
                password,
                first: (typed.email.clone(), typed.name.clone()),
            };
            sign_in::choose(&state.access, chosen, visit.browser.clone()).await
        }
        Err(error) => Err(Refusal::Other(error)),
    };
    match done {
        Ok((email, secret)) => {
            (by(Kind::Account, &email), [visit.cookie(&secret)], to("/")).into_response()
        }
        Err(Refusal::Other(error)) => link_page(&state, &visit, &typed, Some(&error)).await,
        Err(refusal @ (Refusal::Wrong | Refusal::Locked(_))) => {
            let (status, problem) = say(&refusal, state.moment());
            let form = SignIn::of("", "/").refused(problem);
            sign_in_page(&state, &visit, status, form).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for wanted in [
            "/",
            "/overview?from=2026-11-01",
            "/incidents/INC-7",
            "/metric/mttr?service=a%20b",
        ] {
            assert_eq!(local(wanted), wanted);
        }
        for wanted in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/\r\nset-cookie: im=1",
            "/sign-in?to=/",
            &format!("/{}", "x".repeat(2000)),
        ] {
            assert_eq!(local(wanted), "/", "{wanted}");
        }
    }
}
