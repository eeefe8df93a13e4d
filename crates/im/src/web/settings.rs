//! The settings of this installation and of the organisation: what `im config`, `im target`, `im hours` and
//! `im failure-rule` set.
//!
//! A form sends what it was shown as well, so that it changes what its sender changed and nothing else. Its answer
//! shows the part of the page that it is in.
//! What makes sense is decided where the API reads the same things.

mod targets;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use im_core::Severity;
use im_store::accounts::Role;
use im_store::{StoreError, Tx, arrangements};
use jiff::civil::Date;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::guard::{Fields, Visit};
use super::layout::{Live, Page};
use super::load::{self, Shell};
use super::said::{Became, Told};
use super::severities::{self, Follows};
use super::{Pairs, WebState, failed, layout, parts, to};
use crate::access::Who;
use crate::access::audit::Note;
use crate::access::oidc::BACK;
use crate::cli::{hours_of, hours_said};
use crate::http::api::organisation::named::Naming;
use crate::http::api::organisation::{put, put_known, remove};
use crate::http::api::settings::{self as api, Changes, Settings};
use crate::http::error::ApiError;
use crate::organisation::{FailureRule, Hours, Target, Thing};

/// Where it is.
pub(super) const ADDRESS: &str = "/settings";

/// What the form of working hours calls its fields.
const FROM: &str = "From this date on";
const WEEK: &str = "Days and hours";
/// Who never works at given hours.
const NO_HOURS: &str = "none";
/// The parameter that says which part was changed.
const PART: &str = "part";

/// The parts of the page that have a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    General,
    SignIn,
    Targets,
    Hours,
    Rules,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::General,
        Self::SignIn,
        Self::Targets,
        Self::Hours,
        Self::Rules,
    ];

    /// The id of its head.
    fn word(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::SignIn => "by-provider",
            Self::Targets => "targets",
            Self::Hours => "hours",
            Self::Rules => "failure-rules",
        }
    }
}

/// A form that was not done.
struct Refused {
    part: Part,
    fields: Fields,
    error: ApiError,
}

/// What is set.
struct Set {
    shell: Shell,
    settings: Settings,
    targets: Vec<Target>,
    hours: Vec<Hours>,
    rules: Vec<FailureRule>,
    follows: Vec<Follows>,
}

fn set(tx: &mut Tx<'_>, visit: &Visit) -> Result<Set, StoreError> {
    Ok(Set {
        shell: load::shell(tx, visit)?,
        settings: api::read(tx)?,
        targets: arrangements::all(tx, Target::SORT)?,
        hours: arrangements::all(tx, Hours::SORT)?,
        rules: arrangements::all(tx, FailureRule::SORT)?,
        follows: severities::follows(tx)?,
    })
}

/// What is written into the forms.
struct Forms<'a> {
    visit: &'a Visit,
    refused: Option<&'a Refused>,
    /// What the form of a part did.
    became: Option<&'a (Part, Became)>,
}

impl Forms<'_> {
    fn typed<'t>(&'t self, part: Part, name: &str, now: &'t str) -> &'t str {
        let refused = self.refused.filter(|refused| refused.part == part);
        refused.map_or(now, |refused| refused.fields.raw(name))
    }

    fn problem(&self, part: Part) -> Markup {
        html! {
            @if let Some(refused) = self.refused.filter(|refused| refused.part == part) {
                div.answer { (parts::problem(&refused.error)) }
            }
            @if let Some((_, became)) = self.became.filter(|(of, _)| *of == part) { (became.show()) }
        }
    }

    /// A form of a part: its answer begins there.
    fn form(&self, part: Part, path: &str, fields: &Markup) -> Markup {
        parts::form(&format!("{path}#{}", part.word()), self.visit, fields)
    }

    fn entry(&self, part: Part, (name, label, hint): (&str, &str, &str)) -> Markup {
        html! {
            label { (label) input type="text" name=(name) value=(self.typed(part, name, "")) placeholder=(hint) autocomplete="off"; }
        }
    }

    /// What a form was shown at first: who sends it again after it was refused changes nothing else by that.
    fn was(&self, part: Part, name: &str, now: &str) -> Markup {
        let was = format!("was_{name}");
        html! { input type="hidden" name=(was) value=(self.typed(part, &was, now)); }
    }

    /// A setting with what it is now.
    fn setting(&self, part: Part, (name, label, help): (&str, &str, &str), now: &str) -> Markup {
        html! {
            (self.was(part, name, now))
            label {
                (label)
                input type="text" name=(name) value=(self.typed(part, name, now)) autocomplete="off";
                span.small { (help) }
            }
        }
    }

    fn choice(
        &self,
        (name, label, help): (&str, &str, &str),
        now: &str,
        words: [(&str, &str); 2],
    ) -> Markup {
        let typed = self.typed(Part::General, name, now);
        html! {
            (self.was(Part::General, name, now))
            label {
                (label)
                select name=(name) { @for (value, words) in words { option value=(value) selected[value == typed] { (words) } } }
                span.small { (help) }
            }
        }
    }

    fn removing(&self, part: Part, key: &str) -> Markup {
        let action = format!("{ADDRESS}/{}/remove", part.word());
        html! {
            (self.form(part, &action, &html! {
                input type="hidden" name="key" value=(key);
                button.button type="submit" { "Remove" span.hidden { " " (key) } }
            }))
        }
    }
}

pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    pairs: Pairs,
) -> Response {
    let is_part = |part: &Part| {
        pairs
            .iter()
            .any(|(name, word)| name == PART && word == part.word())
    };
    let part = Part::ALL.into_iter().find(is_part);
    let told = part.and_then(|part| Some((part, state.said.told(&pairs)?)));
    page(&state, &visit, &who, (told, None)).await
}

/// Leads to the part of the page that was changed, with a line that says so and what has to be known of it.
fn saved(state: &WebState, part: Part, (text, hint): (String, Option<String>)) -> Response {
    let path = format!("{ADDRESS}?{PART}={}", part.word());
    let mut told = Told::of(text);
    told.warn(hint.as_slice());
    let kept = state.said.keep(&path, told);
    to(&format!("{}#{}", kept.unwrap_or(path), part.word()))
}

async fn page(
    state: &WebState,
    visit: &Visit,
    who: &Who,
    (told, refused): (Option<(Part, Told)>, Option<Refused>),
) -> Response {
    let (moment, looking) = (state.moment(), visit.clone());
    let read = state.db.read(move |tx| {
        let became = told.map(|(part, told)| Ok::<_, StoreError>((part, Became::read(tx, &told)?)));
        Ok::<_, StoreError>((set(tx, &looking)?, became.transpose()?))
    });
    let (set, became) = match read.await {
        Ok(found) => found,
        Err(error) => return failed(&error, moment),
    };
    let refused = refused.as_ref();
    let status = refused.map_or(StatusCode::OK, |refused| refused.error.status);
    let forms = Forms {
        visit,
        refused,
        became: became.as_ref(),
    };
    let body = html! {
        h1 { "Settings" }
        (general(&forms, who, &set.settings))
        @if who.role == Role::Owner { (sign_in(&forms, &set.settings)) }
        (severities::section(&set.follows))
        (targets(&forms, &set.targets))
        (hours(&forms, &set.hours))
        (rules(&forms, &set.rules))
    };
    let head = Page {
        title: "Settings",
        entry: ADDRESS,
        live: Live::Still,
    };
    (status, layout::page(&head, &set.shell, moment, &body)).into_response()
}

