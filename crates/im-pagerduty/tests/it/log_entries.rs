//! Every documented log entry, and the spellings seen elsewhere.

use im_pagerduty::{Answer, Call, Heard, Outcome, Page, read};

use crate::support::{fixture, heard, read_at, reply};

fn entries(body: impl Into<Vec<u8>>) -> Page<Heard> {
    let call = Call::IncidentLogEntries {
        id: "Q1".to_owned(),
        offset: 0,
    };
    match read(&call, &reply(200, body), read_at()) {
        Outcome::Done(Answer::LogEntries(page)) => page,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_documented_entry_becomes_its_fact() {
    let page = entries(fixture(
        "rest/incident-log-entries-list-include-channels.json",
    ));
    assert_eq!(page.unreadable, 0);
    insta::assert_snapshot!(heard(&page.items), @r#"
    Q0HLINC0000001: 2026-03-10T11:20:45Z resolved by user Tomas Lindqvist value="human" detail="Rolled back release 412"
    Q0HLINC0000001: 2026-03-10T11:00:00Z exhausted by service Checkout API
    Q0HLINC0000001: 2026-03-10T10:30:00Z other by service Checkout API value="repeat_escalation_path_log_entry"
    Q0HLINC0000001: 2026-03-10T09:58:30Z urgency_changed by user Tomas Lindqvist value="high"
    Q0HLINC0000001: 2026-03-10T09:58:00Z priority_changed by user Tomas Lindqvist value="P1" detail="PPRIO02"
    Q0HLINC0000001: 2026-03-10T09:57:00Z delegated by user Tomas Lindqvist to [Aiko Brandt]
    Q0HLINC0000001: 2026-03-10T09:55:00Z escalated by service Checkout API to [Tomas Lindqvist]
    Q0HLINC0000001: 2026-03-10T09:25:00Z unacknowledged by service Checkout API
    Q0HLINC0000001: 2026-03-10T08:25:00Z snoozed by user Mira Okafor value="2026-03-10T09:25:00Z"
    Q0HLINC0000001: 2026-03-10T08:22:30Z noted by user Mira Okafor value="Rolling back release 412."
    Q0HLINC0000001: 2026-03-10T08:17:41Z acknowledged by user Mira Okafor
    Q0HLINC0000001: 2026-03-10T08:16:10Z notified by service Checkout API to [Mira Okafor] value="email" detail="success"
    Q0HLINC0000001: 2026-03-10T08:16:09Z notified by service Checkout API to [Mira Okafor] value="phone" detail="success"
    Q0HLINC0000001: 2026-03-10T08:15:08Z notified by service Checkout API to [Mira Okafor] value="sms" detail="success"
    Q0HLINC0000001: 2026-03-10T08:14:07Z notified by service Checkout API to [Mira Okafor] value="push" detail="success"
    Q0HLINC0000001: 2026-03-10T08:14:05Z assigned by service Checkout API to [Mira Okafor]
    Q0HLINC0000001: 2026-03-10T08:14:05Z triggered by service Checkout API value="Checkout error rate above 5%" detail="PSVCA01 checkout/error-rate"
    "#);
    let trigger = page.items.last().unwrap();
    assert_eq!(trigger.incident_key.as_deref(), Some("checkout/error-rate"));
    let resolve = &page.items[0].about;
    assert_eq!(resolve.note.as_deref(), Some("Rolled back release 412"));
    assert_eq!(resolve.service.as_ref().unwrap().id, "PSVCA01");
}

#[test]
fn without_channels_the_rest_is_still_read() {
    let page = entries(fixture("rest/log-entries-list-no-include.json"));
    insta::assert_snapshot!(heard(&page.items), @r#"
    Q0HLINC0000001: 2026-03-10T08:14:05Z assigned by service Checkout API to [Mira Okafor]
    Q0HLINC0000001: 2026-03-10T08:14:05Z triggered by service Checkout API value="Checkout error rate above 5%" detail="PSVCA01"
    "#);
    assert!(page.more);
    assert_eq!(page.next_offset, Some(2));
}

#[track_caller]
fn check(fields: &str, expect: &str) {
    let body = format!(
        r#"{{"log_entries":[{{"id":"L1","created_at":"2026-03-10T08:00:00Z",
            "incident":{{"id":"Q1","summary":"[#7] [#8] Disk full"}},{fields}}}]}}"#
    );
    let page = entries(body);
    let told = heard(&page.items);
    let told = told.trim().trim_start_matches("Q1: 2026-03-10T08:00:00Z ");
    assert_eq!(told, expect);
}

