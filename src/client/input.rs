//! What the user does, put into the words that this server understands.

use super::copied::Copied;
use super::resize::Resizer;
use super::{Caps, Notice};
use crate::picture::{Area, Size};
use crate::rfb::{ClientMessage, XvpRequest};

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
    /// The pointer moved, wherever it is.
    Motion {
        /// To the right.
        dx: i16,
        /// Downwards.
        dy: i16,
        /// As in [`Pointer`](UserInput::Pointer).
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
            UserInput::Motion { .. } => "Motion",
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
    /// The desktop's; nothing while it is not known.
    size: Size,
    held: Vec<Held>,
    pointer: Option<(u16, u16)>,
    copied: Copied,
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
            UserInput::Motion { dx, dy, buttons } => self.motion(dx, dy, buttons).write(out),
            UserInput::Clipboard(text) => self.copied.set(&text, self.caps.clipboard, out),
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
                if before.clipboard.is_none() && caps.clipboard.is_some() {
                    self.copied.tell_again(caps.clipboard, out);
                }
            }
            Notice::Size(size) => self.size = size,
            Notice::ClipboardRequest => self.copied.provide(self.caps.clipboard, out),
            Notice::ClipboardPeek => self.copied.notify(self.caps.clipboard, out),
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
        self.pointer_event(x, y, buttons)
    }

    /// A movement, or where it ends for a server that wants to hear that: somewhere on the desktop.
    fn motion(&mut self, dx: i16, dy: i16, buttons: u16) -> ClientMessage {
        if self.caps.relative_pointer {
            let moved = |by: i16| (UNMOVED + i32::from(by)).clamp(0, 0xffff) as u16;
            return self.pointer_event(moved(dx), moved(dy), buttons);
        }
        let Size { width, height } = self.size;
        let (x, y) = self.pointer.unwrap_or((width / 2, height / 2));
        let end = |at: u16, by: i16, length: u16| at.saturating_add_signed(by).min(length.wrapping_sub(1));
        let (x, y) = (end(x, dx, width), end(y, dy, height));
        self.pointer = Some((x, y));
        self.pointer_event(x, y, buttons)
    }

    fn pointer_event(&self, x: u16, y: u16, buttons: u16) -> ClientMessage {
        // Without the extension there is a bit for back, but none for forward.
        match self.caps.extended_buttons && buttons > 0x7f {
            true => ClientMessage::ExtendedPointerEvent { buttons, x, y },
            false => ClientMessage::PointerEvent { buttons: buttons as u8, x, y },
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What the server is told of this.
    pub(in super::super) fn told(encoder: &mut InputEncoder, input: UserInput) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.input(input, &mut out);
        out
    }

    /// What it is told when it has shown this.
    pub(in super::super) fn noticed(encoder: &mut InputEncoder, notice: Notice) -> Vec<u8> {
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
    fn movements_where_they_are_wanted_and_where_they_lead_elsewhere() {
        let by = |dx, dy| UserInput::Motion { dx, dy, buttons: 1 };
        let mut encoder = InputEncoder::default();
        noticed(&mut encoder, Notice::Size(Size::new(300, 200)));
        assert_eq!(told(&mut encoder, by(1, -1)), [5, 1, 0, 151, 0, 99]);
        assert_eq!(told(&mut encoder, at(10, 20, 0)), [5, 0, 0, 10, 0, 20]);
        assert_eq!(told(&mut encoder, by(5, -5)), [5, 1, 0, 15, 0, 15]);
        // Not beyond the desktop, and from its edge straight back.
        assert_eq!(told(&mut encoder, by(-16, 5000)), [5, 1, 0, 0, 0, 199]);
        assert_eq!(told(&mut encoder, by(1000, -i16::MAX)), [5, 1, 1, 43, 0, 0]);
        assert_eq!(told(&mut encoder, by(-1, 1)), [5, 1, 1, 42, 0, 1]);
        noticed(&mut encoder, Notice::Caps(Caps { relative_pointer: true, ..Caps::default() }));
        assert_eq!(told(&mut encoder, by(2, -3)), [5, 1, 0x80, 1, 0x7f, 0xfc]);
        assert_eq!(told(&mut encoder, by(i16::MAX, i16::MIN)), [5, 1, 0xff, 0xfe, 0, 0]);
        // Without a size there is no edge but the last number's.
        let mut nowhere = InputEncoder::default();
        assert_eq!(told(&mut nowhere, by(i16::MAX, -1)), [5, 1, 0x7f, 0xff, 0, 0]);
    }

    #[test]
    fn back_and_forward() {
        let mut encoder = InputEncoder::default();
        assert_eq!(told(&mut encoder, at(1, 2, 0x181)), [5, 0x81, 0, 1, 0, 2]);
        noticed(&mut encoder, Notice::Caps(Caps { extended_buttons: true, ..Caps::default() }));
        assert_eq!(told(&mut encoder, at(1, 2, 0x181)), [5, 0x81, 0, 1, 0, 2, 3]);
        assert_eq!(told(&mut encoder, at(1, 2, 0x7f)), [5, 0x7f, 0, 1, 0, 2]);
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
