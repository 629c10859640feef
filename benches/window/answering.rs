//! A VNC server that answers at once: every key with a block of another colour, and while it is told to play, every request
//! with a whole picture. It has no clock of its own that would hide the viewers'.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The side of the block in the upper left corner.
pub const BLOCK: u16 = 64;
/// Encodings (RFC 6143 §7.7; rfbproto, "Tight").
const RAW: i32 = 0;
const TIGHT: i32 = 7;

/// The server.
pub struct Answering {
    pub port: u16,
    pub plays: Arc<AtomicBool>,
    /// Whole pictures sent.
    pub pictures: Arc<AtomicU32>,
}

impl Answering {
    /// Serves a grey desktop of this size to everybody who connects.
    pub fn start(width: u16, height: u16) -> Answering {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (plays, pictures) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (told, counted) = (plays.clone(), pictures.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (plays, pictures) = (told.clone(), counted.clone());
                std::thread::spawn(move || serve(stream, (width, height), &plays, &pictures));
            }
        });
        Answering { port, plays, pictures }
    }
}

/// What a client is owed.
#[derive(Default)]
struct Debt {
    /// It waits for an update.
    asked: bool,
    /// All of the desktop.
    whole: bool,
    /// The block has another colour.
    block: bool,
}

fn serve(mut stream: TcpStream, size: (u16, u16), plays: &AtomicBool, pictures: &AtomicU32) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    stream.write_all(b"RFB 003.008\n").ok()?;
    read(&mut stream, 12)?;
    // Security type None.
    stream.write_all(&[1, 1]).ok()?;
    read(&mut stream, 1)?;
    stream.write_all(&[0, 0, 0, 0]).ok()?;
    read(&mut stream, 1)?;
    let mut init = Vec::new();
    init.extend(size.0.to_be_bytes());
    init.extend(size.1.to_be_bytes());
    init.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    init.extend(9u32.to_be_bytes());
    init.extend(b"answering");
    stream.write_all(&init).ok()?;
    let (mut debt, mut tight, mut colour) = (Debt::default(), false, 0u8);
    loop {
        match read(&mut stream, 1)?[0] {
            0 => drop(read(&mut stream, 19)?),
            2 => {
                let count = u16::from_be_bytes(read(&mut stream, 3)?[1..].try_into().ok()?);
                let list = read(&mut stream, usize::from(count) * 4)?;
                tight = list.chunks_exact(4).any(|number| number == TIGHT.to_be_bytes());
            }
            3 => {
                let request = read(&mut stream, 9)?;
                debt.asked = true;
                debt.whole |= request[0] == 0;
            }
            4 => {
                let down = read(&mut stream, 7)?[0] != 0;
                if down {
                    colour = colour.wrapping_add(64);
                    debt.block = true;
                }
            }
            5 => drop(read(&mut stream, 5)?),
            6 => {
                let length = i32::from_be_bytes(read(&mut stream, 7)?[3..].try_into().ok()?);
                read(&mut stream, length.unsigned_abs() as usize)?;
            }
            // QEMU's messages: only keys are known.
            255 => drop(read(&mut stream, 11)?),
            _ => return None,
        }
        let playing = plays.load(Ordering::Relaxed);
        if !debt.asked || !(debt.whole || debt.block || playing) {
            continue;
        }
        if playing {
            colour = colour.wrapping_add(1);
            pictures.fetch_add(1, Ordering::Relaxed);
        }
        let (width, height) = if debt.whole || playing { size } else { (BLOCK, BLOCK) };
        let mut update = vec![0, 0, 0, 1, 0, 0, 0, 0];
        update.extend(width.to_be_bytes());
        update.extend(height.to_be_bytes());
        if tight {
            update.extend(TIGHT.to_be_bytes());
            update.extend([0x80, colour, colour, colour]);
        } else {
            update.extend(RAW.to_be_bytes());
            update.resize(update.len() + usize::from(width) * usize::from(height) * 4, colour);
        }
        stream.write_all(&update).ok()?;
        debt = Debt::default();
    }
}

fn read(stream: &mut TcpStream, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
