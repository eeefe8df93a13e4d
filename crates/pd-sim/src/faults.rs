//! How the stand-in misbehaves: what a test scripts, and what chance brings.
//!
//! A scripted fault meets the next request that matches it; seeded faults meet any request.
//! Nothing here touches the account: a refused request has done nothing, and a request whose
//! answer is lost has done everything.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::webhooks::WebhookFaults;

/// One thing that can go wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The work is done and the answer never arrives.
    LoseAnswer,
    /// 429, with or without `ratelimit-*` headers and body.
    RateLimited {
        /// Whether the caller is told how long to wait.
        with_headers: bool,
    },
    /// This 5xx status with an empty body.
    ServerError(u16),
    /// 502 with an HTML page, as gateways send it.
    BadGateway,
    /// 400 because another write holds the incident.
    Locked,
    /// 400 whose `error` is a text instead of an object.
    TextError,
    /// No connection; nothing is done.
    Unreachable,
}

/// The whole API is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Each request answers 503.
    Unavailable,
    /// No connection.
    Unreachable,
}

/// Chances of a fault per request, in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chances {
    /// The answer is lost.
    pub lose_answer: u8,
    /// 429 with headers.
    pub rate_limited: u8,
    /// 500.
    pub server_error: u8,
    /// 502 with HTML.
    pub bad_gateway: u8,
    /// 400 lock error; writes only.
    pub locked: u8,
    /// No connection.
    pub unreachable: u8,
}

/// A fault that waits for its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedView {
    /// Which method it waits for; empty for any.
    pub method: String,
    /// What the path has to contain.
    pub path_part: String,
    /// What will happen.
    pub fault: Fault,
    /// To how many requests.
    pub left: u32,
}

#[derive(Debug, Clone)]
struct Scripted {
    method: String,
    path_part: String,
    fault: Fault,
    left: u32,
}

/// All faults of one account.
#[derive(Debug, Clone)]
pub struct Faults {
    /// Everything is away until this is `None` again.
    pub outage: Option<Outage>,
    /// When the outage ends by itself.
    pub outage_until: Option<Timestamp>,
    /// Faults by chance.
    pub chances: Chances,
    /// How webhooks misbehave.
    pub webhooks: WebhookFaults,
    /// Every third log entry is missing from lists for so many seconds after it was written.
    pub late_log_entries_s: i64,
    /// Answers that the documents allow and few clients expect: fields that nobody knows, and
    /// null for empty lists.
    pub odd_answers: bool,
    scripted: Vec<Scripted>,
    rng: fastrand::Rng,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            outage: None,
            outage_until: None,
            chances: Chances::default(),
            webhooks: WebhookFaults::default(),
            late_log_entries_s: 0,
            odd_answers: false,
            scripted: Vec::new(),
            rng: fastrand::Rng::with_seed(seed ^ 0x6661_756c_7473),
        }
    }

    /// Lets the next request whose method is `method` (empty: any) and whose path contains
    /// `path_part` fail.
    pub fn next_matching(&mut self, method: &str, path_part: &str, fault: Fault) {
        self.next_n_matching(1, method, path_part, fault);
    }

    /// Lets the next `count` matching requests fail.
    pub fn next_n_matching(&mut self, count: u32, method: &str, path_part: &str, fault: Fault) {
        let (method, path_part) = (method.to_owned(), path_part.to_owned());
        self.scripted.push(Scripted {
            method,
            path_part,
            fault,
            left: count,
        });
    }

    /// Loses the next `count` answers.
    pub fn lose_answers(&mut self, count: u32) {
        self.next_n_matching(count, "", "", Fault::LoseAnswer);
    }

    /// The scripted faults that have not happened yet.
    pub fn scripted(&self) -> impl Iterator<Item = ScriptedView> + '_ {
        self.scripted.iter().map(|one| ScriptedView {
            method: one.method.clone(),
            path_part: one.path_part.clone(),
            fault: one.fault,
            left: one.left,
        })
    }

    /// Ends all faults, scripted ones included.
    pub fn clear(&mut self) {
        self.outage = None;
        self.outage_until = None;
        self.chances = Chances::default();
        self.webhooks = WebhookFaults::default();
        self.late_log_entries_s = 0;
        self.odd_answers = false;
        self.scripted.clear();
    }

    /// What goes wrong with this request, if anything.
    pub(crate) fn meet(&mut self, request: &Request, now: Timestamp) -> Option<Fault> {
        if self.outage_until.is_some_and(|until| until <= now) {
            self.outage = None;
            self.outage_until = None;
        }
        match self.outage {
            Some(Outage::Unavailable) => return Some(Fault::ServerError(503)),
            Some(Outage::Unreachable) => return Some(Fault::Unreachable),
            None => {}
        }
        if let Some(fault) = self.take_scripted(request) {
            return Some(fault);
        }
        let chances = self.chances;
        let is_write = request.method != "GET";
        let table = [
            (chances.unreachable, Fault::Unreachable),
            (
                chances.rate_limited,
                Fault::RateLimited { with_headers: true },
            ),
            (chances.server_error, Fault::ServerError(500)),
            (chances.bad_gateway, Fault::BadGateway),
            (if is_write { chances.locked } else { 0 }, Fault::Locked),
            (chances.lose_answer, Fault::LoseAnswer),
        ];
        let hits = |percent: u8, rng: &mut fastrand::Rng| percent > 0 && rng.u8(0..100) < percent;
        table
            .into_iter()
            .find(|(percent, _)| hits(*percent, &mut self.rng))
            .map(|(_, fault)| fault)
    }

    fn take_scripted(&mut self, request: &Request) -> Option<Fault> {
        let fits = |scripted: &Scripted| {
            (scripted.method.is_empty() || scripted.method == request.method)
                && request.path.contains(&scripted.path_part)
        };
        let at = self.scripted.iter().position(fits)?;
        let scripted = self.scripted.get_mut(at)?;
        let fault = scripted.fault;
        scripted.left = scripted.left.saturating_sub(1);
        if scripted.left == 0 {
            self.scripted.remove(at);
        }
        Some(fault)
    }
}

