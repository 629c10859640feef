//! `sshvnc screenshot` and `record` through OpenSSH, from servers that were not written here.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::real::desktop::{ALL, Desktop, PASSWORD, Server};
use crate::real::sshd::{PASSPHRASE, Sshd, is_root, me};
use crate::real::terminal::on_a_terminal;
use crate::real::user::User;
use crate::real::viewer::{Picture, finish, read_png, run, same_but_for_the_pointer, sshvnc, sshvnc_at, target};
use crate::real::{Running, output, within};

fn assert_same(seen: &Picture, screen: &Picture, what: &str) {
    if let Err(difference) = same_but_for_the_pointer(seen, screen) {
        panic!("{what}: {difference}");
    }
}

/// Waits until a server that polls its screen has seen it, then compares.
fn assert_screenshot(sshd: &Sshd, desktop: &Desktop, more: &[&str], what: &str) {
    let file = desktop.path("seen.png");
    let shoot = || {
        let mut command = sshvnc_at(sshd);
        let ended = run(command.arg("screenshot").args(more).args(target(sshd, desktop.port)).arg(&file));
        assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""), "{what}");
        read_png(&file)
    };
    within(Duration::from_secs(5), || shoot().2 == desktop.screen().2);
    assert_same(&shoot(), &desktop.screen(), what);
}

#[test]
fn a_screenshot_equals_the_servers_own_screen() {
    let sshd = Sshd::start();
    for server in ALL {
        let desktop = Desktop::start(server);
        assert_screenshot(&sshd, &desktop, &[], &format!("{server:?}"));
        assert!(desktop.screen().2.iter().any(|&byte| byte != 0), "{server:?} shows something");
        for encoding in ["raw", "copyrect hextile", "zlib", "rre", "corre", "tight", "zrle", "ultra"] {
            assert_screenshot(&sshd, &desktop, &["-encodings", encoding], &format!("{server:?}, {encoding}"));
        }
        for level in ["0", "9"] {
            let more = ["-encodings", "tight", "--compress-level", level];
            assert_screenshot(&sshd, &desktop, &more, &format!("{server:?}, compression {level}"));
        }
    }
}

#[test]
fn fewer_colours_are_the_same_picture_for_black_and_white() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    for colours in ["-bgr233", "--rgb565"] {
        assert_screenshot(&sshd, &desktop, &[colours], colours);
    }
}

