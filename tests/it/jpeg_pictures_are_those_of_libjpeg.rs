//! JPEG pictures have, to the last bit, the pixels that libjpeg-turbo's own program gives them: every sampling, all widths
//! and heights about a block, every quality, restarts.

use std::io::Write as _;
use std::process::{Command, Stdio};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use sshvnc::picture::ByteOrder;
use sshvnc::rfb::encoding;

use crate::every_cut::{Numbers, every_cut};
use crate::server::{PLAIN, rectangle, update};

/// Something smooth with edges and noise in it, red, green and blue.
fn painting(width: u16, height: u16, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let (mut pixels, noise) = (Vec::new(), [1, 4, 40, 256][seed as usize % 4]);
    for y in 0..usize::from(height) {
        for x in 0..usize::from(width) {
            let base =
                if (x / 5 + y / 3) % 4 == 0 { [250, 8, 120] } else { [x * 7 % 256, y * 11 % 256, (x + y) % 256] };
            pixels.extend(base.map(|part| (part + numbers.next_number() as usize % noise).min(255) as u8));
        }
    }
    pixels
}

fn encoded(size: [u16; 2], seed: u64, colours: ColorType, set: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let [width, height] = size;
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 75);
    set(&mut encoder);
    let mut pixels = painting(width, height, seed);
    if colours == ColorType::Luma {
        pixels = pixels.chunks(3).map(|pixel| pixel[0]).collect();
    }
    encoder.encode(&pixels, width, height, colours).unwrap();
    out
}

/// What one of libjpeg-turbo's programs makes of `input`.
fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error} (apt-get install libjpeg-turbo-progs)"));
    let mut stdin = child.stdin.take().unwrap();
    // Short enough for a pipe, so that nobody waits for the other.
    assert!(input.len() < 60_000);
    stdin.write_all(input).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    output.stdout
}

/// Red, green and blue as djpeg has them.
fn by_djpeg(picture: &[u8]) -> Vec<u8> {
    let pnm = piped("djpeg", &["-rgb", "-pnm"], picture);
    // P6, width and height, 255, each followed by one line end.
    let header = pnm.split(|&byte| byte == b'\n').take(3).map(|line| line.len() + 1).sum();
    pnm[header..].to_vec()
}

/// Compares what is painted with what djpeg has; no part of a pixel may be more than `most` away.
fn compare([width, height]: [u16; 2], picture: &[u8], most: u8, what: &str) {
    let messages = update(&[rectangle([0, 0, width, height], encoding::JPEG, picture)]);
    let answer = every_cut(|| PLAIN.client(width, height, ByteOrder::Bgrx), &messages);
    assert_eq!(answer.error_text(), "", "{what}");
    let expected = by_djpeg(picture);
    assert_eq!(answer.rgb.len(), expected.len(), "{what}");
    for (at, (ours, theirs)) in answer.rgb.iter().zip(&expected).enumerate() {
        assert!(ours.abs_diff(*theirs) <= most, "{what}: byte {at} is {ours} for {theirs}");
    }
}

const SAMPLINGS: [SamplingFactor; 4] =
    [SamplingFactor::R_4_4_4, SamplingFactor::R_4_2_2, SamplingFactor::R_4_4_0, SamplingFactor::R_4_2_0];

#[test]
fn of_every_sampling_and_size() {
    for sampling in SAMPLINGS {
        for width in (1..=19).chain([31, 32, 33, 48, 70]) {
            for height in [1, 2, 7, 8, 9, 15, 16, 17, 18, 33] {
                // A third of them, another for each sampling.
                if (width + height + sampling as u16).is_multiple_of(3) {
                    let size = [width, height];
                    let picture = encoded(size, u64::from(width * height), ColorType::Rgb, |encoder| {
                        encoder.set_sampling_factor(sampling);
                    });
                    compare(size, &picture, 0, &format!("{width}x{height}, {sampling:?}"));
                }
            }
        }
    }
}

#[test]
fn of_every_quality_and_with_restarts() {
    for sampling in SAMPLINGS {
        for quality in [1, 2, 5, 10, 25, 50, 75, 90, 95, 100] {
            let picture = encoded([75, 42], quality, ColorType::Rgb, |encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.set_quality(quality as u8);
                encoder.set_restart_interval(quality as u16 % 4);
            });
            compare([75, 42], &picture, 0, &format!("quality {quality}, {sampling:?}"));
        }
    }
}

#[test]
fn of_grey() {
    for size in [[1, 1], [8, 8], [9, 7], [31, 66]] {
        let picture = encoded(size, 3, ColorType::Luma, |encoder| encoder.set_quality(60));
        compare(size, &picture, 0, &format!("{size:?}"));
    }
}

/// Those that are left to a library are rounded and smoothed otherwise at the edges of the painting.
#[test]
fn of_other_kinds() {
    let pnm = [b"P6\n40 30\n255\n", &painting(40, 30, 5)[..]].concat();
    for arguments in
        [&["-optimize"][..], &["-progressive"], &["-rgb"], &["-progressive", "-restart", "1"], &["-sample", "4x1"]]
    {
        compare([40, 30], &piped("cjpeg", arguments, &pnm), 40, &format!("{arguments:?}"));
    }
}
