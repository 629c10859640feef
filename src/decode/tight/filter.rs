//! Tight's filters: how the bytes of a row become pixels.

use crate::decode::{Fault, Stage};
use crate::picture::convert::{Packed, Source, gradient, look_up};
use crate::rfb::{Layout, PixelFormat};

/// Paints a rectangle's rows from the first to the last.
pub(super) trait Filter {
    /// What painting a row is part of.
    const STAGE: Stage = Stage::Unpack;

    /// Bytes of a row of `width` pixels.
    fn row_bytes(&self, width: usize) -> usize;

    /// Paints the next row from as many bytes.
    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault>;
}

/// CopyFilter: TPIXELs.
pub(super) struct Copy<S>(pub(super) S);

impl<S: Source> Filter for Copy<S> {
    const STAGE: Stage = Stage::Paint;

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
pub(super) struct TwoColours(Packed<1>);

impl TwoColours {
    /// `None` unless `colours` are two.
    pub(super) fn new<S: Source>(source: S, colours: &[u8]) -> Option<TwoColours> {
        let (first, second) = colours.split_at_checked(S::BYTES)?;
        let colours = [source.pixel(first), (second.len() == S::BYTES).then(|| source.pixel(second))?];
        Some(TwoColours(Packed::new(&colours)))
    }
}

impl Filter for TwoColours {
    fn row_bytes(&self, width: usize) -> usize {
        width.div_ceil(8)
    }

    #[inline]
    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault> {
        self.0.row(bytes, out);
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
        // For all rows of a band at once it took as long.
        let highest = bytes.iter().copied().max().unwrap_or_default();
        if usize::from(highest) >= self.count {
            return Err(Fault(format!("colour {highest} of a palette of {}", self.count)));
        }
        // TightVNC's server sends few palettes of more, TigerVNC's mostly such: core-tight takes 0.90 of the time that it takes
        // without.
        match self.colours.first_chunk() {
            Some(few) if self.count <= few.len() => look_up(bytes, few, out),
            _ => {
                for (out, &index) in out.iter_mut().zip(bytes) {
                    *out = self.colours.get(usize::from(index)).copied().unwrap_or_default();
                }
            }
        }
        Ok(())
    }
}

/// GradientFilter of TPIXELs of three bytes: differences from what the pixels to the left, above, and above to the
/// left let expect. Bytes do not know of each other, so they are brought to their places on the canvas first.
pub(super) struct Gradient<'a, S> {
    source: S,
    above: &'a mut [u32],
}

impl<'a, S: Source> Gradient<'a, S> {
    pub(super) fn new(source: S, above: &'a mut Vec<u32>, width: usize) -> Gradient<'a, S> {
        Gradient { source, above: black(above, width) }
    }
}

impl<S: Source> Filter for Gradient<'_, S> {
    fn row_bytes(&self, width: usize) -> usize {
        width * 3
    }

    #[inline]
    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault> {
        self.source.row(bytes, out);
        gradient(self.above, out);
        Ok(())
    }
}

/// GradientFilter of all other pixels, whose parts have any number of bits.
pub(super) struct WideGradient<'a, S> {
    source: S,
    big_endian: bool,
    parts: [(u8, u16); 3],
    above: &'a mut [u64],
}

impl<'a, S: Source> WideGradient<'a, S> {
    pub(super) fn new(
        source: S,
        format: PixelFormat,
        above: &'a mut Vec<u64>,
        width: usize,
    ) -> Result<WideGradient<'a, S>, Fault> {
        let Layout::TrueColour { max: [r, g, b], shift: [at_r, at_g, at_b] } = format.layout else {
            return Err(Fault::from("the gradient filter for a colour map"));
        };
        let parts = [(at_r, r), (at_g, g), (at_b, b)];
        Ok(WideGradient { source, big_endian: format.big_endian, parts, above: black(above, width) })
    }
}

impl<S: Source> Filter for WideGradient<'_, S> {
    fn row_bytes(&self, width: usize) -> usize {
        width * S::BYTES
    }

    fn row(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<(), Fault> {
        let (mut left, mut above_left) = (0, 0);
        let differences = bytes.chunks_exact(S::BYTES);
        for ((out, difference), above) in out.iter_mut().zip(differences).zip(self.above.iter_mut()) {
            let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
            let difference =
                if self.big_endian { difference.iter().fold(0, add) } else { difference.iter().rev().fold(0, add) };
            let pixel = self.parts.iter().fold(0, |sum, &(shift, max)| {
                let part = |pixel: u64| (pixel >> shift) as i32 & i32::from(max);
                let expected = (part(left) + part(*above) - part(above_left)).clamp(0, max.into());
                sum | (((expected + part(difference)) & i32::from(max)) as u64) << shift
            });
            (above_left, left, *above) = (*above, pixel, pixel);
            let (big, little) = ((pixel << (64 - 8 * S::BYTES)).to_be_bytes(), pixel.to_le_bytes());
            let wire = if self.big_endian { big } else { little };
            *out = self.source.pixel(wire.get(..S::BYTES).unwrap_or_default());
        }
        Ok(())
    }
}

/// The row above the first.
fn black<T: Clone + Default>(above: &mut Vec<T>, width: usize) -> &mut [T] {
    above.clear();
    above.resize(width, T::default());
    above
}
