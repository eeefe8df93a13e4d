//! What can be done to an incident, as forms.

use im_core::Severity;
use maud::{Markup, html};

use super::{ADD_SERVICE, Act, Shown, offered};
use crate::http::api::incidents::acts::Step;
use crate::web::guard::TEXT_CHARS_MAX;
use crate::web::load::{Detail, Shell};
use crate::web::parts;

/// What can be done to an incident now.
pub(in crate::web) fn bar(shell: &Shell, detail: &Detail, shown: &Shown) -> Markup {
    if !shell.visit.may_act() {
        return html! {};
    }
    let visit = &shell.visit;
    let number = detail.row.number;
    let offered = offered(&detail.story, shell.model);
    let has = |step: Step| offered.contains(&step);
    let form = |word: &str, fields: &Markup| {
        parts::form(&format!("/incidents/{number}/{word}"), visit, fields)
    };
    let once = |word: &str, fields: &Markup| {
        parts::form_once(&format!("/incidents/{number}/{word}"), visit, fields)
    };
    html! {
        div.acts role="group" aria-label="What can be done" {
            @if has(Step::Acknowledge) {
                (form("acknowledge", &html! { button.button.primary type="submit" data-hotkey="a" { (parts::icon("acknowledged")) "Acknowledge" } }))
            }
            // Where both are one thing, one button is enough.
            @if has(Step::Mitigate) && !has(Step::Acknowledge) {
                (form("mitigate", &html! { button.button type="submit" { (parts::icon("mitigated")) "Mitigate" } }))
            }
            @if has(Step::Resolve) { (form_of_resolve(shown, !has(Step::Acknowledge), once)) }
            @if has(Step::Reopen) {
                (form("reopen", &html! { button.button type="submit" { (parts::icon("open")) "Reopen" } }))
            }
            @if detail.story.status.is_open() { (menu("Assign", shown, Act::Assign, &form("assign", &to_whom(shown)))) }
            (menu("Severity", shown, Act::Severity, &form("severity", &how_bad(detail))))
            (menu("Edit", shown, Act::Edit, &html! {
                (form("edit", &what_is_said(detail, shown)))
                (form("fields", &own_fields(detail, shown)))
            }))
            details.menu open[is_open(shown)] {
                summary.button { "More" (parts::icon("down")) }
                div.pop.right {
                    @if has(Step::Close) {
                        (form("close", &html! {
                            p.small { "It is over for good, and PagerDuty resolves it." }
                            button.button type="submit" { "Close" }
                        }))
                    }
                    @if has(Step::Cancel) {
                        (form("cancel", &html! {
                            p.small { "It was a false alarm." }
                            button.button type="submit" { "Cancel incident" }
                        }))
                    }
                    @if detail.story.status.is_open() { (form("duplicate", &same(shown))) }
                    (form("delete", &html! {
                        p.small { "PagerDuty resolves it, and it is gone here, with its timeline." }
                        label.tick { input type="checkbox" name="sure" value="yes" required; "Yes, I mean " (number) }
                        button.button.danger type="submit" { "Delete " (number) }
                    }))
                }
            }
        }
    }
}

fn is_open(shown: &Shown) -> bool {
    [Act::Duplicate, Act::Delete]
        .into_iter()
        .any(|act| shown.typed(act, "").is_some())
}

fn menu(name: &str, shown: &Shown, act: Act, form: &Markup) -> Markup {
    // Both forms of editing are behind one button.
    let is_open = shown.typed(act, "").is_some()
        || (act == Act::Edit && shown.typed(Act::Fields, "").is_some());
    let key = match act {
        Act::Edit => Some("e"),
        Act::Assign => Some("i"),
        _ => None,
    };
    html! {
        details.menu open[is_open] {
            summary.button data-hotkey=[key] { (name) (parts::icon("down")) }
            div.pop { (form) }
        }
    }
}

fn form_of_resolve(
    shown: &Shown,
    is_first: bool,
    form: impl Fn(&str, &Markup) -> Markup,
) -> Markup {
    let act = Act::Take(Step::Resolve);
    let class = if is_first { "button primary" } else { "button" };
    let note = shown.typed(act, "note");
    html! {
        details.menu open[note.is_some()] {
            summary class=(class) data-hotkey="r" { (parts::icon("check")) "Resolve" (parts::icon("down")) }
            div.pop {
                (form("resolve", &html! {
                    label { "Note, if there is something to say" textarea name="note" rows="3" maxlength=(TEXT_CHARS_MAX) { (note.unwrap_or_default()) } }
                    button.button.primary type="submit" { "Resolve" }
                }))
            }
        }
    }
}

fn to_whom(shown: &Shown) -> Markup {
    let typed = shown.typed(Act::Assign, "to").unwrap_or_default();
    html! {
        @if shown.people.is_empty() || !typed.is_empty() {
            label { "E-mail addresses, with commas between them" input type="text" name="to" value=(typed) required autocomplete="off"; }
        } @else {
            label { "To"
                select name="to" required {
                    option value="" { "Choose somebody" }
                    @for (id, name) in &shown.people { option value=(id) { (name) } }
                }
            }
        }
        button.button.primary type="submit" { "Assign" }
    }
}

fn how_bad(detail: &Detail) -> Markup {
    let now = detail.story.severity.map(|(severity, _)| severity);
    html! {
        label { "Severity" (severities(now)) }
        button.button.primary type="submit" { "Change severity" }
    }
}

