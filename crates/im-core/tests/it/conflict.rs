//! Which news is a conflict, and whose value counts.

use im_core::{Field, Mapping, Owner, ServiceRule, Severity, Side, Strategy, conflicts, fold};

use crate::given::{both_ways, facts};

/// The conflicts that `news` brings to what is `known`, a line each.
fn found(known: &str, news: &str, mapping: &Mapping) -> String {
    let (mut all, news) = (facts(known), facts(news));
    let before = fold(&all, Some(mapping)).unwrap();
    all.extend(news.clone());
    let after = fold(&all, Some(mapping)).unwrap();
    let found = conflicts((&before, &after), (&all, &news), mapping);
    let lines = found.iter().map(|one| {
        let verdict = match &one.verdict {
            Some((side, why)) => format!("{} ({why})", side.as_str()),
            None => "a person decides".to_owned(),
        };
        let field = one.field.as_str();
        format!(
            "{field}: {} -> {} | {}: {verdict}",
            one.base, one.ours, one.theirs
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn decided_by(strategy: Strategy) -> Mapping {
    let mut mapping = both_ways();
    mapping.ownership.strategy = strategy;
    mapping
}

/// Slow, and renamed here.
const RENAMED: &str = "
    09:00 webhook#t triggered showing status=triggered;title=slow | slow
    09:05 command#a titled by Ann | slow checkout
";

#[test]
fn a_title_that_both_sides_changed_is_a_conflict_that_its_owner_wins() {
    let news = "09:06 webhook#n noted by Bob showing title=slow_payments | looking";
    assert_eq!(
        found(RENAMED, news, &both_ways()),
        "title: slow -> slow checkout | slow payments: platform (platform owns title)"
    );
    let mut theirs = both_ways();
    let owner = Owner {
        side: Side::External,
        priority: 1,
    };
    theirs.ownership.owners = vec![(Field::Title, owner)];
    assert_eq!(
        found(RENAMED, news, &theirs),
        "title: slow -> slow checkout | slow payments: external (external owns title)"
    );
    assert_eq!(
        found(RENAMED, news, &decided_by(Strategy::ManualReview)),
        "title: slow -> slow checkout | slow payments: a person decides"
    );
}

#[test]
fn what_pagerduty_showed_before_or_we_asked_for_is_no_conflict() {
    for shown in ["slow", "slow_checkout"] {
        let news = format!("09:06 webhook#n noted by Bob showing title={shown} | looking");
        assert_eq!(found(RENAMED, &news, &both_ways()), "", "{shown}");
    }
    // The news of an older change of ours comes after a newer one was asked for.
    let twice = format!("{RENAMED}\n09:05:10 command#b titled by Ann | slow everywhere");
    let news = "09:06 webhook#n noted by Bob showing title=slow_checkout | looking";
    assert_eq!(found(&twice, news, &both_ways()), "");
    // Where nothing is owed, PagerDuty's title is the title.
    let known = "09:00 webhook#t triggered showing status=triggered;title=slow | slow";
    let news = "09:06 webhook#n noted by Bob showing title=slow_payments | looking";
    assert_eq!(found(known, news, &both_ways()), "");
}

#[test]
fn the_later_change_counts_and_of_one_second_pagerdutys() {
    let mapping = decided_by(Strategy::LastWriteWins);
    let news = |version: &str| {
        let news = format!(
            "09:06 webhook#n noted by Bob showing title=slow_payments;version={version} | x"
        );
        found(RENAMED, &news, &mapping)
    };
    assert!(news("09:04:59").ends_with("platform (the change here was later)"));
    assert!(news("09:05:00").ends_with("external (the change at PagerDuty was later)"));
    assert!(news("09:05:01").ends_with("external (the change at PagerDuty was later)"));
}

#[test]
fn the_time_of_our_own_call_is_not_that_of_a_change_which_it_shows() {
    // Bob renamed it before; we hear of it by the answer to another change of ours.
    let known = format!("{RENAMED}\n09:05:01 command#u severity_changed by Ann | SEV-1");
    let news =
        "09:05:10 answer#r urgency_changed for u showing title=slow_payments;urgency=high | high";
    assert_eq!(
        found(&known, news, &decided_by(Strategy::LastWriteWins)),
        "title: slow -> slow checkout | slow payments: platform (the change here was later)"
    );
}

#[test]
fn a_move_that_a_rule_sends_elsewhere_is_no_conflict_with_itself() {
    let mut mapping = both_ways();
    mapping.rules = vec![ServiceRule {
        service: None,
        severity: Some(Severity::Sev1),
        fields: Vec::new(),
        id: "PURGENT".to_owned(),
    }];
    let known = "
        09:00 webhook#t triggered showing status=triggered;service=db | slow
        09:04 command#u severity_changed by Ann | SEV-1
        09:05 command#s service_changed by Ann | web
    ";
    let ours = "09:06 webhook#n service_changed by Bot showing service=urgent";
    assert_eq!(found(known, ours, &mapping), "");
    let theirs = "09:06 webhook#n service_changed by Bob showing service=other";
    assert_eq!(
        found(known, theirs, &mapping),
        "service: db -> web | other: platform (platform owns service)"
    );
}

#[test]
fn our_own_steps_on_their_way_are_no_conflict_of_states() {
    let known = "
        09:00 webhook#t triggered showing status=triggered;title=slow | slow
        09:05 command#k acknowledged by Ann
        09:05:01 command#r resolved by Ann
    ";
    let ours = "09:05:02 webhook#n acknowledged by Ann showing status=acknowledged";
    assert_eq!(found(known, ours, &both_ways()), "");
    let resolved = "
        09:00 webhook#t triggered showing status=triggered;title=slow | slow
        09:05 command#r resolved by Ann
    ";
    let theirs = "09:05:02 webhook#n acknowledged by Bob showing status=acknowledged";
    assert_eq!(
        found(resolved, theirs, &both_ways()),
        "status: triggered -> resolved | acknowledged: platform (a resolve beats an acknowledgement)"
    );
}

#[test]
fn only_a_connector_that_carries_both_ways_has_conflicts() {
    let news = "09:06 webhook#n noted by Bob showing title=slow_payments | looking";
    for direction in ["inbound", "outbound", "none"] {
        let mut mapping = both_ways();
        mapping.direction = im_core::Direction::parse(direction).unwrap();
        assert_eq!(found(RENAMED, news, &mapping), "", "{direction}");
    }
}
