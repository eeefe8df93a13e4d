//! The second walk: the first owner's account, and PagerDuty by signing in.

use super::chromium::is_left_out;
use super::connected::{connects, lives};
use super::past::busy;
use super::stage::Stage;
use super::tab::{Browser, Tab};
use crate::http::access::oauth::{ALL, app};

const OWNER: &str = "ines.halloran@lighthouse-works.example";
const PASSWORD: &str = "correct horse battery";

#[test]
fn an_owner_signs_in_to_pagerduty_uses_it_and_unlinks_it() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(busy);
    let app = app(&stage.url, &ALL);
    stage.stand_in.with(|sim| sim.register_app(app));
    let browser = Browser::start();
    let im = browser.open(&stage.url);
    begins(&im);
    im.press("Integrations");
    // The page before has a button of that name, too.
    im.sees("two minutes to set up");
    im.press("Connect PagerDuty");
    im.press("By signing in (OAuth)");
    im.sees("the sign-in is used for");
    im.fill("Client id", "our-app");
    im.fill("Client secret", "our-secret");
    im.press("Another address of the sign-in");
    im.fill("Only for a stand-in", &stage.stand_in.base_url);
    im.press("Sign in to PagerDuty");
    im.sees("PagerDuty asks whether our-app may do this");
    // PagerDuty's own page agrees at once, and leads back.
    im.press("Continue to PagerDuty");
    im.sees("Signed in as Ines Halloran");
    connects(&stage, &im);
    let pagerduty = browser.open(&stage.stand_in.base_url);
    lives(&stage, &im, &pagerduty);
    im.press("Sign out");
    im.sees("Sign in");
    im.go(&format!("{}/incidents/INC-1", stage.url));
    im.sees_no("Timeline");
    im.is_clean(&stage.hosts(), "");
    pagerduty.is_clean(&stage.hosts()[1..], "");
}

/// Whoever sits at the server's machine makes the first account, and signs in.
fn begins(im: &Tab) {
    im.press("People");
    im.sees("The first account is an owner's");
    im.fill("E-mail address", OWNER);
    im.fill("Name", "Ines Halloran");
    im.press("Make a link");
    im.sees("It works once");
    let link = im.until("a link", "document.querySelector('pre').innerText");
    im.go(link.as_str().unwrap());
    im.fill("New password", PASSWORD);
    im.fill("The same again", PASSWORD);
    im.press("Choose this password");
    im.sees("Ines Halloran");
    im.press("Sign out");
    im.fill("E-mail address", OWNER);
    im.fill("Password", PASSWORD);
    im.press_on("button.primary");
    im.sees("No incidents yet");
}
