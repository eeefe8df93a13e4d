//! Acting on incidents from the pages: what is offered, what is done, what the page says of it, and
//! what becomes of a form that is refused.

use im_store::accounts::Role;
use serde_json::{Value, json};

use super::{Browser, Page};
use crate::http::there::There;
use crate::http::{Server, config};

/// What the browser is led to after a form.
pub(super) async fn followed(browser: &mut Browser<'_>, page: Page) -> String {
    let page = page.is(303);
    browser.get(page.to()).await.is(200).body
}

/// The line about what was done.
pub(super) fn line(body: &str) -> String {
    text_of(body, "became")
}

/// Why it was not done.
pub(super) fn problem(body: &str) -> String {
    text_of(body, "problem")
}

/// The text of a paragraph, without what is in it for the eye.
fn text_of(body: &str, class: &str) -> String {
    let head = format!("<p class=\"{class}\"");
    let (_, line) = body.split_once(&head).expect("it is there");
    let line = line.split("</p>").next().unwrap();
    let parts = line.split('<').map(|part| part.split_once('>'));
    parts.filter_map(|part| Some(part?.1)).collect()
}

/// The acts that a page offers.
pub(super) fn offered(body: &str) -> Vec<&str> {
    let forms = body.split("action=\"/incidents/INC-1/").skip(1);
    forms.filter_map(|form| form.split('"').next()).collect()
}

pub(super) async fn declare(server: &Server, title: &str) {
    let new = json!({"title": title, "severity": "SEV-2"});
    let path = "/api/v1/incidents";
    let outcome = server.in_process("POST", path, &new).await;
    assert_eq!(outcome["here"]["changed"], true, "{outcome}");
}

impl Browser<'_> {
    /// Sends a form of the page of INC-1.
    async fn act(&mut self, act: &str, fields: &[(&str, &str)]) -> Page {
        self.post(
            "/incidents/INC-1",
            &format!("/incidents/INC-1/{act}"),
            fields,
        )
        .await
    }
}

#[tokio::test]
async fn only_what_is_possible_now_is_offered() {
    let server = Server::with_people().await;
    declare(&server, "Slow").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let open = [
        "acknowledge",
        "resolve",
        "assign",
        "severity",
        "edit",
        "fields",
        "close",
        "cancel",
        "duplicate",
        "delete",
        "note",
        "annotate",
    ];
    let taken: Vec<&str> = open
        .into_iter()
        .filter(|act| !["acknowledge", "cancel"].contains(act))
        .collect();
    let over = [
        "reopen", "severity", "edit", "fields", "close", "delete", "note", "annotate",
    ];
    let closed: Vec<&str> = over.into_iter().filter(|act| *act != "close").collect();
    let cases: [(&str, &[&str]); 5] = [
        ("", &open),
        ("acknowledge", &taken),
        ("resolve", &over),
        ("close", &closed),
        ("reopen", &open),
    ];
    for (act, expected) in cases {
        let body = if act.is_empty() {
            browser.get("/incidents/INC-1").await.is(200).body
        } else {
            let page = browser.act(act, &[]).await;
            followed(&mut browser, page).await
        };
        assert_eq!(offered(&body), expected, "after {act}");
    }
}

#[tokio::test]
async fn a_viewer_is_offered_nothing_and_an_act_of_theirs_changes_nothing() {
    let server = Server::with_people().await;
    declare(&server, "Slow").await;
    let mut viewer = server.signed_in(Role::Viewer).await;
    let page = viewer.get("/incidents/INC-1").await.is(200).body;
    assert_eq!(offered(&page), Vec::<&str>::new());
    let list = viewer.get("/").await.is(200).body;
    for absent in ["/declare", "name=\"chosen\"", "/chosen/"] {
        assert!(!list.contains(absent), "{absent}: {list}");
    }
    viewer.act("resolve", &[]).await.is(403);
    viewer.get("/declare").await.is(403);
    let mut responder = server.signed_in(Role::Responder).await;
    let word = responder.get("/incidents/INC-1").await.word();
    let mut foreign = responder.form("/chosen/resolve", &[("word", &word), ("chosen", "INC-1")]);
    let evil = "https://evil.example".parse().unwrap();
    foreign.headers_mut().insert("origin", evil);
    responder.send(foreign).await.is(403);
    let wordless = responder.form("/incidents/INC-1/resolve", &[]);
    responder.send(wordless).await.is(403);
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: resolved an incident [INC-1] 403"
    );
    let page = responder.get("/incidents/INC-1").await.body;
    assert!(page.contains("i-open"), "it is still open: {page}");
    assert!(offered(&page).contains(&"acknowledge"));
}

