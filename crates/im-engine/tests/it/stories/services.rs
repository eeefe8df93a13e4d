//! One incident of several services, and a PagerDuty incident for each: S67.

use im_core::{Command, IncidentNumber, Kind, Severity, Status};
use im_engine::{commands, connector, parts};
use im_pagerduty::{Call, Reply};
use im_store::{facts, inbox};
use jiff::SignedDuration;
use pd_sim::IncidentView;
use serde_json::json;

use crate::world::{CONNECTOR, Death, World, event};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Each has a service of PagerDuty's: two by the connector's table, the last as the default.
const SERVICES: [&str; 3] = ["db", "web", "payments"];

fn declare(world: &mut World, services: &[&str]) -> IncidentNumber {
    let command = Command::Declare {
        title: "Checkout is down".to_owned(),
        severity: Severity::Sev1,
        description: None,
        services: services.iter().map(|name| (*name).to_owned()).collect(),
    };
    world.declare_by(None, &command)
}

/// What PagerDuty has of it, in the order of the services; one that it does not have is left out.
fn twins(world: &mut World, incident: IncidentNumber) -> Vec<IncidentView> {
    let story = world.story(incident);
    let parts = parts::of(incident, &story).into_iter();
    let stories: Vec<_> = parts.map(|(part, _)| world.story(part)).collect();
    let ids = stories.into_iter().filter_map(|story| Some(story.peer?.id));
    ids.map(|id| world.sim.incident(&id).unwrap()).collect()
}

fn declared(world: &mut World) -> (IncidentNumber, [String; 3]) {
    let incident = declare(world, &SERVICES);
    world.settle_down();
    let ids: Vec<String> = twins(world, incident)
        .into_iter()
        .map(|twin| twin.id)
        .collect();
    (incident, ids.try_into().expect("each service has its twin"))
}

/// PagerDuty refuses to make the incident of the first service; nothing of it is refused later.
fn declared_without_db(world: &mut World) -> IncidentNumber {
    let refused = world.account.services[2].0.clone();
    world.instead = Some(Box::new(move |call| match call {
        Call::CreateIncident { service_id, .. } if *service_id == refused => {
            let body = json!({"error": {"message": "Invalid Input Provided", "code": 2001, "errors": ["Service is disabled"]}});
            Some(Reply {
                status: 400,
                headers: Vec::new(),
                body: body.to_string().into_bytes(),
            })
        }
        _ => None,
    }));
    let incident = declare(world, &SERVICES);
    world.settle_down();
    world.instead = None;
    incident
}

fn states(world: &World, twins: &[String; 3]) -> [String; 3] {
    twins.each_ref().map(|twin| world.there(twin))
}

fn status(world: &mut World, incident: IncidentNumber) -> Status {
    let listed = world.list();
    let row = listed.iter().find(|row| row.number == incident).unwrap();
    let story = world.story(incident);
    assert_eq!(
        row.status, story.status,
        "the list says what the incident says"
    );
    story.status
}

fn resolve_rule(world: &mut World, rule: &str) {
    world.configure(|config| config["custom"]["resolve_rule"] = rule.into());
    world.settle_down();
}

