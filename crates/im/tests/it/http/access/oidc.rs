//! Signing in by OpenID Connect, with a provider that says what each test wants.

mod provider;

use im_store::accounts::{self, Identity, Role};
use im_store::settings;
use serde_json::{Value, json};

use super::{ANN, Browser};
use crate::http::Server;
use provider::Provider;

const BEGIN: &str = "/sign-in/oidc";

/// A server with people, and a provider that its owner set.
async fn apart() -> (Server, Provider) {
    let server = Server::with_people().await;
    let provider = Provider::start(&server.clock).await;
    let set = json!({
        "oidc_issuer": provider.url,
        "oidc_client_id": provider::CLIENT_ID,
        "oidc_client_secret": provider::CLIENT_SECRET,
    });
    server.in_process("PATCH", "/api/v1/settings", &set).await;
    let now = server.clock.now();
    server
        .write(move |tx| {
            accounts::insert(tx, ANN, "Ann Lee", Role::Responder, false, now).map(drop)
        })
        .await;
    (server, provider)
}

/// Signs in as whoever the provider says.
async fn through(browser: &mut Browser<'_>, provider: &Provider) -> super::Page {
    let back = left(browser, provider, BEGIN).await;
    browser.get(&back).await
}

/// Leaves for the provider; the path that it sends the browser back to.
async fn left(browser: &mut Browser<'_>, provider: &Provider, from: &str) -> String {
    let page = browser.get(from).await.is(303);
    provider.agree(page.to())
}

/// Why nobody was signed in: the page and the audit log say the same.
async fn refusal(server: &Server, page: super::Page, status: u16) -> String {
    let page = page.is(status);
    assert!(page.body.contains("Sign in to im"), "{}", page.body);
    let (_, said) = page.body.split_once("role=\"alert\"").expect("it says why");
    let said = said.split("</p>").next().unwrap().to_owned();
    let act = server.last_act().await;
    let (what, rest) = act.split_once(" [").unwrap();
    assert!(what.starts_with("nobody : "), "{act}");
    let (why, was) = rest.rsplit_once("] ").unwrap();
    assert_eq!(was, status.to_string(), "{act}");
    // A sentence begins with a capital on the page.
    let tail: String = why.chars().skip(1).collect();
    assert!(said.contains(&tail), "{said} says not: {why}");
    why.to_owned()
}

#[tokio::test]
async fn who_has_an_account_signs_in_by_the_provider_and_comes_to_where_they_wanted() {
    let (server, provider) = apart().await;
    let mut browser = Browser::new(&server);
    let page = browser
        .get("/sign-in?to=%2Fincidents%2FINC-1")
        .await
        .is(200);
    let link = format!(
        "http://{}/sign-in/oidc?to=%2Fincidents%2FINC-1",
        super::HOST
    );
    assert!(page.body.contains(&link), "{}", page.body);
    assert!(page.body.contains("Sign in with 127.0.0.1"));
    let before = browser.cookie.clone().expect("a browser has a secret");
    let page = browser.get("/sign-in/oidc?to=%2Fincidents%2FINC-1").await;
    let away = page.is(303).to().to_owned();
    for part in [
        "response_type=code",
        "code_challenge_method=S256",
        "scope=openid+email+profile",
        "nonce=",
        "state=",
        &format!("client_id={}", provider::CLIENT_ID),
    ] {
        assert!(away.contains(part), "{part}: {away}");
    }
    let secret = provider::CLIENT_SECRET;
    assert!(!away.contains(secret), "a secret is in the address");
    let page = browser.get(&provider.agree(&away)).await.is(303);
    assert_eq!(page.to(), "/incidents/INC-1");
    let act = format!("account {ANN}: signed in by OpenID Connect [] 303");
    assert_eq!(server.last_act().await, act);
    // What the browser had before is no session.
    assert_ne!(browser.cookie.as_ref(), Some(&before));
    let mut old = Browser::new(&server);
    old.cookie = Some(before);
    assert!(
        old.get("/account")
            .await
            .is(303)
            .to()
            .starts_with("/sign-in")
    );
    let page = browser.get("/account").await.is(200).body;
    assert!(
        page.contains("Ann Lee") && page.contains(&provider.url),
        "{page}"
    );
    assert!(
        !page.contains("name=\"old\""),
        "nobody has a password to change"
    );
    let identity = Identity {
        issuer: provider.url.clone(),
        subject: provider::SUBJECT.to_owned(),
    };
    assert_eq!(server.account(ANN).await.identity, Some(identity));
}

