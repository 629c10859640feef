//! Zlib: Raw through one zlib stream (rfbproto, "Zlib Encoding").

use super::parcel::Prefixed;
use super::pixels::with_source;
use super::zlib_stream::{FEWER, ZlibStream};
use super::{Fault, Parcel, ParcelDecoder, Pixels, Stage, stage};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::Inbox;

/// Bytes unpacked at a time: small enough to stay in the second-level cache until they are painted. 1 MiB and 8 MiB were
/// no faster (medians of 9 rounds on three recordings: 0.97 to 1.03).
const BAND: usize = 64 * 1024;

/// The Zlib decoder.
pub struct Zlib {
    stream: ZlibStream,
    length: Prefixed,
}

impl Zlib {
    /// A decoder at the beginning of its stream.
    pub fn new() -> Zlib {
        Zlib { stream: ZlibStream::new(), length: Prefixed::default() }
    }
}

impl Default for Zlib {
    fn default() -> Zlib {
        Zlib::new()
    }
}

impl ParcelDecoder for Zlib {
    fn cut(
        &mut self,
        inbox: &mut Inbox,
        width: usize,
        height: usize,
        pixels: &Pixels,
    ) -> Result<Option<Parcel>, Fault> {
        self.length.cut(inbox, width * height * pixels.bytes())
    }

    fn unpack(&mut self, parcel: Parcel, target: &mut Target<'_>, pixels: &Pixels) -> Result<(), Fault> {
        with_source!(pixels, source => self.rows(source, &parcel.payload, target))
    }
}

impl Zlib {
    fn rows<S: Source>(&mut self, source: S, mut input: &[u8], target: &mut Target<'_>) -> Result<(), Fault> {
        let row_bytes = target.width() * S::BYTES;
        if row_bytes > 0 {
            let band_rows = BAND.div_ceil(row_bytes).min(target.height());
            for top in (0..target.height()).step_by(band_rows.max(1)) {
                let height = band_rows.min(target.height() - top);
                let bytes = self.stream.next(&mut input, height * row_bytes)?;
                if bytes.len() < height * row_bytes {
                    return Err(Fault::from(FEWER));
                }
                let _paint = stage(Stage::Paint);
                for (bytes, row) in bytes.chunks_exact(row_bytes).zip(target.rows_from(top)) {
                    source.row(bytes, row);
                }
            }
        }
        self.stream.finish(&mut input)
    }
}
