//! Which values there are to filter by.
//!
//! A value that no incident, no deployment and no setting has can only be a slip; whoever asks is told what
//! there is instead of an empty answer.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::columns::Share;
use crate::engine::Engine;
use crate::input::ResolverKind;
use crate::names::Labels;
use crate::num;
use crate::params::BadQuery;
use crate::plan::Plan;
use crate::query::{Dimension, Query};

impl Engine {
    /// The incidents that pass the filters of a query, whenever they were; tests included.
    pub fn passing(&self, query: &Query, now: Timestamp) -> Result<Vec<i64>, BadQuery> {
        let plan = Plan::new(self, query, now)?;
        let mut numbers = Vec::new();
        plan.rows(Share::WHOLE, |row| {
            if plan.passes(row) && plan.passes_own_teams(row) {
                numbers.push(row.number());
            }
        });
        Ok(numbers)
    }

    /// Whether anything that is known has this value, as a filter writes it.
    pub fn has(&self, by: Dimension, value: &str) -> bool {
        let Some(id) = self.names.find(value) else {
            return false;
        };
        let Some(fields) = fields(by) else {
            return self.values(by).contains(value);
        };
        let is_of = |labels: &Labels| fields(labels).contains(&id);
        // Most questions name what incidents have, and marks are made faster than a set of texts.
        self.labels_in_use().any(is_of) || self.values(by).contains(value)
    }

    /// Every value that incidents have; of a title there is none.
    pub fn of_incidents(&self, by: Dimension) -> BTreeSet<&str> {
        // A mark for each name costs less than a set of what all incidents have.
        let mut marks = vec![false; self.names.len()];
        let mut mark = |id: u32| {
            if let Some(mark) = marks.get_mut(num::at(id)) {
                *mark = true;
            }
        };
        match fields(by) {
            Some(fields) => self.labels_in_use().flat_map(fields).for_each(&mut mark),
            None => self.each_id(by, &mut mark),
        }
        let marked = (0..).zip(marks).filter(|(_, is_known)| *is_known);
        marked.filter_map(|(id, _)| self.names.text(id)).collect()
    }

    /// Every value that is known: those of incidents, deployments and settings.
    pub fn values(&self, by: Dimension) -> BTreeSet<&str> {
        let mut values = self.of_incidents(by);
        let settings = &self.settings;
        let deployments = self.deployments.all.iter();
        match by {
            Dimension::Service => {
                values.extend(deployments.filter_map(|one| self.names.text(one.service)));
                let own = settings.teams.iter().flat_map(|team| &team.services);
                values.extend(own.map(String::as_str));
            }
            Dimension::Environment => {
                values.extend(deployments.filter_map(|one| self.names.text(one.environment)));
            }
            Dimension::Severity => values.extend(settings.targets.keys().map(String::as_str)),
            Dimension::Team => values.extend(settings.teams.iter().map(|team| team.id.as_str())),
            Dimension::User => {
                values.extend(settings.people.iter().map(|person| person.id.as_str()));
                values.extend(settings.same_person.keys().map(String::as_str));
            }
            Dimension::ResolverKind => values.extend(ResolverKind::ALL.map(ResolverKind::as_str)),
            Dimension::EscalationPolicy
            | Dimension::Urgency
            | Dimension::Priority
            | Dimension::Origin
            | Dimension::Title => {}
        }
        values
    }

    /// The labels that incidents have now.
    fn labels_in_use(&self) -> impl Iterator<Item = &Labels> {
        let mut in_use = vec![false; self.labels.len()];
        for row in self.main.rows() {
            if let Some(mark) = in_use.get_mut(num::at(row.labels())) {
                *mark = true;
            }
        }
        let all = self.labels.all().iter().zip(in_use);
        all.filter_map(|(labels, is_used)| is_used.then_some(labels))
    }

    /// The teams and the people that incidents, services and memberships name.
    fn each_id(&self, by: Dimension, mark: &mut impl FnMut(u32)) {
        match by {
            Dimension::Team => {
                let of_incidents = self.labels_in_use().map(|labels| labels.teams);
                let mut sets: Vec<u32> = of_incidents.collect();
                sets.extend(self.teams_of_service.values());
                sets.sort_unstable();
                sets.dedup();
                let of_people = self
                    .settings
                    .people
                    .iter()
                    .flat_map(|person| &person.memberships);
                let of_people = of_people.filter_map(|place| self.names.find(&place.team));
                let named = sets.into_iter().flat_map(|set| self.sets.members(set));
                named.copied().chain(of_people).for_each(mark);
            }
            Dimension::User => self
                .main
                .rows()
                .flat_map(|row| row.page_list().iter().map(|page| page.user))
                .for_each(mark),
            Dimension::Service
            | Dimension::Environment
            | Dimension::EscalationPolicy
            | Dimension::Urgency
            | Dimension::Priority
            | Dimension::Severity
            | Dimension::ResolverKind
            | Dimension::Origin
            | Dimension::Title => {}
        }
    }
}

/// The fields of labels that hold the values.
fn fields(by: Dimension) -> Option<fn(&Labels) -> [u32; 2]> {
    Some(match by {
        Dimension::Service => |labels| [labels.service, labels.service_now],
        Dimension::Environment => |labels| [labels.environment; 2],
        Dimension::EscalationPolicy => |labels| [labels.policy, labels.policy_now],
        Dimension::Urgency => |labels| [labels.urgency, labels.urgency_now],
        Dimension::Priority => |labels| [labels.priority, labels.priority_now],
        Dimension::Severity => |labels| [labels.severity; 2],
        Dimension::Origin => |labels| [labels.origin; 2],
        Dimension::Team | Dimension::User | Dimension::ResolverKind | Dimension::Title => {
            return None;
        }
    })
}
