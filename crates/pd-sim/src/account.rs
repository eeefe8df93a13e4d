//! Filling an account with people and things, and one invented account that is ready to use.

mod lively;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use lively::lively;

use crate::Sim;
use crate::oauth::{Consent, OAuthApp};
use crate::refs::seconds;
use crate::rest::types::BASE;
use crate::state::{
    ContactMethod, EscalationRule, FieldDefinition, FieldOption, Given, Integration, KeyKind,
    Layer, Means, NotificationRule, Policy, Priority, Schedule, Service, Target, Team, User,
};

/// What a caller needs to know of the account that [`lively`] makes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// An account key of 20 characters.
    pub api_key: String,
    /// An account key that may only read.
    pub read_only_key: String,
    /// A key of the first user.
    pub user_key: String,
    /// Id, name and Events API key of each service.
    pub services: Vec<(String, String, String)>,
    /// Id, name and e-mail of each user.
    pub users: Vec<(String, String, String)>,
    /// Id and name of each escalation policy.
    pub policies: Vec<(String, String)>,
    /// Id and name of each priority, the most severe first.
    pub priorities: Vec<(String, String)>,
    /// Id and name of each schedule.
    pub schedules: Vec<(String, String)>,
}

/// How high-urgency incidents reach a new user: means and delay in minutes.
const HIGH_URGENCY: [(Means, i64); 4] = [
    (Means::Push, 0),
    (Means::Email, 0),
    (Means::Sms, 2),
    (Means::Phone, 5),
];

/// A contact method that nobody chose an id for.
fn contact_id(user: &str, means: Means) -> String {
    let letter = match means {
        Means::Push => 'H',
        Means::Email => 'E',
        Means::Sms => 'S',
        Means::Phone => 'T',
    };
    format!("{user}{letter}")
}

/// One way of each kind.
pub(crate) fn usual_contacts(
    user: &str,
    email: &str,
    phone: &str,
    created_at: Timestamp,
) -> Vec<ContactMethod> {
    let contact = |means: Means| {
        let (label, address, given) = match means {
            Means::Email => (
                "Default",
                email.to_owned(),
                json!({"send_short_email": false, "send_html_email": true}),
            ),
            Means::Phone | Means::Sms => (
                "Mobile",
                phone.to_owned(),
                json!({"country_code": 49, "enabled": true, "blacklisted": false}),
            ),
            Means::Push => (
                "Mobile",
                format!("{phone:0>64}"),
                json!({
                    "device_type": "ios",
                    "sounds": [{"type": "alert_high_urgency", "file": "default"}],
                    "blacklisted": false,
                    "created_at": seconds(created_at),
                }),
            ),
        };
        ContactMethod {
            id: contact_id(user, means),
            kind: means.contact_kind().to_owned(),
            label: label.to_owned(),
            address: Some(address),
            given: given.as_object().cloned().unwrap_or_default(),
        }
    };
    [Means::Email, Means::Phone, Means::Sms, Means::Push]
        .map(contact)
        .to_vec()
}

impl Sim {
    /// Adds a user with the usual notification rules; returns the id.
    pub fn add_user(&mut self, name: &str, email: &str) -> String {
        let created_at = self.world.now;
        let ids = &mut self.world.ids;
        let id = ids.object('P');
        let high = HIGH_URGENCY.map(|(means, delay_min)| (means, delay_min, "high"));
        let plan = high.into_iter().chain([(Means::Email, 0, "low")]);
        let rules = plan.map(|(means, delay_min, urgency)| NotificationRule {
            id: ids.object('P'),
            delay_min,
            contact: contact_id(&id, means),
            urgency,
            created_at,
            given: Given::new(),
        });
        let rules = rules.collect();
        let phone = format!("3000{:04}", ids.below(10_000));
        self.world.users.put(User {
            id: id.clone(),
            name: name.to_owned(),
            email: email.to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            role: "user".to_owned(),
            job_title: None,
            contacts: usual_contacts(&id, email, &phone, created_at),
            rules,
            mobile: false,
            given: Given::new(),
        });
        id
    }

