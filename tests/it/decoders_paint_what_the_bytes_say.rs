//! Literal bytes to literal pixels, written from RFC 6143 and rfbproto. Each case runs in every pixel format and however
//! its bytes are cut.

use flate2::{Compress, Compression, FlushCompress};
use sshvnc::client::{Client, Event, Settings, canvas_for};
use sshvnc::picture::{ByteOrder, Cursor, Size};
use sshvnc::rfb::{Inbox, PixelFormat, encoding};

use crate::every_cut::{self, every_cut};
use crate::server::{COLOUR_MAP, PLAIN, WIRES, drawn, endless_update, paints, rectangle, update};

const RAW: i32 = 0;
const COPY_RECT: i32 = 1;
const RRE: i32 = 2;
const CORRE: i32 = 4;
const HEXTILE: i32 = 5;
const ZLIB: i32 = 6;

#[test]
fn the_numbers_are_those_of_the_specification() {
    use encoding::*;
    assert_eq!([RAW, COPY_RECT, RRE, CORRE, HEXTILE, ZLIB], [0, 1, 2, 4, 5, 6]);
    assert_eq!([CURSOR, X_CURSOR, POINTER_POS], [-239, -240, -232]);
    assert_eq!([DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, LAST_RECT, DESKTOP_NAME], [-223, -308, -224, -307]);
}

// ---- pixel formats --------------------------------------------------------------------------------------------

#[test]
fn values_between_black_and_full_are_scaled_to_the_nearest_of_255() {
    type Case<'a> = ([u8; 16], &'a [u8], [[u8; 3]; 2]);
    let cases: [Case<'_>; 5] = [
        (WIRES[0].format, &[1, 2, 3, 99, 254, 128, 127, 0], [[1, 2, 3], [254, 128, 127]]),
        (WIRES[2].format, &[99, 1, 2, 3, 0, 254, 128, 127], [[1, 2, 3], [254, 128, 127]]),
        // 10000 100001 00001 and 01111 011111 11110
        (WIRES[5].format, &[0x21, 0x84, 0xfe, 0x7b], [[132, 134, 8], [123, 125, 247]]),
        (WIRES[6].format, &[0x84, 0x21, 0x7b, 0xfe], [[132, 134, 8], [123, 125, 247]]),
        // blue 10, green 011, red 001 and blue 01, green 100, red 110
        (WIRES[7].format, &[0b1001_1001, 0b0110_0110], [[36, 109, 170], [219, 146, 85]]),
    ];
    for (i, (format, pixels, colours)) in cases.into_iter().enumerate() {
        let wire = crate::server::Wire { name: "shades", format, colours: [&[]; 5] };
        let answer = wire.answer(2, 1, &update(&[rectangle([0, 0, 2, 1], RAW, pixels)]));
        assert_eq!(answer.rgb, colours.as_flattened(), "case {i}");
    }
}

#[test]
fn a_colour_map_changes_what_comes_after_it() {
    let map = WIRES.last().unwrap();
    let first = update(&[rectangle([0, 0, 2, 1], RAW, &[11, 77])]);
    let entry = [1, 0, 0, 11, 0, 1, 0, 0, 0xff, 0, 0, 0];
    let second = update(&[rectangle([1, 0, 1, 1], RAW, &[11])]);
    let answer = map.answer(2, 1, &[&COLOUR_MAP[..], &first, &entry, &second].concat());
    assert_eq!(drawn(&answer), ["RG"]);
    // Entries beyond the last of an 8 bit map, and no entries at all.
    let beyond = [&[1, 0, 0, 255, 0, 2][..], &[0xff; 12], &[1, 0, 0xff, 0xff, 0, 0]].concat();
    let answer = map.answer(2, 1, &[&beyond[..], &update(&[rectangle([0, 0, 2, 1], RAW, &[255, 0])])].concat());
    assert_eq!(drawn(&answer), ["W."]);
}

// ---- Raw, CopyRect --------------------------------------------------------------------------------------------

#[test]
fn raw_is_pixels_row_by_row() {
    paints(
        5,
        4,
        |wire| {
            let small = rectangle([1, 1, 3, 2], RAW, &wire.pixels("RGBW.R"));
            let corner = rectangle([4, 3, 1, 1], RAW, wire.pixel('G'));
            update(&[small, rectangle([5, 4, 0, 0], RAW, &[]), rectangle([0, 2, 5, 0], RAW, &[]), corner])
        },
        &[".....", ".RGB.", ".W.R.", "....G"],
    );
    paints(3, 2, |wire| update(&[rectangle([0, 0, 3, 2], RAW, &wire.pixels("RGBBGR"))]), &["RGB", "BGR"]);
}

