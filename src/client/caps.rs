//! What the server has shown it can do, for whoever puts into words what the user does.

use crate::picture::Size;
use crate::rfb::clipboard;
use crate::rfb::screen::Screen;

/// What the server has shown so far; nothing is taken for granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// Keys by their place on the keyboard (QEMU Extended Key Event).
    pub keycodes: bool,
    /// Back and forward (ExtendedMouseButtons).
    pub extended_buttons: bool,
    /// It wants to hear how far the pointer moved, not where it is (QEMU Pointer Motion Change).
    pub relative_pointer: bool,
    /// The extended clipboard, and what it takes there.
    pub clipboard: Option<clipboard::Caps>,
    /// The machine can be shut down and started again (xvp).
    pub xvp: bool,
}

/// Something that the server shows or asks, and that concerns what the user does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// What it can do now.
    Caps(Caps),
    /// It asks for the clipboard's text.
    ClipboardRequest,
    /// It asks whether the clipboard has text.
    ClipboardPeek,
    /// Its desktop is like this, and may be changed (ExtendedDesktopSize).
    Desktop {
        /// Of all of it.
        size: Size,
        /// The first of its screens.
        screens: Vec<Screen>,
    },
    /// How it went when it was asked for another size: see [`status`](crate::rfb::screen::status).
    Resized(u16),
}

impl Notice {
    /// The bytes that it takes in memory.
    pub fn weight(&self) -> usize {
        let screens = if let Notice::Desktop { screens, .. } = self { screens.capacity() } else { 0 };
        size_of::<Notice>() + screens * size_of::<Screen>()
    }
}
