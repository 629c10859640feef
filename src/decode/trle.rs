//! TRLE (RFC 6143 §7.7.5): tiles of 16×16, raw, of one colour, with a palette or in runs; ZRLE has the same tiles, larger.

use super::pixels::with_cpixel_source;
use super::tiles::{Stop, Tiles};
use super::{DirectDecoder, Fault, Pixels, Progress, hextile};
use crate::picture::Target;
use crate::picture::convert::Source;
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

/// Paints a tile. All but the palette stays as it was if the tile is [`Stop::Short`].
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
            tile.rows_from(0).for_each(|row| row.fill(pixel));
            return Ok(());
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
    for (row, bytes) in tile.rows_from(0).zip(bytes.chunks_exact(bytes_a_row.max(1))) {
        for (pixels, &byte) in row.chunks_mut(8 / BITS).zip(bytes) {
            for (at, pixel) in pixels.iter_mut().enumerate() {
                let index = byte >> (8 - BITS - at * BITS) & ((1 << BITS) - 1);
                *pixel = palette.colour(index)?;
            }
        }
    }
    Ok(())
}

fn plain_runs<S: Source>(source: S, reader: &mut Reader<'_>, tile: &mut Target<'_>) -> Result<(), Stop> {
    let mut pen = Pen::new(tile);
    while pen.left > 0 {
        let pixel = source.pixel(reader.bytes(S::BYTES)?);
        // Most runs are of one pixel.
        match reader.u8()? {
            0 => pen.one(pixel),
            first => pen.run(pixel, length(first, reader, pen.left)?),
        }
    }
    Ok(())
}

fn palette_runs(reader: &mut Reader<'_>, tile: &mut Target<'_>, palette: &Palette) -> Result<(), Stop> {
    let mut pen = Pen::new(tile);
    while pen.left > 0 {
        let index = reader.u8()?;
        let pixel = palette.colour(index & 127)?;
        if index < 128 {
            pen.one(pixel);
        } else {
            let first = reader.u8()?;
            pen.run(pixel, length(first, reader, pen.left)?);
        }
    }
    Ok(())
}

/// The length of a run: one more than the sum of its bytes, of which all but the last are 255.
#[inline]
fn length(first: u8, reader: &mut Reader<'_>, left: usize) -> Result<usize, Stop> {
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

/// Where in a tile the next run begins.
struct Pen<'a, I> {
    row: &'a mut [u32],
    rows: I,
    left: usize,
}

impl<'a> Pen<'a, ()> {
    fn new(tile: &'a mut Target<'_>) -> Pen<'a, impl Iterator<Item = &'a mut [u32]>> {
        let left = tile.width() * tile.height();
        Pen { row: &mut [], rows: tile.rows_from(0), left }
    }
}

impl<'a, I: Iterator<Item = &'a mut [u32]>> Pen<'a, I> {
    #[inline(always)]
    fn one(&mut self, pixel: u32) {
        if self.row.is_empty() {
            self.row = self.rows.next().unwrap_or_default();
        }
        if let Some((first, rest)) = std::mem::take(&mut self.row).split_first_mut() {
            *first = pixel;
            self.row = rest;
        }
        self.left = self.left.saturating_sub(1);
    }

    /// Paints `length` pixels, no more than are left.
    #[inline]
    fn run(&mut self, pixel: u32, mut length: usize) {
        self.left = self.left.saturating_sub(length);
        while length > 0 {
            if self.row.is_empty() {
                self.row = self.rows.next().unwrap_or_default();
            }
            let now = length.min(self.row.len());
            if now == 0 {
                return;
            }
            let (painted, rest) = std::mem::take(&mut self.row).split_at_mut(now);
            painted.fill(pixel);
            self.row = rest;
            length -= now;
        }
    }
}
