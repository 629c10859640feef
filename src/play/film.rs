//! A recording that is decoded piece by piece, each with the time when it is due.

use std::time::Duration;

use crate::client::{Client, Event, Received, canvas_for};
use crate::picture::{ByteOrder, Canvas, Damage};
use crate::recording::Recording;
use crate::rfb::{Inbox, ProtocolError};

/// The updates of a recording that does not know when they came are due one after the other.
const PERIOD: Duration = Duration::from_millis(40);

/// A recording, and the picture as far as it was decoded.
pub struct Film {
    recording: Recording,
    client: Client,
    inbox: Inbox,
    canvas: Canvas,
    damage: Damage,
    name: String,
    /// How many of the recording's arrivals the client was given.
    given: usize,
    /// Whether there may be whole updates among those bytes still.
    busy: bool,
}

impl Film {
    /// A film at its beginning: black.
    ///
    /// # Errors
    /// [`ProtocolError`] if its desktop is larger than any.
    pub fn new(recording: Recording, order: ByteOrder) -> Result<Film, ProtocolError> {
        Ok(Film {
            client: Client::of_recording(&recording.init, order),
            inbox: Inbox::default(),
            canvas: canvas_for(&recording.init, order)?,
            damage: Damage::default(),
            name: recording.init.name.clone(),
            given: 0,
            busy: false,
            recording,
        })
    }

    /// Goes back to the beginning.
    ///
    /// # Errors
    /// As [`new`](Film::new).
    pub fn rewind(&mut self) -> Result<(), ProtocolError> {
        let order = self.canvas.order();
        // What a recording holds is shared.
        *self = Film::new(self.recording.clone(), order)?;
        self.damage.add(self.canvas.size().whole());
        Ok(())
    }

    /// When the next piece is due; `None` behind the last.
    pub fn due(&self) -> Option<Duration> {
        match self.recording.arrivals.get(self.given) {
            _ if self.busy && self.is_timed() => Some(Duration::ZERO),
            _ if self.busy => Some(self.time()),
            next => next.map(|arrival| arrival.at),
        }
    }

    /// Decodes the next piece: to the end of an update, or of what came at that time. Gives how much work that was, in
    /// bytes and pixels.
    ///
    /// # Errors
    /// [`ProtocolError`]
    pub fn step(&mut self) -> Result<u64, ProtocolError> {
        if !self.busy {
            let end_of = |count: usize| self.recording.arrivals.get(count).map_or(0, |arrival| arrival.end);
            let start = self.given.checked_sub(1).map_or(0, end_of);
            self.inbox.push(self.recording.messages.slice(start..end_of(self.given).max(start)));
            self.given += 1;
        }
        let work = |film: &Film| film.inbox.offset() + film.client.counts().pixels;
        let before = work(self);
        self.busy = self.client.receive(&mut self.inbox, &mut self.canvas)? != Received::NeedMore;
        self.damage.extend(&self.client.take_damage());
        // Nobody hears what it says.
        self.client.messages();
        for event in self.client.events() {
            match event {
                Event::Name(name) => self.name = name,
                Event::Resized(size) => {
                    self.damage.clear();
                    self.damage.add(size.whole());
                }
                // Of somebody who was there.
                Event::Bell
                | Event::CutText(_)
                | Event::XvpInit
                | Event::XvpFail
                | Event::Cursor(_)
                | Event::Locks { .. }
                | Event::PointerMoved { .. } => {}
            }
        }
        Ok(work(self) - before)
    }

    /// The time of the last piece.
    pub fn time(&self) -> Duration {
        if !self.is_timed() {
            return PERIOD * u32::try_from(self.client.counts().updates).unwrap_or(u32::MAX);
        }
        let last = self.given.checked_sub(1).and_then(|last| self.recording.arrivals.get(last));
        last.map_or(Duration::ZERO, |arrival| arrival.at)
    }

    /// How long it takes, if it knows.
    pub fn duration(&self) -> Option<Duration> {
        self.is_timed().then(|| self.recording.duration())
    }

    fn is_timed(&self) -> bool {
        !self.recording.duration().is_zero()
    }

    /// Whether it may end here without anything being lost.
    pub fn is_whole(&self) -> bool {
        !self.recording.cut_off && self.client.at_boundary(&self.inbox)
    }

    /// The picture.
    pub fn canvas(&self) -> &Canvas {
        &self.canvas
    }

    /// What of it was painted since this was last asked.
    pub fn take_damage(&mut self) -> Damage {
        self.damage.take()
    }

    /// The name of the desktop, as sent.
    pub fn name(&self) -> &str {
        &self.name
    }
}
