//! Logins that take more than a key: PAM asking questions, two methods one after the other, on a real sshd.
//!
//! Only root can make a user with a password: `tests/run` leaves these out for anyone else, and says so.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::real::desktop::{Desktop, Screen, Server};
use crate::real::sshd::Sshd;
use crate::real::terminal::on_a_terminal;
use crate::real::user::{USER_PASSWORD, User};
use crate::real::viewer::{read_png, run, same_but_for_the_pointer, sshvnc_at};
use crate::real::window::Window;
use crate::real::{PATIENCE, within};

/// Logs in as `user` with these options, answering these questions; the picture must be the desktop's.
fn assert_in(sshd: &Sshd, desktop: &Desktop, user: &User, options: &[&str], answers: &[(&str, &str)]) {
    let file = desktop.path("seen.png");
    let at = format!("{}@127.0.0.1::{}", user.name, desktop.port);
    let mut command = sshvnc_at(sshd);
    command.arg("screenshot").args(options).args(["-p", &sshd.port.to_string(), &at]).arg(&file);
    let (code, seen) = on_a_terminal(command, answers);
    assert_eq!(code, Some(0), "{seen}");
    assert!(!seen.contains(USER_PASSWORD), "{seen}");
    same_but_for_the_pointer(&read_png(&file), &desktop.screen()).unwrap();
}

#[test]
fn pam_asks_for_root_to_test() {
    let sshd = Sshd::with_config(|_| "PasswordAuthentication no\nKbdInteractiveAuthentication yes".into());
    let desktop = Desktop::start(Server::Xtigervnc);
    let user = User::create();
    assert_in(&sshd, &desktop, &user, &[], &[("Password", USER_PASSWORD)]);
    // PAM lets one try again.
    assert_in(&sshd, &desktop, &user, &[], &[("Password", "wrong"), ("Password", USER_PASSWORD)]);
    // Without anybody to ask the line says so.
    let at = format!("{}@127.0.0.1::{}", user.name, desktop.port);
    let mut alone = sshvnc_at(&sshd);
    let ended = run(alone.args(["screenshot", "-p", &sshd.port.to_string(), &at]).arg(desktop.path("x.png")));
    assert_eq!((ended.code, ended.said.lines().count()), (Some(3), 1), "{ended:?}");
    assert!(ended.said.contains("keyboard-interactive"), "{ended:?}");
}

#[test]
fn a_key_and_then_a_password_for_root_to_test() {
    let desktop = Desktop::start(Server::Xtigervnc);
    let user = User::create();
    for (second, question) in [("keyboard-interactive", "Password"), ("password", "password of")] {
        let sshd = Sshd::with_config(|_| {
            format!("KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,{second}")
        });
        let key = sshd.path("user").to_str().unwrap().to_owned();
        assert_in(&sshd, &desktop, &user, &["-i", &key], &[(question, USER_PASSWORD)]);
        // The key alone does not do, and without the key nothing is asked.
        let at = format!("{}@127.0.0.1::{}", user.name, desktop.port);
        for options in [&["-i", &key, "-o", "BatchMode=yes"][..], &[]] {
            let mut alone = sshvnc_at(&sshd);
            let shoot = alone.arg("screenshot").args(options).args(["-p", &sshd.port.to_string(), &at]);
            let ended = run(shoot.arg(desktop.path("x.png")));
            assert_eq!((ended.code, ended.said.lines().count()), (Some(3), 1), "{ended:?}");
        }
    }
}

/// Each failed login counts, and too many of them lock a person out.
#[test]
fn a_mistyped_password_is_tried_once_and_never_again_for_root_to_test() {
    let mut sshd = Sshd::start();
    let (screen, desktop) = (Screen::start(800, 600), Desktop::start(Server::Xtigervnc));
    let user = User::create();
    let askpass = sshd.path("askpass");
    let answers = format!("case \"$1\" in 'wrong password; '*) echo {USER_PASSWORD};; *) echo wrong;; esac");
    fs::write(&askpass, format!("#!/bin/sh\n{answers}\n")).unwrap();
    fs::set_permissions(&askpass, fs::Permissions::from_mode(0o755)).unwrap();
    let mut viewer = sshvnc_at(&sshd);
    viewer.args(["--reconnect", "forever", "-o", "PreferredAuthentications=password", "-p", &sshd.port.to_string()]);
    viewer.arg(format!("{}@127.0.0.1::{}", user.name, desktop.port)).env("DISPLAY", &screen.display);
    let viewer = viewer.env("SSH_ASKPASS", &askpass).env("SSH_ASKPASS_REQUIRE", "force").spawn().unwrap();
    let window = Window::new(viewer, &screen.display);
    let log = sshd.path("sshd.log");
    let counts = || {
        let log = fs::read_to_string(&log).unwrap();
        ["Failed password", "Accepted password"].map(|words| log.matches(words).count())
    };
    for accepted in 1..=3 {
        assert!(within(PATIENCE, || counts()[1] == accepted), "{:?}", counts());
        assert_eq!(counts(), [1, accepted]);
        // An attempt without a desktop is none that has succeeded.
        std::thread::sleep(std::time::Duration::from_secs(1));
        sshd.kill();
        sshd.start_again();
    }
    assert_eq!(window.close().code, Some(143));
}

/// What is remembered would be another failed login with each attempt.
#[test]
fn a_password_that_was_changed_is_refused_once_and_asked_for_then_for_root_to_test() {
    let mut sshd = Sshd::start();
    let (screen, desktop) = (Screen::start(800, 600), Desktop::start(Server::Xtigervnc));
    let user = User::create();
    let (askpass, password, asked) = (sshd.path("askpass"), sshd.path("password"), sshd.path("asked"));
    fs::write(&password, USER_PASSWORD).unwrap();
    let script = format!("echo \"$1\" >> '{}'; cat '{}'", asked.display(), password.display());
    fs::write(&askpass, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&askpass, fs::Permissions::from_mode(0o755)).unwrap();
    let mut viewer = sshvnc_at(&sshd);
    viewer.args(["--reconnect", "forever", "-o", "PreferredAuthentications=password"]);
    viewer.args(["-o", "NumberOfPasswordPrompts=1", "-p", &sshd.port.to_string()]);
    viewer.arg(format!("{}@127.0.0.1::{}", user.name, desktop.port)).env("DISPLAY", &screen.display);
    let viewer = viewer.env("SSH_ASKPASS", &askpass).env("SSH_ASKPASS_REQUIRE", "force").spawn().unwrap();
    let window = Window::new(viewer, &screen.display);
    let log = sshd.path("sshd.log");
    let counts = || {
        let log = fs::read_to_string(&log).unwrap();
        let asked = fs::read_to_string(&asked).unwrap_or_default().lines().count();
        (["Failed password", "Accepted password"].map(|words| log.matches(words).count()), asked)
    };
    assert!(within(PATIENCE, || counts() == ([0, 1], 1)), "{:?}", counts());
    // An attempt without a desktop is none that has succeeded.
    std::thread::sleep(std::time::Duration::from_secs(1));
    user.set_password("Sesame-78");
    fs::write(&password, "Sesame-78").unwrap();
    sshd.kill();
    sshd.start_again();
    assert!(within(PATIENCE, || counts().0[1] == 2), "{:?}", counts());
    assert_eq!(counts(), ([1, 2], 2));
    assert_eq!(window.close().code, Some(143));
}
