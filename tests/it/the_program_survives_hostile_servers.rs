//! The whole program against servers that break the protocol: one line, the right code, little memory, soon.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};

use crate::real::viewer::{Ended, finish, sshvnc};

/// What a server does after it has accepted the connection; it hangs up when it returns.
type Script = fn(&mut TcpStream) -> std::io::Result<()>;

const LEAST: u64 = 300 * 1024;

/// Runs `sshvnc screenshot` against a script. Gives how it ended and the most memory it had, in kB.
fn against(script: Script) -> (Ended, u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // It ends when the viewer has gone, at the latest.
        let _ = script(&mut stream);
        // What the viewer still says is read, or the kernel would turn the end into a reset.
        let _ = stream.shutdown(std::net::Shutdown::Write).and_then(|()| wait(&mut stream));
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = sshvnc(folder.path());
    command.args(["screenshot", "--direct", "--timeout", "8", &format!("127.0.0.1::{port}")]);
    let child = command.arg(folder.path().join("seen.png")).env("VNC_PASSWORD", "secret12").spawn().unwrap();
    let (ended, memory) = watched(child);
    server.join().unwrap();
    assert!(!folder.path().join("seen.png").exists(), "half a picture was written");
    (ended, memory)
}

/// Waits for the end, looking at the most memory used.
pub fn watched(mut child: Child) -> (Ended, u64) {
    let mut most = 0;
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(30) {
        most = most.max(most_memory(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    (finish(child, Duration::from_secs(1)), most)
}

/// The most memory that a process had, in kB.
fn most_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn ends_with(code: i32, words: &str, script: Script) {
    let (ended, memory) = against(script);
    assert_eq!(ended.code, Some(code), "{words}: {}", ended.said);
    assert!(ended.said.contains(words), "{words}: {}", ended.said);
    assert!(ended.said.starts_with("sshvnc: ") && ended.said.lines().count() == 1, "{words}: {}", ended.said);
    assert!(memory < LEAST, "{words}: {memory} kB");
}

pub fn get<const N: usize>(stream: &mut TcpStream) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Up to the choice of security None.
fn version(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"RFB 003.008\n")?;
    get::<12>(stream).map(|_| ())
}

/// Up to ServerInit, whose name has this length whatever follows.
pub fn server_init(stream: &mut TcpStream, width: u16, height: u16, name: u32) -> std::io::Result<()> {
    version(stream)?;
    stream.write_all(&[1, 1])?;
    get::<1>(stream)?;
    stream.write_all(&[0; 4])?;
    get::<1>(stream)?;
    let format = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    stream.write_all(&[&width.to_be_bytes()[..], &height.to_be_bytes(), &format, &name.to_be_bytes()].concat())
}

/// A desktop of 64×64 that waits for the first request.
fn desktop(stream: &mut TcpStream) -> std::io::Result<()> {
    server_init(stream, 64, 64, 4)?;
    stream.write_all(b"evil")?;
    get::<20>(stream).map(|_| ())
}

pub fn rectangle(x: u16, y: u16, width: u16, height: u16, encoding: i32) -> Vec<u8> {
    let place = [x, y, width, height].map(u16::to_be_bytes).concat();
    [&[0, 0, 0, 1][..], &place, &encoding.to_be_bytes()].concat()
}

/// Stays connected until the viewer leaves.
pub fn wait(stream: &mut TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 4096])? > 0 {}
    Ok(())
}

#[test]
fn in_the_handshake() {
    ends_with(4, "is no RFB version", |stream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n").and_then(|()| wait(stream))
    });
    ends_with(3, "Too many", |stream| {
        version(stream)?;
        stream.write_all(b"\0\0\0\0\x17Too many\x1b[2J connections")?;
        wait(stream)
    });
    ends_with(4, "4294967295 bytes", |stream| {
        version(stream)?;
        stream.write_all(b"\0\xff\xff\xff\xff")?;
        wait(stream)
    });
    ends_with(3, "16, 30", |stream| {
        version(stream)?;
        stream.write_all(&[2, 16, 30])?;
        wait(stream)
    });
    ends_with(4, "a desktop of 65535x65535", |stream| {
        server_init(stream, 65535, 65535, 0)?;
        wait(stream)
    });
    ends_with(4, "desktop name of 4294967295 bytes", |stream| {
        server_init(stream, 64, 64, u32::MAX)?;
        wait(stream)
    });
    ends_with(2, "in the middle of ProtocolVersion", |stream| stream.write_all(b"RFB 003."));
    ends_with(2, "in the middle of ServerInit", |stream| server_init(stream, 64, 64, 100));
    // Without a password none was wrong.
    ends_with(2, "in the middle of SecurityResult", |stream| {
        version(stream)?;
        stream.write_all(&[1, 1])?;
        get::<1>(stream).map(|_| ())
    });
    ends_with(3, "hung up", |stream| {
        version(stream)?;
        stream.write_all(&[1, 2])?;
        get::<1>(stream)?;
        stream.write_all(&[7; 16])?;
        get::<16>(stream).map(|_| ())
    });
}

