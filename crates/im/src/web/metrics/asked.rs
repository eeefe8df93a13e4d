//! A question as its address asks it, and the page for one that cannot be answered.
//!
//! The parameters are those of the API. Two things differ: pages compare with the time before unless
//! told otherwise (`compare=none`), and people are asked for by those alone who may see them.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use im_metrics::{BadQuery, Measure, Metric, Query};
use maud::{Markup, html};

use super::SETTLED;
use super::about::{ABOUT, About};
use super::address::Address;
use super::heat::HEAT;
use crate::figures::Known;
use crate::http::error::ApiError;
use crate::web::layout::{Live, Trouble};
use crate::web::load::Shell;
use crate::web::{Moment, help, parts};

/// A question about a metric.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) about: &'static About,
    pub(super) address: Address,
    pub(super) query: Query,
    /// Whether who asks may see how single people respond.
    pub(super) sees_people: bool,
    /// The values that nobody knows: a page that was kept outlives what it is about.
    unknown: Vec<BadQuery>,
}

impl Asked {
    /// Reads the question of an address.
    pub(super) fn read(
        about: &'static About,
        address: Address,
        sees_people: bool,
    ) -> Result<Self, Wrong> {
        let is_personal =
            |(name, value): (&str, &str)| name == "user" || (name, value) == ("group_by", "user");
        let personal = address.pairs().find(|pair| is_personal(*pair));
        if !sees_people && (about.is_personal() || personal.is_some()) {
            return Err(Wrong::personal(
                about,
                &address,
                personal.map(|(name, _)| name),
            ));
        }
        if about.is_personal() && address.get("group_by").is_some() {
            return Err(Wrong::by_person(&address));
        }
        match parse(about.metric, &address) {
            Ok(query) => Ok(Self {
                sees_people,
                about: if query.measure == Measure::Hours {
                    About::in_hours()
                } else {
                    about
                },
                address,
                query,
                unknown: Vec::new(),
            }),
            Err(error) => Err(Wrong::new(&error, &address)),
        }
    }

    /// The same by ids, as the API asks. What nobody knows counts nothing, and the page says so.
    pub(super) fn meant(mut self, known: &Known) -> Self {
        (self.query, self.unknown) = known.meant_as_far_as_known(&self.query);
        self
    }

    /// Each value that nobody knows, what may be meant, and the page at `path` without it.
    pub(super) fn not_known(&self, path: &str) -> Markup {
        let address = self.address.to(path);
        html! {
            @for error in &self.unknown {
                @let wrong = Wrong::new(error, &address);
                p.incomplete.unknown {
                    (parts::commands(&parts::capital(&wrong.detail))) ", so nothing here is of it: "
                    (parts::commands(&wrong.hint)) @if !wrong.hint.ends_with('?') { "." } " "
                    @if let Some(without) = &wrong.without { a href=(without) { "Ask without it" } }
                }
            }
        }
    }

    /// Refuses what nobody knows: a file has no place to say so.
    pub(super) fn must_be_known(&self) -> Result<(), Wrong> {
        match self.unknown.first() {
            Some(error) => Err(Wrong::new(error, &self.address)),
            None => Ok(()),
        }
    }

    /// The same about something else, with what was asked.
    pub(super) fn asking(&self, change: impl FnOnce(&mut Query)) -> Query {
        let mut query = self.query.clone();
        change(&mut query);
        query
    }

    /// Where the things behind it are listed.
    pub(super) fn items(&self) -> Address {
        let items = format!("{}/items", self.about.address());
        self.address
            .to(items)
            .only(|name, _| !["bucket", "group_by", "compare", HEAT].contains(&name))
    }
}

/// The question of an address about a metric.
pub(super) fn parse(metric: Metric, address: &Address) -> Result<Query, BadQuery> {
    let query = address.without(SETTLED.0).without(HEAT);
    let query = match query.get("compare") {
        None => query.and("compare", "previous"),
        Some("none") => query.without("compare"),
        Some(_) => query,
    };
    im_metrics::parse(metric.as_str(), query.pairs())
}