/// The answer of a request that is refused; `None` when the request is worked on.
pub(crate) fn refusal(fault: Fault) -> Option<Response> {
    match fault {
        Fault::LoseAnswer => None,
        Fault::RateLimited {
            with_headers: false,
        } => Some(Response::empty(429)),
        Fault::RateLimited { with_headers: true } => {
            let mut response = Response::error(429, 2020, "Rate Limit Exceeded", &[]);
            let headers = [
                ("ratelimit-limit", "960"),
                ("ratelimit-remaining", "0"),
                ("ratelimit-reset", "7"),
            ];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            response.headers.extend(headers);
            Some(response)
        }
        Fault::ServerError(status) => Some(Response::empty(status)),
        Fault::BadGateway => Some(Response {
            status: 502,
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
            body: b"<html><head><title>502 Bad Gateway</title></head><body></body></html>".to_vec(),
        }),
        Fault::Locked => Some(crate::http::arguments(
            "Incident could not be locked for update",
        )),
        Fault::TextError => Some(Response::json(
            400,
            &json!({"error": "Something went wrong; please try again"}),
        )),
        Fault::Unreachable => Some(Response::empty(503)),
    }
}

/// Adds a field that nobody knows to each object that has an id, and turns empty lists inside of
/// objects into null.
pub(crate) fn make_odd(response: &mut Response) {
    if let Some(mut body) = response.value() {
        odd(&mut body, 0);
        response.body = body.to_string().into_bytes();
    }
}

/// Lists at the top stay: whoever reads a page counts its rows.
fn odd(value: &mut Value, depth: u32) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("id") {
                fields.insert("x_new_field".to_owned(), json!({"since": "tomorrow"}));
            }
            for field in fields.values_mut() {
                if depth > 0 && field.as_array().is_some_and(Vec::is_empty) {
                    *field = Value::Null;
                }
                odd(field, depth + 1);
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| odd(row, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
