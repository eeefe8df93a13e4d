//! A new connection, step by step: a key, then how it is to be used. The rest is a page of the connector
//! ([`super::setup`]).
//!
//! Coming back continues where somebody was: a key that PagerDuty took is a draft ([`super::draft`]).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_pagerduty::Secret;
use im_pagerduty::config::BASE_URL_DEFAULT;
use im_store::connectors::{self, ConnectorRow};
use im_store::{StoreError, Tx};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::draft::{Draft, Lacking};
use super::{CONNECT, oauth, setup};
use crate::access::audit::Note;
use crate::http::api::connectors::config::{self, NewConnector};
use crate::http::api::connectors::set_up::{self, Given, KeyView};
use crate::http::api::connectors::twin;
use crate::http::api::settings::stored_public_url;
use crate::http::api::types::Named;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::web::connector::settings::choice;
use crate::web::guard::{Fields, Visit};
use crate::web::layout::{Live, Page};
use crate::web::load::{self, Shell};
use crate::web::parts::{self, Step, step};
use crate::web::said::Told;
use crate::web::{Pairs, WebState, connector, failed, help, layout, to};

/// What the first connector is called unless somebody says otherwise.
const NAME: &str = "pagerduty";
/// PagerDuty's API for accounts in Europe.
pub(in crate::web) const EU: &str = "https://api.eu.pagerduty.com";
/// What PagerDuty's list of keys is to call ours.
const DESCRIPTION: &str = "im incident platform";

/// What the field is called that chooses between these.
const REGION: &str = "Region of the account";

/// What tells the form that asks somebody else for a key.
const HANDED: &str = "handed";

/// A form that was not done.
type Refused = Option<(Fields, ApiError)>;

pub(super) async fn show(State(state): State<WebState>, visit: Visit, pairs: Pairs) -> Response {
    let by = pairs.iter().find(|(name, _)| name == "by");
    let by = by.map(|(_, by)| by.as_str());
    page(&state, &visit, (by, None)).await
}

