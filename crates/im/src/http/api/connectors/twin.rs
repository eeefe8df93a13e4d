//! Whether the account of a key is connected already: what two connections of one account bring is here twice.
//!
//! One account is told by what it has: a key, a service or a user that another connection at the same address of
//! PagerDuty's API knows, too. Two connections of services that they do not share bring nothing twice.

use std::collections::BTreeSet;

use im_engine::connector::{self, Connector};
use im_store::StoreError;
use im_store::directory::{self, Kind};

use super::lists;
use super::probe::Owner;
use super::set_up::KeyView;
use crate::http::App;
use crate::http::error::ApiError;

/// What a key tells of its account.
struct Account<'a> {
    base_url: &'a str,
    api_key: &'a str,
    /// Services and the key's user, by their ids.
    ids: BTreeSet<String>,
}

/// Refuses a key that PagerDuty takes, for a connector that is to have it, if another has its account.
pub(super) async fn refuse(app: &App, draft: &Connector, owner: &Owner) -> Result<(), ApiError> {
    let all = connectors(app).await?;
    let is_there = |other: &Connector| other.config.base_url == draft.config.base_url;
    if !all
        .iter()
        .any(|other| is_there(other) && other.name() != draft.name())
    {
        return Ok(());
    }
    let api_key = app.vault.open(&draft.row.api_key)?;
    // Whoever may not list them is told by the user.
    let services = lists::all_services(app, draft).await.unwrap_or_default();
    let mut ids: BTreeSet<String> = services.into_iter().map(|one| one.id).collect();
    if let Owner::User(user) = owner {
        ids.insert(user.id.clone());
    }
    let account = Account {
        base_url: &draft.config.base_url,
        api_key: api_key.expose(),
        ids,
    };
    let others = account.connections(app, all).await?;
    // One that is there and stays with its account changes nothing by another key.
    if others.iter().any(|other| other.name() == draft.name()) {
        return Ok(());
    }
    let chosen = draft.config.custom.synced_services.as_deref();
    let twin = others.iter().find(|other| {
        let theirs = other.config.custom.synced_services.as_deref();
        share(chosen, theirs)
    });
    twin.map_or(Ok(()), |twin| Err(taken(twin.name())))
}

/// Refuses a key of whose account another connection has every service, before anybody chooses which are to be synced.
pub(crate) async fn refuse_whole(
    app: &App,
    (base_url, api_key): (&str, &str),
    key: &KeyView,
) -> Result<(), ApiError> {
    let services = key.services.iter().map(|one| one.id.clone());
    let owner = key.owner.iter().map(|user| user.id.clone());
    let account = Account {
        base_url: base_url.trim_end_matches('/'),
        api_key: api_key.trim(),
        ids: services.chain(owner).collect(),
    };
    let all = connectors(app).await?;
    let others = account.connections(app, all).await?;
    let twin = others
        .iter()
        .find(|other| other.config.custom.synced_services.is_none());
    twin.map_or(Ok(()), |twin| Err(taken(twin.name())))
}

impl Account<'_> {
    /// The connections that it has.
    async fn connections(
        &self,
        app: &App,
        all: Vec<Connector>,
    ) -> Result<Vec<Connector>, ApiError> {
        let here: Vec<Connector> = all
            .into_iter()
            .filter(|other| other.config.base_url == self.base_url)
            .collect();
        if here.is_empty() {
            return Ok(here);
        }
        let known = app.db.read(|tx| {
            let mut rows = directory::of_kind(tx, Kind::Service)?;
            rows.extend(directory::of_kind(tx, Kind::User)?);
            Ok::<_, StoreError>(rows)
        });
        let known = known.await?;
        let names: BTreeSet<&str> = known
            .iter()
            .filter(|row| self.ids.contains(&row.id))
            .map(|row| row.connector.as_str())
            .collect();
        let is_of_it = |other: &Connector| {
            let key = app.vault.open(&other.row.api_key);
            names.contains(other.name())
                || self.ids.contains(&other.config.custom.service_id)
                || key.is_ok_and(|key| key.expose() == self.api_key)
        };
        Ok(here.into_iter().filter(is_of_it).collect())
    }
}

async fn connectors(app: &App) -> Result<Vec<Connector>, ApiError> {
    app.db
        .read(|tx| Ok::<_, ApiError>(connector::all(tx)?))
        .await
}

/// Whether two choices of services have one in common; `None` is all of them.
fn share(ours: Option<&[String]>, theirs: Option<&[String]>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => ours.iter().any(|one| theirs.contains(one)),
        (None, _) | (_, None) => true,
    }
}

fn taken(name: &str) -> ApiError {
    let detail = format!(
        "this PagerDuty account is connected already, as `{name}`: its incidents would be here twice; nothing was stored"
    );
    ApiError::conflict("account_connected", detail).hint(format!(
        "`im connector update {name}` gives `{name}` another key; a second connection is taken where each syncs services of its own (`custom.synced_services`)"
    ))
}
