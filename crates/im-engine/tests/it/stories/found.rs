//! What random scripts found, told as stories: each was wrong once.

use im_core::{Command, Status};
use jiff::SignedDuration;

story! {
    fn an_acknowledgement_after_a_reopen_there_does_not_resolve_it_if_our_clock_is_ahead(world) {
        world.skew = SignedDuration::from_secs(87);
        let (other, _) = world.declared("The cause");
        let (incident, twin) = world.declared("A symptom");
        world.must(incident, &Command::Resolve);
        world.settle_down();
        world.must(incident, &Command::MarkDuplicate { of: other });
        world.settle_down();
        // By our clock, the reopen was before we marked it as a duplicate.
        let (user, now) = (world.user(2), world.now);
        world.sim.reopen(&user, &twin, now).unwrap();
        world.run_for(SignedDuration::from_mins(3));
        assert_eq!(world.story(incident).status, Status::Open);

        world.must(incident, &Command::Acknowledge);
        assert_eq!(world.story(incident).status, Status::Acknowledged);
        world.settle_down();
        assert_eq!(world.sim.incident(&twin).unwrap().status, "acknowledged");
        assert_eq!(world.story(incident).status, Status::Acknowledged);
    }
}
