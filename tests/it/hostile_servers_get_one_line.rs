//! Servers that lie about sizes, places and lengths: one line that says what and where, no panic, no memory, no endless work.

use flate2::{Compress, Compression, FlushCompress};
use sshvnc::client::{Event, canvas_for};
use sshvnc::picture::ByteOrder;
use sshvnc::rfb::handshake::ServerInit;

use crate::every_cut::{self, Answer, Numbers, every_cut};
use crate::jpeg_by_hand::{Tables, jpeg};
use crate::memory::largest_allocation;
use crate::server::{PLAIN, WIRES, endless_update, header, rectangle, update};

const RAW: i32 = 0;
const COPY_RECT: i32 = 1;
const RRE: i32 = 2;
const CORRE: i32 = 4;
const HEXTILE: i32 = 5;
const ZLIB: i32 = 6;
const TIGHT: i32 = 7;

/// More than any decoder needs for a small desktop: an inflater, its band, a table of pixels.
const LITTLE: usize = 300_000;

/// A desktop of 20×20 whose server sends `messages` gives an error, the same however they are cut.
fn refused(messages: &[u8]) -> Answer {
    let answer = PLAIN.answer(20, 20, messages);
    let bytes = messages.to_vec().into();
    let client = PLAIN.client(20, 20, ByteOrder::Rgbx);
    let (_, largest) = largest_allocation(|| every_cut::whole(client, &bytes));
    assert!(largest < LITTLE, "{largest} bytes at once: {}", answer.error_text());
    assert!(answer.error.is_some(), "nothing is wrong");
    assert!(!answer.error_text().contains('\n'), "more than one line: {}", answer.error_text());
    assert!(answer.error_text().len() < 300, "a long line: {}", answer.error_text());
    answer
}

/// The error's line without the words that all of them begin with.
fn line(messages: &[u8]) -> String {
    let text = refused(messages).error_text();
    text.strip_prefix("the server broke the VNC protocol: ").expect("the server is to blame").to_owned()
}

/// The same for the first rectangle of an update.
pub fn rectangle_line(place: [u16; 4], encoding: i32, payload: &[u8]) -> String {
    line(&update(&[rectangle(place, encoding, payload)]))
}

#[test]
fn rectangles_outside_of_the_desktop() {
    assert_eq!(
        rectangle_line([19, 0, 2, 1], RAW, &[]),
        "2x1 at 19,0 outside of the desktop of 20x20 (FramebufferUpdate at byte 16, rectangle 1, encoding Raw)"
    );
    for place in [[0, 20, 1, 1], [0, 0, 20, 21], [65535, 0, 1, 1], [65535, 65535, 65535, 65535], [21, 0, 0, 0]] {
        for encoding in [RAW, COPY_RECT, RRE, CORRE, HEXTILE, ZLIB] {
            assert!(rectangle_line(place, encoding, &[]).contains("outside of the desktop of 20x20"));
        }
    }
    // The second rectangle, after one that is in order.
    let first = rectangle([0, 0, 1, 1], RAW, PLAIN.pixel('R'));
    assert_eq!(
        line(&update(&[first, header(0, 19, 1, 2, HEXTILE)])),
        "1x2 at 0,19 outside of the desktop of 20x20 (FramebufferUpdate at byte 32, rectangle 2, encoding Hextile)"
    );
}

#[test]
fn copies_from_outside_of_the_desktop() {
    assert_eq!(
        rectangle_line([0, 0, 20, 20], COPY_RECT, &[0, 0, 0, 1]),
        "a copy from 0,1 outside of the desktop (FramebufferUpdate at byte 20, rectangle 1, encoding CopyRect)"
    );
    assert!(rectangle_line([0, 0, 1, 1], COPY_RECT, &[255, 255, 255, 255]).contains("a copy from 65535,65535"));
    assert!(rectangle_line([0, 0, 1, 1], COPY_RECT, &[0, 20, 0, 0]).contains("a copy from 20,0"));
}

