//! Which person each of PagerDuty's users is: suggestions to be confirmed, changed or ignored.
//!
//! A person goes by an e-mail address; one who is not known here yet is added with the link. Pages of the past
//! move to the person at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_store::{StoreError, Tx, arrangements};
use maud::{Markup, html};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ADDRESS as CARDS;
use crate::access::audit::Note;
use crate::http::api::organisation::people::{self, Known, known};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::organisation::{Person, Thing as _};
use crate::web::guard::{Fields, Visit};
use crate::web::layout::{Live, Page};
use crate::web::load;
use crate::web::parts;
use crate::web::said::{Became, Told};
use crate::web::{Pairs, WebState, failed, layout, to};

/// Where it is.
pub(in crate::web) const ADDRESS: &str = "/integrations/users";
/// Rows of one page: who has more searches.
const ROWS_MAX: usize = 200;

pub(super) async fn show(State(state): State<WebState>, visit: Visit, pairs: Pairs) -> Response {
    let told = state.said.told(&pairs);
    let wanted = pairs.iter().find(|(name, _)| name == "q");
    let wanted = wanted.map(|(_, q)| q.trim().to_owned()).unwrap_or_default();
    page(&state, &visit, &wanted, (told, None)).await
}

/// Says who one user is.
pub(super) async fn say(State(state): State<WebState>, visit: Visit, fields: Fields) -> Response {
    let user = fields.get("user").to_owned();
    let said = match fields.get("act") {
        "ignore" => link(&state, &user, None)
            .await
            .map(|()| format!("{user} is ignored.")),
        "forget" => forget(&state, &user)
            .await
            .map(|()| format!("{user} stands for itself again.")),
        _ => {
            let person = fields.get("person").to_lowercase();
            let linked = link(&state, &user, Some((&person, fields.get("name")))).await;
            linked.map(|()| format!("{user} is {person}. Pages of the past moved to them."))
        }
    };
    let wanted = fields.get("q");
    match said {
        Ok(text) => (Note::thing(user), after(&state, Told::of(text))).into_response(),
        Err(error) => page(&state, &visit, wanted, (None, Some(error))).await,
    }
}

/// Takes the suggestions that the page showed, as far as they are still what is suggested.
pub(super) async fn confirm(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let confirmed = async {
        let acted = people::acted(&state.app).await?;
        let users = state.db.read(move |tx| known(tx, &acted)).await?;
        let (mut done, mut others) = (0, 0);
        for (user, person) in fields.all("user").zip(fields.all("person")) {
            let is_shown = |one: &Known| one.id == user && one.suggested() == Some(person);
            if users.iter().any(is_shown) {
                let suggested = json!({"user": user, "person": person});
                let app = State(Arc::clone(&state.app));
                drop(people::link_user(app, Body(read(suggested)?)).await?);
                done += 1;
            } else {
                others += 1;
            }
        }
        Ok::<_, ApiError>((done, others))
    };
    match confirmed.await {
        Ok((done, 0)) => after(&state, Told::of(format!("Confirmed {done}."))),
        Ok((done, others)) => after(
            &state,
            Told::of(format!(
                "Confirmed {done}. Left as they are, because they were changed meanwhile: {others}."
            )),
        ),
        Err(error) => page(&state, &visit, fields.get("q"), (None, Some(error))).await,
    }
}

fn after(state: &WebState, told: Told) -> Response {
    let address = state.said.keep(ADDRESS, told);
    to(address.as_deref().unwrap_or(ADDRESS))
}

/// Links a user to a person, who is added if need be; to nobody: it is ignored.
async fn link(state: &WebState, user: &str, person: Option<(&str, &str)>) -> Result<(), ApiError> {
    let app = || State(Arc::clone(&state.app));
    let mut body = json!({"user": user, "ignored": person.is_none()});
    if let Some((person, name)) = person {
        let of = person.to_owned();
        let is_known = state
            .db
            .read(move |tx| arrangements::find::<Person>(tx, Person::SORT, &of));
        if is_known.await?.is_none() {
            let name = Some(name).filter(|name| !name.is_empty());
            let new = read(json!({"id": person, "name": name}))?;
            drop(people::put_person(app(), Body(new)).await?);
        }
        if let Some(fields) = body.as_object_mut() {
            fields.insert("person".to_owned(), person.into());
        }
    }
    let Json(_) = people::link_user(app(), Body(read(body)?)).await?.1;
    Ok(())
}

/// What is typed is checked by whoever reads it.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|error| {
        ApiError::wrong_value("person", error.to_string()).hint("write it like ann@example.com")
    })
}

async fn forget(state: &WebState, user: &str) -> Result<(), ApiError> {
    let app = State(Arc::clone(&state.app));
    people::unlink_user(app, Path(user.to_owned()))
        .await
        .map(|_| ())
}

