//! One invented account that is ready to use.

use jiff::{SignedDuration, Timestamp};

use super::Account;
use crate::Sim;
use crate::ids::Ids;
use crate::schedule::time_of_day;
use crate::state::{KeyKind, Layer, Override, Restriction};

const DAY_S: i64 = 86_400;
const WEEK_S: i64 = 7 * DAY_S;

/// Levels of a policy: minutes to wait and whom to tell.
type Levels<'a> = &'a [(i64, &'a [&'a str])];

const PEOPLE: [(&str, &str); 6] = [
    ("Ines Halloran", "ines.halloran"),
    ("Bram Osei", "bram.osei"),
    ("Yuki Tanvir", "yuki.tanvir"),
    ("Carla Nowak", "carla.nowak"),
    ("Dmitri Adeyemi", "dmitri.adeyemi"),
    ("Freya Lindgren", "freya.lindgren"),
];

const PRIORITIES: [(&str, &str); 5] = [
    ("P1", "Customers cannot work"),
    ("P2", "Customers are held up"),
    ("P3", "Some customers notice"),
    ("P4", "Nobody notices yet"),
    ("P5", "For information"),
];

/// Fills an empty account with invented people, services and keys.
pub fn lively(sim: &mut Sim, now: Timestamp) -> Account {
    let mut account = Account::default();
    for (name, mailbox) in PEOPLE {
        let email = format!("{mailbox}@lighthouse-works.example");
        account
            .users
            .push((sim.add_user(name, &email), name.to_owned(), email));
    }
    let users: Vec<String> = account.users.iter().map(|(id, ..)| id.clone()).collect();
    let [ines, bram, yuki, carla, dmitri, freya] = users.as_slice() else {
        return account;
    };
    sim.uses_phone(bram);
    sim.uses_phone(carla);
    let shop = sim.add_team("Shop", &[ines, bram, yuki]);
    let platform = sim.add_team("Platform", &[carla, dmitri, freya]);
    let policies: [(&str, Levels<'_>, &str); 3] = [
        ("Shop first line", &[(15, &[ines]), (30, &[bram])], &shop),
        (
            "Platform first line",
            &[(10, &[carla]), (20, &[dmitri]), (30, &[freya])],
            &platform,
        ),
        (
            "Everyone awake",
            &[(5, &[yuki, freya]), (15, &[ines])],
            &platform,
        ),
    ];
    for (name, levels, team) in policies {
        account
            .policies
            .push((sim.add_policy(name, levels, 1, Some(team)), name.to_owned()));
    }
    let policies: Vec<String> = account.policies.iter().map(|(id, _)| id.clone()).collect();
    let [first, second, third] = policies.as_slice() else {
        return account;
    };
    let services = [
        ("Payments API", first),
        ("Checkout Web", first),
        ("Database", second),
        ("Search", second),
        ("Notifications", third),
    ];
    let created_at = now - SignedDuration::from_hours(24 * 200);
    for (name, policy) in services {
        let (id, key) = sim.add_service(name, policy, created_at);
        account.services.push((id, name.to_owned(), key));
    }
    for (name, description) in PRIORITIES {
        account
            .priorities
            .push((sim.add_priority(name, description), name.to_owned()));
    }
    sim.add_field(
        "environment",
        "Environment",
        "string",
        &["production", "staging"],
    );
    sim.add_field("customers_hit", "Customers hit", "integer", &[]);
    account.api_key = sim.add_key(KeyKind::Account);
    account.read_only_key = sim.add_key(KeyKind::ReadOnly);
    account.user_key = sim.add_key(KeyKind::User(ines.clone()));
    on_schedules(sim, &mut account, &users, now);
    account
}

/// People by turns: two schedules, somebody who stands in, a policy that calls them and a service
/// of it. The ids come from a source of their own, so that all else is named as without them.
fn on_schedules(sim: &mut Sim, account: &mut Account, users: &[String], now: Timestamp) {
    let [ines, bram, yuki, carla, dmitri, freya] = users else {
        return;
    };
    let own = Ids::new(sim.world.options.seed ^ 0x7475_726e);
    let others = std::mem::replace(&mut sim.world.ids, own);
    let start = monday(now);
    let weekly = sim.add_schedule("Billing weekly", &[ines, bram, yuki], WEEK_S, start);
    let second = sim.add_schedule("Billing second line", &[dmitri, freya], DAY_S, start);
    let night = Layer {
        id: sim.world.ids.object('P'),
        name: "Nights".to_owned(),
        start,
        end: None,
        virtual_start: start,
        turn_s: DAY_S,
        users: vec![carla.clone(), freya.clone()],
        restrictions: vec![Restriction {
            weekday: None,
            start: time_of_day("20:00:00").unwrap_or_default(),
            duration_s: 12 * 3_600,
        }],
    };
    let hour = now.as_second() - now.as_second().rem_euclid(3_600);
    let later = |hours: i64| Timestamp::from_second(hour + hours * 3_600).unwrap_or(now);
    let stands_in = Override {
        id: sim.world.ids.object('P'),
        user: dmitri.clone(),
        start: later(20),
        end: later(26),
    };
    if let Some(schedule) = sim.world.schedules.get_mut(&weekly) {
        schedule.layers.push(night);
        schedule.overrides.push(stands_in);
    }
    let levels: Levels<'_> = &[(10, &[&weekly]), (15, &[&second]), (30, &[ines])];
    let policy = sim.add_policy("Billing by turns", levels, 1, None);
    let created_at = now - SignedDuration::from_hours(24 * 200);
    let (service, key) = sim.add_service("Billing", &policy, created_at);
    account.services.push((service, "Billing".to_owned(), key));
    account
        .policies
        .push((policy, "Billing by turns".to_owned()));
    account
        .schedules
        .push((weekly, "Billing weekly".to_owned()));
    account
        .schedules
        .push((second, "Billing second line".to_owned()));
    sim.world.ids = others;
}

/// Monday, 07:00 UTC, at least a week before.
fn monday(now: Timestamp) -> Timestamp {
    let days = now.as_second().div_euclid(DAY_S);
    // 1970 began on a Thursday.
    let monday = days - (days + 3).rem_euclid(7) - 7;
    Timestamp::from_second(monday * DAY_S + 7 * 3_600).unwrap_or(now)
}
