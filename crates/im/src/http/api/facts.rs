//! Facts, taken out of here: everything that was reported, one row each, as JSON or CSV.
//!
//! Read and sent a stretch at a time, so that an export of millions holds neither memory nor the database.
//! What it does not have: incidents that are hidden or deleted, raw reports, configurations.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use im_core::{ActorKind, IncidentNumber, Person};
use im_metrics::Metric;
use im_store::facts::{self, Shown};
use im_store::tokens::Scope;
use im_store::{Db, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::metrics::asked::Filters;
use super::metrics::{FILTERS, compute};
use super::settings::{hides_emails, time_zone};
use super::types::hide_email;
use crate::access::Who;
use crate::csv;
use crate::http::App;
use crate::http::edge::Edge;
use crate::http::error::ApiError;
use crate::http::input::Params;
use crate::organisation::is_email;
use crate::plain;

/// Facts that are read at once.
const STRETCH: i64 = 2_000;
/// What facts are asked for by, beside the filters of metrics.
const OWN: [&str; 5] = ["from", "to", "incident", "after", "format"];
/// The columns of CSV.
const COLUMNS: [&str; 18] = [
    "seq",
    "incident",
    "at",
    "kind",
    "source",
    "source_id",
    "actor_kind",
    "actor_id",
    "actor_name",
    "people",
    "value",
    "detail",
    "answers",
    "service",
    "escalation_policy",
    "urgency",
    "priority",
    "recorded_at",
];

/// The routes of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(export))
}

/// A fact: what one source reported of one act.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Exported {
    /// Its number: facts were recorded in this order.
    pub(crate) seq: i64,
    /// The incident; a part of one of several services is named `INC-42.1`.
    #[schema(example = "INC-42")]
    pub(crate) incident: String,
    /// When it happened, on the clock of its source.
    pub(crate) at: Timestamp,
    /// What happened, e.g. `acknowledged`.
    pub(crate) kind: &'static str,
    /// Who reported it: `command`, `answer`, `log_entry`, `webhook`, `read` or `look`.
    pub(crate) source: &'static str,
    /// The source's id for it.
    pub(crate) source_id: String,
    /// `user`, `service`, `integration`, `api` or `none`.
    pub(crate) actor_kind: &'static str,
    pub(crate) actor_id: Option<String>,
    pub(crate) actor_name: Option<String>,
    /// Whom it is about, by PagerDuty's ids.
    pub(crate) people: Vec<String>,
    /// What was set or said: a title, a note, how it was resolved, a channel.
    pub(crate) value: Option<String>,
    /// The second value, e.g. the level of an escalation, or the key of a trigger in PagerDuty's log.
    pub(crate) detail: Option<String>,
    /// For an answer: the `source_id` of the command.
    pub(crate) answers: Option<String>,
    /// As the source showed it then, by PagerDuty's ids.
    pub(crate) service: Option<String>,
    pub(crate) escalation_policy: Option<String>,
    pub(crate) urgency: Option<String>,
    pub(crate) priority: Option<String>,
    /// When it became known here; null for facts of before that was kept.
    pub(crate) recorded_at: Option<Timestamp>,
}

/// What whoever asks may see of people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) hides_emails: bool,
    pub(crate) sees_people: bool,
}

/// What is asked for.
struct Asked {
    range: (Timestamp, Timestamp),
    /// Only these incidents.
    only: Option<BTreeSet<IncidentNumber>>,
    csv: bool,
    seen: Seen,
}

