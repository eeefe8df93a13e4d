//! What an incident of several services adds up to (S67).

use im_core::{Kind, Part, Person, Status, Story, gather, open_since};

use crate::given::{at, story};

const DECLARED: &str = "
    09:00 command#t triggered by Ann | Checkout is down
    09:00 command#s1 spanned by Ann | db | 1
    09:00 command#s2 spanned by Ann | web | 2
";

/// A part that PagerDuty has since a second after it was declared, and what happened to it.
fn part(service: &str, happened: &str) -> Part {
    let text = format!(
        "09:00 command#t triggered by Ann | Checkout is down
         09:00 command#{service} service_changed by Ann | {service}
         09:00:01 answer triggered for t showing status=triggered
         09:00:01 answer settled for {service} | carried
         {happened}"
    );
    (service.to_owned(), story(&text))
}

fn whole(done: &str, db: &str, web: &str) -> Story {
    let own = story(&format!("{DECLARED}{done}"));
    gather(own, &[part("db", db), part("web", web)])
}

#[track_caller]
fn check(db: &str, web: &str, expect: Status) {
    assert_eq!(whole("", db, web).status, expect);
    assert_eq!(whole("", web, db).status, expect, "the other way round");
}

const TAKEN: &str = "09:10 log acknowledged by Bob";
const OVER: &str = "09:20 log resolved by Bob";
const OPENED: &str = "09:20 log resolved by Bob\n09:30 log reopened by Bob";

#[test]
fn s67_the_state_of_a_whole_is_read_off_its_parts() {
    check("", "", Status::Open);
    check(TAKEN, "", Status::Acknowledged);
    check(OVER, "", Status::Open);
    check(OVER, TAKEN, Status::Acknowledged);
    check(&format!("{TAKEN}\n{OVER}"), "", Status::Acknowledged);
    check(OVER, OVER, Status::Resolved);
    check(OVER, OPENED, Status::Open);
    check("09:10 command#c canceled by Ann", OVER, Status::Resolved);
    check("09:25 command#c canceled by Ann", OVER, Status::Canceled);
    check("09:25 command#c closed by Ann", OVER, Status::Open);
}

#[test]
fn s67_a_whole_tells_who_and_when() {
    let told = whole("", TAKEN, &format!("09:05 log acknowledged by Ann\n{OVER}"));
    assert_eq!(told.service.as_deref(), Some("db, web"));
    assert_eq!(told.acknowledged_at, Some(at("09:05")));
    assert_eq!(told.acknowledgement.unwrap().by.as_deref(), Some("Ann"));
    assert_eq!((told.resolved_at, told.resolved_by), (None, None));
    let told = whole("", OVER, "09:25 log resolved by Ann");
    assert_eq!(told.resolved_at, Some(at("09:25")));
    assert_eq!(told.resolved_by.as_deref(), Some("Ann"));
    assert!(told.peer.is_none() && told.pending.is_empty());
}

#[test]
fn s67_the_timeline_tells_once_what_was_done_to_all_and_names_the_service_of_the_rest() {
    let ack = "09:10 command#a acknowledged by Ann";
    let answered = format!("{ack}\n09:10:01 answer acknowledged for a");
    let told = whole(ack, &answered, &format!("{ack}\n09:12 log resolved by Bob"));
    let lines: Vec<String> = told.lines.iter().map(im_core::Line::text).collect();
    assert_eq!(
        lines,
        [
            "Declared by Ann: Checkout is down",
            "PagerDuty incident created (#7) (db)",
            "PagerDuty incident created (#7) (web)",
            "Acknowledged by Ann",
            "Resolved by Bob (web)",
        ]
    );
    let seen = |kind: Kind| {
        told.lines
            .iter()
            .find(|line| line.kind == kind)
            .unwrap()
            .seen
    };
    assert!(seen(Kind::Triggered).peer, "all have it");
    assert!(
        !seen(Kind::Acknowledged).peer,
        "one of them has not heard of it"
    );
    assert_eq!(told.pending.len(), 1);
}

