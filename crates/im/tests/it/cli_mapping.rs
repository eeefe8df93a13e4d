//! Which service and which policy: rows I-042, I-050, I-076 … I-087, I-123 and I-124 of the connector.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::json;

use crate::cli_stories::Story;

/// Runs each line; returns what each said. The stand-in's ids come from a fixed seed.
fn told(story: &Story, lines: &[&str]) -> String {
    let mut all = String::new();
    for line in lines {
        let said = story.im(line);
        write!(all, "$ im {line}\n{}", said.all()).unwrap();
    }
    all.replace(&story.stand_in.base_url, "http://pagerduty")
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Service and policy of the newest incident there.
fn newest(story: &Story) -> (String, String) {
    story.there(|sim, _| {
        let newest = sim.incidents().max_by_key(|one| one.number).unwrap();
        (newest.service, newest.policy)
    })
}

#[test]
fn i076_i077_i078_a_service_is_mapped_changed_listed_and_taken_away() {
    let story = Story::connected(&json!({"custom": {"service_mappings": null}}));
    assert_snapshot!(told(
        &story,
        &[
            "connector list-mappings prod",
            "connector map-service prod --im-service api --pd-service 'Checkout Web'",
            "connector map-service prod --im-service db --pd-service PBZ6HLF",
            "connector map-service prod --im-service web --pd-service 'Checkout Web'",
            "connector map-service prod --im-service default --pd-service Search",
            "connector list-mappings prod",
            "connector map-service prod --im-service api --pd-service Search",
            "connector map-service prod --im-service web --remove",
            "connector map-service prod --im-service web --remove",
            "connector map-service prod --im-service db --pd-service PNOSUCH",
            "connector map-service prod --im-service a,b --pd-service Search",
            "connector list-mappings prod",
        ]
    ));
}

#[test]
fn i008_i078_a_service_means_the_same_on_both_sides_and_an_unknown_one_goes_to_the_default() {
    let story = Story::connected(&json!({"custom": {"service_mappings": null}}));
    let account = &story.stand_in.account;
    let named = |name: &str| {
        let found = account.services.iter().find(|one| one.1 == name).unwrap();
        found.0.clone()
    };
    let declare = |service: &str| {
        story.done(&format!(
            "declare --sev SEV-2 --title x --service {service}"
        ));
        newest(&story).0
    };
    assert_eq!(declare("unheard"), account.services[0].0, "the service_id");
    story.done("connector map-service prod --im-service default --pd-service Search");
    story.done("connector map-service prod --im-service api --pd-service 'Checkout Web'");
    assert_eq!(declare("unheard"), named("Search"));
    assert_eq!(declare("api"), named("Checkout Web"));
    story.done(&format!("config set public_url {}", story.url));
    story.done("connector webhook prod --enable --insecure");
    let web = named("Checkout Web");
    story.there(|sim, now| sim.trigger(&web, "Born there", now).unwrap());
    story.rest();
    let listed = story.done("list --json --search 'Born there'");
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["service"], "api", "{listed}");
}

#[test]
fn i080_i083_i087_the_mapped_service_gets_the_incident_and_its_people_are_told() {
    let story = Story::connected(&json!({"custom": {"service_mappings": null}}));
    let account = &story.stand_in.account;
    let named = |name: &str| {
        let found = account.services.iter().find(|one| one.1 == name).unwrap();
        found.0.clone()
    };
    for name in ["shop", "cart"] {
        story.done(&format!(
            "connector map-service prod --im-service {name} --pd-service 'Checkout Web'"
        ));
    }
    story.done("connector map-service prod --im-service default --pd-service Search");
    story.done("declare --sev SEV-1 --title 'API Gateway Down' --service shop");
    assert_eq!(newest(&story).0, named("Checkout Web"));
    let paged = story.there(|sim, _| {
        let newest = sim.incidents().max_by_key(|one| one.number).unwrap();
        newest.assignees.clone()
    });
    assert_eq!(paged, [account.users[0].0.clone()], "its people are told");
    story.done("declare --sev SEV-1 --title 'Who knows' --service unheard");
    assert_eq!(newest(&story).0, named("Search"));
}

