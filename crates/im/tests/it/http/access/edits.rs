//! What is said about an incident, changed from its page: title, service, fields, what people say of it,
//! and the ends that are not a resolve.

use im_store::accounts::Role;
use serde_json::{Value, json};

use super::acts::{declare, followed, line, offered, problem};
use super::{Browser, Page};
use crate::http::{Server, config};

impl Browser<'_> {
    async fn sent(&mut self, act: &str, fields: &[(&str, &str)]) -> Page {
        let path = format!("/incidents/INC-1/{act}");
        self.post("/incidents/INC-1", &path, fields).await
    }
}

async fn look(server: &Server, path: &str) -> Value {
    server.in_process("GET", path, &json!({})).await
}

#[tokio::test]
async fn s67_an_incident_of_several_services_gets_another_one_on_its_page() {
    let server = Server::with_people().await;
    let new = json!({"title": "Checkout is down", "severity": "SEV-2", "services": ["web", "db"]});
    server.in_process("POST", "/api/v1/incidents", &new).await;
    let mut config = config();
    config["custom"]["service_mappings"] = json!({"web": "PWEB001", "cache": "PCACHE1"});
    let new = json!({"name": "prod", "type": "pagerduty", "config": config});
    server.in_process("POST", "/api/v1/connectors", &new).await;
    let mut browser = server.signed_in(Role::Responder).await;
    let page = browser.get("/incidents/INC-1").await.is(200).body;
    for box_of in [
        "<input type=\"checkbox\" checked disabled>web<",
        "<input type=\"checkbox\" checked disabled>db<",
        "<input type=\"checkbox\" name=\"add_service\" value=\"cache\">cache<",
    ] {
        assert!(page.contains(box_of), "{box_of}: {page}");
    }
    assert!(!page.contains("value=\"web\""), "it has that one: {page}");
    let title = [
        ("was_title", "Checkout is down"),
        ("title", "Checkout is down"),
        ("was_service", "web, db"),
        ("service", "web, db"),
    ];
    let unknown = [&title[..], &[("add_service", "chache")]].concat();
    let refused = browser.sent("edit", &unknown).await.is(422).body;
    assert!(
        problem(&refused).contains("chache is no service that a connector knows"),
        "{}",
        problem(&refused)
    );
    let ticked = [&title[..], &[("add_service", "cache")]].concat();
    let page = browser.sent("edit", &ticked).await;
    let body = followed(&mut browser, page).await;
    assert!(line(&body).starts_with("Changed INC-1."), "{}", line(&body));
    let now = look(&server, "/api/v1/incidents/1").await;
    assert_eq!(now["service"], "web, db, cache");
    assert_eq!(now["parts"].as_array().unwrap().len(), 3, "{now}");
    // The same by program, and refused where there is one service.
    let more = json!({"add_services": ["search"]});
    let path = "/api/v1/incidents/1";
    server.in_process("PATCH", path, &more).await;
    assert_eq!(
        look(&server, path).await["service"],
        "web, db, cache, search"
    );
    declare(&server, "Another").await;
    let path = "/api/v1/incidents/2";
    let refused = server.in_process("PATCH", path, &more).await;
    assert_eq!(refused["code"], "one_service");
}

