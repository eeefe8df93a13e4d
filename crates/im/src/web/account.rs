//! One's own account: name, role, where one is signed in, the password.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_pagerduty::Secret;
use im_store::accounts::{self, AccountRow, Role};
use im_store::audit::Kind;
use im_store::sessions::{self, SessionRow};
use im_store::tokens::Scope;
use im_store::{StoreError, Tx};
use jiff::Timestamp;
use maud::{Markup, html};

use super::guard::{Fields, Visit};
use super::layout::{Live, Page};
use super::load::{self, Shell};
use super::{Moment, WebState, failed, layout, parts, sign_in, times, to};
use crate::access::Who;
use crate::access::passwords;
use crate::access::sign_in::{self as access, Refusal};
use crate::http::error::ApiError;

/// Where it is.
pub(super) const ADDRESS: &str = "/account";

pub(super) async fn show(State(state): State<WebState>, visit: Visit, who: Who) -> Response {
    page(&state, &visit, &who, (StatusCode::OK, None)).await
}

async fn page(
    state: &WebState,
    visit: &Visit,
    who: &Who,
    (status, problem): (StatusCode, Option<Markup>),
) -> Response {
    let moment = state.moment();
    let (email, looking) = (who.name.clone(), visit.clone());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let of = Of {
            sessions: sessions::of(tx, &email, access::used(moment.now.at))?,
            account: accounts::find(tx, &email)?,
        };
        Ok::<_, StoreError>((load::shell(tx, &looking)?, of))
    });
    match read.await {
        Ok((shell, of)) => {
            let body = body(who, &shell, &of, problem.as_ref(), moment);
            let head = Page {
                title: "Your account",
                entry: ADDRESS,
                live: Live::Still,
            };
            (status, layout::page(&head, &shell, moment, &body)).into_response()
        }
        Err(error) => failed(&error, moment),
    }
}

/// What is stored of somebody.
struct Of {
    sessions: Vec<SessionRow>,
    account: Option<AccountRow>,
}

impl Of {
    /// By which provider they sign in.
    fn issuer(&self) -> Option<&str> {
        let identity = self.account.as_ref()?.identity.as_ref()?;
        Some(&identity.issuer)
    }

    /// Whether they can choose a first password here.
    fn may_begin_password(&self, visit: &Visit, now: Timestamp) -> bool {
        let here = self.sessions.iter();
        let mut here = here.filter(|session| visit.session.as_ref() == Some(&session.hash));
        here.next()
            .zip(self.account.as_ref())
            .is_some_and(|(session, account)| access::may_begin_password(session, account, now))
    }

    fn has_password(&self) -> bool {
        let account = self.account.as_ref();
        account.is_some_and(|account| account.password.is_some())
    }
}

fn body(who: &Who, shell: &Shell, of: &Of, problem: Option<&Markup>, moment: Moment) -> Markup {
    if who.kind != Kind::Account {
        return html! {
            h1 { "Your account" }
            div.panel.message {
                h2 { "Nobody signs in here yet" }
                p { "You are at the server's own machine, which may do everything. From the first account on, everybody signs in." }
                p.choices { a.button href=(super::people::ADDRESS) { "Make the first account" } }
            }
        };
    }
    let visit = &shell.visit;
    html! {
        h1 { "Your account" }
        dl.panel.pad.facts {
            dt { "Name" } dd { (who.label()) }
            dt { "Address" } dd { (who.name) }
            dt { "Role" } dd { (parts::capital(who.role.as_str())) ": " (super::people::means(who.role)) }
            @if who.may(Scope::PersonalLoad) { dt { "Right" } dd { "Sees how single people respond" } }
            @if let Some(issuer) = of.issuer() { dt { "Signs in by" } dd { (issuer) } }
        }
        (signed_in(visit, &of.sessions, moment))
        (password(who, visit, of, problem, moment))
    }
}

