//! What somebody tries who may not: each is refused, changes nothing, and is in the audit log.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use im::access::passwords::Passwords;
use im::clock::Clock;
use im_store::accounts::Role;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::refused::Log;
use super::{ANN, Browser, HOST, PASSWORD, new_account, with_token};
use crate::http::{FAR, NEAR, Server, request};

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let server = Server::with_people().await;
    let mut owner = server.signed_in(Role::Owner).await;
    let word = owner.get("/people").await.word();
    let path = "/people/viewer@example.com/disable";
    let good = [("word", &*word)];
    let mut with = async |change: &dyn Fn(&mut HeaderMap), fields: &[(&str, &str)], why: &str| {
        let mut form = owner.form(path, fields);
        change(form.headers_mut());
        let page = owner.send(form).await;
        assert_eq!(page.status, 403, "{why}: {}", page.body);
        assert_eq!(
            server.last_act().await,
            "account owner@example.com: disabled an account [viewer@example.com] 403",
            "{why}"
        );
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://192.0.2.1:9090"),
        ("origin", "http://192.0.2.1.evil.example:8080"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("content-type", "text/plain"),
    ] {
        let set = |headers: &mut HeaderMap| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        with(&set, &good, value).await;
    }
    let silent = |headers: &mut HeaderMap| {
        headers.remove("origin");
        headers.remove("sec-fetch-site");
    };
    with(&silent, &good, "a browser that says nothing").await;
    let none = |_: &mut HeaderMap| {};
    let mut other = server.signed_in(Role::Owner).await;
    let other = other.get("/people").await.word();
    with(&none, &[], "no word").await;
    for word in ["", &"0".repeat(64), &other] {
        with(&none, &[("word", word)], word).await;
    }
    let account = server.account("viewer@example.com").await;
    assert!(account.disabled_at.is_none());
    let form = owner.form(path, &good);
    owner.send(form).await.is(303);
}

