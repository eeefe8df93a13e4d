//! Rules by which the service of an incident is chosen.

use im_core::{Command, IncidentNumber, NewField, Severity};
use im_engine::commands;
use jiff::SignedDuration;
use serde_json::json;

use crate::world::World;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn declare(
    world: &mut World,
    severity: Severity,
    services: &[&str],
    fields: &[(&str, &str)],
) -> IncidentNumber {
    let command = Command::Declare {
        title: "By rule".to_owned(),
        severity,
        description: None,
        services: services.iter().map(|name| (*name).to_owned()).collect(),
    };
    let fields = fields.iter();
    let fields: Vec<NewField> = fields
        .map(|(name, says)| ((*name).to_owned(), Some((*says).to_owned())))
        .collect();
    let (actor, now) = (world.person(1), world.our_now());
    let asked = world.write(|tx| {
        let asked = commands::declare_with(tx, &command, &fields, None, &actor, now);
        Ok(asked.unwrap())
    });
    world.settle_down();
    asked.incident
}

/// PagerDuty's service of the newest incident there.
fn newest(world: &World) -> String {
    let newest = world.sim.incidents().max_by_key(|one| one.number);
    newest.unwrap().service
}

story! {
    fn i080_the_first_rule_that_an_incident_meets_chooses_its_service(world) {
        let ids: Vec<String> = world.account.services.iter().map(|one| one.0.clone()).collect();
        let of_rules = ids.clone();
        world.configure(move |config| config["custom"]["service_rules"] = json!([
            {"service": "web", "severity": "SEV-1", "fields": {"environment": "production"}, "pd_service": of_rules[3]},
            {"severity": "SEV-1", "pd_service": of_rules[4]},
            {"fields": {"environment": "staging", "region": "eu"}, "pd_service": of_rules[0]},
        ]));
        world.settle_down();
        let (production, staging) = (("environment", "production"), ("environment", "staging"));
        for (severity, service, fields, expected) in [
            (Severity::Sev1, "web", vec![production], 3),
            (Severity::Sev1, "db", vec![production], 4),
            (Severity::Sev1, "web", vec![], 4),
            (Severity::Sev2, "web", vec![production], 1),
            (Severity::Sev2, "web", vec![staging], 1),
            (Severity::Sev4, "db", vec![staging, ("region", "eu")], 0),
        ] {
            let incident = declare(world, severity, &[service], &fields);
            assert_eq!(newest(world), ids[expected], "{severity} {service} {fields:?}");
            assert_eq!(world.story(incident).service.as_deref(), Some(service), "our name stays");
            assert_eq!(world.sim.incidents().count(), world.list().len(), "adopted, not made twice");
        }
        // Another severity moves nothing; another service goes by the rules.
        let incident = declare(world, Severity::Sev2, &["web"], &[]);
        let edit = |severity, service: Option<&str>| Command::Edit {
            title: None,
            description: None,
            severity,
            service: service.map(str::to_owned),
        };
        world.must(incident, &edit(Some(Severity::Sev1), None));
        world.run_for(HOUR);
        assert_eq!(newest(world), ids[1]);
        world.must(incident, &edit(None, Some("db")));
        world.settle_down();
        assert_eq!(newest(world), ids[4]);
        assert_eq!(world.story(incident).service.as_deref(), Some("db"));
        assert!(world.unfaithful().is_empty(), "{:?}", world.unfaithful());
    }

    fn i080_services_that_a_rule_brings_together_page_once(world) {
        let id = world.account.services[4].0.clone();
        let of_rule = id.clone();
        world.configure(move |config| config["custom"]["service_rules"] = json!([{"severity": "SEV-1", "pd_service": of_rule}]));
        world.settle_down();
        declare(world, Severity::Sev1, &["web", "db"], &[]);
        let there: Vec<String> = world.sim.incidents().map(|one| one.service).collect();
        assert_eq!(there, [id]);
        declare(world, Severity::Sev2, &["web", "db"], &[]);
        assert_eq!(world.sim.incidents().count(), 3);
    }

    fn s52_what_was_triggered_by_a_rule_of_severity_is_resolved_whatever_became_of_both(world) {
        let of_rule = world.account.services[4].0.clone();
        world.configure(move |config| config["custom"]["service_rules"] = json!([{"severity": "SEV-1", "pd_service": of_rule}]));
        world.settle_down();
        let incidents = [(); 2].map(|()| declare(world, Severity::Sev1, &["web"], &[]));
        let mild = Command::Edit { title: None, description: None, severity: Some(Severity::Sev4), service: None };
        for incident in incidents {
            world.must(incident, &mild);
        }
        world.settle_down();
        world.must(incidents[0], &Command::Resolve);
        world.configure(|config| config["custom"]["service_rules"] = json!([]));
        world.settle_down();
        world.must(incidents[1], &Command::Resolve);
        world.settle_down();
        for one in world.sim.incidents() {
            assert_eq!(one.status, "resolved", "{one:?}");
        }
    }
}
