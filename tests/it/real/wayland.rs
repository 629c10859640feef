//! A Wayland desktop without a screen: sway, a picture as its background, and wayvnc.

use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::sshd::is_root;
use super::viewer::Picture;
use super::{PATIENCE, Running, free_port, wait_for_port, within};

/// Who sway runs as if the test runs as root, whom it refuses: "nobody".
const NOBODY: u32 = 65534;

pub struct Wayland {
    // Ended in this order.
    _servers: [Running; 2],
    pub port: u16,
    _folder: TempDir,
}

impl Wayland {
    /// One that shows nothing but `picture`.
    pub fn start(picture: &Picture) -> Wayland {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write_png(&path("picture.png"), picture);
        let lines = [
            "xwayland disable",
            &format!("output HEADLESS-1 resolution {}x{} position 0 0", picture.0, picture.1),
            &format!("output * background {} fill", path("picture.png").display()),
        ];
        fs::write(path("config"), lines.join("\n")).unwrap();
        if is_root() {
            for name in ["", "picture.png", "config"] {
                chown(path(name), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let command = |program: &str| {
            let mut command = Command::new(program);
            command.env("HOME", folder.path()).env("XDG_RUNTIME_DIR", folder.path()).current_dir(folder.path());
            if is_root() {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let log = path("log");
        let mut sway = command("sway");
        sway.args(["-c", "config"]).env("WLR_BACKENDS", "headless").env("WLR_LIBINPUT_NO_DEVICES", "1");
        let sway = Running::start(sway.env("WLR_RENDERER", "pixman"), &log);
        let socket = || {
            let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string());
            names.flatten().find(|name| name.starts_with("wayland-") && !name.ends_with(".lock"))
        };
        let said = || fs::read_to_string(&log).unwrap_or_default();
        assert!(within(PATIENCE, || socket().is_some()), "no Wayland: {}", said());
        let port = free_port();
        let mut wayvnc = command("wayvnc");
        wayvnc.args(["127.0.0.1", &port.to_string()]).env("WAYLAND_DISPLAY", socket().unwrap());
        let wayvnc = Running::start(&mut wayvnc, &log);
        wait_for_port(port, &log);
        Wayland { _servers: [wayvnc, sway], port, _folder: folder }
    }
}

fn write_png(path: &Path, picture: &Picture) {
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path).unwrap()), picture.0, picture.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&picture.2).unwrap();
}