#[test]
fn subrectangles_outside_of_their_rectangle() {
    let background = [&[0, 0, 0, 2], PLAIN.pixel('R')].concat();
    let good = [PLAIN.pixel('G'), &[0, 0, 0, 0, 0, 4, 0, 4]].concat();
    let bad = [PLAIN.pixel('B'), &[0, 3, 0, 0, 0, 2, 0, 1]].concat();
    let answer = refused(&update(&[rectangle([0, 0, 4, 4], RRE, &[background, good, bad].concat())]));
    assert!(
        answer.error_text().ends_with(
            "a subrectangle of 2x1 at 3,0 outside of its rectangle (FramebufferUpdate at byte 36, rectangle 1, encoding RRE)"
        ),
        "{}",
        answer.error_text()
    );
    let (left, right) = (answer.rgb[9..12].to_vec(), answer.rgb[12..15].to_vec());
    assert_eq!((left, right), (vec![0, 255, 0], vec![0, 0, 0]), "what came before it is painted, nothing outside is");

    let one = |encoding, place: &[u8]| {
        let payload = [&[0, 0, 0, 1], PLAIN.pixel('R'), PLAIN.pixel('G'), place].concat();
        rectangle_line([2, 2, 4, 4], encoding, &payload)
    };
    assert!(one(RRE, &[255; 8]).contains("a subrectangle of 65535x65535 at 65535,65535 outside"));
    assert!(one(RRE, &[0, 0, 0, 0, 0, 1, 0, 5]).contains("outside of its rectangle"));
    assert!(one(CORRE, &[255; 4]).contains("a subrectangle of 255x255 at 255,255 outside"));
    assert!(one(CORRE, &[0, 4, 1, 1]).contains("outside of its rectangle"));

    let tile = |place: [u16; 4], subrectangle: [u8; 2]| {
        let payload = [&[2 | 4 | 8], PLAIN.pixel('R'), PLAIN.pixel('G'), &[1], &subrectangle[..]].concat();
        rectangle_line(place, HEXTILE, &payload)
    };
    assert!(tile([0, 0, 16, 16], [0x10, 0xf0]).contains("a subrectangle of 16x1 at 1,0 outside of its tile"));
    assert!(tile([0, 0, 16, 16], [0x0f, 0x01]).contains("a subrectangle of 1x2 at 0,15 outside of its tile"));
    // Inside of 16×16, but the tile is smaller.
    assert!(tile([0, 0, 5, 5], [0x50, 0x00]).contains("a subrectangle of 1x1 at 5,0 outside of its tile"));
    assert!(tile([3, 3, 5, 5], [0x00, 0x05]).contains("a subrectangle of 1x6 at 0,0 outside of its tile"));
}

#[test]
fn more_subrectangles_than_pixels() {
    for encoding in [RRE, CORRE] {
        let payload = [&[255, 255, 255, 255], PLAIN.pixel('R')].concat();
        let text = rectangle_line([0, 0, 20, 20], encoding, &payload);
        assert!(text.starts_with("4294967295 subrectangles in a rectangle with fewer pixels"), "{text}");
        let text = rectangle_line([5, 5, 0, 9], encoding, &[&[0, 0, 0, 1], PLAIN.pixel('R')].concat());
        assert!(text.starts_with("1 subrectangles"), "{text}");
    }
}

#[test]
fn desktops_that_no_memory_could_hold() {
    assert_eq!(
        rectangle_line([0, 0, 65535, 65535], -223, &[]),
        "a desktop of 65535x65535 (at most 34000000 pixels are taken) \
         (FramebufferUpdate at byte 16, rectangle 1, encoding DesktopSize)"
    );
    for place in [[0, 0, 65535, 65535], [1, 0, 65535, 519], [2, 7, 519, 65535]] {
        let text = rectangle_line(place, -308, &[0, 0, 0, 0]);
        assert!(text.contains("a desktop of") && text.contains("encoding ExtendedDesktopSize"), "{text}");
    }
    let init = |width, height| ServerInit { width, height, ..PLAIN.parsed(1, 1) };
    let (result, largest) = largest_allocation(|| canvas_for(&init(65535, 65535), ByteOrder::Bgrx));
    let text = result.unwrap_err().to_string();
    assert!(text.contains("a desktop of 65535x65535") && text.contains("ServerInit"), "{text}");
    assert!(largest < LITTLE);
    assert!(canvas_for(&init(7680, 4320), ByteOrder::Bgrx).is_ok(), "8K is taken");
}

