//! A list that nobody touches keeps up with what happens, and what somebody ticked on it stays.

use std::sync::mpsc;

use im_store::StoreError;
use im_store::accounts::Role;
use serde_json::{Value, json};

use super::chromium::is_left_out;
use super::every::{add_people, address, sign_in};
use super::past::quiet;
use super::stage::Stage;
use super::tab::{Browser, Tab};

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

/// A server with an incident, and a browser.
fn one_open() -> (Stage, Browser) {
    let stage = Stage::new(quiet);
    let new = json!({"title": "Disk full", "severity": "SEV-2"});
    stage.api("POST", "/api/v1/incidents", &new);
    (stage, Browser::start())
}

/// Where somebody writes, and what stands there.
fn written(tab: &Tab) -> String {
    let said = tab.ask("[document.activeElement.getAttribute('aria-label'), document.querySelector('.write textarea').value].join()");
    said.as_str().unwrap().to_owned()
}

#[test]
fn an_open_incident_keeps_up_around_the_note_that_somebody_writes() {
    if is_left_out() {
        return;
    }
    let (stage, browser) = one_open();
    let tab = browser.open(&format!("{}/incidents/INC-1", stage.url));
    tab.press_on(".write textarea");
    tab.call("Input.insertText", &json!({"text": "The disk is"}));
    stage.api("POST", "/api/v1/incidents/1/acknowledge", &json!({}));
    // The header, the tiles and the timeline say so, and what can be done is what can be done now.
    tab.until(
        "the state",
        "document.querySelector('.state')?.textContent.includes('Mitigated')",
    );
    tab.sees("Acknowledged by");
    let buttons = "[...document.querySelectorAll('main form button')].filter((e) => e.textContent === 'Acknowledge').length";
    assert_eq!(tab.ask(buttons), 0);
    assert_eq!(written(&tab), "Note,The disk is");
    tab.call("Input.insertText", &json!({"text": " full"}));
    assert_eq!(written(&tab), "Note,The disk is full");

    // What is written stays when somebody looks elsewhere, too, and other tabs of the sidebar count on.
    tab.press_on("h1");
    stage.api("POST", "/api/v1/incidents/1/resolve", &json!({}));
    tab.until(
        "the end",
        "document.querySelector('.state')?.textContent.includes('Resolved')",
    );
    tab.sees("none open");
    assert_eq!(written(&tab), ",The disk is full");
    let [ours, _] = stage.hosts();
    tab.is_clean(&[ours], "");
}

#[test]
fn an_open_menu_stays_as_it_is_and_is_renewed_when_it_is_closed() {
    if is_left_out() {
        return;
    }
    let (stage, browser) = one_open();
    let tab = browser.open(&format!("{}/incidents/INC-1", stage.url));
    let chosen = "document.querySelector('form[action$=severity] select').value";
    tab.press_on("details.menu:has(form[action$=severity]) summary");
    tab.until(
        "the menu",
        "document.querySelector('details.menu[open] form[action$=severity]')",
    );
    stage.api(
        "PATCH",
        "/api/v1/incidents/1",
        &json!({"severity": "SEV-1"}),
    );
    tab.until(
        "the state",
        "document.querySelector('.state')?.textContent.includes('SEV-1')",
    );
    assert_eq!(tab.ask(chosen), "SEV-2");
    tab.press_on("h1");
    tab.until("the menu is renewed", &format!("{chosen} === 'SEV-1'"));
    let closed = "document.querySelectorAll('details.menu[open]').length";
    assert_eq!(tab.ask(closed), 0);
    let [ours, _] = stage.hosts();
    tab.is_clean(&[ours], "");
}

#[test]
fn a_page_whose_session_is_over_says_so_and_leads_to_sign_in() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(quiet);
    add_people(&stage);
    let browser = Browser::start();
    let tab = browser.open(&format!("{}/sign-in", stage.url));
    sign_in(&stage, &tab, Role::Responder);
    let account = address(Role::Responder);
    let disable = format!("/api/v1/accounts/{account}/disable");
    stage.api("POST", &disable, &Value::Null);
    let new = json!({"title": "Disk full", "severity": "SEV-2"});
    stage.api("POST", "/api/v1/incidents", &new);
    tab.sees("Signed out, data from");
    tab.press("Sign in");
    tab.until("sign-in", "location.pathname === '/sign-in'");
}
