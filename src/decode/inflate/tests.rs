//! Against flate2: every kind of block, every cut, and what is no deflate data.

use super::*;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::iter::{once, repeat};

/// What comes of a stream: the bytes, and whether it is none.
type Outcome = (Vec<u8>, bool);

/// What zlib makes of `input`.
fn zlib(mut input: &[u8]) -> Outcome {
    let mut inflate = Decompress::new(false);
    let mut all = Vec::new();
    let mut out = [0; 1000];
    loop {
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, &mut out, FlushDecompress::Sync);
        all.extend_from_slice(&out[..(inflate.total_out() - written) as usize]);
        let read = (inflate.total_in() - read) as usize;
        input = &input[read..];
        match status {
            Err(_) => return (all, true),
            Ok(Status::StreamEnd) => return (all, false),
            Ok(_) if read == 0 && inflate.total_out() == written => return (all, false),
            Ok(_) => {}
        }
    }
}

/// The same by the inflater here, which is given parts of the input and asked for parts of the output, of these sizes.
fn ours(
    inflate: &mut Inflate,
    mut input: &[u8],
    inputs: &mut dyn Iterator<Item = usize>,
    outputs: &mut dyn Iterator<Item = usize>,
) -> Outcome {
    let mut all = Vec::new();
    loop {
        let size = inputs.next().unwrap_or(usize::MAX).clamp(1, input.len().max(1));
        let (mut part, rest) = input.split_at(size.min(input.len()));
        loop {
            let most = outputs.next().unwrap_or(100_000);
            let Ok(found) = inflate.ahead(&mut part, most, most) else { return (all, true) };
            let enough = found.len() >= most;
            all.extend_from_slice(inflate.take(most));
            if !enough {
                break;
            }
        }
        if matches!(inflate.next, Next::Nothing) || rest.is_empty() {
            return (all, false);
        }
        assert!(part.is_empty(), "not all was used");
        input = rest;
    }
}

/// A generator of the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

/// Bytes as they are in pictures, texts and noise.
fn samples() -> Vec<Vec<u8>> {
    let mut numbers = Numbers(7);
    let noise = |numbers: &mut Numbers, count: usize| (0..count).map(|_| numbers.below(256) as u8).collect::<Vec<u8>>();
    let few = (0..3000).map(|_| b"abcdefgh"[numbers.below(8)]).collect();
    let mut windows = Vec::new();
    for period in (1..40).chain([300, 5000]) {
        let pattern = noise(&mut numbers, period);
        let length = 20 + numbers.below(3000);
        windows.extend(pattern.iter().cycle().take(length));
    }
    let far: Vec<u8> = {
        let pattern = noise(&mut numbers, 32 * 1024);
        [&pattern[..], &pattern, &pattern[..50], &noise(&mut numbers, 30), &pattern].concat()
    };
    // Literals by how rare they are: codes of all lengths.
    let rare = (0..60_000).map(|_| (0..).take_while(|_| numbers.below(3) > 0).count() as u8).collect();
    let runs = (0..300_000).map(|at: usize| if at.is_multiple_of(1009) { at as u8 } else { 9 }).collect();
    vec![Vec::new(), vec![5], noise(&mut numbers, 70_000), few, windows, far, rare, runs]
}

/// `data` by zlib, with a flush now and then.
fn deflated(data: &[u8], level: u32, flush: FlushCompress, ends: bool) -> Vec<u8> {
    let mut compress = Compress::new(Compression::new(level), false);
    let mut out = Vec::new();
    let mut parts: Vec<&[u8]> = data.chunks(data.len() / 3 + 1).collect();
    if ends {
        parts.push(&[]);
    }
    let last = parts.len().wrapping_sub(1);
    for (at, mut part) in parts.into_iter().enumerate() {
        let how = if ends && at == last { FlushCompress::Finish } else { flush };
        loop {
            out.reserve(part.len() + 1000);
            let before = (compress.total_in(), compress.total_out());
            compress.compress_vec(part, &mut out, how).unwrap();
            part = &part[(compress.total_in() - before.0) as usize..];
            if out.len() < out.capacity() || before == (compress.total_in(), compress.total_out()) {
                break;
            }
        }
    }
    out
}

fn streams() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut streams = Vec::new();
    for data in samples() {
        for level in 0..10 {
            for (flush, ends) in [
                (FlushCompress::None, true),
                (FlushCompress::Sync, false),
                (FlushCompress::Full, true),
                (FlushCompress::Partial, false),
            ] {
                streams.push((data.clone(), deflated(&data, level, flush, ends)));
            }
        }
    }
    streams
}

#[test]
fn what_was_deflated_comes_back() {
    for (data, stream) in streams() {
        assert!(zlib(&stream) == (data.clone(), false));
        for output in [100_000, 65_536, 1000, 77, 1] {
            let outcome = ours(&mut Inflate::new(), &stream, &mut once(usize::MAX), &mut repeat(output));
            assert!(outcome == (data.clone(), false), "{} bytes, {output} at a time", stream.len());
        }
    }
}

