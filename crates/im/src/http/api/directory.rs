//! PagerDuty's people and things as they are known here, with their history.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use im_engine::directory::reading;
use im_store::directory::{self, DirectoryRow, Kind};
use im_store::{StoreError, Tx, connectors, people};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::settings::hides_emails;
use super::types::Named;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::input::Params;

/// The words in paths.
const WORDS: [(&str, Kind); 6] = [
    ("services", Kind::Service),
    ("teams", Kind::Team),
    ("users", Kind::User),
    ("escalation-policies", Kind::Policy),
    ("schedules", Kind::Schedule),
    ("priorities", Kind::Priority),
];

/// The things of a kind, and how they were read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Directory {
    /// The things, by name; priorities from the most severe on.
    items: Vec<Listed>,
    /// When each connector read its lists, and what it could not read.
    connectors: Vec<ReadBy>,
}

/// How a connector read its lists.
#[derive(Debug, Serialize, ToSchema)]
struct ReadBy {
    /// Which connector.
    name: String,
    /// When it last read them all.
    read_at: Option<Timestamp>,
    /// What this key or plan does not give.
    notices: Vec<String>,
}

/// A thing as it was in a stretch of time. What its kind does not have is absent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listed {
    /// By which connector it is known.
    connector: String,
    /// PagerDuty's id.
    id: String,
    /// Its name; the id where PagerDuty shows none.
    name: String,
    /// Known to be so from here on.
    since: Timestamp,
    /// Until here: then it changed, or was deleted. Null while it is so.
    until: Option<Timestamp>,
    /// `active`, `warning`, `critical`, `maintenance` or `disabled`, of a service, as last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// The escalation policy of a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation_policy: Option<Named>,
    /// After so many seconds a service takes an acknowledgement back.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledgement_timeout_s: Option<i64>,
    /// After so many seconds a service resolves by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_resolve_timeout_s: Option<i64>,
    /// The teams of a service, a user or an escalation policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    teams: Option<Vec<Named>>,
    /// Who is in a team now.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<Named>>,
    /// The team that a team is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Named>,
    /// The address of a user; left out where `hide_emails` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The role of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// The zone of a user or a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// The place of a priority, 1 for the most severe.
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<u32>,
    /// Where people find it at PagerDuty.
    #[serde(skip_serializing_if = "Option::is_none")]
    html_url: Option<String>,
}

/// List PagerDuty's people and things as they are known here
#[utoipa::path(
    get, path = "/api/v1/directory/{kind}", tag = "metrics", operation_id = "list_directory",
    params(
        ("kind" = String, Path, description = "services, teams, users, escalation-policies, schedules or priorities"),
        ("connector" = Option<String>, Query, description = "Only what this connector knows"),
        ("deleted" = Option<bool>, Query, description = "With what was deleted; without it by default"),
    ),
    responses((status = 200, body = Directory, description = "The things, as they are now")),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(word): Path<String>,
    params: Params,
) -> Result<Json<Directory>, ApiError> {
    let params = params.only(&["connector", "deleted"])?;
    let kind = kind(&word)?;
    let connector = params.one("connector").map(str::to_owned);
    let deleted = params.flag("deleted")?;
    let found = app.db.read(move |tx| {
        let of = connector.as_deref();
        if let Some(name) = of
            && connectors::find(tx, name)?.is_none()
        {
            return Err(ApiError::no_connector(name));
        }
        let is_meant = |row: &DirectoryRow| of.is_none_or(|name| name == row.connector);
        let mut items = current(directory::of_kind(tx, kind)?);
        items.retain(|row| is_meant(row) && (deleted || row.until.is_none()));
        let mut items = shown(tx, items)?;
        items.sort_by(|a, b| (a.rank, &a.name, &a.id).cmp(&(b.rank, &b.name, &b.id)));
        Ok(Directory {
            items,
            connectors: read_by(tx, of)?,
        })
    });
    Ok(Json(found.await?))
}

/// Show what was known of one of PagerDuty's people and things, from the beginning on
#[utoipa::path(
    get, path = "/api/v1/directory/{kind}/{id}", tag = "metrics", operation_id = "show_directory_history",
    params(
        ("kind" = String, Path, description = "services, teams, users, escalation-policies, schedules or priorities"),
        ("id" = String, Path, description = "PagerDuty's id"),
    ),
    responses((status = 200, body = [Listed], description = "What it was, each in its stretch of time")),
)]
pub(super) async fn history(
    State(app): State<Arc<App>>,
    Path((word, id)): Path<(String, String)>,
) -> Result<Json<Vec<Listed>>, ApiError> {
    let kind = kind(&word)?;
    let found = app.db.read(move |tx| {
        let rows = directory::versions(tx, kind, &id)?;
        if rows.is_empty() {
            let detail = format!("no `{id}` is known among {word}");
            return Err(ApiError::not_found(detail)
                .hint(format!("`im directory {word} --deleted` lists all")));
        }
        Ok(shown(tx, rows)?)
    });
    Ok(Json(found.await?))
}

