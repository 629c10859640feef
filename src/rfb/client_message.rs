//! What the client says after ClientInit (RFC 6143 §7.5).

use super::PixelFormat;
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
    /// PointerEvent (§7.5.5).
    PointerEvent {
        /// Bit 0 is the left button, 1 the middle, 2 the right, 3 to 6 the wheel up, down, left, right.
        buttons: u8,
        /// From the left edge.
        x: u16,
        /// From the top edge.
        y: u16,
    },
    /// ClientCutText (§7.5.6), Latin-1.
    ClientCutText(Vec<u8>),
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
            ClientMessage::PointerEvent { buttons, x, y } => {
                out.extend([5, *buttons]);
                out.extend([x, y].iter().flat_map(|number| number.to_be_bytes()));
            }
            ClientMessage::ClientCutText(text) => {
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                out.extend([6, 0, 0, 0]);
                out.extend(length.to_be_bytes());
                out.extend(text.iter().take(length as usize));
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
            ClientMessage::PointerEvent { .. } => f.write_str("PointerEvent"),
            ClientMessage::ClientCutText(_) => f.write_str("ClientCutText"),
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
        assert_eq!(bytes(ClientMessage::ClientCutText(b"hi".to_vec())), [6, 0, 0, 0, 0, 0, 0, 2, b'h', b'i']);
        assert_eq!(bytes(ClientMessage::SetPixelFormat(PixelFormat::rgb565())).len(), 20);
        let updates = ClientMessage::EnableContinuousUpdates { enable: true, width: 258, height: 3 };
        assert_eq!(bytes(updates), [150, 1, 0, 0, 0, 0, 1, 2, 0, 3]);
        let fence = ClientMessage::ClientFence { flags: 3, payload: b"ab".to_vec() };
        assert_eq!(bytes(fence), [248, 0, 0, 0, 0, 0, 0, 3, 2, b'a', b'b']);
    }

    #[test]
    fn what_is_typed_is_not_shown() {
        assert_eq!(format!("{:?}", ClientMessage::KeyEvent { down: true, keysym: 97 }), "KeyEvent");
    }
}
