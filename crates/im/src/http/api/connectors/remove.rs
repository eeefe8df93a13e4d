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

/// Remove a connector; incidents stay
#[utoipa::path(
    delete, path = "/api/v1/connectors/{name}", tag = "connectors", operation_id = "remove_connector",
    params(("name" = String, Path, description = "Which")),
    responses((status = 200, body = Checks, description = "It is removed: what went, and what is left")),
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Checks>, ApiError> {
    let connector = find(&app, &name).await?;
    let mut lines = Vec::new();
    if let Some(id) = connector.row.subscription.clone() {
        lines.push(subscription(&app, &connector, id).await);
    }
    let has_secrets = !connector.row.webhook_secrets.is_empty();
    let (stay, given_up) = app
        .db
        .write(move |tx| {
            let (pending, parked) = outbox::counts(tx, &name)?;
            let stay = incidents::linked(tx, &name)?;
            connector::forget(tx, &name)?;
            Ok::<_, ApiError>((stay, pending + parked))
        })
        .await?;
    lines.push(Check::ok(if has_secrets {
        "API key and signing secrets are destroyed here"
    } else {
        "API key is destroyed here"
    }));
    lines.push(Check::ok(format!("Incidents stay on both sides ({stay})")));
    if given_up > 0 {
        lines.push(
            Check::skipped(format!(
                "Changes that PagerDuty had not taken: {given_up}, not sent"
            ))
            .next("added again under its name, the connector sends what is still true then"),
        );
    }
    Ok(Json(Checks::of(lines)))
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
