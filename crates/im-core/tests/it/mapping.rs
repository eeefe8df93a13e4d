//! The tables between our fields and PagerDuty's.

use im_core::{Direction, Mapping, Named, ServiceChoice, Severity, SeveritySource, Urgency};

use crate::given::{both_ways, severity};

#[test]
fn each_severity_pages_by_the_documented_urgency() {
    let urgencies: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| format!("{severity} {}", both_ways().urgency(severity).as_str()))
        .collect();
    assert_eq!(
        urgencies,
        ["SEV-1 high", "SEV-2 high", "SEV-3 low", "SEV-4 low"]
    );
    let all_low = Mapping {
        urgencies: [Urgency::Low; 4],
        ..both_ways()
    };
    assert!(
        Severity::ALL
            .into_iter()
            .all(|severity| all_low.urgency(severity) == Urgency::Low)
    );
}

#[test]
fn each_severity_is_described_in_the_words_of_the_integration() {
    assert_eq!(
        Severity::ALL.map(Severity::description),
        [
            "Critical system impact",
            "Major functionality impact",
            "Minor functionality impact",
            "Informational only"
        ]
    );
}

/// The one caller of `Mapping::severity`.
#[track_caller]
fn check(mapping: &Mapping, priority: Option<&str>, urgency: Option<Urgency>, expect: &str) {
    let named = priority.map(|name| Named {
        id: format!("P-{name}"),
        name: Some(name.to_owned()),
    });
    let told = match mapping.severity(named.as_ref(), urgency) {
        Some((severity, SeveritySource::Priority)) => format!("{severity} by priority"),
        Some((severity, SeveritySource::Inferred)) => format!("{severity} by urgency"),
        Some((severity, SeveritySource::Explicit)) => format!("{severity}?"),
        None => "nothing".to_owned(),
    };
    assert_eq!(told, expect, "{priority:?} {urgency:?}");
}

#[test]
fn s42_a_known_priority_beats_the_urgency() {
    let mapping = both_ways();
    for (name, expect) in ["P1", "P2", "P3", "P4"].into_iter().zip(Severity::ALL) {
        check(
            &mapping,
            Some(name),
            Some(Urgency::High),
            &format!("{expect} by priority"),
        );
        check(&mapping, Some(name), None, &format!("{expect} by priority"));
    }
    check(
        &mapping,
        Some("P5"),
        Some(Urgency::High),
        "SEV-2 by urgency",
    );
    check(&mapping, Some("p1"), Some(Urgency::Low), "SEV-3 by urgency");
    check(&mapping, None, Some(Urgency::Low), "SEV-3 by urgency");
    check(&mapping, Some("P5"), None, "nothing");
    check(&mapping, None, None, "nothing");
}

#[test]
fn guessing_by_urgency_can_be_switched_off() {
    let mapping = Mapping {
        severity_from_urgency: None,
        ..both_ways()
    };
    check(&mapping, None, Some(Urgency::High), "nothing");
    check(
        &mapping,
        Some("P3"),
        Some(Urgency::High),
        "SEV-3 by priority",
    );
}

#[test]
fn a_severity_that_goes_out_and_comes_back_is_the_same() {
    // S69: the guess from an urgency never meets a severity that somebody said, so the lossy
    // tables need not be each other's inverse; the urgencies must be stable under a round trip.
    let mapping = both_ways();
    for severity in Severity::ALL {
        let urgency = mapping.urgency(severity);
        let (guess, _) = mapping.severity(None, Some(urgency)).unwrap();
        assert_eq!(mapping.urgency(guess), urgency, "{severity} drifts");
    }
}

#[test]
fn several_names_may_share_a_service_and_the_first_is_its_name_here() {
    let choice = |name: &str, id: &str| ServiceChoice {
        name: name.to_owned(),
        id: id.to_owned(),
    };
    let mapping = Mapping {
        services: vec![
            choice("shop", "PSHOP"),
            choice("checkout", "PSHOP"),
            choice("db", "PDB"),
        ],
        ..Mapping::new(Direction::Bidirectional, "PELSE")
    };
    let ids: Vec<&str> = [
        Some("shop"),
        Some("checkout"),
        Some("db"),
        Some("new"),
        None,
    ]
    .map(|name| mapping.service_id(name, None))
    .to_vec();
    assert_eq!(ids, ["PSHOP", "PSHOP", "PDB", "PELSE", "PELSE"]);
    assert_eq!(mapping.service_name("PSHOP"), Some("shop"));
    assert_eq!(mapping.service_name("PDB"), Some("db"));
    assert_eq!(mapping.service_name("PELSE"), None);
}

#[test]
fn people_may_write_a_severity_in_any_of_its_usual_forms() {
    for text in ["SEV-2", "sev-2", "sev2", "SEV2", " 2 "] {
        assert_eq!(severity(text), Severity::Sev2, "{text}");
    }
    for text in ["", " "] {
        let error = text.parse::<Severity>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no severity is given: use SEV-1, SEV-2, SEV-3 or SEV-4"
        );
    }
    for text in ["SEV", "SEV-5", "SEV-0", "SEV--", "high", "SEV-12", "P1"] {
        let error = text.parse::<Severity>().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("`{text}` is not a severity: use SEV-1, SEV-2, SEV-3 or SEV-4")
        );
    }
}

#[test]
fn a_direction_says_what_travels() {
    let told: Vec<String> = ["bidirectional", "outbound", "inbound", "none"]
        .map(|word| {
            let direction = Direction::parse(word).unwrap();
            format!(
                "{}: sends {}, receives {}",
                direction.as_str(),
                direction.sends(),
                direction.receives()
            )
        })
        .to_vec();
    assert_eq!(
        told,
        [
            "bidirectional: sends true, receives true",
            "outbound: sends true, receives false",
            "inbound: sends false, receives true",
            "none: sends false, receives false"
        ]
    );
    assert_eq!(Direction::parse("both"), None);
    assert_eq!(Direction::default(), Direction::Outbound);
}
