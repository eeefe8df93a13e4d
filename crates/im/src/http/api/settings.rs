//! The settings of this installation.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use im_core::StatusModel;
use im_engine::commands::{self, STATUS_MODEL};
use im_store::{StoreError, Tx, settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::openapi::WrongValue;

/// The setting that holds the address under which PagerDuty reaches us.
pub const PUBLIC_URL: &str = "public_url";

/// The settings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Settings {
    /// `documented` (acknowledging mitigates) or `lifecycle` (two states).
    status_model: &'static str,
    /// The address under which PagerDuty reaches this server.
    public_url: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Changes {
    /// `documented` or `lifecycle`.
    status_model: Option<String>,
    /// An address that begins with https://; empty for none.
    public_url: Option<String>,
}

/// Show the settings
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "server", operation_id = "show_settings",
    responses((status = 200, body = Settings, description = "The settings")),
)]
pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Json<Settings>, ApiError> {
    let found = app.db.read(|tx| Ok::<_, ApiError>(read(tx)?)).await?;
    Ok(Json(found))
}

/// Change settings
#[utoipa::path(
    patch, path = "/api/v1/settings", tag = "server", operation_id = "change_settings", request_body = Changes,
    responses((status = 200, body = Settings, description = "The settings now"), WrongValue),
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Body(changes): Body<Changes>,
) -> Result<Json<Settings>, ApiError> {
    let model = changes.status_model.as_deref().map(model).transpose()?;
    let url = changes.public_url.as_deref().map(public_url).transpose()?;
    let now = app
        .db
        .write(move |tx| {
            if let Some(model) = model {
                settings::put(tx, STATUS_MODEL, model.as_str())?;
            }
            if let Some(url) = &url {
                settings::put(tx, PUBLIC_URL, url)?;
            }
            Ok::<_, ApiError>(read(tx)?)
        })
        .await?;
    Ok(Json(now))
}

fn read(tx: &mut Tx<'_>) -> Result<Settings, StoreError> {
    Ok(Settings {
        status_model: commands::status_model(tx)?.as_str(),
        public_url: stored_public_url(tx)?,
    })
}

/// The address under which PagerDuty reaches us, without a slash at its end.
pub fn stored_public_url(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    Ok(settings::get(tx, PUBLIC_URL)?.filter(|url| !url.is_empty()))
}

fn model(word: &str) -> Result<StatusModel, ApiError> {
    StatusModel::parse(word).ok_or_else(|| {
        ApiError::wrong_value(
            "status_model",
            format!("`status_model` cannot be `{word}`: use documented or lifecycle"),
        )
    })
}

/// Checks an address and takes the slash from its end.
pub fn public_url(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let wrong = |why: &str| {
        ApiError::wrong_value(
            "public_url",
            format!("`public_url` cannot be `{text}`: {why}"),
        )
        .hint("write it like https://im.example.com")
    };
    let url = reqwest::Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it must begin with https://"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("it must have no user, query or fragment"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
