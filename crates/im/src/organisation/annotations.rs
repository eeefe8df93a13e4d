//! What people say of an incident beside its facts: the values that hold, and changes to them.

use std::collections::BTreeMap;

use im_core::{Actor, IncidentNumber};
use im_metrics::input::{History, ManualLink};
use im_store::annotations::{self, AnnotationRow, Field};
use im_store::{StoreError, Tx};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::values::{AHEAD_MAX, Text};
use crate::http::api::settings::time_zone;

/// What decides that no deployment is behind an incident.
pub const NO_DEPLOYMENT: &str = "none";

/// What is said of an incident; what is left out was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Annotations {
    /// The environment that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The id of a deployment, or a version of its service: what the incident itself names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The id of the deployment that caused it, or `none`: what a person decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// Whether a person decided that no change caused it, so that it is no failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_change_related: Option<bool>,
    /// The category of its cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// When it began to harm. Metrics keep PagerDuty's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact_start: Option<Timestamp>,
    /// When the harm was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact_end: Option<Timestamp>,
}

/// What to say of an incident: what is left out stays, null takes back what was said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Changes {
    /// The environment that it is in.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "production")]
    pub environment: Option<Option<Text>>,
    /// The id of a deployment, or a version of its service.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub deployment: Option<Option<Text>>,
    /// The id of the deployment that caused it, or `none`; needs a `reason`.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "build-7")]
    pub caused_by: Option<Option<Text>>,
    /// Whether no change caused it; needs a `reason`.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub not_change_related: Option<Option<bool>>,
    /// The category of its cause.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "expired certificate")]
    pub cause: Option<Option<Text>>,
    /// When it began to harm.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub impact_start: Option<Option<Timestamp>>,
    /// When the harm was over.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub impact_end: Option<Option<Timestamp>>,
    /// Why.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Text>,
    /// Why each field, where that differs: a data document tells what was said at several times.
    #[serde(skip)]
    #[schema(ignore)]
    pub reasons: BTreeMap<Field, Text>,
}

/// A field that is there was given, even if it is null.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(reader).map(Some)
}

/// Why a change makes no sense: the field, what is wrong, and what to do.
pub type Wrong = (&'static str, String, &'static str);

impl Annotations {
    /// The values that hold after everything that was said, oldest first.
    pub fn of(rows: &[AnnotationRow]) -> Self {
        let mut said = Self::default();
        for row in rows {
            let value = row.value.clone();
            let instant = || row.value.as_deref().and_then(|text| text.parse().ok());
            match row.field {
                Field::Environment => said.environment = value,
                Field::Deployment => said.deployment = value,
                Field::CausedBy => said.caused_by = value,
                Field::NotChangeRelated => said.not_change_related = value.map(|_| true),
                Field::Cause => said.cause = value,
                Field::ImpactStart => said.impact_start = instant(),
                Field::ImpactEnd => said.impact_end = instant(),
            }
        }
        said
    }

    /// Reads those of an incident.
    pub fn load(tx: &mut Tx<'_>, incident: IncidentNumber) -> Result<Self, StoreError> {
        Ok(Self::of(&annotations::of_incident(tx, incident)?))
    }

