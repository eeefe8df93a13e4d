//! An account that was saved and loaded is the same account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pd_sim::data::{BadFile, FILES, Loading, has_lines};
use pd_sim::{Options, Request, Sim};
use serde_json::{Value, json};

use crate::world::World;

type Files = BTreeMap<&'static str, String>;

fn save(sim: &Sim) -> Files {
    let write = |file: &&'static str| {
        let mut bytes = Vec::new();
        sim.save(file, &mut bytes).unwrap();
        (*file, String::from_utf8(bytes).unwrap())
    };
    FILES.iter().map(write).collect()
}

fn load(files: &Files, now: Timestamp) -> Result<Sim, BadFile> {
    let mut loading = Loading::new(Options::default(), now);
    for file in FILES {
        let Some(text) = files.get(file) else {
            continue;
        };
        if has_lines(file) {
            for (at, line) in text.lines().enumerate() {
                loading.line(file, at + 1, line)?;
            }
        } else {
            loading.document(file, text)?;
        }
    }
    Ok(loading.finish())
}

/// An account in which everything has happened.
/// The account of a world, saved and loaded again.
pub(crate) fn reloaded(world: &World) -> Sim {
    load(&save(&world.sim), world.now).unwrap()
}

fn busy() -> World {
    let mut world = World::new();
    world.subscribe();
    let (ines, bram, carla) = (world.user(0), world.user(1), world.user(3));
    let schedule = world
        .sim
        .add_schedule("Nights", &[&ines, &bram], 86_400, world.now);
    world
        .sim
        .add_policy("By night", &[(10, &[&schedule]), (10, &[&carla])], 2, None);
    let body = json!({"overrides": [{"start": "2026-03-11T18:00:00Z", "end": "2026-03-12T08:00:00Z",
        "user": {"id": carla, "type": "user_reference"}}]});
    world.write(
        "POST",
        &format!("/schedules/{schedule}/overrides"),
        &body,
        201,
    );
    let by_rest = world.create("disk full", Some("disk-1"));
    let service = world.service(2);
    let by_event = world
        .sim
        .trigger(&service, "replica lag", world.now)
        .unwrap();
    world.pass_s(90);
    world.put(&by_rest, &json!({"status": "acknowledged", "priority": "P2",
        "conference_bridge": {"conference_number": "+49 30 1", "conference_url": "https://meet.example/1"}}));
    world
        .sim
        .note(&bram, &by_rest, "looking\nstill", world.now)
        .unwrap();
    world
        .sim
        .request_help(&ines, &by_event, &carla, "Please", world.now)
        .unwrap();
    world.sim.acknowledge(&carla, &by_event, world.now).unwrap();
    world
        .sim
        .snooze(&carla, &by_event, 3_600, world.now)
        .unwrap();
    let fields = json!({"custom_fields": [{"name": "environment", "value": "staging"}]});
    world.write(
        "PUT",
        &format!("/incidents/{by_rest}/custom_fields/values"),
        &fields,
        201,
    );
    let (merged, gone) = (world.create("again", None), world.create("other", None));
    world
        .sim
        .merge(&ines, &by_rest, &merged, world.now)
        .unwrap();
    world.sim.resolve(&ines, &gone, world.now).unwrap();
    keeps_more(&mut world);
    world.pass_s(600);
    world.sim.reopen(&ines, &gone, world.now).unwrap();
    world.pass_s(0); // what is due at once gets its ids before it is saved
    world
}

