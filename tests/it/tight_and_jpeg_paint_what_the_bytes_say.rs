//! Tight, Tight PNG and JPEG: literal bytes to literal pixels, written from rfbproto. Each case runs in every pixel format
//! and however its bytes are cut.

use flate2::{Compress, Compression, FlushCompress};
use sshvnc::rfb::encoding;

use crate::every_cut::Numbers;
use crate::jpeg_by_hand::{Tables, jpeg};
use crate::server::{PLAIN, WIRES, Wire, drawn, paints, rectangle, update};

const TIGHT: i32 = 7;
const JPEG: i32 = 21;
const TIGHT_PNG: i32 = -260;

// The compression-control byte.
const FILL: u8 = 0x80;
const JPEG_PICTURE: u8 = 0x90;
const PNG_PICTURE: u8 = 0xa0;
const WITHOUT_ZLIB: u8 = 0xa0;
const READ_FILTER: u8 = 0x40;

const COPY: u8 = 0;
const PALETTE: u8 = 1;
const GRADIENT: u8 = 2;

#[test]
fn the_numbers_are_those_of_the_specification() {
    assert_eq!([encoding::TIGHT, encoding::JPEG, encoding::TIGHT_PNG], [TIGHT, JPEG, TIGHT_PNG]);
    assert_eq!(encoding::TIGHT_WITHOUT_ZLIB, -317);
    assert_eq!([0, 9, 10].map(encoding::quality_level), [-32, -23, -23]);
    assert_eq!([0, 9, 10].map(encoding::compression_level), [-256, -247, -247]);
}

/// A colour as a TPIXEL: red, green, blue if the format has 8 bits of each in 32 at depth 24.
fn tpixel(wire: &Wire, letter: char) -> Vec<u8> {
    match (wire.format[..2] == [32, 24], letter) {
        (false, _) => wire.pixel(letter).to_vec(),
        (true, '.') => vec![0, 0, 0],
        (true, 'R') => vec![255, 0, 0],
        (true, 'G') => vec![0, 255, 0],
        (true, 'B') => vec![0, 0, 255],
        (true, _) => vec![255, 255, 255],
    }
}

fn tpixels(wire: &Wire, letters: &str) -> Vec<u8> {
    letters.chars().flat_map(|letter| tpixel(wire, letter)).collect()
}

/// A length in compact representation.
fn compact(length: usize) -> Vec<u8> {
    match length {
        0..=0x7f => vec![length as u8],
        0x80..=0x3fff => vec![length as u8 | 0x80, (length >> 7) as u8],
        _ => vec![length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8],
    }
}

/// Data behind its length.
pub fn measured(data: &[u8]) -> Vec<u8> {
    [&compact(data.len())[..], data].concat()
}

