//! The keyboard or the pointer for one window alone: taken as soon as nobody else holds it.

use std::time::{Duration, Instant};

use x11rb::cookie::VoidCookie;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{ConnectionExt as _, EventMask, FocusInEvent, GrabMode, GrabStatus, NotifyMode, Window};
use x11rb::rust_connection::RustConnection;

use super::super::Error;
use super::pointer;
use super::server::{Server, lost};

/// Who else holds it is asked again after so long,
const PAUSE: Duration = Duration::from_millis(100);
/// and for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// What can be held by one client alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grabbed {
    Keyboard,
    Pointer,
}

/// A grab.
#[derive(Debug)]
pub(super) struct Grab {
    what: Grabbed,
    state: State,
    /// The requests that took it and that let it go, by which their echoes are known.
    taken: Option<u16>,
    left: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Trying {
        next: Instant,
        end: Instant,
    },
    Held,
    /// Somebody else keeps it.
    GivenUp,
}

impl Grab {
    pub(super) fn new(what: Grabbed) -> Grab {
        Grab { what, state: State::Free, taken: None, left: None }
    }

    pub(super) fn is_held(&self) -> bool {
        self.state == State::Held
    }

    /// Takes it if it is `wanted`, and lets it go if not. True if it was taken just now.
    pub(super) fn settle(
        &mut self,
        server: &Server,
        window: Window,
        wanted: bool,
        now: Instant,
    ) -> Result<bool, Error> {
        let end = match self.state {
            _ if !wanted => {
                let before = std::mem::replace(&mut self.state, State::Free);
                return if before == State::Held { self.leave(server).map(|()| false) } else { Ok(false) };
            }
            State::Free => now + PATIENCE,
            State::Trying { next, end } if next <= now => end,
            State::Trying { .. } | State::Held | State::GivenUp => return Ok(false),
        };
        let status = self.take(server, window)?;
        self.state = match status {
            GrabStatus::SUCCESS => State::Held,
            _ if now >= end => {
                let what = if self.what == Grabbed::Keyboard { "keyboard" } else { "pointer" };
                tracing::warn!("the {what} is not grabbed, because another program holds it");
                State::GivenUp
            }
            _ => State::Trying { next: now + PAUSE, end },
        };
        Ok(self.is_held())
    }

    /// When it is tried again.
    pub(super) fn due(&self) -> Option<Instant> {
        if let State::Trying { next, .. } = self.state { Some(next) } else { None }
    }

    /// Whether the focus seems to come or go only because this was taken or let go.
    pub(super) fn caused(&self, event: &FocusInEvent) -> bool {
        let sequence = Some(event.sequence);
        event.mode == NotifyMode::GRAB && sequence == self.taken
            || event.mode == NotifyMode::UNGRAB && sequence == self.left
    }

    fn take(&mut self, server: &Server, window: Window) -> Result<GrabStatus, Error> {
        let (connection, now, mode) = (&server.connection, x11rb::CURRENT_TIME, GrabMode::ASYNC);
        let (number, status) = match self.what {
            Grabbed::Keyboard => {
                let asked = connection.grab_keyboard(true, window, now, mode, mode).map_err(lost)?;
                (asked.sequence_number(), asked.reply().map(|reply| reply.status))
            }
            Grabbed::Pointer => {
                let events = EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE | EventMask::POINTER_MOTION;
                let cursor = pointer::invisible(server)?;
                let asked =
                    connection.grab_pointer(false, window, events, mode, mode, window, cursor, now).map_err(lost)?;
                connection.free_cursor(cursor).map_err(lost)?;
                (asked.sequence_number(), asked.reply().map(|reply| reply.status))
            }
        };
        self.taken = Some(number as u16);
        match status {
            Ok(status) => Ok(status),
            Err(ReplyError::X11Error(error)) => {
                tracing::debug!("no grab: {error:?}");
                Ok(GrabStatus::NOT_VIEWABLE)
            }
            Err(error) => Err(lost(error)),
        }
    }

    fn leave(&mut self, server: &Server) -> Result<(), Error> {
        let (connection, now) = (&server.connection, x11rb::CURRENT_TIME);
        let left: VoidCookie<'_, RustConnection> = match self.what {
            Grabbed::Keyboard => connection.ungrab_keyboard(now),
            Grabbed::Pointer => connection.ungrab_pointer(now),
        }
        .map_err(lost)?;
        self.left = Some(left.sequence_number() as u16);
        // What others do after it gets another number.
        connection.no_operation().map(drop).map_err(lost)
    }
}