/// A maintenance window, a change event, an OAuth client and something that is gone.
fn keeps_more(world: &mut World) {
    let (service, key) = {
        let (id, _, key) = &world.account.services[4];
        (id.clone(), key.clone())
    };
    let window = json!({"maintenance_window": {"type": "maintenance_window", "description": "Upgrade",
        "start_time": "2026-03-11T09:00:00Z", "end_time": "2026-03-11T10:00:00Z",
        "services": [{"id": service, "type": "service_reference"}]}});
    world.write("POST", "/maintenance_windows", &window, 201);
    let change = json!({"routing_key": key, "payload": {"summary": "Release 412", "source": "deployer",
        "custom_details": {"commit": "0a1b"}}, "links": [{"href": "https://ci.example/412", "text": "Build"}]});
    world.write("POST", "/v2/change/enqueue", &change, 202);
    let client = json!({"oauth_client": {"name": "Receiver", "client_id": "c", "client_secret": "s",
        "token_url": "https://auth.example/token", "grant_type": "client_credentials"}});
    world.write("POST", "/webhook_subscriptions/oauth_clients", &client, 201);
    let team = json!({"team": {"type": "team", "name": "Gone"}});
    let team = world.write("POST", "/teams", &team, 201);
    let path = format!("/teams/{}", team["team"]["id"].as_str().unwrap());
    world.write("DELETE", &path, &json!({}), 204);
}

fn asked(world: &World, path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.fold(world.request("GET", path), |request, (name, value)| {
        request.with_query(name, value)
    })
}

