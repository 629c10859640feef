//! JPEG by zune-jpeg, in Rust.

use super::MOST_SCANS;
use crate::picture::ByteOrder;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A picture whose header was read.
pub(super) struct Jpeg<'a>(JpegDecoder<ZCursor<&'a [u8]>>);

impl<'a> Jpeg<'a> {
    pub(super) fn open(data: &'a [u8]) -> Result<Jpeg<'a>, String> {
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX)
            .jpeg_set_max_scans(MOST_SCANS)
            // Straight to blue, green, red the library has no vector code.
            .jpeg_set_out_colorspace(ColorSpace::RGBA);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(words)?;
        Ok(Jpeg(decoder))
    }

    pub(super) fn size(&self) -> (usize, usize) {
        self.0.dimensions().unwrap_or_default()
    }

    /// Writes pixels of four bytes, and says in which order those are, whichever is wanted.
    ///
    /// Nearly all of the time is the library's. Its next version, 0.5.16-rc3, was no faster: 1.02 to 1.1 times slower on
    /// three recordings.
    pub(super) fn decode(mut self, pixels: &mut [u8], _: ByteOrder) -> Result<ByteOrder, String> {
        self.0.decode_into(pixels).map_err(words)?;
        Ok(ByteOrder::Rgbx)
    }
}

fn words(error: DecodeErrors) -> String {
    format!("{error:?}")
}
