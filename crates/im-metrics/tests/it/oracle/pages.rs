//! Pages of people, and what they are to each.

use std::collections::BTreeSet;

use im_metrics::input::{Event, ResolverKind, What};
use im_metrics::{Measure, Metric, PageSource, When};
use jiff::civil::{Time, Weekday};
use jiff::{SignedDuration, Timestamp};

use super::{Counts, Life, Oracle, Sample, actor, micros};
use crate::given::{Hours, zone};

impl<'a> Oracle<'a> {
    pub(super) fn who(&self, user: &str) -> String {
        let same = self.world.same_person.get(user);
        same.map_or(user, |person| person).to_owned()
    }

    pub(super) fn teams_of(&self, user: Option<&String>, at: Timestamp) -> Vec<String> {
        let Some(user) = user.map(|user| self.who(user)) else {
            return Vec::new();
        };
        let teams: BTreeSet<String> = self.teams_then(&user, at).into_iter().collect();
        teams.into_iter().collect()
    }

    /// The teams in which a person is then, and those that these are a part of.
    fn teams_then(&self, user: &str, at: Timestamp) -> Vec<String> {
        let on = at.to_zoned(zone(self.world.zone)).date();
        let people = self.world.people.iter().filter(|who| who.id == user);
        let memberships = people.flat_map(|who| &who.memberships);
        let held = memberships.filter(|membership| {
            membership.from.is_none_or(|from| from <= on) && membership.to.is_none_or(|to| on <= to)
        });
        let mut teams: Vec<String> = held.map(|membership| membership.team.clone()).collect();
        for direct in teams.clone() {
            let larger = self.world.teams.iter();
            let larger = larger.filter(|team| team.includes.contains(&direct));
            teams.extend(larger.map(|team| team.id.clone()));
        }
        teams
    }

    /// The version that started last by then.
    fn in_force(versions: &[Hours], own: &str, at: Timestamp) -> Option<(Timestamp, Hours)> {
        let mut found: Option<(Timestamp, Hours)> = None;
        for version in versions {
            let midnight = version.from.to_zoned(zone(version.zone.unwrap_or(own)));
            let start = midnight.unwrap().timestamp();
            if start <= at && found.as_ref().is_none_or(|(last, _)| *last <= start) {
                found = Some((start, version.clone()));
            }
        }
        found
    }

    /// The zone and the hours that a person has then: the person's, else the team's that started
    /// last, else the organisation's.
    pub(super) fn hours(
        &self,
        user: &str,
        at: Timestamp,
    ) -> (&'static str, Vec<(Weekday, &'static str, &'static str)>) {
        let who = self.world.people.iter().find(|who| who.id == user);
        let mut own = who.and_then(|who| who.zone).unwrap_or(self.world.zone);
        let mut since = Timestamp::MIN;
        for (from, name) in who.iter().flat_map(|who| &who.moves) {
            let name = name.unwrap_or(self.world.zone);
            let start = from.to_zoned(zone(name)).unwrap().timestamp();
            if since <= start && start <= at {
                (own, since) = (name, start);
            }
        }
        let of_person = who.and_then(|who| Self::in_force(&who.hours, own, at));
        let in_teams = self.teams_then(user, at);
        let mut teams: Vec<_> = self.world.teams.iter().collect();
        teams.sort_by_key(|team| team.id.clone());
        let mut of_team: Option<(Timestamp, Hours)> = None;
        for team in teams.into_iter().filter(|team| in_teams.contains(&team.id)) {
            let Some((start, version)) = Self::in_force(&team.hours, own, at) else {
                continue;
            };
            if of_team.as_ref().is_none_or(|(last, _)| *last <= start) {
                of_team = Some((start, version));
            }
        }
        let of_all = Self::in_force(&self.world.hours, own, at);
        if let Some((_, version)) = of_person.or(of_team).or(of_all) {
            return (version.zone.unwrap_or(own), version.week);
        }
        let week = [
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
        ];
        (own, week.map(|day| (day, "08:00", "18:00")).into())
    }

    pub(super) fn is_out_of_hours(&self, user: &str, at: Timestamp) -> bool {
        let (name, week) = self.hours(user, at);
        let wall = at.to_zoned(zone(name));
        let (today, time) = (wall.weekday(), wall.time());
        let clock = |text: &str| -> Time { format!("{text}:00").parse().unwrap() };
        let inside = week.iter().any(|(day, start, end)| {
            let start = clock(start);
            if *end == "24:00" {
                return *day == today && start <= time;
            }
            let end = clock(end);
            if start < end {
                return *day == today && start <= time && time < end;
            }
            (*day == today && start <= time) || (day.next() == today && time < end)
        });
        !inside
    }

    pub(super) fn hour(&self, user: &str, at: Timestamp) -> Timestamp {
        let wall = at.to_zoned(zone(self.hours(user, at).0));
        let past = i64::from(wall.minute()) * 60_000_000_000
            + i64::from(wall.second()) * 1_000_000_000
            + i64::from(wall.subsec_nanosecond());
        at - SignedDuration::from_nanos(past)
    }

