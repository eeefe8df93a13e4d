//! A year of incidents of an organisation, by a seed: each can be made by itself, in any order.

use im_metrics::input::{
    Deployment, DeploymentStatus, Event, History, Person, ResolverKind, Settings, Values, What,
};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const SERVICES: usize = 24;
const POLICIES: usize = 12;
const PEOPLE: usize = 120;
/// Deployments of a service in the year.
const DEPLOYMENTS: usize = 1_095;
const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"];
const WHAT: [&str; 5] = [
    "Checkout error rate above 5%",
    "Disk almost full",
    "Latency of search above 2 s",
    "Certificate expires",
    "Queue does not shrink",
];

/// The first Monday, and the instant after the last Sunday.
const FROM: i64 = 1_762_128_000;
const TO: i64 = 1_793_577_600;

/// When the questions are asked.
pub(crate) fn now() -> Timestamp {
    Timestamp::new(TO, 0).unwrap()
}

/// The year.
pub(crate) struct Made {
    seed: u64,
    pub(crate) incidents: usize,
    zones: Vec<TimeZone>,
}

/// An incident, plainly.
pub(crate) struct Lived {
    pub(crate) number: usize,
    pub(crate) title: String,
    pub(crate) service: String,
    pub(crate) policy: String,
    pub(crate) urgency: &'static str,
    pub(crate) priority: String,
    pub(crate) at: Timestamp,
    pub(crate) is_test: bool,
    pub(crate) merged: bool,
    /// Who was paged, when.
    pub(crate) pages: Vec<(usize, Timestamp)>,
    /// Who acknowledged it, when.
    pub(crate) ack: Option<(usize, Timestamp)>,
    /// When it was resolved; the last ones still are open.
    pub(crate) resolved: Option<Timestamp>,
}

impl Made {
    pub(crate) fn seeded(seed: u64, incidents: usize) -> Self {
        let zones = ZONES.iter().map(|name| TimeZone::get(name).unwrap());
        Self {
            seed,
            incidents,
            zones: zones.collect(),
        }
    }

    /// The zone of a person.
    pub(crate) fn zone(&self, person: usize) -> &TimeZone {
        &self.zones[person % ZONES.len()]
    }

    /// Whether a page is outside the usual working hours of a person, and the start of its hour there.
    pub(crate) fn hour(&self, person: usize, at: Timestamp) -> (bool, Timestamp) {
        let there = at.to_zoned(self.zone(person).clone());
        let weekend = matches!(there.weekday(), Weekday::Saturday | Weekday::Sunday);
        let is_out = weekend || !(8..18).contains(&there.hour());
        let past = SignedDuration::from_mins(there.minute().into())
            + SignedDuration::from_secs(there.second().into())
            + SignedDuration::from_nanos(there.subsec_nanosecond().into());
        (is_out, at - past)
    }

