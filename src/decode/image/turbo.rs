//! JPEG by libjpeg-turbo, in C: the feature `turbojpeg`.

use super::MOST_SCANS;
use crate::picture::ByteOrder;
use turbojpeg::{DecompressHeader, Decompressor, Error, Image, PixelFormat};

/// A picture whose header was read.
pub(super) struct Jpeg<'a> {
    decompressor: Decompressor,
    header: DecompressHeader,
    data: &'a [u8],
}

impl<'a> Jpeg<'a> {
    pub(super) fn open(data: &'a [u8]) -> Result<Jpeg<'a>, String> {
        let mut decompressor = Decompressor::new().map_err(words)?;
        decompressor.set_scan_limit(MOST_SCANS as u32).map_err(words)?;
        let header = decompressor.read_header(data).map_err(words)?;
        Ok(Jpeg { decompressor, header, data })
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.header.width, self.header.height)
    }

    /// Writes pixels of four bytes, and says in which order those are: as wanted.
    pub(super) fn decode(mut self, pixels: &mut [u8], wanted: ByteOrder) -> Result<ByteOrder, String> {
        let format = match wanted {
            ByteOrder::Rgbx => PixelFormat::RGBX,
            ByteOrder::Bgrx => PixelFormat::BGRX,
        };
        let (width, height) = self.size();
        let image = Image { pixels, width, pitch: width * 4, height, format };
        // A warning, such as that something is missing, is an error too.
        self.decompressor.decompress(self.data, image).map_err(words)?;
        Ok(wanted)
    }
}

fn words(error: Error) -> String {
    match error {
        Error::TurboJpegError(words) => words,
        other => other.to_string(),
    }
}
