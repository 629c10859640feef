//! The state machine: bytes in, pixels, events and answers out.

mod desktop;
mod message;

use super::flow::{self, Flow};
use super::rectangle::{self, Decoders};
use super::underway::{Place, Underway};
use super::{Caps, Counts, Event, Notice, Settings};
use crate::decode::{Alone, Fault, Lanes, Pixels, Progress};
use crate::picture::{ByteOrder, Canvas, Copies, Coverage, Damage, Size};
use crate::rfb::handshake::ServerInit;
use crate::rfb::screen::Screen;
use crate::rfb::server_message::{RectangleHeader, fence};
use crate::rfb::{ClientMessage, Inbox, PixelFormat, ProtocolError, encoding};
use std::sync::Arc;

/// The largest desktop, in pixels: 8K, and what memory can bear.
const LARGEST_DESKTOP: usize = 34_000_000;

/// A quality for which all that was painted with less is worth asking for anew.
const WORTH_ALL: u8 = 5;

/// Pixels that are painted, or made for another size, before whoever receives may look up: more than any desktop has, some
/// tens of milliseconds.
const TURN: u64 = 64_000_000;

/// What our own fences carry.
const PING: &[u8] = b"ping";

/// How far [`Client::receive`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// All that could be used was used.
    NeedMore,
    /// A FramebufferUpdate is complete; there may be more to receive.
    UpdateDone,
    /// Far more was painted than a desktop has, and there is more to receive.
    Busy,
}

#[derive(Clone, Copy)]
enum State {
    Message,
    // Rectangles still to come (`None`: until LastRect) and those that came.
    Update { left: Option<u16>, number: u32 },
    Rectangle { left: Option<u16>, number: u32, header: RectangleHeader },
    ColourMap { first: u16, left: u16 },
    CutText { length: usize },
    ExtendedClipboard { length: usize },
    // Bytes of a text that is not kept, or of audio.
    Skip { left: usize },
}

/// The client's side of a session after ServerInit.
pub struct Client {
    state: State,
    size: Size,
    pixels: Arc<Pixels>,
    decoders: Decoders,
    underway: Underway,
    copies: Copies,
    // What was asked for; a recording's client asks for nothing.
    settings: Option<Settings>,
    stale: bool,
    // What has not come yet of a picture without loss, while there is one to come.
    refresh: Option<Coverage>,
    messages: Vec<u8>,
    events: Vec<Event>,
    caps: Caps,
    notices: Vec<Notice>,
    wants_clipboard: bool,
    // As ExtendedDesktopSize told it last.
    desktop: Option<(Size, Vec<Screen>)>,
    damage: Damage,
    // Of a session; a recording need not show every pixel.
    coverage: Option<Coverage>,
    counts: Counts,
    // Pixels that were painted, or made anew for another size.
    work: u64,
    message: &'static str,
    flow: Flow,
    /// Whether the server was asked for a sign of life, and has given it.
    pinged: bool,
    answered: bool,
}

/// A black canvas for the desktop that a server described.
///
/// # Errors
/// [`ProtocolError`] if it is larger than any desktop.
pub fn canvas_for(init: &ServerInit, order: ByteOrder) -> Result<Canvas, ProtocolError> {
    let size = Size { width: init.width, height: init.height };
    checked(size).map_err(|Fault(what)| ProtocolError::new("ServerInit", 0, what))?;
    Ok(Canvas::new(size, order))
}

fn checked(size: Size) -> Result<(), Fault> {
    if size.pixels() > LARGEST_DESKTOP {
        let Size { width, height } = size;
        return Err(Fault(format!("a desktop of {width}x{height} (at most {LARGEST_DESKTOP} pixels are taken)")));
    }
    Ok(())
}

impl Client {
    /// A client that begins by asking for `settings` and for the whole desktop.
    pub fn new(init: &ServerInit, settings: &Settings, order: ByteOrder) -> Client {
        let mut client = Client::with_format(init, settings.format, order);
        client.settings = Some(settings.clone());
        client.wants_clipboard = settings.clipboard;
        client.decoders.set_quality(settings.quality.unwrap_or(encoding::ZYWRLE_QUALITY));
        client.say(Some(ClientMessage::SetPixelFormat(settings.format)));
        client.say(Some(ClientMessage::SetEncodings(settings.list())));
        client.coverage = Some(Coverage::new(client.size));
        client.remark(Notice::Size(client.size));
        client.say(Some(flow::request(client.size, false)));
        client
    }

    /// A client of a recording, whose pixels are as ServerInit says; nobody hears its messages.
    pub fn of_recording(init: &ServerInit, order: ByteOrder) -> Client {
        Client::with_format(init, init.format, order)
    }

    fn with_format(init: &ServerInit, format: PixelFormat, order: ByteOrder) -> Client {
        Client {
            state: State::Message,
            size: Size { width: init.width, height: init.height },
            pixels: Arc::new(Pixels::new(format, order)),
            decoders: Decoders::new(),
            underway: Underway::new(Box::new(Alone)),
            copies: Copies::default(),
            settings: None,
            stale: false,
            refresh: None,
            messages: Vec::new(),
            events: Vec::new(),
            caps: Caps::default(),
            notices: Vec::new(),
            wants_clipboard: false,
            desktop: None,
            damage: Damage::default(),
            coverage: None,
            counts: Counts::default(),
            work: 0,
            message: "FramebufferUpdate",
            flow: Flow::new(),
            pinged: false,
            answered: false,
        }
    }

