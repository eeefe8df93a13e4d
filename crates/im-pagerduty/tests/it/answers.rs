//! Replies of REST as answers.

use std::fmt::Write as _;

use im_pagerduty::{
    Answer, Call, IncidentRead, Outcome, Page, Transport, WaitReason, read, transport_outcome,
};

use crate::support::{at, every_call, fixture, key, manifest, read_at, reply, shown};

/// The call that a documented body answers, where we have one.
fn call_for(method: &str, path: &str) -> Option<Call> {
    let named = |name: &str| every_call().into_iter().find(|call| call.name() == name);
    named(match (method, path) {
        ("GET", "/incidents") => "list_incidents",
        ("POST", "/incidents") => "create_incident",
        ("GET", "/incidents/{id}") => "read_incident",
        ("PUT", "/incidents") => "resolve_incidents",
        ("PUT", "/incidents/{id}") => "update_incident",
        ("GET", "/incidents/{id}/notes") => "read_notes",
        ("POST", "/incidents/{id}/notes") => "add_note",
        ("GET", "/incidents/{id}/log_entries") => "incident_log_entries",
        ("GET", "/log_entries") => "list_log_entries",
        ("GET", "/teams") => "list_teams",
        ("GET", "/schedules") => "list_schedules",
        ("GET", "/v3/schedules") => "list_shift_schedules",
        ("GET", "/priorities") => "list_priorities",
        ("GET", "/services") => "list_services",
        ("GET", "/services/{id}") => "read_service",
        ("GET", "/escalation_policies") => "list_policies",
        ("GET", "/escalation_policies/{id}") => "read_policy",
        ("GET", "/users") => "list_users",
        ("GET", "/users/me") => "read_me",
        ("GET", "/oncalls") => "list_oncalls",
        ("GET", "/abilities") => "list_abilities",
        ("GET", "/webhook_subscriptions") => "list_subscriptions",
        ("POST", "/webhook_subscriptions") => "create_subscription",
        ("GET", "/webhook_subscriptions/{id}") => "read_subscription",
        ("POST", "/webhook_subscriptions/{id}/enable") => "enable_subscription",
        _ => return None,
    })
}

#[test]
fn each_documented_answer_to_our_calls_is_read_whole() {
    let mut answered = 0;
    for row in manifest("rest_response") {
        let (method, path) = (
            row["method"].as_str().unwrap(),
            row["path"].as_str().unwrap(),
        );
        let Some(call) = call_for(method, path) else {
            continue;
        };
        let file = row["file"].as_str().unwrap();
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let outcome = read(&call, &reply(status, fixture(file)), read_at());
        let Outcome::Done(answer) = outcome else {
            panic!("{file}: {outcome:?}");
        };
        assert!(unreadable(&answer) == 0, "{file}: {answer:?}");
        answered += 1;
    }
    assert_eq!(answered, 27);
}

fn unreadable(answer: &Answer) -> usize {
    match answer {
        Answer::Notes(page) => page.unreadable,
        Answer::Incidents(page) => page.unreadable,
        Answer::LogEntries(page) => page.unreadable,
        Answer::Services(page) => page.unreadable,
        Answer::Users(page) => page.unreadable,
        Answer::Policies(page) => page.unreadable,
        Answer::Teams(page) => page.unreadable,
        Answer::Schedules(page) => page.unreadable,
        Answer::Priorities(page) => page.unreadable,
        Answer::Oncalls(page) => page.unreadable,
        Answer::Subscriptions(page) => page.unreadable,
        _ => 0,
    }
}

/// Bodies of requests that we never make must not be taken for answers to those we do.
#[test]
fn no_body_makes_any_call_panic() {
    for row in manifest("rest_response") {
        let body = fixture(row["file"].as_str().unwrap());
        for call in every_call() {
            let outcome = read(&call, &reply(200, body.clone()), read_at());
            assert!(matches!(outcome, Outcome::Done(_) | Outcome::Unclear(_)));
        }
    }
}

fn incident(file: &str) -> IncidentRead {
    let call = Call::ReadIncident {
        id: "Q1".to_owned(),
    };
    match read(&call, &reply(200, fixture(file)), read_at()) {
        Outcome::Done(Answer::Incident(incident)) => *incident,
        other => panic!("{other:?}"),
    }
}

