//! The second implementation: slow, plain, straight from the events.
//!
//! It shares no code with the engine but the question and the shapes of figures. Each figure is
//! computed alone: all events are walked again for every incident, buckets are found by local dates
//! instead of cut points, wall clocks are asked for each page, links are searched in all deployments.

use std::collections::BTreeSet;

use im_metrics::input::{Deployment, Event, History, ResolverKind, Values, What};
use im_metrics::{
    AsOf, BucketBy, BucketSize, Dimension, LeftOut, Metric, Mode, Query, Reach, Recovery, Value,
    Verdict,
};
use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::given::{World, zone};

mod changes;
mod figures;
mod marks;
mod pages;

pub(crate) use marks::Marks;

/// Seconds to the acknowledgement and to the resolve.
const TARGETS: [(&str, i64, i64); 4] = [
    ("SEV-1", 15 * 60, 60 * 60),
    ("SEV-2", 30 * 60, 4 * 60 * 60),
    ("SEV-3", 2 * 60 * 60, 24 * 60 * 60),
    ("SEV-4", 8 * 60 * 60, 72 * 60 * 60),
];

/// One thing that counts.
#[derive(Debug, Clone)]
struct Sample<'a> {
    at: Timestamp,
    of: Of<'a>,
    teams: Vec<String>,
    user: Option<String>,
    resolver: Option<ResolverKind>,
    value: Counts,
}

#[derive(Debug, Clone, Copy)]
enum Of<'a> {
    Incident(&'a History),
    Deployment(&'a Deployment),
}

#[derive(Debug, Clone, PartialEq)]
enum Counts {
    Micros(i128),
    One,
    Hour(String, Timestamp),
    Whole { part: bool },
    Part,
    Targets(Verdict, Verdict),
    Page(Option<i128>, bool, bool),
}

/// An incident as far as it has happened.
struct Life<'a> {
    history: &'a History,
    events: Vec<&'a Event>,
    /// Resolves that count: place among the events.
    resolves: Vec<usize>,
    reopens: Vec<usize>,
}

