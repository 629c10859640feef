//! MESSAGES: the session after ServerInit, as a state machine without sockets, threads or clocks.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod caps;
mod copied;
mod cursor;
mod event;
mod flow;
mod input;
mod machine;
mod pseudo;
mod rectangle;
mod resize;
mod settings;
mod underway;

pub use caps::{Caps, Notice};
pub use event::{Counts, Event};
pub use input::{InputEncoder, UserInput};
pub use machine::{Client, Received, canvas_for};
pub use settings::Settings;