#[test]
fn what_is_saved_and_loaded_answers_the_same() {
    let mut before = busy();
    let files = save(&before.sim);
    let mut after = load(&files, before.now).unwrap();
    let schedule = before.get("/schedules", &[])["schedules"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut paths: Vec<String> = [
        "/incidents?date_range=all&total=true&include[]=custom_fields&include[]=body&include[]=conference_bridge&include[]=services&include[]=users",
        "/incidents?incident_key=disk-1",
        "/incidents?statuses[]=triggered&sort_by=created_at:desc",
        "/log_entries?include[]=channels&limit=100",
        "/log_entries?is_overview=true&limit=100",
        "/users?include[]=contact_methods&include[]=notification_rules",
        "/users",
        "/services?include[]=integrations",
        "/teams",
        "/escalation_policies",
        "/schedules",
        "/priorities",
        "/oncalls?limit=100",
        "/incidents/types/incident_default/custom_fields",
        "/notifications?since=2026-03-01T00:00:00Z&until=2026-04-01T00:00:00Z&limit=100",
        "/webhook_subscriptions",
        "/webhook_subscriptions/oauth_clients",
        "/maintenance_windows",
        "/change_events",
        "/incidents/102",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.push(format!(
        "/schedules/{schedule}?since=2026-03-10T00:00:00Z&until=2026-03-14T00:00:00Z"
    ));
    paths.push(format!(
        "/schedules/{schedule}/overrides?since=2026-03-10T00:00:00Z&until=2026-03-14T00:00:00Z"
    ));
    let ids: Vec<String> = before.sim.incidents().map(|one| one.id).collect();
    for id in ids {
        paths.extend(
            ["", "/log_entries?include[]=channels", "/notes", "/alerts"]
                .map(|part| format!("/incidents/{id}{part}")),
        );
    }
    let teams: Vec<Value> = before.get("/teams", &[])["teams"]
        .as_array()
        .unwrap()
        .clone();
    for team in teams {
        paths.push(format!("/teams/{}/members", team["id"].as_str().unwrap()));
    }
    for path in paths {
        let request = asked(&before, &path);
        let (old, new) = (
            before.sim.handle(&request, before.now).response,
            after.handle(&request, before.now).response,
        );
        assert_eq!(old.status, 200, "{path}");
        pretty(&path, &old.value().unwrap(), &new.value().unwrap());
    }
    assert_eq!(save(&after), files);
}

#[track_caller]
fn pretty(path: &str, old: &Value, new: &Value) {
    let lines = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let (old, new) = (lines(old), lines(new));
    let differs = old.lines().zip(new.lines()).find(|(old, new)| old != new);
    assert!(old == new, "{path}: {differs:?}");
}

#[test]
fn time_goes_on_where_it_stood() {
    let mut before = busy();
    let mut after = load(&save(&before.sim), before.now).unwrap();
    let later = before.now + jiff::SignedDuration::from_hours(5);
    before.sim.due(later);
    after.due(later);
    let told = |sim: &Sim| -> Vec<(String, &'static str, String)> {
        sim.log_entries()
            .map(|one| (one.incident, one.kind, one.summary))
            .collect()
    };
    assert_eq!(told(&before.sim), told(&after));
    assert!(before.sim.pages().len() > 10);
    assert_eq!(before.sim.pages().len(), after.pages().len());
}

#[test]
fn a_new_incident_after_loading_has_a_new_number_and_id() {
    let before = busy();
    let mut after = load(&save(&before.sim), before.now).unwrap();
    let known: Vec<String> = after.incidents().map(|one| one.id).collect();
    let id = after
        .trigger(&before.service(0), "fresh", before.now)
        .unwrap();
    assert!(!known.contains(&id));
    assert_eq!(after.incident(&id).unwrap().number, 105);
    assert_eq!(after.incident("105").unwrap().id, id);
}

/// The least that an export of a real account has: PagerDuty's shapes and nothing of ours.
fn foreign() -> Files {
    let entry = |id: &str, kind: &str, at: &str, more: &str| {
        format!(
            r#"{{"id":"{id}","type":"{kind}_log_entry","summary":"s","created_at":"{at}","agent":{{"id":"PU1","type":"user_reference"}},"channel":{{"type":"note","summary":"seen"}},"service":{{"id":"PS1","type":"service_reference"}},"incident":{{"id":"QI1","type":"incident_reference"}},"teams":[],"contexts":[]{more}}}"#
        )
    };
    BTreeMap::from([
        ("users.json", r#"[{"id":"PU1","type":"user","name":"Mira","email":"mira@x.example","color":"red","time_zone":"Europe/Berlin"}]"#.to_owned()),
        ("escalation_policies.json", r#"[{"id":"PE1","name":"Pay","num_loops":2,"escalation_rules":[{"id":"PR1","escalation_delay_in_minutes":30,"targets":[{"id":"PU1","type":"user_reference"}]}],"teams":[]}]"#.to_owned()),
        ("services.json", "[\n {\"id\":\"PS1\",\"name\":\"Pay\",\"escalation_policy\":{\"id\":\"PE1\",\"type\":\"escalation_policy_reference\"},\"support_hours\":{\"type\":\"fixed_time_per_day\"}}\n]".to_owned()),
        ("incidents.jsonl", r#"{"id":"QI1","type":"incident","incident_number":4101,"title":"Slow","created_at":"2026-03-10T08:14:05Z","status":"resolved","resolved_at":"2026-03-10T09:00:00Z","service":{"id":"PS1","type":"service_reference"},"urgency":"high","alert_counts":{"all":3,"triggered":0,"resolved":3},"impacted_services":[{"id":"PS1"}],"metadata":{}}"#.to_owned()),
        ("log_entries.jsonl", [
            entry("RL2", "annotate", "2026-03-10T08:20:00Z", ""),
            entry("RL1", "trigger", "2026-03-10T08:14:05Z", ""),
            entry("RL3", "notify", "2026-03-10T08:30:00Z", r#","user":{"id":"PU1","type":"user_reference"}"#).replace(r#""summary":"seen""#, r#""notification":{"type":"phone_notification","status":"success"}"#),
            entry("RL4", "brand_new", "2026-03-10T08:40:00Z", r#","workflow":{"id":"W"}"#),
        ].join("\n")),
    ])
}

#[test]
fn an_export_of_a_real_account_is_served() {
    let now: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
    let mut sim = load(&foreign(), now).unwrap();
    sim.accept_key("key", pd_sim::KeyKind::Account);
    let mut get = |path: &str| {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .fold(
                Request::new("GET", path).with_header("Authorization", "Token token=key"),
                |request, (name, value)| request.with_query(name, value),
            );
        sim.handle(&request, now).response.value().unwrap()
    };
    let shown = get("/incidents/4101")["incident"].clone();
    assert_eq!(shown["alert_counts"]["all"], 3);
    assert_eq!(shown["impacted_services"][0]["id"], "PS1");
    assert_eq!(shown["first_trigger_log_entry"]["id"], "RL1");
    assert_eq!(shown["service"]["summary"], "Pay");
    let entries = get("/incidents/QI1/log_entries?include[]=channels")["log_entries"].clone();
    let ids: Vec<&str> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["RL4", "RL3", "RL2", "RL1"]);
    assert_eq!(entries[0]["type"], "brand_new_log_entry");
    assert_eq!(entries[0]["workflow"]["id"], "W");
    assert_eq!(get("/incidents/QI1/notes")["notes"][0]["content"], "seen");
    assert_eq!(
        get("/services/PS1")["service"]["support_hours"]["type"],
        "fixed_time_per_day"
    );
    assert_eq!(get("/users/PU1")["user"]["color"], "red");
    let told = get("/notifications?since=2026-03-01T00:00:00Z&until=2026-04-01T00:00:00Z");
    assert_eq!(told["notifications"][0]["type"], "phone_notification");
}

#[test]
fn a_bad_file_is_named_with_line_field_and_reason() {
    let broken = |file: &'static str, from: &str, to: &str| {
        let mut files = foreign();
        let text = files.get_mut(file).unwrap();
        assert!(text.contains(from), "{text}");
        *text = text.replace(from, to);
        load(&files, Timestamp::UNIX_EPOCH)
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        broken("incidents.jsonl", "2026-03-10T08:14:05Z", "yesterday"),
        "incidents.jsonl:1: field `created_at`: must be an instant such as 2026-03-10T08:14:05Z, not \"yesterday\""
    );
    assert_eq!(
        broken(
            "incidents.jsonl",
            r#""status":"resolved""#,
            r#""status":"open""#
        ),
        "incidents.jsonl:1: field `status`: must be one of triggered, acknowledged, resolved, not \"open\""
    );
    assert_eq!(
        broken(
            "services.json",
            r#"{"id":"PE1","type":"escalation_policy_reference"}"#,
            r#"{"type":"x"}"#
        ),
        "services.json:2: field `escalation_policy.id`: is missing"
    );
    assert_eq!(
        broken("log_entries.jsonl", r#""id":"RL4""#, r#""id":4"#),
        "log_entries.jsonl:4: field `id`: must be a text, not 4"
    );
    assert_eq!(
        broken("log_entries.jsonl", r#"{"id":"QI1""#, r#"{"id":"QI9""#),
        "log_entries.jsonl:1: field `incident.id`: no incident of incidents.jsonl is QI9"
    );
    let syntax = broken("services.json", "\n]", "\n");
    assert!(
        syntax.starts_with("services.json:3: must be a JSON array of objects: "),
        "{syntax}"
    );
    let rule = broken(
        "escalation_policies.json",
        r#""escalation_delay_in_minutes":30"#,
        r#""escalation_delay_in_minutes":"long""#,
    );
    assert_eq!(
        rule,
        "escalation_policies.json:1: field `escalation_rules[0].escalation_delay_in_minutes`: must be a whole number, not \"long\""
    );
}

#[test]
fn webhooks_that_wait_and_tokens_outlive_the_files() {
    let mut before = World::new();
    before.subscribe();
    let app = pd_sim::OAuthApp {
        kind: pd_sim::OAuthKind::Scoped,
        client_id: "app".to_owned(),
        client_secret: Some("secret".to_owned()),
        scopes: vec!["incidents.read".to_owned()],
        redirect_uri: "https://app.example/done".to_owned(),
        account: "us.lighthouse-works".to_owned(),
    };
    before.sim.register_app(app);
    let mut ask = Request::new("POST", "/oauth/token");
    ask.body = b"grant_type=client_credentials&client_id=app&client_secret=secret&scope=as_account-us.lighthouse-works+incidents.read".to_vec();
    let token = before.send(&ask).value().unwrap();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    before.create("disk full", None);
    // One attempt fails and one is under way when the files are written.
    let first = before.sim.due(before.now);
    before
        .sim
        .delivered(first[0].id, pd_sim::DeliveryResult::Status(503), before.now);
    before.now += jiff::SignedDuration::from_secs(5);
    let retried = before.sim.due(before.now);
    let files = save(&before.sim);

    let mut after = load(&files, before.now).unwrap();
    let again = after.due(before.now);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].body, retried[0].body);
    assert_eq!(
        again[0].headers, retried[0].headers,
        "id and signature are the same"
    );
    let request = Request::new("GET", "/incidents").with_header("Authorization", &bearer);
    assert_eq!(after.handle(&request, before.now).response.status, 200);
}
