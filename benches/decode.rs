//! Encoding × content × pixel format: how many pixels a second each decoder paints, from one update in memory to a canvas.
//!
//! The pictures and their encodings are made here, so that nothing is needed but this file.

use std::collections::HashMap;
use std::hint::black_box;

use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Compress, Compression, FlushCompress};
use jpeg_encoder::{ColorType, Encoder};
use sshvnc::client::{Client, canvas_for};
use sshvnc::picture::ByteOrder;
use sshvnc::recording::FORMAT;
use sshvnc::rfb::handshake::ServerInit;
use sshvnc::rfb::{Inbox, PixelFormat, encoding};

/// Pixels a row, and rows: a multiple of the tiles below.
const SIDE: usize = 256;

/// Red, green, blue, 0 of each pixel, row by row.
type Picture = Vec<[u8; 4]>;

/// Left, top, width, height.
type Place = [usize; 4];

/// Pictures by name.
type Contents<'a> = &'a [(&'static str, Picture)];

/// A subrectangle and its colour.
type Part = ([u8; 4], Place);

/// How pixels are written.
#[derive(Clone, Copy)]
struct Wire {
    name: &'static str,
    format: PixelFormat,
    bytes: fn([u8; 4]) -> Vec<u8>,
}

/// As they lie on the canvas.
const SAME: Wire = Wire { name: "", format: FORMAT, bytes: |pixel| pixel.to_vec() };

const OTHERS: [Wire; 3] = [
    Wire {
        name: "bgrx",
        format: PixelFormat::rgb888([16, 8, 0]),
        bytes: |[red, green, blue, _]| vec![blue, green, red, 0],
    },
    Wire {
        name: "rgb565",
        format: PixelFormat::rgb565(),
        bytes: |[red, green, blue, _]| {
            let pixel = u16::from(red >> 3) << 11 | u16::from(green >> 2) << 5 | u16::from(blue >> 3);
            pixel.to_le_bytes().to_vec()
        },
    },
    Wire {
        name: "bgr233",
        format: PixelFormat::bgr233(),
        bytes: |[red, green, blue, _]| vec![(blue >> 6) << 6 | (green >> 5) << 3 | red >> 5],
    },
];

/// Windows in plain colours.
fn flat() -> Picture {
    (0..SIDE * SIDE)
        .map(|at| match (at % SIDE, at / SIDE) {
            (20..=180, 30..=45) => [40, 60, 120, 0],
            (20..=180, 46..=200) => [250, 250, 250, 0],
            (100..=240, 120..=230) => [200, 210, 220, 0],
            _ => [30, 90, 60, 0],
        })
        .collect()
}

/// Lines of signs of two colours, six pixels wide and thirteen high, no two alike.
fn text() -> Picture {
    (0..SIDE * SIDE)
        .map(|at| {
            let (x, y) = (at % SIDE, at / SIDE);
            let sign = (x / 6 * 31 + y / 13 * 17) * 0x9e37_79b9;
            let inside = x % 6 < 5 && (2..11).contains(&(y % 13));
            let dot = sign >> (x % 6 * 3 + y % 13 * 2) & 3 == 0;
            if inside && dot { [220, 220, 220, 0] } else { [0, 0, 0, 0] }
        })
        .collect()
}

/// Slow gradients under grain: nearly every pixel differs from its neighbours.
fn photo() -> Picture {
    let mut grain = 1u32;
    (0..SIDE * SIDE)
        .map(|at| {
            let (x, y) = (at % SIDE, at / SIDE);
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (grain >> 28) as usize;
            [(x / 2 + grain) as u8, ((x + y) / 3 + grain) as u8, (y / 2 + 64 + grain) as u8, 0]
        })
        .collect()
}

/// A part of the picture as a background and rectangles of one colour: runs, grown downwards.
fn subrectangles(picture: &Picture, [left, top, width, height]: Place) -> ([u8; 4], Vec<Part>) {
    let at = |x: usize, y: usize| picture[(top + y) * SIDE + left + x];
    let background = at(0, 0);
    let mut done = vec![false; width * height];
    let mut all = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let colour = at(x, y);
            if colour == background || done[y * width + x] {
                continue;
            }
            let right = (x..width).find(|&x| at(x, y) != colour || done[y * width + x]).unwrap_or(width);
            let bottom = (y..height).find(|&y| (x..right).any(|x| at(x, y) != colour)).unwrap_or(height);
            for row in y..bottom {
                done[row * width + x..row * width + right].fill(true);
            }
            all.push((colour, [x, y, right - x, bottom - y]));
        }
    }
    (background, all)
}

