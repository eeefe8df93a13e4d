//! What a filter means: PagerDuty's ids, the names that people know, and the services that are mapped here.
//!
//! A value that names nothing is refused with what is near it: an empty answer would look like a quiet week.
//! While nothing of a kind is known at all, any value passes, because then nothing is what there is.

use std::collections::{BTreeMap, BTreeSet};

use im_core::Severity;
use im_metrics::{BadQuery, BucketSize, Dimension, Figure, Measure, Metric, Query, When};
use im_pagerduty::config::nearest;
use im_store::directory::Kind;
use im_store::people::UserRow;

use super::{Known, Past};
use crate::organisation::{Target, is_email};

/// Names told at most where none is near.
const NAMES_MAX: usize = 8;

/// Somebody may be counted as two.
pub struct InTwo {
    /// Who, in words.
    pub text: String,
    /// The first of these users of PagerDuty's, by id.
    pub user: String,
}

impl Known {
    /// Whether nothing is connected that incidents could come from.
    pub fn is_alone(&self) -> bool {
        self.surroundings.mappings.is_empty()
    }

    /// What to do while there is nothing at all to count.
    pub fn nothing_yet(&self) -> Option<&'static str> {
        let has_services = self.directory.of_kind.contains_key(&Kind::Service);
        match (self.engine.is_empty(), self.is_alone()) {
            (false, _) => None,
            (true, true) => Some(
                "there are no incidents yet: `im connector add` brings those of PagerDuty, `im declare` makes one",
            ),
            (true, false) if !has_services => Some(
                "there are no incidents yet, and no services are known on which they begin: make services in PagerDuty, or look with `im connector test` whether the key may read them",
            ),
            (true, false) => Some(match self.surroundings.past {
                Past::Unread => {
                    "there are no incidents yet: `im connector backfill` reads the past of the account"
                }
                Past::Reading => {
                    "there are no incidents yet: the past of the account is being read, `im connector backfill NAME --status` says how far"
                }
                Past::Read => {
                    "there are no incidents yet: PagerDuty has none in the past that was read, and each new one comes by itself; `im connector backfill NAME --since` reads further back"
                }
            }),
        }
    }

    /// What to do while there is nothing at all that a metric is of.
    pub fn nothing_to_count(&self, metric: Metric) -> Option<&'static str> {
        match (metric.needs_deployments(), self.engine.has_deployments()) {
            (true, false) => Some(
                "nobody has told of a deployment: `im deployment record --service SERVICE` does, and a pipeline by POST /api/v1/deployments",
            ),
            (true, true) if metric.is_of_deployments() => None,
            (true, true) | (false, _) => self.nothing_yet(),
        }
    }

    /// What has to be known of an answer: there is nothing at all, an environment is asked for that nothing has been in
    /// while there are others, or somebody may be counted as two.
    pub fn hint(&self, query: &Query) -> Option<String> {
        let nothing = self.nothing_to_count(query.metric).map(str::to_owned);
        let new = || {
            let by = Dimension::Environment;
            let asked = query.filters.iter().filter(|(of, _)| *of == by);
            let mut asked = asked.flat_map(|(_, values)| values).flatten();
            let new = asked.find(|value| !self.engine.has(by, value))?;
            let words = self.words(by, &self.names_of(by));
            (!words.is_empty()).then(|| unknown(by, new, &words).to_string())
        };
        let by = match query.metric {
            Metric::OncallLoad => Some(Dimension::User),
            _ => query.group_by,
        };
        nothing.or_else(new).or_else(|| {
            let two = self.in_two(by?)?;
            Some(format!(
                "{}: `im person users --state suggested` shows who, `im person link {}` confirms",
                two.text, two.user
            ))
        })
    }

    /// What to say of figures by people or teams while users of PagerDuty's may be people who act here under their
    /// address.
    pub fn in_two(&self, by: Dimension) -> Option<InTwo> {
        let said: BTreeSet<&str> = self
            .organisation
            .users
            .iter()
            .map(|one| one.user.as_str())
            .collect();
        let users = self.directory.users.iter();
        let is_open = |user: &&UserRow| !said.contains(&*user.id);
        let mut open = users.filter(is_open).peekable();
        if !matches!(by, Dimension::User | Dimension::Team) || open.peek().is_none() {
            return None;
        }
        let acted = self.acted();
        let open = open.filter_map(|user| Some((&user.id, acted.suggest(user)?.0)));
        let two: BTreeMap<&String, &str> = open.collect();
        let (user, _) = two.first_key_value()?;
        let text = match two.len() {
            1 => format!(
                "user {user} of PagerDuty's may be somebody who acts here under an address, and is counted apart"
            ),
            many => format!(
                "{many} users of PagerDuty's may be people who act here under an address, and are counted apart"
            ),
        };
        Some(InTwo {
            text,
            user: (*user).clone(),
        })
    }

    /// The target that is of what a question is about. That of `page_disruptions` is of all pages of a person in a week.
    pub fn target(&self, query: &Query) -> Option<Target> {
        let is_other = query.metric == Metric::PageDisruptions
            && (query.measure != Measure::Pages || query.when != When::All);
        let target = self.organisation.target(query.metric);
        target.filter(|_| !is_other)
    }

    /// The target of a figure of a whole range, and whether it is met. That of `page_disruptions` is of single weeks.
    pub fn aim(&self, query: &Query, figure: &Figure) -> Option<(Target, bool)> {
        let target = self.target(query);
        let target = target.filter(|_| query.metric != Metric::PageDisruptions)?;
        let is_met = target.is_met(figure.headline(query.metric)?);
        Some((target, is_met))
    }

    /// Whether each figure of a question, given by ids, is what the target of its metric is of.
    pub fn is_of_target(&self, query: &Query) -> bool {
        let is_of_one = || query.group_by == Some(Dimension::User) || self.is_of_one_person(query);
        query.metric != Metric::PageDisruptions || (query.bucket == BucketSize::Week && is_of_one())
    }

    /// Whether every value of a filter by user is the same person.
    fn is_of_one_person(&self, query: &Query) -> bool {
        let same = &self.engine.settings().same_person;
        let asked = query
            .filters
            .iter()
            .filter(|(by, _)| *by == Dimension::User);
        let users = asked.flat_map(|(_, values)| values);
        let people: BTreeSet<Option<&str>> = users
            .map(|user| user.as_ref().map(|id| same.get(id).unwrap_or(id).as_str()))
            .collect();
        people.len() == 1 && !people.contains(&None)
    }

    /// Whether a question is about one person alone, who is this one.
    pub fn is_about(&self, query: &Query, email: &str) -> bool {
        let person = self.ids(Dimension::User, &email.to_lowercase());
        let person = person.unwrap_or_default();
        let of_people = |(by, _): &&(Dimension, Vec<Option<String>>)| *by == Dimension::User;
        let mut asked = query.filters.iter().filter(of_people).peekable();
        let is_own = |value: &Option<String>| value.as_ref().is_some_and(|id| person.contains(id));
        asked.peek().is_some() && asked.all(|(_, values)| values.iter().all(is_own))
    }

    /// The same question by ids, or which value nobody knows.
    pub fn meant(&self, query: &Query) -> Result<Query, BadQuery> {
        let (meant, unknown) = self.meant_as_far_as_known(query);
        unknown.into_iter().next().map_or(Ok(meant), Err)
    }

    /// The same question by ids, and which values nobody knows: these stay as they are, so nothing has them.
    pub fn meant_as_far_as_known(&self, query: &Query) -> (Query, Vec<BadQuery>) {
        let mut meant = query.clone();
        let mut unknown = Vec::new();
        for (by, values) in &mut meant.filters {
            let mut ids: Vec<Option<String>> = Vec::new();
            for value in values.iter() {
                match value {
                    None => ids.push(None),
                    Some(value) => match self.ids(*by, value) {
                        Ok(known) => ids.extend(known.into_iter().map(Some)),
                        Err(error) => {
                            ids.push(Some(value.clone()));
                            unknown.push(error);
                        }
                    },
                }
            }
            ids.dedup();
            *values = ids;
        }
        (meant, unknown)
    }

    /// The id of a person or thing as answers have it: of a person who is a user of PagerDuty's the user's, where
    /// addresses are left out.
    pub fn shown<'a>(&'a self, id: &'a str) -> &'a str {
        if !self.surroundings.hides_emails || !is_email(id) {
            return id;
        }
        let mut same = self.engine.settings().same_person.iter();
        let user = same.find(|(_, person)| *person == id);
        user.map_or(id, |(user, _)| user)
    }

    /// The ids of the services that are meant by an id or a name, or that nobody knows it.
    pub fn services_called(&self, value: &str) -> Result<Vec<String>, BadQuery> {
        self.ids(Dimension::Service, value)
    }

    /// What has a value of this kind: by id, by name in any case, by the name of a service here.
    fn ids(&self, by: Dimension, value: &str) -> Result<Vec<String>, BadQuery> {
        // A title is a part of one; an environment is there before anything has been in it, and an answer says
        // that nothing was; of the others there are no more than the parser lets pass.
        let is_open = ![
            Dimension::Title,
            Dimension::Environment,
            Dimension::Urgency,
            Dimension::Origin,
            Dimension::ResolverKind,
        ]
        .contains(&by);
        if !is_open {
            return Ok(vec![value.to_owned()]);
        }
        let is_known = self.engine.has(by, value);
        // Most questions are asked with ids that incidents have.
        if is_known && ![Dimension::Service, Dimension::User].contains(&by) {
            return Ok(vec![value.to_owned()]);
        }
        let known = self.names_of(by);
        let is_meant = |(id, name): &(&str, &str)| *id == value || name.eq_ignore_ascii_case(value);
        let mut ids: Vec<String> = known
            .iter()
            .map(|(id, name)| (*id, name.as_str()))
            .filter(is_meant)
            .map(|(id, _)| id.to_owned())
            .collect();
        match by {
            Dimension::Service => ids.extend(self.mapped(value)),
            Dimension::User => ids.extend(self.same_person(value)),
            _ => {}
        }
        if is_known && !ids.iter().any(|id| id == value) {
            ids.push(value.to_owned());
        }
        if ids.is_empty() && !known.is_empty() {
            return Err(unknown(by, value, &self.words(by, &known)));
        }
        if ids.is_empty() {
            ids.push(value.to_owned());
        }
        Ok(ids)
    }

    /// Every id of a kind with its name.
    fn names_of(&self, by: Dimension) -> BTreeMap<&str, String> {
        let listed = match by {
            Dimension::Service => Some(Kind::Service),
            Dimension::Team => Some(Kind::Team),
            Dimension::User => Some(Kind::User),
            Dimension::EscalationPolicy => Some(Kind::Policy),
            Dimension::Priority => Some(Kind::Priority),
            _ => None,
        };
        let listed = listed.and_then(|kind| self.directory.of_kind.get(&kind));
        let listed = listed.into_iter().flatten().map(String::as_str);
        let ids = self.engine.values(by).into_iter().chain(listed);
        let mut known: BTreeMap<&str, String> =
            ids.map(|id| (id, self.name(id).to_owned())).collect();
        if by == Dimension::Severity {
            // What a mapping can give, and the priorities that count under their own names.
            let priorities = self.directory.of_kind.get(&Kind::Priority);
            let priorities = priorities.into_iter().flatten().map(|id| self.name(id));
            known.extend(priorities.map(|name| (name, name.to_owned())));
            known.extend(Severity::ALL.map(|one| (one.as_str(), one.as_str().to_owned())));
        }
        known
    }

    /// PagerDuty's services behind a service of ours, and the service itself, which incidents keep while
    /// PagerDuty has not answered.
    fn mapped(&self, value: &str) -> Vec<String> {
        let mut ids = Vec::new();
        for mapping in self.surroundings.mappings.values() {
            let listed = mapping.services.iter();
            let listed = listed.filter(|choice| choice.name.eq_ignore_ascii_case(value));
            for choice in listed {
                ids.extend([choice.name.clone(), choice.id.clone()]);
            }
            let rules = mapping.rules.iter();
            let ours = |name: &String| name.eq_ignore_ascii_case(value);
            let rules = rules.filter(|rule| rule.service.as_ref().is_some_and(ours));
            ids.extend(rules.map(|rule| rule.id.clone()));
        }
        ids.sort();
        ids.dedup();
        ids
    }

    /// The person that a user is.
    fn same_person(&self, value: &str) -> Option<String> {
        let same = &self.engine.settings().same_person;
        same.get(value).cloned()
    }

    /// What people may call a thing of a kind.
    fn words(&self, by: Dimension, known: &BTreeMap<&str, String>) -> Vec<String> {
        let mut words: Vec<String> = known.values().cloned().collect();
        if by == Dimension::Service {
            for mapping in self.surroundings.mappings.values() {
                words.extend(mapping.services.iter().map(|choice| choice.name.clone()));
            }
        }
        words.sort();
        words.dedup();
        words
    }
}

fn unknown(by: Dimension, value: &str, words: &[String]) -> BadQuery {
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    let lower = value.to_lowercase();
    let holds = |word: &&str| word.to_lowercase().contains(&lower);
    let near: Vec<&str> = all.iter().copied().filter(holds).take(NAMES_MAX).collect();
    let said = |words: &[&str]| -> String {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        words.join(", ")
    };
    let instead = match (nearest(value, &all), &*near) {
        // As figures by group show it.
        _ if lower == "none" => format!("use `null` for what has no {}", by.as_str()),
        (Some(near), _) => format!("did you mean {}?", said(&[near])),
        (None, []) if all.len() <= NAMES_MAX => format!("there is {}", said(&all)),
        (None, []) => {
            let some: Vec<&str> = all.iter().copied().take(NAMES_MAX).collect();
            format!(
                "there is {} and {} more",
                said(&some),
                all.len() - NAMES_MAX
            )
        }
        (None, near) => format!("did you mean one of {}?", said(near)),
    };
    BadQuery::Unknown {
        by: by.as_str(),
        value: value.to_owned(),
        instead,
    }
}
