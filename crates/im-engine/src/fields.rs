//! Custom fields: which of them PagerDuty has, and the call that sets an incident's.
//!
//! PagerDuty was asked when the table was set, or tested, and what it had is remembered. A field that
//! it did not have then is told in the text of new incidents ([`crate::described`]).

use im_core::{FieldChoice, Mapping, Story, fields_to_set};
use im_pagerduty::config::ConnectorConfig;
use im_pagerduty::{Call, FieldKind};
use im_store::{StoreError, Tx, settings};

use crate::connector::Connector;

/// The setting that holds which custom fields PagerDuty has.
fn known_to(name: &str) -> String {
    format!("custom_fields:{name}")
}

/// Remembers which custom fields PagerDuty has; `true` if they are others than before.
pub fn remember(tx: &mut Tx<'_>, name: &str, kinds: &[FieldKind]) -> Result<bool, StoreError> {
    let text = serde_json::to_string(kinds).unwrap_or_default();
    let is_other = settings::get(tx, &known_to(name))?.as_deref() != Some(&text);
    settings::put(tx, &known_to(name), &text)?;
    Ok(is_other)
}

/// Adds to `mapping` the fields that PagerDuty holds; returns what those take.
pub(crate) fn learn(
    tx: &mut Tx<'_>,
    name: &str,
    config: &ConnectorConfig,
    mapping: &mut Mapping,
) -> Result<Vec<FieldKind>, StoreError> {
    let wanted = &config.custom.custom_field_mappings;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let known = settings::get(tx, &known_to(name))?.unwrap_or_default();
    let kinds: Vec<FieldKind> = serde_json::from_str(&known).unwrap_or_default();
    let is_there = |theirs: &str| kinds.iter().any(|kind| kind.name == theirs);
    let held = wanted.iter().filter(|(_, theirs)| is_there(theirs));
    mapping.fields = held
        .map(|(ours, theirs)| FieldChoice {
            name: ours.clone(),
            theirs: theirs.clone(),
        })
        .collect();
    Ok(kinds)
}

/// The call that sets what differs and PagerDuty can take, or why it takes nothing of it.
pub(crate) fn call(connector: &Connector, story: &Story, id: String) -> Result<Call, String> {
    let mut values = Vec::new();
    let mut misfits = Vec::new();
    for (theirs, value) in fields_to_set(story, &connector.mapping) {
        let kind = connector.fields.iter().find(|kind| kind.name == theirs);
        let kind = kind.ok_or_else(|| format!("PagerDuty has no custom field `{theirs}`"));
        match kind.and_then(|kind| kind.input(value.as_deref())) {
            Ok(input) => values.push((theirs, input)),
            Err(why) => misfits.push(why),
        }
    }
    // One that does not fit is told when nothing else is left.
    if values.is_empty() && !misfits.is_empty() {
        return Err(misfits.join("; "));
    }
    Ok(Call::SetFields { id, values })
}

/// The lines of the fields that PagerDuty does not hold: `region: eu-west`.
pub(crate) fn told(story: &Story, mapping: &Mapping) -> String {
    let fields = story.fields.iter();
    let told = fields.filter(|field| mapping.field_there(&field.name).is_none());
    let lines: Vec<String> = told
        .map(|field| format!("{}: {}", field.name, field.value))
        .collect();
    lines.join("\n")
}
