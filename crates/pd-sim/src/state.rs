//! What one simulated account holds.
//!
//! Invariants
//! - Incidents and log entries are never removed; an index into either stays valid.
//! - The account log is sorted by time, so a window of it is found by binary search.
//! - `open`, `by_key` and `open_keys` agree with the incidents; only `lifecycle` changes a status.
//! - Instants are exact here; only rendering cuts them to seconds.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::ids::Ids;
use crate::oauth::OAuth;
use crate::options::Options;
use crate::shelf::Shelves;
use crate::table::{Row, Table};
use crate::timers::{Timer, Timers};
use crate::webhooks::Webhooks;

macro_rules! rows {
    ($($name:ident),*) => {$(impl Row for $name { fn id(&self) -> &str { &self.id } })*};
}

rows!(
    User,
    Team,
    Service,
    Policy,
    Priority,
    Schedule,
    Integration,
    MaintenanceWindow,
    FieldDefinition
);

/// How somebody is told, and how long after the assignment.
#[derive(Debug, Clone)]
pub(crate) struct NotificationRule {
    pub(crate) id: String,
    pub(crate) delay_min: i64,
    /// The id of a contact method of the same user.
    pub(crate) contact: String,
    pub(crate) urgency: &'static str,
    pub(crate) created_at: Timestamp,
    pub(crate) given: Given,
}

/// One way to reach somebody.
#[derive(Debug, Clone)]
pub(crate) struct ContactMethod {
    pub(crate) id: String,
    /// E.g. `email_contact_method`.
    pub(crate) kind: String,
    pub(crate) label: String,
    pub(crate) address: Option<String>,
    /// What else its kind has: a country code, switches and the like.
    pub(crate) given: Given,
}

impl ContactMethod {
    /// `None`: by this way nobody is told here.
    pub(crate) fn means(&self) -> Option<Means> {
        let all = [Means::Push, Means::Email, Means::Sms, Means::Phone];
        all.into_iter()
            .find(|means| means.contact_kind() == self.kind)
    }
}

/// A means of notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    Push,
    Email,
    Sms,
    Phone,
}

impl Means {
    pub(crate) const fn contact_kind(self) -> &'static str {
        match self {
            Self::Push => "push_notification_contact_method",
            Self::Email => "email_contact_method",
            Self::Sms => "sms_contact_method",
            Self::Phone => "phone_contact_method",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) time_zone: String,
    pub(crate) role: String,
    pub(crate) job_title: Option<String>,
    pub(crate) contacts: Vec<ContactMethod>,
    pub(crate) rules: Vec<NotificationRule>,
    /// Acts from the phone rather than from the web pages.
    pub(crate) mobile: bool,
    pub(crate) given: Given,
}

impl User {
    /// The first way of this means.
    pub(crate) fn contact(&self, means: Means) -> Option<&ContactMethod> {
        self.contacts.iter().find(|one| one.means() == Some(means))
    }

    /// By what means and after how many minutes this user is told of an incident.
    pub(crate) fn plan<'a>(&'a self, urgency: &'a str) -> impl Iterator<Item = (Means, i64)> + 'a {
        let rules = self
            .rules
            .iter()
            .filter(move |rule| rule.urgency == urgency);
        rules.filter_map(|rule| {
            let contact = self.contacts.iter().find(|one| one.id == rule.contact)?;
            Some((contact.means()?, rule.delay_min))
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// User id and role.
    pub(crate) members: Vec<(String, String)>,
    pub(crate) given: Given,
}

#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) policy: String,
    pub(crate) acknowledgement_timeout_s: Option<i64>,
    pub(crate) auto_resolve_timeout_s: Option<i64>,
    /// `high`, `low` or `severity_based`.
    pub(crate) urgency: String,
    pub(crate) disabled: bool,
    pub(crate) last_incident_at: Option<Timestamp>,
    pub(crate) open: BTreeSet<usize>,
    pub(crate) given: Given,
}

impl Service {
    /// A service with PagerDuty's usual time-outs.
    pub(crate) fn new(id: String, now: Timestamp) -> Self {
        Self {
            id,
            name: String::new(),
            description: None,
            created_at: now,
            updated_at: now,
            policy: String::new(),
            acknowledgement_timeout_s: Some(1_800),
            auto_resolve_timeout_s: Some(14_400),
            urgency: "high".to_owned(),
            disabled: false,
            last_incident_at: None,
            open: BTreeSet::new(),
            given: Given::new(),
        }
    }
}

/// Whom a level of a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    User(String),
    Schedule(String),
}

#[derive(Debug, Clone)]
pub(crate) struct EscalationRule {
    pub(crate) id: String,
    pub(crate) delay_min: i64,
    pub(crate) targets: Vec<Target>,
    /// How people of one level take turns, as it was given; null says nothing.
    pub(crate) strategy: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) num_loops: u32,
    pub(crate) rules: Vec<EscalationRule>,
    pub(crate) team: Option<String>,
    pub(crate) given: Given,
}

