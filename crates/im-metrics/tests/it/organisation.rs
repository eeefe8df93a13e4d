//! What an organisation settles beside PagerDuty: working hours at three levels, and teams of its own.

use im_metrics::Engine;
use im_metrics::input::{Membership, Values};
use jiff::civil::{Weekday, date};

use crate::given::{Group, Hours, Who, World, deployment, incident, march, query, table};

fn member(team: &str) -> Membership {
    Membership {
        team: team.to_owned(),
        from: None,
        to: None,
    }
}

/// Every day from `start` to `end`, from a date in March on.
fn hours(day: i8, start: &'static str, end: &'static str) -> Hours {
    let week = Weekday::Monday.cycle_forward().take(7);
    Hours {
        from: date(2026, 3, day),
        zone: None,
        week: week.map(|day| (day, start, end)).collect(),
    }
}

/// A page of Ann on each of 30 dates of March, at 20:00 UTC; she is in `ops` until the 20th.
fn ann() -> World {
    let pages: Vec<_> = (1..=30)
        .map(|day| {
            let at = format!("03-{day:02} 20:00");
            let number = i64::from(day);
            incident(number, &format!("{at} trigger\n{at} ack UANN"))
        })
        .collect();
    let mut world = march(&pages);
    world.zone = "UTC";
    world.people = vec![Who {
        id: "UANN".to_owned(),
        memberships: vec![Membership {
            to: Some(date(2026, 3, 20)),
            ..member("ops")
        }],
        ..Who::default()
    }];
    world
}

const IN_HOURS: &str = "when=working_hours";

#[test]
fn m_011_the_nearest_working_hours_hold() {
    let mut world = ann();
    table(&world, "page_disruptions", &[(IN_HOURS, "0")]);
    // Of the organisation, from the 5th on.
    world.hours = vec![hours(5, "19:00", "21:00")];
    table(&world, "page_disruptions", &[(IN_HOURS, "26")]);
    // Of the team from the 10th on, as long as she is in it.
    world.teams = vec![Group {
        id: "ops".to_owned(),
        hours: vec![hours(10, "08:00", "12:00")],
        ..Group::default()
    }];
    table(&world, "page_disruptions", &[(IN_HOURS, "15")]);
    // Her own from the 15th on; what the team sets later changes nothing for her.
    world.people[0].hours = vec![hours(15, "19:30", "20:30")];
    world.teams[0].hours.push(hours(18, "08:00", "09:00"));
    table(&world, "page_disruptions", &[(IN_HOURS, "21")]);
}

#[test]
fn m_011_hours_without_a_zone_are_on_the_persons_clock() {
    let mut world = ann();
    world.hours = vec![hours(1, "09:00", "10:00")];
    // 20:00 UTC is 09:00 of the next day in Auckland.
    world.people[0].zone = Some("Pacific/Auckland");
    table(&world, "page_disruptions", &[(IN_HOURS, "30")]);
    world.people[0].zone = None;
    table(&world, "page_disruptions", &[(IN_HOURS, "0")]);
    // She moves to Auckland on the 11th, which begins there at 11:00 UTC of the 10th, and away again.
    world.people[0].moves = vec![
        (date(2026, 3, 11), Some("Pacific/Auckland")),
        (date(2026, 3, 21), None),
    ];
    table(&world, "page_disruptions", &[(IN_HOURS, "11")]);
    // Nobody set anything for Bob, who is unknown.
    let mut world = march(&[incident(1, "03-02 09:30 trigger\n03-02 09:30 ack UBOB")]);
    world.zone = "UTC";
    world.hours = vec![hours(1, "09:00", "10:00")];
    table(&world, "page_disruptions", &[(IN_HOURS, "1")]);
}

#[test]
fn mw_40_figures_follow_the_services_and_teams_that_a_team_of_ours_has() {
    let of = |number: i64, service: &str, teams: &[&str]| {
        let at = "03-02 08:00";
        let mut history = incident(number, &format!("{at} trigger\n{at} ack UANN"));
        history.at_trigger = Values {
            service: Some(service.to_owned()),
            ..Values::default()
        };
        history.teams = teams.iter().map(|team| (*team).to_owned()).collect();
        history
    };
    let mut world = march(&[
        of(1, "SDB", &[]),
        of(2, "SWEB", &["TA"]),
        of(3, "SAPI", &["TB"]),
    ]);
    world.deployments = vec![
        deployment("d1", "SDB", "03-01 08:00"),
        deployment("d2", "SAPI", "03-01 09:00"),
    ];
    world.teams_of_service = [("SAPI".to_owned(), vec!["TB".to_owned()])].into();
    world.people = vec![Who {
        id: "UANN".to_owned(),
        memberships: vec![member("TA")],
        ..Who::default()
    }];
    let by_team = "group_by=team";
    let mut engine = world.engine();
    table(
        &world,
        "incident_frequency",
        &[(by_team, &each("TA TB none"))],
    );
    world.teams = vec![Group {
        id: "ops".to_owned(),
        services: vec!["SDB".to_owned()],
        includes: vec!["TA".to_owned()],
        ..Group::default()
    }];
    table(
        &world,
        "incident_frequency",
        &[(
            by_team,
            "TA: 1, 0.03225806451612903 a day\nTB: 1, 0.03225806451612903 a day\nops: 2, 0.06451612903225806 a day",
        )],
    );
    table(
        &world,
        "mtta",
        &[(
            "group_by=team team=ops",
            "ops: n=3 mean=0 median=0 p90=0 min=0 max=0",
        )],
    );
    table(
        &world,
        "deployment_frequency",
        &[(
            by_team,
            "TB: 1, 0.03225806451612903 a day\nops: 1, 0.03225806451612903 a day",
        )],
    );
    // An engine that was told later says the same.
    engine.set(world.settings());
    same(&engine, &world);
    world.teams.clear();
    engine.set(world.settings());
    same(&engine, &world);
}

fn each(teams: &str) -> String {
    let lines = teams.split(' ');
    let lines: Vec<String> = lines
        .map(|team| format!("{team}: 1, 0.03225806451612903 a day"))
        .collect();
    lines.join("\n")
}

#[track_caller]
fn same(told_later: &Engine, world: &World) {
    for metric in ["incident_frequency", "mtta", "deployment_frequency"] {
        let params = "from=2026-03-01 to=2026-03-31 group_by=team";
        let query = query(metric, params);
        let later = told_later.answer(&query, world.now).unwrap();
        assert_eq!(later, world.ask(metric, params), "{metric}");
    }
}
