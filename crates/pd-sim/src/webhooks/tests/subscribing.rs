//! Subscriptions as a client makes, reads and changes them.

use serde_json::{Value, json};

use super::super::subscription::EVENT_TYPES;
use super::*;

/// Puts the example's ids and secret in place of ours, after checking their shape.
fn with_example_ids(mut ours: Value, example: &Value) -> Value {
    for (pointer, length) in [
        ("/id", 7),
        ("/delivery_method/id", 7),
        ("/delivery_method/secret", 64),
    ] {
        let value = ours.pointer_mut(pointer).unwrap();
        let expected = example.pointer(pointer).unwrap();
        match value.as_str() {
            Some(text) if expected.is_string() => {
                assert_eq!(text.len(), length, "{pointer}");
                *value = expected.clone();
            }
            _ => assert_eq!(value, expected, "{pointer}"),
        }
    }
    ours
}

#[track_caller]
fn check_against(ours: &Value, example: &Value) {
    assert_eq!(&with_example_ids(ours.clone(), example), example);
}

#[test]
fn answers_have_the_published_shapes() {
    let mut desk = Desk::seeded(1);
    let created = desk.call("POST", &[], &creation());
    assert_eq!(created.status, 201);
    let created = value(&created)["webhook_subscription"].clone();
    check_against(
        &created,
        &example!("rest/webhook-subscription-create.json")["webhook_subscription"],
    );

    let id = created["id"].as_str().unwrap().to_owned();
    let read = desk.get(&[&id]);
    check_against(
        &read["webhook_subscription"],
        &example!("rest/webhook-subscription-get.json")["webhook_subscription"],
    );

    desk.webhooks.disable_now(&id, desk.now);
    let mut list = desk.get(&[]);
    let mut expected = example!("rest/webhook-subscriptions-list.json");
    let mut row = list["webhook_subscriptions"][0].take();
    // The example of the list leaves the field out; the object's description has it.
    assert_eq!(
        row.as_object_mut().unwrap().remove("oauth_client"),
        Some(Value::Null)
    );
    check_against(&row, &expected["webhook_subscriptions"][0].take());
    assert_eq!(list, expected);

    let enabled = value(&desk.call("POST", &[&id, "enable"], &Value::Null));
    check_against(
        &enabled["webhook_subscription"],
        &example!("rest/webhook-subscription-enable.json")["webhook_subscription"],
    );
}

