//! Each encoding alone, from each kind of server: a screenshot is what the server itself says is on its screen, and the
//! encoding was really used.

use std::collections::BTreeSet;
use std::time::Duration;

use sshvnc::client::{Client, Received, Settings, canvas_for};
use sshvnc::picture::ByteOrder;
use sshvnc::rfb::encoding::{PIXEL_ENCODINGS, PixelEncoding};
use sshvnc::rfb::handshake::{Handshake, Step};
use sshvnc::rfb::{Inbox, PixelFormat};

use crate::real::desktop::{Desktop, Server};
use crate::real::machine::Machine;
use crate::real::program::Program;
use crate::real::scenery::scenery;
use crate::real::tap::Tap;
use crate::real::viewer::{Picture, finish, like_but_for_the_pointer, read_png, run, same_but_for_the_pointer, sshvnc};
use crate::real::wayland::Wayland;
use crate::real::{signal, within};

/// What a server sends if it is asked for one encoding and Raw: that one, or Raw alone if it does not have it. A server that
/// learns another must be entered here.
struct Sends {
    /// What it has, without Raw, and without CopyRect, which is never in the first picture.
    alone: &'static [&'static str],
    /// Those for which it sends another.
    instead: &'static [(&'static str, &'static str)],
    /// What it sends if a quality is asked for, besides those that always lose something.
    by_quality: &'static [&'static str],
}

const TIGERVNC: Sends = Sends { alone: &["tight", "zrle", "hextile", "rre"], instead: &[], by_quality: &["tight"] };
const TIGHTVNC: Sends =
    Sends { alone: &["tight", "zlib", "hextile", "corre", "rre"], instead: &[], by_quality: &["tight"] };
const LIBVNCSERVER: Sends = Sends {
    alone: &["tight", "zrle", "zlib", "hextile", "corre", "rre", "zywrle", "ultra"],
    instead: &[],
    by_quality: &["tight"],
};
// An older libvncserver with the TightVNC of its time.
const VINO: Sends =
    Sends { alone: &["tight", "zrle", "zlib", "hextile", "corre", "rre"], instead: &[], by_quality: &["tight"] };
// JPEG only for what changes often.
const QEMU: Sends =
    Sends { alone: &["tight", "zrle", "zlib", "hextile", "tightpng"], instead: &[("zywrle", "zrle")], by_quality: &[] };
const WAYVNC: Sends = Sends { alone: &["tight", "zrle"], instead: &[], by_quality: &[] };

/// An option that asks for fewer colours, what they are on the wire, and how far those of a screen may be from them: one
/// step of red, green and blue, since servers round as they like.
struct Fewer {
    option: &'static str,
    format: fn() -> PixelFormat,
    step: [u8; 3],
}

const FEWER: [Fewer; 2] = [
    Fewer { option: "--bgr233", format: PixelFormat::bgr233, step: [37, 37, 85] },
    Fewer { option: "--rgb565", format: PixelFormat::rgb565, step: [9, 5, 9] },
];

/// How far the colours of a picture may be from those of the screen on the average, with JPEG at quality 8 or wavelets at
/// that of [`sshvnc::rfb::encoding::ZYWRLE_QUALITY`]. Without colours at half the size about 1 is lost, with them 3.
const LOSS: f64 = 3.5;

fn all_colours() -> PixelFormat {
    PixelFormat::rgb888(ByteOrder::Bgrx.shifts())
}