/// Tries a key; nothing is stored.
pub(super) async fn try_key(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Response {
    match draft(&state, &fields).await {
        Ok(draft) => {
            let note = Note::thing(draft.name.clone());
            state.drafts.keep(&visit.word, draft);
            (note, to(CONNECT)).into_response()
        }
        Err(error) => page(&state, &visit, (None, Some((fields, error)))).await,
    }
}

async fn draft(state: &WebState, fields: &Fields) -> Result<Draft, ApiError> {
    let name = free_name(state, fields).await?;
    let draft = tried(state, name, api_url(fields), fields.get("api_key")).await?;
    must_be_new(state, &draft).await?;
    Ok(draft)
}

/// The name that a form gives a connection, if no other has it.
pub(super) async fn free_name(state: &WebState, fields: &Fields) -> Result<String, ApiError> {
    let name = config::free_name(state, fields.get("name")).await;
    let name = name.map_err(|error| in_words_of_the_form(error, ""))?;
    Ok(name.to_string())
}

/// Refuses a key of an account that another connection brings already, before anybody chooses more.
pub(super) async fn must_be_new(state: &WebState, draft: &Draft) -> Result<(), ApiError> {
    let whose = (&*draft.base_url, draft.api_key.expose());
    let looked = twin::refuse_whole(state, whose, &draft.key).await;
    looked.map_err(|error| in_words_of_the_form(error, &draft.base_url))
}

/// The address of the API that a form names.
pub(super) fn api_url(fields: &Fields) -> &str {
    match (fields.get("other_url"), fields.get("region")) {
        ("", "eu") => EU,
        ("", _) => BASE_URL_DEFAULT,
        (other, _) => other,
    }
}

/// A key that PagerDuty took, for a connection that is to be.
pub(super) async fn tried(
    state: &WebState,
    name: String,
    base_url: &str,
    api_key: &str,
) -> Result<Draft, ApiError> {
    if api_key.is_empty() {
        return Err(ApiError::wrong_value("api_key", "no API key was given")
            .hint("PagerDuty shows a key once, when it is made"));
    }
    let given = Given {
        api_key: api_key.to_owned(),
        base_url: Some(base_url.to_owned()),
        email: None,
    };
    let probed = set_up::probe(State(Arc::clone(&state.app)), Body(given)).await;
    let axum::Json(key) = probed.map_err(|error| in_words_of_the_form(error, base_url))?;
    Ok(Draft {
        name,
        renews: false,
        is_signed_in: false,
        base_url: base_url.to_owned(),
        api_key: Secret::new(api_key),
        key: Arc::new(key),
        at: state.clock.now(),
    })
}

/// An error whose next step names the fields that a form has.
fn in_words_of_the_form(error: ApiError, base_url: &str) -> ApiError {
    let other = if base_url == EU {
        "United States"
    } else {
        "Europe"
    };
    match error.code() {
        "bad_key" => error.hint(format!(
            "is it a key of the other region? Then choose {other} under \u{201c}{REGION}\u{201d}; else make one in PagerDuty: Integrations, API Access Keys"
        )),
        "base_url" => error.hint(format!(
            "choose the account's region under \u{201c}{REGION}\u{201d}; another address is for a proxy or a stand-in"
        )),
        "name_taken" => error.hint("choose another name; the one that is there is under Integrations"),
        "account_connected" => error.hint(
            "go on with that connection under Integrations, where it can be given another key; a second one is taken where each syncs services of its own",
        ),
        _ => error,
    }
}

/// Begins anew with another key.
pub(super) async fn again(State(state): State<WebState>, visit: Visit) -> Response {
    state.drafts.forget(&visit.word);
    to(CONNECT)
}

/// Makes the connector of the draft.
pub(super) async fn add(State(state): State<WebState>, visit: Visit, fields: Fields) -> Response {
    let Some(draft) = state.drafts.find(&visit.word, state.clock.now()) else {
        let error = ApiError::conflict("no_draft", "the key is not known here any more")
            .hint("give it again: nothing was stored, and it is kept for an hour");
        return page(&state, &visit, (None, Some((fields, error)))).await;
    };
    let new = NewConnector {
        name: draft.name.clone(),
        kind: "pagerduty".to_owned(),
        config: wanted(&draft, &fields),
        since: Some(fields.get("since").to_owned()).filter(|since| !since.is_empty()),
    };
    let made = async {
        must_be_known(&state, &draft, fields.get("from_email")).await?;
        let added = config::add(State(Arc::clone(&state.app)), Body(new)).await;
        added.map_err(|error| match error.code() {
            "account_connected" => in_words_of_the_form(error, &draft.base_url),
            _ => error,
        })
    };
    match made.await {
        Ok((_, Extension(note), axum::Json(view))) => {
            state.drafts.forget(&visit.word);
            let mut told = Told::of(format!("Connected {}.", view.name));
            told.warn(&view.warnings);
            let page = setup::address(&view.name);
            let address = state.said.keep(&page, told);
            (Extension(note), to(address.as_deref().unwrap_or(&page))).into_response()
        }
        Err(error) => page(&state, &visit, (None, Some((fields, error)))).await,
    }
}

/// Lets a connection that is there use the sign-in of the draft.
pub(super) async fn renew(State(state): State<WebState>, visit: Visit) -> Response {
    let draft = state.drafts.find(&visit.word, state.clock.now());
    let Some(draft) = draft.filter(|draft| draft.renews) else {
        return to(CONNECT);
    };
    let part = Map::from_iter([
        ("api_key".to_owned(), Value::from(draft.api_key.expose())),
        ("base_url".to_owned(), draft.base_url.as_str().into()),
    ]);
    let app = State(Arc::clone(&state.app));
    match config::change(app, Path(draft.name.clone()), Body(part)).await {
        Ok(_) => {
            state.drafts.forget(&visit.word);
            let page = connector::address(&draft.name);
            let address = state.said.keep(&page, Told::of("Signed in again."));
            let page = to(address.as_deref().unwrap_or(&page));
            (Note::thing(draft.name), page).into_response()
        }
        Err(error) => page(&state, &visit, (None, Some((Fields::none(), error)))).await,
    }
}

/// Refuses an address that PagerDuty has no user of. A key that may not look for users decides nothing.
async fn must_be_known(state: &WebState, draft: &Draft, email: &str) -> Result<(), ApiError> {
    let given = Given {
        api_key: draft.api_key.expose().to_owned(),
        base_url: Some(draft.base_url.clone()),
        email: Some(email.to_owned()),
    };
    let found = set_up::users(State(Arc::clone(&state.app)), Body(given)).await;
    if found.is_ok_and(|axum::Json(users)| users.is_empty()) {
        let detail = format!("PagerDuty has no user with the address `{email}`");
        return Err(ApiError::wrong_value("from_email", detail)
            .hint("write the address of a user there; nothing was stored"));
    }
    Ok(())
}

/// The configuration that was chosen.
fn wanted(draft: &Draft, fields: &Fields) -> Map<String, Value> {
    let mut custom = Map::new();
    let mut set = |name: &str, value: &str| {
        if !value.is_empty() {
            custom.insert(name.to_owned(), value.into());
        }
    };
    set("service_id", fields.get("service"));
    set("from_email", fields.get("from_email"));
    set("escalation_policy_id", fields.get("policy"));
    if fields.get("scope") == "chosen" {
        let chosen: Vec<&str> = fields.all("synced").collect();
        custom.insert("synced_services".to_owned(), json!(chosen));
    }
    let mut config = Map::new();
    config.insert("api_key".to_owned(), draft.api_key.expose().into());
    config.insert("base_url".to_owned(), draft.base_url.as_str().into());
    config.insert("sync_direction".to_owned(), fields.get("direction").into());
    config.insert("custom".to_owned(), custom.into());
    config
}

/// The page; `by` is the way that is asked for.
pub(super) async fn page(
    state: &WebState,
    visit: &Visit,
    (by, refused): (Option<&str>, Refused),
) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx: &mut Tx<'_>| {
        let public = stored_public_url(tx)?;
        let free = proposed(&connectors::all(tx)?);
        Ok::<_, StoreError>((load::shell(tx, &looking)?, public, free))
    });
    let (shell, public, free): (Shell, _, _) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let draft = state.drafts.find(&visit.word, moment.now.at);
    let away = state.drafts.away(&visit.word, moment.now.at);
    let lacking = state.drafts.lacks(&visit.word, moment.now.at);
    let (fields, error) = refused.unzip();
    let status = error.as_ref().map_or(StatusCode::OK, |error| error.status);
    let known = lacking.as_ref().filter(|_| by != Some("oauth")).map(known);
    let typed = Typed {
        fields: fields.as_ref().or(known.as_ref()),
        name: &free,
    };
    let lacked = lacking.map(|lacking| lacking.error);
    let problem = error.as_ref().or(lacked.as_ref()).map(parts::problem);
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(super::ADDRESS) { "Integrations" } " / " span aria-current="page" { "PagerDuty" } }
        h1 { "Connect PagerDuty" }
        p.lead {
            @if draft.is_some() { "Step 2 of 5, about a minute left. " } @else { "Step 1 of 5, about two minutes left. " }
            "You can leave and come back."
        }
        ol.panel.steps {
            @match (&draft, &away) {
                (None, Some(away)) => {
                    (step(1, Step::Now, "Sign in to PagerDuty", &html! { (problem.unwrap_or_default()) (oauth::way(visit, away)) }))
                    (later_use())
                },
                (None, None) => {
                    (step(1, Step::Now, if by == Some("oauth") { "Sign in to PagerDuty" } else { "Add an API key" }, &html! {
                        (ways(by))
                        (problem.unwrap_or_default())
                        @if by == Some("oauth") { (oauth::form(visit, typed.name, |name, first| typed.or(name, first))) }
                        @else { (key_form(visit, typed)) }
                    }))
                    (later_use())
                },
                (Some(draft), _) if draft.renews => {
                    (step(1, Step::Done, "Sign in to PagerDuty", &told(visit, draft)))
                    (step(2, Step::Now, "Use it", &html! { (problem.unwrap_or_default()) (renew_form(visit, draft)) }))
                },
                (Some(draft), _) => {
                    (step(1, Step::Done, if draft.is_signed_in { "Sign in to PagerDuty" } else { "Add an API key" }, &told(visit, draft)))
                    (step(2, Step::Now, "Choose how it is used", &html! { (problem.unwrap_or_default()) (use_form(visit, draft, typed)) }))
                },
            }
            (step(3, Step::Later, "Webhook", &webhook(public.as_deref())))
            (step(4, Step::Later, "Import", &html! { p.small { "The incidents of the last 180 days. It goes on by itself, also after a restart." } }))
            (step(5, Step::Later, "Check people, filter and working hours", &html! { p.small { "PagerDuty's users are matched with people here." } }))
        }
    };
    let head = Page {
        title: "Connect PagerDuty",
        entry: super::ADDRESS,
        live: Live::Still,
    };
    (status, layout::page(&head, &shell, moment, &body)).into_response()
}

