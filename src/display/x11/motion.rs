//! How far the pointer moves while it is kept: from the middle of the window, where it is put back again and again.

use x11rb::protocol::xproto::{ConnectionExt as _, MotionNotifyEvent, Window};

use super::super::Error;
use super::server::{Server, lost};
use crate::picture::Size;

/// A pointer that is kept.
#[derive(Debug, Default)]
pub(super) struct Leash {
    last: (i16, i16),
    /// The request that puts it back, and where to, until it has come into effect.
    back: Option<(u16, (i16, i16))>,
}

impl Leash {
    /// Puts it into the middle of a window.
    pub(super) fn centre(&mut self, server: &Server, window: Window, size: Size) -> Result<(), Error> {
        let (x, y) = middle(size);
        let warp = server.connection.warp_pointer(x11rb::NONE, window, 0, 0, 0, 0, x, y).map_err(lost)?;
        self.back = Some((warp.sequence_number() as u16, (x, y)));
        Ok(())
    }

    /// How far it moved.
    pub(super) fn moved(&mut self, event: &MotionNotifyEvent) -> (i16, i16) {
        // Numbers go round.
        if let Some((_, middle)) = self.back.take_if(|(number, _)| event.sequence.wrapping_sub(*number) < 0x8000) {
            self.last = middle;
        }
        let (x, y) = std::mem::replace(&mut self.last, (event.event_x, event.event_y));
        (event.event_x.saturating_sub(x), event.event_y.saturating_sub(y))
    }

    /// Whether it is so far from the middle of a window that it would soon reach an edge.
    pub(super) fn is_tight(&self, size: Size) -> bool {
        let (x, y) = middle(size);
        let far = |at: i16, middle: i16| at.abs_diff(middle) > middle.unsigned_abs() / 2;
        self.back.is_none() && (far(self.last.0, x) || far(self.last.1, y))
    }
}

fn middle(size: Size) -> (i16, i16) {
    ((size.width / 2) as i16, (size.height / 2) as i16)
}

/// The pointer moved here, after the request with this number.
#[cfg(test)]
pub(super) fn at(x: i16, y: i16, sequence: u16) -> MotionNotifyEvent {
    MotionNotifyEvent {
        response_type: 6,
        detail: 0u8.into(),
        sequence,
        time: 0,
        root: 0,
        event: 0,
        child: 0,
        root_x: 0,
        root_y: 0,
        event_x: x,
        event_y: y,
        state: 0u16.into(),
        same_screen: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_put_back_is_no_movement() {
        let size = Size::new(100, 80);
        let mut leash = Leash { last: (3, 3), back: Some((65535, (50, 40))) };
        // It moved on before it was put back, then was, then moved on.
        assert_eq!(leash.moved(&at(5, 2, 65530)), (2, -1));
        assert_eq!(leash.moved(&at(50, 40, 2)), (0, 0));
        assert_eq!(leash.moved(&at(60, 39, 2)), (10, -1));
        assert!(!leash.is_tight(size));
        assert_eq!(leash.moved(&at(80, 39, 2)), (20, 0));
        assert!(leash.is_tight(size));
        // While it is on its way back it is not put back again.
        leash.back = Some((3, (50, 40)));
        assert_eq!(leash.moved(&at(99, 39, 2)), (19, 0));
        assert!(!leash.is_tight(size));
        // The movement that was waiting comes with the way back: only what is beyond the middle counts.
        assert_eq!(leash.moved(&at(51, 40, 3)), (1, 0));
    }
}
