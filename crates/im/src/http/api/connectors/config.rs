//! Adding and changing connectors.
//!
//! What people write is parsed whole before anything is stored. Secrets are sealed and kept apart;
//! what is shown of them afterwards is their end.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use im_core::{ConnectorName, Direction};
use im_engine::connector::{self, Connector, Parted};
use im_engine::{commands, request_sync};
use im_pagerduty::config::{ConnectorConfig, Custom, EscalationChoice};
use im_store::Tx;
use im_store::connectors::{self as rows, ConnectorRow, State as RowState};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::probe::{self, Tried};
use super::view::{self, ConnectorView, length};
use super::{ask, backfill, custom_fields, find, mappings, priorities, synced, twin, webhook};
use crate::access::audit::Note;
use crate::credential::{Credential, masked};
use crate::http::App;
use crate::http::api::settings::is_near;
use crate::http::api::types::Check;
use crate::http::error::ApiError;
use crate::http::hooks;
use crate::http::input::Body;
use crate::http::openapi::{Conflict, WrongValue};

/// Incidents that follow a changed configuration in one transaction …
const ATTACH_MAX: u32 = 200;
/// … and how many of these a request waits for.
const ATTACH_BATCHES: u32 = 5;

/// A new connector.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnector {
    /// Lower-case letters, digits and hyphens: a part of the webhook's address.
    pub(crate) name: String,
    /// `pagerduty`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// As in `docs/connector.md`.
    #[schema(value_type = Object)]
    pub(crate) config: Map<String, Value>,
    /// From when on its past is read: a date, an instant, days back like `180d`, or `none`; 180 days unless given.
    pub(crate) since: Option<String>,
}

/// Add a connector
#[utoipa::path(
    post, path = "/api/v1/connectors", tag = "connectors", operation_id = "add_connector", request_body = NewConnector,
    responses((status = 201, body = ConnectorView, description = "The new connector"), Conflict, WrongValue),
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Body(new): Body<NewConnector>,
) -> Result<(StatusCode, Extension<Note>, Json<ConnectorView>), ApiError> {
    let name = free_name(&app, &new.name).await?;
    if !new.kind.eq_ignore_ascii_case("pagerduty") {
        let detail = format!("`type` cannot be `{}`", new.kind);
        return Err(ApiError::wrong_value("type", detail).hint("the one type is pagerduty"));
    }
    let parted = read(new.config)?;
    let api_key = app.vault.seal(&parted.config.api_key)?;
    let secrets = sealed_secrets(&app, &parted.config)?;
    let now = app.clock.now();
    let draft = probe::unsaved(name.as_str(), &parted, api_key.clone(), now);
    let tried = tried_for(&app, &draft, true).await?;
    let is_taken = matches!(tried, Tried::Taken(..));
    let Parted { config, stored } = parted;
    let (text, has_secret) = (name.to_string(), !secrets.is_empty());
    let look_back = new.since;
    let is_new = app
        .db
        .write(move |tx| {
            let is_new = rows::insert(tx, &text, &stored, &api_key, &secrets, now)?;
            if is_new {
                // Incidents of a removed connector of this name are taken up where they are.
                connector::begin_attaching(tx, &text)?;
                backfill::start_new(tx, &text, look_back.as_deref(), now)?;
            }
            if is_new && has_secret {
                hooks::note_new_secret(tx, &text, now)?;
            }
            if is_new && is_taken {
                rows::set_state(tx, &text, RowState::Active, None, Timestamp::UNIX_EPOCH)?;
            }
            Ok::<_, ApiError>(is_new)
        })
        .await?;
    if !is_new {
        return Err(name_taken(&name));
    }
    attach(&app, name.as_str(), now).await?;
    app.signals.nudge();
    let connector = find(&app, name.as_str()).await?;
    let mut checks = said(&app, &connector, tried);
    if is_taken {
        checks.extend(webhook::of_new(&app, &connector).await?);
    }
    let mut view = view::load(&app, name.as_str()).await?;
    view.checks = checks;
    view.warnings = warnings(name.as_str(), &config);
    if !is_taken {
        let warning = same_key(&app, name.as_str(), &config).await?;
        view.warnings.extend(warning);
    }
    view.warnings.extend(not_there(&app, &connector).await?);
    Ok((StatusCode::CREATED, Note::thing(name.as_str()), Json(view)))
}