#[test]
fn both_spellings_and_odd_shapes_are_read() {
    check(
        r#""type":"acknowledgement_log_entry""#,
        "acknowledged by none",
    );
    check(
        r#""type":"reassign_log_entry","assignees":[{"id":"U1"},null,7]"#,
        "assigned by none to [U1]",
    );
    check(
        r#""type":"reopen_log_entry","agent":{"id":"U1","type":"user"}"#,
        "reopened by user U1",
    );
    check(
        r#""type":"trigger_log_entry""#,
        "triggered by none value=\"[#8] Disk full\"",
    );
    check(
        r#""type":"merge_log_entry""#,
        "other by none value=\"merge_log_entry\"",
    );
    check(r#""type":7"#, "other by none value=\"7\"");
    check(r#""summary":"no type at all""#, "other by none value=\"\"");
    check(
        r#""type":"escalate_log_entry","escalation_level":"2","assignees":[{"id":"U1"}]"#,
        "escalated by none to [U1] detail=\"2\"",
    );
}

#[test]
fn the_resolver_is_the_first_that_holds() {
    let resolve = |agent: &str, channel: &str, expect: &str| {
        check(
            &format!(
                r#""type":"resolve_log_entry","agent":{agent},"channel":{{"type":"{channel}"}}"#
            ),
            expect,
        );
    };
    let user = r#"{"id":"U1","type":"user_reference"}"#;
    let service = r#"{"id":"S1","type":"service_reference"}"#;
    let tool = r#"{"id":"I1","type":"events_api_v2_inbound_integration_reference"}"#;
    resolve(user, "timeout", "resolved by user U1 value=\"human\"");
    resolve(service, "timeout", "resolved by service S1 value=\"timer\"");
    resolve(service, "auto", "resolved by service S1 value=\"timer\"");
    resolve(
        service,
        "api",
        "resolved by service S1 value=\"integration\"",
    );
    resolve(
        tool,
        "api",
        "resolved by integration I1 value=\"integration\"",
    );
    resolve("null", "api", "resolved by none value=\"api\"");
    resolve("null", "website", "resolved by none value=\"none\"");
}

#[test]
fn messages_have_one_word_for_each_channel() {
    for (theirs, ours) in [
        ("push_notification", "push"),
        ("ios_push_notification", "push"),
        ("phone_notification", "phone"),
        ("SMS", "sms"),
        ("short_email", "email"),
        ("whatsapp", "whatsapp"),
        ("slack_dm", "slack"),
        ("pigeon", "unknown"),
    ] {
        check(
            &format!(
                r#""type":"notify_log_entry","user":{{"id":"U1"}},
                   "channel":{{"type":"auto","notification":{{"type":"{theirs}","status":"success"}}}}"#
            ),
            &format!("notified by none to [U1] value={ours:?} detail=\"success\""),
        );
    }
    check(
        r#""type":"notify_log_entry","channel":{"type":"sms"}"#,
        "notified by none value=\"sms\"",
    );
    check(
        r#""type":"notify_log_entry""#,
        "notified by none value=\"unknown\"",
    );
}

#[test]
fn a_snooze_ends_at_an_instant() {
    check(
        r#""type":"snooze_log_entry","channel":{"duration":"90"}"#,
        "snoozed by none value=\"2026-03-10T08:01:30Z\"",
    );
    check(
        r#""type":"snooze_log_entry","changed_actions":[{"type":"unacknowledge","at":"2026-03-10T09:00:00+01:00"}]"#,
        "snoozed by none value=\"2026-03-10T08:00:00Z\"",
    );
    check(
        r#""type":"snooze_log_entry","channel":{"duration":-5}"#,
        "snoozed by none",
    );
}

#[test]
fn urgency_and_priority_are_found_where_they_are() {
    let high = "urgency_changed by none value=\"high\"";
    check(
        r#""type":"urgency_change_log_entry","channel":{"new_urgency":"high"}"#,
        high,
    );
    check(
        r#""type":"urgency_change_log_entry","changed_actions":[{"type":"urgency_change","to":"high"}]"#,
        high,
    );
    check(
        r#""type":"urgency_change_log_entry","summary":"Urgency changed from low to high.""#,
        high,
    );
    check(
        r#""type":"urgency_change_log_entry","summary":"Urgency changed""#,
        "urgency_changed by none",
    );
    check(
        r#""type":"priority_change_log_entry","summary":"Priority changed from \"P2\" to \"P1\".""#,
        "priority_changed by none value=\"P1\" detail=\"P2\"",
    );
    check(
        r#""type":"priority_change_log_entry","channel":{"old_priority":{"id":"X","name":"P2"},"new_priority":null}"#,
        "priority_changed by none detail=\"X\"",
    );
}

#[test]
fn the_end_of_a_policy_and_a_request_for_help_have_words_of_their_own() {
    check(
        r#""type":"exhaust_escalation_path_log_entry","channel":{"type":"auto"}"#,
        "exhausted by none",
    );
    check(
        r#""type":"responder_request_log_entry","assignees":[{"id":"U1","type":"user_reference","summary":"Ann"}],
            "channel":{"summary":"Please join"}"#,
        "responder by none to [Ann] value=\"pending\" detail=\"Please join\"",
    );
    // Nobody documents it: without a name it is told as it came.
    check(
        r#""type":"responder_request_log_entry","channel":{"summary":"Please join"}"#,
        "other by none value=\"responder_request_log_entry\"",
    );
}

#[test]
fn changed_fields_read_as_in_the_webhook() {
    check(
        r#""type":"custom_field_value_change_log_entry","channel":{"type":"website","changeset":
            {"customer_fields":[{"name":"environment","value":"production","old_value":"staging"},
            {"name":"regions","value":["eu","us"]},{"name":"owner","value":null}]}}"#,
        "fields_changed by none value=\"production\" detail=\"environment\"\n\
         Q1: 2026-03-10T08:00:00Z fields_changed by none value=\"eu, us\" detail=\"regions\"\n\
         Q1: 2026-03-10T08:00:00Z fields_changed by none detail=\"owner\"",
    );
}

#[test]
fn an_entry_without_id_or_time_is_counted_not_used() {
    let page =
        entries(r#"{"log_entries":[{"type":"resolve_log_entry"},{"id":"L1"},null,7],"more":true}"#);
    assert_eq!(page.items, []);
    assert_eq!(page.unreadable, 4);
    assert_eq!(page.next_offset, Some(4));
}
