//! What follows from the facts of one incident: its resolves, its pages, what it is left out for.
//!
//! A plain walk over the facts that count. Repeats are no facts: a resolve counts while the incident
//! is open, a reopen while it is not. Everything that needs a time zone is worked out here, once.

use crate::columns::{Derived, Flags, NEVER, Page, PageKinds, PageMore, Paged};
use crate::input::ResolverKind;
use crate::names::{Labels, NONE, Sets};
use crate::people::People;

/// A fact in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) at: i64,
    /// The person; for an assignment the set of people; for a snooze its seconds; `NONE` for nobody.
    pub(crate) who: u32,
    pub(crate) what: Code,
}

/// What a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Triggered,
    /// Assigned, escalated (true) or delegated.
    Given {
        escalated: bool,
    },
    Acknowledged,
    Unacknowledged,
    Resolved(ResolverKind),
    Reopened,
    Snoozed,
    /// By e-mail (true) or otherwise.
    Notified {
        email: bool,
    },
}

impl Code {
    /// Every one; facts are kept by the places here.
    pub(crate) const ALL: [Self; 15] = [
        Self::Triggered,
        Self::Given { escalated: false },
        Self::Given { escalated: true },
        Self::Acknowledged,
        Self::Unacknowledged,
        Self::Resolved(ResolverKind::Merge),
        Self::Resolved(ResolverKind::Human),
        Self::Resolved(ResolverKind::Timer),
        Self::Resolved(ResolverKind::Integration),
        Self::Resolved(ResolverKind::Api),
        Self::Resolved(ResolverKind::None),
        Self::Reopened,
        Self::Snoozed,
        Self::Notified { email: false },
        Self::Notified { email: true },
    ];
}

/// What derivation reads beside the facts.
pub(crate) struct Known<'a> {
    pub(crate) people: &'a People,
    pub(crate) sets: &'a Sets,
    pub(crate) rules: &'a [Rule],
    /// Lower-cased; nothing is a test if it is empty.
    pub(crate) test_keyword: &'a str,
}

/// A rule by which an incident is no failure.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) origin: Option<u32>,
    pub(crate) service: Option<u32>,
    pub(crate) urgency: Option<u32>,
    pub(crate) priority: Option<u32>,
    pub(crate) shorter_than: Option<i64>,
}

impl Rule {
    fn excludes(&self, labels: &Labels, lasted: Option<i64>) -> bool {
        let fits = |want: Option<u32>, has: u32| want.is_none_or(|want| want == has);
        let short = |max: i64| lasted.is_some_and(|lasted| lasted < max);
        fits(self.origin, labels.origin)
            && fits(self.service, labels.service)
            && fits(self.urgency, labels.urgency)
            && fits(self.priority, labels.priority)
            && self.shorter_than.is_none_or(short)
    }
}

/// One incident, derived.
pub(crate) struct Life {
    /// Without its stretches.
    pub(crate) row: Derived,
    pub(crate) pages: Vec<(Page, PageMore)>,
    pub(crate) escalations: Vec<i64>,
    pub(crate) turns: Vec<i64>,
}

