//! TRLE (RFC 6143 §7.7.5): tiles of 16×16, raw, of one colour, with a palette or in runs; ZRLE has the same tiles, larger.

use super::pixels::with_cpixel_source;
use super::tiles::{Stop, Tiles};
use super::{DirectDecoder, Fault, Pixels, Progress, hextile};
use crate::picture::Target;
use crate::picture::convert::{Packed, Source};
use crate::rfb::{Inbox, Reader};

pub(super) const RAW: u8 = 0;
const SOLID: u8 = 1;
/// Packed indices into the palette of the tile before.
const PACKED_REUSED: u8 = 127;
const PLAIN_RLE: u8 = 128;
/// Runs of indices into the palette of the tile before.
const PALETTE_RLE_REUSED: u8 = 129;

/// The TRLE decoder.
#[derive(Debug, Default)]
pub struct Trle {
    tiles: Tiles,
    palette: Palette,
}

impl DirectDecoder for Trle {
    fn advance(&mut self, inbox: &mut Inbox, target: &mut Target<'_>, pixels: &Pixels) -> Result<Progress, Fault> {
        let Trle { tiles, palette } = self;
        let progress = with_cpixel_source!(pixels, source => {
            tiles.advance(inbox, target, |reader, tile| paint(source, reader, tile, palette))
        })?;
        if progress == Progress::Done {
            self.palette.clear();
        }
        Ok(progress)
    }
}

/// The colours of a tile.
#[derive(Debug)]
pub(super) struct Palette {
    // As many as seven bits can name.
    colours: [u32; 128],
    count: usize,
}

impl Default for Palette {
    fn default() -> Palette {
        Palette { colours: [0; 128], count: 0 }
    }
}

impl Palette {
    /// Forgets the colours: no tile can use them again.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    fn read<S: Source>(&mut self, source: S, reader: &mut Reader<'_>, count: u8) -> Result<(), Stop> {
        let count = usize::from(count);
        source.row(reader.bytes(count * S::BYTES)?, &mut self.colours);
        self.count = count;
        Ok(())
    }

    #[inline(always)]
    fn colour(&self, index: u8) -> Result<u32, Stop> {
        match self.colours.get(usize::from(index)) {
            Some(&colour) if usize::from(index) < self.count => Ok(colour),
            _ => Err(self.beyond(index)),
        }
    }

    #[cold]
    fn beyond(&self, index: u8) -> Stop {
        Stop::Fault(Fault(format!("colour {index} of a palette of {}", self.count)))
    }
}

/// Paints a tile; some of it also if it is [`Stop::Short`].
pub(super) fn paint<S: Source>(
    source: S,
    reader: &mut Reader<'_>,
    tile: &mut Target<'_>,
    palette: &mut Palette,
) -> Result<(), Stop> {
    let subencoding = reader.u8()?;
    match subencoding {
        RAW => return hextile::raw(source, reader, tile),
        SOLID => {
            let pixel = source.pixel(reader.bytes(S::BYTES)?);
            return Ok(tile.fill(0, 0, tile.width(), tile.height(), pixel)?);
        }
        PLAIN_RLE => return plain_runs(source, reader, tile),
        2..=16 => palette.read(source, reader, subencoding)?,
        130.. => palette.read(source, reader, subencoding - 128)?,
        PACKED_REUSED | PALETTE_RLE_REUSED if palette.count > 0 => {}
        _ => return Err(Stop::Fault(Fault(format!("a tile of subencoding {subencoding}")))),
    }
    if subencoding >= PALETTE_RLE_REUSED {
        return palette_runs(reader, tile, palette);
    }
    match palette.count {
        ..=2 => packed::<1>(reader, tile, palette),
        3..=4 => packed::<2>(reader, tile, palette),
        5..=16 => packed::<4>(reader, tile, palette),
        count => Err(Stop::Fault(Fault(format!("packed pixels with a palette of {count}")))),
    }
}

