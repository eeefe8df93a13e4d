//! What goes wrong in a script: on the wire, at the door, in the database and with our program.
//! What people change in PagerDuty's settings is in `settings.rs`.

use im_store::fault::Fault as DbFault;
use jiff::SignedDuration;
use pd_sim::{DeliveryResult, Fault};

use super::{Script, Trouble};

impl Script {
    /// A third of the worlds has clocks that differ, a third a slow wire.
    pub(super) fn clocks(&mut self) {
        let rng = &mut self.world.rng;
        let skew_s = if rng.u8(0..3) == 0 {
            rng.i64(-90..91)
        } else {
            0
        };
        let latency_ms = if rng.u8(0..3) == 0 {
            rng.i64(1..20_000)
        } else {
            80
        };
        self.world.skew = SignedDuration::from_secs(skew_s);
        self.world.latency = SignedDuration::from_millis(latency_ms);
        self.say(format!(
            "our clock is off by {skew_s} s, a call takes {latency_ms} ms"
        ));
    }

    /// Our program may die of what `fault` prepared only while time passes: people who ask
    /// something of a database that fails get an error, which is no part of a script.
    pub(super) fn with_trouble(&mut self, work: impl FnOnce(&mut Self)) {
        if let Some(trouble) = self.trouble.take() {
            self.world.mortal = true;
            let faults = &self.world.faults;
            match trouble {
                Trouble::Statement(number, fault) => faults.fail_statement(number, fault),
                Trouble::Commit(after, fault) => {
                    faults.fail_commit(fault);
                    faults.spare_commits(after);
                }
                Trouble::UnheardCommit(after) => {
                    faults.lose_commit_answer();
                    faults.spare_commits(after);
                }
            }
        }
        work(self);
        self.world.faults.disarm();
        self.world.mortal = false;
    }

    pub(super) fn all_is_well(&mut self) {
        self.world.sim.faults().clear();
        self.world.door = None;
        self.world.way.failing_commits = 0;
        self.world.wire_up = true;
        self.world.asleep = false;
        self.trouble = None;
        self.settings_are_right();
    }

    pub(super) fn fault(&mut self) {
        let kind = self.world.rng.u8(0..19);
        let what = match kind {
            0..=3 => self.wire_fault(),
            4..=6 => self.door_fault(),
            7 | 8 => self.webhook_fault(),
            9 => {
                self.world.crash();
                "we crash".to_owned()
            }
            10 => {
                self.world.crash();
                self.world.asleep = true;
                "we are down".to_owned()
            }
            11 => self.database_fault(),
            12 => self.key_fault(),
            13 => self.secret_fault(),
            14 => self.subscription_fault(),
            15 => self.answer_fault(),
            _ => {
                self.all_is_well();
                "all is well again".to_owned()
            }
        };
        self.say(what);
    }

    fn database_fault(&mut self) -> String {
        let kinds = [
            DbFault::Full,
            DbFault::Busy,
            DbFault::Io,
            DbFault::Unavailable,
        ];
        let rng = &mut self.world.rng;
        let fault = kinds[rng.usize(0..kinds.len())];
        let trouble = match rng.u8(0..4) {
            0 | 1 => Trouble::Statement(rng.u64(1..120), fault),
            2 => Trouble::Commit(rng.u64(0..12), fault),
            _ => Trouble::UnheardCommit(rng.u64(0..12)),
        };
        self.trouble = Some(trouble);
        format!("the database is going to fail: {trouble:?}")
    }

    fn answer_fault(&mut self) -> String {
        let is_late = self.world.rng.bool();
        let faults = self.world.sim.faults();
        if is_late {
            faults.late_log_entries_s = 120;
            "log entries appear late".to_owned()
        } else {
            faults.odd_answers = true;
            "answers have fields that nobody knows".to_owned()
        }
    }

    fn wire_fault(&mut self) -> String {
        let kind = self.world.rng.u8(0..9);
        let faults = self.world.sim.faults();
        let chances = &mut faults.chances;
        let what = match kind {
            0 | 1 => {
                chances.lose_answer = 30;
                "a third of the answers is lost"
            }
            2 => {
                chances.server_error = 30;
                "a third of the calls fails"
            }
            3 => {
                chances.bad_gateway = 30;
                "a third of the calls meets a bad gateway"
            }
            4 => {
                chances.locked = 40;
                "writes find the incident locked"
            }
            5 => {
                chances.unreachable = 40;
                "calls do not get through"
            }
            6 => {
                chances.rate_limited = 30;
                "a third of the calls is limited"
            }
            7 => {
                let fault = Fault::RateLimited {
                    with_headers: false,
                };
                faults.next_n_matching(5, "", "", fault);
                "five calls are limited without a word"
            }
            _ => {
                self.world.wire_up = false;
                "PagerDuty cannot be reached"
            }
        };
        what.to_owned()
    }

    fn door_fault(&mut self) -> String {
        if self.world.rng.u8(0..4) == 0 {
            self.world.way.failing_commits = 3;
            return "our disk is full when the next webhooks come".to_owned();
        }
        let doors = [
            DeliveryResult::Unreachable,
            DeliveryResult::TimedOut,
            DeliveryResult::TlsError,
            DeliveryResult::Status(503),
            // Three refusals, and PagerDuty gives up on us for a day.
            DeliveryResult::Status(404),
            DeliveryResult::Status(404),
        ];
        let door = doors[self.world.rng.usize(0..doors.len())];
        self.world.door = Some(door);
        format!("our door: {door:?}")
    }

    fn webhook_fault(&mut self) -> String {
        let kind = self.world.rng.u8(0..4);
        let faults = &mut self.world.sim.faults().webhooks;
        let what = match kind {
            0 => {
                (faults.duplicate_percent, faults.reorder_percent) = (30, 30);
                "webhooks come twice and overtake each other"
            }
            1 => {
                (faults.delay_percent, faults.delay_max_s) = (40, 1_800);
                "webhooks come late"
            }
            2 => {
                (faults.delay_percent, faults.delay_max_s) = (20, 48 * 3_600);
                "webhooks come days late"
            }
            _ => {
                faults.lost = true;
                "webhooks are lost, and nobody notices"
            }
        };
        what.to_owned()
    }
}