    /// Lets a user act from the phone: the channel of what they do is `mobile`.
    pub fn uses_phone(&mut self, user: &str) {
        if let Some(user) = self.world.users.get_mut(user) {
            user.mobile = true;
        }
    }

    /// Adds a team with its members; the first manages it. Returns the id.
    pub fn add_team(&mut self, name: &str, members: &[&str]) -> String {
        let id = self.world.ids.object('P');
        let role = |index: usize| if index == 0 { "manager" } else { "responder" };
        let members = members
            .iter()
            .enumerate()
            .map(|(index, user)| ((*user).to_owned(), role(index).to_owned()));
        let members = members.collect();
        self.world.teams.put(Team {
            id: id.clone(),
            name: name.to_owned(),
            description: None,
            members,
            given: Given::new(),
        });
        id
    }

    /// Adds a schedule whose users take turns of `turn_s` seconds from `start` on; returns the id.
    pub fn add_schedule(
        &mut self,
        name: &str,
        users: &[&str],
        turn_s: i64,
        start: Timestamp,
    ) -> String {
        let id = self.world.ids.object('P');
        // PagerDuty knows no fractions of a second here.
        let start = Timestamp::from_second(start.as_second()).unwrap_or(start);
        let layer = Layer {
            id: self.world.ids.object('P'),
            name: "Layer 1".to_owned(),
            start,
            end: None,
            virtual_start: start,
            turn_s,
            users: users.iter().map(|user| (*user).to_owned()).collect(),
            restrictions: Vec::new(),
        };
        self.world.schedules.put(Schedule {
            id: id.clone(),
            name: name.to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            description: None,
            layers: vec![layer],
            overrides: Vec::new(),
            given: Given::new(),
        });
        id
    }

    /// Adds a policy. Each level is a delay in minutes and the ids of users or schedules.
    pub fn add_policy(
        &mut self,
        name: &str,
        levels: &[(i64, &[&str])],
        num_loops: u32,
        team: Option<&str>,
    ) -> String {
        let id = self.world.ids.object('P');
        let mut rules = Vec::new();
        for (delay_min, targets) in levels {
            let targets = targets.iter().map(|target| self.target(target)).collect();
            rules.push(EscalationRule {
                id: self.world.ids.object('P'),
                delay_min: *delay_min,
                targets,
                strategy: Value::Null,
            });
        }
        self.world.policies.put(Policy {
            id: id.clone(),
            name: name.to_owned(),
            description: None,
            num_loops,
            rules,
            team: team.map(str::to_owned),
            given: Given::new(),
        });
        id
    }

    fn target(&self, id: &str) -> Target {
        match self.world.schedules.get(id) {
            Some(_) => Target::Schedule(id.to_owned()),
            None => Target::User(id.to_owned()),
        }
    }

    /// Adds a service with an Events API integration and PagerDuty's usual time-outs; returns
    /// its id and the integration's key.
    pub fn add_service(&mut self, name: &str, policy: &str, now: Timestamp) -> (String, String) {
        let id = self.world.ids.object('P');
        self.world.services.put(Service {
            name: name.to_owned(),
            policy: policy.to_owned(),
            ..Service::new(id.clone(), now)
        });
        let key = self.world.ids.key32();
        self.world.integrations.put(Integration {
            id: self.world.ids.object('P'),
            name: "Monitoring".to_owned(),
            kind: "events_api_v2_inbound_integration".to_owned(),
            service: id.clone(),
            key: key.clone(),
            created_at: now,
            given: Given::new(),
        });
        (id, key)
    }

    /// Sets the time-outs of a service; `None` switches one off.
    pub fn set_timeouts(
        &mut self,
        service: &str,
        acknowledgement_s: Option<i64>,
        auto_resolve_s: Option<i64>,
    ) {
        if let Some(service) = self.world.services.get_mut(service) {
            service.acknowledgement_timeout_s = acknowledgement_s;
            service.auto_resolve_timeout_s = auto_resolve_s;
        }
    }

    /// Adds a priority below all others; returns the id.
    pub fn add_priority(&mut self, name: &str, description: &str) -> String {
        let id = self.world.ids.object('P');
        let (name, description) = (name.to_owned(), description.to_owned());
        self.world.priorities.put(Priority {
            id: id.clone(),
            name,
            description,
            given: Given::new(),
        });
        id
    }

