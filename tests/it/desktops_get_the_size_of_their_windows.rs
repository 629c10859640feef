//! Servers are asked for a desktop as large as the full screen, with its screens, and as large as the user makes the
//! window; those that refuse are shown as they are.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::real::desktop::{Desktop, Screen, Server, xdotool};
use crate::real::viewer::{Ended, same_but_for_the_pointer, sshvnc};
use crate::real::window::Window;
use crate::real::{PATIENCE, output, within};
use crate::server::{PLAIN, rectangle, update};
use crate::the_program_survives_hostile_servers::server_init;

/// Long enough for a request that should not be sent to have its effect.
const A_WHILE: Duration = Duration::from_millis(2500);

/// A viewer without SSH.
fn open(port: u16, display: &str, options: &[&str]) -> (Window, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let mut command = sshvnc(home.path());
    command.args(["--direct", &format!("127.0.0.1::{port}")]).args(options).env("DISPLAY", display);
    let window = Window::new(command.spawn().unwrap(), display);
    assert!(within(PATIENCE, || window.id().is_some()), "no window: {:?}", window.close());
    (window, home)
}

fn xrandr(display: &str, arguments: &[&str]) -> String {
    output(Command::new("xrandr").args(arguments).env("DISPLAY", display))
}

fn becomes(desktop: &Desktop, width: u32, height: u32) -> bool {
    within(Duration::from_secs(10), || {
        let (w, h, _) = desktop.screen();
        (w, h) == (width, height)
    })
}

fn stays(desktop: &Desktop, width: u32, height: u32) -> bool {
    std::thread::sleep(A_WHILE);
    let (w, h, _) = desktop.screen();
    (w, h) == (width, height)
}

fn shows(window: &Window, desktop: &Desktop) -> bool {
    within(Duration::from_secs(10), || same_but_for_the_pointer(&window.picture(), &desktop.screen()).is_ok())
}

fn ended_quietly(window: Window) {
    let Ended { code, said, .. } = window.close();
    // Beside what --direct says of itself.
    assert!(code == Some(143) && said.lines().count() <= 1, "{code:?}: {said}");
}

#[test]
fn a_full_screen_is_given_its_size_and_follows_the_screen() {
    // A server whose screen can change.
    let screen = Desktop::start_with_options(&["-geometry", "1000x700"]);
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    let (window, _home) = open(desktop.port, &screen.display, &["--fullscreen"]);
    xdotool(&screen.display, &["mousemove", "990", "690"]);
    assert!(becomes(&desktop, 1000, 700), "{:?}", desktop.screen().0);
    assert!(shows(&window, &desktop));
    for (width, height) in [(1024, 768), (640, 480)] {
        xrandr(&screen.display, &["-s", &format!("{width}x{height}")]);
        assert!(becomes(&desktop, width, height), "{width}x{height}, not {}", desktop.screen().0);
        assert!(within(Duration::from_secs(10), || window.place() == (0, 0, width, height)), "{:?}", window.place());
        assert!(shows(&window, &desktop));
    }
    // Somebody else changes it: that stays, in the middle.
    xrandr(&desktop.display, &["-s", "800x600"]);
    assert!(stays(&desktop, 800, 600));
    assert_eq!(window.place(), (0, 0, 640, 480));
    ended_quietly(window);
    // The portable front end has no other size than that with which it opens.
    let (window, _home) = open(desktop.port, &screen.display, &["--fullscreen", "--display", "minifb"]);
    assert!(becomes(&desktop, 640, 480), "{:?}", desktop.screen().0);
    ended_quietly(window);
}

