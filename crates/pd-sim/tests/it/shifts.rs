//! Schedules by shifts, as a client makes and reads them.

use serde_json::{Value, json};

use crate::shapes::{fixture, same_shape};
use crate::world::World;

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).unwrap().as_str().unwrap().to_owned()
}

fn member(user: &str) -> Value {
    json!({"type": "user_member", "user_id": user})
}

/// Working hours, taken in turns of one day.
fn weekdays(users: &[String]) -> Value {
    let members: Vec<Value> = users.iter().map(|user| member(user)).collect();
    let zoned =
        |time: &str| json!({"date_time": format!("2026-03-10T{time}:00Z"), "time_zone": "Etc/UTC"});
    json!({"event": {"name": "Days", "start_time": zoned("09:00"), "end_time": zoned("17:00"),
        "effective_since": "2026-03-10T08:00:00Z", "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
        "assignment_strategy": {"type": "rotating_member_assignment_strategy", "shifts_per_member": 1, "members": members}}})
}

/// A schedule with one rotation of one event; their paths.
fn made(world: &mut World) -> (String, String) {
    let body = json!({"schedule": {"name": "Follow the sun", "time_zone": "Etc/UTC"}});
    let schedule = world.write("POST", "/v3/schedules", &body, 201);
    let schedule = format!("/v3/schedules/{}", text(&schedule, "/schedule/id"));
    let rotation = world.write("POST", &format!("{schedule}/rotations"), &json!({}), 201);
    let rotation = format!("{schedule}/rotations/{}", text(&rotation, "/rotation/id"));
    let event = weekdays(&[world.user(1), world.user(2)]);
    world.write("POST", &format!("{rotation}/events"), &event, 201);
    (schedule, rotation)
}

/// Who is on call when, from one day to another.
fn rendered(world: &mut World, schedule: &str, since: &str, until: &str) -> Vec<String> {
    let asked = [
        ("include[]", "final_schedule"),
        ("since", since),
        ("until", until),
    ];
    let shown = world.get(schedule, &asked);
    let rows = shown["schedule"]["final_schedule"]["computed_shift_assignments"]
        .as_array()
        .unwrap()
        .clone();
    let names: Vec<String> = world
        .account
        .users
        .iter()
        .map(|user| user.0.clone())
        .collect();
    let who = |row: &Value| {
        let user = row["member"]["user_id"].as_str();
        user.map_or("nobody".to_owned(), |user| {
            names
                .iter()
                .position(|name| name == user)
                .unwrap()
                .to_string()
        })
    };
    rows.iter()
        .map(|row| {
            let source = text(row, "/source/type");
            format!(
                "{} {} {} {source}",
                who(row),
                text(row, "/start_time"),
                text(row, "/end_time")
            )
        })
        .collect()
}

#[test]
fn shifts_have_the_published_keys() {
    let mut world = World::new();
    let (schedule, _) = made(&mut world);
    let listed = world.get("/v3/schedules", &[]);
    same_shape(&listed, "rest/v3-schedules-list", "");
    let asked = [
        ("include[]", "final_schedule"),
        ("since", "2026-03-10"),
        ("until", "2026-03-12"),
    ];
    let mut shown = world.get(&schedule, &asked);
    let users = shown["schedule"].as_object_mut().unwrap().remove("users");
    assert_eq!(users.unwrap().as_array().unwrap().len(), 2);
    same_shape(&shown, "rest/v3-schedule-get", "");
    let classic = world.get("/schedules", &[]);
    assert!(
        !classic.to_string().contains("Follow the sun"),
        "the older list does not have it"
    );
}