#[derive(Debug, Clone)]
pub(crate) struct Priority {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) given: Given,
}

/// What a file or a request said about an object beyond what is understood here: shown again.
pub(crate) type Given = Map<String, Value>;

/// People taking turns.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) time_zone: String,
    pub(crate) description: Option<String>,
    /// The lowest first; REST shows the highest first.
    pub(crate) layers: Vec<Layer>,
    /// In the order in which they were made.
    pub(crate) overrides: Vec<Override>,
    pub(crate) given: Given,
}

/// Turns of equal length.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
    pub(crate) virtual_start: Timestamp,
    pub(crate) turn_s: i64,
    pub(crate) users: Vec<String>,
    pub(crate) restrictions: Vec<Restriction>,
}

/// When a layer holds at all.
#[derive(Debug, Clone)]
pub(crate) struct Restriction {
    /// 1 is Monday; `None`: each day.
    pub(crate) weekday: Option<i8>,
    pub(crate) start: jiff::civil::Time,
    pub(crate) duration_s: i64,
}

/// Somebody stands in.
#[derive(Debug, Clone)]
pub(crate) struct Override {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Integration {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) service: String,
    pub(crate) key: String,
    pub(crate) created_at: Timestamp,
    pub(crate) given: Given,
}

#[derive(Debug, Clone)]
pub(crate) struct MaintenanceWindow {
    pub(crate) id: String,
    pub(crate) number: usize,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) description: String,
    pub(crate) created_by: String,
    pub(crate) services: Vec<String>,
}

/// A custom field of the incidents of one type and of those below it.
#[derive(Debug, Clone)]
pub(crate) struct FieldDefinition {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) data_type: String,
    pub(crate) field_type: String,
    /// What it may be; empty: anything.
    pub(crate) options: Vec<FieldOption>,
    /// The type of incidents that has it: its id.
    pub(crate) incident_type: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// `description`, `default_value`, `enabled`.
    pub(crate) given: Given,
}

/// One value that a field may have.
#[derive(Debug, Clone)]
pub(crate) struct FieldOption {
    pub(crate) id: String,
    pub(crate) value: String,
}

/// What a REST key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    /// May do everything in the name of the user in `From`.
    Account,
    /// May only read.
    ReadOnly,
    /// Acts as this user.
    User(String),
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Agent {
    User(String),
    Service(String),
    /// Nobody in webhooks, the service in log entries: a time-out.
    Automatic(String),
}

impl Agent {
    /// The id of the user or of the service.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Service(id) | Self::Automatic(id) => id,
        }
    }
}

/// Who did it, from where.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) agent: Agent,
    pub(crate) channel: &'static str,
    /// The webhook's `client`.
    pub(crate) client: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Triggered,
    Acknowledged,
    Resolved,
}

impl Status {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// The levels as they were when the incident met the policy; later edits do not count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path {
    pub(crate) levels: Vec<(i64, Vec<Target>)>,
    pub(crate) level: usize,
    pub(crate) loops_left: u32,
    pub(crate) exhausted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) content: String,
    pub(crate) at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
}

/// What became of a request for help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponderState {
    Pending,
    Joined,
    Declined,
    Cancelled,
}

impl ResponderState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Joined => "joined",
            Self::Declined => "declined",
            Self::Cancelled => "user_cancelled",
        }
    }
}

/// Somebody who was asked to help.
#[derive(Debug, Clone)]
pub(crate) struct Responder {
    pub(crate) user: String,
    /// The policy through which the user was asked.
    pub(crate) policy: Option<String>,
    pub(crate) message: String,
    pub(crate) requester: String,
    pub(crate) requested_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) state: ResponderState,
}