    /// Asks for other encodings and levels from now on, in the same pixel format. Not with ZYWRLE, whose rectangles do not
    /// say which quality they were made for.
    pub fn change(&mut self, settings: &Settings) {
        let asked = if self.refresh.is_some() { settings.without_loss() } else { settings.clone() };
        self.say(Some(ClientMessage::SetEncodings(asked.list())));
        // What was painted with more loss would stay so until it changes.
        let quality = |settings: &Settings| settings.quality.unwrap_or(u8::MAX);
        let rises = self.settings.as_ref().is_some_and(|before| quality(before) < quality(settings));
        self.stale |= rises && quality(settings) >= WORTH_ALL;
        self.settings = Some(settings.clone());
    }

    /// Whether parts of the desktop have more loss than they would have now. Whoever has a clock knows when to
    /// [ask for them](Client::renew): a whole desktop is in the way of what changes.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Asks for the whole desktop once more.
    pub fn renew(&mut self) {
        self.stale = false;
        self.say(Some(flow::request(self.size, false)));
    }

    /// Asks for the whole desktop once more, without loss; what changes after that comes as it did before.
    pub fn refresh(&mut self) {
        let lossy = self.settings.as_ref().filter(|settings| settings.may_lose());
        if let Some(settings) = lossy {
            let list = settings.without_loss().list();
            self.say(Some(ClientMessage::SetEncodings(list)));
            self.refresh = Some(Coverage::new(self.size));
        }
        self.renew();
    }

    /// Unpacks rectangles on `lanes` from now on. Nothing of what this client says or paints depends on them.
    pub fn set_lanes(&mut self, lanes: Box<dyn Lanes>) {
        self.underway = Underway::new(lanes);
    }

    /// Asks for no more updates until [`release`](Client::release): the window has not taken the last one yet.
    pub fn hold(&mut self) {
        let message = self.flow.hold(self.size);
        self.say(message);
    }

    /// Asks again, and for the update that was not asked for meanwhile.
    pub fn release(&mut self) {
        let message = self.flow.release(self.size);
        self.say(message);
    }

    /// Whether the link has room for several updates at a time; a client that is not told asks for one after the other.
    pub fn set_room(&mut self, room: bool) {
        let message = self.flow.set_room(room, self.size);
        self.say(message);
    }

    /// Asks the server for a sign of life, by a fence of our own. False if it can not be asked now, or owes us one still.
    pub fn ping(&mut self) -> bool {
        if self.pinged || !self.flow.may_fence() {
            return false;
        }
        self.pinged = true;
        let flags = fence::REQUEST | fence::BLOCK_BEFORE;
        self.say(Some(ClientMessage::ClientFence { flags, payload: PING.to_vec() }));
        true
    }

    /// Whether the sign of life has come since this was last asked.
    pub fn take_answer(&mut self) -> bool {
        std::mem::take(&mut self.answered)
    }

