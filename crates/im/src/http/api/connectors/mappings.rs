//! Which of our services is which of PagerDuty's, and by which policy incidents page.
//!
//! Both are parts of the configuration; here they are read with PagerDuty's names and changed a
//! line at a time, after PagerDuty has been asked whether it has what the line names.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_core::Severity;
use im_engine::connector::Connector;
use im_pagerduty::config::{DEFAULT_SERVICE, EscalationChoice};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{config, find, lists};
use crate::http::App;
use crate::http::api::types::Named;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::{NoAnswer, WrongValue};

/// Names that are offered where one is not known.
const OFFERED_MAX: usize = 10;

/// A service of ours and PagerDuty's for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ServiceMapping {
    /// Our name; `default` stands for every name that is in no line.
    pub(crate) im_service: String,
    /// PagerDuty's id.
    pub(crate) pd_service: String,
    /// PagerDuty's name; null if PagerDuty has no such service that the key can see.
    pub(crate) service_name: Option<String>,
}

/// A line of the table of services.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewServiceMapping {
    /// Our name, or `default`.
    pub(crate) im_service: String,
    /// PagerDuty's service, by id or name; null takes the line away.
    pub(crate) pd_service: Option<String>,
}

/// By which policy new incidents page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EscalationMapping {
    /// Our name of the service; null for any.
    pub(crate) service: Option<String>,
    /// The severity; null for any.
    pub(crate) severity: Option<&'static str>,
    /// PagerDuty's id of the policy.
    pub(crate) escalation_policy: String,
    /// PagerDuty's name; null if PagerDuty has no such policy that the key can see.
    pub(crate) policy_name: Option<String>,
}

/// A line of the table of policies.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEscalationMapping {
    /// Our name of the service; any if left out.
    pub(crate) service: Option<String>,
    /// The severity; any if left out.
    pub(crate) severity: Option<String>,
    /// The policy, by id or name; null takes the line away.
    pub(crate) escalation_policy: Option<String>,
}

/// List which of our services is which of PagerDuty's
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/service-mappings", tag = "connectors", operation_id = "list_service_mappings",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [ServiceMapping], description = "The table, by our names, `default` last"), NoAnswer),
)]
pub(crate) async fn services(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<ServiceMapping>>, ApiError> {
    let connector = find(&app, &name).await?;
    service_table(&app, &connector).await.map(Json)
}

/// Map a service of ours to one of PagerDuty's
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/service-mappings", tag = "connectors", operation_id = "map_service",
    request_body = NewServiceMapping,
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [ServiceMapping], description = "The table now"), WrongValue, NoAnswer),
)]
pub(crate) async fn map_service(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(new): Body<NewServiceMapping>,
) -> Result<Json<Vec<ServiceMapping>>, ApiError> {
    let connector = find(&app, &name).await?;
    let ours = our_service(&connector, &new.im_service)?;
    let theirs = if let Some(asked) = new.pd_service {
        let all = lists::all_services(&app, &connector).await?;
        Some(one_of(&all, &asked, "pd_service", "service")?)
    } else {
        let rows = &connector.config.custom.service_mappings;
        if !rows.iter().any(|(known, _)| *known == ours) {
            return Err(no_line("im_service", &ours, &name, "list-mappings"));
        }
        None
    };
    let part = json!({"custom": {"service_mappings": {ours: theirs}}});
    let connector = set(&app, &name, part).await?;
    service_table(&app, &connector).await.map(Json)
}

/// Refuses rules for services that PagerDuty does not have. Where there is none, nothing is asked.
pub(super) async fn check_rules(app: &App, connector: &Connector) -> Result<(), ApiError> {
    let rules = &connector.mapping.rules;
    if rules.is_empty() {
        return Ok(());
    }
    let all = lists::all_services(app, connector).await?;
    match rules.iter().find(|rule| name_of(&all, &rule.id).is_none()) {
        Some(rule) => Err(no_such(&all, &rule.id, "service_rules", "service")),
        None => Ok(()),
    }
}

/// List by which policy new incidents page
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/escalation-mappings", tag = "connectors", operation_id = "list_escalation_mappings",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [EscalationMapping], description = "The table, the connector's own policy last"), NoAnswer),
)]
pub(crate) async fn escalations(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<EscalationMapping>>, ApiError> {
    let connector = find(&app, &name).await?;
    escalation_table(&app, &connector).await.map(Json)
}

/// Say by which policy incidents of a service or a severity page
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/escalation-mappings", tag = "connectors", operation_id = "map_escalation",
    request_body = NewEscalationMapping,
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [EscalationMapping], description = "The table now"), WrongValue, NoAnswer),
)]
pub(crate) async fn map_escalation(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(new): Body<NewEscalationMapping>,
) -> Result<Json<Vec<EscalationMapping>>, ApiError> {
    let connector = find(&app, &name).await?;
    let severity = new.severity.as_deref().map(severity).transpose()?;
    let service = match new.service {
        Some(service) => Some(our_service(&connector, &service)?),
        None => None,
    };
    if service.is_none() && severity.is_none() {
        return Err(ApiError::wrong_value("service", "neither service nor severity is given")
            .hint("the policy of everything else is `im connector config NAME --escalation-policy ID`"));
    }
    let line = EscalationChoice::key(service.as_deref(), severity);
    let policy = if let Some(asked) = new.escalation_policy {
        let all = lists::all_policies(&app, &connector).await?;
        Some(one_of(
            &all,
            &asked,
            "escalation_policy",
            "escalation policy",
        )?)
    } else {
        let is_it =
            |known: &EscalationChoice| known.service == service && known.severity == severity;
        let known = &connector.config.custom.escalation_mappings;
        if !known.iter().any(is_it) {
            return Err(no_line("service", &line, &name, "list-escalations"));
        }
        None
    };
    let part = json!({"custom": {"escalation_mappings": {line: policy}}});
    let connector = set(&app, &name, part).await?;
    escalation_table(&app, &connector).await.map(Json)
}

