//! The page of findings: each leads to the incidents that it counts.

use serde_json::json;

use super::figures::{has, page, twelve_weeks};
use super::{count, values};
use crate::http::findings::two_ranges;

/// The links of a page that begin so, as they are asked for.
fn links(shown: &str, start: &str) -> Vec<String> {
    let links = values(shown, "href").into_iter();
    let links = links.filter(|link| link.starts_with(start));
    links.map(|link| link.replace("&amp;", "&")).collect()
}

#[tokio::test]
async fn mw19_what_recurs_is_one_row_with_its_count_its_first_and_last_day_and_its_incidents() {
    let server = two_ranges().await;
    let shown = page(&server, "/findings").await;
    has(
        &shown,
        "2 of 4 incidents in these six weeks were of matters that came again.",
    );
    has(&shown, "Disk full on db-22.example.com db 2 1 Jan 1 Jan");
    let links = links(&shown, "/metric/incident_frequency/items?recurs_with=");
    assert_eq!(
        links[0],
        "/metric/incident_frequency/items?recurs_with=INC-4"
    );
    let behind = page(&server, &links[0]).await;
    has(&behind, "Only what recurs with INC-4");
    assert_eq!(count(&behind, "<a href=\"/incidents/INC-"), 2);
    has(&behind, "Disk full on db-22.example.com");
    let alone = "/metric/incident_frequency/items?recurs_with=INC-6";
    has(&page(&server, alone).await, "Nothing is behind this");
    let wrong = server.get("/metric/incident_frequency/items?recurs_with=odd");
    assert_eq!(wrong.await.status, 400);
}

#[tokio::test]
async fn mw18_causes_are_counted_and_each_opens_its_incidents() {
    let server = two_ranges().await;
    let found = server.get("/api/v1/findings").await;
    let causes = found.is(200)["causes"].as_array().unwrap().clone();
    let shown = page(&server, "/findings").await;
    let links = links(&shown, "/metric/incident_frequency/items?cause=");
    assert_eq!(links.len(), causes.len());
    for (cause, link) in causes.iter().zip(&links) {
        let behind = page(&server, link).await;
        let many = cause["incidents"].as_u64().unwrap();
        let listed = count(&behind, "<a href=\"/incidents/INC-");
        assert_eq!(u64::try_from(listed).unwrap(), many, "{link}");
        for number in cause["behind"].as_array().unwrap() {
            let number = number.as_str().unwrap();
            assert!(behind.contains(&format!("/incidents/{number}\"")), "{link}");
        }
    }
    has(&shown, "Full disk 2 50 %");
    has(&shown, "Not named 1 25 %");
}

#[tokio::test]
async fn mw16_mw20_where_time_goes_and_what_became_worse_leads_to_services_and_figures() {
    let server = twelve_weeks().await;
    let told = server.get("/api/v1/findings").await;
    let worst = &told.is(200)["worst_changes"][0];
    assert_eq!(
        (&worst["metric"], &worst["key"]),
        (&json!("mttr"), &json!("payments"))
    );
    let shown = page(&server, "/findings?from=2026-10-09").await;
    has(&shown, "Time to recovery Service payments 1 h 2 h 2");
    assert!(shown.contains("href=\"/metric/mttr?from=2026-10-09&amp;service=payments\""));
    has(
        &shown,
        "payments 10 4 min 1 h 56 min until resolved 40 min 3.3 % 0 0",
    );
    let of_it = "/metric/incident_frequency/items?from=2026-10-09&amp;service=payments";
    assert!(shown.contains(&format!("href=\"{of_it}\"")));
    let behind = page(&server, &of_it.replace("&amp;", "&")).await;
    assert_eq!(count(&behind, "<a href=\"/incidents/INC-"), 10);
}

#[tokio::test]
async fn findings_keep_the_filters_and_the_dates_of_their_address() {
    let server = twelve_weeks().await;
    let shown = page(&server, "/findings?service=ledger&from=2026-11-01").await;
    has(&shown, "Service ledger");
    assert!(!shown.contains("payments is slow"), "{shown}");
    assert!(
        shown
            .contains("href=\"/findings?from=2026-11-01\" aria-label=\"Take away service ledger\"")
    );
    let form = page(&server, "/findings?choose=filter").await;
    assert!(form.contains("<option value=\"payments\">payments</option>"));
    let quiet = page(&server, "/findings?from=2025-01-01&to=2025-01-31").await;
    has(&quiet, "Nothing to look at in these 31 days.");
    has(&quiet, "No incidents in this range");
    let unknown = page(&server, "/findings?service=paymints").await;
    has(&unknown, "did you mean payments ?");
    for (path, why) in [
        (
            "/findings?measure=hours",
            "The page of findings has no parameter measure .",
        ),
        (
            "/findings?from=yesterday",
            "cannot be yesterday for findings.",
        ),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        has(answer.body.as_str().unwrap(), why);
    }
}
