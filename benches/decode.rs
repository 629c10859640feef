//! Encoding × content: how many pixels a second each decoder paints, from one update in memory to a canvas.
//!
//! The pictures and their encodings are made here, so that nothing is needed but this file.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Compress, Compression, FlushCompress};
use sshvnc::client::{Client, canvas_for};
use sshvnc::picture::ByteOrder;
use sshvnc::recording::FORMAT;
use sshvnc::rfb::handshake::ServerInit;
use sshvnc::rfb::{Inbox, encoding};

/// Pixels a row, and rows: a multiple of the tiles below.
const SIDE: usize = 256;

/// Red, green, blue, 0 of each pixel, row by row.
type Picture = Vec<[u8; 4]>;

/// Left, top, width, height.
type Place = [usize; 4];

/// A subrectangle and its colour.
type Part = ([u8; 4], Place);

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

fn pixels(picture: &Picture, [left, top, width, height]: Place) -> Vec<u8> {
    (top..top + height).flat_map(|y| picture[y * SIDE + left..][..width].as_flattened()).copied().collect()
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

fn hextile(picture: &Picture) -> Vec<u8> {
    let mut out = Vec::new();
    for tile in tiles(16) {
        let (background, all) = subrectangles(picture, tile);
        if all.len() * 6 > 16 * 16 * 4 || all.len() > 255 {
            out.push(1);
            out.extend(pixels(picture, tile));
            continue;
        }
        let place = |[x, y, width, height]: Place| [(x << 4 | y) as u8, ((width - 1) << 4 | (height - 1)) as u8];
        let foreground = all.first().map(|(colour, _)| *colour);
        let coloured = all.iter().any(|(colour, _)| Some(*colour) != foreground);
        match foreground {
            None => out.extend([&[2], &background[..]].concat()),
            Some(_) if coloured => out.extend([&[2 | 8 | 16], &background[..], &[all.len() as u8]].concat()),
            Some(colour) => out.extend([&[2 | 4 | 8], &background[..], &colour, &[all.len() as u8]].concat()),
        }
        for (colour, area) in all {
            if coloured {
                out.extend(colour);
            }
            out.extend(place(area));
        }
    }
    out
}

/// Tiles of one colour, with a palette, packed or in runs, whichever is shorter; or raw.
fn trle(picture: &Picture, side: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for tile in tiles(side) {
        let all = pixels(picture, tile);
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
            out.extend(all.chunks_exact(4).flat_map(|pixel| &pixel[..3]));
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
    let length = packed.len();
    out.extend([length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8]);
    out.extend(packed);
    out
}

/// The whole picture in squares, row by row.
fn tiles(side: usize) -> Vec<Place> {
    (0..SIDE).step_by(side).flat_map(|y| (0..SIDE).step_by(side).map(move |x| [x, y, side, side])).collect()
}

/// One update that paints the whole picture.
fn update(name: &str, picture: &Picture) -> Bytes {
    let whole = [0, 0, SIDE, SIDE];
    let rectangles: Vec<(i32, Place, Vec<u8>)> = match name {
        "raw" => vec![(encoding::RAW, whole, pixels(picture, whole))],
        "rre" => vec![(encoding::RRE, whole, rre(picture, whole, false))],
        "corre" => tiles(64).into_iter().map(|tile| (encoding::CORRE, tile, rre(picture, tile, true))).collect(),
        "hextile" => vec![(encoding::HEXTILE, whole, hextile(picture))],
        "trle" => vec![(encoding::TRLE, whole, trle(picture, 16))],
        "zrle" => vec![(encoding::ZRLE, whole, deflated(&trle(picture, 64)))],
        "tight" | "tight-gradient" => vec![(encoding::TIGHT, whole, tight(picture, name == "tight-gradient"))],
        _ => vec![(encoding::ZLIB, whole, deflated(picture.as_flattened()))],
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

fn decode(criterion: &mut Criterion) {
    let init = ServerInit { width: SIDE as u16, height: SIDE as u16, format: FORMAT, name: String::new() };
    let contents = [("flat", flat()), ("text", text()), ("photo", photo())];
    // Text has two colours. Whatever has more than 256 goes through the filter that the name says.
    let palettes = [("text", text()), ("16-colours", colours(16)), ("256-colours", colours(256)), ("photo", photo())];
    let gradients = [("photo", photo())];
    let groups: [(&str, &[(&str, Picture)]); 9] = [
        ("raw", &contents),
        ("rre", &contents),
        ("corre", &contents),
        ("hextile", &contents),
        ("zlib", &contents),
        ("trle", &contents),
        ("zrle", &contents),
        ("tight", &palettes),
        ("tight-gradient", &gradients),
    ];
    for (name, contents) in groups {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements((SIDE * SIDE) as u64));
        for (content, picture) in contents {
            let message = update(name, picture);
            let mut canvas = canvas_for(&init, ByteOrder::Rgbx).expect("a small desktop");
            group.bench_function(*content, |bencher| {
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
            let painted: Vec<u8> = canvas.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
            // A filter may have passed it over.
            let untouched = painted.iter().all(|&byte| byte == 0);
            assert!(untouched || painted == picture.as_flattened(), "{name}, {content}: another picture");
        }
        group.finish();
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
