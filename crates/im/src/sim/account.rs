//! The account of the stand-in, and how a person or a script learns of it.

use std::io::Write as _;
use std::net::SocketAddr;

use pd_sim::{KeyKind, OAuthApp, OAuthKind, Sim, account};
use serde_json::{Value, json};

use super::time::Hands;
use super::{StandIn, control, files};
use crate::cli::{Region, SimOptions};
use crate::clock::Clock;

/// The OAuth app that every account of ours knows.
const CLIENT_ID: &str = "im-sim-app";
const CLIENT_SECRET: &str = "im-sim-app-secret";
const REDIRECT_URI: &str = "http://localhost/callback";
const SUBDOMAIN: &str = "lighthouse-works";
/// The account of an app that says nothing else.
pub(super) const ACCOUNT: &str = "us.lighthouse-works";

/// What that app may be given (docs/sim.md).
const SCOPES: [&str; 41] = [
    "abilities.read",
    "analytics.read",
    "analytics.write",
    "audit_records.read",
    "change_events.read",
    "custom_fields.read",
    "custom_fields.write",
    "escalation_policies.read",
    "escalation_policies.write",
    "extension_schemas.read",
    "extensions.read",
    "extensions.write",
    "incident_types.read",
    "incident_types.write",
    "incident_workflows.read",
    "incident_workflows.write",
    "incident_workflows:instances.write",
    "incidents.read",
    "incidents.write",
    "oncalls.read",
    "priorities.read",
    "schedules.read",
    "schedules.write",
    "services.read",
    "services.write",
    "standards.read",
    "standards.write",
    "subscribers.read",
    "subscribers.write",
    "tags.read",
    "tags.write",
    "teams.read",
    "teams.write",
    "users.read",
    "users.write",
    "users:contact_methods.read",
    "users:contact_methods.write",
    "users:notifications.read",
    "vendors.read",
    "webhook_subscriptions.read",
    "webhook_subscriptions.write",
];

/// The stand-in that the command line asks for.
pub(super) fn open(options: &SimOptions, address: SocketAddr) -> anyhow::Result<StandIn> {
    let base = Clock::System;
    let now = options.start.unwrap_or_else(|| base.now());
    let clock = Hands::starting(base, now, options.clock.factor());
    let base_url = options.base_url.clone();
    let base_url = base_url.unwrap_or_else(|| format!("http://{address}"));
    let mut sim = StandIn::options(&base_url);
    if let Some(web_url) = &options.web_url {
        sim.web_url.clone_from(web_url);
    }
    sim.limits = options.rate_limits.factor();
    sim.reopen_allowed = !options.no_reopen;
    sim.abilities
        .retain(|ability| !options.without.contains(ability));
    // Accounts of two regions share no key.
    sim.seed = match options.region {
        Region::Us => options.seed,
        Region::Eu => options.seed ^ 0x6575,
    };
    sim.time_zone.clone_from(&options.time_zone);
    let mut sim = if let Some(dir) = &options.data {
        files::load(dir, sim, now)?
    } else {
        let mut sim = Sim::new(sim, now);
        account::lively(&mut sim, now);
        sim
    };
    furnish(&mut sim, options.region);
    let mut account = sim.account();
    if let Some(key) = &options.api_key {
        sim.accept_key(key, KeyKind::Account);
        account.api_key.clone_from(key);
    }
    let mut stand_in = StandIn::of(base_url, clock, sim, account);
    stand_in.save_to.clone_from(&options.save);
    Ok(stand_in)
}

/// Keys and an OAuth app, where the account has none.
fn furnish(sim: &mut Sim, region: Region) {
    let account = sim.account();
    let owner = account.users.first().map(|(id, ..)| id.clone());
    if account.api_key.is_empty() {
        sim.add_key(KeyKind::Account);
    }
    if account.read_only_key.is_empty() {
        sim.add_key(KeyKind::ReadOnly);
    }
    if let Some(owner) = owner.filter(|_| account.user_key.is_empty()) {
        sim.add_key(KeyKind::User(owner));
    }
    sim.register_app(OAuthApp {
        kind: OAuthKind::Scoped,
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(CLIENT_SECRET.to_owned()),
        scopes: SCOPES.map(str::to_owned).to_vec(),
        redirect_uri: REDIRECT_URI.to_owned(),
        account: format!("{}.{SUBDOMAIN}", region.name()),
    });
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
        "openid_configuration_url":
            format!("{base}/global/oauth/anonymous/.well-known/openid-configuration"),
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