#[tokio::test]
async fn an_act_is_that_of_who_is_signed_in_and_the_page_says_what_became_of_it() {
    let server = Server::with_people().await;
    declare(&server, "Slow").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let page = browser.act("acknowledge", &[]).await;
    let body = followed(&mut browser, page).await;
    assert_eq!(line(&body), "Acknowledged INC-1.");
    assert!(body.contains("responder@example.com"), "{body}");
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: acknowledged an incident [INC-1] 303"
    );
    let page = browser.act("acknowledge", &[]).await;
    let body = followed(&mut browser, page).await;
    assert_eq!(line(&body), "INC-1 was acknowledged already.");
    let page = browser.act("resolve", &[("note", "Rolled <back>")]).await;
    let body = followed(&mut browser, page).await;
    assert_eq!(line(&body), "Resolved INC-1.");
    assert!(body.contains("Rolled &lt;back&gt;"), "{body}");
    let page = browser.act("severity", &[("severity", "SEV-1")]).await;
    let body = followed(&mut browser, page).await;
    assert_eq!(line(&body), "Changed INC-1.");
    assert!(body.contains("</svg>SEV-1</span>"), "{body}");
    let other = browser.get("/incidents/INC-1?said=nothing").await.is(200);
    assert!(
        !other.body.contains("became"),
        "a made-up word says nothing"
    );
}

#[tokio::test]
async fn what_is_refused_comes_back_with_what_was_typed_and_what_to_do() {
    let server = Server::with_people().await;
    declare(&server, "Slow").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let empty = browser.act("note", &[("text", "  ")]).await.is(422);
    assert_eq!(
        problem(&empty.body),
        "Cannot add a note to INC-1: the note is empty. Write something, or leave the note out."
    );
    let wrong = browser
        .act("severity", &[("severity", "SEV-9")])
        .await
        .is(422);
    assert!(problem(&wrong.body).contains("SEV-9"), "{}", wrong.body);
    // Somebody was faster.
    let close = "/api/v1/incidents/1/close";
    server.in_process("POST", close, &json!({})).await;
    let late = browser
        .act("resolve", &[("note", "A long story")])
        .await
        .is(409);
    assert_eq!(
        problem(&late.body),
        "Cannot resolve INC-1: it is closed. im reopen INC-1 opens it again."
    );
    assert!(
        late.body.contains(">A long story</textarea>"),
        "the note can still be kept: {}",
        late.body
    );
    assert_eq!(
        offered(&late.body),
        [
            "reopen", "severity", "edit", "fields", "delete", "note", "annotate"
        ]
    );
    // A renewed page would lose what was typed.
    assert!(late.body.contains("data-live=\"still\""));
    let path = "/api/v1/incidents/1";
    server.in_process("DELETE", path, &Value::Null).await;
    let gone = browser
        .post(
            "/declare",
            "/incidents/INC-1/note",
            &[("text", "A long story")],
        )
        .await
        .is(404);
    assert!(
        gone.body.contains("INC-1 is not here") && gone.body.contains("A long story"),
        "{}",
        gone.body
    );
}