#[test]
fn an_update_may_have_no_rectangle() {
    paints(2, 1, |_| update::<Vec<u8>>(&[]), &[".."]);
}

#[test]
fn copy_rect_copies_what_was_painted_before_it_also_onto_itself() {
    let start = ["RGB..", "W.W..", "....."];
    let copied = |from: [u8; 4], to: [u16; 4], picture: &[&str]| {
        paints(
            5,
            3,
            |wire| {
                update(&[rectangle([0, 0, 5, 3], RAW, &wire.pixels(&start.concat())), rectangle(to, COPY_RECT, &from)])
            },
            picture,
        );
    };
    copied([0, 0, 0, 0], [2, 1, 3, 2], &["RGB..", "W.RGB", "..W.W"]);
    copied([0, 0, 0, 0], [1, 0, 3, 2], &["RRGB.", "WW.W.", "....."]);
    copied([0, 1, 0, 0], [0, 0, 4, 2], &["GB...", ".W...", "....."]);
    copied([0, 0, 0, 0], [1, 1, 3, 2], &["RGB..", "WRGB.", ".W.W."]);
    copied([0, 1, 0, 0], [1, 0, 2, 2], &["RGB..", "W.W..", "....."]);
}

// ---- RRE, CoRRE -----------------------------------------------------------------------------------------------

#[test]
fn rre_is_a_background_and_rectangles_painted_one_over_the_other() {
    for encoding in [RRE, CORRE] {
        let subrectangle = |place: [u8; 4]| match encoding {
            RRE => place.iter().flat_map(|&number| [0, number]).collect::<Vec<u8>>(),
            _ => place.to_vec(),
        };
        paints(
            6,
            4,
            |wire| {
                let parts = [
                    vec![0, 0, 0, 3],
                    wire.pixels("G"),
                    wire.pixels("R"),
                    subrectangle([0, 0, 3, 2]),
                    wire.pixels("B"),
                    subrectangle([2, 1, 2, 2]),
                    wire.pixels("W"),
                    subrectangle([3, 2, 1, 1]),
                ];
                update(&[rectangle([1, 1, 4, 3], encoding, &parts.concat())])
            },
            &["......", ".RRRG.", ".RRBB.", ".GGBW."],
        );
        // Only a background; an empty rectangle, which has one all the same; an empty subrectangle.
        paints(
            3,
            1,
            |wire| {
                let plain = rectangle([0, 0, 2, 1], encoding, &[&[0, 0, 0, 0], wire.pixel('R')].concat());
                let nothing = rectangle([1, 0, 0, 1], encoding, &[&[0, 0, 0, 0], wire.pixel('B')].concat());
                let empty = [&[0, 0, 0, 1], wire.pixel('W'), wire.pixel('B'), &subrectangle([1, 1, 0, 0])].concat();
                update(&[plain, nothing, rectangle([2, 0, 1, 1], encoding, &empty)])
            },
            &["RRW"],
        );
    }
}

#[test]
fn rre_has_places_beyond_255_and_corre_does_not() {
    let far = [&[0, 0, 0, 1][..], PLAIN.pixel('R'), PLAIN.pixel('G'), &[1, 43, 0, 0, 0, 1, 0, 1]].concat();
    let answer = PLAIN.answer(300, 1, &update(&[rectangle([0, 0, 300, 1], RRE, &far)]));
    assert_eq!(drawn(&answer), ["R".repeat(299) + "G"]);
    let near = [&[0, 0, 0, 1][..], PLAIN.pixel('R'), PLAIN.pixel('G'), &[254, 0, 1, 1]].concat();
    let answer = PLAIN.answer(300, 1, &update(&[rectangle([0, 0, 255, 1], CORRE, &near)]));
    assert_eq!(drawn(&answer), ["R".repeat(254) + "G" + &".".repeat(45)]);
}

// ---- Hextile --------------------------------------------------------------------------------------------------

// The bits of a subencoding mask (§7.7.4).
const TILE_RAW: u8 = 1;
const BACKGROUND: u8 = 2;
const FOREGROUND: u8 = 4;
const SUBRECTS: u8 = 8;
const COLOURED: u8 = 16;

