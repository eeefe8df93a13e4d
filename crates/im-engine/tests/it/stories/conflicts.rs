//! Both sides change a field before either hears of the other: whose value counts, and what people see of it.

use im_core::{Command, Field, IncidentNumber, Person, Side, Status};
use im_engine::conflicts::{self, ResolveError};
use im_pagerduty::Call;
use im_store::conflicts::{self as rows, ConflictRow, State};
use jiff::SignedDuration;
use pd_sim::Fault;
use serde_json::json;

use crate::world::{CONNECTOR, World};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn decided_by(world: &mut World, strategy: &str) {
    world.configure(|config| config["custom"]["conflict_strategy"] = json!(strategy));
    world.settle_down();
}

fn own(world: &mut World, field: &str, owner: &str, priority: u8) {
    let row = json!({"owner": owner, "priority": priority});
    world.configure(|config| config["custom"]["field_ownership"] = json!({field: row}));
    world.settle_down();
}

fn title(text: &str) -> Command {
    Command::Edit {
        title: Some(text.to_owned()),
        description: None,
        severity: None,
        service: None,
    }
}

fn all(world: &mut World) -> Vec<ConflictRow> {
    world.write(|tx| rows::newest(tx, CONNECTOR, (None, None), 100))
}

/// The one conflict there is, as `field: base → ours | theirs: state side (reason)`.
fn told(world: &mut World) -> String {
    let found = all(world);
    assert_eq!(found.len(), 1, "{found:?}");
    let row = &found[0];
    let one = &row.conflict;
    let verdict = one.verdict.as_ref();
    let verdict = verdict
        .map(|(side, why)| format!(" {} ({why})", side.as_str()))
        .unwrap_or_default();
    format!(
        "{}: {} -> {} | {}: {}{verdict}",
        one.field.as_str(),
        one.base,
        one.ours,
        one.theirs,
        row.state.as_str()
    )
}

fn decide(world: &mut World, keep: Side) -> Result<ConflictRow, ResolveError> {
    let id = all(world)[0].id;
    let now = world.our_now();
    world
        .db
        .write(move |tx| conflicts::resolve(tx, CONNECTOR, id, keep, "Ann", now))
}

/// Renamed here and there within seconds: the first call of that method is lost, so neither side has heard of the other.
fn both_rename(world: &mut World, lost: &str) -> (IncidentNumber, String) {
    let (incident, twin) = world.declared("Slow");
    let user = world.user(4);
    world.run_for(MINUTE);
    world
        .sim
        .faults()
        .next_matching(lost, "/incidents", Fault::Unreachable);
    world.must(incident, &title("Slow checkout"));
    world.run_for(SECOND / 10);
    world
        .sim
        .rename(&user, &twin, "Slow payments", world.now)
        .unwrap();
    (incident, twin)
}

fn titles(world: &mut World, incident: IncidentNumber, twin: &str) -> [String; 2] {
    [
        world.story(incident).title,
        world.sim.incident(twin).unwrap().title.clone(),
    ]
}

