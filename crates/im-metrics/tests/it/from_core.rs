//! What the core knows of an incident becomes what the engine counts.

use im_core::{
    Actor, ActorKind, Fact, IncidentNumber, Kind, Named, Person, Snapshot, Source, fold,
};
use im_metrics::history;
use im_metrics::input::{Event, History, ResolverKind, What};
use jiff::Timestamp;

use crate::given::{at, events, march};

fn time(clock: &str) -> Timestamp {
    at(&format!("2026-03-02 {clock}"))
}

fn ann() -> Actor {
    Actor::user("UANN", "Ann")
}

fn entry(id: &str, kind: Kind, actor: Actor, clock: &str) -> Fact {
    Fact::new(Source::LogEntry, id, kind, actor, time(clock))
}

fn event(id: &str, kind: Kind, actor: Actor, clock: &str) -> Fact {
    Fact::new(Source::Webhook, id, kind, actor, time(clock))
}

fn person(id: &str) -> Person {
    Person {
        id: id.to_owned(),
        name: None,
    }
}

fn named(id: &str, name: &str) -> Named {
    Named {
        id: id.to_owned(),
        name: Some(name.to_owned()),
    }
}

/// PagerDuty's incident of service `SDB`, high, without a priority.
fn look(clock: &str) -> Snapshot {
    Snapshot {
        version: time(clock),
        read_at: None,
        answered_at: None,
        id: "PINC1".to_owned(),
        number: Some(1),
        html_url: None,
        incident_key: None,
        created_at: Some(time("09:00")),
        status: None,
        title: Some("db down".to_owned()),
        urgency: Some(im_core::Urgency::High),
        priority: Some(None),
        service: Some(named("SDB", "Database")),
        policy: Some(named("EOPS", "Operations")),
        assignees: None,
        teams: Some(vec![named("TA", "Team A")]),
        merged_into: None,
    }
}

fn told(facts: &[Fact]) -> History {
    let story = fold(facts, None).unwrap();
    history(IncidentNumber::new(7).unwrap(), facts, &story).unwrap()
}

#[test]
fn s39_acknowledgements_come_from_what_happened_not_from_what_is_left() {
    let facts = [
        entry("R1", Kind::Triggered, Actor::NOBODY, "09:00").with_value("db down"),
        entry("R2", Kind::Notified, Actor::NOBODY, "09:01")
            .about(vec![person("UANN")])
            .with_value("push"),
        entry("R3", Kind::Acknowledged, ann(), "09:05"),
        entry("R4", Kind::Resolved, ann(), "09:10").with_value("human"),
        Fact::new(
            Source::Read,
            "read",
            Kind::Seen,
            Actor::NOBODY,
            time("09:11"),
        )
        .showing(look("09:10")),
    ];
    let want = events(
        "03-02 09:00 trigger
         03-02 09:01 notify UANN push
         03-02 09:05 ack UANN
         03-02 09:10 resolve UANN",
    );
    let found = told(&facts);
    assert_eq!(found.events, want);
    assert_eq!(found.at_trigger, found.current);
    assert_eq!(found.current.service.as_deref(), Some("SDB"));
    assert_eq!(found.teams, ["TA"]);
    assert_eq!(
        (found.origin.as_str(), found.title.as_str()),
        ("pagerduty", "db down")
    );
}

#[test]
fn s51_the_key_is_that_of_the_trigger_in_the_log() {
    let trigger = |id: &str, clock: &str| entry(id, Kind::Triggered, Actor::NOBODY, clock);
    let mut shown = look("09:30");
    shown.incident_key = Some("made by PagerDuty".to_owned());
    let read = Fact::new(
        Source::Read,
        "read",
        Kind::Seen,
        Actor::NOBODY,
        time("09:30"),
    )
    .showing(shown);
    let first = trigger("R1", "09:00").beginning_with(None, Some("disk/db-1"));
    // A later alert of another key was grouped into it.
    let later = trigger("R2", "09:10").beginning_with(None, Some("disk/db-2"));
    let key = |facts: &[Fact]| told(facts).key;
    assert_eq!(
        key(&[later, read.clone(), first]).as_deref(),
        Some("disk/db-1")
    );
    let plain = trigger("R1", "09:00");
    assert_eq!(key(&[plain, read]).as_deref(), Some("made by PagerDuty"));
}

