//! What the user does, put into the words that this server understands.

use super::resize::Resizer;
use super::{Caps, Notice};
use crate::picture::{Area, Size};
use crate::rfb::{ClientMessage, XvpRequest, clipboard, text};

/// The longest clipboard that is given away, as it goes out: libvncserver drops a client that sends more.
const LONGEST_TEXT: usize = 1 << 20;
/// A pointer that did not move, for a server that wants to hear how far it did.
const UNMOVED: i32 = 0x7fff;

/// Something that the user does.
#[derive(Clone, PartialEq, Eq)]
pub enum UserInput {
    /// A key.
    Key {
        /// An X11 keysym.
        keysym: u32,
        /// The XT keycode of its place on the keyboard, where it is known.
        keycode: Option<u32>,
        /// Pressed, or released.
        down: bool,
    },
    /// The pointer.
    Pointer {
        /// From the left edge.
        x: u16,
        /// From the top edge.
        y: u16,
        /// Bit 0 is the left button, 1 the middle, 2 the right, 3 to 6 the wheel up, down, left, right, 7 back, 8
        /// forward.
        buttons: u16,
    },
    /// Text was copied.
    Clipboard(String),
    /// The machine behind the desktop shall do this, if the server knows how.
    Xvp(XvpRequest),
    /// The desktop shall have another size, if the server knows how and allows it.
    Resize {
        /// Of all of it.
        size: Size,
        /// Its screens; one if there are none.
        screens: Vec<Area>,
    },
}

/// What is typed and copied may be secret: it is not shown.
impl std::fmt::Debug for UserInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            UserInput::Key { .. } => "Key",
            UserInput::Pointer { .. } => "Pointer",
            UserInput::Clipboard(_) => "Clipboard",
            UserInput::Xvp(_) => "Xvp",
            UserInput::Resize { .. } => "Resize",
        })
    }
}

/// Turns what the user does into messages, and remembers what later ones depend on.
#[derive(Default)]
pub struct InputEncoder {
    caps: Caps,
    held: Vec<Held>,
    pointer: Option<(u16, u16)>,
    clipboard: Option<String>,
    // The clipboard as it is provided, once that was asked for: a server may ask again and again.
    provided: Option<Vec<u8>>,
    resizer: Resizer,
}

/// A key that is down, and whether it was told by its place.
struct Held {
    keysym: u32,
    keycode: u32,
    by_place: bool,
}

impl InputEncoder {
    /// Appends the messages that tell the server of `input`.
    pub fn input(&mut self, input: UserInput, out: &mut Vec<u8>) {
        match input {
            UserInput::Key { keysym, keycode: None, down } => ClientMessage::KeyEvent { down, keysym }.write(out),
            UserInput::Key { keysym, keycode: Some(keycode), down } => self.key(keysym, keycode, down).write(out),
            UserInput::Pointer { x, y, buttons } => self.pointer(x, y, buttons).write(out),
            UserInput::Clipboard(text) => {
                let text = text::with_line_feeds(&text);
                self.clipboard = (clipboard::wire_length(&text) <= LONGEST_TEXT).then_some(text);
                self.provided = None;
                self.announce(out);
            }
            UserInput::Xvp(request) if self.caps.xvp => ClientMessage::Xvp(request).write(out),
            UserInput::Xvp(_) => {}
            // It goes out when there is time for it: see `resize`.
            UserInput::Resize { size, screens } => self.resizer.want(size, screens),
        }
    }

    /// Whether another size of the desktop should be asked for.
    pub fn wants_resize(&self) -> bool {
        self.resizer.is_wanted()
    }

    /// Whether one was asked for, and not answered yet.
    pub fn is_resizing(&self) -> bool {
        self.resizer.is_under_way()
    }

    /// Asks for the last size that is wanted. To be called by whoever has a clock: a server has a lot to do for each.
    /// What was asked for before is no longer waited for.
    pub fn resize(&mut self, out: &mut Vec<u8>) {
        self.resizer.give_up();
        if let Some(message) = self.resizer.ask() {
            message.write(out);
        }
    }

