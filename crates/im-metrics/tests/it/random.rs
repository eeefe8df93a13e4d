//! Random worlds and questions, by seed. Times are coarse, so that instants meet.

use std::collections::BTreeMap;

use im_metrics::input::{
    Deployment, DeploymentStatus, Event, FailureRule, History, ManualLink, Membership,
    ResolverKind, Values, What,
};
use im_metrics::{Engine, Metric, Query};
use jiff::civil::{Weekday, date};
use jiff::{SignedDuration, Timestamp};

use crate::given::{Group, Hours, Who, World, at};

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Havana",
];
const SERVICES: [&str; 3] = ["SDB", "SWEB", "SAPI"];
const TEAMS: [&str; 3] = ["TA", "TB", "TC"];
/// Beside PagerDuty's; one has the id of a team there, which then has hours.
const GROUPS: [&str; 3] = ["ops", "web", "TA"];
const USERS: [&str; 4] = ["UANN", "UBOB", "UCAT", "ann@example.com"];
const POLICIES: [&str; 2] = ["E1", "E2"];
const PRIORITIES: [&str; 2] = ["PR1", "PR2"];
const ENVIRONMENTS: [&str; 4] = ["production", "Production", "staging", ""];
const SEVERITIES: [&str; 4] = ["SEV-1", "SEV-3", "SEV-4", "odd"];

pub(crate) struct Dice(pub(crate) fastrand::Rng);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        self.0.u32(..n) == 0
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.0.usize(..all.len())]
    }

    pub(crate) fn some_of(&mut self, all: &[&str]) -> Vec<String> {
        let chosen = all.iter().filter(|_| self.0.bool());
        chosen.map(|one| (*one).to_owned()).collect()
    }

    fn maybe(&mut self, all: &[&str], none_in: u32) -> Option<String> {
        (!self.one_in(none_in)).then(|| self.of(all).to_owned())
    }

    /// Around the end of summer time in most of the zones, in steps of half an hour, and seldom finer.
    fn instant(&mut self) -> Timestamp {
        let steps = SignedDuration::from_mins(30 * self.0.i64(0..2 * 24 * 24));
        let fine = if self.one_in(6) {
            self.0.i64(0..1_800_000_000)
        } else {
            0
        };
        at("2026-10-15 00:00") + steps + SignedDuration::from_micros(fine)
    }

    fn after(&mut self, start: Timestamp) -> Timestamp {
        let hours = [2, 5, 30, 200][self.0.usize(..4)];
        start + SignedDuration::from_mins(30 * self.0.i64(0..2 * hours))
    }
}

pub(crate) fn world(dice: &mut Dice) -> World {
    let zone = dice.of(&ZONES);
    let zone = ZONES.into_iter().find(|known| *known == zone).unwrap();
    let mut world = World::new(zone, "2026-11-10 00:00");
    world.now += SignedDuration::from_mins(10 * dice.0.i64(0..600));
    world.people = USERS[..3].iter().map(|user| who(dice, user)).collect();
    if dice.0.bool() {
        world.same_person = BTreeMap::from([(USERS[3].to_owned(), USERS[0].to_owned())]);
    }
    for service in SERVICES {
        let teams = dice.some_of(&TEAMS);
        world.teams_of_service.insert(service.to_owned(), teams);
        let policy = dice.maybe(&POLICIES, 4);
        let policy = policy.map(|policy| (service.to_owned(), policy));
        world.policy_of_service.extend(policy);
    }
    world.hours = hours(dice);
    world.teams = GROUPS.iter().map(|id| group(dice, id)).collect();
    for _ in 0..dice.0.usize(..3) {
        world.rules.push(rule(dice));
    }
    for number in 1..=10 {
        world.histories.push(history(dice, number));
    }
    for number in 0..dice.0.usize(..10) {
        world.deployments.push(deployment(dice, number));
    }
    world
}

fn who(dice: &mut Dice, user: &str) -> Who {
    let mut who = Who {
        id: user.to_owned(),
        zone: dice.0.bool().then(|| zone(dice)),
        ..Who::default()
    };
    for _ in 0..dice.0.usize(..3) {
        let to = dice.0.bool().then(|| zone(dice));
        who.moves.push((date(2026, 10, dice.0.i8(10..31)), to));
    }
    who.hours = hours(dice);
    for team in dice.some_of(&["TA", "TB", "TC", "ops"]) {
        let day = |dice: &mut Dice| dice.0.bool().then(|| date(2026, 10, dice.0.i8(12..31)));
        let (from, to) = (day(dice), day(dice));
        who.memberships.push(Membership { team, from, to });
    }
    who
}

fn zone(dice: &mut Dice) -> &'static str {
    ZONES[dice.0.usize(..ZONES.len())]
}

