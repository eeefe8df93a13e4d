//! What is refused, and with which words.

use pd_sim::{Fault, KeyKind, OAuthApp, OAuthKind, Options, Outage, Request};
use serde_json::{Value, json};

use crate::shapes::{fixture, same_shape};
use crate::world::World;

#[track_caller]
fn refused(world: &mut World, request: &Request, status: u16, example: &str) {
    let response = world.send(request);
    assert_eq!(response.status, status);
    assert_eq!(
        response.value().unwrap(),
        fixture(&format!("rest/errors/{example}"))
    );
}

fn creation(world: &World, title: &str, key: Option<&str>) -> Value {
    json!({"incident": {"type": "incident", "title": title, "incident_key": key,
        "service": {"id": world.service(0), "type": "service_reference"}}})
}

#[test]
fn credentials() {
    let mut world = World::new();
    let key = world.account.api_key.clone();
    let with =
        |header: &str| Request::new("GET", "/incidents").with_header("authorization", header);
    for good in [format!("Token token={key}"), format!("Token token= {key}")] {
        assert_eq!(world.send(&with(&good)).status, 200, "{good}");
    }
    for bad in [
        key.clone(),
        "Token token=nobodys".to_owned(),
        format!("token {key}"),
    ] {
        refused(&mut world, &with(&bad), 401, "unauthorized");
    }
    refused(
        &mut world,
        &Request::new("GET", "/incidents"),
        401,
        "unauthorized",
    );
    let read_only = format!("Token token={}", world.account.read_only_key);
    let write = Request::new("POST", "/incidents").with_header("Authorization", &read_only);
    refused(&mut world, &write, 403, "forbidden");
}

#[test]
fn a_write_with_an_account_key_needs_a_user_in_from() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    let key = format!("Token token={}", world.account.api_key);
    let write = Request::new("PUT", &format!("/incidents/{id}"))
        .with_header("Authorization", &key)
        .with_json(&json!({"incident": {"type": "incident_reference", "status": "resolved"}}));
    refused(&mut world, &write, 400, "missing-from-header");
    let stranger = write
        .clone()
        .with_header("From", "stranger@lighthouse-works.example");
    refused(&mut world, &stranger, 400, "unknown-from-user");
    // A user key needs none, and `From` does not change who acts.
    let user_key = format!("Token token={}", world.account.user_key);
    let second = world.account.users[1].2.clone();
    let write = Request {
        headers: Vec::new(),
        ..write
    }
    .with_header("Authorization", &user_key)
    .with_header("From", &second)
    .with_header("Content-Type", "application/json");
    let shown = world.send(&write).value().unwrap();
    assert_eq!(
        shown["incident"]["last_status_change_by"]["id"],
        world.user(0).as_str()
    );
}

#[test]
fn users_me_is_for_user_keys() {
    let mut world = World::new();
    let me = world.request("GET", "/users/me");
    refused(&mut world, &me, 400, "users-me-with-account-key");
    let key = format!("Token token={}", world.account.user_key);
    let me = world
        .send(&Request::new("GET", "/users/me").with_header("Authorization", &key))
        .value()
        .unwrap();
    assert_eq!(me["user"]["id"], world.user(0).as_str());
}

#[test]
fn a_key_makes_one_open_incident_per_service() {
    let mut world = World::new();
    let id = world.create("disk full", Some("k"));
    let again =
        world
            .request("POST", "/incidents")
            .with_json(&creation(&world, "again", Some("k")));
    refused(&mut world, &again, 400, "incident-create-duplicate-key");
    let found = world.get(
        "/incidents",
        &[("incident_key", "k"), ("statuses[]", "triggered")],
    );
    assert_eq!(found["incidents"][0]["id"], id.as_str());
    world.put(&id, &json!({"status": "resolved"}));
    assert_eq!(world.send(&again).status, 201);
}

#[test]
fn bad_bodies() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    let empty = world
        .request("POST", "/incidents")
        .with_json(&creation(&world, " ", None));
    refused(&mut world, &empty, 400, "incident-create-empty-title");
    let mut body = creation(&world, "disk full", None);
    body["incident"]["service"]["id"] = "PNOBODY".into();
    let nowhere = world.request("POST", "/incidents").with_json(&body);
    refused(
        &mut world,
        &nowhere,
        400,
        "incident-create-service-not-found",
    );
    let path = format!("/incidents/{id}");
    let status = world
        .request("PUT", &path)
        .with_json(&json!({"incident": {"type": "incident", "status": "closed"}}));
    refused(&mut world, &status, 400, "invalid-status");
    let mut untyped = world.request("POST", "/incidents");
    untyped.body = b"{}".to_vec();
    refused(&mut world, &untyped, 400, "content-type-missing");
    let nobody = world.request("GET", "/incidents/QNOTHERE");
    refused(&mut world, &nobody, 404, "not-found");
    let many: Vec<Value> = (0..251).map(|_| json!({"id": id})).collect();
    let bulk = world
        .request("PUT", "/incidents")
        .with_json(&json!({"incidents": many}));
    refused(&mut world, &bulk, 413, "payload-too-many");
}

