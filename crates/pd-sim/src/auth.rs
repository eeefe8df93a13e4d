//! Who calls, and in whose name.

use serde_json::json;

use crate::http::{Request, Response};
use crate::state::{Actor, KeyKind, World};

/// A caller whose credentials are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The owner of a user key; account keys have none.
    pub(crate) user: Option<String>,
    pub(crate) read_only: bool,
    /// What an OAuth token is for; keys have no scopes.
    pub(crate) scopes: Option<Vec<String>>,
    /// Whose requests are counted together.
    pub(crate) bucket: String,
    /// The end of the key or token, as audit records show it.
    pub(crate) token_end: String,
}

/// PagerDuty's REST keys have so many characters.
const KEY_CHARS: usize = 20;

/// How a caller presents itself.
enum Credential<'a> {
    /// A REST key.
    Key(&'a str),
    /// An OAuth token, or a key that cannot be PagerDuty's.
    Bearer(&'a str),
}

/// `Token token=KEY`, where one client writes a blank before the key, or `Bearer TOKEN`.
///
/// The form is exact: a key in quotes is refused. Clients that guess the scheme by the length send
/// a key that is not of 20 characters as a bearer token; only such a key is accepted that way.
fn credential(request: &Request) -> Option<Credential<'_>> {
    let header = request.header("Authorization")?;
    let filled = |text: &'static str| {
        let rest = header.strip_prefix(text).map(str::trim);
        rest.filter(|rest| !rest.is_empty())
    };
    let key = filled("Token token=").map(Credential::Key);
    key.or_else(|| filled("Bearer ").map(Credential::Bearer))
}

/// 401 with PagerDuty's body.
pub(crate) fn unauthorized() -> Response {
    Response::error(401, 2006, "Authentication failed", &[])
}

impl World {
    /// Finds out who calls.
    pub(crate) fn authenticate(&self, request: &Request) -> Result<Caller, Response> {
        let (token, kind) = match credential(request).ok_or_else(unauthorized)? {
            Credential::Key(key) => (key, Some(self.key(key).ok_or_else(unauthorized)?)),
            Credential::Bearer(token) => {
                let key = self.key(token);
                (token, key.filter(|_| token.chars().count() != KEY_CHARS))
            }
        };
        let hidden = token.chars().count().saturating_sub(4);
        let token_end = token.chars().skip(hidden).collect();
        let Some(kind) = kind else {
            let grant = self
                .oauth
                .bearer(token, self.now)
                .ok_or_else(unauthorized)?;
            let bucket = grant.user_id.clone().unwrap_or_else(|| token.to_owned());
            let scopes = Some(grant.scopes);
            return Ok(Caller {
                user: grant.user_id,
                read_only: false,
                scopes,
                bucket,
                token_end,
            });
        };
        let user = match kind {
            KeyKind::User(id) => Some(id.clone()),
            KeyKind::Account | KeyKind::ReadOnly => None,
        };
        // All keys of one user share a bucket; an account key has its own.
        let bucket = user.clone().unwrap_or_else(|| token.to_owned());
        Ok(Caller {
            user,
            read_only: *kind == KeyKind::ReadOnly,
            scopes: None,
            bucket,
            token_end,
        })
    }

    /// In whose name a write happens: the key's owner, or the user that `From` names.
    pub(crate) fn requester(&self, caller: &Caller, request: &Request) -> Result<String, Response> {
        if let Some(user) = &caller.user {
            return Ok(user.clone());
        }
        let Some(from) = request
            .header("From")
            .map(str::trim)
            .filter(|from| !from.is_empty())
        else {
            let message = "You must specify a user's email address in the \"From\" header to perform this action";
            return Err(Response::error(400, 2016, message, &[]));
        };
        let user = self.user_by_email(from).ok_or_else(|| {
            let error = json!({"message": "Requester User Not Found", "code": 1008, "errors": []});
            Response::json(400, &json!({"error": error}))
        })?;
        Ok(user.id.clone())
    }

    /// The requester as an actor over REST.
    pub(crate) fn rest_actor(&self, caller: &Caller, request: &Request) -> Result<Actor, Response> {
        Ok(Actor::person(&self.requester(caller, request)?, "api"))
    }
}

/// Refuses what the scopes of an OAuth token do not cover; keys may do everything.
pub(crate) fn covered(caller: &Caller, request: &Request) -> Result<(), Response> {
    let Some(scopes) = &caller.scopes else {
        return Ok(());
    };
    let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let resource = match path.as_slice() {
        // No scope is published for these.
        ["users", "me"] | ["webhook_subscriptions", "oauth_clients", ..] | ["v3", ..] => {
            return Ok(());
        }
        [.., "audit", "records"] => "audit_records",
        ["users", _, "contact_methods" | "notification_rules", ..] => "users:contact_methods",
        [
            "users" | "teams" | "escalation_policies",
            _,
            "tags" | "change_tags",
        ] => "tags",
        ["schedules", _, "users"] => "users",
        ["services", _, "change_events"] => "change_events",
        ["incidents", "types", _, "custom_fields", ..] | ["incidents", "custom_fields", ..] => {
            "custom_fields"
        }
        ["incidents", "types", ..] => "incident_types",
        ["incidents", _, "status_updates", _, ..] => "subscribers",
        ["log_entries", ..] => "incidents",
        [
            "maintenance_windows"
            | "business_services"
            | "service_dependencies"
            | "alert_grouping_settings",
            ..,
        ] => "services",
        ["incident_workflows", _, "instances"] => "incident_workflows:instances",
        ["notifications", ..] => "users:notifications",
        [first, ..] => first,
        [] => "",
    };
    let reads = request.method == "GET";
    let needed = format!("{resource}.{}", if reads { "read" } else { "write" });
    let has = |scope: &str| scopes.iter().any(|held| held == scope);
    // The classic scopes cover everything; a write scope does not cover reading.
    if has(&needed) || has("write") || (reads && has("read")) {
        return Ok(());
    }
    let error = json!({
        "message": "Access Denied",
        "code": 2010,
        "required_scopes": [needed],
        "token_scopes": scopes,
    });
    Err(Response::json(403, &json!({"error": error})))
}