#[tokio::test]
async fn signing_in_by_a_form_of_another_site_does_nothing() {
    let server = Server::with_people().await;
    let mut browser = Browser::new(&server);
    let word = browser.get("/sign-in").await.word();
    let fields = [
        ("word", &*word),
        ("email", "viewer@example.com"),
        ("password", PASSWORD),
    ];
    let mut form = browser.form("/sign-in", &fields);
    form.headers_mut()
        .insert("origin", HeaderValue::from_static("https://evil.example"));
    browser.send(form).await.is(403);
    assert_eq!(server.last_act().await, "nobody : signed in [] 403");
    let form = browser.form("/sign-in", &fields[1..]);
    browser.send(form).await.is(403);
    assert_eq!(server.last_act().await, "nobody : signed in [] 403");
    browser.get("/").await.is(303);
    assert_eq!(
        server.last_act().await,
        "nobody : asked for / by no session [] 401"
    );
    assert_eq!(server.audited().await.len(), 3, "each is kept");
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_the_one_that_begins() {
    let server = Server::with_people().await;
    let planted = format!("im={}", "b".repeat(64));
    let mut browser = Browser::new(&server);
    browser.cookie = Some(planted.clone());
    let page = browser
        .sign_in("viewer@example.com", PASSWORD)
        .await
        .is(303);
    let set = page.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"),
        "{set}"
    );
    assert_ne!(browser.cookie.as_ref(), Some(&planted));
    let mut attacker = Browser::new(&server);
    attacker.cookie = Some(planted);
    attacker.get("/").await.is(303);
    let refused = "nobody : asked for / by no session [] 401";
    assert_eq!(server.last_act().await, refused);
    // Signing in again from the same browser ends the session before.
    let first = browser.cookie.clone();
    browser.get("/account").await.is(200);
    let word = browser.get("/account").await.word();
    let fields = [
        ("word", &*word),
        ("email", "viewer@example.com"),
        ("password", PASSWORD),
    ];
    let form = browser.form("/sign-in", &fields);
    browser.send(form).await.is(303);
    attacker.cookie = first;
    attacker.get("/").await.is(303);
    assert_eq!(server.last_act().await, refused);
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_this_host_alone() {
    let server = Server::with_people().await;
    server
        .in_process(
            "PATCH",
            "/api/v1/settings",
            &json!({"public_url": "https://im.example.com"}),
        )
        .await;
    let mut browser = Browser::new(&server);
    let ask = |mut request: axum::http::Request<axum::body::Body>, origin: &'static str| {
        let headers = request.headers_mut();
        headers.insert("host", HeaderValue::from_static("im.example.com"));
        if !origin.is_empty() {
            headers.insert("origin", HeaderValue::from_static(origin));
        }
        request
    };
    let page = browser.request("GET", "/sign-in");
    let page = browser.send(ask(page, "")).await.is(200);
    let set = page.headers["set-cookie"].to_str().unwrap();
    assert!(
        set.starts_with("__Host-im=") && set.contains("; Secure"),
        "{set}"
    );
    let word = page.word();
    let fields = [
        ("word", &*word),
        ("email", "viewer@example.com"),
        ("password", PASSWORD),
    ];
    let form = browser.form("/sign-in", &fields);
    browser
        .send(ask(form, "http://im.example.com"))
        .await
        .is(403);
    let form = browser.form("/sign-in", &fields);
    browser
        .send(ask(form, "https://im.example.com"))
        .await
        .is(303);
    let page = browser.request("GET", "/");
    browser.send(ask(page, "")).await.is(200);
    let page = Browser::new(&server).get("/sign-in").await.is(200);
    let hint = "Sign in there: without TLS a browser may not keep the session.";
    assert!(page.body.contains(hint), "{}", page.body);
    // The same secret in a cookie that others of the domain could have set.
    let secret = browser.cookie.take().unwrap().replace("__Host-im=", "im=");
    browser.cookie = Some(secret);
    let page = browser.request("GET", "/");
    browser.send(ask(page, "")).await.is(303);
}

#[tokio::test]
async fn a_name_that_was_bent_to_lead_here_shows_nothing() {
    let server = Server::with_people().await;
    let mut owner = server.signed_in(Role::Owner).await;
    for host in [
        "evil.example",
        "192.0.2.1.evil.example",
        "localhost.evil.example",
        "",
        "a b",
    ] {
        let mut page = owner.request("GET", "/");
        page.headers_mut()
            .insert("host", HeaderValue::from_str(host).unwrap());
        // What other names a proxy may claim does not matter.
        page.headers_mut()
            .insert("x-forwarded-host", HeaderValue::from_static(HOST));
        let page = owner.send(page).await.is(421);
        assert!(
            page.body.contains("im config set public_url"),
            "{}",
            page.body
        );
        assert_eq!(server.last_act().await, "nobody : asked for / [] 421");
    }
    assert_eq!(server.audited().await.len(), 6, "each is kept");
    for host in ["localhost:8080", "[2001:db8::1]:8080", "10.0.0.1"] {
        let mut page = owner.request("GET", "/");
        page.headers_mut()
            .insert("host", HeaderValue::from_str(host).unwrap());
        owner.send(page).await.is(200);
    }
}

