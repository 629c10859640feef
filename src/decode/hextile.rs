//! Hextile (RFC 6143 §7.7.4): tiles of 16×16, each raw or a background with rectangles of one colour on it.

use super::pixels::with_source;
use super::{DirectDecoder, Fault, Pixels, Progress};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::{Inbox, Reader, Short};

const RAW: u8 = 1;
const BACKGROUND_SPECIFIED: u8 = 2;
const FOREGROUND_SPECIFIED: u8 = 4;
const ANY_SUBRECTS: u8 = 8;
const SUBRECTS_COLOURED: u8 = 16;

/// The Hextile decoder.
#[derive(Debug, Default)]
pub struct Hextile {
    // The tile to come, counted row by row.
    tile: usize,
    background: u32,
    foreground: u32,
}

impl DirectDecoder for Hextile {
    fn advance(&mut self, inbox: &mut Inbox, target: &mut Target<'_>, pixels: &Pixels) -> Result<Progress, Fault> {
        let mut reader = Reader::new(inbox.available());
        let result = with_source!(pixels, source => self.tiles(source, &mut reader, target));
        let used = inbox.available().len() - reader.rest().len();
        inbox.consume(used);
        let progress = result?;
        if progress == Progress::Done {
            *self = Hextile::default();
        }
        Ok(progress)
    }
}

impl Hextile {
    /// Paints tiles while whole ones have arrived; `reader` stands behind the last that was painted.
    fn tiles<S: Source>(
        &mut self,
        source: S,
        reader: &mut Reader<'_>,
        target: &mut Target<'_>,
    ) -> Result<Progress, Fault> {
        let columns = target.width().div_ceil(16);
        let count = columns * target.height().div_ceil(16);
        while self.tile < count {
            let (x, y) = (self.tile % columns * 16, self.tile / columns * 16);
            let (width, height) = ((target.width() - x).min(16), (target.height() - y).min(16));
            let mut tile = target.part(x, y, width, height)?;
            let mut ahead = reader.clone();
            match self.tile(source, &mut ahead, &mut tile) {
                Ok(result) => result?,
                Err(Short) => return Ok(Progress::NeedMore),
            }
            *reader = ahead;
            self.tile += 1;
        }
        Ok(Progress::Done)
    }

    /// Paints one tile. State changes only when all of the tile is there.
    fn tile<S: Source>(
        &mut self,
        source: S,
        reader: &mut Reader<'_>,
        tile: &mut Target<'_>,
    ) -> Result<Result<(), Fault>, Short> {
        let flags = reader.u8()?;
        let (width, height) = (tile.width(), tile.height());
        if flags & RAW != 0 {
            let mut bytes = reader.bytes(width * height * S::BYTES)?;
            for row in tile.rows_from(0) {
                let (now, later) = bytes.split_at_checked(width * S::BYTES).ok_or(Short)?;
                source.row(now, row);
                bytes = later;
            }
            return Ok(Ok(()));
        }
        let mut colour = |flag, last: u32| match flags & flag {
            0 => Ok(last),
            _ => reader.bytes(S::BYTES).map(|bytes| source.pixel(bytes)),
        };
        let background = colour(BACKGROUND_SPECIFIED, self.background)?;
        let foreground = colour(FOREGROUND_SPECIFIED, self.foreground)?;
        let count = if flags & ANY_SUBRECTS != 0 { usize::from(reader.u8()?) } else { 0 };
        let subrects = if flags & SUBRECTS_COLOURED != 0 {
            reader.bytes(count * (S::BYTES + 2))?
        } else {
            reader.bytes(count * 2)?
        };
        (self.background, self.foreground) = (background, foreground);
        for row in tile.rows_from(0) {
            row.fill(background);
        }
        Ok(if flags & SUBRECTS_COLOURED != 0 {
            subrects.chunks_exact(S::BYTES + 2).try_for_each(|subrect| {
                let (pixel, place) = subrect.split_at(S::BYTES);
                fill(tile, place, source.pixel(pixel))
            })
        } else {
            subrects.chunks_exact(2).try_for_each(|place| fill(tile, place, foreground))
        })
    }
}

/// Fills the subrectangle whose position and size are packed into two bytes.
#[inline(always)]
fn fill(tile: &mut Target<'_>, place: &[u8], pixel: u32) -> Result<(), Fault> {
    let [xy, wh] = *place.first_chunk().ok_or("half a subrectangle")?;
    let (x, y) = (usize::from(xy >> 4), usize::from(xy & 15));
    let (width, height) = (usize::from(wh >> 4) + 1, usize::from(wh & 15) + 1);
    tile.fill(x, y, width, height, pixel)
        .map_err(|_| Fault(format!("a subrectangle of {width}x{height} at {x},{y} outside of its tile")))
}
