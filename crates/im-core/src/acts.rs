//! Reports in, acts out: an act that several sources report is one.
//!
//! Our own commands come first: PagerDuty's answer says what a command did there and when, and
//! the log entry and the webhook of that doing are its echoes. What is left of PagerDuty's
//! reports is what others did (`docs/metrics.md`, "Facts").

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::same::{Authorities, Pairs};
use crate::second::{Dated, Seconds};
use crate::{Fact, Kind, Seen, Snapshot, Source};

/// An answer within this time dates the act; after it the act keeps the time of the command.
const PROMPT_MS: i64 = 5 * 60 * 1_000;

/// A declaration that waited here for longer than this, on our own clock, before it was sent began
/// when it was made.
const WAITED_MS: i64 = 10_000;

/// What became of an act on its way to PagerDuty.
#[derive(PartialEq, Eq)]
enum Fate {
    /// Nothing is to be done: it came from there, or was answered or settled.
    Done,
    /// Given here and neither answered nor settled.
    Pending,
    /// Given here, and the settings of that time kept it from PagerDuty.
    Kept,
}

/// One act, however many sources reported it.
pub(crate) struct Act<'a> {
    pub(crate) fact: &'a Fact,
    /// The webhook whose place a log entry took.
    pub(crate) also: Option<&'a Fact>,
    /// The report that dates it: PagerDuty's entry where there is one.
    pub(crate) report: &'a str,
    /// Its place in the order.
    pub(crate) at: Timestamp,
    /// Its place among our own steps of that instant.
    turn: u32,
    /// When people are told it happened.
    pub(crate) shown_at: Timestamp,
    /// What PagerDuty calls it, if PagerDuty knows of it.
    pub(crate) at_peer: Option<Kind>,
    fate: Fate,
    pub(crate) seen: Seen,
    /// For a command: its place among those given here.
    pub(crate) given: Option<usize>,
    /// A second effect of a command that has a line already.
    pub(crate) silent: bool,
    /// A read that showed what another report tells better: it counts for the state only.
    pub(crate) told_better: bool,
}

impl Act<'_> {
    fn key(&self) -> (Timestamp, u32, u8, bool, &str) {
        (
            self.at,
            self.turn,
            rank(self.fact.kind, self.at_peer),
            self.told_better,
            &self.fact.source_id,
        )
    }

    /// When it happened, and when by a webhook.
    fn dated(&self) -> Dated {
        let is_webhook = self.fact.source == Source::Webhook;
        let told = self.also.map(|told| told.at);
        let heard = told.or(is_webhook.then_some(self.at));
        Dated {
            kind: self.fact.kind,
            at: self.at,
            heard,
        }
    }

    /// Whether PagerDuty is still to hear of it.
    pub(crate) fn is_pending(&self) -> bool {
        self.fate == Fate::Pending
    }

    /// Whether the settings kept it here.
    pub(crate) fn is_kept(&self) -> bool {
        self.fate == Fate::Kept
    }

    /// Whether it was asked for here, and nothing came of it at PagerDuty.
    pub(crate) fn is_given_up(&self) -> bool {
        self.fact.source == Source::Command && self.fate == Fate::Done && self.at_peer.is_none()
    }

    /// Only PagerDuty's log tells its own order well enough to conclude what it left out.
    pub(crate) fn may_imply(&self) -> bool {
        match self.fact.source {
            Source::LogEntry => true,
            Source::Command | Source::Answer => self.at_peer.is_some(),
            Source::Webhook | Source::Read | Source::Look => false,
        }
    }
}

/// The rank of an act: an acknowledgement that a resolve carried ends the incident there, so it
/// goes where a resolve goes.
fn rank(kind: Kind, at_peer: Option<Kind>) -> u8 {
    let there = at_peer.filter(|there| there.is_step());
    kind.rank().max(there.map_or(0, Kind::rank))
}

/// The acts behind the reports.
pub(crate) struct Acts<'a> {
    /// In the order in which they are played.
    pub(crate) all: Vec<Act<'a>>,
    /// The webhooks that tell what an answer showed: the call after it may have been made and answered
    /// in the same second, and no instant would say that it was later.
    retold: HashSet<&'a str>,
    /// Since when PagerDuty looks as an answer showed it, where more than its second is known.
    answered: HashMap<&'a str, Timestamp>,
}

