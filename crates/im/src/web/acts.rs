//! Acting on incidents: what may be done now, as forms, and what became of it.
//!
//! Each act is a form that is answered by a redirect to the page with a line about it ([`Said`]). One
//! that is refused is answered by the same page, with what was typed and what to do.
//!
//! Invariants
//! - Only what `im_core::decide` allows in the present state is offered, and to nobody who may not.
//! - An act is done by the API's own functions.
//!
//! [`Said`]: super::said::Said

mod forms;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{MatchedPath, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_core::{IncidentNumber, StatusModel, Story};
use im_store::{StoreError, incidents};
use maud::{Markup, html};

use super::declare::Choices;
use super::guard::{Fields, Visit};
use super::list::{Asked, List, Listed};
use super::load::{Detail, ROWS_MAX};
use super::related::Related;
use super::said::{Became, Told};
use super::seen_before::Before;
use super::timeline::Lines;
use super::{
    Pairs, WebState, failed, incident, layout, load, paged_next, parts, related, seen_before, to,
    views,
};
use crate::access::Who;
use crate::access::audit::Note;
use crate::http::api::incidents::acts::{self, By, Done, Step};
use crate::http::api::incidents::{Edits, assign};
use crate::http::error::ApiError;

pub(super) use forms::{bar, note, severities};
pub(super) use said::panel;

/// More people than this are not looked through in a menu.
const MENU_MAX: usize = 60;

/// The field of one more service.
const ADD_SERVICE: &str = "add_service";

/// What is done to one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// It goes from state to state.
    Take(Step),
    /// Something is written down.
    Note,
    /// It is worse, or less bad.
    Severity,
    /// Somebody gets it.
    Assign,
    /// It is called otherwise, or is on another service.
    Edit,
    /// Fields of people's own.
    Fields,
    /// It is the same as another.
    Duplicate,
    /// Something is said of it beside its facts.
    Annotate,
    /// It is removed here.
    Delete,
}

impl Act {
    const ALL: [(&'static str, Self); 14] = [
        ("acknowledge", Self::Take(Step::Acknowledge)),
        ("mitigate", Self::Take(Step::Mitigate)),
        ("resolve", Self::Take(Step::Resolve)),
        ("reopen", Self::Take(Step::Reopen)),
        ("close", Self::Take(Step::Close)),
        ("cancel", Self::Take(Step::Cancel)),
        ("note", Self::Note),
        ("severity", Self::Severity),
        ("assign", Self::Assign),
        ("edit", Self::Edit),
        ("fields", Self::Fields),
        ("duplicate", Self::Duplicate),
        ("annotate", Self::Annotate),
        ("delete", Self::Delete),
    ];

    /// The act of a route, which is its last word.
    fn of(path: &MatchedPath) -> Result<Self, ApiError> {
        let word = path.as_str().rsplit('/').next();
        let found = Self::ALL
            .into_iter()
            .find(|(known, _)| Some(*known) == word);
        found.map(|(_, act)| act).ok_or_else(ApiError::internal)
    }
}

/// What a page has to say of an act.
#[derive(Default)]
pub(super) struct Acted {
    /// What was done before the browser was led here.
    told: Option<Told>,
    /// What was not done.
    refused: Option<Refused>,
    /// Which lines of a timeline are shown.
    lines: Lines,
    /// Whether PagerDuty is asked who is paged next, after the rest of the page was sent.
    asks: bool,
}

/// A form that was not done.
pub(super) struct Refused {
    act: Option<Act>,
    fields: Fields,
    error: ApiError,
}

impl Acted {
    /// What the address of a page tells of.
    pub(super) fn told(state: &WebState, pairs: &Pairs) -> Self {
        Self {
            told: state.said.told(pairs),
            lines: Lines::of(pairs),
            ..Self::default()
        }
    }

    /// The same, where PagerDuty may be asked.
    pub(super) fn asking(self, asks: bool) -> Self {
        Self { asks, ..self }
    }

    pub(super) fn refused(act: Option<Act>, fields: Fields, error: ApiError) -> Self {
        Self {
            refused: Some(Refused { act, fields, error }),
            ..Self::default()
        }
    }

    fn status(&self) -> StatusCode {
        let refused = self.refused.as_ref();
        refused.map_or(StatusCode::OK, |refused| refused.error.status)
    }
}

/// What a page shows of an act, and what its forms have in them.
pub(super) struct Shown {
    became: Option<Became>,
    refused: Option<Refused>,
    /// Whom it can be given to, by id, where they are few.
    people: Vec<(String, String)>,
    /// The services that it can be put on.
    services: BTreeSet<String>,
    /// Which lines of its timeline are shown.
    pub(super) lines: Lines,
}

impl Shown {
    /// The line about what was done, or was not.
    pub(super) fn answer(&self) -> Markup {
        html! {
            @if let Some(refused) = &self.refused { div.answer { (parts::problem(&refused.error)) } }
            @if let Some(became) = &self.became { (became.show()) }
        }
    }

