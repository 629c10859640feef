//! Recordings in the format of VNC's proxies and players: of real servers, without their secrets, and played.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use sha2::{Digest, Sha256};
use sshvnc::recording::Recording;

use crate::real::desktop::{Desktop, PASSWORD, Server, xdotool};
use crate::real::signal;
use crate::real::sshd::Sshd;
use crate::real::viewer::{Picture, finish, read_png, run, same_but_for_the_pointer, sshvnc, sshvnc_at, target};
use crate::server::{PLAIN, rectangle, update};

/// `bench --hash`'s word for a picture.
fn hash((_, _, rgb): &Picture) -> String {
    let mut sha = Sha256::new();
    rgb.chunks(3).for_each(|pixel| sha.update([pixel[0], pixel[1], pixel[2], 0]));
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What `bench --hash` says of a recording, and the picture that `play` makes of it.
fn decoded(home: &Path, file: &Path) -> (String, Picture) {
    let ended = run(sshvnc(home).args(["bench", "--hash"]).arg(file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    let hash = ended.out.trim().rsplit(' ').next().unwrap().to_owned();
    let picture = home.join("played.png");
    let ended = run(sshvnc(home).args(["play", "--screenshot"]).arg(&picture).arg(file));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    (hash, read_png(&picture))
}

#[test]
fn an_fbs_of_a_real_server_ends_in_its_screen() {
    let sshd = Sshd::start();
    let home = sshd.path("home");
    for (server, desktop) in [
        (Server::Xtigervnc, Desktop::start(Server::Xtigervnc)),
        (Server::Xtigervnc, Desktop::start_without_password(Server::Xtigervnc)),
        (Server::X11vnc, Desktop::start(Server::X11vnc)),
    ] {
        // Where the server's pointer hides nothing.
        xdotool(&desktop.display, &["mousemove", "700", "500"]);
        std::thread::sleep(Duration::from_millis(1500));
        let file = desktop.path("seen.fbs");
        let mut command = sshvnc_at(&sshd);
        let recorder = command.args(["record", "--seconds", "3"]).args(target(&sshd, desktop.port)).arg(&file);
        let recorder = recorder.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        let desktop = desktop.with_client("xterm", &["-fn", "fixed", "-geometry", "20x5+600+40", "-e", "sleep 600"]);
        let ended = finish(recorder, Duration::from_secs(60));
        assert_eq!(ended.code, Some(0), "{server:?}: {}", ended.said);
        let bytes = fs::read(&file).unwrap();
        assert!(bytes.starts_with(b"FBS 001.001\n"));
        assert_eq!(bytes[16..32], *b"RFB 003.003\n\0\0\0\x01");

        let (hashed, picture) = decoded(&home, &file);
        assert_eq!(hash(&picture), hashed, "{server:?}");
        if let Err(difference) = same_but_for_the_pointer(&picture, &desktop.screen()) {
            panic!("{server:?}: {difference}");
        }
        // Neither fences nor cursors hide its floor.
        let ended = run(sshvnc(&home).args(["bench", "--json", "--limits"]).arg(&file));
        let report: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        assert!(report["floor_seconds"].as_f64().is_some_and(|floor| floor > 0.0), "{server:?}: {report}");
        // The second window came a second later, and the picture from before has none.
        let recording = Recording::load(&file).unwrap();
        let first = recording.arrivals.first().unwrap().at;
        assert!(first < Duration::from_secs(1) && recording.duration() > Duration::from_secs(1), "{recording:?}");
        let before = home.join("before.png");
        let command = &mut sshvnc(&home);
        let ended = run(command.args(["play", "--start", "1", "--screenshot"]).arg(&before).arg(&file));
        assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
        let before = read_png(&before);
        let window = |(width, _, rgb): &Picture| rgb[(60 * *width as usize + 640) * 3];
        assert!(window(&picture) > 200 && window(&before) < 200, "{} {}", window(&picture), window(&before));
    }
}

/// A port that leads to another. Gives what the server sent, what the client sent, when both are done.
fn relay(to: u16) -> (u16, Receiver<[Vec<u8>; 2]>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let client = listener.accept().unwrap().0;
        let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
        let pass = |mut from: TcpStream, mut to: TcpStream| {
            std::thread::spawn(move || {
                let (mut all, mut bytes) = (Vec::new(), [0; 65536]);
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    all.extend(&bytes[..count]);
                    if to.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(std::net::Shutdown::Both);
                all
            })
        };
        let upwards = pass(client.try_clone().unwrap(), server.try_clone().unwrap());
        let downwards = pass(server, client);
        sender.send([downwards.join().unwrap(), upwards.join().unwrap()]).unwrap();
    });
    (port, receiver)
}

#[test]
fn a_recording_that_does_not_begin_leaves_the_older_one() {
    let home = tempfile::tempdir().unwrap();
    let (old, new) = (home.path().join("old.fbs"), home.path().join("new.fbs"));
    fs::write(&old, "an older one").unwrap();
    // Nobody listens there any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (option, code) in [("--bgr233", 1), ("--quality=5", 2)] {
        for file in [&old, &new] {
            let mut command = sshvnc(home.path());
            command.args(["record", "--direct", option]).arg(format!("127.0.0.1::{port}"));
            let ended = run(command.arg(file));
            assert!(ended.code == Some(code) && !ended.said.contains("bytes"), "{option}: {ended:?}");
        }
        assert_eq!((fs::read(&old).unwrap(), new.exists()), (b"an older one".to_vec(), false), "{option}");
    }
    // A file that can not be written is told of before anybody is spoken to.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut command = sshvnc(home.path());
    command.args(["record", "--direct"]).arg(format!("127.0.0.1::{}", listener.local_addr().unwrap().port()));
    let ended = run(command.arg(home.path().join("no/such/folder.fbs")));
    assert!(ended.code == Some(1) && ended.said.contains("No such file"), "{ended:?}");
    assert!(listener.accept().is_err());
}

