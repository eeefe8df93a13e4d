//! The forms of the page of settings.

use im_core::{Severity, Strategy, Urgency};
use maud::{Markup, html};

use super::{Shown, WHAT, settings_address};
use crate::http::api::types::Named;
use crate::length;
use crate::web::integrations::direction;
use crate::web::parts;

/// What the field is called that has the address of PagerDuty's API.
pub(super) const API: &str = "Address of the API";

const DIRECTIONS: [&str; 4] = ["bidirectional", "inbound", "outbound", "none"];

impl Shown<'_> {
    /// All of them.
    pub(super) fn all(&self) -> Markup {
        html! {
            (self.section("connection", "Connection", &self.connection()))
            @if self.is_signed_in {
                section aria-labelledby="sign-in" {
                    h2 #sign-in { "Sign-in" }
                    div.panel.pad.entry.wide {
                        (parts::form(&format!("/connectors/{}/sign-in", self.connector.name()), self.visit, &html! {
                            p.small { "Renewed by itself. Where PagerDuty has ended it, sign in again by the same app." }
                            p.choices { button.button type="submit" { "Sign in again" } }
                        }))
                    }
                }
            }
            (self.section("services", "Services that are synced", &self.services()))
            section aria-labelledby="service" {
                h2 #service { "Services that are one" }
                p.small { "A service named here when an incident is declared goes to this one of PagerDuty's; every other name goes to the default." }
                (self.answer("service"))
                (self.service_table())
            }
            section aria-labelledby="policy" {
                h2 #policy { "Escalation policies" }
                p.small { "By which policy incidents of a service or a severity page; every other by the default." }
                (self.answer("policy"))
                (self.policy_table())
            }
            (self.section("urgencies", "Urgencies", &self.urgencies()))
            (self.section("priorities", "Priorities", &self.priorities()))
            (self.section("ownership", "Whose value counts", &self.ownership()))
        }
    }

    fn section(&self, what: &str, title: &str, fields: &Markup) -> Markup {
        html! {
            section aria-labelledby=(what) {
                h2 #(what) { (title) }
                (self.answer(what))
                div.panel.pad.entry.wide { (self.form(what, fields)) }
            }
        }
    }

    fn form(&self, what: &str, fields: &Markup) -> Markup {
        parts::form(
            &format!("{}#{what}", settings_address(self.connector.name())),
            self.visit,
            &html! {
                input type="hidden" name=(WHAT) value=(what);
                (fields)
            },
        )
    }

    fn connection(&self) -> Markup {
        const WHAT: &str = "connection";
        let config = &self.connector.config;
        let custom = &config.custom;
        let policy = custom.escalation_policy_id.as_deref().unwrap_or_default();
        let interval = length::write(config.sync_interval.unsigned_abs());
        let set = [
            ("sync_direction", config.sync_direction.as_str()),
            ("sync_interval", &interval),
            ("service_id", &custom.service_id),
            ("policy", policy),
            ("from_email", &custom.from_email),
            ("base_url", &config.base_url),
        ];
        let way = self.text(WHAT, "sync_direction", config.sync_direction.as_str());
        let service = self.text(WHAT, "service_id", &custom.service_id);
        let policy = self.text(WHAT, "policy", policy);
        html! {
            @for (field, set) in set { (self.was(WHAT, field, set)) }
            label { "Direction"
                select name="sync_direction" {
                    @for one in DIRECTIONS { option value=(one) selected[one == way] { (direction(one)) } }
                }
            }
            label { "Compare every"
                input type="text" name="sync_interval" value=(self.text(WHAT, "sync_interval", &interval)) required autocomplete="off";
                span.small { "A length of time like 5m or 1h: how often what webhooks missed is looked for." }
            }
            label { "Service that incidents are declared to" (choice("service_id", &self.choices.services, &service, None)) }
            label { "Escalation policy that they page by" (choice("policy", &self.choices.policies, &policy, Some("The service's own"))) }
            label { "E-mail address to act with"
                input type="email" name="from_email" value=(self.text(WHAT, "from_email", &custom.from_email)) required autocomplete="off";
            }
            label { (API)
                input type="url" name="base_url" value=(self.text(WHAT, "base_url", &config.base_url)) required autocomplete="off";
            }
            div {
                (parts::secret(&html! {
                    label { "Another API key" input type="password" name="api_key" autocomplete="off" spellcheck="false" aria-describedby="key-stays"; }
                }))
                span.small #key-stays { "Left empty, " (self.key) " stays. A new one is tried before it is kept." }
            }
            p.choices { button.button.primary type="submit" { "Change connection" } }
        }
    }

    fn services(&self) -> Markup {
        const WHAT: &str = "services";
        let set = self.connector.config.custom.synced_services.as_ref();
        let is_chosen = match self.typed(WHAT) {
            Some(fields) => fields.get("scope") == "chosen",
            None => set.is_some(),
        };
        let shown: Vec<&str> = match self.typed(WHAT) {
            Some(fields) => fields.all("was_synced").collect(),
            None => set.into_iter().flatten().map(String::as_str).collect(),
        };
        let is_ticked = |id: &str| match self.typed(WHAT) {
            Some(fields) => fields.all("synced").any(|one| one == id),
            None => set.is_some_and(|ids| ids.iter().any(|one| one == id)),
        };
        // One that PagerDuty does not show any more can still be left out.
        let all = &self.choices.services;
        let lost = set
            .into_iter()
            .flatten()
            .filter(|id| !all.iter().any(|one| one.id == **id));
        html! {
            (self.was(WHAT, "scope", if set.is_some() { "chosen" } else { "all" }))
            @for id in shown { input type="hidden" name="was_synced" value=(id); }
            label.tick { input type="radio" name="scope" value="all" checked[!is_chosen]; "All, those that come later too" }
            label.tick { input type="radio" name="scope" value="chosen" checked[is_chosen]; "Only these:" }
            div.ticks {
                @for one in all { label.tick { input type="checkbox" name="synced" value=(one.id) checked[is_ticked(&one.id)]; (one.name) } }
                @for id in lost { label.tick { input type="checkbox" name="synced" value=(id) checked[is_ticked(id)]; (id) } }
            }
            p.small { "Incidents that are here and on other services are kept, in no list and in no figure." }
            p.choices { button.button type="submit" { "Change services" } }
        }
    }

    fn service_table(&self) -> Markup {
        const WHAT: &str = "service";
        let custom = &self.connector.config.custom;
        let rows = &custom.service_mappings;
        html! {
            div.panel.lines {
                @for (ours, theirs) in rows {
                    div.line {
                        span { (ours) } span { (name_of(&self.choices.services, theirs)) }
                        (self.form(WHAT, &html! {
                            input type="hidden" name="ours" value=(ours);
                            button.button type="submit" { "Remove" span.hidden { " " (ours) } }
                        }))
                    }
                }
                div.line { span { "every other" } span { (name_of(&self.choices.services, &custom.service_id)) } }
                (self.form(WHAT, &html! {
                    label { "Name here" input type="text" name="ours" value=(self.text(WHAT, "ours", "")) required autocomplete="off"; }
                    label { "Service of PagerDuty's" (choice("theirs", &self.choices.services, &self.text(WHAT, "theirs", ""), None)) }
                    button.button type="submit" { "Add" }
                }))
            }
        }
    }

    fn policy_table(&self) -> Markup {
        const WHAT: &str = "policy";
        let custom = &self.connector.config.custom;
        let policies = &self.choices.policies;
        let chosen = self.text(WHAT, "severity", "");
        html! {
            div.panel.lines {
                @for line in &custom.escalation_mappings {
                    @let service = line.service.as_deref();
                    @let severity = line.severity.map(Severity::as_str);
                    div.line {
                        span { (service.unwrap_or("any service")) ", " (severity.unwrap_or("any severity")) }
                        span { (name_of(policies, &line.policy)) }
                        (self.form(WHAT, &html! {
                            input type="hidden" name="ours" value=(service.unwrap_or_default());
                            input type="hidden" name="severity" value=(severity.unwrap_or_default());
                            button.button type="submit" { "Remove" }
                        }))
                    }
                }
                div.line {
                    span { "every other" }
                    span { @match &custom.escalation_policy_id { Some(id) => (name_of(policies, id)), None => "the service's own" } }
                }
                (self.form(WHAT, &html! {
                    label { "Service, by its name here" input type="text" name="ours" value=(self.text(WHAT, "ours", "")) placeholder="any" autocomplete="off"; }
                    label { "Severity"
                        select name="severity" {
                            option value="" { "any" }
                            @for severity in Severity::ALL { option value=(severity) selected[severity.as_str() == chosen] { (severity) } }
                        }
                    }
                    label { "Policy" (choice("theirs", policies, &self.text(WHAT, "theirs", ""), None)) }
                    button.button type="submit" { "Add" }
                }))
            }
        }
    }

    fn urgencies(&self) -> Markup {
        const WHAT: &str = "urgencies";
        html! {
            p.small { "By which urgency PagerDuty pages for what is declared here: as each person's rules for high or for low urgency say." }
            @for severity in Severity::ALL {
                @let set = self.connector.mapping.urgency(severity).as_str();
                (self.was(WHAT, severity.as_str(), set))
                @let set = self.text(WHAT, severity.as_str(), set);
                label { (severity) ": " (severity.description())
                    select name=(severity) {
                        @for urgency in [Urgency::High, Urgency::Low] { option value=(urgency.as_str()) selected[urgency.as_str() == set] { (urgency.as_str()) } }
                    }
                }
            }
            p.choices { button.button type="submit" { "Change urgencies" } }
        }
    }

    fn priorities(&self) -> Markup {
        const WHAT: &str = "priorities";
        html! {
            @for severity in Severity::ALL {
                @let set = self.connector.mapping.priority_id(severity).unwrap_or_default();
                (self.was(WHAT, severity.as_str(), set))
                @let set = self.text(WHAT, severity.as_str(), set);
                label { (severity) ": " (severity.description())
                    (choice(severity.as_str(), &self.choices.priorities, &set, Some("No priority")))
                }
            }
            p.choices { button.button type="submit" { "Change priorities" } }
        }
    }

    fn ownership(&self) -> Markup {
        const WHAT: &str = "ownership";
        let was = self.connector.config.custom.ownership.strategy.as_str();
        let strategy = self.text(WHAT, "strategy", was);
        html! {
            (self.was(WHAT, "strategy", was))
            p.small { "Where both sides change a field before either heard of the other." }
            label { "Who decides"
                select name="strategy" {
                    @for one in Strategy::ALL {
                        option value=(one.as_str()) selected[one.as_str() == strategy] {
                            @match one {
                                Strategy::OwnershipPriority => "The owner of the field",
                                Strategy::LastWriteWins => "The later change",
                                Strategy::ManualReview => "A person, each time",
                            }
                        }
                    }
                }
            }
            @for owner in &self.owners {
                @let name = owner.field.replace('_', " ");
                @if let Some(fixed) = owner.fixed {
                    p.small { strong { (parts::capital(&name)) } ": " (side(owner.owner)) ", " (parts::commands(fixed)) }
                } @else {
                    @let names = ["owner", "priority"].map(|of| format!("{of}.{}", owner.field));
                    @let [of_owner, of_weight] = &names;
                    @let was = owner.priority.to_string();
                    @let set = self.text(WHAT, of_owner, owner.owner);
                    @let weight = self.text(WHAT, of_weight, &was);
                    (self.was(WHAT, of_owner, owner.owner))
                    (self.was(WHAT, of_weight, &was))
                    div.weighted {
                        label { (parts::capital(&name)) " belongs to"
                            select name=(of_owner) {
                                @for one in ["platform", "external"] { option value=(one) selected[one == set] { (side(one)) } }
                            }
                        }
                        label { "Weight" input type="number" min="0" max="100" name=(of_weight) value=(weight) required; }
                    }
                }
            }
            p.small { "Weight 0: the later change counts." }
            p.choices { button.button type="submit" { "Change owners" } }
        }
    }
}

fn side(owner: &str) -> &'static str {
    if owner == "platform" {
        "im"
    } else {
        "PagerDuty"
    }
}

fn name_of(all: &[Named], id: &str) -> Markup {
    let name = all
        .iter()
        .find(|one| one.id == id)
        .map(|one| one.name.as_str());
    html! { @match name { Some(name) => { (name) " " span.small { (id) } }, None => (id) } }
}

/// One of PagerDuty's things, or its id where there is no list. What is set and not in the list stays.
pub(in crate::web) fn choice(field: &str, all: &[Named], now: &str, none: Option<&str>) -> Markup {
    let is_known = now.is_empty() || all.iter().any(|one| one.id == now);
    html! {
        @if all.is_empty() {
            input type="text" name=(field) value=(now) required[none.is_none()] autocomplete="off" placeholder="PXXXXXX";
        } @else {
            select name=(field) required[none.is_none()] {
                @match none {
                    Some(none) => { option value="" { (none) } },
                    None => @if now.is_empty() { option value="" { "Choose one" } },
                }
                @if !is_known { option value=(now) selected { (now) } }
                @for one in all { option value=(one.id) selected[one.id == now] { (one.name) } }
            }
        }
    }
}
