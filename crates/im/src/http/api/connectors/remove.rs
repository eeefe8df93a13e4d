//! Removing a connector: what goes, what stays, and what is left to do by hand.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::connector::{self, Connector};
use im_pagerduty::{Answer, Call, Outcome};
use im_store::{incidents, outbox};

use super::ask::{outcome, trouble};
use super::find;
use crate::http::App;
use crate::http::api::types::{Check, Checks};
use crate::http::error::ApiError;
use crate::http::input::Params;

/// Incidents erased in one transaction: others write in between.
pub(super) const ERASED_AT_ONCE: u32 = 100;

/// Remove a connector; incidents stay, or are erased here
///
/// A connector that was removed before can still have its data erased.
#[utoipa::path(
    delete, path = "/api/v1/connectors/{name}", tag = "connectors", operation_id = "remove_connector",
    params(
        ("name" = String, Path, description = "Which"),
        ("purge" = Option<bool>, Query, description = "Whether its incidents, with all their history, and its deliveries are erased here"),
    ),
    responses((status = 200, body = Checks, description = "It is removed: what went, and what is left")),
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Checks>, ApiError> {
    let purge = params.only(&["purge"])?.flag("purge")?;
    take_away(&app, &name, purge).await.map(Json)
}

/// The same for whoever asks.
pub(crate) async fn take_away(app: &App, name: &str, purge: bool) -> Result<Checks, ApiError> {
    let given = name.to_owned();
    let was_removed = app
        .db
        .read(move |tx| {
            let found = connector::load(tx, &given)?;
            Ok::<_, ApiError>(found.is_none() && connector::was_removed(tx, &given)?)
        })
        .await?;
    let mut lines = Vec::new();
    if !(purge && was_removed) {
        let connector = find(app, name).await?;
        if let Some(id) = connector.row.subscription.clone() {
            lines.push(subscription(app, &connector, id).await);
        }
        forget(app, &connector, purge, &mut lines).await?;
    }
    if purge {
        lines.push(erase(app, name).await?);
    }
    Ok(Checks::of(lines))
}

/// Forgets a connector and says what went with it.
async fn forget(
    app: &App,
    connector: &Connector,
    purge: bool,
    lines: &mut Vec<Check>,
) -> Result<(), ApiError> {
    let has_secrets = !connector.row.webhook_secrets.is_empty();
    let (name, now) = (connector.name().to_owned(), app.clock.now());
    let (stay, given_up) = app
        .db
        .write(move |tx| {
            let (pending, parked) = outbox::counts(tx, &name)?;
            let stay = incidents::linked(tx, &name)?;
            connector::forget(tx, &name, now)?;
            Ok::<_, ApiError>((stay, pending + parked))
        })
        .await?;
    lines.push(Check::ok(if has_secrets {
        "Key or sign-in and signing secrets are destroyed here"
    } else {
        "Key or sign-in is destroyed here"
    }));
    if !purge {
        lines.push(Check::ok(format!("Incidents stay on both sides ({stay})")));
    }
    if given_up > 0 {
        let left = Check::skipped(format!(
            "Changes that PagerDuty had not taken: {given_up}, not sent"
        ));
        lines.push(if purge {
            left
        } else {
            left.next("added again under its name, the connector sends what is still true then")
        });
    }
    Ok(())
}

/// Erases what a removed connector left here, some incidents at a time.
async fn erase(app: &App, name: &str) -> Result<Check, ApiError> {
    app.figures.forget_image().await;
    let mut count = 0;
    loop {
        let (name, now) = (name.to_owned(), app.clock.now());
        let erased = app
            .db
            .write(move |tx| connector::erase(tx, &name, ERASED_AT_ONCE, now))
            .await?;
        if erased.rows == 0 {
            break;
        }
        count += erased.incidents;
    }
    tracing::info!(
        connector = name,
        "erased {count} incidents of a removed connector"
    );
    Ok(Check::ok(format!(
        "Erased here: {count} incidents with their history, and all deliveries; PagerDuty keeps its own"
    )))
}

/// Without this PagerDuty would go on delivering to nobody; but a key that does not work any more
/// must not keep people from removing the connector.
async fn subscription(app: &App, connector: &Connector, id: String) -> Check {
    let text = format!("Webhook subscription {id} is removed at PagerDuty");
    let call = Call::DeleteSubscription { id: id.clone() };
    let cause = match outcome(app, connector, &call).await {
        Ok(Outcome::Done(Answer::Nothing) | Outcome::Gone) => return Check::ok(text),
        Ok(other) => trouble(connector, &other).0,
        // A key that cannot be opened, for instance.
        Err(error) => error.detail().to_owned(),
    };
    tracing::warn!(
        connector = connector.name(),
        "the webhook subscription stays at PagerDuty: {cause}"
    );
    Check::failed(
        text,
        cause,
        format!(
            "in PagerDuty: Integrations, Generic Webhooks (v3), the menu of {id}, Delete; what it delivers is answered with 410 from now on"
        ),
    )
}
