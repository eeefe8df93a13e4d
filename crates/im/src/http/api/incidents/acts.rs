//! What people do to incidents, by the API and by the pages alike.
//!
//! An act is one transaction here, and a form that is sent twice acts once ([`By`]). What becomes of it there is told by [`Done`], at once or later.
//!
//! Absent: what may be done in which state, which `im_core::decide` says, and the shapes of requests.

use std::collections::HashSet;
use std::time::Duration;

use im_core::{Command, IncidentNumber, NewField, Severity};
use im_engine::commands;
use im_engine::connector;
use im_store::{StoreError, Tx, incidents, sent_forms};
use jiff::Timestamp;

use super::super::outcome::{Added, Here, Known, Outcome, There};
use crate::access::Who;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::wait;

macro_rules! steps {
    ($($(#[$doc:meta])* $step:ident, $did:literal, $was:literal;)*) => {
        /// A step from state to state, which people take by a word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Step {
            $($(#[$doc])* $step,)*
        }

        impl Step {
            /// What is asked by it.
            pub(crate) fn command(self) -> Command {
                match self {
                    $(Self::$step => Command::$step,)*
                }
            }

            /// What happened here: to which incident, and whether anything changed.
            fn told(self, incident: IncidentNumber, changed: bool) -> String {
                match (self, changed) {
                    $(
                        (Self::$step, true) => format!(concat!($did, " {}"), incident),
                        (Self::$step, false) => format!(concat!("{} was ", $was, " already"), incident),
                    )*
                }
            }
        }
    };
}

steps! {
    /// To take it.
    Acknowledge, "Acknowledged", "acknowledged";
    /// The harm is contained.
    Mitigate, "Mitigated", "mitigated";
    /// It is fixed.
    Resolve, "Resolved", "resolved";
    /// It is closed for good.
    Close, "Closed", "closed";
    /// It is open again.
    Reopen, "Reopened", "open";
    /// It was a false alarm.
    Cancel, "Canceled", "canceled";
}

/// An act that was done here.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    /// To which incident.
    pub(crate) incident: IncidentNumber,
    /// Whether anything changed.
    changed: bool,
    /// What happened here, in words.
    pub(super) text: String,
    /// What PagerDuty is to hear of it.
    added: Added,
}

impl Done {
    /// What happened here, in words.
    pub(crate) fn here(&self) -> &str {
        &self.text
    }

    /// Whether anything changed here.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed
    }

    /// What has become of it at PagerDuty until now; `None` where the incident is gone for good.
    pub(crate) fn there(&self, tx: &mut Tx<'_>) -> Result<Option<There>, StoreError> {
        let known = Known::load(tx, self.incident)?;
        Ok(known.map(|known| There::of(&known, &self.added)))
    }

    /// The same with the incident, after at most `wait` for PagerDuty's answer.
    pub(crate) async fn outcome(self, app: &App, wait: Duration) -> Result<Outcome, ApiError> {
        let incident = self.incident;
        let look = async || {
            app.db
                .read(move |tx| Ok::<_, ApiError>(Known::load(tx, incident)?))
                .await?
                .ok_or_else(|| ApiError::no_incident(incident))
        };
        let mut known = look().await?;
        let is_final = |known: &Known| known.is_final(&self.added);
        if !wait.is_zero() && !is_final(&known) {
            let settled =
                wait::until(app, wait, async || Ok(Some(look().await?).filter(is_final))).await?;
            known = match settled {
                Some(settled) => settled,
                None => look().await?,
            };
        }
        let there = There::of(&known, &self.added);
        Ok(Outcome {
            incident: known.whole.incident(),
            here: Here {
                changed: self.changed,
                text: self.text,
            },
            there,
        })
    }
}

/// Who acts, and by which form.
pub(crate) struct By<'a> {
    who: &'a Who,
    /// Tells the form from every other; a request that is no form has none.
    form: Option<String>,
}

impl<'a> By<'a> {
    /// By a form that acts once, however often it is sent.
    pub(crate) fn form(who: &'a Who, digest: Option<String>) -> Self {
        Self { who, form: digest }
    }
}

impl<'a> From<&'a Who> for By<'a> {
    fn from(who: &'a Who) -> Self {
        Self { who, form: None }
    }
}

/// The incident that the same form was about before.
fn sent_before(tx: &mut Tx<'_>, form: Option<&str>) -> Result<Option<IncidentNumber>, StoreError> {
    form.map_or(Ok(None), |form| sent_forms::find(tx, form))
}

fn was_sent(
    tx: &mut Tx<'_>,
    form: Option<&str>,
    incident: IncidentNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    form.map_or(Ok(()), |form| sent_forms::insert(tx, form, incident, now))
}

/// Takes a step, and writes `note` down with it.
pub(crate) async fn take<'a>(
    app: &App,
    incident: IncidentNumber,
    (step, note): (Step, Option<String>),
    by: impl Into<By<'a>>,
) -> Result<Done, ApiError> {
    let told = |incident, changed| step.told(incident, changed);
    act(app, incident, (vec![step.command()], note), by, told).await
}

