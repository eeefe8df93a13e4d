//! The account's log: what a page of it tells of incidents, and what is read next.

use im_core::Story;
use im_pagerduty::{Heard, Page};
use im_store::repair::{self, Found, RunRow};
use im_store::{StoreError, Tx, connectors, incidents};
use jiff::Timestamp;

use super::{Phase, Progress, ended_unseen};
use crate::connector::Connector;
use crate::read::{LATE, has_webhook};
use crate::{inbox, log_page, record, whose};

/// Stores a page of the log, and counts what webhooks should have told before.
pub(super) fn page(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: &RunRow,
    page: &[Heard],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (pd_id, said) in log_page::by_incident(page) {
        part(tx, connector, run, pd_id, said, now)?;
    }
    Ok(())
}

/// The cursor follows what is read whole, so a run that dies goes on from there.
pub(super) fn next(
    tx: &mut Tx<'_>,
    connector: &Connector,
    progress: &mut Progress,
    page: &Page<Heard>,
) -> Result<Phase, StoreError> {
    let Some(walk) = &mut progress.walk else {
        return Ok(Phase::Open { offset: 0 });
    };
    let before = walk.covered();
    walk.took(page, Heard::at);
    let after = walk.covered();
    if before != after {
        let known = after.map_or(progress.cursor, |at| at.min(progress.cursor));
        connectors::set_log_cursor(tx, connector.name(), known)?;
    }
    Ok(if after.is_some() {
        Phase::Log
    } else {
        Phase::Open { offset: 0 }
    })
}

/// The walk takes smaller steps.
pub(super) fn too_large(progress: &mut Progress) {
    if let Some(walk) = &mut progress.walk {
        walk.too_large();
    }
}

/// What a page of the log says of one incident.
fn part(
    tx: &mut Tx<'_>,
    connector: &Connector,
    run: &RunRow,
    pd_id: &str,
    said: Vec<&Heard>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(incident) = incidents::by_twin(tx, connector.name(), pd_id)? else {
        if log_page::is_left_out(connector, &said) {
            return Ok(());
        }
        let key = said.iter().find_map(|heard| heard.incident_key.as_deref());
        if !whose::is_anothers(tx, connector, pd_id, key, None)? {
            repair::want(tx, connector.name(), pd_id, run.id, true, now)?;
        }
        return Ok(());
    };
    let news = log_page::news(tx, incident, said)?;
    if news.is_empty() {
        return Ok(());
    }
    let due = news.iter().filter(|heard| is_due(heard, now)).count();
    let before = if connector.hears() && due > 0 {
        record::story(tx, incident, Some(connector))?
    } else {
        None
    };
    let recorded = inbox::apply_together(tx, connector, incident, &news, now)?;
    if connector.hears() && due > 0 {
        // A line that goes was told twice, and is now known for one.
        let told = lines(recorded.story.as_ref()).saturating_sub(lines(before.as_ref()));
        let repaired = i64::try_from(told.min(due)).unwrap_or(i64::MAX);
        let found = Found {
            repaired,
            updated: repaired.min(1),
            ..Found::default()
        };
        repair::count(tx, run.id, found)?;
        connectors::add_repaired(tx, connector.name(), repaired)?;
    }
    if recorded.story.as_ref().is_some_and(ended_unseen) {
        // The log does not say how it looked in the end, nor that it was merged.
        repair::want(tx, connector.name(), pd_id, run.id, false, now)?;
    }
    Ok(())
}

/// Whether a log entry tells something that a webhook should have told before.
fn is_due(heard: &Heard, now: Timestamp) -> bool {
    let late = |at: Timestamp| now.duration_since(at) > LATE;
    let mut facts = heard.facts.iter();
    facts.any(|fact| has_webhook(fact.kind) && late(fact.at))
}

/// How many lines of a timeline webhooks should have told.
fn lines(story: Option<&Story>) -> usize {
    let lines = story.map_or(&[][..], |story| story.lines.as_slice());
    lines.iter().filter(|line| has_webhook(line.kind)).count()
}
