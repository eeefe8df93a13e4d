//! Shortcuts: which key leads to which page, and the help that lists them all.
//!
//! Absent: what a key does, which the script finds by `data-hotkey` on what it belongs to.

use maud::{Markup, html};

use super::metrics::{FINDINGS, OVERVIEW};
use super::{declare, oncall, settings, status};

/// The help.
pub(super) const ID: &str = "keys";

/// Pages that a key leads to.
const PAGES: [(&str, &str, &str); 9] = [
    ("c", declare::ADDRESS, "Declare an incident"),
    ("g o", OVERVIEW, "Go to the overview"),
    ("g i", "/", "Go to the incidents"),
    ("g c", oncall::ADDRESS, "Go to who is on call"),
    ("g m", "/metric/mttr", "Go to the metrics"),
    ("g f", FINDINGS, "Go to the findings"),
    ("g w", "/metric/page_disruptions", "Go to wellbeing"),
    ("g t", status::ADDRESS, "Go to the status of the system"),
    ("g s", settings::ADDRESS, "Go to the settings"),
];

const LIST: [(&str, &str); 8] = [
    ("f", "Filter"),
    ("j k", "Next incident, the one before"),
    ("x", "Choose this incident"),
    ("Enter", "Open it"),
    ("a", "Acknowledge those that are chosen"),
    ("r", "Resolve those that are chosen"),
    ("i", "Assign this incident"),
    (".", "Show what is new"),
];

const INCIDENT: [(&str, &str); 5] = [
    ("a", "Acknowledge"),
    ("r", "Resolve"),
    ("i", "Assign"),
    ("n", "Write a note"),
    ("e", "Edit"),
];

const FIGURES: [(&str, &str); 3] = [
    ("f", "Filter"),
    ("t", "The figures as a table"),
    ("[ ]", "The time before, the time after"),
];

/// The key that leads to a page.
pub(super) fn of(address: &str) -> Option<&'static str> {
    let found = PAGES.iter().find(|(_, page, _)| *page == address);
    found.map(|(key, _, _)| *key)
}

/// What there is.
pub(super) fn help() -> Markup {
    let pages = PAGES.map(|(key, _, words)| (key, words));
    let everywhere = [
        ("?", "This help"),
        ("/", "Search"),
        ("Esc", "Close, or leave a field"),
    ];
    html! {
        div.help id=(ID) popover role="dialog" aria-labelledby="keys-head" {
            div.head {
                h2 #keys-head { "Keyboard shortcuts" }
                button.quietly type="button" popovertarget=(ID) popovertargetaction="hide" { "Close" }
            }
            label.tick hidden { input type="checkbox"; "Use these keys in this browser" }
            div.sets {
                (set("Everywhere", everywhere.into_iter().chain(pages)))
                (set("On the list of incidents", LIST.into_iter()))
                (set("On an incident", INCIDENT.into_iter()))
                (set("On figures", FIGURES.into_iter()))
            }
        }
    }
}

fn set(name: &str, keys: impl Iterator<Item = (&'static str, &'static str)>) -> Markup {
    html! {
        section {
            h3 { (name) }
            dl {
                @for (keys, words) in keys {
                    dt { @for key in keys.split(' ') { kbd { (key) } } }
                    dd { (words) }
                }
            }
        }
    }
}