#[tokio::test]
async fn a_service_that_nothing_knows_yet_is_refused_where_somebody_would_be_paged() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Responder).await;
    let typed = [
        ("title", "Search is slow"),
        ("severity", "SEV-1"),
        ("service", "Search"),
    ];
    // Nobody is paged, so it is a word like any other.
    browser.post("/declare", "/declare", &typed).await.is(303);
    let new = json!({"name": "prod", "type": "pagerduty", "config": config()});
    server.in_process("POST", "/api/v1/connectors", &new).await;
    let refused = browser.post("/declare", "/declare", &typed).await.is(422);
    assert_eq!(
        problem(&refused.body),
        "Search is no service that a connector knows. PagerDuty's services were not read yet: wait a moment, or leave the service out."
    );
    let listed = "/api/v1/incidents?status=any";
    let listed = server.in_process("GET", listed, &json!({})).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_incident_is_declared_and_its_page_says_who_was_told() {
    let server = Server::with_people().await;
    let mut config = config();
    config["custom"]["service_mappings"] = json!({"checkout": "PWEB001"});
    let new = json!({"name": "prod", "type": "pagerduty", "config": config});
    server.in_process("POST", "/api/v1/connectors", &new).await;
    let mut browser = server.signed_in(Role::Responder).await;
    let page = browser.get("/declare").await.is(200);
    assert!(page.body.contains(&tick("checkout", "")), "{}", page.body);
    let typed = [
        ("title", " "),
        ("severity", "SEV-1"),
        ("service", "checkout"),
        ("description", "Since the <release>"),
    ];
    let refused = browser.post("/declare", "/declare", &typed).await.is(422);
    assert_eq!(
        problem(&refused.body),
        "Cannot declare an incident: the title is empty. Say in a line what is wrong."
    );
    for kept in [
        "<option value=\"SEV-1\" selected>",
        &tick("checkout", " checked"),
        ">Since the &lt;release&gt;</textarea>",
    ] {
        assert!(refused.body.contains(kept), "{kept}: {}", refused.body);
    }
    let typed = [&[("title", "Checkout is down")], &typed[1..]].concat();
    let elsewhere = [&typed[..2], &[("service", "nonsense")]].concat();
    let refused = browser.post("/declare", "/declare", &elsewhere).await;
    assert_eq!(
        problem(&refused.is(422).body),
        "nonsense is no service that a connector knows. Choose one of: checkout."
    );
    let page = browser.post("/declare", "/declare", &typed).await;
    assert!(page.to().starts_with("/incidents/INC-1?"), "{}", page.to());
    let body = followed(&mut browser, page).await;
    assert_eq!(
        line(&body),
        "Declared INC-1. PagerDuty: queued; it will be sent."
    );
    assert!(body.contains("Checkout is down") && body.contains("Since the &lt;release&gt;"));
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: declared an incident [INC-1] 303"
    );
}

/// The box of a service that an incident can be declared for.
fn tick(service: &str, checked: &str) -> String {
    format!("<input type=\"checkbox\" name=\"service\" value=\"{service}\"{checked}>{service}<")
}

#[tokio::test]
async fn s67_an_incident_of_several_services_is_declared_on_the_page() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Responder).await;
    // While no connector knows a service, names are written.
    let written = [
        ("title", "Checkout is down"),
        ("severity", "SEV-1"),
        ("services", "web, db,, web"),
    ];
    let page = browser.post("/declare", "/declare", &written).await;
    let body = followed(&mut browser, page).await;
    assert!(body.contains("<dd>web, db</dd>"), "{body}");

    let mut config = config();
    config["custom"]["service_mappings"] =
        json!({"checkout": "PWEB001", "db": "PDB0001", "search": "PSEARCH"});
    let new = json!({"name": "prod", "type": "pagerduty", "config": config});
    server.in_process("POST", "/api/v1/connectors", &new).await;
    let typed = [
        ("title", " "),
        ("severity", "SEV-1"),
        ("service", "checkout"),
        ("service", "db"),
    ];
    let refused = browser.post("/declare", "/declare", &typed).await.is(422);
    for kept in [
        tick("checkout", " checked"),
        tick("db", " checked"),
        tick("search", ""),
    ] {
        assert!(refused.body.contains(&kept), "{kept}: {}", refused.body);
    }
    let typed = [&[("title", "Slow again")], &typed[1..]].concat();
    let page = browser.post("/declare", "/declare", &typed).await;
    followed(&mut browser, page).await;
    let path = "/api/v1/incidents/2";
    let made = server.in_process("GET", path, &Value::Null).await;
    let parts = made["parts"].as_array().unwrap();
    let services: Vec<&Value> = parts.iter().map(|part| &part["service"]).collect();
    assert_eq!(services, ["checkout", "db"], "{made}");
}

