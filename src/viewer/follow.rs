//! Where the server moves the pointer, which waits while the user moves it. Pure.

use std::time::{Duration, Instant};

/// For so long after the user has moved the pointer it is not moved by the server, which may not know of it yet.
const PATIENCE: Duration = Duration::from_millis(250);

/// The pointer's place between two who move it.
#[derive(Debug, Default)]
pub struct Follow {
    /// When the server was told where it is.
    told: Option<Instant>,
    /// Where the server has moved it since.
    place: Option<(u16, u16)>,
}

impl Follow {
    /// The user moves it, or clicks: the server was told where it is.
    pub fn told(&mut self, now: Instant) {
        *self = Follow { told: Some(now), place: None };
    }

    /// The server moved it here.
    pub fn moved(&mut self, x: u16, y: u16) {
        self.place = Some((x, y));
    }

    /// Where it is to go now.
    pub fn due(&mut self, now: Instant) -> Option<(u16, u16)> {
        self.place.take_if(|_| self.told.is_none_or(|told| now.saturating_duration_since(told) >= PATIENCE))
    }

    /// How long it stays where it is.
    pub fn pause(&self, now: Instant) -> Duration {
        let left = |told| PATIENCE.saturating_sub(now.saturating_duration_since(told));
        self.place.map_or(Duration::MAX, |_| self.told.map_or(Duration::ZERO, left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_meanwhile_is_done_when_the_user_rests() {
        let start = Instant::now();
        let later = |millis| start + Duration::from_millis(millis);
        let mut follow = Follow::default();
        assert_eq!((follow.due(start), follow.pause(start)), (None, Duration::MAX));
        follow.moved(1, 2);
        assert_eq!((follow.pause(start), follow.due(start)), (Duration::ZERO, Some((1, 2))));
        // A click, which a program answers.
        follow.told(start);
        follow.moved(3, 4);
        follow.moved(5, 6);
        assert_eq!((follow.due(later(249)), follow.pause(later(249))), (None, Duration::from_millis(1)));
        assert_eq!((follow.due(later(250)), follow.due(later(250))), (Some((5, 6)), None));
        // The user moves it on: the server hears of a newer place.
        follow.moved(7, 8);
        follow.told(later(300));
        assert_eq!((follow.due(later(900)), follow.pause(later(900))), (None, Duration::MAX));
    }
}
