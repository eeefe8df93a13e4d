//! The questions of `im connector add`: what is answered is looked up at PagerDuty, which offers
//! what can be chosen. Where it cannot be asked, what the person writes is taken as it is.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::add::{DIRECTIONS, address, direction, email, id, id_or_nothing, not_empty};
use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::prompt::Question;
use crate::client::Call;

/// Where PagerDuty's API is, unless the account is in Europe.
const BASE_URL: &str = "https://api.pagerduty.com";
/// The one direction in which nothing is sent and something comes.
const INBOUND: &str = "inbound";

/// What PagerDuty says of the key.
#[derive(Debug, Deserialize)]
struct Key {
    kind: String,
    owner: Option<User>,
    role: Option<String>,
    may_write: bool,
    services: Vec<Named>,
    policies: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct User {
    name: String,
    email: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
    name: String,
}

/// A key that PagerDuty was asked about.
struct Entered {
    api_key: String,
    base_url: String,
    /// `None`: it did not answer.
    key: Option<Key>,
}

/// The six questions, in the order of PagerDuty's own settings.
pub(super) async fn ask(since: Option<&str>, cx: &mut Context) -> Result<Value, Failure> {
    say_what_for(since, cx);
    let entered = enter(cx).await?;
    let key = entered.key.as_ref();
    let service_id = match key {
        Some(key) if !key.services.is_empty() => chosen("Default Service:", &key.services, cx)?,
        _ => cx.prompt.text(Question {
            label: "Default Service ID:",
            default: None,
            help: "PagerDuty service ID, e.g. PXXXXXX",
            check: id,
        })?,
    };
    let from_email = from_email(&entered, cx).await?;
    let policy = policy(key, cx)?;
    let direction = direction_of(key, cx)?;
    let mut custom = Map::new();
    custom.insert("service_id".to_owned(), service_id.into());
    custom.insert("from_email".to_owned(), from_email.into());
    if !policy.is_empty() {
        custom.insert("escalation_policy_id".to_owned(), policy.into());
    }
    let Entered {
        api_key, base_url, ..
    } = entered;
    Ok(
        json!({"api_key": api_key, "base_url": base_url, "sync_direction": direction, "custom": custom}),
    )
}

/// What the key will be used for, before it is asked for.
fn say_what_for(since: Option<&str>, cx: &mut Context) {
    let past = match since {
        None => {
            "the past 180 days (`--since` says otherwise) and what happens from now on".to_owned()
        }
        Some("none") => "what happens from now on".to_owned(),
        Some(since) => format!("the past (from {since}) and what happens from now on"),
    };
    cx.ui.note(format_args!(
        "The API key is used to read incidents, people and services of its account: {past}; to send what is done here, unless the direction is inbound; and to make a webhook."
    ));
    cx.ui
        .note("It is stored sealed. Each call made with it is listed: `im logs --component api`");
}

/// Asks for a key until PagerDuty takes one, or does not answer.
async fn enter(cx: &mut Context) -> Result<Entered, Failure> {
    loop {
        let api_key = cx.prompt.secret(Question {
            label: "API Key:",
            default: None,
            help: "your PagerDuty API key; it is not shown",
            check: not_empty,
        })?;
        let base_url = cx.prompt.text(Question {
            label: "API Base URL:",
            default: Some(BASE_URL),
            help: "Enter for the default; European accounts use https://api.eu.pagerduty.com",
            check: address,
        })?;
        let call = Call::post(
            ["key-probe"],
            json!({"api_key": api_key, "base_url": base_url}),
        );
        let key = match cx.send(call).await {
            Ok(answer) => Some(answer.read::<Key>()?),
            // What PagerDuty refuses can be put right at once.
            Err(refused) if refused.exit == Exit::Usage => {
                cx.ui.error(refused.detail);
                if let Some(hint) = refused.hint {
                    cx.ui.hint(hint);
                }
                continue;
            }
            Err(silent) if silent.exit == Exit::Peer => {
                cx.ui.warn(format_args!(
                    "PagerDuty cannot be asked now ({}): what you write is taken as it is",
                    silent.detail
                ));
                None
            }
            Err(other) => return Err(other),
        };
        if let Some(key) = &key {
            cx.ui.note(words(key));
        }
        return Ok(Entered {
            api_key,
            base_url,
            key,
        });
    }
}

/// Whose key it is and what it may do.
fn words(key: &Key) -> String {
    let whose = match (&key.owner, &key.role) {
        (Some(user), Some(role)) => format!("A key of {} (base role {role})", user.name),
        (Some(user), None) => format!("A key of {}", user.name),
        (None, _) if key.kind == "account" => "A key of the account".to_owned(),
        (None, _) => "A key whose owner PagerDuty does not tell".to_owned(),
    };
    let may = if key.may_write {
        "it may read and write"
    } else {
        "it is read-only, so the direction can only be inbound"
    };
    format!("{whose}: {may}")
}

/// One of a list, by its id.
fn chosen(label: &str, list: &[Named], cx: &mut Context) -> Result<String, Failure> {
    let options: Vec<String> = list
        .iter()
        .map(|one| format!("{}  {}", one.name, one.id))
        .collect();
    let index = cx.prompt.choice(label, &options)?;
    Ok(list
        .get(index)
        .map(|one| one.id.clone())
        .unwrap_or_default())
}

/// The address of a user whom PagerDuty has.
async fn from_email(entered: &Entered, cx: &mut Context) -> Result<String, Failure> {
    let owner = entered.key.as_ref().and_then(|key| key.owner.as_ref());
    let own = owner.and_then(|user| user.email.clone());
    loop {
        let from = cx.prompt.text(Question {
            label: "From Email:",
            default: own.as_deref(),
            help: "e-mail address of a valid PagerDuty user",
            check: email,
        })?;
        if entered.key.is_none() || own.as_deref() == Some(&from) {
            return Ok(from);
        }
        let body = json!({"api_key": entered.api_key, "base_url": entered.base_url, "email": from});
        match cx.send(Call::post(["key-probe", "users"], body)).await {
            Ok(answer) => match answer.read::<Vec<User>>()?.first() {
                Some(user) => {
                    cx.ui.note(format_args!("{from} is {}", user.name));
                    return Ok(from);
                }
                None => cx.ui.error(format_args!(
                    "PagerDuty has no user with the address {from}"
                )),
            },
            // A key that may not look for users.
            Err(refused) if refused.exit == Exit::Peer => return Ok(from),
            Err(other) => return Err(other),
        }
    }
}

/// An escalation policy, or nothing for the service's own.
fn policy(key: Option<&Key>, cx: &mut Context) -> Result<String, Failure> {
    match key {
        Some(key) if !key.policies.is_empty() => {
            let mut list = vec![Named {
                id: String::new(),
                name: "The service's own".to_owned(),
            }];
            list.extend(key.policies.iter().map(|one| Named {
                id: one.id.clone(),
                name: one.name.clone(),
            }));
            chosen("Escalation Policy:", &list, cx)
        }
        _ => cx.prompt.text(Question {
            label: "Escalation Policy ID:",
            default: None,
            help: "optional; Enter for the service's own policy",
            check: id_or_nothing,
        }),
    }
}

/// Which way changes go; there is no choice with a key that may only read.
fn direction_of(key: Option<&Key>, cx: &mut Context) -> Result<String, Failure> {
    let Some(key) = key else {
        return cx.prompt.text(Question {
            label: "Sync Direction:",
            default: None,
            help: "bidirectional, outbound, or inbound",
            check: direction,
        });
    };
    if !key.may_write {
        cx.ui.note("Sync Direction: inbound");
        return Ok(INBOUND.to_owned());
    }
    let options = DIRECTIONS.map(str::to_owned);
    let index = cx.prompt.choice("Sync Direction:", &options)?;
    Ok(options.get(index).cloned().unwrap_or_default())
}