/// Indices of `BITS` bits, the first in the highest; each row begins with a byte of its own.
fn packed<const BITS: usize>(reader: &mut Reader<'_>, tile: &mut Target<'_>, palette: &Palette) -> Result<(), Stop> {
    let bytes_a_row = tile.width().div_ceil(8 / BITS);
    let bytes = reader.bytes(bytes_a_row * tile.height())?;
    let colours = Packed::<BITS>::new(&palette.colours);
    for (row, bytes) in tile.rows_from(0).zip(bytes.chunks_exact(bytes_a_row.max(1))) {
        if palette.count < 1 << BITS {
            palette.colour(highest::<BITS>(bytes, row.len()))?;
        }
        colours.row(bytes, row);
    }
    Ok(())
}

/// The highest of `count` indices of `BITS` bits.
fn highest<const BITS: usize>(bytes: &[u8], count: usize) -> u8 {
    let indices = |byte: u8| (0..8 / BITS).map(move |at| byte >> (8 - BITS - at * BITS) & ((1 << BITS) - 1));
    let (whole, rest) = bytes.split_at_checked(count / (8 / BITS)).unwrap_or_default();
    let whole = whole.iter().fold(0, |highest, &byte| indices(byte).fold(highest, u8::max));
    rest.first().map_or(whole, |&byte| indices(byte).take(count % (8 / BITS)).fold(whole, u8::max))
}

fn plain_runs<S: Source>(source: S, reader: &mut Reader<'_>, tile: &mut Target<'_>) -> Result<(), Stop> {
    let mut ahead = reader.clone();
    runs(tile, |left| {
        let pixel = source.pixel(ahead.bytes(S::BYTES)?);
        Ok((pixel, length(&mut ahead, left)?))
    })?;
    *reader = ahead;
    Ok(())
}

fn palette_runs(reader: &mut Reader<'_>, tile: &mut Target<'_>, palette: &Palette) -> Result<(), Stop> {
    let mut ahead = reader.clone();
    runs(tile, |left| {
        let index = ahead.u8()?;
        let pixel = palette.colour(index & 127)?;
        Ok((pixel, if index < 128 { 1 } else { length(&mut ahead, left)? }))
    })?;
    *reader = ahead;
    Ok(())
}

/// Paints runs until the tile is full. `next` gives a pixel and how often it is painted, no more often than it is told.
#[inline(always)]
fn runs(tile: &mut Target<'_>, mut next: impl FnMut(usize) -> Result<(u32, usize), Stop>) -> Result<(), Stop> {
    let width = tile.width();
    let mut below = width * tile.height();
    let (mut pixel, mut length) = (0, 0);
    for mut row in tile.rows_from(0) {
        below -= width;
        loop {
            if length > 0 {
                let now = length.min(row.len());
                let (run, rest) = std::mem::take(&mut row).split_at_mut(now);
                run.fill(pixel);
                length -= now;
                row = rest;
            }
            if row.is_empty() {
                break;
            }
            (pixel, length) = next(row.len() + below)?;
            // Most runs are of one pixel. Counting down what is left of the tile at each was 1.05 times slower on
            // desk-zrle-x11vnc.
            if length == 1
                && let Some((first, rest)) = std::mem::take(&mut row).split_first_mut()
            {
                *first = pixel;
                row = rest;
                length = 0;
            }
        }
    }
    Ok(())
}

/// The length of a run: one more than the sum of its bytes, of which all but the last are 255.
#[inline(always)]
fn length(reader: &mut Reader<'_>, left: usize) -> Result<usize, Stop> {
    match reader.u8()? {
        0 => Ok(1),
        first => longer(first, reader, left),
    }
}

#[inline]
fn longer(first: u8, reader: &mut Reader<'_>, left: usize) -> Result<usize, Stop> {
    let mut length = 1 + usize::from(first);
    let mut last = first;
    while last == 255 && length <= left {
        last = reader.u8()?;
        length += usize::from(last);
    }
    if length > left {
        return Err(Stop::Fault(Fault(format!("a run of {length} pixels where its tile has {left} left"))));
    }
    Ok(length)
}