#[test]
fn a_window_changes_the_desktop_when_the_user_changes_it_and_follows_otherwise() {
    let screen = Screen::start(1200, 900);
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    let (window, _home) = open(desktop.port, &screen.display, &[]);
    assert!(stays(&desktop, 800, 600));
    let resize = |width: u32, height: u32| {
        xdotool(&screen.display, &["windowsize", &window.id().unwrap(), &width.to_string(), &height.to_string()]);
    };
    resize(640, 480);
    assert!(becomes(&desktop, 640, 480), "{:?}", desktop.screen().0);
    assert!(shows(&window, &desktop));
    // As by hand, in many steps: the last counts, and the window is where the hand has left it.
    for step in 0..30 {
        resize(640 + 10 * step, 480 + 5 * step);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(becomes(&desktop, 930, 625), "{:?}", desktop.screen().0);
    assert_eq!(window.place(), (0, 0, 930, 625));
    assert!(shows(&window, &desktop));
    // And the other way.
    for (width, height) in [(1024, 768), (800, 600)] {
        xrandr(&desktop.display, &["-s", &format!("{width}x{height}")]);
        let follows = within(Duration::from_secs(10), || window.place() == (0, 0, width, height));
        assert!(follows, "{:?}", window.place());
        assert!(stays(&desktop, width, height) && shows(&window, &desktop));
    }
    ended_quietly(window);
}

#[test]
fn under_a_window_manager_the_desktop_follows_the_full_screen_there_and_back() {
    let screen = Screen::start(1000, 700);
    let _manager = screen.manage("openbox", &["--sm-disable"]);
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    let (window, _home) = open(desktop.port, &screen.display, &["--fullscreen"]);
    assert!(becomes(&desktop, 1000, 700), "{:?}", desktop.screen().0);
    xdotool(&screen.display, &["mousemove", "990", "690"]);
    assert!(shows(&window, &desktop));
    // The user ends it with a key of openbox: the window is as large as it would have been, and the desktop too.
    screen.ask_to_cover(window.id().unwrap().parse().unwrap(), false);
    assert!(becomes(&desktop, 800, 600), "{:?} {:?}", desktop.screen().0, window.place());
    assert!(shows(&window, &desktop));
    screen.ask_to_cover(window.id().unwrap().parse().unwrap(), true);
    assert!(becomes(&desktop, 1000, 700), "{:?} {:?}", desktop.screen().0, window.place());
    assert!(shows(&window, &desktop));
    ended_quietly(window);
}

#[test]
fn whoever_does_not_want_it_changes_nothing() {
    let screen = Screen::start(1000, 700);
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    for options in [&["--fullscreen", "--no-remote-resize"], &["--fullscreen", "--view-only"]] {
        let (window, _home) = open(desktop.port, &screen.display, options);
        assert!(stays(&desktop, 800, 600), "{options:?}");
        assert_eq!(window.place(), (0, 0, 1000, 700));
        ended_quietly(window);
    }
}

#[test]
fn a_server_that_refuses_is_scaled() {
    let screen = Screen::start(1000, 700);
    let desktop = Desktop::start_without_password(Server::X11vnc);
    let (window, _home) = open(desktop.port, &screen.display, &["--fullscreen", "--scaling", "fill", "-v"]);
    assert!(stays(&desktop, 800, 600));
    // The terminal's white at its right edge, and the background behind it.
    let scaled = within(Duration::from_secs(10), || {
        let (seen, there) = (window.picture(), desktop.screen());
        let at = |(width, _, pixels): &(u32, u32, Vec<u8>), x: u32, y: u32| {
            pixels[((y * width + x) * 3) as usize..][..3].to_vec()
        };
        [(510, 340), (20, 590), (790, 590)]
            .iter()
            .all(|&(x, y)| at(&seen, x * 1000 / 800, y * 700 / 600) == at(&there, x, y))
    });
    assert!(scaled);
    let said = window.close().said;
    assert!(said.matches("keeps the size of its desktop: it is not allowed").count() == 1, "{said}");
}

/// The rectangles of a desktop's monitors, as its own X server has them.
fn monitors(desktop: &Desktop) -> Vec<String> {
    let listed = xrandr(&desktop.display, &["--query"]);
    let connected = listed.lines().filter(|line| line.contains(" connected"));
    let place =
        |line: &str| line.split_whitespace().find(|word| word.contains('x') && word.contains('+')).map(str::to_owned);
    let mut places: Vec<String> = connected.filter_map(place).collect();
    places.sort();
    places
}

#[test]
fn the_screens_here_become_screens_there() {
    let screen = Screen::start(1000, 500);
    screen.cut(&[[600, 500, 0, 0], [400, 300, 600, 100]]);
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    for (screens, size, expected) in [
        ("all", (1000, 500), &["400x300+600+100", "600x500+0+0"][..]),
        ("2", (400, 300), &["400x300+0+0"]),
        ("1", (600, 500), &["600x500+0+0"]),
        ("1,2", (1000, 500), &["400x300+600+100", "600x500+0+0"]),
    ] {
        let (window, _home) = open(desktop.port, &screen.display, &["--fullscreen", "--screens", screens]);
        assert!(becomes(&desktop, size.0, size.1), "{screens}: {:?}", desktop.screen().0);
        let there = within(Duration::from_secs(5), || monitors(&desktop) == expected);
        assert!(there, "{screens}: {}", xrandr(&desktop.display, &["--query"]));
        assert!(shows(&window, &desktop), "{screens}");
        ended_quietly(window);
    }
}

/// A desktop that has another size each hundredth of a second, until nobody looks any more. Counts the keys that are
/// pressed, and the sizes that it is asked for.
fn change_without_end(stream: &mut TcpStream, keys: &AtomicUsize, asked: &AtomicUsize) {
    let mut ears = stream.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = ears.read(&mut bytes) {
                // KeyEvent, x pressed; SetDesktopSize.
                let count_of = |what: &[u8]| bytes[..count].windows(what.len()).filter(|it| *it == what).count();
                keys.fetch_add(count_of(&[4, 1, 0, 0, 0, 0, 0, b'x']), Ordering::Relaxed);
                asked.fetch_add(count_of(&[251, 0]), Ordering::Relaxed);
            }
        });
        let start = Instant::now();
        for turn in 0u16.. {
            // The screen has room for some. Nobody asked for them, we did, and somebody else did; screens are nonsense.
            let (width, height) = (1 + turn.wrapping_mul(37) % 1500, 1 + turn.wrapping_mul(53) % 900);
            let screen = [&[1, 0, 0, 0][..], &[turn as u8; 16]].concat();
            let size = rectangle([turn % 3, 0, width, height], -308, &screen);
            let said = update(&[size, rectangle([0, 0, 1, 1], 0, PLAIN.pixel('R'))]);
            if start.elapsed() > Duration::from_secs(30) || stream.write_all(&said).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = stream.shutdown(std::net::Shutdown::Both);
    });
}

#[test]
fn a_server_that_changes_its_size_without_end_leaves_the_viewer_alive() {
    let screen = Screen::start(1024, 768);
    // A full screen is asked for once, whatever comes of it; a window that the user leaves alone is not.
    for (options, times) in [(&["--fullscreen"][..], 1), (&[], 0)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (keys, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                server_init(&mut stream, 64, 48, 1).unwrap();
                stream.write_all(b"x").unwrap();
                change_without_end(&mut stream, &keys, &asked);
            });
            let (window, _home) = open(port, &screen.display, options);
            xdotool(&screen.display, &["mousemove", "0", "0"]);
            std::thread::sleep(Duration::from_secs(3));
            for count in 1..=3 {
                xdotool(&screen.display, &["key", "x"]);
                let arrives = within(Duration::from_secs(2), || keys.load(Ordering::Relaxed) >= count);
                assert!(arrives, "{options:?} {count}");
            }
            if times == 1 {
                assert_eq!(window.place(), (0, 0, 1024, 768));
            }
            ended_quietly(window);
        });
        assert_eq!(asked.load(Ordering::Relaxed), times, "{options:?}");
    }
}
