//! The data document (`docs/data.md`): what PagerDuty does not hold, as one JSON text.
//!
//! It is read section by section and thing by thing, so that each error has the line where it is; all
//! of them are told at once. Nothing here stores anything.

use std::collections::BTreeMap;

use im_core::{CustomField, ParseSeverityError};
use im_engine::set_here::SetHere;
use im_store::annotations::{AnnotationRow, Field};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::annotations::{Annotations, Changes};
use super::things::{FailureRule, Hours, Person, Target, Team, Thing as _, User};
use super::values::{Text, Zone};

/// The version of the format.
pub const VERSION: u32 = 1;
/// Errors told at once; who has more has one mistake in all of them.
pub const ERRORS_MAX: usize = 20;

/// What is said of one incident, found by PagerDuty's id or, where it has none, by our number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Noted {
    /// PagerDuty's id of the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub pagerduty: Option<Text>,
    /// Our number of it, where PagerDuty does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "INC-42")]
    pub incident: Option<Text>,
    /// The environment that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub environment: Option<Text>,
    /// The id of a deployment, or a version of its service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub deployment: Option<Text>,
    /// The id of the deployment that caused it, or `none`; needs a `reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub caused_by: Option<Text>,
    /// Whether no change caused it; needs a `reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_change_related: Option<bool>,
    /// The category of its cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub cause: Option<Text>,
    /// When it began to harm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact_start: Option<Timestamp>,
    /// When the harm was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact_end: Option<Timestamp>,
    /// The severity that somebody set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "SEV-1")]
    pub severity: Option<Text>,
    /// Fields of the incident's own that PagerDuty has no custom field for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub fields: BTreeMap<String, Text>,
    /// Why, of each field that `reasons` does not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<Text>,
    /// Why, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"cause": "seen in the graphs"}))]
    pub reasons: BTreeMap<String, Text>,
}

impl Noted {
    /// What is said of an incident, with the reason of each value that holds; `rows` is all that was said.
    pub fn of(said: &Annotations, rows: &[AnnotationRow]) -> Self {
        let text = |text: Option<&str>| text.and_then(|text| Text::try_from(text.to_owned()).ok());
        let mut reasons = reasons(said, rows);
        let mut fields = Field::ALL
            .into_iter()
            .filter(|of| said.value(*of).is_some());
        let first = reasons.values().next().cloned();
        let is_one = first.is_some() && fields.all(|of| reasons.get(of.as_str()) == first.as_ref());
        if is_one {
            reasons.clear();
        }
        Self {
            environment: text(said.environment.as_deref()),
            deployment: text(said.deployment.as_deref()),
            caused_by: text(said.caused_by.as_deref()),
            not_change_related: said.not_change_related,
            cause: text(said.cause.as_deref()),
            impact_start: said.impact_start,
            impact_end: said.impact_end,
            reason: first.filter(|_| is_one),
            reasons,
            ..Self::default()
        }
    }

    /// The same as a change: what is left out stays.
    pub fn changes(self) -> Result<Changes, String> {
        let mut reasons = BTreeMap::new();
        for (word, reason) in self.reasons {
            let field = Field::parse(&word)
                .ok_or_else(|| format!("there is no `{word}` that `reasons` could be of"))?;
            reasons.insert(field, reason);
        }
        Ok(Changes {
            environment: self.environment.map(Some),
            deployment: self.deployment.map(Some),
            caused_by: self.caused_by.map(Some),
            not_change_related: self.not_change_related.map(Some),
            cause: self.cause.map(Some),
            impact_start: self.impact_start.map(Some),
            impact_end: self.impact_end.map(Some),
            reason: self.reason,
            reasons,
        })
    }

    /// The same with what was set of the incident.
    #[must_use]
    pub fn with(mut self, set: SetHere) -> Self {
        let text = |text: String| Text::try_from(text).ok();
        let severity = set.severity.map(|severity| severity.to_string());
        self.severity = severity.and_then(text);
        let fields = set.fields.into_iter();
        let fields = fields.filter_map(|field| Some((field.name, text(field.value)?)));
        self.fields = fields.collect();
        self
    }

