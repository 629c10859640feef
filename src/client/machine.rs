//! The state machine: bytes in, pixels, events and answers out.

use super::flow::{self, Flow};
use super::pseudo::{self, Meaning};
use super::rectangle::{self, Decoders};
use super::underway::{Place, Underway};
use super::{Caps, Counts, Event, Notice, Settings};
use crate::decode::{Alone, Fault, Job, Lanes, Pixels, Progress, Stage, stage};
use crate::picture::{Area, ByteOrder, Canvas, Coverage, Damage, Size};
use crate::rfb::handshake::ServerInit;
use crate::rfb::screen::Screen;
use crate::rfb::server_message::{self, RectangleHeader, fence, qemu_audio, xvp};
use crate::rfb::{ClientMessage, Inbox, PixelFormat, ProtocolError, clipboard, encoding, text};
use std::sync::Arc;

/// The largest desktop, in pixels: 8K, and what memory can bear.
const LARGEST_DESKTOP: usize = 34_000_000;
/// The longest ServerCutText, in bytes; a longer one is an attack or a fault.
const LONGEST_CUT_TEXT: usize = 64 << 20;
/// The most audio in one message, in bytes: ten seconds of the best that can be asked for.
const LONGEST_AUDIO: usize = 16 << 20;

/// What our own fences carry.
const PING: &[u8] = b"ping";