#[tokio::test]
async fn an_incident_is_called_otherwise_and_keeps_what_was_not_touched() {
    let server = Server::with_people().await;
    declare(&server, "Chekout").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let fields = [
        ("was_title", "Chekout"),
        ("title", "Checkout is down"),
        ("was_description", ""),
        ("description", "Since the release"),
        ("was_service", ""),
        ("service", "web"),
    ];
    let page = browser.sent("edit", &fields).await;
    let body = followed(&mut browser, page).await;
    assert!(line(&body).starts_with("Changed INC-1."), "{}", line(&body));
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: edited an incident [INC-1] 303"
    );
    // Somebody else gave it another title meanwhile: a form that does not touch it leaves it.
    let patch = json!({"title": "Checkout and search are down"});
    server
        .in_process("PATCH", "/api/v1/incidents/1", &patch)
        .await;
    let fields = [
        ("was_title", "Checkout is down"),
        ("title", "Checkout is down"),
        ("was_service", "web"),
        ("service", "shop"),
    ];
    browser.sent("edit", &fields).await.is(303);
    let now = look(&server, "/api/v1/incidents/1").await;
    assert_eq!(now["title"], "Checkout and search are down");
    assert_eq!(now["service"], "shop");
    assert_eq!(now["description"], "Since the release");
    let fields = [
        ("was_title", "Checkout is down"),
        ("title", " "),
        ("was_service", "web"),
        ("service", "web"),
    ];
    let page = browser.sent("edit", &fields).await.is(422);
    let shown_at_first = "name=\"was_service\" value=\"web\"";
    assert!(page.body.contains(shown_at_first), "{}", page.body);
    assert!(
        page.body.contains("<details class=\"menu\" open>"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn fields_of_peoples_own_are_set_changed_and_taken_away() {
    let server = Server::with_people().await;
    declare(&server, "Checkout is down").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let new = [("was_value", ""), ("name", "region"), ("value", "EU")];
    browser.sent("fields", &new).await.is(303);
    let more = [
        ("name", "region"),
        ("was_value", "EU"),
        ("value", "EU"),
        ("was_value", ""),
        ("name", "customers"),
        ("value", "12"),
    ];
    browser.sent("fields", &more).await.is(303);
    let now = look(&server, "/api/v1/incidents/1").await;
    assert_eq!(now["fields"], json!({"region": "EU", "customers": "12"}));
    // What was typed comes back beside the names that it was typed for, though others set one meanwhile.
    let long = "x".repeat(201);
    let refused = [
        ("name", "region"),
        ("was_value", "EU"),
        ("value", "EU and US"),
        ("was_value", ""),
        ("name", "tier"),
        ("value", &long),
    ];
    let page = browser.sent("fields", &refused).await.is(422);
    let shown = [
        ">customers<input type=\"text\" name=\"value\" value=\"12\"",
        ">region<input type=\"text\" name=\"value\" value=\"EU and US\"",
        "name=\"name\" value=\"tier\"",
    ];
    for part in shown {
        let body: String = page.body.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            body.replace("<label> ", "<label>").contains(part),
            "{part}: {body}"
        );
    }
    let less = [
        ("name", "customers"),
        ("was_value", "12"),
        ("value", "14"),
        ("name", "region"),
        ("was_value", "EU"),
        ("value", ""),
        ("was_value", ""),
        ("name", ""),
        ("value", ""),
    ];
    browser.sent("fields", &less).await.is(303);
    let now = look(&server, "/api/v1/incidents/1").await;
    assert_eq!(now["fields"], json!({"customers": "14"}));
}

#[tokio::test]
async fn what_people_say_of_an_incident_is_kept_with_who_said_it_and_why() {
    let server = Server::with_people().await;
    declare(&server, "Checkout is down").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let fields = [
        ("was_cause", ""),
        ("cause", "full disk"),
        ("was_environment", ""),
        ("environment", "production"),
        ("was_impact_start", ""),
        ("impact_start", "2026-11-20T08:55"),
        ("was_impact_end", ""),
        ("impact_end", "2026-11-20T09:10:30"),
        ("reason", "the log says so"),
    ];
    let page = browser.sent("annotate", &fields).await;
    let body = followed(&mut browser, page).await;
    assert_eq!(line(&body), "Noted what you say of INC-1.");
    let said = look(&server, "/api/v1/incidents/1/annotations").await;
    assert_eq!(
        said["current"],
        json!({"cause": "full disk", "environment": "production",
            "impact_start": "2026-11-20T08:55:00Z", "impact_end": "2026-11-20T09:10:30Z"})
    );
    assert_eq!(said["history"][0]["actor"]["id"], "responder@example.com");
    assert!(
        body.contains("full disk") && body.contains("the log says so"),
        "{body}"
    );
    // A browser sends a whole minute without its seconds.
    assert!(
        body.contains("name=\"was_impact_start\" value=\"2026-11-20T08:55:00\""),
        "{body}"
    );
    let untouched = [
        ("was_impact_start", "2026-11-20T08:55:00"),
        ("impact_start", "2026-11-20T08:55"),
        ("was_impact_end", "2026-11-20T09:10:30"),
        ("impact_end", "2026-11-20T09:10:30"),
    ];
    let page = browser.sent("annotate", &untouched).await.is(422);
    assert!(problem(&page.body).contains("Nothing is said"));
    // What is sent as it was shown says nothing, whatever it is now.
    let again = [
        ("was_cause", "full disk"),
        ("cause", ""),
        ("was_environment", "staging"),
        ("environment", "staging"),
    ];
    browser.sent("annotate", &again).await.is(303);
    let said = look(&server, "/api/v1/incidents/1/annotations").await;
    assert_eq!(said["current"]["cause"], Value::Null);
    assert_eq!(said["current"]["environment"], "production");
    let history = said["history"].as_array().unwrap();
    assert_eq!(history.last().unwrap()["value"], Value::Null);
    let page = browser.get("/incidents/INC-1").await.body;
    assert!(page.contains("taken back"), "{page}");
}

#[tokio::test]
async fn an_impact_is_typed_and_shown_in_the_zone_of_the_organisation() {
    let server = Server::with_people().await;
    declare(&server, "Checkout is down").await;
    let zone = json!({"time_zone": "Asia/Tokyo"});
    server.in_process("PATCH", "/api/v1/settings", &zone).await;
    let mut browser = server.signed_in(Role::Responder).await;
    let fields = [
        ("was_impact_start", ""),
        ("impact_start", "2026-11-20T05:38"),
    ];
    let page = browser.sent("annotate", &fields).await;
    let body = followed(&mut browser, page).await;
    let said = look(&server, "/api/v1/incidents/1/annotations").await;
    assert_eq!(said["current"]["impact_start"], "2026-11-19T20:38:00Z");
    let typed = "name=\"was_impact_start\" value=\"2026-11-20T05:38:00\"";
    assert!(body.contains(typed), "{body}");
    assert!(body.contains("Impact since, in Asia/Tokyo<"), "{body}");
    let nonsense = [("impact_start", "at nine")];
    let page = browser.sent("annotate", &nonsense).await.is(422);
    assert!(page.body.contains("a time in Asia/Tokyo"), "{}", page.body);
}

#[tokio::test]
async fn mw18_the_deployment_that_is_likely_behind_it_is_confirmed_or_not_by_a_person() {
    let server = Server::with_people().await;
    let deployment = json!({"id": "build-7", "service": "web", "version": "2.4.0",
        "finished_at": "2026-11-20T09:06:05Z"});
    let path = "/api/v1/deployments";
    server.in_process("POST", path, &deployment).await;
    let new = json!({"title": "Checkout is down", "severity": "SEV-2", "service": "web"});
    server.in_process("POST", "/api/v1/incidents", &new).await;
    let mut browser = server.signed_in(Role::Responder).await;
    let words = |body: &str| {
        let (_, related) = body.split_once("aria-label=\"What may be behind it\"")?;
        let related = related.split_once("</ul>")?.0.split('<');
        let texts = related.filter_map(|part| Some(part.split_once('>')?.1));
        Some(texts.collect::<String>())
    };
    let body = browser.get("/incidents/INC-1").await.body;
    assert_eq!(
        words(&body).unwrap(),
        "Likely related: deployment 2.4.0 to web, finished 8 min before the trigger\
         Same service, by time: nobody has said soConfirmNot related"
    );
    let figures = "/api/v1/metrics/change_failure_rate?from=2026-11-20&to=2026-11-20&bucket=all";
    let rate = async || look(&server, figures).await["series"][0]["total"]["ratio"].clone();
    assert_eq!(rate().await, 1.0);
    let confirmed = [
        ("was_caused_by", ""),
        ("caused_by", "build-7"),
        ("reason", "confirmed: by time"),
    ];
    let page = browser.sent("annotate", &confirmed).await;
    let body = followed(&mut browser, page).await;
    let said = words(&body).unwrap();
    assert!(
        said.starts_with("Caused by deployment 2.4.0 to web") && said.ends_with("Take it back"),
        "{said}"
    );
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: annotated an incident [INC-1] 303"
    );
    let unrelated = [
        ("was_caused_by", "build-7"),
        ("caused_by", "none"),
        ("reason", "it was not out yet"),
    ];
    let page = browser.sent("annotate", &unrelated).await;
    let body = followed(&mut browser, page).await;
    assert!(
        words(&body)
            .unwrap()
            .starts_with("No deployment is behind it")
    );
    assert_eq!(rate().await, 0.0);
    let back = [
        ("was_caused_by", "none"),
        ("caused_by", ""),
        ("reason", "taken back"),
    ];
    let page = browser.sent("annotate", &back).await;
    let body = followed(&mut browser, page).await;
    assert!(words(&body).unwrap().starts_with("Likely related"));
    // Who may only look is told the same, and asked nothing.
    let mut viewer = server.signed_in(Role::Viewer).await;
    let body = viewer.get("/incidents/INC-1").await.body;
    assert!(words(&body).unwrap().ends_with("nobody has said so"));
}

