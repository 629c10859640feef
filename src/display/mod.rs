//! WINDOWS: what shows a desktop and what its user does; it knows pixels, no network and no RFB.

mod headless;
mod keyboard;
mod minifb;
mod places;
mod screen;
mod x11_window;

use std::time::Duration;

use crate::picture::{Canvas, Cursor, Damage, Size};

pub use headless::{Headless, Until};
pub use minifb::MinifbWindow;

/// What the user did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key {
        /// An X11 keysym.
        keysym: u32,
        /// The XT keycode of its place on the keyboard, if that alone, with the keys that are down, gives the keysym:
        /// a scancode of the first set, 0x80 higher if 0xe0 stands before it.
        keycode: Option<u32>,
        /// Pressed, or released.
        down: bool,
    },
    /// The pointer, in pixels of the desktop.
    Pointer {
        /// From the left edge.
        x: u16,
        /// From the top edge.
        y: u16,
        /// Bit 0 is the left button, 1 the middle, 2 the right, 3 to 6 the wheel up, down, left, right, 7 back, 8
        /// forward.
        buttons: u16,
    },
    /// The window was closed.
    Close,
}

/// Why there is no window, in words.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What happened.
    pub message: String,
    /// What to try.
    pub hint: Option<&'static str>,
}

/// A front end.
pub trait Display {
    /// Shows a desktop of this size from now on.
    ///
    /// # Errors
    /// [`Error`] if no window can be opened.
    fn open(&mut self, size: Size, title: &str) -> Result<(), Error>;

    /// Takes what was painted of `canvas`, which goes back to the painter afterwards.
    fn take(&mut self, canvas: &Canvas, damage: &Damage, complete: bool);

    /// Brings what was taken, and the pointer, in front of the user. False if there was nothing new.
    ///
    /// # Errors
    /// [`Error`] if the window fails.
    fn present(&mut self) -> Result<bool, Error>;

    /// What the user did since the last call.
    fn inputs(&mut self) -> Vec<Input>;

    /// How long nobody need call [`inputs`](Display::inputs).
    fn patience(&self) -> Duration;

    /// Shows another name.
    fn set_title(&mut self, title: &str);

    /// Shows another pointer; `None` shows none.
    fn set_cursor(&mut self, cursor: Option<Cursor>);

    /// The server moved the pointer here, in pixels of the desktop.
    fn move_pointer(&mut self, x: u16, y: u16);
}
