//! The fixed parts of what the server says (RFC 6143 §7.6).

use super::wire::{Reader, Short};

/// FramebufferUpdate (§7.6.1).
pub const FRAMEBUFFER_UPDATE: u8 = 0;
/// SetColourMapEntries (§7.6.2).
pub const SET_COLOUR_MAP_ENTRIES: u8 = 1;
/// Bell (§7.6.3).
pub const BELL: u8 = 2;
/// ServerCutText (§7.6.4).
pub const SERVER_CUT_TEXT: u8 = 3;
/// EndOfContinuousUpdates (rfbproto).
pub const END_OF_CONTINUOUS_UPDATES: u8 = 150;
/// ServerFence (rfbproto).
pub const SERVER_FENCE: u8 = 248;
/// xvp Server Message (rfbproto).
pub const XVP: u8 = 250;
/// QEMU Server Message (rfbproto).
pub const QEMU: u8 = 255;

/// What an xvp Server Message says.
pub mod xvp {
    /// What was asked for can not be done.
    pub const FAIL: u8 = 0;
    /// The extension may be used.
    pub const INIT: u8 = 1;
}

/// QEMU Audio Server Message (rfbproto).
pub mod qemu_audio {
    /// The submessage of a QEMU Server Message.
    pub const SUBMESSAGE: u8 = 1;
    /// The operation at a stream's end.
    pub const END: u16 = 0;
    /// The operation at a stream's beginning.
    pub const BEGIN: u16 = 1;
    /// The operation that brings samples.
    pub const DATA: u16 = 2;
}

/// What a fence asks for (rfbproto, "ServerFence").
pub mod fence {
    /// All messages before it are dealt with before it is answered.
    pub const BLOCK_BEFORE: u32 = 1;
    /// No message behind it is dealt with before it is answered.
    pub const BLOCK_AFTER: u32 = 1 << 1;
    /// The message behind it is dealt with together with the answer.
    pub const SYNC_NEXT: u32 = 1 << 2;
    /// An answer is wanted.
    pub const REQUEST: u32 = 1 << 31;
    /// The flags that are understood here.
    pub const KNOWN: u32 = BLOCK_BEFORE | BLOCK_AFTER | SYNC_NEXT;
    /// The most bytes that travel with a fence.
    pub const LONGEST: u8 = 64;
}

/// The header of a rectangle (§7.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RectangleHeader {
    /// Left edge, or what a pseudo-encoding makes of it.
    pub x: u16,
    /// Top edge, or what a pseudo-encoding makes of it.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
    /// The number of the encoding.
    pub encoding: i32,
}

impl RectangleHeader {
    /// Reads the 12 bytes.
    ///
    /// # Errors
    /// [`Short`] if fewer are there.
    pub fn read(reader: &mut Reader<'_>) -> Result<RectangleHeader, Short> {
        Ok(RectangleHeader {
            x: reader.u16()?,
            y: reader.u16()?,
            width: reader.u16()?,
            height: reader.u16()?,
            encoding: reader.i32()?,
        })
    }
}
