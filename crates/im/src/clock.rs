//! The only reader of the system clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// The instant it is.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Where the server gets its time from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine.
    #[default]
    System,
    /// Somebody who turns the hands: microseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until it is moved.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.as_microsecond())))
    }

    /// The instant it is, to the microsecond, since that is what the database keeps.
    pub fn now(&self) -> Timestamp {
        let micros = match self {
            Self::System => now().as_microsecond(),
            Self::Manual(micros) => micros.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Measures from now on; nobody who sets the machine's time changes what it shows.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch(match self {
            Self::System => Since::Instant(Instant::now()),
            Self::Manual(_) => Since::Manual(self.clone(), self.now()),
        })
    }

    /// Moves a manual clock; the machine's goes by itself.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(micros) = self {
            let by = i64::try_from(by.as_micros()).unwrap_or(0);
            micros.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// How long something takes.
#[derive(Debug)]
pub struct Stopwatch(Since);

#[derive(Debug)]
enum Since {
    Instant(Instant),
    Manual(Clock, Timestamp),
}

impl Stopwatch {
    /// The time since it was started.
    pub fn elapsed(&self) -> SignedDuration {
        match &self.0 {
            Since::Instant(began) => SignedDuration::try_from(began.elapsed()).unwrap_or_default(),
            Since::Manual(clock, began) => clock.now().duration_since(*began),
        }
    }
}
