//! `im severities`.

use clap::Args;
use comfy_table::Cell;
use im_core::{Severity, Urgency};
use serde_json::json;

use super::context::Context;
use super::error::Exit;
use super::table::{self, Column};

/// Show what each severity means
///
/// A connector's `urgency_mapping` can say by which urgency PagerDuty pages for each.
#[derive(Debug, Args)]
pub(crate) struct SeveritiesArgs {}

pub(crate) fn run(cx: &mut Context) -> Exit {
    let urgency = |severity: Severity| Urgency::as_str(severity.default_urgency());
    if cx.ui.json {
        let all = Severity::ALL.map(|severity| {
            json!({"severity": severity.as_str(), "urgency": urgency(severity), "meaning": severity.description()})
        });
        cx.ui.document(json!(all).to_string().as_bytes());
        return Exit::Done;
    }
    let columns = [
        Column::Whole("Severity"),
        Column::Whole("Urgency"),
        Column::Rest("Meaning"),
    ];
    let rows = Severity::ALL.map(|severity| {
        vec![
            Cell::new(severity.as_str()),
            Cell::new(urgency(severity)),
            Cell::new(severity.description()),
        ]
    });
    let text = table::rows(&columns, rows.to_vec(), cx.ui.table_width());
    cx.ui.say(text);
    Exit::Done
}
