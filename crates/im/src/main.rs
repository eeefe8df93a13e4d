//! The `im` program.

fn main() {}
