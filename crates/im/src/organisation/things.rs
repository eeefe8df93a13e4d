//! The things themselves, as they are written everywhere.

use im_core::{Severity, Urgency};
use im_metrics::Metric;
use im_store::arrangements::Sort;
use jiff::civil::{Date, Weekday};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::values::{Interval, Length, Text, Whose, Zone, is_email};

/// A list of more is a mistake.
const LIST_MAX: usize = 1_000;

/// Something that is settled, stored as one row.
pub trait Thing: Serialize + DeserializeOwned + Clone + Send + 'static {
    /// Its sort.
    const SORT: Sort;

    /// The id of its row: a thing with the same takes its place.
    fn key(&self) -> String;
}

/// Working hours from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Whose: `organisation`, `team:ID` or `person:ID`. The person's go before the team's, and these
    /// before the organisation's.
    #[schema(value_type = String, example = "team:ops")]
    pub of: Whose,
    /// The first local date on which they hold.
    #[serde(deserialize_with = "date")]
    #[schema(value_type = String, example = "2026-01-01")]
    pub effective_from: Date,
    /// The zone of the wall clock; left out for each person's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Pacific/Auckland")]
    pub zone: Option<Zone>,
    /// The hours of each day; a day that is left out is free.
    pub week: Week,
}

/// The working hours of a week: `["08:00-12:00", "13:00-17:00"]`. `24:00` is an end; an interval that
/// ends before it starts ends on the next day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Week {
    /// On Mondays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["08:00-18:00"]))]
    pub monday: Vec<Interval>,
    /// On Tuesdays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub tuesday: Vec<Interval>,
    /// On Wednesdays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub wednesday: Vec<Interval>,
    /// On Thursdays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub thursday: Vec<Interval>,
    /// On Fridays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub friday: Vec<Interval>,
    /// On Saturdays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub saturday: Vec<Interval>,
    /// On Sundays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub sunday: Vec<Interval>,
}

impl Week {
    /// The same for the engine.
    pub fn intervals(&self) -> im_metrics::Week {
        let days = [
            (Weekday::Monday, &self.monday),
            (Weekday::Tuesday, &self.tuesday),
            (Weekday::Wednesday, &self.wednesday),
            (Weekday::Thursday, &self.thursday),
            (Weekday::Friday, &self.friday),
            (Weekday::Saturday, &self.saturday),
            (Weekday::Sunday, &self.sunday),
        ];
        let all = days.into_iter();
        let all = all.flat_map(|(day, intervals)| intervals.iter().map(move |one| (day, one)));
        all.fold(im_metrics::Week::default(), |week, (day, interval)| {
            interval.on(day, week)
        })
    }
}

impl Thing for Hours {
    const SORT: Sort = Sort::Hours;

    fn key(&self) -> String {
        format!("{}@{}", self.of, self.effective_from)
    }
}

/// A person of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "RawPerson")]
pub struct Person {
    /// The e-mail address.
    #[schema(value_type = String, example = "ann@example.com")]
    pub id: Text,
    /// What people say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Ann Lee")]
    pub name: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerson {
    id: Text,
    name: Option<Text>,
}

impl TryFrom<RawPerson> for Person {
    type Error = String;

    fn try_from(raw: RawPerson) -> Result<Self, String> {
        if !is_email(raw.id.as_str()) {
            return Err(format!(
                "`{}` is not an e-mail address: a person goes by one, e.g. ann@example.com",
                raw.id
            ));
        }
        Ok(Self {
            id: Text::try_from(raw.id.as_str().to_lowercase())?,
            name: raw.name,
        })
    }
}

impl Thing for Person {
    const SORT: Sort = Sort::Person;

    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// Which person a user of PagerDuty's is, or that nobody cares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "RawUser")]
#[expect(
    clippy::struct_field_names,
    reason = "documents and answers call it so"
)]
pub struct User {
    /// PagerDuty's id of the user.
    #[schema(value_type = String, example = "PUANN01")]
    pub user: Text,
    /// The person, by e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "ann@example.com")]
    pub person: Option<Text>,
    /// The user is nobody's, and is not asked about again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUser {
    user: Text,
    person: Option<Text>,
    #[serde(default)]
    ignored: bool,
}

impl TryFrom<RawUser> for User {
    type Error = String;

    fn try_from(raw: RawUser) -> Result<Self, String> {
        if raw.person.is_some() == raw.ignored {
            return Err(format!(
                "user `{}` is either a `person` or `ignored`",
                raw.user
            ));
        }
        let person = raw.person;
        let person = person.map(|person| Text::try_from(person.as_str().to_lowercase()));
        Ok(Self {
            user: raw.user,
            person: person.transpose()?,
            ignored: raw.ignored,
        })
    }
}