#[test]
fn i080_rules_by_severity_and_field_are_set_checked_and_met() {
    let story = Story::connected(&json!({}));
    let account = &story.stand_in.account;
    let named = |name: &str| {
        let found = account.services.iter().find(|one| one.1 == name).unwrap();
        found.0.clone()
    };
    let rules = |id: &str| json!([{"severity": "SEV-1", "fields": {"environment": "production"}, "pd_service": id}]);
    let set = |id: &str| {
        let rules = rules(id);
        story.im(&format!(
            "connector config prod --set 'custom.service_rules={rules}'"
        ))
    };
    let wrong = set("PNOSUCH");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("PagerDuty has no service PNOSUCH"),
        "{}",
        wrong.err
    );
    let set = set(&named("Search"));
    assert_eq!(set.code, 0, "{}", set.all());
    story.done("declare --sev SEV-1 --title x --service db --field environment=production");
    assert_eq!(newest(&story).0, named("Search"));
    story.done("declare --sev SEV-1 --title x --service db --field environment=staging");
    assert_eq!(newest(&story).0, named("Database"));
    let shown = story.done("connector config prod --json");
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        shown["custom"]["service_rules"][0]["fields"]["environment"],
        "production"
    );
    let tested = story.im("connector test prod").out;
    assert!(
        tested.contains(&format!("✓ Service {} accessible", named("Search"))),
        "{tested}"
    );
}

#[test]
fn mw39_services_are_chosen_searched_checked_and_all_taken_again() {
    let story = Story::connected(&json!({}));
    let synced = |story: &Story| -> Vec<String> {
        let listed = story.done("connector services prod");
        let rows = listed.lines().skip(1);
        let synced = rows.filter(|row| row.starts_with("yes"));
        synced.map(|row| words(row)[2..].join(" ")).collect()
    };
    let all = synced(&story);
    assert!(all.len() > 4, "without a choice all are: {all:?}");
    for (line, why) in [
        ("--sync Search", "`custom.synced_services` leaves out"),
        ("--sync Nowhere", "PagerDuty has no service Nowhere"),
        ("--all --stop Search", "cannot be used with"),
    ] {
        let refused = story.im(&format!("connector services prod {line}"));
        assert_eq!(refused.code, 2, "{}", refused.all());
        assert!(
            words(&refused.err).join(" ").contains(why),
            "{}",
            refused.err
        );
    }
    let chosen = story.done("connector services prod --sync 'Payments API,Database,Search'");
    assert_eq!(chosen, format!("3 of {} services are synced\n", all.len()));
    story.done("connector services prod --stop Search");
    assert_eq!(synced(&story), ["Database", "Payments API"]);
    let found = story.done("connector services prod --search DATA");
    assert_eq!(found.lines().count(), 2, "{found}");
    story.done("connector services prod --all");
    assert_eq!(synced(&story), all);
    story.done("connector services prod --stop Notifications");
    assert!(!synced(&story).contains(&"Notifications".to_owned()));
}

#[test]
fn mw39_among_more_than_a_thousand_services_some_are_found_chosen_and_all_taken_again() {
    let story = Story::connected(&json!({}));
    story.there(|sim, now| {
        let policy = sim.account().policies[0].0.clone();
        for number in 0..1_050 {
            sim.add_service(&format!("Fleet {number:04}"), &policy, now);
        }
    });
    let known = story.done("connector services prod").lines().count() - 1;
    assert!(known > 1_050, "{known}");
    let found = story.done("connector services prod --search 'fleet 09'");
    assert_eq!(found.lines().count(), 101, "{found}");
    let found = story.done("connector services prod --search 'Fleet 1049'");
    assert_eq!(found.lines().count(), 2, "the last of them, too: {found}");
    let said = story.done("connector services prod --stop 'Fleet 1049,Fleet 0000'");
    assert_eq!(
        said,
        format!("{} of {known} services are synced\n", known - 2)
    );
    let said = story.done("connector services prod --all");
    assert_eq!(said, format!("{known} of {known} services are synced\n"));
}