impl Acts<'_> {
    /// Whether a report shows anything that no answer showed.
    pub(crate) fn is_news(&self, fact: &Fact) -> bool {
        fact.source != Source::Webhook || !self.retold.contains(fact.source_id.as_str())
    }

    /// Since when PagerDuty looks as `shown` does, which `fact` showed.
    pub(crate) fn since(&self, fact: &Fact, shown: &Snapshot) -> Timestamp {
        let known = self.answered.get(fact.source_id.as_str());
        let known = known.filter(|_| fact.source == Source::Answer);
        known.copied().unwrap_or_else(|| shown.shown_at())
    }
}

/// Reduces the reports to acts.
pub(crate) fn acts<'a>(facts: &[&'a Fact]) -> Acts<'a> {
    let commands: HashSet<&str> = of(facts, Source::Command)
        .map(|fact| fact.source_id.as_str())
        .collect();
    let answered = |fact: &Fact| {
        let command = fact.answers.as_deref()?;
        commands.get(command).copied()
    };
    let answers = by_command(facts, answered);
    let others = |source| of(facts, source).filter(|fact| answered(fact).is_none());
    let told = || {
        facts
            .iter()
            .copied()
            .filter(|fact| answered(fact).is_some() && fact.kind != Kind::Settled)
    };
    let own = Authorities::new(told());
    let log = Authorities::new(others(Source::LogEntry));
    let heard = Authorities::new(others(Source::Webhook));
    let echoes = Echoes {
        log: Pairs::new(&own, &log),
        heard: Pairs::new(&own, &heard),
    };
    let logged = || others(Source::LogEntry).filter(|fact| !echoes.log.has(fact));
    let told_by = || others(Source::Webhook).filter(|fact| !echoes.heard.has(fact));
    let also = Pairs::new(&Authorities::new(logged()), &Authorities::new(told_by()));
    let mut acts: Vec<Act<'a>> = logged()
        .map(|fact| Act {
            also: also.of(fact),
            ..peers(fact)
        })
        .collect();
    acts.extend(told_by().filter(|fact| log.find(fact).is_none()).map(peers));
    // An answer to a command that is not here tells what happened, too.
    acts.extend(others(Source::Answer).map(|fact| Act {
        at_peer: (fact.kind != Kind::Settled).then_some(fact.kind),
        ..peers(fact)
    }));
    let looks = others(Source::Read).chain(others(Source::Look));
    let told_at = |fact: &Fact| {
        let answered = own.find(fact).map(|answer| echoes.date(answer));
        let [logged, told] = [&log, &heard].map(|known| known.find(fact).map(|known| known.at));
        let all = [logged, answered, told].into_iter().flatten();
        all.min_by_key(|at| at.duration_since(fact.at).abs())
    };
    acts.extend(looks.filter_map(|fact| {
        let reopening = || told_at(&as_reopening(fact)?);
        read(fact, told_at(fact).or_else(reopening))
    }));
    let mut ours: Vec<Ours<'a>> = of(facts, Source::Command)
        .map(|command| {
            let answers = answers.get(command.source_id.as_str());
            Ours::new(command, answers.map_or(&[][..], Vec::as_slice), &echoes)
        })
        .collect();
    keep_order(&mut ours);
    tell_in_order(&mut ours, &acts);
    order_seconds(&mut acts, &mut ours, &echoes);
    acts.extend(ours.into_iter().flat_map(Ours::into_acts));
    acts.sort_by(|a, b| a.key().cmp(&b.key()));
    let retold = told().filter_map(|answer| echoes.retold(answer)).collect();
    let answered = answered_since(of(facts, Source::Answer), &answers, &echoes);
    Acts {
        all: acts,
        retold,
        answered,
    }
}

/// Plays the steps of a second in the order in which webhooks tell them, where they tell of all.
fn order_seconds<'a>(acts: &mut [Act<'a>], ours: &mut [Ours<'a>], echoes: &Echoes<'a>) {
    let others = acts.iter().map(Act::dated);
    let own = ours.iter().flat_map(|step| step.dated(echoes));
    let seconds = Seconds::new(others.chain(own));
    for act in acts {
        act.at = seconds.place(act.dated());
    }
    for step in &mut *ours {
        for (answer, at) in &mut step.done {
            *at = seconds.place(echoes.dated(answer, *at));
        }
        step.at = step.done.first().map_or(step.at, |(_, at)| *at);
    }
    keep_order(ours);
}

