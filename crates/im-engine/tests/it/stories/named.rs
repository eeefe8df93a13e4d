//! A service is named as people here name it, or as PagerDuty does: I-054, I-078, I-080.

use im_core::{Command, IncidentNumber, Severity};
use im_engine::commands::CommandError;
use im_engine::{connector, named, parts};
use jiff::SignedDuration;
use serde_json::json;

use crate::world::{CONNECTOR, World};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// PagerDuty's id of a service of the account, and what it is called there.
fn service(world: &World, at: usize) -> (String, String) {
    let (id, name, _) = &world.account.services[at];
    (id.clone(), name.clone())
}

fn moved(name: &str) -> Command {
    Command::Edit {
        title: None,
        description: None,
        severity: None,
        service: Some(name.to_owned()),
    }
}

/// On which service PagerDuty has it, and on which it is here.
fn place(world: &mut World, incident: IncidentNumber) -> (String, String) {
    world.settle_down();
    let twin = world.twin(incident);
    let there = world.sim.incident(&twin).unwrap().service;
    (there, world.story(incident).service.unwrap())
}

story! {
    fn a_name_of_pagerdutys_is_that_service_and_not_the_default_one(world) {
        world.settle_down();
        let (other, name) = service(world, 3);
        let incident = world.declare("Slow", Severity::Sev2, Some(&name.to_uppercase()));
        assert_eq!(world.story(incident).service.as_ref(), Some(&name), "before PagerDuty answers");
        assert_eq!(place(world, incident), (other.clone(), name.clone()));
        // By its id, and one that has a name here by the one there.
        world.must(incident, &moved(&service(world, 4).0));
        assert_eq!(place(world, incident), service(world, 4));
        world.must(incident, &moved(&service(world, 2).1));
        assert_eq!(place(world, incident), (service(world, 2).0, "database".to_owned()));
        // A name that nobody knows goes to the default service (I-078), as a name of ours.
        world.must(incident, &moved("nonsense"));
        assert_eq!(place(world, incident), (service(world, 0).0, "nonsense".to_owned()));
        let connector = world.write(|tx| connector::load(tx, CONNECTOR)).unwrap();
        assert!(!named::is_on_its_own(&connector, &world.story(incident)));
        world.must(incident, &moved(&name));
        assert_eq!(place(world, incident), (other, name));
        assert!(named::is_on_its_own(&connector, &world.story(incident)));
    }

    fn a_service_that_gets_another_name_keeps_what_was_declared_to_it(world) {
        world.settle_down();
        let (id, name) = service(world, 3);
        let incident = world.declare("Slow", Severity::Sev2, Some(&name));
        place(world, incident);
        let body = json!({"service": {"name": "Lookup"}}).to_string().into_bytes();
        assert_eq!(world.ask("PUT", &format!("/services/{id}"), body).status, 200);
        world.run_for(HOUR + HOUR);
        world.sync();
        let writes = world.writes();
        assert_eq!(place(world, incident).0, id);
        let again = world.declare("Slower", Severity::Sev2, Some("lookup"));
        assert_eq!(place(world, again), (id.clone(), "Lookup".to_owned()));
        // The old name means nothing any more, and moves nothing that was declared by it.
        world.sync();
        assert_eq!(place(world, incident).0, id);
        assert_eq!(world.writes(), writes + 1, "the second declaration alone");
    }

    fn each_of_several_services_may_go_by_pagerdutys_name(world) {
        world.settle_down();
        let command = Command::Declare {
            title: "Checkout is down".to_owned(),
            severity: Severity::Sev1,
            description: None,
            // Two of these are one service.
            services: vec!["db".to_owned(), service(world, 3).1, service(world, 2).1],
        };
        let incident = world.declare_by(None, &command);
        world.settle_down();
        let story = world.story(incident);
        let twins: Vec<String> = parts::of(incident, &story)
            .into_iter()
            .map(|(part, _)| world.twin(part))
            .collect();
        let places: Vec<String> = twins
            .iter()
            .map(|twin| world.sim.incident(twin).unwrap().service)
            .collect();
        assert_eq!(places, [service(world, 2).0, service(world, 3).0]);
    }

    fn what_can_be_chosen_is_ours_and_what_is_synced_of_pagerdutys(world) {
        world.settle_down();
        let (mapped, other, left_out) = (service(world, 2), service(world, 3), service(world, 4));
        let chosen = json!([service(world, 0).0, service(world, 1).0, mapped.0, other.0]);
        world.configure(|config| config["custom"]["synced_services"] = chosen.clone());
        world.settle_down();
        let connector = world.write(|tx| connector::load(tx, CONNECTOR)).unwrap();
        let offered = world.write(|tx| named::offered(tx, &connector));
        for name in ["db", "web", &other.1] {
            assert!(offered.contains(name), "{name}: {offered:?}");
        }
        // It is `db` here, and what is not synced would come back as nothing.
        assert!(!offered.contains(&mapped.1) && !offered.contains(&left_out.1), "{offered:?}");
        let incident = world.declare("Slow", Severity::Sev2, Some(&other.1));
        world.settle_down();
        let refused = world.act(1, incident, &moved(&left_out.1), None);
        assert!(matches!(refused, Err(CommandError::NotSynced { .. })), "{refused:?}");
        assert_eq!(place(world, incident), other);
    }
}
