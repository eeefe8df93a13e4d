//! A key from somebody else: a link that works once lets whoever has it give an API key of PagerDuty's, and shows nothing
//! of what is here.
//!
//! The key goes to PagerDuty's own addresses alone, and only while who made the link may connect: whoever gives a key
//! cannot know either.
//!
//! What they give is tried, and waits as if the person who made the link had given it (ADR 0020): in memory, for that
//! person's browser alone.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use im_pagerduty::config::BASE_URL_DEFAULT;
use im_store::StoreError;
use im_store::accounts::{self, Role};
use im_store::audit::Kind;
use jiff::SignedDuration;
use maud::{Markup, html};

use super::connect::{self, api_url, tried};
use super::{CONNECT, draft::HandOver};
use crate::access::audit::Note;
use crate::access::{hash, new_secret};
use crate::http::api::settings::is_near;
use crate::http::error::ApiError;
use crate::web::guard::{Fields, Visit};
use crate::web::layout::{Live, Page};
use crate::web::{Pairs, WebState, failed, layout, load, parts, times};

/// How long the link can be used.
pub(super) const LASTS: SignedDuration = SignedDuration::from_hours(24);
/// Where a key is given.
const GIVE: &str = "/give-key";
const LINK: &str = "link";

/// Makes a link for a connection that is to be.
pub(super) async fn make(State(state): State<WebState>, visit: Visit, fields: Fields) -> Response {
    let moment = state.moment();
    let made = async {
        let base_url = api_url(&fields);
        if ![BASE_URL_DEFAULT, connect::EU].contains(&base_url) && !is_near(base_url) {
            let detail = "a key from somebody else is sent to PagerDuty's own addresses alone";
            return Err(ApiError::wrong_value("other_url", detail)
                .hint("leave the other address out; a key for it is given on this page"));
        }
        let name = connect::free_name(&state, &fields).await?;
        let secret = new_secret()?;
        state.drafts.ask(HandOver {
            hash: hash(&secret),
            browser: visit.word.clone(),
            maker: visit
                .who
                .as_ref()
                .filter(|who| who.kind == Kind::Account)
                .map(|who| who.name.clone()),
            name: name.clone(),
            base_url: base_url.to_owned(),
            at: moment.now.at,
        });
        Ok::<_, ApiError>((name, secret))
    };
    let (name, secret) = match made.await {
        Ok(made) => made,
        Err(error) => return connect::page(&state, &visit, (None, Some((fields, error)))).await,
    };
    let looking = visit.clone();
    let shell = match state.db.read(move |tx| load::shell(tx, &looking)).await {
        Ok(shell) => shell,
        Err(error) => return failed(&error, moment),
    };
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href=(super::ADDRESS) { "Integrations" } " / " a href=(CONNECT) { "PagerDuty" } " / " span aria-current="page" { "A key from somebody else" } }
        h1 { "A key from somebody else" }
        div.panel.message {
            p { "Send this link to a PagerDuty admin. It asks for an API key, shows nothing of what is here, and works once, until " (times::exact(moment.now.at + LASTS, moment.now)) " or until this server is started anew. It is not shown again." }
            (parts::copied(Some("link"), "Copy link", html! { (visit.base) (GIVE) "?" (LINK) "=" (secret) }))
            p { "When they have given a key, go on here within the hour, in this browser." }
            p.choices { a.button.primary href=(CONNECT) { "Go on" } }
        }
    };
    let head = Page {
        title: "A key from somebody else",
        entry: super::ADDRESS,
        live: Live::Still,
    };
    let page = layout::page(&head, &shell, moment, &body);
    (Note::thing(name), page).into_response()
}

/// Asks for the key.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    pairs: Pairs,
) -> Response {
    let link = pairs.iter().find(|(name, _)| name == LINK);
    let link = link.map_or("", |(_, link)| link);
    match asked(&state, &hash(link)).await {
        Ok(Some(asked)) => form(&visit, link, &asked.base_url, None).into_response(),
        Ok(None) => over(&state),
        Err(error) => failed(&error, state.moment()),
    }
}

/// Tries the key, and lets it wait for who asked.
pub(in crate::web) async fn give(
    State(state): State<WebState>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let link = fields.get(LINK);
    let hash = hash(link);
    let asked = match asked(&state, &hash).await {
        Ok(Some(asked)) => asked,
        Ok(None) => return over(&state),
        Err(error) => return failed(&error, state.moment()),
    };
    let note = Note::thing(asked.name.clone());
    match tried(&state, asked.name, &asked.base_url, fields.get("api_key")).await {
        Ok(draft) => {
            // Of two who give a key at once, one does.
            if !state.drafts.answered(&hash) {
                return over(&state);
            }
            state.drafts.keep(&asked.browser, draft);
            (note, thanks()).into_response()
        }
        Err(error) => (
            note,
            (
                error.status,
                form(&visit, link, &asked.base_url, Some(&error)),
            ),
        )
            .into_response(),
    }
}

/// For what a key is asked by the link with this hash, if who made it may still connect.
async fn asked(state: &WebState, hash: &str) -> Result<Option<HandOver>, StoreError> {
    let Some(asked) = state.drafts.asked(hash, state.clock.now()) else {
        return Ok(None);
    };
    let Some(maker) = asked.maker.clone() else {
        return Ok(Some(asked));
    };
    let account = state.db.read(move |tx| accounts::find(tx, &maker)).await?;
    let may =
        account.is_some_and(|account| account.disabled_at.is_none() && account.role >= Role::Admin);
    Ok(may.then_some(asked))
}

fn form(visit: &Visit, link: &str, base_url: &str, error: Option<&ApiError>) -> Markup {
    let body = html! {
        div.panel.message.entry {
            h1 { "An API key of PagerDuty's" }
            p { "Somebody who runs im at " (visit.base) " wants to connect it to PagerDuty, and asks you for a key." }
            p { "The key is sent to " code { (base_url) } " and nowhere else." }
            (connect::what_for())
            (connect::how_to())
            (parts::form(GIVE, visit, &html! {
                input type="hidden" name=(LINK) value=(link);
                (parts::secret(&html! { label { "API key" input type="password" name="api_key" required autocomplete="off" spellcheck="false"; } }))
                @if let Some(error) = error { (parts::problem(error)) }
                p.choices { button.button.primary type="submit" { "Give this key" } }
            }))
        }
    };
    layout::plain("An API key of PagerDuty's", &body)
}

fn thanks() -> Markup {
    let body = html! {
        div.panel.message {
            h1 { span.tone.green { (parts::icon("check")) } "Thank you" }
            p { "PagerDuty takes the key. Whoever asked for it goes on from here; there is nothing more for you to do." }
            p { "You can take the key back in PagerDuty at any time." }
        }
    };
    layout::plain("Thank you", &body)
}

fn over(state: &WebState) -> Response {
    let detail = "it was used, is older than a day, whoever made it may not connect any more, or the server was started anew since";
    let error = ApiError::new(StatusCode::GONE, "link_over", detail)
        .hint("ask whoever sent it for another");
    let page = layout::over(&error, html! {}, &html! {}, state.moment());
    (StatusCode::GONE, page).into_response()
}
