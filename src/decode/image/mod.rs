//! JPEG and PNG pictures inside of the stream, onto a target of exactly their size.

#[cfg(not(feature = "turbojpeg"))]
mod pure;
pub(super) mod segments;
#[cfg(feature = "turbojpeg")]
mod turbo;

use super::{Fault, Stage, stage};
use crate::picture::{ByteOrder, Target};
use png::{ColorType, Transformations};
#[cfg(not(feature = "turbojpeg"))]
use pure as library;
#[cfg(feature = "turbojpeg")]
use turbo as library;

/// Passes over a progressive picture; encoders make about ten.
const MOST_SCANS: usize = 32;

/// Bytes that are kept from picture to picture. Servers cut JPEG into pieces of far less; one of a whole 4K desktop would
/// hold as much again as the framebuffer.
const KEPT: usize = 8 << 20;

/// What pictures need on their way to the target, used again for each.
#[derive(Default)]
pub(super) struct Image {
    jpeg: library::Scratch,
    pixels: Vec<u8>,
}

impl Image {
    /// Gives back what only an uncommonly large picture needs.
    fn shrink(&mut self) {
        if self.held() > KEPT {
            *self = Image::default();
        }
    }

    /// How many bytes it holds on to.
    pub(super) fn held(&self) -> usize {
        self.jpeg.held() + self.pixels.capacity()
    }
}

/// Paints the JPEG picture `data`.
///
/// # Errors
/// [`Fault`] if it is broken or not of the target's size.
pub(super) fn jpeg(data: &[u8], target: &mut Target<'_>, order: ByteOrder, scratch: &mut Image) -> Result<(), Fault> {
    let size = (target.width(), target.height());
    let broken = |what: String| broken("JPEG", &what);
    let picture = library::Jpeg::open(data, &mut scratch.jpeg).map_err(broken)?;
    same_size("JPEG", picture.size(), size)?;
    // The libraries make up what is missing in the last row of blocks.
    if !data.windows(2).rev().any(|pair| pair == [segments::MARKER, segments::END_OF_IMAGE]) {
        return Err(Fault::from("a JPEG picture without an end"));
    }
    picture.paint(target, order, &mut scratch.jpeg).map_err(broken)?;
    scratch.shrink();
    Ok(())
}

/// Paints the PNG picture `data`; what is transparent is painted as if it were not.
///
/// # Errors
/// [`Fault`] if it is broken or not of the target's size.
pub(super) fn png(data: &[u8], target: &mut Target<'_>, order: ByteOrder, scratch: &mut Image) -> Result<(), Fault> {
    let size = (target.width(), target.height());
    let broken = |error: png::DecodingError| broken("PNG", &error.to_string());
    // Rows, and what is not pixels; all pixels are taken into `scratch`.
    let limits = png::Limits { bytes: size.0 * 32 + (1 << 20) };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(data), limits);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(broken)?;
    same_size("PNG", (header.width as usize, header.height as usize), size)?;
    let mut reader = decoder.read_info().map_err(broken)?;
    let (colours, _) = reader.output_color_type();
    let length = size.0 * size.1 * colours.samples();
    scratch.pixels.resize(scratch.pixels.len().max(length), 0);
    let pixels = scratch.pixels.get_mut(..length).unwrap_or_default();
    reader.next_frame(pixels).map_err(broken)?;
    let _paint = stage(Stage::Paint);
    match colours {
        ColorType::Grayscale => paint::<1>(pixels, target, order, |[grey]| [grey; 3]),
        ColorType::GrayscaleAlpha => paint::<2>(pixels, target, order, |[grey, _]| [grey; 3]),
        ColorType::Rgba => paint::<4>(pixels, target, order, |[r, g, b, _]| [r, g, b]),
        ColorType::Rgb | ColorType::Indexed => paint::<3>(pixels, target, order, |rgb| rgb),
    }
    scratch.shrink();
    Ok(())
}

fn broken(kind: &str, what: &str) -> Fault {
    // The libraries' words may have several lines.
    let line = what.lines().next().unwrap_or_default();
    Fault(format!("a {kind} picture that can not be decoded: {}", crate::escape::escape(line)))
}

fn same_size(kind: &str, (width, height): (usize, usize), (ours, theirs): (usize, usize)) -> Result<(), Fault> {
    if (width, height) != (ours, theirs) {
        return Err(Fault(format!("a {kind} picture of {width}x{height} for a rectangle of {ours}x{theirs}")));
    }
    Ok(())
}

/// Paints pixels of `N` bytes whose colour `rgb` knows.
fn paint<const N: usize>(pixels: &[u8], target: &mut Target<'_>, order: ByteOrder, rgb: impl Fn([u8; N]) -> [u8; 3]) {
    for (bytes, row) in pixels.chunks_exact(target.width().max(1) * N).zip(target.rows_from(0)) {
        for (out, pixel) in row.iter_mut().zip(bytes.as_chunks::<N>().0) {
            *out = order.pixel(rgb(*pixel));
        }
    }
}