impl Thing for User {
    const SORT: Sort = Sort::User;

    fn key(&self) -> String {
        self.user.to_string()
    }
}

/// A team beside PagerDuty's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "RawTeam")]
pub struct Team {
    /// Its id; not that of a team of PagerDuty's.
    #[schema(value_type = String, example = "ops")]
    pub id: Text,
    /// What people say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Operations")]
    pub name: Option<Text>,
    /// Who is in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// The services that it is responsible for, by PagerDuty's id; a name there or here is taken for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub services: Vec<Text>,
    /// PagerDuty's teams that are a part of it, by id: their members, services and incidents are its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub pagerduty_teams: Vec<Text>,
}

/// A place in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "RawMember")]
pub struct Member {
    /// A person by e-mail address, or a user of PagerDuty's by id.
    #[schema(value_type = String, example = "ann@example.com")]
    pub person: Text,
    /// The first date; left out for ever before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2026-01-01")]
    pub from: Option<Date>,
    /// The last date; left out for ever after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub to: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMember {
    person: Text,
    #[serde(default, deserialize_with = "optional_date")]
    from: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    to: Option<Date>,
}

fn date<'de, D: Deserializer<'de>>(reader: D) -> Result<Date, D::Error> {
    date_of(&String::deserialize(reader)?)
}

fn optional_date<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Date>, D::Error> {
    let text = Option::<String>::deserialize(reader)?;
    text.map(|text| date_of(&text)).transpose()
}

/// A date in our words where it is none; the field is named by whoever reads the whole.
fn date_of<E: Error>(text: &str) -> Result<Date, E> {
    let wrong = |_unread| E::custom(format!("`{text}` is no date: write one like 2026-12-01"));
    text.trim().parse().map_err(wrong)
}

impl TryFrom<RawMember> for Member {
    type Error = String;