fn general(forms: &Forms<'_>, who: &Who, now: &Settings) -> Markup {
    let hides = now.hide_emails.to_string();
    let hops = now.trusted_proxy_hops.to_string();
    let url = now.public_url.as_deref().unwrap_or_default();
    html! {
        section aria-labelledby="general" {
            h2 #general { "This installation" }
            (forms.problem(Part::General))
            div.panel.pad {
                (forms.form(Part::General, ADDRESS, &html! { div.many {
                    (forms.setting(Part::General, ("time_zone", "Time zone of the organisation", "Pages tell times and figures count days in it, e.g. Europe/Berlin"), &now.time_zone))
                    (forms.setting(Part::General, ("test_keyword", "Keyword of tests", "Incidents with it in the title are in no figure; empty for none"), &now.test_keyword))
                    (forms.choice(("status_model", "Status model", "Whether acknowledging is mitigating"), now.status_model, [("documented", "Acknowledging mitigates"), ("lifecycle", "Two states")]))
                    (forms.choice(("hide_emails", "E-mail addresses of PagerDuty's people", "Those of people, teams and hours that were typed in here stay"), &hides, [("false", "Are shown"), ("true", "Are left out")]))
                    (forms.setting(Part::General, ("contact", "Whom people ask for help", "An address like help@example.com, shown on pages of errors and before signing in"), now.contact.as_deref().unwrap_or_default()))
                    (forms.setting(Part::General, ("identity_header", "Header that names a connector at /events", "For webhooks of several accounts at one address"), &now.identity_header))
                    label {
                        "Where changes of connectors are told"
                        input type="text" name="notify_url" value=(forms.typed(Part::General, "notify_url", "")) placeholder=(now.notify_url.as_deref().unwrap_or("https://hooks.example.com/im")) autocomplete="off";
                        span.small { @if now.notify_url.is_some() { "A webhook is set; leave this empty to keep it" } @else { "A webhook; none is set" } }
                    }
                    @if now.notify_url.is_some() {
                        label.tick { input type="checkbox" name="no_notify_url" value="true"; "Tell nobody any more" }
                    }
                    @if who.role == Role::Owner {
                        (forms.setting(Part::General, ("public_url", "Public address of this server", "PagerDuty delivers there, and links to people begin with it"), url))
                        (forms.setting(Part::General, ("trusted_proxy_hops", "Proxies of yours in front of it", "0 believes no X-Forwarded-For"), &hops))
                    }
                    p.choices { button.button.primary type="submit" { "Save settings" } }
                } }))
            }
            @if who.role < Role::Owner {
                p.small.below {
                    "Owners also set the public address (" @if url.is_empty() { "none" } @else { (url) } ") and how many proxies are believed (" (hops) ")."
                }
            }
        }
    }
}

/// How people sign in by OpenID Connect.
fn sign_in(forms: &Forms<'_>, now: &Settings) -> Markup {
    let part = Part::SignIn;
    let text = |set: &Option<String>| set.clone().unwrap_or_default();
    let (issuer, client_id, domains) = (
        text(&now.oidc_issuer),
        text(&now.oidc_client_id),
        text(&now.oidc_domains),
    );
    let has_secret = now.oidc_client_secret.is_some();
    html! {
        section aria-labelledby="by-provider" {
            h2 #by-provider { "Sign-in by a provider" }
            p.small { "By OpenID Connect, beside passwords. Register this server there with the redirect URL:" }
            (parts::copied(None, "Copy redirect URL", html! { (forms.visit.base) (BACK) }))
            (forms.problem(part))
            div.panel.pad {
                (forms.form(part, "/settings/sign-in", &html! { div.many {
                    (forms.setting(part, ("oidc_issuer", "Issuer", "As the provider writes it, e.g. https://accounts.google.com; empty for none"), &issuer))
                    (forms.setting(part, ("oidc_client_id", "Client id", "What this server is called there"), &client_id))
                    label {
                        "Client secret"
                        input type="password" name="oidc_client_secret" autocomplete="off" spellcheck="false";
                        span.small { @if has_secret { "One is set; leave this empty to keep it" } @else { "None is set" } }
                    }
                    @if has_secret {
                        label.tick { input type="checkbox" name="no_secret" value="true"; "No secret any more" }
                    }
                    (forms.setting(part, ("oidc_domains", "Addresses that need no invitation", "Domains with the role that their people begin with, e.g. example.com=viewer; empty for none"), &domains))
                    p.choices { button.button.primary type="submit" { "Save sign-in" } }
                } }))
            }
        }
    }
}

fn targets(forms: &Forms<'_>, all: &[Target]) -> Markup {
    let names = Severity::ALL.map(|severity| severity.to_string());
    let part = Part::Targets;
    let fields = html! {
        label { (targets::OF)
            input type="text" name="name" value=(forms.typed(part, "name", "")) list="targets-of" placeholder="SEV-1, mttr" required autocomplete="off";
            datalist #targets-of {
                @for name in names { option value=(name); }
                @for about in &super::metrics::about::ABOUT { option value=(about.metric.as_str()); }
            }
        }
        (forms.entry(part, ("ack", targets::ACK, "15m")))
        (forms.entry(part, ("resolve", targets::RESOLVE, "4h")))
        (forms.entry(part, ("at_most", targets::AT_MOST, "30m, 15%, a number")))
        (forms.entry(part, ("at_least", targets::AT_LEAST, "2")))
    };
    let kind = Kind {
        part,
        title: "Targets",
        about: "What figures are to reach.",
        heads: ["Of", "Target"],
        button: "Set target",
    };
    kind.section(forms, targets::rows(all), &fields)
}

