//! The kernels of JPEG for AVX2.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::x86::{Avx2, load, store_eight};
use super::{Block, scalar};
use crate::picture::ByteOrder;

/// See [`super::inverse_dct`].
#[inline]
pub(super) fn inverse_dct(_: Avx2, coefficients: &Block, steps: &Block, out: &mut [u8], stride: usize) {
    // SAFETY: an `Avx2` exists only where AVX2 was detected.
    unsafe { inverse_dct_avx2(coefficients, steps, out, stride) }
}

/// See [`super::inverse_dct_of_corner`].
#[inline]
pub(super) fn inverse_dct_of_corner(_: Avx2, coefficients: &Block, steps: &Block, out: &mut [u8], stride: usize) {
    // SAFETY: an `Avx2` exists only where AVX2 was detected.
    unsafe { inverse_dct_of_corner_avx2(coefficients, steps, out, stride) }
}

/// See [`super::between`].
pub(super) fn between(_: Avx2, near: &[u8], far: &[u8], sums: &mut [u16]) {
    // SAFETY: an `Avx2` exists only where AVX2 was detected.
    unsafe { between_avx2(near, far, sums) }
}

/// See [`super::widen`].
pub(super) fn widen(_: Avx2, sums: &[u16], rounding: [u16; 2], shift: u32, out: &mut [u8]) {
    // SAFETY: an `Avx2` exists only where AVX2 was detected.
    unsafe { widen_avx2(sums, rounding, shift, out) }
}

/// See [`super::ycbcr`]; all slices are of one length.
pub(super) fn ycbcr(_: Avx2, samples: [&[u8]; 3], out: &mut [u32], order: ByteOrder) {
    // SAFETY: an `Avx2` exists only where AVX2 was detected.
    unsafe { ycbcr_avx2(samples, out, order) }
}

/// What [`scalar::between`] is when it is compiled for AVX2.
#[target_feature(enable = "avx2")]
fn between_avx2(near: &[u8], far: &[u8], sums: &mut [u16]) {
    scalar::between(near, far, sums);
}

/// What [`scalar::widen`] is when it is compiled for AVX2.
#[target_feature(enable = "avx2")]
fn widen_avx2(sums: &[u16], rounding: [u16; 2], shift: u32, out: &mut [u8]) {
    scalar::widen(sums, rounding, shift, out);
}

/// Rows `2n` and `2n + 1` of a block.
#[inline]
#[target_feature(enable = "avx2")]
fn two_rows(block: &Block, n: usize) -> __m256i {
    let rows: &[i16; 16] = block.as_chunks().0.get(n).unwrap_or(&[0; 16]);
    // SAFETY: 32 bytes may be read there, and the instruction asks for no alignment.
    unsafe { _mm256_loadu_si256(rows.as_ptr().cast()) }
}

/// The factors of a pair of values.
#[inline]
#[target_feature(enable = "avx2")]
fn factors(first: i16, second: i16) -> __m256i {
    _mm256_set1_epi32(i32::from(first.cast_unsigned()) | i32::from(second) << 16)
}

/// One pass of [`scalar::inverse_dct`] over eight lanes. A register holds two of the eight values of each lane: those of the
/// first four lanes in its lower half, first the one of even number, then the other; those of the last four in its upper.
/// What comes out, and is shifted by `BITS` with rounding, is one value of all lanes in each register.
#[inline]
#[target_feature(enable = "avx2")]
fn pass<const BITS: i32>([in01, in23, in45, in67]: [__m256i; 4]) -> [__m256i; 8] {
    let (in04, in26) = (_mm256_unpacklo_epi16(in01, in45), _mm256_unpacklo_epi16(in23, in67));
    let rounding = _mm256_set1_epi32(1 << (BITS - 1));
    let sum = _mm256_add_epi32(_mm256_madd_epi16(in04, factors(8192, 8192)), rounding);
    let difference = _mm256_add_epi32(_mm256_madd_epi16(in04, factors(8192, -8192)), rounding);
    let two = _mm256_madd_epi16(in26, factors(4433 + 6270, 4433));
    let six = _mm256_madd_epi16(in26, factors(4433, 4433 - 15137));
    let even = [
        _mm256_add_epi32(sum, two),
        _mm256_add_epi32(difference, six),
        _mm256_sub_epi32(difference, six),
        _mm256_sub_epi32(sum, two),
    ];

    let (in71, in53) = (_mm256_unpackhi_epi16(in67, in01), _mm256_unpackhi_epi16(in45, in23));
    let z34 = _mm256_unpackhi_epi16(_mm256_add_epi16(in67, in23), _mm256_add_epi16(in45, in01));
    let third = _mm256_madd_epi16(z34, factors(9633 - 16069, 9633));
    let fourth = _mm256_madd_epi16(z34, factors(9633, 9633 - 3196));
    let odd = [
        _mm256_add_epi32(_mm256_madd_epi16(in71, factors(-7373, 12299 - 7373)), fourth),
        _mm256_add_epi32(_mm256_madd_epi16(in53, factors(-20995, 25172 - 20995)), third),
        _mm256_add_epi32(_mm256_madd_epi16(in53, factors(16819 - 20995, -20995)), fourth),
        _mm256_add_epi32(_mm256_madd_epi16(in71, factors(2446 - 7373, -7373)), third),
    ];
    ends::<BITS>(even, odd)
}

