//! `account.json`: what PagerDuty's shapes have no place for. Its fields are ours.

use serde_json::{Value, json};

use super::load::Loading;
use super::read::{Fields, Read, Wrong};
use crate::rest::types::BASE;
use crate::state::{FieldDefinition, FieldOption, KeyKind, World};

impl Loading {
    fn custom_fields(&mut self, fields: &Fields<'_>) -> Read<()> {
        let now = self.world().now;
        let definitions = fields.each("custom_fields", |one| {
            let id = one.need("id")?;
            let options = one.value("options")?.unwrap_or_default();
            let options = options.as_array().cloned().unwrap_or_default();
            // Older files have the values alone.
            let options = options.iter().enumerate().filter_map(|(number, option)| {
                let text = |name: &str| Some(option.get(name)?.as_str()?.to_owned());
                let value = option
                    .as_str()
                    .map(str::to_owned)
                    .or_else(|| text("value"))?;
                let id = text("id").unwrap_or_else(|| format!("{id}{number}"));
                Some(FieldOption { id, value })
            });
            let options = options.collect();
            let kind = one.text("incident_type")?;
            let created_at = one.instant("created_at")?.unwrap_or(now);
            Ok(FieldDefinition {
                name: one.need("name")?,
                display_name: one.need("display_name")?,
                data_type: one.need("data_type")?,
                field_type: one.need("field_type")?,
                options,
                incident_type: kind.unwrap_or_else(|| BASE.to_owned()),
                created_at,
                updated_at: one.instant("updated_at")?.unwrap_or(created_at),
                given: one.given(&OF_FIELDS),
                id,
            })
        })?;
        for definition in definitions {
            self.world().fields.put(definition);
        }
        Ok(())
    }

    pub(super) fn rest_of_it(&mut self, fields: &Fields<'_>) -> Read<()> {
        let keys = fields.each("keys", |one| {
            let kind = match one.need("kind")?.as_str() {
                "account" => KeyKind::Account,
                "read_only" => KeyKind::ReadOnly,
                "user" => KeyKind::User(one.need("user")?),
                other => return Err(Wrong::new("kind", format!("{other} is no kind of key"))),
            };
            Ok((one.need("key")?, kind))
        })?;
        for (key, kind) in keys {
            self.sim.accept_key(&key, kind);
        }
        self.custom_fields(fields)?;
        let next = fields.number("next_incident_number")?;
        if let Some(next) = next.and_then(|next| u64::try_from(next).ok()) {
            let world = self.world();
            world.next_number = world.next_number.max(next);
        }
        for phone in fields.each("mobile_users", |one| one.need("id"))? {
            self.sim.uses_phone(&phone);
        }
        let list = |name: &str| -> Read<Vec<Value>> {
            let list = fields.value(name)?.unwrap_or_default();
            Ok(list.as_array().cloned().unwrap_or_default())
        };
        for row in list("webhook_oauth_clients")? {
            let done = self.world().webhooks.restore_client(&row);
            done.map_err(|reason| Wrong::new("webhook_oauth_clients", reason))?;
        }
        for row in list("webhook_subscriptions")? {
            let done = self.world().webhooks.restore(&row);
            done.map_err(|reason| Wrong::new("webhook_subscriptions", reason))?;
        }
        for (id, name) in fields.each("deleted", |one| Ok((one.need("id")?, one.need("name")?)))? {
            self.world().forget(&id, name);
        }
        if let Some(kept) = fields.value("shelves")? {
            let done = self.world().shelves.restore(&kept);
            done.map_err(|reason| Wrong::new("shelves", reason))?;
        }
        if let Some(kept) = fields.value("oauth")? {
            let done = self.world().oauth.restore(&kept);
            done.map_err(|reason| Wrong::new("oauth", reason))?;
        }
        Ok(())
    }
}

/// What is read of a custom field; the rest is shown as it came.
const OF_FIELDS: [&str; 7] = [
    "display_name",
    "data_type",
    "field_type",
    "options",
    "incident_type",
    "created_at",
    "updated_at",
];

fn options(field: &FieldDefinition) -> Vec<Value> {
    let options = field.options.iter();
    let options = options.map(|one| json!({"id": one.id, "value": one.value}));
    options.collect()
}

/// The same on the way out.
pub(super) fn shown(world: &World) -> Value {
    let keys: Vec<Value> = world
        .keys
        .iter()
        .map(|(key, kind)| match kind {
            KeyKind::Account => json!({"key": key, "kind": "account"}),
            KeyKind::ReadOnly => json!({"key": key, "kind": "read_only"}),
            KeyKind::User(user) => json!({"key": key, "kind": "user", "user": user}),
        })
        .collect();
    let fields: Vec<Value> = world
        .fields
        .iter()
        .map(|field| {
            let own = json!({
                "id": field.id,
                "name": field.name,
                "display_name": field.display_name,
                "data_type": field.data_type,
                "field_type": field.field_type,
                "options": options(field),
                "incident_type": field.incident_type,
                "created_at": field.created_at.to_string(),
                "updated_at": field.updated_at.to_string(),
            });
            crate::rest::with_given(own, &field.given)
        })
        .collect();
    let mut gone: Vec<(&String, &String)> = world.gone.iter().collect();
    gone.sort();
    let gone = gone
        .into_iter()
        .map(|(id, name)| json!({"id": id, "name": name}));
    let gone: Vec<Value> = gone.collect();
    let mobile = world.users.iter().filter(|user| user.mobile);
    let mobile: Vec<Value> = mobile.map(|user| json!({"id": user.id})).collect();
    json!({
        "keys": keys,
        "custom_fields": fields,
        "mobile_users": mobile,
        "next_incident_number": world.next_number,
        "webhook_oauth_clients": world.webhooks.kept_clients(),
        "webhook_subscriptions": world.webhooks.kept(),
        "oauth": world.oauth.kept(),
        "shelves": world.shelves.kept(),
        "deleted": gone,
    })
}
