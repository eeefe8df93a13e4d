//! Who may ask.

use axum::http::HeaderValue;
use serde_json::{Value, json};

use super::{FAR, NEAR, Server, request};

struct Case {
    peer: &'static str,
    headers: &'static [(&'static str, &'static str)],
    status: u16,
    code: &'static str,
}

const fn case(
    peer: &'static str,
    headers: &'static [(&'static str, &'static str)],
    status: u16,
    code: &'static str,
) -> Case {
    Case {
        peer,
        headers,
        status,
        code,
    }
}

const CASES: [Case; 11] = [
    case(NEAR, &[], 200, ""),
    case("[::1]:50000", &[("host", "[::1]:8080")], 200, ""),
    case(FAR, &[], 401, "no_token"),
    // A name that was bent to point at this machine.
    case(NEAR, &[("host", "evil.example:8080")], 401, "no_token"),
    // Somebody behind a proxy on this machine.
    case(NEAR, &[("x-forwarded-for", "203.0.113.7")], 401, "no_token"),
    case(NEAR, &[("forwarded", "for=203.0.113.7")], 401, "no_token"),
    // A page of another site, and one of ours.
    case(
        NEAR,
        &[("origin", "https://evil.example")],
        403,
        "foreign_origin",
    ),
    case(NEAR, &[("origin", "null")], 403, "foreign_origin"),
    case(NEAR, &[("origin", "http://localhost:8080")], 200, ""),
    case(
        NEAR,
        &[("authorization", "Bearer imt_unknown")],
        401,
        "bad_token",
    ),
    case(NEAR, &[("authorization", "Basic abc")], 401, "bad_token"),
];

#[tokio::test]
async fn only_the_machine_itself_needs_no_token() {
    let server = Server::start();
    for (number, case) in CASES.iter().enumerate() {
        let mut request = request(case.peer, "GET", "/api/v1/incidents", &Value::Null);
        for (name, value) in case.headers {
            request
                .headers_mut()
                .insert(*name, HeaderValue::from_static(value));
        }
        let answer = server.send(request).await;
        let body = answer.is(case.status);
        assert_eq!(
            body["code"].as_str().unwrap_or_default(),
            case.code,
            "case {number}"
        );
    }
}

#[tokio::test]
async fn a_server_for_everybody_wants_a_token_from_everybody() {
    let server = Server::listening(false);
    let answer = server.get("/api/v1/incidents").await;
    assert_eq!(answer.is(401)["code"], "no_token");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    let hint = answer.body["hint"].as_str().unwrap();
    assert!(hint.contains("im token create"), "{hint}");
    server.get("/health").await.is(200);
    server.get("/metrics").await.is(401);
}

async fn with_token(server: &Server, token: &str, acts_as: Option<&str>) -> (u16, Value) {
    let body = json!({"title": "x", "severity": "SEV-3"});
    let mut request = request(FAR, "POST", "/api/v1/incidents", &body);
    let headers = request.headers_mut();
    let value = format!("Bearer {token}").parse().unwrap();
    headers.insert("authorization", value);
    if let Some(person) = acts_as {
        headers.insert("im-as", person.parse().unwrap());
    }
    let answer = server.send(request).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_token_lives_from_create_to_revoke() {
    let server = Server::start();
    let new = json!({"name": "ci"});
    let made = server.post("/api/v1/tokens", new.clone()).await;
    let secret = made.is(201)["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("imt_") && secret.len() == 68, "{secret}");
    assert_eq!(
        server.post("/api/v1/tokens", new).await.is(409)["code"],
        "name_taken"
    );

    let (status, body) = with_token(&server, &secret, None).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(
        body["incident"]["declared_by"],
        json!({"kind": "api", "id": null, "name": "ci"})
    );
    let listed = server.get("/api/v1/tokens").await;
    let listed = &listed.is(200)[0];
    assert_eq!(listed["last_used_at"], "2026-11-20T09:14:05.12Z");
    assert!(listed.get("secret").is_none());

    server.delete("/api/v1/tokens/ci").await.is(204);
    server.delete("/api/v1/tokens/ci").await.is(404);
    assert_eq!(with_token(&server, &secret, None).await.0, 401);
}

#[tokio::test]
async fn a_token_of_a_person_speaks_for_that_person_alone() {
    let server = Server::start();
    let new = json!({"name": "ann", "email": "ann@example.com"});
    let made = server.post("/api/v1/tokens", new).await;
    let secret = made.is(201)["secret"].as_str().unwrap().to_owned();
    let (_, body) = with_token(&server, &secret, None).await;
    assert_eq!(body["incident"]["declared_by"]["id"], "ann@example.com");
    let (status, body) = with_token(&server, &secret, Some("bob@example.com")).await;
    assert_eq!((status, &body["code"]), (403, &json!("not_your_name")));

    let new = json!({"name": "bot"});
    let made = server.post("/api/v1/tokens", new).await;
    let secret = made.is(201)["secret"].as_str().unwrap().to_owned();
    let (_, body) = with_token(&server, &secret, Some("bob@example.com")).await;
    assert_eq!(body["incident"]["declared_by"]["id"], "bob@example.com");
    let (status, _) = with_token(&server, &secret, Some("nobody")).await;
    assert_eq!(status, 400);
}
