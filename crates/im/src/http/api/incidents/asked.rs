//! What a list of incidents is asked for: read once, for the API and for the pages.
//!
//! Absent: SQL, which `im_store::incidents` has.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use im_core::{ActorKind, IncidentNumber, Severity, Status, StatusModel};
use im_engine::services::Services;
use im_engine::{connector, unowned};
use im_store::incidents::{Assigned, Filter, Hidden};
use im_store::{StoreError, Tx, people};

use crate::access::Who;
use crate::http::api::settings::time_zone;
use crate::http::edge::Edge;
use crate::http::error::ApiError;
use crate::http::input::Params;
use crate::organisation::is_email;

/// Every parameter.
const KNOWN: [&str; 12] = [
    "status",
    "severity",
    "service",
    "assignee",
    "unowned",
    "connector",
    "from",
    "to",
    "q",
    "limit",
    "before",
    "hidden",
];
/// Incidents in one answer unless asked otherwise.
const LIMIT_DEFAULT: u32 = 50;
/// Incidents in one answer at most: about 1 MiB.
const LIMIT_MAX: u32 = 1_000;
/// The word for every state.
pub(crate) const ANY: &str = "any";
/// The word for who asks.
pub(crate) const ME: &str = "me";
/// The word for incidents that nobody has.
pub(crate) const NOBODY: &str = "nobody";

/// What a list is asked for, before anything of the database is known.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    statuses: Vec<Status>,
    who: Option<String>,
    from: Option<Edge>,
    to: Option<Edge>,
    is_unowned: bool,
    /// What needs to know nothing more.
    filter: Filter,
}

impl Asking {
    /// Reads what `who` asks for.
    pub(crate) fn read(params: &Params, who: &Who) -> Result<Self, ApiError> {
        params.must_be(&KNOWN)?;
        let limit = match params.one("limit").map(|text| (text, text.parse::<u32>())) {
            None => LIMIT_DEFAULT,
            Some((_, Ok(limit))) if (1..=LIMIT_MAX).contains(&limit) => limit,
            Some((text, _)) => {
                return Err(ApiError::bad_request(format!(
                    "`limit={text}`: use a number from 1 to {LIMIT_MAX}"
                )));
            }
        };
        let before = params.one("before").map(IncidentNumber::from_str);
        let owned = |name: &str| params.one(name).map(str::to_owned);
        Ok(Self {
            statuses: statuses(params)?,
            who: owned("assignee")
                .map(|name| person(name, who))
                .transpose()?,
            from: Edge::read(params, "from")?,
            to: Edge::read(params, "to")?,
            is_unowned: params.flag("unowned")?,
            filter: Filter {
                severities: severities(params)?,
                services: owned("service").into_iter().collect(),
                connector: owned("connector"),
                search: owned("q").filter(|q| !q.trim().is_empty()),
                hidden: if params.flag("hidden")? {
                    Hidden::Only
                } else {
                    Hidden::Not
                },
                before: before.transpose()?,
                limit,
                ..Filter::default()
            },
        })
    }

    /// The same for so many.
    pub(crate) fn limited(mut self, limit: u32) -> Self {
        self.filter.limit = limit;
        self
    }

    /// What the database is asked. People ask for a state by the word that they see.
    pub(crate) fn filter(&self, tx: &mut Tx<'_>, model: StatusModel) -> Result<Filter, StoreError> {
        let is_meant = |stored: &Status| {
            let mut asked = self.statuses.iter();
            asked.any(|asked| model.shown(*asked) == model.shown(*stored))
        };
        let zone = time_zone(tx)?;
        Ok(Filter {
            statuses: Status::ALL.into_iter().filter(is_meant).collect(),
            assigned: match self.who.as_deref() {
                None => Assigned::Whoever,
                Some(NOBODY) => Assigned::Nobody,
                Some(name) => Assigned::To(ids(tx, name)?),
            },
            services: services(tx, &self.filter.services)?,
            from: self.from.and_then(|edge| edge.start(&zone)),
            until: self.to.and_then(|edge| edge.end(&zone)),
            among: if self.is_unowned {
                Some(unowned::all(tx)?.into_iter().collect())
            } else {
                None
            },
            ..self.filter.clone()
        })
    }
}

fn statuses(params: &Params) -> Result<Vec<Status>, ApiError> {
    let mut statuses = Vec::new();
    for word in params.all("status") {
        match (word, Status::parse(word)) {
            (ANY, _) => statuses.extend(Status::ALL),
            ("active", _) => {
                statuses.extend(Status::ALL.into_iter().filter(|status| status.is_open()));
            }
            (_, Some(status)) => statuses.push(status),
            (_, None) => {
                let known: Vec<&str> = Status::ALL.map(Status::as_str).to_vec();
                return Err(ApiError::bad_request(format!(
                    "`status={word}` is not a state: use active, {ANY}, {}",
                    known.join(", ")
                )));
            }
        }
    }
    Ok(statuses)
}

fn severities(params: &Params) -> Result<Vec<Severity>, ApiError> {
    let read =
        |text| Severity::from_str(text).map_err(|error| ApiError::bad_request(error.to_string()));
    params.all("severity").map(read).collect()
}

/// Whom a name means to `who`.
fn person(name: String, who: &Who) -> Result<String, ApiError> {
    if name != ME {
        return Ok(name);
    }
    let actor = &who.actor;
    let me = actor.id.clone().filter(|_| actor.kind == ActorKind::User);
    me.ok_or_else(|| {
        ApiError::bad_request(format!("`assignee={ME}`: nobody knows who you are"))
            .hint("write your e-mail address instead, or act as a person: sign in, or use `--as`")
    })
}

/// What incidents may say who are on the services that are asked for: what was renamed is one service.
fn services(tx: &mut Tx<'_>, asked: &[String]) -> Result<Vec<String>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let known = Services::read(tx)?;
    let said: BTreeSet<String> = asked.iter().flat_map(|name| known.said(name)).collect();
    Ok(said.into_iter().collect())
}

/// What the assignees of incidents may be called who are one person: a PagerDuty user goes by an id.
fn ids(tx: &mut Tx<'_>, name: &str) -> Result<Vec<String>, StoreError> {
    let mut ids = BTreeSet::from([name.to_owned()]);
    if is_email(name) {
        for connector in connector::all(tx)? {
            ids.extend(people::by_email(tx, connector.name(), name)?.map(|user| user.id));
        }
    }
    Ok(ids.into_iter().collect())
}
