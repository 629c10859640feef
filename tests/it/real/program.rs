//! A program that shows itself by libvncserver, as many do that are no desktops: `picture_server.c`.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::scenery::{from_ppm, to_ppm};
use super::viewer::Picture;
use super::{PATIENCE, Running, free_port, output, signal, wait_for_port, within};

pub struct Program {
    server: Running,
    pub port: u16,
    folder: TempDir,
}

impl Program {
    /// One that shows `picture`.
    pub fn start(picture: &Picture) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/real/picture_server.c");
        let built = path("picture_server");
        output(Command::new("cc").args(["-O1", "-o"]).arg(&built).arg(source).arg("-lvncserver"));
        fs::write(path("shown.ppm"), to_ppm(picture)).unwrap();
        let (port, log) = (free_port(), path("log"));
        let mut command = Command::new(&built);
        command.arg(path("shown.ppm")).arg(path("moved.ppm"));
        command.args(["-rfbport", &port.to_string(), "-listen", "127.0.0.1", "-rfbportv6", "-1"]);
        let server = Running::start(&mut command, &log);
        wait_for_port(port, &log);
        Program { server, port, folder }
    }

    /// Moves a part of the picture; gives what it shows then.
    pub fn move_a_part(&self) -> Picture {
        signal(self.server.id(), "USR1");
        let moved = || from_ppm(&fs::read(self.folder.path().join("moved.ppm")).ok()?);
        assert!(within(PATIENCE, || moved().is_some()), "nothing moved");
        moved().unwrap()
    }
}
