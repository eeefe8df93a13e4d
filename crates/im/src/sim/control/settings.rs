//! How the account behaves: options, keys, subscriptions, OAuth apps.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use pd_sim::{KeyKind, OAuthApp, OAuthKind, Sim};
use serde_json::{Value, json};

use super::asked::Asked;
use super::{Did, acts, done, done_with, reply};
use crate::http::error::ApiError;
use crate::sim::StandIn;

pub(super) async fn options(State(stand_in): State<Arc<StandIn>>) -> Response {
    let shown = stand_in.with(|sim| shown(sim));
    axum::Json(shown).into_response()
}

fn shown(sim: &Sim) -> Value {
    let options = sim.options();
    json!({
        "rate_limits": options.limits.map_or(json!("off"), Value::from),
        "reopen": options.reopen_allowed,
        "reassign_retriggers": options.reassign_retriggers,
        "time_zone": options.time_zone,
        "abilities": options.abilities,
        "analytics_lag": options.analytics_lag_s,
    })
}

pub(super) async fn set_options(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = change(&stand_in, &asked);
    reply(&asked, did)
}

fn change(stand_in: &StandIn, asked: &Asked) -> Did {
    asked.only(&[
        "rate_limits",
        "reopen",
        "reassign_retriggers",
        "abilities",
        "with",
        "without",
        "analytics_lag",
    ])?;
    let limits = match asked.text("rate_limits")?.as_deref() {
        None => None,
        Some("off") => Some(None),
        Some("on") => Some(Some(1.0)),
        Some(_) => Some(asked.number("rate_limits", 0.001..=1_000.0)?),
    };
    let reopen = asked.flag("reopen")?;
    let retriggers = asked.flag("reassign_retriggers")?;
    let abilities = asked.list("abilities")?;
    let lag = asked.length("analytics_lag")?;
    let lag = lag.and_then(|lag| i64::try_from(lag.as_secs()).ok());
    let with = asked.list("with")?.unwrap_or_default();
    let without = asked.list("without")?.unwrap_or_default();
    let shown = stand_in.with(|sim| {
        sim.change_options(|options| {
            options.limits = limits.unwrap_or(options.limits);
            options.reopen_allowed = reopen.unwrap_or(options.reopen_allowed);
            options.reassign_retriggers = retriggers.unwrap_or(options.reassign_retriggers);
            options.analytics_lag_s = lag.unwrap_or(options.analytics_lag_s);
            if let Some(abilities) = abilities {
                options.abilities = abilities;
            }
            let known = &mut options.abilities;
            known.retain(|ability| !without.contains(ability) && !with.contains(ability));
            known.extend(with);
        });
        shown(sim)
    });
    done_with("options changed", shown)
}

fn key_value((key, kind): &(String, KeyKind)) -> Value {
    match kind {
        KeyKind::Account => json!({"key": key, "kind": "account"}),
        KeyKind::ReadOnly => json!({"key": key, "kind": "read_only"}),
        KeyKind::User(user) => json!({"key": key, "kind": "user", "user": user}),
    }
}

pub(super) async fn keys(State(stand_in): State<Arc<StandIn>>) -> Response {
    let keys: Vec<Value> = stand_in.with(|sim| sim.keys().iter().map(key_value).collect());
    axum::Json(json!({"keys": keys})).into_response()
}

pub(super) async fn add_key(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = new_key(&stand_in, &asked);
    reply(&asked, did)
}

fn new_key(stand_in: &StandIn, asked: &Asked) -> Did {
    asked.only(&["kind", "user", "key"])?;
    let kind = asked.word("kind", &[("account", 0), ("read_only", 1), ("user", 2)])?;
    let account = stand_in.with(|sim| sim.account());
    let kind = match (kind, asked.text("user")?) {
        (Some(2), None) => return Err(ApiError::bad_request("a user key needs a `user`")),
        (Some(2) | None, Some(name)) => KeyKind::User(acts::person(&account, "user", &name)?.0),
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request("`user` is for `kind=user`"));
        }
        (Some(1), None) => KeyKind::ReadOnly,
        (Some(_) | None, None) => KeyKind::Account,
    };
    let chosen = asked.text("key")?;
    let made = stand_in.with(|sim| match chosen {
        Some(key) => {
            sim.accept_key(&key, kind.clone());
            (key, kind)
        }
        None => (sim.add_key(kind.clone()), kind),
    });
    done_with("this key is good", key_value(&made))
}

