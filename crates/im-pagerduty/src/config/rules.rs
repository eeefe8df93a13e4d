//! Rules for the service that an incident goes to, by its service, severity and fields.

use std::str::FromStr as _;

use im_core::{ServiceRule, Severity};

use super::ConfigError;
use super::json::{Fields, Json};

const EXAMPLE: &str = "[{\"severity\": \"SEV-1\", \"fields\": {\"environment\": \"production\"}, \"pd_service\": \"PXXXXXX\"}]";

pub(super) fn service_rules(custom: &mut Fields) -> Result<Vec<ServiceRule>, ConfigError> {
    const NAME: &str = "service_rules";
    match custom.take(NAME) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::List(rows)) => {
            let numbered = rows.into_iter().enumerate();
            let rule = |(index, row): (usize, Json)| rule(&format!("custom.{NAME}[{index}]"), row);
            numbered.map(rule).collect()
        }
        Some(other) => Err(custom.wrong(NAME, "a list of rules", &other, EXAMPLE)),
    }
}

fn rule(path: &str, row: Json) -> Result<ServiceRule, ConfigError> {
    let mut rule = Fields::of(path, row, EXAMPLE)?;
    rule.only(&["service", "severity", "fields", "pd_service"])?;
    let service = rule.word("service", "\"api\"")?;
    let severity = rule.word("severity", "\"SEV-1\"")?;
    let severity = severity
        .map(|word| Severity::from_str(&word))
        .transpose()
        .map_err(|error| rule.bad("severity", &format!("is wrong: {error}"), "\"SEV-1\""))?;
    let mut fields = Vec::new();
    if let Some(mut given) = rule.object("fields", "{\"environment\": \"production\"}")? {
        for name in given.names() {
            let says = given.word(&name, "\"production\"")?;
            let says = says.ok_or_else(|| given.missing(&name, "\"production\""))?;
            fields.push((name, says));
        }
    }
    fields.sort();
    let id = rule.word("pd_service", "\"PXXXXXX\"")?;
    let id = id.ok_or_else(|| rule.missing("pd_service", "\"PXXXXXX\""))?;
    if service.is_none() && severity.is_none() && fields.is_empty() {
        let problem = "would be for every incident: name a service, a severity or fields with it";
        return Err(rule.bad("pd_service", problem, EXAMPLE));
    }
    Ok(ServiceRule {
        service,
        severity,
        fields,
        id,
    })
}
