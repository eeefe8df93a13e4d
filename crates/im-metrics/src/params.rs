//! Parameters as text: names and values in, a [`Query`] or a helpful refusal out.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::answer::CELLS_MAX;
use crate::benchmarks;
use crate::calendar::{BUCKETS_MAX, BucketSize};
use crate::input::ResolverKind;
use crate::query::{
    AsOf, BucketBy, Dimension, Filter, Measure, Metric, Mode, PageSource, Query, Reach, Recovery,
    Sort, View, When,
};

/// Why a question is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// No such metric.
    #[error("`{name}` is not a metric: use {allowed}")]
    Metric {
        /// What was asked for.
        name: String,
        /// What there is.
        allowed: String,
    },
    /// The metric has no such parameter.
    #[error("{metric} has no parameter `{name}`: use {allowed}")]
    Parameter {
        /// The metric; where another source has it, with the source.
        metric: String,
        /// What was given.
        name: String,
        /// What there is.
        allowed: String,
    },
    /// Not a value of the parameter.
    #[error("`{name}` cannot be `{value}` for {metric}: use {allowed}")]
    Value {
        /// The metric.
        metric: &'static str,
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
        /// What there is.
        allowed: String,
    },
    /// A value to filter by that nothing has.
    #[error("nothing that is known here has the {by} `{value}`: {instead}")]
    Unknown {
        /// What is filtered by.
        by: &'static str,
        /// What was given.
        value: String,
        /// What there is.
        instead: String,
    },
    /// Given twice.
    #[error("`{0}` was given twice: once is enough")]
    Twice(String),
    /// Response times per person.
    #[error(
        "{metric} is never shown per person: group or filter by {allowed}; only oncall_load tells how people respond"
    )]
    Personal {
        /// The metric.
        metric: &'static str,
        /// What there is.
        allowed: String,
    },
    /// The range is empty.
    #[error("the range ends on {to}, before it starts on {from}: give `from` a date up to {to}")]
    Range {
        /// Its start.
        from: Date,
        /// Its end.
        to: Date,
    },
    /// The range before would begin before the first year.
    #[error(
        "there is no time before {from} to compare as many dates with: give a later `from`, or leave `compare` out"
    )]
    Before {
        /// Its start.
        from: Date,
    },
    /// Too many figures.
    #[error(
        "{groups} groups in {width} buckets are more than {CELLS_MAX} figures: use a longer `bucket`, a shorter range or a filter"
    )]
    Cells {
        /// Groups.
        groups: usize,
        /// Buckets.
        width: usize,
    },
    /// Too many buckets.
    #[error(
        "a range from {from} to {to} has more than {BUCKETS_MAX} buckets of a {bucket}: use a longer `bucket` or a shorter range"
    )]
    Buckets {
        /// Its start.
        from: Date,
        /// Its end.
        to: Date,
        /// Their size.
        bucket: &'static str,
    },
}

impl BadQuery {
    /// The same for whoever asked for `what`: the metric whose question it became was not named by them.
    #[must_use]
    pub fn asked_of(mut self, what: &'static str) -> Self {
        if let Self::Value { metric, .. } = &mut self {
            *metric = what;
        }
        self
    }
}

const DAY: i64 = 24 * 3_600_000_000;

/// Reads a question. A filter may be given several times, and everything else once.
pub fn parse<'a>(
    metric: &str,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Query, BadQuery> {
    let found = Metric::parse(metric).ok_or_else(|| BadQuery::Metric {
        name: metric.to_owned(),
        allowed: list(Metric::ALL.iter().map(|metric| metric.as_str())),
    })?;
    Reader {
        metric: found,
        params: params.into_iter().collect(),
    }
    .read()
}

/// The parameters that a metric has, filters included.
pub fn parameters_of(metric: Metric) -> Vec<&'static str> {
    let mut names = vec![
        "from",
        "to",
        "bucket",
        "group_by",
        "as_of",
        "as_of_time",
        "compare",
        "sort",
        "view",
    ];
    // The failures of a deployment are not its items.
    if !metric.is_of_deployments() && metric != Metric::ChangeFailureRate {
        names.push("history");
    }
    names.extend_from_slice(own_parameters(metric));
    if metric.is_dora() {
        names.push("benchmark");
    }
    // Which source a query names decides whether it may filter by user.
    let filters = Dimension::filters_of(metric, PageSource::Notifications);
    names.extend(filters.iter().map(|filter| filter.as_str()));
    names
}

