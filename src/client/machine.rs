//! The state machine: bytes in, pixels, events and answers out.

use super::flow::{self, Flow};
use super::pseudo::{self, Meaning};
use super::rectangle::Decoders;
use super::{Counts, Event};
use crate::decode::{Fault, Pixels, Progress, Stage, stage};
use crate::picture::{Area, ByteOrder, Canvas, Coverage, Damage, Size};
use crate::rfb::handshake::ServerInit;
use crate::rfb::server_message::{self, RectangleHeader, fence};
use crate::rfb::{ClientMessage, Inbox, PixelFormat, ProtocolError, encoding, text};

/// The largest desktop, in pixels: 8K, and what memory can bear.
const LARGEST_DESKTOP: usize = 34_000_000;
/// neatvnc 0.5 drops a client that names more encodings.
const MOST_ENCODINGS: usize = 32;
/// The longest ServerCutText, in bytes; a longer one is an attack or a fault.
const LONGEST_CUT_TEXT: usize = 64 << 20;
/// The longest that is kept: a longer one is passed over.
const LONGEST_CUT_TEXT_KEPT: usize = 4 << 20;

/// What the client asks the server for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The pixel format of the session.
    pub format: PixelFormat,
    /// Encodings of pixels, best first; the pseudo-encodings are added.
    pub encodings: Vec<i32>,
    /// Detail that lossy encodings keep, 0 to 9. Without it a server sends Tight without JPEG.
    pub quality: Option<u8>,
    /// How hard the server shall compress, 0 to 9; without it the server decides.
    pub compression: Option<u8>,
}

impl Settings {
    /// Pixels of this format in these encodings, without loss and as the server likes them compressed.
    pub fn new(format: PixelFormat, encodings: Vec<i32>) -> Settings {
        Settings { format, encodings, quality: None, compression: None }
    }

    /// SetEncodings, best first.
    fn list(&self) -> Vec<i32> {
        // How ZYWRLE is coded depends on a quality level, and does not say so itself.
        let needed = self.encodings.contains(&encoding::ZYWRLE).then_some(encoding::ZYWRLE_QUALITY);
        let quality = self.quality.or(needed).map(encoding::quality_level);
        let compression = self.compression.map(encoding::compression_level);
        // Level 0 is none at all where the server knows how.
        let without_zlib = (self.compression == Some(0)).then_some(encoding::TIGHT_WITHOUT_ZLIB);
        let levels = quality.into_iter().chain(compression).chain(without_zlib);
        self.encodings.iter().copied().chain(encoding::PSEUDO_ENCODINGS).chain(levels).take(MOST_ENCODINGS).collect()
    }
}

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
    // Bytes of a text that is not kept.
    Skip { left: usize },
}

/// The client's side of a session after ServerInit.
pub struct Client {
    state: State,
    size: Size,
    pixels: Pixels,
    decoders: Decoders,
    messages: Vec<u8>,
    events: Vec<Event>,
    damage: Damage,
    // Of a session; a recording need not show every pixel.
    coverage: Option<Coverage>,
    counts: Counts,
    message: &'static str,
    flow: Flow,
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
            pixels: Pixels::new(format, order),
            decoders: Decoders::new(),
            messages: Vec::new(),
            events: Vec::new(),
            damage: Damage::default(),
            coverage: None,
            counts: Counts::default(),
            message: "FramebufferUpdate",
            flow: Flow::new(),
        }
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

    /// The bytes to send since this was last asked.
    pub fn messages(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.messages)
    }

    /// What happened since this was last asked, the last of each kind.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
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
            let rectangle = match self.state {
                State::Update { number, .. } => Some((number.saturating_add(1), None)),
                State::Rectangle { number, header, .. } => Some((number, Some(header.encoding))),
                _ => None,
            };
            match self.step(inbox, canvas) {
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
                self.pixels.set_colour(first.into(), colour.map(|part| (part >> 8) as u8));
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
                self.note(Event::CutText(text::from_latin1(&bytes)));
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
                    reader.u32()
                });
                let Some(length) = length.map(|length| length as usize) else { return Ok(Step::NeedMore) };
                if length > LONGEST_CUT_TEXT {
                    return Err(Fault(format!("a clipboard of {length} bytes")));
                }
                self.state = match length > LONGEST_CUT_TEXT_KEPT {
                    true => State::Skip { left: length },
                    false => State::CutText { length },
                };
            }
            server_message::END_OF_CONTINUOUS_UPDATES => {
                inbox.consume(1);
                let message = self.flow.end_of_continuous(self.size);
                self.say(message);
            }
            server_message::SERVER_FENCE => return self.fence(inbox),
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
        }
        let message = self.flow.fence(self.size);
        self.say(message);
        Ok(Step::Again)
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
        } else {
            let mut target = canvas.target(area)?;
            if self.decoders.advance(encoding, inbox, &mut target, &self.pixels)? == Progress::NeedMore {
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