/// [`pass`] where the last four of the eight values are 0.
#[inline]
#[target_feature(enable = "avx2")]
fn pass_of_four<const BITS: i32>([in01, in23]: [__m256i; 2]) -> [__m256i; 8] {
    let (in02, in13) = (_mm256_unpacklo_epi16(in01, in23), _mm256_unpackhi_epi16(in01, in23));
    let rounding = _mm256_set1_epi32(1 << (BITS - 1));
    let even = |by| _mm256_add_epi32(_mm256_madd_epi16(in02, by), rounding);
    let odd = |by| _mm256_madd_epi16(in13, by);
    let two = 4433 + 6270;
    ends::<BITS>(
        [even(factors(8192, two)), even(factors(8192, 4433)), even(factors(8192, -4433)), even(factors(8192, -two))],
        [
            odd(factors(12299 - 7373 + 9633 - 3196, 9633)),
            odd(factors(9633, 25172 - 20995 + 9633 - 16069)),
            odd(factors(9633 - 3196, -20995 + 9633)),
            odd(factors(-7373 + 9633, 9633 - 16069)),
        ],
    )
}

/// The sums of the even and odd parts, and from the last to the first their differences.
#[inline]
#[target_feature(enable = "avx2")]
fn ends<const BITS: i32>([a, b, c, d]: [__m256i; 4], [e, f, g, h]: [__m256i; 4]) -> [__m256i; 8] {
    let sums = [_mm256_add_epi32(a, e), _mm256_add_epi32(b, f), _mm256_add_epi32(c, g), _mm256_add_epi32(d, h)];
    let differences = [_mm256_sub_epi32(d, h), _mm256_sub_epi32(c, g), _mm256_sub_epi32(b, f), _mm256_sub_epi32(a, e)];
    let ([s, t, u, v], [w, x, y, z]) = (sums, differences);
    [
        _mm256_srai_epi32::<BITS>(s),
        _mm256_srai_epi32::<BITS>(t),
        _mm256_srai_epi32::<BITS>(u),
        _mm256_srai_epi32::<BITS>(v),
        _mm256_srai_epi32::<BITS>(w),
        _mm256_srai_epi32::<BITS>(x),
        _mm256_srai_epi32::<BITS>(y),
        _mm256_srai_epi32::<BITS>(z),
    ]
}

/// From values to lanes. Of the four registers the first two have values 0 to 3, the others 4 to 7; the first of both the
/// lanes 0 and 1 in its lower half and 4 and 5 in its upper one, the second the lanes 2 and 3, and 6 and 7.
#[inline]
#[target_feature(enable = "avx2")]
fn turned([v0, v1, v2, v3, v4, v5, v6, v7]: [__m256i; 8]) -> [__m256i; 4] {
    let (v01, v23) = (_mm256_packs_epi32(v0, v1), _mm256_packs_epi32(v2, v3));
    let (v45, v67) = (_mm256_packs_epi32(v4, v5), _mm256_packs_epi32(v6, v7));
    let (v02, v13) = (_mm256_unpacklo_epi16(v01, v23), _mm256_unpackhi_epi16(v01, v23));
    let (v46, v57) = (_mm256_unpacklo_epi16(v45, v67), _mm256_unpackhi_epi16(v45, v67));
    [
        _mm256_unpacklo_epi16(v02, v13),
        _mm256_unpackhi_epi16(v02, v13),
        _mm256_unpacklo_epi16(v46, v57),
        _mm256_unpackhi_epi16(v46, v57),
    ]
}

#[target_feature(enable = "avx2")]
fn inverse_dct_avx2(coefficients: &Block, steps: &Block, out: &mut [u8], stride: usize) {
    // Lanes are columns.
    let rows = |n| rows(coefficients, steps, n);
    let [low, low2, high, high2] = turned(pass::<11>([rows(0), rows(1), rows(2), rows(3)]));
    // Lanes are rows.
    let samples = shown(pass::<18>([
        _mm256_permute2x128_si256::<0x20>(low, high),
        _mm256_permute2x128_si256::<0x20>(low2, high2),
        _mm256_permute2x128_si256::<0x31>(low, high),
        _mm256_permute2x128_si256::<0x31>(low2, high2),
    ]));
    super::write(samples, out, stride);
}

#[target_feature(enable = "avx2")]
fn inverse_dct_of_corner_avx2(coefficients: &Block, steps: &Block, out: &mut [u8], stride: usize) {
    let [low, low2, high, high2] =
        turned(pass_of_four::<11>([rows(coefficients, steps, 0), rows(coefficients, steps, 1)]));
    let samples = shown(pass_of_four::<18>([
        _mm256_permute2x128_si256::<0x20>(low, high),
        _mm256_permute2x128_si256::<0x20>(low2, high2),
    ]));
    super::write(samples, out, stride);
}

