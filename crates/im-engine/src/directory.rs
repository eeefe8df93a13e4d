//! PagerDuty's people and things: services, teams, users, escalation policies, schedules, priorities.
//!
//! A repair reads the lists now and then; webhooks tell of services at once. What changed ends one
//! stretch of time and begins another ([`im_store::directory`]), so that figures of the past go by
//! who was where then.
//!
//! Invariants
//! - What was heard later than it happened changes nothing that is known of later.
//! - A thing is gone when PagerDuty tells so, or when two whole lists in a row lack it: between two
//!   pages of one list others may have moved up.
//! - A list that this key or plan does not give is a notice, and nothing counts as gone by it.

use im_pagerduty::{Answer, Call, Outcome, Page, Refusal, ServiceEvent};
use im_store::directory::{self, About, DirectoryRow, Kind};
use im_store::{Cause, StoreError, Tx, settings};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The lists are read again after this time.
const AFTER: SignedDuration = SignedDuration::from_hours(1);

/// A list of PagerDuty's, in the order in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum List {
    Users,
    Teams,
    Policies,
    Services,
    Schedules,
    /// Schedules are in two lists, by how they are made.
    ShiftSchedules,
    Priorities,
}

impl List {
    /// The one that is read after it.
    pub(crate) fn next(self) -> Option<Self> {
        match self {
            Self::Users => Some(Self::Teams),
            Self::Teams => Some(Self::Policies),
            Self::Policies => Some(Self::Services),
            Self::Services => Some(Self::Schedules),
            Self::Schedules => Some(Self::ShiftSchedules),
            Self::ShiftSchedules => Some(Self::Priorities),
            Self::Priorities => None,
        }
    }

    pub(crate) fn call(self, offset: u32) -> Call {
        match self {
            Self::Users => Call::ListUsers { offset },
            Self::Teams => Call::ListTeams { offset },
            Self::Policies => Call::ListPolicies { offset },
            Self::Services => Call::ListServices { offset },
            Self::Schedules => Call::ListSchedules { offset },
            Self::ShiftSchedules => Call::ListShiftSchedules { offset },
            Self::Priorities => Call::ListPriorities { offset },
        }
    }

    /// What is in it, for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Users => "the users",
            Self::Teams => "the teams",
            Self::Policies => "the escalation policies",
            Self::Services => "the services",
            Self::Schedules => "the schedules",
            Self::ShiftSchedules => "the schedules made of shifts",
            Self::Priorities => "the priorities",
        }
    }

    /// What it is the end of: with this list, all of the kind are read.
    fn completes(self) -> Option<Kind> {
        match self {
            Self::Users => Some(Kind::User),
            Self::Teams => Some(Kind::Team),
            Self::Policies => Some(Kind::Policy),
            Self::Services => Some(Kind::Service),
            Self::Schedules => None,
            Self::ShiftSchedules => Some(Kind::Schedule),
            Self::Priorities => Some(Kind::Priority),
        }
    }
}

/// How the last reading of a connector's lists went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When the lists were read to their end.
    pub read_at: Option<Timestamp>,
    /// What could not be read, and why.
    pub notices: Vec<String>,
    /// Which lists these notices are about.
    unread: Vec<List>,
}

fn setting(connector: &str) -> String {
    format!("directory_read:{connector}")
}

/// How the last reading went.
pub fn reading(tx: &mut Tx<'_>, connector: &str) -> Result<Reading, StoreError> {
    match settings::get(tx, &setting(connector))? {
        Some(text) if !text.is_empty() => {
            serde_json::from_str(&text).map_err(|error| StoreError::Corrupt {
                place: format!("how the directory of connector {connector} was read"),
                source: Cause::new(error),
            })
        }
        _ => Ok(Reading::default()),
    }
}

fn keep(tx: &mut Tx<'_>, connector: &str, reading: &Reading) -> Result<(), StoreError> {
    let text = serde_json::to_string(reading).expect("our own types have text keys");
    settings::put(tx, &setting(connector), &text)
}

/// Lets the lists be read by the next repair; what is known stays.
pub(crate) fn read_anew(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    let mut reading = reading(tx, connector)?;
    reading.read_at = None;
    keep(tx, connector, &reading)
}

/// Whether the lists were read lately.
pub(crate) fn is_fresh(
    tx: &mut Tx<'_>,
    connector: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let read_at = reading(tx, connector)?.read_at;
    Ok(read_at.is_some_and(|at| now.duration_since(at) < AFTER))
}