#[test]
fn a_raw_hextile_tile_is_pixels_and_its_other_bits_mean_nothing() {
    for mask in [TILE_RAW, TILE_RAW | BACKGROUND | FOREGROUND | SUBRECTS | COLOURED] {
        paints(
            3,
            2,
            |wire| update(&[rectangle([0, 0, 3, 2], HEXTILE, &[&[mask][..], &wire.pixels("RGBW.R")].concat())]),
            &["RGB", "W.R"],
        );
    }
}

#[test]
fn a_hextile_tile_may_be_its_background_alone() {
    paints(
        3,
        2,
        |wire| update(&[rectangle([1, 0, 2, 2], HEXTILE, &[&[BACKGROUND], wire.pixel('B')].concat())]),
        &[".BB", ".BB"],
    );
}

#[test]
fn subrectangles_of_one_colour_take_the_foreground() {
    paints(
        5,
        3,
        |wire| {
            let tile = [
                &[BACKGROUND | FOREGROUND | SUBRECTS],
                wire.pixel('B'),
                wire.pixel('W'),
                // 2x1 at 1,0 and 1x2 at 4,1
                &[2, 0x10, 0x10, 0x41, 0x01],
            ];
            update(&[rectangle([0, 0, 5, 3], HEXTILE, &tile.concat())])
        },
        &["BWWBB", "BBBBW", "BBBBW"],
    );
}

#[test]
fn coloured_subrectangles_bring_their_own_and_lie_one_over_the_other() {
    paints(
        5,
        2,
        |wire| {
            let tile = [
                &[BACKGROUND | SUBRECTS | COLOURED],
                wire.pixel('B'),
                &[3],
                wire.pixel('R'),
                &[0x00, 0x31],
                wire.pixel('G'),
                &[0x11, 0x00],
                wire.pixel('W'),
                &[0x40, 0x01],
            ];
            update(&[rectangle([0, 0, 5, 2], HEXTILE, &tile.concat())])
        },
        &["RRRRW", "RGRRW"],
    );
}

#[test]
fn background_and_foreground_carry_over_from_tile_to_tile() {
    // Six tiles in a row, each 16 wide but the last, one row high.
    let row = |tiles: [&str; 6]| tiles.concat();
    let picture = row([
        "WRRRRRRRRRRRRRRR", // background R, foreground W
        "RRWRRRRRRRRRRRRR", // both carried over
        "RGRRRRRRRRRRRRRR", // coloured: the foreground is not touched
        "BBBBBBBBBBBBBBBB", // another background alone
        "BBBWBBBBBBBBBBBB", // foreground from four tiles before
        "BBBB",             // nothing said at all
    ]);
    paints(
        84,
        1,
        |wire| {
            let tiles = [
                &[BACKGROUND | FOREGROUND | SUBRECTS][..],
                wire.pixel('R'),
                wire.pixel('W'),
                &[1, 0x00, 0x00],
                &[SUBRECTS, 1, 0x20, 0x00],
                &[SUBRECTS | COLOURED, 1],
                wire.pixel('G'),
                &[0x10, 0x00],
                &[BACKGROUND],
                wire.pixel('B'),
                &[SUBRECTS, 1, 0x30, 0x00],
                &[0],
            ];
            update(&[rectangle([0, 0, 84, 1], HEXTILE, &tiles.concat())])
        },
        &[&picture],
    );
}

#[test]
fn a_foreground_may_be_named_before_it_is_used_and_subrectangles_may_be_none() {
    paints(
        48,
        1,
        |wire| {
            let tiles = [
                &[BACKGROUND | FOREGROUND][..],
                wire.pixel('R'),
                wire.pixel('G'),
                &[SUBRECTS, 0],
                &[SUBRECTS, 1, 0x00, 0xf0],
            ];
            update(&[rectangle([0, 0, 48, 1], HEXTILE, &tiles.concat())])
        },
        &[&("R".repeat(32) + &"G".repeat(16))],
    );
}

#[test]
fn the_tiles_at_the_right_and_at_the_bottom_are_smaller() {
    let mut picture = vec![".".to_owned() + &"R".repeat(16) + "GG"; 16];
    picture.push(".".to_owned() + &"B".repeat(16) + "WR");
    picture.insert(0, ".".repeat(19));
    let lines: Vec<&str> = picture.iter().map(String::as_str).collect();
    paints(
        19,
        18,
        |wire| {
            let tiles = [
                &[BACKGROUND],
                wire.pixel('R'),
                &[BACKGROUND],
                wire.pixel('G'),
                &[BACKGROUND | FOREGROUND | SUBRECTS],
                wire.pixel('W'),
                wire.pixel('B'),
                &[1, 0x00, 0xf0],
                &[TILE_RAW],
                &wire.pixels("WR"),
            ];
            update(&[rectangle([1, 1, 18, 17], HEXTILE, &tiles.concat())])
        },
        &lines,
    );
}