#[test]
fn m_045_what_no_webhook_and_no_command_told_is_rebuilt() {
    let log = entry("R1", Kind::Triggered, Actor::NOBODY, "09:00");
    let hook = event("E1", Kind::Triggered, Actor::NOBODY, "09:00:00.300");
    let late = event("E2", Kind::Acknowledged, ann(), "09:05");
    assert!(told(std::slice::from_ref(&log)).rebuilt);
    assert!(
        told(&[log.clone(), late]).rebuilt,
        "its trigger was not told"
    );
    assert!(!told(&[log, hook]).rebuilt);
}

#[test]
fn g13_a_backfill_over_live_data_adds_nothing_but_times() {
    let live = vec![
        event("E1", Kind::Triggered, Actor::NOBODY, "09:00:00.300").showing(look("09:00")),
        event("E2", Kind::Acknowledged, ann(), "09:05:00.900"),
        event("E3", Kind::Unacknowledged, Actor::NOBODY, "09:35:00.100"),
        event("E4", Kind::Resolved, ann(), "09:40:01.500").with_value("human"),
    ];
    let log = [
        entry("R1", Kind::Triggered, Actor::NOBODY, "09:00"),
        entry("R2", Kind::Acknowledged, ann(), "09:05"),
        entry("R3", Kind::Unacknowledged, Actor::NOBODY, "09:35"),
        entry("R4", Kind::Resolved, ann(), "09:40").with_value("human"),
    ];
    let before = told(&live);
    let after = told(&[live, log.to_vec()].concat());
    let kinds = |history: &History| {
        let events = history.events.iter();
        events.map(|event| event.what.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&before), kinds(&after));
    assert_eq!(
        after.events,
        events(
            "03-02 09:00 trigger
             03-02 09:05 ack UANN
             03-02 09:35 unack
             03-02 09:40 resolve UANN"
        )
    );
    assert_eq!(before.at_trigger, after.at_trigger);
}

/// Pages and on-call load of an incident whose log was read after its webhooks, and of one of which nothing else was.
fn counted_alike(log: &[Fact], heard: &[Fact]) -> [String; 2] {
    let counted = |facts: &[Fact]| {
        let world = march(&[told(facts)]);
        let pages = world.shows("pages", "source=notifications group_by=user");
        [pages, world.shows("oncall_load", "")]
    };
    let live = counted(&[log, heard].concat());
    assert_eq!(live, counted(log));
    live
}

fn paged(id: &str, user: &str, clock: &str) -> Fact {
    let page = entry(id, Kind::Notified, Actor::NOBODY, clock);
    page.about(vec![person(user)]).with_value("push")
}

#[test]
fn s32_who_is_paged_again_in_the_second_of_a_withdrawal_counts_alike_live_and_rebuilt() {
    let log = [
        entry("R1", Kind::Triggered, Actor::NOBODY, "09:00"),
        paged("R2", "UANN", "09:00"),
        entry("R3", Kind::Acknowledged, ann(), "09:00:04"),
        entry("R4", Kind::Unacknowledged, ann(), "09:00:04"),
        paged("R5", "UANN", "09:00:04"),
    ];
    let heard = [
        event("E1", Kind::Triggered, Actor::NOBODY, "09:00:00.100").showing(look("09:00")),
        event("E2", Kind::Acknowledged, ann(), "09:00:04.300"),
        event("E3", Kind::Unacknowledged, ann(), "09:00:04.700"),
    ];
    let [pages, _] = counted_alike(&log, &heard);
    assert_eq!(pages, "UANN: 2");
}

#[test]
fn who_answers_in_the_second_of_an_escalation_counts_alike_live_and_rebuilt() {
    let bob = || vec![person("UBOB")];
    let log = [
        entry("R1", Kind::Triggered, Actor::NOBODY, "09:00"),
        paged("R2", "UANN", "09:00"),
        entry("R3", Kind::Escalated, Actor::NOBODY, "09:00").about(bob()),
        entry("R4", Kind::Acknowledged, ann(), "09:00"),
    ];
    let heard = [
        event("E1", Kind::Triggered, Actor::NOBODY, "09:00:00.100").showing(look("09:00")),
        event("E2", Kind::Escalated, Actor::NOBODY, "09:00:00.300").about(bob()),
        event("E3", Kind::Acknowledged, ann(), "09:00:00.800"),
    ];
    let [_, load] = counted_alike(&log, &heard);
    assert_eq!(load, "UANN: 1 pages, acknowledged 1 after 0, out 0, away 0");
}

