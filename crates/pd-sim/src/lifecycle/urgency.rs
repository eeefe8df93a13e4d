//! How urgent a new incident is: always the same, by severity, or by the hours of the service.

use serde_json::Value;

use crate::schedule::{time_of_day, zone};
use crate::state::{Service, World};

impl World {
    /// `high`, `low` or `severity_based`, as the service's rule says now.
    pub(crate) fn urgency_now<'a>(&self, service: &'a Service) -> &'a str {
        let text = |pointer: &str| {
            service
                .given
                .get("incident_urgency_rule")?
                .pointer(pointer)?
                .as_str()
        };
        if text("/type") != Some("use_support_hours") {
            return &service.urgency;
        }
        let hours = service.given.get("support_hours");
        let inside = hours.is_some_and(|hours| self.is_within(hours));
        let rule = if inside {
            "/during_support_hours/urgency"
        } else {
            "/outside_support_hours/urgency"
        };
        text(rule).unwrap_or("high")
    }

    /// Hours that end before they start go over midnight and belong to the day of their start.
    fn is_within(&self, hours: &Value) -> bool {
        let text = |name: &str| hours.get(name).and_then(Value::as_str).unwrap_or_default();
        let bounds = (
            time_of_day(text("start_time")),
            time_of_day(text("end_time")),
        );
        let (Some(zone), (Some(start), Some(end))) = (zone(text("time_zone")), bounds) else {
            return false;
        };
        let now = zone.to_datetime(self.now);
        let days = hours.get("days_of_week").and_then(Value::as_array);
        let on = |day: jiff::civil::Weekday| {
            let number = Value::from(day.to_monday_one_offset());
            days.is_some_and(|days| days.contains(&number))
        };
        let (today, time) = (now.date().weekday(), now.time());
        if start < end {
            return on(today) && start <= time && time < end;
        }
        (on(today) && start <= time) || (on(today.previous()) && time < end)
    }
}
