//! Settings, tokens and the status of the system, by their pages.

use im_store::accounts::Role;
use im_store::people::{self, UserRow};
use serde_json::{Value, json};

use super::Browser;
use super::acts::problem;
use super::with_token;
use crate::http::{Server, config};

/// A field of a form, and what is typed into it.
type Field = (&'static str, &'static str);

async fn look(server: &Server, path: &str) -> Value {
    server.in_process("GET", path, &json!({})).await
}

#[tokio::test]
async fn settings_are_changed_where_their_sender_changed_them() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let fields = [
        ("was_time_zone", "UTC"),
        ("time_zone", "Europe/Berlin"),
        ("was_test_keyword", "[test]"),
        ("test_keyword", "[test]"),
        ("was_hide_emails", "false"),
        ("hide_emails", "true"),
    ];
    browser
        .post("/settings", "/settings", &fields)
        .await
        .is(303);
    assert_eq!(
        server.last_act().await,
        "account admin@example.com: changed the settings [] 303"
    );
    // Another admin's page is older: what it does not change stays.
    let fields = [
        ("was_time_zone", "UTC"),
        ("time_zone", "UTC"),
        ("was_test_keyword", "[test]"),
        ("test_keyword", "drill"),
    ];
    browser
        .post("/settings", "/settings", &fields)
        .await
        .is(303);
    let now = look(&server, "/api/v1/settings").await;
    assert_eq!(now["time_zone"], "Europe/Berlin");
    assert_eq!(
        (&now["test_keyword"], &now["hide_emails"]),
        (&json!("drill"), &json!(true))
    );
    // What was refused and is sent again takes back nothing either.
    let keyword = "x".repeat(101);
    let fields = [
        ("was_time_zone", "UTC"),
        ("time_zone", "UTC"),
        ("was_test_keyword", "drill"),
        ("test_keyword", &*keyword),
    ];
    let page = browser.post("/settings", "/settings", &fields).await;
    let page = page.is(422).body;
    assert!(
        page.contains("name=\"was_time_zone\" value=\"UTC\""),
        "{page}"
    );
    assert!(page.contains("name=\"time_zone\" value=\"UTC\""), "{page}");
    let wrong = [
        ("was_time_zone", "Europe/Berlin"),
        ("time_zone", "Mars/Olympus"),
    ];
    let page = browser.post("/settings", "/settings", &wrong).await.is(422);
    assert!(
        problem(&page.body).contains("cannot be Mars/Olympus"),
        "{}",
        problem(&page.body)
    );
    assert!(
        page.body
            .contains("name=\"time_zone\" value=\"Mars/Olympus\""),
        "{}",
        page.body
    );
    assert_eq!(
        look(&server, "/api/v1/settings").await["time_zone"],
        "Europe/Berlin"
    );
}

#[tokio::test]
async fn hours_of_somebody_who_is_linked_to_no_user_are_set_with_a_hint() {
    let server = Server::with_connector(config()).await;
    let ann = UserRow {
        id: "PUANN01".to_owned(),
        email: "ann@example.com".to_owned(),
        name: Some("Ann Lee".to_owned()),
    };
    server.write(move |tx| people::put(tx, "prod", &ann)).await;
    let person = json!({"id": "ann@example.com"});
    server.post("/api/v1/people", person).await.is(200);
    server.add_people().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let mut hours = [
        ("of", "person:ann@example.com"),
        ("effective_from", "2026-01-01"),
        ("week", "mon-fri=09:00-17:00"),
    ];
    let set = browser.post("/settings", "/settings/hours", &hours).await;
    let page = set.is(303).to().to_owned();
    assert!(page.ends_with("#hours"), "{page}");
    let shown = browser.get(page.trim_end_matches("#hours")).await.is(200);
    let hint = "User PUANN01 of PagerDuty's is not linked to <code>ann@example.com</code> yet, so this counts for nobody";
    assert!(shown.body.contains(hint), "{}", shown.body);
    hours[0].1 = "organisation";
    let set = browser.post("/settings", "/settings/hours", &hours).await;
    let page = set.is(303).to().trim_end_matches("#hours").to_owned();
    let shown = browser.get(&page).await.is(200).body;
    assert!(shown.contains("Set organisation"), "{shown}");
    assert!(!shown.contains("counts for nobody"), "{shown}");
}

