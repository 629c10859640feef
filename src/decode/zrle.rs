//! ZRLE (RFC 6143 §7.7.6): the tiles of TRLE, 64×64 and without reused palettes, through one zlib stream; and ZYWRLE.

use super::parcel::Prefixed;
use super::pixels::with_cpixel_source;
use super::tiles::{Stop, tile};
use super::trle::Palette;
use super::zlib_stream::{FEWER, ZlibStream};
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

/// Bytes unpacked at a time.
const BAND: usize = 64 * 1024;

/// The decoder of ZRLE and of ZYWRLE, which go through the same zlib stream.
pub struct Zrle {
    length: Prefixed,
    stream: ZlibStream,
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
        let mut index = 0;
        while let Some(mut tile) = tile(target, SIDE, index)? {
            index += 1;
            let ahead = self.stream.ahead(&mut input, LONGEST_TILE, BAND)?;
            let mut reader = Reader::new(ahead);
            // No tile may use the palette of another.
            self.palette.clear();
            match self.wavelets.paint(source, &mut reader, &mut tile, &mut self.palette) {
                Ok(()) => {
                    let used = ahead.len() - reader.rest().len();
                    self.stream.take(used);
                }
                Err(Stop::Short) => return Err(Fault::from(FEWER)),
                Err(Stop::Fault(fault)) => return Err(fault),
            }
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
