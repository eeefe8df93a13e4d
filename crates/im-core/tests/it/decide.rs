//! What each command does in each state, in both models.

use std::fmt::Write;

use im_core::{Command, Decided, Status, StatusModel, Story, decide};
use insta::assert_snapshot;

use crate::given::{people, severity, story};

/// A story in each state.
fn in_state(status: Status) -> Story {
    let life = match status {
        Status::Open => "",
        Status::Acknowledged => "09:01 command acknowledged by Ann",
        Status::Mitigated => "09:01 command acknowledged by Ann\n09:02 command mitigated by Ann",
        Status::Resolved => "09:14 command resolved by Ann",
        Status::Closed => "09:14 command resolved by Ann\n09:15 command closed by Ann",
        Status::Canceled => "09:14 command canceled by Ann",
        Status::Duplicate => "09:14 command duplicate by Ann | INC-2",
    };
    let story = story(&format!(
        "09:00 command triggered by Ann | db down\n09:00 command assigned by Ann to Bob\n{life}"
    ));
    assert_eq!(story.status, status);
    story
}

/// What happens, in one line.
fn outcome(story: Option<&Story>, command: &Command, model: StatusModel) -> String {
    let facts = match decide(story, command, model) {
        Err(rejection) => return format!("no: {rejection}"),
        Ok(facts) if facts.is_empty() => return "it is so already".to_owned(),
        Ok(facts) => facts,
    };
    facts.iter().map(told).collect::<Vec<_>>().join(", then ")
}

fn told(fact: &Decided) -> String {
    let people: Vec<&str> = fact.people.iter().map(im_core::Person::label).collect();
    [
        fact.kind.as_str(),
        fact.value.as_deref().unwrap_or_default(),
        &people.join("+"),
    ]
    .into_iter()
    .filter(|word| !word.is_empty())
    .collect::<Vec<_>>()
    .join(" ")
}

/// The one caller of `decide` for existing incidents: a command in every state.
fn check(command: &Command) -> String {
    let mut table = String::new();
    for status in Status::ALL {
        let story = in_state(status);
        let documented = outcome(Some(&story), command, StatusModel::Documented);
        let lifecycle = outcome(Some(&story), command, StatusModel::Lifecycle);
        writeln!(table, "{status:<12} {documented}").unwrap();
        if documented != lifecycle {
            writeln!(table, "  lifecycle: {lifecycle}").unwrap();
        }
    }
    table
}

