//! Rows of pixels by the widest instructions that the machine has: the only code that asks which ones those are.
//!
//! Each kernel takes as many pixels as both its slices hold. What a kernel does is said by [`scalar`]; the other back ends
//! give the same pixels. `benches/convert.rs` measures them. On one machine with AVX2 (Zen 4), nanoseconds a pixel, and of
//! the same done pixel by pixel: three bytes to four 0.12 (2.1 to 6.5), red and blue swapped 0.19 (2.8), 5-6-5 bits 0.35 (6.5;
//! by a table of 256 KiB 0.56), packed indices 0.11 to 0.14. Bytes through a table of 1 KiB take 0.5; only those below 16 have a
//! kernel.

pub mod jpeg;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Who does the work. One exists only where the machine has its instructions.
#[derive(Debug, Clone, Copy)]
enum Backend {
    /// What the compiler makes for every machine of the kind: SSE2 on x86_64, NEON on aarch64.
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Ssse3(x86::Ssse3),
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
}

impl Backend {
    /// The best one. The standard library remembers what it found out: this is one load and one test.
    #[inline]
    fn best() -> Backend {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = x86::Avx2::detect() {
            return Backend::Avx2(avx2);
        } else if let Some(ssse3) = x86::Ssse3::detect() {
            return Backend::Ssse3(ssse3);
        }
        Backend::Scalar
    }

    fn expand24(self, bytes: &[u8], out: &mut [u32], places: Places) {
        let count = out.len().min(bytes.len() / 3);
        let (Some(bytes), Some(out)) = (bytes.get(..count * 3), out.get_mut(..count)) else { return };
        match self {
            Backend::Scalar => scalar::expand24(bytes, out, places),
            #[cfg(target_arch = "x86_64")]
            Backend::Ssse3(ssse3) => ssse3.expand24(bytes, out, places),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2(avx2) => avx2.expand24(bytes, out, places),
        }
    }

    fn unpack<const BITS: usize>(self, bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
        match self {
            Backend::Scalar => scalar::unpack::<BITS>(bytes, colours, out),
            #[cfg(target_arch = "x86_64")]
            Backend::Ssse3(ssse3) => ssse3.unpack::<BITS>(bytes, colours, out),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2(avx2) => avx2.unpack::<BITS>(bytes, colours, out),
        }
    }

    #[inline]
    fn look_up(self, bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2(avx2) => avx2.look_up(bytes, colours, out),
            _ => scalar::look_up(bytes, colours, out),
        }
    }

    #[inline]
    fn each<const BYTES: usize>(self, bytes: &[u8], out: &mut [u32], convert: impl Fn([u8; BYTES]) -> u32) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2(avx2) => avx2.each(bytes, out, convert),
            // There is nothing in SSSE3 that this would be faster with.
            _ => scalar::each(bytes, out, convert),
        }
    }
}

/// For each byte of a canvas pixel, which byte on the wire it is, or [`NOWHERE`].
pub type Places = [u8; 4];

/// The place of a byte that is 0.
pub(super) const NOWHERE: u8 = 0x80;

/// Pixels of three bytes on the wire.
pub(super) fn expand24(bytes: &[u8], out: &mut [u32], places: Places) {
    Backend::best().expand24(bytes, out, places);
}

/// Pixels of `BYTES` bytes by plain arithmetic, which the compiler makes vector code of if it has no branch and no table,
/// and if `convert` borrows nothing, which might be what is painted.
#[inline]
pub(super) fn each<const BYTES: usize>(bytes: &[u8], out: &mut [u32], convert: impl Fn([u8; BYTES]) -> u32) {
    Backend::best().each(bytes, out, convert);
}

/// Something that is worth being compiled once more for the machine's best instructions.
pub trait Work {
    /// What comes of it.
    type Output;

    /// Does it. What is not inlined into this, and this itself if it is not, is compiled as ever.
    fn run(self) -> Self::Output;
}

/// Does `work` with the best instructions that the machine has.
#[inline]
pub fn for_this_machine<W: Work>(work: W) -> W::Output {
    match Backend::best() {
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2(avx2) => avx2.run(work),
        _ => work.run(),
    }
}

