//! How fast all is, for whoever wants to see it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::client::Counts;
use crate::transport::Pulse;

/// What has been measured since the connection was made.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Bytes of RFB received.
    pub received: u64,
    /// Updates and rectangles.
    pub counts: Counts,
    /// Time spent decoding.
    pub decoding: Duration,
    /// The last round trip to the SSH server, if there is one.
    pub ssh: Option<Duration>,
    /// The last round trip to the RFB server and through our decoders, if it knows fences.
    pub rfb: Option<Duration>,
}

/// The place where it is written down.
#[derive(Clone, Default)]
pub(super) struct Board {
    stats: Arc<Mutex<Stats>>,
    wanted: Arc<AtomicBool>,
    pinging: Arc<AtomicBool>,
    pulse: Arc<Mutex<Option<Pulse>>>,
}

impl Board {
    /// What has been measured; from now on it is kept up to date.
    pub(super) fn read(&self) -> Stats {
        self.wanted.store(true, Ordering::Relaxed);
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    pub(super) fn write(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The connection stands.
    pub(super) fn connected(&self, pulse: Option<Pulse>) {
        *self.pulse.lock().unwrap_or_else(PoisonError::into_inner) = pulse;
    }

    /// Measures the round trip to the SSH server, unless that is being done.
    pub(super) async fn measure_ssh(self) {
        let pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(pulse) = pulse else { return };
        if self.pinging.swap(true, Ordering::AcqRel) {
            return;
        }
        let start = Instant::now();
        let answered = pulse.answers().await;
        self.pinging.store(false, Ordering::Release);
        self.write(|stats| stats.ssh = answered.then(|| start.elapsed()));
    }
}
