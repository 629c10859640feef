//! The shapes of Cursor (RFC 6143 §7.8.1) and XCursor (rfbproto).

use crate::decode::{Fault, Pixels};
use crate::picture::{Cursor, Size};
use crate::rfb::server_message::RectangleHeader;
use crate::rfb::{Inbox, Short};

/// The largest cursor on either side.
const LARGEST: u16 = 1024;

/// Reads the shape that belongs to `header`; the inner `None` is a hidden cursor, the outer one waits for more bytes.
pub(super) fn read(
    inbox: &mut Inbox,
    header: &RectangleHeader,
    two_colours: bool,
    pixels: &Pixels,
) -> Result<Option<Option<Cursor>>, Fault> {
    let size = Size { width: header.width, height: header.height };
    if size.pixels() == 0 {
        return Ok(Some(None));
    }
    if size.width > LARGEST || size.height > LARGEST {
        return Err(Fault(format!("a cursor of {}x{} pixels", size.width, size.height)));
    }
    let width = usize::from(size.width);
    let stride = width.div_ceil(8);
    let mask_bytes = stride * usize::from(size.height);
    let bit = |mask: &[u8], at: usize| {
        let byte = mask.get(at / width * stride + at % width / 8).copied().unwrap_or(0);
        byte & 0x80 >> (at % width % 8) != 0
    };
    // All of it must be here before any of it is looked at, or a slow server would have it converted again and again.
    let picture_bytes = if two_colours { 6 + mask_bytes } else { size.pixels() * pixels.bytes() };
    if inbox.available().len() < picture_bytes + mask_bytes {
        return Ok(None);
    }
    let shape = inbox.unit(|reader| -> Result<Vec<Option<[u8; 3]>>, Short> {
        let shape: Vec<[u8; 3]> = if two_colours {
            let mut colour = || Ok::<_, Short>([reader.u8()?, reader.u8()?, reader.u8()?]);
            let (set, clear) = (colour()?, colour()?);
            let bitmap = reader.bytes(mask_bytes)?;
            (0..size.pixels()).map(|at| if bit(bitmap, at) { set } else { clear }).collect()
        } else {
            let bytes = reader.bytes(picture_bytes)?;
            let order = pixels.order();
            bytes.chunks_exact(pixels.bytes()).map(|bytes| order.colour(pixels.pixel(bytes))).collect()
        };
        let mask = reader.bytes(mask_bytes)?;
        Ok(shape.into_iter().enumerate().map(|(at, colour)| bit(mask, at).then_some(colour)).collect())
    });
    let hotspot = (header.x.min(size.width - 1), header.y.min(size.height - 1));
    Ok(shape.map(|pixels| Some(Cursor { size, hotspot, pixels })))
}