fn kind(word: &str) -> Result<Kind, ApiError> {
    let found = WORDS.iter().find(|(known, _)| *known == word);
    found.map(|(_, kind)| *kind).ok_or_else(|| {
        let words = WORDS.map(|(word, _)| word).join(", ");
        ApiError::not_found(format!("there is no list of `{word}`"))
            .hint(format!("lists are: {words}"))
    })
}

/// The last that is known of each thing.
fn current(rows: Vec<DirectoryRow>) -> Vec<DirectoryRow> {
    let mut last: Vec<DirectoryRow> = Vec::new();
    for row in rows {
        match last.last_mut() {
            Some(known) if (&known.connector, &known.id) == (&row.connector, &row.id) => {
                *known = row;
            }
            _ => last.push(row),
        }
    }
    last
}

fn read_by(tx: &mut Tx<'_>, of: Option<&str>) -> Result<Vec<ReadBy>, StoreError> {
    let mut all = Vec::new();
    for connector in connectors::all(tx)? {
        if of.is_none_or(|name| name == connector.name) {
            let reading = reading(tx, &connector.name)?;
            all.push(ReadBy {
                name: connector.name,
                read_at: reading.read_at,
                notices: reading.notices,
            });
        }
    }
    Ok(all)
}

/// The names of ids, by kind, as they are now.
struct Names(BTreeMap<(Kind, String), String>);

impl Names {
    fn of(rows: &[DirectoryRow]) -> Self {
        let named = rows.iter().filter_map(|row| {
            let name = row.name.clone()?;
            Some(((row.kind, row.id.clone()), name))
        });
        Self(named.collect())
    }

    fn named(&self, kind: Kind, id: &str) -> Named {
        let name = self.0.get(&(kind, id.to_owned()));
        Named {
            id: id.to_owned(),
            name: name.map_or(id, String::as_str).to_owned(),
        }
    }

    fn all(&self, kind: Kind, ids: &[String]) -> Vec<Named> {
        let mut all: Vec<Named> = ids.iter().map(|id| self.named(kind, id)).collect();
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        all
    }
}

/// Rows as they are shown, ids with their names.
fn shown(tx: &mut Tx<'_>, rows: Vec<DirectoryRow>) -> Result<Vec<Listed>, StoreError> {
    let mut known = current(directory::of_kind(tx, Kind::Team)?);
    known.extend(current(directory::of_kind(tx, Kind::Policy)?));
    let users = current(directory::of_kind(tx, Kind::User)?);
    let mut members: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for user in users.iter().filter(|user| user.until.is_none()) {
        for team in &user.about.teams {
            let of_team = members
                .entry((user.connector.clone(), team.clone()))
                .or_default();
            of_team.push(user.id.clone());
        }
    }
    known.extend(users.iter().cloned());
    let names = Names::of(&known);
    let hides = hides_emails(tx)?;
    let mut all = Vec::new();
    for row in rows {
        let email = match row.kind {
            Kind::User if hides => None,
            Kind::User => people::by_id(tx, &row.connector, &row.id)?.map(|user| user.email),
            _ => None,
        };
        let key = (row.connector.clone(), row.id.clone());
        let of_team = members.get(&key).map_or(&[][..], Vec::as_slice);
        all.push(listed(row, email, of_team, &names));
    }
    Ok(all)
}

fn listed(row: DirectoryRow, email: Option<String>, members: &[String], names: &Names) -> Listed {
    let (kind, about) = (row.kind, row.about);
    let has_teams = matches!(kind, Kind::Service | Kind::User | Kind::Policy);
    let policy = about.policy.as_deref();
    Listed {
        name: row.name.unwrap_or_else(|| row.id.clone()),
        connector: row.connector,
        id: row.id,
        since: row.since,
        until: row.until,
        status: row.state,
        escalation_policy: policy.map(|id| names.named(Kind::Policy, id)),
        acknowledgement_timeout_s: about.acknowledgement_timeout_s,
        auto_resolve_timeout_s: about.auto_resolve_timeout_s,
        teams: has_teams.then(|| names.all(Kind::Team, &about.teams)),
        members: (kind == Kind::Team).then(|| names.all(Kind::User, members)),
        parent: about
            .parent
            .as_deref()
            .map(|id| names.named(Kind::Team, id)),
        email,
        role: about.role,
        time_zone: about.time_zone,
        rank: about.rank,
        html_url: about.html_url,
    }
}
