//! The description of the API, served beside it.
//!
//! Each handler's attribute says what is its own: its answer, and [`Conflict`], [`WrongValue`] or
//! [`NoAnswer`] where it can come to that. What follows from the way in is added here, once for
//! all: who may ask, what cannot be read, what is not there.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, Object, PathItem, Ref, RefOr, Required, Response, ResponseBuilder, Type,
};
use utoipa::{IntoResponses, OpenApi};

use super::App;

/// How an error is written.
const PROBLEM: &str = "application/problem+json";
/// The scheme of our tokens.
const TOKEN: &str = "token";
/// The scheme of PagerDuty's signatures.
const SIGNATURE: &str = "signature";
/// The door for webhooks, and its other address.
const DOOR: [&str; 2] = ["/connectors/{name}/webhook", "/api/v1/webhooks/{name}"];
/// The door that all connectors share.
const COMMON_DOOR: &str = "/events";

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
        (name = "metrics", description = "Figures, what is behind them, and deployments"),
        (name = "webhooks", description = "What PagerDuty sends"),
        (name = "access", description = "Who may do what, and what they did"),
        (name = "server", description = "The server itself"),
    ),
    components(schemas(super::error::Problem)),
)]
struct Document;

/// What an error of each status means, as in `docs/api.md`.
const PROBLEMS: [(&str, &str); 12] = [
    (
        "400",
        "The request cannot be read: JSON, a parameter, an id or a header",
    ),
    ("401", "No token, or one that is not known"),
    (
        "403",
        "A token without the right, or a page of another site",
    ),
    ("404", "There is no such thing"),
    (
        "409",
        "The state does not allow it now, or the name is taken",
    ),
    ("413", "The body has more than 1 MiB"),
    ("422", "A value is wrong: `code` names it"),
    ("429", "Too many: the same may be sent again later"),
    ("500", "A mistake of the server's own"),
    ("502", "PagerDuty refused"),
    (
        "503",
        "Overloaded, the database does not answer, or a secret cannot be opened; see `Retry-After`",
    ),
    ("504", "PagerDuty did not answer"),
];

fn problem(status: &str) -> Response {
    let known = PROBLEMS.iter().find(|(known, _)| *known == status);
    let description = known.map_or("It did not succeed", |(_, description)| description);
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content(PROBLEM, content)
        .build()
}

fn problems(statuses: &[&str]) -> BTreeMap<String, RefOr<Response>> {
    let statuses = statuses.iter();
    statuses
        .map(|status| ((*status).to_owned(), problem(status).into()))
        .collect()
}

/// It names something that may not be there.
pub struct Missing;
/// The state may not allow it, or somebody else was faster.
pub struct Conflict;
/// A value may mean nothing here.
pub struct WrongValue;
/// PagerDuty is asked now, and may refuse or be silent; or there is no key to ask it with.
pub struct NoAnswer;
/// The server or its database does not work.
pub struct Unwell;
/// What the door for webhooks says no with.
pub struct DoorErrors;

impl IntoResponses for Missing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["404"])
    }
}

impl IntoResponses for Conflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["409"])
    }
}

impl IntoResponses for WrongValue {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["422"])
    }
}

impl IntoResponses for NoAnswer {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["409", "502", "504"])
    }
}

impl IntoResponses for Unwell {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&["503"])
    }
}

impl IntoResponses for DoorErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut answers = problems(&["400", "403", "404", "410", "413", "429", "503"]);
        let why = [
            (
                "403",
                "Not signed, or not from an allowed network: not to be sent again",
            ),
            ("404", "There is no such connector, or it takes no webhooks"),
            (
                "503",
                "Not stored, or our secret may be wrong: send it again later",
            ),
        ];
        for (status, why) in why {
            if let Some(RefOr::T(answer)) = answers.get_mut(status) {
                why.clone_into(&mut answer.description);
            }
        }
        answers
    }
}

/// The document before routes are added to it.
pub fn head() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        TOKEN,
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(
                    "Made by `im token create`. A server that listens on loopback needs none from its own machine.",
                ))
                .build(),
        ),
    );
    components.add_security_scheme(
        SIGNATURE,
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "X-PagerDuty-Signature",
            "`v1=` and the HMAC-SHA256 of the body as hexadecimal digits, one for each secret",
        ))),
    );
    document
}

/// Adds to what callers may ask what follows from asking at all.
pub fn guard(document: &mut utoipa::openapi::OpenApi) {
    for operation in operations(document) {
        let mut statuses = vec!["400", "401", "403", "500", "503"];
        let parameters = operation.parameters.get_or_insert_default();
        let in_path = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path);
        if parameters.iter().any(in_path) {
            statuses.push("404");
        }
        if operation.request_body.is_some() {
            statuses.push("413");
        }
        parameters.push(acts_as().into());
        for (status, answer) in problems(&statuses) {
            operation
                .responses
                .responses
                .entry(status)
                .or_insert(answer);
        }
        // The empty requirement: on its own machine a server may ask for none.
        operation.security = Some(vec![
            SecurityRequirement::new::<_, _, String>(TOKEN, []),
            SecurityRequirement::default(),
        ]);
    }
}

fn acts_as() -> Parameter {
    let mut parameter = Parameter::new("IM-As");
    parameter.parameter_in = ParameterIn::Header;
    parameter.required = Required::False;
    parameter.description = Some(
        "The e-mail address of the person who acts; else it is the token's person, or the token"
            .to_owned(),
    );
    parameter.schema = Some(Object::with_type(Type::String).into());
    parameter
}

/// Adds to what everybody may ask how it is protected, and the other address of the door.
pub fn open(document: &mut utoipa::openapi::OpenApi) {
    for operation in operations(document) {
        operation.security = Some(Vec::new());
    }
    let [door, alias] = DOOR;
    let Some(mut item) = document.paths.paths.get(door).cloned() else {
        return;
    };
    let signed = || {
        Some(vec![
            SecurityRequirement::new::<_, _, String>(SIGNATURE, []),
            // The documented test is not signed.
            SecurityRequirement::default(),
        ])
    };
    if let Some(receive) = &mut item.post {
        receive.security = signed();
    }
    let common = document.paths.paths.get_mut(COMMON_DOOR);
    if let Some(receive) = common.and_then(|item| item.post.as_mut()) {
        receive.security = signed();
    }
    let mut other = item.clone();
    if let Some(receive) = &mut other.post {
        receive.operation_id = Some("receive_webhook_too".to_owned());
    }
    document.paths.paths.insert(door.to_owned(), item);
    document.paths.paths.insert(alias.to_owned(), other);
}

fn operations(document: &mut utoipa::openapi::OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|item| {
        let PathItem {
            get,
            post,
            put,
            patch,
            delete,
            ..
        } = item;
        [get, post, put, patch, delete].into_iter().flatten()
    })
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