#[tokio::test]
async fn what_owners_alone_set_is_not_set_by_an_admin() {
    let server = Server::with_people().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let page = admin.get("/settings").await.is(200).body;
    assert!(!page.contains("name=\"public_url\""), "{page}");
    let url = [
        ("was_public_url", ""),
        ("public_url", "https://im.example.com"),
    ];
    admin.post("/settings", "/settings", &url).await.is(403);
    assert_eq!(
        look(&server, "/api/v1/settings").await["public_url"],
        Value::Null
    );
    let mut owner = server.signed_in(Role::Owner).await;
    owner.post("/settings", "/settings", &url).await.is(303);
    let now = look(&server, "/api/v1/settings").await;
    assert_eq!(now["public_url"], "https://im.example.com");
}

#[tokio::test]
async fn an_address_that_is_told_is_not_shown_and_stays_unless_it_is_changed() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let told = [("notify_url", "https://hooks.example.com/T0/secret")];
    browser.post("/settings", "/settings", &told).await.is(303);
    let page = browser.get("/settings").await.body;
    assert!(
        !page.contains("secret") && page.contains("hooks.example.com"),
        "{page}"
    );
    let other = [
        ("notify_url", ""),
        ("was_test_keyword", "[test]"),
        ("test_keyword", "x"),
    ];
    browser.post("/settings", "/settings", &other).await.is(303);
    let now = look(&server, "/api/v1/settings").await;
    assert_eq!(now["notify_url"], "https://hooks.example.com/********");
    let none = [("no_notify_url", "true")];
    browser.post("/settings", "/settings", &none).await.is(303);
    assert_eq!(
        look(&server, "/api/v1/settings").await["notify_url"],
        Value::Null
    );
}

#[tokio::test]
async fn targets_hours_and_rules_are_set_listed_and_removed() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let target = [("name", "sev-1"), ("ack", "10m"), ("resolve", "2h")];
    browser
        .post("/settings", "/settings/targets", &target)
        .await
        .is(303);
    let metric = [("name", "change_failure_rate"), ("at_most", "0.15")];
    browser
        .post("/settings", "/settings/targets", &metric)
        .await
        .is(303);
    let hours = [
        ("of", "organisation"),
        ("effective_from", "2026-01-01"),
        ("zone", "Europe/Berlin"),
        ("week", "mon-thu=09:00-17:00 fri=09:00-12:00,13:00-15:00"),
    ];
    browser
        .post("/settings", "/settings/hours", &hours)
        .await
        .is(303);
    let rule = [
        ("id", "short-lived"),
        ("shorter_than", "5m"),
        ("reason", "flaps"),
    ];
    browser
        .post("/settings", "/settings/failure-rules", &rule)
        .await
        .is(303);
    let targets = look(&server, "/api/v1/targets").await;
    assert_eq!(
        targets,
        json!([{"name": "SEV-1", "ack": "10m", "resolve": "2h"}, {"name": "change_failure_rate", "at_most": 0.15}])
    );
    let hours = look(&server, "/api/v1/hours").await;
    assert_eq!(
        hours[0]["week"]["friday"],
        json!(["09:00-12:00", "13:00-15:00"])
    );
    let rules = look(&server, "/api/v1/failure-rules").await;
    assert_eq!(rules[0]["shorter_than"], "5m");
    let page = browser.get("/settings").await.body;
    for said in [
        "acknowledged within 10 min, resolved within 2 h",
        "acknowledged within 30 min, resolved within 4 h, as is usual",
        "at most 15 %",
        "Mon-Thu 09:00-17:00; Fri 09:00-12:00, 13:00-15:00, Europe/Berlin",
        "over in less than 5m (flaps)",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    for (of, key) in [
        ("targets", "SEV-1"),
        ("targets", "change_failure_rate"),
        ("hours", "organisation@2026-01-01"),
        ("failure-rules", "short-lived"),
    ] {
        let path = format!("/settings/{of}/remove");
        browser
            .post("/settings", &path, &[("key", key)])
            .await
            .is(303);
        browser
            .post("/settings", &path, &[("key", key)])
            .await
            .is(404);
    }
    assert_eq!(look(&server, "/api/v1/targets").await, json!([]));
}

