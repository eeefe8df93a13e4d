//! What the commands that change an incident have in common: note, wait, and saying what happened.

use clap::Args;
use serde_json::{Map, Value, json};

use super::args::{IncidentArg, WaitArg};
use super::context::Context;
use super::error::{Exit, Failure};
use super::types::{Outcome, There};
use crate::client::Call;

/// An incident, a note, and how long to wait.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    incident: IncidentArg,
    /// Why, for the timeline here and at PagerDuty (`-` reads it from standard input)
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    wait: WaitArg,
}

/// Moves the incident by `verb`, the last part of the API's path.
pub(crate) async fn run(verb: &str, args: ChangeArgs, cx: &mut Context) -> Result<Exit, Failure> {
    run_with(verb, Map::new(), args, cx).await
}

/// The same with more in the body than the note.
pub(crate) async fn run_with(
    verb: &str,
    mut body: Map<String, Value>,
    args: ChangeArgs,
    cx: &mut Context,
) -> Result<Exit, Failure> {
    if let Some(note) = &args.note {
        body.insert("note".to_owned(), json!(cx.text(note)?));
    }
    let call = Call::post(["incidents", &args.incident.id(), verb], body.into());
    send(call, &args.wait, cx).await
}

/// Makes a change and says what came of it.
pub(crate) async fn send(call: Call, wait: &WaitArg, cx: &mut Context) -> Result<Exit, Failure> {
    make(call, wait, cx).await?;
    Ok(Exit::Done)
}

/// The same; the outcome is for saying more about it, where text is wanted.
pub(crate) async fn make(
    call: Call,
    wait: &WaitArg,
    cx: &mut Context,
) -> Result<Option<Outcome>, Failure> {
    let answer = cx.send(call.query("wait", wait.text())).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(None);
    }
    let outcome: Outcome = answer.read()?;
    say(&outcome, cx);
    Ok(Some(outcome))
}

/// `Acknowledged INC-42. PagerDuty: queued`, on two lines when one is too short.
fn say(outcome: &Outcome, cx: &mut Context) {
    let here = outcome.here.text.trim_end_matches('.');
    let there = outcome.there.text.as_str();
    let one_line = !there.contains('\n')
        && here.chars().count() + there.chars().count() + 2 <= usize::from(cx.ui.width);
    if there.is_empty() {
        cx.ui.say(here);
    } else if one_line {
        cx.ui.say(format_args!("{here}. {there}"));
    } else {
        cx.ui.say(here);
        let width = cx.ui.width;
        cx.ui.say(super::table::paragraph(there, 2, width));
    }
    hint(&outcome.there, cx);
}

fn hint(there: &There, cx: &mut Context) {
    if there.state == "queued" && cx.is_local() {
        cx.ui.hint(
            "`im serve` sends what is queued; so does the next command that changes something",
        );
    }
}
