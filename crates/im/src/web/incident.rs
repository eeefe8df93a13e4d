//! One incident: where it stands, what happened, what is known of it.

use im_core::{IncidentNumber, Peer, SeveritySource, StatusModel, Story};
use im_metrics::input::Target;
use jiff::Timestamp;
use maud::{Markup, html};

use super::acts::{self, Shown};
use super::layout::{Live, Page};
use super::load::{Detail, Shell};
use super::pagerduty::Health;
use super::related::Related;
use super::seen_before::Before;
use super::times::Now;
use super::{Moment, due, facts, layout, pagerduty, parts, timeline, times};

/// The page.
pub(super) fn page(
    shell: &Shell,
    detail: &Detail,
    shown: &Shown,
    (before, related, next): (&Before, &Related, &Markup),
    moment: Moment,
) -> Markup {
    let now = moment.now;
    let (story, number) = (&detail.story, detail.row.number);
    let body = html! {
        nav.crumbs aria-label="Breadcrumb" { a href="/" { "Incidents" } " / " span aria-current="page" { (number) } }
        h1 { (story.title) }
        (state(story, shell.model, now))
        (shown.answer())
        (acts::bar(shell, detail, shown))
        (warnings(detail, now))
        (figures(detail, &shell.health, now))
        div.columns {
            section.lines aria-labelledby="timeline" {
                div.head {
                    h2 #timeline { "Timeline" }
                    (shown.lines.choice(&format!("/incidents/{number}")))
                    p.small { "Newest first · " a href=(facts::address(number)) { "Facts as reported" } }
                }
                (acts::note(shell, detail, shown))
                (related.show(shell, detail, now))
                (timeline::show(detail, shown.lines, shell.model, now))
            }
            aside aria-label="About it" {
                (pagerduty::panel(detail, &shell.health, shell.model, now))
                (details(detail, now))
                (before.panel(now))
                (acts::panel(shell, detail, shown, now))
                (next)
            }
        }
    };
    let title = format!("{number} {}", story.title);
    let head = Page {
        title: &title,
        entry: "",
        live: if shown.is_refused() {
            Live::Still
        } else {
            Live::Timeline
        },
    };
    layout::page(&head, shell, moment, &body)
}

/// Severity, status, and how long it has lasted.
fn state(story: &Story, model: StatusModel, now: Now) -> Markup {
    let since = story.created_at;
    html! {
        div.state {
            (parts::severity(story.severity.map(|(severity, _)| severity)))
            (parts::status(model.shown(story.status)))
            p {
                @match (story.status.is_open(), story.resolved_at) {
                    (true, _) => { "Open for " (times::running(since, now.at)) ", since " (times::exact(since, now)) },
                    (false, Some(ended)) => {
                        "Over in " (times::duration(since, ended)) ", from " (times::exact(since, now))
                        " to " (times::exact(ended, now))
                    },
                    (false, None) => { "Begun " (times::exact(since, now)) },
                }
                @if let Some(of) = story.duplicate_of {
                    ". The same as " a href={ "/incidents/" (of) } { (of) }
                }
            }
        }
    }
}

/// What one has to know before anything else.
fn warnings(detail: &Detail, now: Now) -> Markup {
    html! {
        @if let Some(since) = detail.story.unowned_since() {
            p.reason.tone.red { "Nobody has it: its escalation policy came to its end at " (times::exact(since, now)) ", and nobody is left to page." }
        }
        @if detail.row.hidden {
            p.reason { "Its service is not synced any more: what happens in PagerDuty changes nothing here, and it is in no list and in no figure." }
        }
    }
}

/// Four figures in a row.
fn figures(detail: &Detail, health: &[Health], now: Now) -> Markup {
    let story = &detail.story;
    let due = |limit: fn(&Target) -> i64, done: Option<Timestamp>| {
        let target = detail.target.as_ref();
        html! {
            @if let Some(target) = target.filter(|_| done.is_some() || story.status.is_open()) {
                dd.small { (due::judged(limit(target), (story.created_at, done), now.at)) }
            }
        }
    };
    html! {
        dl.figures {
            div {
                dt { "Acknowledge" }
                @match story.acknowledged_at {
                    Some(at) => {
                        dd { "In " (times::duration(story.created_at, at)) }
                        dd.small { "at " (times::exact(at, now)) }
                    }
                    None if story.status.is_open() => {
                        dd.tone.orange { "Not yet" }
                        dd.small { "waiting for " (times::running(story.created_at, now.at)) }
                    }
                    None => { dd { "None" } dd.small { "it ended before" } }
                }
                // A resolve stops this clock, too.
                (due(|target| target.ack_s, story.acknowledged_at.or(story.resolved_at)))
            }
            div {
                dt { "Resolve" }
                @match story.resolved_at {
                    Some(at) => {
                        dd { "In " (times::duration(story.created_at, at)) }
                        dd.small {
                            "at " (times::exact(at, now))
                            @if let Some(by) = &story.resolved_by { ", " (by) }
                        }
                    }
                    None => { dd { "Not yet" } dd.small { "open for " (times::running(story.created_at, now.at)) } }
                }
                (due(|target| target.resolve_s, story.resolved_at))
            }
            div {
                dt { "PagerDuty" }
                (there(detail, health, now))
            }
            div {
                dt { "Assigned" }
                dd { (parts::people(&story.assignees, story.status)) }
                @if let [_, others @ ..] = story.assignees.as_slice() {
                    @if !others.is_empty() { dd.small { "and " (parts::names(others)) } }
                }
            }
        }
    }
}

