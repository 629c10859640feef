//! TRLE, ZRLE, ZYWRLE, ZlibHex and Ultra: literal bytes to literal pixels, in every pixel format and however they are cut;
//! and servers that break their rules.

use flate2::{Compress, Compression, FlushCompress};
use sshvnc::client::{Client, Settings};
use sshvnc::picture::ByteOrder;
use sshvnc::rfb::{PixelFormat, encoding};

use crate::every_cut;
use crate::hostile_servers_get_one_line::rectangle_line;
use crate::memory::largest_allocation;
use crate::server::{PLAIN, WIRES, Wire, drawn, paints, rectangle, update};

const ZLIB_HEX: i32 = 8;
const ULTRA: i32 = 9;
const TRLE: i32 = 15;
const ZRLE: i32 = 16;
const ZYWRLE: i32 = 17;

#[test]
fn the_numbers_are_those_of_the_specification() {
    use encoding::*;
    assert_eq!([ZLIB_HEX, ULTRA, TRLE, ZRLE, ZYWRLE], [8, 9, 15, 16, 17]);
    assert_eq!(QUALITY_LEVEL_0, -32);
    assert_eq!([0, 2, 3, 5, 6, 9].map(zywrle_levels), [3, 3, 2, 2, 1, 1]);
}

/// The CPIXELs (RFC 6143 §7.7.5) of a row of colours.
fn cpixels(wire: &Wire, letters: &str) -> Vec<u8> {
    let pixels = wire.pixels(letters);
    match (wire.format[0], wire.format[1], wire.format[2]) {
        (32, 24, 0) => pixels.chunks(4).flat_map(|pixel| pixel[..3].to_vec()).collect(),
        (32, 24, 1) => pixels.chunks(4).flat_map(|pixel| pixel[1..].to_vec()).collect(),
        _ => pixels,
    }
}

fn lengthened(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn deflated(stream: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1000);
    stream.compress_vec(bytes, &mut out, FlushCompress::Sync).unwrap();
    out
}

/// A parcel of a stream that begins with it.
fn first(bytes: &[u8]) -> Vec<u8> {
    lengthened(&deflated(&mut Compress::new(Compression::best(), true), bytes))
}

/// One rectangle, as TRLE and as ZRLE, paints `picture` in every pixel format.
fn tile_paints(width: u16, height: u16, tile: impl Fn(&Wire) -> Vec<u8>, picture: &[&str]) {
    paints(width, height, |wire| update(&[rectangle([0, 0, width, height], TRLE, &tile(wire))]), picture);
    paints(width, height, |wire| update(&[rectangle([0, 0, width, height], ZRLE, &first(&tile(wire)))]), picture);
}

// ---- TRLE and ZRLE --------------------------------------------------------------------------------------------

#[test]
fn a_raw_tile_is_pixels_row_by_row() {
    tile_paints(3, 2, |wire| [&[0], &cpixels(wire, "RGBW.R")[..]].concat(), &["RGB", "W.R"]);
}

#[test]
fn a_solid_tile_is_one_pixel() {
    tile_paints(3, 2, |wire| [&[1], &cpixels(wire, "G")[..]].concat(), &["GGG", "GGG"]);
}

#[test]
fn indices_are_packed_from_the_highest_bit_and_rows_begin_with_a_byte() {
    let palette = |letters: &'static str, rows: &'static [u8]| {
        move |wire: &Wire| [&[letters.len() as u8], &cpixels(wire, letters)[..], rows].concat()
    };
    tile_paints(9, 2, palette("RG", &[0b0110_0001, 0b1111_1111, 0b1000_0000, 0]), &["RGGRRRRGG", "GRRRRRRRR"]);
    tile_paints(5, 2, palette("RGB", &[0b0001_1000, 0b1011_1111, 0b1000_0110, 0]), &["RGBRB", "BRGBR"]);
    tile_paints(4, 1, palette("RGBW", &[0b1110_0100]), &["WBGR"]);
    tile_paints(3, 2, palette("RGBW.", &[0x43, 0x2f, 0x01, 0x20]), &[".WB", "RGB"]);
    tile_paints(2, 1, palette("RGBW.RGBW.RGBW.W", &[0xf6]), &["WG"]);
}