#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_was_sent_and_for_ten_minutes() {
    let (server, provider) = apart().await;
    let mut browser = Browser::new(&server);
    let back = left(&mut browser, &provider, BEGIN).await;
    let mut other = Browser::new(&server);
    other.get("/sign-in").await.is(200);
    let forged = back.replace("state=", "state=0");
    for (path, is_other) in [
        (&*back, true),
        (&forged, false),
        ("/sign-in/oidc/back", false),
    ] {
        let browser = if is_other { &mut other } else { &mut browser };
        let page = browser.get(path).await;
        let why = refusal(&server, page, 400).await;
        assert!(
            why.contains("no answer to a sign-in that was begun in this browser"),
            "{why}"
        );
    }
    browser.get(&back).await.is(303);
    let page = browser.get(&back).await;
    refusal(&server, page, 400).await;
    assert_eq!(provider.exchanges(), 1, "the provider was asked once");
    let mut late = Browser::new(&server);
    let back = left(&mut late, &provider, BEGIN).await;
    server.pass(600);
    let page = late.get(&back).await;
    refusal(&server, page, 400).await;
}

#[tokio::test]
async fn what_is_not_the_providers_word_for_this_sign_in_is_not_believed() {
    let (server, provider) = apart().await;
    let expired = server.clock.now().as_second() - 1;
    let claims = [
        (json!({"nonce": "of another"}), "it answers another sign-in"),
        (json!({"nonce": null}), "it answers another sign-in"),
        (json!({"aud": "another-app"}), "it was made for others"),
        (
            json!({"aud": [provider::CLIENT_ID, "another-app"]}),
            "it was made for others",
        ),
        (json!({"azp": "another-app"}), "it was made for others"),
        (
            json!({"iss": "https://evil.example.com"}),
            "another issuer made it",
        ),
        (json!({"exp": expired}), "it has expired"),
    ];
    for (claims, why) in claims {
        provider.says(claims.clone());
        refused_as(&server, &provider, why, &claims.to_string()).await;
    }
    provider.says(json!({}));
    for (forgery, why) in [
        ("changed", "its signature is not one of the issuer's keys"),
        ("unsigned", "its signature is not one of the issuer's keys"),
        ("shared", "its signature is not one of the issuer's keys"),
        ("absent", "it says nothing of you"),
    ] {
        provider.forges(forgery);
        refused_as(&server, &provider, why, forgery).await;
    }
    assert_eq!(server.account(ANN).await.identity, None);
}

async fn refused_as(server: &Server, provider: &Provider, why: &str, what: &str) {
    let mut browser = Browser::new(server);
    let page = through(&mut browser, provider).await;
    let said = refusal(server, page, 403).await;
    assert!(said.ends_with(why), "{what}: {said}");
    let page = browser.get("/account").await.is(303);
    assert!(page.to().starts_with("/sign-in"), "{what}");
}

#[tokio::test]
async fn only_somebody_with_an_account_and_a_verified_address_comes_in() {
    let (server, provider) = apart().await;
    let kelvin = json!({"email": "ann@e\u{212A}ample.com"});
    for (claims, why) in [
        (
            json!({"email_verified": false}),
            "names no verified e-mail address",
        ),
        (
            json!({"email_verified": null}),
            "names no verified e-mail address",
        ),
        (json!({"email": null}), "names no verified e-mail address"),
        (kelvin, "cannot be that of an account"),
        (
            json!({"email": "eve@example.com"}),
            "there is no account of eve@example.com",
        ),
    ] {
        provider.says(claims);
        let page = through(&mut Browser::new(&server), &provider).await;
        let said = refusal(&server, page, 403).await;
        assert!(said.contains(why), "{said}");
    }
    provider.says(json!({"email": "viewer@example.com"}));
    let disable = "/api/v1/accounts/viewer@example.com/disable";
    server.in_process("POST", disable, &Value::Null).await;
    let page = through(&mut Browser::new(&server), &provider).await;
    let said = refusal(&server, page, 403).await;
    assert_eq!(said, "the account of viewer@example.com is disabled");
    let audited = server.audited().await;
    let all = audited
        .iter()
        .filter(|row| row.entry.act.contains("OpenID"));
    assert_eq!(all.count(), 6);
}

