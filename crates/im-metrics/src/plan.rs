//! A query made ready for one engine and one instant: cut points instead of dates, numbers instead
//! of names, and the incidents as they were then.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::calendar::{Bucket, Cuts, buckets, local_date, plus_days};
use crate::columns::{Flags, Method, PageKinds, PageMore, Part, Row, Rows, Share};
use crate::deployments::Deployment;
use crate::distinct::Hour;
use crate::engine::Engine;
use crate::input::ResolverKind;
use crate::metrics::pages;
use crate::names::{Labels, NONE};
use crate::num;
use crate::params::BadQuery;
use crate::query::{AsOf, Dimension, Metric, Mode, Query, Reach};

/// The default range: this many dates, today included, less one.
const DAYS_BEFORE: i64 = 41;

/// A query made ready.
pub(crate) struct Plan<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) query: &'a Query,
    pub(crate) as_of: i64,
    pub(crate) range: (Date, Date),
    pub(crate) buckets: Vec<Bucket>,
    pub(crate) cuts: Cuts,
    /// The incidents that had facts later, as they were at `as_of`.
    then: Part,
    /// Which pages of people count, and how long after one that does the person's next does not.
    pub(crate) pages: (PageKinds, i64),
    service: Option<Allowed>,
    environment: Option<Allowed>,
    team: Option<Allowed>,
    user: Option<Allowed>,
    resolver: Option<Allowed>,
    titles: Vec<String>,
    /// Of each combination of labels whether it passes; absent where all do.
    passing: Option<Vec<bool>>,
    /// The same by the filters that say nothing of a deployment.
    failing: Option<Vec<bool>>,
    /// Of each set of teams whether it passes; absent where all do.
    teams: Option<Vec<bool>>,
}

/// The values that a filter lets through.
struct Allowed {
    ids: Vec<bool>,
    none: bool,
}

impl Allowed {
    fn has(&self, id: u32) -> bool {
        match id {
            NONE => self.none,
            id => self.ids.get(num::at(id)) == Some(&true),
        }
    }
}

/// One thing that a metric counts.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    /// The instant that puts it into a bucket.
    pub(crate) at: i64,
    /// The bucket itself, where it is no matter of an instant.
    pub(crate) bucket: Option<usize>,
    pub(crate) of: Of<'a>,
    pub(crate) teams: Teams<'a>,
    /// The person, where it is about one.
    pub(crate) user: u32,
    pub(crate) resolver: Option<ResolverKind>,
    pub(crate) measured: Measured,
}

/// What takes the items of a metric.
pub(crate) trait Sink<'a> {
    /// Whether every incident passes, which need not be asked of each then.
    const TAKES_ALL: bool = false;

    /// Takes one.
    fn take(&mut self, item: Item<'a>);

    /// Takes incidents of which everything was from one instant to another at once, if they may be: how many things
    /// they add, and how many of these are rebuilt.
    #[inline(always)]
    fn take_all(&mut self, _span: (i64, i64), _count: impl FnOnce() -> Option<(u64, u64)>) -> bool {
        false
    }

    /// The bucket to which those items of an incident that are about people may be added as one, if all are from one
    /// instant to another.
    #[inline(always)]
    fn together(&mut self, _from: i64, _to: i64) -> Option<usize> {
        None
    }
}

/// Whose an item is.
#[derive(Clone, Copy)]
pub(crate) enum Teams<'a> {
    /// The incident's, or those of the deployment's service.
    Own,
    /// Those of a set.
    Set(u32),
    /// Those of the person paged; most questions do not look.
    Of(&'a PageMore),
}

/// What an item is about.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    Incident(Row<'a>),
    Deployment(&'a Deployment),
}

/// What an item adds to its cell.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Measured {
    Duration(i64),
    One,
    /// So many.
    Many(u32),
    /// One that is open since then.
    Open {
        number: i64,
        since: i64,
    },
    Hour {
        person: u32,
        hour: Hour,
    },
    /// One of a whole, and whether it is of the part.
    Share(bool),
    /// One of the part, whatever the whole.
    Failure,
    Targets {
        ack: Verdict,
        resolve: Verdict,
    },
    Page {
        answered_after: i64,
        out_of_hours: bool,
        escalated_away: bool,
    },
}

impl Measured {
    /// How many items it is.
    #[inline(always)]
    pub(crate) fn count(self) -> u64 {
        match self {
            Self::Many(count) => count.into(),
            Self::Duration(_)
            | Self::One
            | Self::Open { .. }
            | Self::Hour { .. }
            | Self::Share(_)
            | Self::Failure
            | Self::Targets { .. }
            | Self::Page { .. } => 1,
        }
    }
}