/// What a sign-in that was not enough has told of the connection.
fn known(lacking: &Lacking) -> Fields {
    let (region, other) = match lacking.base_url.as_str() {
        BASE_URL_DEFAULT => ("us", ""),
        EU => ("eu", ""),
        other => ("us", other),
    };
    Fields::of(&[
        ("name", &*lacking.name),
        ("region", region),
        ("other_url", other),
    ])
}

/// A name that no connector has.
fn proposed(all: &[ConnectorRow]) -> String {
    let is_free = |name: &String| all.iter().all(|row| row.name != *name);
    let more = (2..).map(|number| format!("{NAME}-{number}"));
    let mut names = std::iter::once(NAME.to_owned()).chain(more);
    names.find(is_free).unwrap_or_default()
}

/// When the webhook is made.
fn webhook(public: Option<&str>) -> Markup {
    html! {
        p.small { @match public {
            Some(url) if url.starts_with("https://") => { "Is made in the same go: PagerDuty will deliver to " (url) "." },
            Some(url) => { "Is made once you have agreed: " (url) " is not encrypted." },
            None => "Needs an address under which PagerDuty reaches this server; until there is one, changes are found by comparing.",
        } }
    }
}

fn later_use() -> Markup {
    step(
        2,
        Step::Later,
        "Choose how it is used",
        &html! {
            p.small { "The service to declare to, the direction, which services are synced." }
        },
    )
}

