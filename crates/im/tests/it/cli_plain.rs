//! A title of PagerDuty's with anything in it: no terminal is steered by it, and a line stays one.

use im_core::steers;
use serde_json::{Value, json};

use crate::cli::{Fake, Said, on};
use crate::cli_examples::{incident_with, outcome, problem};
use crate::cli_stories::Story;

/// Blinks, names the window, clears the screen, goes back to the start of the line, and turns what follows around.
const ODD: &str = "Disk\u{1b}[5m full\u{1b}]0;x\u{7}\non\u{9b}2J\tdb-12\r\u{202e}gone\u{7f}";
const ON_ONE_LINE: &str =
    "Disk\u{FFFD}[5m full\u{FFFD}]0;x\u{FFFD} on\u{FFFD}2J db-12\u{FFFD}\u{FFFD}gone\u{FFFD}";

/// What a terminal got, without the colours of ours.
#[track_caller]
fn read(said: &Said) -> String {
    let all = said.all();
    let (first, rest) = all.split_once("\u{1b}[").unwrap_or((&all, ""));
    let mut text = first.to_owned();
    for part in rest.split("\u{1b}[") {
        let (colour, after) = part.split_once('m').unwrap_or(("", part));
        assert!(
            colour != "5" && !colour.contains(|c: char| !c.is_ascii_digit() && c != ';'),
            "{part:?}"
        );
        text.push_str(after);
    }
    assert!(
        !text.contains(|c: char| !matches!(c, '\n' | '\t') && steers(c)),
        "{text:?}"
    );
    text
}

#[test]
fn a_title_steers_no_terminal_and_a_line_of_a_list_stays_one() {
    let odd = incident_with(&json!({"title": ODD, "service": ODD}));
    let line = json!([{"at": "2026-11-20T09:14:05Z", "kind": "x", "text": format!("Datadog triggered: {ODD}"),
        "actor": {}, "sources": ["pagerduty"], "note": ODD}]);
    let api = Fake::default()
        .on("GET /api/v1/incidents", 200, &json!([odd, odd]))
        .on("GET /api/v1/incidents/INC-42", 200, &odd)
        .on("GET /api/v1/incidents/INC-42/timeline", 200, &line)
        .on(
            "POST /api/v1/incidents/INC-42/acknowledge",
            200,
            &outcome(ODD, "done", ODD),
        )
        .on(
            "POST /api/v1/incidents/INC-42/resolve",
            409,
            &problem(409, ODD, ODD),
        );
    let said = |line: &str| read(&on(&api).coloured().width(200).im(line));
    let list = said("list");
    assert_eq!(list.lines().count(), 3, "{list}");
    assert_eq!(list.matches(ON_ONE_LINE).count(), 4, "{list}");
    let show = said("show INC-42");
    assert!(show.contains(ON_ONE_LINE), "{show}");
    for line in ["timeline INC-42", "ack INC-42", "resolve INC-42"] {
        let text = said(line);
        assert!(text.contains("Disk\u{FFFD}[5m full"), "{line}: {text}");
    }
    // A document has everything, as numbers.
    for line in ["list --json", "resolve INC-42 --json"] {
        let document: Value = serde_json::from_str(said(line).lines().next().unwrap()).unwrap();
        assert!(
            document.to_string().contains(&json!(ODD).to_string()),
            "{document}"
        );
    }
}

#[test]
fn facts_keep_what_pagerduty_said_and_no_way_to_read_them_steers() {
    let story = Story::connected(&json!({}));
    let service = &story.stand_in.account.services[2].0;
    let new = json!({"incident": {"type": "incident", "title": ODD,
        "service": {"type": "service_reference", "id": service}}});
    story.changed_there("POST", "/incidents", &new);
    story.rest();
    story.done("connector sync prod");
    story.rest();
    let said = |line: &str| {
        let said = story.run().coloured().width(200).im(line);
        assert_eq!(said.code, 0, "{line}: {}", said.all());
        read(&said)
    };
    let list = said("list");
    assert!(
        list.contains(ON_ONE_LINE) && list.lines().count() == 2,
        "{list}"
    );
    let timeline = said("timeline 1");
    assert!(timeline.contains("Disk\u{FFFD}[5m full"), "{timeline}");
    let csv = said("data facts");
    assert!(csv.contains("Disk\u{FFFD}[5m full"), "{csv}");
    let facts: Value = serde_json::from_str(&said("data facts --json")).unwrap();
    let told = facts
        .as_array()
        .unwrap()
        .iter()
        .any(|fact| fact["value"] == ODD);
    assert!(told, "{facts}");
}
