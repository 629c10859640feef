//! The kernels for x86_64: SSE2, which every one has, SSSE3 and AVX2.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Places, Work, scalar};

/// Proof that the machine has SSSE3.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ssse3(());

impl Ssse3 {
    #[inline]
    pub(super) fn detect() -> Option<Ssse3> {
        is_x86_feature_detected!("ssse3").then_some(Ssse3(()))
    }

    pub(super) fn expand24(self, bytes: &[u8], out: &mut [u32], places: Places) {
        // SAFETY: `self` exists only where SSSE3 was detected.
        unsafe { expand24_ssse3(bytes, out, places) }
    }

    pub(super) fn unpack<const BITS: usize>(self, bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
        // SAFETY: `self` exists only where SSSE3 was detected.
        unsafe { unpack_ssse3::<BITS>(bytes, colours, out) }
    }
}

/// Proof that the machine has AVX2, and BMI2, which came with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(super) fn detect() -> Option<Avx2> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2")).then_some(Avx2(()))
    }

    #[inline]
    pub(super) fn run<W: Work>(self, work: W) -> W::Output {
        // SAFETY: `self` exists only where both were detected.
        unsafe { run_avx2(work) }
    }

    pub(super) fn expand24(self, bytes: &[u8], out: &mut [u32], places: Places) {
        // SAFETY: `self` exists only where AVX2 was detected.
        unsafe { expand24_avx2(bytes, out, places) }
    }

    pub(super) fn unpack<const BITS: usize>(self, bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
        // SAFETY: `self` exists only where AVX2 was detected.
        unsafe { unpack_avx2::<BITS>(bytes, colours, out) }
    }

    #[inline]
    pub(super) fn look_up(self, bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
        // SAFETY: `self` exists only where AVX2 was detected.
        unsafe { look_up_avx2(bytes, colours, out) }
    }

    #[inline]
    pub(super) fn each<const BYTES: usize>(self, bytes: &[u8], out: &mut [u32], convert: impl Fn([u8; BYTES]) -> u32) {
        // SAFETY: `self` exists only where AVX2 was detected.
        unsafe { each_avx2(bytes, out, convert) }
    }
}

#[inline]
pub(super) fn load(from: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes may be read there, and the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

#[inline]
fn load_pixels(from: &[u32; 4]) -> __m128i {
    // SAFETY: 16 bytes may be read there, and the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

#[inline]
fn store(to: &mut [u32; 4], pixels: __m128i) {
    // SAFETY: 16 bytes may be written there, and the instruction asks for no alignment.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), pixels) }
}

#[inline]
#[target_feature(enable = "avx")]
fn load_eight(from: &[u32; 8]) -> __m256i {
    // SAFETY: 32 bytes may be read there, and the instruction asks for no alignment.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx")]
pub(super) fn store_eight(to: &mut [u32; 8], pixels: __m256i) {
    // SAFETY: 32 bytes may be written there, and the instruction asks for no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), pixels) }
}

#[target_feature(enable = "avx2,bmi2")]
fn run_avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

/// What [`scalar::each`] is when it is compiled for AVX2.
#[target_feature(enable = "avx2")]
fn each_avx2<const BYTES: usize>(bytes: &[u8], out: &mut [u32], convert: impl Fn([u8; BYTES]) -> u32) {
    scalar::each(bytes, out, convert);
}

/// Where each byte of four pixels is in 16 bytes from the wire, of which the first pixel is at `first`.
#[inline]
#[target_feature(enable = "sse2")]
fn shuffle(places: Places, first: i8) -> __m128i {
    // What stays away keeps its highest bit, which makes it 0.
    let places = _mm_set1_epi32(i32::from_le_bytes(places.map(|place| if place < 3 { place } else { 0x80 })));
    let pixels = _mm_add_epi8(_mm_setr_epi8(0, 0, 0, 0, 3, 3, 3, 3, 6, 6, 6, 6, 9, 9, 9, 9), _mm_set1_epi8(first));
    _mm_add_epi8(places, pixels)
}

/// Four pixels at a time, each time from a byte more than they have or more; that leaves up to five, which end with the
/// row: some of them may be painted twice.
#[target_feature(enable = "ssse3")]
fn expand24_ssse3(bytes: &[u8], out: &mut [u32], places: Places) {
    let (Some(last), Some(_)) = (bytes.last_chunk(), out.last_chunk::<5>()) else {
        return scalar::expand24(bytes, out, places);
    };
    let from_first = shuffle(places, 0);
    let (mut ahead, mut fours) = (bytes, out.as_chunks_mut().0.iter_mut());
    while let (Some(now), Some(four)) = (ahead.first_chunk(), fours.next()) {
        store(four, _mm_shuffle_epi8(load(now), from_first));
        ahead = ahead.get(12..).unwrap_or_default();
    }
    if let Some(four) = out.last_chunk_mut::<5>().and_then(|five| five.first_chunk_mut()) {
        store(four, _mm_shuffle_epi8(load(last), shuffle(places, 1)));
    }
    if let Some(four) = out.last_chunk_mut() {
        store(four, _mm_shuffle_epi8(load(last), shuffle(places, 4)));
    }
}

/// As [`expand24_ssse3`], eight at a time: four in each half of the register, with up to nine left.
#[target_feature(enable = "avx2")]
fn expand24_avx2(bytes: &[u8], out: &mut [u32], places: Places) {
    let (Some(last), Some(_)) = (bytes.last_chunk(), out.last_chunk::<9>()) else {
        return expand24_ssse3(bytes, out, places);
    };
    // Both halves begin with the same place of their first pixel.
    let eight_of = |bytes: &[u8; 28], places: __m256i| match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(low), Some(high)) => {
            let halves = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(load(low)), load(high));
            _mm256_shuffle_epi8(halves, places)
        }
        _ => _mm256_setzero_si256(),
    };
    let from_first = _mm256_broadcastsi128_si256(shuffle(places, 0));
    let (mut ahead, mut eights) = (bytes, out.as_chunks_mut().0.iter_mut());
    while let (Some(now), Some(eight)) = (ahead.first_chunk(), eights.next()) {
        store_eight(eight, eight_of(now, from_first));
        ahead = ahead.get(24..).unwrap_or_default();
    }
    if let Some(eight) = out.last_chunk_mut::<9>().and_then(|nine| nine.first_chunk_mut()) {
        store_eight(eight, eight_of(last, _mm256_broadcastsi128_si256(shuffle(places, 1))));
    }
    if let Some(eight) = out.last_chunk_mut() {
        store_eight(eight, eight_of(last, _mm256_broadcastsi128_si256(shuffle(places, 4))));
    }
}

