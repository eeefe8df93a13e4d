//! Webhooks that leave the stand-in as real requests to a listener.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Here, Said};

/// What a listener heard: path, headers, body.
type Heard = Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>;

/// Takes everything; at `/token` it gives tokens, and `/closed` wants the second one.
async fn listen() -> (SocketAddr, Heard) {
    async fn hear(
        State(heard): State<Heard>,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, String) {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let path = uri.path().to_owned();
        let tokens = heard.iter().filter(|(path, ..)| path == "/token").count();
        let authorization = headers.get("Authorization").cloned();
        heard.push((path.clone(), headers, body));
        match path.as_str() {
            "/token" => {
                let token = format!("token-{}", tokens + 1);
                let token = json!({"access_token": token, "expires_in": 3_600});
                (StatusCode::OK, token.to_string())
            }
            "/closed" if authorization.is_none_or(|text| text != "Bearer token-2") => {
                (StatusCode::UNAUTHORIZED, String::new())
            }
            "/refused" => (StatusCode::UNAUTHORIZED, String::new()),
            _ => (StatusCode::ACCEPTED, String::new()),
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let router = Router::new().fallback(hear).with_state(Arc::clone(&heard));
    tokio::spawn(axum::serve(listener, router).into_future());
    (address, heard)
}

fn heard_at(heard: &Heard, path: &str) -> Vec<(HeaderMap, Bytes)> {
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    let at = heard.iter().filter(|(at, ..)| at == path);
    at.map(|(_, headers, body)| (headers.clone(), body.clone()))
        .collect()
}

impl Here {
    async fn write(&self, method: &str, path: &str, body: &Value) -> Said {
        let key = format!("Token token={}", self.stand_in.account.api_key);
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header("Authorization", key)
            .header("Content-Type", "application/json");
        self.send(request.body(body.to_string().into()).unwrap())
            .await
    }

    async fn subscribe(&self, url: &str, client: Option<&str>) -> Value {
        let body = json!({"webhook_subscription": {
            "type": "webhook_subscription",
            "delivery_method": {"type": "http_delivery_method", "url": url,
                "custom_headers": [{"name": "X-Team", "value": "shop"}]},
            "events": ["incident.triggered", "incident.acknowledged"],
            "filter": {"type": "account_reference"},
            "oauth_client_id": client}});
        let made = self.write("POST", "/webhook_subscriptions", &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["webhook_subscription"].clone()
    }

    /// Lets a second pass, until all that is due by then is delivered.
    async fn pass(&self) {
        let said = self.post("/_sim/clock", "advance=1s").await;
        assert_eq!(said.status, 200, "{}", said.text);
    }
}

#[tokio::test]
async fn a_listener_gets_signed_webhooks_with_their_headers() {
    let (address, heard) = listen().await;
    let here = Here::new();
    let subscription = here
        .subscribe(&format!("http://{address}/hook"), None)
        .await;
    here.post("/_sim/trigger", "service=Search&title=Slow")
        .await;
    here.post("/_sim/incidents/101/acknowledge", "").await;
    here.pass().await;

    let secret = subscription["delivery_method"]["secret"].as_str().unwrap();
    let heard = heard_at(&heard, "/hook");
    let mut types = Vec::new();
    for (headers, body) in &heard {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        let signature = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
        let expected = [
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("user-agent", "PagerDuty-Webhook/V3.0"),
            ("x-pagerduty-signature", signature.as_str()),
            (
                "x-webhook-subscription",
                subscription["id"].as_str().unwrap(),
            ),
            ("x-team", "shop"),
        ];
        for (name, value) in expected {
            let all: Vec<_> = headers.get_all(name).iter().collect();
            assert_eq!(all, [value], "{name}");
        }
        assert!(!headers["x-webhook-id"].is_empty());
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["event"]["data"]["number"], 101);
        types.push(body["event"]["event_type"].as_str().unwrap().to_owned());
    }
    assert_eq!(types, ["incident.triggered", "incident.acknowledged"]);
    assert_ne!(heard[0].0["x-webhook-id"], heard[1].0["x-webhook-id"]);
    let seen = here.get("/_sim/deliveries").await.json();
    assert_eq!(seen["deliveries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_wants_a_token_gets_one_and_a_second_when_it_refuses() {
    let (address, heard) = listen().await;
    let here = Here::new();
    let client = |token: &str| {
        json!({"oauth_client": {"name": "Receiver", "client_id": "c", "client_secret": "s",
            "token_url": format!("http://{address}{token}"), "grant_type": "client_credentials"}})
    };
    let clients = "/webhook_subscriptions/oauth_clients";
    let refused = here.write("POST", clients, &client("/refused")).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let made = here.write("POST", clients, &client("/token")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["oauth_client"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    here.subscribe(&format!("http://{address}/closed"), Some(&id))
        .await;
    here.post("/_sim/trigger", "service=Search&title=Slow")
        .await;
    here.pass().await;

    let at_hook = heard_at(&heard, "/closed");
    let tokens: Vec<&str> = at_hook
        .iter()
        .map(|(headers, _)| headers["authorization"].to_str().unwrap())
        .collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(at_hook[0].0["x-webhook-id"], at_hook[1].0["x-webhook-id"]);
    let asked = heard_at(&heard, "/token");
    assert_eq!(asked.len(), 2, "one to try the client, one for the refusal");
    assert_eq!(
        asked[0].1,
        "grant_type=client_credentials&client_id=c&client_secret=s"
    );
}
