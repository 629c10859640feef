//! The extended clipboard: cut texts in UTF-8, announced first and sent when asked for (rfbproto, "Extended Clipboard
//! Pseudo-Encoding").
//!
//! Only text is taken and given. Messages travel in ClientCutText and ServerCutText with a negative length.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::text;
use super::wire::{Reader, Short};

/// The longest text that is kept of those received, in bytes; a longer one is passed over.
pub const LONGEST_TEXT: usize = 24 << 20;

/// The format of text; each format is one bit.
pub const TEXT: u32 = 1;
/// The bits of all formats.
const FORMATS: u32 = 0xffff;

const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const PEEK: u32 = 1 << 26;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;
/// The bits of all actions, those to come as well.
const ACTIONS: u32 = 0xff << 24;

/// What one side is willing to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    flags: u32,
    /// The longest text, in bytes, that may be provided without being asked for.
    pub text_limit: u32,
}

impl Caps {
    /// All that is known here of text, and nothing that was not asked for.
    pub const OURS: Caps = Caps { flags: CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT, text_limit: 0 };

    /// Whether text is welcome at all.
    pub fn text(&self) -> bool {
        self.flags & TEXT != 0
    }

    /// Whether it can be asked for what it has.
    pub fn request(&self) -> bool {
        self.flags & REQUEST != 0
    }

    /// Whether it listens when text is announced.
    pub fn notify(&self) -> bool {
        self.flags & NOTIFY != 0
    }

    /// Whether it answers who asks what it has.
    pub fn peek(&self) -> bool {
        self.flags & PEEK != 0
    }

    /// Whether it takes `length` bytes of text that it has not asked for.
    pub fn unsolicited(&self, length: usize) -> bool {
        self.flags & PROVIDE != 0 && length <= self.text_limit as usize
    }

    fn read(flags: u32, reader: &mut Reader<'_>) -> Result<Caps, Short> {
        // A size for each format whose bit is set, in their order.
        let mut text_limit = 0;
        for format in (0..16).map(|bit| 1 << bit).filter(|format| flags & format != 0) {
            let size = reader.u32()?;
            if format == TEXT {
                text_limit = size;
            }
        }
        Ok(Caps { flags, text_limit })
    }
}

/// A message of either side.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// What the sender is willing to receive.
    Caps(Caps),
    /// Asks for these formats.
    Request(u32),
    /// Asks which formats there are.
    Peek,
    /// These formats are there.
    Notify(u32),
    /// The text; `None` if there is none, or too much to be kept, or if it can not be read.
    Provide(Option<String>),
}

impl Message {
    /// Reads what follows the length. `None` is an action that is not known.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn read(payload: &[u8]) -> Result<Option<Message>, String> {
        let short = |why: &str| format!("an extended clipboard message of {} bytes{why}", payload.len());
        let mut reader = Reader::new(payload);
        let flags = reader.u32().map_err(|Short| short(""))?;
        let formats = flags & FORMATS;
        Ok(match flags & ACTIONS {
            // Its other bits are what may be sent.
            actions if actions & CAPS != 0 => {
                let caps = Caps::read(flags, &mut reader);
                Some(Message::Caps(caps.map_err(|Short| short(", too few for the sizes of its formats"))?))
            }
            REQUEST => Some(Message::Request(formats)),
            PEEK => Some(Message::Peek),
            NOTIFY => Some(Message::Notify(formats)),
            PROVIDE if formats & TEXT != 0 => Some(Message::Provide(provided(reader.rest()))),
            PROVIDE => Some(Message::Provide(None)),
            _ => None,
        })
    }

    /// Appends a length below zero and what it is the length of.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let (flags, payload) = match self {
            Message::Caps(caps) => (caps.flags, caps.text_limit.to_be_bytes().to_vec()),
            Message::Request(formats) => (REQUEST | formats, Vec::new()),
            Message::Peek => (PEEK, Vec::new()),
            Message::Notify(formats) => (NOTIFY | formats, Vec::new()),
            Message::Provide(None) => (PROVIDE, Vec::new()),
            Message::Provide(Some(text)) => (PROVIDE | TEXT, compressed(text)),
        };
        // Our own texts are far shorter than this type could not say.
        let length = i32::try_from(payload.len() + 4).unwrap_or(i32::MAX);
        out.extend((-length).to_be_bytes());
        out.extend(flags.to_be_bytes());
        out.extend(payload);
    }
}

