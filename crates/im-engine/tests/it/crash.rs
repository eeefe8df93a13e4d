//! We die at every step of one story, and it ends the same.
//!
//! A step is one thing that the program does: digest webhooks, plan, make a call, settle an
//! answer, take in a delivery. A clean run counts them; then the story is told again for each
//! step, and there the program dies: before the step, or after it without anybody hearing of it.

use im_core::{Command, IncidentNumber, Severity, Status};
use im_store::fault::Fault as DbFault;
use jiff::SignedDuration;

use crate::world::{Death, World};

/// How many statements fail in turn.
const STATEMENTS: usize = 1_500;
/// How they fail.
const KINDS: [DbFault; 3] = [DbFault::Full, DbFault::Io, DbFault::Unavailable];
/// An optimised build tries every step.
const STRIDE: usize = if cfg!(debug_assertions) { 11 } else { 1 };

/// A lease ends within this time, so that a program that died is over it.
const PAUSE: SignedDuration = SignedDuration::from_secs(100);

/// Declare, acknowledge and resolve here; a note there, and on one incident everything there.
fn story(world: &mut World) {
    let ours = world.declare("Ours", Severity::Sev2, Some("web"));
    tell(world, ours);
}

fn tell(world: &mut World, ours: IncidentNumber) {
    world.run_for(PAUSE);
    act(world, ours, &Command::Acknowledge, "I have it");
    world.run_for(PAUSE);
    let twin = world.sim.incidents().next().unwrap().id;
    let service = world.account.services[1].0.clone();
    let theirs = world.sim.trigger(&service, "Theirs", world.now).unwrap();
    world.run_for(PAUSE);
    let (user, now) = (world.user(2), world.now);
    world
        .sim
        .note(&user, &twin, "Seen from there", now)
        .unwrap();
    world.sim.acknowledge(&user, &theirs, now).unwrap();
    world.run_for(PAUSE);
    act(world, ours, &Command::Resolve, "It was the cache");
    world.run_for(PAUSE);
    world.sim.resolve(&user, &theirs, world.now).unwrap();
    world.run_for(SignedDuration::from_mins(7));
}

/// People who hear that it failed ask again.
fn act(world: &mut World, incident: IncidentNumber, command: &Command, note: &str) {
    let done = world.act(1, incident, command, Some(note));
    if done.is_err() {
        world.act(1, incident, command, Some(note)).unwrap();
    }
}

/// The end of the story, whatever went wrong in between.
fn check(world: &mut World, what: &str) {
    let twins: Vec<_> = world.sim.incidents().collect();
    assert_eq!(twins.len(), 2, "{what}: one page each");
    assert!(world.outbox().is_empty(), "{what}: {:?}", world.outbox());
    let rows = world.list();
    assert_eq!(rows.len(), 2, "{what}");
    for row in rows {
        let story = world.story(row.number);
        assert_eq!(story.status, Status::Resolved, "{what}");
        let there = world.sim.incident(&story.peer.unwrap().id).unwrap();
        assert_eq!(there.status, "resolved", "{what}");
        let mut notes = world.notes(row.number);
        let mut theirs = there.notes;
        notes.sort();
        theirs.sort();
        let first = |note: &String| note.lines().next().unwrap_or_default().to_owned();
        let notes: Vec<String> = notes.iter().map(first).collect();
        let theirs: Vec<String> = theirs.iter().map(first).collect();
        assert_eq!(notes, theirs, "{what}");
        let expected: &[&str] = if there.title == "Ours" {
            &["I have it", "It was the cache", "Seen from there"]
        } else {
            &[]
        };
        assert_eq!(notes, expected, "{what}");
    }
}

#[test]
fn dying_at_any_step_changes_nothing_in_the_end() {
    let mut clean = World::sqlite();
    let before = clean.steps;
    story(&mut clean);
    check(&mut clean, "no crash");
    let steps = clean.steps;
    assert!(steps > before + 40, "the story has steps to die at");
    for step in (before + 1..=steps).step_by(STRIDE) {
        for how in [Death::Before, Death::After] {
            let mut world = World::sqlite();
            world.dies_at = Some((step, how));
            story(&mut world);
            assert!(world.dies_at.is_none(), "step {step} came");
            check(&mut world, &format!("step {step}, {how:?}"));
        }
    }
}

#[test]
fn any_failing_statement_changes_nothing_in_the_end() {
    for number in (1..STATEMENTS).step_by(STRIDE) {
        let mut world = World::sqlite();
        world.mortal = true;
        let ours = world.declare("Ours", Severity::Sev2, Some("web"));
        let kind = KINDS[number % KINDS.len()];
        world
            .faults
            .fail_statement(u64::try_from(number).unwrap(), kind);
        tell(&mut world, ours);
        world.faults.disarm();
        check(&mut world, &format!("statement {number}"));
    }
}
