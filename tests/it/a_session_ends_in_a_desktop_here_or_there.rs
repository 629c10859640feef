//! The viewer as a whole X session: a desktop there, or one here instead, and one that was lost comes back.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::real::desktop::{Desktop, Screen, Server, screen_of};
use crate::real::sshd::Sshd;
use crate::real::viewer::{finish, same_but_for_the_pointer, sshvnc, sshvnc_at, target};
use crate::real::window::Window;
use crate::real::{PATIENCE, Running, free_port, output, within};
use crate::the_program_survives_hostile_servers::server_init;

/// A command that leaves its process number and its words behind, and the file in which it does.
fn fallback(folder: &Path) -> (String, std::path::PathBuf) {
    let file = folder.join("fallback ran");
    (format!("sh -c 'echo $$ \"$@\" > \"{}\"' sh one 'two three'", file.display()), file)
}

fn log_of(sshd: &Sshd) -> String {
    fs::read_to_string(sshd.path("home/.local/state/sshvnc/session.log")).unwrap_or_default()
}

/// The X session of somebody whose desktop is behind `sshd`.
fn session(sshd: &Sshd, port: u16, screen: &Screen, options: &[&str]) -> Child {
    let mut command = sshvnc_at(sshd);
    command.args(["--fullscreen"]).args(options).args(target(sshd, port)).env("DISPLAY", &screen.display);
    command.spawn().unwrap()
}