    /// Whether a form has something in it that must not be renewed away.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// What was typed for an act that was not done.
    pub(super) fn typed(&self, act: Act, field: &str) -> Option<&str> {
        let refused = self.refused.as_ref()?;
        (refused.act == Some(act)).then(|| refused.fields.raw(field))
    }

    /// The same of a field that there is several times.
    fn typed_all<'a>(&'a self, act: Act, field: &'a str) -> impl Iterator<Item = &'a str> {
        let refused = self.refused.iter();
        let of_act = refused.filter(move |refused| refused.act == Some(act));
        of_act.flat_map(move |refused| refused.fields.all(field))
    }

    /// Whether this one was chosen on the list.
    pub(super) fn is_chosen(&self, incident: IncidentNumber) -> bool {
        let name = incident.to_string();
        let refused = self.refused.as_ref();
        refused.is_some_and(|refused| refused.fields.all(CHOSEN).any(|chosen| chosen == name))
    }
}

/// The field of the list.
pub(super) const CHOSEN: &str = "chosen";

/// The page of the list.
pub(super) async fn list(state: &WebState, visit: &Visit, asked: Asked, acted: Acted) -> Response {
    let (moment, visit) = (state.moment(), visit.clone());
    let status = match &asked.asking {
        Ok(_) => acted.status(),
        Err(error) => error.status,
    };
    let told = acted.told;
    let mut shown = Shown {
        became: None,
        refused: acted.refused,
        people: Vec::new(),
        services: BTreeSet::new(),
        lines: acted.lines,
    };
    let listed = match listed(state, visit.may_act(), &asked, &shown).await {
        Ok(listed) => listed,
        Err(error) => return failed(&error, moment),
    };
    let read = state.db.read(move |tx| {
        let became = told
            .as_ref()
            .map(|told| Became::read(tx, told))
            .transpose()?;
        let (shell, views) = (load::shell(tx, &visit)?, views::of(tx, &visit)?);
        Ok::<_, StoreError>((shell, views, became))
    });
    match read.await {
        Ok((shell, views, became)) => {
            shown.became = became;
            let list = List {
                shell,
                listed,
                views,
            };
            (status, super::list::page(&list, &asked, &shown, moment)).into_response()
        }
        Err(error) => failed(&error, moment),
    }
}

/// What is on the list; all who wait for the same get the same, but who chose something that was refused.
async fn listed(
    state: &WebState,
    may_act: bool,
    asked: &Asked,
    shown: &Shown,
) -> Result<Arc<Listed>, StoreError> {
    // Who asks is in what is asked, where that makes a difference.
    let key = format!("{:?} {} {may_act}", asked.asking, asked.chooses);
    let read = async {
        let (now, asked) = (state.moment().now, asked.clone());
        let found = state.db.read(move |tx| load::found(tx, &asked)).await?;
        let is_chosen = |incident| shown.is_chosen(incident);
        Ok(Arc::new(Listed::draw(found, may_act, is_chosen, now)))
    };
    if shown.is_refused() {
        read.await
    } else {
        state.listed.make(key, read).await
    }
}

/// The page of one incident.
pub(super) async fn one(state: &WebState, visit: &Visit, id: &str, acted: Acted) -> Response {
    let (moment, visit, status) = (state.moment(), visit.clone(), acted.status());
    let number: Option<IncidentNumber> = id.parse().ok();
    let told = acted.told;
    let read = state.db.read(move |tx| {
        let shell = load::shell(tx, &visit)?;
        let became = told
            .as_ref()
            .map(|told| Became::read(tx, told))
            .transpose()?;
        let detail = match number {
            Some(number) => load::detail(tx, number)?,
            None => None,
        };
        let people = match &detail {
            Some(detail) if visit.may_act() => load::people(tx, detail)?,
            _ => Vec::new(),
        };
        let by = detail
            .as_ref()
            .and_then(|detail| detail.row.connector.as_deref());
        let services = Choices::read(tx, by)?.services;
        Ok::<_, StoreError>((shell, detail, became, (people, services)))
    });
    let (shell, detail, became, (people, services)) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let Some(detail) = detail else {
        let name = number.map_or_else(|| id.to_owned(), |number| number.to_string());
        let fields = acted.refused.map(|refused| refused.fields);
        let typed = fields.as_ref().map_or("", |fields| text(fields));
        let page = layout::not_found(&shell, &name, typed, moment);
        return (StatusCode::NOT_FOUND, page).into_response();
    };
    let shown = Shown {
        became,
        refused: acted.refused,
        services,
        lines: acted.lines,
        people: Some(people)
            .filter(|people| people.len() <= MENU_MAX)
            .unwrap_or_default(),
    };
    let (before, related) = match of_figures(state, &detail).await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let waiting = paged_next::waiting(&detail);
    if acted.asks && !paged_next::is_known(state, &waiting, moment.now) {
        let next = paged_next::place();
        let page = incident::page(&shell, &detail, &shown, (&before, &related, &next), moment);
        let state = state.clone();
        let told = async move { paged_next::asked(&state, &waiting, moment.now).await };
        return layout::send_in_two(page, told);
    }
    let next = paged_next::heard(state, &waiting, moment.now);
    let page = incident::page(&shell, &detail, &shown, (&before, &related, &next), moment);
    (status, page).into_response()
}

/// What figures know of an incident: what was seen before, and what may be behind it.
async fn of_figures(state: &WebState, detail: &Detail) -> Result<(Before, Related), StoreError> {
    let before = seen_before::read(state, detail).await?;
    Ok((before, related::read(state, detail).await?))
}

/// The text that somebody wrote.
fn text(fields: &Fields) -> &str {
    match fields.raw("text") {
        "" => fields.raw("note"),
        text => text,
    }
}

/// Does something to one incident.
pub(super) async fn act(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    path: MatchedPath,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    let act = match Act::of(&path) {
        Ok(act) => act,
        Err(error) => return error.into_response(),
    };
    if act == Act::Annotate {
        return said::annotate(&state, &visit, &id, &who, fields).await;
    }
    match done(&state, act, &id, &who, &fields).await {
        Ok(done) if act == Act::Delete => after(&state, "/", done).await,
        Ok(done) => {
            let page = format!("/incidents/{}", done.incident);
            after(&state, &page, done).await
        }
        Err(error) => {
            let acted = Acted::refused(Some(act), fields, error);
            one(&state, &visit, &id, acted).await
        }
    }
}

async fn done(
    state: &WebState,
    act: Act,
    id: &str,
    who: &Who,
    fields: &Fields,
) -> Result<Done, ApiError> {
    let incident: IncidentNumber = id.parse()?;
    let by = By::form(who, fields.digest());
    match act {
        Act::Take(step) => {
            let note = Some(fields.get("note").to_owned()).filter(|note| !note.is_empty());
            acts::take(state, incident, (step, note), by).await
        }
        Act::Note => acts::note(state, incident, fields.get("text").to_owned(), by).await,
        Act::Severity => {
            let edits = Edits {
                severity: Some(fields.get("severity").to_owned()),
                ..Edits::default()
            };
            acts::edit(state, incident, edits.commands()?, who).await
        }
        Act::Edit => {
            let service = fields.changed("service");
            let add_services = ticked(fields);
            let chosen = service.iter().filter(|name| !name.is_empty());
            for name in chosen.chain(&add_services) {
                must_be_known(state, incident, name).await?;
            }
            let edits = Edits {
                title: fields.changed("title"),
                description: fields.changed("description"),
                service,
                add_services,
                ..Edits::default()
            };
            acts::edit(state, incident, edits.commands()?, who).await
        }
        Act::Fields => {
            let edits = Edits {
                fields: own(fields),
                ..Edits::default()
            };
            acts::edit(state, incident, edits.commands()?, who).await
        }
        Act::Duplicate if fields.get("of").is_empty() => Err(ApiError::wrong_value(
            "no_such_target",
            "\u{201c}The same as\u{201d} is empty",
        )
        .hint("write the number of the other incident, e.g. INC-7")),
        Act::Duplicate => {
            let note = Some(fields.get("note").to_owned()).filter(|note| !note.is_empty());
            acts::duplicate(state, incident, (fields.get("of"), note), who).await
        }
        Act::Annotate => Err(ApiError::internal()),
        Act::Delete if fields.get("sure") == "yes" => acts::delete(state, incident, who).await,
        Act::Delete => Err(ApiError::wrong_value(
            "not_sure",
            format!("{incident} is deleted only if that is confirmed"),
        )
        .hint("tick the box, then press again")),
        Act::Assign => {
            let to = fields.get("to").split(',').map(str::trim);
            let to = to.filter(|one| !one.is_empty()).map(str::to_owned);
            let to: Vec<String> = to.collect();
            if to.is_empty() {
                let error = ApiError::wrong_value("nobody_chosen", "nobody was chosen");
                return Err(error.hint(
                    "choose somebody under \u{201c}Assign\u{201d}, or write an e-mail address",
                ));
            }
            assign::give(state, incident, to, who).await
        }
    }
}

/// The services that are to be added.
fn ticked(fields: &Fields) -> Vec<String> {
    let ticked = fields.all(ADD_SERVICE).map(str::trim);
    let named = ticked.filter(|name| !name.is_empty());
    named.map(str::to_owned).collect()
}

/// The connector that has an incident must know the service that it is put on.
async fn must_be_known(
    state: &WebState,
    incident: IncidentNumber,
    name: &str,
) -> Result<(), ApiError> {
    let known = state.db.read(move |tx| {
        let by = incidents::find(tx, incident)?.and_then(|row| row.connector);
        Choices::read(tx, by.as_deref())
    });
    known.await?.must_have(name)
}

/// Fields of people's own that a form changes. Each is sent with its name, in the order of the page; one
/// without a value is taken away.
fn own(fields: &Fields) -> BTreeMap<String, Option<String>> {
    let pairs = fields.all("name").zip(fields.all("value"));
    let pairs = pairs.zip(fields.all("was_value"));
    let changed = pairs.filter(|((name, value), was)| !name.trim().is_empty() && value != was);
    let value = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    changed
        .map(|((name, text), _)| (name.trim().to_owned(), value(text)))
        .collect()
}

/// Leads to a page that says what became of an act, when PagerDuty had its moment to answer.
pub(super) async fn after(state: &WebState, page: &str, done: Done) -> Response {
    let thing = Note::thing(done.incident.to_string());
    let told = Told {
        head: None,
        done: vec![done.clone()],
        refused: Vec::new(),
    };
    let address = state.said.keep(page, told);
    // It is done here whatever is known of PagerDuty by now.
    drop(done.outcome(state, state.form_wait).await);
    (thing, to(address.as_deref().unwrap_or(page))).into_response()
}

/// Does something to those that were chosen on the list.
pub(super) async fn chosen(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    path: MatchedPath,
    fields: Fields,
) -> Response {
    let (step, did) = match Act::of(&path) {
        Ok(Act::Take(Step::Acknowledge)) => (Step::Acknowledge, "Acknowledged"),
        Ok(Act::Take(Step::Resolve)) => (Step::Resolve, "Resolved"),
        Ok(_) => return ApiError::internal().into_response(),
        Err(error) => return error.into_response(),
    };
    let names: Vec<String> = fields.all(CHOSEN).map(str::to_owned).collect();
    let asked = Asked::back(&fields, &who);
    let wrong = match names.len() {
        0 => Some(
            ApiError::wrong_value("nothing_chosen", "no incident was chosen")
                .hint("tick those that are meant, then press again"),
        ),
        1..=ROWS_MAX => None,
        many => Some(
            ApiError::wrong_value("too_many", format!("{many} incidents were chosen"))
                .hint(format!("choose at most {ROWS_MAX} at once")),
        ),
    };
    if let Some(error) = wrong {
        return list(&state, &visit, asked, Acted::refused(None, fields, error)).await;
    }
    let mut told = Told {
        head: None,
        done: Vec::new(),
        refused: Vec::new(),
    };
    for name in &names {
        let taken = match name.parse() {
            Ok(incident) => acts::take(&state, incident, (step, None), &who).await,
            Err(error) => Err(error.into()),
        };
        match taken {
            Ok(done) => told.done.push(done),
            Err(error) => told.refused.push(error),
        }
    }
    let changed = told.done.iter().filter(|done| done.has_changed());
    let things: Vec<String> = changed.map(|done| done.incident.to_string()).collect();
    told.head = Some(format!("{did} {} of {}.", things.len(), names.len()));
    let last = told.done.last().cloned();
    let page = asked.address.link();
    let address = state.said.keep(&page, told);
    if let Some(last) = last {
        drop(last.outcome(&state, state.form_wait).await);
    }
    let thing = Note::thing(things.join(" "));
    (thing, to(address.as_deref().unwrap_or(&page))).into_response()
}

/// The steps that lead somewhere now.
fn offered(story: &Story, model: StatusModel) -> Vec<Step> {
    let steps = Act::ALL.into_iter().filter_map(|(_, act)| match act {
        Act::Take(step) => Some(step),
        Act::Note
        | Act::Severity
        | Act::Assign
        | Act::Edit
        | Act::Fields
        | Act::Duplicate
        | Act::Annotate
        | Act::Delete => None,
    });
    let leads = |step: &Step| {
        im_core::decide(Some(story), &step.command(), model).is_ok_and(|facts| !facts.is_empty())
    };
    steps.filter(leads).collect()
}
