//! Servers that lie in Tight, Tight PNG and JPEG: one line that says what, no panic, no memory, no endless work.

use flate2::{Compress, Compression, FlushCompress};

use crate::hostile_servers_get_one_line::rectangle_line;
use crate::jpeg_by_hand::{Tables, jpeg};
use crate::tight_and_jpeg_paint_what_the_bytes_say::{measured, png};

const TIGHT: i32 = 7;
const JPEG: i32 = 21;
const TIGHT_PNG: i32 = -260;

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1000);
    Compress::new(Compression::best(), true).compress_vec(bytes, &mut out, FlushCompress::Sync).unwrap();
    measured(&out)
}

/// A Tight rectangle of 4×4.
fn square(payload: &[&[u8]]) -> String {
    rectangle_line([0, 0, 4, 4], TIGHT, &payload.concat())
}

#[track_caller]
fn begins(text: &str, with: &str) {
    assert!(text.starts_with(with), "{text}");
}

#[test]
fn compressions_and_filters_that_do_not_exist() {
    assert_eq!(
        square(&[&[0xb0]]),
        "the compression-control byte 0xb0 (FramebufferUpdate at byte 16, rectangle 1, encoding Tight)"
    );
    for control in [0xc0, 0xd0, 0xf0, 0xff] {
        begins(&square(&[&[control]]), "the compression-control byte");
    }
    // Tight PNG does not know the one without zlib.
    for control in [0xb0, 0xc0, 0xe0] {
        begins(&rectangle_line([0, 0, 4, 4], TIGHT_PNG, &[control]), "the compression-control byte");
    }
    begins(&square(&[&[0x40, 3]]), "the filter 3 (0, 1 and 2 exist)");
    begins(&square(&[&[0x70, 255]]), "the filter 255");
}

#[test]
fn colours_beyond_the_palette() {
    let palette = [0x40, 1, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3];
    begins(
        &square(&[&palette, &zlib(&[0, 1, 2, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])]),
        "colour 3 of a palette of 3",
    );
    begins(&rectangle_line([0, 0, 1, 1], TIGHT, &[&palette[..], &[255]].concat()), "colour 255 of a palette of 3");
    begins(&square(&[&[0x40, 1, 0]]), "a palette of one colour");
}

#[test]
fn lengths_that_can_not_be() {
    begins(&square(&[&[0x00, 0xff, 0xff, 0xff]]), "4194303 bytes of compressed data for 48 bytes of pixels");
    begins(&square(&[&[0xa0, 47]]), "47 bytes that are not compressed for 48 bytes of pixels");
    begins(&square(&[&[0xa0, 49]]), "49 bytes that are not compressed for 48 bytes of pixels");
    begins(&square(&[&[0x00, 0]]), "fewer compressed pixels than the rectangle has");
    begins(&square(&[&[0x00], &zlib(&[7; 47])]), "fewer compressed pixels than the rectangle has");
    begins(&square(&[&[0x00], &zlib(&[7; 49])]), "more compressed pixels than the rectangle has");
    let bomb = zlib(&vec![7; 40_000_000]);
    begins(&square(&[&[0x40, 2], &bomb]), "more compressed pixels than the rectangle has");
}

#[test]
fn streams_that_did_not_begin_or_are_garbage() {
    let text = square(&[&[0x20], &measured(&[0, 48, 0, 207, 255, 1])]);
    begins(&text, "compressed data without the header of a zlib stream");
    begins(&square(&[&[0x20], &measured(&[0x78, 0x01, 7, 0, 0])]), "compressed data that zlib can not read");
}

#[test]
fn jpeg_pictures_of_another_size() {
    // libjpeg-turbo refuses larger ones itself, in its own words.
    let largest = if cfg!(feature = "turbojpeg") { 65500 } else { 65535 };
    let sizes = [(3, 4), (4, 5), (20, 20), (largest, largest), (65500, 65500)];
    for (width, height) in sizes {
        let picture = match width {
            // Only the header of those that no memory could hold.
            65500.. => [&jpeg(8, 8, [0; 3], Tables::Both)[..71], &frame(width, height)].concat(),
            _ => jpeg(width, height, [255; 3], Tables::Both),
        };
        let picture =
            if width < 65500 { picture } else { [&picture, &jpeg(8, 8, [0; 3], Tables::Both)[90..]].concat() };
        let expected = format!("a JPEG picture of {width}x{height} for a rectangle of 4x4");
        begins(&square(&[&[0x90], &measured(&picture)]), &expected);
        begins(&rectangle_line([0, 0, 4, 4], TIGHT_PNG, &[&[0x90][..], &measured(&picture)].concat()), &expected);
        begins(&rectangle_line([0, 0, 4, 4], JPEG, &picture), &expected);
    }
    begins(
        &rectangle_line([0, 0, 0, 4], TIGHT, &[&[0x90][..], &measured(&jpeg(4, 4, [0; 3], Tables::Both))].concat()),
        "a JPEG picture of 4x4 for a rectangle of 0x4",
    );
}

