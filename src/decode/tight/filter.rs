//! Tight's filters: how the bytes of a row become pixels.

use crate::decode::Fault;
use crate::picture::convert::Source;
use crate::rfb::{Layout, PixelFormat};

/// Paints a rectangle's rows from the first to the last.
pub(super) trait Filter {
    /// Bytes of a row of `width` pixels.
    fn row_bytes(&self, width: usize) -> usize;

    /// Paints the next row from as many bytes.
    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault>;
}

/// CopyFilter: TPIXELs.
pub(super) struct Copy<S>(pub(super) S);

impl<S: Source> Filter for Copy<S> {
    fn row_bytes(&self, width: usize) -> usize {
        width * S::BYTES
    }

    #[inline]
    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault> {
        self.0.row(bytes, out);
        Ok(())
    }
}

/// PaletteFilter of two colours: a bit a pixel, the leftmost highest, each row from a new byte on.
pub(super) struct TwoColours {
    first: u32,
    // What must be changed in the first to make it the second.
    change: u32,
}

impl TwoColours {
    /// `None` unless `colours` are two.
    pub(super) fn new<S: Source>(source: S, colours: &[u8]) -> Option<TwoColours> {
        let (first, second) = colours.split_at_checked(S::BYTES)?;
        let (first, second) = (source.pixel(first), (second.len() == S::BYTES).then(|| source.pixel(second))?);
        Some(TwoColours { first, change: first ^ second })
    }
}

impl Filter for TwoColours {
    fn row_bytes(&self, width: usize) -> usize {
        width.div_ceil(8)
    }

    #[inline]
    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault> {
        const BITS: [u32; 8] = [128, 64, 32, 16, 8, 4, 2, 1];
        let pixel = |byte: u8, bit: u32| self.first ^ if u32::from(byte) & bit == bit { self.change } else { 0 };
        let (whole, rest) = out.as_chunks_mut::<8>();
        for (out, &byte) in whole.iter_mut().zip(bytes) {
            *out = BITS.map(|bit| pixel(byte, bit));
        }
        let last = bytes.last().copied().unwrap_or_default();
        for (out, bit) in rest.iter_mut().zip(BITS) {
            *out = pixel(last, bit);
        }
        Ok(())
    }
}

/// PaletteFilter of more colours: a byte a pixel.
pub(super) struct Palette {
    // Black behind the last.
    colours: [u32; 256],
    count: usize,
}

impl Palette {
    pub(super) fn new<S: Source>(source: S, bytes: &[u8]) -> Palette {
        let mut colours = [0; 256];
        source.row(bytes, &mut colours);
        Palette { colours, count: bytes.len() / S::BYTES }
    }
}

impl Filter for Palette {
    fn row_bytes(&self, width: usize) -> usize {
        width
    }

    #[inline]
    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault> {
        let highest = bytes.iter().copied().max().unwrap_or_default();
        if usize::from(highest) >= self.count {
            return Err(Fault(format!("colour {highest} of a palette of {}", self.count)));
        }
        for (out, &index) in out.iter_mut().zip(bytes) {
            *out = self.colours.get(usize::from(index)).copied().unwrap_or_default();
        }
        Ok(())
    }
}

/// GradientFilter of TPIXELs of three bytes: differences from what the pixels to the left, above, and above to the
/// left let expect.
pub(super) struct Gradient<'a, S> {
    source: S,
    above: &'a mut [u8],
}

impl<'a, S: Source> Gradient<'a, S> {
    pub(super) fn new(source: S, above: &'a mut Vec<u8>, width: usize) -> Gradient<'a, S> {
        Gradient { source, above: black(above, width * 3) }
    }
}

impl<S: Source> Filter for Gradient<'_, S> {
    fn row_bytes(&self, width: usize) -> usize {
        width * 3
    }

    #[inline]
    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault> {
        // Of `rise` and `fall` one is always 0, so that the sum is held between black and full without a comparison.
        let value = |left: u8, above: u8, above_left: u8, difference: u8| {
            let (rise, fall) = (above.saturating_sub(above_left), above_left.saturating_sub(above));
            left.saturating_add(rise).saturating_sub(fall).wrapping_add(difference)
        };
        let (mut left, mut above_left) = ([0; 3], [0; 3]);
        let (differences, above) = (bytes.as_chunks::<3>().0, self.above.as_chunks_mut::<3>().0);
        for ((out, difference), above) in out.iter_mut().zip(differences).zip(above) {
            let ([l0, l1, l2], [a0, a1, a2], [c0, c1, c2]) = (left, *above, above_left);
            let [d0, d1, d2] = *difference;
            left = [value(l0, a0, c0, d0), value(l1, a1, c1, d1), value(l2, a2, c2, d2)];
            above_left = *above;
            *above = left;
            *out = self.source.pixel(&left);
        }
        Ok(())
    }
}

/// GradientFilter of all other pixels, whose colours have any number of bits.
pub(super) struct WideGradient<'a, S> {
    source: S,
    big_endian: bool,
    parts: [(u8, u16); 3],
    above: &'a mut [u8],
}

impl<'a, S: Source> WideGradient<'a, S> {
    pub(super) fn new(
        source: S,
        format: PixelFormat,
        above: &'a mut Vec<u8>,
        width: usize,
    ) -> Result<WideGradient<'a, S>, Fault> {
        let Layout::TrueColour { max: [r, g, b], shift: [at_r, at_g, at_b] } = format.layout else {
            return Err(Fault::from("the gradient filter for a colour map"));
        };
        let parts = [(at_r, r), (at_g, g), (at_b, b)];
        Ok(WideGradient { source, big_endian: format.big_endian, parts, above: black(above, width * S::BYTES) })
    }

    fn number(&self, bytes: &[u8]) -> u32 {
        let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        if self.big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }
}

impl<S: Source> Filter for WideGradient<'_, S> {
    fn row_bytes(&self, width: usize) -> usize {
        width * S::BYTES
    }

    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault> {
        let (mut left, mut above_left) = (0, 0);
        for (at, (out, difference)) in out.iter_mut().zip(bytes.chunks_exact(S::BYTES)).enumerate() {
            let stored = self.above.get(at * S::BYTES..(at + 1) * S::BYTES).unwrap_or_default();
            let (above, difference) = (self.number(stored), self.number(difference));
            let pixel = self.parts.iter().fold(0, |sum, &(shift, max)| {
                let part = |pixel: u32| (pixel >> shift) as i32 & i32::from(max);
                let expected = (part(left) + part(above) - part(above_left)).clamp(0, max.into());
                sum | (((expected + part(difference)) & i32::from(max)) as u32) << shift
            });
            (above_left, left) = (above, pixel);
            let wire = if self.big_endian { pixel << (32 - 8 * S::BYTES) } else { pixel.swap_bytes() };
            let wire = wire.to_be_bytes();
            let wire = wire.get(..S::BYTES).unwrap_or_default();
            *out = self.source.pixel(wire);
            if let Some(above) = self.above.get_mut(at * S::BYTES..(at + 1) * S::BYTES) {
                above.copy_from_slice(wire);
            }
        }
        Ok(())
    }
}

/// The row above the first.
fn black(above: &mut Vec<u8>, length: usize) -> &mut [u8] {
    above.clear();
    above.resize(length, 0);
    above
}