/// Since when PagerDuty looks as each answer showed it. An answer tells the second, and the webhook of its call the
/// millisecond: what somebody did earlier in that second is older. Calls are made one after the other, so the
/// next answer of that second is no older, whether its own webhook has come or not.
fn answered_since<'a>(
    all: impl Iterator<Item = &'a Fact>,
    answers: &HashMap<&str, Vec<&'a Fact>>,
    echoes: &Echoes<'_>,
) -> HashMap<&'a str, Timestamp> {
    let shown = all.filter_map(|fact| Some((fact, fact.snapshot.as_ref()?)));
    let mut shown: Vec<(&Fact, &Snapshot)> = shown.collect();
    shown.sort_by_key(|(fact, shown)| (shown.read_at, &fact.source_id));
    let mut before: Option<Timestamp> = None;
    let mut since = HashMap::new();
    for (fact, shown) in shown {
        let all = fact
            .answers
            .as_deref()
            .and_then(|command| answers.get(command));
        let heard = all
            .into_iter()
            .flatten()
            .filter_map(|answer| echoes.heard.of(answer));
        let at = heard
            .map(|echo| echo.at)
            .chain(before)
            .filter(|at| at.as_second() == shown.version.as_second())
            .fold(shown.shown_at(), Timestamp::max);
        before = Some(at);
        since.insert(fact.source_id.as_str(), at);
    }
    since
}

/// What each command was answered.
fn by_command<'a>(
    facts: &[&'a Fact],
    answered: impl Fn(&Fact) -> Option<&'a str>,
) -> HashMap<&'a str, Vec<&'a Fact>> {
    let mut answers: HashMap<&str, Vec<&Fact>> = HashMap::new();
    for fact in facts.iter().copied() {
        if let Some(command) = answered(fact) {
            answers.entry(command).or_default().push(fact);
        }
    }
    answers
}

fn of<'a>(facts: &[&'a Fact], source: Source) -> impl Iterator<Item = &'a Fact> {
    facts
        .iter()
        .copied()
        .filter(move |fact| fact.source == source)
}

/// An act that PagerDuty reported.
fn peers(fact: &Fact) -> Act<'_> {
    Act {
        fact,
        also: None,
        report: &fact.source_id,
        at: fact.at,
        turn: 0,
        shown_at: fact.at,
        at_peer: Some(fact.kind),
        fate: Fate::Done,
        seen: Seen {
            here: false,
            peer: true,
        },
        silent: false,
        told_better: false,
        given: None,
    }
}

/// What a read showed; `told_at` is when another report says that it happened.
///
/// A read is dated roughly, and it showed how things stood. So a state counts even where an
/// earlier change to the same state, since undone, is near; but it follows the better report.
fn read(fact: &Fact, told_at: Option<Timestamp>) -> Option<Act<'_>> {
    let Some(told_at) = told_at else {
        return Some(peers(fact));
    };
    fact.kind.is_step().then(|| Act {
        at: fact.at.max(told_at),
        told_better: true,
        ..peers(fact)
    })
}

/// A look that finds triggered what was acknowledged dates the last change, and that may have been
/// the reopening after a resolve that nobody had told yet.
fn as_reopening(fact: &Fact) -> Option<Fact> {
    (fact.kind == Kind::Unacknowledged).then(|| Fact {
        kind: Kind::Reopened,
        ..fact.clone()
    })
}

/// What PagerDuty told again of the calls that it had answered.
struct Echoes<'a> {
    log: Pairs<'a>,
    heard: Pairs<'a>,
}

impl<'a> Echoes<'a> {
    /// When the act of an answer happened: by the log, else by the webhook, which tells
    /// milliseconds where the answer tells seconds.
    fn date(&self, answer: &Fact) -> Timestamp {
        let echo = self.log.of(answer).or_else(|| self.heard.of(answer));
        echo.map_or(answer.at, |echo| echo.at)
    }

    /// When an answer's act happened, and when by its webhook.
    fn dated(&self, answer: &Fact, at: Timestamp) -> Dated {
        Dated {
            kind: answer.kind,
            at,
            heard: self.heard.of(answer).map(|echo| echo.at),
        }
    }

    /// The webhook that shows no more than the answer did.
    fn retold(&self, answer: &Fact) -> Option<&'a str> {
        let echo = self.heard.of(answer)?;
        (echo.at.as_second() <= answer.at.as_second()).then_some(echo.source_id.as_str())
    }
}

/// A command, and what became of it.
struct Ours<'a> {
    command: &'a Fact,
    /// What its call did at PagerDuty, and when: one entry for each kind of doing.
    done: Vec<(&'a Fact, Timestamp)>,
    settled: Vec<&'a Fact>,
    report: &'a str,
    at: Timestamp,
    turn: u32,
    /// When people are told it happened, and its place among all commands.
    shown_at: Timestamp,
    given: usize,
}

