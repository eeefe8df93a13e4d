//! Fields of people's own, and PagerDuty's custom fields.

use im_core::{Command, CustomField, IncidentNumber, NewField, Severity, SeveritySource};
use im_engine::set_here::{self, SetHere};
use im_engine::{commands, fields};
use im_pagerduty::{Answer, Call, Outcome};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{CONNECTOR, World};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Maps three fields as documented, of which PagerDuty has two.
fn map(world: &mut World) {
    let asked = im_pagerduty::request(&Call::ListFields);
    let reply = world.ask("GET", &asked.path_and_query, Vec::new());
    let now = world.our_now();
    let Outcome::Done(Answer::FieldKinds(kinds)) =
        im_pagerduty::read(&Call::ListFields, &reply, now)
    else {
        unreachable!("{reply:?}");
    };
    world.write(|tx| fields::remember(tx, CONNECTOR, &kinds));
    world.configure(|config| {
        config["custom"]["custom_field_mappings"] = json!({
            "im_field": "pd_custom_field",
            "environment": "custom_details.environment",
            "customers": "customers_hit",
            "root_cause": "custom_details.root_cause",
        });
    });
    world.settle_down();
}

fn named(fields: &[(&str, &str)]) -> Vec<NewField> {
    let field = |(name, value): &(&str, &str)| {
        let value = Some((*value).to_owned()).filter(|text| !text.is_empty());
        ((*name).to_owned(), value)
    };
    fields.iter().map(field).collect()
}

fn declare(world: &mut World, services: &[&str], fields: &[(&str, &str)]) -> IncidentNumber {
    let command = Command::Declare {
        title: "With fields".to_owned(),
        severity: Severity::Sev2,
        description: None,
        services: services.iter().map(|name| (*name).to_owned()).collect(),
    };
    let (actor, now, fields) = (world.person(1), world.our_now(), named(fields));
    let asked = world.write(|tx| {
        let asked = commands::declare_with(tx, &command, &fields, None, &actor, now);
        Ok(asked.unwrap())
    });
    world.settle_down();
    asked.incident
}

fn set(world: &mut World, incident: IncidentNumber, fields: &[(&str, &str)]) {
    let fields = named(fields);
    world.must(incident, &Command::SetFields { fields });
}

/// Somebody at PagerDuty sets a custom field.
fn set_there(world: &mut World, twin: &str, name: &str, value: &Value) {
    let path = format!("/incidents/{twin}/custom_fields/values");
    let body = json!({"custom_fields": [{"name": name, "value": value}]});
    let reply = world.ask("PUT", &path, body.to_string().into_bytes());
    assert_eq!(reply.status, 201, "{reply:?}");
}

/// `environment=production, region=eu`.
fn here(world: &mut World, incident: IncidentNumber) -> String {
    let fields = world.story(incident).fields;
    let fields: Vec<String> = fields
        .iter()
        .map(|one| format!("{}={}", one.name, one.value))
        .collect();
    fields.join(", ")
}

fn there(world: &mut World, twin: &str) -> Value {
    let reply = world.ask(
        "GET",
        &format!("/incidents/{twin}/custom_fields/values"),
        Vec::new(),
    );
    let read: Value = serde_json::from_slice(&reply.body).unwrap();
    let rows = read["custom_fields"].as_array().unwrap().iter();
    rows.map(|row| {
        (
            row["name"].as_str().unwrap().to_owned(),
            row["value"].clone(),
        )
    })
    .collect()
}

fn text(world: &mut World, twin: &str) -> String {
    let reply = world.ask(
        "GET",
        &format!("/incidents/{twin}?include[]=body"),
        Vec::new(),
    );
    let read: Value = serde_json::from_slice(&reply.body).unwrap();
    read["incident"]["body"]["details"]
        .as_str()
        .unwrap()
        .to_owned()
}

