//! Lists that are read from PagerDuty now.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::connector::Connector;
use im_pagerduty::{Answer, Call, Page, User};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::ask;
use super::find;
use crate::http::App;
use crate::http::api::settings::hides_emails;
use crate::http::api::types::Named;
use crate::http::error::ApiError;
use crate::http::openapi::NoAnswer;

/// Pages of 100 that one request reads: a list of more is not chosen from by eye.
const PAGES_MAX: usize = 20;

/// A user of PagerDuty's.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UserView {
    /// PagerDuty's id.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
    /// The address.
    pub(crate) email: Option<String>,
}

impl UserView {
    /// What is shown of a user.
    pub(super) fn of(user: User) -> Self {
        Self {
            name: user.name.unwrap_or_else(|| user.id.clone()),
            id: user.id,
            email: user.email,
        }
    }
}

/// List PagerDuty's services
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/services", tag = "connectors", operation_id = "list_services",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [Named], description = "The services"), NoAnswer),
)]
pub(crate) async fn services(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Named>>, ApiError> {
    let connector = find(&app, &name).await?;
    all_services(&app, &connector).await.map(Json)
}

/// Every service.
pub(crate) async fn all_services(app: &App, connector: &Connector) -> Result<Vec<Named>, ApiError> {
    pages(
        app,
        connector,
        |offset| Call::ListServices { offset },
        |answer| match answer {
            Answer::Services(page) => Some(mapped(page, |row| named(row.id, row.name))),
            _ => None,
        },
    )
    .await
}

/// List PagerDuty's users
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/users", tag = "connectors", operation_id = "list_users",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [UserView], description = "The users"), NoAnswer),
)]
pub(crate) async fn users(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<UserView>>, ApiError> {
    let connector = find(&app, &name).await?;
    let found = all_users(&app, &connector).await?;
    let hides = app.db.read(hides_emails).await?;
    let users = found.into_iter().map(|user| {
        let shown = UserView::of(user);
        UserView {
            email: shown.email.filter(|_| !hides),
            ..shown
        }
    });
    Ok(Json(users.collect()))
}

/// Every user.
pub(crate) async fn all_users(app: &App, connector: &Connector) -> Result<Vec<User>, ApiError> {
    pages(
        app,
        connector,
        |offset| Call::ListUsers { offset },
        |answer| match answer {
            Answer::Users(page) => Some(mapped(page, |row| row)),
            _ => None,
        },
    )
    .await
}

/// List PagerDuty's escalation policies
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/escalation-policies", tag = "connectors", operation_id = "list_escalation_policies",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [Named], description = "The policies"), NoAnswer),
)]
pub(crate) async fn policies(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Named>>, ApiError> {
    let connector = find(&app, &name).await?;
    all_policies(&app, &connector).await.map(Json)
}

/// Every escalation policy.
pub(crate) async fn all_policies(app: &App, connector: &Connector) -> Result<Vec<Named>, ApiError> {
    pages(
        app,
        connector,
        |offset| Call::ListPolicies { offset },
        |answer| match answer {
            Answer::Policies(page) => Some(mapped(page, |row| named(row.id, row.name))),
            _ => None,
        },
    )
    .await
}

/// A thing by its id and its name.
pub(super) fn named(id: String, name: Option<String>) -> Named {
    Named {
        name: name.unwrap_or_else(|| id.clone()),
        id,
    }
}

/// The rows of a page in another form.
pub(super) fn mapped<T, U>(page: Page<T>, map: impl FnMut(T) -> U) -> (Vec<U>, Option<u32>) {
    (page.items.into_iter().map(map).collect(), page.next_offset)
}

/// Every row of a list.
pub(super) async fn pages<T>(
    app: &App,
    connector: &Connector,
    call: impl Fn(u32) -> Call,
    rows: impl Fn(Answer) -> Option<(Vec<T>, Option<u32>)>,
) -> Result<Vec<T>, ApiError> {
    let mut found = Vec::new();
    let mut offset = Some(0);
    for _ in 0..PAGES_MAX {
        let Some(at) = offset else { break };
        let answer = ask(app, connector, &call(at)).await?;
        let (page, next) = rows(answer).unwrap_or_default();
        found.extend(page);
        offset = next;
    }
    Ok(found)
}
