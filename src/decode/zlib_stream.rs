//! One zlib stream that lasts as long as the connection, given out in parcels (RFC 1950, RFC 1951).

use super::inflate::Inflate;
use super::{Fault, Stage, stage};

/// What is wrong with a parcel in which something follows the last pixel.
pub(super) const MORE: &str = "more compressed pixels than the rectangle has";
/// What is wrong with a parcel that ends before the last pixel.
pub(super) const FEWER: &str = "fewer compressed pixels than the rectangle has";
/// Whether `raw` bytes of pixels can have become `length` bytes of compressed data.
///
/// # Errors
/// [`Fault`] if they can not.
pub(super) fn plausible(length: usize, raw: usize) -> Result<(), Fault> {
    // What can not be compressed grows by a few bytes a block; the rest is room for flushes.
    if length > raw + raw / 8 + 65536 {
        return Err(Fault(format!("{length} bytes of compressed data for {raw} bytes of pixels")));
    }
    Ok(())
}

/// The history of a stream and how far its header came.
pub struct ZlibStream {
    inflate: Inflate,
    header: Vec<u8>,
}

impl ZlibStream {
    /// A stream at its beginning, which is a header.
    pub fn new() -> ZlibStream {
        // No checksum is kept: it would only arrive at the stream's end, which does not come.
        ZlibStream { inflate: Inflate::new(), header: Vec::new() }
    }

    /// Forgets all history: what comes next begins with a header.
    pub fn reset(&mut self) {
        self.inflate.reset();
        self.header.clear();
    }

    /// The next `count` bytes, unpacked from the front of `input`; fewer when `input` is used up.
    ///
    /// # Errors
    /// [`Fault`] if it is no stream.
    pub fn next(&mut self, input: &mut &[u8], count: usize) -> Result<&[u8], Fault> {
        self.ahead(input, count, count)?;
        Ok(self.take(count))
    }

    /// What was unpacked and not taken yet. If that is less than `least` bytes, unpacks until it is about `most`; it is
    /// less than `least` then only when `input` is used up.
    ///
    /// # Errors
    /// [`Fault`] if it is no stream.
    pub(super) fn ahead(&mut self, input: &mut &[u8], least: usize, most: usize) -> Result<&[u8], Fault> {
        let _inflate = stage(Stage::Inflate);
        self.skip_header(input)?;
        self.inflate.ahead(input, least, most).map_err(|_| Fault::from("compressed data that zlib can not read"))
    }

    /// Goes on behind the first `count` bytes of what is [`ahead`](ZlibStream::ahead), and gives them.
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        self.inflate.take(count)
    }

    /// Uses up the rest of a parcel, which must not hold more of what was compressed.
    ///
    /// # Errors
    /// [`Fault`] if it does, or is no stream.
    pub(super) fn finish(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        if self.ahead(input, 1, 1)?.is_empty() { Ok(()) } else { Err(Fault::from(MORE)) }
    }

    fn skip_header(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        while self.header.len() < 2 {
            let Some((&byte, rest)) = input.split_first() else { return Ok(()) };
            self.header.push(byte);
            *input = rest;
        }
        if let [first, second] = *self.header
            && (first & 15 != 8 || (u16::from(first) << 8 | u16::from(second)) % 31 != 0 || second & 0x20 != 0)
        {
            return Err(Fault::from("compressed data without the header of a zlib stream"));
        }
        Ok(())
    }
}

impl Default for ZlibStream {
    fn default() -> ZlibStream {
        ZlibStream::new()
    }
}
