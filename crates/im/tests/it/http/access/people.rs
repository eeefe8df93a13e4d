//! Accounts from the first owner on, by the API and by the pages.

use futures_util::StreamExt as _;
use im_store::accounts::{self, Role};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{ANN, BOB, Browser, PASSWORD, new_account, with_token};
use crate::http::Server;

/// Follows a link and chooses a password.
async fn choose(browser: &mut Browser<'_>, link: &str, more: &[(&str, &str)]) -> super::Page {
    let secret = link.split_once("link=").unwrap().1.to_owned();
    let fields = [
        &[("link", &*secret), ("new", PASSWORD), ("again", PASSWORD)],
        more,
    ]
    .concat();
    browser.post(link, "/set-password", &fields).await
}

#[tokio::test]
async fn the_first_owner_comes_by_the_link_that_a_server_prints_and_nobody_else_does() {
    let server = Server::listening(false);
    let mut browser = Browser::new(&server);
    assert_eq!(browser.get("/").await.is(303).to(), "/sign-in");
    let page = browser.get("/sign-in").await.is(200);
    assert!(
        page.body
            .contains("im user add you@example.com --role owner"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("type=\"password\""));

    let now = server.clock.now();
    let write = server
        .app
        .db
        .write(move |tx| im::access::people::first_owner(tx, "secret", now));
    let link = write.await.unwrap().unwrap().path();
    let page = choose(&mut browser, &link, &[("email", "nobody")])
        .await
        .is(422);
    assert!(
        page.body.contains("is not an e-mail address"),
        "{}",
        page.body
    );
    let page = choose(
        &mut browser,
        &link,
        &[("email", "Ann@Example.com"), ("name", "Ann Lee")],
    );
    assert_eq!(page.await.is(303).to(), "/");
    assert_eq!(
        server.last_act().await,
        format!("account {ANN}: chose a password by a link [] 303")
    );
    let page = browser.get("/people").await.is(200);
    for part in ["Ann Lee", ANN, "Owner", "This is you", "Sign out"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let mut other = Browser::new(&server);
    assert!(
        other
            .get(&link)
            .await
            .is(410)
            .body
            .contains("This link is over")
    );
    let write = server
        .app
        .db
        .write(move |tx| im::access::people::first_owner(tx, "again", now));
    assert!(write.await.unwrap().is_none(), "there is an owner");
}

#[tokio::test]
async fn while_nobody_has_an_account_this_machine_sees_everything_and_from_the_first_on_it_signs_in()
 {
    let server = Server::start();
    let mut here = Browser::new(&server);
    here.peer = "127.0.0.1:50000";
    let open = here.request("GET", "/");
    let near = |mut request: axum::http::Request<axum::body::Body>| {
        request
            .headers_mut()
            .insert("host", "localhost:8080".parse().unwrap());
        request
    };
    here.send(near(open)).await.is(200);
    let open = here.request("GET", "/people");
    let page = here.send(near(open)).await.is(200);
    assert!(
        page.body.contains("Nobody has an account yet"),
        "{}",
        page.body
    );
    let mut form = here.form(
        "/people",
        &[("word", &page.word()), ("email", ANN), ("role", "owner")],
    );
    form.headers_mut()
        .insert("origin", "http://localhost:8080".parse().unwrap());
    let made = here.send(near(form)).await.is(200);
    assert!(
        made.body
            .contains("http://localhost:8080/set-password?link="),
        "{}",
        made.body
    );
    assert_eq!(
        server.last_act().await,
        format!("local : invited somebody [{ANN}] 200")
    );
    let closed = here.request("GET", "/");
    assert_eq!(here.send(near(closed)).await.is(303).to(), "/sign-in");
    // The command line of this machine stays the administrator; another program needs a token.
    let listed = server
        .in_process("GET", "/api/v1/incidents", &Value::Null)
        .await;
    assert_eq!(listed, json!([]));
    server.get("/api/v1/incidents").await.is(401);
    // Behind a proxy, for others: the proxy's marks are no reason any more.
    let mut proxied = Browser::new(&server).request("GET", "/sign-in");
    proxied
        .headers_mut()
        .insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
    here.send(proxied).await.is(200);
}

#[tokio::test]
async fn an_invitation_is_used_once_and_a_reset_ends_what_was() {
    let server = Server::listening(false);
    let made = server
        .in_process("POST", "/api/v1/accounts", &new_account(ANN, "viewer"))
        .await;
    assert_eq!(
        made["code"], "role",
        "the first account is an owner's: {made}"
    );
    let made = server
        .in_process("POST", "/api/v1/accounts", &new_account(ANN, "owner"))
        .await;
    assert_eq!(made["account"]["state"], "invited", "{made}");
    let link = made["link"].as_str().unwrap();
    let mut browser = Browser::new(&server);
    choose(&mut browser, link, &[]).await.is(303);
    browser.get("/").await.is(200);
    let again = server
        .in_process("POST", "/api/v1/accounts", &new_account(ANN, "viewer"))
        .await;
    assert_eq!(again["code"], "email_taken");

    let path = format!("/api/v1/accounts/{ANN}/reset");
    let reset = server.in_process("POST", &path, &Value::Null).await;
    browser.get("/").await.is(303);
    let mut other = Browser::new(&server);
    other.sign_in(ANN, PASSWORD).await.is(401);
    choose(&mut other, reset["link"].as_str().unwrap(), &[])
        .await
        .is(303);
    other.get("/").await.is(200);
    Browser::new(&server).sign_in(ANN, PASSWORD).await.is(303);
    let acts: Vec<String> = server
        .audited()
        .await
        .into_iter()
        .map(|row| row.entry.act)
        .collect();
    assert!(
        acts.contains(&"reset the password of an account".to_owned()),
        "{acts:?}"
    );
}

#[tokio::test]
async fn a_link_ends_after_its_time_and_with_its_account() {
    let server = Server::with_people().await;
    let made = server
        .in_process("POST", "/api/v1/accounts", &new_account(ANN, "viewer"))
        .await;
    let link = made["link"].as_str().unwrap().to_owned();
    server
        .in_process(
            "POST",
            &format!("/api/v1/accounts/{ANN}/disable"),
            &Value::Null,
        )
        .await;
    server
        .in_process(
            "POST",
            &format!("/api/v1/accounts/{ANN}/enable"),
            &Value::Null,
        )
        .await;
    Browser::new(&server).get(&link).await.is(410);
    let made = server
        .in_process("POST", "/api/v1/accounts", &new_account(BOB, "viewer"))
        .await;
    let link = made["link"].as_str().unwrap();
    server.pass(7 * 24 * 3600 - 1);
    let mut browser = Browser::new(&server);
    let word = browser.get(link).await.is(200).word();
    server.pass(1);
    let secret = link.split_once("link=").unwrap().1;
    let fields = [
        ("word", &*word),
        ("link", secret),
        ("new", PASSWORD),
        ("again", PASSWORD),
    ];
    let late = browser.form("/set-password", &fields);
    browser.send(late).await.is(410);
}

#[tokio::test]
async fn the_last_owner_stays_one() {
    let server = Server::with_people().await;
    let owner = "/api/v1/accounts/owner@example.com";
    for (act, body) in [("disable", json!({})), ("role", json!({"role": "admin"}))] {
        let refused = server
            .in_process("POST", &format!("{owner}/{act}"), &body)
            .await;
        assert_eq!(refused["code"], "last_owner", "{act}: {refused}");
    }
    // Whoever has no password for a moment is the last one all the same.
    let token = server
        .token(json!({"name": "owner", "role": "owner"}))
        .await;
    let reset = format!("{owner}/reset");
    let call = with_token(&token, "POST", &reset, &json!({}));
    assert_eq!(server.send(call).await.is(409)["code"], "last_owner");
    server.in_process("POST", &reset, &json!({})).await;
    let disable = format!("{owner}/disable");
    let call = with_token(&token, "POST", &disable, &json!({}));
    assert_eq!(server.send(call).await.is(409)["code"], "last_owner");
    // One who was invited and has no password cannot take over yet.
    server
        .in_process("POST", "/api/v1/accounts", &new_account(ANN, "owner"))
        .await;
    let refused = server
        .in_process("POST", &format!("{owner}/disable"), &json!({}))
        .await;
    assert_eq!(refused["code"], "last_owner");
    server
        .in_process(
            "POST",
            "/api/v1/accounts/admin@example.com/role",
            &json!({"role": "owner"}),
        )
        .await;
    let done = server
        .in_process("POST", &format!("{owner}/disable"), &json!({}))
        .await;
    assert_eq!(done["state"], "disabled", "{done}");
    let mut page = server.signed_in(Role::Admin).await;
    let refused = page
        .post("/people", "/people/admin@example.com/disable", &[])
        .await
        .is(409);
    assert!(
        refused
            .body
            .contains("last owner who can sign in is admin@example.com"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn an_admin_gives_no_role_and_touches_no_owner() {
    let server = Server::with_people().await;
    let token = server
        .token(json!({"name": "admin", "role": "admin"}))
        .await;
    let ask = async |path: &str, body: Value| {
        let path = format!("/api/v1/{path}");
        server.send(with_token(&token, "POST", &path, &body)).await
    };
    for (path, body) in [
        ("accounts", new_account(ANN, "admin")),
        ("accounts", new_account(ANN, "owner")),
        (
            "accounts",
            json!({"email": ANN, "role": "viewer", "personal_load": true}),
        ),
        (
            "accounts/viewer@example.com/role",
            json!({"role": "responder"}),
        ),
        ("accounts/owner@example.com/reset", json!({})),
        ("accounts/owner@example.com/disable", json!({})),
        ("accounts/admin@example.com/enable", json!({})),
        ("tokens", json!({"name": "x", "role": "owner"})),
        ("tokens", json!({"name": "x", "scopes": ["personal_load"]})),
    ] {
        let refused = ask(path, body.clone()).await;
        assert_eq!(refused.is(403)["code"], "role", "{path} {body}");
    }
    ask("accounts", new_account(ANN, "responder")).await.is(201);
    ask(&format!("accounts/{ANN}/disable"), json!({}))
        .await
        .is(200);
    ask("tokens", json!({"name": "y", "role": "admin"}))
        .await
        .is(201);
    let made = ask("tokens", json!({"name": "z"})).await;
    assert_eq!(made.is(201)["role"], "responder");
}

#[tokio::test]
async fn a_token_of_a_person_may_at_most_what_the_person_may() {
    let server = Server::with_people().await;
    let new = json!({"name": "v", "email": "Viewer@example.com", "role": "admin", "scopes": ["personal_load"]});
    let token = server.token(new).await;
    let ask = async |method: &str, path: &str| {
        let body = json!({"title": "x", "severity": "SEV-3"});
        server.send(with_token(&token, method, path, &body)).await
    };
    ask("GET", "/api/v1/incidents").await.is(200);
    assert_eq!(
        ask("POST", "/api/v1/incidents").await.is(403)["code"],
        "role"
    );
    let load = ask("GET", "/api/v1/metrics/oncall_load").await;
    assert_eq!(load.is(403)["code"], "personal_load");
    server
        .write(|tx| accounts::set_role(tx, "viewer@example.com", Role::Responder, true))
        .await;
    ask("POST", "/api/v1/incidents").await.is(201);
    ask("GET", "/api/v1/metrics/oncall_load").await.is(200);
    let path = "/api/v1/accounts/viewer@example.com/disable";
    server.in_process("POST", path, &Value::Null).await;
    let refused = ask("GET", "/api/v1/incidents").await;
    assert_eq!(refused.is(401)["code"], "account_disabled");
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions() {
    let server = Server::with_people().await;
    let mut other = server.signed_in(Role::Viewer).await;
    let mut browser = server.signed_in(Role::Viewer).await;
    let before = browser.cookie.clone();
    let change = |old: &'static str, new: &'static str, again: &'static str| {
        [("old", old), ("new", new), ("again", again)]
    };
    let new = "another horse entirely";
    for (fields, why) in [
        (change("wrong", new, new), "the password now is another one"),
        (change(PASSWORD, new, "a typo"), "are not the same"),
        (
            change(PASSWORD, "short", "short"),
            "fewer than 12 characters",
        ),
        (
            change(PASSWORD, "viewer@example.com", "viewer@example.com"),
            "e-mail address",
        ),
    ] {
        let page = browser
            .post("/account", "/account/password", &fields)
            .await
            .is(422);
        let text = page.body.to_lowercase();
        assert!(text.contains(why), "{why}: {}", page.body);
    }
    let done = browser
        .post("/account", "/account/password", &change(PASSWORD, new, new))
        .await;
    assert_eq!(done.is(303).to(), "/account");
    assert_ne!(browser.cookie, before, "the session is another one");
    browser.get("/account").await.is(200);
    other.get("/").await.is(303);
    Browser::new(&server)
        .sign_in("viewer@example.com", PASSWORD)
        .await
        .is(401);
    Browser::new(&server)
        .sign_in("viewer@example.com", new)
        .await
        .is(303);
}

#[tokio::test]
async fn signing_out_ends_one_session_and_everywhere_ends_all() {
    let server = Server::with_people().await;
    let mut one = server.signed_in(Role::Viewer).await;
    let mut two = server.signed_in(Role::Viewer).await;
    let kept = one.cookie.clone();
    assert_eq!(
        one.post("/", "/sign-out", &[]).await.is(303).to(),
        "/sign-in"
    );
    assert_eq!(
        server.last_act().await,
        "account viewer@example.com: signed out [] 303"
    );
    one.cookie = kept;
    one.get("/").await.is(303);
    let page = two.get("/account").await.is(200);
    assert!(page.body.contains("Firefox on Linux") && page.body.contains("This one"));
    let mut three = server.signed_in(Role::Viewer).await;
    three
        .post("/account", "/account/sign-out-everywhere", &[])
        .await
        .is(303);
    two.get("/").await.is(303);
}

#[tokio::test]
async fn a_session_ends_after_a_day_without_use_and_after_two_weeks_with_it() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Viewer).await;
    let hour = 3600;
    server.pass(23 * hour);
    browser.get("/").await.is(200);
    server.pass(23 * hour);
    // What the script of an open page asks is no use.
    let mut by_itself = browser.request("GET", "/");
    by_itself
        .headers_mut()
        .insert("sec-fetch-dest", "empty".parse().unwrap());
    browser.send(by_itself).await.is(200);
    server.pass(hour);
    browser.get("/").await.is(303);

    let mut browser = server.signed_in(Role::Viewer).await;
    for _ in 0..27 {
        server.pass(12 * hour);
        browser.get("/").await.is(200);
    }
    server.pass(12 * hour);
    browser.get("/").await.is(303);
}

#[tokio::test]
async fn a_page_that_is_open_hears_nothing_more_once_its_session_ends() {
    let server = Server::with_people().await;
    let browser = server.signed_in(Role::Viewer).await;
    let request = browser.request("GET", "/live");
    let response = server.router.clone().oneshot(request).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    let tick = stream.next().await.unwrap().unwrap();
    assert!(tick.starts_with(b"data: "), "{tick:?}");
    let path = "/api/v1/accounts/viewer@example.com/disable";
    server.in_process("POST", path, &Value::Null).await;
    let _working = server.work();
    let new = json!({"title": "Slow", "severity": "SEV-3"});
    server.in_process("POST", "/api/v1/incidents", &new).await;
    assert!(stream.next().await.is_none(), "not even a number");
}

#[tokio::test]
async fn what_is_kept_for_a_time_is_forgotten_after_it() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Viewer).await;
    browser.get("/").await.is(200);
    let day = 24 * 3600;
    server.pass(399 * day);
    im::watch::forget_old(&server.app).await.unwrap();
    assert_eq!(server.audited().await.len(), 1);
    server.pass(2 * day);
    im::watch::forget_old(&server.app).await.unwrap();
    assert!(server.audited().await.is_empty());
}

#[tokio::test]
async fn people_are_grouped_by_for_those_alone_who_may_see_them() {
    let server = Server::with_people().await;
    let mut browser = server.signed_in(Role::Owner).await;
    let path = "/metric/page_disruptions?group_by=user";
    let refused = browser.get(path).await.is(403);
    assert!(refused.body.contains("personal_load"), "{}", refused.body);
    assert!(
        !browser
            .get("/metric/page_disruptions")
            .await
            .body
            .contains("By person")
    );
    let fields = [("role", "owner"), ("personal_load", "true")];
    browser
        .post("/people", "/people/owner@example.com/role", &fields)
        .await
        .is(303);
    browser.get(path).await.is(200);
    // A week of a person has a target: the chart of one person draws it, and the table of all counts.
    let new = json!({"title": "Slow", "severity": "SEV-3"});
    server.in_process("POST", "/api/v1/incidents", &new).await;
    browser
        .post("/incidents/INC-1", "/incidents/INC-1/acknowledge", &[])
        .await
        .is(303);
    server.pass(60);
    let all = browser.get(path).await.is(200).body;
    assert!(all.contains("Weeks off target"), "{all}");
    assert!(!all.contains("<g class=\"target\">"), "{all}");
    let one = "/metric/page_disruptions?user=owner@example.com";
    let one = browser.get(one).await.is(200).body;
    assert!(one.contains("<g class=\"target\">"), "{one}");
    assert!(one.contains("target: at most 7<"), "{one}");
    browser
        .get("/metric/page_disruptions/figures.csv?group_by=user")
        .await
        .is(200);
    assert!(
        browser
            .get("/metric/page_disruptions")
            .await
            .body
            .contains("By person")
    );
}
