//! Answers: status, headers and body of a reply become an [`Outcome`].
//!
//! Any 2xx is a success, whatever the documentation says about its number. A success that cannot
//! be read is unclear, never an error that would send a write again.

use im_core::{Actor, Named, Snapshot};
use jiff::Timestamp;

use crate::call::{Call, SubscriptionFilter};
use crate::facts::event::custom_field;
use crate::facts::{CustomField, Heard, log_entry_heard};
use crate::field::FieldKind;
use crate::outcome::{Outcome, Reply, failed};
use crate::secret::Secret;
use crate::wire::others::{self, Root};
use crate::wire::tolerant::{Lax, Many, Seen};
use crate::wire::{Ref, actor, all_named, incident};

/// What a successful call brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The incident, after a create, a change or a read.
    Incident(Box<IncidentRead>),
    /// The note that was written.
    Note(Note),
    /// The custom fields of an incident, those without a value too.
    Fields(Vec<CustomField>),
    /// The custom fields that incidents of every type have.
    FieldKinds(Vec<FieldKind>),
    /// All notes of an incident, in no known order.
    Notes(Page<Note>),
    /// A page of incidents; all of them after a change of many.
    Incidents(Page<IncidentRead>),
    /// A page of log entries, in no known order.
    LogEntries(Page<Heard>),
    /// A page of services.
    Services(Page<Service>),
    /// A service.
    Service(Service),
    /// A page of users.
    Users(Page<User>),
    /// The owner of the key.
    User(User),
    /// A page of escalation policies.
    Policies(Page<Policy>),
    /// An escalation policy.
    Policy(Policy),
    /// A page of teams.
    Teams(Page<Team>),
    /// A page of schedules.
    Schedules(Page<Schedule>),
    /// A page of priorities, most severe first.
    Priorities(Page<Priority>),
    /// What the plan can do.
    Abilities(Vec<String>),
    /// A page of who is on call.
    Oncalls(Page<Oncall>),
    /// A page of webhook subscriptions.
    Subscriptions(Page<Subscription>),
    /// A webhook subscription.
    Subscription(Subscription),
    /// Done, with nothing to read.
    Nothing,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows that could be used.
    pub items: Vec<T>,
    /// Rows without an id or a time: counted so that they are not lost silently.
    pub unreadable: usize,
    /// Whether PagerDuty has more.
    pub more: bool,
    /// How many there are in all, where we asked.
    pub total: Option<u64>,
    /// The offset of the next page. `None` at the end, and also where `more` is claimed but no
    /// row came: asking again would go on for ever.
    pub next_offset: Option<u32>,
}

/// An incident as a read or an answer showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRead {
    /// What it looked like.
    pub snapshot: Snapshot,
    /// When its status changed last.
    pub last_status_change_at: Option<Timestamp>,
    /// Who changed it.
    pub last_status_change_by: Option<Actor>,
    /// Who has acknowledged. PagerDuty empties this on resolve.
    pub acknowledgements: Vec<Acknowledgement>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// The text given at creation, where shown.
    pub body: Option<String>,
    /// Its type's name.
    pub incident_type: Option<String>,
    /// The service that it was made on, where that was asked for.
    pub began_on: Option<Named>,
}

/// Somebody has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
}

/// A note of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// PagerDuty's id.
    pub id: String,
    /// When it was written.
    pub created_at: Option<Timestamp>,
    /// Who wrote it.
    pub user: Actor,
    /// The text.
    pub content: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// PagerDuty's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// `active`, `warning`, `critical`, `maintenance` or `disabled`.
    pub status: Option<String>,
    /// Where people find it.
    pub html_url: Option<String>,
    /// Its escalation policy.
    pub policy: Option<Named>,
    /// Its teams.
    pub teams: Vec<Named>,
    /// After so many seconds an acknowledgement is taken back.
    pub acknowledgement_timeout_s: Option<i64>,
    /// After so many seconds an incident is resolved.
    pub auto_resolve_timeout_s: Option<i64>,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// PagerDuty's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The team that it is a part of.
    pub parent: Option<Named>,
    /// Where people find it.
    pub html_url: Option<String>,
}

/// A schedule, of layers or of shifts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// PagerDuty's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its zone; one of shifts is listed without.
    pub time_zone: Option<String>,
    /// Where people find it.
    pub html_url: Option<String>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// PagerDuty's id.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The address; absent where only a reference was shown.
    pub email: Option<String>,
    /// The user's zone, an IANA name.
    pub time_zone: Option<String>,
    /// `owner`, `admin`, `user` …
    pub role: Option<String>,
    /// Where people find the user.
    pub html_url: Option<String>,
    /// The user's teams.
    pub teams: Vec<Named>,
}

