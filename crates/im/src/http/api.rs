//! The API under `/api/v1` (`docs/api.md`): objects, and a module for each kind of thing.

pub(crate) mod accounts;
mod audit;
pub(crate) mod calls;
pub mod connectors;
mod data;
pub(crate) mod default_filter;
mod deployments;
mod directory;
pub mod doctor;
pub(crate) mod facts;
pub(crate) mod findings;
pub mod incidents;
mod logs;
pub mod metrics;
pub(crate) mod organisation;
pub mod outcome;
mod overview;
pub mod settings;
pub mod tokens;
pub mod types;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{App, openapi};

/// Every route of the API, with its description.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::head())
        .merge(incidents::routes())
        .merge(connectors::routes())
        .merge(metrics::routes())
        .merge(organisation::routes())
        .merge(data::routes())
        .merge(facts::routes())
        .merge(findings::routes())
        .routes(routes!(overview::show))
        .routes(routes!(deployments::list, deployments::record))
        .routes(routes!(directory::list))
        .routes(routes!(directory::history))
        .routes(routes!(settings::show, settings::change))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .merge(accounts::routes())
        .routes(routes!(audit::show))
        .routes(routes!(calls::list))
        .routes(routes!(doctor::doctor))
        .routes(routes!(logs::show))
}