#[test]
fn mw39_what_is_left_out_is_kept_hidden_and_erased_on_request() {
    let story = Story::connected(&json!({}));
    story.done(&format!("config set public_url {}", story.url));
    story.done("connector webhook prod --enable --insecure");
    let account = &story.stand_in.account;
    let id_of = |name: &str| {
        let found = account.services.iter().find(|one| one.1 == name).unwrap();
        found.0.clone()
    };
    for (service, title) in [("Search", "Slow search"), ("Database", "Disk full")] {
        let id = id_of(service);
        story.there(|sim, now| sim.trigger(&id, title, now).unwrap());
    }
    story.rest();
    let titles = |line: &str| -> Vec<String> {
        let listed = story.done(&format!("list --json {line}"));
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let all = listed.as_array().unwrap().iter();
        all.map(|one| one["title"].as_str().unwrap().to_owned())
            .collect()
    };
    let counted = || {
        let found = story.done("metrics incident_frequency --json");
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        found["series"][0]["total"]["n"].as_i64().unwrap()
    };
    assert_eq!(counted(), 2);
    story.done("connector services prod --stop Search");
    assert_eq!(titles(""), ["Disk full"]);
    assert_eq!(titles("--hidden"), ["Slow search"]);
    assert_eq!(counted(), 1);
    let shown = story.done("show 1") + &story.done("show 2");
    assert_eq!(shown.matches("Hidden:").count(), 1, "{shown}");
    story.done("connector services prod --all");
    assert_eq!((titles("").len(), counted()), (2, 2), "it was kept");
    story.done("connector services prod --stop Search");
    let asked = story.im("connector services prod --purge");
    assert_eq!(asked.code, 2, "nobody said yes: {}", asked.all());
    let said = story.done("connector services prod --purge --yes");
    assert_eq!(said, "Erased 1 incident; PagerDuty keeps its own\n");
    let said = story.done("connector services prod --purge --yes");
    assert_eq!(said, "Erased 0 incidents; PagerDuty keeps its own\n");
    assert!(titles("--hidden").is_empty());
    assert_eq!((titles(""), counted()), (vec!["Disk full".to_owned()], 1));
}

#[test]
fn i084_i085_i086_i124_a_policy_is_set_by_service_and_severity_listed_and_taken_away() {
    let story = Story::connected(&json!({}));
    assert_snapshot!(told(
        &story,
        &[
            "connector list-escalations prod",
            "connector config prod --escalation-policy P7GBGJL",
            "connector map-escalation prod --service db --escalation-policy 'Everyone awake'",
            "connector map-escalation prod --sev SEV-1 --escalation-policy 'Billing by turns'",
            "connector map-escalation prod --service db --sev SEV-2 --escalation-policy PUDXTJT",
            "connector list-escalations prod",
            "connector map-escalation prod --service db --escalation-policy PAPI_ESCALATION",
            "connector map-escalation prod --escalation-policy PUDXTJT",
            "connector map-escalation prod --sev SEV-1 --remove",
            "connector map-escalation prod --sev SEV-1 --remove",
            "connector list-escalations prod",
            "oncall --service db",
        ]
    ));
    let policy = |name: &str| {
        let all = &story.stand_in.account.policies;
        all.iter().find(|one| one.1 == name).unwrap().0.clone()
    };
    for (sev, service, expected) in [
        ("SEV-1", "db", "Everyone awake"),
        ("SEV-2", "db", "Platform first line"),
        ("SEV-1", "unheard", "Shop first line"),
    ] {
        story.done(&format!(
            "declare --sev {sev} --title x --service {service}"
        ));
        assert_eq!(newest(&story).1, policy(expected), "{sev} {service}");
    }
}

