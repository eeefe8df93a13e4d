//! What PagerDuty shows of a new incident.

use im_core::{Command, IncidentNumber, Severity};
use serde_json::{Value, json};

use crate::world::World;

/// Declares, and tells the text of each twin by its service.
fn texts(
    world: &mut World,
    description: Option<&str>,
    services: &[&str],
) -> (IncidentNumber, Vec<(String, String)>) {
    let known: Vec<String> = world.sim.incidents().map(|one| one.id).collect();
    let command = Command::Declare {
        title: "Database is slow".to_owned(),
        severity: Severity::Sev2,
        description: description.map(str::to_owned),
        services: services.iter().map(|name| (*name).to_owned()).collect(),
    };
    let incident = world.declare_by(None, &command);
    world.settle_down();
    let twins: Vec<_> = world
        .sim
        .incidents()
        .filter(|one| !known.contains(&one.id))
        .collect();
    let texts = twins.into_iter().map(|twin| {
        let path = format!("/incidents/{}?include[]=body", twin.id);
        let reply = world.ask("GET", &path, Vec::new());
        let read: Value = serde_json::from_slice(&reply.body).unwrap();
        let text = read["incident"]["body"]["details"]
            .as_str()
            .unwrap()
            .to_owned();
        (twin.service, text)
    });
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    (incident, texts)
}

story! {
    fn i126_a_new_incident_is_described_by_the_template_of_its_service(world) {
        let (_, ours) = texts(world, Some("Since 08:50"), &["web"]);
        assert!(ours[0].1.starts_with("Since 08:50\n\nSEV-2: Major functionality impact\n\nDeclared in im as INC-1 by "), "{ours:?}");
        world.configure(|config| config["custom"]["description_templates"] = json!({
            "default": "{title} ({severity}, {severity_meaning})\nImpact: {description}\nService: {service}\n{incident}, {declared_at}",
            "db": "Runbook: https://wiki.example/db\n\n{description}",
        }));
        world.settle_down();
        let (incident, told) = texts(world, None, &["web"]);
        let at = world.story(incident).created_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let expected = format!(
            "Database is slow (SEV-2, Major functionality impact)\nService: web\n{incident}, {at}"
        );
        assert_eq!(told[0].1, expected, "a line without a value is left out");
        let who = world.person(1).name.unwrap();
        let (incident, told) = texts(world, Some("<b>Queries</b> wait {title}"), &["db"]);
        assert_eq!(
            told[0].1,
            format!("Runbook: https://wiki.example/db\n\n<b>Queries</b> wait {{title}}\n\nDeclared in im as {incident} by {who}"),
            "the number stands in it all the same, and what people write is no template"
        );
        // Each of several services by its own, under one number.
        let (incident, told) = texts(world, Some("Both"), &["web", "db"]);
        assert_eq!(told.len(), 2);
        let of = |service: &str| told.iter().find(|(id, _)| id == service).unwrap().1.clone();
        let [web, db] = [1, 2].map(|at| world.account.services[at].0.clone());
        assert!(of(&web).contains("Impact: Both\nService: web\n"), "{told:?}");
        assert!(of(&db).starts_with("Runbook"), "{told:?}");
        assert!(told.iter().all(|(_, text)| text.contains(&incident.to_string())), "{told:?}");
    }
}