/// Why there is no answer, and what can be done.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) detail: String,
    pub(super) hint: String,
    /// The same without what is wrong with it.
    pub(super) without: Option<String>,
    /// The page as it is without any parameter.
    pub(super) plain: String,
}

impl Wrong {
    pub(super) fn new(error: &BadQuery, address: &Address) -> Self {
        let text = error.to_string();
        let (detail, hint) = text.rsplit_once(": ").unwrap_or((&text, ""));
        let names: &[&str] = match error {
            BadQuery::Parameter { name, .. }
            | BadQuery::Value { name, .. }
            | BadQuery::Twice(name) => &[name],
            BadQuery::Range { .. } | BadQuery::Before { .. } => &["from", "to"],
            BadQuery::Buckets { .. } | BadQuery::Cells { .. } => &["bucket"],
            BadQuery::Personal { .. } => &["user"],
            BadQuery::Unknown { by, .. } => &[by],
            BadQuery::Metric { .. } => &[],
        };
        let without = address.only(|name, _| !names.contains(&name)).link();
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "bad_request",
            detail: detail.to_owned(),
            hint: hint.to_owned(),
            without: (without != address.link()).then_some(without),
            plain: address.path().to_owned(),
        }
    }

    /// What is about single people, for who may not see them.
    fn personal(about: &About, address: &Address, name: Option<&str>) -> Self {
        let metric = about.metric.as_str();
        let (instead, command, plain) = if about.is_personal() {
            ("see the page disruptions of all", "", super::OVERVIEW)
        } else {
            (
                "group by service or team",
                " --group-by user",
                address.path(),
            )
        };
        Self {
            status: StatusCode::FORBIDDEN,
            code: "personal_load",
            detail: "what single people were paged for is shown to those alone who may see it"
                .to_owned(),
            hint: format!(
                "{instead}, or ask an owner for the right `personal_load`; on the server's own machine `im metrics {metric}{command}` shows it"
            ),
            without: name
                .filter(|_| !about.is_personal())
                .map(|name| address.without(name).link()),
            plain: plain.to_owned(),
        }
    }

    /// A second group beside each person, which the page has no place for.
    fn by_person(address: &Address) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "bad_request",
            detail: "the page of the on-call load is by person and has no `group_by`".to_owned(),
            hint: "filter by service, team or urgency; `im metrics oncall_load --group-by service` groups".to_owned(),
            without: Some(address.without("group_by").link()),
            plain: address.path().to_owned(),
        }
    }

    /// A metric that has no page.
    pub(super) fn no_page(name: &str) -> Self {
        let titles: Vec<&str> = ABOUT.iter().map(|about| about.title).collect();
        let is_metric = im_metrics::Metric::parse(name).is_some();
        let more = if is_metric {
            format!("; `im metrics {name}` computes it")
        } else {
            String::new()
        };
        Self {
            status: StatusCode::NOT_FOUND,
            code: "not_found",
            detail: format!("there is no page of the metric `{name}`"),
            hint: format!("there are pages of {}{more}", titles.join(", ")),
            without: None,
            plain: super::OVERVIEW.to_owned(),
        }
    }

    /// The same for the API.
    pub(super) fn error(&self) -> ApiError {
        let error = ApiError::new(self.status, self.code, &*self.detail);
        if self.hint.is_empty() {
            error
        } else {
            error.hint(&*self.hint)
        }
    }

    /// The page that says so.
    pub(super) fn page(&self, shell: &Shell, moment: Moment) -> Response {
        let mut error = ApiError::new(self.status, self.code, &*self.detail);
        if !self.hint.is_empty() {
            error = error.hint(format!("what works: {}", self.hint));
        }
        let trouble = Trouble {
            title: "This cannot be answered",
            error: &error,
            more: html! { p { "Nothing was changed by asking." } },
            choices: html! {
                @if let Some(without) = &self.without { a.button href=(without) { "Ask without it" } }
                a.button href=(self.plain) { "Show the last six weeks" }
                (help::link())
            },
        };
        let page = trouble.page_of(shell, Live::Timeline, moment);
        (self.status, page).into_response()
    }
}
