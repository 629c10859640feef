//! What is drawn over the desktop in a full screen: questions, menu, state of the connection; and the keys that are the
//! viewer's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};
use std::time::Duration;

use crate::real::desktop::{Desktop, PASSWORD, Screen, Server};
use crate::real::manager::Manager;
use crate::real::sshd::{PASSPHRASE, Sshd};
use crate::real::viewer::{Picture, finish, same_but_for_the_pointer, sshvnc, target};
use crate::real::window::Window;
use crate::real::{PATIENCE, within};

/// A full screen, with nothing but the keyboard to answer by.
fn full_screen(sshd: &Sshd, screen: &Screen, options: &[&str], target: &[String]) -> Child {
    let mut command: Command = sshvnc(&sshd.path("home"));
    command.arg("--fullscreen").args(options).args(target).env("DISPLAY", &screen.display);
    command.spawn().unwrap()
}

fn shows(screen: &Screen, desktop: &Desktop) -> Result<(), String> {
    same_but_for_the_pointer(&screen.picture(), &desktop.screen())
}

/// Waits until the screen is another one than `before`, and stays so for a moment.
fn changed(screen: &Screen, before: &Picture) -> Picture {
    let mut last = screen.picture();
    let settled = within(PATIENCE, || {
        std::thread::sleep(Duration::from_millis(150));
        let now = screen.picture();
        let settled = now == last && now != *before;
        last = now;
        settled
    });
    assert!(settled, "nothing new is shown");
    last
}

#[test]
fn questions_are_answered_by_keys_and_only_once() {
    let mut sshd = Sshd::start();
    let (screen, desktop) = (Screen::start(800, 600), Desktop::start(Server::Xtigervnc));
    fs::remove_file(sshd.known_hosts()).unwrap();
    let mut to = target(&sshd, desktop.port);
    to[1] = sshd.path("locked").to_str().unwrap().to_owned();
    let black = screen.picture();
    // With a fallback there is a log, which tells what was asked.
    let options = ["--fallback", "true", "-o", "IdentitiesOnly=yes"];
    let viewer = full_screen(&sshd, &screen, &options, &to);
    let window = Window::new(viewer, &screen.display);
    let log = || fs::read_to_string(sshd.path("home/.local/state/sshvnc/session.log")).unwrap_or_default();
    let asked = |what: &str, before: &Picture| {
        assert!(within(PATIENCE, || log().contains(&format!("asking in the window: {what}"))), "{what}: {}", log());
        changed(&screen, before)
    };
    // "Do not connect" is chosen at first: the other one is one step away.
    let host_key = asked("is this ssh-ed25519 key", &black);
    window.act(&["key", "Left", "Return"]);
    let passphrase = asked("passphrase for", &host_key);
    window.act(&["type", PASSPHRASE]);
    // It is not to be read on the screen, but something was typed.
    assert!(within(PATIENCE, || screen.picture() != passphrase));
    window.act(&["key", "Return"]);
    asked("VNC password of", &passphrase);
    window.act(&["type", PASSWORD]);
    window.act(&["key", "Return"]);
    assert!(within(PATIENCE, || shows(&screen, &desktop).is_ok()), "{:?}", shows(&screen, &desktop));
    assert!(fs::read_to_string(sshd.known_hosts()).unwrap().contains("ssh-ed25519"));
    // What was answered is remembered, and nothing is asked again.
    sshd.kill();
    assert!(within(PATIENCE, || shows(&screen, &desktop).is_err()));
    sshd.start_again();
    assert!(within(PATIENCE, || shows(&screen, &desktop).is_ok()), "{:?}", shows(&screen, &desktop));
    let log = fs::read_to_string(sshd.path("home/.local/state/sshvnc/session.log")).unwrap();
    assert_eq!(log.matches("asking in the window").count(), 3, "{log}");
    let ended = window.close();
    assert_eq!(ended.code, Some(143), "{}", ended.said);
    assert!(![&ended.said, &log].iter().any(|said| said.contains(PASSWORD) || said.contains(PASSPHRASE)), "{log}");
}

#[test]
fn a_question_that_is_declined_ends_it() {
    let sshd = Sshd::start();
    let (screen, desktop) = (Screen::start(800, 600), Desktop::start(Server::Xtigervnc));
    let black = screen.picture();
    let viewer = full_screen(&sshd, &screen, &[], &target(&sshd, desktop.port));
    let window = Window::new(viewer, &screen.display);
    changed(&screen, &black);
    std::thread::sleep(Duration::from_secs(1));
    window.act(&["key", "Escape"]);
    // The reason is shown until a key is pressed.
    std::thread::sleep(Duration::from_millis(700));
    window.act(&["key", "Escape"]);
    let ended = finish(window.viewer, PATIENCE);
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    assert!(ended.said.contains("password"), "{}", ended.said);
}

