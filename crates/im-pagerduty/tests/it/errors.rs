//! Refusals, and what they mean.

use std::fmt::Write as _;

use im_pagerduty::{Call, Outcome, Reply, WaitReason, Why, read};

use crate::support::{every_call, fixture, manifest, read_at, reply};

fn call(name: &str) -> Call {
    every_call()
        .into_iter()
        .find(|call| call.name() == name)
        .unwrap()
}

fn say(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::Wait { after_ms, why } => format!("wait {after_ms:?} {}", why.as_str()),
        Outcome::Gone => "gone".to_owned(),
        Outcome::Refused(refusal) => format!("{}: {refusal}", refusal.why.as_str()),
        Outcome::Unclear(what) => format!("unclear: {what}"),
    }
}

#[test]
fn each_documented_error_has_its_class() {
    let mut all = String::new();
    for row in manifest("rest_error") {
        let file = row["file"].as_str().unwrap();
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let call = match (
            row["method"].as_str().unwrap(),
            row["path"].as_str().unwrap(),
        ) {
            ("GET", "/incidents") => call("list_incidents"),
            ("GET", "/users/me") => Call::ReadMe,
            ("GET", _) => call("read_incident"),
            ("POST", "/webhook_subscriptions") => call("create_subscription"),
            ("POST", "/incidents") => call("create_incident"),
            _ => call("update_incident"),
        };
        let outcome = read(&call, &reply(status, fixture(file)), read_at());
        let name = file
            .trim_start_matches("rest/errors/")
            .trim_end_matches(".json");
        writeln!(all, "{name} = {}", say(&outcome)).unwrap();
    }
    insta::assert_snapshot!(all, @r#"
    incident-create-duplicate-key = duplicate_key: Arguments Caused Error: Open incident with matching dedup key already exists on this service (HTTP 400, code 2002)
    incident-create-service-not-found = invalid: Arguments Caused Error: Service not found (HTTP 400, code 2002)
    incident-create-empty-title = invalid: Invalid Input Provided: Title cannot be empty. (HTTP 400, code 2001)
    missing-from-header = missing_from: You must specify a user's email address in the "From" header to perform this action (HTTP 400, code 2016)
    unknown-from-user = unknown_from: Requester User Not Found (HTTP 400, code 1008)
    already-resolved = already_in_state: Incident Already Resolved (HTTP 400, code 1001)
    invalid-status = invalid: Invalid Input Provided: Status must be a list of triggered, acknowledged, or resolved. (HTTP 400, code 2001)
    content-type-missing = invalid: Invalid Input Provided: params must be a Hash (HTTP 400, code 2001)
    unauthorized = bad_key: Authentication failed (HTTP 401, code 2006)
    ability-missing = plan_lacks: Missing Account Ability: Your account does not have the 'coordinated_responding' ability (HTTP 402, code 2014)
    forbidden = forbidden: Access Denied (HTTP 403, code 2010)
    forbidden-scope = forbidden: Access Denied (needs incidents.read) (HTTP 403, code 2010)
    not-found = gone
    payload-too-many = too_many: Invalid Input Provided: Too many incidents (HTTP 413, code 2001)
    rate-limited = wait None rate_limited
    webhook-limit = limit_reached: Product Limit Reached: Failed to create webhook. Webhook subscription limit exceeded for the selected scope. (HTTP 400, code 2019)
    past-window-pagination = window_too_large: Invalid Input Provided: Offset must be less than or equal to 9975. (HTTP 400, code 2001)
    users-me-with-account-key = account_key: account-level access token cannot be used with this endpoint (HTTP 400)
    "#);
}

#[track_caller]
fn check(name: &str, status: u16, body: &str, expect: &str) {
    assert_eq!(
        say(&read(&call(name), &reply(status, body), read_at())),
        expect
    );
}

fn error(message: &str, code: i64, errors: &str) -> String {
    format!(r#"{{"error":{{"message":"{message}","code":{code},"errors":{errors}}}}}"#)
}

#[track_caller]
fn check_why(name: &str, status: u16, body: &str, expect: Why) {
    match read(&call(name), &reply(status, body), read_at()) {
        Outcome::Refused(refusal) => assert_eq!(refusal.why, expect),
        other => panic!("{other:?}"),
    }
}

#[test]
fn odd_error_bodies_are_read() {
    check(
        "read_me",
        400,
        r#"{"error":["one","two"]}"#,
        "invalid: one: two (HTTP 400)",
    );
    check(
        "read_me",
        400,
        r#"{"error":{"message":"no","errors":"one"}}"#,
        "invalid: no: one (HTTP 400)",
    );
    check(
        "read_me",
        400,
        r#"{"error":{"message":"no","code":"1008"}}"#,
        "unknown_from: no (HTTP 400, code 1008)",
    );
    check(
        "read_me",
        422,
        r#"{"errors":{"name":["too long","taken"]}}"#,
        "invalid: name: too long: name: taken (HTTP 422)",
    );
    let silent = "other: PagerDuty refused and did not say why (HTTP 405)";
    for body in [
        "",
        "<html>gone</html>",
        "7",
        "{}",
        "null",
        r#"{"error":null}"#,
    ] {
        check("read_me", 405, body, silent);
    }
}

#[test]
fn texts_decide_where_a_code_has_several_meanings() {
    let list = "list_incidents";
    let offset = |text: &str, code| error("Arguments Caused Error", code, &format!("[\"{text}\"]"));
    check_why(
        list,
        400,
        &offset("Offset must be less than or equal to 9975.", 2001),
        Why::WindowTooLarge,
    );
    check_why(
        list,
        400,
        &offset("Offset plus limit cannot exceed 10000", 2002),
        Why::WindowTooLarge,
    );
    check_why(
        list,
        400,
        &error("Invalid Query Date Range", 2005, "[]"),
        Why::WindowTooLarge,
    );
    check_why(
        "read_me",
        400,
        &error("Invalid Query Date Range", 2005, "[]"),
        Why::Invalid,
    );
}

#[test]
fn what_cannot_be_made_or_changed_says_why() {
    let create = "create_incident";
    check_why(
        create,
        400,
        &error("Incident could not be created", 2001, "[]"),
        Why::NobodyOnCall,
    );
    check_why(create, 400, &error("x", 1015, "[]"), Why::NobodyOnCall);
    check_why(
        create,
        400,
        &error("x", 5002, "[\"Service Not Found\"]"),
        Why::Invalid,
    );
    check_why(
        "add_note",
        400,
        &error("Simple Log Entry Limit Reached", 5002, "[]"),
        Why::LimitReached,
    );
    check_why(
        "add_note",
        400,
        &error("Product Limit Reached", 2019, "[]"),
        Why::LimitReached,
    );
    check_why(
        "update_incident",
        400,
        &error("x", 1002, "[]"),
        Why::AlreadyInState,
    );
    check_why(
        "update_incident",
        403,
        &error("x", 1018, "[]"),
        Why::Forbidden,
    );
    check_why(
        "update_incident",
        403,
        &error("This key is read-only", 2010, "[]"),
        Why::ReadOnly,
    );
    check_why(
        "read_incident",
        403,
        &error("This key is read-only", 2010, "[]"),
        Why::Forbidden,
    );
    let scopes = r#"{"error":{"message":"x","required_scopes":["incidents.write"],"token_scopes":["incidents.read"]}}"#;
    check_why("update_incident", 403, scopes, Why::ReadOnly);
}

#[test]
fn what_passes_by_itself_waits() {
    let locked = error("x", 2001, "[\"Incident could not be locked\"]");
    check("add_note", 400, &locked, "wait None locked");
    check(
        "read_incident",
        400,
        &error("Rate Limit Exceeded", 2020, "[]"),
        "wait None rate_limited",
    );
    check("read_incident", 503, "<html>", "wait None server");
    check("update_incident", 500, "", "wait None server");
    check(
        "update_incident",
        400,
        &error("took too long to process", 2016, "[]"),
        "wait None server",
    );
    check("read_incident", 408, "", "wait None server");
}

#[test]
fn a_write_that_must_not_happen_twice_is_unclear_when_pagerduty_is_ill() {
    for name in ["create_incident", "add_note", "create_subscription"] {
        for status in [408, 500, 502, 503, 504] {
            check(
                name,
                status,
                "",
                &format!("unclear: PagerDuty answered {status}"),
            );
        }
    }
}

#[test]
fn a_limit_says_how_long_to_wait_where_pagerduty_does() {
    let mut limited = Reply {
        status: 429,
        headers: vec![
            ("RateLimit-Limit".to_owned(), "960".to_owned()),
            ("ratelimit-remaining".to_owned(), " 0 ".to_owned()),
            ("RATELIMIT-RESET".to_owned(), "20".to_owned()),
        ],
        body: Vec::new(),
    };
    let outcome = read(&call("read_incident"), &limited, read_at());
    let after_ms = Some(20_000);
    assert_eq!(
        outcome,
        Outcome::Wait {
            after_ms,
            why: WaitReason::RateLimited
        }
    );
    let limits = limited.limits();
    assert_eq!(
        (limits.limit, limits.remaining, limits.reset_s),
        (Some(960), Some(0), Some(20))
    );
    limited.headers[2].1 = "soon".to_owned();
    let outcome = read(&call("read_incident"), &limited, read_at());
    assert_eq!(
        outcome,
        Outcome::Wait {
            after_ms: None,
            why: WaitReason::RateLimited
        }
    );
}

#[test]
fn gone_is_gone_and_a_redirect_is_refused() {
    check("read_incident", 404, "<html>", "gone");
    check("delete_subscription", 410, "", "gone");
    check(
        "read_incident",
        301,
        "",
        "other: PagerDuty refused and did not say why (HTTP 301)",
    );
}

#[test]
fn the_request_id_is_kept_for_their_support() {
    let refused = Reply {
        status: 400,
        headers: vec![("X-Request-Id".to_owned(), "abc".to_owned())],
        body: Vec::new(),
    };
    match read(&call("read_incident"), &refused, read_at()) {
        Outcome::Refused(refusal) => assert_eq!(refusal.request_id.as_deref(), Some("abc")),
        other => panic!("{other:?}"),
    }
}
