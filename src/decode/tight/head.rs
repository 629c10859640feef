//! What a Tight rectangle says before its data: the compression-control byte, the filter and the length.

use crate::decode::{Fault, Pixels, zlib_stream};
use crate::rfb::{Layout, Reader, Short};

/// JpegCompression, as the upper half of the compression-control byte.
const JPEG: u8 = 0b1001;
/// Filtered data of fewer bytes is never compressed.
const LEAST_COMPRESSED: usize = 12;

/// All of a rectangle but its data.
pub(super) struct Head<'a> {
    /// Bit n: zlib stream n begins anew.
    pub(super) resets: u8,
    pub(super) method: Method<'a>,
    /// Bytes of the data that follows.
    pub(super) length: usize,
}

pub(super) enum Method<'a> {
    /// FillCompression: one TPIXEL.
    Fill(&'a [u8]),
    /// BasicCompression, with or without zlib.
    Basic(Compression, Filter<'a>),
    /// JpegCompression.
    Jpeg,
    /// PngCompression.
    Png,
}

#[derive(Clone, Copy)]
pub(super) enum Compression {
    None,
    /// Through the zlib stream of this number.
    Zlib(usize),
}

pub(super) enum Filter<'a> {
    /// CopyFilter.
    Copy,
    /// PaletteFilter: the TPIXELs of its colours.
    Palette(&'a [u8]),
    /// GradientFilter.
    Gradient,
}

/// Whether a rectangle is JpegCompression.
pub(super) fn is_jpeg(payload: &[u8]) -> bool {
    payload.first().is_some_and(|control| control >> 4 == JPEG)
}

impl<'a> Head<'a> {
    /// Reads up to the data. The inner result says what is wrong with a rectangle of this size.
    pub(super) fn read(
        reader: &mut Reader<'a>,
        png: bool,
        width: usize,
        height: usize,
        pixels: &Pixels,
    ) -> Result<Result<Head<'a>, Fault>, Short> {
        let control = reader.u8()?;
        let (resets, kind) = (control & 15, control >> 4);
        let head = |method, length| Ok(Ok(Head { resets, method, length }));
        match kind {
            0b1000 => return head(Method::Fill(reader.bytes(pixels.tpixel_bytes())?), 0),
            JPEG => return head(Method::Jpeg, compact_length(reader)?),
            0b1010 if png => return head(Method::Png, compact_length(reader)?),
            0b1010 | 0b1110 if !png => {}
            // Not for Tight PNG by the specification, but QEMU has no pictures of pixels of 8 bits.
            0b0000..=0b0111 => {}
            _ => return Ok(Err(Fault(format!("the compression-control byte {control:#04x}")))),
        }
        let filter = if kind & 0b0100 == 0 { 0 } else { reader.u8()? };
        let (filter, row) = match filter {
            0 => (Filter::Copy, width * pixels.tpixel_bytes()),
            1 => {
                let count = usize::from(reader.u8()?) + 1;
                if count == 1 {
                    return Ok(Err(Fault::from("a palette of one colour")));
                }
                let row = if count == 2 { width.div_ceil(8) } else { width };
                (Filter::Palette(reader.bytes(count * pixels.tpixel_bytes())?), row)
            }
            2 if pixels.bytes() == 1 || pixels.format().layout == Layout::ColourMap => {
                return Ok(Err(Fault::from("the gradient filter for pixels of 8 bits or a colour map")));
            }
            2 => (Filter::Gradient, width * pixels.tpixel_bytes()),
            other => return Ok(Err(Fault(format!("the filter {other} (0, 1 and 2 exist)")))),
        };
        let raw = row * height;
        if raw < LEAST_COMPRESSED {
            return head(Method::Basic(Compression::None, filter), raw);
        }
        let length = compact_length(reader)?;
        if kind & 0b1000 != 0 {
            if length != raw {
                return Ok(Err(Fault(format!("{length} bytes that are not compressed for {raw} bytes of pixels"))));
            }
            return head(Method::Basic(Compression::None, filter), length);
        }
        match zlib_stream::plausible(length, raw) {
            Ok(()) => head(Method::Basic(Compression::Zlib(usize::from(kind & 0b0011)), filter), length),
            Err(fault) => Ok(Err(fault)),
        }
    }
}

/// Reads a *length in compact representation*: 7 bits, 7 bits and 8 bits, the lowest first.
fn compact_length(reader: &mut Reader<'_>) -> Result<usize, Short> {
    let mut length = 0;
    for shift in [0, 7] {
        let byte = usize::from(reader.u8()?);
        length |= (byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Ok(length | usize::from(reader.u8()?) << 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_to_three_bytes() {
        let read = |bytes: &[u8]| compact_length(&mut Reader::new(bytes));
        assert_eq!(read(&[0]), Ok(0));
        assert_eq!(read(&[127, 1]), Ok(127));
        assert_eq!(read(&[0x80]), Err(Short));
        assert_eq!(read(&[0x80, 1]), Ok(128));
        assert_eq!(read(&[0x90, 0x4e]), Ok(10_000));
        assert_eq!(read(&[0xff, 0x7f]), Ok(16_383));
        assert_eq!(read(&[0x80, 0x80]), Err(Short));
        assert_eq!(read(&[0x80, 0x80, 1]), Ok(16_384));
        assert_eq!(read(&[0xff, 0xff, 0xff]), Ok(4_194_303));
    }
}
