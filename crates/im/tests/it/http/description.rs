//! The description of the API: whether it is valid, and whether it is true.
//!
//! Each answer that any test here gets is looked up in it ([`must_know`]).

use std::collections::BTreeSet;

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