#[test]
fn texts_of_four_gigabytes() {
    // Below zero: the extended clipboard.
    assert_eq!(
        line(&[3, 0, 0, 0, 255, 255, 255, 255, b'x']),
        "an extended clipboard message of 1 bytes (ServerCutText at byte 8)"
    );
    assert_eq!(
        rectangle_line([0; 4], -307, &[255, 255, 255, 255, b'x']),
        "a desktop name of 4294967295 bytes (FramebufferUpdate at byte 16, rectangle 1, encoding DesktopName)"
    );
}

#[test]
fn a_promised_text_takes_memory_only_as_it_comes() {
    for promise in [
        &[3, 0, 0, 0, 1, 0, 0, 0][..],
        &[3, 0, 0, 0, 127, 255, 255, 255],
        &[3, 0, 0, 0, 128, 0, 0, 0],
        &update(&[rectangle([0; 4], -307, &[0, 16, 0, 0])]),
    ] {
        let bytes = [promise, b"a few bytes"].concat().into();
        let client = PLAIN.client(1, 1, ByteOrder::Rgbx);
        let (answer, largest) = largest_allocation(|| every_cut::receive(client, &bytes, every_cut::random_cuts(1)));
        assert!(answer.error.is_none() && !answer.at_boundary);
        assert!(largest < LITTLE, "{largest} bytes at once");
    }
}

#[test]
fn a_text_that_nobody_keeps_is_passed_over_however_long_it_is() {
    const LENGTH: usize = (64 << 20) + 1;
    for length in [LENGTH as i32, -(LENGTH as i32)] {
        let bytes = [&[3, 0, 0, 0][..], &length.to_be_bytes(), &vec![b'x'; LENGTH], &[2]].concat().into();
        let client = PLAIN.client(1, 1, ByteOrder::Rgbx);
        let (answer, largest) = largest_allocation(|| every_cut::receive(client, &bytes, std::iter::repeat(1 << 16)));
        assert_eq!((answer.error, answer.events, answer.at_boundary), (None, vec![Event::Bell], true));
        assert!(largest < LITTLE, "{largest} bytes at once");
    }
}

#[test]
fn cursors_larger_than_any_screen() {
    for (encoding, name) in [(-239, "Cursor"), (-240, "XCursor")] {
        assert_eq!(
            rectangle_line([0, 0, 65535, 65535], encoding, &[]),
            format!("a cursor of 65535x65535 pixels (FramebufferUpdate at byte 16, rectangle 1, encoding {name})")
        );
        for [width, height] in [[1025, 1], [1, 1025]] {
            assert!(rectangle_line([0, 0, width, height], encoding, &[]).contains("a cursor of"));
        }
    }
}

#[test]
fn an_update_that_never_ends_is_used_up_as_it_comes() {
    let pieces = [
        rectangle([0, 0, 0, 0], RAW, &[]),
        rectangle([1, 1, 1, 1], RAW, PLAIN.pixel('R')),
        rectangle([20, 20, 0, 0], COPY_RECT, &[0, 0, 0, 0]),
        rectangle([3, 0, 0, 0], RRE, &[0; 8]),
        rectangle([0, 0, 0, 0], ZLIB, &[0; 4]),
        rectangle([0, 0, 20, 20], -223, &[]),
        rectangle([0, 0, 20, 20], -308, &[0; 4]),
    ];
    let messages = endless_update(&vec![pieces.concat(); 3000]);
    let answer = every_cut(|| PLAIN.client(20, 20, ByteOrder::Rgbx), &messages);
    assert_eq!((answer.error.clone(), answer.used), (None, messages.len() as u64));
    assert_eq!((answer.counts.updates, answer.counts.rectangles), (0, 15_000));
    assert_eq!(answer.messages.len(), 10, "one request for the next update, however long this one is");
    let bytes = messages.into();
    let client = PLAIN.client(20, 20, ByteOrder::Rgbx);
    let (_, largest) = largest_allocation(|| every_cut::whole(client, &bytes));
    assert!(largest < LITTLE, "{largest} bytes at once");
}

