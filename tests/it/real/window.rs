//! The viewer's window on a screen, used as a person would.

use std::process::Child;
use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, MapState};
use x11rb::rust_connection::RustConnection;

use super::desktop::{Desktop, screen_of, xdotool};
use super::sshd::Sshd;
use super::viewer::{Ended, Picture, finish, sshvnc_at, target};
use super::{PATIENCE, within};

/// A viewer that shows a desktop on a screen.
pub struct Window {
    pub viewer: Child,
    display: String,
}

impl Window {
    pub fn new(viewer: Child, display: &str) -> Window {
        Window { viewer, display: display.to_owned() }
    }

    /// A viewer of a desktop behind an SSH server, once its window is there.
    pub fn open(sshd: &Sshd, desktop: &Desktop, display: &str, options: &[&str]) -> Window {
        let mut command = sshvnc_at(sshd);
        command.args(options).args(target(sshd, desktop.port)).env("DISPLAY", display);
        let viewer = command.spawn().unwrap();
        let window = Window::new(viewer, display);
        assert!(within(PATIENCE, || window.id().is_some()), "no window: {:?}", window.close());
        window
    }

    /// The X window, once it is shown.
    pub fn id(&self) -> Option<String> {
        id_on(&self.display).map(|window| window.to_string())
    }

    /// Left, top, width and height on the screen; all 0 while one window takes another's place.
    pub fn place(&self) -> (u32, u32, u32, u32) {
        place_on(&self.display)
    }

    /// The part of the screen that the window covers: size, and bytes red, green, blue.
    pub fn picture(&self) -> Picture {
        picture_on(&self.display)
    }

    pub fn point(&self, x: u32, y: u32) {
        let id = self.id().unwrap();
        xdotool(&self.display, &["mousemove", "--window", &id, &x.to_string(), &y.to_string()]);
        std::thread::sleep(Duration::from_millis(200));
    }

    pub fn act(&self, arguments: &[&str]) {
        xdotool(&self.display, arguments);
        std::thread::sleep(Duration::from_millis(100));
    }

    /// Ends the viewer as the user's session would.
    pub fn close(self) -> Ended {
        crate::real::signal(self.viewer.id(), "TERM");
        finish(self.viewer, Duration::from_secs(10))
    }
}

fn connect(display: &str) -> (RustConnection, u32) {
    let (connection, screen) = RustConnection::connect(Some(display)).unwrap();
    let root = connection.setup().roots[screen].root;
    (connection, root)
}

/// The window of a viewer on a screen, once it is shown.
pub fn id_on(display: &str) -> Option<u32> {
    let (connection, root) = connect(display);
    find(&connection, root)
}

/// Left, top, width and height of it there; all 0 while one window takes another's place.
pub fn place_on(display: &str) -> (u32, u32, u32, u32) {
    let (connection, root) = connect(display);
    let place = || {
        let window = find(&connection, root)?;
        let size = connection.get_geometry(window).ok()?.reply().ok()?;
        let at = connection.translate_coordinates(window, root, 0, 0).ok()?.reply().ok()?;
        Some((at.dst_x.max(0) as u32, at.dst_y.max(0) as u32, size.width.into(), size.height.into()))
    };
    place().unwrap_or_default()
}

/// The part of the screen that it covers: size, and bytes red, green, blue.
pub fn picture_on(display: &str) -> Picture {
    let (left, top, width, height) = place_on(display);
    let (screen_width, _, pixels) = screen_of(display);
    let row = |y: u32| {
        let start = (y * screen_width + left) as usize * 3;
        pixels[start..start + width as usize * 3].to_vec()
    };
    (width, height, (top..top + height).flat_map(row).collect())
}

/// The viewer's window among those below `parent`, if it is shown: a window manager puts it into one of its own.
fn find(connection: &RustConnection, parent: u32) -> Option<u32> {
    let children = connection.query_tree(parent).ok()?.reply().ok()?.children;
    children.into_iter().find_map(|window| {
        let (name, kind) = (AtomEnum::WM_NAME, AtomEnum::ANY);
        let name = connection.get_property(false, window, name, kind, 0, 100).ok()?.reply().ok()?.value;
        let attributes = connection.get_window_attributes(window).ok()?.reply().ok()?;
        if attributes.map_state != MapState::VIEWABLE {
            return None;
        }
        // A frame may have the name of what is in it.
        find(connection, window).or(name.ends_with(b"sshvnc").then_some(window))
    })
}