    /// Adds a custom field of incidents; with `options` only these values are taken.
    pub fn add_field(
        &mut self,
        name: &str,
        display_name: &str,
        data_type: &str,
        options: &[&str],
    ) -> String {
        let id = self.world.ids.object('P');
        let field_type = if options.is_empty() {
            "single_value"
        } else {
            "single_value_fixed"
        };
        let values = options.iter().enumerate();
        let values = values.map(|(number, value)| FieldOption {
            id: format!("{id}{number}"),
            value: (*value).to_owned(),
        });
        let values = values.collect();
        let services = self.world.services.iter().map(|service| service.created_at);
        let since = services.min().unwrap_or(self.world.now);
        self.world.fields.put(FieldDefinition {
            id: id.clone(),
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            data_type: data_type.to_owned(),
            field_type: field_type.to_owned(),
            options: values,
            incident_type: BASE.to_owned(),
            created_at: since,
            updated_at: since,
            given: Given::new(),
        });
        id
    }

    /// Registers an OAuth app, or replaces the one of the same id.
    pub fn register_app(&mut self, app: OAuthApp) {
        self.world.oauth.register(app);
    }

    /// A person agrees; returns the code of the redirect. `None`: the page refuses.
    pub fn authorize(&mut self, consent: Consent, now: Timestamp) -> Option<String> {
        let world = &mut self.world;
        world.oauth.authorize(consent, &mut world.ids, now)
    }

    /// Ends all OAuth tokens, as when somebody removes the app.
    pub fn revoke_tokens(&mut self) {
        self.world.oauth.revoke_all();
    }

    /// Accepts a REST key that somebody else chose.
    pub fn accept_key(&mut self, key: &str, kind: KeyKind) {
        self.revoke_key(key);
        self.world.keys.push((key.to_owned(), kind));
    }

    /// Takes a REST key away; `false` when nobody had it.
    pub fn revoke_key(&mut self, key: &str) -> bool {
        let before = self.world.keys.len();
        self.world.keys.retain(|(known, _)| known != key);
        self.world.keys.len() < before
    }

    /// All REST keys, oldest first.
    pub fn keys(&self) -> &[(String, KeyKind)] {
        &self.world.keys
    }

    /// What a caller needs to know of the account as it is now.
    pub fn account(&self) -> Account {
        let world = &self.world;
        let key = |wanted: fn(&KeyKind) -> bool| {
            let found = world.keys.iter().find(|(_, kind)| wanted(kind));
            found.map(|(key, _)| key.clone()).unwrap_or_default()
        };
        let services = world.services.iter().map(|row| {
            let own = |one: &&Integration| one.service == row.id && !one.key.is_empty();
            let key = world
                .integrations
                .iter()
                .find(own)
                .map(|one| one.key.clone());
            (row.id.clone(), row.name.clone(), key.unwrap_or_default())
        });
        let users = world.users.iter();
        let users = users.map(|row| (row.id.clone(), row.name.clone(), row.email.clone()));
        let policies = world.policies.iter();
        let priorities = world.priorities.iter();
        let schedules = world.schedules.iter();
        Account {
            api_key: key(|kind| *kind == KeyKind::Account),
            read_only_key: key(|kind| *kind == KeyKind::ReadOnly),
            user_key: key(|kind| matches!(kind, KeyKind::User(_))),
            services: services.collect(),
            users: users.collect(),
            policies: policies
                .map(|row| (row.id.clone(), row.name.clone()))
                .collect(),
            priorities: priorities
                .map(|row| (row.id.clone(), row.name.clone()))
                .collect(),
            schedules: schedules
                .map(|row| (row.id.clone(), row.name.clone()))
                .collect(),
        }
    }

    /// The OAuth apps that are registered.
    pub fn apps(&self) -> &[OAuthApp] {
        self.world.oauth.apps()
    }

    /// Makes a REST key of 20 characters.
    pub fn add_key(&mut self, kind: KeyKind) -> String {
        let key = self.world.ids.token20();
        self.accept_key(&key, kind);
        key
    }
}
