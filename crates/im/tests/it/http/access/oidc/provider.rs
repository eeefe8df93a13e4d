//! A provider of OpenID Connect on a port of this machine: it agrees at once, and lies as it is told to.

use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use im::clock::Clock;
use jiff::SignedDuration;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::super::ANN;

pub(super) const CLIENT_ID: &str = "im-at-example";
pub(super) const CLIENT_SECRET: &str = "s3cret of the client";
pub(super) const SUBJECT: &str = "24400320";
const BEARER: &str = "Bearer access-1";

/// It is in the source for everybody to read: it proves that signatures are verified, and nothing else.
const KEY: &str = include_str!("../../fixtures/provider-key.txt");

pub(super) struct Provider {
    pub(super) url: String,
    world: Arc<Mutex<World>>,
    _stop: DropGuard,
}

struct World {
    url: String,
    clock: Clock,
    key: RsaKeyPair,
    /// What the last person who was sent here agreed to: the nonce, the challenge, the address to go back to.
    agreed: Option<(String, String, String)>,
    /// What the next ID token says otherwise; null: not at all.
    claims: Value,
    forgery: &'static str,
    userinfo: Value,
    is_broken: bool,
    /// How many seconds go by until it answers that it is broken.
    takes: i64,
    /// Whether it answers what is asked of a person.
    is_mute: bool,
    /// Why it gives no tokens.
    refuses: Option<&'static str>,
    exchanges: u32,
    refusals: u32,
}

type Shared = Arc<Mutex<World>>;

impl Provider {
    pub(super) async fn start(clock: &Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let der = STANDARD.decode(KEY.replace('\n', "")).unwrap();
        let world = Arc::new(Mutex::new(World {
            url: url.clone(),
            clock: clock.clone(),
            key: RsaKeyPair::from_pkcs8(&der).unwrap(),
            agreed: None,
            claims: json!({}),
            forgery: "",
            userinfo: Value::Null,
            is_broken: false,
            takes: 0,
            is_mute: false,
            refuses: None,
            exchanges: 0,
            refusals: 0,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&world));
        let stop = CancellationToken::new();
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::spawn(serving.into_future());
        Self {
            url,
            world,
            _stop: stop.drop_guard(),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut self.world.lock().unwrap())
    }

    /// The person who was sent to `address` agrees; the path that the browser is sent back to.
    pub(super) fn agree(&self, address: &str) -> String {
        let url = reqwest::Url::parse(address).unwrap();
        let base = format!("{}/authorize", self.url);
        assert!(address.starts_with(&base), "{address}");
        let said = |name: &str| {
            let mut pairs = url.query_pairs();
            let pair = pairs.find(|(known, _)| known == name);
            pair.unwrap_or_else(|| panic!("no {name}: {address}"))
                .1
                .into_owned()
        };
        let back = said("redirect_uri");
        let path = reqwest::Url::parse(&back).unwrap().path().to_owned();
        let agreed = (said("nonce"), said("code_challenge"), back);
        self.with(|world| world.agreed = Some(agreed));
        format!("{path}?code=code-1&state={}", said("state"))
    }

    pub(super) fn says(&self, claims: Value) {
        self.with(|world| world.claims = claims);
    }

    pub(super) fn tells(&self, userinfo: Value) {
        self.with(|world| world.userinfo = userinfo);
    }

    pub(super) fn forges(&self, how: &'static str) {
        self.with(|world| world.forgery = how);
    }

    pub(super) fn breaks(&self, is_broken: bool) {
        self.with(|world| world.is_broken = is_broken);
    }

    pub(super) fn takes(&self, seconds: i64) {
        self.with(|world| world.takes = seconds);
    }

    /// It says nothing more of anybody.
    pub(super) fn is_mute(&self) {
        self.with(|world| world.is_mute = true);
    }

    /// It gives no tokens, and says why.
    pub(super) fn refuses(&self, why: Option<&'static str>) {
        self.with(|world| world.refuses = why);
    }

    /// How often tokens were given.
    pub(super) fn exchanges(&self) -> u32 {
        self.with(|world| world.exchanges)
    }

    /// How often it was asked while it was broken.
    pub(super) fn refusals(&self) -> u32 {
        self.with(|world| world.refusals)
    }
}

async fn configuration(State(world): State<Shared>) -> Response {
    let mut world = world.lock().unwrap();
    if world.is_broken {
        world.refusals += 1;
        world.clock.advance(SignedDuration::from_secs(world.takes));
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let url = &world.url;
    let mut document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // What it says it can is not what is believed.
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    });
    if !world.userinfo.is_null() {
        document["userinfo_endpoint"] = format!("{url}/userinfo").into();
    }
    Json(document).into_response()
}

