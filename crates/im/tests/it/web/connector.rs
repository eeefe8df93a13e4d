//! The page of a connector.

use axum::http::StatusCode;
use im_store::inbox::{self, Arrival};
use im_store::{connectors, outbox, settings, tallies};

use super::site::{self, CONNECTOR, Site, busy};
use super::{count, shown};

/// A connector whose webhook was made, and heard of an acknowledgement that came twice.
fn heard() -> Site {
    let site = busy();
    site.write(|tx| {
        settings::put(tx, "public_url", "https://im.example.com")?;
        connectors::set_webhook(tx, CONNECTOR, Some("PSUB001"), &["sealed".to_owned()])?;
        connectors::heard(tx, CONNECTOR, site::at("14:40:00"))?;
        let body = r#"{"event": {"id": "01EVENT", "event_type": "incident.acknowledged",
            "resource_type": "incident", "occurred_at": "2026-11-20T14:39:59Z",
            "data": {"id": "Q48213", "type": "incident"}}}"#;
        for _ in 0..2 {
            let arrival = Arrival {
                connector: CONNECTOR.parse().unwrap(),
                event_id: "01EVENT".to_owned(),
                delivery_id: None,
                verified: true,
                environment: None,
                body: body.to_owned(),
            };
            inbox::receive(tx, arrival, site::at("14:40:00"))?;
        }
        for (what, n) in [("calls", 40), ("errors", 1), ("webhooks", 89)] {
            tallies::add(tx, CONNECTOR, what, n, site::at("14:30:00"))?;
        }
        tallies::add(tx, CONNECTOR, "bad_signatures", 2, site::at("13:10:30"))?;
        // A minute in which it was counted and nothing was found.
        tallies::add(tx, CONNECTOR, "bad_signatures", 0, site::at("14:10:30"))
    });
    site
}

#[tokio::test]
async fn m049_i128_a_connector_has_a_page_with_its_webhook_and_its_figures() {
    let page = heard().get(&format!("/connectors/{CONNECTOR}")).await;
    assert_eq!(page.status, StatusCode::OK);
    insta::assert_snapshot!("connector", shown(&page));
}

#[tokio::test]
async fn m049_what_waits_and_what_needs_a_person_is_on_the_page() {
    let site = heard();
    site.hold(5);
    site.write(|tx| {
        for row in outbox::of_connector(tx, CONNECTOR, 1)? {
            outbox::park(tx, row.id, "PagerDuty answered 404: no service PPAY001")?;
        }
        Ok(())
    });
    let page = site.get(&format!("/connectors/{CONNECTOR}")).await.body;
    for words in [
        "PagerDuty: 2 changes need a decision",
        "Waiting<span class=\"number\">3</span>",
        "refused: PagerDuty answered 404: no service PPAY001",
        "Title was changed on both sides",
        "Keep PagerDuty's",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert_eq!(count(&page, "href=\"/incidents/INC-5\""), 1, "{page}");
}

#[tokio::test]
async fn mw22_what_the_plan_does_not_give_is_on_the_page() {
    let site = busy();
    let page = site.get(&format!("/connectors/{CONNECTOR}")).await.body;
    assert!(!page.contains("Not given by PagerDuty"), "{page}");
    site.write(|tx| {
        let read = r#"{"read_at": null, "unread": [], "notices": ["teams are not read: the plan has none"]}"#;
        settings::put(tx, &format!("directory_read:{CONNECTOR}"), read)
    });
    let page = site.get(&format!("/connectors/{CONNECTOR}")).await.body;
    assert!(
        page.contains("Teams are not read: the plan has none"),
        "{page}"
    );
}

#[tokio::test]
async fn a_connector_that_is_not_there_has_a_page_that_says_so() {
    let page = busy().get("/connectors/staging").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("staging is not here"), "{}", page.body);
    assert!(page.body.contains("All integrations"), "{}", page.body);
}
