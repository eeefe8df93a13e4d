//! What people say of an incident beside its facts: what holds, who said what when and why, and the form
//! that says more.

use axum::response::{IntoResponse as _, Response};
use im_core::IncidentNumber;
use im_metrics::{CauseSource, named_cause};
use im_store::annotations::{AnnotationRow, Field};
use jiff::Timestamp;
use maud::{Markup, html};

use super::{Act, Acted, Shown, one};
use crate::access::Who;
use crate::access::audit::Note;
use crate::http::api::incidents::annotations;
use crate::http::error::ApiError;
use crate::organisation::Text;
use crate::organisation::annotations::{Annotations, Changes};
use crate::web::guard::{Fields, Visit};
use crate::web::load::{Detail, Shell};
use crate::web::said::Told;
use crate::web::times::Now;
use crate::web::{WebState, parts, times, to};

/// What a field is called.
fn name(field: Field) -> &'static str {
    match field {
        Field::Environment => "Environment",
        Field::Deployment => "Deployment",
        Field::CausedBy => "Caused by",
        Field::NotChangeRelated => "No change caused it",
        Field::Cause => "Cause",
        Field::ImpactStart => "Impact since",
        Field::ImpactEnd => "Impact until",
    }
}

/// Says what the form says, where that is not as it was when the form was shown.
pub(super) async fn annotate(
    state: &WebState,
    visit: &Visit,
    id: &str,
    who: &Who,
    fields: Fields,
) -> Response {
    let done = async {
        let incident: IncidentNumber = id.parse()?;
        let said =
            annotations::annotate(state, incident, changes(&fields, state.moment().now)?, who)
                .await;
        said.map_err(in_words_of_the_form)?;
        Ok(incident)
    };
    match done.await {
        Ok(incident) => {
            let page = format!("/incidents/{incident}");
            let told = Told {
                head: Some(format!("Noted what you say of {incident}.")),
                done: Vec::new(),
                refused: Vec::new(),
            };
            let address = state.said.keep(&page, told);
            let thing = Note::thing(incident.to_string());
            (thing, to(address.as_deref().unwrap_or(&page))).into_response()
        }
        Err(error) => {
            let acted = Acted::refused(Some(Act::Annotate), fields, error);
            one(state, visit, id, acted).await
        }
    }
}

/// What the form asks why by.
const WHY: &str = "Why; needed where a person decides what caused it";

/// What the form calls a field.
fn label(word: &str) -> &'static str {
    let field = Field::ALL.into_iter().find(|field| field.as_str() == word);
    field.map_or(WHY, name)
}

/// A refusal of the API, with the fields as the form calls them.
fn in_words_of_the_form(error: ApiError) -> ApiError {
    let next = match error.code() {
        "reason" => format!("write it under \u{201c}{WHY}\u{201d}"),
        "impact_end" => format!(
            "\u{201c}{}\u{201d} is not before \u{201c}{}\u{201d}: change one of them",
            name(Field::ImpactEnd),
            name(Field::ImpactStart)
        ),
        "caused_by" => format!(
            "write the id of a deployment under \u{201c}{}\u{201d}, or `none` where no deployment caused it",
            name(Field::CausedBy)
        ),
        _ => return error,
    };
    let detail = match error.code() {
        "reason" => "who decides for a person what caused it says why".to_owned(),
        _ => error.detail().to_owned(),
    };
    ApiError::wrong_value("value", detail).hint(next)
}

fn changes(fields: &Fields, now: Now) -> Result<Changes, ApiError> {
    let read = |name: &'static str| {
        let changed = fields.changed(name);
        let text = |text: String| {
            if text.is_empty() {
                return Ok(None);
            }
            let text = Text::try_from(text).map(Some);
            text.map_err(|wrong| {
                let detail = format!("\u{201c}{}\u{201d}: {wrong}", label(name));
                ApiError::wrong_value(name, detail)
            })
        };
        changed.map(text).transpose()
    };
    let instant = |name: &'static str| {
        let Some(text) = fields.changed(name) else {
            return Ok(None);
        };
        let typed = now.typed(&text).map_err(|_not_one| {
            let zone = now.zone();
            ApiError::wrong_value(name, format!("`{text}` is no time")).hint(format!(
                "write a date and a time in {zone}, e.g. 2026-11-30T09:00"
            ))
        })?;
        // Browsers leave out seconds that are zero.
        let was = now.typed(fields.get(&format!("was_{name}")));
        Ok::<_, ApiError>((was.ok() != Some(typed)).then_some(typed))
    };
    let unrelated = fields.changed("not_change_related");
    Ok(Changes {
        environment: read("environment")?,
        deployment: read("deployment")?,
        caused_by: read("caused_by")?,
        not_change_related: unrelated.map(|word| (!word.is_empty()).then_some(true)),
        cause: read("cause")?,
        impact_start: instant("impact_start")?,
        impact_end: instant("impact_end")?,
        reason: read("reason")?.flatten(),
        ..Changes::default()
    })
}

