//! What the server told besides pixels, and what was counted.

use crate::picture::{Cursor, Size};
use std::collections::BTreeMap;
use std::fmt;

/// Something the user should hear of.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// Bell.
    Bell,
    /// ServerCutText, or what the extended clipboard provides: lines end with a line feed.
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
    /// XVP_INIT: the machine can be shut down and started again.
    XvpInit,
    /// XVP_FAIL: what was asked of the machine can not be done.
    XvpFail,
    /// The desktop has another size.
    Resized(Size),
}

/// What was copied may be secret: it is not shown.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Bell => f.write_str("Bell"),
            Event::CutText(text) => write!(f, "CutText({} bytes)", text.len()),
            Event::Name(name) => f.debug_tuple("Name").field(name).finish(),
            Event::Cursor(cursor) => f.debug_tuple("Cursor").field(cursor).finish(),
            Event::Locks { scroll, num, caps } => write!(f, "Locks({scroll}, {num}, {caps})"),
            Event::PointerMoved { x, y } => write!(f, "PointerMoved({x}, {y})"),
            Event::XvpInit => f.write_str("XvpInit"),
            Event::XvpFail => f.write_str("XvpFail"),
            Event::Resized(size) => write!(f, "Resized({size})"),
        }
    }
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
    /// Streams of audio that began.
    pub audio_streams: u64,
    /// Bytes of audio.
    pub audio_bytes: u64,
}
