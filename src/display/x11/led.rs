//! The pointer as it is led: which of its movements were asked for, so that they are not taken for the user's.

use std::collections::VecDeque;

use x11rb::protocol::xproto::{ConnectionExt as _, MotionNotifyEvent, Window};

use super::super::Error;
use super::server::{Server, lost};

/// The movements that may be on their way; of more than that the oldest are forgotten.
const MOST: usize = 32;

/// What was asked for and has not been heard of yet.
#[derive(Debug, Default)]
pub(super) struct Led {
    /// The request, and where to.
    asked: VecDeque<(u16, (i16, i16))>,
}

impl Led {
    /// Moves the pointer, but only from where it was seen last: the user may move it at this moment.
    pub(super) fn lead(
        &mut self,
        server: &Server,
        window: Window,
        (at_x, at_y): (i16, i16),
        to: (i16, i16),
    ) -> Result<(), Error> {
        let warp = server.connection.warp_pointer(window, window, at_x, at_y, 1, 1, to.0, to.1).map_err(lost)?;
        self.asked.push_back((warp.sequence_number() as u16, to));
        if self.asked.len() > MOST {
            self.asked.pop_front();
        }
        Ok(())
    }

    /// Whether a movement is one that was asked for. If it is not, the user moves the pointer, and nothing of what was
    /// asked for comes true any more.
    pub(super) fn caused(&mut self, event: &MotionNotifyEvent) -> bool {
        // Numbers go round.
        let done = self.asked.iter().take_while(|(number, _)| event.sequence.wrapping_sub(*number) < 0x8000);
        let heard = done.enumerate().filter(|(_, (_, to))| *to == (event.event_x, event.event_y)).last();
        let heard = heard.map(|(at, _)| at);
        self.asked.drain(..heard.map_or(self.asked.len(), |at| at + 1));
        heard.is_some()
    }

    /// The user did something with the pointer, or took it elsewhere.
    pub(super) fn forget(&mut self) {
        self.asked.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::motion::at;
    use super::*;

    fn led(asked: &[(u16, (i16, i16))]) -> Led {
        Led { asked: asked.iter().copied().collect() }
    }

    #[test]
    fn what_was_asked_for_is_known_by_its_number_and_its_place() {
        let asked = [(65535, (50, 40)), (2, (60, 40))];
        let mut both = led(&asked);
        assert!(both.caused(&at(50, 40, 0)) && both.caused(&at(60, 40, 2)));
        assert!(!both.caused(&at(60, 40, 3)));
        // Only the last of both is told of.
        let mut last = led(&asked);
        assert!(last.caused(&at(60, 40, 2)) && !last.caused(&at(50, 40, 2)));
        // It was there before, but by the user's hand.
        assert!(!led(&asked).caused(&at(50, 40, 65534)));
    }

    #[test]
    fn nothing_that_was_asked_for_comes_after_the_users_own_movement() {
        let mut led = led(&[(1, (50, 40)), (2, (60, 40))]);
        assert!(led.caused(&at(50, 40, 1)));
        assert!(!led.caused(&at(51, 40, 1)));
        assert!(!led.caused(&at(60, 40, 2)));
    }
}
