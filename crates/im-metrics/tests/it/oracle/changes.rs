//! Deployments, and the failures behind them.

use std::collections::BTreeSet;

use im_metrics::input::{Deployment, DeploymentStatus, ManualLink};
use im_metrics::{Dimension, Metric, Mode};
use jiff::Timestamp;

use super::{Counts, Life, Of, Oracle, Sample, micros};

impl<'a> Oracle<'a> {
    pub(super) fn succeeded(&self, deployment: &Deployment) -> Option<Timestamp> {
        let at = deployment.finished_at.filter(|at| *at <= self.as_of)?;
        (deployment.status == DeploymentStatus::Success).then_some(at)
    }

    pub(super) fn of_deployment(
        &self,
        deployment: &'a Deployment,
        at: Timestamp,
        value: Counts,
    ) -> Sample<'a> {
        let told = self.world.teams_of_service.get(&deployment.service);
        let told = told.cloned().unwrap_or_default();
        Sample {
            at,
            of: Of::Deployment(deployment),
            teams: self.with_own(&told, Some(&deployment.service)),
            user: None,
            resolver: None,
            value,
        }
    }

    /// PagerDuty's teams, and those of our own that answer for one of them or for the service.
    pub(super) fn with_own(&self, told: &[String], service: Option<&String>) -> Vec<String> {
        let mut teams: BTreeSet<String> = told.iter().cloned().collect();
        for team in &self.world.teams {
            let answers = service.is_some_and(|service| team.services.contains(service));
            if answers || told.iter().any(|told| team.includes.contains(told)) {
                teams.insert(team.id.clone());
            }
        }
        teams.into_iter().collect()
    }

    pub(super) fn deployments(&self) -> Vec<Sample<'a>> {
        let mut samples = Vec::new();
        for deployment in &self.world.deployments {
            let Some(at) = self.succeeded(deployment) else {
                continue;
            };
            let part = deployment.unplanned_fix;
            match self.query.metric {
                Metric::ChangeLeadTime => {
                    let commits = deployment.commits.iter();
                    samples.extend(commits.map(|commit| {
                        self.of_deployment(deployment, at, Counts::Micros(micros(*commit, at)))
                    }));
                }
                Metric::DeploymentReworkRate => {
                    samples.push(self.of_deployment(deployment, at, Counts::Whole { part }));
                }
                _ => samples.push(self.of_deployment(deployment, at, Counts::One)),
            }
        }
        samples
    }

    pub(super) fn change_failures(&self, lives: &[Life<'a>]) -> Vec<Sample<'a>> {
        let own = [Dimension::Service, Dimension::Environment];
        let failures = || lives.iter().filter(|life| self.is_failure(life));
        let mut samples = Vec::new();
        for deployment in &self.world.deployments {
            let Some(at) = self.succeeded(deployment) else {
                continue;
            };
            let part = self.query.mode == Mode::Attributed
                && failures().any(|life| {
                    self.passes(Of::Incident(life.history), &own)
                        && self
                            .linked(life)
                            .is_some_and(|found| found.id == deployment.id)
                });
            samples.push(self.of_deployment(deployment, at, Counts::Whole { part }));
        }
        if self.query.mode == Mode::Impact {
            samples.extend(
                failures().map(|life| self.sample(life.history, life.events[0].at, Counts::Part)),
            );
        }
        samples
    }

    /// The deployment behind an incident.
    pub(super) fn linked(&self, life: &Life<'_>) -> Option<&'a Deployment> {
        let all = &self.world.deployments;
        let (history, trigger) = (life.history, life.events[0].at);
        match &history.link {
            Some(ManualLink::Nothing) => return None,
            Some(ManualLink::Deployment(id)) => return all.iter().find(|one| one.id == *id),
            None => {}
        }
        let service = history.at_trigger.service.as_ref();
        let on_service = || {
            let mut found: Vec<&Deployment> = all
                .iter()
                .filter(|one| Some(&one.service) == service)
                .filter(|one| one.finished_at.is_some_and(|at| at <= trigger))
                .collect();
            found.sort_by_key(|one| (one.finished_at, one.id.clone()));
            found
        };
        if let Some(named) = &history.deployment {
            let by_id = all.iter().find(|one| one.id == *named);
            let of_version = on_service();
            let of_version = of_version.into_iter().rev();
            let found = by_id.or_else(|| {
                of_version
                    .into_iter()
                    .find(|one| one.version.as_ref() == Some(named))
            });
            if found.is_some() {
                return found;
            }
        }
        let plain = |given: &Option<String>| given.clone().unwrap_or_default().to_lowercase();
        let found = on_service().into_iter().rev().find(|one| {
            let (there, here) = (plain(&one.environment), plain(&history.environment));
            one.status == DeploymentStatus::Success
                && (there == here || there.is_empty() || here.is_empty())
        })?;
        let lag = micros(found.finished_at?, trigger);
        let in_time = self.query.max_lag.is_none_or(|max| lag <= i128::from(max));
        in_time.then_some(found)
    }

    pub(super) fn linked_finish(&self, life: &Life<'_>) -> Option<Timestamp> {
        self.linked(life)?
            .finished_at
            .filter(|at| *at <= self.as_of)
    }
}