/// Derives an incident from the facts that count; `None` if it has not begun by then.
pub(crate) fn derive(
    labels: &Labels,
    title: &str,
    facts: &[Fact],
    known: &Known<'_>,
) -> Option<Life> {
    let first = facts.first()?;
    let mut life = Life {
        row: born(first.at),
        pages: Vec::new(),
        escalations: Vec::new(),
        turns: Vec::new(),
    };
    walk(&mut life, facts, known.people);
    let row = &mut life.row;
    let is_open = life.turns.len().is_multiple_of(2);
    if labels.merge_told && row.last_resolve != NEVER {
        row.last_resolve_kind = ResolverKind::Merge;
        if row.first_resolve == row.last_resolve && life.turns.len() <= 2 {
            row.first_resolve_kind = ResolverKind::Merge;
        }
    }
    let lasted = (!is_open).then(|| row.last_resolve - row.trigger);
    let is_test = !known.test_keyword.is_empty() && title.contains(known.test_keyword);
    let excluded = known.rules.iter().any(|rule| rule.excludes(labels, lasted));
    row.flags = Flags::default()
        .with(Flags::OPEN, is_open)
        .with(Flags::MERGED, labels.merge_told && !is_open)
        .with(Flags::TEST, is_test)
        .with(Flags::REOPENED, life.turns.len() > 1)
        .with(Flags::NOT_FAILURE, labels.not_change_related || excluded)
        .with(Flags::REBUILT, labels.rebuilt)
        .with(Flags::UNACKNOWLEDGED, row.first_ack == NEVER);
    acknowledged_pages(&mut life, facts, known.people);
    notified_pages(&mut life, facts, known);
    life.pages.sort_by_key(|(page, _)| page.at);
    life.row.paged = Paged::of(life.row.trigger, &life.pages);
    Some(life)
}

fn born(trigger: i64) -> Derived {
    Derived {
        trigger,
        first_ack: NEVER,
        first_ack_teams: 0,
        first_resolve: NEVER,
        first_resolve_kind: ResolverKind::None,
        first_resolve_teams: 0,
        last_resolve: NEVER,
        last_resolve_kind: ResolverKind::None,
        last_resolve_teams: 0,
        flags: Flags::default(),
        pages: (0, 0),
        paged: Paged::default(),
        moments: (0, 0),
    }
}

/// The state machine.
fn walk(life: &mut Life, facts: &[Fact], people: &People) {
    let mut is_open = true;
    let teams = |fact: &Fact| match fact.who {
        NONE => 0,
        user => people.teams_at(people.who(user), fact.at),
    };
    for fact in facts {
        let row = &mut life.row;
        match fact.what {
            Code::Acknowledged if row.first_ack == NEVER => {
                row.first_ack = fact.at;
                row.first_ack_teams = teams(fact);
            }
            Code::Resolved(kind) => {
                if !is_open {
                    continue;
                }
                is_open = false;
                life.turns.push(fact.at);
                row.last_resolve = fact.at;
                row.last_resolve_kind = kind;
                row.last_resolve_teams = teams(fact);
                if row.first_resolve == NEVER {
                    row.first_resolve = fact.at;
                    row.first_resolve_kind = kind;
                    row.first_resolve_teams = row.last_resolve_teams;
                }
            }
            Code::Reopened if !is_open => {
                is_open = true;
                life.turns.push(fact.at);
            }
            Code::Given { escalated: true } => life.escalations.push(fact.at),
            Code::Triggered
            | Code::Given { .. }
            | Code::Acknowledged
            | Code::Unacknowledged
            | Code::Reopened
            | Code::Snoozed
            | Code::Notified { .. } => {}
        }
    }
}

fn page(person: u32, at: i64, people: &People) -> (Page, PageMore) {
    let moment = people.moment(person, at);
    let page = Page {
        at,
        user: person,
        hours_early: moment.hours_early,
        kinds: PageKinds::default().with(PageKinds::OUT_OF_HOURS, moment.out_of_hours),
    };
    let more = PageMore {
        teams: people.teams_at(person, at),
        answered_after: NEVER,
    };
    (page, more)
}

/// One page for each acknowledgement of a person; the first resolve stands in where nobody
/// acknowledged at all.
fn acknowledged_pages(life: &mut Life, facts: &[Fact], people: &People) {
    let is_ack = |fact: &&Fact| fact.what == Code::Acknowledged;
    let mut from: Vec<&Fact> = facts.iter().filter(is_ack).collect();
    if from.is_empty() && life.row.first_resolve_kind != ResolverKind::Merge {
        let mut resolves = facts.iter();
        from.extend(resolves.find(|fact| matches!(fact.what, Code::Resolved(_))));
    }
    for fact in from.into_iter().filter(|fact| fact.who != NONE) {
        let (mut page, more) = page(people.who(fact.who), fact.at, people);
        page.kinds = page.kinds.with(PageKinds::ACKNOWLEDGED, true);
        life.pages.push((page, more));
    }
}

