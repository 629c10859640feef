//! The screen that a window will be on: whether there is one, and how large it is.

use std::env;

use x11rb::connection::Connection;
use x11rb::rust_connection::RustConnection;

use super::Error;
use crate::picture::Size;

/// What is known of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Screen {
    /// Its size in pixels; `None` where there is no way to know.
    pub(super) size: Option<Size>,
    /// Whether a Wayland compositor shows the window.
    pub(super) wayland: bool,
}

/// Looks for a screen.
pub(super) fn find() -> Result<Screen, Error> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if set("WAYLAND_DISPLAY") {
        return Ok(Screen { size: None, wayland: true });
    }
    if !set("DISPLAY") {
        return Err(Error {
            message: "there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set".to_owned(),
            hint: Some("start it in a graphical session, or write a picture with sshvnc screenshot"),
        });
    }
    let name = || env::var("DISPLAY").unwrap_or_default().escape_debug().to_string();
    let (connection, number) = RustConnection::connect(None).map_err(|error| Error {
        message: format!("the display {} can not be opened: {error}", name()),
        hint: Some("is DISPLAY right, and does the X server let this user in (XAUTHORITY, xhost)?"),
    })?;
    let Some(screen) = connection.setup().roots.get(number) else {
        return Err(Error { message: format!("the display {} has no screen {number}", name()), hint: None });
    };
    // minifb crashes on a screen of 16 bits and shows wrong colours on one of 30.
    if !matches!(screen.root_depth, 24 | 32) {
        return Err(Error {
            message: format!("the display {} has {} bits a pixel; 24 are needed", name(), screen.root_depth),
            hint: Some("start the X server with -depth 24"),
        });
    }
    Ok(Screen { size: Some(Size::new(screen.width_in_pixels, screen.height_in_pixels)), wayland: false })
}
