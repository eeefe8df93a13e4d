//! Requests and answers as plain data, with the few helpers that each resource needs.
//!
//! Nothing here knows a socket; a server fills a [`Request`] and writes a [`Response`].

use serde::Serialize;
use serde_json::{Value, json};

/// One call to the stand-in. The query is already split and percent-decoded.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Upper-case method.
    pub method: String,
    /// The path alone, e.g. `/incidents/Q0ABC`.
    pub path: String,
    /// Query pairs in the order they came.
    pub query: Vec<(String, String)>,
    /// Header names in any case.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers, query and body.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// Adds one header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds one query pair.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a JSON body and its content type.
    #[must_use]
    pub fn with_json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.with_header("Content-Type", "application/json")
    }

    /// The body as JSON; `None` when it is none.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The first header of this name, whatever the case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The first query value of this name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All query values of this name, e.g. of `statuses[]`.
    pub fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether `include[]` asks for `what`.
    pub fn includes(&self, what: &str) -> bool {
        self.query_all("include[]").any(|value| value == what)
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers, content type included.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Self {
            status,
            headers,
            body: body.to_string().into_bytes(),
        }
    }

    /// An answer whose JSON body is written straight from what it shows.
    pub(crate) fn of(status: u16, body: &impl Serialize) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let body = serde_json::to_vec(body).expect("bodies have text keys and no failing parts");
        Self {
            status,
            headers,
            body,
        }
    }

    /// PagerDuty's error object. No `errors` means that the key is left out.
    pub fn error(status: u16, code: i64, message: &str, errors: &[&str]) -> Self {
        let error = if errors.is_empty() {
            json!({"message": message, "code": code})
        } else {
            json!({"message": message, "code": code, "errors": errors})
        };
        Self::json(status, &json!({"error": error}))
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The body as JSON; `None` when it is none.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// 404 with PagerDuty's body.
pub(crate) fn not_found() -> Response {
    Response::error(404, 2100, "Not Found", &[])
}

/// 400, code 2001, with one reason.
pub(crate) fn invalid(reason: &str) -> Response {
    Response::error(400, 2001, "Invalid Input Provided", &[reason])
}

/// 400, code 2002, with one reason.
pub(crate) fn arguments(reason: &str) -> Response {
    Response::error(400, 2002, "Arguments Caused Error", &[reason])
}