#[test]
fn without_a_way_to_the_desktop_another_program_takes_the_process() {
    let mut sshd = Sshd::start();
    sshd.kill();
    let screen = Screen::start(800, 600);
    let (command, file) = fallback(sshd.folder.path());
    let start = Instant::now();
    let child = session(&sshd, 5901, &screen, &["--fallback", &command, "--connect-timeout", "4"]);
    let id = child.id();
    let ended = finish(child, PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{id} one two three\n"));
    let took = start.elapsed();
    assert!(took > Duration::from_secs(3) && took < Duration::from_secs(15), "{took:?}");
    let log = log_of(&sshd);
    assert!(log.contains("refused") && log.contains("starting sh -c"), "{log}");
    assert!(ended.said.contains("refused") && ended.said.lines().count() == 1, "{}", ended.said);
}

#[test]
fn what_the_fallback_is_not_for_ends_the_session() {
    let sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let (command, file) = fallback(sshd.folder.path());
    // A key that the server does not know: not let in.
    let stranger = sshd.path("stranger").to_str().unwrap().to_owned();
    let mut arguments = vec!["--fallback", &command, "--fallback-on", "lost", "-o", "BatchMode=yes"];
    arguments.extend(["-o", "IdentitiesOnly=yes"]);
    let mut named = target(&sshd, 5901);
    named[1] = stranger;
    let mut viewer = sshvnc_at(&sshd);
    viewer.args(["--fullscreen"]).args(&arguments).args(&named).env("DISPLAY", &screen.display);
    assert_eq!(finish(viewer.spawn().unwrap(), PATIENCE).code, Some(3));
    assert!(!file.exists());
    // Nothing listens there, and only a loss was named.
    let child = session(
        &sshd,
        free_port(),
        &screen,
        &["--fallback", &command, "--fallback-on", "lost", "--connect-timeout", "2"],
    );
    assert_eq!(finish(child, PATIENCE).code, Some(2));
    assert!(!file.exists());
}

#[test]
fn a_fallback_that_does_not_exist_is_told_of_before_it_is_needed() {
    let sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let child = session(&sshd, free_port(), &screen, &["--fallback", "no-such-program", "--connect-timeout", "2"]);
    let ended = finish(child, PATIENCE);
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    let first = ended.said.lines().next().unwrap_or_default();
    assert!(first.contains("there is no program no-such-program"), "{}", ended.said);
    assert!(ended.said.contains("no-such-program could not be started"), "{}", ended.said);
    assert!(log_of(&sshd).contains("no program no-such-program"));
}

#[test]
fn a_desktop_that_was_lost_comes_back_without_a_touch() {
    let mut sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let desktop = Desktop::start(Server::Xtigervnc);
    let (command, file) = fallback(sshd.folder.path());
    let viewer = session(&sshd, desktop.port, &screen, &["--fallback", &command]);
    let window = Window::new(viewer, &screen.display);
    let shows = || same_but_for_the_pointer(&screen.picture(), &desktop.screen());
    assert!(within(PATIENCE, || shows().is_ok()), "{:?}", shows());
    for _ in 0..2 {
        sshd.kill();
        assert!(within(PATIENCE, || shows().is_err()), "nothing shows that it is lost");
        // What is typed now is for nobody.
        window.act(&["key", "x"]);
        std::thread::sleep(Duration::from_secs(2));
        sshd.start_again();
        assert!(within(PATIENCE, || shows().is_ok()), "{:?}: {}", shows(), log_of(&sshd));
    }
    let log = log_of(&sshd);
    assert!(log.matches("the desktop is there again").count() == 2, "{log}");
    assert!(!file.exists());
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn a_desktop_that_does_not_come_back_is_replaced() {
    let mut sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let desktop = Desktop::start(Server::Xtigervnc);
    let (command, file) = fallback(sshd.folder.path());
    let options = ["--fallback", &command, "--reconnect-timeout", "4"];
    let viewer = session(&sshd, desktop.port, &screen, &options);
    let shows = || same_but_for_the_pointer(&screen.picture(), &desktop.screen());
    assert!(within(PATIENCE, || shows().is_ok()), "{:?}", shows());
    sshd.kill();
    let ended = finish(viewer, PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(file.exists() && ended.said.contains("did not come back"), "{}", ended.said);
}

#[test]
fn a_desktop_that_ended_in_order_ends_the_session() {
    let sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let mut desktop = Desktop::start(Server::Xtigervnc);
    let (command, file) = fallback(sshd.folder.path());
    let viewer = session(&sshd, desktop.port, &screen, &["--fallback", &command]);
    let shows = || same_but_for_the_pointer(&screen.picture(), &desktop.screen());
    assert!(within(PATIENCE, || shows().is_ok()), "{:?}", shows());
    desktop.stop_server();
    let ended = finish(viewer, PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(!file.exists());
}

#[test]
fn signals_and_the_death_of_the_screen_end_it() {
    let mut sshd = Sshd::start();
    sshd.kill();
    let (command, file) = fallback(sshd.folder.path());
    for (name, code) in [("TERM", Some(143)), ("HUP", Some(129))] {
        let screen = Screen::start(800, 600);
        let viewer = session(&sshd, 5901, &screen, &["--fallback", &command, "--connect-timeout", "60"]);
        std::thread::sleep(Duration::from_millis(1500));
        crate::real::signal(viewer.id(), name);
        assert_eq!(finish(viewer, PATIENCE).code, code, "{name}");
    }
    let mut screen = Screen::start(800, 600);
    let viewer = session(&sshd, 5901, &screen, &["--fallback", &command, "--connect-timeout", "60"]);
    std::thread::sleep(Duration::from_millis(1500));
    screen.kill();
    assert_eq!(finish(viewer, PATIENCE).code, Some(5));
    assert!(!file.exists());
}

/// What starts X starts it: xinit, with a script of the user's.
#[test]
fn the_last_line_of_a_users_script_is_enough() {
    let mut sshd = Sshd::start();
    let mut desktop = Desktop::start(Server::Xtigervnc);
    let file = sshd.path("fallback ran");
    let script = sshd.path("xinitrc");
    let words = target(&sshd, desktop.port).join(" ");
    let program = env!("CARGO_BIN_EXE_sshvnc");
    let line =
        format!("exec {program} --fullscreen --connect-timeout 4 --fallback \"touch '{}'\" {words}", file.display());
    fs::write(&script, format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let home = sshd.path("home");
    let run = || {
        let display = format!(":{}", free_port());
        let mut xinit = std::process::Command::new("xinit");
        xinit.arg(&script).args(["--", "/usr/bin/Xvfb", &display, "-screen", "0", "800x600x24", "-noreset"]);
        xinit.env("HOME", &home).env("VNC_PASSWORD", crate::real::desktop::PASSWORD).env_remove("DISPLAY");
        (xinit.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap(), display)
    };
    let (session, display) = run();
    assert!(within(PATIENCE, || x11rb::connect(Some(&display)).is_ok()), "no screen");
    let shows = || same_but_for_the_pointer(&screen_of(&display), &desktop.screen());
    assert!(within(PATIENCE, || shows().is_ok()), "{:?}", shows());
    // Whoever logs out there is logged out here.
    desktop.stop_server();
    finish(session, PATIENCE);
    assert!(!file.exists());
    sshd.kill();
    let start = Instant::now();
    let (session, _) = run();
    finish(session, PATIENCE);
    assert!(file.exists() && start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

/// In a network of its own, whose changes concern nobody else.
#[test]
fn a_network_that_changes_is_tried_at_once_for_root_to_test() {
    let sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let mut command = std::process::Command::new("unshare");
    command.args(["--net", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_sshvnc")]);
    command.args(["--fullscreen", "--fallback", "true", "--connect-timeout", "100"]).args(target(&sshd, 5901));
    command.env("HOME", sshd.path("home")).env("DISPLAY", &screen.display);
    let viewer = Running::start(&mut command, &sshd.path("viewer.log"));
    let attempts = || log_of(&sshd).matches("trying again\n").count();
    // After the third one it waits for 8 s.
    assert!(within(PATIENCE, || attempts() == 3), "{}", log_of(&sshd));
    std::thread::sleep(Duration::from_millis(500));
    let (start, id) = (Instant::now(), viewer.id().to_string());
    let mut change = std::process::Command::new("nsenter");
    output(change.args(["--net", "--target", &id, "ip", "address", "add", "192.0.2.9/32", "dev", "lo"]));
    assert!(within(PATIENCE, || attempts() == 4), "{}", log_of(&sshd));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

/// A server that opens the door and closes it again is no desktop, however often it does so.
#[test]
fn a_server_that_only_shakes_hands_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.and_then(|mut stream| {
                server_init(&mut stream, 800, 600, 4)?;
                stream.write_all(b"door")
            });
        }
    });
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::start(800, 600);
    let (command, file) = fallback(home.path());
    let mut viewer = sshvnc(home.path());
    viewer.args(["--direct", "--fullscreen", "--fallback", &command, "--connect-timeout", "4"]);
    viewer.arg(format!("127.0.0.1::{port}")).env("DISPLAY", &screen.display);
    let start = Instant::now();
    let ended = finish(viewer.spawn().unwrap(), PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(file.exists() && start.elapsed() < Duration::from_secs(15), "{:?}: {}", start.elapsed(), ended.said);
}

#[test]
fn a_signal_during_the_last_words_starts_nothing() {
    let mut sshd = Sshd::start();
    sshd.kill();
    let screen = Screen::start(800, 600);
    let (command, file) = fallback(sshd.folder.path());
    let viewer = session(&sshd, 5901, &screen, &["--fallback", &command, "--connect-timeout", "2"]);
    let log = || log_of(&sshd);
    // The second attempt is the last.
    assert!(within(PATIENCE, || log().contains("trying again\n")), "{}", log());
    std::thread::sleep(Duration::from_millis(1500));
    crate::real::signal(viewer.id(), "TERM");
    assert_eq!(finish(viewer, PATIENCE).code, Some(143));
    assert!(!file.exists());
}
