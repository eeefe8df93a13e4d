//! Every documented webhook, and those that are not.

use std::fmt::Write as _;

use im_pagerduty::{BodyError, Subject, read_envelope, read_webhook};

use crate::support::{at, fixture, heard, names, shown};

fn told(body: &[u8]) -> String {
    match read_webhook(body).unwrap().subject {
        Subject::Incident(all) => heard(&all),
        Subject::Service(event) => format!("service {}\n", event.service.id),
        Subject::Ping => "ping\n".to_owned(),
        Subject::Unknown { incident_id } => format!("unknown, incident {incident_id:?}\n"),
    }
}

#[test]
fn each_documented_event_becomes_its_fact() {
    let mut all = String::new();
    for name in names("webhooks") {
        let body = fixture(&format!("webhooks/{name}"));
        write!(all, "{}", told(&body)).unwrap();
    }
    insta::assert_snapshot!(all, @r#"
    Q0HLINC0000001: 2026-03-10T08:17:41.118Z acknowledged by user Mira Okafor
    Q0HLINC0000001: 2026-03-10T08:34:00.1Z other by user Mira Okafor value="incident.action_invocation.created" detail="Restart workers (created)"
    Q0HLINC0000001: 2026-03-10T08:34:30.1Z other by none value="incident.action_invocation.terminated" detail="Restart workers (completed)"
    Q0HLINC0000001: 2026-03-10T08:34:05.1Z other by none value="incident.action_invocation.updated" detail="Restart workers (running)"
    Q0HLINC0000001: 2026-03-10T08:22:30.01Z noted by user Mira Okafor value="Rolling back release 412." detail="PNOTE01"
    Q0HLINC0000001: 2026-03-10T08:24:00.01Z other by user Mira Okafor value="incident.conference_bridge.updated" detail="https://meet.harbor-lantern.example/4101"
    Q0HLINC0000001: 2026-03-10T11:01:00.33Z fields_changed by user Tomas Lindqvist value="production" detail="environment"
    Q0HLINC0000001: 2026-03-10T09:57:00.777Z delegated by user Tomas Lindqvist to [Aiko Brandt] value="Platform backstop" detail="PEPOL02"
    Q0HLINC0000001: 2026-03-10T09:55:00.301Z escalated by none to [Tomas Lindqvist]
    Q0HLINC0000001: 2026-03-10T10:01:00.9Z other by user Tomas Lindqvist value="incident.incident_type.changed" detail="security_incident"
    Q0HLINC0000001: 2026-03-10T09:58:00.123Z priority_changed by user Tomas Lindqvist value="P1"
    Q0HLINC0000001: 2026-03-10T09:56:12.001Z assigned by user Tomas Lindqvist to [Aiko Brandt]
    Q0HLINC0000001: 2026-03-10T11:40:00.222Z reopened by user Tomas Lindqvist
    Q0HLINC0000001: 2026-03-10T11:20:45.654Z resolved by user Tomas Lindqvist value="human"
    Q0HLINC0000002: 2026-03-10T08:31:12.003Z resolved by user Mira Okafor value="merge" detail="Q0HLINC0000001"
    Q0HLINC0000001: 2026-03-10T08:26:00.5Z responder by user Mira Okafor to [Aiko Brandt] value="pending" detail="Need ledger knowledge on the bridge"
    Q0HLINC0000001: 2026-03-10T08:29:00.5Z responder by user Aiko Brandt to [Aiko Brandt] value="joined"
    Q0HLINC0000001: 2026-03-10T08:30:00.1Z other by user Mira Okafor to [Mira Okafor] value="incident.role.assigned" detail="Incident Commander"
    Q0HLINC0000001: 2026-03-10T09:59:30.45Z service_changed by user Tomas Lindqvist value="Ledger Worker" detail="PSVCB02"
    Q0HLINC0000001: 2026-03-10T08:28:00.05Z status_updated by user Mira Okafor value="Rollback in progress, recovery expected within 15 minutes." detail="PSTUP01"
    Q0HLINC0000001: 2026-03-10T08:45:00.1Z other by user Aiko Brandt to [Aiko Brandt] value="incident.task.completed" detail="Draft customer notice (done)"
    Q0HLINC0000001: 2026-03-10T08:32:00.1Z other by user Mira Okafor to [Aiko Brandt] value="incident.task.created" detail="Draft customer notice (todo)"
    Q0HLINC0000001: 2026-03-10T08:33:00.1Z other by user Aiko Brandt to [Aiko Brandt] value="incident.task.updated" detail="Draft customer notice (todo)"
    Q0HLINC0000001: 2026-03-10T08:14:05.412Z triggered by service Checkout API value="Checkout error rate above 5%"
    Q0HLINC0000001: 2026-03-10T09:25:00.02Z unacknowledged by none
    Q0HLINC0000001: 2026-03-10T08:35:09.1Z other by none value="incident.workflow.completed" detail="Major incident"
    Q0HLINC0000001: 2026-03-10T08:35:00.1Z other by user Mira Okafor value="incident.workflow.started" detail="Major incident"
    ping
    service PSVCA01
    service PSVCA01
    service PSVCA01
    service PSVCA01
    "#);
}

#[test]
fn the_fact_of_an_incident_event_shows_the_incident() {
    let mut all = String::new();
    for name in ["triggered", "reopened", "resolved.merged"] {
        let body = fixture(&format!("webhooks/incident.{name}.json"));
        let Subject::Incident(told) = read_webhook(&body).unwrap().subject else {
            panic!("{name}");
        };
        let snapshot = told[0].snapshot().unwrap();
        assert_eq!(snapshot.read_at, None);
        writeln!(all, "{}", shown(snapshot)).unwrap();
    }
    insta::assert_snapshot!(all, @r#"
    Q0HLINC0000001 as of 2026-03-10T08:14:05.412Z, triggered, high, priority none, on PSVCA01, policy PEPOL01, assigned [Mira Okafor]
    Q0HLINC0000001 as of 2026-03-10T11:40:00.222Z, triggered, high, priority P1, on PSVCA01, policy PEPOL01, assigned [Mira Okafor]
    Q0HLINC0000002 as of 2026-03-10T08:31:12.003Z, resolved, high, priority none, on PSVCB02, policy PEPOL01, assigned [], merged into Q0HLINC0000001
    "#);
}

#[test]
fn the_door_reads_the_same_id_and_type_as_the_whole_reader() {
    for name in names("webhooks") {
        let body = fixture(&format!("webhooks/{name}"));
        let whole = read_webhook(&body).unwrap();
        let envelope = read_envelope(&body).unwrap();
        assert_eq!(envelope.event_id, whole.event_id);
        assert_eq!(envelope.event_type, whole.event_type);
        assert!(matches!(envelope.event_id, std::borrow::Cow::Borrowed(_)));
    }
}

fn event(event_type: &str, data: &str) -> Vec<u8> {
    format!(
        r#"{{"event":{{"id":"E1","event_type":"{event_type}","occurred_at":"2026-03-10T08:00:00.5Z",
            "agent":null,"data":{data}}}}}"#
    )
    .into_bytes()
}

