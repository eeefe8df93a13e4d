//! Which of PagerDuty's services are synced.
//!
//! Incidents that are here and on a service that is not chosen (any more) are kept, in no list and in no
//! figure; they can be erased. Without a choice all are synced. The choice is a part of the configuration, as ids; here it is read with
//! PagerDuty's names, searched and changed, after PagerDuty has been asked which services it has.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::connector::{self, Connector};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::mappings::{name_of, no_such, one_of, set};
use super::remove::ERASED_AT_ONCE;
use super::{config, find, lists};
use crate::http::App;
use crate::http::api::types::Named;
use crate::http::error::ApiError;
use crate::http::input::{Body, Params};
use crate::http::openapi::{Conflict, NoAnswer, WrongValue};

/// A service of PagerDuty's, and whether it is synced.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct SyncedService {
    /// PagerDuty's id.
    id: String,
    /// Its name; null if PagerDuty has no such service that the key can see.
    name: Option<String>,
    /// Whether its incidents travel.
    synced: bool,
}

/// What to change in the choice of services.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    /// Services to be synced, by id or name. The first ones end the sync of all others.
    #[serde(default)]
    sync: Vec<String>,
    /// Services not to be synced any more, by id or name.
    #[serde(default)]
    stop: Vec<String>,
    /// Sync all services, those that come later too.
    #[serde(default)]
    all: bool,
}

/// List which of PagerDuty's services are synced
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/synced-services", tag = "connectors", operation_id = "list_synced_services",
    params(
        ("name" = String, Path, description = "Which connector"),
        ("q" = Option<String>, Query, description = "A part of the name or the id, in any case"),
    ),
    responses((status = 200, body = [SyncedService], description = "Every service, by name"), NoAnswer),
)]
pub(super) async fn synced(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Vec<SyncedService>>, ApiError> {
    let params = params.only(&["q"])?;
    let wanted = params.one("q").unwrap_or_default().to_lowercase();
    let connector = find(&app, &name).await?;
    let all = lists::all_services(&app, &connector).await?;
    let mut table = table(&connector, &all);
    table.retain(|row| {
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        has(&row.id) || row.name.as_deref().is_some_and(has)
    });
    Ok(Json(table))
}

/// Choose which of PagerDuty's services are synced
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/synced-services", tag = "connectors", operation_id = "choose_synced_services",
    request_body = Choice,
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = [SyncedService], description = "Every service now"), WrongValue, NoAnswer),
)]
pub(super) async fn choose(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(choice): Body<Choice>,
) -> Result<Json<Vec<SyncedService>>, ApiError> {
    let connector = find(&app, &name).await?;
    let all = lists::all_services(&app, &connector).await?;
    let ids = chosen(&connector, &all, &choice)?;
    let part = json!({"custom": {"synced_services": ids}});
    let connector = set(&app, &name, part).await?;
    Ok(Json(table(&connector, &all)))
}

/// The ids that are synced then; `None`: all.
fn chosen(
    connector: &Connector,
    all: &[Named],
    choice: &Choice,
) -> Result<Option<Vec<String>>, ApiError> {
    if choice.all {
        return Ok(None);
    }
    if choice.sync.is_empty() && choice.stop.is_empty() {
        let detail = "neither services to sync nor services to stop are named";
        return Err(ApiError::wrong_value("sync", detail));
    }
    let sync = choice.sync.iter();
    let sync = sync.map(|asked| one_of(all, asked, "sync", "service"));
    let sync: Vec<String> = sync.collect::<Result<_, _>>()?;
    // One that PagerDuty has no more is left out by its id.
    let before = connector.config.custom.synced_services.iter().flatten();
    let before: Vec<&String> = before.collect();
    let stop = choice.stop.iter().map(|asked| {
        if before.contains(&asked) {
            Ok(asked.clone())
        } else {
            one_of(all, asked, "stop", "service")
        }
    });
    let stop: Vec<String> = stop.collect::<Result<_, _>>()?;
    let mut ids = match &connector.config.custom.synced_services {
        Some(ids) => ids.clone(),
        None if sync.is_empty() => all.iter().map(|one| one.id.clone()).collect(),
        None => Vec::new(),
    };
    ids.extend(sync);
    ids.retain(|id| !stop.contains(id));
    Ok(Some(ids))
}

/// Batches of one request: nobody waits for all of a large account.
const BATCHES: u32 = 20;

/// What was erased.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Erased {
    /// So many incidents.
    erased: usize,
    /// Whether there are more: ask again.
    more: bool,
}

/// Erase the incidents that are here and on services that are not synced, with all their history
#[utoipa::path(
    delete, path = "/api/v1/connectors/{name}/hidden-incidents", tag = "connectors", operation_id = "erase_hidden_incidents",
    params(("name" = String, Path, description = "Which connector")),
    responses((status = 200, body = Erased, description = "How many were erased here; PagerDuty keeps its own"), Conflict),
)]
pub(super) async fn purge(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Erased>, ApiError> {
    find(&app, &name).await?;
    config::attach(&app, &name, app.clock.now()).await?;
    app.figures.forget_image().await;
    let (mut erased, mut more) = (0, true);
    for _ in 0..BATCHES {
        let (of, now) = (name.clone(), app.clock.now());
        let gone = app
            .db
            .write(move |tx| connector::erase_hidden(tx, &of, ERASED_AT_ONCE, now))
            .await?;
        let Some(gone) = gone else {
            let detail =
                format!("incidents of connector `{name}` do not all follow its choice yet");
            return Err(ApiError::conflict("still_following", detail).hint("try again in a moment"));
        };
        erased += gone.incidents;
        more = gone.rows > 0;
        if !more {
            break;
        }
    }
    tracing::info!(
        connector = name,
        "erased {erased} incidents of services that are not synced"
    );
    Ok(Json(Erased { erased, more }))
}

/// Refuses services that PagerDuty does not have, but for those chosen `before`. Without a choice
/// nothing is asked.
pub(super) async fn check(
    app: &App,
    connector: &Connector,
    before: &[String],
) -> Result<(), ApiError> {
    let Some(ids) = &connector.config.custom.synced_services else {
        return Ok(());
    };
    let all = lists::all_services(app, connector).await?;
    let is_lost = |id: &&String| name_of(&all, id).is_none() && !before.contains(id);
    match ids.iter().find(is_lost) {
        Some(id) => Err(no_such(&all, id, "synced_services", "service")),
        None => Ok(()),
    }
}

fn table(connector: &Connector, all: &[Named]) -> Vec<SyncedService> {
    let known = all.iter().map(|one| SyncedService {
        id: one.id.clone(),
        name: Some(one.name.clone()),
        synced: connector.mapping.is_synced(&one.id),
    });
    let chosen = connector.config.custom.synced_services.iter().flatten();
    let lost = chosen.filter(|id| name_of(all, id).is_none());
    let lost = lost.map(|id| SyncedService {
        id: id.clone(),
        name: None,
        synced: true,
    });
    known.chain(lost).collect()
}
