//! The connection in figures: rows I-104 and I-116 … I-121, and what is unusual (I-133).

use im_core::{Command, Severity};
use im_engine::figures::{self, Figures};
use im_engine::old;
use im_pagerduty::{Call, Reply};
use im_store::{inbox, params, tallies};
use jiff::SignedDuration;
use serde_json::json;

use crate::world::{CONNECTOR, World};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn of(world: &mut World) -> Figures {
    let (now, since) = (world.our_now(), world.connector().created_at);
    world.write(move |tx| figures::of(tx, CONNECTOR, since, now))
}

fn calls(world: &World) -> i64 {
    i64::try_from(world.asked.len()).unwrap()
}

story! {
    fn i116_i117_i119_i121_totals_are_what_was_done_in_a_day(world) {
        world.settle_down();
        let before = of(world);
        let known = calls(world);
        assert_eq!((before.incidents, before.errors, before.mean_ms), (0, 0, None));
        for title in ["One", "Two"] {
            world.declared(title);
        }
        world.born_there("Three");
        world.settle_down();
        let after = of(world);
        assert_eq!(after.incidents, 3);
        assert_eq!(after.calls - before.calls, calls(world) - known, "every call counts");
        assert!(after.webhooks >= 3, "{after:?}");
        assert_eq!(after.webhooks, world.events("done"));
        assert_eq!(after.success_permille(), Some(1000));
        // What is older than a day does not count any more; incidents do.
        world.now += DAY + HOUR;
        let later = of(world);
        assert_eq!((later.incidents, later.calls, later.webhooks), (3, 0, 0));
        assert_eq!(later.success_permille(), None);
    }

    fn i121_i130_an_event_that_is_taken_once_more_changes_nothing_and_counts_once(world) {
        world.settle_down();
        let before = of(world).webhooks;
        let (incident, twin) = world.born_there("Disk full");
        world.settle_down();
        let story = world.timeline(incident);
        let (count, now) = (of(world).webhooks, world.our_now());
        assert!(count > before);
        let rows = world.write(|tx| inbox::list(tx, CONNECTOR, None, 100));
        assert!(!rows.is_empty() && rows.is_sorted_by_key(|row| std::cmp::Reverse(row.id)));
        assert!(rows.iter().any(|row| row.body.contains(&twin) && row.state == "done" && row.verified));
        for row in &rows {
            let id = row.id;
            assert!(world.write(move |tx| inbox::again(tx, CONNECTOR, id, now)));
            let kept = world.write(move |tx| inbox::find(tx, CONNECTOR, id)).unwrap();
            assert_eq!((kept.state.as_str(), &kept.event_id), ("waiting", &row.event_id));
            assert!(!world.write(move |tx| inbox::again(tx, "another", id, now)));
        }
        world.settle_down();
        assert_eq!(world.timeline(incident), story);
        assert_eq!(of(world).webhooks, count);
    }

    fn i104_i117_one_failure_of_four_is_a_quarter(world) {
        world.settle_down();
        world.now += DAY + HOUR;
        let now = world.our_now();
        world.write(move |tx| {
            for failed in [false, true, false, false] {
                figures::called(tx, CONNECTOR, &im_pagerduty::Limits::default(), failed, now)?;
            }
            Ok(())
        });
        let found = of(world);
        assert_eq!((found.calls, found.errors), (4, 1));
        assert_eq!(found.success_permille(), Some(750));
    }

    fn i104_what_pagerduty_refuses_or_does_not_answer_is_a_failure(world) {
        world.settle_down();
        let (incident, _) = world.declared("Refused");
        let before = of(world);
        world.instead = Some(Box::new(|call| matches!(call, Call::UpdateIncident { .. }).then(|| Reply {
            status: 400,
            headers: Vec::new(),
            body: json!({"error": {"message": "Invalid Input Provided", "code": 2001, "errors": ["No"]}}).to_string().into_bytes(),
        })));
        let edit = Command::Edit { title: None, description: None, severity: Some(Severity::Sev4), service: None };
        world.must(incident, &edit);
        world.settle_down();
        let after = of(world);
        assert_eq!(after.errors, before.errors + 1);
    }

    fn i118_the_time_of_a_change_is_from_here_to_the_answer(world) {
        world.settle_down();
        world.latency = SignedDuration::from_millis(1_400);
        for title in ["One", "Two", "Three"] {
            world.declared(title);
        }
        let found = of(world);
        let (mean, p95) = (found.mean_ms.unwrap(), found.p95_ms.unwrap());
        assert!((1_400..2_000).contains(&mean), "{found:?}");
        assert!(mean <= p95 && p95 <= 2_000, "{found:?}");
    }

    fn i120_the_allowance_is_as_pagerduty_tells_it_and_of_the_last_minute(world) {
        world.settle_down();
        world.now += HOUR;
        assert_eq!(of(world).allowance_permille, 0);
        let now = world.our_now();
        world.write(move |tx| {
            for remaining in [800, 739, 850] {
                let limits = im_pagerduty::Limits { limit: Some(960), remaining: Some(remaining), ..im_pagerduty::Limits::default() };
                figures::called(tx, CONNECTOR, &limits, false, now)?;
            }
            Ok(())
        });
        assert_eq!(of(world).allowance_permille, 230, "the highest of the minute");
        world.sync();
        assert!(of(world).allowance_permille > 0, "calls of the loop tell it, too");
    }

    fn i133_what_is_usual_is_the_week_before_today(world) {
        world.settle_down();
        assert_eq!(of(world).usual_calls, None, "there was no week yet");
        world.now += DAY * 9;
        for day in 1..=7 {
            let at = world.our_now() - DAY * day - HOUR;
            world.write(move |tx| tallies::add(tx, CONNECTOR, "calls", 100 + i64::from(day), at));
        }
        assert_eq!(of(world).usual_calls, Some(104));
    }

    fn what_was_counted_longer_ago_than_anybody_looks_is_forgotten(world) {
        world.settle_down();
        let now = world.our_now();
        for days in [57, 55] {
            world.write(move |tx| tallies::add(tx, CONNECTOR, "events", 1, now - DAY * days));
        }
        let counted = |world: &mut World| world.write(move |tx| tallies::since(tx, CONNECTOR, "events", now - DAY * 60));
        let runs = |world: &mut World| world.write(|tx| Ok(tx.query("SELECT id FROM sync_run", params![])?.len()));
        world.run_for(SignedDuration::from_mins(11));
        assert_eq!(counted(world), 2);
        assert!(runs(world) >= 3);
        world.write(move |tx| old::forget(tx, now));
        assert_eq!(counted(world), 1);
        assert!(runs(world) >= 3, "comparisons of today stay");
        let later = world.our_now() + DAY * 57;
        world.write(move |tx| old::forget(tx, later));
        assert_eq!(counted(world), 0);
        assert_eq!(runs(world), 1, "the last comparison is never forgotten");
    }
}
