//! The objects of the API, and how they are made of what the store holds.

use std::collections::BTreeMap;

use im_core::{Actor, IncidentNumber, Line, Person, SeveritySource, StatusModel, Story};
use im_engine::connector::Connector;
use im_store::incidents::IncidentRow;
use im_store::outbox::OutboxRow;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::settings::hides_emails;
use crate::organisation::annotations::Annotations;
use crate::organisation::is_email;

/// Something of PagerDuty's: its id and its name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Named {
    /// PagerDuty's id.
    pub id: String,
    /// Its name; the id again where PagerDuty showed none.
    pub name: String,
}

impl From<&im_core::Named> for Named {
    fn from(named: &im_core::Named) -> Self {
        Self {
            id: named.id.clone(),
            name: named.name.clone().unwrap_or_else(|| named.id.clone()),
        }
    }
}

impl From<&Person> for Named {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.clone(),
            name: person.label().to_owned(),
        }
    }
}

/// Who did something.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Doer {
    /// `user`, `service`, `integration`, `api` or `none`.
    pub kind: &'static str,
    /// A PagerDuty id or an e-mail address.
    pub id: Option<String>,
    /// The name at the time.
    pub name: Option<String>,
}

impl From<&Actor> for Doer {
    fn from(actor: &Actor) -> Self {
        Self {
            kind: actor.kind.as_str(),
            id: actor.id.clone(),
            name: actor.name.clone(),
        }
    }
}

/// An incident.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Incident {
    /// `INC-42`.
    #[schema(example = "INC-42")]
    pub id: String,
    /// 42.
    pub number: i64,
    /// What people call it.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// `SEV-1` to `SEV-4`.
    pub severity: Option<&'static str>,
    /// `explicit`, `priority` or `inferred`.
    pub severity_source: Option<&'static str>,
    /// `open`, `acknowledged`, `mitigated`, `resolved`, `closed`, `canceled` or `duplicate`.
    pub status: &'static str,
    /// What it affects.
    pub service: Option<String>,
    /// Fields of people's own: each name, and what it says.
    pub fields: BTreeMap<String, String>,
    /// Who has it.
    pub assignees: Vec<Named>,
    /// `here` or `pagerduty`.
    pub origin: &'static str,
    /// Who began it.
    pub declared_by: Doer,
    /// When it began.
    pub created_at: Timestamp,
    /// Whether it is on a service that is not chosen to be synced: it is in no list and in no figure. Left
    /// out where it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Since when nobody is left to page and nobody has taken it: its escalation policy is at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unowned_since: Option<Timestamp>,
    /// Whether it is a major incident: it has one of PagerDuty's two highest priorities, or several people
    /// came to help.
    pub major: bool,
    /// Who was asked to help. Left out where nobody was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub helpers: Vec<Helper>,
    /// When the last of those who came to help said yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobilised_at: Option<Timestamp>,
    /// When somebody took it; null once it is open again.
    pub acknowledged_at: Option<Timestamp>,
    /// Who took it, by name.
    pub acknowledged_by: Option<String>,
    /// When the harm was contained, as long as that holds.
    pub mitigated_at: Option<Timestamp>,
    /// Who contained it, by name.
    pub mitigated_by: Option<String>,
    /// When it was last over.
    pub resolved_at: Option<Timestamp>,
    /// Who ended it, by name.
    pub resolved_by: Option<String>,
    /// When anything last happened.
    pub updated_at: Timestamp,
    /// The incident that it is the same as.
    pub duplicate_of: Option<String>,
    /// What it was merged into, one incident into the next, where one incident is shown; the last is where everything
    /// went.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["INC-43", "INC-40"]))]
    pub merged_into: Vec<String>,
    /// The incident as PagerDuty has it; null where each of its services has one of its own.
    pub pagerduty: Option<Twin>,
    /// Of an incident of several services: each service with its PagerDuty incident. Left out for
    /// any other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// What people say of it besides, where one incident is shown: impact, cause, environment,
    /// deployment. Left out where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// Somebody who was asked to help with an incident.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Helper {
    /// PagerDuty's id.
    pub id: String,
    /// Their name; the id again where PagerDuty showed none.
    pub name: String,
    /// `pending`, `joined` or `declined`.
    pub answer: String,
    /// Since when.
    pub at: Timestamp,
}

