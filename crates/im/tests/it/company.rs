//! The account of the documentation: the names and ids that its examples use.

use jiff::{SignedDuration, Timestamp};
use pd_sim::data::Loading;
use pd_sim::{Account, KeyKind, Options, Sim};
use serde_json::{Value, json};

/// Its API key.
pub(crate) const KEY: &str = "u+documentationkey20";

/// What is shown for the server's address and for the stand-in's, which are different each time: as
/// long as those, so that lines break where they broke.
pub(crate) const PUBLIC_URL: &str = "https://im.example.com";
pub(crate) const PAGERDUTY_URL: &str = "http://127.0.0.1:18081";

/// An account whose people, services and policies have the ids of the documentation.
pub(crate) fn company(options: Options, now: Timestamp) -> (Sim, Account) {
    let options = Options {
        web_url: "https://company.pagerduty.com".to_owned(),
        ..options
    };
    let mut loading = Loading::new(options, now);
    let files = [
        ("users.json", users()),
        ("teams.json", teams()),
        ("team_members.json", members()),
        ("priorities.json", priorities()),
        ("schedules.json", schedules()),
        ("escalation_policies.json", policies()),
        ("services.json", services()),
    ];
    for (name, file) in files {
        loading.document(name, &file.to_string()).unwrap();
    }
    let mut sim = loading.finish();
    sim.accept_key(KEY, KeyKind::Account);
    sim.add_key(KeyKind::ReadOnly);
    sim.add_field(
        "environment",
        "Environment",
        "string",
        &["production", "staging"],
    );
    let account = sim.account();
    (sim, account)
}

/// What was over before anybody connected: days ago, minutes to the acknowledgement and to the end,
/// service and title.
const PAST: [(i64, i64, i64, &str, &str); 12] = [
    (24, 4, 28, "PDAT001", "Disk almost full on db-3"),
    (23, 3, 18, "PAPI001", "5xx rate above 2%"),
    (21, 5, 25, "PDAT001", "Disk almost full on db-3"),
    (17, 2, 14, "PWEB001", "Checkout answers slowly"),
    (16, 6, 27, "PDAT001", "Disk almost full on db-3"),
    (14, 3, 20, "PAPI001", "Certificate expires in 7 days"),
    (11, 4, 22, "PDAT001", "Replication lags"),
    (10, 2, 17, "PAPI001", "5xx rate above 2%"),
    (9, 7, 26, "PDAT001", "Disk almost full on db-3"),
    (4, 5, 21, "PWEB001", "Checkout answers slowly"),
    (3, 1, 9, "PAPI001", "5xx rate above 2%"),
    (2, 6, 24, "PDAT001", "Disk almost full on db-3"),
];

/// The same account after four weeks of work.
pub(crate) fn company_with_past(options: Options, now: Timestamp) -> (Sim, Account) {
    let ago = |days: i64| now - SignedDuration::from_hours(24 * days);
    let (mut sim, account) = company(options, ago(28));
    for (days, to_acknowledge, to_end, service, title) in PAST {
        let begun = ago(days);
        let after = |minutes: i64| begun + SignedDuration::from_mins(minutes);
        let twin = sim.trigger(service, title, begun).unwrap();
        sim.acknowledge("PUJOHN1", &twin, after(to_acknowledge))
            .unwrap();
        sim.resolve("PUJOHN1", &twin, after(to_end)).unwrap();
    }
    (sim, account)
}

fn users() -> Value {
    let user = |id: &str, name: &str, email: &str| json!({"id": id, "name": name, "email": email, "role": "admin", "time_zone": "Etc/UTC"});
    json!([
        user("PUOPS01", "Operations", "ops@company.com"),
        user("PUJOHN1", "John Doe", "john.doe@company.com"),
        user("PUJANE1", "Jane Smith", "jane.smith@company.com"),
        user("PULEAD1", "Team Lead", "team-lead@company.com"),
    ])
}

fn teams() -> Value {
    json!([{"id": "PTPLAT1", "name": "Platform"}])
}

fn members() -> Value {
    let member =
        |id: &str, role: &str| json!({"user": {"id": id, "type": "user_reference"}, "role": role});
    json!({"PTPLAT1": {"members": [
        member("PULEAD1", "manager"), member("PUJOHN1", "responder"), member("PUJANE1", "responder"),
    ]}})
}

fn priorities() -> Value {
    json!([
        {"id": "PPRIO01", "name": "P1", "description": "Customers cannot work"},
        {"id": "PPRIO02", "name": "P2", "description": "Customers are held up"},
        {"id": "PPRIO03", "name": "P3", "description": "Some customers notice"},
    ])
}

/// John and Jane take turns of a day, from 09:00 on.
fn schedules() -> Value {
    let turn = |id: &str| json!({"user": {"id": id, "type": "user_reference"}});
    json!([{
        "id": "PSCHED1", "name": "API on-call", "time_zone": "Etc/UTC",
        "schedule_layers": [{
            "id": "PLAYER1", "name": "Days",
            "start": "2026-11-01T09:00:00Z", "rotation_virtual_start": "2026-11-01T09:00:00Z",
            "rotation_turn_length_seconds": 86_400,
            "users": [turn("PUJANE1"), turn("PUJOHN1")],
        }],
    }])
}

fn policies() -> Value {
    let rule = |id: &str, minutes: u32, target: &str, kind: &str| {
        json!({
            "id": id, "escalation_delay_in_minutes": minutes, "targets": [{"id": target, "type": kind}],
        })
    };
    let lead = |id: &str| rule(id, 30, "PULEAD1", "user_reference");
    let team = json!([{"id": "PTPLAT1", "type": "team_reference"}]);
    json!([
        {"id": "PAPIESC", "name": "API on-call", "num_loops": 0, "teams": team,
         "escalation_rules": [rule("PRULE01", 15, "PSCHED1", "schedule_reference"), lead("PRULE02")]},
        {"id": "PXXXXXX", "name": "Operations", "num_loops": 0, "teams": team,
         "escalation_rules": [rule("PRULE03", 30, "PUOPS01", "user_reference"), lead("PRULE04")]},
    ])
}

fn services() -> Value {
    let service = |id: &str, name: &str, policy: &str| {
        json!({"id": id, "name": name, "created_at": "2026-05-04T08:00:00Z",
        "escalation_policy": {"id": policy, "type": "escalation_policy_reference"}})
    };
    json!([
        service("PXXXXXX", "Operations", "PXXXXXX"),
        service("PAPI001", "API Service", "PAPIESC"),
        service("PDAT001", "Database Service", "PXXXXXX"),
        service("PWEB001", "Web Service", "PXXXXXX"),
        service("PGEN001", "General Service", "PXXXXXX"),
    ])
}
