//! The ways through SSH that need no VNC port, or another program's help: remote commands, the system's ssh, askpass.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::real::desktop::{Desktop, PASSWORD, Server};
use crate::real::sshd::{PASSPHRASE, Sshd, me};
use crate::real::viewer::{Ended, read_png, run, same_but_for_the_pointer, sshvnc, sshvnc_at, target};
use crate::real::{signal, within};

/// Takes a screenshot that must equal the screen.
fn assert_seen(sshd: &Sshd, desktop: &Desktop, arguments: &[&str]) {
    let file = desktop.path("seen.png");
    let shoot = || {
        let ended = run(sshvnc_at(sshd).arg("screenshot").args(arguments).arg(&file));
        assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""), "{arguments:?}");
        same_but_for_the_pointer(&read_png(&file), &desktop.screen())
    };
    // Servers that poll their screen may lag behind.
    assert!(within(Duration::from_secs(5), || shoot().is_ok()), "{arguments:?}: {:?}", shoot());
}

fn script(desktop: &Desktop, name: &str, text: &str) -> PathBuf {
    let path = desktop.path(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_command_on_the_server_is_the_desktop() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::X11vnc);
    let key = sshd.path("user").to_str().unwrap().to_owned();
    let (port, at) = (sshd.port.to_string(), format!("{}@127.0.0.1", me()));
    // sshd gives a command two pipes, and x11vnc wants a socket: socat makes one.
    let x11vnc = "x11vnc -inetd -q -o /dev/null -noxrecord -nopw";
    let inetd = format!("DISPLAY={} socat STDIO EXEC:'{x11vnc}'", desktop.display);
    let socat = format!("socat STDIO TCP:127.0.0.1:{}", desktop.port);
    for command in [&inetd, &socat] {
        assert_seen(&sshd, &desktop, &["-i", &key, "-p", &port, "--exec", command, &at]);
        assert_seen(&sshd, &desktop, &["-i", &key, "-p", &port, "-C", "--exec", command, &at]);
    }
    let ended = run(sshvnc_at(&sshd)
        .args(["screenshot", "-i", &key, "-p", &port, "--exec", "echo there is no desktop >&2; exit 7", &at])
        .arg(desktop.path("none.png")));
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    assert!(ended.said.contains("ended with status 7: there is no desktop"), "{}", ended.said);
}

#[test]
fn the_systems_ssh_leads_there_and_never_stays_behind() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let known_hosts = sshd.path("home/.ssh/known_hosts");
    // ssh asks the system for the home of its user, which is not this test's.
    let text = format!(
        "echo $$ >> '{}'\nexec ssh -F none -oUserKnownHostsFile='{}' \"$@\"",
        desktop.path("pids").display(),
        known_hosts.display()
    );
    let program = format!("--ssh-program={}", script(&desktop, "myssh", &text).display());
    let arguments = target(&sshd, desktop.port);
    let mut all: Vec<&str> = vec![&program];
    all.extend(arguments.iter().map(String::as_str));
    assert_seen(&sshd, &desktop, &all);
    // Cut short while data flows: so much that some of it reaches the file.
    let mut command = sshvnc_at(&sshd);
    command.arg("record").args(&all).arg("--encodings=raw").arg(desktop.path("seen.rfb"));
    let child = command.spawn().unwrap();
    assert!(within(Duration::from_secs(20), || fs::metadata(desktop.path("seen.rfb")).is_ok_and(|file| file.len() > 0)));
    std::thread::sleep(Duration::from_millis(500));
    signal(child.id(), "TERM");
    let ended: Ended = crate::real::viewer::finish(child, Duration::from_secs(10));
    assert_eq!(ended.code, Some(143), "{}", ended.said);
    for pid in fs::read_to_string(desktop.path("pids")).unwrap().lines() {
        assert!(!PathBuf::from(format!("/proc/{pid}/exe")).exists(), "ssh {pid} is still there");
    }
}

#[test]
fn an_askpass_program_answers_where_there_is_no_terminal() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let said = desktop.path("asked");
    let text = format!(
        "echo \"$1\" >> '{}'\ncase \"$1\" in *'right one'*) echo yes;; *passphrase*) echo '{PASSPHRASE}';; *VNC*) echo {PASSWORD};; esac",
        said.display()
    );
    let askpass = script(&desktop, "askpass", &text);
    let home = desktop.path("newhome");
    fs::create_dir_all(&home).unwrap();
    let file = desktop.path("seen.png");
    let locked = sshd.path("locked").to_str().unwrap().to_owned();
    let at = format!("{}@127.0.0.1::{}", me(), desktop.port);
    let shoot = |require: &str| {
        let plain = sshvnc(&home);
        let mut command = Command::new("setsid");
        command.args(["-w", env!("CARGO_BIN_EXE_sshvnc"), "screenshot", "-i", &locked, "-p", &sshd.port.to_string()]);
        command.arg(&at).arg(&file).env_clear();
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("SSH_ASKPASS", &askpass).env("SSH_ASKPASS_REQUIRE", require);
        run(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
    };
    let ended = shoot("force");
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    assert_eq!(same_but_for_the_pointer(&read_png(&file), &desktop.screen()), Ok(()));
    assert_eq!(fs::read_to_string(&said).unwrap().lines().count(), 3);
    // Known by now, but nobody may be asked for the rest.
    let ended = shoot("never");
    assert_eq!(ended.code, Some(3), "{}", ended.said);
}
