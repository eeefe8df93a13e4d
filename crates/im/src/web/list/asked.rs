//! What the list is asked for, by its address, and by a page that has some of it already.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};

use axum::http::{HeaderMap, HeaderName};
use maud::{Markup, html};

use crate::access::Who;
use crate::http::api::incidents::asked::Asking;
use crate::http::error::ApiError;
use crate::http::input::Params;
use crate::web::address::Address;
use crate::web::guard::Fields;

/// What opens the form of filters.
pub(super) const CHOOSE: &str = "choose";
/// The field of a form that says which list it was sent from.
const BACK: &str = "back";
/// Parameters that ask for nothing; the number of rows is the page's own.
const OTHERS: [&str; 3] = [CHOOSE, "said", "limit"];

/// How an open page that looks again says which rows it has, by their marks.
const HAS: HeaderName = HeaderName::from_static("im-has");

/// What tells two rows apart by all that people see of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u64);

impl Mark {
    /// The mark of a row of this version of an incident.
    pub(super) fn of(version: i64, cells: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write_i64(version);
        hasher.write(cells.as_bytes());
        Self(hasher.finish())
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A question to the list.
#[derive(Debug, Clone)]
pub(in crate::web) struct Asked {
    /// The page with what it asks for alone.
    pub(in crate::web) address: Address,
    /// What is asked; nothing for the usual list.
    pub(in crate::web) asking: Result<Option<Asking>, ApiError>,
    /// Whether somebody is choosing filters.
    pub(in crate::web) chooses: bool,
    /// The rows that whoever asks has already.
    pub(super) has: BTreeSet<Mark>,
}

impl Asked {
    /// Reads what stands behind the question mark.
    pub(in crate::web) fn read(pairs: Vec<(String, String)>, who: &Who) -> Self {
        let given = Address::new("/", pairs);
        let address = given.only(|name, _| !OTHERS.contains(&name));
        let asking = match address.pairs().next() {
            None => Ok(None),
            Some(_) => Asking::read(&Params::of(address.pairs()), who).map(Some),
        };
        Self {
            chooses: given.get(CHOOSE).is_some(),
            address,
            asking,
            has: BTreeSet::new(),
        }
    }

    /// The same for a page that says which rows it has.
    pub(in crate::web) fn again(mut self, headers: &HeaderMap) -> Self {
        let said = headers.get(HAS).and_then(|marks| marks.to_str().ok());
        let marks = said.unwrap_or_default().split(' ');
        self.has = marks
            .filter_map(|mark| u64::from_str_radix(mark, 16).ok().map(Mark))
            .collect();
        self
    }

    /// Reads which list a form was sent from.
    pub(in crate::web) fn back(fields: &Fields, who: &Who) -> Self {
        let mut url = reqwest::Url::parse("http://localhost").ok();
        if let Some(url) = &mut url {
            url.set_query(fields.get(BACK).split_once('?').map(|(_, query)| query));
        }
        let pairs = url.iter().flat_map(reqwest::Url::query_pairs);
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
        Self::read(pairs.collect(), who)
    }

    /// The field that says so.
    pub(super) fn returning(&self) -> Markup {
        html! { input type="hidden" name=(BACK) value=(self.address.link()); }
    }
}
