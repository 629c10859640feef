//! `sshvnc check` against real servers: each layer that can fail is named, with what to try.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::real::desktop::{Desktop, PASSWORD, Server};
use crate::real::sshd::{Sshd, me};
use crate::real::viewer::{Ended, run, sshvnc_at, target};

fn check(sshd: &Sshd, arguments: &[&str]) -> Ended {
    run(sshvnc_at(sshd).args(["check", "--json"]).args(arguments))
}

/// The names of the layers that are well, and of the one that is not.
fn layers(ended: &Ended) -> (Vec<String>, Option<(String, String)>) {
    let mut well = Vec::new();
    for line in ended.out.lines() {
        let layer: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = layer["layer"].as_str().unwrap().to_owned();
        if layer["ok"] == false {
            return (well, Some((name, layer["try"].as_str().unwrap_or_default().to_owned())));
        }
        well.push(name);
    }
    (well, None)
}

#[test]
fn a_connection_that_works_is_explained() {
    let sshd = Sshd::start();
    for server in crate::real::desktop::ALL {
        let desktop = Desktop::start(server);
        let arguments = target(&sshd, desktop.port);
        let ended = check(&sshd, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ended.code, Some(0), "{server:?}: {}", ended.said);
        let expected = [
            "configuration",
            "network",
            "SSH",
            "login",
            "channel",
            "algorithms",
            "host key",
            "authentication",
            "RFB",
            "desktop",
            "picture",
            "round trip",
        ];
        assert_eq!(layers(&ended), (expected.map(str::to_owned).to_vec(), None), "{server:?}");
        for words in ["known_hosts:1\"", "800x600", "curve25519", "VNC Authentication", "MB/s", "p99", "publickey"] {
            assert!(ended.out.contains(words), "{words}: {}", ended.out);
        }
        assert!(!ended.out.contains(PASSWORD));
    }
}

#[test]
fn a_connection_that_fails_is_explained_too() {
    let sshd = Sshd::start();
    let closed = Sshd::with_config(|_| "AllowTcpForwarding no\n".to_owned());
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    let file = |sshd: &Sshd, name: &str| sshd.path(name).to_str().unwrap().to_owned();
    let wrong = desktop.path("wrong");
    fs::write(&wrong, sshvnc::rfb::vnc_auth::obfuscate(b"wrong")).unwrap();
    let (port, at) = (sshd.port.to_string(), format!("{}@127.0.0.1::{}", me(), desktop.port));
    let nothing = format!("{}@127.0.0.1::9", me());
    let (user, closed_user, closed_port) = (file(&sshd, "user"), file(&closed, "user"), closed.port.to_string());
    let bad = desktop.path("config");
    fs::write(&bad, "Host *\nPortt 22\n").unwrap();
    let case = |sshd: &Sshd, layer: &str, code: i32, hint: &str, arguments: &[&str]| {
        let ended = check(sshd, arguments);
        assert_eq!(ended.code, Some(code), "{layer}: {}", ended.said);
        let failed = layers(&ended).1.unwrap();
        assert!(failed.0 == layer && failed.1.contains(hint), "{layer}: {failed:?}");
    };
    case(&sshd, "configuration", 1, "", &["-F", bad.to_str().unwrap(), &at]);
    case(&sshd, "network", 2, "listens", &["-i", &user, "-p", "9", &at]);
    case(&sshd, "network", 2, "spelling", &["someone@no-such-host.invalid:1"]);
    let fresh = ["-o", "UserKnownHostsFile=none", "-o", "BatchMode=yes", "-i", &user, "-p", &port, &at];
    case(&sshd, "host key", 3, "ssh-keyscan", &fresh);
    case(
        &sshd,
        "login",
        3,
        "-i",
        &[
            "-o",
            "BatchMode=yes",
            "-i",
            &file(&sshd, "stranger"),
            "-o",
            "PreferredAuthentications=publickey",
            "-p",
            &port,
            &at,
        ],
    );
    let changed = desktop.path("changed");
    fs::write(&changed, format!("[127.0.0.1]:{port} {}\n", sshd.public("stranger"))).unwrap();
    let changed = format!("UserKnownHostsFile={}", changed.display());
    case(&sshd, "host key", 3, "ssh-keygen -R", &["-o", &changed, "-i", &user, "-p", &port, &at]);
    let garbage = desktop.path("garbage");
    fs::write(&garbage, "no key\n").unwrap();
    case(&sshd, "configuration", 3, "", &["-i", garbage.to_str().unwrap(), "-p", &port, &at]);
    fs::set_permissions(&garbage, fs::Permissions::from_mode(0o600)).unwrap();
    case(&sshd, "configuration", 3, "", &["-i", garbage.to_str().unwrap(), "-p", &port, &at]);
    case(&sshd, "channel", 2, "5900 + N", &["-i", &user, "-p", &port, &nothing]);
    case(&closed, "channel", 2, "--exec", &["-i", &closed_user, "-p", &closed_port, &at]);
    case(&sshd, "RFB", 3, "VNC password", &["-i", &user, "-passwd", wrong.to_str().unwrap(), "-p", &port, &at]);
    // The SSH server's own port, which speaks no RFB.
    case(&sshd, "RFB", 4, "", &["-i", &user, "-p", &port, &format!("{}@127.0.0.1::{port}", me())]);
}

/// Accepts one connection after the other and plays a part there until the other side has enough.
fn play(part: impl Fn(&mut std::net::TcpStream) -> std::io::Result<()> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        while let Ok((mut peer, _)) = listener.accept() {
            let _ = part(&mut peer);
        }
    });
    port
}

#[test]
fn peers_that_speak_no_ssh_or_too_much_of_it_are_explained_within_the_time() {
    let sshd = Sshd::start();
    let at = format!("{}@127.0.0.1::9", me());
    // A message of the transport layer (RFC 4253, section 6) before any key: nothing but padding and IGNORE.
    let ignore = |peer: &mut std::net::TcpStream| {
        peer.write_all(b"SSH-2.0-flood\r\n")?;
        let mut packet = vec![0, 0, 0, 12, 6, 2];
        packet.resize(16, 0);
        loop {
            peer.write_all(&packet.repeat(1000))?;
        }
    };
    let banner = |peer: &mut std::net::TcpStream| {
        loop {
            peer.write_all(&b"welcome to this server\r\n".repeat(1000))?;
        }
    };
    let line = |peer: &mut std::net::TcpStream| {
        loop {
            peer.write_all(&[b'x'; 10_000])?;
        }
    };
    let silent = |_: &mut std::net::TcpStream| -> std::io::Result<()> {
        std::thread::sleep(std::time::Duration::from_secs(60));
        Ok(())
    };
    let http = |peer: &mut std::net::TcpStream| peer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let parts = [
        ("flood", play(ignore)),
        ("banner", play(banner)),
        ("line", play(line)),
        ("silent", play(silent)),
        ("http", play(http)),
    ];
    for (name, port) in parts {
        let start = std::time::Instant::now();
        let ended = check(&sshd, &["-o", "ConnectTimeout=3", "-p", &port, &at]);
        assert_eq!(ended.code, Some(2), "{name}: {ended:?}");
        let (layer, hint) = layers(&ended).1.unwrap();
        assert!(layer == "SSH" && hint.contains("port"), "{name}: {layer}: {hint}: {}", ended.said);
        assert_eq!(ended.said.lines().count(), 1, "{name}: {}", ended.said);
        assert!(start.elapsed() < std::time::Duration::from_secs(15), "{name} took {:?}", start.elapsed());
    }
}
