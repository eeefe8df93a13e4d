//! A change of the settings: what was stays, and what is owed now is sent.

use im_core::{Command, Kind, Severity, Status};
use jiff::SignedDuration;
use serde_json::json;

use crate::world::{ATTACHED_AT_ONCE, World};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn direct(world: &mut World, direction: &'static str) {
    world.configure(|config| config["sync_direction"] = json!(direction));
}

fn set(world: &mut World, name: &'static str, value: bool) {
    world.configure(|config| config["custom"][name] = json!(value));
}

story! {
    fn i081_of_several_names_for_one_service_the_first_is_shown_for_what_begins_there(world) {
        let service = world.account.services[1].0.clone();
        world.configure(move |config| {
            config["custom"]["service_mappings"] = json!({"shop": service, "cart": service, "payments": service});
        });
        world.settle_down();
        let (incident, _) = world.born_there("Born there");
        assert_eq!(world.story(incident).service.as_deref(), Some("cart"));
        for name in ["shop", "cart"] {
            let services = vec![name.to_owned()];
            let title = "Declared".to_owned();
            let command = Command::Declare { title, severity: Severity::Sev2, description: None, services };
            let incident = world.declare_by(None, &command);
            world.settle_down();
            assert_eq!(world.story(incident).service.as_deref(), Some(name), "what we say stays");
        }
    }

    fn i065_i082_i124_a_new_incident_pages_by_the_policy_of_its_service_and_severity(world) {
        let [shop, awake, turns] = [0, 2, 3].map(|at| world.account.policies[at].0.clone());
        let page_by = |world: &mut World, severity, services: &[&str]| {
            let services = services.iter().map(|name| (*name).to_owned()).collect();
            let title = "By whom?".to_owned();
            let command = Command::Declare { title, severity, description: None, services };
            let incident = world.declare_by(None, &command);
            world.settle_down();
            let newest = world.sim.incidents().max_by_key(|one| one.number).unwrap();
            assert!(!newest.assignees.is_empty(), "its people have it");
            (incident, newest.policy)
        };
        let own = page_by(world, Severity::Sev1, &["db"]).1;
        let (first, second, third) = (shop.clone(), awake.clone(), turns.clone());
        world.configure(move |config| {
            config["custom"]["escalation_policy_id"] = json!(first);
            config["custom"]["escalation_mappings"] = json!({"db": second, "db/SEV-1": third, "SEV-2": second});
        });
        world.settle_down();
        for (severity, service, policy) in [
            (Severity::Sev1, "db", &turns),
            (Severity::Sev3, "db", &awake),
            (Severity::Sev2, "web", &awake),
            (Severity::Sev1, "web", &shop),
        ] {
            assert_eq!(page_by(world, severity, &[service]).1, *policy, "{severity} {service}");
        }
        // Each of several services pages by what is said for it, or by its own.
        page_by(world, Severity::Sev2, &["web", "db"]);
        let twins: Vec<_> = world.sim.incidents().collect();
        let newest = |service: &str| {
            let of_it = twins.iter().filter(|twin| twin.service == service);
            of_it.max_by_key(|twin| twin.number).unwrap().policy.clone()
        };
        assert_eq!(newest(&world.account.services[2].0), awake);
        let web = newest(&world.account.services[1].0);
        assert!(web == shop && web != own, "the service's own: {web}");
    }

    fn a_resolve_that_was_kept_here_stays_and_is_sent_when_resolves_cross(world) {
        for (sync_notes, end, ended) in [(true, Command::Resolve, Status::Resolved), (false, Command::Resolve, Status::Resolved), (true, Command::Close, Status::Closed)] {
            set(world, "auto_resolve", false);
            set(world, "sync_notes", sync_notes);
            let (incident, twin) = world.declared("Kept");
            world.must(incident, &end);
            world.run_for(MINUTE * 7);
            assert_eq!(world.there(&twin), "triggered");
            let notes = world.sim.incident(&twin).unwrap().notes;
            assert!(notes.len() <= 2, "one word, and that of a close: {notes:?}");
            assert!(world.story(incident).pending.is_empty());
            set(world, "auto_resolve", true);
            assert_eq!(world.story(incident).status, ended, "{}", world.timeline(incident));
            assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
            let owed: Vec<&str> = world.outbox().iter().map(|row| row.effect.name()).collect();
            assert_eq!(owed, ["resolve"], "it can be seen what will be sent");
            world.run_for(MINUTE * 7);
            assert_eq!(world.there(&twin), "resolved");
            assert_eq!(world.story(incident).status, ended);
            assert_eq!(world.count(incident, Kind::Reopened), 0, "{}", world.timeline(incident));
            assert_eq!(world.sim.incident(&twin).unwrap().notes.len(), notes.len());
            assert!(world.outbox().is_empty() && world.story(incident).kept.is_empty());
        }
    }

    fn more_incidents_than_anybody_waits_for_follow_new_settings_too(world) {
        let count = ATTACHED_AT_ONCE + 60;
        let service = world.account.services[1].0.clone();
        for number in 0..count {
            world.sim.trigger(&service, &format!("Alert {number}"), world.now).unwrap();
            world.run_for(MINUTE);
        }
        world.settle_down();
        let named = |world: &mut World, name: &str| {
            let rows = world.list();
            rows.iter().filter(|row| row.service.as_deref() == Some(name)).count()
        };
        let all = usize::try_from(count).unwrap();
        assert_eq!(named(world, "web"), all);
        world.configure(|config| {
            let id = config["custom"]["service_mappings"]["web"].clone();
            config["custom"]["service_mappings"] = json!({"shop": id});
        });
        assert!(named(world, "shop") < all, "nobody waits for all of them");
        world.crash();
        world.run_for(MINUTE);
        assert_eq!(named(world, "shop"), all);
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
    }

    fn what_a_receiving_connector_kept_here_stays_and_is_sent_when_it_sends(world) {
        let (incident, twin) = world.born_there("Taken here");
        let (ended, other) = world.born_there("Ended here");
        direct(world, "inbound");
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.act(2, ended, &Command::Resolve, Some("It was the disk")).unwrap();
        world.run_for(MINUTE * 7);
        assert_eq!((world.there(&twin), world.there(&other)), ("triggered".to_owned(), "triggered".to_owned()));
        assert!(world.story(incident).pending.is_empty());
        direct(world, "bidirectional");
        assert_eq!(world.story(incident).status, Status::Acknowledged, "{}", world.timeline(incident));
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
        world.run_for(MINUTE * 7);
        assert_eq!((world.there(&twin), world.there(&other)), ("acknowledged".to_owned(), "resolved".to_owned()));
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        assert_eq!(world.story(ended).status, Status::Resolved);
        assert!(world.sim.incident(&other).unwrap().notes.is_empty(), "a note is of its time");
        assert!(world.outbox().is_empty());
    }

    fn what_pagerduty_did_to_what_was_kept_here_is_not_undone(world) {
        let (incident, twin) = world.born_there("Taken on both sides");
        let (released, other) = world.born_there("Released there");
        direct(world, "inbound");
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.act(2, released, &Command::Acknowledge, None).unwrap();
        let user = world.user(3);
        world.run_for(MINUTE);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sim.acknowledge(&user, &other, world.now).unwrap();
        world.run_for(MINUTE);
        world.sim.unacknowledge(&user, &other, world.now).unwrap();
        world.run_for(MINUTE * 7);
        direct(world, "bidirectional");
        let written = world.writes();
        world.run_for(MINUTE * 7);
        assert_eq!(world.story(incident).status, Status::Resolved);
        assert_eq!(world.there(&twin), "resolved");
        assert_eq!(world.story(released).status, Status::Open);
        assert_eq!(world.writes(), written, "nothing is owed: {:?}", world.asked.last().map(|asked| &asked.call));
    }

    fn what_was_kept_here_for_more_than_a_day_is_a_persons_decision(world) {
        for (service, ..) in world.account.services.clone() {
            world.sim.set_timeouts(&service, None, None);
        }
        let (incident, twin) = world.born_there("Old news");
        direct(world, "inbound");
        world.act(2, incident, &Command::Acknowledge, None).unwrap();
        world.run_for(HOUR * 25);
        direct(world, "bidirectional");
        world.run_for(MINUTE * 7);
        assert_eq!(world.there(&twin), "triggered");
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        let rows = world.outbox();
        assert!(rows.len() == 1 && rows[0].parked, "{rows:?}");
        let now = world.our_now();
        let id = rows[0].id;
        let discarded: Result<(), im_engine::commands::CommandError> =
            world.db.write(|tx| im_engine::commands::discard(tx, crate::world::CONNECTOR, id, now));
        discarded.unwrap();
        world.run_for(MINUTE * 7);
        assert!(world.outbox().is_empty(), "given up once and for all: {:?}", world.outbox());
        assert!(world.timeline(incident).contains("discarded by a person"));
    }

    fn what_was_heard_stays_when_nothing_is_heard_any_more(world) {
        let (incident, twin) = world.declared("Heard");
        let (renamed, named) = world.declared("Before");
        let user = world.user(3);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sim.rename(&user, &named, "After", world.now).unwrap();
        world.sync();
        assert_eq!(world.story(renamed).title, "After");
        direct(world, "outbound");
        assert_eq!(world.story(incident).status, Status::Resolved, "{}", world.timeline(incident));
        assert_eq!(world.story(renamed).title, "After");
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
        world.write_note(renamed, "Anything that is recorded");
        world.run_for(MINUTE * 7);
        assert_eq!(world.story(renamed).title, "After");
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
    }

    fn what_was_only_looked_at_counts_from_the_day_on_which_it_may_come_here(world) {
        direct(world, "outbound");
        let (resolved, twin) = world.declared("Resolved there");
        let (renamed, named) = world.declared("Renamed here");
        let user = world.user(3);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.sim.rename(&user, &named, "Renamed there", world.now).unwrap();
        world.settle_down();
        // Each makes us look: the acknowledgement of what is resolved there is not sent.
        world.act(2, resolved, &Command::Acknowledge, None).unwrap();
        world.act(2, renamed, &Command::Acknowledge, None).unwrap();
        world.run_for(HOUR * 30);
        assert_eq!(world.there(&twin), "resolved");
        let before = (world.story(resolved), world.story(renamed));
        assert_eq!((before.0.status, before.1.title.as_str()), (Status::Acknowledged, "Renamed here"));
        let now = world.our_now();
        world.write(|tx| im_engine::request_reread(tx, crate::world::CONNECTOR, resolved, now));
        world.settle_down();
        assert_eq!(world.story(resolved).status, Status::Acknowledged, "{}", world.timeline(resolved));
        direct(world, "bidirectional");
        assert_eq!(world.story(resolved).status, Status::Acknowledged, "nothing was heard yet");
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
        world.run_for(MINUTE * 7);
        assert_eq!(world.story(resolved).status, Status::Resolved, "{}", world.timeline(resolved));
        assert_eq!(world.count(resolved, Kind::Resolved), 1, "{}", world.timeline(resolved));
        assert_eq!(world.story(renamed).title, "Renamed there");
        assert!(world.outbox().is_empty());
    }

    fn notes_that_do_not_cross_cross_in_neither_direction(world) {
        let (incident, twin) = world.declared("Quiet");
        let (told, other) = world.born_there("Told before");
        let user = world.user(3);
        world.sim.note(&user, &other, "While notes crossed", world.now).unwrap();
        world.settle_down();
        set(world, "sync_notes", false);
        world.sim.note(&user, &twin, "Theirs", world.now).unwrap();
        world.write_note(incident, "Ours");
        world.run_for(MINUTE * 12);
        assert_eq!(world.notes(incident), ["Ours"]);
        assert_eq!(world.sim.incident(&twin).unwrap().notes, ["Theirs"]);
        assert_eq!(world.notes(told), ["While notes crossed"], "what was heard stays");
        set(world, "sync_notes", true);
        world.run_for(MINUTE * 12);
        assert_eq!(world.sim.incident(&twin).unwrap().notes, ["Theirs"], "old notes are not sent afterwards");
        world.sim.note(&user, &twin, "From now on", world.now).unwrap();
        world.settle_down();
        assert_eq!(world.notes(incident), ["Ours", "From now on"]);
    }

    fn what_is_said_of_an_end_stays_there_where_notes_do_not_cross(world) {
        let (loud, quiet) = (world.born_there("Loud"), world.born_there("Quiet"));
        let (source, merged) = world.born_there("Merged");
        let (_, into) = world.born_there("Into");
        let resolve = |world: &mut World, twin: &str| {
            let body = json!({"incident": {"type": "incident_reference", "status": "resolved", "resolution": "Rolled back"}});
            let reply = world.ask("PUT", &format!("/incidents/{twin}"), body.to_string().into_bytes());
            assert_eq!(reply.status, 200);
            world.sync();
        };
        resolve(world, &loud.1);
        assert!(world.timeline(loud.0).contains(": Rolled back"), "{}", world.timeline(loud.0));
        set(world, "sync_notes", false);
        let user = world.user(3);
        world.sim.merge(&user, &into, &merged, world.now).unwrap();
        resolve(world, &quiet.1);
        assert_eq!(world.story(quiet.0).status, Status::Resolved);
        assert!(!world.timeline(quiet.0).contains("Rolled back"), "{}", world.timeline(quiet.0));
        assert!(world.timeline(loud.0).contains(": Rolled back"), "what was heard stays");
        // What else is told of an act is no note.
        let fields = vec![("environment".to_owned(), Some("production".to_owned()))];
        world.must(quiet.0, &Command::SetFields { fields });
        let fields = world.story(quiet.0).fields;
        assert_eq!((fields[0].name.as_str(), fields[0].value.as_str()), ("environment", "production"));
        let told = world.timeline(source);
        assert!(told.contains(&format!("Merged into PagerDuty incident {into}")), "{told}");
    }

    fn the_tables_translate_what_is_over_too(world) {
        let (incident, twin) = world.born_there("Over");
        let user = world.user(3);
        world.sim.resolve(&user, &twin, world.now).unwrap();
        world.settle_down();
        let before = world.story(incident);
        let service = world.account.services[1].0.clone();
        world.configure(move |config| {
            config["custom"]["service_mappings"] = json!({"storefront": service});
        });
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
        let after = world.story(incident);
        assert_eq!((before.service.as_deref(), after.service.as_deref()), (Some("web"), Some("storefront")));
        assert_eq!((before.status, before.resolved_at, before.lines), (after.status, after.resolved_at, after.lines));
    }
}
