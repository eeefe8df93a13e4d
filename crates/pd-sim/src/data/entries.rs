//! The trail: log entries, and what is told by them alone.

use serde_json::value::RawValue;

use super::load::Loading;
use super::read::{Fields, Read};
use crate::state::{Agent, Entry, Means, Note, Page, Part};

/// What each entry has and we make ourselves.
const MADE: [&str; 11] = [
    "id",
    "type",
    "summary",
    "self",
    "html_url",
    "created_at",
    "agent",
    "channel",
    "service",
    "incident",
    "teams",
];

impl Loading {
    pub(super) fn entry(&mut self, fields: &Fields<'_>) -> Read<()> {
        let kind = fields.need("type")?;
        let kind = self.kind(kind.strip_suffix("_log_entry").unwrap_or(&kind));
        let incident = fields.need_reference("incident")?;
        let incident = self.known_incident(&incident)?;
        let mut extra: Vec<Part> = Vec::new();
        for (name, raw) in fields.others(&MADE) {
            if !(name == "contexts" && raw.get() == "[]") {
                extra.push((name.to_owned().into(), raw.to_owned()));
            }
        }
        let service = fields.reference("service")?;
        let service = service.unwrap_or_else(|| self.sim.world.incident(incident).service.clone());
        let agent = self.agent(fields)?.unwrap_or_else(|| {
            // Somebody or something that is not in the account is shown as it was.
            let shown = fields.raw("agent").map(RawValue::to_owned);
            extra.push(("agent".into(), shown.unwrap_or_else(null)));
            Agent::Automatic(service.clone())
        });
        let channel = fields.raw("channel").map(RawValue::to_owned);
        self.entries.push(Entry {
            id: fields.need("id")?,
            kind,
            summary: fields.text("summary")?.unwrap_or_default(),
            at: fields.need_instant("created_at")?,
            agent,
            channel: channel.unwrap_or_else(null),
            incident,
            service,
            extra,
        });
        Ok(())
    }

    /// A kind lives as long as the program; there are few.
    fn kind(&mut self, kind: &str) -> &'static str {
        if let Some(known) = self.kinds.get(kind) {
            return known;
        }
        let kept: &'static str = Box::leak(kind.to_owned().into_boxed_str());
        self.kinds.insert(kind.to_owned(), kept);
        kept
    }

    /// Who did it, if it is somebody of the account.
    pub(super) fn agent(&self, fields: &Fields<'_>) -> Read<Option<Agent>> {
        let named = fields.inside("agent", |agent| {
            Ok((agent.need("id")?, agent.need("type")?))
        })?;
        Ok(named.and_then(|(id, kind)| self.agent_of(id, &kind)))
    }

    pub(super) fn agent_of(&self, id: String, kind: &str) -> Option<Agent> {
        let world = &self.sim.world;
        match kind.strip_suffix("_reference").unwrap_or(kind) {
            "user" => world.users.get(&id).is_some().then_some(Agent::User(id)),
            "service" => world
                .services
                .get(&id)
                .is_some()
                .then_some(Agent::Service(id)),
            _ => None,
        }
    }

    /// Puts the entries into their places, the oldest first.
    pub(super) fn settle_entries(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by_key(|entry| entry.at);
        let (take_notes, world) = (!self.has_notes, &mut self.sim.world);
        for entry in entries {
            let index = world.log.len();
            world.log_by_id.insert(entry.id.clone(), index);
            if entry.kind == "notify" {
                world.pages.extend(page(world, &entry));
            }
            let note = (take_notes && entry.kind == "annotate").then(|| note(&entry));
            let incident = world.incident_mut(entry.incident);
            incident.log.push(index);
            incident.notes.extend(note.flatten());
            if entry.kind == "trigger" {
                incident.triggers += 1;
            }
            world.log.push(entry);
        }
    }
}

fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// The notification that an entry tells of.
fn page(world: &crate::state::World, entry: &Entry) -> Option<Page> {
    let channel = Fields::of(entry.channel.get()).ok()?;
    let kind = channel
        .inside("notification", |told| told.text("type"))
        .ok()??;
    let kind = kind.unwrap_or_default();
    let means = [Means::Push, Means::Phone, Means::Sms, Means::Email];
    let words = ["push", "phone", "sms", "email"];
    let found = words.into_iter().position(|word| kind.contains(word));
    let (_, user) = entry.extra.iter().find(|(name, _)| name == "user")?;
    Some(Page {
        incident: world.incident(entry.incident).id.clone(),
        user: Fields::of(user.get()).ok()?.need("id").ok()?,
        channel: means.get(found?)?.name(),
        at: entry.at,
    })
}

/// The note that an entry tells of, when there is no file of notes.
fn note(entry: &Entry) -> Option<Note> {
    let channel = Fields::of(entry.channel.get()).ok()?;
    Some(Note {
        id: format!("N{}", entry.id),
        user: entry.agent.id().to_owned(),
        content: channel.text("summary").ok()??,
        at: entry.at,
        updated_at: None,
    })
}