#[test]
fn acknowledging() {
    assert_snapshot!(check(&Command::Acknowledge), @r"
    open         acknowledged
    acknowledged it is so already
    mitigated    it is so already
    resolved     no: it was resolved at 09:14 by Ann
    closed       no: it is closed
    canceled     no: it is canceled
    duplicate    no: it is a duplicate
    ");
}

#[test]
fn mitigating() {
    assert_snapshot!(check(&Command::Mitigate), @r"
    open         acknowledged
      lifecycle: no: nobody has acknowledged it yet
    acknowledged it is so already
      lifecycle: mitigated
    mitigated    it is so already
    resolved     no: it was resolved at 09:14 by Ann
    closed       no: it is closed
    canceled     no: it is canceled
    duplicate    no: it is a duplicate
    ");
}

#[test]
fn resolving() {
    assert_snapshot!(check(&Command::Resolve), @r"
    open         resolved
    acknowledged resolved
    mitigated    resolved
    resolved     it is so already
    closed       no: it is closed
    canceled     no: it is canceled
    duplicate    no: it is a duplicate
    ");
}

#[test]
fn closing() {
    assert_snapshot!(check(&Command::Close), @r"
    open         resolved, then closed
    acknowledged resolved, then closed
    mitigated    resolved, then closed
    resolved     closed
    closed       it is so already
    canceled     no: it is canceled
    duplicate    no: it is a duplicate
    ");
}

#[test]
fn reopening() {
    assert_snapshot!(check(&Command::Reopen), @r"
    open         no: it is still open
    acknowledged no: it is still open
    mitigated    no: it is still open
    resolved     reopened
    closed       reopened
    canceled     reopened
    duplicate    reopened
    ");
}

#[test]
fn canceling() {
    assert_snapshot!(check(&Command::Cancel), @r"
    open         canceled
    acknowledged no: it is mitigated, and only an open incident can be a false alarm
      lifecycle: no: it is acknowledged, and only an open incident can be a false alarm
    mitigated    no: it is mitigated, and only an open incident can be a false alarm
    resolved     no: it is resolved, and only an open incident can be a false alarm
    closed       no: it is closed, and only an open incident can be a false alarm
    canceled     it is so already
    duplicate    no: it is a duplicate, and only an open incident can be a false alarm
    ");
}

#[test]
fn marking_as_a_duplicate() {
    assert_snapshot!(check(&Command::MarkDuplicate { of: "INC-2".parse().unwrap() }), @r"
    open         duplicate INC-2
    acknowledged duplicate INC-2
    mitigated    duplicate INC-2
    resolved     duplicate INC-2
    closed       duplicate INC-2
    canceled     duplicate INC-2
    duplicate    it is so already
    ");
    let other = Command::MarkDuplicate {
        of: "INC-3".parse().unwrap(),
    };
    assert_snapshot!(outcome(Some(&in_state(Status::Duplicate)), &other, StatusModel::Documented), @"no: it is a duplicate");
}

#[test]
fn deleting() {
    assert_snapshot!(check(&Command::Delete), @r"
    open         deleted
    acknowledged deleted
    mitigated    deleted
    resolved     deleted
    closed       deleted
    canceled     deleted
    duplicate    deleted
    ");
}

#[test]
fn assigning() {
    assert_snapshot!(check(&Command::Assign { to: people("Cleo") }), @r"
    open         assigned Cleo
    acknowledged assigned Cleo
    mitigated    assigned Cleo
    resolved     no: it was resolved at 09:14 by Ann
    closed       no: it is closed
    canceled     no: it is canceled
    duplicate    no: it is a duplicate
    ");
    let open = in_state(Status::Open);
    let assign = |names| {
        outcome(
            Some(&open),
            &Command::Assign { to: people(names) },
            StatusModel::Documented,
        )
    };
    assert_snapshot!(assign("Bob"), @"it is so already");
    assert_snapshot!(assign("Bob,Cleo"), @"assigned Bob+Cleo");
    assert_snapshot!(assign(""), @"no: nothing to change was named");
}

#[test]
fn noting_works_in_every_state() {
    assert_snapshot!(check(&Command::Note { text: " looking \n".to_owned() }), @r"
    open         noted looking
    acknowledged noted looking
    mitigated    noted looking
    resolved     noted looking
    closed       noted looking
    canceled     noted looking
    duplicate    noted looking
    ");
    let open = in_state(Status::Open);
    assert_snapshot!(outcome(Some(&open), &Command::Note { text: " \n".to_owned() }, StatusModel::Documented), @"no: the note is empty");
}

#[test]
fn nothing_can_be_done_to_what_was_deleted() {
    let deleted = story("09:00 command triggered by Ann | db down\n09:01 command deleted by Ann");
    for command in [
        Command::Acknowledge,
        Command::Reopen,
        Command::Delete,
        Command::Note {
            text: "x".to_owned(),
        },
        Command::Assign { to: people("Bob") },
    ] {
        assert_eq!(
            outcome(Some(&deleted), &command, StatusModel::Documented),
            "no: it was deleted"
        );
    }
}

fn edit(
    title: Option<&str>,
    description: Option<&str>,
    said: Option<&str>,
    service: Option<&str>,
) -> String {
    let story = story(
        "09:00 command triggered by Ann | db down
         09:00 command severity_changed by Ann | SEV-2
         09:00 command service_changed by Ann | shop
         09:00 command described by Ann | all of it",
    );
    let command = Command::Edit {
        title: title.map(str::to_owned),
        description: description.map(str::to_owned),
        severity: said.map(severity),
        service: service.map(str::to_owned),
    };
    outcome(Some(&story), &command, StatusModel::Documented)
}

#[test]
fn editing_records_what_differs() {
    assert_snapshot!(edit(Some(" db   is down "), Some("half of it"), Some("SEV-1"), Some("db")), @"titled db is down, then described half of it, then severity_changed SEV-1, then service_changed db");
    assert_snapshot!(edit(Some("db down"), Some("all of it"), Some("SEV-2"), Some("shop")), @"it is so already");
    assert_snapshot!(edit(None, None, Some("SEV-3"), None), @"severity_changed SEV-3");
    assert_snapshot!(edit(None, None, None, None), @"no: nothing to change was named");
    assert_snapshot!(edit(Some("db \u{202e}nwod\u{2069}\0 now"), None, None, None), @"titled db nwod now");
    assert_snapshot!(edit(Some("  "), None, None, None), @"no: the title is empty");
    assert_snapshot!(edit(Some(&"x".repeat(1025)), None, None, None), @"no: the title has 1025 characters, and PagerDuty takes at most 1024");
}

#[test]
fn saying_a_guessed_severity_makes_it_explicit() {
    let guessed = story("09:00 webhook triggered showing urgency=high | db down");
    assert_eq!(guessed.severity.unwrap().0, severity("SEV-2"));
    let command = Command::Edit {
        title: None,
        description: None,
        severity: Some(severity("SEV-2")),
        service: None,
    };
    assert_eq!(
        outcome(Some(&guessed), &command, StatusModel::Documented),
        "severity_changed SEV-2"
    );
}

#[test]
fn declaring() {
    let declare = |title: &str, description: Option<&str>, service: Option<&str>| {
        let command = Command::Declare {
            title: title.to_owned(),
            severity: severity("SEV-1"),
            description: description.map(str::to_owned),
            services: service.map(str::to_owned).into_iter().collect(),
        };
        outcome(None, &command, StatusModel::Documented)
    };
    assert_snapshot!(declare(" db\n down", None, None), @"triggered db down, then severity_changed SEV-1");
    assert_snapshot!(declare("db down", Some("all of it"), Some("shop")), @"triggered db down, then severity_changed SEV-1, then service_changed shop, then described all of it");
    assert_snapshot!(declare("", None, None), @"no: the title is empty");
    assert_snapshot!(declare(&"ä".repeat(1024), None, None).len(), @"2087");
    assert_snapshot!(declare(&"ä".repeat(1025), None, None), @"no: the title has 1025 characters, and PagerDuty takes at most 1024");
}
