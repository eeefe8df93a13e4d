//! What one can see of a world: both sides' state, and what went between them.

use im_core::{IncidentNumber, Kind, Part, Story, fold, gather};
use im_engine::{connector, parts, record};
use im_store::connectors::ConnectorRow;
use im_store::incidents::IncidentRow;
use im_store::outbox::OutboxRow;
use im_store::repair::RunRow;
use im_store::{connectors, facts, inbox, incidents, outbox, repair};

use super::{CONNECTOR, World};

impl World {
    /// The story here.
    pub(crate) fn story(&mut self, incident: IncidentNumber) -> Story {
        self.write(|tx| {
            let connector = connector::load(tx, CONNECTOR)?;
            Ok(record::story(tx, incident, connector.as_ref())?.unwrap())
        })
    }

    /// The timeline here, a line each.
    pub(crate) fn timeline(&mut self, incident: IncidentNumber) -> String {
        let story = self.story(incident);
        let line = |line: &im_core::Line| {
            let sides = match (line.seen.here, line.seen.peer) {
                (true, true) => "both",
                (true, false) => "im",
                (false, _) => "PD",
            };
            let note = line
                .note()
                .map(|note| format!(": {note}"))
                .unwrap_or_default();
            format!(
                "{} [{sides}] {}{note}\n",
                line.at.strftime("%H:%M:%S"),
                line.text()
            )
        };
        story.lines.iter().map(line).collect()
    }

    /// PagerDuty's id of an incident's twin.
    pub(crate) fn twin(&mut self, incident: IncidentNumber) -> String {
        self.story(incident).peer.expect("it has a twin").id
    }

    /// PagerDuty's own state of a twin.
    pub(crate) fn there(&self, twin: &str) -> String {
        self.sim
            .incident(twin)
            .expect("the twin exists")
            .status
            .to_owned()
    }

    /// Everything that is listed here, newest first.
    pub(crate) fn list(&mut self) -> Vec<incidents::IncidentRow> {
        self.write(|tx| {
            incidents::list(
                tx,
                &incidents::Filter {
                    limit: 1_000,
                    ..incidents::Filter::default()
                },
            )
        })
    }

    /// Every incident that was ever here, oldest first, each with its parts before it.
    pub(crate) fn everything(&mut self) -> Vec<IncidentRow> {
        let mut rows = Vec::new();
        let mut number = 1;
        while let Some(row) = IncidentNumber::new(number)
            .and_then(|number| self.write(|tx| incidents::find(tx, number)))
        {
            let parts = (1..).take(usize::try_from(row.parts).unwrap());
            let parts = parts.map(|index| row.number.part(index));
            rows.extend(parts.map(|part| self.write(|tx| Ok(incidents::find(tx, part)?.unwrap()))));
            rows.push(row);
            number += 1;
        }
        rows
    }

    /// Rows that are not the fold of their facts.
    pub(crate) fn unfaithful(&mut self) -> Vec<String> {
        let rows = self.everything();
        rows.iter()
            .filter_map(|row| self.unfaithful_row(row))
            .collect()
    }

    /// The row is the fold of the facts, in whatever order and however often they are told.
    pub(crate) fn unfaithful_row(&mut self, row: &IncidentRow) -> Option<String> {
        let connector = self.write(|tx| connector::load(tx, CONNECTOR)).unwrap();
        let mapping = row.connector.as_ref().map(|_| &connector.mapping);
        let mut told = self.write(|tx| facts::of_incident(tx, row.number)).to_vec();
        let mut story = fold(&told, mapping)?;
        told.extend(told.clone().into_iter().step_by(3));
        self.rng.shuffle(&mut told);
        if fold(&told, mapping).as_ref() != Some(&story) {
            return Some(format!("{}: the order of the facts counts", row.number));
        }
        let numbers = parts::of(row.number, &story);
        let hidden = if numbers.is_empty() {
            mapping.is_some_and(|mapping| mapping.hides(&story))
        } else {
            let rows: Vec<IncidentRow> = numbers
                .iter()
                .filter_map(|(part, _)| self.write(|tx| incidents::find(tx, *part)))
                .collect();
            !rows.is_empty() && rows.iter().all(|row| row.hidden)
        };
        let parts = numbers.into_iter();
        let parts: Vec<Part> = parts
            .map(|(part, service)| (service, self.story(part)))
            .collect();
        if !parts.is_empty() {
            story = gather(story, &parts);
        }
        let written = self.write(|tx| {
            incidents::update(tx, row.number, &story, hidden)?;
            Ok(incidents::find(tx, row.number)?.unwrap())
        });
        let written = IncidentRow {
            version: row.version,
            ..written
        };
        (written != *row).then(|| {
            format!(
                "{}: the row is {row:?}, and its facts say {written:?}",
                row.number
            )
        })
    }

    pub(crate) fn outbox(&mut self) -> Vec<OutboxRow> {
        self.write(|tx| outbox::of_connector(tx, CONNECTOR, 1_000))
    }

    pub(crate) fn connector(&mut self) -> ConnectorRow {
        self.write(|tx| Ok(connectors::find(tx, CONNECTOR)?.unwrap()))
    }

    /// How often a call was made.
    pub(crate) fn called(&self, name: &str) -> usize {
        self.calls.iter().filter(|call| **call == name).count()
    }

    /// Our number of one of PagerDuty's incidents.
    pub(crate) fn number_of(&mut self, twin: &str) -> Option<IncidentNumber> {
        self.write(|tx| incidents::by_twin(tx, CONNECTOR, twin))
    }

    /// How many lines of this kind the timeline has.
    pub(crate) fn count(&mut self, incident: IncidentNumber, kind: Kind) -> usize {
        let story = self.story(incident);
        story.lines.iter().filter(|line| line.kind == kind).count()
    }

    /// The notes here, oldest first.
    pub(crate) fn notes(&mut self, incident: IncidentNumber) -> Vec<String> {
        let story = self.story(incident);
        let notes = story.lines.iter().filter(|line| line.kind == Kind::Noted);
        notes
            .filter_map(im_core::Line::note)
            .map(str::to_owned)
            .collect()
    }

    /// How many events are in this state.
    pub(crate) fn events(&mut self, state: &str) -> i64 {
        let counts = self.write(|tx| inbox::counts(tx, CONNECTOR));
        counts
            .into_iter()
            .find(|(have, _)| have == state)
            .map_or(0, |(_, count)| count)
    }

    /// The last repair that ended.
    pub(crate) fn last_run(&mut self) -> RunRow {
        self.write(|tx| Ok(repair::last(tx, CONNECTOR)?.unwrap()))
    }

    /// The repair that is under way.
    pub(crate) fn run_under_way(&mut self) -> Option<RunRow> {
        self.write(|tx| repair::unfinished(tx, CONNECTOR))
    }

    /// How many notifications PagerDuty sent for an incident, e-mails apart.
    pub(crate) fn pages(&self, twin: &str) -> usize {
        let pages = self.sim.pages().iter();
        pages
            .filter(|page| page.incident == twin && page.channel != "email")
            .count()
    }

    /// How many writes reached PagerDuty and were granted.
    pub(crate) fn writes(&self) -> usize {
        let writes = self.sim.writes().iter();
        writes
            .filter(|write| write.path.starts_with("/incidents") && write.status < 300)
            .count()
    }
}