    /// Those who are paged, with their zones.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::new(TimeZone::UTC);
        let people = (0..PEOPLE).map(|person| Person {
            id: person_id(person),
            zone: Some(self.zone(person).clone()),
            ..Person::default()
        });
        settings.people = people.collect();
        settings
    }

    /// All deployments.
    pub(crate) fn deployments(&self) -> Vec<Deployment> {
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let mut all = Vec::new();
        for service in 0..SERVICES {
            for nth in 0..DEPLOYMENTS {
                let step = (TO - FROM) / i64::try_from(DEPLOYMENTS).unwrap();
                let started = FROM + step * i64::try_from(nth).unwrap() + rng.i64(0..step / 2);
                let finished = started + rng.i64(60..1_200);
                let success = rng.u32(0..20) > 0;
                all.push(Deployment {
                    id: format!("D{service:02}{nth:05}"),
                    service: service_id(service),
                    environment: Some("production".to_owned()),
                    version: None,
                    started_at: seconds(started),
                    finished_at: Some(seconds(finished)),
                    status: if success {
                        DeploymentStatus::Success
                    } else {
                        DeploymentStatus::Failure
                    },
                    unplanned_fix: false,
                    commits: Vec::new(),
                });
            }
        }
        all
    }

    /// An incident, from 1.
    pub(crate) fn lived(&self, number: usize) -> Lived {
        let mut rng = fastrand::Rng::with_seed(
            self.seed
                ^ u64::try_from(number)
                    .unwrap()
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15),
        );
        let step = (TO - FROM) * 1_000 / i64::try_from(self.incidents).unwrap();
        let ms = FROM * 1_000 + step * (i64::try_from(number).unwrap() - 1) + rng.i64(0..step);
        let at = Timestamp::from_millisecond(ms).unwrap();
        let later = |at: Timestamp, ms: i64| at + SignedDuration::from_millis(ms);
        let service = rng.usize(0..SERVICES);
        let policy = service / 2;
        let first = policy * (PEOPLE / POLICIES) + rng.usize(0..5);
        let is_test = rng.u32(0..100) == 0;
        let ack_ms = delay(&mut rng, 180_000);
        let is_acked = rng.u32(0..100) < 90;
        let mut pages = vec![(first, later(at, 2_000))];
        if !is_acked || ack_ms > 300_000 {
            pages.push((first + 5, later(at, 302_000)));
        }
        let who = pages.last().map_or(first, |(person, _)| *person);
        let ack = is_acked.then(|| (who, later(at, ack_ms)));
        let last = ack.map_or(at, |(_, at)| at);
        let ack = ack.filter(|(_, at)| *at < now());
        pages.retain(|(_, at)| *at < now());
        let resolved = later(last, 310_000 + delay(&mut rng, 2_400_000));
        let resolved = Some(resolved).filter(|at| *at < now());
        Lived {
            number,
            title: format!(
                "{}{} on host {}",
                if is_test { "[test] " } else { "" },
                WHAT[rng.usize(0..WHAT.len())],
                rng.u32(0..500)
            ),
            service: service_id(service),
            policy: format!("PPOL{policy:02}"),
            urgency: if rng.u32(0..3) > 0 { "high" } else { "low" },
            priority: format!("PPRI{}", rng.u32(1..5)),
            at,
            is_test,
            merged: rng.u32(0..50) == 0 && resolved.is_some(),
            pages,
            ack,
            resolved,
        }
    }
}

impl Lived {
    /// As the engine is fed.
    pub(crate) fn history(&self) -> History {
        let values = Values {
            service: Some(self.service.clone()),
            policy: Some(self.policy.clone()),
            urgency: Some(self.urgency.to_owned()),
            priority: Some(self.priority.clone()),
        };
        History {
            number: i64::try_from(self.number).unwrap(),
            title: self.title.clone(),
            origin: "pagerduty".to_owned(),
            severity: Some("SEV-2".to_owned()),
            environment: None,
            at_trigger: values.clone(),
            policy_untold: false,
            current: values,
            teams: Vec::new(),
            merged: self.merged,
            deployment: None,
            link: None,
            not_change_related: false,
            cause: None,
            rebuilt: false,
            key: None,
            events: self.events(),
        }
    }

    fn events(&self) -> Vec<Event> {
        let event = |at, what| Event { at, what };
        let mut events = vec![event(self.at, What::Triggered)];
        for (nth, (person, at)) in self.pages.iter().enumerate() {
            let to = vec![person_id(*person)];
            events.push(if nth == 0 {
                event(self.at, What::Assigned(to))
            } else {
                event(*at, What::Escalated(to))
            });
            let notified = What::Notified {
                user: Some(person_id(*person)),
                email: false,
            };
            events.push(event(*at, notified));
        }
        let by = |person: usize| Some(person_id(person));
        events.extend(
            self.ack
                .map(|(who, at)| event(at, What::Acknowledged(by(who)))),
        );
        let resolver = match (self.merged, self.ack) {
            (true, _) => (None, ResolverKind::Merge),
            (false, Some((who, _))) => (by(who), ResolverKind::Human),
            (false, None) => (None, ResolverKind::Integration),
        };
        events.extend(
            self.resolved
                .map(|at| event(at, What::Resolved(resolver.0, resolver.1))),
        );
        events.sort_by_key(|event| event.at);
        events
    }
}

/// Mostly short, seldom long, with this mean; in milliseconds.
fn delay(rng: &mut fastrand::Rng, mean: i64) -> i64 {
    let whole = -rng.f64().max(1e-9).ln() * 1e6;
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "at most 21 times a million"
    )]
    let millionths = whole as i64;
    mean * millionths / 1_000_000 + 1
}

fn seconds(at: i64) -> Timestamp {
    Timestamp::new(at, 0).unwrap()
}

pub(crate) fn person_id(person: usize) -> String {
    format!("PUSR{person:03}")
}

fn service_id(service: usize) -> String {
    format!("PSVC{service:02}")
}