pub(super) async fn revoke_key(
    State(stand_in): State<Arc<StandIn>>,
    Path(key): Path<String>,
) -> Response {
    if stand_in.with(|sim| sim.revoke_key(&key)) {
        axum::Json(json!({"said": "this key is good no more"})).into_response()
    } else {
        ApiError::not_found("nobody has this key")
            .hint("GET /_sim/keys lists the keys")
            .into_response()
    }
}

pub(super) async fn subscription(
    State(stand_in): State<Arc<StandIn>>,
    Path((id, act)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    let did = with_subscription(&stand_in, &id, &act, &asked);
    reply(&asked, did)
}

fn with_subscription(stand_in: &StandIn, id: &str, act: &str, asked: &Asked) -> Did {
    asked.only(if act == "rotate" { &["secret"] } else { &[] })?;
    let secret = asked.text("secret")?;
    let now = stand_in.clock.now();
    let known = stand_in.with(|sim| sim.subscriptions().iter().any(|one| one.id == id));
    if !known {
        return Err(
            ApiError::not_found(format!("there is no webhook subscription {id}"))
                .hint("GET /_sim/subscriptions lists them"),
        );
    }
    stand_in.with(|sim| match act {
        "disable" => {
            sim.disable_subscription(id, now);
            done("disabled for a day, as after three dropped webhooks; its queue is discarded")
        }
        "enable" => {
            sim.enable_subscription(id);
            done("enabled")
        }
        "rotate" => {
            let secret = secret.unwrap_or_else(|| sim.new_secret());
            sim.add_second_secret(id, &secret);
            done_with("two secrets sign from now on", json!({"secret": secret}))
        }
        "finish_rotation" => {
            sim.drop_old_secret(id);
            done("only the newest secret signs from now on")
        }
        other => Err(
            ApiError::not_found(format!("a subscription has no `{other}`"))
                .hint("use disable, enable, rotate or finish_rotation"),
        ),
    })
}

pub(super) async fn add_app(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = new_app(&stand_in, &asked);
    reply(&asked, did)
}

fn new_app(stand_in: &StandIn, asked: &Asked) -> Did {
    asked.only(&[
        "client_id",
        "client_secret",
        "kind",
        "scopes",
        "redirect_uri",
        "account",
    ])?;
    let kinds = [
        ("classic", OAuthKind::Classic),
        ("scoped", OAuthKind::Scoped),
    ];
    let kind = asked.word("kind", &kinds)?.unwrap_or(OAuthKind::Scoped);
    let account = asked.text("account")?;
    let scopes = asked.list("scopes")?.unwrap_or_default();
    let app = OAuthApp {
        kind,
        client_id: asked.need("client_id")?,
        client_secret: asked.text("client_secret")?,
        scopes: scopes
            .iter()
            .flat_map(|scopes| scopes.split_whitespace())
            .map(str::to_owned)
            .collect(),
        redirect_uri: asked.need("redirect_uri")?,
        account: account.unwrap_or_else(|| crate::sim::account::ACCOUNT.to_owned()),
    };
    let said = format!("the app {} may ask for tokens", app.client_id);
    stand_in.with(|sim| sim.register_app(app));
    done(said)
}

pub(super) async fn revoke_tokens(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = asked.only(&[]).and_then(|()| {
        stand_in.with(pd_sim::Sim::revoke_tokens);
        done("all OAuth tokens are revoked")
    });
    reply(&asked, did)
}

pub(super) async fn save(State(stand_in): State<Arc<StandIn>>, asked: Asked) -> Response {
    let did = asked.only(&[]).and_then(|()| {
        let saved = stand_in.save().map_err(|error| {
            ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "not_saved",
                format!("{error:#}"),
            )
        })?;
        let dir = saved.ok_or_else(|| {
            ApiError::conflict("no_directory", "nobody said where to save the account")
                .hint("start the stand-in with `--save DIR`")
        })?;
        done(format!("the account is saved in {}", dir.display()))
    });
    reply(&asked, did)
}
