//! Trying a routing key: one event, followed to its incident and back.
//!
//! PagerDuty answers 202 to events that nothing comes of, so its answer proves nothing (G08). What does is the
//! webhook of the incident that the event opened, and the one of its end.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::connector::Connector;
use im_pagerduty::events_v2::{
    Event, EventAction, ROUTING_KEY_CHARS, is_routing_key, read_event_reply,
};
use im_pagerduty::{Answer, Call, IncidentKey, Outcome, Reply, Secret, Transport};
use im_store::inbox;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::ask::outcome;
use super::find;
use super::view::length;
use super::webhook::must_receive;
use crate::http::App;
use crate::http::api::types::{Check, Checks};
use crate::http::error::ApiError;
use crate::http::input::{Body, Params};
use crate::http::openapi::{Conflict, WrongValue};
use crate::http::wait;

/// A webhook that needs longer than this is not waited for, unless the caller says so.
const WEBHOOK_WAIT: Duration = Duration::from_secs(20);

const TAKEN: &str = "PagerDuty took the event (which proves nothing yet)";
const OPENED: &str = "Its webhook tells of an incident";
const RESOLVED: &str = "Resolved again by an event, and its webhook tells so";

/// Which key to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// The routing key (integration key) of an Events API v2 integration. It is not stored.
    routing_key: String,
}

/// Try a routing key: send an event, see its incident by webhook, resolve it
///
/// The incident is titled `[test] …`, pages whoever is on call, and is resolved at once.
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/test-event", tag = "connectors", operation_id = "test_event", request_body = Request,
    params(
        ("name" = String, Path, description = "Whose webhook is to tell of it"),
        ("wait" = Option<String>, Query, description = "How long each webhook is waited for, 20s unless given; at most 60s"),
    ),
    responses((status = 200, body = Checks, description = "How far the event came"), Conflict, WrongValue),
)]
pub(super) async fn test_event(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    params: Params,
    Body(request): Body<Request>,
) -> Result<Json<Checks>, ApiError> {
    let params = params.only(&["wait"])?;
    let wait = match params.one("wait") {
        Some(_) => wait::wanted(&params)?,
        None => WEBHOOK_WAIT,
    };
    let connector = find(&app, &name).await?;
    must_receive(&connector)?;
    if connector.row.webhook_secrets.is_empty() {
        return Err(ApiError::conflict(
            "no_webhook",
            format!("connector `{name}` has no webhook by which the incident could be seen"),
        )
        .hint(format!("`im connector webhook {name} --enable` makes one")));
    }
    let key = Secret::new(request.routing_key.trim());
    if !is_routing_key(key.expose()) {
        return Err(ApiError::wrong_value(
            "routing_key",
            format!("the routing key is not {ROUTING_KEY_CHARS} letters and digits"),
        )
        .hint("PagerDuty shows it under Services → the service → Integrations → Events API v2; it is no API key"));
    }
    let trial = Trial::begin(&app, &connector, &key, wait).await?;
    trial.run().await.map(|lines| Json(Checks::of(lines)))
}

/// One event and what is to come of it.
struct Trial<'a> {
    app: &'a App,
    connector: &'a Connector,
    key: &'a Secret,
    wait: Duration,
    since: Timestamp,
    /// What nobody else says.
    mark: String,
}

/// What a webhook told of the incident.
struct Told {
    id: String,
    /// Its number and its service, for people.
    name: String,
}

impl<'a> Trial<'a> {
    async fn begin(
        app: &'a App,
        connector: &'a Connector,
        key: &'a Secret,
        wait: Duration,
    ) -> Result<Self, ApiError> {
        let since = app.clock.now();
        let mark = app
            .db
            .write(move |tx| Ok::<_, ApiError>(tx.new_id(since).simple().to_string()))
            .await?;
        Ok(Self {
            app,
            connector,
            key,
            wait,
            since,
            mark,
        })
    }

    async fn run(&self) -> Result<Vec<Check>, ApiError> {
        let taken = answered(&self.send(EventAction::Trigger).await);
        if taken.state == "failed" {
            let untried =
                [OPENED, RESOLVED].map(|text| Check::skipped(format!("{text}: not tried")));
            return Ok([vec![taken], untried.to_vec()].concat());
        }
        let opened = self.heard("incident.triggered", None).await?;
        // Whatever came of it is not left open.
        let resolved = answered(&self.send(EventAction::Resolve).await);
        let Some(opened) = opened else {
            let lost = self.unheard().await?;
            return Ok(vec![
                taken,
                lost,
                Check::skipped(format!("{RESOLVED}: not tried")),
            ]);
        };
        let seen = Check::ok(format!("{OPENED}: {}", opened.name));
        if resolved.state == "failed" {
            let cause = resolved.cause.unwrap_or_default();
            let next = format!("resolve {} in PagerDuty, then try again", opened.name);
            return Ok(vec![taken, seen, Check::failed(RESOLVED, cause, next)]);
        }
        let last = match self.heard("incident.resolved", Some(&opened.id)).await? {
            Some(_) => Check::ok(RESOLVED),
            None => Check::failed(
                RESOLVED,
                format!("no webhook told of its end within {}", self.waited()),
                format!(
                    "is {} still open in PagerDuty? Resolve it there",
                    opened.name
                ),
            ),
        };
        Ok(vec![taken, seen, last])
    }

