//! People who sign in, roles, and what is refused to whom: the pages and the API of one server, as
//! somebody from elsewhere meets them.

mod acts;
mod edits;
mod hostile;
mod integrations;
mod lists;
mod load;
pub(crate) mod oauth;
mod oidc;
mod oncall;
mod people;
mod refused;
mod routes;
mod set;
mod troubles;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response};
use im::access::passwords::Passwords;
use im_pagerduty::Secret;
use im_store::accounts::{self, AccountRow, Role};
use im_store::audit::{self, Asked, AuditRow};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tower::ServiceExt as _;

use super::{FAR, Server, request};

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
/// Nobody guesses it.
const PASSWORD: &str = "correct horse battery";
/// What the server is called.
const HOST: &str = "192.0.2.1:8080";

/// A browser somewhere, with the one cookie that it was given.
struct Browser<'s> {
    server: &'s Server,
    peer: &'static str,
    cookie: Option<String>,
}

/// What a browser was answered.
struct Page {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Page {
    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Where it leads.
    fn to(&self) -> &str {
        self.headers.get("location").unwrap().to_str().unwrap()
    }

    /// The word of its forms.
    fn word(&self) -> String {
        let (_, rest) = self
            .body
            .split_once("name=\"word\" value=\"")
            .expect("it has a form");
        rest.split('"').next().unwrap().to_owned()
    }
}

impl<'s> Browser<'s> {
    fn new(server: &'s Server) -> Self {
        Self {
            server,
            peer: FAR,
            cookie: None,
        }
    }

    fn request(&self, method: &str, path: &str) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST)
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
            )
            .body(Body::empty())
            .unwrap();
        let peer: SocketAddr = self.peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(cookie) = &self.cookie {
            request
                .headers_mut()
                .insert("cookie", cookie.parse().unwrap());
        }
        request
    }

    async fn send(&mut self, request: Request<Body>) -> Page {
        let response: Response<Body> = self.server.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(set) = parts.headers.get("set-cookie") {
            let set = set.to_str().unwrap();
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        // A stream of ticks has no end.
        let is_endless = parts
            .headers
            .get("content-type")
            .is_some_and(|kind| kind == "text/event-stream");
        let bytes = if is_endless {
            Vec::new()
        } else {
            axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec()
        };
        Page {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path);
        self.send(request).await
    }

    /// A form as a browser of today sends it from a page of the server.
    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request<Body> {
        let mut url = reqwest::Url::parse("http://localhost").unwrap();
        url.query_pairs_mut().extend_pairs(fields);
        let mut request = self.request("POST", path);
        *request.body_mut() = Body::from(url.query().unwrap_or_default().to_owned());
        let headers = request.headers_mut();
        headers.insert(
            "content-type",
            "application/x-www-form-urlencoded".parse().unwrap(),
        );
        headers.insert("origin", format!("http://{HOST}").parse().unwrap());
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        request
    }

    /// Opens a page, and sends a form with its word.
    async fn post(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let word = self.get(page).await.word();
        let with_word = [&[("word", &*word)], fields].concat();
        let request = self.form(path, &with_word);
        self.send(request).await
    }

    async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        self.post(
            "/sign-in",
            "/sign-in",
            &[("email", email), ("password", password), ("to", "/")],
        )
        .await
    }
}

impl Server {
    /// A server for others, too, with an account of each role, all with one password.
    async fn with_people() -> Self {
        let server = Self::listening(false);
        server.add_people().await;
        server
    }

    async fn add_people(&self) {
        let hash = Passwords::default()
            .hash(Secret::new(PASSWORD))
            .await
            .unwrap();
        let now = self.clock.now();
        self.write(move |tx| {
            for role in Role::ALL {
                let email = format!("{}@example.com", role.as_str());
                accounts::insert(tx, &email, "", role, false, now)?;
                accounts::set_password(tx, &email, Some(&hash))?;
            }
            Ok(())
        })
        .await;
    }

    /// Somebody who is signed in.
    async fn signed_in(&self, role: Role) -> Browser<'_> {
        let mut browser = Browser::new(self);
        let email = format!("{}@example.com", role.as_str());
        browser.sign_in(&email, PASSWORD).await.is(303);
        browser
    }

    /// An account as it is stored.
    async fn account(&self, email: &'static str) -> AccountRow {
        let found = self.app.db.read(move |tx| accounts::find(tx, email));
        found.await.unwrap().expect("it is there")
    }

    /// The audit log, the last first.
    async fn audited(&self) -> Vec<AuditRow> {
        let asked = Asked {
            since: Timestamp::UNIX_EPOCH,
            who: None,
            before: i64::MAX,
            limit: 1000,
        };
        self.app
            .db
            .read(move |tx| audit::newest(tx, &asked))
            .await
            .unwrap()
    }

    /// The last act of the audit log: kind, who, act, thing, status.
    async fn last_act(&self) -> String {
        let rows = self.audited().await;
        let entry = &rows.first().expect("something was done").entry;
        format!(
            "{} {}: {} [{}] {}",
            entry.kind.as_str(),
            entry.who,
            entry.act,
            entry.thing,
            entry.status
        )
    }

    /// A token, made at the server's machine.
    async fn token(&self, body: Value) -> String {
        let made = self.in_process("POST", "/api/v1/tokens", &body).await;
        made["secret"]
            .as_str()
            .unwrap_or_else(|| panic!("{made}"))
            .to_owned()
    }

    /// Ends what somebody may.
    async fn disable(&self, email: &str) {
        let path = format!("/api/v1/accounts/{email}/disable");
        self.in_process("POST", &path, &Value::Null).await;
    }

    /// What `im` does at the server's machine.
    async fn in_process(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::from(body.to_string()))
            .unwrap();
        request.extensions_mut().insert(im::http::auth::InProcess);
        self.send(request).await.body
    }
}

/// An invitation, as it is asked for.
fn new_account(email: &str, role: &str) -> Value {
    json!({"email": email, "role": role})
}

/// A request from elsewhere, with a token.
fn with_token(token: &str, method: &str, path: &str, body: &Value) -> Request<Body> {
    let mut request = request(FAR, method, path, body);
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    request
}