/// An escalation policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// PagerDuty's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Where people find it.
    pub html_url: Option<String>,
    /// How often it starts again after its last level.
    pub loops: Option<i64>,
    /// Its levels, first one first.
    pub levels: Vec<Level>,
    /// The services that use it.
    pub services: Vec<Named>,
    /// Its teams.
    pub teams: Vec<Named>,
}

/// One level of an escalation policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Minutes until the next level.
    pub delay_minutes: Option<i64>,
    /// Users and schedules.
    pub targets: Vec<Named>,
    /// Whether its targets are told by turns, and not all together.
    pub round_robin: bool,
}

/// A priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priority {
    /// PagerDuty's id.
    pub id: String,
    /// Free text: `P1`, `SEV-1` …
    pub name: Option<String>,
    /// What it means.
    pub description: Option<String>,
}

/// One person on call for one level of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oncall {
    /// The escalation policy.
    pub policy: Option<Named>,
    /// The level, from 1.
    pub level: Option<i64>,
    /// The schedule; absent for a direct target.
    pub schedule: Option<Named>,
    /// Who.
    pub user: User,
    /// Since when; absent means always.
    pub start: Option<Timestamp>,
    /// Until when; absent means for ever.
    pub end: Option<Timestamp>,
}

/// A webhook subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// PagerDuty's id.
    pub id: String,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether PagerDuty switched it off for 24 hours after three lost webhooks.
    pub temporarily_disabled: bool,
    /// Where webhooks go.
    pub url: Option<String>,
    /// What PagerDuty's pages show.
    pub description: Option<String>,
    /// Which events.
    pub events: Vec<String>,
    /// What it listens to, unless the word is one that we do not know.
    pub filter: Option<SubscriptionFilter>,
    /// The signing secret: only in the answer to a create.
    pub secret: Option<Secret>,
}

/// When an incident was read.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    /// When the call was begun, on our clock.
    pub(crate) read_at: Timestamp,
    /// When it was answered, on PagerDuty's clock.
    pub(crate) answered_at: Option<Timestamp>,
}

/// Reads the reply to a call that was begun at `read_at`.
pub fn read(call: &Call, reply: &Reply, read_at: Timestamp) -> Outcome {
    if !(200..300).contains(&reply.status) {
        return failed(call, reply);
    }
    let root = || {
        let lax: Option<Lax<Root>> = serde_json::from_slice(&reply.body).ok();
        lax.and_then(|lax| lax.0)
    };
    let answer = match call {
        Call::EnableSubscription { .. }
        | Call::DeleteSubscription { .. }
        | Call::PingSubscription { .. } => Some(Answer::Nothing),
        _ => {
            let answered_at = reply.limits().date;
            let moment = Moment {
                read_at,
                answered_at,
            };
            root().and_then(|root| answer(call, &root, moment))
        }
    };
    answer.map_or_else(
        || {
            Outcome::Unclear(format!(
                "PagerDuty answered {} and we cannot read it",
                reply.status
            ))
        },
        Outcome::Done,
    )
}