#[tokio::test]
async fn several_are_acknowledged_at_once_and_each_refusal_is_named() {
    let server = Server::with_people().await;
    for title in ["One", "Two", "Three"] {
        declare(&server, title).await;
    }
    let resolve = "/api/v1/incidents/3/resolve";
    server.in_process("POST", resolve, &json!({})).await;
    let mut browser = server.signed_in(Role::Responder).await;
    let list = browser.get("/").await.is(200).body;
    assert!(list.contains("name=\"chosen\" value=\"INC-1\""), "{list}");
    let chosen = ["INC-1", "INC-2", "INC-3", "INC-9"].map(|name| ("chosen", name));
    let page = browser.post("/", "/chosen/acknowledge", &chosen).await;
    assert_eq!(
        server.last_act().await,
        "account responder@example.com: acknowledged several incidents [INC-1 INC-2] 303"
    );
    let body = followed(&mut browser, page).await;
    assert_eq!(
        line(&body),
        "Acknowledged 2 of 4. Cannot acknowledge INC-3: it was resolved at 09:14 by the administrator. There is no incident INC-9."
    );
    let page = browser.post("/", "/chosen/acknowledge", &chosen[..1]).await;
    let body = followed(&mut browser, page).await;
    assert_eq!(
        line(&body),
        "Acknowledged 0 of 1. INC-1 was acknowledged already."
    );
    let none = browser.post("/", "/chosen/resolve", &[]).await.is(422);
    assert_eq!(
        problem(&none.body),
        "No incident was chosen. Tick those that are meant, then press again."
    );
}

#[tokio::test]
async fn pagerduty_is_told_of_what_is_done_on_a_page_and_the_line_says_so() {
    let there = There::start().await;
    let server = &there.server;
    server.add_people().await;
    let mut browser = server.signed_in(Role::Responder).await;
    let typed = [("title", "Checkout is down"), ("severity", "SEV-2")];
    let page = browser.post("/declare", "/declare", &typed).await.is(303);
    let queued = browser.get(page.to()).await.body;
    assert_eq!(
        line(&queued),
        "Declared INC-1. PagerDuty: queued; it will be sent."
    );
    let work = server.work();
    let text = json!({"text": "Looking"});
    let path = "/api/v1/incidents/1/notes?wait=30s";
    server.in_process("POST", path, &text).await;
    let told = browser.get(page.to()).await.body;
    assert!(
        line(&told).starts_with("Declared INC-1. PagerDuty #") && line(&told).contains("triggered"),
        "the same page knows more by now: {}",
        line(&told)
    );
    let unknown = browser
        .act("assign", &[("to", "nobody@example.com")])
        .await
        .is(422);
    assert_eq!(
        problem(&unknown.body),
        "PagerDuty has no user nobody@example.com. Write an e-mail address or an id of a user there, e.g. ann@example.com or PXXXXXX."
    );
    assert!(
        unknown.body.contains("value=\"nobody@example.com\""),
        "{}",
        unknown.body
    );
    let (_, name, email) = there.stand_in.account.users[1].clone();
    let page = browser.act("assign", &[("to", &email)]).await;
    let body = followed(&mut browser, page).await;
    let said = format!("Assigned INC-1 to {name}.");
    assert!(line(&body).starts_with(&said), "{}", line(&body));
    drop(work);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_thing_and_both_answers_lead_to_it() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Responder).await;
    let once = async |browser: &mut Browser<'_>, page: &str, form: &str| {
        let body = browser.get(page).await.is(200).body;
        let (_, body) = body.split_once(&format!("action=\"{form}\"")).unwrap();
        let (_, once) = body.split_once("name=\"once\" value=\"").unwrap();
        once.split('"').next().unwrap().to_owned()
    };
    let shown = once(&mut browser, "/declare", "/declare").await;
    let declaration = |title| [("title", title), ("severity", "SEV-2"), ("once", &*shown)];
    for _ in 0..2 {
        let page = browser
            .post("/declare", "/declare", &declaration("Search is slow"))
            .await;
        let body = followed(&mut browser, page).await;
        assert!(line(&body).starts_with("Declared INC-1."), "{body}");
    }
    // Who goes back and says something else means another one.
    let page = browser
        .post("/declare", "/declare", &declaration("Search is gone"))
        .await;
    assert!(page.to().starts_with("/incidents/INC-2?"), "{}", page.to());
    let look = async |path: &str| server.in_process("GET", path, &Value::Null).await;
    let all = look("/api/v1/incidents").await;
    assert_eq!(all.as_array().unwrap().len(), 2);

    for (act, field) in [("note", "text"), ("resolve", "note")] {
        let form = format!("/incidents/INC-1/{act}");
        let shown = once(&mut browser, "/incidents/INC-1", &form).await;
        let typed = [(field, "It was the index"), ("once", &*shown)];
        for _ in 0..2 {
            browser.act(act, &typed).await.is(303);
        }
    }
    let lines = look("/api/v1/incidents/INC-1/timeline").await;
    let lines = lines.as_array().unwrap();
    let notes = lines
        .iter()
        .filter(|line| line["note"] == "It was the index");
    assert_eq!(notes.count(), 2, "one of each form: {lines:?}");
}