/// A name that no connector has; asked before PagerDuty is asked about anything.
pub(crate) async fn free_name(app: &App, text: &str) -> Result<ConnectorName, ApiError> {
    let name: ConnectorName = text.parse().map_err(|error: im_core::ParseIdError| {
        ApiError::wrong_value("name", error.to_string()).hint("write one like prod-pagerduty")
    })?;
    let text = name.to_string();
    let taken = app
        .db
        .read(move |tx| Ok::<_, ApiError>(rows::find(tx, &text)?))
        .await?;
    match taken {
        Some(_row) => Err(name_taken(&name)),
        None => Ok(name),
    }
}

fn name_taken(name: &ConnectorName) -> ApiError {
    let detail = format!("there is a connector `{name}` already");
    ApiError::conflict("name_taken", detail)
        .hint(format!("`im connector config {name}` changes it"))
}

/// Tries a key, and refuses one of an account that another connector has.
async fn tried_for(app: &App, draft: &Connector, is_new: bool) -> Result<Tried, ApiError> {
    let tried = probe::must_do(app, draft, is_new).await?;
    if let Tried::Taken(owner, _) = &tried {
        twin::refuse(app, draft, owner).await?;
    }
    Ok(tried)
}

/// What PagerDuty said of a key, once it is stored.
fn said(app: &App, connector: &Connector, tried: Tried) -> Vec<Check> {
    match tried {
        Tried::Silent(why, next) => {
            let text = format!("API key: stored and not tried, since {why}");
            let again = format!("`im connector test {}` tries it", connector.name());
            vec![Check::skipped(text).next(format!("{next}; {again}"))]
        }
        Tried::Taken(_, mut lines) => {
            let masked = masked_key(app, connector);
            lines.push(Check::ok(format!("API key {masked} is stored")));
            lines
        }
    }
}

/// Reads a configuration and checks what the parser leaves to us.
fn read(config: Map<String, Value>) -> Result<Parted, ApiError> {
    let parted = connector::part(&Value::Object(config).to_string())?;
    for network in &parted.config.allow_ips {
        if network.parse::<ipnet::IpNet>().is_err() && network.parse::<IpAddr>().is_err() {
            return Err(ApiError::wrong_value(
                "bad_config",
                format!("`allow_ips`: `{network}` is not a network"),
            )
            .hint("write networks like 44.242.69.192/32; docs/connector.md lists PagerDuty's"));
        }
    }
    Ok(parted)
}

fn sealed_secrets(app: &App, config: &ConnectorConfig) -> Result<Vec<String>, ApiError> {
    let sealed = config
        .webhook_secret
        .iter()
        .map(|secret| app.vault.seal(secret));
    Ok(sealed.collect::<Result<_, _>>()?)
}

fn warnings(name: &str, config: &ConnectorConfig) -> Vec<String> {
    let mut warnings = Vec::new();
    if config.sync_direction == Direction::Outbound {
        warnings.push(format!(
            "the direction is outbound: what happens in PagerDuty changes nothing here; `im connector config {name} --direction bidirectional` changes that"
        ));
    }
    if config.base_url.starts_with("http://") && !is_near(&config.base_url) {
        warnings.push("base_url begins with http://: the API key travels unencrypted".to_owned());
    }
    warnings
}

/// A connector with the same key. What PagerDuty says of a key tells more ([`twin`]), and where it says nothing,
/// this is all that is known.
async fn same_key(
    app: &App,
    name: &str,
    config: &ConnectorConfig,
) -> Result<Option<String>, ApiError> {
    let all = app
        .db
        .read(|tx| Ok::<_, ApiError>(connector::all(tx)?))
        .await?;
    let has_our_key = |other: &&Connector| {
        let key = app.vault.open(&other.row.api_key);
        key.is_ok_and(|key| key.expose() == config.api_key.expose())
    };
    let same = all
        .iter()
        .filter(|other| other.name() != name && other.config.base_url == config.base_url)
        .find(has_our_key);
    Ok(same.map(|other| {
        let other = other.name();
        format!("connector `{other}` has the same key: what begins in PagerDuty comes here twice, once by each; `im connector remove {name}` leaves it to `{other}`")
    }))
}

