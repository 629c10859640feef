//! Open H.264: literal bytes to literal pixels, written from rfbproto, and streams of a real encoder.

use std::path::Path;

use sshvnc::picture::ByteOrder;
use sshvnc::rfb::encoding;

use crate::every_cut::{Answer, every_cut};
use crate::h264_by_hand::Sequence;
use crate::server::{PLAIN, WIRES, Wire, drawn, rectangle, update};

pub const H264: i32 = 50;

pub const RESET_CONTEXT: u32 = 1;
pub const RESET_ALL_CONTEXTS: u32 = 2;

#[test]
fn the_number_is_that_of_the_specification_and_asked_for_by_name_only() {
    assert_eq!(encoding::OPEN_H264, H264);
    assert!(!encoding::default_pixel_encodings().contains(&H264));
    assert!(encoding::PIXEL_ENCODINGS.iter().any(|known| known.name == "h264"));
}

/// The colours of the letters in BT.709, a little beyond them so that rounding does not matter.
pub fn colour(letter: char) -> [u8; 3] {
    match letter {
        '.' => [16, 128, 128],
        'R' => [63, 102, 250],
        'G' => [173, 30, 10],
        'B' => [32, 250, 116],
        _ => [235, 128, 128],
    }
}

pub fn intra(sequence: Sequence, letters: &str) -> Vec<u8> {
    sequence.intra(&letters.chars().map(colour).collect::<Vec<_>>())
}

pub fn inter(sequence: Sequence, number: u32, at: u32, letter: char) -> Vec<u8> {
    sequence.inter(number, Some((at, colour(letter))))
}

/// The payload of a rectangle.
pub fn payload(flags: u32, data: &[u8]) -> Vec<u8> {
    [&(data.len() as u32).to_be_bytes()[..], &flags.to_be_bytes(), data].concat()
}

pub fn sent(place: [u16; 4], flags: u32, data: &[u8]) -> Vec<u8> {
    rectangle(place, H264, &payload(flags, data))
}

fn answer(wire: &Wire, width: u16, height: u16, messages: &[u8]) -> Answer {
    let answer = every_cut(|| wire.client(width, height, ByteOrder::Rgbx), messages);
    let windows = every_cut(|| wire.client(width, height, ByteOrder::Bgrx), messages);
    assert!(answer.rgb == windows.rgb, "the byte order of the canvas changes the picture");
    answer
}

/// The picture by a letter a macroblock, each of which has one colour.
fn macroblocks(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.error_text(), "");
    assert!(answer.at_boundary);
    let rows = drawn(answer);
    for (y, row) in rows.iter().enumerate() {
        let first = &rows[y / 16 * 16];
        assert!(row == first && row.bytes().enumerate().all(|(x, letter)| letter == row.as_bytes()[x / 16 * 16]));
    }
    rows.iter().step_by(16).map(|row| row.chars().step_by(16).collect()).collect()
}

fn painted(width: u16, height: u16, updates: &[&[Vec<u8>]]) -> Vec<String> {
    let messages: Vec<u8> = updates.iter().flat_map(|rectangles| update(rectangles)).collect();
    macroblocks(&answer(PLAIN, width, height, &messages))
}

/// The line of the error, if there is one, without the words that all of them begin with.
pub fn line(answer: &Answer) -> String {
    answer.error_text().trim_start_matches("the server broke the VNC protocol: ").to_owned()
}

fn update_line(width: u16, height: u16, rectangles: &[Vec<u8>]) -> String {
    line(&answer(PLAIN, width, height, &update(rectangles)))
}

#[test]
fn a_picture_and_what_changes_in_it_look_the_same_in_every_pixel_format() {
    let sequence = Sequence::new(2, 2);
    let place = [16, 0, 32, 32];
    let messages = [
        update(&[sent(place, RESET_CONTEXT, &intra(sequence, "RGBW"))]),
        update(&[sent(place, 0, &inter(sequence, 1, 1, 'W'))]),
        update(&[sent(place, 0, &sequence.inter(2, None))]),
        update(&[sent(place, 0, &inter(sequence, 3, 3, 'R'))]),
    ];
    for wire in &WIRES {
        assert_eq!(macroblocks(&answer(wire, 48, 32, &messages.concat())), [".RW", ".BR"], "{}", wire.name);
    }
}