#[tokio::test]
async fn nobody_is_led_away_after_signing_in() {
    let server = Server::with_people().await;
    let log = Log::begin("hostile-led-away");
    let wrong = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aset-cookie:x",
        "/\n/evil.example",
    ];
    for to in wrong {
        let mut browser = Browser::new(&server);
        let fields = [
            ("email", "viewer@example.com"),
            ("password", PASSWORD),
            ("to", to),
        ];
        let page = browser.post("/sign-in", "/sign-in", &fields).await.is(303);
        let led = page.to().to_owned();
        assert!(led == "/" || led == "/%0d%0aset-cookie:x", "{to}: {led}");
        assert_eq!(
            server.last_act().await,
            "account viewer@example.com: signed in [] 303"
        );
        browser.get("/").await.is(200);
    }
    let mut browser = Browser::new(&server);
    let page = browser
        .get("/overview?from=2026-11-01&service=a%20b")
        .await
        .is(303);
    assert_eq!(
        log.last(),
        "refused GET /overview to 203.0.113.7: 303 See Other"
    );
    let sign_in = page.to().to_owned();
    let page = browser.get(&sign_in).await.is(200);
    assert!(
        page.body
            .contains("value=\"/overview?from=2026-11-01&amp;service=a%20b\""),
        "{}",
        page.body
    );
    let page = browser.get("/sign-in?to=//evil.example").await;
    assert!(!page.body.contains("evil.example"), "{}", page.body);
    let kept = format!("{:?}", server.audited().await);
    assert!(!kept.contains("evil"), "{kept}");
}

#[tokio::test]
async fn a_name_is_text_and_never_markup() {
    let server = Server::with_people().await;
    let evil = "<script>alert(1)</script>\"'><img src=x>";
    let new = json!({"email": "\"<b>x</b>\"@example.com", "name": evil, "role": "viewer"});
    let made = server.in_process("POST", "/api/v1/accounts", &new).await;
    if made["code"] == "email" {
        let new = json!({"email": ANN, "name": evil, "role": "viewer"});
        server.in_process("POST", "/api/v1/accounts", &new).await;
    }
    server
        .token(json!({"name": "<u>ci<u>", "role": "viewer"}))
        .await;
    let mut owner = server.signed_in(Role::Owner).await;
    let asked = Browser::new(&server)
        .get("/sign-in?to=%22%3E%3Cscript%3E")
        .await
        .is(200);
    assert!(!asked.body.contains("><script>"), "{}", asked.body);
    for page in ["/people", "/audit", "/audit?who=%3Cscript%3E"] {
        let page = owner.get(page).await.body;
        for tag in ["<script>alert", "<img", "<b>x", "<u>", "><script>"] {
            assert!(!page.contains(tag), "{tag}: {page}");
        }
    }
    for log in ["/audit", "/audit/calls"] {
        let odd = owner.get(&format!("{log}?before=abc")).await.is(400).body;
        assert!(odd.contains("<code>before</code> cannot be"), "{odd}");
    }
    let people = owner.get("/people").await.body;
    assert!(people.contains("&lt;script&gt;alert(1)"), "{people}");
    let line = json!({"email": "eve@example.com", "name": "Eve\nlives", "role": "viewer"});
    let refused = server.in_process("POST", "/api/v1/accounts", &line).await;
    assert_eq!(refused["code"], "name", "{refused}");
}

#[tokio::test]
async fn guessing_is_stopped_by_person_and_by_address_and_says_until_when() {
    let server = Server::with_people().await;
    let mut guesser = Browser::new(&server);
    for _ in 0..5 {
        guesser
            .sign_in("owner@example.com", "wrong wrong wrong")
            .await
            .is(401);
    }
    let page = guesser.sign_in("owner@example.com", PASSWORD).await.is(429);
    assert!(
        page.body.contains("Try again from") && page.body.contains("09:29"),
        "{}",
        page.body
    );
    assert!(page.body.contains("in 15 min"), "{}", page.body);
    assert_eq!(
        server.last_act().await,
        "nobody owner@example.com: signed in [] 429"
    );
    // Whether there is such an account is not told by it.
    for _ in 0..5 {
        guesser
            .sign_in("nobody@example.com", "wrong wrong wrong")
            .await
            .is(401);
    }
    guesser
        .sign_in("nobody@example.com", "wrong wrong wrong")
        .await
        .is(429);
    // From elsewhere, too.
    let mut elsewhere = Browser::new(&server);
    elsewhere.peer = "198.51.100.1:4000";
    elsewhere
        .sign_in("owner@example.com", PASSWORD)
        .await
        .is(429);
    // Ten more from the first address, and nobody there can.
    for number in 0..10 {
        let email = format!("person{number}@example.com");
        guesser.sign_in(&email, "wrong wrong wrong").await.is(401);
    }
    guesser
        .sign_in("viewer@example.com", PASSWORD)
        .await
        .is(429);
    elsewhere
        .sign_in("viewer@example.com", PASSWORD)
        .await
        .is(303);
    server.pass(15 * 60);
    guesser.sign_in("owner@example.com", PASSWORD).await.is(303);
}