/// How an incident stands to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done in time.
    Met,
    /// Late.
    Breached,
    /// Neither done nor late.
    Pending,
}

impl Verdict {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Breached => "breached",
            Self::Pending => "pending",
        }
    }
}

impl<'a> Item<'a> {
    /// Whether nobody told of its incident when it was triggered.
    #[inline(always)]
    pub(crate) fn is_rebuilt(&self) -> bool {
        match self.of {
            Of::Incident(row) => row.is(Flags::REBUILT),
            Of::Deployment(_) => false,
        }
    }

    /// The teams that it is attributed to.
    #[inline(always)]
    pub(crate) fn teams(&self, plan: &Plan<'_>) -> u32 {
        match (self.teams, self.of) {
            (Teams::Set(teams), _) => teams,
            (Teams::Of(page), _) => page.teams,
            (Teams::Own, Of::Incident(row)) => plan.engine.labels(row).teams,
            (Teams::Own, Of::Deployment(deployment)) => {
                let teams = plan.engine.teams_of_service.get(&deployment.service);
                teams.copied().unwrap_or(0)
            }
        }
    }

    /// An item about an incident, attributed to the incident's own teams.
    pub(crate) fn of(row: Row<'a>, at: i64, measured: Measured) -> Self {
        Self {
            at,
            bucket: None,
            of: Of::Incident(row),
            teams: Teams::Own,
            user: NONE,
            resolver: None,
            measured,
        }
    }

    /// An item about a deployment, attributed to the teams of its service.
    pub(crate) fn of_deployment(deployment: &'a Deployment, at: i64, measured: Measured) -> Self {
        Self {
            at,
            bucket: None,
            of: Of::Deployment(deployment),
            teams: Teams::Own,
            user: NONE,
            resolver: None,
            measured,
        }
    }

