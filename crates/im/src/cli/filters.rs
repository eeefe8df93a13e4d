//! The flags that choose incidents, as metrics, findings and the export of facts have them.

use clap::Args;

use crate::client::Call;

/// Of what figures are; each may be given more than once for any of its values.
#[derive(Debug, Args)]
pub(super) struct Places {
    /// Only this service, by PagerDuty's id or name, or as it is mapped here; `null` for none
    #[arg(long, value_name = "ID")]
    service: Vec<String>,
    /// Only this team, by id or name; `null` for none
    #[arg(long, value_name = "ID")]
    team: Vec<String>,
    /// Only this environment; `null` for none
    #[arg(long, value_name = "NAME")]
    environment: Vec<String>,
}

impl Places {
    /// Adds each as the parameter of its name.
    pub(super) fn ask(&self, call: Call) -> Call {
        let call = often(call, "service", &self.service);
        let call = often(call, "team", &self.team);
        often(call, "environment", &self.environment)
    }
}

/// Which incidents count; each may be given more than once for any of its values.
#[derive(Debug, Args)]
pub(super) struct Filters {
    #[command(flatten)]
    places: Places,
    /// Only this escalation policy, by id or name
    #[arg(long, value_name = "ID")]
    escalation_policy: Vec<String>,
    /// Only this urgency: high, low or null
    #[arg(long, value_name = "URGENCY")]
    urgency: Vec<String>,
    /// Only this priority, by id or name
    #[arg(long, value_name = "ID")]
    priority: Vec<String>,
    /// Only this severity
    #[arg(long, alias = "sev", value_name = "SEVERITY")]
    severity: Vec<String>,
    /// Only what began there: pagerduty or im
    #[arg(long, value_name = "WHERE")]
    origin: Vec<String>,
    /// Only titles with this in them
    #[arg(long, value_name = "TEXT")]
    title: Vec<String>,
}

impl Filters {
    /// Adds each as the parameter of its name.
    pub(super) fn ask(&self, call: Call) -> Call {
        let all = [
            ("escalation_policy", &self.escalation_policy),
            ("urgency", &self.urgency),
            ("priority", &self.priority),
            ("severity", &self.severity),
            ("origin", &self.origin),
            ("title", &self.title),
        ];
        let call = self.places.ask(call);
        all.into_iter()
            .fold(call, |call, (name, values)| often(call, name, values))
    }
}

/// Adds a parameter once for each value.
pub(super) fn often(call: Call, name: &'static str, values: &[String]) -> Call {
    values
        .iter()
        .fold(call, |call, value| call.query(name, value))
}

/// Adds the parameters that have a value.
pub(super) fn once<const N: usize>(call: Call, given: [(&'static str, Option<String>); N]) -> Call {
    let given = given.into_iter();
    let given = given.filter_map(|(name, value)| Some((name, value?)));
    given.fold(call, |call, (name, value)| call.query(name, value))
}