/// What is said of it.
pub(in crate::web) fn panel(shell: &Shell, detail: &Detail, shown: &Shown, now: Now) -> Markup {
    let said = Annotations::of(&detail.said);
    let is_open = shown.typed(Act::Annotate, "").is_some();
    let cause = named_cause(&detail.story).filter(|_| said.cause.is_none());
    if detail.said.is_empty() && cause.is_none() && !shell.visit.may_act() {
        return html! {};
    }
    html! {
        section.side aria-labelledby="said" {
            h2.h3 #said { "What people say of it" }
            @if said.is_empty() && cause.is_none() { p.small { "Nothing is said of its cause, its environment or when it did harm." } }
            @else {
                dl.facts {
                    @if let Some((cause, source)) = &cause {
                        dt { (name(Field::Cause)) }
                        dd {
                            (parts::capital(cause)) ", "
                            @match source {
                                CauseSource::Field => "as a field of the incident says",
                                CauseSource::Note => "as a note says",
                            }
                        }
                    }
                    @for field in Field::ALL {
                        @if let Some(value) = shown_value(&said, field, now) { dt { (name(field)) } dd { (value) } }
                    }
                }
            }
            @if shell.visit.may_act() {
                details.say open[is_open] {
                    summary { "Say more, or otherwise" }
                    (parts::form(&format!("/incidents/{}/annotate", detail.row.number), &shell.visit, &form(&said, shown, now)))
                }
            }
            @if !detail.said.is_empty() { (history(&detail.said, now)) }
        }
    }
}

fn shown_value(said: &Annotations, field: Field, now: Now) -> Option<Markup> {
    let instant = |at: Option<Timestamp>| at.map(|at| times::exact(at, now));
    match field {
        Field::ImpactStart => instant(said.impact_start),
        Field::ImpactEnd => instant(said.impact_end),
        Field::NotChangeRelated => said
            .not_change_related
            .map(|_| html! { "Yes: it is no failure" }),
        Field::Environment | Field::Deployment | Field::CausedBy | Field::Cause => {
            said.value(field).map(|value| html! { (value) })
        }
    }
}

fn form(said: &Annotations, shown: &Shown, now: Now) -> Markup {
    let zone = format!("in {}", now.zone());
    let value = |field: Field| match field {
        Field::ImpactStart => said.impact_start.map(|at| now.input(at)),
        Field::ImpactEnd => said.impact_end.map(|at| now.input(at)),
        Field::Environment
        | Field::Deployment
        | Field::CausedBy
        | Field::NotChangeRelated
        | Field::Cause => said.value(field),
    };
    let entry = |field: Field, kind: &str, help: &str| {
        let word = field.as_str();
        let was = value(field).unwrap_or_default();
        let typed = shown.typed(Act::Annotate, word).unwrap_or(&was);
        let before = format!("was_{word}");
        html! {
            input type="hidden" name=(before) value=(shown.typed(Act::Annotate, &before).unwrap_or(&was));
            label {
                (name(field)) @if !help.is_empty() { ", " (help) }
                input type=(kind) name=(word) value=(typed) step=[(kind == "datetime-local").then_some("1")] autocomplete="off";
            }
        }
    };
    let unrelated = Field::NotChangeRelated.as_str();
    let was = value(Field::NotChangeRelated).unwrap_or_default();
    let typed = shown.typed(Act::Annotate, unrelated).unwrap_or(&was);
    html! {
        (entry(Field::Cause, "text", "in a word or two"))
        (entry(Field::Environment, "text", ""))
        (entry(Field::ImpactStart, "datetime-local", &zone))
        (entry(Field::ImpactEnd, "datetime-local", &zone))
        (entry(Field::Deployment, "text", "that the incident names"))
        (entry(Field::CausedBy, "text", "a deployment, or none"))
        @let before = format!("was_{unrelated}");
        input type="hidden" name=(before) value=(shown.typed(Act::Annotate, &before).unwrap_or(&was));
        label.tick { input type="checkbox" name=(unrelated) value="true" checked[!typed.is_empty()]; (name(Field::NotChangeRelated)) }
        label { (WHY) input type="text" name="reason" value=(shown.typed(Act::Annotate, "reason").unwrap_or_default()) autocomplete="off"; }
        button.button type="submit" { "Say so" }
    }
}

/// Who said what, when and why: the last first.
fn history(rows: &[AnnotationRow], now: Now) -> Markup {
    html! {
        details.say {
            summary { "Who said what" span.number { (rows.len()) } }
            ul.trail {
                @for row in rows.iter().rev() {
                    li {
                        p {
                            b { (row.actor.label().unwrap_or("Somebody at the server's machine")) } ", " (times::exact(row.at, now)) ": "
                            (name(row.field)) " "
                            @match &row.value { Some(value) => (value), None => "taken back" }
                        }
                        @if let Some(reason) = &row.reason { p.small { (reason) } }
                    }
                }
            }
        }
    }
}