impl From<im_core::Helper> for Helper {
    fn from(helper: im_core::Helper) -> Self {
        let Named { id, name } = Named::from(&helper.person);
        Self {
            id,
            name,
            answer: helper.answer,
            at: helper.at,
        }
    }
}

/// A service of an incident of several, and what PagerDuty has for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Part {
    /// `INC-42.1`: what the outbox calls it.
    #[schema(example = "INC-42.1")]
    pub id: String,
    /// The service; several names that share a service of PagerDuty's.
    pub service: String,
    /// As the incident's own.
    pub status: &'static str,
    /// Its incident at PagerDuty.
    pub pagerduty: Option<Twin>,
}

/// An incident as PagerDuty has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Twin {
    /// By which connector; null once that was removed, when nothing travels any more.
    pub connector: Option<String>,
    /// That connector's direction; null when the connector was removed.
    pub direction: Option<&'static str>,
    /// PagerDuty's id, once it has the incident.
    pub id: Option<String>,
    /// The number people see there.
    pub number: Option<i64>,
    /// Where people find it.
    pub url: Option<String>,
    /// `triggered`, `acknowledged` or `resolved`.
    pub status: Option<&'static str>,
    /// `high` or `low`.
    pub urgency: Option<&'static str>,
    /// Its priority.
    pub priority: Option<Named>,
    /// Its service.
    pub service: Option<Named>,
    /// Its escalation policy.
    pub escalation_policy: Option<Named>,
    /// Its teams.
    pub teams: Vec<Named>,
    /// Whether PagerDuty has taken everything.
    pub in_sync: bool,
    /// What it has not taken yet.
    pub pending: Vec<Pending>,
    /// Conflicts that wait for a person's word, by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<i64>,
}

/// What is not the same on both sides yet.
#[derive(Debug, Default)]
pub struct Unsettled {
    /// What PagerDuty has not taken.
    pub changes: Vec<OutboxRow>,
    /// Conflicts that wait for a person, by number.
    pub conflicts: Vec<i64>,
}

impl Unsettled {
    /// That of one incident.
    pub fn load(
        tx: &mut im_store::Tx<'_>,
        number: IncidentNumber,
    ) -> Result<Self, im_store::StoreError> {
        let conflicts = im_store::conflicts::pending_of(tx, number)?;
        Ok(Self {
            changes: im_store::outbox::of_incident(tx, number)?,
            conflicts: conflicts
                .into_iter()
                .filter(|row| row.conflict.verdict.is_none())
                .map(|row| row.id)
                .collect(),
        })
    }
}

/// A change that PagerDuty has not taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Pending {
    /// Its id in the outbox.
    pub id: i64,
    /// Whose change it is; left out inside an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// `create`, `acknowledge`, `resolve`, `note` …
    pub what: &'static str,
    /// `waiting` or `parked`.
    pub state: &'static str,
    /// Since when it is owed.
    pub since: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// Why it is still here.
    pub reason: Option<String>,
}

impl Pending {
    /// A change as a part of its incident.
    pub fn of(row: &OutboxRow) -> Self {
        Self {
            id: row.id,
            incident: None,
            what: row.effect.name(),
            state: if row.parked { "parked" } else { "waiting" },
            since: row.since,
            attempts: row.attempt,
            next_at: (!row.parked).then_some(row.due_at),
            reason: row.reason.clone(),
        }
    }

    /// A change in a list of its own.
    pub fn listed(row: &OutboxRow) -> Self {
        Self {
            incident: Some(row.incident.to_string()),
            ..Self::of(row)
        }
    }
}