/// The two ways in.
fn ways(by: Option<&str>) -> Markup {
    let is_oauth = by == Some("oauth");
    let here = |is_it: bool| is_it.then_some("true");
    html! {
        div.toggle role="group" aria-label="How to connect" {
            a href=(CONNECT) aria-current=[here(!is_oauth)] { "With an API key" }
            a href={ (CONNECT) "?by=oauth" } aria-current=[here(is_oauth)] { "By signing in (OAuth)" }
        }
    }
}

/// What lets a connection that is there use the sign-in.
fn renew_form(visit: &Visit, draft: &Draft) -> Markup {
    parts::form(
        &format!("{CONNECT}/renew"),
        visit,
        &html! {
            button.button.primary type="submit" { "Use it for " (draft.name) }
        },
    )
}

/// What was typed into a form that was refused.
#[derive(Clone, Copy)]
struct Typed<'a> {
    fields: Option<&'a Fields>,
    /// What the connection is called unless somebody says otherwise.
    name: &'a str,
}

impl<'a> Typed<'a> {
    /// A field, or what stands there at first.
    fn or(self, name: &str, first: &'a str) -> &'a str {
        let typed = self.fields.and_then(|fields| fields.all(name).next());
        typed.unwrap_or(first)
    }

    fn has(self, name: &str, value: &str) -> bool {
        self.fields
            .is_some_and(|fields| fields.all(name).any(|one| one == value))
    }
}

/// What a key is used for.
pub(super) fn what_for() -> Markup {
    html! {
        div.quote {
            p { strong { "What the key is used for: " }
                "reading incidents, people and services of its account, of the last 180 days and from now on; sending what is done here, unless you choose to receive only; and making one webhook." }
            p { "It is stored encrypted, once PagerDuty has taken it. Each call made with it is listed by " code { "im connector calls" } " and on the page Audit log. It can be taken back at any time." }
        }
    }
}

/// How to get a key.
pub(super) fn how_to() -> Markup {
    html! {
        div.halves {
            div {
                h3 { "In PagerDuty" }
                ol.ways {
                    li { "Integrations, then API Access Keys" }
                    li { "Create New API Key" }
                    li { "Leave " strong { "Read-only" } " unticked, unless you want to receive only" }
                }
                p.small { "A key of the account does everything. A key of a person does what that person may: to make the webhook, a Global Admin's or the Account Owner's." }
            }
            div {
                h3 { "Description to paste there" }
                (parts::copied(None, "Copy description", DESCRIPTION))
            }
        }
    }
}

fn regions(region: &str) -> Markup {
    html! {
        label { (REGION)
            select name="region" {
                option value="us" selected[region == "us"] { "United States: " (BASE_URL_DEFAULT) }
                option value="eu" selected[region == "eu"] { "Europe: " (EU) }
            }
        }
    }
}

fn name_and_address(typed: Typed<'_>) -> Markup {
    html! {
        label { "Name of the connection" input type="text" name="name" value=(typed.or("name", typed.name)) required autocomplete="off"; }
        details open[!typed.or("other_url", "").is_empty()] {
            summary { "Another address of the API" }
            label { "Only for a stand-in of PagerDuty's" input type="url" name="other_url" value=(typed.or("other_url", "")) placeholder="http://127.0.0.1:8090" autocomplete="off"; }
        }
    }
}

/// What the key is used for, how to get one, and where it is put.
fn key_form(visit: &Visit, typed: Typed<'_>) -> Markup {
    let region = typed.or("region", "us");
    html! {
        (what_for())
        (how_to())
        (parts::form(CONNECT, visit, &html! {
            (parts::secret(&html! { label { "API key" input type="password" name="api_key" required autocomplete="off" spellcheck="false"; } }))
            (regions(region))
            (name_and_address(typed))
            p.choices {
                button.button.primary type="submit" { "Add key" }
                a.button href=(super::ADDRESS) { "Finish later" }
                (help::link())
            }
        }))
        details.handed open[typed.fields.is_some_and(|fields| fields.get(HANDED) == "yes")] {
            summary { "I am not a PagerDuty admin" }
            p { "A link that works once lets somebody who is one give the key, without an account here and without seeing anything of what is here. You go on from there." }
            (parts::form(&format!("{CONNECT}/hand-over"), visit, &html! {
                input type="hidden" name=(HANDED) value="yes";
                (regions(region))
                (name_and_address(typed))
                p.choices { button.button type="submit" { "Make a link" } }
            }))
            p { "On the server's own machine it is a command:" }
            (parts::copied(None, "Copy command", html! { "im connector add pagerduty " (typed.name) }))
        }
    }
}

/// What PagerDuty said of the key.
fn told(visit: &Visit, draft: &Draft) -> Markup {
    let key = &*draft.key;
    let whose = match (&key.owner, &key.role) {
        (Some(user), Some(role)) if draft.is_signed_in => {
            format!("Signed in as {} (base role {role})", user.name)
        }
        (Some(user), None) if draft.is_signed_in => format!("Signed in as {}", user.name),
        (Some(user), Some(role)) => format!("A key of {} (base role {role})", user.name),
        (Some(user), None) => format!("A key of {}", user.name),
        (None, _) if key.kind == "account" => "A key of the account".to_owned(),
        (None, _) => "A key whose owner PagerDuty does not tell".to_owned(),
    };
    let may = if key.may_write {
        "may read and write"
    } else {
        "read-only"
    };
    html! {
        p.small { (whose) ": " (may) ". For " (draft.name) " at " (super::account(&draft.base_url)) "." }
        (parts::form(&format!("{CONNECT}/again"), visit, &html! { button.quiet-link type="submit" { @if draft.is_signed_in { "Begin again" } @else { "Use another key" } } }))
    }
}

/// How the connector is to be, with what is sensible chosen already.
fn use_form(visit: &Visit, draft: &Draft, typed: Typed<'_>) -> Markup {
    let key = &*draft.key;
    let own = key.owner.as_ref().and_then(|user| user.email.as_deref());
    let who = visit.who.as_ref().map(|who| who.name.as_str());
    let own = own.or(who).unwrap_or_default();
    let not_listed = |all: &[Named]| {
        html! { @if all.is_empty() { span.small { "PagerDuty's id: this key may not list them." } } }
    };
    parts::form(
        &format!("{CONNECT}/add"),
        visit,
        &html! {
            label { "Service that incidents are declared to"
                (choice("service", &key.services, typed.or("service", ""), None))
                (not_listed(&key.services))
            }
            label { "Escalation policy that they page by"
                (choice("policy", &key.policies, typed.or("policy", ""), Some("The service's own")))
                (not_listed(&key.policies))
            }
            label { "E-mail address to act with"
                input type="email" name="from_email" value=(typed.or("from_email", own)) required autocomplete="off";
                span.small { "Of a user of PagerDuty's: what nobody here has a user for is done in that name." }
            }
            (direction(key, typed))
            (past(typed))
            (scope(&key.services, typed))
            p.choices { button.button.primary type="submit" { "Connect" } }
        },
    )
}

fn direction(key: &KeyView, typed: Typed<'_>) -> Markup {
    const BOTH: &str = "bidirectional";
    let now = typed.or("direction", if key.may_write { BOTH } else { "inbound" });
    html! {
        label { "Direction"
            select name="direction" {
                @if key.may_write {
                    option value=(BOTH) selected[now == BOTH] { "Both ways" }
                }
                option value="inbound" selected[now == "inbound"] { "From PagerDuty to here only" }
                @if key.may_write {
                    option value="outbound" selected[now == "outbound"] { "From here to PagerDuty only" }
                }
            }
            @if !key.may_write { span.small { "It is read-only, so nothing can be sent." } }
        }
    }
}

/// How far back the import goes.
fn past(typed: Typed<'_>) -> Markup {
    const CHOICES: [(&str, &str); 4] = [
        ("42d", "Six weeks"),
        ("180d", "180 days"),
        ("365d", "A year"),
        ("none", "Nothing: begin now"),
    ];
    let now = typed.or("since", "180d");
    html! {
        label { "Import the past"
            select name="since" {
                @for (value, words) in CHOICES { option value=(value) selected[value == now] { (words) } }
            }
        }
    }
}

/// Which services travel.
fn scope(services: &[Named], typed: Typed<'_>) -> Markup {
    let is_chosen = typed.or("scope", "all") == "chosen";
    html! {
        fieldset {
            legend { "Services that are synced" }
            label.tick { input type="radio" name="scope" value="all" checked[!is_chosen]; "All, those that come later too" }
            @if !services.is_empty() {
                label.tick { input type="radio" name="scope" value="chosen" checked[is_chosen]; "Only these of " (services.len()) ":" }
                div.ticks {
                    @for one in services {
                        label.tick { input type="checkbox" name="synced" value=(one.id) checked[typed.has("synced", &one.id)]; (one.name) }
                    }
                }
            }
        }
    }
}