impl<'a> Ours<'a> {
    fn new(command: &'a Fact, answers: &[&'a Fact], echoes: &Echoes<'a>) -> Self {
        let mut done: Vec<(&Fact, Timestamp)> = Vec::new();
        let mut settled = Vec::new();
        for answer in answers.iter().copied() {
            if answer.kind == Kind::Settled {
                settled.push(answer);
            } else if let Some(same) = done.iter_mut().find(|(have, _)| have.kind == answer.kind) {
                // The log entry names the command, too: it dates the act.
                if answer.source == Source::LogEntry {
                    same.1 = answer.at;
                }
            } else {
                done.push((answer, echoes.date(answer)));
            }
        }
        // A word about a step is not the step.
        done.sort_by_key(|(answer, _)| command.kind.is_step() && answer.kind == Kind::Noted);
        let main = done.first().map(|(answer, _)| *answer);
        let entry = main.and_then(|main| {
            let mut entries = answers.iter().copied();
            let named = entries.find(|one| one.source == Source::LogEntry && one.kind == main.kind);
            named.or_else(|| echoes.log.of(main))
        });
        Self {
            command,
            report: &entry.unwrap_or(command).source_id,
            at: done.first().map_or(command.at, |(_, at)| *at),
            turn: 0,
            shown_at: command.at,
            given: 0,
            done,
            settled,
        }
    }

    /// What its call did at PagerDuty, and when by webhooks.
    fn dated(&self, echoes: &Echoes<'_>) -> impl Iterator<Item = Dated> {
        let done = self.done.iter();
        done.map(|(answer, at)| echoes.dated(answer, *at))
    }

    /// Whether PagerDuty did what was asked; a word about a step is not the step.
    fn is_there(&self) -> bool {
        let only_said = |(answer, _): &(&Fact, Timestamp)| {
            self.command.kind.is_step() && answer.kind == Kind::Noted
        };
        !self.done.iter().all(only_said)
    }

    /// Whether it is a declaration that waited here before it was sent. When its call was made its
    /// answer says, on our clock: two clocks must not tell how long it waited.
    fn waited(&self) -> bool {
        let sent_at = |(answer, _): &(&Fact, Timestamp)| {
            let birth = answer.kind == Kind::Triggered && answer.source == Source::Answer;
            let at = answer.detail.as_deref().filter(|_| birth)?;
            at.parse::<Timestamp>().ok()
        };
        let sent_at = self.done.iter().find_map(sent_at);
        sent_at.is_some_and(|at| at.as_millisecond() - self.command.at.as_millisecond() > WAITED_MS)
    }

    /// The settings kept it here only as long as nobody gave it up since.
    fn fate(&self) -> Fate {
        let is_kept = |fact: &&Fact| fact.value.as_deref() == Some("kept");
        if self.done.is_empty() && self.settled.is_empty() {
            Fate::Pending
        } else if !self.is_there() && self.settled.iter().all(is_kept) {
            Fate::Kept
        } else {
            Fate::Done
        }
    }

    /// When the last that it did was done, within its second: whoever acknowledges is given the incident by the
    /// same call. A word about a step may be said much later.
    fn ends(&self) -> Timestamp {
        let done = self
            .done
            .iter()
            .filter(|(answer, _)| answer.kind != Kind::Noted);
        done.map(|(_, at)| *at)
            .filter(|at| at.as_second() == self.at.as_second())
            .fold(self.at, Timestamp::max)
    }

    fn into_acts(self) -> impl Iterator<Item = Act<'a>> {
        let main = self.done.first().copied();
        let act = Act {
            fact: self.command,
            also: None,
            report: self.report,
            at: self.at,
            turn: self.turn,
            shown_at: self.shown_at,
            at_peer: main.map(|(answer, _)| answer.kind),
            fate: self.fate(),
            seen: Seen {
                here: true,
                peer: main.is_some(),
            },
            given: Some(self.given),
            silent: false,
            told_better: false,
        };
        let more = self.done.into_iter().skip(1).map(|(answer, at)| Act {
            at,
            silent: true,
            ..peers(answer)
        });
        let settled = self.settled.into_iter().map(|fact| Act {
            at_peer: None,
            silent: matches!(fact.value.as_deref(), Some("carried" | "kept")),
            seen: Seen {
                here: true,
                peer: false,
            },
            ..peers(fact)
        });
        std::iter::once(act).chain(more).chain(settled)
    }
}