/// The colours of pixels that are indices of `BITS` bits: 1, 2 or 4.
#[derive(Debug, Clone, Copy)]
pub struct Packed<const BITS: usize> {
    // Repeated until there are 16, so that any bits above an index do no harm.
    colours: [u32; 16],
}

impl<const BITS: usize> Packed<BITS> {
    /// With these colours; black for the indices beyond.
    pub fn new(colours: &[u32]) -> Packed<BITS> {
        let colour = |index: usize| colours.get(index & ((1 << BITS) - 1)).copied().unwrap_or_default();
        Packed { colours: std::array::from_fn(colour) }
    }

    /// As many pixels as both hold; the first index is in the highest bits of a byte.
    pub fn row(&self, bytes: &[u8], out: &mut [u32]) {
        Backend::best().unpack::<BITS>(bytes, &self.colours, out);
    }
}

/// The colours of indices of a byte that are less than 16; of others it is any of them.
#[inline]
pub fn look_up(bytes: &[u8], colours: &[u32; 16], out: &mut [u32]) {
    Backend::best().look_up(bytes, colours, out);
}

/// Tight's gradient: each byte of `row` becomes itself plus what the bytes to the left, above, and above to the left of it
/// let expect, which is their sum and difference brought to 0–255. `above` becomes a copy of the row, for the next one.
pub fn gradient(above: &mut [u32], row: &mut [u32]) {
    // SSE2 belongs to every x86_64.
    #[cfg(target_arch = "x86_64")]
    x86::gradient(above, row);
    #[cfg(not(target_arch = "x86_64"))]
    scalar::gradient(above, row);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that this machine has.
    pub(super) fn backends() -> Vec<Backend> {
        let mut all = vec![Backend::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(x86::Ssse3::detect().map(Backend::Ssse3));
            all.extend(x86::Avx2::detect().map(Backend::Avx2));
        }
        all
    }

    pub(super) fn random(count: usize, seed: u32) -> Vec<u8> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    }

    /// Compares a kernel with its naive twin at all widths up to 70 and all alignments of both slices, and looks whether
    /// it painted beside its pixels. `bytes_of` says how many bytes a width takes.
    fn compare(
        bytes_of: impl Fn(usize) -> usize,
        kernel: impl Fn(Backend, &[u8], &mut [u32]),
        naive: impl Fn(&[u8], usize) -> u32,
    ) {
        const BESIDE: u32 = 0xa5a5_a5a5;
        for width in 0..=70 {
            let source = random(32 + bytes_of(width), width as u32);
            for from in 0..32 {
                let bytes = &source[from..from + bytes_of(width)];
                let expected: Vec<u32> = (0..width).map(|x| naive(bytes, x)).collect();
                for (backend, to) in backends().into_iter().flat_map(|backend| (0..8).map(move |to| (backend, to))) {
                    let mut out = vec![BESIDE; 8 + width + 8];
                    kernel(backend, bytes, &mut out[to..to + width]);
                    assert_eq!(out[to..to + width], expected, "{backend:?}, {width} pixels from {from} to {to}");
                    let beside = out[..to].iter().chain(&out[to + width..]);
                    assert!(beside.into_iter().all(|&pixel| pixel == BESIDE), "{backend:?}, {width} pixels");
                }
            }
        }
    }

    #[test]
    fn three_bytes_become_four_in_any_order() {
        for places in [[0, 1, 2, 0x80], [2, 1, 0, 0x80], [0x80, 0, 1, 2], [1, 0x80, 0x80, 1]] {
            compare(
                |width| width * 3,
                |backend, bytes, out| backend.expand24(bytes, out, places),
                |bytes, x| {
                    u32::from_le_bytes(places.map(|place| match place {
                        0x80 => 0,
                        place => bytes[x * 3 + usize::from(place)],
                    }))
                },
            );
        }
    }

    #[test]
    fn packed_indices_become_colours() {
        fn check<const BITS: usize>() {
            let colours: Vec<u32> =
                random(64, 7).as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
            // One fewer than the bits can name: the last is black.
            let packed = Packed::<BITS>::new(&colours[..(1 << BITS) - 1]);
            compare(
                |width| (width * BITS).div_ceil(8),
                |backend, bytes, out| backend.unpack::<BITS>(bytes, &packed.colours, out),
                |bytes, x| {
                    let bits = (0..BITS).map(|bit| x * BITS + bit);
                    let index =
                        bits.fold(0, |index, bit| index << 1 | usize::from(bytes[bit / 8] >> (7 - bit % 8) & 1));
                    if index < (1 << BITS) - 1 { colours[index] } else { 0 }
                },
            );
        }
        check::<1>();
        check::<2>();
        check::<4>();
    }

    #[test]
    fn indices_below_sixteen_become_colours() {
        let colours =
            random(64, 7).as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect::<Vec<_>>();
        let few = |bytes: &[u8]| bytes.iter().map(|byte| byte & 15).collect::<Vec<_>>();
        compare(
            |width| width,
            |backend, bytes, out| backend.look_up(&few(bytes), colours.first_chunk().unwrap(), out),
            |bytes, x| colours[usize::from(bytes[x] & 15)],
        );
    }

    #[test]
    fn arithmetic_gives_the_same_in_wider_registers() {
        let convert = |bytes: [u8; 4]| u32::from_be_bytes(bytes).wrapping_mul(2_654_435_761) >> 3;
        compare(
            |width| width * 4,
            |backend, bytes, out| backend.each(bytes, out, convert),
            |bytes, x| convert(bytes[x * 4..][..4].try_into().unwrap()),
        );
        let convert = |bytes: [u8; 2]| (u32::from(u16::from_le_bytes(bytes)) & 0x7e0) << 5;
        compare(
            |width| width * 2,
            |backend, bytes, out| backend.each(bytes, out, convert),
            |bytes, x| convert(bytes[x * 2..][..2].try_into().unwrap()),
        );
    }

    #[test]
    fn kernels_take_what_both_slices_hold() {
        for backend in backends() {
            let mut out = [9; 20];
            backend.expand24(&[1; 62], &mut out, [0, 1, 2, 0x80]);
            assert_eq!(out[19], 0x0001_0101);
            backend.expand24(&[2; 31], &mut out, [0, 1, 2, 0x80]);
            assert_eq!((out[9], out[10]), (0x0002_0202, 0x0001_0101));
            let packed = Packed::<1>::new(&[5, 6]);
            backend.unpack::<1>(&[0xff, 0x0f], &packed.colours, &mut out);
            assert_eq!(out[6..18], [6, 6, 5, 5, 5, 5, 6, 6, 6, 6, 0x0001_0101, 0x0001_0101]);
            backend.look_up(&[3; 17], &[8; 16], &mut out);
            assert_eq!((out[16], out[17]), (8, 0x0001_0101));
            backend.look_up(&[255; 30], &[7; 16], &mut out);
            assert_eq!(out, [7; 20]);
        }
    }

    #[test]
    fn gradients_add_what_is_expected() {
        type Kernel = fn(&mut [u32], &mut [u32]);
        for kernel in [gradient as Kernel, scalar::gradient] {
            for width in 0..=70 {
                let mut above: Vec<[u8; 4]> = random(width * 4, 99).as_chunks().0.to_vec();
                for y in 0..4 {
                    let differences: Vec<[u8; 4]> = random(width * 4, y * 100 + width as u32).as_chunks().0.to_vec();
                    let mut expected: Vec<[u8; 4]> = Vec::new();
                    for x in 0..width {
                        expected.push(std::array::from_fn(|part| {
                            let left = if x > 0 { [expected[x - 1], above[x - 1]] } else { [[0; 4]; 2] };
                            let [left, above_left] = left.map(|pixel| i32::from(pixel[part]));
                            let guess = (left + i32::from(above[x][part]) - above_left).clamp(0, 255) as u8;
                            guess.wrapping_add(differences[x][part])
                        }));
                    }
                    let pixels = |all: &[[u8; 4]]| all.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect();
                    let (mut last, mut row): (Vec<u32>, Vec<u32>) = (pixels(&above), pixels(&differences));
                    kernel(&mut last, &mut row);
                    assert_eq!(row, pixels(&expected), "{width} pixels");
                    assert_eq!(last, row);
                    above = expected;
                }
            }
        }
    }
}
