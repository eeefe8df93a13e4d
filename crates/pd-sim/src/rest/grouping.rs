//! Settings of alert grouping (docs/sim.md). They are checked, kept and shown; alerts are not grouped by them.

use serde_json::{Value, json};

use super::Answer;
use super::kept::Kind;
use crate::asked::Asked;
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::shelf::{Kept, Shelf};
use crate::state::{Given, World};

const SETTINGS: Kind = Kind {
    shelf: Shelf::Grouping,
    one: "alert_grouping_setting",
    many: "alert_grouping_settings",
    path: "alert_grouping_settings",
    name: "name",
};
const TYPES: [&str; 4] = [
    "content_based",
    "content_based_intelligent",
    "intelligent",
    "time",
];
const WINDOW_S: (i64, i64) = (300, 86_400);
const TIMEOUT_S: (i64, i64) = (60, 86_400);
const LIMIT_MAX: usize = 100;

pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => list(world, request),
        ("POST", []) => put(world, request, None),
        ("PUT", [id]) => put(world, request, Some(id)),
        ("GET", [id]) => shown(world, id, 200),
        ("DELETE", [id]) => SETTINGS.remove(world, id),
        _ => Err(not_found()),
    }
}

/// Pages by id, forwards with `after` and backwards with `before`.
fn list(world: &World, request: &Request) -> Answer {
    let limit = request.query("limit").map_or(Ok(25), str::parse::<usize>);
    let limit = limit
        .map_err(|_error| invalid("Limit must be a number."))?
        .clamp(1, LIMIT_MAX);
    let services: Vec<&str> = request.query_all("service_ids[]").collect();
    let all = world.shelves.of(Shelf::Grouping).iter();
    let mut rows: Vec<&Kept> = all
        .filter(|one| {
            services.is_empty() || services_of(one).iter().any(|id| services.contains(id))
        })
        .collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    let (after, before) = (request.query("after"), request.query("before"));
    let inside = |one: &&Kept| {
        after.is_none_or(|id| one.id.as_str() > id) && before.is_none_or(|id| one.id.as_str() < id)
    };
    let inside: Vec<&Kept> = rows.iter().copied().filter(inside).collect();
    let skipped = if before.is_some() {
        inside.len().saturating_sub(limit)
    } else {
        0
    };
    let page: Vec<&Kept> = inside.into_iter().skip(skipped).take(limit).collect();
    let (first, last) = (page.first(), page.last());
    let more = |at: Option<&&Kept>, end: Option<&&Kept>| {
        let at = at?;
        end.filter(|end| end.id != at.id).map(|_| at.id.clone())
    };
    let shown: Vec<Value> = page.iter().map(|one| value(world, one)).collect();
    Ok(Response::json(
        200,
        &json!({
            "alert_grouping_settings": shown,
            "after": more(last, rows.last()),
            "before": more(first, rows.first()),
            "limit": limit,
        }),
    ))
}

fn services_of(one: &Kept) -> Vec<&str> {
    let list = one.fields.get("services").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn put(world: &mut World, request: &Request, id: Option<&str>) -> Answer {
    let new = id.is_none();
    let mut fields = match id {
        Some(id) => SETTINGS.find(world, id)?.fields.clone(),
        None => Given::from_iter([
            ("description".to_owned(), Value::Null),
            ("config".to_owned(), json!({})),
            ("created_at".to_owned(), seconds(world.now).into()),
        ]),
    };
    let mut asked = Asked::of(request, "alert_grouping_setting")?;
    asked.filled("name", 255, new);
    if asked.word("type", &TYPES).is_none() && new && !asked.names("type") {
        asked.wrong("Type is required");
    }
    if new || asked.names("services") {
        let list = asked.raw("services").and_then(Value::as_array);
        let ids = list
            .into_iter()
            .flatten()
            .filter_map(|one| one.get("id")?.as_str());
        let ids: Vec<String> = ids.map(str::to_owned).collect();
        if ids.is_empty() || ids.iter().any(|id| world.services.get(id).is_none()) {
            asked.wrong("Services must name services of this account");
        }
        fields.insert("services".to_owned(), json!(ids));
    }
    let number = |name: &str| {
        asked
            .raw("config")
            .and_then(|config| config.get(name)?.as_i64())
    };
    let bounds = [("time_window", WINDOW_S), ("timeout", TIMEOUT_S)];
    for (name, (least, most)) in bounds {
        // 0 leaves it to PagerDuty.
        if number(name).is_some_and(|s| s != 0 && !(least..=most).contains(&s)) {
            return Err(invalid(&format!(
                "Config {name} must be from {least} to {most} seconds"
            )));
        }
    }
    asked.check()?;
    if let Some(kind) = asked.named("type") {
        fields.insert("kind".to_owned(), kind);
    }
    asked.keep(&["name", "description", "config"], &mut fields);
    fields.insert("updated_at".to_owned(), seconds(world.now).into());
    let made = id.map_or_else(|| world.ids.object('P'), str::to_owned);
    SETTINGS.put(world, &made, fields);
    shown(world, &made, if new { 201 } else { 200 })
}

/// Here `type` is how alerts are grouped.
fn value(world: &World, one: &Kept) -> Value {
    let mut value = SETTINGS.value(world, one);
    let services: Vec<Value> = services_of(one)
        .into_iter()
        .map(|id| world.service_ref(id).value())
        .collect();
    if let Some(fields) = value.as_object_mut() {
        let kind = fields.remove("kind").unwrap_or_default();
        fields.insert("type".to_owned(), kind);
        fields.insert("services".to_owned(), services.into());
    }
    value
}

fn shown(world: &World, id: &str, status: u16) -> Answer {
    let value = value(world, SETTINGS.find(world, id)?);
    Ok(Response::json(
        status,
        &json!({"alert_grouping_setting": value}),
    ))
}
