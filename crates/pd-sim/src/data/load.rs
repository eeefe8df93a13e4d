//! Loading an account, file by file, line by line.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::read::{BadFile, Fields, Read, Wrong};
use crate::Sim;
use crate::ids::Ids;
use crate::options::Options;
use crate::state::{Entry, World};

/// An account that is being loaded.
#[derive(Debug)]
pub struct Loading {
    pub(super) sim: Sim,
    /// The first entry of each incident, by name, until the entries are there.
    pub(super) first_entries: Vec<Option<String>>,
    /// Which incident ended in which.
    pub(super) merged: Vec<(usize, String)>,
    /// Entries with their incident, in the order of the file.
    pub(super) entries: Vec<Entry>,
    pub(super) has_notes: bool,
    pub(super) has_alerts: bool,
    pub(super) kinds: HashMap<String, &'static str>,
}

impl Loading {
    /// Starts with an empty account.
    pub fn new(options: Options, now: Timestamp) -> Self {
        Self {
            sim: Sim::new(options, now),
            first_entries: Vec::new(),
            merged: Vec::new(),
            entries: Vec::new(),
            has_notes: false,
            has_alerts: false,
            kinds: HashMap::new(),
        }
    }

    pub(super) fn world(&mut self) -> &mut World {
        &mut self.sim.world
    }

    /// Takes a file that is one JSON document.
    pub fn document(&mut self, file: &str, text: &str) -> Result<(), BadFile> {
        match file {
            "team_members.json" | "account.json" => {
                let fields = Fields::of(text).map_err(|wrong| wrong.at(file, 1))?;
                let done = match file {
                    "account.json" => self.rest_of_it(&fields),
                    _ => self.members(&fields),
                };
                done.map_err(|wrong| wrong.at(file, 1))
            }
            _ => self.rows(file, text),
        }
    }

    fn rows(&mut self, file: &str, text: &str) -> Result<(), BadFile> {
        let rows: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
            let reason = format!("must be a JSON array of objects: {error}");
            let wrong = Wrong {
                field: None,
                reason,
            };
            wrong.at(file, error.line().max(1))
        })?;
        for row in rows {
            let done = Fields::of(row.get()).and_then(|fields| self.row(file, &fields));
            done.map_err(|wrong| wrong.at(file, line_of(text, row.get())))?;
        }
        Ok(())
    }

    fn row(&mut self, file: &str, fields: &Fields<'_>) -> Read<()> {
        match file {
            "users.json" => self.user(fields),
            "teams.json" => self.team(fields),
            "priorities.json" => self.priority(fields),
            "schedules.json" => self.schedule(fields),
            "escalation_policies.json" => self.policy(fields),
            "services.json" => self.service(fields),
            "maintenance_windows.json" => self.window(fields),
            "change_events.json" => self.change_event(fields),
            _ => Err(Wrong {
                field: None,
                reason: "is no file of an account".to_owned(),
            }),
        }
    }

    /// Takes one line of a file that has one object a line; a blank line is nothing.
    pub fn line(&mut self, file: &str, number: usize, text: &str) -> Result<(), BadFile> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let done = Fields::of(text).and_then(|fields| match file {
            "incidents.jsonl" => self.incident(&fields),
            "log_entries.jsonl" => self.entry(&fields),
            "notes.jsonl" => self.note(&fields),
            "alerts.jsonl" => self.alert(&fields),
            _ => Err(Wrong {
                field: None,
                reason: "is no file of an account".to_owned(),
            }),
        });
        done.map_err(|wrong| wrong.at(file, number))
    }

    /// The account, when all files are in.
    pub fn finish(mut self) -> Sim {
        self.settle_entries();
        self.settle_incidents();
        let world = self.world();
        // Ids that are made from now on must not repeat those of the files.
        let size = world.incidents.len() + world.log.len() + world.users.iter().count();
        let salt = u64::try_from(size)
            .unwrap_or(0)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        world.ids = Ids::new(world.options.seed ^ salt ^ 0x6c6f_6164);
        // Time does not go back: what the files tell has happened.
        let newest = world.log.last().map_or(world.now, |entry| entry.at);
        world.now = world.now.max(newest);
        self.sim
    }
}

/// The line on which a part of a text begins.
fn line_of(text: &str, part: &str) -> usize {
    let before = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    let before = text.get(..before).unwrap_or_default();
    1 + before.matches('\n').count()
}
