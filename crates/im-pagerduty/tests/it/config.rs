//! The connector's configuration.

use im_core::{Direction, Field, Owner, Severity, Side, Strategy, Urgency};
use im_pagerduty::config::{ConnectorConfig, EscalationChoice, parse, parse_duration};
use jiff::SignedDuration;

/// The simple example of the documentation, letter by letter.
const SIMPLE: &str = r#"{
"base_url": "https://api.pagerduty.com",
"api_key": "your-api-key-here",
"sync_direction": "bidirectional",
"sync_interval": "5m",
"enable_webhook": true,
"custom": {
"service_id": "PXXXXXX",
"from_email": "ops@company.com",
"escalation_policy_id": "PXXXXXX"
}
}"#;

/// The advanced one.
const ADVANCED: &str = r#"{
"base_url": "https://api.pagerduty.com",
"api_key": "your-api-key",
"sync_direction": "bidirectional",
"sync_interval": "2m",
"enable_webhook": true,
"custom": {
"service_id": "PXXXXXX",
"from_email": "ops@company.com",
"escalation_policy_id": "PXXXXXX",
"urgency_mapping": {
"SEV-1": "high",
"SEV-2": "high",
"SEV-3": "low",
"SEV-4": "low"
},
"service_mappings": {
"api": "PAPI001",
"db": "PDAT001",
"web": "PWEB001"
},
"auto_resolve": true,
"sync_notes": true
}
}"#;

#[test]
fn the_documented_examples_are_read() {
    let simple = parse(SIMPLE).unwrap();
    assert_eq!(simple.api_key.expose(), "your-api-key-here");
    assert_eq!(simple.sync_direction, Direction::Bidirectional);
    assert_eq!(simple.sync_interval, SignedDuration::from_mins(5));
    assert_eq!(
        simple.custom.escalation_policy_id.as_deref(),
        Some("PXXXXXX")
    );
    let advanced = parse(ADVANCED).unwrap();
    assert_eq!(advanced.sync_interval, SignedDuration::from_mins(2));
    assert_eq!(advanced.custom.urgency_mapping.len(), 4);
    let mapping = advanced.mapping();
    assert_eq!(mapping.service_id(Some("db"), None), "PDAT001");
    assert_eq!(mapping.service_id(Some("payments"), None), "PXXXXXX");
    assert_eq!(mapping.service_id(None, None), "PXXXXXX");
    assert_eq!(mapping.service_name("PWEB001"), Some("web"));
}

/// A configuration with more in both of its objects.
fn with(top: &str, custom: &str) -> String {
    format!(
        r#"{{"api_key":"u+secret123",{top}"custom":{{"service_id":"PSVC","from_email":"a@b.c"{custom}}}}}"#
    )
}

fn config(top: &str, custom: &str) -> ConnectorConfig {
    parse(&with(top, custom)).unwrap()
}

