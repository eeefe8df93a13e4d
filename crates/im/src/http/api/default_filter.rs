//! The default filter: which incidents figures on pages are of, unless the address of a page says so itself.
//!
//! An organisation goes by urgency or by priority, not by both. The value counts that an incident had when it
//! was triggered; `as_of=current` in an address asks by today's. The API knows no default: it answers what it is asked.

use std::collections::BTreeMap;

use im_core::Urgency;
use im_store::directory::{self, Kind};
use im_store::{StoreError, Tx, settings};

use crate::http::error::ApiError;

/// The setting that holds it, as JSON.
pub(crate) const SETTING: &str = "default_filter";
/// What a filter calls incidents that have no priority.
const NONE: &str = "null";
/// An account has a handful of priorities.
pub(crate) const VALUES_MAX: usize = 20;

/// Which incidents figures are of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Filter {
    /// All.
    All,
    /// Those of an urgency.
    Urgency(Urgent),
    /// Those of any of these priorities, each with its id and name.
    Priority(Vec<(String, String)>),
}

/// An urgency as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Urgent {
    High,
    Low,
}

impl Urgent {
    fn as_str(self) -> &'static str {
        match self {
            Self::High => Urgency::High.as_str(),
            Self::Low => Urgency::Low.as_str(),
        }
    }
}

impl Filter {
    /// The parameters that it is.
    pub(crate) fn params(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::All => Vec::new(),
            Self::Urgency(urgency) => vec![("urgency", urgency.as_str())],
            Self::Priority(priorities) => {
                let ids = priorities.iter();
                ids.map(|(id, _)| ("priority", id.as_str())).collect()
            }
        }
    }

    /// What it lets through, in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::All => "all incidents".to_owned(),
            Self::Urgency(urgency) => format!("incidents with {} urgency", urgency.as_str()),
            Self::Priority(priorities) => {
                let names: Vec<&str> = priorities.iter().map(|(_, name)| name.as_str()).collect();
                format!("incidents with priority {}", names.join(", "))
            }
        }
    }
}

/// The one that was chosen.
pub(crate) fn chosen(tx: &mut Tx<'_>) -> Result<Option<Filter>, StoreError> {
    let stored = settings::get(tx, SETTING)?;
    Ok(stored.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The priorities that there are, the most severe first, by name.
pub(crate) fn priorities(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let mut current = BTreeMap::new();
    // Oldest first, so the last row is how it is now.
    for row in directory::of_kind(tx, Kind::Priority)? {
        current.insert(row.id.clone(), row);
    }
    let mut rows: Vec<_> = current
        .into_values()
        .filter(|row| row.until.is_none())
        .collect();
    rows.sort_by_key(|row| (row.about.rank, row.id.clone()));
    let named = rows.into_iter().map(|row| {
        let name = row.name.unwrap_or_else(|| row.id.clone());
        (row.id, name)
    });
    Ok(named
        .chain([(NONE.to_owned(), "none".to_owned())])
        .collect())
}

impl Filter {
    /// As it is stored.
    pub(crate) fn stored(&self) -> Result<String, ApiError> {
        serde_json::to_string(self).map_err(|_never| ApiError::internal())
    }

    /// As people write it: `all`, `urgency=high`, `priority=P1,P2,none`.
    pub(super) fn written(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Urgency(urgency) => format!("urgency={}", urgency.as_str()),
            Self::Priority(chosen) => {
                let names: Vec<&str> = chosen.iter().map(|(_, name)| name.as_str()).collect();
                format!("priority={}", names.join(","))
            }
        }
    }

    /// Reads what people write; priorities by name, in any case, or by id.
    pub(super) fn read(text: &str, known: &[(String, String)]) -> Result<Self, ApiError> {
        let wrong = |why: &str, hint: String| {
            let detail = format!("`{SETTING}` cannot be `{text}`: {why}");
            Err(ApiError::wrong_value(SETTING, detail).hint(hint))
        };
        let usual = "write all, urgency=high, urgency=low, or priority=P1,P2; empty for none";
        match text.trim().split_once('=') {
            None if text.trim() == "all" => Ok(Self::All),
            Some(("urgency", "high")) => Ok(Self::Urgency(Urgent::High)),
            Some(("urgency", "low")) => Ok(Self::Urgency(Urgent::Low)),
            Some(("priority", names)) => {
                let mut chosen = Vec::new();
                for name in names.split(',').map(str::trim) {
                    let mut all = known.iter();
                    let is_it = |(id, known): &&(String, String)| {
                        id == name || known.eq_ignore_ascii_case(name)
                    };
                    let Some(found) = all.find(is_it) else {
                        let names: Vec<&str> =
                            known.iter().map(|(_, name)| name.as_str()).collect();
                        return wrong(
                            &format!("there is no priority `{name}`"),
                            format!("there are {}", names.join(", ")),
                        );
                    };
                    chosen.push(found.clone());
                }
                chosen.truncate(VALUES_MAX);
                Ok(Self::Priority(chosen))
            }
            _ => wrong("it is no filter", usual.to_owned()),
        }
    }
}
