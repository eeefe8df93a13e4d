//! People as derivation needs them: who is who, their teams at a time, their hours.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;

use crate::calendar::{end_instant, first_instant};
use crate::hours::{Hours, Moment};
use crate::input::{Membership, Person, Settings};
use crate::names::{Names, Sets};

/// Everybody who is paged.
#[derive(Debug, Clone)]
pub(crate) struct People {
    same: HashMap<u32, u32>,
    known: HashMap<u32, Known>,
    /// The hours of whom nothing is known.
    usual: Hours,
}

#[derive(Debug, Clone)]
struct Known {
    hours: Hours,
    /// The teams from each instant on, earliest first.
    teams: Vec<(i64, u32)>,
}

impl People {
    pub(crate) fn new(settings: &Settings, names: &mut Names, sets: &mut Sets) -> Self {
        let same = settings.same_person.iter();
        let same = same.map(|(user, person)| (names.intern(user), names.intern(person)));
        let same = same.collect();
        let known = settings.people.iter().map(|person| {
            let memberships = memberships(person, settings);
            let known = Known {
                hours: Hours::of(Some(person), &memberships, settings),
                teams: teams(&memberships, &settings.zone, names, sets),
            };
            (names.intern(&person.id), known)
        });
        Self {
            same,
            known: known.collect(),
            usual: Hours::of(None, &[], settings),
        }
    }

    /// The person that a user is.
    pub(crate) fn who(&self, user: u32) -> u32 {
        self.same.get(&user).copied().unwrap_or(user)
    }

    /// The set of teams that a person was in.
    pub(crate) fn teams_at(&self, person: u32, at: i64) -> u32 {
        let known = self.known.get(&person);
        let teams = known.map_or(&[][..], |known| &known.teams);
        let then = teams.iter().rev().find(|(from, _)| *from <= at);
        then.map_or(0, |(_, set)| *set)
    }

    /// What an instant was to a person.
    pub(crate) fn moment(&self, person: u32, at: i64) -> Moment {
        let known = self.known.get(&person);
        known.map_or(&self.usual, |known| &known.hours).at(at)
    }
}

/// The teams that a person is in, those included that a team is a part of.
fn memberships(person: &Person, settings: &Settings) -> Vec<Membership> {
    let mut all = person.memberships.clone();
    for membership in &person.memberships {
        let larger = settings.teams.iter();
        let larger = larger.filter(|team| team.includes.contains(&membership.team));
        all.extend(larger.map(|team| Membership {
            team: team.id.clone(),
            ..membership.clone()
        }));
    }
    all
}

/// The sets of teams from each instant on at which one of the memberships begins or ends.
fn teams(
    memberships: &[Membership],
    zone: &TimeZone,
    names: &mut Names,
    sets: &mut Sets,
) -> Vec<(i64, u32)> {
    let memberships: Vec<(u32, i64, i64)> = memberships
        .iter()
        .map(|membership| {
            let from = membership
                .from
                .map_or(i64::MIN, |date| first_instant(date, zone));
            let end = membership
                .to
                .map_or(i64::MAX, |date| end_instant(date, zone));
            (names.intern(&membership.team), from, end)
        })
        .collect();
    let bounds: BTreeSet<i64> = memberships
        .iter()
        .flat_map(|(_, from, end)| [*from, *end])
        .chain([i64::MIN])
        .collect();
    let in_force = |at: i64| {
        let then = memberships.iter();
        let then = then.filter(move |(_, from, end)| *from <= at && at < *end);
        then.map(|(team, _, _)| *team).collect()
    };
    bounds
        .into_iter()
        .map(|at| (at, sets.intern(in_force(at))))
        .collect()
}