#[test]
fn a_tile_may_have_255_subrectangles() {
    let mut picture = vec!["R".repeat(16); 16];
    picture[15].replace_range(15..16, "B");
    let lines: Vec<&str> = picture.iter().map(String::as_str).collect();
    paints(
        16,
        16,
        |wire| {
            let mut tile = [&[BACKGROUND | SUBRECTS | COLOURED], wire.pixel('B'), &[255]].concat();
            for at in 0..255u8 {
                tile.extend(wire.pixel('R'));
                tile.extend([((at % 16) << 4) | (at / 16), 0x00]);
            }
            update(&[rectangle([0, 0, 16, 16], HEXTILE, &tile)])
        },
        &lines,
    );
}

// ---- Zlib -----------------------------------------------------------------------------------------------------

/// A parcel of Zlib: its length and `bytes` in stored blocks, behind the stream's header if it is the `first`.
fn stored(first: bool, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let header: &[u8] = if first { &[0x78, 0x01] } else { &[] };
    let payload = [header, &[0], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat();
    [&u32::try_from(payload.len()).unwrap().to_be_bytes()[..], &payload].concat()
}

#[test]
fn zlib_is_raw_through_one_stream_that_goes_on_from_rectangle_to_rectangle() {
    paints(
        3,
        2,
        |wire| {
            let first = update(&[
                rectangle([0, 0, 3, 1], ZLIB, &stored(true, &wire.pixels("RGB"))),
                rectangle([0, 1, 2, 1], ZLIB, &stored(false, &wire.pixels("WW"))),
            ]);
            [first, update(&[rectangle([2, 1, 1, 1], ZLIB, &stored(false, wire.pixel('R')))])].concat()
        },
        &["RGB", "WWR"],
    );
}

#[test]
fn an_empty_zlib_rectangle_has_an_empty_parcel_or_one_that_unpacks_to_nothing() {
    paints(
        2,
        1,
        |wire| {
            update(&[
                rectangle([0, 0, 0, 1], ZLIB, &[0, 0, 0, 0]),
                // The header alone, then an empty stored block: both belong to the stream.
                rectangle([0, 0, 1, 0], ZLIB, &[0, 0, 0, 2, 0x78, 0x01]),
                rectangle([1, 0, 0, 0], ZLIB, &stored(false, &[])),
                rectangle([0, 0, 2, 1], ZLIB, &stored(false, &wire.pixels("RG"))),
            ])
        },
        &["RG"],
    );
}

#[test]
fn zlib_looks_back_into_the_rectangles_before() {
    // Larger than the bands that are unpacked at a time; the second rectangle repeats the first, so that nearly all of
    // it is references across the border between the two.
    let (width, height) = (160u16, 150u16);
    for wire in &WIRES {
        let colours: Vec<u8> = (0..2000usize).flat_map(|i| wire.colours[i * i % 7 % 5]).copied().collect();
        let pixels: Vec<u8> = colours.iter().copied().cycle().take(24_000 * wire.colours[0].len()).collect();
        for level in [Compression::none(), Compression::fast(), Compression::best()] {
            let mut stream = Compress::new(level, true);
            let mut parcel = |bytes: &[u8]| {
                let mut out = Vec::with_capacity(bytes.len() + 10_000);
                stream.compress_vec(bytes, &mut out, FlushCompress::Sync).unwrap();
                [&u32::try_from(out.len()).unwrap().to_be_bytes()[..], &out].concat()
            };
            let messages = [
                COLOUR_MAP.to_vec(),
                update(&[
                    rectangle([0, 0, width, height], ZLIB, &parcel(&pixels)),
                    rectangle([0, height, width, height], ZLIB, &parcel(&pixels)),
                    rectangle([0, 0, width, 1], ZLIB, &parcel(&pixels[..160 * wire.colours[0].len()])),
                ]),
            ];
            // The naive decoder says what the picture must be.
            let answer = wire.answer(width, 2 * height, &messages.concat());
            assert!(answer.at_boundary, "{}: {}", wire.name, answer.error_text());
            let (upper, lower) = answer.rgb.split_at(answer.rgb.len() / 2);
            assert!(upper == lower && upper.iter().any(|&byte| byte != 0), "{}", wire.name);
        }
    }
}

#[test]
fn a_zlib_stream_that_ends_is_enough_for_its_last_rectangle() {
    let mut out = Vec::with_capacity(1000);
    Compress::new(Compression::best(), true)
        .compress_vec(&PLAIN.pixels("RGBW"), &mut out, FlushCompress::Finish)
        .unwrap();
    let parcel = [&(out.len() as u32).to_be_bytes()[..], &out].concat();
    let answer = PLAIN.answer(4, 1, &update(&[rectangle([0, 0, 4, 1], ZLIB, &parcel)]));
    assert_eq!(drawn(&answer), ["RGBW"], "{}", answer.error_text());
}

// ---- several encodings together -------------------------------------------------------------------------------

#[test]
fn encodings_follow_one_another_in_one_update() {
    paints(
        4,
        3,
        |wire| {
            update(&[
                rectangle([0, 0, 4, 1], HEXTILE, &[&[BACKGROUND], wire.pixel('R')].concat()),
                rectangle([0, 1, 4, 1], RRE, &[&[0, 0, 0, 0], wire.pixel('G')].concat()),
                rectangle([1, 1, 2, 1], CORRE, &[&[0, 0, 0, 0], wire.pixel('B')].concat()),
                rectangle([0, 2, 4, 1], COPY_RECT, &[0, 0, 0, 1]),
                rectangle([3, 2, 1, 1], ZLIB, &stored(true, wire.pixel('W'))),
                rectangle([0, 0, 1, 1], RAW, wire.pixel('W')),
            ])
        },
        &["WRRR", "GBBG", "GBBW"],
    );
}

#[test]
fn damage_and_counts_cover_what_was_painted() {
    let messages = update(&[
        rectangle([1, 1, 2, 1], RAW, &PLAIN.pixels("RG")),
        rectangle([0, 0, 1, 1], COPY_RECT, &[0, 1, 0, 1]),
        rectangle([3, 0, 0, 0], -232, &[]),
    ]);
    let answer = PLAIN.answer(4, 2, &messages);
    let size = Size::new(4, 2);
    assert_eq!(answer.damage, [size.area(1, 1, 2, 1).unwrap(), size.area(0, 0, 1, 1).unwrap()]);
    assert_eq!((answer.counts.updates, answer.counts.rectangles, answer.counts.pixels), (1, 2, 3));
    assert_eq!(answer.counts.by_encoding.into_iter().collect::<Vec<_>>(), [(RAW, 1), (COPY_RECT, 1)]);
}

// ---- pseudo-encodings -----------------------------------------------------------------------------------------

const CURSOR: i32 = -239;
const X_CURSOR: i32 = -240;
const POINTER_POS: i32 = -232;
const DESKTOP_SIZE: i32 = -223;
const EXTENDED_DESKTOP_SIZE: i32 = -308;
const LAST_RECT: i32 = -224;
const DESKTOP_NAME: i32 = -307;

const RED: [u8; 4] = [255, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const NONE: [u8; 4] = [0; 4];

#[test]
fn a_cursor_is_pixels_and_a_mask_whose_rows_begin_with_a_byte() {
    for wire in &WIRES {
        // Nine wide: each row of the mask has two bytes, of which the last seven bits are padding.
        let pixels = wire.pixels("RGBRGBRGBBBBBBBBBB");
        let mask = [0b1010_0000, 0b1111_1111, 0b0000_0001, 0b0111_1111];
        let rectangle = rectangle([2, 1, 9, 2], CURSOR, &[&pixels[..], &mask].concat());
        // A cursor need not fit on the desktop, and does not paint.
        let answer = wire.answer(4, 1, &[&COLOUR_MAP[..], &update(&[rectangle])].concat());
        let mut shape = vec![NONE; 18];
        (shape[0], shape[2], shape[8], shape[16]) = (RED, BLUE, BLUE, BLUE);
        let cursor = Cursor { size: Size::new(9, 2), hotspot: (2, 1), pixels: shape };
        assert_eq!(answer.events, [Event::Cursor(Some(cursor))], "{}", wire.name);
        assert_eq!((drawn(&answer), answer.damage.len()), (vec!["....".to_owned()], 0));
    }
}

#[test]
fn an_xcursor_has_two_colours_a_bitmap_and_a_mask() {
    let payload = [255, 0, 0, 0, 255, 0, 0b1010_0000, 0b0111_0000, 0b1101_1111, 0b0010_1111];
    let answer = PLAIN.answer(1, 1, &update(&[rectangle([0, 0, 3, 2], X_CURSOR, &payload)]));
    let pixels = vec![RED, GREEN, NONE, NONE, NONE, RED];
    let cursor = Cursor { size: Size::new(3, 2), hotspot: (0, 0), pixels };
    assert_eq!(answer.events, [Event::Cursor(Some(cursor))]);
}

#[test]
fn a_cursor_without_pixels_hides_it_and_has_no_payload() {
    for encoding in [CURSOR, X_CURSOR] {
        for size in [[0, 0, 0, 0], [0, 0, 5, 0], [3, 3, 0, 5]] {
            let after = rectangle([0, 0, 1, 1], RAW, PLAIN.pixel('R'));
            let answer = PLAIN.answer(1, 1, &update(&[rectangle(size, encoding, &[]), after]));
            assert_eq!((answer.events.as_slice(), drawn(&answer)), (&[Event::Cursor(None)][..], vec!["R".to_owned()]));
        }
    }
}

#[test]
fn a_hotspot_beyond_the_cursor_is_moved_to_its_edge() {
    let payload = [PLAIN.pixel('B'), &[0x80]].concat();
    let answer = PLAIN.answer(1, 1, &update(&[rectangle([7, 9, 1, 1], CURSOR, &payload)]));
    let cursor = Cursor { size: Size::new(1, 1), hotspot: (0, 0), pixels: vec![BLUE] };
    assert_eq!(answer.events, [Event::Cursor(Some(cursor))]);
}

#[test]
fn pointer_pos_tells_where_the_pointer_is() {
    let answer = PLAIN.answer(1, 1, &update(&[rectangle([258, 3, 0, 0], POINTER_POS, &[])]));
    assert_eq!(answer.events, [Event::PointerMoved { x: 258, y: 3 }]);
}

/// What the client says when it asks for a whole desktop of this size, and for what changed on it.
fn asks(incremental: u8, width: u8, height: u8) -> Vec<u8> {
    vec![3, incremental, 0, 0, 0, 0, 0, width, 0, height]
}

#[test]
fn a_client_begins_with_what_it_wants() {
    let init = PLAIN.parsed(3, 2);
    let settings = Settings::new(PixelFormat::rgb565(), vec![ZLIB, RAW]);
    let messages = Client::new(&init, &settings, ByteOrder::Bgrx).messages();
    let expected = vec![0, 0, 0, 0, 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0];
    assert!(messages.starts_with(&expected));
    // SetEncodings: those of pixels in their order, then everything else that is understood, the better first.
    let [2, 0, high, low, numbers @ ..] = &messages[expected.len()..] else { panic!("{messages:?}") };
    let (numbers, rest) = numbers.split_at(usize::from(*high) * 256 * 4 + usize::from(*low) * 4);
    let numbers: Vec<i32> = numbers.as_chunks().0.iter().map(|number| i32::from_be_bytes(*number)).collect();
    let place = |number: i32| numbers.iter().position(|&known| known == number).unwrap();
    assert_eq!((place(ZLIB), place(RAW)), (0, 1));
    for (better, worse) in [(RAW, CURSOR), (CURSOR, X_CURSOR), (EXTENDED_DESKTOP_SIZE, DESKTOP_SIZE)] {
        assert!(place(better) < place(worse));
    }
    for number in [POINTER_POS, LAST_RECT, DESKTOP_NAME, -314, -312, -313, -261] {
        place(number);
    }
    // neatvnc 0.5 drops a client that names more than 32.
    assert!(numbers.len() <= 32);
    assert_eq!(rest, asks(0, 3, 2));
    assert!(!numbers.iter().any(|number| (-32..=-23).contains(number) || (-256..=-247).contains(number)));
    let levels = Settings { quality: Some(9), compression: Some(0), ..settings };
    let messages = Client::new(&init, &levels, ByteOrder::Bgrx).messages();
    // The levels are not pushed out by what a server may do without.
    let chosen = [ZLIB, RAW, -23, -256, -317].map(i32::to_be_bytes).concat();
    assert!(messages[expected.len() + 4..].starts_with(&chosen), "{messages:?}");
}

#[test]
fn pixels_come_in_the_format_that_was_asked_for_not_in_the_servers_own() {
    let init = PLAIN.parsed(2, 1);
    let settings = Settings::new(PixelFormat::rgb565(), vec![RAW]);
    let open = || (Client::new(&init, &settings, ByteOrder::Bgrx), canvas_for(&init, ByteOrder::Bgrx).unwrap());
    let answer = every_cut(open, &update(&[rectangle([0, 0, 2, 1], RAW, &[0x00, 0xf8, 0xe0, 0x07])]));
    assert_eq!(drawn(&answer), ["RG"]);
}

#[test]
fn the_next_update_is_asked_for_at_the_header_of_this_one() {
    let client = PLAIN.client(3, 2, ByteOrder::Rgbx);
    let answer = every_cut::whole(client, &vec![0, 0, 0, 1].into());
    assert_eq!(answer.messages, asks(1, 3, 2));
    let two = [update::<Vec<u8>>(&[]), update::<Vec<u8>>(&[])].concat();
    assert_eq!(PLAIN.answer(3, 2, &two).messages, [asks(1, 3, 2), asks(1, 3, 2)].concat());
}

#[test]
fn desktop_size_changes_the_canvas_and_asks_for_all_of_it() {
    let paint = rectangle([0, 0, 2, 2], RAW, &PLAIN.pixels("RGBW"));
    let larger = [update(std::slice::from_ref(&paint)), update(&[rectangle([0, 0, 3, 1], DESKTOP_SIZE, &[])])].concat();
    let answer = PLAIN.answer(2, 2, &larger);
    assert_eq!(
        (drawn(&answer), answer.events.as_slice()),
        (vec!["RG.".to_owned()], &[Event::Resized(Size::new(3, 1))][..])
    );
    assert_eq!(answer.messages, [asks(1, 2, 2), asks(1, 2, 2), asks(0, 3, 1)].concat());
    assert!(answer.damage.is_empty(), "it belongs to the old size");
    // What follows in the same update is judged by the new size.
    let both = update(&[rectangle([0, 0, 3, 1], DESKTOP_SIZE, &[]), rectangle([2, 0, 1, 1], RAW, PLAIN.pixel('B'))]);
    assert_eq!(drawn(&PLAIN.answer(2, 2, &both)), ["..B"]);
    let old = update(&[rectangle([0, 0, 3, 1], DESKTOP_SIZE, &[]), paint]);
    assert!(PLAIN.answer(2, 2, &old).error_text().contains("outside of the desktop of 3x1"));
}

#[test]
fn a_desktop_may_become_empty_and_come_back() {
    let messages = update(&[
        rectangle([0, 0, 0, 7], DESKTOP_SIZE, &[]),
        rectangle([0, 0, 0, 7], RAW, &[]),
        rectangle([0, 0, 1, 1], DESKTOP_SIZE, &[]),
        rectangle([0, 0, 1, 1], RAW, PLAIN.pixel('G')),
    ]);
    assert_eq!(drawn(&PLAIN.answer(2, 2, &messages)), ["G"]);
}

/// ExtendedDesktopSize with one screen, for `reason` (0 the server, 1 this client, 2 another) with `status`.
fn extended(reason: u16, status: u16, width: u16, height: u16) -> Vec<u8> {
    let screen = [&[0, 0, 0, 7, 0, 0, 0, 0][..], &width.to_be_bytes(), &height.to_be_bytes(), &[0; 4]].concat();
    rectangle([reason, status, width, height], EXTENDED_DESKTOP_SIZE, &[&[1, 0, 0, 0], &screen[..]].concat())
}

#[test]
fn extended_desktop_size_resizes_unless_it_refuses_what_this_client_wanted() {
    for (reason, status, resized) in
        [(0, 0, true), (1, 0, true), (2, 0, true), (1, 1, false), (1, 3, false), (2, 5, true)]
    {
        let after = rectangle([0, 0, 1, 1], RAW, PLAIN.pixel('R'));
        let answer =
            every_cut(|| PLAIN.client(2, 1, ByteOrder::Rgbx), &update(&[extended(reason, status, 3, 1), after]));
        let (picture, events) = if resized { ("R..", vec![Event::Resized(Size::new(3, 1))]) } else { ("R.", vec![]) };
        assert_eq!((drawn(&answer), answer.events), (vec![picture.to_owned()], events), "{reason}, {status}");
    }
}

#[test]
fn a_size_that_is_told_again_and_again_is_not_answered() {
    // TigerVNC tells its size in each answer to a request for everything: to ask for everything again would never end.
    let told = [extended(0, 0, 2, 1), extended(1, 0, 2, 1), rectangle([0, 0, 2, 1], DESKTOP_SIZE, &[])];
    let answer = PLAIN.answer(2, 1, &update(&told));
    assert_eq!((answer.messages, answer.events), (asks(1, 2, 1), vec![]));
    // A new size is asked for once, told in both ways as TurboVNC does.
    let new = [extended(0, 0, 4, 4), rectangle([0, 0, 4, 4], DESKTOP_SIZE, &[]), extended(0, 0, 4, 4)];
    let answer = PLAIN.answer(2, 1, &update(&new));
    assert_eq!(answer.messages, [asks(1, 2, 1), asks(0, 4, 4)].concat());
    assert_eq!(answer.events, [Event::Resized(Size::new(4, 4))]);
}

#[test]
fn extended_desktop_size_may_have_no_screen_or_255() {
    let none = rectangle([0, 0, 2, 1], EXTENDED_DESKTOP_SIZE, &[0, 9, 9, 9]);
    let many = rectangle([0, 0, 2, 1], EXTENDED_DESKTOP_SIZE, &[&[255, 0, 0, 0], &[1; 16 * 255][..]].concat());
    let after = rectangle([0, 0, 2, 1], RAW, &PLAIN.pixels("BG"));
    assert_eq!(drawn(&PLAIN.answer(2, 1, &update(&[none, many, after]))), ["BG"]);
}

#[test]
fn last_rect_ends_an_update_whatever_its_count() {
    let last = rectangle([0, 0, 0, 0], LAST_RECT, &[]);
    let paint = rectangle([0, 0, 1, 1], RAW, PLAIN.pixel('R'));
    let open = endless_update(&[paint.clone(), last.clone()]);
    let early = [&[0, 0, 0, 9][..], &paint, &last].concat();
    for messages in [open, early, update(&[paint, last.clone()]), [&[0, 0, 0, 1][..], &last].concat()] {
        let answer = PLAIN.answer(2, 1, &[&messages[..], &[2]].concat());
        assert_eq!((answer.error_text().as_str(), answer.counts.updates), ("", 1));
        assert_eq!(answer.events, [Event::Bell], "the next message follows");
    }
}

#[test]
fn an_open_update_holds_more_rectangles_than_a_count_can_say() {
    let pieces = vec![rectangle([1, 0, 1, 1], COPY_RECT, &[0, 0, 0, 0]); 70_000];
    let last = rectangle([0, 0, 0, 0], LAST_RECT, &[]);
    let bytes = endless_update(&[pieces.concat(), last]);
    let answer = every_cut::whole(PLAIN.client(2, 1, ByteOrder::Rgbx), &bytes.into());
    assert_eq!((answer.error, answer.counts.rectangles, answer.counts.updates), (None, 70_000, 1));
}

#[test]
fn a_desktop_name_is_utf8_or_latin1() {
    let name = |bytes: &[u8]| {
        let payload = [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        PLAIN.answer(1, 1, &update(&[rectangle([0, 0, 0, 0], DESKTOP_NAME, &payload)])).events
    };
    assert_eq!(name("größe".as_bytes()), [Event::Name("größe".to_owned())]);
    assert_eq!(name(b"gr\xf6\xdfe"), [Event::Name("größe".to_owned())]);
    assert_eq!(name(b""), [Event::Name(String::new())]);
}

#[test]
fn a_cut_text_that_is_too_long_to_keep_is_passed_over() {
    let length = (4u32 << 20) + 1;
    let text = vec![b'x'; length as usize];
    let messages = [&[3, 0, 0, 0][..], &length.to_be_bytes(), &text, &[3, 0, 0, 0, 0, 0, 0, 1, b'y']].concat();
    let mut inbox = Inbox::default();
    let (mut client, mut canvas) = PLAIN.client(1, 1, ByteOrder::Rgbx);
    for chunk in messages.chunks(100_000) {
        inbox.push(chunk.to_vec().into());
        client.receive(&mut inbox, &mut canvas).unwrap();
    }
    assert_eq!(client.events(), [Event::CutText("y".to_owned())]);
    assert!(client.at_boundary(&inbox));
}

#[test]
fn bell_and_cut_text_are_events() {
    let messages = [&[2, 3, 7, 7, 7, 0, 0, 0, 4][..], b"caf\xe9", &[2, 3, 0, 0, 0, 0, 0, 0, 0]].concat();
    let answer = PLAIN.answer(1, 1, &messages);
    let text = |text: &str| Event::CutText(text.to_owned());
    // Of each kind the last counts that nobody has asked for yet.
    assert_eq!(answer.events, [Event::Bell, text("")]);
    assert_eq!((answer.messages, answer.used), (vec![], messages.len() as u64));
}