story! {
    fn a_field_that_is_set_back_while_the_call_is_on_its_way_is_set_back_there(world) {
        map(world);
        let incident = declare(world, &["web"], &[("environment", "production")]);
        let twin = world.twin(incident);
        world.way.lose = Some(|_| true);
        world.latency = SignedDuration::from_secs(20);
        set(world, incident, &[("environment", "staging")]);
        world.run_for(SignedDuration::from_secs(5));
        assert_eq!(there(world, &twin)["environment"], "staging", "and nobody here knows");
        set(world, incident, &[("environment", "production")]);
        world.latency = SignedDuration::from_millis(80);
        world.run_for(MINUTE * 10);
        assert_eq!(there(world, &twin)["environment"], "production");
        assert_eq!(here(world, incident), "environment=production");
        assert!(world.outbox().is_empty());
    }

    fn what_is_imported_of_an_incident_stays_here_and_what_pagerduty_holds_is_not_exported(world) {
        map(world);
        let incident = declare(world, &["web"], &[("environment", "production"), ("region", "eu")]);
        let wanted = SetHere {
            severity: Some(Severity::Sev4),
            fields: vec![CustomField { name: "region".to_owned(), value: "us".to_owned() }],
        };
        let (actor, writes) = (world.person(2), world.writes());
        let import = |world: &mut World| {
            let now = world.our_now();
            world.write(|tx| {
                set_here::set(tx, incident, &wanted, &actor, now).unwrap();
                Ok(())
            });
            world.run_for(HOUR);
        };
        import(world);
        import(world);
        let told = world.timeline(incident);
        for once in ["Severity set to SEV-4 by Yuki Tanvir", "Field region set to us by Yuki Tanvir"] {
            assert_eq!(told.matches(once).count(), 1, "{told}");
        }
        assert_eq!(world.writes(), writes, "PagerDuty is told nothing");
        assert!(world.outbox().is_empty());
        let story = world.story(incident);
        assert_eq!(story.severity, Some((Severity::Sev4, SeveritySource::Explicit)));
        assert!(story.pending.is_empty() && story.kept.is_empty());
        assert_eq!(here(world, incident), "environment=production, region=us");
        let exported = world.write(set_here::all);
        assert_eq!(exported, [(incident, wanted.clone())], "the environment is a field of PagerDuty's");
        // By hand, it is told as ever.
        let edit = Command::Edit { title: None, description: None, severity: Some(Severity::Sev3), service: None };
        world.act(1, incident, &edit, None).unwrap();
        world.settle_down();
        assert!(world.writes() > writes);
    }

    fn what_is_imported_of_an_incident_of_several_services_stays_here(world) {
        let incident = declare(world, &["web", "db"], &[]);
        let (actor, now, writes) = (world.person(2), world.our_now(), world.writes());
        let wanted = SetHere { severity: Some(Severity::Sev4), fields: Vec::new() };
        world.write(|tx| {
            set_here::set(tx, incident, &wanted, &actor, now).unwrap();
            Ok(())
        });
        world.run_for(HOUR);
        assert_eq!(world.writes(), writes);
        let exported = world.write(set_here::all);
        assert_eq!(exported, [(incident, wanted)], "once for all its parts");
    }

    fn i094_fields_go_to_pagerdutys_custom_fields_and_the_others_stand_in_the_text(world) {
        map(world);
        let incident = declare(world, &["web"], &[("environment", "production"), ("customers", "42"), ("root_cause", "disk"), ("region", "eu")]);
        let twin = world.twin(incident);
        assert_eq!(there(world, &twin), json!({"environment": "production", "customers_hit": 42}));
        let shown = text(world, &twin);
        assert!(shown.contains("\n\nregion: eu\nroot_cause: disk\n\n"), "{shown}");
        assert!(!shown.contains("environment"), "{shown}");
        assert_eq!(world.called("set_fields"), 1, "both in one call");
        set(world, incident, &[("environment", "staging"), ("customers", "")]);
        world.settle_down();
        assert_eq!(there(world, &twin), json!({"environment": "staging", "customers_hit": null}));
        set(world, incident, &[("region", "us")]);
        let writes = world.writes();
        world.run_for(HOUR);
        assert_eq!(world.writes(), writes, "a text cannot be changed there, and nothing goes to and fro");
        assert_eq!(here(world, incident), "environment=staging, region=us, root_cause=disk");
        let told = world.timeline(incident);
        assert_eq!(told.matches("Field environment set to staging").count(), 1, "{told}");
        assert!(!told.contains("Field environment set to production"), "said with the declaration: {told}");
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
    }

    fn i094_what_pagerduty_changes_comes_back_and_the_newer_word_counts(world) {
        map(world);
        let incident = declare(world, &["web"], &[("environment", "production")]);
        let twin = world.twin(incident);
        world.run_for(MINUTE);
        set_there(world, &twin, "environment", &json!("staging"));
        set_there(world, &twin, "customers_hit", &json!(7));
        world.settle_down();
        assert_eq!(here(world, incident), "customers=7, environment=staging");
        world.run_for(MINUTE);
        set(world, incident, &[("environment", "production")]);
        world.settle_down();
        assert_eq!(there(world, &twin)["environment"], "production");
        // No webhook tells of this one.
        world.way.lose = Some(|_| true);
        world.run_for(MINUTE);
        set_there(world, &twin, "environment", &Value::Null);
        world.run_for(MINUTE * 7);
        assert_eq!(here(world, incident), "customers=7");
        // One that began there.
        world.way.lose = None;
        let (born, twin) = world.born_there("Born there");
        set_there(world, &twin, "environment", &json!("staging"));
        world.settle_down();
        assert_eq!(here(world, born), "environment=staging");
        set(world, born, &[("customers", "3")]);
        world.settle_down();
        assert_eq!(there(world, &twin), json!({"environment": "staging", "customers_hit": 3}));
    }

    fn i094_a_value_that_a_custom_field_does_not_take_waits_for_a_person_and_says_why(world) {
        map(world);
        let incident = declare(world, &["web"], &[("environment", "prod")]);
        let twin = world.twin(incident);
        let parked = world.outbox();
        assert_eq!(parked.len(), 1, "the incident itself is there: {parked:?}");
        let why = parked[0].reason.clone().unwrap();
        assert!(parked[0].parked && why.contains("`environment` takes production or staging"), "{why}");
        set(world, incident, &[("environment", "production")]);
        world.settle_down();
        assert!(world.outbox().is_empty(), "a better value is sent in its place");
        assert_eq!(there(world, &twin)["environment"], "production");
    }

    fn i094_a_table_that_comes_later_loses_nothing_and_the_next_change_goes(world) {
        let incident = declare(world, &["web"], &[("environment", "production")]);
        let twin = world.twin(incident);
        let writes = world.writes();
        map(world);
        world.run_for(HOUR);
        assert_eq!((here(world, incident), world.writes()), ("environment=production".to_owned(), writes));
        set(world, incident, &[("environment", "staging")]);
        world.settle_down();
        assert_eq!(there(world, &twin)["environment"], "staging");
    }

    fn i094_each_of_several_services_gets_the_fields(world) {
        map(world);
        let incident = declare(world, &["web", "db"], &[("environment", "production"), ("customers", "1")]);
        let twins: Vec<String> = world.sim.incidents().map(|one| one.id).collect();
        for twin in &twins {
            assert_eq!(there(world, twin), json!({"environment": "production", "customers_hit": 1}));
        }
        set(world, incident, &[("environment", "staging"), ("customers", "2"), ("region", "eu")]);
        world.settle_down();
        for twin in &twins {
            assert_eq!(there(world, twin), json!({"environment": "staging", "customers_hit": 2}));
        }
        assert_eq!(here(world, incident), "customers=2, environment=staging, region=eu");
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
    }
}
