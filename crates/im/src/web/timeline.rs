//! What happened, newest first, a heading for each day.

use im_core::{Kind, Line, Status, StatusModel, Story};
use jiff::Timestamp;
use maud::{Markup, html};

use super::{parts, times};

/// The lines of a story.
pub(super) fn show(story: &Story, model: StatusModel, now: Timestamp) -> Markup {
    // Counted from the oldest, so that a line keeps its key when others join.
    let lines: Vec<(usize, &Line)> = story.lines.iter().enumerate().rev().collect();
    let days = lines.chunk_by(|(_, a), (_, b)| date(a.at) == date(b.at));
    html! {
        @for day in days {
            @if let [(_, first), ..] = day {
                h3.day { (times::day(first.at, now)) }
            }
            ol.timeline reversed {
                @for (key, line) in day { (entry(*key, line, shape(line.kind, model), story, now)) }
            }
        }
    }
}

fn date(at: Timestamp) -> String {
    times::utc(at, "%Y-%m-%d")
}

fn entry(
    key: usize,
    line: &Line,
    (icon, tone): (&str, &str),
    story: &Story,
    now: Timestamp,
) -> Markup {
    html! {
        li data-key=(key) {
            div.at { (times::clock(line.at)) }
            span class={ "marker " (tone) } { (parts::icon(icon)) }
            div.what {
                p.sentence { (sentence(line)) }
                @if let Some(note) = line.note().filter(|note| !note.is_empty()) { p.note { (note) } }
                p.meta {
                    (parts::marks(line.seen))
                    @if let Some(service) = &line.service { span.sep { (service) " ·" } }
                    span { (times::ago(line.at, now)) }
                    @if let Some(after) = after(line, story) { span { "· " (after) } }
                }
            }
        }
    }
}

/// The sentence, with the name at its end in bold.
fn sentence(line: &Line) -> Markup {
    let text = line.sentence();
    let by = line
        .actor
        .label()
        .and_then(|name| Some((text.strip_suffix(name)?, name)));
    html! {
        @match by {
            Some((what, name)) => { (what) strong { (name) } },
            None => (text),
        }
    }
}

/// For steps: how long after the beginning.
fn after(line: &Line, story: &Story) -> Option<String> {
    let is_step = matches!(
        line.kind,
        Kind::Acknowledged | Kind::Mitigated | Kind::Resolved | Kind::Linked
    );
    let is_later = line.at.as_second() > story.created_at.as_second();
    (is_step && is_later).then(|| {
        format!(
            "{} after it began",
            times::duration(story.created_at, line.at)
        )
    })
}

/// The picture of a kind, and its colour.
fn shape(kind: Kind, model: StatusModel) -> (&'static str, &'static str) {
    match kind {
        Kind::Triggered => ("warn", "red"),
        Kind::Reopened => ("open", "red"),
        Kind::Acknowledged => (model.shown(Status::Acknowledged).as_str(), "amber"),
        Kind::Mitigated => ("mitigated", "amber"),
        Kind::Unacknowledged => ("clock", "amber"),
        Kind::Resolved => ("resolved", "green"),
        Kind::Closed => ("closed", "grey"),
        Kind::Canceled => ("canceled", "grey"),
        Kind::Duplicate => ("duplicate", "grey"),
        Kind::Assigned | Kind::Delegated | Kind::Responder => ("person", "grey"),
        Kind::Escalated | Kind::SeverityChanged | Kind::UrgencyChanged | Kind::PriorityChanged => {
            ("level", "grey")
        }
        Kind::Exhausted => ("bell", "red"),
        Kind::Notified => ("bell", "grey"),
        Kind::Noted | Kind::StatusUpdated => ("note", "grey"),
        Kind::Titled
        | Kind::Described
        | Kind::ServiceChanged
        | Kind::Spanned
        | Kind::FieldsChanged => ("pen", "grey"),
        Kind::Snoozed => ("clock", "grey"),
        Kind::Linked => ("link", "grey"),
        Kind::Settled => ("sync", "grey"),
        Kind::Deleted | Kind::Seen | Kind::Other => ("dash", "grey"),
    }
}
