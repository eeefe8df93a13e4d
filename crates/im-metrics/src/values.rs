//! Which values there are to filter by.
//!
//! A value that no incident, no deployment and no setting has can only be a slip; whoever asks is told what
//! there is instead of an empty answer.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::columns::{Row, Share};
use crate::engine::Engine;
use crate::input::ResolverKind;
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
            if plan.passes(row) && plan.passes_teams(row.teams()) {
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
        match self.columns(by) {
            // Most questions name what incidents have, and a column is read faster than a set is made.
            Some(columns) if columns.iter().any(|column| column.contains(&id)) => true,
            Some(_) | None => self.values(by).contains(value),
        }
    }

    /// Every value that is known; of a title there is none.
    pub fn values(&self, by: Dimension) -> BTreeSet<&str> {
        // A mark for each name costs less than a set of what all incidents have.
        let mut marks = vec![false; self.names.len()];
        let mut mark = |id: u32| {
            if let Some(mark) = marks.get_mut(num::at(id)) {
                *mark = true;
            }
        };
        match self.columns(by) {
            Some(columns) => columns.into_iter().flatten().copied().for_each(&mut mark),
            None => self.each_id(by, &mut mark),
        }
        let marked = (0..).zip(marks).filter(|(_, is_known)| *is_known);
        let mut values: BTreeSet<&str> = marked.filter_map(|(id, _)| self.names.text(id)).collect();
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

    /// The columns of incidents that hold the values.
    fn columns(&self, by: Dimension) -> Option<Vec<&Vec<u32>>> {
        let given = &self.main.given;
        Some(match by {
            Dimension::Service => vec![&given.service, &given.service_now],
            Dimension::Environment => vec![&given.environment],
            Dimension::EscalationPolicy => vec![&given.policy, &given.policy_now],
            Dimension::Urgency => vec![&given.urgency, &given.urgency_now],
            Dimension::Priority => vec![&given.priority, &given.priority_now],
            Dimension::Severity => vec![&given.severity],
            Dimension::Origin => vec![&given.origin],
            Dimension::Team | Dimension::User | Dimension::ResolverKind | Dimension::Title => {
                return None;
            }
        })
    }

    /// The teams and the people that incidents, services and memberships name.
    fn each_id(&self, by: Dimension, mark: &mut impl FnMut(u32)) {
        let rows = (0..self.main.len()).map(|place| Row::new(&self.main, place));
        match by {
            Dimension::Team => {
                let mut sets: Vec<u32> = rows.map(Row::teams).collect();
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
            Dimension::User => rows
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
