//! From pixels as a server describes them to pixels of a canvas: one kind of source for each way it is done.

use super::kernels::{self, Places};
pub use super::kernels::{Packed, gradient, look_up};

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

    /// If a pixel has four bytes, each of which is moved whole or stays away: for each byte on the canvas, which one it is.
    fn places(self) -> Option<Places> {
        None
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

    fn places(self) -> Option<Places> {
        Some([0, 1, 2, 3])
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
        // One loop for each byte order, without a branch inside.
        if self.big_endian {
            kernels::each(bytes, out, move |bytes| self.convert(u32::from_be_bytes(bytes)));
        } else {
            kernels::each(bytes, out, move |bytes| self.convert(u32::from_le_bytes(bytes)));
        }
    }

    fn places(self) -> Option<Places> {
        let mut places = [kernels::NOWHERE; 4];
        for (from, to) in self.from.into_iter().zip(self.to) {
            if from % 8 != 0 || to % 8 != 0 {
                return None;
            }
            let byte = from / 8 % 4;
            let byte = if self.big_endian { 3 - byte } else { byte };
            *places.get_mut(usize::from(to / 8))? = byte;
        }
        Some(places)
    }
}

/// Colours of any number of bits, at any shifts.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// Of red, green and blue.
    parts: [Part; 3],
    /// Whether [`Part::factor`] is right for all of them.
    exact: bool,
}

/// One colour of a pixel.
#[derive(Debug, Clone, Copy)]
struct Part {
    shift: u8,
    max: u16,
    /// What a value is multiplied with, in 2²⁴ths, to be brought to 0–255.
    factor: u32,
    /// The shift on the canvas.
    to: u8,
}

impl Parts {
    /// From the shift and the largest value of red, green and blue on the wire, to their shifts on the canvas.
    pub fn new(from: [(u8, u16); 3], to: [u8; 3]) -> Parts {
        let [red, green, blue] = from;
        let [to_red, to_green, to_blue] = to;
        let part = |(shift, max): (u8, u16), to| Part {
            shift,
            max,
            factor: (255_u32 << 24).div_ceil(u32::from(max).max(1)),
            to,
        };
        let parts = [part(red, to_red), part(green, to_green), part(blue, to_blue)];
        // The factor is too large by less than 1, so that the product is by less than the largest value. A half comes
        // before the rounding; the next value that would be rounded otherwise is 2²⁴ / (2 · max) away or more.
        let exact = from.iter().all(|&(_, max)| max <= 2047);
        Parts { parts, exact }
    }

    /// The canvas pixel of a value.
    #[inline(always)]
    fn convert(&self, pixel: u32) -> u32 {
        if self.exact {
            return self.multiply(pixel);
        }
        self.parts.iter().fold(0, |sum, part| sum | scaled(pixel, part.shift, part.max).wrapping_shl(part.to.into()))
    }

    #[inline(always)]
    fn multiply(&self, pixel: u32) -> u32 {
        let part = |part: Part| {
            let value = pixel.wrapping_shr(part.shift.into()) & u32::from(part.max);
            (value.wrapping_mul(part.factor).wrapping_add(1 << 23) >> 24).wrapping_shl(part.to.into())
        };
        let [red, green, blue] = self.parts;
        part(red) | part(green) | part(blue)
    }

    #[inline(always)]
    fn row<const BYTES: usize>(self, bytes: &[u8], out: &mut [u32], pixel: impl Fn([u8; BYTES]) -> u32) {
        if self.exact {
            kernels::each(bytes, out, move |bytes| self.multiply(pixel(bytes)));
        } else {
            for (out, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
                *out = self.convert(pixel(*bytes));
            }
        }
    }
}

/// 32 bits a pixel with colours of any number of bits.
#[derive(Debug, Clone, Copy)]
pub struct Scale32 {
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// The colours.
    pub parts: Parts,
}

impl Source for Scale32 {
    const BYTES: usize = 4;

    #[inline]
    fn pixel(self, bytes: &[u8]) -> u32 {
        let pixel = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        self.parts.convert(if self.big_endian { pixel.swap_bytes() } else { pixel })
    }