    /// What is to be set of the incident.
    pub fn set(&self) -> Result<SetHere, ParseSeverityError> {
        let severity = self.severity.as_ref();
        let field = |(name, value): (&String, &Text)| CustomField {
            name: name.clone(),
            value: value.to_string(),
        };
        Ok(SetHere {
            severity: severity.map(|text| text.as_str().parse()).transpose()?,
            fields: self.fields.iter().map(field).collect(),
        })
    }

    fn key(&self) -> String {
        let id = self.pagerduty.as_ref().or(self.incident.as_ref());
        id.map_or_else(String::new, Text::to_string)
    }
}

/// Why each value that holds was said.
fn reasons(said: &Annotations, rows: &[AnnotationRow]) -> BTreeMap<String, Text> {
    let mut reasons = BTreeMap::new();
    for row in rows {
        // What holds is what was said last of a field.
        let reason = row
            .reason
            .clone()
            .and_then(|text| Text::try_from(text).ok());
        match reason.filter(|_| said.value(row.field).is_some()) {
            Some(reason) => reasons.insert(row.field.as_str().to_owned(), reason),
            None => reasons.remove(row.field.as_str()),
        };
    }
    reasons
}

/// A thing and the line where it begins.
#[derive(Debug)]
pub struct At<T> {
    /// The line, from 1.
    pub line: usize,
    /// The thing.
    pub thing: T,
}

/// What is wrong, and in which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// A document that was read; `D` is a deployment as it is told.
#[derive(Debug)]
pub struct Document<D> {
    /// The organisation's zone.
    pub time_zone: Option<Zone>,
    /// People.
    pub people: Vec<At<Person>>,
    /// Who users are.
    pub users: Vec<At<User>>,
    /// Teams.
    pub teams: Vec<At<Team>>,
    /// Working hours.
    pub hours: Vec<At<Hours>>,
    /// Rules for failures.
    pub failure_rules: Vec<At<FailureRule>>,
    /// Targets.
    pub targets: Vec<At<Target>>,
    /// Deployments.
    pub deployments: Vec<At<D>>,
    /// What is said of incidents.
    pub incidents: Vec<At<Noted>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections<'a> {
    version: u32,
    #[serde(borrow)]
    time_zone: Option<&'a RawValue>,
    #[serde(borrow, default)]
    people: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    users: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    teams: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    hours: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    failure_rules: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    targets: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    deployments: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    incidents: Vec<&'a RawValue>,
}

/// Where things are in a text, and what is wrong with them.
struct Reader<'a> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    mistakes: Vec<Mistake>,
}

/// Reads a document; `name` tells the id by which a deployment may come once only.
pub fn read<D: DeserializeOwned>(
    text: &str,
    name: impl Fn(&D) -> Option<String>,
) -> Result<Document<D>, Vec<Mistake>> {
    if !text.trim_start().starts_with('{') {
        let reason = "a data document is a JSON object, such as {\"version\": 1}".to_owned();
        return Err(vec![Mistake { line: 1, reason }]);
    }
    let sections: Sections<'_> =
        serde_json::from_str(text).map_err(|error| vec![mistake(1, &error)])?;
    if sections.version != VERSION {
        let reason = format!(
            "version {} is not known: this is {VERSION}",
            sections.version
        );
        return Err(vec![Mistake { line: 1, reason }]);
    }
    let after = |(at, _): (usize, &str)| at + 1;
    let mut reader = Reader {
        text,
        lines: std::iter::once(0)
            .chain(text.match_indices('\n').map(after))
            .collect(),
        mistakes: Vec::new(),
    };
    let document = Document {
        time_zone: sections
            .time_zone
            .and_then(|raw| Some(reader.thing(raw)?.thing)),
        people: reader.all(&sections.people, |one: &Person| Some(one.key())),
        users: reader.all(&sections.users, |one: &User| Some(one.key())),
        teams: reader.all(&sections.teams, |one: &Team| Some(one.key())),
        hours: reader.all(&sections.hours, |one: &Hours| Some(one.key())),
        failure_rules: reader.all(&sections.failure_rules, |one: &FailureRule| Some(one.key())),
        targets: reader.all(&sections.targets, |one: &Target| Some(one.key())),
        deployments: reader.all(&sections.deployments, name),
        incidents: reader.all(&sections.incidents, |one: &Noted| Some(one.key())),
    };
    if reader.mistakes.is_empty() {
        Ok(document)
    } else {
        Err(reader.mistakes)
    }
}