#[tokio::test]
async fn an_address_that_nobody_has_is_answered_like_a_wrong_password() {
    let server = Server::with_people().await;
    server
        .in_process("POST", "/api/v1/accounts", &new_account(ANN, "viewer"))
        .await;
    server.disable("admin@example.com").await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("viewer@example.com", "wrong wrong wrong"),
        ("nobody@example.com", PASSWORD),
        (ANN, PASSWORD),
        ("admin@example.com", PASSWORD),
    ] {
        let mut browser = Browser::new(&server);
        let page = browser.sign_in(email, password).await.is(401);
        let word = browser.get("/sign-in").await.word();
        answers.push(page.body.replace(email, "EMAIL").replace(&word, "WORD"));
        assert_eq!(
            server.last_act().await,
            format!("nobody {email}: signed in [] 401")
        );
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
}

#[tokio::test]
async fn what_is_typed_in_the_wrong_field_is_kept_nowhere() {
    let server = Server::with_people().await;
    let mut browser = Browser::new(&server);
    let page = browser
        .sign_in(PASSWORD, "viewer@example.com")
        .await
        .is(401);
    assert!(!page.body.contains(PASSWORD), "{}", page.body);
    assert_eq!(server.last_act().await, "nobody : signed in [] 401");
}

#[tokio::test]
async fn tricks_with_paths_open_nothing() {
    let server = Server::with_people().await;
    let log = Log::begin("hostile-paths");
    for path in [
        "//",
        "/./people",
        "/people/",
        "/People",
        "/people%2f",
        "/api/v1/../../people",
        "/%70eople",
        "/assets/../people",
        "/assets/%2e%2e/people",
        "/nowhere/imt_0123456789abcdef0123?token=imt_0123456789abcdef0123",
    ] {
        let page = Browser::new(&server).get(path).await;
        assert!(matches!(page.status, 303 | 404), "{path}: {}", page.status);
        assert!(!page.body.contains("owner@example.com"), "{path}");
        let said = match page.status {
            // The router reads it as the page that it names.
            303 => "refused GET /people to 203.0.113.7: 303 See Other".to_owned(),
            _ if path.starts_with("/nowhere") => {
                "refused GET /nowhere/[hidden] to 203.0.113.7: 404 Not Found".to_owned()
            }
            _ => format!("refused GET {path} to 203.0.113.7: 404 Not Found"),
        };
        assert_eq!(log.last(), said, "{path}");
    }
}

#[tokio::test]
async fn tricks_with_headers_open_nothing() {
    let server = Server::with_people().await;
    let log = Log::begin("hostile-headers");
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-original-url", "/assets/app.css"),
        ("x-rewrite-url", "/assets/app.css"),
        ("x-http-method-override", "GET"),
        ("im-as", "owner@example.com"),
        ("authorization", "Bearer imt_x"),
        ("cookie", "im="),
        ("cookie", "im=../../etc/passwd; im=x"),
    ] {
        let mut browser = Browser::new(&server);
        let mut page = browser.request("GET", "/people");
        page.headers_mut()
            .insert(name, HeaderValue::from_static(value));
        let before = log.count();
        browser.send(page).await.is(303);
        if name == "cookie" {
            assert_eq!(
                server.last_act().await,
                "nobody : asked for /people by no session [] 401"
            );
        } else {
            assert_eq!(log.count(), before + 1, "{name}");
        }
        let mut call = request(FAR, "GET", "/api/v1/accounts", &Value::Null);
        call.headers_mut()
            .insert(name, HeaderValue::from_static(value));
        server.send(call).await.is(401);
        assert_eq!(
            server.last_act().await,
            "nobody : asked for /api/v1/accounts [] 401"
        );
    }
    assert_eq!(server.audited().await.len(), 12, "each is kept");
}

