//! What all pages share: the head, the navigation, the line that says how old the data is.

use std::convert::Infallible;
use std::future::ready;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use im_store::accounts::Role;
use im_store::audit::Kind;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::guard::Visit;
use super::load::Shell;
use super::metrics::about::{ABOUT, Area};
use super::metrics::{FINDINGS, OVERVIEW, sees_people};
use super::{
    Moment, account, assets, audit, connector, declare, help, integrations, keys, oncall,
    pagerduty, parts, people, settings, status, times, tokens,
};
use crate::http::error::ApiError;

/// After this many seconds a program may ask again for a page of a database that is away.
pub(super) const RETRY_SECONDS: &str = "10";

/// The mark of the program, in the browser's tab.
const TAB_ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
    %3Crect width='32' height='32' rx='8' fill='%2315191F'/%3E\
    %3Cg fill='%23fff'%3E%3Crect x='7' y='13' width='3.5' height='11' rx='1'/%3E%3Ccircle cx='8.75' cy='9' r='2.2'/%3E\
    %3Cpath d='M13 24V13h3.300v1.300c1.5-2 4.4-2 5.3.2 1.7-2.3 5.9-2.3 5.9 1.800V24H24v-7c0-1.8-2.3-1.5-2.3.3V24h-3.300v-7c0-1.8-2.1-1.5-2.1.3V24z'/%3E%3C/g%3E%3C/svg%3E";

/// How the script renews a page.
#[derive(Debug, Clone, Copy)]
pub(super) enum Live {
    /// Rows change where they are; new ones wait until somebody asks for them.
    List,
    /// What is new joins; what is being read stays where it is on the screen.
    Timeline,
    /// Figures are renewed where they are, unless somebody is choosing something.
    Figures,
    /// Not at all: there are forms on it, and nobody loses what they type.
    Still,
}

impl Live {
    fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Timeline => "timeline",
            Self::Figures => "figures",
            Self::Still => "still",
        }
    }
}

/// What a page says of itself.
pub(super) struct Page<'a> {
    /// What the tab is called.
    pub(super) title: &'a str,
    /// Which entry of the navigation it is, by its address.
    pub(super) entry: &'a str,
    /// How it is kept current.
    pub(super) live: Live,
}

/// A page with its navigation.
pub(super) fn page(page: &Page<'_>, shell: &Shell, moment: Moment, body: &Markup) -> Markup {
    let Moment { now, version } = moment;
    let bar = html! {
        button.menu type="button" popovertarget="menu" aria-label="Menu" { (parts::icon("menu")) }
        a.brand href="/" aria-label="im, start page" { "im" }
        nav #menu popover aria-label="Pages" {
            (entries(page.entry, shell))
            (me(page.entry, &shell.visit))
            button.quietly.shortcuts type="button" popovertarget=(keys::ID) data-hotkey="?" { "Keyboard shortcuts" }
        }
        (pagerduty::summary(&shell.health, now))
        // Where the navigation is a menu, what is wanted in a hurry is beside it.
        div.quick {
            a href="/#search" data-hotkey="/" aria-label="Search incidents" { (parts::icon("search")) }
            @if shell.visit.may_act() { a href=(declare::ADDRESS) aria-label="Declare an incident" { (parts::icon("plus")) } }
        }
    };
    let inner = html! {
        p.asof {
            span #asof data-at=(times::minute(now.at, now)) { "As of " (times::clock(now.at, now)) " " (now.zone()) }
            span #news role="status" {}
            button #show type="button" hidden data-hotkey="." {}
        }
        main #main tabindex="-1" data-live=(page.live.as_str()) data-version=(version) { (body) }
        (keys::help())
    };
    framed(page, "frame", (&bar, &inner))
}

/// Who is signed in, and the way out.
fn me(here: &str, visit: &Visit) -> Markup {
    let Some(who) = visit.who.as_ref().filter(|who| who.kind == Kind::Account) else {
        return html! {};
    };
    let is_here = (here == account::ADDRESS).then_some("page");
    html! {
        div.me {
            a href=(account::ADDRESS) aria-current=[is_here] title=(who.name) { (parts::person(who.label())) }
            (parts::form("/sign-out", visit, &html! { button.quietly type="submit" { "Sign out" } }))
        }
    }
}

