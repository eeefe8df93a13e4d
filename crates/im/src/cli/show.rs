//! `im show`.

use clap::Args;
use comfy_table::Color;
use im_core::Severity;
use owo_colors::OwoColorize as _;

use super::args::IncidentArg;
use super::context::Context;
use super::error::{Exit, Failure};
use super::types::{Annotations, Incident, Named, Part, Pending, Priority, Twin};
use super::{table, time};
use crate::client::Call;

/// Labels of the incident's own lines are padded to this.
const LABEL_WIDTH: usize = 14;

/// Show an incident and what PagerDuty has of it
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    incident: IncidentArg,
}

pub(crate) async fn run(args: ShowArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let answer = cx
        .send(Call::get(["incidents", &args.incident.id()]))
        .await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let incident: Incident = answer.read()?;
    let head = format!("{}  ", incident.id);
    let title = table::flow(&head, &incident.title, cx.ui.width);
    cx.ui.say(format_args!("{}{}", head.bold(), title.bold()));
    cx.ui.say("");
    let labelled = facts(&incident, cx);
    say_labelled(&labelled, "", cx);
    if let Some(description) = incident
        .description
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        cx.ui.say("");
        let width = cx.ui.width;
        cx.ui.say(table::paragraph(description, 2, width));
    }
    if let Some(twin) = &incident.pagerduty {
        cx.ui.say("");
        say_twin(twin, &incident.assignees, cx);
    }
    for part in &incident.parts {
        cx.ui.say("");
        say_part(part, cx);
    }
    Ok(Exit::Done)
}

/// The colour of a state, in tables and here.
pub(crate) fn color(status: &str) -> Color {
    match status {
        "open" => Color::Red,
        "acknowledged" | "mitigated" => Color::Yellow,
        "resolved" | "closed" => Color::Green,
        _ => Color::Reset,
    }
}

