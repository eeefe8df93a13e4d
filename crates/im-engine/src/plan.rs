//! "It is now T" becomes calls to make.
//!
//! Order of claims: what people wait for first, then single incidents, then repair, then the past. Each call
//! leaves under a lease that is committed before the caller sees it.

use im_pagerduty::Call;
use im_pagerduty::config::Logging;
use im_store::repair::WantedRow;
use im_store::{StoreError, Tx, inbox, outbox as outbox_rows, repair};
use jiff::{SignedDuration, Timestamp};

use crate::connector::{self, Connector};
use crate::{backfill, batch, early, reconcile};

/// How many calls the caller can take, how long they may take, and what else there is time for.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// For changes that people wait for.
    pub live: u32,
    /// For reading what we may have missed.
    pub repair: u32,
    /// How many incidents of each connector may follow its new configuration now.
    pub attach: u32,
    /// For how long a call is left alone before it is looked into again, usually
    /// [`LEASE`](crate::LEASE). Longer than any time-out of the caller, so a lease never ends while
    /// its call is under way.
    pub lease: SignedDuration,
}

/// What a call is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ticket {
    /// A row of the outbox is sent.
    Send(i64),
    /// Rows of the outbox are sent together, in the order of the call's ids.
    SendTogether(Vec<i64>),
    /// The other side is looked at before a row is sent.
    Check(i64),
    /// A step of a repair.
    Run(i64),
    /// A step of the reading of the past.
    Backfill,
    /// An incident, or its log, is read.
    Wanted,
}

impl Ticket {
    /// Whether people wait for it.
    pub fn is_live(&self) -> bool {
        match self {
            Self::Send(_) | Self::SendTogether(_) | Self::Check(_) => true,
            Self::Run(_) | Self::Backfill | Self::Wanted => false,
        }
    }
}

/// One call to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What it is for.
    pub ticket: Ticket,
    /// By which connector.
    pub connector: String,
    /// Where that connector's PagerDuty is.
    pub base_url: String,
    /// Its API key, sealed.
    pub api_key: String,
    /// What of it is logged.
    pub logging: Logging,
    /// The call.
    pub call: Call,
    /// When it was planned: a read counts from here.
    pub at: Timestamp,
}

/// What to do next, as data. The caller does the talking.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Calls to make now.
    pub calls: Vec<Planned>,
    /// When there is more to do, if nothing else happens.
    pub wake_at: Option<Timestamp>,
}

/// Claims work that is due. Committed before it is returned, so a crash repeats a call at worst.
pub fn plan(tx: &mut Tx<'_>, capacity: Capacity, now: Timestamp) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    let mut wake_at = inbox::next_due(tx)?;
    let mut connectors = connector::all(tx)?;
    fewest_calls_first(tx, &mut connectors, now)?;
    let count = u32::try_from(connectors.len()).unwrap_or(u32::MAX);
    let share = capacity.live / count.max(1);
    let mut at_work = Vec::new();
    for connector in &connectors {
        if connector::attach(tx, connector, capacity.attach, now)? {
            wake_at = Some(now);
        }
        let due = Due::of(tx, connector, now)?;
        if !connector.has_key() {
            read_nothing(tx, connector)?;
        } else if due.at().is_none_or(|at| at > now) {
            wake_at = earliest(wake_at, due.at());
        } else {
            if is_due(due.changes, now) {
                send(tx, connector, capacity, share.max(1), &mut plan, now)?;
            }
            read(tx, &due, capacity, &mut plan, now)?;
            at_work.push(connector);
        }
    }
    // What is left of the capacity goes to whoever has more to send.
    for connector in at_work {
        if is_due(changes(tx, connector)?, now) {
            send(tx, connector, capacity, capacity.live, &mut plan, now)?;
        }
        wake_at = earliest(wake_at, Due::of(tx, connector, now)?.at());
    }
    plan.wake_at = wake_at;
    Ok(plan)
}

/// A busy account must not keep the others from being called: whoever has the fewest calls under way comes first.
fn fewest_calls_first(
    tx: &mut Tx<'_>,
    connectors: &mut [Connector],
    now: Timestamp,
) -> Result<(), StoreError> {
    if connectors.len() > 1 {
        let under_way = outbox_rows::under_way(tx, now)?;
        let calls = |connector: &Connector| {
            let found = under_way.iter().find(|(name, _)| name == connector.name());
            found.map_or(0, |(_, count)| *count)
        };
        connectors.sort_by_key(calls);
    }
    Ok(())
}

