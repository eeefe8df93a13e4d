//! The list by its address: filters, whose they are, pages, saved views, and acts that lead back.

use im_store::accounts::Role;
use serde_json::json;

use super::{Browser, with_token};
use crate::http::Server;

/// The incidents of a page, in its order.
fn listed(body: &str) -> Vec<&str> {
    let rows = body.split("data-key=\"").skip(1);
    rows.filter_map(|row| row.split('"').next()).collect()
}

/// The saved views that a page offers.
fn saved(body: &str) -> Vec<&str> {
    let views = body.split("Remove the view ").skip(1);
    views.filter_map(|view| view.split('"').next()).collect()
}

async fn declare(server: &Server, title: &str, severity: &str, service: &str) {
    let new = json!({"title": title, "severity": severity, "service": service});
    let made = server.in_process("POST", "/api/v1/incidents", &new).await;
    assert_eq!(made["here"]["changed"], true, "{made}");
}

/// INC-1 to INC-3; the second is the responder's, the third is resolved.
async fn some() -> Server {
    let server = Server::with_people().await;
    declare(&server, "Checkout is down", "SEV-1", "web").await;
    declare(&server, "Disk 90% full", "SEV-3", "db").await;
    declare(&server, "Search lags", "SEV-3", "search").await;
    let to = json!({"to": ["responder@example.com"]});
    server
        .in_process("POST", "/api/v1/incidents/2/assign", &to)
        .await;
    server
        .in_process("POST", "/api/v1/incidents/3/resolve", &json!({}))
        .await;
    server
}

#[tokio::test]
async fn who_asks_at_the_same_time_gets_their_own_list() {
    let server = some().await;
    let mut responder = server.signed_in(Role::Responder).await;
    let mut viewer = server.signed_in(Role::Viewer).await;
    let mut admin = server.signed_in(Role::Admin).await;
    for _ in 0..20 {
        let (act, look, mine) = tokio::join!(
            responder.get("/?status=active"),
            viewer.get("/?status=active"),
            admin.get("/?status=active&assignee=me"),
        );
        let (act, look, mine) = (act.is(200), look.is(200), mine.is(200));
        assert_eq!(listed(&act.body), ["INC-2", "INC-1"]);
        assert_eq!(listed(&look.body), ["INC-2", "INC-1"]);
        assert!(act.body.contains("class=\"pick\""), "{}", act.body);
        assert!(!look.body.contains("class=\"pick\""), "{}", look.body);
        assert_eq!(listed(&mine.body), [""; 0]);
    }
}