fn password(who: &Who, visit: &Visit, of: &Of, problem: Option<&Markup>, moment: Moment) -> Markup {
    let has_password = of.has_password();
    html! {
        section aria-labelledby="password" {
            h2 #password { "Password" }
            @if has_password || of.may_begin_password(visit, moment.now.at) { div.panel.pad.entry {
                @if !has_password { p { "You have none. With one you come in when the provider does not answer." } }
                (parts::form("/account/password", visit, &html! {
                    input type="hidden" name="known" value=(who.name) autocomplete="username";
                    @if has_password { label { "Password now" input type="password" name="old" required autocomplete="current-password"; } }
                    (sign_in::new_password())
                    @if let Some(problem) = problem { (problem) }
                    p.small { "Every other session ends." }
                    p.choices { button.button type="submit" { @if has_password { "Change password" } @else { "Choose this password" } } }
                }))
            } } @else {
                @if let Some(problem) = problem { (problem) }
                @if who.role == Role::Owner {
                    p.small { "You have none. To choose one, sign out and sign in again: that can be done within ten minutes of signing in." }
                } @else {
                    p.small { "You have none. An admin gives you a link to choose one, on the page People." }
                }
            }
        }
    }
}

fn signed_in(visit: &Visit, sessions: &[SessionRow], moment: Moment) -> Markup {
    html! {
        section aria-labelledby="sessions" {
            h2 #sessions { "Signed in" span.number { (sessions.len()) } }
            div.panel {
                table.data.items {
                    thead { tr { th.name scope="col" { "Browser" } th scope="col" { "From" } th scope="col" { "Since" } th scope="col" { "Last used" } th scope="col" { "Ends" } } }
                    tbody {
                        @for session in sessions {
                            tr {
                                th.name scope="row" {
                                    (browser(&session.agent))
                                    @if visit.session.as_ref() == Some(&session.hash) { " " span.pill.green { "This one" } }
                                }
                                td data-name="from" { (address(&session.address)) }
                                td data-name="since" { (times::exact(session.made_at, moment.now)) }
                                td data-name="used" { (times::ago(session.seen_at, moment.now)) }
                                td data-name="ends" { (times::exact(session.expires_at, moment.now)) }
                            }
                        }
                    }
                }
            }
            p.small.below { "A session ends after a day without use, and after 14 days." }
            (parts::form("/account/sign-out-everywhere", visit, &html! {
                p.choices { button.button type="submit" { "Sign out everywhere" } }
            }))
        }
    }
}

/// What a browser calls itself, as people do.
fn browser(agent: &str) -> String {
    // Each of them also calls itself by the names of those before it.
    const NAMES: [(&str, &str); 5] = [
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    match (find(&NAMES), find(&SYSTEMS)) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        (None, _) if agent.is_empty() => "A browser without a name".to_owned(),
        (None, _) => agent.chars().take(60).collect(),
    }
}

/// Where somebody was, in words.
pub(super) fn address(address: &str) -> &str {
    if address.is_empty() {
        "this machine"
    } else {
        address
    }
}

pub(super) async fn change_password(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let old = Secret::new(fields.raw("old"));
    let done = match new(&fields, &who) {
        Ok(new) => {
            let browser = visit.browser.clone();
            match visit.session.as_deref().filter(|_| old.expose().is_empty()) {
                Some(session) => access::first_password(&state.access, session, new, browser).await,
                None => {
                    access::change_password(&state.access, &who.name, (old, new), browser).await
                }
            }
        }
        Err(error) => Err(Refusal::Other(error)),
    };
    let said = match done {
        Ok(secret) => return ([visit.cookie(&secret)], to(ADDRESS)).into_response(),
        Err(Refusal::Wrong) => {
            let detail = "the password now is another one";
            let error = ApiError::wrong_value("old", detail).hint("nothing was changed");
            (error.status, parts::problem(&error))
        }
        Err(refusal) => sign_in::say(&refusal, state.moment()),
    };
    page(&state, &visit, &who, (said.0, Some(said.1))).await
}

fn new(fields: &Fields, who: &Who) -> Result<Secret, ApiError> {
    let new = sign_in::typed_twice(fields)?;
    match passwords::fault(new.expose(), &who.name) {
        None => Ok(new),
        Some(fault) => Err(passwords::refuse(fault)),
    }
}

pub(super) async fn sign_out_everywhere(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
) -> Response {
    let ended = state
        .db
        .write(move |tx| sessions::end_of(tx, &who.name))
        .await;
    match ended {
        Ok(_count) => ([visit.no_cookie()], to("/sign-in")).into_response(),
        Err(error) => failed(&error, state.moment()),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_called_what_people_call_it() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Windows");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(browser(phone), "Safari on iPhone");
        assert_eq!(browser("curl/8.5.0"), "curl");
        assert_eq!(browser(""), "A browser without a name");
        assert_eq!(browser("Something"), "Something");
    }
}
