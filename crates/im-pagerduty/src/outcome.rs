//! What became of a call, in the classes that a caller treats differently.

use std::fmt;

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use crate::answer::Answer;
use crate::call::{Call, Repeat};
use crate::wire::error::{self, ErrorBody};

/// An HTTP answer as it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers; the case of names does not matter.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// What PagerDuty says about our allowance, and what time it is there.
    pub fn limits(&self) -> Limits {
        let number = |name| self.header(name)?.parse().ok();
        Limits {
            limit: number("ratelimit-limit"),
            remaining: number("ratelimit-remaining"),
            reset_s: number("ratelimit-reset"),
            date: self
                .header("date")
                .and_then(|text| rfc2822::parse(text).ok())
                .map(|date| date.timestamp()),
        }
    }
}

/// Our allowance, and PagerDuty's clock, as the answer's headers tell them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests in a window.
    pub limit: Option<u32>,
    /// Requests left in it.
    pub remaining: Option<u32>,
    /// Seconds until it starts again.
    pub reset_s: Option<u32>,
    /// The time at PagerDuty, cut to seconds.
    pub date: Option<Timestamp>,
}

impl Limits {
    /// How far our clock is ahead of PagerDuty's for certain, for a call that left after `at` and
    /// was answered before `now`; negative where it is behind, zero where nothing is proved.
    pub fn clock_ahead(&self, at: Timestamp, now: Timestamp) -> Option<SignedDuration> {
        const CUT: SignedDuration = SignedDuration::from_secs(1);
        let date = self.date?;
        let (ahead, behind) = (at.duration_since(date) - CUT, now.duration_since(date));
        Some(if ahead.is_positive() {
            ahead
        } else {
            behind.min(SignedDuration::ZERO)
        })
    }
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done.
    Done(Answer),
    /// It was not done and may be sent again later.
    Wait {
        /// How long PagerDuty asks us to wait, where it does.
        after_ms: Option<u64>,
        /// Why.
        why: WaitReason,
    },
    /// The thing is not there, or not visible to this key.
    Gone,
    /// PagerDuty said no; the same call will be refused again.
    Refused(Refusal),
    /// It may have been done: see [`Call::repeat`] before it is sent again. Says what happened.
    Unclear(String),
}

/// Why a call has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitReason {
    /// Too many requests.
    RateLimited,
    /// PagerDuty is ill.
    Server,
    /// Somebody else changes the incident at this moment.
    Locked,
    /// No connection.
    Unreachable,
    /// The connection is not trusted.
    Tls,
    /// The name has no address.
    Dns,
}

impl WaitReason {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Locked => "locked",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Dns => "dns",
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RateLimited => "PagerDuty is limiting us",
            Self::Server => "PagerDuty has a problem",
            Self::Locked => "the incident is being changed at this moment",
            Self::Unreachable => "PagerDuty cannot be reached",
            Self::Tls => "PagerDuty's certificate is not trusted",
            Self::Dns => "PagerDuty's host name has no address",
        })
    }
}

/// A no, with PagerDuty's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// PagerDuty's error code.
    pub code: Option<i64>,
    /// PagerDuty's message, or ours when it gave none.
    pub message: String,
    /// The listed errors.
    pub errors: Vec<String>,
    /// What the caller does about it.
    pub why: Why,
    /// The OAuth scopes that it takes.
    pub required_scopes: Vec<String>,
    /// The OAuth scopes that our token has.
    pub token_scopes: Vec<String>,
    /// PagerDuty's id of the request, for their support.
    pub request_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let others = self.errors.iter().filter(|error| **error != self.message);
        for (at, error) in others.enumerate() {
            let before = if at == 0 { ": " } else { "; " };
            write!(f, "{before}{error}")?;
        }
        if !self.required_scopes.is_empty() {
            write!(f, " (needs {})", self.required_scopes.join(", "))?;
        }
        write!(f, " (HTTP {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, ", code {code}")?;
        }
        f.write_str(")")
    }
}

/// Kinds of refusals. `docs/pagerduty/rest.md`, "Refusals", says what each comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// It has the state already: read and compare.
    AlreadyInState,
    /// An open incident has the key: find it by the key.
    DuplicateKey,
    /// The `From` address is no user of the account.
    UnknownFrom,
    /// The call needs a `From` address.
    MissingFrom,
    /// The key is wrong, revoked or of the other region.
    BadKey,
    /// The call is for keys of a user, and this one is the account's.
    AccountKey,
    /// The key may only read.
    ReadOnly,
    /// The key or the person may not do this.
    Forbidden,
    /// The account's plan does not have it.
    PlanLacks,
    /// Too many things in one request: split it.
    TooMany,
    /// Too many rows or too long a time: split the window.
    WindowTooLarge,
    /// PagerDuty holds no more of these (notes, subscriptions).
    LimitReached,
    /// The incident could not be made: nobody is on call, or the service takes none now.
    NobodyOnCall,
    /// The request is wrong.
    Invalid,
    /// Anything else.
    Other,
}

impl Why {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyInState => "already_in_state",
            Self::DuplicateKey => "duplicate_key",
            Self::UnknownFrom => "unknown_from",
            Self::MissingFrom => "missing_from",
            Self::BadKey => "bad_key",
            Self::AccountKey => "account_key",
            Self::ReadOnly => "read_only",
            Self::Forbidden => "forbidden",
            Self::PlanLacks => "plan_lacks",
            Self::TooMany => "too_many",
            Self::WindowTooLarge => "window_too_large",
            Self::LimitReached => "limit_reached",
            Self::NobodyOnCall => "nobody_on_call",
            Self::Invalid => "invalid",
            Self::Other => "other",
        }
    }
}

