//! What is brought out: several releases a week, some of which break something and are repaired.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::super::SERVICES;
use super::courses::{self, Act};
use super::troubles::{BROKEN, SEARCH};
use super::{Calendar, HOUR_S, Incident, Plan, Said, WEEKS, Week, about, pick, weighted};

/// Releases of each service in a week, in the account's order.
const A_WEEK: [i64; 6] = [4, 5, 1, 3, 3, 2];
/// The versions before those of the plan.
const VERSIONS: [(u32, u32); 6] = [(4, 11), (7, 52), (2, 3), (3, 30), (1, 88), (5, 17)];
/// Why somebody is sure.
const SURE: [&str; 3] = [
    "it began with the release, and rolling back ended it",
    "the failing requests name the new version",
    "the diff has it: a retry without a limit",
];

/// One deployment, as it is told here.
pub(in super::super) struct Deployment {
    pub(in super::super) id: String,
    /// Which service, in the account's order.
    pub(in super::super) service: usize,
    pub(in super::super) version: String,
    pub(in super::super) started_at: Timestamp,
    /// `None` while it is under way.
    pub(in super::super) finished_at: Option<Timestamp>,
    pub(in super::super) status: &'static str,
    pub(in super::super) unplanned_fix: bool,
    /// Hash and time of each.
    pub(in super::super) commits: Vec<(String, Timestamp)>,
}

/// How far each service is.
struct Versions([(u32, u32); 6]);

impl Versions {
    /// The current version, after `steps` more.
    fn step(&mut self, service: usize, steps: u32) -> String {
        self.0
            .get_mut(service)
            .map_or_else(String::new, |(major, minor)| {
                *minor += steps;
                format!("v{major}.{minor}.0")
            })
    }

    /// The one before the current.
    fn before(&self, service: usize) -> String {
        self.0
            .get(service)
            .map_or_else(String::new, |(major, minor)| {
                format!("v{major}.{}.0", minor.saturating_sub(1))
            })
    }
}

impl Plan {
    /// All releases, and what they break.
    pub(super) fn releases(&mut self, rng: &mut Rng, calendar: &Calendar) {
        let mut versions = Versions(VERSIONS);
        for (at, week, service) in starts(rng, calendar) {
            let version = versions.step(service, 1);
            let before = versions.before(service);
            self.release(rng, calendar, (at, week, service), [version, before]);
        }
        self.released_today(rng, &mut versions, calendar.now);
    }

    fn release(
        &mut self,
        rng: &mut Rng,
        calendar: &Calendar,
        (at, week, service): (Timestamp, i64, usize),
        [version, before]: [String; 2],
    ) {
        let finished = at + SignedDuration::from_secs(rng.i64(240..1_100));
        let status = match rng.u8(0..100) {
            0..4 => "failure",
            4..6 => "cancelled",
            _ => "success",
        };
        let of = Week::of(week);
        let breaks = of.breaks * if service == SEARCH { 2 } else { 1 };
        let breaks = status == "success" && rng.u8(0..100) < breaks;
        let deployment = Deployment {
            id: format!("{}-{version}", name(service)),
            service,
            version,
            started_at: at,
            finished_at: Some(finished),
            status,
            unplanned_fix: false,
            commits: commits(rng, at, if week < WEEKS - 4 { 26 } else { 16 }),
        };
        let id = deployment.id.clone();
        let broken = finished + SignedDuration::from_secs(rng.i64(200..3_000));
        let pace = of.pace(service, week);
        if !calendar.is_over(finished) {
            return;
        }
        self.deployments.push(deployment);
        let Some(trouble) = BROKEN
            .get(service)
            .filter(|_| breaks && calendar.is_over(broken))
        else {
            return;
        };
        let acts = courses::of(rng, trouble, pace, broken);
        let end = acts.iter().find(|(_, act)| matches!(act, Act::Resolve));
        let repaired = end.map(|(end, _)| *end - SignedDuration::from_mins(3));
        // What is over at once was not rolled back.
        let is_slow = |at: &Timestamp| at.duration_since(broken) > SignedDuration::from_mins(9);
        if let Some(repaired) = repaired.filter(is_slow).filter(|_| rng.u8(0..100) < 60) {
            self.deployments.push(Deployment {
                id: format!("{id}-rollback"),
                service,
                version: before,
                started_at: repaired - SignedDuration::from_secs(rng.i64(60..110)),
                finished_at: Some(repaired),
                status: "success",
                unplanned_fix: true,
                commits: Vec::new(),
            });
        }
        let said = rng.u8(0..100) < 45;
        self.incidents.push(Incident {
            at: broken,
            service,
            title: trouble.title,
            severity: Some(trouble.severity),
            priority: Some(weighted(rng, &[15, 45, 40])),
            acts,
            said: said.then(|| Said::CausedBy(id, pick(rng, &SURE))),
        });
    }

    /// The one that may be behind what is open now, and one that is under way to repair another.
    fn released_today(&mut self, rng: &mut Rng, versions: &mut Versions, now: Timestamp) {
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        let checkout = 1;
        let today = [(checkout, ago(19), Some(ago(11))), (SEARCH, ago(3), None)];
        for (service, started_at, finished_at) in today {
            let version = versions.step(service, 1);
            self.deployments.push(Deployment {
                id: format!("{}-{version}", name(service)),
                service,
                version,
                started_at,
                finished_at,
                status: finished_at.map_or("in_progress", |_| "success"),
                unplanned_fix: finished_at.is_none(),
                commits: commits(rng, started_at, 10),
            });
        }
    }
}

/// When each release starts, with its week and service, oldest first.
fn starts(rng: &mut Rng, calendar: &Calendar) -> Vec<(Timestamp, i64, usize)> {
    let mut starts = Vec::new();
    for week in 0..=WEEKS {
        for (service, usual) in A_WEEK.iter().enumerate() {
            let more = if week < WEEKS - 4 { -1..=1 } else { 0..=1 };
            for _ in 0..(usual + rng.i64(more)).max(1) {
                let day = weighted(rng, &[4, 5, 5, 4, 2]);
                let day = 7 * week + i64::try_from(day).unwrap_or(0);
                let second = 9 * HOUR_S + rng.i64(900..8 * HOUR_S);
                starts.push((calendar.at(day, second), week, service));
            }
        }
    }
    starts.sort_unstable();
    starts
}

/// What is in a release: mostly made within `usual_h` hours before it.
fn commits(rng: &mut Rng, before: Timestamp, usual_h: i64) -> Vec<(String, Timestamp)> {
    let count = rng.usize(1..6);
    let commits = (0..count).map(|_| {
        let sha = format!("{:032x}{:08x}", rng.u128(..), rng.u32(..));
        (sha, before - about(rng, usual_h * HOUR_S))
    });
    commits.collect()
}

fn name(service: usize) -> &'static str {
    SERVICES.get(service).copied().unwrap_or_default()
}
