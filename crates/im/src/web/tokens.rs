//! API tokens: who may use the API from elsewhere. A token is shown once, when it is made.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_store::accounts::Role;
use im_store::tokens::{self, Scope, TokenRow};
use im_store::{StoreError, Tx};
use maud::{Markup, html};

use super::guard::{Fields, Visit};
use super::layout::{Live, Page};
use super::people::means;
use super::{Moment, WebState, failed, layout, load, parts, times, to};
use crate::access::Who;
use crate::access::audit::Note;
use crate::http::api::tokens::{NewToken, Token, end, make as begin};
use crate::http::error::ApiError;

/// Where it is.
pub(super) const ADDRESS: &str = "/tokens";

/// What came of a form.
enum Said {
    Nothing,
    /// A token that was made, with its secret.
    Made(Token),
    /// It was not done: why, and what was typed.
    Refused(ApiError, Fields),
}

pub(super) async fn show(State(state): State<WebState>, visit: Visit, who: Who) -> Response {
    page(&state, &visit, &who, &Said::Nothing).await
}

async fn page(state: &WebState, visit: &Visit, who: &Who, said: &Said) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        Ok::<_, StoreError>((load::shell(tx, &looking)?, tokens::all(tx)?))
    });
    let (shell, all) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let status = match said {
        Said::Nothing | Said::Made(_) => StatusCode::OK,
        Said::Refused(error, _) => error.status,
    };
    let body = html! {
        h1 { "API tokens" }
        (answer(said))
        @if all.is_empty() {
            div.panel.message {
                h2 { "No token yet" }
                p { "With a token a program, or the command line on another machine, uses the API of this server. It has a role, as accounts have, and works until it is revoked." }
            }
        } @else { (table(visit, who, &all, moment)) }
        (making(visit, who, said))
    };
    let head = Page {
        title: "API tokens",
        entry: ADDRESS,
        live: Live::Still,
    };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}

fn answer(said: &Said) -> Markup {
    match said {
        Said::Nothing => html! {},
        Said::Refused(error, _) => html! { div.answer { (parts::problem(error)) } },
        Said::Made(token) => html! {
            div.panel.message.answer role="status" {
                h2 { "The token " (token.name) }
                p { "Keep it now: it is not stored, and not shown again. Whoever has it may do what it may." }
                @if let Some(secret) = &token.secret { (parts::copied(Some("link"), "Copy token", secret)) }
            }
        },
    }
}

fn table(visit: &Visit, who: &Who, all: &[TokenRow], moment: Moment) -> Markup {
    let now = moment.now;
    html! {
        div.panel {
            table.data.items.people {
                thead { tr {
                    th.name scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Made" } th scope="col" { "Last used" }
                    th scope="col" { span.hidden { "Revoke" } }
                } }
                tbody {
                    @for token in all {
                        tr {
                            th.name scope="row" { (token.name) @if let Some(email) = &token.email { span.meta { "for " (email) } } }
                            td data-name="role" {
                                (parts::capital(token.role.as_str()))
                                @for scope in &token.scopes { span.meta { (scope_words(*scope)) } }
                            }
                            td data-name="made" { (times::exact(token.created_at, now)) }
                            td data-name="last used" { @match token.used_at { Some(at) => (times::exact(at, now)), None => "never" } }
                            td.num { @if token.role <= who.role { (revoking(visit, &token.name)) } }
                        }
                    }
                }
            }
        }
    }
}

fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::PersonalLoad => "sees single people",
    }
}

fn revoking(visit: &Visit, name: &str) -> Markup {
    html! {
        details.menu {
            summary.button { "Revoke" span.hidden { " " (name) } (parts::icon("down")) }
            div.pop.right {
                (parts::form("/tokens/revoke", visit, &html! {
                    input type="hidden" name="name" value=(name);
                    p.small { "Whatever uses it is refused from then on." }
                    button.button.danger type="submit" { "Revoke " (name) }
                }))
            }
        }
    }
}

fn making(visit: &Visit, who: &Who, said: &Said) -> Markup {
    let typed = |name: &str| match said {
        Said::Refused(_, fields) => fields.raw(name),
        Said::Nothing | Said::Made(_) => "",
    };
    let usual = Role::Responder.min(who.role);
    let role = Role::ALL
        .into_iter()
        .find(|role| role.as_str() == typed("role"));
    let role = role.unwrap_or(usual);
    html! {
        section aria-labelledby="make" {
            h2 #make { "Make a token" }
            div.panel.pad.entry {
                (parts::form(ADDRESS, visit, &html! {
                    label { "What it is for" input type="text" name="name" value=(typed("name")) required autocomplete="off" placeholder="ci"; }
                    label { "Role"
                        select name="role" {
                            @for one in Role::ALL.into_iter().filter(|one| *one <= who.role) {
                                option value=(one.as_str()) selected[one == role] { (parts::capital(one.as_str())) ": " (means(one)) }
                            }
                        }
                    }
                    label { "E-mail address of the person who acts with it; none for a program" input type="email" name="email" value=(typed("email")) autocomplete="off"; }
                    @for scope in Scope::ALL.into_iter().filter(|scope| who.may(*scope)) {
                        label.tick { input type="checkbox" name="scope" value=(scope.as_str()) checked[typed("scope") == scope.as_str()]; "Sees how single people respond" }
                    }
                    p.choices { button.button.primary type="submit" { "Make token" } }
                }))
            }
        }
    }
}

pub(super) async fn make(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let given = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
    let new = NewToken {
        name: fields.get("name").to_owned(),
        email: given("email"),
        role: given("role"),
        scopes: fields.all("scope").map(str::to_owned).collect(),
    };
    match begin(&state, new, &who).await {
        Ok(token) => {
            let note = Note::thing(token.name.clone());
            let page = page(&state, &visit, &who, &Said::Made(token)).await;
            (note, page).into_response()
        }
        Err(error) => page(&state, &visit, &who, &Said::Refused(error, fields)).await,
    }
}

pub(super) async fn revoke(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let name = fields.get("name").to_owned();
    match end(&state, name.clone(), &who).await {
        Ok(()) => (Note::thing(name), to(ADDRESS)).into_response(),
        Err(error) => page(&state, &visit, &who, &Said::Refused(error, fields)).await,
    }
}