fn answer(call: &Call, root: &Root, moment: Moment) -> Option<Answer> {
    let page = Paging::of(call, root);
    Some(match call {
        Call::CreateIncident { .. } | Call::UpdateIncident { .. } | Call::ReadIncident { .. } => {
            let incident = root.incident.as_ref()?;
            Answer::Incident(Box::new(incident_read(incident, moment)?))
        }
        Call::AddNote { .. } => Answer::Note(note(root.note.as_ref()?)?),
        Call::SetFields { .. } => {
            let rows = root.custom_fields.value()?;
            Answer::Fields(rows.iter().filter_map(custom_field).collect())
        }
        Call::ListFields => {
            let rows = root.fields.value()?;
            Answer::FieldKinds(rows.iter().filter_map(field_kind).collect())
        }
        Call::ReadNotes { .. } => Answer::Notes(page.of_rows(&root.notes, note)?),
        Call::FindByKey { .. }
        | Call::ListOpenIncidents { .. }
        | Call::ListIncidents { .. }
        | Call::ResolveIncidents { .. } => {
            let rows = page.of_rows(&root.incidents, |row| incident_read(row, moment));
            Answer::Incidents(rows?)
        }
        Call::ListLogEntries { .. } | Call::IncidentLogEntries { .. } => {
            Answer::LogEntries(page.of_rows(&root.log_entries, log_entry_heard)?)
        }
        Call::ListServices { .. } => Answer::Services(page.of_rows(&root.services, service)?),
        Call::ReadService { .. } => Answer::Service(service(root.service.as_ref()?)?),
        Call::ListUsers { .. } | Call::FindUser { .. } => {
            Answer::Users(page.of_rows(&root.users, user)?)
        }
        Call::ReadMe => Answer::User(user(root.user.as_ref()?)?),
        Call::ListPolicies { .. } => {
            Answer::Policies(page.of_rows(&root.escalation_policies, policy)?)
        }
        Call::ReadPolicy { .. } => Answer::Policy(policy(root.escalation_policy.as_ref()?)?),
        Call::ListTeams { .. } => Answer::Teams(page.of_rows(&root.teams, team)?),
        Call::ListSchedules { .. } | Call::ListShiftSchedules { .. } => {
            Answer::Schedules(page.of_rows(&root.schedules, schedule)?)
        }
        Call::ListPriorities { .. } => {
            Answer::Priorities(page.of_rows(&root.priorities, priority)?)
        }
        Call::ListAbilities => Answer::Abilities(root.abilities.value()?.items.clone()),
        Call::ListOncalls { .. } => Answer::Oncalls(page.of_rows(&root.oncalls, oncall)?),
        Call::ListSubscriptions { .. } => {
            Answer::Subscriptions(page.of_rows(&root.webhook_subscriptions, subscription)?)
        }
        Call::CreateSubscription { .. }
        | Call::ReadSubscription { .. }
        | Call::UpdateSubscription { .. } => {
            Answer::Subscription(subscription(root.webhook_subscription.as_ref()?)?)
        }
        Call::EnableSubscription { .. }
        | Call::DeleteSubscription { .. }
        | Call::PingSubscription { .. } => Answer::Nothing,
    })
}

/// Where in a list we are.
struct Paging {
    offset: u32,
    more: bool,
    total: Option<u64>,
}

impl Paging {
    fn of(call: &Call, root: &Root) -> Self {
        Self {
            offset: call.offset().unwrap_or_default(),
            more: root.more.unwrap_or_default(),
            total: root.total.and_then(|total| u64::try_from(total).ok()),
        }
    }

    /// The next offset goes by the rows received and by our own offset: PagerDuty sometimes
    /// sends fewer than asked, and echoes what we sent.
    fn of_rows<W, T>(
        &self,
        rows: &Seen<Many<W>>,
        read: impl Fn(&W) -> Option<T>,
    ) -> Option<Page<T>> {
        let rows = rows.value()?;
        let items: Vec<T> = rows.iter().filter_map(read).collect();
        let received = u32::try_from(rows.rows).unwrap_or(u32::MAX);
        let goes_on = self.more && received > 0;
        Some(Page {
            unreadable: rows.rows.saturating_sub(items.len()),
            items,
            more: self.more,
            total: self.total,
            next_offset: goes_on.then(|| self.offset.saturating_add(received)),
        })
    }
}

fn incident_read(incident: &incident::Incident, moment: Moment) -> Option<IncidentRead> {
    Some(IncidentRead {
        snapshot: incident.read_at(moment)?,
        last_status_change_at: *incident.last_status_change_at,
        last_status_change_by: incident.changed_by(),
        acknowledgements: incident
            .acknowledgements
            .iter()
            .filter_map(|row| {
                Some(Acknowledgement {
                    at: (*row.at)?,
                    by: actor(row.acknowledger.as_ref()),
                })
            })
            .collect(),
        resolved_at: *incident.resolved_at,
        body: incident.body.as_ref().and_then(|body| body.details.clone()),
        incident_type: incident.incident_type.as_ref().and_then(Ref::label),
        began_on: incident.began_on(),
    })
}

fn note(note: &others::Note) -> Option<Note> {
    Some(Note {
        id: note.id.clone()?,
        created_at: *note.created_at,
        user: actor(note.user.as_ref()),
        content: note.content.clone().unwrap_or_default(),
    })
}

