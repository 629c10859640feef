//! The naive twins of TRLE, ZRLE and ZYWRLE: the colours of a tile, one by one.

use super::{Colour, Decoder, End, Rect, take};

impl Decoder<'_> {
    /// A rectangle of tiles, from `bytes` on.
    pub(super) fn trle(&mut self, bytes: &mut &[u8], rect: Rect, side: usize, levels: usize) -> Result<(), End> {
        let [left, top, width, height] = rect;
        let mut palette = Vec::new();
        for y in (0..height).step_by(side) {
            for x in (0..width).step_by(side) {
                let size = (side.min(width - x), side.min(height - y));
                if side == 64 {
                    palette.clear();
                }
                let colours = self.trle_tile(bytes, size, &mut palette, levels)?;
                for (at, colour) in colours.into_iter().enumerate() {
                    self.set([left + x, top + y, size.0, size.1], at % size.0, at / size.0, colour)?;
                }
            }
        }
        Ok(())
    }

    fn trle_tile(
        &self,
        bytes: &mut &[u8],
        (width, height): (usize, usize),
        palette: &mut Vec<Colour>,
        levels: usize,
    ) -> Result<Vec<Colour>, End> {
        let subencoding = take(bytes, 1)?[0];
        if subencoding == 0 && levels > 0 && self.format.bytes > 1 {
            let colours = self.trle_tile(bytes, (width, height), palette, 0)?;
            return Ok(self.synthesise(colours, (width, height), levels));
        }
        if (2..=16).contains(&subencoding) || subencoding >= 130 {
            palette.clear();
            for _ in 0..subencoding & 127 {
                palette.push(self.cpixel(bytes)?);
            }
        }
        if matches!(subencoding, 17..=126) || matches!(subencoding, 127 | 129) && palette.is_empty() {
            return Err(End::Wrong("a subencoding without a meaning"));
        }
        let total = width * height;
        let mut colours = Vec::new();
        match subencoding {
            0 => {
                for _ in 0..total {
                    colours.push(self.cpixel(bytes)?);
                }
            }
            1 => colours = vec![self.cpixel(bytes)?; total],
            128.. => {
                while colours.len() < total {
                    let (colour, run) = if subencoding == 128 {
                        (self.cpixel(bytes)?, true)
                    } else {
                        let index = take(bytes, 1)?[0];
                        let colour = palette.get(usize::from(index & 127));
                        (*colour.ok_or(End::Wrong("a colour beyond the palette"))?, index > 127)
                    };
                    let mut length = 1;
                    let mut last = if run { 255 } else { 0 };
                    while last == 255 {
                        last = take(bytes, 1)?[0];
                        length += usize::from(last);
                        if colours.len() + length > total {
                            return Err(End::Wrong("a run past the end of its tile"));
                        }
                    }
                    colours.resize(colours.len() + length, colour);
                }
            }
            _ => {
                let bits = match palette.len() {
                    ..=2 => 1,
                    3..=4 => 2,
                    5..=16 => 4,
                    _ => return Err(End::Wrong("too many colours for packed pixels")),
                };
                for _ in 0..height {
                    let row = take(bytes, (width * bits).div_ceil(8))?;
                    for x in 0..width {
                        let bit = |n: usize| usize::from(row[n / 8] >> (7 - n % 8) & 1);
                        let index = (0..bits).fold(0, |sum, n| sum << 1 | bit(x * bits + n));
                        colours.push(*palette.get(index).ok_or(End::Wrong("a colour beyond the palette"))?);
                    }
                }
            }
        }
        Ok(colours)
    }

    fn cpixel(&self, bytes: &mut &[u8]) -> Result<Colour, End> {
        let format = &self.format;
        let used = (0..3).fold(0, |used, i| used | u64::from(format.max[i]) << format.shift[i]);
        let low = used < 1 << 24;
        if format.bytes < 4 || !format.true_colour || !low && used & 0xff != 0 {
            return Ok(self.colour(take(bytes, format.bytes)?));
        }
        let three = take(bytes, 3)?;
        Ok(self.colour(&if low == format.big_endian { [&[0], three].concat() } else { [three, &[0]].concat() }))
    }

    /// Wavelets as the draft describes them: in place, coefficients between one another.
    fn synthesise(&self, colours: Vec<Colour>, (width, height): (usize, usize), levels: usize) -> Vec<Colour> {
        let (w, h) = (width >> levels << levels, height >> levels << levels);
        if w == 0 || h == 0 {
            return colours;
        }
        let bits = self.format.max.map(|max| (32 - max.leading_zeros()).min(8));
        let mut next = colours.into_iter();
        let mut grid = vec![[0i8; 3]; w * h];
        for level in 0..levels {
            let step = 1 << level;
            let last = if level + 1 == levels { 0 } else { 1 };
            for band in (last..4).rev() {
                for y in (step * (band >> 1)..h).step_by(2 * step) {
                    for x in (step * (band & 1)..w).step_by(2 * step) {
                        let colour = next.next().unwrap();
                        grid[y * w + x] = std::array::from_fn(|i| (colour[i] >> (8 - bits[i]) << (8 - bits[i])) as i8);
                    }
                }
            }
        }
        for level in (0..levels).rev() {
            let step = 1 << level;
            for x in (0..w).step_by(step) {
                for y in (0..h).step_by(2 * step) {
                    haar(&mut grid, y * w + x, (y + step) * w + x);
                }
            }
            for y in (0..h).step_by(step) {
                for x in (0..w).step_by(2 * step) {
                    haar(&mut grid, y * w + x, y * w + x + step);
                }
            }
        }
        let mut picture = vec![[0; 3]; width * height];
        for y in 0..h {
            for x in 0..w {
                let [v, luma, u] = grid[y * w + x].map(i32::from);
                let (luma, u, v) = (luma + 128, u * 2, v * 2);
                let green = luma - (f64::from(u + v) / 4.0).floor() as i32;
                let colour = [v + green, green, u + green].map(|part| part.clamp(0, 255) as u32);
                picture[y * width + x] = std::array::from_fn(|i| {
                    let max = f64::from(self.format.max[i].min(255));
                    (f64::from(colour[i] >> (8 - bits[i])) * 255.0 / max).round() as u8
                });
            }
        }
        for (columns, rows) in [(w..width, 0..h), (0..w, h..height), (w..width, h..height)] {
            for y in rows {
                for x in columns.clone() {
                    picture[y * width + x] = next.next().unwrap();
                }
            }
        }
        picture
    }
}

fn haar(grid: &mut [[i8; 3]], first: usize, second: usize) {
    let (firsts, seconds) = (grid[first].map(i32::from), grid[second].map(i32::from));
    let both: [(i32, i32); 3] = std::array::from_fn(|i| {
        let (a, b) = (firsts[i], seconds[i]);
        if (a < 0) != (b < 0) {
            let sum = a + b;
            (sum, if (sum < 0) == (b < 0) { -b } else { a })
        } else {
            let difference = a - b;
            (if (difference < 0) == (a < 0) { a } else { b }, difference)
        }
    });
    grid[first] = both.map(|(low, _)| low as i8);
    grid[second] = both.map(|(_, high)| high as i8);
}
