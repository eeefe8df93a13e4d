//! The states of an incident, here and at PagerDuty.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What state an incident is in, here.
///
/// `Acknowledged` and `Mitigated` are told apart in storage always; whether people see the
/// difference is the [`StatusModel`]'s business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has taken it.
    Open,
    /// Somebody works on it.
    Acknowledged,
    /// The harm is contained.
    Mitigated,
    /// Fixed and confirmed.
    Resolved,
    /// Done for good, after resolve.
    Closed,
    /// A false alarm.
    Canceled,
    /// The same as another incident.
    Duplicate,
}

impl Status {
    /// All states in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Acknowledged,
        Self::Mitigated,
        Self::Resolved,
        Self::Closed,
        Self::Canceled,
        Self::Duplicate,
    ];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Canceled => "canceled",
            Self::Duplicate => "duplicate",
        }
    }

    /// The state of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether somebody still has to do something.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged | Self::Mitigated)
    }

    /// What PagerDuty should say when we say this.
    pub fn at_peer(self) -> PeerStatus {
        match self {
            Self::Open => PeerStatus::Triggered,
            Self::Acknowledged | Self::Mitigated => PeerStatus::Acknowledged,
            Self::Resolved | Self::Closed | Self::Canceled | Self::Duplicate => {
                PeerStatus::Resolved
            }
        }
    }
}

/// Which of two words people see for an acknowledged incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusModel {
    /// As in the integration's table: PagerDuty's `acknowledged` is our `mitigated`.
    #[default]
    Documented,
    /// `acknowledged` is a state of its own, before `mitigated`.
    Lifecycle,
}

impl StatusModel {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Lifecycle => "lifecycle",
        }
    }

    /// The model of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Documented, Self::Lifecycle]
            .into_iter()
            .find(|model| model.as_str() == word)
    }

    /// What people see for `status`.
    pub fn shown(self, status: Status) -> Status {
        match (self, status) {
            (Self::Documented, Status::Acknowledged) => Status::Mitigated,
            (_, status) => status,
        }
    }
}

/// What PagerDuty says about its incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerStatus {
    /// Nobody has it.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// Over.
    Resolved,
}

impl PeerStatus {
    /// PagerDuty's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// The status of PagerDuty's word; `None` for a word that is not known yet.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Triggered, Self::Acknowledged, Self::Resolved]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for PeerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