#[test]
fn every_place_has_a_history_of_its_own() {
    let (one, two) = (Sequence::new(2, 1), Sequence::new(1, 1));
    let (left, right, inside) = ([0, 0, 32, 16], [32, 0, 16, 16], [0, 0, 16, 16]);
    let first = [sent(left, 0, &intra(one, "RG")), sent(right, 0, &intra(two, "B"))];
    assert_eq!(painted(48, 16, &[&first]), ["RGB"]);
    let then = [sent(right, 0, &two.inter(1, None)), sent(left, 0, &inter(one, 1, 0, 'W'))];
    assert_eq!(painted(48, 16, &[&first, &then]), ["WGB"]);
    // The same corner in another size is another place.
    let third = [sent(inside, 0, &intra(two, "."))];
    assert_eq!(painted(48, 16, &[&first, &third]), [".GB"]);
    // Whatever was painted over it, a history goes on with its own picture.
    let last = [sent(left, 0, &inter(one, 1, 1, 'B'))];
    assert_eq!(painted(48, 16, &[&first, &third, &last]), ["RBB"]);
}

#[test]
fn of_several_pictures_the_last_is_shown() {
    let sequence = Sequence::new(2, 1);
    let all = [intra(sequence, "RG"), inter(sequence, 1, 0, 'B'), inter(sequence, 2, 1, 'W')].concat();
    assert_eq!(painted(32, 16, &[&[sent([0, 0, 32, 16], 0, &all)]]), ["BW"]);
    // A server that begins anew need not say so, not even with other parameters.
    let other = Sequence { references: 3, ..Sequence::new(3, 2) };
    let again = [all.clone(), intra(sequence, "WW"), intra(other, "GRBBBB"), inter(other, 1, 1, '.')].concat();
    assert_eq!(painted(32, 16, &[&[sent([0, 0, 32, 16], 0, &again)]]), ["G."]);
}

#[test]
fn larger_pictures_are_cropped_at_the_right_and_at_the_bottom() {
    let sequence = Sequence { cropped: (5, 4), ..Sequence::new(2, 2) };
    let sent =
        |width, height| answer(PLAIN, 32, 32, &update(&[sent([0, 0, width, height], 0, &intra(sequence, "RGBW"))]));
    // 22×24 are shown of 32×32.
    for (width, height) in [(22, 24), (21, 23), (16, 17), (1, 1), (0, 0)] {
        let answer = sent(width, height);
        assert_eq!(answer.error_text(), "");
        for (y, row) in drawn(&answer).iter().enumerate() {
            for (x, letter) in row.chars().enumerate() {
                let inside = x < width.into() && y < height.into();
                let expected = if inside { [['R', 'G'], ['B', 'W']][y / 16][x / 16] } else { '.' };
                assert_eq!(letter, expected, "{x},{y} of {width}x{height}");
            }
        }
    }
    for (width, height) in [(23, 24), (22, 25), (32, 32)] {
        let expected = format!("an H.264 picture of 22x24 for a rectangle of {width}x{height} (");
        assert!(line(&sent(width, height)).starts_with(&expected));
    }
}

#[test]
fn flags_forget_contexts_and_unknown_ones_do_nothing() {
    let sequence = Sequence::new(1, 1);
    let (left, right) = ([0, 0, 16, 16], [16, 0, 16, 16]);
    let first = || vec![sent(left, 0, &intra(sequence, "R")), sent(right, !3, &intra(sequence, "G"))];
    let left_again = || sent(left, 0, &sequence.inter(1, None));
    let right_again = || sent(right, 0, &inter(sequence, 1, 0, 'B'));
    let after = |rectangles: Vec<Vec<u8>>| update_line(32, 16, &[first(), rectangles].concat());
    let assert_forgotten = |text: String, number: u32| {
        assert!(text.starts_with("an H.264 picture without a sequence parameter set before it ("), "{text}");
        assert!(text.contains(&format!("rectangle {number},")), "{text}");
    };

    assert_eq!(after(vec![left_again(), right_again()]), "");
    // Nothing in a rectangle, whether it is one or none, is nothing but its flags.
    assert_eq!(after(vec![sent(left, 0, &[]), sent([0; 4], RESET_CONTEXT, &[]), left_again(), right_again()]), "");
    assert_forgotten(after(vec![sent(left, RESET_CONTEXT, &[]), right_again(), left_again()]), 5);
    assert_forgotten(after(vec![sent(left, RESET_CONTEXT, &sequence.inter(1, None))]), 3);
    assert_forgotten(
        after(vec![
            sent(left, RESET_CONTEXT, &intra(sequence, "R")),
            right_again(),
            left_again(),
            sent([0; 4], RESET_ALL_CONTEXTS, &[]),
            right_again(),
        ]),
        7,
    );
    assert_forgotten(
        after(vec![sent(left, RESET_ALL_CONTEXTS, &intra(sequence, "W")), left_again(), right_again()]),
        5,
    );
    assert_eq!(painted(32, 16, &[&first(), &[right_again(), sent(left, 3, &intra(sequence, "W"))]]), ["WB"]);
}

