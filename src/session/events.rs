//! The line on which events are told. Whoever sleeps in poll(2) hears of them too: a descriptor can be read meanwhile.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::{End, Error, Event};

/// The end that tells.
#[derive(Clone)]
pub(super) struct Teller {
    events: Sender<Event>,
    // Whether a byte is on its way, so that a burst of events writes one.
    rung: Arc<AtomicBool>,
    // Closed with the last teller, which wakes the listener as a byte does.
    bell: Arc<UnixStream>,
}

/// The end that listens.
pub(super) struct Listener {
    events: Receiver<Event>,
    rung: Arc<AtomicBool>,
    bell: UnixStream,
}

/// A line.
pub(super) fn line() -> io::Result<(Teller, Listener)> {
    let (near, far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    far.set_nonblocking(true)?;
    let (sender, receiver) = channel();
    let rung = Arc::new(AtomicBool::new(false));
    let teller = Teller { events: sender, rung: rung.clone(), bell: Arc::new(far) };
    Ok((teller, Listener { events: receiver, rung, bell: near }))
}

impl Teller {
    /// Tells an event; without a listener nobody misses it.
    pub(super) fn tell(&self, event: Event) {
        if self.events.send(event).is_ok() && !self.rung.swap(true, Ordering::AcqRel) {
            // One byte always has room.
            let _ = (&*self.bell).write(&[1]);
        }
    }
}

/// Held by whoever must tell of the end; if it panics, that is told.
pub(super) struct Will(Teller);

impl Will {
    pub(super) fn new(teller: &Teller) -> Will {
        Will(teller.clone())
    }
}

impl Drop for Will {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.tell(Event::Ended(End { error: Some(Error::Broken), shown: false }));
        }
    }
}

impl Listener {
    /// The next event, within `wait`. After "none", [`bell`](Listener::bell) can be read only when there is another.
    pub(super) fn next(&self, wait: Duration) -> Result<Event, RecvTimeoutError> {
        match self.events.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => {
                let _ = (&self.bell).read(&mut [0; 8]);
                // Exchanged, not stored: what did not ring because of the old value is seen by the next line.
                self.rung.swap(false, Ordering::AcqRel);
                self.events.recv_timeout(Duration::ZERO)
            }
            told => told,
        }
    }

    /// Can be read while an event waits.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rings(listener: &Listener) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::from_borrowed_fd(listener.bell(), PollFlags::IN)], Some(&now)).unwrap() == 1
    }

    #[test]
    fn the_bell_rings_while_there_is_something_to_hear() {
        let (teller, listener) = line().unwrap();
        assert!(!rings(&listener));
        teller.tell(Event::Signal(1));
        teller.tell(Event::Signal(2));
        for number in [1, 2] {
            assert!(rings(&listener));
            assert!(matches!(listener.next(Duration::ZERO), Ok(Event::Signal(heard)) if heard == number));
        }
        assert!(listener.next(Duration::ZERO).is_err());
        assert!(!rings(&listener));
        teller.clone().tell(Event::Signal(3));
        assert!(rings(&listener));
        assert!(listener.next(Duration::ZERO).is_ok() && listener.next(Duration::ZERO).is_err());
        drop(teller);
        assert!(rings(&listener));
        assert!(matches!(listener.next(Duration::ZERO), Err(RecvTimeoutError::Disconnected)));
    }

    #[test]
    fn a_panic_is_an_end() {
        let (teller, listener) = line().unwrap();
        drop(Will::new(&teller));
        let panicked = std::thread::spawn(move || {
            let _will = Will::new(&teller);
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        assert!(matches!(listener.next(Duration::ZERO), Ok(Event::Ended(End { error: Some(Error::Broken), .. }))));
    }

    #[test]
    fn nothing_told_while_the_listener_falls_asleep_is_missed() {
        let (teller, listener) = line().unwrap();
        let told = std::thread::spawn(move || {
            for number in 0..20_000 {
                teller.tell(Event::Signal(number));
                if number % 7 == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let mut heard = 0;
        loop {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let long = Timespec { tv_sec: 10, tv_nsec: 0 };
            let woken = poll(&mut [PollFd::from_borrowed_fd(listener.bell(), PollFlags::IN)], Some(&long)).unwrap();
            assert_eq!(woken, 1, "asleep after {heard}");
            match listener.next(Duration::ZERO) {
                Ok(Event::Signal(number)) => {
                    assert_eq!(number, heard);
                    heard += 1;
                }
                Ok(_) => panic!(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        told.join().unwrap();
        assert_eq!(heard, 20_000);
    }
}
