//! The chores of the project: test, check, bless, bench.

fn main() {}