#[test]
fn paging_ends_at_ten_thousand() {
    let mut world = World::new();
    for number in 0..3 {
        world.create(&format!("incident {number}"), None);
    }
    let page = world.get("/incidents", &[("limit", "2"), ("total", "true")]);
    assert_eq!((&page["more"], &page["total"]), (&json!(true), &json!(3)));
    let page = world.get("/incidents", &[("limit", "2"), ("offset", "2")]);
    assert_eq!(
        (&page["more"], &page["total"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        world.get("/incidents", &[("offset", "9975")])["incidents"],
        json!([])
    );
    let past = world
        .request("GET", "/incidents")
        .with_query("offset", "9976");
    refused(&mut world, &past, 400, "past-window-pagination");
}

#[test]
fn before_september_2025_a_resolved_incident_stayed_resolved() {
    let mut world = World::with(Options {
        reopen_allowed: false,
        ..Options::default()
    });
    let id = world.create("disk full", None);
    world.put(&id, &json!({"status": "resolved"}));
    for status in ["triggered", "acknowledged", "resolved"] {
        let write = world.request("PUT", &format!("/incidents/{id}"));
        let write = write.with_json(&json!({"incident": {"type": "incident", "status": status}}));
        refused(&mut world, &write, 400, "already-resolved");
    }
}

#[test]
fn a_missing_ability_is_402() {
    let mut world = World::with(Options {
        abilities: vec!["teams".to_owned()],
        ..Options::default()
    });
    let id = world.create("disk full", None);
    let write = world
        .request("POST", &format!("/incidents/{id}/responder_requests"))
        .with_json(&json!({}));
    refused(&mut world, &write, 402, "ability-missing");
    assert_eq!(
        world.send(&world.request("GET", "/abilities/teams")).status,
        204
    );
    assert_eq!(
        world
            .send(&world.request("GET", "/abilities/urgencies"))
            .status,
        402
    );
    assert_eq!(
        world
            .send(&world.request("GET", "/abilities/flying"))
            .status,
        404
    );
}

#[test]
fn a_lost_answer_has_done_its_work_and_a_refused_request_nothing() {
    let mut world = World::new();
    let create =
        world
            .request("POST", "/incidents")
            .with_json(&creation(&world, "disk full", Some("k")));
    world.sim.faults().lose_answers(1);
    let answered = world.sim.handle(&create, world.now);
    assert!(answered.lost && !answered.unreachable);
    assert_eq!(world.sim.incidents().count(), 1);
    assert_eq!(world.sim.writes().len(), 1);
    refused(&mut world, &create, 400, "incident-create-duplicate-key");

    world
        .sim
        .faults()
        .next_matching("PUT", "/incidents/", Fault::Locked);
    let id = world.sim.incidents().next().unwrap().id;
    let ack = world.request("PUT", &format!("/incidents/{id}"));
    let ack = ack.with_json(&json!({"incident": {"type": "incident", "status": "acknowledged"}}));
    let locked = world.send(&ack);
    assert!(
        String::from_utf8(locked.body)
            .unwrap()
            .contains("could not be locked")
    );
    assert_eq!(world.sim.incident(&id).unwrap().status, "triggered");

    world.sim.faults().outage = Some(Outage::Unreachable);
    assert!(world.sim.handle(&ack, world.now).unreachable);
    world.sim.faults().outage = Some(Outage::Unavailable);
    assert_eq!(world.send(&ack).status, 503);
    world.sim.faults().clear();
    assert_eq!(world.send(&ack).status, 200);
}

#[test]
fn limits_are_told_and_kept() {
    let mut world = World::with(Options {
        limits: Some(0.01),
        ..Options::default()
    });
    let listing = world.request("GET", "/incidents");
    let mut last = world.send(&listing);
    let left = |response: &pd_sim::Response| {
        let found = response
            .headers
            .iter()
            .find(|(name, _)| name == "ratelimit-remaining");
        found.map(|(_, value)| value.parse::<u32>().unwrap())
    };
    assert!(left(&last).is_some());
    for _ in 0..20 {
        last = world.send(&listing);
    }
    assert_eq!(last.value().unwrap(), fixture("rest/errors/rate-limited"));
    assert_eq!((last.status, left(&last)), (429, Some(0)));
    world.pass_s(61);
    assert_eq!(world.send(&listing).status, 200);
}

#[test]
fn a_key_of_nobody_is_no_key() {
    let mut world = World::new();
    let key = world.sim.add_key(KeyKind::User("PGONE".to_owned()));
    assert_eq!(key.len(), 20);
    assert_eq!(world.account.api_key.len(), 20);
}

#[test]
fn an_oauth_token_does_what_its_scopes_say() {
    let mut world = World::new();
    world.sim.register_app(OAuthApp {
        kind: OAuthKind::Scoped,
        client_id: "im".to_owned(),
        client_secret: Some("hush".to_owned()),
        scopes: vec!["services.read".to_owned()],
        redirect_uri: "https://im.example/back".to_owned(),
        account: "us.lighthouse-works".to_owned(),
    });
    let form = "grant_type=client_credentials&client_id=im&client_secret=hush\
        &scope=as_account-us.lighthouse-works%20services.read";
    let ask = Request {
        body: form.as_bytes().to_vec(),
        ..Request::new("POST", "/oauth/token")
    };
    let ask = ask.with_header("Content-Type", "application/x-www-form-urlencoded");
    let answer = world.send(&ask).value().unwrap();
    let token = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let with = |path: &str| Request::new("GET", path).with_header("Authorization", &token);
    assert_eq!(world.send(&with("/services")).status, 200);
    let refused = world.send(&with("/incidents"));
    assert_eq!(refused.status, 403);
    let error = &refused.value().unwrap()["error"];
    assert_eq!(error["required_scopes"], json!(["incidents.read"]));
    let path = format!("/users/{}/contact_methods", world.user(0));
    let refused = world.send(&with(&path)).value().unwrap();
    let own = json!(["users:contact_methods.read"]);
    assert_eq!(refused["error"]["required_scopes"], own);
    let clients = with("/webhook_subscriptions/oauth_clients");
    assert_eq!(world.send(&clients).status, 200, "no scope is published");
    world.sim.revoke_tokens();
    assert_eq!(world.send(&with("/services")).status, 401);
}

#[test]
fn the_form_of_the_credentials_is_exact() {
    let mut world = World::new();
    let key = world.account.api_key.clone();
    world
        .sim
        .accept_key("a-key-of-another-length", KeyKind::Account);
    let mut status = |header: String| {
        let request = Request::new("GET", "/users").with_header("Authorization", &header);
        world.send(&request).status
    };
    assert_eq!(status(format!("Token token={key}")), 200);
    assert_eq!(status(format!("Token token= {key}")), 200); // one client writes it so
    assert_eq!(status(format!("Token token=\"{key}\"")), 401);
    assert_eq!(status(format!("Token {key}")), 401);
    assert_eq!(status(format!("Bearer {key}")), 401);
    // Clients that guess by the length send such a key so.
    assert_eq!(status("Bearer a-key-of-another-length".to_owned()), 200);
}

#[test]
fn an_event_that_is_too_large_or_too_long_is_refused() {
    let mut world = World::new();
    let key = world.account.services[0].2.clone();
    let mut send = |summary: &str, details: usize| {
        let event = json!({"routing_key": key, "event_action": "trigger", "payload": {
            "summary": summary, "source": "db-1", "severity": "critical", "custom_details": {"text": "x".repeat(details)}}});
        let response = world.send(&Request::new("POST", "/v2/enqueue").with_json(&event));
        (
            response.status,
            response.value().unwrap()["errors"][0].clone(),
        )
    };
    assert_eq!(send(&"ü".repeat(1_024), 0).0, 202);
    let long = "'payload.summary' is too long (maximum is 1024 characters)";
    assert_eq!(send(&"ü".repeat(1_025), 0), (400, long.into()));
    assert_eq!(send("disk full", 500_000).0, 202);
    assert_eq!(send("disk full", 600_000).0, 413);
    assert_eq!(world.sim.incidents().count(), 2);
}

#[test]
fn a_change_names_its_type() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    let path = format!("/incidents/{id}");
    let refused = world.write(
        "PUT",
        &path,
        &json!({"incident": {"status": "resolved"}}),
        400,
    );
    assert_eq!(refused["error"]["code"], 2001);
    world.write(
        "PUT",
        "/incidents",
        &json!({"incidents": [{"id": id, "status": "resolved"}]}),
        400,
    );
    let new = json!({"incident": {"title": "other", "service": {"id": world.service(0), "type": "service_reference"}}});
    world.write("POST", "/incidents", &new, 400);
    world.put(&id, &json!({"status": "resolved"}));
}

#[test]
fn a_subscription_is_to_something_that_exists() {
    let mut world = World::new();
    let body = |kind: &str, id: &str| {
        json!({"webhook_subscription": {"type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": "https://im.example/hooks"},
        "events": ["incident.triggered"], "filter": {"type": kind, "id": id}}})
    };
    world.write(
        "POST",
        "/webhook_subscriptions",
        &body("service_reference", "PNONE"),
        400,
    );
    world.write(
        "POST",
        "/webhook_subscriptions",
        &body("team_reference", "PNONE"),
        400,
    );
    let service = world.service(0);
    world.write(
        "POST",
        "/webhook_subscriptions",
        &body("service_reference", &service),
        201,
    );
}

