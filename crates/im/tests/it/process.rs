//! The program itself, as processes that tests start, talk to and kill.

pub(crate) mod place;
pub(crate) mod server;
pub(crate) mod wire;