#[derive(Debug, Clone)]
pub(crate) struct Alert {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) summary: String,
    pub(crate) severity: String,
    pub(crate) at: Timestamp,
    pub(crate) resolved: bool,
    pub(crate) service: String,
    pub(crate) integration: String,
    pub(crate) details: Value,
    pub(crate) contexts: Value,
    pub(crate) log_entry: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) status: Status,
    /// What REST shows; `None` for incidents that have alerts.
    pub(crate) key: Option<String>,
    /// What webhooks show.
    pub(crate) event_key: String,
    pub(crate) service: String,
    pub(crate) policy: String,
    pub(crate) path: Path,
    pub(crate) direct: bool,
    pub(crate) assignments: Vec<(String, Timestamp)>,
    pub(crate) acknowledgements: Vec<(String, Timestamp)>,
    pub(crate) status_changed_at: Timestamp,
    pub(crate) status_changed_by: Agent,
    pub(crate) resolved_at: Option<Timestamp>,
    pub(crate) reopened_at: Option<Timestamp>,
    pub(crate) merged_into: Option<usize>,
    pub(crate) high_urgency: bool,
    pub(crate) priority: Option<String>,
    pub(crate) kind: String,
    pub(crate) body: Option<String>,
    pub(crate) conference: Option<(Option<String>, Option<String>)>,
    pub(crate) fields: Vec<(String, Value)>,
    pub(crate) first_trigger: usize,
    pub(crate) triggers: u32,
    pub(crate) timers: Vec<((Timestamp, u64), Timer)>,
    pub(crate) notes: Vec<Note>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) responders: Vec<Responder>,
    pub(crate) log: Vec<usize>,
    /// What a file said beyond what is understood, and counts of alerts that no file brought.
    pub(crate) shown: Vec<Part>,
}

impl Incident {
    pub(crate) fn is_open(&self) -> bool {
        self.status != Status::Resolved
    }

    pub(crate) const fn urgency(&self) -> &'static str {
        if self.high_urgency { "high" } else { "low" }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    /// The type without `_log_entry`.
    pub(crate) kind: &'static str,
    pub(crate) summary: String,
    pub(crate) at: Timestamp,
    pub(crate) agent: Agent,
    /// As it is sent: there are many entries, and text is small.
    pub(crate) channel: Box<RawValue>,
    pub(crate) incident: usize,
    /// The service at that time.
    pub(crate) service: String,
    pub(crate) extra: Vec<Part>,
}

/// One field of an object as it is sent.
pub(crate) type Part = (Cow<'static, str>, Box<RawValue>);

/// A value as it is sent.
pub(crate) fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("what is sent has text keys")
}

/// One notification to one person on one means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// PagerDuty's incident id.
    pub incident: String,
    /// PagerDuty's user id.
    pub user: String,
    /// `push_notification`, `email`, `sms` or `phone`.
    pub channel: &'static str,
    /// When it was sent.
    pub at: Timestamp,
}

/// One write over REST that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The incident it named or made.
    pub incident: Option<String>,
    /// When it came.
    pub at: Timestamp,
    /// The answer's status, also when the answer was lost.
    pub status: u16,
}

/// Something that somebody deployed or switched.
#[derive(Debug, Clone)]
pub(crate) struct ChangeEvent {
    pub(crate) id: String,
    pub(crate) service: String,
    pub(crate) integration: String,
    pub(crate) at: Timestamp,
    pub(crate) body: Value,
}

