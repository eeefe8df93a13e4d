//! What makes figures right once a connection is there: who PagerDuty's users are, which incidents figures
//! are of, and when people work. Each is done when somebody said so; the whole can be put away.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use im_store::{StoreError, Tx, arrangements, settings};
use maud::{Markup, html};

use super::{ADDRESS, filter, may_change, users};
use crate::http::api::default_filter::chosen;
use crate::http::api::organisation::people::known;
use crate::organisation::{Candidates, Hours, Thing as _, Whose};
use crate::web::guard::Visit;
use crate::web::parts;
use crate::web::{WebState, failed, to};

/// Where working hours are set.
const HOURS: &str = "/settings#hours";
/// How many things there are to do.
pub(super) const ITEMS: usize = 3;
/// The setting that puts the list away.
const DISMISSED: &str = "checklist_dismissed";

/// How far it is.
pub(super) struct Checklist {
    /// PagerDuty's users, and those of whom nobody has said who they are.
    users: (usize, usize),
    /// The default filter, if it was chosen.
    filter: Option<String>,
    /// Whether the organisation's working hours were set.
    hours: bool,
    /// Whether somebody put it away.
    pub(super) is_dismissed: bool,
}

impl Checklist {
    /// Reads it.
    pub(super) fn read(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        // Who is suggested does not matter here: an open user is open.
        let users = known(tx, &Candidates::default())?;
        let open = users.iter().filter(|user| user.is_open()).count();
        let hours: Vec<Hours> = arrangements::all(tx, Hours::SORT)?;
        Ok(Self {
            users: (users.len(), open),
            filter: chosen(tx)?.map(|filter| filter.words()),
            hours: hours.iter().any(|hours| hours.of == Whose::Organisation),
            is_dismissed: settings::get(tx, DISMISSED)?.as_deref() == Some("true"),
        })
    }

    fn are_users_done(&self) -> bool {
        matches!(self.users, (1.., 0))
    }

    /// How many are done.
    pub(super) fn done(&self) -> usize {
        let items = [self.are_users_done(), self.filter.is_some(), self.hours];
        items.into_iter().filter(|done| *done).count()
    }

    /// The list itself.
    pub(super) fn list(&self, visit: &Visit) -> Markup {
        let may = may_change(visit);
        let users = match self.users {
            (0, _) => "PagerDuty's users have not been read yet.".to_owned(),
            (all, 0) => format!("All {all} users of PagerDuty's are settled."),
            (all, open) => format!("{open} of {all} users of PagerDuty's are nobody here yet."),
        };
        let filter = match &self.filter {
            Some(words) => format!("Figures are of {words} unless a page says otherwise."),
            None => "Figures are of all incidents until somebody chooses.".to_owned(),
        };
        let hours = if self.hours {
            "The organisation's are set."
        } else {
            "Monday to Friday, 08:00 to 18:00, until somebody sets them."
        };
        let item = |done: bool, address: &str, title: &str, words: &str| {
            let (tone, icon, state) = if done {
                ("green", "check", "Done")
            } else {
                ("amber", "open", "Open")
            };
            html! {
                li {
                    span class={ "pill " (tone) } { (parts::icon(icon)) (state) }
                    div {
                        h3 { @if may { a href=(address) { (title) } } @else { (title) } }
                        p.small { (words) }
                    }
                }
            }
        };
        html! {
            ul.panel.todo {
                (item(self.are_users_done(), users::ADDRESS, "Link PagerDuty's users to people", &users))
                (item(self.filter.is_some(), filter::ADDRESS, "Choose the default filter of figures", &filter))
                (item(self.hours, HOURS, "Set working hours", hours))
            }
            @if may && !self.is_dismissed {
                (parts::form("/integrations/checklist", visit, &html! { button.quiet-link type="submit" { "Do not show this list any more" } }))
            }
        }
    }
}

/// Puts the list away.
pub(super) async fn dismiss(State(state): State<WebState>) -> Response {
    let put = state.db.write(|tx| settings::put(tx, DISMISSED, "true"));
    let put: Result<(), StoreError> = put.await;
    match put {
        Ok(()) => to(ADDRESS).into_response(),
        Err(error) => failed(&error, state.moment()),
    }
}
