//! How a command ends badly: one exit code, one sentence, one next step.

use serde_json::json;

use crate::client::ClientError;

/// The exit codes of `docs/api.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was done.
    Done,
    /// It was done and found something wrong.
    ChecksFailed,
    /// A connector is unhealthy.
    Unhealthy,
    /// A flag or a value is wrong.
    Usage,
    /// No such incident, connector or token.
    NotFound,
    /// It is not possible now.
    Refused,
    /// PagerDuty refused or did not answer a command that needs it.
    Peer,
    /// The caller may not.
    NotAllowed,
    /// The server or its database does not answer.
    Unavailable,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::ChecksFailed => 1,
            Self::Unhealthy | Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Peer => 5,
            Self::NotAllowed => 6,
            Self::Unavailable => 7,
        }
    }

    /// `ChecksFailed` unless `ok`.
    pub(crate) fn of_checks(ok: bool) -> Self {
        if ok { Self::Done } else { Self::ChecksFailed }
    }

    fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::NotAllowed,
            404 => Self::NotFound,
            409 => Self::Refused,
            502 | 504 => Self::Peer,
            400..500 => Self::Usage,
            _ => Self::Unavailable,
        }
    }
}

/// Why a command could not be done.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
    /// The API's own document about it.
    document: Option<Vec<u8>>,
}

impl Failure {
    /// A failure without a next step.
    pub(crate) fn new(exit: Exit, detail: impl Into<String>) -> Self {
        Self {
            exit,
            detail: detail.into(),
            hint: None,
            document: None,
        }
    }

    /// A wrong flag or value.
    pub(crate) fn usage(detail: impl Into<String>) -> Self {
        Self::new(Exit::Usage, detail)
    }

    /// Adds the next step.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The one JSON document of a command that failed.
    pub(crate) fn document(&self) -> Vec<u8> {
        self.document.clone().unwrap_or_else(|| {
            json!({"type": "about:blank", "title": "Command failed", "status": null,
                "detail": self.detail, "hint": self.hint, "code": "command_failed"})
            .to_string()
            .into_bytes()
        })
    }
}

/// The one JSON document of a command line that cannot be read: what clap says, without its
/// usage and with its tip as the hint.
pub(crate) fn usage_document(rendered: &str) -> Vec<u8> {
    let mut hint = None;
    let mut detail = Vec::new();
    for line in rendered.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        match line.strip_prefix("tip: ") {
            Some(tip) => hint = Some(tip),
            None if line.is_empty() => {}
            None => detail.push(line),
        }
    }
    let detail = detail.join(" ");
    let detail = detail.strip_prefix("error: ").unwrap_or(&detail);
    let hint = hint.unwrap_or("`im help COMMAND` explains the command");
    json!({"type": "about:blank", "title": "Wrong usage", "status": null, "detail": detail,
        "hint": hint, "code": "usage"})
    .to_string()
    .into_bytes()
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Address { given, reason } => {
                Self::usage(format!("cannot use `{given}`: {reason}"))
                    .hint("a server is written like http://localhost:8080")
            }
            ClientError::Unreachable { server, reason } => Self::new(
                Exit::Unavailable,
                format!("cannot reach {server}: {reason}"),
            )
            .hint(
                "is `im serve` running there? Without --server and IM_SERVER, `im` works on its own data",
            ),
            ClientError::Foreign { server, what } => Self::new(
                Exit::Unavailable,
                format!("{server} does not answer as `im` does: {what}"),
            )
            .hint("is the address right, and is it the same version of `im`?"),
            ClientError::Refused { problem, body } => Self {
                exit: Exit::of_status(problem.status),
                detail: problem.detail,
                hint: problem.hint,
                document: Some(body.to_vec()),
            },
        }
    }
}
