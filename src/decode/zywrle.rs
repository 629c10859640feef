//! ZYWRLE (Hitachi's draft "ZYWRLE: Enhanced VNC codec for Motion picture"): ZRLE whose raw tiles hold another tile, of
//! wavelet coefficients.
//!
//! A colour becomes Y, U and V by the reversible transform of JPEG 2000, a signed byte each; Y takes the place of green,
//! U and V those of the others. Then the piecewise linear Haar transform (PLHaar: Senecal et al. 2004) splits the tile
//! into a quarter of averages and three of differences, and the averages again, `levels` times. The differences come
//! first, the finest before the coarser: diagonal, vertical, horizontal; then the averages; then, untransformed, what
//! lies beyond a multiple of 2^levels: at the right, at the bottom and in the corner.

use super::tiles::Stop;
use super::trle::{self, Palette};
use super::{Fault, Pixels};
use crate::picture::convert::{Source, scaled};
use crate::picture::{ByteOrder, Target};
use crate::rfb::{Layout, Reader};

/// What turns coefficients into pixels.
#[derive(Debug, Default)]
pub(super) struct Wavelets {
    levels: usize,
    coarse: Option<Coarse>,
    coefficients: Vec<u32>,
    averages: Vec<u32>,
    finer: Vec<u32>,
}

/// Colours of fewer than eight bits: the coefficients and the colours made of them lie in the highest bits of a byte.
#[derive(Debug, Clone, Copy)]
struct Coarse {
    order: ByteOrder,
    max: [u16; 3],
    // The bits that a coefficient has, in all three colours.
    mask: u32,
}

impl Wavelets {
    /// The pixel format and how often averages were taken. With less than 16 bits a pixel no server takes any.
    pub(super) fn set(&mut self, pixels: &Pixels, levels: usize) {
        let (order, format) = (pixels.order(), pixels.format());
        self.coarse = None;
        self.levels = match format.layout {
            Layout::TrueColour { max, .. } if format.bits_per_pixel >= 16 => {
                if max.iter().any(|&max| max < 255) {
                    let mask = order.pixel(max.map(|max| !(0xff_u8.checked_shr(bits(max)).unwrap_or(0))));
                    self.coarse = Some(Coarse { order, max, mask });
                }
                levels
            }
            _ => 0,
        };
    }

    /// As [`trle::paint`], with coefficients in the place of raw pixels.
    pub(super) fn paint<S: Source>(
        &mut self,
        source: S,
        reader: &mut Reader<'_>,
        tile: &mut Target<'_>,
        palette: &mut Palette,
    ) -> Result<(), Stop> {
        if self.levels == 0 || reader.rest().first() != Some(&trle::RAW) {
            return trle::paint(source, reader, tile, palette);
        }
        reader.u8()?;
        let (width, height) = (tile.width(), tile.height());
        self.coefficients.resize(width * height, 0);
        let mut flat = Target::new(&mut self.coefficients, width, width, height).ok_or_else(other_size)?;
        trle::paint(source, reader, &mut flat, palette)?;
        self.synthesise(tile).ok_or_else(other_size)
    }

    /// Paints the tile whose coefficients are here; `None` if they are not as many as its pixels.
    fn synthesise(&mut self, tile: &mut Target<'_>) -> Option<()> {
        let levels = self.levels;
        let (width, height) = (tile.width() >> levels << levels, tile.height() >> levels << levels);
        let (right, bottom) = (tile.width() - width, tile.height() - height);
        if width == 0 || height == 0 {
            // Too small to be transformed.
            copy(&self.coefficients, tile);
            return Some(());
        }
        let (transformed, plain) = self.coefficients.split_at_mut_checked(width * height)?;
        if let Some(coarse) = self.coarse {
            transformed.iter_mut().for_each(|coefficient| *coefficient &= coarse.mask);
        }

        let averages_at = transformed.len() - ((width * height) >> (2 * levels));
        self.averages.clear();
        self.averages.extend_from_slice(transformed.get(averages_at..)?);
        for level in (0..levels).rev() {
            let (across, down) = (width >> (level + 1), height >> (level + 1));
            let quarter = across * down;
            // Of finer levels there are 3/4 of the tile, 3/4 of the rest, and so on.
            let at = width * height - ((width * height) >> (2 * level));
            let mut differences = transformed.get(at..at + 3 * quarter)?.chunks_exact(quarter);
            let [diagonal, vertical, horizontal] = [differences.next()?, differences.next()?, differences.next()?];
            let quarters = self.averages.chunks_exact(across).zip(horizontal.chunks_exact(across));
            let quarters = quarters.zip(vertical.chunks_exact(across)).zip(diagonal.chunks_exact(across));
            if level > 0 {
                self.finer.resize(4 * quarter, 0);
                let rows = self.finer.chunks_exact_mut(4 * across);
                for (rows, (((average, horizontal), vertical), diagonal)) in rows.zip(quarters) {
                    let (even, odd) = rows.split_at_mut_checked(2 * across)?;
                    join(average, horizontal, vertical, diagonal, even, odd);
                }
                std::mem::swap(&mut self.averages, &mut self.finer);
            } else {
                let mut rows = tile.rows_from(0).filter_map(|row| row.get_mut(..width));
                for (((average, horizontal), vertical), diagonal) in quarters {
                    let (even, odd) = (rows.next()?, rows.next()?);
                    join(average, horizontal, vertical, diagonal, even, odd);
                    for row in [even, odd] {
                        row.iter_mut().for_each(|pixel| *pixel = colour(*pixel));
                        if let Some(coarse) = self.coarse {
                            row.iter_mut().for_each(|pixel| *pixel = coarse.scaled(*pixel));
                        }
                    }
                }
            }
        }

        let (at_right, rest) = plain.split_at_checked(right * height)?;
        let (below, corner) = rest.split_at_checked(width * bottom)?;
        copy(at_right, &mut tile.part(width, 0, right, height).ok()?);
        copy(below, &mut tile.part(0, height, width, bottom).ok()?);
        copy(corner, &mut tile.part(width, height, right, bottom).ok()?);
        Some(())
    }
}