#[test]
fn of_65_contexts_the_one_that_waited_longest_is_forgotten() {
    let sequence = Sequence::new(1, 1);
    let place = |number: u16| [number * 16, 0, 16, 16];
    let begin = |number| sent(place(number), 0, &intra(sequence, "R"));
    let go_on = |number, picture| sent(place(number), 0, &inter(sequence, picture, 0, 'G'));
    let width = 66 * 16;
    let all: Vec<_> = (0..64).map(begin).collect();
    let after = |more: &[Vec<u8>]| update_line(width, 16, &[&all, more].concat());
    assert_eq!(after(&[go_on(63, 1), go_on(0, 1)]), "");
    assert!(after(&[begin(64), go_on(1, 1), go_on(63, 1), go_on(64, 1), go_on(0, 1)]).contains("rectangle 69"));
    // The first was used meanwhile, so it is the second that has to go, and then the third.
    assert!(
        after(&[go_on(0, 1), begin(64), begin(65), go_on(0, 2), go_on(3, 1), go_on(1, 1)]).contains("rectangle 70")
    );
    assert!(
        after(&[go_on(0, 1), begin(64), begin(65), go_on(0, 2), go_on(3, 1), go_on(2, 1)]).contains("rectangle 70")
    );
}

#[test]
fn colours_are_what_the_stream_says() {
    let shown = |colours, yuv: [u8; 3]| {
        let sequence = Sequence { colours, ..Sequence::new(1, 1) };
        let answer = answer(PLAIN, 16, 16, &update(&[sent([0, 0, 16, 16], 0, &sequence.intra(&[yuv]))]));
        assert_eq!(answer.error_text(), "");
        [answer.rgb[0], answer.rgb[1], answer.rgb[2]]
    };
    // By the formulas of BT.709 and BT.601, with 16 to 235 or with all of the range.
    let yuv = [120, 90, 170];
    assert_eq!(shown(None, yuv), [196, 107, 41]);
    assert_eq!(shown(Some((1, false)), yuv), [196, 107, 41]);
    assert_eq!(shown(Some((2, false)), yuv), [196, 107, 41]);
    assert_eq!(shown(Some((1, true)), yuv), [186, 107, 49]);
    assert_eq!(shown(Some((5, false)), yuv), [188, 102, 44]);
    assert_eq!(shown(Some((6, false)), yuv), [188, 102, 44]);
    assert_eq!(shown(Some((6, true)), yuv), [179, 103, 53]);
}

/// The pixels that x264 was given for the streams in `tests/h264`, by their place and the number of the picture.
fn given(x: usize, y: usize, number: usize) -> [u8; 3] {
    let (left, top) = (5 + 3 * number, 8 + number);
    match (left..left + 16).contains(&x) && (top..top + 16).contains(&y) {
        true => [230, 40, 30],
        false => [x * 3, 40 + y * 4, 200 - x * 2].map(|part| part as u8),
    }
}

/// Pieces of a stream that end with a picture.
fn pictures(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = (0..stream.len() - 3).filter(|&at| stream[at..at + 3] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let mut pictures = vec![Vec::new()];
    for (start, end) in starts.iter().copied().zip(ends) {
        pictures.last_mut().unwrap().extend(&stream[start..end]);
        if matches!(stream[start + 3] & 31, 1 | 5) {
            pictures.push(Vec::new());
        }
    }
    pictures.pop();
    pictures
}

#[test]
fn streams_of_x264_show_what_it_was_given() {
    for name in ["baseline", "high"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/h264").join(name).with_extension("h264");
        let pictures = pictures(&std::fs::read(path).unwrap());
        assert_eq!(pictures.len(), 12, "{name}");
        let mut messages = Vec::new();
        for (number, picture) in pictures.iter().enumerate() {
            messages.extend(update(&[sent([0, 0, 80, 48], u32::from(number == 0), picture)]));
            let answer = answer(PLAIN, 80, 48, &messages);
            assert_eq!(answer.error_text(), "", "{name}, picture {number}");
            let errors = answer.rgb.chunks(3).enumerate().map(|(at, shown)| {
                let given = given(at % 80, at / 80, number);
                shown.iter().zip(given).map(|(&ours, theirs)| u32::from(ours.abs_diff(theirs))).max().unwrap()
            });
            let mut errors: Vec<u32> = errors.collect();
            errors.sort_unstable();
            // Four pixels share a sample of colour, which is the mean of theirs: that is most of it.
            let mean = errors.iter().sum::<u32>() as f64 / errors.len() as f64;
            let most = errors[errors.len() * 98 / 100];
            assert!(mean < 5.0 && most < 10, "{name}, picture {number}: {mean} in the mean, {most} for all but 2 %");
        }
    }
}