async fn page(
    state: &WebState,
    visit: &Visit,
    wanted: &str,
    (told, error): (Option<Told>, Option<ApiError>),
) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let acted = match people::acted(&state.app).await {
        Ok(acted) => acted,
        Err(error) => return failed(&error, moment),
    };
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let became = told.map(|told| Became::read(tx, &told)).transpose()?;
        Ok::<_, StoreError>((load::shell(tx, &looking)?, known(tx, &acted)?, became))
    });
    let (shell, mut users, became) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let suggested = users.iter().filter_map(Known::suggested).count();
    let (all, open) = (
        users.len(),
        users.iter().filter(|user| user.is_open()).count(),
    );
    users.retain(|user| user.has(wanted));
    users.sort_by_key(|user| (!user.is_open(), user.label().to_lowercase()));
    let more = users.len().saturating_sub(ROWS_MAX);
    users.truncate(ROWS_MAX);
    let status = error.as_ref().map_or(StatusCode::OK, |error| error.status);
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(CARDS) { "Integrations" } " / " span aria-current="page" { "Users" } }
        h1 { "Who PagerDuty's users are" }
        @if let Some(became) = &became { (became.show()) }
        @if let Some(error) = &error { div.answer { (parts::problem(error)) } }
        p.lead {
            @match (all, open) {
                (0, _) => "PagerDuty's users have not been read yet: that happens in the minutes after a connection is made.",
                (_, 0) => "Every user is settled.",
                _ => { (open) " of " (all) " are nobody here yet. Pages of a user count for the person who it is; who is ignored stands for itself." },
            }
        }
        @if all > 0 {
            form.ask method="get" action=(ADDRESS) {
                label { "Name, address or id" input type="search" name="q" value=(wanted) autocomplete="off"; }
                button.button type="submit" { "Search" }
            }
            (confirming(visit, &users, (suggested, wanted)))
            @if users.is_empty() { div.panel.quiet { p { "No user of PagerDuty's is like that." } } }
            @else {
                ul.panel.todo.users { @for user in &users { (row(visit, user, wanted)) } }
            }
            @if more > 0 { p.older { (more) " more: search for them." } }
        }
    };
    let head = Page {
        title: "Users",
        entry: CARDS,
        live: Live::Still,
    };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}

/// The form that takes the suggestions that are shown, of so many.
fn confirming(visit: &Visit, users: &[Known], (all, wanted): (usize, &str)) -> Markup {
    let suggested = |user: &Known| Some((user.id.clone(), user.suggested()?.to_owned()));
    let shown: Vec<(String, String)> = users.iter().filter_map(suggested).collect();
    html! {
        @if !shown.is_empty() {
            (parts::form("/integrations/users/confirm", visit, &html! {
                input type="hidden" name="q" value=(wanted);
                @for (user, person) in &shown {
                    input type="hidden" name="user" value=(user);
                    input type="hidden" name="person" value=(person);
                }
                button.button type="submit" {
                    @if shown.len() == all { "Confirm all suggestions (" (all) ")" }
                    @else { "Confirm the suggestions shown here (" (shown.len()) " of " (all) ")" }
                }
            }))
        }
    }
}

fn row(visit: &Visit, user: &Known, wanted: &str) -> Markup {
    let (tone, word) = match user.state {
        "linked" => ("green", "Linked"),
        "ignored" => ("grey", "Ignored"),
        "suggested" => ("amber", "Suggested"),
        _ => ("amber", "Unknown"),
    };
    let person = user
        .person
        .as_deref()
        .or(user.email.as_deref())
        .unwrap_or_default();
    let hidden = html! {
        input type="hidden" name="user" value=(user.id);
        input type="hidden" name="q" value=(wanted);
    };
    html! {
        li {
            span class={ "pill " (tone) } { (word) }
            div {
                h3 { (user.label()) }
                p.small {
                    @if let Some(email) = &user.email { (email) ", " }
                    (user.id)
                    @if let Some(by) = user.suggested_by { ". The same " @if by == "email" { "address" } @else { "name" } " as " (person) }
                }
            }
            @if user.state == "ignored" {
                (parts::form(ADDRESS, visit, &html! { (hidden) button.button type="submit" name="act" value="forget" { "Do not ignore" } }))
            } @else {
                (parts::form(ADDRESS, visit, &html! {
                    (hidden)
                    input type="hidden" name="name" value=(user.name.as_deref().unwrap_or_default());
                    input type="email" name="person" value=(person) required aria-label={ "E-mail address of the person who " (user.label()) " is" } autocomplete="off";
                    button.button type="submit" name="act" value="link" { @if user.state == "linked" { "Change" } @else { "Link" } }
                    @if user.state == "linked" {
                        button.button type="submit" name="act" value="forget" formnovalidate { "Unlink" }
                    } @else {
                        button.button type="submit" name="act" value="ignore" formnovalidate { "Ignore" }
                    }
                }))
            }
        }
    }
}
