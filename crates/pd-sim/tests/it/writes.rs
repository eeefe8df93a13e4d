//! Users, teams, policies and services are made, changed and deleted over REST.

mod people;
mod services;

use serde_json::{Value, json};

use crate::world::World;

/// The messages of a refusal.
fn errors(refused: &Value) -> Vec<String> {
    assert_eq!(refused["error"]["code"], 2001, "{refused}");
    assert_eq!(refused["error"]["message"], "Invalid Input Provided");
    let errors = refused["error"]["errors"].as_array().unwrap();
    let errors = errors.iter().map(|one| one.as_str().unwrap().to_owned());
    errors.collect()
}

fn id_of(made: &Value, envelope: &str) -> String {
    made[envelope]["id"].as_str().unwrap().to_owned()
}

fn make_user(world: &mut World, name: &str, email: &str) -> String {
    let body = json!({"user": {"type": "user", "name": name, "email": email}});
    id_of(&world.write("POST", "/users", &body, 201), "user")
}

fn make_policy(world: &mut World, name: &str, user: &str) -> String {
    let body = json!({"escalation_policy": {"type": "escalation_policy", "name": name,
        "escalation_rules": [{"escalation_delay_in_minutes": 10,
            "targets": [{"id": user, "type": "user_reference"}]}]}});
    let made = world.write("POST", "/escalation_policies", &body, 201);
    id_of(&made, "escalation_policy")
}

fn make_service(world: &mut World, name: &str, policy: &str) -> String {
    let body = json!({"service": {"type": "service", "name": name,
        "escalation_policy": {"id": policy, "type": "escalation_policy_reference"}}});
    id_of(&world.write("POST", "/services", &body, 201), "service")
}

/// What a provisioning tool makes, from nothing: ids, and the key of the integration.
struct Built {
    user: String,
    team: String,
    policy: String,
    service: String,
    key: String,
}

fn build(world: &mut World) -> Built {
    let user = make_user(world, "Ola  Berg", "ola@lighthouse-works.example");
    let body = json!({"team": {"type": "team", "name": "Ledger", "description": "Books"}});
    let team = id_of(&world.write("POST", "/teams", &body, 201), "team");
    let (role, nothing) = (json!({"role": "responder"}), json!({}));
    world.write("PUT", &format!("/teams/{team}/users/{user}"), &role, 204);
    let policy = make_policy(world, "Ledger first line", &user);
    let owned = format!("/teams/{team}/escalation_policies/{policy}");
    world.write("PUT", &owned, &nothing, 204);
    let service = make_service(world, "Ledger", &policy);
    let path = format!("/services/{service}/integrations");
    let body = json!({"integration": {"type": "events_api_v2_inbound_integration"}});
    let made = world.write("POST", &path, &body, 201);
    let key = made["integration"]["integration_key"].as_str().unwrap();
    Built {
        user,
        team,
        policy,
        service,
        key: key.to_owned(),
    }
}

fn event(key: &str) -> Value {
    json!({"routing_key": key, "event_action": "trigger",
        "payload": {"summary": "books do not balance", "source": "ledger-1", "severity": "critical"}})
}

#[test]
fn an_account_that_was_built_over_rest_pages_somebody() {
    let mut world = World::new();
    let built = build(&mut world);
    world.write("POST", "/v2/enqueue", &event(&built.key), 202);
    world.pass_s(1);
    let listed = world.get("/incidents", &[("team_ids[]", &built.team)]);
    let assignee = &listed["incidents"][0]["assignments"][0]["assignee"];
    assert_eq!(assignee["summary"], "Ola Berg");
    assert_eq!(world.sim.pages().last().unwrap().user, built.user);
}

#[test]
fn an_account_is_torn_down_and_what_is_left_names_what_is_gone() {
    let mut world = World::new();
    let built = build(&mut world);
    world.write("POST", "/v2/enqueue", &event(&built.key), 202);
    let paths = [
        format!("/services/{}", built.service),
        format!("/escalation_policies/{}", built.policy),
        format!("/users/{}", built.user),
        format!("/teams/{}", built.team),
    ];
    let refused = world.write("DELETE", &paths[1], &json!({}), 400);
    let reason = "The escalation policy is used by the service Ledger";
    assert_eq!(errors(&refused), [reason]);
    let busy = world.write("DELETE", &paths[2], &json!({}), 400);
    assert_eq!(errors(&busy), ["User has open incidents assigned"]);
    for path in paths {
        world.write("DELETE", &path, &json!({}), 204);
        world.write("DELETE", &path, &json!({}), 404);
    }
    let left = world.get("/incidents/101", &[]);
    let left = &left["incident"];
    assert_eq!(left["status"], "resolved");
    assert_eq!(left["service"]["summary"], "Ledger");
    assert_eq!(left["escalation_policy"]["summary"], "Ledger first line");
    world.write("POST", "/v2/enqueue", &event(&built.key), 400);
}

#[test]
fn who_may_not_manage_changes_only_itself() {
    let mut world = World::new();
    let user = world.user(0);
    let body = json!({"user": {"type": "user", "role": "observer"}});
    world.write("PUT", &format!("/users/{user}"), &body, 200);
    let key = format!("Token token={}", world.account.user_key);
    let mut by_user = |path: &str, body: &Value| {
        let request = pd_sim::Request::new("POST", path).with_header("Authorization", &key);
        let response = world.send(&request.with_json(body));
        (response.status, response.value().unwrap())
    };
    let (status, refused) = by_user("/teams", &json!({"team": {"name": "Mine"}}));
    assert_eq!(
        (status, refused["error"]["code"].clone()),
        (403, 2010.into())
    );
    let own = json!({"contact_method": {"type": "sms_contact_method", "label": "Spare", "address": "5550100"}});
    let (status, _) = by_user(&format!("/users/{user}/contact_methods"), &own);
    assert_eq!(status, 201);
}
