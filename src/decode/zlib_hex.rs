//! ZlibHex (Tridia's encoding 8): Hextile whose tiles may come through one of two zlib streams, one for raw tiles and one
//! for the others.

use super::hextile::{self, Colours};
use super::pixels::with_source;
use super::tiles::{Stop, Tiles};
use super::zlib_stream::{FEWER, MORE, ZlibStream};
use super::{DirectDecoder, Fault, Pixels, Progress};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::{Inbox, Reader};

/// Raw, through the first stream. As with [`hextile::RAW`], the other bits mean nothing then.
const ZLIB_RAW: u8 = 32;
/// What Hextile has behind its flags, through the second stream.
const ZLIB_HEX: u8 = 64;

/// The longest tile that is not compressed: 255 subrectangles in colours of four bytes, and what comes before them.
const LONGEST_TILE: usize = 255 * 6 + 2 * 4 + 1;

/// The ZlibHex decoder.
pub struct ZlibHex {
    tiles: Tiles,
    streams: Streams,
}

struct Streams {
    raw: ZlibStream,
    hex: ZlibStream,
    colours: Colours,
}

impl ZlibHex {
    /// A decoder at the beginning of both streams.
    pub fn new() -> ZlibHex {
        let streams = Streams { raw: ZlibStream::new(), hex: ZlibStream::new(), colours: Colours::default() };
        ZlibHex { tiles: Tiles::default(), streams }
    }
}

impl Default for ZlibHex {
    fn default() -> ZlibHex {
        ZlibHex::new()
    }
}

impl DirectDecoder for ZlibHex {
    fn advance(&mut self, inbox: &mut Inbox, target: &mut Target<'_>, pixels: &Pixels) -> Result<Progress, Fault> {
        let ZlibHex { tiles, streams } = self;
        let progress = with_source!(pixels, source => {
            tiles.advance(inbox, target, |reader, tile| streams.tile(source, reader, tile))
        })?;
        if progress == Progress::Done {
            self.streams.colours = Colours::default();
        }
        Ok(progress)
    }
}

impl Streams {
    fn tile<S: Source>(&mut self, source: S, reader: &mut Reader<'_>, tile: &mut Target<'_>) -> Result<(), Stop> {
        let flags = reader.u8()?;
        let colours = &mut self.colours;
        if flags & hextile::RAW != 0 {
            return hextile::raw(source, reader, tile);
        }
        if flags & (ZLIB_RAW | ZLIB_HEX) == 0 {
            return colours.tile(source, flags, reader, tile);
        }
        let length = usize::from(reader.u16()?);
        let payload = reader.bytes(length)?;
        if flags & ZLIB_RAW != 0 {
            unpacked(&mut self.raw, payload, |reader| hextile::raw(source, reader, tile))
        } else {
            unpacked(&mut self.hex, payload, |reader| colours.tile(source, flags, reader, tile))
        }
    }
}

/// Paints what `payload` unpacks to, which must be a whole tile and no more.
fn unpacked(
    stream: &mut ZlibStream,
    mut payload: &[u8],
    paint: impl FnOnce(&mut Reader<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut reader = Reader::new(stream.next(&mut payload, LONGEST_TILE)?);
    match paint(&mut reader) {
        Err(Stop::Short) => return Err(Fault::from(FEWER).into()),
        other => other?,
    }
    if !reader.rest().is_empty() {
        return Err(Fault::from(MORE).into());
    }
    Ok(stream.finish(&mut payload)?)
}
