//! Worlds: what an engine and the second implementation are both given.

use std::cell::RefCell;
use std::collections::BTreeMap;

use im_metrics::input::{
    Deployment, DeploymentStatus, Event, FailureRule, History, HoursVersion, Membership, Move,
    Person, ResolverKind, Settings, Team, Values, What,
};
use im_metrics::{Answer, Behind, Durations, Engine, Figure, Judged, Query, Week};
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// Everything that figures come from, in words.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) zone: &'static str,
    pub(crate) hours: Vec<Hours>,
    pub(crate) people: Vec<Who>,
    pub(crate) same_person: BTreeMap<String, String>,
    pub(crate) teams_of_service: BTreeMap<String, Vec<String>>,
    pub(crate) policy_of_service: BTreeMap<String, String>,
    pub(crate) teams: Vec<Group>,
    pub(crate) rules: Vec<FailureRule>,
    pub(crate) histories: Vec<History>,
    pub(crate) deployments: Vec<Deployment>,
}

/// A person, with working hours in words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Who {
    pub(crate) id: String,
    pub(crate) zone: Option<&'static str>,
    /// Other zones, from dates on.
    pub(crate) moves: Vec<(Date, Option<&'static str>)>,
    pub(crate) hours: Vec<Hours>,
    pub(crate) memberships: Vec<Membership>,
}

/// A team of the organisation's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) hours: Vec<Hours>,
    pub(crate) services: Vec<String>,
    pub(crate) includes: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Hours {
    pub(crate) from: Date,
    pub(crate) zone: Option<&'static str>,
    pub(crate) week: Vec<(Weekday, &'static str, &'static str)>,
}

impl World {
    pub(crate) fn new(zone: &'static str, now: &str) -> Self {
        Self {
            now: at(now),
            zone,
            hours: Vec::new(),
            people: Vec::new(),
            same_person: BTreeMap::new(),
            teams_of_service: BTreeMap::new(),
            policy_of_service: BTreeMap::new(),
            teams: Vec::new(),
            rules: Vec::new(),
            histories: Vec::new(),
            deployments: Vec::new(),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::new(zone(self.zone));
        settings.people = self.people.iter().map(Who::person).collect();
        settings.same_person = self.same_person.clone();
        settings.teams_of_service = self.teams_of_service.clone();
        settings.policy_of_service = self.policy_of_service.clone();
        settings.hours = self.hours.iter().map(Hours::version).collect();
        settings.teams = self.teams.iter().map(Group::team).collect();
        settings.failure_rules.clone_from(&self.rules);
        settings
    }

    pub(crate) fn engine(&self) -> Engine {
        let mut engine = Engine::new(self.settings());
        for history in &self.histories {
            engine.put(history);
        }
        engine.put_deployments(&self.deployments);
        engine
    }

    /// What is behind the figures of a query, with the failures of deployments.
    pub(crate) fn behind(&self, query: &Query) -> Vec<Behind> {
        let engine = self.engine();
        let mut items = engine.items(query, self.now).unwrap();
        engine.blame(query, &mut items, self.now).unwrap();
        items
    }

    pub(crate) fn ask(&self, metric: &str, params: &str) -> Answer {
        self.engine()
            .answer(&query(metric, params), self.now)
            .unwrap()
    }
}

impl Who {
    fn person(&self) -> Person {
        Person {
            id: self.id.clone(),
            zone: self.zone.map(zone),
            moves: self.moves.iter().map(moved).collect(),
            hours: self.hours.iter().map(Hours::version).collect(),
            memberships: self.memberships.clone(),
        }
    }
}

fn moved((from, name): &(Date, Option<&'static str>)) -> Move {
    Move {
        from: *from,
        zone: name.map(zone),
    }
}

impl Group {
    fn team(&self) -> Team {
        Team {
            id: self.id.clone(),
            hours: self.hours.iter().map(Hours::version).collect(),
            services: self.services.clone(),
            includes: self.includes.clone(),
        }
    }
}

impl Hours {
    fn version(&self) -> HoursVersion {
        let week = self.week.iter();
        let week = week.fold(Week::default(), |week, (day, start, end)| {
            week.with(*day, start, end).unwrap()
        });
        HoursVersion {
            from: self.from,
            zone: self.zone.map(zone),
            week,
        }
    }
}

thread_local! {
    static ZONES: RefCell<BTreeMap<String, TimeZone>> = const { RefCell::new(BTreeMap::new()) };
}

/// The zone of a name; looking it up anew is slow.
pub(crate) fn zone(name: &str) -> TimeZone {
    ZONES.with_borrow_mut(|zones| {
        let known = zones.entry(name.to_owned());
        known
            .or_insert_with(|| TimeZone::get(name).unwrap())
            .clone()
    })
}

/// A query of `name=value` pairs between blanks; `+` stands for a blank.
pub(crate) fn query(metric: &str, params: &str) -> Query {
    ask(metric, params).unwrap_or_else(|refused| panic!("{metric} {params}: {refused}"))
}

pub(crate) fn ask(metric: &str, params: &str) -> Result<Query, im_metrics::BadQuery> {
    let pairs: Vec<(String, String)> = params
        .split_whitespace()
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.replace('+', " "))
        })
        .collect();
    let pairs = pairs.iter();
    im_metrics::parse(metric, pairs.map(|(name, value)| (&**name, &**value)))
}