#[test]
fn what_is_left_out_has_its_default() {
    insta::assert_debug_snapshot!(config("", ""), @r#"
    ConnectorConfig {
        base_url: "https://api.pagerduty.com",
        api_key: [hidden],
        sync_direction: Outbound,
        sync_interval: 300s,
        enable_webhook: true,
        webhook_secret: None,
        allow_ips: [],
        logging: Logging {
            debug: false,
            requests: false,
            responses: false,
        },
        custom: Custom {
            service_id: "PSVC",
            from_email: "a@b.c",
            escalation_policy_id: None,
            escalation_mappings: [],
            urgency_mapping: [],
            priority_mapping: [],
            service_mappings: [],
            service_rules: [],
            synced_services: None,
            description_templates: [],
            custom_field_mappings: [],
            auto_resolve: true,
            sync_notes: true,
            resolve_rule: All,
            ownership: Ownership {
                strategy: OwnershipPriority,
                owners: [],
            },
            severity_from_urgency: Some(
                InferredSeverity {
                    high: Sev2,
                    low: Sev3,
                },
            ),
        },
    }
    "#);
}

#[test]
fn i065_i124_the_closest_line_of_the_table_of_policies_counts() {
    let table = r#","escalation_policy_id":"PALL","escalation_mappings":{"api":"PAPI","SEV-1":"PONE","api/sev-1":"PBOTH","a/b":"PODD"}"#;
    let custom = config("", table).custom;
    let policy = |service, severity, is_own| custom.policy_for(service, severity, is_own);
    let (one, two) = (Some(Severity::Sev1), Some(Severity::Sev2));
    assert_eq!(policy(Some("api"), one, false), Some("PBOTH"));
    assert_eq!(policy(Some("api"), two, false), Some("PAPI"));
    assert_eq!(policy(Some("api"), None, false), Some("PAPI"));
    assert_eq!(policy(Some("db"), one, false), Some("PONE"));
    assert_eq!(policy(Some("db"), two, false), Some("PALL"));
    assert_eq!(policy(Some("a/b"), one, false), Some("PODD"));
    assert_eq!(policy(None, one, false), Some("PONE"));
    assert_eq!(policy(Some("db"), one, true), None, "the service's own");
    assert_eq!(policy(Some("api"), two, true), Some("PAPI"));
    let keys: Vec<String> = custom
        .escalation_mappings
        .iter()
        .map(|line| EscalationChoice::key(line.service.as_deref(), line.severity))
        .collect();
    assert_eq!(keys, ["SEV-1", "a/b", "api", "api/SEV-1"]);
    check(
        &with("", r#","escalation_mappings":{"api":7}"#),
        "`custom.escalation_mappings.api` must be a text, not a number; for example \"PXXXXXX\"",
    );
}

#[test]
fn i050_each_severity_may_have_a_priority_by_its_id() {
    let none = config("", "").mapping();
    assert!(
        Severity::ALL
            .iter()
            .all(|one| none.priority_id(*one).is_none())
    );
    let table = r#","priority_mapping":{"sev-1":"PONE","SEV-3":"PTHREE","SEV-4":"PTHREE"}"#;
    let mapping = config("", table).mapping();
    let ids = Severity::ALL.map(|severity| mapping.priority_id(severity));
    assert_eq!(ids, [Some("PONE"), None, Some("PTHREE"), Some("PTHREE")]);
    assert_eq!(mapping.severity_of_priority("PTHREE"), Some(Severity::Sev3));
    assert_eq!(mapping.severity_of_priority("PTWO"), None);
    check(
        &with("", r#","priority_mapping":{"SEV-9":"PONE"}"#),
        "unknown key `custom.priority_mapping.SEV-9`; did you mean `custom.priority_mapping.SEV-1`?",
    );
    check(
        &with("", r#","priority_mapping":{"SEV-1":1}"#),
        "`custom.priority_mapping.SEV-1` must be a text, not a number; for example \"PXXXXXX\"",
    );
}

#[test]
fn i126_each_service_may_have_a_template_and_a_wrong_one_is_named() {
    let table = r#","description_templates":{"db":"{title} on the database","default":"{title}"}"#;
    let custom = config("", table).custom;
    let source = |service| {
        custom
            .template_for(service)
            .map(|one| one.source().to_owned())
    };
    assert_eq!(
        source(Some("db")).as_deref(),
        Some("{title} on the database")
    );
    assert_eq!(source(Some("web")).as_deref(), Some("{title}"));
    assert_eq!(source(None).as_deref(), Some("{title}"));
    assert!(config("", "").custom.template_for(Some("db")).is_none());
    let wrong = with("", r#","description_templates":{"db":"{titel}"}"#);
    let said = parse(&wrong).unwrap_err().to_string();
    let begin =
        "`custom.description_templates.db` has the unknown placeholder {titel}: use {title},";
    assert!(said.starts_with(begin), "{said}");
}

#[test]
fn i094_the_documented_table_of_fields_is_read() {
    let table = r#","custom_field_mappings":{"im_field":"pd_custom_field","environment":"custom_details.environment","customer_impact":"custom_details.customer_impact","root_cause":"root_cause"}"#;
    let mapped = config("", table).custom.custom_field_mappings;
    let pair = |ours: &str| (ours.to_owned(), ours.to_owned());
    assert_eq!(
        mapped,
        ["customer_impact", "environment", "root_cause"].map(pair)
    );
    check(
        &with(
            "",
            r#","custom_field_mappings":{"a":"x","b":"custom_details.x"}"#,
        ),
        "`custom.custom_field_mappings.b` is `x`, which is that of `a` already; for example {\"environment\": \"environment\"}",
    );
    let odd = with("", r#","custom_field_mappings":{"a b":"x"}"#);
    let said = parse(&odd).unwrap_err().to_string();
    assert!(
        said.contains("`a b` cannot be the name of a field"),
        "{said}"
    );
}

#[test]
fn i080_rules_for_services_are_read_in_their_order() {
    let rules = r#","service_rules":[{"severity":"sev-1","pd_service":"PB"},{"service":"api","fields":{"b":"2","a":"1"},"pd_service":"PA"}]"#;
    let mapping = config("", rules).mapping();
    let ids: Vec<&str> = mapping.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["PB", "PA"]);
    assert_eq!(mapping.service_name("PA"), Some("api"));
    assert_eq!(mapping.service_name("PB"), None);
    let refused = |rule: &str| {
        parse(&with("", &format!(r#","service_rules":{rule}"#)))
            .unwrap_err()
            .to_string()
    };
    for (rule, said) in [
        (
            r#"[{"severity":"SEV-1"}]"#,
            "`custom.service_rules[0].pd_service` is required",
        ),
        (
            r#"[{"severity":"SEV-1","pd_service":"P"},{"pd_service":"P"}]"#,
            "`custom.service_rules[1].pd_service` would be for every incident",
        ),
        (
            r#"[{"severity":"SEV-9","pd_service":"P"}]"#,
            "`custom.service_rules[0].severity` is wrong: `SEV-9` is not a severity",
        ),
        (
            r#"[{"label":"x","pd_service":"P"}]"#,
            "unknown key `custom.service_rules[0].label`",
        ),
        (
            r#"{"severity":"SEV-1"}"#,
            "`custom.service_rules` must be a list of rules, not an object",
        ),
    ] {
        let told = refused(rule);
        assert!(told.starts_with(said), "{told}");
    }
}

#[test]
fn mw39_what_is_declared_must_be_on_a_service_that_is_synced() {
    let mapping = config(
        "",
        r#","synced_services":["PSVC","PDB","PDB"],"service_mappings":{"db":"PDB"}"#,
    )
    .mapping();
    assert_eq!(
        mapping.synced.as_deref(),
        Some(&["PDB".to_owned(), "PSVC".to_owned()][..])
    );
    assert!(mapping.is_synced("PDB") && !mapping.is_synced("PWEB"));
    assert!(
        config("", "").mapping().is_synced("PWEB"),
        "all, where none is chosen"
    );
    for left_out in [
        r#","synced_services":["PDB"]"#,
        r#","synced_services":["PSVC"],"service_mappings":{"db":"PDB"}"#,
        r#","synced_services":["PSVC"],"service_rules":[{"severity":"SEV-1","pd_service":"PDB"}]"#,
    ] {
        let said = parse(&with("", left_out)).unwrap_err().to_string();
        assert!(
            said.starts_with("`custom.synced_services` leaves out P"),
            "{said}"
        );
    }
    check(
        &with("", r#","synced_services":"PSVC""#),
        "`custom.synced_services` must be a list of PagerDuty's service ids, not a text; for example [\"PAPI001\", \"PDAT001\"]",
    );
}

#[test]
fn the_key_is_in_no_debug_and_no_error() {
    let secret = r#""webhook_secret":"hush","#;
    let shown = format!("{:?}", config(secret, ""));
    assert!(
        !shown.contains("secret123") && !shown.contains("hush"),
        "{shown}"
    );
    for text in [
        r#"{"api_key":"u+secret123""#,
        r#"{"api_key":"u+secret123 x","custom":{}}"#,
        r#"{"api_key":"u+secret123","custom":{}}"#,
        r#"{"api_key":"u+secret123","custom":7}"#,
        r#"{"api_key":["u+secret123"],"custom":{}}"#,
        r#"{"api_key":"u+secret123","api_key":"u+secret123"}"#,
        r#"{"api_key":"u+secret123",}"#,
    ] {
        let error = parse(text).unwrap_err();
        assert!(
            !error.to_string().contains("secret123") && !format!("{error:?}").contains("secret123"),
            "{error}"
        );
    }
}

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(parse(text).unwrap_err().to_string(), expect);
}

#[test]
fn unknown_keys_are_named_with_their_path() {
    check(
        &with(r#""sync_intervall":"5m","#, ""),
        "unknown key `sync_intervall`; did you mean `sync_interval`?",
    );
    check(
        &with("", r#","servce_mapings":{}"#),
        "unknown key `custom.servce_mapings`; did you mean `custom.service_mappings`?",
    );
    check(
        &with("", r#","urgency_mapping":{"SEV-9":"high"}"#),
        "unknown key `custom.urgency_mapping.SEV-9`; did you mean `custom.urgency_mapping.SEV-1`?",
    );
    check(&with(r#""verbose":true,"#, ""), "unknown key `verbose`");
    check(
        &with("", r#","severity_from_urgency":{"hihg":"SEV-1"}"#),
        "unknown key `custom.severity_from_urgency.hihg`; did you mean `custom.severity_from_urgency.high`?",
    );
}

#[test]
fn required_keys_are_asked_for() {
    check(
        "{}",
        "`api_key` is required; for example \"u+xxxxxxxxxxxxxxxxxxxxxx\"",
    );
    check(
        r#"{"api_key":"k"}"#,
        "`custom` is required; for example {\"service_id\": \"PXXXXXX\", \"from_email\": \"ops@company.com\"}",
    );
    check(
        r#"{"api_key":"k","custom":{}}"#,
        "`custom.service_id` is required; for example \"PXXXXXX\"",
    );
    check(
        r#"{"api_key":"k","custom":{"service_id":" ","from_email":"a@b"}}"#,
        "`custom.service_id` is required; for example \"PXXXXXX\"",
    );
    check(
        r#"{"api_key":"k","custom":{"service_id":"P"}}"#,
        "`custom.from_email` is required; for example \"ops@company.com\"",
    );
}

#[test]
fn wrong_values_say_what_would_be_right() {
    check(
        &with(r#""sync_interval":300,"#, ""),
        "`sync_interval` must be a text, not a number; for example \"90s\", \"2m\" or \"1h\"",
    );
    check(
        &with(r#""sync_interval":"5 min","#, ""),
        "`sync_interval` cannot be `5 min`: write numbers with units; for example \"90s\", \"2m\" or \"1h\"",
    );
    check(
        &with(r#""sync_interval":"9s","#, ""),
        "`sync_interval` is too short: use 10s or more; for example \"90s\", \"2m\" or \"1h\"",
    );
    check(
        &with(r#""enable_webhook":"yes","#, ""),
        "`enable_webhook` must be true or false, not a text; for example true",
    );
    check(
        &with(r#""sync_direction":"both","#, ""),
        "`sync_direction` cannot be `both`: use bidirectional, outbound, inbound or none; for example \"bidirectional\"",
    );
    check(
        &with(r#""base_url":"api.pagerduty.com","#, ""),
        "`base_url` must be an http:// or https:// address without user, query or fragment; for example \"https://api.pagerduty.com\" or \"https://api.eu.pagerduty.com\"",
    );
    check(
        &with("", r#","urgency_mapping":{"SEV-1":"urgent"}"#),
        "`custom.urgency_mapping.SEV-1` cannot be `urgent`: use high or low; for example \"high\"",
    );
    check(
        &with("", r#","service_mappings":["a"]"#),
        "`custom.service_mappings` must be an object, not a list; for example {\"api\": \"PAPI001\", \"default\": \"PGEN001\"}",
    );
    check(
        &with("", r#","severity_from_urgency":"no""#),
        "`custom.severity_from_urgency` must be an object or false, not a text; for example {\"high\": \"SEV-2\", \"low\": \"SEV-3\"} or false",
    );
    check(
        r#"{"api_key":"k","custom":{"service_id":"P","from_email":"ops company.com"}}"#,
        "`custom.from_email` `ops company.com` is not an e-mail address; for example \"ops@company.com\"",
    );
    check(
        "[]",
        "`the configuration` must be an object, not a list; for example {\"api_key\": …, \"custom\": {…}}",
    );
}

#[test]
fn broken_json_says_where() {
    check(
        "{\n  \"api_key\": \"k\",\n}",
        "line 3, column 1: trailing comma",
    );
    check("", "line 1, column 0: EOF while parsing a value");
    check(
        "{\"custom\":{\"a\":1,\"a\":2}}",
        "line 1, column 23: the key `a` is there twice",
    );
}

#[test]
fn the_eu_and_a_local_stand_in_are_addresses_too() {
    for (written, read) in [
        (
            "https://api.eu.pagerduty.com/",
            "https://api.eu.pagerduty.com",
        ),
        ("http://127.0.0.1:8090/pd", "http://127.0.0.1:8090/pd"),
    ] {
        assert_eq!(
            config(&format!(r#""base_url":"{written}","#), "").base_url,
            read
        );
    }
    for written in [
        "https://",
        "ftp://x",
        "https://u:p@x",
        "https://x?y",
        "https://x y",
    ] {
        assert!(
            parse(&with(&format!(r#""base_url":"{written}","#), "")).is_err(),
            "{written}"
        );
    }
}

#[test]
fn of_two_names_for_a_service_the_first_by_the_alphabet_is_shown() {
    let mapping = config(
        "",
        r#","service_mappings":{"zeta":"P1","alpha":"P1","default":"PGEN"}"#,
    )
    .mapping();
    assert_eq!(mapping.service_name("P1"), Some("alpha"));
    assert_eq!(mapping.service_id(Some("nobody"), None), "PGEN");
    assert_eq!(mapping.service_name("PGEN"), None);
}

#[test]
fn severities_and_urgencies_map_both_ways() {
    let mapping = config("", r#","urgency_mapping":{"SEV-3":"high"}"#).mapping();
    assert_eq!(mapping.urgency(Severity::Sev3), Urgency::High);
    assert_eq!(mapping.urgency(Severity::Sev4), Urgency::Low);
    let guess = |custom: &str| config("", custom).mapping().severity_from_urgency;
    let low_only = guess(r#","severity_from_urgency":{"low":"SEV-4"}"#);
    assert_eq!(low_only, Some((Severity::Sev2, Severity::Sev4)));
    assert_eq!(guess(r#","severity_from_urgency":false"#), None);
    assert_eq!(guess(""), Some((Severity::Sev2, Severity::Sev3)));
}

#[test]
fn lengths_of_time_are_read_as_people_write_them() {
    for (text, seconds) in [
        ("90s", 90),
        ("2m", 120),
        ("1h", 3_600),
        ("1h30m", 5_400),
        (" 10s ", 10),
    ] {
        assert_eq!(
            parse_duration(text),
            Some(SignedDuration::from_secs(seconds)),
            "{text}"
        );
    }
    for text in [
        "",
        "5",
        "m",
        "5x",
        "-5m",
        "1.5h",
        "99999999999999999999h",
        "9223372036854775807h",
    ] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
}

#[test]
fn the_switches_and_the_direction_reach_the_mapping() {
    let mapping = config(
        r#""sync_direction":"inbound","#,
        r#","auto_resolve":false,"sync_notes":false"#,
    )
    .mapping();
    assert_eq!(mapping.direction, Direction::Inbound);
    assert!(!mapping.auto_resolve && !mapping.sync_notes);
    for word in ["all", "any"] {
        let mapping = config("", &format!(r#","resolve_rule":"{word}""#)).mapping();
        assert_eq!(mapping.resolve_rule.as_str(), word);
    }
    for word in ["bidirectional", "outbound", "inbound", "none"] {
        let direction = config(&format!(r#""sync_direction":"{word}","#), "").sync_direction;
        assert_eq!(direction.as_str(), word);
    }
}

#[test]
fn owners_of_fields_and_the_strategy_have_the_documented_defaults() {
    let ownership = config("", "").mapping().ownership;
    assert_eq!(ownership.strategy, Strategy::OwnershipPriority);
    let told = Field::ALL.map(|field| {
        let owner = ownership.of(field);
        format!(
            "{} {} {}",
            field.as_str(),
            owner.side.as_str(),
            owner.priority
        )
    });
    let documented = [
        "title platform 10",
        "description platform 10",
        "severity platform 5",
        "status platform 5",
        "assigned_to external 5",
        "service platform 5",
        "escalation_policy external 5",
    ];
    assert_eq!(told, documented);
}

#[test]
fn owners_of_fields_are_read_and_what_makes_no_sense_is_refused_by_name() {
    let custom = r#","conflict_strategy":"manual-review","field_ownership":{"title":{"owner":"external"},"assigned_to":{"priority":0},"status":{"owner":"platform"}}"#;
    let ownership = config("", custom).mapping().ownership;
    assert_eq!(ownership.strategy, Strategy::ManualReview);
    let owner = |side, priority| Owner { side, priority };
    assert_eq!(ownership.of(Field::Title), owner(Side::External, 10));
    assert_eq!(ownership.of(Field::AssignedTo), owner(Side::External, 0));
    assert_eq!(ownership.of(Field::Service), owner(Side::Platform, 5));
    check(
        &with("", r#","conflict_strategy":"dice""#),
        "`custom.conflict_strategy` cannot be `dice`: use ownership-priority, last-write-wins or manual-review; for example \"ownership-priority\"",
    );
    check(
        &with("", r#","field_ownership":{"titel":{"owner":"external"}}"#),
        "unknown key `custom.field_ownership.titel`; did you mean `custom.field_ownership.title`?",
    );
    check(
        &with("", r#","field_ownership":{"title":{"owner":"us"}}"#),
        "`custom.field_ownership.title.owner` cannot be `us`: use platform (here) or external (PagerDuty); for example \"external\"",
    );
    check(
        &with("", r#","field_ownership":{"title":{"priority":101}}"#),
        "`custom.field_ownership.title.priority` cannot be 101: use 0 to 100; for example 10",
    );
    check(
        &with("", r#","field_ownership":{"status":{"owner":"external"}}"#),
        "`custom.field_ownership.status` cannot have another owner than platform with priority 5: a resolve beats an acknowledgement beats a trigger, unless it is reopened later; for example {\"title\": {\"owner\": \"external\"}}",
    );
}
