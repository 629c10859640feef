//! Text for other clients: as a selection that is ours, given in one piece or in many (ICCCM §2.2, §2.6, §2.7.2).

use std::rc::Rc;
use std::time::Instant;

use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, PropMode, Property, PropertyNotifyEvent,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window,
};
use x11rb::wrapper::ConnectionExt as _;

use super::super::super::Error;
use super::super::server::{Server, lost};
use super::PATIENCE;

/// A longer text goes in pieces of so many bytes.
const PIECE: usize = 256 << 10;
/// Texts that are under way in pieces; who asks for more is refused.
const MOST_TRANSFERS: usize = 16;
/// Conversions in one request; who asks for more is refused.
const MOST_CONVERSIONS: usize = 32;

/// Text, and the selections by which it can be had.
#[derive(Default)]
pub(super) struct Offer {
    text: Option<Rc<str>>,
    /// The selections that it still has to become.
    waits: Vec<Atom>,
    owned: Vec<Atom>,
    since: Timestamp,
    transfers: Vec<Transfer>,
}

/// A text on its way, piece by piece.
struct Transfer {
    requestor: Window,
    property: Atom,
    kind: Atom,
    bytes: Rc<[u8]>,
    sent: usize,
    due: Instant,
}

impl Offer {
    /// Takes another text, which becomes these selections when the time is known.
    pub(super) fn set(&mut self, text: &str, selections: Vec<Atom>) {
        self.text = Some(text.replace('\0', "").into());
        self.waits = selections;
    }

    /// Whether the time is needed.
    pub(super) fn waits(&self) -> bool {
        !self.waits.is_empty()
    }

    /// Makes the text a selection.
    pub(super) fn own(&mut self, server: &Server, window: Window, time: Timestamp) -> Result<(), Error> {
        if !self.waits() {
            return Ok(());
        }
        for &selection in &self.waits {
            server.connection.set_selection_owner(window, selection, time).map_err(lost)?;
        }
        (self.owned, self.since) = (std::mem::take(&mut self.waits), time);
        Ok(())
    }

    /// Whether a selection is ours, or will be.
    pub(super) fn owns(&self, selection: Atom) -> bool {
        self.owned.contains(&selection)
    }

    /// Somebody else has it since that time. What was before it became ours again is old news.
    pub(super) fn lose(&mut self, selection: Atom, time: Timestamp) {
        // The server's clock starts anew after 49 days.
        if (time.wrapping_sub(self.since) as i32) < 0 {
            return;
        }
        self.owned.retain(|&owned| owned != selection);
        if self.owned.is_empty() && !self.waits() {
            self.text = None;
        }
    }