story! {
    fn s58_a_conflict_of_states_is_merged_at_once_and_kept_for_people_to_see(world) {
        decided_by(world, "manual-review");
        let (incident, twin) = world.declared("Both");
        let user = world.user(4);
        world.must(incident, &Command::Acknowledge);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        assert_eq!((world.story(incident).status, world.there(&twin).as_str()), (Status::Resolved, "resolved"));
        assert_eq!(
            told(world),
            "status: triggered -> acknowledged | resolved: resolved external (a resolve beats an acknowledgement)"
        );
        assert!(world.outbox().is_empty(), "no review holds a state up");
    }

    fn s58_a_resolve_here_beats_an_acknowledgement_there(world) {
        let (incident, twin) = world.declared("Both");
        let user = world.user(4);
        world.sim.faults().next_matching("PUT", "/incidents", Fault::Unreachable);
        world.must(incident, &Command::Resolve);
        world.run_for(SECOND / 10);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        assert_eq!((world.story(incident).status, world.there(&twin).as_str()), (Status::Resolved, "resolved"));
        assert_eq!(
            told(world),
            "status: triggered -> resolved | acknowledged: resolved platform (a resolve beats an acknowledgement)"
        );
    }

    fn a_title_is_ours_unless_configured_otherwise(world) {
        let (incident, twin) = both_rename(world, "PUT");
        world.run_for(MINUTE);
        assert_eq!(titles(world, incident, &twin), ["Slow checkout", "Slow checkout"]);
        assert_eq!(told(world), "title: Slow -> Slow checkout | Slow payments: resolved platform (platform owns title)");
    }

    fn a_title_that_pagerduty_owns_gives_way_and_is_not_sent(world) {
        own(world, "title", "external", 10);
        let (incident, twin) = both_rename(world, "GET");
        let written = world.writes();
        world.run_for(MINUTE);
        assert_eq!(titles(world, incident, &twin), ["Slow payments", "Slow payments"]);
        assert_eq!(told(world), "title: Slow -> Slow checkout | Slow payments: resolved external (external owns title)");
        assert_eq!(world.writes(), written);
        assert!(world.outbox().is_empty() && world.story(incident).pending.is_empty());
        let timeline = world.timeline(incident);
        assert!(timeline.contains("PagerDuty had moved on"), "{timeline}");
        // Nobody else asks for it now, so the next change here counts as any other.
        world.must(incident, &title("Slow everywhere"));
        world.run_for(MINUTE);
        assert_eq!(titles(world, incident, &twin), ["Slow everywhere", "Slow everywhere"]);
        assert_eq!(all(world).len(), 1);
    }

    fn i089_where_both_sides_hand_it_on_pagerduty_counts(world) {
        let (incident, twin) = world.declared("Whose");
        world.run_for(MINUTE);
        let people = [world.user(4), world.user(5)];
        let to = vec![Person { id: people[0].clone(), name: None }];
        let from = world.sim.incident(&twin).unwrap().assignees[0].clone();
        world.must(incident, &Command::Assign { to });
        world.sim.reassign(&from, &twin, &people[1], world.now).unwrap();
        world.run_for(MINUTE);
        let here: Vec<String> = world.story(incident).assignees.iter().map(|one| one.id.clone()).collect();
        assert_eq!(here, [people[1].clone()]);
        assert_eq!(world.sim.incident(&twin).unwrap().assignees, here);
        let found = all(world);
        assert!(found.len() == 1 && found[0].conflict.field == Field::AssignedTo, "{found:?}");
        assert_eq!(found[0].conflict.verdict, Some((Side::External, "external owns assigned_to".to_owned())));
        assert!(world.outbox().is_empty());
    }

    fn whom_it_is_given_to_here_counts_where_the_platform_owns_it(world) {
        own(world, "assigned_to", "platform", 5);
        let (incident, twin) = world.declared("Whose");
        world.run_for(MINUTE);
        let people = [world.user(4), world.user(5)];
        let to = vec![Person { id: people[0].clone(), name: None }];
        let from = world.sim.incident(&twin).unwrap().assignees[0].clone();
        world.sim.faults().next_matching("PUT", "/incidents", Fault::Unreachable);
        world.must(incident, &Command::Assign { to });
        world.run_for(SECOND / 10);
        world.sim.reassign(&from, &twin, &people[1], world.now).unwrap();
        world.run_for(MINUTE);
        let here: Vec<String> = world.story(incident).assignees.iter().map(|one| one.id.clone()).collect();
        assert_eq!(here, [people[0].clone()]);
        assert_eq!(world.sim.incident(&twin).unwrap().assignees, here);
        assert!(told(world).ends_with("resolved platform (platform owns assigned_to)"));
    }

    fn whoever_acknowledges_and_hands_it_on_is_no_conflict(world) {
        let (incident, twin) = world.declared("Mine, then yours");
        world.run_for(MINUTE);
        let to = vec![Person { id: world.user(5), name: None }];
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.act(2, incident, &Command::Assign { to }, None).unwrap();
        world.run_for(MINUTE);
        assert_eq!(world.sim.incident(&twin).unwrap().assignees, [world.user(5)]);
        assert!(all(world).is_empty());
    }

    fn the_later_change_counts_with_last_write_wins(world) {
        decided_by(world, "last-write-wins");
        let (incident, twin) = both_rename(world, "GET");
        world.run_for(MINUTE * 10);
        assert_eq!(titles(world, incident, &twin), ["Slow payments", "Slow payments"]);
        // A change there that nobody here has heard of is older than one that is made here now.
        let user = world.user(4);
        world.sim.rename(&user, &twin, "Older", world.now).unwrap();
        world.run_for(SECOND * 20);
        world.must(incident, &title("Later"));
        world.run_for(MINUTE);
        assert_eq!(titles(world, incident, &twin), ["Later", "Later"]);
        let last = all(world).remove(0).conflict;
        assert_eq!((last.theirs.as_str(), last.verdict), ("Older", Some((Side::Platform, "the change here was later".to_owned()))));
    }

    fn where_neither_side_outranks_the_other_the_later_change_counts(world) {
        own(world, "title", "platform", 0);
        let (incident, twin) = both_rename(world, "GET");
        world.run_for(MINUTE);
        assert_eq!(titles(world, incident, &twin), ["Slow payments", "Slow payments"]);
        assert!(told(world).ends_with("resolved external (the change at PagerDuty was later)"), "{}", told(world));
    }

    fn a_review_holds_the_field_and_nothing_else(world) {
        decided_by(world, "manual-review");
        let (incident, twin) = both_rename(world, "GET");
        world.run_for(MINUTE);
        let renames = |world: &World| {
            let all = world.asked.iter().filter(|asked| match &asked.call {
                Call::UpdateIncident { change, .. } => change.title.is_some(),
                _ => false,
            });
            all.count()
        };
        assert_eq!(titles(world, incident, &twin), ["Slow checkout", "Slow payments"]);
        assert_eq!(told(world), "title: Slow -> Slow checkout | Slow payments: pending");
        assert!(world.outbox().is_empty() && renames(world) == 0);
        world.must(incident, &Command::Acknowledge);
        world.write_note(incident, "goes through");
        world.run_for(MINUTE);
        assert_eq!(world.there(&twin), "acknowledged");
        // What is renamed again, here or there, is told in the same review.
        let user = world.user(4);
        world.sim.rename(&user, &twin, "Slow refunds", world.now).unwrap();
        world.run_for(MINUTE * 6);
        assert_eq!(told(world), "title: Slow -> Slow checkout | Slow refunds: pending");
        world.must(incident, &title("Slow everywhere"));
        world.must(incident, &title("Slow checkout again"));
        assert_eq!(told(world), "title: Slow -> Slow checkout again | Slow refunds: pending");
        world.run_for(HOUR * 30);
        assert_eq!(renames(world), 0, "it waits for a person");
        decide(world, Side::Platform).unwrap();
        world.run_for(SECOND * 10);
        assert_eq!(titles(world, incident, &twin), ["Slow checkout again", "Slow checkout again"]);
        assert!(told(world).ends_with("resolved platform (Ann decided)"), "{}", told(world));
        let again = decide(world, Side::External).unwrap_err();
        assert!(again.to_string().contains("is resolved: Ann decided"), "{again}");
    }

    fn a_review_can_give_way(world) {
        decided_by(world, "manual-review");
        let (incident, twin) = both_rename(world, "GET");
        world.run_for(MINUTE * 10);
        decide(world, Side::External).unwrap();
        world.run_for(MINUTE);
        assert_eq!(titles(world, incident, &twin), ["Slow payments", "Slow payments"]);
        assert!(world.outbox().is_empty() && world.story(incident).pending.is_empty());
        assert!(told(world).ends_with("resolved external (Ann decided)"), "{}", told(world));
    }

    fn a_review_that_nobody_needs_any_more_is_ignored(world) {
        decided_by(world, "manual-review");
        let (_, twin) = both_rename(world, "GET");
        world.run_for(MINUTE);
        let user = world.user(4);
        world.sim.rename(&user, &twin, "Slow checkout", world.now).unwrap();
        world.run_for(MINUTE * 6);
        assert!(told(world).contains("ignored"), "both say the same by now: {}", told(world));
        let (incident, _) = both_rename(world, "GET");
        world.run_for(MINUTE);
        let open = all(world).into_iter().filter(|row| row.state == State::Pending);
        assert_eq!(open.map(|row| row.incident).collect::<Vec<_>>(), [incident]);
        world.remove_connector();
        assert!(all(world).iter().all(|row| row.state == State::Ignored));
    }
}