/// Whether an episode of a person starts with a fact.
fn starts_episode(fact: &Fact, person: u32, known: &Known<'_>) -> bool {
    match fact.what {
        Code::Triggered | Code::Unacknowledged | Code::Reopened => true,
        Code::Given { .. } => {
            let mut given = known.sets.members(fact.who).iter();
            given.any(|user| known.people.who(*user) == person)
        }
        Code::Acknowledged | Code::Resolved(_) | Code::Snoozed | Code::Notified { .. } => false,
    }
}

/// One page for each episode of a person, at the first notification in it.
fn notified_pages(life: &mut Life, facts: &[Fact], known: &Known<'_>) {
    let mut people: Vec<u32> = facts
        .iter()
        .filter(|fact| matches!(fact.what, Code::Notified { .. }) && fact.who != NONE)
        .map(|fact| known.people.who(fact.who))
        .collect();
    people.sort_unstable();
    people.dedup();
    for person in people {
        let starts: Vec<usize> = facts
            .iter()
            .enumerate()
            .filter(|(_, fact)| starts_episode(fact, person, known))
            .map(|(place, _)| place)
            .collect();
        for (turn, start) in starts.iter().copied().enumerate() {
            let end = starts.get(turn + 1).copied().unwrap_or(facts.len());
            episode(life, facts, (start, end), (person, known.people));
        }
    }
}

fn episode(
    life: &mut Life,
    facts: &[Fact],
    (start, end): (usize, usize),
    (person, people): (u32, &People),
) {
    let within = || facts.iter().enumerate().take(end).skip(start);
    let is_theirs = |fact: &Fact| fact.who != NONE && people.who(fact.who) == person;
    let first = |mail_counts: bool| {
        within().find(|(_, fact)| {
            let is_page = match fact.what {
                Code::Notified { email } => mail_counts || !email,
                Code::Triggered
                | Code::Given { .. }
                | Code::Acknowledged
                | Code::Unacknowledged
                | Code::Resolved(_)
                | Code::Snoozed
                | Code::Reopened => false,
            };
            is_page && is_theirs(fact)
        })
    };
    let (plain, any) = (first(false), first(true));
    let is_both = plain.map(|(place, _)| place) == any.map(|(place, _)| place);
    let found = [
        (plain, true, is_both),
        (any.filter(|_| !is_both), false, true),
    ];
    for (found, is_plain, is_any) in found {
        let Some((place, fact)) = found else { continue };
        let (mut page, mut more) = page(person, fact.at, people);
        let mut acks =
            within().filter(|(_, ack)| ack.what == Code::Acknowledged && ack.at >= fact.at);
        let answer = acks.find(|(_, ack)| is_theirs(ack));
        more.answered_after = answer.map_or(NEVER, |(_, ack)| ack.at - fact.at);
        page.kinds = page
            .kinds
            .with(PageKinds::NOTIFIED, is_plain)
            .with(PageKinds::NOTIFIED_OR_MAILED, is_any)
            .with(
                PageKinds::ESCALATED_AWAY,
                is_escalated_away(facts, start, place),
            );
        life.pages.push((page, more));
    }
}

/// Whether an escalation followed the page at `place`, and nobody acknowledged in between.
fn is_escalated_away(facts: &[Fact], start: usize, place: usize) -> bool {
    let is_escalation = |fact: &Fact| fact.what == Code::Given { escalated: true };
    let mut later = facts.iter().enumerate().skip(place + 1);
    let Some((next, _)) = later.find(|(_, fact)| is_escalation(fact)) else {
        return false;
    };
    let paged_at = facts.get(place).map_or(NEVER, |page| page.at);
    let mut between = facts.iter().take(next).skip(start);
    !between.any(|fact| fact.what == Code::Acknowledged && fact.at >= paged_at)
}