/// How a request failed without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Nothing was sent: no connection.
    NotSent,
    /// Some or all was sent, and no whole answer came.
    MaybeSent,
    /// The TLS handshake failed.
    Tls,
    /// The host name could not be resolved.
    Dns,
}

/// What a request without an answer means for its call.
pub fn transport_outcome(call: &Call, failure: Transport) -> Outcome {
    let why = match failure {
        Transport::MaybeSent if call.is_write() => {
            return Outcome::Unclear("no answer came in time".to_owned());
        }
        Transport::NotSent | Transport::MaybeSent => WaitReason::Unreachable,
        Transport::Tls => WaitReason::Tls,
        Transport::Dns => WaitReason::Dns,
    };
    Outcome::Wait {
        after_ms: None,
        why,
    }
}

/// Reads an answer that is not a success.
pub(crate) fn failed(call: &Call, reply: &Reply) -> Outcome {
    let body = error::read(&reply.body);
    match reply.status {
        429 => return rate_limited(reply),
        404 | 410 => return Outcome::Gone,
        408 | 500..=599 => return ill(call, reply.status),
        _ => {}
    }
    let text = body.text();
    if text.contains("could not be locked") {
        return Outcome::Wait {
            after_ms: None,
            why: WaitReason::Locked,
        };
    }
    match body.code {
        Some(2020) => return rate_limited(reply),
        Some(2000) => return ill(call, reply.status),
        // The published table gives a missing `From` the same code.
        Some(2016) if text.contains("took too long") => return ill(call, reply.status),
        _ => {}
    }
    Outcome::Refused(refusal(call, reply, body, &text))
}

fn rate_limited(reply: &Reply) -> Outcome {
    let reset_s = reply.limits().reset_s;
    Outcome::Wait {
        after_ms: reset_s.map(|seconds| u64::from(seconds).saturating_mul(1_000)),
        why: WaitReason::RateLimited,
    }
}

/// PagerDuty or a gateway failed. What it did before that is not known, so a call that must not
/// be done twice is unclear.
fn ill(call: &Call, status: u16) -> Outcome {
    match call.repeat() {
        Repeat::Reads | Repeat::Sets => Outcome::Wait {
            after_ms: None,
            why: WaitReason::Server,
        },
        Repeat::FindByKey | Repeat::LookForMark | Repeat::LookForUrl => {
            Outcome::Unclear(format!("PagerDuty answered {status}"))
        }
    }
}

fn refusal(call: &Call, reply: &Reply, body: ErrorBody, text: &str) -> Refusal {
    let why = why(call, reply.status, &body, text);
    Refusal {
        status: reply.status,
        code: body.code,
        message: body
            .message
            .or_else(|| body.errors.first().cloned())
            .unwrap_or_else(|| "PagerDuty refused and did not say why".to_owned()),
        errors: body.errors,
        why,
        required_scopes: body.required_scopes,
        token_scopes: body.token_scopes,
        request_id: reply.header("x-request-id").map(str::to_owned),
    }
}

fn why(call: &Call, status: u16, body: &ErrorBody, text: &str) -> Why {
    match status {
        401 => Why::BadKey,
        402 => Why::PlanLacks,
        403 => forbidden(call, body, text),
        413 => Why::TooMany,
        400 | 409 | 422 => by_text(text)
            .or_else(|| by_code(call, body, text))
            .unwrap_or(Why::Invalid),
        _ => Why::Other,
    }
}

/// A key that may read but not write gets the same answer as one that may do neither.
fn forbidden(call: &Call, body: &ErrorBody, text: &str) -> Why {
    let said = ["read-only", "read only", "readonly"]
        .iter()
        .any(|word| text.contains(word));
    let lacks_write = body
        .required_scopes
        .iter()
        .filter(|scope| !body.token_scopes.contains(scope))
        .any(|scope| {
            scope
                .rsplit_once('.')
                .is_some_and(|(_, right)| right == "write")
        });
    if call.is_write() && (said || lacks_write) {
        Why::ReadOnly
    } else {
        Why::Forbidden
    }
}

/// Codes have several meanings, so known texts go first.
fn by_text(text: &str) -> Option<Why> {
    let all = |words: &[&str]| words.iter().all(|word| text.contains(word));
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if all(&["dedup key", "already exists"]) || all(&["incident_key", "already"]) {
        Some(Why::DuplicateKey)
    } else if all(&["\"from\" header"]) {
        Some(Why::MissingFrom)
    } else if all(&["requester user not found"]) {
        Some(Why::UnknownFrom)
    } else if all(&["account-level"]) {
        Some(Why::AccountKey)
    } else if text.contains("offset") && any(&["less than", "10000", "10,000", "exceed", "maximum"])
    {
        Some(Why::WindowTooLarge)
    } else if text.contains("limit") && any(&["reached", "limit exceeded"]) {
        Some(Why::LimitReached)
    } else if any(&["could not be created", "no user on call", "nobody on call"]) {
        Some(Why::NobodyOnCall)
    } else if any(&["already resolved", "already acknowledged", "already merged"]) {
        Some(Why::AlreadyInState)
    } else {
        None
    }
}

fn by_code(call: &Call, body: &ErrorBody, text: &str) -> Option<Why> {
    Some(match body.code? {
        1001 | 1002 | 1019 => Why::AlreadyInState,
        1008 => Why::UnknownFrom,
        1015 => Why::NobodyOnCall,
        2004 | 2005 if call.offset().is_some() => Why::WindowTooLarge,
        2006 => Why::BadKey,
        1018 | 2010 | 2018 => Why::Forbidden,
        2014 => Why::PlanLacks,
        2016 if text.contains("from") => Why::MissingFrom,
        2019 => Why::LimitReached,
        2007 | 2008 | 2009 | 2012 => Why::Other,
        _ => Why::Invalid,
    })
}
