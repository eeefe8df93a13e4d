//! The engine: columns in memory, fed one incident at a time.
//!
//! What was given stays as compact facts, so that a past `as_of_time` or a change of working hours
//! derives again what it touches, and only that.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::columns::{Derived, Given, Linked, NEVER, Part, Row};
use crate::deployments::Deployments;
use crate::derive::{Code, Fact, Known, Life, Rule, derive};
use crate::input::{Deployment, Event, History, ManualLink, ResolverKind, Settings, Values, What};
use crate::list::List;
use crate::names::{Labels, NONE, NOTHING, Names, Places, Sets, Table};
use crate::num;
use crate::packed::{pack, unpack};
use crate::people::People;

/// Everything that numbers are computed from.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) names: Names,
    pub(crate) sets: Sets,
    people: People,
    rules: Vec<Rule>,
    test_keyword: String,
    /// The teams of each service: those of its deployments.
    pub(crate) teams_of_service: HashMap<u32, u32>,
    /// The policy that each service has.
    policy_of_service: HashMap<u32, u32>,
    /// Our own teams that answer for a service.
    own_of_service: HashMap<u32, Vec<u32>>,
    /// Our own teams that a team is a part of.
    own_of_team: HashMap<u32, Vec<u32>>,
    pub(crate) main: Part,
    /// What incidents have in common.
    pub(crate) labels: Table<Labels>,
    pub(crate) facts: List<u8>,
    pub(crate) titles: List<u8>,
    pub(crate) places: Places,
    pub(crate) deployments: Deployments,
}

impl Engine {
    /// An engine without incidents.
    pub fn new(settings: Settings) -> Self {
        let mut names = Names::default();
        for kind in ResolverKind::ALL {
            names.intern(kind.as_str());
        }
        Self::over(settings, names, Sets::default(), Table::default())
    }

    /// An engine without incidents that has numbers of names, sets and labels already.
    pub(crate) fn over(
        settings: Settings,
        mut names: Names,
        mut sets: Sets,
        labels: Table<Labels>,
    ) -> Self {
        let people = People::new(&settings, &mut names, &mut sets);
        let mut engine = Self {
            names,
            sets,
            people,
            rules: Vec::new(),
            test_keyword: String::new(),
            teams_of_service: HashMap::new(),
            policy_of_service: HashMap::new(),
            own_of_service: HashMap::new(),
            own_of_team: HashMap::new(),
            main: Part::default(),
            labels,
            facts: List::default(),
            titles: List::default(),
            places: Places::default(),
            deployments: Deployments::default(),
            settings,
        };
        engine.settle();
        engine
    }

