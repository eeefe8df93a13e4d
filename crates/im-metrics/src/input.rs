//! What numbers are computed from: histories of incidents, deployments, and what an organisation
//! settled about its people, services and targets.
//!
//! Nothing here is computed. Instants are UTC; ids of PagerDuty's things are PagerDuty's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::hours::Week;

/// One incident: its counted facts and its fields.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own about an incident"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Our number of it.
    pub number: i64,
    /// Its title today.
    pub title: String,
    /// Where it began: `pagerduty` or `im`.
    pub origin: String,
    /// Its severity today.
    pub severity: Option<String>,
    /// The environment that it is in.
    pub environment: Option<String>,
    /// What it looked like when it was triggered.
    pub at_trigger: Values,
    /// Whether it moved to another policy from one that nobody told: the policy at its trigger is the
    /// one that its service has.
    pub policy_untold: bool,
    /// What it looks like today.
    pub current: Values,
    /// Its teams at PagerDuty when it was triggered.
    pub teams: Vec<String>,
    /// Whether its resolve reason is a merge.
    pub merged: bool,
    /// Its `deployment` field: the id of a deployment, or a version.
    pub deployment: Option<String>,
    /// What a person said about the deployment behind it.
    pub link: Option<ManualLink>,
    /// Whether a person said that no change caused it.
    pub not_change_related: bool,
    /// The key by which senders say that it is the same matter.
    pub key: Option<String>,
    /// The category of its cause that somebody named.
    pub cause: Option<String>,
    /// Whether nobody told of its trigger when it was: PagerDuty's log or a read did later.
    pub rebuilt: bool,
    /// What happened, in the order of `docs/metrics.md`; the first is its trigger.
    pub events: Vec<Event>,
}

/// Fields that may differ between the trigger and today.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    /// PagerDuty's id of the service.
    pub service: Option<String>,
    /// PagerDuty's id of the escalation policy.
    pub policy: Option<String>,
    /// `high` or `low`.
    pub urgency: Option<String>,
    /// PagerDuty's id of the priority, or its name where no id is known.
    pub priority: Option<String>,
}

/// A link that a person made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManualLink {
    /// The deployment with this id caused it.
    Deployment(String),
    /// No deployment did.
    Nothing,
}

/// Something that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened. An actor is given only where it is a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It began.
    Triggered,
    /// It was given to people.
    Assigned(Vec<String>),
    /// It moved along its policy to people.
    Escalated(Vec<String>),
    /// It moved to another policy, to people.
    Delegated(Vec<String>),
    /// It was acknowledged, by this person.
    Acknowledged(Option<String>),
    /// Its acknowledgement ended.
    Unacknowledged,
    /// It was resolved, by this person, in this way.
    Resolved(Option<String>, ResolverKind),
    /// It was opened again.
    Reopened,
    /// It was put off for so many seconds, by whoever has it.
    Snoozed(u32),
    /// A person was sent a message.
    Notified {
        /// Whom, where it is known.
        user: Option<String>,
        /// Whether by e-mail.
        email: bool,
    },
}

/// How an incident came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResolverKind {
    /// It was merged into another.
    Merge,
    /// By a person.
    Human,
    /// By a time-out.
    Timer,
    /// By an integration or the service.
    Integration,
    /// By a program.
    Api,
    /// Nobody is named.
    None,
}

impl ResolverKind {
    /// All kinds, in the order in which the first that matches is taken.
    pub const ALL: [Self; 6] = [
        Self::Merge,
        Self::Human,
        Self::Timer,
        Self::Integration,
        Self::Api,
        Self::None,
    ];

    /// The word shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Human => "human",
            Self::Timer => "timer",
            Self::Integration => "integration",
            Self::Api => "api",
            Self::None => "none",
        }
    }
}

/// A change that was brought out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// The service that it changed, by PagerDuty's id.
    pub service: String,
    /// Where.
    pub environment: Option<String>,
    /// The version brought out.
    pub version: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// How it went.
    pub status: DeploymentStatus,
    /// Whether it repaired an earlier one, unplanned.
    pub unplanned_fix: bool,
    /// When each commit in it was made.
    pub commits: Vec<Timestamp>,
}

