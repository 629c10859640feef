//! WINDOWS: what shows a desktop and what its user does; it knows pixels, no network and no RFB.

mod headless;
mod keyboard;
mod minifb;
mod places;
mod screen;
mod wait;
mod x11;
mod x11_window;

use std::env;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::picture::{Canvas, Cursor, Damage, Size};

pub use headless::{Headless, Until};
pub use minifb::MinifbWindow;
pub use x11::X11Display;

/// Which front end shows a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FrontEnd {
    /// x11 where DISPLAY leads to an X server, else minifb
    #[default]
    Auto,
    /// The one made for X11: all keys, hardware pointer, no polling
    X11,
    /// The portable one: Wayland, macOS
    Minifb,
}

/// A front end with a window, which opens when the desktop's size is known.
///
/// # Errors
/// [`Error`] if there is nothing to open it on.
pub fn window(front_end: FrontEnd, fullscreen: bool) -> Result<Box<dyn Display>, Error> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let native = || X11Display::new(fullscreen);
    let portable = || MinifbWindow::new(fullscreen);
    // On X11 minifb ends the process at any error, so it never stands in for the other one there.
    let x11 = match front_end {
        FrontEnd::Minifb => false,
        FrontEnd::X11 => true,
        FrontEnd::Auto => set("DISPLAY") && !cfg!(target_os = "macos"),
    };
    if !x11 {
        return Ok(Box::new(portable()?));
    }
    match native() {
        Ok(display) => Ok(Box::new(display)),
        Err(error) if front_end == FrontEnd::Auto && set("WAYLAND_DISPLAY") => {
            tracing::info!("{error}; a window of Wayland is tried");
            Ok(Box::new(portable()?))
        }
        Err(error) => Err(error),
    }
}

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

    /// Sleeps until the user may have done something, `wake` can be read, or `timeout` is over.
    ///
    /// # Errors
    /// [`Error`] if the window fails.
    fn wait(&mut self, wake: Option<BorrowedFd<'_>>, timeout: Duration) -> Result<(), Error>;

    /// Whether what was presented last is still on its way to the screen, so that more of it would only pile up. Its
    /// arrival ends [`wait`](Display::wait).
    fn is_busy(&self) -> bool {
        false
    }

    /// Shows another name.
    fn set_title(&mut self, title: &str);

    /// Shows another pointer; `None` shows none.
    fn set_cursor(&mut self, cursor: Option<Cursor>);

    /// The server moved the pointer here, in pixels of the desktop.
    fn move_pointer(&mut self, x: u16, y: u16);
}
