//! What is done here while a call about it is on its way: nothing of it is lost, and nothing waits for another's call.

use im_core::{Command, Effect, Kind, PeerStatus, Severity, Status};
use jiff::SignedDuration;

use crate::world::World;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn edit(title: Option<&str>, severity: Option<Severity>, service: Option<&str>) -> Command {
    Command::Edit {
        title: title.map(str::to_owned),
        description: None,
        severity,
        service: service.map(str::to_owned),
    }
}

fn effects(world: &mut World) -> Vec<Effect> {
    let rows = world.outbox().into_iter();
    rows.map(|row| row.effect).collect()
}

story! {
    fn what_is_taken_back_before_anybody_here_knows_that_it_was_done_is_sent_again(world) {
        let (incident, twin) = world.declared("db down");
        world.run_for(MINUTE);
        let shown = |world: &World| {
            let one = world.sim.incident(&twin).unwrap();
            (one.title, one.urgency, one.assignees, one.service)
        };
        let before = shown(world);
        let (holder, other) = (before.2[0].clone(), world.user(4));
        let give = |id: &str| Command::Assign { to: vec![im_core::Person { id: id.to_owned(), name: None }] };
        let all = [
            (give(&other), give(&holder)),
            (edit(None, None, Some("db")), edit(None, None, Some("web"))),
            (edit(Some("disk full"), None, None), edit(Some("db down"), None, None)),
            (edit(None, Some(Severity::Sev4), None), edit(None, Some(Severity::Sev2), None)),
        ];
        for (there, back) in all {
            world.way.lose = Some(|_| true);
            world.latency = SECOND * 20;
            world.must(incident, &there);
            // Before some calls goes a look.
            for _ in 0..30 {
                if shown(world) == before {
                    world.run_for(SECOND);
                }
            }
            assert_ne!(shown(world), before, "and nobody here knows");
            world.must(incident, &back);
            world.latency = SignedDuration::from_millis(80);
            world.way.lose = None;
            world.run_for(MINUTE * 10);
            assert_eq!(shown(world), before, "{}", world.timeline(incident));
            assert!(world.outbox().is_empty());
        }
    }

    fn what_pagerduty_shows_already_does_not_wait_for_a_call_about_something_else(world) {
        let (incident, twin) = world.declared("db down");
        world.latency = SECOND * 20;
        world.must(incident, &edit(None, Some(Severity::Sev4), None));
        world.run_for(SECOND * 2);
        world.must(incident, &edit(Some("disk full"), None, None));
        assert_eq!(world.story(incident).pending.len(), 2);
        let user = world.user(3);
        world.sim.rename(&user, &twin, "disk full", world.now).unwrap();
        // The next webhook shows it.
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(SECOND * 2);
        let left: Vec<Kind> = world.story(incident).pending.iter().map(|pending| pending.kind).collect();
        assert_eq!(left, [Kind::SeverityChanged]);
        world.run_for(MINUTE);
        assert!(world.outbox().is_empty() && world.story(incident).pending.is_empty());
    }

    fn what_is_taken_back_after_a_call_whose_answer_never_came_is_sent_again(world) {
        let (incident, twin) = world.declared("There and back");
        world.way.lose = Some(|_| true);
        world.latency = SECOND * 20;
        world.must(incident, &Command::Resolve);
        world.run_for(SECOND * 2);
        assert_eq!(world.there(&twin), "resolved", "and nobody here knows");
        world.crash();
        world.asleep = true;
        let lease = world.outbox()[0].lease_until.unwrap();
        world.run_for(lease.duration_since(world.now) + SECOND);
        world.must(incident, &Command::Reopen);
        world.asleep = false;
        world.latency = SignedDuration::from_millis(80);
        world.way.lose = None;
        world.run_for(MINUTE * 10);
        assert_eq!(world.there(&twin), "triggered", "{}", world.timeline(incident));
        assert_eq!(world.story(incident).status, Status::Open);
        assert!(world.outbox().is_empty());
    }

    fn a_change_that_is_looked_at_is_left_alone_until_its_lease_ends(world) {
        let (incident, twin) = world.declared("db down");
        world.latency = SECOND * 20;
        world.must(incident, &Command::Acknowledge);
        world.run_for(SECOND * 2);
        // The look is answered, and too old when the change could be sent.
        world.asleep = true;
        world.run_for(SECOND * 40);
        world.asleep = false;
        world.run_for(SECOND * 2);
        let row = world.outbox().remove(0);
        assert!(row.checked_at.is_some() && row.lease_until > Some(world.now), "it is looked at again: {row:?}");
        world.must(incident, &Command::Resolve);
        let (taken, ended) = (Effect::Status(PeerStatus::Acknowledged), Effect::Status(PeerStatus::Resolved));
        assert_eq!(effects(world), [taken, ended.clone()]);
        // Nobody hears what the look showed.
        world.crash();
        world.asleep = true;
        world.run_for(row.lease_until.unwrap().duration_since(world.now));
        world.write_note(incident, "Over");
        assert_eq!(effects(world)[0], ended, "the lease is over");
        assert_eq!(world.outbox().len(), 2, "one state and one note");
        world.asleep = false;
        world.run_for(MINUTE * 10);
        assert_eq!(world.there(&twin), "resolved");
        assert!(world.outbox().is_empty());
    }

    fn what_ends_while_the_call_that_makes_it_is_on_its_way_ends_there(world) {
        world.latency = SECOND * 20;
        world.way.lose = Some(|_| true);
        let incident = world.declare("Over at once", Severity::Sev2, Some("web"));
        world.run_for(SECOND * 2);
        assert_eq!(world.sim.incidents().count(), 1, "and nobody here knows");
        world.must(incident, &Command::Resolve);
        world.run_for(MINUTE * 4);
        let twin = world.twin(incident);
        assert_eq!(world.there(&twin), "resolved");
        assert!(world.outbox().is_empty());
    }
}
