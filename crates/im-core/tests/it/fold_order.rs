//! Order and repetition of facts change nothing, and what everybody knows agrees.

use im_core::{Direction, Fact, Kind, Mapping, Named, Source, fold, gather, owed, peer_of};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::RngSeed;

use crate::given::{at, blank_snapshot, both_ways, people, user};
use crate::world::{Step, World, steps};

const KINDS: [Kind; 20] = [
    Kind::Triggered,
    Kind::Acknowledged,
    Kind::Unacknowledged,
    Kind::Mitigated,
    Kind::Resolved,
    Kind::Reopened,
    Kind::Closed,
    Kind::Canceled,
    Kind::Duplicate,
    Kind::Deleted,
    Kind::Assigned,
    Kind::Escalated,
    Kind::Notified,
    Kind::Noted,
    Kind::Titled,
    Kind::SeverityChanged,
    Kind::ServiceChanged,
    Kind::Snoozed,
    Kind::Seen,
    Kind::Settled,
];

const SOURCES: [Source; 6] = [
    Source::Command,
    Source::Answer,
    Source::LogEntry,
    Source::Webhook,
    Source::Read,
    Source::Look,
];

/// Any facts at all: few instants, few people, few ids, so that much coincides.
fn soup() -> impl Strategy<Value = Vec<Fact>> {
    let one = (
        select(&SOURCES[..]),
        select(&KINDS[..]),
        0_i64..40,
        select(vec!["ann", "bob", "service web", ""]),
        proptest::option::of(0_usize..4),
        proptest::option::of(select(vec![
            "carried",
            "overtaken",
            "kept",
            "INC-2",
            "SEV-1",
            "gone",
            "x",
        ])),
        proptest::option::of((0_i64..40, 0_i64..60, select(vec!["", "ann", "bob"]))),
    );
    proptest::collection::vec(one, 1..14).prop_map(|rows| {
        let mut facts = Vec::new();
        for (index, (source, kind, quarter, who, answers, value, shown)) in
            rows.into_iter().enumerate()
        {
            let time = quarters(quarter);
            let mut fact = Fact::new(source, format!("{index:02}"), kind, user(who), time);
            fact.value = value.map(str::to_owned);
            fact.detail = (value == Some("gone")).then(|| "PWEB".to_owned());
            if source != Source::Command {
                fact.answers = answers.map(|command| format!("{command:02}"));
                fact.snapshot = shown.map(|(version, read, people_shown)| {
                    let mut snapshot = blank_snapshot(quarters(version));
                    snapshot.read_at = (source == Source::Read).then(|| quarters(read));
                    snapshot.assignees = Some(people(people_shown));
                    snapshot.title = Some(format!("title {index}"));
                    let service = if version % 3 == 0 { "PDB" } else { "PWEB" };
                    snapshot.service = Some(Named {
                        id: service.to_owned(),
                        name: None,
                    });
                    snapshot
                });
            }
            if matches!(kind, Kind::Assigned | Kind::Escalated | Kind::Notified) {
                fact.people = people(if quarter % 2 == 0 { "ann" } else { "ann,bob" });
            }
            facts.push(fact);
        }
        facts
    })
}

fn quarters(count: i64) -> Timestamp {
    at("09:00") + SignedDuration::from_millis(count * 250)
}