/// Show a connector's configuration, secrets masked
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/config", tag = "connectors", operation_id = "show_connector_config",
    params(("name" = String, Path, description = "Which")),
    responses((status = 200, body = Object, description = "The configuration with its defaults")),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let connector = find(&app, &name).await?;
    Ok(Json(document(&app, &connector)))
}

/// The configuration with every default filled in.
fn document(app: &App, connector: &Connector) -> Value {
    let config = &connector.config;
    let custom = &config.custom;
    let secret = connector.row.webhook_secrets.first();
    let urgencies: Map<String, Value> = custom
        .urgency_mapping
        .iter()
        .map(|(severity, urgency)| (severity.to_string(), urgency.as_str().into()))
        .collect();
    let policies: Map<String, Value> = custom
        .escalation_mappings
        .iter()
        .map(|line| {
            let key = EscalationChoice::key(line.service.as_deref(), line.severity);
            (key, line.policy.as_str().into())
        })
        .collect();
    let templates: Map<String, Value> = custom
        .description_templates
        .iter()
        .map(|(service, template)| (service.clone(), template.source().into()))
        .collect();
    let owners: Map<String, Value> = custom
        .ownership
        .owners
        .iter()
        .map(|(field, owner)| {
            let row = json!({"owner": owner.side, "priority": owner.priority});
            (field.as_str().to_owned(), row)
        })
        .collect();
    let inferred = custom.severity_from_urgency.map_or(
        Value::Bool(false),
        |by| json!({"high": by.high, "low": by.low}),
    );
    json!({
        "base_url": config.base_url,
        "api_key": connector.has_key().then(|| masked_key(app, connector)),
        "sync_direction": config.sync_direction.as_str(),
        "sync_interval": length(config.sync_interval),
        "enable_webhook": config.enable_webhook,
        "webhook_secret": secret.map(|_sealed| masked(None)),
        "allow_ips": config.allow_ips,
        "debug": config.logging.debug,
        "log_requests": config.logging.requests,
        "log_responses": config.logging.responses,
        "custom": {
            "service_id": custom.service_id,
            "from_email": custom.from_email,
            "escalation_policy_id": custom.escalation_policy_id,
            "escalation_mappings": policies,
            "urgency_mapping": urgencies,
            "priority_mapping": object(&custom.priority_mapping),
            "service_mappings": object(&custom.service_mappings),
            "service_rules": rules(custom),
            "synced_services": custom.synced_services,
            "description_templates": templates,
            "custom_field_mappings": object(&custom.custom_field_mappings),
            "auto_resolve": custom.auto_resolve,
            "sync_notes": custom.sync_notes,
            "resolve_rule": custom.resolve_rule.as_str(),
            "conflict_strategy": custom.ownership.strategy.as_str(),
            "field_ownership": owners,
            "severity_from_urgency": inferred,
        },
    })
}

/// A table as it is written.
fn object<N: ToString>(rows: &[(N, String)]) -> Map<String, Value> {
    let pairs = rows.iter();
    pairs
        .map(|(name, value)| (name.to_string(), value.as_str().into()))
        .collect()
}

fn rules(custom: &Custom) -> Vec<Value> {
    let rules = custom.service_rules.iter().map(|rule| {
        json!({
            "service": rule.service,
            "severity": rule.severity,
            "fields": object(&rule.fields),
            "pd_service": rule.id,
        })
    });
    rules.collect()
}

/// The key of a connector, as far as it is shown.
pub(crate) fn masked_key(app: &App, connector: &Connector) -> String {
    let opened = app.vault.open(&connector.row.api_key);
    opened.map_or_else(
        |_closed| masked(None),
        |text| Credential::read(text).label(),
    )
}

/// Whether it is called by the sign-in of a person.
pub(crate) fn is_signed_in(app: &App, connector: &Connector) -> bool {
    let opened = app.vault.open(&connector.row.api_key);
    opened.is_ok_and(|text| matches!(Credential::read(text), Credential::Tokens(_)))
}

/// Change a part of a connector's configuration
#[utoipa::path(
    patch, path = "/api/v1/connectors/{name}", tag = "connectors", operation_id = "change_connector", request_body = Object,
    params(("name" = String, Path, description = "Which")),
    responses((status = 200, body = ConnectorView, description = "The connector now"), Conflict, WrongValue),
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(part): Body<Map<String, Value>>,
) -> Result<Json<ConnectorView>, ApiError> {
    apply(&app, &name, part).await.map(Json)
}

