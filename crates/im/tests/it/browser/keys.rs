//! Keys: each does what the help says, on whichever page it is for, and none does anything while somebody types.

use jiff::SignedDuration;
use serde_json::json;

use super::chromium::is_left_out;
use super::past::quiet;
use super::stage::Stage;
use super::tab::{Browser, Tab};

/// A server with an incident that took ten minutes, and one that is open.
pub(super) fn one_over_and_one_open() -> Stage {
    let stage = Stage::new(quiet);
    for title in ["Disk full", "Search is slow"] {
        let new = json!({"title": title, "severity": "SEV-2"});
        stage.api("POST", "/api/v1/incidents", &new);
    }
    stage.pass(SignedDuration::from_mins(10));
    stage.api("POST", "/api/v1/incidents/1/resolve", &json!({}));
    stage
}

fn key(tab: &Tab, key: &str) {
    for kind in ["keyDown", "keyUp"] {
        let mut event = json!({"type": kind, "key": key});
        if kind == "keyDown" && key.len() == 1 {
            event["text"] = key.into();
        }
        tab.call("Input.dispatchKeyEvent", &event);
    }
}

/// Waits until an expression holds on a page whose script listens.
#[track_caller]
fn so(tab: &Tab, expression: &str) {
    let is_there = format!("document.readyState === 'complete' && ({expression})");
    tab.until(expression, &is_there);
}

#[test]
fn each_key_of_the_help_does_what_it_says_and_none_while_somebody_types() {
    if is_left_out() {
        return;
    }
    let stage = one_over_and_one_open();
    let browser = Browser::start();
    let tab = browser.open(&format!("{}/metric/mttr", stage.url));

    so(
        &tab,
        "document.querySelector('#table') && !document.querySelector('#table').open",
    );
    key(&tab, "t");
    so(&tab, "document.querySelector('#table').open");
    key(&tab, "[");
    so(
        &tab,
        "new URLSearchParams(location.search).get('to') === '2026-10-09'",
    );
    key(&tab, "]");
    so(
        &tab,
        "new URLSearchParams(location.search).get('to') === '2026-11-20'",
    );

    // Into the form of filters, and out of it again.
    key(&tab, "f");
    so(&tab, "document.activeElement.matches('form.choose select')");
    key(&tab, "Escape");
    so(&tab, "!document.activeElement.matches('select')");
    key(&tab, "Escape");
    so(&tab, "!document.querySelector('form.choose')");

    // From any page to the search of the list, where keys are letters.
    key(&tab, "/");
    so(
        &tab,
        "location.pathname === '/' && document.activeElement.id === 'search'",
    );
    for typed in ["[", "t", "i", "/", "?"] {
        key(&tab, typed);
    }
    so(&tab, "document.activeElement.value === '[ti/?'");
    assert_eq!(
        tab.ask("document.querySelector('#keys').matches(':popover-open')"),
        false
    );
    // And to it again, once it was left.
    key(&tab, "Escape");
    so(&tab, "document.activeElement.id !== 'search'");
    key(&tab, "/");
    so(&tab, "document.activeElement.id === 'search'");
    key(&tab, "Escape");

    // Of the list, the incident that somebody is at is given to somebody on its page.
    key(&tab, "j");
    so(&tab, "document.activeElement.matches('.title')");
    key(&tab, "i");
    so(
        &tab,
        "location.pathname === '/incidents/INC-2' && document.querySelector('[data-hotkey=i]').parentElement.open",
    );
    tab.go(&format!("{}/incidents/INC-2", stage.url));
    key(&tab, "i");
    so(
        &tab,
        "document.querySelector('[data-hotkey=i]').parentElement.open",
    );
    key(&tab, "Escape");
    so(
        &tab,
        "!document.querySelector('[data-hotkey=i]').parentElement.open",
    );
    key(&tab, "?");
    tab.sees("The figures as a table");
    let [ours, _] = stage.hosts();
    tab.is_clean(&[ours], "");
}
