//! What may be asked: the metrics, and the parameters of each with their values.
//!
//! One parser reads command-line flags and query parameters alike. It fills what the query leaves
//! open: first from the view, then with the documented defaults.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::calendar::BucketSize;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one that a word names.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What is measured.
    Metric {
        /// Time to the resolve.
        Mttr = "mttr",
        /// Time to the acknowledgement.
        Mtta = "mtta",
        /// Pages.
        Pages = "pages",
        /// Pages, or hours with a page, that disturb people.
        PageDisruptions = "page_disruptions",
        /// Incidents triggered.
        IncidentFrequency = "incident_frequency",
        /// Successful deployments.
        DeploymentFrequency = "deployment_frequency",
        /// Deployments that failed later.
        ChangeFailureRate = "change_failure_rate",
        /// Time to the resolve of a failure.
        TimeToRestore = "time_to_restore",
        /// Time from a deployment to the resolve of its failure.
        FailedDeploymentRecoveryTime = "failed_deployment_recovery_time",
        /// Time from a commit to its deployment.
        ChangeLeadTime = "change_lead_time",
        /// Deployments that were unplanned fixes.
        DeploymentReworkRate = "deployment_rework_rate",
        /// Incidents within their targets.
        SlaCompliance = "sla_compliance",
        /// What paging costs each person.
        OncallLoad = "oncall_load",
        /// Incidents that were opened again.
        ReopenRate = "reopen_rate",
        /// Incidents open at the end of a bucket.
        OpenIncidents = "open_incidents",
        /// Escalations.
        Escalations = "escalations",
    }
}

words! {
    /// What figures are grouped and filtered by.
    Dimension {
        /// The service.
        Service = "service",
        /// The team.
        Team = "team",
        /// The environment.
        Environment = "environment",
        /// The escalation policy.
        EscalationPolicy = "escalation_policy",
        /// The urgency.
        Urgency = "urgency",
        /// The priority.
        Priority = "priority",
        /// The severity.
        Severity = "severity",
        /// How it was resolved.
        ResolverKind = "resolver_kind",
        /// Where it began; only to filter by.
        Origin = "origin",
        /// A part of the title; only to filter by.
        Title = "title",
        /// The person paged.
        User = "user",
    }
}

words! {
    /// What a metric is about.
    Area {
        /// How well incidents and changes are handled.
        QualityOfWork = "quality_of_work",
        /// What it costs people.
        Wellbeing = "wellbeing",
    }
}

words! {
    /// The order of groups.
    Sort {
        /// By key; no value comes last.
        Key = "key",
        /// The largest figure of the range first; what has none comes last.
        Value = "value",
    }
}

words! {
    /// Which incidents count, by how they became known.
    Reach {
        /// All of them.
        All = "all",
        /// Those of which a command or a webhook told when they were triggered.
        Live = "live",
    }
}

words! {
    /// Which value of a field that changes.
    AsOf {
        /// The one at trigger.
        Trigger = "trigger",
        /// Today's.
        Current = "current",
    }
}

words! {
    /// When an incident had recovered.
    Recovery {
        /// At its last resolve.
        Last = "last",
        /// At its first resolve.
        First = "first",
        /// At its last resolve; the time counts while it was open.
        OpenTime = "open_time",
    }
}

words! {
    /// Which instant puts an incident into a bucket.
    BucketBy {
        /// Its trigger.
        Triggered = "triggered",
        /// The resolve used.
        Resolved = "resolved",
    }
}

words! {
    /// What a page is.
    PageSource {
        /// An incident.
        Incidents = "incidents",
        /// A message to a person.
        Notifications = "notifications",
        /// An acknowledgement by a person.
        Acknowledgements = "acknowledgements",
    }
}

words! {
    /// How disruptions are counted.
    Measure {
        /// Pages.
        Pages = "pages",
        /// Hours with a page.
        Hours = "hours",
    }
}

words! {
    /// Which pages, by the person's working hours.
    When {
        /// All.
        All = "all",
        /// Those outside.
        OutOfHours = "out_of_hours",
        /// Those inside.
        WorkingHours = "working_hours",
    }
}

words! {
    /// How failures are set against deployments.
    Mode {
        /// Deployments with a failure.
        Attributed = "attributed",
        /// All failures.
        Impact = "impact",
    }
}

words! {
    /// How another product counts.
    View {
        /// The first resolve is the recovery.
        Multitudes = "multitudes",
        /// Bucketed by resolve; a failure may come at any time.
        Middleware = "middleware",
        /// Failures over deployments.
        Datadog = "datadog",
    }
}