/// The frame header that [`jpeg`] writes.
fn frame(width: u16, height: u16) -> Vec<u8> {
    let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
    [&[0xff, 0xc0, 0, 17, 8][..], &size, &[3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]].concat()
}

#[test]
fn jpeg_pictures_that_are_broken() {
    let broken = "a JPEG picture that can not be decoded: ";
    let picture = jpeg(4, 4, [90; 3], Tables::Both);
    for length in [0, 1, 2, 30, 90, 150] {
        begins(&square(&[&[0x90], &measured(&picture[..length])]), broken);
    }
    for missing in [1, 2, 5] {
        let cut = &picture[..picture.len() - missing];
        begins(&square(&[&[0x90], &measured(cut)]), "a JPEG picture without an end");
    }
    begins(&square(&[&[0x90], &measured(b"no picture at all")]), broken);
    begins(&rectangle_line([0, 0, 4, 4], JPEG, &[0xff, 0xd8, 0xff, 0xd9]), broken);
    begins(&rectangle_line([0, 0, 4, 4], JPEG, b"\x00"), "a JPEG picture with something between its segments");
    begins(
        &rectangle_line([0, 0, 4, 4], JPEG, &[0xff, 0xd8, 0xff, 0xfe, 0, 1]),
        "a JPEG segment shorter than its own length",
    );
    let endless = [&[0xff, 0xd8][..], &[0xff, 0xda, 0, 2], &[7; 300_000]].concat();
    begins(&rectangle_line([0, 0, 4, 4], JPEG, &endless), "a JPEG picture of more than 262272 bytes");
}

/// What is wrong with a picture of one block, with `symbol` for its only code of a coefficient and `scan` for its scan.
fn scanned(symbol: u8, scan: &[u8]) -> String {
    let mut picture = jpeg(4, 4, [90; 3], Tables::Both);
    let header = picture.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    picture[header - 1] = symbol;
    picture.truncate(header + 14);
    let picture = [&picture, scan, &[0xff, 0xd9]].concat();
    let line = square(&[&[0x90], &measured(&picture)]);
    line.strip_prefix("a JPEG picture that can not be decoded: ").unwrap_or(&line).to_owned()
}

#[test]
#[cfg(not(feature = "turbojpeg"))]
fn jpeg_scans_that_are_broken() {
    // A block is four bits for the size of its mean, which is 0 here, and one bit for its end.
    begins(&scanned(0, &[0]), "it ends too early");
    begins(&scanned(0, &[]), "it ends too early");
    // A marker that has nothing to do there.
    begins(&scanned(0, &[0, 0xff, 0xc4, 0]), "it ends too early");
    // There is no interval but the first.
    begins(&scanned(0, &[0, 0xff, 0xd0, 0]), "it ends too early");
    for no_code in [[0xfe, 0], [0x08, 0], [0x90, 0]] {
        begins(&scanned(0, &no_code), "it has bits that are no code");
    }
    // Sixteen zeros each, four times, after a mean.
    begins(&scanned(0xf0, &[0; 9]), "coefficients run past the end of their block");
    // Ten zeros and a value each: the sixth is beyond.
    begins(&scanned(0xa1, &[0; 9]), "coefficients run past the end of their block");
}

#[test]
fn png_pictures_of_another_size_or_broken() {
    let png_line =
        |picture: &[u8]| rectangle_line([0, 0, 4, 4], TIGHT_PNG, &[&[0xa0][..], &measured(picture)].concat());
    let good = png(4, 4, png::ColorType::Rgb, &[], &[9; 48]);
    begins(
        &png_line(&png(5, 4, png::ColorType::Grayscale, &[], &[9; 20])),
        "a PNG picture of 5x4 for a rectangle of 4x4",
    );
    // The size that IHDR gives is looked at before anything is made of it.
    let bomb = png(60_000, 500, png::ColorType::Grayscale, &[], &vec![0; 30_000_000]);
    begins(&png_line(&bomb), "a PNG picture of 60000x500 for a rectangle of 4x4");
    for length in [0, 7, 20, 40, good.len() / 2] {
        begins(&png_line(&good[..length]), "a PNG picture that can not be decoded: ");
    }
    let mut flipped = good.clone();
    flipped[45] ^= 0x55;
    begins(&png_line(&flipped), "a PNG picture that can not be decoded: ");
}
