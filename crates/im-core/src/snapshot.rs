//! What PagerDuty's incident looked like at one moment.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{PeerStatus, Person, Urgency};

/// A thing of PagerDuty's: its id and the name it had.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Named {
    /// PagerDuty's id.
    pub id: String,
    /// The name at the time.
    pub name: Option<String>,
}

/// The fields of PagerDuty's incident as one message or one read showed them.
///
/// A field is `None` where the source did not show it, which is not the same as empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Snapshot {
    /// The instant, on PagerDuty's clock, from which on the incident looked like this:
    /// `updated_at` of a read, `occurred_at` of a webhook.
    pub version: Timestamp,
    /// When we began to read it, on our clock; absent for a webhook. Among versions of one
    /// second (REST has no finer grain) the later read is the newer truth.
    pub read_at: Option<Timestamp>,
    /// When PagerDuty answered that read, on its own clock and to the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// PagerDuty's id of the incident.
    pub id: String,
    /// The number people see there.
    pub number: Option<i64>,
    /// Where people find it.
    pub html_url: Option<String>,
    /// The key by which we made it, where PagerDuty tells it.
    pub incident_key: Option<String>,
    /// When PagerDuty made it.
    pub created_at: Option<Timestamp>,
    /// Its state, unless the word is one that we do not know.
    pub status: Option<PeerStatus>,
    /// Its title.
    pub title: Option<String>,
    /// Its urgency.
    pub urgency: Option<Urgency>,
    /// Its priority: `Some(None)` when it has none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "shown"
    )]
    pub priority: Option<Option<Named>>,
    /// Its service.
    pub service: Option<Named>,
    /// Its escalation policy.
    pub policy: Option<Named>,
    /// Who has it now; PagerDuty empties this on resolve.
    pub assignees: Option<Vec<Person>>,
    /// Its teams.
    pub teams: Option<Vec<Named>>,
    /// The incident it was merged into.
    pub merged_into: Option<String>,
}

impl Snapshot {
    /// The instant, on PagerDuty's clock, at which it looked like this.
    ///
    /// REST tells the second of the last change, a webhook its millisecond. Within that second
    /// a read is dated by when it was begun: it showed nothing that came later, and a read begun
    /// after the second showed all of it. Our clock counts as far as PagerDuty's agrees.
    pub fn shown_at(&self) -> Timestamp {
        let Some(read_at) = self.read_at else {
            return self.version;
        };
        let there = self.answered_at.unwrap_or(read_at);
        let read_at = read_at.clamp(there, end_of_second(there));
        read_at.clamp(self.version, end_of_second(self.version))
    }
}

/// The last instant of a second.
fn end_of_second(at: Timestamp) -> Timestamp {
    let last = SignedDuration::from_micros(999_999);
    Timestamp::from_second(at.as_second())
        .and_then(|start| start.checked_add(last))
        .map_or(at, |end| end.max(at))
}

/// A field that is there is shown, even if it is null.
fn shown<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Option<Named>>, D::Error> {
    Option::deserialize(reader).map(Some)
}
