//! Which of PagerDuty's services are synced.

use im_core::{Command, Status};
use im_engine::connector;
use im_store::erase::Erased;
use im_store::facts;
use jiff::SignedDuration;
use serde_json::json;

use crate::world::{CONNECTOR, World, is_event};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Lets the incidents of these services travel, and declares everything on the first.
fn choose(world: &mut World, services: &[usize]) {
    let ids: Vec<String> = services
        .iter()
        .map(|at| world.account.services[*at].0.clone())
        .collect();
    world.configure(move |config| {
        config["custom"]["service_id"] = json!(ids[0]);
        config["custom"]["service_mappings"] = json!({});
        config["custom"]["synced_services"] = json!(ids);
    });
    world.settle_down();
}

fn choose_all(world: &mut World) {
    world.configure(|config| config["custom"]["synced_services"] = json!(null));
    world.settle_down();
}

/// An incident begins at PagerDuty.
fn trigger(world: &mut World, service: usize, title: &str) -> String {
    let service = world.account.services[service].0.clone();
    let twin = world.sim.trigger(&service, title, world.now).unwrap();
    world.settle_down();
    twin
}

story! {
    fn mw39_only_incidents_of_chosen_services_come_here_by_webhook_and_by_comparison(world) {
        choose(world, &[1, 2]);
        let chosen = trigger(world, 2, "Chosen");
        let other = trigger(world, 3, "Another's");
        let user = world.user(1);
        for twin in [&chosen, &other] {
            world.sim.note(&user, twin, "a note", world.now).unwrap();
            world.sim.acknowledge(&user, twin, world.now).unwrap();
        }
        world.way.lose = Some(|_| true);
        let missed = trigger(world, 1, "Missed");
        let left_out = trigger(world, 4, "Left out");
        world.run_for(HOUR);
        for (twin, is_here) in [(&chosen, true), (&missed, true), (&other, false), (&left_out, false)] {
            assert_eq!(world.number_of(twin).is_some(), is_here, "{twin}");
        }
        assert_eq!(world.list().len(), 2);
        let reads = |world: &World| world.asked.iter().filter(|asked| asked.call.name() == "read_incident").count();
        let before = reads(world);
        world.way.lose = None;
        world.sim.note(&user, &other, "another", world.now).unwrap();
        world.run_for(MINUTE);
        assert!(reads(world) - before <= 2, "it is looked up once, and left alone");
        // What is declared here travels.
        let (incident, twin) = world.declared("Ours");
        world.must(incident, &Command::Resolve);
        world.settle_down();
        assert_eq!(world.there(&twin), "resolved");
    }

    fn an_event_of_another_service_is_let_go_after_a_minute_and_not_before(world) {
        choose(world, &[1, 2]);
        world.way.lose = Some(|body| !is_event(body, "annotated"));
        let twin = trigger(world, 3, "Another's");
        let user = world.user(1);
        world.sim.note(&user, &twin, "a note", world.now).unwrap();
        world.deliver();
        let came = world.now;
        world.run_for(MINUTE / 3);
        assert_eq!(world.called("read_incident"), 1, "it is looked up");
        world.asleep = true;
        world.run_for((came + MINUTE).duration_since(world.now));
        world.asleep = false;
        assert_eq!(world.digest_once(), Some(1), "it is looked at after a minute");
        assert_eq!(world.events("waiting"), 1);
        world.run_for(MINUTE * 2);
        assert_eq!((world.events("waiting"), world.events("orphan")), (0, 0));
        assert!(world.list().is_empty());
        assert_eq!(world.called("read_incident"), 1, "once");
    }

    fn mw39_a_service_that_is_not_chosen_any_more_stays_as_it_was_and_catches_up_later(world) {
        choose(world, &[1, 2]);
        let twin = trigger(world, 2, "Theirs");
        let incident = world.number_of(&twin).unwrap();
        assert_eq!(world.list().len(), 1);
        choose(world, &[1]);
        assert!(world.list().is_empty(), "it is hidden");
        let user = world.user(1);
        world.run_for(MINUTE);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 12);
        assert_eq!(world.story(incident).status, Status::Open, "nothing more comes");
        world.must(incident, &Command::Resolve);
        world.run_for(MINUTE * 12);
        assert_eq!(world.there(&twin), "acknowledged", "nothing leaves");
        assert_eq!(world.story(incident).status, Status::Resolved);
        assert!(world.outbox().is_empty() && world.unfaithful().is_empty());
        choose_all(world);
        world.run_for(HOUR);
        assert_eq!(world.there(&twin), "resolved", "what was kept is sent");
        assert_eq!(world.list().len(), 1, "it is here again");
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
        // What began meanwhile comes with the next comparison.
        choose(world, &[1]);
        let late = trigger(world, 3, "Late");
        assert!(world.number_of(&late).is_none());
        choose_all(world);
        world.run_for(MINUTE * 7);
        assert!(world.number_of(&late).is_some());
    }

    fn mw39_an_incident_of_several_services_is_hidden_once_none_of_them_is_chosen(world) {
        let ids: Vec<String> = [1, 2, 3].map(|at: usize| world.account.services[at].0.clone()).into();
        let (two, three, all) = (ids[1].clone(), ids[2].clone(), ids.clone());
        world.configure(move |config| {
            config["custom"]["service_id"] = json!(all[0]);
            config["custom"]["service_mappings"] = json!({"b": two, "c": three});
        });
        world.settle_down();
        let command = Command::Declare {
            title: "Wide".to_owned(),
            severity: im_core::Severity::Sev2,
            description: None,
            services: vec!["b".to_owned(), "c".to_owned()],
        };
        world.declare_by(None, &command);
        world.settle_down();
        let keep = |world: &mut World, ids: Vec<String>| {
            world.configure(move |config| {
                config["custom"]["service_mappings"] = json!({});
                config["custom"]["synced_services"] = json!(ids);
            });
            world.settle_down();
            world.list().len()
        };
        assert_eq!(keep(world, vec![ids[0].clone(), ids[1].clone()]), 1, "one of its services is");
        let now = world.our_now();
        let purge = |world: &mut World| world.write(|tx| connector::erase_hidden(tx, CONNECTOR, 10, now)).unwrap();
        assert_eq!(purge(world).rows, 0, "a part of what is seen is no business of a purge");
        assert_eq!(keep(world, vec![ids[0].clone()]), 0);
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
        assert_eq!(keep(world, ids.clone()), 1);
        assert_eq!(keep(world, vec![ids[0].clone()]), 0);
        assert_eq!(purge(world), Erased { rows: 2, incidents: 1 });
        assert!(world.everything().is_empty(), "the whole goes with the last of its parts");
    }

    fn mw39_what_is_hidden_can_be_erased_and_does_not_come_back_by_itself(world) {
        choose(world, &[1, 2]);
        let (kept, gone) = (trigger(world, 1, "Kept"), trigger(world, 2, "Gone"));
        choose(world, &[1]);
        let now = world.our_now();
        let purge = |world: &mut World| world.write(|tx| connector::erase_hidden(tx, CONNECTOR, 10, now));
        world.write(|tx| connector::begin_attaching(tx, CONNECTOR));
        assert_eq!(purge(world), None, "what does not follow the choice yet may be chosen");
        world.settle_down();
        assert_eq!(purge(world), Some(Erased { rows: 1, incidents: 1 }));
        assert_eq!(purge(world), Some(Erased::default()));
        let user = world.user(1);
        for twin in [&kept, &gone] {
            world.sim.acknowledge(&user, twin, world.now).unwrap();
        }
        world.run_for(MINUTE * 12);
        assert_eq!(world.number_of(&gone), None);
        let here = world.number_of(&kept).unwrap();
        assert_eq!(world.story(here).status, Status::Acknowledged);
        choose_all(world);
        world.run_for(MINUTE * 12);
        assert!(world.number_of(&gone).is_some(), "it is open, and chosen again");
    }

    fn mw39_who_follows_the_facts_misses_none_that_comes_between_two_steps_of_a_purge(world) {
        choose(world, &[1, 2]);
        for title in ["One", "Two", "Three"] {
            trigger(world, 2, title);
        }
        choose(world, &[1]);
        let now = world.our_now();
        let last = |world: &mut World| world.write(facts::last);
        let mut seen = last(world);
        for _ in 0..3 {
            assert_eq!(world.write(|tx| connector::erase_hidden(tx, CONNECTOR, 1, now)).unwrap().rows, 1);
            let told = world.write(|tx| facts::after(tx, seen, 100)).expect("each step is told");
            assert!(told.erased.is_some() && told.last > seen);
            seen = told.last;
            let twin = trigger(world, 1, "Between");
            assert!(world.number_of(&twin).is_some());
            let told = world.write(|tx| facts::after(tx, seen, 100)).expect("what comes is told");
            assert!(told.last > seen);
            seen = last(world);
        }
    }

    fn mw39_an_incident_that_is_moved_to_a_service_that_is_not_chosen_stays_where_it_was(world) {
        choose(world, &[1, 2]);
        let twin = trigger(world, 2, "Moved");
        let incident = world.number_of(&twin).unwrap();
        let [chosen, other] = [2, 3].map(|at| world.account.services[at].0.clone());
        let service = world.story(incident).service;
        let move_to = |world: &mut World, id: &str| {
            let body = json!({"incident": {"type": "incident_reference", "service": {"id": id, "type": "service_reference"}}});
            let reply = world.ask("PUT", &format!("/incidents/{twin}"), body.to_string().into_bytes());
            assert_eq!(reply.status, 200, "{reply:?}");
            world.settle_down();
        };
        world.run_for(MINUTE);
        move_to(world, &other);
        let user = world.user(1);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.run_for(HOUR);
        let story = world.story(incident);
        assert_eq!((story.status, story.service), (Status::Open, service));
        let reopened = json!({"incident": {"type": "incident_reference", "status": "triggered"}});
        world.ask("PUT", &format!("/incidents/{twin}"), reopened.to_string().into_bytes());
        world.run_for(MINUTE);
        move_to(world, &chosen);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.run_for(MINUTE * 12);
        assert_eq!(world.story(incident).status, Status::Acknowledged, "{}", world.timeline(incident));
    }
}
