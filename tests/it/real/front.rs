//! The front end for X11 without a viewer behind it: what its user does is listed.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sshvnc::display::{Display, Input, Wish, X11Display};
use sshvnc::picture::Size;
use tempfile::TempDir;
use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::desktop::xdotool;
use super::{PATIENCE, Running, within};

pub struct Front {
    pub display: X11Display,
    /// What the user did so far.
    pub inputs: Vec<Input>,
    /// How often it woke up.
    pub woke: usize,
    name: String,
    folder: TempDir,
}

impl Front {
    /// One whose window is not open yet.
    pub fn new(display: &str, wish: Wish) -> Front {
        let (name, folder) = (display.to_owned(), tempfile::tempdir().unwrap());
        Front { display: X11Display::on(Some(display), wish).unwrap(), inputs: Vec::new(), woke: 0, name, folder }
    }

    /// One with a window of 300x200 pixels in the corner, and the pointer elsewhere.
    pub fn open(display: &str, wish: Wish) -> Front {
        let mut front = Front::new(display, wish);
        xdotool(display, &["mousemove", "900", "700"]);
        front.display.open(Size::new(300, 200), "front").unwrap();
        front.run(Duration::from_millis(300));
        front
    }

    /// Points into the window, which has the keys then.
    pub fn point(&mut self) {
        self.act(&["mousemove", "150", "100"]);
    }

    /// Does something as its user.
    pub fn act(&mut self, arguments: &[&str]) {
        xdotool(&self.name, arguments);
        self.settle();
        self.run(Duration::from_millis(100));
    }

    /// Lives on until it is so; false if it never is.
    pub fn until(&mut self, limit: Duration, mut is_so: impl FnMut(&mut Front) -> bool) -> bool {
        let start = Instant::now();
        while !is_so(self) {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            // Looked at now and then, as what is waited for may be elsewhere.
            self.turn(left.min(Duration::from_millis(20)));
        }
        true
    }

    /// Lives on for so long, woken only by what happens.
    pub fn run(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.turn(time.saturating_sub(start.elapsed()));
            self.woke += 1;
        }
    }

    /// Lives on until all that it was told has come to the X server, and what follows from that: to become the owner of a
    /// selection takes the focus, the time and a request.
    fn settle(&mut self) {
        let (connection, _) = RustConnection::connect(Some(&self.name)).unwrap();
        for _ in 0..5 {
            connection.get_input_focus().unwrap().reply().unwrap();
            self.turn(Duration::from_millis(20));
        }
    }

    fn turn(&mut self, time: Duration) {
        self.display.wait(None, time).unwrap();
        self.inputs.extend(self.display.inputs());
        self.display.present().unwrap();
    }

    /// The texts that were told, which are forgotten.
    pub fn texts(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.inputs);
        told.into_iter()
            .filter_map(|input| if let Input::Clipboard(text) = input { Some(text) } else { None })
            .collect()
    }

    fn xclip(&self, selection: &str) -> Command {
        let mut xclip = Command::new("xclip");
        xclip.args(["-selection", selection]).env("DISPLAY", &self.name).stdin(Stdio::null());
        xclip
    }

    /// Another client copies `text`, until it is dropped.
    pub fn copy(&mut self, selection: &str, text: &str) -> Running {
        let file = self.folder.path().join("copied");
        std::fs::write(&file, text).unwrap();
        let before = owner(&self.name, selection);
        let copied =
            Running::start(self.xclip(selection).args(["-quiet", "-in"]).arg(&file), &self.folder.path().join("log"));
        // Nobody looks whether it is there: xclip serves one at a time.
        assert!(within(PATIENCE, || ![0, before].contains(&owner(&self.name, selection))), "nothing was copied");
        copied
    }

    /// What another client pastes.
    pub fn paste(&mut self, selection: &str, target: &str) -> Vec<u8> {
        self.settle();
        let mut pasting = self.start_to_paste(selection, target);
        assert!(self.until(PATIENCE, |_| pasting.0.try_wait().unwrap().is_some()), "{target} of {selection}");
        std::fs::read(pasting.1).unwrap()
    }

    /// Another client begins to paste into a file.
    pub fn start_to_paste(&self, selection: &str, target: &str) -> (Child, std::path::PathBuf) {
        let path = tempfile::Builder::new().disable_cleanup(true).tempfile_in(self.folder.path()).unwrap();
        let path = path.path().to_owned();
        let mut xclip = self.xclip(selection);
        xclip.args(["-out", "-target", target]).stdout(File::create(&path).unwrap()).stderr(Stdio::null());
        (xclip.spawn().expect("xclip is needed; tests/run installs it"), path)
    }
}

/// The window that has a selection.
pub fn owner(display: &str, selection: &str) -> u32 {
    let (connection, _) = RustConnection::connect(Some(display)).unwrap();
    let name = selection.to_uppercase();
    let atom = connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
    connection.get_selection_owner(atom).unwrap().reply().unwrap().owner
}
