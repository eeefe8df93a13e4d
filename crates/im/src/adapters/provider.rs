//! Carries a request to a provider of OpenID Connect and brings the answer back.
//!
//! Redirects are not followed: a secret must not travel to another host.

use std::sync::OnceLock;

use openidconnect::{HttpRequest, HttpResponse};

use super::door::{client, last_cause};

/// What is known of a provider, its keys and what it says of a person are some kilobytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Why a provider said nothing that can be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Silent(String);

/// A client of any provider.
#[derive(Default)]
pub(crate) struct Provider {
    http: OnceLock<Result<reqwest::Client, String>>,
}

impl Provider {
    /// What is answered to a request.
    pub(crate) async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Silent> {
        let failed = |error: reqwest::Error| Silent(last_cause(&error));
        let http = self.http.get_or_init(client).as_ref();
        let http = http.map_err(|why| Silent(why.clone()))?;
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut response = http.execute(request).await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(Silent("its answer is longer than 1 MiB".to_owned()));
            }
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        Ok(answer)
    }
}
