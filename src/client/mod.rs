//! MESSAGES: the session after ServerInit, as a state machine without sockets, threads or clocks.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod cursor;
mod event;
mod flow;
mod machine;
mod pseudo;
mod rectangle;
mod underway;

pub use event::{Counts, Event};
pub use machine::{Client, Received, Settings, canvas_for};