#[test]
fn an_agent_a_gateway_and_a_socket_lead_there_too() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let file = desktop.path("seen.png");
    let port = sshd.port.to_string();

    // The agent holds the only key.
    let agent_socket = desktop.path("agent");
    let mut agent_command = Command::new("ssh-agent");
    let _agent = Running::start(agent_command.args(["-D", "-a"]).arg(&agent_socket), &desktop.path("agent.log"));
    assert!(within(Duration::from_secs(5), || agent_socket.exists()));
    output(Command::new("ssh-add").arg("-q").arg(sshd.path("user")).env("SSH_AUTH_SOCK", &agent_socket));
    let at = format!("{}@127.0.0.1::{}", me(), desktop.port);
    let mut command = sshvnc_at(&sshd);
    let ended = run(command.env("SSH_AUTH_SOCK", &agent_socket).args(["screenshot", "-p", &port, &at]).arg(&file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    assert_same(&read_png(&file), &desktop.screen(), "agent");

    // A socket behind the server, where no port is needed at all.
    let user_key = sshd.path("user").to_str().unwrap().to_owned();
    let socket = format!("{}@127.0.0.1:{}", me(), desktop.socket.display());
    let ended = run(sshvnc_at(&sshd).args(["screenshot", "-i", &user_key, "-p", &port, &socket]).arg(&file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    assert_same(&read_png(&file), &desktop.screen(), "socket");

    // From a gateway without a login behind it, and with one.
    let gateway = format!("{}@127.0.0.1:{port}", me());
    let plain = format!("127.0.0.1::{}", desktop.port);
    let ended = run(sshvnc_at(&sshd).args(["screenshot", "-i", &user_key, "--via", &gateway, &plain]).arg(&file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    assert_same(&read_png(&file), &desktop.screen(), "gateway");
    let ended =
        run(sshvnc_at(&sshd).args(["screenshot", "-i", &user_key, "-p", &port, "--via", &gateway, &at]).arg(&file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    assert_same(&read_png(&file), &desktop.screen(), "two logins");

    // Without SSH, on this machine.
    let ended = run(sshvnc_at(&sshd).args(["screenshot", "--direct", &plain]).arg(&file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    let ended = run(sshvnc_at(&sshd).args(["screenshot", "--direct"]).arg(&desktop.socket).arg(&file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    assert_same(&read_png(&file), &desktop.screen(), "local socket");
}

#[test]
fn questions_are_answered_on_the_terminal_and_secrets_are_not_shown() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let file = desktop.path("seen.png");
    let locked = sshd.path("locked").to_str().unwrap().to_owned();
    let home = desktop.path("newhome");
    fs::create_dir_all(&home).unwrap();
    let command = || {
        let mut command = sshvnc(&home);
        let at = format!("{}@127.0.0.1::{}", me(), desktop.port);
        command.args(["screenshot", "-i", &locked, "-p", &sshd.port.to_string(), &at]).arg(&file);
        command
    };
    let answers = [("(yes, no, or the fingerprint)", "yes"), ("passphrase", PASSPHRASE), ("VNC password", PASSWORD)];
    let (code, seen) = on_a_terminal(command(), &answers);
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("SHA256:") && !seen.contains(PASSPHRASE) && !seen.contains(PASSWORD), "{seen}");
    assert_same(&read_png(&file), &desktop.screen(), "asked");
    // The host is known now.
    let (code, seen) = on_a_terminal(command(), &answers[1..]);
    assert_eq!(code, Some(0), "{seen}");
    // And a refusal is one.
    fs::remove_file(home.join(".ssh/known_hosts")).unwrap();
    let (code, seen) = on_a_terminal(command(), &[("(yes, no", "no")]);
    assert_eq!(code, Some(3), "{seen}");
}

/// Only root can give a user a password: `tests/run` says so to anyone else.
#[test]
fn a_password_for_root_to_test_lets_in() {
    assert!(is_root(), "only root can make a user with a password: leave this one out with --skip for_root_to_test");
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let user = User::create();
    let file = desktop.path("seen.png");
    let at = format!("{}@127.0.0.1::{}", user.name, desktop.port);
    let mut command = sshvnc_at(&sshd);
    command.args(["screenshot", "-p", &sshd.port.to_string(), &at]).arg(&file);
    let (code, seen) = on_a_terminal(command, &[("password of", "wrong"), ("wrong password", "Sesame-77")]);
    assert_eq!(code, Some(0), "{seen}");
    assert!(!seen.contains("Sesame"), "{seen}");
    assert_same(&read_png(&file), &desktop.screen(), "password");
}

#[test]
fn every_failure_has_its_exit_code_and_its_line() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let (port, at) = (sshd.port.to_string(), format!("{}@127.0.0.1::{}", me(), desktop.port));
    let key = |name: &str| sshd.path(name).to_str().unwrap().to_owned();
    let file = desktop.path("seen.png").to_str().unwrap().to_owned();
    let nothing = format!("{}@127.0.0.1::9", me());
    let case = |code: i32, words: &str, arguments: &[&str]| {
        let mut command = sshvnc_at(&sshd);
        let ended = run(command.arg("screenshot").args(arguments).arg(&file));
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.said);
        assert!(ended.said.contains(words) && ended.said.lines().count() == 1, "{arguments:?}: {}", ended.said);
        assert!(ended.said.starts_with("sshvnc: ") && !ended.said.contains(PASSWORD), "{}", ended.said);
    };
    case(2, "nothing listens on localhost:9", &["-i", &key("user"), "-p", &port, &nothing]);
    case(2, "connection refused", &["-i", &key("user"), "-p", "9", &at]);
    case(2, "the name is not known", &["nobody@no-such-host.invalid:1"]);
    case(3, "did not let", &["-i", &key("stranger"), "-p", &port, &at]);
    case(
        3,
        "permissions",
        &["-i", &key("open"), "-p", &port, &at].map(|argument| {
            fs::copy(sshd.path("user"), sshd.path("open")).unwrap();
            output(Command::new("chmod").arg("644").arg(sshd.path("open")));
            argument
        }),
    );
    case(1, "no such key file", &["-i", &key("missing"), "-p", &port, &at]);
    case(1, "sshvnc passwd", &["-i", &key("user"), "-passwd", &key("missing"), "-p", &port, &at]);
    case(4, "that is an SSH server", &["--direct", &format!("127.0.0.1::{port}")]);
    case(1, "ProxyJump", &["-J", "", &at]);
    case(1, "is not a display", &["host:display"]);

    let wrong = desktop.path("wrong");
    fs::write(&wrong, sshvnc::rfb::vnc_auth::obfuscate(b"wrong")).unwrap();
    case(3, "VNC password", &["-i", &key("user"), "-passwd", wrong.to_str().unwrap(), "-p", &port, &at]);
    let right = desktop.path("passwd");
    let ended = run(sshvnc(&sshd.path("home"))
        .args(["screenshot", "-passwd"])
        .arg(right)
        .args(target(&sshd, desktop.port))
        .arg(&file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));

    // Without anybody to ask.
    let mut command = Command::new("setsid");
    command.args(["-w", env!("CARGO_BIN_EXE_sshvnc"), "screenshot", "-i", &key("user"), "-p", &port, &at, &file]);
    command.env_remove("VNC_PASSWORD").env("HOME", sshd.path("home")).env_remove("SSH_AUTH_SOCK");
    let ended = run(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    assert!(ended.said.contains("wants a VNC password") && ended.said.contains("--passwd"), "{}", ended.said);
    let home = desktop.path("nowhere");
    let mut command = Command::new("setsid");
    command.args(["-w", env!("CARGO_BIN_EXE_sshvnc"), "screenshot", "-i", &key("user"), "-p", &port, &at, &file]);
    let ended = run(command.env("HOME", &home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    assert!(ended.said.contains("is not known") && ended.said.contains("ssh-keyscan"), "{}", ended.said);
}

#[test]
fn the_end_of_a_session_is_told_apart_from_its_loss() {
    // The server ends while SSH still answers: the desktop was closed.
    let mut sshd = Sshd::start();
    let mut desktop = Desktop::start(Server::Xtigervnc);
    let record = |sshd: &Sshd, desktop: &Desktop| {
        let file = desktop.path("seen.rfb");
        let _ = fs::remove_file(&file);
        let mut command = sshvnc_at(sshd);
        let child =
            command.args(["record", "--encodings", "raw"]).args(target(sshd, desktop.port)).arg(&file).spawn().unwrap();
        assert!(within(Duration::from_secs(20), || fs::metadata(&file).is_ok_and(|file| file.len() > 100_000)));
        child
    };
    let child = record(&sshd, &desktop);
    desktop.stop_server();
    let ended = finish(child, Duration::from_secs(20));
    assert_eq!(ended.code, Some(0), "{}", ended.said);

    // The SSH server dies: lost, with the reason.
    let desktop = Desktop::start(Server::Xtightvnc);
    let child = record(&sshd, &desktop);
    sshd.kill();
    let ended = finish(child, Duration::from_secs(20));
    assert_eq!(ended.code, Some(6), "{}", ended.said);
    let reason = ["closed", "reset", "broke off", "ended"].iter().any(|word| ended.said.contains(word));
    assert!(reason && ended.said.contains("127.0.0.1"), "{}", ended.said);
    // When it is back, so is the desktop.
    sshd.start_again();
    assert_screenshot(&sshd, &desktop, &[], "the SSH server started again");

    // A signal is reported as one, and what was recorded is whole.
    let sshd = Sshd::start();
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let child = record(&sshd, &desktop);
        crate::real::signal(child.id(), name);
        let ended = finish(child, Duration::from_secs(20));
        assert_eq!(ended.code, Some(code), "{name}: {}", ended.said);
        let ended = run(sshvnc(&sshd.path("home")).arg("bench").arg(desktop.path("seen.rfb")));
        assert_eq!(ended.code, Some(0), "{}", ended.said);
    }
}

#[test]
fn a_recording_decodes_to_the_screen() {
    let sshd = Sshd::start();
    for server in ALL {
        let desktop = Desktop::start(server);
        std::thread::sleep(Duration::from_millis(1500));
        let (file, picture) = (desktop.path("seen.rfb"), desktop.path("seen.png"));
        let mut command = sshvnc_at(&sshd);
        let ended = run(command.args(["record", "--seconds", "2"]).args(target(&sshd, desktop.port)).arg(&file));
        assert_eq!(ended.code, Some(0), "{server:?}: {}", ended.said);
        let ended = run(sshvnc(&sshd.path("home")).args(["bench", "--dump"]).arg(&picture).arg(&file));
        assert_eq!(ended.code, Some(0), "{server:?}: {}", ended.said);
        assert!(ended.out.contains("Mpixel/s"), "{}", ended.out);
        assert_same(&read_png(&picture), &desktop.screen(), &format!("{server:?}"));
    }
}

#[test]
fn no_port_is_ever_opened() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let trace = desktop.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=bind,listen,execve", "-o"]).arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_sshvnc")).args(["record", "--seconds", "2"]).args(target(&sshd, desktop.port));
    command.arg(desktop.path("seen.rfb")).env("HOME", sshd.path("home")).env("VNC_PASSWORD", PASSWORD);
    let ended = run(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let trace = fs::read_to_string(trace).unwrap();
    assert_eq!(trace.matches("execve(").count(), 1, "no second program: {trace}");
    assert!(!trace.contains("listen(") && !trace.contains("AF_INET"), "{trace}");
}