    /// Takes new settings: what they touch of the past is derived again.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
        self.people = People::new(&self.settings, &mut self.names, &mut self.sets);
        self.settle();
        for place in 0..self.main.len() {
            self.renew(place);
        }
    }

    /// The settings in effect.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many incidents there are.
    pub fn len(&self) -> usize {
        self.main.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether any deployment was ever told of.
    pub fn has_deployments(&self) -> bool {
        !self.deployments.all.is_empty()
    }

    fn settle(&mut self) {
        let names = &mut self.names;
        let mut id = |text: Option<&String>| text.map(|text| names.intern(text));
        let rules = self.settings.failure_rules.iter();
        let rules = rules.map(|rule| Rule {
            origin: id(rule.origin.as_ref()),
            service: id(rule.service.as_ref()),
            urgency: id(rule.urgency.as_ref()),
            priority: id(rule.priority.as_ref()),
            shorter_than: rule.shorter_than_s.map(|seconds| seconds * 1_000_000),
        });
        self.rules = rules.collect();
        self.test_keyword = self.settings.test_keyword.to_lowercase();
        let policies = self.settings.policy_of_service.iter();
        self.policy_of_service = policies
            .map(|(service, policy)| (names.intern(service), names.intern(policy)))
            .collect();
        self.settle_teams();
        let mut table = std::mem::take(&mut self.labels);
        table.change(|labels: &mut Labels| {
            labels.teams = self.teams(labels.told_teams, labels.service);
            if labels.policy_untold {
                labels.policy = self.policy_of(labels.service);
            }
        });
        self.labels = table;
    }

    fn settle_teams(&mut self) {
        let names = &mut self.names;
        self.own_of_service.clear();
        self.own_of_team.clear();
        for team in &self.settings.teams {
            let id = names.intern(&team.id);
            for service in &team.services {
                let of_it = self.own_of_service.entry(names.intern(service));
                of_it.or_default().push(id);
            }
            for part in &team.includes {
                let of_it = self.own_of_team.entry(names.intern(part));
                of_it.or_default().push(id);
            }
        }
        let mut told: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (service, teams) in &self.settings.teams_of_service {
            let teams = teams.iter().map(|team| names.intern(team)).collect();
            told.insert(names.intern(service), teams);
        }
        for service in self.own_of_service.keys() {
            told.entry(*service).or_default();
        }
        let told = told.into_iter();
        self.teams_of_service = told
            .map(|(service, teams)| {
                let teams = self.sets.intern(teams);
                (service, self.teams(teams, service))
            })
            .collect();
    }

    /// The policy that a service has.
    fn policy_of(&self, service: u32) -> u32 {
        self.policy_of_service
            .get(&service)
            .copied()
            .unwrap_or(NONE)
    }

    /// The set with our own teams that answer for one of a set or for a service.
    fn teams(&mut self, told: u32, service: u32) -> u32 {
        let told = self.sets.members(told).to_vec();
        let larger = told.iter().filter_map(|team| self.own_of_team.get(team));
        let of_service = self.own_of_service.get(&service);
        let own: Vec<u32> = larger.chain(of_service).flatten().copied().collect();
        self.sets.intern([told, own].concat())
    }

    /// Puts an incident in, in place of what was known of it. One without a trigger is none.
    pub fn put(&mut self, history: &History) {
        let is_born =
            matches!(history.events.first(), Some(event) if event.what == What::Triggered);
        if !is_born {
            self.remove(history.number);
            return;
        }
        let known = self.places.find(history.number, |at| self.main.number(at));
        if let Some(place) = known {
            self.give_up(place);
        }
        let labels = self.labels_of(history);
        let facts: Vec<Fact> = history
            .events
            .iter()
            .map(|event| self.fact(event))
            .collect();
        let title = history.title.to_lowercase();
        let Some(life) = derive(&labels, &title, &facts, &self.known()) else {
            return;
        };
        let linked = self
            .deployments
            .link(&labels, life.row.trigger, &self.names);
        let given = Given {
            number: history.number,
            title: self.titles.add(title.as_bytes(), &[]),
            labels: self.labels.intern(&labels),
            key: self.names.intern_some(history.key.as_deref()),
            events: self.facts.add(&pack(&facts), &[]),
        };
        let derived = keep(&mut self.main, &life);
        let last = last_of(&facts);
        match known {
            Some(place) => self.main.set(place, (given, derived, linked), last),
            None => self.push(given, derived, linked, last),
        }
        self.pack();
    }

    fn push(&mut self, given: Given, derived: Derived, linked: Linked, last: i64) {
        self.main.push(given, derived, linked, last);
        let last = self.main.len() - 1;
        self.places.add(last, |at| self.main.number(at));
    }

    /// Adds an incident whose title and facts are kept already; `false` if that makes no sense.
    pub(crate) fn add(&mut self, given: Given) -> bool {
        let Some(facts) = unpack(self.facts.slice(given.events)) else {
            return false;
        };
        let title = std::str::from_utf8(self.titles.slice(given.title)).unwrap_or_default();
        let Some(labels) = self.labels.get(given.labels) else {
            return false;
        };
        let Some(life) = derive(labels, title, &facts, &self.known()) else {
            return false;
        };
        let trigger = life.row.trigger;
        let linked = self.deployments.link(labels, trigger, &self.names);
        let derived = keep(&mut self.main, &life);
        self.push(given, derived, linked, last_of(&facts));
        true
    }

    /// Forgets an incident.
    pub fn remove(&mut self, number: i64) {
        let Some(place) = self.places.find(number, |at| self.main.number(at)) else {
            return;
        };
        let last = self.main.len() - 1;
        self.places.remove(place, number);
        if place != last {
            self.places.remove(last, self.main.number(last));
        }
        self.give_up(place);
        let last_fact = self.last_fact(Row::new(&self.main, last));
        self.main.swap_remove(place, last_fact);
        if place != last {
            self.places.add(place, |at| self.main.number(at));
        }
        self.pack();
    }

    /// Puts deployments in, each in place of the one with its id, and links anew what may be
    /// affected.
    pub fn put_deployments(&mut self, deployments: &[Deployment]) {
        let services = self.deployments.put(deployments, &mut self.names);
        let may_be_affected = |labels: &Labels| {
            let is_said = labels.manual != NONE || labels.explicit != NONE;
            is_said || services.contains(&labels.service)
        };
        let affected: Vec<bool> = self.labels.all().iter().map(may_be_affected).collect();
        for place in 0..self.main.len() {
            let row = Row::new(&self.main, place);
            if affected.get(num::at(row.labels())) == Some(&true) {
                let labels = self.labels(row);
                let linked = self.deployments.link(labels, row.trigger(), &self.names);
                self.main.set_linked(place, linked);
            }
        }
    }

    /// The row of an incident.
    pub(crate) fn row(&self, number: i64) -> Option<Row<'_>> {
        let place = self.places.find(number, |at| self.main.number(at))?;
        Some(Row::new(&self.main, place))
    }

    /// The facts of an incident, all of them.
    pub(crate) fn facts_of(&self, row: Row<'_>) -> Vec<Fact> {
        unpack(self.facts.slice(row.events())).unwrap_or_default()
    }

    /// When the last of an incident's facts was.
    pub(crate) fn last_fact(&self, row: Row<'_>) -> i64 {
        last_of(&self.facts_of(row))
    }

    /// The labels of an incident.
    #[inline]
    pub(crate) fn labels(&self, row: Row<'_>) -> &Labels {
        let labels = self.labels.get(row.labels());
        labels.expect("an incident's labels are kept as long as it")
    }

    fn known(&self) -> Known<'_> {
        Known {
            people: &self.people,
            sets: &self.sets,
            rules: &self.rules,
            test_keyword: &self.test_keyword,
        }
    }

    /// Derives a row again.
    fn renew(&mut self, place: usize) {
        let row = Row::new(&self.main, place);
        let (labels, facts) = (self.labels(row), self.facts_of(row));
        if let Some(life) = derive(labels, self.title(row), &facts, &self.known()) {
            give_up_derived(&mut self.main, place);
            let derived = keep(&mut self.main, &life);
            self.main.set_derived(place, derived);
        }
        self.pack();
    }

    fn give_up(&mut self, place: usize) {
        let given = self.main.given(place);
        self.facts.give_up(given.events);
        self.titles.give_up(given.title);
        give_up_derived(&mut self.main, place);
    }

    fn pack(&mut self) {
        self.facts.pack(self.main.events_mut());
        self.titles.pack(self.main.titles_mut());
        self.main.pack();
    }

    fn labels_of(&mut self, history: &History) -> Labels {
        let names = &mut self.names;
        let mut values = |values: &Values| {
            let mut id = |text: &Option<String>| names.intern_some(text.as_deref());
            [
                id(&values.service),
                id(&values.policy),
                id(&values.urgency),
                id(&values.priority),
            ]
        };
        let [service, policy, urgency, priority] = values(&history.at_trigger);
        let [service_now, policy_now, urgency_now, priority_now] = values(&history.current);
        let teams = history.teams.iter();
        let teams = teams.map(|team| names.intern(team)).collect();
        let told_teams = self.sets.intern(teams);
        let teams = self.teams(told_teams, service);
        let policy = if history.policy_untold {
            self.policy_of(service)
        } else {
            policy
        };
        let cause = history.cause.as_ref().map(|cause| cause.to_lowercase());
        let names = &mut self.names;
        Labels {
            origin: names.intern(&history.origin),
            severity: names.intern_some(history.severity.as_deref()),
            environment: names.intern_environment(history.environment.as_deref()),
            service,
            service_now,
            policy,
            policy_now,
            urgency,
            urgency_now,
            priority,
            priority_now,
            teams,
            told_teams,
            manual: match &history.link {
                None => NONE,
                Some(ManualLink::Nothing) => NOTHING,
                Some(ManualLink::Deployment(id)) => names.intern(id),
            },
            explicit: names.intern_some(history.deployment.as_deref()),
            cause: names.intern_some(cause.as_deref()),
            merge_told: history.merged,
            policy_untold: history.policy_untold,
            not_change_related: history.not_change_related,
            rebuilt: history.rebuilt,
        }
    }

    fn fact(&mut self, event: &Event) -> Fact {
        let names = &mut self.names;
        let mut one = |user: &Option<String>| names.intern_some(user.as_deref());
        let (what, who) = match &event.what {
            What::Triggered => (Code::Triggered, NONE),
            What::Acknowledged(by) => (Code::Acknowledged, one(by)),
            What::Unacknowledged => (Code::Unacknowledged, NONE),
            What::Resolved(by, kind) => (Code::Resolved(*kind), one(by)),
            What::Reopened => (Code::Reopened, NONE),
            What::Snoozed(seconds) => (Code::Snoozed, *seconds),
            What::Notified { user, email } => (Code::Notified { email: *email }, one(user)),
            What::Assigned(to) | What::Delegated(to) | What::Escalated(to) => {
                let escalated = matches!(event.what, What::Escalated(_));
                let to = to.iter().map(|user| names.intern(user)).collect();
                (Code::Given { escalated }, self.sets.intern(to))
            }
        };
        Fact {
            at: event.at.as_microsecond(),
            who,
            what,
        }
    }

    /// The title of an incident, lower-cased.
    pub(crate) fn title(&self, row: Row<'_>) -> &str {
        let title = self.titles.slice(row.title());
        std::str::from_utf8(title).unwrap_or_default()
    }

    /// The incidents that had facts after `as_of`, as they were then.
    pub(crate) fn then(&self, as_of: Timestamp) -> Part {
        let as_of = as_of.as_microsecond();
        let mut part = Part::default();
        for row in self.main.rows_after(as_of) {
            let mut facts = self.facts_of(row);
            let count = facts.iter().take_while(|fact| fact.at <= as_of).count();
            if count == facts.len() {
                continue;
            }
            facts.truncate(count);
            let labels = self.labels(row);
            let Some(life) = derive(labels, self.title(row), &facts, &self.known()) else {
                continue;
            };
            let place = row.place();
            let (given, linked) = (self.main.given(place), self.main.linked(place));
            let derived = keep(&mut part, &life);
            part.push(given, derived, linked, as_of);
        }
        part
    }
}

/// When the last of some facts was.
fn last_of(facts: &[Fact]) -> i64 {
    facts.iter().map(|fact| fact.at).max().unwrap_or(NEVER)
}

/// Adds what hangs on a row to a part, and returns the row with its stretches.
fn keep(part: &mut Part, life: &Life) -> Derived {
    let (turns, escalations) = (&life.turns, &life.escalations);
    let moments = if turns.len() > 1 || !escalations.is_empty() {
        let count = i64::try_from(turns.len()).unwrap_or(i64::MAX);
        [&[count], turns.as_slice(), escalations.as_slice()].concat()
    } else {
        Vec::new()
    };
    let (pages, more): (Vec<_>, Vec<_>) = life.pages.iter().copied().unzip();
    Derived {
        pages: part.pages.add(&pages, &more),
        moments: part.moments.add(&moments, &[]),
        ..life.row
    }
}

fn give_up_derived(part: &mut Part, place: usize) {
    let row = part.derived(place);
    part.pages.give_up(row.pages);
    part.moments.give_up(row.moments);
}
