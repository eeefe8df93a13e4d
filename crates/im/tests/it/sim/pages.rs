//! The pages of the stand-in.

use axum::body::Body;
use axum::http::Request;

use super::{Here, Said};

async fn browse(here: &Here, path: &str) -> Said {
    let request = Request::get(path)
        .header("Accept", "text/html")
        .header("Host", "localhost:8081");
    here.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_page_shows_incidents_deliveries_and_faults() {
    let here = Here::new();
    let empty = browse(&here, "/").await;
    assert!(empty.text.contains("No incidents yet") && empty.text.contains("Nothing goes wrong"));
    here.post("/_sim/trigger", "title=Search+%3Cis%3E+slow")
        .await;
    here.post("/_sim/faults", "lose_answer=10&outage=unavailable")
        .await;
    let page = browse(&here, "/").await;
    assert_eq!(page.status, 200);
    for words in [
        "Search &lt;is&gt; slow",
        "1 open",
        "10 %: the answer is lost",
        "Every request answers 503",
        "Nobody has subscribed",
    ] {
        assert!(page.text.contains(words), "{words}");
    }
}

#[tokio::test]
async fn an_empty_account_says_what_it_lacks() {
    let page = browse(&Here::empty(), "/").await;
    for words in ["No services", "Nobody to act as", "No incidents yet"] {
        assert!(page.text.contains(words), "{words}");
    }
    for nothing in ["id=\"service\"", "id=\"as\"", "routing_key", "Events key"] {
        assert!(!page.text.contains(nothing), "{nothing}");
    }
}

#[tokio::test]
async fn the_page_of_an_incident_shows_its_trail_and_all_acts() {
    let here = Here::new();
    here.post("/_sim/trigger", "").await;
    here.post("/_sim/incidents/101/note", "text=One+shard")
        .await;
    let sent = browse(&here, "/_sim/incidents/101").await;
    assert_eq!(sent.location.as_deref(), Some("/_sim/view/incidents/101"));
    let page = browse(&here, "/_sim/view/incidents/101").await;
    for words in [
        "One shard",
        "Note added by Ines Halloran.",
        "annotate_log_entry",
        "/reassign\"",
        "/reply\"",
        "Acknowledge",
    ] {
        assert!(page.text.contains(words), "{words}");
    }
    assert_eq!(browse(&here, "/_sim/view/incidents/7").await.status, 404);
}

#[tokio::test]
async fn a_form_without_script_comes_back_to_its_page() {
    let here = Here::new();
    let form = |path: &str, form: &str| {
        Request::post(path.to_owned())
            .header("Accept", "text/html,*/*")
            .body(Body::from(form.to_owned()))
            .unwrap()
    };
    let said = here
        .send(form("/_sim/trigger", "title=Slow&back=/?as=P1"))
        .await;
    assert_eq!(
        (said.status, said.location.as_deref()),
        (303, Some("/?as=P1"))
    );
    let said = here
        .send(form(
            "/_sim/incidents/101/reopen",
            "back=//elsewhere.example",
        ))
        .await;
    assert_eq!(said.status, 409);
    assert!(
        said.text.contains("It is open.") && said.text.contains("href=\"/\""),
        "{}",
        said.text
    );
}

#[tokio::test]
async fn only_this_machine_may_look() {
    let here = Here::new();
    for (name, value) in [("Host", "evil.example"), ("X-Forwarded-For", "203.0.113.7")] {
        let mut request = Request::get("/").header(name, value);
        if name != "Host" {
            request = request.header("Host", "localhost");
        }
        assert_eq!(
            here.send(request.body(Body::empty()).unwrap()).await.status,
            403,
            "{name}"
        );
    }
    for path in ["/_sim/assets/sim.css", "/_sim/assets/sim.js"] {
        assert_eq!(browse(&here, path).await.status, 200, "{path}");
    }
}