    /// Takes notice of what the server shows, and appends what it asks for.
    pub fn notice(&mut self, notice: Notice, out: &mut Vec<u8>) {
        match notice {
            Notice::Caps(caps) => {
                let before = std::mem::replace(&mut self.caps, caps);
                // What was copied before was told without all of its letters, or not at all.
                if before.clipboard.is_none() && caps.clipboard.is_some() && self.clipboard.is_some() {
                    self.announce(out);
                }
            }
            Notice::ClipboardRequest => self.provide(out),
            Notice::ClipboardPeek => self.notify(out),
            Notice::Desktop { size, screens } => self.resizer.shows(size, screens),
            Notice::Resized(answer) => self.resizer.answered(answer),
        }
    }

    /// The release of a key, and its repetition, take the form of its press: a server tells keys apart by it.
    fn key(&mut self, keysym: u32, keycode: u32, down: bool) -> ClientMessage {
        let at = self.held.iter().position(|held| (held.keysym, held.keycode) == (keysym, keycode));
        let by_place = match at {
            Some(at) if down => self.held.get(at).is_some_and(|held| held.by_place),
            Some(at) => self.held.swap_remove(at).by_place,
            None => self.caps.keycodes,
        };
        if down && at.is_none() {
            self.held.push(Held { keysym, keycode, by_place });
        }
        match by_place {
            true => ClientMessage::QemuExtendedKeyEvent { down, keysym, keycode },
            false => ClientMessage::KeyEvent { down, keysym },
        }
    }

    fn pointer(&mut self, x: u16, y: u16, buttons: u16) -> ClientMessage {
        let (last_x, last_y) = self.pointer.replace((x, y)).unwrap_or((x, y));
        let moved = |to: u16, from: u16| (UNMOVED + i32::from(to) - i32::from(from)).clamp(0, 0xffff) as u16;
        let (x, y) = match self.caps.relative_pointer {
            true => (moved(x, last_x), moved(y, last_y)),
            false => (x, y),
        };
        // Without the extension there is a bit for back, but none for forward.
        match self.caps.extended_buttons && buttons > 0x7f {
            true => ClientMessage::ExtendedPointerEvent { buttons, x, y },
            false => ClientMessage::PointerEvent { buttons: buttons as u8, x, y },
        }
    }

    /// Tells the server that the clipboard has changed.
    fn announce(&mut self, out: &mut Vec<u8>) {
        let length = self.clipboard.as_deref().map(clipboard::wire_length);
        match self.caps.clipboard.filter(clipboard::Caps::text) {
            Some(caps) if length.is_some_and(|length| caps.unsolicited(length)) => {
                // libvncserver 0.9.14 tells of an extended clipboard for programs that know only the plain one, such as
                // x11vnc. It is known by not listening to announcements.
                if !caps.notify() {
                    self.say_in_latin1(out);
                }
                self.provide(out);
            }
            Some(caps) if caps.notify() => self.notify(out),
            _ => self.say_in_latin1(out),
        }
    }

    /// Sends the text, if there is any, as every server understands it.
    fn say_in_latin1(&self, out: &mut Vec<u8>) {
        if let Some(text) = &self.clipboard {
            ClientMessage::ClientCutText(text::to_latin1(text)).write(out);
        }
    }

    /// Says whether there is text.
    fn notify(&self, out: &mut Vec<u8>) {
        if self.caps.clipboard.is_some_and(|caps| caps.notify()) {
            let formats = if self.clipboard.is_some() { clipboard::TEXT } else { 0 };
            ClientMessage::ExtendedClipboard(clipboard::Message::Notify(formats)).write(out);
        }
    }

    /// Sends the text, if there is any.
    fn provide(&mut self, out: &mut Vec<u8>) {
        let Some(text) = &self.clipboard else { return };
        let provided = self.provided.get_or_insert_with(|| {
            let mut message = Vec::new();
            let provide = clipboard::Message::Provide(Some(text.clone()));
            ClientMessage::ExtendedClipboard(provide).write(&mut message);
            message
        });
        out.extend_from_slice(provided);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(encoder: &mut InputEncoder, input: UserInput) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.input(input, &mut out);
        out
    }

