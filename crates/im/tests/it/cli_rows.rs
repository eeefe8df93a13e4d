//! What the document of the connector promises to people at a terminal, row by row.

use insta::assert_snapshot;
use serde_json::json;

use crate::cli::without_api;
use crate::cli_stories::Story;

/// The same words on one line.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn i050_i127_severities_have_the_documented_words_wherever_they_are_shown() {
    assert_snapshot!(without_api().im("severities").out);
    let story = Story::connected(&json!({}));
    for (sev, words) in [
        ("SEV-1", "Critical system impact"),
        ("SEV-2", "Major functionality impact"),
        ("SEV-3", "Minor functionality impact"),
        ("SEV-4", "Informational only"),
    ] {
        story.done(&format!("declare --sev {sev} --title 'x'"));
        let newest = story.done("list --limit 1 --json");
        let newest: serde_json::Value = serde_json::from_str(&newest).unwrap();
        let id = newest[0]["id"].as_str().unwrap();
        let shown = story.done(&format!("show {id}"));
        assert!(shown.contains(&format!("{sev} {words}")), "{shown}");
        let listed = without_api().im("severities --json").out;
        assert!(listed.contains(words), "{listed}");
    }
}

#[test]
fn i092_i093_i162_one_declaration_reaches_each_service_and_its_number_stands_in_each() {
    let story = Story::connected(&json!({"custom": {"service_mappings": {"web": "PTO9ZE6"}}}));
    story.done("declare --sev SEV-1 --title 'Database cluster failure' --service db,web");
    let there: Vec<_> = story.there(|sim, _| sim.incidents().collect());
    assert_eq!(there.len(), 2);
    assert_ne!(
        there[0].policy, there[1].policy,
        "each pages by its own policy"
    );
    let shown = story.done("show 1");
    for twin in &there {
        let path = format!("/incidents/{}/log_entries", twin.id);
        let log = story.changed_there("GET", &path, &json!(null)).to_string();
        assert!(shown.contains(&format!("#{}", twin.number)), "{shown}");
        let read = story.changed_there("GET", &format!("/incidents/{}", twin.id), &json!(null));
        let body = format!("{read} {log}");
        assert!(body.contains("INC-1"), "the correlation id: {body}");
    }
}

#[test]
fn i126_a_template_per_service_is_set_shown_and_refused_where_it_is_wrong() {
    let story = Story::connected(&json!({}));
    story.done(
        "connector config prod --set 'custom.description_templates.db=Runbook: https://wiki.example/{service}'",
    );
    let shown = story.done("connector config prod");
    assert!(
        unwrapped(&shown).contains("Runbook: https://wiki.example/{service}"),
        "{shown}"
    );
    story.done("declare --sev SEV-1 --title 'Database is slow' --service db");
    let twin = story.there(|sim, _| sim.incidents().next().unwrap().id);
    let path = format!("/incidents/{twin}?include[]=body");
    let read = story.changed_there("GET", &path, &json!(null));
    let text = read["incident"]["body"]["details"].as_str().unwrap();
    assert!(
        text.starts_with("Runbook: https://wiki.example/db\n\nDeclared in im as INC-1"),
        "{text}"
    );
    let wrong = story.im("connector config prod --set custom.description_templates.db={runbook}");
    assert_eq!(wrong.code, 2, "{}", wrong.all());
    let said = unwrapped(&wrong.err);
    assert!(
        said.contains("`custom.description_templates.db` has the unknown placeholder {runbook}: use {title}, {description},"),
        "{said}"
    );
}

#[test]
fn i094_fields_are_declared_shown_changed_on_both_sides_and_taken_away() {
    let story = Story::connected(&json!({}));
    let mapping = json!({"im_field": "pd_custom_field", "environment": "custom_details.environment",
        "root_cause": "custom_details.root_cause"});
    let mapped = story.im(&format!(
        "connector config prod --set 'custom.custom_field_mappings={mapping}'"
    ));
    assert_eq!(mapped.code, 0, "{}", mapped.all());
    let said = unwrapped(&mapped.err);
    assert!(
        said.contains("Custom field root_cause: not in PagerDuty; what it says stands in the text of new incidents; it has environment, customers_hit"),
        "{said}"
    );
    let declared = story.done(
        "declare --sev SEV-2 --title x --field environment=production --field root_cause=disk",
    );
    assert!(
        declared.starts_with("Declared INC-1. PagerDuty #"),
        "{declared}"
    );
    let fields = |story: &Story| {
        let shown = story.done("show 1");
        let line = shown.lines().find(|line| line.starts_with("Fields:"));
        line.map(unwrapped)
    };
    assert_eq!(
        fields(&story).as_deref(),
        Some("Fields: environment=production, root_cause=disk")
    );
    let twin = story.there(|sim, _| sim.incidents().next().unwrap().id);
    let values = format!("/incidents/{twin}/custom_fields/values");
    let there = |story: &Story| {
        let read = story.changed_there("GET", &values, &json!(null));
        let rows = read["custom_fields"].as_array().unwrap().clone();
        let row = rows.iter().find(|row| row["name"] == "environment");
        row.unwrap()["value"].clone()
    };
    assert_eq!(there(&story), "production");
    let changed = story.done("edit 1 --field environment=staging");
    assert!(changed.contains("custom fields updated"), "{changed}");
    assert_eq!(there(&story), "staging");
    let body = json!({"custom_fields": [{"name": "environment", "value": "production"}]});
    story.changed_there("PUT", &values, &body);
    story.done("connector sync prod");
    assert_eq!(
        fields(&story).as_deref(),
        Some("Fields: environment=production, root_cause=disk"),
        "what was set in PagerDuty is here"
    );
    let body = unwrapped(&story.done("edit 1 --field environment= --field root_cause= --title y"));
    assert!(body.contains("title and custom fields updated"), "{body}");
    assert_eq!((there(&story), fields(&story)), (json!(null), None));
    let shown: serde_json::Value = serde_json::from_str(&story.done("show 1 --json")).unwrap();
    assert_eq!(shown["fields"], json!({}));
}