/// Whether the users could not be read the last time: without them nobody's address is known.
pub(crate) fn lacks_users(tx: &mut Tx<'_>, connector: &str) -> Result<bool, StoreError> {
    Ok(reading(tx, connector)?.unread.contains(&List::Users))
}

/// Forgets how the lists of a connector were read: who gets its name reads them itself.
pub(crate) fn forget(tx: &mut Tx<'_>, connector: &str) -> Result<(), StoreError> {
    settings::put(tx, &setting(connector), "")
}

/// The last list is read.
pub(crate) fn is_read(tx: &mut Tx<'_>, connector: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut reading = reading(tx, connector)?;
    reading.read_at = Some(now);
    keep(tx, connector, &reading)
}

/// A list cannot be read.
pub(crate) fn refused(
    tx: &mut Tx<'_>,
    connector: &str,
    list: List,
    run: (i64, Timestamp),
    outcome: &Outcome,
) -> Result<(), StoreError> {
    if let (List::ShiftSchedules, Outcome::Gone | Outcome::Refused(Refusal { status: 400, .. })) =
        (list, outcome)
    {
        // An account without such schedules need not have the list.
        return is_over(tx, connector, list, run);
    }
    let why = match outcome {
        Outcome::Refused(refusal) => refusal.to_string(),
        _ => "PagerDuty does not have it (HTTP 404)".to_owned(),
    };
    let mut reading = reading(tx, connector)?;
    forget_notice(&mut reading, list);
    reading.notices.push(format!("{}: {why}", list.words()));
    reading.unread.push(list);
    keep(tx, connector, &reading)
}

fn forget_notice(reading: &mut Reading, list: List) -> bool {
    let place = reading.unread.iter().position(|unread| *unread == list);
    if let Some(place) = place {
        reading.unread.remove(place);
        reading.notices.remove(place);
    }
    place.is_some()
}

/// Learns what a page of a list shows, as it was at `at`; `run` and its start say which reading.
/// Returns where the list goes on.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    connector: &str,
    (list, offset): (List, u32),
    run: (i64, Timestamp),
    answer: &Answer,
    at: Timestamp,
) -> Result<Option<u32>, StoreError> {
    let Shown { rows, more, next } = shown(connector, offset, answer, at);
    for row in rows {
        learn(tx, &row, run.0)?;
    }
    if !more {
        is_over(tx, connector, list, run)?;
    }
    Ok(next)
}

/// A list is read to its end: what it lacks is missed, and gone if it was missed before.
fn is_over(
    tx: &mut Tx<'_>,
    connector: &str,
    list: List,
    (run, began): (i64, Timestamp),
) -> Result<(), StoreError> {
    let mut reading = reading(tx, connector)?;
    if forget_notice(&mut reading, list) {
        keep(tx, connector, &reading)?;
    }
    let whole = list != List::ShiftSchedules || !reading.unread.contains(&List::Schedules);
    let Some(kind) = list.completes().filter(|_| whole) else {
        return Ok(());
    };
    for (id, missed_at) in directory::unseen(tx, connector, kind, run)? {
        match missed_at {
            Some(missed_at) => {
                directory::end(tx, connector, kind, &id, missed_at)?;
            }
            None => directory::miss(tx, connector, kind, &id, began)?,
        }
    }
    Ok(())
}

/// A service was made, changed or deleted at `at`.
pub(crate) fn heard(
    tx: &mut Tx<'_>,
    connector: &str,
    event: &ServiceEvent,
    is_deleted: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (kind, id) = (Kind::Service, &event.service.id);
    let latest = directory::latest(tx, connector, kind, id)?;
    if is_deleted {
        if latest.is_some_and(|latest| latest.since <= at) {
            directory::end(tx, connector, kind, id, at)?;
        }
        return Ok(());
    }
    // It tells a part: the list tells the rest.
    read_anew(tx, connector)?;
    let Some(mut row) = latest else {
        return Ok(());
    };
    row.since = at;
    row.name = event.service.name.clone().or(row.name);
    learn(tx, &row, 0)
}