/// Merges a part into the configuration, and lets everything follow it.
pub(super) async fn apply(
    app: &App,
    name: &str,
    part: Map<String, Value>,
) -> Result<ConnectorView, ApiError> {
    let connector = find(app, name).await?;
    let has_key = part.get("api_key").is_some_and(|key| !key.is_null());
    let new_secret = part.get("webhook_secret").cloned();
    let mut whole: Value = serde_json::from_str(&connector.row.config).unwrap_or_default();
    merge(&mut whole, Value::Object(part));
    let Value::Object(mut whole) = whole else {
        return Err(ApiError::internal());
    };
    if !has_key {
        // The parser wants one; the sealed one stays.
        whole.insert("api_key".to_owned(), "kept".into());
    }
    let Parted { config, stored } = read(whole)?;
    if !has_key && !connector.has_key() && config.sync_direction.sends() {
        return Err(ask::no_key(name));
    }
    let api_key = if has_key {
        app.vault.seal(&config.api_key)?
    } else {
        connector.row.api_key.clone()
    };
    let secrets = match new_secret {
        None => None,
        Some(_) => Some(sealed_secrets(app, &config)?),
    };
    let parted = Parted { config, stored };
    let mut draft = probe::unsaved(name, &parted, api_key.clone(), app.clock.now());
    if !has_key {
        // With the key that is stored, whatever becomes of it meanwhile.
        draft.row.created_at = connector.row.created_at;
    }
    let (tried, may_write) = try_changed(app, &connector, &draft, has_key).await?;
    let Parted { config, stored } = parted;
    let notices = ask_for_mapped(app, &connector, &draft).await?;
    let is_other = has_key || config.base_url != connector.config.base_url;
    let state = match &tried {
        Some(Tried::Taken(..)) => RowState::Active,
        _ if is_other => RowState::Untested,
        _ if may_write && connector.row.state == RowState::Limited => RowState::Active,
        _ => connector.row.state,
    };
    let now = app.clock.now();
    let changed = Changed {
        before: connector.row,
        stored,
        api_key,
        secrets,
        state,
        has_key,
    };
    app.db
        .write(move |tx| put_changed(tx, &changed, now))
        .await?;
    attach(app, name, now).await?;
    app.signals.nudge();
    let mut view = view::load(app, name).await?;
    view.warnings = warnings(name, &config);
    view.warnings.extend(notices);
    if let Some(tried) = tried.filter(|_| has_key) {
        view.checks = said(app, &find(app, name).await?, tried);
    }
    Ok(view)
}

/// A connector whose configuration is another one now.
struct Changed {
    before: ConnectorRow,
    stored: String,
    api_key: String,
    /// The signing secrets, where others were given.
    secrets: Option<Vec<String>>,
    state: RowState,
    has_key: bool,
}

fn put_changed(tx: &mut Tx<'_>, changed: &Changed, now: Timestamp) -> Result<(), ApiError> {
    let row = &changed.before;
    // PagerDuty was asked meanwhile.
    // The tokens of a sign-in may have been renewed meanwhile, by the look at them above for one.
    let stored = rows::find(tx, &row.name)?.filter(|now| {
        now.config == row.config
            && (now.api_key == row.api_key || !changed.has_key)
            && now.webhook_secrets == row.webhook_secrets
    });
    let Some(stored) = stored else {
        let detail = format!(
            "connector `{}` was changed by somebody else meanwhile",
            row.name
        );
        return Err(ApiError::conflict("changed_meanwhile", detail).hint("try again"));
    };
    let api_key = if changed.has_key {
        &changed.api_key
    } else {
        &stored.api_key
    };
    rows::configure(tx, &row.name, &changed.stored, api_key, changed.state)?;
    if changed.has_key {
        connector::note_new_key(tx, &row.name, now)?;
    }
    connector::begin_attaching(tx, &row.name)?;
    if let Some(connector) = connector::load(tx, &row.name)? {
        im_engine::backfill::start_first(tx, &connector, now)?;
    }
    commands::retry_refused(tx, &row.name, now)?;
    if let Some(secrets) = &changed.secrets {
        rows::set_webhook(tx, &row.name, row.subscription.as_deref(), secrets)?;
        hooks::note_new_secret(tx, &row.name, now)?;
    }
    Ok(request_sync(tx, &row.name, "configured", now)?)
}

