//! What people see and switch without a request: deliveries, keys, options, odd answers.

use pd_sim::{DeliveryResult, KeyKind, OAuthApp, OAuthKind, Request};
use serde_json::json;

use crate::world::World;

#[test]
fn each_attempt_is_seen_with_its_result() {
    let mut world = World::new();
    world.subscribe();
    let id = world.create("disk full", None);
    let first = world.sim.due(world.now);
    assert_eq!(first.len(), 1);
    world
        .sim
        .delivered(first[0].id, DeliveryResult::Status(503), world.now);
    world.pass_s(60);
    let seen: Vec<_> = world
        .sim
        .attempts()
        .map(|one| (one.number, one.result.unwrap().0))
        .collect();
    assert_eq!(
        seen,
        [
            (2, DeliveryResult::Status(202)),
            (1, DeliveryResult::Status(503))
        ]
    );
    let newest = world.sim.attempts().next().unwrap();
    assert_eq!(
        (newest.event_type.as_str(), newest.resource.as_str()),
        ("incident.triggered", id.as_str())
    );
    let subscription = &world.sim.subscriptions()[0];
    assert_eq!(
        (subscription.filter.as_str(), subscription.secrets),
        ("account", 1)
    );
}

#[test]
fn a_rotation_signs_twice_until_the_old_secret_is_dropped() {
    let mut world = World::new();
    world.subscribe();
    let subscription = world.sim.subscriptions()[0].id.clone();
    let signatures = |world: &mut World| {
        world.create("disk full", None);
        let due = world.sim.due(world.now);
        let header = due[0]
            .headers
            .iter()
            .find(|(name, _)| name == "X-PagerDuty-Signature")
            .unwrap();
        header.1.matches("v1=").count()
    };
    assert_eq!(signatures(&mut world), 1);
    let secret = world.sim.new_secret();
    assert!(world.sim.add_second_secret(&subscription, &secret));
    assert_eq!(signatures(&mut world), 2);
    assert!(world.sim.drop_old_secret(&subscription));
    assert_eq!(signatures(&mut world), 1);
}

#[test]
fn a_revoked_key_opens_nothing() {
    let mut world = World::new();
    let key = world.sim.add_key(KeyKind::Account);
    let request =
        Request::new("GET", "/users").with_header("Authorization", &format!("Token token={key}"));
    assert_eq!(world.send(&request).status, 200);
    assert!(world.sim.revoke_key(&key));
    assert_eq!(world.send(&request).status, 401);
    assert!(!world.sim.revoke_key(&key));
}

#[test]
fn limits_can_be_switched_while_it_runs() {
    let mut world = World::new();
    world
        .sim
        .change_options(|options| options.limits = Some(0.002));
    let statuses: Vec<u16> = (0..3)
        .map(|_| world.send(&world.request("GET", "/users")).status)
        .collect();
    assert_eq!(statuses, [200, 200, 429]);
    world.sim.change_options(|options| options.limits = None);
    let answer = world.send(&world.request("GET", "/users"));
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .headers
            .iter()
            .all(|(name, _)| !name.starts_with("ratelimit"))
    );
}

#[test]
fn odd_answers_have_unknown_fields_and_null_for_empty_lists() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    world.sim.faults().odd_answers = true;
    let shown = world.get(&format!("/incidents/{id}"), &[]);
    assert!(shown["incident"]["acknowledgements"].is_null());
    assert!(shown["incident"]["x_new_field"].is_object());
    assert!(shown["incident"]["service"]["x_new_field"].is_object());
    world.sim.faults().clear();
    let shown = world.get(&format!("/incidents/{id}"), &[]);
    assert_eq!(shown["incident"]["acknowledgements"], json!([]));
}

#[test]
fn the_consent_page_sends_the_person_back_with_a_code() {
    let mut world = World::new();
    world.sim.register_app(OAuthApp {
        kind: OAuthKind::Classic,
        client_id: "app".to_owned(),
        client_secret: Some("s3cret".to_owned()),
        scopes: vec!["read".to_owned()],
        redirect_uri: "https://im.example/back".to_owned(),
        account: "us.lighthouse-works".to_owned(),
    });
    let page = |extra: &[(&str, &str)]| {
        let mut request = Request::new("GET", "/oauth/authorize")
            .with_query("client_id", "app")
            .with_query("redirect_uri", "https://im.example/back")
            .with_query("response_type", "code")
            .with_query("scope", "read")
            .with_query("state", "a b");
        for (name, value) in extra {
            request = request.with_query(name, value);
        }
        request
    };
    let email = world.account.users[1].2.clone();
    let answer = world.send(&page(&[("user", &email)]));
    assert_eq!(answer.status, 302);
    let location = answer.headers[0].1.clone();
    let code = location
        .strip_prefix("https://im.example/back?code=")
        .unwrap()
        .strip_suffix("&state=a%20b")
        .unwrap();
    let mut exchange = Request::new("POST", "/oauth/token");
    exchange.body = format!("grant_type=authorization_code&client_id=app&client_secret=s3cret&code={code}&redirect_uri=https%3A%2F%2Fim.example%2Fback").into_bytes();
    let token = world.send(&exchange).value().unwrap()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let me =
        Request::new("GET", "/users/me").with_header("Authorization", &format!("Bearer {token}"));
    assert_eq!(
        world.send(&me).value().unwrap()["user"]["email"],
        email.as_str()
    );

    let denied = world.send(&page(&[("deny", "1")]));
    assert!(denied.headers[0].1.contains("error=access_denied"));
    let mut other = page(&[]);
    other.query[1].1 = "https://elsewhere.example".to_owned();
    assert_eq!(world.send(&other).status, 400);
}