/// Export facts
#[utoipa::path(
    get, path = "/api/v1/facts", tag = "metrics", operation_id = "export_facts",
    params(
        ("from" = Option<String>, Query, description = "The first local date on which they happened, or an instant; all of the past by default"),
        ("to" = Option<String>, Query, description = "The last local date, or an instant: before it"),
        ("incident" = Option<Vec<String>>, Query, description = "Only these, e.g. INC-42"),
        Filters,
        ("after" = Option<i64>, Query, description = "Only those recorded after the one with this `seq`"),
        ("format" = Option<String>, Query, description = "json (unless given) or csv"),
    ),
    responses((status = 200, body = [Exported], description = "In the order in which they were recorded, streamed; without the right `personal_load` they name nobody")),
)]
async fn export(
    State(app): State<Arc<App>>,
    who: Who,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&[&OWN[..], &FILTERS[..]].concat())?;
    let (own, filters) = params.split(&OWN);
    let numbers = numbers(&own)?;
    let passing = passing(&app, &filters).await?;
    let csv = match own.one("format") {
        None | Some("json") => false,
        Some("csv") => true,
        Some(other) => {
            return Err(
                ApiError::bad_request(format!("`format` cannot be `{other}`"))
                    .hint("use json or csv"),
            );
        }
    };
    let after = match own.one("after").map(str::parse) {
        None => 0,
        Some(Ok(after @ 0..)) => after,
        Some(_) => {
            return Err(ApiError::bad_request(
                "`after` cannot be that: it is a whole number from 0 on",
            )
            .hint("use the `seq` of the last fact that you have"));
        }
    };
    let (zone, hides_emails, last) = app
        .db
        .read(|tx| Ok::<_, StoreError>((time_zone(tx)?, hides_emails(tx)?, facts::last(tx)?)))
        .await?;
    let asked = Asked {
        range: range(&own, &zone)?,
        only: both(numbers, passing),
        csv,
        seen: Seen {
            hides_emails,
            sees_people: who.may(Scope::PersonalLoad),
        },
    };
    let kind = if csv {
        "text/csv; charset=utf-8; header=present"
    } else {
        "application/json"
    };
    let body = streamed(app.db.clone(), asked, (after, last));
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

/// The incidents that were named, their parts included.
fn numbers(params: &Params) -> Result<Option<BTreeSet<IncidentNumber>>, ApiError> {
    let mut numbers = BTreeSet::new();
    for text in params.all("incident") {
        let number: IncidentNumber = text.parse()?;
        numbers.insert(number);
        numbers.extend((1..=u8::MAX).map(|part| number.part(part)));
    }
    Ok((!numbers.is_empty()).then_some(numbers))
}

/// The incidents that pass the filters.
async fn passing(
    app: &App,
    filters: &Params,
) -> Result<Option<BTreeSet<IncidentNumber>>, ApiError> {
    if filters.pairs().next().is_none() {
        return Ok(None);
    }
    let query = im_metrics::parse(Metric::IncidentFrequency.as_str(), filters.pairs())?;
    let passing = compute(app, move |known, now| {
        let query = known.meant(&query)?;
        let numbers = known.engine.passing(&query, now)?;
        Ok(numbers
            .into_iter()
            .filter_map(IncidentNumber::new)
            .collect())
    });
    Ok(Some(passing.await?))
}

fn both(
    one: Option<BTreeSet<IncidentNumber>>,
    other: Option<BTreeSet<IncidentNumber>>,
) -> Option<BTreeSet<IncidentNumber>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.intersection(&other).copied().collect()),
        (one, other) => one.or(other),
    }
}

/// The first instant, and the first after the last.
fn range(params: &Params, zone: &TimeZone) -> Result<(Timestamp, Timestamp), ApiError> {
    let (from, to) = (Edge::read(params, "from")?, Edge::read(params, "to")?);
    let start = from.and_then(|edge| edge.start(zone));
    let end = to.and_then(|edge| edge.end(zone));
    let range = (
        start.unwrap_or(Timestamp::MIN),
        end.unwrap_or(Timestamp::MAX),
    );
    if range.0 >= range.1 {
        let [from, to] = ["from", "to"].map(|name| params.one(name).unwrap_or_default());
        return Err(ApiError::bad_request(format!(
            "the range ends on {to}, before it starts on {from}"
        ))
        .hint(format!("give `from` a date up to {to}")));
    }
    Ok(range)
}

/// What is still to be sent.
struct Rest {
    db: Db,
    asked: Arc<Asked>,
    after: i64,
    last: i64,
    /// The head was sent.
    is_begun: bool,
    /// A fact was sent.
    has_sent: bool,
    is_over: bool,
}

