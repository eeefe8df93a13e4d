//! People: who may sign in, what they may do, and how they get a password.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_store::accounts::{self, AccountRow, Role};
use im_store::{StoreError, Tx};
use jiff::Timestamp;
use maud::{Markup, html};

use super::guard::{Fields, Visit};
use super::layout::{Live, Page};
use super::load::{self, Shell};
use super::times::Now;
use super::{Moment, WebState, failed, layout, parts, times, to};
use crate::access::audit::Note;
use crate::access::people::{self, Link, New};
use crate::access::{Who, new_secret};
use crate::http::api::accounts::state;
use crate::http::error::ApiError;

/// Where it is.
pub(super) const ADDRESS: &str = "/people";

/// What a role may, in words.
pub(super) fn means(role: Role) -> &'static str {
    match role {
        Role::Viewer => "reads everything",
        Role::Responder => "also acts on incidents",
        Role::Admin => "also changes connectors, the organisation, settings and tokens",
        Role::Owner => "does everything, and gives roles",
    }
}

/// What came of a form.
enum Said {
    /// Nothing was asked.
    Nothing,
    /// A link to be given to somebody.
    Link(AccountRow, Link),
    /// It was not done.
    Refused(ApiError),
}

pub(super) async fn show(State(state): State<WebState>, visit: Visit, who: Who) -> Response {
    page(&state, &visit, &who, Said::Nothing).await
}

async fn page(state: &WebState, visit: &Visit, who: &Who, said: Said) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        Ok::<_, StoreError>((load::shell(tx, &looking)?, accounts::all(tx)?))
    });
    let (shell, all) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let status = match &said {
        Said::Nothing | Said::Link(..) => StatusCode::OK,
        Said::Refused(error) => error.status,
    };
    let body = html! {
        h1 { "People" }
        (answer(&said, visit, moment))
        @if all.is_empty() { (nobody()) } @else { (table(&shell, who, &all, moment)) }
        (inviting(visit, who, all.is_empty()))
    };
    let head = Page {
        title: "People",
        entry: ADDRESS,
        live: Live::Still,
    };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}

fn answer(said: &Said, visit: &Visit, moment: Moment) -> Markup {
    match said {
        Said::Nothing => html! {},
        Said::Refused(error) => html! { div.answer { (parts::problem(error)) } },
        Said::Link(account, link) => html! {
            div.panel.message.answer role="status" {
                h2 { "A link for " (account.email) }
                @if !visit.has_accounts {
                    p { "This is the first account: from now on everybody signs in, and programs need a token, on this machine, too. Make one first if any calls the API: " code { "im token create NAME --role owner" } "." }
                }
                p { "Give it to them by a way that others do not read. It works once, until " (times::exact(link.expires_at, moment.now)) ", and is not shown again." }
                (parts::copied(Some("link"), "Copy link", html! { (visit.base) (link.path()) }))
            }
        },
    }
}

fn nobody() -> Markup {
    html! {
        div.panel.message {
            h2 { "Nobody has an account yet" }
            p { "These pages are for the server's own machine, and whoever sits there may do everything. From the first account on, everybody signs in, here too, and the pages may be served to other machines." }
            p { "The first account is an owner's, who gives the others their roles." }
        }
    }
}

fn table(shell: &Shell, who: &Who, all: &[AccountRow], moment: Moment) -> Markup {
    html! {
        div.panel {
            table.data.items.people {
                thead { tr {
                    th.name scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "State" }
                    th scope="col" { "Since" } th scope="col" { span.hidden { "Change" } }
                } }
                tbody { @for account in all { (row(&shell.visit, who, account, moment.now)) } }
            }
        }
    }
}

fn row(visit: &Visit, who: &Who, account: &AccountRow, now: Now) -> Markup {
    let (word, tone) = match state(account) {
        "disabled" => ("Disabled", "grey"),
        "invited" => ("Invited", "amber"),
        _ => ("Active", "green"),
    };
    let is_own = account.email == who.name;
    let may_change = who.role == Role::Owner || account.role < who.role;
    html! {
        tr {
            th.name scope="row" {
                @if account.name.is_empty() { (account.email) } @else { (account.name) span.meta { (account.email) } }
                @if is_own { span.meta { "This is you" } }
            }
            td data-name="role" {
                (parts::capital(account.role.as_str()))
                @if account.personal_load { span.meta { "sees single people" } }
            }
            td data-name="state" { span class={ "pill " (tone) } { (word) } }
            td data-name="since" { (times::exact(account.created_at, now)) }
            td.num {
                @if may_change { (changes(visit, who, account)) }
            }
        }
    }
}