#[test]
fn shifts_rotate_and_somebody_stands_in() {
    let mut world = World::new();
    let (schedule, rotation) = made(&mut world);
    let rotation = rotation.rsplit_once('/').unwrap().1.to_owned();
    assert_eq!(
        rendered(&mut world, &schedule, "2026-03-12", "2026-03-17"),
        [
            "1 2026-03-12T09:00:00Z 2026-03-12T17:00:00Z schedule_rotation",
            "2 2026-03-13T09:00:00Z 2026-03-13T17:00:00Z schedule_rotation",
            "1 2026-03-16T09:00:00Z 2026-03-16T17:00:00Z schedule_rotation",
        ]
    );
    let over = json!({"overrides": [{"type": "override_shift", "rotation_id": rotation,
        "start_time": "2026-03-12T12:00:00Z", "end_time": "2026-03-12T14:00:00Z",
        "overridden_member": member(&world.user(1)), "overriding_member": {"type": "empty_member"}}]});
    let over = world.write("POST", &format!("{schedule}/overrides"), &over, 201);
    let published = fixture("rest/v3-schedule-overrides-create");
    assert_eq!(
        over["overrides"].as_array().unwrap().len(),
        published["overrides"].as_array().unwrap().len()
    );
    let shift = json!({"custom_shifts": [{"type": "custom_shift", "start_time": "2026-03-14T10:00:00Z",
        "end_time": "2026-03-14T12:00:00Z", "assignments": [{"type": "shift_assignment", "member": member(&world.user(3))}]}]});
    world.write("POST", &format!("{schedule}/custom_shifts"), &shift, 201);
    assert_eq!(
        rendered(&mut world, &schedule, "2026-03-12", "2026-03-15"),
        [
            "1 2026-03-12T09:00:00Z 2026-03-12T12:00:00Z schedule_rotation",
            "nobody 2026-03-12T12:00:00Z 2026-03-12T14:00:00Z schedule_rotation_override",
            "1 2026-03-12T14:00:00Z 2026-03-12T17:00:00Z schedule_rotation",
            "2 2026-03-13T09:00:00Z 2026-03-13T17:00:00Z schedule_rotation",
            "3 2026-03-14T10:00:00Z 2026-03-14T12:00:00Z custom_shift",
        ]
    );
    let window = [("since", "2026-03-12"), ("until", "2026-03-13")];
    let listed = world.get(&format!("{schedule}/overrides"), &window);
    assert_eq!(listed["overrides"], over["overrides"]);
}

#[test]
fn whoever_has_the_shift_is_called() {
    let mut world = World::new();
    let (schedule, _) = made(&mut world);
    let id = schedule.rsplit_once('/').unwrap().1.to_owned();
    let policy = json!({"escalation_policy": {"type": "escalation_policy", "name": "By shifts", "escalation_rules": [
        {"escalation_delay_in_minutes": 30, "targets": [{"id": id, "type": "schedule_v3_reference"}]}]}});
    let policy = text(
        &world.write("POST", "/escalation_policies", &policy, 201),
        "/escalation_policy/id",
    );
    let service = json!({"service": {"type": "service", "name": "Sun", "escalation_policy": {"id": policy, "type": "escalation_policy_reference"}}});
    let service = text(
        &world.write("POST", "/services", &service, 201),
        "/service/id",
    );
    // At eight nobody has a shift yet.
    let body = json!({"incident": {"type": "incident", "title": "dark", "service": {"id": service, "type": "service_reference"}}});
    world.write("POST", "/incidents", &body, 400);
    world.pass_s(7_200);
    let made = world.write("POST", "/incidents", &body, 201);
    assert_eq!(
        text(&made, "/incident/assignments/0/assignee/id"),
        world.user(1)
    );
    let calls = world.get("/oncalls", &[("escalation_policy_ids[]", &policy)]);
    assert_eq!(
        calls["oncalls"][0]["schedule"]["type"],
        "schedule_v3_reference"
    );
    assert_eq!(calls["oncalls"][0]["end"], "2026-03-10T17:00:00Z");
    world.write("DELETE", &schedule, &Value::Null, 400);
}

