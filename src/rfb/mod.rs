//! WORDS: what is on the wire of RFB; it knows no socket, thread, clock or pixel in memory.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod client_message;
pub mod clipboard;
pub mod encoding;
mod error;
pub mod handshake;
mod pixel_format;
pub mod screen;
pub mod server_message;
pub mod text;
pub mod vnc_auth;
pub mod wire;

pub use client_message::{ClientMessage, XvpRequest};
pub use error::ProtocolError;
pub use pixel_format::{Layout, PixelFormat};
pub use wire::{Inbox, Reader, Short};
