//! What the client says after ClientInit (RFC 6143 §7.5).

use super::PixelFormat;
use super::clipboard;
use super::screen::Screen;
use super::server_message::fence;

/// A message to the server.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// SetPixelFormat (§7.5.1).
    SetPixelFormat(PixelFormat),
    /// SetEncodings (§7.5.2), best first. neatvnc 0.5 drops a client that names more than 32.
    SetEncodings(Vec<i32>),
    /// FramebufferUpdateRequest (§7.5.3).
    FramebufferUpdateRequest {
        /// Only what changed since it was last sent.
        incremental: bool,
        /// Left edge.
        x: u16,
        /// Top edge.
        y: u16,
        /// Width.
        width: u16,
        /// Height.
        height: u16,
    },
    /// KeyEvent (§7.5.4).
    KeyEvent {
        /// Pressed or released.
        down: bool,
        /// An X11 keysym.
        keysym: u32,
    },
    /// QEMU Extended Key Event (rfbproto).
    QemuExtendedKeyEvent {
        /// Pressed or released.
        down: bool,
        /// An X11 keysym; 0 if it has none.
        keysym: u32,
        /// The XT keycode: a scancode of the first set, 0x80 higher if 0xe0 stands before it.
        keycode: u32,
    },
    /// PointerEvent (§7.5.5).
    PointerEvent {
        /// Bit 0 is the left button, 1 the middle, 2 the right, 3 to 6 the wheel up, down, left, right, 7 back.
        buttons: u8,
        /// From the left edge, or how far from the last position and 0x7fff (QEMU Pointer Motion Change).
        x: u16,
        /// From the top edge, or how far from the last position and 0x7fff.
        y: u16,
    },
    /// The extended PointerEvent (rfbproto, "ExtendedMouseButtons").
    ExtendedPointerEvent {
        /// As in a PointerEvent, and bit 8 is forward.
        buttons: u16,
        /// As in a PointerEvent.
        x: u16,
        /// As in a PointerEvent.
        y: u16,
    },
    /// ClientCutText (§7.5.6), Latin-1.
    ClientCutText(Vec<u8>),
    /// ClientCutText of the extended clipboard.
    ExtendedClipboard(clipboard::Message),
    /// xvp Client Message (rfbproto).
    Xvp(XvpRequest),
    /// SetDesktopSize (rfbproto).
    SetDesktopSize {
        /// Width.
        width: u16,
        /// Height.
        height: u16,
        /// At most 255.
        screens: Vec<Screen>,
    },
    /// EnableContinuousUpdates (rfbproto).
    EnableContinuousUpdates {
        /// On or off.
        enable: bool,
        /// Width of the part that is wanted, from the left edge.
        width: u16,
        /// Height of the part that is wanted, from the top edge.
        height: u16,
    },
    /// ClientFence (rfbproto).
    ClientFence {
        /// See [`fence`](super::server_message::fence).
        flags: u32,
        /// At most 64 bytes.
        payload: Vec<u8>,
    },
}

/// What the machine behind a desktop shall do (rfbproto, "xvp Client Message").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XvpRequest {
    /// Shut down in an orderly way.
    Shutdown = 2,
    /// Shut down in an orderly way and start again.
    Reboot = 3,
    /// Start again at once.
    Reset = 4,
}