    /// The bytes to send since this was last asked.
    pub fn messages(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.messages)
    }

    /// What happened since this was last asked, the last of each kind.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What the server has shown or asked that concerns what the user does, since this was last asked. It is for the
    /// [`InputEncoder`](super::InputEncoder); of each kind there is only the last.
    pub fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// What was painted since this was last asked.
    pub fn take_damage(&mut self) -> Damage {
        self.damage.take()
    }

    /// Whether the last message is complete and the next has not begun.
    pub fn between_messages(&self) -> bool {
        matches!(self.state, State::Message)
    }

    /// Whether the stream may end here without anything being lost.
    pub fn at_boundary(&self, inbox: &Inbox) -> bool {
        self.between_messages() && inbox.is_empty()
    }

    /// Whether every pixel of the desktop has been painted since it got its size.
    pub fn is_complete(&self) -> bool {
        self.coverage.as_ref().is_some_and(Coverage::is_complete)
    }

    /// The message that is being received, by its name in the specification.
    pub fn message(&self) -> &'static str {
        self.message
    }

    /// What has been received.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether a FramebufferUpdate has begun and is not complete.
    pub fn in_update(&self) -> bool {
        matches!(self.state, State::Update { .. } | State::Rectangle { .. })
    }

    /// Uses what has arrived, up to the end of a FramebufferUpdate.
    ///
    /// # Errors
    /// [`ProtocolError`] if the server broke the protocol; the session is over then.
    pub fn receive(&mut self, inbox: &mut Inbox, canvas: &mut Canvas) -> Result<Received, ProtocolError> {
        let turn = self.work + TURN;
        loop {
            if self.work > turn {
                self.paint_all(canvas)?;
                return Ok(Received::Busy);
            }
            self.keep_order(canvas)?;
            let rectangle = match self.state {
                State::Update { number, .. } => Some((number.saturating_add(1), None)),
                State::Rectangle { number, header, .. } => Some((number, Some(header.encoding))),
                _ => None,
            };
            let step = self.step(inbox, canvas);
            if !matches!(step, Ok(Step::Again)) {
                // What came before an error is painted, and may be wrong before it.
                self.paint_all(canvas)?;
            }
            match step {
                Ok(Step::Again) => {}
                Ok(Step::NeedMore) => return Ok(Received::NeedMore),
                Ok(Step::UpdateDone) => return Ok(Received::UpdateDone),
                Err(Fault(what)) => {
                    let mut error = ProtocolError::new(self.message, inbox.offset(), what);
                    error.rectangle = rectangle.and_then(|(number, encoding)| Some((number, encoding?)));
                    return Err(error);
                }
            }
        }
    }

    /// Paints the rectangles under way and makes the copies, unless what comes next may overtake them or belongs to them.
    fn keep_order(&mut self, canvas: &mut Canvas) -> Result<(), ProtocolError> {
        match self.state {
            State::Update { left, .. } if left != Some(0) => {}
            State::Rectangle { header, .. } if header.encoding == encoding::COPY_RECT => {}
            _ => self.make_copies(canvas)?,
        }
        match self.state {
            _ if self.underway.is_empty() => Ok(()),
            State::Update { left, .. } if left != Some(0) && !self.underway.is_alone() => Ok(()),
            State::Rectangle { header, .. } if rectangle::goes_to_lanes(header.encoding) => {
                let pixels = usize::from(header.width) * usize::from(header.height);
                while self.underway.is_full(pixels) && !self.underway.is_empty() {
                    self.paint_oldest(canvas)?;
                }
                Ok(())
            }
            _ => self.paint_all(canvas),
        }
    }

    fn make_copies(&mut self, canvas: &mut Canvas) -> Result<(), ProtocolError> {
        if self.copies.is_empty() {
            return Ok(());
        }
        // Where they lie was looked at when they came.
        self.copy_all(canvas).map_err(|Fault(what)| ProtocolError::new(self.message, 0, what))
    }

    fn paint_all(&mut self, canvas: &mut Canvas) -> Result<(), ProtocolError> {
        self.make_copies(canvas)?;
        while !self.underway.is_empty() {
            self.paint_oldest(canvas)?;
        }
        Ok(())
    }

    fn paint_oldest(&mut self, canvas: &mut Canvas) -> Result<(), ProtocolError> {
        let Some((place, result)) = self.underway.paint(canvas) else { return Ok(()) };
        let Place { area, encoding, lossy, number, offset } = place;
        result.map_err(|Fault(what)| {
            let mut error = ProtocolError::new(self.message, offset, what);
            error.rectangle = Some((number, encoding));
            error
        })?;
        self.painted(area, encoding, lossy);
        Ok(())
    }

    fn step(&mut self, inbox: &mut Inbox, canvas: &mut Canvas) -> Result<Step, Fault> {
        match self.state {
            State::Message => self.begin(inbox),
            State::Update { left: Some(0), .. } => {
                self.state = State::Message;
                self.counts.updates += 1;
                Ok(Step::UpdateDone)
            }
            State::Update { left, number } => {
                let Some(header) = inbox.unit(RectangleHeader::read) else { return Ok(Step::NeedMore) };
                self.state = match header.encoding {
                    encoding::LAST_RECT => State::Update { left: Some(0), number },
                    _ => State::Rectangle { left: left.map(|left| left - 1), number: number.saturating_add(1), header },
                };
                Ok(Step::Again)
            }
            State::Rectangle { left, number, header } => {
                if self.rectangle(inbox, canvas, &header)? == Progress::NeedMore {
                    return Ok(Step::NeedMore);
                }
                self.state = State::Update { left, number };
                Ok(Step::Again)
            }
            State::ColourMap { first, left } => self.colour(inbox, first, left),
            State::Skip { left } => self.skip(inbox, left),
            State::CutText { length } => self.cut_text(inbox, length),
            State::ExtendedClipboard { length } => self.extended_clipboard(inbox, length),
        }
    }

    /// The server has shown that it can do something.
    fn show(&mut self, change: impl FnOnce(&mut Caps)) {
        let before = self.caps;
        change(&mut self.caps);
        if self.caps != before {
            self.remark(Notice::Caps(self.caps));
        }
    }

    /// As with events: a server can not fill the memory with requests.
    fn remark(&mut self, notice: Notice) {
        let kind = std::mem::discriminant(&notice);
        self.notices.retain(|known| std::mem::discriminant(known) != kind);
        self.notices.push(notice);
    }

    /// Of each kind only the last counts that nobody has asked for: a server can not fill the memory with bells.
    fn note(&mut self, event: Event) {
        let kind = std::mem::discriminant(&event);
        self.events.retain(|known| std::mem::discriminant(known) != kind);
        self.events.push(event);
    }

    fn say(&mut self, message: Option<ClientMessage>) {
        if let Some(message) = message {
            message.write(&mut self.messages);
        }
    }
}

enum Step {
    Again,
    NeedMore,
    UpdateDone,
}