fn pixels(picture: &Picture, [left, top, width, height]: Place, wire: Wire) -> Vec<u8> {
    let rows = (top..top + height).flat_map(|y| &picture[y * SIDE + left..][..width]);
    rows.flat_map(|pixel| (wire.bytes)(*pixel)).collect()
}

fn rre(picture: &Picture, area: Place, compact: bool) -> Vec<u8> {
    let (background, all) = subrectangles(picture, area);
    let mut out = [&(all.len() as u32).to_be_bytes(), &background[..]].concat();
    for (colour, place) in all {
        out.extend(colour);
        if compact {
            out.extend(place.map(|number| number as u8));
        } else {
            out.extend(place.map(|number| (number as u16).to_be_bytes()).as_flattened());
        }
    }
    out
}

/// A tile of Hextile: its flags, and what follows them.
fn hextile_tiles(picture: &Picture, wire: Wire) -> Vec<(u8, Vec<u8>)> {
    let bytes = wire.bytes;
    let size = wire.format.bytes();
    let mut tiles_out = Vec::new();
    for tile in tiles(16) {
        let (background, all) = subrectangles(picture, tile);
        if all.len() * (size + 2) > 16 * 16 * size || all.len() > 255 {
            tiles_out.push((1, pixels(picture, tile, wire)));
            continue;
        }
        let place = |[x, y, width, height]: Place| [(x << 4 | y) as u8, ((width - 1) << 4 | (height - 1)) as u8];
        let foreground = all.first().map(|(colour, _)| *colour);
        let coloured = all.iter().any(|(colour, _)| Some(*colour) != foreground);
        let mut out = bytes(background);
        let flags = match foreground {
            None => 2,
            Some(_) if coloured => 2 | 8 | 16,
            Some(colour) => {
                out.extend(bytes(colour));
                2 | 4 | 8
            }
        };
        if foreground.is_some() {
            out.push(all.len() as u8);
        }
        for (colour, area) in all {
            if coloured {
                out.extend(bytes(colour));
            }
            out.extend(place(area));
        }
        tiles_out.push((flags, out));
    }
    tiles_out
}

fn hextile(picture: &Picture, wire: Wire) -> Vec<u8> {
    hextile_tiles(picture, wire).into_iter().flat_map(|(flags, rest)| [vec![flags], rest].concat()).collect()
}

/// Hextile, every tile through one of both streams.
fn zlib_hex(picture: &Picture) -> Vec<u8> {
    let mut streams = [Compress::new(Compression::new(6), true), Compress::new(Compression::new(6), true)];
    let mut out = Vec::new();
    for (flags, rest) in hextile_tiles(picture, SAME) {
        let raw = flags & 1 != 0;
        let mut packed = Vec::with_capacity(rest.len() + 1000);
        let stream = &mut streams[usize::from(!raw)];
        assert!(stream.compress_vec(&rest, &mut packed, FlushCompress::Sync).is_ok());
        out.push(if raw { 32 } else { flags | 64 });
        out.extend((packed.len() as u16).to_be_bytes());
        out.extend(packed);
    }
    out
}

