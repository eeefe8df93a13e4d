//! Services with their integrations, and escalation policies.

use serde_json::{Value, json};

use super::{errors, id_of, make_policy, make_service, make_user};
use crate::shapes::same_shape;
use crate::world::World;

#[test]
fn a_service_tells_of_its_life_by_webhooks() {
    let mut world = World::new();
    world.subscribe_to(&["service.created", "service.updated", "service.deleted"]);
    let policy = world.account.policies[0].0.clone();
    let service = make_service(&mut world, "Ledger", &policy);
    let path = format!("/services/{service}");
    let change = json!({"service": {"id": service, "type": "service", "name": "Ledger API", "description": "Books",
        "acknowledgement_timeout": "null", "auto_resolve_timeout": 0, "teams": [], "created_at": "1999-01-01T00:00:00Z"}});
    let changed = world.write("PUT", &path, &change, 200);
    same_shape(&changed, "rest/service-get", "");
    let changed = &changed["service"];
    assert_eq!(
        (
            &changed["acknowledgement_timeout"],
            &changed["auto_resolve_timeout"]
        ),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(changed["created_at"], "2026-03-10T08:00:00Z");
    assert_eq!(changed["teams"][0]["summary"], "Shop");
    world.write("DELETE", &path, &json!({}), 204);
    let events = world.events();
    let types: Vec<&str> = events
        .iter()
        .map(|event| event["event_type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        ["service.created", "service.updated", "service.deleted"]
    );
    for event in &events {
        let fixture = format!("webhooks/{}", event["event_type"].as_str().unwrap());
        same_shape(&json!({"event": event}), &fixture, "");
        assert_eq!(event["data"]["id"], service.as_str());
        assert_eq!(event["agent"]["summary"], "Ines Halloran");
    }
    assert_eq!(events[2]["data"]["summary"], "Ledger API");
}

#[test]
fn everything_that_is_wrong_with_a_service_is_told_at_once() {
    let mut world = World::new();
    let refused = world.write(
        "POST",
        "/services",
        &json!({"service": {"type": "service", "name": " ", "status": "disabled"}}),
        400,
    );
    assert_eq!(
        errors(&refused),
        [
            "Status must be one of active",
            "Escalation policy can't be blank",
            "Name can't be blank",
        ]
    );
    let body = json!({"service": {"name": "Search", "escalation_policy": {"id": "PNOBODY"}, "auto_resolve_timeout": "soon",
        "incident_urgency_rule": {"type": "constant", "urgency": "medium"}}});
    let refused = world.write("POST", "/services", &body, 400);
    assert_eq!(
        errors(&refused),
        [
            "Name has already been taken",
            "Escalation policy not found",
            "Auto resolve timeout must be a number from 0 to 31536000",
            "Incident urgency rule is invalid",
        ]
    );
    assert_eq!(
        world.get("/services", &[("query", "search")])["services"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let refused = world.write("POST", "/services", &json!({}), 400);
    assert_eq!(errors(&refused), ["Service is missing."]);
    world.write("PUT", "/services/PNOBODY", &json!({"service": {}}), 404);
}

#[test]
fn support_hours_and_the_rule_that_uses_them_need_each_other() {
    let mut world = World::new();
    let path = format!("/services/{}", world.service(0));
    let rule = json!({"type": "use_support_hours",
        "during_support_hours": {"type": "constant", "urgency": "high"},
        "outside_support_hours": {"type": "constant", "urgency": "low"}});
    let hours = json!({"type": "fixed_time_per_day", "time_zone": "Europe/Berlin", "days_of_week": [1, 2, 3, 4, 5],
        "start_time": "09:00:00", "end_time": "17:00:00"});
    let alone = json!({"service": {"type": "service", "incident_urgency_rule": rule}});
    world.write("PUT", &path, &alone, 400);
    let actions = json!({"service": {"type": "service", "scheduled_actions": [{"type": "urgency_change",
        "at": {"type": "named_time", "name": "support_hours_start"}, "to_urgency": "high"}]}});
    world.write("PUT", &path, &actions, 400);
    let both = json!({"service": {"type": "service", "incident_urgency_rule": rule, "support_hours": hours}});
    let changed = world.write("PUT", &path, &both, 200);
    assert_eq!(changed["service"]["support_hours"], hours);
    assert_eq!(changed["service"]["incident_urgency_rule"], rule);
    // 09:00 in Berlin, a Tuesday; then the evening.
    let urgency = |world: &mut World, title: &str| {
        let id = world.create(title, None);
        world.sim.incident(&id).unwrap().urgency
    };
    assert_eq!(urgency(&mut world, "by day"), "high");
    world.pass_s(8 * 3_600);
    assert_eq!(urgency(&mut world, "by night"), "low");

    world
        .sim
        .change_options(|options| options.abilities.clear());
    let refused = world.write("PUT", &path, &both, 402);
    assert_eq!(refused["error"]["code"], 2014);
}

#[test]
fn a_disabled_service_makes_no_incidents() {
    let mut world = World::new();
    let service = world.service(0);
    let disable = json!({"service": {"type": "service", "status": "disabled"}});
    let shown = world.write("PUT", &format!("/services/{service}"), &disable, 200);
    assert_eq!(shown["service"]["status"], "disabled");
    let body = json!({"incident": {"type": "incident", "title": "x", "service": {"id": service, "type": "service_reference"}}});
    world.write("POST", "/incidents", &body, 400);
    let enable = json!({"service": {"type": "service", "status": "active"}});
    world.write("PUT", &format!("/services/{service}"), &enable, 200);
    world.write("POST", "/incidents", &body, 201);
}

#[test]
fn an_integration_is_made_with_a_key_and_changed_without_a_new_one() {
    let mut world = World::new();
    let service = world.service(0);
    let path = format!("/services/{service}/integrations");
    let body = json!({"integration": {"type": "events_api_v2_inbound_integration", "name": "Metrics pipeline",
        "service": {"id": service, "type": "service_reference"}, "vendor": {"id": "PVEND01", "type": "vendor_reference"}}});
    let made = world.write("POST", &path, &body, 201);
    same_shape(&made, "rest/service-integration-get", "");
    let (id, key) = (
        id_of(&made, "integration"),
        made["integration"]["integration_key"].clone(),
    );
    assert_eq!(key.as_str().unwrap().len(), 32);
    let change = json!({"integration": {"name": "Metrics", "integration_key": "0000"}});
    let changed = world.write("PUT", &format!("{path}/{id}"), &change, 200);
    assert_eq!(
        (
            &changed["integration"]["name"],
            &changed["integration"]["integration_key"]
        ),
        (&"Metrics".into(), &key)
    );
    assert_eq!(
        world.get(&format!("{path}/{id}"), &[])["integration"]["vendor"]["id"],
        "PVEND01"
    );
    let listed = world.get(
        &format!("/services/{service}"),
        &[("include[]", "integrations")],
    );
    assert_eq!(listed["service"]["integrations"][1]["integration_key"], key);

    let mail = json!({"integration": {"type": "generic_email_inbound_integration_reference", "name": "Mail",
        "integration_email": "ledger@lighthouse-works.pagerduty.com"}});
    let made = world.write("POST", &path, &mail, 201);
    assert_eq!(
        made["integration"]["type"],
        "generic_email_inbound_integration"
    );
    assert_eq!(
        made["integration"]["integration_email"],
        "ledger@lighthouse-works.pagerduty.com"
    );
    let again = world.write("POST", &path, &mail, 400);
    assert_eq!(errors(&again), ["Integration email has already been taken"]);
    world.write(
        "POST",
        &path,
        &json!({"integration": {"type": "pigeon"}}),
        400,
    );
    let other = format!("/services/{}/integrations/{id}", world.service(1));
    world.write("PUT", &other, &change, 404);
    for (method, path) in [("GET", path.clone()), ("DELETE", format!("{path}/{id}"))] {
        let request = world.request(method, &path);
        assert_eq!(
            world.send(&request).status,
            404,
            "there is no {method} {path}"
        );
    }
}

#[test]
fn a_policy_is_checked_whole_and_open_incidents_keep_theirs() {
    let mut world = World::new();
    let (ines, bram) = (world.user(0), world.user(1));
    let target = |id: &str| json!({"id": id, "type": "user_reference"});
    let bad = json!({"escalation_policy": {"name": "Shop first line", "num_loops": 10, "escalation_rules": [
        {"escalation_delay_in_minutes": 1, "targets": [target(&ines), target(&bram)]},
        {"escalation_delay_in_minutes": 5, "targets": [{"id": ines, "type": "schedule_reference"}]},
        {"escalation_delay_in_minutes": 5, "targets": []},
    ]}});
    let refused = world.write("POST", "/escalation_policies", &bad, 400);
    assert_eq!(
        errors(&refused),
        [
            "Name has already been taken".to_owned(),
            "Num loops must be a number from 0 to 9".to_owned(),
            "Escalation delay in minutes must be at least 3".to_owned(),
            format!("Target {ines} of type schedule_reference not found"),
            "Targets can't be blank".to_owned(),
        ]
    );

    let policy = make_policy(&mut world, "Ledger", &ines);
    let path = format!("/escalation_policies/{policy}");
    let shown = world.get(&path, &[]);
    same_shape(&shown, "rest/escalation-policy-get", "");
    let rule = shown["escalation_policy"]["escalation_rules"][0].clone();
    let service = make_service(&mut world, "Ledger", &policy);
    let incident = world.sim.trigger(&service, "slow", world.now).unwrap();
    let change = json!({"escalation_policy": {"id": policy, "num_loops": 2, "escalation_rules": [
        {"id": rule["id"], "escalation_delay_in_minutes": 20, "targets": [target(&bram)],
            "escalation_rule_assignment_strategy": "assign_to_everyone"}]}});
    let changed = world.write("PUT", &path, &change, 200);
    let changed = &changed["escalation_policy"]["escalation_rules"][0];
    assert_eq!(changed["id"], rule["id"]);
    assert_eq!(
        changed["escalation_rule_assignment_strategy"]["type"],
        "assign_to_everyone"
    );
    assert_eq!(
        world.sim.incident(&incident).unwrap().assignees,
        std::slice::from_ref(&ines)
    );
    let later = world.sim.trigger(&service, "slower", world.now).unwrap();
    assert_eq!(
        world.sim.incident(&later).unwrap().assignees,
        std::slice::from_ref(&bram)
    );

    let whole = world.get(
        &path,
        &[("include[]", "targets"), ("include[]", "services")],
    );
    let whole = &whole["escalation_policy"];
    assert_eq!(
        whole["escalation_rules"][0]["targets"][0]["email"],
        "bram.osei@lighthouse-works.example"
    );
    assert_eq!(whole["services"][0]["type"], "service");
    let found = world.get(
        "/escalation_policies",
        &[("user_ids[]", &bram), ("query", "ledger")],
    );
    assert_eq!(found["escalation_policies"][0]["id"], policy.as_str());
}

#[test]
fn the_only_one_of_a_rule_or_a_layer_cannot_be_deleted() {
    let mut world = World::new();
    let ola = make_user(&mut world, "Ola Berg", "ola@lighthouse-works.example");
    make_policy(&mut world, "Ledger", &ola);
    let refused = world.write("DELETE", &format!("/users/{ola}"), &json!({}), 400);
    assert_eq!(
        errors(&refused),
        ["User is the only target of a rule of the escalation policy Ledger"]
    );
    let una = make_user(&mut world, "Una Falk", "una@lighthouse-works.example");
    world.sim.add_schedule("Nights", &[&una], 86_400, world.now);
    let refused = world.write("DELETE", &format!("/users/{una}"), &json!({}), 400);
    assert_eq!(
        errors(&refused),
        ["User is the only one of a layer of the schedule Nights"]
    );
}

#[test]
fn a_maintenance_window_is_moved_until_it_is_over() {
    let mut world = World::new();
    let service = world.service(0);
    let body = json!({"maintenance_window": {"type": "maintenance_window", "description": "Upgrade",
        "start_time": "2026-03-10T09:00:00Z", "end_time": "2026-03-10T10:00:00Z",
        "services": [{"id": service, "type": "service_reference"}]}});
    let made = world.write("POST", "/maintenance_windows", &body, 201);
    let path = format!(
        "/maintenance_windows/{}",
        id_of(&made, "maintenance_window")
    );
    let longer = json!({"maintenance_window": {"start_time": "2026-03-10T08:00:00Z", "end_time": "2026-03-10T08:30:00Z"}});
    let moved = world.write("PUT", &path, &longer, 200);
    assert_eq!(
        moved["maintenance_window"]["end_time"],
        "2026-03-10T08:30:00Z"
    );
    assert_eq!(moved["maintenance_window"]["description"], "Upgrade");
    let shown = world.get(&format!("/services/{service}"), &[]);
    assert_eq!(shown["service"]["status"], "maintenance");
    let backwards = json!({"maintenance_window": {"end_time": "2026-03-10T07:00:00Z"}});
    world.write("PUT", &path, &backwards, 400);
    world.pass_s(1_800);
    let refused = world.write("PUT", &path, &longer, 405);
    assert_eq!(refused["error"]["code"], 5003);
}
