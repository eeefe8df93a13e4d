//! Which role each route needs, and the words by which the audit log tells what was done there.
//!
//! Invariants
//! - A route that is not here is refused to everybody (`http::auth`, `web::guard`), and a test walks
//!   all routes.
//! - Whatever changes something has words.

use axum::extract::MatchedPath;
use axum::http::{Extensions, Method};
use im_store::accounts::Role;

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it tells nothing of what is here, or has a lock of its own.
    Nothing,
    /// Nobody has to be signed in: a page by which people sign in.
    Visitor,
    /// At least this role.
    Role(Role),
}

/// A route.
#[derive(Debug)]
pub struct Rule {
    /// `GET`, which is `HEAD` as well, or a method that changes something.
    pub method: &'static str,
    /// The path as the router has it.
    pub path: &'static str,
    /// What it needs.
    pub need: Need,
    /// What is done there, in words after a name: `Ann …`. Empty for what only reads, and for the
    /// doors of webhooks, whose deliveries are kept themselves.
    pub act: &'static str,
}

impl Rule {
    /// Whether it only reads.
    pub fn is_read(&self) -> bool {
        self.method == "GET"
    }

    /// Whether it is a door for webhooks, whose deliveries are kept themselves.
    pub fn is_door(&self) -> bool {
        !self.is_read() && self.act.is_empty()
    }
}

const VIEWER: Need = Need::Role(Role::Viewer);
const RESPONDER: Need = Need::Role(Role::Responder);
const ADMIN: Need = Need::Role(Role::Admin);
const OWNER: Need = Need::Role(Role::Owner);

const fn get(need: Need, path: &'static str) -> Rule {
    rule("GET", need, path, "")
}

const fn post(need: Need, path: &'static str, act: &'static str) -> Rule {
    rule("POST", need, path, act)
}

/// A link that does something: what a note says of it is kept.
const fn follow(path: &'static str, act: &'static str) -> Rule {
    rule("GET", Need::Visitor, path, act)
}

const fn patch(need: Need, path: &'static str, act: &'static str) -> Rule {
    rule("PATCH", need, path, act)
}

const fn put(need: Need, path: &'static str, act: &'static str) -> Rule {
    rule("PUT", need, path, act)
}

const fn delete(need: Need, path: &'static str, act: &'static str) -> Rule {
    rule("DELETE", need, path, act)
}

const fn rule(method: &'static str, need: Need, path: &'static str, act: &'static str) -> Rule {
    Rule {
        method,
        path,
        need,
        act,
    }
}

/// Every list of routes.
pub const RULES: [&[Rule]; 6] = [OPEN, INCIDENTS, CONNECTORS, ORGANISATION, SERVER, PAGES];

const OPEN: &[Rule] = &[
    get(Need::Nothing, "/health"),
    get(Need::Nothing, "/api/v1/openapi.json"),
    post(Need::Nothing, "/connectors/{name}/webhook", ""),
    post(Need::Nothing, "/api/v1/webhooks/{name}", ""),
    post(Need::Nothing, "/events", ""),
    get(Need::Nothing, "/assets/app.css"),
    get(Need::Nothing, "/assets/live.js"),
    get(Need::Nothing, "/assets/chart.js"),
    get(Need::Nothing, "/assets/keys.js"),
    get(Need::Nothing, "/assets/aids.js"),
    get(Need::Nothing, "/assets/inter-3.19/{name}"),
];