/// `2026-03-02 09:00` and finer, in UTC.
pub(crate) fn at(text: &str) -> Timestamp {
    let text = text.replace(' ', "T");
    let seconds = if text.len() == 16 { ":00" } else { "" };
    format!("{text}{seconds}Z").parse().unwrap()
}

/// What happened to an incident, one thing a line: `03-02 09:00 ack PANN`. The year is 2026.
///
/// `trigger`, `ack WHO`, `unack`, `resolve WHO` (or `timer`, `integration`, `api`, `none`),
/// `reopen`, `snooze SECONDS`, `assign A,B`, `escalate A,B`, `delegate A,B`, `notify WHO CHANNEL`; nobody is `-`.
pub(crate) fn events(story: &str) -> Vec<Event> {
    let lines = story.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).map(event).collect()
}

fn event(line: &str) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    let who = |place: usize| {
        let word = words.get(place).copied().filter(|who| *who != "-");
        word.map(str::to_owned)
    };
    let several = || {
        who(3)
            .unwrap_or_default()
            .split(',')
            .map(str::to_owned)
            .collect()
    };
    let kinds = [
        ("timer", ResolverKind::Timer),
        ("integration", ResolverKind::Integration),
        ("api", ResolverKind::Api),
        ("none", ResolverKind::None),
    ];
    let what = match words[2] {
        "trigger" => What::Triggered,
        "ack" => What::Acknowledged(who(3)),
        "unack" => What::Unacknowledged,
        "resolve" => match kinds.iter().find(|(word, _)| *word == words[3]) {
            Some((_, kind)) => What::Resolved(None, *kind),
            None => What::Resolved(who(3), ResolverKind::Human),
        },
        "reopen" => What::Reopened,
        "snooze" => What::Snoozed(words[3].parse().unwrap()),
        "assign" => What::Assigned(several()),
        "escalate" => What::Escalated(several()),
        "delegate" => What::Delegated(several()),
        "notify" => What::Notified {
            user: who(3),
            email: words[4] == "email",
        },
        other => panic!("{other}?"),
    };
    Event {
        at: at(&format!("2026-{} {}", words[0], words[1])),
        what,
    }
}

/// An incident of service `SDB`, high urgency, with that story.
pub(crate) fn incident(number: i64, story: &str) -> History {
    let values = Values {
        service: Some("SDB".to_owned()),
        policy: Some("EOPS".to_owned()),
        urgency: Some("high".to_owned()),
        priority: None,
    };
    History {
        number,
        title: format!("db down {number}"),
        origin: "pagerduty".to_owned(),
        severity: None,
        environment: None,
        at_trigger: values.clone(),
        policy_untold: false,
        current: values,
        teams: Vec::new(),
        merged: false,
        deployment: None,
        link: None,
        not_change_related: false,
        key: None,
        cause: None,
        rebuilt: false,
        events: events(story),
    }
}

/// A successful deployment of a service, finished at that time of 2026 (`03-02 09:00`).
pub(crate) fn deployment(id: &str, service: &str, finished: &str) -> Deployment {
    let finished = at(&format!("2026-{finished}"));
    Deployment {
        id: id.to_owned(),
        service: service.to_owned(),
        environment: None,
        version: None,
        started_at: finished,
        finished_at: Some(finished),
        status: DeploymentStatus::Success,
        unplanned_fix: false,
        commits: Vec::new(),
    }
}

/// A world of those incidents, in Berlin, on the evening of 31 March 2026.
pub(crate) fn march(histories: &[History]) -> World {
    let mut world = World::new("Europe/Berlin", "2026-03-31 18:00");
    world.histories = histories.to_vec();
    world
}