#[test]
fn an_update_that_never_ends_still_names_the_rectangle_that_is_wrong() {
    let good = vec![rectangle([0, 0, 0, 0], RAW, &[]); 70_000].concat();
    let text = line(&endless_update(&[good, header(0, 0, 21, 1, RAW)]));
    assert!(text.ends_with("(FramebufferUpdate at byte 840016, rectangle 70001, encoding Raw)"), "{text}");
}

/// A parcel of Zlib that holds `bytes`.
fn zlib(bytes: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 100);
    Compress::new(Compression::best(), true).compress_vec(bytes, &mut out, flush).unwrap();
    [&(out.len() as u32).to_be_bytes()[..], &out].concat()
}

#[test]
fn zlib_parcels_of_another_size_than_their_rectangle() {
    assert_eq!(
        rectangle_line([0, 0, 1, 1], ZLIB, &[255, 255, 255, 255]),
        "4294967295 bytes of compressed data for 4 bytes of pixels \
         (FramebufferUpdate at byte 20, rectangle 1, encoding Zlib)"
    );
    // Fifty million bytes in fifty thousand.
    let bomb = zlib(&vec![7; 50_000_000], FlushCompress::Sync);
    let text = rectangle_line([0, 0, 4, 4], ZLIB, &bomb);
    assert!(text.starts_with("more compressed pixels than the rectangle has"), "{text}");
    let text = rectangle_line([0, 0, 0, 4], ZLIB, &zlib(&[7], FlushCompress::Sync));
    assert!(text.starts_with("more compressed pixels"), "{text}");
    for flush in [FlushCompress::Sync, FlushCompress::Finish] {
        let text = rectangle_line([0, 0, 20, 20], ZLIB, &zlib(&[7; 1599], flush));
        assert!(text.starts_with("fewer compressed pixels than the rectangle has"), "{text}");
        let text = rectangle_line([0, 0, 20, 20], ZLIB, &zlib(&[7; 1601], flush));
        assert!(text.starts_with("more compressed pixels than the rectangle has"), "{text}");
    }
    // Nothing comes after a stream's end.
    let end = rectangle([0, 0, 1, 1], ZLIB, &zlib(&[7; 4], FlushCompress::Finish));
    let text = line(&update(&[end, rectangle([0, 0, 1, 1], ZLIB, &[0, 0, 0, 9, 0, 4, 0, 251, 255, 7, 7, 7, 7])]));
    assert!(text.contains("fewer compressed pixels") && text.contains("rectangle 2"), "{text}");
}

#[test]
fn zlib_parcels_of_garbage() {
    for header in [[0, 0], [0x78, 0x02], [0x77, 0x01], [0x78, 0xbb], [b'h', b'i']] {
        let text = rectangle_line([0, 0, 1, 1], ZLIB, &[&[0, 0, 0, 4], &header[..], &[0, 0]].concat());
        assert!(text.starts_with("compressed data without the header of a zlib stream"), "{text}");
    }
    // A block of a kind that does not exist; a stored block whose two lengths do not agree; references to nowhere.
    for body in [&[7, 0, 0][..], &[0, 4, 0, 4, 0, 1, 2, 3, 4], &[0x03 & 2 | 1, 0xff, 0xff, 0xff]] {
        let payload = [&[0, 0, 0, 2 + body.len() as u8, 0x78, 0x01], body].concat();
        assert_eq!(
            rectangle_line([0, 0, 1, 1], ZLIB, &payload),
            format!(
                "compressed data that zlib can not read (FramebufferUpdate at byte {}, rectangle 1, encoding Zlib)",
                16 + payload.len()
            )
        );
    }
}

#[test]
fn encodings_and_messages_that_nobody_asked_for() {
    for encoding in [3, 10, 22, -256, i32::MIN, i32::MAX] {
        assert_eq!(
            rectangle_line([0, 0, 1, 1], encoding, &[]),
            format!(
                "an encoding that was not asked for (FramebufferUpdate at byte 16, rectangle 1, encoding {encoding})"
            )
        );
    }
    for kind in [4, 149, 249, 254] {
        assert_eq!(line(&[kind]), format!("a message of the unknown type {kind} (message at byte 0)"));
        assert_eq!(line(&[2, 2, kind, 2]), format!("a message of the unknown type {kind} (message at byte 2)"));
    }
}

