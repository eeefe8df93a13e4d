//! Which news is a conflict, and whose value counts.

use im_core::{
    Effect, Field, Mapping, Owner, ServiceRule, Severity, Side, Strategy, asked_for, conflicts,
    fold, is_anything_asked, is_shown,
};

use crate::given::{at, both_ways, facts};

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

#[test]
fn fields_sides_and_strategies_have_the_words_of_the_documentation() {
    let fields = Field::ALL.map(Field::as_str);
    assert_eq!(
        fields,
        [
            "title",
            "description",
            "severity",
            "status",
            "assigned_to",
            "service",
            "escalation_policy"
        ]
    );
    assert_eq!(
        Field::ALL.map(|one| Field::parse(one.as_str())),
        Field::ALL.map(Some)
    );
    let sides = [Side::Platform, Side::External];
    assert_eq!(["platform", "external"].map(Side::parse), sides.map(Some));
    let strategies = ["ownership-priority", "last-write-wins", "manual-review"];
    assert_eq!(Strategy::ALL.map(Strategy::as_str), strategies);
    assert_eq!(strategies.map(Strategy::parse), Strategy::ALL.map(Some));
    assert_eq!(
        (
            Field::parse("colour"),
            Side::parse("us"),
            Strategy::parse("dice")
        ),
        (None, None, None)
    );
}

#[test]
fn an_owner_that_cannot_be_another_says_why() {
    let fixed = Field::ALL
        .into_iter()
        .filter(|field| field.fixed().is_some());
    let fixed: Vec<Field> = fixed.collect();
    assert_eq!(
        fixed,
        [
            Field::Description,
            Field::Severity,
            Field::Status,
            Field::EscalationPolicy
        ]
    );
    let why = Field::Description.fixed().unwrap();
    assert_eq!(why, "PagerDuty's text is written once, with the incident");
}

#[test]
fn pagerduty_is_looked_at_before_a_change_that_may_have_to_give_way() {
    let effects = [
        Effect::Title,
        Effect::Assign,
        Effect::Service,
        Effect::Urgency,
        Effect::Create,
    ];
    let looked_at = |mapping: &Mapping| {
        effects
            .clone()
            .map(|effect| mapping.ownership.may_yield(&effect))
    };
    assert_eq!(looked_at(&both_ways()), [false, true, false, false, false]);
    let by_time = decided_by(Strategy::LastWriteWins);
    assert_eq!(looked_at(&by_time), [true, true, true, false, false]);
    let mut equal = both_ways();
    let owner = Owner {
        side: Side::Platform,
        priority: 0,
    };
    equal.ownership.owners = vec![(Field::Title, owner)];
    assert_eq!(looked_at(&equal), [true, true, false, false, false]);
}

#[test]
fn a_later_change_of_ours_ends_a_conflict_that_the_time_decided() {
    let conflict = |mapping: &Mapping| {
        let mut all = facts(RENAMED);
        let before = fold(&all, Some(mapping)).unwrap();
        let news = facts("09:06 webhook#n noted by Bob showing title=slow_payments | looking");
        all.extend(news.clone());
        let after = fold(&all, Some(mapping)).unwrap();
        conflicts((&before, &after), (&all, &news), mapping).remove(0)
    };
    let by_time = conflict(&decided_by(Strategy::LastWriteWins));
    assert!(!by_time.is_outrun(at("09:06")));
    assert!(by_time.is_outrun(at("09:06:01")));
    assert!(
        !conflict(&both_ways()).is_outrun(at("09:06:01")),
        "its owner decided it"
    );
}

#[test]
fn where_all_that_was_asked_for_is_answered_there_is_no_conflict_to_look_for() {
    assert!(is_anything_asked(&facts(RENAMED)));
    let answered = format!("{RENAMED}\n09:05:01 answer titled for a showing title=slow_checkout");
    assert!(!is_anything_asked(&facts(&answered)));
    let heard = "09:00 webhook#t triggered showing status=triggered;title=slow | slow";
    assert!(!is_anything_asked(&facts(heard)));
}

