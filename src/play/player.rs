//! The time of a film: it runs, stands still, jumps and begins again. Whoever asks says what time it is.

use std::time::{Duration, Instant};

use super::film::Film;
use crate::rfb::ProtocolError;

/// Bytes and pixels that are decoded in one turn: some hundredths of a second, then the window is looked at again.
const TURN: u64 = 8 << 20;
/// How long the last picture is shown before a film begins again.
const REST: Duration = Duration::from_secs(1);

/// What the time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It runs, since then.
    Playing(Instant),
    Paused,
    /// Since then.
    Ended(Instant),
}

/// A film that is played.
pub struct Player {
    film: Film,
    speed: f64,
    /// Whether it begins again at its end.
    again: bool,
    /// The film's time when the state was entered.
    at: Duration,
    state: State,
    /// Whether what is decoded is not to be shown, because it leads to what is.
    seeking: bool,
}

impl Player {
    /// Plays `film` from its beginning, so many times faster.
    pub fn new(film: Film, speed: f64, again: bool, now: Instant) -> Player {
        Player { film, speed, again, at: Duration::ZERO, state: State::Playing(now), seeking: false }
    }

    /// The film's time.
    fn position(&self, now: Instant) -> Duration {
        let passed = match self.state {
            State::Playing(since) => now.saturating_duration_since(since).mul_f64(self.speed),
            State::Paused | State::Ended(_) => Duration::ZERO,
        };
        self.within(self.at.saturating_add(passed))
    }

    fn within(&self, at: Duration) -> Duration {
        self.film.duration().map_or(at, |duration| at.min(duration))
    }

    /// Decodes what is due; what takes long, in several turns.
    ///
    /// # Errors
    /// [`ProtocolError`]
    pub fn advance(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let position = self.position(now);
        let mut work = 0;
        while self.film.due().is_some_and(|due| due <= position) {
            work += self.film.step()?;
            if work > TURN {
                return Ok(());
            }
        }
        self.seeking = false;
        if self.film.due().is_some() {
            return Ok(());
        }
        match self.state {
            State::Ended(since) if self.again && now.saturating_duration_since(since) >= REST => {
                self.go_to(Duration::ZERO, now)?;
            }
            State::Playing(_) => {
                self.at = position.min(self.film.time());
                self.state = State::Ended(now);
            }
            State::Paused => self.at = position.min(self.film.time()),
            State::Ended(_) => {}
        }
        Ok(())
    }

