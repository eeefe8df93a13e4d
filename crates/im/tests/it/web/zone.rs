//! All pages tell times in the organisation's zone.

use im::clock::Clock;
use serde_json::json;

use super::count;
use super::figures::page;
use crate::http::Server;

#[tokio::test]
async fn a_time_is_the_same_on_every_page_and_each_page_names_the_zone_once() {
    let clock = Clock::manual("2026-11-30T20:38:00Z".parse().unwrap());
    let server = Server::with_clock(clock, true);
    let zone = json!({"time_zone": "Asia/Tokyo"});
    server.patch("/api/v1/settings", zone).await.is(200);
    let new = json!({"title": "Checkout is down", "severity": "sev2", "service": "checkout"});
    server.post("/api/v1/incidents", new).await.is(201);
    let ack = "/api/v1/incidents/1/acknowledge";
    server.post_as("priya@example.com", ack).await.is(200);
    server.pass(600);
    let resolve = "/api/v1/incidents/1/resolve";
    server.post_as("priya@example.com", resolve).await.is(200);
    server.pass(86_400);
    // As the list and the page of the incident say it, and as what is behind a figure does.
    let begun = "datetime=\"2026-11-30T20:38:00Z\"";
    for (path, said) in [
        ("/", ">1 Dec 05:38</time>"),
        ("/?from=2026-12-01&status=any", ">1 Dec 05:38</time>"),
        ("/incidents/INC-1", ">1 Dec 05:38</time>"),
        ("/incidents/INC-1", "Tuesday 1 December 2026</h3>"),
        ("/incidents/INC-1/facts", ">2026-12-01 05:38:00</time>"),
        ("/metric/mttr/items", ">Tue 1 Dec 2026 05:38</time>"),
    ] {
        let page = page(&server, path).await;
        assert!(page.contains(said), "{path}: no {said} in {page}");
        assert!(page.contains(begun), "{path}: {page}");
        let (_, asof) = page.split_once("id=\"asof\"").unwrap();
        let (asof, rest) = asof.split_once("</span></time>").unwrap();
        assert!(asof.contains("data-at=\"05:48\""), "{path}: {asof}");
        assert!(rest.starts_with(" Asia/Tokyo</span>"), "{path}: {rest}");
        // The form of an impact says which zone it takes.
        let forms = if path == "/incidents/INC-1" { 2 } else { 0 };
        assert_eq!(count(&page, "Asia/Tokyo"), 1 + forms, "{path}: {page}");
    }
    for path in [
        "/metric/mttr",
        "/overview",
        "/findings",
        "/on-call",
        "/status",
    ] {
        let page = page(&server, path).await;
        // What is printed lacks what can be chosen.
        let printed = count(&page, "days of Asia/Tokyo");
        assert_eq!(count(&page, "Asia/Tokyo"), 1 + printed, "{path}: {page}");
    }
    let before = page(&server, "/?to=2026-11-30&status=any").await;
    assert!(before.contains("No incident fits."), "{before}");
}
