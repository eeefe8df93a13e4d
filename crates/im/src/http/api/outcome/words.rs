//! The words for what PagerDuty answered, and for why it was not told.

use im_core::{Actor, Fact, Kind, Line, Mapping, Peer, PeerStatus, Seen};
use im_engine::named;

use super::{Added, Known, There, answers};

/// No connector has the incident.
pub(super) fn nobody_told(connectors: &[String], added: &Added) -> String {
    let declared = added.asked.iter().any(|(_, kind)| *kind == Kind::Triggered);
    match connectors.first() {
        _ if !declared => String::new(),
        None => "PagerDuty: nobody is paged, there is no connector; `im connector add pagerduty NAME` adds one".to_owned(),
        Some(name) => format!(
            "PagerDuty: nobody is paged, no connector sends; `im connector config {name} --direction bidirectional` lets {name} send"
        ),
    }
}

/// What PagerDuty answered to an act of which nothing is left to be sent.
pub(super) fn told(known: &Known, added: &Added) -> There {
    let story = &known.whole.story;
    let Some(connector) = &known.whole.connector else {
        return There::none("");
    };
    let Some(peer) = &story.peer else {
        return There::none(never_there(known, added));
    };
    let name = peer.number.map_or_else(
        || "PagerDuty".to_owned(),
        |number| format!("PagerDuty #{number}"),
    );
    if added.asked.is_empty() {
        // It was so already. What PagerDuty shows is known only where it is heard.
        return There::none(if connector.mapping.direction.receives() {
            format!("{name}: {}", peer.status.as_str())
        } else {
            String::new()
        });
    }
    let mut done = Done::default();
    let mut remarks = Vec::new();
    for (command, kind) in &added.asked {
        if added.owed.contains(command) {
            for answer in answers(&known.facts, command) {
                done.add(*kind, answer, known, peer);
            }
        } else {
            let remark = remark(*kind, known, peer, &connector.mapping);
            remarks.extend(remark.filter(|remark| !remarks.contains(remark)));
        }
    }
    let state = if done.is_any() { "done" } else { "none" };
    let mut parts = done.parts();
    parts.extend(remarks);
    There {
        state,
        text: format!("{name}: {}", parts.join("; ")),
    }
}

/// PagerDuty has no such incident, and will not get it.
fn never_there(known: &Known, added: &Added) -> String {
    if added.asked.is_empty() {
        return String::new();
    }
    let id = known.whole.row.number;
    if known.whole.story.status.is_open() {
        format!("PagerDuty: not told; it has no incident for {id}")
    } else {
        format!("PagerDuty: not told; {id} was over before PagerDuty heard of it")
    }
}

/// What PagerDuty did for one act.
#[derive(Default)]
struct Done {
    state: Option<&'static str>,
    /// A word in place of a resolve.
    said: bool,
    /// Where it was made, if that has to be said.
    place: Option<String>,
    fields: Vec<&'static str>,
    others: Vec<String>,
    unsent: Vec<String>,
}

impl Done {
    fn add(&mut self, asked: Kind, answer: &Fact, known: &Known, peer: &Peer) {
        let carried = answer.kind == Kind::Settled && answer.value.as_deref() == Some("carried");
        if carried && moves(asked) {
            self.state.get_or_insert(peer.status.as_str());
            return;
        }
        // What travelled with another call is done as that call is.
        match if carried { asked } else { answer.kind } {
            Kind::Settled => self.unsent.push(unsent(answer, peer)),
            Kind::Noted if moves(asked) => self.said = true,
            Kind::Noted => self.others.push("note added".to_owned()),
            Kind::Assigned => self.others.push("assigned".to_owned()),
            Kind::Titled => self.fields.push("title"),
            Kind::SeverityChanged | Kind::UrgencyChanged => self.fields.push("urgency"),
            Kind::PriorityChanged => self.fields.push("priority"),
            Kind::FieldsChanged if !self.fields.contains(&"custom fields") => {
                self.fields.push("custom fields");
            }
            Kind::ServiceChanged => self.others.push(service("moved to", known, peer)),
            Kind::Triggered => {
                self.state = Some(PeerStatus::Triggered.as_str());
                self.place = by_default(known, peer).map(|place| format!("on {place}"));
            }
            Kind::Reopened => self.state = Some(PeerStatus::Triggered.as_str()),
            Kind::Acknowledged => self.state = Some(PeerStatus::Acknowledged.as_str()),
            Kind::Resolved => self.state = Some(PeerStatus::Resolved.as_str()),
            _ => {}
        }
    }

