//! Users, teams, priorities, schedules, policies and services.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::load::Loading;
use super::read::{Fields, Read, Wrong};
use crate::account::usual_contacts;
use crate::rest::schedules;
use crate::schedule::TURN_S_MIN;
use crate::state::{
    ChangeEvent, ContactMethod, EscalationRule, Integration, Layer, MaintenanceWindow, Means,
    NotificationRule, Override, Policy, Priority, Schedule, Service, Target, Team, User,
};

impl Loading {
    pub(super) fn user(&mut self, fields: &Fields<'_>) -> Read<()> {
        const KNOWN: [&str; 7] = [
            "email",
            "time_zone",
            "role",
            "job_title",
            "teams",
            "contact_methods",
            "notification_rules",
        ];
        let now = self.world().now;
        let id = fields.need("id")?;
        let email = fields.text("email")?.unwrap_or_default();
        let mut contacts = fields.each("contact_methods", |one| contact_method(one, &email))?;
        if contacts.is_empty() {
            contacts = usual_contacts(&id, &email, "", now);
        }
        let mut rules = fields.each("notification_rules", |one| notification_rule(one, now))?;
        if rules.is_empty() {
            rules = usual_rules(&id, &contacts, now);
        }
        self.world().users.put(User {
            id,
            name: fields.need("name")?,
            email,
            time_zone: fields
                .text("time_zone")?
                .unwrap_or_else(|| "UTC".to_owned()),
            role: fields.text("role")?.unwrap_or_else(|| "user".to_owned()),
            job_title: fields.text("job_title")?,
            contacts,
            rules,
            mobile: false,
            given: fields.given(&KNOWN),
        });
        Ok(())
    }

    pub(super) fn team(&mut self, fields: &Fields<'_>) -> Read<()> {
        const KNOWN: [&str; 1] = ["description"];
        self.world().teams.put(Team {
            id: fields.need("id")?,
            name: fields.need("name")?,
            description: fields.text("description")?,
            members: Vec::new(),
            given: fields.given(&KNOWN),
        });
        Ok(())
    }

    /// The answers of `/teams/{id}/members`, by team.
    pub(super) fn members(&mut self, fields: &Fields<'_>) -> Read<()> {
        let teams: Vec<String> = fields
            .others(&[])
            .iter()
            .map(|(id, _)| (*id).to_owned())
            .collect();
        for id in teams {
            let members = fields.inside(&id, |answer| {
                answer.each("members", |one| {
                    let role = one.text("role")?.unwrap_or_else(|| "responder".to_owned());
                    Ok((one.need_reference("user")?, role))
                })
            })?;
            let team = self.world().teams.get_mut(&id);
            let team = team.ok_or_else(|| Wrong::new(&id, "no team of teams.json has this id"))?;
            team.members = members.unwrap_or_default();
        }
        Ok(())
    }

    pub(super) fn priority(&mut self, fields: &Fields<'_>) -> Read<()> {
        const KNOWN: [&str; 1] = ["description"];
        let name = fields.text("name")?;
        let name = name.or(fields.text("summary")?);
        self.world().priorities.put(Priority {
            id: fields.need("id")?,
            name: name.ok_or_else(|| Wrong::new("name", "is missing"))?,
            description: fields.text("description")?.unwrap_or_default(),
            given: fields.given(&KNOWN),
        });
        Ok(())
    }

    pub(super) fn schedule(&mut self, fields: &Fields<'_>) -> Read<()> {
        let mut layers = fields.each("schedule_layers", layer)?;
        layers.reverse(); // REST shows the highest first
        let mut given = fields.given(&schedules::UNDERSTOOD);
        given.remove("x_overrides");
        let schedule = Schedule {
            id: fields.need("id")?,
            name: fields.need("name")?,
            time_zone: fields
                .text("time_zone")?
                .unwrap_or_else(|| "UTC".to_owned()),
            description: fields.text("description")?,
            layers,
            overrides: fields.each("x_overrides", override_of)?,
            given,
        };
        self.world().schedules.put(schedule);
        Ok(())
    }

    pub(super) fn policy(&mut self, fields: &Fields<'_>) -> Read<()> {
        const KNOWN: [&str; 4] = ["description", "escalation_rules", "services", "teams"];
        let mut given = fields.given(&KNOWN);
        given.remove("num_loops");
        let loops = fields.number("num_loops")?.unwrap_or(0);
        let teams = fields.each("teams", |team| team.need("id"))?;
        self.world().policies.put(Policy {
            id: fields.need("id")?,
            name: fields.need("name")?,
            description: fields.text("description")?,
            num_loops: u32::try_from(loops)
                .map_err(|_negative| Wrong::new("num_loops", "must not be negative"))?,
            rules: fields.each("escalation_rules", rule)?,
            team: teams.into_iter().next(),
            given,
        });
        Ok(())
    }

