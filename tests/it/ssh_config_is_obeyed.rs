//! `~/.ssh/config` and ssh's options on the way to a desktop: aliases, jumps, programs, and what must not be tried.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::real::desktop::{Desktop, PASSWORD, Server};
use crate::real::sshd::{Sshd, me};
use crate::real::viewer::{Ended, finish, read_png, run, same_but_for_the_pointer, sshvnc};
use crate::real::{signal, within};

/// Writes a home with this configuration; `KEY` and `KNOWN` in it stand for files that lead in at `sshds`.
fn home(desktop: &Desktop, sshds: &[&Sshd], config: &str) -> std::path::PathBuf {
    let home = desktop.path("confighome");
    fs::create_dir_all(home.join(".ssh")).unwrap();
    let known: String =
        sshds.iter().map(|sshd| fs::read_to_string(sshd.path("home/.ssh/known_hosts")).unwrap()).collect();
    fs::write(home.join("known"), known).unwrap();
    let config = config
        .replace("KEY", sshds[0].path("user").to_str().unwrap())
        .replace("KNOWN", home.join("known").to_str().unwrap());
    fs::write(home.join(".ssh/config"), config).unwrap();
    home
}

/// The server under two names, with its key and the right known_hosts.
fn known_desk(sshd: &Sshd) -> String {
    let (port, me) = (sshd.port, me());
    let keys = "IdentityFile KEY\n  UserKnownHostsFile KNOWN";
    format!("Host desk near\n  HostName 127.0.0.1\n  Port {port}\n  User {me}\n  {keys}\n")
}

fn shoot(home: &Path, desktop: &Desktop, arguments: &[&str]) -> Ended {
    let mut command = sshvnc(home);
    run(command.env("VNC_PASSWORD", PASSWORD).arg("screenshot").args(arguments).arg(desktop.path("seen.png")))
}

fn assert_seen(home: &Path, desktop: &Desktop, arguments: &[&str]) {
    let ended = shoot(home, desktop, arguments);
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""), "{arguments:?}");
    let same = same_but_for_the_pointer(&read_png(&desktop.path("seen.png")), &desktop.screen());
    assert_eq!(same, Ok(()), "{arguments:?}");
}

/// Lets the key of the first server in at the second too.
fn share_key(first: &Sshd, second: &Sshd) {
    let keys =
        [first.path("authorized_keys"), second.path("authorized_keys")].map(|file| fs::read_to_string(file).unwrap());
    fs::write(second.path("authorized_keys"), keys.concat()).unwrap();
}

#[test]
fn aliases_jumps_and_programs_lead_to_the_desktop() {
    let (one, two) = (Sshd::start(), Sshd::start());
    share_key(&one, &two);
    let desktop = Desktop::start(Server::Xtigervnc);
    let (a, b, me) = (one.port, two.port, me());
    let home = home(
        &desktop,
        &[&one, &two],
        &format!(
            "Host desk\n  HostName 127.0.0.1\n  Port {a}\n\
             Host near\n  HostName 127.0.0.1\n  Port {b}\n\
             Host far\n  HostName 127.0.0.1\n  Port {a}\n  ProxyJump near\n\
             Host farther\n  HostName 127.0.0.1\n  Port {b}\n  ProxyJump near,desk\n\
             Host piped\n  HostName 127.0.0.1\n  Port {a}\n  ProxyCommand socat - TCP:%h:%p\n\
             Host *\n  User {me}\n  IdentityFile KEY\n  IdentitiesOnly yes\n  UserKnownHostsFile KNOWN\n  BatchMode yes\n"
        ),
    );
    let at = |host: &str| format!("{host}::{}", desktop.port);
    for host in ["desk", "far", "farther", "piped"] {
        assert_seen(&home, &desktop, &[&at(host)]);
    }
    assert_seen(&home, &desktop, &["-J", "near,desk,near", &at("desk")]);
    assert_seen(
        &home,
        &desktop,
        &["-C", "-o", "Ciphers=aes256-ctr", "-o", "KexAlgorithms=-curve*,mlkem*", &at("desk")],
    );
    assert_seen(&home, &desktop, &["-4", "-o", "BindAddress=127.0.0.1", &at("desk")]);
    let ended = shoot(&home, &desktop, &["-6", &at("desk")]);
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    assert!(ended.said.contains("no IPv6 address"), "{}", ended.said);
    // What is printed is what ssh would print.
    let ended = run(sshvnc(&home).args(["ssh-config", "far"]));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.out.contains(&format!("port {a}\n")) && ended.out.contains("proxyjump near\n"), "{}", ended.out);
}

