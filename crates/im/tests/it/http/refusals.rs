//! What is refused says what is wrong with a value, in the words of whoever gave it.

use serde_json::json;

use super::organisation::{im, with_incident};
use super::{Server, unbroken};

#[tokio::test]
async fn a_command_line_that_is_refused_hears_nothing_of_bodies_lines_and_columns() {
    let server = with_incident().await;
    let rows = [
        (
            "hours set organisation --from 2026-01-01 --zone Mars --week mon-fri=09:00-17:00",
            "zone: there is no time zone `Mars` hint: write the IANA name, e.g. Europe/Berlin",
        ),
        (
            "target set pages --at-most 3",
            "`pages` has no target hint: name SEV-1 to SEV-4, or one of mttr",
        ),
        (
            "annotate INC-1 --environment ''",
            "environment: an empty text says nothing hint: leave it out",
        ),
    ];
    for (line, want) in rows {
        let said = im(&server, line).await;
        assert_eq!(said.code, 2, "{line}: {}", said.all());
        let told = unbroken(&said.err);
        assert!(told.contains(want), "{line}: {told}");
        for odd in ["body", "column", "docs/api.md"] {
            assert!(!told.contains(odd), "{line}: {told}");
        }
    }
    // Who sends a body is told of it.
    let odd = server
        .post("/api/v1/targets", json!({"name": "mttr", "most": 3}))
        .await;
    let detail = odd.is(400)["detail"].as_str().unwrap();
    assert!(detail.starts_with("the body cannot be read: "), "{detail}");
}

#[tokio::test]
async fn files_beside_the_zones_of_the_world_are_no_zones() {
    let server = Server::start();
    for zone in ["Factory", "posixrules", "localtime", "right/Europe/Berlin"] {
        let set = json!({"time_zone": zone});
        let refused = server.patch("/api/v1/settings", set).await;
        assert_eq!(refused.is(422)["code"], "time_zone", "{zone}");
        let hours =
            json!({"of": "organisation", "effective_from": "2026-01-01", "zone": zone, "week": {}});
        server.post("/api/v1/hours", hours).await.is(400);
    }
    for zone in ["UTC", "EST", "Europe/Berlin"] {
        let set = json!({"time_zone": zone});
        server.patch("/api/v1/settings", set).await.is(200);
    }
}

#[tokio::test]
async fn a_figure_was_not_read_in_the_future_and_has_no_time_before_the_first_year() {
    let server = Server::start();
    let future = server
        .get("/api/v1/metrics/mttr/restated?since=2026-11-21T00:00:00Z")
        .await;
    let detail = future.is(400)["detail"].as_str().unwrap();
    assert!(detail.contains("is not over yet"), "{detail}");
    let first = server
        .get("/api/v1/metrics/pages?from=0000-01-01&bucket=all&compare=previous")
        .await;
    let hint = first.is(400)["hint"].as_str().unwrap();
    assert_eq!(hint, "give a later `from`, or leave `compare` out");
}