words! {
    /// Why an incident is left out; the first that holds.
    Reason {
        /// It is a test.
        Test = "test",
        /// It was merged into another.
        Merged = "merged",
        /// It is not resolved yet.
        Open = "open",
        /// Nobody acknowledged it: one of the two that follow.
        Unacknowledged = "unacknowledged",
        /// Nobody has acknowledged it, and it is open.
        Waiting = "unacknowledged_open",
        /// It was over before anybody acknowledged it.
        Unanswered = "unacknowledged_over",
        /// It is marked or ruled to be no failure.
        NotFailure = "not_failure",
        /// No deployment is behind it.
        Unlinked = "unlinked",
        /// It was over before its deployment was.
        Negative = "negative",
        /// Its severity has no target.
        NoTarget = "no_target",
        /// It is known from what was read afterwards, where only what was told counts.
        Rebuilt = "rebuilt",
    }
}

impl Metric {
    /// What it is about.
    pub fn area(self) -> Area {
        match self {
            Self::PageDisruptions | Self::OncallLoad => Area::Wellbeing,
            Self::Mttr
            | Self::Mtta
            | Self::Pages
            | Self::IncidentFrequency
            | Self::DeploymentFrequency
            | Self::ChangeFailureRate
            | Self::TimeToRestore
            | Self::FailedDeploymentRecoveryTime
            | Self::ChangeLeadTime
            | Self::DeploymentReworkRate
            | Self::SlaCompliance
            | Self::ReopenRate
            | Self::OpenIncidents
            | Self::Escalations => Area::QualityOfWork,
        }
    }

    /// What it tells, in words.
    pub fn tells(self) -> &'static str {
        match self {
            Self::Mttr => "time from the trigger to the resolve",
            Self::Mtta => "time from the trigger to the first acknowledgement",
            Self::Pages => "how often somebody was called",
            Self::PageDisruptions => {
                "how often people were disturbed, in hours of work and outside"
            }
            Self::IncidentFrequency => "incidents a day",
            Self::DeploymentFrequency => "successful deployments a day",
            Self::ChangeFailureRate => "the share of deployments that failed later",
            Self::TimeToRestore => "time to the resolve of a failure",
            Self::FailedDeploymentRecoveryTime => {
                "time from a deployment to the resolve of its failure"
            }
            Self::ChangeLeadTime => "time from a commit to its deployment",
            Self::DeploymentReworkRate => "the share of deployments that were unplanned fixes",
            Self::SlaCompliance => "the share of incidents within their targets",
            Self::OncallLoad => "what paging costs each person",
            Self::ReopenRate => "the share of incidents that were opened again",
            Self::OpenIncidents => "incidents open at the end of a bucket",
            Self::Escalations => "how often the first level did not answer",
        }
    }

    /// Whether it is one of DORA's, which have published levels.
    pub fn is_dora(self) -> bool {
        matches!(
            self,
            Self::DeploymentFrequency
                | Self::ChangeFailureRate
                | Self::TimeToRestore
                | Self::FailedDeploymentRecoveryTime
                | Self::ChangeLeadTime
                | Self::DeploymentReworkRate
        )
    }

    /// Whether it is about deployments alone.
    pub fn is_of_deployments(self) -> bool {
        matches!(
            self,
            Self::DeploymentFrequency | Self::ChangeLeadTime | Self::DeploymentReworkRate
        )
    }

    /// Whether without deployments it is of nothing.
    pub fn needs_deployments(self) -> bool {
        let of_failures = [Self::ChangeFailureRate, Self::FailedDeploymentRecoveryTime];
        self.is_of_deployments() || of_failures.contains(&self)
    }

    /// Whether it tells how fast people respond, which is never shown per person.
    pub fn is_response_time(self) -> bool {
        matches!(
            self,
            Self::Mttr | Self::Mtta | Self::TimeToRestore | Self::FailedDeploymentRecoveryTime
        )
    }

    /// Whether it is about failures, so that what is no failure is left out.
    pub(crate) fn is_of_failures(self) -> bool {
        matches!(
            self,
            Self::ChangeFailureRate | Self::TimeToRestore | Self::FailedDeploymentRecoveryTime
        )
    }
}

/// What every item has.
const PLACE: &[Dimension] = &[Dimension::Service, Dimension::Team, Dimension::Environment];

/// What incidents are grouped by.
const OF_INCIDENTS: &[Dimension] = &[
    Dimension::Service,
    Dimension::EscalationPolicy,
    Dimension::Team,
    Dimension::Urgency,
    Dimension::Priority,
    Dimension::Severity,
    Dimension::Environment,
];

const OF_RECOVERIES: &[Dimension] = &[
    Dimension::Service,
    Dimension::EscalationPolicy,
    Dimension::Team,
    Dimension::Urgency,
    Dimension::Priority,
    Dimension::Severity,
    Dimension::Environment,
    Dimension::ResolverKind,
];

const OF_PAGES: &[Dimension] = &[
    Dimension::Service,
    Dimension::EscalationPolicy,
    Dimension::Team,
    Dimension::Urgency,
    Dimension::Priority,
    Dimension::Severity,
    Dimension::Environment,
    Dimension::User,
];

const OF_LOAD: &[Dimension] = &[Dimension::Service, Dimension::Team, Dimension::Urgency];

