//! Which escalation policy a new incident gets: a table by service, by severity, or by both.

use std::str::FromStr as _;

use im_core::Severity;

use super::json::Fields;
use super::{ConfigError, Custom};

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EscalationChoice {
    /// Our name of the service; any if absent.
    pub service: Option<String>,
    /// The severity; any if absent.
    pub severity: Option<Severity>,
    /// PagerDuty's id of the policy.
    pub policy: String,
}

impl EscalationChoice {
    /// The name of a line: `api`, `SEV-1` or `api/SEV-1`.
    pub fn key(service: Option<&str>, severity: Option<Severity>) -> String {
        match (service, severity) {
            (Some(service), Some(severity)) => format!("{service}/{severity}"),
            (Some(service), None) => service.to_owned(),
            (None, severity) => severity.map_or_else(String::new, |one| one.to_string()),
        }
    }
}

impl Custom {
    /// The policy for a new incident; `None` leaves it to PagerDuty's service.
    ///
    /// The closest line counts: for the service at that severity, for the service, for the
    /// severity, and then the connector's own. With `is_own`, as for each of several services,
    /// only lines that name the service count.
    pub fn policy_for(
        &self,
        service: Option<&str>,
        severity: Option<Severity>,
        is_own: bool,
    ) -> Option<&str> {
        let find = |service: Option<&str>, severity: Option<Severity>| {
            let is_meant = |line: &&EscalationChoice| {
                line.service.as_deref() == service && line.severity == severity
            };
            let line = self.escalation_mappings.iter().find(is_meant)?;
            Some(line.policy.as_str())
        };
        let of_service = service.and_then(|name| {
            let at_severity = severity.and_then(|severity| find(Some(name), Some(severity)));
            at_severity.or_else(|| find(Some(name), None))
        });
        if is_own {
            return of_service;
        }
        of_service
            .or_else(|| severity.and_then(|severity| find(None, Some(severity))))
            .or(self.escalation_policy_id.as_deref())
    }
}

pub(super) fn escalation_mappings(
    custom: &mut Fields,
) -> Result<Vec<EscalationChoice>, ConfigError> {
    const EXAMPLE: &str =
        "{\"api\": \"PXXXXXX\", \"SEV-1\": \"PXXXXXX\", \"api/SEV-1\": \"PXXXXXX\"}";
    let Some(mut rows) = custom.object("escalation_mappings", EXAMPLE)? else {
        return Ok(Vec::new());
    };
    let mut lines = Vec::new();
    for name in rows.names() {
        let policy = rows.word(&name, "\"PXXXXXX\"")?;
        let policy = policy.ok_or_else(|| rows.missing(&name, "\"PXXXXXX\""))?;
        let (service, severity) = match (Severity::from_str(&name), name.rsplit_once('/')) {
            (Ok(severity), _) => (None, Some(severity)),
            (Err(_), Some((service, severity))) => match Severity::from_str(severity) {
                Ok(severity) => (Some(service.to_owned()), Some(severity)),
                Err(_) => (Some(name), None),
            },
            (Err(_), None) => (Some(name), None),
        };
        lines.push(EscalationChoice {
            service,
            severity,
            policy,
        });
    }
    // The fields of an object have no order, and what stores them keeps none.
    lines.sort();
    Ok(lines)
}