#[tokio::test]
async fn a_view_of_the_list_is_an_address_and_the_api_answers_the_same() {
    let server = some().await;
    let token = server.token(json!({"name": "ci", "role": "viewer"})).await;
    let mut browser = server.signed_in(Role::Responder).await;
    let views: [(&str, &[&str]); 14] = [
        ("status=any", &["INC-3", "INC-2", "INC-1"]),
        ("status=active", &["INC-2", "INC-1"]),
        ("status=resolved&status=acknowledged", &["INC-3"]),
        ("severity=SEV-3", &["INC-3", "INC-2"]),
        ("severity=SEV-3&status=open", &["INC-2"]),
        ("service=web", &["INC-1"]),
        ("assignee=responder%40example.com", &["INC-2"]),
        ("assignee=nobody", &["INC-3", "INC-1"]),
        ("unowned=true", &[]),
        ("connector=prod", &[]),
        ("q=90%25", &["INC-2"]),
        ("q=inc-3", &["INC-3"]),
        ("from=2026-11-20", &["INC-3", "INC-2", "INC-1"]),
        ("to=2026-11-19", &[]),
    ];
    for (view, expected) in views {
        let page = browser.get(&format!("/?{view}")).await.is(200);
        assert_eq!(listed(&page.body), expected, "{view}");
        let path = format!("/api/v1/incidents?{view}");
        let answer = server
            .send(with_token(&token, "GET", &path, &json!({})))
            .await;
        let ids = answer.body.as_array().unwrap().iter();
        let ids: Vec<&str> = ids.map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{path}");
    }
    let mine = browser.get("/?assignee=me").await.is(200);
    assert_eq!(listed(&mine.body), ["INC-2"]);
    let mut other = server.signed_in(Role::Viewer).await;
    let theirs = other.get("/?assignee=me").await.is(200);
    assert_eq!(listed(&theirs.body), [""; 0], "{}", theirs.body);
    assert!(theirs.body.contains("No incident fits."));
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_with_what_works_and_each_filter_can_be_taken_away() {
    let server = some().await;
    let mut browser = server.signed_in(Role::Responder).await;
    for (view, said) in [
        (
            "status=broken",
            "`status=broken` is not a state".replace('`', ""),
        ),
        (
            "from=yesterday",
            "From</code> cannot be <code>yesterday".to_owned(),
        ),
        ("colour=red", "Unknown parameter".to_owned()),
    ] {
        let page = browser.get(&format!("/?{view}&service=web")).await.is(400);
        let plain = page.body.replace("<code>", "").replace("</code>", "");
        let said = said.replace("</code>", "").replace("<code>", "");
        assert!(
            plain.to_lowercase().contains(&said.to_lowercase()),
            "{view}: {plain}"
        );
        assert!(
            page.body.contains("href=\"/?service=web\""),
            "{view}: {}",
            page.body
        );
    }
    let page = browser.get("/?status=open&severity=SEV-1").await.is(200);
    for left in ["href=\"/?status=open\"", "href=\"/?severity=SEV-1\""] {
        assert!(page.body.contains(left), "{}", page.body);
    }
    let form = browser
        .get("/?choose=filter&severity=SEV-1")
        .await
        .is(200)
        .body;
    assert!(form.contains("value=\"SEV-1\" checked"), "{form}");
    for service in ["web", "db", "search"] {
        assert!(
            form.contains(&format!("<option value=\"{service}\">")),
            "{form}"
        );
    }
}

#[tokio::test]
async fn a_long_list_has_pages_and_none_is_left_out() {
    let server = Server::with_people().await;
    for number in 1..=205 {
        declare(&server, &format!("Number {number}"), "SEV-4", "web").await;
    }
    let mut browser = server.signed_in(Role::Viewer).await;
    let mut found: Vec<String> = Vec::new();
    let mut next = Some("/?status=any".to_owned());
    let mut pages = 0;
    while let Some(address) = next.take() {
        let body = browser.get(&address).await.is(200).body;
        assert!(
            body.contains("Newest first<span class=\"number\">205</span>"),
            "{body}"
        );
        found.extend(listed(&body).into_iter().map(str::to_owned));
        let (before, _) = body.split_once("\">Older</a>").unwrap_or_default();
        let link = before
            .rsplit_once("href=\"")
            .map(|(_, link)| link.replace("&amp;", "&"));
        next = link.filter(|_| !before.is_empty());
        pages += 1;
    }
    let all: Vec<String> = (1..=205)
        .rev()
        .map(|number| format!("INC-{number}"))
        .collect();
    assert_eq!((pages, found), (3, all));
}

#[tokio::test]
async fn a_saved_view_is_its_owners_alone_and_leads_where_it_was_saved() {
    let server = some().await;
    let mut ann = server.signed_in(Role::Viewer).await;
    let address = "/?severity=SEV-3&status=open";
    let save = [("back", address), ("name", "Small fires")];
    let page = ann.post(address, "/views", &save).await.is(303);
    assert_eq!(page.to(), address);
    assert_eq!(
        server.last_act().await,
        "account viewer@example.com: saved a view of the incidents [Small fires] 303"
    );
    let body = ann.get("/").await.body;
    assert_eq!(saved(&body), ["Small fires"]);
    assert!(
        body.contains("href=\"/?severity=SEV-3&amp;status=open\">Small fires"),
        "{body}"
    );
    let mut bob = server.signed_in(Role::Responder).await;
    assert!(saved(&bob.get("/").await.body).is_empty());
    let remove = [("back", "/"), ("name", "Small fires")];
    bob.post("/", "/views/remove", &remove).await.is(303);
    assert_eq!(
        saved(&ann.get("/").await.body),
        ["Small fires"],
        "bob has none to remove"
    );
    ann.post("/", "/views/remove", &remove).await.is(303);
    assert!(saved(&ann.get("/").await.body).is_empty());
}

#[tokio::test]
async fn a_view_that_cannot_be_kept_says_why() {
    let server = some().await;
    let mut browser = server.signed_in(Role::Viewer).await;
    let nameless = [("back", "/?status=open"), ("name", " ")];
    let page = browser.post("/", "/views", &nameless).await.is(422);
    assert!(
        page.body
            .contains("The name of a view has 1 to 60 characters"),
        "{}",
        page.body
    );
    let senseless = [("back", "/?status=broken"), ("name", "Broken")];
    browser.post("/", "/views", &senseless).await.is(400);
    let elsewhere = [("back", "//evil.example/?status=open"), ("name", "Away")];
    let page = browser.post("/", "/views", &elsewhere).await.is(303);
    assert_eq!(page.to(), "/?status=open", "an address of this server");
    for number in 0..60 {
        let name = format!("View {number}");
        let fields = [("back", "/?status=open"), ("name", name.as_str())];
        browser.post("/", "/views", &fields).await;
    }
    let body = browser.get("/").await.body;
    assert_eq!(saved(&body).len(), 50);
}

#[tokio::test]
async fn without_accounts_views_are_the_machines() {
    let server = Server::listening(true);
    declare(&server, "Slow", "SEV-4", "web").await;
    let mut browser = Browser::new(&server);
    browser.peer = "127.0.0.1:4000";
    let mut page = browser.request("GET", "/");
    page.headers_mut()
        .insert("host", "localhost".parse().unwrap());
    let word = browser.send(page).await.is(200).word();
    let fields = [
        ("word", &*word),
        ("back", "/?status=open"),
        ("name", "Mine"),
    ];
    let mut form = browser.form("/views", &fields);
    form.headers_mut()
        .insert("host", "localhost".parse().unwrap());
    form.headers_mut()
        .insert("origin", "http://localhost".parse().unwrap());
    browser.send(form).await.is(303);
    let mut other = Browser::new(&server);
    other.peer = "127.0.0.1:4001";
    let mut page = other.request("GET", "/?status=any");
    page.headers_mut()
        .insert("host", "localhost".parse().unwrap());
    assert_eq!(saved(&other.send(page).await.body), ["Mine"]);
}

#[tokio::test]
async fn what_is_done_to_several_leads_back_to_the_view() {
    let server = some().await;
    let mut browser = server.signed_in(Role::Responder).await;
    let view = "/?severity=SEV-3&status=any";
    let body = browser.get(view).await.is(200).body;
    assert!(body.contains("name=\"chosen\" value=\"INC-2\""), "{body}");
    assert!(
        !body.contains("name=\"chosen\" value=\"INC-3\""),
        "what is over is not chosen"
    );
    let fields = [("back", view), ("chosen", "INC-2")];
    let page = browser
        .post(view, "/chosen/acknowledge", &fields)
        .await
        .is(303);
    assert!(
        page.to().starts_with(&format!("{view}&said=")),
        "{}",
        page.to()
    );
    let body = browser.get(page.to()).await.is(200).body;
    assert!(body.contains("Acknowledged 1 of 1."), "{body}");
    assert_eq!(listed(&body), ["INC-3", "INC-2"]);
    let none = browser
        .post(view, "/chosen/resolve", &[("back", view)])
        .await
        .is(422);
    assert_eq!(listed(&none.body), ["INC-3", "INC-2"], "the view stays");
}
