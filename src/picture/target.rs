//! The rectangle a decoder paints, in its own coordinates: nothing outside of it can be reached.

/// A rectangle that a server described does not lie inside the one it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outside;

/// A window onto pixels: part of a canvas, or all of a scratch buffer.
///
/// A pixel is a `u32` whose little-endian bytes are in the canvas's [`ByteOrder`](super::ByteOrder).
pub struct Target<'a> {
    // From the first pixel of the first row to the last pixel of the last row.
    pixels: &'a mut [u32],
    stride: usize,
    width: usize,
    height: usize,
}

impl<'a> Target<'a> {
    /// A target of `width` × `height` over `pixels`, whose rows lie `stride` pixels apart.
    /// `None` if the slice is too short or the rows overlap.
    pub fn new(pixels: &'a mut [u32], stride: usize, width: usize, height: usize) -> Option<Target<'a>> {
        if width == 0 || height == 0 {
            return Some(Target { pixels: &mut [], stride: 1, width, height });
        }
        if stride < width {
            return None;
        }
        let length = (height - 1).checked_mul(stride)?.checked_add(width)?;
        let pixels = pixels.get_mut(..length)?;
        Some(Target { pixels, stride, width, height })
    }

    /// Pixels a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Row `y`; empty beyond the last.
    #[inline]
    pub fn row(&mut self, y: usize) -> &mut [u32] {
        let start = y * self.stride;
        self.pixels.get_mut(start..start + self.width).unwrap_or_default()
    }

    /// All rows from `y` on, each exactly `width` long.
    #[inline]
    pub fn rows_from(&mut self, y: usize) -> impl Iterator<Item = &mut [u32]> {
        let (stride, width) = (self.stride, self.width);
        let rest = self.pixels.get_mut(y.saturating_mul(stride)..).unwrap_or_default();
        rest.chunks_mut(stride).filter_map(move |row| row.get_mut(..width))
    }

    /// The pixels from the first of the first row to the last of the last one, and how many of them lie between the
    /// beginnings of two rows: what is beside the rows is to be left alone.
    #[cfg(feature = "turbojpeg")]
    pub(crate) fn pixels(&mut self) -> (&mut [u32], usize) {
        (self.pixels, self.stride)
    }

    /// All pixels in one piece, if the rows lie close together.
    pub fn contiguous(&mut self) -> Option<&mut [u32]> {
        (self.stride == self.width || self.height <= 1).then_some(&mut *self.pixels)
    }

    /// Paints a rectangle in one colour.
    ///
    /// # Errors
    /// [`Outside`] if it does not lie inside this target; nothing is painted then.
    #[inline]
    pub fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, pixel: u32) -> Result<(), Outside> {
        if x + width > self.width || y + height > self.height {
            return Err(Outside);
        }
        if width == 0 || height == 0 {
            return Ok(());
        }
        let start = y * self.stride + x;
        // Most rectangles of CoRRE and Hextile are one pixel or two, in no order that could be foreseen: without a branch for
        // which of them that is, desk-* took 0.83 to 0.94 of the time, others 1.0. Up to four that way: 0.83 to 1.06.
        if height == 1 && width <= 2 {
            *self.pixels.get_mut(start).ok_or(Outside)? = pixel;
            *self.pixels.get_mut(start + width - 1).ok_or(Outside)? = pixel;
            return Ok(());
        }
        let end = start + (height - 1) * self.stride + width;
        let block = self.pixels.get_mut(start..end).ok_or(Outside)?;
        // Two pieces of fixed size, which overlap, are all of a short row: no loop, no remainder. That took 0.84 to 0.95 of
        // the time of `slice::fill` on the core-* recordings.
        // Filling the first row and copying it to the others was slower: 1.16 times on core-corre-tightvnc; fetching rows
        // into the cache 1 to 16 ahead took 1.00 to 1.03.
        match width {
            1 => ends::<1>(block, self.stride, width, pixel),
            2..=4 => ends::<2>(block, self.stride, width, pixel),
            5..=8 => ends::<4>(block, self.stride, width, pixel),
            9..=16 => ends::<8>(block, self.stride, width, pixel),
            17..=32 => ends::<16>(block, self.stride, width, pixel),
            _ => block.chunks_mut(self.stride).filter_map(|row| row.get_mut(..width)).for_each(|row| row.fill(pixel)),
        }
        Ok(())
    }

