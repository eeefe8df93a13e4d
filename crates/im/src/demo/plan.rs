//! A quarter of an invented company: what broke and who did what, what was brought out and what of
//! it broke something. A bad week, then a new rota, and it becomes better; search becomes worse.
//!
//! The same seed and the same instant give the same plan. Nothing here knows the stand-in or the
//! server: [`super::history`] plays it there, [`super::settled`] tells it here.

mod courses;
mod releases;
mod troubles;

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

pub(super) use courses::Act;
use courses::Pace;
pub(super) use releases::Deployment;
use troubles::{DATABASE, DECLARED, SEARCH, Trouble};

/// The zone of the company: people there work and deploy by day.
pub(super) const ZONE: &str = "Europe/Berlin";
/// Full weeks before that of today.
const WEEKS: i64 = 13;
/// The week in which everything breaks; the new rota comes with the next.
const BAD_WEEK: i64 = 8;
/// What begins later may not be over by now.
const OVER_WITHIN: SignedDuration = SignedDuration::from_hours(5);
/// Of 100 that begin by night, until the new rota and from then on.
const BY_NIGHT: (u8, u8) = (27, 14);
const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;

/// Everything, as it happens to each.
pub(super) struct Plan {
    /// When it begins: on a Monday.
    pub(super) since: Timestamp,
    /// When the new rota comes.
    pub(super) rota: Timestamp,
    pub(super) incidents: Vec<Incident>,
    /// Oldest first, but for what repairs another.
    pub(super) deployments: Vec<Deployment>,
}

/// One incident and its course.
pub(super) struct Incident {
    pub(super) at: Timestamp,
    /// Which service, in the account's order.
    pub(super) service: usize,
    pub(super) title: &'static str,
    /// As monitoring says it; `None` where a person declares it.
    pub(super) severity: Option<&'static str>,
    /// Which priority, in the account's order.
    pub(super) priority: Option<usize>,
    /// In order.
    pub(super) acts: Vec<(Timestamp, Act)>,
    /// What people say of it here.
    pub(super) said: Option<Said>,
}