#[test]
fn a_run_is_one_longer_than_the_sum_of_its_bytes_and_goes_on_in_the_next_row() {
    let runs = |wire: &Wire| {
        [&[128], &cpixels(wire, "R")[..], &[0], &cpixels(wire, "G"), &[3], &cpixels(wire, "B"), &[0]].concat()
    };
    tile_paints(3, 2, runs, &["RGG", "GGB"]);
    // 256 and more need further bytes.
    let square = |wire: &Wire| [&[128], &cpixels(wire, "B")[..], &[255, 0]].concat();
    tile_paints(16, 16, square, &["BBBBBBBBBBBBBBBB"; 16]);
    paints(
        64,
        64,
        |wire| {
            let tile = [&[128], &cpixels(wire, "W")[..], &[255; 16], &[15]].concat();
            update(&[rectangle([0, 0, 64, 64], ZRLE, &first(&tile))])
        },
        &["W".repeat(64).as_str(); 64],
    );
}

#[test]
fn an_index_of_a_palette_may_begin_a_run() {
    let runs = |wire: &Wire| [&[130], &cpixels(wire, "RG")[..], &[0, 1, 0x80, 2, 0x81, 0]].concat();
    tile_paints(3, 2, runs, &["RGR", "RRG"]);
    let many = |wire: &Wire| {
        let palette = cpixels(wire, &"RGBW.".repeat(25));
        [&[128 + 127], &palette[..], &cpixels(wire, "W.")[..], &[126, 125, 0x80 | 2, 0]].concat()
    };
    tile_paints(3, 1, many, &[".WB"]);
}

