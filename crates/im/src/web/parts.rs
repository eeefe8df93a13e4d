//! Pieces that several pages show: shape and word of a status, a severity, a person, a source.

use super::guard::{ONCE, Visit, WORD};
use crate::access::new_secret;
use crate::http::error::ApiError;
use im_core::{Peer, Person, Seen, Severity, Status};
use maud::{Markup, PreEscaped, Render, html};

/// Every picture of the pages, drawn once per page and used by name. 16 by 16, in the colour of
/// the text around it.
const SHAPES: &str = include_str!("assets/shapes.svg");

/// The pictures themselves; each page has them once.
pub(super) fn shapes() -> Markup {
    PreEscaped(SHAPES.to_owned())
}

/// A picture. The word beside it says the same, so it is hidden from those who listen.
pub(super) fn icon(name: &str) -> Markup {
    html! {
        svg.icon aria-hidden="true" width="16" height="16" viewBox="0 0 16 16" {
            use href={ "#i-" (name) } {}
        }
    }
}

/// A status as people see it.
pub(super) fn status(status: Status) -> Markup {
    html! {
        span class={ "pill " (status_tone(status)) } {
            (icon(status.as_str()))
            (status_word(status))
        }
    }
}

/// In place of the status: nobody is left to page, and nobody has taken it.
pub(super) fn unowned() -> Markup {
    html! {
        span.pill.red title="Its escalation policy is at its end, and nobody has acknowledged it" {
            (icon(Status::Open.as_str()))
            "Unowned"
        }
    }
}

pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Open => "Open",
        Status::Acknowledged => "Acknowledged",
        Status::Mitigated => "Mitigated",
        Status::Resolved => "Resolved",
        Status::Closed => "Closed",
        Status::Canceled => "Canceled",
        Status::Duplicate => "Duplicate",
    }
}

pub(super) fn status_tone(status: Status) -> &'static str {
    match status {
        Status::Open => "red",
        Status::Acknowledged | Status::Mitigated => "amber",
        Status::Resolved => "green",
        Status::Closed | Status::Canceled | Status::Duplicate => "grey",
    }
}

/// A severity as bars and a word.
pub(super) fn severity(severity: Option<Severity>) -> Markup {
    let Some(severity) = severity else {
        return html! { span.sev.sev-0 { (icon("sev-0")) "No severity" } };
    };
    let (shape, class) = match severity {
        Severity::Sev1 => ("sev-1", "sev sev-1"),
        Severity::Sev2 => ("sev-2", "sev sev-2"),
        Severity::Sev3 => ("sev-3", "sev sev-3"),
        Severity::Sev4 => ("sev-4", "sev sev-4"),
    };
    html! {
        span class=(class) title=(severity.description()) { (icon(shape)) (severity) }
    }
}

/// Who has it.
pub(super) fn people(people: &[Person], status: Status) -> Markup {
    let Some((first, others)) = people.split_first() else {
        let nobody = if status.is_open() {
            "Nobody yet"
        } else {
            "Nobody"
        };
        return html! { span.nobody { (nobody) } };
    };
    html! {
        span.person {
            span.face aria-hidden="true" { (initials(first.label())) }
            span.name {
                (first.label())
                @if !others.is_empty() { span.more title=(names(others)) { " +" (others.len()) } }
            }
        }
    }
}

/// One person.
pub(super) fn person(name: &str) -> Markup {
    html! {
        span.person {
            span.face aria-hidden="true" { (initials(name)) }
            span.name { (name) }
        }
    }
}

/// A form that changes something: with the word that tells it from one of another site.
pub(super) fn form(action: &str, visit: &Visit, fields: &Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name=(WORD) value=(visit.word);
            (fields)
        }
    }
}

/// A form that makes something: whatever is sent of it twice is made once.
pub(super) fn form_once(action: &str, visit: &Visit, fields: &Markup) -> Markup {
    // Without randomness it is a form like every other.
    let once = new_secret().unwrap_or_default();
    form(
        action,
        visit,
        &html! { input type="hidden" name=(ONCE) value=(once); (fields) },
    )
}

