//! PIXEL_FORMAT: how a pixel is laid out on the wire (RFC 6143 §7.4).

use super::wire::{Reader, Short};

/// PIXEL_FORMAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelFormat {
    /// 8, 16 or 32, if it is one to decode.
    pub bits_per_pixel: u8,
    /// Useful bits.
    pub depth: u8,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// What a pixel's value means.
    pub layout: Layout,
}

/// What a pixel's value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Red, green and blue in the value itself.
    TrueColour {
        /// The largest value of red, green and blue.
        max: [u16; 3],
        /// The number of bits each lies above the lowest.
        shift: [u8; 3],
    },
    /// An index into a map sent by SetColourMapEntries.
    ColourMap,
}

impl PixelFormat {
    /// 16 bytes on the wire.
    pub const LENGTH: usize = 16;

    /// 32 bits a pixel, depth 24, little-endian, with the given shifts of red, green and blue.
    pub const fn rgb888(shift: [u8; 3]) -> PixelFormat {
        PixelFormat {
            bits_per_pixel: 32,
            depth: 24,
            big_endian: false,
            layout: Layout::TrueColour { max: [255; 3], shift },
        }
    }

    /// 16 bits a pixel: 5 red, 6 green, 5 blue, little-endian.
    pub const fn rgb565() -> PixelFormat {
        PixelFormat {
            bits_per_pixel: 16,
            depth: 16,
            big_endian: false,
            layout: Layout::TrueColour { max: [31, 63, 31], shift: [11, 5, 0] },
        }
    }

    /// 8 bits a pixel: 2 blue, 3 green, 3 red.
    pub const fn bgr233() -> PixelFormat {
        PixelFormat {
            bits_per_pixel: 8,
            depth: 8,
            big_endian: false,
            layout: Layout::TrueColour { max: [7, 7, 3], shift: [0, 3, 6] },
        }
    }

    /// Bytes a pixel: 1, 2 or 4, if it is [`checked`](PixelFormat::checked).
    pub const fn bytes(&self) -> usize {
        self.bits_per_pixel as usize / 8
    }

    /// Reads the 16 bytes, whatever they say.
    ///
    /// # Errors
    /// [`Short`] if fewer than 16 bytes are there.
    pub fn read(reader: &mut Reader<'_>) -> Result<PixelFormat, Short> {
        let (bits_per_pixel, depth) = (reader.u8()?, reader.u8()?);
        // Any value but 0 is true: libvncserver sends 255.
        let (big_endian, true_colour) = (reader.u8()? != 0, reader.u8()? != 0);
        let max = [reader.u16()?, reader.u16()?, reader.u16()?];
        let shift = [reader.u8()?, reader.u8()?, reader.u8()?];
        reader.bytes(3)?;
        let layout = if true_colour { Layout::TrueColour { max, shift } } else { Layout::ColourMap };
        Ok(PixelFormat { bits_per_pixel, depth, big_endian, layout })
    }

    /// The same if pixels can be decoded with it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn checked(self) -> Result<PixelFormat, String> {
        if !matches!(self.bits_per_pixel, 8 | 16 | 32) {
            return Err(format!("a pixel of {} bits (8, 16 or 32 exist)", self.bits_per_pixel));
        }
        match self.layout {
            Layout::ColourMap if self.bits_per_pixel == 32 => Err("a colour map for pixels of 32 bits".to_owned()),
            Layout::TrueColour { shift, .. } if shift.iter().any(|&shift| shift >= self.bits_per_pixel) => {
                Err(format!("a colour shifted out of its pixel of {} bits", self.bits_per_pixel))
            }
            _ => Ok(self),
        }
    }

    /// Appends the 16 bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (true_colour, max, shift) = match self.layout {
            Layout::TrueColour { max, shift } => (1, max, shift),
            Layout::ColourMap => (0, [0; 3], [0; 3]),
        };
        out.extend([self.bits_per_pixel, self.depth, u8::from(self.big_endian), true_colour]);
        out.extend(max.iter().flat_map(|max| max.to_be_bytes()));
        out.extend(shift);
        out.extend([0; 3]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_it_is_read() {
        for format in [PixelFormat::rgb888([16, 8, 0]), PixelFormat::rgb565(), PixelFormat::bgr233()] {
            let mut bytes = Vec::new();
            format.write(&mut bytes);
            assert_eq!(bytes.len(), PixelFormat::LENGTH);
            assert_eq!(PixelFormat::read(&mut Reader::new(&bytes)), Ok(format));
        }
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        let read = |bytes: [u8; 16]| PixelFormat::read(&mut Reader::new(&bytes)).unwrap().checked();
        assert!(read([24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]).unwrap_err().contains("24 bits"));
        assert!(read([8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 8, 0, 0, 0]).unwrap_err().contains("shifted"));
        assert!(read([32, 24, 0, 255, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]).is_ok());
        assert!(read([32, 24, 0, 0, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]).is_err());
    }
}
