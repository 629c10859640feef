//! From pixels as a server describes them to pixels of a canvas: one kind of source for each way it is done.

/// How the pixels of a rectangle become the canvas's: chosen once a rectangle, so that decoders are compiled for each.
pub trait Source: Copy {
    /// Bytes a pixel.
    const BYTES: usize;

    /// One pixel, from exactly [`BYTES`](Source::BYTES) bytes; too short a slice gives 0.
    fn pixel(self, bytes: &[u8]) -> u32;

    /// As many pixels as both hold.
    #[inline]
    fn row(self, bytes: &[u8], out: &mut [u32]) {
        for (out, bytes) in out.iter_mut().zip(bytes.chunks_exact(Self::BYTES)) {
            *out = self.pixel(bytes);
        }
    }
}

/// 32 bits a pixel, already in the canvas's byte order.
#[derive(Debug, Clone, Copy)]
pub struct Same32;

impl Source for Same32 {
    const BYTES: usize = 4;

    #[inline(always)]
    fn pixel(self, bytes: &[u8]) -> u32 {
        bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    #[inline]
    fn row(self, bytes: &[u8], out: &mut [u32]) {
        // Compiles to one memcpy on little-endian machines.
        for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *out = u32::from_le_bytes(*bytes);
        }
    }
}

/// 32 bits a pixel with 8 bits a colour at any shifts.
#[derive(Debug, Clone, Copy)]
pub struct Shift32 {
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// The shifts of red, green and blue on the wire.
    pub from: [u8; 3],
    /// The shifts of red, green and blue on the canvas.
    pub to: [u8; 3],
}

impl Shift32 {
    #[inline(always)]
    fn convert(self, pixel: u32) -> u32 {
        let [r, g, b] = self.from;
        let [to_r, to_g, to_b] = self.to;
        let part = |from: u8, to: u8| (pixel.wrapping_shr(from.into()) & 0xff).wrapping_shl(to.into());
        part(r, to_r) | part(g, to_g) | part(b, to_b)
    }
}

impl Source for Shift32 {
    const BYTES: usize = 4;

    #[inline(always)]
    fn pixel(self, bytes: &[u8]) -> u32 {
        let pixel = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        self.convert(if self.big_endian { pixel.swap_bytes() } else { pixel })
    }

    #[inline]
    fn row(self, bytes: &[u8], out: &mut [u32]) {
        // One loop for each byte order, without a branch inside: the compiler makes vector code of both.
        let pixels = bytes.as_chunks::<4>().0;
        if self.big_endian {
            for (out, bytes) in out.iter_mut().zip(pixels) {
                *out = self.convert(u32::from_be_bytes(*bytes));
            }
        } else {
            for (out, bytes) in out.iter_mut().zip(pixels) {
                *out = self.convert(u32::from_le_bytes(*bytes));
            }
        }
    }
}

/// 32 bits a pixel with colours of any number of bits.
#[derive(Debug, Clone, Copy)]
pub struct Scale32 {
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// The shift and the largest value of red, green and blue on the wire.
    pub from: [(u8, u16); 3],
    /// The shifts of red, green and blue on the canvas.
    pub to: [u8; 3],
}

impl Source for Scale32 {
    const BYTES: usize = 4;

    #[inline]
    fn pixel(self, bytes: &[u8]) -> u32 {
        let pixel = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let pixel = if self.big_endian { pixel.swap_bytes() } else { pixel };
        let parts = self.from.iter().zip(self.to);
        parts.fold(0, |sum, (&(shift, max), to)| sum | scaled(pixel, shift, max).wrapping_shl(to.into()))
    }
}

/// 32 bits a pixel of which one byte, that carries no colour, stays away.
#[derive(Debug, Clone, Copy)]
pub struct Packed24<S> {
    /// What converts the whole pixel.
    pub whole: S,
    /// Whether the byte that stays away is the first of the four on the wire, and not the last.
    pub first_away: bool,
}

impl<S: Source> Source for Packed24<S> {
    const BYTES: usize = 3;

