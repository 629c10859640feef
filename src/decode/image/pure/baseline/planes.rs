//! Planes of samples, and the rows of pixels that are made of them (ITU-T T.81, A.1.1 and A.2).

use std::ops::Range;

use crate::picture::{ByteOrder, Target, jpeg};

/// The samples of one component, in whole blocks, as far as they are still needed: those of two rows of minimum coded units.
#[derive(Default)]
pub(super) struct Plane {
    samples: Vec<u8>,
    stride: usize,
    // How many rows of samples are kept: a row takes the place of the one so many rows above.
    kept: usize,
    // Of the samples that are part of the picture.
    width: usize,
    height: usize,
}

impl Plane {
    /// For a picture of `width` × `height` samples, `across` blocks, and `down` blocks in a unit. What was there before may
    /// stay: all blocks are to be written.
    pub(super) fn reshape(&mut self, (width, height): (usize, usize), across: usize, down: usize) {
        *self =
            Plane { samples: std::mem::take(&mut self.samples), stride: across * 8, kept: 2 * down * 8, width, height };
        let length = self.stride * self.kept;
        if self.samples.len() < length {
            self.samples.resize(length, 0);
        }
    }

    /// The samples from the first one of a block on, and how far its rows are apart.
    #[inline]
    pub(super) fn block(&mut self, column: usize, row: usize) -> (&mut [u8], usize) {
        let begin = row * 8 % self.kept * self.stride + column * 8;
        let end = begin + 7 * self.stride + 8;
        (self.samples.get_mut(begin..end).unwrap_or_default(), self.stride)
    }

    pub(super) fn held(&self) -> usize {
        self.samples.capacity()
    }

    /// A row of the picture; the last one again for those below it.
    fn row(&self, y: usize) -> &[u8] {
        let begin = y.min(self.height.saturating_sub(1)) % self.kept.max(1) * self.stride;
        self.samples.get(begin..begin + self.width).unwrap_or_default()
    }
}

/// Rows on their way from planes to pixels.
#[derive(Default)]
pub(super) struct Rows {
    sums: Vec<u16>,
    wide: [Vec<u8>; 2],
}

impl Rows {
    /// Paints the given rows of a picture of luminance and two chrominances; of the latter there are half as many samples
    /// across and down as `half` says.
    pub(super) fn colours(
        &mut self,
        [luminance, blue, red]: &[Plane; 3],
        half: (bool, bool),
        rows: Range<usize>,
        target: &mut Target<'_>,
        order: ByteOrder,
    ) {
        let Rows { sums, wide: [wide_blue, wide_red] } = self;
        for (y, out) in rows.clone().zip(target.rows_from(rows.start)) {
            let blue = chrominance(blue, y, half, sums, wide_blue);
            let red = chrominance(red, y, half, sums, wide_red);
            jpeg::ycbcr([luminance.row(y), blue, red], out, order);
        }
    }
}

/// Paints the given rows of a picture of luminance alone.
pub(super) fn grey(luminance: &Plane, rows: Range<usize>, target: &mut Target<'_>) {
    for (y, out) in rows.clone().zip(target.rows_from(rows.start)) {
        jpeg::grey(luminance.row(y), out);
    }
}

/// A row of a plane, made as long and as close to the next one as luminance is: each sample that is made in between has
/// three parts of the nearest one in each direction and one of the next nearest. As libjpeg does it: with planes of one
/// or two samples across not, and rounded up and down in turn.
fn chrominance<'a>(
    plane: &'a Plane,
    y: usize,
    half: (bool, bool),
    sums: &mut Vec<u16>,
    wide: &'a mut Vec<u8>,
) -> &'a [u8] {
    let (across, down) = half;
    let near = plane.row(if down { y / 2 } else { y });
    if half == (false, false) {
        return near;
    }
    wide.resize(wide.len().max(near.len() * 2), 0);
    if across && near.len() <= 2 {
        wide.as_chunks_mut().0.iter_mut().zip(near).for_each(|(two, &one)| *two = [one; 2]);
        return wide;
    }
    // A sum for each sample, and one beside the first and the last each.
    sums.resize(near.len() + 2, 0);
    let inside = sums.get_mut(1..=near.len()).unwrap_or_default();
    if down {
        let far = plane.row(if y.is_multiple_of(2) { (y / 2).saturating_sub(1) } else { y / 2 + 1 });
        jpeg::between(near, far, inside);
    } else {
        inside.iter_mut().zip(near).for_each(|(sum, &sample)| *sum = sample.into());
    }
    if let ([first, second, ..], true) = (&mut **sums, across) {
        *first = *second;
    }
    if let ([.., second, last], true) = (&mut **sums, across) {
        *last = *second;
    }
    match half {
        (true, true) => jpeg::widen(sums, [8, 7], 4, wide),
        (true, false) => jpeg::widen(sums, [1, 2], 2, wide),
        _ => {
            let inside = sums.get(1..).unwrap_or_default();
            let rounding = if y.is_multiple_of(2) { 1 } else { 2 };
            wide.iter_mut().zip(inside).for_each(|(wide, sum)| *wide = ((sum + rounding) >> 2) as u8);
        }
    }
    wide
}