#[test]
fn it_may_be_cut_anywhere() {
    let mut numbers = Numbers(3);
    for (data, stream) in streams() {
        let outcome = ours(&mut Inflate::new(), &stream, &mut repeat(1), &mut repeat(5000));
        assert!(outcome == (data.clone(), false), "byte by byte");
        let mut inputs = Numbers(numbers.0);
        let mut outputs = Numbers(numbers.0 + 1);
        let outcome = ours(
            &mut Inflate::new(),
            &stream,
            &mut std::iter::from_fn(|| Some(1 + inputs.below(40))),
            &mut std::iter::from_fn(|| Some(1 + outputs.below(500))),
        );
        assert!(outcome == (data, false), "cut");
        numbers.below(2);
    }
}

#[test]
fn a_beginning_gives_what_zlib_makes_of_it() {
    let few: Vec<u8> = (0..600_u32).map(|at| (at * at % 251) as u8 % 40).collect();
    for level in [0, 1, 6, 9] {
        let stream = deflated(&few, level, FlushCompress::Sync, true);
        for end in 0..=stream.len() {
            let outcome = ours(&mut Inflate::new(), &stream[..end], &mut once(usize::MAX), &mut repeat(64));
            assert!(outcome == zlib(&stream[..end]), "level {level}, up to {end}");
        }
    }
}

#[test]
fn whatever_comes_is_judged_as_zlib_does() {
    let mut numbers = Numbers(11);
    let streams: Vec<Vec<u8>> =
        streams().into_iter().map(|(_, stream)| stream).filter(|stream| stream.len() > 8).collect();
    let (mut faults, mut kept) = (0, Inflate::new());
    for round in 0..40_000 {
        let stream = &streams[numbers.below(streams.len())];
        // Not too much of the long ones, mostly.
        let length = stream.len().min(1 + numbers.below(if round % 16 == 0 { 70_000 } else { 600 }));
        let mut stream = stream[..length].to_vec();
        for _ in 0..1 + numbers.below(3) {
            // Heads are what most can be wrong with.
            let within = if numbers.below(2) == 0 { length.min(80) } else { length };
            let place = numbers.below(within);
            stream[place] = match numbers.below(2) {
                0 => stream[place] ^ 1 << numbers.below(8),
                _ => numbers.below(256) as u8,
            };
        }
        let expected = zlib(&stream);
        kept.reset();
        let (mut inputs, mut outputs) = (Numbers(round), Numbers(round + 1));
        let outcome = match round % 3 {
            0 => ours(&mut kept, &stream, &mut once(usize::MAX), &mut repeat(1000)),
            1 => ours(&mut kept, &stream, &mut repeat(1), &mut repeat(70_000)),
            _ => ours(
                &mut kept,
                &stream,
                &mut std::iter::from_fn(|| Some(1 + inputs.below(30))),
                &mut std::iter::from_fn(|| Some(1 + outputs.below(3000))),
            ),
        };
        assert!(outcome.1 == expected.1, "round {round}: {} against zlib's {}", outcome.1, expected.1);
        // Of what was asked for when the fault was found, nothing is given.
        let same = if outcome.1 { expected.0.starts_with(&outcome.0) } else { outcome.0 == expected.0 };
        assert!(same, "round {round}: {} bytes, zlib has {}", outcome.0.len(), expected.0.len());
        faults += usize::from(outcome.1);
    }
    assert!((5_000..39_000).contains(&faults), "{faults} faults are no good mixture");
}

#[test]
fn after_a_fault_there_is_nothing_but_faults_until_it_begins_anew() {
    let mut inflate = Inflate::new();
    assert_eq!(inflate.ahead(&mut &[7_u8][..], 1, 1), Err(Malformed));
    let stream = deflated(b"after it", 6, FlushCompress::Sync, false);
    assert_eq!(inflate.ahead(&mut &stream[..], 8, 8), Err(Malformed));
    inflate.reset();
    assert_eq!(inflate.ahead(&mut &stream[..], 8, 8), Ok(&b"after it"[..]));
}

#[test]
fn no_more_is_kept_than_the_window_and_what_is_asked_for() {
    let data = vec![3; 5_000_000];
    let stream = deflated(&data, 6, FlushCompress::Sync, false);
    let mut inflate = Inflate::new();
    assert!(ours(&mut inflate, &stream, &mut once(usize::MAX), &mut repeat(65_536)) == (data.clone(), false));
    assert_eq!(inflate.out.len(), ROOM);
    let mut inflate = Inflate::new();
    assert!(ours(&mut inflate, &stream, &mut once(usize::MAX), &mut repeat(300_000)) == (data, false));
    assert!(inflate.out.len() < 300_000 + WINDOW + 2 * SLACK, "{}", inflate.out.len());
}
