//! PagerDuty's people and things with their history: MW-02, MW-03, MW-04, MW-26.

use im_core::Severity;
use im_engine::directory::reading;
use im_pagerduty::{Call, Reply};
use im_store::directory::{self, DirectoryRow, Kind};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{CONNECTOR, World, event};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn all(world: &mut World, kind: Kind) -> Vec<DirectoryRow> {
    world.write(|tx| directory::of_kind(tx, kind))
}

fn versions(world: &mut World, kind: Kind, id: &str) -> Vec<DirectoryRow> {
    world.write(|tx| directory::versions(tx, kind, id))
}

fn names(rows: &[DirectoryRow]) -> Vec<&str> {
    let names = rows.iter().filter(|row| row.until.is_none());
    let mut names: Vec<&str> = names.filter_map(|row| row.name.as_deref()).collect();
    names.sort_unstable();
    names
}

/// Changes something in PagerDuty, as an administrator does there.
fn change(world: &mut World, method: &str, path: &str, body: &Value) {
    let reply = world.ask(method, path, body.to_string().into_bytes());
    assert!(
        (200..300).contains(&reply.status),
        "{path}: {}",
        reply.status
    );
}

fn team(world: &mut World, name: &str) -> String {
    let teams = all(world, Kind::Team);
    let found = teams.iter().find(|team| team.name.as_deref() == Some(name));
    found.unwrap().id.clone()
}

fn refused() -> Reply {
    Reply {
        status: 402,
        headers: Vec::new(),
        body: json!({"error": {"code": 2014, "message": "Missing Account Ability", "errors": []}})
            .to_string()
            .into_bytes(),
    }
}