    /// The same, attributed to these teams.
    pub(crate) fn by_teams(self, teams: Teams<'a>) -> Self {
        Self { teams, ..self }
    }
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        query: &'a Query,
        now: Timestamp,
    ) -> Result<Self, BadQuery> {
        let as_of = query.as_of_time.unwrap_or(now);
        let today = local_date(as_of, &engine.settings.zone);
        let to = query.to.unwrap_or(today);
        let from = query.from.or_else(|| plus_days(to, -DAYS_BEFORE));
        Self::of_range(engine, query, (from.unwrap_or(to), to), as_of)
    }

    /// The same query over other dates.
    pub(crate) fn of_range(
        engine: &'a Engine,
        query: &'a Query,
        range: (Date, Date),
        as_of: Timestamp,
    ) -> Result<Self, BadQuery> {
        let (from, to) = range;
        if from > to {
            return Err(BadQuery::Range { from, to });
        }
        let today = local_date(as_of, &engine.settings.zone);
        let buckets = buckets(range, query.bucket, today, &engine.settings.zone);
        let bucket = query.bucket.as_str();
        let buckets = buckets.ok_or(BadQuery::Buckets { from, to, bucket })?;
        let mut plan = Self {
            engine,
            query,
            as_of: as_of.as_microsecond(),
            range,
            cuts: Cuts::new(&buckets),
            buckets,
            then: engine.then(as_of),
            pages: pages::counted(query),
            service: None,
            environment: None,
            team: None,
            user: None,
            resolver: None,
            titles: Vec::new(),
            passing: None,
            failing: None,
            teams: None,
        };
        let mut fields = Vec::new();
        for (dimension, values) in &query.filters {
            plan.filter(*dimension, values, &mut fields);
        }
        plan.mark(&fields);
        Ok(plan)
    }

    /// Decides for all combinations of labels and all sets of teams that there are.
    fn mark(&mut self, fields: &[(Dimension, Allowed)]) {
        let of_failure = |labels: &Labels| {
            let mut fields = fields.iter();
            fields.all(|(dimension, allowed)| allowed.has(self.field_of(labels, *dimension)))
        };
        let of_all = |labels: &Labels| {
            let service = self.service.as_ref();
            let environment = self.environment.as_ref();
            service.is_none_or(|allowed| allowed.has(self.field_of(labels, Dimension::Service)))
                && environment.is_none_or(|allowed| allowed.has(labels.environment))
                && of_failure(labels)
        };
        let labels = self.engine.labels.all();
        let failing = (!fields.is_empty()).then(|| labels.iter().map(of_failure).collect());
        let is_asked = failing.is_some() || self.service.is_some() || self.environment.is_some();
        let passing = is_asked.then(|| labels.iter().map(of_all).collect());
        let teams = self.team.as_ref().map(|allowed| {
            let sets = self.engine.sets.all();
            let passes = |teams: &[u32]| match teams {
                [] => allowed.none,
                members => members.iter().any(|team| allowed.has(*team)),
            };
            sets.map(passes).collect()
        });
        (self.passing, self.failing, self.teams) = (passing, failing, teams);
    }

    fn filter(
        &mut self,
        dimension: Dimension,
        values: &[Option<String>],
        fields: &mut Vec<(Dimension, Allowed)>,
    ) {
        if dimension == Dimension::Title {
            self.titles = values.iter().flatten().cloned().collect();
            return;
        }
        let mut allowed = Allowed {
            ids: vec![false; self.engine.names.len()],
            none: values.contains(&None),
        };
        for value in values.iter().flatten() {
            let id = self.engine.names.find(value).map(num::at);
            if let Some(slot) = id.and_then(|id| allowed.ids.get_mut(id)) {
                *slot = true;
            }
        }
        match dimension {
            Dimension::Service => self.service = Some(allowed),
            Dimension::Environment => self.environment = Some(allowed),
            Dimension::Team => self.team = Some(allowed),
            Dimension::User => self.user = Some(allowed),
            Dimension::ResolverKind => self.resolver = Some(allowed),
            Dimension::EscalationPolicy
            | Dimension::Urgency
            | Dimension::Priority
            | Dimension::Severity
            | Dimension::Origin
            | Dimension::Title => fields.push((dimension, allowed)),
        }
    }

    /// The shares that so many threads scan; one where not only rows are scanned.
    pub(crate) fn shares(&self, threads: usize) -> impl Iterator<Item = Share> + use<> {
        let is_of_rows = !self.query.metric.is_of_deployments()
            && self.query.metric != Metric::ChangeFailureRate;
        let count = if is_of_rows { threads.max(1) } else { 1 };
        (0..count).map(move |place| Share { place, count })
    }

    /// How many incidents there are at most to which something happened in the range.
    pub(crate) fn rows_covered(&self) -> usize {
        self.engine.main.rows_within(self.cuts.range())
    }

    /// Gives `each` every incident of a share that had begun, as it was then.
    #[inline]
    pub(crate) fn rows(&'a self, share: Share, each: impl FnMut(Row<'a>)) {
        self.rows_of((i64::MIN, i64::MAX), share, each);
    }

    /// Of those at least all to which something happened in the range.
    #[inline]
    pub(crate) fn rows_in_range(&'a self, share: Share, each: impl FnMut(Row<'a>)) {
        self.rows_of(self.cuts.range(), share, each);
    }

    #[inline]
    fn rows_of(&'a self, range: (i64, i64), share: Share, mut each: impl FnMut(Row<'a>)) {
        // One call of `each` in one loop, so that it can be a part of the loop.
        for rows in self.blocks_of(range, share) {
            for row in self.begun(rows) {
                each(row);
            }
        }
    }

    /// A share of the incidents, block by block, at least all to which something happened in a range.
    #[inline]
    pub(crate) fn blocks_of(
        &'a self,
        range: (i64, i64),
        share: Share,
    ) -> impl Iterator<Item = Rows<'a>> {
        let main = self.engine.main.blocks(range, share);
        main.chain(self.then.blocks(range, share))
    }

    /// Whether nothing happened later to any of a block.
    #[inline]
    pub(crate) fn is_over(&self, rows: &Rows<'_>) -> bool {
        rows.span().1 <= self.as_of
    }

    /// Those of a block that had begun, as they were then.
    #[inline]
    pub(crate) fn begun(&'a self, rows: Rows<'a>) -> impl Iterator<Item = Row<'a>> {
        let is_over = self.is_over(&rows);
        let rows = rows.each();
        rows.filter(move |row| is_over || self.engine.last_fact(*row) <= self.as_of)
    }

    /// A field of an incident.
    pub(crate) fn field(&self, row: Row<'_>, dimension: Dimension) -> u32 {
        self.field_of(self.engine.labels(row), dimension)
    }

    fn field_of(&self, labels: &Labels, dimension: Dimension) -> u32 {
        let now = self.query.as_of == AsOf::Current;
        match dimension {
            Dimension::Service if now => labels.service_now,
            Dimension::Service => labels.service,
            Dimension::EscalationPolicy if now => labels.policy_now,
            Dimension::EscalationPolicy => labels.policy,
            Dimension::Urgency if now => labels.urgency_now,
            Dimension::Urgency => labels.urgency,
            Dimension::Priority if now => labels.priority_now,
            Dimension::Priority => labels.priority,
            Dimension::Severity => labels.severity,
            Dimension::Environment => labels.environment,
            Dimension::Origin => labels.origin,
            Dimension::Team | Dimension::ResolverKind | Dimension::Title | Dimension::User => NONE,
        }
    }

    /// Whether an incident passes the filters on its fields, service and environment included.
    #[inline(always)]
    pub(crate) fn passes(&self, row: Row<'_>) -> bool {
        marked(self.passing.as_deref(), row.labels()) && self.passes_title(row)
    }

    /// Whether it passes the filters that say nothing of a deployment.
    #[inline(always)]
    pub(crate) fn passes_as_failure(&self, row: Row<'_>) -> bool {
        marked(self.failing.as_deref(), row.labels()) && self.passes_title(row)
    }

    #[inline(always)]
    fn passes_title(&self, row: Row<'_>) -> bool {
        self.titles.is_empty() || {
            let title = self.engine.title(row);
            self.titles.iter().any(|part| title.contains(part.as_str()))
        }
    }

    /// Whether a deployment passes the filters on its service and environment.
    pub(crate) fn passes_deployment(&self, deployment: &Deployment) -> bool {
        let service = self.service.as_ref();
        let environment = self.environment.as_ref();
        service.is_none_or(|allowed| allowed.has(deployment.service))
            && environment.is_none_or(|allowed| allowed.has(deployment.environment))
    }

    /// Whether no incident and no item of one is left out for a filter or its reach.
    pub(crate) fn takes_all(&self) -> bool {
        self.passing.is_none()
            && self.titles.is_empty()
            && self.teams.is_none()
            && self.user.is_none()
            && self.resolver.is_none()
            && self.query.reach == Reach::All
    }

    /// Whether it does not matter whom an item is about, nor of which teams they are.
    pub(crate) fn are_people_alike(&self) -> bool {
        let by = self.query.group_by;
        self.teams.is_none()
            && self.user.is_none()
            && !matches!(by, Some(Dimension::User | Dimension::Team))
    }

    /// Whether the teams pass that an item is attributed to.
    #[inline(always)]
    pub(crate) fn passes_teams(&self, item: &Item<'_>) -> bool {
        self.teams.is_none() || marked(self.teams.as_deref(), item.teams(self))
    }

    /// Whether an incident's own teams pass.
    #[inline(always)]
    pub(crate) fn passes_own_teams(&self, row: Row<'_>) -> bool {
        self.teams.is_none() || marked(self.teams.as_deref(), self.engine.labels(row).teams)
    }

    /// Whether a group by team shows a team.
    pub(crate) fn shows_team(&self, team: u32) -> bool {
        self.team.as_ref().is_none_or(|allowed| allowed.has(team))
    }

    /// Whether a person passes.
    #[inline(always)]
    pub(crate) fn passes_user(&self, user: u32) -> bool {
        self.user.as_ref().is_none_or(|allowed| allowed.has(user))
    }

    /// Whether a way of resolving passes.
    #[inline]
    pub(crate) fn passes_resolver(&self, kind: Option<ResolverKind>) -> bool {
        let Some(allowed) = &self.resolver else {
            return true;
        };
        allowed.has(kind.map_or(NONE, word))
    }

    /// The deployment behind an incident, as far as the query lets it be so late.
    #[inline(always)]
    pub(crate) fn linked(&self, row: Row<'_>) -> Option<&'a Deployment> {
        let found = self.engine.deployments.get(row.deployment())?;
        let in_time = match (row.method(), self.query.max_lag, found.finished) {
            (Method::SameServiceTime, Some(max), Some(at)) => row.trigger() - at <= max,
            _ => true,
        };
        in_time.then_some(found)
    }

    /// Whether failures may still come for a bucket's deployments.
    pub(crate) fn is_immature(&self, bucket: &Bucket) -> bool {
        let asked =
            self.query.metric == Metric::ChangeFailureRate && self.query.mode == Mode::Attributed;
        let recent = |max| self.as_of.saturating_sub(bucket.end.as_microsecond()) < max;
        asked && self.query.max_lag.is_none_or(recent)
    }
}

/// Whether a number is marked, if there are marks.
#[inline(always)]
fn marked(marks: Option<&[bool]>, id: u32) -> bool {
    marks.is_none_or(|marks| marks.get(num::at(id)) == Some(&true))
}

/// The number of a way of resolving: the engine's first names are these words.
pub(crate) fn word(kind: ResolverKind) -> u32 {
    let place = ResolverKind::ALL.iter().position(|word| *word == kind);
    place.map_or(NONE, num::id)
}