/// Bytes through LZO1X: literals, and matches of whole pixels not far back.
fn lzo(bytes: &[u8]) -> Vec<u8> {
    // A length: in the low bits of the instruction if it fits there, else behind it, 255 a zero byte.
    let length = |out: &mut Vec<u8>, instruction: u8, length: usize, most: usize| {
        if length <= most {
            out.push(instruction | length as u8);
        } else {
            out.push(instruction);
            out.extend(vec![0; (length - most - 1) / 255]);
            out.push(((length - most - 1) % 255 + 1) as u8);
        }
    };
    let mut out = Vec::new();
    // Up to three literals belong to the match before them.
    let literals = |out: &mut Vec<u8>, some: &[u8]| {
        match (some.len(), out.len()) {
            (0, _) => {}
            (count @ 1..=3, at @ 2..) => out[at - 2] |= count as u8,
            (count @ 1..=3, _) => out.push(17 + count as u8),
            (count, _) => length(out, 0, count - 3, 15),
        }
        out.extend(some);
    };
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    let (mut at, mut from) = (0, 0);
    while let Some(pixel) = bytes.get(at..at + 4) {
        match known.insert(pixel, at) {
            Some(before) if at - before <= 16_384 => {
                let same = bytes[at..].iter().zip(&bytes[before..]).take_while(|(a, b)| a == b).count() / 4 * 4;
                literals(&mut out, &bytes[from..at]);
                length(&mut out, 32, same - 2, 31);
                out.extend(((at - before - 1) as u16 * 4).to_le_bytes());
                at += same;
                from = at;
            }
            _ => at += 4,
        }
    }
    literals(&mut out, &bytes[from..]);
    out.extend([17, 0, 0]);
    [&(out.len() as u32).to_be_bytes()[..], &out].concat()
}

fn jpeg(picture: &Picture, quality: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let encoder = Encoder::new(&mut out, quality);
    encoder.encode(picture.as_flattened(), SIDE as u16, SIDE as u16, ColorType::Rgba).expect("a picture of this size");
    out
}

/// The length and the data of a rectangle of Tight.
fn compact(data: &[u8]) -> Vec<u8> {
    let length = data.len();
    [&[length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8], data].concat()
}

/// ZRLE whose raw tiles hold wavelets: the picture's pixels in their place, since the time does not depend on what they are.
fn zywrle(picture: &Picture) -> Vec<u8> {
    let coefficients = |tile| [vec![0, 0], packed_pixels(&pixels(picture, tile, SAME))].concat();
    tiles(64).into_iter().flat_map(coefficients).collect()
}

/// CPIXELs: the three bytes that carry a colour.
fn packed_pixels(pixels: &[u8]) -> Vec<u8> {
    pixels.chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect()
}

/// Tiles of one colour, with a palette, packed or in runs, whichever is shorter; or raw.
fn trle(picture: &Picture, side: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for tile in tiles(side) {
        let all = pixels(picture, tile, SAME);
        let mut palette: Vec<&[u8]> = Vec::new();
        let mut indices = Vec::new();
        for pixel in all.chunks_exact(4) {
            let known = palette.iter().position(|known| *known == &pixel[..3]);
            if known.is_none() {
                palette.push(&pixel[..3]);
            }
            indices.push(known.unwrap_or(palette.len() - 1) as u8);
            if palette.len() > 127 {
                break;
            }
        }
        if palette.len() > 127 {
            out.push(0);
            out.extend(packed_pixels(&all));
            continue;
        }
        let mut runs = Vec::new();
        for run in indices.chunk_by(|a, b| a == b) {
            if run.len() == 1 {
                runs.push(run[0]);
            } else {
                runs.push(run[0] | 128);
                runs.extend(vec![255; (run.len() - 1) / 255]);
                runs.push(((run.len() - 1) % 255) as u8);
            }
        }
        let bits = [1, 1, 1, 2, 2].get(palette.len()).copied().unwrap_or(4);
        let packed = side * side * bits / 8;
        let flag = if palette.len() > 16 || runs.len() < packed { 128 } else { 0 };
        out.push(if palette.len() == 1 { 1 } else { flag | palette.len() as u8 });
        out.extend(palette.concat());
        match (palette.len(), flag) {
            (1, _) => {}
            (_, 128) => out.extend(runs),
            _ => {
                out.extend(indices.chunks(8 / bits).map(|some| some.iter().fold(0, |byte, index| byte << bits | index)))
            }
        }
    }
    out
}

