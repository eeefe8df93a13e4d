//! What both walks have in common, from the second form on.

use super::stage::Stage;
use super::tab::Tab;

/// The name that the page proposes.
const CONNECTOR: &str = "pagerduty";
const TITLE: &str = "Card payments answer 502";

/// Says how PagerDuty is used, makes the webhook, and waits for the past.
pub(super) fn connects(stage: &Stage, im: &Tab) {
    im.sees("Choose how it is used");
    im.choose("Service that incidents are declared to", "Payments API");
    im.fill(
        "E-mail address to act with",
        &stage.stand_in.account.users[0].2,
    );
    im.press("Connect");
    im.sees("Connected pagerduty.");
    im.press("The address is not encrypted");
    im.press("Make the webhook");
    im.sees("PagerDuty tells each change at once");
    let import = format!("/api/v1/connectors/{CONNECTOR}/backfill");
    stage.until("the past is read", |stage| {
        stage.api("GET", &import, &().into())["state"] == "finished"
    });
    im.sees("Everything since");
    let users = |stage: &Stage| stage.api("GET", "/api/v1/users", &().into());
    stage.until("people are read", |stage| {
        users(stage).as_array().is_some_and(|all| !all.is_empty())
    });
}

/// Everything that one does with a connection, until it is gone.
pub(super) fn lives(stage: &Stage, im: &Tab, pagerduty: &Tab) {
    links_a_person(im);
    looks_at_figures(im);
    im.press("Declare an incident");
    im.fill("What is wrong", TITLE);
    im.choose("Severity", "SEV-1");
    im.press("Declare incident");
    im.sees("in sync");
    // PagerDuty's side, and an act there.
    pagerduty.press(TITLE);
    pagerduty.sees("Assigned to Ines Halloran.");
    pagerduty.press("Acknowledge");
    pagerduty.sees("Give back");
    // The page here was not touched.
    im.sees("Acknowledged by Ines Halloran");
    im.press("Resolve");
    im.press_on("form[action$='/resolve'] button");
    im.sees("Over in");
    pagerduty.sees("Reopen");
    declares_on_another_service(stage, im);
    unlinks(stage, im);
}

/// Nothing is mapped: services go by PagerDuty's names.
fn declares_on_another_service(stage: &Stage, im: &Tab) {
    const OTHER: &str = "Search answers late";
    let account = &stage.stand_in.account;
    let id = |name: &str| {
        let mut services = account.services.iter();
        services.find(|row| row.1 == name).unwrap().0.clone()
    };
    let there = |name: &str| {
        stage.stand_in.with(|sim| {
            let mut all = sim.incidents();
            let found = all.find(|one| one.title == OTHER);
            found.is_some_and(|one| one.service == id(name))
        })
    };
    im.press("Declare an incident");
    im.sees("pages Carla Nowak");
    im.choose("Severity", "SEV-1");
    im.sees("SEV-1 pages with high urgency: acknowledge in");
    im.sees_no("SEV-2 pages with");
    im.press("Cancel");
    im.until("it is closed", "!document.querySelector('dialog[open]')");
    im.press("Declare an incident");
    im.fill("What is wrong", OTHER);
    im.press_on("input[name=service][value=Search]");
    im.press("Declare incident");
    im.until(
        "its page",
        "document.querySelector('#main h1')?.textContent === 'Search answers late'",
    );
    im.sees("Both sides agree");
    assert!(there("Search"), "it is on another service there");
    im.press("Edit");
    im.choose("Service", "Billing");
    im.press("Save changes");
    im.sees("moved to Billing");
    assert!(there("Billing"), "it was not moved there");
}

fn links_a_person(im: &Tab) {
    im.press("Link PagerDuty's users to people");
    im.sees("6 of 6 are nobody here yet");
    im.press_on(".users li form button[value=link]");
    im.sees("Pages of the past moved to them.");
    im.sees("5 of 6 are nobody here yet");
}

/// From the overview to a metric, to one service, and to an incident behind the figure.
fn looks_at_figures(im: &Tab) {
    im.press("Overview");
    im.sees("10 Oct to 20 Nov, six weeks");
    im.press("Time to acknowledge");
    im.sees("How is this computed?");
    im.press("Search");
    im.sees("Behind time to acknowledge");
    im.press_on("table.items tbody a");
    im.sees("Timeline");
    im.sees("Acknowledged by");
}

fn unlinks(stage: &Stage, im: &Tab) {
    im.press("Integrations");
    im.sees("Connected");
    im.press("Unlink");
    im.press("Keep them");
    im.fill("Type pagerduty to confirm", CONNECTOR);
    im.press("Unlink pagerduty");
    im.sees("Unlinked pagerduty.");
    im.sees("Not connected");
    let left = stage.stand_in.with(|sim| sim.subscriptions().len());
    assert_eq!(left, 0, "webhooks that PagerDuty still has");
}
