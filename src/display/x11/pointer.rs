//! The pointer's picture, drawn by the X server.

use x11rb::connection::Connection;
use x11rb::protocol::render::{ConnectionExt as _, CreatePictureAux};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, CreateGCAux, ImageOrder, Pixmap, Window};

use super::super::Error;
use super::front::put_image;
use super::server::{Server, lost};
use crate::picture::{Cursor, Size};

/// Gives a window this pointer; `None` is one that can not be seen.
pub(super) fn set(server: &Server, window: Window, cursor: Option<&Cursor>) -> Result<(), Error> {
    let made = match cursor.filter(|cursor| !cursor.pixels.is_empty()) {
        Some(cursor) => make(server, cursor)?,
        None => invisible(server)?,
    };
    let attributes = ChangeWindowAttributesAux::new().cursor(made);
    server.connection.change_window_attributes(window, &attributes).map_err(lost)?;
    // The window keeps it.
    server.connection.free_cursor(made).map(drop).map_err(lost)
}

/// The pointer, or a dot in place of one that can not be seen.
pub(super) fn or_dot(cursor: Option<Cursor>) -> Option<Cursor> {
    let seen = cursor.filter(|cursor| cursor.pixels.iter().any(|&[.., opacity]| opacity > 0));
    Some(seen.unwrap_or_else(dot))
}

/// A black dot with a white rim, to be seen on anything.
fn dot() -> Cursor {
    let (white, black) = ([255, 255, 255, 255], [0, 0, 0, 255]);
    let inside = |at: usize| (1..4).contains(&(at % 5)) && (1..4).contains(&(at / 5));
    let pixels = (0..25).map(|at| if inside(at) { black } else { white }).collect();
    Cursor { size: Size::new(5, 5), hotspot: (2, 2), pixels }
}

/// A pointer that can not be seen; to be freed.
pub(super) fn invisible(server: &Server) -> Result<u32, Error> {
    make(server, &Cursor { size: Size::new(1, 1), hotspot: (0, 0), pixels: vec![[0; 4]] })
}

fn make(server: &Server, cursor: &Cursor) -> Result<u32, Error> {
    match server.formats.and_then(|formats| formats.pointer) {
        Some(format) => coloured(server, format, cursor),
        None => black_and_white(server, cursor),
    }
}

/// With colours and opacity, by RENDER.
fn coloured(server: &Server, format: u32, cursor: &Cursor) -> Result<u32, Error> {
    let high_byte_first = server.connection.setup().image_byte_order == ImageOrder::MSB_FIRST;
    let bytes: Vec<u8> = cursor
        .pixels
        .iter()
        .flat_map(|&[red, green, blue, opacity]| {
            // RENDER wants colours multiplied by their opacity.
            let part = |colour: u8| (u32::from(colour) * u32::from(opacity) + 127) / 255;
            let pixel = u32::from(opacity) << 24 | part(red) << 16 | part(green) << 8 | part(blue);
            if high_byte_first { pixel.to_be_bytes() } else { pixel.to_le_bytes() }
        })
        .collect();
    let connection = &server.connection;
    let pixmap = pixmap(server, 32, cursor.size, &bytes, usize::from(cursor.size.width) * 4)?;
    let (picture, made) = (server.id()?, server.id()?);
    connection.render_create_picture(picture, pixmap, format, &CreatePictureAux::new()).map_err(lost)?;
    let (x, y) = hotspot(cursor);
    connection.render_create_cursor(made, picture, x, y).map_err(lost)?;
    connection.render_free_picture(picture).map_err(lost)?;
    connection.free_pixmap(pixmap).map_err(lost)?;
    Ok(made)
}

/// In two colours, as X11 has always known them.
fn black_and_white(server: &Server, cursor: &Cursor) -> Result<u32, Error> {
    let opaque = |&[.., opacity]: &[u8; 4]| opacity >= 128;
    let dark = |&[red, green, blue, _]: &[u8; 4]| u32::from(red) * 3 + u32::from(green) * 6 + u32::from(blue) < 1280;
    let mask = bitmap(server, cursor, opaque)?;
    let source = bitmap(server, cursor, dark)?;
    let made = server.id()?;
    let (x, y) = hotspot(cursor);
    let white = u16::MAX;
    server.connection.create_cursor(made, source, mask, 0, 0, 0, white, white, white, x, y).map_err(lost)?;
    for pixmap in [mask, source] {
        server.connection.free_pixmap(pixmap).map_err(lost)?;
    }
    Ok(made)
}

/// A pixmap of one bit a pixel.
fn bitmap(server: &Server, cursor: &Cursor, set: impl Fn(&[u8; 4]) -> bool) -> Result<Pixmap, Error> {
    let setup = server.connection.setup();
    let low_bit_first = setup.bitmap_format_bit_order == ImageOrder::LSB_FIRST;
    // Units of 32 bits hold any scanline unit, if their bytes lie in the order of the bits.
    let same_order = setup.image_byte_order == setup.bitmap_format_bit_order;
    let unit = usize::from(setup.bitmap_format_scanline_unit / 8).max(1);
    let width = usize::from(cursor.size.width);
    let stride = width.div_ceil(8).next_multiple_of(usize::from(setup.bitmap_format_scanline_pad / 8).max(1));
    let mut bytes = vec![0; stride * usize::from(cursor.size.height)];
    for (row, pixels) in bytes.chunks_exact_mut(stride.max(1)).zip(cursor.pixels.chunks_exact(width.max(1))) {
        for (at, _) in pixels.iter().enumerate().filter(|(_, pixel)| set(pixel)) {
            row[at / 8] |= if low_bit_first { 1 << (at % 8) } else { 0x80 >> (at % 8) };
        }
        if !same_order {
            row.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
    }
    pixmap(server, 1, cursor.size, &bytes, stride)
}

fn pixmap(server: &Server, depth: u8, size: Size, bytes: &[u8], stride: usize) -> Result<Pixmap, Error> {
    let (pixmap, gc) = (server.id()?, server.id()?);
    let connection = &server.connection;
    connection.create_pixmap(depth, pixmap, server.root, size.width, size.height).map_err(lost)?;
    connection.create_gc(gc, pixmap, &CreateGCAux::new()).map_err(lost)?;
    let rows = bytes.chunks_exact(stride.max(1));
    put_image(server, (pixmap, gc), depth, (0, 0), size.width, stride, rows)?;
    connection.free_gc(gc).map_err(lost)?;
    Ok(pixmap)
}

/// It must lie in the picture.
fn hotspot(cursor: &Cursor) -> (u16, u16) {
    let inside = |at: u16, length: u16| at.min(length.saturating_sub(1));
    (inside(cursor.hotspot.0, cursor.size.width), inside(cursor.hotspot.1, cursor.size.height))
}
