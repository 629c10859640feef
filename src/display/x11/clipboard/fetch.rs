//! Text from another client's selection, in one piece or in many (ICCCM §2.4, §2.7.2).

use std::time::{Duration, Instant};

use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, GetPropertyReply, Property, Timestamp, Window};

use super::super::super::Error;
use super::super::server::{Server, lost};
use super::{PATIENCE, unseen_window};

/// Nobody needs longer to tell what was copied, however slowly.
const LONGEST: Duration = Duration::from_secs(60);

/// A selection that was asked for.
pub(super) struct Fetch {
    /// One for each, so that late answers reach nobody.
    window: Window,
    selection: Atom,
    target: Atom,
    time: Timestamp,
    /// What came so far, of a text in many pieces.
    pieces: Option<Vec<u8>>,
    due: Instant,
    end: Instant,
}

/// What came of it.
#[derive(PartialEq, Eq)]
pub(super) enum Came {
    NotYet,
    Text(String),
    TooLong,
    /// There is no text.
    Nothing,
}

impl Fetch {
    /// Asks for text.
    pub(super) fn start(server: &Server, selection: Atom, time: Timestamp) -> Result<Fetch, Error> {
        let (now, target) = (Instant::now(), server.atoms.UTF8_STRING);
        let window = unseen_window(server)?;
        let fetch = Fetch { window, selection, target, time, pieces: None, due: now + PATIENCE, end: now + LONGEST };
        fetch.ask(server)?;
        Ok(fetch)
    }

    fn ask(&self, server: &Server) -> Result<(), Error> {
        let (connection, property) = (&server.connection, server.atoms.SSHVNC_CLIPBOARD);
        connection
            .convert_selection(self.window, self.selection, self.target, property, self.time)
            .map(drop)
            .map_err(lost)
    }

    /// When it is given up.
    pub(super) fn due(&self) -> Instant {
        self.due.min(self.end)
    }

    /// Takes notice of an event.
    pub(super) fn happened(&mut self, server: &Server, event: &Event, longest: usize) -> Result<Came, Error> {
        match event {
            Event::SelectionNotify(answer) if answer.requestor == self.window && self.pieces.is_none() => {
                if answer.property != x11rb::NONE {
                    return self.read(server, longest);
                }
                if self.target != server.atoms.UTF8_STRING {
                    return Ok(Came::Nothing);
                }
                // An old program: in Latin-1 then.
                self.target = AtomEnum::STRING.into();
                self.ask(server)?;
                Ok(Came::NotYet)
            }
            Event::PropertyNotify(now)
                if now.window == self.window && now.state == Property::NEW_VALUE && self.pieces.is_some() =>
            {
                self.read(server, longest)
            }
            _ => Ok(Came::NotYet),
        }
    }

    /// Takes what lies there, which asks for the next piece, if there are many.
    fn read(&mut self, server: &Server, longest: usize) -> Result<Came, Error> {
        let words = u32::try_from(longest / 4 + 1).unwrap_or(u32::MAX);
        let (property, any) = (server.atoms.SSHVNC_CLIPBOARD, AtomEnum::ANY);
        let asked = server.connection.get_property(true, self.window, property, any, 0, words).map_err(lost)?;
        let mut lies = match asked.reply() {
            Ok(lies) => lies,
            Err(ReplyError::X11Error(_)) => return Ok(Came::Nothing),
            Err(error) => return Err(lost(error)),
        };
        self.due = Instant::now() + PATIENCE;
        if lies.bytes_after > 0 {
            return Ok(Came::TooLong);
        }
        match &mut self.pieces {
            None if lies.type_ == server.atoms.INCR => {
                // What it says of the length is the least that it has.
                let least = lies.value32().and_then(|mut values| values.next()).unwrap_or(0);
                if least as usize > longest {
                    return Ok(Came::TooLong);
                }
                self.pieces = Some(Vec::new());
                Ok(Came::NotYet)
            }
            None => Ok(text(server, lies, longest)),
            // Nothing lies there any more.
            Some(_) if lies.type_ == x11rb::NONE => Ok(Came::NotYet),
            Some(pieces) if lies.value.is_empty() => {
                lies.value = std::mem::take(pieces);
                Ok(text(server, lies, longest))
            }
            Some(pieces) if pieces.len().saturating_add(lies.value.len()) > longest => Ok(Came::TooLong),
            Some(pieces) => {
                pieces.append(&mut lies.value);
                Ok(Came::NotYet)
            }
        }
    }

    /// Ends it; gives the selection.
    pub(super) fn stop(self, server: &Server) -> Result<Atom, Error> {
        server.connection.destroy_window(self.window).map_err(lost)?;
        Ok(self.selection)
    }
}

/// The characters of a property. NUL is none that could be passed on.
fn text(server: &Server, lies: GetPropertyReply, longest: usize) -> Came {
    if lies.format != 8 {
        return Came::Nothing;
    }
    let mut text = if lies.type_ == server.atoms.UTF8_STRING {
        String::from_utf8(lies.value).unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned())
    } else if lies.type_ == u32::from(AtomEnum::STRING) {
        lies.value.iter().map(|&byte| char::from(byte)).collect()
    } else {
        return Came::Nothing;
    };
    text.retain(|c| c != '\0');
    match text.len() {
        0 => Came::Nothing,
        length if length > longest => Came::TooLong,
        _ => Came::Text(text),
    }
}