/// Title, description and service; what the form was shown with is sent, too.
fn what_is_said(detail: &Detail, shown: &Shown) -> Markup {
    let story = &detail.story;
    let description = story.description.as_deref().unwrap_or_default();
    let service = story.service.as_deref().unwrap_or_default();
    let typed = |field: &str, now: &str| shown.typed(Act::Edit, field).unwrap_or(now).to_owned();
    html! {
        @for (name, was) in [("title", story.title.as_str()), ("description", description), ("service", service)] {
            @let name = format!("was_{name}");
            input type="hidden" name=(name) value=(typed(&name, was));
        }
        label { "Title" input type="text" name="title" value=(typed("title", &story.title)) required autocomplete="off"; }
        label { "Description" textarea name="description" rows="3" maxlength=(TEXT_CHARS_MAX) { (typed("description", description)) } }
        @if !detail.parts.is_empty() {
            input type="hidden" name="service" value=(service);
            (more_services(detail, shown))
        } @else if shown.services.is_empty() {
            label { "Service" input type="text" name="service" value=(typed("service", service)) autocomplete="off"; }
        } @else {
            @let chosen = typed("service", service);
            label { "Service"
                select name="service" {
                    option value="" selected[chosen.is_empty()] { "None of these" }
                    @if !chosen.is_empty() && !shown.services.contains(&chosen) { option value=(chosen) selected { (chosen) } }
                    @for name in &shown.services { option value=(name) selected[*name == chosen] { (name) } }
                }
            }
        }
        button.button.primary type="submit" { "Save changes" }
    }
}

/// The services of an incident of several, and those that can be added.
fn more_services(detail: &Detail, shown: &Shown) -> Markup {
    let has = |name: &str| detail.story.spans.iter().any(|span| span.service == name);
    let is_ticked = |name: &str| {
        shown
            .typed_all(Act::Edit, ADD_SERVICE)
            .any(|one| one == name)
    };
    html! {
        fieldset {
            legend { "Services" }
            div.ticks {
                @for span in &detail.story.spans { label.tick { input type="checkbox" checked disabled; (span.service) } }
                @for name in shown.services.iter().filter(|name| !has(name)) {
                    label.tick { input type="checkbox" name=(ADD_SERVICE) value=(name) checked[is_ticked(name)]; (name) }
                }
            }
        }
        @if shown.services.is_empty() {
            @let typed = shown.typed(Act::Edit, ADD_SERVICE).unwrap_or_default();
            label { "One more" input type="text" name=(ADD_SERVICE) value=(typed) autocomplete="off"; }
        }
        p.small { "PagerDuty has an incident for each, and pages for one that is added. None is taken away here: resolve its incident at PagerDuty." }
    }
}

/// Fields of people's own, and room for one more.
fn own_fields(detail: &Detail, shown: &Shown) -> Markup {
    let fields = &detail.story.fields;
    let all = |name| shown.typed_all(Act::Fields, name);
    // By name, because others may have set or taken away a field since the form was shown.
    let typed = all("name").map(str::trim).zip(all("value"));
    let typed: Vec<((&str, &str), &str)> = typed.zip(all("was_value")).collect();
    let of = |name: &str| {
        let found = typed.iter().find(|((of, _), _)| *of == name);
        found.map(|((_, value), was)| (*value, *was))
    };
    let is_there = |name: &str| fields.iter().any(|field| field.name == name);
    let new = typed.last().map(|(new, _)| *new);
    let (new_name, new_value) = new.filter(|(name, _)| !is_there(name)).unwrap_or_default();
    html! {
        @for field in fields {
            @let (value, was) = of(&field.name).unwrap_or((&field.value, &field.value));
            input type="hidden" name="name" value=(field.name);
            input type="hidden" name="was_value" value=(was);
            label { (field.name) input type="text" name="value" value=(value) autocomplete="off"; }
        }
        div.pair {
            input type="hidden" name="was_value" value="";
            label { "New field" input type="text" name="name" value=(new_name) autocomplete="off"; }
            label { "Value" input type="text" name="value" value=(new_value) autocomplete="off"; }
        }
        @if !fields.is_empty() { p.small { "A field that is left empty is taken away." } }
        button.button type="submit" { "Save fields" }
    }
}

/// Of which other incident it is a duplicate.
fn same(shown: &Shown) -> Markup {
    let typed = |field| shown.typed(Act::Duplicate, field).unwrap_or_default();
    html! {
        label { "The same as" input type="text" name="of" value=(typed("of")) required placeholder="INC-7" autocomplete="off"; }
        label { "Note, if there is something to say" input type="text" name="note" value=(typed("note")) autocomplete="off"; }
        button.button type="submit" { "Mark as duplicate" }
    }
}

/// A choice of severities.
pub(in crate::web) fn severities(now: Option<Severity>) -> Markup {
    html! {
        select name="severity" {
            @for severity in Severity::ALL {
                option value=(severity) selected[now == Some(severity)] { (severity) ": " (severity.description()) }
            }
        }
    }
}

/// The place for a note, above what happened. What was written for a step that is not possible any
/// more stays here.
pub(in crate::web) fn note(shell: &Shell, detail: &Detail, shown: &Shown) -> Markup {
    if !shell.visit.may_act() {
        return html! {};
    }
    let resolve = Act::Take(Step::Resolve);
    let is_left = !offered(&detail.story, shell.model).contains(&Step::Resolve);
    let left = shown.typed(resolve, "note").filter(|_| is_left);
    let typed = shown.typed(Act::Note, "text").or(left).unwrap_or_default();
    let action = format!("/incidents/{}/note", detail.row.number);
    html! {
        div.write {
            (parts::form_once(&action, &shell.visit, &html! {
                textarea name="text" rows="2" maxlength=(TEXT_CHARS_MAX) data-hotkey="n" aria-label="Note" placeholder="Write a note" required { (typed) }
                button.button type="submit" { "Add note" }
            }))
        }
    }
}
