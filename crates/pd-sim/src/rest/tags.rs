//! Tags of users, teams and escalation policies (docs/sim.md).

use serde_json::{Value, json};

use super::Answer;
use super::kept::{Kind, clear, link};
use super::paging::Page;
use crate::asked::Asked;
use crate::http::{Request, Response, invalid, not_found};
use crate::shelf::Shelf;
use crate::state::{Given, World};

const TAGS: Kind = Kind {
    shelf: Shelf::Tags,
    one: "tag",
    many: "tags",
    path: "tags",
    name: "label",
};
const LABEL_CHARS_MAX: usize = 191;
const ENTITIES: [&str; 3] = ["users", "teams", "escalation_policies"];

/// `/tags` and what is below.
pub(super) fn route(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => TAGS.list(world, request, |_| true),
        ("POST", []) => {
            let mut asked = Asked::of(request, "tag")?;
            let label = asked
                .filled("label", LABEL_CHARS_MAX, true)
                .unwrap_or_default();
            if of_label(world, &label).is_some() {
                asked.wrong("Label has already been taken");
            }
            asked.check()?;
            let id = make(world, &label);
            TAGS.shown(world, &id, 201)
        }
        ("GET", [id]) => TAGS.shown(world, id, 200),
        ("DELETE", [id]) => {
            let answer = TAGS.remove(world, id)?;
            clear(world, Shelf::TagLinks, |one| one.text("tag") == *id);
            Ok(answer)
        }
        ("GET", [id, entity]) if ENTITIES.contains(entity) => {
            TAGS.find(world, id)?;
            let links = world.shelves.of(Shelf::TagLinks).iter();
            let links = links.filter(|one| one.text("tag") == *id && one.text("kind") == *entity);
            let rows: Vec<&str> = links.map(|one| one.text("entity")).collect();
            Ok(
                Page::of(request)?.answer(entity, &rows, |id| match *entity {
                    "users" => world.user_ref(id).value(),
                    "teams" => world.team_ref(id).value(),
                    _ => world.policy_ref(id).value(),
                }),
            )
        }
        _ => Err(not_found()),
    }
}

/// `/{users|teams|escalation_policies}/{id}/tags` and `…/change_tags`.
pub(super) fn of_entity(
    world: &mut World,
    request: &Request,
    (kind, id): (&str, &str),
    action: &str,
) -> Answer {
    let there = match kind {
        "users" => world.users.get(id).is_some(),
        "teams" => world.teams.get(id).is_some(),
        _ => world.policies.get(id).is_some(),
    };
    match (request.method.as_str(), action) {
        _ if !there => Err(not_found()),
        ("GET", "tags") => {
            let links = world.shelves.of(Shelf::TagLinks);
            TAGS.list(world, request, |tag| {
                links
                    .get(&link(&[("tag", &tag.id), ("kind", kind), ("entity", id)]).id)
                    .is_some()
            })
        }
        ("POST", "change_tags") => change(world, request, kind, id),
        _ => Err(not_found()),
    }
}

fn change(world: &mut World, request: &Request, kind: &str, id: &str) -> Answer {
    let body = request.json().filter(Value::is_object);
    let body = body.ok_or_else(|| invalid("params must be a Hash"))?;
    let rows = |name: &str| {
        body.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let (add, remove) = (rows("add"), rows("remove"));
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    let bad = add
        .iter()
        .any(|row| match (text(row, "id"), text(row, "label")) {
            (Some(id), _) => TAGS.find(world, &id).is_err(),
            (None, label) => !label.is_some_and(|label| {
                !label.trim().is_empty() && label.chars().count() <= LABEL_CHARS_MAX
            }),
        });
    if bad {
        return Err(invalid(
            "Each tag to add needs a known id or a label of 1 to 191 characters",
        ));
    }
    for row in add {
        let label = text(&row, "label").unwrap_or_default();
        let tag = text(&row, "id").or_else(|| of_label(world, &label));
        let tag = tag.unwrap_or_else(|| make(world, &label));
        let row = link(&[("tag", &tag), ("kind", kind), ("entity", id)]);
        world.shelves.of_mut(Shelf::TagLinks).put(row);
    }
    for tag in remove.iter().filter_map(|row| text(row, "id")) {
        let row = link(&[("tag", &tag), ("kind", kind), ("entity", id)]);
        world.shelves.of_mut(Shelf::TagLinks).remove(&row.id);
    }
    Ok(Response::json(200, &json!({})))
}

fn of_label(world: &World, label: &str) -> Option<String> {
    let mut tags = world.shelves.of(Shelf::Tags).iter();
    let found = tags.find(|tag| tag.text("label") == label);
    found.map(|tag| tag.id.clone())
}

fn make(world: &mut World, label: &str) -> String {
    let id = world.ids.object('P');
    let mut fields = Given::new();
    fields.insert("label".to_owned(), label.into());
    TAGS.put(world, &id, fields);
    id
}
