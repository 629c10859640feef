//! The naive twin of ZlibHex.

use super::{Colour, Decoder, End, Rect, take};

impl Decoder<'_> {
    pub(super) fn zlib_hex(&mut self, [left, top, width, height]: Rect) -> Result<(), End> {
        let mut last = [[0; 3]; 2];
        for y in (0..height).step_by(16) {
            for x in (0..width).step_by(16) {
                let tile = [left + x, top + y, 16.min(width - x), 16.min(height - y)];
                let flags = self.number(1)?;
                let raw = flags & 33 != 0;
                let colours = if flags & 1 == 0 && flags & 96 != 0 {
                    let length = self.number(2)?;
                    let input = self.take(length)?;
                    let stream = if raw { &mut self.hex_streams[0] } else { &mut self.hex_streams[1] };
                    let unpacked = stream.all_of(input, 1 << 20)?;
                    let mut bytes = &unpacked[..];
                    let colours = self.hex_tile(&mut bytes, tile, if raw { 1 } else { flags }, &mut last);
                    match colours {
                        Err(End::Short) => return Err(End::Wrong("too few pixels")),
                        Ok(_) if !bytes.is_empty() => return Err(End::Wrong("too many pixels")),
                        colours => colours?,
                    }
                } else {
                    let mut bytes = self.rest;
                    let colours = self.hex_tile(&mut bytes, tile, flags, &mut last)?;
                    self.rest = bytes;
                    colours
                };
                for (at, colour) in colours.into_iter().enumerate() {
                    self.set(tile, at % tile[2], at / tile[2], colour)?;
                }
            }
        }
        Ok(())
    }

    fn hex_tile(
        &self,
        bytes: &mut &[u8],
        [_, _, width, height]: Rect,
        flags: usize,
        last: &mut [Colour; 2],
    ) -> Result<Vec<Colour>, End> {
        let pixel = |bytes: &mut &[u8]| Ok(self.colour(take(bytes, self.format.bytes)?));
        if flags & 1 != 0 {
            return (0..width * height).map(|_| pixel(bytes)).collect();
        }
        for (i, colour) in last.iter_mut().enumerate() {
            if flags & 2 << i != 0 {
                *colour = pixel(bytes)?;
            }
        }
        let mut colours = vec![last[0]; width * height];
        let count = if flags & 8 != 0 { take(bytes, 1)?[0] } else { 0 };
        for _ in 0..count {
            let colour = if flags & 16 != 0 { pixel(bytes)? } else { last[1] };
            let [xy, wh] = [take(bytes, 1)?[0], take(bytes, 1)?[0]].map(usize::from);
            let (x, y) = (xy >> 4, xy & 15);
            for row in y..=y + (wh & 15) {
                for column in x..=x + (wh >> 4) {
                    if column >= width || row >= height {
                        return Err(End::Wrong("a subrectangle outside of its tile"));
                    }
                    colours[row * width + column] = colour;
                }
            }
        }
        Ok(colours)
    }
}