/// Learns what a thing was like at the row's `since`.
fn learn(tx: &mut Tx<'_>, row: &DirectoryRow, run: i64) -> Result<(), StoreError> {
    let (connector, kind, at) = (row.connector.as_str(), row.kind, row.since);
    let Some(latest) = directory::latest(tx, connector, kind, &row.id)? else {
        return directory::begin(tx, row, run);
    };
    if latest.since > at || latest.until.is_some_and(|until| until > at) {
        return Ok(());
    }
    let is_there = latest.until.is_none();
    if is_there && (&latest.name, &latest.about) == (&row.name, &row.about) {
        let state = row.state.as_deref();
        return match run {
            0 => Ok(()),
            run => directory::see(tx, connector, kind, &row.id, run, state),
        };
    }
    if is_there {
        directory::end(tx, connector, kind, &row.id, at)?;
    }
    directory::begin(tx, row, run)
}

/// What a page shows.
struct Shown {
    rows: Vec<DirectoryRow>,
    more: bool,
    next: Option<u32>,
}

impl Shown {
    fn of<T>(page: &Page<T>, row: impl FnMut(&T) -> DirectoryRow) -> Self {
        Self {
            rows: page.items.iter().map(row).collect(),
            more: page.more,
            next: page.next_offset,
        }
    }
}

fn shown(connector: &str, offset: u32, answer: &Answer, at: Timestamp) -> Shown {
    let row = |kind: Kind, id: &String, name: &Option<String>, about: About| DirectoryRow {
        connector: connector.to_owned(),
        kind,
        id: id.clone(),
        since: at,
        until: None,
        name: name.clone(),
        about,
        state: None,
    };
    match answer {
        Answer::Users(page) => Shown::of(page, |user| {
            row(Kind::User, &user.id, &user.name, of_user(user))
        }),
        Answer::Teams(page) => Shown::of(page, |team| {
            let about = About {
                parent: team.parent.as_ref().map(|parent| parent.id.clone()),
                html_url: team.html_url.clone(),
                ..About::default()
            };
            row(Kind::Team, &team.id, &team.name, about)
        }),
        Answer::Policies(page) => Shown::of(page, |policy| {
            let about = About {
                teams: ids(&policy.teams),
                html_url: policy.html_url.clone(),
                ..About::default()
            };
            row(Kind::Policy, &policy.id, &policy.name, about)
        }),
        Answer::Services(page) => Shown::of(page, |service| DirectoryRow {
            state: service.status.clone(),
            ..row(
                Kind::Service,
                &service.id,
                &service.name,
                of_service(service),
            )
        }),
        Answer::Schedules(page) => Shown::of(page, |schedule| {
            let about = About {
                time_zone: schedule.time_zone.clone(),
                html_url: schedule.html_url.clone(),
                ..About::default()
            };
            row(Kind::Schedule, &schedule.id, &schedule.name, about)
        }),
        Answer::Priorities(page) => {
            let mut ranks = offset + 1..;
            Shown::of(page, |priority| {
                let about = About {
                    rank: ranks.next(),
                    ..About::default()
                };
                row(Kind::Priority, &priority.id, &priority.name, about)
            })
        }
        _ => Shown {
            rows: Vec::new(),
            more: true,
            next: None,
        },
    }
}

/// PagerDuty's ids of the two highest priorities, as far as its list was read.
pub fn highest_priorities(tx: &mut Tx<'_>, connector: &str) -> Result<Vec<String>, StoreError> {
    let known = directory::of_kind(tx, Kind::Priority)?.into_iter();
    let current = known.filter(|row| row.connector == connector && row.until.is_none());
    let mut ranked: Vec<(u32, String)> = current
        .filter_map(|row| Some((row.about.rank?, row.id)))
        .collect();
    ranked.sort_unstable();
    Ok(ranked.into_iter().take(2).map(|(_, id)| id).collect())
}

fn of_user(user: &im_pagerduty::User) -> About {
    About {
        time_zone: user.time_zone.clone(),
        role: user.role.clone(),
        teams: ids(&user.teams),
        html_url: user.html_url.clone(),
        ..About::default()
    }
}

fn of_service(service: &im_pagerduty::Service) -> About {
    About {
        teams: ids(&service.teams),
        policy: service.policy.as_ref().map(|policy| policy.id.clone()),
        acknowledgement_timeout_s: service.acknowledgement_timeout_s,
        auto_resolve_timeout_s: service.auto_resolve_timeout_s,
        html_url: service.html_url.clone(),
        ..About::default()
    }
}

/// In an order of ours: PagerDuty's says nothing, and may change.
fn ids(named: &[im_core::Named]) -> Vec<String> {
    let mut ids: Vec<String> = named.iter().map(|one| one.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
