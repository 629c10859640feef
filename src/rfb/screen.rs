//! A screen of a desktop (rfbproto, "ExtendedDesktopSize" and "SetDesktopSize").

use super::wire::{Reader, Short};

/// One of the rectangles that a desktop consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Chosen by whoever made it; it stays when the screen is moved or gets another size.
    pub id: u32,
    /// Left edge.
    pub x: u16,
    /// Top edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
    /// None are defined: they are sent back as they came.
    pub flags: u32,
}

impl Screen {
    /// Reads the 16 bytes.
    ///
    /// # Errors
    /// [`Short`] if fewer are there.
    pub fn read(reader: &mut Reader<'_>) -> Result<Screen, Short> {
        Ok(Screen {
            id: reader.u32()?,
            x: reader.u16()?,
            y: reader.u16()?,
            width: reader.u16()?,
            height: reader.u16()?,
            flags: reader.u32()?,
        })
    }

    /// Appends the 16 bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.id.to_be_bytes());
        out.extend([self.x, self.y, self.width, self.height].iter().flat_map(|number| number.to_be_bytes()));
        out.extend(self.flags.to_be_bytes());
    }
}

/// How the server answers SetDesktopSize.
pub mod status {
    /// It was done.
    pub const DONE: u16 = 0;
    /// It is not allowed.
    pub const PROHIBITED: u16 = 1;
    /// There is too little memory, or the like.
    pub const OUT_OF_RESOURCES: u16 = 2;
    /// Screens lie outside, or over each other.
    pub const INVALID_LAYOUT: u16 = 3;
    /// Somebody else was asked, and may do it.
    pub const FORWARDED: u16 = 4;
}
