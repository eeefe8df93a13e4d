//! People, services, webhooks, keys, restarts and disks: the scenarios G01–G15.

use im_core::{Command, IncidentNumber, Kind, Person, Severity, SeveritySource, Status};
use im_engine::key::{self, Key};
use im_engine::{connector, subscription};
use im_pagerduty::{Call, EVENTS, Reply};
use im_store::connectors::State;
use im_store::fault::Fault;
use im_store::incidents::IncidentRow;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{CONNECTOR, World, event};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Every order of a list.
fn orders<T: Clone>(list: &[T]) -> Vec<Vec<T>> {
    let Some((end, shorter)) = list.split_last() else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in orders(shorter) {
        for at in 0..list.len() {
            let mut longer = order.clone();
            longer.insert(at, end.clone());
            all.push(longer);
        }
    }
    all
}

/// The webhooks of one incident, and of a service that is deleted: type, second, status, service.
type Told = (&'static str, i64, &'static str, &'static str);

/// What stands here after the webhooks came in this order, about things of their own.
fn told_in(world: &mut World, round: usize, order: &[Told]) -> String {
    let start = world.now;
    let twin = format!("QGONE{round}");
    for (what, second, status, service) in order {
        let at = start - MINUTE * 10 + SignedDuration::from_secs(*second);
        let service = format!("P{service}{round}");
        let data = match *what {
            "service.deleted" => json!({"type": "service", "id": service, "summary": "Gone"}),
            _ => json!({
                "type": "incident", "id": twin, "title": "On a service", "status": status,
                "created_at": format!("{:.0}", start - MINUTE * 10),
                "service": {"id": service, "type": "service_reference", "summary": "A service"},
            }),
        };
        world.arrive(
            &event(&format!("{twin}-{what}-{second}"), what, at, &data),
            "x",
        );
        world.digest_once();
    }
    let incident = world.number_of(&twin).expect("it is known here");
    let story = world.story(incident);
    let row = world
        .list()
        .into_iter()
        .find(|row| row.number == incident)
        .unwrap();
    assert_eq!(
        (row.status, row.updated_at),
        (story.status, story.updated_at)
    );
    let apart = |at: Timestamp| at.duration_since(start).as_secs();
    format!(
        "{}{} {:?} {} {:?}",
        world.timeline(incident),
        story.status,
        story.resolved_at.map(apart),
        apart(story.updated_at),
        story.peer.map(|peer| peer.status)
    )
}

/// Any order of the webhooks, each of them twice, gives the same; returns it.
fn same_in_any_order(world: &mut World, round: &mut usize, told: &[Told]) -> String {
    let mut seen = std::collections::BTreeMap::new();
    for order in orders(told) {
        let twice = [order.clone(), order].concat();
        *round += 1;
        let end = told_in(world, *round, &twice);
        seen.entry(end).or_insert(twice);
    }
    assert_eq!(seen.len(), 1, "{seen:#?}");
    seen.into_keys().next().unwrap()
}

/// What people see of an incident wherever it is shown.
type Shown = (
    IncidentNumber,
    Status,
    String,
    Option<(Severity, SeveritySource)>,
    Option<String>,
    Vec<Person>,
);

fn shown(row: &IncidentRow) -> Shown {
    let row = row.clone();
    (
        row.number,
        row.status,
        row.title,
        row.severity,
        row.service,
        row.assignees,
    )
}

/// Takes the name of an id out of a document.
fn forget_name(document: &mut Value, id: &str) {
    match document {
        Value::Array(values) => values.iter_mut().for_each(|value| forget_name(value, id)),
        Value::Object(fields) => {
            if fields.get("id").is_some_and(|have| have == id) {
                fields.retain(|key, _| {
                    !["summary", "name", "email", "html_url"].contains(&key.as_str())
                });
            }
            fields.values_mut().for_each(|value| forget_name(value, id));
        }
        _ => {}
    }
}

story! {
    fn g03_any_order_of_the_webhooks_ends_what_was_on_the_deleted_service(world) {
        let mut round = 0;
        let end = same_in_any_order(world, &mut round, &[
            ("incident.triggered", 0, "triggered", "OLD"),
            ("incident.acknowledged", 20, "acknowledged", "OLD"),
            ("service.deleted", 60, "", "OLD"),
        ]);
        assert!(end.contains("its PagerDuty service is gone\nresolved"), "{end}");
        // It had been moved before, whenever that is told.
        let end = same_in_any_order(world, &mut round, &[
            ("incident.triggered", 0, "triggered", "OLD"),
            ("incident.service_updated", 40, "triggered", "NEW"),
            ("service.deleted", 60, "", "OLD"),
            ("incident.acknowledged", 80, "acknowledged", "NEW"),
        ]);
        assert!(!end.contains("gone") && end.contains("\nacknowledged"), "{end}");
        // It was over before: the deletion is nothing that happened to it.
        let end = same_in_any_order(world, &mut round, &[
            ("incident.triggered", 0, "triggered", "OLD"),
            ("incident.resolved", 40, "resolved", "OLD"),
            ("service.deleted", 60, "", "OLD"),
        ]);
        assert!(!end.contains("gone") && end.contains("Some(-560) -560"), "{end}");
        // It was opened again before the deletion.
        let end = same_in_any_order(world, &mut round, &[
            ("incident.triggered", 0, "triggered", "OLD"),
            ("incident.resolved", 20, "resolved", "OLD"),
            ("incident.reopened", 40, "triggered", "OLD"),
            ("service.deleted", 60, "", "OLD"),
        ]);
        assert!(end.contains("its PagerDuty service is gone\nresolved Some(-540)"), "{end}");
    }

    fn g03_an_incident_that_is_first_read_after_the_deletion_ends_too(world) {
        let service = world.account.services[1].clone();
        world.way.lose = Some(|_| true);
        let twin = world.triggered("Nobody told of it");
        world.run_for(MINUTE);
        let data = json!({"type": "service", "id": service.0, "summary": service.1});
        let body = event("GONE", "service.deleted", world.now, &data);
        world.arrive(&body, "gone");
        world.settle_down();
        assert_eq!(world.number_of(&twin), None);
        world.sync();
        let incident = world.number_of(&twin).expect("it is known now");
        let story = world.story(incident);
        assert_eq!(story.status, Status::Resolved, "{}", world.timeline(incident));
        world.sync();
        assert_eq!(world.story(incident).status, Status::Resolved, "PagerDuty's list does not bring it back");
        assert_eq!(world.count(incident, Kind::Resolved), 1);
        let gone = world.write(|tx| im_store::incidents::open_twins(tx, CONNECTOR));
        assert!(gone.is_empty());
    }

    fn g03_the_incidents_of_a_deleted_service_end_with_it(world) {
        let service = world.account.services[1].clone();
        world.sim.set_timeouts(&service.0, None, None);
        let (gone, twin) = world.born_there("On a service that goes");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        let (kept, _) = world.declared("Elsewhere");
        world.must(kept, &Command::Edit { title: None, description: None, severity: None, service: Some("db".to_owned()) });
        world.settle_down();
        let data = json!({"type": "service", "id": service.0, "summary": service.1});
        let body = event("GONE", "service.deleted", world.now, &data);
        // From now on PagerDuty does not know the incident.
        let id = twin.clone();
        world.instead = Some(Box::new(move |call| {
            let asked = matches!(call, Call::ReadIncident { id: of } | Call::IncidentLogEntries { id: of, .. } if *of == id);
            asked.then(|| Reply { status: 404, ..Reply::default() })
        }));
        world.tamper = Some(Box::new(move |call, mut reply| {
            if matches!(call, Call::ListOpenIncidents { .. }) {
                let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
                body["incidents"].as_array_mut().unwrap().retain(|incident| incident["id"] != twin.as_str());
                reply.body = body.to_string().into_bytes();
            }
            reply
        }));
        world.arrive(&body, "gone");
        world.settle_down();
        let story = world.story(gone);
        assert_eq!(story.status, Status::Resolved);
        assert!(world.timeline(gone).contains("its PagerDuty service is gone"));
        assert_eq!(world.story(kept).status, Status::Open);
        world.forget_calls();
        world.run_for(HOUR);
        assert!(world.called("read_incident") <= 2, "no 404 loop: {}", world.called("read_incident"));
        assert!(world.outbox().is_empty());
    }

    fn a_removed_connector_leaves_its_incidents_as_they_were(world) {
        let (ours, twin) = world.declared("Ours");
        let (theirs, _) = world.born_there("Theirs");
        let before = world.list();
        assert!(before.iter().all(|row| row.severity.is_some() && row.service.as_deref() == Some("web")));
        world.remove_connector();
        for row in &before {
            let story = world.story(row.number);
            let folded = (row.number, story.status, story.title, story.severity, story.service, story.assignees);
            assert_eq!(folded, shown(row));
        }
        // What is done from now on stays here, and changes nothing else.
        world.must(ours, &Command::Resolve);
        world.write_note(theirs, "nobody tells PagerDuty");
        world.settle_down();
        let after: Vec<_> = world.list().iter().map(shown).collect();
        let mut wanted: Vec<_> = before.iter().map(shown).collect();
        wanted.iter_mut().filter(|row| row.0 == ours).for_each(|row| row.1 = Status::Resolved);
        assert_eq!(after, wanted, "as they are listed");
        assert!(world.outbox().is_empty());
        assert_eq!(world.there(&twin), "triggered");
        // Added again under its name, it takes its incidents up where they are.
        world.add_connector_again();
        world.settle_down();
        assert_eq!(world.there(&twin), "resolved", "{}", world.timeline(ours));
        assert_eq!(world.notes(theirs), ["nobody tells PagerDuty"]);
        assert!(world.outbox().is_empty());
        assert_eq!(world.list().len(), 2, "each once");
        let user = world.user(2);
        world.sim.reopen(&user, &twin, world.now).unwrap();
        world.settle_down();
        assert_eq!(world.story(ours).status, Status::Open);
    }

    fn two_connectors_on_one_account_show_what_was_made_here_once(world) {
        world.add_second_connector("c0");
        world.run_for(MINUTE);
        // The other one hears of it before the first has its answer.
        world.latency = SignedDuration::from_secs(5);
        let command = Command::Declare {
            title: "Made here".to_owned(),
            severity: Severity::Sev2,
            description: None,
            services: vec!["web".to_owned()],
        };
        let incident = world.declare_by(Some(CONNECTOR), &command);
        world.run_for(SignedDuration::from_secs(1));
        assert_eq!(world.called("create_incident"), 1);
        let first = world.way.attempts.last().cloned().expect("PagerDuty told of it");
        world.arrive_at("c0", &String::from_utf8(first.body).unwrap());
        world.run_for(MINUTE);
        let twin = world.twin(incident);
        let user = world.user(2);
        world.sim.note(&user, &twin, "looking", world.now).unwrap();
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        world.settle_down();
        for body in world.told_about(&twin) {
            world.arrive_at("c0", &body);
        }
        world.run_for(MINUTE * 12);
        let listed: Vec<_> = world.list().into_iter().map(|row| (row.number, row.connector)).collect();
        assert_eq!(listed, [(incident, Some(CONNECTOR.to_owned()))]);
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        let reads = world.called("read_incident");
        world.run_for(MINUTE * 30);
        assert!(world.called("read_incident") <= reads + 1, "it is not read again and again");
        // Whoever made it keeps it, even removed.
        world.remove_connector();
        world.sim.note(&user, &twin, "still looking", world.now).unwrap();
        world.run_for(MINUTE * 12);
        assert_eq!(world.list().len(), 1);
    }

    fn g01_a_user_who_is_gone_stays_in_what_they_did(world) {
        let (incident, twin) = world.born_there("Taken by somebody who left since");
        let gone = world.user(2);
        world.run_for(MINUTE);
        world.sim.acknowledge(&gone, &twin, world.now).unwrap();
        world.sim.note(&gone, &twin, "before I go", world.now).unwrap();
        world.run_for(MINUTE * 6);
        let (told, name) = (world.timeline(incident), world.account.users[2].1.clone());
        assert!(told.contains(&format!("Acknowledged by {name}")), "{told}");
        // From now on PagerDuty lists them nowhere, and has no name for them.
        let id = gone.clone();
        world.tamper = Some(Box::new(move |_, mut reply| {
            if let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) {
                if let Some(users) = body["users"].as_array_mut() {
                    users.retain(|user| user["id"] != id.as_str());
                }
                forget_name(&mut body, &id);
                reply.body = body.to_string().into_bytes();
            }
            reply
        }));
        world.run_for(HOUR * 25);
        let now = world.our_now();
        world.write(|tx| im_engine::request_reread(tx, CONNECTOR, incident, now));
        world.settle_down();
        assert!(world.called("list_users") > 0, "the users were read again");
        let after = world.timeline(incident);
        assert!(after.starts_with(&told), "{after}");
        assert_eq!(world.count(incident, Kind::Acknowledged), 1);
        let kept = world.write(|tx| im_store::people::by_id(tx, CONNECTOR, &gone));
        assert_eq!(kept.and_then(|user| user.name), Some(name), "and the name of the id stays known");
    }

    fn g07_what_the_plan_does_not_allow_is_said_and_the_rest_goes_on(world) {
        let refused = |status: u16, code: u16| Reply {
            status,
            headers: Vec::new(),
            body: json!({"error": {"code": code, "message": "Not for this account", "errors": []}}).to_string().into_bytes(),
        };
        world.instead = Some(Box::new(move |call| match call {
            Call::ListUsers { .. } => Some(refused(402, 2014)),
            Call::ReadSubscription { .. } => Some(refused(403, 2010)),
            _ => None,
        }));
        world.way.lose = Some(|_| true);
        let (here, there) = (world.declare("Here", Severity::Sev2, Some("db")), world.triggered("There"));
        world.run_for(MINUTE * 7);
        let message = world.last_run().message.unwrap();
        assert!(message.contains("the webhook subscription: "), "{message}");
        let found = world.number_of(&there).expect("it is found all the same");
        assert_eq!(world.story(found).status, Status::Open);
        assert!(world.story(here).peer.is_some(), "and ours went out");
        assert_eq!(world.connector().state, State::Active);
        // The users are read once a day.
        world.run_for(HOUR * 25);
        let message = world.last_run().message.unwrap();
        assert!(message.contains("the webhook subscription: ") && message.contains("the users: "), "{message}");
        assert!(world.called("list_users") <= 25 * 13, "no loop: {}", world.called("list_users"));
        let known = world.account.users[3].2.clone();
        assert!(world.write(|tx| im_store::people::by_email(tx, CONNECTOR, &known)).is_some(), "those known stay");
    }

    fn g09_whatever_is_done_to_our_webhook_in_pagerduty_is_said(world) {
        let id = world.sim.subscriptions()[0].id.clone();
        let wrong = |world: &mut World| world.write(|tx| subscription::wrong(tx, CONNECTOR));
        let put = |world: &mut World, change: Value| {
            let body = json!({"webhook_subscription": change}).to_string().into_bytes();
            assert_eq!(world.ask("PUT", &format!("/webhook_subscriptions/{id}"), body).status, 200);
            world.run_for(MINUTE * 6);
        };
        world.run_for(MINUTE * 6);
        assert_eq!(wrong(world), None);
        let service = world.account.services[0].0.clone();
        put(world, json!({"filter": {"type": "service_reference", "id": service}}));
        let said = wrong(world).expect("it hears less");
        assert!(said.contains(&format!("it listens to service {service}, not to the account")), "{said}");
        assert_eq!(world.last_run().message, None, "all was read by REST");
        put(world, json!({"filter": {"type": "account_reference"}}));
        assert_eq!(wrong(world), None, "it is as it was");
        put(world, json!({"events": ["incident.triggered", "incident.acknowledged"]}));
        let left_out = world.write(|tx| subscription::missing(tx, CONNECTOR));
        assert!(left_out.contains(&"incident.resolved"), "{left_out:?}");
        put(world, json!({"events": EVENTS, "active": false}));
        assert_eq!(wrong(world).as_deref(), Some("the webhook subscription is switched off in PagerDuty"));
        assert!(world.write(|tx| subscription::missing(tx, CONNECTOR)).is_empty());
        put(world, json!({"active": true}));
        // Moved to another receiver, which only PagerDuty's pages can do.
        world.tamper = Some(Box::new(|call, mut reply| {
            if matches!(call, Call::ReadSubscription { .. }) {
                let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
                body["webhook_subscription"]["delivery_method"]["url"] = json!("https://elsewhere.example");
                reply.body = body.to_string().into_bytes();
            }
            reply
        }));
        world.run_for(MINUTE * 6);
        let said = wrong(world).expect("it goes elsewhere");
        assert!(said.contains("it delivers to https://elsewhere.example, not to https://im.test/"), "{said}");
        world.tamper = None;
        // Deleted: said for as long as there is no other, and what happens is found by repair.
        assert_eq!(world.ask("DELETE", &format!("/webhook_subscriptions/{id}"), Vec::new()).status, 204);
        let twin = world.triggered("Nobody tells of it");
        world.run_for(MINUTE * 12);
        let said = wrong(world);
        assert_eq!(said.as_deref(), Some("the webhook subscription was deleted in PagerDuty"));
        assert!(subscription::was_deleted(said.as_deref()));
        assert!(world.number_of(&twin).is_some());
    }

    fn m039_an_edit_is_seen_within_an_hour_however_rare_comparisons_are(world) {
        world.configure(|config| config["sync_interval"] = json!("24h"));
        world.run_for(HOUR * 25);
        let id = world.sim.subscriptions()[0].id.clone();
        world.forget_calls();
        let service = world.account.services[0].0.clone();
        let filter = json!({"webhook_subscription": {"filter": {"type": "service_reference", "id": service}}});
        let path = format!("/webhook_subscriptions/{id}");
        assert_eq!(world.ask("PUT", &path, filter.to_string().into_bytes()).status, 200);
        let before = world.connector().last_sync_at;
        world.run_for(HOUR + MINUTE);
        assert!(world.write(|tx| subscription::wrong(tx, CONNECTOR)).is_some());
        assert_eq!(world.called("list_log_entries"), 0, "a look compares nothing");
        assert_eq!(world.connector().last_sync_at, before, "and says so");
        world.run_for(HOUR * 24);
        assert!(world.connector().last_sync_at > before, "comparisons go on");
        assert!(world.called("read_subscription") <= 27, "{}", world.called("read_subscription"));
        // Switched off: what is missed is read at once.
        let off = json!({"webhook_subscription": {"active": false}});
        assert_eq!(world.ask("PUT", &path, off.to_string().into_bytes()).status, 200);
        let twin = world.triggered("Nobody tells of it");
        world.run_for(HOUR + MINUTE);
        assert!(world.number_of(&twin).is_some());
        // While it stays off, comparisons are as rare as ever.
        let compared = world.connector().last_sync_at;
        world.run_for(HOUR * 5);
        assert_eq!(world.connector().last_sync_at, compared);
    }

    fn m039_what_was_never_compared_is_compared_once_it_can_be(world) {
        world.configure(|config| config["sync_interval"] = json!("24h"));
        world.write(|tx| tx.execute("UPDATE connector SET last_sync_at = NULL", im_store::params![]).map(drop));
        world.run_for(HOUR + MINUTE * 2);
        assert!(world.connector().last_sync_at.is_some(), "looks do not put it off");
    }

    fn g10_a_revoked_key_leaves_the_webhooks_and_says_so(world) {
        let (incident, twin) = world.born_there("Watched");
        let key = world.account.api_key.clone();
        world.use_key("revoked0000000000000");
        world.forget_calls();
        world.run_for(HOUR);
        let row = world.connector();
        assert_eq!(row.state, State::AuthFailed);
        assert!(row.state_reason.is_some_and(|why| why.contains("401")));
        assert!(world.calls.len() <= 30, "a refused key is not tried over and over: {}", world.calls.len());
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        let born = world.triggered("Born while the key is dead");
        world.settle_down();
        assert_eq!(world.story(incident).status, Status::Acknowledged, "webhooks go on");
        let other = world.number_of(&born).unwrap();
        world.act(3, incident, &Command::Resolve, None).unwrap();
        let declared = world.declare("Cannot leave", Severity::Sev1, None);
        world.run_for(MINUTE * 30);
        assert_eq!(world.story(incident).status, Status::Resolved, "people here go on, too");
        assert!(world.outbox().iter().all(|row| !row.parked), "what is owed waits");
        assert_eq!(world.outbox().len(), 2);
        world.use_key(&key);
        world.run_for(MINUTE * 10);
        assert_eq!(world.connector().state, State::Active);
        assert!(world.outbox().is_empty(), "{:?}", world.outbox());
        assert_eq!(world.there(&twin), "resolved");
        assert_eq!(world.story(other).status, Status::Open);
        assert!(world.story(declared).peer.is_some());
    }

    fn m028_m029_without_its_key_a_connector_lives_by_webhooks_for_a_week_and_longer(world) {
        let key = world.account.api_key.clone();
        world.born_there("Told by a webhook");
        world.run_for(HOUR);
        let state = |world: &mut World| {
            let now = world.our_now();
            world.write(|tx| {
                let connector = connector::load(tx, CONNECTOR)?.unwrap();
                key::state(tx, &connector, now)
            })
        };
        assert!(matches!(state(world), Key::Needed { .. }), "what is done here is sent with it");
        world.configure(|config| config["sync_direction"] = json!("inbound"));
        assert!(matches!(state(world), Key::Needed { .. }), "what the settings let in has to be read");
        world.run_for(HOUR + MINUTE);
        assert_eq!(state(world), Key::SafeToRevoke);
        // Revoked at PagerDuty before it is forgotten here, it is as safe.
        world.use_key("revoked0000000000000");
        world.run_for(HOUR);
        assert_eq!(world.connector().state, State::AuthFailed);
        assert_eq!(state(world), Key::SafeToRevoke);
        let now = world.our_now();
        world.write(|tx| {
            let connector = connector::load(tx, CONNECTOR)?.unwrap();
            key::discard(tx, &connector, now)
        });
        assert_eq!(state(world), Key::Discarded);
        let (asked, user) = (world.asked.len(), world.user(2));
        for day in 0..8 {
            let (incident, twin) = world.born_there(&format!("Day {day}"));
            world.sim.acknowledge(&user, &twin, world.now).unwrap();
            world.run_for(HOUR * 3);
            world.crash();
            world.sim.note(&user, &twin, "by hand", world.now).unwrap();
            world.sim.resolve(&user, &twin, world.now).unwrap();
            world.run_for(HOUR * 21);
            let story = world.story(incident);
            assert_eq!(story.status, Status::Resolved);
            assert!(story.acknowledged_at.is_some() && story.resolved_at.is_some(), "what metrics are made of");
            assert_eq!(world.notes(incident), ["by hand"]);
        }
        assert_eq!(world.asked.len(), asked, "PagerDuty is not called");
        assert_eq!(world.connector().state, State::Active);
        // With a key again, it is compared again.
        world.use_key(&key);
        world.run_for(HOUR);
        assert!(world.asked.len() > asked);
    }

    fn g14_a_restart_in_a_storm_loses_nothing_and_doubles_nothing(world) {
        let user = world.user(2);
        let mut there = Vec::new();
        let mut here = Vec::new();
        for number in 0..60 {
            let twin = world.triggered(&format!("There {number}"));
            here.push(world.declare(&format!("Here {number}"), Severity::Sev2, Some("db")));
            if number % 2 == 0 {
                world.sim.acknowledge(&user, &twin, world.now).unwrap();
            }
            there.push(twin);
            world.run_for(SignedDuration::from_millis(70));
            if number % 7 == 3 {
                world.crash();
            }
        }
        world.run_for(MINUTE * 6);
        assert_eq!(world.sim.incidents().count(), 120, "each of ours exists once");
        assert_eq!(world.list().len(), 120);
        for incident in here {
            world.must(incident, &Command::Resolve);
            if incident.get() % 9 == 0 {
                world.run_for(SignedDuration::from_millis(30));
                world.crash();
            }
        }
        world.run_for(MINUTE * 6);
        assert!(world.outbox().is_empty(), "{:?}", world.outbox());
        assert_eq!(world.sim.incidents().filter(|view| view.status == "resolved").count(), 60);
        for (number, twin) in there.iter().enumerate() {
            let incident = world.number_of(twin).unwrap();
            assert_eq!(world.count(incident, Kind::Triggered), 1);
            assert_eq!(world.count(incident, Kind::Acknowledged), usize::from(number % 2 == 0));
        }
        assert_eq!(world.events("waiting"), 0);
    }

    fn g15_a_full_disk_answers_503_and_recovers_by_itself(world) {
        world.mortal = true;
        let (incident, twin) = world.born_there("Disk full");
        let user = world.user(2);
        world.sim.acknowledge(&user, &twin, world.now).unwrap();
        let tried = world.way.attempts.len();
        for _ in 0..3 {
            world.faults.fail_statement(1, Fault::Full);
            world.deliver();
            assert!(!world.faults.disarm(), "the disk was full when the webhook came");
            assert_eq!(world.events("waiting"), 0, "what was not stored was not acknowledged");
            world.now += MINUTE;
        }
        assert_eq!(world.way.attempts.len(), tried + 3, "PagerDuty comes again");
        world.run_for(MINUTE * 5);
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        assert_eq!(world.count(incident, Kind::Acknowledged), 1);
        let dropped: u64 = world.sim.subscriptions().iter().map(|view| view.dropped).sum();
        assert_eq!(dropped, 0);
        // Understanding fails, too: nothing is lost, and nobody is asked to send again.
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.deliver();
        world.faults.fail_commit(Fault::Full);
        assert_eq!(world.digest_once(), None);
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        world.run_for(MINUTE);
        assert_eq!(world.story(incident).status, Status::Resolved);
    }
}