fn changes(visit: &Visit, who: &Who, account: &AccountRow) -> Markup {
    let act = |act: &str| format!("{ADDRESS}/{}/{act}", escaped(&account.email));
    html! {
        details.menu {
            summary.button { "Change" span.hidden { " " (account.email) } (parts::icon("down")) }
            div.pop.right {
                @if who.role == Role::Owner {
                    (parts::form(&act("role"), visit, &html! {
                        label { "Role" (roles(Role::Owner, account.role)) }
                        label.tick { input type="checkbox" name="personal_load" value="true" checked[account.personal_load]; "Sees how single people respond" }
                        button.button type="submit" { "Change role" }
                    }))
                }
                @if account.disabled_at.is_some() {
                    (parts::form(&act("enable"), visit, &html! { button.button type="submit" { "Enable account" } }))
                } @else {
                    (parts::form(&act("reset"), visit, &html! {
                        p.small { "The password stops working" @if account.identity.is_some() { ", who signs in by the provider is forgotten," } " and every session ends." }
                        button.button type="submit" { "Make a new link" }
                    }))
                    (parts::form(&act("disable"), visit, &html! {
                        p.small { "Every session ends; tokens of this person are refused." }
                        button.button.danger type="submit" { "Disable " (account.email) }
                    }))
                }
            }
        }
    }
}

/// A part of a path.
fn escaped(email: &str) -> String {
    let mut url = reqwest::Url::parse("http://localhost").ok();
    if let Some(mut segments) = url.as_mut().and_then(|url| url.path_segments_mut().ok()) {
        segments.push(email);
    }
    url.map_or_else(String::new, |url| {
        url.path().trim_start_matches('/').to_owned()
    })
}

/// The roles up to one.
fn roles(most: Role, now: Role) -> Markup {
    html! {
        select name="role" {
            @for role in Role::ALL.into_iter().filter(|role| *role <= most) {
                option value=(role.as_str()) selected[role == now] { (parts::capital(role.as_str())) ": " (means(role)) }
            }
        }
    }
}

fn inviting(visit: &Visit, who: &Who, is_first: bool) -> Markup {
    let most = if who.role == Role::Owner {
        Role::Owner
    } else {
        Role::Responder
    };
    html! {
        section aria-labelledby="invite" {
            h2 #invite { @if is_first { "Make the first account" } @else { "Invite somebody" } }
            div.panel.pad.entry {
                (parts::form(ADDRESS, visit, &html! {
                    label { "E-mail address" input type="email" name="email" required autocomplete="off"; }
                    label { "Name" input type="text" name="name" autocomplete="off"; }
                    @if is_first {
                        input type="hidden" name="role" value="owner";
                    } @else {
                        label { "Role" (roles(most, Role::Viewer)) }
                    }
                    @if who.role == Role::Owner {
                        label.tick { input type="checkbox" name="personal_load" value="true"; "Sees how single people respond" }
                    }
                    p.small { "No mail is sent: you get a link, which you give to them." }
                    p.choices { button.button.primary type="submit" { "Make a link" } }
                }))
            }
        }
    }
}

pub(super) async fn invite(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let made = async {
        let new = New {
            email: fields.get("email").to_owned(),
            name: fields.get("name").to_owned(),
            role: people::role(fields.get("role"))?,
            personal_load: fields.get("personal_load") == "true",
        };
        let (by, secret, now) = (who.clone(), new_secret()?, state.clock.now());
        let made = state
            .db
            .write(move |tx| people::invite(tx, &by, &new, &secret, now));
        made.await
    };
    linked(&state, &visit, &who, made.await).await
}

pub(super) async fn reset(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    Path(email): Path<String>,
) -> Response {
    let made = async {
        let (by, secret, now) = (who.clone(), new_secret()?, state.clock.now());
        let made = state
            .db
            .write(move |tx| people::reset(tx, &by, &email, &secret, now));
        made.await
    };
    linked(&state, &visit, &who, made.await).await
}

async fn linked(
    state: &WebState,
    visit: &Visit,
    who: &Who,
    made: Result<(AccountRow, Link), ApiError>,
) -> Response {
    match made {
        Ok((account, link)) => {
            let note = Note::thing(account.email.clone());
            let page = page(state, visit, who, Said::Link(account, link)).await;
            (note, page).into_response()
        }
        Err(error) => page(state, visit, who, Said::Refused(error)).await,
    }
}

pub(super) async fn set_role(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    Path(email): Path<String>,
    fields: Fields,
) -> Response {
    let role = match people::role(fields.get("role")) {
        Ok(role) => role,
        Err(error) => return page(&state, &visit, &who, Said::Refused(error)).await,
    };
    let personal_load = fields.get("personal_load") == "true";
    change(&state, &visit, &who, move |tx, who, _| {
        people::set_role(tx, who, &email, (Some(role), Some(personal_load)))
    })
    .await
}

pub(super) async fn disable(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    Path(email): Path<String>,
) -> Response {
    change(&state, &visit, &who, move |tx, who, now| {
        people::disable(tx, who, &email, now)
    })
    .await
}

pub(super) async fn enable(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    Path(email): Path<String>,
) -> Response {
    change(&state, &visit, &who, move |tx, who, _| {
        people::enable(tx, who, &email)
    })
    .await
}

async fn change(
    state: &WebState,
    visit: &Visit,
    who: &Who,
    change: impl FnOnce(&mut Tx<'_>, &Who, Timestamp) -> Result<AccountRow, ApiError> + Send + 'static,
) -> Response {
    let (by, now) = (who.clone(), state.clock.now());
    match state.db.write(move |tx| change(tx, &by, now)).await {
        Ok(_account) => to(ADDRESS),
        Err(error) => page(state, visit, who, Said::Refused(error)).await,
    }
}
