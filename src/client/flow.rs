//! When the server may send the next update: asked for each time, or by itself until told to stop.

use crate::picture::Size;
use crate::rfb::ClientMessage;

/// Who begins an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The server answers requests.
    Asked,
    /// The server sends by itself (rfbproto, "ContinuousUpdates").
    Continuous,
    /// It was told to stop, and may not have heard it yet.
    Stopping,
}

/// The state of the flow of updates. What it gives is to be sent.
#[derive(Debug)]
pub(super) struct Flow {
    mode: Mode,
    /// Whether the server has shown that it can send by itself, and can tell by fences how fast that may be.
    continues: bool,
    fences: bool,
    /// Whether the link has room for more than one update at a time.
    room: bool,
    /// The window has not taken the last picture yet.
    held: bool,
    /// An update was not asked for meanwhile.
    owed: bool,
}

impl Flow {
    pub(super) fn new() -> Flow {
        Flow { mode: Mode::Asked, continues: false, fences: false, room: false, held: false, owed: false }
    }

    /// Whether the server may be asked for a fence. neatvnc 1.0 stops reading, keys too, if it still owes an update.
    pub(super) fn may_fence(&self) -> bool {
        self.fences && self.mode == Mode::Continuous
    }

    /// An update begins. Asked for now, the next one is made while this one is still on its way.
    pub(super) fn update_begins(&mut self, size: Size) -> Option<ClientMessage> {
        match self.mode {
            Mode::Continuous => None,
            // It will be asked for, or sent, when the server has stopped.
            Mode::Stopping => {
                self.owed = true;
                None
            }
            // A window that lags behind is not given more than it can show.
            Mode::Asked if self.held => {
                self.owed = true;
                None
            }
            Mode::Asked => Some(request(size, true)),
        }
    }

    /// The window lags behind.
    pub(super) fn hold(&mut self, size: Size) -> Option<ClientMessage> {
        self.held = true;
        self.stop(size)
    }

    fn stop(&mut self, size: Size) -> Option<ClientMessage> {
        (self.mode == Mode::Continuous).then(|| {
            self.mode = Mode::Stopping;
            self.owed = true;
            continuous(false, size)
        })
    }

    /// Whether the link has room for more than one update at a time.
    pub(super) fn set_room(&mut self, room: bool, size: Size) -> Option<ClientMessage> {
        self.room = room;
        if room { self.go_on(size) } else { self.stop(size) }
    }

    /// The window has caught up.
    pub(super) fn release(&mut self, size: Size) -> Option<ClientMessage> {
        self.held = false;
        self.go_on(size)
    }

    /// The server answers fences.
    pub(super) fn fence(&mut self, size: Size) -> Option<ClientMessage> {
        self.fences = true;
        self.go_on(size)
    }

    /// EndOfContinuousUpdates: the server can do it, or has stopped.
    pub(super) fn end_of_continuous(&mut self, size: Size) -> Option<ClientMessage> {
        self.continues = true;
        // A server that stops without being told goes on when it is asked.
        self.owed |= self.mode != Mode::Asked;
        self.mode = Mode::Asked;
        self.go_on(size)
    }

    /// The desktop has another size, of which all must be seen.
    pub(super) fn resized(&mut self, size: Size) -> [Option<ClientMessage>; 2] {
        let again = (self.mode == Mode::Continuous).then(|| continuous(true, size));
        [again, Some(request(size, false))]
    }

    fn go_on(&mut self, size: Size) -> Option<ClientMessage> {
        if self.held || self.mode != Mode::Asked {
            return None;
        }
        if self.continues && self.fences && self.room {
            self.mode = Mode::Continuous;
            self.owed = false;
            return Some(continuous(true, size));
        }
        std::mem::take(&mut self.owed).then(|| request(size, true))
    }
}

pub(super) fn request(Size { width, height }: Size, incremental: bool) -> ClientMessage {
    ClientMessage::FramebufferUpdateRequest { incremental, x: 0, y: 0, width, height }
}

fn continuous(enable: bool, Size { width, height }: Size) -> ClientMessage {
    ClientMessage::EnableContinuousUpdates { enable, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(3, 2);

    #[test]
    fn one_update_is_asked_for_while_one_is_on_its_way() {
        let mut flow = Flow::new();
        assert_eq!(flow.update_begins(SIZE), Some(request(SIZE, true)));
        assert_eq!(flow.hold(SIZE), None);
        assert_eq!(flow.update_begins(SIZE), None);
        assert_eq!(flow.release(SIZE), Some(request(SIZE, true)));
        assert_eq!(flow.release(SIZE), None);
    }

    #[test]
    fn a_server_that_can_sends_by_itself_until_the_window_lags_behind() {
        let mut flow = Flow::new();
        assert_eq!(flow.end_of_continuous(SIZE), None);
        assert_eq!(flow.fence(SIZE), None);
        assert_eq!(flow.set_room(true, SIZE), Some(continuous(true, SIZE)));
        assert_eq!(flow.fence(SIZE), None);
        assert_eq!(flow.update_begins(SIZE), None);
        assert_eq!(flow.resized(SIZE), [Some(continuous(true, SIZE)), Some(request(SIZE, false))]);
        assert_eq!(flow.hold(SIZE), Some(continuous(false, SIZE)));
        assert_eq!(flow.hold(SIZE), None);
        // One that was on its way, and the window that has caught up before the server has heard.
        assert_eq!(flow.update_begins(SIZE), None);
        assert_eq!(flow.release(SIZE), None);
        assert_eq!(flow.end_of_continuous(SIZE), Some(continuous(true, SIZE)));
        // It stops by itself: nothing is lost.
        assert_eq!(flow.end_of_continuous(SIZE), Some(continuous(true, SIZE)));
        // The link is full.
        assert_eq!(flow.set_room(false, SIZE), Some(continuous(false, SIZE)));
        assert_eq!(flow.end_of_continuous(SIZE), Some(request(SIZE, true)));
        assert_eq!(flow.update_begins(SIZE), Some(request(SIZE, true)));
    }
}