/// What people say of an incident besides.
pub(super) enum Said {
    /// The deployment of this id caused it.
    CausedBy(String, &'static str),
    /// No change caused it.
    NoChange(&'static str),
}

/// How a week goes.
struct Week {
    /// Incidents that no release causes.
    incidents: u32,
    pace: Pace,
    /// Of 100 that begin by night.
    by_night: u8,
    /// Of 100 releases that break something.
    breaks: u8,
}

impl Week {
    const fn of(week: i64) -> Self {
        let (incidents, answer_s, repair_s, by_night, breaks) = match week {
            0..=3 => (14, 540, 2_300, BY_NIGHT.0, 13),
            4..BAD_WEEK => (15, 610, 2_600, BY_NIGHT.0, 16),
            BAD_WEEK => (21, 780, 3_500, 34, 26),
            _ => (7, 140, 900, BY_NIGHT.1, 4),
        };
        Self {
            incidents,
            pace: Pace { answer_s, repair_s },
            by_night,
            breaks,
        }
    }

    /// How long things take at this service: search becomes worse when all else becomes better.
    fn pace(&self, service: usize, week: i64) -> Pace {
        let is_worse = service == SEARCH && week > BAD_WEEK;
        Pace {
            answer_s: self.pace.answer_s,
            repair_s: self.pace.repair_s * if is_worse { 4 } else { 1 },
        }
    }
}

/// When things are, on the wall clock of the company.
struct Calendar {
    zone: TimeZone,
    first_monday: Date,
    now: Timestamp,
}

impl Calendar {
    fn new(now: Timestamp) -> Self {
        let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
        let today = now.to_zoned(zone.clone()).date();
        let passed = i64::from(today.weekday().to_monday_zero_offset());
        let first_monday = today.saturating_sub((passed + 7 * WEEKS).days());
        Self {
            zone,
            first_monday,
            now,
        }
    }

    /// So many days and seconds after midnight of the first Monday.
    fn at(&self, day: i64, second: i64) -> Timestamp {
        let date = self.first_monday.saturating_add(day.days());
        let midnight = date.to_zoned(self.zone.clone());
        let midnight = midnight.map_or(self.now, |midnight| midnight.timestamp());
        midnight + SignedDuration::from_secs(second)
    }

    /// What begins then is over by now.
    fn is_over(&self, at: Timestamp) -> bool {
        at + OVER_WITHIN <= self.now
    }
}

impl Plan {
    /// The plan of this seed, with all of it before `now`.
    pub(super) fn new(seed: u64, now: Timestamp) -> Self {
        let calendar = Calendar::new(now);
        let mut rng = Rng::with_seed(seed);
        let mut plan = Self {
            since: calendar.at(0, 0),
            rota: calendar.at(7 * (BAD_WEEK + 1), 9 * HOUR_S),
            incidents: Vec::new(),
            deployments: Vec::new(),
        };
        for week in 0..=WEEKS {
            plan.breakdowns(&mut rng, &calendar, week);
        }
        plan.storm(&calendar);
        plan.releases(&mut rng, &calendar);
        plan.today(now);
        plan
    }

    /// What breaks in a week by itself.
    fn breakdowns(&mut self, rng: &mut Rng, calendar: &Calendar, week: i64) {
        let of = Week::of(week);
        for _ in 0..of.incidents {
            let service = troubles::service(rng);
            self.breakdown(rng, calendar, (week, service));
        }
        if week > BAD_WEEK {
            for _ in 0..2 {
                self.breakdown(rng, calendar, (week, SEARCH));
            }
        }
    }

    fn breakdown(&mut self, rng: &mut Rng, calendar: &Calendar, (week, service): (i64, usize)) {
        let of = Week::of(week);
        let at = moment(rng, calendar, week, of.by_night);
        let pace = of.pace(service, week);
        let declared = rng.u8(0..100) < 7;
        let trouble = if declared {
            pick(rng, &DECLARED)
        } else {
            troubles::of(rng, service)
        };
        let acts = courses::of(rng, &trouble, pace, at);
        // Since the new rota each is looked at in a review.
        let looked_at = if week > BAD_WEEK { 60 } else { 15 };
        let looked_at = rng.u8(0..100) < if trouble.outside { 75 } else { looked_at };
        let why = if trouble.outside {
            "the cause is outside of what we run"
        } else {
            "the review found no change behind it"
        };
        let incident = Incident {
            at,
            service,
            title: trouble.title,
            severity: (!declared).then_some(trouble.severity),
            priority: priority(rng, &trouble),
            acts,
            said: looked_at.then_some(Said::NoChange(why)),
        };
        if calendar.is_over(at) {
            self.incidents.push(incident);
        }
    }

    /// The night of the bad week: the database goes, and others go with it.
    fn storm(&mut self, calendar: &Calendar) {
        let night = calendar.at(7 * BAD_WEEK + 2, 2 * HOUR_S + 640);
        let after = |minutes: i64| night + SignedDuration::from_mins(minutes);
        let first = self.incidents.len();
        let mut one = |minutes: i64, service: usize, title, priority, acts| {
            self.incidents.push(Incident {
                at: after(minutes),
                service,
                title,
                severity: Some("critical"),
                priority: Some(priority),
                acts,
                said: None,
            });
        };
        let acts = vec![
            (after(17), Act::Take),
            (
                after(24),
                Act::Note("db-1 takes no connections any more; failing over."),
            ),
            (after(31), Act::Ask(4)),
            (after(96), Act::Resolve),
            (after(110), Act::Note("root cause: exhausted connections")),
        ];
        one(0, DATABASE, "Connections exhausted on db-1", 0, acts);
        let followers = [
            (2, 0, "Card payments: error rate above 5 %"),
            (3, 1, "Checkout: 502 from the gateway"),
            (6, 5, "Invoices are not sent"),
        ];
        for (minutes, service, title) in followers {
            let merge = vec![(after(27 + minutes), Act::MergeInto(first))];
            one(minutes, service, title, 1, merge);
        }
    }

    /// The last hours: what was just over, and what is open.
    fn today(&mut self, now: Timestamp) {
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        let mut one = |minutes: i64, service: usize, title, priority, acts: &[(i64, Act)]| {
            let acts = acts.iter().map(|(minutes, act)| (ago(*minutes), *act));
            let is_over = minutes > 60;
            self.incidents.push(Incident {
                at: ago(minutes),
                service,
                title,
                severity: Some("critical"),
                priority: Some(priority),
                acts: acts.collect(),
                said: is_over.then_some(Said::NoChange("nothing was changed that day")),
            });
        };
        let throttled = "A batch job held its connections; it is throttled now.";
        let acts = [
            (281, Act::Take),
            (279, Act::Note(throttled)),
            (262, Act::Resolve),
        ];
        one(284, DATABASE, "Connections exhausted on db-1", 1, &acts);
        let acts = [(176, Act::Take), (160, Act::Resolve)];
        one(180, 0, "Refunds fail for one bank", 2, &acts);
        let acts = [(17, Act::Take), (15, Act::Note("One shard is rebuilding."))];
        one(22, SEARCH, "Search: error rate above 2 %", 1, &acts);
        one(4, 1, "Checkout: payment page is blank for some", 1, &[]);
    }
}

/// An instant of a week: mostly in the hours in which people change things.
fn moment(rng: &mut Rng, calendar: &Calendar, week: i64, by_night: u8) -> Timestamp {
    let day = weighted(rng, &[10, 11, 11, 10, 9, 4, 4]);
    let second = if rng.u8(0..100) < by_night {
        // From the evening into the morning.
        rng.i64(20 * HOUR_S..31 * HOUR_S) % DAY_S
    } else {
        rng.i64(8 * HOUR_S..19 * HOUR_S)
    };
    calendar.at(7 * week + i64::try_from(day).unwrap_or(0), second)
}

/// Which priority the orchestration of events gives it, if any.
fn priority(rng: &mut Rng, trouble: &Trouble) -> Option<usize> {
    let weights = if trouble.severity == "critical" {
        [8, 30, 42, 10, 0, 10]
    } else {
        [0, 0, 10, 40, 30, 20]
    };
    Some(weighted(rng, &weights)).filter(|index| *index < 5)
}

/// An index, in proportion to its weight.
fn weighted(rng: &mut Rng, weights: &[u32]) -> usize {
    let mut left = rng.u32(0..weights.iter().sum::<u32>().max(1));
    for (index, weight) in weights.iter().enumerate() {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    0
}

fn pick<T: Copy>(rng: &mut Rng, list: &[T]) -> T {
    *rng.choice(list).expect("our tables have entries")
}

/// Mostly somewhat less than `usual_s`, at times three times as long.
fn about(rng: &mut Rng, usual_s: i64) -> SignedDuration {
    let chance = rng.i64(0..100);
    let hundredths = 35 + chance * chance / 36;
    SignedDuration::from_secs(usual_s * hundredths / 100 + rng.i64(0..20))
}