/// The navigation: what there is to see.
fn entries(here: &str, shell: &Shell) -> Markup {
    let entry = |address: &str, words: &Markup| {
        html! { a href=(address) aria-current=[(address == here).then_some("page")] data-hotkey=[keys::of(address)] { (words) } }
    };
    let sees = sees_people(&shell.visit);
    html! {
        (entry(OVERVIEW, &html! { (parts::icon("home")) "Overview" }))
        div.counted {
            (entry("/", &html! { (parts::icon("warn")) "Incidents" }))
            @if shell.open > 0 { span.count.red { (shell.open) " open" } }
            @else { span.count { "none open" } }
        }
        @if shell.visit.may_act() {
            ul { li { (entry(declare::ADDRESS, &html! { "Declare an incident" })) } }
        }
        (entry(oncall::ADDRESS, &html! { (parts::icon("bell")) "On call" }))
        @for area in Area::ALL {
            p.area #{ "area-" (area.as_str()) } { (parts::icon(area.icon())) (area.name()) }
            ul aria-labelledby={ "area-" (area.as_str()) } {
                @for about in ABOUT.iter().filter(|about| about.area == area && (sees || !about.is_personal())) {
                    li { (entry(&about.address(), &html! { (about.title) })) }
                }
                @if area == Area::Work { li { (entry(FINDINGS, &html! { "Findings" })) } }
            }
        }
        div.first {
            (entry(integrations::ADDRESS, &html! { (parts::icon("sync")) "Integrations" }))
            @if !shell.health.is_empty() {
                ul {
                    @for health in &shell.health {
                        li { (entry(&connector::address(health.name()), &html! { (health.name()) })) }
                    }
                }
            }
        }
        (entry(status::ADDRESS, &html! { (parts::icon("check")) "Status" }))
        @if shell.visit.who.as_ref().is_some_and(|who| who.role >= Role::Admin) {
            p.area #area-access { (parts::icon("person")) "Settings" }
            ul aria-labelledby="area-access" {
                li { (entry(settings::ADDRESS, &html! { "Organisation" })) }
                li { (entry(tokens::ADDRESS, &html! { "API tokens" })) }
                li { (entry(people::ADDRESS, &html! { "People" })) }
                li { (entry(audit::ADDRESS, &html! { "Audit log" })) }
            }
        }
    }
}

/// A page without what there is to see, for whoever may not see it.
pub(super) fn plain(title: &str, body: &Markup) -> Markup {
    let inner = html! { main #main tabindex="-1" { (body) } };
    let bar = html! { a.brand href="/" aria-label="im, start page" { "im" } };
    let head = Page {
        title,
        entry: "",
        live: Live::Still,
    };
    framed(&head, "frame alone", (&bar, &inner))
}

/// Something that was not done or is not there.
pub(super) struct Trouble<'a> {
    pub(super) title: &'a str,
    pub(super) error: &'a ApiError,
    /// What else there is to know.
    pub(super) more: Markup,
    /// Where to go from here.
    pub(super) choices: Markup,
}

impl Trouble<'_> {
    /// What every error says: its cause, the next step, and what to send along when asking for help.
    pub(super) fn panel(&self, is_whole_page: bool, moment: Moment) -> Markup {
        let error = self.error;
        let tone = if error.status.is_server_error() {
            "tone red"
        } else {
            "tone amber"
        };
        let head = html! { span class=(tone) { (parts::icon("warn")) } (self.title) };
        html! {
            div.panel.message {
                @if is_whole_page { h1 { (head) } } @else { h2.trouble { (head) } }
                p { (parts::sentence(error.detail())) }
                @if let Some(next) = error.next() { p { (parts::sentence(&next)) } }
                (self.more)
                p.choices { (self.choices) }
                (parts::diagnostic(html! {
                    (times::machine(moment.now.at)) "  im " (env!("CARGO_PKG_VERSION")) "\n"
                    (parts::diagnosis(error))
                }))
            }
        }
    }

    /// The same as a page without what there is to see.
    pub(super) fn page(&self, moment: Moment) -> Markup {
        plain(self.title, &self.panel(true, moment))
    }

    /// The same beside the navigation.
    pub(super) fn page_of(&self, shell: &Shell, live: Live, moment: Moment) -> Markup {
        let head = Page {
            title: self.title,
            entry: "",
            live,
        };
        page(&head, shell, moment, &self.panel(true, moment))
    }
}

/// The page at an address that nothing has.
pub(super) fn nothing_here(moment: Moment) -> Markup {
    let error =
        ApiError::not_found("a page may have moved, or the address was not copied as a whole")
            .hint("the pages begin at /");
    let trouble = Trouble {
        title: "There is nothing at this address",
        error: &error,
        more: html! {},
        choices: html! { a.button href="/" { "To the incidents" } (help::link()) },
    };
    trouble.page(moment)
}

/// The page that says why something was not done.
pub(super) fn refused(error: &ApiError, moment: Moment) -> Markup {
    let trouble = Trouble {
        title: match error.status {
            StatusCode::FORBIDDEN => "This is not allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "This is too long",
            _ => "This was not done",
        },
        error,
        more: html! {},
        choices: html! { a.button href="/" { "Back to the incidents" } (help::link()) },
    };
    trouble.page(moment)
}

