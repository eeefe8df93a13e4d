//! How a connector translates between our fields and PagerDuty's.

use serde::{Deserialize, Serialize};

use crate::{CustomField, Named, Ownership, Severity, SeveritySource, Story, Urgency};

/// Which way changes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Both ways.
    Bidirectional,
    /// From here to PagerDuty only: what PagerDuty reports changes nothing here.
    #[default]
    Outbound,
    /// From PagerDuty to here only.
    Inbound,
    /// Paused: nothing travels, what is owed waits.
    None,
}

impl Direction {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bidirectional => "bidirectional",
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::None => "none",
        }
    }

    /// The direction of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Bidirectional,
            Self::Outbound,
            Self::Inbound,
            Self::None,
        ]
        .into_iter()
        .find(|direction| direction.as_str() == word)
    }

    /// Whether our changes go to PagerDuty.
    pub fn sends(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Outbound)
    }

    /// Whether PagerDuty's changes come here.
    pub fn receives(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Inbound)
    }
}

/// When an incident of several services is over, as far as PagerDuty ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolveRule {
    /// When the last of its PagerDuty incidents is resolved.
    #[default]
    All,
    /// When any of them is; the others are resolved with it.
    Any,
}

impl ResolveRule {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
        }
    }

    /// The rule of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::All, Self::Any]
            .into_iter()
            .find(|rule| rule.as_str() == word)
    }
}

/// One line of the service table: our name, PagerDuty's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServiceChoice {
    /// Our name of the service.
    pub name: String,
    /// PagerDuty's id of it.
    pub id: String,
}

/// One line of the table of custom fields: our name, PagerDuty's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldChoice {
    /// Our name of the field.
    pub name: String,
    /// PagerDuty's name of it.
    pub theirs: String,
}

/// A rule for the service that an incident goes to: what it says must all be so.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServiceRule {
    /// Our name of the service; any if absent.
    pub service: Option<String>,
    /// The severity; any if absent.
    pub severity: Option<Severity>,
    /// Fields of people's own, and what each says.
    pub fields: Vec<(String, String)>,
    /// PagerDuty's id of the service.
    pub id: String,
}

/// What rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Traits<'a> {
    /// Our name of the service.
    pub service: Option<&'a str>,
    /// PagerDuty's id of it, where the name was PagerDuty's own when it was said.
    pub service_id: Option<&'a str>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// Fields of people's own.
    pub fields: &'a [CustomField],
}

impl ServiceRule {
    /// Whether all that it says is so.
    fn is_met(&self, traits: &Traits<'_>) -> bool {
        let says = |(name, value): &(String, String)| {
            let mut fields = traits.fields.iter();
            fields.any(|field| field.name == *name && field.value == *value)
        };
        (self.service.is_none() || self.service.as_deref() == traits.service)
            && (self.severity.is_none() || self.severity == traits.severity)
            && self.fields.iter().all(says)
    }
}

/// The translation tables and switches of one connector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mapping {
    /// Which way changes travel.
    pub direction: Direction,
    /// The urgency for SEV-1 … SEV-4, in that order.
    pub urgencies: [Urgency; 4],
    /// PagerDuty's id of the priority for SEV-1 … SEV-4, in that order, where one is mapped.
    pub priority_ids: [Option<String>; 4],
    /// Priority names and the severity each means where its id is not mapped.
    pub priorities: Vec<(String, Severity)>,
    /// The severity guessed for a high and a low urgency; `None` to guess nothing.
    pub severity_from_urgency: Option<(Severity, Severity)>,
    /// Our services; several may share one of PagerDuty's.
    pub services: Vec<ServiceChoice>,
    /// Rules that come before the table, the first one first.
    pub rules: Vec<ServiceRule>,
    /// Where incidents go whose service is not in the table.
    pub default_service: String,
    /// PagerDuty's ids of the services whose incidents travel; `None`: of all.
    pub synced: Option<Vec<String>>,
    /// Fields of people's own that PagerDuty has a custom field for.
    pub fields: Vec<FieldChoice>,
    /// Whether a resolve here resolves there.
    pub auto_resolve: bool,
    /// Whether notes cross.
    pub sync_notes: bool,
    /// When an incident of several services is over.
    pub resolve_rule: ResolveRule,
    /// Whose value counts where both sides changed a field.
    pub ownership: Ownership,
}