#[test]
fn i094_a_field_that_cannot_be_is_refused_with_what_would_do() {
    let story = Story::connected(
        &json!({"custom": {"custom_field_mappings": {"root_cause": "root_cause"}}}),
    );
    story.done("declare --sev SEV-4 --title x");
    for (line, why) in [
        (
            "edit 1 --field environment",
            "write NAME=VALUE, e.g. environment=production",
        ),
        (
            "edit 1 --field 'two words=x'",
            "`two words` cannot be the name of a field",
        ),
        (
            "declare --sev SEV-4 --title z --field =x",
            "`` cannot be the name of a field",
        ),
    ] {
        let refused = story.im(line);
        assert_eq!(refused.code, 2, "{}", refused.all());
        assert!(unwrapped(&refused.err).contains(why), "{}", refused.err);
    }
    let long = "x".repeat(201);
    let refused = story.im(&format!("edit 1 --field environment={long}"));
    assert!(
        unwrapped(&refused.err).contains("has 201 characters"),
        "{}",
        refused.err
    );
    let tested = unwrapped(&story.im("connector test prod").out);
    assert!(
        tested.contains("Custom field root_cause: not in PagerDuty"),
        "{tested}"
    );
}

#[test]
fn i106_i132_a_key_is_changed_without_a_restart_and_nothing_that_waited_is_lost() {
    let story = Story::connected(&json!({}));
    story.done("declare --sev SEV-2 --title 'Before'");
    let old = story.stand_in.account.api_key.clone();
    let new = story.there(|sim, _| {
        let new = sim.add_key(pd_sim::KeyKind::Account);
        sim.revoke_key(&old);
        new
    });
    let said = story.im("declare --sev SEV-2 --title 'Meanwhile'").all();
    assert!(said.contains("queued"), "{said}");
    // On the command line others could see it: from standard input.
    let updated = story
        .run()
        .stdin(&new)
        .im("connector update prod --api-key -");
    assert_eq!(updated.code, 0, "{}", updated.all());
    assert!(!updated.all().contains(&new));
    story.done("declare --sev SEV-2 --title 'After'");
    let waits = || story.done("connector outbox list prod --json");
    for _ in 0..10 {
        if waits().trim() == "[]" {
            break;
        }
        // What waited is tried again by and by.
        story.pass(60);
        story.im("ack 1");
    }
    assert_eq!(waits().trim(), "[]");
    let titles: Vec<String> = story.there(|sim, _| sim.incidents().map(|one| one.title).collect());
    for title in ["Before", "Meanwhile", "After"] {
        assert_eq!(
            titles.iter().filter(|known| *known == title).count(),
            1,
            "{titles:?}"
        );
    }
}

#[test]
fn i107_i108_a_wrong_service_is_named_with_those_there_are_and_what_failed_is_sent_again() {
    let story = Story::connected(&json!({}));
    story.done("connector config prod --service-id PNOSUCH");
    let tested = story.im("connector test prod");
    assert_eq!(tested.code, 1);
    let said = unwrapped(&tested.out);
    assert!(said.contains("✗ Service PNOSUCH accessible"), "{said}");
    assert!(
        said.contains("`im connector config prod --service-id ID`, one of: PXSO2IH (Billing),"),
        "{said}"
    );
    let refused = story.im("declare --sev SEV-2 --title 'Refused'").all();
    assert!(
        unwrapped(&refused).contains("Service not found"),
        "{refused}"
    );
    let good = story.stand_in.account.services[0].0.clone();
    story.done(&format!("connector config prod --service-id {good}"));
    // What PagerDuty refused goes again by itself.
    story.done("ack 1");
    let there: Vec<_> = story.there(|sim, _| sim.incidents().collect());
    assert_eq!((there.len(), there[0].service.as_str()), (1, good.as_str()));
}

#[test]
fn i125_a_title_makes_sense_on_both_sides() {
    let story = Story::connected(&json!({}));
    story.done("declare --sev SEV-2 --title 'Two\nlines  and   blanks'");
    let title = story.there(|sim, _| sim.incidents().next().unwrap().title);
    assert_eq!(title, "Two lines and blanks");
    let empty = story.im("declare --sev SEV-2 --title ' '");
    assert_eq!(empty.code, 2, "{}", empty.all());
    let long = "x".repeat(1025);
    let long = story.im(&format!("declare --sev SEV-2 --title '{long}'"));
    assert!(
        unwrapped(&long.err).contains("has 1025 characters, and PagerDuty takes at most 1024"),
        "{}",
        long.err
    );
    assert_eq!(long.code, 2);
    let fits = "y".repeat(1024);
    story.done(&format!("declare --sev SEV-2 --title '{fits}'"));
    let titles: Vec<String> = story.there(|sim, _| sim.incidents().map(|one| one.title).collect());
    assert!(titles.contains(&fits), "{titles:?}");
}