impl World {
    /// The figures over March 2026 in one bucket, unless the parameters say otherwise.
    pub(crate) fn shows(&self, metric: &str, params: &str) -> String {
        self.in_march(metric, params)
            .map_or_else(|bad| bad, |answer| figures(&answer))
    }

    /// What is left out of that answer.
    pub(crate) fn leaves_out(&self, metric: &str, params: &str) -> String {
        left_out(&self.in_march(metric, params).unwrap())
    }

    fn in_march(&self, metric: &str, params: &str) -> Result<Answer, String> {
        let mut params = params.to_owned();
        for default in ["from=2026-03-01", "to=2026-03-31", "bucket=all"] {
            let (name, _) = default.split_once('=').unwrap();
            if !params
                .split_whitespace()
                .any(|pair| pair.starts_with(&format!("{name}=")))
            {
                params = format!("{params} {default}");
            }
        }
        let query = ask(metric, &params).map_err(|refused| refused.to_string())?;
        let answer = self.engine().answer(&query, self.now);
        answer.map_err(|refused| refused.to_string())
    }
}

/// `GROUP DATE: VALUE`, one figure a line; empty buckets of groups are not shown.
fn figures(answer: &Answer) -> String {
    let mut lines = Vec::new();
    for series in &answer.series {
        let keys = series
            .keys
            .iter()
            .map(|key| key.as_deref().unwrap_or("none"));
        let keys = keys.collect::<Vec<_>>().join(" ");
        for (bucket, value) in answer.buckets.iter().zip(&series.values) {
            let label = if answer.buckets.len() > 1 {
                bucket.label.strftime(" %m-%d").to_string()
            } else {
                String::new()
            };
            let head = format!("{keys}{label}");
            let value = show(&value.figure);
            lines.push(match head.trim() {
                "" => value,
                head => format!("{head}: {value}"),
            });
        }
    }
    lines.join("\n")
}

fn show(figure: &Figure) -> String {
    let some =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value}"));
    let judged = |judged: &Judged| format!("{}/{}/{}", judged.met, judged.breached, judged.pending);
    match figure {
        Figure::Durations(Durations { n: 0, .. }) => "n=0".to_owned(),
        Figure::Durations(d) => {
            let [mean, median, p90] = [d.mean, d.median, d.p90].map(some);
            let [min, max] = [d.min, d.max].map(some);
            format!(
                "n={} mean={mean} median={median} p90={p90} min={min} max={max}",
                d.n
            )
        }
        Figure::Count { n } => n.to_string(),
        Figure::Rate { n, per_day } => format!("{n}, {per_day} a day"),
        Figure::Ratio {
            numerator,
            denominator,
            ratio,
        } => format!("{numerator}/{denominator} = {}", some(*ratio)),
        Figure::Compliance { ack, resolve, .. } => {
            format!("ack {} resolve {}", judged(ack), judged(resolve))
        }
        Figure::Load {
            n,
            acknowledged,
            mtta,
            out_of_hours,
            escalated_away,
        } => {
            let [acknowledged, mtta, out] =
                [acknowledged, mtta, out_of_hours].map(|one| some(*one));
            format!(
                "{n} pages, acknowledged {acknowledged} after {mtta}, out {out}, away {escalated_away}"
            )
        }
    }
}

/// The reasons that the metric uses.
fn left_out(answer: &Answer) -> String {
    let out = answer.left_out;
    let rest = [
        ("open", out.open),
        ("unacknowledged", out.unacknowledged),
        ("of these open", out.unacknowledged_open),
        ("not_failure", out.not_failure),
        ("unlinked", out.unlinked),
        ("negative", out.negative),
        ("no_target", out.no_target),
        ("rebuilt", out.rebuilt),
    ];
    let always = [("test", Some(out.test)), ("merged", Some(out.merged))];
    let all = always.into_iter().chain(rest);
    let shown = all.filter_map(|(name, count)| Some(format!("{name}={}", count?)));
    shown.collect::<Vec<_>>().join(" ")
}

/// Checks rows of parameters and what the answer shows.
#[track_caller]
pub(crate) fn table(world: &World, metric: &str, rows: &[(&str, &str)]) {
    for (params, want) in rows {
        let lines = want.lines().map(str::trim);
        let want = lines
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(world.shows(metric, params), want, "{metric} {params}");
    }
}