/// How far [`Client::receive`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// All that could be used was used.
    NeedMore,
    /// A FramebufferUpdate is complete; there may be more to receive.
    UpdateDone,
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
    // The loss that was asked for.
    quality: Option<u8>,
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
        client.quality = settings.quality;
        client.wants_clipboard = settings.clipboard;
        client.decoders.set_quality(settings.quality.unwrap_or(encoding::ZYWRLE_QUALITY));
        client.say(Some(ClientMessage::SetPixelFormat(settings.format)));
        client.say(Some(ClientMessage::SetEncodings(settings.list())));
        client.coverage = Some(Coverage::new(client.size));
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
            quality: None,
            messages: Vec::new(),
            events: Vec::new(),
            caps: Caps::default(),
            notices: Vec::new(),
            wants_clipboard: false,
            desktop: None,
            damage: Damage::default(),
            coverage: None,
            counts: Counts::default(),
            message: "FramebufferUpdate",
            flow: Flow::new(),
            pinged: false,
            answered: false,
        }
    }

    /// Asks for other encodings and levels from now on, in the same pixel format. Not with ZYWRLE, whose rectangles do not
    /// say which quality they were made for.
    pub fn change(&mut self, settings: &Settings) {
        self.say(Some(ClientMessage::SetEncodings(settings.list())));
        // What was painted with a loss would stay so until it changes.
        if self.quality.is_some() && settings.quality.is_none() {
            self.say(Some(flow::request(self.size, false)));
        }
        self.quality = settings.quality;
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

    /// Asks the server for a sign of life, by a fence of our own. False if it knows none, or owes us one still.
    pub fn ping(&mut self) -> bool {
        if self.pinged || !self.flow.has_fences() {
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

    /// Uses what has arrived, up to the end of a FramebufferUpdate.
    ///
    /// # Errors
    /// [`ProtocolError`] if the server broke the protocol; the session is over then.
    pub fn receive(&mut self, inbox: &mut Inbox, canvas: &mut Canvas) -> Result<Received, ProtocolError> {
        loop {
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

    /// Paints the rectangles under way, unless what comes next may overtake them.
    fn keep_order(&mut self, canvas: &mut Canvas) -> Result<(), ProtocolError> {
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

    fn paint_all(&mut self, canvas: &mut Canvas) -> Result<(), ProtocolError> {
        while !self.underway.is_empty() {
            self.paint_oldest(canvas)?;
        }
        Ok(())
    }

    fn paint_oldest(&mut self, canvas: &mut Canvas) -> Result<(), ProtocolError> {
        let Some((place, result)) = self.underway.paint(canvas) else { return Ok(()) };
        let Place { area, encoding, number, offset } = place;
        result.map_err(|Fault(what)| {
            let mut error = ProtocolError::new(self.message, offset, what);
            error.rectangle = Some((number, encoding));
            error
        })?;
        self.painted(area, encoding);
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
            State::ColourMap { left: 0, .. } => {
                self.state = State::Message;
                Ok(Step::Again)
            }
            State::ColourMap { first, left } => {
                let colour = inbox.unit(|reader| Ok([reader.u16()?, reader.u16()?, reader.u16()?]));
                let Some(colour) = colour else { return Ok(Step::NeedMore) };
                Arc::make_mut(&mut self.pixels).set_colour(first.into(), colour.map(|part| (part >> 8) as u8));
                self.state = State::ColourMap { first: first.wrapping_add(1), left: left - 1 };
                Ok(Step::Again)
            }
            State::Skip { left } => {
                let here = inbox.available().len().min(left);
                inbox.consume(here);
                if here < left {
                    self.state = State::Skip { left: left - here };
                    return Ok(Step::NeedMore);
                }
                self.state = State::Message;
                Ok(Step::Again)
            }
            State::CutText { length } => {
                let Some(bytes) = inbox.payload(length) else { return Ok(Step::NeedMore) };
                self.note(Event::CutText(text::with_line_feeds(&text::from_latin1(&bytes))));
                self.state = State::Message;
                Ok(Step::Again)
            }
            State::ExtendedClipboard { length } => {
                let Some(payload) = inbox.available().get(..length) else { return Ok(Step::NeedMore) };
                let message = clipboard::Message::read(payload)?;
                inbox.consume(length);
                if let Some(message) = message {
                    self.clipboard(message);
                }
                self.state = State::Message;
                Ok(Step::Again)
            }
        }
    }

    /// Reads the fixed part of a message.
    fn begin(&mut self, inbox: &mut Inbox) -> Result<Step, Fault> {
        let Some(&kind) = inbox.available().first() else { return Ok(Step::NeedMore) };
        match kind {
            server_message::FRAMEBUFFER_UPDATE => {
                self.message = "FramebufferUpdate";
                let count = inbox.unit(|reader| {
                    reader.bytes(2)?;
                    reader.u16()
                });
                let Some(count) = count else { return Ok(Step::NeedMore) };
                // 65535 means "until LastRect" (rfbproto).
                self.state = State::Update { left: (count != 0xffff).then_some(count), number: 0 };
                let message = self.flow.update_begins(self.size);
                self.say(message);
            }
            server_message::SET_COLOUR_MAP_ENTRIES => {
                self.message = "SetColourMapEntries";
                let entries = inbox.unit(|reader| {
                    reader.bytes(2)?;
                    Ok((reader.u16()?, reader.u16()?))
                });
                let Some((first, left)) = entries else { return Ok(Step::NeedMore) };
                self.state = State::ColourMap { first, left };
            }
            server_message::BELL => {
                inbox.consume(1);
                self.note(Event::Bell);
            }
            server_message::SERVER_CUT_TEXT => {
                self.message = "ServerCutText";
                let length = inbox.unit(|reader| {
                    reader.bytes(4)?;
                    reader.i32()
                });
                let Some(signed) = length else { return Ok(Step::NeedMore) };
                let length = signed.unsigned_abs() as usize;
                if length > LONGEST_CUT_TEXT {
                    return Err(Fault(format!("a clipboard of {length} bytes")));
                }
                self.state = match length > clipboard::LONGEST_TEXT {
                    true => State::Skip { left: length },
                    false if signed < 0 => State::ExtendedClipboard { length },
                    false => State::CutText { length },
                };
            }
            server_message::END_OF_CONTINUOUS_UPDATES => {
                inbox.consume(1);
                let message = self.flow.end_of_continuous(self.size);
                self.say(message);
            }
            server_message::SERVER_FENCE => return self.fence(inbox),
            server_message::XVP => {
                self.message = "xvp";
                let code = inbox.unit(|reader| {
                    reader.bytes(3)?;
                    reader.u8()
                });
                match code {
                    None => return Ok(Step::NeedMore),
                    Some(xvp::INIT) => {
                        self.note(Event::XvpInit);
                        self.show(|caps| caps.xvp = true);
                    }
                    Some(xvp::FAIL) => self.note(Event::XvpFail),
                    Some(code) => return Err(Fault(format!("an xvp message with the unknown code {code}"))),
                }
            }
            server_message::QEMU => return self.audio(inbox),
            other => {
                self.message = "message";
                return Err(Fault(format!("a message of the unknown type {other}")));
            }
        }
        Ok(Step::Again)
    }

    /// Answers a fence. Everything before it has been dealt with by now, and nothing behind it.
    fn fence(&mut self, inbox: &mut Inbox) -> Result<Step, Fault> {
        self.message = "ServerFence";
        let length = inbox.available().get(8).copied().unwrap_or_default();
        if length > fence::LONGEST {
            return Err(Fault(format!("a fence with {length} bytes")));
        }
        let whole = inbox.unit(|reader| {
            reader.bytes(4)?;
            let flags = reader.u32()?;
            reader.u8()?;
            Ok((flags, reader.bytes(length.into())?.to_vec()))
        });
        let Some((flags, payload)) = whole else { return Ok(Step::NeedMore) };
        if flags & fence::REQUEST != 0 {
            self.say(Some(ClientMessage::ClientFence { flags: flags & fence::KNOWN, payload }));
        } else if payload == PING && std::mem::take(&mut self.pinged) {
            self.answered = true;
        }
        let message = self.flow.fence(self.size);
        self.say(message);
        Ok(Step::Again)
    }

    /// Counts audio, which nobody hears yet.
    fn audio(&mut self, inbox: &mut Inbox) -> Result<Step, Fault> {
        self.message = "QEMU Audio";
        match inbox.available().get(1) {
            None => return Ok(Step::NeedMore),
            Some(&qemu_audio::SUBMESSAGE) => {}
            Some(other) => return Err(Fault(format!("a QEMU message of the unknown type {other}"))),
        }
        let whole = inbox.unit(|reader| {
            reader.bytes(2)?;
            let operation = reader.u16()?;
            let length = if operation == qemu_audio::DATA { reader.u32()? } else { 0 };
            Ok((operation, length as usize))
        });
        match whole {
            None => return Ok(Step::NeedMore),
            Some((qemu_audio::BEGIN, _)) => self.counts.audio_streams += 1,
            Some((qemu_audio::END, _)) => {}
            Some((qemu_audio::DATA, length)) if length <= LONGEST_AUDIO => {
                self.counts.audio_bytes += length as u64;
                self.state = State::Skip { left: length };
            }
            Some((qemu_audio::DATA, length)) => return Err(Fault(format!("audio of {length} bytes"))),
            Some((other, _)) => return Err(Fault(format!("an audio operation of the unknown number {other}"))),
        }
        Ok(Step::Again)
    }

    /// Deals with a message of the extended clipboard: text is asked for when it is announced, or may just come.
    fn clipboard(&mut self, message: clipboard::Message) {
        use clipboard::Message;
        match message {
            Message::Caps(caps) => {
                self.say(Some(ClientMessage::ExtendedClipboard(Message::Caps(clipboard::Caps::OURS))));
                self.show(|ours| ours.clipboard = Some(caps));
            }
            Message::Request(formats) if formats & clipboard::TEXT != 0 => self.remark(Notice::ClipboardRequest),
            Message::Peek => self.remark(Notice::ClipboardPeek),
            Message::Notify(formats) if formats & clipboard::TEXT != 0 => {
                if self.wants_clipboard && self.caps.clipboard.is_some_and(|caps| caps.request()) {
                    self.say(Some(ClientMessage::ExtendedClipboard(Message::Request(clipboard::TEXT))));
                }
            }
            Message::Provide(Some(text)) => self.note(Event::CutText(text)),
            Message::Request(_) | Message::Notify(_) | Message::Provide(None) => {}
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

    /// Reads a rectangle or a pseudo-rectangle behind its header.
    fn rectangle(
        &mut self,
        inbox: &mut Inbox,
        canvas: &mut Canvas,
        header: &RectangleHeader,
    ) -> Result<Progress, Fault> {
        if !pseudo::is(header.encoding) {
            return self.paint(inbox, canvas, header);
        }
        match pseudo::read(inbox, header, &self.pixels)? {
            None => return Ok(Progress::NeedMore),
            Some(Meaning::Tell(event)) => self.note(event),
            Some(Meaning::Size(size)) => self.resize(canvas, size)?,
            Some(Meaning::Desktop(size, screens, answer)) => self.show_desktop(canvas, size, screens, answer)?,
            Some(Meaning::Keycodes) => self.show(|caps| caps.keycodes = true),
            Some(Meaning::ExtendedButtons) => self.show(|caps| caps.extended_buttons = true),
            Some(Meaning::RelativePointer(relative)) => self.show(|caps| caps.relative_pointer = relative),
            Some(Meaning::Nothing) => {}
        }
        Ok(Progress::Done)
    }

    fn paint(&mut self, inbox: &mut Inbox, canvas: &mut Canvas, header: &RectangleHeader) -> Result<Progress, Fault> {
        let RectangleHeader { x, y, width, height, encoding } = *header;
        let Size { width: all_width, height: all_height } = self.size;
        let area = self.size.area(x, y, width, height).ok_or_else(|| {
            Fault(format!("{width}x{height} at {x},{y} outside of the desktop of {all_width}x{all_height}"))
        })?;
        if encoding == encoding::COPY_RECT {
            let Some((x, y)) = inbox.unit(|reader| Ok((reader.u16()?, reader.u16()?))) else {
                return Ok(Progress::NeedMore);
            };
            let _paint = stage(Stage::Paint);
            canvas.copy(x, y, area).map_err(|_| Fault(format!("a copy from {x},{y} outside of the desktop")))?;
        } else if rectangle::goes_to_lanes(encoding) {
            let size = (usize::from(area.width()), usize::from(area.height()));
            let Some(rectangle) = self.decoders.cut(encoding, inbox, size, &self.pixels)? else {
                return Ok(Progress::NeedMore);
            };
            let number = if let State::Rectangle { number, .. } = self.state { number } else { 0 };
            let job = Job::new(rectangle, size.0, size.1, self.pixels.clone());
            self.underway.add(job, Place { area, encoding, number, offset: inbox.offset() });
            // Painted when its turn comes.
            return Ok(Progress::Done);
        } else {
            let mut target = canvas.target(area)?;
            if self.decoders.advance(encoding, inbox, area, &mut target, &self.pixels)? == Progress::NeedMore {
                return Ok(Progress::NeedMore);
            }
        }
        self.painted(area, encoding);
        Ok(Progress::Done)
    }

    fn painted(&mut self, area: Area, encoding: i32) {
        self.damage.add(area);
        if let Some(coverage) = &mut self.coverage {
            coverage.add(area);
        }
        self.counts.rectangles += 1;
        self.counts.pixels += area.pixels() as u64;
        *self.counts.by_encoding.entry(encoding).or_default() += 1;
    }

    fn resize(&mut self, canvas: &mut Canvas, size: Size) -> Result<(), Fault> {
        // A server may repeat its size in every answer to a full request: asking again would never end.
        if size == self.size {
            return Ok(());
        }
        checked(size)?;
        self.size = size;
        canvas.resize(size);
        self.damage.clear();
        if let Some(coverage) = &mut self.coverage {
            *coverage = Coverage::new(size);
        }
        self.note(Event::Resized(size));
        let wanted = self.flow.resized(size);
        wanted.into_iter().for_each(|message| self.say(message));
        Ok(())
    }

    /// Takes another size, and tells whoever may ask for one how the desktop is now.
    fn show_desktop(
        &mut self,
        canvas: &mut Canvas,
        size: Option<Size>,
        screens: Vec<Screen>,
        answer: Option<u16>,
    ) -> Result<(), Fault> {
        if let Some(size) = size {
            self.resize(canvas, size)?;
            // A server may repeat it in every update.
            if self.desktop.as_ref().is_none_or(|known| (known.0, &known.1) != (size, &screens)) {
                self.desktop = Some((size, screens.clone()));
                self.remark(Notice::Desktop { size, screens });
            }
        }
        if let Some(answer) = answer {
            self.remark(Notice::Resized(answer));
        }
        Ok(())
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
