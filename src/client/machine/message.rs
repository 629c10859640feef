//! The messages of a server, one by one, but for what a FramebufferUpdate paints.

use std::sync::Arc;

use super::super::{Event, Notice, pseudo};
use super::{Client, PING, State, Step};
use crate::decode::{Fault, Progress};
use crate::picture::Canvas;
use crate::rfb::server_message::{self, RectangleHeader, fence, qemu_audio, xvp};
use crate::rfb::{ClientMessage, Inbox, clipboard, text};

/// The most audio in one message, in bytes: ten seconds of the best that can be asked for.
const LONGEST_AUDIO: usize = 16 << 20;

impl Client {
    /// Takes the next message, which is no FramebufferUpdate, and says whether all of it is here: for whoever takes those
    /// apart without this client.
    ///
    /// # Errors
    /// [`Fault`] as [`receive`](Client::receive).
    pub fn take_message(&mut self, inbox: &mut Inbox, canvas: &mut Canvas) -> Result<Progress, Fault> {
        loop {
            match self.step(inbox, canvas)? {
                Step::NeedMore => return Ok(Progress::NeedMore),
                Step::Again | Step::UpdateDone if self.between_messages() => return Ok(Progress::Done),
                Step::Again | Step::UpdateDone => {}
            }
        }
    }

    /// The same for a rectangle behind its header; `None` if it is one of pixels.
    ///
    /// # Errors
    /// [`Fault`] as [`receive`](Client::receive).
    pub fn take_pseudo(
        &mut self,
        inbox: &mut Inbox,
        canvas: &mut Canvas,
        header: &RectangleHeader,
    ) -> Result<Option<Progress>, Fault> {
        if !pseudo::is(header.encoding) {
            return Ok(None);
        }
        self.rectangle(inbox, canvas, header).map(Some)
    }

    /// Reads the fixed part of a message.
    pub(super) fn begin(&mut self, inbox: &mut Inbox) -> Result<Step, Fault> {
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
                // However long: it is passed over as it comes.
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

    /// Takes the next of the colours of a SetColourMapEntries.
    pub(super) fn colour(&mut self, inbox: &mut Inbox, first: u16, left: u16) -> Result<Step, Fault> {
        if left == 0 {
            self.state = State::Message;
            return Ok(Step::Again);
        }
        let colour = inbox.unit(|reader| Ok([reader.u16()?, reader.u16()?, reader.u16()?]));
        let Some(colour) = colour else { return Ok(Step::NeedMore) };
        Arc::make_mut(&mut self.pixels).set_colour(first.into(), colour.map(|part| (part >> 8) as u8));
        self.state = State::ColourMap { first: first.wrapping_add(1), left: left - 1 };
        Ok(Step::Again)
    }

    /// Drops what is not kept.
    pub(super) fn skip(&mut self, inbox: &mut Inbox, left: usize) -> Result<Step, Fault> {
        let here = inbox.available().len().min(left);
        inbox.consume(here);
        if here < left {
            self.state = State::Skip { left: left - here };
            return Ok(Step::NeedMore);
        }
        self.state = State::Message;
        Ok(Step::Again)
    }

    /// Takes the text of a ServerCutText.
    pub(super) fn cut_text(&mut self, inbox: &mut Inbox, length: usize) -> Result<Step, Fault> {
        let Some(bytes) = inbox.payload(length) else { return Ok(Step::NeedMore) };
        self.note(Event::CutText(text::with_line_feeds(&text::from_latin1(&bytes))));
        self.state = State::Message;
        Ok(Step::Again)
    }

    /// Takes what else a ServerCutText may hold.
    pub(super) fn extended_clipboard(&mut self, inbox: &mut Inbox, length: usize) -> Result<Step, Fault> {
        let Some(payload) = inbox.available().get(..length) else { return Ok(Step::NeedMore) };
        let message = clipboard::Message::read(payload)?;
        inbox.consume(length);
        if let Some(message) = message {
            self.clipboard(message);
        }
        self.state = State::Message;
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
}
