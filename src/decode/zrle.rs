//! ZRLE (RFC 6143 §7.7.6): the tiles of TRLE, 64×64 and without reused palettes, through one zlib stream; and ZYWRLE.

use super::parcel::Prefixed;
use super::pixels::with_cpixel_source;
use super::tiles::{Stop, tile};
use super::trle::Palette;
use super::zlib_stream::{FEWER, MORE, ZlibStream};
use super::zywrle::Wavelets;
use super::{Fault, Parcel, ParcelDecoder, Pixels};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::{Inbox, Reader};

/// Pixels a row of a tile, and rows.
const SIDE: usize = 64;

/// The longest tile: a run for each pixel, of four bytes and a length, or a palette and a run for each pixel; and the
/// two bytes before them.
const LONGEST_TILE: usize = 2 + SIDE * SIDE * 5;

/// Bytes unpacked at a time, besides the tile that was not complete the time before.
const BAND: usize = 64 * 1024;

/// The decoder of ZRLE and of ZYWRLE, which go through the same zlib stream.
pub struct Zrle {
    length: Prefixed,
    stream: ZlibStream,
    scratch: Vec<u8>,
    palette: Palette,
    levels: usize,
    wavelets: Wavelets,
}

impl Zrle {
    /// A decoder at the beginning of its stream.
    pub fn new() -> Zrle {
        Zrle {
            length: Prefixed::default(),
            stream: ZlibStream::new(),
            scratch: Vec::new(),
            palette: Palette::default(),
            levels: 0,
            wavelets: Wavelets::default(),
        }
    }

    /// How often the wavelets of the tiles to come were taken; zero times for ZRLE.
    pub fn set_levels(&mut self, levels: usize) {
        self.levels = levels;
    }

    fn tiles<S: Source>(&mut self, source: S, mut input: &[u8], target: &mut Target<'_>) -> Result<(), Fault> {
        self.scratch.resize(BAND + LONGEST_TILE, 0);
        // What was unpacked and not read yet.
        let (mut from, mut to, mut all) = (0, 0, false);
        let mut index = 0;
        while let Some(mut tile) = tile(target, SIDE, index)? {
            index += 1;
            if to - from < LONGEST_TILE && !all {
                self.scratch.copy_within(from..to, 0);
                (from, to) = (0, to - from);
                let room = self.scratch.get_mut(to..).unwrap_or_default();
                let size = room.len();
                let filled = self.stream.fill(&mut input, room)?;
                (to, all) = (to + filled, filled < size);
            }
            let mut reader = Reader::new(self.scratch.get(from..to).unwrap_or_default());
            // No tile may use the palette of another.
            self.palette.clear();
            match self.wavelets.paint(source, &mut reader, &mut tile, &mut self.palette) {
                Ok(()) => from = to - reader.rest().len(),
                Err(Stop::Short) => return Err(Fault::from(FEWER)),
                Err(Stop::Fault(fault)) => return Err(fault),
            }
        }
        if from < to {
            return Err(Fault::from(MORE));
        }
        self.stream.finish(&mut input)
    }
}

impl Default for Zrle {
    fn default() -> Zrle {
        Zrle::new()
    }
}

impl ParcelDecoder for Zrle {
    fn cut(
        &mut self,
        inbox: &mut Inbox,
        width: usize,
        height: usize,
        pixels: &Pixels,
    ) -> Result<Option<Parcel>, Fault> {
        // Nothing is longer than a run for each pixel, but for palettes that are larger than their tile.
        self.length.cut(inbox, width * height * (pixels.bytes() + 1))
    }

    fn unpack(&mut self, parcel: Parcel, target: &mut Target<'_>, pixels: &Pixels) -> Result<(), Fault> {
        self.wavelets.set(pixels, self.levels);
        with_cpixel_source!(pixels, source => self.tiles(source, &parcel.payload, target))
    }
}