/// Sixteen pixels at a time: indices are spread to a byte each, halving by halving, and looked up in one table for each
/// byte of a pixel.
#[target_feature(enable = "ssse3")]
fn unpack_ssse3<const BITS: usize>(bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
    // The bytes of four colours by their places: the first of each, the second of each, …
    let sorted = |colours: &[u32; 4]| {
        let order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        _mm_shuffle_epi8(load_pixels(colours), order)
    };
    let [a, b, c, d] = [0, 4, 8, 12]
        .map(|first| colours.get(first..).and_then(<[u32]>::first_chunk).map_or(_mm_setzero_si128(), sorted));
    let (low_ab, low_cd) = (_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
    let (high_ab, high_cd) = (_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d));
    let (first, second) = (_mm_unpacklo_epi64(low_ab, low_cd), _mm_unpackhi_epi64(low_ab, low_cd));
    let (third, fourth) = (_mm_unpacklo_epi64(high_ab, high_cd), _mm_unpackhi_epi64(high_ab, high_cd));

    let mut ahead = bytes;
    let (sixteens, rest) = out.as_chunks_mut::<16>();
    for sixteen in sixteens {
        let Some((now, later)) = ahead.split_at_checked(2 * BITS) else {
            return scalar::unpack::<BITS>(ahead, colours, sixteen);
        };
        ahead = later;
        let number = now.iter().rev().fold(0, |number, &byte| number << 8 | i64::from(byte));
        let mut indices = _mm_cvtsi64_si128(number);
        indices = halve::<4>(indices);
        if BITS <= 2 {
            indices = halve::<2>(indices);
        }
        if BITS == 1 {
            indices = halve::<1>(indices);
        }
        let [first, second, third, fourth] =
            [first, second, third, fourth].map(|table| _mm_shuffle_epi8(table, indices));
        let (low, high) = (_mm_unpacklo_epi8(first, second), _mm_unpackhi_epi8(first, second));
        let (low2, high2) = (_mm_unpacklo_epi8(third, fourth), _mm_unpackhi_epi8(third, fourth));
        let pixels = [
            _mm_unpacklo_epi16(low, low2),
            _mm_unpackhi_epi16(low, low2),
            _mm_unpacklo_epi16(high, high2),
            _mm_unpackhi_epi16(high, high2),
        ];
        for (four, pixels) in sixteen.as_chunks_mut().0.iter_mut().zip(pixels) {
            store(four, pixels);
        }
    }
    scalar::unpack::<BITS>(ahead, colours, rest);
}

