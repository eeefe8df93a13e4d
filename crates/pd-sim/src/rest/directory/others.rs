//! Teams, schedules, integrations, notifications and vendors.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{named, wanted};
use crate::http::{Request, Response, invalid, not_found};
use crate::refs::seconds;
use crate::rest::Answer;
use crate::rest::paging::{Page, instant};
use crate::state::{Means, Page as Sent, Team, World};

/// The widest window of notifications: three months.
const NOTIFICATIONS_MAX: SignedDuration = SignedDuration::from_hours(24 * 92);

pub(super) fn route(world: &World, request: &Request, path: &[&str]) -> Answer {
    let page = || Page::of(request);
    match path {
        ["teams"] => {
            let rows: Vec<_> = world
                .teams
                .iter()
                .filter(|team| named(request, &[&team.name]))
                .collect();
            Ok(page()?.answer("teams", &rows, |row| team(world, row)))
        }
        ["teams", id] => {
            let row = world.teams.get(id).ok_or_else(not_found)?;
            Ok(Response::json(200, &json!({"team": team(world, row)})))
        }
        ["teams", id, "members"] => members(world, request, id),
        ["services", service, "integrations", id] => {
            let row = world
                .integrations
                .get(id)
                .filter(|row| row.service == *service)
                .ok_or_else(not_found)?;
            Ok(Response::json(
                200,
                &json!({"integration": super::integration_value(world, row)}),
            ))
        }
        ["vendors"] => {
            let rows: Vec<_> = VENDORS
                .iter()
                .filter(|name| named(request, &[name]))
                .collect();
            Ok(page()?.answer("vendors", &rows, |name| vendor(world, name)))
        }
        ["vendors", id] => {
            let found = VENDORS.iter().find(|name| vendor_id(name) == *id);
            let found = vendor(world, found.ok_or_else(not_found)?);
            Ok(Response::json(200, &json!({"vendor": found})))
        }
        ["notifications"] => notifications(world, request),
        _ => Err(not_found()),
    }
}

/// A few of the vendors that integrations name; their ids are made of their names.
const VENDORS: [&str; 6] = [
    "Amazon CloudWatch",
    "Datadog",
    "Grafana",
    "New Relic",
    "Prometheus",
    "Sentry",
];

fn vendor_id(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphabetic);
    let letters: String = letters.take(6).collect();
    format!("P{}", letters.to_uppercase())
}

fn vendor(world: &World, name: &str) -> Value {
    let id = vendor_id(name);
    json!({
        "id": id,
        "type": "vendor",
        "summary": name,
        "self": format!("{}/vendors/{id}", world.options.base_url),
        "html_url": null,
        "name": name,
        "website_url": null,
        "logo_url": null,
        "thumbnail_url": null,
        "description": format!("Alerts of {name}"),
        "integration_guide_url": null,
    })
}

pub(crate) fn team(world: &World, team: &Team) -> Value {
    let own = json!({
        "id": team.id,
        "type": "team",
        "summary": team.name,
        "self": format!("{}/teams/{}", world.options.base_url, team.id),
        "html_url": format!("{}/teams/{}", world.options.web_url, team.id),
        "name": team.name,
        "description": team.description,
        "default_role": "manager",
        "parent": null,
    });
    super::render::with_given(own, &team.given)
}

fn members(world: &World, request: &Request, id: &str) -> Answer {
    let team = world.teams.get(id).ok_or_else(not_found)?;
    let rows: Vec<_> = team.members.iter().collect();
    Ok(Page::of(request)?.answer("members", &rows, |(user, role)| {
        let user = if request.includes("users") {
            super::user_value(world, request, user)
        } else {
            world.user_ref(user).value()
        };
        json!({"user": user, "role": role})
    }))
}

fn notifications(world: &World, request: &Request) -> Answer {
    let (Some(since), Some(until)) = (instant(request, "since")?, instant(request, "until")?)
    else {
        return Err(invalid("Since and until are required."));
    };
    if until < since || until.duration_since(since) >= NOTIFICATIONS_MAX {
        return Err(Response::error(400, 2005, "Invalid Query Date Range", &[]));
    }
    let from = world.pages.partition_point(|page| page.at < since);
    let to = world.pages.partition_point(|page| page.at <= until);
    let numbered = world.pages.iter().enumerate().take(to).skip(from);
    let rows: Vec<(usize, &Sent)> = numbered
        .filter(|(_, sent)| wanted(request, "filter", Some(means(sent).notification_type())))
        .collect();
    Ok(
        Page::of(request)?.answer("notifications", &rows, |(number, sent)| {
            json!({
                "id": format!("PN{number:05}"),
                "type": means(sent).notification_type(),
                "started_at": seconds(sent.at),
                "address": world.address(&sent.user, means(sent)),
                "user": world.user_ref(&sent.user),
            })
        }),
    )
}

fn means(sent: &Sent) -> Means {
    let all = [Means::Push, Means::Email, Means::Sms, Means::Phone];
    all.into_iter()
        .find(|means| means.name() == sent.channel)
        .unwrap_or(Means::Push)
}
