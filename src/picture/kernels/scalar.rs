//! The kernels in plain code, for machines without the instructions of the other back ends, and for the ends of rows.

use super::Places;

/// See [`super::expand24`].
pub(super) fn expand24(bytes: &[u8], out: &mut [u32], places: Places) {
    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<3>().0) {
        *out = u32::from_le_bytes(places.map(|place| bytes.get(usize::from(place)).copied().unwrap_or_default()));
    }
}

/// See [`super::each`].
#[inline(always)]
pub(super) fn each<const BYTES: usize>(bytes: &[u8], out: &mut [u32], convert: impl Fn([u8; BYTES]) -> u32) {
    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<BYTES>().0) {
        *out = convert(*bytes);
    }
}

/// See [`super::Packed`].
pub(super) fn unpack<const BITS: usize>(bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
    for (out, &byte) in out.chunks_mut(8 / BITS).zip(bytes) {
        for (at, pixel) in out.iter_mut().enumerate() {
            let index = byte >> (8 - BITS - at * BITS) & ((1 << BITS) - 1);
            *pixel = colours.get(usize::from(index)).copied().unwrap_or_default();
        }
    }
}

/// See [`super::gradient`].
///
/// The four bytes of a pixel are worked on at once, each in 16 bits of its own: each pixel waits for the one before it,
/// and byte by byte that takes 1.3 times as long.
#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
pub(super) fn gradient(above: &mut [u32], row: &mut [u32]) {
    /// One in each of four.
    const ONES: u64 = 0x0001_0001_0001_0001;
    let spread = |pixel: u32| {
        let pixel = u64::from(pixel);
        pixel & 0xff | (pixel & 0xff00) << 8 | (pixel & 0x00ff_0000) << 16 | (pixel & 0xff00_0000) << 24
    };
    let (mut left, mut above_left) = (0, 0);
    for (pixel, above) in row.iter_mut().zip(above) {
        let up = spread(*above);
        // 256 more than expected, so that none borrows from the next: below 256 it stands for 0, from 512 on for 255.
        let sum = left + (up + (ONES << 8) - above_left);
        let (full, kept) = (sum >> 9 & ONES, sum >> 8 & ONES);
        let expected = sum & ((kept << 8) - kept) | ((full << 8) - full);
        left = (expected + spread(*pixel)) & (0xff * ONES);
        above_left = up;
        let halves = left | left >> 8;
        *pixel = (halves & 0xffff) as u32 | ((halves >> 16) & 0xffff_0000) as u32;
        *above = *pixel;
    }
}

/// See [`super::look_up`].
#[inline]
pub(super) fn look_up(bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
    for (out, &index) in out.iter_mut().zip(bytes) {
        *out = colours.get(usize::from(index & 15)).copied().unwrap_or_default();
    }
}