/// Of the eight low bytes, the higher and the lower `BITS` bits, each in a byte of its own.
#[inline]
#[target_feature(enable = "sse2")]
fn halve<const BITS: i32>(bytes: __m128i) -> __m128i {
    let mask = _mm_set1_epi8((1 << BITS) - 1);
    let high = _mm_and_si128(_mm_srli_epi16::<BITS>(bytes), mask);
    _mm_unpacklo_epi8(high, _mm_and_si128(bytes, mask))
}

/// Eight pixels at a time: their indices are shifted to the low end of 32 bits, which choose among eight registers' parts.
#[target_feature(enable = "avx2")]
fn unpack_avx2<const BITS: usize>(bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
    let (Some(low), Some(high)) = (colours.first_chunk(), colours.last_chunk()) else { return };
    let (low, high) = (load_eight(low), load_eight(high));
    // The first of eight is the highest of as many bytes as BITS.
    let places = _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    let shifts = _mm256_mullo_epi32(places, _mm256_set1_epi32(BITS as i32));
    let (eights, rest) = out.as_chunks_mut::<8>();
    let numbers = bytes.as_chunks::<BITS>().0;
    let painted = eights.len().min(numbers.len());
    for (eight, number) in eights.iter_mut().zip(numbers) {
        let number = number.iter().fold(0, |number, &byte| number << 8 | i32::from(byte));
        let indices = _mm256_srlv_epi32(_mm256_set1_epi32(number), shifts);
        let mut pixels = _mm256_permutevar8x32_epi32(low, indices);
        if BITS == 4 {
            // The fourth bit of the index chooses the half; it is moved to where the instruction looks for it.
            let upper = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, indices));
            let which = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(indices));
            pixels = _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(pixels), upper, which));
        }
        store_eight(eight, pixels);
    }
    // What is left of the row, which has fewer than eight pixels or too few bytes.
    let bytes = bytes.get(painted * BITS..).unwrap_or_default();
    if painted == eights.len() {
        scalar::unpack::<BITS>(bytes, colours, rest);
    } else {
        scalar::unpack::<BITS>(bytes, colours, out.get_mut(painted * 8..).unwrap_or_default());
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_indices(from: &[u8; 8]) -> __m256i {
    // SAFETY: 8 bytes may be read there, and the instruction asks for no alignment.
    _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(from.as_ptr().cast()) })
}

/// Eight pixels at a time, the last ones again if some are left: their indices choose among eight registers' parts.
#[target_feature(enable = "avx2")]
fn look_up_avx2(bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
    let count = bytes.len().min(out.len());
    let (Some(bytes), Some(out)) = (bytes.get(..count), out.get_mut(..count)) else { return };
    let (Some(last), Some(low), Some(high)) = (bytes.last_chunk(), colours.first_chunk(), colours.last_chunk()) else {
        return scalar::look_up(bytes, colours, out);
    };
    let (low, high) = (load_eight(low), load_eight(high));
    let eight_of = |indices: &[u8; 8]| {
        let indices = load_indices(indices);
        let lower = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low, indices));
        let upper = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, indices));
        // The fourth bit chooses the half; it is moved to where the instruction looks for it.
        let which = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(indices));
        _mm256_castps_si256(_mm256_blendv_ps(lower, upper, which))
    };
    for (indices, eight) in bytes.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        store_eight(eight, eight_of(indices));
    }
    if let Some(eight) = out.last_chunk_mut() {
        store_eight(eight, eight_of(last));
    }
}

/// See [`super::gradient`].
pub(super) fn gradient(above: &mut [u32], row: &mut [u32]) {
    // SAFETY: every x86_64 has SSE2.
    unsafe { gradient_sse2(above, row) }
}

/// Each pixel waits for three instructions of the one before it: up, but not beyond 255, by what the pixel above is more
/// than the one above to the left; down, but not beyond 0, by what it is less; and the difference.
#[target_feature(enable = "sse2")]
fn gradient_sse2(above: &mut [u32], row: &mut [u32]) {
    let (mut left, mut above_left) = (_mm_setzero_si128(), _mm_setzero_si128());
    for (pixel, above) in row.iter_mut().zip(above) {
        let up = _mm_cvtsi32_si128(above.cast_signed());
        let (more, less) = (_mm_subs_epu8(up, above_left), _mm_subs_epu8(above_left, up));
        let expected = _mm_subs_epu8(_mm_adds_epu8(left, more), less);
        left = _mm_add_epi8(expected, _mm_cvtsi32_si128(pixel.cast_signed()));
        above_left = up;
        *pixel = _mm_cvtsi128_si32(left).cast_unsigned();
        *above = *pixel;
    }
}