#[test]
fn a_host_key_that_changed_meanwhile_is_refused_without_any_file() {
    let mut sshd = Sshd::start();
    let (screen, desktop) = (Screen::start(800, 600), Desktop::start(Server::Xtigervnc));
    // Every key is let pass, so that only what was seen before can tell.
    let options = ["--reconnect", "forever", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
    let mut command = sshvnc(&sshd.path("home"));
    command.arg("--fullscreen").args(options).args(target(&sshd, desktop.port));
    let viewer = command.env("DISPLAY", &screen.display).env("VNC_PASSWORD", PASSWORD).spawn().unwrap();
    assert!(within(PATIENCE, || shows(&screen, &desktop).is_ok()), "{:?}", shows(&screen, &desktop));
    sshd.kill();
    fs::remove_file(sshd.path("host")).unwrap();
    fs::remove_file(sshd.path("host.pub")).unwrap();
    crate::real::sshd::make_key(sshd.folder.path(), "host", &["ed25519"]);
    sshd.start_again();
    let ended = finish(viewer, PATIENCE);
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    assert!(ended.said.contains("another one than when the connection was first made"), "{}", ended.said);
}

#[test]
fn the_menu_opens_over_a_desktop_and_over_a_dead_one() {
    let sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    let events = desktop.path("client.log");
    let desktop = desktop.with_client("xev", &["-geometry", "800x600+0+0"]);
    let mut command = sshvnc(&sshd.path("home"));
    command.args(["--fullscreen", "--menu-key", "F8"]).args(target(&sshd, desktop.port));
    let viewer = command.env("DISPLAY", &screen.display).env("VNC_PASSWORD", PASSWORD).spawn().unwrap();
    let window = Window::new(viewer, &screen.display);
    assert!(within(PATIENCE, || shows(&screen, &desktop).is_ok()), "{:?}", shows(&screen, &desktop));
    window.point(400, 500);
    let pressed = |key: &str| {
        let log = fs::read_to_string(&events).unwrap();
        let kind = |lines: &str, kind: &str| lines.trim_start().starts_with(kind) && lines.contains(key);
        let count = |what: &str| log.split("\n\n").filter(|lines| kind(lines, what)).count();
        (count("KeyPress"), count("KeyRelease"))
    };
    let plain = screen.picture();
    for keys in [&["ctrl+alt+m"][..], &["F8"]] {
        window.act(&[&["key"], keys].concat());
        changed(&screen, &plain);
        // Keys go to the menu now.
        window.act(&["key", "x"]);
        window.act(&["key", "Escape"]);
        assert!(within(PATIENCE, || shows(&screen, &desktop).is_ok()), "{:?}", shows(&screen, &desktop));
    }
    window.act(&["key", "y"]);
    assert!(within(PATIENCE, || pressed(", y)") == (1, 1)));
    assert_eq!((pressed(", x)"), pressed(", m)"), pressed("F8)")), ((0, 0), (0, 0), (0, 0)));
    // The modifiers were pressed, and released again.
    assert_eq!((pressed("Control_L)"), pressed("Alt_L)")), ((1, 1), (1, 1)));
    // A server that hangs hangs nothing here.
    for connection in sshd.connections() {
        crate::real::signal(connection, "STOP");
    }
    window.act(&["key", "ctrl+alt+m"]);
    changed(&screen, &plain);
    // The last item ends it.
    window.act(&["key", "Up", "Return"]);
    let ended = finish(window.viewer, PATIENCE);
    for connection in sshd.connections() {
        crate::real::signal(connection, "CONT");
    }
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

#[test]
fn statistics_are_shown_and_hidden() {
    let sshd = Sshd::start();
    let (screen, desktop) = (Screen::start(800, 600), Desktop::start(Server::Xtigervnc));
    let mut command = sshvnc(&sshd.path("home"));
    command.args(["--fullscreen", "--stats"]).args(target(&sshd, desktop.port));
    let viewer = command.env("DISPLAY", &screen.display).env("VNC_PASSWORD", PASSWORD).spawn().unwrap();
    let window = Window::new(viewer, &screen.display);
    // All but the upper right corner is the desktop.
    let left = |(width, height, pixels): Picture| -> Vec<u8> {
        let row = |y: u32| pixels[(y * width * 3) as usize..][..300 * 3].to_vec();
        (0..height).flat_map(row).collect()
    };
    let same = || left(screen.picture()) == left(desktop.screen());
    assert!(within(PATIENCE, || same() && shows(&screen, &desktop).is_err()));
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn a_program_that_asks_stays_away_from_a_full_screen_that_is_still_to_come() {
    let home = tempfile::tempdir().unwrap();
    let (screen, desktop) = (Screen::start(800, 600), Desktop::start(Server::Xtigervnc));
    // It takes its time.
    let _manager = Manager::start(&screen.display, false);
    let mut command = sshvnc(home.path());
    command.args(["--fullscreen", "--direct", "--fallback", "true"]).arg(format!("127.0.0.1::{}", desktop.port));
    let asked = home.path().join("asked");
    let askpass = home.path().join("askpass");
    fs::write(&askpass, format!("#!/bin/sh\ntouch '{}'\necho {PASSWORD}\n", asked.display())).unwrap();
    fs::set_permissions(&askpass, fs::Permissions::from_mode(0o755)).unwrap();
    command.env("SSH_ASKPASS", &askpass).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", &screen.display);
    let window = Window::new(command.spawn().unwrap(), &screen.display);
    let log = || fs::read_to_string(home.path().join(".local/state/sshvnc/session.log")).unwrap_or_default();
    assert!(within(PATIENCE, || log().contains("asking in the window: VNC password") || asked.exists()), "{}", log());
    assert!(!asked.exists());
    assert_eq!(window.close().code, Some(143));
}
