//! Users, how they are reached, and teams.

use pd_sim::Options;
use serde_json::json;

use super::{errors, id_of, make_user};
use crate::shapes::same_shape;
use crate::world::World;

#[test]
fn contact_methods_are_made_changed_and_checked() {
    let mut world = World::new();
    let id = make_user(&mut world, "Ola  Berg", "ola@lighthouse-works.example");
    let shown = world.get(&format!("/users/{id}"), &[]);
    same_shape(&shown, "rest/user-get", "");
    assert_eq!(shown["user"]["name"], "Ola Berg");
    let path = format!("/users/{id}/contact_methods");
    let first = world.get(&path, &[])["contact_methods"][0].clone();
    assert_eq!(first["type"], "email_contact_method");
    assert_eq!(first["address"], "ola@lighthouse-works.example");

    let body = json!({"contact_method": {"type": "phone_contact_method", "label": "Work",
        "address": "5550100", "country_code": 44}});
    let made = world.write("POST", &path, &body, 201);
    let phone = id_of(&made, "contact_method");
    assert_eq!(made["contact_method"]["country_code"], 44);
    let again = world.write("POST", &path, &body, 400);
    assert_eq!(errors(&again), ["User Contact method must be unique"]);
    let relabel = json!({"contact_method": {"label": "Desk"}});
    let changed = world.write("PUT", &format!("{path}/{phone}"), &relabel, 200);
    assert_eq!(changed["contact_method"]["summary"], "Desk");
    assert_eq!(changed["contact_method"]["address"], "5550100");
    let bad = json!({"contact_method": {"type": "pigeon", "address": ""}});
    let refused = world.write("POST", &path, &bad, 400);
    assert_eq!(errors(&refused).len(), 3, "{refused}");
}

#[test]
fn a_rule_tells_by_the_method_it_names_and_ends_with_it() {
    let mut world = World::new();
    let id = make_user(&mut world, "Ola Berg", "ola@lighthouse-works.example");
    let path = format!("/users/{id}/contact_methods");
    let body = json!({"contact_method": {"type": "phone_contact_method", "label": "Work",
        "address": "5550100", "country_code": 44}});
    let phone = id_of(&world.write("POST", &path, &body, 201), "contact_method");
    let rules = format!("/users/{id}/notification_rules");
    let body = json!({"notification_rule": {"type": "assignment_notification_rule",
        "start_delay_in_minutes": 3, "urgency": "high",
        "contact_method": {"id": phone, "type": "phone_contact_method_reference"}}});
    let made = world.write("POST", &rules, &body, 201);
    let rule = id_of(&made, "notification_rule");
    let again = world.write("POST", &rules, &body, 400);
    let reason = "Channel Start delay must be unique for a given contact method";
    assert_eq!(errors(&again), [reason]);
    let sooner = json!({"notification_rule": {"start_delay_in_minutes": 2}});
    let changed = world.write("PUT", &format!("{rules}/{rule}"), &sooner, 200);
    let summary = format!("2 minutes: channel {phone}");
    assert_eq!(changed["notification_rule"]["summary"], summary);

    let service = world.service(0);
    let body = json!({"incident": {"type": "incident", "title": "slow",
        "service": {"id": service, "type": "service_reference"},
        "assignments": [{"assignee": {"id": id, "type": "user_reference"}}]}});
    world.write("POST", "/incidents", &body, 201);
    world.pass_s(121);
    let told = world.sim.pages().iter().filter(|page| page.user == id);
    let told: Vec<&str> = told.map(|page| page.channel).collect();
    assert_eq!(told, ["email", "phone"]);
    let day = [("since", "2026-03-10"), ("until", "2026-03-11")];
    let sent = world.get("/notifications", &day);
    assert_eq!(sent["notifications"][1]["address"], "+445550100");

    world.write("DELETE", &format!("{path}/{phone}"), &json!({}), 204);
    let request = world.request("GET", &format!("{rules}/{rule}"));
    assert_eq!(world.send(&request).status, 404);
}