story! {
    fn s67_i092_i162_three_services_are_one_incident_here_and_three_there(world) {
        // What the connector would page by must not replace the services' own policies.
        let policy = world.account.policies[0].0.clone();
        world.configure(|config| config["custom"]["escalation_policy_id"] = policy.as_str().into());
        world.settle_down();
        let (incident, ids) = declared(world);
        assert_eq!(world.list().len(), 1, "one line in the list");
        assert_eq!(world.list()[0].service.as_deref(), Some("db, web, payments"));
        assert_eq!(world.sim.incidents().count(), 3);
        assert_eq!(world.called("create_incident"), 3);
        let account = world.account.clone();
        let twins = twins(world, incident);
        let places: Vec<&str> = twins.iter().map(|twin| twin.service.as_str()).collect();
        assert_eq!(places, [2, 1, 0].map(|at| account.services[at].0.as_str()));
        for twin in &twins {
            assert_eq!((twin.title.as_str(), twin.urgency), ("Checkout is down", "high"));
            assert!(world.pages(&twin.id) > 0, "its own people are paged");
        }
        let keys: std::collections::HashSet<_> = twins.iter().map(|twin| twin.key.clone()).collect();
        assert_eq!(keys.len(), 3, "each is made with a key of its own: {keys:?}");
        let policies: Vec<&str> = twins[..2].iter().map(|twin| twin.policy.as_str()).collect();
        let alone = [2, 1].map(|at| {
            let service = account.services[at].0.clone();
            let other = world.sim.trigger(&service, "alone", world.now).unwrap();
            world.sim.incident(&other).unwrap().policy
        });
        assert_eq!(policies, alone, "each service pages by its own policy");
        let bodies: Vec<String> = world
            .asked
            .iter()
            .filter_map(|asked| match &asked.call {
                Call::CreateIncident { body, key, .. } => {
                    assert!(key.as_str().contains(&incident.to_string()), "{}", key.as_str());
                    body.clone()
                }
                _ => None,
            })
            .collect();
        assert_eq!(bodies.len(), 3);
        for body in bodies {
            assert!(body.contains(&format!("Declared in im as {incident} by")), "{body}");
            assert!(body.contains("It is about db, web, payments"), "{body}");
        }
        assert_eq!(world.count(incident, Kind::Triggered), 1, "{}", world.timeline(incident));
        assert_eq!(world.count(incident, Kind::Linked), 3);
        assert_eq!(states(world, &ids), ["triggered"; 3]);
    }

    fn s67_names_that_share_a_service_of_pagerduty_page_its_people_once(world) {
        let incident = declare(world, &["db", "database", " web", "", "db"]);
        world.settle_down();
        assert_eq!(world.list()[0].service.as_deref(), Some("database, db, web"));
        assert_eq!(twins(world, incident).len(), 2);
        assert_eq!(world.sim.incidents().count(), 2);
        let alone = declare(world, &["web", "web"]);
        world.settle_down();
        assert!(world.story(alone).peer.is_some(), "one service is an incident as any other");
    }

    fn s67_i092_what_is_done_here_reaches_all(world) {
        let (incident, ids) = declared(world);
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.settle_down();
        assert_eq!(states(world, &ids), ["acknowledged"; 3]);
        assert_eq!(world.count(incident, Kind::Acknowledged), 1, "{}", world.timeline(incident));
        assert_eq!(world.story(incident).assignees.len(), 1);
        world.write_note(incident, "It is the network");
        let title = Some("Everything is down".to_owned());
        world.must(incident, &Command::Edit { title, description: None, severity: Some(Severity::Sev3), service: None });
        world.settle_down();
        for twin in twins(world, incident) {
            assert_eq!((twin.title.as_str(), twin.urgency), ("Everything is down", "low"));
            assert_eq!(twin.notes.len(), 1);
            assert!(twin.notes[0].starts_with("It is the network") && twin.notes[0].contains(&incident.to_string()));
        }
        assert_eq!(world.notes(incident), ["It is the network"], "{}", world.timeline(incident));
        let moved = world.act(1, incident, &Command::Edit { title: None, description: None, severity: None, service: Some("web".to_owned()) }, None);
        assert!(moved.unwrap_err().to_string().contains("several services"));
        world.act(2, incident, &Command::Resolve, None).unwrap();
        world.settle_down();
        assert_eq!(states(world, &ids), ["resolved"; 3]);
        assert_eq!(status(world, incident), Status::Resolved);
        world.must(incident, &Command::Reopen);
        world.settle_down();
        assert_eq!(states(world, &ids), ["triggered"; 3]);
        world.must(incident, &Command::Delete);
        world.settle_down();
        assert_eq!(states(world, &ids), ["resolved"; 3]);
        assert!(world.list().is_empty());
        assert!(world.outbox().is_empty());
        let written = world.writes();
        world.run_for(HOUR);
        assert_eq!(world.writes(), written, "quiet at the end");
    }

    fn s67_an_acknowledgement_of_any_is_one_here_and_another_here_reaches_the_rest(world) {
        let (incident, ids) = declared(world);
        let user = world.user(3);
        world.sim.acknowledge(&user, &ids[1], world.now).unwrap();
        world.settle_down();
        assert_eq!(status(world, incident), Status::Acknowledged);
        assert_eq!(states(world, &ids), ["triggered", "acknowledged", "triggered"], "the others' people are not silenced");
        let lines = world.timeline(incident);
        assert!(lines.contains("(web)"), "{lines}");
        let asked = world.act(2, incident, &Command::Acknowledge, None).unwrap();
        assert!(asked.changed, "two of them had nobody");
        world.settle_down();
        assert_eq!(states(world, &ids), ["acknowledged"; 3]);
        // It was taken, so the end of the one that was taken first leaves it taken.
        world.sim.resolve(&user, &ids[1], world.now).unwrap();
        world.settle_down();
        assert_eq!(status(world, incident), Status::Acknowledged);
        world.sim.note(&user, &ids[0], "Only the database", world.now).unwrap();
        world.settle_down();
        assert_eq!(world.notes(incident), ["Only the database"]);
        assert!(twins(world, incident)[2].notes.is_empty(), "what is said of one stays with it");
    }

    fn s67_i092_all_it_is_over_when_the_last_is_resolved_there(world) {
        let (incident, ids) = declared(world);
        let user = world.user(3);
        for (nth, twin) in ids.iter().enumerate() {
            assert_eq!(status(world, incident), Status::Open, "{nth} are resolved");
            world.sim.resolve(&user, twin, world.now).unwrap();
            world.settle_down();
        }
        assert_eq!(status(world, incident), Status::Resolved);
        assert_eq!(world.story(incident).resolved_by.as_deref(), Some(world.account.users[3].1.as_str()));
        assert_eq!(world.called("update_incident"), 0, "nothing is sent back");
        world.sim.reopen(&user, &ids[0], world.now).unwrap();
        world.settle_down();
        assert_eq!(status(world, incident), Status::Open);
        assert_eq!(states(world, &ids), ["triggered", "resolved", "resolved"], "one is open again");
        world.must(incident, &Command::Close);
        world.settle_down();
        assert_eq!(status(world, incident), Status::Closed);
        assert_eq!(states(world, &ids), ["resolved"; 3]);
    }

    fn s67_any_the_first_that_is_resolved_there_ends_all(world) {
        resolve_rule(world, "any");
        let (incident, ids) = declared(world);
        let user = world.user(3);
        world.sim.resolve(&user, &ids[1], world.now).unwrap();
        world.settle_down();
        assert_eq!(status(world, incident), Status::Resolved);
        assert_eq!(states(world, &ids), ["resolved"; 3], "nobody is paged any more");
        let notes = twins(world, incident)[0].notes.clone();
        assert!(notes.len() == 1 && notes[0].contains("of web (resolve_rule is any)"), "{notes:?}");
        // Who opens one again does not open the others, and is not overruled.
        world.run_for(MINUTE);
        world.sim.reopen(&user, &ids[0], world.now).unwrap();
        world.run_for(MINUTE * 12);
        assert_eq!(status(world, incident), Status::Open);
        assert_eq!(states(world, &ids), ["triggered", "resolved", "resolved"]);
    }

    fn s67_any_a_resolve_that_no_webhook_told_ends_all(world) {
        resolve_rule(world, "any");
        let (incident, ids) = declared(world);
        let user = world.user(3);
        world.sim.faults().webhooks.lost = true;
        world.sim.resolve(&user, &ids[1], world.now).unwrap();
        world.run_for(MINUTE * 12);
        assert_eq!(status(world, incident), Status::Resolved, "{}", world.timeline(incident));
        assert_eq!(states(world, &ids), ["resolved"; 3]);
        let written = world.writes();
        world.run_for(HOUR);
        assert_eq!(world.writes(), written, "quiet at the end");
    }

    fn s67_any_an_end_that_is_heard_of_before_the_reopening_of_another_ends_it(world) {
        resolve_rule(world, "any");
        let (incident, ids) = declared(world);
        let user = world.user(3);
        world.act(2, incident, &Command::Resolve, None).unwrap();
        world.settle_down();
        // Two are opened again there and one of them is resolved; of the other nobody told us in time.
        for (ended, left) in [(0, 1), (2, 0)] {
            world.sim.faults().webhooks.lost = true;
            world.sim.reopen(&user, &ids[left], world.now).unwrap();
            world.sim.faults().webhooks.lost = false;
            world.sim.reopen(&user, &ids[ended], world.now).unwrap();
            world.run_for(MINUTE);
            world.sim.resolve(&user, &ids[ended], world.now).unwrap();
            world.run_for(MINUTE * 12);
            assert_eq!(states(world, &ids), ["resolved"; 3], "{}", world.timeline(incident));
            assert_eq!(status(world, incident), Status::Resolved);
        }
    }

    fn s67_any_one_that_was_merged_or_lost_its_service_ends_no_other(world) {
        resolve_rule(world, "any");
        let (incident, ids) = declared(world);
        let user = world.user(3);
        world.sim.faults().webhooks.lost = true;
        world.sim.merge(&user, &ids[1], &ids[0], world.now).unwrap();
        world.sim.faults().webhooks.lost = false;
        world.run_for(MINUTE * 12);
        assert_eq!(states(world, &ids), ["resolved", "triggered", "triggered"]);
        assert_eq!(status(world, incident), Status::Open, "{}", world.timeline(incident));
        let service = world.account.services[0].clone();
        let data = json!({"type": "service", "id": service.0, "summary": service.1});
        world.arrive(&event("GONE", "service.deleted", world.now, &data), "gone");
        world.settle_down();
        world.write_note(incident, "Its service was deleted");
        world.settle_down();
        assert_eq!(status(world, incident), Status::Open, "{}", world.timeline(incident));
        assert_eq!(states(world, &ids)[1], "triggered");
    }

    fn s67_a_change_of_the_rule_ends_nothing(world) {
        let (incident, ids) = declared(world);
        let user = world.user(3);
        world.sim.resolve(&user, &ids[0], world.now).unwrap();
        world.settle_down();
        resolve_rule(world, "any");
        world.sim.note(&user, &ids[0], "Fine since noon", world.now).unwrap();
        world.run_for(MINUTE * 12);
        assert_eq!(status(world, incident), Status::Open);
        assert_eq!(states(world, &ids), ["resolved", "triggered", "triggered"]);
    }

    fn s67_a_create_that_is_refused_is_a_dead_letter_and_the_others_stand(world) {
        let incident = declared_without_db(world);
        assert_eq!(world.sim.incidents().count(), 2);
        let letter = world.outbox().pop().unwrap();
        assert!(letter.parked && letter.incident.whole() == Some(incident), "{letter:?}");
        assert_eq!(letter.incident.to_string(), format!("{incident}.1"));
        // Nothing of it is forgotten meanwhile.
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.settle_down();
        assert_eq!(twins(world, incident).iter().map(|twin| twin.status).collect::<Vec<_>>(), ["acknowledged"; 2]);
        let now = world.our_now();
        let retried: Result<(), commands::CommandError> = world.db.write(|tx| commands::retry(tx, CONNECTOR, letter.id, now));
        retried.unwrap();
        world.run_for(MINUTE);
        assert_eq!(twins(world, incident).iter().map(|twin| twin.status).collect::<Vec<_>>(), ["acknowledged"; 3]);
        assert!(world.outbox().is_empty());
    }

    fn s67_i162_a_create_that_pagerduty_cannot_take_yet_waits_and_the_others_stand(world) {
        let away = world.account.services[2].0.clone();
        world.instead = Some(Box::new(move |call| match call {
            Call::CreateIncident { service_id, .. } if *service_id == away => {
                Some(Reply { status: 503, headers: Vec::new(), body: Vec::new() })
            }
            _ => None,
        }));
        let incident = declare(world, &SERVICES);
        world.run_for(MINUTE);
        assert_eq!(world.sim.incidents().count(), 2);
        let queued = world.outbox().pop().unwrap();
        assert!(!queued.parked && queued.attempt > 0, "{queued:?}");
        assert_eq!(queued.incident.to_string(), format!("{incident}.1"), "it says which");
        world.instead = None;
        world.run_for(MINUTE * 10);
        assert_eq!((world.sim.incidents().count(), world.outbox().len()), (3, 0));
        assert_eq!(twins(world, incident).len(), 3);
    }

    fn s67_a_page_that_was_given_up_does_not_hold_the_incident_open(world) {
        let incident = declared_without_db(world);
        let (user, letter, now) = (world.user(3), world.outbox().pop().unwrap().id, world.our_now());
        for twin in twins(world, incident) {
            world.sim.resolve(&user, &twin.id, world.now).unwrap();
        }
        world.settle_down();
        assert_eq!(status(world, incident), Status::Open, "one page is still to be made");
        let given_up: Result<(), commands::CommandError> = world.db.write(|tx| commands::discard(tx, CONNECTOR, letter, now));
        given_up.unwrap();
        assert_eq!(status(world, incident), Status::Resolved);
        assert_eq!(world.sim.incidents().count(), 2);
    }

    fn s67_a_lost_answer_makes_no_second_page(world) {
        world.sim.faults().lose_answers(2);
        let incident = declare(world, &SERVICES);
        world.run_for(MINUTE * 7);
        assert_eq!(twins(world, incident).len(), 3);
        assert_eq!(world.sim.incidents().count(), 3, "each was made once");
        assert_eq!(world.list().len(), 1, "none of them is here a second time");
        assert!(world.outbox().is_empty());
    }

    fn s67_lost_webhooks_are_healed_by_repair(world) {
        let (incident, ids) = declared(world);
        let user = world.user(3);
        world.sim.faults().webhooks.lost = true;
        world.sim.acknowledge(&user, &ids[0], world.now).unwrap();
        world.run_for(SECOND);
        for twin in &ids[1..] {
            world.sim.resolve(&user, twin, world.now).unwrap();
        }
        world.run_for(MINUTE * 6);
        assert_eq!(status(world, incident), Status::Acknowledged, "{}", world.timeline(incident));
        world.sim.resolve(&user, &ids[0], world.now).unwrap();
        world.run_for(MINUTE * 6);
        assert_eq!(status(world, incident), Status::Resolved);
        assert_eq!(world.unfaithful(), Vec::<String>::new());
    }

    fn s67_a_kill_at_any_step_of_making_them_pages_each_service_once(world) {
        for step in 1..16 {
            let before = world.sim.incidents().count();
            let death = if step % 2 == 0 { Death::Before } else { Death::After };
            let incident = declare(world, &SERVICES);
            world.dies_at = Some((world.steps + step, death));
            world.run_for(MINUTE * 3);
            assert_eq!(world.sim.incidents().count(), before + 3, "killed at step {step}");
            assert_eq!(twins(world, incident).len(), 3, "killed at step {step}");
            world.must(incident, &Command::Resolve);
            world.settle_down();
        }
        assert!(world.deaths > 8, "{} deaths", world.deaths);
        assert_eq!(world.list().len(), 15);
        assert_eq!(world.unfaithful(), Vec::<String>::new());
    }

    fn s67_services_of_two_accounts_go_to_each(world) {
        world.add_account("eu", "http://eu.pagerduty.test");
        let service = world.other().1.services[1].0.clone();
        world.write(|tx| {
            let row = im_store::connectors::find(tx, "eu")?.unwrap();
            let mut config: serde_json::Value = serde_json::from_str(&row.config).unwrap();
            config["custom"]["service_mappings"] = json!({"billing": service});
            im_store::connectors::configure(tx, "eu", &config.to_string(), &row.api_key, row.state)
        });
        let incident = declare(world, &["db", "billing"]);
        world.settle_down();
        assert_eq!(world.sim.incidents().count(), 1);
        assert_eq!(world.other().0.incidents().count(), 1);
        let (user, now) = (world.other().1.users[2].0.clone(), world.now);
        let twin = world.other().0.incidents().next().unwrap().id;
        world.other().0.resolve(&user, &twin, now).unwrap();
        world.settle_down();
        assert_eq!(status(world, incident), Status::Open);
        world.must(incident, &Command::Resolve);
        world.settle_down();
        assert_eq!(world.sim.incidents().next().unwrap().status, "resolved");
    }

    fn s67_a_service_that_is_added_gets_an_incident_of_its_own_and_the_others_stay_as_they_are(world) {
        let incident = declare(world, &["db", "web"]);
        world.settle_down();
        world.must(incident, &Command::Acknowledge);
        world.settle_down();
        let add = |services: &[&str]| Command::AddServices { services: services.iter().map(|name| (*name).to_owned()).collect() };
        world.must(incident, &add(&["web", "payments"]));
        world.settle_down();
        let there = twins(world, incident);
        let told: Vec<_> = there.iter().map(|twin| (twin.status, twin.title.as_str())).collect();
        let title = "Checkout is down";
        assert_eq!(told, [("acknowledged", title), ("acknowledged", title), ("triggered", title)], "its people are paged");
        assert_eq!(status(world, incident), Status::Acknowledged, "somebody has it");
        assert_eq!(world.story(incident).service.as_deref(), Some("db, web, payments"));
        // What is there already is nothing new; what goes to the same service of PagerDuty's pages nobody twice.
        let written = world.writes();
        world.must(incident, &add(&["db", "payments"]));
        world.must(incident, &add(&["elsewhere"]));
        world.settle_down();
        assert_eq!((world.writes(), world.sim.incidents().count()), (written, 3));
        assert_eq!(world.story(incident).service.as_deref(), Some("db, web, elsewhere, payments"));
        world.must(incident, &Command::Resolve);
        world.settle_down();
        assert_eq!(twins(world, incident).iter().map(|twin| twin.status).collect::<Vec<_>>(), ["resolved"; 3]);
        let late = world.act(2, incident, &add(&["search"]), None).unwrap_err().to_string();
        assert!(late.contains("it was resolved at"), "{late}");
        assert_eq!(world.unfaithful(), Vec::<String>::new());
    }

    fn s67_an_incident_of_one_service_does_not_become_one_of_several(world) {
        let incident = declare(world, &["db"]);
        world.settle_down();
        let add = Command::AddServices { services: vec!["web".to_owned()] };
        let refused = world.act(2, incident, &add, None).unwrap_err().to_string();
        assert!(refused.contains("it is about one service"), "{refused}");
        world.settle_down();
        assert_eq!(world.sim.incidents().count(), 1);
    }

    fn m046_mw43_what_a_removed_connector_brought_is_erased_for_good(world) {
        let (whole, _) = declared(world);
        let (theirs, twin) = world.born_there("Theirs");
        world.write_note(theirs, "known here");
        world.settle_down();
        world.remove_connector();
        let kept = world.list().len();
        let now = world.now;
        let erase = |world: &mut World| world.write(move |tx| connector::erase(tx, CONNECTOR, 1, now));
        // Cut off after the first, it goes on; a whole goes with its last part.
        assert_eq!((erase(world).rows, kept), (1, 2));
        assert!(!world.list().is_empty());
        while erase(world).rows > 0 {}
        assert_eq!(world.list(), []);
        let last = world.write(facts::last);
        for gone in [whole, whole.part(1), theirs] {
            assert_eq!(world.write(|tx| Ok(facts::of_incident(tx, gone)?.len())), 0, "{gone}");
        }
        let of_it = world.write(|tx| inbox::list(tx, CONNECTOR, None, 10));
        assert!(of_it.is_empty(), "deliveries");
        assert!(world.write(|tx| connector::was_removed(tx, CONNECTOR)), "late deliveries get 410");
        // Connected again, it begins anew: nothing has an old number, and nobody is paged again.
        world.add_connector_again();
        let written = world.writes();
        world.run_for(MINUTE * 12);
        let again = world.number_of(&twin).expect("it is open there");
        assert!(again > theirs && world.write(facts::last) > last);
        // What we wrote there before is a text as any other.
        assert!(world.notes(again)[0].starts_with("known here"));
        assert_eq!(world.writes(), written);
    }

    fn s67_what_was_only_done_here_stays_here_where_the_connector_says_so(world) {
        resolve_rule(world, "any");
        world.configure(|config| config["custom"]["auto_resolve"] = false.into());
        let (incident, ids) = declared(world);
        let user = world.user(3);
        world.sim.resolve(&user, &ids[0], world.now).unwrap();
        world.settle_down();
        assert_eq!(status(world, incident), Status::Resolved);
        assert_eq!(states(world, &ids), ["resolved", "triggered", "triggered"], "auto_resolve is off");
    }
}