#[tokio::test]
async fn after_the_first_sign_in_the_providers_own_name_counts_and_no_address() {
    let (server, provider) = apart().await;
    through(&mut Browser::new(&server), &provider).await.is(303);
    // Somebody who was given Ann's address later.
    provider.says(json!({"sub": "another"}));
    let page = through(&mut Browser::new(&server), &provider).await;
    let said = refusal(&server, page, 403).await;
    assert_eq!(
        said,
        format!("somebody else at 127.0.0.1 signs in as {ANN}")
    );
    // Ann under another address.
    provider.says(json!({"email": "owner@example.com", "email_verified": false}));
    through(&mut Browser::new(&server), &provider).await.is(303);
    assert!(
        server
            .last_act()
            .await
            .starts_with(&format!("account {ANN}:"))
    );
    // A reset forgets who she was.
    let reset = format!("/api/v1/accounts/{ANN}/reset");
    server.in_process("POST", &reset, &Value::Null).await;
    provider.says(json!({"sub": "another"}));
    through(&mut Browser::new(&server), &provider).await.is(303);
    assert_eq!(
        server.account(ANN).await.identity.unwrap().subject,
        "another"
    );
    // Once she is disabled, her name does not help.
    let disable = format!("/api/v1/accounts/{ANN}/disable");
    server.in_process("POST", &disable, &Value::Null).await;
    let page = through(&mut Browser::new(&server), &provider).await;
    let said = refusal(&server, page, 403).await;
    assert_eq!(said, format!("the account of {ANN} is disabled"));
}

#[tokio::test]
async fn an_open_invitation_ends_with_the_first_sign_in() {
    let (server, provider) = apart().await;
    let invited = json!({"email": "bob@example.com", "role": "viewer"});
    let made = server
        .in_process("POST", "/api/v1/accounts", &invited)
        .await;
    provider.says(json!({"email": "bob@example.com", "sub": "bob"}));
    through(&mut Browser::new(&server), &provider).await.is(303);
    let link = made["link"].as_str().unwrap();
    Browser::new(&server).get(link).await.is(410);
}