#[test]
fn a_stream_that_stops_anywhere_only_waits_for_more() {
    for wire in &WIRES[6..] {
        let size = wire.colours[0].len() as u8;
        let zero = vec![0; size.into()];
        let mask = [&zero[..], &zero, &[0x80]].concat();
        // These formats have no TPIXELs of their own.
        let tight = usize::from(size);
        let messages = [
            vec![1, 0, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6],
            update(&[
                rectangle([0, 0, 2, 1], RAW, &[&zero[..], &zero].concat()),
                rectangle([0, 0, 1, 1], COPY_RECT, &[0, 1, 0, 0]),
                rectangle([0, 0, 2, 1], RRE, &[&[0, 0, 0, 1], &zero[..], &zero, &[0; 8]].concat()),
                rectangle([0, 0, 2, 1], CORRE, &[&[0, 0, 0, 1], &zero[..], &zero, &[0; 4]].concat()),
                rectangle(
                    [0, 0, 17, 1],
                    HEXTILE,
                    &[&[14], &zero[..], &zero, &[1, 0, 0, 24, 1], &zero, &[0, 0]].concat(),
                ),
                rectangle([0, 0, 1, 1], ZLIB, &zlib(&zero, FlushCompress::Sync)),
                rectangle([0, 0, 1, 1], TIGHT, &[&[0x40, 1, 1], &vec![0; tight * 2][..], &[0x80]].concat()),
                rectangle([0, 0, 20, 4], TIGHT, &[&[0xe0, 1, 1], &vec![0; tight * 2][..], &[12], &[9; 12]].concat()),
                rectangle([0, 0, 8, 8], 21, &jpeg(8, 8, [9, 99, 199], Tables::Both)),
                rectangle([0, 0, 2, 1], -239, &mask),
                rectangle([0, 0, 3, 1], -240, &[0; 8]),
                rectangle([0, 0, 0, 0], -232, &[]),
                rectangle([0, 0, 9, 9], -223, &[]),
                rectangle([0, 0, 20, 20], -308, &[&[1, 0, 0, 0], &[0; 16][..]].concat()),
                rectangle([0, 0, 0, 0], -307, &[0, 0, 0, 2, b'h', b'i']),
                rectangle([0, 0, 0, 0], -224, &[]),
            ]),
            vec![2, 3, 0, 0, 0, 0, 0, 0, 2, b'h', b'i'],
        ];
        let mut boundaries = vec![0, messages[0].len(), messages[..2].concat().len()];
        let messages = messages.concat();
        boundaries.extend([boundaries[2] + 1, messages.len()]);
        for length in 0..=messages.len() {
            let answer = wire.answer(20, 20, &messages[..length]);
            assert_eq!(answer.error, None, "{}: stopped after {length}", wire.name);
            assert_eq!(answer.at_boundary, boundaries.contains(&length), "{}: stopped after {length}", wire.name);
        }
    }
}

#[test]
fn noise_never_panics_and_its_answer_does_not_depend_on_cuts() {
    let mut numbers = Numbers(6143);
    for round in 0..1500 {
        let wire = &WIRES[round % WIRES.len()];
        let (width, height) = (numbers.next_number() as u16 % 40, numbers.next_number() as u16 % 40);
        let mut stream = Vec::new();
        for _ in 0..numbers.next_number() % 6 {
            let encodings = [0, 1, 2, 4, 5, 6, 7, 7, 21, -260, -239, -240, -232, -224, -307, 5];
            let encoding = encodings[numbers.next_number() as usize % encodings.len()];
            let mut place = [0; 4];
            place.fill_with(|| numbers.next_number() as u16 % 20);
            let length = numbers.next_number() as usize % 200;
            // Mostly small numbers: they are lengths and places that make sense now and then.
            let mut payload = numbers.bytes(length);
            let limit = [2, 6, 20, 255][numbers.next_number() as usize % 4];
            payload.iter_mut().for_each(|byte| *byte %= limit);
            stream.extend(update(&[rectangle(place, encoding, &payload)]));
        }
        wire.answer(width, height, &stream);
    }
}
