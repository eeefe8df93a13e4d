//! A connector as the engine uses it: its row, and its settings read.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use im_core::{IncidentNumber, Mapping, Source};
use im_pagerduty::FieldKind;
use im_pagerduty::config::{self, ConfigError, ConnectorConfig};
use im_store::connectors::{self, ConnectorRow};
use im_store::erase::Erased;
use im_store::{
    Cause, StoreError, Tx, backfill, conflicts, connector_events, erase, facts, incidents, settings,
};
use jiff::Timestamp;

use crate::{directory, fields, named, reconcile, record, skew, subscription};

/// Settings that are kept as they were read: more than there are connectors.
const KEPT_MAX: usize = 256;

/// A connector, ready for use.
#[derive(Debug, Clone)]
pub struct Connector {
    /// What the store knows of it.
    pub row: ConnectorRow,
    /// What people configured.
    pub config: Arc<ConnectorConfig>,
    /// The tables of its configuration.
    pub mapping: Mapping,
    /// The custom fields that PagerDuty has, where fields are mapped.
    pub fields: Vec<FieldKind>,
}

impl Connector {
    /// Reads the settings of a stored connector.
    fn read(tx: &mut Tx<'_>, row: ConnectorRow) -> Result<Self, StoreError> {
        let config = settings(&row.config).map_err(|error| corrupt(&row.name, &error))?;
        let mut mapping = config.mapping();
        let fields = fields::learn(tx, &row.name, &config, &mut mapping)?;
        Ok(Self {
            row,
            config,
            mapping,
            fields,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// Whether PagerDuty can be called: the key was not given up.
    pub fn has_key(&self) -> bool {
        !self.row.api_key.is_empty()
    }

    /// Whether webhooks are expected to tell us what happens.
    pub fn hears(&self) -> bool {
        self.config.enable_webhook && self.row.subscription.is_some()
    }
}

/// One connector.
pub fn load(tx: &mut Tx<'_>, name: &str) -> Result<Option<Connector>, StoreError> {
    match connectors::find(tx, name)? {
        Some(row) => Connector::read(tx, row).map(Some),
        None => Ok(None),
    }
}

/// Every connector, oldest first.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Connector>, StoreError> {
    let rows = connectors::all(tx)?.into_iter();
    rows.map(|row| Connector::read(tx, row)).collect()
}

/// Forgets a connector and what it still had to do; its incidents stay, and say what they said.
/// `false` if there is none.
pub fn forget(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let Some(row) = connectors::find(tx, name)? else {
        return Ok(false);
    };
    settings::put(tx, &last_config(name), &row.config)?;
    directory::forget(tx, name)?;
    backfill::forget(tx, name)?;
    settings::put(tx, &attached_to(name), "")?;
    skew::forget(tx, name)?;
    subscription::forget(tx, name)?;
    connector_events::forget(tx, name)?;
    conflicts::ignore_all(tx, name, "its connector was removed", now)?;
    connectors::delete(tx, name)
}

/// Erases at most `limit` incidents of a connector that was removed, and at last what else is kept of
/// it; says how many incidents went. With none left nothing remains but that its name was removed.
pub fn erase(
    tx: &mut Tx<'_>,
    name: &str,
    limit: u32,
    now: Timestamp,
) -> Result<Erased, StoreError> {
    let erased = erase::some_incidents(tx, name, limit, now)?;
    if erased.rows == 0 {
        erase::the_rest(tx, name)?;
        // No incident is read by its tables any more.
        settings::put(tx, &last_config(name), "")?;
    }
    Ok(erased)
}

/// Erases at most `limit` rows of incidents of a connector that are on services which are not chosen to
/// be synced; `None` while not all of them follow the choice ([`attach`]).
pub fn erase_hidden(
    tx: &mut Tx<'_>,
    name: &str,
    limit: u32,
    now: Timestamp,
) -> Result<Option<Erased>, StoreError> {
    if is_attaching(tx, name)? {
        return Ok(None);
    }
    erase::some_hidden(tx, name, limit, now).map(Some)
}

/// The setting that holds since when a connector has its key.
fn key_at(name: &str) -> String {
    format!("api_key_at:{name}")
}

/// Notes that a connector has another API key from now on.
pub fn note_new_key(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<(), StoreError> {
    settings::put(tx, &key_at(name), &now.to_string())
}

/// Since when a connector has its API key.
pub fn key_since(tx: &mut Tx<'_>, row: &ConnectorRow) -> Result<Timestamp, StoreError> {
    let noted = settings::get(tx, &key_at(&row.name))?;
    let noted = noted.and_then(|text| text.parse().ok());
    Ok(noted.unwrap_or(row.created_at).max(row.created_at))
}

/// Whether there was a connector of this name.
pub fn was_removed(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(settings::get(tx, &last_config(name))?.is_some())
}

/// The setting that holds the configuration that a removed connector had.
fn last_config(name: &str) -> String {
    format!("last_config:{name}")
}

/// The tables by which the incidents of a connector are read: what it has, or had when it was
/// removed.
pub(crate) fn mapping(tx: &mut Tx<'_>, name: &str) -> Result<Option<Mapping>, StoreError> {
    if let Some(connector) = load(tx, name)? {
        return Ok(Some(connector.mapping));
    }
    let Some(stored) = settings::get(tx, &last_config(name))? else {
        return Ok(None);
    };
    let config = settings(&stored).map_err(|error| corrupt(name, &error))?;
    let mut mapping = config.mapping();
    fields::learn(tx, name, &config, &mut mapping)?;
    Ok(Some(mapping))
}

/// The same of all connectors that there are, and of those that were removed and left incidents.
pub fn mappings(tx: &mut Tx<'_>) -> Result<BTreeMap<String, Mapping>, StoreError> {
    let mut mappings = BTreeMap::new();
    for (name, config) in settings::beginning(tx, &last_config(""))? {
        if !config.is_empty()
            && let Some(mapping) = mapping(tx, &name)?
        {
            mappings.insert(name, mapping);
        }
    }
    let there = all(tx)?.into_iter();
    mappings.extend(there.map(|connector| (connector.row.name, connector.mapping)));
    Ok(mappings)
}

/// The setting that holds the last incident which follows its connector's configuration, while
/// others do not yet.
fn attached_to(name: &str) -> String {
    format!("attached_to:{name}")
}

/// A connector has another configuration now, which its incidents have to follow: [`attach`] and
/// [`plan`](crate::plan) see to it, some at a time.
pub fn begin_attaching(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    settings::put(tx, &attached_to(name), "0")
}

/// Lets the next incidents of a connector follow its configuration; `false` once all do. That is
/// what they say in the names of its tables, also where they are over, what is owed now, and what
/// has to be read because it may come here now.
pub fn attach(
    tx: &mut Tx<'_>,
    connector: &Connector,
    limit: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let key = attached_to(connector.name());
    let Some(after) = settings::get(tx, &key)?.and_then(|text| text.parse().ok()) else {
        return Ok(false);
    };
    if limit == 0 {
        return Ok(true);
    }
    let numbers = incidents::linked_after(tx, connector.name(), after, limit)?;
    for number in &numbers {
        record::refold(tx, *number, Some(connector), now)?;
        if connector.mapping.direction.receives() {
            hear(tx, connector, *number, now)?;
        }
    }
    let last = numbers.last().map(|number| number.get().to_string());
    settings::put(tx, &key, last.as_deref().unwrap_or_default())?;
    Ok(last.is_some())
}

/// Whether incidents of a connector do not follow its configuration yet.
pub fn is_attaching(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(settings::get(tx, &attached_to(name))?.is_some_and(|after| !after.is_empty()))
}

/// Asks for the twin of an incident that was only looked at before.
fn hear(
    tx: &mut Tx<'_>,
    connector: &Connector,
    incident: IncidentNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = facts::of_incident(tx, incident)?;
    if known.iter().any(|fact| fact.source == Source::Look) {
        reconcile::request_reread(tx, connector.name(), incident, now)?;
    }
    Ok(())
}

/// The connector by which a new incident of `service` leaves: the only one that sends, or the only one
/// of several whose table has the service, or which has it at PagerDuty where no table has it; else the names of
/// those it could be.
pub(crate) fn for_service(
    tx: &mut Tx<'_>,
    service: Option<&str>,
) -> Result<Result<Option<Connector>, Vec<String>>, StoreError> {
    let mut sending: Vec<Connector> = all(tx)?;
    // A paused connector still takes incidents: they leave when it is resumed.
    sending.retain(|connector| connector.mapping.direction != im_core::Direction::Inbound);
    if sending.len() > 1 {
        let names = sending.iter().map(|one| one.name().to_owned()).collect();
        let service = service.unwrap_or_default();
        let by_table = |one: &Connector| one.mapping.names_service(service);
        let is_ours = sending.iter().any(by_table);
        let mut having = Vec::new();
        for one in sending {
            if by_table(&one) || (!is_ours && named::is_known(tx, &one, service)?) {
                having.push(one);
            }
        }
        sending = having;
        if sending.len() != 1 {
            return Ok(Err(names));
        }
    }
    Ok(Ok(sending.pop()))
}

fn corrupt(name: &str, error: &ConfigError) -> StoreError {
    StoreError::Corrupt {
        place: format!("the configuration of connector {name}"),
        source: Cause::new(error.to_string()),
    }
}

/// Reads stored settings, which hold no key. Each transaction needs them and they seldom change: what was read is kept
/// by its text.
fn settings(stored: &str) -> Result<Arc<ConnectorConfig>, ConfigError> {
    static READ: RwLock<BTreeMap<String, Arc<ConnectorConfig>>> = RwLock::new(BTreeMap::new());
    let kept = READ.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(config) = kept.get(stored) {
        return Ok(Arc::clone(config));
    }
    drop(kept);
    let config = Arc::new(config::parse_without_key(stored, "sealed")?);
    let mut kept = READ.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= KEPT_MAX {
        kept.clear();
    }
    kept.insert(stored.to_owned(), Arc::clone(&config));
    Ok(config)
}

/// A configuration as people write it, parted into what is stored in clear and its secrets.
#[derive(Debug, Clone)]
pub struct Parted {
    /// The configuration.
    pub config: ConnectorConfig,
    /// The same as JSON, without secrets.
    pub stored: String,
}

/// Reads a configuration as people write it.
pub fn part(json_text: &str) -> Result<Parted, ConfigError> {
    let config = config::parse(json_text)?;
    let mut document: serde_json::Value = serde_json::from_str(json_text).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("api_key");
        fields.remove("webhook_secret");
    }
    Ok(Parted {
        config,
        stored: document.to_string(),
    })
}