#[test]
fn incidents_of_rest_become_snapshots() {
    let mut all = String::new();
    for file in [
        "incident-get",
        "incident-create",
        "incident-get-merged-source",
    ] {
        writeln!(
            all,
            "{}",
            shown(&incident(&format!("rest/{file}.json")).snapshot)
        )
        .unwrap();
    }
    insta::assert_snapshot!(all, @r#"
    Q0HLINC0000001 as of 2026-03-10T08:17:41Z, acknowledged, high, priority P2, on PSVCA01, policy PEPOL01, assigned [Mira Okafor]
    Q0HLINC0000002 as of 2026-03-10T08:20:00Z, triggered, high, priority none, on PSVCB02, policy PEPOL01, assigned [Mira Okafor]
    Q0HLINC0000002 as of 2026-03-10T08:31:12Z, resolved, high, priority none, on PSVCB02, policy PEPOL01, assigned [], merged into Q0HLINC0000001
    "#);
}

#[test]
fn a_read_incident_carries_who_acknowledged_and_who_changed_it_last() {
    let incident = incident("rest/incident-get.json");
    assert_eq!(incident.snapshot.read_at, Some(read_at()));
    assert_eq!(incident.snapshot.number, Some(4101));
    assert_eq!(incident.snapshot.incident_key, None);
    assert_eq!(
        incident.last_status_change_at,
        Some(at("2026-03-10T08:17:41Z"))
    );
    assert_eq!(
        incident.last_status_change_by.unwrap().label(),
        Some("Mira Okafor")
    );
    assert_eq!(incident.acknowledgements[0].at, at("2026-03-10T08:17:41Z"));
    assert_eq!(
        incident.acknowledgements[0].by.id.as_deref(),
        Some("PUSRA01")
    );
    assert_eq!(incident.resolved_at, None);
}

#[test]
fn only_the_answer_to_a_create_carries_the_secret_and_debug_hides_it() {
    let create = every_call()
        .into_iter()
        .find(|call| call.name() == "create_subscription")
        .unwrap();
    let body = fixture("rest/webhook-subscription-create.json");
    let outcome = read(&create, &reply(201, body), read_at());
    let shown = format!("{outcome:?}");
    assert!(
        shown.contains("secret: Some([hidden])") && !shown.contains("HLsim0secret"),
        "{shown}"
    );
    let Outcome::Done(Answer::Subscription(created)) = outcome else {
        panic!("{shown}");
    };
    assert!(created.secret.unwrap().expose().starts_with("HLsim0secret"));
    assert!(created.active && !created.temporarily_disabled);

    let call = Call::ListSubscriptions { offset: 0 };
    let body = fixture("rest/webhook-subscriptions-list.json");
    let Outcome::Done(Answer::Subscriptions(page)) = read(&call, &reply(200, body), read_at())
    else {
        panic!("no list");
    };
    assert_eq!(page.items[0].secret, None);
    assert!(page.items[0].temporarily_disabled);
}

fn incidents(offset: u32, body: &str) -> Page<IncidentRead> {
    match read(
        &Call::ListOpenIncidents { offset },
        &reply(200, body),
        read_at(),
    ) {
        Outcome::Done(Answer::Incidents(page)) => page,
        other => panic!("{other:?}"),
    }
}

#[test]
fn pages_go_on_by_what_came_not_by_what_is_echoed() {
    let page = incidents(
        300,
        r#"{"incidents":[{"id":"Q1"},{"no":"id"}],"offset":0,"limit":100,"more":true,"total":"912"}"#,
    );
    assert_eq!((page.items.len(), page.unreadable), (1, 1));
    assert_eq!(page.next_offset, Some(302));
    assert_eq!(page.total, Some(912));
    // A page that claims more and has nothing would be asked for ever.
    let page = incidents(300, r#"{"incidents":[],"more":true}"#);
    assert!(page.more && page.next_offset.is_none());
    let page = incidents(0, r#"{"incidents":[{"id":"Q1"}],"more":false}"#);
    assert_eq!(page.next_offset, None);
}

#[test]
fn a_success_that_cannot_be_read_is_unclear() {
    for body in [
        "",
        "<html>",
        "[]",
        "null",
        "{}",
        r#"{"incident":null}"#,
        r#"{"incident":{"id":null}}"#,
    ] {
        for call in every_call() {
            if matches!(
                call.name(),
                "enable_subscription" | "delete_subscription" | "ping_subscription"
            ) {
                continue;
            }
            let outcome = read(&call, &reply(201, body), read_at());
            assert!(
                matches!(outcome, Outcome::Unclear(_)),
                "{} {body}: {outcome:?}",
                call.name()
            );
        }
    }
    // A list that is missing is not an empty list, and neither is null.
    let call = Call::FindByKey { key: key("k") };
    for body in [r#"{"incidents":null}"#, r#"{"services":[]}"#] {
        assert!(matches!(
            read(&call, &reply(200, body), read_at()),
            Outcome::Unclear(_)
        ));
    }
}

#[test]
fn calls_that_answer_nothing_are_done_with_any_2xx() {
    for name in [
        "enable_subscription",
        "delete_subscription",
        "ping_subscription",
    ] {
        let call = every_call()
            .into_iter()
            .find(|call| call.name() == name)
            .unwrap();
        for status in [200, 202, 204] {
            assert_eq!(
                read(&call, &reply(status, ""), read_at()),
                Outcome::Done(Answer::Nothing)
            );
        }
    }
}

#[test]
fn a_lost_answer_is_unclear_for_writes_only() {
    for call in every_call() {
        let lost = transport_outcome(&call, Transport::MaybeSent);
        assert_eq!(
            matches!(lost, Outcome::Unclear(_)),
            call.is_write(),
            "{}",
            call.name()
        );
        for (failure, why) in [
            (Transport::NotSent, WaitReason::Unreachable),
            (Transport::Tls, WaitReason::Tls),
            (Transport::Dns, WaitReason::Dns),
        ] {
            let outcome = transport_outcome(&call, failure);
            assert_eq!(
                outcome,
                Outcome::Wait {
                    after_ms: None,
                    why
                }
            );
        }
    }
}
