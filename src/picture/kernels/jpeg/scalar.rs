//! The kernels of JPEG in plain code.

use super::Block;
use crate::picture::ByteOrder;

/// Bits behind the binary point of the constants, and those that are kept from the first pass to the second.
const BITS: u32 = 13;
const KEPT: u32 = 2;

/// See [`super::inverse_dct`]: columns, then rows, each by the eleven multiplications of Loeffler, Ligtenberg and
/// Moschytz.
///
/// What is too large for any real picture is cut off where the vector code's 16 bits do it.
pub(super) fn inverse_dct(coefficients: &Block, steps: &Block) -> [[u8; 8]; 8] {
    let mut columns = [[0; 8]; 8];
    for ((row, coefficients), steps) in columns.iter_mut().zip(coefficients.chunks(8)).zip(steps.chunks(8)) {
        for ((out, &coefficient), &step) in row.iter_mut().zip(coefficients).zip(steps) {
            *out = coefficient.wrapping_mul(step);
        }
    }
    let rows = transposed(columns)
        .map(|column| pass(column).map(|sum| rounded(sum, BITS - KEPT).clamp(i16::MIN.into(), i16::MAX.into()) as i16));
    transposed(rows).map(|row| pass(row).map(|sum| sample(rounded(sum, BITS + KEPT + 3))))
}

/// A sample, of which 0 is the middle, as it is shown.
pub(super) fn sample(value: i32) -> u8 {
    (value.clamp(-128, 127) + 128) as u8
}

fn rounded(value: i32, bits: u32) -> i32 {
    value.wrapping_add(1 << (bits - 1)) >> bits
}

fn transposed(rows: [[i16; 8]; 8]) -> [[i16; 8]; 8] {
    let mut columns = [[0; 8]; 8];
    for (x, row) in rows.into_iter().enumerate() {
        for (column, value) in columns.iter_mut().zip(row) {
            if let Some(place) = column.get_mut(x) {
                *place = value;
            }
        }
    }
    columns
}

/// Eight values of one dimension, `BITS` larger.
fn pass([in0, in1, in2, in3, in4, in5, in6, in7]: [i16; 8]) -> [i32; 8] {
    let dot = |a: i16, by: i32, b: i16, and: i32| (i32::from(a) * by).wrapping_add(i32::from(b) * and);
    // The even part.
    let (sum, difference) = (dot(in0, 1 << BITS, in4, 1 << BITS), dot(in0, 1 << BITS, in4, -(1 << BITS)));
    let (two, six) = (dot(in2, 4433 + 6270, in6, 4433), dot(in2, 4433, in6, 4433 - 15137));
    let even =
        [sum.wrapping_add(two), difference.wrapping_add(six), difference.wrapping_sub(six), sum.wrapping_sub(two)];
    // The odd part.
    let (z3, z4) = (in7.wrapping_add(in3), in5.wrapping_add(in1));
    let (third, fourth) = (dot(z3, 9633 - 16069, z4, 9633), dot(z3, 9633, z4, 9633 - 3196));
    let odd = [
        dot(in7, -7373, in1, 12299 - 7373).wrapping_add(fourth),
        dot(in5, -20995, in3, 25172 - 20995).wrapping_add(third),
        dot(in5, 16819 - 20995, in3, -20995).wrapping_add(fourth),
        dot(in7, 2446 - 7373, in1, -7373).wrapping_add(third),
    ];
    let [a, b, c, d] = even;
    let [e, f, g, h] = odd;
    [
        a.wrapping_add(e),
        b.wrapping_add(f),
        c.wrapping_add(g),
        d.wrapping_add(h),
        d.wrapping_sub(h),
        c.wrapping_sub(g),
        b.wrapping_sub(f),
        a.wrapping_sub(e),
    ]
}

/// See [`super::between`].
#[inline(always)]
pub(super) fn between(near: &[u8], far: &[u8], sums: &mut [u16]) {
    for ((sum, &near), &far) in sums.iter_mut().zip(near).zip(far) {
        *sum = u16::from(near) * 3 + u16::from(far);
    }
}

/// See [`super::widen`].
#[inline(always)]
pub(super) fn widen(sums: &[u16], [left, right]: [u16; 2], shift: u32, out: &mut [u8]) {
    let (here, after) = (sums.get(1..).unwrap_or_default(), sums.get(2..).unwrap_or_default());
    let pairs = out.as_chunks_mut::<2>().0;
    for (((pair, &before), &here), &after) in pairs.iter_mut().zip(sums).zip(here).zip(after) {
        let here = here * 3;
        *pair = [((before + here + left) >> shift) as u8, ((after + here + right) >> shift) as u8];
    }
}

/// See [`super::ycbcr`].
pub(super) fn ycbcr([y, cb, cr]: [&[u8]; 3], out: &mut [u32], order: ByteOrder) {
    for (((out, &y), &cb), &cr) in out.iter_mut().zip(y).zip(cb).zip(cr) {
        let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
        let part = |difference: i32| (y + ((difference + (1 << 15)) >> 16)).clamp(0, 255) as u8;
        *out = order.pixel([part(91_881 * cr), part(-22_554 * cb - 46_802 * cr), part(116_130 * cb)]);
    }
}