#[test]
fn i050_priorities_are_mapped_by_name_checked_listed_and_taken_away() {
    let story = Story::connected(&json!({}));
    let id = |at: usize| story.stand_in.account.priorities[at].0.clone();
    let mapped = story.done("connector map-priority prod --sev SEV-1 --priority P1");
    assert_eq!(mapped, format!("Mapped SEV-1 to {} (P1)\n", id(0)));
    story.done("connector map-priority prod --sev sev-3 --priority P4");
    for line in [
        "connector map-priority prod --sev SEV-2 --priority P9",
        "connector config prod --set custom.priority_mapping.SEV-2=P9",
    ] {
        let wrong = story.im(line);
        assert_eq!(wrong.code, 2, "{}", wrong.all());
        let said = words(&wrong.err).join(" ");
        let offered = format!("one of: {} (P1), {} (P2)", id(0), id(1));
        assert!(
            said.contains("PagerDuty has no priority P9 that this key can see"),
            "{said}"
        );
        assert!(said.contains(&offered), "{said}");
    }
    let listed = story.done("connector list-priorities prod");
    let rows: Vec<Vec<&str>> = listed.lines().skip(1).map(words).collect();
    let (first, fourth) = (id(0), id(3));
    assert_eq!(
        rows,
        [
            ["SEV-1", &*first, "P1"],
            ["SEV-2", "none", "-"],
            ["SEV-3", &*fourth, "P4"],
            ["SEV-4", "none", "-"],
        ]
    );
    let priority = |story: &Story| story.there(|sim, _| sim.incidents().next().unwrap().priority);
    story.done("declare --sev SEV-1 --title 'Nobody can pay'");
    assert_eq!(priority(&story).as_ref(), Some(&first));
    let edited = story.done("edit 1 --sev SEV-3");
    assert!(edited.contains("urgency and priority updated"), "{edited}");
    assert_eq!(priority(&story).as_ref(), Some(&fourth));
    let removed = story.done("connector map-priority prod --sev SEV-1 --remove");
    assert_eq!(removed, "Removed the mapping of SEV-1\n");
    let again = story.im("connector map-priority prod --sev SEV-1 --remove");
    assert!(
        again.err.contains("there is no line for SEV-1"),
        "{}",
        again.err
    );
    let tested = story.im("connector test prod").out;
    assert!(tested.contains("✓ Mapped priorities found"), "{tested}");
}

#[test]
fn i042_i079_i123_the_tables_of_the_documentation_are_listed_as_they_were_given() {
    let table = json!({"api": "PAPI001", "database": "PDAT001", "web": "PWEB001",
        "payments": "PPAY001", "default": "PGEN001"});
    let story = Story::connected(&json!({"custom": {"service_mappings": null}}));
    let config = json!({"service_mappings": table, "default": null});
    story.done(&format!(
        "connector config prod --set 'custom.service_mappings={}'",
        config["service_mappings"]
    ));
    assert_snapshot!(told(&story, &["connector list-mappings prod"]));
}

#[test]
fn g11_what_marks_a_test_can_be_chosen_and_each_figure_says_how_it_was_counted() {
    let story = Story::connected(&json!({}));
    for title in [
        "[test] Nothing",
        "GAME DAY: search is down",
        "Search is down",
    ] {
        story.done(&format!("declare --sev SEV-2 --title '{title}'"));
    }
    let asked = || -> serde_json::Value {
        let found = story.done("metrics incident_frequency --as-of current --json");
        serde_json::from_str(&found).unwrap()
    };
    let counted = |found: &serde_json::Value| {
        let total = &found["series"][0]["total"]["n"];
        (total.as_i64(), found["left_out"]["test"].as_i64())
    };
    let found = asked();
    assert_eq!(counted(&found), (Some(2), Some(1)));
    assert_eq!(
        found["parameters"],
        json!([{"name": "as_of", "value": "current"}])
    );
    story.done("config set test_keyword 'game day'");
    assert_eq!(counted(&asked()), (Some(2), Some(1)));
    story.done("config set test_keyword ''");
    assert_eq!(counted(&asked()), (Some(3), Some(0)));
    let said = story.done("metrics mttr --recovery first --service Search");
    assert!(
        said.contains(
            "Counted by clock=events, as_of=trigger, recovery=first, bucket_by=triggered,"
        ) && said.contains("service=Search"),
        "{said}"
    );
    // A program gets the id, to ask by it again.
    let found = story.done("metrics mttr --service Search --json");
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let used = found["parameters"].as_array().unwrap();
    let service = used.iter().find(|one| one["value_name"] == "Search");
    let id = service.and_then(|one| one["value"].as_str());
    assert!(id.is_some_and(|id| id.starts_with('P')), "{used:?}");
    let long = "x".repeat(101);
    let refused = story.im(&format!("config set test_keyword {long}"));
    assert_eq!(refused.code, 2, "{}", refused.all());
}