pub(crate) struct Oracle<'a> {
    world: &'a World,
    pub(crate) query: &'a Query,
    as_of: Timestamp,
    pub(crate) dates: (Date, Date),
    /// Everything that passes the filters and is a matter of an instant, with its local date.
    all: Vec<(Date, Sample<'a>)>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(world: &'a World, query: &'a Query) -> Self {
        let as_of = query.as_of_time.unwrap_or(world.now);
        let today = as_of.to_zoned(zone(world.zone)).date();
        let to = query.to.unwrap_or(today);
        let from = query
            .from
            .unwrap_or_else(|| to.checked_sub(41.days()).unwrap());
        let mut oracle = Self {
            world,
            query,
            as_of,
            dates: (from, to),
            all: Vec::new(),
        };
        if query.metric != Metric::OpenIncidents {
            let zone = zone(world.zone);
            let dated = |sample: Sample<'a>| (sample.at.to_zoned(zone.clone()).date(), sample);
            oracle.all = oracle.passing(&[]).into_iter().map(dated).collect();
        }
        oracle
    }

    /// The same question for as many dates before.
    pub(crate) fn before(&self) -> Self {
        let (from, to) = self.dates;
        let days = all_dates(from, to).len();
        let earlier = |date: Date| {
            date.checked_sub(i64::try_from(days).unwrap().days())
                .unwrap()
        };
        Self {
            dates: (earlier(from), earlier(to)),
            all: self.all.clone(),
            ..*self
        }
    }

    /// The dates of each bucket, and its label.
    pub(crate) fn buckets(&self) -> Vec<(Date, Vec<Date>)> {
        let mut buckets: Vec<(Date, Vec<Date>)> = Vec::new();
        for date in all_dates(self.dates.0, self.dates.1) {
            let label = self.label(date);
            match buckets.last_mut() {
                Some((last, dates)) if *last == label => dates.push(date),
                _ => buckets.push((label, vec![date])),
            }
        }
        buckets
    }

    /// The nominal start of the bucket that holds a date.
    fn label(&self, date: Date) -> Date {
        match self.query.bucket {
            BucketSize::Day => date,
            BucketSize::Week => {
                let mut monday = date;
                while monday.weekday() != Weekday::Monday {
                    monday = monday.yesterday().unwrap();
                }
                monday
            }
            BucketSize::Month => date.first_of_month(),
            BucketSize::Quarter => {
                let month = [1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10]
                    [usize::try_from(date.month()).unwrap() - 1];
                jiff::civil::date(date.year(), month, 1)
            }
            BucketSize::All => self.dates.0,
        }
    }

    fn lives(&self) -> Vec<Life<'a>> {
        let histories = self.world.histories.iter();
        let lives = histories.map(|history| {
            let events = history.events.iter();
            let events: Vec<&Event> = events.filter(|event| event.at <= self.as_of).collect();
            let mut life = Life {
                history,
                resolves: Vec::new(),
                reopens: Vec::new(),
                events,
            };
            for (place, event) in life.events.iter().enumerate() {
                let is_open = life.resolves.len() == life.reopens.len();
                match event.what {
                    What::Resolved(..) if is_open => life.resolves.push(place),
                    What::Reopened if !is_open => life.reopens.push(place),
                    _ => {}
                }
            }
            life
        });
        lives.filter(|life| !life.events.is_empty()).collect()
    }

    /// The value of one group in a set of dates; `keys` are texts as the answer shows them.
    pub(crate) fn value(&self, keys: &[Option<String>], dates: &[Date]) -> Value {
        let samples = self.samples(dates);
        let samples: Vec<&Sample<'_>> = samples
            .iter()
            .filter(|sample| self.keys_of(sample).iter().any(|found| found == keys))
            .collect();
        let figure = self.compute(&samples, dates.len());
        let rebuilt = samples.iter().filter(|sample| is_rebuilt(sample));
        Value {
            figure,
            level: self.level(&figure),
            rebuilt: u64::try_from(rebuilt.count()).unwrap(),
            oldest: self.oldest(&samples),
        }
    }

    /// The keys of every group with at least one item in the range.
    pub(crate) fn groups(&self) -> BTreeSet<Vec<Option<String>>> {
        let buckets = self.buckets();
        let mut groups = BTreeSet::new();
        for (_, dates) in &buckets {
            for sample in self.samples(dates) {
                groups.extend(self.keys_of(&sample));
            }
        }
        groups
    }

    fn keys_of(&self, sample: &Sample<'_>) -> Vec<Vec<Option<String>>> {
        let by_user = self.query.metric == Metric::OncallLoad;
        let user = by_user.then(|| sample.user.clone());
        let Some(by) = self.query.group_by else {
            return vec![user.into_iter().collect()];
        };
        let values: Vec<Option<String>> = match by {
            Dimension::Team if sample.teams.is_empty() => vec![None],
            Dimension::Team => sample.teams.iter().cloned().map(Some).collect(),
            Dimension::User => vec![sample.user.clone()],
            Dimension::ResolverKind => {
                vec![sample.resolver.map(|kind| kind.as_str().to_owned())]
            }
            by => vec![self.field(sample.of, by)],
        };
        let team_filter = self.filter(Dimension::Team);
        let shown = |value: &Option<String>| {
            by != Dimension::Team || team_filter.is_none_or(|allowed| allowed.contains(value))
        };
        let values = values.into_iter().filter(shown);
        values
            .map(|value| user.iter().cloned().chain([value]).collect())
            .collect()
    }

    fn filter(&self, dimension: Dimension) -> Option<&Vec<Option<String>>> {
        let mut filters = self.query.filters.iter();
        filters
            .find(|(by, _)| *by == dimension)
            .map(|(_, values)| values)
    }

    fn values(&self, history: &'a History) -> &'a Values {
        match self.query.as_of {
            AsOf::Trigger => &history.at_trigger,
            AsOf::Current => &history.current,
        }
    }

    fn policy(&self, history: &'a History) -> Option<String> {
        let values = self.values(history);
        if self.query.as_of == AsOf::Trigger && history.policy_untold {
            let of_service = &self.world.policy_of_service;
            return of_service.get(values.service.as_ref()?).cloned();
        }
        values.policy.clone()
    }

    fn field(&self, of: Of<'a>, dimension: Dimension) -> Option<String> {
        let environment = |given: &Option<String>| {
            let given = given.clone().filter(|text| !text.is_empty());
            given.map(|text| text.to_lowercase())
        };
        match (of, dimension) {
            (Of::Deployment(deployment), Dimension::Service) => Some(deployment.service.clone()),
            (Of::Deployment(deployment), Dimension::Environment) => {
                environment(&deployment.environment)
            }
            (Of::Incident(history), dimension) => match dimension {
                Dimension::Service => self.values(history).service.clone(),
                Dimension::EscalationPolicy => self.policy(history),
                Dimension::Urgency => self.values(history).urgency.clone(),
                Dimension::Priority => self.values(history).priority.clone(),
                Dimension::Severity => history.severity.clone(),
                Dimension::Environment => environment(&history.environment),
                Dimension::Origin => Some(history.origin.clone()),
                other => panic!("an incident has no {other:?}"),
            },
            (_, other) => panic!("a deployment has no {other:?}"),
        }
    }

    fn passes(&self, of: Of<'a>, skip: &[Dimension]) -> bool {
        self.query.filters.iter().all(|(by, allowed)| match by {
            by if skip.contains(by) => true,
            Dimension::Team | Dimension::User | Dimension::ResolverKind => true,
            Dimension::Title => match of {
                Of::Incident(history) => {
                    let title = history.title.to_lowercase();
                    allowed.iter().flatten().any(|part| title.contains(part))
                }
                Of::Deployment(_) => panic!("a deployment has no title"),
            },
            by => allowed.contains(&self.field(of, *by)),
        })
    }

    fn passes_team(&self, teams: &[String]) -> bool {
        self.filter(Dimension::Team)
            .is_none_or(|allowed| match teams {
                [] => allowed.contains(&None),
                teams => teams
                    .iter()
                    .any(|team| allowed.contains(&Some(team.clone()))),
            })
    }

    /// Everything that counts on one of the dates and passes the filters.
    fn samples(&self, dates: &[Date]) -> Vec<Sample<'a>> {
        if self.query.metric == Metric::OpenIncidents {
            return self.passing(dates);
        }
        let within = self.all.iter().filter(|(on, _)| dates.contains(on));
        within.map(|(_, sample)| sample.clone()).collect()
    }

    fn passing(&self, dates: &[Date]) -> Vec<Sample<'a>> {
        let mut samples = self.unfiltered(dates);
        let users = self.filter(Dimension::User);
        let kinds = self.filter(Dimension::ResolverKind);
        let kind = |sample: &Sample<'_>| sample.resolver.map(|kind| kind.as_str().to_owned());
        samples.retain(|sample| {
            self.passes_team(&sample.teams)
                && users.is_none_or(|allowed| allowed.contains(&sample.user))
                && kinds.is_none_or(|allowed| allowed.contains(&kind(sample)))
                && !(self.query.reach == Reach::Live && is_rebuilt(sample))
                && match sample.of {
                    of @ Of::Incident(_) => self.passes(of, &[]),
                    of @ Of::Deployment(_) => [Dimension::Service, Dimension::Environment]
                        .into_iter()
                        .all(|by| {
                            let value = self.field(of, by);
                            self.filter(by)
                                .is_none_or(|allowed| allowed.contains(&value))
                        }),
                }
        });
        samples
    }

    fn unfiltered(&self, dates: &[Date]) -> Vec<Sample<'a>> {
        let lives = self.lives();
        match self.query.metric {
            Metric::DeploymentFrequency | Metric::ChangeLeadTime | Metric::DeploymentReworkRate => {
                self.deployments()
            }
            Metric::ChangeFailureRate => self.change_failures(&lives),
            _ => lives
                .iter()
                .flat_map(|life| self.of_incident(life, dates))
                .collect(),
        }
    }

    fn of_incident(&self, life: &Life<'a>, dates: &[Date]) -> Vec<Sample<'a>> {
        let trigger = life.events[0].at;
        let whole = |at, value| self.sample(life.history, at, value);
        let counts = !is_test(life.history) && !Self::is_merged(life);
        let mut samples = Vec::new();
        match self.query.metric {
            Metric::Mttr if counts => samples.extend(self.recovered(life).map(|(used, took)| {
                let at = match self.query.bucket_by {
                    BucketBy::Triggered => trigger,
                    BucketBy::Resolved => used.at,
                };
                Sample {
                    teams: self.teams_of(actor(used), used.at),
                    resolver: Some(Self::resolver(life, used)),
                    ..whole(at, Counts::Micros(took))
                }
            })),
            Metric::Mtta if counts => samples.extend(first_ack(life).map(|ack| Sample {
                teams: self.teams_of(actor(ack), ack.at),
                ..whole(trigger, Counts::Micros(micros(trigger, ack.at)))
            })),
            Metric::IncidentFrequency if counts => samples.push(whole(trigger, Counts::One)),
            Metric::ReopenRate if counts && !life.resolves.is_empty() => {
                let part = !life.reopens.is_empty();
                samples.push(whole(trigger, Counts::Whole { part }));
            }
            Metric::TimeToRestore if self.is_failure(life) => {
                samples.extend(self.recovered(life).map(|(used, took)| Sample {
                    resolver: Some(Self::resolver(life, used)),
                    ..whole(used.at, Counts::Micros(took))
                }));
            }
            Metric::FailedDeploymentRecoveryTime if self.is_failure(life) => {
                let recovered = self.recovered(life).zip(self.linked_finish(life));
                let recovered = recovered.filter(|((used, _), finish)| used.at >= *finish);
                samples.extend(recovered.map(|((used, _), finish)| Sample {
                    resolver: Some(Self::resolver(life, used)),
                    ..whole(used.at, Counts::Micros(micros(finish, used.at)))
                }));
            }
            Metric::SlaCompliance if counts => {
                samples.extend(
                    self.judged(life)
                        .map(|(ack, resolve)| whole(trigger, Counts::Targets(ack, resolve))),
                );
            }
            Metric::OpenIncidents if !is_test(life.history) => {
                samples.extend(
                    self.is_open_after(life, dates)
                        .then(|| whole(trigger, Counts::One)),
                );
            }
            Metric::Escalations if !is_test(life.history) => {
                let escalated = life.events.iter();
                let escalated = escalated.filter(|event| matches!(event.what, What::Escalated(_)));
                samples.extend(escalated.map(|event| whole(event.at, Counts::One)));
            }
            Metric::Pages | Metric::PageDisruptions | Metric::OncallLoad
                if !is_test(life.history) =>
            {
                samples.extend(self.pages(life));
            }
            _ => {}
        }
        samples
    }

    fn sample(&self, history: &'a History, at: Timestamp, value: Counts) -> Sample<'a> {
        Sample {
            at,
            of: Of::Incident(history),
            teams: self.own_teams(history),
            user: None,
            resolver: None,
            value,
        }
    }

    /// The teams of an incident itself.
    fn own_teams(&self, history: &History) -> Vec<String> {
        self.with_own(&history.teams, history.at_trigger.service.as_ref())
    }

    fn is_merged(life: &Life<'_>) -> bool {
        life.history.merged && !life.is_open()
    }

    fn is_failure(&self, life: &Life<'_>) -> bool {
        !is_test(life.history) && !Self::is_merged(life) && self.is_change_related(life)
    }

    fn is_change_related(&self, life: &Life<'_>) -> bool {
        let lasted = life.last_resolve().filter(|_| !life.is_open());
        let lasted = lasted.map(|end| end.at.duration_since(life.events[0].at));
        let history = life.history;
        let excluded = self.world.rules.iter().any(|rule| {
            let fits = |want: &Option<String>, has: Option<&String>| match want {
                Some(want) => has == Some(want),
                None => true,
            };
            let short = match (rule.shorter_than_s, lasted) {
                (Some(max), Some(lasted)) => lasted < SignedDuration::from_secs(max),
                (Some(_), None) => false,
                (None, _) => true,
            };
            fits(&rule.origin, Some(&history.origin))
                && fits(&rule.service, history.at_trigger.service.as_ref())
                && fits(&rule.urgency, history.at_trigger.urgency.as_ref())
                && fits(&rule.priority, history.at_trigger.priority.as_ref())
                && short
        });
        !excluded && !history.not_change_related
    }

    /// The resolve used, and how long it took, if it is not open.
    fn recovered<'b>(&self, life: &Life<'b>) -> Option<(&'b Event, i128)> {
        if life.is_open() {
            return None;
        }
        let trigger = life.events[0].at;
        let last = life.last_resolve()?;
        Some(match self.query.recovery {
            Recovery::Last => (last, micros(trigger, last.at)),
            Recovery::First => {
                let first = life.events[life.resolves[0]];
                (first, micros(trigger, first.at))
            }
            Recovery::OpenTime => {
                let ends: i128 = life
                    .resolves
                    .iter()
                    .map(|end| micros(trigger, life.events[*end].at))
                    .sum();
                let starts: i128 = life
                    .reopens
                    .iter()
                    .map(|again| micros(trigger, life.events[*again].at))
                    .sum();
                (last, ends - starts)
            }
        })
    }

    fn resolver(life: &Life<'_>, used: &Event) -> ResolverKind {
        let is_last = life
            .last_resolve()
            .is_some_and(|last| std::ptr::eq(last, used));
        match used.what {
            What::Resolved(_, _) if is_last && life.history.merged => ResolverKind::Merge,
            What::Resolved(_, kind) => kind,
            _ => panic!("not a resolve"),
        }
    }

    fn judged(&self, life: &Life<'_>) -> Option<(Verdict, Verdict)> {
        let severity = life.history.severity.as_deref()?;
        let (_, ack_s, resolve_s) = TARGETS.iter().find(|(of, _, _)| *of == severity)?;
        let trigger = life.events[0].at;
        let judge = |done: Option<Timestamp>, seconds: i64| {
            let due = trigger + SignedDuration::from_secs(seconds);
            match done {
                Some(done) if done <= due => Verdict::Met,
                Some(_) => Verdict::Breached,
                None if self.as_of > due => Verdict::Breached,
                None => Verdict::Pending,
            }
        };
        let acked = first_ack(life).map(|ack| ack.at);
        let resolved = life.resolves.first().map(|place| life.events[*place].at);
        let stopped = [acked, resolved].into_iter().flatten().min();
        let over = life
            .last_resolve()
            .filter(|_| !life.is_open())
            .map(|end| end.at);
        Some((judge(stopped, *ack_s), judge(over, *resolve_s)))
    }

    fn is_open_after(&self, life: &Life<'_>, dates: &[Date]) -> bool {
        let next = dates.last().unwrap().tomorrow().unwrap();
        let end = next.to_zoned(zone(self.world.zone)).unwrap().timestamp();
        let happened = |event: &Event| {
            if self.as_of < end {
                event.at <= self.as_of
            } else {
                event.at < end
            }
        };
        let count = |places: &[usize]| {
            places
                .iter()
                .filter(|place| happened(life.events[**place]))
                .count()
        };
        happened(life.events[0]) && count(&life.resolves) == count(&life.reopens)
    }

    /// Zero for each reason that the metric uses.
    fn nothing_left_out(&self) -> LeftOut {
        let metric = self.query.metric;
        let used = |uses: &[Metric]| uses.contains(&metric).then_some(0);
        let restore = Metric::TimeToRestore;
        let recovery = Metric::FailedDeploymentRecoveryTime;
        let change = Metric::ChangeFailureRate;
        LeftOut {
            test: 0,
            merged: 0,
            open: used(&[Metric::Mttr, restore, recovery]),
            unacknowledged: used(&[Metric::Mtta]),
            unacknowledged_open: used(&[Metric::Mtta]),
            not_failure: used(&[change, restore, recovery]),
            unlinked: used(&[change, recovery])
                .filter(|_| metric == recovery || self.query.mode == Mode::Attributed),
            negative: used(&[recovery]),
            no_target: used(&[Metric::SlaCompliance]),
            rebuilt: (self.query.reach == Reach::Live).then_some(0),
        }
    }

    pub(crate) fn left_out(&self) -> LeftOut {
        let metric = self.query.metric;
        let mut out = self.nothing_left_out();
        let of_deployments = [
            Metric::DeploymentFrequency,
            Metric::ChangeLeadTime,
            Metric::DeploymentReworkRate,
        ];
        if of_deployments.contains(&metric) {
            return out;
        }
        let keeps_merged = [
            Metric::Pages,
            Metric::PageDisruptions,
            Metric::OncallLoad,
            Metric::OpenIncidents,
            Metric::Escalations,
        ];
        for life in &self.lives() {
            let on = life.events[0].at.to_zoned(zone(self.world.zone)).date();
            let in_range = self.dates.0 <= on && on <= self.dates.1;
            let passes = self.passes(Of::Incident(life.history), &[]);
            if !in_range || !passes || !self.passes_team(&self.own_teams(life.history)) {
                continue;
            }
            let finish = self.linked_finish(life);
            let recovered = self.recovered(life);
            let negative = recovered.is_some_and(|(used, _)| finish.is_some_and(|at| used.at < at));
            let no_link = if metric == Metric::FailedDeploymentRecoveryTime {
                finish.is_none()
            } else {
                self.linked(life).is_none()
            };
            let is_silent = first_ack(life).is_none();
            let is_waiting =
                is_silent && life.is_open() && !is_test(life.history) && !Self::is_merged(life);
            if let Some(waiting) = &mut out.unacknowledged_open {
                *waiting += u64::from(is_waiting);
            }
            let reasons = [
                (&mut out.open, life.is_open()),
                (&mut out.unacknowledged, is_silent),
                (&mut out.not_failure, !self.is_change_related(life)),
                (&mut out.unlinked, no_link),
                (&mut out.negative, negative),
                (&mut out.no_target, self.judged(life).is_none()),
                (&mut out.rebuilt, life.history.rebuilt),
            ];
            if is_test(life.history) {
                out.test += 1;
            } else if Self::is_merged(life) {
                out.merged += u64::from(!keeps_merged.contains(&metric));
            } else if let Some((Some(count), _)) = reasons
                .into_iter()
                .find(|(count, holds)| count.is_some() && *holds)
            {
                *count += 1;
            }
        }
        out
    }
}