    pub(super) fn pages(&self, life: &Life<'a>) -> Vec<Sample<'a>> {
        let metric = self.query.metric;
        if metric == Metric::Pages && self.query.source == PageSource::Incidents {
            return vec![self.sample(life.history, life.events[0].at, Counts::One)];
        }
        let pages = match self.query.source {
            PageSource::Notifications => self.notified(life),
            _ => self.acknowledged(life),
        };
        let mut samples = Vec::new();
        for (place, user) in pages {
            let at = life.events[place].at;
            let out = self.is_out_of_hours(&user, at);
            let counts = match self.query.when {
                When::All => true,
                When::OutOfHours => out,
                When::WorkingHours => !out,
            };
            if metric == Metric::PageDisruptions && !counts {
                continue;
            }
            let value = match metric {
                Metric::PageDisruptions if self.query.measure == Measure::Hours => {
                    Counts::Hour(user.clone(), self.hour(&user, at))
                }
                Metric::OncallLoad => {
                    let answered = self.answer(life, place, &user);
                    Counts::Page(answered, out, self.is_escalated_away(life, place, &user))
                }
                _ => Counts::One,
            };
            samples.push(Sample {
                teams: self.teams_of(Some(&user), at),
                user: Some(user),
                ..self.sample(life.history, at, value)
            });
        }
        samples
    }

    pub(super) fn acknowledged(&self, life: &Life<'_>) -> Vec<(usize, String)> {
        let acks: Vec<usize> = (0..life.events.len())
            .filter(|place| matches!(life.events[*place].what, What::Acknowledged(_)))
            .collect();
        if acks.is_empty() {
            let first = life
                .resolves
                .first()
                .map(|place| (*place, life.events[*place]));
            let first = first.filter(|(_, end)| Self::resolver(life, end) != ResolverKind::Merge);
            let found = first.and_then(|(place, end)| Some((place, self.who(actor(end)?))));
            return found.into_iter().collect();
        }
        let within = SignedDuration::from_mins(i64::from(self.query.collapse_minutes));
        let mut counted: Vec<(usize, String)> = Vec::new();
        for place in acks {
            let Some(user) = actor(life.events[place]).map(|user| self.who(user)) else {
                continue;
            };
            let last = counted.iter().rev().find(|(_, other)| *other == user);
            let collapses = last.is_some_and(|(last, _)| {
                let since = life.events[place].at.duration_since(life.events[*last].at);
                self.query.collapse_minutes > 0 && since <= within
            });
            if !collapses {
                counted.push((place, user));
            }
        }
        counted
    }

    pub(super) fn starts_for(&self, event: &Event, user: &str) -> bool {
        match &event.what {
            What::Triggered | What::Unacknowledged | What::Reopened => true,
            What::Assigned(to) | What::Escalated(to) | What::Delegated(to) => {
                to.iter().any(|given| self.who(given) == user)
            }
            _ => false,
        }
    }

    /// Where the episode began that a person was in then.
    pub(super) fn episode(&self, life: &Life<'_>, place: usize, user: &str) -> usize {
        let before = (0..=place).rev();
        before
            .into_iter()
            .find(|at| self.starts_for(life.events[*at], user))
            .unwrap()
    }

    pub(super) fn notified(&self, life: &Life<'_>) -> Vec<(usize, String)> {
        let mut seen = BTreeSet::new();
        let mut pages = Vec::new();
        for (place, event) in life.events.iter().enumerate() {
            if let What::Notified {
                user: Some(user),
                email,
            } = &event.what
            {
                let user = self.who(user);
                let counts = self.query.include_email || !email;
                if counts && seen.insert((user.clone(), self.episode(life, place, &user))) {
                    pages.push((place, user));
                }
            }
        }
        pages
    }

    /// Acknowledgements in the episode of a page, at or after it.
    pub(super) fn answer(&self, life: &Life<'_>, page: usize, user: &str) -> Option<i128> {
        let (start, paged) = (self.episode(life, page, user), life.events[page].at);
        for place in start + 1..life.events.len() {
            let event = life.events[place];
            if self.starts_for(event, user) {
                return None;
            }
            if let What::Acknowledged(Some(by)) = &event.what
                && self.who(by) == user
                && event.at >= paged
            {
                return Some(micros(paged, event.at));
            }
        }
        None
    }

    pub(super) fn is_escalated_away(&self, life: &Life<'_>, page: usize, user: &str) -> bool {
        let (start, paged) = (self.episode(life, page, user), life.events[page].at);
        let is_escalation = |place: &usize| matches!(life.events[*place].what, What::Escalated(_));
        let Some(away) = (page + 1..life.events.len()).find(is_escalation) else {
            return false;
        };
        !(start..away).any(|place| {
            let event = life.events[place];
            matches!(event.what, What::Acknowledged(_)) && event.at >= paged
        })
    }
}
