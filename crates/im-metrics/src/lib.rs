//! The metrics of incidents and deployments: histories in, figures out.
//!
//! [`Engine`] holds columns in memory and is fed one incident at a time; [`parse`] reads a question
//! ([`Query`]) from names and values; [`Engine::answer`] answers it with a scan, and
//! [`Engine::items`] tells what is behind each figure. Each metric is defined in one file under
//! `metrics/`; the words are those of `docs/metrics.md`.
//!
//! Invariants
//! - A figure depends on the facts up to `as_of_time`, today's fields and the settings alone, and not
//!   on the order in which incidents were fed.
//! - What is in a bucket is decided by instants that were cut before the scan: no row asks a time zone.
//! - Nothing is rounded.
//!
//! Nothing here opens a file, or knows SQL, JSON, a clock or a random number that would change an answer; which reports are of one act is
//! `im_core`'s business.
#![expect(
    clippy::inline_always,
    reason = "what is done for each of a million rows is one loop for each metric, or it takes twice as long"
)]
#![deny(clippy::wildcard_enum_match_arm)]

mod answer;
mod benchmarks;
mod calendar;
mod cells;
mod columns;
mod deployments;
mod derive;
mod distinct;
mod engine;
mod findings;
mod gather;
mod groups;
mod hours;
mod image;
pub mod input;
mod insights;
mod left_out;
mod list;
mod metrics;
mod names;
mod num;
mod packed;
mod params;
mod people;
mod plan;
mod query;
mod rails;
mod recurring;
mod sample;
mod spent;
mod story;
mod values;
mod weekly;

pub use answer::{
    Answer, Behind, Benchmark, CELLS_MAX, Link, Oldest, Series, Thing, Value, Worth, Zone,
};
pub use calendar::{BUCKETS_MAX, Bucket, BucketSize, local_date};
pub use cells::{Durations, Figure, Judged};
pub use columns::Method;
pub use engine::Engine;
pub use findings::{
    Bottleneck, Cause, Change, Findings, Overloaded, RECURS_WITHIN_DAYS, Recurring, Stage,
};
pub use hours::{BadHours, Week};
pub use insights::{Insight, Mover};
pub use left_out::LeftOut;
pub use params::{BadQuery, parameters_of, parse, used};
pub use plan::Verdict;
pub use query::{
    Area, AsOf, BucketBy, Dimension, Filter, Measure, Metric, Mode, PageSource, Query, Reach,
    Reason, Recovery, Sort, View, When,
};
pub use rails::iana;
pub use story::{CauseSource, history, named_cause};
pub use weekly::{Hourly, Weekly, hour_of_week};
