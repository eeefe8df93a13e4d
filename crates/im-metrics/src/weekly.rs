//! When things happen: how much of what is behind a figure is in each hour of the week, by service.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::columns::Share;
use crate::engine::Engine;
use crate::gather::Counted;
use crate::hours::in_week;
use crate::metrics::scan;
use crate::params::BadQuery;
use crate::plan::{Item, Of, Plan, Sink};
use crate::query::{Dimension, Query};

const HOUR: i64 = 3_600_000_000;

/// How many things are in each hour of the week.
pub type Hourly = [[u64; 24]; 7];

/// The things of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekly {
    /// The service, as a group by service sees it; `None` is no value.
    pub service: Option<String>,
    /// How many there are by weekday from Monday and by hour, on the organisation's clock.
    pub hours: Hourly,
}

/// The weekday from Monday, and the hour, of an instant.
pub fn hour_of_week(at: Timestamp, zone: &TimeZone) -> (usize, usize) {
    of_micros(at.as_microsecond(), zone)
}

pub(crate) fn of_micros(at: i64, zone: &TimeZone) -> (usize, usize) {
    let hour = usize::try_from(in_week(at, zone) / HOUR).unwrap_or_default();
    (hour / 24, hour % 24)
}

/// Counts things by service and hour.
struct Counting<'p> {
    counted: Counted<'p>,
    plan: &'p Plan<'p>,
    services: HashMap<u32, Hourly>,
}

impl<'p> Sink<'p> for Counting<'p> {
    fn take(&mut self, item: Item<'p>) {
        if self.counted.bucket(&item).is_none() {
            return;
        }
        let service = match item.of {
            Of::Incident(row) => self.plan.field(row, Dimension::Service),
            Of::Deployment(deployment) => deployment.service,
        };
        let (day, hour) = of_micros(item.at, &self.plan.engine.settings.zone);
        let hours = self.services.entry(service).or_default();
        if let Some(count) = hours.get_mut(day).and_then(|day| day.get_mut(hour)) {
            *count += 1;
        }
    }
}

impl Engine {
    /// Of what [`Engine::items`] lists, how much is in each hour of the week; a service without any is not there.
    pub fn weekly(&self, query: &Query, now: Timestamp) -> Result<Vec<Weekly>, BadQuery> {
        let plan = Plan::new(self, query, now)?;
        let mut counting = Counting {
            counted: Counted::new(&plan),
            plan: &plan,
            services: HashMap::new(),
        };
        scan(&plan, Share::WHOLE, &mut counting);
        let services = counting.services.into_iter();
        let mut weekly: Vec<Weekly> = services
            .map(|(service, hours)| Weekly {
                service: self.names.text(service).map(str::to_owned),
                hours,
            })
            .collect();
        weekly.sort_by(|a, b| a.service.cmp(&b.service));
        Ok(weekly)
    }
}
