//! Pieces that several pages show.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, PreEscaped, html};

use super::seen::Seen;

const SHAPES: &str = include_str!("../../web/assets/shapes.svg");

/// The pictures; each page has them once.
pub(super) fn shapes() -> Markup {
    PreEscaped(SHAPES.to_owned())
}

/// A picture. The word beside it says the same.
pub(super) fn icon(name: &str) -> Markup {
    html! {
        svg.icon aria-hidden="true" width="16" height="16" viewBox="0 0 16 16" {
            use href={ "#i-" (name) } {}
        }
    }
}

/// A status as people see it.
pub(super) fn status(status: &str) -> Markup {
    let (tone, shape) = match status {
        "triggered" => ("red", "open"),
        "acknowledged" => ("amber", "acknowledged"),
        _resolved => ("green", "resolved"),
    };
    html! { span class={ "pill " (tone) } { (icon(shape)) (capital(status)) } }
}

/// A tinted word.
pub(super) fn pill(tone: &str, word: &str) -> Markup {
    html! { span class={ "pill plain " (tone) } { (word) } }
}

/// Who has it.
pub(super) fn people(seen: &Seen, ids: &[String]) -> Markup {
    let Some((first, others)) = ids.split_first() else {
        return html! { span.nobody { "Nobody" } };
    };
    let name = seen.person(first);
    html! {
        span.person {
            span.face aria-hidden="true" { (initials(name)) }
            span.name {
                (name)
                @if !others.is_empty() { span.more { " +" (others.len()) } }
            }
        }
    }
}

fn initials(name: &str) -> String {
    let letters = name.split(' ').filter_map(|word| word.chars().next());
    letters.take(2).flat_map(char::to_uppercase).collect()
}

/// The same text with a capital at its head.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

fn utc(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

/// `14:02:03` on the same day, else with the day.
pub(super) fn time(at: Timestamp, now: Timestamp) -> Markup {
    let same_day = utc(at, "%F") == utc(now, "%F");
    let format = if same_day { "%H:%M:%S" } else { "%-d %b %H:%M" };
    html! {
        time datetime=(utc(at, "%FT%TZ")) title=(utc(at, "%F %T UTC")) { (utc(at, format)) }
    }
}

/// The hands of the clock, written out.
pub(super) fn clock(now: Timestamp) -> String {
    utc(now, "%a %-d %b %Y, %H:%M:%S UTC")
}

/// The same for a name in a URL or an option's value.
pub(super) fn options(rows: &[(String, String)], chosen: Option<&str>) -> Markup {
    html! {
        @for (id, name) in rows {
            option value=(id) selected[chosen == Some(id.as_str())] { (name) }
        }
    }
}

/// Users to choose from.
pub(super) fn users(seen: &Seen, chosen: Option<&str>) -> Markup {
    let rows = seen.account.users.iter();
    let rows: Vec<(String, String)> = rows
        .map(|(id, name, _)| (id.clone(), name.clone()))
        .collect();
    options(&rows, chosen)
}

/// Services to choose from.
pub(super) fn services(seen: &Seen, chosen: Option<&str>) -> Markup {
    let rows = seen.account.services.iter();
    let rows: Vec<(String, String)> = rows
        .map(|(id, name, _)| (id.clone(), name.clone()))
        .collect();
    options(&rows, chosen)
}