fn hours(forms: &Forms<'_>, all: &[Hours]) -> Markup {
    let said = |hours: &Hours| {
        let week = serde_json::to_value(&hours.week).unwrap_or_default();
        let week = week.as_object().map(hours_said).unwrap_or_default();
        let zone = hours
            .zone
            .as_ref()
            .map(|zone| format!(", {}", text_of(zone)));
        format!(
            "from {}: {week}{}",
            hours.effective_from,
            zone.unwrap_or_default()
        )
    };
    let rows = all
        .iter()
        .map(|one| Row::new(one.key(), one.of.to_string(), said(one)));
    let fields = html! {
        label { "Whose" input type="text" name="of" value=(forms.typed(Part::Hours, "of", "organisation")) placeholder="organisation, team:ID or person:ID" required autocomplete="off"; }
        label { (FROM) input type="date" name="effective_from" value=(forms.typed(Part::Hours, "effective_from", "")) required; }
        (forms.entry(Part::Hours, ("zone", "Zone; none for each person's own", "Europe/Berlin")))
        label { (WEEK) input type="text" name="week" value=(forms.typed(Part::Hours, "week", "mon-fri=08:00-18:00")) required autocomplete="off"; }
    };
    let kind = Kind {
        part: Part::Hours,
        title: "Working hours",
        about: "Without any: Monday to Friday, 08:00 to 18:00, of each person's clock. Figures of the past follow.",
        heads: ["Whose", "Hours"],
        button: "Set working hours",
    };
    kind.section(forms, rows.collect(), &fields)
}

fn rules(forms: &Forms<'_>, all: &[FailureRule]) -> Markup {
    let said = |rule: &FailureRule| {
        let conditions = [
            ("begun in", rule.origin.clone()),
            ("service", rule.service.as_ref().map(ToString::to_string)),
            ("urgency", rule.urgency.clone()),
            ("priority", rule.priority.as_ref().map(ToString::to_string)),
            ("over in less than", rule.shorter_than.as_ref().map(text_of)),
        ];
        let conditions = conditions.into_iter();
        let said = conditions.filter_map(|(name, value)| Some(format!("{name} {}", value?)));
        let said = said.collect::<Vec<_>>().join(", ");
        match &rule.reason {
            Some(reason) => format!("{said} ({reason})"),
            None => said,
        }
    };
    let rows = all
        .iter()
        .map(|one| Row::new(one.key(), one.id.to_string(), said(one)));
    let fields = html! {
        label { "Name" input type="text" name="id" value=(forms.typed(Part::Rules, "id", "")) placeholder="short-lived" required autocomplete="off"; }
        (forms.entry(Part::Rules, ("shorter_than", "Over in less than", "5m")))
        (forms.entry(Part::Rules, ("origin", "Begun in", "pagerduty or im")))
        (forms.entry(Part::Rules, ("urgency", "Urgency at trigger", "high or low")))
        (forms.entry(Part::Rules, ("service", "Service, by PagerDuty's id", "PXXXXXX")))
        (forms.entry(Part::Rules, ("priority", "Priority, by PagerDuty's id", "PXXXXXX")))
        (forms.entry(Part::Rules, ("reason", "Why, for whoever reads a figure", "")))
    };
    let kind = Kind {
        part: Part::Rules,
        title: "Rules for failures",
        about: "An incident that meets all conditions of a rule is no failure of a change.",
        heads: ["Rule", "Leaves out"],
        button: "Set rule",
    };
    kind.section(forms, rows.collect(), &fields)
}

/// A thing that was set, or holds unless it is.
struct Row {
    /// What takes it away; nothing where it holds by itself.
    key: Option<String>,
    name: String,
    said: String,
}

impl Row {
    fn new(key: String, name: String, said: String) -> Self {
        Self {
            key: Some(key),
            name,
            said,
        }
    }
}

