//! What decodes H.264, and the library that does.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A decoder of H.264 byte streams, for one of them.
pub trait Codec: Default {
    /// Decodes a unit behind its start code; the picture that it completes, if it does.
    ///
    /// # Errors
    /// What is wrong, in words. The codec is of no use then.
    fn decode(&mut self, unit: &[u8]) -> Result<Option<Picture>, String>;
}

/// A picture, YUV 4:2:0.
#[derive(Debug, Default)]
pub struct Picture {
    /// Pixels a row: an even number.
    pub width: usize,
    /// Rows: an even number.
    pub height: usize,
    /// The brightness of each pixel.
    pub y: Vec<u8>,
    /// The first half of the colour, for two pixels of two rows each.
    pub u: Vec<u8>,
    /// The second.
    pub v: Vec<u8>,
}

/// The library rusty_h264.
#[derive(Default)]
pub struct Rusty(rusty_h264_decoder::Decoder);

impl Codec for Rusty {
    fn decode(&mut self, unit: &[u8]) -> Result<Option<Picture>, String> {
        // It is young and means never to panic. If it does, that ends this stream and not the thread that paints.
        let decoded = catch_unwind(AssertUnwindSafe(|| self.0.decode(unit)));
        let frame = decoded.map_err(|_| "the decoder broke down".to_owned())?.map_err(|error| error.to_string())?;
        Ok(frame.map(|frame| Picture { width: frame.width, height: frame.height, y: frame.y, u: frame.u, v: frame.v }))
    }
}
