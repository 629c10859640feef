//! Shapes of the pointer: Cursor (RFC 6143 §7.8.1), XCursor, Cursor With Alpha, VMware Cursor (rfbproto).

use crate::decode::{Fault, Pixels};
use crate::picture::{Cursor, Size};
use crate::rfb::server_message::RectangleHeader;
use crate::rfb::{Inbox, Reader, Short, encoding};

/// The largest cursor on either side.
const LARGEST: u16 = 1024;

/// How a shape is described.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Pixels and a mask.
    Masked,
    /// Two colours, a bitmap and a mask.
    TwoColours,
    /// Red, green, blue, already multiplied by the opacity behind them.
    Alpha,
    /// Two masks of pixels, or red, green, blue and opacity.
    Vmware,
}

type Picture = Vec<[u8; 4]>;

/// Reads the shape that belongs to `header`; the inner `None` is a hidden cursor, the outer one waits for more bytes.
pub(super) fn read(
    inbox: &mut Inbox,
    header: &RectangleHeader,
    shape: Shape,
    pixels: &Pixels,
) -> Result<Option<Option<Cursor>>, Fault> {
    let size = Size { width: header.width, height: header.height };
    if size.width > LARGEST || size.height > LARGEST {
        return Err(Fault(format!("a cursor of {}x{} pixels", size.width, size.height)));
    }
    let (width, area) = (usize::from(size.width), size.pixels());
    let mask_bytes = width.div_ceil(8) * usize::from(size.height);
    // All of it must be here before any of it is looked at, or a slow server would have it converted again and again.
    let length = match shape {
        _ if area == 0 && !matches!(shape, Shape::Alpha | Shape::Vmware) => 0,
        Shape::Masked => area * pixels.bytes() + mask_bytes,
        Shape::TwoColours => 6 + 2 * mask_bytes,
        Shape::Alpha => match inbox.available().first_chunk().map(|encoding| i32::from_be_bytes(*encoding)) {
            None => return Ok(None),
            Some(encoding::RAW) => 4 + area * 4,
            Some(other) => return Err(Fault(format!("a cursor in the encoding {}", encoding::name(other)))),
        },
        Shape::Vmware => match inbox.available().first() {
            None => return Ok(None),
            Some(0) => 2 + area * pixels.bytes() * 2,
            Some(1) => 2 + area * 4,
            Some(other) => return Err(Fault(format!("a VMware cursor of the unknown type {other}"))),
        },
    };
    if inbox.available().len() < length {
        return Ok(None);
    }
    let picture = inbox.unit(|reader| match shape {
        _ if area == 0 => reader.bytes(length).map(|_| Vec::new()),
        Shape::Masked => masked(reader, area, width, mask_bytes, pixels),
        Shape::TwoColours => two_colours(reader, area, width, mask_bytes),
        Shape::Alpha => {
            reader.bytes(4)?;
            Ok(reader.bytes(area * 4)?.as_chunks().0.iter().map(|&pixel| divided(pixel)).collect())
        }
        Shape::Vmware => vmware(reader, area, pixels),
    });
    if area == 0 {
        return Ok(picture.map(|_| None));
    }
    let hotspot = (header.x.min(size.width - 1), header.y.min(size.height - 1));
    Ok(picture.map(|pixels| Some(Cursor { size, hotspot, pixels })))
}

/// Bit `at` of a mask whose rows begin with a byte.
fn bit(mask: &[u8], width: usize, at: usize) -> bool {
    let byte = mask.get(at / width * width.div_ceil(8) + at % width / 8).copied().unwrap_or(0);
    byte & 0x80 >> (at % width % 8) != 0
}

fn shown([r, g, b]: [u8; 3], seen: bool) -> [u8; 4] {
    if seen { [r, g, b, 255] } else { [0; 4] }
}

fn colours<'a>(bytes: &'a [u8], pixels: &'a Pixels) -> impl Iterator<Item = [u8; 3]> + 'a {
    bytes.chunks_exact(pixels.bytes()).map(|bytes| pixels.order().colour(pixels.pixel(bytes)))
}

fn masked(
    reader: &mut Reader<'_>,
    area: usize,
    width: usize,
    mask_bytes: usize,
    pixels: &Pixels,
) -> Result<Picture, Short> {
    let bytes = reader.bytes(area * pixels.bytes())?;
    let mask = reader.bytes(mask_bytes)?;
    Ok(colours(bytes, pixels).enumerate().map(|(at, colour)| shown(colour, bit(mask, width, at))).collect())
}

fn two_colours(reader: &mut Reader<'_>, area: usize, width: usize, mask_bytes: usize) -> Result<Picture, Short> {
    let mut colour = || Ok::<_, Short>([reader.u8()?, reader.u8()?, reader.u8()?]);
    let (set, clear) = (colour()?, colour()?);
    let (bitmap, mask) = (reader.bytes(mask_bytes)?, reader.bytes(mask_bytes)?);
    let pixel = |at| shown(if bit(bitmap, width, at) { set } else { clear }, bit(mask, width, at));
    Ok((0..area).map(pixel).collect())
}

/// Takes the opacity out of the colours again.
fn divided([r, g, b, opacity]: [u8; 4]) -> [u8; 4] {
    let part = |part: u8| match opacity {
        0 => 0,
        opacity => (u16::from(part) * 255 / u16::from(opacity)).min(255) as u8,
    };
    [part(r), part(g), part(b), opacity]
}

fn vmware(reader: &mut Reader<'_>, area: usize, pixels: &Pixels) -> Result<Picture, Short> {
    let kind = reader.u8()?;
    reader.u8()?;
    if kind == 1 {
        return Ok(reader.bytes(area * 4)?.as_chunks().0.to_vec());
    }
    let (and, xor) = (reader.bytes(area * pixels.bytes())?, reader.bytes(area * pixels.bytes())?);
    let size = pixels.bytes();
    let pairs = and.chunks_exact(size).zip(xor.chunks_exact(size)).zip(colours(xor, pixels));
    // What is kept of the screen and changed by nothing is seen through. Colours that invert the screen can not be
    // shown: they become black, which is what a text cursor on a white page looks like.
    let pixel = |((and, xor), colour): ((&[u8], &[u8]), [u8; 3])| {
        let (keeps, changes) = (and.iter().any(|&byte| byte != 0), xor.iter().any(|&byte| byte != 0));
        match (keeps, changes) {
            (true, false) => [0; 4],
            (true, true) => [0, 0, 0, 255],
            (false, _) => shown(colour, true),
        }
    };
    Ok(pairs.map(pixel).collect())
}
