//! The other side of the network. Only the run loop uses what is here.

pub(crate) mod door;
pub(crate) mod notice;
pub(crate) mod pagerduty;
pub(crate) mod provider;
