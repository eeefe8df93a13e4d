//! People, and which users of PagerDuty's they are.
//!
//! A link is by PagerDuty's id of the user. An e-mail address, or else a name, only suggests one: that of a person, of
//! an account, or of somebody who acted here. Who is no person yet becomes one by the link.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use im_store::people::{self, UserRow};
use im_store::{StoreError, Tx, accounts, arrangements};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::named::{self, Directory, store_known};
use super::{Put, Settled, list, put, remove, store};
use crate::access::audit::Note;
use crate::http::App;
use crate::http::api::settings::hides_emails;
use crate::http::error::ApiError;
use crate::http::input::{Body, Params};
use crate::http::openapi::{Conflict, WrongValue};
use crate::organisation::{Candidates, Person, Text, Thing as _, User};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_people, put_person))
        .routes(routes!(remove_person))
        .routes(routes!(list_users, link_user))
        .routes(routes!(unlink_user))
}

/// List the people
#[utoipa::path(
    get, path = "/api/v1/people", tag = "metrics", operation_id = "list_people",
    responses((status = 200, body = [Person], description = "People of the organisation")),
)]
async fn list_people(State(app): State<Arc<App>>) -> Result<Json<Vec<Person>>, ApiError> {
    list(&app).await
}

/// Add a person, or give a name
#[utoipa::path(
    post, path = "/api/v1/people", tag = "metrics", operation_id = "put_person", request_body = Person,
    responses((status = 200, body = Person, description = "The person, in place of the one with that address"), WrongValue),
)]
pub(crate) async fn put_person(
    State(app): State<Arc<App>>,
    Body(person): Body<Person>,
) -> Put<Person> {
    put(&app, person).await
}

/// Remove a person who is no user
#[utoipa::path(
    delete, path = "/api/v1/people/{id}", tag = "metrics", operation_id = "remove_person",
    params(("id" = String, Path, description = "The e-mail address")),
    responses((status = 204, description = "Nobody is that person any more"), Conflict),
)]
async fn remove_person(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = id.to_lowercase();
    let users: Vec<User> = app.db.read(|tx| arrangements::all(tx, User::SORT)).await?;
    let mut users = users.iter();
    let is_them = |user: &&User| {
        user.person
            .as_ref()
            .is_some_and(|person| person.as_str() == id)
    };
    if let Some(user) = users.find(is_them) {
        let user = &user.user;
        return Err(
            ApiError::conflict("linked", format!("`{id}` is user {user} of PagerDuty's"))
                .hint(format!("`im person unlink {user}` takes that back")),
        );
    }
    remove::<Person>(&app, "person", &id).await
}

/// A user of PagerDuty's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Known {
    /// PagerDuty's id.
    pub(crate) id: String,
    /// The name there.
    pub(crate) name: Option<String>,
    /// The e-mail address there; null for one of whom only the link is known, and where `hide_emails` says so.
    pub(crate) email: Option<String>,
    /// `linked`, `ignored`, `suggested` or `unknown`.
    pub(crate) state: &'static str,
    /// The person who the user is, or may be, by the address that was given here.
    pub(crate) person: Option<String>,
    /// What people call that person: the name that was given here, else the user's at PagerDuty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) person_name: Option<String>,
    /// What suggests that person: `email` or `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suggested_by: Option<&'static str>,
}

impl Known {
    /// Whether nobody has said who the user is.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, "suggested" | "unknown")
    }

    /// The person who the user may be, where nobody has said.
    pub(crate) fn suggested(&self) -> Option<&str> {
        let person = self.person.as_deref();
        person.filter(|_| self.state == "suggested")
    }

    /// What people call the user.
    pub(crate) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// Whether a text is a part of anything that is known of the user, in any case.
    pub(crate) fn has(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let known = [
            Some(&self.id),
            self.name.as_ref(),
            self.email.as_ref(),
            self.person.as_ref(),
        ];
        let mut known = known.into_iter().flatten();
        known.any(|known| known.to_lowercase().contains(&text))
    }
}

