//! Errors as people and programs meet them: `application/problem+json`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use im_core::{IncidentNumber, ParseIdError, Rejection};
use im_engine::commands::CommandError;
use im_engine::services::Several;
use im_pagerduty::config::ConfigError;
use im_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::api::types::Check;
use crate::run::chain;
use crate::secret::SecretError;

/// When a client may try again after 503.
const RETRY_AFTER_S: u32 = 5;

/// Why a request was not answered as asked.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    code: &'static str,
    detail: String,
    hint: Option<String>,
}

/// An error, as RFC 9457 writes it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells errors apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What and why.
    detail: String,
    /// The next step.
    hint: Option<String>,
    /// A word for programs.
    code: &'static str,
}

impl ApiError {
    /// An error without a next step.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            hint: None,
        }
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// 400.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 409.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422.
    pub fn wrong_value(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 500, with nothing about the inside: that is in the log.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something is wrong in `im` itself",
        )
        .hint("the server's log says what; please report it")
    }

    /// There is no such connector.
    pub fn no_connector(name: &str) -> Self {
        Self::not_found(format!("there is no connector `{name}`"))
            .hint("`im connector list` shows the connectors")
    }

    /// There is no such incident.
    pub fn no_incident(incident: IncidentNumber) -> Self {
        Self::not_found(format!("there is no incident {incident}"))
            .hint("`im list` shows the incidents")
    }

    /// A word for programs, and for whoever is asked for help.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What and why, in words.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The next step for people on a page.
    pub fn next(&self) -> Option<String> {
        let usual = || match self.status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                Some("change what is named here, and try again".to_owned())
            }
            status => usual_hint(status),
        };
        self.hint.clone().or_else(usual)
    }

    /// The same as a line among others, where the rest goes on without it.
    pub fn noticed(self, what: &str) -> Check {
        let check = Check::skipped(format!("{what}: {}", self.detail));
        match self.hint {
            Some(hint) => check.next(hint),
            None => check,
        }
    }

    /// The same as a line that says what is wrong.
    pub fn failed(self, what: &str) -> Check {
        Check::failed(what, self.detail, self.hint.unwrap_or_default())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail,
            hint: self.hint.or_else(|| usual_hint(self.status)),
            code: self.code,
        };
        let mut response = (self.status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER_S.into());
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

/// What to do about an error that knows nothing better.
fn usual_hint(status: StatusCode) -> Option<String> {
    let hint = match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            "docs/api.md, or /api/v1/openapi.json at the server, says what each request takes"
        }
        StatusCode::SERVICE_UNAVAILABLE => "try again in a few seconds; the log says why",
        _ => return None,
    };
    Some(hint.to_owned())
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Stale => Self::conflict("stale", "it changed meanwhile")
                .hint("look at it again, then try again"),
            StoreError::Busy(_)
            | StoreError::Overloaded
            | StoreError::Unavailable(_)
            | StoreError::Full(_) => {
                tracing::error!("the database: {}", chain(&error));
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    error.to_string(),
                )
                .hint("try again in a few seconds")
            }
            StoreError::Misfit(_) | StoreError::Address(_) => {
                tracing::error!("the database: {}", chain(&error));
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    chain(&error),
                )
                .hint("is this the right database, and the version of `im` that it was made for?")
            }
            StoreError::Duplicate { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Panicked { .. }
            | StoreError::Sql { .. } => {
                tracing::error!("the database: {}", chain(&error));
                Self::internal()
            }
        }
    }
}

impl From<Several> for ApiError {
    fn from(Several { name, ids }: Several) -> Self {
        let detail = format!("more than one service is `{name}`: {}", ids.join(", "));
        Self::wrong_value("service", detail).hint("name it by PagerDuty's id")
    }
}

impl From<SecretError> for ApiError {
    fn from(error: SecretError) -> Self {
        tracing::error!("{}", chain(&error));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_key", chain(&error)).hint(error.next())
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        let text = error.to_string();
        match error {
            CommandError::NoIncident(incident) => Self::no_incident(incident),
            CommandError::NoConnector(name) => Self::no_connector(&name),
            CommandError::WhichConnector(names) => {
                let first = names.first().map_or("NAME", String::as_str);
                Self::wrong_value("which_connector", text).hint(format!(
                    "`--connector {first}` says it; so does a service that only one of them has in service_mappings"
                ))
            }
            CommandError::OnlyReceives(name) => Self::conflict("direction", text).hint(format!(
                "`im connector config {name} --direction bidirectional` lets it send"
            )),
            CommandError::NotSynced { connector, .. } => Self::wrong_value("service", text).hint(format!(
                "choose another service; `im connector services {connector}` lists those that are synced, and changes the choice"
            )),
            CommandError::Rejected {
                incident, source, ..
            } => Self::rejected(&source, text, Some(incident)),
            CommandError::Undeclarable(source) => Self::rejected(&source, text, None),
            CommandError::NoDeadLetter(_) => {
                Self::not_found(text).hint("`im connector outbox list NAME` shows them")
            }
            CommandError::Store(error) => error.into(),
        }
    }
}