#[tokio::test]
async fn a_text_that_is_too_long_is_told_so_and_is_no_trespass() {
    let server = Server::with_people().await;
    declare(&server, "Slow").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let page = browser.get("/incidents/INC-1").await.is(200);
    assert!(page.body.contains("maxlength=\"20000\""), "{}", page.body);
    let (word, long) = (page.word(), "ä".repeat(60_000));
    let fields = [("word", &*word), ("text", &*long)];
    let mut request = browser.form("/incidents/INC-1/note", &fields);
    let length = (6 * 60_000).into();
    request.headers_mut().insert("content-length", length);
    let refused = browser.send(request).await.is(413).body;
    for said in [
        "This is too long",
        "352 kB",
        "at most 256 kB",
        "form_too_long",
    ] {
        assert!(refused.contains(said), "{said}: {refused}");
    }
    // Any text as long as the field takes fits, whatever it is written in.
    let fits = "日".repeat(20_000);
    browser.act("note", &[("text", &fits)]).await.is(303);
}

#[tokio::test]
async fn what_a_form_lacks_is_named_as_the_form_names_it() {
    let server = Server::with_people().await;
    declare(&server, "Slow").await;
    let mut browser = server.signed_in(Role::Responder).await;
    let cases = [
        (
            "duplicate",
            &[("of", "")][..],
            "“The same as” is empty. Write the number of the other incident, e.g. INC-7.",
        ),
        (
            "assign",
            &[("to", "")][..],
            "Nobody was chosen. Choose somebody under “Assign”",
        ),
        (
            "annotate",
            &[("not_change_related", "true")][..],
            "Write it under “Why; needed where a person decides what caused it”.",
        ),
        (
            "annotate",
            &[
                ("impact_start", "2026-11-20T09:00"),
                ("impact_end", "2026-11-20T08:00"),
            ],
            "“Impact until” is not before “Impact since”: change one of them.",
        ),
    ];
    for (act, fields, why) in cases {
        let page = browser.act(act, fields).await.is(422);
        let problem = problem(&page.body);
        assert!(problem.contains(why), "{why}: {problem}");
        assert!(!problem.contains("--"), "no option of a command: {problem}");
    }
}