#[tokio::test]
async fn people_of_a_listed_domain_need_no_invitation_and_begin_with_its_role() {
    let (server, provider) = apart().await;
    let list = json!({"oidc_domains": "company.com=viewer"});
    server.in_process("PATCH", "/api/v1/settings", &list).await;
    provider.says(json!({"email": "Eve@Company.com", "sub": "eve", "name": "Eve Roe"}));
    let mut browser = Browser::new(&server);
    through(&mut browser, &provider).await.is(303);
    let act = "account eve@company.com: signed in by OpenID Connect [new account: viewer] 303";
    assert_eq!(server.last_act().await, act);
    let eve = server.account("eve@company.com").await;
    assert_eq!(
        (eve.role, &*eve.name, eve.personal_load),
        (Role::Viewer, "Eve Roe", false)
    );
    browser.get("/people").await.is(403);
    let page = server
        .signed_in(Role::Owner)
        .await
        .get("/people")
        .await
        .body;
    assert!(page.contains("Eve Roe") && !page.contains("Invited</span></td><td>Eve"));
    provider.says(json!({"email": "eve@sub.company.com", "sub": "other"}));
    let page = through(&mut Browser::new(&server), &provider).await;
    refusal(&server, page, 403).await;
    for role in ["admin", "owner"] {
        let list = json!({"oidc_domains": format!("company.com={role}")});
        let answer = server.in_process("PATCH", "/api/v1/settings", &list).await;
        assert_eq!(answer["code"], "oidc_domains", "{answer}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_or_says_no_is_named_and_nobody_waits_for_it_again_and_again() {
    let (server, provider) = apart().await;
    let mut browser = Browser::new(&server);
    let back = left(&mut browser, &provider, BEGIN).await;
    provider.breaks(true);
    let page = browser.get(&back).await;
    let said = refusal(&server, page, 502).await;
    assert!(
        said.contains("127.0.0.1 does not answer as a provider"),
        "{said}"
    );
    server.pass(301);
    for _ in 0..2 {
        let page = browser.get(BEGIN).await;
        refusal(&server, page, 502).await;
    }
    assert_eq!(provider.refusals(), 2, "it is left alone for a while");
    // However long it took to say nothing.
    provider.takes(30);
    server.pass(5);
    for _ in 0..2 {
        let page = browser.get(BEGIN).await;
        refusal(&server, page, 502).await;
    }
    assert_eq!(provider.refusals(), 3, "who waited does not ask again");
    provider.breaks(false);
    server.pass(5);
    let back = left(&mut browser, &provider, BEGIN).await;
    let state = back.split_once("state=").unwrap().1;
    let denied = format!("/sign-in/oidc/back?error=access_denied&state={state}");
    let page = browser.get(&denied).await;
    let said = refusal(&server, page, 403).await;
    assert_eq!(said, "127.0.0.1 did not sign you in: it was declined there");
    // A code that the provider does not know.
    let back = left(&mut browser, &provider, BEGIN).await;
    let page = browser.get(&back.replace("code=", "code=x")).await;
    let said = refusal(&server, page, 403).await;
    assert_eq!(said, "127.0.0.1 gave no tokens: invalid_grant");
    through(&mut browser, &provider).await.is(303);
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_after_it() {
    let (server, provider) = apart().await;
    for to in ["https://evil.example", "//evil.example", "/sign-in/oidc"] {
        let mut browser = Browser::new(&server);
        let from = format!("{BEGIN}?to={}", to.replace('/', "%2F"));
        let back = left(&mut browser, &provider, &from).await;
        assert_eq!(browser.get(&back).await.is(303).to(), "/", "{to}");
        let back = left(&mut browser, &provider, BEGIN).await;
        let page = browser.get(&format!("{back}&to={to}")).await;
        assert_eq!(page.is(303).to(), "/", "{to}");
    }
}

#[tokio::test]
async fn an_address_that_only_userinfo_names_counts_if_it_is_of_the_same_person() {
    let (server, provider) = apart().await;
    provider.says(json!({"email": null, "email_verified": null}));
    provider.tells(json!({"sub": "another", "email": ANN, "email_verified": true}));
    let page = through(&mut Browser::new(&server), &provider).await;
    let said = refusal(&server, page, 403).await;
    assert!(said.ends_with("it says it of somebody else"), "{said}");
    provider.tells(json!({"sub": provider::SUBJECT, "email": ANN, "email_verified": "true"}));
    // The ID token may name it without a word on whether it is hers.
    provider.says(json!({"email_verified": null}));
    through(&mut Browser::new(&server), &provider).await.is(303);
    // Who was here before needs no address, so nothing more is asked.
    provider.is_mute();
    through(&mut Browser::new(&server), &provider).await.is(303);
    provider.says(json!({"sub": "another", "email_verified": false}));
    let page = through(&mut Browser::new(&server), &provider).await;
    refusal(&server, page, 502).await;
}

#[tokio::test]
async fn an_address_that_only_userinfo_names_is_enough() {
    let (server, provider) = apart().await;
    provider.says(json!({"email": null, "email_verified": null}));
    provider.tells(json!({"sub": provider::SUBJECT, "email": ANN, "email_verified": true}));
    through(&mut Browser::new(&server), &provider).await.is(303);
}

#[tokio::test]
async fn nobody_takes_an_account_over_by_another_provider() {
    let (server, provider) = apart().await;
    through(&mut Browser::new(&server), &provider).await.is(303);
    let second = Provider::start(&server.clock).await;
    let set = json!({"oidc_issuer": second.url});
    server.in_process("PATCH", "/api/v1/settings", &set).await;
    let page = through(&mut Browser::new(&server), &second).await;
    let said = refusal(&server, page, 403).await;
    let by = format!("{ANN} signs in by another provider, {}", provider.url);
    assert_eq!(said, by);
    let known = server.account(ANN).await.identity.unwrap();
    assert_eq!(known.issuer, provider.url);
    let reset = format!("/api/v1/accounts/{ANN}/reset");
    server.in_process("POST", &reset, &Value::Null).await;
    through(&mut Browser::new(&server), &second).await.is(303);
}

#[tokio::test]
async fn what_cannot_be_the_name_of_anybody_is_refused() {
    let (server, provider) = apart().await;
    for subject in [String::new(), "x".repeat(256), "24400320\0".to_owned()] {
        provider.says(json!({"sub": subject}));
        let page = through(&mut Browser::new(&server), &provider).await;
        let said = refusal(&server, page, 403).await;
        assert!(
            said.contains("what 127.0.0.1 calls you is no name"),
            "{said}"
        );
    }
    assert_eq!(server.account(ANN).await.identity, None);
    provider.says(json!({"sub": "x".repeat(255)}));
    through(&mut Browser::new(&server), &provider).await.is(303);
}

#[tokio::test]
async fn an_owner_who_only_ever_signed_in_by_the_provider_chooses_a_password_just_after() {
    let (server, provider) = apart().await;
    server
        .write(|tx| {
            accounts::set_password(tx, "owner@example.com", None)?;
            accounts::set_password(tx, "viewer@example.com", None)
        })
        .await;
    let path = "/account/password";
    let new = "correct horse at home";
    let fields = [("new", new), ("again", new)];
    provider.says(json!({"email": "viewer@example.com", "sub": "viewer"}));
    let mut viewer = Browser::new(&server);
    through(&mut viewer, &provider).await.is(303);
    let page = viewer.get("/account").await.is(200).body;
    assert!(page.contains("An admin gives you a link") && !page.contains("name=\"new\""));
    viewer.post("/account", path, &fields).await.is(403);
    provider.says(json!({"email": "owner@example.com", "sub": "owner"}));
    let mut owner = Browser::new(&server);
    through(&mut owner, &provider).await.is(303);
    server.pass(600);
    let page = owner.get("/account").await.is(200).body;
    assert!(page.contains("sign out and sign in again") && !page.contains("name=\"new\""));
    let page = owner.post("/account", path, &fields).await.is(403).body;
    assert!(
        page.contains("signed in within the last ten minutes"),
        "{page}"
    );
    through(&mut owner, &provider).await.is(303);
    let page = owner.get("/account").await.is(200).body;
    assert!(page.contains("name=\"new\"") && !page.contains("name=\"old\""));
    let typo = [("new", new), ("again", "a typo")];
    owner.post("/account", path, &typo).await.is(422);
    owner.post("/account", path, &fields).await.is(303);
    let mut by_password = Browser::new(&server);
    by_password.sign_in("owner@example.com", new).await.is(303);
    // From now on it takes the old one.
    owner.post("/account", path, &fields).await.is(403);
}

#[tokio::test]
async fn codes_that_were_made_up_are_stopped_and_passwords_and_faults_of_the_provider_are_not() {
    let (server, provider) = apart().await;
    // Any web page can send a browser here, and a provider can be set up wrongly.
    for _ in 0..20 {
        let mut lured = Browser::new(&server);
        let path = "/sign-in/oidc/back?state=x&code=y";
        lured.get(path).await.is(400);
        provider.says(json!({"aud": "another-app"}));
        through(&mut lured, &provider).await.is(403);
        provider.refuses(Some("invalid_client"));
        through(&mut lured, &provider).await.is(403);
        provider.refuses(None);
        provider.says(json!({}));
    }
    // So many of nobody known are audited in a minute.
    server.pass(60);
    let mut browser = Browser::new(&server);
    for _ in 0..20 {
        let back = left(&mut browser, &provider, BEGIN).await;
        let page = browser.get(&back.replace("code=", "code=x")).await;
        page.is(403);
    }
    let page = browser.get(BEGIN).await.is(429).body;
    assert!(page.contains("Too many attempts failed"), "{page}");
    assert!(
        server
            .last_act()
            .await
            .ends_with("[too many attempts failed] 429")
    );
    server.signed_in(Role::Owner).await;
    let mut elsewhere = Browser::new(&server);
    elsewhere.peer = "198.51.100.9:50000";
    through(&mut elsewhere, &provider).await.is(303);
    server.pass(15 * 60);
    through(&mut browser, &provider).await.is(303);
}

#[tokio::test]
async fn each_tab_is_a_sign_in_of_its_own_and_answers_once() {
    let (server, provider) = apart().await;
    let mut browser = Browser::new(&server);
    browser.get("/sign-in").await.is(200);
    let first = browser.get(BEGIN).await.is(303).to().to_owned();
    let second = left(&mut browser, &provider, BEGIN).await;
    let first = provider.agree(&first);
    let mut again = Browser::new(&server);
    again.cookie.clone_from(&browser.cookie);
    browser.get(&first).await.is(303);
    let page = again.get(&first).await;
    refusal(&server, page, 400).await;
    // Its nonce is that of the other tab.
    let page = again.get(&second).await;
    let said = refusal(&server, page, 403).await;
    assert_eq!(said, "127.0.0.1 gave no tokens: invalid_grant");
    assert_eq!(provider.exchanges(), 1);
}

#[tokio::test]
async fn of_more_than_ten_sign_ins_of_one_browser_the_oldest_has_to_begin_again() {
    let (server, provider) = apart().await;
    let mut other = Browser::new(&server);
    other.get("/sign-in").await.is(200);
    let of_other = other.get(BEGIN).await.is(303).to().to_owned();
    let mut browser = Browser::new(&server);
    browser.get("/sign-in").await.is(200);
    let mut begun = Vec::new();
    for _ in 0..11 {
        begun.push(browser.get(BEGIN).await.is(303).to().to_owned());
    }
    let page = browser.get(&provider.agree(&begun[0])).await;
    let said = refusal(&server, page, 400).await;
    assert!(said.contains("was begun in this browser"), "{said}");
    browser.get(&provider.agree(&begun[1])).await.is(303);
    // Whoever begins many pushes out nobody else.
    other.get(&provider.agree(&of_other)).await.is(303);
}

#[tokio::test]
async fn an_owner_sets_the_provider_and_nobody_reads_its_secret() {
    let (server, provider) = apart().await;
    let shown = server
        .in_process("GET", "/api/v1/settings", &Value::Null)
        .await;
    assert_eq!(shown["oidc_issuer"], *provider.url);
    assert_eq!(shown["oidc_client_secret"], "********");
    let stored = server
        .app
        .db
        .read(|tx| settings::get(tx, "oidc_client_secret"));
    assert!(
        !stored
            .await
            .unwrap()
            .unwrap()
            .contains(provider::CLIENT_SECRET)
    );
    let mut owner = server.signed_in(Role::Owner).await;
    let page = owner.get("/settings").await.is(200).body;
    assert!(
        page.contains(&provider.url) && !page.contains(provider::CLIENT_SECRET),
        "{page}"
    );
    let mut admin = server.signed_in(Role::Admin).await;
    let page = admin.get("/settings").await.is(200).body;
    assert!(!page.contains("oidc_issuer"), "{page}");
    admin
        .post("/settings", "/settings/sign-in", &[])
        .await
        .is(403);
    // An issuer is asked before it is kept.
    let wrong = format!("{}/elsewhere", provider.url);
    let fields = [("oidc_issuer", &*wrong), ("was_oidc_issuer", &provider.url)];
    let page = owner.post("/settings", "/settings/sign-in", &fields).await;
    let page = page.is(422).body;
    assert!(page.contains("is no provider of OpenID Connect"), "{page}");
    let slash = format!("{}/", provider.url);
    let set = json!({"oidc_issuer": slash});
    let answer = server.in_process("PATCH", "/api/v1/settings", &set).await;
    assert_eq!(answer["code"], "oidc_issuer", "to the letter: {answer}");
    let set = json!({"oidc_client_secret": "********"});
    let answer = server.in_process("PATCH", "/api/v1/settings", &set).await;
    assert_eq!(answer["code"], "oidc_client_secret", "{answer}");
    // Without an issuer there is no way in by one, for who is away neither.
    let mut browser = Browser::new(&server);
    let back = left(&mut browser, &provider, BEGIN).await;
    let fields = [("oidc_issuer", ""), ("was_oidc_issuer", &*provider.url)];
    owner
        .post("/settings", "/settings/sign-in", &fields)
        .await
        .is(303);
    for path in [&*back, BEGIN] {
        let page = browser.get(path).await;
        let said = refusal(&server, page, 404).await;
        assert_eq!(said, "nobody signs in by OpenID Connect here");
    }
    let page = browser.get("/sign-in").await.is(200).body;
    assert!(!page.contains("/sign-in/oidc"), "{page}");
}

#[tokio::test]
async fn nobody_becomes_the_first_owner_by_a_provider() {
    let server = Server::listening(false);
    let provider = Provider::start(&server.clock).await;
    let set = json!({
        "oidc_issuer": provider.url,
        "oidc_client_id": provider::CLIENT_ID,
        "oidc_domains": "example.com=viewer",
    });
    server.in_process("PATCH", "/api/v1/settings", &set).await;
    let mut browser = Browser::new(&server);
    let page = browser.get("/sign-in").await.is(200).body;
    assert!(!page.contains("/sign-in/oidc"), "{page}");
    let page = browser.get(BEGIN).await;
    refusal(&server, page, 404).await;
}
