//! What PagerDuty's people and things mean to metrics: names, the zones and teams of people, the
//! teams of services.
//!
//! What became known first holds for all time before. A change holds from its day on, in the
//! organisation's zone, so figures of the past stay what they were.

use std::collections::{BTreeMap, BTreeSet};

use im_metrics::input::{Membership, Move, Person, Settings};
use im_metrics::{iana, local_date};
use im_store::directory::{self, DirectoryRow, Kind};
use im_store::people::{self, UserRow};
use im_store::{StoreError, Tx};
use jiff::tz::TimeZone;

/// The directory as metrics see it.
#[derive(Clone, Default)]
pub(super) struct Directory {
    /// The names of ids, the last that each had.
    pub(super) names: BTreeMap<String, String>,
    /// The ids of each kind, those included that are gone.
    pub(super) of_kind: BTreeMap<Kind, BTreeSet<String>>,
    /// PagerDuty's users with their addresses.
    pub(super) users: Vec<UserRow>,
    people: Vec<Person>,
    teams_of_service: BTreeMap<String, Vec<String>>,
    policy_of_service: BTreeMap<String, String>,
}

/// Reads all of it; `zone` is the organisation's.
pub(super) fn read(tx: &mut Tx<'_>, zone: &TimeZone) -> Result<Directory, StoreError> {
    let mut found = Directory {
        users: people::all(tx)?,
        ..Directory::default()
    };
    let rows = directory::all(tx)?;
    let mut of_thing: BTreeMap<(Kind, &str), Vec<&DirectoryRow>> = BTreeMap::new();
    for row in &rows {
        let known = of_thing.entry((row.kind, &row.id)).or_default();
        // Two connectors of one account know the same: one of them tells it.
        if known
            .first()
            .is_none_or(|first| first.connector == row.connector)
        {
            known.push(row);
        }
    }
    for ((kind, id), versions) in of_thing {
        found.of_kind.entry(kind).or_default().insert(id.to_owned());
        let mut newest_first = versions.iter().rev();
        if let Some(name) = newest_first.find_map(|row| row.name.clone()) {
            found.names.insert(id.to_owned(), name);
        }
        match (kind, versions.last()) {
            (Kind::User, _) => found.people.push(person(id, &versions, zone)),
            (Kind::Service, Some(last)) => {
                let teams = last.about.teams.clone();
                found.teams_of_service.insert(id.to_owned(), teams);
                let policy = last.about.policy.clone();
                found
                    .policy_of_service
                    .extend(policy.map(|policy| (id.to_owned(), policy)));
            }
            _ => {}
        }
    }
    Ok(found)
}

impl Directory {
    /// Tells it to the settings of metrics.
    pub(super) fn tell(&self, settings: &mut Settings) {
        settings.people.clone_from(&self.people);
        settings.teams_of_service.clone_from(&self.teams_of_service);
        settings
            .policy_of_service
            .clone_from(&self.policy_of_service);
    }
}

fn person(id: &str, versions: &[&DirectoryRow], organisation: &TimeZone) -> Person {
    let zones = versions.iter().map(|row| zone_of(row));
    let mut zones = zones.zip(versions);
    let first = zones.next().and_then(|(zone, _)| zone);
    let mut last = first.clone();
    let mut moves = Vec::new();
    for (zone, row) in zones {
        if zone != last {
            last.clone_from(&zone);
            let from = local_date(row.since, zone.as_ref().unwrap_or(organisation));
            moves.push(Move { from, zone });
        }
    }
    let stays = versions
        .iter()
        .enumerate()
        .flat_map(|(place, row)| stays(place == 0, row, organisation));
    Person {
        id: id.to_owned(),
        zone: first,
        moves,
        hours: Vec::new(),
        memberships: stays.collect(),
    }
}

/// The zone of a user; `None` where PagerDuty tells none, or one that nobody knows.
fn zone_of(row: &DirectoryRow) -> Option<TimeZone> {
    let name = row.about.time_zone.as_deref()?;
    TimeZone::get(iana(name)).ok()
}

fn stays(is_first: bool, row: &DirectoryRow, zone: &TimeZone) -> Vec<Membership> {
    let from = (!is_first).then(|| local_date(row.since, zone));
    let to = row
        .until
        .and_then(|until| local_date(until, zone).yesterday().ok());
    let teams = row.about.teams.iter();
    teams
        .map(|team| Membership {
            team: team.clone(),
            from,
            to,
        })
        .collect()
}
