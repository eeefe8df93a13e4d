//! Which incidents a list has, by who has them, when they began, what they are called, and by number.

use im_core::{Command, IncidentNumber, Person, Severity, Status};
use im_store::incidents::{Assigned, Filter, count, list};
use jiff::SignedDuration;

use crate::world::{CONNECTOR, World};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The numbers that fit, and as many are counted.
#[track_caller]
fn numbers(world: &mut World, filter: Filter) -> Vec<i64> {
    let filter = Filter {
        limit: 100,
        ..filter
    };
    let (rows, counted) = world.write(|tx| Ok((list(tx, &filter)?, count(tx, &filter, 1_000)?)));
    let numbers: Vec<i64> = rows.iter().map(|row| row.number.get()).collect();
    assert_eq!(usize::try_from(counted), Ok(numbers.len()), "{filter:?}");
    numbers
}

fn to(people: &[&str]) -> Filter {
    Filter {
        assigned: Assigned::To(people.iter().map(|one| (*one).to_owned()).collect()),
        ..Filter::default()
    }
}

fn search(text: &str) -> Filter {
    Filter {
        search: Some(text.to_owned()),
        ..Filter::default()
    }
}

fn give(world: &mut World, incident: IncidentNumber, id: &str, name: &str) {
    let to = vec![Person {
        id: id.to_owned(),
        name: Some(name.to_owned()),
    }];
    world.must(incident, &Command::Assign { to });
}

story! {
    fn a_list_is_of_those_whom_it_is_asked_for(world) {
        let first = world.declare("One", Severity::Sev2, None);
        let second = world.declare("Two", Severity::Sev2, None);
        let third = world.declare("Three", Severity::Sev2, None);
        give(world, first, "PANN%01", "Ann \"A\" Lee");
        give(world, second, "PANNX01", "Bob_Ray");
        let [first, second, third] = [first, second, third].map(IncidentNumber::get);
        assert_eq!(numbers(world, to(&["PANN%01"])), [first], "a sign of patterns is a letter");
        assert_eq!(numbers(world, to(&["ann \"a\" lee"])), [first], "by name, in any case");
        assert_eq!(numbers(world, to(&["bob_ray", "PANN%01"])), [second, first]);
        assert!(numbers(world, to(&["PANN"])).is_empty(), "a part of an id is nobody's");
        assert!(numbers(world, to(&[])).is_empty());
        let nobody = Filter { assigned: Assigned::Nobody, ..Filter::default() };
        assert_eq!(numbers(world, nobody), [third]);
    }

    fn a_list_is_of_the_time_the_connector_and_the_words_it_is_asked_for(world) {
        let first = world.declare("Disk 100% full", Severity::Sev2, Some("db"));
        world.settle_down();
        let begun = world.story(first).created_at;
        world.run_for(HOUR);
        let second = world.declare("Disk slow", Severity::Sev2, Some("db"));
        world.settle_down();
        let there = world.story(first).peer.unwrap().number.unwrap();
        let [first, second] = [first, second].map(IncidentNumber::get);
        let since = |from| Filter { from: Some(from), ..Filter::default() };
        let until = |until| Filter { until: Some(until), ..Filter::default() };
        assert_eq!(numbers(world, since(begun)), [second, first], "the instant itself counts");
        assert_eq!(numbers(world, since(begun + HOUR)), [second]);
        assert_eq!(numbers(world, until(begun + HOUR)), [first]);
        assert!(numbers(world, until(begun)).is_empty(), "the end does not count");
        let of = |name: &str| Filter { connector: Some(name.to_owned()), ..Filter::default() };
        assert_eq!(numbers(world, of(CONNECTOR)), [second, first]);
        assert!(numbers(world, of("another")).is_empty());
        assert_eq!(numbers(world, search("DISK")), [second, first]);
        assert_eq!(numbers(world, search("0% f")), [first]);
        assert_eq!(numbers(world, search(&format!("inc-{second}"))), [second]);
        assert_eq!(numbers(world, search(&format!("#{there}"))), [first], "PagerDuty's number");
        assert!(numbers(world, search(&format!("INC-{there}"))).is_empty());
    }

    fn an_incident_of_several_services_is_found_by_what_its_parts_have(world) {
        let command = Command::Declare {
            title: "Checkout is down".to_owned(),
            severity: Severity::Sev1,
            description: None,
            services: vec!["db".to_owned(), "web".to_owned()],
        };
        let whole = world.declare_by(None, &command);
        world.settle_down();
        let part = world.story(whole.part(2)).peer.unwrap().number.unwrap();
        let whole = whole.get();
        assert_eq!(numbers(world, search(&format!("#{part}"))), [whole]);
        for name in ["db", "web"] {
            let of = Filter { services: vec![name.to_owned()], ..Filter::default() };
            assert_eq!(numbers(world, of), [whole], "{name}");
        }
        let of = Filter { connector: Some(CONNECTOR.to_owned()), ..Filter::default() };
        assert_eq!(numbers(world, of), [whole]);
    }

    fn a_list_of_some_has_no_other_and_one_of_none_has_none(world) {
        let first = world.declare("One", Severity::Sev2, None);
        world.declare("Two", Severity::Sev2, None);
        let among = |numbers| Filter { among: Some(numbers), ..Filter::default() };
        assert_eq!(numbers(world, among(vec![first])), [first.get()]);
        assert!(numbers(world, among(Vec::new())).is_empty());
        let closed = Filter { statuses: vec![Status::Closed], ..among(vec![first]) };
        assert!(numbers(world, closed).is_empty(), "each filter counts");
    }
}