/// Things of which each is set by itself.
struct Kind {
    part: Part,
    title: &'static str,
    about: &'static str,
    heads: [&'static str; 2],
    button: &'static str,
}

impl Kind {
    /// What was set, by key, each with what takes it away; and a form with `fields` that sets another.
    fn section(&self, forms: &Forms<'_>, rows: Vec<Row>, fields: &Markup) -> Markup {
        let word = self.part.word();
        let form = html! { div.many {
            (fields)
            p.choices { button.button type="submit" { (self.button) } }
        } };
        html! {
            section aria-labelledby=(word) {
                h2 id=(word) { (self.title) }
                p.small { (self.about) }
                (forms.problem(self.part))
                @if !rows.is_empty() {
                    div.panel {
                        table.data.items {
                            thead { tr { @for head in self.heads { th scope="col" { (head) } } th scope="col" { span.hidden { "Remove" } } } }
                            tbody {
                                @for row in rows {
                                    tr {
                                        th scope="row" { (row.name) } td.what { (row.said) }
                                        td.num { @if let Some(key) = &row.key { (forms.removing(self.part, key)) } }
                                    }
                                }
                            }
                        }
                    }
                }
                div.panel.pad.set-form { (forms.form(self.part, &format!("{ADDRESS}/{word}"), &form)) }
            }
        }
    }
}

/// A value as documents write it.
fn text_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

pub(super) async fn change(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let changes = Changes {
        status_model: fields.changed("status_model"),
        public_url: fields.changed("public_url"),
        notify_url: kept(&fields, "notify_url", "no_notify_url"),
        trusted_proxy_hops: fields.changed("trusted_proxy_hops").map(Value::from),
        time_zone: fields.changed("time_zone"),
        identity_header: fields.changed("identity_header"),
        hide_emails: fields.changed("hide_emails").map(Value::from),
        test_keyword: fields.changed("test_keyword"),
        contact: fields.changed("contact"),
        ..Changes::default()
    };
    applied(&state, &visit, &who, (Part::General, fields), changes).await
}

pub(super) async fn change_sign_in(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let changes = Changes {
        oidc_issuer: fields.changed("oidc_issuer"),
        oidc_client_id: fields.changed("oidc_client_id"),
        oidc_client_secret: kept(&fields, "oidc_client_secret", "no_secret"),
        oidc_domains: fields.changed("oidc_domains"),
        ..Changes::default()
    };
    applied(&state, &visit, &who, (Part::SignIn, fields), changes).await
}

/// A secret, which no form is shown: left empty it stays as it is, and a tick takes it away.
fn kept(fields: &Fields, name: &str, tick: &str) -> Option<String> {
    if fields.get(tick) == "true" {
        return Some(String::new());
    }
    Some(fields.get(name).to_owned()).filter(|secret| !secret.is_empty())
}

async fn applied(
    state: &WebState,
    visit: &Visit,
    who: &Who,
    form: (Part, Fields),
    changes: Changes,
) -> Response {
    match api::apply(state, changes, who).await {
        Ok(_now) => saved(state, form.0, ("The settings are saved.".to_owned(), None)),
        Err(error) => again(state, visit, who, form, error).await,
    }
}

/// A thing as a document has it: what is empty is not there.
fn thing<T: Thing>(
    fields: &Fields,
    names: &[&str],
    more: Map<String, Value>,
) -> Result<T, ApiError> {
    let mut object = more;
    for name in names {
        let text = fields.get(name);
        if !text.is_empty() {
            object.insert((*name).to_owned(), text.into());
        }
    }
    serde_json::from_value(object.into())
        .map_err(|error| ApiError::wrong_value("value", error.to_string()))
}

/// Refuses a form of which a field is empty, by the words of the page.
fn required(fields: &Fields, names: &[(&str, &str)]) -> Result<(), ApiError> {
    let empty = names.iter().find(|(name, _)| fields.get(name).is_empty());
    let refuse = |(_, label): &(&str, &str)| {
        let detail = format!("\u{201c}{label}\u{201d} is empty");
        ApiError::wrong_value("empty", detail).hint("fill it in, then send the form again")
    };
    empty.map_or(Ok(()), |empty| Err(refuse(empty)))
}

pub(super) async fn put_target(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let read = targets::bounds(&fields)
        .and_then(|more| thing::<Target>(&fields, &["name", "ack", "resolve"], more));
    let done = match read {
        Ok(target) => put(&state, target)
            .await
            .map(|(note, _target)| (note, None)),
        Err(error) => Err(error),
    };
    seen(&state, &visit, &who, (Part::Targets, fields), done).await
}

pub(super) async fn put_hours(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let read = required(&fields, &[("effective_from", FROM)]).and_then(|()| {
        date(FROM, fields.get("effective_from"))?;
        let week = week(fields.get("week"))?;
        let more = Map::from_iter([("week".to_owned(), Value::from(week))]);
        thing::<Hours>(&fields, &["of", "effective_from", "zone"], more)
    });
    stored_known(&state, &visit, &who, (Part::Hours, fields), read).await
}

/// Refuses what is no date, by the words of the page.
fn date(label: &str, text: &str) -> Result<Date, ApiError> {
    let wrong = |_unread| {
        let detail = format!("\u{201c}{label}\u{201d} cannot be `{text}`");
        ApiError::wrong_value("date", detail).hint("write a date like 2026-12-01")
    };
    text.parse().map_err(wrong)
}

/// Days and hours as they are typed; nobody means by an empty field that there are none.
fn week(text: &str) -> Result<Map<String, Value>, ApiError> {
    let wrong = |detail: String| ApiError::wrong_value("week", detail);
    match text {
        NO_HOURS => Ok(Map::new()),
        "" => Err(
            wrong(format!("\u{201c}{WEEK}\u{201d} is empty")).hint(format!(
                "write mon-fri=08:00-18:00, or `{NO_HOURS}` where every page is out of hours"
            )),
        ),
        text => hours_of(text)
            .map_err(|hint| wrong(format!("\u{201c}{WEEK}\u{201d} cannot be `{text}`")).hint(hint)),
    }
}

pub(super) async fn put_rule(
    State(state): State<WebState>,
    visit: Visit,
    who: Who,
    fields: Fields,
) -> Response {
    let names = [
        "id",
        "reason",
        "origin",
        "service",
        "urgency",
        "priority",
        "shorter_than",
    ];
    let read = thing::<FailureRule>(&fields, &names, Map::new());
    stored_known(&state, &visit, &who, (Part::Rules, fields), read).await
}

/// The page once more, with a form that was not done.
async fn again(
    state: &WebState,
    visit: &Visit,
    who: &Who,
    (part, fields): (Part, Fields),
    error: ApiError,
) -> Response {
    let refused = Refused {
        part,
        fields,
        error,
    };
    page(state, visit, who, (None, Some(refused))).await
}

/// Stores a thing that names others, if they are known; what has to be known of it is told on the page.
async fn stored_known<T: Naming>(
    state: &WebState,
    visit: &Visit,
    who: &Who,
    form: (Part, Fields),
    read: Result<T, ApiError>,
) -> Response {
    let done = async {
        let (note, Json(settled)) = put_known(state, read?).await?;
        Ok((note, settled.hint))
    };
    seen(state, visit, who, form, done.await).await
}

/// The page with what was done and what has to be known of it, or with the form and why not.
async fn seen(
    state: &WebState,
    visit: &Visit,
    who: &Who,
    form: (Part, Fields),
    done: Result<(Extension<Note>, Option<String>), ApiError>,
) -> Response {
    match done {
        Ok((note, hint)) => {
            let text = format!("Set {}.", note.thing.as_deref().unwrap_or_default());
            (note, saved(state, form.0, (text, hint))).into_response()
        }
        Err(error) => again(state, visit, who, form, error).await,
    }
}

macro_rules! removals {
    ($($name:ident, $thing:ty, $what:literal, $part:ident;)*) => {$(
        pub(super) async fn $name(
            State(state): State<WebState>,
            fields: Fields,
        ) -> Response {
            let key = fields.get("key");
            match remove::<$thing>(&state, $what, key).await {
                Ok(_gone) => {
                    let note = Note::thing(key.to_owned());
                    let gone = format!(concat!("Removed the ", $what, " {}."), key);
                    (note, saved(&state, Part::$part, (gone, None))).into_response()
                }
                Err(error) => super::refused(&error, state.moment()),
            }
        }
    )*};
}

removals! {
    remove_target, Target, "target", Targets;
    remove_hours, Hours, "hours", Hours;
    remove_rule, FailureRule, "failure rule", Rules;
}