    fn is_any(&self) -> bool {
        self.state.is_some() || self.said || !self.fields.is_empty() || !self.others.is_empty()
    }

    /// A new state says enough: its note and its assignment belong to it.
    fn parts(self) -> Vec<String> {
        let mut parts: Vec<String> = match self.state {
            _ if self.said => vec!["note added, not resolved (auto_resolve is off)".to_owned()],
            Some(state) => vec![match self.place {
                Some(place) => format!("{state} {place}"),
                None => state.to_owned(),
            }],
            None => {
                let fields = (!self.fields.is_empty())
                    .then(|| format!("{} updated", self.fields.join(" and ")));
                let mut parts: Vec<String> = fields.into_iter().chain(self.others).collect();
                parts.dedup();
                parts
            }
        };
        parts.extend(self.unsent);
        parts.dedup();
        parts
    }
}

/// Whether a command moves an incident from state to state.
fn moves(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Acknowledged
            | Kind::Mitigated
            | Kind::Resolved
            | Kind::Reopened
            | Kind::Closed
            | Kind::Canceled
            | Kind::Duplicate
            | Kind::Deleted
    )
}

/// `resolved; not sent: PagerDuty had moved on`, in the timeline's own words.
fn unsent(answer: &Fact, peer: &Peer) -> String {
    let line = Line {
        at: answer.at,
        kind: answer.kind,
        actor: Actor::NOBODY,
        people: Vec::new(),
        from: Vec::new(),
        value: answer.value.clone(),
        detail: answer.detail.clone(),
        seen: Seen::default(),
        command: None,
        report: answer.source_id.clone(),
        service: None,
    };
    let text = line.text();
    let reason = text.split_once(": ").map_or(text.as_str(), |(_, why)| why);
    format!("{}; not sent: {reason}", peer.status.as_str())
}

/// Why PagerDuty did not have to hear of something.
fn remark(kind: Kind, known: &Known, peer: &Peer, mapping: &Mapping) -> Option<String> {
    let status = peer.status.as_str();
    Some(match kind {
        Kind::Noted if !mapping.sync_notes => "the note stays here (sync_notes is off)".to_owned(),
        Kind::Described => "a description cannot be changed there".to_owned(),
        Kind::FieldsChanged => "the fields stay here".to_owned(),
        Kind::Titled => "it has this title".to_owned(),
        Kind::SeverityChanged => {
            let urgency = peer.urgency.map_or("as it is", im_core::Urgency::as_str);
            format!("its urgency stays {urgency}")
        }
        Kind::ServiceChanged => service("it stays on", known, peer),
        Kind::Assigned => "it is assigned so".to_owned(),
        _ if moves(kind) => {
            let ends = known.whole.story.status.at_peer() == PeerStatus::Resolved;
            if ends && !mapping.auto_resolve && peer.status != PeerStatus::Resolved {
                "not resolved (auto_resolve is off)".to_owned()
            } else if mapping.direction.receives() {
                format!("it is {status}")
            } else {
                format!("it was {status} when last heard of")
            }
        }
        _ => return None,
    })
}

/// `moved to Database Service`, and whether that is what was asked for.
fn service(what: &str, known: &Known, peer: &Peer) -> String {
    match by_default(known, peer) {
        Some(place) => format!("{what} {place}"),
        None => format!("{what} {}", shown_service(peer)),
    }
}

fn shown_service(peer: &Peer) -> &str {
    let service = peer.service.as_ref();
    service.map_or("its service", |service| {
        service.name.as_deref().unwrap_or(&service.id)
    })
}

/// The service where PagerDuty has it and why, where what it is called here means no service.
fn by_default(known: &Known, peer: &Peer) -> Option<String> {
    let story = &known.whole.story;
    let connector = known.whole.connector.as_ref()?;
    let name = story.service.as_deref()?;
    let is_default = |id: &str| connector.mapping.default_service == id;
    let shown = peer.service.as_ref().filter(|shown| is_default(&shown.id));
    if shown.is_none() || named::is_on_its_own(connector, story) {
        return None;
    }
    let place = shown_service(peer);
    Some(format!(
        "{place}, the default service: no mapping and no service of PagerDuty's is called `{name}`"
    ))
}
