//! Reconnecting, when it is not as simple as a server that is away and back: what passes is waited for, what does not pass
//! has an end, and the program that is to be started instead is started.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use x11rb::protocol::xkb::{ConnectionExt as _, ID};
use x11rb::protocol::xproto::{ConnectionExt as _, InputFocus};
use x11rb::rust_connection::RustConnection;

use crate::real::desktop::{Desktop, Screen, Server};
use crate::real::sshd::Sshd;
use crate::real::viewer::{finish, same_but_for_the_pointer, sshvnc, sshvnc_at, target};
use crate::real::window::Window;
use crate::real::{PATIENCE, Running, signal, within};
use crate::the_program_survives_hostile_servers::{rectangle, server_init};

fn log_of(home: &Path) -> String {
    fs::read_to_string(home.join(".local/state/sshvnc/session.log")).unwrap_or_default()
}

/// A server that says this to everybody, and whether it closes the connection then.
fn server(words: Vec<u8>, closes: bool) -> u16 {
    server_in_turn(vec![(words, closes)])
}

/// A server that says the first of these to who comes first, and so on; the last to everybody else.
fn server_in_turn(turns: Vec<(Vec<u8>, bool)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for (number, mut stream) in listener.incoming().flatten().enumerate() {
            let (words, closes) = &turns[number.min(turns.len() - 1)];
            let said = server_init(&mut stream, 64, 64, 4).and_then(|()| stream.write_all(b"door"));
            if said.and_then(|()| stream.write_all(words)).is_ok() && *closes {
                // What was asked is read, so that closing does not take back what was said.
                let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
                while stream.read(&mut [0; 999]).is_ok_and(|count| count > 0) {}
            } else {
                open.push(stream);
            }
        }
    });
    port
}

/// What runs instead leaves its environment in a file.
fn fallback(folder: &Path) -> (String, std::path::PathBuf) {
    let file = folder.join("environment");
    (format!("sh -c 'env > \"{}\"'", file.display()), file)
}

#[test]
fn a_server_that_refuses_for_a_while_and_a_file_that_is_away() {
    let mut sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let desktop = Desktop::start(Server::Xtigervnc);
    let (command, file) = fallback(sshd.folder.path());
    let password = sshd.path("home/passwd");
    fs::copy(desktop.path("passwd"), &password).unwrap();
    let mut viewer = sshvnc_at(&sshd);
    viewer.env_remove("VNC_PASSWORD").env("DISPLAY", &screen.display);
    viewer.args(["--fullscreen", "--fallback", &command, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]);
    viewer.arg("--passwd").arg(&password);
    viewer.args(target(&sshd, desktop.port));
    let _viewer = Running::start(&mut viewer, &sshd.path("viewer.log"));
    let shows = || same_but_for_the_pointer(&screen.picture(), &desktop.screen());
    assert!(within(PATIENCE, || shows().is_ok()), "{:?}", shows());
    // As a machine that starts: at first the home is not there, then nobody is let in yet.
    let (keys, away) = (sshd.path("authorized_keys"), sshd.path("away"));
    fs::rename(&keys, &away).unwrap();
    fs::rename(&password, sshd.path("passwd")).unwrap();
    sshd.kill();
    let log = || log_of(&sshd.path("home"));
    assert!(within(PATIENCE, || log().contains("passwd: No such file")), "{}", log());
    // It comes back bit by bit, and the known hosts last of all.
    fs::rename(sshd.path("user"), sshd.path("user-away")).unwrap();
    fs::rename(sshd.known_hosts(), sshd.path("known-away")).unwrap();
    fs::rename(sshd.path("passwd"), &password).unwrap();
    assert!(within(PATIENCE, || log().contains("user: no such key file")), "{}", log());
    fs::rename(sshd.path("user-away"), sshd.path("user")).unwrap();
    sshd.start_again();
    let log = || log_of(&sshd.path("home"));
    assert!(within(PATIENCE, || log().contains("did not let")), "{}", log());
    fs::rename(&away, &keys).unwrap();
    assert!(within(PATIENCE, || shows().is_ok()), "{:?}: {}", shows(), log());
    assert!(log().contains("the desktop is there again") && !file.exists(), "{}", log());
}

#[test]
fn a_server_that_shows_nothing_is_given_up_in_time() {
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::start(800, 600);
    let (command, file) = fallback(home.path());
    // It rings the bell from time to time and asks for statistics: neither is a picture.
    let port = server(vec![2; 3], false);
    let mut viewer = sshvnc(home.path());
    viewer.args(["--direct", "--fullscreen", "--stats", "--fallback", &command, "--connect-timeout", "4"]);
    viewer.arg(format!("127.0.0.1::{port}")).env("DISPLAY", &screen.display).env("VNC_PASSWORD", "secret");
    let start = Instant::now();
    let ended = finish(viewer.spawn().unwrap(), PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}: {}", start.elapsed(), ended.said);
    assert!(ended.said.contains("no desktop within 4 s"), "{}", ended.said);
    // The password was meant for somebody else.
    let environment = fs::read_to_string(file).unwrap();
    assert!(environment.contains("DISPLAY=") && !environment.contains("secret"), "{environment}");
}

#[test]
fn a_desktop_that_breaks_each_time_is_not_taken_up_without_end() {
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::start(800, 600);
    // A pixel, and the beginning of a message.
    let port = server([&rectangle(0, 0, 1, 1, 0)[..], &[9; 4], &[0]].concat(), true);
    for options in [&["--reconnect", "2"][..], &["--reconnect", "forever", "--reconnect-timeout", "5"]] {
        let mut viewer = sshvnc(home.path());
        viewer.args(["--direct", "--fullscreen"]).args(options).arg(format!("127.0.0.1::{port}"));
        let start = Instant::now();
        let ended = finish(viewer.env("DISPLAY", &screen.display).spawn().unwrap(), PATIENCE);
        assert_eq!(ended.code, Some(6), "{}", ended.said);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}: {}", start.elapsed(), ended.said);
        assert!(ended.said.contains("in the middle of FramebufferUpdate"), "{}", ended.said);
    }
}

