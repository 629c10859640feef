//! Servers that lie in Open H.264: one line that says what, no panic, no memory, no endless work.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sshvnc::picture::ByteOrder;

use crate::every_cut::{Answer, Numbers, every_cut, whole};
use crate::h264_by_hand::{Bits, Sequence, picture_parameters};
use crate::h264_pictures_change_at_their_places::{H264, inter, intra, line, sent};
use crate::memory::largest_allocation;
use crate::server::{PLAIN, rectangle, update};

/// What a client says of the rectangles of an update, in one piece.
fn at_once(rectangles: &[Vec<u8>]) -> Answer {
    whole(PLAIN.client(400, 400, ByteOrder::Rgbx), &Bytes::from(update(rectangles)))
}

/// The line about data for a rectangle of 16×16, the same however it is cut.
fn square(data: &[u8]) -> String {
    let messages = update(&[sent([0, 0, 16, 16], 0, data)]);
    line(&every_cut(|| PLAIN.client(16, 16, ByteOrder::Rgbx), &messages))
}

#[track_caller]
fn begins(text: &str, with: &str) {
    assert!(text.starts_with(with), "{text}");
}

/// A sequence parameter set, bits as `write` puts them behind the profile, the constraints and the level.
fn parameters(profile: u32, write: impl Fn(&mut Bits)) -> Vec<u8> {
    let mut bits = Bits::new(0x67);
    bits.put(8, profile).put(16, 31);
    write(&mut bits);
    bits.end()
}

#[test]
fn what_is_no_stream_or_ends_early() {
    assert_eq!(
        square(b"no stream"),
        "H.264 data without a start code (FramebufferUpdate at byte 33, rectangle 1, encoding Open H.264)"
    );
    begins(&square(&[0; 40]), "H.264 data without a start code");
    begins(&square(&[0, 0, 1, 0x67, 66]), "an H.264 header without an end");
    begins(&square(&[0, 0, 1, 0x68, 0, 0, 0]), "an H.264 header without an end");
    begins(&square(&[0, 0, 1, 0x65, 7, 7, 7]), "an H.264 picture without a sequence parameter set before it");
    let sequence = Sequence::new(1, 1);
    begins(
        &square(&[sequence.unit(), vec![0, 0, 1, 0x65, 0x88, 0x84]].concat()),
        "H.264 data that can not be decoded: ",
    );
    // What a server may send before its first picture.
    assert_eq!(square(&[sequence.unit(), picture_parameters(), vec![0, 0, 1, 9, 16]].concat()), "");
    let all = intra(sequence, "R");
    assert_eq!(square(&all), "");
    for length in 1..all.len() - 1 {
        let text = square(&all[..length]);
        // Before the picture begins, nothing is missing that could be known of.
        assert!(text.contains("H.264") || length < 60, "{length} bytes: {text}");
    }
}

#[test]
fn lengths_that_can_not_be() {
    let announced =
        |length: u32| line(&at_once(&[rectangle([0, 0, 16, 16], H264, &[length.to_be_bytes(), [0; 4]].concat())]));
    begins(&announced(u32::MAX), "4294967295 bytes of H.264 data (at most 264192 are taken)");
    begins(&announced(264_193), "264193 bytes of H.264 data");
}

#[test]
fn pictures_that_no_desktop_has() {
    begins(
        &square(&intra(Sequence { cropped: (1, 0), ..Sequence::new(1, 1) }, "R")),
        "an H.264 picture of 14x16 for a rectangle of 16x16",
    );
    begins(&square(&Sequence { cropped: (8, 0), ..Sequence::new(1, 1) }.unit()), "H.264 pictures that are cropped");
    begins(
        &square(&Sequence { references: 17, ..Sequence::new(1, 1) }.unit()),
        "an H.264 sequence parameter set with numbers",
    );
    begins(&square(&Sequence::new(4097, 1).unit()), "H.264 pictures that are larger than any desktop");
    begins(&square(&Sequence::new(1, 1 << 31).unit()), "H.264 pictures that are larger than any desktop");
    let chroma = parameters(100, |bits| _ = bits.unsigned(0).unsigned(3).unsigned(0).unsigned(0));
    begins(&square(&chroma), "H.264 pictures that are not YUV 4:2:0 with 8 bits");
    let deep = parameters(110, |bits| _ = bits.unsigned(0).unsigned(1).unsigned(2).unsigned(2));
    begins(&square(&deep), "H.264 pictures that are not YUV 4:2:0 with 8 bits");
    let scaled = parameters(100, |bits| _ = bits.unsigned(0).unsigned(1).unsigned(0).unsigned(0).put(2, 1));
    begins(&square(&scaled), "H.264 pictures with scaling matrices");
    let order = parameters(66, |bits| _ = bits.unsigned(0).unsigned(0).unsigned(3));
    begins(&square(&order), "H.264 pictures in an order of the type 3");
    let endless = parameters(66, |bits| {
        _ = bits.unsigned(0).unsigned(0).unsigned(1).put(1, 0).unsigned(0).unsigned(0).unsigned(u32::MAX - 1)
    });
    begins(&square(&endless), "an H.264 header without an end");
    let interlaced = parameters(66, |bits| {
        bits.unsigned(0).unsigned(0).unsigned(2).unsigned(1).put(1, 0).unsigned(0).unsigned(0).put(1, 0).put(8, 0);
    });
    begins(&square(&interlaced), "H.264 pictures of interlaced rows");
    for kind in [1, 6] {
        let slice = Bits::new(0x41).unsigned(0).unsigned(kind).unsigned(0).end();
        let text = square(&[intra(Sequence::new(1, 1), "R"), slice].concat());
        begins(&text, "H.264 pictures that refer to later ones");
    }
    let mut number = Bits::new(0x68);
    let number = number.unsigned(256).unsigned(0).end();
    begins(&square(&number), "an H.264 picture parameter set whose number does not exist");
}

