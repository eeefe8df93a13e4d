//! What helps on a page and asks the server nothing: counting what is ticked, copying, seeing a secret; and that
//! what belongs in a line stands in one.

use jiff::SignedDuration;
use serde_json::json;

use super::chromium::is_left_out;
use super::past::quiet;
use super::stage::Stage;
use super::tab::Browser;

/// Where the first row of the list is.
const FIRST: &str = "document.querySelector('#main tbody tr').getBoundingClientRect().top";

fn declare(stage: &Stage, title: &str) {
    let new = json!({"title": title, "severity": "SEV-2"});
    stage.api("POST", "/api/v1/incidents", &new);
}

#[test]
fn a_list_says_how_many_are_ticked_and_nothing_moves() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(quiet);
    declare(&stage, "Disk full");
    declare(&stage, "Search is slow");
    let browser = Browser::start();
    let tab = browser.open(&stage.url);
    let tick = |title: &str| tab.press_on(&format!("tr[data-key='{title}'] .pick"));
    tab.sees("Search is slow");
    for width in [1280, 360] {
        tab.looks(width, false);
        tab.sees_no("Those that are ticked");
        tab.sees_no("selected");
        let first = tab.ask(FIRST);
        tick("INC-1");
        tab.sees("1 selected");
        tick("INC-2");
        tab.sees("2 selected");
        assert_eq!(tab.ask(FIRST), first, "{width}");
        tab.press("Clear");
        tab.sees_no("selected");
        tick("INC-1");
        tab.sees("1 selected");
        let key = json!({"type": "keyDown", "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27});
        tab.call("Input.dispatchKeyEvent", &key);
        tab.sees_no("selected");
    }
    tick("INC-2");
    tab.press("Resolve");
    tab.sees("Recently resolved");
    let [ours, _] = stage.hosts();
    tab.is_clean(&[ours], "");
}

#[test]
fn a_text_is_copied_and_a_typed_key_can_be_seen() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(quiet);
    let browser = Browser::start();
    let tab = browser.open(&format!("{}/integrations/connect", stage.url));
    let allowed = json!({"permissions": ["clipboardReadWrite"]});
    tab.call("Browser.grantPermissions", &allowed);
    tab.press("Copy description");
    tab.sees("Copied");
    let copied = tab.ask("navigator.clipboard.readText()");
    let shown = tab.ask("document.querySelector('.copied pre').textContent");
    assert_eq!(copied, shown);

    tab.fill("API key", "u+nobodys-key-0123456");
    let kind = "document.querySelector('[name=api_key]').type";
    assert_eq!(tab.ask(kind), "password");
    tab.press("Show");
    assert_eq!(tab.ask(kind), "text");
    tab.press("Hide");
    assert_eq!(tab.ask(kind), "password");

    // So is what to send along, on a page that has nothing else.
    tab.go(&format!("{}/help", stage.url));
    tab.press("Copy diagnostic");
    tab.sees("Copied");
    let version = tab.ask("navigator.clipboard.readText()");
    assert!(version.as_str().unwrap().contains("  im "), "{version}");
    let [ours, _] = stage.hosts();
    tab.is_clean(&[ours], "");
}

#[test]
fn the_figures_of_a_metric_stand_in_one_line() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(quiet);
    declare(&stage, "Disk full");
    stage.app.clock.advance(SignedDuration::from_mins(40));
    stage.api("POST", "/api/v1/incidents/1/resolve", &json!({}));
    stage.app.clock.advance(SignedDuration::from_mins(1));
    let browser = Browser::start();
    let tab = browser.open(&format!("{}/metric/mttr", stage.url));
    tab.sees("Median");
    let tops =
        "[...document.querySelectorAll('.numbers dt')].map((e) => e.getBoundingClientRect().top)";
    let tops = tab.ask(tops);
    let tops = tops.as_array().unwrap();
    assert!(tops.len() > 2, "{tops:?}");
    assert!(tops.iter().all(|top| Some(top) == tops.first()), "{tops:?}");
}