#[test]
fn users_are_checked_and_their_keys_end_with_them() {
    let mut world = World::new();
    let body = json!({"user": {"name": "x".repeat(101), "email": "INES.HALLORAN@lighthouse-works.example", "role": "king"}});
    let refused = world.write("POST", "/users", &body, 400);
    assert_eq!(
        errors(&refused),
        [
            "Name is too long (maximum is 100 characters)",
            "Email has already been taken",
            "Role must be one of owner, admin, user, limited_user, observer, restricted_access, read_only_user, read_only_limited_user",
        ]
    );
    let request = world
        .request("POST", "/users")
        .with_json(&json!({"user": {}}));
    let mut stranger = request.clone();
    stranger.headers.retain(|(name, _)| name != "From");
    let nobody = stranger
        .clone()
        .with_header("From", "nobody@lighthouse-works.example");
    let answer = world.send(&nobody).value().unwrap();
    assert_eq!(answer["error"]["code"], 1008);
    let answer = world.send(&stranger).value().unwrap();
    assert_eq!(
        errors(&answer),
        ["Name can't be blank", "Email can't be blank"]
    );

    let ola = make_user(&mut world, "Ola Berg", "ola@lighthouse-works.example");
    let key = world.sim.add_key(pd_sim::KeyKind::User(ola.clone()));
    let me = pd_sim::Request::new("GET", "/users/me")
        .with_header("Authorization", &format!("Token token={key}"));
    assert_eq!(world.send(&me).status, 200);
    world.write("DELETE", &format!("/users/{ola}"), &json!({}), 204);
    assert_eq!(world.send(&me).status, 401);
}

#[test]
fn ten_changes_of_contact_methods_a_day_are_the_most() {
    let mut world = World::with(Options {
        limits: Some(1.0),
        ..Options::default()
    });
    let path = format!("/users/{}/contact_methods", world.user(0));
    let method = world.get(&path, &[])["contact_methods"][1]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let change = |world: &mut World, status: u16| {
        let body = json!({"contact_method": {"label": "Other"}});
        world.write("PUT", &format!("{path}/{method}"), &body, status)
    };
    for _ in 0..10 {
        change(&mut world, 200);
    }
    assert_eq!(change(&mut world, 400)["error"]["code"], 2017);
    world.pass_s(86_400);
    change(&mut world, 200);
}

#[test]
fn a_team_has_members_a_parent_and_policies() {
    let mut world = World::new();
    let body = json!({"team": {"type": "team", "name": "Ledger", "default_role": "none",
        "parent": {"id": "PNOBODY", "type": "team_reference"}}});
    let refused = world.write("POST", "/teams", &body, 400);
    assert_eq!(errors(&refused), ["Parent is invalid"]);
    let parent = world.get("/teams", &[])["teams"][0]["id"].clone();
    let body = json!({"team": {"type": "team", "name": "Ledger", "parent": {"id": parent, "type": "team_reference"}}});
    let team = id_of(&world.write("POST", "/teams", &body, 201), "team");
    let again = world.write("POST", "/teams", &body, 400);
    assert_eq!(errors(&again), ["Name has already been taken"]);
    let path = format!("/teams/{team}");
    let changed = world.write(
        "PUT",
        &path,
        &json!({"team": {"description": "Books"}}),
        200,
    );
    same_shape(&changed["team"], "rest/teams-list", "/teams/0");
    assert_eq!(
        (&changed["team"]["name"], &changed["team"]["description"]),
        (&"Ledger".into(), &"Books".into())
    );
    assert_eq!(changed["team"]["parent"]["summary"], "Shop");

    let user = world.user(3);
    let member = format!("{path}/users/{user}");
    world.write("PUT", &member, &json!({"role": "boss"}), 400);
    world.write("PUT", &member, &json!({"role": "observer"}), 204);
    world.write("PUT", &member, &json!({"role": "responder"}), 204);
    let members = world.get(&format!("{path}/members"), &[("include[]", "users")]);
    assert_eq!(
        (
            &members["members"][0]["role"],
            &members["members"][0]["user"]["name"]
        ),
        (&"responder".into(), &"Carla Nowak".into())
    );
    world.write("DELETE", &member, &json!({}), 204);
    world.write("DELETE", &member, &json!({}), 404);
    let policy = world.account.policies[1].0.clone();
    let theirs = format!("{path}/escalation_policies/{policy}");
    world.write("PUT", &theirs, &json!({}), 204);
    let services = world.get("/services", &[("team_ids[]", &team)]);
    assert_eq!(services["services"].as_array().unwrap().len(), 2);
    world.write("DELETE", &theirs, &json!({}), 204);

    world
        .sim
        .change_options(|options| options.abilities.retain(|one| one != "teams"));
    let refused = world.write("POST", "/teams", &body, 402);
    assert_eq!(refused["error"]["code"], 2014);
}