/// Lets our commands keep the order in which they were given, among those that overwrite each
/// other.
///
/// An answered command stands at PagerDuty's instant, the one beside it may stand at ours, and
/// the two differ by the time of a call or by the clocks: a close must not slip before the
/// resolve that it follows.
fn keep_order(ours: &mut [Ours<'_>]) {
    ours.sort_by(|a, b| given(a).cmp(&given(b)));
    for course in ours.chunk_by_mut(|a, b| course(a.command.kind) == course(b.command.kind)) {
        keep_order_in(course);
    }
}

fn keep_order_in(lane: &mut [Ours<'_>]) {
    let mut next = None;
    for step in lane.iter_mut().rev() {
        let at = next.map_or(step.at, |next: Timestamp| step.at.min(next));
        if step.is_there() {
            next = Some(at);
        } else {
            step.at = at;
        }
    }
    let mut before: Option<(Timestamp, u32, (u8, &str))> = None;
    for step in lane {
        let there = step.done.first().map(|(answer, _)| answer.kind);
        let tie = (
            rank(step.command.kind, there),
            step.command.source_id.as_str(),
        );
        if let Some((at, turn, tie_before)) = before {
            // PagerDuty did them one after the other; it may date the first by the millisecond and
            // the second by the second.
            let same_second = step.at.as_second() == at.as_second();
            if !step.is_there() || (same_second && is_whole(step.at)) {
                step.at = step.at.max(at);
            }
            if step.at == at {
                step.turn = turn + u32::from(tie < tie_before);
            }
        }
        let (last, turn) = match step.ends() {
            last if last > step.at => (last, 0),
            last => (last, step.turn),
        };
        before = Some((last, turn, tie));
    }
}

/// Says when people are told that our commands happened: at PagerDuty's instant, unless its answer
/// came long after the act, and in the order in which they were given.
///
/// PagerDuty dates by the second what it answers, and by the millisecond what it tells; and a note
/// may reach it after the step that followed. What is true is played by other rules (`keep_order`).
fn tell_in_order(ours: &mut [Ours<'_>], peers: &[Act<'_>]) {
    ours.sort_by_key(|step| {
        let command = step.command;
        (command.at, command.kind.rank(), &command.source_id)
    });
    let mut next_step: Option<Timestamp> = None;
    for (given, step) in ours.iter_mut().enumerate().rev() {
        let away_ms = step.at.as_millisecond() - step.command.at.as_millisecond();
        if away_ms.abs() <= PROMPT_MS {
            let there = after_what_was_seen(step, peers);
            step.shown_at = if step.waited() {
                there.min(step.command.at)
            } else {
                there
            };
        }
        step.given = given;
        if step.command.kind.is_step() {
            next_step = Some(next_step.map_or(step.shown_at, |next| next.min(step.shown_at)));
        } else if let Some(next) = next_step {
            step.shown_at = step.shown_at.min(next);
        }
    }
    let mut before = None;
    for step in ours {
        step.shown_at = before.map_or(step.shown_at, |before| step.shown_at.max(before));
        before = Some(step.shown_at);
    }
}

/// Whether an instant is told by the second.
fn is_whole(at: Timestamp) -> bool {
    at.subsec_nanosecond() == 0
}

/// PagerDuty's instant of a command; within a whole second, after what PagerDuty had told of that
/// second when the command was given.
fn after_what_was_seen(step: &Ours<'_>, peers: &[Act<'_>]) -> Timestamp {
    let is_whole = !step.done.is_empty() && is_whole(step.at);
    let seen = peers
        .iter()
        .map(|act| act.at)
        .filter(|at| at.as_second() == step.at.as_second() && *at <= step.command.at)
        .filter(|at| is_whole && *at > step.at)
        .max();
    let after = |at: Timestamp| at.checked_add(SignedDuration::from_micros(1)).unwrap_or(at);
    seen.map_or(step.at, after)
}

/// What overwrites each other: the steps from state to state, and each field.
pub(crate) fn lane(kind: Kind) -> Kind {
    if kind.is_step() {
        Kind::Triggered
    } else {
        kind
    }
}

/// What must keep its order: an assignment does not overwrite a step, but nothing that is over is
/// assigned, so after a resolve it would be a reopen.
fn course(kind: Kind) -> Kind {
    if kind == Kind::Assigned {
        lane(Kind::Triggered)
    } else {
        lane(kind)
    }
}

fn given<'a>(ours: &Ours<'a>) -> (Kind, Timestamp, u8, &'a str) {
    let command = ours.command;
    (
        course(command.kind),
        command.at,
        command.kind.rank(),
        &command.source_id,
    )
}
