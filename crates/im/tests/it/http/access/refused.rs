//! Each route, asked by who may not: without a session or a token, with one that counts no more or is of another server,
//! and by a viewer. Each is refused as the table of rights says, and leaves its trace.

use std::path::PathBuf;

use axum::http::HeaderValue;
use im::access::rules::{Need, RULES, Rule};
use im::journal::{Wanted, read};
use im_store::accounts::Role;
use serde_json::{Value, json};
use tracing::subscriber::DefaultGuard;

use super::{ANN, Browser, Page, with_token};
use crate::http::logs::{folder, keep};
use crate::http::{FAR, Server, request};

/// What a server says in its log of what it refused.
pub(super) struct Log {
    folder: PathBuf,
    _kept: DefaultGuard,
}

impl Log {
    pub(super) fn begin(name: &str) -> Self {
        let folder = folder(name);
        Self {
            _kept: keep(&folder),
            folder,
        }
    }

    fn lines(&self) -> Vec<String> {
        let wanted = Wanted {
            component: Some("http".to_owned()),
            filter: Some("refused ".to_owned()),
            limit: 1_000,
            ..Wanted::default()
        };
        let lines = read(&self.folder, &wanted).into_iter();
        lines.map(|line| line.text).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.lines().len()
    }

    pub(super) fn last(&self) -> String {
        self.lines().pop().unwrap_or_default()
    }
}

/// What stands for the open parts of paths.
const PARTS: [(&str, &str); 7] = [
    ("{email}", "owner@example.com"),
    ("{name}", "mttr"),
    ("{id}", "INC-1"),
    ("{kind}", "services"),
    ("{of}", "organisation"),
    ("{effective_from}", "2026-01-01"),
    ("{user}", "PUSER1"),
];

/// A path with something in its place.
fn path(template: &str) -> String {
    let filled = PARTS
        .iter()
        .fold(template.to_owned(), |path, (part, name)| {
            path.replace(part, name)
        });
    assert!(!filled.contains('{'), "{filled}: say what stands for it");
    filled
}

/// What the audit log says that it was about.
fn thing(template: &str) -> String {
    let parts = template.split('/').filter(|part| part.starts_with('{'));
    parts.map(path).collect::<Vec<_>>().join(" ")
}

/// The row of what was refused.
fn row(who: &str, rule: &Rule, status: u16) -> String {
    let act = match rule.act {
        "" => format!("asked for {}", rule.path),
        act => act.to_owned(),
    };
    format!("{who}: {act} [{}] {status}", thing(rule.path))
}

fn is_page(rule: &Rule) -> bool {
    !rule.path.starts_with("/api/") && rule.path != "/metrics"
}

/// The routes that need a role: of the pages, or of the API.
fn routes(of_pages: bool) -> impl Iterator<Item = (&'static Rule, Role)> {
    let all = RULES.into_iter().flatten();
    let with_role = all.filter_map(|rule| match rule.need {
        Need::Role(role) => Some((rule, role)),
        Need::Nothing | Need::Visitor => None,
    });
    with_role.filter(move |(rule, _)| is_page(rule) == of_pages)
}

/// Asks for each page with a cookie that must not be answered; forms have a good origin and a good word.
async fn all_are_closed(server: &Server, log: &Log, cookie: Option<String>, why: &str) {
    let begun = server.audited().await.len();
    for (rule, _) in routes(true) {
        // So many are kept a minute.
        server.pass(2);
        let mut browser = Browser::new(server);
        browser.cookie.clone_from(&cookie);
        let path = path(rule.path);
        let page = if rule.is_read() {
            browser.get(&path).await
        } else {
            let word = browser.get("/sign-in").await.word();
            let fields = [("word", &*word), ("role", "viewer"), ("email", ANN)];
            let form = browser.form(&path, &fields);
            browser.send(form).await
        };
        must_be_closed(&page, rule, why);
        let is_worth_a_row = cookie.is_some() || page.status == 401 || !rule.act.is_empty();
        if !is_worth_a_row {
            let said = format!("refused GET {} to 203.0.113.7: 303 See Other", rule.path);
            assert_eq!(log.last(), said, "{why}");
            continue;
        }
        // Whoever is sent to sign in (303) has done nothing.
        let mut expected = row("nobody ", rule, 401);
        if rule.act.is_empty() && cookie.is_some() {
            expected = expected.replace(" [", " by no session [");
        }
        assert_eq!(server.last_act().await, expected, "{why}");
    }
    if cookie.is_some() {
        let kept = server.audited().await.len() - begun;
        assert_eq!(kept, routes(true).count(), "{why}: each is kept, once");
    }
}

#[track_caller]
fn must_be_closed(page: &Page, rule: &Rule, why: &str) {
    let is_closed = match page.status {
        303 => rule.is_read() && page.to().starts_with("/sign-in"),
        status => status == 401,
    };
    assert!(
        is_closed,
        "{why}: {} {}: {}",
        rule.method, rule.path, page.status
    );
}

