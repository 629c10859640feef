//! How often a frame is shown. Pure: time is an argument.

use std::time::{Duration, Instant};

/// Between frames when there are many: more than 60 a second, which is what most screens show.
const FRAME: Duration = Duration::from_millis(15);

/// When the next frame may be shown.
#[derive(Debug, Default)]
pub struct Pace {
    next: Option<Instant>,
}

impl Pace {
    /// How long the next frame has to wait.
    pub fn wait(&self, now: Instant) -> Duration {
        self.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }

    /// A frame was shown. After a pause two may follow each other at once: the echo of a key is not held up by a clock
    /// that ticks on the desktop.
    pub fn shown(&mut self, now: Instant) {
        let earliest = now.checked_sub(FRAME).unwrap_or(now);
        self.next = Some(self.next.unwrap_or(earliest).max(earliest) + FRAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_rhythm_and_pauses_give_one_for_free() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut now = start;
        let mut frames = 0;
        while now < start + Duration::from_secs(1) {
            assert_eq!(pace.wait(now), Duration::ZERO);
            pace.shown(now);
            frames += 1;
            // Waking up is never exact.
            now += pace.wait(now) + Duration::from_micros(800);
        }
        assert!((66..=68).contains(&frames), "{frames}");
        now += Duration::from_secs(5);
        pace.shown(now);
        assert_eq!(pace.wait(now), Duration::ZERO);
        pace.shown(now);
        assert_eq!(pace.wait(now), FRAME);
    }
}