/// The first parcel of a zlib stream.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(SIDE * SIDE * 5);
    let done = Compress::new(Compression::new(6), true).compress_vec(bytes, &mut out, FlushCompress::Sync);
    assert!(done.is_ok());
    [&(out.len() as u32).to_be_bytes()[..], &out].concat()
}

/// As many colours as there are, in squares of four pixels that are not in order.
fn colours(count: usize) -> Picture {
    (0..SIDE * SIDE)
        .map(|at| {
            let square = at % SIDE / 4 * 31 + at / SIDE / 4 * 17;
            let colour = ((square * 0x9e37_79b9) >> 7) % count;
            [colour as u8, (colour * 7) as u8, (255 - colour) as u8, 0]
        })
        .collect()
}

/// One rectangle of Tight: through a palette where there are few colours, else through the filter that is named.
fn tight(picture: &Picture, gradient: bool) -> Vec<u8> {
    let mut palette: Vec<[u8; 4]> = Vec::new();
    for pixel in picture {
        if !palette.contains(pixel) && palette.len() < 257 {
            palette.push(*pixel);
        }
    }
    let index = |pixel: &[u8; 4]| palette.iter().position(|colour| colour == pixel).unwrap_or_default() as u8;
    let mut out = Vec::new();
    let data: Vec<u8> = match palette.len() {
        2..=256 => {
            out.extend([0x60, 1, (palette.len() - 1) as u8]);
            out.extend(palette.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]));
            let indices: Vec<u8> = picture.iter().map(index).collect();
            match palette.len() {
                2 => indices.as_chunks::<8>().0.iter().map(|eight| eight.iter().fold(0, |b, i| b << 1 | i)).collect(),
                _ => indices,
            }
        }
        _ if gradient => {
            out.extend([0x70, 2]);
            (0..SIDE * SIDE)
                .flat_map(|at| {
                    let seen = |dx: usize, dy: usize, i: usize| match (at % SIDE >= dx, at / SIDE >= dy) {
                        (true, true) => i32::from(picture[at - dx - dy * SIDE][i]),
                        _ => 0,
                    };
                    [0, 1, 2].map(|i| {
                        let expected = (seen(1, 0, i) + seen(0, 1, i) - seen(1, 1, i)).clamp(0, 255);
                        (seen(0, 0, i) - expected) as u8
                    })
                })
                .collect()
        }
        _ => {
            out.push(0);
            picture.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect()
        }
    };
    let mut packed = Vec::with_capacity(data.len() + data.len() / 8 + 100);
    let done = Compress::new(Compression::new(6), true).compress_vec(&data, &mut packed, FlushCompress::Sync);
    assert!(done.is_ok());
    out.extend(compact(&packed));
    out
}

/// The whole picture in squares, row by row.
fn tiles(side: usize) -> Vec<Place> {
    (0..SIDE).step_by(side).flat_map(|y| (0..SIDE).step_by(side).map(move |x| [x, y, side, side])).collect()
}

/// One update that paints the whole picture.
fn update(name: &str, picture: &Picture, wire: Wire) -> Bytes {
    let whole = [0, 0, SIDE, SIDE];
    let rectangles: Vec<(i32, Place, Vec<u8>)> = match name {
        "raw" => vec![(encoding::RAW, whole, pixels(picture, whole, wire))],
        "rre" => vec![(encoding::RRE, whole, rre(picture, whole, false))],
        "corre" => tiles(64).into_iter().map(|tile| (encoding::CORRE, tile, rre(picture, tile, true))).collect(),
        "hextile" => vec![(encoding::HEXTILE, whole, hextile(picture, wire))],
        "trle" => vec![(encoding::TRLE, whole, trle(picture, 16))],
        "zrle" => vec![(encoding::ZRLE, whole, deflated(&trle(picture, 64)))],
        "zywrle" => vec![(encoding::ZYWRLE, whole, deflated(&zywrle(picture)))],
        "tight" | "tight-gradient" => vec![(encoding::TIGHT, whole, tight(picture, name == "tight-gradient"))],
        "tight-jpeg-50" => vec![(encoding::TIGHT, whole, [vec![0x90], compact(&jpeg(picture, 50))].concat())],
        "tight-jpeg-90" => vec![(encoding::TIGHT, whole, [vec![0x90], compact(&jpeg(picture, 90))].concat())],
        "jpeg-90" => vec![(encoding::JPEG, whole, jpeg(picture, 90))],
        "zlib" => vec![(encoding::ZLIB, whole, deflated(&pixels(picture, whole, wire)))],
        "zlib-hex" => vec![(encoding::ZLIB_HEX, whole, zlib_hex(picture))],
        "ultra" => vec![(encoding::ULTRA, whole, lzo(picture.as_flattened()))],
        other => panic!("{other} is made nowhere"),
    };
    let mut out = vec![0, 0];
    out.extend((rectangles.len() as u16).to_be_bytes());
    for (number, place, payload) in rectangles {
        out.extend(place.map(|part| (part as u16).to_be_bytes()).as_flattened());
        out.extend(number.to_be_bytes());
        out.extend(payload);
    }
    out.into()
}

