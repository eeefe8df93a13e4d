//! Every short script: two people, one on each side, one incident, and little that goes wrong.
//!
//! The bound: an incident that both sides know; actions of either side, each at once after the one
//! before it or when both sides are quiet again; before an action something may go wrong. What a
//! side refuses changes nothing, so a script that goes on after a refusal is the script without it,
//! and is not played. Where scripts of the same length lead to a state that looks the same
//! (`looks`), one of them is played on: what comes next depends on it alone.
//!
//! `cargo xtask short` plays an `IM_SHORT` of `6+2`: six actions and two faults.

use std::collections::HashSet;

use im_core::{Command, Direction, IncidentNumber, Kind, Line, Pending};
use jiff::SignedDuration;
use pd_sim::Fault;

use super::{Script, all_passed, first_line, on_all_cores, tell};

/// How long scripts are.
#[derive(Debug, Clone, Copy)]
struct Bound {
    actions: usize,
    faults: usize,
}

/// Where nobody asks for more.
const BOUND: Bound = Bound {
    actions: 2,
    faults: 1,
};
/// Long enough for an answer to be given up and looked for.
const QUIET_AGAIN: SignedDuration = SignedDuration::from_secs(100);
/// The next action comes while the call of the last is under way.
const AT_ONCE: SignedDuration = SignedDuration::from_millis(50);

/// What a person does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Acknowledge,
    Resolve,
    Reopen,
}

const ACTS: [Act; 3] = [Act::Acknowledge, Act::Resolve, Act::Reopen];

/// What goes wrong before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// The next change reaches PagerDuty, and its answer is lost.
    LostAnswer,
    /// Webhooks are lost from now on, and nobody notices.
    LostWebhooks,
    /// Our program dies and starts again.
    Crash,
}

const WRONGS: [Wrong; 4] = [
    Wrong::Nothing,
    Wrong::LostAnswer,
    Wrong::LostWebhooks,
    Wrong::Crash,
];

/// One step of a script.
#[derive(Debug, Clone, Copy)]
struct Step {
    act: Act,
    is_here: bool,
    is_at_once: bool,
    wrong: Wrong,
}

impl Step {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for wrong in WRONGS {
            for is_at_once in [false, true] {
                for is_here in [false, true] {
                    all.extend(ACTS.map(|act| Self {
                        act,
                        is_here,
                        is_at_once,
                        wrong,
                    }));
                }
            }
        }
        all
    }
}

/// A script by the numbers of its steps.
type Path = Vec<usize>;

#[test]
fn both_sides_agree_after_every_short_script() {
    let steps = Step::all();
    let asked = std::env::var("IM_SHORT").unwrap_or_default();
    let number = |text: &str| {
        text.parse()
            .expect("IM_SHORT is `6+2`, or `=` and a script")
    };
    if let Some(path) = asked.strip_prefix('=') {
        let path: Path = path.split('-').map(number).collect();
        return all_passed(1, &play_all(&steps, &[path]).failed);
    }
    let bound = asked
        .split_once('+')
        .map_or(BOUND, |(actions, faults)| Bound {
            actions: number(actions),
            faults: number(faults),
        });
    let mut level: Vec<Path> = vec![Path::new()];
    let mut known = HashSet::new();
    let (mut count, mut failed) = (0, Vec::new());
    for _ in 0..bound.actions {
        let longer: Vec<Path> = level
            .iter()
            .flat_map(|path| longer(&steps, path, bound.faults))
            .collect();
        let played = play_all(&steps, &longer);
        count += played.complete.len();
        failed.extend(played.failed);
        level = played
            .complete
            .into_iter()
            .filter_map(|(path, looks)| known.insert(looks).then_some(path))
            .collect();
    }
    println!("{count} short scripts, {} states", known.len());
    all_passed(count, &failed);
}

/// The scripts that go on for one more step.
fn longer<'a>(
    steps: &'a [Step],
    path: &'a Path,
    faults_max: usize,
) -> impl Iterator<Item = Path> + 'a {
    (0..steps.len())
        .map(move |next| path.iter().copied().chain([next]).collect::<Path>())
        .filter(move |path| {
            let wrong = |at: &&usize| steps[**at].wrong != Wrong::Nothing;
            let faults = path.iter().filter(wrong).count();
            // There is nothing to come at once after.
            let begins_well = !steps[path[0]].is_at_once;
            begins_well && faults <= faults_max
        })
}

struct Played {
    /// Scripts in which nothing was refused, and how the world looked then.
    complete: Vec<(Path, String)>,
    /// What replays those that failed.
    failed: Vec<String>,
}

