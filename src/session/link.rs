//! How fast the link is, from when its bytes arrive, and what to ask a server for on such a link.

use std::time::{Duration, Instant};

use crate::client::Settings;
use crate::rfb::encoding;

/// A round trip that no network has: the server is on this machine, or as good as that.
const NEXT_DOOR: Duration = Duration::from_micros(500);
/// A round trip within a building. What comes slowly from there waits for the server, which would take longer still if it
/// had to compress harder.
const NEARBY: Duration = Duration::from_millis(4);
/// What is counted at once: enough that no single packet decides.
const SAMPLE: (usize, Duration) = (48 << 10, Duration::from_millis(400));

/// Kinds of links, by what must be done to show a desktop at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Speed {
    /// Less than 800 kbit/s: few colours of each picture arrive in time.
    Crawling,
    /// Up to some Mbit/s: pictures with a loss that is seen.
    Slow,
    /// Most of the internet: pictures with a loss that is seen when it is looked for.
    Middling,
    /// A local network: without loss.
    Fast,
    /// No network: compressing takes longer than sending.
    None,
}

/// From slow to fast: the bytes a second that lead from one kind to the next.
const STEPS: [(Speed, Speed, f64); 4] = [
    (Speed::Crawling, Speed::Slow, 100e3),
    (Speed::Slow, Speed::Middling, 500e3),
    (Speed::Middling, Speed::Fast, 5e6),
    (Speed::Fast, Speed::None, f64::INFINITY),
];
/// A link has to be slower than a step by so much to be taken back: settings that go to and fro are worse than either.
const BACK: f64 = 0.6;
/// Bytes a second below which a server next door had better compress.
const LEAST_RAW: f64 = 150e6;

/// The speed of a link as it is known by now.
#[derive(Debug)]
pub(super) struct Link {
    speed: Speed,
    /// The slowest that it may be taken for.
    least: Speed,
    last: Option<Instant>,
    bytes: usize,
    time: Duration,
    /// Bytes a second.
    rate: Option<f64>,
}

impl Link {
    /// A link on which a server answered within `round_trip`.
    pub(super) fn new(round_trip: Duration) -> Link {
        let speed = if round_trip < NEXT_DOOR { Speed::None } else { Speed::Middling };
        let least = if round_trip < NEARBY { Speed::Middling } else { Speed::Crawling };
        Link { speed, least, last: None, bytes: 0, time: Duration::ZERO, rate: None }
    }

    /// Bytes have arrived, which were `due` or came without being waited for. Tells if the link is of another kind now.
    pub(super) fn arrived(&mut self, bytes: usize, now: Instant, due: bool) -> bool {
        let last = self.last.replace(now);
        if let Some(last) = last.filter(|_| due) {
            self.bytes += bytes;
            self.time += now.saturating_duration_since(last);
        }
        if self.bytes < SAMPLE.0 && self.time < SAMPLE.1 {
            return false;
        }
        let rate = self.bytes as f64 / self.time.as_secs_f64().max(1e-6);
        (self.bytes, self.time) = (0, Duration::ZERO);
        let rate = self.rate.map_or(rate, |mean| (mean + rate) / 2.0);
        self.rate = Some(rate);
        let before = self.speed;
        self.speed = step(before, rate).max(self.least);
        self.speed != before
    }

    /// What to ask for: `wanted`, which says nothing of quality, as it is best for this link.
    pub(super) fn settings(&self, wanted: &Settings) -> Settings {
        let mut settings = wanted.clone();
        let level = |compression: u8| wanted.compression.or(Some(compression));
        (settings.quality, settings.compression) = match self.speed {
            Speed::None | Speed::Fast => (None, wanted.compression),
            Speed::Middling => (Some(5), wanted.compression),
            Speed::Slow => (Some(3), level(6)),
            Speed::Crawling => (Some(2), level(9)),
        };
        if self.speed == Speed::None {
            // TigerVNC takes another encoding than Raw if it knows any.
            settings.encodings = vec![encoding::COPY_RECT, encoding::RAW];
        }
        settings
    }

