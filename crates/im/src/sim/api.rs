//! PagerDuty's own addresses: a request becomes data, the answer becomes HTTP, and an answer that
//! is to be lost is lost.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response as HttpResponse};
use pd_sim::{Answered, Request, Response};

use super::line::Caller;
use super::{StandIn, deliver};

/// PagerDuty takes no larger request.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(super) async fn answer(
    State(stand_in): State<Arc<StandIn>>,
    caller: Option<Extension<ConnectInfo<Caller>>>,
    request: HttpRequest,
) -> HttpResponse {
    let Some(request) = read(request).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let first = stand_in.lock().asks_first(&request);
    if let Some(first) = first {
        deliver::send(&stand_in, &first).await;
    }
    let now = stand_in.clock.now();
    let answered = stand_in.with(|sim| sim.handle(&request, now));
    let Answered {
        response,
        lost,
        unreachable,
    } = answered;
    tracing::debug!(
        http.status = response.status,
        "{} {}",
        request.method,
        request.path
    );
    if !lost && !unreachable {
        return write(response);
    }
    if lost {
        tokio::time::sleep(stand_in.silence()).await;
    }
    if let Some(Extension(ConnectInfo(caller))) = caller {
        caller.cut();
    }
    // Only somebody without a connection of ours gets to see this.
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

async fn read(request: HttpRequest) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.ok()?;
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let query: axum::extract::Query<Vec<(String, String)>> =
        axum::extract::Query::try_from_uri(&parts.uri).unwrap_or_default();
    Some(Request {
        method: parts.method.to_string(),
        path: decoded(parts.uri.path()),
        query: query.0,
        headers: headers.collect(),
        body: body.to_vec(),
    })
}

/// Ids need no escapes, but clients may write them.
pub(super) fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .split_at_checked(2)
            .filter(|_| *first == b'%')
            .and_then(|(digits, after)| Some((hex::decode(digits).ok()?, after)));
        if let Some((byte, after)) = escaped {
            bytes.extend(byte);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn write(response: Response) -> HttpResponse {
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Body::from(response.body))
        .unwrap_or_else(|_wrong_header| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// How long a caller whose answer is lost waits for it.
pub(super) const SILENCE: Duration = Duration::from_mins(1);