pub(crate) type Labelled = Vec<(&'static str, String)>;

fn facts(incident: &Incident, cx: &Context) -> Labelled {
    let both = |at| time::both(at, &cx.zone, cx.now);
    let mut lines = vec![("Status", status(incident))];
    lines.push(("Severity", severity(incident)));
    if incident.major {
        let why = "one of the two highest priorities, or several came to help";
        lines.push(("Major", format!("yes: {why}")));
    }
    lines.push(("Service", incident.service.clone().unwrap_or_else(none)));
    if !incident.fields.is_empty() {
        let fields = incident.fields.iter();
        let fields: Vec<String> = fields
            .map(|(name, says)| format!("{name}={says}"))
            .collect();
        lines.push(("Fields", fields.join(", ")));
    }
    lines.push(("Assignees", people(&incident.assignees)));
    if !incident.helpers.is_empty() {
        let helpers = incident.helpers.iter();
        let helpers: Vec<String> = helpers
            .map(|helper| format!("{} ({})", helper.name, helper.answer))
            .collect();
        lines.push(("Asked to help", helpers.join(", ")));
    }
    if incident.hidden {
        let why = "its service is not synced any more; it is in no list and in no figure";
        lines.push(("Hidden", why.to_owned()));
    }
    if !incident.merged_into.is_empty() {
        lines.push(("Merged into", incident.merged_into.join(", and that into ")));
    }
    let unowned = |since| format!("since {}: nobody is left to page", both(since));
    lines.extend(
        incident
            .unowned_since
            .map(|since| ("Unowned", unowned(since))),
    );
    lines.push((
        "Declared",
        format!("{}{}", both(incident.created_at), by(incident)),
    ));
    let acts = [
        (
            "Acknowledged",
            incident.acknowledged_at,
            &incident.acknowledged_by,
        ),
        ("Mobilised", incident.mobilised_at, &None),
        ("Mitigated", incident.mitigated_at, &incident.mitigated_by),
        ("Resolved", incident.resolved_at, &incident.resolved_by),
    ];
    for (label, at, by) in acts {
        let by = by.as_ref().map(|who| format!(" by {who}"));
        lines.extend(at.map(|at| (label, format!("{}{}", both(at), by.unwrap_or_default()))));
    }
    if let Some(said) = &incident.annotations {
        lines.extend(annotated(said, cx));
    }
    lines
}

/// What people say of an incident besides.
pub(crate) fn annotated(said: &Annotations, cx: &Context) -> Labelled {
    let both = |at| time::both(at, &cx.zone, cx.now);
    let impact = match (said.impact_start, said.impact_end) {
        (None, None) => None,
        (Some(start), None) => Some(format!("since {}", both(start))),
        (None, Some(end)) => Some(format!("until {}", both(end))),
        (Some(start), Some(end)) => Some(format!("{} until {}", both(start), both(end))),
    };
    let unrelated = said.not_change_related == Some(true);
    let lines = [
        ("Impact", impact),
        ("Cause", said.cause.clone()),
        ("Environment", said.environment.clone()),
        ("Deployment", said.deployment.clone()),
        ("Caused by", said.caused_by.clone()),
        (
            "Change",
            unrelated.then(|| "none caused it: no failure".to_owned()),
        ),
    ];
    let lines = lines.into_iter();
    lines
        .filter_map(|(label, text)| Some((label, text?)))
        .collect()
}

fn status(incident: &Incident) -> String {
    match &incident.duplicate_of {
        Some(other) => format!("{} of {other}", incident.status),
        None => incident.status.clone(),
    }
}

/// `SEV-2 Major functionality impact`, and where it comes from unless somebody said it.
fn severity(incident: &Incident) -> String {
    let Some(word) = &incident.severity else {
        return none();
    };
    let meaning = word.parse::<Severity>().map_or("", Severity::description);
    let source = match incident.severity_source.as_deref() {
        Some("inferred") => " (inferred from PagerDuty's urgency)",
        Some("priority") => " (from PagerDuty's priority)",
        _ => "",
    };
    format!("{word} {meaning}{source}")
}

fn by(incident: &Incident) -> String {
    let person = incident
        .declared_by
        .as_ref()
        .and_then(|actor| actor.name.as_deref().or(actor.id.as_deref()));
    match (person, incident.origin.as_str()) {
        (Some(person), "pagerduty") => format!(" by {person} at PagerDuty"),
        (None, "pagerduty") => " at PagerDuty".to_owned(),
        (Some(person), _) => format!(" by {person}"),
        (None, _) => String::new(),
    }
}

fn none() -> String {
    "none".to_owned()
}

fn people(people: &[Named]) -> String {
    if people.is_empty() {
        return "unassigned".to_owned();
    }
    names(people)
}

fn names(things: &[Named]) -> String {
    if things.is_empty() {
        return none();
    }
    let names: Vec<&str> = things.iter().map(|thing| thing.name.as_str()).collect();
    names.join(", ")
}

fn named(thing: Option<&Named>) -> String {
    thing.map_or_else(none, |thing| {
        if thing.name == thing.id {
            thing.id.clone()
        } else {
            format!("{} ({})", thing.name, thing.id)
        }
    })
}

/// A service of several: `database  PagerDuty #12 via prod`, with what differs from service to service.
fn say_part(part: &Part, cx: &mut Context) {
    let Some(twin) = &part.pagerduty else {
        cx.ui.say(part.service.bold());
        let nobody = ("PagerDuty", "not there: no connector".to_owned());
        return say_labelled(&vec![nobody], "  ", cx);
    };
    cx.ui.say(format_args!(
        "{}  {}",
        part.service.bold(),
        number_and_way(twin)
    ));
    let mut lines = vec![("Status", twin_status(twin))];
    if let Some(url) = &twin.url {
        lines.insert(0, ("URL", url.clone()));
        lines.push(("Policy", named(twin.escalation_policy.as_ref())));
        lines.push(("Service", named(twin.service.as_ref())));
    }
    lines.push(("Here", part.status.clone()));
    lines.extend(owed(twin, cx));
    say_labelled(&lines, "  ", cx);
    hint(twin, cx);
}

fn number_and_way(twin: &Twin) -> String {
    let number = match twin.number {
        Some(number) => format!("PagerDuty #{number}"),
        None => "PagerDuty".to_owned(),
    };
    let via = match &twin.connector {
        Some(name) => format!(" via {name}"),
        None => ", no connector any more".to_owned(),
    };
    format!("{}{via}", number.bold())
}

/// Its state there, and whether that is known.
fn twin_status(twin: &Twin) -> String {
    match &twin.status {
        None if twin.number.is_none() && twin.pending.is_empty() => "not there".to_owned(),
        None if twin.number.is_none() => "not there yet".to_owned(),
        None => none(),
        Some(status) if hears(twin) => status.clone(),
        Some(status) => format!("{status}, when last heard of"),
    }
}

/// Whether both sides are the same, and what is on its way or refused.
fn owed(twin: &Twin, cx: &Context) -> Labelled {
    let mut lines = vec![("In sync", in_sync(twin))];
    for change in &twin.pending {
        let label = if change.is_parked() {
            "Parked"
        } else {
            "Waiting"
        };
        lines.push((label, pending(change, cx)));
    }
    lines
}

fn hint(twin: &Twin, cx: &mut Context) {
    let parked = twin.pending.iter().find(|change| change.is_parked());
    let Some(name) = &twin.connector else { return };
    if let Some(parked) = parked {
        cx.ui.hint(format_args!(
            "`im connector outbox retry {name} {}` sends it again, `discard` gives it up",
            parked.id
        ));
    }
    for conflict in &twin.conflicts {
        cx.ui.hint(format_args!(
            "`im connector conflicts show {name} {conflict}` shows both values; `resolve` decides"
        ));
    }
}

fn say_twin(twin: &Twin, assignees: &[Named], cx: &mut Context) {
    cx.ui.say(number_and_way(twin));
    let word = |text: Option<&String>| text.cloned().unwrap_or_else(none);
    let mut lines: Labelled = Vec::new();
    if twin.number.is_none() && twin.status.is_none() {
        lines.push(("Status", twin_status(twin)));
    } else {
        lines.push(("URL", word(twin.url.as_ref())));
        lines.push(("Status", twin_status(twin)));
        lines.push(("Urgency", word(twin.urgency.as_ref())));
        let priority = twin.priority.as_ref().map(Priority::name);
        lines.push(("Priority", priority.map_or_else(none, str::to_owned)));
        lines.push(("Assignees", people(assignees)));
        lines.push(("Policy", named(twin.escalation_policy.as_ref())));
        lines.push(("Teams", names(&twin.teams)));
        lines.push(("Service", named(twin.service.as_ref())));
    }
    lines.extend(owed(twin, cx));
    say_labelled(&lines, "  ", cx);
    hint(twin, cx);
}

/// Whether what happens at PagerDuty comes here.
fn hears(twin: &Twin) -> bool {
    matches!(twin.direction.as_deref(), Some("bidirectional" | "inbound"))
}

/// Whether both sides are the same, as far as anybody here can know.
fn in_sync(twin: &Twin) -> String {
    let name = twin.connector.as_deref().unwrap_or_default();
    let parked = twin
        .pending
        .iter()
        .filter(|change| change.is_parked())
        .count();
    match (twin.direction.as_deref(), parked) {
        (None, _) => "no, its connector was removed".to_owned(),
        (Some("none"), _) => format!(
            "no, connector {name} is paused; `im connector config {name} --direction bidirectional` resumes it"
        ),
        (_, 1) => "no, PagerDuty refused a change".to_owned(),
        (_, 2..) => format!("no, PagerDuty refused {parked} changes"),
        _ if !twin.conflicts.is_empty() => "no, a conflict waits for a review".to_owned(),
        _ if !twin.pending.is_empty() => "no, changes are on their way".to_owned(),
        (Some("outbound"), _) if twin.in_sync => {
            "PagerDuty has what was done here; what is done there stays there (outbound)".to_owned()
        }
        (Some("inbound"), _) => {
            "what is done there comes here; what is done here stays here (inbound)".to_owned()
        }
        _ if twin.in_sync => "yes".to_owned(),
        _ => "no, and nothing is on its way".to_owned(),
    }
}

/// `resolve, tried 2 times since 09:14, next in 30 s: PagerDuty did not answer`.
pub(crate) fn pending(change: &Pending, cx: &Context) -> String {
    let times = match change.attempts {
        0 => "not tried yet".to_owned(),
        1 => "tried once".to_owned(),
        count => format!("tried {count} times"),
    };
    let since = time::both(change.since, &cx.zone, cx.now);
    let next = match change.next_at {
        Some(at) if !change.is_parked() => format!(", next {}", time::until(at, cx.now)),
        _ => String::new(),
    };
    let reason = match &change.reason {
        Some(reason) => format!(": {reason}"),
        None => String::new(),
    };
    format!("{}, {times}, since {since}{next}{reason}", change.what)
}

pub(crate) fn say_labelled(lines: &Labelled, indent: &str, cx: &mut Context) {
    for (label, text) in lines {
        let head = format!("{indent}{:<LABEL_WIDTH$}", format!("{label}:"));
        let width = cx.ui.width;
        cx.ui.say(table::hanging(&head, text, width));
    }
}
