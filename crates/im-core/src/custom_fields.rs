//! Fields of people's own: what each says here, and at PagerDuty.
//!
//! PagerDuty reports each change of a custom field, so what a field says is what was done to it last.
//! Those that PagerDuty has no custom field for live here alone.

use std::collections::BTreeMap;

use crate::acts::Act;
use crate::{CustomField, Kind, Mapping, Source, Story};

/// What every field says here: the newest of what was said here and heard from PagerDuty.
pub(crate) fn fields_here(acts: &[Act<'_>], mapping: Option<&Mapping>) -> Vec<CustomField> {
    let counts = |act: &&Act<'_>| {
        act.fact.kind == Kind::FieldsChanged && act.fact.source != Source::Look && !act.silent
    };
    newest(acts.iter().filter(counts).filter_map(|act| {
        let name = act.fact.detail.as_deref()?;
        let is_ours = act.fact.source == Source::Command;
        let name = if is_ours {
            name
        } else {
            mapping?.field_here(name)?
        };
        Some((name, act.fact.value.as_deref()))
    }))
}

/// What PagerDuty's custom fields say, as far as we heard, in its own names.
pub(crate) fn fields_there(acts: &[Act<'_>], mapping: Option<&Mapping>) -> Vec<CustomField> {
    let done = acts
        .iter()
        .filter(|act| act.at_peer == Some(Kind::FieldsChanged));
    newest(done.filter_map(|act| {
        let name = act.fact.detail.as_deref()?;
        let is_ours = act.fact.source == Source::Command;
        let name = if is_ours {
            mapping?.field_there(name)?
        } else {
            name
        };
        Some((name, act.fact.value.as_deref()))
    }))
}

/// The last value of each name; without one it is not there.
fn newest<'a>(all: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Vec<CustomField> {
    let newest: BTreeMap<&str, Option<&str>> = all.collect();
    let field = |(name, value): (&str, Option<&str>)| {
        Some(CustomField {
            name: name.to_owned(),
            value: value?.to_owned(),
        })
    };
    newest.into_iter().filter_map(field).collect()
}

/// What `name` says among `fields`.
pub(crate) fn said<'a>(fields: &'a [CustomField], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|field| field.name == name)?;
    Some(&field.value)
}

/// The custom fields of PagerDuty's that were set here and say something else there, by PagerDuty's
/// names, with what they are to say. What nobody asks for any more stays as it is there.
pub fn fields_to_set(story: &Story, mapping: &Mapping) -> Vec<(String, Option<String>)> {
    let there = story.peer.as_ref().map(|peer| peer.fields.as_slice());
    let there = there.unwrap_or_default();
    let is_asked = |name: &str| {
        let mut asked = story.pending.iter().chain(&story.kept);
        asked.any(|one| one.kind == Kind::FieldsChanged && one.detail.as_deref() == Some(name))
    };
    let asked = mapping.fields.iter().filter(|row| is_asked(&row.name));
    let differs = asked.filter_map(|row| {
        let ours = said(&story.fields, &row.name);
        (ours != said(there, &row.theirs)).then(|| (row.theirs.clone(), ours.map(str::to_owned)))
    });
    differs.collect()
}
