//! `im oncall`.

use clap::Args;
use im_core::ConnectorName;
use jiff::Timestamp;
use serde::Deserialize;

use super::context::Context;
use super::error::{Exit, Failure};
use super::types::Named;
use super::{table, time};
use crate::client::Call;

/// Say who is on call, who is next and whom PagerDuty escalates to
///
/// PagerDuty is asked now. Times are those of the local zone (TZ), with their offset. The exit code is 1 when nobody
/// is on call where somebody should be.
#[derive(Debug, Args)]
pub(crate) struct OncallArgs {
    #[command(flatten)]
    of: Of,
    /// Whose PagerDuty to ask, where there are several connectors
    #[arg(long, value_name = "NAME")]
    connector: Option<ConnectorName>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// For a service: our name of it, or PagerDuty's id or name
    #[arg(long)]
    service: Option<String>,
    /// For an escalation policy, by its id or name
    #[arg(long)]
    policy: Option<String>,
    /// What a person is on call for: e-mail address, PagerDuty's id or name
    #[arg(long)]
    user: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Oncall {
    ok: bool,
    service: Option<Service>,
    #[serde(default)]
    policies: Vec<Policy>,
    user: Option<User>,
    #[serde(default)]
    duties: Vec<Duty>,
    looked_until: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Service {
    name: String,
    pagerduty: Named,
    is_default: bool,
}

#[derive(Debug, Deserialize)]
struct Policy {
    id: String,
    name: String,
    applies_to: Option<String>,
    repeats: i64,
    levels: Vec<Level>,
}

#[derive(Debug, Deserialize)]
struct Level {
    #[serde(rename = "level")]
    number: usize,
    after_minutes: Option<i64>,
    delay_minutes: Option<i64>,
    round_robin: bool,
    current: Vec<Turn>,
    next: Vec<Turn>,
    gap: Option<Gap>,
}

#[derive(Debug, Deserialize)]
struct Turn {
    user: User,
    schedule: Option<Named>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct User {
    name: String,
    email: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Gap {
    from: Timestamp,
    until: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Duty {
    policy: Named,
    level: i64,
    current: Option<Turn>,
    next: Option<Turn>,
}

pub(crate) async fn run(args: OncallArgs, cx: &mut Context) -> Result<Exit, Failure> {
    let Of {
        service,
        policy,
        user,
    } = args.of;
    let mut call = Call::get(["oncall"]);
    let connector = args.connector.map(|name| name.to_string());
    let given = [
        ("service", service),
        ("policy", policy),
        ("user", user),
        ("connector", connector),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            call = call.query(name, value);
        }
    }
    let answer = cx.send(call).await?;
    let found: Oncall = answer.read()?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
    } else if let Some(user) = &found.user {
        say_duties(user, &found, cx);
    } else {
        say_policies(&found, cx);
    }
    Ok(Exit::of_checks(found.ok))
}

fn say_policies(found: &Oncall, cx: &mut Context) {
    let several = found.policies.len() > 1;
    for (index, policy) in found.policies.iter().enumerate() {
        if index > 0 {
            cx.ui.say("");
        }
        if let Some(service) = &found.service {
            cx.ui.say(format_args!("Service: {}", service.name));
        }
        if several || found.service.is_none() {
            let which = policy.applies_to.as_deref();
            let which = which.map_or_else(String::new, |which| format!(", {which}"));
            cx.ui.say(format_args!(
                "Policy: {} ({}){which}",
                policy.name, policy.id
            ));
        }
        say_policy(policy, found.looked_until, cx);
    }
    if let Some(service) = found.service.as_ref().filter(|service| service.is_default) {
        cx.ui.hint(format_args!(
            "{} is in no table: its incidents go to the default service {} ({})",
            service.name, service.pagerduty.name, service.pagerduty.id
        ));
    }
}

fn say_policy(policy: &Policy, horizon: Timestamp, cx: &mut Context) {
    let (first, others) = match policy.levels.split_first() {
        Some((first, others)) => (Some(first), others),
        None => (None, policy.levels.as_slice()),
    };
    let current = first.map_or_else(String::new, |level| {
        people(level, &level.current, |turn| until(turn, cx))
    });
    let next = first.map_or_else(String::new, |level| {
        people(level, &level.next, |turn| at(turn.from, cx))
    });
    let is_always = first.is_some_and(|level| {
        !level.current.is_empty() && level.current.iter().all(|turn| turn.schedule.is_none())
    });
    let next = match next.as_str() {
        "" if is_always => "no change: a user stands on the level, not a schedule".to_owned(),
        "" => format!("nobody else before {}", time::offset(horizon, &cx.zone)),
        _ => next,
    };
    let current = if current.is_empty() {
        "nobody".to_owned()
    } else {
        current
    };
    let width = cx.ui.width;
    cx.ui
        .say(table::hanging("Current On-Call: ", &current, width));
    cx.ui.say(table::hanging("Next On-Call: ", &next, width));
    for (index, step) in steps(policy, others).iter().enumerate() {
        let head = if index == 0 {
            "Escalation: "
        } else {
            "            "
        };
        cx.ui.say(table::hanging(head, step, width));
    }
    for level in &policy.levels {
        if let Some(gap) = &level.gap {
            let text = gap_text(level, gap, cx);
            cx.ui.say(table::hanging("Gap: ", &text, width));
        }
    }
}

/// `ann@example.com (until …), bob@example.com (until …)`.
fn people(level: &Level, turns: &[Turn], when: impl Fn(&Turn) -> String) -> String {
    let each: Vec<String> = turns
        .iter()
        .map(|turn| format!("{} ({})", label(&turn.user), when(turn)))
        .collect();
    let all = each.join(", ");
    if level.round_robin && turns.len() > 1 {
        format!("by turns one of {all}")
    } else {
        all
    }
}

fn label(user: &User) -> &str {
    user.email.as_deref().unwrap_or(&user.name)
}

fn until(turn: &Turn, cx: &Context) -> String {
    match turn.until {
        Some(at) => format!("until {}", time::offset(at, &cx.zone)),
        None if turn.schedule.is_none() => "always".to_owned(),
        None => "with no end in sight".to_owned(),
    }
}

fn at(at: Option<Timestamp>, cx: &Context) -> String {
    at.map_or_else(|| "now".to_owned(), |at| time::offset(at, &cx.zone))
}

/// What happens while nobody acknowledges, one line for each step.
fn steps(policy: &Policy, others: &[Level]) -> Vec<String> {
    let mut steps = Vec::new();
    for level in others {
        let names: Vec<&str> = level.current.iter().map(|turn| label(&turn.user)).collect();
        steps.push(match level.after_minutes {
            Some(0) => format!("At once → {}", names.join(", ")),
            Some(minutes) => format!("After {} → {}", length(minutes), names.join(", ")),
            None => format!(
                "Level {}: nobody, so PagerDuty passes over it",
                level.number
            ),
        });
    }
    let asked = |level: &&Level| level.after_minutes.is_some();
    let last = policy.levels.iter().rev().find(asked);
    let end = last.and_then(|level| Some(level.after_minutes? + level.delay_minutes?));
    match (end, policy.repeats) {
        (Some(end), 1..) => steps.push(format!(
            "After {} → again from the first level, {}",
            length(end),
            times(policy.repeats)
        )),
        (Some(_), _) if steps.is_empty() => steps.push("none: there is one level".to_owned()),
        (None, _) => steps.push("none: nobody is on call on any level".to_owned()),
        _ => {}
    }
    steps
}

fn length(minutes: i64) -> String {
    match minutes {
        1 => "1 minute".to_owned(),
        _ => format!("{minutes} minutes"),
    }
}

fn times(count: i64) -> String {
    match count {
        1 => "once".to_owned(),
        _ => format!("{count} times"),
    }
}

fn gap_text(level: &Level, gap: &Gap, cx: &Context) -> String {
    let from = if gap.from <= cx.now {
        "now".to_owned()
    } else {
        format!("from {}", time::offset(gap.from, &cx.zone))
    };
    match gap.until {
        Some(until) => format!(
            "nobody on level {} {from} until {}",
            level.number,
            time::offset(until, &cx.zone)
        ),
        None => format!(
            "nobody on level {} {from}, and nobody is planned",
            level.number
        ),
    }
}

fn say_duties(user: &User, found: &Oncall, cx: &mut Context) {
    let email = user.email.as_deref().unwrap_or("no e-mail address");
    cx.ui.say(format_args!("User: {} ({email})", user.name));
    let width = cx.ui.width;
    let place = |duty: &Duty, turn: &Turn| {
        let schedule = turn.schedule.as_ref();
        let schedule = schedule.map_or_else(String::new, |one| format!(", {}", one.name));
        format!("{}, level {}{schedule}", duty.policy.name, duty.level)
    };
    let mut now = Vec::new();
    let mut later = Vec::new();
    for duty in &found.duties {
        if let Some(turn) = &duty.current {
            now.push(format!("{} ({})", place(duty, turn), until(turn, cx)));
        }
        if let Some(turn) = &duty.next {
            let end = turn.until;
            let end = end.map_or_else(String::new, |end| {
                format!(" until {}", time::offset(end, &cx.zone))
            });
            let from = at(turn.from, cx);
            later.push((turn.from, format!("{} ({from}{end})", place(duty, turn))));
        }
    }
    later.sort();
    if now.is_empty() {
        now.push("for nothing now".to_owned());
    }
    if later.is_empty() {
        let horizon = time::offset(found.looked_until, &cx.zone);
        later.push((None, format!("nothing else before {horizon}")));
    }
    for line in now {
        cx.ui.say(table::hanging("On Call: ", &line, width));
    }
    for (_, line) in later {
        cx.ui.say(table::hanging("Next: ", &line, width));
    }
}