#[test]
fn each_kind_of_schedule_sends_to_the_other_place() {
    let mut world = World::new();
    let (schedule, _) = made(&mut world);
    let id = schedule.rsplit_once('/').unwrap().1.to_owned();
    let refused = world.write("GET", &format!("/schedules/{id}"), &Value::Null, 400);
    assert!(text(&refused, "/error/message").contains("/v3/schedules"));
    let classic = text(&world.get("/schedules", &[]), "/schedules/0/id");
    world.write(
        "GET",
        &format!("/v3/schedules/{classic}"),
        &Value::Null,
        400,
    );
    world.write("DELETE", &schedule, &Value::Null, 204);
    world.write("GET", &schedule, &Value::Null, 404);
}

#[test]
fn refusals_name_the_field() {
    let mut world = World::new();
    let (schedule, rotation) = made(&mut world);
    let reason = |world: &mut World, path: &str, body: &Value, field: &str| {
        let refused = world.write("POST", path, body, 400);
        let reasons = &refused["error"]["errors"][field];
        assert!(reasons.is_array(), "{refused} does not name {field}");
    };
    let body = json!({"schedule": {"name": "x", "time_zone": "Mars/Base"}});
    reason(&mut world, "/v3/schedules", &body, "time_zone");
    let body = json!({"schedule": {"name": "x", "time_zone": "Etc/UTC", "rotations": []}});
    reason(&mut world, "/v3/schedules", &body, "rotations");
    let users = [world.user(1)];
    let events = format!("{rotation}/events");
    reason(&mut world, &events, &weekdays(&users), "start_time");
    let mut hourly = weekdays(&users);
    hourly["event"]["recurrence"] = json!(["RRULE:FREQ=HOURLY"]);
    reason(&mut world, &events, &hourly, "recurrence");
    reason(
        &mut world,
        &events,
        &weekdays(&["PNONE".to_owned()]),
        "assignment_strategy",
    );
    let shift = json!({"custom_shifts": [{"start_time": "2026-03-14T10:00:00Z", "end_time": "2026-03-14T12:00:00Z", "assignments": []}]});
    reason(
        &mut world,
        &format!("{schedule}/custom_shifts"),
        &shift,
        "assignments",
    );
    for _ in 0..9 {
        world.write("POST", &format!("{schedule}/rotations"), &json!({}), 201);
    }
    reason(
        &mut world,
        &format!("{schedule}/rotations"),
        &json!({}),
        "rotations",
    );
}

#[test]
fn what_has_begun_only_ends_otherwise() {
    let mut world = World::new();
    let (schedule, rotation) = made(&mut world);
    let shift = json!({"custom_shifts": [{"start_time": "2026-03-10T09:00:00Z", "end_time": "2026-03-10T12:00:00Z",
        "assignments": [{"member": member(&world.user(3))}]}]});
    let shift = world.write("POST", &format!("{schedule}/custom_shifts"), &shift, 201);
    let path = format!(
        "{schedule}/custom_shifts/{}",
        text(&shift, "/custom_shifts/0/id")
    );
    world.pass_s(7_200);
    let change = json!({"custom_shift": {"start_time": "2026-03-10T09:30:00Z", "end_time": "2026-03-10T11:00:00Z",
        "assignments": [{"member": member(&world.user(4))}]}});
    let shown = world.write("PUT", &path, &change, 200);
    assert_eq!(shown["custom_shift"]["start_time"], "2026-03-10T09:00:00Z");
    assert_eq!(shown["custom_shift"]["end_time"], "2026-03-10T11:00:00Z");
    world.write("DELETE", &path, &Value::Null, 204);
    assert_eq!(
        world.get(&path, &[])["custom_shift"]["end_time"],
        "2026-03-10T10:00:00Z"
    );
    world.write("DELETE", &path, &Value::Null, 400);

    let events = world.get(&format!("{rotation}/events"), &[]);
    let event = format!("{rotation}/events/{}", text(&events, "/events/0/id"));
    let mut change = weekdays(&[world.user(5)]);
    change["event"]["effective_until"] = json!("2026-03-20T00:00:00Z");
    let shown = world.write("PUT", &event, &change, 200);
    assert_eq!(shown["event"]["effective_until"], "2026-03-20T00:00:00Z");
    assert_eq!(
        text(&shown, "/event/assignment_strategy/members/0/user_id"),
        world.user(1)
    );
}
