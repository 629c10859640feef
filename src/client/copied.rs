//! What was copied here, told to the server as it understands it: announced and given when it is asked for, or at once.

use crate::rfb::clipboard::{self, Caps};
use crate::rfb::{ClientMessage, text};

/// The longest clipboard that is given away, in bytes before they are compressed.
const LONGEST_TEXT: usize = 24 << 20;
/// The longest message with a text, as it goes out: libvncserver and QEMU drop a client that sends more.
const LONGEST_MESSAGE: usize = 1 << 20;
/// The same for servers that both listen to announcements and answer a peek, of which those two do one alone: neatvnc
/// drops a client at 10,000,000 bytes, TigerVNC at three times as many.
const LONGEST_ANSWER: usize = 9 << 20;
/// The last text that was copied.
#[derive(Default)]
pub(super) struct Copied {
    text: Option<String>,
    // As it is provided, once that was asked for: a server may ask again and again.
    provided: Option<Vec<u8>>,
}

impl Copied {
    /// Takes a text, and tells the server, which takes clipboards like this.
    pub(super) fn set(&mut self, text: &str, caps: Option<Caps>, out: &mut Vec<u8>) {
        let text = text::with_line_feeds(text);
        self.text = (clipboard::wire_length(&text) <= LONGEST_TEXT).then_some(text);
        self.provided = None;
        self.announce(caps, out);
    }

    /// The server has shown more than it had: what was copied before was told without all of its letters, or not at all.
    pub(super) fn tell_again(&mut self, caps: Option<Caps>, out: &mut Vec<u8>) {
        if self.text.is_some() {
            self.announce(caps, out);
        }
    }

    /// Tells the server that the clipboard has changed.
    fn announce(&mut self, caps: Option<Caps>, out: &mut Vec<u8>) {
        let length = self.text.as_deref().map(clipboard::wire_length);
        match caps.filter(Caps::text) {
            Some(takes) if length.is_some_and(|length| takes.unsolicited(length)) => {
                // libvncserver 0.9.14 tells of an extended clipboard for programs that know only the plain one, such as
                // x11vnc. It is known by not listening to announcements.
                if !takes.notify() {
                    self.say_in_latin1(out);
                }
                self.provide(caps, out);
            }
            Some(takes) if takes.notify() => self.notify(caps, out),
            _ => self.say_in_latin1(out),
        }
    }

    /// Sends the text, if there is any, as every server understands it.
    fn say_in_latin1(&self, out: &mut Vec<u8>) {
        let text = self.text.as_deref().map(text::to_latin1);
        if let Some(text) = text.filter(|text| text.len() <= LONGEST_MESSAGE) {
            ClientMessage::ClientCutText(text).write(out);
        }
    }

    /// Says whether there is text.
    pub(super) fn notify(&mut self, caps: Option<Caps>, out: &mut Vec<u8>) {
        if caps.is_some_and(|caps| caps.notify()) {
            // What may be too long is compressed before it is announced.
            let short = |text: &str| clipboard::wire_length(text) <= LONGEST_MESSAGE / 2;
            let there = self.text.as_deref().is_some_and(short) || self.provided(caps).is_some();
            let formats = if there { clipboard::TEXT } else { 0 };
            ClientMessage::ExtendedClipboard(clipboard::Message::Notify(formats)).write(out);
        }
    }

    /// Sends the text, if there is any.
    pub(super) fn provide(&mut self, caps: Option<Caps>, out: &mut Vec<u8>) {
        if let Some(provided) = self.provided(caps) {
            out.extend_from_slice(provided);
        }
    }

    /// The message with the text, if there is any that the server bears.
    fn provided(&mut self, caps: Option<Caps>) -> Option<&[u8]> {
        let text = self.text.as_ref()?;
        let provided = self.provided.get_or_insert_with(|| {
            let mut message = Vec::new();
            let provide = clipboard::Message::Provide(Some(text.clone()));
            ClientMessage::ExtendedClipboard(provide).write(&mut message);
            message
        });
        let bears_more = caps.is_some_and(|caps| caps.notify() && caps.peek());
        let longest = if bears_more { LONGEST_ANSWER } else { LONGEST_MESSAGE };
        Some(provided.as_slice()).filter(|provided| provided.len() <= longest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::tests::{noticed, told};
    use super::super::{Caps, InputEncoder, Notice, UserInput};
    use super::*;

    fn server(flags: u32, text_limit: u32) -> Notice {
        let caps = match clipboard::Message::read(&[flags | 1 << 24, text_limit].map(u32::to_be_bytes).concat()) {
            Ok(Some(clipboard::Message::Caps(caps))) => caps,
            other => panic!("{other:?}"),
        };
        Notice::Caps(Caps { clipboard: Some(caps), ..Caps::default() })
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

    /// Text of this length that can hardly be made shorter.
    fn noise(length: usize) -> String {
        let mut state = 1u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b' ' + (state >> 24) as u8 % 95)
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn long_texts_go_where_they_are_borne() {
        let long = noise(5 << 20);
        let mut encoder = InputEncoder::default();
        // As TigerVNC has it.
        noticed(&mut encoder, server(ALL, 0));
        assert_eq!(told(&mut encoder, UserInput::Clipboard(long.clone())), NOTIFY);
        assert!(provided(&noticed(&mut encoder, Notice::ClipboardRequest)) == long);
        assert_eq!(told(&mut encoder, UserInput::Clipboard(noise(20 << 20))), NOTIFY_NOTHING);
        // As QEMU, which drops a client for the length of a message alone.
        noticed(&mut encoder, server(0x1b << 24 | 1, 0));
        assert_eq!(told(&mut encoder, UserInput::Clipboard(long.clone())), NOTIFY_NOTHING);
        assert!(noticed(&mut encoder, Notice::ClipboardRequest).is_empty());
        let simple = "x".repeat(5 << 20);
        assert_eq!(told(&mut encoder, UserInput::Clipboard(simple.clone())), NOTIFY);
        assert!(provided(&noticed(&mut encoder, Notice::ClipboardRequest)) == simple);
        // As libvncserver 0.9.14, for which a text without its extension would be too long as well.
        noticed(&mut encoder, server(0x17 << 24 | 1, 1 << 20));
        assert!(told(&mut encoder, UserInput::Clipboard(long)).is_empty());
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
        assert!(told(&mut encoder, UserInput::Clipboard("x".repeat(LONGEST_MESSAGE + 1))).is_empty());
        told(&mut encoder, text());
        assert_eq!(noticed(&mut encoder, server(ALL, 0)), NOTIFY);
        // The same again is nothing new.
        assert!(noticed(&mut encoder, server(ALL, 0)).is_empty());
        // Only pictures.
        noticed(&mut encoder, server(0x1f << 24 | 8, 0));
        assert_eq!(told(&mut encoder, text()), [6, 0, 0, 0, 0, 0, 0, 2, 0xe9, b'?']);
    }
}
