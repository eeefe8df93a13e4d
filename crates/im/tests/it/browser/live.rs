//! A list that nobody touches keeps up with what happens, and what somebody ticked on it stays.

use std::sync::mpsc;

use im_store::StoreError;
use serde_json::{Value, json};

use super::chromium::is_left_out;
use super::past::quiet;
use super::stage::Stage;
use super::tab::Browser;

/// Every row is there as a whole.
const WHOLE: &str =
    "[...document.querySelectorAll('#main tbody tr')].every((row) => row.querySelector('.title'))";

#[test]
fn an_open_list_shows_what_is_new_and_keeps_what_is_ticked() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(quiet);
    let declare = |title: &str| {
        let new = json!({"title": title, "severity": "SEV-2"});
        stage.api("POST", "/api/v1/incidents", &new);
    };
    declare("Disk full");
    declare("Search is slow");
    let browser = Browser::start();
    let tab = browser.open(&stage.url);
    let tick = |title: &str| tab.press_on(&format!("tr[data-key='{title}'] .pick"));
    tick("INC-1");
    tick("INC-2");
    declare("Checkout is down");
    tab.sees("1 new incident since you opened this list");
    // What is unticked while the new list waits stays so, too.
    tick("INC-2");
    tab.press("Show");
    tab.sees("Checkout is down");
    let ticked = "[...document.querySelectorAll('#main :checked')].map((e) => e.value).join()";
    assert_eq!(tab.ask(ticked), "INC-1");
    assert_eq!(tab.ask(WHOLE), true);

    stage.api("POST", "/api/v1/incidents/1/acknowledge", &json!({}));
    tab.sees("Acknowledged in");
    assert_eq!(tab.ask(ticked), "INC-1");
    assert_eq!(tab.ask(WHOLE), true);
    let [ours, _] = stage.hosts();
    tab.is_clean(&[ours], "");
}

/// Notes what the button of a form says while it is off; a page that is being left answers no question.
const NOTE: &str = "new MutationObserver(() => {
    const button = document.querySelector('#main form button.primary');
    if (button.disabled) sessionStorage.said = button.textContent;
}).observe(document.querySelector('#main form'), { subtree: true, childList: true, attributes: true })";

#[test]
fn a_form_that_is_on_its_way_says_so_and_is_sent_once() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(quiet);
    let browser = Browser::start();
    let tab = browser.open(&format!("{}/declare", stage.url));
    tab.fill("What is wrong, in a line", "Disk full");
    tab.ask(NOTE);
    // Whatever is to be written waits until the form has come.
    let (goes_on, waits) = mpsc::sync_channel::<()>(1);
    let db = &stage.app.db;
    let held = db.write(move |_| {
        waits.recv().unwrap();
        Ok::<_, StoreError>(())
    });
    tab.press("Declare incident");
    stage.until("the form has come", |_| db.writes_waiting() > 0);
    goes_on.send(()).unwrap();
    held.wait().unwrap();
    tab.sees("Declared INC-1");
    assert_eq!(tab.ask("sessionStorage.said"), "Sending…");
    let all = stage.api("GET", "/api/v1/incidents", &Value::Null);
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    let [ours, _] = stage.hosts();
    tab.is_clean(&[ours], "");
}
