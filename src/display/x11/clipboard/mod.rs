//! What is copied: here, to be told; on the server, to be offered here (ICCCM §2; XFixes tells of new owners).

mod fetch;
mod offer;

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use x11rb::connection::RequestConnection;
use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{self, ConnectionExt as _, SelectionEventMask};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Timestamp, Window, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::super::{ClipboardWish, Error};
use super::server::{Server, lost};
use fetch::{Came, Fetch};
use offer::Offer;

/// The other side of a transfer may be silent for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// The selections that take part, on both sides.
pub(super) struct Clipboard {
    wish: ClipboardWish,
    /// Never shown: it owns selections, and tells the time.
    window: Window,
    selections: Vec<Atom>,
    /// Whether new owners are told of.
    hears: bool,
    focused: bool,
    /// Those that have something that was not looked at yet, what is newest at the end.
    unseen: Vec<Atom>,
    fetch: Option<Fetch>,
    offer: Offer,
    /// What was copied on the server while the focus was elsewhere, and the selections in which nothing newer is.
    pending: Option<(String, Vec<Atom>)>,
    /// Whether the time was asked for.
    waits_for_time: bool,
    /// The last text that is known here, and the last that the server knows: what comes back is nothing new.
    here: Option<u64>,
    there: Option<u64>,
    hasher: RandomState,
}

impl Clipboard {
    /// Nothing is looked at before the window has the focus.
    pub(super) fn new(server: &Server, wish: ClipboardWish) -> Result<Clipboard, Error> {
        let window = unseen_window(server)?;
        let mut selections = vec![server.atoms.CLIPBOARD];
        if wish.primary {
            // What was copied on purpose counts more than what is only selected.
            selections.insert(0, AtomEnum::PRIMARY.into());
        }
        let hears = (wish.send || wish.receive) && has_xfixes(server)?;
        if hears {
            let news = SelectionEventMask::SET_SELECTION_OWNER
                | SelectionEventMask::SELECTION_WINDOW_DESTROY
                | SelectionEventMask::SELECTION_CLIENT_CLOSE;
            for &selection in &selections {
                server.connection.xfixes_select_selection_input(window, selection, news).map_err(lost)?;
            }
        }
        Ok(Clipboard {
            wish,
            window,
            unseen: selections.clone(),
            selections,
            hears,
            focused: false,
            fetch: None,
            offer: Offer::default(),
            pending: None,
            waits_for_time: false,
            here: None,
            there: None,
            hasher: RandomState::new(),
        })
    }

    /// Takes notice of an event; gives what was copied here.
    pub(super) fn happened(&mut self, server: &Server, event: &Event) -> Result<Option<String>, Error> {
        match event {
            Event::XfixesSelectionNotify(news) if news.owner != self.window => {
                self.here = None;
                // If it was taken before it became ours, no other word comes.
                self.offer.lose(news.selection, news.selection_timestamp);
                self.unseen.retain(|&selection| selection != news.selection);
                if news.owner != x11rb::NONE && self.selections.contains(&news.selection) {
                    self.unseen.push(news.selection);
                    if let Some((_, selections)) = &mut self.pending {
                        selections.retain(|&selection| selection != news.selection);
                    }
                }
            }
            Event::SelectionClear(lost) if lost.owner == self.window => {
                self.here = None;
                self.offer.lose(lost.selection, lost.time);
            }
            Event::SelectionRequest(request) if request.owner == self.window => self.offer.answer(server, request)?,
            Event::PropertyNotify(now) if (now.window, now.atom) == (self.window, server.atoms.SSHVNC_TIME) => {
                self.waits_for_time = false;
                self.offer.own(server, self.window, now.time)?;
                self.begin(server, now.time)?;
            }
            Event::PropertyNotify(now) if self.offer.feed(server, now)? => {}
            Event::PropertyNotify(_) | Event::SelectionNotify(_) => {
                let Some(fetch) = &mut self.fetch else { return Ok(None) };
                let came = fetch.happened(server, event, self.wish.longest)?;
                if came != Came::NotYet {
                    self.end(server)?;
                }
                if came == Came::TooLong {
                    tracing::warn!(
                        "more than {} bytes were copied and are not passed on; --clipboard-limit allows more",
                        self.wish.longest
                    );
                }
                self.settle(server)?;
                return Ok(if let Came::Text(text) = came { self.news(text) } else { None });
            }
            _ => {}
        }
        self.settle(server)?;
        Ok(None)
    }

