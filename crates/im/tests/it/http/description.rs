//! The description of the API: whether it is valid, and whether it is true.
//!
//! Each answer that any test here gets is looked up in it ([`must_know`]).

use std::collections::BTreeSet;

use im_metrics::{Metric, parameters_of};
use serde_json::Value;

use super::Server;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A request that is described, as method and path, with its description.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &'_ Value)| -> Vec<(String, usize)> {
        let methods = METHODS.iter().enumerate();
        methods
            .filter(|(_, method)| item.get(**method).is_some())
            .map(|(index, _)| (path.clone(), index))
            .collect()
    };
    let found: Vec<(String, usize)> = paths.iter().flat_map(of).collect();
    found
        .into_iter()
        .map(|(path, index)| {
            let method = METHODS[index];
            (
                format!("{} {path}", method.to_uppercase()),
                &paths[&path][method],
            )
        })
        .collect()
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(template, part)| template.starts_with('{') || *template == part)
}

/// Fails if a described request was answered in a way that is not described.
#[track_caller]
pub(super) fn must_know(document: &Value, method: &str, path: &str, status: u16) {
    for (name, operation) in operations(document) {
        let (known, template) = name.split_once(' ').unwrap();
        if known == method && fits(template, path) {
            let answers = &operation["responses"];
            assert!(
                answers.get(status.to_string()).is_some(),
                "{name} was answered with {status}, which the description does not know"
            );
        }
    }
}

#[tokio::test]
async fn the_description_lists_every_request() {
    let server = Server::start();
    let openapi = server.get("/api/v1/openapi.json").await;
    let mut described: Vec<String> = operations(openapi.is(200))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    described.sort();
    insta::assert_snapshot!(described.join("\n"));
}

/// Everything that a `$ref` points at.
fn references<'a>(document: &'a Value, found: &mut BTreeSet<&'a str>) {
    match document {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            for field in fields.values() {
                references(field, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_is_valid() {
    let server = Server::start();
    let openapi = server.get("/api/v1/openapi.json").await;
    let document = openapi.is(200);
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{name}: `{id}` names two requests");
        let answers = operation["responses"].as_object().unwrap();
        assert!(
            answers.keys().any(|status| status.starts_with('2')),
            "{name}"
        );
        for (status, answer) in answers {
            let said = answer["description"].as_str().unwrap_or_default();
            assert!(!said.is_empty(), "{name} does not say what {status} means");
            let is_problem = answer["content"].get("application/problem+json").is_some();
            assert_eq!(is_problem, status.as_str() >= "400", "{name}: {status}");
        }
        let path = name.split_once(' ').unwrap().1;
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let parameter = part.trim_end_matches('}');
            let parameters = operation["parameters"].as_array().unwrap();
            let is_described = |one: &Value| one["name"] == parameter && one["in"] == "path";
            assert!(parameters.iter().any(is_described), "{name}: {parameter}");
        }
    }
    let mut refs = BTreeSet::new();
    references(document, &mut refs);
    for target in refs {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{target} is not there");
    }
}

/// The parameters behind the question mark that a request has by its description.
fn described<'a>(document: &'a Value, path: &str) -> BTreeSet<&'a str> {
    let parameters = document["paths"][path]["get"]["parameters"].as_array();
    let parameters = parameters.unwrap().iter();
    parameters
        .filter(|one| one["in"] == "query")
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn each_parameter_that_a_question_takes_is_described() {
    let server = Server::start();
    let openapi = server.get("/api/v1/openapi.json").await;
    let document = openapi.is(200);
    let metrics = Metric::ALL.iter();
    let all: BTreeSet<&str> = metrics.flat_map(|one| parameters_of(*one)).collect();
    let rows: [(&str, &[&str], &[&str]); 4] = [
        ("", &[], &[]),
        ("/items", &[], &["limit", "offset"]),
        ("/insights", &["bucket", "compare"], &[]),
        ("/restated", &["as_of_time", "compare"], &["since"]),
    ];
    for (what, without, with) in rows {
        let mut want = all.clone();
        want.retain(|name| !without.contains(name));
        want.extend(with);
        let path = format!("/api/v1/metrics/{{name}}{what}");
        assert_eq!(described(document, &path), want, "{path}");
    }
    // What is refused names what is taken.
    for path in ["/api/v1/facts", "/api/v1/findings"] {
        let refused = server.get(&format!("{path}?colour=red")).await;
        let hint = refused.is(400)["hint"].as_str().unwrap();
        let taken = hint.strip_prefix("known are ").unwrap().split(", ");
        assert_eq!(described(document, path), taken.collect(), "{path}");
    }
}

#[tokio::test]
async fn the_description_says_who_may_ask() {
    let server = Server::start();
    let openapi = server.get("/api/v1/openapi.json").await;
    let document = openapi.is(200);
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    assert_eq!(schemes["token"]["scheme"], "bearer");
    assert_eq!(schemes["signature"]["name"], "X-PagerDuty-Signature");
    for (name, operation) in operations(document) {
        let path = name.split_once(' ').unwrap().1;
        let scheme = match path {
            "/health" => None,
            "/connectors/{name}/webhook" | "/api/v1/webhooks/{name}" | "/events" => {
                Some("signature")
            }
            _ => Some("token"),
        };
        let security = operation["security"].as_array().unwrap();
        let named = security.first().and_then(Value::as_object);
        let named = named.and_then(|one| one.keys().next());
        assert_eq!(named.map(String::as_str), scheme, "{name}");
        let parameters = operation["parameters"].as_array();
        let acts_as = parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "IM-As"));
        assert_eq!(acts_as, scheme == Some("token"), "{name}");
    }
}
