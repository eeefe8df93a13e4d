//! What others do while somebody watches: each line says what happened, and on which side.

use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pd_sim::{IncidentView, Outage};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{CONNECTOR, SERVICES, Stage};
use crate::cli::{table, terminal_width};
use crate::client::Call;

/// Between two acts of a scene.
const BETWEEN_ACTS: Duration = Duration::from_secs(5);
/// Between two scenes, while each kind is shown for the first time.
const BETWEEN_SCENES: Duration = Duration::from_secs(12);
/// And from then on: what happens now should not outweigh the past in figures.
const BETWEEN_LATER_SCENES: Duration = Duration::from_secs(90);
/// How many kinds of scenes there are.
const KINDS: usize = 3;
/// How long the stand-in is away.
const AWAY: Duration = Duration::from_secs(6);
/// What takes longer than this to appear on the other side is not waited for.
const APPEARS_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(25);

const TITLES: [&str; 6] = [
    "Card payments: error rate above 5 %",
    "Checkout: p95 above 3 s",
    "Replica lag above 60 s",
    "Search: p99 latency above 2 s",
    "Mail queue older than 10 min",
    "Invoices are not sent",
];

/// Why a scene ends before its end.
enum Cut {
    /// Somebody pressed Ctrl-C.
    Stopped,
    /// What was to appear did not: whoever tries things out may have had a hand in it.
    Late,
    /// The server does not answer.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Cut {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

type Scene = Result<(), Cut>;

/// An incident of the API, as far as the story looks at it.
#[derive(Deserialize)]
struct Here {
    id: String,
    status: String,
    assignees: Vec<Assignee>,
    pagerduty: Option<Twin>,
}

#[derive(Deserialize)]
struct Assignee {
    name: String,
}

#[derive(Deserialize)]
struct Twin {
    id: Option<String>,
    number: Option<u64>,
}

#[derive(Deserialize)]
struct Declared {
    incident: Here,
    there: There,
}

#[derive(Deserialize)]
struct There {
    text: String,
}

/// How far the reading of the past is.
#[derive(Deserialize)]
struct Backfill {
    state: String,
    #[serde(rename = "rows")]
    read: u64,
}

/// What a data document held.
#[derive(Deserialize)]
struct Imported {
    deployments: u64,
}

/// Prints a text. Whoever closed the terminal does not want to know.
pub(super) fn say(text: &str) {
    let mut out = anstream::stdout();
    let said = writeln!(out, "{text}").and_then(|()| out.flush());
    drop(said);
}

/// Waits for the past, then plays until it is told to stop.
pub(super) async fn run(stage: &Stage, document: &Value) -> anyhow::Result<()> {
    match past(stage, document).await {
        Ok(()) => play(stage).await?,
        Err(Cut::Stopped | Cut::Late) => {}
        Err(Cut::Failed(error)) => return Err(error),
    }
    say("\nEnded. Nothing is left behind.");
    Ok(())
}

/// The account's past is read, then what the company settles is told.
async fn past(stage: &Stage, document: &Value) -> Scene {
    let began = stage.stand_in.clock.now();
    let read = loop {
        let how_far = Call::get(["connectors", CONNECTOR, "backfill"]);
        let how_far: Backfill = stage.send(how_far).await?;
        if how_far.state != "running" {
            break how_far.read;
        }
        rest(stage, LOOK_AGAIN).await?;
    };
    seen_here(
        stage,
        &format!("{read} incidents and log entries of the past are read"),
        began,
    );
    let began = stage.stand_in.clock.now();
    let told: Imported = stage
        .send(Call::put(["data"], document.to_string()))
        .await?;
    let deployments = told.deployments;
    let text = format!("{deployments} deployments, people, hours and targets are told");
    seen_here(stage, &text, began);
    Ok(())
}

/// Plays scene after scene until it is told to stop.
async fn play(stage: &Stage) -> anyhow::Result<()> {
    for round in 0.. {
        match scene(stage, round).await {
            Ok(()) => {}
            Err(Cut::Stopped) => break,
            Err(Cut::Late) => line(
                stage,
                "im",
                "this one takes another course; on with the next",
            ),
            Err(Cut::Failed(error)) => return Err(error),
        }
        let pause = if round < KINDS {
            BETWEEN_SCENES
        } else {
            BETWEEN_LATER_SCENES
        };
        if rest(stage, pause).await.is_err() {
            break;
        }
        say("");
    }
    Ok(())
}

/// One scene, as soon as PagerDuty is there.
async fn scene(stage: &Stage, round: usize) -> Scene {
    while is_away(stage) {
        rest(stage, LOOK_AGAIN).await?;
    }
    match round % KINDS {
        0 => begins_there(stage, round).await,
        1 => begins_here(stage, round).await,
        _ => survives_an_outage(stage, round).await,
    }
}

/// Whether somebody took PagerDuty away.
fn is_away(stage: &Stage) -> bool {
    stage.stand_in.with(|sim| sim.faults().outage.is_some())
}

async fn rest(stage: &Stage, time: Duration) -> Scene {
    tokio::select! {
        () = stage.stop.cancelled() => Err(Cut::Stopped),
        () = tokio::time::sleep(time) => Ok(()),
    }
}

/// Monitoring triggers, somebody takes it there, it is solved here.
async fn begins_there(stage: &Stage, round: usize) -> Scene {
    let account = &stage.stand_in.account;
    let index = round % SERVICES.len();
    let title = pick(&TITLES, index);
    let service = pick(&account.services, index);
    let (user, name, _) = pick(&account.users, round + 3);
    let now = stage.stand_in.clock.now();
    let made = stage.stand_in.with(|sim| {
        let id = sim.trigger(&service.0, title, now)?;
        sim.incident(&id)
    });
    let Some(twin) = made else { return Ok(()) };
    there(
        stage,
        &format!("monitoring triggers #{} {title}", twin.number),
    );
    let began = stage.stand_in.clock.now();
    let here = appears(stage, async || find_here(stage, twin.number).await).await?;
    let id = here.id;
    seen_here(stage, &format!("{id} is {}", here.status), began);

    rest(stage, BETWEEN_ACTS).await?;
    let now = stage.stand_in.clock.now();
    act(stage
        .stand_in
        .with(|sim| sim.acknowledge(user, &twin.id, now)))?;
    there(stage, &format!("{name} acknowledges #{}", twin.number));
    let here = until_here(stage, &id, |here| here.status == "mitigated").await?;
    let assignee = here
        .assignees
        .first()
        .map_or("nobody", |person| &person.name);
    let status = &here.status;
    seen_here(stage, &format!("{id} is {status}, {assignee} has it"), now);

    rest(stage, BETWEEN_ACTS).await?;
    let note = "Rolled the last release back.";
    let body = json!({ "text": note });
    let _: IgnoredAny = stage
        .send(Call::post(["incidents", &id, "notes"], body))
        .await?;
    let began = said_here(stage, &format!("{} notes on {id}: {note}", stage.person));
    until_there(stage, &twin.id, |twin| {
        twin.notes.iter().any(|text| text.starts_with(note))
    })
    .await?;
    seen_there(stage, &format!("#{} has the note", twin.number), began);

    rest(stage, BETWEEN_ACTS).await?;
    resolve_here(stage, &id, &twin).await
}

/// A person declares here, it is taken here, and solved there.
async fn begins_here(stage: &Stage, round: usize) -> Scene {
    let account = &stage.stand_in.account;
    let index = (round + 1) % SERVICES.len();
    let title = pick(&TITLES, index);
    let (user, name, _) = pick(&account.users, round + 1);
    let (id, twin) = declare(stage, title, index).await?;

    rest(stage, BETWEEN_ACTS).await?;
    let path = ["incidents", &id, "acknowledge"];
    let _: IgnoredAny = stage.send(Call::post(path, json!({}))).await?;
    let began = said_here(stage, &format!("{} acknowledges {id}", stage.person));
    until_there(stage, &twin.id, |twin| twin.status == "acknowledged").await?;
    seen_there(
        stage,
        &format!("#{} is acknowledged by {}", twin.number, stage.person),
        began,
    );

    rest(stage, BETWEEN_ACTS).await?;
    let now = stage.stand_in.clock.now();
    act(stage.stand_in.with(|sim| sim.resolve(user, &twin.id, now)))?;
    there(stage, &format!("{name} resolves #{}", twin.number));
    until_here(stage, &id, |here| here.status == "resolved").await?;
    seen_here(stage, &format!("{id} is resolved"), now);
    Ok(())
}

/// PagerDuty is away; work goes on, and what is owed is paid afterwards.
async fn survives_an_outage(stage: &Stage, round: usize) -> Scene {
    let index = (round + 2) % SERVICES.len();
    stage
        .stand_in
        .with(|sim| sim.faults().outage = Some(Outage::Unavailable));
    let seconds = AWAY.as_secs();
    there(stage, &format!("its API is away for {seconds} s"));
    let title = pick(&TITLES, index);
    let body = json!({"title": title, "severity": "SEV-1", "service": pick(&SERVICES, index)});
    let declared: Declared = stage
        .send(Call::post(["incidents"], body).query("wait", "1s"))
        .await?;
    let id = declared.incident.id;
    let began = said_here(stage, &format!("{} declares {id} {title}", stage.person));
    seen_here(stage, &declared.there.text, began);
    let rested = rest(stage, AWAY).await;
    stage.stand_in.with(|sim| sim.faults().outage = None);
    rested?;
    there(stage, "its API is back");
    let began = stage.stand_in.clock.now();
    let twin = twin_of(stage, &id).await?;
    seen_there(
        stage,
        &format!(
            "#{} is triggered: made once, although it was tried several times",
            twin.number
        ),
        began,
    );

    rest(stage, BETWEEN_ACTS).await?;
    resolve_here(stage, &id, &twin).await
}

async fn declare(stage: &Stage, title: &str, index: usize) -> Result<(String, IncidentView), Cut> {
    let body = json!({"title": title, "severity": "SEV-2", "service": pick(&SERVICES, index)});
    let declared: Declared = stage.send(Call::post(["incidents"], body)).await?;
    let id = declared.incident.id;
    let began = said_here(stage, &format!("{} declares {id} {title}", stage.person));
    let twin = twin_of(stage, &id).await?;
    let service = service_name(stage, &twin.service);
    seen_there(
        stage,
        &format!(
            "#{} is triggered on {service}, urgency {}",
            twin.number, twin.urgency
        ),
        began,
    );
    Ok((id, twin))
}

fn service_name(stage: &Stage, id: &str) -> String {
    let services = &stage.stand_in.account.services;
    let found = services.iter().find(|(known, ..)| known == id);
    found.map_or_else(|| id.to_owned(), |(_, name, _)| name.clone())
}

async fn resolve_here(stage: &Stage, id: &str, twin: &IncidentView) -> Scene {
    let body = json!({"note": "Fixed."});
    let _: IgnoredAny = stage
        .send(Call::post(["incidents", id, "resolve"], body))
        .await?;
    let began = said_here(stage, &format!("{} resolves {id}", stage.person));
    until_there(stage, &twin.id, |twin| twin.status == "resolved").await?;
    seen_there(stage, &format!("#{} is resolved", twin.number), began);
    Ok(())
}

/// Looks until something is there. Time in which PagerDuty is away does not count.
async fn appears<T>(
    stage: &Stage,
    look: impl AsyncFn() -> anyhow::Result<Option<T>>,
) -> Result<T, Cut> {
    let waiting = async || {
        loop {
            if let Some(found) = look().await? {
                return Ok::<T, Cut>(found);
            }
            rest(stage, LOOK_AGAIN).await?;
        }
    };
    loop {
        match tokio::time::timeout(APPEARS_WITHIN, waiting()).await {
            Ok(found) => return found,
            Err(_late) if is_away(stage) => {}
            Err(_late) => return Err(Cut::Late),
        }
    }
}

async fn find_here(stage: &Stage, number: u64) -> anyhow::Result<Option<Here>> {
    let newest: Vec<Here> = stage
        .send(Call::get(["incidents"]).query("limit", "20"))
        .await?;
    let is_it = |here: &Here| here.pagerduty.as_ref().and_then(|twin| twin.number) == Some(number);
    Ok(newest.into_iter().find(is_it))
}

async fn until_here(stage: &Stage, id: &str, is_so: impl Fn(&Here) -> bool) -> Result<Here, Cut> {
    appears(stage, async || {
        let incident = stage.send(Call::get(["incidents", id])).await?;
        Ok(Some(incident).filter(|incident| is_so(incident)))
    })
    .await
}

async fn until_there(
    stage: &Stage,
    id: &str,
    is_so: impl Fn(&IncidentView) -> bool,
) -> Result<IncidentView, Cut> {
    appears(stage, async || {
        let incident = stage.stand_in.with(|sim| sim.incident(id));
        Ok(incident.filter(|incident| is_so(incident)))
    })
    .await
}

/// The incident at the stand-in that belongs to one of ours.
async fn twin_of(stage: &Stage, id: &str) -> Result<IncidentView, Cut> {
    let twin = appears(stage, async || {
        let here: Here = stage.send(Call::get(["incidents", id])).await?;
        Ok(here.pagerduty.and_then(|twin| twin.id))
    })
    .await?;
    until_there(stage, &twin, |_| true).await
}

fn act(done: Result<(), String>) -> Scene {
    done.map_err(|why| Cut::Failed(anyhow::anyhow!(why)))
}

/// The lists are not empty; the index goes round.
fn pick<T>(list: &[T], index: usize) -> &T {
    let index = index.checked_rem(list.len()).unwrap_or(0);
    list.get(index)
        .expect("the account and our tables have entries")
}

fn line(stage: &Stage, side: &str, text: &str) {
    let at = stage.stand_in.clock.now().to_zoned(TimeZone::system());
    let head = format!("{}  {side:<9}  ", at.strftime("%H:%M:%S"));
    say(&table::hanging(&head, text, terminal_width()));
}

fn there(stage: &Stage, text: &str) {
    line(stage, "PagerDuty", text);
}

fn said_here(stage: &Stage, text: &str) -> Timestamp {
    line(stage, "im", text);
    stage.stand_in.clock.now()
}

fn seen_here(stage: &Stage, text: &str, since: Timestamp) {
    line(stage, "im", &format!("{text}{}", later(stage, since)));
}

fn seen_there(stage: &Stage, text: &str, since: Timestamp) {
    line(
        stage,
        "PagerDuty",
        &format!("{text}{}", later(stage, since)),
    );
}

/// Milliseconds are what there is to see.
fn later(stage: &Stage, since: Timestamp) -> String {
    let passed = stage.stand_in.clock.now().duration_since(since);
    match passed.as_millis() {
        ms @ ..1_000 => format!(" ({} ms later)", ms.max(1)),
        _ => format!(" ({:.1} s later)", passed.as_secs_f64()),
    }
}
