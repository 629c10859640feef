//! WINDOWS: what shows a desktop and what its user does; it knows pixels, no network and no RFB.

mod best_size;
mod dim;
mod headless;
mod keyboard;
mod minifb;
mod painted;
mod places;
mod screen;
mod view;
mod wait;
mod window_size;
mod wish;
mod x11;
mod x11_window;

use std::env;
use std::io::{self, IsTerminal, Write};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

use crate::picture::{Area, Canvas, Cursor, Damage, Size};

pub use best_size::BestSize;
pub use headless::{Headless, Until};
pub use minifb::MinifbWindow;
pub use wish::{ClipboardWish, Grab, Scaling, Screens, Wish};
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
pub fn window(front_end: FrontEnd, wish: Wish) -> Result<Box<dyn Display>, Error> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let portable = || MinifbWindow::new(&wish);
    // On X11 minifb ends the process at any error, so it never stands in for the other one there.
    let x11 = match front_end {
        FrontEnd::Minifb => false,
        FrontEnd::X11 => true,
        FrontEnd::Auto => set("DISPLAY") && !cfg!(target_os = "macos"),
    };
    if !x11 {
        return Ok(Box::new(portable()?));
    }
    match X11Display::new(wish.clone()) {
        Ok(display) => Ok(Box::new(display)),
        Err(error) if front_end == FrontEnd::Auto && set("WAYLAND_DISPLAY") => {
            tracing::info!("{error}; a window of Wayland is tried");
            Ok(Box::new(portable()?))
        }
        Err(error) => Err(error),
    }
}

/// What the user did.
#[derive(Clone, PartialEq)]
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
    /// The pointer.
    Pointer {
        /// In pixels of the desktop, from the left edge.
        x: u16,
        /// In pixels of the desktop, from the top edge.
        y: u16,
        /// Bit 0 is the left button, 1 the middle, 2 the right, 3 to 6 the wheel up, down, left, right, 7 back, 8
        /// forward.
        buttons: u16,
        /// In pixels of the window, for what is drawn over the desktop.
        at: (i32, i32),
    },
    /// The pointer while the window keeps it: it only moves.
    Motion {
        /// To the right, in pixels.
        dx: i16,
        /// Downwards, in pixels.
        dy: i16,
        /// As in [`Pointer`](Input::Pointer).
        buttons: u16,
    },
    /// The window got the keyboard's focus, or has lost it.
    Focus(bool),
    /// The window has another size, or lies on other screens.
    Room(Room),
    /// Text that was copied elsewhere and may be pasted here. Told only while the window has the focus.
    Clipboard(String),
    /// Text of the server's has taken the place of what was copied before.
    ClipboardTaken,
    /// The window was closed.
    Close,
}

/// What is typed and copied may be secret: it is not shown.
impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Input::Key { .. } => f.write_str("Key"),
            Input::Pointer { .. } => f.write_str("Pointer"),
            Input::Motion { .. } => f.write_str("Motion"),
            Input::Focus(focus) => f.debug_tuple("Focus").field(focus).finish(),
            Input::Room(room) => f.debug_tuple("Room").field(room).finish(),
            Input::Clipboard(_) => f.write_str("Clipboard"),
            Input::ClipboardTaken => f.write_str("ClipboardTaken"),
            Input::Close => f.write_str("Close"),
        }
    }
}

/// The room that a window has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Room {
    /// In pixels.
    pub size: Size,
    /// How many pixels stand for one of 96 dpi: 1.0, 2.0 on fine screens.
    pub density: f32,
    /// Whether all of the screens are covered.
    pub fullscreen: bool,
    /// The screens that the window covers, in its own pixels; one if it covers none of them exactly.
    pub screens: Vec<Area>,
}

/// What is drawn over the desktop.
#[derive(Clone, Default)]
pub struct Overlay {
    /// Shows the desktop darker, as something that is not there now.
    pub dim: bool,
    /// From the lowest to the uppermost.
    pub panels: Vec<Panel>,
}

/// A picture that hides what is under it.
#[derive(Clone)]
pub struct Panel {
    /// Its place in the window, in pixels from the left edge.
    pub x: i32,
    /// From the top edge.
    pub y: i32,
    /// In [`ByteOrder::Bgrx`](crate::picture::ByteOrder::Bgrx).
    pub picture: Rc<Canvas>,
}

/// Locks of a keyboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Locks {
    /// Scroll Lock.
    pub scroll: bool,
    /// Num Lock.
    pub num: bool,
    /// Caps Lock.
    pub caps: bool,
}

/// What a front end can do beside showing pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Cover the screen, and stop doing so, at any time.
    pub fullscreen: bool,
    /// Take all keys.
    pub grab: bool,
    /// Pass on the clipboard.
    pub clipboard: bool,
    /// Keep the pointer, and tell how far it moves.
    pub keep_pointer: bool,
    /// Show the desktop in other ways than the one it began with.
    pub scaling: bool,
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
    /// Shows a desktop of this size from now on. One without pixels is a window for what is drawn over it.
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

    /// Draws this over the desktop from now on, instead of what was drawn there.
    fn set_overlay(&mut self, overlay: &Overlay);

    /// What else it can do.
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    /// The room that the window has, if it has opened.
    fn room(&self) -> Option<Room>;

    /// Covers the screen, or stops doing so.
    fn set_fullscreen(&mut self, _fullscreen: bool) {}

    /// Takes all keys while it has the focus, or leaves some to others.
    fn set_grab(&mut self, _grab: bool) {}

    /// Keeps the pointer inside and tells how far it moves, or lets it go.
    fn keep_pointer(&mut self, _keep: bool) {}

    /// Shows the desktop in another way.
    fn set_scaling(&mut self, _scaling: Scaling) {}

    /// Sets the locks of the keyboard here, now and at each focus; with `None` they are the user's again.
    fn set_locks(&mut self, _locks: Option<Locks>) {}

    /// Offers text for pasting elsewhere, once the window has the focus; [`Input::ClipboardTaken`] tells of that.
    fn set_clipboard(&mut self, _text: &str) {}

    /// Rings; where there is no other bell, that of the terminal.
    fn bell(&mut self) {
        let mut stderr = io::stderr();
        if stderr.is_terminal() {
            let _ = stderr.write_all(b"\x07");
        }
    }

    /// Forgets which keys are down, and gives their releases.
    fn release_keys(&mut self) -> Vec<Input> {
        Vec::new()
    }

    /// Shows another name.
    fn set_title(&mut self, title: &str);

    /// Shows another pointer; `None` shows none.
    fn set_cursor(&mut self, cursor: Option<Cursor>);

    /// The server moved the pointer here, in pixels of the desktop.
    fn move_pointer(&mut self, x: u16, y: u16);
}