/// The facts after one number up to another, a stretch at a time.
fn streamed(db: Db, asked: Asked, (after, last): (i64, i64)) -> Body {
    let rest = Rest {
        db,
        asked: Arc::new(asked),
        after,
        last,
        is_begun: false,
        has_sent: false,
        is_over: false,
    };
    Body::from_stream(stream::try_unfold(rest, async |mut rest| {
        if rest.is_over {
            return Ok::<_, StoreError>(None);
        }
        let mut text = String::new();
        if !rest.is_begun {
            rest.is_begun = true;
            text.push_str(&if rest.asked.csv {
                csv::line(COLUMNS)
            } else {
                "[".to_owned()
            });
        }
        // What is sent must not be empty.
        let mut sent = false;
        while rest.after < rest.last && !sent {
            sent = rest.read(&mut text).await?;
        }
        if rest.after >= rest.last {
            rest.is_over = true;
            if !rest.asked.csv {
                text.push_str("]\n");
            }
        }
        Ok(Some((Bytes::from(text), rest)))
    }))
}

impl Rest {
    /// Reads the next stretch; says whether there was anything in it.
    async fn read(&mut self, text: &mut String) -> Result<bool, StoreError> {
        let until = self.last.min(self.after + STRETCH);
        let (span, range) = ((self.after, until), self.asked.range);
        let shown = self
            .db
            .read(move |tx| facts::shown(tx, span, range))
            .await?;
        self.after = until;
        let mut sent = false;
        for one in shown {
            let only = self.asked.only.as_ref();
            if only.is_some_and(|only| !only.contains(&one.incident)) {
                continue;
            }
            let fact = Exported::new(one, self.asked.seen);
            if self.asked.csv {
                text.push_str(&fact.csv());
            } else {
                let head = if self.has_sent { ",\n" } else { "\n" };
                text.push_str(head);
                let fact = serde_json::to_string(&fact).unwrap_or_default();
                text.push_str(&plain::json(&fact));
            }
            self.has_sent = true;
            sent = true;
        }
        Ok(sent)
    }
}

impl Exported {
    pub(crate) fn new(shown: Shown, seen: Seen) -> Self {
        let mut fact = shown.fact;
        let (began_on, key) = fact.beginning();
        let (began_on, key) = (began_on.map(str::to_owned), key.map(str::to_owned));
        if began_on.is_some() || key.is_some() {
            fact.detail = key;
        }
        if seen.hides_emails {
            hide_email(&mut fact.actor);
        }
        let is_person = fact.actor.kind == ActorKind::User;
        if is_person && !seen.sees_people {
            // The id of what a read showed ends on whom it showed.
            if let Some(id) = fact.actor.id.take() {
                fact.source_id = fact.source_id.replace(&id, "-");
            }
            fact.actor.name = None;
        }
        let may_be_named =
            |person: &Person| seen.sees_people && !(seen.hides_emails && is_email(&person.id));
        let people = fact.people.into_iter().filter(may_be_named);
        Self {
            seq: shown.seq,
            incident: shown.incident.to_string(),
            at: fact.at,
            kind: fact.kind.as_str(),
            source: fact.source.as_str(),
            source_id: fact.source_id,
            actor_kind: fact.actor.kind.as_str(),
            actor_id: fact.actor.id,
            actor_name: fact.actor.name,
            people: people.map(|person| person.id).collect(),
            value: fact.value,
            detail: fact.detail,
            answers: fact.answers,
            service: shown.service.or(began_on),
            escalation_policy: shown.policy,
            urgency: shown.urgency,
            priority: shown.priority,
            recorded_at: shown.recorded_at,
        }
    }

    fn csv(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        csv::line([
            self.seq.to_string(),
            self.incident.clone(),
            self.at.to_string(),
            self.kind.to_owned(),
            self.source.to_owned(),
            self.source_id.clone(),
            self.actor_kind.to_owned(),
            text(&self.actor_id),
            text(&self.actor_name),
            self.people.join(" "),
            text(&self.value),
            text(&self.detail),
            text(&self.answers),
            text(&self.service),
            text(&self.escalation_policy),
            text(&self.urgency),
            text(&self.priority),
            self.recorded_at
                .map(|at| at.to_string())
                .unwrap_or_default(),
        ])
    }
}