    #[inline(always)]
    fn pixel(self, bytes: &[u8]) -> u32 {
        let [a, b, c] = bytes.first_chunk().copied().unwrap_or_default();
        self.whole.pixel(&if self.first_away { [0, a, b, c] } else { [a, b, c, 0] })
    }
}

/// 16 bits a pixel through a table of 65536 canvas pixels.
#[derive(Debug, Clone, Copy)]
pub struct Table16<'a> {
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// The canvas pixel of each value.
    pub table: &'a [u32; 65536],
}

impl Source for Table16<'_> {
    const BYTES: usize = 2;

    #[inline(always)]
    fn pixel(self, bytes: &[u8]) -> u32 {
        let value = bytes.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
        let value = if self.big_endian { value.swap_bytes() } else { value };
        self.table.get(usize::from(value)).copied().unwrap_or_default()
    }
}

/// 8 bits a pixel through a table of 256 canvas pixels.
#[derive(Debug, Clone, Copy)]
pub struct Table8<'a> {
    /// The canvas pixel of each value.
    pub table: &'a [u32; 256],
}

impl Source for Table8<'_> {
    const BYTES: usize = 1;

    #[inline(always)]
    fn pixel(self, bytes: &[u8]) -> u32 {
        bytes.first().and_then(|&value| self.table.get(usize::from(value))).copied().unwrap_or_default()
    }
}

/// The colour at `shift` of `pixel`, whose largest value is `max`, brought to 0–255 with rounding.
pub fn scaled(pixel: u32, shift: u8, max: u16) -> u32 {
    let value = pixel.wrapping_shr(shift.into()) & u32::from(max);
    let max = u32::from(max).max(1);
    (value * 255 + max / 2) / max
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_in_both_byte_orders() {
        let bytes = [0x11, 0x22, 0x33, 0x44];
        let little = Shift32 { big_endian: false, from: [16, 8, 0], to: [0, 8, 16] };
        assert_eq!(little.pixel(&bytes), 0x112233);
        let big = Shift32 { big_endian: true, from: [16, 8, 0], to: [0, 8, 16] };
        assert_eq!(big.pixel(&bytes), 0x443322);
        let high = Shift32 { big_endian: false, from: [24, 16, 8], to: [16, 8, 0] };
        assert_eq!(high.pixel(&bytes), 0x443322);
    }

    #[test]
    fn three_bytes_are_four_of_which_one_is_away() {
        let whole = Shift32 { big_endian: false, from: [24, 16, 8], to: [16, 8, 0] };
        assert_eq!(Packed24 { whole, first_away: true }.pixel(&[0x11, 0x22, 0x33]), 0x332211);
        assert_eq!(Packed24 { whole: Same32, first_away: false }.pixel(&[0x11, 0x22, 0x33]), 0x332211);
        assert_eq!(Packed24 { whole: Same32, first_away: false }.pixel(&[0x11]), 0);
    }

    #[test]
    fn rows_equal_pixels() {
        let bytes: Vec<u8> = (0..=255).collect();
        fn check<S: Source>(source: S, bytes: &[u8]) {
            let mut row = vec![0; bytes.len() / S::BYTES];
            source.row(bytes, &mut row);
            let one_by_one: Vec<u32> = bytes.chunks_exact(S::BYTES).map(|bytes| source.pixel(bytes)).collect();
            assert_eq!(row, one_by_one);
        }
        check(Same32, &bytes);
        for big_endian in [false, true] {
            check(Shift32 { big_endian, from: [3, 11, 19], to: [16, 8, 0] }, &bytes);
            check(Scale32 { big_endian, from: [(20, 1023), (10, 1023), (0, 1023)], to: [16, 8, 0] }, &bytes);
            check(Packed24 { whole: Same32, first_away: big_endian }, &bytes);
        }
    }

    #[test]
    fn colours_are_scaled_to_the_full_range() {
        assert_eq!(scaled(31 << 11, 11, 31), 255);
        assert_eq!(scaled(16 << 11, 11, 31), 132);
        assert_eq!(scaled(0xffff_ffff, 0, 65535), 255);
        assert_eq!(scaled(1, 0, 1), 255);
        assert_eq!(scaled(0, 0, 0), 0);
    }
}
