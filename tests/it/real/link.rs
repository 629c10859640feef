//! A link of a given speed and round trip, on the way to a port of this machine.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

/// A link that takes connections until the test ends. There is no loss and no slow start: what a link of this speed can
/// do at its best.
pub struct Link {
    pub port: u16,
    received: Arc<AtomicUsize>,
}

/// Bytes that leave together, as large as on an Ethernet.
const SEGMENT: usize = 1448;

impl Link {
    /// A link to `port` that takes so many bits a second each way, and `round_trip` for a question and its answer.
    pub fn to(port: u16, bits_per_second: f64, round_trip: Duration) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let received = Arc::new(AtomicUsize::new(0));
        let link = Link { port: listener.local_addr().unwrap().port(), received: received.clone() };
        thread::spawn(move || {
            for near in listener.incoming() {
                let Ok(near) = near else { return };
                // A server that is gone ends the connection.
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let one_way = round_trip / 2;
                let pace = move |from: &TcpStream, to: &TcpStream, count: Arc<AtomicUsize>| {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    from.set_nodelay(true).unwrap();
                    // What waits on the far side waits there, not in the kernel's generous buffers of this machine.
                    rustix::net::sockopt::set_socket_recv_buffer_size(&from, 32 << 10).unwrap();
                    thread::spawn(move || carry(from, to, bits_per_second / 8.0, one_way, &count));
                };
                pace(&near, &far, Arc::default());
                pace(&far, &near, received.clone());
            }
        });
        link
    }

    /// Bytes that have come from the far end.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }
}

/// Passes bytes on at `rate` bytes a second, each `one_way` after it has left.
fn carry(mut from: TcpStream, to: TcpStream, rate: f64, one_way: Duration, count: &AtomicUsize) {
    // On their way at a time: those of one delay, and a queue of 50 ms before the narrow place.
    let most = (rate * (one_way.as_secs_f64() + 0.05)) as usize / SEGMENT + 16;
    let (sender, segments) = sync_channel::<(Instant, Vec<u8>)>(most);
    let mut out = to.try_clone().unwrap();
    let writer = thread::spawn(move || {
        for (due, segment) in segments {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if out.write_all(&segment).is_err() {
                break;
            }
        }
        let _ = out.shutdown(Shutdown::Write);
    });
    let mut free = Instant::now();
    // Several at once on fast links: a thread can not sleep for microseconds.
    let mut buffer = vec![0; SEGMENT.max((rate * 0.0005) as usize)];
    while let Ok(size @ 1..) = from.read(&mut buffer) {
        count.fetch_add(size, Ordering::Relaxed);
        free = free.max(Instant::now()) + Duration::from_secs_f64(size as f64 / rate);
        if sender.send((free + one_way, buffer[..size].to_vec())).is_err() {
            break;
        }
        // The narrow place is busy until then.
        thread::sleep(free.saturating_duration_since(Instant::now() + Duration::from_millis(1)));
    }
    drop(sender);
    let _ = from.shutdown(Shutdown::Read);
    let _ = writer.join();
}