/// How far a step of several is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing is left to do.
    Done,
    /// It is to be done now.
    Now,
    /// It comes after others.
    Later,
}

/// A step of several, as an item of a list.
pub(super) fn step(number: u8, state: Step, title: &str, body: &Markup) -> Markup {
    let (class, word) = match state {
        Step::Done => ("done", "done"),
        Step::Now => ("now", "open"),
        Step::Later => ("later", "later"),
    };
    html! {
        li class=(class) aria-current=[(state == Step::Now).then_some("step")] {
            span.nth aria-hidden="true" { @if state == Step::Done { (icon("check")) } @else { (number) } }
            div { h2.h3 { (title) span.hidden { ", " (word) } } (body) }
        }
    }
}

/// What is wrong with what was typed, and what to do about it.
pub(super) fn problem(error: &ApiError) -> Markup {
    html! {
        p.problem role="alert" {
            (icon("warn"))
            span { (sentence(error.detail())) @if let Some(next) = error.next() { " " (sentence(&next)) } }
        }
        (along(error))
    }
}

/// What helps whoever is asked for help.
pub(super) fn diagnostic(text: impl Render) -> Markup {
    copied(Some("diagnostic"), "Copy diagnostic", text)
}

/// What to send along when asking for help, for whoever opens it.
pub(super) fn along(error: &ApiError) -> Markup {
    html! {
        details.along {
            summary { "Asking for help? Send this along" }
            (diagnostic(format_args!("im {}\n{}", env!("CARGO_PKG_VERSION"), diagnosis(error))))
        }
    }
}

/// A text that people take elsewhere, with a button that copies it where there is a script.
pub(super) fn copied(class: Option<&str>, words: &str, text: impl Render) -> Markup {
    html! {
        div.copied {
            pre class=[class] { (text) }
            button type="button" data-copy title=(words) { (icon("copy")) span.hidden role="status" { (words) } }
        }
    }
}

/// A field for a secret, with a button that shows what was typed where there is a script.
pub(super) fn secret(field: &Markup) -> Markup {
    html! {
        div.secret {
            (field)
            button type="button" data-show { "Show" }
        }
    }
}

/// An error in a line, with its code.
pub(super) fn diagnosis(error: &ApiError) -> String {
    let (status, code) = (error.status.as_u16(), error.code());
    format!("{status} {code}: {}", error.detail())
}

/// A text as a sentence of its own.
pub(super) fn sentence(text: &str) -> Markup {
    html! { (commands(&capital(text))) @if !text.ends_with('?') { "." } }
}

/// A text in which commands stand between backticks.
pub(super) fn commands(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Names with commas between them.
pub(super) fn names(people: &[Person]) -> String {
    let names: Vec<&str> = people.iter().map(Person::label).collect();
    names.join(", ")
}

/// `PR` for Priya Raman.
fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split([' ', '.', '@']).collect();
    let letters = match words.as_slice() {
        [first, second, ..] if !name.contains('@') => [first.chars().next(), second.chars().next()],
        [first, ..] => [first.chars().next(), None],
        [] => [None, None],
    };
    letters
        .into_iter()
        .flatten()
        .flat_map(char::to_uppercase)
        .collect()
}

/// Which sides saw it.
pub(super) fn marks(seen: Seen) -> Markup {
    html! {
        @if seen.here { span.mark.ours title="Seen here" { "im" } }
        @if seen.peer { (peer_mark()) }
    }
}

/// PagerDuty's mark.
pub(super) fn peer_mark() -> Markup {
    html! { span.mark.theirs title="Seen by PagerDuty" { "PD" } }
}

/// PagerDuty's number of an incident; a link where it says where it is.
pub(super) fn peer_link(peer: &Peer) -> Markup {
    let name = peer
        .number
        .map_or_else(|| peer.id.clone(), |number| format!("#{number}"));
    let url = peer.html_url.as_deref().filter(|url| is_web(url));
    html! {
        @if let Some(url) = url {
            a.out href=(url) rel="noreferrer" { (name) (icon("out")) span.hidden { " at PagerDuty" } }
        } @else {
            (name)
        }
    }
}

/// A link may lead to the web and run nothing.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The same text with a capital at its head.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
