//! Giving an incident to people: addresses become PagerDuty's users first.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::{Command, IncidentNumber, Person};
use im_engine::connector::Connector;
use im_pagerduty::{Answer, Call, Outcome as Called};
use im_store::people::{self, UserRow};
use serde::Deserialize;
use utoipa::ToSchema;

use super::acts::{self, Done};
use super::{asked_of, look};
use crate::access::Who;
use crate::http::App;
use crate::http::api::connectors::ask;
use crate::http::api::outcome::Outcome;
use crate::http::error::ApiError;
use crate::http::input::{Body, Params};
use crate::http::openapi::{Conflict, WrongValue};
use crate::organisation::is_email;

/// PagerDuty gives an incident to at most so many.
const PEOPLE_MAX: usize = 50;

/// Whom to give it to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assignment {
    /// E-mail addresses or PagerDuty user ids.
    to: Vec<String>,
}

/// Give an incident to people
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/assign", tag = "incidents", operation_id = "assign_incident",
    params(
        ("id" = String, Path, description = "INC-42 or 42"),
        ("wait" = Option<String>, Query, description = "Wait so long for PagerDuty, e.g. 5s"),
    ),
    request_body = Assignment,
    responses((status = 200, body = Outcome, description = "What became of it"), Conflict, WrongValue),
)]
pub(super) async fn assign(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
    params: Params,
    Body(assignment): Body<Assignment>,
) -> Result<Json<Outcome>, ApiError> {
    let (incident, wait) = asked_of(&id, params)?;
    let done = give(&app, incident, assignment.to, &who).await?;
    done.outcome(&app, wait).await.map(Json)
}

/// Gives an incident to people by their addresses or ids.
pub(crate) async fn give(
    app: &App,
    incident: IncidentNumber,
    to: Vec<String>,
    who: &Who,
) -> Result<Done, ApiError> {
    if to.len() > PEOPLE_MAX {
        return Err(ApiError::wrong_value(
            "too_many",
            format!("an incident is given to at most {PEOPLE_MAX} people"),
        )
        .hint("name those who act"));
    }
    let to = persons(app, incident, to).await?;
    let names: Vec<String> = to.iter().map(|person| person.label().to_owned()).collect();
    let told = |incident, changed| {
        if changed {
            format!("Assigned {incident} to {}", and(&names))
        } else {
            format!("{incident} was assigned so already")
        }
    };
    let commands = vec![Command::Assign { to }];
    acts::act(app, incident, (commands, None), who, told).await
}

/// `Ann Lee, Bob Stone and Carla Nowak`.
fn and(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}

async fn persons(
    app: &App,
    incident: IncidentNumber,
    named: Vec<String>,
) -> Result<Vec<Person>, ApiError> {
    let connector = look(app, incident).await?.any_connector();
    let mut to: Vec<Person> = Vec::new();
    for name in named {
        let name = name.trim().to_owned();
        let person = match &connector {
            Some(connector) => user(app, connector, &name).await?,
            None => Person {
                id: name,
                name: None,
            },
        };
        if !to.iter().any(|have| have.id == person.id) {
            to.push(person);
        }
    }
    Ok(to)
}

/// The user by what is known here, else by asking PagerDuty.
async fn user(app: &App, connector: &Connector, name: &str) -> Result<Person, ApiError> {
    let (place, text) = (connector.name().to_owned(), name.to_owned());
    let known = app
        .db
        .read(move |tx| {
            Ok::<_, ApiError>(if is_email(&text) {
                people::by_email(tx, &place, &text)?
            } else {
                people::by_id(tx, &place, &text)?
            })
        })
        .await?;
    let found = match known {
        None if is_email(name) => ask(app, connector, name).await?,
        known => known,
    };
    found
        .map(|user| Person {
            id: user.id,
            name: user.name,
        })
        .ok_or_else(|| {
            ApiError::wrong_value("unknown_user", format!("PagerDuty has no user `{name}`")).hint(
                "write an e-mail address or an id of a user there, e.g. ann@example.com or PXXXXXX",
            )
        })
}

async fn ask(app: &App, connector: &Connector, email: &str) -> Result<Option<UserRow>, ApiError> {
    let call = Call::FindUser {
        email: email.to_owned(),
    };
    let called = ask::outcome(app, connector, &call).await?;
    let Called::Done(Answer::Users(page)) = called else {
        return Err(ApiError::wrong_value(
            "unknown_user",
            format!("`{email}` is not known here, and PagerDuty could not be asked"),
        )
        .hint(format!(
            "`im connector test {}` looks for the cause; the id of a user at PagerDuty works without asking",
            connector.name()
        )));
    };
    let found = page.items.into_iter().find(|user| {
        user.email
            .as_deref()
            .is_some_and(|known| known.eq_ignore_ascii_case(email))
    });
    let Some(found) = found else { return Ok(None) };
    let row = UserRow {
        id: found.id,
        email: email.to_owned(),
        name: found.name,
    };
    let (place, user) = (connector.name().to_owned(), row.clone());
    app.db
        .write(move |tx| Ok::<_, ApiError>(people::put(tx, &place, &user)?))
        .await?;
    Ok(Some(row))
}