/// The whole account.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) ids: Ids,
    pub(crate) webhooks: Webhooks,
    pub(crate) oauth: OAuth,
    pub(crate) shelves: Shelves,
    /// The latest instant seen; time never goes back.
    pub(crate) now: Timestamp,
    /// In the order in which they were made.
    pub(crate) keys: Vec<(String, KeyKind)>,
    pub(crate) users: Table<User>,
    pub(crate) teams: Table<Team>,
    pub(crate) services: Table<Service>,
    pub(crate) policies: Table<Policy>,
    pub(crate) priorities: Table<Priority>,
    pub(crate) schedules: Table<Schedule>,
    pub(crate) integrations: Table<Integration>,
    pub(crate) windows: Table<MaintenanceWindow>,
    pub(crate) fields: Table<FieldDefinition>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) by_id: HashMap<String, usize>,
    pub(crate) by_number: HashMap<u64, usize>,
    pub(crate) next_number: u64,
    pub(crate) by_key: HashMap<String, Vec<usize>>,
    pub(crate) open_keys: HashMap<(String, String), usize>,
    /// Open alerts by integration and key: two integrations of a service do not share keys.
    pub(crate) open_alerts: HashMap<(String, String), usize>,
    pub(crate) open: BTreeSet<usize>,
    pub(crate) timers: Timers,
    pub(crate) log: Vec<Entry>,
    pub(crate) log_by_id: HashMap<String, usize>,
    pub(crate) pages: Vec<Page>,
    pub(crate) changes: Vec<ChangeEvent>,
    pub(crate) windows_made: usize,
    /// The names of what was deleted: references still show them.
    pub(crate) gone: HashMap<String, String>,
    /// Whose contact methods changed when, within a day.
    pub(crate) contact_changes: Vec<(String, Timestamp)>,
    /// Set from the faults before each request.
    pub(crate) late_log_entries_s: i64,
}

impl World {
    pub(crate) fn new(options: Options, now: Timestamp) -> Self {
        Self {
            ids: Ids::new(options.seed),
            webhooks: Webhooks::new(&options.base_url),
            oauth: OAuth::default(),
            shelves: Shelves::default(),
            now,
            keys: Vec::new(),
            users: Table::default(),
            teams: Table::default(),
            services: Table::default(),
            policies: Table::default(),
            priorities: Table::default(),
            schedules: Table::default(),
            integrations: Table::default(),
            windows: Table::default(),
            fields: Table::default(),
            incidents: Vec::new(),
            by_id: HashMap::new(),
            by_number: HashMap::new(),
            next_number: options.last_incident_number + 1,
            by_key: HashMap::new(),
            open_keys: HashMap::new(),
            open_alerts: HashMap::new(),
            open: BTreeSet::new(),
            timers: Timers::default(),
            log: Vec::new(),
            log_by_id: HashMap::new(),
            pages: Vec::new(),
            changes: Vec::new(),
            windows_made: 0,
            gone: HashMap::new(),
            contact_changes: Vec::new(),
            late_log_entries_s: 0,
            options,
        }
    }

    /// The incident at an index that this account handed out.
    pub(crate) fn incident(&self, at: usize) -> &Incident {
        self.incidents.get(at).expect("incidents are never removed")
    }

    pub(crate) fn incident_mut(&mut self, at: usize) -> &mut Incident {
        self.incidents
            .get_mut(at)
            .expect("incidents are never removed")
    }

    /// Finds an incident by id or by number.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        if let Some(at) = self.by_id.get(id) {
            return Some(*at);
        }
        self.by_number.get(&id.parse().ok()?).copied()
    }

    /// Whether the plan has it.
    pub(crate) fn has_ability(&self, name: &str) -> bool {
        self.options.abilities.iter().any(|have| have == name)
    }

    /// Keeps the name of something that is about to go.
    pub(crate) fn forget(&mut self, id: &str, name: String) {
        self.gone.insert(id.to_owned(), name);
    }

    /// Incidents of a private team are there for its members, for owners and admins, and for
    /// whoever acts for no user.
    pub(crate) fn sees(&self, user: Option<&str>, incident: usize) -> bool {
        let Some(user) = user.and_then(|id| self.users.get(id)) else {
            return true;
        };
        let team = self.team_of_policy(&self.incident(incident).policy);
        team.is_none_or(|team| {
            team.given.get("default_role") != Some(&"none".into())
                || matches!(user.role.as_str(), "owner" | "admin")
                || team.members.iter().any(|(member, _)| *member == user.id)
        })
    }

    /// What a REST key may do.
    pub(crate) fn key(&self, key: &str) -> Option<&KeyKind> {
        let found = self.keys.iter().find(|(known, _)| known == key);
        found.map(|(_, kind)| kind)
    }

    /// Finds a user by e-mail, as `From` names one.
    pub(crate) fn user_by_email(&self, email: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.email.eq_ignore_ascii_case(email))
    }

    /// The teams of a service are those of its policy.
    pub(crate) fn team_of_policy(&self, policy: &str) -> Option<&Team> {
        self.teams.get(self.policies.get(policy)?.team.as_deref()?)
    }
}
