//! What the list is asked for, by its address.

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

/// A question to the list.
#[derive(Debug, Clone)]
pub(in crate::web) struct Asked {
    /// The page with what it asks for alone.
    pub(in crate::web) address: Address,
    /// What is asked; nothing for the usual list.
    pub(in crate::web) asking: Result<Option<Asking>, ApiError>,
    /// Whether somebody is choosing filters.
    pub(in crate::web) chooses: bool,
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
        }
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