impl ClientMessage {
    /// Appends the message's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            ClientMessage::SetPixelFormat(format) => {
                out.extend([0, 0, 0, 0]);
                format.write(out);
            }
            ClientMessage::SetEncodings(encodings) => {
                let count = u16::try_from(encodings.len()).unwrap_or(u16::MAX);
                out.extend([2, 0]);
                out.extend(count.to_be_bytes());
                out.extend(encodings.iter().take(count.into()).flat_map(|encoding| encoding.to_be_bytes()));
            }
            ClientMessage::FramebufferUpdateRequest { incremental, x, y, width, height } => {
                out.extend([3, u8::from(*incremental)]);
                out.extend([x, y, width, height].iter().flat_map(|number| number.to_be_bytes()));
            }
            ClientMessage::KeyEvent { down, keysym } => {
                out.extend([4, u8::from(*down), 0, 0]);
                out.extend(keysym.to_be_bytes());
            }
            ClientMessage::QemuExtendedKeyEvent { down, keysym, keycode } => {
                out.extend([255, 0, 0, u8::from(*down)]);
                out.extend([keysym, keycode].iter().flat_map(|number| number.to_be_bytes()));
            }
            ClientMessage::PointerEvent { buttons, x, y } => {
                out.extend([5, *buttons]);
                out.extend([x, y].iter().flat_map(|number| number.to_be_bytes()));
            }
            ClientMessage::ExtendedPointerEvent { buttons, x, y } => {
                // The highest bit says that the byte at the end is there.
                out.extend([5, *buttons as u8 | 0x80]);
                out.extend([x, y].iter().flat_map(|number| number.to_be_bytes()));
                out.push((buttons >> 7) as u8);
            }
            ClientMessage::ClientCutText(text) => {
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                out.extend([6, 0, 0, 0]);
                out.extend(length.to_be_bytes());
                out.extend(text.iter().take(length as usize));
            }
            ClientMessage::ExtendedClipboard(message) => {
                out.extend([6, 0, 0, 0]);
                message.write(out);
            }
            // Version 1 is the only one there is.
            ClientMessage::Xvp(request) => out.extend([250, 0, 1, *request as u8]),
            ClientMessage::SetDesktopSize { width, height, screens } => {
                let count = u8::try_from(screens.len()).unwrap_or(u8::MAX);
                out.extend([251, 0]);
                out.extend([width, height].iter().flat_map(|number| number.to_be_bytes()));
                out.extend([count, 0]);
                screens.iter().take(count.into()).for_each(|screen| screen.write(out));
            }
            ClientMessage::EnableContinuousUpdates { enable, width, height } => {
                out.extend([150, u8::from(*enable)]);
                out.extend([0, 0, *width, *height].iter().flat_map(|number| number.to_be_bytes()));
            }
            ClientMessage::ClientFence { flags, payload } => {
                out.extend([248, 0, 0, 0]);
                out.extend(flags.to_be_bytes());
                let length = payload.len().min(fence::LONGEST.into());
                out.push(length as u8);
                out.extend(payload.iter().take(length));
            }
        }
    }
}

