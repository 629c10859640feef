//! A desktop of 3840×2160 takes the memory of its framebuffer and 64 MB, in the encodings that hold most of it at once.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use flate2::{Compress, Compression, FlushCompress};

use crate::jpeg_by_hand::{Tables, jpeg};
use crate::real::viewer::sshvnc;
use crate::the_program_survives_hostile_servers::{get, rectangle, server_init, wait, watched};

const WIDTH: u16 = 3840;
const HEIGHT: u16 = 2160;
const FRAMEBUFFER: u64 = WIDTH as u64 * HEIGHT as u64 * 4;

/// The most memory that `sshvnc screenshot` had, in bytes, of a desktop that comes as one rectangle.
fn most_memory(encoding: i32, payload: &[u8]) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("seen.png");
    let mut command = sshvnc(folder.path());
    command.args(["screenshot", "--direct", &format!("127.0.0.1::{port}")]).arg(&picture);
    let child = command.env("VNC_PASSWORD", "secret12").spawn().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&mut listener.accept().unwrap().0, encoding, payload).unwrap());
        let (ended, kilobytes) = watched(child);
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        assert!(picture.exists());
        kilobytes * 1024
    })
}

fn serve(stream: &mut TcpStream, encoding: i32, payload: &[u8]) -> std::io::Result<()> {
    server_init(stream, WIDTH, HEIGHT, 0)?;
    get::<20>(stream)?;
    stream.write_all(&rectangle(0, 0, WIDTH, HEIGHT, encoding))?;
    stream.write_all(payload)?;
    wait(stream)
}

/// Slow gradients under grain in the lowest bits: about half of it is left when it is compressed.
fn photo() -> Vec<u8> {
    let mut grain = 1u32;
    let mut out = Vec::new();
    for y in 0..u32::from(HEIGHT) {
        for x in 0..u32::from(WIDTH) {
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let pixel = [x / 16, (x + y) / 24, y / 9, 0].map(|part| (part + (grain >> 30)) as u8);
            out.extend(pixel);
        }
    }
    out
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 1000);
    Compress::new(Compression::fast(), true).compress_vec(bytes, &mut out, FlushCompress::Sync).unwrap();
    out
}

/// How much waits to be unpacked besides is up to what else the machine does: one of three times counts.
fn fits(name: &str, encoding: i32, payload: &[u8]) {
    let besides = |_| most_memory(encoding, payload).saturating_sub(FRAMEBUFFER) / 1_000_000;
    let mut seen = (0..3).map(besides).inspect(|besides| println!("{name}: {besides} MB besides the framebuffer"));
    assert!(seen.any(|besides| besides <= 64), "{name}");
}

#[test]
fn as_one_rectangle() {
    // Raw is painted as it comes: how much of it waits to be painted is up to the machine.
    let zlib = deflated(&photo());
    let length = zlib.len() as u32;
    fits("zlib", 6, &[&length.to_be_bytes()[..], &zlib].concat());
    // Its lengths have 22 bits.
    let tight = deflated(&vec![77; usize::from(WIDTH) * usize::from(HEIGHT) * 3]);
    let length = tight.len();
    let compact = [length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8];
    fits("tight", 7, &[&[0][..], &compact, &tight].concat());
    fits("jpeg", 21, &jpeg(WIDTH, HEIGHT, [90, 100, 200], Tables::Both));
}
