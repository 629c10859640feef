//! How long updates take to arrive, and whether more than one may be on its way at a time.

use std::time::{Duration, Instant};

/// Updates that take longer than this fill the link: another one behind them only makes what is shown older. Measured at
/// 20 Mbit/s and 50 ms while a video plays, the echo of a key (p50 and p90): 236 and 311 ms with one update at a time, 243
/// and 452 with updates that come by themselves.
const SLOW: Duration = Duration::from_millis(25);
/// Below this the link has room, and waiting for a request would cost a round trip with each update.
const QUICK: Duration = Duration::from_millis(12);

/// The mean time that an update takes from its first byte to its last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    began: Option<Instant>,
    mean: Duration,
    quick: bool,
}

impl Pace {
    /// Part of an update has arrived.
    pub(super) fn part(&mut self, now: Instant) {
        self.began.get_or_insert(now);
    }

    /// An update is complete. Gives the new answer if it has changed: whether several may be on their way.
    pub(super) fn done(&mut self, now: Instant) -> Option<bool> {
        let taken = self.began.take().map_or(Duration::ZERO, |began| now.saturating_duration_since(began));
        self.mean = (self.mean * 7 + taken) / 8;
        let quick = if self.quick { self.mean < SLOW } else { self.mean < QUICK };
        let changed = quick != self.quick;
        self.quick = quick;
        changed.then_some(quick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_updates_are_noticed_and_a_single_one_is_forgiven() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut update = |milliseconds| {
            pace.part(now);
            now += Duration::from_millis(milliseconds);
            pace.part(now);
            pace.done(now)
        };
        assert_eq!(update(1), Some(true));
        assert_eq!(update(100), None);
        assert!((0..20).all(|_| update(2).is_none()));
        let slow: Vec<Option<bool>> = (0..20).map(|_| update(100)).collect();
        assert_eq!(slow.iter().flatten().collect::<Vec<_>>(), [&false]);
        assert!((0..5).all(|_| update(20).is_none()));
        assert!((0..60).any(|_| update(1) == Some(true)));
    }
}