#[test]
fn in_the_conversation() {
    ends_with(4, "64x64 at 1,0 outside of the desktop of 64x64", |stream| {
        desktop(stream)?;
        stream.write_all(&rectangle(1, 0, 64, 64, 0))?;
        wait(stream)
    });
    ends_with(4, "a copy from 60,60 outside of the desktop", |stream| {
        desktop(stream)?;
        stream.write_all(&[rectangle(0, 0, 8, 8, 1), vec![0, 60, 0, 60]].concat())?;
        wait(stream)
    });
    ends_with(4, "a desktop of 65535x65535", |stream| {
        desktop(stream)?;
        stream.write_all(&rectangle(0, 0, 65535, 65535, -223))?;
        wait(stream)
    });
    ends_with(4, "an extended clipboard message of 1 bytes", |stream| {
        desktop(stream)?;
        stream.write_all(b"\x03\0\0\0\xff\xff\xff\xffx")?;
        wait(stream)
    });
    ends_with(4, "unknown type 99", |stream| {
        desktop(stream)?;
        stream.write_all(&[99])?;
        wait(stream)
    });
    ends_with(4, "compressed data", |stream| {
        desktop(stream)?;
        stream.write_all(&[rectangle(0, 0, 64, 64, 6), u32::MAX.to_be_bytes().to_vec()].concat())?;
        wait(stream)
    });
    ends_with(4, "more compressed pixels", |stream| {
        use flate2::{Compress, Compression, FlushCompress};
        desktop(stream)?;
        // 16 MB of zeroes in 16 kB.
        let mut bomb = Vec::with_capacity(100_000);
        Compress::new(Compression::best(), true)
            .compress_vec(&vec![0; 16 << 20], &mut bomb, FlushCompress::Sync)
            .map_err(std::io::Error::other)?;
        let length = (bomb.len() as u32).to_be_bytes().to_vec();
        stream.write_all(&[rectangle(0, 0, 64, 64, 6), length, bomb].concat())?;
        wait(stream)
    });
}

#[test]
fn by_stopping_or_by_never_stopping() {
    ends_with(2, "in the middle of FramebufferUpdate", |stream| {
        desktop(stream)?;
        stream.write_all(&rectangle(0, 0, 64, 64, 0))
    });
    ends_with(6, "in the middle of ServerCutText", |stream| {
        desktop(stream)?;
        stream.write_all(&[rectangle(0, 0, 1, 1, 0), vec![0; 4], b"\x03\0\0\0\0\0\0\x09half".to_vec()].concat())
    });
    ends_with(2, "before it showed anything", desktop);
    ends_with(2, "was not painted within 8 s", |stream| {
        desktop(stream)?;
        wait(stream)
    });
    // An update without an end, of as many rectangles as the connection carries.
    ends_with(2, "was not painted within 8 s", |stream| {
        desktop(stream)?;
        stream.write_all(&[0, 0, 0xff, 0xff])?;
        let one = [&[0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0][..], &[0; 4]].concat();
        let many = one.repeat(4096);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            stream.write_all(&many)?;
        }
        Ok(())
    });
    // Questions without end, whose answers nobody reads.
    ends_with(2, "asks for answers without end", |stream| {
        desktop(stream)?;
        let fence = [&[248, 0, 0, 0, 0x80, 0, 0, 1, 64][..], &[7; 64]].concat().repeat(1000);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            stream.write_all(&fence)?;
        }
        Ok(())
    });
    // As many bells as it carries, and texts that are never shown.
    ends_with(2, "was not painted within 8 s", |stream| {
        desktop(stream)?;
        let bells = vec![2; 100_000];
        let text = [&[3, 0, 0, 0, 0, 0x40, 0, 0][..], &vec![b'x'; 4 << 20]].concat();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            stream.write_all(&bells)?;
            stream.write_all(&text)?;
        }
        Ok(())
    });
}

/// Rectangles of three bytes that paint 33 million pixels each: whoever wants to end does not wait for them, and those that
/// wait to be painted do not fill the memory.
#[test]
fn by_work_without_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        server_init(&mut stream, 7680, 4320, 0).unwrap();
        let mut fill = rectangle(0, 0, 7680, 4320, 7)[4..].to_vec();
        fill.extend([0x80, 1, 2, 3]);
        let _ = stream.write_all(&[0, 0, 0xff, 0xff]);
        while stream.write_all(&fill.repeat(1000)).is_ok() {}
    });
    let home = tempfile::tempdir().unwrap();
    let screen = crate::real::desktop::Screen::start(800, 600);
    let mut viewer = crate::real::viewer::sshvnc(home.path());
    viewer.args(["--direct", "--encodings", "tight"]).arg(format!("127.0.0.1::{port}"));
    let viewer = viewer.env("DISPLAY", &screen.display).spawn().unwrap();
    let is_seen = || crate::real::window::id_on(&screen.display).is_some();
    assert!(crate::real::within(crate::real::PATIENCE, is_seen), "no window");
    std::thread::sleep(Duration::from_secs(2));
    let memory = most_memory(viewer.id());
    assert!(memory.is_some_and(|memory| memory < 2 * LEAST), "{memory:?} kB");
    let start = Instant::now();
    crate::real::signal(viewer.id(), "TERM");
    let ended = crate::real::viewer::finish(viewer, crate::real::PATIENCE);
    assert_eq!(ended.code, Some(143), "{}", ended.said);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}
