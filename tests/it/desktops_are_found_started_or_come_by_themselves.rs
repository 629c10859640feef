//! Desktops that TARGET does not name: found on the host, started there, or connecting back (`--find`, `--start`,
//! `--reverse`, `sshvnc list`).

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use crate::real::desktop::{Desktop, PASSWORD, Server};
use crate::real::sshd::{Sshd, me};
use crate::real::terminal::on_a_terminal;
use crate::real::user::User;
use crate::real::viewer::{Ended, finish, read_png, run, same_but_for_the_pointer, sshvnc_at};
use crate::real::{free_port, output, signal, within};

/// The arguments that log `user` in at `sshd`, without a desktop.
fn login(sshd: &Sshd, user: &str) -> Vec<String> {
    let key = sshd.path("user").to_str().unwrap().to_owned();
    vec!["-i".into(), key, "-p".into(), sshd.port.to_string(), format!("{user}@127.0.0.1")]
}

/// Some ports of displays 0 to 99 that nothing listens on.
fn display_ports(count: usize) -> Vec<u16> {
    // Tests run side by side.
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap();
    let free = (5950..=5999).rev().filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let ports: Vec<u16> = free.filter(|port| given.insert(*port)).take(count).collect();
    assert_eq!(ports.len(), count, "the ports of displays are all taken");
    ports
}

/// A command that starts a server which stays in the foreground.
fn server(port: u16, name: &str) -> String {
    format!(
        "exec Xtigervnc :{} -geometry 640x480 -SecurityTypes None -interface 127.0.0.1 -rfbport {port} -nolisten tcp \
         -desktop '{name}' 2>/dev/null",
        free_port()
    )
}

fn list(sshd: &Sshd, user: &str, more: &[&str]) -> Ended {
    run(sshvnc_at(sshd).arg("list").args(more).args(login(sshd, user)))
}

/// A user whose only desktops are those of this test: tests that run beside it have their own.
#[test]
fn a_new_user_for_root_to_test_starts_one_and_finds_it_again() {
    let sshd = Sshd::start();
    let user = User::create();
    let file = sshd.path("seen.png");
    let ports = display_ports(2);
    let (first, second) = (ports[0], ports[1]);
    let own = |ended: &Ended| ended.out.lines().filter(|line| line.contains("of you")).count();
    assert_eq!(own(&list(&sshd, &user.name, &[])), 0);

    // The desktop lasts as long as the connection that started it, unless the command says otherwise.
    let shoot = |arguments: &[&str]| {
        run(sshvnc_at(&sshd).arg("screenshot").args(arguments).args(login(&sshd, &user.name)).arg(&file))
    };
    let failed = shoot(&["--start", "echo no licence >&2; exit 9"]);
    assert_eq!(failed.code, Some(2), "{failed:?}");
    assert!(failed.said.contains("ended with status 9: no licence"), "{failed:?}");
    let background = format!("setsid sh -c \"{}\" </dev/null >/dev/null 2>&1 &", server(first, "mine"));
    let started = shoot(&["--start", &background]);
    assert_eq!((started.code, started.said.as_str()), (Some(0), ""));
    assert_eq!((read_png(&file).0, read_png(&file).1), (640, 480));

    let listed = list(&sshd, &user.name, &[]);
    let line = format!("{}@127.0.0.1:{}", user.name, first - 5900);
    assert!(listed.out.starts_with(&line) && listed.out.contains("Xtigervnc \"mine\""), "{listed:?}");
    assert_eq!((listed.code, own(&listed)), (Some(0), 1), "{listed:?}");
    let json: Vec<serde_json::Value> = list(&sshd, &user.name, &["--json"])
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|desktop: &serde_json::Value| desktop["mine"] == true)
        .collect();
    assert_eq!(json.len(), 1);
    assert_eq!((&json[0]["target"], &json[0]["port"]), (&line.into(), &first.into()));

    // The only one is taken, and nothing is started beside it.
    let found = shoot(&["--start", "echo never >&2; exit 1"]);
    assert_eq!((found.code, found.said.as_str()), (Some(0), ""));
    fs::remove_file(&file).unwrap();
    let found = shoot(&["--find"]);
    assert_eq!((found.code, found.said.as_str()), (Some(0), ""));
    assert!(file.exists());

    // Of two one is asked for; without anybody to ask both are named.
    let another = format!("setsid sh -c \"{}\" </dev/null >/dev/null 2>&1 & sleep 60", server(second, "other"));
    let ssh = |command: &str| {
        let key = sshd.path("user").to_str().unwrap().to_owned();
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-i", &key]);
        ssh.args(["-p", &sshd.port.to_string(), &format!("{}@127.0.0.1", user.name), command]);
        ssh.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        ssh.spawn().unwrap()
    };
    let mut second_server = ssh(&another);
    assert!(within(Duration::from_secs(20), || own(&list(&sshd, &user.name, &[])) == 2));
    let asked = shoot(&["--find"]);
    assert_eq!(asked.code, Some(1), "{asked:?}");
    assert!(asked.said.contains("\"mine\"") && asked.said.contains("\"other\""), "{asked:?}");
    let mut command = sshvnc_at(&sshd);
    command.args(["screenshot", "--find"]).args(login(&sshd, &user.name)).arg(&file);
    let (code, seen) = on_a_terminal(command, &[("Which one", "3"), ("Which one", "1")]);
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("  1  :") && seen.contains("  2  :"), "{seen}");
    signal(second_server.id(), "TERM");
    second_server.wait().unwrap();
}

