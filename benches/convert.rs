//! Rows of pixels to a canvas: each kind of source by its kernel and, to compare with, pixel by pixel.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sshvnc::picture::convert::{
    Packed, Packed24, Parts, Same32, Scale16, Scale32, Shift32, Source, Table8, Table16, gradient, look_up,
};

/// Pixels a row: what is read and written stays in the first two levels of cache.
const WIDTH: usize = 1920;

fn source<S: Source>(criterion: &mut Criterion, name: &str, source: S) {
    let bytes: Vec<u8> = (0..WIDTH * S::BYTES).map(|at| ((at * 0x9e37_79b9) >> 13) as u8).collect();
    let mut out = vec![0; WIDTH];
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(WIDTH as u64));
    group.bench_function("row", |bencher| bencher.iter(|| source.row(black_box(&bytes), black_box(&mut out))));
    group.bench_function("pixel by pixel", |bencher| {
        bencher.iter(|| {
            for (out, bytes) in black_box(&mut out).iter_mut().zip(black_box(&bytes).chunks_exact(S::BYTES)) {
                *out = black_box(source).pixel(bytes);
            }
        });
    });
}

fn packed<const BITS: usize>(criterion: &mut Criterion) {
    let bytes: Vec<u8> = (0..WIDTH * BITS / 8).map(|at| ((at * 0x9e37_79b9) >> 13) as u8).collect();
    let colours = Packed::<BITS>::new(&std::array::from_fn::<u32, 16, _>(|at| at as u32 * 0x0001_0203));
    let mut out = vec![0; WIDTH];
    let mut group = criterion.benchmark_group(format!("palette of {BITS} bits"));
    group.throughput(Throughput::Elements(WIDTH as u64));
    group.bench_function("row", |bencher| bencher.iter(|| colours.row(black_box(&bytes), black_box(&mut out))));
}

fn few(criterion: &mut Criterion) {
    let (bytes, colours) = ([3; WIDTH], [7; 16]);
    let mut out = vec![0; WIDTH];
    let mut group = criterion.benchmark_group("8 by a table of 16");
    group.throughput(Throughput::Elements(WIDTH as u64));
    group.bench_function("row", |bencher| {
        bencher.iter(|| look_up(black_box(&bytes), black_box(&colours), black_box(&mut out)));
    });
}

fn convert(criterion: &mut Criterion) {
    let swapped = Shift32 { big_endian: false, from: [0, 8, 16], to: [16, 8, 0] };
    let parts = |from| Parts::new(from, [16, 8, 0]);
    source(criterion, "same 32", Same32);
    source(criterion, "red and blue swapped", swapped);
    source(criterion, "big endian", Shift32 { big_endian: true, ..swapped });
    source(criterion, "24", Packed24::new(Same32, false));
    source(criterion, "24 swapped", Packed24::new(swapped, false));
    source(criterion, "10 10 10", Scale32 { big_endian: false, parts: parts([(20, 1023), (10, 1023), (0, 1023)]) });
    source(criterion, "565", Scale16 { big_endian: false, parts: parts([(11, 31), (5, 63), (0, 31)]) });
    let table = Box::new(std::array::from_fn(|at| at as u32 * 77));
    source(criterion, "16 by a table", Table16 { big_endian: false, table: &table });
    source(criterion, "8 by a table", Table8 { table: &std::array::from_fn(|at| at as u32 * 77) });
    few(criterion);
    packed::<1>(criterion);
    packed::<2>(criterion);
    packed::<4>(criterion);
    let (mut above, mut row) = (vec![0x0010_2030; WIDTH], vec![0x0003_0201; WIDTH]);
    let mut group = criterion.benchmark_group("gradient");
    group.throughput(Throughput::Elements(WIDTH as u64));
    group.bench_function("row", |bencher| bencher.iter(|| gradient(black_box(&mut above), black_box(&mut row))));
}

criterion_group!(benches, convert);
criterion_main!(benches);
