//! Whole viewers side by side over a private sshd on the loopback: ours, and TigerVNC's behind `ssh -L`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::connection::Connection;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{ConnectionExt, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::answering::Answering;
use crate::real::desktop::Screen;
use crate::real::sshd::{Sshd, me};
use crate::real::{Running, free_port, wait_for_port, within};

/// For how long nothing is done.
const IDLE: Duration = Duration::from_secs(10);
/// For how long a film is played.
const FILM: Duration = Duration::from_secs(5);
/// A key is lost after this.
const LOST: Duration = Duration::from_secs(5);
/// The key a, by its place.
const KEY: u8 = 38;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Viewer {
    Ours,
    Tiger,
}

const VIEWERS: [(Viewer, &str); 2] = [(Viewer::Ours, "sshvnc"), (Viewer::Tiger, "ssh -L, xtigervncviewer")];

/// What was measured of a viewer.
#[derive(Default)]
struct Figures {
    /// Milliseconds from a key to its pixel.
    keys: Vec<f64>,
    /// Megabytes resident.
    memory: Vec<f64>,
    /// A second, while nothing happens.
    wakes: Vec<f64>,
    /// Frames of a film a second.
    frames: Vec<f64>,
    /// CPU seconds a second while it plays, of everything but the servers.
    cpu: Vec<f64>,
}

/// Prints the tables.
pub fn print(keys: usize, rounds: usize) {
    for (width, height) in [(1920, 1080), (3840, 2160)] {
        let mut figures = [Figures::default(), Figures::default()];
        for _ in 0..rounds {
            for ((viewer, _), figures) in VIEWERS.iter().zip(&mut figures) {
                round(*viewer, (width, height), keys, figures);
            }
        }
        println!("{width}x{height}, full screen on Xvfb, over SSH on the loopback; {keys} keys, {rounds} rounds");
        println!(
            "| viewer | key to pixel p50, ms | p95 | resident, MB | wakes a second, idle | film, frames a second | CPU a frame, ms |"
        );
        println!("|---|--:|--:|--:|--:|--:|--:|");
        for ((_, name), figures) in VIEWERS.iter().zip(&mut figures) {
            println!(
                "| {name} | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} | {:.2} |",
                quantile(&mut figures.keys, 0.5),
                quantile(&mut figures.keys, 0.95),
                quantile(&mut figures.memory, 0.5),
                quantile(&mut figures.wakes, 0.5),
                quantile(&mut figures.frames, 0.5),
                quantile(&mut figures.cpu, 0.5),
            );
        }
        println!();
    }
}

fn round(viewer: Viewer, (width, height): (u16, u16), keys: usize, figures: &mut Figures) {
    let (sshd, server) = (Sshd::start(), Answering::start(width, height));
    let screen = Screen::start(width, height);
    let programs = start(viewer, &sshd, &server, &screen);
    let (connection, number) = RustConnection::connect(Some(&screen.display)).unwrap();
    let root = connection.setup().roots[number].root;
    let pixel = || {
        let image = connection.get_image(ImageFormat::Z_PIXMAP, root, 20, 20, 1, 1, !0).unwrap();
        image.reply().unwrap().data[0]
    };
    let press = || {
        for kind in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
            connection.xtest_fake_input(kind, KEY, 0, root, 0, 0, 0).unwrap();
        }
        connection.flush().unwrap();
    };
    // Told of each change of the screen, nobody has to ask again and again, which would keep both processors busy.
    connection.damage_query_version(1, 1).unwrap().reply().unwrap();
    let changes = connection.generate_id().unwrap();
    connection.damage_create(changes, root, ReportLevel::NON_EMPTY).unwrap();
    // Until keys arrive.
    let before = pixel();
    let arrived = within(Duration::from_secs(20), || {
        press();
        std::thread::sleep(Duration::from_millis(200));
        pixel() != before
    });
    assert!(arrived, "no key arrives: {}", std::fs::read_to_string(sshd.path("viewer.log")).unwrap_or_default());
    for number in 0..keys {
        // Not in step with anybody's clock.
        std::thread::sleep(Duration::from_micros(40_000 + (number as u64 * 7919) % 20_000));
        let before = pixel();
        connection.damage_subtract(changes, 0u32, 0u32).unwrap();
        while connection.poll_for_event().unwrap().is_some() {}
        let start = Instant::now();
        press();
        let taken = loop {
            wait(&connection, start + LOST);
            let taken = start.elapsed();
            // Before the look: what changes after it is told of again.
            connection.damage_subtract(changes, 0u32, 0u32).unwrap();
            if pixel() != before {
                break taken;
            }
        };
        figures.keys.push(taken.as_secs_f64() * 1e3);
    }
    connection.damage_destroy(changes).unwrap();
    connection.flush().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let ids: Vec<u32> = programs.iter().map(Running::id).collect();
    figures.memory.push(ids.iter().map(|id| resident(*id)).sum());
    let before: Vec<_> = ids.iter().map(|id| switches(*id)).collect();
    std::thread::sleep(IDLE);
    let woken = |(id, before): (&u32, &BTreeMap<PathBuf, u64>)| -> u64 {
        // A thread that ended meanwhile slept until then.
        switches(*id).iter().map(|(task, count)| count - before.get(task).copied().unwrap_or(0)).sum()
    };
    let woken: u64 = ids.iter().zip(&before).map(woken).sum();
    figures.wakes.push(woken as f64 / IDLE.as_secs_f64());
    // A film: the next request is answered with a whole picture, and so on.
    server.plays.store(true, Ordering::Relaxed);
    press();
    std::thread::sleep(Duration::from_secs(1));
    let (pictures, cpu) = (server.pictures.load(Ordering::Relaxed), ids.iter().map(|id| cpu(*id)).sum::<f64>());
    std::thread::sleep(FILM);
    let played = f64::from(server.pictures.load(Ordering::Relaxed) - pictures);
    figures.frames.push(played / FILM.as_secs_f64());
    figures.cpu.push((ids.iter().map(|id| crate::viewers::cpu(*id)).sum::<f64>() - cpu) * 1e3 / played.max(1.0));
    server.plays.store(false, Ordering::Relaxed);
}

