//! OAuth clients: what gets a token at the receiver's side, for webhooks that must carry one
//! (docs/sim.md).
//!
//! Invariants
//! - A secret never leaves but to the token endpoint.
//! - Credentials are tested when they come or change; who refuses them is believed, and an
//!   endpoint that cannot be reached makes a client whose status is `error`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Delivery, DeliveryResult, Webhooks};
use crate::asked::Asked;
use crate::http::{Request, Response, invalid, not_found};
use crate::ids::Ids;
use crate::oauth::form::percent_encode;

/// OAuth clients of one account.
const CLIENTS_MAX: usize = 10;
const CHARS_MAX: usize = 255;
/// A token that says nothing lives so long.
const LIVES_S: i64 = 3_600;

/// What a token is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) token_url: String,
    pub(super) scope: Option<String>,
}

/// A token and its end.
pub(super) type Token = (String, Timestamp);

#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) credentials: Credentials,
    /// `false`: the last attempt to get a token failed.
    pub(super) active: bool,
    pub(super) token: Option<Token>,
}

/// What became of a request for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Got(Token),
    /// The endpoint answered, and not with a token.
    Refused,
    Unreached,
}

impl Outcome {
    pub(super) fn of(result: DeliveryResult, body: &[u8], now: Timestamp) -> Self {
        match result {
            DeliveryResult::Status(200..=299) => {
                let answer: Value = serde_json::from_slice(body).unwrap_or_default();
                let Some(token) = answer.get("access_token").and_then(Value::as_str) else {
                    return Self::Refused;
                };
                let lives = answer.get("expires_in").and_then(Value::as_i64);
                let lives = SignedDuration::from_secs(lives.unwrap_or(LIVES_S));
                let ends = now.saturating_add(lives).unwrap_or(Timestamp::MAX);
                Self::Got((token.to_owned(), ends))
            }
            DeliveryResult::Status(400..=499) => Self::Refused,
            _ => Self::Unreached,
        }
    }
}

impl Credentials {
    /// The request for a token.
    pub(super) fn ask(&self, id: u64) -> Delivery {
        let scope = self.scope.as_deref().map(|scope| ("scope", scope));
        let pairs = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
        ];
        let pairs = pairs.into_iter().chain(scope);
        let pairs = pairs.map(|(name, value)| format!("{name}={}", percent_encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        ];
        Delivery {
            id,
            url: self.token_url.clone(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: body.into_bytes(),
            asks_token: true,
        }
    }
}

impl Client {
    fn object(&self) -> Value {
        json!({
            "id": self.id,
            "type": "oauth_client",
            "name": self.name,
            "client_id": self.credentials.client_id,
            "scope": self.credentials.scope,
            "token_url": self.credentials.token_url,
            "grant_type": "client_credentials",
            "status": if self.active { "active" } else { "error" },
        })
    }

    /// As a subscription shows it.
    pub(super) fn reference(&self) -> Value {
        json!({"id": self.id, "type": "oauth_client_reference", "summary": self.name})
    }

    /// A token that still holds.
    pub(super) fn valid_token(&self, now: Timestamp) -> Option<&str> {
        let token = self.token.as_ref().filter(|(_, ends)| now < *ends);
        token.map(|(token, _)| token.as_str())
    }

