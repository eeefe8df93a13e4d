//! What the severities are, and what each is at PagerDuty. They are fixed; how PagerDuty's side follows is a connector's.

use im_core::{Severity, Urgency};
use im_engine::connector;
use im_store::directory::{self, Kind};
use im_store::{StoreError, Tx};
use maud::{Markup, html};

use super::connector::settings_address;
use super::parts;

/// What a severity is at PagerDuty, by one connector.
pub(super) struct Follows {
    connector: String,
    /// By which urgency people are paged, and with which priority, for each severity in order.
    lines: Vec<(Urgency, Option<String>)>,
}

/// The same of every connector.
pub(super) fn follows(tx: &mut Tx<'_>) -> Result<Vec<Follows>, StoreError> {
    let mut all = Vec::new();
    for connector in connector::all(tx)? {
        let mut lines = Vec::new();
        for severity in Severity::ALL {
            let priority = match connector.mapping.priority_id(severity) {
                Some(id) => Some(priority_name(tx, connector.name(), id)?),
                None => None,
            };
            lines.push((connector.mapping.urgency(severity), priority));
        }
        all.push(Follows {
            connector: connector.name().to_owned(),
            lines,
        });
    }
    Ok(all)
}

/// PagerDuty's name of a priority, as far as it was read; else its id.
fn priority_name(tx: &mut Tx<'_>, connector: &str, id: &str) -> Result<String, StoreError> {
    let row = directory::latest(tx, connector, Kind::Priority, id)?;
    Ok(row
        .and_then(|row| row.name)
        .unwrap_or_else(|| id.to_owned()))
}

/// The section of the settings.
pub(super) fn section(all: &[Follows]) -> Markup {
    html! {
        section aria-labelledby="severities" {
            h2 #severities { "Severities" }
            p.small {
                "How bad an incident is. The four are fixed. PagerDuty pages by urgency and shows a priority: a priority that goes with a severity here, or is called P1 to P4, sets the severity; without one the urgency suggests it."
            }
            div.panel.scroll {
                table.data.items {
                    thead {
                        tr {
                            th scope="col" { "Severity" }
                            th scope="col" { "Means" }
                            @for follows in all { th scope="col" { "By " (follows.connector) } }
                        }
                    }
                    tbody {
                        @for (index, severity) in Severity::ALL.into_iter().enumerate() {
                            tr {
                                th scope="row" { (parts::severity(Some(severity))) }
                                td.what { (severity.description()) }
                                @for follows in all { td { @if let Some(line) = follows.lines.get(index) { (said(line)) @if all.len() > 1 { span.meta { (follows.connector) } } } } }
                            }
                        }
                    }
                }
            }
            p.small.below {
                @if all.is_empty() { "No connection to PagerDuty is there yet." }
                @for follows in all {
                    "Change what " (follows.connector) " makes of them: "
                    a href={ (settings_address(&follows.connector)) "#urgencies" } { "urgencies" } ", "
                    a href={ (settings_address(&follows.connector)) "#priorities" } { "priorities" } ". "
                }
            }
        }
    }
}

fn said((urgency, priority): &(Urgency, Option<String>)) -> Markup {
    html! {
        (urgency.as_str()) " urgency, "
        @match priority { Some(name) => { "priority " (name) }, None => "no priority" }
    }
}