#[test]
fn the_priority_at_the_trigger_is_no_matter_of_ids() {
    let change = |id: &str, from: &str, to: &str| {
        let change = entry(id, Kind::PriorityChanged, ann(), "09:05");
        change.with_value(to).with_detail(from)
    };
    let at_trigger = |changes: &[Fact], now: &str| {
        let mut shown = look("09:30");
        shown.priority = Some(Some(named(now, now)));
        let read = Fact::new(
            Source::Read,
            "read",
            Kind::Seen,
            Actor::NOBODY,
            shown.version,
        );
        let begin = entry("R0", Kind::Triggered, Actor::NOBODY, "09:00");
        let found = told(&[changes, &[begin, read.showing(shown)]].concat());
        found.at_trigger.priority
    };
    let up = [change("R2", "P3", "P2"), change("R1", "P2", "P1")];
    assert_eq!(at_trigger(&up, "P1").as_deref(), Some("P3"));
    let and_back = [change("R2", "P3", "P2"), change("R1", "P2", "P3")];
    assert_eq!(at_trigger(&and_back, "P3").as_deref(), Some("P3"));
}

#[test]
fn values_at_trigger_are_worked_back_where_only_the_log_tells() {
    let mut now = look("09:30");
    now.priority = Some(Some(named("PR1", "P1")));
    now.policy = Some(named("EOTHER", "Other"));
    let mut earlier = look("09:10");
    earlier.priority = Some(Some(named("PR2", "P2")));
    let read = |id: &str, shown: Snapshot| {
        Fact::new(Source::Read, id, Kind::Seen, Actor::NOBODY, shown.version).showing(shown)
    };
    let facts = [
        entry("R1", Kind::Triggered, Actor::NOBODY, "09:00"),
        entry("R2", Kind::UrgencyChanged, ann(), "09:05").with_value("high"),
        entry("R3", Kind::PriorityChanged, ann(), "09:20")
            .with_value("P1")
            .with_detail("P2"),
        entry("R4", Kind::Delegated, ann(), "09:25").about(vec![person("UBOB")]),
        read("read1", earlier),
        read("read2", now),
    ];
    let found = told(&facts);
    assert_eq!(found.at_trigger.urgency.as_deref(), Some("low"));
    assert_eq!(found.at_trigger.priority.as_deref(), Some("PR2"));
    // Nothing tells which policy it was delegated from: the one of its service.
    assert_eq!(found.at_trigger.policy, None);
    assert!(found.policy_untold);
    assert_eq!(found.current.policy.as_deref(), Some("EOTHER"));
    assert_eq!(found.current.priority.as_deref(), Some("PR1"));
}

#[test]
fn g02_g04_what_the_trigger_showed_is_believed_before_what_is_shown_today() {
    let mut now = look("09:30");
    now.urgency = Some(im_core::Urgency::Low);
    now.service = Some(named("SDB", "Storage"));
    now.teams = Some(vec![named("TB", "Team B")]);
    let facts = [
        event("E1", Kind::Triggered, Actor::NOBODY, "09:00").showing(look("09:00")),
        Fact::new(
            Source::Read,
            "read",
            Kind::Seen,
            Actor::NOBODY,
            time("09:31"),
        )
        .showing(now),
    ];
    let found = told(&facts);
    assert_eq!(found.at_trigger.urgency.as_deref(), Some("high"));
    assert_eq!(found.at_trigger.service.as_deref(), Some("SDB"));
    assert_eq!(found.current.urgency.as_deref(), Some("low"));
    assert_eq!(found.current.service.as_deref(), Some("SDB"));
    // By id: a new name of the service changes nothing. And the team that it belonged to then.
    assert_eq!(found.teams, ["TA"]);
}