    pub(super) fn service(&mut self, fields: &Fields<'_>) -> Read<()> {
        const KNOWN: [&str; 10] = [
            "description",
            "created_at",
            "updated_at",
            "status",
            "auto_resolve_timeout",
            "acknowledgement_timeout",
            "teams",
            "last_incident_timestamp",
            "escalation_policy",
            "integrations",
        ];
        let id = fields.need("id")?;
        let now = self.world().now;
        let urgency = fields.inside("incident_urgency_rule", |rule| {
            Ok((rule.text("type")?, rule.text("urgency")?))
        })?;
        let constant = matches!(&urgency, Some((Some(kind), Some(_))) if kind == "constant");
        let urgency = urgency.and_then(|(_, urgency)| urgency);
        let mut given = fields.given(&KNOWN);
        if constant {
            given.remove("incident_urgency_rule");
        }
        let created_at = fields.instant("created_at")?.unwrap_or(now);
        let service = Service {
            name: fields.need("name")?,
            description: fields.text("description")?,
            created_at,
            updated_at: fields.instant("updated_at")?.unwrap_or(created_at),
            policy: fields.reference("escalation_policy")?.unwrap_or_default(),
            acknowledgement_timeout_s: fields.number("acknowledgement_timeout")?.filter(|s| *s > 0),
            auto_resolve_timeout_s: fields.number("auto_resolve_timeout")?.filter(|s| *s > 0),
            urgency: urgency.unwrap_or_else(|| "high".to_owned()),
            disabled: fields.text("status")?.as_deref() == Some("disabled"),
            last_incident_at: fields.instant("last_incident_timestamp")?,
            open: std::collections::BTreeSet::new(),
            given,
            id,
        };
        let of = service.id.clone();
        self.world().services.put(service);
        for mut one in fields.each("integrations", |one| integration(one, &of))? {
            if one.key.is_empty() {
                one.key = self.world().ids.key32();
            }
            self.world().integrations.put(one);
        }
        Ok(())
    }
}

impl Loading {
    pub(super) fn window(&mut self, fields: &Fields<'_>) -> Read<()> {
        let number = fields.number("sequence_number")?;
        let number = number.and_then(|number| usize::try_from(number).ok());
        let number = number.unwrap_or(self.world().windows_made + 1);
        let window = MaintenanceWindow {
            id: fields.need("id")?,
            number,
            start: fields.need_instant("start_time")?,
            end: fields.need_instant("end_time")?,
            description: fields.text("description")?.unwrap_or_default(),
            created_by: fields.reference("created_by")?.unwrap_or_default(),
            services: fields.each("services", |one| one.need("id"))?,
        };
        let world = self.world();
        world.windows_made = world.windows_made.max(number);
        world.windows.put(window);
        Ok(())
    }

    pub(super) fn change_event(&mut self, fields: &Fields<'_>) -> Read<()> {
        let part = |name: &str| fields.value(name).map(Option::unwrap_or_default);
        let services = fields.each("services", |one| one.need("id"))?;
        let change = ChangeEvent {
            id: fields.need("id")?,
            at: fields.need_instant("timestamp")?,
            service: services.into_iter().next().unwrap_or_default(),
            integration: fields.reference("integration")?.unwrap_or_default(),
            body: json!({
                "routing_key": part("routing_key")?,
                "payload": {
                    "summary": part("summary")?,
                    "source": part("source")?,
                    "custom_details": part("custom_details")?,
                },
                "links": part("links")?,
                "images": part("images")?,
            }),
        };
        self.world().changes.push(change);
        Ok(())
    }
}

/// In full, or as a reference, which says little.
fn contact_method(fields: &Fields<'_>, email: &str) -> Read<ContactMethod> {
    const KNOWN: [&str; 2] = ["label", "address"];
    let kind = fields.need("type")?;
    let kind = kind.strip_suffix("_reference").unwrap_or(&kind).to_owned();
    let label = fields.text("label")?.or(fields.text("summary")?);
    let usual = (kind == Means::Email.contact_kind()).then(|| email.to_owned());
    Ok(ContactMethod {
        id: fields.need("id")?,
        label: label.unwrap_or_default(),
        address: fields.text("address")?.or(usual),
        kind,
        given: fields.given(&KNOWN),
    })
}