fn hours(dice: &mut Dice) -> Vec<Hours> {
    let mut versions = Vec::new();
    for _ in 0..dice.0.usize(..3) {
        let week = [
            (Weekday::Monday, "08:00", "24:00"),
            (Weekday::Tuesday, "09:30", "17:00"),
            (Weekday::Thursday, "00:00", "24:00"),
            (Weekday::Friday, "22:00", "06:00"),
            (Weekday::Sunday, "20:00", "04:00"),
        ];
        versions.push(Hours {
            from: date(2026, 10, dice.0.i8(10..30)),
            zone: (!dice.one_in(3)).then(|| zone(dice)),
            week: week.into_iter().filter(|_| dice.0.bool()).collect(),
        });
    }
    versions
}

fn group(dice: &mut Dice, id: &str) -> Group {
    Group {
        id: id.to_owned(),
        hours: hours(dice),
        services: dice.some_of(&SERVICES),
        includes: dice.some_of(&TEAMS[1..]),
    }
}

fn rule(dice: &mut Dice) -> FailureRule {
    FailureRule {
        origin: dice.one_in(4).then(|| "im".to_owned()),
        service: dice.one_in(2).then(|| dice.of(&SERVICES).to_owned()),
        urgency: dice.one_in(2).then(|| "low".to_owned()),
        priority: dice.one_in(4).then(|| dice.of(&PRIORITIES).to_owned()),
        shorter_than_s: dice.one_in(2).then(|| dice.0.i64(0..40) * 1_800),
    }
}

fn values(dice: &mut Dice) -> Values {
    Values {
        service: dice.maybe(&SERVICES, 8),
        policy: dice.maybe(&POLICIES, 8),
        urgency: dice.maybe(&["high", "low"], 8),
        priority: dice.maybe(&PRIORITIES, 2),
    }
}

fn history(dice: &mut Dice, number: i64) -> History {
    let title = dice.of(&["db down", "DB slow", "a [Test] page", "odd"]);
    let link = match dice.0.u32(..12) {
        0 => Some(ManualLink::Nothing),
        1 | 2 => Some(ManualLink::Deployment(format!("d{}", dice.0.usize(..10)))),
        _ => None,
    };
    History {
        number,
        title: title.to_owned(),
        origin: dice.of(&["pagerduty", "im"]).to_owned(),
        severity: dice.maybe(&SEVERITIES, 4),
        environment: dice.maybe(&ENVIRONMENTS, 3),
        at_trigger: values(dice),
        policy_untold: dice.one_in(5),
        current: values(dice),
        teams: dice.some_of(&TEAMS),
        merged: dice.one_in(6),
        deployment: dice
            .one_in(4)
            .then(|| dice.of(&["d1", "d2", "v1", "v2"]).to_owned()),
        link,
        not_change_related: dice.one_in(10),
        key: None,
        cause: None,
        rebuilt: dice.one_in(4),
        events: events(dice),
    }
}

fn events(dice: &mut Dice) -> Vec<Event> {
    let start = dice.instant();
    let mut events = vec![Event {
        at: start,
        what: What::Triggered,
    }];
    for _ in 0..dice.0.usize(..12) {
        let at = dice.after(start);
        let what = what(dice);
        events.push(Event { at, what });
    }
    events.sort_by_key(|event| (event.at, rank(&event.what)));
    events
}

fn what(dice: &mut Dice) -> What {
    let person = |dice: &mut Dice| dice.maybe(&USERS, 5);
    match dice.0.u32(..13) {
        0 | 1 => What::Acknowledged(person(dice)),
        2 => What::Unacknowledged,
        3 | 4 => match person(dice) {
            Some(user) => What::Resolved(Some(user), ResolverKind::Human),
            None => What::Resolved(None, ResolverKind::ALL[dice.0.usize(2..6)]),
        },
        5 => What::Reopened,
        6 => What::Assigned(dice.some_of(&USERS)),
        7 => What::Escalated(dice.some_of(&USERS)),
        8 => What::Delegated(dice.some_of(&USERS)),
        9 => What::Snoozed(dice.0.u32(..100_000)),
        _ => What::Notified {
            user: dice.maybe(&USERS, 10),
            email: dice.one_in(3),
        },
    }
}

/// The place of an act among those of one instant.
pub(crate) fn rank(what: &What) -> u8 {
    match what {
        What::Triggered => 0,
        What::Assigned(_) | What::Escalated(_) | What::Delegated(_) => 1,
        What::Acknowledged(_) => 2,
        What::Unacknowledged => 3,
        What::Resolved(..) => 4,
        What::Reopened => 5,
        What::Snoozed(_) | What::Notified { .. } => 6,
    }
}