#[test]
fn incidents_of_a_private_team_are_not_there_for_others() {
    let mut world = World::new();
    let service = world.service(2);
    let id = world.sim.trigger(&service, "secret", world.now).unwrap();
    let team = world.get("/teams", &[("query", "platform")])["teams"][0]["id"].clone();
    let team = team.as_str().unwrap().to_owned();
    let ask = |world: &mut World, path: &str, of: &str| {
        let key = world.sim.add_key(pd_sim::KeyKind::User(of.to_owned()));
        let request = pd_sim::Request::new("GET", path);
        world.send(&request.with_header("Authorization", &format!("Token token={key}")))
    };
    let (ines, carla) = (world.user(0), world.user(3));
    let path = format!("/incidents/{id}");
    assert_eq!(ask(&mut world, &path, &ines).status, 200);
    let private = json!({"team": {"type": "team", "default_role": "none"}});
    world.write("PUT", &format!("/teams/{team}"), &private, 200);
    assert_eq!(ask(&mut world, &path, &ines).status, 404);
    for list in ["incidents", "log_entries"] {
        let answer = ask(&mut world, &format!("/{list}"), &ines);
        assert_eq!(answer.value().unwrap()[list], json!([]));
    }
    assert_eq!(ask(&mut world, &path, &carla).status, 200);
    world.get(&path, &[]);
    let admin = json!({"user": {"type": "user", "role": "admin"}});
    world.write("PUT", &format!("/users/{ines}"), &admin, 200);
    assert_eq!(ask(&mut world, &path, &ines).status, 200);
}

#[test]
fn webhooks_are_for_admins_and_managers_of_their_scope() {
    let mut world = World::new();
    let ines = world.user(0);
    let team = world.get("/teams", &[("query", "shop")])["teams"][0]["id"].clone();
    let service = world.service(0);
    let key = world.sim.add_key(pd_sim::KeyKind::User(ines.clone()));
    let key = format!("Token token={key}");
    let filters = [
        json!({"type": "account_reference"}),
        json!({"type": "service_reference", "id": service}),
        json!({"type": "team_reference", "id": team}),
    ];
    let make = |world: &mut World, filter: &serde_json::Value| {
        let body = json!({"webhook_subscription": {
            "type": "webhook_subscription",
            "delivery_method": {"type": "http_delivery_method", "url": "https://im.test/x"},
            "events": ["incident.triggered"],
            "filter": filter,
        }});
        let request = pd_sim::Request::new("POST", "/webhook_subscriptions")
            .with_header("Authorization", &key)
            .with_json(&body);
        world.send(&request).status
    };
    let role = |world: &mut World, role: &str| {
        let body = json!({"user": {"type": "user", "role": role}});
        world.write("PUT", &format!("/users/{ines}"), &body, 200);
    };
    // Ines manages the team Shop.
    for (base, expected) in [
        ("owner", [201, 201, 201]),
        ("admin", [201, 201, 201]),
        ("user", [403, 201, 201]),
        ("limited_user", [403, 403, 201]),
        ("observer", [403, 403, 201]),
    ] {
        role(&mut world, base);
        let answers = [0, 1, 2].map(|at: usize| make(&mut world, &filters[at]));
        assert_eq!(answers, expected, "{base}");
    }
    let held = world.sim.subscriptions()[0].id.clone();
    for (base, expected) in [("limited_user", 403), ("admin", 204)] {
        role(&mut world, base);
        let delete = pd_sim::Request::new("DELETE", &format!("/webhook_subscriptions/{held}"))
            .with_header("Authorization", &key);
        assert_eq!(world.send(&delete).status, expected, "{base}");
    }
}