#[test]
fn how_it_was_resolved() {
    let by = |actor: ActorKind, told: Option<&str>| {
        let actor = Actor {
            kind: actor,
            id: Some("ID".to_owned()),
            name: None,
        };
        let mut end = entry("R2", Kind::Resolved, actor, "09:10");
        end.value = told.map(str::to_owned);
        let trigger = entry("R1", Kind::Triggered, Actor::NOBODY, "09:00");
        match told_of(&[trigger, end]) {
            What::Resolved(_, kind) => kind,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(by(ActorKind::User, Some("human")), ResolverKind::Human);
    assert_eq!(by(ActorKind::Service, Some("timer")), ResolverKind::Timer);
    assert_eq!(
        by(ActorKind::Service, Some("integration")),
        ResolverKind::Integration
    );
    assert_eq!(by(ActorKind::Integration, None), ResolverKind::Integration);
    assert_eq!(by(ActorKind::Api, None), ResolverKind::Api);
    assert_eq!(by(ActorKind::None, Some("none")), ResolverKind::None);
}

fn told_of(facts: &[Fact]) -> What {
    told(facts).events.pop().unwrap().what
}

#[test]
fn our_own_states_are_what_pagerduty_would_call_them() {
    let command = |id: &str, kind: Kind, clock: &str| {
        Fact::new(
            Source::Command,
            id,
            kind,
            Actor::user("ann@example.com", "Ann"),
            time(clock),
        )
    };
    let born = command("C1", Kind::Triggered, "09:00").with_value("db down");
    let canceled = told(&[born.clone(), command("C2", Kind::Canceled, "09:10")]);
    let resolved = What::Resolved(Some("ann@example.com".to_owned()), ResolverKind::Human);
    assert_eq!(canceled.origin, "im");
    assert_eq!(
        canceled.events,
        [
            Event {
                at: time("09:00"),
                what: What::Triggered
            },
            Event {
                at: time("09:10"),
                what: resolved
            }
        ]
    );
    let taken = [
        born.clone(),
        command("C2", Kind::Acknowledged, "09:05"),
        command("C3", Kind::Mitigated, "09:10"),
    ];
    // One acknowledgement: a mitigated incident was acknowledged before.
    assert_eq!(told(&taken).events.len(), 2);
    let deleted = [born, command("C2", Kind::Deleted, "09:05")];
    let story = fold(&deleted, None).unwrap();
    assert_eq!(
        history(IncidentNumber::new(7).unwrap(), &deleted, &story),
        None
    );
}

#[test]
fn s95_a_late_note_or_edit_moves_no_recovery() {
    let mut facts = vec![
        entry("R1", Kind::Triggered, Actor::NOBODY, "09:00"),
        entry("R2", Kind::Resolved, ann(), "09:10").with_value("human"),
    ];
    let before = told(&facts).events;
    facts.push(entry("R3", Kind::Noted, ann(), "11:00").with_value("why it was"));
    facts.push(
        Fact::new(
            Source::Read,
            "read",
            Kind::Seen,
            Actor::NOBODY,
            time("11:01"),
        )
        .showing(look("11:00")),
    );
    assert_eq!(told(&facts).events, before);
}

#[test]
fn s42_a_priority_that_is_no_severity_of_ours_is_called_by_its_name() {
    let of = |name: &str, urgency| {
        let mut shown = look("09:00");
        shown.urgency = Some(urgency);
        shown.priority = Some(Some(named("PPRIO5", name)));
        let born = entry("R1", Kind::Triggered, Actor::NOBODY, "09:00").showing(shown);
        let mapping = im_core::Mapping::new(im_core::Direction::Bidirectional, "SDB");
        let story = fold(std::slice::from_ref(&born), Some(&mapping)).unwrap();
        let number = IncidentNumber::new(7).unwrap();
        history(number, &[born], &story).unwrap().severity
    };
    let high = im_core::Urgency::High;
    assert_eq!(of("P2", high).as_deref(), Some("SEV-2"));
    assert_eq!(
        of("P5", high).as_deref(),
        Some("P5"),
        "no SEV-2 by its urgency, with the targets of one"
    );
    assert_eq!(of("Major", high).as_deref(), Some("Major"));
}

#[test]
fn mw_18_what_the_incidents_own_fields_say_of_environment_deployment_and_cause_counts() {
    let born = entry("R1", Kind::Triggered, Actor::NOBODY, "09:00").showing(look("09:00"));
    let field = |id: &str, name: &str, value: &str| {
        let source = Source::Command;
        Fact::new(source, id, Kind::FieldsChanged, ann(), time("09:05"))
            .with_detail(name)
            .with_value(value)
    };
    let note = |id: &str, text: &str| entry(id, Kind::Noted, ann(), "09:10").with_value(text);
    let known = told(&[
        born.clone(),
        note("N1", "Root cause: a note"),
        field("C1", "environment", "production"),
        field("C2", "Deployment", "build-7"),
        field("C3", "root_cause", "full disk"),
    ]);
    assert_eq!(known.environment.as_deref(), Some("production"));
    assert_eq!(known.deployment.as_deref(), Some("build-7"));
    assert_eq!(known.cause.as_deref(), Some("full disk"));
    let known = told(&[born, note("N1", "Root cause: a note")]);
    assert_eq!((known.environment, known.deployment), (None, None));
    assert_eq!(known.cause.as_deref(), Some("a note"));
}

#[test]
fn s33_whatever_only_an_open_incident_allows_implies_that_it_was_opened_again() {
    let given = || vec![person("UBOB")];
    let rows = [
        (Kind::Acknowledged, vec![], "03-02 09:20 ack UANN"),
        (Kind::Unacknowledged, vec![], "03-02 09:20 unack"),
        (Kind::Assigned, given(), "03-02 09:20 assign UBOB"),
        (Kind::Escalated, given(), "03-02 09:20 escalate UBOB"),
        (Kind::Delegated, given(), "03-02 09:20 delegate UBOB"),
    ];
    for (kind, people, line) in rows {
        let facts = [
            entry("R1", Kind::Triggered, Actor::NOBODY, "09:00"),
            entry("R2", Kind::Resolved, ann(), "09:10").with_value("human"),
            entry("R3", kind, ann(), "09:20").about(people),
        ];
        let found = told(&facts);
        let mut want = events(&format!(
            "03-02 09:00 trigger
             03-02 09:10 resolve UANN
             {line}"
        ));
        let again = Event {
            at: time("09:20"),
            what: What::Reopened,
        };
        want.insert(2, again);
        assert_eq!(found.events, want, "{kind:?}");
        let figure = march(&[found]).shows("reopen_rate", "");
        assert_eq!(figure, "1/1 = 1", "{kind:?}");
    }
    // A message to a person does not.
    let facts = [
        entry("R1", Kind::Triggered, Actor::NOBODY, "09:00"),
        entry("R2", Kind::Resolved, ann(), "09:10").with_value("human"),
        entry("R3", Kind::Notified, Actor::NOBODY, "09:20").about(vec![person("UBOB")]),
    ];
    assert_eq!(march(&[told(&facts)]).shows("reopen_rate", ""), "0/1 = 0");
}

#[test]
fn s45_an_episode_begins_before_a_message_of_the_same_instant_whatever_their_ids() {
    let message = |id: &str, clock: &str| {
        let message = entry(id, Kind::Notified, Actor::NOBODY, clock);
        message.about(vec![person("UBOB")]).with_value("push")
    };
    let facts = [
        entry("R1", Kind::Triggered, Actor::NOBODY, "09:00"),
        message("R2", "09:01"),
        message("R3", "09:10"),
        entry("R4", Kind::Escalated, Actor::NOBODY, "09:10").about(vec![person("UBOB")]),
    ];
    let found = told(&facts);
    let want = events(
        "03-02 09:00 trigger
         03-02 09:01 notify UBOB push
         03-02 09:10 escalate UBOB
         03-02 09:10 notify UBOB push",
    );
    assert_eq!(found.events, want);
    let pages = march(&[found]).shows("pages", "source=notifications group_by=user");
    assert_eq!(pages, "UBOB: 2");
}

#[test]
fn g11_the_title_is_todays_and_decides_whether_it_is_a_test() {
    let of = |then: &str, now: &str| {
        let mut shown = look("09:10");
        shown.title = Some(now.to_owned());
        let read = Fact::new(
            Source::Read,
            "read",
            Kind::Seen,
            Actor::NOBODY,
            time("09:11"),
        );
        let born = entry("R1", Kind::Triggered, Actor::NOBODY, "09:00").with_value(then);
        let found = told(&[born, read.showing(shown)]);
        assert_eq!(found.title, now);
        march(&[found]).leaves_out("incident_frequency", "")
    };
    assert_eq!(of("[TEST] page", "db down"), "test=0 merged=0");
    assert_eq!(of("db down", "[TEST] page"), "test=1 merged=0");
}

#[test]
fn s41_an_urgency_that_came_back_was_todays_at_the_trigger() {
    let at_trigger = |changes: &[&str]| {
        let mut facts = vec![entry("R0", Kind::Triggered, Actor::NOBODY, "09:00")];
        for (place, to) in changes.iter().enumerate() {
            let change = entry(
                &format!("R{}", place + 1),
                Kind::UrgencyChanged,
                ann(),
                &format!("09:0{}", place + 1),
            );
            facts.push(change.with_value(*to));
        }
        let seen = Fact::new(
            Source::Read,
            "read",
            Kind::Seen,
            Actor::NOBODY,
            time("09:30"),
        );
        facts.push(seen.showing(look("09:30")));
        told(&facts).at_trigger.urgency
    };
    // It is high today.
    for (changes, want) in [
        (&[][..], "high"),
        (&["high"], "low"),
        (&["low", "high"], "high"),
        (&["high", "low", "high"], "low"),
        (&["low", "high", "low", "high"], "high"),
    ] {
        assert_eq!(at_trigger(changes).as_deref(), Some(want), "{changes:?}");
    }
}
