//! Steps of a chore: announced, timed, counted.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The steps done so far.
pub(crate) struct Steps {
    begun: Instant,
    done: Vec<Done>,
}

struct Done {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped(String),
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self {
            begun: now(),
            done: Vec::new(),
        }
    }

    /// Runs one step; returns what it made, or nothing where it failed.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        about: &str,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> Option<T> {
        println!("==> {name}: {about}");
        let begun = now();
        let result = step();
        let took = begun.elapsed();
        match &result {
            Ok(_) => println!("<== {name}: ok ({})", seconds(took)),
            Err(error) => println!("<== {name}: FAILED ({}): {error:#}", seconds(took)),
        }
        let outcome = match result {
            Ok(_) => Outcome::Passed,
            Err(_) => Outcome::Failed,
        };
        self.done.push(Done {
            name,
            outcome,
            took,
        });
        result.ok()
    }

    /// Notes a part that cannot run here. Where nothing may be missing that is a failure.
    pub(crate) fn skip(&mut self, name: &'static str, why: &str) {
        if !is_ci() {
            return self.leave_out(name, why);
        }
        println!("<== {name}: FAILED: {why}; in CI nothing may be skipped");
        self.done.push(Done {
            name,
            outcome: Outcome::Failed,
            took: Duration::ZERO,
        });
    }

    /// Notes a part that needs what others serve, such as packages: it may be missing anywhere.
    pub(crate) fn leave_out(&mut self, name: &'static str, why: &str) {
        println!("<== {name}: NOT RUN: {why}");
        self.done.push(Done {
            name,
            outcome: Outcome::Skipped(why.to_owned()),
            took: Duration::ZERO,
        });
    }

    /// Sums up in a few lines, so that the test runner's own summary stays in sight.
    pub(crate) fn finish(self) -> ExitCode {
        let times: Vec<String> = self
            .done
            .iter()
            .map(|done| format!("{} {}", done.name, seconds(done.took)))
            .collect();
        println!("Time: {}", times.join(", "));
        for done in &self.done {
            if let Outcome::Skipped(why) = &done.outcome {
                println!("NOT RUN: {}: {why}", done.name);
            }
        }
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|done| done.outcome == Outcome::Failed)
            .map(|done| done.name)
            .collect();
        let took = seconds(self.begun.elapsed());
        if failed.is_empty() {
            println!("Passed in {took}");
            ExitCode::SUCCESS
        } else {
            println!("FAILED in {took}: {}", failed.join(", "));
            ExitCode::FAILURE
        }
    }
}

/// Whether this runs where nobody looks at warnings.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| !matches!(ci.as_str(), "" | "0" | "false"))
}

#[expect(clippy::disallowed_methods, reason = "a chore tells how long it took")]
fn now() -> Instant {
    Instant::now()
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
