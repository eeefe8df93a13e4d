//! What is kept and shown: tags, business services, workflows, extensions, types and fields, audit.

use pd_sim::{OAuthApp, OAuthKind, Options};
use serde_json::{Value, json};

use crate::shapes::same_shape;
use crate::world::World;

fn reference(id: &str, kind: &str) -> Value {
    json!({"id": id, "type": format!("{kind}_reference")})
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn a_tag_hangs_on_people_until_it_goes() {
    let mut world = World::new();
    let user = world.user(0);
    let change = format!("/users/{user}/change_tags");
    let add =
        json!({"add": [{"type": "tag", "label": "tier-1"}, {"type": "tag", "label": "night"}]});
    assert_eq!(world.write("POST", &change, &add, 200), json!({}));
    let shown = world.get(&format!("/users/{user}/tags"), &[("query", "tier")]);
    same_shape(&shown, "rest/tags-list", "");
    let tag = text(&shown, "/tags/0/id");
    let whose = world.get(&format!("/tags/{tag}/users"), &[]);
    assert_eq!(text(&whose, "/users/0/id"), user);
    let again = json!({"tag": {"type": "tag", "label": "tier-1"}});
    world.write("POST", "/tags", &again, 400);
    let long = json!({"tag": {"type": "tag", "label": "x".repeat(192)}});
    world.write("POST", "/tags", &long, 400);
    let remove = json!({"remove": [reference(&tag, "tag")]});
    world.write("POST", &change, &remove, 200);
    let whose = world.get(&format!("/tags/{tag}/users"), &[]);
    assert_eq!(whose["users"], json!([]));
    world.write("DELETE", &format!("/tags/{tag}"), &Value::Null, 204);
    world.write("GET", &format!("/tags/{tag}"), &Value::Null, 404);
}

#[test]
fn an_incident_harms_a_business_service() {
    let mut world = World::new();
    let service = world.service(0);
    let body = json!({"business_service": {"name": "Online checkout", "point_of_contact": "Payments",
        "team": reference(&text(&world.get("/teams", &[]), "/teams/0/id"), "team")}});
    let made = world.write("POST", "/business_services", &body, 200);
    let business = text(&made, "/business_service/id");
    let relationship = json!({"relationships": [{
        "supporting_service": {"id": service, "type": "service"},
        "dependent_service": {"id": business, "type": "business_service"}}]});
    let linked = world.write(
        "POST",
        "/service_dependencies/associate",
        &relationship,
        200,
    );
    same_shape(&linked, "rest/service-dependencies", "");
    let below = world.get(
        &format!("/service_dependencies/business_services/{business}"),
        &[],
    );
    assert_eq!(below, linked);

    let id = world.create("slow", None);
    world.put(&id, &json!({"priority": "P2"}));
    let impact = format!("/incidents/{id}/business_services/{business}/impacts");
    let answer = world.write("PUT", &impact, &json!({"relation": "impacted"}), 200);
    assert_eq!(answer, json!({"relation": "impacted"}));
    let impacts = world.get(&format!("/incidents/{id}/business_services/impacts"), &[]);
    same_shape(&impacts, "rest/incident-business-service-impacts", "");
    assert_eq!(impacts["services"][0]["status"], "impacted");
    world.write("PUT", &impact, &json!({"relation": "harmed"}), 400);
    world.write(
        "POST",
        "/service_dependencies/disassociate",
        &relationship,
        200,
    );
    let below = world.get(
        &format!("/service_dependencies/technical_services/{service}"),
        &[],
    );
    assert_eq!(below["relationships"], json!([]));
}

#[test]
fn a_workflow_runs_and_webhooks_tell_it() {
    let mut world = World::new();
    world.subscribe_to(&["incident.workflow.started", "incident.workflow.completed"]);
    let body = json!({"incident_workflow": {"name": "Major incident", "description": "Bridge and comms",
        "steps": [{"name": "Open a bridge"}]}});
    let made = world.write("POST", "/incident_workflows", &body, 201);
    let id = text(&made, "/incident_workflow/id");
    assert_eq!(
        made["incident_workflow"]["steps"][0]["name"],
        "Open a bridge"
    );
    same_shape(
        &world.get("/incident_workflows", &[]),
        "rest/incident-workflows-list",
        "",
    );
    let trigger = json!({"trigger": {"trigger_type": "manual", "workflow": reference(&id, "incident_workflow"),
        "services": [reference(&world.service(0), "service")]}});
    let trigger = world.write("POST", "/incident_workflows/triggers", &trigger, 201);
    let incident = world.create("slow", None);
    let listed = world.get(
        "/incident_workflows/triggers",
        &[("incident_id", &incident)],
    );
    assert_eq!(listed["triggers"][0]["id"], trigger["trigger"]["id"]);
    let run = json!({"incident_workflow_instance": {"id": "run-1", "incident": reference(&incident, "incident")}});
    let run = world.write(
        "POST",
        &format!("/incident_workflows/{id}/instances"),
        &run,
        201,
    );
    same_shape(&run, "rest/incident-workflow-instance-start", "");
    let events = world.events();
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event["event_type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["incident.workflow.started", "incident.workflow.completed"]
    );
    for event in &events {
        let fixture = format!("webhooks/{}", event["event_type"].as_str().unwrap());
        same_shape(event, &fixture, "/event");
    }
    let both = [("incident_id", incident.as_str()), ("service_id", "P1")];
    let refused = both.iter().fold(
        world.request("GET", "/incident_workflows/triggers"),
        |request, (name, value)| request.with_query(name, value),
    );
    assert_eq!(world.send(&refused).status, 400);
}

#[test]
fn an_extension_names_services_and_a_schema() {
    let mut world = World::new();
    let schemas = world.get("/extension_schemas", &[]);
    let schema = text(&schemas, "/extension_schemas/0/id");
    let body = |schema: &str, service: &str| {
        json!({"extension": {"name": "Legacy hook", "endpoint_url": "https://hooks.example/v2",
            "extension_objects": [reference(service, "service")],
            "extension_schema": reference(schema, "extension_schema")}})
    };
    let service = world.service(0);
    let made = world.write("POST", "/extensions", &body(&schema, &service), 201);
    let id = text(&made, "/extension/id");
    let listed = world.get("/extensions", &[("extension_object_id", &service)]);
    same_shape(&listed, "rest/extensions-list", "");
    let other = world.service(1);
    let none = world.get("/extensions", &[("extension_object_id", &other)]);
    assert_eq!(none["extensions"], json!([]));
    let whole = world.get(
        "/extensions",
        &[
            ("include[]", "extension_objects"),
            ("include[]", "extension_schemas"),
        ],
    );
    assert_eq!(
        whole["extensions"][0]["extension_objects"][0]["type"],
        "service"
    );
    assert_eq!(
        whole["extensions"][0]["extension_schema"]["type"],
        "extension_schema"
    );
    world.write("POST", "/extensions", &body("PNONE", &service), 400);
    world.write(
        "POST",
        &format!("/extensions/{id}/enable"),
        &Value::Null,
        200,
    );
    world.write("DELETE", &format!("/extensions/{id}"), &Value::Null, 204);
}

#[test]
fn a_type_of_incidents_has_fields_of_its_own_and_those_above() {
    let mut world = World::new();
    let kind = json!({"incident_type": {"name": "security_incident", "display_name": "Security incident",
        "parent_type": "incident_default"}});
    let made = world.write("POST", "/incidents/types", &kind, 201);
    assert_eq!(made["incident_type"]["parent"]["id"], "PITBASE");
    same_shape(
        &world.get("/incidents/types", &[]),
        "rest/incident-types-list",
        "",
    );
    for (name, display) in [
        ("x_default", "X"),
        ("x", "PagerDuty X"),
        ("security_incident", "Again"),
    ] {
        let body = json!({"incident_type": {"name": name, "display_name": display, "parent_type": "incident_default"}});
        world.write("POST", "/incidents/types", &body, 400);
    }
    let path = "/incidents/types/security_incident/custom_fields";
    let field = json!({"field": {"name": "attack", "display_name": "Attack", "data_type": "string",
        "field_type": "single_value_fixed", "field_options": [{"data": {"data_type": "string", "value": "phishing"}}]}});
    let field = world.write("POST", path, &field, 201);
    let field_id = text(&field, "/field/id");
    same_shape(
        &world.get(path, &[]),
        "rest/incident-type-custom-fields",
        "",
    );
    let option = json!({"field_option": {"data": {"data_type": "string", "value": "malware"}}});
    world.write(
        "POST",
        &format!("{path}/{field_id}/field_options"),
        &option,
        201,
    );

    let incident = world.create("odd log-ins", None);
    let values = format!("/incidents/{incident}/custom_fields/values");
    let names = |shown: &Value| -> Vec<String> {
        let fields = shown["custom_fields"].as_array().unwrap().iter();
        fields.map(|field| text(field, "/name")).collect()
    };
    assert!(!names(&world.get(&values, &[])).contains(&"attack".to_owned()));
    world.put(
        &incident,
        &json!({"incident_type": {"name": "security_incident"}}),
    );
    assert!(names(&world.get(&values, &[])).contains(&"environment".to_owned()));
    let set = |value: &str| json!({"custom_fields": [{"name": "attack", "value": value}]});
    world.write("PUT", &values, &set("flood"), 400);
    let shown = world.write("PUT", &values, &set("malware"), 201);
    assert!(
        shown["custom_fields"]
            .as_array()
            .unwrap()
            .iter()
            .any(|field| field["value"] == "malware")
    );
}

#[test]
fn a_type_is_switched_off_but_the_base_type_stays() {
    let mut world = World::new();
    let kind = json!({"incident_type": {"name": "leak", "display_name": "Leak", "parent_type": "incident_default"}});
    let made = world.write("POST", "/incidents/types", &kind, 201);
    let id = text(&made, "/incident_type/id");
    world.write(
        "PUT",
        &format!("/incidents/types/{id}"),
        &json!({"incident_type": {"enabled": false}}),
        200,
    );
    let listed = |world: &mut World, filter| {
        world.get("/incidents/types", &[("filter", filter)])["incident_types"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(
        (
            listed(&mut world, "enabled"),
            listed(&mut world, "disabled"),
            listed(&mut world, "all")
        ),
        (1, 1, 2)
    );
    let base = json!({"incident_type": {"display_name": "Mine"}});
    world.write("PUT", "/incidents/types/incident_default", &base, 400);
}

#[test]
fn services_have_custom_fields_and_webhooks_tell_new_values() {
    let mut world = World::new();
    world.subscribe_to(&["service.custom_field_values.updated"]);
    let service = world.service(0);
    let field = json!({"field": {"name": "tier", "display_name": "Tier", "data_type": "string", "field_type": "single_value"}});
    let field = world.write("POST", "/services/custom_fields", &field, 201);
    assert_eq!(field["field"]["type"], "custom_fields_field");
    let path = format!("/services/{service}/custom_fields/values");
    for value in ["2", "1"] {
        let body = json!({"custom_fields": [{"name": "tier", "value": value}]});
        let shown = world.write("PUT", &path, &body, 200);
        assert_eq!(shown["custom_fields"][0]["value"], value);
    }
    let told = world.events().pop().unwrap();
    same_shape(
        &told,
        "webhooks/service.custom_field_values.updated",
        "/event",
    );
    assert_eq!(told["data"]["changed_custom_fields"][0]["value"], "2");
    let wrong = json!({"custom_fields": [{"name": "tier", "value": 7}]});
    world.write("PUT", &path, &wrong, 400);
    let incident = world.create("slow", None);
    let values = world.get(&format!("/incidents/{incident}/custom_fields/values"), &[]);
    assert!(
        values["custom_fields"]
            .as_array()
            .unwrap()
            .iter()
            .all(|field| field["name"] != "tier")
    );
}

#[test]
fn the_directory_is_audited() {
    let mut world = World::new();
    let service = world.service(0);
    let path = format!("/services/{service}");
    world.write(
        "PUT",
        &path,
        &json!({"service": {"type": "service", "name": "Checkout API"}}),
        200,
    );
    world.write(
        "PUT",
        &path,
        &json!({"service": {"type": "service", "name": "Checkout API"}}),
        200,
    );
    world.pass_s(60);
    let team = text(&world.get("/teams", &[]), "/teams/1/id");
    let members = world
        .get(&format!("/teams/{team}/members"), &[])
        .to_string();
    let users = world.account.users.iter().map(|user| user.0.clone());
    let user = users.clone().find(|id| !members.contains(id)).unwrap();
    world.write(
        "PUT",
        &format!("/teams/{team}/users/{user}"),
        &json!({"role": "observer"}),
        204,
    );
    world.write("DELETE", "/users/PNONE", &Value::Null, 404);
    let all = world.get("/audit/records", &[]);
    same_shape(&all, "rest/audit-records", "");
    let actions: Vec<&str> = all["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["update", "update"],
        "what changed nothing is no record"
    );
    assert_eq!(
        all["records"][0]["details"]["references"][0]["added"][0]["id"],
        user
    );
    let of_service = world.get(&format!("{path}/audit/records"), &[]);
    let field = &of_service["records"][0]["details"]["fields"][0];
    assert_eq!(
        (&field["name"], &field["value"]),
        (&json!("name"), &json!("Checkout API"))
    );
    assert_ne!(field["before_value"], field["value"]);
}

#[test]
fn audit_records_are_filtered_and_read_with_a_cursor() {
    let mut world = World::new();
    let path = format!("/services/{}", world.service(0));
    let team = text(&world.get("/teams", &[]), "/teams/0/id");
    let change = json!({"service": {"type": "service", "name": "Checkout API"}});
    world.write("PUT", &path, &change, 200);
    let change = json!({"team": {"type": "team", "name": "Shopkeepers"}});
    world.write("PUT", &format!("/teams/{team}"), &change, 200);
    let all = world.get("/audit/records", &[]);
    let first = world.get("/audit/records", &[("limit", "1")]);
    let cursor = text(&first, "/next_cursor");
    let second = world.get("/audit/records", &[("limit", "1"), ("cursor", &cursor)]);
    assert_eq!(second["records"][0], all["records"][1]);
    assert_eq!(second["next_cursor"], Value::Null);
    for (name, value, count) in [
        ("root_resource_types[]", "teams", 1),
        ("actions[]", "delete", 0),
        ("method_type", "api_token", 2),
        ("actor_id", "PNONE", 0),
    ] {
        let found = world.get("/audit/records", &[(name, value)]);
        assert_eq!(
            found["records"].as_array().unwrap().len(),
            count,
            "{name}={value}"
        );
    }
    let wide = world
        .request("GET", "/audit/records")
        .with_query("since", "2026-01-01");
    assert_eq!(world.send(&wide).status, 400);
    world.sim.change_options(|options| {
        options
            .abilities
            .retain(|ability| ability != "audit_records");
    });
    world.write("GET", "/audit/records", &Value::Null, 402);
}

#[test]
fn an_incident_knows_what_is_like_it() {
    let mut world = World::new();
    let key = world.account.services[0].2.clone();
    let change = json!({"routing_key": key, "payload": {"summary": "Release 412"}});
    world.write("POST", "/v2/change/enqueue", &change, 202);
    let earlier = world.create("disk almost full on db-2", None);
    world.pass_s(86_000);
    let (id, other) = (
        world.create("disk full on db-7", None),
        world.create("disk full on db-8", None),
    );
    let past = world.get(&format!("/incidents/{id}/past_incidents"), &[]);
    same_shape(&past, "rest/incident-past-incidents", "");
    assert_eq!(past["past_incidents"][0]["incident"]["id"], earlier);
    let related = world.get(&format!("/incidents/{id}/related_incidents"), &[]);
    same_shape(&related, "rest/incident-related-incidents", "");
    assert_eq!(related["related_incidents"][0]["incident"]["id"], other);
    let changes = world.get(&format!("/incidents/{id}/related_change_events"), &[]);
    assert_eq!(
        changes["change_events"][0]["correlation_reason"]["reason"],
        "most_recent"
    );
    let refused = world
        .request("GET", &format!("/incidents/{id}/past_incidents"))
        .with_query("limit", "1000");
    assert_eq!(world.send(&refused).status, 400);
}

#[test]
fn people_and_teams_subscribe_to_status_updates() {
    let mut world = World::new();
    let id = world.create("slow", None);
    let path = |rest: &str| format!("/incidents/{id}/status_updates/{rest}");
    let user = world.user(0);
    let asked = |id: &str, kind: &str| json!({"subscribers": [{"subscriber_id": id, "subscriber_type": kind}]});
    for (whom, result) in [
        (user.as_str(), "success"),
        (&user, "duplicate"),
        ("PNONE", "unauthorized"),
    ] {
        let told = world.write("POST", &path("subscribers"), &asked(whom, "user"), 200);
        assert_eq!(told["subscriptions"][0]["result"], result);
    }
    let listed = world.get(&path("subscribers"), &[]);
    assert_eq!(listed["subscribers"], asked(&user, "user")["subscribers"]);
    world.write("POST", &path("subscribers"), &asked(&user, "robot"), 422);
    let gone = world.write("POST", &path("unsubscribe"), &asked(&user, "user"), 200);
    assert_eq!(
        gone,
        json!({"deleted_count": 1, "unauthorized_count": 0, "non_existent_count": 0})
    );
}

#[test]
fn services_are_scored_by_a_standard() {
    let mut world = World::new();
    let listed = world.get("/standards", &[]);
    same_shape(&listed, "rest/standards-list", "");
    let (service, standard) = (world.service(0), text(&listed, "/standards/0/id"));
    let score = format!("/standards/scores/technical_services/{service}");
    let body = json!({"service": {"type": "service", "description": ""}});
    world.write("PUT", &format!("/services/{service}"), &body, 200);
    assert_eq!(
        world.get(&score, &[])["score"],
        json!({"passing": 0, "total": 1})
    );
    let body = json!({"service": {"type": "service", "description": "Takes payments"}});
    world.write("PUT", &format!("/services/{service}"), &body, 200);
    assert_eq!(
        world.get(&score, &[])["score"],
        json!({"passing": 1, "total": 1})
    );
    world.write(
        "PUT",
        &format!("/standards/{standard}"),
        &json!({"active": false}),
        200,
    );
    assert_eq!(
        world.get(&score, &[])["score"],
        json!({"passing": 0, "total": 0})
    );
    assert_eq!(
        world.get("/standards", &[("active", "true")])["standards"],
        json!([])
    );
}

#[test]
fn settings_of_alert_grouping_are_paged_by_id() {
    let mut world = World::new();
    let body = |seconds: i64, service: String| {
        json!({"alert_grouping_setting": {"name": "By time", "type": "time",
            "config": {"timeout": seconds}, "services": [reference(&service, "service")]}})
    };
    world.write(
        "POST",
        "/alert_grouping_settings",
        &body(30, world.service(0)),
        400,
    );
    for index in 0..3 {
        world.write(
            "POST",
            "/alert_grouping_settings",
            &body(300, world.service(index)),
            201,
        );
    }
    let first = world.get("/alert_grouping_settings", &[("limit", "2")]);
    assert_eq!(
        first["alert_grouping_settings"].as_array().unwrap().len(),
        2
    );
    assert_eq!(first["before"], Value::Null);
    let rest = world.get(
        "/alert_grouping_settings",
        &[("limit", "2"), ("after", &text(&first, "/after"))],
    );
    assert_eq!(rest["alert_grouping_settings"].as_array().unwrap().len(), 1);
    assert_eq!(rest["after"], Value::Null);
}

#[test]
fn what_is_kept_is_there_after_loading() {
    let mut world = World::with(Options::default());
    let tag = json!({"tag": {"type": "tag", "label": "tier-1"}});
    world.write("POST", "/tags", &tag, 201);
    let kind = json!({"incident_type": {"name": "leak", "display_name": "Leak", "parent_type": "incident_default"}});
    world.write("POST", "/incidents/types", &kind, 201);
    let field = json!({"field": {"name": "kind", "display_name": "Kind", "description": "Which", "data_type": "string",
        "field_type": "single_value_fixed", "field_options": [{"data": {"value": "water"}}]}});
    world.write("POST", "/incidents/types/leak/custom_fields", &field, 201);
    let looks = [
        "/tags",
        "/incidents/types",
        "/incidents/types/leak/custom_fields",
    ];
    let before = looks.map(|path| world.get(path, &[]));
    world.sim = crate::data::reloaded(&world);
    assert_eq!(looks.map(|path| world.get(path, &[])), before);
}

#[test]
fn scopes_cover_what_the_manual_of_oauth_says() {
    let mut world = World::new();
    world.sim.register_app(OAuthApp {
        kind: OAuthKind::Scoped,
        client_id: "app".to_owned(),
        client_secret: Some("hush".to_owned()),
        scopes: [
            "webhook_subscriptions.write",
            "incident_types.read",
            "incidents.read",
        ]
        .map(str::to_owned)
        .to_vec(),
        redirect_uri: "https://im.example/back".to_owned(),
        account: "us.lighthouse-works".to_owned(),
    });
    let form = "grant_type=client_credentials&client_id=app&client_secret=hush&scope=as_account-us.lighthouse-works+webhook_subscriptions.write+incident_types.read+incidents.read";
    let mut asked = pd_sim::Request::new("POST", "/oauth/token");
    asked.body = form.as_bytes().to_vec();
    let token = text(&world.send(&asked).value().unwrap(), "/access_token");
    let as_app = |method: &str, path: &str| {
        pd_sim::Request::new(method, path).with_header("Authorization", &format!("Bearer {token}"))
    };
    assert_eq!(world.send(&as_app("GET", "/incidents/types")).status, 200);
    let fields = world.send(&as_app(
        "GET",
        "/incidents/types/incident_default/custom_fields",
    ));
    assert_eq!(
        fields.value().unwrap()["error"]["required_scopes"],
        json!(["custom_fields.read"])
    );
    let subscribe = |event: &str| {
        as_app("POST", "/webhook_subscriptions").with_json(&json!({"webhook_subscription": {
            "type": "webhook_subscription", "events": [event], "filter": {"type": "account_reference"},
            "delivery_method": {"type": "http_delivery_method", "url": "https://im.example/hooks"}}}))
    };
    assert_eq!(world.send(&subscribe("incident.triggered")).status, 201);
    assert_eq!(
        world.send(&subscribe("service.created")).status,
        403,
        "services.read is missing"
    );
}

#[test]
fn a_field_of_several_values_has_each_once() {
    let mut world = World::new();
    let field = json!({"field": {"name": "regions", "display_name": "Regions", "data_type": "string", "field_type": "multi_value"}});
    world.write(
        "POST",
        "/incidents/types/incident_default/custom_fields",
        &field,
        201,
    );
    let id = world.create("slow", None);
    let path = format!("/incidents/{id}/custom_fields/values");
    let mut set = |value: Value, status: u16| {
        let body = json!({"custom_fields": [{"name": "regions", "value": value}]});
        world.write("PUT", &path, &body, status);
    };
    set(json!(["eu", "us"]), 201);
    set(json!(["eu", "eu"]), 400);
    set(
        json!((0..11).map(|number| number.to_string()).collect::<Vec<_>>()),
        400,
    );
}
