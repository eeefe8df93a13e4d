//! Whom to ask, for whoever is stuck: on pages of errors, before signing in, while setting up.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::{WebState, failed, layout, parts, times};
use crate::http::api::settings::contact;

/// Where it is.
pub(super) const ADDRESS: &str = "/help";

/// The way there.
pub(super) fn link() -> Markup {
    html! { a.button href=(ADDRESS) { "Get help" } }
}

pub(super) async fn show(State(state): State<WebState>) -> Response {
    let moment = state.moment();
    let contact = match state.db.read(contact).await {
        Ok(contact) => contact,
        Err(error) => return failed(&error, moment),
    };
    let body = html! {
        div.panel.message {
            h1 { "Help" }
            @match &contact {
                Some(contact) => p { "Ask " (reached(contact)) "." },
                None => p { "Ask whoever runs this server. They can say here whom to ask: " code { "im config set contact help@example.com" } "." },
            }
            p { "Send along what the page of the error says in its last lines, and this. No secret is in either." }
            (parts::diagnostic(html! { (times::machine(moment.now.at)) "  im " (env!("CARGO_PKG_VERSION")) }))
            p { "Whoever runs the server finds what is wrong by these:" }
            pre.command { "im doctor\nim logs --since 1h" }
            p.choices { a.button href="/" { "Back to the incidents" } }
        }
    };
    layout::plain("Help", &body).into_response()
}

/// A contact, as a link where it is an address.
fn reached(contact: &str) -> Markup {
    if contact.starts_with("https://") {
        html! { a href=(contact) rel="noreferrer" { (contact) } }
    } else if crate::organisation::is_email(contact) {
        html! { a href={ "mailto:" (contact) } { (contact) } }
    } else {
        html! { (contact) }
    }
}
