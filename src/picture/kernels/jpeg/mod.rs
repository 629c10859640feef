//! The arithmetic of JPEG pictures between their coefficients and the pixels of a canvas (ITU-T T.81; JFIF 1.02).
//!
//! Every step rounds as libjpeg does, so that a picture has the pixels that nearly all other programs show. As above, what
//! a kernel does is said by `scalar.rs`, and the other back ends give the same.

mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::Backend;
use crate::picture::ByteOrder;

/// 8x8 coefficients or quantisation steps, row by row.
pub type Block = [i16; 64];

/// The samples of a block from its quantised `coefficients` (T.81, A.3.3 and A.3.4), onto eight rows of `out` that begin
/// `stride` bytes apart; of what does not fit nothing is written.
#[inline]
pub fn inverse_dct(coefficients: &Block, steps: &Block, out: &mut [u8], stride: usize) {
    inverse_dct_by(Backend::best(), coefficients, steps, out, stride);
}

#[inline]
fn inverse_dct_by(backend: Backend, coefficients: &Block, steps: &Block, out: &mut [u8], stride: usize) {
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2(avx2) => x86::inverse_dct(avx2, coefficients, steps, out, stride),
        _ => write(scalar::inverse_dct(coefficients, steps), out, stride),
    }
}

/// As [`inverse_dct`], of a block whose coefficients are 0 but for the first four of the first four rows.
#[inline]
pub fn inverse_dct_of_corner(coefficients: &Block, steps: &Block, out: &mut [u8], stride: usize) {
    match Backend::best() {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2(avx2) => x86::inverse_dct_of_corner(avx2, coefficients, steps, out, stride),
        _ => write(scalar::inverse_dct(coefficients, steps), out, stride),
    }
}

#[inline(always)]
fn write(samples: [[u8; 8]; 8], out: &mut [u8], stride: usize) {
    for (row, samples) in out.chunks_mut(stride.max(8)).zip(samples) {
        if let Some(row) = row.first_chunk_mut() {
            *row = samples;
        }
    }
}

/// The samples of a block of which only the mean differs from 0, as [`inverse_dct`] has them.
#[inline]
pub fn even_block(mean: i16, step: i16, out: &mut [u8], stride: usize) {
    let sample = scalar::sample((i32::from(mean.wrapping_mul(step)) + 4) >> 3);
    out.chunks_mut(stride.max(8)).take(8).filter_map(|row| row.first_chunk_mut()).for_each(|row| *row = [sample; 8]);
}

/// What of the samples of two rows a row between them has: three parts of the nearer one, and one of the other. As many as
/// all three hold.
pub fn between(near: &[u8], far: &[u8], sums: &mut [u16]) {
    match Backend::best() {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2(avx2) => x86::between(avx2, near, far, sums),
        _ => scalar::between(near, far, sums),
    }
}

/// Twice as many samples as `sums` has inside: each of those becomes two, of three parts of itself and one of its neighbour
/// to that side, the outermost of `sums` being nothing but neighbours. The parts are added up, `rounding` is added for the
/// left and for the right one, and all is shifted by `shift` bits.
pub fn widen(sums: &[u16], rounding: [u16; 2], shift: u32, out: &mut [u8]) {
    match Backend::best() {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2(avx2) => x86::widen(avx2, sums, rounding, shift, out),
        _ => scalar::widen(sums, rounding, shift, out),
    }
}

/// The pixels of a row of luminance and both chrominances (JFIF 1.02, "Conversion to and from RGB"): as many as all hold.
#[inline]
pub fn ycbcr(samples: [&[u8]; 3], out: &mut [u32], order: ByteOrder) {
    ycbcr_by(Backend::best(), samples, out, order);
}

fn ycbcr_by(backend: Backend, samples: [&[u8]; 3], out: &mut [u32], order: ByteOrder) {
    let count = samples.iter().fold(out.len(), |count, samples| count.min(samples.len()));
    let [y, cb, cr] = samples.map(|samples| samples.get(..count).unwrap_or_default());
    let out = out.get_mut(..count).unwrap_or_default();
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2(avx2) => x86::ycbcr(avx2, [y, cb, cr], out, order),
        _ => scalar::ycbcr([y, cb, cr], out, order),
    }
}

