//! What is known of a connector without asking anybody.

use im_engine::connector::{self, Connector};
use im_engine::figures::{self, Figures};
use im_engine::key::{self, Key};
use im_engine::{silence, skew, subscription};
use im_store::connectors::State as RowState;
use im_store::{StoreError, Tx, outbox};
use jiff::{SignedDuration, Timestamp};

use super::{ERRORS, HealthLine, KEY, SYNC, WEBHOOK};
use crate::http::api::connectors::view::length;
use crate::http::error::ApiError;
use crate::http::{App, hooks};

/// So many of 100 calls may fail before somebody should look.
const ERRORS_PERCENT_MAX: i64 = 10;
/// Keys are best changed each quarter.
const KEY_DAYS_MAX: i64 = 90;
/// People who compare two timelines wonder about clocks that differ by more.
const CLOCK_OFF_S: u64 = 5;

/// What the answers so far say of the key.
pub(super) fn key(connector: &Connector) -> HealthLine {
    let name = connector.name();
    if connector.row.state == RowState::Limited && connector.mapping.direction.sends() {
        return HealthLine::warning(KEY, "Valid API key, which may read and not write").next(
            format!("make a key with write access and `im connector update {name}`"),
        );
    }
    HealthLine::ok(KEY, "Valid API key")
}

/// What is known of the webhook without asking.
pub(super) struct Heard {
    pub(super) bad_signatures: i64,
    pub(super) wrong: Option<String>,
    silence: Option<String>,
}

impl Heard {
    pub(super) async fn load(
        app: &App,
        connector: &Connector,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let connector = connector.clone();
        app.db
            .read(move |tx| Ok::<_, ApiError>(Self::read(tx, &connector, now)?))
            .await
    }

    fn read(tx: &mut Tx<'_>, connector: &Connector, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            bad_signatures: hooks::bad_signatures_since_good(tx, &connector.row, now)?,
            wrong: subscription::wrong(tx, connector.name())?,
            silence: silence::unusual(tx, connector, now)?,
        })
    }
}

/// By what came alone: quiet is not broken, but a quiet that is longer than usual may be.
pub(super) fn heard(connector: &Connector, seen: &Heard, now: Timestamp) -> HealthLine {
    const SEND: &str = "use `Send Test Event` on the webhook's page in PagerDuty";
    let Some(at) = connector.row.last_heard_at else {
        return HealthLine::warning(WEBHOOK, "No verified webhook has come yet").next(SEND);
    };
    let last = format!("(last: {})", ago(at, now));
    match &seen.silence {
        None => HealthLine::ok(WEBHOOK, format!("Receiving events {last}")),
        Some(why) => HealthLine::warning(WEBHOOK, format!("Silent {last}: {why}")).next(format!(
            "{SEND}: one that arrives shows that the way is open"
        )),
    }
}

/// What is stored.
pub(super) struct Known {
    now: Timestamp,
    pub(super) figures: Figures,
    pending: i64,
    parked: i64,
    clock_ahead_s: Option<i64>,
    key_since: Timestamp,
    key: Key,
}

impl Known {
    pub(super) async fn load(app: &App, connector: &Connector) -> Result<Self, ApiError> {
        let (connector, now) = (connector.clone(), app.clock.now());
        app.db
            .read(move |tx| Ok::<_, ApiError>(Self::read(tx, &connector, now)?))
            .await
    }

    pub(super) fn read(
        tx: &mut Tx<'_>,
        connector: &Connector,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let row = &connector.row;
        let (pending, parked) = outbox::counts(tx, &row.name)?;
        Ok(Self {
            now,
            figures: figures::of(tx, &row.name, row.created_at, now)?,
            pending,
            parked,
            clock_ahead_s: skew::ahead_s(tx, &row.name)?,
            key_since: connector::key_since(tx, row)?,
            key: key::state(tx, connector, now)?,
        })
    }
}

