//! The program under test, as a user starts it: with a home of its own and no terminal.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::desktop::PASSWORD;
use super::sshd::{Sshd, me};
use super::{signal, within};

/// How a run ended: its exit code, and what it said on stderr.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: Option<i32>,
    pub said: String,
    pub out: String,
}

/// A command of `sshvnc`, with the environment of a user who is known to `sshd`'s server.
pub fn sshvnc(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sshvnc"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.env("LANG", "C.UTF-8").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same, logged in at `sshd` with the key that it knows, and with the desktop's password.
pub fn sshvnc_at(sshd: &Sshd) -> Command {
    let mut command = sshvnc(&sshd.path("home"));
    command.env("VNC_PASSWORD", PASSWORD);
    command
}

/// The arguments that name a port behind `sshd`.
pub fn target(sshd: &Sshd, port: u16) -> Vec<String> {
    let user = sshd.path("user").to_str().unwrap().to_owned();
    vec!["-i".into(), user, "-p".into(), sshd.port.to_string(), format!("{}@127.0.0.1::{port}", me())]
}

/// Runs to the end, which must come within a minute.
pub fn run(command: &mut Command) -> Ended {
    finish(command.spawn().unwrap(), Duration::from_secs(60))
}

pub fn finish(mut child: Child, limit: Duration) -> Ended {
    let ended = within(limit, || child.try_wait().unwrap().is_some());
    if !ended {
        signal(child.id(), "KILL");
    }
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert!(ended, "it did not end: {said}");
    Ended { code: status.code(), said, out: String::from_utf8_lossy(&stdout).into_owned() }
}

/// Width, height, and bytes red, green, blue.
pub type Picture = (u32, u32, Vec<u8>);

/// The largest side of a pointer, which servers draw until the viewer has moved it, and the viewer draws afterwards.
const POINTER: usize = 24;

/// Compares a picture with the screen that it is of.
pub fn same_but_for_the_pointer(seen: &Picture, screen: &Picture) -> Result<(), String> {
    like_but_for_the_pointer(seen, screen, |a, b| a == b)
}

/// The same with pixels that need not be equal.
pub fn like_but_for_the_pointer(
    seen: &Picture,
    screen: &Picture,
    like: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<(), String> {
    if (seen.0, seen.1) != (screen.0, screen.1) {
        return Err(format!("{}x{}, not {}x{}", seen.0, seen.1, screen.0, screen.1));
    }
    let pairs = seen.2.chunks_exact(3).zip(screen.2.chunks_exact(3)).enumerate();
    let differ: Vec<usize> = pairs.filter(|(_, (a, b))| !like(a, b)).map(|(at, _)| at).collect();
    let width = seen.0 as usize;
    let extent = |of: &dyn Fn(usize) -> usize| {
        let places = || differ.iter().map(|&at| of(at));
        places().max().unwrap_or(0) - places().min().unwrap_or(0)
    };
    if differ.is_empty() || (extent(&|at| at % width) < POINTER && extent(&|at| at / width) < POINTER) {
        return Ok(());
    }
    Err(format!("{} pixels differ", differ.len()))
}

/// The pixels of a PNG file.
pub fn read_png(path: &Path) -> Picture {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    (info.width, info.height, pixels)
}
