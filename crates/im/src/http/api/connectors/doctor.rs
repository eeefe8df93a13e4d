//! The way of a webhook, step by step: address, certificate, door, subscription, signature, clocks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::connector::Connector;
use im_engine::{skew, subscription};

use super::view::webhook_url;
use super::{find, key, test};
use crate::http::api::settings::stored_public_url;
use crate::http::api::types::{Check, Checks};
use crate::http::error::ApiError;
use crate::http::openapi::Conflict;
use crate::http::{App, certificate, hooks};

/// People who compare two timelines wonder about clocks that differ by more.
const CLOCK_OFF_S: u64 = 5;

/// Find out why webhooks do not come: address, TLS, subscription, signature, clocks
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/doctor", tag = "connectors", operation_id = "examine_connector",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Checks, description = "Each step of the way, and how it is"), Conflict),
)]
pub(super) async fn doctor(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Checks>, ApiError> {
    let connector = find(&app, &name).await?;
    let mut lines = test::key(&app, &connector).await?;
    lines.extend(way(&app, &connector).await?);
    if lines
        .iter()
        .any(|line| line.state == "failed" && line.text == test::CONNECTED)
    {
        lines.push(Check::skipped(
            "Webhook subscription: PagerDuty cannot be asked",
        ));
    } else {
        lines.extend(test::webhook(&app, &connector).await?);
    }
    lines.extend(stored(&app, &connector).await?);
    // What PagerDuty has just said of the key counts.
    lines.extend(key::lost(&find(&app, &name).await?));
    Ok(Json(Checks::of(lines)))
}

/// From outside to our door.
async fn way(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    let base = app
        .db
        .read(|tx| Ok::<_, ApiError>(stored_public_url(tx)?))
        .await?;
    let Some(base) = base else {
        return Ok(vec![Check::failed(
            "Public address is set",
            "nobody knows yet under which address PagerDuty reaches this server",
            "`im config set public_url https://…`",
        )]);
    };
    let url = webhook_url(&base, connector.name());
    let mut lines = vec![Check::ok(format!("Public address is set: {url}"))];
    lines.push(match certificate::look(app).await? {
        None => Check::skipped("TLS certificate: none, since the address begins with http://"),
        Some(Err(why)) => Check::failed(
            "TLS certificate can be seen",
            why,
            "is the address right, and does TLS end there? PagerDuty must reach it from the internet",
        ),
        Some(Ok(seen)) => match seen.trouble(app.clock.now()) {
            Some((cause, next)) => Check::failed(seen.text(), cause, next),
            None => Check::ok(seen.text()),
        },
    });
    let text = "The door answers there, as seen from this machine";
    lines.push(match app.caller.look_at_door(&url).await.answer {
        Ok(()) => Check::ok(text),
        Err(why) => Check::failed(
            text,
            why,
            format!("does `im serve` run, and does a proxy in front lead to it? `curl -X POST {url} -H 'Content-Type: application/json' -d '{{\"test\": \"ping\"}}'`"),
        ),
    });
    Ok(lines)
}

/// What is known without asking.
async fn stored(app: &App, connector: &Connector) -> Result<Vec<Check>, ApiError> {
    let (row, now) = (connector.row.clone(), app.clock.now());
    let has_heard = row.last_heard_at.is_some();
    let (bad, wrong, ahead) = app
        .db
        .read(move |tx| {
            let bad = hooks::bad_signatures_since_good(tx, &row, now)?;
            let wrong = subscription::wrong(tx, &row.name)?;
            Ok::<_, ApiError>((bad, wrong, skew::ahead_s(tx, &row.name)?))
        })
        .await?;
    let name = connector.name();
    let anew = format!("`im connector webhook {name} --enable` makes it anew");
    let mut lines = Vec::new();
    let text = "Signatures of deliveries fit";
    lines.push(if bad > 0 {
        let cause =
            format!("{bad} did not: somebody else's, or the secret here is not PagerDuty's");
        Check::failed(text, cause, anew.clone())
    } else if has_heard {
        Check::ok(text)
    } else {
        Check::skipped("Signatures: no delivery has come yet")
    });
    if let Some(wrong) = wrong {
        lines.push(Check::failed(
            "Webhook subscription is as it was made",
            wrong,
            anew,
        ));
    }
    let text = "The clock here agrees with PagerDuty's";
    lines.push(match ahead {
        None => Check::skipped("Clocks: PagerDuty has not told its time yet"),
        Some(ahead) if ahead.unsigned_abs() >= CLOCK_OFF_S => {
            let side = if ahead > 0 { "ahead of" } else { "behind" };
            let off = ahead.unsigned_abs();
            let cause = format!("it is {off} s {side} PagerDuty's");
            Check::failed(
                text,
                cause,
                "let this machine take its time from a time server (NTP)",
            )
        }
        Some(_) => Check::ok(text),
    });
    Ok(lines)
}