    /// The window got the focus, or has lost it. True if what waited for it is offered now.
    pub(super) fn focus(&mut self, server: &Server, focused: bool) -> Result<bool, Error> {
        self.focused = focused;
        if !focused && let Some(selection) = self.end(server)? {
            // Again at the next time.
            self.unseen.push(selection);
        }
        if focused && !self.hears {
            // Anything may have happened.
            self.here = None;
            self.unseen = self.selections.clone();
        }
        let brought = self.bring(server)?;
        self.settle(server)?;
        Ok(brought)
    }

    /// Offers text that was copied on the server, as soon as the window has the focus: who works elsewhere is about to paste
    /// something else. True if it is offered now.
    pub(super) fn offer(&mut self, server: &Server, text: &str) -> Result<bool, Error> {
        if !self.wish.receive {
            return Ok(false);
        }
        if text.len() > self.wish.longest {
            tracing::warn!(
                "the server's clipboard of {} bytes is not passed on; --clipboard-limit allows more",
                text.len()
            );
            return Ok(false);
        }
        self.there = Some(self.hasher.hash_one(text));
        self.pending = Some((text.to_owned(), self.selections.clone()));
        let brought = self.bring(server)?;
        self.settle(server)?;
        Ok(brought)
    }

    /// Offers what waited for the focus, if it has come and there is nothing newer.
    fn bring(&mut self, server: &Server) -> Result<bool, Error> {
        let Some((text, selections)) = self.pending.take_if(|_| self.focused) else { return Ok(false) };
        let hash = Some(self.hasher.hash_one(&text));
        if self.here == hash || selections.is_empty() {
            return Ok(false);
        }
        self.here = hash;
        self.offer.set(&text, selections);
        // What was copied before that is of no interest any more.
        self.end(server)?;
        Ok(true)
    }

    /// When something is given up if nothing happens until then.
    pub(super) fn due(&self) -> Option<Instant> {
        self.fetch.as_ref().map(Fetch::due).into_iter().chain(self.offer.due()).min()
    }

    /// Gives up what has taken too long.
    pub(super) fn tick(&mut self, server: &Server, now: Instant) -> Result<(), Error> {
        self.offer.tick(server, now)?;
        if self.fetch.as_ref().is_some_and(|fetch| fetch.due() <= now) {
            self.end(server)?;
            tracing::debug!("who copied something does not tell what");
        }
        self.settle(server)
    }

    /// Asks the server for its time, with which everything begins.
    fn settle(&mut self, server: &Server) -> Result<(), Error> {
        if (self.looks() || self.offer.waits()) && !self.waits_for_time {
            // To add nothing changes nothing, but is told.
            let (window, property, kind) = (self.window, server.atoms.SSHVNC_TIME, AtomEnum::STRING);
            server.connection.change_property8(PropMode::APPEND, window, property, kind, &[]).map_err(lost)?;
            self.waits_for_time = true;
        }
        Ok(())
    }

    /// Whether there is something to look at now.
    fn looks(&mut self) -> bool {
        let (offer, wish) = (&self.offer, &self.wish);
        self.unseen.retain(|&selection| wish.send && !offer.owns(selection));
        self.focused && self.fetch.is_none() && !self.unseen.is_empty()
    }

    fn begin(&mut self, server: &Server, time: Timestamp) -> Result<(), Error> {
        if self.looks() {
            self.fetch = Some(Fetch::start(server, self.unseen.remove(0), time)?);
        }
        Ok(())
    }

    fn end(&mut self, server: &Server) -> Result<Option<Atom>, Error> {
        self.fetch.take().map(|fetch| fetch.stop(server)).transpose()
    }

    /// Text that the server does not know.
    fn news(&mut self, text: String) -> Option<String> {
        let hash = Some(self.hasher.hash_one(&text));
        self.here = hash;
        (std::mem::replace(&mut self.there, hash) != hash).then_some(text)
    }
}

/// A window that is never shown, for selections and their properties.
fn unseen_window(server: &Server) -> Result<Window, Error> {
    let window = server.id()?;
    let attributes = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    let class = WindowClass::INPUT_ONLY;
    let (depth, visual) = (0, x11rb::COPY_FROM_PARENT);
    server
        .connection
        .create_window(depth, window, server.root, -1, -1, 1, 1, 0, class, visual, &attributes)
        .map_err(lost)?;
    Ok(window)
}

fn has_xfixes(server: &Server) -> Result<bool, Error> {
    if server.connection.extension_information(xfixes::X11_EXTENSION_NAME).map_err(lost)?.is_none() {
        return Ok(false);
    }
    match server.connection.xfixes_query_version(1, 0).map_err(lost)?.reply() {
        Ok(version) => Ok(version.major_version >= 1),
        Err(ReplyError::X11Error(_)) => Ok(false),
        Err(error) => Err(lost(error)),
    }
}
