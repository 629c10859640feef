//! A way to a port of this machine on which what the server says is kept.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// A way for one connection.
pub struct Tap {
    pub port: u16,
    heard: JoinHandle<Vec<u8>>,
}

impl Tap {
    pub fn to(port: u16) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let heard = thread::spawn(move || {
            let (mut near, _) = listener.accept().unwrap();
            let mut far = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            let asked = thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            let mut heard = Vec::new();
            let mut buffer = vec![0; 1 << 16];
            while let Ok(size @ 1..) = far.read(&mut buffer) {
                heard.extend(&buffer[..size]);
                if near.write_all(&buffer[..size]).is_err() {
                    break;
                }
            }
            let _ = near.shutdown(Shutdown::Both);
            asked.join().unwrap();
            heard
        });
        Tap { port: own, heard }
    }

    /// What the server said, once the viewer, which must have come, has left.
    pub fn heard(self) -> Vec<u8> {
        self.heard.join().unwrap()
    }
}