#[test]
fn seconds_beyond_every_clock_are_no_limit() {
    let home = tempfile::tempdir().unwrap();
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    let target = format!("127.0.0.1::{}", desktop.port);
    let most = u64::MAX.to_string();
    let picture = home.path().join("a.png");
    let ended = run(sshvnc(home.path()).args(["screenshot", "--direct", "--timeout", &most, &target]).arg(&picture));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let file = home.path().join("a.rfb");
    let recorder = sshvnc(home.path()).args(["record", "--direct", "--seconds", &most, &target]).arg(&file).spawn();
    std::thread::sleep(Duration::from_millis(1500));
    let recorder = recorder.unwrap();
    signal(recorder.id(), "INT");
    let ended = finish(recorder, Duration::from_secs(20));
    assert!(ended.code == Some(130) && Recording::load(&file).is_ok(), "{ended:?}");
}

#[test]
fn nothing_of_a_password_is_in_a_recording() {
    let home = tempfile::tempdir().unwrap();
    let desktop = Desktop::start(Server::Xtigervnc);
    for format in ["fbs", "rfb"] {
        let (port, overheard) = relay(desktop.port);
        let file = home.path().join("seen");
        let mut command = sshvnc(home.path());
        command.args(["record", "--direct", "--seconds", "1", "--format", format, "--encodings", "raw"]);
        let ended = run(command.arg(format!("127.0.0.1::{port}")).arg(&file).env("VNC_PASSWORD", PASSWORD));
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        let [from_server, from_client] = overheard.recv_timeout(Duration::from_secs(20)).unwrap();
        // Version 3.8: the version, the list of types, the challenge; the version, a type, the response.
        let types = usize::from(from_server[12]);
        let challenge = &from_server[13 + types..][..16];
        let response = &from_client[13..][..16];
        assert_eq!((from_client[12], &from_server[29 + types..][..4]), (2, &[0; 4][..]));
        let recorded = fs::read(&file).unwrap();
        let has = |words: &[u8]| recorded.windows(words.len()).any(|window| window == words);
        assert!(!has(challenge) && !has(response) && !has(PASSWORD.as_bytes()), "{format}");
        // What came behind ServerInit is there, though, as it came.
        let recording = Recording::load(&file).unwrap();
        let start = 33 + types + 24 + recording.init.name.len();
        assert!(recording.messages.len() > 100_000, "{format}: {} bytes", recording.messages.len());
        assert!(from_server[start..].starts_with(&recording.messages), "{format}");
        assert_eq!(recorded.starts_with(b"FBS "), format == "fbs");
    }
}

#[test]
fn recordings_that_are_cut_off_or_lie_get_one_line() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a.fbs");
    let red = update(&[rectangle([0, 0, 2, 2], 2, &[&[0; 4], PLAIN.pixel('R')].concat())]);
    let blocks = |list: &[(&[u8], u32)]| {
        list.iter().fold(b"FBS 001.000\n".to_vec(), |mut file, (data, at)| {
            file.extend((data.len() as u32).to_be_bytes());
            file.extend(*data);
            file.resize(file.len().next_multiple_of(4), 0);
            file.extend(at.to_be_bytes());
            file
        })
    };
    let init = PLAIN.server_init(2, 2);
    let bench = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let ended = run(sshvnc(home.path()).arg("bench").arg(&file));
        assert!(ended.said.lines().count() <= 1, "{}", ended.said);
        (ended.code, ended.said)
    };
    let open: &[u8] = b"RFB 003.008\n\x01\x01\0\0\0\0";
    let whole = blocks(&[(open, 0), (&init, 0), (&red, 9), (&red, 4)]);
    assert_eq!(bench(&whole), (Some(0), String::new()));
    for (bytes, code, words) in [
        (whole[..whole.len() - 2].to_vec(), 4, "in the middle of a block"),
        (blocks(&[(open, 0), (&init, 0), (&red[..20], 9)]), 4, "in the middle of a message"),
        // Four gigabytes that are not there.
        ([&whole[..], &[255; 4], &[0; 99]].concat(), 4, "in the middle of a block"),
        (blocks(&[(b"RFB 003.003\n\0\0\0\x02", 0), (&[7; 16], 0)]), 1, "only None can be played"),
        (b"FBS 001.002\n".to_vec(), 1, "no version of FBS"),
    ] {
        let (ended, said) = bench(&bytes);
        assert!(ended == Some(code) && said.contains(words), "{words}: {ended:?} {said}");
    }
    // What is there can be looked at all the same.
    fs::write(&file, &whole[..whole.len() - 2]).unwrap();
    let picture = home.path().join("a.png");
    let ended = run(sshvnc(home.path()).args(["play", "--screenshot"]).arg(&picture).arg(&file));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.said.contains("cut off") && ended.said.lines().count() == 1, "{}", ended.said);
    assert_eq!(read_png(&picture), (2, 2, [255, 0, 0].repeat(4)));
}