    fn row(self, bytes: &[u8], out: &mut [u32]) {
        if self.big_endian {
            self.parts.row(bytes, out, u32::from_be_bytes);
        } else {
            self.parts.row(bytes, out, u32::from_le_bytes);
        }
    }
}

/// 16 bits a pixel with colours of any number of bits.
#[derive(Debug, Clone, Copy)]
pub struct Scale16 {
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// The colours.
    pub parts: Parts,
}

impl Source for Scale16 {
    const BYTES: usize = 2;

    #[inline]
    fn pixel(self, bytes: &[u8]) -> u32 {
        let pixel = bytes.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
        self.parts.convert(u32::from(if self.big_endian { pixel.swap_bytes() } else { pixel }))
    }

    fn row(self, bytes: &[u8], out: &mut [u32]) {
        if self.big_endian {
            self.parts.row(bytes, out, |bytes| u16::from_be_bytes(bytes).into());
        } else {
            self.parts.row(bytes, out, |bytes| u16::from_le_bytes(bytes).into());
        }
    }
}

/// 32 bits a pixel of which one byte, that carries no colour, stays away.
#[derive(Debug, Clone, Copy)]
pub struct Packed24<S> {
    whole: S,
    first_away: bool,
    /// For each byte on the canvas, which of the three it is, if all are moved whole.
    places: Option<Places>,
}

impl<S: Source> Packed24<S> {
    /// Pixels that `whole` would convert, were the byte there that is `first_away`: the first of the four on the wire, or
    /// else the last.
    pub fn new(whole: S, first_away: bool) -> Packed24<S> {
        let packed = |place: u8| match first_away {
            true => place.wrapping_sub(1),
            false => place,
        };
        let places = whole.places().map(|places| places.map(packed));
        let places = places.map(|places| places.map(|place| if place < 3 { place } else { kernels::NOWHERE }));
        Packed24 { whole, first_away, places }
    }
}

impl<S: Source> Source for Packed24<S> {
    const BYTES: usize = 3;

    #[inline(always)]
    fn pixel(self, bytes: &[u8]) -> u32 {
        let [a, b, c] = bytes.first_chunk().copied().unwrap_or_default();
        self.whole.pixel(&if self.first_away { [0, a, b, c] } else { [a, b, c, 0] })
    }

    #[inline]
    fn row(self, bytes: &[u8], out: &mut [u32]) {
        match self.places {
            Some(places) => kernels::expand24(bytes, out, places),
            None => {
                for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<3>().0) {
                    *out = self.pixel(bytes);
                }
            }
        }
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
        assert_eq!(Packed24::new(whole, true).pixel(&[0x11, 0x22, 0x33]), 0x332211);
        assert_eq!(Packed24::new(Same32, false).pixel(&[0x11, 0x22, 0x33]), 0x332211);
        assert_eq!(Packed24::new(Same32, false).pixel(&[0x11]), 0);
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
            for from in [[3, 11, 19], [16, 8, 0], [24, 16, 8], [8, 24, 16], [0, 0, 0]] {
                for to in [[16, 8, 0], [0, 8, 16]] {
                    let whole = Shift32 { big_endian, from, to };
                    check(whole, &bytes);
                    check(Packed24::new(whole, false), &bytes);
                    check(Packed24::new(whole, true), &bytes);
                }
            }
            for max in [1023, 4095] {
                let parts = Parts::new([(20, max), (10, 1023), (0, 1023)], [16, 8, 0]);
                check(Scale32 { big_endian, parts }, &bytes);
                check(Packed24::new(Scale32 { big_endian, parts }, big_endian), &bytes);
                check(Scale16 { big_endian, parts: Parts::new([(11, 31), (5, 63), (4, max)], [0, 8, 16]) }, &bytes);
            }
            check(Packed24::new(Same32, big_endian), &bytes);
        }
    }

    #[test]
    fn multiplying_scales_as_dividing_does() {
        for max in 0..=2050 {
            let parts = Parts::new([(0, max), (0, 0), (0, 0)], [0, 8, 16]);
            assert_eq!(parts.exact, max < 2048);
            for value in 0..=u32::from(max) {
                assert_eq!(parts.convert(value), scaled(value, 0, max), "{value} of {max}");
            }
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