/// How a deployment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// It is out.
    Success,
    /// It failed.
    Failure,
    /// It is under way.
    InProgress,
    /// It was given up.
    Cancelled,
}

/// A person who is paged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// PagerDuty's id of the user.
    pub id: String,
    /// The zone that PagerDuty knew first.
    pub zone: Option<TimeZone>,
    /// The zones that it knew since, in any order.
    pub moves: Vec<Move>,
    /// Versions of the person's working hours, in any order.
    pub hours: Vec<HoursVersion>,
    /// The teams that the person is in.
    pub memberships: Vec<Membership>,
}

/// A person's zone from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The first local date on which it holds.
    pub from: Date,
    /// The zone; none where PagerDuty knows none any more.
    pub zone: Option<TimeZone>,
}

/// Working hours from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoursVersion {
    /// The first local date on which they hold.
    pub from: Date,
    /// The zone of the wall clock; the person's own where absent.
    pub zone: Option<TimeZone>,
    /// The hours.
    pub week: Week,
}

/// A person's place in a team; without dates it holds for all time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The team's id.
    pub team: String,
    /// The first date, in the organisation's zone.
    pub from: Option<Date>,
    /// The last date, in the organisation's zone.
    pub to: Option<Date>,
}

/// A team of the organisation's own, beside those of PagerDuty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Team {
    /// Its id.
    pub id: String,
    /// Versions of its working hours, in any order: those of members without hours of their own.
    pub hours: Vec<HoursVersion>,
    /// The services that it is responsible for.
    pub services: Vec<String>,
    /// The teams that are a part of it: their members, incidents and services are its own, too.
    pub includes: Vec<String>,
}

/// A rule by which an incident is no failure: all its conditions match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailureRule {
    /// Its origin is this.
    pub origin: Option<String>,
    /// Its service at trigger is this.
    pub service: Option<String>,
    /// Its urgency at trigger is this.
    pub urgency: Option<String>,
    /// Its priority at trigger is this.
    pub priority: Option<String>,
    /// It is not open, and lasted for less than these seconds from trigger to last resolve.
    pub shorter_than_s: Option<i64>,
}

/// How long an acknowledgement and a resolve may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Seconds to the acknowledgement.
    pub ack_s: i64,
    /// Seconds to the resolve.
    pub resolve_s: i64,
}

/// What marks a test incident unless something else is set.
pub const TEST_KEYWORD: &str = "[test]";

/// What an organisation settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The zone of its dates.
    pub zone: TimeZone,
    /// An incident whose title contains this is a test.
    pub test_keyword: String,
    /// Versions of its working hours, in any order: those of people for whom nothing nearer was set.
    pub hours: Vec<HoursVersion>,
    /// Those who are paged.
    pub people: Vec<Person>,
    /// Users who are the same person as another user.
    pub same_person: BTreeMap<String, String>,
    /// PagerDuty's teams of a service: those of its deployments.
    pub teams_of_service: BTreeMap<String, Vec<String>>,
    /// The escalation policy that a service has today.
    pub policy_of_service: BTreeMap<String, String>,
    /// Teams of its own, or hours of PagerDuty's teams.
    pub teams: Vec<Team>,
    /// What is no failure.
    pub failure_rules: Vec<FailureRule>,
    /// Targets by severity.
    pub targets: BTreeMap<String, Target>,
}

impl Settings {
    /// The documented defaults.
    pub fn new(zone: TimeZone) -> Self {
        let target = |ack_s, resolve_s| Target { ack_s, resolve_s };
        let targets = [
            ("SEV-1", target(15 * 60, 3_600)),
            ("SEV-2", target(30 * 60, 4 * 3_600)),
            ("SEV-3", target(2 * 3_600, 24 * 3_600)),
            ("SEV-4", target(8 * 3_600, 72 * 3_600)),
        ];
        Self {
            zone,
            test_keyword: TEST_KEYWORD.to_owned(),
            hours: Vec::new(),
            people: Vec::new(),
            same_person: BTreeMap::new(),
            teams_of_service: BTreeMap::new(),
            policy_of_service: BTreeMap::new(),
            teams: Vec::new(),
            failure_rules: Vec::new(),
            targets: targets
                .into_iter()
                .map(|(severity, target)| (severity.to_owned(), target))
                .collect(),
        }
    }
}