#[tokio::test]
async fn tricks_with_methods_open_nothing() {
    let server = Server::with_people().await;
    let log = Log::begin("hostile-methods");
    for method in ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let mut browser = Browser::new(&server);
        let request = browser.request(method, "/people/owner@example.com/disable");
        browser.send(request).await.is(405);
        let said = format!(
            "refused {method} /people/{{email}}/disable to 203.0.113.7: 405 Method Not Allowed"
        );
        assert_eq!(log.last(), said);
    }
    let head = Browser::new(&server).request("HEAD", "/people");
    Browser::new(&server).send(head).await.is(303);
    assert_eq!(
        log.last(),
        "refused HEAD /people to 203.0.113.7: 303 See Other"
    );
}

#[tokio::test]
async fn a_proxy_that_is_not_ours_does_not_say_whence_a_guess_comes() {
    let server = Server::with_people().await;
    let mut browser = Browser::new(&server);
    for number in 0..20_u8 {
        let email = format!("person{number}@example.com");
        let word = browser.get("/sign-in").await.word();
        let fields = [
            ("word", &*word),
            ("email", &*email),
            ("password", "wrong wrong wrong"),
        ];
        let mut form = browser.form("/sign-in", &fields);
        let forged = HeaderValue::from_str(&format!("198.51.100.{number}")).unwrap();
        form.headers_mut().insert("x-forwarded-for", forged);
        browser.send(form).await.is(401);
    }
    browser
        .sign_in("viewer@example.com", PASSWORD)
        .await
        .is(429);
    assert_eq!(server.audited().await[0].entry.address, "203.0.113.7");
    // One of ours is believed.
    server
        .in_process(
            "PATCH",
            "/api/v1/settings",
            &json!({"trusted_proxy_hops": 1}),
        )
        .await;
    let word = browser.get("/sign-in").await.word();
    let fields = [
        ("word", &*word),
        ("email", "viewer@example.com"),
        ("password", PASSWORD),
    ];
    let mut form = browser.form("/sign-in", &fields);
    form.headers_mut()
        .insert("x-forwarded-for", HeaderValue::from_static("198.51.100.9"));
    browser.send(form).await.is(303);
    assert_eq!(server.audited().await[0].entry.address, "198.51.100.9");
    // What a stranger wrote before it need not even be text.
    for (bytes, address) in [
        (&b"\xff\xfe, 198.51.100.77"[..], "198.51.100.77"),
        (b"198.51.100.78, \xff", "203.0.113.7"),
    ] {
        let word = browser.get("/account").await.word();
        let mut form = browser.form("/sign-out", &[("word", &*word)]);
        let forwarded = HeaderValue::from_bytes(bytes).unwrap();
        form.headers_mut().insert("x-forwarded-for", forwarded);
        browser.send(form).await.is(303);
        assert_eq!(server.audited().await[0].entry.address, address);
        browser.cookie = None;
        server.pass(15 * 60);
        browser
            .sign_in("viewer@example.com", PASSWORD)
            .await
            .is(303);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_sent_away_because_others_sign_in_does_not_count() {
    let clock = Clock::manual("2026-11-20T09:14:05Z".parse().unwrap());
    let server = Server::changed(clock, false, |app| {
        Arc::get_mut(&mut app.access).unwrap().passwords = Passwords::at_once(0);
    });
    server.add_people().await;
    let mut browser = Browser::new(&server);
    for _ in 0..7 {
        let page = browser.sign_in("viewer@example.com", PASSWORD).await;
        let page = page.is(503).body;
        assert!(page.contains("Too many people are signing in"), "{page}");
    }
}

#[tokio::test]
async fn what_a_token_does_and_what_is_refused_to_it_is_kept() {
    let server = Server::listening(false);
    let token = server
        .token(json!({"name": "ci", "role": "responder"}))
        .await;
    assert_eq!(server.last_act().await, "local : made a token [ci] 201");
    let new = json!({"title": "secret plans", "severity": "SEV-3"});
    let mut declare = with_token(&token, "POST", "/api/v1/incidents", &new);
    let for_ann = HeaderValue::from_static(ANN);
    declare.headers_mut().insert("im-as", for_ann);
    server.send(declare).await.is(201);
    let rows = server.audited().await;
    assert_eq!(rows[0].entry.acts_as.as_deref(), Some(ANN));
    assert_eq!(rows[0].entry.address, "203.0.113.7");
    assert_eq!(
        server.last_act().await,
        "token ci: declared an incident [INC-1] 201"
    );
    for (token, method, path, status, act) in [
        (
            &*token,
            "POST",
            "incidents/INC-1/resolve",
            200,
            "resolved an incident [INC-1]",
        ),
        (
            &token,
            "POST",
            "incidents/INC-9/resolve",
            404,
            "resolved an incident [INC-9]",
        ),
        (&token, "GET", "audit", 403, "asked for /api/v1/audit []"),
        (
            "imt_wrong",
            "GET",
            "incidents",
            401,
            "asked for /api/v1/incidents []",
        ),
    ] {
        let ask = with_token(token, method, &format!("/api/v1/{path}"), &Value::Null);
        server.send(ask).await.is(status);
        let who = if status == 401 { "nobody " } else { "token ci" };
        assert_eq!(server.last_act().await, format!("{who}: {act} {status}"));
    }
    let all = format!("{:?}", server.audited().await);
    for secret in ["secret plans", &token, "imt_"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    let count = server.audited().await.len();
    let read = with_token(&token, "GET", "/api/v1/incidents", &Value::Null);
    server.send(read).await.is(200);
    assert_eq!(server.audited().await.len(), count, "reading is no act");
    server
        .send(request(NEAR, "GET", "/api/v1/incidents", &Value::Null))
        .await
        .is(401);
    assert_eq!(
        server.last_act().await,
        "nobody : asked for /api/v1/incidents [] 401"
    );
}

#[tokio::test]
async fn who_hangs_up_is_kept_with_what_they_began() {
    let server = Server::listening(false);
    let token = server.token(json!({"name": "ci"})).await;
    let new = json!({"title": "x", "severity": "SEV-3"});
    let request = with_token(&token, "POST", "/api/v1/incidents", &new);
    let mut asking = Box::pin(server.router.clone().oneshot(request));
    let is_waiting = futures_util::poll!(&mut asking).is_pending();
    assert!(is_waiting, "it was answered before it could be left");
    drop(asking);
    let mut act = server.last_act().await;
    for _ in 0..10_000 {
        if act.starts_with("token") {
            break;
        }
        tokio::task::yield_now().await;
        act = server.last_act().await;
    }
    assert_eq!(act, "token ci: declared an incident [INC-1] 201");
}

#[tokio::test]
async fn strangers_do_not_fill_the_audit_log() {
    let server = Server::with_people().await;
    for _ in 0..100 {
        server
            .send_unseen(request(FAR, "POST", "/api/v1/incidents", &json!({})))
            .await
            .is(401);
    }
    assert_eq!(server.audited().await.len(), 60);
    server.signed_in(Role::Viewer).await;
    assert_eq!(
        server.audited().await.len(),
        61,
        "who is known is kept all the same"
    );
}

#[tokio::test]
async fn who_knocks_at_many_doors_does_not_hide_who_tries_a_password() {
    let server = Server::with_people().await;
    let log = Log::begin("hostile-knocks");
    for _ in 0..100 {
        server
            .send_unseen(request(FAR, "GET", "/api/v1/incidents", &Value::Null))
            .await
            .is(401);
        Browser::new(&server).get("/nowhere").await.is(404);
    }
    assert_eq!(server.audited().await.len(), 60);
    assert_eq!(log.count(), 60, "a scanner does not fill the disk");
    Browser::new(&server)
        .sign_in("owner@example.com", "wrong wrong wrong")
        .await
        .is(401);
    assert_eq!(
        server.last_act().await,
        "nobody owner@example.com: signed in [] 401"
    );
}

#[tokio::test]
async fn from_the_first_account_on_this_machine_needs_a_token_too() {
    let server = Server::start();
    let call = || request(NEAR, "GET", "/api/v1/accounts", &Value::Null);
    server.send(call()).await.is(200);
    // A proxy that adds no header looks like this machine, and so does a webhook that points here.
    let owner = json!({"email": ANN, "role": "owner"});
    server.in_process("POST", "/api/v1/accounts", &owner).await;
    server.send(call()).await.is(401);
    let reset = format!("/api/v1/accounts/{ANN}/reset");
    let reset = request(NEAR, "POST", &reset, &Value::Null);
    server.send(reset).await.is(401);
    let listed = server
        .in_process("GET", "/api/v1/accounts", &Value::Null)
        .await;
    assert_eq!(listed[0]["email"], ANN, "the command line goes on");
}

#[tokio::test]
async fn an_admin_reaches_no_right_of_an_owner() {
    let server = Server::with_people().await;
    let admin = server
        .token(json!({"name": "admin", "role": "admin"}))
        .await;
    server
        .token(json!({"name": "owners", "role": "owner"}))
        .await;
    let as_admin = |method, path: &str, body: &Value| with_token(&admin, method, path, body);
    // Links of owners begin with the public address.
    for change in [
        json!({"public_url": "https://im-example.evil"}),
        json!({"trusted_proxy_hops": 9}),
    ] {
        let call = as_admin("PATCH", "/api/v1/settings", &change);
        server.send(call).await.is(403);
    }
    let call = as_admin("DELETE", "/api/v1/tokens/owners", &Value::Null);
    server.send(call).await.is(403);
    let forged = json!({"name": "x\n2026-11-20 owner disabled", "role": "viewer"});
    let call = as_admin("POST", "/api/v1/tokens", &forged);
    server.send(call).await.is(422);
    // A link that an admin made for a responder ends with the promotion.
    let path = "/api/v1/accounts/responder@example.com/reset";
    let made = server.send(as_admin("POST", path, &Value::Null)).await;
    let link = made.is(200)["link"].as_str().unwrap().to_owned();
    let link = link.split_once("/set-password").unwrap().1;
    let link = format!("/set-password{link}");
    let mut browser = Browser::new(&server);
    browser.get(&link).await.is(200);
    let role = json!({"role": "owner"});
    let path = "/api/v1/accounts/responder@example.com/role";
    let given = server.in_process("POST", path, &role).await;
    assert_eq!(given["role"], "owner", "{given}");
    browser.get(&link).await.is(410);
}

#[tokio::test]
async fn what_is_typed_fills_no_log() {
    let server = Server::with_people().await;
    let mut browser = Browser::new(&server);
    let long = format!("{}@b", "a".repeat(5_000));
    browser.sign_in(&long, "wrong wrong wrong").await.is(401);
    let rows = server.audited().await;
    assert!(rows.iter().all(|row| row.entry.who.len() <= 300));
    let viewer = server
        .token(json!({"name": "viewer", "role": "viewer"}))
        .await;
    let before = server.audited().await.len();
    for _ in 0..100 {
        let call = with_token(&viewer, "GET", "/api/v1/audit", &Value::Null);
        server.send(call).await.is(403);
    }
    let kept = server.audited().await.len() - before;
    assert_eq!(kept, 60, "so many a minute");
}
