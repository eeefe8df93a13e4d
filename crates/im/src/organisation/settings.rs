//! What was settled, as the metrics engine takes it.
//!
//! PagerDuty tells of users and teams; here people and teams of our own are added to that. A user who
//! was linked is the person: the person has the user's zone and teams.

use std::collections::{BTreeMap, BTreeSet};

use im_metrics::Metric;
use im_metrics::input::{self, HoursVersion, Membership, Settings};
use im_store::{StoreError, Tx, arrangements};

use super::things::{FailureRule, Hours, Person, Target, Team, Thing, User};
use super::values::{Text, Whose};

/// Pages of a person in a week, where no target for `page_disruptions` was set: one a day.
const PAGES_MAX: f64 = 7.0;

/// Everything that was settled.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Organisation {
    /// Working hours.
    pub hours: Vec<Hours>,
    /// People.
    pub people: Vec<Person>,
    /// Who users are.
    pub users: Vec<User>,
    /// Teams.
    pub teams: Vec<Team>,
    /// Rules for failures.
    pub failure_rules: Vec<FailureRule>,
    /// Targets.
    pub targets: Vec<Target>,
}

fn all<T: Thing>(tx: &mut Tx<'_>) -> Result<Vec<T>, StoreError> {
    arrangements::all(tx, T::SORT)
}

impl Organisation {
    /// Reads it.
    pub fn load(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            hours: all(tx)?,
            people: all(tx)?,
            users: all(tx)?,
            teams: all(tx)?,
            failure_rules: all(tx)?,
            targets: all(tx)?,
        })
    }

    /// Names of what has an id here; a person without one has that of the user at PagerDuty who they are.
    pub fn names(&self, theirs: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let people = self.people.iter().map(|person| (&person.id, &person.name));
        let teams = self.teams.iter().map(|team| (&team.id, &team.name));
        let named = people.chain(teams);
        let named =
            named.filter_map(|(id, name)| Some((id.to_string(), name.as_ref()?.to_string())));
        let linked = self.users.iter().filter_map(|user| {
            let name = theirs.get(user.user.as_str())?;
            Some((user.person.as_ref()?.to_string(), name.clone()))
        });
        // What was given here comes last, so it holds.
        linked.chain(named).collect()
    }

    /// The target of a metric; for pages of people there is one even where none was set.
    pub fn target(&self, metric: Metric) -> Option<Target> {
        let mut targets = self.targets.iter();
        let set = targets.find(|target| target.name == metric.as_str());
        let usual = || Target {
            name: metric.as_str().to_owned(),
            ack: None,
            resolve: None,
            at_most: Some(PAGES_MAX),
            at_least: None,
        };
        set.cloned()
            .or_else(|| (metric == Metric::PageDisruptions).then(usual))
    }

    /// With more pages in a week a person has too many.
    pub fn pages_max(&self) -> f64 {
        let target = self.target(Metric::PageDisruptions);
        let at_most = target.and_then(|target| target.at_most);
        at_most.unwrap_or(PAGES_MAX)
    }

    /// Adds what was settled to what PagerDuty tells.
    pub fn settle(&self, told: Settings) -> Settings {
        let mut settings = told;
        let links = self.users.iter();
        let links = links
            .filter_map(|user| Some((user.user.to_string(), user.person.as_ref()?.to_string())));
        settings.same_person = links.collect();
        settings.people = self.people(&settings);
        settings.hours = self.versions(&Whose::Organisation);
        settings.teams = self.own_teams();
        let rules = self.failure_rules.iter();
        settings.failure_rules = rules.map(rule).collect();
        for target in &self.targets {
            if let (Some(ack), Some(resolve)) = (target.ack, target.resolve) {
                let seconds = input::Target {
                    ack_s: ack.seconds(),
                    resolve_s: resolve.seconds(),
                };
                settings.targets.insert(target.name.clone(), seconds);
            }
        }
        settings
    }

    fn versions(&self, whose: &Whose) -> Vec<HoursVersion> {
        let versions = self.hours.iter().filter(|hours| hours.of == *whose);
        let version = |hours: &Hours| HoursVersion {
            from: hours.effective_from,
            zone: hours.zone.as_ref().map(super::Zone::zone),
            week: hours.week.intervals(),
        };
        versions.map(version).collect()
    }

    /// Everybody of whom anything is known, by the id that figures have.
    fn people(&self, settings: &Settings) -> Vec<input::Person> {
        let who = |id: &str| {
            let same = settings.same_person.get(id);
            same.map_or(id, String::as_str).to_owned()
        };
        let mut people: BTreeMap<String, input::Person> = BTreeMap::new();
        for told in &settings.people {
            let person = people.entry(who(&told.id)).or_default();
            if person.zone.is_none() && person.moves.is_empty() {
                person.zone.clone_from(&told.zone);
                person.moves.clone_from(&told.moves);
            }
            person.memberships.extend(told.memberships.iter().cloned());
        }
        for team in &self.teams {
            for member in &team.members {
                let person = people.entry(who(member.person.as_str())).or_default();
                person.memberships.push(Membership {
                    team: team.id.to_string(),
                    from: member.from,
                    to: member.to,
                });
            }
        }
        for whose in self.hours.iter().map(|hours| &hours.of) {
            if let Whose::Person(id) = whose {
                people.entry(who(id.as_str())).or_default();
            }
        }
        for (id, person) in &mut people {
            person.id.clone_from(id);
            person.hours = self.hours_of(id, settings);
        }
        people.into_values().collect()
    }

    /// The versions of a person: what was set for the person, before what was set for a user who is
    /// the person.
    fn hours_of(&self, person: &str, settings: &Settings) -> Vec<HoursVersion> {
        let of = |id: &str| {
            let whose = Text::try_from(id.to_owned()).map(Whose::Person);
            whose.map_or_else(|_never| Vec::new(), |whose| self.versions(&whose))
        };
        let mut versions = of(person);
        let users = settings.same_person.iter();
        for (user, _) in users.filter(|(_, same)| *same == person) {
            let dates: BTreeSet<_> = versions.iter().map(|version| version.from).collect();
            let more = of(user).into_iter();
            versions.extend(more.filter(|version| !dates.contains(&version.from)));
        }
        versions
    }

    /// Teams of our own, and PagerDuty's teams that have working hours here.
    fn own_teams(&self) -> Vec<input::Team> {
        let texts = |texts: &[Text]| texts.iter().map(Text::to_string).collect();
        let mut teams: BTreeMap<String, input::Team> = BTreeMap::new();
        for team in &self.teams {
            let own = teams.entry(team.id.to_string()).or_default();
            own.services = texts(&team.services);
            own.includes = texts(&team.pagerduty_teams);
        }
        for whose in self.hours.iter().map(|hours| &hours.of) {
            if let Whose::Team(id) = whose {
                let team = teams.entry(id.to_string()).or_default();
                team.hours = self.versions(whose);
            }
        }
        for (id, team) in &mut teams {
            team.id.clone_from(id);
        }
        teams.into_values().collect()
    }
}

fn rule(rule: &FailureRule) -> input::FailureRule {
    let text = |text: &Option<Text>| text.as_ref().map(Text::to_string);
    input::FailureRule {
        origin: rule.origin.clone(),
        service: text(&rule.service),
        urgency: rule.urgency.clone(),
        priority: text(&rule.priority),
        shorter_than_s: rule.shorter_than.map(super::Length::seconds),
    }
}