    /// Gives the text to who asks for it.
    pub(super) fn answer(&mut self, server: &Server, request: &SelectionRequestEvent) -> Result<(), Error> {
        let &SelectionRequestEvent { time, requestor, selection, target, .. } = request;
        // Old clients leave the property open (ICCCM §2.2).
        let property = if request.property == x11rb::NONE { target } else { request.property };
        let given = self.owns(selection)
            && !is_own(server, requestor)
            && match target == server.atoms.MULTIPLE {
                true => self.convert_many(server, requestor, property)?,
                false => self.convert(server, requestor, target, property)?,
            };
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time,
            requestor,
            selection,
            target,
            property: if given { property } else { x11rb::NONE },
        };
        server.connection.send_event(false, requestor, EventMask::NO_EVENT, answer).map(drop).map_err(lost)
    }

    /// Converts to several targets at once: pairs of a target and a property, of which those that fail are marked.
    fn convert_many(&mut self, server: &Server, requestor: Window, property: Atom) -> Result<bool, Error> {
        let connection = &server.connection;
        let most = 2 * MOST_CONVERSIONS as u32;
        let asked = connection.get_property(false, requestor, property, AtomEnum::ANY, 0, most).map_err(lost)?;
        let mut pairs: Vec<Atom> = match asked.reply() {
            Ok(answer) if answer.bytes_after == 0 => answer.value32().into_iter().flatten().collect(),
            Ok(_) | Err(ReplyError::X11Error(_)) => return Ok(false),
            Err(error) => return Err(lost(error)),
        };
        for pair in pairs.chunks_exact_mut(2) {
            let &mut [target, ref mut place] = pair else { continue };
            let given = target != server.atoms.MULTIPLE
                && *place != x11rb::NONE
                && self.convert(server, requestor, target, *place)?;
            if !given {
                *place = x11rb::NONE;
            }
        }
        let kind = server.atoms.ATOM_PAIR;
        connection.change_property32(PropMode::REPLACE, requestor, property, kind, &pairs).map_err(lost)?;
        Ok(!pairs.is_empty())
    }

    /// Puts what is asked for into the property; false if it is not to be had.
    fn convert(&mut self, server: &Server, requestor: Window, target: Atom, property: Atom) -> Result<bool, Error> {
        let Some(text) = self.text.clone() else { return Ok(false) };
        let (atoms, string) = (&server.atoms, Atom::from(AtomEnum::STRING));
        let put = |kind: AtomEnum, values: &[u32]| {
            server.connection.change_property32(PropMode::REPLACE, requestor, property, kind, values).map_err(lost)
        };
        if target == atoms.TARGETS {
            let known = [atoms.TARGETS, atoms.TIMESTAMP, atoms.MULTIPLE, atoms.UTF8_STRING, atoms.TEXT_UTF8];
            return put(AtomEnum::ATOM, &[&known[..], &[atoms.TEXT, string]].concat()).map(|_| true);
        }
        if target == atoms.TIMESTAMP {
            return put(AtomEnum::INTEGER, &[self.since]).map(|_| true);
        }
        let latin1 = || -> Rc<[u8]> { text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect() };
        let in_latin1 = text.chars().all(|c| u32::from(c) <= 0xff);
        let (kind, bytes) = if target == atoms.UTF8_STRING || target == atoms.TEXT_UTF8 {
            (target, Rc::from(text.clone()))
        } else if target == string || target == atoms.TEXT && in_latin1 {
            (string, latin1())
        } else if target == atoms.TEXT {
            (atoms.UTF8_STRING, Rc::from(text.clone()))
        } else {
            return Ok(false);
        };
        self.give(server, Transfer { requestor, property, kind, bytes, sent: 0, due: Instant::now() + PATIENCE })
    }

    /// Puts a text there, or the first word of one that comes in pieces.
    fn give(&mut self, server: &Server, transfer: Transfer) -> Result<bool, Error> {
        let (connection, replace) = (&server.connection, PropMode::REPLACE);
        let Transfer { requestor, property, kind, ref bytes, .. } = transfer;
        self.transfers.retain(|known| (known.requestor, known.property) != (requestor, property));
        if bytes.len() <= piece(server) {
            connection.change_property8(replace, requestor, property, kind, bytes).map_err(lost)?;
            return Ok(true);
        }
        if self.transfers.len() >= MOST_TRANSFERS {
            return Ok(false);
        }
        listen(server, requestor, EventMask::PROPERTY_CHANGE)?;
        let length = [u32::try_from(bytes.len()).unwrap_or(u32::MAX)];
        connection.change_property32(replace, requestor, property, server.atoms.INCR, &length).map_err(lost)?;
        self.transfers.push(transfer);
        Ok(true)
    }

    /// Sends the next piece when the last one was taken away. False if the event is about something else.
    pub(super) fn feed(&mut self, server: &Server, now: &PropertyNotifyEvent) -> Result<bool, Error> {
        let place = (now.window, now.atom);
        let Some(at) = self.transfers.iter().position(|known| (known.requestor, known.property) == place) else {
            return Ok(false);
        };
        let Some(transfer) = self.transfers.get_mut(at).filter(|_| now.state == Property::DELETE) else {
            return Ok(true);
        };
        let rest = transfer.bytes.get(transfer.sent..).unwrap_or_default();
        let next = rest.get(..piece(server)).unwrap_or(rest);
        let (connection, replace) = (&server.connection, PropMode::REPLACE);
        connection.change_property8(replace, now.window, now.atom, transfer.kind, next).map_err(lost)?;
        if next.is_empty() {
            // That was the end.
            self.transfers.swap_remove(at);
            self.leave(server, now.window)?;
        } else {
            transfer.sent += next.len();
            transfer.due = Instant::now() + PATIENCE;
        }
        Ok(true)
    }

    /// When a transfer is given up.
    pub(super) fn due(&self) -> Option<Instant> {
        self.transfers.iter().map(|transfer| transfer.due).min()
    }

    /// Gives up those whose requestor is dead or asleep.
    pub(super) fn tick(&mut self, server: &Server, now: Instant) -> Result<(), Error> {
        while let Some(at) = self.transfers.iter().position(|transfer| transfer.due <= now) {
            let window = self.transfers.swap_remove(at).requestor;
            self.leave(server, window)?;
        }
        Ok(())
    }

    /// Hears no more of a window that is given nothing.
    fn leave(&self, server: &Server, window: Window) -> Result<(), Error> {
        match self.transfers.iter().any(|transfer| transfer.requestor == window) {
            true => Ok(()),
            false => listen(server, window, EventMask::NO_EVENT),
        }
    }
}

/// Bytes of a piece: the request has a few more.
fn piece(server: &Server) -> usize {
    server.connection.maximum_request_bytes().saturating_sub(64).min(PIECE)
}

fn listen(server: &Server, window: Window, events: EventMask) -> Result<(), Error> {
    let attributes = ChangeWindowAttributesAux::new().event_mask(events);
    server.connection.change_window_attributes(window, &attributes).map(drop).map_err(lost)
}

/// Whether a window is one that we listen to for other reasons: nobody is to make us deaf.
fn is_own(server: &Server, window: Window) -> bool {
    let setup = server.connection.setup();
    window == server.root || window & !setup.resource_id_mask == setup.resource_id_base
}