/// Bytes in a stored block, behind the stream's header if it `begins`.
fn stored(begins: bool, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let header: &[u8] = if begins { &[0x78, 0x01] } else { &[] };
    [header, &[0], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat()
}

/// Filtered data as it is sent: as it is if it is short, else stored.
fn sent(begins: bool, bytes: &[u8]) -> Vec<u8> {
    if bytes.len() < 12 { bytes.to_vec() } else { measured(&stored(begins, bytes)) }
}

#[test]
fn a_fill_is_one_pixel() {
    paints(
        4,
        2,
        |wire| {
            let fill = |place, letter| rectangle(place, TIGHT, &[&[FILL][..], &tpixel(wire, letter)].concat());
            update(&[
                fill([0, 0, 4, 2], 'R'),
                fill([1, 1, 2, 1], 'W'),
                fill([0, 0, 0, 2], 'G'),
                fill([3, 0, 1, 1], 'B'),
            ])
        },
        &["RRRB", "RWWR"],
    );
}

#[test]
fn fewer_than_twelve_bytes_are_sent_as_they_are() {
    paints(
        3,
        2,
        |wire| {
            let short = rectangle([0, 0, 2, 1], TIGHT, &[&[0x00][..], &tpixels(wire, "RG")].concat());
            let copy = rectangle([2, 0, 1, 1], TIGHT, &[&[READ_FILTER, COPY][..], &tpixel(wire, 'B')].concat());
            let nothing = rectangle([2, 0, 0, 1], TIGHT, &[0x30]);
            // Of three pixels the formats of four bytes have twelve.
            let three = rectangle([0, 1, 3, 1], TIGHT, &[&[0x00][..], &sent(true, &tpixels(wire, "WWR"))].concat());
            update(&[short, copy, nothing, three])
        },
        &["RGB", "WWR"],
    );
}

#[test]
fn a_palette_of_two_has_a_bit_a_pixel_and_each_row_begins_with_a_byte() {
    paints(
        10,
        3,
        |wire| {
            let palette = [&[READ_FILTER, PALETTE, 1][..], &tpixels(wire, "BW")].concat();
            let bits = [0b1010_0000, 0b0111_1111, 0b1111_0000, 0b1000_0000];
            // Three rows of four columns in as many bytes; what lies beyond the columns means nothing.
            let narrow = [&[READ_FILTER, PALETTE, 1][..], &tpixels(wire, "RG"), &[0x0f, 0xff, 0x5f]].concat();
            update(&[
                rectangle([0, 0, 10, 2], TIGHT, &[&palette[..], &bits].concat()),
                rectangle([0, 0, 4, 3], TIGHT, &narrow),
            ])
        },
        &["RRRRBBBBBW", "GGGGBBBBWB", "RGRG......"],
    );
}

#[test]
fn a_palette_of_two_is_compressed_from_twelve_bytes_on() {
    let row = "RGGRGGGRRGGRGGGR".repeat(6);
    paints(
        96,
        1,
        |wire| {
            let head = [&[READ_FILTER | 0x20, PALETTE, 1][..], &tpixels(wire, "RG")].concat();
            let bits = [0b0110_1110; 12];
            update(&[rectangle([0, 0, 96, 1], TIGHT, &[head, measured(&stored(true, &bits))].concat())])
        },
        &[&row],
    );
}

#[test]
fn a_palette_of_more_has_a_byte_a_pixel() {
    paints(
        4,
        3,
        |wire| {
            let head = [&[READ_FILTER, PALETTE, 3][..], &tpixels(wire, "RGBW")].concat();
            let few = rectangle([0, 0, 4, 2], TIGHT, &[&head[..], &[0, 1, 2, 3, 3, 2, 1, 0]].concat());
            let all: String = "RGBW.".chars().cycle().take(256).collect();
            let head = [&[READ_FILTER, PALETTE, 255][..], &tpixels(wire, &all)].concat();
            update(&[few, rectangle([0, 2, 4, 1], TIGHT, &[&head[..], &[255, 254, 253, 4]].concat())])
        },
        &["RGBW", "WBGR", "R.W."],
    );
}

#[test]
fn a_gradient_is_what_the_neighbours_do_not_tell() {
    // Black is expected first, then the pixel to the left: 255 too much red, 255 too little green.
    let short = [READ_FILTER, GRADIENT, 255, 0, 0, 1, 255, 0];
    let answer = PLAIN.answer(2, 1, &update(&[rectangle([0, 0, 2, 1], TIGHT, &short)]));
    assert_eq!(drawn(&answer), ["RG"]);
    // 10 and 20 above 30: 40 are expected, 20 + 30 - 10. 200 and 255 above 250: 305 is held at 255. 9 and 0 above 3: -6
    // is held at 0.
    let bytes = [10, 200, 9, 10, 55, 247, 20, 50, 250, 0, 2, 0];
    let data = measured(&stored(true, &bytes));
    let answer =
        PLAIN.answer(2, 2, &update(&[rectangle([0, 0, 2, 2], TIGHT, &[&[READ_FILTER, GRADIENT][..], &data].concat())]));
    assert_eq!(answer.rgb, [10, 200, 9, 20, 255, 0, 30, 250, 3, 40, 1, 0], "{}", answer.error_text());
}

/// The GradientFilter of the specification: a number is `V - P`, within its bits.
fn gradient(wire: &Wire, width: usize, pixels: &[[u32; 3]]) -> Vec<u8> {
    let short = wire.format[..2] == [32, 24];
    let max =
        |i: usize| if short { 255 } else { u32::from(wire.format[5 + 2 * i]) | u32::from(wire.format[4 + 2 * i]) << 8 };
    let mut out = Vec::new();
    for at in 0..pixels.len() {
        let (x, y) = (at % width, at / width);
        let difference: [u32; 3] = std::array::from_fn(|i| {
            let v =
                |dx: usize, dy: usize| if x < dx || y < dy { 0 } else { i64::from(pixels[at - dx - dy * width][i]) };
            let expected = (v(1, 0) + v(0, 1) - v(1, 1)).clamp(0, max(i).into());
            (v(0, 0) - expected) as u32 & max(i)
        });
        if short {
            out.extend(difference.map(|part| part as u8));
            continue;
        }
        let bytes = usize::from(wire.format[0] / 8);
        let value = (0..3).fold(0, |sum, i| sum | difference[i] << wire.format[10 + i]);
        match wire.format[2] {
            0 => out.extend(&value.to_le_bytes()[..bytes]),
            _ => out.extend(&value.to_be_bytes()[4 - bytes..]),
        }
    }
    out
}

#[test]
fn a_gradient_counts_in_the_colours_of_the_format() {
    let (width, height) = (13, 9);
    for wire in WIRES.iter().filter(|wire| wire.format[0] > 8) {
        let mut numbers = Numbers(7);
        let max = [4, 6, 8].map(|at| u32::from(wire.format[at]) << 8 | u32::from(wire.format[at + 1]));
        let pixels: Vec<[u32; 3]> = (0..width * height)
            .map(|at| max.map(|max| (at as u32 * 3 + numbers.next_number() as u32 % 9) & max))
            .collect();
        let data = measured(&stored(true, &gradient(wire, width, &pixels)));
        let payload = [&[READ_FILTER, GRADIENT][..], &data].concat();
        let answer = wire.answer(20, 10, &update(&[rectangle([5, 1, width as u16, height as u16], TIGHT, &payload)]));
        assert_eq!(answer.error_text(), "", "{}", wire.name);
        let mut expected = vec![0; 20 * 10 * 3];
        for (at, pixel) in pixels.iter().enumerate() {
            let to = (at / width + 1) * 20 + at % width + 5;
            for i in 0..3 {
                expected[to * 3 + i] = (f64::from(pixel[i]) * 255.0 / f64::from(max[i])).round() as u8;
            }
        }
        assert!(answer.rgb == expected, "{}", wire.name);
    }
}

#[test]
fn each_of_four_streams_goes_on_until_it_is_reset() {
    let begins = |begins, wire: &Wire, control: u8, letters: &str| {
        [&[control][..], &measured(&stored(begins, &tpixels(wire, &letters.repeat(6))))].concat()
    };
    paints(
        12,
        7,
        |wire| {
            let row = |y, payload: &[u8]| rectangle([0, y, 12, 1], TIGHT, payload);
            let first = update(&[
                row(0, &begins(true, wire, 0x00, "RG")),
                row(1, &begins(true, wire, 0x30, "GB")),
                row(2, &begins(false, wire, 0x00, "BR")),
                row(3, &begins(false, wire, 0x30, "WR")),
            ]);
            let second = update(&[
                // A reset before it is used, and one that comes with a fill.
                row(4, &begins(true, wire, 0x01, "RW")),
                row(5, &[&[FILL | 0x08][..], &tpixel(wire, 'B')].concat()),
                row(6, &begins(true, wire, 0x30, "W.")),
            ]);
            [first, second].concat()
        },
        &[
            "RGRGRGRGRGRG",
            "GBGBGBGBGBGB",
            "BRBRBRBRBRBR",
            "WRWRWRWRWRWR",
            "RWRWRWRWRWRW",
            "BBBBBBBBBBBB",
            "W.W.W.W.W.W.",
        ],
    );
}

#[test]
fn pixels_may_come_without_zlib() {
    paints(
        6,
        3,
        |wire| {
            let copy = [&[WITHOUT_ZLIB][..], &measured(&tpixels(wire, "RGBWRGBWRGBW"))].concat();
            // Short data has no length here either.
            let short = [&[WITHOUT_ZLIB][..], &tpixels(wire, "RW")].concat();
            let palette = [&[WITHOUT_ZLIB | READ_FILTER, PALETTE, 1][..], &tpixels(wire, ".W"), &[0xa0]].concat();
            update(&[
                rectangle([0, 0, 6, 2], TIGHT, &copy),
                rectangle([0, 2, 2, 1], TIGHT, &short),
                rectangle([2, 2, 4, 1], TIGHT, &palette),
            ])
        },
        &["RGBWRG", "BWRGBW", "RWW.W."],
    );
}

#[test]
fn references_reach_back_over_rectangles_and_bands() {
    let (width, height) = (160u16, 150u16);
    for wire in &WIRES {
        let letters: String = (0..2000usize).map(|i| b".RGBW"[i * i % 7 % 5] as char).collect();
        let letters: String = letters.chars().cycle().take(24_000).collect();
        let pixels = tpixels(wire, &letters);
        let indices: Vec<u8> =
            letters.bytes().map(|letter| b".RGBW".iter().position(|&l| l == letter).unwrap() as u8).collect();
        let mut stream = Compress::new(Compression::fast(), true);
        let mut parcel = |head: &[u8], bytes: &[u8]| {
            let mut out = Vec::with_capacity(bytes.len() + 10_000);
            stream.compress_vec(bytes, &mut out, FlushCompress::Sync).unwrap();
            [head, &measured(&out)].concat()
        };
        let palette = [&[READ_FILTER | 0x10, PALETTE, 4][..], &tpixels(wire, ".RGBW")].concat();
        let messages = update(&[
            rectangle([0, 0, width, height], TIGHT, &parcel(&[0x10], &pixels)),
            rectangle([0, height, width, height], TIGHT, &parcel(&palette, &indices)),
        ]);
        let answer = wire.answer(width, 2 * height, &[&crate::server::COLOUR_MAP[..], &messages].concat());
        assert!(answer.at_boundary, "{}: {}", wire.name, answer.error_text());
        let (upper, lower) = answer.rgb.split_at(answer.rgb.len() / 2);
        assert!(upper == lower && upper.iter().any(|&byte| byte != 0), "{}", wire.name);
    }
}

#[test]
fn a_rectangle_may_be_wider_than_2048() {
    let row = "RGBW".repeat(750);
    paints(
        3000,
        1,
        |wire| {
            update(&[rectangle(
                [0, 0, 3000, 1],
                TIGHT,
                &[&[0x00][..], &measured(&stored(true, &tpixels(wire, &row)))].concat(),
            )])
        },
        &[&row],
    );
}

// ---- pictures -------------------------------------------------------------------------------------------------

/// What a JPEG picture of one colour may become: white, black, and a red that two roundings leave near 254, 0, 0.
const WHITE: [u8; 3] = [255, 128, 128];
const BLACK: [u8; 3] = [0, 128, 128];
const REDDISH: [u8; 3] = [76, 85, 255];

#[test]
fn a_jpeg_picture_is_painted_in_every_format() {
    for encoding in [TIGHT, TIGHT_PNG] {
        for wire in &WIRES {
            let picture = |width, height, colour| {
                [&[JPEG_PICTURE][..], &measured(&jpeg(width, height, colour, Tables::Both))].concat()
            };
            let answer = wire.answer(
                20,
                11,
                &update(&[
                    rectangle([0, 0, 20, 11], encoding, &picture(20, 11, WHITE)),
                    rectangle([1, 1, 9, 3], encoding, &picture(9, 3, BLACK)),
                    rectangle([19, 10, 1, 1], encoding, &picture(1, 1, REDDISH)),
                ]),
            );
            assert_eq!(answer.error_text(), "", "{}", wire.name);
            let pixel = |x: usize, y: usize| &answer.rgb[(y * 20 + x) * 3..][..3];
            assert_eq!([pixel(0, 0), pixel(1, 1), pixel(9, 3), pixel(10, 3)], [[255; 3], [0; 3], [0; 3], [255; 3]]);
            let &[r, g, b] = pixel(19, 10).first_chunk().unwrap();
            assert!(r >= 252 && g <= 3 && b <= 3, "{r} {g} {b}");
        }
    }
}

#[test]
fn a_jpeg_picture_of_grey_alone_is_painted() {
    // As that of three, with one component in its frame and its scan.
    let mut picture = jpeg(8, 8, WHITE, Tables::Both);
    let frame = picture.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    picture.splice(frame + 2..frame + 19, [0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    let scan = picture.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    picture.splice(scan + 2..scan + 14, [0, 8, 1, 1, 0, 0, 63, 0]);
    let answer = PLAIN.answer(8, 8, &update(&[rectangle([0, 0, 8, 8], JPEG, &picture)]));
    assert_eq!(answer.error_text(), "");
    assert!(answer.rgb.iter().all(|&part| part == 255));
}

#[test]
fn jpeg_takes_the_tables_that_a_picture_lacks_from_the_one_before() {
    let square = |x, y, picture: &[u8]| rectangle([x, y, 10, 10], JPEG, picture);
    let answer = PLAIN.answer(
        20,
        30,
        &update(&[
            square(0, 0, &jpeg(10, 10, WHITE, Tables::Both)),
            square(10, 0, &jpeg(10, 10, BLACK, Tables::None)),
            square(0, 10, &jpeg(10, 10, WHITE, Tables::None)),
            square(10, 10, &jpeg(10, 10, WHITE, Tables::OnlyQuantisation)),
            square(0, 20, &jpeg(10, 10, BLACK, Tables::None)),
            // Fill bytes and a comment change nothing, nor does a comment that holds an end of image.
            square(
                10,
                20,
                &[&[0xff, 0xd8, 0xff, 0xff, 0xfe, 0, 4, 0xff, 0xd9][..], &jpeg(10, 10, WHITE, Tables::None)[2..]]
                    .concat(),
            ),
        ]),
    );
    assert_eq!(answer.error_text(), "");
    assert!(answer.at_boundary);
    let pixel = |x: usize, y: usize| answer.rgb[(y * 20 + x) * 3];
    let squares = [pixel(5, 5), pixel(15, 5), pixel(5, 15), pixel(15, 15), pixel(5, 25), pixel(15, 25)];
    assert_eq!(squares, [255, 0, 255, 255, 0, 255]);

    let missing = PLAIN.answer(10, 10, &update(&[square(0, 0, &jpeg(10, 10, WHITE, Tables::None))]));
    assert!(missing.error_text().contains("a JPEG picture that can not be decoded"), "{}", missing.error_text());
}

/// A PNG picture.
pub fn png(width: u32, height: u32, colours: png::ColorType, palette: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(colours);
    if !palette.is_empty() {
        encoder.set_palette(palette.to_vec());
    }
    encoder.write_header().unwrap().write_image_data(bytes).unwrap();
    out
}

#[test]
fn a_png_picture_is_painted_in_every_format() {
    use png::ColorType;
    paints(
        4,
        4,
        |wire| {
            let row = |y, colours, palette: &[u8], bytes: &[u8]| {
                let picture = png(4, 1, colours, palette, bytes);
                rectangle([0, y, 4, 1], TIGHT_PNG, &[&[PNG_PICTURE][..], &measured(&picture)].concat())
            };
            let rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
            let rgba = [255, 0, 0, 255, 0, 255, 0, 9, 0, 0, 255, 255, 0, 0, 0, 0];
            update(&[
                row(0, ColorType::Rgb, &[], &rgb),
                row(1, ColorType::Rgba, &[], &rgba),
                row(2, ColorType::Grayscale, &[], &[255, 0, 255, 0]),
                row(3, ColorType::Indexed, &rgb, &[3, 2, 1, 0]),
                rectangle([0, 0, 1, 1], TIGHT_PNG, &[&[FILL | 0x0f][..], &tpixel(wire, 'W')].concat()),
            ])
        },
        &["WGBW", "RGB.", "W.W.", "WBGR"],
    );
}

#[test]
fn tight_png_may_have_compressed_pixels_in_the_streams_of_tight() {
    paints(
        16,
        3,
        |wire| {
            let row = |y, encoding, begins, letters: &str| {
                let data = sent(begins, &tpixels(wire, letters));
                rectangle([0, y, 16, 1], encoding, &[&[0x10][..], &data].concat())
            };
            update(&[
                row(0, TIGHT_PNG, true, "RGBWRGBWRGBWRGBW"),
                row(1, TIGHT, false, "WWWWWWWWRRRRRRRR"),
                row(2, TIGHT_PNG, false, "BBBBBBBBGGGGGGGG"),
            ])
        },
        &["RGBWRGBWRGBWRGBW", "WWWWWWWWRRRRRRRR", "BBBBBBBBGGGGGGGG"],
    );
}
