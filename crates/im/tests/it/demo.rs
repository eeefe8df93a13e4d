//! `im demo`: what a visitor finds.

use serde_json::Value;

use crate::debug::{Saying, im};

/// The demo, once its past is read and told.
struct Demo {
    _running: Saying,
    url: String,
}

impl Demo {
    fn start() -> Self {
        let free = "127.0.0.1:0";
        let mut running = Saying::start(&["demo", "--listen", free, "--sim-listen", free]);
        let line = running.until("im: the pages of incidents and figures, the API");
        let url = line.split_whitespace().next().unwrap().to_owned();
        running.until("are told");
        Self {
            _running: running,
            url,
        }
    }

    #[track_caller]
    fn json(&self, line: &str) -> Value {
        let mut arguments = vec!["--server", self.url.as_str(), "--json"];
        arguments.extend(line.split_whitespace());
        let said = im(&arguments);
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{line}: {said}"))
    }

    /// What a metric is in each of the fourteen weeks, the last of which is not over.
    #[track_caller]
    fn weeks(&self, metric: &str, statistic: &str) -> Vec<Option<f64>> {
        let since = self.json("connector backfill demo --status")["since"].clone();
        let since: jiff::Timestamp = since.as_str().unwrap().parse().unwrap();
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let from = since.to_zoned(zone).date();
        let figures = self.json(&format!("metrics {metric} --from {from}"));
        let weeks = figures["series"][0]["values"].as_array().unwrap().iter();
        let weeks: Vec<_> = weeks.map(|week| week[statistic].as_f64()).collect();
        assert_eq!(weeks.len(), 14, "{figures}");
        weeks
    }
}

/// The mean of some weeks.
fn mean(weeks: &[Option<f64>]) -> f64 {
    let known: Vec<f64> = weeks.iter().copied().flatten().collect();
    known.iter().sum::<f64>() / f64::from(u32::try_from(known.len()).unwrap())
}

#[test]
fn the_demo_has_a_quarter_that_becomes_better() {
    let demo = Demo::start();
    for (metric, statistic) in [
        ("mttr", "mean"),
        ("mtta", "mean"),
        ("change_failure_rate", "ratio"),
        ("page_disruptions", "n"),
    ] {
        let weeks = demo.weeks(metric, statistic);
        let known = weeks.iter().flatten().count();
        assert!(known >= 12, "{metric}: {weeks:?}");
        let (before, bad, after) = (mean(&weeks[..8]), mean(&weeks[8..9]), mean(&weeks[9..13]));
        assert!(after < before && before < bad, "{metric}: {weeks:?}");
    }
    let compared = demo.json("metrics change_failure_rate --compare previous");
    for time in [&compared, &compared["previous"]] {
        let ratio = time["series"][0]["total"]["ratio"].as_f64();
        assert!(ratio > Some(0.0), "{compared}");
    }
    let deployments = demo.weeks("deployment_frequency", "n");
    assert!(
        deployments[..13].iter().all(|week| *week > Some(9.0)),
        "{deployments:?}"
    );
    let teams = demo.json("metrics mttr --group-by team");
    assert!(teams["series"].as_array().unwrap().len() >= 2, "{teams}");
}

#[test]
fn the_demo_has_something_to_find() {
    let demo = Demo::start();
    let findings = demo.json("findings");
    let list = |name: &str| findings[name].as_array().unwrap();
    assert!(list("recurring").len() >= 5, "{findings}");
    assert!(!list("over_target").is_empty(), "{findings}");
    let search = |row: &Value| row.to_string().contains("Search");
    assert!(list("worst_changes").iter().any(search), "{findings}");
    let causes: Vec<&str> = list("causes")
        .iter()
        .filter_map(|row| row["cause"].as_str())
        .collect();
    assert!(
        causes.contains(&"deployment") && causes.contains(&"release"),
        "{causes:?}"
    );
    let users = demo.json("person users");
    let linked = |user: &Value| user["state"] == "linked";
    assert!(users.as_array().unwrap().iter().all(linked), "{users}");
}
