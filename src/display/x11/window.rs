//! Makes the window, and speaks with the window manager.

use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::properties::{WmHints, WmSizeHints, WmSizeHintsSpecification};
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Window, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::super::Error;
use super::monitors::Place;
use super::server::{Server, lost};

/// Who decides where the window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The user, with a window manager if there is one.
    Normal,
    /// A window manager that was asked to let it cover the screen.
    ManagedFullScreen,
    /// Nobody else: it covers the screen by itself.
    OwnFullScreen,
}

/// What the window hears of.
const EVENTS: [EventMask; 11] = [
    EventMask::EXPOSURE,
    EventMask::PROPERTY_CHANGE,
    EventMask::STRUCTURE_NOTIFY,
    EventMask::FOCUS_CHANGE,
    EventMask::KEY_PRESS,
    EventMask::KEY_RELEASE,
    EventMask::BUTTON_PRESS,
    EventMask::BUTTON_RELEASE,
    EventMask::POINTER_MOTION,
    EventMask::ENTER_WINDOW,
    EventMask::LEAVE_WINDOW,
];

/// How the screen can be covered.
pub(super) fn full_screen_kind(server: &Server) -> Result<Kind, Error> {
    Ok(if has_manager(server)? { Kind::ManagedFullScreen } else { Kind::OwnFullScreen })
}

/// Whether a window manager of today's kind is there: the window that it names names itself (EWMH,
/// "_NET_SUPPORTING_WM_CHECK").
fn has_manager(server: &Server) -> Result<bool, Error> {
    let named = |window| {
        let (property, kind) = (server.atoms._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW);
        let asked = server.connection.get_property(false, window, property, kind, 0, 1).map_err(lost)?;
        match asked.reply() {
            Ok(answer) => Ok(answer.value32().and_then(|mut values| values.next())),
            Err(ReplyError::X11Error(_)) => Ok(None),
            Err(error) => Err(lost(error)),
        }
    };
    Ok(match named(server.root)? {
        Some(window) => named(window)? == Some(window),
        None => false,
    })
}

/// Whether the window manager says that it knows what this atom names (EWMH, "_NET_SUPPORTED").
pub(super) fn is_supported(server: &Server, atom: u32) -> Result<bool, Error> {
    holds(server, server.root, server.atoms._NET_SUPPORTED, atom)
}

/// Whether the window manager says that a window covers the screen.
pub(super) fn is_full_screen(server: &Server, window: Window) -> Result<bool, Error> {
    holds(server, window, server.atoms._NET_WM_STATE, server.atoms._NET_WM_STATE_FULLSCREEN)
}

/// Whether a property is a list with this atom.
fn holds(server: &Server, window: Window, property: u32, atom: u32) -> Result<bool, Error> {
    let asked = server.connection.get_property(false, window, property, AtomEnum::ATOM, 0, 1 << 12).map_err(lost)?;
    match asked.reply() {
        Ok(answer) => Ok(answer.value32().is_some_and(|mut values| values.any(|value| value == atom))),
        Err(ReplyError::X11Error(_)) => Ok(false),
        Err(error) => Err(lost(error)),
    }
}

/// Makes a window, and shows it.
pub(super) fn open(server: &Server, kind: Kind, place: Place, title: &str) -> Result<Window, Error> {
    let window = server.id()?;
    let connection = &server.connection;
    let attributes = CreateWindowAux::new()
        .background_pixel(0)
        .event_mask(EVENTS.into_iter().fold(EventMask::NO_EVENT, |all, one| all | one))
        .override_redirect(u32::from(kind == Kind::OwnFullScreen));
    let (parent, class) = (server.root, WindowClass::INPUT_OUTPUT);
    let (size, depth) = (place.size, x11rb::COPY_DEPTH_FROM_PARENT);
    let (width, height) = (size.width.max(1), size.height.max(1));
    let (x, y) = (place.x as i16, place.y as i16);
    connection
        .create_window(depth, window, parent, x, y, width, height, 0, class, 0, &attributes)
        .map_err(lost)?
        .check()
        .map_err(|error| Error { message: format!("no window of {size} could be opened: {error}"), hint: None })?;
    set_title(server, window, title)?;
    let atoms = &server.atoms;
    let set = |property: u32, kind: AtomEnum, values: &[u32]| {
        connection.change_property32(PropMode::REPLACE, window, property, kind, values).map(drop).map_err(lost)
    };
    set(atoms.WM_PROTOCOLS, AtomEnum::ATOM, &[atoms.WM_DELETE_WINDOW])?;
    if kind == Kind::ManagedFullScreen {
        set(atoms._NET_WM_STATE, AtomEnum::ATOM, &[atoms._NET_WM_STATE_FULLSCREEN])?;
        // The monitor on which it is becomes covered.
        let position = Some((WmSizeHintsSpecification::UserSpecified, place.x, place.y));
        WmSizeHints { position, ..WmSizeHints::new() }.set_normal_hints(connection, window).map_err(lost)?;
    }
    let (class, text) = (AtomEnum::WM_CLASS, AtomEnum::STRING);
    connection.change_property8(PropMode::REPLACE, window, class, text, b"sshvnc\0Sshvnc\0").map_err(lost)?;
    let hints = WmHints { input: Some(true), ..WmHints::new() };
    hints.set(connection, window).map_err(lost)?;
    connection.map_window(window).map_err(lost)?;
    connection.flush().map_err(lost)?;
    Ok(window)
}

/// Names a window.
pub(super) fn set_title(server: &Server, window: Window, title: &str) -> Result<(), Error> {
    let atoms = &server.atoms;
    let (connection, replace) = (&server.connection, PropMode::REPLACE);
    let name = title.as_bytes();
    connection.change_property8(replace, window, atoms._NET_WM_NAME, atoms.UTF8_STRING, name).map_err(lost)?;
    // The older property is in Latin-1.
    let latin1: Vec<u8> = title.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    connection.change_property8(replace, window, AtomEnum::WM_NAME, AtomEnum::STRING, &latin1).map_err(lost)?;
    Ok(())
}
