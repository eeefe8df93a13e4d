//! What a request carries: bodies and parameters, read once and refused by name.

use std::time::Duration;

use axum::body::{Bytes, HttpBody, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::BODY_BYTES_MAX;
use super::error::ApiError;

/// How long a body may take.
const WHOLE_WITHIN: Duration = Duration::from_secs(30);

/// A JSON object, whatever its content type says; no body is an empty one.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = bytes(request, state).await?;
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        let text: &[u8] = if first.is_none() { b"{}" } else { &bytes };
        // A list would be read by position, which nobody means.
        if first.is_some_and(|first| *first == b'[') {
            return Err(ApiError::bad_request("the body is a list")
                .hint("write an object with named fields: {\"title\": …}"));
        }
        let axum::Json(value) = axum::Json::<T>::from_bytes(text)?;
        Ok(Self(value))
    }
}

/// The whole body within a time, before anybody is asked who sent it: what is held back must not act by a
/// right that ended meanwhile. One that is too large is left to whoever reads it.
pub async fn whole(body: axum::body::Body) -> Result<axum::body::Body, ApiError> {
    let hint = HttpBody::size_hint(&body).lower();
    if hint > u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX) {
        return Ok(body);
    }
    let read = to_bytes(body, BODY_BYTES_MAX);
    match tokio::time::timeout(WHOLE_WITHIN, read).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(_too_large_or_cut)) => Err(too_large(BODY_BYTES_MAX)),
        Err(_late) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            format!(
                "the body did not arrive within {} s",
                WHOLE_WITHIN.as_secs()
            ),
        )
        .hint("send it again")),
    }
}

fn too_large(bytes_max: usize) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        format!("the body has more than {} KiB", bytes_max / 1024),
    )
    .hint("send less at once; put long texts where a link can lead to them")
}

/// The whole body, if it is not too large.
pub async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    bytes_up_to(BODY_BYTES_MAX, request, state).await
}

/// The same where a route takes other than the usual length, which its layer has.
pub async fn bytes_up_to<S: Send + Sync>(
    bytes_max: usize,
    request: Request,
    state: &S,
) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                too_large(bytes_max)
            } else {
                ApiError::bad_request("the body did not arrive whole")
                    .hint("the connection was cut; send it again")
            }
        })
}

/// The parameters behind the question mark; a name may come more than once.
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
                .map_err(|error| ApiError::bad_request(error.body_text()))?;
        Ok(Self(pairs))
    }
}

impl Params {
    /// These.
    pub fn of<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(owned.collect())
    }

    /// Refuses parameters that nobody knows.
    pub fn only(self, known: &[&str]) -> Result<Self, ApiError> {
        self.must_be(known)?;
        Ok(self)
    }

    /// The same of parameters that are read later.
    pub fn must_be(&self, known: &[&str]) -> Result<(), ApiError> {
        let mut pairs = self.pairs();
        match pairs.find(|(name, _)| !known.contains(name)) {
            Some((name, _)) => Err(ApiError::bad_request(format!("unknown parameter `{name}`"))
                .hint(format!("known are {}", known.join(", ")))),
            None => Ok(()),
        }
    }

    /// Every value of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every parameter, in the order given.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Those with these names, and the others.
    pub fn split(self, names: &[&str]) -> (Self, Self) {
        let is_meant = |(name, _): &(String, String)| names.contains(&name.as_str());
        let (these, others) = self.0.into_iter().partition(is_meant);
        (Self(these), Self(others))
    }

    /// Whether a name is `true`; it is not where it is not given.
    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.one(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(
                ApiError::bad_request(format!("`{name}` cannot be `{other}`"))
                    .hint("write true or false"),
            ),
        }
    }

    /// The last value of a name.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }
}