/// What a question uses of what its metric has beside range, bucket, group and comparison: each parameter with
/// its value, given or not, and the filters.
pub fn used(query: &Query) -> Vec<(&'static str, String)> {
    let mut used = vec![("as_of", query.as_of.as_str().to_owned())];
    if query.reach == Reach::Live {
        used.push(("history", query.reach.as_str().to_owned()));
    }
    let own = own_parameters(query.metric).iter();
    used.extend(own.map(|name| (*name, value_of(query, name))));
    for (dimension, values) in &query.filters {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
        used.extend(values.iter().map(|value| (dimension.as_str(), text(value))));
    }
    used
}

fn value_of(query: &Query, name: &str) -> String {
    match name {
        "recovery" => query.recovery.as_str().to_owned(),
        "bucket_by" => query.bucket_by.as_str().to_owned(),
        "source" => query.source.as_str().to_owned(),
        "include_email" => query.include_email.to_string(),
        "collapse_minutes" => query.collapse_minutes.to_string(),
        "measure" => query.measure.as_str().to_owned(),
        "when" => query.when.as_str().to_owned(),
        "distinct" => query.distinct.to_string(),
        "mode" => query.mode.as_str().to_owned(),
        "max_lag" => match query.max_lag.map(|lag| lag / 60_000_000) {
            None => "none".to_owned(),
            Some(minutes) if minutes % 60 == 0 => format!("{}h", minutes / 60),
            Some(minutes) => format!("{minutes}m"),
        },
        _ => String::new(),
    }
}

fn own_parameters(metric: Metric) -> &'static [&'static str] {
    match metric {
        Metric::Mttr => &["recovery", "bucket_by"],
        Metric::TimeToRestore => &["recovery"],
        Metric::FailedDeploymentRecoveryTime => &["recovery", "max_lag"],
        Metric::Pages => &["source", "include_email", "collapse_minutes"],
        Metric::PageDisruptions => &[
            "source",
            "include_email",
            "collapse_minutes",
            "measure",
            "when",
            "distinct",
        ],
        Metric::OncallLoad => &["include_email"],
        Metric::ChangeFailureRate => &["mode", "max_lag"],
        Metric::Mtta
        | Metric::IncidentFrequency
        | Metric::DeploymentFrequency
        | Metric::ChangeLeadTime
        | Metric::DeploymentReworkRate
        | Metric::SlaCompliance
        | Metric::ReopenRate
        | Metric::OpenIncidents
        | Metric::Escalations => &[],
    }
}

struct Reader<'a> {
    metric: Metric,
    params: Vec<(&'a str, &'a str)>,
}

