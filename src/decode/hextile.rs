//! Hextile (RFC 6143 §7.7.4): tiles of 16×16, each raw or a background with rectangles of one colour on it.

use super::pixels::with_source;
use super::tiles::{Stop, Tiles};
use super::{DirectDecoder, Fault, Pixels, Progress};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::{Inbox, Reader, Short};

pub(super) const RAW: u8 = 1;
const BACKGROUND_SPECIFIED: u8 = 2;
const FOREGROUND_SPECIFIED: u8 = 4;
const ANY_SUBRECTS: u8 = 8;
const SUBRECTS_COLOURED: u8 = 16;

/// The Hextile decoder.
#[derive(Debug, Default)]
pub struct Hextile {
    tiles: Tiles,
    colours: Colours,
}

impl DirectDecoder for Hextile {
    fn advance(&mut self, inbox: &mut Inbox, target: &mut Target<'_>, pixels: &Pixels) -> Result<Progress, Fault> {
        let Hextile { tiles, colours } = self;
        let progress = with_source!(pixels, source => tiles.advance(inbox, target, |reader, tile| {
            let flags = reader.u8()?;
            if flags & RAW != 0 { raw(source, reader, tile) } else { colours.tile(source, flags, reader, tile) }
        }))?;
        if progress == Progress::Done {
            self.colours = Colours::default();
        }
        Ok(progress)
    }
}

/// Paints a tile pixel by pixel.
pub(super) fn raw<S: Source>(source: S, reader: &mut Reader<'_>, tile: &mut Target<'_>) -> Result<(), Stop> {
    let width = tile.width();
    let mut bytes = reader.bytes(width * tile.height() * S::BYTES)?;
    for row in tile.rows_from(0) {
        let (now, later) = bytes.split_at_checked(width * S::BYTES).ok_or(Short)?;
        source.row(now, row);
        bytes = later;
    }
    Ok(())
}

/// The colours that a tile may leave to the one before it.
#[derive(Debug, Default)]
pub(super) struct Colours {
    background: u32,
    foreground: u32,
}

impl Colours {
    /// Paints what follows the flags of a tile that is not raw. The colours change only when all of the tile is there.
    pub(super) fn tile<S: Source>(
        &mut self,
        source: S,
        flags: u8,
        reader: &mut Reader<'_>,
        tile: &mut Target<'_>,
    ) -> Result<(), Stop> {
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
        *self = Colours { background, foreground };
        tile.fill(0, 0, tile.width(), tile.height(), background)?;
        if flags & SUBRECTS_COLOURED != 0 {
            subrects.chunks_exact(S::BYTES + 2).try_for_each(|subrect| {
                let (pixel, place) = subrect.split_at(S::BYTES);
                fill(tile, place, source.pixel(pixel))
            })?;
        } else {
            subrects.chunks_exact(2).try_for_each(|place| fill(tile, place, foreground))?;
        }
        Ok(())
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