/// The severity of a word.
pub(super) fn severity(word: &str) -> Result<Severity, ApiError> {
    word.parse().map_err(|error| {
        ApiError::wrong_value("severity", format!("`severity`: {error}"))
            .hint("write SEV-1, SEV-2, SEV-3 or SEV-4")
    })
}

/// Changes a part of the configuration.
pub(super) async fn set(
    app: &App,
    name: &str,
    part: serde_json::Value,
) -> Result<Connector, ApiError> {
    let serde_json::Value::Object(part) = part else {
        return Err(ApiError::internal());
    };
    config::apply(app, name, part).await?;
    find(app, name).await
}

/// A name of ours that can stand in a table.
fn our_service(connector: &Connector, given: &str) -> Result<String, ApiError> {
    let name = given.trim();
    // `--service a,b` means two services, and a severity after a slash is part of a line.
    let is_odd = name.is_empty() || name.contains(',') || name.chars().any(char::is_control);
    if is_odd || name.parse::<Severity>().is_ok() {
        let detail = format!("`{given}` cannot be the name of a service");
        return Err(ApiError::wrong_value("service", detail).hint(format!(
            "write a name as in `im declare --service`; `im connector list-mappings {}` shows those that are mapped",
            connector.name()
        )));
    }
    Ok(name.to_owned())
}

/// There is no line to be taken away.
pub(super) fn no_line(field: &'static str, line: &str, connector: &str, list: &str) -> ApiError {
    ApiError::wrong_value(field, format!("there is no line for {line}"))
        .hint(format!("`im connector {list} {connector}` shows the lines"))
}

/// The id of what is meant by an id or a name.
pub(super) fn one_of(
    all: &[Named],
    asked: &str,
    field: &'static str,
    what: &str,
) -> Result<String, ApiError> {
    let is_meant = |one: &&Named| one.id == asked || one.name.eq_ignore_ascii_case(asked);
    let found = all.iter().find(is_meant).map(|one| one.id.clone());
    found.ok_or_else(|| no_such(all, asked, field, what))
}

/// PagerDuty has no such thing, and these it has.
pub(super) fn no_such(all: &[Named], asked: &str, field: &'static str, what: &str) -> ApiError {
    let offered: Vec<String> = all
        .iter()
        .take(OFFERED_MAX)
        .map(|one| format!("{} ({})", one.id, one.name))
        .collect();
    let detail = format!("PagerDuty has no {what} {asked} that this key can see");
    ApiError::wrong_value(field, detail).hint(if offered.is_empty() {
        "this key sees none at all: is it of the right account?".to_owned()
    } else {
        format!("one of: {}", offered.join(", "))
    })
}

async fn service_table(app: &App, connector: &Connector) -> Result<Vec<ServiceMapping>, ApiError> {
    let names = lists::all_services(app, connector).await?;
    let mapping = |ours: &str, id: &str| ServiceMapping {
        im_service: ours.to_owned(),
        pd_service: id.to_owned(),
        service_name: name_of(&names, id),
    };
    let rows = connector.mapping.services.iter();
    let mut table: Vec<ServiceMapping> = rows.map(|row| mapping(&row.name, &row.id)).collect();
    table.push(mapping(DEFAULT_SERVICE, &connector.mapping.default_service));
    Ok(table)
}

async fn escalation_table(
    app: &App,
    connector: &Connector,
) -> Result<Vec<EscalationMapping>, ApiError> {
    let names = lists::all_policies(app, connector).await?;
    let custom = &connector.config.custom;
    let lines = custom.escalation_mappings.iter();
    let lines = lines.map(|line| EscalationMapping {
        service: line.service.clone(),
        severity: line.severity.map(Severity::as_str),
        escalation_policy: line.policy.clone(),
        policy_name: name_of(&names, &line.policy),
    });
    let own = custom.escalation_policy_id.iter();
    let own = own.map(|policy| EscalationMapping {
        service: None,
        severity: None,
        escalation_policy: policy.clone(),
        policy_name: name_of(&names, policy),
    });
    Ok(lines.chain(own).collect())
}

/// PagerDuty's name for an id.
pub(super) fn name_of(names: &[Named], id: &str) -> Option<String> {
    let found = names.iter().find(|one| one.id == id)?;
    Some(found.name.clone())
}