#[tokio::test]
async fn nothing_is_open_without_a_session_that_is_on() {
    let server = Server::with_people().await;
    let log = Log::begin("refused-pages");
    all_are_closed(&server, &log, None, "no session").await;
    let made_up = format!("im={}", "a".repeat(64));
    all_are_closed(&server, &log, Some(made_up), "a made-up session").await;

    let disabled = server.signed_in(Role::Admin).await.cookie;
    server.disable("admin@example.com").await;
    all_are_closed(&server, &log, disabled, "a disabled account").await;
    let expired = server.signed_in(Role::Owner).await.cookie;
    server.pass(24 * 3600);
    all_are_closed(&server, &log, expired, "an expired session").await;
    for email in ["owner@example.com", "viewer@example.com"] {
        let account = server.account(email).await;
        assert!(account.disabled_at.is_none(), "nothing was changed");
    }
}

#[tokio::test]
async fn nothing_of_the_api_is_open_without_a_token_of_this_server() {
    let server = Server::with_people().await;
    let other = Server::listening(false);
    let new = json!({"name": "ci", "role": "owner"});
    let foreign = other.token(new.clone()).await;
    let revoked = server.token(new).await;
    server
        .in_process("DELETE", "/api/v1/tokens/ci", &Value::Null)
        .await;
    let of_somebody = json!({"name": "ada", "role": "admin", "email": "admin@example.com"});
    let ended = server.token(of_somebody).await;
    server.disable("admin@example.com").await;
    for (rule, _) in routes(false) {
        server.pass(10);
        let path = path(rule.path);
        let body = json!({"nonsense": true});
        let bare = request(FAR, rule.method, &path, &body);
        let mut with_cookie = request(FAR, rule.method, &path, &body);
        let cookie = HeaderValue::from_str(&format!("im={}", "a".repeat(64)));
        with_cookie.headers_mut().insert("cookie", cookie.unwrap());
        let with = |token: &str| with_token(token, rule.method, &path, &body);
        for asked in [
            bare,
            with_cookie,
            with(&foreign),
            with(&revoked),
            with(&ended),
        ] {
            server.send_unseen(asked).await.is(401);
            assert_eq!(server.last_act().await, row("nobody ", rule, 401));
        }
    }
    let all = format!("{:?}", server.audited().await);
    for secret in [&foreign, &revoked, &ended] {
        assert!(!all.contains(secret.as_str()), "a token is kept");
    }
}

#[tokio::test]
async fn a_viewer_is_refused_what_others_may_on_the_pages() {
    let server = Server::with_people().await;
    let mut viewer = server.signed_in(Role::Viewer).await;
    let word = viewer.get("/account").await.word();
    for (rule, needed) in routes(true) {
        if needed == Role::Viewer {
            continue;
        }
        server.pass(2);
        let path = path(rule.path);
        let page = if rule.is_read() {
            viewer.get(&path).await
        } else {
            let fields = [("word", &*word), ("role", "owner"), ("email", ANN)];
            let form = viewer.form(&path, &fields);
            viewer.send(form).await
        };
        let page = page.is(403);
        let has = page.body.contains("you have the role viewer");
        assert!(has, "{}", page.body);
        let expected = row("account viewer@example.com", rule, 403);
        assert_eq!(server.last_act().await, expected);
    }
    // The API does not know the cookie.
    let mut api = viewer.request("GET", "/api/v1/incidents");
    api.headers_mut()
        .insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    viewer.send(api).await.is(401);
    let owner = server.signed_in(Role::Owner).await;
    let api = owner.request("POST", "/api/v1/incidents");
    viewer.send(api).await.is(401);
}

#[tokio::test]
async fn a_token_of_a_viewer_is_refused_what_others_may() {
    let server = Server::with_people().await;
    let token = server
        .token(json!({"name": "board", "role": "viewer"}))
        .await;
    for (rule, needed) in routes(false) {
        if needed == Role::Viewer {
            continue;
        }
        server.pass(2);
        let body = json!({"nonsense": true});
        let asked = with_token(&token, rule.method, &path(rule.path), &body);
        let answer = server.send_unseen(asked).await;
        assert_eq!(answer.is(403)["code"], "role");
        assert_eq!(server.last_act().await, row("token board", rule, 403));
    }
}

#[tokio::test]
async fn a_link_that_nobody_gave_opens_nothing_and_is_kept_without_its_secret() {
    let server = Server::with_people().await;
    let secret = "c".repeat(64);
    for page in ["/set-password", "/give-key"] {
        let mut browser = Browser::new(&server);
        browser.get(&format!("{page}?link={secret}")).await.is(410);
        assert_eq!(
            server.last_act().await,
            format!("nobody : asked for {page} [] 410")
        );
        let word = browser.get("/sign-in").await.word();
        let fields = [("word", &*word), ("link", &secret), ("api_key", "u+x")];
        let form = browser.form(page, &fields);
        let refused = browser.send(form).await;
        assert!(matches!(refused.status, 410 | 422), "{}", refused.status);
        assert!(server.last_act().await.starts_with("nobody "));
    }
    let rows = server.audited().await;
    assert_eq!(rows.len(), 4, "each is kept");
    assert!(!format!("{rows:?}").contains(&secret));
}
