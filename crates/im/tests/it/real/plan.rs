//! What goes wrong, and when: all of it follows from one seed.
//!
//! Which webhook meets which fate depends on the order in which requests come, and that is the machine's: a seed repeats the
//! plan, not the run.
//!
//! Invariants
//! - One webhook meets at most [`BLOWS_MAX`] cuts and holds, so that an end comes.
//! - A call is never held back for longer than its caller waits for it: what would arrive after the caller has given up, and looked, is
//!   a page or a note twice, and nothing but PagerDuty could prevent that.

use std::time::Duration;

use fastrand::Rng;

/// Cuts and holds that one webhook meets.
pub(crate) const BLOWS_MAX: u32 = 2;
/// The longest hold of a webhook: PagerDuty gives up after 5 s, and it arrives in spite of that.
const WEBHOOK_HOLD_MS_MAX: u64 = 7_000;
/// Most holds are short.
const HOLD_MS_MAX: u64 = 900;
/// The longest wait of a copy.
const COPY_MS_MAX: u64 = 4_000;
/// The longest time from an answer to a kill that belongs to it.
const LATER_MS_MAX: u64 = 60;
/// The longest absence after a kill; most are as short as a start.
const REST_MS_MAX: u64 = 3_000;

/// The two ways that are disturbed, and the one that is only struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// PagerDuty's requests to us.
    Webhook,
    /// Our requests to PagerDuty.
    Call,
    /// A person's request to us.
    Command,
}

impl Way {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Call => "call",
            Self::Command => "command",
        }
    }
}

/// What happens to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Straight,
    /// The connection ends before anything was passed on.
    CutBefore,
    /// The work is done, and nobody hears of it.
    CutAfter,
    HoldBefore(Duration),
    HoldAfter(Duration),
    /// A copy comes so much later.
    Twice(Duration),
}

impl Fate {
    /// Drawn for one exchange.
    pub(crate) fn draw(rng: &mut Rng, way: Way) -> Self {
        let percent = rng.u8(0..100);
        let long = way == Way::Webhook && rng.u8(0..20) == 0;
        let max = if long {
            WEBHOOK_HOLD_MS_MAX
        } else {
            HOLD_MS_MAX
        };
        let hold = Duration::from_millis(rng.u64(1..max));
        let copy = Duration::from_millis(rng.u64(0..COPY_MS_MAX));
        match (way, percent) {
            (Way::Command, _) => Self::Straight,
            (_, 0..=2) => Self::CutBefore,
            (_, 3..=5) => Self::CutAfter,
            (_, 6..=9) => Self::HoldBefore(hold),
            (_, 10..=13) => Self::HoldAfter(hold),
            (Way::Webhook, 14..=38) => Self::Twice(copy),
            (Way::Webhook | Way::Call, _) => Self::Straight,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Straight => "straight",
            Self::CutBefore => "cut before",
            Self::CutAfter => "cut after",
            Self::HoldBefore(_) => "held before",
            Self::HoldAfter(_) => "held after",
            Self::Twice(_) => "twice",
        }
    }

    /// Whether it may keep the other side from hearing.
    pub(crate) fn is_blow(self) -> bool {
        match self {
            Self::Straight | Self::Twice(_) => false,
            Self::CutBefore | Self::CutAfter | Self::HoldBefore(_) | Self::HoldAfter(_) => true,
        }
    }
}

/// Where in an exchange the server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// A request to us is half sent; a request to PagerDuty was not passed on.
    Before,
    /// The request is passed on; no answer was seen.
    During,
    /// The answer is there and not passed on.
    Answered,
    /// So much after the answer was passed on.
    Later(Duration),
}

impl Point {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::Answered => "answered",
            Self::Later(_) => "later",
        }
    }

    fn draw(rng: &mut Rng) -> Self {
        match rng.u8(0..4) {
            0 => Self::Before,
            1 => Self::During,
            2 => Self::Answered,
            _ => Self::Later(Duration::from_millis(rng.u64(0..LATER_MS_MAX))),
        }
    }
}

/// Which exchanges end in a kill: one in so many, and never at a regular distance.
pub(crate) struct Kills {
    rng: Rng,
    every: u64,
    seen: u64,
    next: u64,
}

impl Kills {
    pub(crate) fn new(seed: u64, every: u64) -> Self {
        let mut kills = Self {
            rng: stream(seed, 0, 3),
            every,
            seen: 0,
            next: 0,
        };
        kills.next = kills.distance();
        kills
    }

    fn distance(&mut self) -> u64 {
        self.rng.u64(self.every / 2..self.every * 3 / 2)
    }

    /// Counts an exchange and says where in it the server dies, if it does, and how long nobody is there then.
    pub(crate) fn meet(&mut self) -> Option<(Point, Duration)> {
        self.seen += 1;
        if self.seen < self.next {
            return None;
        }
        self.next = self.seen + self.distance();
        let point = Point::draw(&mut self.rng);
        let rest = match self.rng.u8(0..4) {
            0 => self.rng.u64(0..REST_MS_MAX),
            _ => 0,
        };
        Some((point, Duration::from_millis(rest)))
    }
}

/// One stream of chance: `part` tells those of an account apart.
pub(crate) fn stream(seed: u64, account: usize, part: u64) -> Rng {
    let account = u64::try_from(account).unwrap();
    Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (account << 8) ^ part)
}