#[tokio::test]
async fn a_form_of_the_settings_is_answered_where_it_stands_whether_it_was_done_or_not() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let page = browser.get("/settings").await.is(200).body;
    for part in ["general", "targets", "hours", "failure-rules"] {
        assert!(page.contains(&format!("id=\"{part}\"")), "{part}");
        assert!(
            page.contains(&format!("#{part}\">")),
            "its form leads there: {part}"
        );
    }
    let target = [("name", "mttr"), ("at_most", "30m")];
    let done = browser
        .post("/settings", "/settings/targets", &target)
        .await;
    let to = done.is(303).to().to_owned();
    let (path, part) = to.split_once('#').unwrap();
    assert_eq!(part, "targets");
    let page = browser.get(path).await.is(200).body;
    let (_, section) = page.split_once("id=\"targets\"").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    assert!(section.contains("Set mttr."), "{section}");
    assert!(section.contains("at most 30 min"), "{section}");
    let hours = [
        ("of", "organisation"),
        ("effective_from", "2026-01-01"),
        ("week", "none"),
    ];
    browser
        .post("/settings", "/settings/hours", &hours)
        .await
        .is(303);
    let hours = look(&server, "/api/v1/hours").await;
    assert_eq!(hours[0]["week"], json!({}));
}

#[tokio::test]
async fn what_makes_no_sense_as_a_target_or_hours_comes_back_with_the_reason() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let cases: [(&str, &[Field], &str); 9] = [
        (
            "targets",
            &[("name", "")],
            "“Severity or metric” is empty. Fill it in",
        ),
        (
            "targets",
            &[("name", "SEV-1"), ("ack", "10m")],
            "“and resolved within” is empty",
        ),
        (
            "targets",
            &[("name", "mttr"), ("at_most", "soon")],
            "“Of a metric: at most” cannot be soon. Write a length of time such as 30m",
        ),
        (
            "targets",
            &[("name", "reopen_rate"), ("at_most", "30m")],
            "cannot be 30m. Write a share such as 15% or 0.15",
        ),
        ("targets", &[("name", "mtta")], "Fill in one of the two"),
        (
            "hours",
            &[("of", "organisation"), ("effective_from", "")],
            "“From this date on” is empty",
        ),
        (
            "hours",
            &[
                ("of", "organisation"),
                ("effective_from", "2026-01-01"),
                ("week", ""),
            ],
            "or none where every page is out of hours",
        ),
        (
            "hours",
            &[
                ("of", "organisation"),
                ("effective_from", "2026-01-01"),
                ("week", "always"),
            ],
            "Write it like mon-fri=08:00-18:00",
        ),
        (
            "failure-rules",
            &[("id", "all")],
            "would exclude every incident",
        ),
    ];
    come_back(&mut browser, &cases).await;
}

#[tokio::test]
async fn a_share_above_the_whole_and_a_date_that_is_none_come_back_with_the_reason() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let cases: [(&str, &[Field], &str); 3] = [
        (
            "targets",
            &[("name", "change_failure_rate"), ("at_most", "500 %")],
            "“Of a metric: at most” cannot be 500 %: a share is at most 100 %",
        ),
        (
            "hours",
            &[("of", "organisation"), ("effective_from", "2026-11-31")],
            "“From this date on” cannot be 2026-11-31. Write a date like 2026-12-01",
        ),
        (
            "hours",
            &[("of", "organisation"), ("effective_from", "12/01/2026")],
            "“From this date on” cannot be 12/01/2026",
        ),
    ];
    come_back(&mut browser, &cases).await;
}

