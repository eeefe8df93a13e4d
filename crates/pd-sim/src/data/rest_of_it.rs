//! `account.json`: what PagerDuty's shapes have no place for. Its fields are ours.

use serde_json::{Value, json};

use super::load::Loading;
use super::read::{Fields, Read, Wrong};
use crate::state::{FieldDefinition, KeyKind, World};

impl Loading {
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
        let definitions = fields.each("custom_fields", |one| {
            let options = one.value("options")?.unwrap_or_default();
            let options = options.as_array().cloned().unwrap_or_default();
            Ok(FieldDefinition {
                id: one.need("id")?,
                name: one.need("name")?,
                display_name: one.need("display_name")?,
                data_type: one.need("data_type")?,
                field_type: one.need("field_type")?,
                options: options
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            })
        })?;
        for definition in definitions {
            self.world().fields.put(definition);
        }
        let next = fields.number("next_incident_number")?;
        if let Some(next) = next.and_then(|next| u64::try_from(next).ok()) {
            let world = self.world();
            world.next_number = world.next_number.max(next);
        }
        for phone in fields.each("mobile_users", |one| one.need("id"))? {
            self.sim.uses_phone(&phone);
        }
        for row in fields
            .value("webhook_subscriptions")?
            .as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.world()
                .webhooks
                .restore(row)
                .map_err(|reason| Wrong::new("webhook_subscriptions", reason))?;
        }
        Ok(())
    }
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
            json!({
                "id": field.id,
                "name": field.name,
                "display_name": field.display_name,
                "data_type": field.data_type,
                "field_type": field.field_type,
                "options": field.options,
            })
        })
        .collect();
    let mobile = world.users.iter().filter(|user| user.mobile);
    let mobile: Vec<Value> = mobile.map(|user| json!({"id": user.id})).collect();
    json!({
        "keys": keys,
        "custom_fields": fields,
        "mobile_users": mobile,
        "next_incident_number": world.next_number,
        "webhook_subscriptions": world.webhooks.kept(),
    })
}