impl Reader<'_> {
    fn line_of(&self, raw: &RawValue) -> usize {
        let offset = raw.get().as_ptr().addr() - self.text.as_ptr().addr();
        self.lines.partition_point(|start| *start <= offset)
    }

    fn thing<T: DeserializeOwned>(&mut self, raw: &RawValue) -> Option<At<T>> {
        let line = self.line_of(raw);
        match serde_json::from_str(raw.get()) {
            Ok(thing) => Some(At { line, thing }),
            Err(error) => {
                self.mistakes.push(mistake(line, &error));
                None
            }
        }
    }

    /// Reads things; one that comes twice is a mistake.
    fn all<T: DeserializeOwned>(
        &mut self,
        raw: &[&RawValue],
        name: impl Fn(&T) -> Option<String>,
    ) -> Vec<At<T>> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut all = Vec::new();
        for raw in raw {
            let Some(at) = self.thing::<T>(raw) else {
                continue;
            };
            let known = name(&at.thing).and_then(|name| {
                let first = seen.insert(name.clone(), at.line)?;
                Some(format!("`{name}` is there twice, first in line {first}"))
            });
            if let Some(reason) = known {
                let line = at.line;
                self.mistakes.push(Mistake { line, reason });
            }
            all.push(at);
        }
        all
    }
}

/// A mistake in a part of the text that begins in a line.
fn mistake(first: usize, error: &serde_json::Error) -> Mistake {
    let text = error.to_string();
    let reason = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(reason, _)| reason);
    Mistake {
        line: first + error.line().saturating_sub(1),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<(usize, String)> {
        let read = read::<serde_json::Value>(text, |_| None);
        let mistakes = read.err().unwrap_or_default().into_iter();
        mistakes.map(|wrong| (wrong.line, wrong.reason)).collect()
    }

    #[test]
    fn each_mistake_has_its_line() {
        let text = "{\"version\": 1,\n \"people\": [\n  {\"id\": \"ann@example.com\"},\n  {\"id\": \"bob\"},\n  \
                    {\"id\": \"ANN@example.com\",\n   \"name\": \"\"}],\n \"teams\": [{\"id\": \"ops\",\n  \
                    \"colour\": \"red\"}],\n \"time_zone\": \"Mars/Olympus\"}";
        let found = mistakes(text);
        let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [9, 4, 6, 8], "{found:?}");
        assert!(
            found
                .iter()
                .any(|(_, why)| why.contains("`bob` is not an e-mail address"))
        );
        assert!(
            found
                .iter()
                .any(|(_, why)| why.contains("unknown field `colour`"))
        );
    }

    #[test]
    fn what_comes_twice_is_a_mistake_and_so_is_what_is_no_document() {
        let twice = "{\"version\": 1, \"people\": [{\"id\": \"ann@example.com\"},\n {\"id\": \"Ann@example.com\"}]}";
        let want = "`ann@example.com` is there twice, first in line 1";
        assert_eq!(mistakes(twice), [(2, want.to_owned())]);
        let rows = [
            ("{}", 1, "missing field `version`"),
            ("{\"version\": 2}", 1, "version 2 is not known: this is 1"),
            (
                "{\"version\": 1,\n\"colours\": []}",
                2,
                "unknown field `colours`",
            ),
            ("{\"version\": 1,\n\n", 3, "EOF while parsing"),
        ];
        for (text, line, reason) in rows {
            let found = mistakes(text);
            assert_eq!(found[0].0, line, "{found:?}");
            assert!(found[0].1.starts_with(reason), "{found:?}");
        }
    }
}