impl Reader<'_> {
    fn read(&self) -> Result<Query, BadQuery> {
        self.check_names()?;
        let source = self.source()?;
        let view = self.word("view", View::parse, &words(View::ALL, View::as_str))?;
        let query = Query {
            metric: self.metric,
            from: self.date("from")?,
            to: self.date("to")?,
            bucket: self.bucket()?,
            group_by: self.group_by(source)?,
            filters: self.filters(source)?,
            as_of: self
                .word("as_of", AsOf::parse, &words(AsOf::ALL, AsOf::as_str))?
                .unwrap_or(AsOf::Trigger),
            compare: self
                .word(
                    "compare",
                    |word| (word == "previous").then_some(()),
                    "previous",
                )?
                .is_some(),
            sort: self
                .word("sort", Sort::parse, &words(Sort::ALL, Sort::as_str))?
                .unwrap_or(Sort::Key),
            reach: self
                .word("history", Reach::parse, &words(Reach::ALL, Reach::as_str))?
                .unwrap_or(Reach::All),
            as_of_time: self.instant("as_of_time")?,
            recovery: self.recovery(view)?,
            bucket_by: self.bucket_by(view)?,
            source,
            include_email: self.include_email(source)?,
            collapse_minutes: self.collapse_minutes(source)?,
            measure: self
                .word(
                    "measure",
                    Measure::parse,
                    &words(Measure::ALL, Measure::as_str),
                )?
                .unwrap_or(Measure::Pages),
            distinct: self.yes("distinct")?,
            when: self
                .word("when", When::parse, &words(When::ALL, When::as_str))?
                .unwrap_or(When::All),
            mode: self.mode(view)?,
            max_lag: self.max_lag(view)?,
            benchmark: self.benchmark()?,
        };
        match (query.from, query.to) {
            (Some(from), Some(to)) if from > to => Err(BadQuery::Range { from, to }),
            _ => Ok(query),
        }
    }

    fn check_names(&self) -> Result<(), BadQuery> {
        let allowed = parameters_of(self.metric);
        for (place, (name, _)) in self.params.iter().enumerate() {
            if *name == "user" && self.metric.is_response_time() {
                return Err(self.personal());
            }
            if !allowed.contains(name) {
                return Err(BadQuery::Parameter {
                    metric: self.metric.as_str().to_owned(),
                    name: (*name).to_owned(),
                    allowed: list(allowed.into_iter()),
                });
            }
            let before = self.params.iter().take(place);
            let is_filter = Dimension::parse(name).is_some();
            if !is_filter && before.into_iter().any(|(other, _)| other == name) {
                return Err(BadQuery::Twice((*name).to_owned()));
            }
        }
        Ok(())
    }

    fn personal(&self) -> BadQuery {
        let groups = Dimension::groups_of(self.metric, PageSource::Incidents);
        BadQuery::Personal {
            metric: self.metric.as_str(),
            allowed: list(groups.iter().map(|group| group.as_str())),
        }
    }

    fn refuse(&self, name: &str, value: &str, allowed: impl Into<String>) -> BadQuery {
        BadQuery::Value {
            metric: self.metric.as_str(),
            name: name.to_owned(),
            value: value.to_owned(),
            allowed: allowed.into(),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| *value)
    }

    fn word<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        allowed: &str,
    ) -> Result<Option<T>, BadQuery> {
        let value = self.get(name);
        value
            .map(|value| parse(value).ok_or_else(|| self.refuse(name, value, allowed)))
            .transpose()
    }

    fn yes(&self, name: &str) -> Result<bool, BadQuery> {
        let parse = |word: &str| word.parse::<bool>().ok();
        Ok(self.word(name, parse, "true or false")?.unwrap_or(false))
    }

    fn date(&self, name: &str) -> Result<Option<Date>, BadQuery> {
        let parse = |word: &str| (word.len() == 10).then(|| word.parse().ok()).flatten();
        self.word(name, parse, "a date such as 2026-11-30")
    }

    fn instant(&self, name: &str) -> Result<Option<Timestamp>, BadQuery> {
        let parse = |word: &str| word.parse().ok();
        self.word(name, parse, "an instant such as 2026-11-30T09:00:00Z")
    }

    fn bucket(&self) -> Result<BucketSize, BadQuery> {
        let sizes = BucketSize::ALL;
        let parse = |word: &str| sizes.into_iter().find(|size| size.as_str() == word);
        let allowed = list(sizes.iter().map(|size| size.as_str()));
        Ok(self
            .word("bucket", parse, &allowed)?
            .unwrap_or(BucketSize::Week))
    }

    fn source(&self) -> Result<PageSource, BadQuery> {
        let is_disruptions = self.metric == Metric::PageDisruptions;
        let of_people = [PageSource::Acknowledgements, PageSource::Notifications];
        let allowed = if is_disruptions {
            &of_people
        } else {
            PageSource::ALL
        };
        let parse = |word: &str| PageSource::parse(word).filter(|source| allowed.contains(source));
        let found = self.word("source", parse, &words(allowed, PageSource::as_str))?;
        Ok(found.unwrap_or(if is_disruptions {
            PageSource::Acknowledgements
        } else if self.metric == Metric::OncallLoad {
            PageSource::Notifications
        } else {
            PageSource::Incidents
        }))
    }

    fn group_by(&self, source: PageSource) -> Result<Option<Dimension>, BadQuery> {
        let groups = Dimension::groups_of(self.metric, source);
        let Some(value) = self.get("group_by").filter(|value| *value != "none") else {
            return Ok(None);
        };
        if value == "user" && self.metric.is_response_time() {
            return Err(self.personal());
        }
        let found = Dimension::parse(value).filter(|group| groups.contains(group));
        found.map(Some).ok_or_else(|| {
            let groups = groups.iter().map(|group| group.as_str());
            self.refuse(
                "group_by",
                value,
                list(std::iter::once("none").chain(groups)),
            )
        })
    }

    fn filters(&self, source: PageSource) -> Result<Vec<Filter>, BadQuery> {
        let allowed = Dimension::filters_of(self.metric, source);
        let mut filters: Vec<Filter> = Vec::new();
        for (name, value) in &self.params {
            let Some(dimension) = Dimension::parse(name) else {
                continue;
            };
            if !allowed.contains(&dimension) {
                let allowed = list(allowed.iter().map(|filter| filter.as_str()));
                let (metric, source) = (self.metric.as_str(), source.as_str());
                return Err(BadQuery::Parameter {
                    metric: format!("{metric} with source={source}"),
                    name: (*name).to_owned(),
                    allowed,
                });
            }
            // Nothing is in an environment without a name.
            let is_empty = dimension == Dimension::Environment && value.trim().is_empty();
            let is_null = is_empty || *value == "null" && dimension != Dimension::Title;
            if dimension == Dimension::Urgency && !["high", "low", "null"].contains(value) {
                return Err(self.refuse(name, value, "high, low or null"));
            }
            if dimension == Dimension::Origin && !["pagerduty", "im", "null"].contains(value) {
                return Err(self.refuse(name, value, "pagerduty or im"));
            }
            let kinds = ResolverKind::ALL.map(ResolverKind::as_str);
            if dimension == Dimension::ResolverKind && !kinds.contains(value) {
                return Err(self.refuse(name, value, list(kinds.into_iter())));
            }
            let value = (!is_null).then(|| {
                if dimension == Dimension::Environment {
                    value.trim().to_lowercase()
                } else if dimension == Dimension::Title {
                    value.to_lowercase()
                } else {
                    (*value).to_owned()
                }
            });
            match filters.iter_mut().find(|(have, _)| *have == dimension) {
                Some((_, values)) if values.contains(&value) => {}
                Some((_, values)) => values.push(value),
                None => filters.push((dimension, vec![value])),
            }
        }
        Ok(filters)
    }

    fn recovery(&self, view: Option<View>) -> Result<Recovery, BadQuery> {
        let of_deployments = [Recovery::Last, Recovery::First];
        let allowed = if self.metric == Metric::FailedDeploymentRecoveryTime {
            &of_deployments
        } else {
            Recovery::ALL
        };
        let parse = |word: &str| Recovery::parse(word).filter(|found| allowed.contains(found));
        let found = self.word("recovery", parse, &words(allowed, Recovery::as_str))?;
        Ok(found.unwrap_or(if view == Some(View::Multitudes) {
            Recovery::First
        } else {
            Recovery::Last
        }))
    }

    fn bucket_by(&self, view: Option<View>) -> Result<BucketBy, BadQuery> {
        let allowed = words(BucketBy::ALL, BucketBy::as_str);
        let found = self.word("bucket_by", BucketBy::parse, &allowed)?;
        Ok(found.unwrap_or(if view == Some(View::Middleware) {
            BucketBy::Resolved
        } else {
            BucketBy::Triggered
        }))
    }

    fn include_email(&self, source: PageSource) -> Result<bool, BadQuery> {
        match self.get("include_email") {
            Some(value) if source != PageSource::Notifications => {
                Err(self.refuse("include_email", value, "source=notifications with it"))
            }
            _ => self.yes("include_email"),
        }
    }

    fn collapse_minutes(&self, source: PageSource) -> Result<u32, BadQuery> {
        match self.get("collapse_minutes") {
            Some(value) if source != PageSource::Acknowledgements => {
                let allowed = "source=acknowledgements with it";
                Err(self.refuse("collapse_minutes", value, allowed))
            }
            _ => {
                let parse = |word: &str| word.parse().ok();
                let found = self.word("collapse_minutes", parse, "a number of minutes")?;
                Ok(found.unwrap_or(0))
            }
        }
    }

    fn mode(&self, view: Option<View>) -> Result<Mode, BadQuery> {
        let found = self.word("mode", Mode::parse, &words(Mode::ALL, Mode::as_str))?;
        Ok(found.unwrap_or(if view == Some(View::Datadog) {
            Mode::Impact
        } else {
            Mode::Attributed
        }))
    }

    fn max_lag(&self, view: Option<View>) -> Result<Option<i64>, BadQuery> {
        let parse = |word: &str| match word {
            "none" => Some(None),
            word => length(word).map(Some),
        };
        let found = self.word("max_lag", parse, "a length such as 24h, 90m or 2d, or none")?;
        let is_open = view == Some(View::Middleware) && self.metric == Metric::ChangeFailureRate;
        Ok(found.unwrap_or((!is_open).then_some(DAY)))
    }

    fn benchmark(&self) -> Result<Option<u16>, BadQuery> {
        if !self.metric.is_dora() {
            return Ok(None);
        }
        let years = benchmarks::years();
        let parse = |word: &str| match word {
            "none" => Some(None),
            word => word
                .parse()
                .ok()
                .filter(|year| years.contains(year))
                .map(Some),
        };
        let shown: Vec<String> = years.iter().map(u16::to_string).collect();
        let allowed = list(shown.iter().map(String::as_str).chain(["none"]));
        let found = self.word("benchmark", parse, &allowed)?;
        Ok(found.unwrap_or_else(|| years.last().copied()))
    }
}

/// A length of time in microseconds: a number with `s`, `m`, `h` or `d`.
fn length(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let micros = match unit {
        's' => 1_000_000,
        'm' => 60_000_000,
        'h' => 3_600_000_000,
        'd' => DAY,
        _ => return None,
    };
    let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
    i64::from(number).checked_mul(micros)
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> String {
    let all: Vec<&str> = all.iter().map(|one| word(*one)).collect();
    list(all.into_iter())
}

/// `a, b or c`.
fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