fn there(detail: &Detail, health: &[Health], now: Now) -> Markup {
    let sure = pagerduty::sure(health, detail);
    let standing = pagerduty::brief(pagerduty::standing(detail), sure);
    html! {
        @match &detail.story.peer {
            Some(peer) => {
                dd { (parts::peer_link(peer)) " " (standing) }
                dd.small { "last change " (times::exact(peer.version, now)) }
            }
            None => {
                dd { (parts::capital(standing)) }
                @if !detail.parts.is_empty() {
                    dd.small {
                        @for (place, (_, part)) in detail.parts.iter().enumerate() {
                            @if place > 0 { ", " }
                            @match &part.story.peer {
                                Some(peer) => (parts::peer_link(peer)),
                                None => "not there",
                            }
                        }
                    }
                }
            },
        }
    }
}

fn details(detail: &Detail, now: Now) -> Markup {
    let story = &detail.story;
    let peer = story.peer.as_ref();
    let helpers = story.helpers();
    let facts = [
        ("Service", story.service.clone()),
        ("Severity", Some(severity(story))),
        ("Major", detail.major.then(|| "Yes".to_owned())),
        (
            "Urgency",
            peer.and_then(|peer| peer.urgency)
                .map(|urgency| parts::capital(urgency.as_str())),
        ),
        (
            "Priority",
            peer.and_then(|peer| named(peer.priority.as_ref())),
        ),
        ("Policy", peer.and_then(|peer| named(peer.policy.as_ref()))),
        ("Teams", peer.and_then(teams)),
        (
            if story.born_here {
                "Declared by"
            } else {
                "Triggered by"
            },
            story.declared_by.label().map(str::to_owned),
        ),
    ];
    html! {
        section.side aria-labelledby="details" {
            h2.h3 #details { "Details" }
            @if let Some(text) = &story.description { p.description { (text) } }
            dl.facts {
                @for (name, value) in facts {
                    @if let Some(value) = value { dt { (name) } dd { (value) } }
                }
                @if let Some(twin) = peer.and_then(|peer| peer.merged_into.as_ref()) {
                    dt { "Merged into" }
                    dd { (merged_into(twin, &detail.merged_into)) }
                }
                @if !helpers.is_empty() {
                    dt { "Asked to help" }
                    dd {
                        @for (place, helper) in helpers.iter().enumerate() {
                            @if place > 0 { ", " }
                            (helper.person.label()) " (" (helper.answer) ")"
                        }
                    }
                }
                @if let Some(at) = story.mobilised_at() {
                    dt { "Mobilised" }
                    dd { (times::exact(at, now)) ", in " (times::duration(story.created_at, at)) }
                }
                @for field in &story.fields { dt { (field.name) } dd { (field.value) } }
            }
        }
    }
}

/// The incidents on the way; PagerDuty's id of the first where that is not here.
fn merged_into(twin: &str, way: &[IncidentNumber]) -> Markup {
    html! {
        @for (place, next) in way.iter().enumerate() {
            @if place > 0 { ", and that into " }
            a href={ "/incidents/" (next) } { (next) }
        }
        @if way.is_empty() { (twin) }
    }
}

/// The severity and how it is known.
fn severity(story: &Story) -> String {
    match story.severity {
        None => "None".to_owned(),
        Some((severity, SeveritySource::Explicit)) => severity.to_string(),
        Some((severity, SeveritySource::Priority)) => format!("{severity}, from the priority"),
        Some((severity, SeveritySource::Inferred)) => {
            format!("{severity}, guessed from the urgency")
        }
    }
}

fn named(named: Option<&im_core::Named>) -> Option<String> {
    named.map(|named| named.name.clone().unwrap_or_else(|| named.id.clone()))
}

fn teams(peer: &Peer) -> Option<String> {
    let names: Vec<String> = peer
        .teams
        .iter()
        .filter_map(|team| named(Some(team)))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}