#[test]
fn sizes_are_not_believed_before_there_are_pixels() {
    let huge = Sequence { references: 16, ..Sequence::new(4096, 4096) };
    let (text, largest) = largest_allocation(|| square(&huge.unit()));
    begins(&text, "H.264 pictures that take 301989888 macroblocks (at most 532000 are kept)");
    assert!(largest < 1 << 20, "{largest} bytes at once");
    // What would fit in is not there until a picture comes.
    let large = Sequence { references: 2, ..Sequence::new(512, 256) };
    let (text, largest) = largest_allocation(|| square(&[large.unit(), picture_parameters()].concat()));
    assert_eq!(text, "");
    assert!(largest < 1 << 20, "{largest} bytes at once");
}

#[test]
fn contexts_do_not_add_up_in_memory() {
    // Each of them may be there alone, and all of them may not: the oldest is forgotten, without a word.
    let large = Sequence { references: 1, ..Sequence::new(256, 512) };
    let begin = |x| sent([x, 0, 1, 1], 0, &[large.unit(), picture_parameters()].concat());
    let go_on = |x| sent([x, 0, 1, 1], 0, &large.inter(1, None));
    begins(
        &line(&at_once(&[begin(0), begin(1), go_on(0)])),
        "an H.264 picture without a sequence parameter set before it",
    );
    begins(&line(&at_once(&[begin(0), begin(1), go_on(1)])), "H.264 data that can not be decoded: ");
}

#[test]
fn a_rectangle_is_not_endless_work() {
    // Each picture takes a few bytes, and is all that the rectangle needs.
    let sequence = Sequence::new(25, 25);
    let first = intra(sequence, &"R".repeat(625));
    let many: Vec<u8> = (1..16_000).flat_map(|number| sequence.inter(number, None)).collect();
    let begin = Instant::now();
    let answer = at_once(&[sent([0, 0, 400, 400], 0, &[first, many].concat())]);
    begins(&line(&answer), "too many H.264 pictures for one rectangle");
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

#[test]
fn changed_bytes_never_bring_it_down() {
    let sequence = Sequence::new(2, 2);
    let by_hand = [intra(sequence, "RGBW"), inter(sequence, 1, 2, 'R'), sequence.inter(2, None)].concat();
    let of_x264 = [&include_bytes!("../h264/baseline.h264")[..], include_bytes!("../h264/high.h264")];
    let mut numbers = Numbers(50);
    let mut wrong = 0;
    for (stream, place, rounds) in
        [(&by_hand[..], [0, 0, 32, 32], 300), (of_x264[0], [0, 0, 80, 48], 300), (of_x264[1], [0, 0, 80, 48], 300)]
    {
        for _ in 0..rounds {
            let mut stream = stream.to_vec();
            for _ in 0..=numbers.next_number() % 4 {
                let at = numbers.next_number() as usize % stream.len();
                stream[at] ^= 1 << (numbers.next_number() % 8);
            }
            stream.truncate(stream.len() - numbers.next_number() as usize % 2 * (stream.len() / 3));
            let bytes = Bytes::from(update(&[sent(place, 0, &stream)]));
            let (answer, largest) = largest_allocation(|| whole(PLAIN.client(80, 48, ByteOrder::Rgbx), &bytes));
            let text = answer.error_text();
            assert!(!text.contains("broke down") && !text.contains('\n'), "{text}");
            assert!(text.is_empty() || text.contains("H.264"), "{text}");
            assert!(largest < 300 << 20, "{largest} bytes at once");
            wrong += usize::from(!text.is_empty());
        }
    }
    assert!(wrong > 100, "only {wrong} were found out");
}