const INCIDENTS: &[Rule] = &[
    get(VIEWER, "/api/v1/incidents"),
    post(RESPONDER, "/api/v1/incidents", "declared an incident"),
    get(VIEWER, "/api/v1/incidents/{id}"),
    patch(RESPONDER, "/api/v1/incidents/{id}", "edited an incident"),
    delete(RESPONDER, "/api/v1/incidents/{id}", "deleted an incident"),
    get(VIEWER, "/api/v1/incidents/{id}/timeline"),
    get(VIEWER, "/api/v1/incidents/{id}/annotations"),
    patch(
        RESPONDER,
        "/api/v1/incidents/{id}/annotations",
        "annotated an incident",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/acknowledge",
        "acknowledged an incident",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/mitigate",
        "mitigated an incident",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/resolve",
        "resolved an incident",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/close",
        "closed an incident",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/reopen",
        "reopened an incident",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/cancel",
        "cancelled an incident",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/duplicate",
        "marked an incident as a duplicate",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/notes",
        "wrote a note about an incident",
    ),
    post(
        RESPONDER,
        "/api/v1/incidents/{id}/assign",
        "assigned an incident",
    ),
];

const CONNECTORS: &[Rule] = &[
    get(VIEWER, "/api/v1/connectors"),
    post(ADMIN, "/api/v1/connectors", "added a connector"),
    post(ADMIN, "/api/v1/key-probe", "tried an API key"),
    post(
        ADMIN,
        "/api/v1/key-probe/users",
        "looked for a user with an API key",
    ),
    get(VIEWER, "/api/v1/connectors/{name}"),
    patch(ADMIN, "/api/v1/connectors/{name}", "changed a connector"),
    delete(ADMIN, "/api/v1/connectors/{name}", "removed a connector"),
    get(VIEWER, "/api/v1/connectors/{name}/config"),
    delete(
        ADMIN,
        "/api/v1/connectors/{name}/api-key",
        "made a connector forget its API key",
    ),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/test",
        "tested a connector",
    ),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/test-event",
        "sent a test event through a connector",
    ),
    post(
        RESPONDER,
        "/api/v1/connectors/{name}/sync",
        "compared a connector with PagerDuty",
    ),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/webhook",
        "changed the webhook of a connector",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/backfill"),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/backfill",
        "began to read the past of a connector",
    ),
    delete(
        ADMIN,
        "/api/v1/connectors/{name}/backfill",
        "stopped reading the past of a connector",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/outbox"),
    post(
        RESPONDER,
        "/api/v1/connectors/{name}/outbox/{id}/retry",
        "sent a refused change again",
    ),
    post(
        RESPONDER,
        "/api/v1/connectors/{name}/outbox/{id}/discard",
        "discarded a refused change",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/timeline"),
    get(VIEWER, "/api/v1/connectors/{name}/health"),
    get(VIEWER, "/api/v1/connectors/{name}/doctor"),
    get(VIEWER, "/api/v1/connectors/{name}/metrics"),
    // A delivery has the body that PagerDuty sent.
    get(ADMIN, "/api/v1/connectors/{name}/deliveries"),
    get(ADMIN, "/api/v1/connectors/{name}/deliveries/{id}"),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/deliveries/{id}/replay",
        "replayed a delivery",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/service-mappings"),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/service-mappings",
        "changed which services are one",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/escalation-mappings"),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/escalation-mappings",
        "changed which escalation policies are used",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/priority-mappings"),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/priority-mappings",
        "changed which priorities are which severities",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/synced-services"),
    post(
        ADMIN,
        "/api/v1/connectors/{name}/synced-services",
        "changed which services are synced",
    ),
    delete(
        ADMIN,
        "/api/v1/connectors/{name}/hidden-incidents",
        "erased the incidents of services that are not synced",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/field-ownership"),
    get(VIEWER, "/api/v1/connectors/{name}/conflicts"),
    get(VIEWER, "/api/v1/connectors/{name}/conflicts/{id}"),
    post(
        RESPONDER,
        "/api/v1/connectors/{name}/conflicts/{id}/resolve",
        "decided a conflict",
    ),
    get(VIEWER, "/api/v1/connectors/{name}/services"),
    get(VIEWER, "/api/v1/connectors/{name}/users"),
    get(VIEWER, "/api/v1/connectors/{name}/escalation-policies"),
    get(VIEWER, "/api/v1/oncall"),
];

const ORGANISATION: &[Rule] = &[
    get(VIEWER, "/api/v1/metrics/{name}"),
    get(VIEWER, "/api/v1/metrics/{name}/items"),
    get(VIEWER, "/api/v1/metrics"),
    get(VIEWER, "/api/v1/metrics/{name}/insights"),
    get(VIEWER, "/api/v1/metrics/{name}/restated"),
    get(VIEWER, "/api/v1/overview"),
    get(VIEWER, "/api/v1/findings"),
    get(VIEWER, "/api/v1/directory/{kind}"),
    get(VIEWER, "/api/v1/directory/{kind}/{id}"),
    get(VIEWER, "/api/v1/deployments"),
    post(RESPONDER, "/api/v1/deployments", "recorded a deployment"),
    get(VIEWER, "/api/v1/hours"),
    post(ADMIN, "/api/v1/hours", "set working hours"),
    delete(
        ADMIN,
        "/api/v1/hours/{of}/{effective_from}",
        "removed working hours",
    ),
    get(VIEWER, "/api/v1/teams"),
    post(ADMIN, "/api/v1/teams", "set a team"),
    delete(ADMIN, "/api/v1/teams/{id}", "removed a team"),
    get(VIEWER, "/api/v1/people"),
    post(ADMIN, "/api/v1/people", "set a person"),
    delete(ADMIN, "/api/v1/people/{id}", "removed a person"),
    get(VIEWER, "/api/v1/users"),
    post(ADMIN, "/api/v1/users", "linked a user of PagerDuty's"),
    delete(
        ADMIN,
        "/api/v1/users/{user}",
        "unlinked a user of PagerDuty's",
    ),
    get(VIEWER, "/api/v1/failure-rules"),
    post(ADMIN, "/api/v1/failure-rules", "set a rule for failures"),
    delete(
        ADMIN,
        "/api/v1/failure-rules/{id}",
        "removed a rule for failures",
    ),
    get(VIEWER, "/api/v1/targets"),
    post(ADMIN, "/api/v1/targets", "set a target"),
    delete(ADMIN, "/api/v1/targets/{name}", "removed a target"),
    get(VIEWER, "/api/v1/facts"),
    get(VIEWER, "/api/v1/data"),
    put(ADMIN, "/api/v1/data", "imported a data document"),
];

const SERVER: &[Rule] = &[
    get(VIEWER, "/metrics"),
    get(VIEWER, "/api/v1/doctor"),
    // Lines of the log may hold bodies, if a connector asks for them.
    get(ADMIN, "/api/v1/logs"),
    get(ADMIN, "/api/v1/calls"),
    get(VIEWER, "/api/v1/settings"),
    patch(ADMIN, "/api/v1/settings", "changed the settings"),
    get(ADMIN, "/api/v1/tokens"),
    post(ADMIN, "/api/v1/tokens", "made a token"),
    delete(ADMIN, "/api/v1/tokens/{name}", "revoked a token"),
    get(ADMIN, "/api/v1/accounts"),
    post(ADMIN, "/api/v1/accounts", "invited somebody"),
    post(
        OWNER,
        "/api/v1/accounts/{email}/role",
        "changed what an account may do",
    ),
    post(
        ADMIN,
        "/api/v1/accounts/{email}/disable",
        "disabled an account",
    ),
    post(
        ADMIN,
        "/api/v1/accounts/{email}/enable",
        "enabled an account",
    ),
    post(
        ADMIN,
        "/api/v1/accounts/{email}/reset",
        "reset the password of an account",
    ),
    get(ADMIN, "/api/v1/audit"),
];

const PAGES: &[Rule] = &[
    get(VIEWER, "/"),
    post(VIEWER, "/views", "saved a view of the incidents"),
    post(VIEWER, "/views/remove", "removed a saved view"),
    get(VIEWER, "/incidents/{id}"),
    get(VIEWER, "/incidents/{id}/facts"),
    post(
        RESPONDER,
        "/incidents/{id}/acknowledge",
        "acknowledged an incident",
    ),
    post(RESPONDER, "/incidents/{id}/resolve", "resolved an incident"),
    post(RESPONDER, "/incidents/{id}/reopen", "reopened an incident"),
    post(RESPONDER, "/incidents/{id}/close", "closed an incident"),
    post(RESPONDER, "/incidents/{id}/cancel", "cancelled an incident"),
    post(
        RESPONDER,
        "/incidents/{id}/note",
        "wrote a note about an incident",
    ),
    post(
        RESPONDER,
        "/incidents/{id}/severity",
        "changed the severity of an incident",
    ),
    post(RESPONDER, "/incidents/{id}/assign", "assigned an incident"),
    post(
        RESPONDER,
        "/incidents/{id}/mitigate",
        "mitigated an incident",
    ),
    post(RESPONDER, "/incidents/{id}/edit", "edited an incident"),
    post(RESPONDER, "/incidents/{id}/fields", "edited an incident"),
    post(
        RESPONDER,
        "/incidents/{id}/duplicate",
        "marked an incident as a duplicate",
    ),
    post(
        RESPONDER,
        "/incidents/{id}/annotate",
        "annotated an incident",
    ),
    post(RESPONDER, "/incidents/{id}/delete", "deleted an incident"),
    post(
        RESPONDER,
        "/chosen/acknowledge",
        "acknowledged several incidents",
    ),
    post(RESPONDER, "/chosen/resolve", "resolved several incidents"),
    get(RESPONDER, "/declare"),
    post(RESPONDER, "/declare", "declared an incident"),
    get(VIEWER, "/integrations"),
    post(
        ADMIN,
        "/integrations/checklist",
        "put the list of what is to be set up away",
    ),
    get(ADMIN, "/integrations/connect"),
    post(ADMIN, "/integrations/connect", "tried an API key"),
    post(ADMIN, "/integrations/connect/add", "added a connector"),
    post(
        ADMIN,
        "/integrations/connect/again",
        "gave up an API key that was not stored",
    ),
    post(
        ADMIN,
        "/integrations/connect/oauth",
        "began to sign in to PagerDuty",
    ),
    post(
        ADMIN,
        "/integrations/connect/renew",
        "signed a connector in again",
    ),
    post(
        ADMIN,
        "/integrations/connect/hand-over",
        "made a link for an API key",
    ),
    get(Need::Visitor, "/give-key"),
    post(Need::Visitor, "/give-key", "gave an API key by a link"),
    rule(
        "GET",
        ADMIN,
        "/integrations/oauth",
        "came back from signing in to PagerDuty",
    ),
    post(
        ADMIN,
        "/connectors/{name}/sign-in",
        "began to sign a connector in again",
    ),
    get(ADMIN, "/integrations/users"),
    post(
        ADMIN,
        "/integrations/users",
        "said who a user of PagerDuty's is",
    ),
    post(
        ADMIN,
        "/integrations/users/confirm",
        "confirmed who users of PagerDuty's are",
    ),
    get(ADMIN, "/integrations/filter"),
    post(ADMIN, "/integrations/filter", "chose the default filter"),
    get(VIEWER, "/connectors/{name}"),
    get(VIEWER, "/on-call"),
    get(VIEWER, "/connectors/{name}/setup"),
    post(
        ADMIN,
        "/connectors/{name}/import",
        "began to read the past of a connector",
    ),
    post(
        ADMIN,
        "/connectors/{name}/import/stop",
        "stopped reading the past of a connector",
    ),
    post(
        ADMIN,
        "/connectors/{name}/webhook/act",
        "changed the webhook of a connector",
    ),
    post(
        RESPONDER,
        "/connectors/{name}/compare",
        "compared a connector with PagerDuty",
    ),
    post(
        RESPONDER,
        "/connectors/{name}/outbox/{id}/retry",
        "sent a refused change again",
    ),
    post(
        RESPONDER,
        "/connectors/{name}/outbox/{id}/discard",
        "discarded a refused change",
    ),
    post(
        ADMIN,
        "/connectors/{name}/deliveries/{id}/replay",
        "replayed a delivery",
    ),
    post(
        RESPONDER,
        "/connectors/{name}/conflicts/{id}",
        "decided a conflict",
    ),
    get(ADMIN, "/connectors/{name}/settings"),
    post(ADMIN, "/connectors/{name}/settings", "changed a connector"),
    get(ADMIN, "/connectors/{name}/unlink"),
    post(ADMIN, "/connectors/{name}/unlink", "removed a connector"),
    get(VIEWER, "/overview"),
    get(VIEWER, "/overview/report.csv"),
    get(VIEWER, "/overview/report.json"),
    get(VIEWER, "/findings"),
    get(VIEWER, "/metric/{name}"),
    get(VIEWER, "/metric/{name}/items"),
    get(VIEWER, "/metric/{name}/figures.csv"),
    get(VIEWER, "/metric/{name}/figures.json"),
    get(VIEWER, "/live"),
    get(Need::Visitor, "/help"),
    get(Need::Visitor, "/sign-in"),
    post(Need::Visitor, "/sign-in", "signed in"),
    follow("/sign-in/oidc", "began to sign in by OpenID Connect"),
    follow("/sign-in/oidc/back", "signed in by OpenID Connect"),
    get(Need::Visitor, "/set-password"),
    post(Need::Visitor, "/set-password", "chose a password by a link"),
    post(VIEWER, "/sign-out", "signed out"),
    get(VIEWER, "/account"),
    post(VIEWER, "/account/password", "changed their password"),
    post(
        VIEWER,
        "/account/sign-out-everywhere",
        "signed out everywhere",
    ),
    get(ADMIN, "/people"),
    post(ADMIN, "/people", "invited somebody"),
    post(
        OWNER,
        "/people/{email}/role",
        "changed what an account may do",
    ),
    post(ADMIN, "/people/{email}/disable", "disabled an account"),
    post(ADMIN, "/people/{email}/enable", "enabled an account"),
    post(
        ADMIN,
        "/people/{email}/reset",
        "reset the password of an account",
    ),
    get(ADMIN, "/audit"),
    get(ADMIN, "/audit/calls"),
    get(VIEWER, "/status"),
    get(ADMIN, "/settings"),
    post(ADMIN, "/settings", "changed the settings"),
    post(
        OWNER,
        "/settings/sign-in",
        "changed how people sign in by OpenID Connect",
    ),
    post(ADMIN, "/settings/targets", "set a target"),
    post(ADMIN, "/settings/targets/remove", "removed a target"),
    post(ADMIN, "/settings/hours", "set working hours"),
    post(ADMIN, "/settings/hours/remove", "removed working hours"),
    post(ADMIN, "/settings/failure-rules", "set a rule for failures"),
    post(
        ADMIN,
        "/settings/failure-rules/remove",
        "removed a rule for failures",
    ),
    get(ADMIN, "/tokens"),
    post(ADMIN, "/tokens", "made a token"),
    post(ADMIN, "/tokens/revoke", "revoked a token"),
];

/// The rule of a route; `HEAD` is a way to ask `GET`.
pub fn find(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = match method.as_str() {
        "HEAD" => "GET",
        other => other,
    };
    let mut all = RULES.into_iter().flatten();
    all.find(|rule| rule.method == method && rule.path == path)
}

/// The rule of the route that a request was matched to.
pub fn of(method: &Method, extensions: &Extensions) -> Option<&'static Rule> {
    let path = extensions.get::<MatchedPath>()?;
    find(method, path.as_str())
}