/// Each form is refused with the reason and what was typed.
async fn come_back(browser: &mut Browser<'_>, cases: &[(&str, &[Field], &str)]) {
    for (of, fields, why) in cases {
        let path = format!("/settings/{of}");
        let page = browser.post("/settings", &path, fields).await.is(422);
        assert!(
            problem(&page.body).contains(why),
            "{why}: {}",
            problem(&page.body)
        );
        for (_, value) in *fields {
            assert!(
                page.body.contains(&format!("value=\"{value}\"")),
                "{value}: {}",
                page.body
            );
        }
    }
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_ends() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let fields = [("name", "ci"), ("role", "viewer"), ("email", "")];
    let page = browser.post("/tokens", "/tokens", &fields).await.is(200);
    let (_, rest) = page
        .body
        .split_once("<pre class=\"link\">")
        .expect("it is shown");
    let secret = rest.split('<').next().unwrap().to_owned();
    assert!(secret.starts_with("imt_"), "{secret}");
    assert_eq!(
        server.last_act().await,
        "account admin@example.com: made a token [ci] 200"
    );
    let ask = with_token(&secret, "GET", "/api/v1/incidents", &json!({}));
    server.send(ask).await.is(200);
    let later = browser.get("/tokens").await.body;
    assert!(
        later.contains(">ci<") && !later.contains(&secret),
        "{later}"
    );
    // It would see how that person responds, which an admin need not be allowed to.
    let of_another = [
        ("name", "spy"),
        ("role", "viewer"),
        ("email", "owner@example.com"),
    ];
    let refused = browser
        .post("/tokens", "/tokens", &of_another)
        .await
        .is(403);
    assert!(
        refused.body.contains("sees how that person responds"),
        "{}",
        refused.body
    );
    let again = browser.post("/tokens", "/tokens", &fields).await.is(409);
    assert!(problem(&again.body).contains("There is a token ci already"));
    browser
        .post("/tokens", "/tokens/revoke", &[("name", "ci")])
        .await
        .is(303);
    let ask = with_token(&secret, "GET", "/api/v1/incidents", &json!({}));
    server.send(ask).await.is(401);
}

#[tokio::test]
async fn nobody_makes_or_ends_a_token_that_may_more_than_they() {
    let server = Server::with_people().await;
    server.token(json!({"name": "root", "role": "owner"})).await;
    let mut browser = server.signed_in(Role::Admin).await;
    let page = browser.get("/tokens").await.is(200).body;
    assert!(
        !page.contains("value=\"owner\"") && !page.contains("Revoke root"),
        "{page}"
    );
    let fields = [("name", "mine"), ("role", "owner")];
    browser.post("/tokens", "/tokens", &fields).await.is(403);
    browser
        .post("/tokens", "/tokens/revoke", &[("name", "root")])
        .await
        .is(403);
    let names = look(&server, "/api/v1/tokens").await;
    assert_eq!(names.as_array().unwrap().len(), 1, "{names}");
    assert_eq!(names[0]["name"], "root");
    let mut responder = server.signed_in(Role::Responder).await;
    for path in ["/tokens", "/settings"] {
        responder.get(path).await.is(403);
    }
}

#[tokio::test]
async fn the_status_says_what_doctor_says_and_what_waits() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Viewer).await;
    let page = browser.get("/status").await.is(200).body;
    assert!(
        page.contains("Everything that was looked at is as it should be."),
        "{page}"
    );
    assert!(page.contains("Database answers"), "{page}");
    let connector = json!({"name": "prod", "type": "pagerduty", "config": config()});
    let added = server
        .in_process("POST", "/api/v1/connectors", &connector)
        .await;
    assert_eq!(added["name"], "prod", "{added}");
    let page = browser.get("/status").await.is(200).body;
    let doctor = look(&server, "/api/v1/doctor").await;
    let lines = doctor["lines"].as_array().unwrap().iter();
    for text in lines.map(|line| line["text"].as_str().unwrap()) {
        // It compares every incident, and the page does not.
        if !text.starts_with("Stored state") {
            assert!(page.contains(text), "{text}: {page}");
        }
    }
}
