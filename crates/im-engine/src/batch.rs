//! What is due leaves, and plain resolves of one person leave together.
//!
//! PagerDuty resolves up to 250 incidents in one request, all or none. So when many incidents are
//! resolved here, a few calls carry them.
//!
//! Invariants
//! - Each row of a batch is claimed by the rules of a single row, under a lease of its own.
//! - What needs a look at PagerDuty first takes that look alone, and may join a batch afterwards.
//! - A batch that is refused changed nothing: its rows go again in halves and in the end one by
//!   one, so that what PagerDuty refuses is parked alone.
//! - What is not known to be refused is as unclear for each row as it would be for one.

use im_core::PeerStatus;
use im_pagerduty::{Answer, BATCH_MAX, Call, Change, Outcome, Refusal, Why};
use im_store::outbox::{self as rows, Alike, OutboxRow};
use im_store::{StoreError, Tx};
use jiff::Timestamp;

use crate::connector::Connector;
use crate::outbox::{self, CHECKED, FRESH};
use crate::plan::Ticket;
use crate::record;
use crate::settle::{self, Settled};

/// Resolves that leave together.
struct Batch {
    /// Others like this one may join.
    like: OutboxRow,
    rows: Vec<i64>,
    ids: Vec<String>,
    from: String,
}

/// Claims what is due of a connector, and makes at most `limit` calls of it.
pub(crate) fn claim(
    tx: &mut Tx<'_>,
    connector: &Connector,
    lease_until: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<(Ticket, Call)>, StoreError> {
    let mut calls = Vec::new();
    let mut batches = Vec::new();
    // Looks come first, so that what was looked at can go together; but no look is to go stale.
    let looked_before = now - CHECKED / 2;
    for row in rows::claim_due(tx, connector.name(), lease_until, limit, looked_before, now)? {
        if let Some((ticket, call)) = outbox::call(tx, connector, &row, now)? {
            sort_in(row, ticket, call, &mut batches, &mut calls);
        }
    }
    for place in 0..batches.len() {
        for row in claim_alike(tx, &batches, place, lease_until, now)? {
            if let Some((ticket, call)) = outbox::call(tx, connector, &row, now)? {
                sort_in(row, ticket, call, &mut batches, &mut calls);
            }
        }
    }
    calls.extend(batches.into_iter().map(Batch::call));
    Ok(calls)
}

/// Puts a plain resolve to others of the same person; any other call is one by itself.
fn sort_in(
    row: OutboxRow,
    ticket: Ticket,
    call: Call,
    batches: &mut Vec<Batch>,
    calls: &mut Vec<(Ticket, Call)>,
) {
    match (ticket, call) {
        (Ticket::Send(_), Call::UpdateIncident { id, change, from }) if change == resolve() => {
            let open = batches.iter_mut().find(|batch| batch.takes(&row, &from));
            match open {
                Some(batch) => {
                    batch.rows.push(row.id);
                    batch.ids.push(id);
                }
                None => batches.push(Batch {
                    rows: vec![row.id],
                    ids: vec![id],
                    from,
                    like: row,
                }),
            }
        }
        (ticket, call) => calls.push((ticket, call)),
    }
}

/// More rows for a batch, as many as it has room for.
fn claim_alike(
    tx: &mut Tx<'_>,
    batches: &[Batch],
    place: usize,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<Vec<OutboxRow>, StoreError> {
    let Some(batch) = batches.get(place).filter(|batch| batch.room() > 0) else {
        return Ok(Vec::new());
    };
    let alike = Alike {
        row: &batch.like,
        since: now - FRESH,
        checked_since: now - CHECKED,
    };
    rows::claim_alike(tx, &alike, lease_until, batch.room(), now)
}

fn resolve() -> Change {
    Change {
        status: Some(PeerStatus::Resolved),
        ..Change::default()
    }
}

impl Batch {
    fn room(&self) -> u32 {
        let taken = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.like.batch_max.min(BATCH_MAX).saturating_sub(taken)
    }

    fn takes(&self, row: &OutboxRow, from: &str) -> bool {
        self.room() > 0 && self.from == from && self.like.batch_max == row.batch_max
    }

    fn call(self) -> (Ticket, Call) {
        let Self {
            rows, ids, from, ..
        } = self;
        match (rows.as_slice(), ids.as_slice()) {
            ([row], [id]) => {
                let (id, change) = (id.clone(), resolve());
                (
                    Ticket::Send(*row),
                    Call::UpdateIncident { id, change, from },
                )
            }
            _ => (
                Ticket::SendTogether(rows),
                Call::ResolveIncidents { ids, from },
            ),
        }
    }
}

/// What became of a batch.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    connector: &Connector,
    tickets: &[i64],
    settled: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let call = &settled.planned.call;
    let Call::ResolveIncidents { ids, .. } = call else {
        return Ok(());
    };
    let refusal = refused_whole(&settled.outcome);
    let half = u32::try_from(tickets.len() / 2).unwrap_or(BATCH_MAX);
    for (ticket, id) in tickets.iter().zip(ids) {
        let Some(row) = rows::find(tx, *ticket)? else {
            continue;
        };
        if let Some(words) = &refusal {
            rows::refused_together(tx, row.id, half.max(1), words, now)?;
            // Still owed? Then it goes again.
            record::refold(tx, row.incident, Some(connector), now)?;
            continue;
        }
        let shown = if let Outcome::Done(Answer::Incidents(page)) = &settled.outcome {
            page.items.iter().find(|read| read.snapshot.id == *id)
        } else {
            None
        };
        match shown {
            Some(read) => settle::sent(tx, connector, &row, (read, call), now)?,
            None => settle::settle_row(tx, connector, &row, settled, now)?,
        }
    }
    Ok(())
}

/// PagerDuty's words, where it refused the batch and may take a part of it. What it says about
/// the sender or the key is as true of each row.
fn refused_whole(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Gone => Some("PagerDuty does not have one of the incidents".to_owned()),
        Outcome::Refused(refusal) if !is_about_sender(refusal) => Some(refusal.to_string()),
        Outcome::Refused(_) | Outcome::Done(_) | Outcome::Wait { .. } | Outcome::Unclear(_) => None,
    }
}

fn is_about_sender(refusal: &Refusal) -> bool {
    matches!(
        refusal.why,
        Why::BadKey | Why::ReadOnly | Why::UnknownFrom | Why::MissingFrom
    )
}
