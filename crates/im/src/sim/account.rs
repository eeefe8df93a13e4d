//! The account of the stand-in, and how a person or a script learns of it.

use std::io::Write as _;

use jiff::Timestamp;
use pd_sim::{Account, KeyKind, OAuthApp, OAuthKind, Options, Sim, account};
use serde_json::{Value, json};

use super::{StandIn, control};

/// The OAuth app that every account of ours knows.
const CLIENT_ID: &str = "im-sim-app";
const CLIENT_SECRET: &str = "im-sim-app-secret";

/// An account with people, services and keys; `api_key` is accepted as an account key.
pub(super) fn lively(options: Options, api_key: Option<&str>, now: Timestamp) -> (Sim, Account) {
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
        scopes: [
            "incidents.read",
            "incidents.write",
            "services.read",
            "users.read",
        ]
        .map(str::to_owned)
        .to_vec(),
        redirect_uri: "http://localhost/callback".to_owned(),
        account: "us.lighthouse-works".to_owned(),
    });
    (sim, made)
}

/// Everything that a script needs to use the account.
pub fn document(stand_in: &StandIn) -> Value {
    let account = &stand_in.account;
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
    json!({
        "base_url": stand_in.base_url,
        "control_url": format!("{}{}", stand_in.base_url, control::PREFIX),
        "api_key": account.api_key,
        "read_only_key": account.read_only_key,
        "user_key": account.user_key,
        "services": services,
        "integration_keys": integration_keys,
        "users": users,
        "escalation_policies": named(&account.policies),
        "priorities": named(&account.priorities),
        "oauth": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    })
}

/// Says how to reach it: one JSON document, or lines for people.
pub(super) fn tell(stand_in: &StandIn, as_json: bool) {
    let document = document(stand_in);
    let mut out = anstream::stdout();
    let said = if as_json {
        writeln!(out, "{document}")
    } else {
        writeln!(out, "{}", for_people(stand_in))
    };
    // Whoever closed the pipe does not want to know.
    drop(said.and_then(|()| out.flush()));
}

fn for_people(stand_in: &StandIn) -> String {
    let account = &stand_in.account;
    let (service, service_name, _) = account.services.first().cloned().unwrap_or_default();
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
         From e-mail  {email} ({person})\n\
         Look at it   {base}{prefix}\n\
         \n\
         Connect to it:\n\
         \x20 im connector add pagerduty sim --config '{config}'\n\
         \n\
         `im --json sim` prints all ids and keys. Ctrl-C stops it; nothing is kept.",
        base = stand_in.base_url,
        key = account.api_key,
        prefix = control::PREFIX,
    )
}
