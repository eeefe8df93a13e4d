//! OAuth clients: how they are made, and what their tokens do to deliveries.

use serde_json::json;

use super::*;

const TOKEN: &[u8] = br#"{"access_token": "t-1", "token_type": "bearer", "expires_in": 600}"#;
const UNAUTHORIZED: DeliveryResult = DeliveryResult::Status(401);

fn wanted() -> Value {
    json!({"oauth_client": {"name": "Receiver", "client_id": "receiver-client", "client_secret": "s & p",
        "scope": "hooks.write", "token_url": "https://auth.harbor-lantern.example/token",
        "grant_type": "client_credentials"}})
}

impl Desk {
    fn client(&mut self) -> String {
        let made = self.call("POST", &["oauth_clients"], &wanted());
        assert_eq!(made.status, 201, "{}", value(&made));
        value(&made)["oauth_client"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn status(&mut self, client: &str) -> String {
        let shown = self.get(&["oauth_clients", client]);
        shown["oauth_client"]["status"].as_str().unwrap().to_owned()
    }

    /// A subscription with a client, and one webhook.
    fn with_client() -> (Self, String) {
        let (mut desk, id) = Self::subscribed();
        let client = desk.client();
        let body = json!({"webhook_subscription": {"oauth_client_id": client}});
        assert_eq!(desk.call("PUT", &[&id], &body).status, 200);
        desk.publish("QA", "incident.triggered");
        (desk, client)
    }

    /// The only thing that is due.
    fn one(&mut self) -> Delivery {
        let mut due = self.due();
        assert_eq!(due.len(), 1);
        due.remove(0)
    }

    fn answer(&mut self, delivery: &Delivery, result: DeliveryResult, body: &[u8]) {
        self.webhooks.delivered(delivery.id, result, body, self.now);
    }
}

#[test]
fn a_client_is_made_shown_changed_and_deleted_without_its_secret() {
    let (mut desk, subscription) = Desk::subscribed();
    let made = desk.call("POST", &["oauth_clients"], &wanted());
    let mut ours = value(&made);
    let mut theirs: Value = example!("rest/webhook-oauth-client-create.json");
    for object in [&mut ours, &mut theirs] {
        object["oauth_client"]["id"].take();
    }
    assert_eq!(ours, theirs);
    let id = value(&made)["oauth_client"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let attach = json!({"webhook_subscription": {"oauth_client_id": id}});
    let shown = value(&desk.call("PUT", &[&subscription], &attach));
    let reference = json!({"id": id, "type": "oauth_client_reference", "summary": "Receiver"});
    assert_eq!(shown["webhook_subscription"]["oauth_client"], reference);
    let rename = json!({"oauth_client": {"name": "Hooks"}});
    let changed = desk.call("PUT", &["oauth_clients", &id], &rename);
    assert_eq!(
        value(&changed)["oauth_client"]["client_id"],
        "receiver-client"
    );
    assert_eq!(
        desk.get(&["oauth_clients"])["oauth_clients"][0]["name"],
        "Hooks"
    );
    let gone = desk.call("DELETE", &["oauth_clients", &id], &json!({}));
    assert_eq!(gone.status, 204);
    assert_eq!(
        desk.get(&[&subscription])["webhook_subscription"]["oauth_client"],
        Value::Null
    );
    assert_eq!(desk.call("PUT", &[&subscription], &attach).status, 400);

    let bad = json!({"oauth_client": {"name": "x".repeat(256), "grant_type": "password", "token_url": "ftp://x"}});
    let refused = value(&desk.call("POST", &["oauth_clients"], &bad));
    assert_eq!(
        refused["error"]["errors"].as_array().unwrap().len(),
        5,
        "{refused}"
    );
    for _ in 0..10 {
        desk.client();
    }
    let eleventh = value(&desk.call("POST", &["oauth_clients"], &wanted()));
    assert_eq!(eleventh["error"]["code"], 2019);
}

#[test]
fn credentials_are_tried_before_a_client_is_made() {
    let mut desk = Desk::seeded(1);
    let attempt = |desk: &mut Desk, result, body: &[u8]| {
        let request = Request::new("POST", "").with_json(&wanted());
        let test = desk.webhooks.test_for(&request, &[]).unwrap();
        assert!(test.asks_token);
        assert_eq!(test.url, "https://auth.harbor-lantern.example/token");
        assert_eq!(
            text(&test),
            "grant_type=client_credentials&client_id=receiver-client&client_secret=s%20%26%20p&scope=hooks.write"
        );
        desk.answer(&test, result, body);
        desk.call("POST", &["oauth_clients"], &wanted())
    };
    let refused = attempt(&mut desk, UNAUTHORIZED, b"{}");
    assert_eq!(refused.status, 400);
    assert_eq!(
        attempt(&mut desk, DeliveryResult::Status(200), b"no token").status,
        400
    );
    let unreached = value(&attempt(&mut desk, DeliveryResult::Unreachable, b""));
    assert_eq!(unreached["oauth_client"]["status"], "error");
    let good = value(&attempt(&mut desk, DeliveryResult::Status(200), TOKEN));
    assert_eq!(good["oauth_client"]["status"], "active");
    assert!(
        desk.webhooks
            .test_for(&Request::new("GET", ""), &[])
            .is_none()
    );
}

#[test]
fn a_webhook_waits_for_a_token_and_the_next_one_has_it() {
    let (mut desk, client) = Desk::with_client();
    let token = desk.one();
    assert!(token.asks_token);
    desk.answer(&token, DeliveryResult::Status(200), TOKEN);
    let webhook = desk.one();
    assert_eq!(header(&webhook, "Authorization"), "Bearer t-1");
    assert!(header(&webhook, "X-PagerDuty-Signature").starts_with("v1="));
    desk.answer(&webhook, OK, b"");
    assert_eq!(desk.status(&client), "active");
    desk.publish("QA", "incident.resolved");
    let next = desk.one();
    assert_eq!(
        (next.asks_token, header(&next, "Authorization")),
        (false, "Bearer t-1")
    );
    desk.answer(&next, OK, b"");
    desk.pass(SignedDuration::from_secs(600));
    desk.publish("QA", "incident.triggered");
    assert!(desk.one().asks_token, "the token has ended");
}

#[test]
fn a_401_is_worth_one_new_token_and_the_second_drops_the_webhook() {
    let (mut desk, _) = Desk::with_client();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let delivery = desk.one();
        seen.push(delivery.asks_token);
        let result = if delivery.asks_token {
            DeliveryResult::Status(200)
        } else {
            UNAUTHORIZED
        };
        desk.answer(&delivery, result, TOKEN);
    }
    assert_eq!(seen, [true, false, true, false]);
    assert!(desk.due().is_empty());
    let of = desk.webhooks.subscriptions();
    assert_eq!((of[0].queued.len(), of[0].dropped), (0, 1));
    let numbers: Vec<u32> = desk.webhooks.attempts().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 1], "one attempt, sent twice");
}

#[test]
fn without_a_token_the_webhook_is_tried_again_later() {
    let (mut desk, client) = Desk::with_client();
    let token = desk.one();
    desk.answer(&token, UNAUTHORIZED, b"{}");
    assert_eq!(desk.status(&client), "error");
    assert!(desk.due().is_empty());
    desk.pass(SignedDuration::from_secs(5));
    let token = desk.one();
    let path = ["oauth_clients", client.as_str()];
    assert_eq!(desk.call("DELETE", &path, &json!({})).status, 204);
    desk.answer(&token, DeliveryResult::Status(200), TOKEN);
    assert!(
        desk.due().is_empty(),
        "a client that is gone is a temporary error"
    );
    desk.pass(SignedDuration::from_secs(10));
    let webhook = desk.one();
    assert!(
        !webhook
            .headers
            .iter()
            .any(|(name, _)| name == "Authorization")
    );
}