fn play_all(steps: &[Step], paths: &[Path]) -> Played {
    let results = on_all_cores(paths, |path| {
        let mut script = Script::new(1, Direction::Bidirectional);
        let numbers: Vec<String> = path.iter().map(ToString::to_string).collect();
        let name = numbers.join("-");
        let path: Vec<Step> = path.iter().map(|at| steps[*at]).collect();
        tell(&format!("script {name}"), &mut script, |script| {
            script.play_steps(&path)
        })
        .map_err(|what| format!("  cargo xtask short {name}   {}", first_line(&what)))
    });
    let mut played = Played {
        complete: Vec::new(),
        failed: Vec::new(),
    };
    for (path, result) in paths.iter().zip(results) {
        match result {
            Ok(Some(looks)) => played.complete.push((path.clone(), looks)),
            Ok(None) => {}
            Err(what) => played.failed.push(what),
        }
    }
    played
}

impl Script {
    /// How the world looks after the last step; `None` if something was refused.
    fn play_steps(&mut self, steps: &[Step]) -> Result<Option<String>, String> {
        let (incident, twin) = self.world.declared("Ours");
        self.allowed.insert(incident, 1);
        for step in steps {
            let pause = if step.is_at_once {
                AT_ONCE
            } else {
                QUIET_AGAIN
            };
            self.world.run_for(pause);
            self.goes_wrong(step.wrong);
            let is_done = if step.is_here {
                self.do_here(step.act, incident)
            } else {
                self.do_there(step.act, &twin)
            };
            if !is_done {
                return Ok(None);
            }
        }
        self.world.run_for(AT_ONCE);
        let looks = self.looks(steps, incident, &twin);
        self.end().map(|()| Some(looks))
    }

    /// All that what comes next may depend on, apart from what lies further back: both states, what
    /// is owed and on its way, what is still to be heard, what goes wrong, and how many acts share
    /// the second.
    fn looks(&mut self, steps: &[Step], incident: IncidentNumber, twin: &str) -> String {
        let story = self.world.story(incident);
        let peer = story.peer.as_ref().map(|peer| peer.status);
        let asked = |asked: &[Pending]| -> Vec<_> { asked.iter().map(|one| one.kind).collect() };
        let outbox = self.world.outbox();
        let owed: Vec<_> = outbox
            .iter()
            .map(|row| {
                let (was_sent, was_checked) = (row.attempt > 0, row.checked_at.is_some());
                (
                    row.effect.name(),
                    row.commands.len(),
                    was_sent,
                    was_checked,
                    row.parked,
                )
            })
            .collect();
        let is_step = |line: &&Line| {
            line.seen.peer
                && matches!(
                    line.kind,
                    Kind::Acknowledged | Kind::Unacknowledged | Kind::Resolved | Kind::Reopened
                )
        };
        let told = story.lines.iter().filter(is_step).count();
        let log = self.world.sim.log_entries_of(twin);
        let steps_there = ["acknowledge", "unacknowledge", "resolve", "reopen"];
        let happened = log.iter().filter(|entry| steps_there.contains(&entry.kind));
        let unheard_of: Vec<_> = happened.map(|entry| entry.kind).skip(told).collect();
        let count = |wrong| steps.iter().filter(|step| step.wrong == wrong).count();
        let wrong = (
            WRONGS.map(count).into_iter().skip(1).sum::<usize>(),
            count(Wrong::LostWebhooks) > 0,
            count(Wrong::LostAnswer).saturating_sub(self.world.unheard.len()),
        );
        let in_a_row = steps
            .iter()
            .rev()
            .take_while(|step| step.is_at_once)
            .count();
        let here = (
            story.status,
            peer,
            asked(&story.pending),
            asked(&story.kept),
        );
        let there = self.world.there(twin);
        format!("{here:?} {there} {owed:?} {unheard_of:?} {wrong:?} {in_a_row}")
    }

    fn goes_wrong(&mut self, wrong: Wrong) {
        match wrong {
            Wrong::Nothing => return,
            Wrong::LostAnswer => {
                let faults = self.world.sim.faults();
                faults.next_matching("PUT", "/incidents", Fault::LoseAnswer);
            }
            Wrong::LostWebhooks => self.world.sim.faults().webhooks.lost = true,
            Wrong::Crash => self.world.crash(),
        }
        self.say(format!("{wrong:?}"));
    }

    fn do_here(&mut self, act: Act, incident: IncidentNumber) -> bool {
        let command = match act {
            Act::Acknowledge => Command::Acknowledge,
            Act::Resolve => Command::Resolve,
            Act::Reopen => Command::Reopen,
        };
        self.ask(1, incident, &command, None)
    }

    fn do_there(&mut self, act: Act, twin: &str) -> bool {
        let (user, now) = (self.world.user(2), self.world.now);
        let sim = &mut self.world.sim;
        let done = match act {
            Act::Acknowledge => sim.acknowledge(&user, twin, now),
            Act::Resolve => sim.resolve(&user, twin, now),
            Act::Reopen => sim.reopen(&user, twin, now),
        };
        self.say(format!("there: {act:?} -> {done:?}"));
        done.is_ok()
    }
}