/// In full, or as a reference, whose summary tells the delay and the contact method.
fn notification_rule(fields: &Fields<'_>, now: Timestamp) -> Read<NotificationRule> {
    const KNOWN: [&str; 4] = [
        "start_delay_in_minutes",
        "created_at",
        "contact_method",
        "urgency",
    ];
    let summary = fields.text("summary")?.unwrap_or_default();
    let told = summary.split_once(" minutes: channel ");
    let (delay, contact) = told.map_or((0, ""), |(delay, contact)| {
        (delay.parse().unwrap_or(0), contact)
    });
    let urgency = fields.word("urgency", &[("high", "high"), ("low", "low")])?;
    Ok(NotificationRule {
        id: fields.need("id")?,
        delay_min: fields.number("start_delay_in_minutes")?.unwrap_or(delay),
        contact: fields
            .reference("contact_method")?
            .unwrap_or_else(|| contact.to_owned()),
        urgency: urgency.unwrap_or("high"),
        created_at: fields.instant("created_at")?.unwrap_or(now),
        given: fields.given(&KNOWN),
    })
}

/// A push for high urgency and a mail for low, as far as there are such ways.
fn usual_rules(user: &str, contacts: &[ContactMethod], now: Timestamp) -> Vec<NotificationRule> {
    let wanted = [("R", Means::Push, "high"), ("L", Means::Email, "low")];
    let rules = wanted.into_iter().filter_map(|(letter, means, urgency)| {
        let same = contacts.iter().find(|one| one.means() == Some(means));
        Some(NotificationRule {
            id: format!("{user}{letter}"),
            delay_min: 0,
            contact: same.or(contacts.first())?.id.clone(),
            urgency,
            created_at: now,
            given: crate::state::Given::new(),
        })
    });
    rules.collect()
}

fn layer(fields: &Fields<'_>) -> Read<Layer> {
    let start = fields.need_instant("start")?;
    let turn = fields.number("rotation_turn_length_seconds")?;
    let turn_s = turn.ok_or_else(|| Wrong::new("rotation_turn_length_seconds", "is missing"))?;
    if turn_s < TURN_S_MIN {
        let reason = format!("must be at least {TURN_S_MIN}");
        return Err(Wrong::new("rotation_turn_length_seconds", reason));
    }
    Ok(Layer {
        id: fields.need("id")?,
        name: fields.text("name")?.unwrap_or_default(),
        start,
        end: fields.instant("end")?,
        virtual_start: fields.instant("rotation_virtual_start")?.unwrap_or(start),
        turn_s,
        users: fields.each("users", |one| one.need_reference("user"))?,
        restrictions: restrictions(fields)?,
    })
}

fn restrictions(fields: &Fields<'_>) -> Read<Vec<crate::state::Restriction>> {
    let listed = fields.value("restrictions")?.unwrap_or_default();
    let listed = listed.as_array().cloned().unwrap_or_default();
    let read = listed.iter().map(crate::rest::restriction);
    read.collect::<Option<_>>()
        .ok_or_else(|| Wrong::new("restrictions", "one of them cannot be understood"))
}

pub(super) fn override_of(fields: &Fields<'_>) -> Read<Override> {
    Ok(Override {
        id: fields.need("id")?,
        user: fields.need_reference("user")?,
        start: fields.need_instant("start")?,
        end: fields.need_instant("end")?,
    })
}

fn rule(fields: &Fields<'_>) -> Read<EscalationRule> {
    let delay = fields.number("escalation_delay_in_minutes")?;
    Ok(EscalationRule {
        id: fields.text("id")?.unwrap_or_default(),
        delay_min: delay.ok_or_else(|| Wrong::new("escalation_delay_in_minutes", "is missing"))?,
        targets: fields.each("targets", |target| {
            let id = target.need("id")?;
            Ok(if target.need("type")?.starts_with("schedule") {
                Target::Schedule(id)
            } else {
                Target::User(id)
            })
        })?,
        strategy: fields
            .value("escalation_rule_assignment_strategy")?
            .unwrap_or(Value::Null),
    })
}

fn integration(fields: &Fields<'_>, service: &str) -> Read<Integration> {
    let kind = fields.need("type")?;
    let name = fields.text("name")?;
    Ok(Integration {
        id: fields.need("id")?,
        name: name.or(fields.text("summary")?).unwrap_or_default(),
        kind: kind.strip_suffix("_reference").unwrap_or(&kind).to_owned(),
        service: service.to_owned(),
        key: fields.text("integration_key")?.unwrap_or_default(),
        created_at: fields
            .instant("created_at")?
            .unwrap_or(Timestamp::UNIX_EPOCH),
        given: fields.given(&["service", "created_at", "integration_key"]),
    })
}
