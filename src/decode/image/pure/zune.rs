//! JPEG by zune-jpeg.

use super::super::super::{Stage, stage};
use super::super::{MOST_SCANS, paint};
use crate::picture::{ByteOrder, Target};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A picture whose header was read.
pub struct Jpeg<'a>(JpegDecoder<ZCursor<&'a [u8]>>);

impl<'a> Jpeg<'a> {
    pub(super) fn open(data: &'a [u8]) -> Result<Jpeg<'a>, String> {
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX)
            .jpeg_set_max_scans(MOST_SCANS)
            // There is a way to these from all that a picture may have.
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(words)?;
        Ok(Jpeg(decoder))
    }

    pub(super) fn size(&self) -> (usize, usize) {
        self.0.dimensions().unwrap_or_default()
    }

    /// Paints the picture, which has the target's size, by way of `pixels`.
    pub(super) fn paint(
        mut self,
        target: &mut Target<'_>,
        order: ByteOrder,
        pixels: &mut Vec<u8>,
    ) -> Result<(), String> {
        let length = target.width() * target.height() * 3;
        pixels.resize(pixels.len().max(length), 0);
        let pixels = pixels.get_mut(..length).unwrap_or_default();
        self.0.decode_into(pixels).map_err(words)?;
        let _paint = stage(Stage::Paint);
        paint::<3>(pixels, target, order, |rgb| rgb);
        Ok(())
    }
}

fn words(error: DecodeErrors) -> String {
    format!("{error:?}")
}
