//! Options of the window.

use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use crate::display::{ClipboardWish, FrontEnd, Grab, Scaling, Screens, Wish};
use crate::viewer::{Chord, Hotkeys};

/// How the window behaves.
#[derive(Debug, Clone, Args)]
#[group(id = "window-options")]
#[command(next_help_heading = "The window")]
pub struct Window {
    /// Show only: keys, pointer and clipboard are not sent
    #[arg(long)]
    pub view_only: bool,
    /// Cover the whole screen
    #[arg(long)]
    pub fullscreen: bool,
    /// The screens that --fullscreen covers: all, current, or their numbers from left to right, such as 1,2
    #[arg(long, value_name = "WHICH", default_value = "current", value_parser = screens)]
    pub screens: Screens,
    /// How a desktop of another size than the window is shown
    #[arg(long, value_name = "HOW", default_value = "shrink")]
    pub scaling: Scaling,
    /// Do not ask the server for a desktop of the size of the full screen, or of the window that you have resized
    #[arg(long)]
    pub no_remote_resize: bool,
    /// When all keys are taken, those of the window manager too
    #[arg(long, value_name = "WHEN", default_value = "fullscreen")]
    pub grab: Grab,
    /// Modifiers that make M (menu), Enter (full screen), G (all keys) and P (keep the pointer) keys of the viewer
    #[arg(long, value_name = "KEYS", default_value = "ctrl+alt", value_parser = Chord::parse)]
    pub escape_keys: Chord,
    /// A key that opens the menu, beside Ctrl+Alt+M: such as F8
    #[arg(long, value_name = "KEY", value_parser = menu_key)]
    pub menu_key: Option<u32>,
    /// Show a dot where the server hides the pointer
    #[arg(long)]
    pub dot_cursor: bool,
    /// What is passed on of what was copied
    #[arg(long, value_name = "WAYS", default_value = "both")]
    pub clipboard: Ways,
    /// The longest text that is passed on, in bytes
    #[arg(long, value_name = "BYTES", default_value = "16777216")]
    pub clipboard_limit: NonZeroU32,
    /// Leave the selection that the middle button pastes alone
    #[arg(long)]
    pub no_primary: bool,
    /// Show how fast all is: round trips, Mbit/s, frames a second
    #[arg(long)]
    pub stats: bool,
    /// What shows the window
    #[arg(long, value_name = "WHICH", default_value = "auto")]
    pub display: FrontEnd,
}

impl Window {
    /// The viewer's own keys.
    pub fn hotkeys(&self) -> Hotkeys {
        Hotkeys { chord: self.escape_keys, menu_key: self.menu_key }
    }

    /// What is wished of the window.
    pub fn wish(&self) -> Wish {
        Wish {
            fullscreen: self.fullscreen,
            screens: self.screens.clone(),
            scaling: self.scaling,
            grab: self.grab,
            dot_cursor: self.dot_cursor,
            clipboard: ClipboardWish {
                send: matches!(self.clipboard, Ways::Both | Ways::Send) && !self.view_only,
                receive: matches!(self.clipboard, Ways::Both | Ways::Receive),
                primary: !self.no_primary,
                longest: usize::try_from(self.clipboard_limit.get()).unwrap_or(usize::MAX),
            },
        }
    }
}

/// The ways of the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ways {
    /// To the server and from it
    Both,
    /// To the server only
    Send,
    /// From the server only
    Receive,
    /// Neither way
    Off,
}

fn screens(typed: &str) -> Result<Screens, String> {
    let number = |word: &str| word.trim().parse().ok().filter(|&number: &u8| number > 0);
    match typed {
        "all" => Ok(Screens::All),
        "current" => Ok(Screens::Current),
        _ => typed
            .split(',')
            .map(number)
            .collect::<Option<_>>()
            .map(Screens::These)
            .ok_or_else(|| "all, current, or numbers from 1 on such as 1,2 are possible".to_owned()),
    }
}

/// The keysym of a function key, or of one of the keys that hardly anybody needs.
fn menu_key(typed: &str) -> Result<u32, String> {
    const OTHERS: [(&str, u32); 6] = [
        ("pause", 0xff13),
        ("scroll_lock", 0xff14),
        ("insert", 0xff63),
        ("menu", 0xff67),
        ("print", 0xff61),
        ("escape", 0xff1b),
    ];
    let name = typed.to_ascii_lowercase();
    let function = name.strip_prefix('f').and_then(|number| number.parse().ok());
    let function = function.filter(|number: &u32| (1..=24).contains(number)).map(|number| 0xffbe + number - 1);
    let other = OTHERS.iter().find(|(other, _)| *other == name).map(|&(_, keysym)| keysym);
    function
        .or(other)
        .ok_or_else(|| "F1 to F24, Pause, Scroll_Lock, Insert, Menu, Print and Escape are possible".to_owned())
}
