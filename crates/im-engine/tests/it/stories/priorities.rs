//! Priorities that are mapped to severities, both ways.

use im_core::{Command, Severity, SeveritySource};
use jiff::SignedDuration;
use serde_json::json;

use crate::world::World;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Maps SEV-1 and SEV-2 to the two worst priorities, SEV-3 and SEV-4 to the third.
fn map(world: &mut World) -> Vec<String> {
    let ids: Vec<String> = world
        .account
        .priorities
        .iter()
        .map(|one| one.0.clone())
        .collect();
    let [first, second, third] = [0, 1, 2].map(|at| ids[at].clone());
    world.configure(move |config| {
        config["custom"]["priority_mapping"] =
            json!({"SEV-1": first, "SEV-2": second, "SEV-3": third, "SEV-4": third});
    });
    world.settle_down();
    ids
}

fn declare(world: &mut World, severity: Severity) -> (im_core::IncidentNumber, String) {
    let incident = world.declare("Priority", severity, Some("web"));
    world.settle_down();
    let twin = world.twin(incident);
    (incident, twin)
}

fn edit(world: &mut World, incident: im_core::IncidentNumber, severity: Severity) {
    let command = Command::Edit {
        title: None,
        description: None,
        severity: Some(severity),
        service: None,
    };
    world.must(incident, &command);
}

fn there(world: &World, twin: &str) -> (Option<String>, &'static str) {
    let shown = world.sim.incident(twin).unwrap();
    (shown.priority, shown.urgency)
}

fn here(world: &mut World, incident: im_core::IncidentNumber) -> (Severity, SeveritySource) {
    world.story(incident).severity.unwrap()
}