/// List PagerDuty's users, and which person each is or may be
#[utoipa::path(
    get, path = "/api/v1/users", tag = "metrics", operation_id = "list_user_links",
    params(("state" = Option<Vec<String>>, Query, description = "Any of these: linked, ignored, suggested, unknown")),
    responses((status = 200, body = [Known], description = "Users; a suggestion holds only once it is confirmed")),
)]
pub(crate) async fn list_users(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Vec<Known>>, ApiError> {
    let params = params.only(&["state"])?;
    let wanted: Vec<String> = params.all("state").map(str::to_owned).collect();
    let states = ["linked", "ignored", "suggested", "unknown"];
    if let Some(odd) = wanted.iter().find(|state| !states.contains(&&***state)) {
        let detail = format!("`state={odd}`: use {}", states.join(", "));
        return Err(ApiError::bad_request(detail));
    }
    let acted = acted(&app).await?;
    let mut users = app.db.read(move |tx| known(tx, &acted)).await?;
    users.retain(|user| wanted.is_empty() || wanted.iter().any(|state| state == user.state));
    Ok(Json(users))
}

/// Who acted here; it is read before a transaction begins.
pub(crate) async fn acted(app: &App) -> Result<Candidates, StoreError> {
    Ok(app.figures.known(&app.db).await?.acted().clone())
}

/// Those who acted here, who have an account, and who were added.
fn candidates(tx: &mut Tx<'_>, acted: &Candidates) -> Result<Candidates, StoreError> {
    let mut all = acted.clone();
    for account in accounts::all(tx)? {
        all.add(&account.email, Some(&account.name));
    }
    let people: Vec<Person> = arrangements::all(tx, Person::SORT)?;
    for person in &people {
        all.add(person.id.as_str(), person.name.as_ref().map(Text::as_str));
    }
    Ok(all)
}

/// Every user, with link or suggestion.
pub(crate) fn known(tx: &mut Tx<'_>, acted: &Candidates) -> Result<Vec<Known>, StoreError> {
    let candidates = candidates(tx, acted)?;
    let links: Vec<User> = arrangements::all(tx, User::SORT)?;
    let mut links: BTreeMap<String, User> = links
        .into_iter()
        .map(|link| (link.user.to_string(), link))
        .collect();
    let mut seen = BTreeSet::new();
    let mut users = Vec::new();
    for row in people::all(tx)? {
        if seen.insert(row.id.clone()) {
            let link = links.remove(&row.id);
            users.push(one(row, link.as_ref(), &candidates));
        }
    }
    users.extend(links.into_values().map(|link| Known {
        id: link.user.to_string(),
        name: None,
        email: None,
        state: state_of(&link),
        person: link.person.as_ref().map(ToString::to_string),
        person_name: None,
        suggested_by: None,
    }));
    for user in &mut users {
        let person = user.person.as_deref();
        let own = person.and_then(|person| candidates.name_of(person));
        let own = own.map(str::to_owned);
        user.person_name = own.or_else(|| user.name.clone().filter(|_| user.person.is_some()));
    }
    if hides_emails(tx)? {
        for user in &mut users {
            user.email = None;
        }
    }
    Ok(users)
}

fn state_of(link: &User) -> &'static str {
    if link.ignored { "ignored" } else { "linked" }
}

fn one(row: UserRow, link: Option<&User>, candidates: &Candidates) -> Known {
    let suggestion = link.is_none().then(|| candidates.suggest(&row)).flatten();
    Known {
        state: match (link, suggestion) {
            (Some(link), _) => state_of(link),
            (None, Some(_)) => "suggested",
            (None, None) => "unknown",
        },
        person: match link {
            Some(link) => link.person.as_ref().map(ToString::to_string),
            None => suggestion.map(|(person, _)| person.to_owned()),
        },
        person_name: None,
        suggested_by: suggestion.map(|(_, by)| by),
        id: row.id,
        name: row.name,
        email: Some(row.email),
    }
}

/// Say which person a user is, or that it is nobody's
#[utoipa::path(
    post, path = "/api/v1/users", tag = "metrics", operation_id = "link_user", request_body = User,
    responses((status = 200, body = Settled<User>, description = "Pages of the past move to the person"), WrongValue),
)]
pub(crate) async fn link_user(
    State(app): State<Arc<App>>,
    Body(user): Body<User>,
) -> Put<Settled<User>> {
    let acted = acted(&app).await?;
    let of_incidents = named::of_incidents(&app).await?;
    let write = app.db.write(move |tx| {
        let known = Directory::read(tx, of_incidents)?;
        add_person(tx, &user, &acted)?;
        link_to_person(tx, user, &known)
    });
    let (thing, hint) = write.await?;
    app.signals.nudge();
    Ok((Note::thing(thing.key()), Json(Settled { thing, hint })))
}

/// Makes a person of somebody who has an account or acted here, under the name that is known.
fn add_person(tx: &mut Tx<'_>, link: &User, acted: &Candidates) -> Result<(), ApiError> {
    let Some(person) = &link.person else {
        return Ok(());
    };
    let candidates = candidates(tx, acted)?;
    let is_there = arrangements::find::<Person>(tx, Person::SORT, person.as_str())?.is_some();
    if is_there || !candidates.has(person.as_str()) {
        return Ok(());
    }
    let name = candidates.name_of(person.as_str());
    let new = Person {
        id: person.clone(),
        name: name.and_then(|name| Text::try_from(name.to_owned()).ok()),
    };
    store(tx, &new)
}

/// Stores a link of a user who is known, or of whom nobody can say, to a person who is there.
pub(in crate::http::api) fn link_to_person(
    tx: &mut Tx<'_>,
    link: User,
    known: &Directory,
) -> Result<(User, Option<String>), ApiError> {
    if let Some(person) = &link.person
        && arrangements::find::<Person>(tx, Person::SORT, person.as_str())?.is_none()
    {
        return Err(
            ApiError::wrong_value("person", format!("there is no person `{person}`"))
                .hint(format!("`im person add {person}` adds one")),
        );
    }
    store_known(tx, link, known)
}

/// Take back what was said of a user
#[utoipa::path(
    delete, path = "/api/v1/users/{user}", tag = "metrics", operation_id = "unlink_user",
    params(("user" = String, Path, description = "PagerDuty's id")),
    responses((status = 204, description = "The user stands for itself again")),
)]
pub(crate) async fn unlink_user(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
) -> Result<StatusCode, ApiError> {
    let delete = {
        let user = user.clone();
        app.db
            .write(move |tx| arrangements::delete(tx, User::SORT, &user))
    };
    if delete.await? {
        app.signals.nudge();
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(
        ApiError::not_found(format!("nothing was said of user `{user}`"))
            .hint("`im person users` shows the users"),
    )
}