#[tokio::test]
async fn mw18_a_cause_that_a_note_or_a_field_names_is_shown_with_where_it_is_from() {
    let server = Server::with_people().await;
    declare(&server, "Checkout is down").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let untold = "Nothing is said of its cause";
    let body = browser.get("/incidents/INC-1").await.body;
    assert!(body.contains(untold), "{body}");
    let note = [("text", "root cause: disk full")];
    let page = browser.sent("note", &note).await;
    let body = followed(&mut browser, page).await;
    assert!(body.contains("Disk full, as a note says"), "{body}");
    assert!(!body.contains(untold), "{body}");
    let field = [
        ("was_value", ""),
        ("name", "cause"),
        ("value", "expired key"),
    ];
    let page = browser.sent("fields", &field).await;
    let body = followed(&mut browser, page).await;
    assert!(
        body.contains("Expired key, as a field of the incident says"),
        "{body}"
    );
    let said = [("was_cause", ""), ("cause", "full disk")];
    let page = browser.sent("annotate", &said).await;
    let body = followed(&mut browser, page).await;
    assert!(
        !body.contains("Expired key, as") && body.contains("full disk"),
        "{body}"
    );
}

#[tokio::test]
async fn what_makes_no_sense_of_an_impact_or_cause_is_refused_and_stays_typed() {
    let server = Server::with_people().await;
    declare(&server, "Checkout is down").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let cases: [(&[(&str, &str)], &str); 4] = [
        (
            &[
                ("impact_start", "2026-11-20T09:00"),
                ("impact_end", "2026-11-20T08:00"),
            ],
            "The impact cannot end",
        ),
        (&[("impact_start", "at nine")], "at nine is no time"),
        (
            &[("was_caused_by", ""), ("caused_by", "build-7")],
            "says why. Write it under “Why;",
        ),
        (&[], "Nothing is said"),
    ];
    for (fields, why) in cases {
        let page = browser.sent("annotate", fields).await.is(422);
        assert!(
            problem(&page.body).contains(why),
            "{why}: {}",
            problem(&page.body)
        );
        assert!(page.body.contains("<details class=\"say\" open>"), "{why}");
        for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with("was_")) {
            let kept = format!("name=\"{name}\" value=\"{value}\"");
            assert!(page.body.contains(&kept), "{kept}: {}", page.body);
        }
    }
}

