//! What the page of an incident knows beyond its facts: who is paged next, and what was seen before. No browser is
//! needed for it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::every::{CONNECTOR, connect};
use super::past::quiet;
use super::stage::Stage;

/// A server, and its pages.
struct Pages {
    stage: Stage,
    pages: Router,
}

impl Pages {
    fn new() -> Self {
        let stage = Stage::new(quiet);
        let pages = im::http::router(Arc::clone(&stage.app));
        Self { stage, pages }
    }

    /// The page of an incident, as whoever goes there gets it, or an open page that renews itself.
    fn show(&self, number: u32, by_itself: bool) -> String {
        let kind = if by_itself { "empty" } else { "document" };
        let request = Request::get(format!("/incidents/INC-{number}"))
            .header("host", "localhost")
            .header("sec-fetch-dest", kind)
            .body(Body::empty())
            .unwrap();
        let pages = self.pages.clone();
        let bytes = self.stage.wait(async move {
            let answer = pages.oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            to_bytes(answer.into_body(), usize::MAX).await.unwrap()
        });
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn get(&self, path: &str) -> Value {
        self.stage.api("GET", path, &Value::Null)
    }

    /// What PagerDuty's people do there.
    fn there<T>(&self, act: impl FnOnce(&mut pd_sim::Sim, jiff::Timestamp) -> T) -> T {
        let now = self.stage.app.clock.now();
        self.stage.stand_in.with(|sim| act(sim, now))
    }

    /// An incident of PagerDuty's that is known here, by its id there.
    fn triggered(&self, title: &str, number: u32) -> String {
        let service = &self.stage.stand_in.account.services[2].0;
        let twin = self.there(|sim, now| sim.trigger(service, title, now).unwrap());
        let path = format!("/api/v1/incidents/{number}/timeline");
        self.stage.until("it is told", |stage| {
            let known = stage.api("GET", "/api/v1/incidents", &Value::Null);
            known.as_array().unwrap().len() == usize::try_from(number).unwrap()
        });
        self.stage.until("its log is read", |_| {
            self.get(&path).to_string().contains("paged by")
        });
        twin
    }

    /// Both sides are compared until the timeline has some words.
    fn compared_until(&self, number: u32, words: &str) {
        let sync = format!("/api/v1/connectors/{CONNECTOR}/sync");
        self.stage.api("POST", &sync, &json!({}));
        let path = format!("/api/v1/incidents/{number}/timeline");
        self.stage
            .until(words, |_| self.get(&path).to_string().contains(words));
    }
}

/// The people of a level, and the minutes until the next one.
fn level(told: &Value, nth: usize) -> (String, i64) {
    let level = &told["policies"][0]["levels"][nth - 1];
    let turns = level["current"].as_array().unwrap().iter();
    let names: Vec<&str> = turns
        .map(|turn| turn["user"]["name"].as_str().unwrap())
        .collect();
    (names.join(", "), level["delay_minutes"].as_i64().unwrap())
}

#[test]
fn the_page_of_an_incident_that_nobody_has_taken_says_who_is_paged_next() {
    let all = Pages::new();
    connect(&all.stage);
    let twin = all.triggered("Disk full", 1);
    let told = all.get("/api/v1/oncall?service=db");
    let ((_, delay), (second, _), (third, _)) = (level(&told, 1), level(&told, 2), level(&told, 3));
    let next = |name: &str, nth: usize| format!("<strong>{name}</strong>, level {nth}");
    let before = all.show(1, true);
    assert!(!before.contains("Paged next"), "nobody asked: {before}");
    let shown = all.show(1, false);
    assert!(shown.contains(&next(&second, 2)), "{shown}");
    assert!(
        shown.contains("unless somebody acknowledges before"),
        "{shown}"
    );
    let again = all.show(1, true);
    assert!(again.contains(&next(&second, 2)), "{again}");
    assert!(!again.contains("Asking PagerDuty"), "it was said: {again}");
    // It goes on to that level.
    all.stage.pass(SignedDuration::from_mins(delay));
    all.compared_until(1, &format!("to {second}"));
    let later = all.show(1, false);
    assert!(later.contains(&next(&third, 3)), "{later}");
    // Who has it need not wonder.
    let user = &all.stage.stand_in.account.users[4].0;
    all.there(|sim, now| sim.acknowledge(user, &twin, now).unwrap());
    all.compared_until(1, "Acknowledged");
    assert!(!all.show(1, false).contains("Paged next"));
}

#[test]
fn nobody_is_paged_next_of_what_was_given_to_a_person() {
    let all = Pages::new();
    connect(&all.stage);
    let twin = all.triggered("Disk full", 1);
    assert!(all.show(1, false).contains("Paged next"));
    let users = &all.stage.stand_in.account.users;
    let (giver, taker) = (&users[3].0, &users[0].0);
    all.stage.pass(SignedDuration::from_secs(30));
    all.there(|sim, now| sim.reassign(giver, &twin, taker, now).unwrap());
    all.compared_until(1, &format!("Assigned to {}", users[0].1));
    let shown = all.show(1, false);
    assert!(!shown.contains("Paged next"), "{shown}");
}

#[test]
fn mw_19_the_page_of_an_incident_lists_the_same_matter_of_the_last_30_days() {
    let all = Pages::new();
    let declare = |title: &str| {
        let new = json!({"title": title, "severity": "SEV-2", "service": "db"});
        all.stage.api("POST", "/api/v1/incidents", &new);
    };
    declare("Disk full on db-0.example.com");
    all.stage.pass(SignedDuration::from_hours(40 * 24));
    for (number, title) in [
        (2, "Disk full on db-1.example.com"),
        (3, "disk full on db-22"),
    ] {
        declare(title);
        all.stage.pass(SignedDuration::from_mins(30));
        let resolve = format!("/api/v1/incidents/{number}/resolve");
        all.stage.api("POST", &resolve, &json!({}));
        all.stage.pass(SignedDuration::from_hours(24));
    }
    declare("Disk full on db-3");
    declare("Another matter");
    // The figures of a server are read when it starts.
    all.stage.until("the figures are read", |_| {
        all.show(4, true).contains("Seen before")
    });
    let shown = all.show(4, false);
    let (_, panel) = shown.split_once("Seen before").unwrap();
    let (panel, _) = panel.split_once("</section>").unwrap();
    let link = |number: u32| panel.find(&format!("href=\"/incidents/INC-{number}\""));
    assert!(
        link(3).is_some() && link(3) < link(2),
        "the newest first: {panel}"
    );
    assert!(panel.contains("disk full on db-22"), "{panel}");
    assert!(panel.contains("resolved in 30 min"), "{panel}");
    assert!(link(1).is_none() && !panel.contains("Another"), "{panel}");
    for number in [2, 5] {
        assert!(
            !all.show(number, false).contains("Seen before"),
            "INC-{number}"
        );
    }
}
