//! What happened, newest first, a heading for each day.

use im_core::{Kind, Line, Peer, Status, StatusModel, Story};
use maud::{Markup, html};

use super::load::Detail;
use super::times::Now;
use super::{parts, times};

/// The parameter that says which lines are shown.
const LINES: &str = "lines";

/// Which lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Lines {
    #[default]
    All,
    /// What people wrote.
    Notes,
    /// What PagerDuty saw.
    There,
}

impl Lines {
    const EACH: [(Self, &'static str, &'static str); 3] = [
        (Self::All, "", "All"),
        (Self::Notes, "notes", "Notes"),
        (Self::There, "pagerduty", "PagerDuty"),
    ];

    /// Those of an address; it may outlive the words.
    pub(super) fn of(pairs: &[(String, String)]) -> Self {
        let given = pairs.iter().find(|(name, _)| name == LINES);
        let found = Self::EACH
            .into_iter()
            .find(|(_, word, _)| given.is_some_and(|(_, given)| given == word));
        found.map(|(lines, ..)| lines).unwrap_or_default()
    }

    fn has(self, line: &Line) -> bool {
        match self {
            Self::All => true,
            Self::Notes => matches!(line.kind, Kind::Noted | Kind::StatusUpdated),
            Self::There => line.seen.peer,
        }
    }

    /// The links to each choice.
    pub(super) fn choice(self, page: &str) -> Markup {
        html! {
            nav.toggle aria-label="Lines of the timeline" {
                @for (lines, word, name) in Self::EACH {
                    @let link = if word.is_empty() { page.to_owned() } else { format!("{page}?{LINES}={word}") };
                    a href=(link) aria-current=[(lines == self).then_some("true")] { (name) }
                }
            }
        }
    }
}

/// The lines of a story.
pub(super) fn show(detail: &Detail, which: Lines, model: StatusModel, now: Now) -> Markup {
    let story = &detail.story;
    // Counted from the oldest, so that a line keeps its key when others join.
    let lines = story.lines.iter().enumerate().rev();
    let lines: Vec<(usize, &Line)> = lines.filter(|(_, line)| which.has(line)).collect();
    let days = lines.chunk_by(|(_, a), (_, b)| now.date(a.at) == now.date(b.at));
    html! {
        @if lines.is_empty() { p.small { "Nothing of that yet." } }
        @for day in days {
            @if let [(_, first), ..] = day {
                h3.day { (times::day(first.at, now)) }
            }
            ol.timeline reversed {
                @for (key, line) in day { (entry(*key, line, shape(line.kind, model), detail, now)) }
            }
        }
    }
}

/// The incidents of PagerDuty's that a line is about, where it was seen there: of several services that of the
/// line's own, or all.
fn twins<'a>(line: &'a Line, detail: &'a Detail) -> impl Iterator<Item = &'a Peer> {
    let is_meant = |service: &str| line.service.as_deref().is_none_or(|own| own == service);
    let parts = detail.parts.iter();
    let parts = parts.filter(move |(service, _)| is_meant(service));
    let stories = std::iter::once(&detail.story).chain(parts.map(|(_, part)| &part.story));
    let peers = stories.filter_map(|story| story.peer.as_ref());
    peers.filter(|_| line.seen.peer)
}

fn entry(key: usize, line: &Line, (icon, tone): (&str, &str), detail: &Detail, now: Now) -> Markup {
    html! {
        li data-key=(key) {
            div.at { (times::clock(line.at, now)) }
            span class={ "marker " (tone) } { (parts::icon(icon)) }
            div.what {
                p.sentence { (sentence(line)) }
                @if let Some(note) = line.note().filter(|note| !note.is_empty()) { p.note { (note) } }
                p.meta {
                    (parts::marks(line.seen))
                    @for peer in twins(line, detail) { (parts::peer_link(peer)) }
                    @if let Some(service) = &line.service { span.sep { (service) " ·" } }
                    span { (times::ago(line.at, now)) }
                    @if let Some(after) = after(line, &detail.story) { span { "· " (after) } }
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
