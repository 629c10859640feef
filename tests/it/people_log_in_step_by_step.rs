//! Logins that take more than a key: PAM asking questions, two methods one after the other, on a real sshd.
//!
//! Only root can make a user with a password: `tests/run` leaves these out for anyone else, and says so.

use crate::real::desktop::{Desktop, Server};
use crate::real::sshd::Sshd;
use crate::real::terminal::on_a_terminal;
use crate::real::user::{USER_PASSWORD, User};
use crate::real::viewer::{read_png, run, same_but_for_the_pointer, sshvnc_at};

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
