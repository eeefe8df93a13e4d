//! The first walk: a server that nobody has used, connected by an API key.

use super::chromium::is_left_out;
use super::connected::{connects, lives};
use super::past::busy;
use super::stage::Stage;
use super::tab::Browser;

#[test]
fn a_new_server_is_connected_by_a_key_used_and_unlinked() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(busy);
    let browser = Browser::start();
    let im = browser.open(&stage.url);
    im.sees("No incidents yet");
    im.press("Connect PagerDuty");
    im.sees("Step 1 of 5");
    im.fill("API key", "u+nobodys-key-0123456");
    im.press("Another address of the API");
    im.fill("Only for a stand-in", &stage.stand_in.base_url);
    im.press("Add key");
    im.sees("does not take this API key");
    im.fill("API key", &stage.stand_in.account.api_key);
    im.press("Add key");
    connects(&stage, &im);
    let pagerduty = browser.open(&stage.stand_in.base_url);
    lives(&stage, &im, &pagerduty);
    let [ours, theirs] = stage.hosts();
    // What was refused is said of the form that was sent.
    let refused = format!("{}/integrations/connect", stage.url);
    im.is_clean(&[ours], &refused);
    pagerduty.is_clean(&[theirs], "");
}