async fn keys(State(world): State<Shared>) -> Json<Value> {
    let world = world.lock().unwrap();
    let public: PublicKeyComponents<Vec<u8>> = world.key.public_key().into();
    Json(json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "key-1",
        "n": URL_SAFE_NO_PAD.encode(public.n),
        "e": URL_SAFE_NO_PAD.encode(public.e),
    }]}))
}

async fn token(
    State(world): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let mut world = world.lock().unwrap();
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    // Both parts travel as a form writes them (RFC 6749, 2.3.1).
    let pair = format!("{CLIENT_ID}:{}", CLIENT_SECRET.replace(' ', "+"));
    let client = format!("Basic {}", STANDARD.encode(pair));
    let is_client = headers
        .get("authorization")
        .is_some_and(|given| *given == client);
    let Some((nonce, challenge, back)) = world.agreed.clone() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let verifier = field("code_verifier");
    let is_right = is_client
        && field("grant_type") == "authorization_code"
        && field("code") == "code-1"
        && field("redirect_uri") == back
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge;
    let refusal = world.refuses.or((!is_right).then_some("invalid_grant"));
    if let Some(refusal) = refusal {
        let error = Json(json!({"error": refusal}));
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    world.exchanges += 1;
    let mut answer = json!({"access_token": "access-1", "token_type": "Bearer", "expires_in": 60});
    if world.forgery != "absent" {
        answer["id_token"] = id_token(&world, &nonce).into();
    }
    Json(answer).into_response()
}

async fn userinfo(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let world = world.lock().unwrap();
    let given = headers.get("authorization");
    if world.is_mute || given.is_none_or(|given| given != BEARER) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(world.userinfo.clone()).into_response()
}

fn id_token(world: &World, nonce: &str) -> String {
    let now = world.clock.now().as_second();
    let mut claims = json!({
        "iss": world.url, "aud": CLIENT_ID, "sub": SUBJECT, "nonce": nonce,
        "iat": now, "exp": now + 300,
        "email": ANN, "email_verified": true, "name": "Ann at the provider",
    });
    let said = claims.as_object_mut().unwrap();
    for (name, value) in world.claims.as_object().unwrap() {
        if value.is_null() {
            said.remove(name);
        } else {
            said.insert(name.clone(), value.clone());
        }
    }
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let alg = match world.forgery {
        "unsigned" => "none",
        "shared" => "HS256",
        _ => "RS256",
    };
    let header = encode(&json!({"alg": alg, "typ": "JWT", "kid": "key-1"}));
    let text = format!("{header}.{}", encode(&claims));
    let signature = match world.forgery {
        "unsigned" => Vec::new(),
        "shared" => {
            let mut mac = Hmac::<Sha256>::new_from_slice(CLIENT_SECRET.as_bytes()).unwrap();
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        _ => {
            let mut signature = vec![0; world.key.public().modulus_len()];
            let chance = SystemRandom::new();
            let key = &world.key;
            key.sign(&RSA_PKCS1_SHA256, &chance, text.as_bytes(), &mut signature)
                .unwrap();
            signature
        }
    };
    let signature = URL_SAFE_NO_PAD.encode(signature);
    if world.forgery == "changed" {
        claims["email"] = "owner@example.com".into();
        return format!("{header}.{}.{signature}", encode(&claims));
    }
    format!("{text}.{signature}")
}
