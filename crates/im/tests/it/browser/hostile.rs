//! What people wrote stays text in a real browser, wherever it is shown.

use serde_json::json;

use super::chromium::is_left_out;
use super::past::quiet;
use super::stage::{Stage, begin};
use super::tab::Browser;

/// Would mark the page, in an element, in an attribute and in a script.
const EVIL: &str =
    r#"'"><img src=x onerror="window.evil=1" data-evil><script data-evil>window.evil=1</script>"#;
/// A short one, for names.
const SHORT: &str = r#"<img src=x onerror="window.evil=1" data-evil>"#;
/// The same in an address.
const IN_ADDRESS: &str =
    "%27%22%3E%3Cimg%20src%3Dx%20onerror%3D%22window.evil%3D1%22%20data-evil%3E";

#[test]
fn what_was_written_runs_on_no_page() {
    if is_left_out() {
        return;
    }
    let stage = Stage::new(quiet);
    let post = |path: &str, body| stage.api("POST", path, &body);
    post(
        "/api/v1/incidents",
        json!({"title": EVIL, "severity": "SEV-1", "description": EVIL, "service": EVIL, "fields": {"region": EVIL}}),
    );
    post("/api/v1/incidents/1/notes", json!({"text": EVIL}));
    stage.api(
        "PATCH",
        "/api/v1/incidents/1/annotations",
        &json!({"cause": EVIL}),
    );
    post("/api/v1/tokens", json!({"name": SHORT, "role": "viewer"}));
    post(
        "/api/v1/people",
        json!({"id": "eve@example.com", "name": EVIL}),
    );
    post(
        "/api/v1/failure-rules",
        json!({"id": "evil", "shorter_than": "1m", "reason": EVIL}),
    );
    let service = stage.stand_in.account.services[0].0.clone();
    stage
        .stand_in
        .with(|sim| sim.trigger(&service, EVIL, begin()));
    let browser = Browser::start();
    let tab = browser.open(&stage.url);
    let (queries, unknown) = (
        format!("/?status=any&q={IN_ADDRESS}"),
        format!("/incidents/{IN_ADDRESS}"),
    );
    let metric = format!("/metric/mttr?service={IN_ADDRESS}");
    let connector = format!("/connectors/{IN_ADDRESS}");
    let shown = [
        "/",
        "/incidents/INC-1",
        "/overview",
        "/tokens",
        "/settings",
        "/metric/incident_frequency",
    ];
    let asked = [
        &*queries, &unknown, &metric, &connector, "/audit", "/status",
    ];
    let ours = shown
        .iter()
        .chain(&asked)
        .map(|path| format!("{}{path}", stage.url));
    for (index, url) in ours.chain([stage.stand_in.base_url.clone()]).enumerate() {
        tab.go(&url);
        if index < 2 {
            tab.sees("<script data-evil>");
        }
        let found = tab.ask("window.evil ?? document.querySelectorAll('[data-evil]').length");
        assert_eq!(found, 0, "{url}");
        let wrongs = tab.wrongs(|host| host.starts_with("127.0.0.1:"), &tab.address());
        assert!(wrongs.is_empty(), "{url}: {wrongs:#?}");
    }
}
