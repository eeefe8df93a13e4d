//! Each route has a rule, and each role may what it may.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use im::access::rules::{Need, RULES, Rule};
use im::http::auth::InProcess;
use im_store::accounts::Role;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::with_token;
use crate::http::{NEAR, Server, request};

#[path = "../../../../benches/bench/pages/routes.rs"]
mod measured;

fn rules() -> Vec<&'static Rule> {
    RULES.into_iter().flatten().collect()
}

fn name(rule: &Rule) -> String {
    format!("{} {}", rule.method, rule.path)
}

/// The routes of the API, from its description.
async fn described() -> BTreeSet<String> {
    let server = Server::start();
    let openapi = server.get("/api/v1/openapi.json").await;
    let paths = openapi.is(200)["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| -> Vec<String> {
        let methods = item.as_object().unwrap().keys();
        methods
            .map(|method| format!("{} {path}", method.to_uppercase()))
            .collect()
    };
    paths.iter().flat_map(of).collect()
}

/// The routes of the pages, from their source: `.route("…", get(…).post(…))`.
fn pages() -> BTreeSet<String> {
    let source = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/web")
            .join(file);
        fs::read_to_string(path).unwrap()
    };
    let text = [
        source("../web.rs"),
        source("metrics.rs"),
        source("integrations.rs"),
    ]
    .concat();
    let constants = [
        ("assets::CSS_PATH", "/assets/app.css"),
        ("assets::SCRIPT_PATH", "/assets/live.js"),
        ("assets::CHART_PATH", "/assets/chart.js"),
        ("assets::KEYS_PATH", "/assets/keys.js"),
        ("assets::AIDS_PATH", "/assets/aids.js"),
        ("assets::FONT_PATH", "/assets/inter-3.19/{name}"),
        ("OVERVIEW", "/overview"),
        ("FINDINGS", "/findings"),
    ];
    let mut found = BTreeSet::new();
    for call in text.split(".route(").skip(1) {
        let call = call.split("\n        .").next().unwrap();
        let (path, handlers) = call.split_once(',').unwrap();
        let path = path.trim().trim_matches('"');
        let path = constants
            .iter()
            .find(|(name, _)| *name == path)
            .map_or(path, |(_, path)| path);
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.contains(&format!("{method}(")) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

#[tokio::test]
async fn each_route_has_a_rule_and_each_rule_a_route() {
    let mut routes = described().await;
    routes.extend(pages());
    routes.insert("GET /api/v1/openapi.json".to_owned());
    let ruled: BTreeSet<String> = rules().into_iter().map(name).collect();
    let missing: Vec<_> = routes.difference(&ruled).collect();
    assert!(
        missing.is_empty(),
        "no rule in access/rules.rs says who may: {missing:?}"
    );
    let gone: Vec<_> = ruled.difference(&routes).collect();
    assert!(
        gone.is_empty(),
        "rules of routes that are not there: {gone:?}"
    );
    assert_eq!(ruled.len(), rules().len(), "a route has two rules");
}

#[tokio::test]
async fn a_route_without_a_rule_is_refused_to_everybody() {
    let server = Server::start();
    let check = from_fn_with_state(Arc::clone(&server.app), im::http::auth::check);
    let forgotten = Router::new().route("/api/v1/forgotten", get(async || "secret"));
    let router = forgotten.route_layer(check);
    let mut request = request(NEAR, "GET", "/api/v1/forgotten", &Value::Null);
    request.extensions_mut().insert(InProcess);
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn whatever_changes_something_has_words_for_the_audit_log() {
    for rule in rules() {
        let is_door = rule.need == Need::Nothing;
        // Somebody is sent elsewhere to sign in, and back, by links.
        let is_followed =
            rule.path.starts_with("/sign-in/oidc") || rule.path == "/integrations/oauth";
        assert_eq!(
            rule.act.is_empty(),
            (rule.is_read() && !is_followed) || is_door,
            "{}",
            name(rule)
        );
    }
}

#[test]
fn each_page_is_measured() {
    let is_page = |rule: &&Rule| {
        let is_for_people = !rule.path.starts_with("/api/") && rule.path != "/metrics";
        rule.is_read() && rule.need != Need::Nothing && is_for_people
    };
    let pages = rules().into_iter().filter(is_page).map(|rule| rule.path);
    let measured = measured::ROUTES.iter().chain(measured::DOORS);
    let measured = measured
        .filter(|(_, addresses)| !addresses.is_empty())
        .map(|(route, _)| *route)
        // The stream that tells open pages that something happened.
        .chain(["/live"]);
    let (pages, measured): (BTreeSet<&str>, BTreeSet<&str>) = (pages.collect(), measured.collect());
    assert_eq!(pages, measured, "see benches/bench/pages/routes.rs");
}

#[tokio::test]
async fn a_token_may_what_its_role_may_and_nothing_more() {
    let server = Server::listening(false);
    for role in Role::ALL {
        let token = server
            .token(json!({"name": role.as_str(), "role": role.as_str()}))
            .await;
        for rule in rules() {
            let Need::Role(needed) = rule.need else {
                continue;
            };
            if !rule.path.starts_with("/api/") && rule.path != "/metrics" {
                continue;
            }
            // What is named is not there, and a body is not read before the role is.
            let path = rule.path.replace(['{', '}'], "");
            let request = with_token(&token, rule.method, &path, &json!({"nonsense": true}));
            let answer = server.send_unseen(request).await;
            let is_refused = answer.body["code"] == "role";
            assert_eq!(
                is_refused,
                role < needed,
                "{} by {role:?}: {}",
                name(rule),
                answer.body
            );
            assert_ne!(answer.status, 401, "{}", name(rule));
            if is_refused {
                answer.is(403);
            }
        }
    }
}

#[tokio::test]
async fn a_page_is_shown_to_who_has_its_role() {
    let server = Server::with_people().await;
    for role in Role::ALL {
        let mut browser = server.signed_in(role).await;
        for rule in rules() {
            let Need::Role(needed) = rule.need else {
                continue;
            };
            if rule.path.starts_with("/api/") || rule.path == "/metrics" || !rule.is_read() {
                continue;
            }
            let path = rule.path.replace("{name}", "mttr").replace("{id}", "INC-1");
            let page = browser.get(&path).await;
            let is_refused = page.status == StatusCode::FORBIDDEN.as_u16();
            assert_eq!(
                is_refused,
                role < needed,
                "{} by {role:?}: {}",
                name(rule),
                page.status
            );
            assert!(page.status < 500 && page.status != 401, "{}", name(rule));
        }
    }
}
