//! Every page by axe-core, in both colour schemes, and on a telephone.

use serde_json::Value;

use super::chromium::is_left_out;
use super::every::{FOREIGN, Look, Pages, arranged, empty, full, wrong};
use super::tab::{NARROW, Tab, WIDE};

/// The rules, as their publisher ships them.
const AXE: &str = include_str!("../../axe-core/axe.min.js");
/// All rules; what is only a matter of colours.
const ALL: &str = "{ resultTypes: ['violations'], preload: false }";
const COLOURS: &str =
    "{ resultTypes: ['violations'], preload: false, runOnly: ['color-contrast'] }";

/// What is wrong with the pages that it has seen.
#[derive(Default)]
struct Judge {
    seen: usize,
    wrongs: Vec<String>,
}

impl Judge {
    fn axe(&mut self, tab: &Tab, name: &str, rules: &str) {
        let violations = tab.ask(&format!(
            "axe.run(document, {rules}).then(({{ violations }}) => violations.filter(({{ impact }}) => impact === 'serious' || impact === 'critical'))"
        ));
        for violation in violations.as_array().unwrap() {
            for node in violation["nodes"].as_array().unwrap() {
                let why = node["any"][0]["message"]
                    .as_str()
                    .or(node["failureSummary"].as_str());
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                self.wrongs.push(format!(
                    "{name}: {} ({}): {} {}",
                    text(&violation["id"]),
                    text(&violation["impact"]),
                    node["target"],
                    why.unwrap_or_default()
                ));
            }
        }
    }
}

impl Look for Judge {
    fn at(&mut self, tab: &Tab, name: &str) {
        self.seen += 1;
        tab.ask(&format!("{AXE}; 0"));
        tab.looks(WIDE, false);
        self.axe(tab, name, ALL);
        tab.looks(WIDE, true);
        self.axe(tab, &format!("{name}, dark"), COLOURS);
        tab.looks(NARROW, false);
        let over = tab.ask("document.documentElement.scrollWidth - innerWidth");
        if over != 0 {
            self.wrongs
                .push(format!("{name}: at {NARROW} pixels it is {over} too wide"));
        }
        tab.looks(WIDE, false);
        let is_here = |host: &str| {
            let name = host.split(':').next();
            name.is_some_and(|name| ["127.0.0.1", FOREIGN].contains(&name))
        };
        let wrongs = tab.wrongs(is_here, &tab.address());
        self.wrongs
            .extend(wrongs.iter().map(|wrong| format!("{name}: {wrong}")));
    }
}

#[track_caller]
fn judge(pages: Pages, at_least: usize) {
    if is_left_out() {
        return;
    }
    let mut judge = Judge::default();
    pages(&mut judge);
    assert!(judge.wrongs.is_empty(), "{:#?}", judge.wrongs);
    assert!(judge.seen >= at_least, "only {} pages", judge.seen);
}

#[test]
fn pages_on_which_nothing_has_happened_are_accessible() {
    judge(empty, 20);
}

#[test]
fn pages_in_daily_use_are_accessible() {
    judge(full, 20);
}

#[test]
fn pages_of_a_connection_and_of_what_is_arranged_are_accessible() {
    judge(arranged, 24);
}

#[test]
fn pages_on_which_something_is_wrong_are_accessible() {
    judge(wrong, 19);
}
