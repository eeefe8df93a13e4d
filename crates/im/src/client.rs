//! A client of the HTTP API: one way to ask, two ways to carry the question.
//!
//! A [`Client`] speaks to a server over the network, or to the same router in process. Whoever
//! asks cannot tell which; so what the command line can do, any client of the API can do.
//!
//! Nothing here prints, retries or knows what an incident is.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, header};
use futures_util::StreamExt as _;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use tower::ServiceExt as _;

use crate::plain;

/// A server that does not take a connection in this time is not there.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// The longest `wait` that the API takes is a minute; this leaves it half a minute more. An answer that is passed on as
/// it comes may take as long as it is: of that it is the longest pause.
const ANSWER_WAIT: Duration = Duration::from_secs(90);
/// A thousand incidents are about 1 MiB; nothing that we ask for is larger than this.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The name under which the in-process API is called; it never leaves the process.
const LOCAL_BASE: &str = "http://localhost/";
/// Whose act it is.
const ACTS_AS: &str = "im-as";

/// One request, before it knows where it goes.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    /// A body that goes as it was written, so that lines stay lines.
    text: Option<String>,
}

impl Call {
    fn new<const N: usize>(method: Method, path: [&str; N]) -> Self {
        Self {
            method,
            path: path.map(str::to_owned).to_vec(),
            query: Vec::new(),
            body: None,
            text: None,
        }
    }

    /// Reads what is at `path`, given as segments below `/api/v1`.
    pub fn get<const N: usize>(path: [&str; N]) -> Self {
        Self::new(Method::GET, path)
    }

    /// Asks for something to happen.
    pub fn post<const N: usize>(path: [&str; N], body: Value) -> Self {
        let mut call = Self::new(Method::POST, path);
        call.body = Some(body);
        call
    }

    /// Changes a part of what is at `path`.
    pub fn patch<const N: usize>(path: [&str; N], body: Value) -> Self {
        let mut call = Self::new(Method::PATCH, path);
        call.body = Some(body);
        call
    }

    /// Puts a document at `path`, as it was written.
    pub fn put<const N: usize>(path: [&str; N], text: String) -> Self {
        let mut call = Self::new(Method::PUT, path);
        call.text = Some(text);
        call
    }

    /// Removes what is at `path`.
    pub fn delete<const N: usize>(path: [&str; N]) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds a parameter; the same name may come more than once.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Whether the call only looks.
    pub fn is_read(&self) -> bool {
        self.method == Method::GET
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} /api/v1/{}", self.method, self.path.join("/"))
    }
}

/// What was answered to a call that succeeded.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The document as it came, empty for 204.
    pub body: Bytes,
    origin: String,
}

impl Answer {
    /// Reads the document; in its texts nothing steers a terminal ([`crate::plain`]).
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        parse(&self.body).map_err(|error| self.unreadable(&error))
    }

    /// The documents of a list, each as it came.
    pub fn documents(&self) -> Result<Vec<Box<RawValue>>, ClientError> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &serde_json::Error) -> ClientError {
        ClientError::Foreign {
            server: self.origin.clone(),
            what: format!("an answer that cannot be read: {error}"),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    let mut document: Value = serde_json::from_slice(body)?;
    plain::value(&mut document);
    T::deserialize(document)
}

/// The API's own account of an error, as `application/problem+json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What and why.
    pub detail: String,
    /// The next step.
    pub hint: Option<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum ClientError {
    /// The address of the server is not one.
    Address {
        /// What was given.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answered there.
    Unreachable {
        /// Where.
        server: String,
        /// The last cause of the chain.
        reason: String,
    },
    /// Something answered that is not `im`, or not this version of it.
    Foreign {
        /// Where.
        server: String,
        /// What it answered.
        what: String,
    },
    /// The API said no.
    Refused {
        /// In its own words.
        problem: Problem,
        /// The document as it came.
        body: Bytes,
    },
}

/// What takes an answer as it comes.
pub type Sink<'a> = dyn FnMut(&[u8]) + 'a;

enum Transport {
    Remote(reqwest::Client),
    Local(Router),
}

/// Who asks, and where.
pub struct Client {
    base: Url,
    headers: HeaderMap,
    transport: Transport,
}

impl Client {
    /// A client of the API in this process.
    pub fn local(router: Router, acts_as: Option<&str>) -> Result<Self, ClientError> {
        Ok(Self {
            base: parse_base(LOCAL_BASE)?,
            headers: headers(None, acts_as)?,
            transport: Transport::Local(router),
        })
    }

    /// A client of the server at `base`.
    pub fn remote(
        base: &str,
        token: Option<&str>,
        acts_as: Option<&str>,
    ) -> Result<Self, ClientError> {
        // An error means that a provider is installed already, which is what we want.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_WAIT)
            .read_timeout(ANSWER_WAIT)
            .build()
            .map_err(|error| unreachable(base, &error))?;
        Ok(Self {
            base: parse_base(base)?,
            headers: headers(token, acts_as)?,
            transport: Transport::Remote(http),
        })
    }

    /// Asks, and reads the answer to its end.
    pub async fn send(&self, call: &Call) -> Result<Answer, ClientError> {
        self.ask(call, None).await
    }

    /// Asks, and hands the answer to `sink` as it comes, however long it is; the body of what is returned is
    /// empty.
    pub async fn stream(&self, call: &Call, sink: &mut Sink<'_>) -> Result<(), ClientError> {
        self.ask(call, Some(sink)).await.map(drop)
    }

    async fn ask(&self, call: &Call, sink: Option<&mut Sink<'_>>) -> Result<Answer, ClientError> {
        let url = self.url(call);
        let written = call.text.clone();
        let body = written.or_else(|| call.body.as_ref().map(Value::to_string));
        let (status, body) = match &self.transport {
            Transport::Remote(http) => self.send_remote(http, call, url, body, sink).await?,
            Transport::Local(router) => {
                let router = router.clone();
                self.send_local(router, call, &url, body, sink).await?
            }
        };
        let origin = self.base.as_str().trim_end_matches('/').to_owned();
        if (200..300).contains(&status) {
            return Ok(Answer { body, origin });
        }
        match parse::<Problem>(&body) {
            Ok(mut problem) => {
                problem.status = status;
                Err(ClientError::Refused { problem, body })
            }
            Err(_not_a_problem) => Err(ClientError::Foreign {
                server: origin,
                what: format!("HTTP {status} to {} {}", call.method, self.url(call).path()),
            }),
        }
    }

    fn url(&self, call: &Call) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .extend(["api", "v1"])
                .extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }

    async fn send_remote(
        &self,
        http: &reqwest::Client,
        call: &Call,
        url: Url,
        body: Option<String>,
        sink: Option<&mut Sink<'_>>,
    ) -> Result<(u16, Bytes), ClientError> {
        let lost = |error| unreachable(self.base.as_str(), &error);
        let mut request = http
            .request(call.method.clone(), url)
            .headers(self.headers.clone());
        if sink.is_none() {
            request = request.timeout(ANSWER_WAIT);
        }
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let mut sink = sink.filter(|_| response.status().is_success());
        let mut read = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if let Some(sink) = &mut sink {
                sink(&chunk);
                continue;
            }
            read.extend_from_slice(&chunk);
            if read.len() > ANSWER_BYTES_MAX {
                return Err(ClientError::Foreign {
                    server: self.base.to_string(),
                    what: format!("more than {ANSWER_BYTES_MAX} bytes"),
                });
            }
        }
        Ok((status, read.into()))
    }

    async fn send_local(
        &self,
        router: Router,
        call: &Call,
        url: &Url,
        body: Option<String>,
        sink: Option<&mut Sink<'_>>,
    ) -> Result<(u16, Bytes), ClientError> {
        let foreign = |what: String| ClientError::Foreign {
            server: "the API in this process".to_owned(),
            what,
        };
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.unwrap_or_default()))
            .map_err(|error| foreign(error.to_string()))?;
        request.headers_mut().extend(self.headers.clone());
        let response = match router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        if let Some(sink) = sink.filter(|_| response.status().is_success()) {
            let mut chunks = response.into_body().into_data_stream();
            while let Some(chunk) = chunks.next().await {
                sink(&chunk.map_err(|error| foreign(error.to_string()))?);
            }
            return Ok((status, Bytes::new()));
        }
        let read = axum::body::to_bytes(response.into_body(), ANSWER_BYTES_MAX)
            .await
            .map_err(|error| foreign(error.to_string()))?;
        Ok((status, read))
    }
}