fn other_size() -> Stop {
    Stop::Fault(Fault::from("coefficients of another tile"))
}

fn copy(pixels: &[u32], target: &mut Target<'_>) {
    let width = target.width().max(1);
    for (row, pixels) in target.rows_from(0).zip(pixels.chunks_exact(width)) {
        row.copy_from_slice(pixels);
    }
}

fn bits(max: u16) -> u32 {
    16 - max.leading_zeros()
}

impl Coarse {
    /// The pixel whose colours are the highest bits of those of `pixel`.
    fn scaled(&self, pixel: u32) -> u32 {
        let mut colour = self.order.colour(pixel);
        for (part, max) in colour.iter_mut().zip(self.max) {
            *part = scaled(u32::from(*part) >> 8_u32.saturating_sub(bits(max)), 0, max.min(255)) as u8;
        }
        self.order.pixel(colour)
    }
}

/// Two rows, from a row of averages and one of each kind of differences.
fn join(average: &[u32], horizontal: &[u32], vertical: &[u32], diagonal: &[u32], even: &mut [u32], odd: &mut [u32]) {
    let quarters = average.iter().zip(horizontal).zip(vertical).zip(diagonal);
    let rows = even.as_chunks_mut::<2>().0.iter_mut().zip(odd.as_chunks_mut::<2>().0);
    for ((((&average, &horizontal), &vertical), &diagonal), (even, odd)) in quarters.zip(rows) {
        let (left, below_left) = haar(average, vertical);
        let (right, below_right) = haar(horizontal, diagonal);
        *even = haar(left, right).into();
        *odd = haar(below_left, below_right).into();
    }
}

/// PLHaar, which is its own inverse, of four signed bytes at once, without a carry from one to the next.
#[inline(always)]
fn haar(a: u32, b: u32) -> (u32, u32) {
    const SIGN: u32 = 0x8080_8080;
    // All bits of a byte as its highest.
    let spread = |bits: u32| (bits & SIGN) | ((bits & SIGN) - ((bits & SIGN) >> 7));
    let choose = |first: u32, mask: u32, second: u32| second ^ (mask & (first ^ second));
    let subtract = |a: u32, b: u32| ((a | SIGN) - (b & !SIGN)) ^ ((a ^ !b) & SIGN);
    let sum = ((a & !SIGN) + (b & !SIGN)) ^ ((a ^ b) & SIGN);
    let difference = subtract(a, b);
    let differ = spread(a ^ b);
    // Of different signs: the sum, and the negative of the larger or the smaller.
    let larger_b = spread(!(sum ^ b));
    // Of the same sign: the larger, and the difference.
    let larger_a = spread(!(difference ^ a));
    let low = choose(sum, differ, choose(a, larger_a, b));
    let high = choose(choose(subtract(0, b), larger_b, a), differ, difference);
    (low, high)
}

/// The colour of Y, U and V.
#[inline(always)]
fn colour(coefficients: u32) -> u32 {
    let signed = |shift: u32| i32::from((coefficients >> shift) as i8);
    let (y, u, v) = (signed(8) + 128, signed(0) * 2, signed(16) * 2);
    let green = y - ((u + v) >> 2);
    let byte = |part: i32| part.clamp(0, 255) as u32;
    byte(u + green) | byte(green) << 8 | byte(v + green) << 16
}
