//! The figures, as they come and all together at the end.

use std::time::Instant;

/// One figure.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// What this machine allows, measured in this run.
    pub(crate) limit: String,
    pub(crate) target: Option<Target>,
}

pub(crate) struct Target {
    pub(crate) text: String,
    pub(crate) is_met: bool,
}

impl Target {
    pub(crate) fn at_most(value: f64, most: f64, unit: &str) -> Self {
        Self {
            text: format!("≤ {most} {unit}"),
            is_met: value <= most,
        }
    }

    pub(crate) fn at_least(value: f64, least: f64, unit: &str) -> Self {
        Self {
            text: format!("≥ {least} {unit}"),
            is_met: value >= least,
        }
    }
}

pub(crate) struct Report {
    begun: Instant,
    figures: Vec<Figure>,
}

impl Report {
    pub(crate) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            figures: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, figure: Figure) {
        println!("  {}", line(&figure));
        self.figures.push(figure);
    }

    pub(crate) fn finish(self) {
        println!();
        for figure in &self.figures {
            println!("{}", line(figure));
            println!("    here: {}", figure.limit);
        }
        let targets = self
            .figures
            .iter()
            .filter_map(|figure| figure.target.as_ref());
        let (met, missed): (Vec<&Target>, _) = targets.partition(|target| target.is_met);
        println!();
        println!(
            "{} targets met, {} missed, in {:.0} s",
            met.len(),
            missed.len(),
            self.begun.elapsed().as_secs_f64()
        );
    }
}

/// Says what is going on; some steps take a while.
pub(crate) fn say(what: &str) {
    println!("{what} …");
}

fn line(figure: &Figure) -> String {
    let Figure { name, value, .. } = figure;
    match &figure.target {
        None => format!("· {name}: {value}"),
        Some(Target { text, is_met }) => {
            let mark = if *is_met { '✓' } else { '✗' };
            format!("{mark} {name}: {value} (target {text})")
        }
    }
}
