//! The pages in a real browser: Chromium, told what to do over a pipe (ADR 0022).
//!
//! The server is the shipped one and PagerDuty is the stand-in, both on sockets of this machine and under one clock
//! that stands until a test moves it. Nothing sleeps: the browser itself waits until a page shows what was asked for.
//!
//! Without Chromium these tests fail and say so; `IM_TEST_BROWSER=none` leaves them out.

mod accessible;
mod aids;
mod chromium;
mod connected;
mod every;
mod hostile;
mod incident;
mod key;
mod keys;
mod live;
mod oauth;
mod past;
mod pictures;
mod stage;
mod tab;
mod waiting;