/// What incidents are filtered by.
const FILTERS: &[Dimension] = &[
    Dimension::Service,
    Dimension::Team,
    Dimension::Environment,
    Dimension::EscalationPolicy,
    Dimension::Urgency,
    Dimension::Priority,
    Dimension::Severity,
    Dimension::Origin,
    Dimension::Title,
];

const FILTERS_AND_RESOLVER: &[Dimension] = &[
    Dimension::Service,
    Dimension::Team,
    Dimension::Environment,
    Dimension::EscalationPolicy,
    Dimension::Urgency,
    Dimension::Priority,
    Dimension::Severity,
    Dimension::ResolverKind,
    Dimension::Origin,
    Dimension::Title,
];

const FILTERS_AND_USER: &[Dimension] = &[
    Dimension::Service,
    Dimension::Team,
    Dimension::Environment,
    Dimension::EscalationPolicy,
    Dimension::Urgency,
    Dimension::Priority,
    Dimension::Severity,
    Dimension::Origin,
    Dimension::Title,
    Dimension::User,
];

impl Dimension {
    /// Whether it is one of what an incident has in common with others.
    pub(crate) fn is_of_labels(self) -> bool {
        !matches!(
            self,
            Self::Team | Self::User | Self::ResolverKind | Self::Title
        )
    }

    /// What a metric may be grouped by.
    pub fn groups_of(metric: Metric, source: PageSource) -> &'static [Self] {
        match metric {
            Metric::Mttr | Metric::TimeToRestore | Metric::FailedDeploymentRecoveryTime => {
                OF_RECOVERIES
            }
            Metric::Pages | Metric::PageDisruptions if source != PageSource::Incidents => OF_PAGES,
            Metric::Mtta
            | Metric::IncidentFrequency
            | Metric::SlaCompliance
            | Metric::ReopenRate
            | Metric::OpenIncidents
            | Metric::Escalations
            | Metric::Pages
            | Metric::PageDisruptions => OF_INCIDENTS,
            Metric::ChangeFailureRate
            | Metric::DeploymentFrequency
            | Metric::ChangeLeadTime
            | Metric::DeploymentReworkRate => PLACE,
            Metric::OncallLoad => OF_LOAD,
        }
    }

    /// What a metric may be filtered by.
    pub fn filters_of(metric: Metric, source: PageSource) -> &'static [Self] {
        match metric {
            Metric::OncallLoad => FILTERS_AND_USER,
            Metric::Pages | Metric::PageDisruptions if source != PageSource::Incidents => {
                FILTERS_AND_USER
            }
            Metric::DeploymentFrequency | Metric::ChangeLeadTime | Metric::DeploymentReworkRate => {
                PLACE
            }
            Metric::Mttr | Metric::TimeToRestore | Metric::FailedDeploymentRecoveryTime => {
                FILTERS_AND_RESOLVER
            }
            Metric::Mtta
            | Metric::Pages
            | Metric::PageDisruptions
            | Metric::IncidentFrequency
            | Metric::ChangeFailureRate
            | Metric::SlaCompliance
            | Metric::ReopenRate
            | Metric::OpenIncidents
            | Metric::Escalations => FILTERS,
        }
    }
}

/// What is filtered by, and the values let through; `None` is no value.
pub type Filter = (Dimension, Vec<Option<String>>);

/// A question, with everything filled in but the dates, which depend on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What is measured.
    pub metric: Metric,
    /// The first local date; 41 days before the last where absent.
    pub from: Option<Date>,
    /// The last local date; today where absent.
    pub to: Option<Date>,
    /// How long buckets are.
    pub bucket: BucketSize,
    /// What is grouped by; for `oncall_load` beside the user.
    pub group_by: Option<Dimension>,
    /// Any of the values of each, all of them.
    pub filters: Vec<Filter>,
    /// Which values groups and filters read.
    pub as_of: AsOf,
    /// Whether the range before is answered too.
    pub compare: bool,
    /// The order of the groups.
    pub sort: Sort,
    /// Which incidents count, by how they became known.
    pub reach: Reach,
    /// Facts after this do not exist; now where absent.
    pub as_of_time: Option<Timestamp>,
    /// When an incident had recovered.
    pub recovery: Recovery,
    /// Which instant buckets.
    pub bucket_by: BucketBy,
    /// What a page is.
    pub source: PageSource,
    /// Whether e-mail notifications are pages.
    pub include_email: bool,
    /// Acknowledgements of one person within these minutes are one page; 0 for never.
    pub collapse_minutes: u32,
    /// How disruptions are counted.
    pub measure: Measure,
    /// Whether an hour of several people is one.
    pub distinct: bool,
    /// Which pages count.
    pub when: When,
    /// How failures are set against deployments.
    pub mode: Mode,
    /// How late a failure may come after its deployment, in microseconds.
    pub max_lag: Option<i64>,
    /// The year of the published levels.
    pub benchmark: Option<u16>,
}
