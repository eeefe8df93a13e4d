//! What people do here and there.

use im_core::{Actor, Command, IncidentNumber, Severity};
use im_engine::commands::{Asked, CommandError};
use im_engine::{commands, request_sync};
use jiff::SignedDuration;

use super::{CONNECTOR, World};

impl World {
    /// Declares an incident as user `who` of the account.
    pub(crate) fn declare(
        &mut self,
        title: &str,
        severity: Severity,
        service: Option<&str>,
    ) -> IncidentNumber {
        let command = Command::Declare {
            title: title.to_owned(),
            severity,
            description: None,
            services: service.map(str::to_owned).into_iter().collect(),
        };
        self.declare_by(None, &command)
    }

    /// Declares an incident by a connector that is named, or by the one that fits.
    pub(crate) fn declare_by(
        &mut self,
        connector: Option<&str>,
        command: &Command,
    ) -> IncidentNumber {
        let (actor, now) = (self.person(1), self.our_now());
        let asked: Result<Asked, CommandError> = self
            .db
            .write(|tx| commands::declare(tx, command, connector, &actor, now));
        asked.unwrap().incident
    }

    /// Does something here as user `who` of the account.
    pub(crate) fn act(
        &mut self,
        who: usize,
        incident: IncidentNumber,
        command: &Command,
        note: Option<&str>,
    ) -> Result<Asked, CommandError> {
        let (actor, now) = (self.person(who), self.our_now());
        self.db
            .write(|tx| commands::act(tx, incident, command, note, &actor, now))
    }

    /// Does something here that must be legal.
    pub(crate) fn must(&mut self, incident: IncidentNumber, command: &Command) {
        self.act(1, incident, command, None).unwrap();
    }

    /// A person here, by the address that PagerDuty knows too.
    pub(crate) fn person(&self, who: usize) -> Actor {
        let user = &self.account.users[who];
        Actor::user(user.2.as_str(), user.1.as_str())
    }

    /// PagerDuty's id of user `who`.
    pub(crate) fn user(&self, who: usize) -> String {
        self.account.users[who].0.clone()
    }

    /// An incident that a machine began at PagerDuty, known here; our number and its id.
    pub(crate) fn born_there(&mut self, title: &str) -> (IncidentNumber, String) {
        let twin = self.triggered(title);
        self.settle_down();
        (self.number_of(&twin).expect("it is known here"), twin)
    }

    /// An incident that a machine begins at PagerDuty now.
    pub(crate) fn triggered(&mut self, title: &str) -> String {
        let service = self.account.services[1].0.clone();
        self.sim.trigger(&service, title, self.now).unwrap()
    }

    /// An incident declared here that both sides know; our number and PagerDuty's id.
    pub(crate) fn declared(&mut self, title: &str) -> (IncidentNumber, String) {
        let incident = self.declare(title, Severity::Sev2, Some("web"));
        self.settle_down();
        (incident, self.twin(incident))
    }

    /// A note written here.
    pub(crate) fn write_note(&mut self, incident: IncidentNumber, text: &str) {
        let text = text.to_owned();
        self.must(incident, &Command::Note { text });
    }

    /// A repair, now and to its end.
    pub(crate) fn sync(&mut self) {
        let now = self.our_now();
        self.write(|tx| request_sync(tx, CONNECTOR, "asked", now));
        self.run_for(SignedDuration::from_secs(20));
    }
}
