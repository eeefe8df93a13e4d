//! What else may have to do with an incident: earlier ones, others of now, and changes (docs/sim.md).
//!
//! PagerDuty learns this; here words of titles, dependencies of services and nearness in time decide.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Answer, business, directory};
use crate::http::{Request, Response, invalid};
use crate::refs::seconds;
use crate::state::{ChangeEvent, World};

/// Six months.
const PAST: SignedDuration = SignedDuration::from_hours(24 * 183);
/// What happens within this belongs together.
const NEAR: SignedDuration = SignedDuration::from_hours(1);
const RELATED_MAX: usize = 20;
const PAST_DEFAULT: usize = 5;
const PAST_MAX: usize = 999;
const CHANGES_DEFAULT: usize = 25;
const CHANGES_MAX: usize = 100;

pub(super) fn past(world: &World, request: &Request, at: usize) -> Answer {
    let limit = limit(request, PAST_DEFAULT, PAST_MAX)?;
    let this = world.incident(at);
    let since = this
        .created_at
        .saturating_sub(PAST)
        .unwrap_or(Timestamp::MIN);
    let others = world.incidents.iter().enumerate();
    let mut rows: Vec<(f64, usize)> = others
        .filter(|(other, one)| {
            *other != at
                && one.service == this.service
                && (since..this.created_at).contains(&one.created_at)
        })
        .map(|(other, one)| (likeness(&this.title, &one.title), other))
        .filter(|(score, _)| *score > 0.0)
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
    let total = (request.query("total") == Some("true")).then_some(rows.len());
    let shown = rows.iter().take(limit);
    let shown: Vec<Value> = shown
        .map(|(score, other)| json!({"incident": brief(world, *other), "score": score}))
        .collect();
    Ok(Response::json(
        200,
        &json!({"past_incidents": shown, "total": total, "limit": limit}),
    ))
}

pub(super) fn related(world: &World, request: &Request, at: usize) -> Response {
    let this = world.incident(at);
    let neighbours = business::neighbours(world, &this.service);
    let whole = request
        .query_all("additional_details[]")
        .any(|detail| detail == "incident");
    let mut rows = Vec::new();
    for (other, one) in world.incidents.iter().enumerate().rev() {
        let apart = one.created_at.duration_since(this.created_at).abs();
        if other == at || apart > NEAR {
            continue;
        }
        let mut relationships = Vec::new();
        if likeness(&this.title, &one.title) > 0.0 {
            let feedback = json!({"positive_feedback_count": 0, "negative_feedback_count": 0});
            let metadata =
                json!({"grouping_classification": "similar_contents", "user_feedback": feedback});
            relationships.push(json!({"type": "machine_learning_inferred", "metadata": metadata}));
        }
        if neighbours.contains(&one.service) {
            let metadata = json!({"service": world.service_ref(&one.service)});
            relationships.push(json!({"type": "service_dependency", "metadata": metadata}));
        }
        if !relationships.is_empty() {
            let incident = if whole {
                json!(super::render::incident(
                    world,
                    &Request::new("GET", "/"),
                    other
                ))
            } else {
                brief(world, other)
            };
            rows.push(json!({"incident": incident, "relationships": relationships}));
        }
    }
    rows.truncate(RELATED_MAX);
    Response::json(200, &json!({"related_incidents": rows}))
}

/// Changes before the incident, the latest first.
pub(super) fn changes(world: &World, request: &Request, at: usize) -> Answer {
    let limit = limit(request, CHANGES_DEFAULT, CHANGES_MAX)?;
    let this = world.incident(at);
    let neighbours = business::neighbours(world, &this.service);
    let near = |one: &&ChangeEvent| {
        let before = this.created_at.duration_since(one.at);
        let since = SignedDuration::from_hours(24);
        before >= SignedDuration::ZERO
            && before <= since
            && (one.service == this.service || neighbours.contains(&one.service))
    };
    let mut newest = true;
    let rows = world.changes.iter().rev().filter(near).take(limit);
    let rows: Vec<Value> = rows
        .map(|one| {
            let reason = if std::mem::take(&mut newest) {
                "most_recent"
            } else {
                "related_service"
            };
            let mut value = directory::change_event(world, one);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("correlation_reason".to_owned(), json!({"reason": reason}));
            }
            value
        })
        .collect();
    Ok(Response::json(200, &json!({"change_events": rows})))
}

fn limit(request: &Request, usual: usize, most: usize) -> Answer<usize> {
    let limit = request
        .query("limit")
        .map_or(Ok(usual), str::parse::<usize>);
    let limit = limit.ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| invalid(&format!("Limit must be from 1 to {most}")))
}

fn brief(world: &World, at: usize) -> Value {
    let incident = world.incident(at);
    json!({
        "id": incident.id,
        "created_at": seconds(incident.created_at),
        "self": format!("{}/incidents/{}", world.options.base_url, incident.id),
        "title": incident.title,
    })
}

/// How many words of two titles are the same, in percent of all of them.
fn likeness(a: &str, b: &str) -> f64 {
    let words = |text: &str| -> std::collections::BTreeSet<String> {
        let text = text.to_lowercase();
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        words
            .filter(|word| word.len() > 2)
            .map(str::to_owned)
            .collect()
    };
    let (a, b) = (words(a), words(b));
    let count = |number: usize| u32::try_from(number).map_or(f64::INFINITY, f64::from);
    let all = count(a.union(&b).count()).max(1.0);
    (count(a.intersection(&b).count()) / all * 10_000.0).round() / 100.0
}