/// The names of the encodings of the rectangles in what a server said, but for Raw.
fn used(heard: Vec<u8>, format: PixelFormat, asked: PixelEncoding) -> BTreeSet<&'static str> {
    let mut inbox = Inbox::default();
    inbox.push(heard.into());
    let mut handshake = Handshake::new(true);
    let init = loop {
        match handshake.advance(&mut inbox).unwrap() {
            Step::Send(_, next) => handshake = next,
            Step::Done(init, _) => break init,
            Step::NeedMore(_) | Step::NeedPassword(_) => panic!("a handshake without password was expected"),
        }
    };
    let mut client = Client::new(&init, &Settings::new(format, vec![asked.number]), ByteOrder::Bgrx);
    let mut canvas = canvas_for(&init, ByteOrder::Bgrx).unwrap();
    while client.receive(&mut inbox, &mut canvas).unwrap() == Received::UpdateDone {}
    assert!(client.counts().rectangles > 0);
    let numbers = client.counts().by_encoding.keys();
    let names = numbers.map(|number| PIXEL_ENCODINGS.iter().find(|known| known.number == *number).unwrap().name);
    names.filter(|name| *name != "raw").collect()
}

/// A screenshot in one encoding, and what was used for it. vino begins with a black screen for some of those who come just
/// after another has gone; that is looked at again, a few times.
fn look(
    port: u16,
    asked: PixelEncoding,
    more: &[&str],
    format: fn() -> PixelFormat,
) -> (Picture, BTreeSet<&'static str>) {
    let mut looks = (0..5).map(|_| look_once(port, asked, more, format));
    let is_black = |picture: &Picture| picture.2.iter().all(|&part| part == 0);
    let last = looks.by_ref().find(|(picture, _)| !is_black(picture));
    last.unwrap_or_else(|| panic!("{}, {more:?}: a black screen every time", asked.name))
}

fn look_once(
    port: u16,
    asked: PixelEncoding,
    more: &[&str],
    format: fn() -> PixelFormat,
) -> (Picture, BTreeSet<&'static str>) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("seen.png");
    let tap = Tap::to(port);
    let mut command = sshvnc(home.path());
    command.args(["screenshot", "--direct", "--encodings", asked.name]).args(more);
    let ended = run(command.arg(format!("127.0.0.1::{}", tap.port)).arg(&file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""), "{}, {more:?}", asked.name);
    (read_png(&file), used(tap.heard(), format(), asked))
}

fn by_name(name: &str) -> PixelEncoding {
    *PIXEL_ENCODINGS.iter().find(|known| known.name == name).unwrap()
}

/// Looks at a screen in every encoding, and in those that the server has with fewer colours and with a quality.
fn look_in_every_way(server: &str, port: u16, screen: &dyn Fn() -> Picture, sends: &Sends) {
    // Some look at their screen only now and then.
    let shown = || same_but_for_the_pointer(&look(port, by_name("raw"), &[], all_colours).0, &screen()).is_ok();
    assert!(within(Duration::from_secs(20), shown), "{server} does not show its screen");
    let screen = screen();
    for &asked in PIXEL_ENCODINGS {
        let what = format!("{server}, {}", asked.name);
        let instead = sends.instead.iter().find(|(name, _)| *name == asked.name).map(|(_, other)| *other);
        let sent = instead.or(sends.alone.contains(&asked.name).then_some(asked.name));
        let expected: BTreeSet<&str> = sent.into_iter().collect();
        let (seen, used) = look(port, asked, &[], all_colours);
        assert_eq!(used, expected, "{what}");
        if sent == Some("zywrle") {
            assert_near(&seen, &screen, &what);
            continue;
        }
        assert_eq!(same_but_for_the_pointer(&seen, &screen), Ok(()), "{what}");
        if sent.is_none() {
            continue;
        }
        for Fewer { option, format, step } in FEWER {
            let (seen, used) = look(port, asked, &[option], format);
            assert_eq!(used, expected, "{what}, {option}");
            let near = |a: &[u8], b: &[u8]| (0..3).all(|colour| a[colour].abs_diff(b[colour]) <= step[colour]);
            assert_eq!(like_but_for_the_pointer(&seen, &screen, near), Ok(()), "{what}, {option}");
            assert_ne!(seen.2, screen.2, "{what}, {option}: all colours");
        }
        if sends.by_quality.contains(&asked.name) {
            let (seen, used) = look(port, asked, &["--quality", "8"], all_colours);
            assert_eq!(used, expected, "{what}, with a quality");
            assert_near(&seen, &screen, &what);
        }
    }
}