    /// The value of a field as it is stored.
    pub fn value(&self, field: Field) -> Option<String> {
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string());
        match field {
            Field::Environment => self.environment.clone(),
            Field::Deployment => self.deployment.clone(),
            Field::CausedBy => self.caused_by.clone(),
            Field::NotChangeRelated => self.not_change_related.map(|yes| yes.to_string()),
            Field::Cause => self.cause.clone(),
            Field::ImpactStart => instant(self.impact_start),
            Field::ImpactEnd => instant(self.impact_end),
        }
    }

    /// The instant of a field of which one is said.
    fn instant(&self, field: Field) -> Option<Timestamp> {
        match field {
            Field::ImpactStart => self.impact_start,
            Field::ImpactEnd => self.impact_end,
            Field::Environment
            | Field::Deployment
            | Field::CausedBy
            | Field::NotChangeRelated
            | Field::Cause => None,
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The history with what is said of it.
    pub fn tell(&self, mut history: History) -> History {
        let said = [
            (&mut history.environment, &self.environment),
            (&mut history.deployment, &self.deployment),
            (&mut history.cause, &self.cause),
        ];
        // What the incident's own fields say counts where nobody says anything else.
        for (field, said) in said {
            if said.is_some() {
                field.clone_from(said);
            }
        }
        history.not_change_related = self.not_change_related == Some(true);
        history.link = self.caused_by.as_deref().map(|caused_by| match caused_by {
            NO_DEPLOYMENT => ManualLink::Nothing,
            id => ManualLink::Deployment(id.to_owned()),
        });
        history
    }
}

impl Changes {
    /// The fields that were given, and their new values.
    fn given(&self) -> Vec<(Field, Option<String>)> {
        let text = |given: &Option<Option<Text>>| {
            let given = given.as_ref();
            given.map(|value| value.as_ref().map(Text::to_string))
        };
        let instant = |given: Option<Option<Timestamp>>| {
            given.map(|at: Option<Timestamp>| at.map(|at| at.to_string()))
        };
        let unrelated = self.not_change_related;
        let all = [
            (Field::Environment, text(&self.environment)),
            (Field::Deployment, text(&self.deployment)),
            (Field::CausedBy, text(&self.caused_by)),
            (
                Field::NotChangeRelated,
                unrelated.map(|yes| yes.filter(|yes| *yes).map(|yes| yes.to_string())),
            ),
            (Field::Cause, text(&self.cause)),
            (Field::ImpactStart, instant(self.impact_start)),
            (Field::ImpactEnd, instant(self.impact_end)),
        ];
        let given = all.into_iter();
        given
            .filter_map(|(field, value)| Some((field, value?)))
            .collect()
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.given().is_empty()
    }

    /// Why a field is said.
    fn reason_of(&self, field: Field) -> Option<&Text> {
        self.reasons.get(&field).or(self.reason.as_ref())
    }

    /// What a person must say why, and did not.
    fn unexplained(&self) -> Option<Field> {
        let caused_by = self.caused_by.as_ref().is_some_and(Option::is_some);
        let unrelated = self.not_change_related == Some(Some(true));
        let overrides = [
            (Field::CausedBy, caused_by),
            (Field::NotChangeRelated, unrelated),
        ];
        let mut overrides = overrides.into_iter();
        let found =
            overrides.find(|(field, is_given)| *is_given && self.reason_of(*field).is_none());
        found.map(|(field, _)| field)
    }

    /// Says what is new of an incident; tells why that makes no sense, if so.
    pub fn apply(
        &self,
        tx: &mut Tx<'_>,
        incident: IncidentNumber,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Result<(), Wrong>, StoreError> {
        let before = annotations::of_incident(tx, incident)?;
        let known = Annotations::of(&before);
        if let Some(what) = self.unexplained() {
            return Ok(Err((
                "reason",
                format!("`{}` decides for a person: say why", what.as_str()),
                "give a `reason` (`--reason TEXT`)",
            )));
        }
        let rows: Vec<AnnotationRow> = self
            .given()
            .into_iter()
            .filter(|(field, value)| known.value(*field) != *value)
            .map(|(field, value)| AnnotationRow {
                incident,
                field,
                value,
                reason: self.reason_of(field).map(Text::to_string),
                at: now,
                actor: actor.clone(),
            })
            .collect();
        let after = Annotations::of(&[before, rows.clone()].concat());
        if let Err(wrong) = check(tx, &known, &after, now)? {
            return Ok(Err(wrong));
        }
        for row in &rows {
            annotations::append(tx, row)?;
        }
        Ok(Ok(()))
    }
}

/// An instant in the organisation's time, as its pages tell it.
fn told(tx: &mut Tx<'_>, at: Timestamp) -> Result<String, StoreError> {
    let local = at.to_zoned(time_zone(tx)?);
    Ok(local.strftime("%Y-%m-%d %H:%M:%S %Z").to_string())
}

/// Whether what is said now makes sense together.
fn check(
    tx: &mut Tx<'_>,
    before: &Annotations,
    after: &Annotations,
    now: Timestamp,
) -> Result<Result<(), Wrong>, StoreError> {
    for field in [Field::ImpactStart, Field::ImpactEnd] {
        let at = after.instant(field).filter(|at| *at > now + AHEAD_MAX);
        if at.is_some() && at != before.instant(field) {
            return Ok(Err((
                field.as_str(),
                format!(
                    "`{}` cannot be at a time to come: it is {now:.0} here",
                    field.as_str()
                ),
                "say it once it has happened",
            )));
        }
    }
    if let (Some(start), Some(end)) = (after.impact_start, after.impact_end)
        && end < start
    {
        return Ok(Err((
            "impact_end",
            format!(
                "the impact cannot end at {} before it starts at {}",
                told(tx, end)?,
                told(tx, start)?
            ),
            "give an `impact_end` from the start on",
        )));
    }
    let named = after.caused_by.as_ref();
    let named = named.filter(|id| *id != NO_DEPLOYMENT && before.caused_by.as_ref() != Some(*id));
    if let Some(id) = named
        && im_store::deployments::find(tx, id)?.is_none()
    {
        return Ok(Err((
            "caused_by",
            format!("there is no deployment `{id}`"),
            "`im deployment list` shows the deployments; `none` says that no deployment caused it",
        )));
    }
    Ok(Ok(()))
}