    /// Takes what came of a request for a token; `false`: there is none.
    pub(super) fn take(&mut self, outcome: Outcome) -> bool {
        self.token = match outcome {
            Outcome::Got(token) => Some(token),
            Outcome::Refused | Outcome::Unreached => None,
        };
        self.active = self.token.is_some();
        self.active
    }
}

impl Webhooks {
    /// Answers a request; `path` is what follows `oauth_clients`.
    pub(super) fn clients_rest(
        &mut self,
        request: &Request,
        path: &[&str],
        ids: &mut Ids,
        now: Timestamp,
    ) -> Result<Response, Response> {
        match (request.method.as_str(), path) {
            ("GET", []) => {
                let all: Vec<Value> = self.clients.iter().map(Client::object).collect();
                Ok(Response::json(200, &json!({"oauth_clients": all})))
            }
            ("POST", []) => {
                let (name, credentials) = asked(request, None)?;
                if self.clients.len() >= CLIENTS_MAX {
                    return Err(Response::error(400, 2019, "Product Limit Reached", &[]));
                }
                let client = Client {
                    id: ids.event(now),
                    name,
                    credentials,
                    active: true,
                    token: None,
                };
                self.put_client(client, 201)
            }
            ("GET", [id]) => {
                let client = self.client(id).ok_or_else(not_found)?;
                Ok(Response::json(
                    200,
                    &json!({"oauth_client": client.object()}),
                ))
            }
            ("PUT", [id]) => {
                let mut client = self.client(id).ok_or_else(not_found)?.clone();
                (client.name, client.credentials) = asked(request, Some(&client))?;
                self.put_client(client, 200)
            }
            ("DELETE", [id]) => {
                self.client(id).ok_or_else(not_found)?;
                self.clients.retain(|client| client.id != **id);
                for to in &mut self.subscriptions {
                    to.oauth_client.take_if(|client| client == id);
                }
                Ok(Response::empty(204))
            }
            _ => Err(not_found()),
        }
    }

    /// Keeps a client, as its test went; untested credentials count as good.
    fn put_client(&mut self, mut client: Client, status: u16) -> Result<Response, Response> {
        client.active = true;
        client.token = None;
        let same = |test: &Test| test.credentials == client.credentials;
        let test = self.tests.iter().position(same);
        match test.and_then(|at| self.tests.remove(at).outcome) {
            Some(Outcome::Refused) => {
                return Err(invalid(
                    "The token endpoint gives no token for these credentials",
                ));
            }
            Some(outcome) => drop(client.take(outcome)),
            None => {}
        }
        let object = client.object();
        match self.clients.iter_mut().find(|old| old.id == client.id) {
            Some(old) => *old = client,
            None => self.clients.push(client),
        }
        Ok(Response::json(status, &json!({"oauth_client": object})))
    }

    /// The test of the credentials that a request brings; `None`: it brings none to test.
    pub(crate) fn test_for(&mut self, request: &Request, path: &[&str]) -> Option<Delivery> {
        let old = match (request.method.as_str(), path) {
            ("POST", []) => None,
            ("PUT", [id]) => Some(self.client(id)?),
            _ => return None,
        };
        let (_, credentials) = asked(request, old).ok()?;
        let id = self.next_attempt;
        self.next_attempt += 1;
        let delivery = credentials.ask(id);
        self.tests.retain(|test| test.credentials != credentials);
        self.tests.push(Test {
            id,
            credentials,
            outcome: None,
        });
        Some(delivery)
    }

    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }
}

/// Credentials that are being tried before their client is made.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) id: u64,
    pub(super) credentials: Credentials,
    /// Nothing yet while it is under way.
    pub(super) outcome: Option<Outcome>,
}

/// Name and credentials as a request wants them; a change names only what is new.
fn asked(request: &Request, old: Option<&Client>) -> Result<(String, Credentials), Response> {
    let mut asked = Asked::of(request, "oauth_client")?;
    let new = old.is_none();
    let mut text = |name: &str, old: Option<&String>| {
        let text = asked.filled(name, CHARS_MAX, new);
        text.or_else(|| old.cloned()).unwrap_or_default()
    };
    let known = old.map(|old| &old.credentials);
    let name = text("name", old.map(|old| &old.name));
    let client_id = text("client_id", known.map(|old| &old.client_id));
    let client_secret = text("client_secret", known.map(|old| &old.client_secret));
    let token_url = text("token_url", known.map(|old| &old.token_url));
    if new && !asked.names("grant_type") {
        asked.wrong("Grant type can't be blank");
    }
    asked.word("grant_type", &["client_credentials"]);
    if !token_url.is_empty() && super::rest::receiver_url(Some(&token_url)).is_err() {
        asked.wrong("Token url must be a valid http or https URL");
    }
    let scope = if asked.names("scope") {
        asked.text("scope", CHARS_MAX)
    } else {
        known.and_then(|old| old.scope.clone())
    };
    asked.check()?;
    let credentials = Credentials {
        client_id,
        client_secret,
        token_url,
        scope,
    };
    Ok((name, credentials))
}