    /// The rectangle at (`x`, `y`) as a target of its own.
    ///
    /// # Errors
    /// [`Outside`] if it does not lie inside this target.
    #[inline]
    pub fn part(&mut self, x: usize, y: usize, width: usize, height: usize) -> Result<Target<'_>, Outside> {
        let whole = Target { pixels: &mut *self.pixels, ..*self };
        whole.into_part(x, y, width, height)
    }

    /// As [`part`](Target::part), for as long as the whole would have lasted.
    ///
    /// # Errors
    /// [`Outside`] if it does not lie inside this target.
    #[inline]
    pub fn into_part(self, x: usize, y: usize, width: usize, height: usize) -> Result<Target<'a>, Outside> {
        if x + width > self.width || y + height > self.height {
            return Err(Outside);
        }
        if width == 0 || height == 0 {
            return Ok(Target { pixels: &mut [], stride: 1, width, height });
        }
        let start = y * self.stride + x;
        let end = start + (height - 1) * self.stride + width;
        let pixels = self.pixels.get_mut(start..end).ok_or(Outside)?;
        Ok(Target { pixels, stride: self.stride, width, height })
    }
}

/// Fills the first and the last `N` of the `width` pixels of each row.
#[inline(always)]
fn ends<const N: usize>(block: &mut [u32], stride: usize, width: usize, pixel: u32) {
    for row in block.chunks_mut(stride).filter_map(|row| row.get_mut(..width)) {
        if let Some(first) = row.first_chunk_mut() {
            *first = [pixel; N];
        }
        if let Some(last) = row.last_chunk_mut() {
            *last = [pixel; N];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_only_inside() {
        let mut pixels = vec![0; 12];
        let mut target = Target::new(&mut pixels, 4, 3, 3).unwrap();
        target.fill(1, 1, 2, 2, 7).unwrap();
        assert_eq!(target.fill(1, 1, 3, 1, 9), Err(Outside));
        assert_eq!(target.fill(0, 3, 1, 1, 9), Err(Outside));
        target.fill(3, 3, 0, 0, 9).unwrap();
        target.part(0, 2, 1, 1).unwrap().fill(0, 0, 1, 1, 8).unwrap();
        assert!(target.part(2, 2, 2, 1).is_err());
        assert_eq!(pixels, [0, 0, 0, 0, 0, 7, 7, 0, 8, 7, 7, 0]);
    }

    #[test]
    fn fills_every_size() {
        for width in 0..=70 {
            for height in 0..=3 {
                let mut pixels = vec![0; 72 * 5];
                let mut target = Target::new(&mut pixels, 72, 72, 5).unwrap();
                target.fill(1, 1, width, height, 7).unwrap();
                for (at, &pixel) in pixels.iter().enumerate() {
                    let inside = (1..=width).contains(&(at % 72)) && (1..=height).contains(&(at / 72));
                    assert_eq!(pixel, if inside { 7 } else { 0 }, "{width}x{height} at {at}");
                }
            }
        }
    }

    #[test]
    fn rows_are_exactly_as_wide_as_the_target() {
        let mut pixels = vec![0; 11];
        let mut target = Target::new(&mut pixels, 4, 3, 3).unwrap();
        assert_eq!(target.rows_from(1).map(|row| row.len()).collect::<Vec<_>>(), [3, 3]);
        assert_eq!(target.row(3).len(), 0);
        assert!(target.contiguous().is_none());
        assert!(Target::new(&mut [0; 10], 4, 3, 3).is_none());
        assert!(Target::new(&mut [0; 10], 2, 3, 3).is_none());
    }
}