story! {
    fn i050_priority_and_urgency_go_with_the_severity_and_come_back_without_drift(world) {
        let ids = map(world);
        for (severity, at, urgency) in [
            (Severity::Sev1, 0, "high"),
            (Severity::Sev2, 1, "high"),
            (Severity::Sev3, 2, "low"),
            (Severity::Sev4, 2, "low"),
        ] {
            let (incident, twin) = declare(world, severity);
            assert_eq!(there(world, &twin), (Some(ids[at].clone()), urgency));
            let writes = world.writes();
            world.run_for(HOUR);
            assert_eq!(here(world, incident), (severity, SeveritySource::Explicit), "two may share one");
            assert_eq!(world.writes(), writes, "nothing goes to and fro");
        }
        let (incident, twin) = declare(world, Severity::Sev3);
        edit(world, incident, Severity::Sev1);
        world.settle_down();
        assert_eq!(there(world, &twin), (Some(ids[0].clone()), "high"));
        edit(world, incident, Severity::Sev2);
        world.settle_down();
        assert_eq!(there(world, &twin), (Some(ids[1].clone()), "high"), "the priority alone");
        world.run_for(HOUR);
        let story = world.story(incident);
        assert_eq!(story.severity, Some((Severity::Sev2, SeveritySource::Explicit)));
        let told = world.timeline(incident);
        assert!(!told.contains("Priority set"), "our own change is told once: {told}");
    }

    fn i050_a_priority_that_somebody_sets_in_pagerduty_is_the_severity_here(world) {
        let ids = map(world);
        let (incident, twin) = declare(world, Severity::Sev3);
        let user = world.user(1);
        world.run_for(MINUTE);
        world.sim.set_priority(&user, &twin, Some(&ids[0]), world.now).unwrap();
        world.settle_down();
        let writes = world.writes();
        assert_eq!(here(world, incident), (Severity::Sev1, SeveritySource::Priority));
        world.run_for(HOUR);
        assert_eq!(world.writes(), writes, "nothing is sent back");
        assert_eq!(there(world, &twin), (Some(ids[0].clone()), "low"));
        // One without a severity says nothing, and what is said here later counts again.
        world.sim.set_priority(&user, &twin, Some(&ids[4]), world.now).unwrap();
        world.settle_down();
        assert_eq!(here(world, incident), (Severity::Sev3, SeveritySource::Explicit));
        edit(world, incident, Severity::Sev2);
        world.settle_down();
        assert_eq!(there(world, &twin), (Some(ids[1].clone()), "high"));
        assert_eq!(here(world, incident), (Severity::Sev2, SeveritySource::Explicit));
        // Born there, by its priority.
        let (born, twin) = world.born_there("Born there");
        world.sim.set_priority(&user, &twin, Some(&ids[0]), world.now).unwrap();
        world.settle_down();
        assert_eq!(here(world, born), (Severity::Sev1, SeveritySource::Priority));
    }

    fn s42_a_priority_that_comes_later_is_the_severity_and_the_urgency_stays(world) {
        let ids = map(world);
        let (incident, twin) = world.born_there("Slow search");
        let urgency = world.story(incident).peer.unwrap().urgency;
        let inferred = here(world, incident);
        assert_eq!(inferred.1, SeveritySource::Inferred, "only the urgency is known yet");
        let user = world.user(1);
        world.sim.set_priority(&user, &twin, Some(&ids[2]), world.now).unwrap();
        world.settle_down();
        assert_ne!(inferred.0, Severity::Sev3, "the two say different things");
        assert_eq!(here(world, incident), (Severity::Sev3, SeveritySource::Priority));
        let peer = world.story(incident).peer.unwrap();
        assert_eq!(peer.urgency, urgency, "both are kept");
        assert_eq!(peer.priority.unwrap().id, ids[2]);
        assert_eq!(there(world, &twin).0.as_deref(), Some(ids[2].as_str()), "nothing is told back");
    }

    fn i050_a_priority_that_no_webhook_told_of_is_found_by_comparison(world) {
        let ids = map(world);
        let (incident, twin) = declare(world, Severity::Sev3);
        world.run_for(MINUTE);
        world.way.lose = Some(|_| true);
        let user = world.user(1);
        world.sim.set_priority(&user, &twin, Some(&ids[1]), world.now).unwrap();
        world.run_for(MINUTE * 7);
        assert_eq!(here(world, incident), (Severity::Sev2, SeveritySource::Priority));
    }

    fn i050_the_newer_word_counts_and_a_table_that_comes_later_changes_none(world) {
        let ids: Vec<String> = world.account.priorities.iter().map(|one| one.0.clone()).collect();
        let (incident, twin) = declare(world, Severity::Sev4);
        let user = world.user(1);
        world.run_for(MINUTE);
        world.sim.set_priority(&user, &twin, Some(&ids[0]), world.now).unwrap();
        world.run_for(MINUTE);
        edit(world, incident, Severity::Sev3);
        world.run_for(MINUTE * 7);
        map(world);
        world.run_for(HOUR);
        assert_eq!(here(world, incident), (Severity::Sev3, SeveritySource::Explicit));
        assert_eq!(there(world, &twin).0.as_ref(), Some(&ids[0]), "nobody asked for another");
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
    }

    fn i050_a_severity_without_a_line_takes_a_mapped_priority_away_and_leaves_others(world) {
        let ids: Vec<String> = world.account.priorities.iter().map(|one| one.0.clone()).collect();
        let first = ids[0].clone();
        world.configure(move |config| config["custom"]["priority_mapping"] = json!({"SEV-1": first}));
        world.settle_down();
        let (incident, twin) = declare(world, Severity::Sev1);
        assert_eq!(there(world, &twin).0.as_ref(), Some(&ids[0]));
        edit(world, incident, Severity::Sev4);
        world.settle_down();
        assert_eq!(there(world, &twin), (None, "low"));
        let user = world.user(1);
        world.sim.set_priority(&user, &twin, Some(&ids[4]), world.now).unwrap();
        world.settle_down();
        edit(world, incident, Severity::Sev2);
        world.settle_down();
        assert_eq!(there(world, &twin), (Some(ids[4].clone()), "high"));
    }
}
