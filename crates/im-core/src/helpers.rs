//! People who were asked to help with an incident (S46), and what makes an incident a major one (S48).
//!
//! PagerDuty's own definitions, `docs/pagerduty/rest.md`: it is mobilised when the last of those who came to
//! help said yes; it is major with one of the two highest priorities, or if several came to help.

use jiff::Timestamp;

use crate::{Kind, Person, Story};

/// Who said yes.
const JOINED: &str = "joined";
/// So many who came to help make an incident a major one.
const SEVERAL: usize = 2;

/// Somebody who was asked to help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helper {
    /// Who.
    pub person: Person,
    /// The last word: `pending`, `joined` or `declined`.
    pub answer: String,
    /// Since when that holds.
    pub at: Timestamp,
}

impl Helper {
    /// Whether they said yes.
    pub fn has_joined(&self) -> bool {
        self.answer == JOINED
    }
}

impl Story {
    /// Who was asked to help, in the order in which they were asked.
    pub fn helpers(&self) -> Vec<Helper> {
        let mut helpers: Vec<Helper> = Vec::new();
        for line in &self.lines {
            let Some(answer) = line.value.as_ref().filter(|_| line.kind == Kind::Responder) else {
                continue;
            };
            for person in &line.people {
                let now = Helper {
                    person: person.clone(),
                    answer: answer.clone(),
                    at: line.at,
                };
                match helpers.iter_mut().find(|one| one.person.id == person.id) {
                    Some(known) => *known = now,
                    None => helpers.push(now),
                }
            }
        }
        helpers
    }

    /// When the last of those who came to help said yes. That is no acknowledgement.
    pub fn mobilised_at(&self) -> Option<Timestamp> {
        let joined = self.helpers().into_iter().filter(Helper::has_joined);
        joined.map(|helper| helper.at).max()
    }

    /// Whether it is a major incident, where `highest` are PagerDuty's ids of the two highest priorities.
    pub fn is_major(&self, highest: &[String]) -> bool {
        let peer = self.peer.as_ref();
        let priority = peer.and_then(|peer| peer.priority.as_ref());
        let is_high = priority.is_some_and(|priority| highest.contains(&priority.id));
        is_high || self.helpers().iter().filter(|one| one.has_joined()).count() >= SEVERAL
    }
}