#[test]
fn the_secret_is_shown_once_and_headers_never() {
    let mut desk = Desk::seeded(1);
    let created = value(&desk.call("POST", &[], &creation()));
    let secret = created["webhook_subscription"]["delivery_method"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = created["webhook_subscription"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let later = [
        desk.call("GET", &[], &Value::Null),
        desk.call("GET", &[&id], &Value::Null),
        desk.call(
            "PUT",
            &[&id],
            &json!({"webhook_subscription": {"description": "x"}}),
        ),
        desk.call("POST", &[&id, "enable"], &Value::Null),
    ];
    for answer in later {
        let shown = value(&answer).to_string();
        assert!(
            !shown.contains(&secret) && !shown.contains("staging"),
            "{shown}"
        );
    }
}

#[test]
fn an_update_changes_what_may_change_and_nothing_else() {
    let (mut desk, id) = Desk::subscribed();
    let before = desk.get(&[&id])["webhook_subscription"].clone();
    let mut change = example!("rest/webhook-subscription-update.request.json");
    change["webhook_subscription"]["description"] = json!("Another");
    change["webhook_subscription"]["active"] = json!(false);
    change["webhook_subscription"]["filter"] = json!({"type": "team_reference", "id": "PTEAM01"});
    change["webhook_subscription"]["delivery_method"] = json!({"url": "https://elsewhere.example"});
    let answer = desk.call("PUT", &[&id], &change);
    assert_eq!(answer.status, 200);
    let after = desk.get(&[&id])["webhook_subscription"].clone();
    assert_eq!(value(&answer)["webhook_subscription"], after);
    for changed in ["description", "events", "active", "filter"] {
        assert_eq!(
            after[changed], change["webhook_subscription"][changed],
            "{changed}"
        );
    }
    assert_eq!(after["delivery_method"], before["delivery_method"]);
}

#[test]
fn bad_subscriptions_are_refused() {
    let cases = [
        ("", json!(null)),
        ("/type", json!("webhook")),
        ("/delivery_method", json!(null)),
        ("/delivery_method/type", json!("email_delivery_method")),
        ("/delivery_method/url", json!("ftp://hooks.example")),
        ("/delivery_method/url", json!("https://")),
        ("/delivery_method/url", json!("https://:443/x")),
        ("/delivery_method/url", json!("hooks.example")),
        ("/delivery_method/url", json!("https://hooks.example/a b")),
        (
            "/delivery_method/custom_headers",
            json!([{"name": "X-Env"}]),
        ),
        ("/events", json!([])),
        ("/events", json!(["incident.exploded"])),
        ("/events", json!(["pagey.ping"])),
        ("/events", json!(["incident.resolved", "incident.resolved"])),
        ("/filter", json!({"type": "service_reference"})),
        (
            "/filter",
            json!({"type": "user_reference", "id": "PUSER01"}),
        ),
        ("/description", json!(7)),
    ];
    for (pointer, bad) in cases {
        let mut desk = Desk::seeded(1);
        let mut body = creation();
        *body
            .pointer_mut(&format!("/webhook_subscription{pointer}"))
            .unwrap() = bad.clone();
        let answer = desk.call("POST", &[], &body);
        assert_eq!(
            (answer.status, desk.webhooks.subscription_count()),
            (400, 0),
            "{pointer} = {bad}"
        );
        assert_eq!(value(&answer)["error"]["code"], 2001);
    }
}

#[test]
fn every_published_event_can_be_subscribed_to() {
    let mut desk = Desk::seeded(1);
    let mut body = creation();
    body["webhook_subscription"]["events"] = json!(EVENT_TYPES);
    assert_eq!(desk.call("POST", &[], &body).status, 201);
}

#[test]
fn a_scope_takes_ten_subscriptions() {
    let mut desk = Desk::seeded(1);
    for _ in 0..10 {
        desk.subscribe(json!({"type": "service_reference", "id": "PSVC001"}));
    }
    let other = desk.subscribe(json!({"type": "service_reference", "id": "PSVC002"}));
    let mut body = creation();
    body["webhook_subscription"]["filter"] = json!({"type": "service_reference", "id": "PSVC001"});
    let refused = desk.call("POST", &[], &body);
    assert_eq!(refused.status, 400);
    assert_eq!(value(&refused), example!("rest/errors/webhook-limit.json"));

    let refused = desk.call("PUT", &[&other], &body);
    assert_eq!(refused.status, 400, "moving into the full scope");
    assert_eq!(
        desk.call("POST", &[], &creation()).status,
        201,
        "the account scope has room"
    );
    assert_eq!(desk.webhooks.subscription_count(), 12);
}

#[test]
fn a_list_is_filtered_and_paged() {
    let mut desk = Desk::seeded(1);
    for _ in 0..3 {
        desk.subscribe(json!({"type": "service_reference", "id": "PSVC001"}));
        desk.subscribe(json!({"type": "team_reference", "id": "PTEAM01"}));
    }
    desk.subscribe(json!({"type": "account_reference"}));
    let check = |query: &[(&str, &str)], expect: Value| {
        let query = query
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let request = Request {
            method: "GET".to_owned(),
            query,
            ..Request::default()
        };
        let answer = desk
            .webhooks
            .clone()
            .rest(&request, &[], &mut Ids::new(1), desk.now);
        let shown = value(&answer);
        let rows = shown["webhook_subscriptions"].as_array().map(Vec::len);
        assert_eq!(
            json!([answer.status, rows, shown["total"], shown["more"]]),
            expect
        );
    };
    check(&[], json!([200, 7, null, false]));
    check(
        &[("limit", "2"), ("total", "true")],
        json!([200, 2, 7, true]),
    );
    check(
        &[("limit", "2"), ("offset", "6")],
        json!([200, 1, null, false]),
    );
    check(&[("filter_type", "account")], json!([200, 1, null, false]));
    check(
        &[("filter_type", "team"), ("filter_id", "PTEAM01")],
        json!([200, 3, null, false]),
    );
    check(
        &[("filter_type", "service"), ("filter_id", "PSVC009")],
        json!([200, 0, null, false]),
    );
    check(
        &[("filter_type", "service")],
        json!([400, null, null, null]),
    );
    check(
        &[("filter_type", "user"), ("filter_id", "PUSER01")],
        json!([400, null, null, null]),
    );
    check(&[("offset", "9999")], json!([400, null, null, null]));
    check(&[("limit", "many")], json!([400, null, null, null]));
}

#[test]
fn a_deleted_subscription_is_gone_with_its_queue() {
    let (mut desk, id) = Desk::subscribed();
    desk.publish("QA", "incident.triggered");
    let deleted = desk.call("DELETE", &[&id], &Value::Null);
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_eq!(desk.due(), []);
    for (method, tail) in [
        ("GET", None),
        ("PUT", None),
        ("DELETE", None),
        ("POST", Some("enable")),
        ("POST", Some("ping")),
    ] {
        let path: Vec<&str> = [Some(id.as_str()), tail].into_iter().flatten().collect();
        let answer = desk.call(method, &path, &Value::Null);
        assert_eq!(answer.status, 404, "{method}");
        assert_eq!(value(&answer), example!("rest/errors/not-found.json"));
    }
}
