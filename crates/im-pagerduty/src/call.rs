//! Every request that we can make, as plain data.
//!
//! A call may leave twice: a crash or a time-out repeats it. So each call says how a repeat is
//! recognised ([`Call::repeat`], `docs/pagerduty/rest.md`, "Repeats").

use im_core::{PeerStatus, Urgency};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::field::FieldInput;

/// PagerDuty answers at most 100 rows; asking for more is silently cut.
pub const PAGE_SIZE: u32 = 100;

/// PagerDuty refuses `offset + limit` above this; longer lists are cut by time.
pub const ROWS_MAX: u32 = 10_000;

/// PagerDuty refuses to change more incidents than this in one request.
pub const BATCH_MAX: u32 = 250;

/// The documented length of an event's key; incidents have no documented one.
pub const KEY_CHARS_MAX: usize = 255;

/// The key by which we make an incident and find it again.
///
/// Never empty: a search for the empty key answers with every open incident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentKey(String);

impl IncidentKey {
    /// The key of a text; `None` if it is blank or longer than [`KEY_CHARS_MAX`].
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let fits = !text.trim().is_empty() && text.chars().count() <= KEY_CHARS_MAX;
        fits.then_some(Self(text))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IncidentKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text).ok_or("an incident key has 1 to 255 characters")
    }
}

impl From<IncidentKey> for String {
    fn from(key: IncidentKey) -> Self {
        key.0
    }
}

/// What to set on an incident; what is `None` or empty stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// `Triggered` also reopens a resolved incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PeerStatus>,
    /// Kept on the resolve's log entry; sent only together with `Resolved`. PagerDuty's pages
    /// do not show it, so say it in a note as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// A new title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A new urgency. From low to high also takes back an acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Urgency>,
    /// A new priority, or none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<NewPriority>,
    /// Another service's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// Users to give it to. This ends escalation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assignee_ids: Vec<String>,
    /// Another escalation policy's id. Escalation starts again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
}

impl Change {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What to do with an incident's priority.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewPriority {
    /// Give it this one, by its id.
    Set(String),
    /// Take it away.
    Clear,
}

/// What a webhook subscription listens to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionFilter {
    /// Everything in the account.
    Account,
    /// Incidents of one service.
    Service(String),
    /// Incidents of one team.
    Team(String),
}

/// Why a call is made: people wait for live calls, so these go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Somebody waits for it.
    Live,
    /// Reading lists to find what we missed.
    Repair,
}

impl Purpose {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Repair => "repair",
        }
    }
}

/// How a call that may have been carried out is recognised before it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// It changes nothing.
    Reads,
    /// It sets values; setting them again is the same.
    Sets,
    /// [`Call::FindByKey`] finds what it made.
    FindByKey,
    /// [`Call::ReadNotes`] shows the mark of the note (see [`crate::note_mark`]).
    LookForMark,
    /// [`Call::ListSubscriptions`] shows the address.
    LookForUrl,
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })?
        = $word:literal, $purpose:ident, $repeat:ident;)*) => {
        /// One request. Each variant says how a repeat is recognised.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case", tag = "call")]
        pub enum Call {
            $($(#[$doc])* $name $({ $($(#[$field_doc])* $field: $type,)* })?,)*
        }

        impl Call {
            /// The name for logs and metrics.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name { .. } => $word,)* }
            }

            /// Why such a call is made.
            pub fn purpose(&self) -> Purpose {
                match self { $(Self::$name { .. } => Purpose::$purpose,)* }
            }

            /// How a repeat is recognised.
            pub fn repeat(&self) -> Repeat {
                match self { $(Self::$name { .. } => Repeat::$repeat,)* }
            }
        }
    };
}

