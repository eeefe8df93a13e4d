//! Connectors: the ways to PagerDuty.

pub(crate) mod ask;
pub(crate) mod backfill;
pub(crate) mod config;
pub(crate) mod conflicts;
mod custom_fields;
pub(crate) mod deliveries;
mod doctor;
pub(in crate::http) mod events;
mod figures;
mod health;
pub(in crate::http) mod key;
pub(crate) mod lists;
pub(crate) mod mappings;
pub(crate) mod oncall;
pub(crate) mod outbox;
pub(crate) mod priorities;
mod probe;
pub(crate) mod remove;
pub(crate) mod set_up;
pub(crate) mod sync;
mod synced;
mod test;
mod test_event;
mod timeline;
pub(crate) mod twin;
mod view;
pub(crate) mod webhook;

use std::sync::Arc;

use im_engine::connector::{self, Connector};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::App;
use crate::http::error::ApiError;

pub(crate) use deliveries::{DeliveryView, newest as deliveries_of};
pub(crate) use health::watched;
pub use view::ConnectorView;
pub(crate) use view::{WebhookView, view};

/// The routes of this module.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(view::list, config::add))
        .routes(routes!(view::show, config::change, remove::remove))
        .routes(routes!(config::show))
        .routes(routes!(set_up::probe))
        .routes(routes!(set_up::users))
        .routes(routes!(test::test))
        .routes(routes!(test_event::test_event))
        .routes(routes!(sync::sync))
        .routes(routes!(backfill::show, backfill::start, backfill::stop))
        .routes(routes!(webhook::webhook))
        .routes(routes!(outbox::list))
        .routes(routes!(outbox::retry))
        .routes(routes!(outbox::discard))
        .routes(routes!(lists::services))
        .routes(routes!(lists::users))
        .routes(routes!(lists::policies))
        .routes(routes!(mappings::services, mappings::map_service))
        .routes(routes!(mappings::escalations, mappings::map_escalation))
        .routes(routes!(priorities::priorities, priorities::map_priority))
        .routes(routes!(synced::synced, synced::choose))
        .routes(routes!(synced::purge))
        .routes(routes!(conflicts::ownership))
        .routes(routes!(conflicts::list))
        .routes(routes!(conflicts::show))
        .routes(routes!(conflicts::resolve))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::replay))
        .routes(routes!(doctor::doctor))
        .routes(routes!(health::show))
        .routes(routes!(key::forget))
        .routes(routes!(timeline::show))
        .routes(routes!(figures::show))
        .routes(routes!(oncall::show))
}

/// A connector by its name.
pub(crate) async fn find(app: &App, name: &str) -> Result<Connector, ApiError> {
    let given = name.to_owned();
    app.db
        .read(move |tx| Ok::<_, ApiError>(connector::load(tx, &given)?))
        .await?
        .ok_or_else(|| ApiError::no_connector(name))
}