    fn noticed(encoder: &mut InputEncoder, notice: Notice) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.notice(notice, &mut out);
        out
    }

    fn key(keycode: Option<u32>, down: bool) -> UserInput {
        UserInput::Key { keysym: 0xff0d, keycode, down }
    }

    fn at(x: u16, y: u16, buttons: u16) -> UserInput {
        UserInput::Pointer { x, y, buttons }
    }

    fn server(flags: u32, text_limit: u32) -> Notice {
        let caps = match clipboard::Message::read(&[flags | 1 << 24, text_limit].map(u32::to_be_bytes).concat()) {
            Ok(Some(clipboard::Message::Caps(caps))) => caps,
            other => panic!("{other:?}"),
        };
        Notice::Caps(Caps { clipboard: Some(caps), ..Caps::default() })
    }

    const DOWN: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 13];
    const UP: [u8; 8] = [4, 0, 0, 0, 0, 0, 0xff, 13];
    const DOWN_THERE: [u8; 12] = [255, 0, 0, 1, 0, 0, 0xff, 13, 0, 0, 0, 28];
    const UP_THERE: [u8; 12] = [255, 0, 0, 0, 0, 0, 0xff, 13, 0, 0, 0, 28];

    #[test]
    fn a_release_takes_the_form_of_its_press() {
        let mut encoder = InputEncoder::default();
        assert_eq!(told(&mut encoder, key(Some(28), true)), DOWN);
        noticed(&mut encoder, Notice::Caps(Caps { keycodes: true, ..Caps::default() }));
        assert_eq!(told(&mut encoder, key(Some(28), true)), DOWN);
        assert_eq!(told(&mut encoder, key(Some(28), false)), UP);
        assert_eq!(told(&mut encoder, key(Some(28), true)), DOWN_THERE);
        assert_eq!(told(&mut encoder, key(None, true)), DOWN);
        noticed(&mut encoder, Notice::Caps(Caps::default()));
        assert_eq!(told(&mut encoder, key(None, false)), UP);
        assert_eq!(told(&mut encoder, key(Some(28), false)), UP_THERE);
        assert!(encoder.held.is_empty());
    }

    #[test]
    fn distances_where_they_are_wanted() {
        let mut encoder = InputEncoder::default();
        assert_eq!(told(&mut encoder, at(700, 3, 1)), [5, 1, 2, 0xbc, 0, 3]);
        noticed(&mut encoder, Notice::Caps(Caps { relative_pointer: true, ..Caps::default() }));
        assert_eq!(told(&mut encoder, at(701, 1, 1)), [5, 1, 0x80, 0, 0x7f, 0xfd]);
        assert_eq!(told(&mut encoder, at(701, 1, 0)), [5, 0, 0x7f, 0xff, 0x7f, 0xff]);
        // Farther than can be said.
        assert_eq!(told(&mut encoder, at(0xffff, 0, 0)), [5, 0, 0xff, 0xff, 0x7f, 0xfe]);
        assert_eq!(told(&mut encoder, at(0, 0, 0)), [5, 0, 0, 0, 0x7f, 0xff]);
        let mut first = InputEncoder::default();
        noticed(&mut first, Notice::Caps(Caps { relative_pointer: true, ..Caps::default() }));
        assert_eq!(told(&mut first, at(9, 9, 0)), [5, 0, 0x7f, 0xff, 0x7f, 0xff]);
    }

    #[test]
    fn back_and_forward() {
        let mut encoder = InputEncoder::default();
        assert_eq!(told(&mut encoder, at(1, 2, 0x181)), [5, 0x81, 0, 1, 0, 2]);
        noticed(&mut encoder, Notice::Caps(Caps { extended_buttons: true, ..Caps::default() }));
        assert_eq!(told(&mut encoder, at(1, 2, 0x181)), [5, 0x81, 0, 1, 0, 2, 3]);
        assert_eq!(told(&mut encoder, at(1, 2, 0x7f)), [5, 0x7f, 0, 1, 0, 2]);
    }

    const NOTIFY: [u8; 12] = [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 8, 0, 0, 1];
    const NOTIFY_NOTHING: [u8; 12] = [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 8, 0, 0, 0];
    const ALL: u32 = 0x1f << 24 | 1;

    fn provided(message: &[u8]) -> String {
        assert_eq!(message[..4], [6, 0, 0, 0]);
        match clipboard::Message::read(&message[8..]) {
            Ok(Some(clipboard::Message::Provide(Some(text)))) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_clipboard_is_announced_and_given_when_it_is_asked_for() {
        let mut encoder = InputEncoder::default();
        assert!(noticed(&mut encoder, server(ALL, 0)).is_empty());
        assert_eq!(noticed(&mut encoder, Notice::ClipboardPeek), NOTIFY_NOTHING);
        assert!(noticed(&mut encoder, Notice::ClipboardRequest).is_empty());
        assert_eq!(told(&mut encoder, UserInput::Clipboard("10 €\n".to_owned())), NOTIFY);
        for _ in 0..2 {
            assert_eq!(provided(&noticed(&mut encoder, Notice::ClipboardRequest)), "10 €\n");
        }
        assert_eq!(noticed(&mut encoder, Notice::ClipboardPeek), NOTIFY);
        assert_eq!(told(&mut encoder, UserInput::Clipboard("new\r\n".to_owned())), NOTIFY);
        assert_eq!(provided(&noticed(&mut encoder, Notice::ClipboardRequest)), "new\n");
        // One that servers do not bear is none.
        assert_eq!(told(&mut encoder, UserInput::Clipboard("\n".repeat(LONGEST_TEXT / 2))), NOTIFY_NOTHING);
        assert!(noticed(&mut encoder, Notice::ClipboardRequest).is_empty());
    }

    #[test]
    fn short_texts_are_given_at_once_where_they_are_welcome() {
        let mut encoder = InputEncoder::default();
        noticed(&mut encoder, server(ALL, 4));
        assert_eq!(provided(&told(&mut encoder, UserInput::Clipboard("a\r\n".to_owned()))), "a\n");
        assert_eq!(told(&mut encoder, UserInput::Clipboard("a\nb".to_owned())), NOTIFY);
        // It says how much, but not that it may be provided.
        noticed(&mut encoder, server(1 | 1 << 27, 4));
        assert_eq!(told(&mut encoder, UserInput::Clipboard("a".to_owned())), NOTIFY);
        // It neither listens nor takes anything unasked.
        noticed(&mut encoder, server(1, 4));
        assert_eq!(told(&mut encoder, UserInput::Clipboard("a".to_owned())), [6, 0, 0, 0, 0, 0, 0, 1, b'a']);
        // As libvncserver 0.9.14 has it, which may be for the plain text only.
        noticed(&mut encoder, server(0x17 << 24 | 1, 1 << 20));
        let both = told(&mut encoder, UserInput::Clipboard("é€".to_owned()));
        let plain = [6, 0, 0, 0, 0, 0, 0, 2, 0xe9, b'?'];
        assert_eq!(both[..10], plain);
        assert_eq!(provided(&both[10..]), "é€");
    }

    #[test]
    fn without_the_extension_there_is_latin1_until_the_server_shows_it() {
        let mut encoder = InputEncoder::default();
        let text = || UserInput::Clipboard("é€".to_owned());
        assert_eq!(told(&mut encoder, text()), [6, 0, 0, 0, 0, 0, 0, 2, 0xe9, b'?']);
        assert!(told(&mut encoder, UserInput::Clipboard("x".repeat(LONGEST_TEXT))).is_empty());
        told(&mut encoder, text());
        assert_eq!(noticed(&mut encoder, server(ALL, 0)), NOTIFY);
        // The same again is nothing new.
        assert!(noticed(&mut encoder, server(ALL, 0)).is_empty());
        // Only pictures.
        noticed(&mut encoder, server(0x1f << 24 | 8, 0));
        assert_eq!(told(&mut encoder, text()), [6, 0, 0, 0, 0, 0, 0, 2, 0xe9, b'?']);
    }

    #[test]
    fn machines_are_shut_down_only_by_servers_that_can() {
        let mut encoder = InputEncoder::default();
        assert!(told(&mut encoder, UserInput::Xvp(XvpRequest::Shutdown)).is_empty());
        noticed(&mut encoder, Notice::Caps(Caps { xvp: true, ..Caps::default() }));
        assert_eq!(told(&mut encoder, UserInput::Xvp(XvpRequest::Shutdown)), [250, 0, 1, 2]);
        assert_eq!(told(&mut encoder, UserInput::Xvp(XvpRequest::Reset)), [250, 0, 1, 4]);
    }
}
