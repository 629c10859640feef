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
