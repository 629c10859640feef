//! The X server: what it can do, and how its screen wants its pixels.

use std::env;

use rustix::net::{SocketAddrAny, getsockname};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::render::{self, ConnectionExt as _, PictType, Pictformat};
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{VisualClass, Window};
use x11rb::rust_connection::RustConnection;

use super::super::Error;
use super::pixels::Layout;
use crate::picture::Size;

x11rb::atom_manager! {
    /// Names that the server keeps as numbers.
    pub(super) Atoms: AtomsCookie {
        WM_PROTOCOLS,
        WM_DELETE_WINDOW,
        UTF8_STRING,
        _NET_WM_NAME,
        _NET_WM_STATE,
        _NET_WM_STATE_FULLSCREEN,
        _NET_WM_FULLSCREEN_MONITORS,
        _NET_SUPPORTED,
        _NET_SUPPORTING_WM_CHECK,
        _XWAYLAND_MAY_GRAB_KEYBOARD,
        SSHVNC_SHOWN,
        SSHVNC_TIME,
        SSHVNC_CLIPBOARD,
        CLIPBOARD,
        TARGETS,
        TIMESTAMP,
        MULTIPLE,
        ATOM_PAIR,
        INCR,
        TEXT,
        TEXT_UTF8: b"text/plain;charset=utf-8",
    }
}

/// What RENDER calls the formats that are used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formats {
    /// Of the window.
    pub(super) window: Pictformat,
    /// Of pointers: 32 bits with opacity on top.
    pub(super) pointer: Option<Pictformat>,
}

/// A connection, and what was asked once.
pub(super) struct Server {
    pub(super) connection: RustConnection,
    pub(super) root: Window,
    /// Of the root window, when the connection was made.
    pub(super) screen: Size,
    pub(super) depth: u8,
    pub(super) layout: Layout,
    pub(super) atoms: Atoms,
    /// Whether memory can be shared.
    pub(super) shm: bool,
    /// What RENDER knows, if it is there.
    pub(super) formats: Option<Formats>,
    pub(super) xkb: bool,
}

impl Server {
    /// Connects to the one with this name; `None` is the one that DISPLAY names.
    pub(super) fn connect(display: Option<&str>) -> Result<Server, Error> {
        let name = || match display {
            Some(name) => name.escape_debug().to_string(),
            None => env::var("DISPLAY").unwrap_or_default().escape_debug().to_string(),
        };
        if display.is_none() && env::var_os("DISPLAY").is_none_or(|value| value.is_empty()) {
            return Err(Error {
                message: "there is no display: DISPLAY is not set".to_owned(),
                hint: Some("start it in a graphical session, or write a picture with sshvnc screenshot"),
            });
        }
        let (connection, number) = RustConnection::connect(display).map_err(|error| Error {
            message: format!("the display {} can not be opened: {error}", name()),
            hint: Some("is DISPLAY right, and does the X server let this user in (XAUTHORITY, xhost)?"),
        })?;
        let Some(screen) = connection.setup().roots.get(number).cloned() else {
            return Err(Error { message: format!("the display {} has no screen {number}", name()), hint: None });
        };
        let visuals = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let visual = visuals.into_iter().find(|visual| visual.visual_id == screen.root_visual);
        let layout = visual
            .filter(|visual| visual.class == VisualClass::TRUE_COLOR)
            .and_then(|visual| Layout::of(connection.setup(), screen.root_depth, visual));
        let Some(layout) = layout else {
            return Err(Error {
                message: format!(
                    "the display {} has {} bits a pixel, of a kind that can not be shown on",
                    name(),
                    screen.root_depth
                ),
                hint: Some("start the X server with -depth 24"),
            });
        };
        let atoms = Atoms::new(&connection).map_err(lost)?.reply().map_err(lost)?;
        let shm = can_share(&connection).map_err(lost)?;
        let formats = formats(&connection, screen.root_visual).map_err(lost)?;
        let xkb = starts_xkb(&connection).map_err(lost)?;
        tracing::info!(
            "X server: {} bits a pixel, shared memory: {shm}, RENDER: {}, XKB: {xkb}",
            screen.root_depth,
            formats.is_some()
        );
        Ok(Server {
            root: screen.root,
            screen: Size::new(screen.width_in_pixels, screen.height_in_pixels),
            depth: screen.root_depth,
            layout,
            atoms,
            shm,
            formats,
            xkb,
            connection,
        })
    }

    /// A number for something that the server shall make.
    pub(super) fn id(&self) -> Result<u32, Error> {
        self.connection.generate_id().map_err(lost)
    }
}

/// There is no window without the server.
pub(super) fn lost(error: impl std::fmt::Display) -> Error {
    Error { message: format!("the X server is lost: {error}"), hint: None }
}

/// An extension that fails is one that is not there; a connection that fails is another matter.
fn or_none<T>(answer: Result<T, x11rb::errors::ReplyError>) -> Result<Option<T>, x11rb::errors::ConnectionError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(x11rb::errors::ReplyError::X11Error(_)) => Ok(None),
        Err(x11rb::errors::ReplyError::ConnectionError(error)) => Err(error),
    }
}

/// Descriptors go over a local socket only, and only to a server that knows MIT-SHM 1.2.
fn can_share(connection: &RustConnection) -> Result<bool, x11rb::errors::ConnectionError> {
    let local = getsockname(connection.stream())
        .is_ok_and(|name: SocketAddrAny| name.address_family() == rustix::net::AddressFamily::UNIX);
    if !local || connection.extension_information(shm::X11_EXTENSION_NAME)?.is_none() {
        return Ok(false);
    }
    let version = or_none(connection.shm_query_version()?.reply())?;
    Ok(version.is_some_and(|version| (version.major_version, version.minor_version) >= (1, 2)))
}

fn formats(connection: &RustConnection, visual: u32) -> Result<Option<Formats>, x11rb::errors::ConnectionError> {
    if connection.extension_information(render::X11_EXTENSION_NAME)?.is_none() {
        return Ok(None);
    }
    let version = or_none(connection.render_query_version(0, 11)?.reply())?;
    // Transforms and filters came with 0.6.
    if version.is_none_or(|version| (version.major_version, version.minor_version) < (0, 6)) {
        return Ok(None);
    }
    let Some(known) = or_none(connection.render_query_pict_formats()?.reply())? else { return Ok(None) };
    let mut visuals = known.screens.iter().flat_map(|screen| &screen.depths).flat_map(|depth| &depth.visuals);
    let Some(window) = visuals.find(|known| known.visual == visual) else { return Ok(None) };
    let pointer = known.formats.iter().find(|format| {
        let direct = format.direct;
        format.type_ == PictType::DIRECT
            && format.depth == 32
            && [direct.alpha_shift, direct.red_shift, direct.green_shift, direct.blue_shift] == [24, 16, 8, 0]
            && direct.alpha_mask == 0xff
    });
    Ok(Some(Formats { window: window.format, pointer: pointer.map(|format| format.id) }))
}

fn starts_xkb(connection: &RustConnection) -> Result<bool, x11rb::errors::ConnectionError> {
    if connection.extension_information(xkb::X11_EXTENSION_NAME)?.is_none() {
        return Ok(false);
    }
    let answer = or_none(connection.xkb_use_extension(1, 0)?.reply())?;
    Ok(answer.is_some_and(|answer| answer.supported))
}
