//! The bar above the list: search, views, filters. All of it links and forms that are sent by address, so
//! that each choice is a view with an address of its own.

use im_core::{Severity, Status};
use maud::{Markup, html};

use super::List;
use super::asked::{Asked, CHOOSE};
use crate::http::api::incidents::asked::{ANY, ME, NOBODY};
use crate::web::address::Address;
use crate::web::layout::Trouble;
use crate::web::load::Choices;
use crate::web::parts::{self, icon};
use crate::web::{Moment, help};

/// The page of all incidents.
pub(super) fn everything() -> Address {
    Address::new("/", Vec::new()).with("status", ANY)
}

/// The bar, and the form of filters if somebody is choosing.
pub(super) fn bar(list: &List, asked: &Asked) -> Markup {
    let address = asked.address.without("before");
    let is_open = asked.chooses;
    html! {
        div.filters {
            (quick(list, &address))
            form.find method="get" action="/" role="search" {
                (address.hidden(&["q"]))
                input #search type="search" name="q" value=[address.get("q")] placeholder="Title or number" aria-label="Search incidents" data-hotkey="/";
            }
            (views(list, asked))
            (chips(&address))
            @if !is_open { a.chip.add data-hotkey="f" href=(address.and(CHOOSE, "filter").link()) { (icon("plus")) "Filter" } }
        }
        @if let Some(choices) = &list.listed.found.choices { (form(list, &address, choices)) }
    }
}

/// Views that most people need.
fn quick(list: &List, now: &Address) -> Markup {
    let plain = Address::new("/", Vec::new());
    let is_known = list.shell.visit.session.is_some();
    let mut all = vec![("Now", plain.clone()), ("All", everything())];
    if is_known {
        let mine = plain.with("status", "active").and("assignee", ME);
        all.push(("Mine", mine));
    }
    all.push(("Unowned", plain.with("unowned", "true")));
    html! {
        nav.toggle aria-label="Views" {
            @for (words, address) in all {
                a href=(address.link()) aria-current=[(address == *now).then_some("true")] { (words) }
            }
        }
    }
}

/// What was saved, and what saves this view.
fn views(list: &List, asked: &Asked) -> Markup {
    let visit = &list.shell.visit;
    let is_new = matches!(asked.asking, Ok(Some(_)));
    if !is_new && list.views.is_empty() {
        return html! {};
    }
    html! {
        details.menu name="menu" {
            summary.chip { "Saved" @if !list.views.is_empty() { b { (list.views.len()) } } (icon("down")) }
            div.pop {
                @if !list.views.is_empty() { ul {
                    @for view in &list.views {
                        li.saved {
                            a href=(view.address) { (view.name) }
                            (parts::form("/views/remove", visit, &html! {
                                (asked.returning())
                                input type="hidden" name="name" value=(view.name);
                                button.quietly type="submit" aria-label={ "Remove the view " (view.name) } { (icon("cross")) }
                            }))
                        }
                    }
                } }
                @if is_new {
                    (parts::form("/views", visit, &html! {
                        (asked.returning())
                        label { "Save this view as" input type="text" name="name" required maxlength="60" autocomplete="off"; }
                        button.button type="submit" { "Save view" }
                    }))
                }
            }
        }
    }
}

/// Each filter, and what takes it away.
fn chips(address: &Address) -> Markup {
    html! {
        @for (name, value) in address.pairs() {
            @let (label, said) = words(name, value);
            span.chip.set {
                (label) @if !said.is_empty() { " " b { (said) } }
                a href=(address.without_value(name, value).link()) aria-label={ "Take away " (label) " " (said) } { (icon("cross")) }
            }
        }
    }
}

/// A filter in words.
fn words(name: &str, value: &str) -> (String, String) {
    let said = match (name, value) {
        ("status", ANY) => "any".to_owned(),
        ("status", "active") => "Active".to_owned(),
        ("status", word) => match Status::parse(word) {
            Some(status) => parts::status_word(status).to_owned(),
            None => word.to_owned(),
        },
        ("assignee", ME | NOBODY) => value.to_owned(),
        ("unowned" | "hidden", "true") => String::new(),
        ("q", text) => format!("\u{201c}{text}\u{201d}"),
        _ => value.to_owned(),
    };
    let label = match name {
        "q" => "Has",
        "assignee" => "Assigned to",
        "hidden" => "On services that are not synced",
        other => other,
    };
    (parts::capital(label), said)
}

/// The form that sets filters, with the values that there are.
fn form(list: &List, address: &Address, choices: &Choices) -> Markup {
    let given = |name: &str, value: &str| address.pairs().any(|pair| pair == (name, value));
    let is_active = |word: &str| Status::parse(word).is_some_and(Status::is_open);
    let has = |name: &str, value: &str| {
        given(name, value) || (name == "status" && is_active(value) && given(name, "active"))
    };
    let get = |name: &str| address.get(name).unwrap_or_default();
    html! {
        form.panel.choose method="get" action="/" aria-label="Filter" {
            (address.hidden(&["status", "severity", "service", "assignee", "connector", "from", "to", "unowned"]))
            div.fields {
                (ticks("Status", "status", Status::ALL.map(|one| (one.as_str().to_owned(), parts::status_word(one).to_owned())), has))
                (ticks("Severity", "severity", Severity::ALL.map(|one| (one.to_string(), one.to_string())), has))
                (select("Service", "service", &choices.services, get("service")))
                label { "Assigned to"
                    input type="text" name="assignee" value=(get("assignee")) list="people" placeholder="Name, e-mail, me or nobody" autocomplete="off";
                    datalist #people { @for name in &choices.people { option value=(name); } }
                }
                @let connectors: Vec<String> = list.shell.health.iter().map(|health| health.name().to_owned()).collect();
                @if !connectors.is_empty() { (select("Connector", "connector", &connectors, get("connector"))) }
                label { "Begun since" input type="date" name="from" value=(get("from")); }
                label { "Begun until" input type="date" name="to" value=(get("to")); }
                label.tick { input type="checkbox" name="unowned" value="true" checked[has("unowned", "true")]; "Nobody is left to page" }
            }
            p.choices {
                button.button.primary type="submit" { "Apply filters" }
                a.button href=(address.link()) data-hotkey="escape" { "Leave as it is" }
            }
        }
    }
}

fn ticks<const N: usize>(
    label: &str,
    name: &str,
    values: [(String, String); N],
    has: impl Fn(&str, &str) -> bool,
) -> Markup {
    html! {
        fieldset {
            legend { (label) }
            @for (value, words) in values {
                label.tick { input type="checkbox" name=(name) value=(value) checked[has(name, &value)]; (words) }
            }
        }
    }
}

fn select(label: &str, name: &str, values: &[String], now: &str) -> Markup {
    let is_other = !now.is_empty() && !values.iter().any(|value| value == now);
    html! {
        label { (label)
            select name=(name) {
                option value="" { "any" }
                @if is_other { option value=(now) selected { (now) } }
                @for value in values { option value=(value) selected[value == now] { (value) } }
            }
        }
    }
}

/// Why the list cannot be asked so.
pub(super) fn refused(asked: &Asked, moment: Moment) -> Markup {
    let Err(error) = &asked.asking else {
        return html! {};
    };
    let trouble = Trouble {
        title: "This cannot be asked",
        error,
        more: html! {},
        choices: html! { a.button href="/" { "Back to the incidents" } (help::link()) },
    };
    trouble.panel(false, moment)
}