/// Keys and cut texts may be secrets: they are not shown.
impl std::fmt::Debug for ClientMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ClientMessage::SetPixelFormat(format) => f.debug_tuple("SetPixelFormat").field(format).finish(),
            ClientMessage::SetEncodings(encodings) => f.debug_tuple("SetEncodings").field(encodings).finish(),
            ClientMessage::FramebufferUpdateRequest { incremental, x, y, width, height } => {
                write!(f, "FramebufferUpdateRequest(incremental {incremental}, {width}x{height}+{x}+{y})")
            }
            ClientMessage::KeyEvent { .. } => f.write_str("KeyEvent"),
            ClientMessage::QemuExtendedKeyEvent { .. } => f.write_str("QemuExtendedKeyEvent"),
            ClientMessage::PointerEvent { .. } => f.write_str("PointerEvent"),
            ClientMessage::ExtendedPointerEvent { .. } => f.write_str("ExtendedPointerEvent"),
            ClientMessage::ClientCutText(_) => f.write_str("ClientCutText"),
            ClientMessage::ExtendedClipboard(message) => f.debug_tuple("ExtendedClipboard").field(message).finish(),
            ClientMessage::Xvp(request) => f.debug_tuple("Xvp").field(request).finish(),
            ClientMessage::SetDesktopSize { width, height, screens } => {
                write!(f, "SetDesktopSize({width}x{height}, {screens:?})")
            }
            ClientMessage::EnableContinuousUpdates { enable, width, height } => {
                write!(f, "EnableContinuousUpdates({enable}, {width}x{height})")
            }
            ClientMessage::ClientFence { flags, .. } => write!(f, "ClientFence({flags:#x})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_the_specification_lays_them_out() {
        let bytes = |message: ClientMessage| {
            let mut out = Vec::new();
            message.write(&mut out);
            out
        };
        assert_eq!(bytes(ClientMessage::SetEncodings(vec![1, -239])), [2, 0, 0, 2, 0, 0, 0, 1, 255, 255, 255, 17]);
        let request = ClientMessage::FramebufferUpdateRequest { incremental: true, x: 1, y: 2, width: 259, height: 4 };
        assert_eq!(bytes(request), [3, 1, 0, 1, 0, 2, 1, 3, 0, 4]);
        assert_eq!(bytes(ClientMessage::KeyEvent { down: true, keysym: 0xff0d }), [4, 1, 0, 0, 0, 0, 255, 13]);
        assert_eq!(bytes(ClientMessage::PointerEvent { buttons: 5, x: 258, y: 3 }), [5, 5, 1, 2, 0, 3]);
        let key = ClientMessage::QemuExtendedKeyEvent { down: true, keysym: 0xff53, keycode: 0xcd };
        assert_eq!(bytes(key), [255, 0, 0, 1, 0, 0, 255, 0x53, 0, 0, 0, 0xcd]);
        let forward = ClientMessage::ExtendedPointerEvent { buttons: 0x101, x: 258, y: 3 };
        assert_eq!(bytes(forward), [5, 0x81, 1, 2, 0, 3, 2]);
        let back = ClientMessage::ExtendedPointerEvent { buttons: 0x80, x: 0, y: 0 };
        assert_eq!(bytes(back), [5, 0x80, 0, 0, 0, 0, 1]);
        assert_eq!(bytes(ClientMessage::Xvp(XvpRequest::Reboot)), [250, 0, 1, 3]);
        let peek = ClientMessage::ExtendedClipboard(clipboard::Message::Peek);
        assert_eq!(bytes(peek), [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 4, 0, 0, 0]);
        assert_eq!(bytes(ClientMessage::ClientCutText(b"hi".to_vec())), [6, 0, 0, 0, 0, 0, 0, 2, b'h', b'i']);
        assert_eq!(bytes(ClientMessage::SetPixelFormat(PixelFormat::rgb565())).len(), 20);
        let updates = ClientMessage::EnableContinuousUpdates { enable: true, width: 258, height: 3 };
        assert_eq!(bytes(updates), [150, 1, 0, 0, 0, 0, 1, 2, 0, 3]);
        let screen = Screen { id: 0x0102_0304, x: 5, y: 6, width: 259, height: 7, flags: 8 };
        let resize = ClientMessage::SetDesktopSize { width: 264, height: 13, screens: vec![screen] };
        let header = [251, 0, 1, 8, 0, 13, 1, 0];
        assert_eq!(bytes(resize), [&header[..], &[1, 2, 3, 4, 0, 5, 0, 6, 1, 3, 0, 7, 0, 0, 0, 8]].concat());
        let fence = ClientMessage::ClientFence { flags: 3, payload: b"ab".to_vec() };
        assert_eq!(bytes(fence), [248, 0, 0, 0, 0, 0, 0, 3, 2, b'a', b'b']);
    }

    #[test]
    fn what_is_typed_is_not_shown() {
        let shown = |message: ClientMessage| format!("{message:?}");
        assert_eq!(shown(ClientMessage::KeyEvent { down: true, keysym: 97 }), "KeyEvent");
        let key = ClientMessage::QemuExtendedKeyEvent { down: true, keysym: 97, keycode: 30 };
        assert_eq!(shown(key), "QemuExtendedKeyEvent");
        let text = clipboard::Message::Provide(Some("secret".to_owned()));
        assert_eq!(shown(ClientMessage::ExtendedClipboard(text)), "ExtendedClipboard(Provide)");
    }
}