    /// How long nothing is due; `None` if nothing will be.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        if let State::Ended(since) = self.state {
            return self.again.then(|| REST.saturating_sub(now.saturating_duration_since(since)));
        }
        let due = self.film.due()?.saturating_sub(self.position(now));
        match self.state {
            State::Playing(_) => Some(due.div_f64(self.speed)),
            _ => due.is_zero().then_some(due),
        }
    }

    /// Stands still, or goes on; from the beginning if it has ended.
    ///
    /// # Errors
    /// [`ProtocolError`]
    pub fn pause(&mut self, now: Instant) -> Result<(), ProtocolError> {
        match self.state {
            State::Playing(_) => {
                self.at = self.position(now);
                self.state = State::Paused;
            }
            State::Paused => self.state = State::Playing(now),
            State::Ended(_) => self.go_to(Duration::ZERO, now)?,
        }
        Ok(())
    }

    /// Jumps forwards.
    ///
    /// # Errors
    /// [`ProtocolError`]
    pub fn skip(&mut self, by: Duration, now: Instant) -> Result<(), ProtocolError> {
        self.go_to(self.position(now).saturating_add(by), now)
    }

    /// Jumps backwards: decodes again from the beginning.
    ///
    /// # Errors
    /// [`ProtocolError`]
    pub fn skip_back(&mut self, by: Duration, now: Instant) -> Result<(), ProtocolError> {
        self.go_to(self.position(now).saturating_sub(by), now)
    }

    fn go_to(&mut self, to: Duration, now: Instant) -> Result<(), ProtocolError> {
        let to = self.within(to);
        if to < self.film.time() {
            self.film.rewind()?;
        }
        self.at = to;
        self.seeking = true;
        if self.state != State::Paused {
            self.state = State::Playing(now);
        }
        Ok(())
    }

    /// Whether what was decoded so far is not to be shown.
    pub fn is_seeking(&self) -> bool {
        self.seeking
    }

    /// Time and state, in words.
    pub fn status(&self, now: Instant) -> String {
        let of = self.film.duration().map_or_else(String::new, |duration| format!(" / {}", clock(duration)));
        let state = match self.state {
            State::Playing(_) => "playing",
            State::Paused => "paused",
            State::Ended(_) => "ended",
        };
        format!("{}{of}, {state}", clock(self.position(now)))
    }

    /// The film.
    pub fn film(&mut self) -> &mut Film {
        &mut self.film
    }
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::ByteOrder;
    use crate::recording::{Arrival, FORMAT, Recording};
    use crate::rfb::handshake::ServerInit;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A pixel that becomes 1, 2, 3 ... at these times.
    fn film(times: &[f64]) -> Film {
        let init = ServerInit { width: 1, height: 1, format: FORMAT, name: "x".to_owned() };
        let mut messages = Vec::new();
        let mut arrivals = Vec::new();
        for (number, &at) in (1..).zip(times) {
            messages.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, number, 0, 0, 0]);
            arrivals.push(Arrival { at: seconds(at), end: messages.len() });
        }
        let recording =
            Recording { init, messages: messages.into(), start: 0, arrivals: arrivals.into(), cut_off: false };
        Film::new(recording, ByteOrder::Rgbx).unwrap()
    }

    struct Test {
        player: Player,
        start: Instant,
    }

    impl Test {
        fn new(film: Film, speed: f64, again: bool) -> Test {
            let start = Instant::now();
            Test { player: Player::new(film, speed, again, start), start }
        }

        fn now(&self, at: f64) -> Instant {
            self.start + seconds(at)
        }

        /// The pixel, time and state, and the seconds until something is due, at a time.
        fn at(&mut self, at: f64) -> (u32, String, Option<f64>) {
            let now = self.now(at);
            self.player.advance(now).unwrap();
            assert!(!self.player.is_seeking());
            let pixel = self.player.film().canvas().pixels()[0];
            (pixel, self.player.status(now), self.player.wait(now).map(|wait| wait.as_secs_f64()))
        }
    }

    fn told(pixel: u32, status: &str, wait: Option<f64>) -> (u32, String, Option<f64>) {
        (pixel, status.to_owned(), wait)
    }

    #[test]
    fn it_keeps_the_recordings_time() {
        let mut test = Test::new(film(&[0.0, 1.0, 62.0]), 1.0, false);
        assert_eq!(test.at(0.0), told(1, "0:00 / 1:02, playing", Some(1.0)));
        assert_eq!(test.at(0.75), told(1, "0:00 / 1:02, playing", Some(0.25)));
        assert_eq!(test.at(1.0), told(2, "0:01 / 1:02, playing", Some(61.0)));
        assert_eq!(test.at(99.0), told(3, "1:02 / 1:02, ended", None));
        let mut test = Test::new(film(&[0.0, 1.0, 62.0]), 4.0, false);
        assert_eq!(test.at(0.5), told(2, "0:02 / 1:02, playing", Some(15.0)));
        let mut test = Test::new(film(&[1.0]), 0.5, false);
        assert_eq!(test.at(0.0), told(0, "0:00 / 0:01, playing", Some(2.0)));
    }

    #[test]
    fn without_times_there_are_25_updates_a_second() {
        let mut test = Test::new(film(&[0.0; 4]), 1.0, false);
        assert_eq!(test.at(0.0), told(1, "0:00, playing", Some(0.04)));
        assert_eq!(test.at(0.0625).0, 2);
        assert_eq!(test.at(0.125).0, 4);
        assert_eq!(test.at(1000.0), told(4, "0:00, ended", None));
        let mut test = Test::new(film(&[0.0; 4]), 0.5, false);
        assert_eq!(test.at(0.125).0, 2);
    }

    #[test]
    fn it_stands_still_and_goes_on() {
        let mut test = Test::new(film(&[0.0, 10.0, 20.0]), 1.0, false);
        test.at(8.0);
        test.player.pause(test.now(9.0)).unwrap();
        assert_eq!(test.at(100.0), told(1, "0:09 / 0:20, paused", None));
        test.player.pause(test.now(100.0)).unwrap();
        assert_eq!(test.at(100.5), told(1, "0:09 / 0:20, playing", Some(0.5)));
        assert_eq!(test.at(101.0).0, 2);
        assert_eq!(test.at(200.0).1, "0:20 / 0:20, ended");
        // From the beginning.
        test.player.pause(test.now(300.0)).unwrap();
        assert_eq!(test.at(300.0), told(1, "0:00 / 0:20, playing", Some(10.0)));
    }

    #[test]
    fn it_jumps() {
        let mut test = Test::new(film(&[0.0, 10.0, 20.0]), 1.0, false);
        test.player.skip(seconds(12.0), test.now(0.0)).unwrap();
        assert!(test.player.is_seeking());
        assert_eq!(test.at(1.0), told(2, "0:13 / 0:20, playing", Some(7.0)));
        test.player.skip_back(seconds(5.0), test.now(1.0)).unwrap();
        assert_eq!(test.at(1.0), told(1, "0:08 / 0:20, playing", Some(2.0)));
        // No farther than the film reaches.
        test.player.skip_back(seconds(50.0), test.now(2.0)).unwrap();
        assert_eq!(test.at(2.0), told(1, "0:00 / 0:20, playing", Some(10.0)));
        test.player.skip(seconds(50.0), test.now(2.0)).unwrap();
        assert_eq!(test.at(2.0), told(3, "0:20 / 0:20, ended", None));
        test.player.skip_back(seconds(5.0), test.now(9.0)).unwrap();
        assert_eq!(test.at(9.0), told(2, "0:15 / 0:20, playing", Some(5.0)));
        // Standing still is kept.
        test.player.pause(test.now(9.0)).unwrap();
        test.player.skip(seconds(5.0), test.now(10.0)).unwrap();
        assert_eq!(test.at(10.0), told(3, "0:20 / 0:20, paused", None));
        test.player.skip_back(Duration::MAX, test.now(10.0)).unwrap();
        assert_eq!(test.at(10.0), told(1, "0:00 / 0:20, paused", None));
        let mut test = Test::new(film(&[0.0; 4]), 1.0, false);
        test.player.skip(Duration::MAX, test.now(0.0)).unwrap();
        assert_eq!(test.at(0.0), told(4, "0:00, ended", None));
    }

    #[test]
    fn it_begins_again() {
        let mut test = Test::new(film(&[0.0, 1.0, 2.0]), 1.0, true);
        assert_eq!(test.at(1.0).0, 2);
        assert_eq!(test.at(2.5), told(3, "0:02 / 0:02, ended", Some(1.0)));
        assert_eq!(test.at(3.25), told(3, "0:02 / 0:02, ended", Some(0.25)));
        test.player.advance(test.now(3.5)).unwrap();
        assert_eq!(test.at(3.5), told(1, "0:00 / 0:02, playing", Some(1.0)));
        assert_eq!(test.at(4.5).0, 2);
    }

    #[test]
    fn what_takes_long_is_done_in_turns() {
        let init = ServerInit { width: 2000, height: 2000, format: FORMAT, name: String::new() };
        let update = [&[0, 0, 0, 1, 0, 0, 0, 0, 7, 208, 7, 208, 0, 0, 0, 2, 0, 0, 0, 0][..], &[9, 0, 0, 0]].concat();
        let messages = update.repeat(10);
        let arrivals = vec![Arrival { at: seconds(1.0), end: messages.len() }];
        let recording =
            Recording { init, messages: messages.into(), start: 0, arrivals: arrivals.into(), cut_off: false };
        let mut player = Player::new(Film::new(recording, ByteOrder::Rgbx).unwrap(), 1.0, false, Instant::now());
        let now = Instant::now();
        player.skip(seconds(5.0), now).unwrap();
        let mut turns = 0;
        while player.is_seeking() {
            player.advance(now).unwrap();
            assert!(!player.is_seeking() || player.wait(now) == Some(Duration::ZERO));
            turns += 1;
        }
        assert_eq!((turns, player.status(now).as_str()), (4, "0:01 / 0:01, ended"));
    }
}