fn parse_base(given: &str) -> Result<Url, ClientError> {
    let wrong = |reason: String| ClientError::Address {
        given: given.to_owned(),
        reason,
    };
    if !given.starts_with("http://") && !given.starts_with("https://") {
        return Err(wrong(
            "it does not begin with http:// or https://".to_owned(),
        ));
    }
    Url::parse(given).map_err(|error| wrong(error.to_string()))
}

fn headers(token: Option<&str>, acts_as: Option<&str>) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_secret| {
            ClientError::Address {
                given: "the token".to_owned(),
                reason: "it has characters that no token has".to_owned(),
            }
        })?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    if let Some(person) = acts_as {
        let value = HeaderValue::try_from(person).map_err(|_reason| ClientError::Address {
            given: person.to_owned(),
            reason: "it is not an e-mail address".to_owned(),
        })?;
        headers.insert(ACTS_AS, value);
    }
    Ok(headers)
}

fn unreachable(server: &str, error: &reqwest::Error) -> ClientError {
    let reason = if error.is_timeout() {
        "it did not answer in time".to_owned()
    } else {
        let mut last: &dyn Error = error;
        while let Some(source) = last.source() {
            last = source;
        }
        last.to_string()
    };
    ClientError::Unreachable {
        server: server.trim_end_matches('/').to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that takes `pauses` between parts of one answer.
    async fn slow(pauses: &'static [u64]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut asked = [0; 4_096];
            assert!(socket.read(&mut asked).await.unwrap() > 0);
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            socket.write_all(head).await.unwrap();
            for pause in pauses {
                // On the clock of the test, which goes on once everybody waits.
                let pause = Duration::from_secs(*pause);
                let never = std::future::pending::<()>();
                assert!(tokio::time::timeout(pause, never).await.is_err());
                socket.write_all(b"4\r\npart\r\n").await.unwrap();
            }
            socket.write_all(b"0\r\n\r\n").await.unwrap();
        });
        format!("http://{address}")
    }

    async fn streamed(pauses: &'static [u64]) -> (String, Result<(), ClientError>) {
        let client = Client::remote(&slow(pauses).await, None, None).unwrap();
        let mut text = String::new();
        let sink = &mut |chunk: &[u8]| text.push_str(&String::from_utf8_lossy(chunk));
        let end = client.stream(&Call::get(["facts"]), sink).await;
        (text, end)
    }

    #[tokio::test(start_paused = true)]
    async fn an_export_may_take_long_while_it_comes_and_not_once_it_has_stopped() {
        let (text, end) = streamed(&[60, 60, 60]).await;
        assert!(end.is_ok(), "{end:?}");
        assert_eq!(text, "partpartpart");
        let (text, end) = streamed(&[60, 120]).await;
        assert!(
            matches!(end, Err(ClientError::Unreachable { .. })),
            "{end:?}"
        );
        assert_eq!(text, "part");
    }
}
