//! The `im` program.