#[test]
fn a_signal_is_heard_while_another_attempt_is_prepared() {
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::start(800, 600);
    let port = server([&rectangle(0, 0, 1, 1, 0)[..], &[9; 4], &[0]].concat(), true);
    // A password that takes its time.
    let pipe = home.path().join("passwd");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let asked_for = || fs::OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(&pipe);
    let opened = || {
        let mut file = None;
        within(PATIENCE, || asked_for().is_ok_and(|opened| file.insert(opened).metadata().is_ok())).then_some(file)?
    };
    let mut viewer = sshvnc(home.path());
    viewer.args(["--direct", "--reconnect", "forever", "--passwd"]).arg(&pipe).arg(format!("127.0.0.1::{port}"));
    let viewer = viewer.env("DISPLAY", &screen.display).spawn().unwrap();
    opened().unwrap().write_all(&[7; 8]).unwrap();
    // The first reader is gone before the second comes.
    assert!(within(PATIENCE, || asked_for().is_err()));
    let mut second = opened().unwrap();
    signal(viewer.id(), "TERM");
    std::thread::sleep(Duration::from_millis(300));
    second.write_all(&[7; 8]).unwrap();
    drop(second);
    let ended = finish(viewer, Duration::from_secs(10));
    assert_eq!(ended.code, Some(143), "{}", ended.said);
}

#[test]
fn nobody_need_read_what_is_said() {
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::start(800, 600);
    let (command, file) = fallback(home.path());
    let mut viewer = sshvnc(home.path());
    // A port that was free a moment ago.
    let port = crate::real::free_port();
    viewer.args(["--direct", "--fullscreen", "--fallback", &command, "--connect-timeout", "2"]);
    viewer.arg(format!("127.0.0.1::{port}")).env("DISPLAY", &screen.display);
    viewer.stderr(Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap()));
    assert_eq!(finish(viewer.spawn().unwrap(), PATIENCE).code, Some(0), "{}", log_of(home.path()));
    assert!(file.exists());
    // Without a screen, and with nothing to start, the log has the reason all the same.
    let mut viewer = sshvnc(home.path());
    viewer.args(["--fullscreen", "--fallback", "no-such-program", "me@127.0.0.1"]);
    assert_eq!(finish(viewer.env_remove("DISPLAY").spawn().unwrap(), PATIENCE).code, Some(5));
    assert!(log_of(home.path()).lines().last().unwrap().contains("DISPLAY"), "{}", log_of(home.path()));
}

#[test]
fn nothing_that_the_lost_server_said_is_believed_of_the_next_one() {
    const CAPS: u16 = 2;
    let screen = Screen::start(800, 600);
    let desktop = || [&rectangle(0, 0, 64, 64, 0)[..], &[99; 64 * 64 * 4]].concat();
    // QEMU LED State: Caps Lock. And xvp: the machine can be shut down. Then half a message.
    let more = [&rectangle(0, 0, 1, 1, -261)[..], &[4], &[250, 0, 1, 1], &[0]].concat();
    let (other, _) = RustConnection::connect(Some(&screen.display)).unwrap();
    other.xkb_use_extension(1, 0).unwrap().reply().unwrap();
    let locked = || {
        let state = other.xkb_get_state(ID::USE_CORE_KBD.into()).unwrap().reply().unwrap();
        u16::from(state.locked_mods) & CAPS
    };
    let menu_after = |turns: Vec<(Vec<u8>, bool)>, lost: bool| {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("viewer.log");
        let mut viewer = sshvnc(home.path());
        viewer.args(["--direct", "--fullscreen", "--reconnect", "forever", "-v"]);
        viewer.arg(format!("127.0.0.1::{}", server_in_turn(turns))).env("DISPLAY", &screen.display);
        viewer.stderr(fs::File::create(&log).unwrap());
        let window = Window::new(viewer.spawn().unwrap(), &screen.display);
        if lost {
            assert!(within(PATIENCE, || locked() == CAPS));
            let said = || fs::read_to_string(&log).unwrap();
            assert!(within(PATIENCE, || said().contains("the desktop is there again")), "{}", said());
            // The user's own wish, and the focus elsewhere for a moment.
            window.act(&["key", "Caps_Lock"]);
            assert!(within(PATIENCE, || locked() == 0));
            other.set_input_focus(InputFocus::NONE, x11rb::NONE, x11rb::CURRENT_TIME).unwrap().check().unwrap();
            std::thread::sleep(Duration::from_millis(300));
            window.act(&["windowfocus", &window.id().unwrap()]);
            std::thread::sleep(Duration::from_millis(300));
            assert_eq!(locked(), 0);
        }
        assert!(
            within(PATIENCE, || screen.picture().2.iter().filter(|&&byte| byte == 99).count() >= 64 * 64 * 3),
            "no desktop"
        );
        let there = screen.still();
        window.act(&["key", "ctrl+alt+m"]);
        assert!(within(PATIENCE, || screen.picture() != there), "no menu");
        let menu = screen.still();
        assert_eq!(window.close().code, Some(143));
        menu
    };
    let fresh = menu_after(vec![(desktop(), false)], false);
    let after = menu_after(vec![([desktop(), more].concat(), true), (desktop(), false)], true);
    assert!(fresh == after);
}
