//! What people do in a script, on either side.

use im_core::{Command, IncidentNumber, Person, Severity};

use super::Script;

impl Script {
    pub(super) fn declare(&mut self) {
        if self.world.rng.u8(0..4) == 0 {
            return self.declare_for_two();
        }
        let severity = Severity::ALL[self.world.rng.usize(0..4)];
        let service = [None, Some("db"), Some("web")][self.world.rng.usize(0..3)];
        let title = format!("declared {}", self.said.len());
        let incident = self.world.declare(&title, severity, service);
        self.allowed.insert(incident, 1);
        self.say(format!("{incident} is declared"));
    }

    /// One incident of two services, the first of which may be the default.
    fn declare_for_two(&mut self) {
        let title = format!("declared {}", self.said.len());
        let services = [["db", "web"], ["web", "other"], ["other", "db"]];
        let services = services[self.world.rng.usize(0..3)].map(str::to_owned);
        let command = Command::Declare {
            title,
            severity: Severity::ALL[self.world.rng.usize(0..4)],
            description: None,
            services: services.to_vec(),
        };
        let whole = self.world.declare_by(None, &command);
        for index in 1..=2 {
            self.allowed.insert(whole.part(index), 1);
        }
        self.say(format!("{whole} is declared for {services:?}"));
    }

    pub(super) fn trigger(&mut self) {
        let service = self.world.account.services[self.world.rng.usize(0..3)]
            .0
            .clone();
        let title = format!("triggered {}", self.said.len());
        let twin = self.world.sim.trigger(&service, &title, self.world.now);
        self.say(format!("{twin:?} is triggered there"));
    }

    pub(super) fn act_here(&mut self) {
        let rows = self.world.list();
        if rows.is_empty() {
            return self.declare();
        }
        let incident = rows[self.world.rng.usize(0..rows.len())].number;
        let command = self.command(incident, rows[0].number);
        let who = self.world.rng.usize(0..4);
        let note = (self.world.rng.u8(0..5) == 0).then(|| self.note_text());
        self.ask(who, incident, &command, note.as_deref());
    }

    /// A person here asks for something; `false` if nothing came of it.
    pub(super) fn ask(
        &mut self,
        who: usize,
        incident: IncidentNumber,
        command: &Command,
        note: Option<&str>,
    ) -> bool {
        let done = self.world.act(who, incident, command, note);
        if let Ok(asked) = &done {
            let more = usize::from(asked.changed) + words(command, asked.changed, note.is_some());
            let of_two = [incident.part(1), incident.part(2)];
            let of_two = of_two.map(|part| self.allowed.contains_key(&part).then_some(part));
            let mut asked_of: Vec<IncidentNumber> = of_two.into_iter().flatten().collect();
            if asked_of.is_empty() {
                asked_of.push(incident);
            }
            for incident in asked_of {
                *self.allowed.entry(incident).or_default() += more;
            }
        }
        let is_done = done.as_ref().is_ok_and(|asked| asked.changed);
        self.say(format!(
            "here {who}: {incident} {command:?} {note:?} -> {:?}",
            done.map(|asked| asked.changed).map_err(|e| e.to_string())
        ));
        is_done
    }

    fn note_text(&mut self) -> String {
        self.notes += 1;
        format!("note {} of here", self.notes)
    }

    fn command(&mut self, incident: IncidentNumber, other: IncidentNumber) -> Command {
        let edit = |title: Option<String>, severity: Option<Severity>, service: Option<String>| {
            Command::Edit {
                title,
                description: None,
                severity,
                service,
            }
        };
        match self.world.rng.u8(0..16) {
            0..=2 => Command::Acknowledge,
            3..=4 => Command::Resolve,
            5 => Command::Reopen,
            6 => Command::Close,
            7 => Command::Cancel,
            8 if other != incident => Command::MarkDuplicate { of: other },
            8 | 9 => Command::Note {
                text: self.note_text(),
            },
            10 => edit(
                Some(format!("renamed here {}", self.said.len())),
                None,
                None,
            ),
            11 => edit(None, Some(Severity::ALL[self.world.rng.usize(0..4)]), None),
            12 => edit(
                None,
                None,
                Some(["db", "web"][self.world.rng.usize(0..2)].to_owned()),
            ),
            13 => Command::Mitigate,
            14 if self.world.rng.u8(0..4) == 0 => Command::Delete,
            _ => {
                let who = self.world.rng.usize(0..5);
                let id = self.world.user(who);
                Command::Assign {
                    to: vec![Person { id, name: None }],
                }
            }
        }
    }

    pub(super) fn act_there(&mut self) {
        let twins: Vec<String> = self.world.sim.incidents().map(|row| row.id).collect();
        if twins.is_empty() {
            return self.trigger();
        }
        let rng = &mut self.world.rng;
        let twin = twins[rng.usize(0..twins.len())].clone();
        let other_twin = twins[rng.usize(0..twins.len())].clone();
        let (user, other) = (rng.usize(0..5), rng.usize(0..5));
        let (user, other) = (self.world.user(user), self.world.user(other));
        let now = self.world.now;
        let number = self.said.len();
        let mut kind = self.world.rng.u8(0..18);
        let over = self
            .world
            .sim
            .incident(&twin)
            .is_some_and(|incident| incident.status == "resolved");
        if over && kind >= 7 {
            // PagerDuty has neither an event nor a log entry for a new title of what is over.
            kind = 5;
        }
        let account = &self.world.account;
        let service = account.services[number % 3].0.clone();
        let policy = account.policies[number % account.policies.len()].0.clone();
        let priority = account.priorities.get(number % 6).map(|row| row.0.clone());
        let sim = &mut self.world.sim;
        let (what, done) = match kind {
            0..=2 => ("acknowledge", sim.acknowledge(&user, &twin, now)),
            3..=4 => ("resolve", sim.resolve(&user, &twin, now)),
            5 => ("reopen", sim.reopen(&user, &twin, now)),
            6 => (
                "note",
                sim.note(&user, &twin, &format!("note {number} of there"), now),
            ),
            7 => (
                "rename",
                sim.rename(&user, &twin, &format!("renamed there {number}"), now),
            ),
            8 => ("reassign", sim.reassign(&user, &twin, &other, now)),
            9 => ("snooze", sim.snooze(&user, &twin, 1_200, now)),
            10 => {
                self.urgency_there.insert(twin.clone());
                let high = number.is_multiple_of(2);
                ("urgency", sim.set_urgency(&user, &twin, high, now))
            }
            11 => ("unacknowledge", sim.unacknowledge(&user, &twin, now)),
            12 => {
                let priority = priority.as_deref();
                ("priority", sim.set_priority(&user, &twin, priority, now))
            }
            13 => ("move", sim.move_service(&user, &twin, &service, now)),
            14 => ("delegate", sim.delegate(&user, &twin, &policy, now)),
            15 => ("escalate", sim.escalate(&user, &twin, 1 + number % 2, now)),
            16 => (
                "status update",
                sim.status_update(&user, &twin, "We look", now),
            ),
            _ => ("merge", sim.merge(&user, &twin, &other_twin, now)),
        };
        self.say(format!("there {user}: {twin} {what} -> {done:?}"));
    }
}

/// How many notes go with a command: the person's, or the word for a step that PagerDuty does
/// not have. The two are one note.
fn words(command: &Command, changed: bool, note: bool) -> usize {
    let step = matches!(
        command,
        Command::Cancel | Command::MarkDuplicate { .. } | Command::Close | Command::Delete
    );
    usize::from((step && changed) || note)
}