/// Rows `2n` and `2n + 1` of the coefficients, as [`pass`] takes them.
#[inline]
#[target_feature(enable = "avx2")]
fn rows(coefficients: &Block, steps: &Block, n: usize) -> __m256i {
    let rows = _mm256_mullo_epi16(two_rows(coefficients, n), two_rows(steps, n));
    _mm256_permute4x64_epi64::<0b11_01_10_00>(rows)
}

/// Eight columns as rows of samples.
#[inline]
#[target_feature(enable = "avx2")]
fn shown(columns: [__m256i; 8]) -> [[u8; 8]; 8] {
    let [left, left2, right, right2] = turned(columns);
    let shown = |left, right| {
        let halves = _mm256_shuffle_epi32::<0b11_01_10_00>(_mm256_packs_epi16(left, right));
        _mm256_xor_si256(halves, _mm256_set1_epi8(-128))
    };
    let (rows0145, rows2367) = (shown(left, right), shown(left2, right2));
    [
        _mm256_extract_epi64::<0>(rows0145),
        _mm256_extract_epi64::<1>(rows0145),
        _mm256_extract_epi64::<0>(rows2367),
        _mm256_extract_epi64::<1>(rows2367),
        _mm256_extract_epi64::<2>(rows0145),
        _mm256_extract_epi64::<3>(rows0145),
        _mm256_extract_epi64::<2>(rows2367),
        _mm256_extract_epi64::<3>(rows2367),
    ]
    .map(i64::to_le_bytes)
}

/// Sixteen pixels at a time; what is left ends with the row, some of it done twice.
#[target_feature(enable = "avx2")]
fn ycbcr_avx2(samples: [&[u8]; 3], out: &mut [u32], order: ByteOrder) {
    let [y, cb, cr] = samples;
    let (ys, cbs, crs) = (y.as_chunks().0, cb.as_chunks().0, cr.as_chunks().0);
    let (sixteens, rest) = out.as_chunks_mut();
    for (((out, y), cb), cr) in sixteens.iter_mut().zip(ys).zip(cbs).zip(crs) {
        sixteen(out, [y, cb, cr], order);
    }
    if rest.is_empty() {
        return;
    }
    if let (Some(out), [Some(y), Some(cb), Some(cr)]) = (out.last_chunk_mut(), samples.map(<[u8]>::last_chunk)) {
        sixteen(out, [y, cb, cr], order);
    } else {
        scalar::ycbcr(samples, out, order);
    }
}

/// In 16 bits: what is multiplied by more than a half is added besides, and doubled, so that the upper half of the product
/// has one bit to round by.
#[inline]
#[target_feature(enable = "avx2")]
fn sixteen(out: &mut [u32; 16], samples: [&[u8; 16]; 3], order: ByteOrder) {
    let middle = _mm256_set1_epi16(128);
    let [y, cb, cr] = samples.map(|samples| _mm256_cvtepu8_epi16(load(samples)));
    let (cb, cr) = (_mm256_sub_epi16(cb, middle), _mm256_sub_epi16(cr, middle));
    let (cb2, cr2) = (_mm256_add_epi16(cb, cb), _mm256_add_epi16(cr, cr));
    let halved = |product| _mm256_srai_epi16::<1>(_mm256_add_epi16(product, _mm256_set1_epi16(1)));
    // 91881 = 65536 + 26345, 116130 = 2 · 65536 - 14942, 46802 = 65536 - 18734.
    let more_red = halved(_mm256_mulhi_epi16(cr2, _mm256_set1_epi16(26345)));
    let more_blue = halved(_mm256_mulhi_epi16(cb2, _mm256_set1_epi16(-14942)));
    let more_green = |both| {
        let sum = _mm256_madd_epi16(both, factors(-22554, 18734));
        _mm256_srai_epi32::<16>(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << 15)))
    };
    let (low, high) = (_mm256_unpacklo_epi16(cb, cr), _mm256_unpackhi_epi16(cb, cr));
    let more_green = _mm256_packs_epi32(more_green(low), more_green(high));

    let red = _mm256_add_epi16(_mm256_add_epi16(y, cr), more_red);
    let green = _mm256_add_epi16(_mm256_sub_epi16(y, cr), more_green);
    let blue = _mm256_add_epi16(_mm256_add_epi16(y, cb2), more_blue);
    let (first, third) = match order {
        ByteOrder::Rgbx => (red, blue),
        ByteOrder::Bgrx => (blue, red),
    };
    let outer = _mm256_packus_epi16(first, third);
    let inner = _mm256_packus_epi16(green, _mm256_setzero_si256());
    let (low, high) = (_mm256_unpacklo_epi8(outer, inner), _mm256_unpackhi_epi8(outer, inner));
    let (even, odd) = (_mm256_unpacklo_epi16(low, high), _mm256_unpackhi_epi16(low, high));
    let eights = out.as_chunks_mut().0.iter_mut();
    let pixels = [_mm256_permute2x128_si256::<0x20>(even, odd), _mm256_permute2x128_si256::<0x31>(even, odd)];
    eights.zip(pixels).for_each(|(eight, pixels)| store_eight(eight, pixels));
}