/// Sleeps until the X server tells of something.
fn wait(connection: &RustConnection, until: Instant) {
    loop {
        if connection.poll_for_event().unwrap().is_some() {
            return;
        }
        let left = until.saturating_duration_since(Instant::now());
        assert!(left > Duration::ZERO, "a key got lost");
        let timeout = Timespec::try_from(left).unwrap();
        poll(&mut [PollFd::new(connection.stream(), PollFlags::IN)], Some(&timeout)).unwrap();
    }
}

/// Starts a viewer, and what it needs.
fn start(viewer: Viewer, sshd: &Sshd, server: &Answering, screen: &Screen) -> Vec<Running> {
    let log = sshd.path("viewer.log");
    let user = sshd.path("user");
    let at = format!("{}@127.0.0.1", me());
    match viewer {
        Viewer::Ours => {
            let mut command = Command::new(ours());
            // Both ask for the same. Left alone, this one asks so near a server for Raw: more bytes, no compression.
            command
                .args(["--fullscreen", "--encodings", "tight copyrect", "-i"])
                .arg(&user)
                .args(["-p", &sshd.port.to_string()]);
            command.arg(format!("{at}::{}", server.port)).env("DISPLAY", &screen.display);
            command.env("HOME", sshd.path("home"));
            vec![Running::start(&mut command, &log)]
        }
        Viewer::Tiger => {
            let port = free_port();
            let mut ssh = Command::new("ssh");
            ssh.args(["-N", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o"]);
            ssh.arg(format!("UserKnownHostsFile={}", sshd.known_hosts().display()));
            ssh.args(["-o", "IdentitiesOnly=yes", "-i"]).arg(&user).args(["-p", &sshd.port.to_string(), "-L"]);
            ssh.arg(format!("127.0.0.1:{port}:127.0.0.1:{}", server.port)).arg(&at);
            let ssh = Running::start(&mut ssh, &log);
            wait_for_port(port, &log);
            let mut viewer = Command::new("xtigervncviewer");
            viewer.args(["-FullScreen", "-AlertOnFatalError=0", "-RemoteResize=0"]);
            // Else it takes the server for one of this machine, and asks for Raw.
            viewer.args(["-AutoSelect=0", "-PreferredEncoding=Tight"]);
            viewer.arg(format!("127.0.0.1::{port}")).env("DISPLAY", &screen.display).env("HOME", sshd.path("home"));
            vec![ssh, Running::start(&mut viewer, &log)]
        }
    }
}

/// The program beside this one, of the same build.
fn ours() -> String {
    env!("CARGO_BIN_EXE_sshvnc").to_owned()
}

fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(((values.len().saturating_sub(1)) as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Megabytes of a process and what it started.
fn resident(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// How often each thread of a process has gone to sleep.
fn switches(id: u32) -> BTreeMap<PathBuf, u64> {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    tasks.map(|task| (task.path(), voluntary(&task.path().join("status")))).collect()
}

fn voluntary(path: &Path) -> u64 {
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap_or_default();
    line.trim().parse().unwrap_or(0)
}

/// CPU seconds of a process.
fn cpu(id: u32) -> f64 {
    crate::cpu(id).as_secs_f64()
}