/// Something was lost, but little.
fn assert_near(seen: &Picture, screen: &Picture, what: &str) {
    assert_eq!((seen.0, seen.1), (screen.0, screen.1), "{what}");
    let far: f64 = seen.2.iter().zip(&screen.2).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    let mean = far / seen.2.len() as f64;
    assert!(same_but_for_the_pointer(seen, screen).is_err() && mean < LOSS, "{what}: {mean} lost on the average");
}

/// Records while something moves; then the recording's last picture is the screen that `change` gives.
fn watch(server: &str, port: u16, expected: &[&str], change: &dyn Fn() -> Picture) {
    let home = tempfile::tempdir().unwrap();
    let (file, picture) = (home.path().join("seen.rfb"), home.path().join("seen.png"));
    let tap = Tap::to(port);
    let mut command = sshvnc(home.path());
    command.args(["record", "--direct", "--encodings", "copyrect"]);
    let recording = command.arg(format!("127.0.0.1::{}", tap.port)).arg(&file).spawn().unwrap();
    // The first picture is there.
    let begun = within(Duration::from_secs(10), || file.metadata().is_ok_and(|file| file.len() > 640 * 480 * 4));
    let screen = change();
    // Those that look now and then have seen it after that.
    std::thread::sleep(Duration::from_millis(1500));
    signal(recording.id(), "INT");
    let ended = finish(recording, Duration::from_secs(20));
    assert!(begun && ended.code == Some(130), "{server}: {}", ended.said);
    let ended = run(sshvnc(home.path()).args(["bench", "--passes", "1", "--dump"]).arg(&picture).arg(&file));
    assert_eq!(ended.code, Some(0), "{server}: {}", ended.said);
    assert_eq!(same_but_for_the_pointer(&read_png(&picture), &screen), Ok(()), "{server}");
    let format = PixelFormat::rgb888(ByteOrder::Rgbx.shifts());
    assert_eq!(used(tap.heard(), format, by_name("copyrect")), expected.iter().copied().collect(), "{server}");
}

fn desktop(server: Server, sends: &Sends, moves: &[&str]) {
    let desktop = Desktop::start_without_password(server).with_background(&scenery(800, 600));
    let name = format!("{server:?}");
    look_in_every_way(&name, desktop.port, &|| desktop.screen(), sends);
    watch(&name, desktop.port, moves, &|| {
        desktop.move_window(150, 90);
        // Until the server has painted what was uncovered.
        std::thread::sleep(Duration::from_millis(300));
        desktop.screen()
    });
}

#[test]
fn xtigervnc() {
    desktop(Server::Xtigervnc, &TIGERVNC, &["copyrect"]);
}

#[test]
fn x0tigervnc() {
    desktop(Server::X0tigervnc, &TIGERVNC, &[]);
}

#[test]
fn xtightvnc() {
    desktop(Server::Xtightvnc, &TIGHTVNC, &["copyrect"]);
}

#[test]
fn x11vnc() {
    desktop(Server::X11vnc, &LIBVNCSERVER, &[]);
}

#[test]
fn vino() {
    desktop(Server::Vino, &VINO, &[]);
}

#[test]
fn a_program_with_libvncserver() {
    let picture = scenery(640, 480);
    let program = Program::start(&picture);
    look_in_every_way("libvncserver", program.port, &|| picture.clone(), &LIBVNCSERVER);
    watch("libvncserver", program.port, &["copyrect"], &|| program.move_a_part());
}

#[test]
fn a_machine_in_qemu() {
    let machine = Machine::start();
    look_in_every_way("QEMU", machine.port, &|| machine.screen(), &QEMU);
}

#[test]
fn a_wayland_desktop_by_wayvnc() {
    let picture = scenery(640, 480);
    let desktop = Wayland::start(&picture);
    look_in_every_way("wayvnc", desktop.port, &|| picture.clone(), &WAYVNC);
}