#[test]
fn trle_has_tiles_of_16_and_may_use_the_palette_of_the_tile_before() {
    let red = "R".repeat(14);
    let row = |last: &str| "RG".to_owned() + &red + last;
    let mut rows: Vec<String> = (0..8).flat_map(|_| [row("G"), row("R")]).collect();
    rows.push(format!("G{red}GG"));
    paints(
        17,
        17,
        |wire| {
            let palette = [&[2], &cpixels(wire, "RG")[..], &[0x40, 0x00].repeat(16)].concat();
            let tiles = [&palette, &[127][..], &[0x80, 0x00].repeat(8), &[129, 1, 0x80, 13, 1], &[127, 0x80]];
            update(&[rectangle([0, 0, 17, 17], TRLE, &tiles.concat())])
        },
        &rows.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

#[test]
fn zrle_has_tiles_of_64_and_one_stream_for_all_rectangles() {
    let row = "R".repeat(64) + "G";
    let mut rows = vec![row.as_str(); 64];
    let last = "B".repeat(64) + "W";
    rows.push(&last);
    paints(
        65,
        65,
        |wire| {
            let mut stream = Compress::new(Compression::best(), true);
            let mut parcel = |bytes: &[u8]| lengthened(&deflated(&mut stream, bytes));
            let tiles: Vec<u8> =
                "RGBW".chars().flat_map(|c| [&[1], &cpixels(wire, &c.to_string())[..]].concat()).collect();
            let whole = rectangle([0, 0, 65, 65], ZRLE, &parcel(&tiles));
            let empty = rectangle([9, 9, 0, 5], ZRLE, &parcel(&[]));
            let again = rectangle([64, 64, 1, 1], ZRLE, &parcel(&[&[0], &cpixels(wire, "W")[..]].concat()));
            update(&[whole, empty, again])
        },
        &rows,
    );
}

/// More than is unpacked at a time, in tiles as long as tiles can be: none may be lost where one band ends.
#[test]
fn zrle_goes_on_behind_each_band() {
    let letters: String = "RGBW.WGR".chars().cycle().take(64 * 64 + 3).collect();
    let rows: Vec<String> =
        (0..256).map(|y| (0..4).map(|tile| &letters[tile / 2 + y % 64..][..64]).collect()).collect();
    paints(
        256,
        256,
        |wire| {
            let mut tiles = Vec::new();
            for tile in 0..16 {
                tiles.push(if tile % 2 == 0 { 0 } else { 128 });
                for row in 0..64 {
                    let row = cpixels(wire, &letters[tile % 4 / 2 + row..][..64]);
                    if tile % 2 == 0 {
                        tiles.extend(row);
                    } else {
                        let runs = row.chunks(row.len() / 64).flat_map(|pixel| [pixel, &[0]].concat());
                        tiles.extend(runs);
                    }
                }
            }
            update(&[rectangle([0, 0, 256, 256], ZRLE, &first(&tiles))])
        },
        &rows.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

// ---- ZYWRLE ---------------------------------------------------------------------------------------------------

/// What a ZYWRLE tile of grey paints, from Y of each coefficient, in the order they are sent.
fn grey(width: u16, height: u16, coefficients: &[i8]) -> Vec<u8> {
    let mut tile = vec![0, 0];
    coefficients.iter().for_each(|&y| tile.extend([0, y as u8, 0]));
    let answer = PLAIN.answer(width, height, &update(&[rectangle([0, 0, width, height], ZYWRLE, &first(&tile))]));
    assert_eq!(answer.error, None);
    assert!(answer.rgb.chunks(3).all(|pixel| pixel == [pixel[1]; 3]));
    answer.rgb.chunks(3).map(|pixel| pixel[1]).collect()
}

#[test]
fn wavelets_are_four_times_twelve_differences_and_an_average() {
    let mut coefficients = [0; 16];
    assert_eq!(grey(4, 4, &coefficients), [128; 16]);
    coefficients[15] = 100;
    assert_eq!(grey(4, 4, &coefficients), [228; 16]);
    coefficients[15] = -128;
    assert_eq!(grey(4, 4, &coefficients), [0; 16]);

    let one = |at: usize| {
        let mut coefficients = [0; 16];
        coefficients[at] = 10;
        grey(4, 4, &coefficients)
    };
    // The finest of the first block of 2×2: diagonal, vertical, horizontal.
    let block = |[a, b, c, d]: [u8; 4]| [&[a, b, 128, 128, c, d][..], &[128; 10]].concat();
    assert_eq!(one(0), block([138, 118, 118, 138]));
    assert_eq!(one(4), block([138, 138, 118, 118]));
    assert_eq!(one(8), block([138, 118, 138, 118]));
    // The coarser: of the whole tile.
    assert_eq!(one(12), [[138, 138, 118, 118].repeat(2), [118, 118, 138, 138].repeat(2)].concat());
    assert_eq!(one(13), [[138; 8], [118; 8]].concat());
    assert_eq!(one(14), [138, 138, 118, 118].repeat(4));
}

#[test]
fn what_is_beyond_a_multiple_of_four_is_sent_as_it_is() {
    for wire in WIRES.iter().filter(|wire| wire.format[0] > 8) {
        // Two columns at the right, then a row below, then the corner.
        let tile = [&[0, 0], &cpixels(wire, &".".repeat(16))[..], &cpixels(wire, "RGRGRGRGBBWWWB")].concat();
        let answer = wire.answer(6, 5, &update(&[rectangle([0, 0, 6, 5], ZYWRLE, &first(&tile))]));
        assert_eq!(drawn(&answer), ["????RG", "????RG", "????RG", "????RG", "BBWWWB"], "{}", wire.name);
    }
    paints(
        3,
        9,
        |wire| {
            let eight = wire.format[0] == 8;
            let tile = [if eight { &[0][..] } else { &[0, 0] }, &cpixels(wire, &"RGB".repeat(9))].concat();
            update(&[rectangle([0, 0, 3, 9], ZYWRLE, &first(&tile))])
        },
        &["RGB"; 9],
    );
}

#[test]
fn zywrle_in_eight_bits_is_zrle() {
    for wire in WIRES.iter().filter(|wire| wire.format[0] == 8) {
        let tile = [&[0], &wire.pixels("RGBW")[..], &wire.pixels("RGBW").repeat(3)].concat();
        let messages = [&crate::server::COLOUR_MAP[..], &update(&[rectangle([0, 0, 4, 4], ZYWRLE, &first(&tile))])];
        assert_eq!(drawn(&wire.answer(4, 4, &messages.concat())), ["RGBW"; 4], "{}", wire.name);
    }
}

#[test]
fn u_y_and_v_take_the_places_of_colours() {
    let of_average = |wire: &Wire, pixel: &[u8]| {
        let tile = [&[0, 0], &cpixels(wire, &".".repeat(15))[..], pixel].concat();
        let answer = wire.answer(4, 4, &update(&[rectangle([0, 0, 4, 4], ZYWRLE, &first(&tile))]));
        assert!(answer.rgb.chunks(3).all(|pixel| pixel == &answer.rgb[..3]), "{}", answer.error_text());
        [answer.rgb[0], answer.rgb[1], answer.rgb[2]]
    };
    assert_eq!(of_average(PLAIN, &[10, 20, 30]), [148, 128, 188]);
    assert_eq!(of_average(PLAIN, &[255, 0, 0]), [127, 129, 129]);
    assert_eq!(of_average(PLAIN, &[127, 0, 0]), [255, 65, 65]);
    assert_eq!(of_average(PLAIN, &[0, 0, 128]), [192, 192, 0]);
    assert_eq!(of_average(&WIRES[1], &[10, 20, 30]), [188, 128, 148]);
    assert_eq!(of_average(&WIRES[2], &[10, 20, 30]), [148, 128, 188]);
    // Red 1, green 5, blue 3 are 8, 20 and 24 of 256.
    assert_eq!(of_average(&WIRES[5], &[0xa3, 0x08]), [148, 134, 181]);
    assert_eq!(of_average(&WIRES[6], &[0x08, 0xa3]), [148, 134, 181]);
}

#[test]
fn zywrle_has_other_tiles_too_and_coefficients_in_any_form() {
    paints(
        64,
        2,
        |wire| {
            let tile = [&[128], &cpixels(wire, "R")[..], &[63], &cpixels(wire, "W"), &[63]].concat();
            update(&[rectangle([0, 0, 64, 2], ZYWRLE, &first(&tile))])
        },
        &["R".repeat(64).as_str(), "W".repeat(64).as_str()],
    );
    let solid = [&[0, 1], &[0, 0, 0][..]].concat();
    let answer = PLAIN.answer(64, 64, &update(&[rectangle([0, 0, 64, 64], ZYWRLE, &first(&solid))]));
    assert!(answer.rgb.iter().all(|&part| part == 128), "{}", answer.error_text());
}

#[test]
fn a_quality_level_is_asked_for_with_zywrle_because_it_decides_how_often_averages_are_taken() {
    let asks = |encodings: Vec<i32>| {
        let settings = Settings::new(PixelFormat::rgb888([0, 8, 16]), encodings);
        let messages = Client::new(&PLAIN.parsed(4, 4), &settings, ByteOrder::Rgbx).messages();
        let levels = messages[20..]
            .as_chunks::<4>()
            .0
            .iter()
            .filter(|number| (-32..=-23).contains(&i32::from_be_bytes(**number)));
        levels.copied().map(i32::from_be_bytes).collect::<Vec<_>>()
    };
    assert_eq!(asks(vec![ZYWRLE, 0]), [-27]);
    assert!(asks(vec![ZRLE, 0]).is_empty());
}

// ---- ZlibHex --------------------------------------------------------------------------------------------------

#[test]
fn zlib_hex_tiles_come_plain_or_through_one_of_two_streams() {
    let row = |last: &str| "R".repeat(16) + last;
    paints(
        17,
        3,
        |wire| {
            let (mut raw, mut hex) =
                (Compress::new(Compression::fast(), true), Compress::new(Compression::fast(), true));
            let short = |bytes: Vec<u8>| [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat();
            let mut raw = |letters: &str| short(deflated(&mut raw, &wire.pixels(letters)));
            let mut hex = |bytes: &[u8]| short(deflated(&mut hex, bytes));
            let one = [&[2], wire.pixel('R')].concat();
            let two = [&[32], &raw("GBW")[..]].concat();
            let again = [&[32 | 64 | 2 | 4], &raw("WGB")[..]].concat();
            // A background, a foreground and one subrectangle; then both colours of the tile before.
            let three = [&[64 | 2 | 4 | 8], &hex(&[wire.pixel('R'), wire.pixel('B'), &[1, 0x10, 0x10]].concat())[..]];
            let four = [&[64 | 8], &hex(&[1, 0x00, 0x00])[..]].concat();
            let place = |y| [0, y, 17, 1];
            let rows = [
                rectangle([0, 0, 17, 3], ZLIB_HEX, &[one, two].concat()),
                rectangle(place(1), ZLIB_HEX, &[three.concat(), four].concat()),
                rectangle([14, 0, 3, 1], ZLIB_HEX, &again),
                rectangle([0, 2, 1, 1], ZLIB_HEX, &[&[1], wire.pixel('W')].concat()),
            ];
            update(&rows)
        },
        &[&("R".repeat(14) + "WGB"), &("RBB".to_owned() + &"R".repeat(13) + "B"), &("W".to_owned() + &row("W")[1..])],
    );
}

// ---- Ultra ----------------------------------------------------------------------------------------------------

/// One byte a pixel.
const BYTES: &Wire = &WIRES[7];
const END: [u8; 3] = [17, 0, 0];

/// A run of at least 19 literals.
fn literals(bytes: &[u8]) -> Vec<u8> {
    let more = bytes.len() - 19;
    [&[0], &vec![0; more / 255][..], &[(more % 255) as u8 + 1], bytes].concat()
}

#[track_caller]
fn lzo_paints(instructions: &[&[u8]], picture: &str) {
    let payload = lengthened(&[&instructions.concat()[..], &END].concat());
    let width = picture.len() as u16;
    let answer = BYTES.answer(width, 1, &update(&[rectangle([0, 0, width, 1], ULTRA, &payload)]));
    assert_eq!(drawn(&answer), [picture], "{}", answer.error_text());
}

#[test]
fn lzo_is_literals_and_copies_of_what_came_before() {
    let rgbw = BYTES.pixels("RGBW");
    let start = [&[17 + 4], &rgbw[..]].concat();
    lzo_paints(&[&start], "RGBW");
    // Three to eight bytes from near by; a copy may run into itself.
    lzo_paints(&[&start, &[2 << 5 | 3 << 2, 0]], "RGBWRGB");
    lzo_paints(&[&start, &[7 << 5 | 3 << 2, 0]], "RGBWRGBWRGBW");
    lzo_paints(&[&start, &[7 << 5, 0]], "RGBWWWWWWWWW");
    // Any length, and the literals behind it.
    lzo_paints(&[&start, &[32 | 3, 3 << 2 | 2, 0], &rgbw[..2]], "RGBWRGBWRRG");
    lzo_paints(&[&start, &[32, 1, 0, 0]], &("RGB".to_owned() + &"W".repeat(35)));
    lzo_paints(&[&start, &[32, 0, 1, 0, 0]], &("RGB".to_owned() + &"W".repeat(290)));
    // Two bytes, where literals came behind a copy, or at the start.
    lzo_paints(&[&start, &[32 | 1, 1], &[0], &rgbw[1..2], &[1 << 2, 0]], "RGBWWWWGWG");
    lzo_paints(&[&[17 + 3], &rgbw[..3], &[2 << 2 | 1, 0], &rgbw[3..]], "RGBRGW");
    // Runs of literals at the start and behind a copy without literals.
    lzo_paints(&[&[1], &rgbw], "RGBW");
    lzo_paints(&[&start, &[2 << 5, 0], &[2], &rgbw, &rgbw[..1]], "RGBWWWWRGBWR");
    lzo_paints(&[&literals(&BYTES.pixels(&"RGB".repeat(100)))], &"RGB".repeat(100));
}

#[test]
fn lzo_reaches_far_back() {
    let far = "RGBWG".repeat(410);
    // Three bytes from 2049 back, behind a run of literals.
    lzo_paints(&[&literals(&BYTES.pixels(&far)), &[0, 0]], &(far.clone() + &far[1..4]));
    let farther: String = "RGBWGRRB".chars().cycle().take(33_000).collect();
    let bytes = literals(&BYTES.pixels(&farther));
    // From 16385 and from 32769 back.
    lzo_paints(&[&bytes, &[16 | 3, 1 << 2, 0]], &(farther.clone() + &farther[33_000 - 16_385..][..5]));
    lzo_paints(&[&bytes, &[16 | 8 | 3, 1 << 2, 0]], &(farther.clone() + &farther[33_000 - 32_769..][..5]));
}

#[test]
fn ultra_is_raw_through_lzo() {
    paints(
        3,
        2,
        |wire| {
            let pixels = wire.pixels("RGBBGW");
            let payload = [&[17 + pixels.len() as u8], &pixels[..], &END].concat();
            let nothing = rectangle([2, 2, 0, 0], ULTRA, &lengthened(&END));
            update(&[rectangle([0, 0, 3, 2], ULTRA, &lengthened(&payload)), nothing])
        },
        &["RGB", "BGW"],
    );
}

// ---- servers that break the rules -----------------------------------------------------------------------------

#[track_caller]
fn refused(place: [u16; 4], encoding: i32, payload: &[u8], what: &str) {
    let text = rectangle_line(place, encoding, payload);
    assert!(text.starts_with(what), "{text}");
}

#[test]
fn subencodings_without_a_meaning() {
    for subencoding in (17..=127).chain([129]) {
        let what = format!("a tile of subencoding {subencoding} (");
        refused([0, 0, 4, 4], TRLE, &[subencoding, 0, 0, 0, 0], &what);
        refused([0, 0, 4, 4], ZRLE, &first(&[subencoding, 0, 0, 0, 0]), &what);
    }
    // A palette does not outlast its rectangle, nor its tile in ZRLE.
    let two = [&[2], &cpixels(PLAIN, "RG")[..], &[0; 16]].concat();
    let messages = [rectangle([0, 0, 1, 1], TRLE, &two[..8]), rectangle([0, 0, 1, 1], TRLE, &[127, 0])];
    let answer = PLAIN.answer(1, 1, &update(&messages));
    assert!(answer.error_text().contains("a tile of subencoding 127"), "{}", answer.error_text());
    let tiles = [&two[..7], &[0; 8], &[127, 0]].concat();
    let answer = PLAIN.answer(65, 1, &update(&[rectangle([0, 0, 65, 1], ZRLE, &first(&tiles))]));
    assert!(answer.error_text().contains("a tile of subencoding 127"), "{}", answer.error_text());
}

#[test]
fn colours_beyond_the_palette() {
    let tile = |tile: &[u8], what: &str| {
        refused([0, 0, 4, 4], TRLE, tile, what);
        refused([0, 0, 4, 4], ZRLE, &first(tile), what);
    };
    tile(&[&[3], &cpixels(PLAIN, "RGB")[..], &[0x1b; 4]].concat(), "colour 3 of a palette of 3 (");
    tile(&[&[16 - 1], &cpixels(PLAIN, &"RGB".repeat(5))[..], &[0xf0; 8]].concat(), "colour 15 of a palette of 15 (");
    tile(&[&[130], &cpixels(PLAIN, "RG")[..], &[0, 1, 2]].concat(), "colour 2 of a palette of 2 (");
    tile(&[&[130], &cpixels(PLAIN, "RG")[..], &[0x80 | 127, 0]].concat(), "colour 127 of a palette of 2 (");
    let seventeen = [&[128 + 17], &cpixels(PLAIN, &"R".repeat(17))[..], &[0x80, 255, 0, 127]].concat();
    refused([0, 0, 17, 16], TRLE, &seventeen, "packed pixels with a palette of 17 (");
}

#[test]
fn runs_past_the_end_of_their_tile() {
    let tile = |lengths: &[u8], what: &str| {
        let plain = [&[128], &cpixels(PLAIN, "R")[..], lengths].concat();
        let palette = [&[130], &cpixels(PLAIN, "RG")[..], &[0x81], lengths].concat();
        for tile in [plain, palette] {
            refused([0, 0, 4, 4], TRLE, &tile, what);
            refused([0, 0, 4, 4], ZRLE, &first(&tile), what);
            refused([0, 0, 4, 4], ZYWRLE, &first(&[&[0], &tile[..]].concat()), what);
        }
    };
    tile(&[16], "a run of 17 pixels where its tile has 16 left (");
    tile(&[255; 9000], "a run of 256 pixels where its tile has 16 left (");
}

#[test]
fn zrle_parcels_of_another_length_than_their_tiles() {
    let raw = vec![0; 1 + 20 * 20 * 3];
    for encoding in [ZRLE, ZYWRLE] {
        let tile = if encoding == ZRLE { raw.clone() } else { [&[0], &raw[..]].concat() };
        let place = [0, 0, 20, 20];
        refused(place, encoding, &first(&tile[1..]), "fewer compressed pixels than the rectangle has (");
        refused(place, encoding, &first(&[]), "fewer compressed pixels than the rectangle has (");
        refused(
            place,
            encoding,
            &first(&[&tile[..], &[0]].concat()),
            "more compressed pixels than the rectangle has (",
        );
        refused(place, encoding, &[255; 4], "4294967295 bytes of compressed data for 2000 bytes of pixels (");
        refused(place, encoding, &[0, 0, 0, 4, 0x78, 0x01, 7, 0], "compressed data that zlib can not read (");
        refused(place, encoding, &[0, 0, 0, 4, 0, 0, 0, 0], "compressed data without the header of a zlib stream (");
        refused([0, 0, 0, 9], encoding, &first(&[0]), "more compressed pixels than the rectangle has (");
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    let mut stream = Compress::new(Compression::best(), true);
    let mut bomb = Vec::with_capacity(1 << 20);
    stream.compress_vec(&vec![0; 40 << 20], &mut bomb, FlushCompress::Sync).unwrap();
    assert!(bomb.len() < 60_000);
    for encoding in [ZRLE, ZYWRLE] {
        refused([0, 0, 20, 20], encoding, &lengthened(&bomb), "more compressed pixels than the rectangle has (");
    }
    let tile = [&[32][..], &(bomb.len() as u16).to_be_bytes(), &bomb].concat();
    refused([0, 0, 16, 16], ZLIB_HEX, &tile, "more compressed pixels than the rectangle has (");
    // LZO: a copy of a hundred million bytes.
    let long = [&[17 + 4, 0, 0, 0, 0, 32], &[0; 400_000][..], &[1, 0, 0], &END].concat();
    let payload = lengthened(&long);
    let bytes = update(&[rectangle([0, 0, 1200, 100], ULTRA, &payload)]).into();
    let (client, canvas) = PLAIN.client(1200, 100, ByteOrder::Rgbx);
    let (answer, largest) = largest_allocation(|| every_cut::whole((client, canvas), &bytes));
    assert!(answer.error_text().contains("more compressed pixels"), "{}", answer.error_text());
    assert!(largest < 1 << 20, "{largest} bytes at once");
}

#[test]
fn zlib_hex_tiles_of_another_length() {
    let tile = |flags: u8, bytes: &[u8]| {
        let deflated = deflated(&mut Compress::new(Compression::fast(), true), bytes);
        [&[flags][..], &(deflated.len() as u16).to_be_bytes(), &deflated].concat()
    };
    let place = [0, 0, 4, 4];
    refused(place, ZLIB_HEX, &tile(32, &[0; 63]), "fewer compressed pixels than the rectangle has (");
    refused(place, ZLIB_HEX, &tile(32, &[0; 65]), "more compressed pixels than the rectangle has (");
    refused(place, ZLIB_HEX, &tile(64 | 2, &[0; 3]), "fewer compressed pixels than the rectangle has (");
    refused(place, ZLIB_HEX, &tile(64 | 2, &[0; 2000]), "more compressed pixels than the rectangle has (");
    refused(place, ZLIB_HEX, &tile(64 | 8, &[1, 0x30, 0x10]), "a subrectangle of 2x1 at 3,0 outside of its tile (");
    refused(place, ZLIB_HEX, &[32, 0, 2, 0, 0], "compressed data without the header of a zlib stream (");
}

#[test]
fn lzo_that_lies() {
    let lzo = |payload: &[&[u8]], what: &str| refused([0, 0, 5, 1], ULTRA, &lengthened(&payload.concat()), what);
    let start = [17 + 4, 1, 2, 3, 4];
    lzo(&[&start, &[2 << 5 | 4 << 2, 0]], "compressed data repeats what is 5 bytes back, of 4 (");
    lzo(&[&[16 | 1, 4, 0]], "compressed data repeats what is 16385 bytes back, of 0 (");
    lzo(&[&start, &[16 | 1, 4, 0]], "compressed data repeats what is 16385 bytes back, of 4 (");
    lzo(&[&start, &[7 << 5, 0], &[7 << 5, 0], &[7 << 5, 0]], "more compressed pixels than the rectangle has (");
    lzo(&[&[17 + 21], &[0; 21]], "more compressed pixels than the rectangle has (");
    lzo(&[&start, &END], "fewer compressed pixels than the rectangle has (");
    lzo(&[&[17 + 20], &[0; 20], &END, &[0]], "compressed data goes on behind its end (");
    lzo(&[&[17 + 20], &[0; 20]], "compressed data ends too early (");
    lzo(&[&[17 + 20], &[0; 19]], "compressed data ends too early (");
    lzo(&[], "compressed data ends too early (");
    refused([0, 0, 5, 1], ULTRA, &[255; 4], "4294967295 bytes of compressed data for 20 bytes of pixels (");
}
