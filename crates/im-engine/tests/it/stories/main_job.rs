//! The main job: one incident on both sides.

use im_core::{Command, Severity, Status, StatusModel};
use jiff::SignedDuration;

story! {
    fn an_incident_declared_here_appears_there_and_pages_once(world) {
        let incident = world.declare("Database performance issue", Severity::Sev2, Some("db"));
        world.settle_down();
        let twin = world.twin(incident);
        let seen = world.sim.incident(&twin).unwrap();
        assert_eq!(seen.title, "Database performance issue");
        assert_eq!(seen.urgency, "high");
        assert_eq!(seen.service, world.account.services[2].0);
        assert_eq!(world.called("create_incident"), 1);
        assert_eq!(world.sim.incidents().count(), 1);
        assert!(world.outbox().is_empty());
        assert_eq!(world.list().len(), 1, "the echo of our own create is not a second incident");
    }

    fn an_acknowledge_here_is_one_there_by_the_same_person(world) {
        let incident = world.declare("Checkout is slow", Severity::Sev1, Some("web"));
        world.settle_down();
        world.act(2, incident, &Command::Acknowledge, Some("Investigating database locks")).unwrap();
        world.settle_down();
        let twin = world.twin(incident);
        assert_eq!(world.there(&twin), "acknowledged");
        let story = world.story(incident);
        assert_eq!(story.status, Status::Acknowledged);
        assert_eq!(story.assignees[0].id, world.account.users[2].0);
        let acks = story.lines.iter().filter(|line| line.kind == im_core::Kind::Acknowledged).count();
        assert_eq!(acks, 1, "the echo is not a second acknowledgement");
        let notes = world.sim.incident(&twin).unwrap().notes;
        assert_eq!(notes.len(), 1);
        assert!(notes[0].starts_with("Investigating database locks"));
        assert!(story.pending.is_empty());
    }

    fn an_acknowledge_there_is_one_here(world) {
        let incident = world.declare("Search is stale", Severity::Sev2, None);
        world.settle_down();
        let twin = world.twin(incident);
        let user = world.account.users[3].0.clone();
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        let story = world.story(incident);
        assert_eq!(StatusModel::Documented.shown(story.status), Status::Mitigated);
        assert_eq!(StatusModel::Lifecycle.shown(story.status), Status::Acknowledged);
        assert_eq!(world.called("update_incident"), 0, "what came from there is not sent back");
    }

    fn a_resolve_here_with_its_note_ends_both(world) {
        let incident = world.declare("Disk full", Severity::Sev3, None);
        world.settle_down();
        world.act(1, incident, &Command::Resolve, Some("Cleared after index optimization")).unwrap();
        world.settle_down();
        let twin = world.twin(incident);
        assert_eq!(world.there(&twin), "resolved");
        assert_eq!(world.story(incident).status, Status::Resolved);
        assert!(world.sim.incident(&twin).unwrap().notes[0].starts_with("Cleared after index optimization"));
    }

    fn an_incident_born_there_appears_here_once(world) {
        let service = world.account.services[1].0.clone();
        let twin = world.sim.trigger(&service, "Latency above 2 s", world.now).unwrap();
        world.settle_down();
        let rows = world.list();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].title, "Latency above 2 s");
        assert_eq!(rows[0].service.as_deref(), Some("web"));
        assert_eq!(rows[0].pd_id.as_deref(), Some(twin.as_str()));
        let user = world.account.users[2].0.clone();
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        let story = world.story(rows[0].number);
        assert_eq!(story.status, Status::Resolved);
        assert_eq!(story.resolved_by.as_deref(), Some(world.account.users[2].1.as_str()));
        assert_eq!(world.called("update_incident"), 0);
    }

    fn a_reopen_travels_both_ways(world) {
        let incident = world.declare("Flapping", Severity::Sev2, None);
        world.settle_down();
        let twin = world.twin(incident);
        let user = world.account.users[2].0.clone();
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        world.must(incident, &Command::Reopen);
        world.settle_down();
        assert_eq!(world.there(&twin), "triggered");
        world.must(incident, &Command::Close);
        world.settle_down();
        assert_eq!(world.there(&twin), "resolved");
        assert_eq!(world.story(incident).status, Status::Closed);
        world.sim.reopen(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Open);
    }

    fn title_severity_service_and_assignee_follow(world) {
        let incident = world.declare("Slow", Severity::Sev3, Some("web"));
        world.settle_down();
        let twin = world.twin(incident);
        world.must(incident, &Command::Edit {
            title: Some("Slow checkout".to_owned()),
            description: None,
            severity: Some(Severity::Sev1),
            service: Some("db".to_owned()),
        });
        let to = im_core::Person { id: world.account.users[4].0.clone(), name: None };
        world.must(incident, &Command::Assign { to: vec![to] });
        world.settle_down();
        let seen = world.sim.incident(&twin).unwrap();
        assert_eq!(seen.title, "Slow checkout");
        assert_eq!(seen.urgency, "high");
        assert_eq!(seen.service, world.account.services[2].0);
        assert_eq!(seen.assignees, [world.account.users[4].0.as_str()]);
        let story = world.story(incident);
        assert_eq!(story.title, "Slow checkout");
        assert_eq!(story.service.as_deref(), Some("db"));
        assert_eq!(story.assignees[0].id, world.account.users[4].0);
        assert!(story.pending.is_empty() && world.outbox().is_empty());
    }

    fn a_title_changed_there_follows_by_repair(world) {
        let incident = world.declare("Slow", Severity::Sev3, None);
        world.settle_down();
        let twin = world.twin(incident);
        let user = world.account.users[2].0.clone();
        world.sim.rename(&user, &twin, "Slow since the release", world.now).unwrap();
        world.run_for(SignedDuration::from_mins(6));
        assert_eq!(world.story(incident).title, "Slow since the release");
        assert_eq!(world.called("update_incident"), 0);
    }

    fn notes_cross_once_each_way(world) {
        let incident = world.declare("Slow", Severity::Sev3, None);
        world.settle_down();
        let twin = world.twin(incident);
        world.must(incident, &Command::Note { text: "from here".to_owned() });
        world.settle_down();
        let user = world.account.users[2].0.clone();
        world.sim.note(&user, &twin, "from there", world.now).unwrap();
        world.run_for(SignedDuration::from_mins(12));
        let story = world.story(incident);
        let notes: Vec<&str> = story.lines.iter().filter_map(im_core::Line::note).collect();
        assert_eq!(notes, ["from here", "from there"]);
        assert_eq!(world.sim.incident(&twin).unwrap().notes.len(), 2);
    }
}
