//! The description of the API, served beside it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::OpenApi;

use super::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "im",
        description = "Incidents here and at PagerDuty, in step. Errors are `application/problem+json`.",
        contact(name = "the im authors"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "incidents", description = "What happens"),
        (name = "connectors", description = "The ways to PagerDuty"),
        (name = "webhooks", description = "What PagerDuty sends"),
        (name = "server", description = "The server itself"),
    ),
    components(schemas(super::error::Problem)),
)]
struct Document;

/// The document before routes are added to it.
pub fn head() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    document
}

/// Serves the whole document.
pub fn route(document: utoipa::openapi::OpenApi) -> Router<Arc<App>> {
    let document = Arc::new(document);
    Router::new().route(
        "/api/v1/openapi.json",
        get(async move || match document.to_json() {
            Ok(json) => (
                StatusCode::OK,
                [(header::CONTENT_TYPE, "application/json")],
                Bytes::from(json),
            )
                .into_response(),
            Err(_never) => super::error::ApiError::internal().into_response(),
        }),
    )
}