impl Mapping {
    /// PagerDuty's ids of the services that it names, each once, the default first.
    pub fn service_ids(&self) -> Vec<&str> {
        let by_name = self.services.iter().map(|choice| choice.id.as_str());
        let by_rule = self.rules.iter().map(|rule| rule.id.as_str());
        let mut ids = vec![self.default_service.as_str()];
        for id in by_name.chain(by_rule) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// The documented defaults, for incidents of `default_service`.
    pub fn new(direction: Direction, default_service: impl Into<String>) -> Self {
        let names = ["P1", "P2", "P3", "P4"].map(str::to_owned);
        Self {
            direction,
            urgencies: Severity::ALL.map(Severity::default_urgency),
            priority_ids: [None, None, None, None],
            priorities: names.into_iter().zip(Severity::ALL).collect(),
            severity_from_urgency: Some((Severity::Sev2, Severity::Sev3)),
            services: Vec::new(),
            rules: Vec::new(),
            default_service: default_service.into(),
            synced: None,
            fields: Vec::new(),
            auto_resolve: true,
            sync_notes: true,
            resolve_rule: ResolveRule::default(),
            ownership: Ownership::default(),
        }
    }

    /// The urgency by which PagerDuty should page for `severity`.
    pub fn urgency(&self, severity: Severity) -> Urgency {
        let [sev1, sev2, sev3, sev4] = self.urgencies;
        match severity {
            Severity::Sev1 => sev1,
            Severity::Sev2 => sev2,
            Severity::Sev3 => sev3,
            Severity::Sev4 => sev4,
        }
    }

    /// PagerDuty's id of the priority for `severity`, where one is mapped.
    pub fn priority_id(&self, severity: Severity) -> Option<&str> {
        let [sev1, sev2, sev3, sev4] = &self.priority_ids;
        match severity {
            Severity::Sev1 => sev1.as_deref(),
            Severity::Sev2 => sev2.as_deref(),
            Severity::Sev3 => sev3.as_deref(),
            Severity::Sev4 => sev4.as_deref(),
        }
    }

    /// The severity that a mapped priority means: the worst, where several share it.
    pub fn severity_of_priority(&self, id: &str) -> Option<Severity> {
        let mut all = Severity::ALL.into_iter();
        all.find(|severity| self.priority_id(*severity) == Some(id))
    }

    /// Whether PagerDuty should show another priority for `severity`. One of PagerDuty's own that is
    /// in no line stays where the severity has none.
    pub fn priority_differs(&self, severity: Severity, shown: Option<&str>) -> bool {
        match self.priority_id(severity) {
            Some(id) => shown != Some(id),
            None => shown.is_some_and(|id| self.severity_of_priority(id).is_some()),
        }
    }

    /// The severity that PagerDuty's fields suggest: the priority if it is mapped or has a known
    /// name, else a guess by urgency.
    pub fn severity(
        &self,
        priority: Option<&Named>,
        urgency: Option<Urgency>,
    ) -> Option<(Severity, SeveritySource)> {
        let by_priority = priority.and_then(|priority| {
            let by_name = || {
                let name = priority.name.as_ref()?;
                let row = self.priorities.iter().find(|(known, _)| known == name)?;
                Some(row.1)
            };
            self.severity_of_priority(&priority.id).or_else(by_name)
        });
        let by_priority = by_priority.map(|severity| (severity, SeveritySource::Priority));
        by_priority.or_else(|| {
            let (high, low) = self.severity_from_urgency?;
            let severity = match urgency? {
                Urgency::High => high,
                Urgency::Low => low,
            };
            Some((severity, SeveritySource::Inferred))
        })
    }

    /// PagerDuty's name for one of our fields, if it has a custom field for it.
    pub fn field_there(&self, name: &str) -> Option<&str> {
        let row = self.fields.iter().find(|row| row.name == name)?;
        Some(&row.theirs)
    }

    /// Our name for one of PagerDuty's custom fields, if it is mapped: the first that is listed.
    pub fn field_here(&self, theirs: &str) -> Option<&str> {
        let row = self.fields.iter().find(|row| row.theirs == theirs)?;
        Some(&row.name)
    }

    /// Whether incidents of one of PagerDuty's services travel.
    pub fn is_synced(&self, id: &str) -> bool {
        let chosen = self.synced.as_ref();
        chosen.is_none_or(|chosen| chosen.iter().any(|known| known == id))
    }

    /// Whether an incident is on a service that is not chosen (any more): it is kept, and neither listed
    /// nor counted (MW-39).
    pub fn hides(&self, story: &Story) -> bool {
        let on = story.peer.as_ref().and_then(|peer| peer.service.as_ref());
        on.is_some_and(|service| !self.is_synced(&service.id))
    }

    /// PagerDuty's id of the service for an incident: by the first rule that it meets, else by the
    /// name of its service.
    pub fn service_for<'a>(&'a self, traits: &Traits<'a>) -> &'a str {
        let rule = self.rules.iter().find(|rule| rule.is_met(traits));
        rule.map_or_else(
            || self.service_id(traits.service, traits.service_id),
            |rule| rule.id.as_str(),
        )
    }

    /// Whether an incident of a service of ours, or of PagerDuty's `own` that was named so, may be on one of
    /// PagerDuty's.
    pub fn may_be_on(&self, name: Option<&str>, own: Option<&str>, id: &str) -> bool {
        let is_meant = |rule: &ServiceRule| {
            rule.id == id && (rule.service.is_none() || rule.service.as_deref() == name)
        };
        self.service_id(name, own) == id || self.rules.iter().any(is_meant)
    }

    /// PagerDuty's id for one of our services: by the table, else PagerDuty's `own` that was named so, else
    /// the default.
    pub fn service_id<'a>(&'a self, name: Option<&str>, own: Option<&'a str>) -> &'a str {
        let row = name.and_then(|name| self.service_row(name));
        row.map(|row| row.id.as_str())
            .or(own)
            .unwrap_or(&self.default_service)
    }

    /// The line of one of our services.
    pub fn service_row(&self, name: &str) -> Option<&ServiceChoice> {
        self.services.iter().find(|row| row.name == name)
    }

    /// Whether a line or a rule has this name of ours.
    pub fn names_service(&self, name: &str) -> bool {
        let mut rules = self.rules.iter();
        self.service_row(name).is_some() || rules.any(|rule| rule.service.as_deref() == Some(name))
    }

    /// Our names of services, those of lines before those of rules.
    pub fn service_names(&self) -> impl Iterator<Item = &str> {
        let rows = self.services.iter().map(|row| row.name.as_str());
        let rules = self.rules.iter();
        rows.chain(rules.filter_map(|rule| rule.service.as_deref()))
    }

    /// Our name for one of PagerDuty's services: the first that is listed, else that of a rule.
    pub fn service_name(&self, id: &str) -> Option<&str> {
        let listed = self.services.iter().find(|row| row.id == id);
        let by_rule = || {
            let mut rules = self.rules.iter().filter(|rule| rule.id == id);
            rules.find_map(|rule| rule.service.as_deref())
        };
        listed.map(|row| row.name.as_str()).or_else(by_rule)
    }
}
