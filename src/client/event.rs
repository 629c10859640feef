//! What the server told besides pixels, and what was counted.

use crate::picture::{Cursor, Size};
use std::collections::BTreeMap;

/// Something the user should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Bell.
    Bell,
    /// ServerCutText, as Unicode.
    CutText(String),
    /// DesktopName.
    Name(String),
    /// Cursor, or one of the other encodings of its shape; `None` if the server hides it.
    Cursor(Option<Cursor>),
    /// LED State: the locks of the server's keyboard.
    Locks {
        /// Scroll Lock.
        scroll: bool,
        /// Num Lock.
        num: bool,
        /// Caps Lock.
        caps: bool,
    },
    /// PointerPos or VMware Cursor Position: the server moved the pointer here.
    PointerMoved {
        /// From the left edge.
        x: u16,
        /// From the top edge.
        y: u16,
    },
    /// The desktop has another size.
    Resized(Size),
}

/// What has been received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// FramebufferUpdate messages.
    pub updates: u64,
    /// Rectangles of pixels.
    pub rectangles: u64,
    /// Their area.
    pub pixels: u64,
    /// Rectangles of pixels by encoding.
    pub by_encoding: BTreeMap<i32, u64>,
}