story! {
    fn mw02_mw03_mw04_mw26_the_account_is_known_from_the_first_repair_on(world) {
        let services = all(world, Kind::Service);
        let told: Vec<String> = world.account.services.iter().map(|(_, name, _)| name.clone()).collect();
        assert_eq!(services.len(), told.len());
        assert!(told.iter().all(|name| names(&services).contains(&name.as_str())), "{services:?}");
        let policies = all(world, Kind::Policy);
        let teams = all(world, Kind::Team);
        assert_eq!(names(&teams), ["Platform", "Shop"]);
        for service in &services {
            assert_eq!(service.state.as_deref(), Some("active"));
            assert!(policies.iter().any(|policy| Some(&policy.id) == service.about.policy.as_ref()), "{service:?}");
            assert_eq!(service.about.acknowledgement_timeout_s, Some(1_800));
        }
        let of_team = services.iter().find(|service| !service.about.teams.is_empty()).unwrap();
        assert!(teams.iter().any(|team| of_team.about.teams.contains(&team.id)));
        let users = all(world, Kind::User);
        assert_eq!(users.len(), world.account.users.len());
        assert!(users.iter().all(|user| user.about.time_zone.as_deref() == Some("Europe/Berlin")));
        assert!(users.iter().all(|user| user.about.teams.len() == 1), "{users:?}");
        assert_eq!(names(&all(world, Kind::Schedule)), ["Billing second line", "Billing weekly"]);
        let mut priorities = all(world, Kind::Priority);
        priorities.sort_by_key(|priority| priority.about.rank);
        let ranked: Vec<_> = priorities.iter().filter_map(|one| one.name.clone()).collect();
        let told: Vec<_> = world.account.priorities.iter().map(|(_, name)| name.clone()).collect();
        assert_eq!(ranked, told);
        // What is as it was makes no history, however often it is read.
        let last = world.write(directory::last);
        world.forget_calls();
        world.run_for(HOUR * 4);
        assert_eq!(world.called("list_services"), 3, "with the first repair after an hour");
        assert_eq!(world.write(directory::last), last);
    }

    fn mw02_a_renamed_service_keeps_its_history_and_a_deleted_one_its_name(world) {
        let (id, name, _) = world.account.services[0].clone();
        let path = format!("/services/{id}");
        change(world, "PUT", &path, &json!({"service": {"type": "service", "name": "Renamed"}}));
        world.settle_down();
        let known = versions(world, Kind::Service, &id);
        assert_eq!(known.len(), 2, "a webhook tells it at once: {known:?}");
        assert_eq!((known[0].name.as_deref(), known[1].name.as_deref()), (Some(name.as_str()), Some("Renamed")));
        assert_eq!(known[0].until, Some(known[1].since));
        assert_eq!(known[0].about, known[1].about, "the rest is as it was");
        world.run_for(MINUTE * 6);
        assert_eq!(versions(world, Kind::Service, &id).len(), 2, "the list tells nothing else");
        let before = world.now;
        change(world, "DELETE", &path, &json!({}));
        world.settle_down();
        let known = versions(world, Kind::Service, &id);
        assert_eq!((known.len(), known[1].name.as_deref()), (2, Some("Renamed")));
        let gone = known[1].until.unwrap();
        assert!(gone >= before && gone <= world.now, "{gone}");
        world.run_for(HOUR * 3);
        assert_eq!(versions(world, Kind::Service, &id), known, "and it stays gone");
    }

    fn g02_a_renamed_service_stays_the_one_that_is_mapped(world) {
        let id = world.account.services[1].0.clone();
        let path = format!("/services/{id}");
        change(world, "PUT", &path, &json!({"service": {"type": "service", "name": "Renamed"}}));
        world.settle_down();
        let incident = world.declare("Declared", Severity::Sev2, Some("web"));
        world.settle_down();
        let twin = world.twin(incident);
        assert_eq!(world.sim.incident(&twin).unwrap().service, id, "it is still the one");
        let there = world.sim.trigger(&id, "Born there", world.now).unwrap();
        world.settle_down();
        let born = world.number_of(&there).unwrap();
        for incident in [incident, born] {
            let story = world.story(incident);
            assert_eq!(story.service.as_deref(), Some("web"), "our name for it");
            assert_eq!(story.peer.unwrap().service.unwrap().name.as_deref(), Some("Renamed"));
        }
    }

    fn g05_another_address_makes_nobody_somebody_else(world) {
        let (incident, twin) = world.born_there("Whose");
        let (one, other) = (world.account.users[3].clone(), world.account.users[4].clone());
        world.sim.reassign(&one.0, &twin, &one.0, world.now).unwrap();
        world.settle_down();
        // The second takes the address that was the first one's.
        for (id, email) in [(&one.0, "married@example.com"), (&other.0, one.2.as_str())] {
            let body = json!({"user": {"type": "user", "email": email}});
            change(world, "PUT", &format!("/users/{id}"), &body);
            world.run_for(MINUTE * 6);
        }
        world.sim.acknowledge(&other.0, &twin, world.now).unwrap();
        world.settle_down();
        let story = world.story(incident);
        assert_eq!(story.assignees.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [one.0.as_str()]);
        assert_eq!(story.acknowledgement.unwrap().by.as_deref(), Some(other.1.as_str()), "by the id, not by the address");
    }

    fn mw02_what_is_heard_late_changes_nothing_that_is_known_of_later(world) {
        let (id, name, _) = world.account.services[0].clone();
        let told = |at, name: &str| event(name, "service.updated", at, &json!({"type": "service", "id": id, "summary": name}));
        let (early, late) = (world.now - HOUR, world.now + MINUTE);
        world.arrive(&told(early, "Older than the list"), "early");
        world.settle_down();
        assert_eq!(versions(world, Kind::Service, &id).len(), 1);
        world.run_for(MINUTE * 2);
        world.arrive(&event("GONE", "service.deleted", late, &json!({"type": "service", "id": id, "summary": name})), "gone");
        world.arrive(&told(late - SignedDuration::from_secs(30), "Before its end"), "before");
        world.settle_down();
        let known = versions(world, Kind::Service, &id);
        assert_eq!((known.len(), known[0].until), (1, Some(late)), "{known:?}");
    }

    fn what_nobody_signed_or_nobody_knows_renames_no_service(world) {
        let (id, name, _) = world.account.services[0].clone();
        let told = |what: &str, at, name: &str| event(what, what, at, &json!({"type": "service", "id": id, "summary": name}));
        let before = versions(world, Kind::Service, &id);
        assert_eq!((before.len(), before[0].name.as_deref()), (1, Some(name.as_str())));
        world.way.unverified = true;
        for what in ["service.updated", "service.created", "service.deleted"] {
            world.arrive(&told(what, world.now, "Forged"), what);
        }
        world.settle_down();
        assert_eq!(versions(world, Kind::Service, &id), before);
        world.way.unverified = false;
        world.arrive(&told("service.admired", world.now, "Admired"), "admired");
        world.settle_down();
        assert_eq!(versions(world, Kind::Service, &id), before);
        assert_eq!(world.events("done"), 4);
    }

    fn mw03_mw04_who_moves_is_known_in_the_old_place_and_the_new(world) {
        let user = world.user(0);
        let (shop, platform) = (team(world, "Shop"), team(world, "Platform"));
        let first = versions(world, Kind::User, &user);
        assert_eq!(first[0].about.teams, std::slice::from_ref(&shop));
        change(world, "DELETE", &format!("/teams/{shop}/users/{user}"), &json!({}));
        change(world, "PUT", &format!("/teams/{platform}/users/{user}"), &json!({"role": "responder"}));
        change(world, "PUT", &format!("/users/{user}"), &json!({"user": {"type": "user", "time_zone": "Pacific/Auckland"}}));
        change(world, "PUT", &format!("/teams/{platform}"), &json!({"team": {"type": "team", "name": "Foundation"}}));
        world.run_for(HOUR + MINUTE * 6);
        let known = versions(world, Kind::User, &user);
        assert_eq!(known.len(), 2, "{known:?}");
        assert_eq!((&known[0].about, known[0].until), (&first[0].about, Some(known[1].since)));
        assert_eq!(known[1].about.teams, std::slice::from_ref(&platform));
        assert_eq!(known[1].about.time_zone.as_deref(), Some("Pacific/Auckland"));
        let renamed = versions(world, Kind::Team, &platform);
        assert_eq!(renamed[1].name.as_deref(), Some("Foundation"));
        assert_eq!(renamed.len(), 2);
    }

    fn mw04_whoever_two_lists_in_a_row_lack_is_gone_and_one_list_proves_nothing(world) {
        let user = world.user(4);
        let id = user.clone();
        let without: fn(&Call) -> bool = |call| matches!(call, Call::ListUsers { .. });
        let lose = move |call: &Call, mut reply: Reply| {
            if without(call) {
                let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
                body["users"].as_array_mut().unwrap().retain(|user| user["id"] != id.as_str());
                reply.body = body.to_string().into_bytes();
            }
            reply
        };
        world.tamper = Some(Box::new(lose.clone()));
        world.sync();
        world.tamper = None;
        world.sync();
        let known = versions(world, Kind::User, &user);
        assert_eq!((known.len(), known[0].until), (1, None), "others may have moved up between two pages");
        world.tamper = Some(Box::new(lose));
        let before = world.now;
        world.sync();
        let missed = world.now;
        world.sync();
        let known = versions(world, Kind::User, &user);
        let gone = known[0].until.expect("it is gone");
        assert!(gone >= before && gone <= missed, "since it was missed first: {gone}");
        world.tamper = None;
        world.sync();
        let known = versions(world, Kind::User, &user);
        assert_eq!((known.len(), known[1].until), (2, None), "and whoever comes back is there again");
    }

    fn mw03_what_the_plan_does_not_have_is_a_notice_and_loses_nothing(world) {
        let teams = all(world, Kind::Team);
        world.instead = Some(Box::new(|call| matches!(call, Call::ListTeams { .. }).then(refused)));
        for _ in 0..3 {
            world.sync();
        }
        assert_eq!(world.last_run().message, None, "incidents do not need teams");
        let notices = world.write(|tx| reading(tx, CONNECTOR)).notices;
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(notices[0].starts_with("the teams: Missing Account Ability"), "{notices:?}");
        assert_eq!(all(world, Kind::Team), teams);
        assert_eq!(world.called("list_priorities"), 3, "what comes after is read");
        world.instead = None;
        world.sync();
        assert_eq!(world.write(|tx| reading(tx, CONNECTOR)).notices, Vec::<String>::new());
    }

    fn mw22_without_teams_and_priorities_incidents_go_on_and_what_is_missing_is_said(world) {
        world.instead = Some(Box::new(|call| {
            matches!(call, Call::ListTeams { .. } | Call::ListPriorities { .. }).then(refused)
        }));
        world.sync();
        let (theirs, twin) = world.born_there("Theirs");
        let (ours, made) = world.declared("Ours");
        world.run_for(HOUR * 2);
        world.must(ours, &im_core::Command::Resolve);
        let user = world.user(2);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sync();
        assert_eq!(world.there(&made), "resolved");
        assert_eq!(world.story(theirs).status, im_core::Status::Resolved);
        assert_eq!(world.last_run().message, None);
        assert_eq!(world.connector().state, im_store::connectors::State::Active);
        let notices = world.write(|tx| reading(tx, CONNECTOR)).notices;
        assert_eq!(notices.len(), 2, "{notices:?}");
        let about = |what: &str| notices.iter().any(|notice| notice.starts_with(what));
        assert!(about("the teams: Missing Account Ability"), "{notices:?}");
        assert!(about("the priorities: Missing Account Ability"), "{notices:?}");
    }

    fn mw02_a_removed_connectors_directory_stays_and_is_taken_up_again(world) {
        let before = all(world, Kind::Service);
        world.remove_connector();
        world.run_for(MINUTE);
        assert_eq!(all(world, Kind::Service), before, "its incidents still name them");
        world.forget_calls();
        world.add_connector_again();
        world.run_for(MINUTE);
        assert_eq!(world.called("list_services"), 1, "it reads for itself");
        assert_eq!(all(world, Kind::Service), before, "and finds what is known");
    }
}