#[test]
fn what_we_do_not_know_names_the_incident_where_it_can() {
    let body = event(
        "incident.moon.rose",
        r#"{"type":"incident_moon","id":"M1","incident":{"id":"Q1"}}"#,
    );
    assert_eq!(told(&body), "unknown, incident Some(\"Q1\")\n");
    let body = event("team.created", r#"{"type":"team","id":"T1"}"#);
    assert_eq!(told(&body), "unknown, incident None\n");
    for data in ["null", "[]", "7", "\"x\"", "{}"] {
        assert_eq!(
            told(&event("incident.triggered", data)),
            "unknown, incident None\n"
        );
    }
}

#[test]
fn a_new_event_about_an_incident_is_kept_with_the_incident_it_shows() {
    let body = event(
        "incident.frozen",
        r#"{"type":"incident","id":"Q1","status":"frozen"}"#,
    );
    let Subject::Incident(told) = read_webhook(&body).unwrap().subject else {
        panic!("not about an incident");
    };
    assert_eq!(
        heard(&told),
        "Q1: 2026-03-10T08:00:00.5Z other by none value=\"incident.frozen\"\n"
    );
    assert_eq!(told[0].snapshot().unwrap().status, None);
}

#[test]
fn a_note_is_never_taken_for_an_incident() {
    let body = event(
        "incident.annotated",
        r#"{"type":"incident_note","id":"N1","content":"hello","trimmed":true,"incident":{"id":"Q1"}}"#,
    );
    let Subject::Incident(told) = read_webhook(&body).unwrap().subject else {
        panic!("not about an incident");
    };
    assert_eq!(told[0].incident_id.as_deref(), Some("Q1"));
    assert_eq!(told[0].facts[0].detail.as_deref(), Some("N1"));
    assert!(told[0].about.trimmed);
    assert_eq!(told[0].snapshot(), None);
}

#[test]
fn roles_of_several_incidents_are_told_apart() {
    let body = event(
        "incident.role.assigned",
        r#"{"type":"incident_role_assignment","incident_role_assignments":[
            {"role":{"id":"R1","summary":"Commander"},"assignee":{"id":"U1"},"incident":{"id":"Q1"}},
            {"role":{"id":"R1","summary":"Commander"},"assignee":null,"incident":{"id":"Q2"}},
            {"role":null,"incident":null}]}"#,
    );
    insta::assert_snapshot!(told(&body), @r#"
    Q1: 2026-03-10T08:00:00.5Z other by none to [U1] value="incident.role.assigned" detail="Commander"
    Q2: 2026-03-10T08:00:00.5Z other by none value="incident.role.assigned" detail="Commander"
    "#);
}