impl<'a> Life<'a> {
    fn is_open(&self) -> bool {
        self.resolves.len() == self.reopens.len()
    }

    fn last_resolve(&self) -> Option<&'a Event> {
        self.resolves.last().map(|place| self.events[*place])
    }
}

fn first_ack<'b>(life: &Life<'b>) -> Option<&'b Event> {
    let mut events = life.events.iter();
    events
        .find(|event| matches!(event.what, What::Acknowledged(_)))
        .copied()
}

fn actor(event: &Event) -> Option<&String> {
    match &event.what {
        What::Acknowledged(by) | What::Resolved(by, _) => by.as_ref(),
        _ => None,
    }
}

fn is_rebuilt(sample: &Sample<'_>) -> bool {
    match sample.of {
        Of::Incident(history) => history.rebuilt,
        Of::Deployment(_) => false,
    }
}

fn is_test(history: &History) -> bool {
    history.title.to_lowercase().contains("[test]")
}

fn micros(from: Timestamp, to: Timestamp) -> i128 {
    i128::from(to.as_microsecond()) - i128::from(from.as_microsecond())
}

fn all_dates(from: Date, to: Date) -> Vec<Date> {
    let mut dates = vec![from];
    while dates[dates.len() - 1] < to {
        dates.push(dates[dates.len() - 1].tomorrow().unwrap());
    }
    dates
}