impl Incident {
    /// An incident out of its story, its row, the connector that it still has, what is owed, and
    /// PagerDuty's highest priorities there.
    /// Its parts are not among these.
    pub fn of(
        story: &Story,
        row: &IncidentRow,
        connector: Option<&Connector>,
        model: StatusModel,
        owed: &Unsettled,
        highest: &[String],
    ) -> Self {
        Self {
            id: row.number.to_string(),
            number: row.number.get(),
            title: story.title.clone(),
            description: story.description.clone(),
            severity: story.severity.map(|(severity, _)| severity.as_str()),
            severity_source: story.severity.map(|(_, source)| match source {
                SeveritySource::Explicit => "explicit",
                SeveritySource::Priority => "priority",
                SeveritySource::Inferred => "inferred",
            }),
            status: model.shown(story.status).as_str(),
            service: story.service.clone(),
            fields: fields(&story.fields),
            assignees: story.assignees.iter().map(Named::from).collect(),
            origin: if story.born_here { "here" } else { "pagerduty" },
            declared_by: Doer::from(&story.declared_by),
            created_at: story.created_at,
            hidden: row.hidden,
            unowned_since: story.unowned_since(),
            major: story.is_major(highest),
            helpers: story.helpers().into_iter().map(Helper::from).collect(),
            mobilised_at: story.mobilised_at(),
            acknowledged_at: story.acknowledgement.as_ref().map(|done| done.at),
            acknowledged_by: by(story.acknowledgement.as_ref()),
            mitigated_at: story.mitigation.as_ref().map(|done| done.at),
            mitigated_by: by(story.mitigation.as_ref()),
            resolved_at: story.resolved_at,
            resolved_by: story.resolved_by.clone(),
            updated_at: story.updated_at,
            duplicate_of: story.duplicate_of.map(|of| of.to_string()),
            merged_into: Vec::new(),
            pagerduty: twin(story, connector, owed),
            parts: Vec::new(),
            annotations: None,
        }
    }
}

fn twin(story: &Story, connector: Option<&Connector>, owed: &Unsettled) -> Option<Twin> {
    let peer = story.peer.as_ref();
    if peer.is_none() && connector.is_none() {
        return None;
    }
    Some(Twin {
        connector: connector.map(|connector| connector.name().to_owned()),
        direction: connector.map(|connector| connector.mapping.direction.as_str()),
        id: peer.map(|peer| peer.id.clone()),
        number: peer.and_then(|peer| peer.number),
        url: peer.and_then(|peer| peer.html_url.clone()),
        status: peer.map(|peer| peer.status.as_str()),
        urgency: peer
            .and_then(|peer| peer.urgency)
            .map(im_core::Urgency::as_str),
        priority: peer
            .and_then(|peer| peer.priority.as_ref())
            .map(Named::from),
        service: peer.and_then(|peer| peer.service.as_ref()).map(Named::from),
        escalation_policy: peer.and_then(|peer| peer.policy.as_ref()).map(Named::from),
        teams: peer.map_or_else(Vec::new, |peer| {
            peer.teams.iter().map(Named::from).collect()
        }),
        // What a paused connector owes is in no outbox.
        in_sync: connector.is_some()
            && peer.is_some()
            && owed.changes.is_empty()
            && story.pending.is_empty(),
        pending: owed.changes.iter().map(Pending::of).collect(),
        conflicts: owed.conflicts.clone(),
    })
}

fn fields(fields: &[im_core::CustomField]) -> BTreeMap<String, String> {
    let pairs = fields.iter();
    pairs
        .map(|field| (field.name.clone(), field.value.clone()))
        .collect()
}

fn by(done: Option<&im_core::Done>) -> Option<String> {
    done.and_then(|done| done.by.clone())
}

/// A line of a timeline.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimelineLine {
    /// When it happened.
    pub at: Timestamp,
    /// What happened, as a word.
    pub kind: &'static str,
    /// What happened, as a sentence.
    pub text: String,
    /// Who did it.
    pub actor: Doer,
    /// Which sides know: `im`, `pagerduty`.
    pub sources: Vec<&'static str>,
    /// What somebody wrote.
    pub note: Option<String>,
    /// Of an incident of several services: which one it is about, unless it is about all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

impl From<&Line> for TimelineLine {
    fn from(line: &Line) -> Self {
        let sides = [(line.seen.here, "im"), (line.seen.peer, "pagerduty")];
        Self {
            at: line.at,
            kind: line.kind.as_str(),
            text: line.text(),
            actor: Doer::from(&line.actor),
            sources: sides
                .into_iter()
                .filter_map(|(seen, side)| seen.then_some(side))
                .collect(),
            note: line.note().map(str::to_owned),
            service: line.service.clone(),
        }
    }
}

/// What was looked at, and how it was.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Check {
    /// `ok`, `failed` or `skipped`.
    pub state: &'static str,
    /// What was looked at.
    pub text: String,
    /// What is wrong.
    pub cause: Option<String>,
    /// What to do about it.
    pub next: Option<String>,
}

impl Check {
    /// It is as it should be.
    pub fn ok(text: impl Into<String>) -> Self {
        Self {
            state: "ok",
            text: text.into(),
            cause: None,
            next: None,
        }
    }