    /// For the log.
    pub(super) fn describe(&self) -> String {
        let rate = self.rate.map_or("not measured yet".to_owned(), |rate| format!("{:.1} Mbit/s", rate * 8e-6));
        format!("{:?} ({rate})", self.speed)
    }
}

fn step(mut speed: Speed, rate: f64) -> Speed {
    if speed == Speed::None {
        if rate > LEAST_RAW {
            return speed;
        }
        speed = Speed::Fast;
    }
    for (slow, fast, limit) in STEPS {
        if speed == slow && rate > limit {
            speed = fast;
        }
    }
    for (slow, fast, limit) in STEPS.iter().rev().filter(|(.., limit)| limit.is_finite()) {
        if speed == *fast && rate < limit * BACK {
            speed = *slow;
        }
    }
    speed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfb::PixelFormat;

    /// A link of so many bytes a second, in chunks as SSH gives them.
    fn after(link: &mut Link, rate: f64, chunks: usize) -> Speed {
        let mut now = Instant::now();
        link.arrived(1, now, false);
        for _ in 0..chunks {
            now += Duration::from_secs_f64(32768.0 / rate);
            link.arrived(32768, now, true);
        }
        link.speed
    }

    #[test]
    fn each_kind_is_recognised_from_any_other() {
        let kinds = [(40e3, Speed::Crawling), (250e3, Speed::Slow), (2.5e6, Speed::Middling), (80e6, Speed::Fast)];
        for (first, _) in kinds {
            for (then, expected) in kinds {
                let mut link = Link::new(Duration::from_millis(40));
                assert_eq!(link.speed, Speed::Middling);
                after(&mut link, first, 12);
                assert_eq!(after(&mut link, then, 40), expected, "{first} then {then}");
            }
        }
        let mut next_door = Link::new(Duration::from_micros(100));
        assert_eq!(after(&mut next_door, 600e6, 1000), Speed::None);
        assert_eq!(after(&mut next_door, 30e6, 10), Speed::Fast);
        assert_eq!(after(&mut next_door, 600e6, 10), Speed::Fast);
    }

    #[test]
    fn a_slow_link_is_noticed_within_two_chunks() {
        let mut link = Link::new(Duration::from_millis(40));
        assert_eq!(after(&mut link, 250e3, 2), Speed::Slow);
    }

    #[test]
    fn a_server_nearby_that_is_slow_itself_is_not_made_to_work_harder() {
        let mut link = Link::new(Duration::from_millis(2));
        assert_eq!(after(&mut link, 300e3, 40), Speed::Middling);
        assert_eq!(after(&mut link, 80e6, 40), Speed::Fast);
        assert_eq!(after(&mut Link::new(NEARBY), 300e3, 40), Speed::Slow);
    }

    #[test]
    fn time_in_which_nothing_was_due_does_not_count() {
        let mut link = Link::new(Duration::from_millis(40));
        let mut now = Instant::now();
        for _ in 0..50 {
            now += Duration::from_secs(5);
            assert!(!link.arrived(700, now, false));
        }
        assert_eq!(link.rate, None);
    }

    #[test]
    fn a_link_near_a_step_does_not_go_to_and_fro() {
        let mut link = Link::new(Duration::from_millis(40));
        let changes: usize = (0..50)
            .map(|turn| usize::from(after(&mut link, if turn % 2 == 0 { 4.6e6 } else { 5.6e6 }, 4) == Speed::Middling))
            .sum();
        assert!(changes <= 3, "{changes} times back");
    }

    #[test]
    fn what_the_user_wants_compressed_is_compressed_so() {
        let wanted = Settings::new(PixelFormat::bgr233(), encoding::default_pixel_encodings());
        let mut link = Link::new(Duration::ZERO);
        let next_door = link.settings(&wanted);
        assert_eq!((&*next_door.encodings, next_door.quality), (&[encoding::COPY_RECT, encoding::RAW][..], None));
        link.speed = Speed::Slow;
        assert_eq!(link.settings(&wanted).compression, Some(6));
        let hard = Settings { compression: Some(9), ..wanted };
        assert_eq!(link.settings(&hard).compression, Some(9));
    }
}
