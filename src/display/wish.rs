//! What the user wishes of a window, before it opens.

/// All wishes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Cover the screen.
    pub fullscreen: bool,
    /// Which screens are covered then.
    pub screens: Screens,
    /// How a desktop of another size than the window is shown.
    pub scaling: Scaling,
    /// When all keys are taken.
    pub grab: Grab,
    /// Show a dot where the server hides the pointer.
    pub dot_cursor: bool,
    /// What of the clipboard is passed on.
    pub clipboard: ClipboardWish,
}

/// What of the clipboard is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClipboardWish {
    /// What was copied here, to the server.
    pub send: bool,
    /// What was copied there, to here.
    pub receive: bool,
    /// The selection that is pasted by the middle button takes part, beside the clipboard.
    pub primary: bool,
    /// The longest text that is passed on, in bytes of UTF-8.
    pub longest: usize,
}

/// Which screens are covered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Screens {
    /// Every one.
    All,
    /// The one with most of the window, or with the pointer.
    #[default]
    Current,
    /// Those with these numbers, from 1 on, counted from left to right and from top to bottom.
    These(Vec<u8>),
}

/// How a desktop of another size than the window is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Scaling {
    /// Made smaller if it does not fit, never larger
    #[default]
    Shrink,
    /// As large as the window allows with all of it visible
    Fit,
    /// The whole window, whatever becomes of its proportions
    Fill,
    /// Pixel for pixel; the pointer at an edge moves what does not fit
    None,
    /// As Fit, but each pixel as a square of whole pixels
    Integer,
}

/// When all keys are taken, those of the window manager too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Grab {
    /// While the window has the focus
    Always,
    /// While it covers the screen and has the focus
    #[default]
    Fullscreen,
    /// Only those that nobody else wants
    Never,
}

impl Default for ClipboardWish {
    fn default() -> ClipboardWish {
        ClipboardWish { send: true, receive: true, primary: true, longest: 16 << 20 }
    }
}
