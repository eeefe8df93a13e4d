//! What all pages share: the head, the bar, the line that says how old the data is.

use maud::{DOCTYPE, Markup, html};

use super::load::Shell;
use super::{Moment, assets, pagerduty, parts, times};

/// After this many seconds a page of a database that is away asks again.
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
}

impl Live {
    fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Timeline => "timeline",
        }
    }
}

/// A page.
pub(super) fn page(
    title: &str,
    shell: &Shell,
    live: Live,
    moment: Moment,
    body: &Markup,
) -> Markup {
    let Moment { now, version } = moment;
    let bar = html! {
        nav aria-label="Pages" {
            a href="/" aria-current=[matches!(live, Live::List).then_some("page")] { "Incidents" }
            @if shell.open > 0 { span.count.red { (shell.open) " open" } }
            @else { span.count { "none open" } }
        }
        (pagerduty::summary(&shell.health, now))
    };
    let inner = html! {
        p.asof {
            span #asof data-at=(times::utc(now, "%H:%M")) { "As of " (times::clock(now)) " UTC" }
            span #news role="status" {}
            button #show type="button" hidden {}
        }
        main #main tabindex="-1" data-live=(live.as_str()) data-version=(version) { (body) }
    };
    document(title, &bar, &inner, true)
}

fn document(title: &str, bar: &Markup, inner: &Markup, is_live: bool) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if !is_live { meta http-equiv="refresh" content=(RETRY_SECONDS); }
                title { (title) " · im" }
                link rel="icon" href=(TAB_ICON);
                link rel="stylesheet" href=(assets::css_url());
                @if is_live { script type="module" src=(assets::script_url()) {} }
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (parts::shapes())
                header.bar { a.brand href="/" aria-label="im, start page" { "im" } (bar) }
                div.page { (inner) }
            }
        }
    }
}

/// The page for an incident that is not here.
pub(super) fn not_found(shell: &Shell, name: &str, moment: Moment) -> Markup {
    let body = html! {
        div.panel.message {
            h1 { (name) " is not here" }
            p { "It was deleted, or there never was one of that name. Nothing else is affected." }
            p { "The command line finds it by a word of its title:" }
            pre.command { "im list --all --search checkout" }
            p { a href="/" { "All incidents" } }
        }
    };
    page(
        &format!("{name} is not here"),
        shell,
        Live::Timeline,
        moment,
        &body,
    )
}

/// The page for a database that cannot be read.
pub(super) fn error(cause: &str, again: bool, moment: Moment) -> Markup {
    let inner = html! {
        main #main tabindex="-1" {
            div.panel.message {
                h1 { span.tone.red { (parts::icon("warn")) } "The incidents cannot be read" }
                p { (parts::capital(cause)) "." }
                p {
                    "This page only reads, so nothing was lost by it. "
                    @if again { "It tries again every " (RETRY_SECONDS) " seconds." }
                    @else { "Trying again will hardly help: a person has to look." }
                }
                p { "To see what is wrong:" }
                pre.command { "im doctor" }
                pre.diagnostic {
                    (times::utc(moment.now, "%Y-%m-%dT%H:%M:%SZ")) "  im " (env!("CARGO_PKG_VERSION")) "\n" (cause)
                }
            }
        }
    };
    document("The incidents cannot be read", &html! {}, &inner, !again)
}