#[test]
fn a_filter_needs_its_ability() {
    let mut world = World::new();
    world.sim.change_options(|options| {
        options
            .abilities
            .retain(|have| have != "teams" && have != "urgencies");
    });
    for (path, filter) in [
        ("/incidents", "team_ids[]"),
        ("/incidents", "urgencies[]"),
        ("/log_entries", "team_ids[]"),
    ] {
        let request = world.request("GET", path).with_query(filter, "high");
        assert_eq!(world.send(&request).status, 402, "{path} {filter}");
        assert_eq!(world.send(&world.request("GET", path)).status, 200);
    }
}

#[test]
fn a_date_without_an_offset_is_read_in_the_zone_of_the_account() {
    let mut world = World::with(Options {
        time_zone: "Asia/Tokyo".to_owned(),
        ..Options::default()
    });
    world.create("disk full", None); // 08:00 in UTC, 17:00 in Tokyo
    let mut found = |since: &str, zone: &[(&str, &str)]| {
        let mut query = vec![("since", since), ("until", "2026-03-20")];
        query.extend(zone);
        world.get("/incidents", &query)["incidents"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(found("2026-03-10T16:30:00", &[]), 1);
    assert_eq!(found("2026-03-10T17:30:00", &[]), 0);
    assert_eq!(found("2026-03-10T16:30:00", &[("time_zone", "UTC")]), 0);
    assert_eq!(found("2026-03-10T07:30:00Z", &[]), 1);
}

#[test]
fn the_channel_of_a_trigger_can_be_corrected() {
    let mut world = World::new();
    let id = world.create("disk full", None);
    let entry = world.get(&format!("/incidents/{id}"), &[])["incident"]["first_trigger_log_entry"]
        ["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({"channel": {"type": "web_trigger", "details": "Corrected"}});
    world.write("PUT", &format!("/log_entries/{entry}/channel"), &body, 202);
    let shown = world.get(
        &format!("/log_entries/{entry}"),
        &[("include[]", "channels")],
    );
    assert_eq!(shown["log_entry"]["channel"]["details"], "Corrected");
    assert_eq!(shown["log_entry"]["channel"]["summary"], "disk full");
    world.write(
        "PUT",
        &format!("/log_entries/{entry}/channel"),
        &json!({"channel": {"type": "api"}}),
        400,
    );
}

#[test]
fn an_alert_moves_and_what_it_leaves_empty_ends() {
    let mut world = World::new();
    let service = world.service(0);
    let from = world.sim.trigger(&service, "one", world.now).unwrap();
    let to = world.sim.trigger(&service, "two", world.now).unwrap();
    let alert = world.get(&format!("/incidents/{from}/alerts"), &[])["alerts"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body =
        json!({"alert": {"type": "alert", "incident": {"id": to, "type": "incident_reference"}}});
    let moved = world.write(
        "PUT",
        &format!("/incidents/{from}/alerts/{alert}"),
        &body,
        200,
    );
    assert_eq!(moved["alert"]["incident"]["id"], to.as_str());
    assert_eq!(world.sim.incident(&to).unwrap().alerts, (2, 2));
    let left = world.sim.incident(&from).unwrap();
    assert_eq!((left.status, left.alerts), ("resolved", (0, 0)));
    let back = json!({"alerts": [{"id": alert, "type": "alert", "incident": {"id": from, "type": "incident_reference"}}]});
    world.write("PUT", &format!("/incidents/{to}/alerts"), &back, 400);
}

#[test]
fn answers_are_in_the_zone_that_is_asked_for() {
    let mut world = World::new();
    let details = json!({"seen_at": "2026-03-10T07:59:00Z"});
    let key = world.account.services[0].2.clone();
    let event = json!({"routing_key": key, "event_action": "trigger", "dedup_key": "k",
        "payload": {"summary": "slow", "source": "db", "severity": "error", "custom_details": details}});
    world.write("POST", "/v2/enqueue", &event, 202);
    for name in ["Asia/Kolkata", "New Delhi"] {
        let asked = [("time_zone", name), ("include[]", "channels")];
        let shown = world.get("/incidents", &asked);
        assert_eq!(
            shown["incidents"][0]["created_at"],
            "2026-03-10T13:30:00+05:30"
        );
        let trail = world.get("/log_entries", &asked);
        let trail = trail["log_entries"].as_array().unwrap();
        let trigger = trail
            .iter()
            .find(|entry| entry["type"] == "trigger_log_entry")
            .unwrap();
        assert_eq!(trigger["created_at"], "2026-03-10T13:30:00+05:30");
        assert_eq!(
            trigger["channel"]["details"], details,
            "what a sender wrote stays"
        );
    }
    let shown = world.get("/incidents", &[]);
    assert_eq!(shown["incidents"][0]["created_at"], "2026-03-10T08:00:00Z");
}

#[test]
fn version_1_of_the_events_api_answers_200() {
    let mut world = World::new();
    let key = world.account.services[0].2.clone();
    let event = json!({"service_key": key, "event_type": "trigger", "incident_key": "k", "description": "slow"});
    let answer = world.write("POST", "/generic/2010-04-15/create_event.json", &event, 200);
    same_shape(&answer, "events/v1-accepted.response", "");
    assert_eq!(answer["incident_key"], "k");
}

#[test]
fn subject_and_html_of_a_status_update_go_together() {
    let mut world = World::new();
    let id = world.create("slow", None);
    let path = format!("/incidents/{id}/status_updates");
    world.write("POST", &path, &json!({"message": "m", "subject": "s"}), 400);
    let both = json!({"message": "m", "subject": "s", "html_message": "<p>m</p>"});
    let posted = world.write("POST", &path, &both, 200);
    assert_eq!(posted["status_update"]["subject"], "s");
}

#[test]
fn alerts_are_sorted_and_shown_whole_as_asked() {
    let mut world = World::new();
    let (service, key) = (world.service(0), world.account.services[0].2.clone());
    let id = world.sim.trigger(&service, "first", world.now).unwrap();
    let other = world.create("second", None);
    let event = json!({"routing_key": key, "event_action": "trigger", "dedup_key": "k",
        "payload": {"summary": "second", "source": "db", "severity": "error"}});
    world.write("POST", "/v2/enqueue", &event, 202);
    let found = world.get("/incidents", &[("incident_key", "k")]);
    let source = found["incidents"][0]["id"].clone();
    let merged = json!({"source_incidents": [{"id": source, "type": "incident_reference"}, {"id": other, "type": "incident_reference"}]});
    world.write("PUT", &format!("/incidents/{id}/merge"), &merged, 200);
    let path = format!("/incidents/{id}/alerts");
    let names = |shown: &Value| -> Vec<String> {
        let alerts = shown["alerts"].as_array().unwrap().iter();
        alerts
            .map(|alert| alert["summary"].as_str().unwrap().to_owned())
            .collect()
    };
    let newest = world.get(
        &path,
        &[
            ("sort_by", "created_at:desc"),
            ("include[]", "services"),
            ("include[]", "incidents"),
            ("include[]", "first_trigger_log_entries"),
        ],
    );
    assert_eq!(names(&newest), ["second", "first"]);
    let alert = &newest["alerts"][0];
    for (part, kind) in [
        ("service", "service"),
        ("incident", "incident"),
        ("first_trigger_log_entry", "trigger_log_entry"),
    ] {
        assert_eq!(alert[part]["type"], kind);
    }
    assert_eq!(names(&world.get(&path, &[])), ["first", "second"]);
    let refused = world
        .request("GET", &path)
        .with_query("sort_by", "severity");
    assert_eq!(world.send(&refused).status, 400);
}

#[test]
fn each_answer_has_a_number_of_its_own() {
    let mut world = World::new();
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let answer = world.send(&world.request("GET", "/priorities"));
        let found = answer
            .headers
            .iter()
            .find(|(name, _)| name == "x-request-id");
        numbers.push(found.unwrap().1.clone());
    }
    assert_ne!(numbers[0], numbers[1]);
}
