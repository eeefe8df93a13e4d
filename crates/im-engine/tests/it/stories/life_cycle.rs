//! What PagerDuty's incidents go through: the scenarios S32–S39.

use im_core::{Command, Kind, PeerStatus, Status};
use im_engine::request_reread;
use jiff::SignedDuration;

use crate::world::{CONNECTOR, World};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The steps of an incident, in order.
fn steps(world: &mut World, incident: im_core::IncidentNumber) -> Vec<Kind> {
    let kinds = [
        Kind::Triggered,
        Kind::Acknowledged,
        Kind::Unacknowledged,
        Kind::Resolved,
        Kind::Reopened,
        Kind::Closed,
    ];
    let story = world.story(incident);
    let all = story.lines.into_iter().map(|line| line.kind);
    all.filter(|kind| kinds.contains(kind)).collect()
}

story! {
    fn s32_an_acknowledgement_that_runs_out_is_kept_and_pages_again(world) {
        let (incident, twin) = world.declared("Nobody looks");
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.settle_down();
        let first = world.story(incident).acknowledged_at.unwrap();
        let paged = world.pages(&twin);
        world.run_for(MINUTE * 32);
        assert_eq!(world.there(&twin), "triggered");
        let story = world.story(incident);
        assert_eq!(story.status, Status::Open);
        assert!(world.timeline(incident).contains("Acknowledgement timed out"));
        assert!(world.pages(&twin) > paged, "somebody is paged again");
        let user = world.user(3);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        let story = world.story(incident);
        assert_eq!(story.status, Status::Acknowledged);
        let at = story.acknowledged_at.unwrap();
        assert_eq!(at.as_second(), first.as_second(), "the first counts");
        assert_eq!(
            steps(world, incident),
            [Kind::Triggered, Kind::Acknowledged, Kind::Unacknowledged, Kind::Acknowledged]
        );
        assert_eq!(world.writes(), 2, "a create and an acknowledge: the timer is PagerDuty's");
    }

    fn s33_resolved_reopened_and_resolved_again(world) {
        let (incident, twin) = world.born_there("Flapping");
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        let first_end = world.story(incident).resolved_at.unwrap();
        world.sim.reopen(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        let story = world.story(incident);
        assert_eq!((story.status, story.resolved_at, story.resolved_by), (Status::Open, None, None));
        assert_eq!(world.list().len(), 1, "it does not vanish");
        world.act(3, incident, &Command::Resolve, None).unwrap();
        world.run_for(MINUTE * 7);
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved);
        assert!(story.resolved_at.unwrap() > first_end);
        assert_eq!(story.resolved_by, Some(world.account.users[3].1.clone()));
        let ends: Vec<_> = story.lines.iter().filter(|line| line.kind == Kind::Resolved).collect();
        assert_eq!(ends.len(), 2);
        assert!(ends[0].at.duration_since(first_end).abs() < SignedDuration::from_secs(1), "the first end stays");
        assert_eq!(steps(world, incident), [Kind::Triggered, Kind::Resolved, Kind::Reopened, Kind::Resolved]);
    }

    fn s34_the_sources_of_a_merge_are_ended_by_it_and_linked(world) {
        let (target, into) = world.born_there("Database down");
        let (source, twin) = world.born_there("Checkout errors");
        let user = world.user(2);
        world.sim.merge(&user, &into, &twin, world.now).unwrap();
        world.settle_down();
        for round in 0..2 {
            let story = world.story(source);
            assert_eq!(story.status, Status::Resolved, "{round}");
            assert_eq!(story.peer.as_ref().unwrap().merged_into.as_deref(), Some(into.as_str()));
            assert!(world.timeline(source).contains(&format!("Merged into PagerDuty incident {into}")), "{}", world.timeline(source));
            assert_eq!(world.count(source, Kind::Resolved), 1);
            assert_eq!(world.story(target).status, Status::Open);
            world.sync();
        }
        assert_eq!(world.writes(), 0);
        assert_eq!(world.list().len(), 2);
    }

    fn s34_a_merge_that_no_webhook_told_is_known_as_one(world) {
        let (_, into) = world.born_there("Database down");
        let (source, twin) = world.born_there("Checkout errors");
        world.way.lose = Some(|_| true);
        let user = world.user(2);
        world.sim.merge(&user, &into, &twin, world.now).unwrap();
        world.sync();
        let story = world.story(source);
        assert_eq!(story.status, Status::Resolved);
        assert_eq!(story.peer.unwrap().merged_into.as_deref(), Some(into.as_str()));
        assert!(world.timeline(source).contains("Merged into"), "{}", world.timeline(source));
    }

    fn s36_a_snooze_is_neither_an_end_nor_an_acknowledgement(world) {
        let service = world.account.services[1].0.clone();
        world.sim.set_timeouts(&service, None, None);
        let (incident, twin) = world.born_there("Later");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.sim.snooze(&user, &twin, 3_600, world.now).unwrap();
        world.run_for(MINUTE * 10);
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        assert_eq!(world.count(incident, Kind::Snoozed), 1, "{}", world.timeline(incident));
        assert_eq!(world.count(incident, Kind::Acknowledged), 1, "{}", world.timeline(incident));
        world.run_for(MINUTE * 55);
        assert_eq!(world.there(&twin), "triggered");
        assert_eq!(world.story(incident).status, Status::Open);
        assert_eq!(world.count(incident, Kind::Unacknowledged), 1, "{}", world.timeline(incident));
        assert_eq!(world.list().len(), 1, "waking up is no new incident");
        assert_eq!(world.writes(), 0);
    }

    fn s38_resolved_without_an_acknowledgement_has_none(world) {
        let (here, _) = world.declared("Ended here");
        world.must(here, &Command::Resolve);
        let (there, twin) = world.born_there("Ended there");
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 7);
        for incident in [here, there] {
            let story = world.story(incident);
            assert_eq!(story.status, Status::Resolved);
            assert_eq!(story.acknowledged_at, None, "{}", world.timeline(incident));
            assert_eq!(world.count(incident, Kind::Acknowledged), 0);
        }
        let rows = world.list();
        assert!(rows.iter().all(|row| row.acknowledged_at.is_none() && row.resolved_at.is_some()));
    }

    fn s39_what_pagerduty_empties_at_the_end_stays_known(world) {
        let (incident, twin) = world.born_there("Emptied");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.sim.reassign(&user, &twin, &user, world.now).unwrap();
        world.settle_down();
        let before = world.story(incident);
        assert_eq!(before.assignees[0].id, user);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert!(world.sim.incident(&twin).unwrap().assignees.is_empty());
        assert!(world.sim.incident(&twin).unwrap().acknowledgers.is_empty());
        let now = world.our_now();
        world.write(|tx| request_reread(tx, CONNECTOR, incident, now));
        world.sync();
        let story = world.story(incident);
        let second = |story: &im_core::Story| story.acknowledged_at.unwrap().as_second();
        assert_eq!(second(&story), second(&before));
        assert_eq!(story.assignees, before.assignees, "nobody took it away from them");
        let ack = story.lines.iter().find(|line| line.kind == Kind::Acknowledged).unwrap();
        assert_eq!(ack.actor.name, Some(world.account.users[2].1.clone()));
        assert!(story.lines.iter().all(|line| line.kind != Kind::Assigned || !line.people.is_empty()));
    }

    fn s39_an_incident_read_after_its_end_gets_its_past_from_the_log(world) {
        world.way.lose = Some(|_| true);
        let twin = world.triggered("All over when we heard of it");
        let user = world.user(2);
        world.run_for(MINUTE);
        let acknowledged = world.now;
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 6);
        let incident = world.number_of(&twin).unwrap();
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved);
        assert_eq!(story.peer.unwrap().status, PeerStatus::Resolved);
        assert_eq!(story.acknowledged_at, Some(acknowledged), "{}", world.timeline(incident));
    }
}