    /// It does not apply here.
    pub fn skipped(text: impl Into<String>) -> Self {
        Self {
            state: "skipped",
            ..Self::ok(text)
        }
    }

    /// It is wrong: why, and what to do.
    pub fn failed(
        text: impl Into<String>,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            state: "failed",
            text: text.into(),
            cause: Some(cause.into()),
            next: Some(next.into()),
        }
    }

    /// Adds what to do although nothing is wrong.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

/// Several checks.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Checks {
    /// Whether none failed.
    pub ok: bool,
    /// The address that the checks are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// One line for each.
    pub lines: Vec<Check>,
}

impl Checks {
    /// The lines and what they add up to.
    pub fn of(lines: Vec<Check>) -> Self {
        Self {
            ok: lines.iter().all(|line| line.state != "failed"),
            url: None,
            lines,
        }
    }

    /// Says which address they are about.
    #[must_use]
    pub fn at(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }
}

/// Everything that an answer about one incident is made of.
pub struct Whole {
    /// Its row.
    pub row: IncidentRow,
    /// Its story.
    pub story: Story,
    /// Its connector, if that is still there.
    pub connector: Option<Connector>,
    /// What PagerDuty has not taken yet.
    pub owed: Unsettled,
    /// Which words people see.
    pub model: StatusModel,
    /// PagerDuty's ids of the two highest priorities of its connector.
    highest: Vec<String>,
    /// Its parts by the services that they are for, where it has several.
    pub parts: Vec<(String, Self)>,
}

impl Whole {
    /// Loads it all; `None` if there is no such incident.
    pub fn load(
        tx: &mut im_store::Tx<'_>,
        number: IncidentNumber,
    ) -> Result<Option<Self>, im_store::StoreError> {
        let Some(row) = im_store::incidents::find(tx, number)? else {
            return Ok(None);
        };
        let connector = match &row.connector {
            Some(name) => im_engine::connector::load(tx, name)?,
            None => None,
        };
        let Some(mut story) = im_engine::record::story(tx, number, connector.as_ref())? else {
            return Ok(None);
        };
        if hides_emails(tx)? {
            hide_emails(&mut story);
        }
        let mut parts = Vec::new();
        for (part, service) in im_engine::parts::of(number, &story) {
            parts.extend(Self::load(tx, part)?.map(|part| (service, part)));
        }
        Ok(Some(Self {
            parts,
            owed: Unsettled::load(tx, number)?,
            model: im_engine::commands::status_model(tx)?,
            highest: match &row.connector {
                Some(name) => im_engine::directory::highest_priorities(tx, name)?,
                None => Vec::new(),
            },
            row,
            story,
            connector,
        }))
    }

    /// The API's object.
    pub fn incident(&self) -> Incident {
        let connector = self.connector.as_ref();
        let parts = self.parts.iter().map(|(service, part)| Part {
            id: part.row.number.to_string(),
            service: service.clone(),
            status: self.model.shown(part.story.status).as_str(),
            pagerduty: twin(&part.story, part.connector.as_ref(), &part.owed),
        });
        let incident = Incident::of(
            &self.story,
            &self.row,
            connector,
            self.model,
            &self.owed,
            &self.highest,
        );
        let is_major = |part: &Self| part.story.is_major(&part.highest);
        Incident {
            major: incident.major || self.parts.iter().any(|(_, part)| is_major(part)),
            parts: parts.collect(),
            ..incident
        }
    }

    /// A connector by which it, or a part of it, leaves.
    pub fn any_connector(self) -> Option<Connector> {
        let mut parts = self.parts.into_iter();
        self.connector
            .or_else(|| parts.find_map(|(_, part)| part.connector))
    }
}

/// Leaves e-mail addresses out of who did what; names stay.
pub(crate) fn hide_emails(story: &mut Story) {
    hide_email(&mut story.declared_by);
    for line in &mut story.lines {
        hide_email(&mut line.actor);
    }
    let done = [&mut story.acknowledgement, &mut story.mitigation];
    let done = done.into_iter().flatten().map(|done| &mut done.by);
    for name in done.chain([&mut story.resolved_by]) {
        name.take_if(|name| is_email(name));
    }
}

/// Leaves the e-mail address of somebody out.
pub(super) fn hide_email(actor: &mut Actor) {
    for text in [&mut actor.id, &mut actor.name] {
        text.take_if(|text| is_email(text));
    }
}