#[test]
fn what_is_found_is_listed_with_its_owner() {
    let sshd = Sshd::start();
    let port = display_ports(1)[0];
    let log = sshd.path("server.log");
    let mut command = Command::new("sh");
    let _server = crate::real::Running::start(command.args(["-c", &server(port, "a test of its own")]), &log);
    crate::real::wait_for_port(port, &log);
    let listed = list(&sshd, &me(), &[]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let line = format!("@127.0.0.1:{} ", port - 5900);
    let line = listed.out.lines().find(|listed| listed.contains(&line)).expect(&listed.out);
    assert!(line.contains("of you") && line.contains("\"a test of its own\""), "{line}");
}

#[test]
fn hosts_that_can_not_be_looked_around_on_say_why() {
    let no_shell = Sshd::with_config(|_| "ForceCommand echo This account is not available.; exit 1".to_owned());
    let listed = list(&no_shell, &me(), &[]);
    assert_eq!(listed.code, Some(2), "{listed:?}");
    assert!(listed.said.contains("does not run the command that looks for desktops"), "{listed:?}");
    let ended = run(sshvnc_at(&no_shell).arg("list").args(["--direct", "127.0.0.1"]));
    assert_eq!((ended.code, ended.said.lines().count()), (Some(1), 1), "{ended:?}");
    for more in [&["--find", "--ssh-program"][..], &["--find", "--exec", "x"], &["--reverse", "--find"]] {
        let ended = run(sshvnc_at(&no_shell).arg("screenshot").args(more).args(login(&no_shell, &me())).arg("x.png"));
        assert_eq!((ended.code, ended.said.lines().count()), (Some(1), 1), "{ended:?}");
    }
}

/// Has the desktop connect by this command and looks at it.
fn assert_comes(sshd: &Sshd, desktop: &Desktop, command: &str) {
    let file = desktop.path("seen.png");
    let reverse = format!("--reverse={command}");
    let shoot = || {
        let ended = run(sshvnc_at(sshd).arg("screenshot").arg(&reverse).args(login(sshd, &me())).arg(&file));
        assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""), "{command}");
        same_but_for_the_pointer(&read_png(&file), &desktop.screen())
    };
    assert!(within(Duration::from_secs(10), || shoot().is_ok()), "{command}: {:?}", shoot());
}

#[test]
fn desktops_connect_back_when_they_are_told_to() {
    let sshd = Sshd::start();
    let tiger = Desktop::start(Server::Xtigervnc);
    assert_comes(&sshd, &tiger, &format!("vncconfig -display {} -connect localhost:%p", tiger.display));
    let x11vnc = Desktop::start(Server::X11vnc);
    let command = "x11vnc -q -display DISPLAY -rfbport 0 -rfbportv6 -1 -noxrecord -o /dev/null -passwd";
    let command = format!("{} {PASSWORD} -connect_or_exit localhost:%p", command.replace("DISPLAY", &x11vnc.display));
    assert_comes(&sshd, &x11vnc, &command);
}

#[test]
fn who_waits_says_on_which_port_and_opens_none_here() {
    let sshd = Sshd::start();
    let desktop = Desktop::start(Server::Xtigervnc);
    let (file, trace) = (desktop.path("seen.png"), desktop.path("trace"));
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=bind,listen,execve", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_sshvnc"));
    command.args(["screenshot", "--reverse"]).args(login(&sshd, &me())).arg(&file);
    command.env("HOME", sshd.path("home")).env("VNC_PASSWORD", PASSWORD);
    let said = desktop.path("said");
    let child = command.stdin(std::process::Stdio::null()).stderr(fs::File::create(&said).unwrap()).spawn().unwrap();
    let port = || {
        let said = fs::read_to_string(&said).unwrap();
        said.split_once("waits on port ").and_then(|(_, rest)| rest.split(' ').next()?.parse::<u16>().ok())
    };
    assert!(within(Duration::from_secs(20), || port().is_some()), "{}", fs::read_to_string(&said).unwrap());
    let address = format!("localhost:{}", port().unwrap());
    output(Command::new("vncconfig").args(["-display", &desktop.display, "-connect", &address]));
    assert_eq!(finish(child, Duration::from_secs(30)).code, Some(0));
    same_but_for_the_pointer(&read_png(&file), &desktop.screen()).unwrap();
    let trace = fs::read_to_string(trace).unwrap();
    assert_eq!(trace.matches("execve(").count(), 1, "no second program: {trace}");
    assert!(!trace.contains("listen(") && !trace.contains("AF_INET"), "{trace}");
}

#[test]
fn nobody_comes_is_said_in_one_line() {
    let closed = Sshd::with_config(|_| "AllowTcpForwarding no".to_owned());
    let shoot = |sshd: &Sshd, reverse: &str| {
        run(sshvnc_at(sshd).args(["screenshot", reverse]).args(login(sshd, &me())).arg(sshd.path("none.png")))
    };
    let ended = shoot(&closed, "--reverse");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.said.contains("does not listen") && ended.said.contains("AllowTcpForwarding"), "{ended:?}");
    let open = Sshd::start();
    let ended = shoot(&open, "--reverse=echo no such desktop >&2; exit 3");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.said.contains("ended with status 3: no such desktop"), "{ended:?}");
    // Somebody who is no desktop.
    let ended = shoot(&open, "--reverse=echo hello | socat - TCP:localhost:%p");
    assert_eq!((ended.code, ended.said.lines().count()), (Some(4), 1), "{ended:?}");
}