impl ApiError {
    /// It was deleted.
    pub fn deleted(incident: IncidentNumber) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "deleted",
            format!("{incident} was deleted"),
        )
        .hint("it cannot be brought back; `im list` shows what is there")
    }

    fn rejected(why: &Rejection, text: String, incident: Option<IncidentNumber>) -> Self {
        let id = incident.map_or_else(|| "INC-42".to_owned(), |incident| incident.to_string());
        let reopen = format!("`im reopen {id}` opens it again");
        match why {
            Rejection::AlreadyResolved { .. } => {
                Self::conflict("already_resolved", text).hint(reopen)
            }
            Rejection::Wrong { status } => {
                Self::conflict("wrong_status", text).hint(if status.is_open() {
                    format!("`im show {id}` tells how it stands")
                } else {
                    reopen
                })
            }
            Rejection::NotOpenAnyMore { status } => {
                Self::conflict("not_open", text).hint(if status.is_open() {
                    format!("`im resolve {id}` ends it")
                } else {
                    format!("it is over already; {reopen}")
                })
            }
            Rejection::StillOpen => Self::conflict("still_open", text)
                .hint("there is nothing to open again; `im show` tells how it stands"),
            Rejection::NotAcknowledged => {
                Self::conflict("not_acknowledged", text).hint(format!("`im ack {id}` first"))
            }
            Rejection::Deleted => Self::new(StatusCode::NOT_FOUND, "deleted", text)
                .hint("it cannot be brought back; `im list` shows what is there"),
            Rejection::OfItself => {
                Self::wrong_value("of_itself", text).hint("name the other incident")
            }
            Rejection::NoSuchTarget { .. } => {
                Self::wrong_value("no_such_target", text).hint("`im list` shows the incidents")
            }
            Rejection::EmptyTitle => {
                Self::wrong_value("empty_title", text).hint("say in a line what is wrong")
            }
            Rejection::TitleTooLong { .. } => {
                Self::wrong_value("title_too_long", text).hint("put the rest into the description")
            }
            Rejection::EmptyNote => {
                Self::wrong_value("empty_note", text).hint("write something, or leave the note out")
            }
            Rejection::TooManyServices { .. } => Self::wrong_value("too_many_services", text)
                .hint("name those whose people have to act"),
            Rejection::SpansServices => Self::conflict("spans_services", text).hint(
                "`im edit INC --add-service NAME` adds one; to move one, move its PagerDuty incident there",
            ),
            Rejection::OneService => Self::conflict("one_service", text).hint(
                "`im edit INC --service NAME` moves it; for one more service declare another incident",
            ),
            Rejection::FieldName { .. } => Self::wrong_value("field_name", text)
                .hint("write one like environment or customer_impact"),
            Rejection::FieldTooLong { .. } => Self::wrong_value("field_too_long", text)
                .hint("a description or a note may be longer"),
            Rejection::TooManyFields { .. } => Self::wrong_value("too_many_fields", text)
                .hint(format!("`im edit {id} --field NAME=` takes one away")),
            Rejection::NothingNamed => Self::wrong_value("nothing_named", text)
                .hint("name a title, a description, a severity or a service; or to whom"),
        }
    }
}

impl From<ConfigError> for ApiError {
    fn from(error: ConfigError) -> Self {
        Self::wrong_value("bad_config", error.to_string())
            .hint("docs/connector.md lists every key of the configuration")
    }
}

impl From<ParseIdError> for ApiError {
    fn from(error: ParseIdError) -> Self {
        let hint = match error {
            ParseIdError::Incident(_) => "`im list` shows the incidents",
            ParseIdError::Connector(_) => "`im connector list` shows the connectors",
        };
        Self::bad_request(error.to_string()).hint(hint)
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let text = rejection.body_text();
        // The words before the colon are the library's; what follows names the key.
        let reason = text.split_once(": ").map_or(text.as_str(), |(_, why)| why);
        let (path, why) = match reason.split_once(": ") {
            Some((path, why)) if is_path(path) => (Some(path), why),
            Some(_) | None => (None, reason),
        };
        let is_ours = matches!(rejection, JsonRejection::JsonDataError(_))
            && !SERDES.iter().any(|start| why.starts_with(start));
        if !is_ours {
            return Self::bad_request(format!("the body cannot be read: {reason}"));
        }
        // Whoever uses the command line has sent no body: what is wrong with a value says all of it.
        let why = why.rsplit_once(" at line ").map_or(why, |(why, _)| why);
        let named = |detail: &str| {
            path.map_or_else(|| detail.to_owned(), |path| format!("{path}: {detail}"))
        };
        match why.rsplit_once(": ") {
            Some((detail, next)) => Self::bad_request(named(detail)).hint(next),
            None => Self::bad_request(named(why)),
        }
    }
}

/// How what the library says of a body begins; anything else is what a value of ours says of itself.
const SERDES: [&str; 7] = [
    "unknown field",
    "unknown variant",
    "missing field",
    "duplicate field",
    "invalid type",
    "invalid value",
    "invalid length",
];

/// Whether a text names a place in a body: `week.monday[0]`.
fn is_path(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.[]".contains(c);
    !text.is_empty() && text.chars().all(is_part)
}