calls! {
    /// Makes an incident. A repeat while it is open is refused as a duplicate of its key; look
    /// it up by [`Call::FindByKey`]. Once resolved, the key is free and a repeat pages again.
    CreateIncident {
        /// Ours, new for each incident.
        key: IncidentKey,
        /// See [`crate::title`].
        title: String,
        /// The service to make it on.
        service_id: String,
        /// The service decides when this is absent.
        urgency: Option<Urgency>,
        /// A priority's id.
        priority_id: Option<String>,
        /// The service's own policy when this is absent.
        policy_id: Option<String>,
        /// See [`crate::body`].
        body: Option<String>,
        /// E-mail address of a PagerDuty user.
        from: String,
    } = "create_incident", Live, FindByKey;
    /// Sets fields of an incident. A repeat sets the same values, or is refused as
    /// [`crate::Why::AlreadyInState`]: read and compare.
    UpdateIncident {
        /// PagerDuty's id.
        id: String,
        /// What to set.
        change: Change,
        /// E-mail address of a PagerDuty user: the one who did it.
        from: String,
    } = "update_incident", Live, Sets;
    /// Resolves up to [`BATCH_MAX`] incidents, all or none: one that cannot be resolved, e.g.
    /// because it is, has the whole refused. A repeat is refused like that, too: read and compare.
    ResolveIncidents {
        /// PagerDuty's ids.
        ids: Vec<String>,
        /// E-mail address of a PagerDuty user: the one who did it.
        from: String,
    } = "resolve_incidents", Live, Sets;
    /// Writes a note. Notes have no key: read the notes and look for our mark before a repeat.
    AddNote {
        /// PagerDuty's id of the incident.
        id: String,
        /// See [`crate::note_text`].
        text: String,
        /// E-mail address of a PagerDuty user: the author.
        from: String,
    } = "add_note", Live, LookForMark;
    /// Sets custom fields of an incident; those that are not named stay as they are.
    SetFields {
        /// PagerDuty's id of the incident.
        id: String,
        /// PagerDuty's name of each field, and its value.
        values: Vec<(String, FieldInput)>,
    } = "set_fields", Live, Sets;
    /// Lists the custom fields that incidents of every type have, with the values that they take.
    ListFields = "list_fields", Repair, Reads;
    /// Reads one incident.
    ReadIncident {
        /// PagerDuty's id.
        id: String,
    } = "read_incident", Live, Reads;
    /// Reads all notes of one incident.
    ReadNotes {
        /// PagerDuty's id of the incident.
        id: String,
    } = "read_notes", Live, Reads;
    /// Finds the incidents of a key, of any age, in any state and on any service: one that was
    /// resolved before its answer was heard of was made all the same.
    FindByKey {
        /// The key by which we made it.
        key: IncidentKey,
    } = "find_by_key", Live, Reads;
    /// Lists the open incidents of any age, oldest first.
    ListOpenIncidents {
        /// Rows to skip.
        offset: u32,
    } = "list_open_incidents", Repair, Reads;
    /// Lists incidents **created** in a window of at most six months, oldest first. The first
    /// page tells the total.
    ListIncidents {
        /// From here on, to the second.
        since: Timestamp,
        /// Until here, to the second.
        until: Timestamp,
        /// Rows to skip.
        offset: u32,
    } = "list_incidents", Repair, Reads;
    /// Lists the whole account's log entries of a window, with channels. The order is not
    /// documented. The first page tells the total.
    ListLogEntries {
        /// From here on, to the second.
        since: Timestamp,
        /// Until here, to the second.
        until: Timestamp,
        /// Rows to skip.
        offset: u32,
    } = "list_log_entries", Repair, Reads;
    /// Lists one incident's log entries, with channels.
    IncidentLogEntries {
        /// PagerDuty's id of the incident.
        id: String,
        /// Rows to skip.
        offset: u32,
    } = "incident_log_entries", Repair, Reads;
    /// Lists services.
    ListServices {
        /// Rows to skip.
        offset: u32,
    } = "list_services", Repair, Reads;
    /// Reads one service.
    ReadService {
        /// PagerDuty's id.
        id: String,
    } = "read_service", Live, Reads;
    /// Lists users.
    ListUsers {
        /// Rows to skip.
        offset: u32,
    } = "list_users", Repair, Reads;
    /// Searches users by e-mail address. The search is loose: compare the addresses.
    FindUser {
        /// The address.
        email: String,
    } = "find_user", Live, Reads;
    /// Reads the owner of the key. Account-wide keys have none ([`crate::Why::AccountKey`]).
    ReadMe = "read_me", Live, Reads;
    /// Lists escalation policies.
    ListPolicies {
        /// Rows to skip.
        offset: u32,
    } = "list_policies", Repair, Reads;
    /// Reads one escalation policy.
    ReadPolicy {
        /// PagerDuty's id.
        id: String,
    } = "read_policy", Live, Reads;
    /// Lists teams.
    ListTeams {
        /// Rows to skip.
        offset: u32,
    } = "list_teams", Repair, Reads;
    /// Lists the schedules that are made of layers.
    ListSchedules {
        /// Rows to skip.
        offset: u32,
    } = "list_schedules", Repair, Reads;
    /// Lists the schedules that are made of shifts: the other list does not show them.
    ListShiftSchedules {
        /// Rows to skip.
        offset: u32,
    } = "list_shift_schedules", Repair, Reads;
    /// Lists priorities, most severe first.
    ListPriorities {
        /// Rows to skip.
        offset: u32,
    } = "list_priorities", Repair, Reads;
    /// Lists what the account's plan can do.
    ListAbilities = "list_abilities", Repair, Reads;
    /// Lists who is on call. Pages overlap: tell rows apart by policy, level, schedule, user
    /// and start.
    ListOncalls {
        /// Escalation policies to ask for; none means all.
        policy_ids: Vec<String>,
        /// Users to ask for; none means all.
        user_ids: Vec<String>,
        /// From when on; now if absent.
        since: Option<Timestamp>,
        /// Until when, at most 90 days ahead; now if absent.
        until: Option<Timestamp>,
        /// Only the first shift of each policy, level and user.
        earliest: bool,
        /// Rows to skip.
        offset: u32,
    } = "list_oncalls", Live, Reads;
    /// Lists webhook subscriptions of every scope.
    ListSubscriptions {
        /// Rows to skip.
        offset: u32,
    } = "list_subscriptions", Live, Reads;
    /// Makes a webhook subscription. Only this answer carries the secret. Look for the address
    /// in the list before a repeat.
    CreateSubscription {
        /// Where webhooks go.
        url: String,
        /// What PagerDuty's pages show.
        description: String,
        /// Which events; unknown names are refused.
        events: Vec<String>,
        /// What to listen to.
        filter: SubscriptionFilter,
    } = "create_subscription", Live, LookForUrl;
    /// Reads one webhook subscription, without its secret.
    ReadSubscription {
        /// PagerDuty's id.
        id: String,
    } = "read_subscription", Live, Reads;
    /// Sets which events a subscription tells of and what it listens to, and switches it on. Where
    /// it delivers cannot be set.
    UpdateSubscription {
        /// PagerDuty's id.
        id: String,
        /// Which events; unknown names are refused.
        events: Vec<String>,
        /// What to listen to.
        filter: SubscriptionFilter,
    } = "update_subscription", Live, Sets;
    /// Switches a subscription on that PagerDuty switched off for 24 hours. A repeat is harmless.
    EnableSubscription {
        /// PagerDuty's id.
        id: String,
    } = "enable_subscription", Live, Sets;
    /// Deletes a subscription. A repeat answers [`crate::Outcome::Gone`].
    DeleteSubscription {
        /// PagerDuty's id.
        id: String,
    } = "delete_subscription", Live, Sets;
    /// Asks for a test webhook. A repeat sends a second one, which changes nothing.
    PingSubscription {
        /// PagerDuty's id.
        id: String,
    } = "ping_subscription", Live, Sets;
}

impl Call {
    /// Whether it changes something at PagerDuty.
    pub fn is_write(&self) -> bool {
        self.repeat() != Repeat::Reads
    }

    /// The rows that a list call skips; `None` for calls that are not paged.
    pub fn offset(&self) -> Option<u32> {
        match self {
            Self::ListOpenIncidents { offset }
            | Self::ListIncidents { offset, .. }
            | Self::ListLogEntries { offset, .. }
            | Self::IncidentLogEntries { offset, .. }
            | Self::ListServices { offset }
            | Self::ListUsers { offset }
            | Self::ListPolicies { offset }
            | Self::ListTeams { offset }
            | Self::ListSchedules { offset }
            | Self::ListShiftSchedules { offset }
            | Self::ListPriorities { offset }
            | Self::ListOncalls { offset, .. }
            | Self::ListSubscriptions { offset } => Some(*offset),
            _ => None,
        }
    }
}