#[test]
fn what_we_asked_for_and_pagerduty_answered_may_be_theirs_again() {
    // It had our first title, Bob gave it another, and gives it ours again while our second is on its way.
    let known = format!(
        "{RENAMED}
        09:05:01 answer titled for a showing title=slow_checkout
        09:06 webhook#o noted by Bob showing title=slow_payments | x
        09:07 command#b titled by Ann | slow everywhere"
    );
    let news = "09:08 webhook#n noted by Bob showing title=slow_checkout | y";
    assert_eq!(
        found(&known, news, &both_ways()),
        "title: slow payments -> slow everywhere | slow checkout: platform (platform owns title)"
    );
}

#[test]
fn people_of_both_sides_are_told_by_name_and_what_is_over_belongs_to_nobody() {
    let known = "
        09:00 webhook#t triggered showing status=triggered;assignees=Ann | slow
        09:05 command#a assigned by Ann to Bob
    ";
    let news = "09:06 webhook#n assigned by Dora to Cleo,Emil showing status=triggered;assignees=Cleo,Emil";
    assert_eq!(
        found(known, news, &both_ways()),
        "assigned_to: Ann -> Bob | Cleo, Emil: external (external owns assigned_to)"
    );
    let over = "09:06 webhook#n resolved by Dora showing status=resolved;assignees=";
    assert_eq!(found(known, over, &both_ways()), "");
    let story = fold(&facts(known), Some(&both_ways())).unwrap();
    assert!(
        is_shown(Field::AssignedTo, "Ann", &story) && !is_shown(Field::AssignedTo, "Bob", &story)
    );
    assert_eq!(asked_for(Field::AssignedTo, &story), "Bob");
}

#[test]
fn the_same_end_on_both_sides_is_no_conflict_and_neither_is_no_end() {
    let known = "
        09:00 webhook#t triggered showing status=triggered;title=slow | slow
        09:05 command#r resolved by Ann
    ";
    for news in [
        "09:06 webhook#n resolved by Bob showing status=resolved",
        "09:06 webhook#n noted by Bob showing status=triggered | x",
    ] {
        assert_eq!(found(known, news, &both_ways()), "", "{news}");
    }
}

#[test]
fn a_state_that_we_took_back_is_no_conflict_with_one_that_they_went_on_to() {
    let known = "
        09:00 webhook#t triggered showing status=triggered;title=slow | slow
        09:05 command#r resolved by Ann
        09:05:01 command#o reopened by Ann
    ";
    let news = "09:05:02 webhook#n acknowledged by Bob showing status=acknowledged";
    assert_eq!(found(known, news, &both_ways()), "");
}

#[test]
fn the_news_of_an_older_move_by_a_rule_is_ours() {
    let mut mapping = both_ways();
    mapping.rules = vec![ServiceRule {
        service: Some("web".to_owned()),
        severity: None,
        fields: Vec::new(),
        id: "PURGENT".to_owned(),
    }];
    let known = "
        09:00 webhook#t triggered showing status=triggered;service=db | slow
        09:05 command#s service_changed by Ann | web
        09:05:01 command#u service_changed by Ann | api
    ";
    let news = "09:06 webhook#n service_changed by Bot showing service=urgent";
    assert_eq!(found(known, news, &mapping), "");
}

#[test]
fn a_field_that_only_they_changed_is_no_conflict() {
    let known = "
        09:00 webhook#t triggered showing status=triggered;title=slow;service=web;assignees=Ann | slow
        09:05 command#a titled by Ann | slow checkout
    ";
    let news =
        "09:06 webhook#n assigned by Bob to Cleo showing title=slow;service=mail;assignees=Cleo";
    assert_eq!(found(known, news, &both_ways()), "");
}