    fn try_from(raw: RawMember) -> Result<Self, String> {
        match (raw.from, raw.to) {
            (Some(from), Some(to)) if from > to => Err(format!(
                "{} cannot be in a team from {from} to {to}: give `to` the later date",
                raw.person
            )),
            (from, to) => Ok(Self {
                person: raw.person.as_address(),
                from,
                to,
            }),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTeam {
    id: Text,
    name: Option<Text>,
    #[serde(default)]
    members: Vec<Member>,
    #[serde(default)]
    services: Vec<Text>,
    #[serde(default)]
    pagerduty_teams: Vec<Text>,
}

impl TryFrom<RawTeam> for Team {
    type Error = String;

    fn try_from(raw: RawTeam) -> Result<Self, String> {
        let longest = [
            raw.members.len(),
            raw.services.len(),
            raw.pagerduty_teams.len(),
        ];
        if let Some(many) = longest.into_iter().find(|many| *many > LIST_MAX) {
            return Err(format!(
                "a list of {many} in a team is longer than {LIST_MAX}"
            ));
        }
        if raw.pagerduty_teams.contains(&raw.id) {
            return Err(format!("team `{}` cannot be a part of itself", raw.id));
        }
        Ok(Self {
            id: raw.id,
            name: raw.name,
            members: raw.members,
            services: raw.services,
            pagerduty_teams: raw.pagerduty_teams,
        })
    }
}

impl Thing for Team {
    const SORT: Sort = Sort::Team;

    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// A rule by which an incident is no failure: it excludes those that meet all its conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "RawRule")]
pub struct FailureRule {
    /// Its id.
    #[schema(value_type = String, example = "short-lived")]
    pub id: Text,
    /// Why, for whoever reads a figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<Text>,
    /// Where it began: `pagerduty` or `im`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Its service at trigger, by PagerDuty's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<Text>,
    /// Its urgency at trigger: `high` or `low`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
    /// Its priority at trigger, by PagerDuty's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub priority: Option<Text>,
    /// It is not open, and was over in less than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "5m")]
    pub shorter_than: Option<Length>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Text,
    reason: Option<Text>,
    origin: Option<String>,
    service: Option<Text>,
    urgency: Option<String>,
    priority: Option<Text>,
    shorter_than: Option<Length>,
}

impl TryFrom<RawRule> for FailureRule {
    type Error = String;

    fn try_from(raw: RawRule) -> Result<Self, String> {
        if let Some(origin) = &raw.origin
            && !["pagerduty", "im"].contains(&&**origin)
        {
            return Err(format!(
                "`origin` cannot be `{origin}`: use pagerduty or im"
            ));
        }
        if let Some(urgency) = &raw.urgency
            && Urgency::parse(urgency).is_none()
        {
            return Err(format!("`urgency` cannot be `{urgency}`: use high or low"));
        }
        let conditions = [
            raw.origin.is_some(),
            raw.service.is_some(),
            raw.urgency.is_some(),
            raw.priority.is_some(),
            raw.shorter_than.is_some(),
        ];
        if !conditions.contains(&true) {
            return Err(format!(
                "rule `{}` would exclude every incident: give it an origin, service, urgency, priority or shorter_than",
                raw.id
            ));
        }
        Ok(Self {
            id: raw.id,
            reason: raw.reason,
            origin: raw.origin,
            service: raw.service,
            urgency: raw.urgency,
            priority: raw.priority,
            shorter_than: raw.shorter_than,
        })
    }
}

impl Thing for FailureRule {
    const SORT: Sort = Sort::FailureRule;

    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// What figures are to reach: of a severity, or of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "RawTarget")]
pub struct Target {
    /// `SEV-1` to `SEV-4`, or the name of a metric.
    #[schema(example = "SEV-1")]
    pub name: String,
    /// Of a severity: how long the acknowledgement may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "15m")]
    pub ack: Option<Length>,
    /// Of a severity: how long the resolve may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1h")]
    pub resolve: Option<Length>,
    /// Of a metric: no more than this is good. Seconds, a share, a number a day; of `page_disruptions`
    /// the pages of a person in a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Of a metric: no less than this is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
}

/// The metrics that may have a target.
pub(super) const WITH_TARGET: [Metric; 11] = [
    Metric::Mttr,
    Metric::Mtta,
    Metric::TimeToRestore,
    Metric::FailedDeploymentRecoveryTime,
    Metric::ChangeLeadTime,
    Metric::ChangeFailureRate,
    Metric::DeploymentReworkRate,
    Metric::ReopenRate,
    Metric::IncidentFrequency,
    Metric::DeploymentFrequency,
    Metric::PageDisruptions,
];

/// Whether the figures of a metric are shares of a whole.
fn is_share(metric: Metric) -> bool {
    metric == Metric::ChangeFailureRate
        || metric == Metric::DeploymentReworkRate
        || metric == Metric::ReopenRate
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    name: String,
    ack: Option<Length>,
    resolve: Option<Length>,
    at_most: Option<f64>,
    at_least: Option<f64>,
}

impl TryFrom<RawTarget> for Target {
    type Error = String;

    fn try_from(raw: RawTarget) -> Result<Self, String> {
        let RawTarget {
            name,
            ack,
            resolve,
            at_most,
            at_least,
        } = raw;
        let metric = Metric::parse(&name).filter(|metric| WITH_TARGET.contains(metric));
        let name = match (name.parse::<Severity>(), metric) {
            (Ok(severity), _) => severity.as_str().to_owned(),
            (Err(_), Some(_)) => name,
            (Err(_), None) => {
                let metrics: Vec<&str> = WITH_TARGET.iter().map(|one| one.as_str()).collect();
                let metrics = metrics.join(", ");
                return Err(format!(
                    "`{name}` has no target: name SEV-1 to SEV-4, or one of {metrics}"
                ));
            }
        };
        let of_severity = (ack.is_some(), resolve.is_some());
        let of_metric = (at_most.is_some(), at_least.is_some());
        let fits = match metric {
            None => of_severity == (true, true) && of_metric == (false, false),
            Some(_) => of_severity == (false, false) && of_metric.0 != of_metric.1,
        };
        if !fits {
            return Err(match metric {
                None => format!("the target of {name} is an `ack` and a `resolve`"),
                Some(_) => format!("the target of {name} is either `at_most` or `at_least`"),
            });
        }
        if let Some(odd) = at_most.or(at_least).filter(|bound| *bound < 0.0) {
            return Err(format!(
                "the target of {name} cannot be {odd}: it is 0 or more"
            ));
        }
        let share = at_most
            .or(at_least)
            .filter(|_| metric.is_some_and(is_share));
        if let Some(odd) = share.filter(|bound| *bound > 1.0) {
            return Err(format!(
                "the target of {name} cannot be {odd}: it is a share, at most 1 (100 %)"
            ));
        }
        Ok(Self {
            name,
            ack,
            resolve,
            at_most,
            at_least,
        })
    }
}

impl Target {
    /// Whether a figure is good enough.
    pub fn is_met(&self, figure: f64) -> bool {
        self.at_most.is_none_or(|bound| figure <= bound)
            && self.at_least.is_none_or(|bound| figure >= bound)
    }

    /// Its bound in words and as a number: of a metric there is one.
    pub fn bound(&self) -> (&'static str, f64) {
        match (self.at_most, self.at_least) {
            (Some(most), _) => ("at most", most),
            (None, least) => ("at least", least.unwrap_or_default()),
        }
    }
}

impl Thing for Target {
    const SORT: Sort = Sort::Target;

    fn key(&self) -> String {
        self.name.clone()
    }
}