/// Encodings whose picture is another than the one they were made of.
const LOSSY: [&str; 4] = ["zywrle", "tight-jpeg-50", "tight-jpeg-90", "jpeg-90"];

fn decode(criterion: &mut Criterion) {
    let contents = [("flat", flat()), ("text", text()), ("photo", photo())];
    // Text has two colours. Whatever has more than 256 goes through the filter that the name says.
    let palettes = [("text", text()), ("16-colours", colours(16)), ("256-colours", colours(256)), ("photo", photo())];
    let photos = [("photo", photo())];
    let groups: [(&str, Contents<'_>, &[Wire]); 15] = [
        ("raw", &contents, &OTHERS),
        ("rre", &contents, &[]),
        ("corre", &contents, &[]),
        ("hextile", &contents, &OTHERS),
        ("zlib", &contents, &OTHERS),
        ("zlib-hex", &contents, &[]),
        ("ultra", &contents, &[]),
        ("trle", &contents, &[]),
        ("zrle", &contents, &[]),
        ("zywrle", &photos, &[]),
        ("tight", &palettes, &[]),
        ("tight-gradient", &photos, &[]),
        ("tight-jpeg-50", &contents, &[]),
        ("tight-jpeg-90", &contents, &[]),
        ("jpeg-90", &photos, &[]),
    ];
    for (name, contents, others) in groups {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements((SIDE * SIDE) as u64));
        for (content, picture) in contents {
            for wire in [&[SAME], others].concat() {
                let id = [content, wire.name].join("/");
                let id = id.trim_end_matches('/');
                let painted = one(&mut group, id, wire.format, &update(name, picture, wire));
                // A filter may have passed it over; colours of fewer bits are others.
                let exact = wire.name == SAME.name && !LOSSY.contains(&name);
                let right = painted.is_none_or(|painted| !exact || painted == picture.as_flattened());
                assert!(right, "{name}, {id}: another picture");
            }
        }
        group.finish();
    }
}

/// Measures decoding `message`, and gives the picture unless it was passed over.
fn one(group: &mut BenchmarkGroup<'_, WallTime>, id: &str, format: PixelFormat, message: &Bytes) -> Option<Vec<u8>> {
    let init = ServerInit { width: SIDE as u16, height: SIDE as u16, format, name: String::new() };
    let mut canvas = canvas_for(&init, ByteOrder::Rgbx).expect("a small desktop");
    let mut ran = false;
    group.bench_function(id, |bencher| {
        ran = true;
        bencher.iter_batched(
            || {
                let mut inbox = Inbox::default();
                inbox.push(message.clone());
                (Client::of_recording(&init, ByteOrder::Rgbx), inbox)
            },
            |(mut client, mut inbox)| {
                black_box(client.receive(&mut inbox, &mut canvas)).expect("a well-formed update");
                (client, inbox)
            },
            BatchSize::SmallInput,
        );
    });
    ran.then(|| canvas.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect())
}

criterion_group!(benches, decode);
criterion_main!(benches);