#[test]
fn new_hosts_are_written_down_when_the_configuration_says_so() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let (port, me) = (sshd.port, me());
    let home = home(
        &desktop,
        &[&sshd],
        &format!("Host new\n  HostName 127.0.0.1\n  Port {port}\n  User {me}\n  IdentityFile KEY\n  BatchMode yes\n"),
    );
    let at = format!("new::{}", desktop.port);
    let ended = shoot(&home, &desktop, &[&at]);
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    let known = home.join(".ssh/known_hosts");
    assert!(!known.exists());
    assert_seen(&home, &desktop, &["-o", "StrictHostKeyChecking=accept-new", "-o", "HashKnownHosts=yes", &at]);
    assert!(fs::read_to_string(&known).unwrap().starts_with("|1|"));
    assert_seen(&home, &desktop, &["-o", "StrictHostKeyChecking=yes", &at]);
}

#[test]
fn a_configuration_that_is_wrong_is_named_with_its_line() {
    let sshd = Sshd::start();
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    for (config, words) in [
        ("Host a\n  Portt 22\n", "config:2"),
        ("Host a\nPort many\n", "config:2"),
        ("Host a\nProxyJump a\n", "through itself"),
        ("Host a\nProxyJump b\nHost b\nProxyJump a\n", "does a ProxyJump"),
        ("Match exec \"touch here\"\nPort 1\n", "--allow-match-exec"),
        ("Ciphers des-cbc\n", "config:1"),
        ("Ciphers 3des-cbc\n", "leaves nothing that is known here"),
    ] {
        let home = home(&desktop, &[&sshd], config);
        let ended = shoot(&home, &desktop, &["a:1"]);
        assert_eq!(ended.code, Some(1), "{config}: {}", ended.said);
        assert!(ended.said.contains(words) && ended.said.lines().count() == 1, "{config}: {}", ended.said);
        assert!(!Path::new("here").exists());
    }
}

#[test]
fn a_server_that_stands_still_is_noticed_and_named() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let home = home(&desktop, &[&sshd], &(known_desk(&sshd) + "ServerAliveInterval 1\nServerAliveCountMax 2\n"));
    let file = desktop.path("seen.rfb");
    let mut command = sshvnc(&home);
    command.env("VNC_PASSWORD", PASSWORD).args(["record", "--encodings", "raw", &format!("desk::{}", desktop.port)]);
    let child = command.arg(&file).spawn().unwrap();
    assert!(within(Duration::from_secs(20), || fs::metadata(&file).is_ok_and(|file| file.len() > 100_000)));
    // The process that serves this connection, and those below it.
    let frozen = sshd.connections();
    assert!(!frozen.is_empty());
    frozen.iter().for_each(|&pid| signal(pid, "STOP"));
    let start = Instant::now();
    let ended = finish(child, Duration::from_secs(15));
    frozen.iter().for_each(|&pid| signal(pid, "KILL"));
    assert_eq!(ended.code, Some(6), "{}", ended.said);
    assert!(ended.said.contains("no sign of life for 3 s"), "{}", ended.said);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn an_agent_that_hangs_and_a_silent_server_do_not_hang_the_viewer() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let home = home(&desktop, &[&sshd], &known_desk(&sshd));
    // Somebody listens, and never says a word.
    let socket = desktop.path("agent");
    let _agent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let mut command = sshvnc(&home);
    command.env("SSH_AUTH_SOCK", &socket).env("VNC_PASSWORD", PASSWORD);
    let ended = run(command.args(["screenshot", &format!("desk::{}", desktop.port)]).arg(desktop.path("seen.png")));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let start = Instant::now();
    let ended = shoot(&home, &desktop, &["-o", "ConnectTimeout=2", "-p", &port, "127.0.0.1:1"]);
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    assert!(ended.said.contains("within 2 s") && start.elapsed() < Duration::from_secs(8), "{}", ended.said);
}

#[test]
fn no_port_is_opened_by_jumps_and_programs() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let home = home(&desktop, &[&sshd], &known_desk(&sshd));
    let trace = desktop.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=bind,listen", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_sshvnc"));
    command.args(["screenshot", "-J", "near", &format!("desk::{}", desktop.port)]).arg(desktop.path("seen.png"));
    let plain = sshvnc(&home);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = run(command
        .env("VNC_PASSWORD", PASSWORD)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped()));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let trace = fs::read_to_string(trace).unwrap();
    assert!(!trace.contains("listen(") && !trace.contains("AF_INET"), "{trace}");
}
