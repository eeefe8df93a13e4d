//! What the company tells `im` besides: who people are, when they work, what is aimed at, what was
//! brought out, and what broke by that. One data document (`docs/data.md`), as anybody imports it.

use jiff::tz::TimeZone;
use pd_sim::Account;
use serde_json::{Value, json};

use super::plan::{Deployment, Plan, Said, ZONE};

/// The document.
pub(super) fn document(plan: &Plan, account: &Account, twins: &[Option<String>]) -> Value {
    let people = account.users.iter();
    let people = people.map(|(_, name, email)| json!({"id": email, "name": name}));
    let users = account.users.iter();
    let users = users.map(|(id, _, email)| json!({"user": id, "person": email}));
    let deployments = plan.deployments.iter();
    json!({
        "version": 1,
        "time_zone": ZONE,
        "people": people.collect::<Vec<_>>(),
        "users": users.collect::<Vec<_>>(),
        "hours": hours(plan, account),
        "failure_rules": [{"id": "low", "urgency": "low", "reason": "nobody is held up"}],
        "targets": [
            {"name": "mtta", "at_most": 300},
            {"name": "mttr", "at_most": 3_600},
            {"name": "change_failure_rate", "at_most": 0.15},
            {"name": "deployment_frequency", "at_least": 2},
        ],
        "deployments": deployments
            .map(|deployment| told(deployment, account))
            .collect::<Vec<_>>(),
        "incidents": said(plan, twins),
    })
}

/// Whose working hours are which, from the first day on and from that of the new rota.
fn hours(plan: &Plan, account: &Account) -> Value {
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    let first = plan.since.to_zoned(zone.clone()).date();
    let rota = plan.rota.to_zoned(zone).date();
    let person = |index: usize| {
        let user = account.users.get(index);
        format!("person:{}", user.map_or("", |(_, _, email)| email))
    };
    let week = |hours: &str, days: usize| -> Value {
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let days = names.into_iter().take(days);
        days.map(|day| (day.to_owned(), json!([hours]))).collect()
    };
    json!([
        {"of": "organisation", "effective_from": first, "week": week("09:00-17:00", 5)},
        {"of": "organisation", "effective_from": rota, "week": week("08:00-18:00", 5)},
        {"of": person(2), "effective_from": first, "zone": "Europe/Lisbon", "week": week("09:00-18:00", 5)},
        {"of": person(4), "effective_from": first, "week": week("07:00-16:00", 4)},
    ])
}

fn told(deployment: &Deployment, account: &Account) -> Value {
    let service = account.services.get(deployment.service);
    let commits = deployment.commits.iter();
    let commits = commits.map(|(sha, time)| json!({"sha": sha, "time": time}));
    json!({
        "id": deployment.id,
        "service": service.map(|(id, ..)| id),
        "environment": "production",
        "version": deployment.version,
        "started_at": deployment.started_at,
        "finished_at": deployment.finished_at,
        "status": deployment.status,
        "unplanned_fix": deployment.unplanned_fix,
        "commits": commits.collect::<Vec<_>>(),
    })
}

/// What people say of incidents.
fn said(plan: &Plan, twins: &[Option<String>]) -> Vec<Value> {
    let all = plan.incidents.iter().zip(twins);
    let all = all.filter_map(|(incident, twin)| Some((incident.said.as_ref()?, twin.as_ref()?)));
    let all = all.map(|(said, twin)| match said {
        Said::CausedBy(deployment, reason) => {
            json!({"pagerduty": twin, "caused_by": deployment, "reason": reason})
        }
        Said::NoChange(reason) => {
            json!({"pagerduty": twin, "not_change_related": true, "reason": reason})
        }
    });
    all.collect()
}
