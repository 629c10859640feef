//! The viewer's window on a screen, used as a person would.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

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
        let mut search = Command::new("xdotool");
        search.args(["search", "--onlyvisible", "--name", "sshvnc"]).env("DISPLAY", &self.display);
        let found = search.stderr(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&found.stdout).lines().next().map(str::to_owned)
    }

    /// Left, top, width and height on the screen; all 0 while one window takes another's place.
    pub fn place(&self) -> (u32, u32, u32, u32) {
        let Some(id) = self.id() else { return (0, 0, 0, 0) };
        let mut geometry = Command::new("xdotool");
        geometry.args(["getwindowgeometry", "--shell", &id]).env("DISPLAY", &self.display);
        let output = geometry.stderr(Stdio::null()).output().unwrap();
        let shell = String::from_utf8_lossy(&output.stdout);
        let value = |name: &str| {
            let line = shell.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.map_or(0, |number| number.parse().unwrap())
        };
        (value("X"), value("Y"), value("WIDTH"), value("HEIGHT"))
    }

    /// The part of the screen that the window covers: size, and bytes red, green, blue.
    pub fn picture(&self) -> Picture {
        let (left, top, width, height) = self.place();
        let (screen_width, _, pixels) = screen_of(&self.display);
        let row = |y: u32| {
            let start = (y * screen_width + left) as usize * 3;
            pixels[start..start + width as usize * 3].to_vec()
        };
        (width, height, (top..top + height).flat_map(row).collect())
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