/// A clipboard may hold secrets: it is not shown.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Message::Caps(caps) => caps.fmt(f),
            Message::Request(formats) => write!(f, "Request({formats:#x})"),
            Message::Peek => f.write_str("Peek"),
            Message::Notify(formats) => write!(f, "Notify({formats:#x})"),
            Message::Provide(_) => f.write_str("Provide"),
        }
    }
}

/// The bytes that a text has in a provide message before they are compressed, without their length.
pub fn wire_length(text: &str) -> usize {
    text.len() + text.matches('\n').count() + 1
}

/// Text is the first of the formats: what is behind it need not be looked at. One that is broken, or shorter than it says,
/// is lost, and nothing else: where the message ends is known.
fn provided(compressed: &[u8]) -> Option<String> {
    let mut stream = ZlibDecoder::new(compressed);
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST_TEXT {
        return None;
    }
    let mut bytes = Vec::new();
    stream.take(length as u64).read_to_end(&mut bytes).ok()?;
    if bytes.len() < length {
        return None;
    }
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    Some(text::with_line_feeds(&String::from_utf8_lossy(&bytes)))
}

fn compressed(text: &str) -> Vec<u8> {
    let mut bytes = text.replace('\n', "\r\n").into_bytes();
    bytes.push(0);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::fast());
    // libvncserver 0.9.14 drops a client whose stream comes to an end: it is flushed and left open.
    let written = stream.write_all(&length.to_be_bytes()).and_then(|()| stream.write_all(&bytes));
    let flushed = written.and_then(|()| stream.flush());
    debug_assert!(flushed.is_ok(), "memory takes all");
    std::mem::take(stream.get_mut())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(message: &Message) -> Vec<u8> {
        let mut out = Vec::new();
        message.write(&mut out);
        out
    }

    fn read(flags: u32, rest: &[u8]) -> Result<Option<Message>, String> {
        Message::read(&[&flags.to_be_bytes(), rest].concat())
    }

    /// A stream of stored blocks (RFC 1951 §3.2.4), which is what its bytes say.
    fn stored(bytes: &[u8]) -> Vec<u8> {
        let length = bytes.len() as u16;
        [&[0x78, 1, 0][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat()
    }

    #[test]
    fn bytes_as_the_specification_lays_them_out() {
        let caps = [0xff, 0xff, 0xff, 0xf8, 0x1f, 0, 0, 1, 0, 0, 0, 0];
        assert_eq!(written(&Message::Caps(Caps::OURS)), caps);
        assert_eq!(written(&Message::Request(TEXT)), [0xff, 0xff, 0xff, 0xfc, 2, 0, 0, 1]);
        assert_eq!(written(&Message::Peek), [0xff, 0xff, 0xff, 0xfc, 4, 0, 0, 0]);
        assert_eq!(written(&Message::Notify(TEXT)), [0xff, 0xff, 0xff, 0xfc, 8, 0, 0, 1]);
        assert_eq!(written(&Message::Provide(None)), [0xff, 0xff, 0xff, 0xfc, 16, 0, 0, 0]);
        let provide = written(&Message::Provide(Some("ä\nb".to_owned())));
        let (length, rest) = provide.split_first_chunk().unwrap();
        assert_eq!(i32::from_be_bytes(*length), -(rest.len() as i32));
        assert_eq!(rest[..5], [16, 0, 0, 1, 0x78]);
        // Flushed, so that all can be read, and not ended.
        assert_eq!(rest[rest.len() - 4..], [0, 0, 0xff, 0xff]);
        let mut inflated = Vec::new();
        let end = ZlibDecoder::new(&rest[4..]).read_to_end(&mut inflated);
        assert_eq!(inflated, b"\0\0\0\x06\xc3\xa4\r\nb\0");
        assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
        assert_eq!(wire_length("ä\nb"), 6);
    }

    #[test]
    fn messages_are_read_as_they_are_written() {
        let texts = ["", "one\ntwo\n", "größe €", &"x".repeat(100_000)];
        let provided = texts.map(|text| Message::Provide(Some(text.to_owned())));
        let others = [Message::Caps(Caps::OURS), Message::Request(TEXT), Message::Peek, Message::Notify(0)];
        for message in provided.iter().chain(&others).chain(&[Message::Provide(None)]) {
            assert_eq!(Message::read(&written(message)[4..]).as_ref(), Ok(&Some(message.clone())));
        }
    }

    #[test]
    fn caps_have_a_size_for_each_format() {
        let sizes = [0, 0, 0, 9, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff];
        let Ok(Some(Message::Caps(caps))) = read(0x1f00_0015, &sizes) else { panic!() };
        assert!(caps.text() && caps.request() && caps.notify() && caps.peek());
        assert!(caps.unsolicited(9) && !caps.unsolicited(10));
        let Ok(Some(Message::Caps(caps))) = read(0x1100_0002, &[0xff; 4]) else { panic!() };
        assert!(!caps.text() && !caps.request() && !caps.notify() && !caps.peek());
        assert_eq!(caps.text_limit, 0);
        let lie = read(0x0100_ffff, &[0; 63]).unwrap_err();
        assert_eq!(lie, "an extended clipboard message of 67 bytes, too few for the sizes of its formats");
    }

    #[test]
    fn text_has_lines_and_no_end_of_its_own() {
        let text = |bytes: &[u8]| {
            let length = (bytes.len() as u32).to_be_bytes();
            match read(PROVIDE | TEXT, &stored(&[&length[..], bytes].concat())) {
                Ok(Some(Message::Provide(Some(text)))) => text,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(text(b"a\r\nb\rc\nd\0"), "a\nb\nc\nd");
        assert_eq!(text(b"no NUL"), "no NUL");
        assert_eq!(text(b""), "");
        assert_eq!(text(b"a\xffb\0"), "a\u{fffd}b");
        // Only text is looked at; the picture behind it does not even end.
        let two = stored(b"\0\0\0\x02x\0\0\0\xff\xff");
        assert_eq!(read(PROVIDE | TEXT | 8, &two), Ok(Some(Message::Provide(Some("x".to_owned())))));
        assert_eq!(read(PROVIDE | 8, &[]), Ok(Some(Message::Provide(None))));
    }

    #[test]
    fn nonsense_is_named_or_passed_over() {
        for flags in [0, TEXT, 0x00ff_0000, 1 << 29, 1 << 31, REQUEST | NOTIFY, PROVIDE | PEEK | TEXT] {
            assert_eq!(read(flags, b"whatever"), Ok(None), "{flags:#x}");
        }
        assert_eq!(Message::read(&[1, 2]), Err("an extended clipboard message of 2 bytes".to_owned()));
        let provide = |bytes: &[u8]| read(PROVIDE | TEXT, bytes);
        for broken in [&[][..], &[0xff; 9], &stored(b"\0\0"), &[0x78, 1, 7]] {
            assert_eq!(provide(broken), Ok(Some(Message::Provide(None))), "{broken:?}");
        }
        let ended = [&[0x78, 1, 1, 6, 0, 0xf9, 0xff][..], b"\0\0\0\x09ab", &[0, 0, 0, 0]].concat();
        assert_eq!(provide(&ended), Ok(Some(Message::Provide(None))));
        // Four gigabytes that never come, and a text that is one byte too long.
        assert_eq!(provide(&stored(&[0xff; 4])), Ok(Some(Message::Provide(None))));
        let long = Message::Provide(Some("\0".repeat(LONGEST_TEXT)));
        let bomb = written(&long);
        assert!(bomb.len() < LONGEST_TEXT / 32, "{}", bomb.len());
        assert_eq!(Message::read(&bomb[4..]), Ok(Some(Message::Provide(None))));
    }
}