/// When a connector next has something to do, of each kind. A claim writes, and mostly there is nothing to claim: a
/// look comes first.
struct Due<'a> {
    connector: &'a Connector,
    /// Changes that PagerDuty is to be told.
    changes: Option<Timestamp>,
    /// Single incidents to be read.
    wanted: Option<Timestamp>,
    /// A step of the comparison.
    run: Option<Timestamp>,
    /// A step of reading the past.
    past: Option<Timestamp>,
}

impl<'a> Due<'a> {
    fn of(tx: &mut Tx<'_>, connector: &'a Connector, now: Timestamp) -> Result<Self, StoreError> {
        let mut due = Self {
            connector,
            changes: None,
            wanted: None,
            run: None,
            past: None,
        };
        if connector.mapping.direction != im_core::Direction::None && connector.has_key() {
            due.changes = changes(tx, connector)?;
            due.wanted = repair::wanted_next_due(tx, connector.name())?;
            due.run = reconcile::next_due(tx, connector, now)?;
            due.past = backfill::next_due(tx, connector)?;
        }
        Ok(due)
    }

    /// The first of them, as far as the connector may be called then.
    fn at(&self) -> Option<Timestamp> {
        let first = earliest(
            earliest(self.changes, self.wanted),
            earliest(self.run, self.past),
        );
        first.map(|at| at.max(self.connector.row.blocked_until))
    }
}

/// When the next change that PagerDuty is to be told is due.
fn changes(tx: &mut Tx<'_>, connector: &Connector) -> Result<Option<Timestamp>, StoreError> {
    if connector.mapping.direction.sends() {
        outbox_rows::next_due(tx, connector.name())
    } else {
        Ok(None)
    }
}

/// Claims at most `most` changes that PagerDuty is to be told.
fn send(
    tx: &mut Tx<'_>,
    connector: &Connector,
    capacity: Capacity,
    most: u32,
    plan: &mut Plan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let limit = plan.left(capacity.live, true).min(most);
    for (ticket, call) in batch::claim(tx, connector, now + capacity.lease, limit, now)? {
        plan.add(connector, ticket, call, now);
    }
    Ok(())
}

/// Without a key, what webhooks left open stays so.
fn read_nothing(tx: &mut Tx<'_>, connector: &Connector) -> Result<(), StoreError> {
    match repair::wanted_next_due(tx, connector.name())? {
        Some(_) => repair::want_nothing(tx, connector.name()),
        None => Ok(()),
    }
}

/// Claims what is to be read.
fn read(
    tx: &mut Tx<'_>,
    due: &Due<'_>,
    capacity: Capacity,
    plan: &mut Plan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let connector = due.connector;
    let lease_until = now + capacity.lease;
    let name = connector.name();
    if is_due(due.wanted, now) {
        let limit = plan.left(capacity.repair, false);
        for wanted in repair::claim_wanted(tx, name, lease_until, limit, now)? {
            if early::is_stale(&wanted, now) {
                repair::want_no_more(tx, name, &wanted.pd_id)?;
            } else {
                plan.add(connector, Ticket::Wanted, wanted_call(&wanted), now);
            }
        }
    }
    if is_due(due.run, now)
        && let Some((run, call)) = reconcile::step(tx, connector, lease_until, now)?
    {
        plan.add(connector, Ticket::Run(run), call, now);
    }
    if is_due(due.past, now)
        && let Some(call) = backfill::step(tx, connector, lease_until, now)?
    {
        plan.add(connector, Ticket::Backfill, call, now);
    }
    Ok(())
}

impl Plan {
    fn add(&mut self, connector: &Connector, ticket: Ticket, call: Call, now: Timestamp) {
        self.calls.push(Planned {
            ticket,
            connector: connector.name().to_owned(),
            base_url: connector.config.base_url.clone(),
            api_key: connector.row.api_key.clone(),
            logging: connector.config.logging,
            call,
            at: now,
        });
    }

    /// What the calls of this plan leave of a capacity.
    fn left(&self, capacity: u32, is_live: bool) -> u32 {
        let calls = self.calls.iter();
        let taken = calls
            .filter(|call| call.ticket.is_live() == is_live)
            .count();
        capacity.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX))
    }
}

fn wanted_call(wanted: &WantedRow) -> Call {
    let id = wanted.pd_id.clone();
    match wanted.log_offset {
        None => Call::ReadIncident { id },
        Some(offset) => Call::IncidentLogEntries { id, offset },
    }
}

fn is_due(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now)
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