fn deployment(dice: &mut Dice, number: usize) -> Deployment {
    use DeploymentStatus as S;
    let started_at = dice.instant();
    let finished_at = (!dice.one_in(5)).then(|| dice.after(started_at));
    let statuses = [
        S::Success,
        S::Success,
        S::Success,
        S::Failure,
        S::InProgress,
        S::Cancelled,
    ];
    let commits = (0..dice.0.usize(..4)).map(|_| dice.instant());
    let commits = commits.collect();
    Deployment {
        id: format!("d{number}"),
        service: dice.of(&SERVICES).to_owned(),
        environment: dice.maybe(&ENVIRONMENTS, 3),
        version: dice.maybe(&["v1", "v2"], 3),
        started_at,
        finished_at,
        status: statuses[dice.0.usize(..statuses.len())],
        unplanned_fix: dice.one_in(4),
        commits,
    }
}

/// A random question about a metric, and how it was asked; none where it is refused.
pub(crate) fn question(dice: &mut Dice, metric: Metric) -> Option<(Query, String)> {
    let params = params(dice, metric);
    let pairs = params.iter().map(|(name, value)| (&**name, &**value));
    let query = im_metrics::parse(metric.as_str(), pairs).ok()?;
    Some((query, format!("{} {params:?}", metric.as_str())))
}

/// Parameters of a random question; some are refused.
fn params(dice: &mut Dice, metric: Metric) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = Vec::new();
    let allowed = im_metrics::parameters_of(metric);
    for name in allowed {
        let is_filter = im_metrics::Dimension::parse(name).is_some();
        let likely = if is_filter { 10 } else { 3 };
        if !dice.one_in(likely) {
            continue;
        }
        params.push((name.to_owned(), value(dice, name)));
        if is_filter && dice.one_in(3) {
            params.push((name.to_owned(), value(dice, name)));
        }
    }
    params
}

fn value(dice: &mut Dice, name: &str) -> String {
    let day =
        |dice: &mut Dice, days: std::ops::Range<i8>| date(2026, 10, dice.0.i8(days)).to_string();
    let any = |dice: &mut Dice, all: &[&str]| {
        let null = dice.one_in(4);
        if null { "null" } else { dice.of(all) }.to_owned()
    };
    match name {
        "from" => day(dice, 10..20),
        "to" => day(dice, 20..32),
        "bucket" => dice
            .of(&["day", "week", "month", "quarter", "all"])
            .to_owned(),
        "group_by" => dice
            .of(&[
                "service",
                "team",
                "environment",
                "escalation_policy",
                "urgency",
                "priority",
                "severity",
                "resolver_kind",
                "user",
            ])
            .to_owned(),
        "as_of" => dice.of(&["trigger", "current"]).to_owned(),
        "as_of_time" => dice.instant().to_string(),
        "compare" => "previous".to_owned(),
        "history" => dice.of(&["all", "live"]).to_owned(),
        "sort" => dice.of(&["key", "value"]).to_owned(),
        "view" => dice.of(&["multitudes", "middleware", "datadog"]).to_owned(),
        "recovery" => dice.of(&["last", "first", "open_time"]).to_owned(),
        "bucket_by" => dice.of(&["triggered", "resolved"]).to_owned(),
        "source" => dice
            .of(&["incidents", "notifications", "acknowledgements"])
            .to_owned(),
        "include_email" | "distinct" => "true".to_owned(),
        "collapse_minutes" => dice.of(&["0", "30", "90", "1000"]).to_owned(),
        "measure" => dice.of(&["pages", "hours", "hours"]).to_owned(),
        "when" => dice
            .of(&["all", "out_of_hours", "working_hours"])
            .to_owned(),
        "mode" => dice.of(&["attributed", "impact"]).to_owned(),
        "max_lag" => dice.of(&["none", "1h", "3d", "90m"]).to_owned(),
        "benchmark" => dice
            .of(&["2019", "2021", "2022", "2023", "2024", "none"])
            .to_owned(),
        "service" => any(dice, &SERVICES),
        "team" => any(dice, &TEAMS),
        "environment" => any(dice, &["PRODUCTION", "staging"]),
        "escalation_policy" => any(dice, &POLICIES),
        "urgency" => any(dice, &["high", "low"]),
        "priority" => any(dice, &PRIORITIES),
        "severity" => any(dice, &SEVERITIES),
        "resolver_kind" => {
            let kinds = ["merge", "human", "timer", "integration", "api", "none"];
            dice.of(&kinds).to_owned()
        }
        "origin" => dice.of(&["pagerduty", "im"]).to_owned(),
        "title" => dice.of(&["db", "ODD", "test"]).to_owned(),
        "user" => any(dice, &USERS),
        other => panic!("no values for {other}"),
    }
}

/// Asks random questions of random worlds, one of each metric, by their seeds; those that make no sense are left out.
pub(crate) fn questions(worlds: u64, mut ask: impl FnMut((&World, &Engine), Query, &str)) {
    for seed in 0..worlds {
        let mut dice = Dice::seeded(seed);
        let world = world(&mut dice);
        let engine = world.engine();
        for metric in Metric::ALL {
            if let Some((query, told)) = question(&mut dice, *metric) {
                ask((&world, &engine), query, &format!("seed {seed}: {told}"));
            }
        }
    }
}