#[tokio::test]
async fn a_duplicate_says_of_which_and_a_deletion_is_confirmed() {
    let server = Server::with_people().await;
    for title in ["One", "Two"] {
        declare(&server, title).await;
    }
    let mut browser = server.signed_in(Role::Responder).await;
    let page = browser.sent("duplicate", &[("of", "INC-9")]).await.is(422);
    assert!(page.body.contains("value=\"INC-9\""), "{}", page.body);
    let page = browser
        .sent("duplicate", &[("of", "2"), ("note", "same rack")])
        .await;
    let body = followed(&mut browser, page).await;
    assert!(
        line(&body).starts_with("Marked INC-1 as a duplicate."),
        "{}",
        line(&body)
    );
    assert!(
        body.contains("The same as <a href=\"/incidents/INC-2\">"),
        "{body}"
    );
    assert!(body.contains("same rack"));
    let page = browser.sent("delete", &[]).await.is(422);
    assert!(problem(&page.body).contains("is deleted only if that is confirmed"));
    let page = browser.sent("delete", &[("sure", "yes")]).await.is(303);
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: deleted an incident [INC-1] 303"
    );
    assert!(page.to().starts_with("/?said="), "{}", page.to());
    let body = browser.get(page.to()).await.is(200).body;
    assert!(line(&body).starts_with("Deleted INC-1."), "{}", line(&body));
    browser.get("/incidents/INC-1").await.is(404);
}

#[tokio::test]
async fn mitigated_is_a_step_of_an_open_incident() {
    let server = Server::with_people().await;
    declare(&server, "One").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let body = browser.get("/incidents/INC-1").await.body;
    assert!(
        !offered(&body).contains(&"mitigate"),
        "to acknowledge is to mitigate: {body}"
    );
    let model = json!({"status_model": "lifecycle"});
    server.in_process("PATCH", "/api/v1/settings", &model).await;
    let page = browser.sent("acknowledge", &[]).await;
    let body = followed(&mut browser, page).await;
    assert!(offered(&body).contains(&"mitigate"), "{body}");
    let page = browser.sent("mitigate", &[]).await;
    let body = followed(&mut browser, page).await;
    assert!(
        line(&body).starts_with("Mitigated INC-1."),
        "{}",
        line(&body)
    );
    assert!(!offered(&body).contains(&"mitigate"), "{body}");
}

#[tokio::test]
async fn a_viewer_is_offered_none_of_it_and_may_do_none_of_it() {
    let server = Server::with_people().await;
    declare(&server, "One").await;
    let mut browser = server.signed_in(Role::Viewer).await;
    let body = browser.get("/incidents/INC-1").await.is(200).body;
    assert!(offered(&body).is_empty(), "{body}");
    let word = browser.get("/account").await.word();
    for act in [
        "mitigate",
        "edit",
        "fields",
        "duplicate",
        "annotate",
        "delete",
    ] {
        let fields = [
            ("word", &*word),
            ("sure", "yes"),
            ("of", "1"),
            ("title", "x"),
        ];
        let form = browser.form(&format!("/incidents/INC-1/{act}"), &fields);
        browser.send(form).await.is(403);
    }
    assert_eq!(look(&server, "/api/v1/incidents/1").await["title"], "One");
}
