//! Carries one call to PagerDuty and brings its outcome back.
//!
//! No retries, no decisions, no database. Redirects are not followed: a key must not travel to
//! another host.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use im_pagerduty::events_v2::{Event, events_url};
use im_pagerduty::{
    Call, HttpRequest, Limits, Outcome, Reply, Secret, Transport, request, transport_outcome,
};
use jiff::Timestamp;

/// A host that does not take a connection in this time is away.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// PagerDuty gives up on its own slowest answers after about this time. Shorter than the lease.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// A page of 100 incidents is about 1 MiB.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A client of PagerDuty's REST API, for any account.
#[derive(Default)]
pub(crate) struct PagerDuty {
    /// Made by the first call: reading the system's certificates takes longer than most commands.
    http: OnceLock<Result<reqwest::Client, String>>,
}

impl PagerDuty {
    /// Performs a call that began at `at`, with the value of the `Authorization` header.
    pub(crate) async fn perform(
        &self,
        base_url: &str,
        authorization: &Secret,
        call: &Call,
        at: Timestamp,
    ) -> Carried {
        let http = match self.connection() {
            Ok(http) => http,
            Err(failure) => return Carried::unanswered(call, failure),
        };
        match exchange(http, base_url, Some(authorization), request(call)).await {
            Ok(reply) => Carried {
                outcome: im_pagerduty::read(call, &reply, at),
                limits: reply.limits(),
                status: Some(reply.status),
                body: reply.body,
            },
            Err(failure) => Carried::unanswered(call, failure),
        }
    }

    /// Sends a form for tokens.
    pub(crate) async fn tokens(&self, url: &str, form: String) -> Result<Reply, Transport> {
        let outgoing = self.connection()?.post(url);
        let kind = "application/x-www-form-urlencoded";
        answered(outgoing.header("Content-Type", kind).body(form)).await
    }

    fn connection(&self) -> Result<&reqwest::Client, Transport> {
        let http = self.http.get_or_init(client).as_ref();
        http.map_err(|reason| {
            tracing::error!("no connection can be made: {reason}");
            Transport::Tls
        })
    }

    /// Sends an event to the Events API that belongs to a REST API.
    pub(crate) async fn send(&self, base_url: &str, event: &Event<'_>) -> Result<Reply, Transport> {
        let http = self.connection()?;
        exchange(http, &events_url(base_url), None, event.request()).await
    }
}

/// A call that was carried to PagerDuty, or not.
pub(crate) struct Carried {
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// What the answer said about our allowance.
    pub(crate) limits: Limits,
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// The answer as it came.
    pub(crate) body: Vec<u8>,
}

impl Carried {
    fn unanswered(call: &Call, failure: Transport) -> Self {
        Self {
            outcome: transport_outcome(call, failure),
            limits: Limits::default(),
            status: None,
            body: Vec::new(),
        }
    }
}

fn client() -> Result<reqwest::Client, String> {
    // An error means that a provider is installed already, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .user_agent(concat!("im/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_WAIT)
        .timeout(ANSWER_WAIT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| last_cause(&error))
}

async fn exchange(
    http: &reqwest::Client,
    base_url: &str,
    authorization: Option<&Secret>,
    request: HttpRequest,
) -> Result<Reply, Transport> {
    let method = match request.method {
        im_pagerduty::Method::Get => reqwest::Method::GET,
        im_pagerduty::Method::Post => reqwest::Method::POST,
        im_pagerduty::Method::Put => reqwest::Method::PUT,
        im_pagerduty::Method::Delete => reqwest::Method::DELETE,
    };
    let mut outgoing = http.request(method, request.url(base_url));
    for (name, value) in &request.headers {
        outgoing = outgoing.header(*name, value);
    }
    if let Some(authorization) = authorization {
        outgoing = outgoing.header("Authorization", authorization.expose());
    }
    if let Some(body) = request.body {
        outgoing = outgoing.body(body);
    }
    answered(outgoing).await
}

async fn answered(outgoing: reqwest::RequestBuilder) -> Result<Reply, Transport> {
    let failed = |error: reqwest::Error| {
        let failure = class(&error);
        tracing::debug!(?failure, "PagerDuty did not answer: {}", last_cause(&error));
        failure
    };
    let mut response = outgoing.send().await.map_err(failed)?;
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(Transport::MaybeSent);
        }
    }
    Ok(Reply {
        status,
        headers,
        body,
    })
}

/// What is known about a request that was not answered.
fn class(error: &reqwest::Error) -> Transport {
    let mut source = error.source();
    while let Some(cause) = source {
        if is_tls(cause) {
            return Transport::Tls;
        }
        if cause.to_string() == "dns error" {
            return Transport::Dns;
        }
        source = cause.source();
    }
    if error.is_connect() || error.is_builder() {
        Transport::NotSent
    } else {
        Transport::MaybeSent
    }
}

/// TLS errors travel inside IO errors, which hide them from `source`.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let inner = cause
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || inner.is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
}

fn last_cause(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