pub(super) fn sync(connector: &Connector, known: &Known) -> HealthLine {
    let name = connector.name();
    let waits = match known.pending {
        0 => String::new(),
        1 => "; 1 change waits".to_owned(),
        count => format!("; {count} changes wait"),
    };
    if connector.row.state == RowState::Failing {
        let why = connector
            .row
            .state_reason
            .as_deref()
            .unwrap_or("PagerDuty does not answer");
        return HealthLine::failed(SYNC, format!("{why}{waits}"))
            .next(format!("`im connector test {name}` looks for the cause"));
    }
    if known.parked > 0 {
        let text = format!("PagerDuty refused {} changes{waits}", known.parked);
        return HealthLine::warning(SYNC, text).next(format!(
            "`im connector outbox list {name}` says which and why"
        ));
    }
    if !connector.has_key() {
        return HealthLine::ok(SYNC, "Live only, no repair");
    }
    let Some(last) = connector.row.last_sync_at else {
        return HealthLine::failed(SYNC, format!("Never compared with PagerDuty{waits}")).next(
            format!("`im connector sync {name}` compares now; `im serve` does it by itself"),
        );
    };
    let said = ago(last, known.now);
    let late = connector.config.sync_interval * 2 + SignedDuration::from_mins(1);
    if known.now.duration_since(last) > late {
        let every = length(connector.config.sync_interval);
        return HealthLine::failed(
            SYNC,
            format!("Behind (last sync: {said}, every {every}){waits}"),
        )
        .next("does `im serve` run?");
    }
    HealthLine::ok(SYNC, format!("Up to date (last sync: {said}){waits}"))
}

pub(super) fn errors(connector: &Connector, figures: &Figures) -> HealthLine {
    let Figures { calls, errors, .. } = *figures;
    let percent = if calls > 0 {
        (errors * 100 + calls / 2) / calls
    } else {
        0
    };
    let plural = if errors == 1 { "" } else { "s" };
    let text = format!("{percent}% ({errors} error{plural} in 24h)");
    if percent < ERRORS_PERCENT_MAX {
        return HealthLine::ok(ERRORS, text);
    }
    let name = connector.name();
    HealthLine::warning(ERRORS, text).next(format!(
        "`im connector status {name}` and `im logs --component api` say what failed"
    ))
}

/// What is worth a line only when it is so.
pub(super) fn warnings(connector: &Connector, known: &Known) -> Vec<HealthLine> {
    let name = connector.name();
    let mut lines = Vec::new();
    let days = known.now.duration_since(known.key_since).as_hours() / 24;
    if known.key == Key::SafeToRevoke {
        let text = "Safe to revoke now: webhooks alone keep this connector up to date";
        lines.push(
            HealthLine::ok("API Key", text)
                .next(format!("`im connector forget-key {name}` forgets it here")),
        );
    }
    if connector.has_key() && days > KEY_DAYS_MAX {
        lines.push(
            HealthLine::warning("API Key", format!("It is {days} days old")).next(format!(
                "make another one each quarter: `im connector update {name}`"
            )),
        );
    }
    if let Some(ahead) = known
        .clock_ahead_s
        .filter(|ahead| ahead.unsigned_abs() >= CLOCK_OFF_S)
    {
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let text = format!("{} s {side} PagerDuty's", ahead.unsigned_abs());
        lines.push(
            HealthLine::warning("Clock", text)
                .next("let this machine take its time from a time server (NTP)"),
        );
    }
    lines
}

/// Whether far more calls were made than usual.
pub(super) fn usage(figures: &Figures) -> Option<HealthLine> {
    let usual = figures.usual_calls.filter(|_| figures.is_unusual())?;
    let text = format!(
        "{} calls in 24h, {usual} a day in the week before",
        figures.calls
    );
    Some(
        HealthLine::warning("API Usage", text).next(
            "`im logs --component api` shows them; a key that others use too is worth a look",
        ),
    )
}

/// `2m ago`.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}
