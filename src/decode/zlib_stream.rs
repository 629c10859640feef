//! One zlib stream that lasts as long as the connection, given out in parcels (RFC 1950, RFC 1951).

use super::{Fault, Stage, stage};
use flate2::{Decompress, FlushDecompress, Status};

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
pub(super) struct ZlibStream {
    inflate: Decompress,
    header: Vec<u8>,
    ended: bool,
}

impl ZlibStream {
    pub(super) fn new() -> ZlibStream {
        // The two bytes of the header are checked here and no checksum is kept: it would only arrive at the stream's
        // end, which does not come.
        ZlibStream { inflate: Decompress::new(false), header: Vec::new(), ended: false }
    }

    /// Forgets all history: what comes next begins with a header.
    pub(super) fn reset(&mut self) {
        self.inflate.reset(false);
        self.header.clear();
        self.ended = false;
    }

    /// Fills `out` from the front of `input`. Gives the bytes written; fewer than asked for when `input` is used up.
    pub(super) fn fill(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        let _inflate = stage(Stage::Inflate);
        self.skip_header(input)?;
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            if self.ended {
                break;
            }
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(input, rest, FlushDecompress::Sync)
                .map_err(|_| Fault::from("compressed data that zlib can not read"))?;
            let read = (self.inflate.total_in() - read) as usize;
            let written = (self.inflate.total_out() - written) as usize;
            *input = input.get(read..).unwrap_or_default();
            filled += written;
            self.ended = status == Status::StreamEnd;
            if read == 0 && written == 0 {
                break;
            }
        }
        Ok(filled)
    }

    /// Uses up the rest of a parcel, which must not hold more of what was compressed.
    pub(super) fn finish(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        let mut spare = [0; 16];
        match self.fill(input, &mut spare)? {
            0 if input.is_empty() || self.ended => Ok(()),
            0 => Err(Fault::from("compressed data that zlib can not read")),
            _ => Err(Fault::from(MORE)),
        }
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