    async fn send(&self, action: EventAction) -> Result<Reply, Transport> {
        let dedup_key = self.dedup_key();
        let summary = format!("[test] im tries a routing key ({})", self.mark);
        let event = Event {
            routing_key: self.key,
            action,
            dedup_key: &dedup_key,
            summary: &summary,
        };
        self.app.caller.send(self.connector, &event).await
    }

    fn dedup_key(&self) -> String {
        format!("im-test-{}", self.mark)
    }

    fn waited(&self) -> String {
        length(SignedDuration::try_from(self.wait).unwrap_or_default())
    }

    /// Waits for a webhook about the incident of this trial.
    async fn heard(&self, event: &'static str, id: Option<&str>) -> Result<Option<Told>, ApiError> {
        let look = async || {
            let (name, mark, since) = (
                self.connector.name().to_owned(),
                self.mark.clone(),
                self.since,
            );
            let bodies = self
                .app
                .db
                .read(move |tx| inbox::bodies_with(tx, &name, &mark, since))
                .await?;
            let told = bodies.iter().filter_map(|body| told(body, event));
            Ok(told
                .into_iter()
                .find(|told| id.is_none_or(|id| told.id == id)))
        };
        wait::until(self.app, self.wait, look).await
    }

    /// Why no webhook came: PagerDuty has the incident, or it has none.
    async fn unheard(&self) -> Result<Check, ApiError> {
        let name = self.connector.name();
        let waited = format!("no webhook told of one within {}", self.waited());
        let found = match IncidentKey::new(self.dedup_key()) {
            Some(key) => outcome(self.app, self.connector, &Call::FindByKey { key }).await?,
            None => Outcome::Gone,
        };
        let found = match found {
            Outcome::Done(Answer::Incidents(page)) => page.items.into_iter().next(),
            _ => None,
        };
        Ok(match found {
            Some(read) => {
                let number = read.snapshot.number.unwrap_or_default();
                Check::failed(
                    OPENED,
                    format!("PagerDuty put the alert into incident #{number}, and {waited}"),
                    format!(
                        "`im connector webhook {name} --test` tries the webhook; a service that groups alerts opens no incident of its own"
                    ),
                )
            }
            None => Check::failed(
                OPENED,
                format!("PagerDuty has no incident of it, and {waited}"),
                "is the key of this account and region, and of a service that is neither disabled nor in maintenance? PagerDuty answers 202 all the same",
            ),
        })
    }
}

/// What PagerDuty answered to an event.
fn answered(answer: &Result<Reply, Transport>) -> Check {
    let Ok(reply) = answer else {
        return Check::failed(
            TAKEN,
            "PagerDuty's Events API could not be reached, or did not answer",
            "may this machine reach events.pagerduty.com (events.eu.pagerduty.com for the EU)?",
        );
    };
    if (200..300).contains(&reply.status) {
        return Check::ok(TAKEN);
    }
    let said = read_event_reply(&reply.body);
    let words = said.map(|said| said.errors.join("; ")).unwrap_or_default();
    let next = match reply.status {
        400 => "compare it with Services → the service → Integrations in PagerDuty",
        _ => "try again in a minute",
    };
    let cause = format!("PagerDuty refused it: HTTP {} {words}", reply.status);
    Check::failed(TAKEN, cause.trim(), next)
}

/// What a webhook of this kind tells of its incident.
fn told(body: &str, event: &str) -> Option<Told> {
    let body: Value = serde_json::from_str(body).ok()?;
    let told = body.get("event")?;
    if told.get("event_type")? != event {
        return None;
    }
    let data = told.get("data")?;
    let number = data.get("number").and_then(Value::as_i64);
    let service = data.pointer("/service/summary").and_then(Value::as_str);
    let number = number.map_or_else(|| "the incident".to_owned(), |number| format!("#{number}"));
    Some(Told {
        id: data.get("id")?.as_str()?.to_owned(),
        name: match service {
            Some(service) => format!("{number} on {service}"),
            None => number,
        },
    })
}