/// What a custom field takes; nothing for one that is switched off.
fn field_kind(field: &others::FieldDefinition) -> Option<FieldKind> {
    let options = field.field_options.iter();
    let values = options.filter_map(|option| option.data.as_ref()?.value.clone());
    let kind = FieldKind {
        name: field.name.clone()?,
        data_type: field.data_type.clone().unwrap_or_default(),
        many: field
            .field_type
            .as_deref()
            .is_some_and(|word| word.starts_with("multi")),
        options: values.collect(),
    };
    Some(kind).filter(|_| field.enabled.unwrap_or(true))
}

fn service(service: &others::Service) -> Option<Service> {
    Some(Service {
        id: service.id.clone()?,
        name: service.name.clone().or_else(|| service.summary.clone()),
        status: service.status.clone(),
        html_url: service.html_url.clone(),
        policy: service.escalation_policy.as_ref().and_then(Ref::named),
        teams: all_named(&service.teams),
        acknowledgement_timeout_s: *service.acknowledgement_timeout,
        auto_resolve_timeout_s: *service.auto_resolve_timeout,
    })
}

fn team(team: &others::Team) -> Option<Team> {
    Some(Team {
        id: team.id.clone()?,
        name: team.name.clone().or_else(|| team.summary.clone()),
        parent: team.parent.as_ref().and_then(Ref::named),
        html_url: team.html_url.clone(),
    })
}

fn schedule(schedule: &others::Schedule) -> Option<Schedule> {
    Some(Schedule {
        id: schedule.id.clone()?,
        name: schedule.name.clone().or_else(|| schedule.summary.clone()),
        time_zone: schedule.time_zone.clone(),
        html_url: schedule.html_url.clone(),
    })
}

fn user(user: &others::User) -> Option<User> {
    Some(User {
        id: user.id.clone()?,
        name: user.name.clone().or_else(|| user.summary.clone()),
        email: user.email.clone(),
        time_zone: user.time_zone.clone(),
        role: user.role.clone(),
        html_url: user.html_url.clone(),
        teams: all_named(&user.teams),
    })
}

fn policy(policy: &others::Policy) -> Option<Policy> {
    let level = |rule: &others::Rule| Level {
        delay_minutes: *rule.escalation_delay_in_minutes,
        targets: all_named(&rule.targets),
        round_robin: rule
            .strategy
            .as_ref()
            .is_some_and(|word| word.0 == "round_robin"),
    };
    Some(Policy {
        id: policy.id.clone()?,
        name: policy.name.clone().or_else(|| policy.summary.clone()),
        html_url: policy.html_url.clone(),
        loops: *policy.num_loops,
        levels: policy.escalation_rules.iter().map(level).collect(),
        services: all_named(&policy.services),
        teams: all_named(&policy.teams),
    })
}

fn priority(priority: &others::Priority) -> Option<Priority> {
    Some(Priority {
        id: priority.id.clone()?,
        name: priority.name.clone().or_else(|| priority.summary.clone()),
        description: priority.description.clone(),
    })
}

fn oncall(oncall: &others::Oncall) -> Option<Oncall> {
    Some(Oncall {
        policy: oncall.escalation_policy.as_ref().and_then(Ref::named),
        level: *oncall.escalation_level,
        schedule: oncall.schedule.as_ref().and_then(Ref::named),
        user: user(oncall.user.as_ref()?)?,
        start: *oncall.start,
        end: *oncall.end,
    })
}

fn subscription(subscription: &others::Subscription) -> Option<Subscription> {
    let delivery = subscription.delivery_method.as_ref();
    Some(Subscription {
        id: subscription.id.clone()?,
        active: subscription.active.unwrap_or(true),
        temporarily_disabled: delivery
            .and_then(|delivery| *delivery.temporarily_disabled)
            .unwrap_or_default(),
        url: delivery.and_then(|delivery| delivery.url.clone()),
        description: subscription.description.clone(),
        events: subscription.events.items.clone(),
        filter: subscription.filter.as_ref().and_then(filter),
        secret: delivery
            .and_then(|delivery| delivery.secret.clone())
            .filter(|secret| !secret.is_empty())
            .map(Secret::new),
    })
}

fn filter(filter: &Ref) -> Option<SubscriptionFilter> {
    match filter.kind.as_deref()? {
        "account_reference" | "account" => Some(SubscriptionFilter::Account),
        "service_reference" | "service" => filter.id.clone().map(SubscriptionFilter::Service),
        "team_reference" | "team" => filter.id.clone().map(SubscriptionFilter::Team),
        _ => None,
    }
}