/// The page of a link that opens nothing any more; whoever has it can go no further here.
pub(super) fn over(error: &ApiError, more: Markup, choices: &Markup, moment: Moment) -> Markup {
    let trouble = Trouble {
        title: "This link is over",
        error,
        more,
        choices: html! { (choices) (help::link()) },
    };
    trouble.page(moment)
}

/// Where a page is cut that is sent in two.
const CUT: &str = "<!--then-->";

/// The place of what somebody else has to say, with the shape of what comes. The style hides the shape as soon as
/// something follows it.
pub(super) fn in_two(shape: &Markup) -> Markup {
    html! { div { div.shape { (shape) } (PreEscaped(CUT)) } }
}

/// A page with such a place: what is before it is sent at once, and the rest of the same answer when it was said.
pub(super) fn send_in_two(
    page: Markup,
    said: impl Future<Output = Markup> + Send + 'static,
) -> Response {
    let whole = page.into_string();
    let (first, last) = whole.split_once(CUT).unwrap_or((&whole, ""));
    let (first, last) = (Bytes::from(first.to_owned()), last.to_owned());
    let rest = async move { Bytes::from(said.await.into_string() + &last) };
    let parts = stream::once(ready(first)).chain(stream::once(rest));
    // A compressor would keep the first part back until the second is there.
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_ENCODING, "identity"),
    ];
    (headers, Body::from_stream(parts.map(Ok::<_, Infallible>))).into_response()
}

fn framed(page: &Page<'_>, frame: &str, (bar, inner): (&Markup, &Markup)) -> Markup {
    let has_chart = matches!(page.live, Live::Figures);
    let is_live = !matches!(page.live, Live::Still);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · im" }
                link rel="icon" href=(TAB_ICON);
                @for font in assets::font_urls() { link rel="preload" href=(font) as="font" type="font/woff2" crossorigin; }
                link rel="stylesheet" href=(assets::css_url());
                @if is_live { script type="module" src=(assets::script_url()) {} }
                @if frame == "frame" { script type="module" src=(assets::keys_url()) {} }
                script type="module" src=(assets::aids_url()) {}
                @if is_live && has_chart { script type="module" src=(assets::chart_url()) {} }
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (parts::shapes())
                div class=(frame) {
                    header.nav { (bar) }
                    div.page { (inner) }
                }
            }
        }
    }
}

/// The page for an incident that is not here.
pub(super) fn not_found(shell: &Shell, name: &str, typed: &str, moment: Moment) -> Markup {
    let error = ApiError::not_found(format!(
        "there is no incident {name}: it was deleted, or there never was one of that name"
    ))
    .hint("it may be found by a word of its title");
    let more = html! {
        @if !typed.is_empty() { p { "Nothing was done. What you wrote:" } (parts::copied(Some("diagnostic"), "Copy what you wrote", typed)) }
        p { "Nothing else is affected." }
        form.ask method="get" action="/" role="search" {
            label { "Search incidents" input type="search" name="q" placeholder="a word of its title" required autocomplete="off"; }
            button.button type="submit" { "Search" }
        }
    };
    let choices = html! {
        a.button href="/" { "All incidents" }
        (help::link())
    };
    missing((shell, name), &error, (more, choices), moment)
}

/// The page for a connector that is not here.
pub(super) fn no_connector(shell: &Shell, name: &str, moment: Moment) -> Markup {
    let error = ApiError::not_found(format!(
        "there is no connector {name}: it was removed, or there never was one of that name"
    ))
    .hint("`im connector list` shows the connectors");
    let choices =
        html! { a.button href=(integrations::ADDRESS) { "All integrations" } (help::link()) };
    missing((shell, name), &error, (html! {}, choices), moment)
}

fn missing(
    (shell, name): (&Shell, &str),
    error: &ApiError,
    (more, choices): (Markup, Markup),
    moment: Moment,
) -> Markup {
    let trouble = Trouble {
        title: &format!("{name} is not here"),
        error,
        more,
        choices,
    };
    trouble.page_of(shell, Live::Timeline, moment)
}

/// The page for a database that cannot be read.
pub(super) fn unread(error: &ApiError, again: bool, moment: Moment) -> Markup {
    let trouble = Trouble {
        title: "The incidents cannot be read",
        error,
        more: html! {
            p { "The page could not be read, and what is stored is not changed by that." }
            p { "To see what is wrong:" }
            pre.command { "im doctor" }
        },
        choices: html! {
            // A page that renews itself takes from people what they are reading.
            @if again { a.button.primary href="" { "Try again" } }
            (help::link())
        },
    };
    trouble.page(moment)
}
