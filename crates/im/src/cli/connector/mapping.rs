//! `im connector map-service`, `list-mappings`, `map-escalation` and `list-escalations`.

use clap::Args;
use comfy_table::Cell;
use im_core::{ConnectorName, Severity};
use serde::Deserialize;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::client::{Answer, Call};

/// Map a service of ours to one of PagerDuty's
///
/// Again with another one changes it; several of ours may share one of PagerDuty's. What begins there has the first
/// of them by the alphabet.
#[derive(Debug, Args)]
pub(crate) struct MapServiceArgs {
    /// Which connector
    name: ConnectorName,
    /// Our name of the service, as in `im declare --service`; `default` stands for all that are not mapped
    #[arg(long, value_name = "NAME")]
    im_service: String,
    /// PagerDuty's service, by its id or name
    #[arg(long, value_name = "ID", required_unless_present = "remove")]
    pd_service: Option<String>,
    /// Take the mapping away
    #[arg(long, conflicts_with = "pd_service")]
    remove: bool,
}

/// List which of our services is which of PagerDuty's
#[derive(Debug, Args)]
pub(crate) struct ListMappingsArgs {
    /// Which connector
    name: ConnectorName,
}

/// Say by which escalation policy new incidents of a service or severity page
///
/// The closest line counts: for the service at that severity, for the service, for the severity, then the
/// connector's own policy (`im connector config --escalation-policy`), then that of PagerDuty's service.
#[derive(Debug, Args)]
pub(crate) struct MapEscalationArgs {
    /// Which connector
    name: ConnectorName,
    /// Incidents of this service of ours
    #[arg(long)]
    service: Option<String>,
    /// Incidents of this severity
    #[arg(long, alias = "severity", value_name = "SEVERITY")]
    sev: Option<Severity>,
    /// The escalation policy, by its id or name
    #[arg(long, value_name = "ID", required_unless_present = "remove")]
    escalation_policy: Option<String>,
    /// Take the mapping away
    #[arg(long, conflicts_with = "escalation_policy")]
    remove: bool,
}

/// List by which escalation policies new incidents page
#[derive(Debug, Args)]
pub(crate) struct ListEscalationsArgs {
    /// Which connector
    name: ConnectorName,
}

#[derive(Debug, Deserialize)]
struct ServiceMapping {
    im_service: String,
    pd_service: String,
    service_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct EscalationMapping {
    service: Option<String>,
    severity: Option<String>,
    escalation_policy: String,
    policy_name: Option<String>,
}

pub(crate) async fn map_service(args: MapServiceArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let body = json!({"im_service": args.im_service, "pd_service": args.pd_service});
    let path = ["connectors", args.name.as_str(), "service-mappings"];
    let answer = cx.send(Call::post(path, body)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let table: Vec<ServiceMapping> = answer.read()?;
    let ours = args.im_service.trim();
    match table.iter().find(|row| row.im_service == ours) {
        Some(row) if !args.remove => cx.ui.say(format_args!(
            "Mapped {ours} to {} ({})",
            row.pd_service,
            row.service_name.as_deref().unwrap_or(UNKNOWN)
        )),
        _ => cx.ui.say(format_args!("Removed the mapping of {ours}")),
    }
    Ok(Exit::Done)
}

pub(crate) async fn map_escalation(
    args: MapEscalationArgs,
    cx: &mut Context,
) -> Result<Exit, Failure> {
    let severity = args.sev.map(Severity::as_str);
    let body = json!({
        "service": args.service,
        "severity": severity,
        "escalation_policy": args.escalation_policy,
    });
    let path = ["connectors", args.name.as_str(), "escalation-mappings"];
    let answer = cx.send(Call::post(path, body)).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let table: Vec<EscalationMapping> = answer.read()?;
    let service = args.service.as_deref().map(str::trim);
    let what = [service, severity].into_iter().flatten();
    let what = what.collect::<Vec<_>>().join(" at ");
    let is_it = |row: &&EscalationMapping| {
        row.service.as_deref() == service && row.severity.as_deref() == severity
    };
    match table.iter().find(is_it) {
        Some(row) if !args.remove => cx.ui.say(format_args!(
            "New incidents of {what} page by {} ({})",
            row.escalation_policy,
            row.policy_name.as_deref().unwrap_or(UNKNOWN)
        )),
        _ => cx.ui.say(format_args!("Removed the mapping of {what}")),
    }
    Ok(Exit::Done)
}

/// What PagerDuty does not show.
pub(super) const UNKNOWN: &str = "not in PagerDuty";

pub(crate) async fn list_services(
    args: ListMappingsArgs,
    cx: &mut Context,
) -> Result<Exit, Failure> {
    let answer = ask(&args.name, "service-mappings", cx).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Vec<ServiceMapping> = answer.read()?;
    let columns = [
        Column::Whole("IM Service"),
        Column::Whole("PagerDuty Service"),
        Column::Rest("Service Name"),
    ];
    let rows = found.iter().map(|row| {
        vec![
            Cell::new(&row.im_service),
            Cell::new(&row.pd_service),
            Cell::new(row.service_name.as_deref().unwrap_or(UNKNOWN)),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    if let Some(row) = found.iter().find(|row| row.service_name.is_none()) {
        cx.ui.hint(format_args!(
            "PagerDuty has no service {} that this key can see: `im connector test {}` says more",
            row.pd_service, args.name
        ));
    }
    Ok(Exit::Done)
}

pub(crate) async fn list_escalations(
    args: ListEscalationsArgs,
    cx: &mut Context,
) -> Result<Exit, Failure> {
    let answer = ask(&args.name, "escalation-mappings", cx).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Vec<EscalationMapping> = answer.read()?;
    if found.is_empty() {
        cx.ui
            .note("No escalation mappings: each service of PagerDuty's pages by its own policy.");
        return Ok(Exit::Done);
    }
    let columns = [
        Column::Whole("IM Service"),
        Column::Whole("Severity"),
        Column::Whole("Escalation Policy"),
        Column::Rest("Policy Name"),
    ];
    let rows = found.iter().map(|row| {
        let is_own = row.service.is_none() && row.severity.is_none();
        let any = if is_own { "default" } else { "any" };
        vec![
            Cell::new(row.service.as_deref().unwrap_or(any)),
            Cell::new(row.severity.as_deref().unwrap_or("any")),
            Cell::new(&row.escalation_policy),
            Cell::new(row.policy_name.as_deref().unwrap_or(UNKNOWN)),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    Ok(Exit::Done)
}

async fn ask(name: &ConnectorName, what: &str, cx: &mut Context) -> Result<Answer, Failure> {
    cx.send(Call::get(["connectors", name.as_str(), what]))
        .await
}