fn mapping() -> impl Strategy<Value = Mapping> {
    (
        select(vec![
            Direction::Bidirectional,
            Direction::Outbound,
            Direction::Inbound,
            Direction::None,
        ]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(direction, auto_resolve, sync_notes)| Mapping {
            auto_resolve,
            sync_notes,
            ..Mapping::new(direction, "PWEB")
        })
}

/// The facts of a random life, as far as they have reached us.
fn life() -> impl Strategy<Value = Vec<Fact>> {
    steps().prop_map(|(skew, steps)| {
        let mut world = World::new(skew);
        for step in steps {
            world.play(step);
        }
        world.facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s67_the_order_of_the_facts_of_the_parts_does_not_count(
        (whole, parts, mixed) in (soup(), proptest::collection::vec(prop_oneof![soup(), life()], 2))
            .prop_flat_map(|(whole, parts)| {
                let shuffled = |facts: &Vec<Fact>| Just(facts.clone()).prop_shuffle();
                let mixed = (shuffled(&parts[0]), shuffled(&parts[1]));
                (Just(whole), Just(parts), mixed)
            })
    ) {
        let of = |first: &[Fact], second: &[Fact]| {
            let parts = [("db", first), ("web", second)];
            let parts = parts.map(|(name, facts)| Some((name.to_owned(), fold(facts, None)?)));
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            fold(&whole, None).map(|own| gather(own, &parts))
        };
        prop_assert_eq!(of(&parts[0], &parts[1]), of(&mixed.0, &mixed.1));
    }

    #[test]
    fn any_order_and_any_repetition_gives_the_same_story(
        (facts, mixed, mapping) in prop_oneof![soup(), life()].prop_flat_map(|facts| {
            let again = facts.clone();
            let mixed = subsequence(facts.clone(), 0..=facts.len())
                .prop_map(move |more| [again.clone(), more].concat())
                .prop_shuffle();
            (Just(facts), mixed, mapping())
        }),
    ) {
        let one = fold(&facts, Some(&mapping)).unwrap();
        let other = fold(&mixed, Some(&mapping)).unwrap();
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(owed(&one, &mapping), owed(&other, &mapping));
    }

    #[test]
    fn a_story_without_a_connector_is_a_story(facts in soup()) {
        prop_assert!(fold(&facts, None).is_some());
    }

    #[test]
    fn what_pagerduty_shows_is_the_same_without_the_story(facts in prop_oneof![soup(), life()]) {
        prop_assert_eq!(peer_of(&facts), fold(&facts, None).unwrap().peer);
    }

    #[test]
    fn no_direction_and_no_switch_changes_what_was(facts in prop_oneof![soup(), life()], one in mapping(), other in mapping()) {
        prop_assert_eq!(fold(&facts, Some(&one)), fold(&facts, Some(&other)));
    }

    #[test]
    fn each_pending_command_is_owed_once_or_needs_nothing(facts in prop_oneof![soup(), life()], mapping in mapping()) {
        let story = fold(&facts, Some(&mapping)).unwrap();
        let debts = owed(&story, &mapping);
        let asked = debts.owed.iter().flat_map(|owed| &owed.commands);
        let mut told: Vec<&String> = asked.chain(&debts.moot).chain(&debts.kept).collect();
        told.sort_unstable();
        let before = told.len();
        told.dedup();
        prop_assert_eq!(told.len(), before);
        // What was kept before may be owed now as well, and needs no other word.
        told.retain(|command| !story.kept.iter().any(|kept| kept.command == **command));
        let mut pending: Vec<&String> = story.pending.iter().map(|pending| &pending.command).collect();
        pending.sort_unstable();
        prop_assert_eq!(told, pending);
    }

    #[test]
    fn the_log_of_what_webhooks_told_adds_no_act((skew, steps) in steps()) {
        let mut world = World::new(skew);
        world.answers_name_us = true;
        for step in steps {
            let step = if matches!(step, Step::Lose(_)) { Step::Pay } else { step };
            world.play(step);
        }
        world.settle();
        let with_webhooks = world.story();
        world.play(Step::ReadLog);
        let with_log = world.story();
        let acts = |story: &im_core::Story| {
            let mut acts: Vec<String> =
                story.lines.iter().map(|line| {
                    let user = line.actor.kind == im_core::ActorKind::User;
                    format!("{:?} by {:?}", line.kind, line.actor.id.as_ref().filter(|_| user))
                }).collect();
            acts.sort_unstable();
            acts
        };
        prop_assert_eq!(acts(&with_webhooks), acts(&with_log));
        // The log dates by the second: which of our words for an end it is may turn on that.
        if !with_log.deleted {
            prop_assert_eq!(with_webhooks.status.at_peer(), with_log.status.at_peer());
        }
        prop_assert_eq!(with_webhooks.assignees, with_log.assignees);
        let away = with_webhooks.created_at.as_millisecond() - with_log.created_at.as_millisecond();
        prop_assert!(away.abs() <= 2_000);
    }

    #[test]
    fn when_all_is_told_both_sides_agree_and_nothing_is_owed((skew, steps) in steps()) {
        let mut world = World::new(skew);
        for step in steps {
            world.play(step);
        }
        world.settle();
        world.play(Step::ReadLog);
        world.settle();
        let story = world.story();
        prop_assert!(story.pending.is_empty());
        prop_assert_eq!(owed(&story, &both_ways()), im_core::Debts::default());
        if let Some(peer) = &story.peer {
            prop_assert_eq!(peer.status, world.peer_status(), "what we think of PagerDuty");
            let here = if story.deleted { peer.status } else { story.status.at_peer() };
            prop_assert_eq!(here, peer.status, "{:#?}", story.lines);
        }
    }
}
