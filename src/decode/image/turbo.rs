//! JPEG by libjpeg-turbo, in C: the feature `turbojpeg`.

use super::MOST_SCANS;
use super::segments::{HUFFMAN_TABLES, QUANTISATION_TABLES, Segments};
use crate::picture::{ByteOrder, Target};
use turbojpeg::{DecompressHeader, Decompressor, Error, Image, PixelFormat};

/// A picture whose header was read.
pub(super) struct Jpeg<'a> {
    header: DecompressHeader,
    data: &'a [u8],
}

/// What is used again from picture to picture.
#[derive(Default)]
pub(super) struct Scratch(Option<Decompressor>);

impl Scratch {
    /// What the library holds it does not tell; it is a few rows of blocks.
    pub(super) fn held(&self) -> usize {
        0
    }

    fn decompressor(&mut self) -> Result<&mut Decompressor, Error> {
        if self.0.is_none() {
            let mut decompressor = Decompressor::new()?;
            decompressor.set_scan_limit(MOST_SCANS as u32)?;
            self.0 = Some(decompressor);
        }
        self.0.as_mut().ok_or(Error::Null)
    }
}

impl<'a> Jpeg<'a> {
    pub(super) fn open(data: &'a [u8], scratch: &mut Scratch) -> Result<Jpeg<'a>, String> {
        // The library would go on with the tables of the picture before.
        let has = |kind| Segments::of(data).any(|(marker, _)| marker == kind);
        if !has(HUFFMAN_TABLES) || !has(QUANTISATION_TABLES) {
            *scratch = Scratch::default();
        }
        let header = scratch.decompressor().and_then(|decompressor| decompressor.read_header(data)).map_err(words)?;
        Ok(Jpeg { header, data })
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.header.width, self.header.height)
    }

    /// Paints the picture, which has the target's size.
    pub(super) fn paint(self, target: &mut Target<'_>, order: ByteOrder, scratch: &mut Scratch) -> Result<(), String> {
        // What stands first in memory.
        let format = match (order, cfg!(target_endian = "little")) {
            (ByteOrder::Rgbx, true) => PixelFormat::RGBX,
            (ByteOrder::Bgrx, true) => PixelFormat::BGRX,
            (ByteOrder::Rgbx, false) => PixelFormat::XBGR,
            (ByteOrder::Bgrx, false) => PixelFormat::XRGB,
        };
        let (width, height) = self.size();
        let (pixels, stride) = target.pixels();
        let image = Image { pixels: bytemuck::cast_slice_mut(pixels), width, pitch: stride * 4, height, format };
        // A warning, such as that something is missing, is an error too.
        scratch.decompressor().and_then(|library| library.decompress(self.data, image)).map_err(words)
    }
}

fn words(error: Error) -> String {
    match error {
        Error::TurboJpegError(words) => words,
        other => other.to_string(),
    }
}
