//! The statistics panel: from counts to rates, a row each.

use std::time::{Duration, Instant};

use crate::rfb::encoding;
use crate::session::{Session, Stats};

/// Rates are over this long, so that they can be read.
const SPAN: Duration = Duration::from_secs(1);

/// What was counted before.
#[derive(Default)]
pub struct Meter {
    frames: u32,
    /// Spent on them.
    presenting: Duration,
    before: Option<(Instant, Stats)>,
    rows: Vec<(String, String)>,
}

impl Meter {
    /// A frame was handed to the screen, which took so long.
    pub fn presented(&mut self, took: Duration) {
        self.frames += 1;
        self.presenting += took;
    }

    /// The panel's rows, made anew once a second.
    pub fn rows(&mut self, session: &Session, now: Instant) -> Vec<(String, String)> {
        let fresh = self.before.as_ref().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= SPAN);
        if fresh {
            let stats = session.stats();
            let before = self.before.as_ref().map(|(at, before)| (now.saturating_duration_since(*at), before));
            let frames = (std::mem::take(&mut self.frames), std::mem::take(&mut self.presenting));
            self.rows = rows(&stats, before, frames);
            self.before = Some((now, stats));
        }
        self.rows.clone()
    }
}

/// The rows: name and value. `before`: how long ago that was, and what was counted then.
fn rows(
    now: &Stats,
    before: Option<(Duration, &Stats)>,
    (frames, presenting): (u32, Duration),
) -> Vec<(String, String)> {
    let none = Stats::default();
    let (span, before) = before.unwrap_or((SPAN, now));
    // A new connection counts from nothing.
    let before = if before.received > now.received { &none } else { before };
    let seconds = span.as_secs_f64().max(0.001);
    let rate = |now: u64, before: u64| (now - before.min(now)) as f64 / seconds;
    let updates = now.counts.updates - before.counts.updates.min(now.counts.updates);
    let round_trip = |time: Option<Duration>| time.map_or("-".to_owned(), milliseconds);
    let decoding = now.decoding.saturating_sub(before.decoding);
    let mut rows = vec![
        ("SSH round trip", round_trip(now.ssh)),
        ("RFB round trip", round_trip(now.rfb)),
        ("received", format!("{:.2} Mbit/s", rate(now.received, before.received) * 8.0 / 1e6)),
        ("updates", format!("{:.1} /s", rate(now.counts.updates, before.counts.updates))),
        ("frames shown", format!("{:.1} /s", f64::from(frames) / seconds)),
        ("pixels", format!("{:.2} M/s", rate(now.counts.pixels, before.counts.pixels) / 1e6)),
        (
            "decoding",
            if updates == 0 { "-".to_owned() } else { milliseconds(decoding / updates.min(u32::MAX.into()) as u32) },
        ),
        ("presenting", if frames == 0 { "-".to_owned() } else { milliseconds(presenting / frames) }),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect::<Vec<_>>();
    // By rectangles, over the whole session.
    let all: u64 = now.counts.by_encoding.values().sum();
    let mut shares: Vec<(&i32, &u64)> = now.counts.by_encoding.iter().collect();
    shares.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (number, count) in shares.into_iter().take(4) {
        rows.push((encoding::name(*number), format!("{:.0} %", *count as f64 * 100.0 / all.max(1) as f64)));
    }
    rows
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(received: u64, updates: u64) -> Stats {
        let mut stats = Stats { received, ..Stats::default() };
        stats.counts.updates = updates;
        stats.decoding = Duration::from_millis(3 * updates);
        stats.counts.by_encoding = [(7, 3 * updates), (1, updates)].into();
        stats
    }

    fn value(rows: &[(String, String)], name: &str) -> String {
        rows.iter().find(|(row, _)| row == name).map_or_else(String::new, |(_, value)| value.clone())
    }

    #[test]
    fn rates_are_over_the_time_that_passed() {
        let before = stats(1_000_000, 10);
        let rows =
            rows(&stats(2_000_000, 30), Some((Duration::from_secs(2), &before)), (30, Duration::from_millis(60)));
        assert_eq!(value(&rows, "received"), "4.00 Mbit/s");
        assert_eq!((value(&rows, "updates"), value(&rows, "frames shown")), ("10.0 /s".into(), "15.0 /s".into()));
        assert_eq!((value(&rows, "decoding"), value(&rows, "SSH round trip")), ("3.0 ms".into(), "-".into()));
        assert_eq!(value(&rows, "presenting"), "2.0 ms");
        assert_eq!((value(&rows, "Tight"), value(&rows, "CopyRect")), ("75 %".into(), "25 %".into()));
    }

    #[test]
    fn another_connection_counts_anew() {
        let before = stats(5_000_000, 100);
        let rows = rows(&stats(1_000_000, 1), Some((Duration::from_secs(1), &before)), (0, Duration::ZERO));
        assert_eq!((value(&rows, "received"), value(&rows, "updates")), ("8.00 Mbit/s".into(), "1.0 /s".into()));
    }
}