#[test]
fn s67_a_page_that_was_given_up_does_not_count_unless_there_is_no_other() {
    let given_up = |service: &str| {
        let text = "09:00 command#t triggered by Ann | Checkout is down
                    09:05 answer settled for t | discarded";
        (service.to_owned(), story(text))
    };
    let own = || story(DECLARED);
    let over = gather(own(), &[given_up("db"), part("web", OVER)]);
    assert_eq!(over.status, Status::Resolved);
    let coming = story("09:00 command#t triggered by Ann | Checkout is down");
    let open = gather(own(), &[("db".to_owned(), coming), part("web", OVER)]);
    assert_eq!(open.status, Status::Open);
    let none = gather(own(), &[given_up("db"), given_up("web")]);
    assert_eq!(none.status, Status::Open);
}

#[test]
fn a_whole_is_mitigated_by_whoever_mitigated_last_as_long_as_all_of_it_is() {
    let mitigated = |at: &str, who: &str| {
        format!("{TAKEN}\n09:15 command#m mitigated by {who}\n{at} answer acknowledged for m")
    };
    let by = |db: &str, web: &str| {
        let told = whole("", db, web);
        let by = told.mitigation.and_then(|done| done.by);
        (told.status, by)
    };
    let (ann, cleo) = (mitigated("09:15:01", "Ann"), mitigated("09:15:02", "Cleo"));
    assert_eq!(
        by(&ann, &cleo),
        (Status::Mitigated, Some("Cleo".to_owned()))
    );
    assert_eq!(by(&ann, TAKEN), (Status::Acknowledged, None));
    assert_eq!(by(&ann, ""), (Status::Acknowledged, None));
    assert_eq!(
        by(&ann, OVER),
        (Status::Mitigated, Some("Ann".to_owned())),
        "what is left of it"
    );
}

#[test]
fn it_is_open_since_it_was_last_opened() {
    let since = |more: &str| open_since(&part("db", more).1);
    assert_eq!(since(""), Some(at("09:00:01")));
    assert_eq!(since(TAKEN), Some(at("09:00:01")));
    assert_eq!(since(OVER), None);
    assert_eq!(since(OPENED), Some(at("09:30")));
    // Who found it open never saw it begin.
    let found = story("09:31 read seen showing status=triggered;created=09:00");
    assert_eq!(open_since(&found), Some(at("09:00")));
}

#[test]
fn those_have_it_who_have_what_is_open_and_each_is_named_once() {
    let with = |db: &str, web: &str| {
        let told = whole("", db, web);
        let people: Vec<&str> = told.assignees.iter().map(Person::label).collect();
        people.join("+")
    };
    let given = |who: &str| format!("09:10 log assigned by service web to {who}");
    let over = |who: &str| format!("{}\n{OVER}", given(who));
    assert_eq!(with(&given("Ann"), &given("Bob")), "Ann+Bob");
    assert_eq!(with(&given("Ann,Bob"), &given("Bob,Cleo")), "Ann+Bob+Cleo");
    assert_eq!(with(&given("Ann"), &over("Bob")), "Ann");
    assert_eq!(with(&over("Ann"), &over("Bob")), "Ann+Bob");
}

#[test]
fn what_waits_for_several_parts_waits_once_and_the_oldest_is_first() {
    let ack = "09:10 command#a acknowledged by Ann";
    let told = whole(
        ack,
        &format!("{ack}\n09:12 command#n noted by Ann | looking"),
        &format!("{ack}\n09:08 command#x titled by Ann | Checkout is slow"),
    );
    let waits: Vec<&str> = told
        .pending
        .iter()
        .map(|pending| pending.command.as_str())
        .collect();
    assert_eq!(waits, ["x", "a", "n"]);
}

#[test]
fn a_field_whose_name_is_a_number_is_no_service() {
    let told = whole("09:05 command#f fields_changed by Ann | seven | 3", "", "");
    assert_eq!(told.service.as_deref(), Some("db, web"));
    assert_eq!(told.spans.len(), 2);
}