/// The pixels of a row of a picture without colours.
pub fn grey(samples: &[u8], out: &mut [u32]) {
    super::each(samples, out, |[grey]| u32::from(grey) * 0x0001_0101);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{backends, random};
    use super::*;

    fn coefficients(seed: u32, spread: u32) -> Block {
        let bytes = random(128, seed);
        std::array::from_fn(|at| i16::from_le_bytes([bytes[at * 2], bytes[at * 2 + 1]]) >> spread)
    }

    /// What the cosines are, in floating point.
    fn by_definition(coefficients: &Block, steps: &Block) -> [[f64; 8]; 8] {
        let part = |n: usize, k: usize| {
            let scale = if k == 0 { 0.125_f64.sqrt() } else { 0.5 };
            scale * ((2 * n + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos()
        };
        std::array::from_fn(|y| {
            std::array::from_fn(|x| {
                let sum: f64 = (0..64)
                    .map(|at| f64::from(coefficients[at]) * f64::from(steps[at]) * part(y, at / 8) * part(x, at % 8))
                    .sum();
                (sum + 128.0).clamp(0.0, 255.0)
            })
        })
    }

    #[test]
    fn the_transform_is_what_its_definition_says() {
        for backend in backends() {
            for seed in 0..200 {
                let coefficients = coefficients(seed, 10 + seed % 4);
                let steps: Block = std::array::from_fn(|at| 1 + at as i16 % 5);
                let mut out = [0; 64];
                inverse_dct_by(backend, &coefficients, &steps, &mut out, 8);
                for (row, expected) in out.chunks(8).zip(by_definition(&coefficients, &steps)) {
                    for (&sample, expected) in row.iter().zip(expected) {
                        assert!((f64::from(sample) - expected).abs() < 1.0, "{backend:?}: {sample} for {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn all_back_ends_transform_alike_whatever_the_coefficients() {
        for seed in 0..4000 {
            let (coefficients, steps) = (coefficients(seed, seed % 16), coefficients(seed + 5000, seed / 16 % 16));
            let expected = scalar::inverse_dct(&coefficients, &steps);
            for backend in backends() {
                let mut out = vec![7; 7 * 11 + 8];
                inverse_dct_by(backend, &coefficients, &steps, &mut out, 11);
                for (row, expected) in out.chunks(11).zip(expected) {
                    assert_eq!(row[..8], expected, "{backend:?}");
                    assert!(row[8..].iter().all(|&beside| beside == 7));
                }
            }
        }
    }

    #[test]
    fn a_corner_is_what_the_whole_block_is() {
        for seed in 0..4000 {
            let (mut coefficients, steps) = (coefficients(seed, seed % 16), coefficients(seed + 5000, seed / 16 % 16));
            for (at, coefficient) in coefficients.iter_mut().enumerate() {
                if at / 8 >= 4 || at % 8 >= 4 {
                    *coefficient = 0;
                }
            }
            let mut out = [0; 64];
            inverse_dct_of_corner(&coefficients, &steps, &mut out, 8);
            assert_eq!(out.as_chunks::<8>().0, scalar::inverse_dct(&coefficients, &steps));
        }
    }

    #[test]
    fn a_block_of_one_mean_is_what_the_transform_makes_of_it() {
        for mean in -2048..2048 {
            let mut coefficients = [0; 64];
            coefficients[0] = mean;
            let mut out = [0; 64];
            even_block(mean, 3, &mut out, 8);
            assert_eq!(out.as_chunks::<8>().0, scalar::inverse_dct(&coefficients, &[3; 64]), "{mean}");
        }
    }

    #[test]
    fn rows_are_widened_with_their_neighbours() {
        for width in 0..=70 {
            let (near, far) = (random(width, 3), random(width, 4));
            let mut sums = vec![0; width + 2];
            between(&near, &far, &mut sums[1..=width]);
            for x in 0..width {
                assert_eq!(sums[x + 1], u16::from(near[x]) * 3 + u16::from(far[x]));
            }
            (sums[0], sums[width + 1]) = (sums[1], sums[width]);
            let mut out = vec![9; width * 2 + 3];
            widen(&sums, [8, 7], 4, &mut out);
            for x in 0..width {
                assert_eq!(u16::from(out[x * 2]), (sums[x + 1] * 3 + sums[x] + 8) >> 4);
                assert_eq!(u16::from(out[x * 2 + 1]), (sums[x + 1] * 3 + sums[x + 2] + 7) >> 4);
            }
            assert_eq!(out[width * 2..], [9; 3]);
        }
    }

    #[test]
    fn every_colour_is_rounded_as_its_definition() {
        // 16.16 fixed point, as libjpeg has it: the nearest of what the numbers of JFIF give.
        let expected = |y: u8, cb: u8, cr: u8| {
            let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
            [
                y + ((91881 * cr + 32768) >> 16),
                y + ((-22554 * cb - 46802 * cr + 32768) >> 16),
                y + ((116_130 * cb + 32768) >> 16),
            ]
            .map(|part| part.clamp(0, 255) as u8)
        };
        let cr: Vec<u8> = (0..=255).collect();
        for backend in backends() {
            for cb in 0..=255 {
                for y in [0, 1, 77, 128, 200, 255] {
                    for order in [ByteOrder::Rgbx, ByteOrder::Bgrx] {
                        let mut out = [0; 256];
                        ycbcr_by(backend, [&[y; 256], &[cb; 256], &cr], &mut out, order);
                        for (pixel, cr) in out.iter().zip(0..=255) {
                            assert_eq!(*pixel, order.pixel(expected(y, cb, cr)), "{backend:?}: {y} {cb} {cr}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn pixels_end_with_the_shortest_row() {
        for backend in backends() {
            for width in 0..=70 {
                let [y, cb, cr] = [1, 2, 3].map(|seed| random(width + 5, seed));
                let (mut out, mut expected) = (vec![9; width + 3], vec![9; width + 3]);
                let samples = [&y[1..], &cb[..width], &cr[2..]];
                ycbcr_by(backend, samples, &mut out, ByteOrder::Bgrx);
                scalar::ycbcr(samples, &mut expected, ByteOrder::Bgrx);
                assert_eq!(out, expected, "{backend:?}");
                assert_eq!(out[width..], [9; 3]);
            }
        }
    }
}
