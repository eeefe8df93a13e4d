//! Every short script: two people, one on each side, one incident, and little that goes wrong.
//!
//! The bound: an incident that both sides know; actions of either side, each at once after the one
//! before it or when both sides are quiet again; before any of them something may go wrong, at most
//! twice; actions and what goes wrong are at most `IM_SHORT` together. What a side refuses changes
//! nothing, so a script that goes on after a refusal is the script without it, and is not played.
//!
//! `cargo xtask short` plays all with an `IM_SHORT` of four.

use im_core::{Command, Direction, IncidentNumber};
use jiff::SignedDuration;
use pd_sim::Fault;

use super::{Script, all_passed, first_line, on_all_cores, tell};

/// Actions and faults together, where nobody asks for more.
const STEPS_MAX: usize = 2;
/// Faults of one script.
const FAULTS_MAX: usize = 2;
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
    let number = |text: &str| text.parse().expect("IM_SHORT is `4`, or `=` and a script");
    if let Some(path) = asked.strip_prefix('=') {
        let path: Path = path.split('-').map(number).collect();
        return all_passed(1, &play_all(&steps, &[path]).failed);
    }
    let steps_max = if asked.is_empty() {
        STEPS_MAX
    } else {
        number(&asked)
    };
    let mut level: Vec<Path> = vec![Path::new()];
    let (mut count, mut failed) = (0, Vec::new());
    while !level.is_empty() {
        let longer: Vec<Path> = level
            .iter()
            .flat_map(|path| longer(&steps, path, steps_max))
            .collect();
        let played = play_all(&steps, &longer);
        count += played.complete.len();
        failed.extend(played.failed);
        level = played.complete;
    }
    println!("{count} short scripts");
    all_passed(count, &failed);
}

/// The scripts that go on for one more step.
fn longer<'a>(
    steps: &'a [Step],
    path: &'a Path,
    steps_max: usize,
) -> impl Iterator<Item = Path> + 'a {
    (0..steps.len())
        .map(move |next| path.iter().copied().chain([next]).collect::<Path>())
        .filter(move |path| {
            let wrong = |at: &&usize| steps[**at].wrong != Wrong::Nothing;
            let faults = path.iter().filter(wrong).count();
            // There is nothing to come at once after.
            let begins_well = !steps[path[0]].is_at_once;
            begins_well && faults <= FAULTS_MAX && path.len() + faults <= steps_max
        })
}

struct Played {
    /// Scripts in which nothing was refused.
    complete: Vec<Path>,
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
            Ok(true) => played.complete.push(path.clone()),
            Ok(false) => {}
            Err(what) => played.failed.push(what),
        }
    }
    played
}

impl Script {
    /// `false` if something was refused.
    fn play_steps(&mut self, steps: &[Step]) -> Result<bool, String> {
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
                return Ok(false);
            }
        }
        self.world.run_for(AT_ONCE);
        self.end().map(|()| true)
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