/// Writes something down.
pub(crate) async fn note<'a>(
    app: &App,
    incident: IncidentNumber,
    text: String,
    by: impl Into<By<'a>>,
) -> Result<Done, ApiError> {
    let told = |incident, _| format!("Added a note to {incident}");
    let commands = vec![Command::Note { text }];
    act(app, incident, (commands, None), by, told).await
}

/// Says that it is the same as another.
pub(crate) async fn duplicate(
    app: &App,
    incident: IncidentNumber,
    (of, note): (&str, Option<String>),
    who: &Who,
) -> Result<Done, ApiError> {
    let of = of.parse().map_err(|error: im_core::ParseIdError| {
        ApiError::wrong_value("no_such_target", error.to_string())
    })?;
    let told = |incident, changed| {
        if changed {
            format!("Marked {incident} as a duplicate")
        } else {
            format!("{incident} was marked as that duplicate already")
        }
    };
    let commands = vec![Command::MarkDuplicate { of }];
    act(app, incident, (commands, note), who, told).await
}

/// Removes it here.
pub(crate) async fn delete(
    app: &App,
    incident: IncidentNumber,
    who: &Who,
) -> Result<Done, ApiError> {
    let told = |incident, _| format!("Deleted {incident}");
    act(app, incident, (vec![Command::Delete], None), who, told).await
}

/// Changes what is said about it.
pub(crate) async fn edit(
    app: &App,
    incident: IncidentNumber,
    commands: Vec<Command>,
    who: &Who,
) -> Result<Done, ApiError> {
    let told = |incident, changed| {
        if changed {
            format!("Changed {incident}")
        } else {
            format!("{incident} was so already")
        }
    };
    act(app, incident, (commands, None), who, told).await
}

/// Does something to an incident, with several commands where they are given in one breath.
pub(super) async fn act<'a>(
    app: &App,
    incident: IncidentNumber,
    (commands, note): (Vec<Command>, Option<String>),
    by: impl Into<By<'a>>,
    told: impl FnOnce(IncidentNumber, bool) -> String,
) -> Result<Done, ApiError> {
    let By { who, form } = by.into();
    let (now, actor) = (app.clock.now(), who.actor.clone());
    let done = app
        .db
        .write(move |tx| {
            let known = Added::known(tx, incident)?;
            if sent_before(tx, form.as_deref())?.is_some() {
                return Ok((true, Added::since(tx, incident, &known)?));
            }
            was_sent(tx, form.as_deref(), incident, now)?;
            let (mut note, mut changed) = (note.as_deref(), false);
            for command in &commands {
                let asked = commands::act(tx, incident, command, note.take(), &actor, now)?;
                changed |= asked.changed;
            }
            Ok::<_, ApiError>((changed, Added::since(tx, incident, &known)?))
        })
        .await;
    let (changed, added) = done?;
    app.signals.nudge();
    Ok(Done {
        incident,
        changed,
        text: told(incident, changed),
        added,
    })
}

/// What an incident begins with.
pub(crate) struct New {
    /// What is wrong, in a line.
    pub(crate) title: String,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// More about it.
    pub(crate) description: Option<String>,
    /// What it affects.
    pub(crate) services: Vec<String>,
    /// Fields of people's own.
    pub(crate) fields: Vec<NewField>,
    /// The connector that tells PagerDuty, where one was named.
    pub(crate) connector: Option<String>,
}

/// Begins an incident.
pub(crate) async fn declare<'a>(
    app: &App,
    new: New,
    by: impl Into<By<'a>>,
) -> Result<Done, ApiError> {
    let By { who, form } = by.into();
    let (now, actor) = (app.clock.now(), who.actor.clone());
    let command = Command::Declare {
        title: new.title,
        severity: new.severity,
        description: new.description.filter(|text| !text.trim().is_empty()),
        services: new.services,
    };
    let (fields, connector) = (new.fields, new.connector);
    let done = app
        .db
        .write(move |tx| {
            let name = connector.as_deref();
            let incident = if let Some(before) = sent_before(tx, form.as_deref())? {
                before
            } else {
                let asked = commands::declare_with(tx, &command, &fields, name, &actor, now)?;
                was_sent(tx, form.as_deref(), asked.incident, now)?;
                asked.incident
            };
            let added = Added::since(tx, incident, &HashSet::new())?;
            Ok::<_, ApiError>((incident, added, chosen(tx, incident)?))
        })
        .await;
    let (incident, added, via) = done?;
    app.signals.nudge();
    let via = via.map(|name| format!(" via {name}")).unwrap_or_default();
    Ok(Done {
        incident,
        changed: true,
        text: format!("Declared {incident}{via}"),
        added,
    })
}

/// Where there are several connectors, people want to know which one was used.
fn chosen(tx: &mut Tx<'_>, incident: IncidentNumber) -> Result<Option<String>, StoreError> {
    if connector::all(tx)?.len() < 2 {
        return Ok(None);
    }
    Ok(incidents::find(tx, incident)?.and_then(|row| row.connector))
}
