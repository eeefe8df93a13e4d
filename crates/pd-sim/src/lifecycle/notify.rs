//! Calling people: one entry for each notification to one person on one means.

use serde_json::{Map, Value, json};

use crate::state::{Actor, Agent, Means, Page, Status, World};
use crate::timers::Timer;

impl Means {
    /// As log entries spell it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Push => "push_notification",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Phone => "phone",
        }
    }

    /// As `GET /notifications` spells it.
    pub(crate) const fn notification_type(self) -> &'static str {
        match self {
            Self::Push => "push_notification",
            Self::Email => "email_notification",
            Self::Sms => "sms_notification",
            Self::Phone => "phone_notification",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Push => "push notification",
            Self::Email => "email",
            Self::Sms => "SMS",
            Self::Phone => "phone call",
        }
    }
}

impl World {
    /// Plans the notifications of everybody who has the incident now, and of nobody else.
    pub(crate) fn call_people(&mut self, at: usize) {
        self.drop_timers(at, |timer| matches!(timer, Timer::Notify { .. }));
        let incident = self.incident(at);
        if incident.status != Status::Triggered {
            return;
        }
        let urgency = incident.urgency();
        let mut plan = Vec::new();
        for (user, _) in &incident.assignments {
            let person = self.users.get(user).into_iter();
            for (means, delay_min) in person.flat_map(|person| person.plan(urgency)) {
                let user = user.clone();
                plan.push((Timer::Notify { user, means }, delay_min * 60));
            }
        }
        for (timer, seconds) in plan {
            self.set_timer(at, timer, seconds);
        }
    }

    /// Sends one notification.
    pub(crate) fn notify(&mut self, at: usize, user: &str, means: Means) {
        let incident = self.incident(at);
        let actor = Actor::automatic(&incident.service, "auto");
        let page = Page {
            incident: incident.id.clone(),
            user: user.to_owned(),
            channel: means.name(),
            at: self.now,
        };
        self.pages.push(page);
        let address = self.address(user, means);
        let channel = json!({
            "type": "auto",
            "notification": {"type": means.name(), "address": address, "status": "success"},
        });
        let name = self.agent_name(&Agent::User(user.to_owned()));
        let mut extra = Map::new();
        extra.insert("user".to_owned(), self.user_ref(user).value());
        let summary = format!("{name} notified by {}.", means.words());
        self.record_with(at, "notify", summary, &actor, channel, extra);
    }

    /// Where a notification goes; null for a push.
    pub(crate) fn address(&self, user: &str, means: Means) -> Value {
        let Some(user) = self.users.get(user) else {
            return Value::Null;
        };
        let contact = user.contact(means);
        let address = contact.and_then(|contact| contact.address.as_deref());
        match means {
            Means::Push => Value::Null,
            Means::Email => address.unwrap_or(&user.email).into(),
            Means::Sms | Means::Phone => {
                let code = contact.and_then(|one| one.given.get("country_code")?.as_i64());
                format!("+{}{}", code.unwrap_or(1), address.unwrap_or_default()).into()
            }
        }
    }
}
