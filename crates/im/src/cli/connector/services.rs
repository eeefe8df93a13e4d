//! `im connector services`.

use clap::Args;
use comfy_table::Cell;
use im_core::ConnectorName;
use serde::Deserialize;
use serde_json::json;

use super::mapping::UNKNOWN;
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table::{self, Column};
use crate::client::Call;

/// List PagerDuty's services, or choose which are synced
///
/// Without a choice all are. Incidents of other services do not come here; those that are here already stay as they
/// are, in no list (but `im list --hidden`) and in no figure, until their service is synced again; `--purge` erases
/// them. A service that incidents are declared to must be synced.
#[derive(Debug, Args)]
pub(crate) struct ServicesArgs {
    /// Which connector
    name: ConnectorName,
    /// Those with this in their name or id
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["sync", "stop", "all"])]
    search: Option<String>,
    /// Sync these, by id or name, e.g. `"API Service,Database"`; the first choice ends the sync of all others
    #[arg(long, value_name = "SERVICE", value_delimiter = ',')]
    sync: Vec<String>,
    /// Do not sync these any more
    #[arg(long, value_name = "SERVICE", value_delimiter = ',')]
    stop: Vec<String>,
    /// Sync all, those that come later too
    #[arg(long, conflicts_with_all = ["sync", "stop"])]
    all: bool,
    /// Erase here what is on services that are not synced, for good; PagerDuty keeps its own
    #[arg(long, conflicts_with_all = ["search", "sync", "stop", "all"])]
    purge: bool,
    /// With --purge: do not ask
    #[arg(long, requires = "purge")]
    yes: bool,
}

#[derive(Debug, Deserialize)]
struct Service {
    id: String,
    name: Option<String>,
    synced: bool,
}

pub(crate) async fn run(args: ServicesArgs, cx: &mut Context) -> Result<Exit, Failure> {
    if args.purge {
        return purge(&args, cx).await;
    }
    let path = ["connectors", args.name.as_str(), "synced-services"];
    let is_choice = args.all || !args.sync.is_empty() || !args.stop.is_empty();
    let call = if is_choice {
        let body = json!({"sync": args.sync, "stop": args.stop, "all": args.all});
        Call::post(path, body)
    } else {
        let search = args.search.iter().map(|text| ("q", text.as_str()));
        search.fold(Call::get(path), |call, (name, text)| call.query(name, text))
    };
    let answer = cx.send(call).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let found: Vec<Service> = answer.read()?;
    if is_choice {
        let synced = found.iter().filter(|one| one.synced).count();
        cx.ui.say(format_args!(
            "{synced} of {} services are synced",
            found.len()
        ));
        return Ok(Exit::Done);
    }
    let columns = [
        Column::Whole("Synced"),
        Column::Whole("PagerDuty Service"),
        Column::Rest("Service Name"),
    ];
    let rows = found.iter().map(|one| {
        vec![
            Cell::new(if one.synced { "yes" } else { "no" }),
            Cell::new(&one.id),
            Cell::new(one.name.as_deref().unwrap_or(UNKNOWN)),
        ]
    });
    let text = table::rows(&columns, rows.collect(), cx.ui.table_width());
    cx.ui.say(text);
    Ok(Exit::Done)
}

#[derive(Debug, Deserialize)]
struct Erased {
    erased: usize,
    more: bool,
}

async fn purge(args: &ServicesArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let name = args.name.as_str();
    let what = "Incidents that are here and on services that are not synced are erased, with all their history and what was kept to be sent.";
    cx.confirm(&format!("Purge {name}? {what}"), args.yes)?;
    let path = ["connectors", name, "hidden-incidents"];
    let mut erased = 0;
    loop {
        let some: Erased = cx.send(Call::delete(path)).await?.read()?;
        erased += some.erased;
        if !some.more {
            break;
        }
    }
    if cx.ui.json {
        let document = json!({"erased": erased}).to_string();
        cx.ui.document(document.as_bytes());
        return Ok(Exit::Done);
    }
    cx.ui.say(format_args!(
        "Erased {erased} incident{}; PagerDuty keeps its own",
        if erased == 1 { "" } else { "s" }
    ));
    Ok(Exit::Done)
}
