//! The account of the stand-in, and how a person or a script learns of it.

use std::io::Write as _;
use std::net::SocketAddr;

use jiff::Timestamp;
use pd_sim::{Account, KeyKind, OAuthApp, OAuthKind, Options, Sim, account};
use serde_json::{Value, json};

use super::time::Hands;
use super::{StandIn, control};
use crate::cli::SimOptions;
use crate::clock::Clock;

/// The OAuth app that every account of ours knows.
const CLIENT_ID: &str = "im-sim-app";
const CLIENT_SECRET: &str = "im-sim-app-secret";
const REDIRECT_URI: &str = "http://localhost/callback";
pub(super) const ACCOUNT: &str = "us.lighthouse-works";

/// What that app may be given (oauth.md §5).
const SCOPES: [&str; 30] = [
    "abilities.read",
    "analytics.read",
    "analytics.write",
    "change_events.read",
    "custom_fields.read",
    "escalation_policies.read",
    "escalation_policies.write",
    "incident_types.read",
    "incident_workflows.read",
    "incidents.read",
    "incidents.write",
    "oncalls.read",
    "priorities.read",
    "schedules.read",
    "schedules.write",
    "services.read",
    "services.write",
    "subscribers.read",
    "subscribers.write",
    "tags.read",
    "teams.read",
    "teams.write",
    "users.read",
    "users.write",
    "users:contact_methods.read",
    "users:contact_methods.write",
    "users:notifications.read",
    "webhook_subscriptions.read",
    "webhook_subscriptions.write",
    "notifications.read",
];

/// The stand-in that the command line asks for.
pub(super) fn open(options: &SimOptions, address: SocketAddr) -> StandIn {
    let base = Clock::System;
    let now = options.start.unwrap_or_else(|| base.now());
    let clock = Hands::starting(base, now, options.clock.factor());
    let base_url = options.base_url.clone();
    let base_url = base_url.unwrap_or_else(|| format!("http://{address}"));
    StandIn::at(base_url, clock, |mut sim| {
        sim.limits = options.rate_limits.factor();
        sim.reopen_allowed = !options.no_reopen;
        sim.abilities
            .retain(|ability| !options.without.contains(ability));
        sim.seed = options.seed;
        lively(sim, options.api_key.as_deref(), now)
    })
}

/// An account with people, services and keys; `api_key` is accepted as an account key.
fn lively(options: Options, api_key: Option<&str>, now: Timestamp) -> (Sim, Account) {
    let mut sim = Sim::new(options, now);
    let mut made = account::lively(&mut sim, now);
    if let Some(key) = api_key {
        sim.accept_key(key, KeyKind::Account);
        key.clone_into(&mut made.api_key);
    }
    sim.register_app(OAuthApp {
        kind: OAuthKind::Scoped,
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(CLIENT_SECRET.to_owned()),
        scopes: SCOPES.map(str::to_owned).to_vec(),
        redirect_uri: REDIRECT_URI.to_owned(),
        account: ACCOUNT.to_owned(),
    });
    (sim, made)
}

/// Everything that a script needs to use the account.
pub fn document(stand_in: &StandIn) -> Value {
    let (account, apps) = stand_in.with(|sim| (sim.account(), sim.apps().to_vec()));
    let named = |rows: &[(String, String)]| -> Value {
        rows.iter()
            .map(|(id, name)| json!({"id": id, "name": name}))
            .collect()
    };
    let services: Value = account
        .services
        .iter()
        .map(|(id, name, key)| json!({"id": id, "name": name, "integration_key": key}))
        .collect();
    let integration_keys: Vec<&String> = account.services.iter().map(|(.., key)| key).collect();
    let users: Value = account
        .users
        .iter()
        .map(|(id, name, email)| json!({"id": id, "name": name, "email": email}))
        .collect();
    let base = &stand_in.base_url;
    json!({
        "base_url": base,
        "control_url": format!("{base}{}", control::PREFIX),
        "page_url": format!("{base}/"),
        "events_url": format!("{base}/v2/enqueue"),
        // The key of the command line, if there is one, was made after the others.
        "api_key": stand_in.account.api_key,
        "read_only_key": account.read_only_key,
        "user_key": account.user_key,
        "services": services,
        "integration_keys": integration_keys,
        "users": users,
        "escalation_policies": named(&account.policies),
        "schedules": named(&account.schedules),
        "priorities": named(&account.priorities),
        "oauth": oauth(base, &apps),
    })
}

/// How to get a token.
fn oauth(base: &str, apps: &[OAuthApp]) -> Value {
    let Some(app) = apps.first() else {
        return Value::Null;
    };
    let account = format!("as_account-{}", app.account);
    let mut scopes = vec![account.as_str()];
    scopes.extend(app.scopes.iter().map(String::as_str));
    json!({
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": app.redirect_uri,
        "authorize_url": format!("{base}/oauth/authorize"),
        "token_url": format!("{base}/oauth/token"),
        "account_scope": account,
        "scopes": scopes,
        "example": format!(
            "curl -s {base}/oauth/token -d grant_type=client_credentials -d client_id={} -d client_secret={} --data-urlencode 'scope={account} incidents.read'",
            app.client_id,
            app.client_secret.as_deref().unwrap_or_default(),
        ),
    })
}

/// Says how to reach it: one JSON document, or lines for people.
pub(super) fn tell(stand_in: &StandIn, as_json: bool) {
    let mut out = anstream::stdout();
    let said = if as_json {
        writeln!(out, "{}", document(stand_in))
    } else {
        writeln!(out, "{}", for_people(stand_in))
    };
    // Whoever closed the pipe does not want to know.
    drop(said.and_then(|()| out.flush()));
}

fn for_people(stand_in: &StandIn) -> String {
    let account = &stand_in.account;
    let (service, service_name, events_key) = account.services.first().cloned().unwrap_or_default();
    let (_, person, email) = account.users.first().cloned().unwrap_or_default();
    let config = json!({
        "base_url": stand_in.base_url,
        "api_key": account.api_key,
        "sync_direction": "bidirectional",
        "custom": {"service_id": service, "from_email": email},
    });
    format!(
        "A stand-in for PagerDuty at {base}\n\
         \n\
         API key      {key}\n\
         Service      {service} ({service_name})\n\
         Events key   {events_key}\n\
         From e-mail  {email} ({person})\n\
         Look, act    {base}/\n\
         Control API  {base}{prefix}\n\
         \n\
         Connect to it:\n\
         \x20 im connector add pagerduty sim --config '{config}'\n\
         \n\
         `im --json sim` prints all ids and keys, OAuth included. Ctrl-C stops it.",
        base = stand_in.base_url,
        key = account.api_key,
        prefix = control::PREFIX,
    )
}
