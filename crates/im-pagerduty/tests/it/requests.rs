//! Calls as requests.

use std::fmt::Write as _;

use im_core::{PeerStatus, Urgency};
use im_pagerduty::{
    Call, Change, HttpRequest, IncidentKey, NewPriority, SubscriptionFilter, authorization, bearer,
    request,
};
use serde_json::Value;

use crate::support::{at, every_call, fixture, key};

fn text(request: &HttpRequest) -> String {
    let mut text = format!("{} {}", request.method.as_str(), request.path_and_query);
    for (name, value) in &request.headers {
        if *name == "Accept" {
            assert_eq!(value, "application/vnd.pagerduty+json;version=2");
        } else {
            write!(text, "\n  {name}: {value}").unwrap();
        }
    }
    if let Some(body) = &request.body {
        write!(text, "\n  {}", std::str::from_utf8(body).unwrap()).unwrap();
    }
    text
}

#[test]
fn each_call_has_its_request() {
    let mut all = String::new();
    for call in every_call() {
        let request = request(&call);
        assert!(request.headers.iter().any(|(name, _)| *name == "Accept"));
        assert!(
            request
                .headers
                .iter()
                .all(|(name, _)| *name != "Authorization")
        );
        writeln!(all, "{}", text(&request)).unwrap();
    }
    insta::assert_snapshot!(all, @r#"
    POST /incidents
      Content-Type: application/json
      From: ops@company.com
      {"incident":{"body":{"details":"Lag crossed ten minutes.","type":"incident_body"},"escalation_policy":{"id":"PEPOL01","type":"escalation_policy_reference"},"incident_key":"im/INC-42/1","priority":{"id":"PPRIO02","type":"priority_reference"},"service":{"id":"PSVCB02","type":"service_reference"},"title":"Ledger queue lag over 10 minutes","type":"incident","urgency":"high"}}
    PUT /incidents/Q0HLINC0000001
      Content-Type: application/json
      From: ops@company.com
      {"incident":{"status":"acknowledged","type":"incident_reference"}}
    PUT /incidents
      Content-Type: application/json
      From: ops@company.com
      {"incidents":[{"id":"Q0HLINC0000001","status":"resolved","type":"incident_reference"},{"id":"Q0HLINC0000002","status":"resolved","type":"incident_reference"}]}
    POST /incidents/Q0HLINC0000001/notes
      Content-Type: application/json
      From: ops@company.com
      {"note":{"content":"Rolling back release 412."}}
    PUT /incidents/Q0HLINC0000001/custom_fields/values
      Content-Type: application/json
      {"custom_fields":[{"name":"environment","value":"production"},{"name":"customers_hit","value":null}]}
    GET /incidents/Q0HLINC0000001
    GET /incidents/Q0HLINC0000001/notes
    GET /incidents?incident_key=im%2FINC-42%2F1&include%5B%5D=first_trigger_log_entries&date_range=all&sort_by=created_at%3Aasc&time_zone=UTC&limit=100&offset=0
    GET /incidents?date_range=all&statuses%5B%5D=triggered&statuses%5B%5D=acknowledged&sort_by=created_at%3Aasc&time_zone=UTC&limit=100&offset=0
    GET /incidents?since=2026-03-01T00%3A00%3A00Z&until=2026-03-08T00%3A00%3A00Z&statuses%5B%5D=triggered&statuses%5B%5D=acknowledged&statuses%5B%5D=resolved&sort_by=created_at%3Aasc&time_zone=UTC&limit=100&offset=0&total=true
    GET /log_entries?include%5B%5D=channels&time_zone=UTC&since=2026-03-01T00%3A00%3A00Z&until=2026-03-08T00%3A00%3A00Z&limit=100&offset=200
    GET /incidents/Q0HLINC0000001/log_entries?include%5B%5D=channels&time_zone=UTC&limit=100&offset=0
    GET /services?sort_by=name%3Aasc&limit=100&offset=100
    GET /services/PSVCA01
    GET /users?limit=100&offset=0
    GET /users?query=mira%2Bpd%40harbor-lantern.example&limit=100&offset=0
    GET /users/me
    GET /escalation_policies?sort_by=name%3Aasc&limit=100&offset=0
    GET /escalation_policies/PEPOL01?include%5B%5D=escalation_rule_assignment_strategies
    GET /teams?limit=100&offset=0
    GET /schedules?limit=100&offset=0
    GET /v3/schedules?limit=100&offset=100
    GET /priorities?limit=100&offset=0
    GET /abilities
    GET /incidents/types/incident_default/custom_fields?include%5B%5D=field_options
    GET /oncalls?escalation_policy_ids%5B%5D=PEPOL01&escalation_policy_ids%5B%5D=PEPOL02&user_ids%5B%5D=PUSER01&since=2026-03-01T00%3A00%3A00Z&until=2026-03-08T00%3A00%3A00Z&earliest=true&include%5B%5D=users&time_zone=UTC&limit=100&offset=0
    GET /webhook_subscriptions?limit=100&offset=0
    POST /webhook_subscriptions
      Content-Type: application/json
      {"webhook_subscription":{"delivery_method":{"type":"http_delivery_method","url":"https://im.example/connectors/prod/webhook"},"description":"im","events":["incident.triggered"],"filter":{"type":"account_reference"},"type":"webhook_subscription"}}
    GET /webhook_subscriptions/PWHSB01
    PUT /webhook_subscriptions/PWHSB01
      Content-Type: application/json
      {"webhook_subscription":{"active":true,"events":["incident.triggered"],"filter":{"id":"PSVC001","type":"service_reference"},"type":"webhook_subscription"}}
    POST /webhook_subscriptions/PWHSB01/enable
      Content-Type: application/json
    DELETE /webhook_subscriptions/PWHSB01
      Content-Type: application/json
    POST /webhook_subscriptions/PWHSB01/ping
      Content-Type: application/json
    "#);
}

fn body(call: &Call) -> Value {
    serde_json::from_slice(&request(call).body.unwrap()).unwrap()
}

fn update(change: Change) -> Value {
    body(&Call::UpdateIncident {
        id: "Q1".to_owned(),
        change,
        from: "a@b".to_owned(),
    })
}

fn documented(file: &str) -> Value {
    serde_json::from_slice(&fixture(&format!("rest/{file}.request.json"))).unwrap()
}

#[test]
fn bodies_are_those_of_the_documentation() {
    let create = Call::CreateIncident {
        key: key("sync-7f3c1f0e"),
        title: "Ledger queue lag over 10 minutes".to_owned(),
        service_id: "PSVCB02".to_owned(),
        urgency: Some(Urgency::High),
        priority_id: Some("PPRIO02".to_owned()),
        policy_id: Some("PEPOL01".to_owned()),
        body: Some("Lag crossed ten minutes at 08:19 UTC.".to_owned()),
        from: "a@b".to_owned(),
    };
    assert_eq!(body(&create), documented("incident-create"));
    let none = Change::default;
    let status = |status| Change {
        status: Some(status),
        ..none()
    };
    assert_eq!(
        update(status(PeerStatus::Acknowledged)),
        documented("incident-update")
    );
    let resolved = Change {
        resolution: Some("Rolled back release 412".to_owned()),
        ..status(PeerStatus::Resolved)
    };
    assert_eq!(update(resolved), documented("incident-resolve"));
    let reopened = Change {
        policy_id: Some("PEPOL02".to_owned()),
        ..status(PeerStatus::Triggered)
    };
    assert_eq!(update(reopened), documented("incident-reopen"));
    let assigned = Change {
        assignee_ids: vec!["PUSRC03".to_owned()],
        ..none()
    };
    assert_eq!(update(assigned), documented("incident-reassign"));
}

#[test]
fn what_is_not_to_change_is_not_sent() {
    assert!(Change::default().is_empty());
    let change = Change {
        title: Some("New".to_owned()),
        urgency: Some(Urgency::Low),
        priority: Some(NewPriority::Clear),
        service_id: Some("PSVCA01".to_owned()),
        resolution: Some("only with a resolve".to_owned()),
        ..Change::default()
    };
    insta::assert_snapshot!(update(change), @r#"
    {"incident":{"priority":null,"service":{"id":"PSVCA01","type":"service_reference"},"title":"New","type":"incident_reference","urgency":"low"}}
    "#);
}

#[test]
fn values_are_percent_encoded() {
    let find = Call::FindUser {
        email: "a+b&c=d#é@x.example".to_owned(),
    };
    assert_eq!(
        request(&find).path_and_query,
        "/users?query=a%2Bb%26c%3Dd%23%C3%A9%40x.example&limit=100&offset=0"
    );
    let read = Call::ReadIncident {
        id: "../users?x=1/ü".to_owned(),
    };
    assert_eq!(
        request(&read).path_and_query,
        "/incidents/..%2Fusers%3Fx%3D1%2F%C3%BC"
    );
    let note = Call::AddNote {
        id: "Q1".to_owned(),
        text: "line\n\"two\" ✓".to_owned(),
        from: "a@b\r\nX-Evil: 1".to_owned(),
    };
    assert_eq!(body(&note)["note"]["content"], "line\n\"two\" ✓");
    assert!(
        request(&note)
            .headers
            .contains(&("From", "a@bX-Evil: 1".to_owned()))
    );
}

#[test]
fn windows_go_to_the_second_outwards_and_only_the_first_page_counts() {
    let list = |offset| Call::ListIncidents {
        since: at("2026-03-01T00:00:00.9Z"),
        until: at("2026-03-01T00:00:01.1Z"),
        offset,
    };
    let first = request(&list(0)).path_and_query;
    assert!(
        first.contains("since=2026-03-01T00%3A00%3A00Z&until=2026-03-01T00%3A00%3A02Z"),
        "{first}"
    );
    assert!(first.ends_with("&total=true"), "{first}");
    assert!(!request(&list(100)).path_and_query.contains("total"));
}

#[test]
fn every_time_ends_in_z() {
    for call in every_call() {
        let path = request(&call).path_and_query;
        for part in path
            .split(['?', '&'])
            .filter(|part| part.starts_with("since") || part.starts_with("until"))
        {
            assert!(part.ends_with('Z'), "{path}");
        }
    }
}

#[test]
fn writes_name_their_content_and_incident_writes_name_a_person() {
    for call in every_call() {
        let request = request(&call);
        let has = |name| request.headers.iter().any(|(header, _)| *header == name);
        assert_eq!(has("Content-Type"), call.is_write(), "{}", call.name());
        let person = matches!(
            call.name(),
            "create_incident" | "update_incident" | "resolve_incidents" | "add_note"
        );
        assert_eq!(has("From"), person, "{}", call.name());
    }
}

#[test]
fn the_address_joins_base_and_path() {
    let request = request(&Call::ListAbilities);
    for base in ["https://api.pagerduty.com", "https://api.pagerduty.com/"] {
        assert_eq!(request.url(base), "https://api.pagerduty.com/abilities");
    }
    assert_eq!(authorization("abc"), "Token token=abc");
    assert_eq!(bearer("abc"), "Bearer abc");
}

#[test]
fn an_empty_key_cannot_be_said() {
    assert_eq!(IncidentKey::new(""), None);
    assert_eq!(IncidentKey::new("  "), None);
    assert_eq!(IncidentKey::new("é".repeat(256)), None);
    assert!(IncidentKey::new("é".repeat(255)).is_some());
    assert!(serde_json::from_str::<Call>(r#"{"call":"find_by_key","key":""}"#).is_err());
}

#[test]
fn calls_survive_being_stored() {
    let mut calls = every_call();
    for priority in [
        None,
        Some(NewPriority::Clear),
        Some(NewPriority::Set("P1".to_owned())),
    ] {
        let change = Change {
            priority,
            ..Change::default()
        };
        calls.push(Call::UpdateIncident {
            id: "Q1".to_owned(),
            change,
            from: "a@b".to_owned(),
        });
    }
    for filter in [
        SubscriptionFilter::Service("S".to_owned()),
        SubscriptionFilter::Team("T".to_owned()),
    ] {
        calls.push(Call::CreateSubscription {
            url: "https://x".to_owned(),
            description: String::new(),
            events: Vec::new(),
            filter,
        });
    }
    for call in calls {
        let stored = serde_json::to_string(&call).unwrap();
        assert_eq!(
            serde_json::from_str::<Call>(&stored).unwrap(),
            call,
            "{stored}"
        );
    }
}