/// Tries a new key, and an old one that is to be written with for the first time: what became of the
/// first, and whether the other was seen to write.
async fn try_changed(
    app: &App,
    before: &Connector,
    after: &Connector,
    has_key: bool,
) -> Result<(Option<Tried>, bool), ApiError> {
    if has_key {
        let tried = tried_for(app, after, false).await?;
        return Ok((Some(tried), false));
    }
    let (old, new) = (before.mapping.direction, after.mapping.direction);
    if old.sends() || !new.sends() {
        return Ok((None, false));
    }
    let written = probe::must_write(app, after, false).await?;
    Ok((None, !probe::is_silent(&written)))
}

/// Refuses priorities and services that PagerDuty does not have, where the configuration names others than before,
/// and says which custom fields it lacks, also where another key or address is given.
async fn ask_for_mapped(
    app: &App,
    before: &Connector,
    after: &Connector,
) -> Result<Vec<String>, ApiError> {
    let (old, new) = (&before.config.custom, &after.config.custom);
    if new.synced_services != old.synced_services {
        let chosen = old.synced_services.as_deref().unwrap_or_default();
        synced::check(app, after, chosen).await?;
    }
    if new.service_rules != old.service_rules {
        mappings::check_rules(app, after).await?;
    }
    if new.priority_mapping != old.priority_mapping {
        priorities::check(app, after).await?;
    }
    let is_same_account =
        before.row.api_key == after.row.api_key && before.config.base_url == after.config.base_url;
    if new.custom_field_mappings == old.custom_field_mappings && is_same_account {
        return Ok(Vec::new());
    }
    Ok(words(custom_fields::learn(app, after).await?))
}

/// What PagerDuty does not have of what is mapped.
async fn not_there(app: &App, connector: &Connector) -> Result<Vec<String>, ApiError> {
    let mut lines = priorities::checks(app, connector).await?;
    lines.extend(custom_fields::learn(app, connector).await?);
    let mut told = words(lines);
    let services = synced::check(app, connector, &[]).await;
    let rules = mappings::check_rules(app, connector).await;
    let refusals = services.err().into_iter().chain(rules.err());
    told.extend(refusals.map(|refusal| refusal.detail().to_owned()));
    Ok(told)
}

/// What is not as it should be, in one line each.
fn words(lines: Vec<Check>) -> Vec<String> {
    let notable = lines.into_iter().filter(|line| line.state != "ok");
    let words = notable.map(|line| {
        let parts = [Some(line.text), line.cause, line.next];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    });
    words.collect()
}

/// RFC 7396: objects are merged, `null` removes, everything else replaces.
fn merge(into: &mut Value, part: Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => {
            for (name, value) in part {
                if value.is_null() {
                    into.remove(&name);
                } else {
                    merge(into.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (into, part) => {
            *into = match part {
                Value::Object(_) => {
                    let mut fresh = Value::Object(Map::new());
                    merge(&mut fresh, part);
                    fresh
                }
                other => other,
            }
        }
    }
}

/// What the configuration decides (severities, names, what is owed) follows it, a batch at a
/// time. Nobody waits for more than the first few batches: the run loop goes on with the rest. `true` if
/// there is a rest.
pub(super) async fn attach(app: &App, name: &str, now: Timestamp) -> Result<bool, ApiError> {
    for _ in 0..ATTACH_BATCHES {
        let name = name.to_owned();
        let is_more = app
            .db
            .write(move |tx| match connector::load(tx, &name)? {
                Some(connector) => {
                    Ok::<_, ApiError>(connector::attach(tx, &connector, ATTACH_MAX, now)?)
                }
                None => Ok(false),
            })
            .await?;
        if !is_more {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_merged_and_null_removes() {
        let mut whole = json!({"a": 1, "custom": {"x": 1, "y": 2}});
        merge(
            &mut whole,
            json!({"b": {"c": null, "d": 1}, "custom": {"x": null, "z": 3}}),
        );
        assert_eq!(
            whole,
            json!({"a": 1, "b": {"d": 1}, "custom": {"y": 2, "z": 3}})
        );
    }
}