#[test]
fn nulls_and_other_shapes_read_as_absent() {
    let body = event(
        "incident.triggered",
        r#"{"type":"incident","id":"Q1","number":"17","title":null,"service":"PSVC","assignees":null,
            "teams":7,"priority":[],"urgency":{},"resolve_reason":null,"created_at":"yesterday",
            "conference_bridge":{"conference_number":49}}"#,
    );
    let Subject::Incident(told) = read_webhook(&body).unwrap().subject else {
        panic!("not about an incident");
    };
    let snapshot = told[0].snapshot().unwrap();
    assert_eq!(snapshot.number, Some(17));
    assert_eq!(snapshot.created_at, None);
    assert_eq!(snapshot.priority, Some(None));
    assert_eq!(snapshot.assignees.as_deref(), Some([].as_slice()));
    assert_eq!(snapshot.version, at("2026-03-10T08:00:00.5Z"));
}

#[test]
fn fields_that_were_not_shown_are_not_empty() {
    let body = event("incident.acknowledged", r#"{"type":"incident","id":"Q1"}"#);
    let Subject::Incident(told) = read_webhook(&body).unwrap().subject else {
        panic!("not about an incident");
    };
    let snapshot = told[0].snapshot().unwrap();
    assert_eq!(snapshot.priority, None);
    assert_eq!(snapshot.assignees, None);
    assert_eq!(snapshot.teams, None);
}

#[test]
fn bodies_that_are_no_webhooks_are_refused_by_name() {
    let missing_time = br#"{"event":{"id":"E1","event_type":"incident.triggered","data":{}}}"#;
    for (body, expect) in [
        (
            br#"{"messages":[{"event":"incident.trigger"}]}"#.as_slice(),
            "a webhook of the second generation (`messages`): replace the extension by a Generic Webhook (v3) subscription",
        ),
        (
            br#"{"test":"ping"}"#,
            "no `event` object: not a PagerDuty webhook",
        ),
        (b"[]", "no `event` object: not a PagerDuty webhook"),
        (br#"{"event":{"event_type":"x"}}"#, "the event has no `id`"),
        (br#"{"event":{"id":"E1"}}"#, "the event has no `event_type`"),
        (
            b"{\"event\":\n  nope}",
            "not JSON: error in line 2, column 4",
        ),
        (missing_time, "the event has no `occurred_at`"),
    ] {
        assert_eq!(read_webhook(body).unwrap_err().to_string(), expect);
        let door = read_envelope(body);
        if body == missing_time {
            // The door only needs to store it.
            assert!(door.is_ok());
        } else {
            assert_eq!(door.unwrap_err().to_string(), expect);
        }
    }
    assert_eq!(
        read_webhook(b"").unwrap_err(),
        BodyError::Syntax { line: 1, column: 0 }
    );
}
